//! Deviations from definitions. Comes in: members' tables. Goes out: who declares to count an indicator otherwise than the
//! registry defines it, and in what way. It is a published term of each node, the same whatever figures there are.

use std::collections::BTreeMap;

use crate::{
    identity::Name,
    table::Table,
    taxonomy::{IndicatorCode, JurisdictionCode, Lists, TermCode},
    wire::region,
};

/// Vocabulary of the ways.
pub const DEVIATION: &str = "DEVIATION";

/// A member's declaration for one indicator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deviation {
    /// What is counted otherwise.
    pub indicator: IndicatorCode,
    /// Whose node.
    pub node: Name,
    /// Whom it speaks for.
    pub jurisdiction: JurisdictionCode,
    /// Terms of [`DEVIATION`], ascending.
    pub codes: Vec<TermCode>,
}

/// Every declaration, by indicator and node.
pub fn deviations<'a>(tables: impl IntoIterator<Item = &'a Table>) -> Vec<Deviation> {
    let mut declared = BTreeMap::<_, Deviation>::new();
    for table in tables {
        for block in table.blocks.iter().filter(|block| !block.deviations.is_empty()) {
            let deviation = Deviation {
                indicator: block.indicator,
                node: table.node.clone(),
                jurisdiction: table.jurisdiction,
                codes: Vec::new(),
            };
            let key = (block.indicator, table.jurisdiction, table.node.clone());
            let codes = &mut declared.entry(key).or_insert(deviation).codes;
            codes.extend(&block.deviations);
            codes.sort_unstable();
            codes.dedup();
        }
    }
    declared.into_values().collect()
}

impl Deviation {
    /// As a picture has it.
    pub fn to_wire(&self) -> region::Deviation {
        region::Deviation {
            indicator: self.indicator.to_string(),
            node: self.node.to_string(),
            jurisdiction: self.jurisdiction.to_string(),
            codes: self.codes.iter().map(ToString::to_string).collect(),
        }
    }
}

/// A declaration of a picture, in a sentence.
pub fn in_words(deviation: &region::Deviation, lists: &Lists) -> String {
    let region::Deviation { indicator, node, jurisdiction, codes } = deviation;
    let label = |code: &String| {
        let term = lists.terms(DEVIATION).find(|term| term.code.as_str() == code);
        term.map_or_else(|| code.clone(), |term| term.label.clone())
    };
    let ways: Vec<_> = codes.iter().map(label).collect();
    format!("{indicator}, {jurisdiction} ({node}): {}.", ways.join("; "))
}
