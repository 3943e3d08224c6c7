//! The inbox: what is to leave by hand waits for two people, and leaves as they saw it or not at all; nobody who asks learns more
//! than the people there want known.

use std::{fs, process::Command};

use accord_tests::{
    federation::{cell, member},
    process::Finished,
    roles,
};
use serde_json::{Value, json};

use crate::{Running, prepared, program};

const HOMICIDE: &str =
    "indicator = \"PUB.OFF.N\"\ncrime_areas = \"ICCS0101\"\nperiods = \"2016\"\n";
/// What stands in the files for homicide in 2016.
const AL: i64 = 71;
const BA: i64 = 42;

/// Two members with the sample; Albania releases by hand.
fn by_hand() -> Running {
    let mut running = prepared(&["AL", "BA"]);
    let config = running.nodes["al-police"].home.join("node.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("# by_hand = false", "by_hand = true")).unwrap();
    running.federation.start().unwrap();
    running.with_sample().unwrap();
    running
}

fn inbox(running: &Running, role: &str, arguments: &[&str]) -> Finished {
    running.desk("al-police", role, &[&["inbox"], arguments].concat()).unwrap()
}

fn done(running: &Running, role: &str, arguments: &[&str]) -> Value {
    inbox(running, role, arguments).json(&[0]).unwrap()
}

fn refused(finished: &Finished, code: i32, reason: &str) {
    assert_eq!(finished.code, Some(code), "{}", finished.stderr);
    assert!(finished.stderr.contains(reason), "{}", finished.stderr);
}

fn state(running: &Running, requirement: &str) -> Value {
    done(running, "auditor", &["show", requirement])["state"].clone()
}

/// Accepted by the analyst, previewed, proposed; the digest.
fn proposed(running: &Running, requirement: &str) -> String {
    done(running, "analyst", &["decide", requirement, "--accept"]);
    let preview = done(running, "analyst", &["preview", requirement]);
    let digest = preview["digest"].as_str().unwrap().to_owned();
    done(running, "analyst", &["propose", requirement, "--digest", &digest]);
    digest
}

fn release(running: &Running, role: &str, requirement: &str, digest: &str) -> Finished {
    inbox(running, role, &["release", requirement, "--digest", digest, "--why", "a test"])
}

fn albania(shown: &Value) -> &Value {
    member(shown, "AL").unwrap()
}

#[test]
fn what_is_released_by_hand_is_pending_until_two_people_have_seen_the_very_bytes() {
    let running = by_hand();
    let requirement = running.issue(&[HOMICIDE]).unwrap();
    let pending = |why: &str| {
        let shown = running.gather(&requirement).unwrap();
        assert_eq!(albania(&shown)["state"], "pending", "{why}");
        let cell = cell(&shown, "ICCS0101", "2016").unwrap();
        assert_eq!((&cell["value"], &cell["silent"]), (&json!(BA), &json!(["AL"])), "{why}");
    };
    pending("nobody has decided");
    let listed = done(&running, "analyst", &["list", "--open"]);
    assert_eq!(listed[0]["requirement"], requirement);
    assert_eq!((&listed[0]["state"], &listed[0]["latency_s"]), (&json!("awaiting"), &Value::Null));

    // Nothing is proposed before gate one.
    let digest = "00".repeat(32);
    let early = inbox(&running, "analyst", &["propose", &requirement, "--digest", &digest]);
    refused(&early, 4, "RELEASE_CHANGED");
    done(&running, "analyst", &["decide", &requirement, "--accept"]);
    pending("accepted only");
    let preview = done(&running, "analyst", &["preview", &requirement]);
    let seen = &preview["cells"][0];
    assert_eq!((&seen["inside"], &seen["leaves"]), (&json!("71"), &json!("71")), "{seen}");
    assert_eq!((&seen["why"], &seen["change"]), (&json!(""), &json!("first")), "{seen}");
    assert!(preview["bytes"].as_u64().unwrap() > 0);
    let digest = preview["digest"].as_str().unwrap().to_owned();
    refused(&release(&running, "releaser", &requirement, &digest), 4, "INBOX_STATE");
    done(&running, "analyst", &["propose", &requirement, "--digest", &digest]);
    pending("proposed only");
    refused(&release(&running, "analyst", &requirement, &digest), 7, "CERTIFICATE_ROLE");
    refused(&release(&running, "releaser", &requirement, &"00".repeat(32)), 4, "RELEASE_CHANGED");
    pending("refused releases");

    release(&running, "releaser", &requirement, &digest).json(&[0]).unwrap();
    // The same word twice is one release.
    release(&running, "releaser", &requirement, &digest).json(&[0]).unwrap();
    let shown = running.gather(&requirement).unwrap();
    assert_eq!(cell(&shown, "ICCS0101", "2016").unwrap()["value"], AL + BA);
    let albania = albania(&shown);
    assert_eq!((&albania["state"], &albania["table_sha256"]), (&json!("answered"), &json!(digest)));
    assert_eq!(albania["single_handed"], false);
    let item = done(&running, "auditor", &["show", &requirement]);
    assert_eq!((&item["state"], &item["digest"]), (&json!("released"), &json!(digest)));
    assert!(item["latency_s"].as_i64().is_some_and(|seconds| seconds >= 0), "{item}");
    let steps = item["events"].as_array().unwrap().iter().map(|event| event["step"].clone());
    let steps: Vec<_> = steps.collect();
    assert_eq!(steps, ["wait", "accept", "propose", "release"]);
}

#[test]
fn one_person_never_does_both_and_declining_takes_a_releaser() {
    let running = by_hand();
    let requirement = running.issue(&[HOMICIDE]).unwrap();
    running.gather(&requirement).unwrap();
    done(&running, "releaser", &["decide", &requirement, "--accept"]);
    let preview = done(&running, "releaser", &["preview", &requirement]);
    let digest = preview["digest"].as_str().unwrap();
    done(&running, "analyst", &["propose", &requirement, "--digest", digest]);
    // She accepted; whoever proposes after her makes no second person of her.
    refused(&release(&running, "releaser", &requirement, digest), 7, "FOUR_EYES");
    let decline = inbox(&running, "analyst", &["decide", &requirement, "--decline"]);
    refused(&decline, 7, "CERTIFICATE_ROLE");
    assert_eq!(state(&running, &requirement), "proposed", "nothing is lost");
}

#[test]
fn what_has_changed_between_preview_and_release_does_not_leave() {
    let running = by_hand();
    let requirement = running.issue(&[HOMICIDE]).unwrap();
    running.gather(&requirement).unwrap();
    let digest = proposed(&running, &requirement);
    let grants = running.desk("al-police", "auditor", &["grant", "list"]).unwrap();
    let grants = grants.json(&[0]).unwrap();
    let grant = grants[0]["grant"].as_str().unwrap();
    running
        .desk("al-police", "releaser", &["grant", "withdraw", grant])
        .unwrap()
        .json(&[0])
        .unwrap();
    refused(&release(&running, "releaser", &requirement, &digest), 4, "RELEASE_CHANGED");
    assert_eq!(state(&running, &requirement), "proposed");
    assert_eq!(albania(&running.gather(&requirement).unwrap())["state"], "pending");
    // Seen anew, it says what is left of it.
    let preview = done(&running, "analyst", &["preview", &requirement]);
    assert_eq!(preview["cells"][0]["leaves"], "not_shown");
    assert_eq!(preview["cells"][0]["why"], "no grant covers it");
    let digest = preview["digest"].as_str().unwrap();
    done(&running, "analyst", &["propose", &requirement, "--digest", digest]);
    release(&running, "releaser", &requirement, digest).json(&[0]).unwrap();
    let shown = running.gather(&requirement).unwrap();
    assert_eq!(albania(&shown)["state"], "answered");
    assert_eq!(cell(&shown, "ICCS0101", "2016").unwrap()["not_shown"], json!(["AL"]));
}

#[test]
fn a_refusal_is_told_or_looks_like_no_consent() {
    let running = by_hand();
    let untold = running.issue(&[HOMICIDE]).unwrap();
    running.gather(&untold).unwrap();
    let decline = ["decide", &untold, "--decline", "--code", "OPERATION"];
    done(&running, "releaser", &decline);
    let shown = running.gather(&untold).unwrap();
    let silent = albania(&shown).clone();

    let told = running.issue(&[HOMICIDE]).unwrap();
    running.gather(&told).unwrap();
    done(&running, "releaser", &["decide", &told, "--decline", "--tell"]);
    let refusal = running.gather(&told).unwrap();
    assert_eq!(albania(&refusal)["state"], "declined");
    assert_eq!(albania(&refusal)["reason"], "DECLINED");
    let file = running.dir.join("declined.evidence").display().to_string();
    running.region("analyst", "json", &["picture", "evidence", &told, "--out", &file]).unwrap();
    let home = running.dir.join("federation");
    let [roster, root] =
        ["roster.signed", "root.pub"].map(|name| home.join(name).display().to_string());
    let mut verify = Command::new(program());
    verify.args([
        roles::COORDINATOR,
        "verify",
        &file,
        "--roster",
        &roster,
        "--root",
        &root,
        "-o",
        "json",
    ]);
    let proven = Finished::run(verify).unwrap().json(&[0, 3]).unwrap();
    assert_eq!(proven["members"][0]["declined"], true, "by its own word: {proven}");
    assert_eq!(cell(&refusal, "ICCS0101", "2016").unwrap()["silent"], json!(["AL"]));

    // Beside one that people released although there was no consent.
    let grants = running.desk("al-police", "auditor", &["grant", "list"]).unwrap();
    let grants = grants.json(&[0]).unwrap();
    let grant = grants[0]["grant"].as_str().unwrap();
    running
        .desk("al-police", "releaser", &["grant", "withdraw", grant])
        .unwrap()
        .json(&[0])
        .unwrap();
    let without = running.issue(&[HOMICIDE]).unwrap();
    running.gather(&without).unwrap();
    let digest = proposed(&running, &without);
    release(&running, "releaser", &without, &digest).json(&[0]).unwrap();
    let shown = running.gather(&without).unwrap();
    assert_eq!(*albania(&shown), silent, "byte for byte the same table");
    assert_eq!(cell(&shown, "ICCS0101", "2016").unwrap()["not_shown"], json!(["AL"]));
    let log = fs::read_to_string(running.dir.join("coordinator/log")).unwrap();
    assert!(!log.contains("OPERATION"), "why stays at home");
}

#[test]
fn a_decision_can_be_put_off_cut_down_and_taken_back() {
    let running = by_hand();
    let requirement = running
        .issue(&[
            HOMICIDE,
            "indicator = \"PUB.PRIS.N\"\ncrime_areas = \"_T\"\nperiods = \"2016\"\n",
        ])
        .unwrap_or_else(|_| running.issue(&[HOMICIDE]).unwrap());
    running.gather(&requirement).unwrap();
    let tomorrow =
        accord_proto::clock::Clock::now(&accord_proto::clock::SystemClock).plus_s(86_400);
    let deferred =
        done(&running, "analyst", &["decide", &requirement, "--later", &tomorrow.to_string()]);
    assert_eq!(
        (&deferred["state"], &deferred["deadline"]),
        (&json!("deferred"), &json!(tomorrow.to_string()))
    );
    assert_eq!(albania(&running.gather(&requirement).unwrap())["state"], "pending");

    let narrowed =
        done(&running, "analyst", &["decide", &requirement, "--accept", "--leave-out", "1"]);
    assert_eq!(narrowed["terms"], "without block 1");
    let wider = done(&running, "analyst", &["decide", &requirement, "--accept"]);
    assert_eq!(wider["terms"], "without block 1", "never wider");
    let strange =
        inbox(&running, "analyst", &["decide", &requirement, "--accept", "--leave-out", "9"]);
    refused(&strange, 5, "NOT_FOUND");
    let preview = done(&running, "analyst", &["preview", &requirement]);
    assert_eq!(preview["cells"][0]["why"], "left out by the decision");
    assert_eq!(preview["cells"][0]["leaves"], "not_shown");

    done(&running, "releaser", &["decide", &requirement, "--withdrawn", "--why", "they called"]);
    let shown = running.gather(&requirement).unwrap();
    assert_eq!(albania(&shown)["state"], "late");
    assert_eq!(albania(&shown)["reason"], "LATE");
}

#[test]
fn nothing_hangs_a_requirement_that_nobody_decided_expires_with_its_window() {
    use accord_proto::clock::{Clock as _, SystemClock};
    let running = by_hand();
    let closes = SystemClock.now().plus_s(5);
    let requirement = running
        .issue_text(&format!(
            "authority = \"analysis-unit\"\nwhy = \"Test of the federation\"\n\
             purpose = \"THREAT-ASSESSMENT\"\nlegal_basis = \"Test, no legal effect\"\n\
             audience = \"POLICE\"\ncloses = \"{closes}\"\n[[question]]\n{HOMICIDE}"
        ))
        .unwrap();
    running.gather(&requirement).unwrap();
    assert_ne!(state(&running, &requirement), "expired");
    // Looking all the time, until it is over.
    while SystemClock.now() < closes {
        done(&running, "auditor", &["list"]);
    }
    let item = done(&running, "auditor", &["show", &requirement]);
    assert_eq!((&item["state"], &item["deadline"]), (&json!("expired"), &json!("")));
    refused(&inbox(&running, "analyst", &["decide", &requirement, "--accept"]), 4, "INBOX_STATE");
    refused(&inbox(&running, "analyst", &["preview", &requirement]), 4, "INBOX_STATE");
}

#[test]
fn a_crash_between_the_gates_leaves_a_story_that_holds_together() {
    let mut running = by_hand();
    let requirement = running.issue(&[HOMICIDE]).unwrap();
    let crash = |running: &mut Running| {
        running.node_server("al-police").unwrap().kill();
        running.federation.start_node("al-police").unwrap();
    };
    running.gather(&requirement).unwrap();
    crash(&mut running);
    assert_eq!(state(&running, &requirement), "awaiting");
    let digest = proposed(&running, &requirement);
    crash(&mut running);
    let item = done(&running, "auditor", &["show", &requirement]);
    assert_eq!((&item["state"], &item["digest"]), (&json!("proposed"), &json!(digest)));
    assert_eq!(albania(&running.gather(&requirement).unwrap())["state"], "pending");
    release(&running, "releaser", &requirement, &digest).json(&[0]).unwrap();
    crash(&mut running);
    assert_eq!(state(&running, &requirement), "released");
    let shown = running.gather(&requirement).unwrap();
    assert_eq!(albania(&shown)["table_sha256"], json!(digest));
    assert_eq!(cell(&shown, "ICCS0101", "2016").unwrap()["value"], AL + BA);
}

#[test]
fn whoever_breaks_the_glass_acts_alone_and_everybody_is_told() {
    let running = by_hand();
    let requirement = running.issue(&[HOMICIDE]).unwrap();
    running.gather(&requirement).unwrap();
    for role in ["analyst", "auditor", "operator"] {
        let taken = running.desk("al-police", role, &["break-glass", "--why", "a test"]).unwrap();
        refused(&taken, 7, "CERTIFICATE_ROLE");
    }
    done(&running, "releaser", &["decide", &requirement, "--accept"]);
    let preview = done(&running, "releaser", &["preview", &requirement]);
    let digest = preview["digest"].as_str().unwrap();
    done(&running, "releaser", &["propose", &requirement, "--digest", digest]);
    refused(&release(&running, "releaser", &requirement, digest), 7, "FOUR_EYES");

    let taken =
        running.desk("al-police", "releaser", &["break-glass", "--why", "nobody else here"]);
    let taken = taken.unwrap();
    assert!(taken.stderr.contains("BREAK-GLASS"), "{}", taken.stderr);
    assert_eq!(taken.json(&[0]).unwrap()["why"], "nobody else here");
    let listed = inbox(&running, "auditor", &["list"]);
    assert!(listed.stderr.contains("BREAK-GLASS"), "{}", listed.stderr);
    let released = release(&running, "releaser", &requirement, digest).json(&[0]).unwrap();
    assert_eq!(released["single_handed"], true);
    let shown = running.gather(&requirement).unwrap();
    assert_eq!(albania(&shown)["single_handed"], true);
    assert_eq!(member(&shown, "BA").unwrap()["single_handed"], false);
    for (log, word) in [("al-police/log", "BREAK-GLASS"), ("coordinator/log", "break-glass")] {
        let text = fs::read_to_string(running.dir.join(log)).unwrap();
        assert!(text.contains(word), "{log}: {text}");
    }
}

#[test]
fn a_program_at_home_is_told_of_a_new_requirement_once_and_without_content() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut running = prepared(&["AL"]);
    let home = running.nodes["al-police"].home.clone();
    let (program, told) = (home.join("told.sh"), home.join("told"));
    fs::write(&program, "#!/bin/sh\ncat >> \"$1\"\necho >> \"$1\"\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
    let text = fs::read_to_string(home.join("node.toml")).unwrap();
    let text = text
        .replace("# by_hand = false", "by_hand = true")
        .replace("# program = \"\"", "program = \"told.sh\"")
        .replace("# arguments = []", &format!("arguments = [{:?}]", told.display().to_string()));
    fs::write(home.join("node.toml"), text).unwrap();
    running.federation.start().unwrap();
    running.with_sample().unwrap();
    let requirement = running.issue(&[HOMICIDE]).unwrap();
    for _ in 0..3 {
        running.gather(&requirement).unwrap();
    }
    // The program runs behind everybody's back: look until it has.
    let written = || fs::read_to_string(&told).unwrap_or_default();
    for _ in 0..200 {
        if written().ends_with("}\n") {
            break;
        }
        done(&running, "auditor", &["list"]);
    }
    let lines: Vec<Value> =
        written().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [notice] = lines.as_slice() else { panic!("told {} times", lines.len()) };
    assert_eq!(notice["kind"], "requirement_received");
    assert_eq!(notice["subject"], requirement);
    assert_eq!(notice["authority"], "analysis-unit");
    assert_eq!(notice.as_object().unwrap().len(), 5, "{notice}");
    let log = fs::read_to_string(home.join("log")).unwrap();
    assert!(log.contains("requirement_received"), "always in the log");
}
