//! The inbox, for analysts and releasers. Comes in: a person's decision about a requirement. Goes out: where it stands then, given
//! only when it would survive a power cut. Must never compute before gate one, nor let anything go but through
//! `answer::release`.

use std::collections::BTreeMap;

use accord_proto::{
    clock::Timestamp,
    id::RequirementId,
    journal::{Act, Class},
    limits::RELEASES_COMPARED_MAX,
    question::SignedRequirement,
    reason::{Invalid, Reason},
    seal::Digest,
    strict,
    table::{Cell, Coordinates},
    taxonomy::{AudienceCode, IndicatorCode},
    transport::Peer,
    tree::Tree,
};
use tracing::{info, warn};

use super::{entry, summaries::looks_personal, totals::look};
use crate::{
    answer::{self, Hand, Node},
    inbox::{Glass, Item, State, Step},
    notify::{Kind, Notice},
    preview::{self, Preview, Sources},
    seal::SealedAnswer,
    summary::Deed,
};

/// What is written where a person need not say why.
const NO_REASON: &str = "no reason given";

/// Reads an id.
pub fn id(text: &str) -> Result<RequirementId, Invalid> {
    RequirementId::parse("requirement", text)
}

/// One requirement.
pub fn item(node: &Node, id: RequirementId) -> Result<Item, Invalid> {
    let item = node.store.inbox_item(id, node.lists)?;
    item.ok_or_else(|| {
        Invalid::new(Reason::NotFound, "requirement", format!("{id} is not in the inbox"))
    })
}

/// What was signed, checked again: an authority that has left the roster asks for nothing any more.
pub fn asked(node: &Node, id: RequirementId) -> Result<SignedRequirement, Invalid> {
    let envelope = node.store.inbox_envelope(id)?.ok_or_else(|| {
        Invalid::new(Reason::NotFound, "requirement", format!("{id} is not in the inbox"))
    })?;
    SignedRequirement::open(strict::decode("requirement", &envelope)?, &node.roster(), node.lists)
}

/// Rights to act alone that hold at this moment.
pub fn open_glass(node: &Node) -> Result<Vec<Glass>, Invalid> {
    let now = node.clock.now();
    Ok(node.store.glass()?.into_iter().filter(|glass| glass.is_open(now)).collect())
}

/// The inbox in three figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overview {
    /// Requirements that people still have to do something with.
    pub open: u32,
    /// Half of those that were decided waited no longer, in seconds.
    pub median_s: Option<i64>,
    /// When the last right to act alone ends.
    pub alone_until: Option<Timestamp>,
}

/// How much waits, how long it took, whether somebody may act alone.
pub fn overview(node: &Node) -> Result<Overview, Invalid> {
    let now = node.clock.now();
    let items = node.store.inbox(node.lists)?;
    let open = items.iter().filter(|item| !item.state(now).is_final()).count();
    let mut waits: Vec<_> = items.iter().filter_map(Item::latency_s).collect();
    waits.sort_unstable();
    Ok(Overview {
        open: u32::try_from(open).unwrap_or(u32::MAX),
        median_s: waits.get(waits.len() / 2).copied(),
        alone_until: open_glass(node)?.iter().map(Glass::until).max(),
    })
}

/// Gate one.
pub async fn decide(
    node: &Node,
    caller: &Peer,
    id: RequirementId,
    (step, why): (Step, &str),
) -> Result<Item, Invalid> {
    check_blocks(node, id, &step)?;
    let item = accord_proto::busy::here(|| take(node, caller, id, (step, why)))?;
    node.store.settled().await?;
    let state = item.state(node.clock.now());
    info!(requirement = %id, %state, latency_s = item.latency_s(), "decided");
    Ok(item)
}

/// A block that is not there cannot be left out: whoever thinks so reads another requirement.
fn check_blocks(node: &Node, id: RequirementId, step: &Step) -> Result<(), Invalid> {
    let Step::Accept(terms) = step else { return Ok(()) };
    let blocks = asked(node, id)?.requirement().question.blocks.len();
    match terms.left_out().find(|at| *at as usize > blocks) {
        None => Ok(()),
        Some(at) => {
            let detail = format!("there is no block {at}; the last one is {blocks}");
            Err(Invalid::new(Reason::NotFound, "leave_out", detail))
        }
    }
}

/// One step of a person, in one change with its entry.
fn take(
    node: &Node,
    caller: &Peer,
    id: RequirementId,
    (step, why): (Step, &str),
) -> Result<Item, Invalid> {
    let why = if why.is_empty() { NO_REASON } else { why };
    let deed = Deed::new(node.clock.now(), caller.identity.clone(), why, looks_personal)?;
    let mut change = node.store.begin_taking_back()?;
    let mut item = item(node, id)?;
    let name = step.name();
    item.step(answer::step(node, caller, step, &deed.why), &[])?;
    change.inbox(&item)?;
    let digest = item.state(deed.at).digest().unwrap_or(item.asked().digest);
    let why = format!("{name}: {}", deed.why);
    change.commit(entry(node, caller, Act::Alteration, &why, &id.to_string(), digest))?;
    Ok(item)
}

/// What would leave.
#[derive(Debug)]
pub struct Previewed {
    /// Where it stands.
    pub item: Item,
    /// Cell by cell.
    pub preview: Preview,
    /// Digest and size of the table; none: it would be refused.
    pub table: Option<(Digest, usize)>,
    /// What left of the same cells for the same audience the last time.
    pub before: BTreeMap<(IndicatorCode, Coordinates), Cell>,
}

/// Runs the release path, and nothing comes of it but an entry of who looked.
pub async fn preview(node: &Node, caller: &Peer, id: RequirementId) -> Result<Previewed, Invalid> {
    let item = item(node, id)?;
    check_open(node, &item)?;
    look(node, caller, &format!("preview {id}")).await?;
    accord_proto::busy::here(|| {
        let asked = asked(node, id)?;
        let preview = run(node, &asked, &item)?;
        let table = preview.table.as_ref().map(|table| {
            let tree = Tree::of(table, node.salting(asked.requirement()), node.lists);
            (tree.digest(), tree.bytes())
        });
        let before = last_released(node, id, item.asked().audience)?;
        Ok(Previewed { item, preview, table, before })
    })
}

fn check_open(node: &Node, item: &Item) -> Result<(), Invalid> {
    let state = item.state(node.clock.now());
    if state.is_final() {
        let detail = format!("is {state}; nothing more leaves");
        return Err(Invalid::new(Reason::InboxState, "state", detail));
    }
    Ok(())
}

fn run(node: &Node, asked: &SignedRequirement, item: &Item) -> Result<Preview, Invalid> {
    let held = node.held.read().unwrap_or_else(std::sync::PoisonError::into_inner);
    let ledger = held.ledger.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    let from = Sources {
        node: node.name(),
        jurisdiction: node.jurisdiction,
        live: &held.live,
        editions: &held.editions,
        grants: &held.grants,
        ledger: &ledger,
        policy: &node.policy,
        lists: node.lists,
        secret: node.store.pseudonym_secret(),
        in_doubt: node.store.head().in_doubt(),
    };
    let terms = item.terms();
    let wanted = preview::Asked { terms: &terms, ..preview::Asked::from(asked.requirement()) };
    preview::preview(wanted, from, node.clock.now())
}

fn last_released(
    node: &Node,
    but: RequirementId,
    audience: AudienceCode,
) -> Result<BTreeMap<(IndicatorCode, Coordinates), Cell>, Invalid> {
    let mut last = BTreeMap::new();
    for response in node.store.releases(but, RELEASES_COMPARED_MAX) {
        let sealed = SealedAnswer::reopen(&response?, &node.seal_keys(), node.lists)?;
        if sealed.seal().audience != audience {
            continue;
        }
        for block in &sealed.table().blocks {
            for (at, cell) in block.coordinates().zip(&block.cells) {
                // The newest comes first.
                last.entry((block.indicator, at)).or_insert(*cell);
            }
        }
    }
    Ok(last)
}

/// One person wants exactly these bytes to leave; they must be what would leave now.
pub async fn propose(
    node: &Node,
    caller: &Peer,
    id: RequirementId,
    (digest, why): (Digest, &str),
) -> Result<Item, Invalid> {
    let known = item(node, id)?;
    check_open(node, &known)?;
    let item = accord_proto::busy::here(|| {
        let asked = asked(node, id)?;
        let preview = run(node, &asked, &known)?;
        let salting = node.salting(asked.requirement());
        let now = preview.table.map(|table| Tree::of(&table, salting, node.lists).digest());
        if now != Some(digest) {
            let detail = "is not what would leave now; preview it again";
            return Err(Invalid::new(Reason::ReleaseChanged, "digest", detail));
        }
        take(node, caller, id, (Step::Propose(digest), why))
    })?;
    node.store.settled().await?;
    info!(requirement = %id, %digest, "proposed");
    Ok(item)
}

/// Gate two: another person lets it go.
pub async fn release(
    node: &Node,
    caller: &Peer,
    id: RequirementId,
    (digest, why): (Digest, &str),
) -> Result<Item, Invalid> {
    let deed = Deed::new(node.clock.now(), caller.identity.clone(), why, looks_personal)?;
    let known = item(node, id)?;
    // The same word twice is one release.
    if known.state(deed.at) == State::Released(digest) {
        node.store.settled().await?;
        return Ok(known);
    }
    let asked = asked(node, id)?;
    asked.check_open(deed.at)?;
    let hand = Hand { digest, why: deed.why };
    let released = accord_proto::busy::here(|| answer::release(node, caller, &asked, Some(&hand)));
    if let Err(error) = &released
        && error.reason == Reason::ReleaseChanged
    {
        node.notices.tell(Notice::of(Kind::ReleaseChanged, known.asked()));
    }
    released?;
    node.store.settled().await?;
    let item = item(node, id)?;
    if item.single_handed() {
        warn!(requirement = %id, "BREAK-GLASS: one person decided and released");
    }
    info!(requirement = %id, %digest, latency_s = item.latency_s(), "released");
    Ok(item)
}

/// A releaser takes the right to act alone, for a few hours.
pub async fn break_glass(node: &Node, caller: &Peer, why: &str) -> Result<Glass, Invalid> {
    let glass = take_glass(node, caller, why)?;
    node.store.settled().await?;
    warn!(until = %glass.until(), "BREAK-GLASS: one person may decide and release");
    node.notices.tell(Notice {
        kind: Kind::BreakGlass,
        subject: String::new(),
        authority: String::new(),
        purpose: String::new(),
        deadline: glass.until(),
    });
    Ok(glass)
}

fn take_glass(node: &Node, caller: &Peer, why: &str) -> Result<Glass, Invalid> {
    let deed = Deed::new(node.clock.now(), caller.identity.clone(), why, looks_personal)?;
    let glass = Glass { by: deed.by, at: deed.at, why: deed.why };
    let mut change = node.store.begin()?;
    change.glass(&glass);
    let subject = format!("one person may decide and release until {}", glass.until());
    let digest = Digest::of(subject.as_bytes());
    let entry = entry(node, caller, Act::Alteration, &glass.why, &subject, digest);
    change.commit(entry.class(Class::BreakGlass))?;
    Ok(glass)
}
