//! Exact figures in a fixed set of tables: which of them may stand there? Comes in: cells with what stands behind
//! them, the equations that readers know to hold between them, and what earlier bulletins did. Goes out: a
//! [`Pattern`] that says of every cell whether it is published, or a refusal. Must never give out a pattern that the
//! audit has not passed, nor change what an earlier bulletin has published.
//!
//! In reading order: `equations` says what a reader knows, `suppress` chooses what to hide, [`audit()`] decides,
//! and asks `circuit` and `linear` what is still possible.
//!
//! # Why this is enough
//! *Claim:* whoever knows the bulletin, every earlier one and all remainders, and whoever besides contributes to
//! hidden cells, cannot narrow an unsafe figure to less than its protection interval. *Argument:* all that these
//! readers know of hidden cells is a set of linear equations, that no figure is below zero, and that a cell is no
//! smaller than what oneself contributes to it. For both ends of every interval the audit holds a point that
//! satisfies all of it: a world that looks the same and lies that far away. Where it has none, nothing is published.
//! *Known limit:* worlds are points of the real numbers, and tables of whole numbers may have fewer; readers who
//! pool their contributions are counted as one only if they are given as one owner; an owner's second contribution
//! to a cell that another dominates is left out of what she knows; and that a cell was chosen to be hidden because
//! it was cheap says a little about it. A figure that is asked for and is not in the equations is not protected. Tables
//! with three dimensions and many small cells mostly end in a refusal.

mod audit;
mod circuit;
mod equations;
mod linear;
mod suppress;

#[cfg(test)]
mod tests;

pub use self::{
    audit::{Pattern, audit, interval},
    equations::{BulletinCell, Equation, Equations, Fixed, Malformed},
    suppress::{Choice, Cost, protect},
};

/// What becomes of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// It stands in the bulletin as it is.
    Published,
    /// It is hidden because it is unsafe itself.
    Primary,
    /// It is hidden because another one could be worked out from it.
    Secondary,
}

impl Shown {
    /// Does a reader see the figure?
    pub fn is_published(self) -> bool {
        self == Self::Published
    }
}

/// Why there is no pattern. For its own house only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FailClosed {
    /// An earlier bulletin has published what may not be shown.
    #[error("an earlier bulletin shows a figure that is not safe")]
    PublishedBefore,
    /// Everything that may be hidden is hidden, and something can still be worked out.
    #[error("a figure stays exposed though nothing is left to hide")]
    Exhausted,
    /// It did not come out within the rounds that there are.
    #[error("no safe pattern within the number of rounds")]
    Rounds,
    /// It did not come out within the work that there is.
    #[error("no safe pattern within the work that is allowed")]
    Work,
}
