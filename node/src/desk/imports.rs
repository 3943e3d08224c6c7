//! Imports: taking a file in, and taking it back. Comes in: an analyst's file, streamed. Goes out: an
//! acknowledgement, given only when it would survive a power cut. One import is one commit: all accepted
//! rows and the quarantine, or nothing.

use std::{collections::BTreeSet, io::Read, sync::PoisonError};

use accord_proto::{
    clock::Timestamp,
    guard,
    journal::Act,
    limits::{CONTEXTS_MAX, IMPORT_BYTES_MAX, MAPPINGS_MAX, NAME_BYTES_MAX, OBSERVATIONS_MAX},
    reason::{Invalid, Reason},
    seal::{Digest, Hasher},
    table::EditionRef,
    transport::Peer,
};

use super::entry;
use crate::{
    answer::{Held, Node},
    cube::Cube,
    freeze::Editions,
    ingest::{self, Batch, Home, Mapping, Quarantined},
    record::{Record, Records, columns::Known},
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
    let imported = accord_proto::busy::here(|| take_in(node, caller, wanted, file))?;
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
    // Both stand in the journal, which outlives every record.
    impersonal("file_name", &wanted.file_name)?;
    impersonal("mapping.source", &mapping.source)?;
    check_retention(node, wanted.retention_until_s)?;
    let mut counted = Counted { file, hasher: Hasher::default(), bytes: 0 };
    let home = Home {
        jurisdiction: node.jurisdiction,
        lists: node.lists,
        secret: node.store.pseudonym_secret(),
    };
    let mut batch = ingest::read(Box::new(&mut counted), &mapping, home)?;
    let digest = Digest::of_parts([&counted.finish()?.0[..], mapping.text.as_bytes()]);
    let mut held = node.held.write().unwrap_or_else(PoisonError::into_inner);
    let known = node.store.import_of(&digest)?;
    if let Some(summary) = known.filter(|_| !wanted.dry_run) {
        let quarantined = batch.quarantined;
        return Ok(Imported { summary, already: true, replaced: 0, quarantined });
    }
    let records = std::mem::take(&mut batch.records);
    let beside = Beside::of(&records, &held);
    check_room(&held.live, &records)?;
    let summary = summary(node, wanted, &mapping, &batch, (&records, &beside), digest);
    if !wanted.dry_run {
        let mut change = node.store.begin()?;
        change.import(summary.clone(), &records, &batch.quarantined, node.lists)?;
        change.withhold(beside.withheld.iter().copied());
        let entry =
            entry(node, caller, Act::Collection, &mapping.source, &wanted.file_name, digest);
        change.commit(entry)?;
        records.iter().for_each(|record| held.live.put(&record));
        withhold(&mut held.editions, &beside.withheld);
    }
    let replaced = beside.replaced;
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

/// How the records of a file stand to what is held.
#[derive(Default)]
struct Beside {
    unchanged: u64,
    replaced: u64,
    /// Editions in which a record's handling changes: their periods must be filtered anew before they are answered from again.
    withheld: BTreeSet<EditionRef>,
}

impl Beside {
    fn of(records: &Records, held: &Held) -> Self {
        let mut beside = Self::default();
        for record in records.iter() {
            match held.live.known(&record) {
                Known::New => {}
                Known::Same => beside.unchanged += 1,
                Known::Other => {
                    beside.replaced += 1;
                    let before = held.live.same_observation(&record);
                    let touched = before.map(|before| touched([&before, &record], &held.editions));
                    beside.withheld.extend(touched.unwrap_or_default());
                }
            }
        }
        beside
    }
}

/// Newest editions of every period that holds an observation before or after it is replaced, if its handling changes: of its
/// own period and of all that contain it. All cells of such an edition go, those that contain the observation among them.
pub(super) fn touched([before, after]: [&Record; 2], editions: &Editions) -> Vec<EditionRef> {
    if before.handling() == after.handling() {
        return Vec::new();
    }
    let rests = |edition: &EditionRef| {
        [before, after].iter().any(|record| edition.period.holds(record.cell().period))
    };
    editions.references().filter(rests).collect()
}

/// From now on nothing of these is answered.
pub(super) fn withhold(editions: &mut Editions, touched: &BTreeSet<EditionRef>) {
    for EditionRef { period, number, .. } in touched {
        editions.withhold(*period);
        editions.bar(*period, *number);
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
    (records, beside): (&Records, &Beside),
    digest: Digest,
) -> ImportSummary {
    ImportSummary {
        number: 0,
        digest: digest.0.to_vec(),
        file_name: wanted.file_name.clone(),
        source: mapping.source.clone(),
        rows_read: batch.rows_read,
        rows_left_out: batch.rows_left_out,
        rows_unchanged: beside.unchanged + batch.rows_repeated,
        rows_accepted: (records.len() as u64).saturating_sub(beside.unchanged),
        rows_kept: records.len() as u64,
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
    let observations = accord_proto::busy::here(|| take_back(node, caller, number, why))?;
    node.store.settled().await?;
    Ok(observations)
}

fn take_back(node: &Node, caller: &Peer, number: u64, why: &str) -> Result<u64, Invalid> {
    impersonal("why", why)?;
    let mut held = node.held.write().unwrap_or_else(PoisonError::into_inner);
    let import = node.store.import(number)?;
    if !import.counts() {
        return Ok(held.live.len() as u64);
    }
    // What counts again afterwards may lie in another period than what is taken back.
    let mut live = Cube::default();
    node.store.records_but(number, node.jurisdiction, node.lists, |record| live.put(record))?;
    let mut periods = BTreeSet::new();
    node.store.records_of(&import, node.jurisdiction, node.lists, |record| {
        periods.insert(record.cell().period);
        periods.extend(live.same_observation(record).map(|before| before.cell().period));
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

/// Texts that the journal keeps must not be about a person.
pub(super) fn impersonal(field: &str, text: &str) -> Result<(), Invalid> {
    match guard::in_text(text) {
        None => Ok(()),
        Some(personal) => {
            let detail = format!("holds what looks like {}; say it without", personal.name());
            Err(Invalid::new(Reason::PersonalData, field, detail))
        }
    }
}
