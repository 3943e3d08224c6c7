//! Combining, by the indicator's semantics, in exact integer arithmetic. Comes in: what the gate
//! says of every cell. Goes out: one figure for each, or that there is none across jurisdictions. Pure. The arithmetic
//! is the contract's: whoever checks a picture does it again.

use std::collections::BTreeMap;

use accord_proto::{combine, taxonomy::Lists};

use crate::gate::{RegionalKey, Standing, Verdict, Verdicts};

pub use accord_proto::combine::Combined;

/// A regional cell: its figure, if there is one, and who stands how to it.
#[derive(Debug)]
pub struct RegionalCell {
    /// What became of it.
    pub combined: Combined,
    /// Nobody, where the gate withholds the cell.
    pub standing: Standing,
}

/// Combines every cell.
pub fn combine(verdicts: &Verdicts, lists: &Lists) -> BTreeMap<RegionalKey, RegionalCell> {
    let cell =
        |key: &RegionalKey, verdict: &Verdict| match (verdict, lists.indicator_of(key.indicator)) {
            (Verdict::Shown(cell), Some(indicator)) => RegionalCell {
                combined: combine::combine(cell.figures(), indicator),
                standing: cell.standing().clone(),
            },
            (Verdict::Withheld(_), Some(indicator)) => RegionalCell {
                combined: combine::withheld(indicator),
                standing: Standing::default(),
            },
            (_, None) => RegionalCell { combined: Combined::TooFew, standing: Standing::default() },
        };
    verdicts.iter().map(|(key, verdict)| (*key, cell(key, verdict))).collect()
}
