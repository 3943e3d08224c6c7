//! The store as it stood at one moment, read while others write ([`accord_proto::backup::moment`]). Comes in: a moment. Goes out: every
//! value that lay there then. Must never hold up a writer for longer than that moment. Blocks are written beside the transactions, but
//! under numbers that did not count at that moment.

use std::sync::PoisonError;

use accord_proto::{
    backup::moment::{self, AT_ONCE},
    reason::Invalid,
};

use super::{Head, Room, Store, contents, contents::Contents, failed};

/// What was there before, as long as a backup needs to know.
pub(super) type Before = moment::Before<Room>;

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
        self.store.before.end();
    }
}

impl Store {
    /// The store at this moment. One at a time: each holds on to what is changed meanwhile.
    pub fn snapshot(&self) -> Result<Snapshot<'_>, Invalid> {
        let head = self.head.lock().unwrap_or_else(PoisonError::into_inner);
        self.before.begin()?;
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
            let kept = &self.store.rooms[room.at()];
            let page = |after: Option<&[u8]>| kept.page(after, AT_ONCE);
            self.store.before.read(room, page, |at, value| {
                let key = &*kept.name(at.into())?;
                if !self.head.holds(room, key) {
                    return Ok(());
                }
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
            | Room::Products
            | Room::Steps
            | Room::Rosters
            | Room::Words
            | Room::Seconds
            | Room::Summaries
            | Room::Standing => return true,
        };
        key.first_chunk().is_some_and(|number| u64::from_be_bytes(*number) <= count)
    }
}
