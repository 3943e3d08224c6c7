//! A product is reviewed and endorsed by every member, under signatures that bind each word to the very text: at the centre, at home, and
//! from files alone. Whoever parts the chain, writes and publishes alone, or reads what is not released to it, is refused by name.

use std::{fs, path::PathBuf, process::Command};

use accord_proto::{evidence, roster::Paper, seal::Kind, wire::product as wire};
use accord_tests::{
    federation::QUESTION, peers, process::Finished, review::Review, roles, rotation,
};
use prost::Message as _;
use serde_json::{Value, json};

use crate::{Running, evidence::write_evidence, program, started};

const THREE: [&str; 3] = ["AL", "BA", "RS"];
const NODES: [&str; 3] = ["al-police", "ba-police", "rs-police"];

/// A text of these members with a public and a restricted section.
fn text(running: &Running, members: &[&str], inner: &str) -> PathBuf {
    let members: Vec<_> = members.iter().map(|member| format!("\"{member}\"")).collect();
    let text = format!(
        "kind = \"THREAT_ASSESSMENT\"\ntitle = \"Of the region\"\nlanguage = \"en\"\n\
         covers = \"2016\"\nmembers = [{}]\n[rule]\nendorsed_by = \"ALL_BUT\"\nnumber = 1\n\
         [restricted]\naudience = \"POLICE\"\nmark = \"Members only\"\n\
         [public]\naudience = \"PUBLIC\"\nmark = \"Public\"\nreaders = [\"test-observer\"]\n\
         [[section]]\nid = \"open\"\nheading = \"Open\"\nextent = \"PUBLIC\"\n\
         text = \"Told to everybody, also of Kosovo.\"\n\
         [[section]]\nid = \"inner\"\nheading = \"Inner\"\nextent = \"RESTRICTED\"\n\
         text = \"{inner}\"\n",
        members.join(", ")
    );
    let path = running.dir.join("text.toml");
    fs::write(&path, text).unwrap();
    path
}

/// A text of its own of a node.
fn home(running: &Running, node: &str) -> PathBuf {
    let path = text(running, &[node], "At home.");
    let text = fs::read_to_string(&path).unwrap().replace("ALL_BUT", "ALL");
    fs::write(&path, text.replace("number = 1\n", "")).unwrap();
    path
}

/// Drafted, with a round of comments behind it.
fn reviewed(running: &Running) -> String {
    let review = Review { federation: &running.federation };
    let product = review.drafted(&text(running, &NODES, "First."), "first draft", None).unwrap();
    let said = [("al-police", "Look again.", &["--section", "inner"][..])];
    assert_eq!(review.round(&product, &said).unwrap(), 1);
    product
}

/// Endorsed with a reservation and a dissent, and published.
fn published(running: &Running) -> String {
    let product = reviewed(running);
    let review = Review { federation: &running.federation };
    let state = review.endorsed(&product, |node| match node {
        "al-police" => ("reservation", "Not for 2015."),
        "rs-police" => ("dissent", "We see it otherwise."),
        _ => ("endorse", ""),
    });
    assert_eq!(state.unwrap(), "ENDORSED_WITH_DISSENT");
    product
}

fn refused(done: &Finished, code: i32, reason: &str) {
    assert_eq!(done.code, Some(code), "{}", done.stderr);
    assert!(done.stderr.contains(reason), "{reason}: {}", done.stderr);
}

fn region(running: &Running, role: &str, arguments: &[&str]) -> Finished {
    running.region(role, "json", arguments).unwrap()
}

/// Verifies a file with nothing but the root's key.
fn verified(running: &Running, role: &str, file: &str) -> Finished {
    let mut command = Command::new(program());
    command.args([role, "product", "verify", file, "--root"]);
    command.arg(running.dir.join("federation/root.pub")).args(["-o", "json"]);
    Finished::run(command).unwrap()
}

fn written(running: &Running, role: &str, verb: &[&str], name: &str) -> String {
    let out = running.dir.join(name).display().to_string();
    region(running, role, &[&["product"][..], verb, &["--out", &out]].concat())
        .json(&[0])
        .unwrap_or_default();
    assert!(fs::exists(&out).unwrap(), "{name}");
    out
}

#[test]
fn with_the_coordinator_gone_every_member_reads_verifies_and_sees_who_endorsed() {
    let running = started(&THREE);
    let product = published(&running);
    running.coordinator_server().unwrap().kill();
    for node in NODES {
        let shown = running.desk(node, "analyst", &["product", "show", &product]).unwrap();
        let shown = shown.json(&[0]).unwrap();
        assert_eq!(shown["state"], "PUBLISHED", "{node}");
        assert_eq!(shown["left_out"], json!([]), "{node}");
        let said = |at: usize, key: &str| shown["positions"][at][key].as_str().unwrap().to_owned();
        assert_eq!(said(0, "words"), "al-police: Not for 2015.");
        assert_eq!(said(2, "position"), "dissents");
        // A file that anybody verifies, and a page.
        let out = running.dir.join(format!("{node}.dossier")).display().to_string();
        let export = ["product", "export", &product, "--out", &out];
        assert_eq!(running.desk(node, "analyst", &export).unwrap().code, Some(0));
        let proven = verified(&running, roles::NODE, &out).json(&[0]).unwrap();
        assert_eq!(proven["outcome"], "Endorsed, with dissent");
        let page = running.dir.join(format!("{node}.html")).display().to_string();
        let page_of = ["product", "page", &product, "--out", &page];
        assert_eq!(running.desk(node, "auditor", &page_of).unwrap().code, Some(0));
        let page = fs::read_to_string(page).unwrap();
        for words in
            ["Not for 2015.", "We see it otherwise.", "First.", "UNSCR 1244", "Members only"]
        {
            assert!(page.contains(words), "{words}");
        }
    }
}

#[test]
fn one_changed_byte_makes_every_endorsement_invalid_and_the_verifier_says_so() {
    let running = started(&THREE);
    let product = published(&running);
    for (verb, name) in [
        (&["export", &product][..], "all.dossier"),
        (&["release", &product, "--extent", "public"], "public.release"),
        (&["release", &product, "--extent", "restricted"], "restricted.release"),
    ] {
        let file = written(&running, "auditor", verb, name);
        let whole = fs::read(&file).unwrap();
        let proven = verified(&running, roles::COORDINATOR, &file).json(&[0]).unwrap();
        assert_eq!(proven["signatures"], "all verified");
        assert_eq!(proven["positions"].as_array().unwrap().len(), 3);
        assert_eq!(proven["withheld"], json!(u8::from(name == "public.release")), "{name}");
        for at in (0..whole.len()).step_by(whole.len() / 12) {
            let mut changed = whole.clone();
            changed[at] ^= 0x10;
            let forged = running.dir.join("forged");
            fs::write(&forged, changed).unwrap();
            let done = verified(&running, roles::NODE, &forged.display().to_string());
            assert!(!matches!(done.code, Some(0) | None), "byte {at} of {name}: {}", done.stdout);
        }
    }
    // Of the public release nothing of the restricted section can be read.
    let public = fs::read(running.dir.join("public.release")).unwrap();
    assert!(!String::from_utf8_lossy(&public).contains("First."));
}

#[test]
fn what_outsiders_get_of_a_roster_holds_no_address() {
    let running = started(&THREE);
    let product = published(&running);
    let requirement = running.issue(&[QUESTION]).unwrap();
    running.gather(&requirement).unwrap();
    let picture = running.dir.join("picture.evidence");
    write_evidence(&running, &requirement, &picture);
    let dossier = written(&running, "auditor", &["export", &product], "all.dossier");
    let release = |extent| {
        let verb = ["release", &product, "--extent", extent];
        written(&running, "auditor", &verb, &format!("{extent}.release"))
    };
    let given = [dossier, release("public"), release("restricted"), picture.display().to_string()];

    let Paper { members, centres, .. } = rotation::roster(&running).unwrap();
    let mut ways: Vec<_> =
        members.iter().map(|member| member.address.clone().into_bytes()).collect();
    ways.extend(members.into_iter().flat_map(|member| member.tls_spki_sha256));
    ways.extend(centres.into_iter().flat_map(|centre| centre.tls_spki_sha256));
    assert_eq!(ways.len(), 7);
    let holds = |file: &str, way: &[u8]| {
        evidence::place_of(way, &fs::read(running.dir.join(file)).unwrap()).is_some()
    };
    for way in &ways {
        assert!(holds("federation/roster.signed", way), "those who take part are told");
        for file in &given {
            assert!(!holds(file, way), "{file}");
        }
    }
    for file in &given {
        assert!(holds(file, b"al-police"), "{file} names everybody");
    }
}

#[test]
fn an_observer_reads_what_is_released_to_it_and_nothing_else() {
    let running = started(&THREE);
    let product = reviewed(&running);
    let listed = |running: &Running| region(running, "observer", &["product", "list"]).json(&[0]);
    assert_eq!(listed(&running).unwrap(), json!([]), "a draft is nothing to it");
    let out = running.dir.join("x").display().to_string();
    let release = ["product", "release", &product, "--out", &out, "--extent"];
    let public = [&release[..], &["public"]].concat();
    refused(&region(&running, "observer", &public), 5, "NOT_FOUND");
    let review = Review { federation: &running.federation };
    review.endorsed(&product, |_| ("endorse", "")).unwrap();
    assert_eq!(listed(&running).unwrap().as_array().unwrap().len(), 1);
    assert_eq!(region(&running, "observer", &public).code, Some(0));
    let restricted = [&release[..], &["restricted"]].concat();
    refused(&region(&running, "observer", &restricted), 5, "NOT_FOUND");
    for command in [
        &["product", "show", &product][..],
        &["product", "comments", &product],
        &["picture", "list"],
        &["requirement", "list"],
    ] {
        refused(&region(&running, "observer", command), 7, "CERTIFICATE_ROLE");
    }
    // It says something only where it is invited.
    let comment = ["product", "comment", &product, "--text", "May I?"];
    refused(&region(&running, "observer", &comment), 5, "NOT_FOUND");
}

#[test]
fn what_was_put_away_before_it_was_published_is_nothing_to_an_observer() {
    let running = started(&THREE);
    let product = reviewed(&running);
    let review = Review { federation: &running.federation };
    review.region("editor", &["product", "finalise", &product]).unwrap();
    review.region("second-editor", &["product", "open", &product, "--until", "2s"]).unwrap();
    let closed = review.closed(&product, "close").unwrap();
    assert_eq!(closed["state"], "NOT_ENDORSED", "nobody has said anything");
    review.region("editor", &["product", "archive", &product, "--why", "Not agreed."]).unwrap();
    let listed = region(&running, "observer", &["product", "list"]).json(&[0]).unwrap();
    assert_eq!(listed, json!([]));
    let out = running.dir.join("x").display().to_string();
    let release = ["product", "release", &product, "--out", &out];
    refused(&region(&running, "observer", &release), 5, "NOT_FOUND");
}

#[test]
fn a_guest_comments_on_the_round_that_it_is_invited_to() {
    let running = started(&THREE);
    let review = Review { federation: &running.federation };
    let product = review.drafted(&text(&running, &NODES, "First."), "first draft", None).unwrap();
    let until = ["--until", accord_tests::review::ROUND, "--guest", "test-observer"];
    let circulate = [&["product", "circulate", &product][..], &until].concat();
    review.region("editor", &circulate).unwrap();
    let comment = ["product", "comment", &product, "--text", "Seen from outside it is clear."];
    assert_eq!(region(&running, "observer", &comment).code, Some(0));
    review.closed(&product, "close-round").unwrap();
    let comments = review.region("editor", &["product", "comments", &product]).unwrap();
    assert_eq!(comments[0]["by"], "test-observer (observer)");
}

#[test]
fn whoever_writes_a_text_neither_opens_nor_publishes_it_and_only_a_releaser_endorses() {
    let running = started(&THREE);
    let product = reviewed(&running);
    let review = Review { federation: &running.federation };
    review.region("editor", &["product", "finalise", &product]).unwrap();
    let open = ["product", "open", &product, "--until", "1h"];
    refused(&region(&running, "editor", &open), 7, "FOUR_EYES");
    review.region("second-editor", &open).unwrap();
    review.arrived(&product).unwrap();
    let endorse = ["product", "endorse", &product, "--position", "endorse"];
    let by_analyst = running.desk("al-police", "analyst", &endorse).unwrap();
    refused(&by_analyst, 7, "CERTIFICATE_ROLE");
    let personal = ["--position", "dissent", "--text", "Ask jane.doe@example.org."];
    let dissent = [&["product", "endorse", &product][..], &personal].concat();
    let named = running.desk("al-police", "releaser", &dissent).unwrap();
    refused(&named, 1, "PERSONAL_DATA");
    // Before its time, and before all have spoken, it is not closed; nor published before it is endorsed.
    refused(&region(&running, "editor", &["product", "close", &product]), 4, "PRODUCT_STATE");
    refused(
        &region(&running, "second-editor", &["product", "publish", &product]),
        4,
        "PRODUCT_STATE",
    );
    // No text changes under those who are endorsing it.
    let file = text(&running, &NODES, "Another.").display().to_string();
    let again = ["product", "draft", &file, "--product", &product, "--why", "better"];
    refused(&region(&running, "editor", &again), 4, "PRODUCT_STATE");
}

#[test]
fn a_member_that_was_away_gets_the_product_when_it_is_back_and_its_words_count_once() {
    let mut running = started(&THREE);
    let review = Review { federation: &running.federation };
    let product = review.drafted(&text(&running, &NODES, "First."), "first draft", None).unwrap();
    running.node_server("rs-police").unwrap().kill();
    let circulate = ["product", "circulate", &product, "--until", "25s"];
    Review { federation: &running.federation }.region("editor", &circulate).unwrap();
    running.federation.start_node("rs-police").unwrap();
    let review = Review { federation: &running.federation };
    review.arrived(&product).unwrap();
    // Said, and the service killed before and after it is collected: it counts once.
    let comment = ["product", "comment", &product, "--text", "Here I am."];
    running.desk("rs-police", "analyst", &comment).unwrap().json(&[0]).unwrap();
    running.node_server("rs-police").unwrap().kill();
    running.federation.start_node("rs-police").unwrap();
    let review = Review { federation: &running.federation };
    review.closed(&product, "close-round").unwrap();
    running.coordinator_server().unwrap().kill();
    running.federation.start_coordinator().unwrap();
    let review = Review { federation: &running.federation };
    let comments = review.region("editor", &["product", "comments", &product]).unwrap();
    assert_eq!(comments.as_array().unwrap().len(), 1, "{comments}");
    review.arrived(&product).unwrap();
    let shown = review.desk("rs-police", "analyst", &["product", "show", &product]).unwrap();
    assert_eq!((&shown["waiting"], &shown["left_out"]), (&json!([]), &json!([])));
}

#[test]
fn a_node_keeps_its_own_assessment_and_no_step_of_it_leaves() {
    let running = started(&["AL", "BA"]);
    let desk = |role: &str, arguments: &[&str]| {
        running.desk("al-police", role, arguments).unwrap().json(&[0]).unwrap()
    };
    let file = home(&running, "al-police").display().to_string();
    let drafted = desk("analyst", &["product", "draft", &file, "--why", "first"]);
    let product = drafted["product"].as_str().unwrap().to_owned();
    let of = |verb: &'static str| ["product", verb, &product].map(str::to_owned).to_vec();
    let step = |role: &str, verb: &'static str, more: &[&str]| {
        let words = of(verb);
        let words: Vec<_> = words.iter().map(String::as_str).chain(more.iter().copied()).collect();
        desk(role, &words)
    };
    step("releaser", "circulate", &["--until", "1s"]);
    step("analyst", "comment", &["--text", "Shorter."]);
    let closed = loop {
        let words = of("close-round");
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let done = running.desk("al-police", "releaser", &words).unwrap();
        if done.code == Some(0) {
            break done.json(&[0]).unwrap();
        }
        assert!(done.stderr.contains("PRODUCT_STATE"), "{}", done.stderr);
    };
    assert_eq!((&closed["state"], &closed["unresolved"]), (&json!("COMMENTED"), &json!(1)));
    let comments = step("analyst", "comments", &[]);
    let digest = comments[0]["comment"].as_str().unwrap().to_owned();
    step(
        "releaser",
        "resolve",
        &["--comment", &digest, "--decision", "noted", "--text", "It is short."],
    );
    step("releaser", "finalise", &[]);
    step("releaser", "open", &["--until", "1h"]);
    step("releaser", "endorse", &["--position", "endorse"]);
    assert_eq!(step("releaser", "close", &[])["state"], "ENDORSED");
    assert_eq!(step("second-releaser", "publish", &[])["state"], "PUBLISHED");
    // Nobody else has heard of it.
    assert_eq!(region(&running, "editor", &["product", "list"]).json(&[0]).unwrap(), json!([]));
    let others = running.desk("ba-police", "analyst", &["product", "list"]).unwrap();
    assert_eq!(others.json(&[0]).unwrap(), json!([]));
    let shown: Value = step("auditor", "show", &[]);
    assert_eq!(shown["owner"], "al-police");
}

#[test]
fn a_member_that_cannot_be_asked_keeps_an_endorsement_open_or_is_named_in_it() {
    let mut running = started(&THREE);
    let product = reviewed(&running);
    let review = Review { federation: &running.federation };
    review.region("editor", &["product", "finalise", &product]).unwrap();
    review.region("second-editor", &["product", "open", &product, "--until", "4s"]).unwrap();
    review.arrived(&product).unwrap();
    for node in ["al-police", "rs-police"] {
        review.endorse(node, &product, "endorse", "").unwrap();
    }
    // A dissent is signed, and its node goes away before anybody has heard it.
    review.endorse("ba-police", &product, "dissent", "Not so.").unwrap();
    running.node_server("ba-police").unwrap().kill();
    let refused = loop {
        let done = region(&running, "editor", &["product", "close", &product]);
        if !done.stderr.contains("PRODUCT_STATE") {
            break done;
        }
    };
    assert_eq!(refused.code, Some(6), "{}", refused.stderr);
    assert!(refused.stderr.contains("ba-police cannot be asked"), "{}", refused.stderr);
    let close = ["product", "close", &product, "--without", "ba-police"];
    let closed = loop {
        let done = region(&running, "editor", &close);
        if !done.stderr.contains("PRODUCT_STATE") {
            break done.json(&[0]).unwrap();
        }
    };
    assert_eq!(closed["state"], "ENDORSED");
    let shown = review.region("editor", &["product", "show", &product]).unwrap();
    assert_eq!(shown["positions"][1]["position"], "could not be asked", "{shown}");

    // Nor is it published behind the back of a member; and whoever was left out says so wherever the product is read.
    let publish = ["product", "publish", &product];
    let done = region(&running, "second-editor", &publish);
    assert!(done.stderr.contains("ba-police cannot confirm"), "{}", done.stderr);
    running.federation.start_node("ba-police").unwrap();
    let published = loop {
        let done = region(&running, "second-editor", &publish);
        if !done.stderr.contains("NO_CONNECTION") {
            break done.json(&[0]).unwrap();
        }
    };
    assert_eq!(published["state"], "PUBLISHED");
    let release = ["release", &product, "--extent", "public"];
    let release = written(&running, "auditor", &release, "public.release");
    let proven = verified(&running, roles::NODE, &release);
    assert!(proven.stderr.contains("ba-police says that words of its own"), "{}", proven.stderr);
    // Every signature is good, and all is not well: a program sees it by the exit code.
    assert_eq!(proven.json(&[3]).unwrap()["not_confirmed_by"], json!([]));
}

#[test]
fn two_files_of_a_product_are_one_chain_or_the_proof_that_its_owner_has_signed_two() {
    let running = started(&THREE);
    let product = reviewed(&running);
    let early = written(&running, "auditor", &["export", &product], "early.dossier");
    let review = Review { federation: &running.federation };
    review.region("editor", &["product", "finalise", &product]).unwrap();
    let late = written(&running, "auditor", &["export", &product], "late.dossier");
    let against = |other: &str| {
        let mut command = Command::new(program());
        command.args([roles::NODE, "product", "verify", &late, "--against", other, "--root"]);
        command.arg(running.dir.join("federation/root.pub"));
        Finished::run(command).unwrap()
    };
    let done = against(&early);
    assert!(done.stderr.contains("it is one chain"), "{}", done.stderr);
    assert_eq!(done.code, Some(0));
    // The key of the centre signs another last step.
    let whole = wire::Dossier::decode(fs::read(&late).unwrap().as_slice()).unwrap();
    let key = peers::secret_key(&running.federation, "coordinator/keys/sign.key").unwrap();
    let last = whole.steps.last().unwrap();
    let step = wire::Step::decode(last.payload.as_slice()).unwrap();
    let step = wire::Step { at_s: step.at_s + 1, ..step };
    let mut other = whole.clone();
    *other.steps.last_mut().unwrap() = key.sign(Kind::ProductStep, step.encode_to_vec());
    let file = running.dir.join("other.dossier");
    fs::write(&file, other.encode_to_vec()).unwrap();
    let done = against(&file.display().to_string());
    assert!(done.stderr.contains("two chains of one product"), "{}", done.stderr);
    assert_eq!(done.code, Some(3));
    // A node that was never given a second one has none to show.
    let out = running.dir.join("second").display().to_string();
    let second = ["product", "export", &product, "--second", "--out", &out];
    refused(&running.desk("al-police", "analyst", &second).unwrap(), 5, "NOT_FOUND");
    refused(&region(&running, "auditor", &second), 5, "NOT_FOUND");
}

#[test]
fn a_coordinator_that_was_put_back_takes_over_what_members_hold_and_forks_nothing() {
    let mut running = started(&THREE);
    let review = Review { federation: &running.federation };
    let product = review.drafted(&text(&running, &NODES, "First."), "first draft", None).unwrap();
    review.region("editor", &["product", "circulate", &product, "--until", "2s"]).unwrap();
    review.arrived(&product).unwrap();
    let (file, key) = crate::backup::of_centre(&running);
    review.closed(&product, "close-round").unwrap();
    review.arrived(&product).unwrap();
    crate::backup::put_back(&mut running, &file, &key);
    crate::backup::accept(&running);
    // Nothing is signed on a chain that may have gone on elsewhere.
    let finalise = ["product", "finalise", &product];
    let done = region(&running, "editor", &finalise);
    assert!(done.stderr.contains("PRODUCT_STATE"), "{}", done.stderr);
    let review = Review { federation: &running.federation };
    let began = std::time::Instant::now();
    loop {
        let shown = review.region("editor", &["product", "show", &product]).unwrap();
        if shown["state"] == "COMMENTED" {
            break;
        }
        assert!(began.elapsed().as_secs() < 60, "{shown}");
        std::thread::yield_now();
    }
    let confirm = ["confirm-restore", "--why", "members gave back what they hold"];
    assert_eq!(region(&running, "custodian", &confirm).code, Some(0));
    review.region("editor", &finalise).unwrap();
    review.region("second-editor", &["product", "open", &product, "--until", "1h"]).unwrap();
    review.arrived(&product).unwrap();
}
