//! After the SOCTA (domain.md §2.9 G), whose own weights and thresholds are not public. Comes in: indicators of an area, effects,
//! the share of groups in a high band, crime-relevant factors. Goes out: the mean of the indicators, and a verdict by it and by
//! the gravest effect. Factors change the forecast and nothing else.

use serde::{Deserialize, Serialize};

use super::{FACTORS, Figures, Formulated, Gap, Input, Reading, UNIT, fits, fixed, largest, mean};
use crate::{
    limits::METHOD_BANDS_MAX,
    reason::{Invalid, Reason},
    threat::fixed::Fixed,
};

const VERDICTS: [&str; 3] = ["KEY_THREAT", "THREAT", "MONITOR"];

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Socta {
    /// Mean of the indicators from which the next row of the matrix counts, ascending.
    indicators_from: Vec<Fixed>,
    /// Gravest effect from which the next column counts, ascending.
    effects_from: Vec<Fixed>,
    /// One row more than `indicators_from`, each with one verdict more than `effects_from`.
    verdicts: Vec<Vec<String>>,
    /// By so much the factors, at their most, move the forecast.
    forecast_gain: Fixed,
}

impl Formulated for Socta {
    fn groups(&self) -> &'static [(&'static str, usize, bool)] {
        &[("INDICATOR", 1, true), ("EFFECT", 1, true), ("OCG_LOAD", 0, false), (FACTORS, 0, false)]
    }

    fn check(&self, _: &[Input]) -> Result<(), Invalid> {
        let wrong = |detail: &str| Err(Invalid::new(Reason::FieldInvalid, "formula", detail));
        let (rows, columns) = (self.indicators_from.len() + 1, self.effects_from.len() + 1);
        let ascend = [&self.indicators_from, &self.effects_from];
        if !ascend.iter().all(|from| from.is_sorted_by(|a, b| a < b)) {
            return wrong("thresholds must ascend");
        }
        let shaped = self.verdicts.len() == rows
            && self.verdicts.iter().all(|row| row.len() == columns)
            && rows.max(columns) <= METHOD_BANDS_MAX;
        if !shaped {
            return wrong("needs a verdict for each step of indicators and each step of effects");
        }
        if self.forecast_gain < Fixed::ZERO {
            return wrong("forecast_gain must not be below 0");
        }
        let rank = |verdict: &String| VERDICTS.iter().position(|known| known == verdict);
        let ranks =
            self.verdicts.iter().map(|row| row.iter().map(rank).collect::<Option<Vec<_>>>());
        let Some(ranks) = ranks.collect::<Option<Vec<_>>>() else {
            return wrong("verdicts are KEY_THREAT, THREAT and MONITOR");
        };
        let columns = ranks.windows(2).all(|pair| {
            let [above, below] = pair else { return true };
            above.iter().zip(below).all(|(above, below)| above >= below)
        });
        if !columns || !ranks.iter().all(|row| row.is_sorted_by(|a, b| a >= b)) {
            return wrong("more must never give a milder verdict");
        }
        Ok(())
    }

    fn at(&self, reading: &Reading<'_>) -> Result<Figures, Gap> {
        let (above, below) = mean(&reading.group("INDICATOR")?)?;
        let point = fits(Fixed::ratio(above, fits(below.checked_mul(UNIT))?))?;
        let effect = fixed(largest(&reading.group("EFFECT")?)?)?;
        let load = reading.group("OCG_LOAD").and_then(|parts| largest(&parts)).and_then(fixed);
        let step = |from: &[Fixed], of: Fixed| from.iter().filter(|from| **from <= of).count();
        let row = self.verdicts.get(step(&self.indicators_from, point));
        let verdict = row.and_then(|row| row.get(step(&self.effects_from, effect)));
        let forecast = match reading.group(FACTORS) {
            Ok(factors) => Some(self.forecast(reading, point, mean(&factors)?)?),
            Err(Gap::NothingKnown | Gap::Unbounded) => None,
            Err(Gap::TooLarge) => return Err(Gap::TooLarge),
        };
        let figures = Figures { forecast, verdict: verdict.cloned(), ..Figures::of(point) };
        figures.beside("EFFECT", Ok(effect))?.beside("OCG_LOAD", load)
    }
}

impl Socta {
    /// Where the indicators may go: never off their scale.
    fn forecast(
        &self,
        reading: &Reading<'_>,
        point: Fixed,
        (above, below): (i128, i128),
    ) -> Result<Fixed, Gap> {
        let moved = fits(self.forecast_gain.millionths().checked_mul(above))?;
        let moved = fits(Fixed::ratio(moved, fits(below.checked_mul(UNIT * UNIT))?))?;
        let most = largest(&reading.most("INDICATOR")?)?;
        fixed((point.millionths() + moved.millionths()).max(0).min(most))
    }
}
