//! Means of scores (domain.md §2.9 E). Comes in: scores of markets, of actors, of resilience. Goes out: criminality, the mean of
//! two means; beside it resilience. They are a pair: neither is ever taken from the other.

use serde::{Deserialize, Serialize};

use super::{Figures, Formulated, Gap, Reading, UNIT, fits, mean};
use crate::threat::fixed::Fixed;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Index {}

impl Formulated for Index {
    fn groups(&self) -> &'static [(&'static str, usize, bool)] {
        &[("MARKET", 1, true), ("ACTOR", 1, true), ("RESILIENCE", 0, false)]
    }

    fn at(&self, reading: &Reading<'_>) -> Result<Figures, Gap> {
        let (markets, of_markets) = mean(&reading.group("MARKET")?)?;
        let (actors, of_actors) = mean(&reading.group("ACTOR")?)?;
        // (a/b + c/d) / 2 as one fraction, rounded once.
        let above = fits((|| {
            markets.checked_mul(of_actors)?.checked_add(actors.checked_mul(of_markets)?)
        })())?;
        let below = fits((|| of_markets.checked_mul(of_actors)?.checked_mul(2 * UNIT))())?;
        let resilience = reading.group("RESILIENCE").and_then(|parts| mean(&parts));
        let resilience = resilience
            .and_then(|(above, below)| fits(Fixed::ratio(above, fits(below.checked_mul(UNIT))?)));
        Figures::of(fits(Fixed::ratio(above, below))?).beside("RESILIENCE", resilience)
    }
}
