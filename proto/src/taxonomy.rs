//! The closed code lists. Comes in: text from a wire, a file or a person. Goes out: codes that exist.
//!
//! Lists are the CSV files in `proto/codes/`, each with version and source, and the rows that a federation
//! adds. Nothing outside them can be asked, stored or answered; an unknown code is refused by name,
//! together with its list. A spelling of the list `aliases` becomes its code here and is never seen again,
//! so that it cannot make a second cell.

use std::{collections::BTreeMap, sync::LazyLock};

use crate::reason::{Invalid, Reason, quoted};

mod categories;
mod check;
mod code;
mod indicator;
mod load;
mod period;
mod tier;
mod words;

pub use categories::{Categories, TOTAL};
pub use code::{
    AreaList, AudienceCode, CategoryCode, CrimeAreaCode, DimensionCode, EuropolCode, IndicatorCode,
    JurisdictionCode, PriorityCode, PurposeCode, RegionCode, TermCode,
};
pub use indicator::{DIMENSIONS_MAX, Indicator, Moment, Semantics, UnitLife};
pub use load::ListError;
pub use period::{Granularity, Period};
pub use tier::Tier;
pub use words::{Priority, Term};

/// The region code of a combined cell: all members that a requirement names. No list has it.
pub const WHOLE_REGION: &str = "REGION";

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
    /// The region that contains it, one level up; none at level 0.
    pub parent: Option<RegionCode>,
    /// 0 the jurisdiction, 1 to 3 its statistical regions.
    pub level: u32,
    /// Where it belongs.
    pub jurisdiction: JurisdictionCode,
    /// Display name.
    pub label: String,
}

/// A category of a dimension.
#[derive(Clone, Debug)]
pub struct Category {
    /// Its code, within the dimension.
    pub code: CategoryCode,
    /// The category that contains it.
    pub parent: Option<CategoryCode>,
    /// Display name.
    pub label: String,
}

/// An area of one list of areas.
#[derive(Debug)]
struct Area {
    list: AreaList,
    parent: Option<CrimeAreaCode>,
    label: String,
}

/// All lists together, in one version. Whatever one refers to is there.
#[derive(Debug, Default)]
pub struct Lists {
    name: String,
    jurisdictions: BTreeMap<JurisdictionCode, Jurisdiction>,
    regions: BTreeMap<RegionCode, Region>,
    /// Regions of a jurisdiction at a level, ascending.
    regions_at: BTreeMap<(JurisdictionCode, u32), Vec<RegionCode>>,
    areas: BTreeMap<CrimeAreaCode, Area>,
    indicators: BTreeMap<IndicatorCode, Indicator>,
    dimensions: BTreeMap<DimensionCode, BTreeMap<CategoryCode, Category>>,
    purposes: BTreeMap<PurposeCode, String>,
    audiences: BTreeMap<AudienceCode, Tier>,
    /// Terms in the order of the file, which is the order for people.
    vocabularies: BTreeMap<String, Vec<Term>>,
    europol: BTreeMap<EuropolCode, String>,
    priorities: BTreeMap<PriorityCode, Priority>,
    /// Areas by scheme and the scheme's code.
    area_map: BTreeMap<(String, String), Vec<CrimeAreaCode>>,
    /// Codes by list and spelling.
    aliases: BTreeMap<String, BTreeMap<String, String>>,
}

macro_rules! files {
    ($($list:literal)*) => {
        [$(($list, include_str!(concat!("../codes/", $list, ".csv")))),*]
    };
}

/// The lists that this version of the contract carries, with their file names.
const FILES: [(&str, &str); 13] = files! {
    "jurisdictions" "regions" "iccs" "crime_areas" "dimensions" "indicators" "purposes" "audiences"
    "vocabularies" "europol" "priorities" "area_map" "aliases"
};

static BUILTIN: LazyLock<Lists> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "compiled-in files, loaded by a test of this module")]
    Lists::load(&FILES, &[]).expect("the lists in proto/codes are well-formed")
});

impl Lists {
    /// The lists of this version of the contract.
    pub fn builtin() -> &'static Lists {
        &BUILTIN
    }

    /// The lists of the contract and a federation's own: name (the file's, without `.csv`) and text of each.
    ///
    /// Rows are added, none is replaced. A name that no list of the contract has is a new list of areas.
    pub fn with_own(own: &[(String, String)]) -> Result<Lists, ListError> {
        Lists::load(&FILES, own)
    }

    /// Version and digest, e.g. `2-4be177a0…`: answers name the lists that their codes belong to.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The jurisdiction with this code. It has no other spelling: an identity has one.
    pub fn jurisdiction(&self, field: &str, text: &str) -> Result<&Jurisdiction, Invalid> {
        self.find(&self.jurisdictions, "jurisdictions", field, text)
    }

    /// Every jurisdiction, in the order of codes.
    pub fn jurisdictions(&self) -> impl Iterator<Item = &Jurisdiction> {
        self.jurisdictions.values()
    }

    /// The indicator with this code.
    pub fn indicator(&self, field: &str, text: &str) -> Result<&Indicator, Invalid> {
        self.find(&self.indicators, "indicators", field, text)
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
        let list = indicator.area_list;
        let listed = |text: &str| {
            CrimeAreaCode::parse(text)
                .filter(|code| self.areas.get(code).is_some_and(|area| area.list == list))
        };
        let code = listed(text)
            .or_else(|| self.alias(list.as_str(), text).and_then(listed))
            .ok_or_else(|| unknown(field, list.as_str(), text))?;
        if self.allows(indicator, code) {
            return Ok(code);
        }
        let areas: Vec<_> = indicator.areas.iter().map(CrimeAreaCode::as_str).collect();
        let (indicator, areas) = (indicator.code, areas.join(" or "));
        Err(Invalid::new(
            Reason::LatticeUnknownCell,
            field,
            format!("{indicator} is collected for {areas} and what is below, not for {code}"),
        ))
    }

    /// Is this area, or one that contains it, among those of the indicator?
    pub fn allows(&self, indicator: &Indicator, code: CrimeAreaCode) -> bool {
        let mut line = std::iter::successors(Some(code), |code| self.crime_area_parent(*code));
        indicator.areas.is_empty() || line.any(|code| indicator.areas.contains(&code))
    }

    /// Every crime area of a list, ascending; for what one indicator may be asked, `crime_areas_of`.
    pub fn crime_areas(&self, list: AreaList) -> impl Iterator<Item = CrimeAreaCode> {
        self.areas.iter().filter(move |(_, area)| area.list == list).map(|(code, _)| *code)
    }

    /// Every crime area that `indicator` may be asked for, ascending.
    pub fn crime_areas_of(&self, indicator: &Indicator) -> impl Iterator<Item = CrimeAreaCode> {
        self.crime_areas(indicator.area_list).filter(|code| self.allows(indicator, *code))
    }

    /// The area that contains this one.
    pub fn crime_area_parent(&self, code: CrimeAreaCode) -> Option<CrimeAreaCode> {
        self.areas.get(&code)?.parent
    }

    /// The areas of an indicator that hold this one, the smallest first; not itself.
    pub fn areas_above(&self, indicator: IndicatorCode, code: CrimeAreaCode) -> Vec<CrimeAreaCode> {
        let Some(indicator) = self.indicators.get(&indicator) else { return Vec::new() };
        let line = std::iter::successors(Some(code), |code| self.crime_area_parent(*code)).skip(1);
        line.take_while(|code| self.allows(indicator, *code)).collect()
    }

    /// The areas of an indicator directly below this one.
    pub fn areas_below(&self, indicator: IndicatorCode, code: CrimeAreaCode) -> Vec<CrimeAreaCode> {
        let Some(indicator) = self.indicators.get(&indicator) else { return Vec::new() };
        let below = |of: &CrimeAreaCode| self.crime_area_parent(*of) == Some(code);
        self.crime_areas_of(indicator).filter(below).collect()
    }

    /// The list that an area belongs to: a code stands in one only.
    pub fn crime_area_list(&self, code: CrimeAreaCode) -> Option<AreaList> {
        self.areas.get(&code).map(|area| area.list)
    }

    /// Display name of a crime area.
    pub fn crime_area_label(&self, code: CrimeAreaCode) -> &str {
        self.areas.get(&code).map_or("", |area| &area.label)
    }

    /// A dimension that `indicator` may be broken down by.
    pub fn dimension(
        &self,
        field: &str,
        indicator: &Indicator,
        text: &str,
    ) -> Result<DimensionCode, Invalid> {
        let code = DimensionCode::parse(text).filter(|code| self.dimensions.contains_key(code));
        let code = code.ok_or_else(|| unknown(field, "dimensions", text))?;
        if indicator.dimensions.contains(&code) {
            return Ok(code);
        }
        let has: Vec<_> = indicator.dimensions.iter().map(DimensionCode::as_str).collect();
        let has = if has.is_empty() { "nothing".to_owned() } else { has.join(" or ") };
        let detail = format!("{} is broken down by {has}, not by {code}", indicator.code);
        Err(Invalid::new(Reason::LatticeUnknownCell, field, detail))
    }

    /// A category of a dimension.
    pub fn category(
        &self,
        field: &str,
        dimension: DimensionCode,
        text: &str,
    ) -> Result<CategoryCode, Invalid> {
        let code = CategoryCode::parse(text)
            .filter(|code| self.dimensions.get(&dimension).is_some_and(|d| d.contains_key(code)));
        code.ok_or_else(|| {
            let has: Vec<_> = self.categories(dimension).map(|c| c.code.as_str()).collect();
            let detail = format!("{} is no {dimension}: {}", quoted(text), has.join(", "));
            Invalid::new(Reason::CodeUnknown, field, detail)
        })
    }

    /// The categories of a dimension, ascending.
    pub fn categories(&self, dimension: DimensionCode) -> impl Iterator<Item = &Category> {
        self.dimensions.get(&dimension).into_iter().flat_map(BTreeMap::values)
    }

    /// The category that contains this one, in a dimension of an indicator by its number.
    pub fn category_parent(
        &self,
        indicator: IndicatorCode,
        at: usize,
        code: CategoryCode,
    ) -> Option<CategoryCode> {
        let dimension = self.indicators.get(&indicator)?.dimensions.get(at)?;
        self.dimensions.get(dimension)?.get(&code)?.parent
    }

    /// The categories directly below one, or below their total, in a dimension of an indicator by its number.
    pub fn categories_below(
        &self,
        indicator: IndicatorCode,
        at: usize,
        above: Option<CategoryCode>,
    ) -> Vec<CategoryCode> {
        let indicator = self.indicators.get(&indicator);
        let Some(dimension) = indicator.and_then(|of| of.dimensions.get(at)) else {
            return Vec::new();
        };
        let below = |category: &&Category| category.parent == above;
        self.categories(*dimension).filter(below).map(|category| category.code).collect()
    }

    /// The region with this code.
    pub fn region(&self, field: &str, text: &str) -> Result<&Region, Invalid> {
        self.find(&self.regions, "regions", field, text)
    }

    /// The region that a validated code names.
    pub fn region_of(&self, code: RegionCode) -> Option<&Region> {
        self.regions.get(&code)
    }

    /// The regions of a jurisdiction at a level, ascending.
    pub fn regions_of(&self, jurisdiction: JurisdictionCode, level: u32) -> Vec<RegionCode> {
        self.regions_at.get(&(jurisdiction, level)).cloned().unwrap_or_default()
    }

    /// The purpose with this code.
    pub fn purpose(&self, field: &str, text: &str) -> Result<PurposeCode, Invalid> {
        let code = PurposeCode::parse(text).filter(|code| self.purposes.contains_key(code));
        code.ok_or_else(|| unknown(field, "purposes", text))
    }

    /// The audience with this code.
    pub fn audience(&self, field: &str, text: &str) -> Result<AudienceCode, Invalid> {
        let code = AudienceCode::parse(text).filter(|code| self.audiences.contains_key(code));
        code.ok_or_else(|| unknown(field, "audiences", text))
    }

    /// Every audience, ascending.
    pub fn audiences(&self) -> impl Iterator<Item = AudienceCode> {
        self.audiences.keys().copied()
    }

    /// How wide an audience is.
    pub fn tier(&self, audience: AudienceCode) -> Tier {
        // Whom no list knows is the widest there is.
        self.audiences.get(&audience).copied().unwrap_or(Tier::C)
    }

    /// A period that `indicator` is collected for.
    pub fn period(
        &self,
        field: &str,
        indicator: &Indicator,
        text: &str,
    ) -> Result<Period, Invalid> {
        let period = Period::parse(field, text)?;
        let wrong = |detail| Err(Invalid::new(Reason::PeriodInvalid, field, detail));
        if !indicator.granularity.contains(&period.granularity()) {
            let has: Vec<_> = indicator.granularity.iter().map(ToString::to_string).collect();
            let has = has.join(" or ");
            return wrong(format!("{} is collected by {has}, not for {period}", indicator.code));
        }
        if !indicator.valid_in(period.year()) {
            let year = |year: Option<u16>| year.map_or(String::new(), |year| year.to_string());
            let (from, to) = (year(indicator.valid_from), year(indicator.valid_to));
            let code = indicator.code;
            return wrong(format!("{code} is collected in {from}..{to}, not for {period}"));
        }
        Ok(period)
    }

    fn find<'a, K, V>(
        &self,
        codes: &'a BTreeMap<K, V>,
        list: &str,
        field: &str,
        text: &str,
    ) -> Result<&'a V, Invalid>
    where
        K: Ord + code::FromText,
    {
        let listed = |text: &str| K::from_text(text).and_then(|code| codes.get(&code));
        listed(text)
            .or_else(|| self.alias(list, text).and_then(listed))
            .ok_or_else(|| unknown(field, list, text))
    }

    /// The code that another spelling stands for. Asked last: a code itself never pays for it.
    fn alias(&self, list: &str, text: &str) -> Option<&str> {
        self.aliases.get(list)?.get(text).map(String::as_str)
    }
}

fn unknown(field: &str, list: &str, text: &str) -> Invalid {
    if text.is_empty() {
        let detail = format!("is empty; a code of the list {list} is needed");
        return Invalid::new(Reason::CodeUnknown, field, detail);
    }
    let place = if FILES.iter().any(|(name, _)| *name == list) {
        format!("proto/codes/{list}.csv")
    } else {
        "the federation's own".to_owned()
    };
    let detail = format!("{} is not in the list {list} ({place})", quoted(text));
    Invalid::new(Reason::CodeUnknown, field, detail)
}

/// Writes a value with its indicator's decimals.
pub fn decimal(value: i64, decimals: u32) -> String {
    // What an unverified peer says may be anything; 64 bits have no more digits than that.
    let decimals = usize::try_from(decimals).unwrap_or(0).min(19);
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    let sign = if value < 0 { "-" } else { "" };
    if decimals == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

#[cfg(test)]
mod tests;
