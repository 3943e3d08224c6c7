//! Ranks and where they may lie. Comes in: for each area a number and an interval. Goes out: for each its rank, how many share it,
//! and the best and the worst rank that any choice of numbers from the intervals gives. In O(n log n).
//!
//! Ranks count from 1 for the largest; who ties shares the first of their ranks. The best rank of an area is the one where it
//! is at its largest and all others at their least; the worst, the other way round: so both are reached, and none lies outside.

/// A number and from where to where it may lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The number; between the other two.
    pub point: i128,
    /// The least that it can be.
    pub lo: i128,
    /// The most.
    pub hi: i128,
}

/// A rank and where it may lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// From 1 for the largest.
    pub rank: usize,
    /// So many share it, this one included.
    pub tied: usize,
    /// The best rank that it can have.
    pub best: usize,
    /// The worst.
    pub worst: usize,
}

/// Places all, in their order.
pub fn places(all: &[Bounds]) -> Vec<Place> {
    let sorted = |of: fn(&Bounds) -> i128| {
        let mut numbers: Vec<_> = all.iter().map(of).collect();
        numbers.sort_unstable();
        numbers
    };
    let (points, los, his) = (sorted(|of| of.point), sorted(|of| of.lo), sorted(|of| of.hi));
    let above = |numbers: &[i128], of: i128| numbers.len() - numbers.partition_point(|n| *n <= of);
    let place = |of: &Bounds| Place {
        rank: 1 + above(&points, of.point),
        tied: points.partition_point(|n| *n <= of.point)
            - points.partition_point(|n| *n < of.point),
        best: 1 + above(&los, of.hi),
        // Itself is among those that reach above its least, unless it is known exactly.
        worst: 1 + above(&his, of.lo) - usize::from(of.hi > of.lo),
    };
    all.iter().map(place).collect()
}

/// Ranks of numbers in halves: who ties shares the mean of their ranks.
pub(super) fn half_ranks(numbers: &[i128]) -> Vec<usize> {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    let of = |number: &i128| {
        let (below, to) =
            (sorted.partition_point(|n| n < number), sorted.partition_point(|n| n <= number));
        // Ranks from len - to + 1 to len - below; twice their mean is the sum of both ends.
        (sorted.len() - to + 1) + (sorted.len() - below)
    };
    numbers.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::threat::tests::dice;

    fn exact(points: &[i128]) -> Vec<Bounds> {
        points.iter().map(|point| Bounds { point: *point, lo: *point, hi: *point }).collect()
    }

    #[test]
    fn who_ties_shares_the_rank_and_nobody_takes_the_ones_after() {
        let ranks: Vec<_> =
            places(&exact(&[5, 9, 5, 1])).iter().map(|p| (p.rank, p.tied)).collect();
        assert_eq!(ranks, [(2, 2), (1, 1), (2, 2), (4, 1)]);
        assert_eq!(half_ranks(&[5, 9, 5, 1]), [5, 2, 5, 8]);
        assert!(
            places(&exact(&[5, 9, 5, 1])).iter().all(|p| p.best == p.rank && p.worst == p.rank)
        );
    }

    /// Every choice of numbers from the intervals.
    fn brute(all: &[Bounds]) -> Vec<(usize, usize)> {
        let mut found = vec![(usize::MAX, 0); all.len()];
        let mut choice: Vec<_> = all.iter().map(|of| of.lo).collect();
        loop {
            for (at, own) in choice.iter().enumerate() {
                let rank = 1 + choice.iter().filter(|other| *other > own).count();
                found[at] = (found[at].0.min(rank), found[at].1.max(rank));
            }
            let Some(at) = (0..all.len()).find(|at| choice[*at] < all[*at].hi) else {
                return found;
            };
            choice[at] += 1;
            (0..at).for_each(|before| choice[before] = all[before].lo);
        }
    }

    #[test]
    fn the_best_and_worst_rank_are_those_of_every_choice_tried_one_by_one() {
        const SEED: u64 = 0x7417_ea75;
        println!("seed {SEED:#x}");
        let mut below = dice(SEED);
        for round in 0..400 {
            let count = usize::try_from(1 + below(5)).unwrap();
            let bounds: Vec<_> = (0..count)
                .map(|_| {
                    let (lo, width) = (below(6), below(5));
                    Bounds { point: lo + width / 2, lo, hi: lo + width }
                })
                .collect();
            let places = places(&bounds);
            let found: Vec<_> = places.iter().map(|place| (place.best, place.worst)).collect();
            assert_eq!(found, brute(&bounds), "seed {SEED:#x}, round {round}: {bounds:?}");
            let within = |of: &Place| of.best <= of.rank && of.rank <= of.worst;
            assert!(places.iter().all(within), "seed {SEED:#x}, round {round}: {places:?}");
        }
    }

    #[test]
    fn an_interval_without_an_end_may_take_any_rank_on_that_side() {
        let mut all = exact(&[3, 2, 1]);
        all[2].hi = i128::MAX;
        let ends: Vec<_> = places(&all).iter().map(|place| (place.best, place.worst)).collect();
        assert_eq!(ends, [(1, 2), (2, 3), (1, 3)]);
    }
}
