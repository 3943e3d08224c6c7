//! Trying another policy at home. Comes in: the texts of both files. Goes out: what it would leave, beside what the policy in force leaves; or
//! why it is refused. Must never change, charge or keep anything, nor repeat a parameter of the secret part.

use std::sync::PoisonError;

use accord_proto::{
    id::EditionId,
    journal::Act,
    limits::TOTALS_PERIODS_MAX,
    reason::{Invalid, Reason},
    seal::Digest,
    taxonomy::Period,
    transport::Peer,
};

use super::entry;
use crate::{
    answer::Node,
    disclose::noise::Root,
    policy::{Files, Policy},
    preview::whatif::{Share, Trial, shares},
};

/// What the policy in force leaves, and what another would.
#[derive(Clone, Debug, Default)]
pub struct Compared {
    /// In force.
    pub now: Vec<Share>,
    /// Under the files that are given.
    pub then: Vec<Share>,
}

/// Tries a policy on the records as they are now. An empty `secret` stands for the floors in force.
pub async fn try_policy(
    node: &Node,
    caller: &Peer,
    (public, secret): (&str, &str),
) -> Result<Compared, Invalid> {
    let compared = accord_proto::busy::here(|| compare(node, caller, (public, secret)))?;
    node.store.settled().await?;
    Ok(compared)
}

fn compare(
    node: &Node,
    caller: &Peer,
    (public, secret): (&str, &str),
) -> Result<Compared, Invalid> {
    let Node { jurisdiction, lists, .. } = node;
    let policy = if secret.is_empty() {
        node.policy.with_public(public, *jurisdiction, lists)?
    } else {
        let files = Files { public, secret, salt: node.store.salt() };
        Policy::parse(files, *jurisdiction, lists)?
    };
    // Who looks stands in the journal: shares of what is held tell about it.
    let digest = policy.digest();
    node.store.begin()?.commit(entry(
        node,
        caller,
        Act::Consultation,
        "desk",
        "policy what-if",
        digest,
    ))?;
    let mut root = [0; 32];
    node.entropy.fill(&mut root)?;
    let edition = EditionId::mint(node.clock.as_ref(), node.entropy.as_ref())?;
    let held = node.held.read().unwrap_or_else(PoisonError::into_inner);
    let mut periods = held.live.periods();
    let frozen = held.editions.references().map(|edition| edition.period);
    periods.extend(frozen.collect::<Vec<Period>>());
    periods.sort_unstable();
    periods.dedup();
    if periods.len() > TOTALS_PERIODS_MAX {
        let detail = format!("{} periods where {TOTALS_PERIODS_MAX} is the most", periods.len());
        return Err(Invalid::new(Reason::LimitExceeded, "period", detail));
    }
    let Some(first) = periods.first() else {
        return Ok(Compared { now: Vec::new(), then: Vec::new() });
    };
    // Thrown away: what is drawn here is shown to nobody outside.
    let key = Root::new(root).edition(*first, 1, Digest::of(&root));
    let secret = node.store.pseudonym_secret();
    let trial = Trial { live: &held.live, periods: &periods, lists, key: &key, edition, secret };
    Ok(Compared { now: shares(&node.policy, trial), then: shares(&policy, trial) })
}
