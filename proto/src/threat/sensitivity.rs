//! What other weights would change (domain.md §2.10). Comes in: what each jurisdiction adds to each area, or only figures of the
//! region. Goes out: for each area a best and a worst rank that no weights within the tolerance leave; and whether it leaves the
//! ranks stated for it when one jurisdiction is left out. Must never say whose weight it was.
//!
//! No weights are sampled. Where it is known what each adds, `a` can be put above `b` if and only if it is when whoever
//! favours `a` weighs most and all others least: weights of one pair are tried at once, exactly.

use super::ranks::{Bounds, places};

/// Best and worst rank.
pub(super) type Band = (usize, usize);

/// Over all weights within `percent` of equal ones: exact for every two areas. `adds` has for each jurisdiction what it adds to
/// each area. None if it does not fit.
pub(super) fn exact(adds: &[Vec<i128>], percent: u32) -> Option<Vec<Band>> {
    let count = adds.first()?.len();
    let (more, less) = (100 + i128::from(percent), 100 - i128::from(percent));
    let mut bands = vec![(1, 1); count];
    for a in 0..count {
        for b in (0..count).filter(|b| *b != a) {
            let (mut least, mut most) = (0_i128, 0_i128);
            for of in adds {
                let ahead = of.get(b)?.checked_sub(*of.get(a)?)?;
                let (weighs, weighs_not) = if ahead > 0 { (more, less) } else { (less, more) };
                most = most.checked_add(ahead.checked_mul(weighs)?)?;
                least = least.checked_add(ahead.checked_mul(weighs_not)?)?;
            }
            let (best, worst) = bands.get_mut(a)?;
            *best += usize::from(least > 0);
            *worst += usize::from(most > 0);
        }
    }
    Some(bands)
}

/// The same where only figures of the region are known. What everybody adds is above `floor`, so weights move a sum by no more
/// than their tolerance; a mean of other contributors is moved by their own weights as well.
pub(super) fn bound(
    figures: &[Bounds],
    floor: i128,
    percent: u32,
    own_weights: bool,
) -> Option<Vec<Band>> {
    let (more, less) = (100 + i128::from(percent), 100 - i128::from(percent));
    let reach = |figure: &Bounds| {
        let [lo, hi] = [figure.lo, figure.hi].map(|of| of.checked_sub(floor));
        let (lo, hi) = (lo?.max(0), hi?.max(0));
        // From less / more to more / less of a mean whose weights are its own; over less × more.
        let (least, most) = if own_weights { (less * less, more * more) } else { (less, more) };
        let (lo, hi) = (lo.checked_mul(least)?, hi.checked_mul(most)?);
        Some(Bounds { point: lo, lo, hi })
    };
    let reaches = figures.iter().map(reach).collect::<Option<Vec<_>>>()?;
    Some(places(&reaches).iter().map(|place| (place.best, place.worst)).collect())
}

/// For each area: does it leave `stated` when one jurisdiction is left out, whichever?
pub(super) fn moves_without_one(adds: &[Vec<i128>], stated: &[Band]) -> Option<Vec<bool>> {
    let mut totals = vec![0_i128; stated.len()];
    for of in adds {
        for (total, add) in totals.iter_mut().zip(of) {
            *total = total.checked_add(*add)?;
        }
    }
    let mut moves = vec![false; stated.len()];
    for of in adds {
        let rest = totals.iter().zip(of).map(|(total, add)| {
            let point = total.checked_sub(*add)?;
            Some(Bounds { point, lo: point, hi: point })
        });
        let rest = rest.collect::<Option<Vec<_>>>()?;
        for ((place, (best, worst)), moves) in places(&rest).iter().zip(stated).zip(&mut moves) {
            *moves |= place.rank < *best || *worst < place.rank;
        }
    }
    Some(moves)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::threat::tests::dice;

    fn ranks(adds: &[Vec<i128>], weights: &[i128]) -> Vec<usize> {
        let total =
            |area: usize| adds.iter().zip(weights).map(|(of, w)| of[area] * w).sum::<i128>();
        let totals: Vec<_> = (0..adds[0].len()).map(total).collect();
        let rank = |own: &i128| 1 + totals.iter().filter(|other| *other > own).count();
        totals.iter().map(rank).collect()
    }

    #[test]
    fn no_weights_within_the_tolerance_leave_the_band_and_each_pair_reaches_it() {
        const SEED: u64 = 0x005e_751e;
        println!("seed {SEED:#x}");
        let mut below = dice(SEED);
        for round in 0..200 {
            let (members, areas) = (3 + round % 4, 2 + round % 5);
            let adds: Vec<Vec<_>> =
                (0..members).map(|_| (0..areas).map(|_| below(20)).collect()).collect();
            let bands = exact(&adds, 20).unwrap();
            let totals: Vec<_> = (0..areas)
                .map(|area| adds.iter().map(|of| of[area]).sum())
                .map(|total| Bounds { point: total, lo: total, hi: total })
                .collect();
            let bounds = bound(&totals, 0, 20, false).unwrap();
            // Every corner: the largest change that weights can make.
            let mut reached = vec![(usize::MAX, 0); areas];
            for corner in 0..1_usize << members {
                let weights: Vec<_> =
                    (0..members).map(|at| if (corner >> at) & 1 == 1 { 120 } else { 80 }).collect();
                for (at, rank) in ranks(&adds, &weights).into_iter().enumerate() {
                    reached[at] = (reached[at].0.min(rank), reached[at].1.max(rank));
                }
            }
            for (at, (best, worst)) in bands.iter().enumerate() {
                let what = format!("seed {SEED:#x}, round {round}, area {at}: {adds:?}");
                assert!(*best <= reached[at].0 && reached[at].1 <= *worst, "{what}");
                assert!(bounds[at].0 <= *best && *worst <= bounds[at].1, "{what}");
                if areas == 2 {
                    assert_eq!((*best, *worst), reached[at], "{what}");
                }
            }
        }
    }

    #[test]
    fn whoever_decides_alone_is_found_by_leaving_each_out() {
        // Two areas: four put the first a little ahead, the fifth the second by far.
        let adds = vec![vec![6, 5], vec![6, 5], vec![6, 5], vec![6, 5], vec![1, 9]];
        assert_eq!(ranks(&adds, &[100; 5]), [2, 1]);
        assert_eq!(moves_without_one(&adds, &[(2, 2), (1, 1)]), Some(vec![true, true]));
        assert_eq!(moves_without_one(&adds, &[(1, 2), (1, 2)]), Some(vec![false, false]));
    }

    #[test]
    fn means_of_other_contributors_are_bounded_by_their_own_weights_too() {
        const SEED: u64 = 0x0b0d;
        println!("seed {SEED:#x}");
        let mut below = dice(SEED);
        for round in 0..300 {
            // Two areas, each a mean of its own contributors.
            let of: [Vec<i128>; 2] = [0; 2].map(|_| (0..3).map(|_| below(30)).collect());
            let figures: Vec<_> = of.iter().map(|of| of.iter().sum::<i128>()).collect();
            let figures: Vec<_> =
                figures.into_iter().map(|sum| Bounds { point: sum, lo: sum, hi: sum }).collect();
            let bands = bound(&figures, 0, 20, true).unwrap();
            let weight = |below: &mut dyn FnMut(u64) -> i128| 80 + 10 * below(5);
            let [first, second] = [0, 1].map(|at: usize| {
                let weights: Vec<_> = (0..3).map(|_| weight(&mut below)).collect();
                let above: i128 = of[at].iter().zip(&weights).map(|(x, w)| x * w).sum();
                (above, weights.iter().sum::<i128>())
            });
            let (a, b) = (first.0 * second.1, second.0 * first.1);
            let rank = [1 + usize::from(b > a), 1 + usize::from(a > b)];
            for at in 0..2 {
                let (best, worst) = bands[at];
                assert!(best <= rank[at] && rank[at] <= worst, "seed {SEED:#x}, round {round}");
            }
        }
    }
}
