//! The lattice of an indicator: every cell that can be asked in protected or bulletin mode. Comes in: code
//! lists, a jurisdiction, the levels that the policy publishes. Goes out: one canonical cell for each
//! spelling of it, the cells that a record counts in, and how much of its variance a cell keeps when all cells are
//! put together. Must never hold a cell that is not a product of list levels: no union, no range, no exception.
//!
//! # Why this is enough
//! *Claim:* whoever has every cell of the lattice knows a finest cell no better than with 0.4 of its variance.
//! *Argument:* the noise of every cell is independent, so the best estimate is least squares over
//! M = Σ A'A; levels of several axes multiply, so M is a product over the axes, and so is the diagonal of its
//! inverse ([`Lattice::kept`]). Cells with the same extension are one cell: a region whose territory is that
//! of the one above it is asked under either name and has one figure; an area or category that is the only listed
//! child of another is not in the lattice beside it, for it may be all of it. *Known limit:* two indicators may
//! count the same units (victims; victims under 18): lists do not say so, and each indicator has a budget of its own.

use std::collections::BTreeSet;

use accord_proto::taxonomy::{
    Categories, CategoryCode, CrimeAreaCode, DIMENSIONS_MAX, DimensionCode, Granularity, Indicator,
    IndicatorCode, JurisdictionCode, Lists, Period, RegionCode, Semantics,
};

use crate::record::CellKey;

mod axis;

use axis::{Axis, Block};

/// The levels of an indicator that are published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Levels {
    /// Ascending, at least one.
    pub granularity: Vec<Granularity>,
    /// 0 the jurisdiction, 1 to 3 its statistical regions; ascending, at least one.
    pub regions: Vec<u32>,
    /// 0 the highest areas of the indicator, 1 what is directly below, …; ascending, at least one.
    pub areas: Vec<u32>,
    /// What it is broken down by, in the registry's order.
    pub dimensions: Vec<DimensionCode>,
}

/// Every cell of an indicator that can be asked of this node.
#[derive(Clone, Debug)]
pub struct Lattice {
    levels: Levels,
    adds_over_time: bool,
    areas: Axis<CrimeAreaCode>,
    regions: Axis<RegionCode>,
    /// In the registry's order; a dimension that is not published has nothing on it.
    dimensions: Vec<Axis<CategoryCode>>,
}

impl Lattice {
    /// All cells at these levels.
    pub fn new(
        indicator: &Indicator,
        levels: Levels,
        jurisdiction: JurisdictionCode,
        lists: &Lists,
    ) -> Self {
        let areas = areas(indicator, &levels, lists);
        let regions = regions(&levels, jurisdiction, lists);
        let of_dimension = |dimension: &DimensionCode| {
            if !levels.dimensions.contains(dimension) {
                return Axis::default();
            }
            let nodes = lists.categories(*dimension).map(|c| (c.code, c.parent, true));
            // Over all categories is above all of them.
            Axis::new(nodes.collect(), false).under_a_total()
        };
        let dimensions = indicator.dimensions.iter().map(of_dimension).collect();
        let adds_over_time = indicator.semantics != Semantics::Stock;
        Self { levels, adds_over_time, areas, regions, dimensions }
    }

    /// What was published.
    pub fn levels(&self) -> &Levels {
        &self.levels
    }

    /// The one name of a cell, or none if it is not in the lattice.
    pub fn canonical(&self, cell: &CellKey) -> Option<CellKey> {
        if !self.levels.granularity.contains(&cell.period.granularity()) {
            return None;
        }
        let mut categories = Categories::default();
        for (at, category) in cell.categories.iter().enumerate() {
            let Some(category) = category else { continue };
            *categories.get_mut(at)? = Some(self.dimensions.get(at)?.canonical(*category)?);
        }
        Some(CellKey {
            crime_area: self.areas.canonical(cell.crime_area)?,
            region: self.regions.canonical(cell.region)?,
            categories,
            ..*cell
        })
    }

    /// The cells of `period` in which what is recorded at `cell` counts, the finest first. None of them if it is
    /// recorded at no published level.
    pub fn above(&self, cell: &CellKey, period: Period) -> Vec<CellKey> {
        let at_its_time = self.adds_over_time || period == cell.period;
        if !period.holds(cell.period)
            || !at_its_time
            || !self.levels.granularity.contains(&period.granularity())
        {
            return Vec::new();
        }
        let mut categories = vec![Categories::default()];
        for (at, axis) in self.dimensions.iter().enumerate().take(DIMENSIONS_MAX) {
            let found = cell.categories.get(at).copied().flatten();
            let places = found.map_or(&[][..], |category| axis.above(category));
            let mut all = Vec::with_capacity(categories.len() * (places.len() + 1));
            for place in places.iter().copied().map(Some).chain([None]) {
                all.extend(categories.iter().map(|categories| {
                    let mut categories = *categories;
                    if let Some(of_axis) = categories.get_mut(at) {
                        *of_axis = place;
                    }
                    categories
                }));
            }
            categories = all;
        }
        let mut cells = Vec::new();
        for crime_area in self.areas.above(cell.crime_area) {
            for region in self.regions.above(cell.region) {
                cells.extend(categories.iter().map(|categories| CellKey {
                    period,
                    indicator: cell.indicator,
                    crime_area: *crime_area,
                    region: *region,
                    categories: *categories,
                }));
            }
        }
        cells
    }

    /// Every cell of one period under its one name, in a fixed order. Bounded by whoever defines the lattice.
    pub fn cells(&self, indicator: IndicatorCode, period: Period) -> Vec<CellKey> {
        if !self.levels.granularity.contains(&period.granularity()) {
            return Vec::new();
        }
        let mut categories = vec![Categories::default()];
        for (at, axis) in self.dimensions.iter().enumerate().take(DIMENSIONS_MAX) {
            let of_axis = [None].into_iter().chain(axis.published().into_iter().map(Some));
            let with = |place: Option<CategoryCode>| {
                let with = move |categories: &Categories| {
                    let mut categories = *categories;
                    if let Some(of_axis) = categories.get_mut(at) {
                        *of_axis = place;
                    }
                    categories
                };
                categories.iter().map(with).collect::<Vec<_>>()
            };
            categories = of_axis.flat_map(with).collect();
        }
        let mut cells = Vec::new();
        for crime_area in self.areas.published() {
            for region in self.regions.published() {
                let cell =
                    |categories| CellKey { period, indicator, crime_area, region, categories };
                cells.extend(categories.iter().copied().map(cell));
            }
        }
        cells
    }

    /// The cells directly above one, each with the number of the axis that leads there. Along one axis the cells below a
    /// cell exclude each other: it is their sum and a rest.
    pub fn directly_above(&self, cell: &CellKey) -> Vec<(usize, CellKey)> {
        let area = self.areas.parent(cell.crime_area);
        let region = self.regions.parent(cell.region);
        let mut above: Vec<_> = area
            .map(|crime_area| (0, CellKey { crime_area, ..*cell }))
            .into_iter()
            .chain(region.map(|region| (1, CellKey { region, ..*cell })))
            .collect();
        for (at, (axis, category)) in self.dimensions.iter().zip(cell.categories).enumerate() {
            let Some(category) = category else { continue };
            let mut categories = cell.categories;
            if let Some(of_axis) = categories.get_mut(at) {
                *of_axis = axis.parent(category);
            }
            above.push((at + 2, CellKey { categories, ..*cell }));
        }
        above
    }

    /// Is a longer period the sum of the shorter ones in it?
    pub fn adds_over_time(&self) -> bool {
        self.adds_over_time
    }

    /// How many cells of one period a record counts in, at most.
    pub fn levels_of_one_period(&self) -> u32 {
        let dimensions = self.dimensions.iter().map(Axis::depth);
        [self.areas.depth(), self.regions.depth()].into_iter().chain(dimensions).product()
    }

    /// How many cells of all periods a record counts in, at most (T of disclosure.md §3.3).
    pub fn levels_in_all(&self) -> u32 {
        let over_time = if self.adds_over_time { self.levels.granularity.len() } else { 1 };
        self.levels_of_one_period().saturating_mul(u32::try_from(over_time).unwrap_or(u32::MAX))
    }

    /// Cells of one period.
    pub fn cells_of_one_period(&self) -> usize {
        let dimensions = self.dimensions.iter().map(Axis::width);
        [self.areas.width(), self.regions.width()]
            .into_iter()
            .chain(dimensions)
            .fold(1, usize::saturating_mul)
    }

    /// The share of its variance that the best-known finest cell keeps when all cells of all periods are put together, each
    /// drawn once (disclosure.md §2.6: 0.44 for 2 × 2, 0.67 for 5 × 4, 0.84 for 12 × 10).
    pub fn kept(&self) -> f64 {
        let over_time = if self.adds_over_time { self.kept_over_time() } else { 1.0 };
        let dimensions = self.dimensions.iter().map(Axis::kept);
        [self.areas.kept(), self.regions.kept(), over_time].into_iter().chain(dimensions).product()
    }

    fn kept_over_time(&self) -> f64 {
        let mut per_year: Vec<_> =
            self.levels.granularity.iter().map(|length| length.per_year()).collect();
        per_year.sort_unstable();
        per_year.reverse();
        let mut year = Block::leaf();
        for of in per_year.windows(2) {
            let [finer, coarser] = of else { continue };
            year = Block::beside((0..finer / coarser).map(|_| year.clone())).under_one();
        }
        year.kept()
    }
}

fn areas(indicator: &Indicator, levels: &Levels, lists: &Lists) -> Axis<CrimeAreaCode> {
    let known: BTreeSet<_> = lists.crime_areas_of(indicator).collect();
    let parent = |code| lists.crime_area_parent(code).filter(|parent| known.contains(parent));
    let level = |code| {
        let line = std::iter::successors(parent(code), |code| parent(*code));
        u32::try_from(line.count()).unwrap_or(u32::MAX)
    };
    let nodes = known.iter().map(|code| {
        let published = levels.areas.contains(&level(*code));
        (*code, parent(*code), published)
    });
    Axis::new(nodes.collect(), false)
}

fn regions(levels: &Levels, jurisdiction: JurisdictionCode, lists: &Lists) -> Axis<RegionCode> {
    let nodes = (0..=3)
        .flat_map(|level| lists.regions_of(jurisdiction, level))
        .filter_map(|code| lists.region_of(code))
        .map(|region| (region.code, region.parent, levels.regions.contains(&region.level)));
    Axis::new(nodes.collect(), true)
}

/// Stable bytes of a canonical cell: its codes, which outlive every version of a list.
pub fn name(cell: &CellKey, indicator: &Indicator) -> Vec<u8> {
    let CellKey { period, indicator: code, crime_area, region, categories } = cell;
    let mut name = format!("{code}|{crime_area}|{region}|{period}");
    for (dimension, category) in indicator.dimensions.iter().zip(categories) {
        if let Some(category) = category {
            name.push_str(&format!("|{dimension}={category}"));
        }
    }
    name.into_bytes()
}

#[cfg(test)]
mod tests;
