//! Rounding of what has noise already. Comes in: a noisy figure and a public base. Goes out: the nearest multiple.
//! Must never be taken for protection: of an exact figure it tells most.
//!
//! Halves go to the even multiple: up and down equally often, so that rounding moves no sum to one side. The same
//! figure gives the same multiple, always; what was safe before stays so, for nothing but the figure goes in.
//!
//! Means are never published beside counts: an exact mean says of which count it can be the mean. The last test below
//! takes such a table apart.

/// The multiple of `base` nearest to `value`; at the end of the range, the last one that fits. Base zero and one
/// leave it as it is.
pub fn nearest(value: i64, base: u64) -> i64 {
    let (value, base) = (i128::from(value), i128::from(base.max(1)));
    let (below, over) = (value.div_euclid(base), value.rem_euclid(base));
    let up = match (2 * over).cmp(&base) {
        std::cmp::Ordering::Less => 0,
        std::cmp::Ordering::Equal => below.rem_euclid(2),
        std::cmp::Ordering::Greater => 1,
    };
    let multiple = (below + up) * base;
    let last = |end: i64| i128::from(end) / base * base;
    let fits = multiple.clamp(last(i64::MIN), last(i64::MAX));
    i64::try_from(fits).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The Handbook's counts with their margins, row by row.
    const COUNTS: [[i64; 3]; 4] = [[1, 0, 1], [3, 3, 6], [12, 20, 32], [16, 23, 39]];

    #[test]
    fn counts_go_to_the_nearest_multiple() {
        let rounded = COUNTS.map(|row| row.map(|count| nearest(count, 5)));
        // The Handbook prints 35 for the 32: an error of its own.
        assert_eq!(rounded, [[0, 0, 0], [5, 5, 5], [10, 20, 30], [15, 25, 40]]);
    }

    #[test]
    fn controlled_rounding_adds_up_and_stays_within_the_base_where_this_one_does_not() {
        let controlled: [[i64; 3]; 4] = [[5, 0, 5], [0, 5, 5], [10, 20, 30], [15, 25, 40]];
        let adds_up = |table: [[i64; 3]; 4]| {
            let across = table.iter().all(|row| row[0] + row[1] == row[2]);
            across
                && (0..3)
                    .all(|at| table[..3].iter().map(|row| row[at]).sum::<i64>() == table[3][at])
        };
        assert!(adds_up(COUNTS) && adds_up(controlled));
        assert!(!adds_up(COUNTS.map(|row| row.map(|count| nearest(count, 5)))));
        for (count, rounded) in COUNTS.iter().flatten().zip(controlled.iter().flatten()) {
            assert!(rounded % 5 == 0 && (rounded - count).abs() < 5);
        }
    }

    #[test]
    fn halves_go_to_the_even_multiple_on_both_sides_of_zero() {
        let halves = [(5, 0), (15, 20), (25, 20), (-5, 0), (-15, -20), (-25, -20)];
        assert!(halves.iter().all(|(value, rounded)| nearest(*value, 10) == *rounded));
        for base in [2, 5, 10, 7] {
            let drift: i64 = (-700..700).map(|value| nearest(value, base) - value).sum();
            assert!(drift.abs() <= i64::try_from(base).unwrap(), "base {base} drifts by {drift}");
        }
        assert_eq!((nearest(7, 0), nearest(7, 1)), (7, 7));
    }

    #[test]
    fn the_ends_of_the_range_have_a_multiple_too() {
        for base in [1, 2, 5, 10, u32::MAX] {
            for end in [i64::MIN, i64::MAX] {
                assert_eq!(nearest(end, u64::from(base)) % i64::from(base), 0);
            }
        }
    }

    /// Counts of two cells and their sum, each up to two away from the true one; the means are exact.
    #[test]
    fn exact_means_uncover_the_counts_that_noise_hides() {
        const PUBLISHED: [i64; 3] = [9, 14, 19];
        const DEVIATION: i64 = 2;
        /// In ten-thousandths: 11.25, 7.9167, 9.25.
        const MEANS: [i64; 3] = [112_500, 79_167, 92_500];
        // A whole sum whose mean is printed so; none if this many cannot have that mean.
        let sum = |count: i64, mean: i64| {
            let sum = (count * mean + 5_000) / 10_000;
            ((sum * 10_000 - count * mean).abs() * 2 <= count).then_some(sum)
        };
        let near = |published: i64| published - DEVIATION..=published + DEVIATION;
        let possible = near(PUBLISHED[0]).flat_map(|first| {
            near(PUBLISHED[1]).map(move |second| [first, second, first + second])
        });
        let counts: Vec<_> =
            possible.filter(|counts| near(PUBLISHED[2]).contains(&counts[2])).collect();
        let consistent = |counts: &&[i64; 3]| {
            let parts = [0, 1].map(|at| sum(counts[at], MEANS[at]));
            let whole = sum(counts[2], MEANS[2]);
            parts.iter().copied().sum::<Option<i64>>().is_some_and(|sum| Some(sum) == whole)
        };
        let left: Vec<_> = counts.iter().filter(consistent).collect();
        assert!(counts.len() > 5);
        assert_eq!(left, [&[8, 12, 20]]);
    }
}
