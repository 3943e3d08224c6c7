//! The raw database: the same rows, one key each in the order of keys, the value the line as it is written,
//! under the rule of acknowledgement that a node has (flush and fsync once per file). No mapping, no checks.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use accord_proto::durable::Durable;
use anyhow::Result;

/// What it is called in a report.
pub const NAME: &str = "raw sled";
/// Rows that are handed over at once.
const BATCH: usize = 1_000;

fn open(folder: &Path) -> Result<sled::Db> {
    // As a node opens it.
    let config = sled::Config::new().path(folder).flush_every_ms(None);
    Ok(config.cache_capacity(64 * 1024 * 1024).open()?)
}

/// Inserts the lines of each file; the time until each was acknowledged, from the beginning.
pub fn insert(folder: &Path, files: &[Vec<String>]) -> Result<Vec<Duration>> {
    let runtime = tokio::runtime::Runtime::new()?;
    let db = open(folder)?;
    let flushed = db.clone();
    let flush = move || flushed.flush().map(drop).map_err(|error| error.to_string());
    let durable = Durable::start(folder.to_owned(), flush)?;
    let (started, mut acknowledged, mut key) = (Instant::now(), Vec::new(), 0_u64);
    for lines in files {
        for some in lines.chunks(BATCH) {
            let mut batch = sled::Batch::default();
            for line in some {
                batch.insert(&key.to_be_bytes(), line.as_str());
                key += 1;
            }
            db.apply_batch(batch)?;
        }
        runtime.block_on(durable.settled())?;
        acknowledged.push(started.elapsed());
    }
    Ok(acknowledged)
}

/// Opens what was inserted and reads every value; how many there were.
pub fn scan(folder: &Path) -> Result<(Duration, usize)> {
    let started = Instant::now();
    let db = open(folder)?;
    let (mut rows, mut bytes) = (0, 0);
    for entry in db.iter() {
        bytes += entry?.1.len();
        rows += 1;
    }
    std::hint::black_box(bytes);
    Ok((started.elapsed(), rows))
}

/// Reads every byte of every file below a folder; how many bytes there were.
pub fn read(folder: &Path) -> Result<(Duration, usize)> {
    let started = Instant::now();
    let (mut folders, mut bytes) = (vec![folder.to_owned()], 0);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                bytes += std::hint::black_box(std::fs::read(path)?).len();
            }
        }
    }
    Ok((started.elapsed(), bytes))
}
