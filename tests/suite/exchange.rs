//! The exchange from end to end: six members, published figures, one question, one picture. Totals
//! are right to the last digit, rest on whom they say, and stay the same however often one asks.

use std::io::Write as _;
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use accord_proto::{
    clock::{Clock as _, SystemClock, SystemEntropy},
    id::RequirementId,
};
use accord_tests::{
    federation::{Dialling, QUESTION, SIX, cell, member, sample_dir},
    process::Finished,
};
use serde_json::{Value, json};

use crate::{DIALLING, Running, program, started, with_sample};

const HOMICIDE: &str =
    "indicator = \"PUB.OFF.N\"\ncrime_areas = \"ICCS0101\"\nperiods = \"2016\"\n";
const FOOTNOTE: &str = "* This designation is without prejudice to positions on status, and is in \
    line with UNSCR 1244/1999 and the ICJ Opinion on the Kosovo declaration of independence.";

/// What the files say of one cell.
#[derive(Debug, Default)]
struct Published {
    sum: i64,
    contributors: Vec<String>,
    missing: Vec<String>,
}

/// The sample, added up by hand: crime area and year → what its files say.
fn published() -> BTreeMap<(String, String), Published> {
    let mut cells = BTreeMap::<_, Published>::new();
    let mut members = SIX;
    members.sort_unstable();
    for code in members {
        let text = fs::read_to_string(sample_dir().join(format!("{code}.csv"))).unwrap();
        for line in text.lines().skip(1) {
            let fields: Vec<_> = line.split(',').collect();
            let published = cells.entry((fields[0].to_owned(), fields[1].to_owned())).or_default();
            if fields[2].is_empty() {
                published.missing.push(code.to_owned());
            } else {
                published.sum += fields[2].parse::<i64>().unwrap();
                published.contributors.push(code.to_owned());
            }
        }
    }
    cells
}

/// Digests of every member's table.
fn digests(shown: &Value) -> Vec<String> {
    let members = shown["members"].as_array().unwrap();
    members.iter().map(|member| member["table_sha256"].as_str().unwrap().to_owned()).collect()
}

fn assert_all_answered(shown: &Value, members: usize) {
    assert_eq!(shown["picture"]["coverage"], json!({"answered": members, "members": members}));
    assert_eq!(shown["members"].as_array().unwrap().len(), members);
    for member in shown["members"].as_array().unwrap() {
        assert_eq!(member["state"], "answered", "{member}");
        assert_eq!(member["reason"], Value::Null, "{member}");
        assert_eq!(member["table_sha256"].as_str().unwrap().len(), 64, "{member}");
    }
}

/// A requirement with an id of its own choice.
fn draft(id: RequirementId, why: &str) -> String {
    let closes = SystemClock.now().plus_s(86_400);
    format!(
        "id = \"{id}\"\nauthority = \"analysis-unit\"\nwhy = \"{why}\"\n\
         purpose = \"THREAT-ASSESSMENT\"\nlegal_basis = \"Test, no legal effect\"\n\
         audience = \"POLICE\"\n\
         closes = \"{closes}\"\n[[question]]\n{HOMICIDE}"
    )
}

fn status(running: &Running, node: &str) -> Value {
    running.desk(node, "auditor", &["status"]).unwrap().json(&[0]).unwrap()
}

/// Imports text with the sample's mapping.
fn import(running: &Running, node: &str, text: &str) -> Finished {
    let file = running.dir.join("figures.csv");
    fs::write(&file, text).unwrap();
    running.import(node, &file, &sample_dir().join("mapping.toml")).unwrap()
}

/// The demo, with nodes that dial if this test is about them.
fn demo_command() -> Command {
    let mut command = Command::new(program());
    command.arg("demo");
    command.args((DIALLING.get() == Dialling::Everybody).then_some("--dial"));
    command
}

/// The picture of a run of the demo.
fn demo(arguments: &[&str]) -> Value {
    let mut command = demo_command();
    command.args(["--once", "--format", "json"]).args(arguments);
    Finished::run(command).unwrap().json(&[0]).unwrap()
}

#[test]
pub(crate) fn six_members_give_the_regional_total_with_its_coverage() {
    let running = with_sample(&SIX);
    let requirement = running.issue(&[QUESTION]).unwrap();
    let gathered = running.region("analyst", "json", &["gather", &requirement]).unwrap();
    let shown = gathered.json(&[0]).unwrap();
    assert_all_answered(&shown, 6);
    let homicide = cell(&shown, "ICCS0101", "2016").unwrap();
    assert_eq!(homicide["value"], 289);
    assert_eq!(homicide["status"], "value");
    assert_eq!(homicide["unit"], "offences");
    assert_eq!(homicide["contributors"], json!(["AL", "BA", "ME", "MK", "RS", "XK"]));
    for list in ["missing", "not_shown", "silent"] {
        assert_eq!(homicide[list], json!([]), "{list}");
    }
    for code in SIX {
        let line = format!("{code} {}-police: answered", code.to_lowercase());
        assert!(gathered.stderr.contains(&line), "no progress \"{line}\": {}", gathered.stderr);
    }
}

#[test]
pub(crate) fn every_cell_that_was_asked_has_a_status_and_a_figure_that_was_not_reported_is_never_zero()
 {
    let running = with_sample(&SIX);
    let requirement = running.issue(&[QUESTION]).unwrap();
    let shown = running.gather(&requirement).unwrap();
    let published = published();
    assert_eq!(published.len(), 30);
    assert_eq!(shown["picture"]["cells"].as_array().unwrap().len(), published.len());
    for ((crime_area, year), Published { sum, contributors, missing }) in published {
        let cell = cell(&shown, &crime_area, &year).unwrap();
        let (status, value) = match (contributors.len(), missing.len()) {
            (6, 0) => ("value", json!(sum)),
            (0, _) => ("missing", Value::Null),
            _ => ("partial", json!(sum)),
        };
        assert_eq!(cell["status"], status, "{cell}");
        assert_eq!(cell["value"], value, "{cell}");
        assert_eq!(cell["contributors"], json!(contributors), "{cell}");
        assert_eq!(cell["missing"], json!(missing), "{cell}");
    }
    let homicide = cell(&shown, "ICCS0101", "2018").unwrap();
    assert_eq!(homicide["value"], 247);
    assert_eq!(homicide["status"], "partial");
    assert_eq!(homicide["missing"], json!(["MK"]));
}

#[test]
pub(crate) fn the_same_question_gives_the_same_bytes_also_after_everything_was_killed_and_restarted()
 {
    let mut running = with_sample(&SIX);
    let requirement = running.issue(&[QUESTION]).unwrap();
    let first = running.gather(&requirement).unwrap();
    assert_all_answered(&first, 6);
    assert_eq!(first["picture"]["version"], 1);
    assert_eq!(running.gather(&requirement).unwrap(), first);

    running.kill_all();
    running.federation.start().unwrap();
    let again = running.gather(&requirement).unwrap();
    assert_eq!(digests(&again), digests(&first));
    assert_eq!(again["picture"]["version"], 1);
    assert_eq!(again, first);
    let listed = running.region("analyst", "json", &["picture", "list"]).unwrap();
    assert_eq!(listed.json(&[0]).unwrap().as_array().unwrap().len(), 1);
}

#[test]
pub(crate) fn a_requirement_issued_again_is_the_same_one_also_a_second_later() {
    let running = started(&["AL"]);
    let id = RequirementId::mint(&SystemClock, &SystemEntropy).unwrap();
    let text = draft(id, "Homicide in the region");
    let first = SystemClock.now();
    while SystemClock.now().as_s() <= first.as_s() + 1 {
        assert_eq!(running.issue_text(&text).unwrap(), id.to_string());
    }
    let listed = running.region("analyst", "json", &["requirement", "list"]).unwrap();
    assert_eq!(listed.json(&[0]).unwrap().as_array().unwrap().len(), 1);
}

#[test]
pub(crate) fn another_text_under_the_id_of_a_requirement_is_refused() {
    let running = started(&["AL"]);
    let id = RequirementId::mint(&SystemClock, &SystemEntropy).unwrap();
    running.issue_text(&draft(id, "Homicide in the region")).unwrap();
    let file = running.dir.join("other.toml");
    fs::write(&file, draft(id, "Something else")).unwrap();
    let key = running.dir.join("federation/authority.key");
    let (file, key) = (file.display().to_string(), key.display().to_string());
    let arguments = ["requirement", "issue", &file, "--authority-key", &key];
    let refused = running.region("analyst", "json", &arguments).unwrap();
    assert_eq!(refused.code, Some(4), "{}", refused.stderr);
    assert!(refused.stderr.contains("REQUIREMENT_CONFLICT"), "{}", refused.stderr);
    assert_eq!(refused.stdout, "");
    let listed = running.region("analyst", "json", &["requirement", "list"]).unwrap();
    assert_eq!(listed.json(&[0]).unwrap().as_array().unwrap().len(), 1);
}

#[test]
pub(crate) fn no_form_of_a_picture_loses_its_coverage_or_the_footnote() {
    let running = with_sample(&["AL", "XK"]);
    let requirement = running.issue(&[HOMICIDE]).unwrap();
    running.node_server("al-police").unwrap().kill();
    running.gather(&requirement).unwrap();
    let show = |format| {
        let shown = running.region("editor", format, &["picture", "show", &requirement]).unwrap();
        assert_eq!(shown.code, Some(3), "{}", shown.stderr);
        shown.stdout
    };

    let json: Value = serde_json::from_str(&show("json")).unwrap();
    assert_eq!(json["picture"]["coverage"], json!({"answered": 1, "members": 2}));
    assert_eq!(json["picture"]["footnotes"], json!([FOOTNOTE]));

    let table = show("table");
    assert!(table.contains("Coverage 1/2"), "{table}");
    assert!(table.contains("Kosovo*") && table.contains(FOOTNOTE), "{table}");
    assert!(table.contains("29†"), "a part is marked: {table}");

    let csv = show("csv");
    let lines: Vec<Vec<_>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines.len(), 2, "{csv}");
    let field = |name| lines[1][lines[0].iter().position(|column| *column == name).unwrap()];
    assert_eq!((field("answered"), field("members")), ("1", "2"));
    assert_eq!((field("value"), field("status")), ("29", "partial"));
    // The footnote belongs to the name; the code alone stands without it.
    assert!(!csv.contains("Kosovo") || csv.contains(FOOTNOTE), "{csv}");
}

#[test]
pub(crate) fn the_footnote_stands_only_where_its_member_does() {
    let running = with_sample(&["AL", "BA"]);
    let shown = running.gather(&running.issue(&[HOMICIDE]).unwrap()).unwrap();
    assert_eq!(shown["picture"]["footnotes"], json!([]));
}

#[test]
pub(crate) fn the_same_file_twice_changes_nothing() {
    let running = with_sample(&["AL"]);
    let before = status(&running, "al-police");
    assert_eq!(before["observations"], 30);
    let sample = sample_dir();
    let again =
        running.import("al-police", &sample.join("AL.csv"), &sample.join("mapping.toml")).unwrap();
    let again = again.json(&[0]).unwrap();
    assert_eq!(again["already_imported"], true);
    assert_eq!(again["rows_accepted"], 30, "what came of it then: {again}");
    assert_eq!(status(&running, "al-police"), before, "not even the journal");

    let text = fs::read_to_string(sample.join("AL.csv")).unwrap();
    let same_figures = import(&running, "al-police", &format!("{text}\n")).json(&[0]).unwrap();
    assert_eq!(same_figures["already_imported"], false);
    assert_eq!(same_figures["rows_accepted"], 0);
    assert_eq!(same_figures["rows_unchanged"], 30);
    let frozen = running.desk("al-police", "releaser", &["freeze", "2014", "2018"]).unwrap();
    assert_eq!(frozen.json(&[0]).unwrap()["editions"], before["editions"], "no new edition");
}

#[test]
pub(crate) fn bad_rows_are_named_and_left_out_and_the_rest_is_kept() {
    let running = started(&["AL"]);
    let text = "iccs,year,offences,flag,note\n\
        ICCS0101,2016,71,A,\n\
        ICCS9999,2017,1,A,\n\
        ICCS0101,2016-13,1,A,\n\
        ICCS0101,2015,3,A,somebody\n\
        ICCS0101,2014,3,Z,\n\
        ICCS0101,2018,-3,A,\n\
        ICCS020221,2016,4,A,\n";
    let imported = import(&running, "al-police", text);
    let data = imported.json(&[3]).unwrap();
    let quarantined: Vec<_> = data["quarantined"].as_array().unwrap().iter().collect();
    let named: Vec<_> = quarantined.iter().map(|row| json!([row["row"], row["field"]])).collect();
    let wanted = [(3, "iccs"), (4, "year"), (5, "note"), (6, "flag"), (7, "offences")];
    assert_eq!(named, wanted.map(|(row, field)| json!([row, field])));
    let reasons: Vec<_> = quarantined.iter().map(|row| row["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons[..4], ["CODE_UNKNOWN", "PERIOD_INVALID", "COLUMN_UNKNOWN", "CODE_UNKNOWN"]);
    for (row, field) in wanted {
        let said = format!("row {row} field {field}: ");
        assert!(imported.stderr.contains(&said), "{said}\n{}", imported.stderr);
    }
    assert_eq!((&data["rows_read"], &data["rows_accepted"]), (&json!(7), &json!(2)));
    assert_eq!(data["rows_quarantined"], 5);
    assert_eq!(status(&running, "al-police")["observations"], 2);

    // Nothing of the bad rows can be frozen either.
    let frozen = running.desk("al-police", "releaser", &["freeze", "2014", "2018"]).unwrap();
    let frozen = frozen.json(&[0]).unwrap();
    let periods: Vec<_> =
        frozen["editions"].as_array().unwrap().iter().map(|edition| &edition["period"]).collect();
    assert_eq!(periods, ["2016"]);
}

#[test]
pub(crate) fn a_file_without_a_column_of_the_mapping_gives_no_record_and_says_which() {
    let running = started(&["AL"]);
    let text = "iccs,year,offences\nICCS0101,2016,71\nICCS0101,2015,76\n";
    let imported = import(&running, "al-police", text);
    let data = imported.json(&[3]).unwrap();
    assert_eq!((&data["rows_accepted"], &data["rows_quarantined"]), (&json!(0), &json!(2)));
    for row in data["quarantined"].as_array().unwrap() {
        assert_eq!((&row["reason"], &row["field"]), (&json!("COLUMN_UNKNOWN"), &json!("flag")));
    }
    assert_eq!(status(&running, "al-police")["observations"], 0);
}

#[test]
pub(crate) fn a_correction_is_a_second_edition_for_new_requirements_only() {
    let running = with_sample(&["AL", "BA"]);
    let old = running.issue(&[HOMICIDE]).unwrap();
    let before = running.gather(&old).unwrap();
    assert_eq!(cell(&before, "ICCS0101", "2016").unwrap()["value"], 113);

    let corrected = import(&running, "al-police", "iccs,year,offences,flag\nICCS0101,2016,80,A\n");
    assert_eq!(corrected.json(&[0]).unwrap()["rows_accepted"], 1);
    assert_eq!(status(&running, "al-police")["observations"], 30);
    let unfrozen = running.gather(&running.issue(&[HOMICIDE]).unwrap()).unwrap();
    let figure = &cell(&unfrozen, "ICCS0101", "2016").unwrap()["value"];
    assert_eq!(*figure, 113, "what is not frozen is not answered from");

    let frozen = running.desk("al-police", "releaser", &["freeze", "2014", "2018"]).unwrap();
    for edition in frozen.json(&[0]).unwrap()["editions"].as_array().unwrap() {
        let number = if edition["period"] == "2016" { 2 } else { 1 };
        assert_eq!(edition["number"], number, "{edition}");
    }
    let new = running.gather(&running.issue(&[HOMICIDE]).unwrap()).unwrap();
    assert_eq!(cell(&new, "ICCS0101", "2016").unwrap()["value"], 122);
    assert_eq!(running.gather(&old).unwrap(), before, "the old requirement, the old bytes");
}

/// Published figures as the federation's own files: one for each member, and a mapping.
fn split_by_member(table: &Path, dir: &Path) {
    let text = fs::read_to_string(table).unwrap();
    let (header, rows) = text.split_once('\n').unwrap();
    for code in SIX {
        let mut own = format!("{header}\n");
        for row in rows.lines().filter(|row| row.starts_with(&format!("{code},"))) {
            writeln!(own, "{row}").unwrap();
        }
        fs::write(dir.join(format!("{code}.csv")), own).unwrap();
    }
    let mapping = "source = \"Eurostat, table crim_off_cat, CC BY 4.0\"\n\
        [columns]\njurisdiction = \"geo\"\ncrime_area = \"iccs\"\nperiod = \"period\"\n\
        value = \"value\"\nstatus = \"obs_status\"\n\
        [constants]\nindicator = \"PUB.OFF.N\"\n\
        [codes.status]\nA = \"value\"\nM = \"missing\"\n\
        [only]\nunit = \"NR\"\n";
    fs::write(dir.join("mapping.toml"), mapping).unwrap();
}

fn codes(list: &Value) -> Vec<&str> {
    let mut codes: Vec<_> =
        list.as_array().unwrap().iter().map(|code| code.as_str().unwrap()).collect();
    codes.sort_unstable();
    codes
}

#[test]
pub(crate) fn the_published_figures_give_the_published_regional_totals() {
    let data = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data"));
    if !data.exists() {
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: THE PUBLISHED FIGURES ARE NOT HERE: {} is absent",
            data.display()
        );
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    split_by_member(&data.join("eurostat_crim_off_cat/crim_off_cat_2008_2020.csv"), dir.path());
    let shown = demo(&["--data", &dir.path().display().to_string()]);
    assert_all_answered(&shown, 6);

    let expected = fs::read_to_string(data.join("expected.json")).unwrap();
    let expected: Value = serde_json::from_str(&expected).unwrap();
    for id in ["S01", "S02", "S03"] {
        let items = expected["items"].as_array().unwrap();
        let item = items.iter().find(|item| item["id"] == id).unwrap();
        let text = |field: &str| item["filter"][field].as_str().unwrap();
        let cell = cell(&shown, text("iccs"), text("period")).unwrap();
        assert_eq!(cell["value"], item["expected"], "{id}");
        assert_eq!(codes(&cell["missing"]), codes(&item["missing"]), "{id}");
        assert_eq!(codes(&cell["contributors"]), codes(&item["reporting"]), "{id}");
        let status = if codes(&item["missing"]).is_empty() { "value" } else { "partial" };
        assert_eq!(cell["status"], status, "{id}");
    }
}

#[test]
pub(crate) fn a_member_that_is_away_is_named_and_not_in_the_total() {
    let shown = demo(&["--offline", "MK"]);
    assert_eq!(shown["picture"]["coverage"], json!({"answered": 5, "members": 6}));
    let homicide = cell(&shown, "ICCS0101", "2016").unwrap();
    assert_eq!(homicide["value"], 272);
    assert_eq!(homicide["status"], "partial");
    assert_eq!(homicide["silent"], json!(["MK"]));
    let away = member(&shown, "MK").unwrap();
    assert_eq!(away["state"], "unreachable");
    assert_eq!(away["reason"], "NO_CONNECTION");
    assert_eq!(away["table_sha256"], "");
}

#[test]
pub(crate) fn a_figure_that_two_nodes_of_a_jurisdiction_hold_counts_once() {
    let running = with_sample(&["AL", "BA", "BA"]);
    let requirement = running.issue(&[QUESTION]).unwrap();
    let shown = running.gather(&requirement).unwrap();
    assert_eq!(shown["picture"]["coverage"]["answered"], 3);
    let homicide = cell(&shown, "ICCS0101", "2016").unwrap();
    assert_eq!(homicide["value"], 71 + 42);
    assert_eq!(homicide["status"], "value");
    assert_eq!(homicide["contributors"], json!(["AL", "BA"]));
}

#[test]
pub(crate) fn ctrl_c_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let mut demo = demo_command()
        .env("TMPDIR", dir.path())
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let picture = std::io::BufReader::new(demo.stdout.take().unwrap());
    let mut lines = std::io::BufRead::lines(picture).map_while(Result::ok);
    assert!(lines.any(|line| line == "Coverage 6/6"));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "everything lies in one folder");
    let id = rustix::process::Pid::from_raw(i32::try_from(demo.id()).unwrap()).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    assert!(demo.wait().unwrap().success());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    // The servers held the other end of nothing any more: what they printed is at its end.
    assert!(lines.count() < 100);
}
