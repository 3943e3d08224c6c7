//! A room on its disk. Comes in: keys and values as everybody else knows them. Goes out: the same, from what lies there; sealed, where
//! the store has a key ([`accord_proto::at_rest`]). Every value goes through here: must never let one by that is not sealed, but for what
//! must be read to know how to read the rest (format, owner).

use std::{
    ops::{Bound, RangeBounds},
    path::Path,
    sync::Arc,
};

use accord_proto::{
    at_rest::{self, Keeping, KeyId},
    backup::moment,
    durable,
    reason::Invalid,
};
use sled::IVec;

use super::{
    Room, failed, schema,
    verify::{self, damaged, unreadable},
};

/// A key and its value.
pub(super) type Pair = (IVec, IVec);

/// Bytes that are handed to the database at once.
const BYTES_AT_ONCE: usize = 1024 * 1024;

/// The database, before anybody knows how it is to be read.
pub(super) struct Raw {
    db: sled::Db,
    trees: Vec<sled::Tree>,
    mark: Option<IVec>,
}

impl Raw {
    /// sled with every room.
    pub(super) fn open(folder: &Path) -> Result<Self, Invalid> {
        let config = sled::Config::new()
            .path(folder)
            // sled's own timer would flush beside us and acknowledge nothing by it.
            .flush_every_ms(None)
            .cache_capacity(64 * 1024 * 1024);
        let db = sled_when_free(&config)?;
        let trees: Result<Vec<_>, _> =
            Room::ALL.iter().map(|room| db.open_tree(room.name())).collect();
        let trees = trees.map_err(|error| unreadable(&error))?;
        let mark = trees[Room::Meta.at()].get(schema::FORMAT_KEY);
        Ok(Self { db, trees, mark: mark.map_err(|error| unreadable(&error))? })
    }

    /// What it says of itself: its format and its key; nothing, if it is new.
    pub(super) fn mark(&self) -> Option<(&[u8], Option<KeyId>)> {
        self.mark.as_deref().map(at_rest::read_mark)
    }

    /// Its rooms, read like this.
    pub(super) fn kept(self, keeping: Keeping) -> (sled::Db, Vec<Kept>) {
        let keeping = Arc::new(keeping);
        let kept = |(tree, room)| Kept { tree, room, keeping: Arc::clone(&keeping) };
        (self.db, self.trees.into_iter().zip(Room::ALL).map(kept).collect())
    }
}

/// sled itself, once whoever had it open has let go of it.
pub(super) fn sled_when_free(config: &sled::Config) -> Result<sled::Db, Invalid> {
    durable::open_when_free(|| config.open(), verify::is_held).map_err(|error| unreadable(&error))
}

/// A room.
#[derive(Clone)]
pub(super) struct Kept {
    tree: sled::Tree,
    room: Room,
    keeping: Arc<Keeping>,
}

impl Kept {
    /// How it is kept.
    pub(super) fn keeping(&self) -> &Keeping {
        &self.keeping
    }

    /// For a transaction, which takes what [`Self::at`] and [`Self::sealed`] give.
    pub(super) fn tree(&self) -> &sled::Tree {
        &self.tree
    }

    /// What a key holds.
    pub(super) fn get(&self, key: impl AsRef<[u8]>) -> Result<Option<IVec>, Invalid> {
        let key = key.as_ref();
        let stored = self.tree.get(self.at(key)?).map_err(|error| unreadable(&error))?;
        stored.map(|stored| self.opened(key, stored)).transpose()
    }

    /// Does it hold anything?
    pub(super) fn contains_key(&self, key: impl AsRef<[u8]>) -> Result<bool, Invalid> {
        let at = self.at(key.as_ref())?;
        self.tree.contains_key(at).map_err(|error| unreadable(&error))
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.tree.len()
    }

    /// Is there none?
    pub(super) fn is_empty(&self) -> bool {
        self.tree.is_empty()
    }

    /// Every key that begins so, with its value; ascending, where names are not hidden.
    pub(super) fn scan(
        &self,
        prefix: &[u8],
    ) -> impl DoubleEndedIterator<Item = Result<Pair, Invalid>> + use<> {
        let kept = self.clone();
        self.tree.scan_prefix(prefix).map(move |entry| kept.read(entry))
    }

    /// The same of a range.
    pub(super) fn range<K: AsRef<[u8]>, R: RangeBounds<K>>(
        &self,
        range: R,
    ) -> impl DoubleEndedIterator<Item = Result<Pair, Invalid>> + use<K, R> {
        let kept = self.clone();
        let bound = |bound: Bound<&K>| bound.map(|key| key.as_ref().to_vec());
        let range = (bound(range.start_bound()), bound(range.end_bound()));
        self.tree.range::<Vec<u8>, _>(range).map(move |entry| kept.read(entry))
    }

    /// Keys alone, as they lie there.
    pub(super) fn places(&self) -> impl DoubleEndedIterator<Item = Result<IVec, Invalid>> + use<> {
        self.tree.iter().keys().map(|key| key.map_err(|error| unreadable(&error)))
    }

    /// The next keys after one, as they lie there, and what they hold.
    pub(super) fn page(
        &self,
        after: Option<&[u8]>,
        most: usize,
    ) -> Result<Vec<moment::Pair>, Invalid> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let some = self.tree.range::<&[u8], _>((from, Bound::Unbounded)).take(most);
        let pair = |entry: sled::Result<Pair>| {
            let (at, stored) = entry.map_err(|error| unreadable(&error))?;
            let value = self.opened(&self.name(at.clone())?, stored)?;
            Ok((at.to_vec(), value.to_vec()))
        };
        some.map(pair).collect()
    }

    /// Writes that are handed over together; begun anew whenever they have become many.
    pub(super) fn batch(&self) -> Batch<'_> {
        Batch { of: self, batch: sled::Batch::default(), bytes: 0 }
    }

    /// Where a key lies.
    pub(super) fn at(&self, key: &[u8]) -> Result<IVec, Invalid> {
        if !self.room.hides_names() {
            return Ok(IVec::from(key));
        }
        Ok(IVec::from(&*self.keeping.hide(self.room.name(), key)?))
    }

    /// The key that lies there.
    pub(super) fn name(&self, at: IVec) -> Result<IVec, Invalid> {
        if !self.room.hides_names() || self.keeping.key().is_none() {
            return Ok(at);
        }
        let name = self.keeping.reveal(self.room.name(), &at);
        Ok(IVec::from(&*name.map_err(|error| damaged(&error.detail))?))
    }

    /// A value as it lies there.
    pub(super) fn sealed(&self, key: &[u8], value: &[u8]) -> Result<IVec, Invalid> {
        match self.bare(key) {
            Some(Bare::Format) => Ok(IVec::from(&*self.keeping.mark(value))),
            Some(Bare::Owner) => Ok(IVec::from(value)),
            None => Ok(IVec::from(&*self.keeping.seal(self.room.name(), key, value)?)),
        }
    }

    /// The value that lies there.
    pub(super) fn opened(&self, key: &[u8], stored: IVec) -> Result<IVec, Invalid> {
        match self.bare(key) {
            Some(Bare::Format) => return Ok(IVec::from(at_rest::read_mark(&stored).0)),
            Some(Bare::Owner) => return Ok(stored),
            None if self.keeping.key().is_none() => return Ok(stored),
            None => {}
        }
        let opened = self.keeping.open(self.room.name(), key, &stored);
        Ok(IVec::from(&*opened.map_err(|error| damaged(&error.detail))?))
    }

    fn read(&self, entry: sled::Result<Pair>) -> Result<Pair, Invalid> {
        let (at, stored) = entry.map_err(|error| unreadable(&error))?;
        let key = self.name(at)?;
        let value = self.opened(&key, stored)?;
        Ok((key, value))
    }

    fn bare(&self, key: &[u8]) -> Option<Bare> {
        let meta = self.room == Room::Meta;
        let is = |name: &str| meta && key == name.as_bytes();
        is(schema::FORMAT_KEY)
            .then_some(Bare::Format)
            .or_else(|| is(schema::OWNER_KEY).then_some(Bare::Owner))
    }
}

/// What is not sealed.
enum Bare {
    /// It says with which key the rest is.
    Format,
    /// The keys of a store are made for its owner.
    Owner,
}

/// Writes of a room that are handed over together.
pub(super) struct Batch<'a> {
    of: &'a Kept,
    batch: sled::Batch,
    bytes: usize,
}

impl Batch<'_> {
    /// A key holds this.
    pub(super) fn insert(&mut self, key: &[u8], value: &[u8]) -> Result<(), Invalid> {
        let (at, value) = (self.of.at(key)?, self.of.sealed(key, value)?);
        self.bytes += at.len() + value.len();
        self.batch.insert(at, value);
        Ok(())
    }

    /// What lies at a place is gone.
    pub(super) fn remove(&mut self, at: IVec) {
        self.batch.remove(at);
    }

    /// Hands over what there is, if it has become much. True: it did.
    pub(super) fn write_if_many(&mut self) -> Result<bool, Invalid> {
        if self.bytes < BYTES_AT_ONCE {
            return Ok(false);
        }
        std::mem::replace(self, self.of.batch()).write()?;
        Ok(true)
    }

    /// Hands it over.
    pub(super) fn write(self) -> Result<(), Invalid> {
        self.of.tree.apply_batch(self.batch).map_err(|error| failed(&error))
    }
}
