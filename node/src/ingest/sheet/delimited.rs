//! UTF-8 text in, rows of a delimited table (CSV and its kin) out.
//!
//! Must never allocate per row: millions of them pass through here.

use accord_proto::{
    limits::IMPORT_ROW_BYTES_MAX,
    reason::{Invalid, Reason},
};

use super::source::{HEAD_BYTES, Peeked, Rationed, refusal, unreadable};

/// What may stand between fields, in the order in which a tie is decided: a comma also stands in prose.
const DELIMITERS: [u8; 4] = [b';', b'\t', b'|', b','];

/// A delimited table whose header has been read.
pub(super) struct Delimited<'a> {
    reader: csv::Reader<Rationed<Peeked<'a>>>,
    record: csv::StringRecord,
    columns: usize,
    lines_end_in_crlf: bool,
    /// Lines before the text that the reader was given.
    lines_before: u64,
}

/// A row of the reader's buffer.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    record: &'a csv::StringRecord,
    len: usize,
    /// The reader's line before and after this row; see [`Line::place`].
    before: u64,
    after: u64,
    lines_end_in_crlf: bool,
    lines_before: u64,
}

impl<'a> Delimited<'a> {
    /// Reads the header; also which delimiter it is.
    pub(super) fn open(
        mut text: Peeked<'a>,
        told: Option<u8>,
    ) -> Result<(Self, Vec<String>, u8), Invalid> {
        let mut lines_before = 0;
        let named = named_by_excel(text.head());
        if let Some((_, bytes)) = named {
            text.skip(bytes);
            lines_before = 1;
        }
        let first = first_line(text.head());
        let lines_end_in_crlf =
            text.head().get(first.len()..).is_some_and(|rest| rest.starts_with(b"\r\n"));
        let delimiter = match told.or(named.map(|(delimiter, _)| delimiter)) {
            Some(told) => checked(told)?,
            None => most_frequent(first),
        };
        let reader = csv::ReaderBuilder::new()
            .flexible(true)
            .has_headers(false)
            .delimiter(delimiter)
            .buffer_capacity(HEAD_BYTES)
            .from_reader(Rationed::new(text));
        let record = csv::StringRecord::new();
        let mut sheet =
            Self { reader, record, columns: usize::MAX, lines_end_in_crlf, lines_before };
        let header = match sheet.next()? {
            Some(line) => {
                (0..line.len).filter_map(|at| line.field(at)).map(str::to_owned).collect()
            }
            None => return Err(unreadable("is empty; the first row must name the columns")),
        };
        let header: Vec<String> = header;
        sheet.columns = header.len();
        Ok((sheet, header, delimiter))
    }

    /// The next row in which anything stands.
    pub(super) fn next(&mut self) -> Result<Option<Line<'_>>, Invalid> {
        loop {
            self.reader.get_mut().refill(IMPORT_ROW_BYTES_MAX);
            let before = self.reader.position().line();
            let read = self.reader.read_record(&mut self.record);
            if !read.map_err(|error| self.refused(before, error))? {
                return Ok(None);
            }
            // Programs export rows of separators alone below a table.
            if self.record.as_slice().trim_ascii().is_empty() {
                continue;
            }
            return Ok(Some(Line {
                len: self.len(),
                record: &self.record,
                before,
                after: self.reader.position().line(),
                lines_end_in_crlf: self.lines_end_in_crlf,
                lines_before: self.lines_before,
            }));
        }
    }

    /// Fields of the row. Empty ones past the header do not count: a separator too many at the end of lines.
    fn len(&self) -> usize {
        let len = self.record.len();
        let surplus = self.record.iter().skip(self.columns);
        if len > self.columns && surplus.map(str::trim).all(str::is_empty) {
            self.columns
        } else {
            len
        }
    }

    fn refused(&self, line: u64, error: csv::Error) -> Invalid {
        let line = line + self.lines_before;
        if let csv::ErrorKind::Utf8 { pos, err } = error.kind() {
            let line = pos.as_ref().map_or(line, |pos| pos.line() + self.lines_before);
            let field = err.field() + 1;
            return unreadable(format!(
                "field {field} near line {line} is not UTF-8 as all before it; set encoding, \
                 e.g. to windows-1250 (Latin) or windows-1251 (Cyrillic)"
            ));
        }
        let invalid = if let csv::ErrorKind::Io(error) = error.kind() {
            refusal(error)
        } else {
            unreadable(error.to_string())
        };
        let detail = format!("from line {line} on: {}", invalid.detail);
        Invalid { detail, ..invalid }
    }
}

impl<'a> Line<'a> {
    pub(super) fn field(self, at: usize) -> Option<&'a str> {
        self.record.get(at).map(str::trim)
    }

    pub(super) fn len(self) -> usize {
        self.len
    }

    /// The line of the file that the row begins on, the first being 1.
    ///
    /// The reader knows its line before the row, where blank lines and the second half of a CRLF are still
    /// to come, and after it, where the row's own line breaks are counted. Worked out here, when somebody
    /// asks, and not for every row.
    pub(super) fn place(self) -> u64 {
        let inside = self.record.as_slice().bytes().filter(|byte| *byte == b'\n').count() as u64;
        let end = self.after.saturating_sub(inside);
        let begin = if self.lines_end_in_crlf { end } else { end.saturating_sub(1) };
        begin.max(self.before) + self.lines_before
    }
}

/// Excel's own hint, a first line `sep=;`: the delimiter, and the bytes of the line.
fn named_by_excel(head: &[u8]) -> Option<(u8, usize)> {
    let rest = head.strip_prefix(b"sep=").or_else(|| head.strip_prefix(b"SEP="))?;
    let (delimiter, rest) = rest.split_first()?;
    let end = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n"))?;
    Some((*delimiter, head.len() - end.len()))
}

/// The header line without its end; line breaks in quotation marks belong to it.
fn first_line(head: &[u8]) -> &[u8] {
    let begin = head.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(0);
    let mut inside = false;
    let end = head.iter().enumerate().skip(begin).find(|(_, byte)| {
        inside ^= **byte == b'"';
        !inside && matches!(**byte, b'\n' | b'\r')
    });
    &head[..end.map_or(head.len(), |(at, _)| at)]
}

/// The delimiter that stands most often outside quotation marks.
fn most_frequent(line: &[u8]) -> u8 {
    let mut inside = false;
    let mut counts = [0_usize; DELIMITERS.len()];
    for byte in line {
        inside ^= *byte == b'"';
        let at = DELIMITERS.iter().position(|delimiter| delimiter == byte);
        if let (false, Some(count)) = (inside, at.and_then(|at| counts.get_mut(at))) {
            *count += 1;
        }
    }
    let most = counts.iter().copied().max().unwrap_or(0);
    let first = DELIMITERS.iter().zip(counts).find(|(_, count)| *count == most && most > 0);
    first.map_or(b',', |(delimiter, _)| *delimiter)
}

fn checked(delimiter: u8) -> Result<u8, Invalid> {
    if DELIMITERS.contains(&delimiter) {
        return Ok(delimiter);
    }
    let found = char::from(delimiter).escape_default();
    let detail = format!("{found} is no delimiter; it must be one of , ; | or a tab");
    Err(Invalid::new(Reason::ImportUnreadable, "delimiter", detail))
}
