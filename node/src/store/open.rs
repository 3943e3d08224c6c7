//! Opening the store. Comes in: a data folder. Goes out: a store that holds all it ever acknowledged, or why
//! it is not opened. Must never make a new store where there was one.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use accord_proto::{
    at_rest::{Keeping, KeyId, Keys},
    clock::Entropy,
    durable::Durable,
    journal::{Frontier, Tree},
    reason::Invalid,
    seal::Digest,
};

use super::{
    Contents, Head, Kept, Room, Store, contents, failed,
    kept::Raw,
    migrate, rekey, schema, snapshot,
    verify::{self, damaged},
    witness::{self, Witness},
};

/// Folder of the database in the data folder.
pub(super) const FOLDER: &str = "store";

/// What a file system of its own brings along.
const NOT_OURS: &str = "lost+found";

/// In which state a store was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// There was none.
    New,
    /// All that was acknowledged is there.
    Whole,
    /// It is whole in itself, but its witness is gone or cannot be read: nothing says that it is the newest.
    Unwitnessed,
}

/// What is to be opened.
#[derive(Clone, Copy)]
pub struct Opener<'a> {
    /// The data folder.
    pub path: &'a Path,
    /// The node's identity: a store never changes hands by accident.
    pub owner: &'a str,
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

impl Opener<'_> {
    /// The same error, of this store.
    pub(super) fn of(&self, error: Invalid) -> Invalid {
        Invalid { field: format!("store {}", self.path.display()), ..error }
    }
}

impl Store {
    /// One without a key: see [`Store::open_by`].
    pub fn open(
        path: &Path,
        owner: &str,
        free_bytes_min: u64,
        entropy: &dyn Entropy,
    ) -> Result<Self, Invalid> {
        Self::open_by(Opener { path, owner, free_bytes_min, keys: &Keys::none(), entropy })
    }

    /// Opens or creates.
    pub fn open_by(opener: Opener<'_>) -> Result<Self, Invalid> {
        Self::open_with_steps(opener, migrate::STEPS)
    }

    /// Is there a store?
    pub fn is_there(path: &Path) -> bool {
        path.join(FOLDER).join("db").exists()
    }

    /// The same, only to look at it, where [`Store::is_there`]: one of an older format is left as it is, and said to be so, and
    /// nothing is cleared away. The database itself finishes what a crash has left, as it does at every start.
    pub fn examine(opener: Opener<'_>) -> Result<Self, Invalid> {
        verify::guarded(|| open_as_it_is(opener, Keys::of_store)).map_err(|error| opener.of(error))
    }

    /// The same with other steps between formats.
    pub(super) fn open_with_steps(
        opener: Opener<'_>,
        steps: &[migrate::Step],
    ) -> Result<Self, Invalid> {
        verify::guarded(|| {
            if !migrate::under_way(opener.path) {
                match open(opener) {
                    // An older one: only then is it opened twice.
                    Err(error) if error.field == schema::FORMAT_FIELD => {}
                    opened => return opened,
                }
            }
            migrate::to_current(opener, steps)?;
            open(opener)
        })
        .map_err(|error| opener.of(error))
    }
}

fn open(opener: Opener<'_>) -> Result<Store, Invalid> {
    let store = open_as_it_is(opener, Keys::of_store)?;
    store.remove_left_behind()?;
    rekey::remove_left(opener.path)?;
    Ok(store)
}

/// `with`: how it is read, by the key that it says; [`Keys::of_store`], unless somebody writes it anew.
pub(super) fn open_as_it_is(
    opener: Opener<'_>,
    with: impl FnOnce(&Keys, Option<KeyId>, &str, &dyn Entropy) -> Result<Keeping, Invalid>,
) -> Result<Store, Invalid> {
    let Opener { path, owner, free_bytes_min, keys, entropy } = opener;
    let (witness, seen) = Witness::open(path)?;
    if !path.join(FOLDER).exists() {
        check_empty(path)?;
        create_folders(path).map_err(|error| failed(&error))?;
    }
    let raw = Raw::open(&path.join(FOLDER))?;
    let (is_new, keeping) = match raw.mark() {
        Some((format, key)) => {
            schema::check_format(format)?;
            (false, with(keys, key, owner, entropy)?)
        }
        None => (true, keys.of_new(owner, entropy)?),
    };
    let (db, rooms) = raw.kept(keeping);
    let meta = &rooms[Room::Meta.at()];
    let read = |key: &str| meta.get(key);
    let (head, tree, found) = if is_new {
        if seen.is_some() || !rooms.iter().all(Kept::is_empty) {
            return Err(damaged("what says whose it is and what it holds is gone"));
        }
        (create(meta, owner, entropy)?, Tree::default(), Found::New)
    } else {
        schema::check_owner(&read(schema::OWNER_KEY)?.unwrap_or_default(), owner)?;
        let head = head(meta)?;
        let tree = verify::whole(&rooms, &head, seen)?;
        (head, tree, if seen.is_some() { Found::Whole } else { Found::Unwitnessed })
    };
    let salt = read(schema::SALT_KEY)?.and_then(|salt| salt.as_ref().try_into().ok());
    let salt: [u8; 32] = salt.ok_or_else(|| damaged("its salt has another length"))?;
    let committed = Arc::new(Mutex::new(head.state()));
    Ok(Store {
        path: path.to_owned(),
        free_bytes_min,
        rooms,
        pseudonyms: Digest::of_parts([&b"pseudonyms"[..], &salt[..]]).0,
        salt,
        durable: durable(path, db, witness, Arc::clone(&committed))?,
        committed,
        before: snapshot::Before::default(),
        found,
        head: Mutex::new(head),
        tree: Mutex::new(tree),
    })
}

/// The group committer: flush, fsync, witness; then whoever waits is told.
fn durable(
    path: &Path,
    db: sled::Db,
    mut witness: Witness,
    committed: Arc<Mutex<witness::State>>,
) -> Result<Durable, Invalid> {
    let flush = move || {
        // Before the flush: what is committed during it may not be on the disk after it.
        let state = *committed.lock().unwrap_or_else(PoisonError::into_inner);
        db.flush().map(|_| state).map_err(|error| error.to_string())
    };
    Durable::start_witnessed(path.join(FOLDER), flush, move |state| witness.write(state))
}

/// What a store says of itself.
pub(super) fn head(meta: &Kept) -> Result<Head, Invalid> {
    let read = |key: &str| meta.get(key);
    let journal = Frontier::from_bytes(&read(schema::JOURNAL_KEY)?.unwrap_or_default());
    let counters: schema::Counters =
        schema::decode(&read(schema::COUNTERS_KEY)?.unwrap_or_default())?;
    let contents = Contents::from_bytes(&counters.contents);
    let gone = |_| damaged("its head is gone");
    Ok(Head { journal: journal.map_err(gone)?, contents: contents.map_err(gone)?, counters })
}

/// An empty store; all of its beginning, or nothing.
fn create(meta: &Kept, owner: &str, entropy: &dyn Entropy) -> Result<Head, Invalid> {
    let mut salt = [0; 32];
    entropy.fill(&mut salt)?;
    let mut sum = Contents::default();
    let mut batch = meta.batch();
    for (key, value) in [
        (schema::FORMAT_KEY, schema::FORMAT.as_bytes()),
        (schema::OWNER_KEY, owner.as_bytes()),
        (schema::SALT_KEY, &salt),
    ] {
        if contents::counted(Room::Meta, key.as_bytes()) {
            sum.put(Room::Meta, key.as_bytes(), value);
        }
        batch.insert(key.as_bytes(), value)?;
    }
    let mut noise_root = vec![0; 32];
    entropy.fill(&mut noise_root)?;
    let counters = schema::Counters { noise_root, ..schema::Counters::default() };
    let journal = Frontier::default();
    let head = Head { journal, counters, contents: sum };
    for (key, value) in head.meta(sum) {
        batch.insert(key.as_bytes(), &value)?;
    }
    batch.write()?;
    Ok(head)
}

/// Nothing but what a file system brings along, or a store that is gone would look like a new one.
fn check_empty(path: &Path) -> Result<(), Invalid> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(|error| failed(&error))?,
    };
    for entry in entries {
        let name = entry.map_err(|error| failed(&error))?.file_name();
        if name == witness::FILE {
            return Err(damaged("the store is gone, its witness is still there"));
        }
        if name != NOT_OURS {
            let name = name.to_string_lossy();
            let detail = format!(
                "holds {name} and no folder {FOLDER}: this is no data folder of this version, or \
                 its store is gone; give an empty folder, or restore a backup into one"
            );
            return Err(failed(&detail));
        }
    }
    Ok(())
}

/// The data folder and the database's, for nobody else to read; durable with their names.
pub(super) fn create_folders(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(path.join(FOLDER))?;
    File::open(path)?.sync_all()
}

impl Store {
    /// Blocks of imports and editions that were never committed: a crash left them behind.
    fn remove_left_behind(&self) -> Result<(), Invalid> {
        if self.check_space(self.free_bytes_min).is_err() {
            // They count for nothing and can wait for a start with more room.
            return Ok(());
        }
        let head = self.head();
        for room in [Room::Blocks, Room::Quarantine, Room::Cells, Room::Shown, Room::Tables] {
            let mut batch = self.rooms[room.at()].batch();
            // Numbers rise: what was left behind comes last.
            for key in self.rooms[room.at()].places().rev() {
                let key = key?;
                if head.holds(room, &key) {
                    break;
                }
                batch.remove(key);
            }
            batch.write()?;
        }
        Ok(())
    }
}
