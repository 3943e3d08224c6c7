//! Combining, by the indicator's semantics, in exact integer arithmetic. Comes in: the figures of a cell. Goes out: one
//! figure with its interval, or only where it lies, or that there is none across jurisdictions. Pure: the same figures give the
//! same one, whoever combines them. Must never give a minimum, a maximum or a range across members.
//!
//! Flows and magnitudes add (domain.md §7.4). Scores are averaged, unweighted, from five members or more (fewer would be
//! close to naming somebody's score). Of stocks, prices, fees and purity the median is taken: adding states would count what
//! crosses borders twice. A median is the figure of one or two members: it is told from five members or more, and where
//! none of the figures is exact and hidden; otherwise only the band of a fixed scale that it lies in. A ratio without
//! its parts cannot be recomputed, and is not combined.

use crate::{
    regional::Figure,
    rounding::half_to_even,
    taxonomy::{Indicator, Semantics},
};

mod band;

pub use band::band_of;

/// Fewest members behind a mean, and behind a median that is told.
const TOLD_OF_MIN: usize = 5;
/// Fewest members behind a band.
const BAND_OF_MIN: usize = 3;
/// 95 % of a normal distribution lie within this many thousandths of its standard deviation.
const WITHIN_95_MILLI: u128 = 1_960;

/// How members' figures became one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Added.
    Sum,
    /// Averaged, unweighted.
    Mean,
    /// The one in the middle, or between the two that are.
    Median,
}

/// What becomes of a cell. Figures are in units of 10^-decimals of the indicator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Combined {
    /// A figure.
    Figure {
        /// The figure.
        value: i64,
        /// In thousandths of a unit of 10^-decimals; 0: exact.
        standard_error_milli: u64,
        /// Where it lies: with 95 % probability.
        within: Within,
        /// How it was made.
        method: Method,
    },
    /// Only where it lies.
    Between {
        /// Of the noise in it, in thousandths; 0: none.
        standard_error_milli: u64,
        /// From and to.
        within: Within,
        /// How it was made.
        method: Method,
    },
    /// Nobody contributed.
    Nothing,
    /// Too few contributed for this kind of figure.
    TooFew,
    /// This kind of figure is not combined across jurisdictions.
    NotApplicable,
}

/// From and to, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Within {
    /// The least.
    pub lower: i64,
    /// The most.
    pub upper: i64,
}

/// What becomes of a cell that the gate withholds.
pub fn withheld(indicator: &Indicator) -> Combined {
    if never_combined(indicator) { Combined::NotApplicable } else { Combined::TooFew }
}

/// One figure of all. What does not fit into 64 bits is none: the caps of the registry leave room for more members than a
/// roster can have.
pub fn combine(figures: &[Figure], indicator: &Indicator) -> Combined {
    let nothing =
        if never_combined(indicator) { Combined::NotApplicable } else { Combined::Nothing };
    if figures.is_empty() {
        return nothing;
    }
    let combined = match indicator.semantics {
        Semantics::Ratio => None,
        Semantics::Flow | Semantics::Magnitude => sum(figures, indicator),
        Semantics::Score if figures.len() < TOLD_OF_MIN => return Combined::TooFew,
        Semantics::Score => mean(figures),
        Semantics::Stock | Semantics::Price if figures.len() < BAND_OF_MIN => {
            return Combined::TooFew;
        }
        Semantics::Stock | Semantics::Price => median(figures, indicator),
    };
    combined.unwrap_or(Combined::NotApplicable)
}

/// For everybody who was asked: where the figure lies whatever those bring who are `absent`, as far as that is known.
/// `present` members contribute to `combined`.
pub fn of_all(
    combined: Combined,
    (present, absent): (usize, usize),
    indicator: &Indicator,
) -> (Option<i64>, Option<i64>) {
    let (within, method) = match combined {
        Combined::Figure { within, method, .. } | Combined::Between { within, method, .. } => {
            (within, method)
        }
        Combined::Nothing | Combined::TooFew | Combined::NotApplicable => return (None, None),
    };
    if absent == 0 {
        return (Some(within.lower), Some(within.upper));
    }
    match method {
        // Nobody takes away from a sum, and nobody knows how much more there is.
        Method::Sum => ((indicator.value_min >= 0).then_some(within.lower), None),
        Method::Mean => {
            let with = |mean: i64, other: i64, up: bool| {
                let [present, absent] = [present, absent].map(|count| i128::try_from(count).ok());
                let total = present? * i128::from(mean) + absent? * i128::from(other);
                let count = present? + absent?;
                let down = total.div_euclid(count);
                i64::try_from(if up { -(-total).div_euclid(count) } else { down }).ok()
            };
            (
                with(within.lower, indicator.value_min, false),
                with(within.upper, indicator.value_max, true),
            )
        }
        Method::Median => (None, None),
    }
}

/// Can a figure of so many members have this interval? For whoever has not the figures themselves.
pub fn is_plausible(combined: Combined, present: usize, indicator: &Indicator) -> bool {
    let (within, error, method, value) = match combined {
        Combined::Figure { value, standard_error_milli, within, method } => {
            (within, standard_error_milli, method, Some(value))
        }
        Combined::Between { standard_error_milli, within, method } => {
            (within, standard_error_milli, method, None)
        }
        Combined::Nothing | Combined::TooFew | Combined::NotApplicable => return true,
    };
    let of_semantics = match indicator.semantics {
        Semantics::Flow | Semantics::Magnitude => method == Method::Sum,
        Semantics::Score => method == Method::Mean && present >= TOLD_OF_MIN,
        Semantics::Stock | Semantics::Price => {
            let fewest = if value.is_some() { TOLD_OF_MIN } else { BAND_OF_MIN };
            method == Method::Median && present >= fewest
        }
        Semantics::Ratio => false,
    };
    let around = value.is_none_or(|value| within.lower <= value && value <= within.upper);
    let exact = match (value, method) {
        // What a sum's interval is follows from its figure and its error.
        (Some(value), Method::Sum | Method::Mean) => {
            let figure = Figure {
                value,
                upper: value,
                standard_error_milli: error,
                exact_and_hidden: false,
            };
            match (method, margin(error)) {
                (Method::Sum, _) => sum(&[figure], indicator) == Some(combined),
                (_, Some(margin)) => {
                    let below =
                        value.checked_sub(within.lower).and_then(|by| by.checked_sub(margin));
                    let above =
                        within.upper.checked_sub(value).and_then(|by| by.checked_sub(margin));
                    // On one side at most, what rounding has left out.
                    matches!((below, above), (Some(0), Some(0 | 1)) | (Some(1), Some(0)))
                }
                (_, None) => false,
            }
        }
        (Some(_), Method::Median) | (None, _) => true,
    };
    of_semantics && within.lower <= within.upper && around && exact
}

/// By the registry alone, whatever the members say.
fn never_combined(indicator: &Indicator) -> bool {
    indicator.semantics == Semantics::Ratio
}

fn sum(figures: &[Figure], indicator: &Indicator) -> Option<Combined> {
    let add = |of: fn(&Figure) -> i64| {
        figures.iter().try_fold(0_i64, |sum, figure| sum.checked_add(of(figure)))
    };
    let (low, high) = (add(|figure| figure.value)?, add(|figure| figure.upper)?);
    let error = standard_error(figures)?;
    let margin = margin(error)?;
    let lower = low.checked_sub(margin)?;
    // Where no observation is below zero, no sum is.
    let lower = if indicator.value_min >= 0 { lower.max(0) } else { lower };
    let within = Within { lower, upper: high.checked_add(margin)? };
    Some(told((low, high), error, within, Method::Sum))
}

fn mean(figures: &[Figure]) -> Option<Combined> {
    let count = i64::try_from(figures.len()).ok()?;
    let add = |of: fn(&Figure) -> i64| {
        figures.iter().try_fold(0_i64, |sum, figure| sum.checked_add(of(figure)))
    };
    let (least, most) = (add(|figure| figure.value)?, add(|figure| figure.upper)?);
    let (low, high) = (shared(least, count)?, shared(most, count)?);
    // The error of a sum, shared out, rounded up.
    let error = standard_error(figures)?.div_ceil(u64::try_from(count).ok()?);
    let margin = margin(error)?;
    // Rounded outward: what the last decimal leaves out lies within, too.
    let up = most.div_euclid(count) + i64::from(most.rem_euclid(count) > 0);
    let within = Within {
        lower: least.div_euclid(count).checked_sub(margin)?,
        upper: up.checked_add(margin)?,
    };
    Some(told((low, high), error, within, Method::Mean))
}

/// The median lies between the medians of the figures' own bounds, and as far on either side as the widest noise reaches:
/// with each figure's own noise the ends would be those of other members than the one in the middle.
fn median(figures: &[Figure], indicator: &Indicator) -> Option<Combined> {
    let error = figures.iter().map(|figure| figure.standard_error_milli).max()?;
    let margin = margin(error)?;
    let between = |values: Vec<i64>| {
        let (a, b) = middle(values)?;
        shared(a.checked_add(b)?, 2)
    };
    let least = between(figures.iter().map(|figure| figure.value).collect())?;
    let most = between(figures.iter().map(|figure| figure.upper).collect())?;
    let lower = least.checked_sub(margin)?;
    let lower = if indicator.value_min >= 0 { lower.max(0) } else { lower };
    let within = Within { lower, upper: most.checked_add(margin)? };
    if figures.len() < TOLD_OF_MIN || figures.iter().any(|figure| figure.exact_and_hidden) {
        // Of the median itself: the bands of the two in the middle would be a range across members.
        let within = Within {
            lower: band_of(lower.max(0), indicator.decimals)?.lower,
            upper: band_of(within.upper.max(0), indicator.decimals)?.upper,
        };
        return Some(Combined::Between {
            standard_error_milli: error,
            within,
            method: Method::Median,
        });
    }
    Some(told((least, most), error, within, Method::Median))
}

/// One figure if all of it is known, otherwise where it lies.
fn told((low, high): (i64, i64), error: u64, within: Within, method: Method) -> Combined {
    if low == high {
        Combined::Figure { value: low, standard_error_milli: error, within, method }
    } else {
        Combined::Between { standard_error_milli: error, within, method }
    }
}

/// The one in the middle twice, or the two that are.
fn middle(mut values: Vec<i64>) -> Option<(i64, i64)> {
    values.sort_unstable();
    let last = values.len().checked_sub(1)?;
    Some((*values.get(last / 2)?, *values.get(last.div_ceil(2))?))
}

/// Of a sum whose parts err independently: the root of the sum of squares, rounded up. None if it does not fit.
fn standard_error(figures: &[Figure]) -> Option<u64> {
    let squares = figures.iter().try_fold(0_u128, |sum, figure| {
        sum.checked_add(u128::from(figure.standard_error_milli).checked_pow(2)?)
    })?;
    let root = squares.isqrt();
    u64::try_from(root + u128::from(root * root < squares)).ok()
}

/// How far on either side 95 % lie, in units of 10^-decimals, rounded up.
fn margin(standard_error_milli: u64) -> Option<i64> {
    let scaled = u128::from(standard_error_milli).checked_mul(WITHIN_95_MILLI)?;
    i64::try_from(scaled.div_ceil(1_000_000)).ok()
}

/// Rounded half to even in the last decimal of the indicator. `count` is above zero.
fn shared(sum: i64, count: i64) -> Option<i64> {
    i64::try_from(half_to_even(sum.into(), count.into())).ok()
}

#[cfg(test)]
mod tests;
