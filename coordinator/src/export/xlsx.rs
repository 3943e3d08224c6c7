//! A workbook. Comes in: header and observations. Goes out: the sheets `data`, `coverage` and `notes`. Numbers are
//! numbers, a gap is an empty cell with its state beside it, a text is never a formula; the same picture is the same
//! bytes.

use accord_proto::reason::{Invalid, Reason};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use super::{
    Exact, Header, Member, Observation,
    columns::{COLUMNS, Cell},
    notes::notes,
};

/// Digits that a spreadsheet keeps of a number.
const DIGITS_MAX: usize = 15;

/// The bytes of the workbook.
pub(super) fn write(header: &Header, observations: &[Observation]) -> Result<Vec<u8>, Invalid> {
    build(header, observations).map_err(|error| {
        let detail = format!("no workbook can be written of this ({error}); take CSV");
        Invalid::new(Reason::LimitExceeded, "workbook", detail)
    })
}

fn build(header: &Header, observations: &[Observation]) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    // Its date of creation is the picture's, not now.
    let date = ExcelDateTime::from_timestamp(header.drawn_at.as_s())?;
    book.set_properties(&DocProperties::new().set_creation_datetime(&date));
    data(book.add_worksheet(), header, observations)?;
    coverage(book.add_worksheet(), header, observations)?;
    let topics = notes(header, observations).into_iter();
    let rows = topics.map(|(topic, text)| vec![Cell::Text(topic.to_owned()), Cell::Text(text)]);
    fill(book.add_worksheet().set_name("notes")?, ["topic", "text"], rows)?;
    book.save_to_buffer()
}

fn data(
    sheet: &mut Worksheet,
    header: &Header,
    observations: &[Observation],
) -> Result<(), XlsxError> {
    let row = |cell: &Observation| COLUMNS.iter().map(|(_, of)| of(header, cell)).collect();
    let names = COLUMNS.map(|(name, _)| name);
    fill(sheet.set_name("data")?, names, observations.iter().map(row))
}

/// How every member stands, and in how many of these cells.
fn coverage(
    sheet: &mut Worksheet,
    header: &Header,
    observations: &[Observation],
) -> Result<(), XlsxError> {
    let names = [
        "jurisdiction",
        "name",
        "node",
        "state",
        "reason",
        "released_by_one_person",
        "cells_with_its_figure",
        "cells_missing",
        "cells_not_shown",
        "cells_without_answer",
    ];
    let row = |of: &Member| {
        let code = &of.jurisdiction.code;
        let within = |list: fn(&Observation) -> &Vec<String>| {
            let count = observations.iter().filter(|cell| list(cell).contains(code)).count();
            Cell::Count(u64::try_from(count).unwrap_or(u64::MAX))
        };
        let alone = if of.single_handed { "yes" } else { "no" };
        let texts = [code, &of.jurisdiction.name, &of.node, of.state, &of.reason, alone];
        let mut row: Vec<_> = texts.into_iter().map(|text| Cell::Text(text.to_owned())).collect();
        row.extend([
            within(|cell| &cell.contributors),
            within(|cell| &cell.missing),
            within(|cell| &cell.not_shown),
            within(|cell| &cell.silent),
        ]);
        row
    };
    fill(sheet.set_name("coverage")?, names, header.members.iter().map(row))
}

/// A table from the first row on, so that readers find its header there.
fn fill<const COLUMNS: usize>(
    sheet: &mut Worksheet,
    names: [&str; COLUMNS],
    rows: impl Iterator<Item = Vec<Cell>>,
) -> Result<(), XlsxError> {
    let bold = Format::new().set_bold();
    sheet.set_freeze_panes(1, 0)?;
    for (at, name) in (0..).zip(names) {
        sheet.write_string_with_format(0, at, name, &bold)?;
        sheet.set_column_width(at, width(name))?;
    }
    for (row, cells) in (1..).zip(rows) {
        for (at, cell) in (0..).zip(cells) {
            match cell {
                Cell::Text(text) if text.is_empty() => {}
                Cell::Text(text) => {
                    sheet.write_string(row, at, text)?;
                }
                Cell::Count(count) => number(sheet, (row, at), &count.to_string(), 0)?,
                Cell::Number(Some(exact)) => figure(sheet, (row, at), exact)?,
                Cell::Number(None) => {}
            }
        }
    }
    Ok(())
}

fn figure(sheet: &mut Worksheet, at: (u32, u16), exact: Exact) -> Result<(), XlsxError> {
    number(sheet, at, &exact.to_string(), exact.decimals)
}

/// A number that shows all its decimals; one with more digits than a spreadsheet keeps stands as text, whole.
fn number(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    digits: &str,
    decimals: u32,
) -> Result<(), XlsxError> {
    let counted = digits.trim_start_matches(['-', '0', '.']);
    let count = counted.bytes().filter(u8::is_ascii_digit).count();
    match digits.parse::<f64>() {
        Ok(value) if count <= DIGITS_MAX => {
            let zeros = "0".repeat(usize::try_from(decimals).unwrap_or(0));
            let shown = if zeros.is_empty() { "0".to_owned() } else { format!("0.{zeros}") };
            let format = Format::new().set_num_format(shown);
            sheet.write_number_with_format(row, column, value, &format)?;
        }
        Ok(_) | Err(_) => {
            sheet.write_string(row, column, digits)?;
        }
    }
    Ok(())
}

/// Of a column, by its name.
fn width(name: &str) -> f64 {
    if name.ends_with("name") || name.ends_with("names") || name == "topic" {
        return 32.0;
    }
    if name == "text" { 100.0 } else { 14.0 }
}
