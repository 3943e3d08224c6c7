//! Topic `journal`: what it takes to verify a journal from its first entry to its last, beside one bare pass of
//! SHA-256 over the same bytes; and to prove one entry, or that an older journal is its beginning.

use std::time::{Duration, Instant};

use accord_proto::{
    clock::Timestamp,
    identity::Identity,
    journal::{
        Act, Checkpoint, Entry, Frontier, Qualified, Tree, Walk, leaf, verify_consistency,
        verify_inclusion,
    },
    reason::Invalid,
    seal::{Digest, Hasher},
};
use anyhow::{Context as _, Result};

use super::{best, ratio_row, seconds};
use crate::report::{Report, Row};

/// Entries of the smaller journal, and of the larger.
const SIZES: [u64; 2] = [100_000, 1_000_000];
const PROOFS: u64 = 100;

/// Verifies journals of two sizes `rounds` times each.
pub fn journal(rounds: usize) -> Result<Report> {
    let mut rows = Vec::new();
    for size in SIZES {
        let (entries, head) = written(size)?;
        let bare = best((0..rounds).map(|_| passed(&entries)))?;
        let walks = (0..rounds).map(|_| walked(&entries, &head)).collect::<Result<Vec<_>>>()?;
        let walk = best(walks.into_iter())?;
        let what = "SHA-256 over the same bytes";
        let name = format!("verify {size} entries");
        rows.push(ratio_row(name, seconds(walk) * 1e3, "ms", seconds(bare) * 1e3, what));
        rows.push(proofs(&entries, &head)?);
    }
    Ok(Report { topic: "journal".to_owned(), rows, left_out: Vec::new() })
}

fn written(size: u64) -> Result<(Vec<Vec<u8>>, Checkpoint)> {
    let (mut frontier, mut entries) = (Frontier::default(), Vec::new());
    let by = Identity::parse("spiffe://wb6.example/REGION/node/coordinator/coordinator")?;
    for at in 0..size {
        let entry = Entry {
            at: Timestamp::EARLIEST.plus_s(i64::try_from(at)?),
            act: Act::Disclosure,
            by: by.clone(),
            to: "POLICE for analysis-unit".to_owned(),
            why: "THREAT-ASSESSMENT; generated for a measurement".to_owned(),
            subject: format!("0190b0a0-0000-7000-8000-{at:012}"),
            digest: Digest::of(&at.to_be_bytes()),
        };
        let entry = Qualified::from(entry).encode(&frontier);
        frontier.append(&entry);
        entries.push(entry);
    }
    Ok((entries, Checkpoint::of("wb6.example/AL/al-police", &frontier)))
}

fn passed(entries: &[Vec<u8>]) -> Duration {
    let started = Instant::now();
    let mut hasher = Hasher::default();
    entries.iter().for_each(|entry| hasher.update(entry));
    std::hint::black_box(hasher.finish());
    started.elapsed()
}

fn walked(entries: &[Vec<u8>], head: &Checkpoint) -> Result<Duration> {
    let started = Instant::now();
    let mut walk = Walk::default();
    for entry in entries {
        walk.step(entry).map_err(|flaw| flaw.refusal())?;
    }
    walk.finish(head).map_err(|flaw| flaw.refusal())?;
    Ok(started.elapsed())
}

/// Of entries and sizes all over the journal: an inclusion and a consistency each, made and checked.
fn proofs(entries: &[Vec<u8>], head: &Checkpoint) -> Result<Row> {
    let (mut tree, mut heads) = (Tree::default(), Vec::new());
    let step = head.size / PROOFS;
    for (entry, at) in entries.iter().zip(0_u64..) {
        if at % step == 0 && at > 0 {
            heads.push(Checkpoint::of(&head.origin, tree.frontier()));
        }
        tree.append(leaf(entry));
    }
    let leaves = |range: std::ops::Range<u64>| {
        let places = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
        let found = places.and_then(|(from, to)| entries.get(from..to)).unwrap_or_default();
        Ok::<_, Invalid>(found.iter().map(|entry| leaf(entry)).collect())
    };
    let started = Instant::now();
    for old in &heads {
        let entry = entries.get(usize::try_from(old.size)?).context("an entry")?;
        let proof = tree.inclusion(old.size, head.size, leaves)?;
        verify_inclusion(leaf(entry), old.size, head, &proof)?;
        let proof = tree.consistency(old.size, head.size, leaves)?;
        verify_consistency(old, head, &proof)?;
    }
    let each = seconds(started.elapsed()) * 1e6 / super::count(heads.len());
    Ok(Row {
        name: format!("prove an entry and a beginning of {} entries", head.size),
        value: each,
        unit: "µs".to_owned(),
        yardstick: "the two of them, made and checked".to_owned(),
        ratio: None,
    })
}
