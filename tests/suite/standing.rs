//! What becomes of answers after they were given: withdrawal reaches whatever rests on them, also after the window;
//! what was published stays as it was, marked; a member that leaves has it in writing what others hold; an authority
//! can take back what it asked, and nobody else can.

use std::{collections::BTreeSet, fs, path::Path};

use accord_proto::{
    roster::Roster,
    seal::{Digest, PublicKey},
    standing::{Departure, Holdings},
    strict,
    taxonomy::Lists,
    wire,
};
use accord_tests::federation::{STANDING, sample_dir};
use serde_json::{Value, json};

use crate::{Running, started};

const HOMICIDE: &str =
    "indicator = \"PUB.OFF.N\"\ncrime_areas = \"ICCS0101\"\nperiods = \"2016\"\n";
const ROBBERY_TOO: &str =
    "indicator = \"PUB.OFF.N\"\ncrime_areas = [\"ICCS0101\", \"ICCS0401\"]\nperiods = \"2016\"\n";

/// Three members hold the sample and consent; the id of Albania's grant.
fn consenting(terms: &[&str]) -> (Running, String) {
    let running = started(&["AL", "BA", "RS"]);
    let sample = sample_dir();
    for (node, member) in &running.nodes {
        let file = sample.join(format!("{}.csv", member.jurisdiction));
        running.import(node, &file, &sample.join("mapping.toml")).unwrap().json(&[0]).unwrap();
        running.desk(node, "releaser", &["freeze", "2014", "2018"]).unwrap().json(&[0]).unwrap();
    }
    for node in ["ba-police", "rs-police"] {
        running.grant(node, &STANDING).unwrap();
    }
    let grant = running.grant("al-police", terms).unwrap();
    (running, grant)
}

fn region(running: &Running, arguments: &[&str]) -> Value {
    running.region("analyst", "json", arguments).unwrap().json(&[0, 3]).unwrap()
}

fn desk(running: &Running, arguments: &[&str]) -> Value {
    running.desk("al-police", "releaser", arguments).unwrap().json(&[0]).unwrap()
}

fn roster(running: &Running) -> Roster {
    let folder = &running.nodes["al-police"].home;
    let file = fs::read(folder.join("roster.signed")).unwrap();
    let root = fs::read_to_string(folder.join("root.pub")).unwrap();
    let root = PublicKey::from_hex("root", &root).unwrap();
    let now = accord_proto::clock::Clock::now(&accord_proto::clock::SystemClock);
    Roster::read(("roster", &file), &root, Lists::builtin(), 0, now).unwrap().0
}

#[test]
fn a_picture_that_rests_on_what_was_withdrawn_is_marked_and_stays_as_it_was() {
    let (running, grant) = consenting(&STANDING);
    let requirement = running.issue(&[HOMICIDE]).unwrap();
    let drawn = running.gather(&requirement).unwrap();
    assert_eq!(drawn["notices"], json!([]));
    assert_eq!(region(&running, &["standing"]), json!([]));
    assert_eq!(region(&running, &["picture", "list"])[0]["do_not_stand"], 0);

    desk(&running, &["grant", "withdraw", &grant]);
    region(&running, &["standing"]);
    let marked = region(&running, &["picture", "show", &requirement]);
    let [notice] = marked["notices"].as_array().unwrap().as_slice() else { panic!("{marked}") };
    assert_eq!((&notice["jurisdiction"], &notice["standing"]), (&json!("AL"), &json!("withdrawn")));
    assert_eq!((&marked["picture"], &marked["members"]), (&drawn["picture"], &drawn["members"]));
    assert_eq!(region(&running, &["picture", "list"])[0]["do_not_stand"], 1);
    let shown = running.region("editor", "table", &["picture", "show", &requirement]).unwrap();
    assert!(shown.stderr.contains("what was published remains published"), "{}", shown.stderr);

    // Said once, kept once: asking again changes nothing.
    region(&running, &["standing"]);
    assert_eq!(region(&running, &["picture", "show", &requirement]), marked);
    // A later picture rests on what stands; the first one keeps its mark.
    running.region("analyst", "json", &["gather", &requirement]).unwrap().json(&[0, 3]).unwrap();
    region(&running, &["standing"]);
    let listed = region(&running, &["picture", "list"]);
    assert_eq!((&listed[0]["version"], &listed[0]["do_not_stand"]), (&json!(2), &json!(0)));
    assert_eq!((&listed[1]["version"], &listed[1]["do_not_stand"]), (&json!(1), &json!(1)));
}

#[test]
fn consent_that_was_narrowed_is_told_without_saying_which_cells() {
    let (running, grant) = consenting(&STANDING);
    let requirement = running.issue(&[ROBBERY_TOO]).unwrap();
    running.gather(&requirement).unwrap();
    let only = [&STANDING[..], &["--crime-area", "ICCS0401"]].concat();
    running.grant("al-police", &only).unwrap();
    desk(&running, &["grant", "withdraw", &grant]);
    region(&running, &["standing"]);
    let notices = region(&running, &["picture", "show", &requirement])["notices"].clone();
    assert_eq!(notices[0]["standing"], "narrowed", "{notices}");
    let fields: BTreeSet<_> = notices[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, ["at_s", "jurisdiction", "node", "standing", "table_sha256"].into());
}

#[test]
fn a_member_that_is_away_is_named_and_asked_again() {
    let (mut running, grant) = consenting(&STANDING);
    let requirement = running.issue(&[HOMICIDE]).unwrap();
    running.gather(&requirement).unwrap();
    desk(&running, &["grant", "withdraw", &grant]);
    running.node_server("al-police").unwrap().kill();
    let asked = running.region("analyst", "json", &["standing"]).unwrap();
    assert_eq!(asked.code, Some(3), "{}", asked.stderr);
    assert_eq!(asked.json(&[3]).unwrap()[0]["node"], "al-police");
    running.federation.start_node("al-police").unwrap();
    assert_eq!(region(&running, &["standing"]), json!([]));
    let shown = region(&running, &["picture", "show", &requirement]);
    assert_eq!(shown["notices"].as_array().unwrap().len(), 1);
}

#[test]
fn who_leaves_has_in_writing_what_others_hold_and_nothing_of_it_is_answered_again() {
    let (running, _) = consenting(&STANDING);
    let requirement = running.issue(&[HOMICIDE]).unwrap();
    running.gather(&requirement).unwrap();
    region(&running, &["standing"]);
    let home = running.nodes["al-police"].home.clone();
    let out = |name: &str| home.join(name).display().to_string();

    let certified = desk(&running, &["leave", "--out", &out("held.pb")]);
    assert_eq!(certified["given"][0]["requirement"], requirement.as_str(), "{certified}");
    let status = desk(&running, &["status"]);
    assert_eq!(status["grants_in_force"], 1, "a look changes nothing: {status}");

    let left = ["leave", "--out", &out("left.pb"), "--confirm", "--why", "a test of leaving"];
    assert_eq!(desk(&running, &left)["grants_withdrawn"], 1);
    assert_eq!(desk(&running, &["status"])["grants_in_force"], 0);
    check_certificate(&running, Path::new(&out("left.pb")), &requirement);
    let again = running.desk("al-police", "releaser", &left).unwrap();
    assert!(again.stderr.contains("left.pb"), "a certificate is never overwritten");

    region(&running, &["standing"]);
    let notices = region(&running, &["picture", "show", &requirement])["notices"].clone();
    assert_eq!(notices[0]["standing"], "withdrawn", "{notices}");
    let only_releasers = running.desk("al-police", "analyst", &["leave", "--out", &out("x.pb")]);
    assert!(only_releasers.unwrap().stderr.contains("CERTIFICATE_ROLE"));
}

/// Anybody with the roster can check it: the node's signature, and the coordinator's on what it holds.
fn check_certificate(running: &Running, file: &Path, requirement: &str) {
    let roster = roster(running);
    let envelope: wire::Envelope = strict::decode("certificate", &fs::read(file).unwrap()).unwrap();
    let member = roster.members.iter().find(|member| member.node.as_str() == "al-police").unwrap();
    let departure = Departure::open(&envelope, &member.seal_keys, Lists::builtin()).unwrap();
    let [given] = departure.given.as_slice() else { panic!("{departure:?}") };
    assert_eq!(given.requirement.to_string(), requirement);
    let [held] = departure.holdings.as_slice() else { panic!("{departure:?}") };
    let held = Holdings::open(held, &roster.centres[0].keys).unwrap();
    assert_eq!(held.holdings[0].table_digest, given.table_digest);
    let [(1, picture)] = held.holdings[0].pictures.as_slice() else { panic!("{held:?}") };
    assert_ne!(*picture, Digest([0; 32]));
    let mut forged = envelope.clone();
    forged.payload.push(0);
    assert!(Departure::open(&forged, &member.seal_keys, Lists::builtin()).is_err());
}

#[test]
fn only_the_authority_that_asked_can_take_it_back_and_then_nobody_is_asked_any_more() {
    let (running, _) = consenting(&STANDING);
    let requirement = running.issue(&[HOMICIDE]).unwrap();
    let state = |of: &str| region(&running, &["requirement", "list"])[0][of].clone();
    assert_eq!((state("state"), state("reason")), (json!("open"), json!("members may answer")));
    let key = running.dir.join("federation/authority.key").display().to_string();
    let other = running.nodes["al-police"].home.join("keys/seal.key").display().to_string();
    let cancel = |key: &str| {
        let arguments =
            ["requirement", "cancel", &requirement, "--why", "a test", "--authority-key", key];
        running.region("analyst", "json", &arguments).unwrap()
    };
    assert!(cancel(&other).stderr.contains("SIGNATURE_INVALID"), "{}", cancel(&other).stderr);
    assert_eq!(state("state"), "open");
    cancel(&key).json(&[0]).unwrap();
    cancel(&key).json(&[0]).unwrap();
    assert_eq!(state("state"), "cancelled");
    let gathered = running.region("analyst", "json", &["gather", &requirement]).unwrap();
    assert!(gathered.stderr.contains("REQUIREMENT_CANCELLED"), "{}", gathered.stderr);
    assert_eq!(gathered.code, Some(4));
}

#[test]
fn an_asker_can_want_less_than_the_audience_could_get_and_never_more() {
    let (running, _) = consenting(&STANDING);
    let text = |lines: &str| {
        format!(
            "authority = \"analysis-unit\"\nwhy = \"Test\"\npurpose = \"THREAT-ASSESSMENT\"\n\
             legal_basis = \"Test, no legal effect\"\ncloses = \"2027-01-01\"\n{lines}\n\
             [[question]]\n{HOMICIDE}"
        )
    };
    let refused = |lines: &str, field: &str| {
        let error = running.issue_text(&text(lines)).unwrap_err().to_string();
        assert!(error.contains(field), "{lines}: {error}");
    };
    refused("audience = \"PUBLIC\"\ntier = \"A\"", "requirement.tier");
    refused("audience = \"POLICE\"\ntier = \"D\"", "requirement.tier");
    refused("audience = \"POLICE\"\nrequester_role = \"BOSS\"", "requirement.requester_role");
    refused("audience = \"POLICE\"\nvalid_until = \"2026-12-31\"", "requirement.valid_until_s");
    refused("audience = \"POLICE\"\nvalid_until = \"2040-01-01\"", "requirement.valid_until_s");
    running
        .issue_text(&text("audience = \"POLICE\"\ntier = \"C\"\nrequester_role = \"DRIVER\""))
        .unwrap();
}

#[test]
fn what_was_cancelled_waits_for_nobody_at_the_members() {
    let by_hand = [&STANDING[..], &["--release", "by-hand"]].concat();
    let (running, _) = consenting(&by_hand);
    let requirement = running.issue(&[HOMICIDE]).unwrap();
    let gathered = running.region("analyst", "json", &["gather", &requirement]).unwrap();
    assert_eq!(gathered.json(&[3]).unwrap()["members"][0]["state"], "pending");
    let waiting = desk(&running, &["inbox", "list"]);
    assert_eq!(waiting[0]["state"], "awaiting", "{waiting}");
    let key = running.dir.join("federation/authority.key").display().to_string();
    let cancel =
        ["requirement", "cancel", &requirement, "--why", "a test", "--authority-key", &key];
    region(&running, &cancel);
    region(&running, &["standing"]);
    let over = desk(&running, &["inbox", "list"]);
    assert_eq!(over[0]["state"], "withdrawn", "{over}");
}

#[test]
fn an_answer_is_not_handed_out_after_consent_was_taken_back() {
    let (running, grant) = consenting(&STANDING);
    let requirement = running.issue(&[HOMICIDE]).unwrap();
    running.gather(&requirement).unwrap();
    let out = |name: &str| running.dir.join(name).display().to_string();
    desk(&running, &["answer", "export", &requirement, "--out", &out("before.answer")]);
    desk(&running, &["grant", "withdraw", &grant]);
    let export = ["answer", "export", &requirement, "--out", &out("after.answer")];
    let refused = running.desk("al-police", "releaser", &export).unwrap();
    assert!(refused.stderr.contains("GRANT_STATE"), "{}", refused.stderr);
}
