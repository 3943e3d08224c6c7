//! Topic `start`: what it takes to open a store in a fresh process, in time and in memory, beside opening
//! and reading the same rows in the raw database, and beside reading the store's files.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::Path,
    process::{Command, ExitCode},
    time::{Duration, Instant},
};

use accord_node::answer::Held;
use anyhow::{Context as _, Result, ensure};
use flate2::{Compression, write::GzEncoder};
use serde::{Deserialize, Serialize};

use super::{best, count, ratio_row, seconds};
use crate::{
    london::{self, HEADER, INDICATOR, JURISDICTION, London, MONTHS},
    process::Finished,
    report::{Report, Row},
    resident::{self, Resident},
    roles,
    yardstick::raw,
};

/// Observations of the smaller stores; the last one holds all.
const SIZES: [usize; 2] = [250_000, 500_000];

/// What a fresh process says of a store.
#[derive(Debug, Serialize, Deserialize)]
struct Probed {
    observations: usize,
    start_us: u64,
    /// Resident, before the store was opened, after it, and the most.
    rss_bytes: [u64; 3],
}

/// A store of so many observations, and the best of several starts.
struct Measured {
    observations: usize,
    start: Duration,
    rss_bytes: [u64; 3],
    raw: Duration,
    read: Duration,
    bytes: usize,
    text_bytes: usize,
}

/// The process that is measured: store and lists; prints JSON.
pub fn probe(arguments: &[OsString]) -> ExitCode {
    let open = || -> Result<()> {
        let [store, lists] = arguments else { anyhow::bail!("two arguments") };
        let lists = london::load(Path::new(lists))?;
        let jurisdiction = lists.jurisdiction("jurisdiction", JURISDICTION)?.code;
        let before = memory("VmRSS:")?;
        let started = Instant::now();
        let store = resident::open_store(Path::new(store), jurisdiction)?;
        let held = Held::read(
            &store,
            jurisdiction,
            lists,
            &resident::policy("", &store, jurisdiction, lists)?,
        )?;
        let start_us = u64::try_from(started.elapsed().as_micros())?;
        let rss_bytes = [before, memory("VmRSS:")?, memory("VmHWM:")?];
        let probed = Probed { observations: held.live.len(), start_us, rss_bytes };
        Ok(writeln!(std::io::stdout(), "{}", serde_json::to_string(&probed)?)?)
    };
    match open() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// A line of this process's status, in bytes.
pub(super) fn memory(name: &str) -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).context("no such line")?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib * 1024)
}

/// Opens stores of three sizes `rounds` times each.
pub fn start(program: &Path, dir: &Path, rounds: usize) -> Result<Report> {
    fs::create_dir_all(dir)?;
    let london = London::prepare(dir)?;
    let files = london.files.iter().map(|file| London::lines(file)).collect::<Result<Vec<_>>>()?;
    let all: usize = files.iter().map(Vec::len).sum();
    let mut rows = Vec::new();
    let mut measured = Vec::new();
    for size in SIZES.into_iter().filter(|size| *size < all).chain([all]) {
        let some = first(&files, size);
        let at = dir.join(size.to_string());
        store(&at, &london, &some)?;
        measured.push(measure(program, &at, &london, &some, rounds)?);
    }
    drop(files);
    for of in &measured {
        rows.extend(size_rows(of));
    }
    if let (Some(least), Some(most)) = (measured.first(), measured.last()) {
        rows.extend(growth_rows(least, most));
        let frozen = freeze_all(&dir.join(most.observations.to_string()), &london)?;
        let probed =
            best_probe(program, &dir.join(most.observations.to_string()), &london, rounds)?;
        rows.push(ratio_row(
            format!("start with {} observations and {frozen} months frozen", most.observations),
            seconds(Duration::from_micros(probed.start_us)) * 1e3,
            "ms",
            seconds(most.start) * 1e3,
            "nothing frozen",
        ));
        rows.push(memory_row("memory of an observation, months frozen", &probed, most));
    }
    Ok(Report { topic: "start".to_owned(), rows, left_out: london.left_out() })
}

/// The first so many lines, in their files.
fn first(files: &[Vec<String>], size: usize) -> Vec<Vec<String>> {
    let mut left = size;
    let mut some = Vec::new();
    for lines in files.iter().filter(|lines| !lines.is_empty()) {
        let taken = left.min(lines.len());
        some.extend((taken > 0).then(|| lines.iter().take(taken).cloned().collect()));
        left -= taken;
    }
    some
}

/// Imports the lines, file by file.
fn store(at: &Path, london: &London, files: &[Vec<String>]) -> Result<()> {
    fs::create_dir_all(at)?;
    let node = node(&at.join("store"), london)?;
    let mapping = fs::read_to_string(&london.mapping)?;
    for (number, lines) in files.iter().enumerate() {
        let path = at.join(format!("{number}.csv.gz"));
        let mut out = GzEncoder::new(BufWriter::new(File::create(&path)?), Compression::fast());
        writeln!(out, "{HEADER}")?;
        lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;
        out.finish()?.flush()?;
        let summary = node.import(&path, &mapping)?.summary;
        ensure!(summary.rows_accepted == lines.len() as u64, "not every row: {summary:?}");
    }
    Ok(())
}

fn node(folder: &Path, london: &London) -> Result<Resident> {
    let lists = london::load(&london.lists)?;
    let jurisdiction = lists.jurisdiction("jurisdiction", JURISDICTION)?.code;
    let policy = format!("[[indicator]]\ncode = \"{INDICATOR}\"\nmode = \"open\"\n");
    Resident::open(folder, lists, jurisdiction, &policy)
}

fn freeze_all(at: &Path, london: &London) -> Result<usize> {
    node(&at.join("store"), london)?.freeze(MONTHS[0], MONTHS[1])
}

fn measure(
    program: &Path,
    at: &Path,
    london: &London,
    files: &[Vec<String>],
    rounds: usize,
) -> Result<Measured> {
    let raw = at.join("raw");
    raw::insert(&raw, files)?;
    let lines = || files.iter().flatten();
    let (mut scans, mut reads, mut bytes) = (Vec::new(), Vec::new(), 0);
    for _ in 0..rounds {
        let (time, rows) = raw::scan(&raw)?;
        ensure!(rows == lines().count(), "the raw database holds another number of rows");
        scans.push(time);
        let (time, read) = raw::read(&at.join("store"))?;
        reads.push(time);
        bytes = read;
    }
    let probed = best_probe(program, at, london, rounds)?;
    ensure!(probed.observations == lines().count(), "the store holds another number of rows");
    Ok(Measured {
        observations: probed.observations,
        start: Duration::from_micros(probed.start_us),
        rss_bytes: probed.rss_bytes,
        raw: best(scans.into_iter())?,
        read: best(reads.into_iter())?,
        bytes,
        text_bytes: lines().map(|line| line.len() + 1).sum(),
    })
}

/// The fastest of several starts, each in a process of its own.
fn best_probe(program: &Path, at: &Path, london: &London, rounds: usize) -> Result<Probed> {
    let mut probes = Vec::new();
    for _ in 0..rounds {
        let mut command = Command::new(program);
        command.arg(roles::START).arg(at.join("store")).arg(&london.lists);
        let probed: Probed = serde_json::from_value(Finished::run(command)?.json(&[0])?)?;
        probes.push(probed);
    }
    probes.into_iter().min_by_key(|probed| probed.start_us).context("nothing was measured")
}

fn size_rows(of: &Measured) -> Vec<Row> {
    let ms = |time: Duration| seconds(time) * 1e3;
    let name = format!("start with {} observations", of.observations);
    let row =
        |yardstick: f64, what: &str| ratio_row(name.clone(), ms(of.start), "ms", yardstick, what);
    let scan = format!("opening and scanning the same lines in {}", raw::NAME);
    let read = format!("reading the {:.1} MB of its files", count(of.bytes) / 1e6);
    let probed = Probed { observations: of.observations, start_us: 0, rss_bytes: of.rss_bytes };
    vec![
        row(10_000.0, "the aim"),
        row(ms(of.raw), &scan),
        row(ms(of.read), &read),
        memory_row("memory of an observation", &probed, of),
        ratio_row(
            "on disk, an observation".to_owned(),
            count(of.bytes) / count(of.observations),
            "bytes",
            count(of.text_bytes) / count(of.observations),
            "its line of the file",
        ),
    ]
}

/// What the store added to the process, for each observation; and at the most, while it was opened.
fn memory_row(name: &str, probed: &Probed, of: &Measured) -> Row {
    let [before, after, most] = probed.rss_bytes;
    let each = |bytes: u64| {
        let bytes = usize::try_from(bytes.saturating_sub(before)).unwrap_or(usize::MAX);
        count(bytes) / count(of.observations)
    };
    let what = format!("the aim; {:.0} at the most while it starts", each(most));
    ratio_row(format!("{name}, {}", of.observations), each(after), "bytes", 200.0, &what)
}

fn growth_rows(least: &Measured, most: &Measured) -> Vec<Row> {
    let each = |of: &Measured| seconds(of.start) * 1e9 / count(of.observations);
    let name = format!("growth: start, an observation of {}", most.observations);
    let what = format!("an observation of {} (linear 1)", least.observations);
    vec![ratio_row(name, each(most), "ns", each(least), &what)]
}
