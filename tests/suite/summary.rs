//! Strategic summaries, through real processes: four eyes, versions, search in either script, evidence. What
//! an agency writes stays in its node and survives a kill.

use std::{fs, path::PathBuf};

use accord_tests::process::Finished;
use serde_json::{Value, json};

use crate::{Running, started};

const NODE: &str = "rs-police";

/// The sample that people copy, moved to Serbia.
fn example() -> String {
    let text = include_str!("../../deploy/summary.toml");
    text.replace("\"AL\", \"AL012\"", "\"RS\"").replace("\"AL\"", "\"RS\"")
}

fn titled(title: &str) -> String {
    example().replace("Example only: cocaine through sea ports, first half of 2026", title)
}

fn write(running: &Running, name: &str, text: &str) -> String {
    let path: PathBuf = running.dir.join(name);
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// A command of `summary` as somebody.
fn summary(running: &Running, role: &str, arguments: &[&str]) -> Finished {
    running.desk(NODE, role, &[&["summary"], arguments].concat()).unwrap()
}

fn done(running: &Running, role: &str, arguments: &[&str]) -> Value {
    summary(running, role, arguments).json(&[0]).unwrap()
}

/// Exit code and standard error of a command that is refused.
fn refused(running: &Running, role: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let finished = summary(running, role, arguments);
    assert_eq!(finished.stdout, "", "{role} {arguments:?}");
    (finished.code, finished.stderr)
}

fn create(running: &Running, name: &str, text: &str) -> String {
    let file = write(running, name, text);
    let created = done(running, "analyst", &["create", &file]);
    assert_eq!((created["version"].as_u64(), created["state"].as_str()), (Some(1), Some("draft")));
    created["summary"].as_str().unwrap().to_owned()
}

fn validate(running: &Running, id: &str) {
    for step in ["evaluate", "validate"] {
        done(running, "releaser", &[step, id, "--why", "checked"]);
    }
}

fn journal(running: &Running) -> u64 {
    let status = running.desk(NODE, "auditor", &["status"]).unwrap().json(&[0]).unwrap();
    status["journal_size"].as_u64().unwrap()
}

/// Version, state and title of every entry.
fn listed(list: &Value) -> Vec<(u64, &str, &str)> {
    let entries = list.as_array().unwrap().iter();
    let text = |entry: &'_ Value, field: &str| entry[field].as_str().unwrap().len();
    assert!(entries.clone().all(|entry| text(entry, "summary") == 36));
    entries
        .map(|entry| {
            let text = |field: &str| entry[field].as_str().unwrap();
            (entry["version"].as_u64().unwrap(), text("state"), text("title"))
        })
        .collect()
}

#[test]
fn a_summary_is_checked_by_another_and_every_version_of_it_is_kept() {
    let mut running = started(&["RS"]);
    let mut size = journal(&running);
    let mut grew = |running: &Running, what: &str| {
        let now = journal(running);
        assert!(now > size, "{what} stands in the journal");
        size = now;
    };
    let id = create(&running, "first.toml", &titled("Кријумчарење кокаина преко лука"));
    grew(&running, "create");
    let (code, why) = refused(&running, "analyst", &["evaluate", &id, "--why", "mine is right"]);
    assert!(code == Some(7) && why.contains("FOUR_EYES"), "{why}");
    let (code, why) = refused(&running, "releaser", &["validate", &id, "--why", "in haste"]);
    assert!(code == Some(4) && why.contains("SUMMARY_STATE"), "{why}");
    validate(&running, &id);
    grew(&running, "validate");

    let text = titled("Krijumčarenje kokaina preko luka").replace("\"MODERATE\"", "\"LOW\"");
    let file = write(&running, "second.toml", &text);
    let revise = ["revise", &id, &file, "--version", "1", "--why", "A source was lost"];
    let revised = done(&running, "analyst", &revise);
    assert_eq!((&revised["version"], &revised["already"]), (&json!(2), &json!(false)));
    grew(&running, "revise");
    // A reply that was lost: the same again changes nothing.
    assert_eq!(done(&running, "analyst", &revise)["already"], true);
    let all = [
        (2, "draft", "Krijumčarenje kokaina preko luka"),
        (1, "validated", "Кријумчарење кокаина преко лука"),
    ];
    for words in ["krijumcar koka", "Krijumčarenje", "КРИЈУМЧАР лук"] {
        let words: Vec<_> = words.split(' ').collect();
        let found = done(&running, "auditor", &[&["search"], words.as_slice()].concat());
        assert_eq!(listed(&found), all, "{words:?}");
    }
    grew(&running, "search");
    assert_eq!(done(&running, "analyst", &["search", "heroin"]), json!([]));
    let validated = done(&running, "analyst", &["list", "--state", "validated", "--area", "DRG"]);
    assert_eq!(listed(&validated), all[1..]);

    let changed = done(&running, "analyst", &["diff", &id, "--from", "1"]);
    assert_eq!(
        changed,
        json!([
            {"field": "key_judgements[1].confidence", "before": "MODERATE", "after": "LOW"},
            {"field": "title", "before": all[1].2, "after": all[0].2},
        ])
    );
    grew(&running, "diff");
    let before = done(&running, "auditor", &["show", &id, "--version", "1"]);
    grew(&running, "show");
    let steps: Vec<_> = before["history"].as_array().unwrap().iter().map(|e| &e["step"]).collect();
    assert_eq!(steps, ["write", "evaluate", "validate"]);
    assert_eq!(before["document"]["key_judgements"][1]["confidence"], "MODERATE");

    // Nothing of it is only in memory.
    running.node_server(NODE).unwrap().kill();
    running.federation.start_node(NODE).unwrap();
    assert_eq!(done(&running, "auditor", &["show", &id, "--version", "1"]), before);
    grew(&running, "a restart forgets nothing, and reading");

    let (code, why) = refused(&running, "analyst", &["withdraw", &id, "--why", "not any more"]);
    assert!(code == Some(7) && why.contains("CERTIFICATE_ROLE"), "{why}");
    let withdrawn = done(&running, "releaser", &["withdraw", &id, "--why", "The source was wrong"]);
    assert_eq!(withdrawn["state"], "withdrawn");
    let shown = done(&running, "auditor", &["show", &id]);
    let states: Vec<_> =
        shown["versions"].as_array().unwrap().iter().map(|v| &v["state"]).collect();
    assert_eq!(states, ["withdrawn", "withdrawn"], "and still every version is there");
}

#[test]
fn nobody_does_with_a_summary_what_belongs_to_another_role() {
    let running = started(&["RS"]);
    let id = create(&running, "first.toml", &example());
    let file = write(&running, "second.toml", &titled("Another"));
    let before = done(&running, "auditor", &["show", &id]);
    let create: &[&str] = &["create", &file];
    let import: &[&str] = &["import", &file];
    let revise: &[&str] = &["revise", &id, &file, "--why", "x"];
    let evaluate: &[&str] = &["evaluate", &id, "--why", "x"];
    let validate: &[&str] = &["validate", &id, "--why", "x"];
    let withdraw: &[&str] = &["withdraw", &id, "--why", "x"];
    for (role, commands) in [
        ("auditor", [create, revise, evaluate, validate, withdraw].as_slice()),
        ("releaser", &[create, revise]),
        ("analyst", &[validate]),
    ] {
        for command in commands {
            let (code, why) = refused(&running, role, command);
            let said = why.contains("CERTIFICATE_ROLE");
            assert!(code == Some(7) && said, "{role} {command:?}: {why}");
        }
    }
    let imported = summary(&running, "releaser", import);
    assert_eq!(imported.code, Some(3), "{}", imported.stderr);
    assert_eq!(imported.json(&[3]).unwrap(), json!([]));
    for read in [["show", &id].as_slice(), &["diff", &id], &["list"], &["search", "ports"]] {
        for role in ["analyst", "releaser", "auditor"] {
            done(&running, role, read);
        }
    }
    assert_eq!(done(&running, "auditor", &["show", &id]), before, "nothing has changed");
}

#[test]
fn an_archive_of_summaries_is_taken_in_once() {
    let running = started(&["RS"]);
    let good = write(&running, "good.toml", &example());
    let bad = write(&running, "bad.toml", &example().replace("\"FIN\"", "\"GARDEN\""));
    let first = summary(&running, "analyst", &["import", &good, &bad]);
    let rows = first.json(&[3]).unwrap();
    assert_eq!(rows.as_array().unwrap().len(), 1);
    assert_eq!((&rows[0]["file"], &rows[0]["already"]), (&json!(good), &json!(false)));
    assert!(first.stderr.contains("bad.toml: CODE_UNKNOWN: crime_areas[1]"), "{}", first.stderr);
    let size = journal(&running);
    let again = done(&running, "analyst", &["import", &good]);
    assert_eq!((&again[0]["already"], &again[0]["summary"]), (&json!(true), &rows[0]["summary"]));
    assert_eq!(journal(&running), size, "nothing happened");
    assert_eq!(done(&running, "analyst", &["list"]).as_array().unwrap().len(), 1);
}

#[test]
fn what_may_not_be_held_leaves_no_trace() {
    let running = started(&["RS"]);
    let marked = titled("Unspeakable matter").replace("\"UNCLASSIFIED\"", "\"EU-SECRET\"");
    let file = write(&running, "marked.toml", &marked);
    let (code, why) = refused(&running, "analyst", &["create", &file]);
    assert!(code == Some(1) && why.contains("CLASSIFICATION_ABOVE_CEILING"), "{why}");
    assert!(!why.contains("Unspeakable"), "{why}");
    assert_eq!(done(&running, "analyst", &["list"]), json!([]));
    let log = fs::read_to_string(running.nodes[NODE].home.join("log")).unwrap();
    assert!(log.contains("CLASSIFICATION_ABOVE_CEILING") && !log.contains("Unspeakable"), "{log}");

    // Nor does what looks like a person, wherever it stands; and nobody is searched for.
    let address = "somebody@example.org";
    let text = example().replace("honest firms cannot compete", &format!("ask {address}"));
    let file = write(&running, "personal.toml", &text);
    let id = create(&running, "good.toml", &example());
    for arguments in [
        ["create", &file].as_slice(),
        &["search", address],
        &["evaluate", &id, "--why", &format!("{address} said so")],
    ] {
        let role = if arguments[0] == "evaluate" { "releaser" } else { "analyst" };
        let (code, why) = refused(&running, role, arguments);
        assert!(code == Some(1) && why.contains("PERSONAL_DATA"), "{why}");
        assert!(!why.contains(address), "{why}");
    }
    let log = fs::read_to_string(running.nodes[NODE].home.join("log")).unwrap();
    assert!(!log.contains(address), "{log}");
}

#[test]
fn an_edition_takes_in_the_summaries_of_its_period() {
    let running = started(&["RS"]);
    let text = example()
        .replace("period = \"2026-H1\"\n# Codes of the list regions", "period = \"2016\"\n#");
    let (held, draft) = (
        create(&running, "held.toml", &text),
        create(&running, "draft.toml", &text.replace("Example only", "Not ready")),
    );
    validate(&running, &held);
    let sample = accord_tests::federation::sample_dir();
    running.import(NODE, &sample.join("RS.csv"), &sample.join("mapping.toml")).unwrap();
    running.desk(NODE, "releaser", &["freeze", "2016"]).unwrap().json(&[0]).unwrap();
    let shown = done(&running, "analyst", &["show", &held]);
    assert_eq!(shown["state"], "in_edition");
    assert_eq!(shown["history"][3]["why"], "edition 2016#1");
    assert_eq!(done(&running, "analyst", &["show", &draft])["state"], "draft");
}
