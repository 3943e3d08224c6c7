//! The coordinator's journal, read back, and where the members' stood. Comes in: places in it; what members showed.
//! Goes out: exact bytes of entries, proofs about them, and what a member's next checkpoint has to continue. Must
//! never go back to an older checkpoint of a member.

use std::{
    ops::Range,
    sync::{MutexGuard, PoisonError},
};

use accord_proto::{
    clock::Timestamp,
    identity::Name,
    journal::{Act, Checkpoint, Entry, Frontier, Proof, Tree, Walk, leaf},
    reason::{Invalid, Reason},
    seal::Digest,
    transport::Peer,
};
use prost::Message as _;

use super::{Archive, Kept, Room, Writes, failed};

/// Where a member's journal stood when it was shown last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownJournal {
    /// Whose.
    pub node: Name,
    /// What its newest checkpoint says.
    pub head: Checkpoint,
    /// The same as it was signed.
    pub note: String,
}

/// Nothing is known if the note is empty.
#[derive(Clone, PartialEq, prost::Message)]
struct Stored {
    #[prost(string, tag = "1")]
    note: String,
    #[prost(string, tag = "2")]
    origin: String,
    #[prost(uint64, tag = "3")]
    size: u64,
    #[prost(bytes = "vec", tag = "4")]
    root: Vec<u8>,
}

/// Reads the journal from its first entry on; gives the tree over it.
pub(super) fn whole(room: &Kept, head: &Frontier) -> Result<Tree, Invalid> {
    let mut walk = Walk::default();
    let flawed =
        |flaw: accord_proto::journal::Flaw| failed(format!("damaged: the journal: {flaw}"));
    for entry in room.scan(&[]) {
        walk.step(&entry?.1).map_err(flawed)?;
    }
    walk.finish(&Checkpoint::of("", head)).map_err(flawed)?;
    Ok(walk.into_tree())
}

impl Archive {
    /// Where the journal stands.
    pub fn checkpoint(&self, origin: String) -> Checkpoint {
        Checkpoint::of(origin, self.tree().frontier())
    }

    /// How many entries there are.
    pub fn journal_size(&self) -> u64 {
        self.tree().frontier().size()
    }

    /// One entry, as it is stored.
    pub fn entry(&self, index: u64) -> Result<Vec<u8>, Invalid> {
        let stored = self.rooms[Room::Journal as usize].get(index.to_be_bytes())?;
        let stored = stored.ok_or_else(|| {
            Invalid::new(Reason::NotFound, "journal", format!("there is no entry {index}"))
        })?;
        Ok(stored.to_vec())
    }

    /// Entries from one place up to another, as they are stored, in their order.
    pub fn entries(&self, range: Range<u64>) -> impl Iterator<Item = Result<Vec<u8>, Invalid>> {
        let range = range.start.to_be_bytes()..range.end.to_be_bytes();
        let entries = self.rooms[Room::Journal as usize].range(range);
        entries.map(|entry| Ok(entry?.1.to_vec()))
    }

    /// That an entry stands at its place in the journal of that size.
    pub fn inclusion(&self, index: u64, size: u64) -> Result<Proof, Invalid> {
        let tree = self.tree().clone();
        tree.inclusion(index, size, self.leaves())
    }

    /// That the journal of one size begins with that of another.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Proof, Invalid> {
        let tree = self.tree().clone();
        tree.consistency(old, new, self.leaves())
    }

    fn tree(&self) -> MutexGuard<'_, Tree> {
        self.tree.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leaves(&self) -> impl Fn(Range<u64>) -> Result<Vec<Digest>, Invalid> + '_ {
        |range| self.entries(range).map(|entry| Ok(leaf(&entry?))).collect()
    }

    /// Where a member's journal stood when it was shown last.
    pub fn known_journal(&self, node: &Name) -> Result<Option<KnownJournal>, Invalid> {
        let stored = self.rooms[Room::Heads as usize].get(node.as_str())?;
        let Some(stored) = stored else { return Ok(None) };
        let Stored { note, origin, size, root } =
            Stored::decode(stored.as_ref()).map_err(failed)?;
        if note.is_empty() {
            return Ok(None);
        }
        let root = Digest::from_wire("archive.heads", &root)?;
        Ok(Some(KnownJournal { node: node.clone(), head: Checkpoint { origin, size, root }, note }))
    }

    /// What is to be written of checkpoints that were shown: those that go on.
    pub(super) fn newer(&self, heads: &[KnownJournal]) -> Result<Writes, Invalid> {
        let mut writes = Writes::new();
        for KnownJournal { node, head, note } in heads {
            let known = self.known_journal(node)?;
            if known.is_some_and(|known| known.head.size >= head.size) {
                continue;
            }
            let Checkpoint { origin, size, root } = head.clone();
            let stored = Stored { note: note.clone(), origin, size, root: root.0.to_vec() };
            writes.push((Room::Heads, node.as_str().as_bytes().to_vec(), stored.encode_to_vec()));
        }
        Ok(writes)
    }

    /// Starts anew with a member's journal, as somebody decided.
    pub async fn forget_journal(
        &self,
        by: &Peer,
        node: &Name,
        why: &str,
        now: Timestamp,
    ) -> Result<(), Invalid> {
        self.forget(by, node, why, now)?;
        self.settled().await
    }

    fn forget(&self, by: &Peer, node: &Name, why: &str, now: Timestamp) -> Result<(), Invalid> {
        let writer = self.writer();
        let known = self.known_journal(node)?.ok_or_else(|| {
            Invalid::new(Reason::NotFound, "node", format!("no journal of {node} is known"))
        })?;
        let entry = Entry {
            at: now,
            act: Act::Alteration,
            by: by.identity.clone(),
            to: String::new(),
            why: format!("accept journal: {why}"),
            subject: format!(
                "{} with {} entries is not relied on",
                known.head.origin, known.head.size
            ),
            digest: known.head.root,
        };
        let write = (Room::Heads, node.as_str().as_bytes().to_vec(), Vec::new());
        self.commit(writer, vec![write], entry)
    }
}
