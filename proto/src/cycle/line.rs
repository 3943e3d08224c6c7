//! Where a figure should be. Comes in: baseline and target, a period, an interval. Goes out: the line between the two at that period, and on
//! which side of it the interval lies. Whole numbers only: both sides are multiplied by the length of the way. Must never take
//! an interval that holds both sides for either.

use super::{closed::Direction, day::Day, plan::ActionIndicator};
use crate::{rounding::half_to_even, taxonomy::Period};

/// A place on the way: `above / below`, in units of 10^-decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    above: i128,
    below: i128,
}

/// On which side of the line a figure lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// All of it where it should be; the line itself is.
    Good,
    /// All of it where it should not be.
    Bad,
    /// It may be either.
    Both,
}

/// Months from the end of one period to the end of another; 0 if it is not later.
fn months(from: Period, to: Period) -> i128 {
    let end = |period| Day::last_of(period).month_number();
    i128::from(end(to).saturating_sub(end(from)))
}

impl Line {
    /// Where the figure should be at the end of a period: in even steps from the end of the baseline's period to the end of the
    /// target's. To be reached at the target's: there is no way before, and the line is the target.
    pub(super) fn at(of: &ActionIndicator, period: Period) -> Self {
        let (baseline, target) = (of.baseline, of.target);
        let target_value = i128::from(target.value);
        let whole = months(baseline.period, target.period).max(1);
        let gone = months(baseline.period, period).min(whole);
        match target.direction {
            Direction::Reach => Self { above: target_value, below: 1 },
            Direction::Fall | Direction::Rise => {
                let from = i128::from(baseline.value);
                Self { above: from * whole + (target_value - from) * gone, below: whole }
            }
        }
    }

    /// The nearest unit, for people.
    pub(super) fn rounded(self) -> i64 {
        i64::try_from(half_to_even(self.above, self.below)).unwrap_or(i64::MAX)
    }

    /// On which side an interval lies; an end that is not known is open.
    pub(super) fn side(self, direction: Direction, low: Option<i64>, high: Option<i64>) -> Side {
        let scaled = |bound: i64| i128::from(bound) * self.below;
        let (good, bad) = match direction {
            Direction::Fall => (
                high.is_some_and(|high| scaled(high) <= self.above),
                low.is_some_and(|low| scaled(low) > self.above),
            ),
            Direction::Rise | Direction::Reach => (
                low.is_some_and(|low| scaled(low) >= self.above),
                high.is_some_and(|high| scaled(high) < self.above),
            ),
        };
        if good {
            Side::Good
        } else if bad {
            Side::Bad
        } else {
            Side::Both
        }
    }
}
