//! How measurements are printed: a table for people, `rows[]` for programs, always beside a yardstick.

use comfy_table::{Table, presets};
use serde::Serialize;

/// One measured figure.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// What was measured.
    pub name: String,
    /// The figure.
    pub value: f64,
    /// Its unit.
    pub unit: String,
    /// What it is compared with, in the same run.
    pub yardstick: String,
    /// value ÷ yardstick; none if there is nothing to compare with.
    pub ratio: Option<f64>,
}

/// Everything of one topic.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The topic.
    pub topic: String,
    /// Figures.
    pub rows: Vec<Row>,
    /// What was not measured, and why.
    pub left_out: Vec<String>,
}

impl Report {
    /// For people.
    pub fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(["", "VALUE", "UNIT", "YARDSTICK", "RATIO"]);
        for Row { name, value, unit, yardstick, ratio } in &self.rows {
            // A small ratio must not look like none at all.
            let decimals = |ratio: f64| if ratio < 0.1 { 4 } else { 2 };
            let ratio = ratio.map(|ratio| format!("{ratio:.*}", decimals(ratio)));
            table.add_row([
                name.clone(),
                format!("{value:.2}"),
                unit.clone(),
                yardstick.clone(),
                ratio.unwrap_or_default(),
            ]);
        }
        let left_out: String =
            self.left_out.iter().map(|line| format!("\nleft out: {line}")).collect();
        format!("{table}{left_out}")
    }

    /// For programs.
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
