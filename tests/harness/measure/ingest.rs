//! Topic `ingest`: importing all records end to end, beside the raw database and `COPY`, which do none of the
//! reading, translating, checking, guarding and journalling.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use super::{best, count, ratio_row, rows_per_s, seconds};
use crate::{
    london::{self, HEADER, JURISDICTION, London},
    report::{Report, Row},
    resident::Resident,
    yardstick::{postgres::Cluster, raw},
};

/// One run of everything: our time until each file was acknowledged, that of the raw database, that of `COPY`.
struct Run {
    ours: Vec<Duration>,
    raw: Vec<Duration>,
    copy: Option<Duration>,
}

/// Imports all records `rounds` times.
pub fn ingest(dir: &Path, rounds: usize) -> Result<Report> {
    fs::create_dir_all(dir)?;
    let london = London::prepare(dir)?;
    let mut left_out = london.left_out();
    let lines = london.files.iter().map(|file| London::lines(file)).collect::<Result<Vec<_>>>()?;
    let per_file: Vec<_> = lines.iter().map(Vec::len).collect();
    let rows: usize = per_file.iter().sum();
    let cluster = Cluster::start()?.map_err(|why| left_out.push(format!("PostgreSQL: {why}"))).ok();
    let unpacked = cluster.as_ref().map(|cluster| unpack(cluster.folder(), &lines)).transpose()?;

    let mut runs = Vec::new();
    for round in 0..rounds {
        // Turn about, so that whatever else the machine does falls on all of them.
        let ours = import(&dir.join(format!("store-{round}")), &london, &per_file)?;
        let folder = dir.join(format!("raw-{round}"));
        let raw = raw::insert(&folder, &lines)?;
        fs::remove_dir_all(folder)?;
        let copy = match cluster.as_ref().zip(unpacked.as_ref()) {
            Some((cluster, files)) => {
                let copy = cluster.copy(files)?;
                ensure!(cluster.rows()? == rows as u64, "COPY took in another number of rows");
                Some(copy)
            }
            None => None,
        };
        runs.push(Run { ours, raw, copy });
    }
    let version = cluster.as_ref().map(Cluster::version).transpose()?;
    report(&runs, &per_file, version.as_deref(), left_out)
}

fn import(folder: &Path, london: &London, per_file: &[usize]) -> Result<Vec<Duration>> {
    let lists = london::load(&london.lists)?;
    let mapping = fs::read_to_string(&london.mapping)?;
    let jurisdiction = lists.jurisdiction("jurisdiction", JURISDICTION)?.code;
    let node = Resident::open(folder, lists, jurisdiction, "")?;
    let (started, mut acknowledged) = (Instant::now(), Vec::new());
    for (file, rows) in london.files.iter().zip(per_file) {
        let summary = node.import(file, &mapping)?.summary;
        acknowledged.push(started.elapsed());
        ensure!(summary.rows_accepted == *rows as u64, "not every row was accepted: {summary:?}");
    }
    drop(node);
    fs::remove_dir_all(folder)?;
    Ok(acknowledged)
}

/// `COPY` is spared the unpacking.
fn unpack(folder: &Path, files: &[Vec<String>]) -> Result<Vec<PathBuf>> {
    let mut unpacked = Vec::new();
    for (at, lines) in files.iter().enumerate() {
        let path = folder.join(format!("{at}.csv"));
        fs::write(&path, format!("{HEADER}\n{}\n", lines.join("\n")))?;
        unpacked.push(path);
    }
    Ok(unpacked)
}

fn report(
    runs: &[Run],
    per_file: &[usize],
    postgres: Option<&str>,
    left_out: Vec<String>,
) -> Result<Report> {
    let rows = per_file.iter().sum();
    let ours = best(runs.iter().filter_map(|run| run.ours.last().copied()))?;
    let raw = best(runs.iter().filter_map(|run| run.raw.last().copied()))?;
    let name = format!("import of {rows} records in {} files", per_file.len());
    let rate = rows_per_s(rows, ours);
    let mut table = vec![ratio_row(
        name.clone(),
        rate,
        "rows/s",
        rows_per_s(rows, raw),
        &format!("the same lines into {}, one key each, same acknowledgement (aim 0.7)", raw::NAME),
    )];
    if let Some(version) = postgres {
        let copy = best(runs.iter().filter_map(|run| run.copy))?;
        let what = format!("COPY into PostgreSQL {version}, text, one index (aim 1)");
        table.push(ratio_row(name, rate, "rows/s", rows_per_s(rows, copy), &what));
    }
    let half = per_file.len() / 2;
    let half_rows: usize = per_file.iter().take(half).sum();
    let of_half = |times: &Vec<Duration>| times.get(half.saturating_sub(1)).copied();
    let ours_half = best(runs.iter().filter_map(|run| of_half(&run.ours)))?;
    let per_row = |time: Duration, rows: usize| seconds(time) * 1e9 / count(rows);
    table.push(ratio_row(
        "growth: time of a row over all files".to_owned(),
        per_row(ours, rows),
        "ns",
        per_row(ours_half, half_rows),
        &format!("the first {half} files, {half_rows} records (linear 1)"),
    ));
    let spread = runs.iter().filter_map(|run| run.ours.last()).map(|time| seconds(*time));
    let worst = spread.fold(0.0, f64::max);
    table.push(Row {
        name: format!("slowest of {} runs", runs.len()),
        value: worst,
        unit: "s".to_owned(),
        yardstick: format!("{:.2} s: the fastest, which the rows above are of", seconds(ours)),
        ratio: Some(worst / seconds(ours)),
    });
    Ok(Report { topic: "ingest".to_owned(), rows: table, left_out })
}
