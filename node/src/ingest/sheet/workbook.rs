//! An XLSX file in, the rows of one of its sheets as text out.
//!
//! Must never believe what a workbook says of its own size: it is measured first, and only cells that hold
//! something take room.

use std::{
    borrow::Cow,
    io::{Cursor, Read},
    panic::AssertUnwindSafe,
};

use accord_proto::{
    limits::{
        IMPORT_COLUMNS_MAX, IMPORT_WORKBOOK_BYTES_MAX, IMPORT_WORKBOOK_DECODED_BYTES_MAX,
        IMPORT_WORKBOOK_PART_BYTES_MAX, IMPORT_WORKBOOK_TEXT_BYTES_MAX,
    },
    reason::{Invalid, Reason, quoted},
};
use calamine::{DataRef, ExcelDateTime, Reader, Xlsx, XlsxError};

use super::source::{Peeked, refusal, too_much, unreadable};

/// A header is the first row with at least so many texts; what stands above is a title.
const HEADER_TEXTS_MIN: usize = 2;
/// Parts of a workbook: sheets, styles, pictures.
const PARTS_MAX: usize = 4_096;
/// Bytes of a piece that are looked at again with the next one.
const OVERLAP: usize = 256;
/// Shared texts that a workbook may announce; each takes at least fourteen bytes of it.
const TEXTS_MAX: u64 = IMPORT_WORKBOOK_DECODED_BYTES_MAX / 14;

type Book = Xlsx<Cursor<Vec<u8>>>;

/// The rows of a sheet below its header, kept as one text.
pub(super) struct Cells {
    text: String,
    /// Where fields end in `text`, row after row.
    ends: Vec<usize>,
    /// The row's number in the sheet and its fields.
    rows: Vec<(u32, usize)>,
    at: Position,
    row: Vec<String>,
}

/// How far rows have been handed out.
#[derive(Default)]
struct Position {
    row: usize,
    field: usize,
    byte: usize,
}

/// A sheet as it was chosen.
pub(super) struct Chosen {
    pub(super) cells: Cells,
    pub(super) header: Vec<String>,
    pub(super) sheet: String,
    /// Number of the header's row.
    pub(super) row: u32,
}

/// Reads a workbook: the sheet that is asked for, or one named data, or the first with a header.
pub(super) fn open(file: Peeked<'_>, sheet: Option<&str>) -> Result<Chosen, Invalid> {
    let mut bytes = Vec::new();
    let most = IMPORT_WORKBOOK_BYTES_MAX as u64 + 1;
    file.take(most).read_to_end(&mut bytes).map_err(|error| refusal(&error))?;
    if bytes.len() > IMPORT_WORKBOOK_BYTES_MAX {
        let most = IMPORT_WORKBOOK_BYTES_MAX;
        return Err(too_much(format!(
            "a workbook of more than {most} bytes; save the sheet as CSV"
        )));
    }
    let bytes = measured(bytes)?;
    // The parser counts unchecked with what a file says of its cells ("B2:A1" is fewer than none); where
    // that panics, only this file is at fault and nothing that outlives it has been touched.
    let chosen = std::panic::catch_unwind(AssertUnwindSafe(|| choose(bytes, sheet)));
    chosen.unwrap_or_else(|_| Err(damaged(XlsxError::Unexpected("places of cells that cannot be"))))
}

fn choose(bytes: Vec<u8>, sheet: Option<&str>) -> Result<Chosen, Invalid> {
    let mut book = Xlsx::new(Cursor::new(bytes)).map_err(damaged)?;
    let names = book.sheet_names();
    if let Some(wanted) = sheet {
        if !names.iter().any(|name| name == wanted) {
            let names: Vec<_> = names.iter().map(|name| quoted(name)).collect();
            let detail = format!("there is no sheet {}, only {}", quoted(wanted), names.join(", "));
            return Err(Invalid::new(Reason::ImportUnreadable, "sheet", detail));
        }
        return read(&mut book, wanted)?
            .ok_or_else(|| no_header(&format!("sheet {}", quoted(wanted))));
    }
    let (preferred, others): (Vec<_>, Vec<_>) =
        names.into_iter().partition(|name| name.eq_ignore_ascii_case("data"));
    for name in preferred.into_iter().chain(others) {
        if let Some(chosen) = read(&mut book, &name)? {
            return Ok(chosen);
        }
    }
    Err(no_header("no sheet"))
}

fn no_header(whose: &str) -> Invalid {
    unreadable(format!(
        "{whose}: no row with at least {HEADER_TEXTS_MIN} texts; the first such row must name the columns"
    ))
}

fn damaged(error: XlsxError) -> Invalid {
    unreadable(format!(
        "cannot be read as XLSX ({error}); open it and save it again as XLSX or CSV"
    ))
}

/// Unpacks every part into nothing, counting, before a parser believes any of it.
fn measured(bytes: Vec<u8>) -> Result<Vec<u8>, Invalid> {
    let damaged = |error: &dyn std::fmt::Display| {
        unreadable(format!("looks like XLSX but is damaged ({error}); copy or save it again"))
    };
    let mut parts = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(&error))?;
    if parts.len() > PARTS_MAX {
        return Err(too_much(format!("a workbook of more than {PARTS_MAX} parts")));
    }
    if parts.index_for_name("[Content_Types].xml").is_none() {
        return Err(unreadable(
            "is a ZIP file but no XLSX; unpack it, or save the table as XLSX or CSV",
        ));
    }
    let mut left = IMPORT_WORKBOOK_DECODED_BYTES_MAX;
    for at in 0..parts.len() {
        let part = parts.by_index(at).map_err(|error| damaged(&error))?;
        let name = part.name().map_err(|error| damaged(&error))?.to_ascii_lowercase();
        let most =
            if may_be_large(&name) { left } else { left.min(IMPORT_WORKBOOK_PART_BYTES_MAX) };
        left -= measure(part, &name, most, &damaged)?;
    }
    Ok(parts.into_inner().into_inner())
}

/// Sheets and the list of texts grow with the data; nothing else does.
fn may_be_large(part: &str) -> bool {
    let name = part.rsplit(['/', '\\']).next().unwrap_or(part);
    name.contains("sheet") || name == "sharedstrings.xml" || !name.ends_with(".xml")
}

fn measure(
    mut part: impl Read,
    name: &str,
    most: u64,
    damaged: &dyn Fn(&dyn std::fmt::Display) -> Invalid,
) -> Result<u64, Invalid> {
    const ANNOUNCEMENT: &[u8] = b"uniqueCount";
    let texts = name.ends_with("sharedstrings.xml");
    let mut piece = vec![0; 64 * 1024];
    let mut size = 0_u64;
    let mut kept = 0;
    loop {
        let got = part.read(&mut piece[kept..]).map_err(|error| damaged(&error))?;
        size += got as u64;
        if size > most {
            let name = quoted(name);
            return Err(too_much(format!(
                "a workbook whose part {name} is too big unpacked; save the sheet as CSV"
            )));
        }
        if got == 0 {
            return Ok(size);
        }
        if !texts {
            continue;
        }
        // The reader sets room aside for as many texts as the list announces.
        let seen = &piece[..kept + got];
        if seen.windows(ANNOUNCEMENT.len()).enumerate().any(|(at, word)| {
            word == ANNOUNCEMENT && announced(&seen[at + ANNOUNCEMENT.len()..]) > TEXTS_MAX
        }) {
            return Err(too_much("a workbook that announces more texts than it can hold"));
        }
        // An announcement may lie across two pieces.
        let from = seen.len().saturating_sub(OVERLAP);
        let end = seen.len();
        piece.copy_within(from..end, 0);
        kept = end - from;
    }
}

/// The number in `="123"`. White space without end is no honest way of writing one.
fn announced(rest: &[u8]) -> u64 {
    let Some(at) = rest.iter().position(|byte| !b"=\"' \t\r\n".contains(byte)) else {
        return if rest.len() < OVERLAP / 2 { 0 } else { u64::MAX };
    };
    let digits = rest.iter().skip(at);
    digits.take_while(|byte| byte.is_ascii_digit()).fold(0, |number: u64, digit| {
        number.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
    })
}

/// A sheet's cells, if it has a header.
fn read(book: &mut Book, name: &str) -> Result<Option<Chosen>, Invalid> {
    let mut reader = match book.worksheet_cells_reader(name) {
        Ok(reader) => reader,
        // A chart on a sheet of its own has no cells.
        Err(XlsxError::NotAWorksheet(_)) => return Ok(None),
        Err(error) => return Err(damaged(error)),
    };
    let mut table = Table::default();
    while let Some(cell) = reader.next_cell().map_err(damaged)? {
        let (row, column) = cell.get_position();
        table.put(row.saturating_add(1), column as usize, cell.get_value(), name)?;
    }
    Ok(table.finish(name))
}

/// A sheet while its cells come in, in the order of its rows.
#[derive(Default)]
struct Table {
    header: Option<(u32, Vec<String>)>,
    number: u32,
    row: Vec<String>,
    /// Texts, as against figures, in the row.
    texts: usize,
    text: String,
    ends: Vec<usize>,
    rows: Vec<(u32, usize)>,
}

impl Table {
    fn put(
        &mut self,
        row: u32,
        column: usize,
        cell: &DataRef<'_>,
        name: &str,
    ) -> Result<(), Invalid> {
        let at = || format!("row {row}, column {} of sheet {}", column + 1, quoted(name));
        if row < self.number {
            return Err(unreadable(format!(
                "{}: rows are out of order; save the file again",
                at()
            )));
        }
        if row > self.number {
            self.end_row();
            self.number = row;
        }
        let (text, is_text) = printed(cell);
        let text = text.trim();
        if text.is_empty() {
            return Ok(());
        }
        if column >= IMPORT_COLUMNS_MAX {
            let detail = format!("{}: something stands past column {IMPORT_COLUMNS_MAX}", at());
            return Err(too_much(detail));
        }
        if self.text.len() + text.len() > IMPORT_WORKBOOK_TEXT_BYTES_MAX {
            let most = IMPORT_WORKBOOK_TEXT_BYTES_MAX;
            return Err(too_much(format!("{}: more than {most} bytes of text; save as CSV", at())));
        }
        if self.row.len() <= column {
            self.row.resize(column + 1, String::new());
        }
        if let Some(field) = self.row.get_mut(column) {
            text.clone_into(field);
            self.texts += usize::from(is_text);
        }
        Ok(())
    }

    fn end_row(&mut self) {
        let mut row = std::mem::take(&mut self.row);
        let texts = std::mem::take(&mut self.texts);
        match &self.header {
            None if texts >= HEADER_TEXTS_MIN => self.header = Some((self.number, row)),
            Some((_, header)) if row.iter().any(|field| !field.is_empty()) => {
                // A cell that is not there is empty; a row is as long as its header, or longer by what it holds.
                let len = row.len().max(header.len());
                for at in 0..len {
                    self.text.push_str(row.get(at).map_or("", String::as_str));
                    self.ends.push(self.text.len());
                }
                self.rows.push((self.number, len));
                row.clear();
                self.row = row;
            }
            None | Some(_) => {}
        }
    }

    fn finish(mut self, sheet: &str) -> Option<Chosen> {
        self.end_row();
        let (row, header) = self.header?;
        let Self { text, ends, rows, .. } = self;
        let cells = Cells { text, ends, rows, at: Position::default(), row: Vec::new() };
        Some(Chosen { cells, header, sheet: sheet.to_owned(), row })
    }
}

impl Cells {
    /// The next row's fields and its number in the sheet.
    pub(super) fn next(&mut self) -> Option<(&[String], u64)> {
        let (number, len) = *self.rows.get(self.at.row)?;
        let ends = self.ends.get(self.at.field..self.at.field + len)?;
        self.row.resize(len, String::new());
        for (field, end) in self.row.iter_mut().zip(ends) {
            self.text.get(self.at.byte..*end).unwrap_or_default().clone_into(field);
            self.at.byte = *end;
        }
        self.at.field += len;
        self.at.row += 1;
        Some((&self.row, u64::from(number)))
    }
}

/// A cell as text, and whether it is text in the sheet too.
fn printed<'a>(cell: &'a DataRef<'_>) -> (Cow<'a, str>, bool) {
    match cell {
        DataRef::Empty => ("".into(), false),
        DataRef::String(text) => (text.as_str().into(), true),
        DataRef::SharedString(text) => ((*text).into(), true),
        DataRef::Int(number) => (number.to_string().into(), false),
        DataRef::Float(number) => (plain(*number).into(), false),
        DataRef::Bool(value) => ((if *value { "true" } else { "false" }).into(), false),
        DataRef::DateTime(date) => (dated(date).into(), false),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => (text.as_str().into(), false),
        DataRef::Error(error) => (error.to_string().into(), false),
    }
}

/// All digits, no exponent; the shortest text that is this number and no other.
fn plain(number: f64) -> String {
    // There is no minus zero in a count.
    if number == 0.0 { "0".to_owned() } else { number.to_string() }
}

/// A date, with its time of day if it has one; a time of day or a span alone stays the number that it is.
fn dated(date: &ExcelDateTime) -> String {
    /// 9999-12-31, the last day that Excel knows.
    const DAY_MAX: f64 = 2_958_465.0;
    let days = date.as_f64();
    if date.is_duration() || !(1.0..DAY_MAX + 1.0).contains(&days) {
        return plain(days);
    }
    let (year, month, day, hour, minute, second, _) = date.to_ymd_hms_milli();
    let day = format!("{year:04}-{month:02}-{day:02}");
    if (hour, minute, second) == (0, 0, 0) {
        day
    } else {
        format!("{day}T{hour:02}:{minute:02}:{second:02}")
    }
}
