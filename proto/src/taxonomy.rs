//! The closed code lists. Comes in: text from a wire, a file or a person. Goes out: codes that exist.
//!
//! Lists are the CSV files in `proto/codes/`, each with version and source. Nothing outside them can
//! be asked, stored or answered; an unknown code is refused by name, together with its list.

use std::{collections::BTreeMap, fmt, sync::LazyLock};

use sha2::{Digest as _, Sha256};

use crate::reason::{Invalid, Reason, quoted};

mod code;
mod period;

pub use code::{
    AudienceCode, CrimeAreaCode, IndicatorCode, JurisdictionCode, PurposeCode, RegionCode,
};
pub use period::{Granularity, Period};

/// The region code of a combined cell: all members that a requirement names. No list has it.
pub const WHOLE_REGION: &str = "REGION";

/// What kind of figure an indicator is; decides how members' figures combine (domain.md §7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Semantics {
    /// Events in a period: adds across members.
    Flow,
    /// State at a moment: does not add.
    Stock,
    /// Amounts of something (kilograms, euros) in a period: adds across members.
    Magnitude,
    /// Share or rate: recomputed from its parts, never averaged.
    Ratio,
    /// Price, purity or fee: does not add.
    Price,
    /// Expert score: averaged, never added.
    Score,
}

/// An agreed indicator.
#[derive(Clone, Debug)]
pub struct Indicator {
    /// Its code.
    pub code: IndicatorCode,
    /// Its name.
    pub label: String,
    /// Unit of measure.
    pub unit: String,
    /// Values are whole numbers of 10^-decimals units.
    pub decimals: u32,
    /// How it combines.
    pub semantics: Semantics,
    /// Which list its crime areas come from.
    pub area_list: AreaList,
    /// Region levels at which it may be asked.
    pub levels: Vec<u32>,
    /// Reporting periods that it has.
    pub granularity: Vec<Granularity>,
    /// Already published nationally: the only kind that mode *open* may release.
    pub public: bool,
    /// What a frequency rule counts.
    pub unit_at_risk: String,
    /// Plausibility cap of one observation, in units of 10^-decimals.
    pub value_max: i64,
}

/// The lists that a crime area may come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AreaList {
    /// International Classification of Crime for Statistical Purposes, as Eurostat and UNODC use it.
    Iccs,
    /// The federation's own tree of organised-crime areas.
    CrimeAreas,
}

/// A jurisdiction: whom a node speaks for.
#[derive(Clone, Debug)]
pub struct Jurisdiction {
    /// Its code.
    pub code: JurisdictionCode,
    /// Display name; with an asterisk where a footnote belongs to it.
    pub label: String,
    /// The footnote that every product with this name carries, or empty.
    pub footnote: String,
}

/// A territorial unit.
#[derive(Clone, Debug)]
pub struct Region {
    /// Its code; at level 0 the jurisdiction's.
    pub code: RegionCode,
    /// 0 the jurisdiction, 1 to 3 its statistical regions.
    pub level: u32,
    /// Where it belongs.
    pub jurisdiction: JurisdictionCode,
    /// Display name.
    pub label: String,
}

/// All lists together, in one version.
#[derive(Debug)]
pub struct Lists {
    name: String,
    jurisdictions: BTreeMap<JurisdictionCode, Jurisdiction>,
    regions: BTreeMap<RegionCode, Region>,
    areas: BTreeMap<CrimeAreaCode, (AreaList, String)>,
    indicators: BTreeMap<IndicatorCode, Indicator>,
    purposes: BTreeMap<PurposeCode, String>,
    audiences: BTreeMap<AudienceCode, String>,
}

/// The lists that this version of the contract carries, with their file names.
const FILES: [(&str, &str); 7] = [
    ("jurisdictions", include_str!("../codes/jurisdictions.csv")),
    ("regions", include_str!("../codes/regions.csv")),
    ("iccs", include_str!("../codes/iccs.csv")),
    ("crime_areas", include_str!("../codes/crime_areas.csv")),
    ("indicators", include_str!("../codes/indicators.csv")),
    ("purposes", include_str!("../codes/purposes.csv")),
    ("audiences", include_str!("../codes/audiences.csv")),
];

static BUILTIN: LazyLock<Lists> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "compiled-in files, loaded by a test of this module")]
    Lists::load(&FILES).expect("the lists in proto/codes are well-formed")
});

impl Lists {
    /// The lists of this version of the contract.
    pub fn builtin() -> &'static Lists {
        &BUILTIN
    }

    /// Version and digest, e.g. `1-4be177a0…`: answers name the lists that their codes belong to.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The jurisdiction with this code.
    pub fn jurisdiction(&self, field: &str, text: &str) -> Result<&Jurisdiction, Invalid> {
        find(&self.jurisdictions, "jurisdictions", field, text)
    }

    /// The indicator with this code.
    pub fn indicator(&self, field: &str, text: &str) -> Result<&Indicator, Invalid> {
        find(&self.indicators, "indicators", field, text)
    }

    /// The indicator that a validated code names.
    pub fn indicator_of(&self, code: IndicatorCode) -> Option<&Indicator> {
        self.indicators.get(&code)
    }

    /// Every indicator, ascending.
    pub fn indicators(&self) -> impl Iterator<Item = &Indicator> {
        self.indicators.values()
    }

    /// A crime area that `indicator` may be asked for.
    pub fn crime_area(
        &self,
        field: &str,
        indicator: &Indicator,
        text: &str,
    ) -> Result<CrimeAreaCode, Invalid> {
        let list = indicator.area_list.name();
        let code = CrimeAreaCode::parse(text)
            .filter(|code| self.areas.get(code).is_some_and(|(of, _)| *of == indicator.area_list));
        code.ok_or_else(|| unknown(field, list, text))
    }

    /// Every crime area of a list, ascending.
    pub fn crime_areas(&self, list: AreaList) -> impl Iterator<Item = CrimeAreaCode> {
        self.areas.iter().filter(move |(_, (of, _))| *of == list).map(|(code, _)| *code)
    }

    /// Display name of a crime area.
    pub fn crime_area_label(&self, code: CrimeAreaCode) -> &str {
        self.areas.get(&code).map_or("", |(_, label)| label)
    }

    /// The region with this code.
    pub fn region(&self, field: &str, text: &str) -> Result<&Region, Invalid> {
        find(&self.regions, "regions", field, text)
    }

    /// The regions of a jurisdiction at a level, ascending.
    pub fn regions_of(&self, jurisdiction: JurisdictionCode, level: u32) -> Vec<RegionCode> {
        let here = |region: &&Region| region.jurisdiction == jurisdiction && region.level == level;
        self.regions.values().filter(here).map(|region| region.code).collect()
    }

    /// The purpose with this code.
    pub fn purpose(&self, field: &str, text: &str) -> Result<PurposeCode, Invalid> {
        find(&self.purposes, "purposes", field, text)?;
        PurposeCode::parse(text).ok_or_else(|| unknown(field, "purposes", text))
    }

    /// The audience with this code.
    pub fn audience(&self, field: &str, text: &str) -> Result<AudienceCode, Invalid> {
        find(&self.audiences, "audiences", field, text)?;
        AudienceCode::parse(text).ok_or_else(|| unknown(field, "audiences", text))
    }

    /// A period that `indicator` is collected for.
    pub fn period(
        &self,
        field: &str,
        indicator: &Indicator,
        text: &str,
    ) -> Result<Period, Invalid> {
        let period = Period::parse(field, text)?;
        if indicator.granularity.contains(&period.granularity()) {
            return Ok(period);
        }
        let has: Vec<_> = indicator.granularity.iter().map(ToString::to_string).collect();
        Err(Invalid::new(
            Reason::PeriodInvalid,
            field,
            format!("{} is collected by {}, not for {period}", indicator.code, has.join(" or ")),
        ))
    }
}

impl AreaList {
    /// Name of the list's file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Iccs => "iccs",
            Self::CrimeAreas => "crime_areas",
        }
    }
}

fn find<'a, K, V>(
    list: &'a BTreeMap<K, V>,
    name: &str,
    field: &str,
    text: &str,
) -> Result<&'a V, Invalid>
where
    K: Ord + code::FromText,
{
    K::from_text(text).and_then(|code| list.get(&code)).ok_or_else(|| unknown(field, name, text))
}

fn unknown(field: &str, list: &str, text: &str) -> Invalid {
    Invalid::new(
        Reason::CodeUnknown,
        field,
        format!("{} is not in the list {list} (proto/codes/{list}.csv)", quoted(text)),
    )
}

/// Writes a value with its indicator's decimals.
pub fn decimal(value: i64, decimals: u32) -> String {
    let decimals = usize::try_from(decimals).unwrap_or(0);
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    let sign = if value < 0 { "-" } else { "" };
    if decimals == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// A problem in a list file.
#[derive(Debug, thiserror::Error)]
#[error("proto/codes/{list}.csv: {problem}")]
pub struct ListError {
    list: &'static str,
    problem: String,
}

/// One row of a list, by column name.
struct Row<'a> {
    list: &'static str,
    header: &'a csv::StringRecord,
    row: csv::StringRecord,
}

impl Row<'_> {
    fn text(&self, column: &str) -> Result<&str, ListError> {
        let at = self.header.iter().position(|name| name == column);
        at.and_then(|at| self.row.get(at)).ok_or_else(|| self.wrong(format!("no column {column}")))
    }

    fn wrong(&self, problem: impl fmt::Display) -> ListError {
        ListError { list: self.list, problem: format!("{:?}: {problem}", self.row.get(0)) }
    }

    fn read<T>(&self, column: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, ListError> {
        let text = self.text(column)?;
        parse(text).ok_or_else(|| self.wrong(format!("{column} is {text:?}")))
    }

    fn many<T>(
        &self,
        column: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<T>, ListError> {
        let parts = self.text(column)?.split(';').filter(|part| !part.is_empty());
        parts
            .map(|part| parse(part).ok_or_else(|| self.wrong(format!("{column} has {part:?}"))))
            .collect()
    }
}

impl Lists {
    fn load(files: &[(&'static str, &str)]) -> Result<Self, ListError> {
        let mut lists = Lists {
            name: String::new(),
            jurisdictions: BTreeMap::new(),
            regions: BTreeMap::new(),
            areas: BTreeMap::new(),
            indicators: BTreeMap::new(),
            purposes: BTreeMap::new(),
            audiences: BTreeMap::new(),
        };
        let mut digest = Sha256::new();
        for (list, text) in files {
            digest.update((text.len() as u64).to_be_bytes());
            digest.update(text);
            let mut reader =
                csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
            let wrong = |error: csv::Error| ListError { list, problem: error.to_string() };
            let header = reader.headers().map_err(wrong)?.clone();
            for row in reader.records() {
                let row = Row { list, header: &header, row: row.map_err(wrong)? };
                if !lists.insert(&row)? {
                    return Err(row.wrong("stands twice"));
                }
            }
        }
        lists.name = format!("1-{}", hex::encode(digest.finalize()));
        Ok(lists)
    }

    /// False if the code was there before.
    fn insert(&mut self, row: &Row<'_>) -> Result<bool, ListError> {
        let label = row.text("label")?.to_owned();
        Ok(match row.list {
            "jurisdictions" => {
                let code = row.read("code", JurisdictionCode::parse)?;
                let footnote = row.text("footnote")?.to_owned();
                self.jurisdictions.insert(code, Jurisdiction { code, label, footnote }).is_none()
            }
            "regions" => {
                let code = row.read("code", RegionCode::parse)?;
                let region = Region {
                    code,
                    level: row.read("level", |text| text.parse().ok())?,
                    jurisdiction: row.read("jurisdiction", JurisdictionCode::parse)?,
                    label,
                };
                self.regions.insert(code, region).is_none()
            }
            "iccs" | "crime_areas" => {
                let code = row.read("code", CrimeAreaCode::parse)?;
                let list = if row.list == "iccs" { AreaList::Iccs } else { AreaList::CrimeAreas };
                self.areas.insert(code, (list, label)).is_none()
            }
            "indicators" => {
                let indicator = indicator(row, label)?;
                self.indicators.insert(indicator.code, indicator).is_none()
            }
            "purposes" => {
                self.purposes.insert(row.read("code", PurposeCode::parse)?, label).is_none()
            }
            _ => self.audiences.insert(row.read("code", AudienceCode::parse)?, label).is_none(),
        })
    }
}

fn indicator(row: &Row<'_>, label: String) -> Result<Indicator, ListError> {
    let decimals: u32 = row.read("decimals", |text| text.parse().ok().filter(|d| *d <= 6))?;
    let cap: i64 = row.read("value_max", |text| text.parse().ok())?;
    Ok(Indicator {
        code: row.read("code", IndicatorCode::parse)?,
        label,
        unit: row.text("unit")?.to_owned(),
        decimals,
        semantics: row.read("semantics", |text| {
            Some(match text {
                "flow" => Semantics::Flow,
                "stock" => Semantics::Stock,
                "magnitude" => Semantics::Magnitude,
                "ratio" => Semantics::Ratio,
                "price" => Semantics::Price,
                "score" => Semantics::Score,
                _ => return None,
            })
        })?,
        area_list: row.read("area_list", |text| {
            [AreaList::Iccs, AreaList::CrimeAreas].into_iter().find(|list| list.name() == text)
        })?,
        levels: row.many("levels", |text| text.parse().ok())?,
        granularity: row.many("granularity", Granularity::parse)?,
        public: row.read("public", |text| match text {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        })?,
        unit_at_risk: row.text("unit_at_risk")?.to_owned(),
        value_max: cap
            .checked_mul(10_i64.pow(decimals))
            .ok_or_else(|| row.wrong("value_max is too large"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_of_the_contract_load() {
        let lists = Lists::load(&FILES).unwrap();
        for code in ["AL", "BA", "XK", "ME", "MK", "RS"] {
            let jurisdiction = lists.jurisdiction("jurisdiction", code).unwrap();
            assert_eq!(
                lists.regions_of(jurisdiction.code, 0).len(),
                1,
                "{code} has itself as region"
            );
        }
        assert_eq!(lists.regions_of(JurisdictionCode::parse("RS").unwrap(), 3).len(), 25);
    }

    #[test]
    fn a_number_is_written_as_it_was_read() {
        for (value, decimals, text) in
            [(71, 0, "71"), (12_500, 3, "12.500"), (5, 3, "0.005"), (0, 2, "0.00")]
        {
            assert_eq!(decimal(value, decimals), text);
        }
    }

    #[test]
    fn kosovo_carries_its_footnote() {
        let kosovo = Lists::builtin().jurisdiction("jurisdiction", "XK").unwrap();
        assert_eq!(kosovo.label, "Kosovo*");
        assert!(
            kosovo
                .footnote
                .starts_with("* This designation is without prejudice to positions on status")
        );
    }

    #[test]
    fn an_unknown_code_is_refused_by_name() {
        let lists = Lists::builtin();
        let offences = lists.indicator("indicator", "PUB.OFF.N").unwrap();
        let error = lists.crime_area("crime_area", offences, "ICCS9999").unwrap_err();
        assert_eq!(error.reason, Reason::CodeUnknown);
        assert!(error.detail.contains("ICCS9999") && error.detail.contains("iccs"), "{error}");
        // A code of the other list is not a code of this one.
        assert!(lists.crime_area("crime_area", offences, "DRG.COC").is_err());
        assert!(lists.period("period", offences, "2016-Q1").is_err());
    }

    #[test]
    fn a_list_with_a_code_twice_does_not_load() {
        let twice = [("purposes", "code,label\nA,x\nA,y\n")];
        assert!(Lists::load(&twice).unwrap_err().to_string().contains("twice"));
    }
}
