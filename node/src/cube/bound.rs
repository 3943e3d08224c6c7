//! From observations to cells of an indicator's lattice, with what one protected unit may contribute bounded. Comes in:
//! records, a lattice, bounds. Goes out: figures for noise to be added to, with what stands behind each. Must never
//! let one unit count for more than its cap in a cell, nor in more finest cells than it may.
//!
//! # Why this is enough
//! *Claim:* one unit more or less changes at most `leaves` × levels cells, each by at most `cap`. *Argument:* of the finest
//! cells that a unit has events in, `leaves` are kept, chosen by a keyed order that looks at no size; what it brings is cut
//! at `cap` in every cell, margins too. *Known limit:* of a ready total the bound is its producer's word: where a unit is what
//! is counted, a total of n stands for n units that count once each.

use std::collections::{BTreeMap, HashMap, HashSet};

use accord_proto::{
    rules::{Contributions, LARGEST},
    seal::Digest,
    taxonomy::{Indicator, Period, Semantics},
};
use rustc_hash::FxBuildHasher;

use super::Cube;
use crate::{
    lattice::{self, Lattice},
    record::{CellKey, Context, Observed, columns},
};

/// What one unit may do.
#[derive(Clone, Copy)]
pub struct Bounds<'a> {
    /// Most that it contributes to a cell, in units of 10^-decimals; none: as much as it has.
    pub cap: Option<i64>,
    /// Finest cells that it may count in; none: all.
    pub leaves: Option<u32>,
    /// The node's own; which of too many cells are kept is decided by it.
    pub secret: &'a [u8; 32],
}

/// A bounded figure. Never shown as it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Bounded {
    /// Sum, units, sources and the largest contributions.
    pub contributions: Contributions,
    /// The unit of the largest; none where a ready total does not say.
    pub owner: Option<u64>,
}

impl std::fmt::Debug for Bounded {
    /// Prints no number.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bounded(_)")
    }
}

/// An event in one cell.
struct Part {
    target: u32,
    unit: u64,
    context: u16,
    source: u64,
    value: i64,
}

/// A ready total.
struct Total {
    /// Of the region that it was given for: of two names of a territory, the wider one speaks.
    held: CellKey,
    known: Option<Contributions>,
}

/// The figures of one indicator and period, as they come together.
struct Gathering<'a> {
    indicator: &'a Indicator,
    bounds: Bounds<'a>,
    targets: Vec<CellKey>,
    place_of: HashMap<CellKey, u32, FxBuildHasher>,
    parts: Vec<Part>,
    /// By cell and reporting service.
    totals: BTreeMap<(u32, u16), Total>,
}

impl Cube {
    /// The cells of `lattice` for `period`, over the records whose context `counts`.
    pub fn bounded(
        &self,
        (indicator, period): (&Indicator, Period),
        lattice: &Lattice,
        bounds: Bounds<'_>,
        counts: &dyn Fn(&Context) -> bool,
    ) -> BTreeMap<CellKey, Bounded> {
        let records = self.records();
        let counts: Vec<bool> = records.contexts().iter().map(counts).collect();
        let mut gathering = Gathering {
            indicator,
            bounds,
            targets: Vec::new(),
            place_of: HashMap::default(),
            parts: Vec::new(),
            totals: BTreeMap::new(),
        };
        let above: Vec<Vec<u32>> = records
            .cells()
            .iter()
            .map(|cell| {
                let own = cell.indicator == indicator.code;
                let above = if own { lattice.above(cell, period) } else { Vec::new() };
                above.into_iter().map(|target| gathering.place(target)).collect()
            })
            .collect();
        let kept = gathering.leaves_kept(records, &above, &counts);
        for (at, row) in records.rows().iter().enumerate() {
            let Some(above) = above.get(row.cell as usize).filter(|above| !above.is_empty()) else {
                continue;
            };
            if !counts.get(usize::from(row.context)).is_some_and(|counts| *counts) {
                continue;
            }
            let detail = records.detail(at, row);
            if row.mark.is_total() {
                let held = records.cells().get(row.cell as usize);
                if let Some(held) = held.filter(|held| held.period == period) {
                    gathering.total(*held, lattice, row, detail);
                }
            } else if above.first().is_some_and(|leaf| kept(row.unit, *leaf)) {
                gathering.event(above, row, detail);
            }
        }
        gathering.finish(records.contexts())
    }
}

impl Gathering<'_> {
    fn place(&mut self, target: CellKey) -> u32 {
        let targets = &mut self.targets;
        *self.place_of.entry(target).or_insert_with(|| {
            targets.push(target);
            u32::try_from(targets.len() - 1).unwrap_or(u32::MAX)
        })
    }

    /// Which finest cells a unit counts in.
    fn leaves_kept(
        &self,
        records: &crate::record::Records,
        above: &[Vec<u32>],
        counts: &[bool],
    ) -> impl Fn(u64, u32) -> bool + use<> {
        let mut dropped = HashSet::<(u64, u32), FxBuildHasher>::default();
        if let Some(most) = self.bounds.leaves {
            let most = usize::try_from(most).unwrap_or(usize::MAX);
            let mut leaves: Vec<(u64, u32)> = records
                .rows()
                .iter()
                .filter(|row| !row.mark.is_total())
                .filter(|row| counts.get(usize::from(row.context)).is_some_and(|counts| *counts))
                .filter_map(|row| Some((row.unit, *above.get(row.cell as usize)?.first()?)))
                .collect();
            leaves.sort_unstable();
            leaves.dedup();
            for of_unit in leaves.chunk_by(|a, b| a.0 == b.0).filter(|of| of.len() > most) {
                let mut ordered: Vec<_> = of_unit.to_vec();
                ordered.sort_by_cached_key(|(unit, leaf)| self.order(*unit, *leaf));
                dropped.extend(ordered.into_iter().skip(most));
            }
        }
        move |unit, leaf| !dropped.contains(&(unit, leaf))
    }

    fn order(&self, unit: u64, leaf: u32) -> [u8; 32] {
        let leaf = self.targets.get(leaf as usize);
        let name = leaf.map_or_else(Vec::new, |leaf| lattice::name(leaf, self.indicator));
        Digest::of_parts([&self.bounds.secret[..], b"leaf", &unit.to_be_bytes(), &name]).0
    }

    fn event(&mut self, above: &[u32], row: &columns::Row, detail: columns::Detail) {
        // Masked at its source: its upper end, which the cap cuts. To leave its cells out would tell of it.
        let value = if row.mark.is_interval() { detail.high } else { row.low };
        self.parts.extend(above.iter().map(|target| Part {
            target: *target,
            unit: row.unit,
            context: row.context,
            source: row.source,
            value,
        }));
    }

    fn total(
        &mut self,
        held: CellKey,
        lattice: &Lattice,
        row: &columns::Row,
        detail: columns::Detail,
    ) {
        let Some(target) = lattice.canonical(&held) else { return };
        let known = match columns::observed(row, detail) {
            Observed::Value(value) => self.declared(value, row, detail),
            Observed::NotApplicable => return,
            Observed::Between(..) | Observed::Missing | Observed::NotCollected => None,
        };
        let place = self.place(target);
        let total = Total { held, known };
        match self.totals.entry((place, row.context)) {
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(total);
            }
            // The code of the wider of two regions with one territory is the shorter one, and sorts first.
            std::collections::btree_map::Entry::Occupied(mut entry) => {
                if total.held.region < entry.get().held.region {
                    entry.insert(total);
                }
            }
        }
    }

    /// What is known of the units behind a ready total. Nothing, if one of them is said to bring more than its cap, or
    /// must: such a total cannot be bounded.
    fn declared(
        &self,
        value: i64,
        row: &columns::Row,
        detail: columns::Detail,
    ) -> Option<Contributions> {
        let (declared, sources) = (detail.declared, u64::from(row.source != 0));
        let each_counts_once = self.indicator.counting_unit == self.indicator.unit_at_risk
            && matches!(self.indicator.semantics, Semantics::Flow | Semantics::Stock);
        let largest: Vec<i64> = match (declared.largest, declared.second) {
            (Some(largest), Some(second)) => vec![largest, second],
            (Some(largest), None) => vec![largest],
            (None, _) if each_counts_once => {
                vec![1; usize::try_from(value).unwrap_or(0).min(LARGEST)]
            }
            (None, _) => Vec::new(),
        };
        let counted = each_counts_once.then(|| u64::try_from(value).unwrap_or(0));
        let units = declared.units.or(counted);
        if let Some(cap) = self.bounds.cap {
            let most = units.map(|units| i128::from(units) * i128::from(cap));
            if declared.largest.is_some_and(|largest| largest > cap)
                || most.is_some_and(|most| i128::from(value) > most)
            {
                return None;
            }
        }
        Some(Contributions::declared(value, units, sources, &largest))
    }

    fn finish(mut self, contexts: &[Context]) -> BTreeMap<CellKey, Bounded> {
        let origin = |context: u16| {
            contexts.get(usize::from(context)).map_or("", |context| context.origin.as_str())
        };
        // What a service gives ready is not added up from its events again.
        let spoken: HashSet<(u32, &str)> =
            self.totals.keys().map(|(target, context)| (*target, origin(*context))).collect();
        self.parts.retain(|part| !spoken.contains(&(part.target, origin(part.context))));
        self.parts.sort_unstable_by_key(|part| (part.target, part.unit));
        let stock = self.indicator.semantics == Semantics::Stock;
        let mut cells = BTreeMap::<u32, Option<Contributions>>::new();
        let mut owners = BTreeMap::<u32, u64>::new();
        for of_cell in self.parts.chunk_by(|a, b| a.target == b.target) {
            let Some(first) = of_cell.first() else { continue };
            let of_units = of_cell.chunk_by(|a, b| a.unit == b.unit).map(|of_unit| {
                let values = of_unit.iter().map(|part| part.value);
                // A group that is seen twice exists once.
                let brings = if stock {
                    values.max().unwrap_or(0)
                } else {
                    values.fold(0, i64::saturating_add)
                };
                let unit = of_unit.first().map_or(0, |part| part.unit);
                (self.bounds.cap.map_or(brings, |cap| brings.min(cap)), unit)
            });
            let of_units: Vec<(i64, u64)> = of_units.collect();
            if let Some((_, owner)) = of_units.iter().max() {
                owners.insert(first.target, *owner);
            }
            let contributions: Vec<i64> = of_units.into_iter().map(|(brings, _)| brings).collect();
            let mut sources: Vec<_> =
                of_cell.iter().map(|part| part.source).filter(|source| *source != 0).collect();
            sources.sort_unstable();
            sources.dedup();
            cells.insert(
                first.target,
                Some(Contributions::of(&contributions, sources.len() as u64)),
            );
        }
        for ((target, _), total) in &self.totals {
            owners.remove(target);
            let cell = cells.remove(target);
            let joined = match (cell, total.known) {
                (None, known) => known,
                (Some(Some(cell)), Some(known)) => Some(cell.joined(&known)),
                // What one of two services does not have is missing from their sum.
                (Some(_), _) => None,
            };
            cells.insert(*target, joined);
        }
        cells
            .into_iter()
            .filter_map(|(target, known)| {
                let cell = self.targets.get(target as usize)?;
                let owner = owners.get(&target).copied();
                Some((*cell, Bounded { contributions: known?, owner }))
            })
            .collect()
    }
}
