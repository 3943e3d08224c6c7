//! The mapping file: from national columns and codes to the registry. TOML in, a checked mapping out.

use std::collections::BTreeMap;

use accord_proto::{
    limits::MAPPING_BYTES_MAX,
    reason::{Invalid, Reason, quoted},
};
use serde::Deserialize;

/// What a row must come to, one way or the other.
const REQUIRED: [&str; 4] = ["indicator", "crime_area", "period", "value"];
/// What a row may come to.
const TARGETS: [&str; 7] =
    ["indicator", "crime_area", "period", "value", "region", "jurisdiction", "status"];

/// As it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMapping {
    /// Where the figures come from: publisher, table, date. Kept in the journal.
    source: String,
    #[serde(default = "comma")]
    delimiter: char,
    /// Target → column of the file.
    columns: BTreeMap<String, String>,
    /// Target → the same text for every row.
    #[serde(default)]
    constants: BTreeMap<String, String>,
    /// Target → national code → code of the registry. A code that is not listed stays as it is.
    #[serde(default)]
    codes: BTreeMap<String, BTreeMap<String, String>>,
    /// Column → the text that rows must have in it; other rows are left out.
    #[serde(default)]
    only: BTreeMap<String, String>,
    /// Columns that are not read.
    #[serde(default)]
    ignore: Vec<String>,
}

fn comma() -> char {
    ','
}

/// A checked mapping.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// As it was written; part of what identifies an import.
    pub text: String,
    /// Where the figures come from.
    pub source: String,
    /// Between the fields of the file.
    pub delimiter: u8,
    /// Column → the text that rows must have in it.
    pub only: BTreeMap<String, String>,
    columns: BTreeMap<String, String>,
    constants: BTreeMap<String, String>,
    codes: BTreeMap<String, BTreeMap<String, String>>,
    ignore: Vec<String>,
}

impl Mapping {
    /// Reads a mapping file.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let wrong =
            |field: &str, detail: String| Invalid::new(Reason::ImportUnreadable, field, detail);
        if text.len() > MAPPING_BYTES_MAX {
            let detail = format!("{} bytes where {MAPPING_BYTES_MAX} is the most", text.len());
            return Err(Invalid::new(Reason::LimitExceeded, "mapping", detail));
        }
        let raw: RawMapping =
            toml::from_str(text).map_err(|error| wrong("mapping", error.to_string()))?;
        let RawMapping { source, delimiter, columns, constants, codes, only, ignore } = raw;
        for target in columns.keys().chain(constants.keys()).chain(codes.keys()) {
            if !TARGETS.contains(&target.as_str()) {
                let detail = format!("{} is none of {}", quoted(target), TARGETS.join(", "));
                return Err(wrong("mapping", detail));
            }
        }
        if let Some(twice) = columns.keys().find(|target| constants.contains_key(*target)) {
            return Err(wrong("mapping", format!("{twice} is both a column and a constant")));
        }
        let given =
            |target: &&&str| !columns.contains_key(**target) && !constants.contains_key(**target);
        if let Some(absent) = REQUIRED.iter().find(given) {
            return Err(wrong(
                "mapping",
                format!("says nothing about {absent}; give a column or a constant"),
            ));
        }
        if source.trim().is_empty() {
            return Err(wrong("mapping.source", "say where the figures come from".to_owned()));
        }
        let delimiter = u8::try_from(delimiter)
            .ok()
            .filter(|byte| matches!(byte, b',' | b';' | b'\t' | b'|'))
            .ok_or_else(|| {
                wrong("mapping.delimiter", "must be one of , ; | or a tab".to_owned())
            })?;
        Ok(Self {
            text: text.to_owned(),
            source,
            delimiter,
            only,
            columns,
            constants,
            codes,
            ignore,
        })
    }

    /// Columns that the file must have.
    pub fn needed(&self) -> impl Iterator<Item = &str> {
        self.columns.values().chain(self.only.keys()).map(String::as_str)
    }

    /// Columns that the file may have.
    pub fn mentioned(&self) -> impl Iterator<Item = &str> {
        self.needed().chain(self.ignore.iter().map(String::as_str))
    }

    /// Text of a target for a row, translated. None if the mapping does not give it.
    pub fn text_of<'a>(&'a self, target: &str, field: impl Fn(&str) -> &'a str) -> Option<&'a str> {
        let text = match self.columns.get(target) {
            Some(column) => field(column),
            None => self.constants.get(target)?,
        };
        let translated = self.codes.get(target).and_then(|codes| codes.get(text));
        Some(translated.map_or(text, String::as_str))
    }

    /// The column that a target is read from, for error messages; the target itself if it is a constant.
    pub fn place_of(&self, target: &str) -> String {
        self.columns.get(target).map_or(target, String::as_str).to_owned()
    }
}
