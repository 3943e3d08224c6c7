//! The archive at one moment, as a backup; others go on writing ([`accord_proto::backup::moment`]). Comes in: a moment. Goes out: every
//! value that lay there then, as a file, piece by piece. Must never hold up a writer for longer than that moment, nor give out a
//! journal that does not come to its head.

use accord_proto::{
    backup::{Header, Kind, Writer, moment::AT_ONCE},
    clock::Timestamp,
    identity::Identity,
    journal::{Act, Checkpoint, Entry, Frontier, Walk},
    limits::BACKUP_CHUNK_BYTES,
    reason::Invalid,
    transport::Peer,
};

use super::{Archive, FORMAT, Room, failed};

/// A coordinator's backups.
pub const BACKUPS: &Kind =
    &Kind { program: "accord-coordinator", rooms: &Room::NAMES, check_format };

fn check_format(format: &[u8]) -> Result<(), Invalid> {
    if format == FORMAT.as_bytes() {
        return Ok(());
    }
    Err(failed(format!("is \"{}\", not \"{FORMAT}\"", String::from_utf8_lossy(format))))
}

/// The archive at one moment.
pub struct Snapshot<'a> {
    archive: &'a Archive,
    head: Frontier,
}

impl std::fmt::Debug for Snapshot<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Snapshot({:?})", self.head.size())
    }
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        self.archive.before.end();
    }
}

impl Archive {
    /// The archive at this moment. One at a time: each holds on to what is changed meanwhile.
    pub fn snapshot(&self) -> Result<Snapshot<'_>, Invalid> {
        let head = self.writer();
        self.before.begin()?;
        Ok(Snapshot { archive: self, head: head.clone() })
    }

    /// Notes who takes a backup. Durable when [`Archive::settled`] says so.
    pub fn note_backup(&self, by: &Peer, now: Timestamp) -> Result<(), Invalid> {
        let writer = self.writer();
        let entry = Entry {
            at: now,
            act: Act::Disclosure,
            by: by.identity.clone(),
            to: String::new(),
            why: "backup".to_owned(),
            subject: format!("the archive with {} journal entries", writer.size()),
            digest: writer.root(),
        };
        self.commit(writer, Vec::new(), entry)
    }
}

impl Snapshot<'_> {
    /// The whole backup, piece by piece.
    pub fn write(
        &self,
        owner: &Identity,
        now: Timestamp,
        send: impl FnMut(Vec<u8>) -> Result<(), Invalid>,
    ) -> Result<(), Invalid> {
        self.write_in_pieces(owner, now, BACKUP_CHUNK_BYTES, send)
    }

    fn write_in_pieces(
        &self,
        owner: &Identity,
        now: Timestamp,
        piece: usize,
        send: impl FnMut(Vec<u8>) -> Result<(), Invalid>,
    ) -> Result<(), Invalid> {
        let header = Header {
            format: FORMAT.to_owned(),
            owner: owner.to_string(),
            created_s: now.as_s(),
            journal_size: self.head.size(),
            journal_root: self.head.root().0.to_vec(),
            imports: 0,
        };
        let mut writer = Writer::begin_in_pieces(BACKUPS, &header, piece, send)?;
        let mut walk = Walk::default();
        let flawed = |flaw| failed(format!("damaged: the journal: {flaw}; restore a backup"));
        for room in 0..Room::NAMES.len() {
            let kept = &self.archive.rooms[room];
            let page = |after: Option<&[u8]>| kept.page(after, AT_ONCE);
            self.archive.before.read(room, page, |at, value| {
                if room == Room::Journal as usize {
                    walk.step(value).map_err(flawed)?;
                }
                writer.value(room, &kept.name(at.into())?, value)
            })?;
        }
        walk.finish(&Checkpoint::of("", &self.head)).map_err(flawed)?;
        writer.finish()
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs, sync::LazyLock};

    use accord_proto::{
        at_rest::Keys,
        clock::{SystemEntropy, Timestamp},
        reason::Reason,
        seal::Digest,
    };

    use super::*;
    use crate::archive::{check, restore};

    const OWNER: &str = "spiffe://wb6.example/REGION/node/coordinator/coordinator";

    /// Without a key.
    static NONE: LazyLock<Keys> = LazyLock::new(Keys::none);

    fn now() -> Timestamp {
        Timestamp::from_s("", 1_800_000_000).unwrap()
    }

    fn owner() -> Identity {
        Identity::parse(OWNER).unwrap()
    }

    fn write(archive: &Archive, room: Room, key: &[u8], value: &[u8]) {
        let entry = Entry {
            at: now(),
            act: Act::Alteration,
            by: owner(),
            to: String::new(),
            why: "test".to_owned(),
            subject: "a key".to_owned(),
            digest: Digest([1; 32]),
        };
        archive
            .commit(archive.writer(), vec![(room, key.to_vec(), value.to_vec())], entry)
            .unwrap();
    }

    fn all(archive: &Archive) -> BTreeMap<(usize, Vec<u8>), Vec<u8>> {
        let rooms = archive.rooms.iter().enumerate();
        let values = rooms.flat_map(|(at, room)| {
            room.scan(&[]).map(Result::unwrap).map(move |(key, value)| ((at, key.to_vec()), value))
        });
        values.map(|(place, value)| (place, value.to_vec())).collect()
    }

    fn taken(archive: &Archive, mut meanwhile: impl FnMut()) -> Vec<u8> {
        let mut file = Vec::new();
        let snapshot = archive.snapshot().unwrap();
        assert_eq!(archive.snapshot().unwrap_err().reason, Reason::Overloaded);
        let piece = |piece: Vec<u8>| {
            meanwhile();
            file.extend(piece);
            Ok(())
        };
        snapshot.write_in_pieces(&owner(), now(), 512, piece).unwrap();
        file
    }

    #[tokio::test]
    async fn a_backup_is_the_archive_at_one_moment_whatever_is_written_meanwhile() {
        let dir = tempfile::tempdir().unwrap();
        let (path, new) = (dir.path().join("file"), dir.path().join("new"));
        let archive = Archive::open(&dir.path().join("data"), &owner(), 0).unwrap();
        // More than is read at once, so that some of it changes before it is read.
        for number in 0..600_u32 {
            write(&archive, Room::Requirements, &number.to_be_bytes(), b"before");
        }
        let before = all(&archive);
        let mut round = 0_u32;
        let file = taken(&archive, || {
            round += 1;
            if round < 50 {
                write(&archive, Room::Requirements, &(600 - round).to_be_bytes(), b"after");
                write(&archive, Room::Evidence, &round.to_be_bytes(), b"after");
            }
        });
        assert!(round > 50, "{round} pieces");
        fs::write(&path, file).unwrap();
        restore(&path, &new, now(), (&NONE, &SystemEntropy)).await.unwrap();
        let archive = Archive::open(&new, &owner(), 0).unwrap();
        assert!(archive.in_doubt().unwrap());
        let mut after = all(&archive);
        // The entry that says that it was restored, with what goes with it.
        after.remove(&(Room::Journal as usize, 600_u64.to_be_bytes().to_vec())).unwrap();
        after.remove(&(Room::Meta as usize, b"doubt".to_vec())).unwrap();
        let head = (Room::Meta as usize, b"journal".to_vec());
        after.insert(head.clone(), before[&head].clone());
        assert!(before == after);
    }

    #[tokio::test]
    async fn a_damaged_backup_is_refused_and_nothing_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let (path, new) = (dir.path().join("file"), dir.path().join("new"));
        let archive = Archive::open(&dir.path().join("data"), &owner(), 0).unwrap();
        write(&archive, Room::Requirements, b"key", b"value");
        let whole = taken(&archive, || {});
        let mut damages: Vec<Vec<u8>> = vec![[&whole[..], b"x"].concat()];
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            damages.push(flipped);
            damages.push(whole[..at].to_vec());
        }
        for damaged in damages {
            fs::write(&path, &damaged).unwrap();
            assert_eq!(
                restore(&path, &new, now(), (&NONE, &SystemEntropy)).await.unwrap_err().reason,
                Reason::StoreFailed
            );
            assert!(!new.exists());
        }
        fs::write(&path, &whole).unwrap();
        check(&path).unwrap();
        fs::create_dir(&new).unwrap();
        fs::write(new.join("something"), "").unwrap();
        assert_eq!(
            restore(&path, &new, now(), (&NONE, &SystemEntropy)).await.unwrap_err().reason,
            Reason::FileExists
        );
        fs::remove_file(new.join("something")).unwrap();
        restore(&path, &new, now(), (&NONE, &SystemEntropy)).await.unwrap();
    }

    #[tokio::test]
    async fn half_a_restored_archive_is_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        let (path, new) = (dir.path().join("file"), dir.path().join("new"));
        let archive = Archive::open(&dir.path().join("data"), &owner(), 0).unwrap();
        fs::write(&path, taken(&archive, || {})).unwrap();
        restore(&path, &new, now(), (&NONE, &SystemEntropy)).await.unwrap();
        // As a crash leaves it.
        fs::write(new.join("restoring"), "").unwrap();
        let error = Archive::open(&new, &owner(), 0).unwrap_err();
        assert!(error.detail.contains("was not restored to its end"), "{error}");
    }
}
