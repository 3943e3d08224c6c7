//! Twins weakened on purpose: each has one fault that is known from elsewhere. An attack that does not break its
//! twin proves nothing. Comes in: the fault. Goes out: a service with it.

use anyhow::Result;

use super::{
    cells::Lattice,
    oracle::{Held, Oracle, Service},
    reference::Model,
};

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Weakness {
    /// New noise for every question (as SHRINE does: standard deviation 1.33, cut at ±3).
    Fresh,
    /// Noise by the records that a cell holds (the cell-key method): most deviation, variance, smallest figure
    /// not used, share of cells left alone.
    CellKey(i64, f64, i64, f64),
    /// The noise of the first edition again in every other.
    ReusedNoise,
    /// Totals are exact, their parts are not.
    ExactTotals,
    /// What is shown depends on the true figure alone.
    TrueFloor,
    /// Noise by the question, not by the cell.
    PerRequest,
    /// Forgets how often a cell was drawn.
    Forgetful,
    /// No noise; small figures are not shown.
    Exact,
    /// Noise, and everything is shown.
    NoFloor,
    /// The same noise for every audience, whatever records count for it.
    SharedClasses,
    /// Says why something is not shown.
    Talkative,
    /// Answers about any set of leaves.
    Predicates,
}

/// A service with a fault.
#[derive(Clone, Copy, Debug)]
pub struct Weak(pub Weakness);

impl Service for Weak {
    fn name(&self) -> String {
        format!("{:?}", self.0)
    }

    fn open(&self, lattice: &Lattice, held: &[Held], seed: u64) -> Result<Box<dyn Oracle>> {
        Ok(Box::new(Model::new(lattice, held, seed, Some(self.0))?))
    }
}
