//! The attacker's mathematics: what can be known of a cell from everything that was answered. Comes in: which
//! parts each figure adds up, and how much each is blurred. Goes out: best estimates with their variance, how
//! well two worlds are told apart, exact bounds. Pure.

use anyhow::{Context as _, Result, ensure};

/// A count as a number to reckon with.
pub fn float(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

/// A figure as a number to reckon with. Figures of an attack are far below 2^53.
#[expect(clippy::as_conversions, reason = "exact below 2^53")]
pub fn figure(value: i64) -> f64 {
    value as f64
}

/// The whole number next to it.
#[expect(clippy::cast_possible_truncation, reason = "saturates, and is rounded before")]
pub fn whole(value: f64) -> i64 {
    value.round() as i64
}

/// How often of how many.
pub fn share(times: usize, trials: usize) -> f64 {
    if trials == 0 { 0.0 } else { float(times) / float(trials) }
}

/// Mean and its standard error.
pub fn mean(figures: &[f64]) -> (f64, f64) {
    let count = float(figures.len().max(1));
    let mean = figures.iter().sum::<f64>() / count;
    let squares: f64 = figures.iter().map(|figure| (figure - mean).powi(2)).sum();
    (mean, (squares / (count - 1.0).max(1.0) / count).sqrt())
}

/// The normal distribution up to `x`.
pub fn phi(x: f64) -> f64 {
    let tail = 0.5 * erfc(x.abs() / std::f64::consts::SQRT_2);
    if x < 0.0 { tail } else { 1.0 - tail }
}

/// Complement of the error function, for x ≥ 0: a series below 2, a continued fraction above.
fn erfc(x: f64) -> f64 {
    if x < 2.0 {
        let (mut term, mut sum, mut n) = (x, x, 0.0);
        while term.abs() > 1e-17 * sum.abs() {
            n += 1.0;
            term *= -x * x / n;
            sum += term / (2.0 * n + 1.0);
            if n > 200.0 {
                break;
            }
        }
        return 1.0 - sum * 2.0 / std::f64::consts::PI.sqrt();
    }
    let fraction = (1..=120).rev().fold(0.0, |below, n| 0.5 * f64::from(n) / (x + below));
    (-x * x).exp() / std::f64::consts::PI.sqrt() / (x + fraction)
}

/// Most by which two worlds can be told apart that differ by `shift` in a figure with this variance.
pub fn advantage(shift: f64, variance: f64) -> f64 {
    2.0 * phi(shift / (2.0 * variance.sqrt())) - 1.0
}

/// The discrete Gaussian: chance of each of −most..=most.
pub fn discrete_gaussian(variance: f64) -> Vec<f64> {
    let most = whole((12.0 * variance.sqrt()).ceil()).max(4);
    let weight = |at: i64| (-figure(at * at) / (2.0 * variance)).exp();
    let all: f64 = (-most..=most).map(weight).sum();
    (-most..=most).map(|at| weight(at) / all).collect()
}

/// The same as [`advantage`], exactly, for a sum of `cells` discrete Gaussians: the one figure that holds all
/// that so many cells say of one victim in each of them.
pub fn discrete_advantage(cells: usize, variance: f64) -> f64 {
    let one = discrete_gaussian(variance);
    let mut sum = vec![1.0];
    for _ in 0..cells {
        let mut more = vec![0.0; sum.len() + one.len() - 1];
        for (at, p) in sum.iter().enumerate() {
            one.iter().enumerate().for_each(|(by, q)| more[at + by] += p * q);
        }
        sum = more;
    }
    let before =
        |at: usize| at.checked_sub(cells).map_or(0.0, |at| sum.get(at).copied().unwrap_or(0.0));
    (0..sum.len() + cells)
        .map(|at| (before(at) - sum.get(at).copied().unwrap_or(0.0)).max(0.0))
        .sum()
}

/// Chance that a discrete Gaussian is at least `least`.
pub fn chance_at_least(least: i64, variance: f64) -> f64 {
    let chances = discrete_gaussian(variance);
    let most = whole(float(chances.len() / 2));
    (-most..).zip(chances).filter(|(at, _)| *at >= least).map(|(_, chance)| chance).sum()
}

/// Chance of `times` or more out of `trials` with chance `p` each; exact.
pub fn binomial_tail(times: usize, trials: usize, p: f64) -> f64 {
    if times == 0 {
        return 1.0;
    }
    if p <= 0.0 || times > trials {
        return 0.0;
    }
    let odds = (p / (1.0 - p)).ln();
    let mut log = float(trials) * (1.0 - p).ln();
    let mut tail = 0.0;
    for at in 0..=trials {
        if at >= times {
            tail += log.exp();
        }
        log += ((float(trials) - float(at)) / (float(at) + 1.0)).ln() + odds;
    }
    tail.min(1.0)
}

/// How well a guess told two worlds apart.
#[derive(Clone, Copy, Debug, Default)]
pub struct Guesses {
    /// Guessed "there" where the victim was, and how often it was.
    pub there: (usize, usize),
    /// Guessed "there" where the victim was not, and how often it was not.
    pub absent: (usize, usize),
}

impl Guesses {
    /// One guess more.
    pub fn add(&mut self, is_there: bool, guessed: bool) {
        let (times, trials) = if is_there { &mut self.there } else { &mut self.absent };
        *trials += 1;
        *times += usize::from(guessed);
    }

    /// The advantage with its standard error.
    pub fn advantage(&self) -> (f64, f64) {
        let (there, absent) =
            (share(self.there.0, self.there.1), share(self.absent.0, self.absent.1));
        // All right or all wrong out of a few is no certainty: two of each are added.
        let variance = |(times, trials): (usize, usize)| {
            let share = (float(times) + 2.0) / (float(trials) + 4.0);
            share * (1.0 - share) / float(trials.max(1))
        };
        let error = (variance(self.there) + variance(self.absent)).sqrt();
        (there - absent, error)
    }

    /// How many.
    pub fn trials(&self) -> usize {
        self.there.1 + self.absent.1
    }
}

/// A figure: which parts it adds up, how much it is blurred, what it says.
#[derive(Clone, Debug)]
pub struct Equation {
    /// Parts below it.
    pub parts: Vec<usize>,
    /// Variance of its noise.
    pub variance: f64,
    /// What was answered.
    pub value: f64,
}

/// Best estimate of every part with its variance, from everything: weighted least squares over the normal
/// equations. Parts that nothing tells apart are an error.
pub fn least_squares(parts: usize, equations: &[Equation]) -> Result<Vec<(f64, f64)>> {
    let mut normal = vec![vec![0.0; parts]; parts];
    let mut right = vec![0.0; parts];
    for Equation { parts, variance, value } in equations {
        ensure!(*variance > 0.0, "an exact figure is no estimate");
        for one in parts {
            right[*one] += value / variance;
            for other in parts {
                normal[*one][*other] += 1.0 / variance;
            }
        }
    }
    let lower = cholesky(normal).context("the figures do not tell all parts apart")?;
    let values = solve(&lower, right);
    (0..parts)
        .map(|part| {
            let mut unit = vec![0.0; parts];
            unit[part] = 1.0;
            let column = solve(&lower, unit);
            Ok((values[part], column[part]))
        })
        .collect()
}

/// Smallest variance of a part after using everything, over the variance of one figure. All figures are blurred
/// alike.
pub fn weakest_part(parts: usize, figures: &[Vec<usize>]) -> Result<f64> {
    let equations: Vec<_> = figures
        .iter()
        .map(|parts| Equation { parts: parts.clone(), variance: 1.0, value: 0.0 })
        .collect();
    let estimates = least_squares(parts, &equations)?;
    Ok(estimates.iter().map(|(_, variance)| *variance).fold(f64::INFINITY, f64::min))
}

fn cholesky(mut matrix: Vec<Vec<f64>>) -> Option<Vec<Vec<f64>>> {
    for row in 0..matrix.len() {
        for column in 0..=row {
            let known: f64 =
                (0..column).map(|before| matrix[row][before] * matrix[column][before]).sum();
            let left = matrix[row][column] - known;
            if row == column {
                if left < 1e-9 {
                    return None;
                }
                matrix[row][row] = left.sqrt();
            } else {
                matrix[row][column] = left / matrix[column][column];
            }
        }
    }
    Some(matrix)
}

fn solve(lower: &[Vec<f64>], mut right: Vec<f64>) -> Vec<f64> {
    for row in 0..right.len() {
        let known: f64 = (0..row).map(|before| lower[row][before] * right[before]).sum();
        right[row] = (right[row] - known) / lower[row][row];
    }
    for row in (0..right.len()).rev() {
        let known: f64 = (row + 1..right.len()).map(|after| lower[after][row] * right[after]).sum();
        right[row] = (right[row] - known) / lower[row][row];
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, wanted: f64, within: f64) {
        assert!((found - wanted).abs() <= within, "{found} is not {wanted}");
    }

    #[test]
    fn the_normal_distribution_is_the_known_one() {
        near(phi(0.0), 0.5, 1e-15);
        near(phi(1.96), 0.975_002_104_851_779_6, 1e-13);
        near(phi(-3.0), 1.349_898_031_630_095e-3, 1e-15);
        near(phi(-6.0), 9.865_876_450_376_98e-10, 1e-20);
        near(phi(2.0 * std::f64::consts::SQRT_2), 0.997_661_132_509_476_7, 1e-13);
    }

    /// Figures of the reference for T1: 18 cells, and one cell.
    #[test]
    fn advantages_are_those_of_the_reference() {
        for (sigma, known) in [(3.0_f64.sqrt(), 0.78), (3.0, 0.52), (6.0, 0.28)] {
            near(advantage(18.0_f64.sqrt(), sigma * sigma), known, 0.005);
            near(discrete_advantage(18, sigma * sigma), known, 0.005);
        }
        near(advantage(1.0, 3.0), 0.23, 0.005);
        // One cell: a discrete Gaussian gives a little more away than its continuous sister.
        near(discrete_advantage(1, 3.0), 1.0 / (6.0 * std::f64::consts::PI).sqrt(), 1e-9);
    }

    fn margins(rows: usize, columns: usize) -> Vec<Vec<usize>> {
        let at = |row: usize, column: usize| row * columns + column;
        let mut figures: Vec<Vec<usize>> = (0..rows * columns).map(|leaf| vec![leaf]).collect();
        figures.extend((0..rows).map(|row| (0..columns).map(|column| at(row, column)).collect()));
        figures.extend((0..columns).map(|column| (0..rows).map(|row| at(row, column)).collect()));
        figures.push((0..rows * columns).collect());
        figures
    }

    #[test]
    fn margins_give_a_leaf_away_as_far_as_the_reference_says() {
        for (rows, columns, known) in [(2, 2, 0.44), (5, 4, 0.67), (12, 10, 0.84)] {
            let (r, c) = (float(rows), float(columns));
            let formula = (1.0 / ((1.0 + r) * (1.0 + c))
                + (r - 1.0) / (1.0 + c)
                + (c - 1.0) / (1.0 + r)
                + (r - 1.0) * (c - 1.0))
                / (r * c);
            let found = weakest_part(rows * columns, &margins(rows, columns)).unwrap();
            near(found, formula, 1e-9);
            near(found, known, 0.005);
        }
    }

    #[test]
    fn exact_bounds_are_exact() {
        near(binomial_tail(2, 3, 0.5), 0.5, 1e-12);
        near(binomial_tail(1, 100, 0.01), 1.0 - 0.99_f64.powi(100), 1e-12);
        near(binomial_tail(0, 5, 0.1), 1.0, 0.0);
        near(chance_at_least(0, 3.0), 0.5 + 0.5 / (6.0 * std::f64::consts::PI).sqrt(), 1e-9);
    }

    #[test]
    fn estimates_are_weighted_by_what_each_figure_is_worth() {
        let says = |variance, value| Equation { parts: vec![0], variance, value };
        let found = least_squares(1, &[says(3.0, 10.0), says(6.0, 16.0)]).unwrap();
        near(found[0].0, 12.0, 1e-9);
        near(found[0].1, 2.0, 1e-9);
        let alone = Equation { parts: vec![0, 1], variance: 1.0, value: 1.0 };
        assert!(least_squares(2, &[alone]).is_err());
    }
}
