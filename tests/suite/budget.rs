//! T13, as far as one node can withstand it: whatever is done to a store, what was charged stays charged, a figure that was shown is
//! shown again and no other, and nothing is ever left that was not left before.

use std::{
    fs,
    path::{Path, PathBuf},
};

use accord_node::{
    desk::backup,
    disclose::reserve::budget,
    policy::Terms,
    store::{Found, restore},
};
use accord_proto::{
    at_rest::Keys,
    clock::SystemEntropy,
    reason::{Invalid, Reason},
    table::{Cell, Table},
    taxonomy::{IndicatorCode, Lists, Period},
};
use accord_tests::attack::world::{World, WorldSpec};

const INDICATOR: &str = "MIG.IBC.N";
const MAPPING: &str = "source = \"made up\"\nrows = \"events\"\n[columns]\nregion = \"region\"\n\
    period = \"period\"\nunit = \"unit\"\n[constants]\nindicator = \"MIG.IBC.N\"\ncrime_area = \"MIG\"\n";
const POLICY: &str = "[[indicator]]\ncode = \"MIG.IBC.N\"\nmode = \"protected\"\n\
    granularity = [\"year\", \"month\"]\nregion_levels = [0]\n\
    [[indicator]]\ncode = \"PUB.OFF.N\"\nmode = \"open\"\n";
const QUESTION: &str = "[[question]]\nindicator = \"MIG.IBC.N\"\nregion_level = 0\n\
    crime_areas = [\"MIG\"]\nperiods = [\"2024-01\", \"2024-02\"]\n";
const OPEN: &str = "[[question]]\nindicator = \"PUB.OFF.N\"\nregion_level = 0\n\
    crime_areas = [\"ICCS0101\"]\nperiods = [\"2016\"]\n";

/// A node that holds two months of events, consented to; nothing is frozen yet.
fn world(dir: &Path, seed: u64) -> World {
    let mut rows = String::from("region,period,unit\n");
    for unit in 0..400 {
        rows += &format!("AL,2024-0{},P-{unit}\n", 1 + unit % 2);
    }
    let spec = WorldSpec {
        jurisdiction: "AL".to_owned(),
        lists: Lists::builtin(),
        mapping: MAPPING.to_owned(),
        rows,
        policy: POLICY.to_owned(),
        secret: None,
        seed,
    };
    let world = World::build(dir, spec).unwrap();
    for audience in ["POLICE", "PUBLIC"] {
        world.grant(INDICATOR, audience).unwrap();
        world.grant("PUB.OFF.N", audience).unwrap();
    }
    world
}

fn freeze(world: &World) {
    world.freeze("2024-01", "2024-02").unwrap();
}

fn figures(world: &World, audience: &str) -> Vec<Cell> {
    cells(world.ask(audience, QUESTION).unwrap().table())
}

fn cells(table: &Table) -> Vec<Cell> {
    table.blocks.iter().flat_map(|block| block.cells.clone()).collect()
}

fn all_shown(cells: &[Cell]) -> bool {
    cells.iter().all(|cell| matches!(cell, Cell::Value(_)))
}

/// What is left of January, by tier.
fn left(world: &World) -> [u64; 3] {
    let resident = world.resident().unwrap();
    let node = &resident.node;
    let held = resident.held();
    let ledger = held.ledger.lock().unwrap();
    let indicator = IndicatorCode::parse(INDICATOR).unwrap();
    let period = Period::parse("", "2024-01").unwrap();
    let Terms::Protected(protection) = node.policy.terms(indicator) else { panic!("protected") };
    let now = world.now();
    let budget = |tier| budget(&node.policy, protection, &ledger, (period, now), tier);
    ledger.left((indicator, period), "", now, budget)
}

fn no_more_than(after: [u64; 3], before: [u64; 3]) -> bool {
    after.iter().zip(before).all(|(after, before)| *after <= before)
}

fn back_up(world: &World, dir: &Path) -> PathBuf {
    let file = dir.join("a.backup");
    let mut bytes = Vec::new();
    let resident = world.resident().unwrap();
    let piece = |piece: Vec<u8>| {
        bytes.extend(piece);
        Ok(())
    };
    backup::send(&resident.node, world.now(), piece).unwrap();
    fs::write(&file, bytes).unwrap();
    file
}

fn put_back(world: &mut World, file: &Path) {
    world.stop();
    fs::remove_dir_all(world.store()).unwrap();
    let data = world.store();
    let keys = Keys::none();
    let restored = restore(file, &data, world.now(), (&keys, &SystemEntropy));
    tokio::runtime::Runtime::new().unwrap().block_on(restored).unwrap();
    world.start().unwrap();
}

fn refused(world: &World) -> Invalid {
    world.resident().unwrap();
    let error = world.ask("POLICE", QUESTION).unwrap_err();
    let error = error.downcast::<Invalid>().unwrap();
    assert_eq!(error.reason, Reason::StoreFailed, "{error}");
    error
}

/// Only what costs nothing is answered, whatever is tried, until somebody confirms.
fn is_in_doubt_until_confirmed(world: &mut World, losses: u64) {
    for _ in 0..2 {
        assert!(refused(world).detail.contains("confirm-restore"));
        world.ask("POLICE", OPEN).unwrap();
        world.restart().unwrap();
    }
    let resident = world.resident().unwrap();
    assert_eq!(resident.confirm("").unwrap_err().reason, Reason::FieldMissing);
    assert_eq!(resident.confirm("the disk was replaced").unwrap(), losses);
    let again = resident.confirm("the disk was replaced").unwrap_err();
    assert_eq!(again.reason, Reason::NotFound);
}

#[test]
fn a_restored_node_shows_the_same_figures_and_has_no_more_to_spend() {
    let dir = tempfile::tempdir().unwrap();
    let mut world = world(&dir.path().join("node"), 1);
    freeze(&world);
    let untouched = left(&world);
    // Edition and draw are in the backup, the charge is not.
    let file = back_up(&world, dir.path());
    let shown = figures(&world, "POLICE");
    let wider = figures(&world, "PUBLIC");
    assert!(all_shown(&shown) && all_shown(&wider));
    let before = left(&world);
    assert!(before < untouched);
    for _ in 0..2 {
        put_back(&mut world, &file);
        is_in_doubt_until_confirmed(&mut world, 1);
        assert!(no_more_than(left(&world), before), "{:?} of {before:?}", left(&world));
        let confirmed = left(&world);
        assert_eq!(figures(&world, "POLICE"), shown, "the same draw, the same figure");
        assert!(left(&world) < confirmed, "charged again: whether it was is not known");
    }
    let before = left(&world);
    world.restart().unwrap();
    assert_eq!(left(&world), before);
    assert_eq!(figures(&world, "POLICE"), shown);
}

#[test]
fn what_was_drawn_after_the_backup_is_drawn_again_with_more_noise_and_never_a_third_time() {
    let dir = tempfile::tempdir().unwrap();
    let mut world = world(&dir.path().join("node"), 2);
    let file = back_up(&world, dir.path());
    freeze(&world);
    let error = |world: &World, audience| {
        let table = world.ask(audience, QUESTION).unwrap();
        table.table().blocks[0].standard_error_milli[0]
    };
    assert_eq!(error(&world, "POLICE"), 1_733);
    let before = left(&world);
    put_back(&mut world, &file);
    // Frozen while in doubt, or after it: both times the draw that may have been forgotten counts.
    freeze(&world);
    refused(&world);
    is_in_doubt_until_confirmed(&mut world, 1);
    assert!(all_shown(&figures(&world, "POLICE")));
    assert_eq!(error(&world, "POLICE"), 2_450, "the square root of 6");
    assert!(figures(&world, "PUBLIC").iter().all(|cell| *cell == Cell::NotShown));
    assert!(no_more_than(left(&world), before), "{:?} of {before:?}", left(&world));
    // Once more: no draw is left at all.
    let file = back_up(&world, dir.path());
    let known = figures(&world, "POLICE");
    put_back(&mut world, &file);
    is_in_doubt_until_confirmed(&mut world, 2);
    world.correct("region,period,unit\nAL,2024-01,P-900\n").unwrap();
    freeze(&world);
    assert_eq!(figures(&world, "POLICE"), known);
}

#[test]
fn an_old_copy_without_its_witness_is_in_doubt_and_one_beside_it_is_not_opened() {
    let dir = tempfile::tempdir().unwrap();
    let mut world = world(&dir.path().join("node"), 3);
    freeze(&world);
    let copy = dir.path().join("copy");
    world.stop();
    copy_folder(&world.store(), &copy);
    world.start().unwrap();
    let shown = figures(&world, "POLICE");
    let before = left(&world);
    world.stop();
    // The old database below the newest witness.
    fs::remove_dir_all(world.store().join("store")).unwrap();
    copy_folder(&copy.join("store"), &world.store().join("store"));
    assert!(world.start().unwrap_err().to_string().contains("older than what it acknowledged"));
    fs::remove_file(world.store().join("head")).unwrap();
    world.start().unwrap();
    assert_eq!(world.resident().unwrap().node.store.found(), Found::Unwitnessed);
    is_in_doubt_until_confirmed(&mut world, 1);
    assert!(no_more_than(left(&world), before));
    assert_eq!(figures(&world, "POLICE"), shown);
    assert!(no_more_than(left(&world), before));
}

#[test]
fn a_clone_shows_the_same_figures_and_a_clock_turned_back_gives_nothing_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut world = world(&dir.path().join("node"), 4);
    freeze(&world);
    world.stop();
    let clone = dir.path().join("clone");
    copy_folder(&world.store(), &clone);
    world.start().unwrap();
    let shown = figures(&world, "POLICE");
    let before = left(&world);
    world.pass(-366 * 86_400);
    world.restart().unwrap();
    assert_eq!(left(&world), before);
    world.pass(366 * 86_400);
    assert_eq!(figures(&world, "POLICE"), shown);
    assert_eq!(left(&world), before);
    // The clone has the same draws; it cannot know that they were charged elsewhere.
    world.stop();
    fs::remove_dir_all(world.store()).unwrap();
    copy_folder(&clone, &world.store());
    world.start().unwrap();
    assert_eq!(figures(&world, "POLICE"), shown);
    assert_eq!(left(&world), before);
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (entry, path) = entry.map(|entry| (entry.path(), to.join(entry.file_name()))).unwrap();
        if entry.is_dir() {
            copy_folder(&entry, &path);
        } else {
            fs::copy(&entry, &path).unwrap();
        }
    }
}

#[test]
fn what_is_spent_is_told_by_indicator_period_and_tier() {
    let dir = tempfile::tempdir().unwrap();
    let world = world(&dir.path().join("node"), 6);
    let told = || accord_node::desk::budget::lines(&world.resident().unwrap().node, None);
    assert!(told().is_empty(), "nothing is frozen");
    freeze(&world);
    assert!(told().iter().all(|line| line.spent == 0 && line.left == line.budget));
    assert_eq!(told().len(), 6, "two months, three tiers");
    figures(&world, "POLICE");
    for line in told() {
        let narrowest = line.tier.at() == 0;
        assert_eq!(line.spent > 0, narrowest);
        assert_eq!(line.spent + line.left, line.budget);
        assert_eq!((line.draws, line.next_cost > 0), (u32::from(narrowest), true));
        // One level of three: the month alone; the second draw has twice the noise.
        if narrowest {
            assert_eq!(line.next_cost, line.spent.div_ceil(2));
            assert!(line.epsilon_spent > 1.0);
        }
    }
}
