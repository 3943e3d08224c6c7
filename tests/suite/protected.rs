//! Protected figures, between real processes: noise is drawn once, small figures do not leave, the region's total carries
//! its uncertainty, floors are never told.

use std::fs;

use std::io::Write as _;

use accord_node::policy::rho;
use accord_proto::{
    table::Cell,
    taxonomy::{IndicatorCode, Lists, Period, Tier},
};
use accord_tests::{
    attack::world::{World, WorldSpec},
    federation::cell,
};
use serde_json::{Value, json};

use crate::{Running, prepared};

const NODES: [(&str, i64); 3] = [("al-police", 60), ("ba-police", 80), ("rs-police", 100)];
pub(super) const SEIZURES: &str =
    "indicator = \"DRG.SEIZ.N\"\ncrime_areas = [\"DRG.COC\", \"DRG.HER\"]\nperiods = \"2016\"\n";
const DAYS: [&str; 4] = ["--from", "2020-01-01", "--until", "2090-01-01"];

/// Three nodes with as many cases of cocaine as [`NODES`] says, and two of heroin each.
pub(super) fn filled(secret: &str) -> Running {
    let mut running = prepared(&["AL", "BA", "RS"]);
    for (node, _) in NODES {
        let path = running.nodes[node].home.join("policy.secret.toml");
        fs::write(&path, secret).unwrap();
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    running.federation.start().unwrap();
    for (node, cases) in NODES {
        import(&running, node, "first", 0..cases);
        for audience in ["POLICE", "PARTNERS"] {
            let terms = ["--indicator", "DRG.SEIZ.N", "--purpose", "THREAT-ASSESSMENT"];
            let terms = [&terms[..], &["--audience", audience], &DAYS].concat();
            running.grant(node, &terms).unwrap();
        }
    }
    running
}

/// A node has five cases more.
pub(super) fn correct(running: &Running, node: &str) {
    import(running, node, "correction", 500..505);
}

/// Imports cases of cocaine with these numbers, and two of heroin; freezes.
fn import(running: &Running, node: &str, name: &str, cases: std::ops::Range<i64>) {
    let (file, mapping) =
        (running.dir.join(format!("{name}.csv")), running.dir.join("events.toml"));
    let cocaine = cases.map(|case| format!("C-{case},DRG.COC,2016\n"));
    let heroin = ["H-1,DRG.HER,2016\n", "H-2,DRG.HER,2016\n"].map(str::to_owned);
    let rows: String = cocaine.chain(heroin).collect();
    fs::write(&file, format!("case,area,year\n{rows}")).unwrap();
    let text = "source = \"made up for a test\"\nrows = \"events\"\n[columns]\nunit = \"case\"\n\
        crime_area = \"area\"\nperiod = \"year\"\n[constants]\nindicator = \"DRG.SEIZ.N\"\n";
    fs::write(&mapping, text).unwrap();
    running.import(node, &file, &mapping).unwrap().json(&[0]).unwrap();
    running.desk(node, "releaser", &["freeze", "2016"]).unwrap().json(&[0]).unwrap();
}

fn ask(running: &Running) -> Value {
    running.gather(&running.issue(&[SEIZURES]).unwrap()).unwrap()
}

fn figure(shown: &Value) -> (i64, f64) {
    let cell = cell(shown, "DRG.COC", "2016").unwrap();
    assert_eq!(cell["contributors"], json!(["AL", "BA", "RS"]), "{cell}");
    (cell["value"].as_i64().unwrap(), cell["standard_error"].as_f64().unwrap())
}

#[test]
fn protected_figures_leave_with_noise_and_the_regional_total_states_its_error() {
    let mut running = filled("");
    let shown = ask(&running);
    let (value, error) = figure(&shown);
    // Three draws of variance 3.
    assert!((2.9..3.1).contains(&error), "{error}");
    assert!((value - 240).abs() <= 18, "{value} is six standard errors away");
    // Two cases each: nothing is shown, and it is not told who has none.
    let heroin = cell(&shown, "DRG.HER", "2016").unwrap();
    assert_eq!((&heroin["status"], &heroin["value"]), (&json!("not_shown"), &Value::Null));

    // Asked again, by another requirement, after everything was killed: the same figure.
    running.federation.kill_all();
    running.federation.start().unwrap();
    assert_eq!(figure(&ask(&running)), (value, error));

    // Somebody's correction is not shown as long as it is the only one: the difference would be his.
    let correct = |running: &Running, node: &str, name: &str, cases: i64| {
        import(running, node, &format!("{name}-{node}"), cases..cases + 5);
    };
    let all = |running: &Running, name: &str, more: i64| {
        NODES.iter().for_each(|(node, cases)| correct(running, node, name, cases + more));
    };
    correct(&running, "al-police", "more", 60);
    let alone = ask(&running);
    let withheld = cell(&alone, "DRG.COC", "2016").unwrap();
    assert_eq!((&withheld["status"], &withheld["contributors"]), (&json!("not_shown"), &json!([])));
    // Once all have corrected, they are drawn anew, with more noise, and for a new requirement only.
    correct(&running, "ba-police", "more", 80);
    correct(&running, "rs-police", "more", 100);
    let (_, corrected) = figure(&ask(&running));
    assert!(corrected > error, "{corrected}");
    // After that the figures are carried on.
    all(&running, "yet-more", 5);
    let third = ask(&running);
    all(&running, "and-more", 10);
    assert_eq!(figure(&ask(&running)), figure(&third));
}

#[test]
fn a_secret_floor_stands_in_no_log_no_error_and_no_reply() {
    // Stands nowhere else, and holds for every count.
    let running = filled("[tier.A]\nunits = 3\np_percent = 777.7\n");
    ask(&running);
    let mut told = String::new();
    for (node, _) in NODES {
        for (role, command) in [("releaser", "status"), ("auditor", "status")] {
            let said = running.desk(node, role, &[command]).unwrap();
            told.push_str(&said.stdout);
            told.push_str(&said.stderr);
        }
    }
    for (node, _) in NODES {
        told.push_str(&fs::read_to_string(running.dir.join(node).join("log")).unwrap());
    }
    assert!(told.contains("serving"), "the logs were read");
    for secret in ["777.7", "p_percent", "units = 3"] {
        assert!(!told.contains(secret), "{secret} is told");
    }
}

/// Rows of events: persons found at the border, so many a month.
fn persons(months: &[usize], from: usize, until: usize) -> String {
    let rows = months.iter().flat_map(|month| {
        (from..until).map(move |person| {
            let region = ["AL011", "AL012", "AL022"][person % 3];
            format!("P-{month}-{person},MIG,{region},2016-{month:02}\n")
        })
    });
    format!("person,area,region,month\n{}", rows.collect::<String>())
}

#[test]
fn a_year_of_ordinary_work_is_answered_in_full_and_what_is_left_is_printed() {
    let seed = 20_160_101;
    let dir = tempfile::tempdir().unwrap();
    let all: Vec<usize> = (1..=12).collect();
    let spec = WorldSpec {
        jurisdiction: "AL".into(),
        lists: Lists::builtin(),
        mapping:
            "source = \"made up for a test\"\nrows = \"events\"\n[columns]\nunit = \"person\"\n\
            crime_area = \"area\"\nregion = \"region\"\nperiod = \"month\"\n[constants]\n\
            indicator = \"MIG.IBC.N\"\n"
                .into(),
        rows: persons(&all, 0, 300),
        policy: include_str!("../../deploy/policy.toml").into(),
        secret: Some(include_str!("../../deploy/policy.secret.toml").into()),
        seed,
    };
    let mut world = World::build(dir.path(), spec).unwrap();
    let audiences = ["POLICE", "PARTNERS", "PUBLIC"];
    for audience in audiences {
        world.grant("MIG.IBC.N", audience).unwrap();
    }
    let mut asked = 0;
    let mut ask = |world: &World, period: &str| {
        for audience in audiences {
            let block = format!(
                "[[question]]\nindicator = \"MIG.IBC.N\"\ncrime_areas = \"MIG\"\nperiods = {period:?}\n"
            );
            let finer = block.clone() + "region_level = 3\n";
            let answer = world.ask(audience, &(block + &finer)).unwrap();
            let cells: Vec<Cell> =
                answer.table().blocks.iter().flat_map(|block| block.cells.clone()).collect();
            // Three of the twelve regions hold something.
            let shown = cells.iter().filter(|cell| matches!(cell, Cell::Value(_))).count();
            assert_eq!((cells.len(), shown), (13, 4), "{audience} {period}, seed {seed}");
            asked += 1;
        }
    };
    for quarter in 1..=4 {
        for month in 3 * quarter - 2..=3 * quarter {
            let month = format!("2016-{month:02}");
            world.freeze(&month, &month).unwrap();
            ask(&world, &month);
        }
        let quarter = format!("2016-Q{quarter}");
        world.freeze(&quarter, &quarter).unwrap();
        ask(&world, &quarter);
    }
    for month in [3, 7] {
        world.correct(&persons(&[month], 300, 330)).unwrap();
        let month = format!("2016-{month:02}");
        world.freeze(&month, &month).unwrap();
        ask(&world, &month);
    }
    world.freeze("2016", "2016").unwrap();
    ask(&world, "2016");
    assert_eq!(asked, 3 * (12 + 4 + 2 + 1));

    say_what_is_left(&world);
}

/// Prints what a person found in a usual and in a corrected month can still lose; something must be left.
fn say_what_is_left(world: &World) {
    let node = &world.resident().unwrap().node;
    let held = world.resident().unwrap().held();
    let ledger = held.ledger.lock().unwrap();
    let indicator = IndicatorCode::parse("MIG.IBC.N").unwrap();
    let budget = |tier: Tier| node.policy.tier(tier).budget;
    for period in ["2016-01", "2016-03"] {
        let of = (indicator, Period::parse("", period).unwrap());
        let left = ledger.left(of, "", world.now(), budget);
        let said: Vec<_> = Tier::ALL
            .into_iter()
            .zip(left)
            .map(|(tier, left)| format!("{tier} {:.2} of {:.2}", rho(left), rho(budget(tier))))
            .collect();
        let _ =
            writeln!(std::io::stderr(), "rho left for a person of {period}: {}", said.join(", "));
        assert!(left.into_iter().all(|left| left > 0), "{period}: {said:?}");
    }
}
