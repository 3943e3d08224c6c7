//! The store. The only module that names sled. Comes in: what was accepted, released, consented.
//! Goes out: the same, after any crash.
//!
//! Every change is one transaction that carries its journal entry, and is acknowledged only when it
//! would survive a power cut ([`accord_proto::durable`]). If the journal cannot be written, nothing is.
//! Records of an import lie in blocks that count only once the import itself is committed. What lies there is
//! summed up (`contents`), and the newest acknowledged state stands in a file beside it (`witness`): a
//! store that lost something, or was put back, does not open. Where there is a key, all of it lies sealed (`kept`).
//!
//! ```text
//! DATA/store   sled's files        DATA/head   the witness
//! ```

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use accord_proto::{
    at_rest::KeyId,
    durable::Durable,
    id::RequirementId,
    journal::Tree,
    reason::{Invalid, Reason},
    seal::Digest,
    taxonomy::{JurisdictionCode, Lists},
};

use crate::{freeze::Edition, record::Record};

mod backup;
mod block;
mod change;
mod contents;
mod found;
mod grants;
mod head;
mod inbox;
mod journal;
mod kept;
mod ledger;
mod maintenance;
mod mappings;
mod migrate;
mod offers;
mod open;
mod pictures;
mod products;
mod receipts;
mod rekey;
mod restore;
mod retention;
mod schema;
mod shown;
mod snapshot;
mod standing;
mod summaries;
mod verify;
mod witness;

pub use backup::BACKUPS;
pub use change::Change;
pub use head::Head;
pub use journal::PeerJournal;
pub use migrate::kept_beside;
pub use open::{Found, Opener};
pub use pictures::Delivered;
pub use products::{Line, Second};
pub use rekey::rekey;
pub use restore::{Restored, check, restore};
pub use schema::{ImportSummary, QuarantinedRow, Released};
pub use snapshot::Snapshot;
pub use standing::Told;

use contents::Contents;
use kept::{Kept, Pair};
use witness::State;

/// Directive for a log filter: the database would log what lies in it.
pub const LOG_NOTHING: &str = "sled";

/// Rooms of the store. Keys are ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Room {
    /// Format version, whose store this is, its salt, counters, the journal's head.
    Meta,
    /// Import number and block number → records.
    Blocks,
    /// Import number → summary; only these imports count.
    Imports,
    /// Import number and block number → quarantined rows.
    Quarantine,
    /// Number → edition, in the order of freezing.
    Editions,
    /// Edition number, class and block number → figures; only those of committed editions count.
    Cells,
    /// Edition number, class and block number → what tiers may be shown; only those of committed editions count.
    Shown,
    /// Edition number and block number → cells of its bulletins; only those of committed editions count.
    Tables,
    /// Indicator and period → who signed which bulletin.
    Signed,
    /// Name → mapping that is kept.
    Mappings,
    /// Grant id and version → grant.
    Grants,
    /// Requirement id → what was released for it.
    Answers,
    /// Sequence → entry.
    Journal,
    /// Summary id and version → what it says, and what was done with it.
    Summaries,
    /// Sequence → charge of the privacy ledger.
    Ledger,
    /// Service → where its journal stood; and what this node's own was said to have been.
    Peers,
    /// Requirement id and digest of a table → the last notice of its standing, and what is held of it elsewhere.
    Standing,
    /// Requirement id → requirement, and what was done with it.
    Inbox,
    /// Sequence of its journal entry → who took the right to act alone.
    Glass,
    /// Number of the seal → what was released under it.
    Receipts,
    /// Requirement id and version → a picture that was delivered.
    Pictures,
    /// Requirement id, version and block number → the file that it came in.
    Files,
    /// Product id → its line in a list.
    Products,
    /// Product id and number → step, and who took it, if it is this node's own.
    Steps,
    /// Version → roster that steps name, as it was signed.
    Rosters,
    /// Product id and digest → a word of this node.
    Words,
    /// Product id → a step that was delivered under a number that another one has, and the roster that it names, as they were signed.
    Seconds,
}

impl Room {
    const NAMES: [&'static str; 27] = [
        "meta",
        "blocks",
        "imports",
        "quarantine",
        "editions",
        "cells",
        "shown",
        "tables",
        "signed",
        "mappings",
        "grants",
        "answers",
        "journal",
        "summaries",
        "ledger",
        "peers",
        "standing",
        "inbox",
        "glass",
        "receipts",
        "pictures",
        "files",
        "products",
        "steps",
        "rosters",
        "words",
        "seconds",
    ];

    const ALL: [Self; 27] = [
        Self::Meta,
        Self::Blocks,
        Self::Imports,
        Self::Quarantine,
        Self::Editions,
        Self::Cells,
        Self::Shown,
        Self::Tables,
        Self::Signed,
        Self::Mappings,
        Self::Grants,
        Self::Answers,
        Self::Journal,
        Self::Summaries,
        Self::Ledger,
        Self::Peers,
        Self::Standing,
        Self::Inbox,
        Self::Glass,
        Self::Receipts,
        Self::Pictures,
        Self::Files,
        Self::Products,
        Self::Steps,
        Self::Rosters,
        Self::Words,
        Self::Seconds,
    ];

    fn at(self) -> usize {
        self as usize
    }

    /// Do its keys say more than numbers, times and digests? Then they are hidden where values are sealed. None of these rooms is read
    /// in the order of its keys.
    fn hides_names(self) -> bool {
        matches!(self, Self::Mappings | Self::Signed | Self::Peers)
    }

    fn name(self) -> &'static str {
        Self::NAMES[self.at()]
    }
}

/// The store of one node.
pub struct Store {
    path: PathBuf,
    free_bytes_min: u64,
    rooms: Vec<Kept>,
    salt: [u8; 32],
    pseudonyms: [u8; 32],
    durable: Durable,
    /// What was committed last: the next round of [`Durable`] puts it on record.
    committed: Arc<Mutex<State>>,
    /// What a running backup must still see as it was.
    before: snapshot::Before,
    found: Found,
    /// One writer at a time: the journal has one order.
    head: Mutex<Head>,
    /// What proofs about the journal are cut from; never ahead of what is committed.
    tree: Mutex<Tree>,
}

impl std::fmt::Debug for Store {
    /// Prints no content: sled's own would print every figure.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({})", self.path.display())
    }
}

impl Store {
    /// In which state the store was found.
    pub fn found(&self) -> Found {
        self.found
    }

    /// See [`Durable::by_whoever_waits`].
    pub fn settle_by_whoever_waits(&mut self) {
        self.durable.by_whoever_waits();
    }

    /// Bytes that the data folder takes on its disk.
    pub fn bytes(&self) -> Result<u64, Invalid> {
        accord_proto::durable::bytes_of(&self.path).map_err(|error| failed(&error))
    }

    /// Is there room enough on its disk to answer?
    pub fn has_room(&self) -> Result<(), Invalid> {
        self.check_space(self.free_bytes_min.saturating_mul(2))
    }

    /// The key that all of it is sealed with; none: it lies bare on its disk.
    pub fn key(&self) -> Option<KeyId> {
        self.rooms[Room::Meta.at()].keeping().key()
    }

    /// Where it lies.
    pub fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// Begins a change; nobody else writes until it is committed or dropped.
    pub fn begin(&self) -> Result<Change<'_>, Invalid> {
        self.begin_above(self.free_bytes_min)
    }

    /// The same for an answer, with twice the reserve: whoever asks again and again fills the journal, and must
    /// not take away the room that withdrawing a consent needs.
    pub fn begin_release(&self) -> Result<Change<'_>, Invalid> {
        self.begin_above(self.free_bytes_min.saturating_mul(2))
    }

    /// The same for whoever takes something back or out, with half of the reserve: a disk that imports have
    /// filled must not keep a consent in force.
    pub fn begin_taking_back(&self) -> Result<Change<'_>, Invalid> {
        self.begin_above(self.free_bytes_min / 2)
    }

    fn begin_above(&self, free_bytes_min: u64) -> Result<Change<'_>, Invalid> {
        self.check_space(free_bytes_min)?;
        let head = self.head.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Change::new(self, head, free_bytes_min))
    }

    /// Secret of this store: digests that leave are made with it, so that nobody can guess what they are of.
    pub fn salt(&self) -> &[u8; 32] {
        &self.salt
    }

    /// Secret that stands behind the pseudonyms of units and sources.
    pub fn pseudonym_secret(&self) -> &[u8; 32] {
        &self.pseudonyms
    }

    /// Resolves when every change committed before this call is durable.
    pub async fn settled(&self) -> Result<(), Invalid> {
        self.durable.settled().await
    }

    /// Where journal and counters stand.
    pub fn head(&self) -> Head {
        self.head.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Is this very file imported already?
    pub fn import_of(&self, digest: &Digest) -> Result<Option<ImportSummary>, Invalid> {
        let same = |import: &ImportSummary| import.counts() && import.digest == digest.0;
        Ok(self.imports()?.into_iter().find(same))
    }

    /// Every committed import, oldest first.
    pub fn imports(&self) -> Result<Vec<ImportSummary>, Invalid> {
        self.scan(Room::Imports, &[]).map(|entry| schema::decode(&entry?.1)).collect()
    }

    /// The import with this number.
    pub fn import(&self, number: u64) -> Result<ImportSummary, Invalid> {
        let stored = self.rooms[Room::Imports.at()].get(number.to_be_bytes())?;
        let stored = stored.ok_or_else(|| {
            Invalid::new(Reason::NotFound, "import", format!("there is no import {number}"))
        })?;
        schema::decode(&stored)
    }

    /// Its refused rows, as far as they are kept.
    pub fn quarantine(&self, number: u64) -> Result<Vec<QuarantinedRow>, Invalid> {
        let mut rows = Vec::new();
        for block in self.scan(Room::Quarantine, &number.to_be_bytes()) {
            rows.extend(schema::decode::<schema::Quarantine>(&block?.1)?.rows);
        }
        Ok(rows)
    }

    /// Every record of every import that counts, oldest import first: a later record of an observation
    /// replaces an earlier one.
    pub fn records(
        &self,
        jurisdiction: JurisdictionCode,
        lists: &Lists,
        take: impl FnMut(&Record),
    ) -> Result<(), Invalid> {
        // Imports are numbered from 1.
        self.records_but(0, jurisdiction, lists, take)
    }

    /// The same without one import.
    pub fn records_but(
        &self,
        number: u64,
        jurisdiction: JurisdictionCode,
        lists: &Lists,
        mut take: impl FnMut(&Record),
    ) -> Result<(), Invalid> {
        let counts = |import: &ImportSummary| import.counts() && import.number != number;
        for import in self.imports()?.into_iter().filter(counts) {
            self.records_of(&import, jurisdiction, lists, &mut take)?;
        }
        Ok(())
    }

    /// Every record of one import; one that is not whole is refused.
    pub fn records_of(
        &self,
        import: &ImportSummary,
        jurisdiction: JurisdictionCode,
        lists: &Lists,
        mut take: impl FnMut(&Record),
    ) -> Result<(), Invalid> {
        let mut rows = 0_u64;
        for block in self.scan(Room::Blocks, &import.number.to_be_bytes()) {
            block::read(&block?.1, jurisdiction, lists, |record| {
                rows += 1;
                take(record);
            })?;
        }
        if rows == import.rows_kept {
            return Ok(());
        }
        let (number, all) = (import.number, import.rows_kept);
        let detail = format!(
            "damaged: import {number} has {rows} of its {all} records; restore it from a backup"
        );
        Err(failed(&detail))
    }

    /// Every edition, in the order of freezing.
    pub fn editions(
        &self,
        jurisdiction: JurisdictionCode,
        lists: &Lists,
        mut take: impl FnMut(Edition),
    ) -> Result<(), Invalid> {
        for stored in self.scan(Room::Editions, &[]) {
            let (number, stored) = stored?;
            let edition: schema::Edition = schema::decode(&stored)?;
            let mut classes = Vec::with_capacity(edition.classes.len());
            for at in 0..edition.classes.len() {
                let mut cells = crate::cube::Cells::new();
                let prefix = [&number[..], &class_key(at)].concat();
                for block in self.scan(Room::Cells, &prefix) {
                    block::read_cells(&block?.1, jurisdiction, lists, &mut cells)?;
                }
                let mut class = edition.drawn_of(at, lists)?;
                for block in self.scan(Room::Shown, &prefix) {
                    shown::read(&block?.1, jurisdiction, lists, |cell, shown| {
                        let drawn = class.entry(cell.indicator).or_default();
                        drawn.cells.insert(cell, shown);
                    })?;
                }
                classes.push((cells, class));
            }
            let mut offers = edition.offers(lists)?;
            for block in self.scan(Room::Tables, &number) {
                offers::read(&block?.1, jurisdiction, lists, &mut offers)?;
            }
            take(edition.read(classes, offers, lists)?);
        }
        Ok(())
    }

    /// What was released for a requirement.
    pub fn released(&self, requirement: RequirementId) -> Result<Option<Released>, Invalid> {
        let room = &self.rooms[Room::Answers.at()];
        let stored = room.get(requirement.as_bytes())?;
        stored.map(|bytes| schema::decode(&bytes)).transpose()
    }

    /// How many requirements were answered.
    pub fn answers(&self) -> u64 {
        self.rooms[Room::Answers.at()].len() as u64
    }

    fn scan(
        &self,
        room: Room,
        prefix: &[u8],
    ) -> impl Iterator<Item = Result<Pair, Invalid>> + use<> {
        self.rooms[room.at()].scan(prefix)
    }

    /// A full disk poisons sled, reads included: stop well before.
    fn check_space(&self, free_bytes_min: u64) -> Result<(), Invalid> {
        let disk = rustix::fs::statvfs(&self.path).map_err(|error| failed(&error))?;
        let free_bytes = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free_bytes >= free_bytes_min {
            return Ok(());
        }
        let detail = format!(
            "{free_bytes} bytes free where {} are kept in reserve; make room on the disk of {}",
            free_bytes_min,
            self.path.display()
        );
        Err(Invalid::new(Reason::StoreFull, "store", detail))
    }
}

/// Place of a release class within its edition.
fn class_key(at: usize) -> [u8; 4] {
    u32::try_from(at).unwrap_or(u32::MAX).to_be_bytes()
}

fn failed(error: &dyn std::fmt::Display) -> Invalid {
    Invalid::new(Reason::StoreFailed, "store", error.to_string())
}

#[cfg(test)]
mod tests;
