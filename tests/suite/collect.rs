//! A collection goes on by itself, over a window of days: whoever was away or undecided is asked again, whatever becomes of
//! the coordinator; then the picture is drawn. Real processes; pauses of a second.

use std::fs;

use accord_proto::clock::{Clock as _, SystemClock};
use accord_tests::{
    federation::{QUESTION, STANDING},
    gathers,
};
use serde_json::Value;

use crate::{Running, prepared, program, with_sample};

/// Members are asked again after a second.
pub(crate) fn hurry(running: &Running) {
    let config = running.dir.join("coordinator/coordinator.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("retry_s = 600", "retry_s = 1")).unwrap();
}

fn restarted(running: &mut Running) {
    running.coordinator_server().unwrap().kill();
    running.federation.start_coordinator().unwrap();
}

fn watch(running: &Running, requirement: &str, code: i32) -> Value {
    let command = ["collection", requirement, "--watch"];
    running.region("analyst", "json", &command).unwrap().json(&[code]).unwrap()
}

fn states(rows: &Value) -> Vec<(String, String)> {
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| (text(row, "node"), text(row, "state"))).collect()
}

fn shown(running: &Running, requirement: &str) -> (u64, u64, u64) {
    let command = ["picture", "show", requirement];
    let shown = running.region("analyst", "json", &command).unwrap().json(&[0, 3]).unwrap();
    let picture = &shown["picture"];
    let number = |value: &Value| value.as_u64().unwrap();
    let coverage = &picture["coverage"];
    (number(&coverage["answered"]), number(&coverage["members"]), number(&picture["version"]))
}

#[test]
fn whoever_was_away_is_asked_again_and_the_picture_comes_by_itself_also_after_a_crash() {
    let mut running = with_sample(&["AL", "ME", "RS"]);
    hurry(&running);
    restarted(&mut running);
    running.node_server("rs-police").unwrap().kill();
    let requirement = running.issue(&[QUESTION]).unwrap();
    running.gather(&requirement).unwrap();
    assert_eq!(shown(&running, &requirement), (2, 3, 1));
    let now = ["collection", &requirement];
    let rows = running.region("auditor", "json", &now).unwrap().json(&[3]).unwrap();
    let waiting = &rows[2];
    assert_eq!((&waiting["node"], &waiting["state"]), (&"rs-police".into(), &"waiting".into()));
    assert_eq!(waiting["reason"], "NO_CONNECTION");
    assert_ne!(waiting["asked_again"], "");

    // The coordinator dies; the member comes back meanwhile.
    running.coordinator_server().unwrap().kill();
    running.federation.start_node("rs-police").unwrap();
    running.federation.start_coordinator().unwrap();
    let rows = watch(&running, &requirement, 0);
    assert!(states(&rows).iter().all(|(_, state)| state == "answered"), "{rows}");
    assert_eq!(shown(&running, &requirement), (3, 3, 2));
    // Everybody was asked effectively once: the same table, one charge, one receipt for each.
    for node in ["al-police", "me-police", "rs-police"] {
        let receipts = running.desk(node, "auditor", &["receipt", "list"]).unwrap();
        assert_eq!(receipts.json(&[0]).unwrap().as_array().unwrap().len(), 1, "{node}");
    }
}

#[test]
fn whoever_is_undecided_is_asked_until_its_people_have_decided() {
    let mut running = with_sample(&["AL", "ME", "RS"]);
    hurry(&running);
    restarted(&mut running);
    // Nobody there has said yet that such answers leave by themselves.
    let grants = running.desk("rs-police", "releaser", &["grant", "list"]).unwrap();
    let grant = grants.json(&[0]).unwrap()[0]["grant"].as_str().unwrap().to_owned();
    let away = ["grant", "withdraw", &grant];
    running.desk("rs-police", "releaser", &away).unwrap().json(&[0]).unwrap();
    running.grant("rs-police", &[&STANDING[..], &["--release", "by-hand"]].concat()).unwrap();
    let requirement = running.issue(&[QUESTION]).unwrap();
    running.gather(&requirement).unwrap();
    let now = ["collection", &requirement];
    let rows = running.region("analyst", "json", &now).unwrap().json(&[3]).unwrap();
    assert_eq!(rows[2]["reason"], "PENDING", "{rows}");
    assert_ne!(rows[2]["last_contact"], "", "it can be reached");
}

#[test]
fn a_collection_ends_with_its_window_and_says_whether_enough_have_answered() {
    let mut running = prepared(&["AL", "ME", "RS"]);
    hurry(&running);
    running.federation.start_coordinator().unwrap();
    running.federation.start_node("al-police").unwrap();
    let closes = SystemClock.now().plus_s(6);
    let text = format!(
        "authority = \"analysis-unit\"\nwhy = \"Test\"\npurpose = \"THREAT-ASSESSMENT\"\nlegal_basis = \"Test\"\n\
         audience = \"POLICE\"\ncloses = \"{closes}\"\n[[question]]\n{QUESTION}"
    );
    let requirement = running.issue_text(&text).unwrap();
    running.gather(&requirement).unwrap();
    let watched = ["collection", &requirement, "--watch"];
    let ended = running.region("analyst", "json", &watched).unwrap();
    assert!(ended.stderr.contains("1 of 3 have answered: insufficient"), "{}", ended.stderr);
    assert_eq!(states(&ended.json(&[3]).unwrap())[0].1, "answered");
}

#[test]
fn gathers_in_which_the_coordinator_or_a_node_is_killed_end_by_themselves_counted_and_charged_once()
{
    const SEED: u64 = 4_107;
    println!("seed {SEED}");
    let dir = tempfile::tempdir().unwrap();
    let killed = gathers::killed(&program(), &dir.path().join("federation"), 6, SEED).unwrap();
    assert_eq!((killed.coordinator, killed.node), (4, 2));
}
