//! Protected mode: bounded figures become figures that may leave. Comes in: the cells of an indicator for one release class,
//! its terms, the key of the edition. Goes out: [`Drawn`], what each tier may be shown of every cell, for ever. Must
//! run when an edition is frozen and never again for it.
//!
//! # Why this is enough
//! *Claim:* all recipients together, with every cell, repeat and refusal, learn of one protected unit no more than
//! rho = leaves × levels / 2σ² of zero-concentrated differential privacy (Bun and Steinke 2016). *Argument:* one unit
//! changes at most leaves × levels cells by at most the cap ([`crate::cube::bound`]); each cell has one exact discrete
//! Gaussian of σ caps, margins too, so no equation between cells holds exactly; whether a cell is shown is decided on the
//! noisy figure, and so is its rounding; what wider tiers get is what narrower ones get with more noise. The floors decide besides,
//! but lie so far below the threshold that they change what is shown once in 50,000 cells. *Known limit:* at tier A,
//! rho 3 is weak: what protects there is the closed lattice, the floor, consent and the law. A figure of few large
//! contributions is protected only up to its cap.

use std::collections::BTreeMap;

use accord_proto::{
    id::EditionId,
    rules::Unsafe,
    taxonomy::{Indicator, Semantics, Tier},
};

use super::{noise::EditionKey, precision, rounding};
use crate::{
    cube::Bounded,
    lattice,
    policy::{Policy, Protection},
    record::CellKey,
};

/// What tiers may be shown of one indicator, period and release class. Made here, or read back from the store.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Drawn {
    /// By tier; none: this class does not show it to that tier.
    pub(crate) draws: [Option<Draw>; 3],
    /// Cells that at least one tier may be shown, with what each may be.
    pub(crate) cells: BTreeMap<CellKey, [Option<i64>; 3]>,
}

impl std::fmt::Debug for Drawn {
    /// Prints no number.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Drawn(_)")
    }
}

/// One draw of one tier: published parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    /// The edition that it was made for: a later one may carry its figures on.
    pub edition: EditionId,
    /// 1 for the first draw of a period's cells, 2 for the second.
    pub number: u32,
    /// Of the noise, for a cap of one.
    pub variance: u64,
    /// Of a figure, in thousandths of a unit of 10^-decimals.
    pub standard_error_milli: u64,
    /// What it costs a protected unit, in nano-rho.
    pub nano_rho: u64,
    /// What it costs a unit besides, if somebody has a narrower tier's figure as well.
    pub beside: u64,
}

/// Why a cell is not shown to a tier. For the node's own eyes: outside there is one mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The tier has no such level.
    NotInTheLattice,
    /// A rule of the secret floor.
    Floor(Unsafe),
    /// The noisy figure is below the published threshold.
    BelowThreshold,
}

/// One cell at one tier.
pub type Verdict = Result<i64, Why>;

/// What is the same for all cells of an indicator and class.
pub struct Drawing<'a> {
    /// Whose cells.
    pub indicator: &'a Indicator,
    /// Its terms.
    pub protection: &'a Protection,
    /// Tiers, floors.
    pub policy: &'a Policy,
    /// The number of the draw.
    pub number: u32,
    /// By tier: the draw that is to be shown to it; none: its noise is added for wider ones all the same.
    pub draws: [Option<Draw>; 3],
}

/// The draw with this number at a tier. The second has twice the variance of the first: whoever has all of them keeps
/// no better figure than two thirds of the first one's variance.
pub fn draw(
    policy: &Policy,
    protection: &Protection,
    tier: Tier,
    (edition, number): (EditionId, u32),
) -> Draw {
    let terms = policy.tier(tier);
    let variance = variance(policy, tier, number);
    // A record may count for one audience and not for a narrower one if the policy tells their handling codes apart: then
    // the difference of their figures, of which only the step between their variances hides it, concerns it too.
    // Whether there is such a record is not looked at: what is charged must not depend on what is held.
    let narrower = Tier::ALL.into_iter().take(tier.at()).next_back();
    let below = narrower.map_or(variance, |narrower| self::variance(policy, narrower, number));
    let step = variance.saturating_sub(below);
    // Twice: of a unit with records of both kinds, each audience may count another finest cell.
    let twice = protection.cost(tier, step).saturating_mul(2);
    let beside = if step > 0 && policy.splits_audiences() { twice } else { 0 };
    Draw {
        edition,
        number,
        variance,
        standard_error_milli: precision::standard_error_milli(
            variance,
            protection.cap,
            protection.rounding(terms),
        ),
        nano_rho: protection.cost(tier, variance),
        beside,
    }
}

/// Of the noise in a tier's figures, for a cap of one: the variances of the policy rise with the tier.
pub fn variance(policy: &Policy, tier: Tier, number: u32) -> u64 {
    policy.tier(tier).variance.saturating_mul(u64::from(number))
}

impl Drawing<'_> {
    /// Draws every cell.
    pub fn all(&self, cells: &BTreeMap<CellKey, Bounded>, key: &EditionKey) -> Drawn {
        let shown = cells.iter().filter_map(|(cell, bounded)| {
            let shown = self.one(cell, bounded, key).map(|verdict| verdict?.ok());
            shown.iter().any(Option::is_some).then_some((*cell, shown))
        });
        Drawn { draws: self.draws, cells: shown.collect() }
    }

    /// One cell at every tier that is drawn for; the same verdicts for the same key, for ever.
    pub fn one(&self, cell: &CellKey, bounded: &Bounded, key: &EditionKey) -> [Option<Verdict>; 3] {
        let name = lattice::name(cell, self.indicator);
        let square = u128::from(self.protection.cap.unsigned_abs()).pow(2);
        let (mut noisy, mut drawn) = (bounded.contributions.total, 0);
        Tier::ALL.map(|tier| {
            // The narrower tier's noise, and more. What counts is the release class's own; how noise hangs together is
            // not, or it would tell whether there is anything that only some may see.
            let variance = variance(self.policy, tier, self.number);
            let more = u128::from(variance.saturating_sub(drawn));
            noisy =
                noisy.saturating_add(key.draw(&name, tier.as_str(), square.saturating_mul(more)));
            drawn = variance;
            let draw = self.draws.get(tier.at()).copied().flatten()?;
            Some(self.decide(tier, draw, (cell, bounded), noisy))
        })
    }

    fn decide(
        &self,
        tier: Tier,
        draw: Draw,
        (cell, bounded): (&CellKey, &Bounded),
        noisy: i64,
    ) -> Verdict {
        let lattice = self.protection.lattice(tier).ok_or(Why::NotInTheLattice)?;
        if lattice.canonical(cell) != Some(*cell) {
            return Err(Why::NotInTheLattice);
        }
        floors(self.policy, self.indicator, tier, bounded).map_err(Why::Floor)?;
        let terms = self.policy.tier(tier);
        if noisy < threshold(terms.threshold, draw.number, self.protection.cap) {
            return Err(Why::BelowThreshold);
        }
        Ok(rounding::nearest(noisy, self.protection.rounding(terms).unsigned_abs()))
    }
}

/// The secret floors of a tier. How concentrated a figure is decides on amounts at the narrowest tier alone: elsewhere
/// its absence would tell, and cap and noise protect what a count's unit brings.
pub(crate) fn floors(
    policy: &Policy,
    indicator: &Indicator,
    tier: Tier,
    bounded: &Bounded,
) -> Result<(), Unsafe> {
    let (floor, contributions) = (policy.floor(tier), &bounded.contributions);
    if indicator.semantics == Semantics::Magnitude && tier == Tier::A {
        floor.check(contributions, indicator.human_sources)
    } else {
        floor.check_numbers(contributions, indicator.human_sources)
    }
}

/// The published threshold of a draw: as many standard deviations above the floor as that of the first, rounded up.
pub fn threshold(first: i64, number: u32, cap: i64) -> i64 {
    let square = i128::from(first) * i128::from(first) * i128::from(number);
    let root = square.max(0).isqrt();
    let up = i128::from(root * root < square);
    i64::try_from((root + up) * i128::from(cap)).unwrap_or(i64::MAX)
}

impl Drawn {
    /// What a tier may be shown of a canonical cell.
    pub fn shown(&self, cell: &CellKey, tier: Tier) -> Option<i64> {
        self.cells.get(cell)?.get(tier.at()).copied().flatten()
    }

    /// The draw that a tier's figures are of.
    pub fn of(&self, tier: Tier) -> Option<&Draw> {
        self.draws.get(tier.at())?.as_ref()
    }

    /// Takes over a tier's figures as they were shown before.
    pub(crate) fn carry(&mut self, before: &Self, tier: Tier) {
        let at = tier.at();
        let Some(place) = self.draws.get_mut(at) else { return };
        *place = before.of(tier).copied();
        for (cell, shown) in &before.cells {
            let Some(value) = shown.get(at).copied().flatten() else { continue };
            if let Some(place) = self.cells.entry(*cell).or_default().get_mut(at) {
                *place = Some(value);
            }
        }
    }
}
