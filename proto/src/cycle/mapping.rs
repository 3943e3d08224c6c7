//! Common or our own (domain.md §8.2, story 13). Comes in: crime areas of the region in their order, and a cycle of EMPACT. Goes out: which
//! of them the EU's priorities name, wholly or in part, and what only one of the two has. It rests on the list `area_map`, where a
//! code may match an area only in part: no figure is ever carried over, and no match is called whole that the list does
//! not make whole.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::plan::Plan;
use crate::{
    limits::AXIS_MAX,
    reason::{Invalid, Reason, quoted},
    roster::bounded,
    taxonomy::{AreaList, CrimeAreaCode, Lists, Priority, PriorityCode},
};

/// The scheme of the list `area_map`.
const EMPACT: &str = "EMPACT";

/// A priority of the EU, or a horizontal goal, with its parts.
#[derive(Clone, Debug)]
pub struct EuPriority<'a> {
    /// Itself.
    pub priority: &'a Priority,
    /// Parts that have operational action plans of their own, ascending.
    pub parts: Vec<&'a Priority>,
}

/// A cycle of EMPACT.
#[derive(Clone, Debug)]
pub struct EuCycle<'a> {
    /// Its code, like `2022-2025`.
    pub code: &'a str,
    /// Ascending by number.
    pub priorities: Vec<EuPriority<'a>>,
    /// Horizontal goals that name crime areas: no priorities.
    pub horizontal: Vec<EuPriority<'a>>,
}

impl<'a> EuCycle<'a> {
    /// Finds a cycle.
    ///
    /// # Errors
    /// `CODE_UNKNOWN` names the cycles that there are.
    pub fn find(field: &str, code: &str, lists: &'a Lists) -> Result<Self, Invalid> {
        let of: Vec<_> = lists.priorities().filter(|of| of.cycle == code).collect();
        let Some(first) = of.first() else {
            let cycles: BTreeSet<_> = lists.priorities().map(|of| of.cycle.as_str()).collect();
            let cycles = cycles.into_iter().collect::<Vec<_>>().join(", ");
            let detail = format!("{} is no cycle of the list priorities: {cycles}", quoted(code));
            return Err(Invalid::new(Reason::CodeUnknown, field, detail));
        };
        // A part is called as its priority, and a letter.
        let heads: BTreeSet<_> = of.iter().map(|of| of.code.as_str()).collect();
        let head_of = |code: &str| {
            let cut = code.trim_end_matches(|letter: char| letter.is_ascii_uppercase());
            heads.get(cut).copied().filter(|head| *head != code)
        };
        let mut found: Vec<_> = of
            .iter()
            .filter(|of| head_of(of.code.as_str()).is_none())
            .map(|priority| EuPriority {
                priority,
                parts: of
                    .iter()
                    .filter(|part| head_of(part.code.as_str()) == Some(priority.code.as_str()))
                    .copied()
                    .collect(),
            })
            .collect();
        found.sort_by_key(|of| (of.priority.number.is_none(), of.priority.number));
        let (priorities, horizontal) =
            found.into_iter().partition(|of| of.priority.number.is_some());
        Ok(Self { code: &first.cycle, priorities, horizontal })
    }

    /// How many operational action plans it has: one for each part, or for a priority without parts.
    pub fn operational_plans(&self) -> usize {
        self.priorities.iter().map(|of| of.parts.len().max(1)).sum()
    }
}

/// How much of one is in the other, as far as the list `area_map` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Extent {
    /// All of it is named.
    Whole,
    /// Some of it.
    Part,
}

/// A threat of the region that a priority of the EU matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Common {
    /// The region's.
    pub area: CrimeAreaCode,
    /// Its place in the region's order, from 1.
    pub place: usize,
    /// The EU's.
    pub priority: PriorityCode,
    /// Parts of it that match; none: it has no parts, or none of them names the area.
    pub parts: Vec<PriorityCode>,
    /// How much of the area the EU's priority names.
    pub of_area: Extent,
    /// How much of what the EU's priority names is among the region's areas.
    pub of_priority: Extent,
    /// The EU's is a horizontal goal and no priority.
    pub horizontal: bool,
}

/// What is common, and what only one has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The cycle of EMPACT.
    pub cycle: String,
    /// In the region's order, then the EU's.
    pub common: Vec<Common>,
    /// Areas of the region that no priority of the cycle names, with their place.
    pub region_only: Vec<(usize, CrimeAreaCode)>,
    /// Priorities of the cycle that name none of the region's areas, in their order.
    pub eu_only: Vec<PriorityCode>,
}

/// Areas that hold each other, and do not stand apart.
struct Tree<'a>(&'a Lists);

impl Tree<'_> {
    fn holds(&self, outer: CrimeAreaCode, inner: CrimeAreaCode) -> bool {
        let mut line = std::iter::successors(Some(inner), |code| self.0.crime_area_parent(*code));
        line.any(|code| code == outer)
    }

    /// How much of `area` do these name? None: nothing of it.
    fn named(&self, area: CrimeAreaCode, by: &[CrimeAreaCode]) -> Option<Extent> {
        if by.iter().any(|of| self.holds(*of, area)) {
            return Some(Extent::Whole);
        }
        by.iter().any(|of| self.holds(area, *of)).then_some(Extent::Part)
    }
}

/// What of the areas a cycle of EMPACT has among its priorities. `areas`: of the list `crime_areas`, in the region's order.
///
/// # Errors
/// `CODE_UNKNOWN` of an area or the cycle; `FIELD_INVALID` of an area that stands twice.
pub fn mapping(areas: &[CrimeAreaCode], cycle: &str, lists: &Lists) -> Result<Mapping, Invalid> {
    bounded("areas", areas.len(), AXIS_MAX)?;
    for (at, area) in areas.iter().enumerate() {
        let refuse = |reason, detail: &str| {
            let detail = format!("{area} {detail}");
            Err(Invalid::new(reason, format!("areas[{at}]"), detail))
        };
        if lists.crime_area_list(*area) != Some(AreaList::CRIME_AREAS) {
            return refuse(Reason::CodeUnknown, "is not in the list crime_areas");
        }
        if areas.iter().take(at).any(|before| before == area) {
            return refuse(Reason::FieldInvalid, "stands there twice");
        }
    }
    let eu = EuCycle::find("cycle", cycle, lists)?;
    let all: Vec<_> = eu.priorities.iter().chain(&eu.horizontal).collect();
    let (mut common, mut region_only) = (Vec::new(), Vec::new());
    for (area, place) in areas.iter().copied().zip(1..) {
        let matched: Vec<_> =
            all.iter().filter_map(|of| matched((area, place), areas, of, lists)).collect();
        if matched.is_empty() {
            region_only.push((place, area));
        }
        common.extend(matched);
    }
    let matched: BTreeSet<_> = common.iter().map(|of| of.priority).collect();
    let eu_only = all.iter().map(|of| of.priority.code).filter(|code| !matched.contains(code));
    Ok(Mapping { cycle: eu.code.to_owned(), eu_only: eu_only.collect(), common, region_only })
}

fn matched(
    (area, place): (CrimeAreaCode, usize),
    areas: &[CrimeAreaCode],
    of: &EuPriority<'_>,
    lists: &Lists,
) -> Option<Common> {
    let tree = Tree(lists);
    let names = |code: &PriorityCode| lists.areas_mapped(EMPACT, code.as_str());
    let named = names(&of.priority.code);
    let of_area = tree.named(area, named)?;
    let parts = of.parts.iter().map(|part| part.code);
    let parts = parts.filter(|part| tree.named(area, names(part)).is_some()).collect();
    let whole = named.iter().all(|name| tree.named(*name, areas) == Some(Extent::Whole));
    Some(Common {
        area,
        place,
        priority: of.priority.code,
        parts,
        of_area,
        of_priority: if whole { Extent::Whole } else { Extent::Part },
        horizontal: of.priority.number.is_none(),
    })
}

/// A row of the annex for audiences of the EU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AnnexRow {
    /// Code of the EU's priority; empty: it has none.
    pub eu_priority: String,
    /// Its name.
    pub eu_name: String,
    /// Those of its parts that match, or all where the EU alone has it.
    pub eu_parts: Vec<String>,
    /// Code of the region's threat; empty: it has none.
    pub area: String,
    /// Its name.
    pub area_name: String,
    /// Its place in the region's order.
    pub place: Option<usize>,
    /// The region's own priorities that cover it, where a plan is given.
    pub own_priorities: String,
    /// `common`, `region_only` or `eu_only`.
    pub which: &'static str,
    /// What else is to be known.
    pub remark: String,
}

/// Rows of the annex: what is common in the EU's order, then what the region alone has, then what the EU alone has. `plan`: its
/// priorities are named beside the areas that they cover, and what its makers say of the EU's.
pub fn annex(mapping: &Mapping, plan: Option<&Plan>, lists: &Lists) -> Vec<AnnexRow> {
    let by_code: BTreeMap<_, _> = lists.priorities().map(|of| (of.code, of)).collect();
    let name = |code: PriorityCode| by_code.get(&code).map_or("", |of| of.label.as_str());
    let own = |area: CrimeAreaCode| {
        let covers = plan.into_iter().flat_map(|plan| &plan.priorities);
        let covers = covers.filter(|of| of.crime_areas.contains(&area));
        covers.map(|of| format!("{} {}", of.ordinal, of.name)).collect::<Vec<_>>().join("; ")
    };
    let texts = |codes: &[PriorityCode]| codes.iter().map(ToString::to_string).collect();
    let row = |area: Option<(usize, CrimeAreaCode)>, eu: Option<PriorityCode>, which| AnnexRow {
        eu_priority: eu.map_or_else(String::new, |code| code.to_string()),
        eu_name: eu.map_or_else(String::new, |code| name(code).to_owned()),
        eu_parts: Vec::new(),
        area: area.map_or_else(String::new, |(_, area)| area.to_string()),
        area_name: area
            .map_or_else(String::new, |(_, area)| lists.crime_area_label(area).to_owned()),
        place: area.map(|(place, _)| place),
        own_priorities: area.map_or_else(String::new, |(_, area)| own(area)),
        which,
        remark: String::new(),
    };
    let order = |code: PriorityCode| by_code.get(&code).map(|of| (of.number.is_none(), of.number));
    let mut common: Vec<_> = mapping.common.iter().collect();
    common.sort_by_key(|of| (order(of.priority), of.place));
    let common = common.into_iter().map(|of| AnnexRow {
        eu_parts: texts(&of.parts),
        remark: remark(of),
        ..row(Some((of.place, of.area)), Some(of.priority), "common")
    });
    let ours = mapping.region_only.iter().map(|of| row(Some(*of), None, "region_only"));
    let theirs = mapping.eu_only.iter().map(|code| AnnexRow {
        eu_parts: parts_of(*code, lists),
        remark: said(*code, plan),
        ..row(None, Some(*code), "eu_only")
    });
    common.chain(ours).chain(theirs).collect()
}

fn remark(of: &Common) -> String {
    let remarks = [
        (of.horizontal, "a common horizontal strategic goal, not a priority"),
        (of.of_area == Extent::Part, "the EU's priority names a part of the area only"),
        (of.of_priority == Extent::Part, "the region has a part of the EU's priority only"),
    ];
    let remarks = remarks.into_iter().filter(|(is, _)| *is).map(|(_, remark)| remark);
    remarks.collect::<Vec<_>>().join("; ")
}

fn parts_of(code: PriorityCode, lists: &Lists) -> Vec<String> {
    let cycle = lists.priorities().find(|of| of.code == code).map_or("", |of| of.cycle.as_str());
    let eu = EuCycle::find("cycle", cycle, lists).ok();
    let of = eu.into_iter().flat_map(|eu| eu.priorities).find(|of| of.priority.code == code);
    let parts = of.map_or_else(Vec::new, |of| of.parts);
    parts.iter().map(|part| part.code.to_string()).collect()
}

/// A plan may name a priority of the EU that the list does not match with any of its areas.
fn said(code: PriorityCode, plan: Option<&Plan>) -> String {
    let named = plan.into_iter().flat_map(|plan| &plan.priorities);
    let named: Vec<_> =
        named.filter(|of| of.eu.contains(&code)).map(|of| of.ordinal.to_string()).collect();
    if named.is_empty() {
        return String::new();
    }
    format!("named by priority {} of the plan, not by the list area_map", named.join(", "))
}
