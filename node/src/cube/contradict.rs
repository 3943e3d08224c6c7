//! Figures that cannot both be right: a part that is more than its whole. Comes in: cells. Goes out: which.
//! Reported, never repaired: some published sources really have such figures.

use std::collections::BTreeSet;

use accord_proto::taxonomy::{Lists, Semantics};

use super::{Cells, tabulate::above};
use crate::record::{CellKey, Observed};

/// A cell that is more than one that contains it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// The part.
    pub part: CellKey,
    /// What contains it.
    pub whole: CellKey,
}

/// Every part that is more than a cell that contains it, by crime area, region, period or category.
pub fn contradictions(cells: &Cells, lists: &Lists) -> Vec<Contradiction> {
    let least = |observed| match observed {
        Observed::Value(value) | Observed::Between(value, _) => Some(value),
        Observed::Missing | Observed::NotCollected | Observed::NotApplicable => None,
    };
    let most = |observed| match observed {
        Observed::Value(value) | Observed::Between(_, value) => Some(value),
        Observed::Missing | Observed::NotCollected | Observed::NotApplicable => None,
    };
    let periods: BTreeSet<_> = cells.keys().map(|cell| cell.period).collect();
    let mut found = Vec::new();
    for (part, aggregate) in cells {
        let adds_up = lists.indicator_of(part.indicator).is_some_and(|indicator| {
            matches!(indicator.semantics, Semantics::Flow | Semantics::Stock | Semantics::Magnitude)
        });
        let Some(least) = least(aggregate.observed).filter(|_| adds_up) else { continue };
        let wholes = periods.iter().flat_map(|period| above(part, *period, lists));
        for whole in wholes.filter(|whole| whole != part) {
            let of_whole = cells.get(&whole).and_then(|whole| most(whole.observed));
            if of_whole.is_some_and(|of_whole| least > of_whole) {
                found.push(Contradiction { part: *part, whole });
            }
        }
    }
    found
}
