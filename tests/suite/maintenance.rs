//! Announced maintenance: others are refused at once, the same whatever they ask, and told until when; at home everything goes on; it
//! survives SIGKILL, ends by itself, and whoever was away for it is asked once when it is over. Real processes.

use std::time::{Duration, Instant};

use accord_proto::{
    clock::{Clock as _, SystemClock, Timestamp},
    operate::doctor::ask,
};
use accord_tests::federation::{QUESTION, STANDING, member};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::{Running, collect::hurry, prepared, with_sample};

const NODE: &str = "rs-police";
const SOON: Duration = Duration::from_secs(60);

fn desk(running: &Running, arguments: &[&str]) -> Value {
    running.desk(NODE, "operator", arguments).unwrap().json(&[0]).unwrap()
}

fn region(running: &Running, arguments: &[&str]) -> Value {
    running.region("operator", "json", arguments).unwrap().json(&[0, 3]).unwrap()
}

/// For so many seconds.
fn begin(running: &Running, seconds: i64) -> Timestamp {
    let until = SystemClock.now().plus_s(seconds);
    let why = "new disks";
    let begun =
        desk(running, &["maintenance", "begin", "--until", &until.to_string(), "--why", why]);
    assert_eq!(begun["until"], until.to_string());
    until
}

fn ready(at: &str) -> (u16, Value) {
    let at = at.parse().unwrap();
    let (status, text) =
        Runtime::new().unwrap().block_on(async { ask(at, "/ready").await.unwrap() });
    (status, serde_json::from_str(&text).unwrap())
}

fn measured(at: &str, line: &str) -> bool {
    let at = at.parse().unwrap();
    let (_, text) = Runtime::new().unwrap().block_on(async { ask(at, "/metrics").await.unwrap() });
    text.lines().any(|found| found == line)
}

/// Looks until it is so.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
    }
}

/// Entries of the node's journal.
fn journalled(running: &Running) -> u64 {
    running.desk(NODE, "analyst", &["status"]).unwrap().json(&[0]).unwrap()["journal_size"]
        .as_u64()
        .unwrap()
}

#[test]
fn during_maintenance_every_question_is_refused_alike_with_until_when_and_leaves_no_trace() {
    let mut running = with_sample(&["AL", "ME", "RS"]);
    // One that was answered before, one that would be, and one of which nothing is held.
    let answered = running.issue(&[QUESTION]).unwrap();
    running.gather(&answered).unwrap();
    let granted = running.issue(&[QUESTION]).unwrap();
    let other = QUESTION.replace("2014..2018", "2019..2020");
    assert_ne!(other, QUESTION);
    let nothing = running.issue(&[&other]).unwrap();
    let until_when = begin(&running, 3_600);
    let before = journalled(&running);
    for killed in [false, true] {
        if killed {
            running.node_server(NODE).unwrap().kill();
            running.federation.start_node(NODE).unwrap();
        }
        for requirement in [&answered, &granted, &nothing] {
            let shown = running.gather(requirement).unwrap();
            let of = member(&shown, "RS").unwrap();
            assert_eq!(
                (&of["state"], &of["reason"]),
                (&"unreachable".into(), &"MAINTENANCE".into())
            );
            for there in ["AL", "ME"] {
                assert_eq!(member(&shown, there).unwrap()["state"], "answered");
            }
        }
        assert_eq!(journalled(&running), before, "a refusal is no act, after a restart neither");
    }
    // At home everything goes on, and says so; it is no fault.
    running.grant(NODE, &STANDING).unwrap();
    let (status, said) = ready(&running.nodes[NODE].ops);
    assert_eq!((status, &said["state"]), (200, &"maintenance".into()), "{said}");
    assert_eq!(said["until"], until_when.to_string());
    assert!(measured(&running.nodes[NODE].ops, "accord_maintenance 1.0"));
    let own = desk(&running, &["maintenance", "show"]);
    assert_eq!((&own["state"], &own["why"]), (&"maintenance".into(), &"new disks".into()));
    assert_eq!(own["peers"][0], "coordinator (knows)", "{own}");
    // Who did it and why stands in the journal at home; elsewhere only until when.
    let listed = running.desk(NODE, "auditor", &["journal", "list"]).unwrap();
    let listed = listed.json(&[0]).unwrap();
    assert!(listed.to_string().contains("maintenance: new disks"), "{listed}");
    let status = running.region("operator", "json", &["status"]).unwrap();
    let remark = format!("{NODE} is in maintenance until {until_when}");
    assert!(status.stderr.contains(&remark), "{}", status.stderr);
    let away = format!("{NODE} (in maintenance until {until_when})");
    assert_eq!(status.json(&[3]).unwrap()["unreachable"][0], away);
    for log in ["coordinator/log", "al-police/log"] {
        let log = std::fs::read_to_string(running.dir.join(log)).unwrap();
        assert!(!log.contains("new disks"), "why crossed the border");
    }
    assert!(measured(&running.ops, &format!("accord_peer_maintenance{{peer=\"{NODE}\"}} 1.0")));
    // One that is stopped for it is still in maintenance, as it has said.
    running.node_server(NODE).unwrap().kill();
    let shown = running.gather(&granted).unwrap();
    assert_eq!(member(&shown, "RS").unwrap()["reason"], "MAINTENANCE");
    let (_, said) = ready(&running.ops);
    assert!(!said["checks"].to_string().contains(NODE), "{said}");
    running.federation.start_node(NODE).unwrap();
    desk(&running, &["maintenance", "end"]);
    let refused = running.desk(NODE, "operator", &["maintenance", "end"]).unwrap();
    assert!(refused.stderr.contains("NOT_FOUND"), "{}", refused.stderr);
    let shown = running.gather(&granted).unwrap();
    assert_eq!(member(&shown, "RS").unwrap()["state"], "answered");
}

#[test]
fn a_member_in_maintenance_is_asked_when_it_is_over_and_not_before_and_answers_once() {
    let mut running = prepared(&["AL", "ME", "RS"]);
    hurry(&running);
    running.federation.start().unwrap();
    running.with_sample().unwrap();
    let requirement = running.issue(&[QUESTION]).unwrap();
    let until_when = begin(&running, 8);
    running.gather(&requirement).unwrap();
    let now = ["collection", &requirement];
    let rows = running.region("analyst", "json", &now).unwrap();
    assert!(
        rows.stderr.contains(&format!("{NODE}: in maintenance until {until_when}")),
        "{}",
        rows.stderr
    );
    let row = rows.json(&[3]).unwrap()[2].clone();
    let again = Timestamp::parse("", row["asked_again"].as_str().unwrap()).unwrap();
    assert!(again > until_when, "{row}");
    // It is away meanwhile, and back before its time.
    running.node_server(NODE).unwrap().kill();
    running.federation.start_node(NODE).unwrap();
    let watched = ["collection", &requirement, "--watch"];
    let rows = running.region("analyst", "json", &watched).unwrap().json(&[0]).unwrap();
    assert!(SystemClock.now() > until_when, "it has ended by itself, and not before");
    // Asked once when somebody gathered, once when it was over, and for the picture.
    assert_eq!(rows[2]["tries"], 3, "{rows}");
    let receipts = running.desk(NODE, "auditor", &["receipt", "list"]).unwrap();
    assert_eq!(receipts.json(&[0]).unwrap().as_array().unwrap().len(), 1);
    assert!(measured(&running.ops, &format!("accord_peer_maintenance{{peer=\"{NODE}\"}} 0.0")));
}

#[test]
fn a_window_that_closes_during_maintenance_leaves_the_member_its_own_reason() {
    let mut running = prepared(&["AL", "ME", "RS"]);
    hurry(&running);
    running.federation.start().unwrap();
    running.with_sample().unwrap();
    begin(&running, 3_600);
    let closes = SystemClock.now().plus_s(8);
    let text = format!(
        "authority = \"analysis-unit\"\nwhy = \"Test\"\npurpose = \"THREAT-ASSESSMENT\"\nlegal_basis = \"Test\"\n\
         audience = \"POLICE\"\ncloses = \"{closes}\"\n[[question]]\n{QUESTION}"
    );
    let requirement = running.issue_text(&text).unwrap();
    running.gather(&requirement).unwrap();
    let watched = ["collection", &requirement, "--watch"];
    let ended = running.region("analyst", "json", &watched).unwrap().json(&[3]).unwrap();
    assert_eq!(ended[2]["reason"], "MAINTENANCE", "{ended}");
    let shown = ["picture", "show", &requirement];
    let shown = running.region("analyst", "json", &shown).unwrap().json(&[3]).unwrap();
    let of = member(&shown, "RS").unwrap();
    assert_eq!((&of["state"], &of["reason"]), (&"unreachable".into(), &"MAINTENANCE".into()));
}

#[test]
fn during_the_coordinators_maintenance_nobody_is_asked_members_know_and_pictures_are_read() {
    let mut running = with_sample(&["AL", "ME", "RS"]);
    let requirement = running.issue(&[QUESTION]).unwrap();
    running.gather(&requirement).unwrap();
    let begun = region(&running, &["maintenance", "begin", "--for", "2h"]);
    let until_when = begun["until"].as_str().unwrap().to_owned();
    let (knows, remark) =
        ("not told yet", format!("coordinator is in maintenance until {until_when}"));
    until("members are told", || {
        !region(&running, &["maintenance", "show"])["peers"].to_string().contains(knows)
    });
    let status = running.desk(NODE, "analyst", &["status"]).unwrap();
    assert!(status.stderr.contains(&remark), "{}", status.stderr);
    assert!(measured(
        &running.nodes[NODE].ops,
        "accord_peer_maintenance{peer=\"coordinator\"} 1.0"
    ));
    running.coordinator_server().unwrap().kill();
    running.federation.start_coordinator().unwrap();
    assert_eq!(ready(&running.ops).1["state"], "maintenance");
    for asked in
        [&["gather", &requirement][..], &["standing"], &["picture", "deliver", &requirement]]
    {
        let refused = running.region("analyst", "json", asked).unwrap();
        assert_eq!(refused.code, Some(6), "{asked:?}: {}", refused.stderr);
        let said = format!("MAINTENANCE: maintenance.until: {until_when}");
        assert!(refused.stderr.contains(&said), "{asked:?}: {}", refused.stderr);
    }
    let shown = ["picture", "show", &requirement];
    running.region("analyst", "json", &shown).unwrap().json(&[0]).unwrap();
    region(&running, &["maintenance", "end"]);
    until("members hear that it is over", || {
        let status = running.desk(NODE, "analyst", &["status"]).unwrap();
        !status.stderr.contains("in maintenance")
    });
    running.gather(&requirement).unwrap();
}

#[test]
fn maintenance_has_an_end_that_is_bounded_and_a_reason_about_nobody() {
    let mut running = prepared(&["AL", "ME", "RS"]);
    running.federation.start_node(NODE).unwrap();
    for (wanted, refused) in [
        (&["--for", "8d"][..], "LIMIT_EXCEEDED"),
        (&["--until", "2020-01-01"], "FIELD_INVALID"),
        (&["--for", "soon"], "FIELD_INVALID"),
        (&["--for", "1h", "--why", "call ana@example.org"], "PERSONAL_DATA"),
    ] {
        let begin = [&["maintenance", "begin"], wanted].concat();
        let said = running.desk(NODE, "operator", &begin).unwrap();
        assert!(said.stderr.contains(refused), "{wanted:?}: {}", said.stderr);
    }
    assert_eq!(desk(&running, &["maintenance", "show"])["state"], "serving");
    // A second announcement takes the place of the first.
    desk(&running, &["maintenance", "begin", "--for", "2h"]);
    desk(&running, &["maintenance", "begin", "--for", "90m"]);
    assert_eq!(desk(&running, &["maintenance", "show"])["state"], "maintenance");
}
