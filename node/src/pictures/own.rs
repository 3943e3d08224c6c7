//! A node's own share of a picture. Comes in: what was asked, and the table that the node has released for it. Goes out: for
//! each cell of the picture what stands there. Pure; for the node's own eyes only.

use std::collections::BTreeMap;

use accord_proto::{
    question::Question,
    regional::RegionalKey,
    table::{Placed, Table},
};

/// What a node has released of each cell of a picture, in the picture's order: one figure for each region of its own.
pub(crate) fn share(question: &Question, table: &Table) -> Vec<Vec<Placed>> {
    let mut cells = BTreeMap::<RegionalKey, Vec<Placed>>::new();
    for block in &table.blocks {
        for placed in block.placed() {
            let key = RegionalKey {
                indicator: block.indicator,
                crime_area: placed.crime_area,
                period: placed.period,
                categories: placed.categories,
            };
            cells.entry(key).or_default().push(placed);
        }
    }
    RegionalKey::asked(question).map(|key| cells.get(&key).cloned().unwrap_or_default()).collect()
}
