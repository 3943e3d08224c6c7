//! Combining, by the indicator's semantics, in exact integer arithmetic. Comes in: what the gate
//! says of every cell. Goes out: one figure for each, or that there is none across jurisdictions. Pure.
//!
//! Flows and magnitudes add. Scores are averaged, unweighted, from five members or more (fewer would be
//! close to naming somebody's score). Stocks, prices and ratios are not combined: adding states would count
//! what crosses borders twice, and a ratio without its parts cannot be recomputed.

use std::collections::BTreeMap;

use accord_proto::taxonomy::{Indicator, Lists, Semantics};

use crate::gate::{Publishable, RegionalKey, Standing, Verdict};

/// Fewest members behind a mean.
const MEAN_OF_MIN: usize = 5;

/// What becomes of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Combined {
    /// In units of 10^-decimals of the indicator.
    Figure(i64),
    /// Nobody contributed.
    Nothing,
    /// Too few contributed for this kind of figure.
    TooFew,
    /// This kind of figure is not combined across jurisdictions.
    NotApplicable,
}

/// A regional cell: its figure, if there is one, and who stands how to it.
#[derive(Debug)]
pub struct RegionalCell {
    /// What became of it.
    pub combined: Combined,
    /// Nobody, where the gate withholds the cell.
    pub standing: Standing,
}

/// Combines every cell.
pub fn combine(
    verdicts: &BTreeMap<RegionalKey, Verdict>,
    lists: &Lists,
) -> BTreeMap<RegionalKey, RegionalCell> {
    let cell =
        |key: &RegionalKey, verdict: &Verdict| match (verdict, lists.indicator_of(key.indicator)) {
            (Verdict::Shown(cell), Some(indicator)) => {
                RegionalCell { combined: one(cell, indicator), standing: cell.standing().clone() }
            }
            (Verdict::Withheld, _) | (Verdict::Shown(_), None) => {
                RegionalCell { combined: Combined::TooFew, standing: Standing::default() }
            }
        };
    verdicts.iter().map(|(key, verdict)| (*key, cell(key, verdict))).collect()
}

fn one(cell: &Publishable, indicator: &Indicator) -> Combined {
    let values = cell.values();
    match indicator.semantics {
        Semantics::Stock | Semantics::Price | Semantics::Ratio => Combined::NotApplicable,
        Semantics::Flow | Semantics::Magnitude | Semantics::Score if values.is_empty() => {
            Combined::Nothing
        }
        Semantics::Flow | Semantics::Magnitude => {
            sum(values).map_or(Combined::NotApplicable, Combined::Figure)
        }
        Semantics::Score if values.len() < MEAN_OF_MIN => Combined::TooFew,
        Semantics::Score => mean(values).map_or(Combined::NotApplicable, Combined::Figure),
    }
}

/// None if it does not fit: the caps of the registry leave room for more members than a roster can have.
fn sum(values: &[i64]) -> Option<i64> {
    values.iter().try_fold(0_i64, |sum, value| sum.checked_add(*value))
}

/// Rounded half to even in the last decimal of the indicator.
fn mean(values: &[i64]) -> Option<i64> {
    let count = i64::try_from(values.len()).ok().filter(|count| *count > 0)?;
    let sum = sum(values)?;
    let (quotient, remainder) = (sum.div_euclid(count), sum.rem_euclid(count));
    let up = match (remainder * 2).cmp(&count) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => quotient % 2 != 0,
    };
    Some(quotient + i64::from(up))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_is_exact_up_to_its_last_decimal() {
        assert_eq!(mean(&[640, 640, 640, 640, 640]), Some(640));
        assert_eq!(mean(&[1, 2]), Some(2)); // 1.5, half to even
        assert_eq!(mean(&[2, 3]), Some(2)); // 2.5
        assert_eq!(mean(&[0, 0, 1]), Some(0));
        assert_eq!(mean(&[0, 1, 1]), Some(1));
        assert_eq!(mean(&[]), None);
    }

    #[test]
    fn a_sum_that_does_not_fit_is_no_sum() {
        assert_eq!(sum(&[i64::MAX, 1]), None);
    }
}
