//! Erasing what may no longer be kept. Comes in: a releaser's word. Goes out: what was erased, and the journal
//! entry that proves it. Must never erase what is not due. Editions stay: they hold figures by cell, and no
//! record.

use std::{collections::BTreeSet, sync::PoisonError};

use accord_proto::{
    id::SummaryId, journal::Act, limits::ERASED_AT_ONCE_MAX, reason::Invalid, seal::Digest,
    table::EditionRef, transport::Peer,
};

use super::{
    entry,
    imports::{touched, withhold},
    summaries::looks_personal,
};
use crate::{
    answer::{Held, Node},
    cube::Cube,
    store::ImportSummary,
    summary::Deed,
};

/// What was erased, or is due.
#[derive(Debug, Default)]
pub struct Erased {
    /// Imports.
    pub imports: Vec<ImportSummary>,
    /// Versions of summaries, with the digests of their texts.
    pub summaries: Vec<(SummaryId, u32, Digest)>,
    /// Sequence of the journal entry; none if nothing was erased.
    pub sequence: Option<u64>,
    /// More is due than one call takes.
    pub more: bool,
    /// Observations that the node holds now.
    pub observations: u64,
}

/// Says what is due, and changes nothing.
pub fn due(node: &Node) -> Result<Erased, Invalid> {
    let held = node.held.read().unwrap_or_else(PoisonError::into_inner);
    of(node, &held)
}

fn of(node: &Node, held: &Held) -> Result<Erased, Invalid> {
    let now = node.clock.now();
    let mut imports = node.store.imports_due(now)?;
    let mut summaries = held.summaries.due(now);
    let more = imports.len() + summaries.len() > ERASED_AT_ONCE_MAX;
    imports.truncate(ERASED_AT_ONCE_MAX);
    summaries.truncate(ERASED_AT_ONCE_MAX - imports.len());
    let observations = held.live.len() as u64;
    Ok(Erased { imports, summaries, sequence: None, more, observations })
}

/// Erases what is due.
pub async fn erase(node: &Node, caller: &Peer, why: &str) -> Result<Erased, Invalid> {
    let erased = accord_proto::busy::here(|| take_out(node, caller, why))?;
    node.store.settled().await?;
    Ok(erased)
}

fn take_out(node: &Node, caller: &Peer, why: &str) -> Result<Erased, Invalid> {
    let deed = Deed::new(node.clock.now(), caller.identity.clone(), why, looks_personal)?;
    let mut held = node.held.write().unwrap_or_else(PoisonError::into_inner);
    let mut erased = of(node, &held)?;
    if erased.imports.is_empty() && erased.summaries.is_empty() {
        return Ok(erased);
    }
    let live = without(node, &erased.imports)?;
    let withheld = rehandled(node, &held, &erased.imports, live.as_ref())?;
    let mut change = node.store.begin_taking_back()?;
    for import in &erased.imports {
        change.erase_import(import)?;
    }
    change.withhold(withheld.iter().copied());
    erased.summaries.iter().for_each(|(id, number, _)| change.erase_summary(*id, *number));
    erased.sequence = Some(change.entry_sequence());
    let subject = named(&erased)?;
    let digest = Digest::of(subject.as_bytes());
    change.commit(entry(node, caller, Act::Erasure, &deed.why, &subject, digest))?;
    erased.summaries.iter().for_each(|(id, number, _)| held.summaries.erase(*id, *number));
    withhold(&mut held.editions, &withheld);
    if let Some(live) = live {
        held.live = live;
    }
    erased.observations = held.live.len() as u64;
    Ok(erased)
}

/// What is held without these imports; none: none of them counts.
fn without(node: &Node, imports: &[ImportSummary]) -> Result<Option<Cube>, Invalid> {
    if !imports.iter().any(ImportSummary::counts) {
        return Ok(None);
    }
    let stays = |import: &ImportSummary| {
        import.counts() && !imports.iter().any(|erased| erased.number == import.number)
    };
    let mut live = Cube::default();
    for import in node.store.imports()?.into_iter().filter(stays) {
        node.store.records_of(&import, node.jurisdiction, node.lists, |record| live.put(record))?;
    }
    Ok(Some(live))
}

/// Editions that rest on an observation of which an older record with another handling counts again.
fn rehandled(
    node: &Node,
    held: &Held,
    imports: &[ImportSummary],
    live: Option<&Cube>,
) -> Result<BTreeSet<EditionRef>, Invalid> {
    let mut withheld = BTreeSet::new();
    let Some(live) = live else { return Ok(withheld) };
    for import in imports.iter().filter(|import| import.counts()) {
        node.store.records_of(import, node.jurisdiction, node.lists, |record| {
            let both = held.live.same_observation(record).zip(live.same_observation(record));
            if let Some((before, after)) = both {
                withheld.extend(touched([&before, &after], &held.editions));
            }
        })?;
    }
    Ok(withheld)
}

/// Numbers and digests, no content.
fn named(erased: &Erased) -> Result<String, Invalid> {
    let mut names = Vec::new();
    for import in &erased.imports {
        let digest = Digest::from_wire("import", &import.digest)?;
        names.push(format!("import {} sha256 {digest}", import.number));
    }
    for (id, number, digest) in &erased.summaries {
        names.push(format!("summary {id}#{number} sha256 {digest}"));
    }
    Ok(names.join(", "))
}
