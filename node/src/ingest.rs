//! A file and its mapping in, records and quarantine out. Every row ends as exactly one of: record,
//! quarantined with row, field, reason and hint, or left out because the mapping says so.
//!
//! Pure: reads no clock and no store, and writes nothing. Reads row by row: what it keeps is the records.

use accord_proto::{
    guard,
    limits::{
        CONTEXTS_MAX, IMPORT_COLUMNS_MAX, IMPORT_FIELD_BYTES_MAX, IMPORT_NAME_BYTES_MAX,
        IMPORT_ROWS_MAX, QUARANTINE_BYTES_MAX, QUARANTINE_DETAIL_BYTES_MAX, QUARANTINE_KEPT_MAX,
    },
    reason::{Invalid, Reason, quoted},
    taxonomy::{JurisdictionCode, Lists},
};

use crate::record::{Reader, Records, columns::Known};

pub mod annotate;
pub mod mapping;
pub mod sheet;
pub mod template;
mod translate;

pub use mapping::Mapping;
use sheet::{Row, Sheet};
use translate::Translator;

/// A row that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// Line of a text file, the header being 1, or row of a sheet.
    pub row: u64,
    /// What was wrong and where. Never repeats what looks personal.
    pub why: Invalid,
}

/// What a file holds.
#[derive(Debug, Default)]
pub struct Batch {
    /// Good rows.
    pub records: Records,
    /// Bad rows; of very many only the first.
    pub quarantined: Vec<Quarantined>,
    /// Bad rows, all of them.
    pub rows_quarantined: u64,
    /// Data rows of the file.
    pub rows_read: u64,
    /// Rows that the mapping leaves out.
    pub rows_left_out: u64,
    /// Rows that repeat another row of the file.
    pub rows_repeated: u64,
    /// What the file was taken for, for people.
    pub recognised: String,
    /// What `quarantined` takes.
    quarantined_bytes: usize,
}

impl Batch {
    fn quarantine(&mut self, row: u64, why: Invalid) {
        self.rows_quarantined += 1;
        let full = self.quarantined.len() >= QUARANTINE_KEPT_MAX
            || self.quarantined_bytes >= QUARANTINE_BYTES_MAX;
        if full {
            return;
        }
        let mut why = discreet(why);
        why.field.truncate(why.field.floor_char_boundary(IMPORT_NAME_BYTES_MAX));
        why.detail.truncate(why.detail.floor_char_boundary(QUARANTINE_DETAIL_BYTES_MAX));
        self.quarantined_bytes += size_of::<Quarantined>() + why.field.len() + why.detail.len();
        self.quarantined.push(Quarantined { row, why });
    }
}

/// An error that does not repeat what looks personal: a field, or the name of a column.
fn discreet(error: Invalid) -> Invalid {
    let Invalid { reason, field, detail } = error;
    let named = guard::in_text(&field);
    match guard::in_text(&detail).or(named) {
        None => Invalid { reason, field, detail },
        Some(personal) => {
            let detail = format!(
                "holds what looks like {}; take it out, or use a number of your own",
                personal.name()
            );
            let field = if named.is_some() { "header".to_owned() } else { field };
            Invalid::new(Reason::PersonalData, field, detail)
        }
    }
}

/// Whose figures these are, and how they are read.
#[derive(Clone, Copy)]
pub struct Home<'a> {
    /// Whom the node speaks for.
    pub jurisdiction: JurisdictionCode,
    /// The code lists.
    pub lists: &'a Lists,
    /// What pseudonyms are made with.
    pub secret: &'a [u8; 32],
}

/// Reads a whole file. Fails only if the file as a whole cannot be read.
pub fn read<'f>(
    file: Box<dyn std::io::Read + Send + 'f>,
    mapping: &Mapping,
    home: Home<'_>,
) -> Result<Batch, Invalid> {
    let mut sheet = Sheet::open(file, &mapping.options)?;
    let columns = Columns::find(sheet.header(), mapping).map_err(discreet)?;
    let mut translator = Translator::new(mapping, &columns.names, home);
    let mut reader = Reader::new(home.jurisdiction, home.lists, home.secret);
    let mut batch = Batch { recognised: sheet.recognised().to_owned(), ..Batch::default() };
    while let Some(row) = sheet.next()? {
        batch.rows_read += 1;
        if batch.rows_read > IMPORT_ROWS_MAX {
            let detail = format!("more than {IMPORT_ROWS_MAX} rows; split the file");
            return Err(Invalid::new(Reason::LimitExceeded, "file", detail));
        }
        let place = row.place();
        let record = columns.check(&row, mapping).and_then(|counts| {
            if !counts {
                return Ok(None);
            }
            translator.record(&row, &mut reader).map(Some)
        });
        match record {
            Ok(None) => batch.rows_left_out += 1,
            Err(why) => batch.quarantine(place, why),
            Ok(Some(record)) => match batch.records.known(&record) {
                Known::New => batch.records.put(&record),
                Known::Same => batch.rows_repeated += 1,
                Known::Other => {
                    let detail =
                        "an earlier row of this file says something else of the same observation";
                    let field = mapping.place_of("value");
                    batch.quarantine(place, Invalid::new(Reason::RowDuplicate, field, detail));
                }
            },
        }
        if batch.records.contexts().len() > CONTEXTS_MAX {
            let detail = format!("more than {CONTEXTS_MAX} different services and handling codes");
            return Err(Invalid::new(Reason::LimitExceeded, "origin", detail));
        }
    }
    Ok(batch)
}

/// Where the mapping's columns stand in this file.
struct Columns {
    names: Vec<String>,
    /// Columns of the file that the mapping does not mention.
    strange: Vec<usize>,
    /// A column of the mapping that the file does not have.
    absent: Option<Invalid>,
    /// Where the columns of `only` stand.
    only: Vec<usize>,
}

impl Columns {
    fn find(header: &[String], mapping: &Mapping) -> Result<Self, Invalid> {
        if header.len() > IMPORT_COLUMNS_MAX {
            let detail = format!("{} columns where {IMPORT_COLUMNS_MAX} is the most", header.len());
            return Err(Invalid::new(Reason::LimitExceeded, "header", detail));
        }
        if let Some(at) = header.iter().position(|name| name.len() > IMPORT_NAME_BYTES_MAX) {
            let detail = format!(
                "the name of column {} is longer than {IMPORT_NAME_BYTES_MAX} bytes",
                at + 1
            );
            return Err(Invalid::new(Reason::LimitExceeded, "header", detail));
        }
        let twice = header.iter().enumerate().find(|(at, name)| header[..*at].contains(name));
        if let Some((_, twice)) = twice {
            let detail = format!("column {} stands twice", quoted(twice));
            return Err(Invalid::new(Reason::ImportUnreadable, "header", detail));
        }
        let place = |name: &str| header.iter().position(|of| of == name);
        let absent = mapping.needed().find(|name| place(name).is_none()).map(|name| {
            let detail =
                format!("the mapping names column {}, which the file does not have", quoted(name));
            Invalid::new(Reason::ColumnUnknown, name, detail)
        });
        let strange = header.iter().enumerate();
        let strange =
            strange.filter(|(_, name)| !mapping.mentioned().any(|of| of == name.as_str()));
        Ok(Self {
            strange: strange.map(|(at, _)| at).collect(),
            only: mapping.only.keys().map(|name| place(name).unwrap_or(usize::MAX)).collect(),
            names: header.to_vec(),
            absent,
        })
    }

    /// Does the row count? False if the mapping leaves it out; why, if it is no row of this file at all.
    fn check(&self, row: &Row<'_>, mapping: &Mapping) -> Result<bool, Invalid> {
        if let Some(absent) = &self.absent {
            return Err(absent.clone());
        }
        if row.len() != self.names.len() {
            let detail = format!("{} fields where the header has {}", row.len(), self.names.len());
            return Err(Invalid::new(Reason::FieldInvalid, "row", detail));
        }
        let name = |at: usize| self.names.get(at).map_or("", String::as_str);
        let long = (0..row.len())
            .find(|at| row.field(*at).is_some_and(|field| field.len() > IMPORT_FIELD_BYTES_MAX));
        if let Some(long) = long {
            let detail = format!("longer than {IMPORT_FIELD_BYTES_MAX} bytes");
            return Err(Invalid::new(Reason::LimitExceeded, name(long), detail));
        }
        // What nobody has mapped might be anything, a name included: it is not believed to be harmless.
        let filled = |at: &&usize| row.field(**at).is_some_and(|field| !field.is_empty());
        if let Some(strange) = self.strange.iter().find(filled) {
            let name = name(*strange);
            let detail = format!(
                "column {} is not in the mapping; map it or list it under ignore",
                quoted(name)
            );
            return Err(Invalid::new(Reason::ColumnUnknown, name, detail));
        }
        let wanted = mapping.only.values().zip(&self.only);
        Ok(wanted.into_iter().all(|(wanted, at)| row.field(*at) == Some(wanted.as_str())))
    }
}

#[cfg(test)]
mod tests;
