//! Full disks: a node that imports until there is no room left. Comes in: how many rounds, and a seed. Goes
//! out: how many imports were acknowledged and how many refused; an error says what was lost.
//!
//! In every second round the node keeps its reserve: it refuses by name, goes on reading, and still takes a
//! consent back. In the others it has none and runs into the end of the disk. Then room is made, and it is
//! started again.

use std::{collections::BTreeSet, fs, path::Path, process::Command, time::Instant};

use anyhow::{Result, ensure};

use crate::{
    crash::{Dice, Mounted, NODE, ROUNDS_MAX, Survived, check, import_with, reserve, run},
    federation::{Federation, STANDING},
};

const DISK_BYTES: u64 = 512 * 1024 * 1024;
const RESERVE_BYTES: u64 = 4 * 1024 * 1024;
/// Rows of each import that are refused and kept, with a reserve and without: some hundred kilobytes, and
/// megabytes.
const REFUSED_ROWS: [usize; 2] = [3_000, 16_000];
/// So many fill any disk that is as full as these are.
const IMPORTS_MAX: usize = 24;

/// What came of it.
#[derive(Debug)]
pub struct Filled {
    /// As for kills and power cuts.
    pub survived: Survived,
    /// Rounds that there were periods for.
    pub rounds: usize,
    /// Imports that were refused by name.
    pub refused: usize,
    /// Imports that ran into the end of the disk.
    pub failed: usize,
}

/// One node on a small file system in a file.
pub fn fulldisk(program: &Path, dir: &Path, rounds: usize, seed: u64) -> Result<Filled> {
    let mut dice = Dice(seed);
    let mut federation = Federation::prepare(program.to_owned(), dir, &["AL"])?;
    let (image, data) = (dir.join("disk.img"), dir.join(NODE).join("data"));
    fs::File::create(&image)?.set_len(DISK_BYTES)?;
    run(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image))?;
    let _mounted = Mounted::new(&image, &data)?;
    // Beside the store: a folder that a file system of its own brings along.
    let (ballast, rest) = (data.join("lost+found/ballast"), data.join("lost+found/rest"));

    let mut acknowledged = BTreeSet::new();
    let survived = Survived { acknowledged: 0, unheard: 0, restart_ms_max: 0 };
    let mut filled = Filled { survived, rounds: 0, refused: 0, failed: 0 };
    let mut file = 0;
    for round in 0..rounds {
        if file + IMPORTS_MAX > ROUNDS_MAX {
            break;
        }
        filled.rounds += 1;
        let (kept, rows) = match round % 2 {
            0 => (RESERVE_BYTES, REFUSED_ROWS[0]),
            _ => (0, REFUSED_ROWS[1]),
        };
        reserve(dir, kept)?;
        start(&mut federation, &acknowledged, &mut filled)?;
        let grant = federation.grant(NODE, &STANDING)?;
        // So much room, and not more, is left above the reserve.
        let room = kept + 1024 * 1024 + dice.below(3 * 1024 * 1024);
        fill(&data, &ballast, room)?;
        for _ in 0..IMPORTS_MAX {
            file += 1;
            match import_with(&federation, file - 1, rows)? {
                Ok(digest) => acknowledged.insert(digest),
                Err(said) if kept > 0 => {
                    ensure!(said.contains("STORE_FULL"), "not refused by name: {said}");
                    filled.refused += 1;
                    // It was too large for what is left; now less than the reserve is left for anybody.
                    fill(&data, &rest, kept / 4 * 3)?;
                    within_the_reserve(&federation, &grant)?;
                    break;
                }
                Err(_) => {
                    filled.failed += 1;
                    break;
                }
            };
        }
        federation.node_server(NODE)?.kill();
        fs::remove_file(&ballast)?;
        if rest.exists() {
            fs::remove_file(&rest)?;
        }
    }
    start(&mut federation, &acknowledged, &mut filled)?;
    federation.node_server(NODE)?.kill();
    filled.survived.acknowledged = acknowledged.len();
    Ok(filled)
}

fn start(
    federation: &mut Federation,
    acknowledged: &BTreeSet<String>,
    filled: &mut Filled,
) -> Result<()> {
    let started = Instant::now();
    federation.start_node(NODE)?;
    let survived = &mut filled.survived;
    survived.restart_ms_max = survived.restart_ms_max.max(started.elapsed().as_millis());
    check(federation, acknowledged, survived)
}

/// Reading goes on, new consent is refused, and one that stands can be taken back.
fn within_the_reserve(federation: &Federation, grant: &str) -> Result<()> {
    federation.desk(NODE, "auditor", &["status"])?.json(&[0])?;
    federation.desk(NODE, "analyst", &["import", "list"])?.json(&[0])?;
    federation.desk(NODE, "auditor", &["journal", "verify"])?.json(&[0])?;
    let refused =
        federation.desk(NODE, "releaser", &[&["grant", "add"], &STANDING[..]].concat())?;
    ensure!(refused.stderr.contains("STORE_FULL"), "consent given: {}", refused.stdout);
    federation.desk(NODE, "releaser", &["grant", "withdraw", grant])?.json(&[0])?;
    Ok(())
}

/// Leaves `room` bytes free.
fn fill(disk: &Path, ballast: &Path, room: u64) -> Result<()> {
    let state = rustix::fs::statvfs(disk)?;
    let free = state.f_bavail * state.f_frsize;
    let bytes = free.saturating_sub(room);
    if bytes == 0 {
        return Ok(());
    }
    let ballast = fs::File::create(ballast)?;
    rustix::fs::fallocate(&ballast, rustix::fs::FallocateFlags::empty(), 0, bytes)?;
    Ok(ballast.sync_all()?)
}
