//! DuckDB, through Python: `ACCORD_PYTHON`, or `python3` of PATH, with the package `duckdb`. What it does
//! stands in `yardstick.py`.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use super::{Block, Figures};
use crate::london::{self, CATEGORIES, London};

const SCRIPT: &str = include_str!("../yardstick.py");

/// What it took.
#[derive(Debug, Deserialize)]
pub struct Answer {
    /// Version of DuckDB.
    pub version: String,
    /// Records that it holds.
    pub rows: u64,
    /// Reading the files.
    pub load_s: f64,
    /// Grouping them by ward, month and category.
    pub group_s: f64,
    /// As they were asked.
    pub questions: Vec<Answered>,
}

/// One question, out of both tables.
#[derive(Debug, Deserialize)]
pub struct Answered {
    /// Median of one answer.
    pub records_s: f64,
    /// Median of one answer.
    pub grouped_s: f64,
    records_found: Vec<(u32, String, String, String, i64)>,
    grouped_found: Vec<(u32, String, String, String, i64)>,
}

impl Answered {
    /// What was found among the records, and in the table that was grouped beforehand.
    pub fn figures(&self) -> [Figures; 2] {
        [&self.records_found, &self.grouped_found].map(|found| {
            let cell =
                |(level, region, category, month, n): &(u32, String, String, String, i64)| {
                    let region = if *level == 2 { london::code_of(region) } else { region.clone() };
                    ((*level, region, london::code_of(category), month.clone()), *n)
                };
            found.iter().map(cell).collect()
        })
    }
}

/// Asks each question `rounds` times; why not, if there is no DuckDB.
pub fn ask(
    london: &London,
    months: &[String],
    questions: &[Vec<Block>],
    rounds: usize,
) -> Result<Result<Answer, String>> {
    let python = std::env::var_os("ACCORD_PYTHON").unwrap_or_else(|| "python3".into());
    let there = Command::new(&python).args(["-c", "import duckdb"]).output();
    if !there.is_ok_and(|output| output.status.success()) {
        let name = python.to_string_lossy();
        return Ok(Err(format!(
            "{name} has no package duckdb; set ACCORD_PYTHON to a Python that has it"
        )));
    }
    let wards = london.wards.iter().map(|ward| (ward.code.as_str(), ward.borough.as_str()));
    let asked = serde_json::json!({
        "files": london.files,
        "wards": wards.collect::<Vec<_>>(),
        "months": months,
        "categories": CATEGORIES,
        "rounds": rounds,
        "questions": questions,
    });
    let mut command = Command::new(&python);
    command.args(["-c", SCRIPT]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut stdin = child.stdin.take().context("no standard input")?;
    stdin.write_all(asked.to_string().as_bytes())?;
    drop(stdin);
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "yardstick.py failed");
    Ok(Ok(serde_json::from_slice(&output.stdout)?))
}
