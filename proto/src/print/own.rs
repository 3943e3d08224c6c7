//! A node's own share of a picture, as it is printed beside it. Comes in: figures that the node has released. Goes out: text,
//! for its own eyes only.

use serde_json::{Value, json};

use super::{error_text, number};
use crate::{taxonomy::decimal, wire::CellStatus};

/// Stands beside what nobody else may see.
pub(super) const MARK: &str = "own eyes only";

/// What a node has released of a cell: one figure for each of its regions that was asked.
pub type OwnCell = Vec<OwnFigure>;

/// One figure that a node has released.
#[derive(Clone, Debug)]
pub struct OwnFigure {
    /// Of which region.
    pub region: String,
    /// What it is.
    pub status: CellStatus,
    /// In units of 10^-decimals, as in the picture's cell; 0 where there is none; of an interval the least.
    pub value: i64,
    /// Of an interval the most.
    pub upper: i64,
    /// In thousandths of such a unit; 0: exact.
    pub standard_error_milli: u64,
}

impl OwnFigure {
    fn value_text(&self, decimals: u32) -> Option<String> {
        let shown = self.status == CellStatus::Value;
        shown.then(|| decimal(self.value, decimals))
    }

    fn interval(&self, decimals: u32) -> Option<[String; 2]> {
        let ends = || [self.value, self.upper].map(|end| decimal(end, decimals));
        (self.status == CellStatus::Between).then(ends)
    }

    fn standard_error(&self, decimals: u32) -> Option<String> {
        self.value_text(decimals).map(|_| error_text(self.standard_error_milli, decimals))
    }

    fn status_name(&self) -> &'static str {
        match self.status {
            CellStatus::Value => "value",
            CellStatus::Between => "between",
            CellStatus::NotShown => "not_shown",
            CellStatus::NotApplicable => "not_applicable",
            CellStatus::Missing => "missing",
            CellStatus::Unspecified => "unknown",
        }
    }

    fn marked(&self, decimals: u32) -> String {
        let mark = match self.status {
            CellStatus::Missing => ":".to_owned(),
            CellStatus::NotApplicable => "/".to_owned(),
            CellStatus::Between => {
                self.interval(decimals).map_or_else(String::new, |ends| ends.join(".."))
            }
            CellStatus::Value | CellStatus::NotShown | CellStatus::Unspecified => "c".to_owned(),
        };
        self.value_text(decimals).unwrap_or(mark)
    }
}

/// A node's own share of a cell in a few words; regions are named where there are several.
pub(super) fn text(figures: &[OwnFigure], decimals: u32) -> String {
    match figures {
        [figure] => figure.marked(decimals),
        figures => {
            let named = |own: &OwnFigure| format!("{} {}", own.region, own.marked(decimals));
            figures.iter().map(named).collect::<Vec<_>>().join(" ")
        }
    }
}

/// The same for programs.
pub(super) fn json(figures: &[OwnFigure], decimals: u32) -> Value {
    let one = |own: &OwnFigure| {
        let [lower, upper] = own.interval(decimals).map_or([None, None], |ends| ends.map(Some));
        json!({
            "region": own.region,
            "value": number(own.value_text(decimals)),
            "lower": number(lower),
            "upper": number(upper),
            "standard_error": number(own.standard_error(decimals)),
            "status": own.status_name(),
        })
    };
    figures.iter().map(one).collect()
}
