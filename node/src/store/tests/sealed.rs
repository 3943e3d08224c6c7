//! A store that has a key: what lies on the disk says nothing, and opens with that key alone, until it is written anew with another.

use std::{fs, path::Path};

use accord_proto::{
    at_rest::Keys,
    clock::SystemEntropy,
    id::{ProductId, RequirementId, SummaryId},
    identity::Identity,
    journal::Act,
    seal::{Digest, Envelope},
    wire,
};

use super::{super::*, OWNER, all_values, backup, copy_all, entry, import, now, opener};
use crate::store::{kept::Raw, rekey};

/// What is looked for on the disk: in a mapping and its name, a summary's text, a picture's words, the journal, a product's title and
/// a word that was said of it.
const MARKERS: [&str; 7] = [
    "marker-name-of-a-mapping",
    "marker text of a mapping",
    "marker text of a summary",
    "marker words of a picture",
    "marker reason in the journal",
    "marker title of a product",
    "marker word of this node",
];
const ID: &str = "01a20b74-b718-7a08-a333-9c5c982785a0";
/// A figure; and its bytes as it lies in a block of the two records that have it.
const FIGURE: &str = "7171717";
const FIGURE_BYTES: [u8; 8] = [0x85, 0xdd, 0xb5, 0x03, 0x85, 0xdd, 0xb5, 0x03];

/// The line of a new key.
fn line() -> String {
    Keys::new_line(&SystemEntropy).unwrap().1.to_string()
}

fn keys(lines: &[&str]) -> Keys {
    Keys::parse(&lines.concat()).unwrap()
}

fn open_with(data: &Path, keys: &Keys) -> Result<Store, Invalid> {
    Store::open_by(opener(data, keys))
}

/// A store with something in most of its rooms, closed again.
async fn filled(data: &Path, keys: &Keys) {
    let store = open_with(data, keys).unwrap();
    import(&store, 1, FIGURE, true);
    let mut change = store.begin().unwrap();
    change.mapping(MARKERS[0], MARKERS[1]);
    let id = SummaryId::parse("", ID).unwrap();
    let text = prost::Message::encode_to_vec(&MARKERS[2].to_owned());
    change.write(Room::Summaries, &summaries::key(id, 1), text);
    let file = MARKERS[3].repeat(5_000);
    let evidence = Digest::of(file.as_bytes()).0.to_vec();
    let line = Delivered { version: 1, evidence, bytes: file.len() as u64, ..Delivered::default() };
    change.keep_picture(RequirementId::parse("", ID).unwrap(), &line, file.as_bytes()).unwrap();
    let id = ProductId::parse("", ID).unwrap();
    let title = wire::product::Entry { title: MARKERS[5].to_owned(), ..Default::default() };
    change.note_product(id, &Line { entry: Some(title), ..Line::default() });
    let word = Envelope { payload: MARKERS[6].as_bytes().to_vec(), ..Envelope::default() };
    change.keep_word(id, &word, &Identity::parse(OWNER).unwrap()).unwrap();
    let mut entry = entry();
    entry.why = MARKERS[4].to_owned();
    entry.act = Act::Alteration;
    change.commit(entry).unwrap();
    store.settled().await.unwrap();
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

/// Which markers stand anywhere below a folder.
fn found(folder: &Path) -> Vec<&'static str> {
    let files = files(folder);
    let stands =
        |marker: &[u8]| files.iter().any(|file| memchr::memmem::find(file, marker).is_some());
    let mut found: Vec<_> =
        MARKERS.into_iter().filter(|marker| stands(marker.as_bytes())).collect();
    found.extend(stands(&FIGURE_BYTES).then_some(FIGURE));
    found
}

fn all_but_the_head(store: &Store) -> Vec<(Room, Vec<u8>, Vec<u8>)> {
    let mut values = all_values(store);
    let heads = [schema::JOURNAL_KEY, schema::COUNTERS_KEY];
    let is_head = |key: &[u8]| heads.iter().any(|head| head.as_bytes() == key);
    values
        .retain(|(room, key, _)| *room != Room::Journal && !(*room == Room::Meta && is_head(key)));
    values.sort();
    values
}

#[tokio::test]
async fn what_is_planted_in_a_store_is_found_on_its_disk_without_a_key_and_nowhere_with_one() {
    let dir = tempfile::tempdir().unwrap();
    let (bare, sealed, mine) = (dir.path().join("bare"), dir.path().join("sealed"), line());
    filled(&bare, &Keys::none()).await;
    assert_eq!(found(&bare).len(), MARKERS.len() + 1, "{:?}", found(&bare));
    filled(&sealed, &keys(&[&mine])).await;
    // Again after a start, which writes, too.
    for _ in 0..2 {
        assert_eq!(found(&sealed), [""; 0]);
        let store = open_with(&sealed, &keys(&[&mine])).unwrap();
        assert_eq!(store.found(), Found::Whole);
        assert_eq!(store.mapping(MARKERS[0]).unwrap(), MARKERS[1]);
        let id = RequirementId::parse("", ID).unwrap();
        assert!(store.picture_file(id, 1).unwrap().1.starts_with(MARKERS[3].as_bytes()));
        let id = ProductId::parse("", ID).unwrap();
        assert_eq!(store.product_lines(None, 9).unwrap()[0].0, id);
        assert_eq!(store.own_words(id).unwrap()[0].payload, MARKERS[6].as_bytes());
        import(&store, 2, FIGURE, true);
        store.settled().await.unwrap();
    }
}

#[tokio::test]
async fn a_copied_store_does_not_open_without_its_key_and_says_which_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let (data, mine, other) = (dir.path().join("data"), line(), line());
    filled(&data, &keys(&[&mine])).await;
    let id = keys(&[&mine]).first().unwrap().to_string();
    for tried in [Keys::none(), keys(&[&other])] {
        for copy in ["one", "two"] {
            // Without its witness, too.
            let copy = dir.path().join(copy);
            let _ = fs::remove_dir_all(&copy);
            copy_all(&data, &copy);
            if copy.ends_with("two") {
                fs::remove_file(copy.join("head")).unwrap();
            }
            let error = open_with(&copy, &tried).unwrap_err();
            assert_eq!(error.reason, Reason::FieldInvalid, "{error}");
            assert!(error.detail.contains("wrong key") && error.detail.contains(&id), "{error}");
            assert!(open_with(&copy, &keys(&[&mine])).is_ok(), "nothing happened to it");
        }
    }
}

#[tokio::test]
async fn a_store_without_a_key_is_not_opened_with_one_before_it_is_sealed_anew() {
    let dir = tempfile::tempdir().unwrap();
    let (data, mine) = (dir.path(), line());
    filled(data, &Keys::none()).await;
    let error = open_with(data, &keys(&[&mine])).unwrap_err();
    assert_eq!(error.reason, Reason::FieldInvalid, "{error}");
    assert!(error.detail.contains("`rekey`"), "{error}");
    assert_eq!(found(data).len(), MARKERS.len() + 1);
    assert_eq!(open_with(data, &Keys::none()).unwrap().head().journal().size(), 2);
}

#[tokio::test]
async fn two_values_that_changed_places_on_the_disk_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (data, staged, mine) = (dir.path().join("data"), dir.path().join("staged"), line());
    let keys = keys(&[&mine]);
    filled(&data, &keys).await;
    // Between keys of one room, between rooms, and a value that is bare.
    for (one, other) in [("journal", "journal"), ("files", "files"), ("summaries", "mappings")] {
        let _ = fs::remove_dir_all(&staged);
        copy_all(&data, &staged);
        {
            let raw = Raw::open(&staged.join("store")).unwrap();
            let (db, rooms) = raw.kept(accord_proto::at_rest::Keeping::bare());
            let tree = |name| {
                rooms.iter().zip(Room::ALL).find(|(_, room)| room.name() == name).unwrap().0.tree()
            };
            let (one, other) = (tree(one), tree(other));
            let (first, last) = (one.first().unwrap().unwrap(), other.last().unwrap().unwrap());
            assert_ne!(first, last);
            one.insert(first.0, last.1).unwrap();
            other.insert(last.0, first.1).unwrap();
            db.flush().unwrap();
        }
        let error = open_with(&staged, &keys).unwrap_err();
        assert_eq!(error.reason, Reason::StoreFailed, "{error}");
        assert!(error.detail.contains("put in another's place"), "{one} {other}: {error}");
        assert!(error.detail.contains("restore"), "{error}");
    }
}

#[tokio::test]
async fn a_store_that_is_sealed_anew_holds_the_same_and_needs_no_other_key() {
    let dir = tempfile::tempdir().unwrap();
    let (data, old, new) = (dir.path(), line(), line());
    filled(data, &Keys::none()).await;
    let before = all_but_the_head(&open_with(data, &Keys::none()).unwrap());
    let (first, both) = (keys(&[&old]), keys(&[&new, &old]));
    let mut told = Vec::new();
    let mut entries = 2;
    for (keys, from) in [(&first, None), (&both, first.first())] {
        let progress = |done, all| told.push((done, all));
        let rekeyed = rekey(opener(data, keys), now(), progress).await.unwrap().unwrap();
        entries += 1;
        assert_eq!((rekeyed.from, Some(rekeyed.to)), (from, keys.first()));
        assert_eq!(rekeyed.journal_size, entries);
        assert_eq!(found(data), [""; 0]);
        assert!(!data.join("store.rekeying").exists());
        // A second time there is nothing to do.
        assert_eq!(rekey(opener(data, keys), now(), |_, _| ()).await.unwrap(), None);
    }
    assert!(told.last().is_some_and(|(done, all)| done == all && *all > 10), "{told:?}");
    let store = open_with(data, &keys(&[&new])).unwrap();
    assert_eq!((store.found(), store.head().journal().size()), (Found::Whole, entries));
    assert!(all_but_the_head(&store) == before);
    let last = store.entry(entries - 1).unwrap();
    assert!(memchr::memmem::find(&last, b"before with key").is_some());
}

/// A folder beside a store whose rekeying was cut off there.
enum Cut {
    HalfACopy,
    WholeCopy,
    NamesExchanged,
}

#[tokio::test]
async fn a_rekeying_that_is_cut_off_anywhere_loses_nothing_and_ends_when_it_is_run_again() {
    for cut in [Cut::HalfACopy, Cut::WholeCopy, Cut::NamesExchanged] {
        for serves_between in [false, true] {
            let dir = tempfile::tempdir().unwrap();
            let (data, old, new) = (dir.path(), line(), line());
            filled(data, &keys(&[&old])).await;
            let before = all_but_the_head(&open_with(data, &keys(&[&old])).unwrap());
            let both = keys(&[&new, &old]);
            rekey::write_anew(opener(data, &both), now(), &mut |_, _| ()).unwrap().unwrap();
            let beside = data.join("store.rekeying");
            match cut {
                Cut::HalfACopy => {
                    let db = fs::read(beside.join("db")).unwrap();
                    fs::write(beside.join("db"), &db[..db.len() / 2]).unwrap();
                }
                Cut::WholeCopy => {}
                Cut::NamesExchanged => rekey::take_place(data).unwrap(),
            }
            assert!(beside.is_dir());
            if serves_between {
                let store = open_with(data, &both).unwrap();
                assert!(all_but_the_head(&store) == before);
                assert!(!beside.exists(), "what lies beside is cleared away");
                store.settled().await.unwrap();
            }
            rekey(opener(data, &both), now(), |_, _| ()).await.unwrap();
            assert!(!beside.exists());
            let store = open_with(data, &keys(&[&new])).unwrap();
            assert!(all_but_the_head(&store) == before);
            assert_eq!(store.head().journal().size(), 3, "done once");
        }
    }
}

#[tokio::test]
async fn a_backup_of_a_sealed_store_is_restored_under_the_key_of_whoever_restores_it() {
    let dir = tempfile::tempdir().unwrap();
    let (data, mine, other) = (dir.path().join("data"), line(), line());
    filled(&data, &keys(&[&mine])).await;
    let store = open_with(&data, &keys(&[&mine])).unwrap();
    let (before, file) = (all_but_the_head(&store), dir.path().join("file"));
    fs::write(&file, backup(&store)).unwrap();
    for (name, keys) in [("sealed", keys(&[&other])), ("bare", Keys::none())] {
        let new = dir.path().join(name);
        restore(file.as_path(), &new, now(), (&keys, &SystemEntropy)).await.unwrap();
        let store = open_with(&new, &keys).unwrap();
        assert_eq!(store.key(), keys.first());
        assert!(all_but_the_head(&store) == before);
        drop(store);
        assert_eq!(found(&new).is_empty(), keys.first().is_some());
    }
}

#[tokio::test]
async fn an_older_format_under_a_key_is_brought_to_this_one_under_the_same_key() {
    let dir = tempfile::tempdir().unwrap();
    let (data, keys) = (dir.path(), keys(&[&line()]));
    filled(data, &keys).await;
    {
        let raw = Raw::open(&data.join("store")).unwrap();
        let keeping = keys.of_new(OWNER, &SystemEntropy).unwrap();
        let (db, rooms) = raw.kept(keeping);
        let mut batch = rooms[Room::Meta.at()].batch();
        batch.insert(schema::FORMAT_KEY.as_bytes(), b"accord-node 0").unwrap();
        batch.write().unwrap();
        db.flush().unwrap();
    }
    let error = open_with(data, &keys).unwrap_err();
    assert!(error.detail.contains("\"accord-node 0\""), "{error}");
    let steps = [migrate::Step { from: "accord-node 0", to: schema::FORMAT, run: |_| Ok(()) }];
    let store = Store::open_with_steps(opener(data, &keys), &steps).unwrap();
    assert_eq!(store.key(), keys.first());
    assert_eq!(store.mapping(MARKERS[0]).unwrap(), MARKERS[1]);
    drop(store);
    assert_eq!(found(data), [""; 0]);
}

#[tokio::test]
async fn a_store_that_nothing_vouches_for_is_in_doubt_when_it_is_sealed_anew() {
    let dir = tempfile::tempdir().unwrap();
    let (data, mine) = (dir.path(), keys(&[&line()]));
    filled(data, &Keys::none()).await;
    fs::remove_file(data.join("head")).unwrap();
    rekey(opener(data, &mine), now(), |_, _| ()).await.unwrap().unwrap();
    let store = open_with(data, &mine).unwrap();
    assert!(store.head().in_doubt());
    // The entry of the sealing, and the one that says that there was no witness.
    assert_eq!((store.found(), store.head().journal().size()), (Found::Whole, 4));
}
