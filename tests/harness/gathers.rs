//! Gathers that are killed. Comes in: how many, and a seed. Goes out: in how many whom it hit; an error says what was stuck,
//! lost, counted twice or charged twice.
//!
//! Every gather is about a month that no other one asks about: what a node's ledger says of it tells whether this one was
//! charged, and once. Nobody asks a second time: the coordinator goes on by itself.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use accord_proto::clock::{Clock as _, SystemClock};
use anyhow::{Context as _, Result, bail, ensure};

use crate::{
    crash::Dice,
    federation::Federation,
    torn::{PERSONS, charged, disclosed, fill},
};

const JURISDICTIONS: [&str; 3] = ["AL", "BA", "RS"];
/// Gathers that there are months for.
pub const ROUNDS_MAX: usize = 400;
/// Looks at a collection before it counts as stuck; each takes a process of its own.
const LOOKS_MAX: usize = 1_000;

/// What came of it.
#[derive(Debug, Default)]
pub struct Killed {
    /// Gathers in which the coordinator was killed.
    pub coordinator: usize,
    /// Gathers in which a node was killed.
    pub node: usize,
    /// Gathers of which nothing was on record when it was killed: they were begun again.
    pub before: usize,
    /// Longest time from the kill to the picture, in milliseconds.
    pub recovery_ms_max: u128,
}

/// Three nodes and a coordinator; in two of three gathers the coordinator is killed with SIGKILL at a random moment, in the
/// third one a node.
pub fn killed(program: &Path, dir: &Path, rounds: usize, seed: u64) -> Result<Killed> {
    ensure!(rounds <= ROUNDS_MAX, "there are months for {ROUNDS_MAX} gathers");
    let mut dice = Dice(seed);
    let mut federation = Federation::prepare(program.to_owned(), dir, &JURISDICTIONS)?;
    let config = federation.dir.join("coordinator/coordinator.toml");
    let text = fs::read_to_string(&config)?;
    fs::write(&config, text.replace("retry_s = 600", "retry_s = 1"))?;
    federation.start()?;
    let nodes: Vec<_> = federation.nodes.keys().cloned().collect();
    let mut months = Vec::new();
    for node in &nodes {
        months = fill(&federation, node, rounds)?;
    }
    let mut killed = Killed::default();
    // Before, during and after: the window follows the time that a gather takes.
    let mut window_us: u64 = 200_000;
    for (round, month) in months.iter().enumerate() {
        let requirement = issue(&federation, month)?;
        let node = &nodes[usize::try_from(dice.below(nodes.len() as u64))?];
        let of_centre = round % 3 < 2;
        let server = match of_centre {
            true => federation.coordinator_server()?.clone(),
            false => federation.node_server(node)?.clone(),
        };
        let delay = Duration::from_micros(dice.below(window_us));
        let began = Instant::now();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let (_never, over) = std::sync::mpsc::channel::<()>();
                let _ = over.recv_timeout(delay);
                server.kill();
            });
            federation.region("analyst", "json", &["gather", &requirement])
        })?;
        window_us = u64::try_from(began.elapsed().as_micros())?.clamp(50_000, 1_000_000);
        let fell = Instant::now();
        if of_centre {
            killed.coordinator += 1;
            federation.start_coordinator()?;
        } else {
            killed.node += 1;
            federation.start_node(node)?;
        }
        killed.before += until_over(&federation, &requirement)?;
        killed.recovery_ms_max = killed.recovery_ms_max.max(fell.elapsed().as_millis());
        check(&federation, &requirement, month).with_context(|| format!("round {round}"))?;
    }
    for node in &nodes {
        federation.desk(node, "auditor", &["journal", "verify"])?.json(&[0])?;
    }
    federation.region("auditor", "json", &["journal", "verify"])?.json(&[0])?;
    Ok(killed)
}

fn issue(federation: &Federation, month: &str) -> Result<String> {
    let closes = SystemClock.now().plus_s(86_400);
    federation.issue_text(&format!(
        "authority = \"analysis-unit\"\nwhy = \"Test\"\npurpose = \"THREAT-ASSESSMENT\"\nlegal_basis = \"Test\"\n\
         audience = \"POLICE\"\ncloses = \"{closes}\"\n[[question]]\nindicator = \"MIG.IBC.N\"\n\
         crime_areas = \"MIG\"\nperiods = {month:?}\n"
    ))
}

/// Until everybody has answered; one, if the kill came before anything was on record.
fn until_over(federation: &Federation, requirement: &str) -> Result<usize> {
    let mut before = 0;
    for _ in 0..LOOKS_MAX {
        let looked = federation.region("analyst", "json", &["collection", requirement])?;
        match looked.code {
            Some(0) => return Ok(before),
            Some(3) => {}
            _ if looked.stderr.contains("NOT_FOUND") && before == 0 => {
                before = 1;
                federation.region("analyst", "json", &["gather", requirement])?;
            }
            _ => bail!("{}", looked.stderr),
        }
    }
    bail!("{requirement} is stuck")
}

/// All three are in the picture, once each, and each was charged once.
fn check(federation: &Federation, requirement: &str, month: &str) -> Result<()> {
    let show = ["picture", "show", requirement];
    let shown = federation.region("analyst", "json", &show)?.json(&[0])?;
    let cell = &shown["picture"]["cells"][0];
    let contributors = cell["contributors"].as_array().map_or(0, Vec::len);
    ensure!(contributors == JURISDICTIONS.len(), "somebody is missing: {cell}");
    let (value, error) =
        cell["value"].as_f64().zip(cell["standard_error"].as_f64()).context("no figure")?;
    #[expect(clippy::cast_precision_loss, reason = "small figures")]
    let truth = (PERSONS * JURISDICTIONS.len()) as f64;
    ensure!((value - truth).abs() <= 7.0 * error, "somebody counts twice, or not: {cell}");
    for node in federation.nodes.keys() {
        // Every time that the same answer was given is on record.
        let given = disclosed(federation, node)?.iter().any(|subject| subject == requirement);
        ensure!(given, "{node} has no disclosure on record for {requirement}");
        ensure!(charged(federation, node)?.contains(month), "{node} has not paid for {month}");
    }
    Ok(())
}
