//! Opening the archive. Comes in: a folder, and whose it is. Goes out: an archive, or why it is not opened. Must never open one of another
//! owner, format or key, nor one that was not restored to its end.

use std::{path::Path, sync::Mutex};

use accord_proto::{
    at_rest::{Keeping, KeyId, Keys},
    backup::moment::Before,
    clock::Entropy,
    durable::{self, Durable},
    identity::Identity,
    journal::Frontier,
    reason::{Invalid, Reason},
};

use super::{
    Archive, FORMAT, Room, failed, journal,
    kept::{FORMAT_KEY, Raw},
    rekey, restore,
};

/// What is to be opened.
#[derive(Clone, Copy)]
pub struct Opener<'a> {
    /// The data folder.
    pub path: &'a Path,
    /// The coordinator's identity.
    pub owner: &'a Identity,
    /// Below this much free space nothing more is written.
    pub free_bytes_min: u64,
    /// The keys that it may be sealed with; a new one is sealed with the first.
    pub keys: &'a Keys,
    /// Where chance comes from.
    pub entropy: &'a dyn Entropy,
}

impl std::fmt::Debug for Opener<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Opener({}, {:?})", self.path.display(), self.keys)
    }
}

impl Archive {
    /// One without a key: see [`Archive::open_by`].
    pub fn open(path: &Path, owner: &Identity, free_bytes_min: u64) -> Result<Self, Invalid> {
        let (keys, entropy) = (&Keys::none(), &accord_proto::clock::SystemEntropy);
        Self::open_by(Opener { path, owner, free_bytes_min, keys, entropy })
    }

    /// Opens or creates.
    pub fn open_by(opener: Opener<'_>) -> Result<Self, Invalid> {
        restore::check_whole(opener.path)?;
        let held = rekey::finish(opener.path)?;
        let archive = Self::open_any(opener, Keys::of_store)?;
        drop(held);
        rekey::remove_left(opener.path)?;
        Ok(archive)
    }

    /// The same, only to look at it: none is made, a rekeying that was cut off is left as it is, and said to be so, and nothing is cleared
    /// away. The database itself finishes what a crash has left, as it does at every start.
    pub fn examine(opener: Opener<'_>) -> Result<Self, Invalid> {
        restore::check_whole(opener.path)?;
        // Nobody exchanges files there meanwhile: where there is an archive, there still is one when it is opened.
        let _held = durable::hold(opener.path)?;
        if Self::is_being_rekeyed(opener.path) {
            return Err(failed("a rekey was cut off: the next start ends it, or `rekey`"));
        }
        if !Self::is_there(opener.path) {
            let detail = "holds no archive";
            return Err(Invalid::new(Reason::NotFound, opener.path.display().to_string(), detail));
        }
        Self::open_any(opener, Keys::of_store)
    }

    /// The same with one that is still being restored, or is about to be written anew. `with`: how it is read, by the key that it says.
    pub(super) fn open_any(
        opener: Opener<'_>,
        with: impl FnOnce(&Keys, Option<KeyId>, &str, &dyn Entropy) -> Result<Keeping, Invalid>,
    ) -> Result<Self, Invalid> {
        let Opener { path, owner, free_bytes_min, keys, entropy } = opener;
        let owner = owner.to_string();
        let opening = format!("{FORMAT} {owner}");
        let raw = Raw::open(path)?;
        let (is_new, keeping) = match raw.mark() {
            Some((found, key)) if found == opening.as_bytes() => {
                (false, with(keys, key, &owner, entropy)?)
            }
            Some((found, _)) => {
                let found = String::from_utf8_lossy(found);
                return Err(failed(format!("is \"{found}\", not \"{opening}\"")));
            }
            None => (true, keys.of_new(&owner, entropy)?),
        };
        let (db, rooms) = raw.kept(keeping);
        let meta = &rooms[Room::Meta as usize];
        let journal = if is_new {
            let mut batch = meta.batch();
            batch.insert(FORMAT_KEY.as_bytes(), opening.as_bytes())?;
            batch.insert(JOURNAL_KEY, &Frontier::default().to_bytes())?;
            batch.write()?;
            Frontier::default()
        } else {
            Frontier::from_bytes(&meta.get(JOURNAL_KEY)?.unwrap_or_default())?
        };
        let tree = journal::whole(&rooms[Room::Journal as usize], &journal)?;
        let flush = move || db.flush().map(drop).map_err(|error| error.to_string());
        let durable = Durable::start(path.to_owned(), flush)?;
        Ok(Self {
            path: path.to_owned(),
            free_bytes_min,
            rooms,
            durable,
            before: Before::default(),
            journal: Mutex::new(journal),
            tree: Mutex::new(tree),
        })
    }
}

/// Where the journal's head lies in [`Room::Meta`].
pub(super) const JOURNAL_KEY: &[u8] = b"journal";
