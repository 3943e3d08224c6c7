//! The cell-key method, which this project does not use, rebuilt to be attacked. Comes in: most deviation,
//! variance, smallest figure not used, share left alone. Goes out: a table of perturbations by maximum entropy,
//! and what it makes of a figure.

use anyhow::{Result, ensure};

use super::estimate::{figure, whole};

/// Perturbations and their chances, a row for each figure; the last row holds for all above.
#[derive(Clone, Debug)]
pub struct Perturbations(Vec<Vec<(i64, f64)>>);

impl Perturbations {
    /// By maximum entropy: mean 0, this variance, nothing beyond `most`, no figure from 1 to `unused`; where a
    /// figure may stay as it is, it does so with chance `stay` (if above 0).
    pub fn maximum_entropy(most: i64, variance: f64, unused: i64, stay: f64) -> Result<Self> {
        let mut rows = vec![vec![(0, 1.0)]];
        for count in 1..=most + unused + 1 {
            rows.push(row(count, most, variance, unused, stay)?);
        }
        Ok(Self(rows))
    }

    /// Rows as they are written down somewhere.
    pub fn of_rows(rows: Vec<Vec<(i64, f64)>>) -> Self {
        Self(rows)
    }

    /// Chances of the perturbations of a figure, ascending.
    pub fn of(&self, count: i64) -> &[(i64, f64)] {
        let last = self.0.len().saturating_sub(1);
        &self.0[usize::try_from(count).unwrap_or(0).min(last)]
    }

    /// The perturbation of a count with this key.
    pub fn look_up(&self, count: i64, key: f64) -> i64 {
        let mut upper = 0.0;
        let row = self.of(count);
        for (by, chance) in row {
            upper += chance;
            if key <= upper {
                return *by;
            }
        }
        row.last().map_or(0, |(by, _)| *by)
    }

    /// A magnitude with its largest contribution: between two rows the perturbation is between theirs.
    pub fn magnitude(&self, sum: f64, largest: f64, factor: f64, key: f64) -> f64 {
        let unit = factor * largest;
        let at = sum / unit;
        let (below, share) = (at.floor(), at.fract());
        let by = |row: f64| figure(self.look_up(whole(row), key));
        sum + unit * ((1.0 - share) * by(below) + share * by(below + 1.0))
    }
}

/// p(v) ∝ exp(αv + βv²); Newton's method finds α and β.
fn row(count: i64, most: i64, variance: f64, unused: i64, stay: f64) -> Result<Vec<(i64, f64)>> {
    let possible = |by: &i64| count + by >= 0 && !(1..=unused).contains(&(count + by));
    let fixed = stay > 0.0 && possible(&0);
    let free: Vec<i64> = (-most..=most).filter(|by| possible(by) && !(fixed && *by == 0)).collect();
    let mass = if fixed { 1.0 - stay } else { 1.0 };
    let (mean, square) = (0.0, variance / mass);
    let chances = |alpha: f64, beta: f64| -> Vec<f64> {
        let exponent = |by: &i64| alpha * figure(*by) + beta * figure(by * by);
        let top = free.iter().map(exponent).fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = free.iter().map(|by| (exponent(by) - top).exp()).collect();
        let all: f64 = weights.iter().sum();
        weights.into_iter().map(|weight| weight / all).collect()
    };
    let (mut alpha, mut beta, mut left) = (0.0, 0.0, f64::INFINITY);
    for _ in 0..500 {
        let chances = chances(alpha, beta);
        let moment = |power: i32| -> f64 {
            free.iter().zip(&chances).map(|(by, chance)| figure(*by).powi(power) * chance).sum()
        };
        let (m1, m2, m3, m4) = (moment(1), moment(2), moment(3), moment(4));
        let (off1, off2) = (m1 - mean, m2 - square);
        left = off1.abs().max(off2.abs());
        if left < 1e-13 {
            break;
        }
        let (a, b, c) = (m2 - m1 * m1, m3 - m1 * m2, m4 - m2 * m2);
        let determinant = a * c - b * b;
        let step = ((c * off1 - b * off2) / determinant, (a * off2 - b * off1) / determinant);
        // Damped: the surface is flat far from the solution.
        let damping = 1.0_f64.min(0.5 / step.0.abs().max(step.1.abs()).max(1e-12));
        alpha -= damping * step.0;
        beta -= damping * step.1;
    }
    ensure!(left < 1e-9, "no perturbations of {count} have variance {variance}");
    let mut row: Vec<_> =
        free.iter().copied().zip(chances(alpha, beta)).map(|(by, p)| (by, p * mass)).collect();
    if fixed {
        row.push((0, stay));
        row.sort_unstable_by_key(|(by, _)| *by);
    }
    Ok(row)
}

/// The discrete Laplace distribution, cut: chance of 0, 1, … `most`, each sign.
pub fn capped_laplace(epsilon: f64, most: i64) -> Vec<f64> {
    let weight = |at: i64| (-epsilon * figure(at.abs())).exp();
    let all: f64 = (-most..=most).map(weight).sum();
    (0..=most).map(|at| weight(at) / all).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(table: &Perturbations, count: i64, known: &[(i64, f64)], within: f64) {
        for (by, chance) in known {
            let found = table.of(count).iter().find(|(at, _)| at == by).map_or(0.0, |(_, p)| *p);
            assert!((found - chance).abs() < within, "{count} {by}: {found} is not {chance}");
        }
    }

    /// τ-ARGUS, `ptab_freq.txt`: most 5, variance 3, 1 and 2 not used, half of them left alone.
    #[test]
    fn perturbations_are_those_of_argus() {
        let table = Perturbations::maximum_entropy(5, 3.0, 2, 0.5).unwrap();
        let one = [
            (-1, 0.734_469_54),
            (2, 0.136_720_19),
            (3, 0.072_796_31),
            (4, 0.037_429_56),
            (5, 0.018_584_40),
        ];
        check(&table, 1, &one, 1e-8);
        let two = [
            (-2, 0.408_807_04),
            (1, 0.406_643_56),
            (2, 0.147_623_99),
            (3, 0.032_318_82),
            (4, 0.004_266_87),
            (5, 0.000_339_72),
        ];
        check(&table, 2, &two, 1e-8);
        let three = [
            (-3, 0.187_375_98),
            (0, 0.5),
            (1, 0.156_298_16),
            (2, 0.090_813_88),
            (3, 0.043_242_01),
            (4, 0.016_873_88),
            (5, 0.005_396_09),
        ];
        check(&table, 3, &three, 1e-8);
        let sides = [0.093_942_63, 0.072_317_18, 0.046_759_80, 0.025_395_48, 0.011_584_91];
        let many: Vec<_> = (1..)
            .zip(sides)
            .flat_map(|(by, chance)| [(by, chance), (-by, chance)])
            .chain([(0, 0.5)])
            .collect();
        check(&table, 8, &many, 1e-8);
        check(&table, 5_000, &many, 1e-8);
    }

    #[test]
    fn perturbations_of_the_small_table_are_the_known_ones() {
        let table = Perturbations::maximum_entropy(2, 1.0, 0, 0.0).unwrap();
        let one = [(-1, 0.398_065), (0, 0.305_806), (1, 0.194_194), (2, 0.101_935)];
        check(&table, 1, &one, 1e-6);
        let many = [(0, 0.382_963), (1, 0.244_691), (-1, 0.244_691), (2, 0.063_827)];
        check(&table, 2, &many, 1e-6);
        let table = Perturbations::maximum_entropy(2, 0.9, 0, 0.0).unwrap();
        let one = [(-1, 0.368_985), (0, 0.343_046), (1, 0.206_954), (2, 0.081_015)];
        check(&table, 1, &one, 1e-6);
        check(&table, 2, &[(0, 0.409_277), (1, 0.243_816), (2, 0.051_546)], 1e-6);
    }

    /// The Handbook's toy example. Of its table only what the example looks up is known: key .8 gives 0 in
    /// row 2 and 1 in row 3.
    #[test]
    fn the_toy_table_of_the_handbook_gives_its_figures() {
        let zero = vec![(0, 1.0)];
        let rows = vec![zero.clone(), zero, vec![(0, 0.9), (1, 0.1)], vec![(0, 0.7), (1, 0.3)]];
        let table = Perturbations::of_rows(rows);
        let key = (0.9 + 0.3 + 0.6_f64).fract();
        assert_eq!(3 + table.look_up(3, key), 4);
        assert!((table.magnitude(300.0, 200.0, 0.5, key) - 400.0).abs() < 1e-9);
        assert!((table.magnitude(300.0, 200.0, 0.6, key) - 360.0).abs() < 1e-9);
    }

    #[test]
    fn the_capped_laplace_distribution_is_the_known_one() {
        let near = |epsilon: f64, known: &[f64], within: f64| {
            let found = capped_laplace(epsilon, 7);
            known.iter().zip(found).for_each(|(known, found)| {
                assert!((known - found).abs() < within, "{found} is not {known}");
            });
        };
        near(1.5, &[0.63516, 0.14172, 0.03162, 0.00706], 1e-5);
        near(0.5, &[0.2506, 0.1520, 0.0922, 0.0559, 0.0339, 0.0206, 0.0125, 0.0076], 1e-4);
    }
}
