//! Made-up populations and the tables that a bulletin shows of them: regions with two levels, crime areas and
//! categories, contributors of very different size, some of whom stand behind several cells, and some who belong to
//! no single region. Comes in: a seed and a size. Goes out: cells, equations, and who stands behind every cell.

use std::collections::BTreeMap;

use accord_proto::{
    rules::{Contributions, LARGEST, PerMille, Rules},
    suppress::{Cell, Equation, Equations, Fixed, Known, Shown},
};
use anyhow::{Context as _, Result};

/// Splitmix64: the same on every machine.
#[derive(Clone, Debug)]
pub struct Dice(pub u64);

impl Dice {
    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }

    fn size(&mut self, from: usize, to: usize) -> usize {
        from + usize::try_from(self.below((to - from + 1) as u64)).unwrap_or(0)
    }
}

/// The rules that the tables are judged by.
pub const RULES: Rules = Rules {
    units_min: 3,
    sources_min: 0,
    coalition: 1,
    p: Some(PerMille::percent(15)),
    dominance: None,
    prior_posterior: None,
    zeros: true,
};

/// A tree of codes: node 0 is the whole.
#[derive(Clone, Debug)]
struct Axis {
    parents: Vec<Option<usize>>,
}

impl Axis {
    fn of(groups: usize, each: usize) -> Self {
        let mut parents = vec![None];
        for _ in 0..groups {
            let group = parents.len();
            parents.push(Some(0));
            parents.extend(std::iter::repeat_n(Some(group), each));
        }
        Self { parents }
    }

    fn above(&self, node: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(node), |node| self.parents.get(*node).copied().flatten())
    }

    fn below(&self, node: usize) -> Vec<usize> {
        let nodes = 0..self.parents.len();
        nodes.filter(|below| self.parents[*below] == Some(node)).collect()
    }
}

/// Region, crime area, category: each a node of its axis.
type Key = [usize; 3];

/// Who contributes what, where.
#[derive(Clone, Debug)]
pub struct Population {
    axes: [Axis; 3],
    contributions: Vec<(Key, u64, i64)>,
}

/// Tables of one population: what a bulletin is made from, and the truth behind it.
#[derive(Clone, Debug)]
pub struct Tables {
    /// The cells and what holds between them.
    pub equations: Equations,
    /// Of every cell who contributes how much, the largest first.
    pub behind: Vec<Vec<(u64, i64)>>,
    /// How many of the cells are the first table's; they come first.
    pub first: usize,
}

impl Population {
    /// `regions` and `areas`: groups, and how many in each; `categories` have no groups.
    fn of(seed: u64, regions: (usize, usize), areas: (usize, usize), categories: usize) -> Self {
        let mut dice = Dice(seed);
        let axes =
            [Axis::of(regions.0, regions.1), Axis::of(areas.0, areas.1), Axis::of(categories, 0)];
        let counts = dice.below(2) == 0;
        let leaves = |axis: &Axis| {
            let nodes = 0..axis.parents.len();
            nodes.filter(|node| axis.below(*node).is_empty()).collect::<Vec<_>>()
        };
        let categories = leaves(&axes[2]);
        let mut contributions = Vec::new();
        let mut owners = 0;
        for region in leaves(&axes[0]) {
            for area in leaves(&axes[1]) {
                let units = match dice.below(20) {
                    0 | 1 => 0,
                    2 | 3 => 1 + dice.below(2),
                    _ => 4 + dice.below(14),
                };
                for _ in 0..units {
                    // One in ten is somebody who was seen shortly before.
                    let again = owners > 20 && dice.below(10) == 0;
                    let owner = if again { owners - dice.below(20) } else { owners + 1 };
                    owners = owners.max(owner);
                    let most = 8_u64 << dice.below(5);
                    let value = if counts { 1 } else { 4 + dice.below(most) };
                    // Of some only the group of regions is known.
                    let nowhere = dice.below(40) == 0;
                    let group = axes[0].parents[region].filter(|_| nowhere).unwrap_or(region);
                    let category = categories[dice.size(0, categories.len() - 1)];
                    let key = [group, area, category];
                    contributions.push((key, owner, i64::try_from(value).unwrap_or(1)));
                }
            }
        }
        Self { axes, contributions }
    }

    /// The tables that cross these axes, each with all margins. Where two share a cell it is one.
    fn tables(&self, crossed: &[[bool; 3]]) -> Result<Tables> {
        let mut at = BTreeMap::<Key, usize>::new();
        let mut keys = Vec::new();
        let mut first = 0;
        for table in crossed {
            let nodes =
                |axis: usize| 0..if table[axis] { self.axes[axis].parents.len() } else { 1 };
            for key in
                nodes(0).flat_map(|a| nodes(1).flat_map(move |b| nodes(2).map(move |c| [a, b, c])))
            {
                at.entry(key).or_insert_with(|| {
                    keys.push(key);
                    keys.len() - 1
                });
            }
            first = if first == 0 { keys.len() } else { first };
        }
        let mut behind = vec![BTreeMap::<u64, i64>::new(); keys.len()];
        for ([a, b, c], owner, value) in &self.contributions {
            for a in self.axes[0].above(*a) {
                for b in self.axes[1].above(*b) {
                    for cell in self.axes[2].above(*c).filter_map(|c| at.get(&[a, b, c])) {
                        *behind[*cell].entry(*owner).or_default() += value;
                    }
                }
            }
        }
        let behind: Vec<_> = behind.into_iter().map(descending).collect();
        let cells: Vec<_> = behind.iter().map(|behind| judged(behind)).collect();
        let mut equations = Vec::new();
        for (total, key) in keys.iter().enumerate() {
            for axis in 0..3 {
                let below = self.axes[axis].below(key[axis]).into_iter().map(|node| {
                    let mut below = *key;
                    below[axis] = node;
                    at.get(&below).copied()
                });
                let Some(parts) =
                    below.collect::<Option<Vec<_>>>().filter(|parts| !parts.is_empty())
                else {
                    continue;
                };
                let sum: i64 = parts.iter().map(|part| cells[*part].value).sum();
                equations.push(Equation { total, parts, rest: cells[total].value - sum });
            }
        }
        let equations = Equations::new(cells, equations).context("the tables of a population")?;
        Ok(Tables { equations, behind, first })
    }
}

impl Tables {
    /// Of cells with who stands behind them, and of which cells each sum is.
    pub fn of(behind: Vec<BTreeMap<u64, i64>>, sums: &[(usize, Vec<usize>)]) -> Result<Self> {
        let behind: Vec<_> = behind.into_iter().map(descending).collect();
        let cells: Vec<_> = behind.iter().map(|behind| judged(behind)).collect();
        let equation = |(total, parts): &(usize, Vec<usize>)| {
            let sum: i64 = parts.iter().map(|part| cells[*part].value).sum();
            Equation { total: *total, parts: parts.clone(), rest: cells[*total].value - sum }
        };
        let equations = sums.iter().map(equation).collect();
        let first = cells.len();
        let equations = Equations::new(cells, equations).context("the tables")?;
        Ok(Self { equations, behind, first })
    }

    /// The same tables, after the first of them was published. Unsafe figures are hidden for themselves.
    pub fn after(&self, pattern: &[Shown]) -> Result<Self> {
        let mut cells = self.equations.cells().to_vec();
        cells.iter_mut().zip(pattern).for_each(|(cell, shown)| {
            cell.fixed = if shown.is_published() { Fixed::Published } else { Fixed::Suppressed };
        });
        let equations = Equations::new(cells, self.equations.equations().to_vec())?;
        Ok(Self { equations, ..self.clone() })
    }

    /// The same tables as somebody sees them who forgets that contributors know something.
    pub fn without_insiders(&self) -> Result<Self> {
        let forgotten = self.equations.cells().iter().map(|cell| Cell {
            units: cell.units * 2,
            known: Vec::new(),
            ..cell.clone()
        });
        let equations = Equations::new(forgotten.collect(), self.equations.equations().to_vec())?;
        Ok(Self { equations, ..self.clone() })
    }
}

/// One bulletin of about `cells` cells: regions with two levels below the whole, crossed with crime areas with two.
pub fn hierarchical(seed: u64, cells: usize) -> Result<Tables> {
    // 21 crime areas; groups of regions of six, seven with the group itself.
    let groups = (cells / 21).saturating_sub(1).div_ceil(7).max(1);
    Population::of(seed, (groups, 6), (4, 4), 1).tables(&[[true, true, false]])
}

/// One bulletin of about `cells` cells in three dimensions, the hardest kind: many small cells, each in three sums.
pub fn crossed(seed: u64, cells: usize) -> Result<Tables> {
    // 13 crime areas, 4 categories and their whole.
    let groups = (cells / 65).saturating_sub(1).div_ceil(4).max(1);
    Population::of(seed, (groups, 3), (3, 3), 4).tables(&[[true; 3]])
}

/// Two bulletins of one population: regions by crime area, and then either regions by category with the same margins,
/// or the first one's cells by category. First the first of them alone, then both.
pub fn linked(seed: u64) -> Result<[Tables; 2]> {
    let mut dice = Dice(seed ^ 0x11);
    let detailed = dice.below(2) == 0;
    let regions = (2, dice.size(2, 3));
    let (areas, categories) = if detailed { (2, 2) } else { (dice.size(3, 5), dice.size(2, 4)) };
    let population = Population::of(seed, regions, (areas, 0), categories);
    let first = [true, true, false];
    let second = [true, detailed, true];
    Ok([population.tables(&[first])?, population.tables(&[first, second])?])
}

fn descending(behind: BTreeMap<u64, i64>) -> Vec<(u64, i64)> {
    let mut behind: Vec<_> = behind.into_iter().collect();
    behind.sort_by_key(|(owner, value)| (std::cmp::Reverse(*value), *owner));
    behind
}

/// A cell as a node would hand it in: judged by [`RULES`].
fn judged(behind: &[(u64, i64)]) -> Cell {
    let largest: Vec<_> = behind.iter().take(LARGEST).map(|(_, value)| *value).collect();
    let value = behind.iter().map(|(_, value)| value).sum();
    let units = behind.len() as u64;
    let contributions = Contributions::declared(value, Some(units), units, &largest);
    let judgement = RULES.check(&contributions, false);
    Cell {
        value,
        protection: judgement.is_err().then(|| RULES.protection(&contributions)),
        units,
        known: vec![Known {
            owner: behind.first().map(|(owner, _)| *owner),
            amount: largest.first().copied().unwrap_or(0),
            alone: units == 1,
            level: None,
        }],
        cost: value,
        fixed: Fixed::Free,
    }
}
