//! From observations to cells of the lattice, for one reporting period. Comes in: records. Goes out: every
//! cell that holds something, with what disclosure rules need to know: records, distinct protected units,
//! distinct sources, sum, and the two largest units. Exact: nothing is estimated, no unit counted twice.
//!
//! An event counts at its own cell and at every cell above it: crime area, region, period, and with or
//! without each of its categories. A ready total counts at its own cell only. Where a service gives a ready
//! total for a cell, its own events are not added to it: the total is what the service says of the cell.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use accord_proto::taxonomy::{IndicatorCode, Lists, Period, Semantics};
use rustc_hash::FxBuildHasher;

use super::Cube;
use crate::record::{CellKey, Context, Observed, Quality, columns};

/// Everything that is true of a cell.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Aggregate {
    /// Observations behind it.
    pub records: u64,
    /// Distinct protected units; none where a producer does not say.
    pub units: Option<u64>,
    /// Distinct sources that were named; of several services' figures the most that one of them names.
    pub sources: u64,
    /// The figure.
    pub observed: Observed,
    /// What the two largest units contribute, in units of 10^-decimals; none where a producer does not say.
    pub largest: Option<[i64; 2]>,
    /// The worst of the observations.
    pub quality: Quality,
    /// Records were left out that may not count for the audience: the figure is less than is held. Shown
    /// beside the whole figure of another audience it would give the difference away.
    pub partial: bool,
}

impl std::fmt::Debug for Aggregate {
    /// Prints no number.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Aggregate({:?})", self.observed)
    }
}

/// Cells that hold something, ascending.
pub type Cells = BTreeMap<CellKey, Aggregate>;

/// What an event brings to one cell.
struct Contribution {
    target: u32,
    unit: u64,
    source: u64,
    low: i64,
    high: i64,
    context: u16,
    quality: Quality,
}

/// What services say of one cell.
#[derive(Default)]
struct Totals {
    /// By service: its events are not added.
    origins: Vec<String>,
    parts: Vec<Aggregate>,
}

impl Cube {
    /// Every cell of `period` that holds something, over the records whose context `counts`.
    pub fn tabulate(
        &self,
        period: Period,
        lists: &Lists,
        counts: &dyn Fn(&Context) -> bool,
    ) -> Cells {
        let records = self.records();
        let counts: Vec<bool> = records.contexts().iter().map(counts).collect();
        let indicators: BTreeSet<_> = records.cells().iter().map(|cell| cell.indicator).collect();
        let mut cells = Cells::new();
        // One after the other: what is in memory at a time is what one of them needs.
        for indicator in indicators {
            cells.append(&mut self.of_indicator(indicator, period, lists, &counts));
        }
        cells
    }

    fn of_indicator(
        &self,
        indicator: IndicatorCode,
        period: Period,
        lists: &Lists,
        counts: &[bool],
    ) -> Cells {
        let records = self.records();
        let (targets, of_cell) = targets(records.cells(), indicator, period, lists);
        if targets.is_empty() {
            return Cells::new();
        }
        let mut totals = HashMap::<u32, Totals, FxBuildHasher>::default();
        let (mut events, mut left_out) = (Vec::new(), BTreeSet::<u32>::new());
        for (at, row) in records.rows().iter().enumerate() {
            let of_cell = of_cell.get(row.cell as usize).map_or(&[][..], Vec::as_slice);
            if of_cell.is_empty() {
                continue;
            }
            if !counts.get(usize::from(row.context)).is_some_and(|counts| *counts) {
                left_out.extend(of_cell);
                continue;
            }
            let detail = records.detail(at, row);
            if row.mark.is_total() {
                let own = records.cells().get(row.cell as usize);
                // Only at its own cell, and only for its own period.
                let target = of_cell.iter().find(|target| own == targets.get(**target as usize));
                if let Some(target) = target {
                    let origin = records.contexts().get(usize::from(row.context));
                    let totals = totals.entry(*target).or_default();
                    totals.origins.push(origin.map_or(String::new(), |c| c.origin.clone()));
                    totals.parts.push(of_total(row, detail));
                }
                continue;
            }
            let high = if row.mark.is_interval() { detail.high } else { row.low };
            events.extend(of_cell.iter().map(|target| Contribution {
                target: *target,
                unit: row.unit,
                source: row.source,
                low: row.low,
                high,
                context: row.context,
                quality: row.quality,
            }));
        }
        let mut cells = gather(events, &totals, records.contexts(), &targets, lists);
        for target in left_out {
            let cell = targets.get(target as usize).and_then(|key| cells.get_mut(key));
            if let Some(aggregate) = cell {
                aggregate.partial = true;
            }
        }
        cells
    }
}

/// The cells of `period` that something could count in, and for every held cell the ones it counts in.
fn targets(
    held: &[CellKey],
    indicator: IndicatorCode,
    period: Period,
    lists: &Lists,
) -> (Vec<CellKey>, Vec<Vec<u32>>) {
    let mut targets = Vec::new();
    let mut at = HashMap::<CellKey, u32, FxBuildHasher>::default();
    let of_cell = held.iter().map(|cell| {
        if cell.indicator != indicator {
            return Vec::new();
        }
        let above = above(cell, period, lists);
        let numbered = above.into_iter().map(|target| {
            *at.entry(target).or_insert_with(|| {
                targets.push(target);
                u32::try_from(targets.len() - 1).unwrap_or(u32::MAX)
            })
        });
        numbered.collect()
    });
    let of_cell = of_cell.collect();
    (targets, of_cell)
}

/// The cell itself and everything above it, in `period`. Nothing if `period` does not hold the cell's own.
pub(super) fn above(cell: &CellKey, period: Period, lists: &Lists) -> Vec<CellKey> {
    if !period.holds(cell.period) {
        return Vec::new();
    }
    let Some(indicator) = lists.indicator_of(cell.indicator) else {
        return Vec::new();
    };
    // A state at a moment is not added up over time.
    let at_its_time = indicator.semantics != Semantics::Stock || period == cell.period;
    if !at_its_time || !indicator.granularity.contains(&period.granularity()) {
        return Vec::new();
    }
    let areas = std::iter::successors(Some(cell.crime_area), |area| lists.crime_area_parent(*area))
        .filter(|area| lists.allows(indicator, *area));
    let areas: Vec<_> = areas.collect();
    let regions = std::iter::successors(lists.region_of(cell.region), |region| {
        region.parent.and_then(|parent| lists.region_of(parent))
    });
    let regions: Vec<_> = regions
        .filter(|region| indicator.levels.contains(&region.level))
        .map(|region| region.code)
        .collect();
    let mut categories = vec![cell.categories];
    for at in 0..cell.categories.len() {
        if cell.categories.get(at).is_some_and(Option::is_some) {
            let without = categories.clone().into_iter().map(|mut categories| {
                categories[at] = None;
                categories
            });
            categories.extend(without.collect::<Vec<_>>());
        }
    }
    let mut above = Vec::with_capacity(areas.len() * regions.len() * categories.len());
    for crime_area in &areas {
        for region in &regions {
            above.extend(categories.iter().map(|categories| CellKey {
                period,
                indicator: cell.indicator,
                crime_area: *crime_area,
                region: *region,
                categories: *categories,
            }));
        }
    }
    above
}

/// What a ready total says of its cell.
fn of_total(row: &columns::Row, detail: columns::Detail) -> Aggregate {
    let declared = detail.declared;
    Aggregate {
        records: 1,
        units: declared.units,
        sources: u64::from(row.source != 0),
        observed: columns::observed(row, detail),
        largest: declared.largest.map(|largest| [largest, declared.second.unwrap_or(0)]),
        quality: row.quality,
        partial: false,
    }
}

fn gather(
    mut events: Vec<Contribution>,
    totals: &HashMap<u32, Totals, FxBuildHasher>,
    contexts: &[Context],
    targets: &[CellKey],
    lists: &Lists,
) -> Cells {
    events.sort_unstable_by_key(|event| (event.target, event.unit));
    let mut cells = Cells::new();
    for of_target in events.chunk_by(|a, b| a.target == b.target) {
        let Some(first) = of_target.first() else { continue };
        let Some(key) = targets.get(first.target as usize) else { continue };
        let semantics = lists.indicator_of(key.indicator).map(|indicator| indicator.semantics);
        let spoken_for = totals.get(&first.target).map_or(&[][..], |totals| &totals.origins);
        let counts = |event: &&Contribution| {
            let context = contexts.get(usize::from(event.context));
            context.is_none_or(|context| !spoken_for.contains(&context.origin))
        };
        let counted: Vec<_> = of_target.iter().filter(counts).collect();
        if let Some(aggregate) = add_events(&counted, semantics) {
            cells.insert(*key, aggregate);
        }
    }
    for (target, totals) in totals {
        let Some(key) = targets.get(*target as usize) else { continue };
        let parts = totals.parts.iter().copied().chain(cells.get(key).copied());
        if let Some(sum) = parts.reduce(add) {
            cells.insert(*key, sum);
        }
    }
    cells
}

/// Adds the events of one cell, ordered by unit.
fn add_events(events: &[&Contribution], semantics: Option<Semantics>) -> Option<Aggregate> {
    if events.is_empty() {
        return None;
    }
    let (mut low, mut high, mut units) = (0_i128, 0_i128, 0);
    let mut largest = [0_i64; 2];
    for of_unit in events.chunk_by(|a, b| a.unit == b.unit) {
        let lows = of_unit.iter().map(|event| i128::from(event.low));
        let highs = of_unit.iter().map(|event| i128::from(event.high));
        let (unit_low, unit_high) = if semantics == Some(Semantics::Stock) {
            // A group that is seen twice exists once.
            (lows.max().unwrap_or(0), highs.max().unwrap_or(0))
        } else {
            (lows.sum(), highs.sum())
        };
        units += 1;
        low += unit_low;
        high += unit_high;
        let brings = narrowed(unit_high);
        if brings > largest[0] {
            largest = [brings, largest[0]];
        } else if brings > largest[1] {
            largest[1] = brings;
        }
    }
    let mut sources: Vec<_> =
        events.iter().map(|event| event.source).filter(|source| *source != 0).collect();
    sources.sort_unstable();
    sources.dedup();
    let (low, high) = (narrowed(low), narrowed(high));
    Some(Aggregate {
        records: events.len() as u64,
        units: Some(units),
        sources: sources.len() as u64,
        observed: if low == high { Observed::Value(low) } else { Observed::Between(low, high) },
        largest: Some(largest),
        quality: events.iter().map(|event| event.quality).max().unwrap_or_default(),
        partial: false,
    })
}

/// Two services' figures of one cell. They count different units; what one of them does not have is missing
/// from the sum, and the sum says so.
fn add(a: Aggregate, b: Aggregate) -> Aggregate {
    let sum = |a: i64, b: i64| narrowed(i128::from(a) + i128::from(b));
    let bounds = |observed| match observed {
        Observed::Value(value) => Some((value, value)),
        Observed::Between(low, high) => Some((low, high)),
        Observed::Missing | Observed::NotCollected | Observed::NotApplicable => None,
    };
    let observed = match (bounds(a.observed), bounds(b.observed)) {
        (Some((a, c)), Some((b, d))) if (a, b) == (c, d) => Observed::Value(sum(a, b)),
        (Some((a, c)), Some((b, d))) => Observed::Between(sum(a, b), sum(c, d)),
        (None, None) if a.observed == b.observed => a.observed,
        (None, _) if a.observed == Observed::NotApplicable => b.observed,
        (_, None) if b.observed == Observed::NotApplicable => a.observed,
        _ => Observed::Missing,
    };
    let largest = a.largest.zip(b.largest).map(|([a, b], [c, d])| {
        let mut all = [a, b, c, d];
        all.sort_unstable();
        [all[3], all[2]]
    });
    Aggregate {
        records: a.records + b.records,
        units: a.units.zip(b.units).map(|(a, b)| a.saturating_add(b)),
        // Whether both rest on the same ones is not known: at least so many.
        sources: a.sources.max(b.sources),
        observed,
        largest,
        quality: a.quality.max(b.quality),
        partial: a.partial || b.partial,
    }
}

/// Past what fits, the largest that does: such a figure is beyond every plausible range anyway.
fn narrowed(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
