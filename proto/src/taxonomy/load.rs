//! Reads lists. Comes in: the texts of CSV files. Goes out: [`Lists`], or which line is wrong and why.
//!
//! A federation's own file adds rows and never replaces one: a code means the same for ever. Columns
//! that a list does not have are refused by name, so that nobody believes them to have been read.

use sha2::{Digest as _, Sha256};

use super::{
    Area, AreaList, AudienceCode, Category, CategoryCode, CrimeAreaCode, DimensionCode,
    EuropolCode, Granularity, Indicator, IndicatorCode, Jurisdiction, JurisdictionCode, Lists,
    Moment, Priority, PriorityCode, PurposeCode, Region, RegionCode, Semantics, Term, TermCode,
    Tier, UnitLife, indicator::DIMENSIONS_MAX,
};
use crate::{
    limits::{LIST_BYTES_MAX, OWN_LISTS_MAX, TEXT_BYTES_MAX},
    reason::quoted,
};

/// Goes up with every change of the files in `proto/codes/`.
const VERSION: u32 = 2;

/// Columns of a list of areas, the only kind that a federation can bring anew.
const AREA_COLUMNS: [&str; 3] = ["code", "label", "parent"];

/// A problem in a list: which file, line and code, what was found, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{origin} {list}.csv{place}: {problem}")]
pub struct ListError {
    origin: &'static str,
    list: String,
    /// Line and code, where the problem has them.
    place: String,
    problem: String,
}

/// One file, read but not understood yet.
pub(super) struct Sheet<'a> {
    list: &'a str,
    own: bool,
    header: csv::StringRecord,
    records: Vec<csv::StringRecord>,
}

/// One row of a list, by column name.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    sheet: &'a Sheet<'a>,
    record: &'a csv::StringRecord,
}

impl<'a> Sheet<'a> {
    fn read(list: &'a str, own: bool, text: &str) -> Result<Self, ListError> {
        let mut sheet = Self { list, own, header: csv::StringRecord::new(), records: Vec::new() };
        if own && AreaList::parse(list).is_none() {
            return Err(sheet.wrong("a list is named by a-z, 0-9 and _, 24 at most; rename it"));
        }
        if text.len() > LIST_BYTES_MAX {
            return Err(sheet.wrong(format!("has more than {LIST_BYTES_MAX} bytes")));
        }
        let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
        let wrong = |sheet: &Self, error: csv::Error| sheet.wrong(error.to_string());
        sheet.header = reader.headers().map_err(|error| wrong(&sheet, error))?.clone();
        for record in reader.records() {
            sheet.records.push(record.map_err(|error| wrong(&sheet, error))?);
        }
        Ok(sheet)
    }

    /// An own file has exactly the columns of the list that it adds to, in any order.
    fn check_columns(&self, built_in: &[Sheet<'_>]) -> Result<(), ListError> {
        let sorted = |header: &csv::StringRecord| {
            let mut columns: Vec<_> = header.iter().map(str::to_owned).collect();
            columns.sort_unstable();
            columns
        };
        let same = built_in.iter().find(|sheet| sheet.list == self.list);
        let columns =
            same.map_or_else(|| AREA_COLUMNS.map(str::to_owned).into(), |s| sorted(&s.header));
        if sorted(&self.header) == columns {
            return Ok(());
        }
        let names: Vec<_> = built_in.iter().map(|sheet| sheet.list).collect();
        let what = same.map_or_else(
            || format!("is no list of the contract ({}), so a list of areas", names.join(", ")),
            |_| "adds to the list of the contract".to_owned(),
        );
        let columns = columns.join(",");
        Err(self.wrong(format!("{what}: its columns are {columns}, each once and no other")))
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.records.iter().map(|record| Row { sheet: self, record })
    }

    fn wrong(&self, problem: impl Into<String>) -> ListError {
        self.error(String::new(), problem.into())
    }

    fn error(&self, place: String, problem: String) -> ListError {
        let origin = if self.own { "the federation's own" } else { "the contract's" };
        ListError { origin, list: self.list.to_owned(), place, problem }
    }
}

impl<'a> Row<'a> {
    pub(super) fn list(&self) -> &'a str {
        self.sheet.list
    }

    pub(super) fn text(&self, column: &str) -> Result<&'a str, ListError> {
        let at = self.sheet.header.iter().position(|name| name == column);
        at.and_then(|at| self.record.get(at))
            .ok_or_else(|| self.sheet.wrong(format!("there is no column {column}; add it")))
    }

    /// Text for people: there, on one line and not endless.
    fn words(&self, column: &str) -> Result<String, ListError> {
        let text = self.text(column)?;
        if text.trim().is_empty() || text.len() > TEXT_BYTES_MAX || text.contains(char::is_control)
        {
            let rule = format!("write 1 to {TEXT_BYTES_MAX} bytes without control characters");
            return Err(self.wrong(format!("{column} is {}; {rule}", quoted(text))));
        }
        Ok(text.to_owned())
    }

    /// The problem, with the row's line and code.
    pub(super) fn wrong(&self, problem: impl Into<String>) -> ListError {
        let line = self.record.position().map_or(0, csv::Position::line);
        let column = if self.sheet.list == "aliases" { "alias" } else { "code" };
        let code = quoted(self.text(column).unwrap_or_default());
        self.sheet.error(format!(", line {line}, {code}"), problem.into())
    }

    pub(super) fn read<T>(
        &self,
        column: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, ListError> {
        let text = self.text(column)?;
        parse(text).ok_or_else(|| self.wrong(format!("{column} cannot be {}", quoted(text))))
    }

    fn maybe<T>(
        &self,
        column: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, ListError> {
        if self.text(column)?.is_empty() { Ok(None) } else { self.read(column, parse).map(Some) }
    }

    fn many<T>(
        &self,
        column: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<T>, ListError> {
        let parts = self.text(column)?.split(';').filter(|part| !part.is_empty());
        let read = |part: &str| {
            parse(part).ok_or_else(|| self.wrong(format!("{column} cannot hold {}", quoted(part))))
        };
        parts.map(read).collect()
    }

    /// A word of a short closed list.
    fn one_of<T: Copy>(&self, column: &str, words: &[(&str, T)]) -> Result<T, ListError> {
        let text = self.text(column)?;
        let found = words.iter().find(|(word, _)| *word == text);
        found.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            self.wrong(format!("{column} is {}; write {}", quoted(text), words.join(" or ")))
        })
    }
}

impl Lists {
    /// Reads every row, then checks everything that a row refers to.
    pub(super) fn load(
        built_in: &[(&str, &str)],
        own: &[(String, String)],
    ) -> Result<Self, ListError> {
        let mut sheets = Vec::new();
        for (list, text) in built_in {
            sheets.push(Sheet::read(list, false, text)?);
        }
        let ours = sheets.len();
        for (at, (list, text)) in own.iter().enumerate() {
            let sheet = Sheet::read(list, true, text)?;
            if at >= OWN_LISTS_MAX {
                return Err(sheet.wrong(format!("is one file more than {OWN_LISTS_MAX}")));
            }
            sheet.check_columns(&sheets[..ours])?;
            sheets.push(sheet);
        }
        let mut lists = Lists { name: name(built_in, own), ..Lists::default() };
        for row in sheets.iter().flat_map(Sheet::rows) {
            if !lists.insert(&row)? {
                let what =
                    "the code stands twice; rows are added and never replaced, so take another";
                return Err(row.wrong(what));
            }
        }
        for row in sheets.iter().flat_map(Sheet::rows) {
            lists.check(&row)?;
        }
        Ok(lists)
    }

    /// False if the code was there before.
    fn insert(&mut self, row: &Row<'_>) -> Result<bool, ListError> {
        Ok(match row.list() {
            "jurisdictions" => {
                let code = row.read("code", JurisdictionCode::parse)?;
                let (label, footnote) = (row.words("label")?, row.text("footnote")?.to_owned());
                self.jurisdictions.insert(code, Jurisdiction { code, label, footnote }).is_none()
            }
            "regions" => self.insert_region(region(row)?),
            "indicators" => {
                let indicator = indicator(row)?;
                self.indicators.insert(indicator.code, indicator).is_none()
            }
            "purposes" => {
                let code = row.read("code", PurposeCode::parse)?;
                self.purposes.insert(code, row.words("label")?).is_none()
            }
            "audiences" => {
                let code = row.read("code", AudienceCode::parse)?;
                row.words("label")?;
                self.audiences.insert(code, row.read("tier", Tier::parse)?).is_none()
            }
            "europol" => {
                let code = row.read("code", EuropolCode::parse)?;
                self.europol.insert(code, row.words("label")?).is_none()
            }
            "dimensions" => {
                let category = Category {
                    code: row.read("code", CategoryCode::parse)?,
                    parent: row.maybe("parent", CategoryCode::parse)?,
                    label: row.words("label")?,
                };
                let dimension = row.read("dimension", DimensionCode::parse)?;
                let categories = self.dimensions.entry(dimension).or_default();
                categories.insert(category.code, category).is_none()
            }
            "vocabularies" => {
                let terms = self.vocabularies.entry(row.words("vocabulary")?).or_default();
                let term = term(row)?;
                let new = terms.iter().all(|there| there.code != term.code);
                terms.push(term);
                new
            }
            "priorities" => {
                let priority = priority(row)?;
                self.priorities.insert(priority.code, priority).is_none()
            }
            "area_map" => {
                let key = (row.words("scheme")?, row.words("code")?);
                let area = row.read("area", CrimeAreaCode::parse)?;
                let areas = self.area_map.entry(key).or_default();
                let new = !areas.contains(&area);
                areas.push(area);
                new
            }
            "aliases" => {
                let aliases = self.aliases.entry(row.words("list")?).or_default();
                aliases.insert(row.words("alias")?, row.words("code")?).is_none()
            }
            list => {
                let code = row.read("code", CrimeAreaCode::parse)?;
                let area = Area {
                    list: AreaList::parse(list).ok_or_else(|| row.wrong("is in no list"))?,
                    parent: row.maybe("parent", CrimeAreaCode::parse)?,
                    label: row.words("label")?,
                };
                self.areas.insert(code, area).is_none()
            }
        })
    }

    fn insert_region(&mut self, region: Region) -> bool {
        let here = self.regions_at.entry((region.jurisdiction, region.level)).or_default();
        let at = here.partition_point(|code| *code < region.code);
        here.insert(at, region.code);
        self.regions.insert(region.code, region).is_none()
    }
}

/// Version and digest. Files count by name and text, so the order in which they were read does not.
fn name(built_in: &[(&str, &str)], own: &[(String, String)]) -> String {
    let own = own.iter().map(|(list, text)| (list.as_str(), text.as_str()));
    let mut all: Vec<_> = built_in.iter().copied().chain(own).collect();
    all.sort_unstable();
    let mut digest = Sha256::new();
    for part in all.iter().flat_map(|(list, text)| [list, text]) {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    format!("{VERSION}-{}", hex::encode(digest.finalize()))
}

fn region(row: &Row<'_>) -> Result<Region, ListError> {
    Ok(Region {
        code: row.read("code", RegionCode::parse)?,
        parent: row.maybe("parent", RegionCode::parse)?,
        level: row.read("level", |text| text.parse().ok())?,
        jurisdiction: row.read("jurisdiction", JurisdictionCode::parse)?,
        label: row.words("label")?,
    })
}

fn term(row: &Row<'_>) -> Result<Term, ListError> {
    let percent = |text: &str| text.parse().ok().filter(|percent| *percent <= 100);
    Ok(Term {
        code: row.read("code", TermCode::parse)?,
        group: row.text("group")?.to_owned(),
        rank: row.maybe("rank", |text| text.parse().ok())?,
        low_percent: row.maybe("low", percent)?,
        high_percent: row.maybe("high", percent)?,
        label: row.words("label")?,
    })
}

fn priority(row: &Row<'_>) -> Result<Priority, ListError> {
    Ok(Priority {
        code: row.read("code", PriorityCode::parse)?,
        cycle: row.words("cycle")?,
        number: row.maybe("number", |text| text.parse().ok())?,
        label: row.words("label")?,
        valid_from: row.read("valid_from", |text| text.parse().ok())?,
        valid_to: row.read("valid_to", |text| text.parse().ok())?,
    })
}

fn indicator(row: &Row<'_>) -> Result<Indicator, ListError> {
    const YES_NO: [(&str, bool); 2] = [("yes", true), ("no", false)];
    let decimals: u32 = row.read("decimals", |text| text.parse().ok().filter(|d| *d <= 6))?;
    let scaled = |text: &str| text.parse::<i64>().ok()?.checked_mul(10_i64.pow(decimals));
    let unit_at_risk = row.words("unit_at_risk")?;
    let counted = row.text("counting_unit")?;
    Ok(Indicator {
        code: row.read("code", IndicatorCode::parse)?,
        label: row.words("label")?,
        definition: row.words("definition")?,
        unit: row.words("unit")?,
        decimals,
        semantics: row.one_of("semantics", &SEMANTICS)?,
        area_list: row.read("area_list", AreaList::parse)?,
        areas: row.many("areas", CrimeAreaCode::parse)?,
        iccs: row.many("iccs", CrimeAreaCode::parse)?,
        dimensions: dimensions(row)?,
        levels: row.many("levels", |text| text.parse().ok())?,
        granularity: row.many("granularity", Granularity::parse)?,
        public: row.one_of("public", &YES_NO)?,
        counting_unit: if counted.is_empty() { unit_at_risk.clone() } else { counted.to_owned() },
        unit_at_risk,
        moment: row.one_of("moment", &MOMENTS)?,
        unit_life: row.one_of("unit_life", &LIVES)?,
        human_sources: row.one_of("human_sources", &YES_NO)?,
        counted_twice: row.one_of("counted_twice", &YES_NO)?,
        parts: parts(row)?,
        value_min: row.read("value_min", scaled)?,
        value_max: row.read("value_max", scaled)?,
        valid_from: row.maybe("valid_from", |text| text.parse().ok())?,
        valid_to: row.maybe("valid_to", |text| text.parse().ok())?,
        source: row.words("source")?,
    })
}

const SEMANTICS: [(&str, Semantics); 6] = [
    ("flow", Semantics::Flow),
    ("stock", Semantics::Stock),
    ("magnitude", Semantics::Magnitude),
    ("ratio", Semantics::Ratio),
    ("price", Semantics::Price),
    ("score", Semantics::Score),
];
const MOMENTS: [(&str, Moment); 5] = [
    ("detection", Moment::Detection),
    ("charge", Moment::Charge),
    ("judgement", Moment::Judgement),
    ("survey", Moment::Survey),
    ("period_end", Moment::PeriodEnd),
];
const LIVES: [(&str, UnitLife); 2] = [("event", UnitLife::Event), ("lasting", UnitLife::Lasting)];

/// Both or neither.
fn parts(row: &Row<'_>) -> Result<Option<(IndicatorCode, IndicatorCode)>, ListError> {
    match row.many("parts", IndicatorCode::parse)?.as_slice() {
        [] => Ok(None),
        [numerator, denominator] => Ok(Some((*numerator, *denominator))),
        _ => Err(row.wrong("parts are a numerator and a denominator".to_owned())),
    }
}

fn dimensions(row: &Row<'_>) -> Result<Vec<DimensionCode>, ListError> {
    let dimensions = row.many("dimensions", DimensionCode::parse)?;
    if dimensions.len() > DIMENSIONS_MAX {
        return Err(row.wrong(format!("has more than {DIMENSIONS_MAX} dimensions")));
    }
    Ok(dimensions)
}
