//! Journals that cannot be rewritten unseen: node and coordinator keep each other's checkpoints, and whoever was
//! rolled back is told by the other.

use std::{fs, path::Path};

use accord_proto::{
    identity::Identity,
    journal::{self, Checkpoint, Frontier},
    question::SignedRequirement,
    reason::Reason,
    status::from_status,
    wire,
};
use accord_tests::{
    federation::{cell, member},
    peers::{self, Scripted},
};
use serde_json::Value;

use crate::{Running, with_sample};

const HOMICIDE: &str =
    "indicator = \"PUB.OFF.N\"\ncrime_areas = \"ICCS0101\"\nperiods = \"2016\"\n";
const NODE: &str = "al-police";
const INCONSISTENT: &str = "JOURNAL_INCONSISTENT";

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (entry, path) = entry.map(|entry| (entry.path(), to.join(entry.file_name()))).unwrap();
        if entry.is_dir() {
            copy_folder(&entry, &path);
        } else {
            fs::copy(&entry, &path).unwrap();
        }
    }
}

/// A new round; what became of Albania in it: state and reason.
fn gather(running: &Running) -> (String, Value) {
    let requirement = running.issue(&[HOMICIDE]).unwrap();
    let shown = running.gather(&requirement).unwrap();
    let of = member(&shown, "AL").unwrap();
    let state = of["state"].as_str().unwrap().to_owned();
    if state != "answered" {
        let total = cell(&shown, "ICCS0101", "2016").unwrap();
        assert_eq!((&total["value"], &total["status"]), (&42.into(), &"partial".into()), "{total}");
    }
    (state, of["reason"].clone())
}

fn answered(running: &Running) {
    assert_eq!(gather(running).0, "answered");
}

fn rejected(running: &Running) {
    assert_eq!(gather(running), ("rejected".to_owned(), INCONSISTENT.into()));
}

fn status(running: &Running) -> Value {
    running.desk(NODE, "auditor", &["status"]).unwrap().json(&[0]).unwrap()
}

/// Kills a service, runs `between` on its data folder and a copy of it, and starts it again.
fn node_down(running: &mut Running, between: impl FnOnce(&Path, &Path)) {
    running.node_server(NODE).unwrap().kill();
    let copy = running.dir.join("copy");
    between(&running.dir.join(NODE).join("data"), &copy);
    running.federation.start_node(NODE).unwrap();
}

fn put_back(data: &Path, copy: &Path) {
    fs::remove_dir_all(data).unwrap();
    copy_folder(copy, data);
}

#[test]
fn a_node_that_was_rolled_back_is_rejected_learns_it_and_refuses_what_costs_budget() {
    let mut running = with_sample(&["AL", "BA"]);
    answered(&running);
    node_down(&mut running, copy_folder);
    answered(&running);
    // The whole data folder with its witness: nothing at home can tell.
    node_down(&mut running, put_back);
    assert_eq!(status(&running)["in_doubt"], false);
    rejected(&running);
    let told = running.desk(NODE, "auditor", &["status"]).unwrap();
    assert_eq!(told.json(&[0]).unwrap()["in_doubt"], true);
    assert!(told.stderr.contains("a coordinator has seen a later state of it"), "{}", told.stderr);
    let log = fs::read_to_string(running.dir.join(NODE).join("log")).unwrap();
    assert!(log.contains("this journal was longer once, or another"), "{log}");

    // It is told once: a releaser who has confirmed is not asked again for the same loss.
    let confirm = ["confirm-restore", "--why", "an old copy was put back"];
    running.desk(NODE, "releaser", &confirm).unwrap().json(&[0]).unwrap();
    rejected(&running);
    assert_eq!(status(&running)["in_doubt"], false);

    // Whoever keeps the centre running looks into it, and starts anew with the journal that there is now.
    let accept = |why: &str| {
        running.region("operator", "json", &["journal", "accept", NODE, "--why", why]).unwrap()
    };
    assert!(accept(" ").stderr.contains("FIELD_MISSING: why"));
    accept("restored after a disk failed").json(&[0]).unwrap();
    answered(&running);
    let listed = ["journal", "list", "--by", "test-operator"];
    let listed = running.region("auditor", "json", &listed).unwrap().json(&[0]).unwrap();
    assert_eq!(listed[0]["why"], "accept journal: restored after a disk failed", "{listed}");
    let unknown = ["journal", "accept", "xk-police", "--why", "nothing"];
    assert_eq!(running.region("operator", "json", &unknown).unwrap().code, Some(5));
}

#[test]
fn a_node_that_shows_another_history_of_the_same_length_is_rejected() {
    let mut running = with_sample(&["AL", "BA"]);
    node_down(&mut running, copy_folder);
    answered(&running);
    let longer = status(&running)["journal_size"].as_u64().unwrap();
    node_down(&mut running, put_back);
    // As long as before, or longer, by other acts.
    let terms = ["--indicator", "PUB.OFF.N", "--purpose", "EVALUATION", "--audience", "POLICE"];
    let times = ["--from", "2020-01-01", "--until", "2090-01-01"];
    let terms = [&["grant", "add"][..], &terms, &times].concat();
    while status(&running)["journal_size"].as_u64().unwrap() < longer {
        running.desk(NODE, "releaser", &terms).unwrap().json(&[0]).unwrap();
    }
    rejected(&running);
    assert_eq!(status(&running)["in_doubt"], true);
}

#[test]
fn a_coordinator_that_was_rolled_back_is_refused_by_the_nodes() {
    let mut running = with_sample(&["AL", "BA"]);
    answered(&running);
    let (data, copy) = (running.dir.join("coordinator/data"), running.dir.join("copy"));
    running.coordinator_server().unwrap().kill();
    copy_folder(&data, &copy);
    running.federation.start_coordinator().unwrap();
    answered(&running);
    running.coordinator_server().unwrap().kill();
    put_back(&data, &copy);
    running.federation.start_coordinator().unwrap();
    let requirement = running.issue(&[HOMICIDE]).unwrap();
    let shown = running.gather(&requirement).unwrap();
    for code in ["AL", "BA"] {
        let of = member(&shown, code).unwrap();
        assert_eq!((&of["state"], &of["reason"]), (&"rejected".into(), &INCONSISTENT.into()));
    }
}

/// The coordinator's checkpoint over some entries, signed with its own key.
fn signed(running: &Running, entries: u8, mark: u8) -> (Frontier, String) {
    let identity = "spiffe://wb6.example/REGION/node/coordinator/coordinator";
    let mut frontier = Frontier::default();
    (0..entries).for_each(|at| frontier.append(&[mark, at]));
    let key = peers::secret_key(running, "coordinator/keys/sign.key").unwrap();
    let origin = journal::origin(&Identity::parse(identity).unwrap());
    let note = Checkpoint::of(origin, &frontier).sign(&key);
    (frontier, note)
}

#[test]
fn a_coordinator_that_tells_two_versions_is_answered_no_more_until_an_operator_accepts_it() {
    let mut running = with_sample(&["AL", "BA"]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let coordinator = peers::credentials(&running.dir.join("coordinator/keys")).unwrap();
    let show = |running: &Running, own: String| {
        runtime.block_on(async {
            let mut node = peers::exchange(running, NODE, &coordinator).await.unwrap();
            let shown = wire::GetCheckpointRequest { own, ..Default::default() };
            node.get_checkpoint(shown).await.map(tonic::Response::into_inner)
        })
    };
    let ((_, one), (_, other)) = (signed(&running, 200, 1), signed(&running, 200, 2));
    assert_eq!(show(&running, one.clone()).unwrap().acknowledged, 200);
    assert_eq!(show(&running, one.clone()).unwrap().acknowledged, 200, "the same again");
    let forged = one.replace("200", "201");
    assert!(show(&running, forged).unwrap_err().message().contains("does not verify"));
    assert!(show(&running, other).unwrap_err().message().contains("two versions"));
    // From now on it is not answered, whatever it shows, across a restart.
    node_down(&mut running, |_, _| ());
    assert!(show(&running, one).unwrap_err().message().contains("two versions"));
    rejected(&running);
    let asked = peers::requirement(&running, &[HOMICIDE]).unwrap();
    let refused = runtime.block_on(async {
        let mut node = peers::exchange(&running, NODE, &coordinator).await.unwrap();
        let request = wire::AnswerRequest { requirement: Some(asked.envelope().clone()) };
        node.answer(request).await.unwrap_err()
    });
    assert!(refused.message().contains("two versions"), "{refused}");
    let accept = ["journal", "accept", "coordinator", "--why", "two test programs"];
    running.desk(NODE, "operator", &accept).unwrap().json(&[0]).unwrap();
    answered(&running);
}

/// Shows a coordinator's checkpoint without any proof, and asks: what the node keeps, and what it says.
fn answered_after(
    running: &Running,
    asked: &SignedRequirement,
    own: &str,
) -> (u64, Result<(), Reason>) {
    let coordinator = peers::credentials(&running.dir.join("coordinator/keys")).unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let mut node = peers::exchange(running, NODE, &coordinator).await.unwrap();
        let shown = wire::GetCheckpointRequest { own: own.to_owned(), ..Default::default() };
        let standing = node.get_checkpoint(shown).await.unwrap().into_inner();
        let request = wire::AnswerRequest { requirement: Some(asked.envelope().clone()) };
        let said = node.answer(request).await.map(|_| ());
        (standing.acknowledged, said.map_err(|status| from_status(&status).reason))
    })
}

#[test]
fn a_coordinator_that_shows_no_journal_or_one_that_it_cannot_prove_is_not_answered() {
    let mut running = with_sample(&["AL", "BA"]);
    let asked = peers::requirement(&running, &[HOMICIDE]).unwrap();
    let (_, longer) = signed(&running, 3, 1);
    let (_, first) = signed(&running, 2, 1);
    assert_eq!(answered_after(&running, &asked, ""), (0, Err(Reason::JournalNotShown)), "none");
    assert_eq!(answered_after(&running, &asked, &first), (2, Ok(())), "the first that it is shown");
    // What was proved holds for a while, but not across a restart.
    node_down(&mut running, |_, _| ());
    assert_eq!(
        answered_after(&running, &asked, &longer),
        (2, Err(Reason::JournalNotShown)),
        "longer, and no proof"
    );
    assert_eq!(answered_after(&running, &asked, &first), (2, Ok(())));
}

#[test]
fn a_node_without_a_journal_to_show_is_not_believed() {
    let running = with_sample(&["AL", "BA"]);
    running.node_server(NODE).unwrap().kill();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let own = peers::credentials(&running.dir.join(NODE).join("keys")).unwrap();
    let response = wire::AnswerResponse::default();
    let scripted = Scripted { response, append: None, journal: None };
    let address = &running.nodes[NODE].exchange;
    let _played = runtime.block_on(scripted.serve(address, own)).unwrap();
    assert_eq!(gather(&running), ("rejected".to_owned(), "SIGNATURE_INVALID".into()));
}
