//! What follows from an answer for whoever sees all of it. Comes in: the cells that would be shown, with their standard errors, which
//! are public. Goes out: an interval for every cell, shown or not. Must never look at a true figure: it says what others can know.
//!
//! A shown figure lies within ceil(1.96 standard errors) with 95 % (disclosure.md §3.5), an exact one is known. Of a cell that is not
//! shown, the registry says between which values it can lie at all; a part is no more than its whole less the parts beside
//! it that are shown; where the parts make up the whole for certain (regions of a region, months of a year), it is no less
//! than that either; and a whole is no less than its shown parts. The errors of such differences add up as variances do,
//! and their intervals are made the same way. *Known limit:* one axis at a time, so somebody with a solver and all equations at once
//! can do a little better; that a cell is not shown is taken to say nothing, for it has many reasons.

use std::collections::{BTreeMap, BTreeSet};

use accord_proto::{
    table::Cell,
    taxonomy::{Indicator, JurisdictionCode, Lists, Period, RegionCode, Semantics},
};

use super::PreviewCell;
use crate::record::CellKey;

/// Between which figures a cell lies, both included, in units of 10^-decimals.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// The least.
    pub low: i64,
    /// The most.
    pub high: i64,
}

impl std::fmt::Debug for Interval {
    /// Prints no number.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Interval(_)")
    }
}

/// A figure with its variance, in millionths.
#[derive(Clone, Copy)]
struct Estimate {
    value: i64,
    variance: u128,
}

impl Estimate {
    fn plus(self, other: Self) -> Self {
        Self {
            value: self.value.saturating_add(other.value),
            variance: self.variance.saturating_add(other.variance),
        }
    }

    fn minus(self, other: Self) -> Self {
        self.plus(Self { value: other.value.saturating_neg(), ..other })
    }

    /// Half of the 95 % interval: ceil(1.96 standard errors).
    fn half(self) -> i64 {
        // 1.96² = 3.8416; the variance is in millionths: the root is in 10^-5.
        let scaled = self.variance.saturating_mul(38_416);
        let root = scaled.isqrt();
        let up = u128::from(root.saturating_mul(root) < scaled);
        let whole = (root + up).div_ceil(100_000);
        i64::try_from(whole).unwrap_or(i64::MAX)
    }

    fn low(self) -> i64 {
        self.value.saturating_sub(self.half())
    }

    fn high(self) -> i64 {
        self.value.saturating_add(self.half())
    }
}

/// A cell above another, with what lies beside that.
struct Line {
    whole: CellKey,
    beside: Vec<CellKey>,
    /// The parts make up the whole for certain.
    exhaustive: bool,
}

/// Everything that is shown.
pub(super) struct Seen {
    cells: BTreeMap<CellKey, Estimate>,
    periods: BTreeSet<Period>,
}

impl Seen {
    pub(super) fn new<'a>(cells: impl Iterator<Item = (&'a PreviewCell, u64)>) -> Self {
        let shown = cells.filter_map(|(cell, error)| match cell.leaves {
            Cell::Value(value) => {
                let variance = u128::from(error).saturating_mul(u128::from(error));
                Some((cell.cell, Estimate { value, variance }))
            }
            Cell::NotShown | Cell::Missing | Cell::NotApplicable | Cell::Between(..) => None,
        });
        let cells: BTreeMap<_, _> = shown.collect();
        let periods = cells.keys().map(|cell| cell.period).collect();
        Self { cells, periods }
    }

    /// What is known of a cell. None: of such figures nothing follows from each other, and it is not shown.
    pub(super) fn infer(
        &self,
        cell: &CellKey,
        (indicator, adds_up): (&Indicator, bool),
        place: (JurisdictionCode, &Lists),
    ) -> Option<Interval> {
        let within = |low: i64, high: i64| {
            let low = low.clamp(indicator.value_min, indicator.value_max);
            Interval { low, high: high.clamp(low, indicator.value_max) }
        };
        if let Some(shown) = self.cells.get(cell) {
            return Some(within(shown.low(), shown.high()));
        }
        match indicator.semantics {
            Semantics::Flow | Semantics::Stock | Semantics::Magnitude => {}
            Semantics::Ratio | Semantics::Price | Semantics::Score => return None,
        }
        let (mut low, mut high) = (indicator.value_min, indicator.value_max);
        for line in self.lines(cell, indicator, place) {
            let Some(whole) = self.cells.get(&line.whole) else { continue };
            let beside: Vec<_> =
                line.beside.iter().filter_map(|cell| self.cells.get(cell).copied()).collect();
            let rest = beside.iter().fold(*whole, |rest, part| rest.minus(*part));
            if line.exhaustive && beside.len() == line.beside.len() {
                low = low.max(rest.low());
            }
            // Units that count in several parts are in the whole once.
            high = high.min(if adds_up { rest.high() } else { whole.high() });
        }
        for parts in self.parts(cell, indicator, place) {
            let shown = parts.iter().filter_map(|part| self.cells.get(part).copied());
            let sum = shown.clone().reduce(Estimate::plus);
            let least =
                if adds_up { sum.map(Estimate::low) } else { shown.map(Estimate::low).max() };
            low = low.max(least.unwrap_or(low));
        }
        Some(within(low, high.max(low)))
    }

    /// Every cell directly above, axis by axis.
    fn lines(
        &self,
        cell: &CellKey,
        indicator: &Indicator,
        (jurisdiction, lists): (JurisdictionCode, &Lists),
    ) -> Vec<Line> {
        let mut lines = Vec::new();
        let whole_of = |whole: CellKey, exhaustive: bool| {
            let parts = axis_parts(&whole, cell, indicator, (jurisdiction, lists));
            let beside = parts.into_iter().filter(|part| part != cell).collect();
            Line { whole, beside, exhaustive }
        };
        if let Some(parent) = lists.crime_area_parent(cell.crime_area) {
            lines.push(whole_of(CellKey { crime_area: parent, ..*cell }, false));
        }
        let parent = |code| lists.region_of(code).and_then(|region| region.parent);
        let above = std::iter::successors(parent(cell.region), |code| {
            // Another name of the same territory.
            let only = |above: &RegionCode| direct_below(*above, jurisdiction, lists).len() == 1;
            parent(*code).filter(only)
        });
        let mut above = above.map(|region| CellKey { region, ..*cell });
        if let Some(whole) = above.find(|whole| self.cells.contains_key(whole)) {
            lines.push(whole_of(whole, true));
        }
        for (at, dimension) in indicator.dimensions.iter().enumerate() {
            let Some(category) = cell.categories.get(at).copied().flatten() else { continue };
            let mut known = lists.categories(*dimension);
            let parent = known.find(|known| known.code == category).and_then(|known| known.parent);
            let mut categories = cell.categories;
            if let Some(place) = categories.get_mut(at) {
                *place = parent;
            }
            lines.push(whole_of(CellKey { categories, ..*cell }, false));
        }
        if indicator.semantics != Semantics::Stock {
            let longer = self.periods.iter().filter(|p| **p != cell.period && p.holds(cell.period));
            let wholes = longer.map(|period| CellKey { period: *period, ..*cell });
            lines.extend(wholes.map(|whole| self.line_over_time(whole, cell)));
        }
        lines
    }

    /// Months of a year and the like: those that are shown, and whether these are all.
    fn line_over_time(&self, whole: CellKey, cell: &CellKey) -> Line {
        let length = cell.period.granularity();
        let beside = self.periods.iter().filter(|other| {
            other.granularity() == length && **other != cell.period && whole.period.holds(**other)
        });
        let beside: Vec<_> = beside.map(|period| CellKey { period: *period, ..*cell }).collect();
        let all = whole.period.months().len() / cell.period.months().len().max(1);
        let exhaustive = beside.len() + 1 == all;
        Line { whole, beside, exhaustive }
    }

    /// Parts of a cell, axis by axis.
    fn parts(
        &self,
        cell: &CellKey,
        indicator: &Indicator,
        (jurisdiction, lists): (JurisdictionCode, &Lists),
    ) -> Vec<Vec<CellKey>> {
        let areas = lists.crime_areas_of(indicator);
        let areas = areas.filter(|area| lists.crime_area_parent(*area) == Some(cell.crime_area));
        let mut parts: Vec<Vec<_>> =
            vec![areas.map(|crime_area| CellKey { crime_area, ..*cell }).collect()];
        parts.push(regions_below(cell, (jurisdiction, lists)));
        for at in 0..indicator.dimensions.len() {
            parts.push(categories_below(cell, at, indicator, lists));
        }
        parts
    }
}

/// The parts of `whole` on the axis on which it differs from `cell`.
fn axis_parts(
    whole: &CellKey,
    cell: &CellKey,
    indicator: &Indicator,
    (jurisdiction, lists): (JurisdictionCode, &Lists),
) -> Vec<CellKey> {
    if whole.crime_area != cell.crime_area {
        let areas = lists.crime_areas_of(indicator);
        let areas = areas.filter(|area| lists.crime_area_parent(*area) == Some(whole.crime_area));
        return areas.map(|crime_area| CellKey { crime_area, ..*whole }).collect();
    }
    if whole.region != cell.region {
        return regions_below(whole, (jurisdiction, lists));
    }
    let differs = |at: &usize| whole.categories.get(*at) != cell.categories.get(*at);
    let at = (0..indicator.dimensions.len()).find(differs);
    at.map_or_else(Vec::new, |at| categories_below(whole, at, indicator, lists))
}

fn regions_below(whole: &CellKey, (of, lists): (JurisdictionCode, &Lists)) -> Vec<CellKey> {
    let mut below = direct_below(whole.region, of, lists);
    while let [only] = below.as_slice() {
        let deeper = direct_below(*only, of, lists);
        if deeper.is_empty() {
            break;
        }
        below = deeper;
    }
    below.into_iter().map(|region| CellKey { region, ..*whole }).collect()
}

fn direct_below(region: RegionCode, of: JurisdictionCode, lists: &Lists) -> Vec<RegionCode> {
    let level = lists.region_of(region).map_or(0, |region| region.level);
    let mut below = lists.regions_of(of, level.saturating_add(1));
    below.retain(|code| lists.region_of(*code).and_then(|found| found.parent) == Some(region));
    below
}

fn categories_below(
    whole: &CellKey,
    at: usize,
    indicator: &Indicator,
    lists: &Lists,
) -> Vec<CellKey> {
    let Some(dimension) = indicator.dimensions.get(at) else { return Vec::new() };
    let of = whole.categories.get(at).copied().flatten();
    let below = lists.categories(*dimension).filter(|category| category.parent == of);
    below
        .map(|category| {
            let mut categories = whole.categories;
            if let Some(place) = categories.get_mut(at) {
                *place = Some(category.code);
            }
            CellKey { categories, ..*whole }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lists() -> &'static Lists {
        Lists::builtin()
    }

    fn al() -> JurisdictionCode {
        JurisdictionCode::parse("AL").unwrap()
    }

    fn key(region: &str, period: &str) -> CellKey {
        CellKey::parse(["MIG.IBC.N", "MIG", region, period], &[], al(), lists()).unwrap().0
    }

    /// What follows for a cell from figures with the same standard error.
    fn of(shown: &[(CellKey, i64)], error: u64, cell: &CellKey) -> (i64, i64) {
        let cells: Vec<_> = shown
            .iter()
            .map(|(cell, value)| PreviewCell {
                cell: *cell,
                inside: None,
                leaves: Cell::Value(*value),
                why: None,
                inferred: None,
            })
            .collect();
        let seen = Seen::new(cells.iter().map(|cell| (cell, error)));
        let indicator = lists().indicator("", "MIG.IBC.N").unwrap();
        let found = seen.infer(cell, (indicator, true), (al(), lists())).unwrap();
        (found.low, found.high)
    }

    #[test]
    fn a_shown_figure_is_known_to_its_interval_and_an_exact_one_exactly() {
        let cell = key("AL", "2016");
        assert_eq!(of(&[(cell, 50)], 1_733, &cell), (46, 54));
        assert_eq!(of(&[(cell, 50)], 0, &cell), (50, 50));
        assert_eq!(of(&[(cell, 2)], 1_733, &cell).0, 0, "a count is not negative");
    }

    #[test]
    fn what_is_left_of_an_exact_whole_is_exact() {
        let regions = ["AL01", "AL02", "AL03"].map(|region| key(region, "2016"));
        let whole = (key("AL", "2016"), 100);
        let shown = [whole, (regions[0], 40), (regions[1], 55)];
        assert_eq!(of(&shown, 0, &regions[2]), (5, 5));
        // With noise it is as wide as three errors together: 1.96 √27.
        assert_eq!(of(&shown, 3_000, &regions[2]), (0, 16));
        // If one more is not shown, nothing follows from below.
        assert_eq!(of(&shown[..2], 0, &regions[2]), (0, 60));
        // A whole is no less than its parts.
        assert_eq!(of(&shown[1..], 0, &whole.0).0, 95);
    }

    #[test]
    fn months_make_up_their_quarter() {
        let months = ["2016-01", "2016-02", "2016-03"].map(|month| key("AL", month));
        let shown = [(key("AL", "2016-Q1"), 30), (months[0], 10), (months[1], 12)];
        assert_eq!(of(&shown, 0, &months[2]), (8, 8));
        assert_eq!(of(&shown[..2], 0, &months[2]), (0, 20));
        let nothing = of(&[], 0, &months[2]);
        assert_eq!(nothing.0, 0);
        assert!(nothing.1 > 1_000_000, "nothing is known");
    }
}
