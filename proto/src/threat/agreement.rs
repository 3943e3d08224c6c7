//! How far orders agree (domain.md §2.10). Comes in: ranks that several gave to the same areas. Goes out: Kendall's W with the
//! correction for ties, the median of ranks, Borda points. Must never tell a smallest or a largest rank: it would be somebody's.

use super::fixed::Fixed;

/// Kendall's W: 0 no agreement, 1 all the same. `ranks` are in halves, one list for each of those who ordered, all of the
/// same length. None where nobody tells anything apart, or somebody left something out.
///
/// `W = (12 Σ R² − 3 k² n (n+1)²) / (k² n (n² − 1) − k Σ (t³ − t))`, R the sum of an area's ranks, t the size of each tie.
pub(super) fn kendall(ranks: &[Vec<usize>]) -> Option<Fixed> {
    let (k, n) = (i128::try_from(ranks.len()).ok()?, i128::try_from(ranks.first()?.len()).ok()?);
    if ranks.iter().any(|of| i128::try_from(of.len()) != Ok(n)) {
        return None;
    }
    let mut squares = 0_i128;
    for area in 0..ranks.first()?.len() {
        let halves =
            ranks.iter().map(|of| i128::try_from(*of.get(area)?).ok()).sum::<Option<i128>>()?;
        // In halves, so four times the square.
        squares += halves * halves;
    }
    let ties: i128 = ranks.iter().map(|of| ties(of)).sum();
    let above = 3 * squares - 3 * k * k * n * (n + 1) * (n + 1);
    let below = k * k * n * (n * n - 1) - k * ties;
    Fixed::ratio(above, below)
}

/// Σ (t³ − t) over the ties of one order.
fn ties(ranks: &[usize]) -> i128 {
    let mut sorted = ranks.to_vec();
    sorted.sort_unstable();
    let sizes = sorted.chunk_by(|a, b| a == b).map(|tie| i128::try_from(tie.len()).unwrap_or(0));
    sizes.map(|t| t * t * t - t).sum()
}

/// Median of ranks in halves; in quarters of a rank.
pub(super) fn median_quarters(mut halves: Vec<usize>) -> Option<usize> {
    halves.sort_unstable();
    let last = halves.len().checked_sub(1)?;
    Some(halves.get(last / 2)? + halves.get(last.div_ceil(2))?)
}

/// Points of a rank among `areas`, both in halves: of m areas, the rank r gives m − r.
pub(super) fn borda_halves(areas: usize, half_rank: usize) -> usize {
    (2 * areas).saturating_sub(half_rank)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::threat::ranks::half_ranks;

    fn w(orders: &[&[i128]]) -> Option<String> {
        let ranks: Vec<_> = orders.iter().map(|order| half_ranks(order)).collect();
        kendall(&ranks).map(|w| w.to_string())
    }

    #[test]
    fn agreement_is_one_of_the_same_orders_and_none_of_opposite_ones() {
        assert_eq!(w(&[&[3, 2, 1], &[3, 2, 1], &[30, 20, 10]]).unwrap(), "1");
        assert_eq!(w(&[&[2, 1], &[1, 2]]).unwrap(), "0");
        // Worked by hand: ranks 1 2 3, 1 3 2, 2 1 3; R 4, 6, 8; S = 8; W = 12·8 / (9·24) = 0.444444.
        assert_eq!(w(&[&[9, 8, 7], &[9, 7, 8], &[8, 9, 7]]).unwrap(), "0.444444");
    }

    #[test]
    fn agreement_is_corrected_for_ties_and_none_where_nothing_is_told_apart() {
        // Ranks 1 2.5 2.5 twice and 1 2 3: R 3, 7, 8; S = 14; T = 6 + 6; W = 12·14 / (9·24 − 3·12) = 0.933333.
        assert_eq!(w(&[&[9, 5, 5], &[9, 5, 5], &[9, 8, 7]]).unwrap(), "0.933333");
        assert_eq!(w(&[&[5, 5, 5], &[9, 9, 9], &[1, 1, 1]]), None);
        assert_eq!(kendall(&[vec![2, 4], vec![2]]), None);
    }

    #[test]
    fn medians_and_points_share_the_mean_of_ties() {
        assert_eq!(median_quarters(vec![2, 4, 5]), Some(8), "2: the one in the middle");
        assert_eq!(median_quarters(vec![2, 4, 5, 9]), Some(9), "2.25: between 2 and 2.5");
        assert_eq!(median_quarters(vec![]), None);
        let points: Vec<_> =
            half_ranks(&[5, 9, 5, 1]).iter().map(|r| borda_halves(4, *r)).collect();
        assert_eq!(points, [3, 6, 3, 0], "1.5, 3, 1.5 and 0 points");
    }
}
