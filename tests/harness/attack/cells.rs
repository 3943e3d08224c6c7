//! What can be asked, as the attacker sees it. Comes in: axes with their levels. Goes out: cells, each with the
//! leaves that it adds up. A leaf is the finest cell: a region and a month, say.

use std::collections::{HashMap, HashSet};

use accord_proto::taxonomy::{JurisdictionCode, Lists, Period};
use anyhow::{Context as _, Result};

/// Where a place on the axes lies in a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// 0 the jurisdiction as a whole.
    pub level: u32,
    /// A code.
    pub region: String,
    /// In its one spelling.
    pub period: String,
}

/// One cell.
#[derive(Clone, Debug)]
pub struct Cell {
    /// How it is asked.
    pub place: Place,
    /// Its leaves, ascending.
    pub leaves: Vec<usize>,
}

/// A closed lattice.
#[derive(Clone, Debug, Default)]
pub struct Lattice {
    /// How many leaves there are.
    pub leaves: usize,
    /// Every cell that can be asked; leaf `n` is cell `n`.
    pub cells: Vec<Cell>,
    /// Years that are alike, each a repetition of the first.
    pub years: std::ops::Range<u16>,
}

impl Lattice {
    /// Regions of `levels` (the finest last) × months with quarters and year, for every year from `first` on.
    /// A code list decides which regions there are.
    pub fn years(jurisdiction: &str, levels: &[u32], first: u16, years: u16) -> Result<Self> {
        let lists = Lists::builtin();
        let whose = JurisdictionCode::parse(jurisdiction).context("not a jurisdiction")?;
        let regions = |level: u32| lists.regions_of(whose, level);
        let finest = levels.last().copied().context("no level")?;
        let leaves = regions(finest);
        let mut places: Vec<(u32, String, Vec<usize>)> = Vec::new();
        for level in levels.iter().rev() {
            for region in regions(*level) {
                // Codes of statistical regions begin with the code of the region that holds them.
                let inside = |leaf: &str| leaf.starts_with(region.as_str());
                let below = (0..).zip(&leaves).filter(|(_, leaf)| inside(leaf.as_str()));
                places.push((*level, region.to_string(), below.map(|(at, _)| at).collect()));
            }
        }
        let mut times = Vec::new();
        for year in first..first.saturating_add(years) {
            times
                .extend((1..=12).map(|month| {
                    (format!("{year}-{month:02}"), vec![at(year - first, month - 1)])
                }));
        }
        for year in first..first.saturating_add(years) {
            let months =
                |from: u16, to: u16| (from..to).map(|month| at(year - first, month)).collect();
            times.extend((0..4).map(|quarter| {
                (format!("{year}-Q{}", quarter + 1), months(quarter * 3, quarter * 3 + 3))
            }));
            times.push((year.to_string(), months(0, 12)));
        }
        Ok(Self::product(&places, leaves.len(), &times, first..first.saturating_add(years)))
    }

    fn product(
        places: &[(u32, String, Vec<usize>)],
        regions: usize,
        times: &[(String, Vec<usize>)],
        years: std::ops::Range<u16>,
    ) -> Self {
        let months = years.len() * 12;
        let mut cells = Vec::new();
        for (level, region, rows) in places {
            for (period, columns) in times {
                let place = Place { level: *level, region: region.clone(), period: period.clone() };
                let of_row = |row: &usize| {
                    columns.iter().map(move |column| row * months + column).collect::<Vec<_>>()
                };
                cells.push(Cell { place, leaves: rows.iter().flat_map(of_row).collect() });
            }
        }
        // Leaves first, in their order; a coarser region with the same territory is not one.
        let mut named = vec![false; regions * months];
        let mut leaf = |cell: &Cell| match cell.leaves[..] {
            [leaf] if !std::mem::replace(&mut named[leaf], true) => Some(leaf),
            _ => None,
        };
        cells.sort_by_cached_key(|cell| leaf(cell).map_or((true, 0), |leaf| (false, leaf)));
        Self { leaves: regions * months, cells, years }
    }

    /// Cells that hold a leaf. Regions with the same territory are one cell.
    pub fn above(&self, leaf: usize) -> Vec<usize> {
        let mut seen = HashSet::new();
        let holds = |cell: &Cell| cell.leaves.binary_search(&leaf).is_ok();
        let new = |cell: &Cell| (cell.place.period.clone(), cell.leaves.clone());
        let cells = (0..).zip(&self.cells).filter(|(_, cell)| holds(cell));
        cells.filter(|(_, cell)| seen.insert(new(cell))).map(|(at, _)| at).collect()
    }

    /// What a cell of these leaves holds.
    pub fn counted(&self, cell: usize, counts: &[i64]) -> i64 {
        self.cells[cell].leaves.iter().map(|leaf| counts[*leaf]).sum()
    }

    /// Every cell.
    pub fn all(&self) -> Vec<usize> {
        (0..self.cells.len()).collect()
    }

    /// Leaves of the first year.
    pub fn first_leaves(&self) -> Vec<usize> {
        (0..self.leaves).filter(|leaf| self.is_of(*leaf, self.years.start)).collect()
    }

    fn is_of(&self, cell: usize, year: u16) -> bool {
        self.cells[cell].place.period.starts_with(&year.to_string())
    }

    /// For every year: the same cells as these of the first year, in their order.
    pub fn repeated(&self, cells: &[usize]) -> Vec<Vec<usize>> {
        let at: HashMap<&Place, usize> =
            (0..).zip(&self.cells).map(|(at, cell)| (&cell.place, at)).collect();
        let first = self.years.start.to_string();
        let moved = |cell: &usize, year: u16| {
            let place = &self.cells[*cell].place;
            let period = place.period.replacen(&first, &year.to_string(), 1);
            at.get(&Place { period, ..place.clone() }).copied()
        };
        let of_year = |year: u16| cells.iter().filter_map(|cell| moved(cell, year)).collect();
        self.years.clone().map(of_year).collect()
    }

    /// Families of the first year: a cell and the coarsest smaller ones of one kind that together are it.
    pub fn families(&self) -> Vec<(usize, Vec<usize>)> {
        let first: Vec<_> =
            self.all().into_iter().filter(|cell| self.is_of(*cell, self.years.start)).collect();
        let mut families = Vec::new();
        for parent in &first {
            let cell = &self.cells[*parent];
            // One axis is split, the other stays.
            let by_region = |child: &Cell| {
                child.place.period == cell.place.period && child.place.level > cell.place.level
            };
            let by_period = |child: &Cell| {
                child.place.region == cell.place.region && child.place.period != cell.place.period
            };
            let splits: [&dyn Fn(&Cell) -> bool; 2] = [&by_region, &by_period];
            let of = splits.iter().filter_map(|split| self.parts(*parent, &first, split));
            families.extend(of.map(|parts| (*parent, parts)));
        }
        families
    }

    fn parts(
        &self,
        parent: usize,
        among: &[usize],
        of: &dyn Fn(&Cell) -> bool,
    ) -> Option<Vec<usize>> {
        let whole = &self.cells[parent].leaves;
        let inside =
            |child: &Cell| child.leaves.iter().all(|leaf| whole.binary_search(leaf).is_ok());
        let smaller = |at: &usize| {
            let child = &self.cells[*at];
            of(child) && child.leaves.len() < whole.len() && inside(child)
        };
        let mut kinds: Vec<_> = among.iter().copied().filter(smaller).collect();
        kinds.sort_by_key(|at| std::cmp::Reverse(self.cells[*at].leaves.len()));
        let (mut covered, mut parts) = (HashSet::<usize>::new(), Vec::new());
        for at in kinds {
            let leaves = &self.cells[at].leaves;
            if leaves.iter().all(|leaf| !covered.contains(leaf)) {
                covered.extend(leaves);
                parts.push(at);
            }
        }
        (covered.len() == whole.len()).then_some(parts)
    }

    /// Reporting periods that hold a leaf: what is frozen anew when a record of it changes.
    pub fn periods_of(&self, leaf: usize) -> Result<Vec<String>> {
        let month = Period::parse("period", &self.cells[leaf].place.period)?;
        let mut periods: Vec<_> = self.cells.iter().map(|cell| cell.place.period.clone()).collect();
        periods.sort_unstable();
        periods.dedup();
        periods.retain(|period| {
            Period::parse("period", period).is_ok_and(|period| period.holds(month))
        });
        Ok(periods)
    }
}

fn at(year: u16, month: u16) -> usize {
    usize::from(year) * 12 + usize::from(month)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_of_albania_has_its_leaves_first_and_every_margin() {
        let lattice = Lattice::years("AL", &[0, 3], 2024, 1).unwrap();
        assert_eq!(lattice.leaves, 12 * 12);
        assert_eq!(lattice.cells.len(), 13 * 17);
        for (leaf, cell) in lattice.cells.iter().take(lattice.leaves).enumerate() {
            assert_eq!(cell.leaves, [leaf]);
        }
        assert_eq!(lattice.above(5).len(), 6);
        assert_eq!(lattice.periods_of(5).unwrap(), ["2024", "2024-06", "2024-Q2"]);
        // A year by quarters, a quarter by months, the whole by regions.
        let families = lattice.families();
        assert!(families.iter().any(|(_, parts)| parts.len() == 4));
        assert!(families.iter().any(|(_, parts)| parts.len() == 3));
        assert!(families.iter().any(|(_, parts)| parts.len() == 12));
    }
}
