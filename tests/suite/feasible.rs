//! Before anybody is asked for a figure it is known how many cells could be published at all. Three real nodes with
//! protected figures, and a coordinator.

use std::fs;

use accord_tests::process::Finished;
use serde_json::{Value, json};

use crate::{Running, protected};

/// A draft, as its author writes it.
fn draft(running: &Running, periods: &str, minimum: u32) -> Finished {
    let file = running.dir.join("draft.toml");
    let text = format!(
        "authority = \"analysis-unit\"\nwhy = \"Test\"\npurpose = \"THREAT-ASSESSMENT\"\nlegal_basis = \"Test\"\n\
         audience = \"POLICE\"\ncloses = \"2099-01-01\"\nopens = \"2098-12-01\"\nminimum_contributors = {minimum}\n\
         [[question]]\nindicator = \"DRG.SEIZ.N\"\ncrime_areas = \"DRG.COC\"\nperiods = {periods:?}\n"
    );
    fs::write(&file, text).unwrap();
    let file = file.display().to_string();
    let command = ["requirement", "feasibility", &file, "--cells"];
    running.region("analyst", "json", &command).unwrap()
}

fn cells(of: &Finished, code: i32) -> Vec<(String, String, i64)> {
    let rows = of.json(&[code]).unwrap();
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    let row = |row: &Value| {
        (text(row, "period"), text(row, "feasibility"), row["hidden"].as_i64().unwrap())
    };
    rows.as_array().unwrap().iter().map(row).collect()
}

fn is(period: &str, feasibility: &str, hidden: i64) -> (String, String, i64) {
    (period.to_owned(), feasibility.to_owned(), hidden)
}

#[test]
fn a_draft_is_told_how_many_of_its_cells_could_be_published_at_all() {
    let mut running = protected::filled("");
    let all = draft(&running, "2016..2017", 3);
    assert_eq!(cells(&all, 3), [is("2016", "pooled", 3), is("2017", "nobody", 0)]);
    assert!(all.stderr.contains("1 of 2 cells could be published, at best"), "{}", all.stderr);
    assert_eq!(cells(&draft(&running, "2016", 4), 3), [is("2016", "too_few", 3)]);
    // Nothing was issued and nobody was asked for a figure.
    let issued = running.region("analyst", "json", &["requirement", "list"]).unwrap();
    assert_eq!(issued.json(&[0]).unwrap(), json!([]));

    // Once it was shown, one member's correction has to wait for others'.
    let shown = running.issue(&[protected::SEIZURES]).unwrap();
    running.gather(&shown).unwrap();
    assert_eq!(cells(&draft(&running, "2016", 3), 0), [is("2016", "pooled", 3)]);
    protected::correct(&running, "al-police");
    assert_eq!(cells(&draft(&running, "2016", 3), 3), [is("2016", "waits", 3)]);

    // Whoever cannot be asked counts as holding nothing, and is named.
    running.federation.kill_all();
    running.federation.start_coordinator().unwrap();
    running.federation.start_node("al-police").unwrap();
    let alone = draft(&running, "2016", 3);
    assert_eq!(cells(&alone, 3), [is("2016", "too_few", 1)]);
    assert!(
        alone.stderr.contains("rs-police could not be asked (NO_CONNECTION)"),
        "{}",
        alone.stderr
    );
}
