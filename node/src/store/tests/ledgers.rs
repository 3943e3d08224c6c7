//! The privacy ledger on disk: whole, in its order, or the store does not open; and in doubt where it may have forgotten something.

use super::*;

fn charges() -> [crate::disclose::ledger::Charge; 2] {
    use accord_proto::taxonomy::{IndicatorCode, Period, Tier};
    ["2016", "2017"].map(|period| crate::disclose::ledger::Charge {
        indicator: IndicatorCode::parse("MIG.IBC.N").unwrap(),
        period: Period::parse("", period).unwrap(),
        draw: accord_proto::id::EditionId::parse("", "01a20b74-b718-7a08-a333-9c5c982785a0")
            .unwrap(),
        tier: Tier::A,
        nano_rho: 123_456_789,
        beside: 0,
        lasting: String::new(),
        at: now(),
    })
}

/// A store with two charges and a loss, and the folder that it lies in.
async fn charged(dir: &Path) {
    let store = Store::open(dir, OWNER, 0, &SystemEntropy).unwrap();
    let mut ledger = store.ledger(Lists::builtin()).unwrap();
    let mut change = store.begin().unwrap();
    charges().into_iter().for_each(|charge| ledger.replay(charge));
    change.charge(&charges(), &ledger);
    ledger.lose(now());
    change.confirm(now(), &ledger);
    change.commit(entry()).unwrap();
    store.settled().await.unwrap();
    let read = store.ledger(Lists::builtin()).unwrap();
    assert_eq!((read.size(), read.losses(), read.head()), (3, 1, ledger.head()));
}

#[tokio::test]
async fn a_ledger_that_is_missing_cut_or_changed_keeps_the_store_shut() {
    type Damage = fn(&sled::Db);
    let damages: [(&str, Damage); 6] = [
        ("nothing left", |db| db.open_tree("ledger").unwrap().clear().unwrap()),
        ("the room is gone", |db| assert!(db.drop_tree("ledger").unwrap())),
        ("the last is cut off", |db| {
            db.open_tree("ledger").unwrap().pop_max().unwrap().unwrap();
        }),
        ("the first is gone", |db| {
            db.open_tree("ledger").unwrap().pop_min().unwrap().unwrap();
        }),
        ("a charge became smaller", |db| {
            let room = db.open_tree("ledger").unwrap();
            let (key, value) = room.first().unwrap().unwrap();
            let mut smaller = schema::decode::<ledger::StoredCharge>(&value).unwrap();
            smaller.make_free();
            room.insert(key, smaller.encode_to_vec()).unwrap();
        }),
        ("two changed places", |db| {
            let room = db.open_tree("ledger").unwrap();
            let values: Vec<_> = room.iter().values().map(Result::unwrap).collect();
            for (at, from) in [(0_u64, 1), (1, 0)] {
                room.insert(at.to_be_bytes(), values[from].clone()).unwrap();
            }
        }),
    ];
    for (what, damage) in damages {
        for without_witness in [false, true] {
            let dir = tempfile::tempdir().unwrap();
            charged(dir.path()).await;
            {
                let db =
                    sled_when_free(&sled::Config::new().path(dir.path().join("store"))).unwrap();
                damage(&db);
                db.flush().unwrap();
            }
            if without_witness {
                fs::remove_file(dir.path().join("head")).unwrap();
            }
            let error = Store::open(dir.path(), OWNER, 0, &SystemEntropy).unwrap_err();
            assert_eq!(error.reason, Reason::StoreFailed, "{what}");
            assert!(!error.to_string().contains("123456789"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_ledger_is_checked_by_itself_too() {
    let dir = tempfile::tempdir().unwrap();
    charged(dir.path()).await;
    let store = Store::open(dir.path(), OWNER, 0, &SystemEntropy).unwrap();
    let room = store.rooms[Room::Ledger.at()].tree();
    let last = room.pop_max().unwrap().unwrap();
    let error = store.ledger(Lists::builtin()).unwrap_err();
    assert!(error.detail.contains("not what was written"), "{error}");
    room.insert(last.0, last.1).unwrap();
    assert!(store.ledger(Lists::builtin()).is_ok());
    room.pop_min().unwrap().unwrap();
    let error = store.ledger(Lists::builtin()).unwrap_err();
    assert!(error.detail.contains("is missing"), "{error}");
}

#[tokio::test]
async fn a_store_without_its_witness_is_in_doubt_until_it_is_confirmed() {
    let dir = tempfile::tempdir().unwrap();
    charged(dir.path()).await;
    fs::remove_file(dir.path().join("head")).unwrap();
    let owner = Identity::parse(OWNER).unwrap();
    for _ in 0..2 {
        let store = Store::open(dir.path(), OWNER, 0, &SystemEntropy).unwrap();
        store.note_found(&owner, now()).unwrap();
        assert!(store.head().in_doubt(), "also at the next start, when there is a witness again");
        store.settled().await.unwrap();
    }
    let store = Store::open(dir.path(), OWNER, 0, &SystemEntropy).unwrap();
    assert_eq!(store.found(), Found::Whole);
    let mut ledger = store.ledger(Lists::builtin()).unwrap();
    ledger.lose(now());
    let mut change = store.begin().unwrap();
    change.confirm(now(), &ledger);
    change.commit(entry()).unwrap();
    assert!(!store.head().in_doubt());
    assert_eq!(store.ledger(Lists::builtin()).unwrap().losses(), 2);
}
