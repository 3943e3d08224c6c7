//! The store as it stood at one moment, read while others write. Comes in: a moment. Goes out: every value
//! that lay there then. Must never hold up a writer for longer than that moment.
//!
//! sled has no snapshots. So whoever writes while one is being read leaves behind what was there before
//! ([`Before`]), and the reader puts it back in its place. Blocks are written beside the transactions, but
//! under numbers that did not count at that moment.

use std::{
    collections::{BTreeMap, btree_map},
    ops::Bound,
    sync::{Mutex, PoisonError},
};

use accord_proto::{
    limits::BACKUP_HELD_BYTES_MAX,
    reason::{Invalid, Reason},
};

use super::{Head, Room, Store, contents, contents::Contents, failed};

/// Keys that are read at once.
const AT_ONCE: usize = 256;

/// Takes a key and its value.
type Take<'a> = dyn FnMut(&[u8], &[u8]) -> Result<(), Invalid> + 'a;

/// What was there before, as long as somebody needs to know.
#[derive(Default)]
pub(super) struct Before(Mutex<Option<Kept>>);

#[derive(Default)]
struct Kept {
    values: BTreeMap<(Room, Vec<u8>), Option<Vec<u8>>>,
    bytes: usize,
    /// It became more than may be kept.
    lost: bool,
}

impl Before {
    /// Notes what a key held, before it holds something else.
    pub(super) fn note(&self, room: Room, key: &[u8], held: Option<&[u8]>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(kept) = kept.as_mut().filter(|kept| !kept.lost) else { return };
        // The first change counts: before it, the key was as the moment saw it.
        if let btree_map::Entry::Vacant(vacant) = kept.values.entry((room, key.to_vec())) {
            kept.bytes += key.len() + held.map_or(0, <[u8]>::len);
            vacant.insert(held.map(<[u8]>::to_vec));
        }
        if kept.bytes > BACKUP_HELD_BYTES_MAX {
            // The backup fails, and not the work of others.
            *kept = Kept { lost: true, ..Kept::default() };
        }
    }
}

/// The store at one moment.
pub struct Snapshot<'a> {
    store: &'a Store,
    head: Head,
}

impl std::fmt::Debug for Snapshot<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Snapshot({:?})", self.head.journal.size())
    }
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        *self.store.before.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Store {
    /// The store at this moment. One at a time: each holds on to what is changed meanwhile.
    pub fn snapshot(&self) -> Result<Snapshot<'_>, Invalid> {
        let head = self.head.lock().unwrap_or_else(PoisonError::into_inner);
        let mut before = self.before.0.lock().unwrap_or_else(PoisonError::into_inner);
        if before.is_some() {
            let detail = "one is under way; wait for its end";
            return Err(Invalid::new(Reason::Overloaded, "backup", detail));
        }
        *before = Some(Kept::default());
        Ok(Snapshot { store: self, head: head.clone() })
    }
}

impl Snapshot<'_> {
    /// Where journal and counters stood.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Every value, room by room, ascending by key. What comes out is summed up: anything left out or
    /// damaged on the way is an error at the end.
    pub(super) fn read(
        &self,
        mut take: impl FnMut(Room, &[u8], &[u8]) -> Result<(), Invalid>,
    ) -> Result<(), Invalid> {
        let mut sum = Contents::default();
        for room in Room::ALL {
            self.room(room, &mut |key, value| {
                if contents::counted(room, key) {
                    sum.put(room, key, value);
                }
                take(room, key, value)
            })?;
        }
        if sum == self.head.contents {
            return Ok(());
        }
        Err(failed(&"damaged: something is missing or changed; restore it from a backup"))
    }

    fn room(&self, room: Room, take: &mut Take<'_>) -> Result<(), Invalid> {
        let tree = &self.store.rooms[room.at()];
        let mut after: Option<Vec<u8>> = None;
        loop {
            let from = after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
            let some = tree.range::<&[u8], _>((from, Bound::Unbounded)).take(AT_ONCE);
            let mut values = BTreeMap::new();
            for entry in some {
                let (key, value) = entry.map_err(|error| failed(&error))?;
                values.insert(key.to_vec(), Some(value.to_vec()));
            }
            let last = values.keys().next_back().filter(|_| values.len() == AT_ONCE).cloned();
            // Read first, then put back: whoever changed one of these keys had noted it by then.
            self.put_back(room, (after.as_ref(), last.as_ref()), &mut values)?;
            for (key, value) in values {
                match value {
                    Some(value) if self.head.holds(room, &key) => take(&key, &value)?,
                    Some(_) | None => {}
                }
            }
            match last {
                Some(last) => after = Some(last),
                None => return Ok(()),
            }
        }
    }

    /// What keys after `after` and up to `last` held before they were changed.
    fn put_back(
        &self,
        room: Room,
        (after, last): (Option<&Vec<u8>>, Option<&Vec<u8>>),
        values: &mut BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    ) -> Result<(), Invalid> {
        let before = self.store.before.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(kept) = before.as_ref().filter(|kept| !kept.lost) else {
            let detail = format!(
                "more than {BACKUP_HELD_BYTES_MAX} bytes were changed while it was read; take it again \
                 when less is going on"
            );
            return Err(Invalid::new(Reason::LimitExceeded, "backup", detail));
        };
        let from = after.map_or(Bound::Included((room, Vec::new())), |after| {
            Bound::Excluded((room, after.clone()))
        });
        let changed = kept.values.range((from, Bound::Unbounded));
        let within = |of: Room, key: &Vec<u8>| of == room && last.is_none_or(|last| key <= last);
        for ((_, key), held) in changed.take_while(|((of, key), _)| within(*of, key)) {
            values.insert(key.clone(), held.clone());
        }
        Ok(())
    }
}

impl Head {
    /// Blocks with a number beyond the counters belong to nothing that was committed.
    pub(super) fn holds(&self, room: Room, key: &[u8]) -> bool {
        let count = match room {
            Room::Blocks | Room::Quarantine => self.counters.imports,
            Room::Cells | Room::Shown | Room::Tables => self.counters.editions,
            Room::Meta
            | Room::Imports
            | Room::Editions
            | Room::Signed
            | Room::Mappings
            | Room::Grants
            | Room::Answers
            | Room::Journal
            | Room::Ledger
            | Room::Inbox
            | Room::Glass
            | Room::Peers
            | Room::Receipts
            | Room::Pictures
            | Room::Files
            | Room::Summaries
            | Room::Standing => return true,
        };
        key.first_chunk().is_some_and(|number| u64::from_be_bytes(*number) <= count)
    }
}
