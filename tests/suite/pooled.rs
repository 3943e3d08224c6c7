//! What is not public is shown in a pool only: three jurisdictions or more, and one set of contributors for each
//! cell, for ever. The coordinator is the real one; the nodes are played, each with one figure of its own.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use accord_proto::{
    clock::{Clock as _, SystemClock},
    table::{Cell, Mode},
};
use accord_tests::stand_in::{Says, StandIn};
use serde_json::{Value, json};
use tokio::{runtime::Runtime, task::JoinHandle};

use crate::{Running, prepared};

/// A federation whose nodes are played.
pub(crate) struct Played {
    pub(crate) running: Running,
    runtime: Runtime,
    nodes: BTreeMap<String, (Arc<Mutex<Says>>, JoinHandle<()>)>,
}

impl Played {
    /// The coordinator runs; nobody answers yet.
    pub(crate) fn start(jurisdictions: &[&str]) -> Self {
        let mut running = prepared(jurisdictions);
        running.federation.start_coordinator().unwrap();
        Self { running, runtime: Runtime::new().unwrap(), nodes: BTreeMap::new() }
    }

    /// A node answers from now on.
    pub(crate) fn joins(&mut self, node: &str, value: i64, standard_error_milli: u64) {
        let says = Arc::new(Mutex::new(Says::protected(value, standard_error_milli)));
        let served = StandIn::serve(&self.running, node, Arc::clone(&says));
        let task = self.runtime.block_on(served).unwrap();
        self.nodes.insert(node.to_owned(), (says, task));
    }

    /// A node does not answer any more.
    fn leaves(&mut self, node: &str) {
        let (_, task) = self.nodes.remove(node).unwrap();
        task.abort();
        let _ = self.runtime.block_on(task);
    }

    /// A node says something else from now on.
    fn says(&self, node: &str, change: impl FnOnce(&mut Says)) {
        change(&mut self.nodes[node].0.lock().unwrap());
    }

    /// A requirement to some nodes with some minimum.
    pub(crate) fn issue(&self, members: &[&str], minimum: u32, audience: &str) -> String {
        let closes = SystemClock.now().plus_s(86_400);
        self.running
            .issue_text(&format!(
                "authority = \"analysis-unit\"\nwhy = \"Test\"\npurpose = \"THREAT-ASSESSMENT\"\n\
                 legal_basis = \"Test\"\naudience = {audience:?}\ncloses = \"{closes}\"\n\
                 members = {members:?}\nminimum_contributors = {minimum}\n[[question]]\n\
                 indicator = \"THB.VIC.N\"\ncrime_areas = \"THB\"\nperiods = \"2016\"\n"
            ))
            .unwrap()
    }

    /// The one cell of a picture that is drawn now.
    pub(crate) fn cell(&self, requirement: &str) -> Value {
        let shown = self.running.gather(requirement).unwrap();
        shown["picture"]["cells"][0].clone()
    }

    fn restart_coordinator(&mut self) {
        self.running.coordinator_server().unwrap().kill();
        self.running.federation.start_coordinator().unwrap();
    }
}

const ALL: [&str; 4] = ["al-police", "ba-police", "me-police", "rs-police"];

#[track_caller]
fn assert_withheld(cell: &Value) {
    assert_eq!((&cell["value"], &cell["status"]), (&Value::Null, &json!("not_shown")), "{cell}");
    assert_eq!(cell["standard_error"], Value::Null, "{cell}");
    for list in ["contributors", "missing", "not_shown"] {
        assert_eq!(cell[list], json!([]), "who contributed is not told either: {cell}");
    }
}

#[track_caller]
fn assert_pooled(cell: &Value, value: i64, standard_error: f64, contributors: &[&str]) {
    assert_eq!(cell["value"], value, "{cell}");
    assert_eq!(cell["standard_error"], standard_error, "{cell}");
    assert_eq!(cell["contributors"], json!(contributors), "{cell}");
}

#[test]
fn figures_that_are_not_public_are_shown_from_three_jurisdictions_with_their_standard_error() {
    let mut played = Played::start(&["AL", "BA", "ME", "RS"]);
    played.joins("al-police", 20, 2_500);
    played.joins("ba-police", 30, 3_000);
    let requirement = played.issue(&ALL, 3, "POLICE");
    assert_withheld(&played.cell(&requirement));
    // Whoever shows nothing is no third.
    played.joins("rs-police", 0, 2_500);
    played.says("rs-police", |says| says.cell = Cell::NotShown);
    assert_withheld(&played.cell(&requirement));

    played.joins("me-police", 50, 4_000);
    let four = played.issue(&ALL, 4, "POLICE");
    assert_withheld(&played.cell(&four));
    let cell = played.cell(&requirement);
    assert_pooled(&cell, 100, 5.591, &["AL", "BA", "ME"]);
    assert_eq!(
        (&cell["status"], &cell["not_shown"]),
        (&json!("partial"), &json!(["RS"])),
        "{cell}"
    );
    let show = ["picture", "show", &requirement];
    let table = played.running.region("editor", "table", &show).unwrap().stdout;
    assert!(table.contains("100 ±5.591†") && table.contains("not exact"), "{table}");
    let csv = played.running.region("editor", "csv", &show).unwrap().stdout;
    assert!(csv.lines().nth(1).unwrap().ends_with(",_T,5.591"), "{csv}");
}

#[test]
fn a_member_that_wants_more_jurisdictions_beside_it_raises_the_minimum_and_the_picture_prints_it() {
    let mut played = Played::start(&["AL", "BA", "ME", "RS"]);
    for (node, value) in ALL.into_iter().zip([20, 30, 50, 7]) {
        played.joins(node, value, 2_500);
    }
    let drawn = |wants: u32| {
        played.says("ba-police", |says| says.minimum_contributors = wants);
        let requirement = played.issue(&ALL, 3, "POLICE");
        let picture = played.running.gather(&requirement).unwrap()["picture"].clone();
        (picture["contributors_min"].clone(), picture["cells"][0].clone())
    };
    let (printed, cell) = drawn(5);
    assert_eq!(printed, 5);
    assert_withheld(&cell);
    let (printed, cell) = drawn(4);
    assert_eq!(printed, 4);
    assert_pooled(&cell, 107, 5.0, &["AL", "BA", "ME", "RS"]);
}

#[test]
fn what_a_member_counts_otherwise_stands_beside_every_figure_that_it_is_in() {
    let mut played = Played::start(&["AL", "BA", "ME"]);
    for (node, value) in ALL.into_iter().zip([20, 30, 50]) {
        played.joins(node, value, 2_500);
    }
    played.says("me-police", |says| says.deviations = &["MOMENT", "NARROWER"]);
    let requirement = played.issue(&ALL[..3], 3, "POLICE");
    let shown = played.running.gather(&requirement).unwrap();
    let declared = &shown["picture"]["deviations"];
    assert_eq!(declared[0]["indicator"], "THB.VIC.N", "{declared}");
    assert_eq!(declared[0]["jurisdiction"], "ME");
    assert_eq!(declared[0]["codes"], json!(["MOMENT", "NARROWER"]));
    let show = ["picture", "show", &requirement];
    let table = played.running.region("editor", "table", &show).unwrap().stdout;
    for sentence in [
        "Counted otherwise: THB.VIC.N, ME (me-police): Counts at another moment; Counts less than",
        "whoever was counted in several jurisdictions is in it several times",
    ] {
        assert!(table.contains(sentence), "{table}");
    }
    let exported = crate::exports::export(&played.running, &requirement, "json", &[]).stdout;
    assert!(exported.contains("counted otherwise") && exported.contains("double counting"));
}

#[test]
fn a_pooled_cell_is_never_shown_for_another_set_of_contributors() {
    let mut played = Played::start(&["AL", "BA", "ME", "RS"]);
    for (node, value) in [("al-police", 20), ("ba-police", 30), ("me-police", 50)] {
        played.joins(node, value, 2_500);
    }
    let requirement = played.issue(&ALL, 3, "POLICE");
    assert_pooled(&played.cell(&requirement), 100, 4.331, &["AL", "BA", "ME"]);

    // A fourth that joins later: the difference would be its figure.
    played.joins("rs-police", 7, 2_500);
    assert_withheld(&played.cell(&requirement));
    // Neither in another requirement, over all, over fewer, over others, for another audience.
    let of_two = played.issue(&ALL[..2], 3, "POLICE");
    let others = played.issue(&[ALL[0], ALL[1], ALL[3]], 3, "POLICE");
    for other in
        [&played.issue(&ALL, 3, "POLICE"), &played.issue(&ALL, 3, "PARTNERS"), &of_two, &others]
    {
        assert_withheld(&played.cell(other));
    }
    // The same set may be shown again, also in another requirement.
    let same = played.issue(&ALL[..3], 3, "POLICE");
    assert_pooled(&played.cell(&same), 100, 4.331, &["AL", "BA", "ME"]);

    // A restart forgets nothing.
    played.restart_coordinator();
    assert_withheld(&played.cell(&requirement));
    assert_withheld(&played.cell(&others));
    played.leaves("rs-police");
    assert_pooled(&played.cell(&requirement), 100, 4.331, &["AL", "BA", "ME"]);

    // A figure that is taken back: the difference would be that figure.
    played.joins("rs-police", 7, 2_500);
    played.says("me-police", |says| says.cell = Cell::NotShown);
    assert_withheld(&played.cell(&requirement));
    assert_withheld(&played.cell(&same));
}

#[test]
fn two_nodes_of_a_jurisdiction_add_up_and_are_one_contributor() {
    let mut played = Played::start(&["AL", "BA", "BA", "ME"]);
    let all = ["al-police", "ba-police", "ba-police-2", "me-police"];
    for (node, value) in [("al-police", 20), ("ba-police", 30), ("ba-police-2", 5)] {
        played.joins(node, value, 2_000);
    }
    let requirement = played.issue(&all, 3, "POLICE");
    assert_withheld(&played.cell(&requirement));
    played.joins("me-police", 50, 2_000);
    assert_pooled(&played.cell(&requirement), 105, 4.0, &["AL", "BA", "ME"]);
    // The same three jurisdictions with one node less are another set.
    played.leaves("ba-police-2");
    assert_withheld(&played.cell(&requirement));
}

#[test]
fn public_figures_in_a_pool_hide_nobody() {
    let mut played = Played::start(&["AL", "BA", "ME", "RS"]);
    for node in ALL {
        played.joins(node, 10, 2_500);
    }
    // An indicator that the registry calls public: some nodes open it, some do not.
    let closes = SystemClock.now().plus_s(86_400);
    let ask = || {
        let text = format!(
            "authority = \"analysis-unit\"\nwhy = \"Test\"\npurpose = \"THREAT-ASSESSMENT\"\n\
             legal_basis = \"Test\"\naudience = \"POLICE\"\ncloses = \"{closes}\"\n[[question]]\n\
             indicator = \"PUB.THB.VIC.N\"\ncrime_areas = \"THB\"\nperiods = \"2016\"\n"
        );
        played.cell(&played.running.issue_text(&text).unwrap())
    };
    for node in &ALL[..2] {
        played.says(node, |says| says.mode = Mode::Open);
    }
    assert_withheld(&ask());
    played.says(ALL[1], |says| says.mode = Mode::Protected);
    assert_pooled(&ask(), 40, 4.331, &["AL", "BA", "ME", "RS"]);
    // What everybody has published since needs no pool.
    for node in ALL {
        played.says(node, |says| says.mode = Mode::Open);
    }
    assert_pooled(&ask(), 40, 0.0, &["AL", "BA", "ME", "RS"]);
}
