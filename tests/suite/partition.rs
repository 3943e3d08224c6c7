//! Members that are away, hang or come back, and a coordinator that dies: a picture says whom it
//! rests on, comes in bounded time, and is complete once all are back, with nobody counted twice.

use std::time::{Duration, Instant};

use accord_proto::{
    client::ClientFile,
    wire::region::{GatherRequest, State, gather_response::Event, region_client::RegionClient},
};
use accord_tests::federation::{QUESTION, cell, member};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::{Running, with_sample};

const HOMICIDE: &str =
    "indicator = \"PUB.OFF.N\"\ncrime_areas = \"ICCS0101\"\nperiods = \"2016\"\n";
const THREE: [&str; 3] = ["AL", "BA", "RS"];
/// A gather with a call deadline of half a second ends within this, on a loaded machine too:
/// connecting alone may take five seconds.
const BOUND: Duration = Duration::from_secs(20);

fn homicide(shown: &Value) -> &Value {
    cell(shown, "ICCS0101", "2016").unwrap()
}

/// All three are in the total, each once.
fn assert_complete(shown: &Value, version: u32) {
    assert_eq!(shown["picture"]["version"], version);
    assert_eq!(shown["picture"]["coverage"], json!({"answered": 3, "members": 3}));
    let homicide = homicide(shown);
    assert_eq!(homicide["value"], 71 + 42 + 106, "{homicide}");
    assert_eq!(homicide["status"], "value");
    assert_eq!(homicide["contributors"], json!(THREE));
    assert_eq!(homicide["silent"], json!([]));
    for code in THREE {
        assert_eq!(member(shown, code).unwrap()["state"], "answered");
    }
}

/// Albania is away and said to be; the others are in the total.
fn assert_without_albania(shown: &Value, reasons: &[&str]) {
    assert_eq!(shown["picture"]["version"], 1);
    assert_eq!(shown["picture"]["coverage"], json!({"answered": 2, "members": 3}));
    let away = member(shown, "AL").unwrap();
    assert_eq!(away["state"], "unreachable");
    assert!(reasons.contains(&away["reason"].as_str().unwrap()), "{away}");
    assert_eq!(away["table_sha256"], "");
    let homicide = homicide(shown);
    assert_eq!(homicide["value"], 42 + 106);
    assert_eq!(homicide["status"], "partial");
    assert_eq!(homicide["contributors"], json!(["BA", "RS"]));
    assert_eq!(homicide["silent"], json!(["AL"]));
    for list in ["missing", "not_shown"] {
        assert_eq!(homicide[list], json!([]), "silence is not {list}");
    }
}

/// Gathers with a short call deadline; it must end within [`BOUND`].
fn gather_briefly(running: &Running, requirement: &str) -> Value {
    let began = Instant::now();
    let arguments = ["gather", requirement, "--call-deadline-ms", "500"];
    let gathered = running.region("analyst", "json", &arguments).unwrap();
    assert!(began.elapsed() < BOUND, "took {:?}", began.elapsed());
    gathered.json(&[3]).unwrap()
}

#[test]
fn a_killed_node_is_unreachable_and_joins_when_it_is_back() {
    let mut running = with_sample(&THREE);
    let requirement = running.issue(&[HOMICIDE]).unwrap();
    running.node_server("al-police").unwrap().kill();
    assert_without_albania(&gather_briefly(&running, &requirement), &["NO_CONNECTION"]);

    running.federation.start_node("al-police").unwrap();
    assert_complete(&running.gather(&requirement).unwrap(), 2);
}

#[test]
fn a_node_that_hangs_holds_nobody_up_and_joins_when_it_goes_on() {
    let running = with_sample(&THREE);
    let requirement = running.issue(&[HOMICIDE]).unwrap();
    // A bound above the contract's is refused, not quietly lowered.
    let long = ["gather", &requirement, "--call-deadline-ms", "30001"];
    let refused = running.region("analyst", "json", &long).unwrap();
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert!(refused.stderr.contains("LIMIT_EXCEEDED: call_deadline_ms"), "{}", refused.stderr);
    let hung = running.node_server("al-police").unwrap();
    hung.signal(Signal::STOP).unwrap();
    let shown = gather_briefly(&running, &requirement);
    assert_without_albania(&shown, &["DEADLINE_EXCEEDED", "NO_CONNECTION"]);

    hung.signal(Signal::CONT).unwrap();
    assert_complete(&running.gather(&requirement).unwrap(), 2);
}

#[test]
fn a_node_that_hung_and_was_restarted_joins_too() {
    let mut running = with_sample(&THREE);
    let requirement = running.issue(&[HOMICIDE]).unwrap();
    let hung = running.node_server("al-police").unwrap().clone();
    hung.signal(Signal::STOP).unwrap();
    let shown = gather_briefly(&running, &requirement);
    assert_without_albania(&shown, &["DEADLINE_EXCEEDED", "NO_CONNECTION"]);

    hung.kill();
    running.federation.start_node("al-police").unwrap();
    assert_complete(&running.gather(&requirement).unwrap(), 2);
}

#[test]
fn a_coordinator_killed_after_issuing_gathers_when_it_is_back() {
    let mut running = with_sample(&THREE);
    let requirement = running.issue(&[HOMICIDE]).unwrap();
    running.coordinator_server().unwrap().kill();
    running.federation.start_coordinator().unwrap();
    assert_complete(&running.gather(&requirement).unwrap(), 1);
}

/// Starts a gather and returns, with the tables that have come in, while one member still hangs.
async fn begin_gather(running: &Running, requirement: &str, answers: usize) -> Vec<Vec<u8>> {
    let client = running.dir.join("coordinator/staff/analyst/client.toml");
    let channel = ClientFile::connect(&client).await.unwrap();
    let request = GatherRequest { requirement: requirement.to_owned(), call_deadline_ms: 30_000 };
    let mut events = RegionClient::new(channel).gather(request).await.unwrap().into_inner();
    let mut tables = Vec::new();
    while tables.len() < answers {
        let event = events.message().await.unwrap().unwrap().event;
        let Some(Event::Member(state)) = event else { panic!("a picture before the end") };
        assert_eq!(state.state(), State::Answered);
        tables.push(state.table_sha256);
    }
    tables
}

#[test]
fn a_coordinator_killed_while_gathering_finishes_with_the_same_requirement() {
    let mut running = with_sample(&THREE);
    let requirement = running.issue(&[HOMICIDE]).unwrap();
    let hung = running.node_server("rs-police").unwrap().clone();
    hung.signal(Signal::STOP).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let tables = runtime.block_on(begin_gather(&running, &requirement, 2));
    running.coordinator_server().unwrap().kill();
    hung.signal(Signal::CONT).unwrap();

    running.federation.start_coordinator().unwrap();
    let shown = running.gather(&requirement).unwrap();
    assert_complete(&shown, 1);
    for table in tables {
        let digest: String = table.iter().map(|byte| format!("{byte:02x}")).collect();
        let same = |member: &Value| member["table_sha256"] == digest.as_str();
        assert!(shown["members"].as_array().unwrap().iter().any(same), "{digest} in {shown}");
    }
    assert_eq!(running.gather(&requirement).unwrap(), shown);
}

#[test]
fn a_coordinator_killed_again_and_again_counts_nobody_twice() {
    let mut running = with_sample(&THREE);
    let requirement = running.issue(&[HOMICIDE]).unwrap();
    running.node_server("al-police").unwrap().kill();
    assert_without_albania(&gather_briefly(&running, &requirement), &["NO_CONNECTION"]);
    running.coordinator_server().unwrap().kill();
    running.federation.start_coordinator().unwrap();
    assert_without_albania(&gather_briefly(&running, &requirement), &["NO_CONNECTION"]);

    running.coordinator_server().unwrap().kill();
    running.federation.start_node("al-police").unwrap();
    running.federation.start_coordinator().unwrap();
    assert_complete(&running.gather(&requirement).unwrap(), 2);
}

#[test]
fn when_all_nodes_are_down_the_picture_is_empty_and_never_zero() {
    let running = with_sample(&["AL", "BA"]);
    let requirement = running.issue(&[QUESTION]).unwrap();
    for node in running.nodes.keys() {
        running.node_server(node).unwrap().kill();
    }
    let shown = gather_briefly(&running, &requirement);
    assert_eq!(shown["picture"]["coverage"], json!({"answered": 0, "members": 2}));
    let cells = shown["picture"]["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 30);
    for cell in cells {
        assert_eq!(cell["status"], "not_shown", "{cell}");
        assert_eq!(cell["value"], Value::Null, "{cell}");
        assert_eq!(cell["silent"], json!(["AL", "BA"]), "{cell}");
        for list in ["contributors", "missing", "not_shown"] {
            assert_eq!(cell[list], json!([]), "{cell}");
        }
    }
    let show = |format| {
        let shown = running.region("analyst", format, &["picture", "show", &requirement]).unwrap();
        assert_eq!(shown.code, Some(3), "{}", shown.stderr);
        shown.stdout
    };
    let csv = show("csv");
    assert_eq!(csv.lines().count(), 31, "{csv}");
    for line in csv.lines().skip(1) {
        let fields: Vec<_> = line.split(',').collect();
        assert_eq!((fields[6], fields[8]), ("", "not_shown"), "{line}");
    }
    let table = show("table");
    let drawn: Vec<_> =
        table.lines().filter(|line| line.trim_start().starts_with("ICCS")).collect();
    assert_eq!(drawn.len(), 6, "{table}");
    for line in drawn {
        let figures: Vec<_> = line.split_whitespace().rev().take(5).collect();
        assert_eq!(figures, ["c"; 5], "{line}");
    }
}

#[test]
fn a_node_restarted_between_two_gathers_gives_the_same_table() {
    let mut running = with_sample(&["AL", "BA"]);
    let requirement = running.issue(&[QUESTION]).unwrap();
    let before = running.gather(&requirement).unwrap();
    assert_eq!(before["picture"]["coverage"], json!({"answered": 2, "members": 2}));
    running.node_server("al-police").unwrap().kill();
    running.federation.start_node("al-police").unwrap();
    let after = running.gather(&requirement).unwrap();
    assert_eq!(member(&after, "AL"), member(&before, "AL"));
    assert_eq!(after, before);
}

#[test]
fn a_node_that_cannot_keep_evidence_gives_no_answer_and_tells_nothing_of_its_disk() {
    let mut running = with_sample(&["AL", "BA"]);
    running.node_server("al-police").unwrap().kill();
    let path = running.nodes["al-police"].home.join("node.toml");
    let config = std::fs::read_to_string(&path).unwrap();
    let full = config.replace("# free_bytes_min = 67108864", "free_bytes_min = 1000000000000000");
    std::fs::write(&path, full).unwrap();
    running.federation.start_node("al-police").unwrap();

    let requirement = running.issue(&[HOMICIDE]).unwrap();
    let shown = running.gather(&requirement).unwrap();
    let albania = member(&shown, "AL").unwrap();
    assert_eq!(albania["state"], "unreachable");
    assert_eq!(albania["reason"], "STORE_FAILED");
    assert_eq!(cell(&shown, "ICCS0101", "2016").unwrap()["value"], 42);
    let import = accord_tests::federation::sample_dir();
    let refused =
        running.import("al-police", &import.join("BA.csv"), &import.join("mapping.toml")).unwrap();
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert!(refused.stderr.contains("STORE_FULL"), "{}", refused.stderr);
}
