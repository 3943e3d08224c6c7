//! What an analyst lives with: files as they are, errors that say where, nothing half done, own totals that
//! are right. Through real processes.

use std::{fs, io::Write as _, path::PathBuf};

use accord_tests::federation::sample_dir;
use serde_json::{Value, json};

use crate::{Running, started};

const NODE: &str = "al-police";
const EVENTS: &str = r#"
source = "obviously made up"
rows = "events"
[columns]
crime_area = "drug"
region = "place"
period = "half"
value = "seizures"
unit = "case"
handling = "mark"
[constants]
indicator = "DRG.SEIZ.N"
"#;

fn write(running: &Running, name: &str, bytes: impl AsRef<[u8]>) -> String {
    let path: PathBuf = running.dir.join(name);
    fs::write(&path, bytes).unwrap();
    path.display().to_string()
}

fn done(running: &Running, role: &str, arguments: &[&str]) -> Value {
    running.desk(NODE, role, arguments).unwrap().json(&[0]).unwrap()
}

/// Imports text; the reply.
fn import(running: &Running, name: &str, bytes: impl AsRef<[u8]>, mapping: &str) -> Value {
    let (file, mapping) = (write(running, name, bytes), write(running, "mapping.toml", mapping));
    let import = ["import", &file, "--mapping", &mapping];
    running.desk(NODE, "analyst", &import).unwrap().json(&[0, 3]).unwrap()
}

fn observations(running: &Running) -> u64 {
    done(running, "auditor", &["status"])["observations"].as_u64().unwrap()
}

fn totals(running: &Running, arguments: &[&str]) -> Vec<Value> {
    let listed = done(running, "analyst", &[&["totals"], arguments].concat());
    listed.as_array().unwrap().clone()
}

fn total<'a>(totals: &'a [Value], area: &str, region: &str, period: &str) -> Option<&'a Value> {
    totals.iter().find(|total| {
        total["crime_area"] == area && total["region"] == region && total["period"] == period
    })
}

const SEIZURES: &str = "drug,place,half,seizures,case,mark\n\
    DRG.COC,AL022,2016-H1,1,K-1,\n\
    DRG.HER,AL022,2016-H1,2,K-1,\n\
    DRG.COC,AL021,2016-H1,1,K-2,H1\n\
    DRG.COC,AL031,2016-H2,4,K-3,H2\n";

#[test]
fn own_totals_add_events_over_every_level_and_count_each_unit_once() {
    let running = started(&["AL"]);
    import(&running, "seizures.csv", SEIZURES, EVENTS);
    let of_2016 = totals(&running, &["--indicator", "DRG.SEIZ.N", "--first-period", "2016"]);
    let whole = total(&of_2016, "DRG", "AL", "2016").unwrap();
    assert_eq!(whole["value"], "8");
    assert_eq!((&whole["records"], &whole["units"]), (&json!(4), &json!(3)));
    assert_eq!((&whole["largest"], &whole["second"]), (&json!("4"), &json!("3")));
    let middle = total(&of_2016, "DRG.COC", "AL02", "2016").unwrap();
    assert_eq!(middle["value"], "2");
    // Who looked is in the journal.
    let before = done(&running, "auditor", &["status"])["journal_size"].as_u64().unwrap();
    totals(&running, &[]);
    let after = done(&running, "auditor", &["status"])["journal_size"].as_u64().unwrap();
    assert_eq!(after, before + 1);
}

#[test]
fn only_records_whose_handling_allows_it_count_for_an_audience() {
    let running = started(&["AL"]);
    import(&running, "seizures.csv", SEIZURES, EVENTS);
    done(&running, "releaser", &["freeze", "2016"]);
    for (audience, sum) in [("POLICE", "4"), ("PARTNERS", "3"), ("PUBLIC", "3")] {
        let arguments = ["--first-period", "2016", "--audience", audience];
        let totals = totals(&running, &arguments);
        assert_eq!(total(&totals, "DRG", "AL", "2016").unwrap()["value"], sum, "{audience}");
        // H2 allows nobody: the region that rests on such records alone holds nothing.
        assert!(total(&totals, "DRG", "AL031", "2016").is_none(), "{audience}");
    }
}

#[test]
fn a_correction_makes_an_edition_of_that_period_only_and_what_changed_is_shown_at_home() {
    let running = started(&["AL"]);
    let seizures = SEIZURES.replace("K-3,H2", "K-3,");
    import(&running, "seizures.csv", &seizures, EVENTS);
    done(&running, "releaser", &["freeze", "2016-H1", "2016-H2"]);
    let corrected = seizures.replace("DRG.HER,AL022,2016-H1,2", "DRG.HER,AL022,2016-H1,5");
    let reply = import(&running, "corrected.csv", corrected, EVENTS);
    assert_eq!((&reply["rows_replaced"], &reply["rows_unchanged"]), (&json!(1), &json!(3)));
    done(&running, "releaser", &["freeze", "2016-H1", "2016-H2"]);
    let editions = done(&running, "releaser", &["edition", "list"]);
    let numbers: Vec<_> = editions
        .as_array()
        .unwrap()
        .iter()
        .map(|edition| (edition["period"].as_str().unwrap(), edition["number"].as_u64().unwrap()))
        .collect();
    assert_eq!(numbers, [("2016-H1", 2), ("2016-H2", 1)]);
    let changes = done(&running, "releaser", &["edition", "diff", "2016-H1"]);
    let changes = changes.as_array().unwrap();
    let own = changes
        .iter()
        .find(|change| change["crime_area"] == "DRG.HER" && change["region"] == "AL022")
        .unwrap();
    assert_eq!((&own["before"], &own["after"]), (&json!("2"), &json!("5")));
    assert!(changes.iter().all(|change| change["crime_area"] != "DRG.COC"), "{changes:?}");
}

#[test]
fn an_import_is_undone_whole_and_only_while_no_edition_rests_on_it() {
    let running = started(&["AL"]);
    import(&running, "seizures.csv", SEIZURES, EVENTS);
    let more = "drug,place,half,seizures,case,mark\nDRG.COC,AL022,2016-H1,9,K-1,\nDRG.SYN,AL,2017-H1,1,K-9,\n";
    let second = import(&running, "more.csv", more, EVENTS);
    let number = second["import"].to_string();
    assert_eq!(observations(&running), 5);
    let undone = done(&running, "analyst", &["import", "undo", &number, "--why", "wrong file"]);
    assert_eq!(undone["observations_left"], 4);
    // What it had replaced counts again, also after a restart.
    let before = totals(&running, &["--first-period", "2016-H1"]);
    assert_eq!(total(&before, "DRG.COC", "AL022", "2016-H1").unwrap()["value"], "1");
    running.node_server(NODE).unwrap().kill();
    let mut running = running;
    running.federation.start_node(NODE).unwrap();
    assert_eq!(totals(&running, &["--first-period", "2016-H1"]), before);
    done(&running, "releaser", &["freeze", "2016-H1"]);
    let refused =
        running.desk(NODE, "analyst", &["import", "undo", "1", "--why", "too late"]).unwrap();
    assert_eq!(refused.code, Some(4), "{}", refused.stderr);
    assert!(refused.stderr.contains("IMPORT_FROZEN"), "{}", refused.stderr);
    // The same file may come again.
    let again = import(&running, "more.csv", more, EVENTS);
    assert_eq!((&again["already_imported"], &again["rows_accepted"]), (&json!(false), &json!(2)));
}

#[test]
fn a_dry_run_says_what_would_happen_and_changes_nothing() {
    let running = started(&["AL"]);
    let file = write(&running, "seizures.csv", SEIZURES.replace("2016-H2", "2016-H3"));
    let mapping = write(&running, "mapping.toml", EVENTS);
    let before = done(&running, "auditor", &["status"]);
    let arguments = ["import", &file, "--mapping", &mapping, "--dry-run", "--annotate"];
    let finished = running.desk(NODE, "analyst", &arguments).unwrap();
    let reply = finished.json(&[3]).unwrap();
    assert_eq!((&reply["rows_accepted"], &reply["rows_quarantined"]), (&json!(3), &json!(1)));
    assert_eq!(done(&running, "auditor", &["status"]), before);
    assert!(running.dir.join("seizures.checked.xlsx").exists(), "{}", finished.stderr);
    assert!(finished.stderr.contains("dry run: nothing stored"), "{}", finished.stderr);
}

#[test]
fn the_annotated_copy_is_mended_and_imported_again() {
    let running = started(&["AL"]);
    let file = write(&running, "seizures.csv", SEIZURES.replace("AL021", "Tirana"));
    let mapping = write(&running, "mapping.toml", EVENTS);
    let arguments = ["import", &file, "--mapping", &mapping, "--annotate"];
    let reply = running.desk(NODE, "analyst", &arguments).unwrap().json(&[3]).unwrap();
    assert_eq!(reply["quarantined"][0]["row"], 4);
    assert_eq!(reply["quarantined"][0]["field"], "place");
    // The copy is a workbook with the same columns and two more, which the mapping leaves alone.
    let copy = running.dir.join("seizures.checked.xlsx");
    let columns = accord_columns(&copy);
    assert_eq!(columns[6..], ["accord:code", "accord:hint"]);
    let shown = done(&running, "analyst", &["import", "show", "1"]);
    assert_eq!(shown["quarantined"][0]["reason"], "CODE_UNKNOWN");
    let mended = import(&running, "mended.csv", SEIZURES, EVENTS);
    assert_eq!((&mended["rows_accepted"], &mended["rows_unchanged"]), (&json!(1), &json!(3)));
}

/// Header of a workbook.
fn accord_columns(path: &std::path::Path) -> Vec<String> {
    use accord_node::ingest::sheet::{Options, Sheet};
    let file = Box::new(fs::File::open(path).unwrap());
    Sheet::open(file, &Options::default()).unwrap().header().to_vec()
}

#[test]
fn the_same_figures_come_in_as_csv_lines_of_json_and_gzip_in_any_encoding() {
    let rows = [("DRG.COC", "Tiranë", 3), ("DRG.HER", "Durrës", 4)];
    let mapping = "source = \"made up\"\n[columns]\ncrime_area = \"droga\"\nregion = \"qarku\"\n\
        period = \"gjysma\"\nvalue = \"raste\"\n[constants]\nindicator = \"DRG.SEIZ.N\"\n\
        [codes.region]\n\"Tiranë\" = \"AL022\"\n\"Durrës\" = \"AL012\"\n";
    let csv = |separator: &str| {
        let line = |(drug, place, n): &(&str, &str, i32)| {
            [*drug, place, "2016-H1", &n.to_string()].join(separator) + "\r\n"
        };
        ["droga", "qarku", "gjysma", "raste"].join(separator)
            + "\r\n"
            + &rows.iter().map(line).collect::<String>()
    };
    let lines: String = rows
        .iter()
        .map(|(drug, place, n)| {
            json!({"droga": drug, "qarku": place, "gjysma": "2016-H1", "raste": n}).to_string()
                + "\n"
        })
        .collect();
    let utf16: Vec<u8> =
        [0xfeff].into_iter().chain(csv("\t").encode_utf16()).flat_map(u16::to_le_bytes).collect();
    // ë is 0xeb in windows-1250.
    let windows: Vec<u8> =
        csv(";").chars().map(|c| if c == 'ë' { 0xeb } else { u8::try_from(c).unwrap() }).collect();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(csv("|").as_bytes()).unwrap();
    for (name, bytes) in [
        ("a.csv", csv(",").into_bytes()),
        ("b.jsonl", lines.into_bytes()),
        ("c.txt", utf16),
        ("d.csv", windows),
        ("e.csv.gz", gzip.finish().unwrap()),
    ] {
        let running = started(&["AL"]);
        let reply = import(&running, name, bytes, mapping);
        assert_eq!(reply["rows_accepted"], 2, "{name}: {reply}");
        let totals = totals(&running, &[]);
        assert_eq!(total(&totals, "DRG.HER", "AL012", "2016-H1").unwrap()["value"], "4", "{name}");
    }
}

#[test]
fn a_filled_in_template_is_read_with_the_mapping_that_came_with_it() {
    let running = started(&["AL"]);
    let out = running.dir.join("seizures.xlsx").display().to_string();
    done(&running, "analyst", &["template", "DRG.SEIZ.N", "--out", &out]);
    let mapping = fs::read_to_string(running.dir.join("seizures.toml")).unwrap();
    let columns = accord_columns(std::path::Path::new(&out));
    assert_eq!(columns[..5], ["crime_area", "region", "period", "value", "status"]);
    // Filled in the way a spreadsheet saves it.
    let row = |fields: &[(&str, &str)]| {
        let field = |column: &String| {
            fields.iter().find(|(name, _)| name == column).map_or("", |(_, text)| *text)
        };
        columns.iter().map(field).collect::<Vec<_>>().join(";") + "\n"
    };
    let text = columns.join(";")
        + "\n"
        + &row(&[("crime_area", "DRG.COC"), ("region", "AL"), ("period", "2016"), ("value", "12")])
        + &row(&[
            ("crime_area", "DRG.HER"),
            ("region", "AL"),
            ("period", "2016"),
            ("status", "missing"),
        ])
        + &row(&[("crime_area", "DRG.SYN"), ("region", "AL"), ("period", "2016")]);
    let reply = import(&running, "filled.csv", text, &mapping);
    assert_eq!((&reply["rows_accepted"], &reply["rows_quarantined"]), (&json!(2), &json!(1)));
    let totals = totals(&running, &[]);
    assert_eq!(total(&totals, "DRG.COC", "AL", "2016").unwrap()["value"], "12");
    assert_eq!(total(&totals, "DRG.HER", "AL", "2016").unwrap()["status"], "missing");
}

#[test]
fn a_file_that_stands_there_is_never_overwritten_by_a_template() {
    let running = started(&["AL"]);
    for (there, out) in [("mine.csv", "mine.csv"), ("yours.toml", "yours.xlsx")] {
        write(&running, there, "my own");
        let out = running.dir.join(out).display().to_string();
        let template = ["template", "DRG.SEIZ.N", "--out", &out];
        let refused = running.desk(NODE, "analyst", &template).unwrap();
        assert_eq!(refused.code, Some(4), "{}", refused.stderr);
        assert!(refused.stderr.contains("FILE_EXISTS"), "{}", refused.stderr);
        assert_eq!(fs::read_to_string(running.dir.join(there)).unwrap(), "my own");
    }
    assert!(!running.dir.join("yours.xlsx").exists());
}

#[test]
fn of_several_files_those_before_the_one_that_fails_are_reported() {
    let running = started(&["AL"]);
    let (good, folder) = (write(&running, "good.csv", SEIZURES), running.dir.display().to_string());
    let mapping = write(&running, "mapping.toml", EVENTS);
    let files = ["import", &good, &folder, &good, "--mapping", &mapping];
    let failed = running.desk(NODE, "analyst", &files).unwrap();
    assert!(failed.stderr.contains(&format!("{folder}: is a folder")), "{}", failed.stderr);
    let replies = failed.json(&[1]).unwrap();
    assert_eq!(replies.as_array().unwrap().len(), 1);
    assert_eq!((&replies[0]["file"], &replies[0]["rows_accepted"]), (&json!(good), &json!(4)));
    // Again: nothing changes, and that is said.
    let again = ["import", &good, "--mapping", &mapping, "--keep-until", "2099-12-31"];
    let again = running.desk(NODE, "analyst", &again).unwrap();
    assert_eq!(again.json(&[0]).unwrap()["already_imported"], true);
    for said in ["already imported as import 1; nothing changed", "--keep-until was not changed"] {
        assert!(again.stderr.contains(said), "{}", again.stderr);
    }
}

#[test]
fn where_there_is_nothing_to_show_it_is_said_why() {
    let running = started(&["AL"]);
    let said = |role: &str, arguments: &[&str]| {
        let finished = running.desk(NODE, role, arguments).unwrap();
        (finished.code, finished.stderr)
    };
    import(&running, "seizures.csv", SEIZURES, EVENTS);
    let (code, none) = said("analyst", &["totals", "--first-period", "2031", "--level", "0"]);
    assert_eq!(code, Some(0));
    assert!(none.contains("leave out --first-period, --level"), "{none}");
    // What is held of the second half is for nobody.
    let (code, skipped) = said("releaser", &["freeze", "2016-H1", "2017-H1"]);
    assert_eq!(code, Some(0));
    assert!(skipped.contains("skipped, nothing to freeze: 2016-H2, 2017-H1"), "{skipped}");
    let (code, only) = said("releaser", &["edition", "diff", "2016-H1"]);
    assert_eq!(code, Some(5));
    assert!(only.contains("2016-H1 has only one edition; nothing to compare"), "{only}");
    assert!(said("releaser", &["erase"]).1.contains("nothing is due"));
    let (_, refused) = said("auditor", &["freeze", "2016-H1"]);
    assert!(refused.contains("this takes a releaser of AL"), "{refused}");
}

#[test]
fn a_mapping_that_is_kept_is_used_by_its_name() {
    let running = started(&["AL"]);
    let mapping = sample_dir().join("mapping.toml").display().to_string();
    done(&running, "analyst", &["mapping", "save", "Eurostat offences", &mapping]);
    let file = sample_dir().join("AL.csv").display().to_string();
    let arguments = ["import", &file, "--mapping", "Eurostat offences"];
    assert_eq!(done(&running, "analyst", &arguments)["rows_quarantined"], 0);
    let unknown = ["import", &file, "--mapping", "no such"];
    let refused = running.desk(NODE, "analyst", &unknown).unwrap();
    assert_eq!(refused.code, Some(5), "{}", refused.stderr);
    let no_file = ["import", &file, "--mapping", "no-such.toml"];
    let refused = running.desk(NODE, "analyst", &no_file).unwrap();
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    let wrong = write(&running, "wrong.toml", "source = \"x\"\n[columns]\n");
    let refused = running.desk(NODE, "analyst", &["mapping", "save", "wrong", &wrong]).unwrap();
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
}

#[test]
fn a_file_that_is_cut_off_on_its_way_leaves_nothing() {
    let running = started(&["AL"]);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(SEIZURES.as_bytes()).unwrap();
    let whole = gzip.finish().unwrap();
    let file = write(&running, "cut.csv.gz", &whole[..whole.len() / 2]);
    let mapping = write(&running, "mapping.toml", EVENTS);
    let refused = running.desk(NODE, "analyst", &["import", &file, "--mapping", &mapping]).unwrap();
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert!(refused.stderr.contains("IMPORT_UNREADABLE"), "{}", refused.stderr);
    assert_eq!(observations(&running), 0);
}

#[test]
fn personal_data_is_refused_and_stands_in_no_reply_and_no_log() {
    let running = started(&["AL"]);
    let rows = SEIZURES.replace("K-2", "someone@example.org").replace("K-3", "+355 69 123 4567");
    let file = write(&running, "seizures.csv", rows);
    let mapping = write(&running, "mapping.toml", EVENTS);
    let finished =
        running.desk(NODE, "analyst", &["import", &file, "--mapping", &mapping]).unwrap();
    let reply = finished.json(&[3]).unwrap();
    assert_eq!(reply["rows_quarantined"], 2);
    for row in reply["quarantined"].as_array().unwrap() {
        assert_eq!((&row["reason"], &row["field"]), (&json!("PERSONAL_DATA"), &json!("case")));
    }
    let log = fs::read_to_string(running.dir.join(NODE).join("log")).unwrap();
    for said in [&finished.stdout, &finished.stderr, &log] {
        assert!(!said.contains("someone") && !said.contains("4567"), "{said}");
    }
}

#[test]
fn a_crime_area_above_the_one_that_contains_it_is_reported_as_it_came() {
    let running = started(&["AL"]);
    let rows =
        "iccs,year,offences,flag\nICCS03011,2016,50,A\nICCS0301,2016,40,A\nICCS0101,2016,3,A\n";
    let mapping = fs::read_to_string(sample_dir().join("mapping.toml")).unwrap();
    import(&running, "offences.csv", rows, &mapping);
    let found = done(&running, "analyst", &["totals", "--contradictions"]);
    assert_eq!(
        found,
        json!([{
            "indicator": "PUB.OFF.N", "period": "2016",
            "part": "ICCS03011 AL", "value": "50", "whole": "ICCS0301 AL", "whole_value": "40",
        }])
    );
    let totals = totals(&running, &["--first-period", "2016"]);
    assert_eq!(total(&totals, "ICCS0301", "AL", "2016").unwrap()["value"], "40");
}

#[test]
fn what_two_files_say_stays_when_one_of_them_is_taken_back() {
    let running = started(&["AL"]);
    let one = "drug,place,half,seizures,case,mark\nDRG.COC,AL022,2016-H1,7,K-1,\n";
    import(&running, "one.csv", one, EVENTS);
    let both = format!("{one}DRG.HER,AL022,2016-H1,8,K-2,\n");
    assert_eq!(import(&running, "both.csv", both, EVENTS)["rows_unchanged"], 1);
    done(&running, "analyst", &["import", "undo", "1", "--why", "only to see"]);
    let totals = totals(&running, &["--first-period", "2016-H1"]);
    assert_eq!(total(&totals, "DRG.COC", "AL022", "2016-H1").unwrap()["value"], "7");
}

#[test]
fn an_import_cannot_be_undone_when_an_edition_rests_on_what_it_moved_away() {
    let running = started(&["AL"]);
    import(&running, "one.csv", SEIZURES, EVENTS);
    let moved = SEIZURES.replace("DRG.COC,AL022,2016-H1,1,K-1", "DRG.COC,AL022,2016-H2,1,K-1");
    import(&running, "moved.csv", moved, EVENTS);
    done(&running, "releaser", &["freeze", "2016-H1"]);
    let undo = ["import", "undo", "2", "--why", "too late"];
    let refused = running.desk(NODE, "analyst", &undo).unwrap();
    assert_eq!(refused.code, Some(4), "{}", refused.stderr);
}
