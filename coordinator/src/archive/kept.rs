//! A room on its disk. Comes in: keys and values as everybody else knows them. Goes out: the same, from what lies there; sealed, where
//! the archive has a key ([`accord_proto::at_rest`]). Every value goes through here: must never let one by that is not sealed, but for
//! what must be read to know how to read the rest (format and owner).

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

use super::{Room, failed};

/// A key and its value.
pub(super) type Pair = (IVec, IVec);

/// What an archive says of itself.
pub(super) const FORMAT_KEY: &str = "format";
/// Bytes that are handed to the database at once.
const BYTES_AT_ONCE: usize = 1024 * 1024;

/// The database, before anybody knows how it is to be read.
pub(super) struct Raw {
    db: sled::Db,
    trees: Vec<sled::Tree>,
    mark: Option<IVec>,
}

impl Raw {
    /// Opens or creates the database, with every room.
    pub(super) fn open(path: &Path) -> Result<Self, Invalid> {
        let config =
            sled::Config::new().path(path).flush_every_ms(None).cache_capacity(64 * 1024 * 1024);
        let held = |error: &sled::Error| error.to_string().contains("could not acquire lock");
        let db = durable::open_when_free(|| config.open(), held).map_err(failed)?;
        let trees = Room::NAMES.iter().map(|name| db.open_tree(name));
        let trees = trees.collect::<Result<Vec<_>, _>>().map_err(failed)?;
        let mark = trees[Room::Meta as usize].get(FORMAT_KEY).map_err(failed)?;
        Ok(Self { db, trees, mark })
    }

    /// What it says of itself: format with owner, and its key; nothing, if it is new.
    pub(super) fn mark(&self) -> Option<(&[u8], Option<KeyId>)> {
        self.mark.as_deref().map(at_rest::read_mark)
    }

    /// Its rooms, read like this.
    pub(super) fn kept(self, keeping: Keeping) -> (sled::Db, Vec<Kept>) {
        let keeping = Arc::new(keeping);
        let kept = |(room, tree)| Kept { tree, room, keeping: Arc::clone(&keeping) };
        (self.db, self.trees.into_iter().enumerate().map(|(at, tree)| kept((at, tree))).collect())
    }
}

/// A room.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    tree: sled::Tree,
    room: usize,
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
        let stored = self.tree.get(self.at(key)?).map_err(failed)?;
        stored.map(|stored| self.opened(key, stored)).transpose()
    }

    /// A key holds this from now on; gives what it held.
    pub(super) fn insert(&self, key: &[u8], value: &[u8]) -> Result<Option<IVec>, Invalid> {
        let before = self.tree.insert(self.at(key)?, self.sealed(key, value)?).map_err(failed)?;
        before.map(|stored| self.opened(key, stored)).transpose()
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.tree.len()
    }

    /// Every key that begins so, with its value; ascending, where names are not hidden.
    pub(super) fn scan(
        &self,
        prefix: &[u8],
    ) -> impl DoubleEndedIterator<Item = Result<Pair, Invalid>> + use<> {
        let (kept, prefix) = (self.clone(), prefix.to_vec());
        // Hidden names are not beside each other because they begin alike: all of them are looked at, and only what is wanted is opened.
        let seen = if self.hidden_from().is_some() { &[][..] } else { &prefix };
        self.tree.scan_prefix(seen).filter_map(move |entry| {
            let named = entry.map_err(failed).and_then(|(at, stored)| Ok((kept.name(at)?, stored)));
            match named {
                Ok((key, _)) if !key.starts_with(&prefix) => None,
                Ok((key, stored)) => Some(kept.opened(&key, stored).map(|value| (key, value))),
                Err(error) => Some(Err(error)),
            }
        })
    }

    /// Every key of a range, with its value. The ends of the range say nothing that is hidden.
    pub(super) fn range<K: AsRef<[u8]>, R: RangeBounds<K>>(
        &self,
        range: R,
    ) -> impl DoubleEndedIterator<Item = Result<Pair, Invalid>> + use<K, R> {
        let kept = self.clone();
        let bound = |bound: Bound<&K>| bound.map(|key| key.as_ref().to_vec());
        let range = (bound(range.start_bound()), bound(range.end_bound()));
        self.tree.range::<Vec<u8>, _>(range).map(move |entry| {
            let (at, stored) = entry.map_err(failed)?;
            let key = kept.name(at)?;
            let value = kept.opened(&key, stored)?;
            Ok((key, value))
        })
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
            let (at, stored) = entry.map_err(failed)?;
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
        match self.hidden_from().and_then(|from| key.split_at_checked(from)) {
            Some((shown, hidden)) if !hidden.is_empty() => {
                let hidden = self.keeping.hide(self.room_name(), hidden)?;
                Ok(IVec::from([shown, &hidden].concat()))
            }
            _ => Ok(IVec::from(key)),
        }
    }

    /// The key that lies there.
    pub(super) fn name(&self, at: IVec) -> Result<IVec, Invalid> {
        match self.hidden_from().and_then(|from| at.split_at_checked(from)) {
            Some((shown, hidden)) if !hidden.is_empty() => {
                let name = self.keeping.reveal(self.room_name(), hidden).map_err(damaged)?;
                Ok(IVec::from([shown, &name].concat()))
            }
            _ => Ok(at),
        }
    }

    /// A value as it lies there.
    pub(super) fn sealed(&self, key: &[u8], value: &[u8]) -> Result<IVec, Invalid> {
        if self.is_mark(key) {
            return Ok(IVec::from(&*self.keeping.mark(value)));
        }
        Ok(IVec::from(&*self.keeping.seal(self.room_name(), key, value)?))
    }

    /// The value that lies there.
    pub(super) fn opened(&self, key: &[u8], stored: IVec) -> Result<IVec, Invalid> {
        if self.is_mark(key) {
            return Ok(IVec::from(at_rest::read_mark(&stored).0));
        }
        if self.keeping.key().is_none() {
            return Ok(stored);
        }
        let opened = self.keeping.open(self.room_name(), key, &stored).map_err(damaged)?;
        Ok(IVec::from(&*opened))
    }

    fn room_name(&self) -> &'static str {
        Room::NAMES.get(self.room).copied().unwrap_or_default()
    }

    /// The mark says with which key the rest is sealed.
    fn is_mark(&self, key: &[u8]) -> bool {
        self.room == Room::Meta as usize && key == FORMAT_KEY.as_bytes()
    }

    /// From where on a key says more than numbers, times, digests and names of members, and is hidden where values are sealed.
    fn hidden_from(&self) -> Option<usize> {
        self.keeping.key()?;
        match self.room {
            room if room == Room::Pooled as usize => Some(0),
            room if room == Room::PooledLog as usize => Some(size_of::<u64>()),
            _ => None,
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn damaged(error: Invalid) -> Invalid {
    failed(format!("damaged: {}; restore a backup", error.detail))
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

    /// Hands over what there is, if it has become much.
    pub(super) fn write_if_many(&mut self) -> Result<(), Invalid> {
        if self.bytes < BYTES_AT_ONCE {
            return Ok(());
        }
        std::mem::replace(self, self.of.batch()).write()
    }

    /// Hands it over.
    pub(super) fn write(self) -> Result<(), Invalid> {
        self.of.tree.apply_batch(self.batch).map_err(failed)
    }
}
