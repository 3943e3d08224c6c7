//! The archive. The only module that names sled. Comes in: requirements, what was seen of members,
//! pictures, who contributed to what was pooled. Goes out: the same, after any crash. Must never hold a member's figure: of an answer it keeps
//! the seal, and the table without every cell that is not public; the node is the archive of its own answer.
//!
//! Every change is one transaction with its journal entry, durable before it is acknowledged.

use std::{
    ops::Bound,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use accord_proto::{
    at_rest::KeyId,
    backup::moment::Before,
    clock::Timestamp,
    durable::{self, Durable},
    id::RequirementId,
    identity::Identity,
    journal::{Act, Entry, Frontier, Qualified, Tree, leaf},
    question::SignedRequirement,
    reason::{Invalid, Reason},
    seal::Digest,
    transport::Peer,
    wire::{self, region},
};
use prost::Message as _;
use sled::transaction::{ConflictableTransactionError, TransactionError, Transactional as _};

use crate::picture::Picture;
use kept::{Kept, Pair};

mod journal;
mod notices;
mod evidence;
mod deliveries;
mod pooled;
mod collections;
mod rankings;
mod products;
mod opening;
mod backup;
mod restore;
mod doubt;
mod kept;
mod rekey;
mod maintenance;

pub use backup::{BACKUPS, Snapshot};
pub use deliveries::Arrived;
pub use journal::KnownJournal;
pub use notices::SignedNotice;
pub use opening::Opener;
pub use pooled::Publication;
pub(crate) use pooled::{atom_of_wire, atom_to_wire, cell_key};
pub use rankings::{KeptRanking, Picked};
pub use rekey::rekey;
pub use restore::{Restored, check, restore};

/// Version of the schema on disk, as an archive says it before its owner. Another one is refused, not guessed at.
pub const FORMAT: &str = "accord-coordinator 1";

/// Rooms of the archive. Keys are ordered by time.
#[derive(Clone, Copy, Debug)]
enum Room {
    /// Format version, owner, roster version, journal head, whether it is in doubt.
    Meta,
    /// Requirement id → envelope.
    Requirements,
    /// Requirement id and node name → what was accepted: digest, consent epoch, sequence.
    Tables,
    /// Requirement id and version → picture.
    Pictures,
    /// Requirement id and version → its line in a list.
    Versions,
    /// Sequence → entry.
    Journal,
    /// Indicator, crime area, period and categories → who contributed to the cell whenever it was pooled, and from which
    /// editions.
    Pooled,
    /// Number of a picture's entry in the journal, and a cell → what is remembered of it from then on.
    PooledLog,
    /// Requirement id, node name and digest of a table → what the node says of it since.
    Notices,
    /// Requirement id → cancellation.
    Cancelled,
    /// Node name → where its journal stood.
    Heads,
    /// Node name → its seal with the highest number: number and digest.
    Seals,
    /// Requirement id and table digest → the table without the cells that may not be kept.
    Evidence,
    /// Version → roster, as it was signed.
    Rosters,
    /// Requirement id, version and node name → the node's receipt for the picture.
    Deliveries,
    /// Requirement id → where every member stands in its collection.
    Collections,
    /// Digest of its order → ranking.
    Rankings,
    /// Product id → its line in a list.
    Products,
    /// Product id and number → step, and who took it.
    Steps,
    /// Product id, node name and digest → a member's word; or an observer's comment.
    Words,
    /// Product id and node name → the node's receipt for the product.
    Receipts,
}

impl Room {
    const NAMES: [&'static str; 21] = [
        "meta",
        "requirements",
        "tables",
        "pictures",
        "versions",
        "journal",
        "pooled",
        "pooled_log",
        "notices",
        "cancelled",
        "heads",
        "seals",
        "evidence",
        "rosters",
        "deliveries",
        "collections",
        "rankings",
        "products",
        "steps",
        "words",
        "receipts",
    ];
}

type Writes = Vec<(Room, Vec<u8>, Vec<u8>)>;

/// A picture with its version.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Drawn {
    /// 1 for the first.
    #[prost(uint32, tag = "1")]
    pub version: u32,
    /// When it was drawn first.
    #[prost(int64, tag = "2")]
    pub drawn_at_s: i64,
    /// As it was signed.
    #[prost(message, optional, tag = "3")]
    pub envelope: Option<wire::Envelope>,
    /// Version of the roster that its members and keys stand in; 0 in pictures that were drawn before this was kept.
    #[prost(uint64, tag = "4")]
    pub roster_version: u64,
    /// Number of its entry in the journal.
    #[prost(uint64, tag = "5")]
    pub sequence: u64,
    /// The archive was in doubt: only public figures were shown.
    #[prost(bool, tag = "6")]
    pub in_doubt: bool,
}

/// What the log never says: the database would print what it holds.
pub const LOG_NOTHING: &str = "sled";

/// The archive of one coordinator.
#[derive(Debug)]
pub struct Archive {
    path: PathBuf,
    free_bytes_min: u64,
    rooms: Vec<Kept>,
    durable: Durable,
    /// What a running backup must still see as it was, by room and key.
    before: Before<usize>,
    /// One writer at a time: the journal has one order.
    journal: Mutex<Frontier>,
    /// What proofs about the journal are cut from; never ahead of what is committed.
    tree: Mutex<Tree>,
}

impl Archive {
    /// Is there an archive?
    pub fn is_there(path: &Path) -> bool {
        path.join("db").exists() || rekey::under_way(path)
    }

    /// Was a rekeying cut off that only has to be ended? Whoever opens the archive ends it.
    pub fn is_being_rekeyed(path: &Path) -> bool {
        rekey::under_way(path)
    }

    /// See [`Durable::by_whoever_waits`].
    pub fn settle_by_whoever_waits(&mut self) {
        self.durable.by_whoever_waits();
    }

    /// The highest roster version relied on.
    pub fn roster_version(&self) -> Result<u64, Invalid> {
        let stored = self.rooms[Room::Meta as usize].get("roster")?;
        Ok(stored.and_then(|bytes| bytes.as_ref().try_into().ok()).map_or(0, u64::from_be_bytes))
    }

    /// Remembers a roster, so that an older one is never relied on again.
    pub async fn rely_on_roster(
        &self,
        (version, envelope): (u64, &wire::Envelope),
        by: &Identity,
        now: Timestamp,
    ) -> Result<(), Invalid> {
        let writes = vec![
            (Room::Meta, b"roster".to_vec(), version.to_be_bytes().to_vec()),
            (Room::Rosters, version.to_be_bytes().to_vec(), envelope.encode_to_vec()),
        ];
        let entry = Entry {
            at: now,
            act: Act::Alteration,
            by: by.clone(),
            to: String::new(),
            why: "roster".to_owned(),
            subject: format!("version {version}"),
            digest: Digest::of(&version.to_be_bytes()),
        };
        self.commit(self.writer(), writes, entry)?;
        self.durable.settled().await
    }

    /// Takes in a requirement. The same one twice is one; another one with its id is refused.
    pub async fn issue(
        &self,
        by: &Peer,
        asked: &SignedRequirement,
        now: Timestamp,
    ) -> Result<(), Invalid> {
        self.take_in(by, asked, now)?;
        self.durable.settled().await
    }

    fn take_in(&self, by: &Peer, asked: &SignedRequirement, now: Timestamp) -> Result<(), Invalid> {
        let id = asked.requirement().id;
        let writer = self.writer();
        match self.requirement(id) {
            Ok(known) if known == *asked.envelope() => return Ok(()),
            Ok(_) => {
                let detail = "another requirement with this id was taken in before";
                return Err(Invalid::new(Reason::RequirementConflict, "requirement", detail));
            }
            Err(error) if error.reason == Reason::NotFound => {}
            Err(error) => return Err(error),
        }
        let write = (Room::Requirements, id.as_bytes().to_vec(), asked.envelope().encode_to_vec());
        self.commit(
            writer,
            vec![write],
            entry(by, asked, now, Act::Alteration, "issue", asked.digest()),
        )
    }

    /// A requirement, as it was signed.
    pub fn requirement(&self, id: RequirementId) -> Result<wire::Envelope, Invalid> {
        let stored = self.rooms[Room::Requirements as usize].get(id.as_bytes())?;
        let stored = stored.ok_or_else(|| {
            Invalid::new(Reason::NotFound, "requirement", format!("there is no requirement {id}"))
        })?;
        wire::Envelope::decode(stored.as_ref()).map_err(failed)
    }

    /// Requirements, newest first, that are older than `before`.
    pub fn requirements(
        &self,
        before: Option<RequirementId>,
        most: usize,
    ) -> Result<Vec<(RequirementId, wire::Envelope)>, Invalid> {
        let room = &self.rooms[Room::Requirements as usize];
        let end = before.map_or(Bound::Unbounded, |id| Bound::Excluded(*id.as_bytes()));
        let decode = |entry: Result<Pair, Invalid>| {
            let (key, bytes) = entry?;
            let id = RequirementId::from_bytes("archive.requirement", &key)?;
            Ok((id, wire::Envelope::decode(bytes.as_ref()).map_err(failed)?))
        };
        room.range((Bound::Unbounded, end)).rev().take(most).map(decode).collect()
    }

    /// Keeps a picture: a new version if it says anything new, otherwise the version that says the same.
    fn add_version(
        &self,
        writer: MutexGuard<'_, Frontier>,
        by: &Peer,
        asked: &SignedRequirement,
        picture: &Picture,
        mut writes: Writes,
        now: Timestamp,
    ) -> Result<Drawn, Invalid> {
        let id = asked.requirement().id;
        let newest = match self.picture(id, None) {
            Ok(newest) => Some(newest),
            Err(error) if error.reason == Reason::NotFound => None,
            Err(error) => return Err(error),
        };
        let payload = &picture.envelope().payload;
        let same =
            |drawn: &Drawn| drawn.envelope.as_ref().is_some_and(|known| known.payload == *payload);
        if let Some(newest) = newest.as_ref().filter(|drawn| same(drawn)) {
            return Ok(newest.clone());
        }
        let drawn = Drawn {
            version: newest.map_or(0, |drawn| drawn.version).saturating_add(1),
            drawn_at_s: now.as_s(),
            envelope: Some(picture.envelope().clone()),
            roster_version: self.roster_version()?,
            sequence: writer.size(),
            in_doubt: self.in_doubt()?,
        };
        let coverage = picture.coverage();
        let question = &asked.requirement().question;
        let line = region::PictureEntry {
            requirement: id.to_string(),
            version: drawn.version,
            drawn_at_s: drawn.drawn_at_s,
            members: coverage.members,
            answered: coverage.answered,
            audience: asked.requirement().audience.to_string(),
            indicators: question.indicators(),
            periods: question.periods(),
            notices: 0,
            superseded: false,
        };
        let key = picture_key(id, drawn.version);
        writes.push((Room::Pictures, key.clone(), drawn.encode_to_vec()));
        writes.push((Room::Versions, key, line.encode_to_vec()));
        let digest = Digest::of(payload);
        self.commit(writer, writes, entry(by, asked, now, Act::Combination, "picture", digest))?;
        Ok(drawn)
    }

    /// A picture; the newest if no version is named.
    pub fn picture(
        &self,
        requirement: RequirementId,
        version: Option<u32>,
    ) -> Result<Drawn, Invalid> {
        let missing = || {
            let detail = format!("there is no such picture of {requirement}");
            Invalid::new(Reason::NotFound, "picture", detail)
        };
        let version = match version {
            Some(version) => version,
            None => self.newest_version(requirement)?.ok_or_else(missing)?,
        };
        let key = picture_key(requirement, version);
        let stored = self.rooms[Room::Pictures as usize].get(key)?;
        Drawn::decode(stored.ok_or_else(missing)?.as_ref()).map_err(failed)
    }

    /// The newest version of a requirement's pictures.
    pub fn newest_version(&self, requirement: RequirementId) -> Result<Option<u32>, Invalid> {
        let versions = &self.rooms[Room::Versions as usize];
        let newest = versions.scan(requirement.as_bytes()).next_back().transpose()?;
        newest
            .map(|(_, line)| {
                Ok(region::PictureEntry::decode(line.as_ref()).map_err(failed)?.version)
            })
            .transpose()
    }

    /// Versions of pictures, newest requirement first, that stand before `before`.
    pub fn pictures(
        &self,
        before: Option<(RequirementId, u32)>,
        most: usize,
    ) -> Result<Vec<region::PictureEntry>, Invalid> {
        let room = &self.rooms[Room::Versions as usize];
        let end = before.map_or(Bound::Unbounded, |(requirement, version)| {
            Bound::Excluded(picture_key(requirement, version))
        });
        let decode = |entry: Result<Pair, Invalid>| {
            region::PictureEntry::decode(entry?.1.as_ref()).map_err(failed)
        };
        room.range((Bound::Unbounded, end)).rev().take(most).map(decode).collect()
    }

    /// Is there more room on its disk than is kept in reserve?
    pub fn has_room(&self) -> Result<(), Invalid> {
        self.check_room()
    }

    /// The key that all of it is sealed with; none: it lies bare on its disk.
    pub fn key(&self) -> Option<KeyId> {
        self.rooms[Room::Meta as usize].keeping().key()
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes that the archive takes on its disk.
    pub fn bytes(&self) -> std::io::Result<u64> {
        durable::bytes_of(&self.path)
    }

    /// Resolves when everything committed before this call is durable.
    pub async fn settled(&self) -> Result<(), Invalid> {
        self.durable.settled().await
    }

    /// Nobody else writes while this is held: what is read under it is still so when it is written.
    fn writer(&self) -> MutexGuard<'_, Frontier> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn commit(
        &self,
        mut journal: MutexGuard<'_, Frontier>,
        mut writes: Writes,
        entry: impl Into<Qualified>,
    ) -> Result<(), Invalid> {
        self.check_room()?;
        let mut next = journal.clone();
        let entry = entry.into().encode(&journal);
        next.append(&entry);
        let leaf = leaf(&entry);
        writes.push((Room::Journal, journal.size().to_be_bytes().to_vec(), entry));
        writes.push((Room::Meta, b"journal".to_vec(), next.to_bytes()));
        self.write_all(&writes)?;
        self.tree.lock().unwrap_or_else(PoisonError::into_inner).append(leaf);
        *journal = next;
        Ok(())
    }

    /// One transaction.
    fn write_all(&self, writes: &Writes) -> Result<(), Invalid> {
        // Sealed once, however often the transaction is tried.
        let laid = writes.iter().map(|(room, key, value)| {
            let kept = &self.rooms[*room as usize];
            Ok((*room as usize, key, kept.at(key)?, kept.sealed(key, value)?))
        });
        let laid = laid.collect::<Result<Vec<_>, Invalid>>()?;
        if self.before.is_wanted() {
            // A running backup is told first what was there before.
            for (room, key, at, _) in &laid {
                let held = self.rooms[*room].get(key)?;
                self.before.note(*room, at, held.as_deref());
            }
        }
        let trees: Vec<_> = self.rooms.iter().map(Kept::tree).cloned().collect();
        let written = trees.transaction(|trees| {
            for (room, _, at, value) in &laid {
                trees[*room].insert(at.clone(), value.clone())?;
            }
            Ok::<(), ConflictableTransactionError<()>>(())
        });
        written.map_err(|error: TransactionError<()>| failed(format!("{error:?}")))
    }

    /// A disk that runs full poisons the store: below so much nothing is written.
    fn check_room(&self) -> Result<(), Invalid> {
        self.check_room_for(0)
    }

    /// The same, with so many bytes more.
    fn check_room_for(&self, bytes: u64) -> Result<(), Invalid> {
        let disk = rustix::fs::statvfs(&self.path).map_err(failed)?;
        let least = self.free_bytes_min.saturating_add(bytes);
        if disk.f_bavail.saturating_mul(disk.f_frsize) < least {
            let detail =
                format!("less than {least} bytes free on the disk of {}", self.path.display());
            return Err(Invalid::new(Reason::StoreFull, "archive", detail));
        }
        Ok(())
    }
}

fn picture_key(requirement: RequirementId, version: u32) -> Vec<u8> {
    [&requirement.as_bytes()[..], &version.to_be_bytes()].concat()
}

fn entry(
    by: &Peer,
    asked: &SignedRequirement,
    now: Timestamp,
    act: Act,
    why: &str,
    digest: Digest,
) -> Entry {
    let requirement = asked.requirement();
    Entry {
        at: now,
        act,
        by: by.identity.clone(),
        to: format!("{} for {}", requirement.audience, requirement.authority),
        why: format!("{why}: {}; {}", requirement.purpose, requirement.legal_basis),
        subject: requirement.id.to_string(),
        digest,
    }
}

fn failed(error: impl std::fmt::Display) -> Invalid {
    Invalid::new(Reason::StoreFailed, "archive", error.to_string())
}
