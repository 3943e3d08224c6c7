//! Receiving: before anything is decided. Comes in: a requirement whose signature was checked. Goes out: its place in the inbox, with
//! an entry in the journal. Must never compute anything.

use std::sync::PoisonError;

use accord_proto::{
    clock::Timestamp,
    journal::{Act, Entry},
    limits::INBOX_MAX,
    question::SignedRequirement,
    reason::{Invalid, Reason},
    transport::Peer,
};
use tracing::info;

use super::Node;
use crate::{
    consent,
    inbox::{self, Asked, Item, Step},
    notify::{Kind, Notice},
    store::Change,
};

/// Puts what is asked for the first time into the inbox, on record, before anything is computed.
pub(super) fn take_in(
    node: &Node,
    caller: &Peer,
    asked: &SignedRequirement,
) -> Result<(), Invalid> {
    let held = node.held.read().unwrap_or_else(PoisonError::into_inner);
    let (requirement, now) = (asked.requirement(), node.clock.now());
    let known = || node.store.inbox_item(requirement.id, node.lists);
    if let Some(item) = known()? {
        return check_same(&item.asked().digest.0, asked);
    }
    let mut change = node.store.begin_release()?;
    // Asked twice at once is taken in once.
    if let Some(item) = known()? {
        return check_same(&item.asked().digest.0, asked);
    }
    let mut item = Item::receive(Asked::from(asked), now);
    let answered = node.store.released(requirement.id)?;
    if let Some(released) = &answered {
        check_same(&released.requirement_digest, asked)?;
    }
    let consented = consent::decide(requirement, &held.grants, node.jurisdiction, node.lists, now)?;
    if answered.is_none() && inbox::needs_person(&consented, node.release) {
        item.step(step(node, caller, Step::Await, ""), &[])?;
    }
    inbox_room(node, &mut change, now)?;
    change.receive(&item, asked);
    change.commit(Entry {
        at: now,
        act: Act::Consultation,
        by: caller.identity.clone(),
        to: requirement.authority.to_string(),
        why: format!("{}; {}", requirement.purpose, requirement.legal_basis),
        subject: requirement.id.to_string(),
        digest: asked.digest(),
    })?;
    if item.state(now) == inbox::State::Awaiting {
        node.notices.tell(Notice::of(Kind::Received, item.asked()));
    }
    info!(requirement = %requirement.id, authority = %requirement.authority, "requirement received");
    Ok(())
}

/// What is over makes room for what is new.
fn inbox_room(node: &Node, change: &mut Change<'_>, now: Timestamp) -> Result<(), Invalid> {
    if node.store.inbox_size() < INBOX_MAX {
        return Ok(());
    }
    let items = node.store.inbox(node.lists)?;
    let over = items.iter().map(Item::asked).filter(|asked| asked.closes_at <= now);
    let first = over.min_by_key(|asked| asked.closes_at).ok_or_else(|| {
        let detail = format!("{INBOX_MAX} requirements are open; try again later");
        Invalid::new(Reason::Overloaded, "requirement", detail)
    })?;
    change.forget_item(first.id);
    Ok(())
}

/// What somebody does with a requirement now.
pub(crate) fn step(node: &Node, caller: &Peer, step: Step, why: &str) -> inbox::Event {
    inbox::Event {
        at: node.clock.now(),
        by: caller.identity.clone(),
        step,
        why: why.to_owned(),
        single_handed: false,
    }
}

/// The inbox's own entry of what is asked.
pub(super) fn received(node: &Node, asked: &SignedRequirement) -> Result<Item, Invalid> {
    let id = asked.requirement().id;
    let item = node.store.inbox_item(id, node.lists)?;
    let item = item.ok_or_else(|| {
        Invalid::new(Reason::NotFound, "requirement", format!("{id} is not in the inbox"))
    })?;
    check_same(&item.asked().digest.0, asked)?;
    Ok(item)
}

/// One id names one document.
pub(super) fn check_same(digest: &[u8], asked: &SignedRequirement) -> Result<(), Invalid> {
    if digest == asked.digest().0 {
        return Ok(());
    }
    let detail = "was asked before in another document with this id";
    Err(Invalid::new(Reason::RequirementConflict, "requirement.requirement", detail))
}
