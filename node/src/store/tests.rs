//! What the store promises without a network: a change is whole or not at all, owner and format are
//! checked, a full disk is refused in time, and nothing prints a figure.

use std::{fs, path::Path, sync::LazyLock};

use accord_proto::{
    at_rest::Keys,
    clock::{FixedClock, SystemEntropy, Timestamp},
    id::{RequirementId, SummaryId},
    identity::Identity,
    journal::{Act, Entry},
    seal::Digest,
    taxonomy::Lists,
};

use prost::Message as _;

use super::*;
use crate::{
    cube::Cube,
    record::{
        RawRecord, RawValue, Records,
        tests::{albania, read},
    },
    store::kept::sled_when_free,
};

mod backups;
mod ledgers;
mod sealed;

const OWNER: &str = "spiffe://wb6.example/AL/node/al-police/node";

/// Without a key.
static NONE: LazyLock<Keys> = LazyLock::new(Keys::none);

fn opener<'a>(path: &'a Path, keys: &'a Keys) -> Opener<'a> {
    Opener { path, owner: OWNER, free_bytes_min: 0, keys, entropy: &SystemEntropy }
}

fn now() -> Timestamp {
    Timestamp::parse("now", "2026-11-24").unwrap()
}

fn entry() -> Entry {
    Entry {
        at: now(),
        act: Act::Collection,
        by: Identity::parse(OWNER).unwrap(),
        to: String::new(),
        why: "test".to_owned(),
        subject: "test".to_owned(),
        digest: Digest::of(b""),
    }
}

fn records(value: &str) -> Records {
    let cell = |area| RawRecord::total(["PUB.OFF.N", area, "AL", "2016"], RawValue::Number(value));
    ["ICCS0101", "ICCS0401"].iter().map(|area| read(&cell(area)).unwrap()).collect()
}

fn held(store: &Store) -> Vec<Record> {
    let mut held = Vec::new();
    store.records(albania(), Lists::builtin(), |record| held.push(record.clone())).unwrap();
    held
}

fn all(parts: &[Records]) -> Vec<Record> {
    parts.iter().flat_map(Records::iter).collect()
}

fn import(store: &Store, digest: u8, value: &str, commit: bool) {
    let mut change = store.begin().unwrap();
    let summary = ImportSummary { digest: vec![digest; 32], rows_kept: 2, ..Default::default() };
    change.import(summary, &records(value), &[], Lists::builtin()).unwrap();
    if commit {
        change.commit(entry()).unwrap();
    }
}

#[tokio::test]
async fn an_import_that_was_not_committed_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    {
        let store = Store::open(dir.path(), OWNER, 0, &SystemEntropy).unwrap();
        import(&store, 1, "71", true);
        import(&store, 2, "99", false);
        assert!(held(&store) == all(&[records("71")]));
        store.settled().await.unwrap();
    }
    let store = Store::open(dir.path(), OWNER, 0, &SystemEntropy).unwrap();
    assert!(held(&store) == all(&[records("71")]));
    assert_eq!(store.head().journal().size(), 1);
    // The blocks that were left behind do not come back with the next import.
    import(&store, 3, "5", true);
    assert!(held(&store) == all(&[records("71"), records("5")]));
}

#[test]
fn a_store_never_changes_hands_and_an_unknown_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(Store::open(dir.path(), OWNER, 0, &SystemEntropy).unwrap());
    let stranger = OWNER.replace("AL", "BA");
    assert!(
        Store::open(dir.path(), &stranger, 0, &SystemEntropy)
            .unwrap_err()
            .detail
            .contains("belongs to")
    );
    {
        let db = sled_when_free(&sled::Config::new().path(dir.path().join("store"))).unwrap();
        db.open_tree("meta").unwrap().insert(schema::FORMAT_KEY, "accord-node 99").unwrap();
        db.flush().unwrap();
    }
    assert!(
        Store::open(dir.path(), OWNER, 0, &SystemEntropy)
            .unwrap_err()
            .detail
            .contains("accord-node 99")
    );
}

#[test]
fn an_almost_full_disk_is_refused_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), OWNER, u64::MAX, &SystemEntropy).unwrap();
    assert_eq!(store.begin().unwrap_err().reason, Reason::StoreFull);
    assert!(
        store
            .released(
                RequirementId::mint(&accord_proto::clock::SystemClock, &SystemEntropy).unwrap()
            )
            .unwrap()
            .is_none()
    );
}

#[test]
fn numbers_of_seals_only_rise() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), OWNER, 0, &SystemEntropy).unwrap();
    let mut change = store.begin().unwrap();
    assert_eq!((change.next_sequence(), change.next_sequence()), (1, 2));
    change.commit(entry()).unwrap();
    assert_eq!(store.begin().unwrap().next_sequence(), 3);
}

#[test]
fn nothing_of_a_record_prints_its_figure() {
    let records = records("71");
    let mut cube = Cube::default();
    for record in records.iter() {
        assert!(!format!("{record:?}").contains("71"));
        cube.put(&record);
    }
    let period = accord_proto::taxonomy::Period::parse("", "2016").unwrap();
    let cells = cube.tabulate(period, Lists::builtin(), &|_| true);
    for printed in [format!("{records:?}"), format!("{cube:?}"), format!("{cells:?}")] {
        assert!(!printed.contains("71"), "{printed}");
    }
}

#[test]
fn a_flipped_bit_of_a_block_is_noticed() {
    let records = records("71");
    let lists = Lists::builtin();
    let block = block::blocks(&records, lists).next().unwrap();
    let mut taken = Vec::new();
    block::read(&block, albania(), lists, |record| taken.push(record.clone())).unwrap();
    assert!(taken == records.iter().collect::<Vec<_>>());
    for bit in 0..block.len() * 8 {
        let mut flipped = block.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let error = block::read(&flipped, albania(), lists, |_| {}).unwrap_err();
        assert_eq!(error.reason, Reason::StoreFailed, "bit {bit}");
    }
}

#[test]
fn an_import_that_lost_a_block_is_refused_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), OWNER, 0, &SystemEntropy).unwrap();
    import(&store, 1, "71", true);
    let blocks = &store.rooms[Room::Blocks.at()];
    let key = blocks.places().next().unwrap().unwrap();
    blocks.tree().remove(key).unwrap();
    let error = store.records(albania(), Lists::builtin(), |_| {}).unwrap_err();
    assert!(error.detail.contains("import 1 has 0 of its 2 records"), "{error}");
}

#[test]
fn an_import_that_was_undone_counts_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), OWNER, 0, &SystemEntropy).unwrap();
    import(&store, 1, "71", true);
    import(&store, 2, "99", true);
    let mut change = store.begin().unwrap();
    change.undo(&store.import(2).unwrap()).unwrap();
    change.commit(entry()).unwrap();
    assert!(held(&store) == all(&[records("71")]));
    // Its file may be imported again.
    assert!(store.import_of(&Digest([2; 32])).unwrap().is_none());
    assert!(store.import_of(&Digest([1; 32])).unwrap().is_some());
}

/// Every value of every room, as one list: what the store holds.
fn all_values(store: &Store) -> Vec<(Room, Vec<u8>, Vec<u8>)> {
    let mut values = Vec::new();
    for room in Room::ALL {
        for entry in store.scan(room, &[]) {
            let (key, value) = entry.unwrap();
            values.push((room, key.to_vec(), value.to_vec()));
        }
    }
    values
}

fn open(dir: &Path) -> Result<Store, Invalid> {
    Store::open(dir, OWNER, 0, &SystemEntropy)
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_all(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[tokio::test]
async fn an_undone_import_and_one_that_was_left_behind_take_no_room() {
    let dir = tempfile::tempdir().unwrap();
    {
        let store = open(dir.path()).unwrap();
        import(&store, 1, "71", true);
        let mut change = store.begin().unwrap();
        change.undo(&store.import(1).unwrap()).unwrap();
        change.commit(entry()).unwrap();
        assert!(store.rooms[Room::Blocks.at()].is_empty());
        import(&store, 2, "99", false);
        assert!(!store.rooms[Room::Blocks.at()].is_empty());
        store.settled().await.unwrap();
    }
    let store = open(dir.path()).unwrap();
    assert!(store.rooms[Room::Blocks.at()].is_empty());
}

#[tokio::test]
async fn a_store_that_was_rolled_back_is_refused_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let (data, old) = (dir.path().join("data"), dir.path().join("old"));
    for digest in 1..=2 {
        {
            let store = open(&data).unwrap();
            import(&store, digest, "71", true);
            store.settled().await.unwrap();
        }
        if digest == 1 {
            copy_all(&data.join("store"), &old);
        }
    }
    // An older copy in the place of the store; its witness stays.
    fs::remove_dir_all(data.join("store")).unwrap();
    copy_all(&old, &data.join("store"));
    let error = open(&data).unwrap_err();
    assert_eq!(error.reason, Reason::StoreFailed);
    assert!(error.field.contains(data.to_str().unwrap()), "{error}");
    assert!(error.detail.contains("1 journal entries where 2 were acknowledged"), "{error}");
    assert!(error.detail.contains("accord-node restore"), "{error}");
    // Trying again does not help: nothing of it is served until a backup is restored.
    assert!(open(&data).is_err());
    // Without the witness it opens, and says that nothing vouches for it.
    fs::remove_file(data.join("head")).unwrap();
    let store = open(&data).unwrap();
    assert_eq!(store.found(), Found::Unwitnessed);
    store.settled().await.unwrap();
    drop(store);
    assert_eq!(open(&data).unwrap().found(), Found::Whole);
}

#[tokio::test]
async fn another_history_of_the_same_length_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (dir.path().join("one"), dir.path().join("other"));
    for (data, digest) in [(&one, 1), (&other, 2)] {
        let store = open(data).unwrap();
        import(&store, digest, "71", true);
        let mut entry = entry();
        entry.why = format!("history {digest}");
        store.begin().unwrap().commit(entry).unwrap();
        store.settled().await.unwrap();
        if digest == 2 {
            // Longer than the witness by now, and still another one.
            store.begin().unwrap().commit(self::entry()).unwrap();
            store.settled().await.unwrap();
        }
    }
    fs::copy(one.join("head"), other.join("head")).unwrap();
    let error = open(&other).unwrap_err();
    assert!(error.detail.contains("not the one that was acknowledged"), "{error}");
}

#[tokio::test]
async fn a_store_ahead_of_its_witness_is_what_a_crash_leaves_and_opens() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    let store = open(data).unwrap();
    import(&store, 1, "71", true);
    store.settled().await.unwrap();
    let witness = fs::read(data.join("head")).unwrap();
    import(&store, 2, "99", true);
    store.settled().await.unwrap();
    drop(store);
    fs::write(data.join("head"), witness).unwrap();
    let store = open(data).unwrap();
    assert_eq!((store.found(), store.imports().unwrap().len()), (Found::Whole, 2));
}

#[tokio::test]
async fn a_store_that_is_gone_is_not_taken_for_a_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    let store = open(data).unwrap();
    assert_eq!(store.found(), Found::New);
    store.settled().await.unwrap();
    drop(store);
    fs::remove_file(data.join("store/db")).unwrap();
    let error = open(data).unwrap_err();
    assert_eq!(error.reason, Reason::StoreFailed, "{error}");
    fs::remove_dir_all(data.join("store")).unwrap();
    let error = open(data).unwrap_err();
    assert!(error.detail.contains("the store is gone"), "{error}");
    fs::rename(data.join("head"), data.join("conf")).unwrap();
    let error = open(data).unwrap_err();
    assert!(error.detail.contains("holds conf"), "{error}");
}

#[tokio::test]
async fn one_value_that_is_gone_or_changed_in_any_room_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let (data, staged) = (dir.path().join("data"), dir.path().join("staged"));
    {
        let store = open(&data).unwrap();
        import(&store, 1, "71", true);
        let mut change = store.begin().unwrap();
        change.mapping("name", "text");
        let clock = FixedClock(now());
        let id = RequirementId::mint(&clock, &SystemEntropy).unwrap();
        change.release(id, &Released { response: vec![1], ..Default::default() });
        change.commit(entry()).unwrap();
        store.settled().await.unwrap();
    }
    let values = all_values(&open(&data).unwrap());
    for (room, key, value) in &values {
        for change in [None, Some([value.as_slice(), &[0]].concat())] {
            let _ = fs::remove_dir_all(&staged);
            copy_all(&data, &staged);
            {
                let db = sled_when_free(&sled::Config::new().path(staged.join("store"))).unwrap();
                let tree = db.open_tree(room.name()).unwrap();
                match &change {
                    Some(changed) => tree.insert(key, changed.as_slice()).unwrap(),
                    None => tree.remove(key).unwrap(),
                };
                db.flush().unwrap();
            }
            let error = open(&staged).err().unwrap_or_else(|| panic!("{room:?} {change:?}"));
            assert_eq!(error.reason, Reason::StoreFailed, "{room:?}: {error}");
        }
    }
    assert!(values.len() > 10, "{}", values.len());
}

/// A step that exists for this test alone: no format before this one was ever released.
fn rename_mapping(rooms: &[Kept]) -> Result<(), Invalid> {
    let mappings = &rooms[Room::Mappings.at()];
    let moved = mappings.get("old name")?.ok_or_else(|| failed(&"there is no old name"))?;
    let mut batch = mappings.batch();
    batch.remove(mappings.at(b"old name")?);
    batch.insert(b"name", &moved)?;
    batch.write()
}

#[tokio::test]
async fn an_older_format_is_brought_to_this_one_and_the_old_store_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    {
        let store = open(data).unwrap();
        let mut change = store.begin().unwrap();
        change.mapping("name", "text");
        change.commit(entry()).unwrap();
        store.settled().await.unwrap();
    }
    {
        // The fake older format calls the mapping otherwise.
        let db = sled_when_free(&sled::Config::new().path(data.join("store"))).unwrap();
        let mappings = db.open_tree("mappings").unwrap();
        mappings.remove("name").unwrap();
        mappings.insert("old name", "text").unwrap();
        db.open_tree("meta").unwrap().insert("format", "accord-node 0").unwrap();
        db.flush().unwrap();
    }
    // Without a step it is refused by name, and nothing happens to it.
    assert!(open(data).unwrap_err().detail.contains("accord-node 0"));
    let steps = [migrate::Step { from: "accord-node 0", to: schema::FORMAT, run: rename_mapping }];
    let open = || Store::open_with_steps(opener(data, &NONE), &steps);
    let store = open().unwrap();
    assert_eq!(store.mappings().unwrap(), [("name".to_owned(), "text".to_owned())]);
    assert_eq!((store.found(), store.head().journal().size()), (Found::Whole, 1));
    drop(store);
    let old = data.join("store.accord-node-0");
    assert!(old.is_dir() && !data.join("store.migrating").exists());

    // A crash after the exchange of names left the old store under the copy's name.
    fs::rename(&old, data.join("store.migrating")).unwrap();
    drop(open().unwrap());
    assert!(old.is_dir() && !data.join("store.migrating").exists());

    // A crash before it left half a copy: the old store is still the store.
    fs::remove_dir_all(data.join("store")).unwrap();
    fs::rename(&old, data.join("store")).unwrap();
    fs::create_dir(data.join("store.migrating")).unwrap();
    fs::write(data.join("store.migrating/db"), "half").unwrap();
    assert_eq!(open().unwrap().mappings().unwrap().len(), 1);
    assert!(old.is_dir());
}

fn backup(store: &Store) -> Vec<u8> {
    let mut file = Vec::new();
    let piece = |piece: Vec<u8>| {
        file.extend(piece);
        Ok(())
    };
    store.snapshot().unwrap().write(OWNER, now(), piece).unwrap();
    file
}

#[tokio::test]
async fn a_store_that_is_open_elsewhere_is_said_to_be_so() {
    let dir = tempfile::tempdir().unwrap();
    let _first = open(dir.path()).unwrap();
    let error = open(dir.path()).unwrap_err();
    assert_eq!(error.reason, Reason::StoreFailed);
    assert!(error.detail.contains("another process has this store open"), "{error}");
}

#[tokio::test]
async fn what_was_erased_lies_in_no_room_any_more() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    import(&store, 1, "71", true);
    let mut change = store.begin().unwrap();
    let summary = ImportSummary {
        digest: vec![2; 32],
        rows_kept: 2,
        file_name: "about somebody.csv".to_owned(),
        retention_until_s: now().as_s(),
        ..Default::default()
    };
    change.import(summary, &records("424242"), &[], Lists::builtin()).unwrap();
    change.commit(entry()).unwrap();
    assert!(store.imports_due(now().plus_s(-1)).unwrap().is_empty());
    let due = store.imports_due(now()).unwrap();
    assert_eq!(due.iter().map(|import| import.number).collect::<Vec<_>>(), [2]);

    let blocks: Vec<_> = store.scan(Room::Blocks, &2_u64.to_be_bytes()).collect();
    assert_eq!(blocks.len(), 1);
    let (_, block) = blocks[0].as_ref().unwrap();
    let mut change = store.begin_taking_back().unwrap();
    change.erase_import(&due[0]).unwrap();
    let id = SummaryId::mint(&FixedClock(now()), &SystemEntropy).unwrap();
    change.erase_summary(id, 1);
    change.commit(entry()).unwrap();

    for (room, _, value) in all_values(&store) {
        let holds = |bytes: &[u8]| value.windows(bytes.len()).any(|window| window == bytes);
        assert!(!holds(block) && !holds(b"about somebody"), "{room:?}");
    }
    assert!(held(&store) == all(&[records("71")]));
    assert!(store.imports_due(now()).unwrap().is_empty());
    store.settled().await.unwrap();
    drop(store);
    assert_eq!(open(dir.path()).unwrap().found(), Found::Whole);
}

#[test]
fn the_reserve_lets_consent_be_taken_back_when_nothing_else_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let free = rustix::fs::statvfs(dir.path()).unwrap();
    let free = free.f_bavail * free.f_frsize;
    // More than is free, and less than twice as much.
    let store = Store::open(dir.path(), OWNER, free / 4 * 5, &SystemEntropy).unwrap();
    assert_eq!(store.begin().unwrap_err().reason, Reason::StoreFull);
    assert_eq!(store.begin_release().unwrap_err().reason, Reason::StoreFull);
    assert!(store.begin_taking_back().is_ok());
}

#[test]
fn an_import_that_the_disk_has_no_room_for_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    let head = store.head.lock().unwrap();
    let mut change = Change::new(&store, head, u64::MAX);
    let why = Invalid::new(Reason::FieldInvalid, "n", "x".repeat(1_024));
    let quarantined: Vec<_> =
        (0..2_000).map(|row| crate::ingest::Quarantined { row, why: why.clone() }).collect();
    let summary = ImportSummary { digest: vec![1; 32], ..Default::default() };
    let failed = change.import(summary, &records("71"), &quarantined, Lists::builtin());
    assert_eq!(failed.unwrap_err().reason, Reason::StoreFull);
    drop(change);
    for room in [Room::Blocks, Room::Quarantine] {
        assert_eq!(store.scan(room, &[]).count(), 0);
    }
}

#[test]
fn a_mapping_is_found_by_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    let mut change = store.begin().unwrap();
    change.mapping("yearly", "source = 1");
    change.commit(entry()).unwrap();
    assert_eq!(store.mapping("yearly").unwrap(), "source = 1");
    assert_eq!(store.mapping("year").unwrap_err().reason, Reason::NotFound);
}
