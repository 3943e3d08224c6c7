//! A store as it stood at one moment, read while others write. Comes in: what a key held before it changed, by whoever changes it.
//! Goes out: every value that lay there at that moment. Must never hold up a writer for longer than that moment.
//!
//! The database has no snapshots. So whoever writes while one is being read leaves behind what was there before ([`Before`]), and the
//! reader puts it back in its place.

use std::{
    collections::{BTreeMap, btree_map},
    ops::Bound,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    limits::BACKUP_HELD_BYTES_MAX,
    reason::{Invalid, Reason},
};

/// Keys that are read at once.
pub const AT_ONCE: usize = 256;

/// A key and what it holds.
pub type Pair = (Vec<u8>, Vec<u8>);

/// What was there before, as long as somebody needs to know.
#[derive(Debug)]
pub struct Before<Room>(Mutex<Option<Kept<Room>>>);

struct Kept<Room> {
    values: BTreeMap<(Room, Vec<u8>), Option<Vec<u8>>>,
    bytes: usize,
    /// It became more than may be kept.
    lost: bool,
}

impl<Room> std::fmt::Debug for Kept<Room> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Kept({} bytes)", self.bytes)
    }
}

impl<Room> Default for Before<Room> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<Room> Kept<Room> {
    fn new(lost: bool) -> Self {
        Self { values: BTreeMap::new(), bytes: 0, lost }
    }
}

impl<Room: Ord + Copy> Before<Room> {
    /// From here on changes are noted. One at a time: each holds on to what is changed meanwhile.
    pub fn begin(&self) -> Result<(), Invalid> {
        let mut kept = self.lock();
        if kept.is_some() {
            let detail = "one is under way; wait for its end";
            return Err(Invalid::new(Reason::Overloaded, "backup", detail));
        }
        *kept = Some(Kept::new(false));
        Ok(())
    }

    /// Nobody needs to know any more.
    pub fn end(&self) {
        *self.lock() = None;
    }

    /// Does anybody need to know?
    pub fn is_wanted(&self) -> bool {
        self.lock().is_some()
    }

    /// Notes what a key held, before it holds something else.
    pub fn note(&self, room: Room, key: &[u8], held: Option<&[u8]>) {
        note(&mut self.lock(), room, key, held);
    }

    /// Does one write that says what the key held: wholly before a moment, or wholly after it.
    pub fn replaced<Held: AsRef<[u8]>>(
        &self,
        (room, key): (Room, &[u8]),
        write: impl FnOnce() -> Result<Option<Held>, Invalid>,
    ) -> Result<(), Invalid> {
        let mut kept = self.lock();
        let held = write()?;
        note(&mut kept, room, key, held.as_ref().map(AsRef::as_ref));
        Ok(())
    }

    /// Every value of a room as it was when this began, ascending by key. `page` reads the next keys after one, [`AT_ONCE`] at most, as
    /// they are now.
    pub fn read(
        &self,
        room: Room,
        mut page: impl FnMut(Option<&[u8]>) -> Result<Vec<Pair>, Invalid>,
        mut take: impl FnMut(&[u8], &[u8]) -> Result<(), Invalid>,
    ) -> Result<(), Invalid> {
        let mut after: Option<Vec<u8>> = None;
        loop {
            let some = page(after.as_deref())?;
            let mut values: BTreeMap<_, _> =
                some.into_iter().map(|(key, value)| (key, Some(value))).collect();
            let last = values.keys().next_back().filter(|_| values.len() == AT_ONCE).cloned();
            // Read first, then put back: whoever changed one of these keys had noted it by then.
            self.put_back(room, (after.as_ref(), last.as_ref()), &mut values)?;
            for (key, value) in values {
                if let Some(value) = value {
                    take(&key, &value)?;
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
        let kept = self.lock();
        let Some(kept) = kept.as_ref().filter(|kept| !kept.lost) else {
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

    fn lock(&self) -> MutexGuard<'_, Option<Kept<Room>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn note<Room: Ord + Copy>(
    kept: &mut Option<Kept<Room>>,
    room: Room,
    key: &[u8],
    held: Option<&[u8]>,
) {
    let Some(kept) = kept.as_mut().filter(|kept| !kept.lost) else { return };
    // The first change counts: before it, the key was as the moment saw it.
    if let btree_map::Entry::Vacant(vacant) = kept.values.entry((room, key.to_vec())) {
        kept.bytes += key.len() + held.map_or(0, <[u8]>::len);
        vacant.insert(held.map(<[u8]>::to_vec));
    }
    if kept.bytes > BACKUP_HELD_BYTES_MAX {
        // The backup fails, and not the work of others.
        *kept = Kept::new(true);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// Another one's store: what lies in it changes while it is read.
    #[test]
    fn what_is_read_is_what_lay_there_when_it_began_whatever_is_written_meanwhile() {
        let key = |number: u32| number.to_be_bytes().to_vec();
        let all: BTreeMap<_, _> = (0..600).map(|number| (key(number), vec![1])).collect();
        let store = RefCell::new(all.clone());
        let before = Before::default();
        before.begin().unwrap();
        assert_eq!(before.begin().unwrap_err().reason, Reason::Overloaded);
        let write = |number: u32, value: Option<Vec<u8>>| {
            let mut store = store.borrow_mut();
            let write = || {
                Ok(match value {
                    Some(value) => store.insert(key(number), value),
                    None => store.remove(&key(number)),
                })
            };
            before.replaced((0, &key(number)), write).unwrap();
        };
        let mut read = BTreeMap::new();
        let mut pages = 0;
        let page = |after: Option<&[u8]>| {
            let from = after.map_or(Bound::Unbounded, |after| Bound::Excluded(after.to_vec()));
            let store = store.borrow();
            let some = store.range((from, Bound::Unbounded)).take(AT_ONCE);
            Ok(some.map(|(key, value)| (key.clone(), value.clone())).collect())
        };
        let take = |key: &[u8], value: &[u8]| {
            read.insert(key.to_vec(), value.to_vec());
            if pages == 0 {
                // Changed, removed, new: behind the reader, and before it.
                for (number, value) in [(1, Some(vec![2])), (2, None), (300, None), (599, None)] {
                    write(number, value);
                }
                write(300, Some(vec![3]));
                write(700, Some(vec![4]));
            }
            pages += 1;
            Ok(())
        };
        before.read(0, page, take).unwrap();
        assert_eq!(read, all);
        before.end();
        assert!(!before.is_wanted());
    }
}
