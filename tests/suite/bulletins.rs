//! Bulletins with a real node: exact figures in fixed tables, which nobody gets before a second person has signed, and from
//! which no hidden figure can be worked out. What is attacked is what came over the wire.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use accord_node::{desk::bulletins, disclose::offer::Outcome};
use accord_proto::{
    identity::Identity,
    reason::Reason,
    seal::Digest,
    suppress::Shown,
    table::{Cell, Mode},
    taxonomy::{IndicatorCode, Lists, Period},
    transport::Peer,
};
use accord_tests::attack::{
    intervals::attack,
    tables::{Dice, Tables},
    world::{World, WorldSpec},
};

use serde_json::{Value, json};

use crate::{published, started};

const INDICATOR: &str = "ARM.SEIZ.N";
const MAPPING: &str = "source = \"made up for a test\"\nrows = \"events\"\n[columns]\nregion = \"region\"\n\
    period = \"period\"\nunit = \"unit\"\nvalue = \"value\"\nhandling = \"handling\"\n\
    [constants]\nindicator = \"ARM.SEIZ.N\"\ncrime_area = \"ARM\"\n";
const LEVELS: [u32; 3] = [0, 2, 3];
const HEADER: &str = "region,period,unit,value,handling\n";

fn policy(mode: &str) -> String {
    let terms = match mode {
        "bulletin" => "audiences = [\"POLICE\", \"PARTNERS\"]\n",
        _ => "cap = 50\ntypical = 5000\ndraws = 1\n",
    };
    format!(
        "[[indicator]]\ncode = \"{INDICATOR}\"\nmode = \"{mode}\"\ngranularity = [\"year\", \"half\"]\n\
         region_levels = [0, 3]\narea_levels = [0]\n{terms}[[handling]]\ncode = \"TLP:AMBER\"\naudiences = [\"POLICE\"]\n"
    )
    .replace("[0, 3]", if mode == "bulletin" { "[0, 2, 3]" } else { "[0]" })
}

fn world(dir: &Path, policy: String, rows: &str) -> World {
    let spec = WorldSpec {
        jurisdiction: "AL".to_owned(),
        lists: Lists::builtin(),
        mapping: MAPPING.to_owned(),
        rows: format!("{HEADER}{rows}"),
        policy,
        secret: None,
        seed: 7,
    };
    let world = World::build(dir, spec).unwrap();
    for audience in ["POLICE", "PARTNERS", "PUBLIC"] {
        world.grant(INDICATOR, audience).unwrap();
    }
    world
}

/// A seizure: region of level 3, half, which one, how many.
type Seizure = (&'static str, &'static str, u64, i64);

const REGIONS: [&str; 12] = [
    "AL011", "AL012", "AL013", "AL014", "AL015", "AL021", "AL022", "AL031", "AL032", "AL033",
    "AL034", "AL035",
];

/// Some regions with nothing, some with one or two seizures, some with many of very different size.
fn seizures(seed: u64) -> Vec<Seizure> {
    let mut dice = Dice(seed);
    let mut all = Vec::new();
    for half in ["2016-H1", "2016-H2"] {
        for region in REGIONS {
            let units = match dice.below(6) {
                0 => dice.below(3),
                _ => 5 + dice.below(9),
            };
            for _ in 0..units {
                let most = 4_u64 << dice.below(4);
                let value = 1 + dice.below(most);
                all.push((region, half, all.len() as u64, i64::try_from(value).unwrap()));
            }
        }
    }
    all
}

fn rows(seizures: &[Seizure], handling: &str) -> String {
    let row = |(region, half, unit, value): &Seizure| {
        format!("{region},{half},S-{unit},{value},{handling}\n")
    };
    seizures.iter().map(row).collect()
}

/// Region and period → what is answered to an audience.
fn asked(world: &World, audience: &str) -> BTreeMap<(String, String), Cell> {
    let blocks: String = LEVELS
        .iter()
        .map(|level| {
            format!(
                "[[question]]\nindicator = \"{INDICATOR}\"\nregion_level = {level}\n\
                 crime_areas = \"ARM\"\nperiods = [\"2016\", \"2016-H1\", \"2016-H2\"]\n"
            )
        })
        .collect();
    let sealed = world.ask(audience, &blocks).unwrap();
    let placed = sealed.table().blocks.iter().flat_map(|block| block.placed());
    placed.map(|of| ((of.region.to_string(), of.period.to_string()), of.cell)).collect()
}

fn values(cells: &BTreeMap<(String, String), Cell>) -> BTreeMap<(String, String), i64> {
    let value = |(at, cell): (&(String, String), &Cell)| match cell {
        Cell::Value(value) => Some((at.clone(), *value)),
        Cell::NotShown | Cell::NotApplicable | Cell::Missing | Cell::Between(..) => None,
    };
    cells.iter().filter_map(value).collect()
}

fn sign(world: &World, who: &str, period: &str) -> Result<bulletins::Standing, Reason> {
    let resident = world.resident().unwrap();
    let identity = Identity::parse(&format!("spiffe://wb6.example/AL/staff/{who}/releaser"));
    let peer = Peer { identity: identity.unwrap(), spki: Digest([0; 32]) };
    let newest = resident.held().editions.newest(Period::parse("", period).unwrap()).cloned();
    let number = newest.map_or(0, |edition| edition.reference.number);
    let of = (period, INDICATOR, number);
    let signed = bulletins::sign(&resident.node, &peer, of, "yearly release");
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    runtime.block_on(signed).map_err(|error| error.reason)
}

/// What the newest edition has to offer.
fn offer(world: &World, period: &str) -> Option<Outcome> {
    let held = world.resident().unwrap().held();
    let edition = held.editions.newest(Period::parse("", period).unwrap()).unwrap();
    let code = IndicatorCode::parse(INDICATOR).unwrap();
    edition.offers.get(&code).map(|offer| offer.outcome.clone())
}

fn why(world: &World, period: &str) -> String {
    match offer(world, period) {
        Some(Outcome::Refused(why)) => why,
        other => panic!("{period} is not refused: {other:?}"),
    }
}

/// Every cell of these periods with who stands behind it, and the sums between them.
fn truth(seizures: &[Seizure], periods: &[&str]) -> (Vec<(String, String)>, Tables) {
    let above = |region: &str| ["AL".to_owned(), region[..4].to_owned(), region.to_owned()];
    let within = |period: &str, half: &str| period == "2016" || period == half;
    let mut keys = Vec::new();
    for period in periods {
        let regions: BTreeSet<_> = REGIONS.iter().flat_map(|region| above(region)).collect();
        keys.extend(regions.into_iter().map(|region| (region, (*period).to_owned())));
    }
    let at: BTreeMap<_, _> = keys.iter().cloned().zip(0..).collect();
    let mut behind = vec![BTreeMap::<u64, i64>::new(); keys.len()];
    for (region, half, unit, value) in seizures {
        for period in periods.iter().filter(|period| within(period, half)) {
            for region in above(region) {
                *behind[at[&(region, (*period).to_owned())]].entry(*unit).or_default() += value;
            }
        }
    }
    let mut sums = BTreeMap::<(usize, bool), Vec<usize>>::new();
    for ((region, period), part) in &at {
        let up = match region.len() {
            5 => Some(region[..4].to_owned()),
            4 => Some("AL".to_owned()),
            _ => None,
        };
        if let Some(up) = up {
            sums.entry((at[&(up, period.clone())], false)).or_default().push(*part);
        }
        if period != "2016"
            && let Some(year) = at.get(&(region.clone(), "2016".to_owned()))
        {
            sums.entry((*year, true)).or_default().push(*part);
        }
    }
    let sums: Vec<_> = sums.into_iter().map(|((total, _), parts)| (total, parts)).collect();
    (keys, Tables::of(behind, &sums).unwrap())
}

/// Attacks what came over the wire; every figure of it must be the true one. On how many intervals.
fn attacked(
    seizures: &[Seizure],
    periods: &[&str],
    wire: &BTreeMap<(String, String), i64>,
) -> usize {
    let (keys, tables) = truth(seizures, periods);
    let cells = tables.equations.cells();
    let mut shown = Vec::new();
    for (key, cell) in keys.iter().zip(cells) {
        shown.push(match (wire.get(key), cell.protection) {
            (Some(value), None) => {
                assert_eq!(*value, cell.value, "{key:?} is not exact");
                Shown::Published
            }
            (Some(_), Some(_)) => panic!("{key:?} may not be shown"),
            (None, Some(_)) => Shown::Primary,
            (None, None) => Shown::Secondary,
        });
    }
    let verdict = attack(&tables, &shown).unwrap();
    assert_eq!(verdict.broken, 0, "{verdict:?}");
    verdict.attacked
}

#[test]
fn a_bulletin_is_exact_once_another_person_has_signed_and_hides_what_it_hides() {
    let mut intervals = 0;
    for seed in 1..4 {
        let dir = tempfile::tempdir().unwrap();
        let held = seizures(seed);
        let mut world = world(dir.path(), policy("bulletin"), &rows(&held, ""));
        world.freeze("2016-H1", "2016-H1").unwrap();
        for audience in ["POLICE", "PARTNERS", "PUBLIC"] {
            assert!(values(&asked(&world, audience)).is_empty(), "{audience}, before");
        }
        assert_eq!(sign(&world, "test-analyst", "2016-H1").unwrap_err(), Reason::FourEyes);
        assert_eq!(sign(&world, "second", "2016-H2").unwrap_err(), Reason::NotFound);
        assert!(values(&asked(&world, "POLICE")).is_empty(), "after a refusal");

        let signed = sign(&world, "second", "2016-H1").unwrap();
        assert_eq!((signed.state, signed.edition), ("signed", 1));
        let first = values(&asked(&world, "POLICE"));
        assert_eq!(first.len(), signed.cells.0);
        intervals += attacked(&held, &["2016-H1"], &first);
        assert_eq!(asked(&world, "PARTNERS"), asked(&world, "POLICE"));
        assert!(values(&asked(&world, "PUBLIC")).is_empty(), "it is not for the public");

        // The next ones add up with it.
        for period in ["2016-H2", "2016"] {
            world.freeze(period, period).unwrap();
            sign(&world, "second", period).unwrap();
        }
        let all = values(&asked(&world, "PARTNERS"));
        intervals += attacked(&held, &["2016", "2016-H1", "2016-H2"], &all);
        world.restart().unwrap();
        assert_eq!(values(&asked(&world, "PARTNERS")), all, "after a restart");

        // What comes late stands in no second one.
        world.correct(&format!("{HEADER}AL022,2016-H1,S-late,3,\n")).unwrap();
        world.freeze("2016-H1", "2016-H1").unwrap();
        assert!(matches!(offer(&world, "2016-H1"), Some(Outcome::Carried(_))));
        assert_eq!(values(&asked(&world, "POLICE")), all, "the signed one is carried on");
        let again = sign(&world, "third", "2016-H1").unwrap();
        assert_eq!((again.state, again.edition), ("carried", 2));
        assert_eq!(again.signature.unwrap().by.name.to_string(), "second", "the first one stands");
        world.restart().unwrap();
        assert_eq!(values(&asked(&world, "POLICE")), all);
        assert_eq!(bulletins::list(&world.resident().unwrap().node).len(), 3);
    }
    assert!(intervals > 20, "an attack on little: {intervals}");
}

#[test]
fn a_bulletin_that_would_give_away_what_came_late_is_not_offered() {
    let dir = tempfile::tempdir().unwrap();
    let held = seizures(1);
    let mut world = world(dir.path(), policy("bulletin"), &rows(&held, ""));
    world.freeze("2016-H1", "2016-H2").unwrap();
    // Audited apart from each other, they wait for the year that would join them; the year was audited with none of them.
    world.freeze("2016", "2016").unwrap();
    sign(&world, "second", "2016-H1").unwrap();
    sign(&world, "second", "2016-H2").unwrap();
    assert_eq!(sign(&world, "second", "2016").unwrap_err(), Reason::ModeUnavailable);
    world.correct(&format!("{HEADER}AL022,2016-H1,S-late,3,\n")).unwrap();
    world.freeze("2016", "2016").unwrap();
    assert!(why(&world, "2016").contains("has changed since its bulletin was signed"));
    assert_eq!(sign(&world, "second", "2016").unwrap_err(), Reason::NotFound);
    let answered = values(&asked(&world, "POLICE"));
    assert!(answered.keys().all(|(_, period)| period != "2016") && !answered.is_empty());
}

#[test]
fn a_bulletin_says_nothing_of_records_that_count_for_one_of_its_audiences_only() {
    let held = seizures(2);
    let restricted: Vec<Seizure> =
        (0..40).map(|at| (REGIONS[at % 12], "2016-H1", 10_000 + at as u64, 5)).collect();
    let answers = ["", &rows(&restricted, "TLP:AMBER")].map(|more| {
        let dir = tempfile::tempdir().unwrap();
        let world = world(dir.path(), policy("bulletin"), &format!("{}{more}", rows(&held, "")));
        world.freeze("2016-H1", "2016-H1").unwrap();
        sign(&world, "second", "2016-H1").unwrap();
        ["POLICE", "PARTNERS", "PUBLIC"].map(|audience| asked(&world, audience))
    });
    assert_eq!(answers[0], answers[1]);
    assert!(!values(&answers[0][0]).is_empty());
}

#[test]
fn a_bulletin_and_noisy_figures_of_one_period_exclude_each_other_for_ever() {
    let (indicator, period) = (IndicatorCode::parse(INDICATOR).unwrap(), "2016-H1");
    let held: Vec<Seizure> =
        (0..3_000).map(|at| (REGIONS[at % 12], "2016-H1", at as u64, 5)).collect();
    let mode = |world: &World| {
        let held = world.resident().unwrap().held();
        held.editions.newest(Period::parse("", period).unwrap()).unwrap().mode(indicator)
    };
    // First noisy.
    let dir = tempfile::tempdir().unwrap();
    let mut noisy = world(dir.path(), policy("protected"), &rows(&held, ""));
    noisy.freeze(period, period).unwrap();
    assert!(!values(&asked(&noisy, "POLICE")).is_empty());
    noisy.policy(&policy("bulletin"));
    noisy.restart().unwrap();
    for overlapping in [period, "2016"] {
        noisy.freeze(overlapping, overlapping).unwrap();
        assert!(offer(&noisy, overlapping).is_none(), "{overlapping}");
    }
    assert_eq!(mode(&noisy), Mode::Closed);
    assert!(values(&asked(&noisy, "POLICE")).is_empty());
    // First exact.
    let dir = tempfile::tempdir().unwrap();
    let mut exact = world(dir.path(), policy("bulletin"), &rows(&held, ""));
    exact.freeze(period, period).unwrap();
    sign(&exact, "second", period).unwrap();
    assert!(!values(&asked(&exact, "POLICE")).is_empty());
    exact.policy(&policy("protected"));
    exact.restart().unwrap();
    assert!(values(&asked(&exact, "POLICE")).is_empty(), "frozen in another mode");
    exact.freeze(period, period).unwrap();
    exact.freeze("2016", "2016").unwrap();
    assert_eq!(mode(&exact), Mode::Closed);
    assert!(values(&asked(&exact, "POLICE")).is_empty());
}

#[test]
fn a_bulletin_of_published_prisoners_is_offered_or_refused_with_the_reason() {
    let Some(data) = published::data() else { return };
    let file = data.join("eurostat_crim_pris_off/prisoners_by_offence_sex.csv");
    let (mut published, mut hidden, mut refused) = (0, 0, BTreeMap::<String, usize>::new());
    for jurisdiction in ["AL", "ME", "RS"] {
        let dir = tempfile::tempdir().unwrap();
        let spec = WorldSpec {
            jurisdiction: jurisdiction.to_owned(),
            lists: Lists::builtin(),
            mapping: published::PRISONERS.replace("GEO", jurisdiction),
            rows: String::new(),
            policy: "[[indicator]]\ncode = \"PUB.PRIS.N\"\nmode = \"bulletin\"\ndimensions = [\"SEX\"]\n".to_owned(),
            secret: None,
            seed: 1,
        };
        let mut world = World::build(dir.path(), spec).unwrap();
        world.correct(&std::fs::read_to_string(&file).unwrap()).unwrap();
        world.freeze("2010", "2020").unwrap();
        for standing in bulletins::list(&world.resident().unwrap().node) {
            match standing.state {
                "proposed" => {
                    published += standing.cells.0;
                    hidden += standing.cells.1;
                }
                "refused" => *refused.entry(standing.why).or_default() += 1,
                other => panic!("{other}"),
            }
        }
    }
    println!("published {published}, hidden {hidden}, refused {refused:?}");
    assert!(published > 100, "{published} {hidden} {refused:?}");
}

const WHY: [&str; 2] = ["--why", "yearly release"];

#[test]
fn a_bulletin_is_looked_at_and_signed_from_the_command_line() {
    let running = started(&["AL"]);
    let home = &running.nodes["al-police"].home;
    let (file, mapping) = (home.join("seizures.csv"), home.join("seizures.toml"));
    std::fs::write(&file, format!("{HEADER}{}", rows(&seizures(1), ""))).unwrap();
    std::fs::write(&mapping, MAPPING).unwrap();
    running.import("al-police", &file, &mapping).unwrap().json(&[0]).unwrap();
    let desk = |role: &str, arguments: &[&str]| {
        running.desk("al-police", role, &[&["bulletin"], arguments].concat()).unwrap()
    };
    running.desk("al-police", "releaser", &["freeze", "2016"]).unwrap().json(&[0]).unwrap();
    let listed = desk("auditor", &["list"]).json(&[0]).unwrap();
    let of = |listed: &Value| {
        let entries = listed.as_array().unwrap().iter();
        let mut entries = entries.filter(|entry| entry["indicator"] == INDICATOR);
        entries.next().unwrap().clone()
    };
    let entry = of(&listed);
    assert_eq!((&entry["state"], &entry["signed_by"]), (&json!("proposed"), &json!("")), "{entry}");
    assert!(entry["frozen_by"].as_str().unwrap().ends_with("/test-releaser/releaser"), "{entry}");

    let cells = desk("analyst", &["show", "2016", INDICATOR]).json(&[0]).unwrap();
    let cells = cells.as_array().unwrap();
    let count = |status: &str| cells.iter().filter(|cell| cell["status"] == status).count();
    assert_eq!(count("published"), usize::try_from(entry["published"].as_u64().unwrap()).unwrap());
    for cell in cells {
        let (status, why) = (cell["status"].as_str().unwrap(), cell["why"].as_str().unwrap());
        assert_eq!(status == "unsafe", !why.is_empty(), "{cell}");
        assert_eq!(status == "published", cell["readers_can_tell"] == "", "{cell}");
        assert!(!cell["value"].as_str().unwrap().is_empty(), "{cell}");
    }

    let sign = [&["sign", "2016", INDICATOR, "--edition", "1"], WHY.as_slice()].concat();
    let refused = desk("releaser", &sign);
    assert_eq!(refused.code, Some(7), "{}", refused.stderr);
    assert!(refused.stderr.contains("FOUR_EYES"), "{}", refused.stderr);
    for role in ["analyst", "auditor", "operator"] {
        assert!(desk(role, &sign).stderr.contains("CERTIFICATE_ROLE"), "{role}");
    }
    let other = [&["sign", "2016", INDICATOR, "--edition", "2"], WHY.as_slice()].concat();
    assert!(desk("second-releaser", &other).stderr.contains("NOT_FOUND"));
    let signed = desk("second-releaser", &sign).json(&[0]).unwrap();
    assert_eq!(signed["state"], "signed", "{signed}");
    let listed = desk("releaser", &["list"]).json(&[0]).unwrap();
    assert_eq!(of(&listed), signed);
    assert_eq!(desk("second-releaser", &sign).json(&[0]).unwrap(), signed, "twice is once");
}
