//! What hostile peers do to a node, each for a moment: `cargo measure overload` shows the same in figures, for longer.
//!
//! Beside each of them people call over connections that they have, and over new ones.

use std::time::Duration;

use accord_proto::wire::desk::GetImportRequest;
use accord_tests::{
    callers::{Callers, How, Outcomes, What},
    hostile::{Attack, Target, attack},
    peers,
    vitals::{Watch, resident_mib},
};
use prost::Message as _;

use crate::{Running, prepared};

const NODE: &str = "al-police";
/// Whatever a peer does, a node's memory grows by no more.
const GROWTH_MIB_MAX: f64 = 64.0;
/// Of each attack.
const MOMENT: Duration = Duration::from_millis(400);
/// Of one that has to have so many replies made first.
const LONGER: Duration = Duration::from_secs(2);
/// Enough for the longest reply that there is.
const BAD_ROWS: usize = 10_000;

#[test]
fn a_silent_peer_costs_no_honest_call_and_little_memory() {
    withstood(MOMENT, &[Attack::SilentStranger, Attack::Silent, Attack::Idle]);
}

#[test]
fn a_dripping_peer_costs_no_honest_call_and_little_memory() {
    withstood(MOMENT, &[Attack::DrippingStranger, Attack::DrippingHeaders, Attack::DrippingBodies]);
}

#[test]
fn a_flooding_stranger_costs_no_honest_call_and_little_memory() {
    withstood(MOMENT, &[Attack::NoisyStranger, Attack::KnockingStranger]);
}

#[test]
fn a_peer_that_floods_with_frames_costs_no_honest_call_and_little_memory() {
    withstood(
        MOMENT,
        &[Attack::EndlessHeaders, Attack::Pings, Attack::Settings, Attack::EmptyData],
    );
}

#[test]
fn a_peer_that_floods_with_calls_costs_no_honest_call_and_little_memory() {
    withstood(MOMENT, &[Attack::OpenStreams, Attack::Calls]);
}

#[test]
fn a_resetting_peer_costs_no_honest_call_and_little_memory() {
    withstood(MOMENT, &[Attack::ResettingStranger, Attack::RapidReset, Attack::MadeReset]);
}

#[test]
fn a_peer_that_does_not_read_costs_no_honest_call_and_little_memory() {
    withstood(LONGER, &[Attack::NarrowWindow, Attack::Deaf]);
}

/// Nobody else's call is lost, and the node's memory keeps within its bound.
fn withstood(moment: Duration, attacks: &[Attack]) {
    let mut running = prepared(&["AL"]);
    running.federation.start_node(NODE).unwrap();
    let (target, honest) = (target(&running), honest(&running));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let process = running.node_server(NODE).unwrap().id();
    let rest_mib = resident_mib(process).unwrap();
    for kind in attacks {
        let watch = Watch::begin(process);
        let (spent, open, anew) = runtime.block_on(async {
            tokio::join!(
                attack(&target, *kind, moment),
                honest.call(How::PerSecond(50.0), moment),
                honest.call(How::Anew(10.0), moment),
            )
        });
        assert!(spent.unwrap().connections > 0, "{kind:?}: nobody attacked");
        for Outcomes { served_ms, refused_ms, failed, .. } in [open.unwrap(), anew.unwrap()] {
            assert!(failed.is_empty(), "{kind:?}: honest calls are lost: {failed:?}");
            assert!(refused_ms.is_empty(), "{kind:?}: honest calls are refused");
            assert!(!served_ms.is_empty(), "{kind:?}: nobody called");
        }
        let grown_mib = watch.most_mib().unwrap() - rest_mib;
        assert!(grown_mib <= GROWTH_MIB_MAX, "{kind:?}: memory grew by {grown_mib:.1} MiB");
    }
}

/// An insider who asks for the longest reply that there is.
fn target(running: &Running) -> Target {
    let (file, mapping) = (running.dir.join("bad.csv"), running.dir.join("bad.toml"));
    let rows: String = (0..BAD_ROWS).map(|at| format!("none,2016,{at}\n")).collect();
    std::fs::write(&file, format!("area,year,n\n{rows}")).unwrap();
    let columns = "source = \"bad rows\"\n[columns]\ncrime_area = \"area\"\nperiod = \"year\"\nvalue = \"n\"\n\
        [constants]\nindicator = \"PUB.OFF.N\"\n";
    std::fs::write(&mapping, columns).unwrap();
    running.import(NODE, &file, &mapping).unwrap();
    Target {
        address: running.nodes[NODE].desk.clone(),
        keys: running.nodes[NODE].home.join("staff/analyst"),
        path: "/accord.desk.v1.Desk/GetImport".to_owned(),
        message: GetImportRequest { import: 1 }.encode_to_vec(),
    }
}

fn honest(running: &Running) -> Callers {
    let staff = running.nodes[NODE].home.join("staff");
    Callers {
        address: running.nodes[NODE].desk.clone(),
        node: peers::identity(running, NODE).unwrap().to_string(),
        keys: ["auditor", "operator", "releaser"].map(|role| staff.join(role)).to_vec(),
        what: What::Mappings,
    }
}
