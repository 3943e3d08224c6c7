//! A change of the store: everything that one act does, with its journal entry, in one transaction. Comes in:
//! what is to be put in or taken out. Goes out: all of it, or nothing. Must never write without the entry.

use std::sync::{MutexGuard, PoisonError};

use accord_proto::{
    id::RequirementId,
    journal::{Qualified, leaf},
    reason::Invalid,
    seal::Digest,
    table::EditionRef,
    taxonomy::Lists,
};
use prost::Message as _;
use sled::{
    IVec,
    transaction::{
        ConflictableTransactionError, TransactionError, Transactional as _, TransactionalTree,
    },
};

use super::{
    Contents, Head, ImportSummary, Kept, Released, Room, Store, block, class_key, failed, offers,
    schema, shown,
};
use crate::{freeze::Edition, ingest::Quarantined, receipt::Receipt, record::Records};

/// A change under way. Dropped without commit, nothing happened.
pub struct Change<'a> {
    store: &'a Store,
    head: MutexGuard<'a, Head>,
    pub(super) next: Head,
    writes: Vec<Write>,
    /// The reserve that it leaves alone.
    free_bytes_min: u64,
}

/// What a key is to hold; none: it is to be gone.
struct Write {
    room: Room,
    key: Vec<u8>,
    value: Option<Vec<u8>>,
}

/// The same, as it will lie on the disk.
struct Laid<'w> {
    of: &'w Write,
    at: IVec,
    value: Option<IVec>,
}

impl std::fmt::Debug for Change<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Change({} writes)", self.writes.len())
    }
}

impl<'a> Change<'a> {
    pub(super) fn new(store: &'a Store, head: MutexGuard<'a, Head>, free_bytes_min: u64) -> Self {
        let next = head.clone();
        Self { store, head, next, writes: Vec::new(), free_bytes_min }
    }

    /// The next number of a seal; unused numbers may be left out, none is used twice.
    pub fn next_sequence(&mut self) -> u64 {
        self.next.counters.sequence += 1;
        self.next.counters.sequence
    }

    /// Digest of the seal made last; none before the first.
    pub fn last_seal(&self) -> Option<Digest> {
        self.next.counters.last_seal.as_slice().try_into().ok().map(Digest)
    }

    /// A seal was made: its receipt is kept, and the next one names it.
    pub fn sealed(&mut self, receipt: &Receipt) {
        self.next.counters.last_seal = receipt.seal.clone();
        self.write(Room::Receipts, &receipt.sequence.to_be_bytes(), receipt.encode_to_vec());
    }

    /// Sequence of the journal entry that this change will be committed with.
    pub fn entry_sequence(&self) -> u64 {
        self.next.journal.size()
    }

    /// Root of the journal before that entry.
    pub fn journal_root(&self) -> Digest {
        self.next.journal.root()
    }

    /// Imports so far.
    pub fn imports(&self) -> u64 {
        self.next.imports()
    }

    /// See [`Head::in_doubt`].
    pub fn in_doubt(&self) -> bool {
        self.next.in_doubt()
    }

    /// When a restore was confirmed last; 0: never.
    pub fn doubt_ended_at_s(&self) -> i64 {
        self.next.counters.doubt_ended_at_s
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

    /// Nothing more of these periods is answered until they are frozen again, and from these editions never.
    pub fn withhold(&mut self, newest: impl IntoIterator<Item = EditionRef>) {
        let schema::Counters { withheld, barred, .. } = &mut self.next.counters;
        for EditionRef { period, number, .. } in newest {
            let period = period.to_string();
            barred.retain(|barred| barred.period != period);
            barred.push(schema::Barred { period: period.clone(), number });
            withheld.push(period);
        }
        withheld.sort_unstable();
        withheld.dedup();
    }

    /// Remembers a roster, so that an older one is never relied on again.
    pub fn rely_on_roster(&mut self, version: u64) {
        self.next.counters.roster_version = version;
    }

    /// All rows of a file, or none. Blocks are written at once, outside the transaction: they count only
    /// once the import's own entry is there, and what a crash leaves behind is removed by the next start.
    pub fn import(
        &mut self,
        mut summary: ImportSummary,
        records: &Records,
        quarantined: &[Quarantined],
        lists: &Lists,
    ) -> Result<(), Invalid> {
        self.next.counters.imports += 1;
        let number = self.next.counters.imports.to_be_bytes();
        self.clear(Room::Blocks, &number)?;
        self.clear(Room::Quarantine, &number)?;
        let put = self.put_blocks(Room::Blocks, &number, block::blocks(records, lists));
        let put = put.and_then(|()| {
            self.put_blocks(Room::Quarantine, &number, schema::Quarantine::blocks(quarantined))
        });
        // A disk that has no room for it keeps nothing of it; what cannot be removed, the next start removes.
        if put.is_err() {
            drop(self.clear(Room::Blocks, &number));
            drop(self.clear(Room::Quarantine, &number));
        }
        put?;
        summary.number = self.next.counters.imports;
        self.write(Room::Imports, &number, summary.encode_to_vec());
        Ok(())
    }

    /// An import counts no more, and its records are gone.
    pub fn undo(&mut self, import: &ImportSummary) -> Result<(), Invalid> {
        let undone = ImportSummary { undone: true, ..import.clone() };
        self.write(Room::Imports, &import.number.to_be_bytes(), undone.encode_to_vec());
        self.remove_blocks(Room::Blocks, import.number)
    }

    /// Takes an import's records or refused rows out of the store.
    pub(super) fn remove_blocks(&mut self, room: Room, import: u64) -> Result<(), Invalid> {
        for block in self.store.scan(room, &import.to_be_bytes()) {
            self.remove(room, &block?.0);
        }
        Ok(())
    }

    /// A new edition. Its figures are written at once, like the blocks of an import.
    pub fn edition(&mut self, edition: &Edition, lists: &Lists) -> Result<(), Invalid> {
        let period = edition.reference.period.to_string();
        self.next.counters.withheld.retain(|withheld| *withheld != period);
        self.next.counters.editions += 1;
        let number = self.next.counters.editions.to_be_bytes();
        self.clear(Room::Cells, &number)?;
        self.clear(Room::Shown, &number)?;
        self.clear(Room::Tables, &number)?;
        for (at, class) in edition.classes.iter().enumerate() {
            let prefix = [&number[..], &class_key(at)].concat();
            let put =
                self.put_blocks(Room::Cells, &prefix, block::cell_blocks(&class.cells, lists));
            let put = put.and_then(|()| {
                let blocks = shown::blocks(class.drawn.values(), lists);
                self.put_blocks(Room::Shown, &prefix, blocks)
            });
            if put.is_err() {
                drop(self.clear(Room::Cells, &number));
                drop(self.clear(Room::Shown, &number));
            }
            put?;
        }
        let put = self.put_blocks(Room::Tables, &number, offers::blocks(&edition.offers, lists));
        if put.is_err() {
            for room in [Room::Cells, Room::Shown, Room::Tables] {
                drop(self.clear(room, &number));
            }
        }
        put?;
        self.write(Room::Editions, &number, schema::Edition::write(edition).encode_to_vec());
        Ok(())
    }

    /// A mapping under a name, in place of the one before.
    pub fn mapping(&mut self, name: &str, text: &str) {
        self.write(Room::Mappings, name.as_bytes(), text.as_bytes().to_vec());
    }

    /// What leaves for a requirement.
    pub fn release(&mut self, requirement: RequirementId, released: &Released) {
        self.write(Room::Answers, requirement.as_bytes(), released.encode_to_vec());
    }

    /// One transaction: the act and its journal entry. Durable only after [`Store::settled`].
    pub fn commit(mut self, entry: impl Into<Qualified>) -> Result<(), Invalid> {
        let sequence = self.next.journal.size().to_be_bytes();
        let entry = entry.into().encode(&self.next.journal);
        self.next.journal.append(&entry);
        let leaf = leaf(&entry);
        self.write(Room::Journal, &sequence, entry);
        self.next.contents = self.write_all()?;
        *self.store.committed.lock().unwrap_or_else(PoisonError::into_inner) = self.next.state();
        self.store.tree.lock().unwrap_or_else(PoisonError::into_inner).append(leaf);
        *self.head = self.next;
        Ok(())
    }

    /// The transaction; gives the sum of all that lies there after it.
    fn write_all(&self) -> Result<Contents, Invalid> {
        let rooms = &self.store.rooms;
        // Sealed once, however often the transaction is tried.
        let laid = self.writes.iter().map(|of| {
            let Write { room, key, value } = of;
            let kept = &rooms[room.at()];
            let value = value.as_ref().map(|value| kept.sealed(key, value)).transpose()?;
            Ok(Laid { of, at: kept.at(key)?, value })
        });
        let laid = laid.collect::<Result<Vec<_>, Invalid>>()?;
        let trees: Vec<_> = rooms.iter().map(Kept::tree).cloned().collect();
        let abort = ConflictableTransactionError::Abort;
        let written = trees.transaction(|trees| {
            let mut contents = self.next.contents;
            for laid in &laid {
                self.apply(&trees[laid.of.room.at()], laid, &mut contents)?;
            }
            let meta = &rooms[Room::Meta.at()];
            for (key, value) in self.next.meta(contents) {
                let key = key.as_bytes();
                let value = meta.sealed(key, &value).map_err(abort)?;
                let before = trees[Room::Meta.at()].insert(key, value)?;
                let before = before.map(|stored| meta.opened(key, stored)).transpose();
                self.store.before.note(Room::Meta, key, before.map_err(abort)?.as_deref());
            }
            Ok(contents)
        });
        written.map_err(|error| match error {
            TransactionError::Abort(error) => error,
            TransactionError::Storage(error) => failed(&error),
        })
    }

    /// Does one write and keeps the sum. A running backup is told first what was there before.
    fn apply(
        &self,
        tree: &TransactionalTree,
        Laid { of: Write { room, key, value }, at, value: laid }: &Laid<'_>,
        contents: &mut Contents,
    ) -> Result<(), ConflictableTransactionError<Invalid>> {
        let before = match laid {
            Some(laid) => tree.insert(at.clone(), laid.clone())?,
            None => tree.remove(at.clone())?,
        };
        let kept = &self.store.rooms[room.at()];
        let before = before.map(|stored| kept.opened(key, stored)).transpose();
        let before = before.map_err(ConflictableTransactionError::Abort)?;
        self.store.before.note(*room, at, before.as_deref());
        if let Some(before) = before {
            contents.take(*room, key, &before);
        }
        if let Some(value) = value {
            contents.put(*room, key, value);
        }
        Ok(())
    }

    /// Refuses what would not leave the reserve alone.
    pub(super) fn check_room_for(&self, bytes: u64) -> Result<(), Invalid> {
        self.store.check_space(self.free_bytes_min.saturating_add(bytes))
    }

    pub(super) fn store(&self) -> &'a Store {
        self.store
    }

    pub(super) fn write(&mut self, room: Room, key: &[u8], value: Vec<u8>) {
        self.writes.push(Write { room, key: key.to_vec(), value: Some(value) });
    }

    pub(super) fn remove(&mut self, room: Room, key: &[u8]) {
        self.writes.push(Write { room, key: key.to_vec(), value: None });
    }

    /// Removes what a change that failed may have left under this number; it never counted.
    fn clear(&self, room: Room, number: &[u8]) -> Result<(), Invalid> {
        let kept = &self.store.rooms[room.at()];
        let mut batch = kept.batch();
        for stale in kept.scan(number) {
            batch.remove(stale?.0);
        }
        batch.write()
    }

    /// Writes numbered blocks below a prefix.
    fn put_blocks(
        &mut self,
        room: Room,
        prefix: &[u8],
        blocks: impl Iterator<Item = Vec<u8>>,
    ) -> Result<(), Invalid> {
        let mut batch = self.store.rooms[room.at()].batch();
        for (at, block) in blocks.enumerate() {
            let key = [prefix, &(at as u64).to_be_bytes()].concat();
            self.next.contents.put(room, &key, &block);
            batch.insert(&key, &block)?;
            if batch.write_if_many()? {
                self.store.check_space(self.free_bytes_min)?;
            }
        }
        batch.write()
    }
}
