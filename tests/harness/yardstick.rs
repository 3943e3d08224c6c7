//! What measurements are compared with: the raw library, other databases, a plain scan. None of it is part
//! of the program, and what is not installed is left out, never guessed.

use std::collections::BTreeMap;

use serde::Serialize;

pub mod duckdb;
pub mod postgres;
pub mod raw;
pub mod scan;

/// One block of a question about the records of London: every category × every month × every region of a
/// level.
#[derive(Clone, Debug, Serialize)]
pub struct Block {
    /// Level of the regions.
    pub level: u32,
    /// Categories as the files name them; none: all of them together.
    pub categories: Vec<&'static str>,
    /// Like `2016-05`.
    pub months: Vec<String>,
}

/// Level, region, area and month of a cell, in codes.
pub type Cell = (u32, String, String, String);

/// Cells with a record and how many there are: what everybody must find alike.
pub type Figures = BTreeMap<Cell, i64>;
