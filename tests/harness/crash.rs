//! Crashes: kill -9 and power cuts while a node imports. Comes in: how many rounds, and a seed. Goes out:
//! how many imports were acknowledged; an error says what was lost.
//!
//! Every round imports a file whose cells no other round has, so the number of observations tells whether
//! any import is half there, and the list of imports whether an acknowledged one is gone.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::Command,
    sync::mpsc,
    time::{Duration, Instant},
};

use accord_proto::taxonomy::{JurisdictionCode, Lists};
use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::Signal;

use crate::federation::Federation;

/// The node that is crashed.
pub(crate) const NODE: &str = "al-police";
/// Rounds that there are different periods for.
pub const ROUNDS_MAX: usize = 250;
pub(crate) const MAPPING: &str = "source = \"generated for a crash test\"\n\
    [columns]\ncrime_area = \"area\"\nregion = \"region\"\nperiod = \"period\"\nvalue = \"n\"\n\
    [constants]\nindicator = \"DRG.SEIZ.N\"\n";

/// What came of it.
#[derive(Debug)]
pub struct Survived {
    /// Imports that the node acknowledged.
    pub acknowledged: usize,
    /// Imports that were committed without anybody having heard of it.
    pub unheard: usize,
    /// Longest time from start to serving, in milliseconds.
    pub restart_ms_max: u128,
}

/// A small generator (SplitMix64): the seed is printed, so every run can be repeated.
#[derive(Debug)]
pub struct Dice(pub u64);

impl Dice {
    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }
}

/// Rows of every round's file.
pub(crate) fn file_of(round: usize) -> Result<(String, u64)> {
    let lists = Lists::builtin();
    let seizures = lists.indicator("indicator", "DRG.SEIZ.N")?;
    let albania = JurisdictionCode::parse("AL").context("AL is a code")?;
    let period = format!("{}-H{}", 1960 + round / 2, round % 2 + 1);
    let mut text = String::from("area,region,period,n\n");
    let mut rows = 0;
    for level in 0..=3 {
        for region in lists.regions_of(albania, level) {
            for area in lists.crime_areas_of(seizures) {
                text += &format!("{area},{region},{period},{}\n", rows % 97);
                rows += 1;
            }
        }
    }
    Ok((text, rows))
}

/// One node, killed with SIGKILL at a random moment of every import.
pub fn kill9(program: &Path, dir: &Path, rounds: usize, seed: u64) -> Result<Survived> {
    let mut dice = Dice(seed);
    let mut federation = Federation::prepare(program.to_owned(), dir, &["AL"])?;
    federation.seal_stores()?;
    let mut acknowledged = BTreeSet::new();
    let mut survived = Survived { acknowledged: 0, unheard: 0, restart_ms_max: 0 };
    // A kill hits before, during and after the import: the window follows the time that one takes.
    let mut window_us: u64 = 200_000;
    for round in 0..rounds.min(ROUNDS_MAX) {
        let started = Instant::now();
        federation.start_node(NODE)?;
        survived.restart_ms_max = survived.restart_ms_max.max(started.elapsed().as_millis());
        check(&federation, &acknowledged, &mut survived)?;
        let server = federation.node_server(NODE)?.clone();
        let delay = Duration::from_micros(dice.below(window_us));
        let (done, finished) = mpsc::channel::<()>();
        let killer = std::thread::spawn(move || {
            // Either the import is over first, or its time has come.
            let _ = finished.recv_timeout(delay);
            server.kill();
        });
        let began = Instant::now();
        let heard = import(&federation, round)?;
        if heard.is_some() {
            window_us =
                u64::try_from(began.elapsed().as_micros()).unwrap_or(window_us).max(20_000) * 2;
        }
        let _ = done.send(());
        killer.join().ok().context("the killer died")?;
        acknowledged.extend(heard);
    }
    federation.start_node(NODE)?;
    check(&federation, &acknowledged, &mut survived)?;
    survived.acknowledged = acknowledged.len();
    Ok(survived)
}

/// Imports the file of a round; its digest if the node acknowledged it.
fn import(federation: &Federation, round: usize) -> Result<Option<String>> {
    Ok(import_with(federation, round, 0)?.ok())
}

/// The same with so many rows that are refused and kept; what was said if it was not acknowledged.
pub(crate) fn import_with(
    federation: &Federation,
    round: usize,
    refused: usize,
) -> Result<Result<String, String>> {
    let (mut text, rows) = file_of(round)?;
    for row in 0..refused {
        text += &format!("no such area {row},no such region,2016-H1,1\n");
    }
    let (file, mapping) = (federation.dir.join("import.csv"), federation.dir.join("mapping.toml"));
    fs::write(&file, text)?;
    fs::write(&mapping, MAPPING)?;
    let finished = federation.import(NODE, &file, &mapping)?;
    if !matches!(finished.code, Some(0 | 3)) {
        return Ok(Err(finished.stderr));
    }
    let reply = finished.json(&[0, 3])?;
    ensure!(reply["rows_accepted"].as_u64() == Some(rows), "not every row was accepted: {reply}");
    Ok(Ok(reply["import_sha256"].as_str().context("no digest")?.to_owned()))
}

/// Everything acknowledged is there, and nothing is there by halves.
pub(crate) fn check(
    federation: &Federation,
    acknowledged: &BTreeSet<String>,
    survived: &mut Survived,
) -> Result<()> {
    let status = federation.desk(NODE, "auditor", &["status"])?.json(&[0])?;
    let held: BTreeSet<_> = status["imports_sha256"]
        .as_array()
        .context("no imports")?
        .iter()
        .filter_map(|digest| digest.as_str().map(str::to_owned))
        .collect();
    if let Some(lost) = acknowledged.difference(&held).next() {
        bail!("import {lost} was acknowledged and is gone");
    }
    let (_, rows) = file_of(0)?;
    let observations = status["observations"].as_u64().context("no observations")?;
    ensure!(
        observations == rows * held.len() as u64,
        "{} imports of {rows} rows, but {observations} observations: one is half there",
        held.len()
    );
    survived.unheard = held.len() - acknowledged.len();
    Ok(())
}

/// Why a file system in a file cannot be had here, if it cannot.
pub fn no_powercut() -> Option<String> {
    let root = rustix::process::geteuid().is_root();
    let tools = ["mkfs.ext4", "mount", "umount"];
    let absent = tools.iter().find(|tool| Command::new(tool).arg("-V").output().is_err());
    match (root, absent) {
        (false, _) => Some("it takes root, for a loop device".to_owned()),
        (true, Some(tool)) => Some(format!("there is no {tool}")),
        (true, None) if !Path::new("/dev/loop-control").exists() => {
            Some("there are no loop devices".to_owned())
        }
        (true, None) => None,
    }
}

/// A file system in a file, mounted; unmounted when dropped.
pub struct Mounted(std::path::PathBuf);

impl Mounted {
    pub(crate) fn new(image: &Path, at: &Path) -> Result<Self> {
        fs::create_dir_all(at)?;
        // The file system writes nothing back by itself for minutes: only what was synced is on the "disk".
        run(Command::new("mount")
            .args(["-t", "ext4", "-o", "loop,commit=300"])
            .arg(image)
            .arg(at))?;
        Ok(Self(at.to_owned()))
    }

    /// A folder over itself, that nobody can write to, the superuser neither.
    pub fn read_only(at: &Path) -> Result<Self> {
        run(Command::new("mount").arg("--bind").args([at, at]))?;
        let mounted = Self(at.to_owned());
        run(Command::new("mount").args(["-o", "remount,bind,ro"]).arg(at))?;
        Ok(mounted)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Lazily: on the way out of a failure a process may still hold it.
        let _ = run(Command::new("umount").arg("--lazy").arg(&self.0));
    }
}

pub(crate) fn run(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// Sets the free space below which the node writes nothing more.
pub(crate) fn reserve(dir: &Path, bytes: u64) -> Result<()> {
    let config = dir.join(NODE).join("node.toml");
    let line = |line: &str| match line.contains("free_bytes_min = ") {
        true => format!("free_bytes_min = {bytes}\n"),
        false => format!("{line}\n"),
    };
    let text: String = fs::read_to_string(&config)?.lines().map(line).collect();
    Ok(fs::write(&config, text)?)
}

/// One node on a file system in a file. Every round: a few imports, then the power is cut. The process is
/// stopped, the file behind the file system is copied as it is (what was not synced is only in the page
/// cache above it, and so is lost), and the node goes on from the copy.
pub fn powercut(program: &Path, dir: &Path, rounds: usize, seed: u64) -> Result<Survived> {
    let mut dice = Dice(seed);
    let mut federation = Federation::prepare(program.to_owned(), dir, &["AL"])?;
    federation.seal_stores()?;
    reserve(dir, 4 * 1024 * 1024)?;
    let data = dir.join(NODE).join("data");
    let (image, copy) = (dir.join("disk.img"), dir.join("disk.copy"));
    fs::File::create(&image)?.set_len(192 * 1024 * 1024)?;
    run(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image))?;

    let mut acknowledged = BTreeSet::new();
    let mut survived = Survived { acknowledged: 0, unheard: 0, restart_ms_max: 0 };
    let mut file = 0;
    for _ in 0..rounds {
        let mounted = Mounted::new(&image, &data)?;
        let started = Instant::now();
        federation.start_node(NODE)?;
        survived.restart_ms_max = survived.restart_ms_max.max(started.elapsed().as_millis());
        check(&federation, &acknowledged, &mut survived)?;
        for _ in 0..=dice.below(2) {
            ensure!(file < ROUNDS_MAX, "more rounds than there are periods");
            acknowledged.extend(import(&federation, file)?);
            file += 1;
        }
        let server = federation.node_server(NODE)?;
        server.signal(Signal::STOP)?;
        fs::copy(&image, &copy)?;
        server.kill();
        drop(mounted);
        fs::rename(&copy, &image)?;
    }
    let _mounted = Mounted::new(&image, &data)?;
    federation.start_node(NODE)?;
    check(&federation, &acknowledged, &mut survived)?;
    federation.node_server(NODE)?.kill();
    survived.acknowledged = acknowledged.len();
    Ok(survived)
}
