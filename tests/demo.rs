//! `cargo demo`: six nodes and a coordinator, real TLS, real figures, one question, one regional picture.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    sync::mpsc,
};

use accord_node::ingest::{self, Home, Mapping};
use accord_proto::{
    limits::FREEZE_PERIODS_MAX,
    taxonomy::{IndicatorCode, Lists, Period},
};
use accord_tests::{
    federation::{Dialling, Federation, SIX, sample_dir},
    process::{self, Finished},
    roles,
};
use anyhow::{Context as _, Result, bail};
use clap::{Parser, ValueEnum};

use crate::cycle;

/// Six national nodes and a coordinator on this computer only: throw-away keys, real TLS, published figures.
#[derive(Debug, Parser)]
#[command(name = "cargo demo")]
struct Arguments {
    /// End after the picture instead of waiting for Ctrl-C.
    #[arg(long)]
    once: bool,
    /// Go on with the whole loop: an assessment on the picture, reviewed and endorsed by all, a plan, a second picture that measures
    /// it, an evaluation; documents of all of it.
    #[arg(long)]
    cycle: bool,
    /// How to print the picture.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// Jurisdictions whose node is kept away from the gather, comma-separated.
    #[arg(long, value_delimiter = ',')]
    offline: Vec<String>,
    /// Nodes have no port for the coordinator: they connect to it.
    #[arg(long)]
    dial: bool,
    /// Keep everything in this folder (must not exist).
    #[arg(long)]
    keep: Option<PathBuf>,
    /// Import these files instead of the sample: `<JURISDICTION>.csv` for each member, and mapping.toml.
    #[arg(long)]
    data: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
    Csv,
}

/// What the demo tells its main thread.
enum Event {
    Finished(Result<()>),
    Interrupted,
}

/// Runs it with what stands behind its name.
pub(crate) fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let arguments = Arguments::parse_from(arguments);
    let temporary = match tempfile::tempdir() {
        Ok(temporary) => temporary,
        Err(error) => return failed(&error.into()),
    };
    let dir = arguments.keep.clone().unwrap_or_else(|| temporary.path().join("federation"));
    let (tell, events) = mpsc::channel();
    let interrupted = tell.clone();
    std::thread::spawn(move || {
        if wait_for_signal().is_ok() {
            let _ = interrupted.send(Event::Interrupted);
        }
    });
    let (once, at) = (arguments.once, dir.clone());
    std::thread::spawn(move || {
        let outcome = run(&arguments, &at).map(|federation| {
            if once {
                drop(federation);
            } else {
                // Kept running: the main thread ends it.
                std::mem::forget(federation);
            }
        });
        let _ = tell.send(Event::Finished(outcome));
    });

    let code = loop {
        match events.recv() {
            Ok(Event::Finished(Ok(()))) if once => break ExitCode::SUCCESS,
            Ok(Event::Finished(Ok(()))) => explain(&dir),
            Ok(Event::Finished(Err(error))) => break failed(&error),
            Ok(Event::Interrupted) if once => break ExitCode::from(130),
            Ok(Event::Interrupted) => break ExitCode::SUCCESS,
            Err(_) => break ExitCode::FAILURE,
        }
    };
    process::end_all();
    // Dropping the folder removes it; what --keep named stays.
    drop(temporary);
    code
}

fn failed(error: &anyhow::Error) -> ExitCode {
    say(&format!("demo: {error:#}"));
    ExitCode::FAILURE
}

pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn wait_for_signal() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            _ = terminate.recv() => Ok(()),
            interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
        }
    })
}

/// The whole way, once.
fn run(arguments: &Arguments, dir: &Path) -> Result<Federation> {
    let offline: BTreeSet<_> = arguments.offline.iter().map(|code| code.to_uppercase()).collect();
    if let Some(stranger) = offline.iter().find(|code| !SIX.contains(&code.as_str())) {
        bail!("--offline {stranger}: the members are {}", SIX.join(", "));
    }
    let data = arguments.data.clone().unwrap_or_else(sample_dir);
    let plan = Asked::by(&data)?;

    let dialling = if arguments.dial { Dialling::Everybody } else { Dialling::Nobody };
    let program = std::env::current_exe()?;
    let mut federation = Federation::prepare_with(program, dir, &SIX, (None, dialling))?;
    say("certificate authority, certificates, keys, signed roster: for this run only");
    federation.seal_stores()?;
    federation.start()?;
    say(
        "six national nodes (AL BA XK* ME MK RS) and one coordinator: processes of their own, mutual TLS 1.3",
    );

    let names: Vec<_> = federation.nodes.keys().cloned().collect();
    let mut rows = 0;
    for name in &names {
        rows += fill(&federation, name, &data, &plan)?;
    }
    say(&format!("{rows} observations imported and frozen, consent given in every node"));
    for name in &names {
        if offline.contains(&federation.nodes[name].jurisdiction) {
            federation.node_server(name)?.kill();
            say(&format!("{name} is kept offline"));
        }
    }

    // The cycle begins with what was known by then; a second picture tells how it went.
    let blocks = match arguments.cycle {
        true => plan.until("2016")?.blocks(),
        false => plan.blocks(),
    };
    let requirement = federation.issue(&blocks.iter().map(String::as_str).collect::<Vec<_>>())?;
    say(&format!("requirement {requirement} issued, signed by the asking authority"));
    let format = match arguments.format {
        Format::Table => "table",
        Format::Json => "json",
        Format::Csv => "csv",
    };
    let gathered = federation.region("analyst", format, &["gather", &requirement])?;
    say(gathered.stderr.trim_end());
    if !matches!(gathered.code, Some(0 | 3)) {
        bail!("the gather ended with {:?}", gathered.code);
    }
    let _ = write!(std::io::stdout(), "{}", gathered.stdout);
    delivered(&federation, &requirement)?;
    if arguments.keep.is_some() {
        archive(&federation, dir, &requirement)?;
    }
    if arguments.cycle {
        let next = |federation: &Federation| {
            let blocks = plan.blocks();
            asked(federation, &blocks.iter().map(String::as_str).collect::<Vec<_>>())
        };
        cycle::play(&mut federation, dir, &requirement, next)?;
    }
    Ok(federation)
}

/// A picture of these questions; the requirement's id.
fn asked(federation: &Federation, blocks: &[&str]) -> Result<String> {
    let requirement = federation.issue(blocks)?;
    let gathered = federation.region("analyst", "json", &["gather", &requirement])?;
    if !matches!(gathered.code, Some(0 | 3)) {
        bail!("the gather ended with {:?}", gathered.code);
    }
    delivered(federation, &requirement)?;
    Ok(requirement)
}

/// Says at whom the picture has arrived: readable there, also with the centre down.
fn delivered(federation: &Federation, requirement: &str) -> Result<()> {
    let deliver = ["picture", "deliver", requirement];
    let states = federation.region("analyst", "json", &deliver)?.json(&[0, 3])?;
    let states = states.as_array().context("no deliveries")?;
    let there = states.iter().filter(|state| state["state"] == "delivered");
    let there: Vec<_> = there.filter_map(|state| state["node"].as_str()).collect();
    say(&format!(
        "delivered to {} of {} nodes, each of which has verified it and holds it, also with the centre down: {}",
        there.len(),
        states.len(),
        there.join(", ")
    ));
    Ok(())
}

/// What a third party needs to verify the picture, in a folder of its own; and verifies it from there.
fn archive(federation: &Federation, dir: &Path, requirement: &str) -> Result<()> {
    let archive = dir.join("archive");
    std::fs::create_dir(&archive)?;
    for name in ["roster.signed", "root.pub"] {
        std::fs::copy(dir.join("federation").join(name), archive.join(name))?;
    }
    let evidence = archive.join("picture.evidence");
    let out = evidence.display().to_string();
    let written = federation.region(
        "auditor",
        "json",
        &["picture", "evidence", requirement, "--out", &out],
    )?;
    written.json(&[0])?;
    let mut verify = Command::new(std::env::current_exe()?);
    verify.arg(roles::COORDINATOR).args(["verify", &out, "--roster"]);
    verify.arg(archive.join("roster.signed")).arg("--root").arg(archive.join("root.pub"));
    let verified = Finished::run(verify)?;
    if !matches!(verified.code, Some(0 | 3)) {
        bail!("the evidence does not verify: {}", verified.stderr.trim_end());
    }
    let archive = archive.display();
    say(&format!(
        "evidence kept in {archive} and verified from its files alone:\n{}\nverify it anywhere, without a network:\n  \
         cargo run -q -p accord-coordinator -- verify {archive}/picture.evidence --roster {archive}/roster.signed --root {archive}/root.pub",
        verified.stderr.trim_end()
    ));
    Ok(())
}

/// Import, freeze, consent: what an analyst and a releaser of one node do.
fn fill(federation: &Federation, name: &str, data: &Path, plan: &Asked) -> Result<u64> {
    let file = data.join(format!("{}.csv", federation.nodes[name].jurisdiction));
    if !file.exists() {
        say(&format!("{name} has no file {}: it holds nothing", file.display()));
        return Ok(0);
    }
    let imported = federation.import(name, &file, &data.join("mapping.toml"))?;
    if imported.code == Some(3) {
        say(&format!("{name}: rows were quarantined\n{}", imported.stderr.trim_end()));
    }
    let imported = imported.json(&[0, 3]).with_context(|| format!("{name}: import"))?;
    for (first, last) in plan.spans() {
        let frozen = federation.desk(name, "releaser", &["freeze", &first, &last])?;
        // A node may hold nothing of a span that others hold.
        if frozen.code != Some(4) {
            frozen.json(&[0]).with_context(|| format!("{name}: freeze"))?;
        }
    }
    for indicator in plan.0.keys() {
        let indicator = indicator.to_string();
        let terms =
            ["--indicator", &indicator, "--purpose", "THREAT-ASSESSMENT", "--audience", "POLICE"];
        let days = ["--dimension", "ALL", "--from", "2020-01-01", "--until", "2090-01-01"];
        federation
            .grant(name, &[&terms[..], &days].concat())
            .with_context(|| format!("{name}: grant"))?;
    }
    Ok(imported["rows_accepted"].as_u64().unwrap_or(0))
}

/// What is asked: every crime area and period that any of the files has, by indicator.
struct Asked(BTreeMap<IndicatorCode, (BTreeSet<String>, BTreeSet<Period>)>);

impl Asked {
    /// Reads the files the way the nodes will.
    fn by(data: &Path) -> Result<Self> {
        let lists = Lists::builtin();
        let path = data.join("mapping.toml");
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let mapping = Mapping::parse(&text)?;
        let mut asked = BTreeMap::<_, (BTreeSet<_>, BTreeSet<_>)>::new();
        for code in SIX {
            let Ok(file) = std::fs::File::open(data.join(format!("{code}.csv"))) else {
                continue;
            };
            let jurisdiction = lists.jurisdiction("jurisdiction", code)?.code;
            // Nothing is kept, so no secret has to stand behind a pseudonym.
            let home = Home { jurisdiction, lists, secret: &[0; 32] };
            for record in ingest::read(Box::new(file), &mapping, home)?.records.iter() {
                let cell = record.cell();
                let (areas, periods) = asked.entry(cell.indicator).or_default();
                areas.insert(cell.crime_area.to_string());
                periods.insert(cell.period);
            }
        }
        if asked.is_empty() {
            bail!("{}: no file <JURISDICTION>.csv has a row that can be imported", data.display());
        }
        Ok(Self(asked))
    }

    /// The same without what came after a period.
    fn until(&self, last: &str) -> Result<Self> {
        let last = Period::parse("period", last)?;
        let earlier = |(areas, periods): &(BTreeSet<String>, BTreeSet<Period>)| {
            (areas.clone(), periods.iter().copied().filter(|period| *period <= last).collect())
        };
        let asked = self.0.iter().map(|(indicator, of)| (*indicator, earlier(of)));
        Ok(Self(
            asked
                .filter(|(_, (_, periods)): &(_, (_, BTreeSet<Period>))| !periods.is_empty())
                .collect(),
        ))
    }

    /// Question blocks of a requirement file.
    fn blocks(&self) -> Vec<String> {
        let quoted = |list: Vec<String>| {
            list.iter().map(|code| format!("\"{code}\"")).collect::<Vec<_>>().join(", ")
        };
        let block = |(indicator, (areas, periods)): (
            &IndicatorCode,
            &(BTreeSet<String>, BTreeSet<Period>),
        )| {
            let areas = quoted(areas.iter().cloned().collect());
            let periods = quoted(periods.iter().map(ToString::to_string).collect());
            format!("indicator = \"{indicator}\"\ncrime_areas = [{areas}]\nperiods = [{periods}]\n")
        };
        self.0.iter().map(block).collect()
    }

    /// First and last period of each length, in pieces that one call may freeze.
    fn spans(&self) -> Vec<(String, String)> {
        let all: BTreeSet<_> =
            self.0.values().flat_map(|(_, periods)| periods.iter().copied()).collect();
        let mut lengths = BTreeMap::<_, Vec<Period>>::new();
        for period in all {
            lengths.entry(period.granularity()).or_default().push(period);
        }
        let mut spans = Vec::new();
        for periods in lengths.values() {
            let mut rest = periods.as_slice();
            while let Some(first) = rest.first() {
                let fits =
                    |last: &&Period| Period::range(*first, **last, FREEZE_PERIODS_MAX).is_some();
                let here = rest.iter().take_while(fits).count();
                spans.extend(rest[..here].last().map(|last| (first.to_string(), last.to_string())));
                rest = &rest[here.max(1)..];
            }
        }
        spans
    }
}

/// What to do with a federation that keeps running.
fn explain(dir: &Path) {
    let dir = dir.display();
    say(&format!(
        "\nEverything keeps running; folder {dir}. In another terminal, for example:\n  \
         cargo run -q -p accord-coordinator -- picture list --client {dir}/coordinator/staff/analyst/client.toml\n  \
         cargo run -q -p accord-node -- status --client {dir}/mk-police/staff/auditor/client.toml\n  \
         cargo run -q -p accord-node -- picture list --client {dir}/mk-police/staff/analyst/client.toml\n\
         Ctrl-C stops everything and deletes what --keep does not name."
    ));
}
