//! Paying for what is about to be shown. Comes in: consented cells, and the ledger. Goes out: [`Reserved`], which draws may be
//! shown, with the charges for those that nobody of the tier was shown before. Must never look at a figure: what is
//! charged depends on what is asked and on what was asked before, and on nothing that is held.

use std::collections::BTreeSet;

use accord_proto::{
    clock::Timestamp,
    table::Mode,
    taxonomy::{AudienceCode, Indicator, IndicatorCode, Period, Tier, UnitLife},
};

use super::{
    Rules,
    ledger::{Charge, Ledger},
};
use crate::{
    consent::Consented,
    policy::{Policy, Protection, Terms},
};

/// Draws that may be shown. Made here only.
#[derive(Debug)]
pub struct Reserved {
    covered: BTreeSet<(IndicatorCode, Period, Tier)>,
    charges: Vec<Charge>,
    after: Option<Ledger>,
    exhausted: Vec<(IndicatorCode, Period)>,
}

impl Reserved {
    /// May a tier's figures of this indicator and period be shown?
    pub fn covers(&self, indicator: IndicatorCode, period: Period, tier: Tier) -> bool {
        self.covered.contains(&(indicator, period, tier))
    }

    /// What has to be on record before anything is shown, and the ledger with it; none: everything was paid before.
    pub fn charges(&self) -> Option<(&[Charge], &Ledger)> {
        self.after.as_ref().map(|after| (self.charges.as_slice(), after))
    }

    /// The ledger with the charges, once they are on record.
    pub fn into_ledger(self) -> Option<Ledger> {
        self.after
    }

    /// What no budget had room for: for the node's own eyes.
    pub fn exhausted(&self) -> &[(IndicatorCode, Period)] {
        &self.exhausted
    }
}

/// Looks up every protected indicator and period that is consented to.
pub fn reserve(
    consented: &Consented,
    Rules { editions, policy, lists }: Rules<'_>,
    ledger: &Ledger,
    now: Timestamp,
) -> Reserved {
    let mut reserved = Reserved {
        covered: BTreeSet::new(),
        charges: Vec::new(),
        after: None,
        exhausted: Vec::new(),
    };
    // The newest first: what is old must not use up the budget of what is new.
    let newest_first = |(_, period, _): &Wanted| std::cmp::Reverse(*period);
    let mut wanted: Vec<_> = wanted(consented).into_iter().collect();
    wanted.sort_by_key(newest_first);
    for (indicator, period, audience) in wanted {
        let tier = lists.tier(audience);
        // Nothing is shown of it, and nothing is paid for.
        if !policy.sees_all_of(consented.audience(), audience) {
            continue;
        }
        let Terms::Protected(protection) = policy.terms(indicator) else { continue };
        // Exact figures of the same records are out.
        if editions.signed().bars(indicator, period) {
            continue;
        }
        let edition = editions.answerable(period);
        let edition = edition.filter(|edition| edition.mode(indicator) == Mode::Protected);
        let class = edition.and_then(|edition| edition.class(audience));
        let draw = class.and_then(|class| class.drawn.get(&indicator)?.of(tier));
        let Some(draw) = draw else { continue };
        let unit = lists.indicator_of(indicator);
        let lasting = unit.filter(|unit| unit.unit_life == UnitLife::Lasting);
        let known = reserved.after.as_ref().unwrap_or(ledger);
        let charge = Charge {
            indicator,
            period,
            draw: draw.edition,
            tier,
            nano_rho: draw.nano_rho,
            beside: draw.beside,
            lasting: lasting.map_or(String::new(), |unit| unit.unit_at_risk.clone()),
            at: known.time(now),
        };
        if known.has(&charge) {
            reserved.covered.insert((indicator, period, tier));
            continue;
        }
        let after = reserved.after.get_or_insert_with(|| ledger.clone());
        let budget = |tier| budget(policy, protection, ledger, (period, now), tier);
        match after.charge(charge.clone(), budget) {
            Ok(()) => {
                reserved.charges.push(charge);
                reserved.covered.insert((indicator, period, tier));
            }
            Err(_) => reserved.exhausted.push((indicator, period)),
        }
    }
    if reserved.charges.is_empty() {
        reserved.after = None;
    }
    reserved
}

/// What units of a period may lose to everybody of a tier and wider ones, without what may have been forgotten.
pub fn budget(
    policy: &Policy,
    protection: &Protection,
    ledger: &Ledger,
    (period, now): (Period, Timestamp),
    tier: Tier,
) -> u64 {
    let whole = policy.tier(tier).budget;
    if protection.lasting {
        // What was forgotten may be all of it.
        return if ledger.lost_lately(now) { 0 } else { whole };
    }
    let forgotten = ledger.losses_of(period).saturating_mul(most(policy, protection, tier));
    whole.saturating_sub(forgotten)
}

/// What is left for the units of an indicator in a period, by tier.
pub fn left(
    policy: &Policy,
    protection: &Protection,
    ledger: &Ledger,
    (indicator, period): (&Indicator, Period),
    now: Timestamp,
) -> [u64; 3] {
    let budget = |tier| budget(policy, protection, ledger, (period, now), tier);
    let lasting = if protection.lasting { indicator.unit_at_risk.as_str() } else { "" };
    ledger.left((indicator.code, period), lasting, now, budget)
}

/// The most that an event can lose over all draws of all its periods.
fn most(policy: &Policy, protection: &Protection, tier: Tier) -> u64 {
    let of = |tier: Tier| protection.cost_of_all(tier, policy.tier(tier).variance);
    let wider = Tier::ALL.into_iter().filter(|other| *other > tier && policy.splits_audiences());
    wider.fold(of(tier), |sum, tier| sum.saturating_add(of(tier)))
}

/// An indicator and period, and as whose table.
type Wanted = (IndicatorCode, Period, AudienceCode);

/// Every indicator and period of which some cell is consented to, at more than what is public already.
pub(crate) fn wanted(consented: &Consented) -> BTreeSet<Wanted> {
    let of_block = |block: &crate::consent::ConsentedBlock| {
        let granted = block.coordinates().zip(&block.granted).filter(|(_, granted)| **granted);
        let of = granted.map(|((.., period, _), _)| (block.indicator, period, block.audience));
        of.collect::<BTreeSet<_>>()
    };
    consented.blocks().iter().filter(|block| !block.open_only).flat_map(of_block).collect()
}
