//! What the store promises without a network: a change is whole or not at all, owner and format are
//! checked, a full disk is refused in time, and nothing prints a figure.

use accord_proto::{
    clock::{SystemEntropy, Timestamp},
    id::RequirementId,
    identity::Identity,
    journal::Act,
    seal::Digest,
    taxonomy::Lists,
};

use super::*;
use crate::record::RawRecord;

const OWNER: &str = "spiffe://wb6.example/AL/node/al-police/node";

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

fn albania() -> JurisdictionCode {
    JurisdictionCode::parse("AL").unwrap()
}

fn records(value: &str) -> Vec<Record> {
    let raw = |crime_area| RawRecord {
        indicator: "PUB.OFF.N",
        crime_area,
        region: "AL",
        period: "2016",
        value: Some(value),
    };
    let parse = |area| Record::parse(raw(area), albania(), Lists::builtin()).unwrap();
    ["ICCS0101", "ICCS0401"].map(parse).to_vec()
}

fn import(store: &Store, digest: u8, value: &str, commit: bool) {
    let mut change = store.begin().unwrap();
    let summary = ImportSummary { digest: vec![digest; 32], ..Default::default() };
    change.import(summary, &records(value), &[]).unwrap();
    if commit {
        change.commit(entry()).unwrap();
    }
}

#[tokio::test]
async fn an_import_that_was_not_committed_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let lists = Lists::builtin();
    {
        let store = Store::open(dir.path(), OWNER, 0, &SystemEntropy).unwrap();
        import(&store, 1, "71", true);
        import(&store, 2, "99", false);
        assert_eq!(store.records(albania(), lists).unwrap(), records("71"));
        store.settled().await.unwrap();
    }
    let store = Store::open(dir.path(), OWNER, 0, &SystemEntropy).unwrap();
    assert_eq!(store.records(albania(), lists).unwrap(), records("71"));
    assert_eq!(store.head().journal().size(), 1);
    // The blocks that were left behind do not come back with the next import.
    import(&store, 3, "5", true);
    assert_eq!(store.records(albania(), lists).unwrap(), [records("71"), records("5")].concat());
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
        let db = sled::open(dir.path()).unwrap();
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
    let record = records("71")[0];
    assert!(!format!("{record:?}").contains("71"));
    assert!(!format!("{:?}", crate::cube::Cube::of([record])).contains("71"));
}
