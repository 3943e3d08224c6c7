//! A record: one observation, every code of which exists. Comes in: text of a file, or columns of the
//! store. Goes out: a value that the node may believe. Must never be built past its checked constructors,
//! and never carry the text of a case number: units and sources are pseudonyms of this node alone.
//!
//! An observation is either a single **event** of one protected unit (a seizure, a case), or a **ready
//! total** with what its producer declares about the units behind it. Events are added up over the lattice;
//! a ready total counts at its own cell only.

use std::collections::HashMap;

use accord_proto::{
    reason::{Invalid, Reason},
    seal::Digest,
    taxonomy::{
        Categories, CategoryCode, CrimeAreaCode, DIMENSIONS_MAX, Indicator, IndicatorCode,
        JurisdictionCode, Lists, Period, RegionCode, Semantics,
    },
};

pub mod columns;
mod number;

pub use columns::Records;
pub(crate) use number::number;

/// Coordinates of a cell of the lattice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellKey {
    /// Reporting period; first, so that one edition's cells stand together.
    pub period: Period,
    /// What is counted or measured.
    pub indicator: IndicatorCode,
    /// Crime area of the indicator's list.
    pub crime_area: CrimeAreaCode,
    /// Region of the node's jurisdiction.
    pub region: RegionCode,
    /// Categories of the indicator's dimensions.
    pub categories: Categories,
}

impl CellKey {
    /// Checks indicator, crime area, region, period, and dimension with category, in this order; the error
    /// names the first that is wrong.
    pub fn parse<'l>(
        [indicator, crime_area, region, period]: [&str; 4],
        dimensions: &[(&str, &str)],
        jurisdiction: JurisdictionCode,
        lists: &'l Lists,
    ) -> Result<(Self, &'l Indicator), Invalid> {
        let indicator = lists.indicator("indicator", indicator)?;
        let region = lists.region("region", region)?;
        let off_lattice = |what: String| Invalid::new(Reason::LatticeUnknownCell, "region", what);
        if region.jurisdiction != jurisdiction {
            let owner = region.jurisdiction;
            let what = format!("{} belongs to {owner}, not to {jurisdiction}", region.code);
            return Err(off_lattice(what));
        }
        if !indicator.levels.contains(&region.level) {
            let (of, level) = (indicator.code, region.level);
            let what = format!("{of} is not collected at level {level} ({})", region.code);
            return Err(off_lattice(what));
        }
        let cell = Self {
            period: lists.period("period", indicator, period)?,
            indicator: indicator.code,
            crime_area: lists.crime_area("crime_area", indicator, crime_area)?,
            region: region.code,
            categories: categories(dimensions, indicator, lists)?,
        };
        Ok((cell, indicator))
    }
}

/// What was observed, in units of 10^-decimals of the indicator.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Observed {
    /// A figure.
    Value(i64),
    /// Published masked: somewhere from the first to the second, both included.
    Between(i64, i64),
    /// Known not to be available (SDMX `O`).
    Missing,
    /// Not collected (SDMX `L`).
    NotCollected,
    /// The cell cannot exist (SDMX `M`).
    NotApplicable,
}

impl std::fmt::Debug for Observed {
    /// Prints no number.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Value(_) => "Value(_)",
            Self::Between(..) => "Between(_)",
            Self::Missing => "Missing",
            Self::NotCollected => "NotCollected",
            Self::NotApplicable => "NotApplicable",
        })
    }
}

/// How good a figure is (SDMX observation status); the later one weighs more when figures are added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quality {
    /// `A`
    #[default]
    Normal,
    /// `E`
    Estimated,
    /// `P`
    Provisional,
    /// `B`: not comparable with the period before.
    Break,
    /// `U`
    LowReliability,
}

/// Stands for a case number or a source within this node; says nothing without the store's secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pseudonym(u64);

/// What a producer declares about the protected units behind a ready total.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Declared {
    /// How many.
    pub units: Option<u64>,
    /// What the largest of them contributes, in units of 10^-decimals.
    pub largest: Option<i64>,
    /// What the second largest contributes.
    pub second: Option<i64>,
}

/// Where a figure comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One event of a protected unit.
    Event(Pseudonym),
    /// A total that somebody else has counted.
    Total(Declared),
}

/// Who reported it and who may see what is made of it; the same for most rows of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Context {
    /// The reporting service, as the mapping names it. Never leaves the node.
    pub origin: String,
    /// Handling codes, separated by blanks, ascending.
    pub handling: String,
}

/// One validated observation.
#[derive(Clone, PartialEq)]
pub struct Record {
    /// The same observation again has the same id, also when its figure is corrected.
    id: u64,
    cell: CellKey,
    kind: Kind,
    observed: Observed,
    quality: Quality,
    source: Option<Pseudonym>,
    context: Context,
}

impl std::fmt::Debug for Record {
    /// Prints no number.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Record({:?} {:?})", self.cell, self.observed)
    }
}

impl Record {
    /// Which cell.
    pub fn cell(&self) -> &CellKey {
        &self.cell
    }

    /// Its handling codes.
    pub fn handling(&self) -> &str {
        &self.context.handling
    }

    /// What was observed.
    pub fn observed(&self) -> Observed {
        self.observed
    }
}

/// A figure as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawValue<'a> {
    /// A decimal number.
    Number(&'a str),
    /// From the first to the second, both included.
    Between(&'a str, &'a str),
    /// Known not to be available.
    Missing,
    /// Not collected.
    NotCollected,
    /// The cell cannot exist.
    NotApplicable,
}

/// What kind of row it is, as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawKind<'a> {
    /// An event: its protected unit, and its own number where a unit has several.
    Event {
        /// Number of the case, seizure, group, …
        unit: &'a str,
        /// Number of the event; a correction with the same one may change everything else.
        event: Option<&'a str>,
    },
    /// A ready total; what is declared of the units behind it, or nothing.
    Total {
        /// How many units.
        units: Option<&'a str>,
        /// Contribution of the largest.
        largest: Option<&'a str>,
        /// Contribution of the second largest.
        second: Option<&'a str>,
    },
}

/// The fields of a record as text.
#[derive(Clone, Copy, Debug)]
pub struct RawRecord<'a> {
    /// Code of the list `indicators`.
    pub indicator: &'a str,
    /// Code of the list that the indicator names.
    pub crime_area: &'a str,
    /// Code of the list `regions`, within the jurisdiction.
    pub region: &'a str,
    /// Reporting period.
    pub period: &'a str,
    /// Dimension and category; a dimension that is not named is not told apart.
    pub categories: &'a [(&'a str, &'a str)],
    /// Event or total.
    pub kind: RawKind<'a>,
    /// The figure.
    pub value: RawValue<'a>,
    /// How good the figure is.
    pub quality: Quality,
    /// Number of the human source or report it rests on.
    pub source: Option<&'a str>,
    /// The reporting service.
    pub origin: &'a str,
    /// Handling codes, separated by blanks.
    pub handling: &'a str,
}

impl<'a> RawRecord<'a> {
    /// A plain ready total, about which nothing else is said.
    pub fn total(cell: [&'a str; 4], value: RawValue<'a>) -> Self {
        let [indicator, crime_area, region, period] = cell;
        Self {
            indicator,
            crime_area,
            region,
            period,
            categories: &[],
            kind: RawKind::Total { units: None, largest: None, second: None },
            value,
            quality: Quality::Normal,
            source: None,
            origin: "",
            handling: "",
        }
    }
}

/// Turns text into records. Remembers the cells it has seen, because a file names the same ones again and again.
pub struct Reader<'a> {
    jurisdiction: JurisdictionCode,
    lists: &'a Lists,
    secret: &'a [u8; 32],
    known: HashMap<Box<[u8]>, (CellKey, &'a Indicator)>,
    spelling: Vec<u8>,
}

impl<'a> Reader<'a> {
    /// `secret` is the node's own: pseudonyms are made with it.
    pub fn new(jurisdiction: JurisdictionCode, lists: &'a Lists, secret: &'a [u8; 32]) -> Self {
        Self { jurisdiction, lists, secret, known: HashMap::new(), spelling: Vec::new() }
    }

    /// Checks every field against the lists; the error names the first that is wrong.
    pub fn read(&mut self, raw: &RawRecord<'_>) -> Result<Record, Invalid> {
        let (cell, indicator) = self.cell(raw)?;
        let observed = observed(raw.value, indicator)?;
        let (kind, id) = self.kind(raw, &cell, indicator, observed)?;
        Ok(Record {
            id,
            cell,
            kind,
            observed,
            quality: raw.quality,
            source: raw.source.map(|source| self.pseudonym(b"source", &[source.as_bytes()])),
            context: Context { origin: raw.origin.to_owned(), handling: self.handling(raw)? },
        })
    }

    /// Handling codes in one spelling; each must exist.
    fn handling(&self, raw: &RawRecord<'_>) -> Result<String, Invalid> {
        if raw.handling.is_empty() {
            return Ok(String::new());
        }
        let mut codes = Vec::new();
        for code in raw.handling.split_ascii_whitespace() {
            codes.push(handling_code("handling", code, self.lists)?);
        }
        codes.sort_unstable();
        codes.dedup();
        Ok(codes.join(" "))
    }

    fn cell(&mut self, raw: &RawRecord<'_>) -> Result<(CellKey, &'a Indicator), Invalid> {
        self.spelling.clear();
        let categories = raw.categories.iter().flat_map(|(dimension, code)| [dimension, code]);
        for part in [&raw.indicator, &raw.crime_area, &raw.region, &raw.period]
            .into_iter()
            .chain(categories)
        {
            self.spelling.extend_from_slice(part.as_bytes());
            // No code holds a zero byte, so no two spellings run together.
            self.spelling.push(0);
        }
        if let Some(known) = self.known.get(self.spelling.as_slice()) {
            return Ok(*known);
        }
        let coordinates = [raw.indicator, raw.crime_area, raw.region, raw.period];
        let found = CellKey::parse(coordinates, raw.categories, self.jurisdiction, self.lists)?;
        self.known.insert(self.spelling.as_slice().into(), found);
        Ok(found)
    }

    fn kind(
        &self,
        raw: &RawRecord<'_>,
        cell: &CellKey,
        indicator: &Indicator,
        observed: Observed,
    ) -> Result<(Kind, u64), Invalid> {
        let wrong =
            |field: &str, what: String| Err(Invalid::new(Reason::FieldInvalid, field, what));
        let code = indicator.code.as_str().as_bytes();
        match raw.kind {
            RawKind::Event { unit: "", .. } => Err(Invalid::new(
                Reason::FieldMissing,
                "unit",
                "an event needs the case, seizure or group that it belongs to",
            )),
            RawKind::Event { .. } if !counts_events(indicator.semantics) => wrong(
                "unit",
                format!("{} is not counted event by event; give ready totals", indicator.code),
            ),
            RawKind::Event { .. }
                if !matches!(observed, Observed::Value(_) | Observed::Between(..)) =>
            {
                wrong("value", "an event has a figure".to_owned())
            }
            RawKind::Event { unit, event } => {
                // A number is its service's own: another service's case 12 is another case.
                let origin = raw.origin.as_bytes();
                let id = match event {
                    Some(event) => self.pseudonym(b"event", &[origin, code, event.as_bytes()]),
                    None => {
                        let area = cell.crime_area.as_str().as_bytes();
                        // Many services begin again at 1 every year.
                        let year = cell.period.year().to_be_bytes();
                        let parts = [origin, code, area, &year, unit.as_bytes()];
                        self.pseudonym(b"unit-event", &parts)
                    }
                };
                let unit = self.pseudonym(b"unit", &[origin, unit.as_bytes()]);
                Ok((Kind::Event(unit), id.0))
            }
            RawKind::Total { units, largest, second } => {
                let part = |field: &str, text: Option<&str>| {
                    text.map(|text| number(field, text, indicator)).transpose()
                };
                let declared = Declared {
                    units: units.map(|text| number::whole("units", text)).transpose()?,
                    largest: part("largest", largest)?,
                    second: part("second", second)?,
                };
                check_declared(&declared, observed)?;
                let period = cell.period.to_string();
                let mut parts: Vec<&[u8]> = vec![
                    code,
                    cell.crime_area.as_str().as_bytes(),
                    cell.region.as_str().as_bytes(),
                    period.as_bytes(),
                    raw.origin.as_bytes(),
                ];
                let categories = cell
                    .categories
                    .iter()
                    .map(|code| code.as_ref().map_or("", CategoryCode::as_str));
                parts.extend(categories.map(str::as_bytes));
                Ok((Kind::Total(declared), self.pseudonym(b"total", &parts).0))
            }
        }
    }

    /// 64 bits of a hash under the node's secret: two of a million units meet with odds of about 10^-8.
    fn pseudonym(&self, what: &[u8], parts: &[&[u8]]) -> Pseudonym {
        let digest =
            Digest::of_parts([&self.secret[..], what].into_iter().chain(parts.iter().copied()));
        let (first, _) = digest.0.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
        Pseudonym(u64::from_be_bytes(*first))
    }
}

/// A handling code in its one spelling: Europol's `H2`, or `TLP:AMBER`.
pub fn handling_code(field: &str, text: &str, lists: &Lists) -> Result<String, Invalid> {
    match text.strip_prefix("TLP:") {
        Some(code) => Ok(format!("TLP:{}", lists.term(field, "TLP", code)?.code)),
        None => Ok(lists.term(field, "HANDLING.EUROPOL", text)?.code.to_string()),
    }
}

/// Do single events of such an indicator add up?
fn counts_events(semantics: Semantics) -> bool {
    match semantics {
        Semantics::Flow | Semantics::Stock | Semantics::Magnitude => true,
        Semantics::Ratio | Semantics::Price | Semantics::Score => false,
    }
}

fn categories(
    raw: &[(&str, &str)],
    indicator: &Indicator,
    lists: &Lists,
) -> Result<Categories, Invalid> {
    let mut categories = Categories::default();
    for (dimension, text) in raw {
        if text.is_empty() {
            continue;
        }
        let dimension = lists.dimension(dimension, indicator, dimension)?;
        let at = indicator.dimensions.iter().position(|of| *of == dimension);
        let place = at.and_then(|at| categories.get_mut(at)).ok_or_else(|| {
            let detail = format!("more than {DIMENSIONS_MAX} dimensions");
            Invalid::new(Reason::LimitExceeded, dimension.as_str(), detail)
        })?;
        *place = Some(lists.category(dimension.as_str(), dimension, text)?);
    }
    Ok(categories)
}

fn observed(raw: RawValue<'_>, indicator: &Indicator) -> Result<Observed, Invalid> {
    Ok(match raw {
        RawValue::Number(text) => Observed::Value(number("value", text, indicator)?),
        RawValue::Between(low, high) => {
            let (low, high) = (number("value", low, indicator)?, number("value", high, indicator)?);
            if low > high {
                let detail = "the interval ends before it begins";
                return Err(Invalid::new(Reason::FieldInvalid, "value", detail));
            }
            Observed::Between(low, high)
        }
        RawValue::Missing => Observed::Missing,
        RawValue::NotCollected => Observed::NotCollected,
        RawValue::NotApplicable => Observed::NotApplicable,
    })
}

/// A total cannot be less than what its largest units bring.
fn check_declared(declared: &Declared, observed: Observed) -> Result<(), Invalid> {
    let Declared { units, largest, second } = *declared;
    let wrong = |field, what| Err(Invalid::new(Reason::FieldInvalid, field, what));
    if second.is_some() && (largest.is_none() || second > largest) {
        return wrong("second", "is more than the largest, or the largest is not given");
    }
    let Observed::Value(total) = observed else {
        return Ok(());
    };
    let top = largest.map(|largest| i128::from(largest) + i128::from(second.unwrap_or(0)));
    if top.is_some_and(|top| top > i128::from(total)) {
        return wrong("largest", "the largest units bring more than the total");
    }
    if units == Some(0) && total > 0 {
        return wrong("units", "is none, beside a total that is not");
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests;
