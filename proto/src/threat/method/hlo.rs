//! Harm, likelihood and organisational position (domain.md §2.9 C). Comes in: levels of each. Goes out: harm × likelihood;
//! beside it the organisation's gap, and a priority that takes it into account. The gap is no part of the risk.

use serde::{Deserialize, Serialize};

use super::{Figures, Formulated, Gap, Input, Reading, UNIT, fits, fixed, sum};
use crate::{
    reason::{Invalid, Reason},
    threat::fixed::Fixed,
};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Hlo {
    /// By so much of itself the widest gap raises a priority.
    priority_gain: Fixed,
}

impl Formulated for Hlo {
    fn groups(&self) -> &'static [(&'static str, usize, bool)] {
        &[("HARM", 1, true), ("LIKELIHOOD", 1, true), ("POSITION", 0, false)]
    }

    fn check(&self, _: &[Input]) -> Result<(), Invalid> {
        if self.priority_gain >= Fixed::ZERO {
            return Ok(());
        }
        let detail = "must not be below 0: a gap never lowers a priority";
        Err(Invalid::new(Reason::FieldInvalid, "formula.priority_gain", detail))
    }

    fn at(&self, reading: &Reading<'_>) -> Result<Figures, Gap> {
        let risk = |harm: Result<Vec<_>, Gap>, likelihood: Result<Vec<_>, Gap>| {
            fits(sum(&harm?)?.checked_mul(sum(&likelihood?)?))
        };
        let of = risk(reading.group("HARM"), reading.group("LIKELIHOOD"))?;
        let most = risk(reading.most("HARM"), reading.most("LIKELIHOOD"))?;
        let position = reading.group("POSITION").and_then(|parts| sum(&parts));
        let widest = reading.most("POSITION").and_then(|parts| sum(&parts));
        let priority = position.and_then(|position| self.priority((of, most), (position, widest?)));
        Figures::of(fixed(of / UNIT)?)
            .beside("POSITION", position.and_then(fixed))?
            .beside("PRIORITY", priority)
    }
}

impl Hlo {
    /// 100 · risk / most · (1 + gain · position / widest), as one fraction.
    fn priority(
        &self,
        (of, most): (i128, i128),
        (position, widest): (i128, i128),
    ) -> Result<Fixed, Gap> {
        let gain = fits(self.priority_gain.millionths().checked_mul(position))?;
        let factor = fits(widest.checked_mul(UNIT).and_then(|whole| whole.checked_add(gain)))?;
        let above = fits(of.checked_mul(100).and_then(|of| of.checked_mul(factor)))?;
        let below = fits(most.checked_mul(widest).and_then(|most| most.checked_mul(UNIT)))?;
        fits(Fixed::ratio(above, below))
    }
}
