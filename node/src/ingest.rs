//! A file and its mapping in, records and quarantine out. Every row ends as exactly one of: record,
//! quarantined with row, field, reason and hint, or left out because the mapping says so.
//!
//! Pure: reads no clock and no store, and writes nothing.

use std::collections::BTreeMap;

use accord_proto::{
    limits::{IMPORT_BYTES_MAX, IMPORT_COLUMNS_MAX, IMPORT_FIELD_BYTES_MAX, IMPORT_ROWS_MAX},
    reason::{Invalid, Reason, quoted},
    seal::Digest,
    taxonomy::{JurisdictionCode, Lists},
};

use crate::record::{CellKey, Observed, RawRecord, Record};

pub mod guard;
pub mod annotate;
pub mod mapping;
pub mod sheet;
pub mod template;

pub use mapping::Mapping;

/// A row that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// Line in the file, the header being 1.
    pub row: u64,
    /// What was wrong and where.
    pub why: Invalid,
}

/// What a file holds.
#[derive(Debug)]
pub struct Batch {
    /// SHA-256 over file and mapping: the same file twice is the same import.
    pub digest: Digest,
    /// Good rows.
    pub records: Vec<Record>,
    /// Bad rows.
    pub quarantined: Vec<Quarantined>,
    /// Data rows of the file.
    pub rows_read: u64,
    /// Rows that the mapping leaves out.
    pub rows_left_out: u64,
    /// Rows that repeat another row of the file.
    pub rows_repeated: u64,
}

/// Reads a whole file. Fails only if the file as a whole cannot be read as CSV.
pub fn read(
    file: &[u8],
    mapping: &Mapping,
    jurisdiction: JurisdictionCode,
    lists: &Lists,
) -> Result<Batch, Invalid> {
    if file.len() > IMPORT_BYTES_MAX {
        let detail = format!("{} bytes where {IMPORT_BYTES_MAX} is the most", file.len());
        return Err(Invalid::new(Reason::LimitExceeded, "file", detail));
    }
    let unreadable = |detail: String| Invalid::new(Reason::ImportUnreadable, "file", detail);
    if std::str::from_utf8(file).is_err() {
        return Err(unreadable("is not UTF-8 text; save it as CSV UTF-8".to_owned()));
    }
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .delimiter(mapping.delimiter)
        .from_reader(file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file));
    let header = reader.headers().map_err(|error| unreadable(error.to_string()))?.clone();
    let columns = Columns::find(&header, mapping)?;

    let mut batch = Batch {
        digest: Digest::of_parts([file, mapping.text.as_bytes()]),
        records: Vec::new(),
        quarantined: Vec::new(),
        rows_read: 0,
        rows_left_out: 0,
        rows_repeated: 0,
    };
    let mut seen = BTreeMap::<CellKey, Observed>::new();
    for row in reader.records() {
        let row = row.map_err(|error| unreadable(error.to_string()))?;
        let line = row.position().map_or(0, csv::Position::line);
        batch.rows_read += 1;
        if batch.rows_read > IMPORT_ROWS_MAX {
            let detail = format!("more than {IMPORT_ROWS_MAX} rows; split the file");
            return Err(Invalid::new(Reason::LimitExceeded, "file", detail));
        }
        match columns.record(&row, mapping, jurisdiction, lists) {
            Ok(None) => batch.rows_left_out += 1,
            Err(why) => batch.quarantined.push(Quarantined { row: line, why }),
            Ok(Some(record)) => match seen.insert(record.key(), record.observed()) {
                None => batch.records.push(record),
                Some(before) if before == record.observed() => batch.rows_repeated += 1,
                Some(before) => {
                    seen.insert(record.key(), before);
                    let detail = "an earlier row of this file has another figure for the same cell";
                    let why = Invalid::new(Reason::RowDuplicate, "value", detail);
                    batch.quarantined.push(Quarantined { row: line, why });
                }
            },
        }
    }
    Ok(batch)
}

/// Where the mapping's columns stand in this file.
struct Columns {
    header: csv::StringRecord,
    /// Columns of the file that the mapping does not mention.
    strange: Vec<usize>,
    /// A column of the mapping that the file does not have.
    absent: Option<Invalid>,
}

impl Columns {
    fn find(header: &csv::StringRecord, mapping: &Mapping) -> Result<Self, Invalid> {
        if header.len() > IMPORT_COLUMNS_MAX {
            let detail = format!("{} columns where {IMPORT_COLUMNS_MAX} is the most", header.len());
            return Err(Invalid::new(Reason::LimitExceeded, "header", detail));
        }
        let names: Vec<_> = header.iter().collect();
        if let Some(twice) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name))
        {
            let detail = format!("column {} stands twice", quoted(twice.1));
            return Err(Invalid::new(Reason::ImportUnreadable, "header", detail));
        }
        let absent = mapping.needed().find(|name| !names.contains(name)).map(|name| {
            let detail =
                format!("the mapping names column {}, which the file does not have", quoted(name));
            Invalid::new(Reason::ColumnUnknown, name, detail)
        });
        let strange =
            (0..names.len()).filter(|at| !mapping.mentioned().any(|name| name == names[*at]));
        Ok(Self { strange: strange.collect(), header: header.clone(), absent })
    }

    /// One row: a record, nothing if the mapping leaves it out, or why it is refused.
    fn record(
        &self,
        row: &csv::StringRecord,
        mapping: &Mapping,
        jurisdiction: JurisdictionCode,
        lists: &Lists,
    ) -> Result<Option<Record>, Invalid> {
        if let Some(absent) = &self.absent {
            return Err(absent.clone());
        }
        if row.len() != self.header.len() {
            let detail = format!("{} fields where the header has {}", row.len(), self.header.len());
            return Err(Invalid::new(Reason::FieldInvalid, "row", detail));
        }
        if let Some(long) = row.iter().position(|field| field.len() > IMPORT_FIELD_BYTES_MAX) {
            let detail = format!("longer than {IMPORT_FIELD_BYTES_MAX} bytes");
            return Err(Invalid::new(Reason::LimitExceeded, &self.header[long], detail));
        }
        // What nobody has mapped might be anything, a name included: it is not believed to be harmless.
        if let Some(strange) = self.strange.iter().find(|at| !row[**at].is_empty()) {
            let name = &self.header[*strange];
            let detail = format!(
                "column {} is not in the mapping; map it or list it under ignore",
                quoted(name)
            );
            return Err(Invalid::new(Reason::ColumnUnknown, name, detail));
        }
        if mapping.only.iter().any(|(column, wanted)| self.field(row, column) != wanted) {
            return Ok(None);
        }
        self.translate(row, mapping, jurisdiction, lists).map(Some)
    }

    fn translate(
        &self,
        row: &csv::StringRecord,
        mapping: &Mapping,
        jurisdiction: JurisdictionCode,
        lists: &Lists,
    ) -> Result<Record, Invalid> {
        let text = |target: &str| mapping.text_of(target, |column| self.field(row, column));
        let whose = text("jurisdiction").unwrap_or(jurisdiction.as_str());
        if whose != jurisdiction.as_str() {
            let detail =
                format!("{} is not {jurisdiction}, whom this node speaks for", quoted(whose));
            return Err(Invalid::new(
                Reason::CodeUnknown,
                mapping.place_of("jurisdiction"),
                detail,
            ));
        }
        let value = text("value").unwrap_or_default();
        let missing = match text("status") {
            None => value.is_empty(),
            Some("missing") => true,
            Some("value") => false,
            Some(other) => {
                let detail =
                    format!("{} is not a status; map it to value or missing", quoted(other));
                return Err(Invalid::new(Reason::CodeUnknown, mapping.place_of("status"), detail));
            }
        };
        if missing && !value.is_empty() {
            let detail = format!("{} beside the status missing", quoted(value));
            return Err(Invalid::new(Reason::FieldInvalid, mapping.place_of("value"), detail));
        }
        let raw = RawRecord {
            indicator: text("indicator").unwrap_or_default(),
            crime_area: text("crime_area").unwrap_or_default(),
            region: text("region").unwrap_or(jurisdiction.as_str()),
            period: text("period").unwrap_or_default(),
            value: (!missing).then_some(value),
        };
        Record::parse(raw, jurisdiction, lists)
            .map_err(|error| Invalid { field: mapping.place_of(&error.field), ..error })
    }

    fn field<'a>(&self, row: &'a csv::StringRecord, column: &str) -> &'a str {
        let at = self.header.iter().position(|name| name == column);
        at.and_then(|at| row.get(at)).unwrap_or_default().trim()
    }
}

#[cfg(test)]
mod tests;
