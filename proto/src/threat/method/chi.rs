//! Crime harm (domain.md §2.5, §2.9 D). Comes in: how many crimes victims or witnesses reported, by offence; as weights, days of
//! imprisonment. Goes out: the days of all of them; beside it, for each 100,000 inhabitants. What the police found by itself is
//! refused where it is read: more work is not more harm.

use serde::{Deserialize, Serialize};

use super::{Figures, Formulated, Gap, Reading, UNIT, fits, fixed, sum, weighted};
use crate::threat::fixed::Fixed;

/// The group of what is counted.
pub(super) const OFFENCE: &str = "OFFENCE";
const PER: i128 = 100_000;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Chi {}

impl Formulated for Chi {
    fn groups(&self) -> &'static [(&'static str, usize, bool)] {
        &[(OFFENCE, 1, true), ("POPULATION", 0, false)]
    }

    fn at(&self, reading: &Reading<'_>) -> Result<Figures, Gap> {
        let harm = weighted(&reading.group(OFFENCE)?)? / UNIT;
        // An unknown number of inhabitants gives no rate: the least would make the largest.
        let population = reading.known("POPULATION").and_then(|parts| sum(&parts));
        let rate = population.and_then(|of| {
            let harm = fits(harm.checked_mul(PER))?;
            fits(Fixed::ratio(harm, of))
        });
        Figures::of(fixed(harm)?).beside("PER_100000", rate)
    }
}
