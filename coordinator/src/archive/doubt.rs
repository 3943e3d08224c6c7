//! An archive out of a backup has forgotten whose figures were pooled since. Comes in: that it was restored; and the custodian's word.
//! Goes out: whether the gate may rely on what it remembers. Must never end by itself. It cannot know what was shown since the backup,
//! nor that a folder was copied back by hand.

use accord_proto::{
    clock::Timestamp,
    journal::{Act, Entry},
    reason::{Invalid, Reason},
    transport::Peer,
};

use super::{Archive, Room};

/// In [`Room::Meta`]: 1 while it is in doubt.
const KEY: &[u8] = b"doubt";

/// What is to be written so that it is in doubt, or not any more.
pub(super) fn write(in_doubt: bool) -> (Room, Vec<u8>, Vec<u8>) {
    (Room::Meta, KEY.to_vec(), vec![u8::from(in_doubt)])
}

impl Archive {
    /// Was it restored, and nobody has confirmed it yet?
    pub fn in_doubt(&self) -> Result<bool, Invalid> {
        let stored = self.rooms[Room::Meta as usize].get(KEY)?;
        Ok(stored.is_some_and(|stored| stored.as_ref() != [0]))
    }

    /// The custodian takes it as it is: the gate relies on what it remembers. Gives the number of the journal entry.
    pub async fn confirm_restore(
        &self,
        by: &Peer,
        why: &str,
        now: Timestamp,
    ) -> Result<u64, Invalid> {
        let sequence = self.confirm(by, why, now)?;
        self.settled().await?;
        Ok(sequence)
    }

    fn confirm(&self, by: &Peer, why: &str, now: Timestamp) -> Result<u64, Invalid> {
        if why.trim().is_empty() {
            let detail = "say why what the gate remembers is relied on again";
            return Err(Invalid::new(Reason::FieldMissing, "why", detail));
        }
        let writer = self.writer();
        if !self.in_doubt()? {
            let detail = "nothing is to be confirmed: the archive is not in doubt";
            return Err(Invalid::new(Reason::NotFound, "restore", detail));
        }
        let sequence = writer.size();
        let entry = Entry {
            at: now,
            act: Act::Alteration,
            by: by.identity.clone(),
            to: String::new(),
            why: format!("confirm restore: {why}"),
            subject: "the gate relies on what it remembers".to_owned(),
            digest: writer.root(),
        };
        self.commit(writer, vec![write(false)], entry)?;
        Ok(sequence)
    }
}
