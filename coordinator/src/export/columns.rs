//! The columns of CSV and of the workbook's data: the same names in the same order. Comes in: an observation. Goes
//! out: typed cells, so that each format writes a number, a gap and a text in its own way.

use accord_proto::taxonomy::TOTAL;

use super::{Exact, Header, Observation};

/// One cell of the table.
pub(super) enum Cell {
    /// As it is.
    Text(String),
    /// A whole number that is always there.
    Count(u64),
    /// A figure, or a gap.
    Number(Option<Exact>),
}

type Column = (&'static str, fn(&Header, &Observation) -> Cell);

/// Every column with its name. Names are stable: scripts rely on them.
pub(super) const COLUMNS: [Column; 30] = [
    ("requirement", |header, _| text(&header.requirement)),
    ("version", |header, _| Cell::Count(header.version.into())),
    ("indicator", |_, cell| text(&cell.indicator.code)),
    ("indicator_name", |_, cell| text(&cell.indicator.name)),
    ("crime_area", |_, cell| text(&cell.crime_area.code)),
    ("crime_area_name", |_, cell| text(&cell.crime_area.name)),
    ("region", |_, cell| text(&cell.region.code)),
    ("region_name", |_, cell| text(&cell.region.name)),
    ("period", |_, cell| Cell::Text(cell.period.to_string())),
    ("categories", |_, cell| text(&cell.categories_text)),
    ("category_names", |_, cell| Cell::Text(category_names(cell))),
    ("state", |_, cell| text(cell.state.as_str())),
    ("value", |_, cell| Cell::Number(cell.figure())),
    ("unit", |_, cell| text(&cell.unit)),
    ("decimals", |_, cell| Cell::Count(cell.decimals.into())),
    ("standard_error", |_, cell| Cell::Number(cell.standard_error())),
    ("lower", |_, cell| Cell::Number(cell.interval()[0])),
    ("upper", |_, cell| Cell::Number(cell.interval()[1])),
    ("whole_lower", |_, cell| Cell::Number(cell.whole()[0])),
    ("whole_upper", |_, cell| Cell::Number(cell.whole()[1])),
    ("basis", |_, cell| text(basis(cell))),
    ("contributors", |_, cell| list(&cell.contributors)),
    ("missing", |_, cell| list(&cell.missing)),
    ("not_shown", |_, cell| list(&cell.not_shown)),
    ("silent", |_, cell| list(&cell.silent)),
    ("answered", |header, _| Cell::Count(header.answered.into())),
    ("members", |header, _| Cell::Count(header.asked.into())),
    ("drawn_at", |header, _| Cell::Text(header.drawn_at.to_string())),
    ("picture_sha256", |header, _| Cell::Text(header.digest.to_string())),
    ("footnotes", |_, cell| Cell::Text(cell.footnotes.join(" "))),
];

/// What a figure rests on: `published` is one jurisdiction's own; empty where the picture does not tell.
pub(super) fn basis(cell: &Observation) -> &'static str {
    if cell.published_nationally {
        return "published";
    }
    cell.basis.map_or("", super::Basis::as_str)
}

/// Names of the categories, without totals.
fn category_names(cell: &Observation) -> String {
    let named = cell.categories.iter().filter(|of| of.category.code != TOTAL);
    named.map(|of| of.category.name.as_str()).collect::<Vec<_>>().join("; ")
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn list(codes: &[String]) -> Cell {
    Cell::Text(codes.join(" "))
}
