//! Rows as they came and what was wrong with them in, the same table with remarks out: a workbook or CSV.
//!
//! Must never turn what an analyst, or whoever wrote the file, typed into a formula that somebody's
//! spreadsheet runs.

use std::borrow::Cow;

use accord_proto::{
    limits::ANNOTATED_WORKBOOK_ROWS_MAX,
    reason::{Invalid, Reason},
};
use rust_xlsxwriter::{Color, Format, Note, Worksheet, XlsxError};

use super::template::{dateless, quote, unwritable};

/// The two columns that are added.
pub const ADDED: [&str; 2] = ["accord:code", "accord:hint"];

const ROW_COLOUR: Color = Color::RGB(0x00FF_F2CC);
const FIELD_COLOUR: Color = Color::RGB(0x00F4_B084);
/// Excel's bound for a text is 32 767; a note shows less before it is too long to read.
const TEXT_CHARS_MAX: usize = 16_000;
const NOTE_CHARS_MAX: usize = 1_000;

/// A row as it came.
#[derive(Clone, Debug)]
pub struct Row {
    /// Line or row of the file.
    pub place: u64,
    /// As they stand.
    pub fields: Vec<String>,
    /// What was wrong, if something was.
    pub remark: Option<Remark>,
}

/// Why a row was refused.
#[derive(Clone, Debug)]
pub struct Remark {
    /// Column of the header; another text means the row as a whole.
    pub field: String,
    /// The stable code.
    pub code: String,
    /// What was found and what to do.
    pub hint: String,
}

/// A workbook in which refused rows are coloured and the field at fault carries a note.
pub fn annotate(header: &[String], rows: impl Iterator<Item = Row>) -> Result<Vec<u8>, Invalid> {
    let mut book = dateless().map_err(unwritable)?;
    let sheet = book.add_worksheet();
    let plain = Paint::plain();
    let bad = Paint::of_refused();
    let begin = |sheet: &mut Worksheet| {
        sheet.set_name("data")?.set_freeze_panes(1, 0)?;
        let bold = Format::new().set_bold();
        for (at, name) in (0..).zip(header.iter().map(String::as_str).chain(ADDED)) {
            sheet.write_string_with_format(0, at, name, &bold)?;
        }
        Ok(())
    };
    begin(sheet).map_err(unwritable)?;
    for (at, row) in rows.enumerate() {
        let number = u32::try_from(at + 1).unwrap_or(u32::MAX);
        if at >= ANNOTATED_WORKBOOK_ROWS_MAX {
            let most = ANNOTATED_WORKBOOK_ROWS_MAX;
            let detail =
                format!("a workbook of more than {most} rows; take CSV, or the refused rows alone");
            return Err(Invalid::new(Reason::LimitExceeded, "workbook", detail));
        }
        let paint = if row.remark.is_some() { &bad } else { &plain };
        write_row(sheet, number, header, &row, paint).map_err(unwritable)?;
    }
    book.save_to_buffer().map_err(unwritable)
}

struct Paint {
    row: Format,
    field: Format,
}

impl Paint {
    fn plain() -> Self {
        Self { row: Format::new(), field: Format::new() }
    }

    fn of_refused() -> Self {
        let painted = |colour| Format::new().set_background_color(colour);
        Self { row: painted(ROW_COLOUR), field: painted(FIELD_COLOUR).set_bold() }
    }
}

fn write_row(
    sheet: &mut Worksheet,
    number: u32,
    header: &[String],
    row: &Row,
    paint: &Paint,
) -> Result<(), XlsxError> {
    let at_fault = row.remark.as_ref().and_then(|remark| position(header, &remark.field));
    for (at, field) in fitted(header, &row.fields) {
        let format = if at_fault == Some(at) { &paint.field } else { &paint.row };
        let column = column_of(at);
        // Written as a text whatever it begins with: a cell of this kind is never a formula.
        sheet.write_string_with_format(
            number,
            column,
            shortened(&field, TEXT_CHARS_MAX),
            format,
        )?;
    }
    if let Some(remark) = &row.remark {
        let Remark { code, hint, field } = remark;
        let added = column_of(header.len());
        sheet.write_string_with_format(number, added, code, &paint.row)?;
        let hint_text = shortened(hint, TEXT_CHARS_MAX);
        sheet.write_string_with_format(number, added + 1, hint_text, &paint.row)?;
        let said = format!("{code} (row {}, {field}): {hint}", row.place);
        let note = Note::new(shortened(&said, NOTE_CHARS_MAX)).add_author_prefix(false);
        sheet.insert_note(number, column_of(at_fault.unwrap_or(0)), &note)?;
    }
    Ok(())
}

/// The same table as CSV text. It begins with a byte order mark, without which Excel misreads š and ш.
pub fn annotate_csv(header: &[String], rows: impl Iterator<Item = Row>) -> String {
    let mut text = "\u{feff}".to_owned();
    let names = header.iter().map(|name| Cow::Borrowed(name.as_str()));
    push_line(&mut text, names.chain(ADDED.map(Cow::Borrowed)));
    for row in rows {
        let fields = fitted(header, &row.fields).map(|(_, field)| field);
        let (code, hint) = match &row.remark {
            Some(remark) => (remark.code.as_str(), remark.hint.as_str()),
            None => ("", ""),
        };
        push_line(&mut text, fields.chain([code.into(), hint.into()]));
    }
    text
}

fn push_line<'a>(text: &mut String, fields: impl Iterator<Item = Cow<'a, str>>) {
    for (at, field) in fields.enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push_str(&quote(&harmless(&field)));
    }
    text.push('\n');
}

/// A field that no spreadsheet takes for a formula.
///
/// CSV cannot say "this is text", so Excel runs a field that begins like a formula, and a formula can call
/// programs and addresses. An apostrophe in front stops that. Numbers keep their sign: they are harmless, and
/// the file must still be readable as figures.
fn harmless(field: &str) -> Cow<'_, str> {
    // A leading tab or line break is passed over by Excel before it looks.
    let begins = field.trim_start().starts_with(['=', '+', '-', '@']);
    if begins && !is_plain_number(field) { format!("'{field}").into() } else { field.into() }
}

fn is_plain_number(field: &str) -> bool {
    let digits = field.strip_prefix(['+', '-']).unwrap_or(field);
    let mut marks = 0;
    let plain = digits.chars().all(|c| {
        marks += usize::from(matches!(c, '.' | ','));
        c.is_ascii_digit() || matches!(c, '.' | ',')
    });
    plain && marks <= 1 && digits.starts_with(|c: char| c.is_ascii_digit())
}

/// A row's fields, as many as the header has: a row that is too short is filled up, and what a row has too
/// many of is joined to its last field, so that the added columns stand where their names do.
fn fitted<'a>(
    header: &[String],
    fields: &'a [String],
) -> impl Iterator<Item = (usize, Cow<'a, str>)> {
    let columns = header.len();
    (0..columns).map(move |at| {
        let field = fields.get(at).map_or(Cow::Borrowed(""), |field| Cow::Borrowed(field.as_str()));
        let surplus = fields.get(columns..).unwrap_or_default();
        if at + 1 == columns && !surplus.is_empty() {
            return (at, format!("{field} | {}", surplus.join(" | ")).into());
        }
        (at, field)
    })
}

fn position(header: &[String], field: &str) -> Option<usize> {
    header.iter().position(|name| name == field)
}

/// Past the last column of a sheet the writer refuses.
fn column_of(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX - 1)
}

fn shortened(text: &str, chars: usize) -> Cow<'_, str> {
    match text.char_indices().nth(chars) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::sheet::{Options, Sheet};

    fn header() -> Vec<String> {
        ["krivično djelo", "year", "n"].map(str::to_owned).to_vec()
    }

    fn rows() -> Vec<Row> {
        let row = |place, fields: &[&str], remark: Option<(&str, &str, &str)>| Row {
            place,
            fields: fields.iter().map(|field| (*field).to_owned()).collect(),
            remark: remark.map(|(field, code, hint)| Remark {
                field: field.to_owned(),
                code: code.to_owned(),
                hint: hint.to_owned(),
            }),
        };
        vec![
            row(2, &["Šverc", "2016", "-5"], None),
            row(
                3,
                &["=HYPERLINK(\"http://x\",\"y\")", "201X", "1"],
                Some(("year", "PERIOD_INVALID", "write 2016")),
            ),
            row(
                4,
                &["@SUM(A1)", "2016"],
                Some(("row", "FIELD_INVALID", "2 fields where the header has 3")),
            ),
            row(5, &["a", "b", "-2+3", "=1+1"], Some(("n", "FIELD_INVALID", "=no"))),
        ]
    }

    fn read(bytes: &[u8]) -> (Vec<String>, Vec<Vec<String>>) {
        let mut sheet = Sheet::open(Box::new(bytes), &Options::default()).unwrap();
        let header = sheet.header().to_vec();
        let mut rows = Vec::new();
        while let Some(row) = sheet.next().unwrap() {
            rows.push((0..row.len()).map(|at| row.field(at).unwrap().to_owned()).collect());
        }
        (header, rows)
    }

    #[test]
    fn a_workbook_comes_back_with_remarks_beside_its_rows() {
        let bytes = annotate(&header(), rows().into_iter()).unwrap();
        let (names, found) = read(&bytes);
        assert_eq!(names, ["krivično djelo", "year", "n", "accord:code", "accord:hint"]);
        assert_eq!(found[0], ["Šverc", "2016", "-5", "", ""]);
        assert_eq!(found[1][0], "=HYPERLINK(\"http://x\",\"y\")");
        assert_eq!(found[1][3..], ["PERIOD_INVALID", "write 2016"]);
        assert_eq!(
            found[2],
            ["@SUM(A1)", "2016", "", "FIELD_INVALID", "2 fields where the header has 3"]
        );
        assert_eq!(found[3][2..], ["-2+3 | =1+1", "FIELD_INVALID", "=no"]);
    }

    #[test]
    fn nothing_typed_becomes_a_formula() {
        let bytes = annotate(&header(), rows().into_iter()).unwrap();
        let mut parts = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
        let mut part = |name: &str| {
            let mut xml = String::new();
            std::io::Read::read_to_string(&mut parts.by_name(name).unwrap(), &mut xml).unwrap();
            xml
        };
        assert!(!part("xl/worksheets/sheet1.xml").contains("<f>"));
        let notes = part("xl/comments1.xml");
        assert!(
            notes.contains("ref=\"B3\"") && notes.contains("PERIOD_INVALID (row 3, year)"),
            "{notes}"
        );
        let csv = annotate_csv(&header(), rows().into_iter());
        assert_eq!(
            csv,
            "\u{feff}krivično djelo,year,n,accord:code,accord:hint\n\
             Šverc,2016,-5,,\n\
             \"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\",201X,1,PERIOD_INVALID,write 2016\n\
             '@SUM(A1),2016,,FIELD_INVALID,2 fields where the header has 3\n\
             a,b,\"'-2+3 | =1+1\",FIELD_INVALID,'=no\n"
        );
    }

    #[test]
    fn only_plain_numbers_keep_their_sign() {
        for number in ["-5", "+5", "-5.25", "-5,25"] {
            assert_eq!(harmless(number), number);
        }
        for formula in ["=1", "+1+cmd", "-1-1", "@x", "-", "\t=1", "-1e5", "--1", "-1,2,3"] {
            assert_eq!(harmless(formula), format!("'{formula}"));
        }
        assert_eq!(harmless("a=b"), "a=b");
    }

    #[test]
    fn texts_past_what_excel_holds_are_shortened_and_rows_past_the_bound_refused() {
        let long = Row { place: 2, fields: vec!["š".repeat(40_000)], remark: None };
        let (_, found) = read(&annotate(&header(), std::iter::once(long)).unwrap());
        assert!(found[0][0].ends_with('…'));
        let row = Row { place: 2, fields: vec![], remark: None };
        let many = std::iter::repeat_n(row, ANNOTATED_WORKBOOK_ROWS_MAX + 1);
        assert_eq!(annotate(&header(), many).unwrap_err().reason, Reason::LimitExceeded);
    }
}
