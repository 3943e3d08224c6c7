//! Delimited text. Comes in: header and observations. Goes out: UTF-8 with a header line, every digit as it is, `NaN`
//! for a gap. Must never hand a spreadsheet a text that it takes for a formula.

use std::borrow::Cow;

use super::{
    Header, Observation,
    columns::{COLUMNS, Cell},
};

/// How a reader wants it.
pub(super) struct Dialect {
    delimiter: u8,
    decimal_mark: &'static str,
    begin: &'static str,
}

/// RFC 4180, for pandas and everybody else.
pub(super) const PROGRAMS: Dialect = Dialect { delimiter: b',', decimal_mark: ".", begin: "" };

/// For Excel in most of Europe: where a comma marks decimals, a semicolon is between fields, and `12.5` would become
/// a date. Without the byte order mark š and ш are misread.
pub(super) const EXCEL: Dialect = Dialect { delimiter: b';', decimal_mark: ",", begin: "\u{feff}" };

/// The bytes of the file.
pub(super) fn write(dialect: &Dialect, header: &Header, observations: &[Observation]) -> Vec<u8> {
    let names = COLUMNS.iter().map(|(name, _)| Cow::from(*name)).collect();
    let row = |cell: &Observation| {
        COLUMNS.iter().map(|(_, of)| field(dialect, of(header, cell))).collect::<Vec<_>>()
    };
    let rows = std::iter::once(names).chain(observations.iter().map(row));
    let mut bytes = dialect.begin.as_bytes().to_vec();
    bytes.extend(lines(dialect.delimiter, rows));
    bytes
}

/// Lines of fields, in quotation marks where they need them.
pub(super) fn lines<'a>(delimiter: u8, rows: impl Iterator<Item = Vec<Cow<'a, str>>>) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    for row in rows {
        // Writing to memory cannot fail, and every row has as many fields as the first.
        let _ = writer.write_record(row.iter().map(|field| field.as_bytes()));
    }
    writer.into_inner().unwrap_or_default()
}

fn field(dialect: &Dialect, cell: Cell) -> Cow<'static, str> {
    match cell {
        Cell::Text(text) => harmless(text).into(),
        Cell::Count(count) => count.to_string().into(),
        Cell::Number(Some(exact)) => exact.to_string().replace('.', dialect.decimal_mark).into(),
        Cell::Number(None) => "NaN".into(),
    }
}

/// A text that no spreadsheet takes for a formula: an apostrophe in front says that it is text. A leading tab or line
/// break is passed over by Excel before it looks.
fn harmless(text: String) -> String {
    if text.trim_start().starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_begins_like_a_formula_stays_a_text() {
        for formula in ["=1", "+1", "-x", "@SUM(A1)", "\t=1", " =1"] {
            assert_eq!(harmless(formula.to_owned()), format!("'{formula}"));
        }
        for text in ["", "SEX=F", "a-b", "* note"] {
            assert_eq!(harmless(text.to_owned()), text);
        }
    }
}
