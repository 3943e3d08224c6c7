//! Imports: taking a file in, and taking it back. Comes in: an analyst's file, streamed. Goes out: an
//! acknowledgement, given only when it would survive a power cut. One import is one commit: all accepted
//! rows and the quarantine, or nothing.

use std::{io::Read, sync::PoisonError};

use accord_proto::{
    clock::Timestamp,
    journal::Act,
    limits::{CONTEXTS_MAX, IMPORT_BYTES_MAX, MAPPINGS_MAX, NAME_BYTES_MAX, OBSERVATIONS_MAX},
    reason::{Invalid, Reason},
    seal::{Digest, Hasher},
    transport::Peer,
};

use super::entry;
use crate::{
    answer::Node,
    cube::Cube,
    ingest::{self, Batch, Home, Mapping, Quarantined},
    record::{Records, columns::Known},
    store::ImportSummary,
};

/// How an import ended.
#[derive(Debug)]
pub struct Imported {
    /// What is kept of it.
    pub summary: ImportSummary,
    /// This very file was imported before; nothing changed.
    pub already: bool,
    /// Rows that replace what was held of an observation.
    pub replaced: u64,
    /// Refused rows.
    pub quarantined: Vec<Quarantined>,
}

/// What is to be imported.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Name of the file, for people.
    pub file_name: String,
    /// The mapping, TOML.
    pub mapping: String,
    /// Say what would happen, and change nothing.
    pub dry_run: bool,
    /// From this day on its records may not be kept; 0: no such day.
    pub retention_until_s: i64,
}

/// Imports a file: all accepted rows and the quarantine, or nothing.
pub async fn import(
    node: &Node,
    caller: &Peer,
    wanted: &Wanted,
    file: impl Read + Send,
) -> Result<Imported, Invalid> {
    // Parsing a large file takes seconds: other calls go on meanwhile.
    let imported = tokio::task::block_in_place(|| take_in(node, caller, wanted, file))?;
    node.store.settled().await?;
    Ok(imported)
}

fn take_in(
    node: &Node,
    caller: &Peer,
    wanted: &Wanted,
    file: impl Read + Send,
) -> Result<Imported, Invalid> {
    let mapping = Mapping::parse(&wanted.mapping)?;
    check_retention(node, wanted.retention_until_s)?;
    let mut counted = Counted { file, hasher: Hasher::default(), bytes: 0 };
    let home = Home {
        jurisdiction: node.jurisdiction,
        lists: node.lists,
        secret: node.store.pseudonym_secret(),
    };
    let batch = ingest::read(Box::new(&mut counted), &mapping, home)?;
    let digest = Digest::of_parts([&counted.finish()?.0[..], mapping.text.as_bytes()]);
    let mut held = node.held.write().unwrap_or_else(PoisonError::into_inner);
    let known = node.store.import_of(&digest)?;
    if let Some(summary) = known.filter(|_| !wanted.dry_run) {
        let quarantined = batch.quarantined;
        return Ok(Imported { summary, already: true, replaced: 0, quarantined });
    }
    let Sorted { fresh, unchanged, replaced } = Sorted::against(&held.live, &batch.records);
    check_room(&held.live, &fresh)?;
    let summary = summary(node, wanted, &mapping, &batch, (&fresh, unchanged), digest);
    if !wanted.dry_run {
        let mut change = node.store.begin()?;
        change.import(summary.clone(), &fresh, &batch.quarantined, node.lists)?;
        let entry =
            entry(node, caller, Act::Collection, &mapping.source, &wanted.file_name, digest);
        change.commit(entry)?;
        fresh.iter().for_each(|record| held.live.put(&record));
    }
    let number = if wanted.dry_run { 0 } else { node.store.head().imports() };
    Ok(Imported {
        summary: ImportSummary { number, ..summary },
        already: false,
        replaced,
        quarantined: batch.quarantined,
    })
}

fn check_retention(node: &Node, until_s: i64) -> Result<(), Invalid> {
    const FIELD: &str = "retention_until_s";
    if until_s == 0 || Timestamp::from_s(FIELD, until_s)? > node.clock.now() {
        return Ok(());
    }
    Err(Invalid::new(Reason::FieldInvalid, FIELD, "lies in the past: nothing of it might be kept"))
}

/// The records of a file beside what is held.
struct Sorted {
    fresh: Records,
    unchanged: u64,
    replaced: u64,
}

impl Sorted {
    fn against(live: &Cube, records: &Records) -> Self {
        let mut sorted = Self { fresh: Records::default(), unchanged: 0, replaced: 0 };
        for record in records.iter() {
            match live.known(&record) {
                Known::Same => sorted.unchanged += 1,
                known @ (Known::New | Known::Other) => {
                    sorted.replaced += u64::from(known == Known::Other);
                    sorted.fresh.put(&record);
                }
            }
        }
        sorted
    }
}

fn check_room(live: &Cube, fresh: &Records) -> Result<(), Invalid> {
    if live.len() + fresh.len() > OBSERVATIONS_MAX {
        let detail = format!("{OBSERVATIONS_MAX} observations are the most that a node holds");
        return Err(Invalid::new(Reason::LimitExceeded, "file", detail));
    }
    if live.contexts().len() + fresh.contexts().len() > CONTEXTS_MAX {
        let detail = format!("more than {CONTEXTS_MAX} different services and handling codes");
        return Err(Invalid::new(Reason::LimitExceeded, "origin", detail));
    }
    Ok(())
}

fn summary(
    node: &Node,
    wanted: &Wanted,
    mapping: &Mapping,
    batch: &Batch,
    (fresh, unchanged): (&Records, u64),
    digest: Digest,
) -> ImportSummary {
    ImportSummary {
        number: 0,
        digest: digest.0.to_vec(),
        file_name: wanted.file_name.clone(),
        source: mapping.source.clone(),
        rows_read: batch.rows_read,
        rows_left_out: batch.rows_left_out,
        rows_unchanged: unchanged + batch.rows_repeated,
        rows_accepted: fresh.len() as u64,
        rows_quarantined: batch.rows_quarantined,
        undone: false,
        at_s: node.clock.now().as_s(),
        recognised: batch.recognised.clone(),
        retention_until_s: wanted.retention_until_s,
        erased: false,
    }
}

/// A file that is hashed while it is read.
struct Counted<F> {
    file: F,
    hasher: Hasher,
    bytes: u64,
}

impl<F: Read> Read for Counted<F> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.bytes += read as u64;
        if self.bytes > IMPORT_BYTES_MAX {
            return Err(std::io::Error::other(format!(
                "more than {IMPORT_BYTES_MAX} bytes; split the file"
            )));
        }
        self.hasher.update(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}

impl<F: Read> Counted<F> {
    /// What the parser did not want belongs to the file all the same.
    fn finish(mut self) -> Result<Digest, Invalid> {
        let unread = std::io::copy(&mut self, &mut std::io::sink());
        unread
            .map_err(|error| Invalid::new(Reason::ImportUnreadable, "file", error.to_string()))?;
        Ok(self.hasher.finish())
    }
}

/// Takes a whole import back, as long as no edition rests on it. What it had replaced counts again.
pub async fn undo(node: &Node, caller: &Peer, number: u64, why: &str) -> Result<u64, Invalid> {
    let observations = tokio::task::block_in_place(|| take_back(node, caller, number, why))?;
    node.store.settled().await?;
    Ok(observations)
}

fn take_back(node: &Node, caller: &Peer, number: u64, why: &str) -> Result<u64, Invalid> {
    let mut held = node.held.write().unwrap_or_else(PoisonError::into_inner);
    let import = node.store.import(number)?;
    if !import.counts() {
        return Ok(held.live.len() as u64);
    }
    let mut periods = std::collections::BTreeSet::new();
    node.store.records_of(&import, node.jurisdiction, node.lists, |record| {
        periods.insert(record.cell().period);
    })?;
    let rests = |edition: &&crate::freeze::Edition| {
        edition.imports >= number
            && periods.iter().any(|period| edition.reference.period.holds(*period))
    };
    if let Some(edition) = held.editions.iter().find(rests) {
        let detail = format!(
            "the edition {} of {} rests on it; import a correction and freeze again",
            edition.reference.number, edition.reference.period
        );
        return Err(Invalid::new(Reason::ImportFrozen, "import", detail));
    }
    let mut change = node.store.begin_taking_back()?;
    change.undo(&import)?;
    let digest = Digest::from_wire("import", &import.digest)?;
    change.commit(entry(node, caller, Act::Erasure, why, &format!("import {number}"), digest))?;
    let mut live = Cube::default();
    node.store.records(node.jurisdiction, node.lists, |record| live.put(record))?;
    held.live = live;
    Ok(held.live.len() as u64)
}

/// Keeps a mapping under a name, in place of the one before; only one that can be read.
pub async fn save_mapping(
    node: &Node,
    caller: &Peer,
    name: &str,
    text: &str,
) -> Result<(), Invalid> {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '.' | '-' | '_');
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.chars().all(allowed) {
        let detail = format!("use 1 to {NAME_BYTES_MAX} letters, digits, blanks, dots, dashes");
        return Err(Invalid::new(Reason::FieldInvalid, "name", detail));
    }
    Mapping::parse(text)?;
    let kept = node.store.mappings()?;
    if kept.len() >= MAPPINGS_MAX && !kept.iter().any(|(kept, _)| kept == name) {
        let detail = format!("{MAPPINGS_MAX} mappings are the most");
        return Err(Invalid::new(Reason::LimitExceeded, "name", detail));
    }
    keep_mapping(node, caller, name, text)?;
    node.store.settled().await
}

fn keep_mapping(node: &Node, caller: &Peer, name: &str, text: &str) -> Result<(), Invalid> {
    let mut change = node.store.begin()?;
    change.mapping(name, text);
    let digest = Digest::of(text.as_bytes());
    change.commit(entry(node, caller, Act::Alteration, "mapping", name, digest))
}
