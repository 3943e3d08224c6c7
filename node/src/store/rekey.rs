//! The store under another key, or under its first one. Comes in: a data folder whose service does not run. Goes out: the same content,
//! sealed with the first key of the file, and a journal that says so. Must never write into the store that is there: the database only
//! ever adds to its files, and what the old key opens would stay on the disk.
//!
//! A whole new store is written beside the old one, read back to its end, and put in its place in one exchange of names. A crash before
//! that leaves the old store, after it the new one; what lies beside is cleared away by whoever opens the store next.
//!
//! ```text
//! DATA/store ─read─► DATA/store.rekeying ─fsync, verify─► exchange ─► DATA/store; the old one is removed
//! ```

use std::{fs, fs::File, io, path::Path};

use accord_proto::{
    at_rest::{KeyId, Keys},
    clock::Timestamp,
    durable::{self, bytes_of},
    identity::Identity,
    journal::{Act, Entry, Qualified},
    operate::store_key::Rekeyed,
    reason::{Invalid, Reason},
};

use super::{
    Head, Room, Store, failed,
    kept::Raw,
    migrate,
    open::{self, FOLDER, Opener, open_as_it_is},
    verify::{self, damaged},
};

/// The new store until it is whole, and the old one after that.
const BESIDE: &str = "store.rekeying";

/// Seals a store with the first of the keys. None: it is so already. `progress` is told how many values are written, and of how many.
pub async fn rekey(
    opener: Opener<'_>,
    now: Timestamp,
    mut progress: impl FnMut(u64, u64),
) -> Result<Option<Rekeyed>, Invalid> {
    let done = verify::guarded(|| {
        let rekeyed = write_anew(opener, now, &mut progress)?;
        if rekeyed.is_some() {
            take_place(opener.path)?;
        }
        Ok(rekeyed)
    });
    let done = done.map_err(|error| opener.of(error))?;
    // As any start does: it clears away what lies beside, and puts on record that this is the newest state; and that nothing vouched for
    // it before, if nothing did.
    let store = Store::open_by(opener)?;
    store.note_found(&Identity::parse(opener.owner)?, now)?;
    store.settled().await?;
    Ok(done)
}

/// Clears away what a rekeying has left beside a store that was just found whole: half a copy, or what stood there before.
pub(super) fn remove_left(data: &Path) -> Result<(), Invalid> {
    let removed = match fs::remove_dir_all(data.join(BESIDE)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        removed => removed.and_then(|()| File::open(data)?.sync_all()),
    };
    removed.map_err(|error| failed(&error))
}

/// Another store with the same content, whole and durable beside the one that is there; none: it is not needed.
pub(super) fn write_anew(
    opener: Opener<'_>,
    now: Timestamp,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Option<Rekeyed>, Invalid> {
    let Opener { path, free_bytes_min, .. } = opener;
    let to = opener.keys.first().ok_or_else(|| {
        let detail = "no key is named: make one with `store-key` and set [store] key";
        Invalid::new(Reason::FieldMissing, accord_proto::at_rest::FIELD, detail)
    })?;
    if !Store::is_there(path) || migrate::under_way(path) {
        let detail = "holds no store of this format; start the service once, then stop it";
        return Err(Invalid::new(Reason::NotFound, path.display().to_string(), detail));
    }
    let copy = path.join(BESIDE);
    let store = open_as_it_is(opener, Keys::as_found)?;
    let from = store.key();
    if from == Some(to) {
        return Ok(None);
    }
    // Of the old one nothing is needed until it is in the place of the new one.
    remove_left(path)?;
    let bytes = bytes_of(&path.join(FOLDER)).map_err(|error| failed(&error))?;
    store.check_space(free_bytes_min.saturating_add(bytes))?;
    let (head, values) = copy_under(&store, opener, (&copy, from, to), now, progress)?;
    drop(store);
    let raw = Raw::open(&copy)?;
    let key = raw.mark().and_then(|(_, key)| key);
    let (_db, rooms) = raw.kept(opener.keys.of_store(key, opener.owner, opener.entropy)?);
    let found = open::head(&rooms[Room::Meta.at()])?;
    verify::whole(&rooms, &found, Some(head.state()))?;
    if found.state() != head.state() {
        return Err(damaged("the new store is not what was written"));
    }
    Ok(Some(Rekeyed { from, to, values, journal_size: head.journal.size() }))
}

/// Every value that counts, and the entry that says that it was sealed anew.
fn copy_under(
    store: &Store,
    opener: Opener<'_>,
    (copy, from, to): (&Path, Option<KeyId>, KeyId),
    now: Timestamp,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(Head, u64), Invalid> {
    let keeping = opener.keys.of_new(opener.owner, opener.entropy)?;
    let (db, rooms) = Raw::open(copy)?.kept(keeping);
    let mut head = store.head();
    let all = store.rooms.iter().map(|room| room.len() as u64).sum();
    let mut done = 0;
    for room in Room::ALL {
        let mut batch = rooms[room.at()].batch();
        for entry in store.scan(room, &[]) {
            let (key, value) = entry?;
            if head.holds(room, &key) {
                batch.insert(&key, &value)?;
                batch.write_if_many()?;
            }
            done += 1;
            progress(done, all);
        }
        batch.write()?;
    }
    let name = |key: Option<KeyId>| key.map_or("no key".to_owned(), |key| format!("key {key}"));
    let entry = Qualified::from(Entry {
        at: now,
        act: Act::Alteration,
        by: Identity::parse(opener.owner)?,
        to: String::new(),
        why: "rekey".to_owned(),
        subject: format!("the store is sealed with {}, before with {}", name(Some(to)), name(from)),
        digest: head.journal.root(),
    });
    let (at, entry) = (head.journal.size().to_be_bytes(), entry.encode(&head.journal));
    head.journal.append(&entry);
    head.contents.put(Room::Journal, &at, &entry);
    let mut batch = rooms[Room::Journal.at()].batch();
    batch.insert(&at, &entry)?;
    batch.write()?;
    let mut batch = rooms[Room::Meta.at()].batch();
    for (key, value) in head.meta(head.contents) {
        batch.insert(key.as_bytes(), &value)?;
    }
    batch.write()?;
    db.flush().map_err(|error| failed(&error))?;
    drop((rooms, db));
    // The database writes until it has let go.
    let _held = durable::hold(&copy.join("db"))?;
    durable::sync_all(copy).map_err(|error| failed(&error))?;
    Ok((head, done))
}

/// The new store is the store from here on.
pub(super) fn take_place(data: &Path) -> Result<(), Invalid> {
    let (store, copy) = (data.join(FOLDER), data.join(BESIDE));
    // Held over the exchange: nobody opens either of them meanwhile.
    let _both = (durable::hold(&store.join("db"))?, durable::hold(&copy.join("db"))?);
    migrate::exchange(&store, &copy)?;
    File::open(data).and_then(|data| data.sync_all()).map_err(|error| failed(&error))
}
