//! References between lists. Comes in: lists with every row in them. Goes out: they hold together, or which row does not.
//!
//! Lists are checked as a whole, once, when they are loaded: whoever has `Lists` never meets a code in
//! them that leads nowhere.

use std::{collections::BTreeMap, fmt::Display};

use super::{
    AreaList, CategoryCode, CrimeAreaCode, DimensionCode, EuropolCode, IndicatorCode,
    JurisdictionCode, Lists, PriorityCode, RegionCode, Semantics,
    load::{ListError, Row},
};
use crate::reason::quoted;

/// Deepest level of a region.
const LEVEL_MAX: u32 = 3;
/// Deepest tree of areas or categories.
const DEPTH_MAX: usize = 8;

impl Lists {
    /// Does everything that this row refers to exist, and does it fit?
    pub(super) fn check(&self, row: &Row<'_>) -> Result<(), ListError> {
        let problem = match row.list() {
            "jurisdictions" => {
                self.jurisdiction_problem(row.read("code", JurisdictionCode::parse)?)
            }
            "regions" => self.region_problem(row.read("code", RegionCode::parse)?),
            "indicators" => self.indicator_problem(row.read("code", IndicatorCode::parse)?),
            "dimensions" => {
                let code = row.read("code", CategoryCode::parse)?;
                self.category_problem(row.read("dimension", DimensionCode::parse)?, code)
            }
            "priorities" => {
                let priority = self.priorities.get(&row.read("code", PriorityCode::parse)?);
                let backwards = priority.is_some_and(|there| there.valid_from > there.valid_to);
                backwards.then(|| "ends before it begins".to_owned())
            }
            "vocabularies" => self.term_problem(row.text("vocabulary")?, row.text("code")?),
            "area_map" => {
                let area = row.read("area", CrimeAreaCode::parse)?;
                self.map_problem(row.text("scheme")?, row.text("code")?, area)
            }
            "aliases" => {
                self.alias_problem(row.text("list")?, row.text("alias")?, row.text("code")?)
            }
            "purposes" | "audiences" | "europol" => None,
            _ => self.area_problem(row.read("code", CrimeAreaCode::parse)?),
        };
        problem.map_or(Ok(()), |problem| Err(row.wrong(problem)))
    }

    fn jurisdiction_problem(&self, code: JurisdictionCode) -> Option<String> {
        let itself = self.regions_at.get(&(code, 0)).map_or(0, Vec::len);
        (itself != 1).then(|| format!("needs {code} in the list regions, at level 0"))
    }

    fn region_problem(&self, code: RegionCode) -> Option<String> {
        let region = self.regions.get(&code)?;
        if !self.jurisdictions.contains_key(&region.jurisdiction) {
            return Some(absent("jurisdiction", region.jurisdiction, "jurisdictions"));
        }
        if region.level > LEVEL_MAX {
            return Some(format!("level {} where {LEVEL_MAX} is the deepest", region.level));
        }
        let Some(parent) = region.parent else {
            let root = region.level == 0 && region.jurisdiction.as_str() == code.as_str();
            let rule = "has no parent: only a jurisdiction itself has none, at level 0";
            return (!root).then(|| rule.to_owned());
        };
        let Some(above) = self.regions.get(&parent) else {
            return Some(absent("parent", parent, "regions"));
        };
        if above.jurisdiction != region.jurisdiction {
            return Some(format!("parent {parent} belongs to {}", above.jurisdiction));
        }
        let wrong = region.level.checked_sub(1) != Some(above.level);
        wrong.then(|| format!("level {} under level {} ({parent})", region.level, above.level))
    }

    fn area_problem(&self, code: CrimeAreaCode) -> Option<String> {
        let area = self.areas.get(&code)?;
        tree_problem(code, area.list.as_str(), |code| {
            self.areas.get(&code).filter(|above| above.list == area.list).map(|above| above.parent)
        })
    }

    fn category_problem(&self, dimension: DimensionCode, code: CategoryCode) -> Option<String> {
        let categories = self.dimensions.get(&dimension)?;
        let list = format!("dimensions for {dimension}");
        tree_problem(code, &list, |code| categories.get(&code).map(|above| above.parent))
    }

    fn indicator_problem(&self, code: IndicatorCode) -> Option<String> {
        let indicator = self.indicators.get(&code)?;
        let list = indicator.area_list;
        if !self.areas.values().any(|area| area.list == list) {
            return Some(format!("area_list is {list}, a list of areas that is not there"));
        }
        let of = |list: AreaList, code: &CrimeAreaCode| {
            self.areas.get(code).is_some_and(|area| area.list == list)
        };
        if let Some(area) = indicator.areas.iter().find(|code| !of(list, code)) {
            return Some(absent("areas", area, list.as_str()));
        }
        if let Some(offence) = indicator.iccs.iter().find(|code| !of(AreaList::ICCS, code)) {
            return Some(absent("iccs", offence, AreaList::ICCS.as_str()));
        }
        let there = |code: &&DimensionCode| !self.dimensions.contains_key(*code);
        if let Some(dimension) = indicator.dimensions.iter().find(there) {
            return Some(absent("dimensions", dimension, "dimensions"));
        }
        if twice(&indicator.dimensions) || twice(&indicator.areas) {
            return Some("names a dimension or an area twice".to_owned());
        }
        if indicator.levels.iter().any(|level| *level > LEVEL_MAX) {
            return Some(format!("levels go to {LEVEL_MAX}"));
        }
        if indicator.levels.is_empty() || indicator.granularity.is_empty() {
            return Some("needs at least one level and one granularity".to_owned());
        }
        if let Some((numerator, denominator)) = indicator.parts {
            if indicator.semantics != Semantics::Ratio {
                return Some("has parts, and is no ratio".to_owned());
            }
            let sums = |code: &IndicatorCode| {
                let part = self.indicators.get(code).map(|part| part.semantics);
                matches!(part, Some(Semantics::Flow | Semantics::Magnitude))
            };
            if let Some(part) = [numerator, denominator].iter().find(|code| !sums(code)) {
                return Some(format!("parts: {part} is no indicator that adds"));
            }
        }
        if indicator.value_min > indicator.value_max {
            return Some("value_min is above value_max".to_owned());
        }
        let years = indicator.valid_from.zip(indicator.valid_to);
        years.is_some_and(|(from, to)| from > to).then(|| "ends before it begins".to_owned())
    }

    fn term_problem(&self, vocabulary: &str, code: &str) -> Option<String> {
        let term = self.vocabularies.get(vocabulary)?.iter().find(|t| t.code.as_str() == code)?;
        let range = term.low_percent.zip(term.high_percent);
        range.is_some_and(|(low, high)| low > high).then(|| "low is above high".to_owned())
    }

    fn map_problem(&self, scheme: &str, code: &str, area: CrimeAreaCode) -> Option<String> {
        let (list, there) = match scheme {
            "EUROPOL" => ("europol", found(&self.europol, EuropolCode::parse(code))),
            "EMPACT" => ("priorities", found(&self.priorities, PriorityCode::parse(code))),
            "ICCS" => ("iccs", found(&self.areas, CrimeAreaCode::parse(code))),
            _ => return Some(format!("scheme {} is not EUROPOL, EMPACT or ICCS", quoted(scheme))),
        };
        if !there {
            return Some(absent("code", code, list));
        }
        let known = self.areas.contains_key(&area);
        (!known).then(|| format!("area {area} is in no list of areas; add it or correct it here"))
    }

    fn alias_problem(&self, list: &str, alias: &str, code: &str) -> Option<String> {
        let known = |text: &str| match list {
            "regions" => found(&self.regions, RegionCode::parse(text)),
            "indicators" => found(&self.indicators, IndicatorCode::parse(text)),
            _ => {
                let area = CrimeAreaCode::parse(text).and_then(|code| self.areas.get(&code));
                area.is_some_and(|area| area.list.as_str() == list)
            }
        };
        if !known(code) {
            let lists = "regions, indicators or a list of areas";
            return Some(format!("{} is not in {}: write {lists}", quoted(code), quoted(list)));
        }
        known(alias).then(|| format!("{} is a code of {list} itself", quoted(alias)))
    }
}

/// Climbs from `code` to its root; `above` gives a code's parent if the list has the code.
fn tree_problem<K: Copy + Eq + Display>(
    code: K,
    list: &str,
    above: impl Fn(K) -> Option<Option<K>>,
) -> Option<String> {
    let mut here = code;
    for _ in 0..DEPTH_MAX {
        let parent = above(here).flatten()?;
        if above(parent).is_none() {
            return Some(absent("parent", parent, list));
        }
        here = parent;
    }
    Some(format!("has more than {DEPTH_MAX} levels above it, or its parents go in a circle"))
}

fn absent(what: &str, code: impl Display, list: &str) -> String {
    format!("{what} {code} is not in the list {list}; add it there or correct it here")
}

fn found<K: Ord, V>(list: &BTreeMap<K, V>, code: Option<K>) -> bool {
    code.is_some_and(|code| list.contains_key(&code))
}

fn twice<T: Ord>(codes: &[T]) -> bool {
    codes.iter().collect::<std::collections::BTreeSet<_>>().len() != codes.len()
}
