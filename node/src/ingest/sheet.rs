//! Whatever an analyst has in, one header and rows of text out: CSV with any delimiter, JSON Lines or XLSX,
//! gzipped or not, in any encoding of the region. What is not told is recognised, and said for people.
//!
//! Must never hold a text file in memory, guess at a letter that it cannot read, or pass over a row in which
//! something stands.

use std::io::Read;

use accord_proto::{
    limits::{IMPORT_COLUMNS_MAX, IMPORT_DECODED_BYTES_MAX},
    reason::{Invalid, Reason},
};

mod delimited;
mod encoding;
mod lines;
mod source;
mod workbook;

use source::{Peeked, unreadable};

/// What is told about a file; the rest is recognised.
#[derive(Clone, Debug)]
pub struct Options {
    /// Between the fields of a text file: one of `, ; |` or a tab.
    pub delimiter: Option<u8>,
    /// Encoding of a text file, by a name that the web knows: `windows-1250`.
    pub encoding: Option<String>,
    /// Sheet of a workbook.
    pub sheet: Option<String>,
    /// The most that the file may hold, unpacked.
    pub decoded_bytes_max: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            delimiter: None,
            encoding: None,
            sheet: None,
            decoded_bytes_max: IMPORT_DECODED_BYTES_MAX,
        }
    }
}

/// An opened file: its header has been read, its rows have not.
pub struct Sheet<'a> {
    header: Vec<String>,
    recognised: String,
    body: Body<'a>,
}

enum Body<'a> {
    Delimited(Box<delimited::Delimited<'a>>),
    Lines(Box<lines::JsonLines<'a>>),
    Cells(workbook::Cells),
}

/// A row as the reader found it: fields by position, and where it stands for people.
#[derive(Clone, Copy)]
pub struct Row<'a>(Fields<'a>);

#[derive(Clone, Copy)]
enum Fields<'a> {
    Line(delimited::Line<'a>),
    Kept { fields: &'a [String], place: u64 },
}

impl<'a> Row<'a> {
    /// A field without the white space around it.
    pub fn field(&self, at: usize) -> Option<&'a str> {
        match &self.0 {
            Fields::Line(line) => line.field(at),
            Fields::Kept { fields, .. } => fields.get(at).map(String::as_str),
        }
    }

    /// Fields of the row. Rows of a text file may have another number of them than the header.
    #[expect(clippy::len_without_is_empty, reason = "rows in which nothing stands are passed over")]
    pub fn len(&self) -> usize {
        match &self.0 {
            Fields::Line(line) => line.len(),
            Fields::Kept { fields, .. } => fields.len(),
        }
    }

    /// Line of a text file, the header being 1, or row number of a sheet.
    pub fn place(&self) -> u64 {
        match &self.0 {
            Fields::Line(line) => line.place(),
            Fields::Kept { place, .. } => *place,
        }
    }
}

impl<'a> Sheet<'a> {
    /// Recognises a file and reads its header.
    pub fn open(file: Box<dyn Read + Send + 'a>, options: &Options) -> Result<Self, Invalid> {
        let (plain, packed) = source::open(file, options.decoded_bytes_max)?;
        let head = plain.head();
        let mut sheet = if head.starts_with(b"PK\x03\x04") {
            Self::of_workbook(plain, options)?
        } else if head.starts_with(b"\xd0\xcf\x11\xe0") {
            return Err(unreadable(
                "is an old Excel file or a workbook with a password; save it as XLSX without one",
            ));
        } else {
            Self::of_text(plain, options)?
        };
        if packed {
            sheet.recognised.insert_str(0, "gzip, ");
        }
        if sheet.header.len() > IMPORT_COLUMNS_MAX {
            let detail =
                format!("{} columns where {IMPORT_COLUMNS_MAX} is the most", sheet.header.len());
            return Err(Invalid::new(Reason::LimitExceeded, "header", detail));
        }
        Ok(sheet)
    }

    fn of_workbook(file: Peeked<'a>, options: &Options) -> Result<Self, Invalid> {
        let workbook::Chosen { cells, header, sheet, row } =
            workbook::open(file, options.sheet.as_deref())?;
        let recognised = format!("XLSX, sheet {sheet}, header row {row}");
        Ok(Self { header, recognised, body: Body::Cells(cells) })
    }

    fn of_text(file: Peeked<'a>, options: &Options) -> Result<Self, Invalid> {
        let (text, encoding) = encoding::decode(file, options.encoding.as_deref())?;
        let text = Peeked::new(text)?;
        if text.head().contains(&0) {
            return Err(unreadable(format!(
                "holds zero bytes when read as {encoding}, so it is no table of text; save it as CSV or XLSX"
            )));
        }
        let mut begin = text.head().trim_ascii_start().iter();
        match begin.next() {
            Some(b'{') => {
                let (body, header) = lines::JsonLines::open(text)?;
                let recognised = format!("JSON Lines, {encoding}");
                Ok(Self { header, recognised, body: Body::Lines(Box::new(body)) })
            }
            Some(b'[') if begin.find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{') => {
                Err(unreadable("is one JSON list; write its objects without it, one on each line"))
            }
            Some(_) | None => {
                let (body, header, delimiter) =
                    delimited::Delimited::open(text, options.delimiter)?;
                let delimiter = if delimiter == b'\t' {
                    "tab".to_owned()
                } else {
                    char::from(delimiter).to_string()
                };
                let recognised = format!("CSV, {encoding}, delimiter {delimiter}");
                Ok(Self { header, recognised, body: Body::Delimited(Box::new(body)) })
            }
        }
    }

    /// Names of the columns, without white space around them, as they stand: empty or twice, too.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// The next row in which anything stands.
    #[expect(
        clippy::should_implement_trait,
        reason = "a row borrows from its sheet; no iterator does"
    )]
    pub fn next(&mut self) -> Result<Option<Row<'_>>, Invalid> {
        let kept = match &mut self.body {
            Body::Delimited(body) => {
                return Ok(body.next()?.map(|line| Row(Fields::Line(line))));
            }
            Body::Lines(body) => body.next()?,
            Body::Cells(body) => body.next(),
        };
        Ok(kept.map(|(fields, place)| Row(Fields::Kept { fields, place })))
    }

    /// What the file was taken for, for people: `gzip, CSV, windows-1250, delimiter ;`.
    pub fn recognised(&self) -> &str {
        &self.recognised
    }
}

#[cfg(test)]
mod tests;
