//! What national staff do: freeze and consent here, imports and own totals beside it. Comes in: a person's checked identity and request.
//! Goes out: an acknowledgement, given only when it would survive a power cut. Must never let one role
//! do what belongs to another.

use std::sync::PoisonError;

use accord_proto::{
    id::{EditionId, GrantId},
    identity::{Place, Role},
    journal::{Act, Entry},
    limits::{FREEZE_PERIODS_MAX, GRANTS_MAX},
    reason::{Invalid, Reason},
    seal::Digest,
    table::EditionRef,
    taxonomy::Period,
    transport::Peer,
};

use tracing::warn;

use crate::{
    answer::{Held, Node},
    consent::{Grant, RawGrant},
    disclose::offer::Outcome,
    freeze::{Edition, Freezing, Origin},
    store::{Change, Store},
};

pub mod backup;
pub mod budget;
pub mod confirm;
pub mod bulletins;
pub mod imports;
pub mod inbox;
pub mod leave;
pub mod retention;
pub mod templates;
pub mod totals;
pub mod whatif;
pub mod summaries;

/// Refuses everybody but this node's own staff in one of `roles`.
pub fn check_staff(node: &Node, caller: &Peer, roles: &[Role]) -> Result<(), Invalid> {
    let identity = &caller.identity;
    let own = identity.federation == node.identity.federation
        && identity.place == Place::Jurisdiction(node.jurisdiction)
        && identity.role.is_staff();
    if own && roles.contains(&identity.role) {
        return Ok(());
    }
    let wanted: Vec<_> = roles.iter().map(|role| role.one()).collect();
    let detail =
        format!("{identity} may not; this takes {} of {}", wanted.join(" or "), node.jurisdiction);
    Err(Invalid::new(Reason::CertificateRole, "certificate", detail))
}

/// What a call to freeze came to.
#[derive(Debug, Default)]
pub struct Frozen {
    /// Newest edition of every other period.
    pub editions: Vec<EditionRef>,
    /// Periods with nothing to freeze.
    pub skipped: Vec<Period>,
}

/// Freezes the periods from `first` to `last`. Periods without records are left out, and so are those
/// whose newest edition says the same; at least one period must hold something.
pub async fn freeze(
    node: &Node,
    caller: &Peer,
    first: &str,
    last: &str,
) -> Result<Frozen, Invalid> {
    let first = Period::parse("first_period", first)?;
    let last = if last.is_empty() { first } else { Period::parse("last_period", last)? };
    let periods = Period::range(first, last, FREEZE_PERIODS_MAX).ok_or_else(|| {
        let detail = format!("must follow {first}, be of the same length, and at most {FREEZE_PERIODS_MAX} periods on");
        Invalid::new(Reason::PeriodInvalid, "last_period", detail)
    })?;
    let frozen = tokio::task::block_in_place(|| freeze_all(node, caller, &periods))?;
    node.store.settled().await?;
    Ok(frozen)
}

fn freeze_all(node: &Node, caller: &Peer, periods: &[Period]) -> Result<Frozen, Invalid> {
    let mut held = node.held.write().unwrap_or_else(PoisonError::into_inner);
    let held: &mut Held = &mut held;
    let mut change = node.store.begin()?;
    let imports = change.imports();
    let root = change.noise_root()?;
    let mut ledger = held.ledger.get_mut().unwrap_or_else(PoisonError::into_inner).clone();
    if change.in_doubt() {
        // As if it were confirmed now: what may have been drawn before is drawn with more noise.
        let frozen = held.editions.iter().map(|edition| edition.frozen_at).max();
        ledger.lose(frozen.map_or(node.clock.now(), |frozen| frozen.max(node.clock.now())));
    }
    let (mut frozen, mut references, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
    let mut nothing = None;
    for period in periods {
        let id = EditionId::mint(node.clock.as_ref(), node.entropy.as_ref())?;
        let by = caller.identity.clone();
        let origin = Origin { edition: id, now: node.clock.now(), by, imports };
        let freezing = Freezing {
            live: &held.live,
            editions: &held.editions,
            ledger: &ledger,
            policy: &node.policy,
            lists: node.lists,
            root: &root,
            secret: node.store.pseudonym_secret(),
        };
        match freezing.edition(*period, origin) {
            Ok(Some(edition)) => {
                references.push(edition.reference);
                change.edition(&edition, node.lists)?;
                frozen.push(edition);
            }
            Ok(None) => {
                references.extend(held.editions.newest(*period).map(|edition| edition.reference))
            }
            Err(error) => {
                skipped.push(*period);
                nothing = Some(error);
            }
        }
    }
    if let (true, Some(nothing)) = (references.is_empty(), nothing) {
        return Err(nothing);
    }
    if !frozen.is_empty() {
        let names: Vec<_> = frozen
            .iter()
            .map(|edition| format!("{}#{}", edition.reference.period, edition.reference.number))
            .collect();
        let digest = Digest::of(names.join(",").as_bytes());
        change.ratchet_noise()?;
        let included = summaries::include(node, caller, &held.summaries, &frozen, &mut change)?;
        change.commit(entry(node, caller, Act::Alteration, "freeze", &names.join(","), digest))?;
        note_refused(&frozen);
        for edition in frozen {
            held.editions.lift(edition.reference.period);
            held.editions.put(edition);
        }
        included.into_iter().for_each(|(id, version)| held.summaries.put(id, version));
    }
    Ok(Frozen { editions: references, skipped })
}

/// At home it is said why; outside the cells are not shown, like any other.
fn note_refused(frozen: &[Edition]) {
    for edition in frozen {
        for (indicator, offer) in &edition.offers {
            if let Outcome::Refused(why) = &offer.outcome {
                let period = edition.reference.period;
                warn!(%indicator, %period, "no bulletin: {why}");
            }
        }
    }
}

/// Gives consent. The same grant twice is one grant.
pub async fn grant(node: &Node, caller: &Peer, raw: RawGrant) -> Result<u64, Invalid> {
    let grant = Grant::parse(raw, node.lists)?;
    let act = ("grant", Store::begin as Begin);
    let epoch = change_consent(node, caller, act, grant.id(), |known| match known {
        Some(known) if known.withdrawn() => {
            let detail = "was withdrawn; give the new consent an id of its own";
            Err(Invalid::new(Reason::GrantConflict, "grant", detail))
        }
        Some(known) if known.to_raw() == grant.to_raw() => Ok(None),
        Some(_) => {
            Err(Invalid::new(Reason::GrantConflict, "grant", "another grant with this id exists"))
        }
        None => Ok(Some(grant.clone())),
    })?;
    node.store.settled().await?;
    Ok(epoch)
}

/// Takes consent back, effective at once and for every later use.
pub async fn withdraw(node: &Node, caller: &Peer, id: &str) -> Result<u64, Invalid> {
    let id = GrantId::parse("grant", id)?;
    let act = ("withdraw", Store::begin_taking_back as Begin);
    let epoch = change_consent(node, caller, act, id, |known| match known {
        Some(known) if known.withdrawn() => Ok(None),
        Some(known) => Ok(Some(known.clone().withdraw())),
        None => Err(Invalid::new(Reason::NotFound, "grant", format!("there is no grant {id}"))),
    })?;
    node.store.settled().await?;
    Ok(epoch)
}

/// With which reserve of the disk a change begins.
type Begin = for<'a> fn(&'a Store) -> Result<Change<'a>, Invalid>;

/// Changes one grant as `decide` says (none: leave it) and raises the consent epoch with it.
fn change_consent(
    node: &Node,
    caller: &Peer,
    (why, begin): (&str, Begin),
    id: GrantId,
    decide: impl FnOnce(Option<&Grant>) -> Result<Option<Grant>, Invalid>,
) -> Result<u64, Invalid> {
    let mut held = node.held.write().unwrap_or_else(PoisonError::into_inner);
    let mut change = begin(&node.store)?;
    let at = held.grants.iter().position(|known| known.id() == id);
    if at.is_none() && held.grants.len() >= GRANTS_MAX {
        let detail = format!("{GRANTS_MAX} grants are the most");
        return Err(Invalid::new(Reason::LimitExceeded, "grant", detail));
    }
    let Some(grant) = decide(at.and_then(|at| held.grants.get(at)))? else {
        return Ok(change.consent_epoch());
    };
    let epoch = change.raise_consent_epoch();
    change.grant(id, &grant);
    let digest = Digest::of(format!("{:?} {}", grant.to_raw(), grant.withdrawn()).as_bytes());
    change.commit(entry(node, caller, Act::Alteration, why, &id.to_string(), digest))?;
    match at.and_then(|at| held.grants.get_mut(at)) {
        Some(known) => *known = grant,
        None => held.grants.push(grant),
    }
    Ok(epoch)
}

fn entry(node: &Node, caller: &Peer, act: Act, why: &str, subject: &str, digest: Digest) -> Entry {
    Entry {
        at: node.clock.now(),
        act,
        by: caller.identity.clone(),
        to: String::new(),
        why: why.to_owned(),
        subject: subject.to_owned(),
        digest,
    }
}
