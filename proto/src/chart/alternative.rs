//! Charts in words. Comes in: the cells of a view. Goes out: one sentence that says what can be seen, and the table twin's type.
//! Must never say a figure that the chart does not show, nor leave out that there are gaps.

use std::collections::BTreeMap;

use super::{
    cell::{Cell, State},
    words::{counted, listed},
};

/// A chart as a table, for whoever does not see it and for whoever wants the figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Twin {
    /// What it is a table of.
    pub caption: String,
    /// Names of the columns; the first names the rows.
    pub header: Vec<String>,
    /// Rows of text, each with as many fields as the header.
    pub rows: Vec<Vec<String>>,
    /// Handling marks, coverage, what the signs mean, notes and footnotes.
    pub notes: Vec<String>,
}

/// How many cells have a figure, and how many there are.
pub(super) fn shown<'a>(cells: impl Iterator<Item = &'a Cell>) -> (usize, usize) {
    cells.fold((0, 0), |(shown, all), cell| {
        (shown + usize::from(cell.as_figure().is_some()), all + 1)
    })
}

/// "41 of 48 cells show a figure; 5 not shown and 2 answer awaited."
pub(super) fn of_cells<'a>(cells: impl Iterator<Item = &'a Cell> + Clone) -> String {
    let (shown, all) = shown(cells.clone());
    let verb = if all == 1 { "shows" } else { "show" };
    let cells_of = counted(all, "cell", "cells");
    format!("{shown} of {cells_of} {verb} a figure{}.", gaps(cells))
}

/// "; 5 not shown and 2 answer awaited", or nothing.
pub(super) fn gaps<'a>(cells: impl Iterator<Item = &'a Cell>) -> String {
    let mut gaps = BTreeMap::<State, usize>::new();
    for cell in cells.filter(|cell| cell.as_figure().is_none()) {
        *gaps.entry(cell.gap()).or_default() += 1;
    }
    let of = |(state, count): (&State, &usize)| format!("{count} {}", state.words());
    let gaps: Vec<_> = gaps.iter().map(of).collect();
    if gaps.is_empty() { String::new() } else { format!("; {}", listed(&gaps)) }
}
