//! The store. The only module that names sled. Comes in: what was accepted, released, consented.
//! Goes out: the same, after any crash.
//!
//! Every change is one transaction that carries its journal entry, and is acknowledged only when it
//! would survive a power cut ([`accord_proto::durable`]). If the journal cannot be written, nothing is.
//! Records of an import lie in blocks that count only once the import itself is committed.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use accord_proto::{
    clock::Entropy,
    durable::Durable,
    id::{GrantId, RequirementId},
    journal::{Entry, Frontier},
    reason::{Invalid, Reason},
    seal::Digest,
    taxonomy::{JurisdictionCode, Lists},
};
use prost::Message as _;
use sled::transaction::{ConflictableTransactionError, Transactional as _};

use crate::{consent::Grant, freeze::Edition, ingest::Quarantined, record::Record};

mod schema;

pub use schema::{ImportSummary, Released};

/// Records in one value: few large values instead of many small keys.
const BLOCK_RECORDS: usize = 1_024;

/// Rooms of the store. Keys are ordered by time.
#[derive(Clone, Copy, Debug)]
enum Room {
    /// Format version, whose store this is, counters, the journal's head.
    Meta,
    /// Import number and block number → records.
    Blocks,
    /// Import number → summary; only these imports count.
    Imports,
    /// Import number → quarantined rows.
    Quarantine,
    /// Number → edition, in the order of freezing.
    Editions,
    /// Grant id → grant.
    Grants,
    /// Requirement id → what was released for it.
    Answers,
    /// Sequence → entry.
    Journal,
}

impl Room {
    const NAMES: [&'static str; 8] =
        ["meta", "blocks", "imports", "quarantine", "editions", "grants", "answers", "journal"];

    fn at(self) -> usize {
        self as usize
    }
}

/// The store of one node.
pub struct Store {
    path: PathBuf,
    free_bytes_min: u64,
    rooms: Vec<sled::Tree>,
    salt: [u8; 32],
    durable: Durable,
    /// One writer at a time: the journal has one order.
    head: Mutex<Head>,
}

/// What the next write continues.
#[derive(Clone, Debug)]
pub struct Head {
    journal: Frontier,
    counters: schema::Counters,
}

impl Head {
    /// The journal so far.
    pub fn journal(&self) -> &Frontier {
        &self.journal
    }

    /// Raised by every change of consent.
    pub fn consent_epoch(&self) -> u64 {
        self.counters.consent_epoch
    }

    /// Digest of the policy relied on last.
    pub fn policy(&self) -> &[u8] {
        &self.counters.policy
    }

    /// The highest roster version relied on.
    pub fn roster_version(&self) -> u64 {
        self.counters.roster_version
    }
}

impl std::fmt::Debug for Store {
    /// Prints no content: sled's own would print every figure.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({})", self.path.display())
    }
}

impl std::fmt::Debug for Change<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Change({} writes)", self.writes.len())
    }
}

impl Store {
    /// Opens or creates. `owner` is the node's identity: a store never changes hands by accident.
    pub fn open(
        path: &Path,
        owner: &str,
        free_bytes_min: u64,
        entropy: &dyn Entropy,
    ) -> Result<Self, Invalid> {
        let db = sled::Config::new()
            .path(path)
            // sled's own timer would flush beside us and acknowledge nothing by it.
            .flush_every_ms(None)
            .cache_capacity(64 * 1024 * 1024)
            .open()
            .map_err(|error| failed(&error))?;
        let rooms: Result<Vec<_>, _> = Room::NAMES.iter().map(|name| db.open_tree(name)).collect();
        let rooms = rooms.map_err(|error| failed(&error))?;
        let meta = &rooms[Room::Meta.at()];
        let read = |key: &str| meta.get(key).map_err(|error| failed(&error));
        let head = match read(schema::FORMAT_KEY)? {
            Some(format) => {
                schema::check_format(&format)?;
                schema::check_owner(&read(schema::OWNER_KEY)?.unwrap_or_default(), owner)?;
                Head {
                    journal: Frontier::from_bytes(&read(schema::JOURNAL_KEY)?.unwrap_or_default())?,
                    counters: schema::decode(&read(schema::COUNTERS_KEY)?.unwrap_or_default())?,
                }
            }
            None => {
                let mut batch = sled::Batch::default();
                batch.insert(schema::FORMAT_KEY, schema::FORMAT);
                batch.insert(schema::OWNER_KEY, owner);
                let mut salt = [0; 32];
                entropy.fill(&mut salt)?;
                batch.insert(schema::SALT_KEY, &salt);
                batch.insert(schema::JOURNAL_KEY, Frontier::default().to_bytes());
                meta.apply_batch(batch).map_err(|error| failed(&error))?;
                Head { journal: Frontier::default(), counters: schema::Counters::default() }
            }
        };
        let salt = read(schema::SALT_KEY)?.and_then(|salt| salt.as_ref().try_into().ok());
        let salt = salt.ok_or_else(|| failed(&"its salt is damaged"))?;
        let flush = move || db.flush().map(drop).map_err(|error| error.to_string());
        let durable = Durable::start(path.to_owned(), flush)?;
        Ok(Self {
            path: path.to_owned(),
            free_bytes_min,
            rooms,
            salt,
            durable,
            head: Mutex::new(head),
        })
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

    fn begin_above(&self, free_bytes_min: u64) -> Result<Change<'_>, Invalid> {
        self.check_space(free_bytes_min)?;
        let head = self.head.lock().unwrap_or_else(PoisonError::into_inner);
        let next = head.clone();
        Ok(Change { store: self, head, next, writes: Vec::new() })
    }

    /// Secret of this store: digests that leave are made with it, so that nobody can guess what they are of.
    pub fn salt(&self) -> &[u8; 32] {
        &self.salt
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
        Ok(self.imports()?.into_iter().find(|import| import.digest == digest.0))
    }

    /// Every committed import, oldest first.
    pub fn imports(&self) -> Result<Vec<ImportSummary>, Invalid> {
        self.scan(Room::Imports, &[]).map(|entry| schema::decode(&entry?.1)).collect()
    }

    /// Every committed record, oldest import first.
    pub fn records(
        &self,
        jurisdiction: JurisdictionCode,
        lists: &Lists,
    ) -> Result<Vec<Record>, Invalid> {
        let mut records = Vec::new();
        for import in self.scan(Room::Imports, &[]) {
            for block in self.scan(Room::Blocks, &import?.0) {
                let block: schema::Block = schema::decode(&block?.1)?;
                for row in block.records {
                    records.push(row.read(jurisdiction, lists)?);
                }
            }
        }
        Ok(records)
    }

    /// Every edition, in the order of freezing.
    pub fn editions(
        &self,
        jurisdiction: JurisdictionCode,
        lists: &Lists,
    ) -> Result<Vec<Edition>, Invalid> {
        let editions = self.scan(Room::Editions, &[]);
        editions
            .map(|entry| schema::decode::<schema::Edition>(&entry?.1)?.read(jurisdiction, lists))
            .collect()
    }

    /// Every grant, oldest first.
    pub fn grants(&self, lists: &Lists) -> Result<Vec<Grant>, Invalid> {
        self.scan(Room::Grants, &[])
            .map(|entry| schema::decode::<schema::Grant>(&entry?.1)?.read(lists))
            .collect()
    }

    /// What was released for a requirement.
    pub fn released(&self, requirement: RequirementId) -> Result<Option<Released>, Invalid> {
        let room = &self.rooms[Room::Answers.at()];
        let stored = room.get(requirement.as_bytes()).map_err(|error| failed(&error))?;
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
    ) -> impl Iterator<Item = Result<(sled::IVec, sled::IVec), Invalid>> {
        self.rooms[room.at()].scan_prefix(prefix).map(|entry| entry.map_err(|error| failed(&error)))
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

/// A change under way. Dropped without commit, nothing happened.
pub struct Change<'a> {
    store: &'a Store,
    head: MutexGuard<'a, Head>,
    next: Head,
    writes: Vec<(Room, Vec<u8>, Vec<u8>)>,
}

impl Change<'_> {
    /// The next number of a seal; unused numbers may be left out, none is used twice.
    pub fn next_sequence(&mut self) -> u64 {
        self.next.counters.sequence += 1;
        self.next.counters.sequence
    }

    /// The state of consent that this change rests on.
    pub fn consent_epoch(&self) -> u64 {
        self.next.counters.consent_epoch
    }

    /// Consent changes with this.
    pub fn raise_consent_epoch(&mut self) -> u64 {
        self.next.counters.consent_epoch += 1;
        self.next.counters.consent_epoch
    }

    /// Remembers the policy, so that a change of it is noticed.
    pub fn rely_on_policy(&mut self, policy: Digest) {
        self.next.counters.policy = policy.0.to_vec();
    }

    /// Remembers a roster, so that an older one is never relied on again.
    pub fn rely_on_roster(&mut self, version: u64) {
        self.next.counters.roster_version = version;
    }

    /// All rows of a file, or none. Blocks are written at once, outside the transaction: they count only
    /// once the import's own entry is there, and what a crash leaves behind is overwritten by the next import.
    pub fn import(
        &mut self,
        mut summary: ImportSummary,
        records: &[Record],
        quarantined: &[Quarantined],
    ) -> Result<(), Invalid> {
        self.next.counters.imports += 1;
        let number = self.next.counters.imports.to_be_bytes();
        let blocks = &self.store.rooms[Room::Blocks.at()];
        let stale: Vec<_> =
            blocks.scan_prefix(number).keys().collect::<Result<_, _>>().map_err(|e| failed(&e))?;
        let mut batch = sled::Batch::default();
        stale.into_iter().for_each(|key| batch.remove(key));
        for (at, block) in records.chunks(BLOCK_RECORDS).enumerate() {
            let key = [&number[..], &(at as u64).to_be_bytes()].concat();
            batch.insert(key, schema::Block::write(block).encode_to_vec());
        }
        blocks.apply_batch(batch).map_err(|error| failed(&error))?;
        summary.number = self.next.counters.imports;
        self.write(Room::Imports, &number, summary.encode_to_vec());
        self.write(
            Room::Quarantine,
            &number,
            schema::Quarantine::write(quarantined).encode_to_vec(),
        );
        Ok(())
    }

    /// A new edition.
    pub fn edition(&mut self, edition: &Edition) {
        self.next.counters.editions += 1;
        let number = self.next.counters.editions.to_be_bytes();
        self.write(Room::Editions, &number, schema::Edition::write(edition).encode_to_vec());
    }

    /// A new or changed grant.
    pub fn grant(&mut self, id: GrantId, grant: &Grant) {
        self.write(Room::Grants, id.as_bytes(), schema::Grant::write(grant).encode_to_vec());
    }

    /// What leaves for a requirement.
    pub fn release(&mut self, requirement: RequirementId, released: &Released) {
        self.write(Room::Answers, requirement.as_bytes(), released.encode_to_vec());
    }

    /// One transaction: the act and its journal entry. Durable only after [`Store::settled`].
    pub fn commit(mut self, entry: Entry) -> Result<(), Invalid> {
        let sequence = self.next.journal.size().to_be_bytes();
        let entry = entry.encode(&self.next.journal);
        self.next.journal.append(&entry);
        self.write(Room::Journal, &sequence, entry);
        self.write(Room::Meta, schema::JOURNAL_KEY.as_bytes(), self.next.journal.to_bytes());
        self.write(Room::Meta, schema::COUNTERS_KEY.as_bytes(), self.next.counters.encode_to_vec());
        let rooms: &[sled::Tree] = &self.store.rooms;
        rooms
            .transaction(|rooms| {
                for (room, key, value) in &self.writes {
                    rooms[room.at()].insert(key.as_slice(), value.as_slice())?;
                }
                Ok::<(), ConflictableTransactionError<()>>(())
            })
            .map_err(|error| failed(&format!("{error:?}")))?;
        *self.head = self.next;
        Ok(())
    }

    fn write(&mut self, room: Room, key: &[u8], value: Vec<u8>) {
        self.writes.push((room, key.to_vec(), value));
    }
}

fn failed(error: &dyn std::fmt::Display) -> Invalid {
    Invalid::new(Reason::StoreFailed, "store", error.to_string())
}

#[cfg(test)]
mod tests;
