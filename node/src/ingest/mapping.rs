//! The mapping: from national columns and codes to the registry. TOML in, a checked mapping out.

use std::collections::{BTreeMap, HashMap};

use accord_proto::{
    limits::{DATE_FORMAT_BYTES_MAX, IMPORT_NAME_BYTES_MAX, MAPPING_BYTES_MAX, TEXT_BYTES_MAX},
    reason::{Invalid, Reason, quoted},
    taxonomy::Granularity,
};
use serde::Deserialize;

use super::sheet::Options;

/// What a row must come to, one way or the other.
const REQUIRED: [Target; 3] = [Target::Indicator, Target::CrimeArea, Target::Period];
/// Before the code of a dimension.
const DIMENSION: &str = "dimension.";

/// What a column of a file can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// Code of the list `indicators`.
    Indicator,
    /// Code of the indicator's list of crime areas.
    CrimeArea,
    /// Reporting period, or a date within it.
    Period,
    /// The figure.
    Value,
    /// Code of the list `regions`; the jurisdiction as a whole if not given.
    Region,
    /// Must be the node's own, if given.
    Jurisdiction,
    /// How the figure is meant.
    Status,
    /// Events: the protected unit.
    Unit,
    /// Events: the event's own number.
    Event,
    /// The human source or report behind it.
    Source,
    /// The reporting service.
    Origin,
    /// Handling codes.
    Handling,
    /// Totals: how many protected units.
    Units,
    /// Totals: what the largest unit contributes.
    Largest,
    /// Totals: what the second largest contributes.
    Second,
}

impl Target {
    /// All, with their names in a mapping.
    pub const ALL: [(Self, &'static str); 15] = [
        (Self::Indicator, "indicator"),
        (Self::CrimeArea, "crime_area"),
        (Self::Period, "period"),
        (Self::Value, "value"),
        (Self::Region, "region"),
        (Self::Jurisdiction, "jurisdiction"),
        (Self::Status, "status"),
        (Self::Unit, "unit"),
        (Self::Event, "event"),
        (Self::Source, "source"),
        (Self::Origin, "origin"),
        (Self::Handling, "handling"),
        (Self::Units, "units"),
        (Self::Largest, "largest"),
        (Self::Second, "second"),
    ];

    /// Its name in a mapping.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(target, _)| *target == self).map_or("", |(_, name)| name)
    }

    fn only_for_events(self) -> bool {
        matches!(self, Self::Unit | Self::Event)
    }

    fn only_for_totals(self) -> bool {
        matches!(self, Self::Units | Self::Largest | Self::Second)
    }
}

/// What a row of the file is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rows {
    /// A ready total of its cell.
    #[default]
    Totals,
    /// One event of a protected unit.
    Events,
}

/// As it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMapping {
    source: String,
    #[serde(default)]
    rows: Rows,
    delimiter: Option<char>,
    encoding: Option<String>,
    sheet: Option<String>,
    #[serde(default)]
    decimal_comma: bool,
    columns: BTreeMap<String, String>,
    #[serde(default)]
    constants: BTreeMap<String, String>,
    #[serde(default)]
    codes: BTreeMap<String, HashMap<String, String>>,
    #[serde(default)]
    masks: HashMap<String, [String; 2]>,
    dates: Option<RawDates>,
    #[serde(default)]
    only: BTreeMap<String, String>,
    #[serde(default)]
    ignore: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDates {
    format: String,
    granularity: String,
}

/// How dates of the file become reporting periods.
#[derive(Clone, Debug)]
pub struct Dates {
    /// As in `strptime`: `%d.%m.%Y`.
    pub format: String,
    /// How long the periods are.
    pub granularity: Granularity,
}

/// Where a target's text comes from, and how it is translated.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// The column, or nothing if it is a constant.
    pub column: Option<String>,
    /// The same text for every row.
    pub constant: String,
    /// National code → code of the registry. A code that is not listed stays as it is.
    pub codes: HashMap<String, String>,
}

/// A checked mapping.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// As it was written; part of what identifies an import.
    pub text: String,
    /// Where the figures come from: publisher, table, date. Kept in the journal.
    pub source: String,
    /// Events or totals.
    pub rows: Rows,
    /// How the file is to be read; what is not said is recognised.
    pub options: Options,
    /// Numbers are written like 12,5.
    pub decimal_comma: bool,
    /// Targets that are given.
    pub targets: BTreeMap<Target, Given>,
    /// Dimension code → its column or constant.
    pub dimensions: BTreeMap<String, Given>,
    /// Masked text like `<5` → the figures that it stands for, both included.
    pub masks: HashMap<String, [String; 2]>,
    /// How dates become periods; none if the file has periods.
    pub dates: Option<Dates>,
    /// Column → the text that rows must have in it; other rows are left out.
    pub only: BTreeMap<String, String>,
    /// Columns that are not read.
    pub ignore: Vec<String>,
}

fn wrong(field: &str, detail: impl Into<String>) -> Invalid {
    Invalid::new(Reason::ImportUnreadable, field, detail)
}

fn too_long(field: &str, text: &str, bytes_max: usize) -> Invalid {
    let detail = format!("{} is longer than {bytes_max} bytes", quoted(text));
    Invalid::new(Reason::LimitExceeded, field, detail)
}

impl Mapping {
    /// Reads a mapping file.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.len() > MAPPING_BYTES_MAX {
            let detail = format!("{} bytes where {MAPPING_BYTES_MAX} is the most", text.len());
            return Err(Invalid::new(Reason::LimitExceeded, "mapping", detail));
        }
        let raw: RawMapping =
            toml::from_str(text).map_err(|error| wrong("mapping", error.to_string()))?;
        if raw.source.trim().is_empty() {
            return Err(wrong("mapping.source", "say where the figures come from"));
        }
        if raw.source.len() > TEXT_BYTES_MAX {
            return Err(too_long("mapping.source", &raw.source, TEXT_BYTES_MAX));
        }
        let mut mapping = Self {
            text: text.to_owned(),
            source: raw.source,
            rows: raw.rows,
            options: Options {
                delimiter: delimiter(raw.delimiter)?,
                encoding: raw.encoding,
                sheet: raw.sheet,
                ..Options::default()
            },
            decimal_comma: raw.decimal_comma,
            targets: BTreeMap::new(),
            dimensions: BTreeMap::new(),
            masks: raw.masks,
            dates: raw.dates.map(Dates::parse).transpose()?,
            only: raw.only,
            ignore: raw.ignore,
        };
        for (target, column) in raw.columns {
            mapping.give(&target, Given { column: Some(column), ..Given::default() })?;
        }
        for (target, constant) in raw.constants {
            mapping.give(&target, Given { constant, ..Given::default() })?;
        }
        for (target, codes) in raw.codes {
            let given = match target.strip_prefix(DIMENSION) {
                Some(dimension) => mapping.dimensions.get_mut(dimension),
                None => target_of(&target).map(|target| mapping.targets.get_mut(&target))?,
            };
            let given = given.ok_or_else(|| {
                wrong("mapping.codes", format!("{target} is neither a column nor a constant"))
            })?;
            given.codes = codes;
        }
        mapping.check_complete()?;
        mapping.check_names()?;
        Ok(mapping)
    }

    fn give(&mut self, target: &str, given: Given) -> Result<(), Invalid> {
        let twice = match target.strip_prefix(DIMENSION) {
            Some(dimension) => self.dimensions.insert(dimension.to_owned(), given).is_some(),
            None => self.targets.insert(target_of(target)?, given).is_some(),
        };
        if twice {
            return Err(wrong("mapping", format!("{target} is both a column and a constant")));
        }
        Ok(())
    }

    fn check_complete(&self) -> Result<(), Invalid> {
        let missing = |target: Target| {
            let detail =
                format!("says nothing about {}; give a column or a constant", target.name());
            Err(wrong("mapping", detail))
        };
        let has = |target: Target| self.targets.contains_key(&target);
        if let Some(absent) = REQUIRED.into_iter().find(|target| !has(*target)) {
            return missing(absent);
        }
        let events = self.rows == Rows::Events;
        let needed = if events { Target::Unit } else { Target::Value };
        if !has(needed) {
            return missing(needed);
        }
        let strange = self.targets.keys().find(|target| {
            if events { target.only_for_totals() } else { target.only_for_events() }
        });
        match strange {
            None => Ok(()),
            Some(target) => {
                let (is, other) = if events { ("events", "totals") } else { ("totals", "events") };
                let detail = format!("{} is for {other}; the rows are {is}", target.name());
                Err(wrong("mapping", detail))
            }
        }
    }

    /// A name stands in every refusal of a row.
    fn check_names(&self) -> Result<(), Invalid> {
        let mut names = self.mentioned().chain(self.dimensions.keys().map(String::as_str));
        match names.find(|name| name.len() > IMPORT_NAME_BYTES_MAX) {
            None => Ok(()),
            Some(name) => Err(too_long("mapping.columns", name, IMPORT_NAME_BYTES_MAX)),
        }
    }

    /// Columns that the file must have.
    pub fn needed(&self) -> impl Iterator<Item = &str> {
        let given = self.targets.values().chain(self.dimensions.values());
        given
            .filter_map(|given| given.column.as_deref())
            .chain(self.only.keys().map(String::as_str))
    }

    /// Columns that the file may have.
    pub fn mentioned(&self) -> impl Iterator<Item = &str> {
        self.needed().chain(self.ignore.iter().map(String::as_str))
    }

    /// The column that a target is read from, for error messages; the target itself if it is a constant.
    pub fn place_of(&self, target: &str) -> String {
        let given = target_of(target)
            .ok()
            .and_then(|target| self.targets.get(&target))
            .or_else(|| self.dimensions.get(target));
        given.and_then(|given| given.column.as_deref()).unwrap_or(target).to_owned()
    }
}

impl Dates {
    fn parse(raw: RawDates) -> Result<Self, Invalid> {
        let RawDates { format, granularity } = raw;
        if format.len() > DATE_FORMAT_BYTES_MAX {
            return Err(too_long("mapping.dates.format", &format, DATE_FORMAT_BYTES_MAX));
        }
        let granularity = Granularity::parse(&granularity).ok_or_else(|| {
            let detail = format!("{} is none of year, half, quarter, month", quoted(&granularity));
            wrong("mapping.dates.granularity", detail)
        })?;
        Ok(Self { format, granularity })
    }
}

fn target_of(name: &str) -> Result<Target, Invalid> {
    let found = Target::ALL.iter().find(|(_, of)| *of == name).map(|(target, _)| *target);
    found.ok_or_else(|| {
        let names: Vec<_> = Target::ALL.iter().map(|(_, name)| *name).collect();
        let detail = format!("{} is none of {}, {DIMENSION}…", quoted(name), names.join(", "));
        wrong("mapping", detail)
    })
}

fn delimiter(raw: Option<char>) -> Result<Option<u8>, Invalid> {
    let Some(raw) = raw else { return Ok(None) };
    let byte = u8::try_from(raw).ok().filter(|byte| matches!(byte, b',' | b';' | b'\t' | b'|'));
    byte.map(Some).ok_or_else(|| wrong("mapping.delimiter", "must be one of , ; | or a tab"))
}
