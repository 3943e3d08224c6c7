//! Over a million real records through a real node (half a year of them, unless `ACCORD_WHOLE` is set): every one is taken,
//! durably, and every total of ward, month and category equals an independent count. Where the records are not there, generated ones
//! of the same shape take their place, and the test says so loudly.

use std::{collections::BTreeMap, io::Write as _};

use accord_tests::{
    federation::{Dialling, Federation},
    london::{self, INDICATOR, JURISDICTION, London},
    process::Finished,
};
use serde_json::Value;

use crate::{Running, program};

const NODE: &str = "lon-police";

fn done(finished: &Finished) -> Value {
    finished.json(&[0]).unwrap()
}

#[test]
fn every_record_is_taken_and_every_total_equals_an_independent_count() {
    let dir = tempfile::tempdir().unwrap();
    let london = London::prepare(dir.path()).unwrap().shortened();
    for left_out in london.left_out() {
        let _ = writeln!(std::io::stderr(), "LEFT OUT: {left_out}");
    }
    let federation = Federation::prepare_with(
        program(),
        &dir.path().join("federation"),
        &[JURISDICTION],
        (Some(&london.lists), Dialling::Nobody),
    )
    .unwrap();
    let mut running = Running { federation, _dir: dir };
    running.federation.start_node(NODE).unwrap();

    // By hand: what the files say, row by row, through nothing of ours.
    let mut counted = BTreeMap::<(String, String, String), u64>::new();
    let mut rows = 0;
    london
        .each(|row| {
            rows += 1;
            let key = (row.month.to_owned(), row.ward.to_owned(), london::code_of(row.category));
            *counted.entry(key).or_default() += 1;
        })
        .unwrap();

    let mapping = london.mapping.display().to_string();
    let files: Vec<_> = london.files.iter().map(|file| file.display().to_string()).collect();
    let mut arguments = vec!["import"];
    arguments.extend(files.iter().map(String::as_str));
    arguments.extend(["--mapping", &mapping]);
    let imported = done(&running.desk(NODE, "analyst", &arguments).unwrap());
    let imported = imported.as_array().unwrap();
    let sum = |field: &str| imported.iter().map(|of| of[field].as_u64().unwrap()).sum::<u64>();
    assert_eq!((sum("rows_read"), sum("rows_accepted")), (rows, rows));
    assert_eq!((sum("rows_quarantined"), sum("rows_unchanged")), (0, 0));
    if london.generated.is_none() {
        // Answers S11 and S12 of the data's expected.json.
        assert_eq!(rows, if london.shortened.is_none() { 1_281_166 } else { 400_546 });
        let june = counted.iter().filter(|((month, _, category), _)| {
            (month.as_str(), category.as_str()) == ("2017-06", "BURGLARY")
        });
        assert_eq!(june.map(|(_, count)| count).sum::<u64>(), 4141);
    }

    // What was acknowledged is there after a kill.
    running.node_server(NODE).unwrap().kill();
    running.federation.start_node(NODE).unwrap();
    let arguments = ["totals", "--indicator", INDICATOR, "--level", "3"];
    let totals = done(&running.desk(NODE, "analyst", &arguments).unwrap());
    let mut found = BTreeMap::new();
    for total in totals.as_array().unwrap() {
        let text = |field: &str| total[field].as_str().unwrap().to_owned();
        if text("crime_area") == london::ALL_CRIME {
            continue;
        }
        let value = text("value").parse::<u64>().unwrap();
        assert_eq!(total["units"].as_u64(), Some(value), "each record is a unit of its own");
        found.insert((text("period"), text("region"), text("crime_area")), value);
    }
    assert_eq!(found.len(), counted.len());
    assert!(found == counted, "a total of ward, month and category differs");

    let arguments = ["totals", "--level", "0", "--first-period", "2017-06"];
    let whole = done(&running.desk(NODE, "analyst", &arguments).unwrap());
    let of_june = |category: &str| {
        counted
            .iter()
            .filter(|((month, _, of), _)| month == "2017-06" && of == category)
            .map(|(_, count)| count)
            .sum::<u64>()
            .to_string()
    };
    let burglary = whole.as_array().unwrap().iter().find(|of| of["crime_area"] == "BURGLARY");
    assert_eq!(burglary.unwrap()["value"], of_june("BURGLARY"));
}
