//! Every stable code is provoked by some test, where people or peers would meet it. The codes that have no better home are
//! provoked here, over the real wire or at the desk.

use std::{
    collections::BTreeMap,
    sync::{Mutex, mpsc},
};

use accord_proto::{
    clock::{Clock as _, FixedClock, SystemClock, SystemEntropy, Timestamp},
    id::RequirementId,
    identity::Identity,
    limits::CLOCK_SKEW_S,
    pki::Authority,
    reason::Reason,
    status::from_status,
    taxonomy::Lists,
    transport::{Credentials, listener},
    wire,
};
use accord_tests::{
    federation::member,
    peers::{self, Answers},
};
use tonic::Status;

use crate::{
    Running,
    adversary::holder,
    house::{names, rust_files, without_tests},
    prepared, started,
};

const HOMICIDE: &str =
    "indicator = \"PUB.OFF.N\"\ncrime_areas = \"ICCS0101\"\nperiods = \"2016\"\n";
const DAY: i64 = 86_400;

/// What of a file is tests, without comments: suite, harness, and what stands behind `#[cfg(test)]`.
fn tests_in(path: &str, text: &str) -> String {
    let whole = path.starts_with("tests/harness/");
    let program = if whole { 0 } else { without_tests(path, text).count() };
    let lines = text.lines().skip(program);
    lines
        .map(|line| line.split_once("//").map_or(line, |(code, _)| code).to_owned() + "\n")
        .collect()
}

/// The functions of a text that name this code, or its variant, other than to make a refusal of their own.
fn provoking(text: &str, reason: Reason) -> Vec<String> {
    let variant = format!("{reason:?}");
    let mut function = "";
    let mut found = Vec::new();
    let mut before = "";
    for line in text.lines() {
        if let Some((name, _)) =
            line.split_once("fn ").and_then(|(_, rest)| rest.split_once(['(', '<']))
        {
            function = name;
        }
        let made = line.contains("Invalid::new(") || before.trim_end().ends_with("Invalid::new(");
        let named = line.contains("Reason::") && names(line, &variant);
        if !made && (named || names(line, reason.code())) {
            found.push(function.to_owned());
        }
        before = line;
    }
    found
}

#[test]
fn every_stable_code_is_provoked_by_a_test() {
    let sources: Vec<_> =
        rust_files().into_iter().map(|(path, text)| (tests_in(&path, &text), path)).collect();
    let mut provoked = BTreeMap::new();
    for reason in Reason::ALL {
        let by = sources.iter().flat_map(|(text, path)| {
            provoking(text, *reason).into_iter().map(move |function| format!("{path}: {function}"))
        });
        let mut by: Vec<_> = by.collect();
        by.dedup();
        provoked.insert(reason.code(), by);
    }
    eprintln!("{provoked:#?}");
    let never: Vec<_> =
        provoked.iter().filter(|(_, by)| by.is_empty()).map(|(code, _)| code).collect();
    assert!(never.is_empty(), "no test provokes {never:?}: write one, or take the code out");
}

/// A requirement about homicide, with these lines and this moment of issue.
fn asked(running: &Running, key: &str, lines: &str, at: Timestamp) -> wire::Envelope {
    let id = RequirementId::mint(&FixedClock(at), &SystemEntropy).unwrap();
    let text = format!(
        "id = \"{id}\"\nwhy = \"Test\"\npurpose = \"THREAT-ASSESSMENT\"\n\
         legal_basis = \"Test, no legal effect\"\naudience = \"POLICE\"\n{lines}\n[[question]]\n{HOMICIDE}"
    );
    let key = peers::secret_key(running, key).unwrap();
    let members: Vec<_> = running.nodes.keys().cloned().collect();
    let (clock, lists) = (FixedClock(at), Lists::builtin());
    accord_coordinator::requirement::sign(&text, &members, &key, lists, &clock, &SystemEntropy)
        .unwrap()
}

/// What a node says to this caller, who asks this.
fn said(
    running: &Running,
    caller: &Credentials,
    requirement: Option<wire::Envelope>,
) -> Result<wire::AnswerResponse, Reason> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut client = peers::exchange(running, "al-police", caller).await.unwrap();
        let answer = client.answer(wire::AnswerRequest { requirement }).await;
        answer.map(tonic::Response::into_inner).map_err(|status| from_status(&status).reason)
    })
}

#[test]
fn a_node_says_by_name_what_is_wrong_with_a_requirement_and_with_whoever_asks() {
    let running = started(&["AL", "BA"]);
    let coordinator = peers::credentials(&running.dir.join("coordinator/keys")).unwrap();
    let now = SystemClock.now();
    let (authority, stranger) = ("federation/authority.key", "al-police/keys/seal.key");
    let unit = "authority = \"analysis-unit\"";
    let until = |days: i64| format!("closes = \"{}\"", now.plus_s(days * DAY));
    let from = |days: i64| format!("opens = \"{}\"", now.plus_s(days * DAY));
    let ask = |key, lines: &[&str], at| Some(asked(&running, key, &lines.join("\n"), at));
    let open = || ask(authority, &[unit, &until(9)], now);
    let cases = [
        ("nothing", None, Reason::FieldMissing),
        (
            "an authority that nobody knows",
            ask(authority, &["authority = \"made-up-unit\"", &until(9)], now),
            Reason::AuthorityUnknown,
        ),
        ("another's key", ask(stranger, &[unit, &until(9)], now), Reason::SignatureInvalid),
        (
            "a question to others",
            ask(authority, &[unit, &until(9), "members = [\"ba-police\"]"], now),
            Reason::RequirementNotForMember,
        ),
        (
            "too early",
            ask(authority, &[unit, &from(2), &until(9)], now),
            Reason::RequirementNotOpen,
        ),
        (
            "too late",
            ask(authority, &[unit, &from(-5), &until(-1)], now.plus_s(-6 * DAY)),
            Reason::RequirementClosed,
        ),
        (
            "from the future",
            ask(authority, &[unit, &until(9)], now.plus_s(10 * CLOCK_SKEW_S)),
            Reason::ClockSkew,
        ),
    ];
    for (name, requirement, reason) in cases {
        assert_eq!(said(&running, &coordinator, requirement).unwrap_err(), reason, "{name}");
    }

    let ca = Authority::load(&running.dir.join("federation"), &SystemClock).unwrap();
    let centre = "spiffe://wb6.example/REGION/node/coordinator/coordinator";
    let issued = ca.issue(&Identity::parse(centre).unwrap()).unwrap();
    let unregistered = holder(&running.dir, "unregistered", &issued, ca.certificate_pem());
    let refused = said(&running, &unregistered, open()).unwrap_err();
    assert_eq!(refused, Reason::CertificateUnregistered, "another key of the coordinator's name");
    let neighbour = peers::credentials(&running.dir.join("ba-police/keys")).unwrap();
    assert_eq!(said(&running, &neighbour, open()).unwrap_err(), Reason::CertificateRole);
    assert_eq!(said(&running, &coordinator, open()).unwrap_err(), Reason::JournalNotShown);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(peers::coordinator(&running, "al-police")).unwrap();
    said(&running, &coordinator, open()).unwrap();
}

#[test]
fn a_call_that_came_past_the_listener_is_nobodys() {
    let refused = listener::caller(&tonic::Request::new(())).unwrap_err();
    assert_eq!(refused.reason, Reason::CertificateIdentity);
}

/// A member whose program fails whenever it is asked.
struct Failing(peers::Journal);

impl Answers for Failing {
    fn answer(&self, _: wire::AnswerRequest) -> Result<wire::AnswerResponse, Status> {
        Err(Status::internal("a fault that was made up"))
    }

    fn journal(&self) -> Option<&peers::Journal> {
        Some(&self.0)
    }
}

#[test]
fn a_member_that_fails_is_unreachable_and_said_to_have_failed() {
    let mut running = prepared(&["AL"]);
    running.federation.start_coordinator().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let own = peers::credentials(&running.dir.join("al-police/keys")).unwrap();
    let failing = Failing(peers::Journal::empty(&running, "al-police").unwrap());
    let address = running.nodes["al-police"].exchange.clone();
    let _played = runtime.block_on(peers::serve(failing, &address, own)).unwrap();
    let shown = running.gather(&running.issue(&[HOMICIDE]).unwrap()).unwrap();
    let member = member(&shown, "AL").unwrap();
    let said = (member["state"].as_str(), member["reason"].as_str());
    assert_eq!(said, (Some("unreachable"), Some("PEER_FAILED")), "{shown}");
}

/// A member that says when it was asked, and answers when it may.
struct Silent {
    was_asked: mpsc::Sender<()>,
    may_answer: Mutex<mpsc::Receiver<()>>,
    journal: peers::Journal,
}

impl Answers for Silent {
    fn answer(&self, _: wire::AnswerRequest) -> Result<wire::AnswerResponse, Status> {
        let _ = self.was_asked.send(());
        let _ = self.may_answer.lock().unwrap().recv();
        Err(Status::internal("a fault that was made up"))
    }

    fn journal(&self) -> Option<&peers::Journal> {
        Some(&self.journal)
    }
}

#[test]
fn a_silent_member_is_waited_for_as_long_as_was_said_and_a_gather_under_way_is_not_begun_again() {
    let mut running = prepared(&["AL"]);
    running.federation.start_coordinator().unwrap();
    // Whoever is silent takes a thread with it.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    let (was_asked, asked) = mpsc::channel();
    let (answer, may_answer) = mpsc::channel();
    let journal = peers::Journal::empty(&running, "al-police").unwrap();
    let silent = Silent { was_asked, may_answer: Mutex::new(may_answer), journal };
    let own = peers::credentials(&running.dir.join("al-police/keys")).unwrap();
    let address = running.nodes["al-police"].exchange.clone();
    let _played = runtime.block_on(peers::serve(silent, &address, own)).unwrap();

    let requirement = running.issue(&[HOMICIDE]).unwrap();
    let briefly = ["gather", &requirement, "--call-deadline-ms", "500"];
    let shown = running.region("analyst", "json", &briefly).unwrap().json(&[3]).unwrap();
    let away = member(&shown, "AL").unwrap();
    let said = (away["state"].as_str(), away["reason"].as_str());
    assert_eq!(said, (Some("unreachable"), Some("DEADLINE_EXCEEDED")), "{shown}");
    asked.recv().unwrap();
    answer.send(()).unwrap();

    std::thread::scope(|scope| {
        let first = scope.spawn(|| running.gather(&requirement).unwrap());
        asked.recv().unwrap();
        let second = running.region("analyst", "json", &["gather", &requirement]).unwrap();
        drop(answer);
        assert_eq!(second.code, Some(6), "{}", second.stderr);
        assert!(second.stderr.contains("OVERLOADED"), "{}", second.stderr);
        assert_eq!(member(&first.join().unwrap(), "AL").unwrap()["reason"], "PEER_FAILED");
    });
}

#[test]
fn a_period_of_which_nothing_is_held_is_not_frozen() {
    let running = started(&["AL"]);
    let refused = running.desk("al-police", "releaser", &["freeze", "2016"]).unwrap();
    assert_eq!(refused.code, Some(4), "{}", refused.stderr);
    assert!(refused.stderr.contains("PERIOD_NOT_FROZEN"), "{}", refused.stderr);
    assert_eq!(refused.stdout, "");
}

#[test]
fn what_no_caller_can_be_blamed_for_is_an_error_of_this_program() {
    let ca = Authority::new("made-up", &SystemClock).unwrap();
    // No identity can be written so, and no other part of the program asks for it.
    let refused = ca.issue_uris(&["spiffe://wb6.example/Ä".to_owned()], 1).map(drop).unwrap_err();
    assert_eq!(refused.reason, Reason::Internal, "{refused}");
}
