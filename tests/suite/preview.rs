//! The preview says what an answer would say, and why, and costs nothing.

use std::{fmt::Write as _, path::Path};

use accord_node::preview::{Asked, Preview, Sources, Why, preview};
use accord_proto::{
    question::SignedRequirement,
    table::Cell,
    taxonomy::{Lists, Tier},
};
use accord_tests::attack::world::{World, WorldSpec};

const MAPPING: &str = "source = \"made up\"\nrows = \"events\"\n[columns]\nregion = \"region\"\n\
    period = \"period\"\nunit = \"unit\"\n[constants]\nindicator = \"MIG.IBC.N\"\ncrime_area = \"MIG\"\n";
const POLICY: &str = "[[indicator]]\ncode = \"MIG.IBC.N\"\nmode = \"protected\"\n\
    granularity = [\"month\"]\nregion_levels = [0, 3]\n\
    [[indicator]]\ncode = \"ARM.INC.N\"\nmode = \"closed\"\n";
const QUESTION: &str = "[[question]]\nindicator = \"MIG.IBC.N\"\nregion_level = 0\n\
    crime_areas = [\"MIG\"]\nperiods = [\"2024-01\", \"2024-02\"]\n\
    [[question]]\nindicator = \"MIG.IBC.N\"\nregion_level = 3\n\
    crime_areas = [\"MIG\"]\nperiods = [\"2024-01\"]\n";
const CLOSED: &str = "[[question]]\nindicator = \"ARM.INC.N\"\nregion_level = 0\n\
    crime_areas = [\"ARM\"]\nperiods = [\"2024\"]\n";

fn world(dir: &Path) -> World {
    let mut rows = String::from("region,period,unit\n");
    for (region, units) in [("AL011", 300), ("AL012", 2), ("AL013", 6)] {
        for unit in 0..units {
            let _ = writeln!(rows, "{region},2024-01,P-{region}-{unit}");
        }
    }
    let spec = WorldSpec {
        jurisdiction: "AL".to_owned(),
        lists: Lists::builtin(),
        mapping: MAPPING.to_owned(),
        rows,
        policy: POLICY.to_owned(),
        secret: None,
        seed: 5,
    };
    World::build(dir, spec).unwrap()
}

fn looked_at(world: &World, audience: &str, blocks: &str) -> Preview {
    let resident = world.resident().unwrap();
    let node = &resident.node;
    let signed = resident.signed(audience, blocks).unwrap();
    let asked = SignedRequirement::open(signed, &node.roster(), node.lists).unwrap();
    let held = resident.held();
    let from = Sources {
        node: node.name(),
        jurisdiction: node.jurisdiction,
        live: &held.live,
        editions: &held.editions,
        grants: &held.grants,
        ledger: &held.ledger.lock().unwrap(),
        policy: &node.policy,
        lists: node.lists,
        secret: node.store.pseudonym_secret(),
        in_doubt: node.store.head().in_doubt(),
    };
    preview(Asked::from(asked.requirement()), from, world.now()).unwrap()
}

fn reasons(preview: &Preview) -> Vec<Option<Why>> {
    preview.blocks.iter().flatten().map(|cell| cell.why).collect()
}

#[test]
fn a_preview_says_what_an_answer_would_and_why_and_costs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let world = world(dir.path());
    let all = |why| move |preview: &Preview| reasons(preview).iter().all(|w| *w == Some(why));
    assert!(all(Why::NotConsented)(&looked_at(&world, "POLICE", QUESTION)));
    for indicator in ["MIG.IBC.N", "ARM.INC.N"] {
        for audience in ["POLICE", "PUBLIC"] {
            world.grant(indicator, audience).unwrap();
        }
    }
    assert!(all(Why::NoEdition)(&looked_at(&world, "POLICE", QUESTION)));
    let closed = looked_at(&world, "POLICE", CLOSED);
    assert!(all(Why::Mode(accord_proto::table::Mode::Closed))(&closed));
    world.freeze("2024-01", "2024-01").unwrap();

    let journal = || world.resident().unwrap().node.store.head().journal().size();
    let before = journal();
    let seen = looked_at(&world, "POLICE", QUESTION);
    let again = looked_at(&world, "POLICE", QUESTION);
    assert_eq!(seen.costs, again.costs);
    assert_eq!(journal(), before, "nothing is put on record");
    let cost = &seen.costs[0];
    assert_eq!((cost.tier, cost.nano_rho > 0, cost.epsilon > 0.0), (Tier::A, true, true));
    assert_eq!(seen.costs[1].nano_rho, 0, "no edition, no charge");
    let cells = &seen.blocks[1];
    let inside: Vec<_> = cells.iter().filter_map(|cell| cell.inside?.units).collect();
    assert!(inside.contains(&300) && inside.contains(&2), "{inside:?}");
    let with =
        |units| cells.iter().find(|cell| cell.inside.is_some_and(|i| i.units == Some(units)));
    let (large, few) = (with(300).unwrap(), with(2).unwrap());
    let Cell::Value(value) = large.leaves else { panic!("not shown") };
    let interval = large.inferred.unwrap();
    assert_eq!((interval.low, interval.high), (value - 4, value + 4));
    assert!(matches!(few.why, Some(Why::Floor(_))), "{:?}", few.why);
    let of_few = few.inferred.unwrap();
    assert!(of_few.low == 0 && of_few.high >= 2, "its whole is not shown beside it");
    assert!(cells.iter().any(|cell| cell.why == Some(Why::NothingHeld)));
    assert!(!format!("{seen:?}").contains("300"));

    // What leaves is what was previewed, and afterwards it is paid.
    let answer = world.ask("POLICE", QUESTION).unwrap();
    assert_eq!(Some(answer.table()), seen.table.as_ref());
    let paid = looked_at(&world, "POLICE", QUESTION);
    assert_eq!(paid.costs[0].nano_rho, 0);
    assert_eq!(paid.costs[0].left, seen.costs[0].left);
    assert_eq!(paid.table, seen.table);
}

#[test]
fn another_policy_is_tried_without_changing_anything_or_telling_a_floor() {
    let dir = tempfile::tempdir().unwrap();
    let world = world(dir.path());
    let resident = world.resident().unwrap();
    let stricter = format!("{POLICY}[tier.A]\nthreshold = 300\nvariance = 6\n");
    let tried = resident.try_policy(&stricter, "").unwrap();
    let of = |shares: &[accord_node::preview::whatif::Share]| {
        let narrowest = shares.iter().find(|share| share.tier == Tier::A).copied();
        narrowest.unwrap()
    };
    let (now, then) = (of(&tried.now), of(&tried.then));
    assert_eq!((now.large.held, now.small.held), (then.large.held, then.small.held));
    assert_eq!((now.large.shown, now.small.held), (2, 2), "the country and one region");
    assert!(then.large.shown <= now.large.shown && then.small.shown == 0);
    assert_eq!(now.large.worst_per_mille, 5, "1.733 beside 300");
    // Floors so high that nothing passes; and those that no node would start with.
    let floors = resident.try_policy(&stricter, "[tier.A]\nunits = 250\np_percent = 99\n").unwrap();
    assert!(of(&floors.then).large.shown <= of(&floors.now).large.shown);
    let refused = resident.try_policy(POLICY, "[tier.A]\nunits = 250\n").unwrap_err();
    assert_eq!(refused.reason, accord_proto::reason::Reason::PolicyUnsafe);
    assert!(!refused.to_string().contains("250"), "{refused}");
    let editions = resident.held().editions.iter().count();
    assert_eq!((editions, resident.held().ledger.lock().unwrap().size()), (0, 0));
}
