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
    clock::Entropy,
    durable::{self, Durable},
    journal::{Frontier, Tree},
    reason::Invalid,
    seal::Digest,
};

use super::{
    Contents, Head, Room, Store, contents, failed, migrate, schema, snapshot, verify,
    verify::{damaged, unreadable},
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

impl Store {
    /// Opens or creates. `owner` is the node's identity: a store never changes hands by accident.
    pub fn open(
        path: &Path,
        owner: &str,
        free_bytes_min: u64,
        entropy: &dyn Entropy,
    ) -> Result<Self, Invalid> {
        Self::open_by(path, owner, (free_bytes_min, migrate::STEPS), entropy)
    }

    /// Is there a store?
    pub fn is_there(path: &Path) -> bool {
        path.join(FOLDER).join("db").exists()
    }

    /// The same, only to look at it, where [`Store::is_there`]: one of an older format is left as it is, and said to be so, and
    /// nothing is cleared away. The database itself finishes what a crash has left, as it does at every start.
    pub fn examine(
        path: &Path,
        owner: &str,
        free_bytes_min: u64,
        entropy: &dyn Entropy,
    ) -> Result<Self, Invalid> {
        verify::guarded(|| open_as_it_is(path, owner, free_bytes_min, entropy))
            .map_err(|error| Invalid { field: format!("store {}", path.display()), ..error })
    }

    /// The same with other steps between formats.
    pub(super) fn open_by(
        path: &Path,
        owner: &str,
        (free_bytes_min, steps): (u64, &[migrate::Step]),
        entropy: &dyn Entropy,
    ) -> Result<Self, Invalid> {
        verify::guarded(|| {
            let open = || open(path, owner, free_bytes_min, entropy);
            if !migrate::under_way(path) {
                match open() {
                    // An older one: only then is it opened twice.
                    Err(error) if error.field == schema::FORMAT_FIELD => {}
                    opened => return opened,
                }
            }
            migrate::to_current(path, steps)?;
            open()
        })
        .map_err(|error| Invalid { field: format!("store {}", path.display()), ..error })
    }
}

fn open(
    path: &Path,
    owner: &str,
    free_bytes_min: u64,
    entropy: &dyn Entropy,
) -> Result<Store, Invalid> {
    let store = open_as_it_is(path, owner, free_bytes_min, entropy)?;
    store.remove_left_behind()?;
    Ok(store)
}

fn open_as_it_is(
    path: &Path,
    owner: &str,
    free_bytes_min: u64,
    entropy: &dyn Entropy,
) -> Result<Store, Invalid> {
    let (witness, seen) = Witness::open(path)?;
    if !path.join(FOLDER).exists() {
        check_empty(path)?;
        create_folders(path).map_err(|error| failed(&error))?;
    }
    let (db, rooms) = database(&path.join(FOLDER))?;
    let meta = &rooms[Room::Meta.at()];
    let read = |key: &str| meta.get(key).map_err(|error| unreadable(&error));
    let (head, tree, found) = match read(schema::FORMAT_KEY)? {
        Some(format) => {
            schema::check_format(&format)?;
            schema::check_owner(&read(schema::OWNER_KEY)?.unwrap_or_default(), owner)?;
            let head = head(meta)?;
            let tree = verify::whole(&rooms, &head, seen)?;
            (head, tree, if seen.is_some() { Found::Whole } else { Found::Unwitnessed })
        }
        None if seen.is_some() || !rooms.iter().all(sled::Tree::is_empty) => {
            return Err(damaged("what says whose it is and what it holds is gone"));
        }
        None => (create(meta, owner, entropy)?, Tree::default(), Found::New),
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

/// sled itself, once whoever had it open has let go of it.
pub(super) fn sled_when_free(config: &sled::Config) -> Result<sled::Db, Invalid> {
    durable::open_when_free(|| config.open(), verify::is_held).map_err(|error| unreadable(&error))
}

/// sled with every room.
pub(super) fn database(folder: &Path) -> Result<(sled::Db, Vec<sled::Tree>), Invalid> {
    let config = sled::Config::new()
        .path(folder)
        // sled's own timer would flush beside us and acknowledge nothing by it.
        .flush_every_ms(None)
        .cache_capacity(64 * 1024 * 1024);
    let db = sled_when_free(&config)?;
    let rooms: Result<_, _> = Room::ALL.iter().map(|room| db.open_tree(room.name())).collect();
    let rooms = rooms.map_err(|error| unreadable(&error))?;
    Ok((db, rooms))
}

/// What a store says of itself.
fn head(meta: &sled::Tree) -> Result<Head, Invalid> {
    let read = |key: &str| meta.get(key).map_err(|error| unreadable(&error));
    let journal = Frontier::from_bytes(&read(schema::JOURNAL_KEY)?.unwrap_or_default());
    let counters: schema::Counters =
        schema::decode(&read(schema::COUNTERS_KEY)?.unwrap_or_default())?;
    let contents = Contents::from_bytes(&counters.contents);
    let gone = |_| damaged("its head is gone");
    Ok(Head { journal: journal.map_err(gone)?, contents: contents.map_err(gone)?, counters })
}

/// An empty store; all of its beginning, or nothing.
fn create(meta: &sled::Tree, owner: &str, entropy: &dyn Entropy) -> Result<Head, Invalid> {
    let mut salt = [0; 32];
    entropy.fill(&mut salt)?;
    let mut sum = Contents::default();
    let mut batch = sled::Batch::default();
    for (key, value) in [
        (schema::FORMAT_KEY, schema::FORMAT.as_bytes()),
        (schema::OWNER_KEY, owner.as_bytes()),
        (schema::SALT_KEY, &salt),
    ] {
        if contents::counted(Room::Meta, key.as_bytes()) {
            sum.put(Room::Meta, key.as_bytes(), value);
        }
        batch.insert(key, value);
    }
    let mut noise_root = vec![0; 32];
    entropy.fill(&mut noise_root)?;
    let counters = schema::Counters { noise_root, ..schema::Counters::default() };
    let journal = Frontier::default();
    let head = Head { journal, counters, contents: sum };
    for (key, value) in head.meta(sum) {
        batch.insert(key, value);
    }
    meta.apply_batch(batch).map_err(|error| failed(&error))?;
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
            let mut batch = sled::Batch::default();
            // Numbers rise: what was left behind comes last.
            for key in self.rooms[room.at()].iter().keys().rev() {
                let key = key.map_err(|error| unreadable(&error))?;
                if head.holds(room, &key) {
                    break;
                }
                batch.remove(key);
            }
            self.rooms[room.at()].apply_batch(batch).map_err(|error| failed(&error))?;
        }
        Ok(())
    }
}
