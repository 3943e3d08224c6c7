//! The attacker's linear programme: how far can a withheld cell lie, given every figure that was shown? Comes
//! in: equations over the parts, with a tolerance. Goes out: an interval, or that nothing fits.

use anyhow::{Context as _, Result, bail};
use clarabel::{
    algebra::CscMatrix,
    solver::{DefaultSettingsBuilder, DefaultSolver, IPSolver as _, SolverStatus, SupportedConeT},
};

use super::estimate::Equation;

/// Where a part can lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Interval {
    /// From, to; to infinity where nothing bounds it.
    Between(f64, f64),
    /// No figures fit what was shown.
    Nothing,
}

/// Everything that is known of the parts: figures up to `tolerance` standard deviations, and that no part is
/// negative.
#[derive(Debug)]
pub struct Known {
    parts: usize,
    rows: CscMatrix<f64>,
    bounds: Vec<f64>,
    cones: Vec<SupportedConeT<f64>>,
}

impl Known {
    /// Tolerance 0 takes the figures as exact.
    pub fn new(parts: usize, equations: &[Equation], tolerance: f64) -> Self {
        let (mut at, mut bounds) = ((Vec::new(), Vec::new(), Vec::new()), Vec::new());
        let mut row = |parts: &[usize], sign: f64, bound: f64| {
            for part in parts {
                at.0.push(bounds.len());
                at.1.push(*part);
                at.2.push(sign);
            }
            bounds.push(bound);
        };
        let mut cones = Vec::new();
        for Equation { parts, variance, value } in equations {
            let slack = tolerance * variance.sqrt();
            row(parts, 1.0, value + slack);
            if tolerance > 0.0 {
                row(parts, -1.0, slack - value);
            }
        }
        let exact = if tolerance > 0.0 { 0 } else { equations.len() };
        let loose = if tolerance > 0.0 { 2 * equations.len() } else { 0 };
        (0..parts).for_each(|part| row(&[part], -1.0, 0.0));
        if exact > 0 {
            cones.push(SupportedConeT::ZeroConeT(exact));
        }
        cones.push(SupportedConeT::NonnegativeConeT(loose + parts));
        let rows = CscMatrix::new_from_triplets(bounds.len(), parts, at.0, at.1, at.2);
        Self { parts, rows, bounds, cones }
    }

    /// Where a sum of parts can lie.
    pub fn interval(&self, of: &[usize]) -> Result<Interval> {
        let (Some(least), Some(most)) = (self.least(of, 1.0)?, self.least(of, -1.0)?) else {
            return Ok(Interval::Nothing);
        };
        Ok(Interval::Between(least, -most))
    }

    fn least(&self, of: &[usize], sign: f64) -> Result<Option<f64>> {
        let mut wanted = vec![0.0; self.parts];
        of.iter().for_each(|part| wanted[*part] += sign);
        let settings = DefaultSettingsBuilder::default().verbose(false).build();
        let settings = settings.ok().context("the solver takes no settings")?;
        let nothing = CscMatrix::zeros((self.parts, self.parts));
        let mut solver =
            DefaultSolver::new(&nothing, &wanted, &self.rows, &self.bounds, &self.cones, settings)
                .ok()
                .context("the solver takes no such programme")?;
        solver.solve();
        match solver.solution.status {
            SolverStatus::Solved | SolverStatus::AlmostSolved => Ok(Some(solver.solution.obj_val)),
            SolverStatus::PrimalInfeasible | SolverStatus::AlmostPrimalInfeasible => Ok(None),
            SolverStatus::DualInfeasible | SolverStatus::AlmostDualInfeasible => {
                Ok(Some(f64::NEG_INFINITY))
            }
            status @ (SolverStatus::Unsolved
            | SolverStatus::MaxIterations
            | SolverStatus::MaxTime
            | SolverStatus::NumericalError
            | SolverStatus::InsufficientProgress
            | SolverStatus::CallbackTerminated) => bail!("the solver gives up: {status:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(parts: &[usize], value: f64) -> Equation {
        Equation { parts: parts.to_vec(), variance: 1.0, value }
    }

    /// Handbook chapter 4, example 3: rows 7 and 3, columns 6 and 4 are left.
    #[test]
    fn intervals_are_those_of_the_handbook() {
        let shown = [sum(&[0, 1], 7.0), sum(&[2, 3], 3.0), sum(&[0, 2], 6.0), sum(&[1, 3], 4.0)];
        let known = Known::new(4, &shown, 0.0);
        for (part, least, most) in [(0, 3.0, 6.0), (1, 1.0, 4.0), (2, 0.0, 3.0), (3, 0.0, 3.0)] {
            let Interval::Between(from, to) = known.interval(&[part]).unwrap() else {
                panic!("nothing fits");
            };
            assert!((from - least).abs() < 1e-4 && (to - most).abs() < 1e-4, "{part}: {from} {to}");
        }
    }

    #[test]
    fn figures_that_contradict_each_other_fit_nothing_until_they_are_taken_loosely() {
        let shown = [sum(&[0, 1], 7.0), sum(&[0], 4.0), sum(&[1], 4.0)];
        assert_eq!(Known::new(2, &shown, 0.0).interval(&[0]).unwrap(), Interval::Nothing);
        let loose = Known::new(2, &shown, 1.0).interval(&[0]).unwrap();
        assert!(matches!(loose, Interval::Between(from, to) if to - from > 1.0), "{loose:?}");
    }
}
