//! A heat map: crime areas down, jurisdictions across; turned where more jurisdictions than fit across are asked. Comes in: cells
//! that may stand under a name. Goes out: a class and a figure for each, or a sign. Must never take a figure that is not its jurisdiction's to show, nor sort jurisdictions by it.

use super::{
    Drawn, alternative,
    cell::State,
    from_picture::NamedCell,
    grid::{self, Grid, Heading},
    legend::Key,
    scale::Classes,
    svg::Canvas,
    words::{Place, Text},
};
use crate::{
    limits::{CHART_COLUMNS_MAX, CHART_ROWS_MAX},
    reason::Invalid,
};

/// A heat map. Made by [`Heat::new`] only.
#[derive(Clone, Debug)]
pub struct Heat {
    pub(super) columns: Vec<Place>,
    pub(super) rows: Vec<(Text, Vec<NamedCell>)>,
    pub(super) decimals: u32,
}

impl Heat {
    /// Rows by label, each with a cell for every column. Columns are put in the order of names. With more columns than fit side
    /// by side it is turned when it is drawn: jurisdictions down.
    ///
    /// # Errors
    /// `LIMIT_EXCEEDED` past [`CHART_ROWS_MAX`] of either, or past
    /// [`CHART_LINES_MAX`](crate::limits::CHART_LINES_MAX) lines; `FIELD_INVALID` if a row has not as many cells as there are columns, or decimals differ.
    pub fn new(columns: Vec<Place>, rows: Vec<(Text, Vec<NamedCell>)>) -> Result<Self, Invalid> {
        super::within("chart.rows", rows.len(), CHART_ROWS_MAX)?;
        super::within("chart.columns", columns.len(), CHART_ROWS_MAX)?;
        let (down, across) = turned(columns.len(), rows.len());
        grid::lines(down, across)?;
        super::even("chart.rows", columns.len(), rows.iter().map(|(_, cells)| cells.len()))?;
        let cells = rows.iter().flat_map(|(_, cells)| cells).map(NamedCell::cell);
        let decimals = super::one_unit(cells)?;
        let mut order: Vec<_> = (0..columns.len()).collect();
        order.sort_by(|a, b| columns[*a].label.as_str().cmp(columns[*b].label.as_str()));
        let sorted = |cells: Vec<NamedCell>| order.iter().map(|at| cells[*at].clone()).collect();
        let rows = rows.into_iter().map(|(label, cells)| (label, sorted(cells))).collect();
        let columns = order.iter().map(|at| columns[*at].clone()).collect();
        Ok(Self { columns, rows, decimals })
    }

    fn is_turned(&self) -> bool {
        self.columns.len() > CHART_COLUMNS_MAX
    }

    fn cells_named(&self) -> impl Iterator<Item = &NamedCell> + Clone {
        self.rows.iter().flat_map(|(_, cells)| cells)
    }
}

/// What stands down and what across, of so many jurisdictions and crime areas.
fn turned(jurisdictions: usize, areas: usize) -> (usize, usize) {
    if jurisdictions > CHART_COLUMNS_MAX { (jurisdictions, areas) } else { (areas, jurisdictions) }
}

/// The sentence in place of a drawing in which nothing could stand under a name.
pub(super) const REGION_ONLY: &str = "Only figures of the whole region are released for this; no jurisdiction has a figure under its name.";

/// Is there nothing but cells that are not shown?
pub(super) fn region_only<'a>(mut cells: impl Iterator<Item = &'a NamedCell>) -> bool {
    cells.all(|cell| cell.cell().gap() == State::NotShown)
}

/// Classes over figures that may stand under a name.
pub(super) fn classes<'a>(cells: impl Iterator<Item = &'a NamedCell>) -> Classes {
    let figures = cells.filter_map(|cell| cell.cell().as_figure()?.point);
    Classes::over(&figures.collect::<Vec<_>>())
}

/// The class of a cell, if it has a figure.
pub(super) fn class(classes: Classes, cell: &NamedCell) -> Option<usize> {
    cell.cell().as_figure()?.point.map(|point| classes.of(point))
}

/// Classes that some cell has, then states.
pub(super) fn keys<'a>(
    cells: impl Iterator<Item = &'a NamedCell> + Clone,
    decimals: u32,
) -> Vec<Key> {
    let classes = classes(cells.clone());
    let used: std::collections::BTreeSet<_> =
        cells.clone().filter_map(|cell| class(classes, cell)).collect();
    let states: std::collections::BTreeSet<_> =
        cells.flat_map(|cell| cell.cell().states()).filter(|of| *of != State::Figure).collect();
    let used = used.into_iter().map(|class| Key::Class(class, classes.label(class, decimals)));
    used.chain(states.into_iter().map(Key::Area)).collect()
}

impl Drawn for Heat {
    fn draw(&self, canvas: &mut Canvas, top: i64) -> i64 {
        if region_only(self.cells_named()) {
            return super::instead(canvas, top, REGION_ONLY);
        }
        let classes = classes(self.cells_named());
        let places = self.columns.iter();
        let areas = || self.rows.iter().map(|(label, _)| label.to_string());
        let (headings, labels): (Vec<Heading>, Vec<String>) = if self.is_turned() {
            (
                areas().map(|of| (of.clone(), of)).collect(),
                places.map(|of| of.label.to_string()).collect(),
            )
        } else {
            (places.map(|of| (of.label.to_string(), of.short())).collect(), areas().collect())
        };
        let grid = Grid { headings: (&headings, 0), labels: &labels };
        let area = ((super::EDGE, top), super::WIDTH - 2 * super::EDGE);
        grid::cells(canvas, area, grid, |canvas, area, (down, across)| {
            let (row, column) = if self.is_turned() { (across, down) } else { (down, across) };
            let (label, cells) = &self.rows[row];
            let cell = &cells[column];
            let title =
                format!("{label}, {}: {}", self.columns[column].label, cell.cell().in_words());
            canvas.mark(&title, |canvas| {
                grid::cell(canvas, area, cell.cell(), class(classes, cell));
            });
        })
    }

    fn keys(&self) -> Vec<Key> {
        if region_only(self.cells_named()) {
            return Vec::new();
        }
        keys(self.cells_named(), self.decimals)
    }

    fn sentence(&self) -> String {
        if region_only(self.cells_named()) {
            return REGION_ONLY.to_owned();
        }
        alternative::of_cells(self.cells_named().map(NamedCell::cell))
    }

    fn rows(&self) -> (Vec<String>, Vec<Vec<String>>) {
        if self.is_turned() {
            let areas = self.rows.iter().map(|(label, _)| label.to_string());
            let head = std::iter::once("Jurisdiction".to_owned()).chain(areas).collect();
            let row = |(at, of): (usize, &Place)| {
                let cells = self.rows.iter().filter_map(|(_, cells)| cells.get(at));
                let cells = cells.map(|cell| cell.cell().in_table());
                std::iter::once(of.label.to_string()).chain(cells).collect()
            };
            return (head, self.columns.iter().enumerate().map(row).collect());
        }
        let labels = self.columns.iter().map(|of| of.label.to_string());
        let head = std::iter::once("Crime area".to_owned()).chain(labels).collect();
        let row = |(label, cells): &(Text, Vec<NamedCell>)| {
            let cells = cells.iter().map(|cell| cell.cell().in_table());
            std::iter::once(label.to_string()).chain(cells).collect()
        };
        (head, self.rows.iter().map(row).collect())
    }

    fn cells(&self) -> Option<(usize, usize)> {
        Some(alternative::shown(self.cells_named().map(NamedCell::cell)))
    }
}
