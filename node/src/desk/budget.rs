//! What protected units have lost, and what is left. Comes in: which indicator. Goes out: a line for each indicator, period and tier, from
//! the ledger and public parameters alone. Must never look at a figure: an auditor and an operator may see this.

use std::{collections::BTreeSet, sync::PoisonError};

use accord_proto::{
    table::Mode,
    taxonomy::{IndicatorCode, Period, Tier},
};

use crate::{
    answer::Node,
    disclose::{epsilon::epsilon, protect, reserve},
    policy::Terms,
};

/// One indicator, period and tier. Amounts are nano-rho.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Whose units.
    pub indicator: IndicatorCode,
    /// In which period; units that last have one budget for all of them.
    pub period: Period,
    /// Lost to everybody of this tier and wider ones.
    pub tier: Tier,
    /// Kind of unit, where units last; empty for events.
    pub lasting: String,
    /// What the policy allows.
    pub budget: u64,
    /// What was charged, as far as the ledger knows.
    pub spent: u64,
    /// What is left; what may have been forgotten is not.
    pub left: u64,
    /// Of what was charged, at delta 10^-6.
    pub epsilon_spent: f64,
    /// Draws that were shown, or may have been.
    pub draws: u32,
    /// How many there may be.
    pub draws_max: u32,
    /// What the next draw would cost; 0: there may be none.
    pub next_cost: u64,
}

/// Every period that has an edition or a charge, by indicator in mode protected.
pub fn lines(node: &Node, wanted: Option<IndicatorCode>) -> Vec<Line> {
    let held = node.held.read().unwrap_or_else(PoisonError::into_inner);
    let ledger = held.ledger.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let frozen = held.editions.iter().flat_map(|edition| {
        let protected = edition.terms.iter().filter(|(_, (mode, _))| *mode == Mode::Protected);
        protected.map(|(indicator, _)| (*indicator, edition.reference.period)).collect::<Vec<_>>()
    });
    let mut pairs: BTreeSet<_> = frozen.collect();
    drop(held);
    pairs.extend(ledger.charged());
    let (policy, now) = (&node.policy, node.clock.now());
    let mut lines = Vec::new();
    for (code, period) in pairs {
        let Terms::Protected(protection) = policy.terms(code) else { continue };
        let Some(indicator) = node.lists.indicator_of(code) else { continue };
        let offered = protection.lattice(Tier::A);
        let has = |length| offered.is_some_and(|of| of.levels().granularity.contains(&length));
        if wanted.is_some_and(|wanted| wanted != code) || !has(period.granularity()) {
            continue;
        }
        let lasting = if protection.lasting { indicator.unit_at_risk.as_str() } else { "" };
        let whole = |tier: Tier| policy.tier(tier).budget;
        let known = ledger.left((code, period), lasting, now, |_| u64::MAX);
        let left = reserve::left(policy, protection, &ledger, (indicator, period), now);
        let next = ledger.draws(code, period, Tier::A).saturating_add(1);
        for ((tier, known), left) in Tier::ALL.into_iter().zip(known).zip(left) {
            let spent = u64::MAX - known;
            let (draws, draws_max) = (ledger.draws(code, period, tier), protection.draws_max(tier));
            let variance = protect::variance(policy, tier, next);
            let next_cost = if draws < draws_max { protection.cost(tier, variance) } else { 0 };
            lines.push(Line {
                indicator: code,
                period,
                tier,
                lasting: lasting.to_owned(),
                budget: whole(tier),
                spent,
                left,
                epsilon_spent: epsilon(spent),
                draws,
                draws_max,
                next_cost,
            });
        }
    }
    lines
}
