//! Complementary suppression: which figures of a set of tables may be shown together? Comes in: cells with what stands
//! behind them, the equations that readers know to hold between them, and what was shown before. Goes out: a
//! [`Pattern`] that says of every cell whether it is published, or a refusal. Must never give out a pattern that the
//! audit has not passed, nor change what was published before.
//!
//! Both who protects figures use it: a node its protected units in a bulletin, the coordinator jurisdictions in a
//! picture. In reading order: `equations` says what a reader knows, `choose` what to hide, [`audit()`] decides,
//! and asks `circuit` and `linear` what is still possible.
//!
//! # Why this is enough
//! *Claim:* whoever knows what is published, now and before, and all remainders, and whoever besides contributes to
//! hidden cells, cannot narrow an unsafe figure to less than its protection interval. *Argument:* all that these
//! readers know of hidden cells is a set of linear equations, that no figure is below zero, and that a cell is no
//! smaller than what oneself contributes to it. For both ends of every interval the audit holds a point that
//! satisfies all of it: a world that looks the same and lies that far away. Where it has none, nothing is published.
//! *Known limit:* worlds are points of the real numbers, and tables of whole numbers may have fewer; readers who
//! pool their contributions are counted as one only if they are given as one owner; what an owner contributes to a
//! cell is what she knows of it only if it is given; and that a cell was chosen to be hidden because
//! it was cheap says a little about it. A figure that is asked for and is not in the equations is not protected. Tables
//! with three dimensions and many small cells mostly end in a refusal.

mod audit;
mod circuit;
mod equations;
mod linear;
mod choose;

#[cfg(test)]
mod tests;

pub use self::{
    audit::{Pattern, audit, interval},
    choose::{Choice, Cost, protect},
    equations::{Cell, Equation, Equations, Fixed, Known, Malformed},
};

/// What becomes of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// It is shown as it is.
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
    /// What may not be shown was published before.
    #[error("a figure that is not safe was published before")]
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
