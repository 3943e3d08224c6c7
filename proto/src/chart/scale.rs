//! Scales. Comes in: figures, as whole numbers. Goes out: an axis with round ticks, or five classes with round limits. Exact
//! integers throughout: nothing overflows, and the same figures give the same picture.

use super::cell::number;

/// An axis from one round number to another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    low: i64,
    high: i64,
    step: i64,
}

impl Axis {
    /// From zero, or from the least figure if it is below, to the greatest; with about `ticks` steps.
    pub(super) fn over(least: i64, greatest: i64, ticks: i64) -> Self {
        let (least, greatest) = (least.min(0), greatest.max(0));
        let span = i128::from(greatest) - i128::from(least);
        let step = round_up((span / i128::from(ticks.max(1))).max(1));
        let low = i128::from(least).div_euclid(step) * step;
        let high = -(-i128::from(greatest)).div_euclid(step) * step;
        let high = if high == low { low + step } else { high };
        Self { low: clamped(low), high: clamped(high), step: clamped(step) }
    }

    /// Its ticks, ascending.
    pub(super) fn ticks(self) -> impl Iterator<Item = i64> {
        let steps = (i128::from(self.high) - i128::from(self.low)) / i128::from(self.step);
        let at = move |at: i64| i128::from(self.low) + i128::from(at) * i128::from(self.step);
        (0..=clamped(steps)).map(move |step| clamped(at(step)))
    }

    /// A tick in words; zeros that no tick needs are left out.
    pub(super) fn label(self, tick: i64, decimals: u32) -> String {
        let (mut step, mut needed) = (self.step, decimals);
        while needed > 0 && step % 10 == 0 {
            (step, needed) = (step / 10, needed - 1);
        }
        let shorter = (needed..decimals).fold(tick, |tick, _| tick / 10);
        number(shorter, needed)
    }

    /// Where a figure stands between `from` (the low end) and `to`.
    pub(super) fn place(self, figure: i64, from: i64, to: i64) -> i64 {
        let figure = i128::from(figure.clamp(self.low, self.high)) - i128::from(self.low);
        let span = i128::from(self.high) - i128::from(self.low);
        from.saturating_add(clamped(figure * i128::from(to - from) / span.max(1)))
    }
}

/// Five classes; a class begins with its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Classes {
    limits: [i64; 4],
}

impl Classes {
    /// Classes of equal width; of figures that differ by orders of magnitude each class is a multiple of the one before.
    pub(super) fn over(figures: &[i64]) -> Self {
        let mut positive: Vec<_> = figures.iter().copied().filter(|figure| *figure > 0).collect();
        positive.sort_unstable();
        let greatest = positive.last().copied().unwrap_or(1);
        let low = positive.get(positive.len() / 4).copied().unwrap_or(1);
        if greatest / 10 > low {
            return Self::multiples(low, greatest);
        }
        let step = clamped(round_up(i128::from(greatest).div_euclid(5).max(1)));
        Self { limits: [1, 2, 3, 4].map(|at| step.saturating_mul(at)) }
    }

    fn multiples(low: i64, greatest: i64) -> Self {
        let round: Vec<_> = rounds().take_while(|round| *round <= i128::from(greatest)).collect();
        let limits = |stride: usize| {
            [3, 2, 1, 0].map(|at| {
                let from_top = round.len().saturating_sub(1 + at * stride);
                clamped(round.get(from_top).copied().unwrap_or(1))
            })
        };
        let distinct = |limits: &[i64; 4]| limits.windows(2).all(|pair| pair[0] < pair[1]);
        let strides: Vec<_> = (1..=3).map(limits).filter(distinct).collect();
        let fits = strides.iter().find(|limits| limits[0] <= low.saturating_mul(2));
        let limits = fits.or(strides.last()).copied();
        Self { limits: limits.unwrap_or([1, 2, 5, 10]) }
    }

    /// Which class a figure is in, 0 to 4.
    pub(super) fn of(self, figure: i64) -> usize {
        self.limits.iter().filter(|limit| figure >= **limit).count()
    }

    /// A class in words.
    pub(super) fn label(self, class: usize, decimals: u32) -> String {
        let at = |at: usize| self.limits.get(at).copied();
        let below = class.checked_sub(1).and_then(at);
        match (below, at(class)) {
            (None, Some(limit)) => format!("under {}", number(limit, decimals)),
            (Some(from), Some(limit)) if decimals == 0 && from + 1 == limit => number(from, 0),
            (Some(from), Some(limit)) if decimals == 0 => {
                format!("{}–{}", number(from, 0), number(limit - 1, 0))
            }
            (Some(from), Some(limit)) => {
                format!("{} to under {}", number(from, decimals), number(limit, decimals))
            }
            (from, None) => format!("{} or more", number(from.unwrap_or(0), decimals)),
        }
    }
}

/// 1, 2, 5, 10, 20, 50 …
fn rounds() -> impl Iterator<Item = i128> {
    let powers = std::iter::successors(Some(1_i128), |power| power.checked_mul(10)).take(20);
    powers.flat_map(|power| [1, 2, 5].map(|digit| digit * power))
}

/// The next number of that kind.
fn round_up(least: i128) -> i128 {
    rounds().find(|round| *round >= least).unwrap_or(least)
}

fn clamped(figure: i128) -> i64 {
    let clamped = figure.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
    i64::try_from(clamped).unwrap_or(0)
}
