//! What national staff do: freeze here, consent, imports and own totals beside it. Comes in: a person's checked identity and request.
//! Goes out: an acknowledgement, given only when it would survive a power cut. Must never let one role
//! do what belongs to another.

use std::sync::PoisonError;

use accord_proto::{
    id::EditionId,
    identity::{Place, Role},
    journal::{Act, Entry},
    limits::FREEZE_PERIODS_MAX,
    reason::{Invalid, Reason},
    seal::Digest,
    table::EditionRef,
    taxonomy::Period,
    transport::Peer,
};

use tracing::warn;

use crate::{
    answer::{Held, Node},
    disclose::offer::Outcome,
    freeze::{Edition, Freezing, Origin},
    store::{Change, Store},
};

pub mod backup;
pub mod budget;
pub mod confirm;
pub mod dissent;
pub mod bulletins;
pub mod grants;
pub mod imports;
pub mod inbox;
pub mod leave;
pub mod maintenance;
pub mod pictures;
pub mod receipts;
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
    let frozen = accord_proto::busy::here(|| freeze_all(node, caller, &periods))?;
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

/// With which reserve of the disk a change begins.
type Begin = for<'a> fn(&'a Store) -> Result<Change<'a>, Invalid>;

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
