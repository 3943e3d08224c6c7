//! Combining, by the indicator's semantics, in exact integer arithmetic. Comes in: the figures of a cell. Goes out: one
//! figure, or that there is none across jurisdictions. Pure: the same figures give the same one, whoever combines them.
//!
//! Flows and magnitudes add. Scores are averaged, unweighted, from five members or more (fewer would be
//! close to naming somebody's score). Stocks, prices and ratios are not combined: adding states would count
//! what crosses borders twice, and a ratio without its parts cannot be recomputed.

use crate::{
    regional::Figure,
    taxonomy::{Indicator, Semantics},
};

/// Fewest members behind a mean.
const MEAN_OF_MIN: usize = 5;

/// What becomes of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Combined {
    /// A figure.
    Figure {
        /// In units of 10^-decimals of the indicator.
        value: i64,
        /// In thousandths of such a unit; 0: exact.
        standard_error_milli: u64,
    },
    /// Nobody contributed.
    Nothing,
    /// Too few contributed for this kind of figure.
    TooFew,
    /// This kind of figure is not combined across jurisdictions.
    NotApplicable,
}

/// What becomes of a cell that the gate withholds.
pub fn withheld(indicator: &Indicator) -> Combined {
    if never_combined(indicator) { Combined::NotApplicable } else { Combined::TooFew }
}

/// One figure of all.
pub fn combine(figures: &[Figure], indicator: &Indicator) -> Combined {
    let combined = match indicator.semantics {
        Semantics::Stock | Semantics::Price | Semantics::Ratio => None,
        Semantics::Flow | Semantics::Magnitude | Semantics::Score if figures.is_empty() => {
            return Combined::Nothing;
        }
        Semantics::Flow | Semantics::Magnitude => sum(figures).zip(standard_error(figures)),
        Semantics::Score if figures.len() < MEAN_OF_MIN => return Combined::TooFew,
        Semantics::Score => mean(figures).map(|value| (value, 0)),
    };
    combined.map_or(Combined::NotApplicable, |(value, standard_error_milli)| Combined::Figure {
        value,
        standard_error_milli,
    })
}

/// By the registry alone, whatever the members say.
fn never_combined(indicator: &Indicator) -> bool {
    matches!(indicator.semantics, Semantics::Stock | Semantics::Price | Semantics::Ratio)
}

/// None if it does not fit: the caps of the registry leave room for more members than a roster can have.
fn sum(figures: &[Figure]) -> Option<i64> {
    figures.iter().try_fold(0_i64, |sum, figure| sum.checked_add(figure.value))
}

/// Of a sum whose parts err independently: the root of the sum of squares, rounded up. None if it does not fit.
fn standard_error(figures: &[Figure]) -> Option<u64> {
    let squares = figures.iter().try_fold(0_u128, |sum, figure| {
        sum.checked_add(u128::from(figure.standard_error_milli).checked_pow(2)?)
    })?;
    let root = squares.isqrt();
    u64::try_from(root + u128::from(root * root < squares)).ok()
}

/// Rounded half to even in the last decimal of the indicator.
fn mean(figures: &[Figure]) -> Option<i64> {
    let count = i64::try_from(figures.len()).ok().filter(|count| *count > 0)?;
    let sum = sum(figures)?;
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

    fn figures(values: &[i64]) -> Vec<Figure> {
        values.iter().map(|value| Figure { value: *value, standard_error_milli: 0 }).collect()
    }

    #[test]
    fn a_mean_is_exact_up_to_its_last_decimal() {
        for (values, expected) in [
            (&[640, 640, 640, 640, 640][..], Some(640)),
            (&[1, 2], Some(2)), // 1.5, half to even
            (&[2, 3], Some(2)), // 2.5
            (&[0, 0, 1], Some(0)),
            (&[0, 1, 1], Some(1)),
            (&[], None),
        ] {
            assert_eq!(mean(&figures(values)), expected, "{values:?}");
        }
    }

    #[test]
    fn a_sum_that_does_not_fit_is_no_sum() {
        assert_eq!(sum(&figures(&[i64::MAX, 1])), None);
    }

    #[test]
    fn a_standard_error_is_exact_and_rounded_up() {
        let of = |errors: &[u64]| {
            let figure = |error: &u64| Figure { value: 1, standard_error_milli: *error };
            standard_error(&errors.iter().map(figure).collect::<Vec<_>>())
        };
        assert_eq!(of(&[]), Some(0));
        assert_eq!(of(&[0, 0]), Some(0));
        assert_eq!(of(&[3_000, 4_000]), Some(5_000));
        assert_eq!(of(&[1, 1]), Some(2)); // 1.41…
        assert_eq!(of(&[2_500, 3_000, 4_000]), Some(5_591)); // 5,590.17…
        assert_eq!(of(&[u64::MAX]), Some(u64::MAX));
        assert_eq!(of(&[u64::MAX, u64::MAX]), None);
    }
}
