//! Confirming a store that may have forgotten charges. Comes in: a releaser's word. Goes out: a loss in the privacy ledger, from
//! which on budgets are relied on again. Must never give back anything: everything that may have been forgotten counts as spent.

use std::sync::PoisonError;

use accord_proto::{
    journal::Act,
    reason::{Invalid, Reason},
    transport::Peer,
};

use super::{entry, summaries::looks_personal};
use crate::{
    answer::{Held, Node},
    summary::Deed,
};

/// What was put on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confirmed {
    /// Sequence of the journal entry.
    pub sequence: u64,
    /// How often the ledger may have forgotten something, this time included.
    pub losses: u64,
}

/// Takes the store as it is, with everything charged that it may have forgotten.
pub async fn confirm(node: &Node, caller: &Peer, why: &str) -> Result<Confirmed, Invalid> {
    let confirmed = accord_proto::busy::here(|| lose(node, caller, why))?;
    node.store.settled().await?;
    Ok(confirmed)
}

fn lose(node: &Node, caller: &Peer, why: &str) -> Result<Confirmed, Invalid> {
    let deed = Deed::new(node.clock.now(), caller.identity.clone(), why, looks_personal)?;
    let mut held = node.held.write().unwrap_or_else(PoisonError::into_inner);
    let Held { editions, ledger, .. } = &mut *held;
    let mut change = node.store.begin_taking_back()?;
    if !change.in_doubt() {
        let detail = "nothing is to be confirmed: the store is not in doubt";
        return Err(Invalid::new(Reason::NotFound, "restore", detail));
    }
    let ledger = ledger.get_mut().unwrap_or_else(PoisonError::into_inner);
    let mut after = ledger.clone();
    // A clock that is behind would leave periods out that had begun: what was frozen had begun for certain.
    let frozen = editions.iter().map(|edition| edition.frozen_at).max();
    let at = ledger.time(frozen.map_or(deed.at, |frozen| frozen.max(deed.at)));
    after.lose(at);
    change.confirm(at, &after);
    let sequence = change.entry_sequence();
    let losses = after.losses();
    let subject = format!("the privacy ledger may have forgotten charges, {losses} times so far");
    change.commit(entry(node, caller, Act::Alteration, &deed.why, &subject, after.head()))?;
    *ledger = after;
    Ok(Confirmed { sequence, losses })
}
