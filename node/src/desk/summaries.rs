//! What national staff do with summaries. Comes in: a person's checked identity and request. Goes out: how
//! the summary stands, given only when it would survive a power cut; reading leaves its trace in the journal
//! first. Must never show a summary to anybody but this node's own staff.

use std::sync::PoisonError;

use accord_proto::{
    guard, id::SummaryId, journal::Act, limits::PAGE_SIZE_MAX, reason::Invalid, seal::Digest,
    table::EditionRef, transport::Peer,
};

use super::{Begin, entry};
use crate::{
    answer::Node,
    freeze::Edition,
    store::{self, Store},
    summary::{
        Admission, Book, Change, Deed, Document, State, Step, Summary, Version,
        diff::{Changed, diff},
        find::{Query, RawQuery, find},
    },
};

/// How a version stands after a call.
#[derive(Debug)]
pub struct Standing {
    /// Of which summary.
    pub id: SummaryId,
    /// Which version.
    pub version: u32,
    /// Where it stands.
    pub state: State,
    /// SHA-256 of its text.
    pub digest: Digest,
    /// It stood so before; nothing changed.
    pub already: bool,
}

/// A version as it is shown.
#[derive(Debug)]
pub struct Shown {
    /// Of which summary.
    pub id: SummaryId,
    /// The version.
    pub version: Version,
    /// Where it stands.
    pub state: State,
}

/// Takes in a summary as its first version.
pub async fn create(
    node: &Node,
    caller: &Peer,
    (id, text): (&str, &str),
    why: &str,
    unless_held: bool,
) -> Result<Standing, Invalid> {
    let (id, document) = (SummaryId::parse("summary", id)?, admit(node, text)?);
    let standing =
        change(node, caller, (Act::Collection, "create", why), Store::begin, |book, deed| {
            let held = book.holding(document.digest(), deed.at).filter(|_| unless_held);
            match held {
                Some((id, about)) => Ok((id, Change { versions: Vec::new(), about })),
                None => Ok((id, book.create(id, document, deed)?)),
            }
        })?;
    node.store.settled().await?;
    Ok(standing)
}

/// Writes the next version.
pub async fn revise(
    node: &Node,
    caller: &Peer,
    (id, base): (&str, u32),
    text: &str,
    why: &str,
) -> Result<Standing, Invalid> {
    let (id, document) = (SummaryId::parse("summary", id)?, admit(node, text)?);
    let act = (Act::Alteration, "revise", why);
    let revised = change(node, caller, act, Store::begin, |book, deed| {
        Ok((id, book.get(id)?.revise(base, document, deed)?))
    })?;
    node.store.settled().await?;
    Ok(revised)
}

/// Evaluates or validates a version.
pub async fn advance(
    node: &Node,
    caller: &Peer,
    (id, version): (&str, u32),
    step: Step,
    why: &str,
) -> Result<Standing, Invalid> {
    let id = SummaryId::parse("summary", id)?;
    let name = step.to_string();
    let advanced =
        change(node, caller, (Act::Alteration, &name, why), Store::begin, |book, deed| {
            Ok((id, book.get(id)?.advance(version, step, deed)?))
        })?;
    node.store.settled().await?;
    Ok(advanced)
}

/// Takes a summary back.
pub async fn withdraw(
    node: &Node,
    caller: &Peer,
    id: &str,
    why: &str,
) -> Result<Standing, Invalid> {
    let id = SummaryId::parse("summary", id)?;
    let act = (Act::Alteration, "withdraw", why);
    let withdrawn = change(node, caller, act, Store::begin_taking_back, |book, deed| {
        Ok((id, book.get(id)?.withdraw(deed)?))
    })?;
    node.store.settled().await?;
    Ok(withdrawn)
}

/// What a text looks like if it looks like personal data.
pub(super) fn looks_personal(text: &str) -> Option<&'static str> {
    guard::in_text(text).map(guard::Personal::name)
}

fn admit(node: &Node, text: &str) -> Result<Document, Invalid> {
    let admission = Admission {
        ceiling: &node.classification_ceiling,
        guard: looks_personal,
        now: node.clock.now(),
    };
    Document::parse(text, node.jurisdiction, node.lists, &admission)
}

/// Stores what `decide` says above the reserve that `begin` leaves, with its journal entry, and only then puts it into the book.
fn change(
    node: &Node,
    caller: &Peer,
    (act, verb, why): (Act, &str, &str),
    begin: Begin,
    decide: impl FnOnce(&Book, &Deed) -> Result<(SummaryId, Change), Invalid>,
) -> Result<Standing, Invalid> {
    let deed = Deed::new(node.clock.now(), caller.identity.clone(), why, looks_personal)?;
    let mut held = node.held.write().unwrap_or_else(PoisonError::into_inner);
    let mut writing = begin(&node.store)?;
    let (id, change) = decide(&held.summaries, &deed)?;
    held.summaries.check_room(id, &change)?;
    let about = change.versions.iter().find(|version| version.number == change.about);
    let already = change.versions.is_empty();
    let version = match about {
        Some(version) => version.clone(),
        None => held.summaries.get(id)?.version(change.about)?.clone(),
    };
    if !already {
        change.versions.iter().for_each(|version| writing.summary(id, version));
        let (why, subject) = (format!("{verb}: {why}"), format!("{id}#{}", change.about));
        writing.commit(entry(node, caller, act, &why, &subject, version.document.digest()))?;
        change.versions.into_iter().for_each(|version| held.summaries.put(id, version));
    }
    Ok(Standing {
        id,
        version: version.number,
        state: version.state(deed.at),
        digest: version.document.digest(),
        already,
    })
}

/// What the frozen editions take in, written into their change. Goes into the book once that is committed.
pub(super) fn include(
    node: &Node,
    caller: &Peer,
    book: &Book,
    frozen: &[Edition],
    writing: &mut store::Change<'_>,
) -> Result<Vec<(SummaryId, Version)>, Invalid> {
    let mut included = Vec::new();
    for EditionRef { period, number, .. } in frozen.iter().map(|edition| edition.reference) {
        let why = format!("edition {period}#{number}");
        let deed = Deed { at: node.clock.now(), by: caller.identity.clone(), why };
        included.extend(book.include(period, &deed)?);
    }
    included.iter().for_each(|(id, version)| writing.summary(*id, version));
    Ok(included)
}

/// One page of the versions that match, and the token of the next page if there is one.
pub async fn list(
    node: &Node,
    caller: &Peer,
    raw: &RawQuery,
    page: (&str, u32),
) -> Result<(Vec<Shown>, String), Invalid> {
    let query = Query::parse(raw, node.lists, looks_personal)?;
    let size = usize::try_from(page.1.clamp(1, PAGE_SIZE_MAX)).unwrap_or(1);
    let (shown, next) = {
        let held = node.held.read().unwrap_or_else(PoisonError::into_inner);
        let now = node.clock.now();
        let (found, more) = find(&held.summaries, &query, now, page.0, size)?;
        let next = found.last().filter(|_| more).map_or(String::new(), |last| last.token());
        let shown = found.into_iter().map(|found| Shown {
            id: found.id,
            version: found.version.clone(),
            state: found.version.state(now),
        });
        (shown.collect::<Vec<_>>(), next)
    };
    let digest = Digest::of(raw.to_string().as_bytes());
    consulted(node, caller, "search", &raw.to_string(), digest).await?;
    Ok((shown, next))
}

/// A version with the others of its summary.
pub async fn show(
    node: &Node,
    caller: &Peer,
    id: &str,
    number: u32,
) -> Result<(Shown, Vec<Shown>), Invalid> {
    let id = SummaryId::parse("summary", id)?;
    let summary = summary(node, id)?;
    let now = node.clock.now();
    let version = summary.version(number)?.clone();
    let subject = format!("{id}#{}", version.number);
    consulted(node, caller, "show", &subject, version.document.digest()).await?;
    let shown =
        |version: &Version| Shown { id, version: version.clone(), state: version.state(now) };
    Ok((shown(&version), summary.versions().iter().map(shown).collect()))
}

/// What differs between two versions. The later one is the newest if it is 0, the earlier one that before.
pub async fn compare(
    node: &Node,
    caller: &Peer,
    id: &str,
    (from, to): (u32, u32),
) -> Result<(u32, u32, Vec<Changed>), Invalid> {
    let id = SummaryId::parse("summary", id)?;
    let summary = summary(node, id)?;
    let after = summary.version(to).map_err(|error| error.within("to"))?;
    let before = if from == 0 { after.number.saturating_sub(1).max(1) } else { from };
    let before = summary.version(before).map_err(|error| error.within("from"))?;
    let subject = format!("{id}#{}..{}", before.number, after.number);
    consulted(node, caller, "diff", &subject, after.document.digest()).await?;
    Ok((before.number, after.number, diff(&before.document, &after.document)))
}

fn summary(node: &Node, id: SummaryId) -> Result<Summary, Invalid> {
    let held = node.held.read().unwrap_or_else(PoisonError::into_inner);
    held.summaries.get(id).cloned()
}

/// Nothing is shown before the journal says so. Whoever reads again and again fills the journal, and must
/// not take away the room that withdrawing a consent needs.
pub(super) async fn consulted(
    node: &Node,
    caller: &Peer,
    verb: &str,
    subject: &str,
    digest: Digest,
) -> Result<(), Invalid> {
    let writing = node.store.begin_release()?;
    writing.commit(entry(node, caller, Act::Consultation, verb, subject, digest))?;
    node.store.settled().await
}
