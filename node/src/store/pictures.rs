//! Pictures on disk: a line for each, and the file that it came in, in blocks. Comes in: files that were verified. Goes out: the
//! same bytes. Must never let go of the newest picture of a requirement to make room for another.

use std::ops::Bound;

use accord_proto::{
    id::RequirementId,
    limits::{PICTURE_BLOCK_BYTES, PICTURES_BYTES_MAX, PICTURES_MAX},
    reason::{Invalid, Reason},
    seal::Digest,
};
use prost::Message;

use super::{Change, Pair, Room, Store, failed, schema};

/// A picture that was delivered.
#[derive(Clone, PartialEq, Message)]
pub struct Delivered {
    /// The coordinator's number of it.
    #[prost(uint32, tag = "1")]
    pub version: u32,
    /// When it was drawn, as the coordinator says.
    #[prost(int64, tag = "2")]
    pub drawn_at_s: i64,
    /// When it came here first.
    #[prost(int64, tag = "3")]
    pub received_at_s: i64,
    /// SHA-256 of its signed bytes.
    #[prost(bytes = "vec", tag = "4")]
    pub picture: Vec<u8>,
    /// SHA-256 of the file.
    #[prost(bytes = "vec", tag = "5")]
    pub evidence: Vec<u8>,
    /// Length of the file.
    #[prost(uint64, tag = "6")]
    pub bytes: u64,
    /// Digest of this node's table that it rests on; empty: it rests on none.
    #[prost(bytes = "vec", tag = "7")]
    pub own_table: Vec<u8>,
    /// Members that were asked.
    #[prost(uint32, tag = "8")]
    pub members: u32,
    /// Members that answered.
    #[prost(uint32, tag = "9")]
    pub answered: u32,
    /// Members whose answer does not stand any more.
    #[prost(uint32, tag = "10")]
    pub notices: u32,
    /// SHA-256 of another picture that was delivered under the same version, and refused; empty: there was none.
    #[prost(bytes = "vec", tag = "11")]
    pub contradicted_by: Vec<u8>,
}

fn key(requirement: RequirementId, version: u32) -> Vec<u8> {
    [&requirement.as_bytes()[..], &version.to_be_bytes()].concat()
}

impl Store {
    /// A picture that was delivered; the newest of the requirement if no version is named.
    pub fn delivered(
        &self,
        requirement: RequirementId,
        version: Option<u32>,
    ) -> Result<Option<Delivered>, Invalid> {
        let room = &self.rooms[Room::Pictures.at()];
        let stored = match version {
            Some(version) => room.get(key(requirement, version)),
            None => {
                let newest = room.scan(requirement.as_bytes()).next_back();
                newest.transpose().map(|found| found.map(|(_, stored)| stored))
            }
        };
        stored?.map(|bytes| schema::decode(&bytes)).transpose()
    }

    /// Pictures that stand before `before`, newest requirement and version first.
    pub fn all_delivered(
        &self,
        before: Option<(RequirementId, u32)>,
        most: usize,
    ) -> Result<Vec<(RequirementId, Delivered)>, Invalid> {
        let room = &self.rooms[Room::Pictures.at()];
        let end = before.map_or(Bound::Unbounded, |(requirement, version)| {
            Bound::Excluded(key(requirement, version))
        });
        let read = |entry: Result<Pair, Invalid>| {
            let (key, bytes) = entry?;
            let id = key.get(..16).unwrap_or_default();
            Ok((RequirementId::from_bytes("store.picture", id)?, schema::decode(&bytes)?))
        };
        room.range((Bound::Unbounded, end)).rev().take(most).map(read).collect()
    }

    /// The file of a picture, with its line.
    pub fn picture_file(
        &self,
        requirement: RequirementId,
        version: u32,
    ) -> Result<(Delivered, Vec<u8>), Invalid> {
        let line = || {
            self.delivered(requirement, Some(version))?.ok_or_else(|| {
                let detail = format!("there is no version {version} of {requirement} here");
                Invalid::new(Reason::NotFound, "picture", detail)
            })
        };
        let mut delivered = line()?;
        loop {
            let mut file = Vec::new();
            for block in self.scan(Room::Files, &key(requirement, version)) {
                file.extend_from_slice(&block?.1);
            }
            if Digest::of(&file).0 == *delivered.evidence {
                return Ok((delivered, file));
            }
            // Notices may have been added while it was read; otherwise it is damaged.
            let now = line()?;
            if now == delivered {
                return Err(failed(&"damaged: the file of a picture; restore it from a backup"));
            }
            delivered = now;
        }
    }
}

impl Change<'_> {
    /// Keeps a picture with its file, in place of the file that it had. Versions that went to make room for it, oldest first.
    pub fn keep_picture(
        &mut self,
        requirement: RequirementId,
        delivered: &Delivered,
        file: &[u8],
    ) -> Result<Vec<u32>, Invalid> {
        // A transaction is written twice before it is done with.
        self.check_room_for(delivered.bytes.saturating_mul(2))?;
        let gone = self.make_room(requirement, delivered)?;
        self.remove_file(requirement, delivered.version)?;
        let prefix = key(requirement, delivered.version);
        for (at, block) in (0_u32..).zip(file.chunks(PICTURE_BLOCK_BYTES)) {
            let key = [&prefix[..], &at.to_be_bytes()].concat();
            self.write(Room::Files, &key, block.to_vec());
        }
        self.note_picture(requirement, delivered);
        Ok(gone)
    }

    /// A picture's line as it is from now on.
    pub fn note_picture(&mut self, requirement: RequirementId, delivered: &Delivered) {
        let key = key(requirement, delivered.version);
        self.write(Room::Pictures, &key, delivered.encode_to_vec());
    }

    fn make_room(
        &mut self,
        requirement: RequirementId,
        coming: &Delivered,
    ) -> Result<Vec<u32>, Invalid> {
        let all = self.store().all_delivered(None, usize::MAX)?;
        let others = |(of, held): &&(RequirementId, Delivered)| {
            (*of, held.version) != (requirement, coming.version)
        };
        let (mut count, mut bytes) = (1, coming.bytes);
        for (_, held) in all.iter().filter(others) {
            count += 1;
            bytes = bytes.saturating_add(held.bytes);
        }
        // They come newest first.
        let older = all
            .iter()
            .rev()
            .filter(|(of, held)| *of == requirement && held.version < coming.version);
        let mut gone = Vec::new();
        for (_, held) in older {
            if count <= PICTURES_MAX && bytes <= PICTURES_BYTES_MAX {
                break;
            }
            self.remove_file(requirement, held.version)?;
            self.remove(Room::Pictures, &key(requirement, held.version));
            gone.push(held.version);
            count -= 1;
            bytes = bytes.saturating_sub(held.bytes);
        }
        if count <= PICTURES_MAX && bytes <= PICTURES_BYTES_MAX {
            return Ok(gone);
        }
        let detail = format!(
            "{PICTURES_MAX} pictures and {PICTURES_BYTES_MAX} bytes are the most that is kept"
        );
        Err(Invalid::new(Reason::LimitExceeded, "pictures", detail))
    }

    fn remove_file(&mut self, requirement: RequirementId, version: u32) -> Result<(), Invalid> {
        for block in self.store().scan(Room::Files, &key(requirement, version)) {
            self.remove(Room::Files, &block?.0);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use accord_proto::{
        clock::{SystemEntropy, Timestamp},
        identity::Identity,
        journal::{Act, Entry},
    };

    use super::*;

    const OWNER: &str = "spiffe://wb6.example/AL/node/al-police/node";
    const FIRST: &str = "01a20b74-b718-7a08-a333-9c5c982785a0";
    const SECOND: &str = "01a20b74-b718-7a08-a333-9c5c982785a1";

    fn store() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), OWNER, 0, &SystemEntropy).unwrap();
        (dir, store)
    }

    fn id(text: &str) -> RequirementId {
        RequirementId::parse("", text).unwrap()
    }

    fn line(version: u32, file: &[u8]) -> Delivered {
        let evidence = Digest::of(file).0.to_vec();
        Delivered { version, evidence, bytes: file.len() as u64, ..Delivered::default() }
    }

    fn entry() -> Entry {
        Entry {
            at: Timestamp::parse("now", "2026-11-24").unwrap(),
            act: Act::Collection,
            by: Identity::parse(OWNER).unwrap(),
            to: String::new(),
            why: "test".to_owned(),
            subject: "test".to_owned(),
            digest: Digest::of(b""),
        }
    }

    fn keep(store: &Store, of: &str, version: u32, file: &[u8]) -> Result<Vec<u32>, Invalid> {
        let mut change = store.begin().unwrap();
        let gone = change.keep_picture(id(of), &line(version, file), file)?;
        change.commit(entry()).unwrap();
        Ok(gone)
    }

    #[test]
    fn a_file_comes_back_as_it_was_and_a_shorter_one_takes_its_place_whole() {
        let (_dir, store) = store();
        let long: Vec<u8> = (0..=250).cycle().take(3 * PICTURE_BLOCK_BYTES + 1).collect();
        keep(&store, FIRST, 1, &long).unwrap();
        assert_eq!(store.picture_file(id(FIRST), 1).unwrap(), (line(1, &long), long));
        keep(&store, FIRST, 1, b"short").unwrap();
        assert_eq!(store.picture_file(id(FIRST), 1).unwrap().1, b"short");
        assert_eq!(store.scan(Room::Files, &[]).count(), 1);
        assert_eq!(store.delivered(id(SECOND), None).unwrap(), None);
        assert_eq!(store.picture_file(id(FIRST), 2).unwrap_err().reason, Reason::NotFound);
    }

    #[test]
    fn older_versions_make_room_and_the_newest_of_a_requirement_never_does() {
        let (_dir, store) = store();
        let mut change = store.begin().unwrap();
        (1..=998).for_each(|version| change.note_picture(id(FIRST), &line(version, b"")));
        change.note_picture(id(SECOND), &line(1, b""));
        change.commit(entry()).unwrap();
        assert_eq!(keep(&store, FIRST, 999, b"a").unwrap(), [0; 0]);
        assert_eq!(keep(&store, FIRST, 1_000, b"b").unwrap(), [1]);
        assert_eq!(store.delivered(id(FIRST), Some(1)).unwrap(), None);
        assert_eq!(keep(&store, FIRST, 1_000, b"b, and a notice").unwrap(), [0; 0]);
        assert_eq!(keep(&store, SECOND, 2, b"c").unwrap(), [1]);
        // Nothing of its own is older: nobody else's picture goes for it.
        let other = "01a20b74-b718-7a08-a333-9c5c982785a2";
        assert_eq!(keep(&store, other, 1, b"d").unwrap_err().reason, Reason::LimitExceeded);
        let newest = store.all_delivered(None, 2).unwrap();
        let newest: Vec<_> = newest.into_iter().map(|(of, held)| (of, held.version)).collect();
        assert_eq!(newest, [(id(SECOND), 2), (id(FIRST), 1_000)]);
    }
}
