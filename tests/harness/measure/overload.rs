//! What too many calls do. Comes in: for how long. Goes out: calls a second at their peak, and at four times as many what is still
//! served, how soon the rest is refused, whether health answers, and what it takes in memory; then what a hostile peer costs
//! (`beside`).
//!
//! Node, callers and attackers are processes of their own, and the node has one processor to itself where there are two: a
//! caller that waits for a processor would count as a refusal that came late. Callers are many of the node's staff, each with a
//! certificate of their own.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use accord_proto::{clock::SystemClock, pki::Authority};
use anyhow::{Context as _, Result, ensure};
use serde::{Serialize, de::DeserializeOwned};

use super::{NODE, count, quantile, ratio_row};
use crate::{
    callers::{Callers, How, Outcomes, What},
    federation::Federation,
    peers,
    report::{Report, Row},
    roles,
    vitals::{self, Watch},
};

mod beside;

/// Staff of a large agency: so many that nobody's own rate is what ends first, and not more than one address may connect twice.
const CALLERS: usize = 100;
/// Calls under way at the peak.
const AT_PEAK: usize = 32;
/// Four times as many calls as can be served.
const TIMES: f64 = 4.0;
/// Of the peak, so much is still served.
const GOODPUT_MIN: f64 = 0.8;
/// Health answers within this time.
const HEALTH_MS_MAX: f64 = 200.0;
/// A refusal comes within this time.
const REFUSED_MS_MAX: f64 = 50.0;
/// Whatever others do, a node's memory grows by no more.
const GROWTH_MIB_MAX: f64 = 64.0;
/// The processor of the node, and that of everybody else.
const PROCESSORS: [usize; 2] = [0, 1];

/// A node that runs, and everybody who calls it.
struct Bench {
    federation: Federation,
    callers: Callers,
    /// Of the node.
    process: u32,
    /// It has a processor to itself.
    apart: bool,
}

/// Topic `overload`: `seconds` of each kind.
pub fn overload(program: &Path, dir: &Path, seconds: u64) -> Result<Report> {
    let (mut bench, time) = (prepare(program, dir)?, Duration::from_secs(seconds));
    let mut left_out = Vec::new();
    if !bench.apart {
        left_out.push("a processor for the node alone: callers take turns with it".to_owned());
    }
    let (mut rows, said) = flooded(&bench, time)?;
    left_out.extend(said);
    // Attackers find a node that has been through nothing: what it took before would hide what they cost.
    bench.start_anew()?;
    rows.extend(beside::rows(&bench, time)?);
    left_out.push(format!("attacks of more than one peer, or for longer than {seconds} s each"));
    Ok(Report { topic: "overload".to_owned(), rows, left_out })
}

/// As many calls as can be served, and four times as many; and what is to be said about that.
fn flooded(bench: &Bench, time: Duration) -> Result<(Vec<Row>, Vec<String>)> {
    let all = (0, CALLERS, What::Template);
    let peak: Outcomes = bench.callers(all, How::InTurn(AT_PEAK), time)?.ended()?;
    let at_peak = rate(&peak.served_ms, time);
    let (before_mib, before_s) =
        (vitals::resident_mib(bench.process)?, vitals::processor_s(bench.process)?);
    let watch = Watch::begin(bench.process);
    let flood = bench.callers(all, How::PerSecond(at_peak * TIMES), time)?.ended()?;
    let grown_mib = watch.most_mib()? - before_mib;
    let node = (vitals::processor_s(bench.process)? - before_s) / time.as_secs_f64();

    let mut rows = rows(&peak, &flood, time);
    rows.push(plain(&said("… memory grows by", grown_mib <= GROWTH_MIB_MAX), grown_mib, "MiB"));
    rows.push(plain("… processors that the node takes", node, ""));
    rows.push(plain("… processors that its callers take", flood.processor, ""));
    let mut left_out = Vec::new();
    if flood.skipped > 0 {
        left_out.push(format!("{} calls that callers themselves had no room for", flood.skipped));
    }
    for (what, outcomes) in [("peak", &peak), ("flood", &flood)] {
        if let Some(why) = outcomes.failed.first() {
            let many = outcomes.failed.len();
            left_out.push(format!("{what}: {many} calls that failed otherwise, such as {why}"));
        }
    }
    Ok((rows, left_out))
}

fn rows(peak: &Outcomes, flood: &Outcomes, time: Duration) -> Vec<Row> {
    let (at_peak, goodput) = (rate(&peak.served_ms, time), rate(&flood.served_ms, time));
    let [peak_p99, served_p99] = [peak, flood].map(|outcomes| at(&outcomes.served_ms, 0.99));
    let refused_p99 = at(&flood.refused_ms, 0.99);
    let served = format!("served at {TIMES} times as many");
    let health = said("… health answers after, most", flood.health_ms <= HEALTH_MS_MAX);
    vec![
        plain("served at the peak", at_peak, "calls/s"),
        plain("at the peak, p99", peak_p99, "ms"),
        ratio_row(
            said(&served, goodput >= at_peak * GOODPUT_MIN),
            goodput,
            "calls/s",
            at_peak,
            "calls a second at their peak",
        ),
        ratio_row("… p99 of those served".to_owned(), served_p99, "ms", peak_p99, "at the peak"),
        plain("… refused", rate(&flood.refused_ms, time), "calls/s"),
        plain("… refused after, median", at(&flood.refused_ms, 0.5), "ms"),
        plain(&said("… refused after, p99", refused_p99 <= REFUSED_MS_MAX), refused_p99, "ms"),
        plain(
            &said("… refused without saying when to try again", flood.without_hint == 0),
            count(flood.without_hint),
            "calls",
        ),
        plain(&health, flood.health_ms, "ms"),
    ]
}

/// A row, and whether what was wanted of it holds.
fn said(what: &str, holds: bool) -> String {
    format!("{what}{}", if holds { ": as wanted" } else { ": NOT AS WANTED" })
}

fn plain(name: &str, value: f64, unit: &str) -> Row {
    let (name, unit) = (name.to_owned(), unit.to_owned());
    Row { name, value, unit, yardstick: String::new(), ratio: None }
}

fn rate(times: &[f64], time: Duration) -> f64 {
    count(times.len()) / time.as_secs_f64()
}

fn at(times: &[f64], share: f64) -> f64 {
    let mut times = times.to_vec();
    times.sort_unstable_by(f64::total_cmp);
    quantile(&times, share)
}

fn prepare(program: &Path, dir: &Path) -> Result<Bench> {
    let federation = Federation::prepare(program.to_owned(), dir, &["AL"])?;
    let authority = Authority::new("measured staff", &SystemClock)?;
    let home = federation.nodes[NODE].home.clone();
    // Both admit their staff: the one that the folder has, and many more.
    let own = home.join("keys/staff-ca.crt");
    let admitted = std::fs::read_to_string(&own)? + authority.certificate_pem();
    std::fs::write(&own, admitted)?;
    let node = peers::identity(&federation, NODE)?;
    let desk = federation.nodes[NODE].desk.clone();
    let callers = Callers::enrol(&authority, dir, (&desk, &node), CALLERS)?;
    let apart = std::thread::available_parallelism()?.get() >= PROCESSORS.len();
    let mut bench = Bench { federation, callers, process: 0, apart };
    bench.start_anew()?;
    Ok(bench)
}

impl Bench {
    /// A node that has been through nothing yet.
    fn start_anew(&mut self) -> Result<()> {
        if let Ok(running) = self.federation.node_server(NODE) {
            running.kill();
        }
        // It inherits the processor of whoever starts it, and makes as many threads as it finds processors.
        let [own, others] = PROCESSORS;
        self.apart = self.apart && vitals::keep_to(std::process::id(), own);
        self.federation.start_node(NODE)?;
        self.process = self.federation.node_server(NODE)?.id();
        self.apart = self.apart && vitals::keep_to(std::process::id(), others);
        Ok(())
    }

    /// Some of the staff call.
    fn callers(
        &self,
        (from, many, what): (usize, usize, What),
        how: How,
        time: Duration,
    ) -> Result<Running> {
        let keys = self.callers.keys.iter().skip(from).take(many).cloned().collect();
        let callers = Callers { keys, what, ..self.callers.clone() };
        self.run(roles::CALLERS, &(callers, how, time.as_millis()))
    }

    /// Starts callers or attackers.
    fn run(&self, role: &str, spec: &impl Serialize) -> Result<Running> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(role).arg(serde_json::to_string(spec)?);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        Ok(Running(command.spawn().context("cannot start callers")?))
    }
}

/// Callers or attackers under way.
struct Running(Child);

impl Running {
    /// Waits for their end, and reads what they say.
    fn ended<T: DeserializeOwned>(self) -> Result<T> {
        let output = self.0.wait_with_output()?;
        ensure!(output.status.success(), "callers ended with {}", output.status);
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}
