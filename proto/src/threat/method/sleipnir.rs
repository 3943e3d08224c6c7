//! Weighted attributes (domain.md §2.3, §2.9 B). Comes in: attributes, each with its weight. Goes out: the sum of weight ×
//! level. Only how many groups are in which band may leave a node: a group's own score never does.

use serde::{Deserialize, Serialize};

use super::{Figures, Formulated, Gap, Reading, UNIT, fixed, weighted};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Sleipnir {}

impl Formulated for Sleipnir {
    fn groups(&self) -> &'static [(&'static str, usize, bool)] {
        &[("ATTRIBUTE", 1, true)]
    }

    fn at(&self, reading: &Reading<'_>) -> Result<Figures, Gap> {
        Ok(Figures::of(fixed(weighted(&reading.group("ATTRIBUTE")?)? / UNIT)?))
    }
}
