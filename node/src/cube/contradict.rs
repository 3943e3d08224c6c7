//! Figures that cannot both be right: a part that is more than its whole. Comes in: cells. Goes out: which.
//! Reported, never repaired: some published sources really have such figures.

use accord_proto::taxonomy::{Lists, Semantics};

use super::Cells;
use crate::record::{CellKey, Observed};

/// A cell that is more than one that contains it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// The part.
    pub part: CellKey,
    /// What contains it.
    pub whole: CellKey,
}

/// Every part that is more than the cell directly above it by crime area, region or category.
pub fn contradictions(cells: &Cells, lists: &Lists) -> Vec<Contradiction> {
    let least = |observed| match observed {
        Observed::Value(value) | Observed::Between(value, _) => Some(value),
        Observed::Missing | Observed::NotCollected | Observed::NotApplicable => None,
    };
    let most = |observed| match observed {
        Observed::Value(value) | Observed::Between(_, value) => Some(value),
        Observed::Missing | Observed::NotCollected | Observed::NotApplicable => None,
    };
    let mut found = Vec::new();
    for (part, aggregate) in cells {
        let adds_up = lists.indicator_of(part.indicator).is_some_and(|indicator| {
            matches!(indicator.semantics, Semantics::Flow | Semantics::Stock | Semantics::Magnitude)
        });
        let Some(least) = least(aggregate.observed).filter(|_| adds_up) else { continue };
        for whole in directly_above(part, lists) {
            let of_whole = cells.get(&whole).and_then(|whole| most(whole.observed));
            if of_whole.is_some_and(|of_whole| least > of_whole) {
                found.push(Contradiction { part: *part, whole });
            }
        }
    }
    found
}

fn directly_above(part: &CellKey, lists: &Lists) -> Vec<CellKey> {
    let area = lists.crime_area_parent(part.crime_area);
    let area = area.map(|crime_area| CellKey { crime_area, ..*part });
    let region = lists.region_of(part.region).and_then(|region| region.parent);
    let region = region.map(|region| CellKey { region, ..*part });
    let categories = part.categories.iter().enumerate().filter(|(_, code)| code.is_some());
    let categories = categories.map(|(at, _)| {
        let mut categories = part.categories;
        if let Some(category) = categories.get_mut(at) {
            *category = None;
        }
        CellKey { categories, ..*part }
    });
    area.into_iter().chain(region).chain(categories).collect()
}
