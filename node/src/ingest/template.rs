//! The columns that a mapping wants in, an empty file to fill in out: CSV text or a workbook with drop-downs.
//!
//! Must never hold a figure: a template goes to whoever may see the lists.

use accord_proto::reason::{Invalid, Reason};
use rust_xlsxwriter::{
    DataValidation, DocProperties, ExcelDateTime, Format, Formula, Note, Workbook, Worksheet,
    XlsxError, utility::column_number_to_name,
};

/// What a workbook to fill in holds.
#[derive(Clone, Debug, Default)]
pub struct Template {
    /// In their order.
    pub columns: Vec<TemplateColumn>,
    /// Instructions, a paragraph each.
    pub notes: Vec<String>,
}

/// A column to fill in.
#[derive(Clone, Debug, Default)]
pub struct TemplateColumn {
    /// As the mapping knows it.
    pub name: String,
    /// What to write there.
    pub explanation: String,
    /// Codes with their labels; nothing: whatever is typed.
    pub allowed: Vec<(String, String)>,
    /// Kept as it is typed. Without it Excel makes a date of 2016-05, and 101 of 0101.
    pub as_text: bool,
}

/// The last row of a sheet, counted from nought.
const ROW_LAST: u32 = 1_048_575;
const WIDTH: f64 = 18.0;

/// The header line of a CSV file to fill in.
pub fn csv(header: &[&str]) -> String {
    let mut line: String = header.iter().map(|name| quote(name)).collect::<Vec<_>>().join(",");
    line.push('\n');
    line
}

/// A field of a CSV file, in quotation marks if it needs them.
pub(super) fn quote(field: &str) -> std::borrow::Cow<'_, str> {
    if field.contains(['"', ',', ';', '\t', '|', '\n', '\r']) || field.trim() != field {
        format!("\"{}\"", field.replace('"', "\"\"")).into()
    } else {
        field.into()
    }
}

/// A workbook to fill in: the sheets `data`, `lists` and `read me`.
pub fn workbook(template: &Template) -> Result<Vec<u8>, Invalid> {
    write(template).map_err(unwritable)
}

pub(super) fn unwritable(error: XlsxError) -> Invalid {
    let detail = format!("no workbook can be written of this ({error}); take CSV");
    Invalid::new(Reason::LimitExceeded, "workbook", detail)
}

/// A workbook that is the same bytes for the same content: its date of creation is not now.
pub(super) fn dateless() -> Result<Workbook, XlsxError> {
    let mut book = Workbook::new();
    let date = ExcelDateTime::from_ymd(2000, 1, 1)?;
    book.set_properties(&DocProperties::new().set_creation_datetime(&date));
    Ok(book)
}

fn write(template: &Template) -> Result<Vec<u8>, XlsxError> {
    let mut book = dateless()?;
    fill_data(book.add_worksheet(), template)?;
    fill_lists(book.add_worksheet(), template)?;
    fill_read_me(book.add_worksheet(), template)?;
    book.save_to_buffer()
}

fn fill_data(sheet: &mut Worksheet, template: &Template) -> Result<(), XlsxError> {
    let bold = Format::new().set_bold();
    let text = Format::new().set_num_format("@");
    sheet.set_name("data")?.set_freeze_panes(1, 0)?;
    for ((at, column), list) in (0..).zip(&template.columns).zip(lists_of(template)) {
        sheet.set_column_width(at, WIDTH)?;
        if column.as_text {
            sheet.set_column_format(at, &text)?;
        }
        sheet.write_string_with_format(0, at, &column.name, &bold)?;
        if !column.explanation.is_empty() {
            sheet.insert_note(0, at, &Note::new(&column.explanation).add_author_prefix(false))?;
        }
        if let Some(list) = list {
            let from = column_number_to_name(list);
            let last = column.allowed.len() + 1;
            let codes = Formula::new(format!("=lists!${from}$2:${from}${last}"));
            let validation = DataValidation::new()
                .allow_list_formula(codes)
                .set_error_message("Take a code of the sheet lists.")?;
            sheet.add_data_validation(1, at, ROW_LAST, at, &validation)?;
        }
    }
    Ok(())
}

/// Where each column's codes stand in the sheet `lists`; their labels stand right of them.
fn lists_of(template: &Template) -> impl Iterator<Item = Option<u16>> {
    let mut next = 0;
    template.columns.iter().map(move |column| {
        let at = (!column.allowed.is_empty()).then_some(next);
        next += if at.is_some() { 2 } else { 0 };
        at
    })
}

fn fill_lists(sheet: &mut Worksheet, template: &Template) -> Result<(), XlsxError> {
    let bold = Format::new().set_bold();
    sheet.set_name("lists")?.set_freeze_panes(1, 0)?;
    for (column, list) in template.columns.iter().zip(lists_of(template)) {
        let Some(at) = list else {
            continue;
        };
        sheet.set_column_width(at, WIDTH)?.set_column_width(at + 1, 2.0 * WIDTH)?;
        sheet.write_string_with_format(0, at, &column.name, &bold)?;
        sheet.write_string_with_format(0, at + 1, "label", &bold)?;
        for (row, (code, label)) in (1..).zip(&column.allowed) {
            sheet.write_string(row, at, code)?.write_string(row, at + 1, label)?;
        }
    }
    Ok(())
}

fn fill_read_me(sheet: &mut Worksheet, template: &Template) -> Result<(), XlsxError> {
    let bold = Format::new().set_bold();
    let wrapped = Format::new().set_text_wrap();
    sheet.set_name("read me")?;
    sheet.set_column_width(0, 1.5 * WIDTH)?.set_column_width(1, 5.0 * WIDTH)?;
    let mut row = 0;
    for note in &template.notes {
        sheet.write_string_with_format(row, 1, note, &wrapped)?;
        row += 1;
    }
    row += 1;
    for column in &template.columns {
        sheet.write_string_with_format(row, 0, &column.name, &bold)?;
        sheet.write_string_with_format(row, 1, &column.explanation, &wrapped)?;
        row += 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::sheet::{Options, Sheet};

    fn template() -> Template {
        let column = |name: &str, allowed: &[(&str, &str)]| TemplateColumn {
            name: name.to_owned(),
            explanation: format!("Šta se piše u {name}"),
            allowed: allowed.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect(),
            as_text: true,
        };
        Template {
            columns: vec![
                column("indicator", &[("PUB.OFF.N", "Offences"), ("PUB.SUS.N", "Suspects")]),
                column("period", &[]),
                column("region", &[("AL", "Shqipëri"), ("RS", "Србија")]),
                column("value", &[]),
            ],
            notes: vec!["One row a figure.".to_owned(), "=Nothing is a formula.".to_owned()],
        }
    }

    #[test]
    fn a_template_is_read_back_with_its_header() {
        let bytes = workbook(&template()).unwrap();
        let mut sheet = Sheet::open(Box::new(bytes.as_slice()), &Options::default()).unwrap();
        assert_eq!(sheet.header(), ["indicator", "period", "region", "value"]);
        assert_eq!(sheet.recognised(), "XLSX, sheet data, header row 1");
        assert!(sheet.next().unwrap().is_none());
    }

    #[test]
    fn codes_stand_beside_their_labels_and_drop_down() {
        let bytes = workbook(&template()).unwrap();
        let options = Options { sheet: Some("lists".to_owned()), ..Options::default() };
        let mut sheet = Sheet::open(Box::new(bytes.as_slice()), &options).unwrap();
        assert_eq!(sheet.header(), ["indicator", "label", "region", "label"]);
        let row = sheet.next().unwrap().unwrap();
        let fields: Vec<_> = (0..4).filter_map(|at| row.field(at)).collect();
        assert_eq!(fields, ["PUB.OFF.N", "Offences", "AL", "Shqipëri"]);
        let mut parts = zip::ZipArchive::new(std::io::Cursor::new(&bytes)).unwrap();
        let mut part = parts.by_name("xl/worksheets/sheet1.xml").unwrap();
        let mut xml = String::new();
        std::io::Read::read_to_string(&mut part, &mut xml).unwrap();
        assert!(xml.contains("<formula1>lists!$A$2:$A$3</formula1>"), "{xml}");
        assert!(xml.contains("<formula1>lists!$C$2:$C$3</formula1>"), "{xml}");
    }

    #[test]
    fn the_same_template_is_the_same_bytes() {
        assert_eq!(workbook(&template()).unwrap(), workbook(&template()).unwrap());
    }

    #[test]
    fn a_csv_template_is_its_header() {
        assert_eq!(
            csv(&["indicator", "a,b", "say \"so\""]),
            "indicator,\"a,b\",\"say \"\"so\"\"\"\n"
        );
    }
}
