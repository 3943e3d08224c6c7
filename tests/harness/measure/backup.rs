//! Topic `backup`: what a backup of a coordinator costs those who write meanwhile, beside the same writes without one; and how long it takes, beside
//! writing the same bytes to the disk.

use std::{
    fs::File,
    io::Write as _,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use accord_coordinator::archive::Archive;
use accord_proto::{
    clock::{Clock as _, SystemClock},
    identity::Identity,
    seal::Digest,
    transport::Peer,
    wire::Envelope,
};
use anyhow::Result;
use futures_util::{StreamExt as _, stream};

use super::{count, quantile, ratio_row, seconds};
use crate::report::Report;

/// Entries as large as a picture of a few hundred cells.
const PICTURES: u64 = 10_000;
const PICTURE_BYTES: usize = 16 * 1024;
/// Writes of the yardstick.
const WRITES: usize = 2_000;

/// Fills an archive and takes `rounds` backups of it.
pub fn backup(dir: &Path, rounds: usize) -> Result<Report> {
    let owner = Identity::parse("spiffe://wb6.example/REGION/node/coordinator/coordinator")?;
    let archive = Archive::open(&dir.join("data"), &owner, 0)?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(filled(&archive, &owner))?;
    let by = Peer { identity: owner.clone(), spki: Digest([0; 32]) };
    let write = || {
        let began = Instant::now();
        archive.note_backup(&by, SystemClock.now())?;
        Ok::<_, anyhow::Error>(began.elapsed())
    };
    let quiet = (0..WRITES).map(|_| write()).collect::<Result<Vec<_>>>()?;
    let (mut loud, mut took, mut bytes) = (Vec::new(), Duration::ZERO, 0);
    for _ in 0..rounds {
        let over = AtomicBool::new(false);
        let to = dir.join("backup");
        let taken = std::thread::scope(|scope| {
            let taking = scope.spawn(|| {
                let taken = taken(&archive, &owner, &to);
                over.store(true, Ordering::SeqCst);
                taken
            });
            while !over.load(Ordering::SeqCst) {
                loud.push(write()?);
            }
            taking.join().map_err(|_| anyhow::anyhow!("the backup ended early"))?
        });
        let (time, size) = taken?;
        (took, bytes) = (took + time, size);
    }
    let plain = plainly_written(&dir.join("plain"), bytes)?;
    let each = took / u32::try_from(rounds)?;
    let mut rows = Vec::new();
    let [quiet, loud] = [quiet, loud].map(|times| {
        let mut times: Vec<_> = times.into_iter().map(|time| seconds(time) * 1e3).collect();
        times.sort_by(f64::total_cmp);
        times
    });
    for (name, share) in [("median", 0.5), ("99 of 100", 0.99), ("slowest", 1.0)] {
        let name = format!("a write during a backup of {PICTURES} pictures: {name}");
        let (value, yardstick) = (quantile(&loud, share), quantile(&quiet, share));
        rows.push(ratio_row(name, value, "ms", yardstick, "the same without a backup"));
    }
    let size = count(usize::try_from(bytes)?) / 1e6;
    let name = format!("a backup of {size:.0} MB");
    let what = "the same bytes written and synced";
    rows.push(ratio_row(name, seconds(each), "s", seconds(plain), what));
    Ok(Report { topic: "backup".to_owned(), rows, left_out: Vec::new() })
}

async fn filled(archive: &Archive, owner: &Identity) -> Result<()> {
    let payload = vec![7; PICTURE_BYTES];
    let envelope = Envelope { payload, ..Envelope::default() };
    let writes = (1..=PICTURES)
        .map(|version| archive.rely_on_roster((version, &envelope), owner, SystemClock.now()));
    let mut writes = stream::iter(writes).buffer_unordered(256);
    while let Some(written) = writes.next().await {
        written?;
    }
    Ok(())
}

fn taken(archive: &Archive, owner: &Identity, to: &Path) -> Result<(Duration, u64)> {
    let (began, mut file) = (Instant::now(), File::create(to)?);
    let mut failed = None;
    archive.snapshot()?.write(owner, SystemClock.now(), |piece| {
        failed = file.write_all(&piece).err().or(failed.take());
        Ok(())
    })?;
    failed.map_or(Ok(()), Err)?;
    file.sync_all()?;
    Ok((began.elapsed(), file.metadata()?.len()))
}

fn plainly_written(to: &Path, bytes: u64) -> Result<Duration> {
    let (began, mut file) = (Instant::now(), File::create(to)?);
    let piece = vec![7; 64 * 1024];
    for _ in 0..bytes / 65_536 {
        file.write_all(&piece)?;
    }
    file.sync_all()?;
    Ok(began.elapsed())
}
