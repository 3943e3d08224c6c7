//! The archive under another key, or under its first one. Comes in: a data folder whose coordinator does not run. Goes out: the same
//! content, sealed with the first key of the file, and a journal that says so. Must never write into the archive that is there: the
//! database only ever adds to its files, and what the old key opens would stay on the disk.
//!
//! A whole new archive is written in a folder of the old one, and read back to its end. Its files lie where those of the old one lay
//! only after those are gone: the name of the folder that they are in says how far that is, and whoever opens the archive finishes it.
//!
//! ```text
//! DATA/rekeying   not whole yet                  the old one is the archive
//! DATA/rekeyed    whole; the old files go        this one is the archive, and is finished at the next opening
//! DATA/taking     the old files are gone; these move up
//! ```

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use super::{
    Archive, Room, failed, journal,
    kept::{Kept, Raw},
    opening::{JOURNAL_KEY, Opener},
};
use accord_proto::{
    at_rest::{FIELD, KeyId, Keys},
    clock::Timestamp,
    durable::{self, bytes_of},
    journal::{Act, Entry, Frontier, Qualified},
    operate::store_key::Rekeyed,
    reason::{Invalid, Reason},
};

const PARTIAL: &str = "rekeying";
const WHOLE: &str = "rekeyed";
const TAKING: &str = "taking";

/// Seals an archive with the first of the keys. None: it is so already. `progress` is told how many values are written, and of how many.
pub async fn rekey(
    opener: Opener<'_>,
    now: Timestamp,
    mut progress: impl FnMut(u64, u64),
) -> Result<Option<Rekeyed>, Invalid> {
    let rekeyed = write_anew(opener, now, &mut progress)?;
    if rekeyed.is_some() {
        take_place(opener.path)?;
    }
    // As any start does; clears away what an earlier one has left.
    Archive::open_by(opener)?.settled().await?;
    Ok(rekeyed)
}

/// Is one under way that only has to be finished?
pub(super) fn under_way(data: &Path) -> bool {
    data.join(WHOLE).exists() || data.join(TAKING).exists()
}

/// Half a copy, beside an archive that is open.
pub(super) fn remove_left(data: &Path) -> Result<(), Invalid> {
    match fs::remove_dir_all(data.join(PARTIAL)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.and_then(|()| File::open(data)?.sync_all()).map_err(failed),
    }
}

/// Puts a whole new archive in the place of the old one, from wherever that was cut off. While what it gives is kept, nobody else
/// exchanges files there: whoever opens the database keeps it until that is open, or a new one would begin between old and new.
pub(super) fn finish(data: &Path) -> Result<Option<File>, Invalid> {
    if !data.exists() {
        return Ok(None);
    }
    let held = durable::hold(data)?;
    // Somebody else may have finished it while this one waited.
    if under_way(data) {
        move_up(data).map_err(failed)?;
    }
    Ok(Some(held))
}

/// Another archive with the same content, whole and durable in a folder of the one that is there; none: it is not needed.
pub(super) fn write_anew(
    opener: Opener<'_>,
    now: Timestamp,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Option<Rekeyed>, Invalid> {
    let data = opener.path;
    let to = opener.keys.first().ok_or_else(|| {
        let detail = "no key is named: make one with `store-key` and set [store] key";
        Invalid::new(Reason::FieldMissing, FIELD, detail)
    })?;
    if !Archive::is_there(data) {
        let detail = "holds no archive: nothing is to be sealed";
        return Err(Invalid::new(Reason::NotFound, data.display().to_string(), detail));
    }
    super::restore::check_whole(data)?;
    let held = finish(data)?;
    let archive = Archive::open_any(opener, Keys::as_found)?;
    drop(held);
    let from = archive.key();
    if from == Some(to) {
        return Ok(None);
    }
    remove_left(data)?;
    archive.check_room_for(bytes_of(data).map_err(failed)?)?;
    let copy = data.join(PARTIAL);
    let (head, values) = copy_under(&archive, opener, &copy, progress)?;
    let journal_size = note((opener, &copy), head, (from, to), now)?;
    drop(archive);
    Ok(Some(Rekeyed { from, to, values, journal_size }))
}

/// Every value, and then each of them compared with what is read back.
fn copy_under(
    archive: &Archive,
    opener: Opener<'_>,
    copy: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(Frontier, u64), Invalid> {
    let keeping = opener.keys.of_new(&opener.owner.to_string(), opener.entropy)?;
    let (db, rooms) = Raw::open(copy)?.kept(keeping);
    let all = archive.rooms.iter().map(|room| room.len() as u64).sum();
    let mut done = 0;
    for (from, to) in archive.rooms.iter().zip(&rooms) {
        let mut batch = to.batch();
        for entry in from.scan(&[]) {
            let (key, value) = entry?;
            batch.insert(&key, &value)?;
            batch.write_if_many()?;
            done += 1;
            progress(done, all);
        }
        batch.write()?;
    }
    db.flush().map_err(failed)?;
    drop((rooms, db));
    let (_db, rooms) = reopened(opener, copy)?;
    let mut found = 0;
    for (from, to) in archive.rooms.iter().zip(&rooms) {
        for entry in from.scan(&[]) {
            let (key, value) = entry?;
            if to.get(&key)? != Some(value) {
                return Err(failed("the new archive is not what was written; nothing was changed"));
            }
        }
        found += to.len() as u64;
    }
    if found != done {
        return Err(failed("the new archive holds more than was written; nothing was changed"));
    }
    let head = archive.writer().clone();
    journal::whole(&rooms[Room::Journal as usize], &head)?;
    Ok((head, done))
}

fn reopened(opener: Opener<'_>, copy: &Path) -> Result<(sled::Db, Vec<Kept>), Invalid> {
    let raw = Raw::open(copy)?;
    let key = raw.mark().and_then(|(_, key)| key);
    let owner = opener.owner.to_string();
    let keeping = opener.keys.of_store(key, &owner, opener.entropy)?;
    Ok(raw.kept(keeping))
}

/// The entry that says that it was sealed anew, in the new one. Gives how many there are with it.
fn note(
    (opener, copy): (Opener<'_>, &Path),
    mut head: Frontier,
    (from, to): (Option<KeyId>, KeyId),
    now: Timestamp,
) -> Result<u64, Invalid> {
    let (db, rooms) = reopened(opener, copy)?;
    let name = |key: Option<KeyId>| key.map_or("no key".to_owned(), |key| format!("key {key}"));
    let entry = Qualified::from(Entry {
        at: now,
        act: Act::Alteration,
        by: opener.owner.clone(),
        to: String::new(),
        why: "rekey".to_owned(),
        subject: format!(
            "the archive is sealed with {}, before with {}",
            name(Some(to)),
            name(from)
        ),
        digest: head.root(),
    });
    let (at, entry) = (head.size().to_be_bytes(), entry.encode(&head));
    head.append(&entry);
    rooms[Room::Journal as usize].insert(&at, &entry)?;
    rooms[Room::Meta as usize].insert(JOURNAL_KEY, &head.to_bytes())?;
    db.flush().map_err(failed)?;
    journal::whole(&rooms[Room::Journal as usize], &head)?;
    drop((rooms, db));
    // The database writes until it has let go.
    let _held = durable::hold(&copy.join("db"))?;
    durable::sync_all(copy).map_err(failed)?;
    Ok(head.size())
}

/// The new archive is the archive from here on.
pub(super) fn take_place(data: &Path) -> Result<(), Invalid> {
    // Held until the end, in the order of whoever opens: nobody opens either of them meanwhile.
    let _held = durable::hold(data)?;
    let _old = durable::hold(&data.join("db"))?;
    let whole = |_| File::open(data)?.sync_all();
    fs::rename(data.join(PARTIAL), data.join(WHOLE)).and_then(whole).map_err(failed)?;
    move_up(data).map_err(failed)
}

fn move_up(data: &Path) -> io::Result<()> {
    let sync = || File::open(data)?.sync_all();
    let (whole, taking) = (data.join(WHOLE), data.join(TAKING));
    if whole.exists() {
        for entry in fs::read_dir(data)? {
            let entry = entry?;
            if entry.file_name().to_str().is_some_and(is_of_the_database) {
                if entry.file_type()?.is_dir() {
                    fs::remove_dir_all(entry.path())?;
                } else {
                    fs::remove_file(entry.path())?;
                }
            }
        }
        sync()?;
        fs::rename(&whole, &taking)?;
        sync()?;
    }
    for entry in fs::read_dir(&taking)? {
        let entry = entry?;
        fs::rename(entry.path(), data.join(entry.file_name()))?;
    }
    sync()?;
    fs::remove_dir(&taking)?;
    sync()
}

/// Names that the database gives to what it writes.
fn is_of_the_database(name: &str) -> bool {
    ["conf", "db", "blobs"].contains(&name) || name.starts_with("snap.")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use accord_proto::{clock::SystemEntropy, identity::Identity, seal::Digest};

    use super::*;
    use crate::archive::restore;

    const OWNER: &str = "spiffe://wb6.example/REGION/node/coordinator/coordinator";
    const CELL: &str = "marker.cell.of.the.region";
    const MARKERS: [&str; 4] =
        [CELL, "marker words of a picture", "marker of a collection", "marker reason"];

    fn now() -> Timestamp {
        Timestamp::from_s("", 1_800_000_000).unwrap()
    }

    fn owner() -> Identity {
        Identity::parse(OWNER).unwrap()
    }

    fn line() -> String {
        Keys::new_line(&SystemEntropy).unwrap().1.to_string()
    }

    fn keys(lines: &[&str]) -> Keys {
        Keys::parse(&lines.concat()).unwrap()
    }

    fn opener<'a>(path: &'a Path, owner: &'a Identity, keys: &'a Keys) -> Opener<'a> {
        Opener { path, owner, free_bytes_min: 0, keys, entropy: &SystemEntropy }
    }

    fn open(path: &Path, keys: &Keys) -> Result<Archive, Invalid> {
        Archive::open_by(opener(path, &owner(), keys))
    }

    #[test]
    fn nobody_begins_an_archive_where_somebody_exchanges_its_files() {
        let dir = tempfile::tempdir().unwrap();
        let exchanging = durable::hold(dir.path()).unwrap();
        let refused = open(dir.path(), &Keys::none()).map(drop).unwrap_err();
        assert!(refused.detail.contains("another process has it open"), "{refused}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        drop(exchanging);
        open(dir.path(), &Keys::none()).unwrap();
    }

    /// An archive with something in rooms of every kind, closed again.
    async fn filled(path: &Path, keys: &Keys) {
        let archive = open(path, keys).unwrap();
        let entry = Entry {
            at: now(),
            act: Act::Combination,
            by: owner(),
            to: String::new(),
            why: MARKERS[3].to_owned(),
            subject: "test".to_owned(),
            digest: Digest([1; 32]),
        };
        let cell = |name: &str| format!("{name} DRG 2016 -").into_bytes();
        let writes = vec![
            (Room::Pooled, cell(CELL), b"1".to_vec()),
            (Room::Pooled, cell("OTHER"), b"2".to_vec()),
            (Room::PooledLog, [&[0; 8][..], &cell(CELL)].concat(), b"1".to_vec()),
            (Room::Pictures, b"picture".to_vec(), MARKERS[1].repeat(3_000).into_bytes()),
        ];
        archive.commit(archive.writer(), writes, entry).unwrap();
        let room = &archive.rooms[Room::Collections as usize];
        room.insert(b"requirement", MARKERS[2].as_bytes()).unwrap();
        archive.settled().await.unwrap();
    }

    fn files(folder: &Path) -> Vec<Vec<u8>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files.extend(self::files(&path));
            } else {
                files.push(fs::read(path).unwrap());
            }
        }
        files
    }

    fn found(folder: &Path) -> Vec<&'static str> {
        let files = files(folder);
        let stands = |marker: &str| {
            files.iter().any(|file| memchr::memmem::find(file, marker.as_bytes()).is_some())
        };
        MARKERS.into_iter().filter(|marker| stands(marker)).collect()
    }

    /// Everything but the journal and its head.
    fn all(archive: &Archive) -> BTreeMap<(usize, Vec<u8>), Vec<u8>> {
        let mut all = BTreeMap::new();
        for (room, kept) in archive.rooms.iter().enumerate() {
            for entry in kept.scan(&[]) {
                let (key, value) = entry.unwrap();
                if room != Room::Journal as usize && *key != *JOURNAL_KEY {
                    all.insert((room, key.to_vec()), value.to_vec());
                }
            }
        }
        assert!(all.len() >= 6, "{}", all.len());
        all
    }

    #[tokio::test]
    async fn what_is_planted_in_an_archive_is_found_on_its_disk_without_a_key_and_nowhere_with_one()
    {
        let dir = tempfile::tempdir().unwrap();
        let (bare, sealed) = (dir.path().join("bare"), dir.path().join("sealed"));
        let (mine, other) = (keys(&[&line()]), keys(&[&line()]));
        filled(&bare, &Keys::none()).await;
        assert_eq!(found(&bare), MARKERS);
        filled(&sealed, &mine).await;
        assert_eq!(found(&sealed), [""; 0]);
        for tried in [&Keys::none(), &other] {
            let error = open(&sealed, tried).unwrap_err();
            assert_eq!(error.reason, Reason::FieldInvalid, "{error}");
            assert!(error.detail.contains("wrong key"), "{error}");
        }
        assert!(open(&bare, &mine).unwrap_err().detail.contains("`rekey`"));
        let archive = open(&sealed, &mine).unwrap();
        assert_eq!(all(&archive), all(&open(&bare, &Keys::none()).unwrap()));
        // What is hidden is found by how it begins, and only that.
        let pooled = |prefix: String| {
            archive.rooms[Room::Pooled as usize].scan(prefix.as_bytes()).map(Result::unwrap).count()
        };
        assert_eq!((pooled(format!("{CELL} ")), pooled("OTHER".to_owned())), (1, 1));
        let until = |end: u64| archive.rooms[Room::PooledLog as usize].range(..end.to_be_bytes());
        assert_eq!((until(0).count(), until(1).count()), (0, 1));
    }

    #[tokio::test]
    async fn two_values_of_an_archive_that_changed_places_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let keys = keys(&[&line()]);
        filled(dir.path(), &keys).await;
        let archive = open(dir.path(), &keys).unwrap();
        let (one, other) =
            (&archive.rooms[Room::Pooled as usize], &archive.rooms[Room::Pictures as usize]);
        let (first, last) =
            (one.tree().first().unwrap().unwrap(), one.tree().last().unwrap().unwrap());
        let picture = other.tree().first().unwrap().unwrap();
        for (key, moved) in [(&first.0, &last.1), (&first.0, &picture.1), (&first.0, &b"1".into())]
        {
            one.tree().insert(key, moved).unwrap();
            let error = one.scan(&[]).find_map(Result::err).unwrap();
            assert_eq!(error.reason, Reason::StoreFailed, "{error}");
            assert!(error.detail.contains("put in another's place"), "{error}");
        }
    }

    #[tokio::test]
    async fn an_archive_that_is_sealed_anew_holds_the_same_and_needs_no_other_key() {
        let dir = tempfile::tempdir().unwrap();
        let (data, owner, old, new) = (dir.path(), owner(), line(), line());
        filled(data, &Keys::none()).await;
        let before = all(&open(data, &Keys::none()).unwrap());
        let (first, both) = (keys(&[&old]), keys(&[&new, &old]));
        for (keys, from, entries) in [(&first, None, 2), (&both, first.first(), 3)] {
            let rekeyed =
                rekey(opener(data, &owner, keys), now(), |_, _| ()).await.unwrap().unwrap();
            assert_eq!((rekeyed.from, Some(rekeyed.to)), (from, keys.first()));
            assert_eq!(rekeyed.journal_size, entries);
            assert_eq!(found(data), [""; 0]);
            let again = rekey(opener(data, &owner, keys), now(), |_, _| ()).await.unwrap();
            assert_eq!(again, None);
        }
        let archive = open(data, &keys(&[&new])).unwrap();
        assert_eq!((all(&archive), archive.journal_size()), (before, 3));
    }

    /// What had been done when it was cut off.
    type Cut = fn(&Path);
    const CUTS: [(&str, Cut); 6] = [
        ("half a copy", |data| fs::write(data.join("rekeying/db"), "half").unwrap()),
        ("a whole copy", |_| ()),
        ("it counts", |data| {
            fs::rename(data.join("rekeying"), data.join("rekeyed")).unwrap();
        }),
        ("some old files are gone", |data| {
            fs::rename(data.join("rekeying"), data.join("rekeyed")).unwrap();
            fs::remove_file(data.join("db")).unwrap();
        }),
        ("all old files are gone", |data| {
            for name in ["db", "conf"] {
                fs::remove_file(data.join(name)).unwrap();
            }
            fs::remove_dir_all(data.join("blobs")).unwrap();
            fs::rename(data.join("rekeying"), data.join("taking")).unwrap();
        }),
        ("some have moved up", |data| {
            for name in ["db", "conf"] {
                fs::remove_file(data.join(name)).unwrap();
            }
            fs::remove_dir_all(data.join("blobs")).unwrap();
            fs::rename(data.join("rekeying"), data.join("taking")).unwrap();
            fs::rename(data.join("taking/db"), data.join("db")).unwrap();
        }),
    ];

    /// What lies there, by name.
    fn names(folder: &Path) -> Vec<String> {
        let mut names = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            names.push(path.display().to_string());
            if path.is_dir() {
                names.extend(self::names(&path));
            }
        }
        names.sort();
        names
    }

    #[tokio::test]
    async fn whoever_only_looks_at_an_archive_leaves_a_rekeying_as_it_was_cut_off_and_makes_none() {
        let owner = owner();
        for (what, cut) in CUTS {
            let dir = tempfile::tempdir().unwrap();
            let (data, old, new) = (dir.path(), line(), line());
            filled(data, &keys(&[&old])).await;
            let both = keys(&[&new, &old]);
            write_anew(opener(data, &owner, &both), now(), &mut |_, _| ()).unwrap().unwrap();
            // The database lets go a moment later.
            drop(durable::hold(&data.join("db")).unwrap());
            cut(data);
            let (before, ends) = (names(data), under_way(data));
            let (old_files, only) = (files(data), keys(&[&old]));
            let looked = Archive::examine(opener(data, &owner, &only));
            if ends {
                let error = looked.map(drop).unwrap_err();
                assert!(error.detail.contains("a rekey was cut off"), "{what}: {error}");
                assert_eq!(files(data), old_files, "{what}");
            } else {
                assert_eq!(looked.unwrap().key(), only.first(), "{what}");
            }
            assert_eq!(names(data), before, "{what}");
        }
        let dir = tempfile::tempdir().unwrap();
        let nothing = Archive::examine(opener(dir.path(), &owner, &Keys::none())).map(drop);
        assert_eq!(nothing.unwrap_err().reason, Reason::NotFound);
        assert_eq!(names(dir.path()), [""; 0]);
    }

    #[tokio::test]
    async fn a_rekeying_of_an_archive_that_is_cut_off_anywhere_loses_nothing_and_ends_when_run_again()
     {
        let owner = owner();
        for (what, cut) in CUTS {
            for serves_between in [false, true] {
                let dir = tempfile::tempdir().unwrap();
                let (data, old, new) = (dir.path(), line(), line());
                filled(data, &keys(&[&old])).await;
                fs::write(data.join("backed-up"), "").unwrap();
                let before = all(&open(data, &keys(&[&old])).unwrap());
                let both = keys(&[&new, &old]);
                write_anew(opener(data, &owner, &both), now(), &mut |_, _| ()).unwrap().unwrap();
                // The database lets go a moment later.
                drop(durable::hold(&data.join("db")).unwrap());
                cut(data);
                assert!(Archive::is_there(data), "{what}");
                if serves_between {
                    let archive = open(data, &both).unwrap();
                    assert_eq!(all(&archive), before, "{what}");
                    archive.settled().await.unwrap();
                }
                rekey(opener(data, &owner, &both), now(), |_, _| ()).await.unwrap();
                let archive = open(data, &keys(&[&new])).unwrap();
                assert_eq!((all(&archive), archive.journal_size()), (before, 2), "{what}");
                for gone in ["rekeying", "rekeyed", "taking"] {
                    assert!(!data.join(gone).exists(), "{what}");
                }
                assert!(data.join("backed-up").exists(), "what is not the database's stays");
            }
        }
    }

    #[tokio::test]
    async fn a_backup_of_a_sealed_archive_is_restored_under_the_key_of_whoever_restores_it() {
        let dir = tempfile::tempdir().unwrap();
        let (data, mine, other) = (dir.path().join("data"), keys(&[&line()]), keys(&[&line()]));
        filled(&data, &mine).await;
        let archive = open(&data, &mine).unwrap();
        let file = dir.path().join("file");
        let mut written = Vec::new();
        let piece = |piece: Vec<u8>| {
            written.extend(piece);
            Ok(())
        };
        archive.snapshot().unwrap().write(&owner(), now(), piece).unwrap();
        fs::write(&file, written).unwrap();
        for (name, keys) in [("sealed", &other), ("bare", &Keys::none())] {
            let new = dir.path().join(name);
            restore(&*file, &new, now(), (keys, &SystemEntropy)).await.unwrap();
            let restored = open(&new, keys).unwrap();
            assert_eq!(restored.key(), keys.first());
            let mut after = all(&restored);
            after.remove(&(Room::Meta as usize, b"doubt".to_vec())).unwrap();
            assert_eq!(after, all(&archive));
            drop(restored);
            assert_eq!(found(&new).is_empty(), keys.first().is_some());
        }
    }
}
