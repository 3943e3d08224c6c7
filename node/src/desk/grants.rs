//! Consent, as national staff give it and take it back. Comes in: a releaser's word. Goes out: the consent epoch, given only
//! when the change would survive a power cut. Must never change a grant without raising the epoch and writing the journal in the
//! same transaction.

use std::sync::PoisonError;

use accord_proto::{
    id::GrantId,
    journal::Act,
    limits::GRANTS_MAX,
    reason::{Invalid, Reason},
    seal::Digest,
    transport::Peer,
};

use super::{Begin, entry, imports::impersonal};
use crate::{
    answer::Node,
    consent::{Deed, Grant, RawGrant, Step},
    store::Store,
};

/// Gives consent, or a rule that forbids. The same grant twice is one grant.
pub async fn give(node: &Node, caller: &Peer, raw: RawGrant) -> Result<u64, Invalid> {
    // Conditions are read by whoever releases, and stand in backups: not about a person.
    impersonal("conditions", &raw.conditions)?;
    let id = GrantId::parse("grant", &raw.grant)?;
    let epoch = change(node, caller, (Step::Give, Store::begin), id, |known, deed| {
        let fresh = Grant::give(&raw, deed, node.lists)?;
        let conflict = |detail| Err(Invalid::new(Reason::GrantConflict, "grant", detail));
        match known {
            Some(known) if known.withdrawn() => {
                conflict("was withdrawn; give the new consent an id of its own")
            }
            Some(known) if known.given_as() == fresh.to_raw() => Ok(None),
            Some(_) => conflict("another grant with this id exists"),
            None => Ok(Some(fresh)),
        }
    })?;
    node.store.settled().await?;
    Ok(epoch)
}

/// Leaves a grant with less, effective at once and for every later use. What would be more is refused.
pub async fn narrow(node: &Node, caller: &Peer, raw: RawGrant) -> Result<u64, Invalid> {
    impersonal("conditions", &raw.conditions)?;
    let id = GrantId::parse("grant", &raw.grant)?;
    let act = (Step::Narrow, Store::begin_taking_back as Begin);
    let epoch = change(node, caller, act, id, |known, deed| {
        there_is(known, id)?.narrow(&raw, deed, node.lists)
    })?;
    node.store.settled().await?;
    Ok(epoch)
}

/// Puts a grant out of use until it is resumed.
pub async fn suspend(node: &Node, caller: &Peer, id: &str) -> Result<u64, Invalid> {
    let id = GrantId::parse("grant", id)?;
    let act = (Step::Suspend, Store::begin_taking_back as Begin);
    let epoch = change(node, caller, act, id, |known, deed| there_is(known, id)?.suspend(deed))?;
    node.store.settled().await?;
    Ok(epoch)
}

/// Takes a suspended grant into use again.
pub async fn resume(node: &Node, caller: &Peer, id: &str) -> Result<u64, Invalid> {
    let id = GrantId::parse("grant", id)?;
    let act = (Step::Resume, Store::begin as Begin);
    let epoch = change(node, caller, act, id, |known, deed| there_is(known, id)?.resume(deed))?;
    node.store.settled().await?;
    Ok(epoch)
}

/// Takes consent back, effective at once and for every later use.
pub async fn withdraw(node: &Node, caller: &Peer, id: &str) -> Result<u64, Invalid> {
    let id = GrantId::parse("grant", id)?;
    let act = (Step::Withdraw, Store::begin_taking_back as Begin);
    let epoch =
        change(node, caller, act, id, |known, deed| Ok(there_is(known, id)?.withdraw(deed)))?;
    node.store.settled().await?;
    Ok(epoch)
}

fn there_is(known: Option<&Grant>, id: GrantId) -> Result<&Grant, Invalid> {
    known.ok_or_else(|| Invalid::new(Reason::NotFound, "grant", format!("there is no grant {id}")))
}

/// Changes one grant as `decide` says (none: leave it) and raises the consent epoch with it.
fn change(
    node: &Node,
    caller: &Peer,
    (step, begin): (Step, Begin),
    id: GrantId,
    decide: impl FnOnce(Option<&Grant>, Deed) -> Result<Option<Grant>, Invalid>,
) -> Result<u64, Invalid> {
    let mut held = node.held.write().unwrap_or_else(PoisonError::into_inner);
    let mut change = begin(&node.store)?;
    let at = held.grants.iter().position(|known| known.id() == id);
    if at.is_none() && held.grants.len() >= GRANTS_MAX {
        let detail = format!("{GRANTS_MAX} grants are the most");
        return Err(Invalid::new(Reason::LimitExceeded, "grant", detail));
    }
    let before = change.consent_epoch();
    let epoch = change.raise_consent_epoch();
    let deed = Deed { epoch, at: node.clock.now(), by: Some(caller.identity.clone()) };
    let Some(grant) = decide(at.and_then(|at| held.grants.get(at)), deed)? else {
        return Ok(before);
    };
    change.grant(&grant);
    let digest = Digest::of(format!("{:?} {}", grant.to_raw(), step.as_str()).as_bytes());
    let subject = format!("{id}#{}", grant.number());
    let why = format!("grant {}", step.as_str());
    change.commit(entry(node, caller, Act::Alteration, &why, &subject, digest))?;
    match at.and_then(|at| held.grants.get_mut(at)) {
        Some(known) => *known = grant,
        None => held.grants.push(grant),
    }
    Ok(epoch)
}
