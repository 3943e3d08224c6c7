//! What each width of audience gets in protected mode: published parameters. Comes in: tables `[tier.A]` of the public
//! policy. Goes out: checked terms. Must never accept terms that make a figure betray its floor or spend more than a year has.
//!
//! Variances are totals: what tier B gets is made from what tier A gets and more noise, tier C's from tier B's. Whoever has all
//! three knows no more than tier A.

use accord_proto::{
    limits::{TIER_ROUNDING_MAX, TIER_THRESHOLD_MAX, TIER_VARIANCE_MAX},
    reason::{Invalid, Reason},
    rules::Rules,
    taxonomy::Tier,
};
use serde::Deserialize;

/// Nano-rho in a rho.
pub(super) const NANO: u64 = 1_000_000_000;

/// Published terms of one tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TierTerms {
    /// Of the noise in a figure of the first draw, for a cap of one.
    pub variance: u64,
    /// A figure is shown only if it is at least this with its noise, for a cap of one and the first draw.
    pub threshold: i64,
    /// Figures are rounded to multiples of this.
    pub rounding: i64,
    /// How often a cell may be drawn over all editions of its period.
    pub draws_max: u32,
    /// Cells that one unit may count in.
    pub levels_max: u32,
    /// What one protected unit may lose to everybody of this tier and wider ones within 12 months, in nano-rho.
    pub budget: u64,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTier {
    variance: Option<u64>,
    threshold: Option<i64>,
    rounding: Option<i64>,
    draws: Option<u32>,
    budget: Option<f64>,
}

impl TierTerms {
    /// disclosure.md §8.2.
    pub const fn shipped(tier: Tier) -> Self {
        let milli = NANO / 1000;
        match tier {
            Tier::A => Self {
                variance: 3,
                threshold: 10,
                rounding: 1,
                draws_max: 2,
                levels_max: 18,
                budget: 12_000 * milli,
            },
            Tier::B => Self {
                variance: 9,
                threshold: 17,
                rounding: 5,
                draws_max: 1,
                levels_max: 12,
                budget: 2_700 * milli,
            },
            Tier::C => Self {
                variance: 36,
                threshold: 35,
                rounding: 10,
                draws_max: 1,
                levels_max: 8,
                budget: 500 * milli,
            },
        }
    }

    /// The shipped terms with what a policy makes stricter.
    pub(super) fn read(tier: Tier, raw: &RawTier) -> Result<Self, Invalid> {
        let shipped = Self::shipped(tier);
        let unsafe_setting = |name: &str, detail: String| {
            Err(Invalid::new(Reason::PolicyUnsafe, format!("policy.tier.{tier}.{name}"), detail))
        };
        if let Some(budget) = raw.budget
            && !(budget.is_finite() && budget > 0.0 && budget <= rho(shipped.budget))
        {
            let most = rho(shipped.budget);
            return unsafe_setting("budget", format!("must be above 0 and at most {most}"));
        }
        #[expect(clippy::cast_possible_truncation, reason = "rounded down and bounded above")]
        #[expect(clippy::cast_sign_loss, reason = "checked to be positive")]
        #[expect(clippy::cast_precision_loss, reason = "10^9 is exact")]
        let nano = |budget: f64| (budget * NANO as f64).floor() as u64;
        let terms = Self {
            variance: raw.variance.unwrap_or(shipped.variance),
            threshold: raw.threshold.unwrap_or(shipped.threshold),
            rounding: raw.rounding.unwrap_or(shipped.rounding),
            draws_max: raw.draws.unwrap_or(shipped.draws_max),
            budget: raw.budget.map_or(shipped.budget, nano),
            ..shipped
        };
        if terms.variance < shipped.variance || terms.variance > TIER_VARIANCE_MAX {
            let least = shipped.variance;
            return unsafe_setting("variance", format!("must be {least} to {TIER_VARIANCE_MAX}"));
        }
        if terms.threshold < shipped.threshold || terms.threshold > TIER_THRESHOLD_MAX {
            let least = shipped.threshold;
            return unsafe_setting("threshold", format!("must be {least} to {TIER_THRESHOLD_MAX}"));
        }
        if !(1..=TIER_ROUNDING_MAX).contains(&terms.rounding) {
            return unsafe_setting("rounding", format!("must be 1 to {TIER_ROUNDING_MAX}"));
        }
        if !(1..=shipped.draws_max).contains(&terms.draws_max) {
            let most = shipped.draws_max;
            return unsafe_setting("draws", format!("must be 1 to {most}"));
        }
        Ok(terms)
    }

    /// Is the threshold so far above the floor that the floor, which nobody outside knows, hardly ever decides? Else
    /// whether a figure is shown would say on which side of the floor it lies (disclosure.md §8.1 step 9). The
    /// distance is 4.1 standard deviations: once in 50,000.
    pub fn hides(&self, floor: &Rules) -> bool {
        let twice = i128::from(self.threshold) * 2 - i128::from(floor.units_min) * 2 + 1;
        // (2τ − 2k + 1)² ≥ (2 · 4.1 σ)² = 67.24 σ²
        twice > 0 && twice * twice * 100 >= 6_724 * i128::from(self.variance)
    }

    /// What a unit that counts in `levels` cells loses to one draw with this variance: rho = Δ² / 2σ² (disclosure.md §3.3),
    /// in nano-rho, rounded up.
    pub fn nano_rho(levels: u32, leaves: u32, variance: u64) -> u64 {
        let cells = u128::from(levels) * u128::from(leaves) * u128::from(NANO);
        u64::try_from(cells.div_ceil(2 * u128::from(variance.max(1)))).unwrap_or(u64::MAX)
    }
}

/// For people.
#[expect(clippy::cast_precision_loss, reason = "for people")]
pub fn rho(nano: u64) -> f64 {
    nano as f64 / NANO as f64
}
