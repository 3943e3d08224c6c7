//! Probability × impact (domain.md §2.9 A). Comes in: one likelihood, several kinds of impact, each from 1 to 5. Goes out: their
//! product. Confidence is no factor.

use serde::{Deserialize, Serialize};

use super::{Figures, Formulated, Gap, Reading, UNIT, fits, fixed, largest, mean};

/// How kinds of impact become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Impact {
    /// The largest.
    Max,
    /// The weighted mean, rounded half up.
    Mean,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct RiskMatrix {
    impact: Impact,
}

impl Formulated for RiskMatrix {
    fn groups(&self) -> &'static [(&'static str, usize, bool)] {
        &[("LIKELIHOOD", 1, true), ("IMPACT", 1, true)]
    }

    fn at(&self, reading: &Reading<'_>) -> Result<Figures, Gap> {
        let likelihood = largest(&reading.group("LIKELIHOOD")?)?;
        let parts = reading.group("IMPACT")?;
        let impact = match self.impact {
            Impact::Max => largest(&parts)?,
            Impact::Mean => {
                let (above, below) = mean(&parts)?;
                let below = fits(below.checked_mul(UNIT))?;
                // Half up: the whole part of the mean and a half.
                let twice = fits(above.checked_mul(2))?;
                fits(twice.checked_add(below))?.div_euclid(fits(below.checked_mul(2))?) * UNIT
            }
        };
        let product = fits(likelihood.checked_mul(impact))?;
        Figures::of(fixed(product / UNIT)?)
            .beside("LIKELIHOOD", fixed(likelihood))?
            .beside("IMPACT", fixed(impact))
    }
}
