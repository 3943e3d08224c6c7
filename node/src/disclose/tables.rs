//! The tables of a bulletin: cells of a lattice, what stands behind them, and the sums that hold between them. Comes in:
//! figures of one population by period, and the signed bulletins of the same year. Goes out: [`Tables`], ready for
//! suppression and audit, or why there is no bulletin. Must never leave out a sum that a reader knows, nor take a figure
//! that readers have for one that they have not.
//!
//! # Why this is enough
//! *Claim:* the audit sees every linear equation that readers can set up from all bulletins of this indicator and
//! year. *Argument:* cells of a lattice add up along one axis at a time; along each, a cell is the sum of the
//! published cells directly below it and a rest, which is taken as known to the reader; every other sum follows from these.
//! Over time a period is the sum of the published shorter ones and a rest. Periods of other years share no event. Cells
//! of earlier bulletins stand in the same system as what they are, published or hidden. Where one of them is about
//! other records than this one, or its figures are not those that are held now, there is no bulletin: the difference would
//! be the record that came late. *Known limit:* a cell that nothing is held for counts as what is held below it,
//! mostly zero, though its figure may only be missing or masked: it is hidden, and the audit protects that. Of a hidden figure that was corrected after its bulletin was
//! signed, the audit knows the new one only.

use std::collections::BTreeMap;

use accord_proto::{
    rules::{Contributions, Rules, Unsafe, discloses_group},
    suppress::{self, Cell, Choice, Cost, Equation, Equations, Fixed, Known, Malformed},
    taxonomy::{Indicator, Period},
};

use super::offer::Bulletin;
use crate::{cube::Bounded, lattice::Lattice, record::CellKey};

/// Why there is no bulletin. For its own house only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoBulletin {
    /// Nothing counts in it.
    #[error("nothing is held that counts for all its audiences")]
    Nothing,
    /// A bulletin of the same year is about something else.
    #[error("the bulletin of {0} was signed for other audiences, handling rules or levels")]
    OtherTerms(Period),
    /// A bulletin of the same year is about figures that are not held any more.
    #[error(
        "what is held for {0} has changed since its bulletin was signed: the difference would be what was changed"
    )]
    Corrected(Period),
    /// Handling has changed since it was signed.
    #[error("a bulletin was signed before, and whether its records may count has changed since")]
    HandlingChanged,
    /// The figures are no tables.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// No pattern is safe.
    #[error(transparent)]
    FailClosed(#[from] suppress::FailClosed),
    /// A safe pattern shows nothing.
    #[error("no cell of it may be published")]
    Empty,
}

/// What tables are made from, beside the figures.
#[derive(Clone, Copy)]
pub struct Making<'a> {
    /// Whose figures.
    pub indicator: &'a Indicator,
    /// For which period.
    pub period: Period,
    /// Its cells.
    pub lattice: &'a Lattice,
    /// What is unsafe: secret.
    pub rules: &'a Rules,
}

/// Figures of one period, and the bulletin that was signed for it, if it is not the one that is being made.
pub struct OfPeriod<'a> {
    /// Which.
    pub period: Period,
    /// What is held.
    pub figures: BTreeMap<CellKey, Bounded>,
    /// What readers have.
    pub signed: Option<&'a Bulletin>,
}

/// Cells, what stands behind them, and the equations between them.
pub struct Tables {
    /// By index; those of the period come first.
    keys: Vec<CellKey>,
    /// How many those are.
    own: usize,
    /// Of each: may it be shown?
    safe: Vec<Result<(), Unsafe>>,
    equations: Equations,
    threshold: u64,
}

impl std::fmt::Debug for Tables {
    /// Prints no number.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tables(_)")
    }
}

impl Making<'_> {
    /// All tables that readers can put together. The period's own stands among `periods`, without a bulletin.
    pub fn tables(&self, periods: &[OfPeriod<'_>]) -> Result<Tables, NoBulletin> {
        let own = periods.iter().find(|of| of.period == self.period);
        if own.is_none_or(|own| own.figures.is_empty()) {
            return Err(NoBulletin::Nothing);
        }
        let mut ordered: Vec<_> = periods.iter().collect();
        ordered.sort_by_key(|of| (of.period != self.period, of.period));
        let (mut keys, mut cells, mut safe) = (Vec::new(), Vec::new(), Vec::new());
        let mut of_own = 0;
        for of in ordered {
            let names = self.lattice.cells(self.indicator.code, of.period);
            if of.signed.is_some_and(|signed| !same_cells(signed, &names)) {
                return Err(NoBulletin::OtherTerms(of.period));
            }
            for key in &names {
                let (cell, verdict) = self.cell(key, of)?;
                cells.push(cell);
                safe.push(verdict);
            }
            keys.extend(names);
            of_own = if of_own == 0 { keys.len() } else { of_own };
        }
        let sums = self.sums(&keys);
        let held = |key: &CellKey| {
            let of = periods.iter().find(|of| of.period == key.period);
            of.is_some_and(|of| of.figures.contains_key(key))
        };
        let absent: Vec<bool> = keys.iter().map(|key| !held(key)).collect();
        complete(&mut cells, &absent, &sums);
        let equations = sums.into_iter().map(|(total, parts)| equation(&cells, total, parts));
        let equations: Vec<_> = equations.collect();
        // Here nothing is noisy: parts that are more than the whole are a mistake.
        if equations.iter().any(|equation| equation.rest < 0) {
            return Err(Malformed::Figure.into());
        }
        let equations = Equations::new(cells, equations)?;
        Ok(Tables { keys, own: of_own, safe, equations, threshold: self.rules.units_min })
    }

    fn cell(
        &self,
        key: &CellKey,
        of: &OfPeriod<'_>,
    ) -> Result<(Cell, Result<(), Unsafe>), NoBulletin> {
        let held = of.figures.get(key);
        let contributions =
            held.map_or_else(|| Contributions::of(&[], 0), |bounded| bounded.contributions);
        let fixed = match of.signed.and_then(|signed| signed.cells.get(key)) {
            None => Fixed::Free,
            Some(None) => Fixed::Suppressed,
            Some(Some(value)) if *value == contributions.total => Fixed::Published,
            Some(Some(_)) => return Err(NoBulletin::Corrected(of.period)),
        };
        let verdict = self.rules.check(&contributions, self.indicator.human_sources);
        let grouped = self.rules.zeros && self.says_of_all(key, &contributions, of);
        let verdict = verdict.and(if grouped { Err(Unsafe::GroupDisclosed) } else { Ok(()) });
        let value = contributions.total;
        let largest = contributions.largest.first().filter(|_| contributions.known > 0);
        // Of how many is not known: one of them may know it all.
        let units = contributions.units.unwrap_or(1);
        let cell = Cell {
            value,
            protection: verdict.is_err().then(|| {
                let group = if grouped { self.rules.group() } else { 0 };
                self.rules.protection(&contributions).max(group)
            }),
            units,
            known: vec![Known {
                owner: held.and_then(|bounded| bounded.owner),
                amount: largest.copied().unwrap_or(value).min(value),
                alone: units == 1,
                level: None,
            }],
            cost: value,
            fixed,
        };
        Ok((cell, verdict))
    }

    /// Does a cell say of everybody in a cell directly above it, but for those whom a coalition knows, that they
    /// belong to it? Over time that says nothing about them. Where zeros are hidden the audit sees to it that
    /// nobody can tell whether anybody is elsewhere; where they may be shown, nothing but this does.
    fn says_of_all(&self, key: &CellKey, part: &Contributions, of: &OfPeriod<'_>) -> bool {
        let units = |above: &CellKey| of.figures.get(above)?.contributions.units;
        self.lattice.directly_above(key).iter().any(|(_, above)| {
            part.units.zip(units(above)).is_some_and(|(part, margin)| {
                discloses_group(part, margin, self.rules.coalition as u64)
            })
        })
    }

    /// Along each axis, and over time.
    fn sums(&self, keys: &[CellKey]) -> Vec<(usize, Vec<usize>)> {
        let at: BTreeMap<&CellKey, usize> = keys.iter().zip(0..).collect();
        let mut sums = BTreeMap::<(usize, Sum), Vec<usize>>::new();
        for (part, key) in keys.iter().enumerate() {
            for (axis, above) in self.lattice.directly_above(key) {
                if let Some(total) = at.get(&above) {
                    sums.entry((*total, Sum::Along(axis))).or_default().push(part);
                }
            }
        }
        let mut periods: Vec<Period> = keys.iter().map(|key| key.period).collect();
        periods.sort_unstable();
        periods.dedup();
        for (part, key) in keys.iter().enumerate().filter(|_| self.lattice.adds_over_time()) {
            let longer = |period: &&Period| **period != key.period && period.holds(key.period);
            for period in periods.iter().filter(longer) {
                if let Some(total) = at.get(&CellKey { period: *period, ..*key }) {
                    let parts = key.period.granularity().per_year();
                    sums.entry((*total, Sum::OverTime(parts))).or_default().push(part);
                }
            }
        }
        sums.into_iter().map(|((total, _), parts)| (total, parts)).collect()
    }
}

fn sum(cells: &[Cell], parts: &[usize]) -> i64 {
    let values = parts.iter().filter_map(|part| cells.get(*part)).map(|cell| cell.value);
    values.fold(0, i64::saturating_add)
}

fn equation(cells: &[Cell], total: usize, parts: Vec<usize>) -> Equation {
    let value = cells.get(total).map_or(0, |cell| cell.value);
    // Below zero, if the parts are more than the whole.
    Equation { total, rest: value.saturating_sub(sum(cells, &parts)), parts }
}

/// Nothing is held for a cell, but for cells below it: it is at least their sum. It stays hidden, and its sums hold.
fn complete(cells: &mut [Cell], absent: &[bool], sums: &[(usize, Vec<usize>)]) {
    let mut again = true;
    while std::mem::take(&mut again) {
        for (total, parts) in sums.iter().filter(|(total, _)| absent.get(*total) == Some(&true)) {
            let least = sum(cells, parts);
            if let Some(cell) = cells.get_mut(*total).filter(|cell| cell.value < least) {
                cell.value = least;
                cell.cost = least;
                again = true;
            }
        }
    }
}

/// What a cell is the sum over.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sum {
    /// The cells below it on this axis.
    Along(usize),
    /// The shorter periods of which there are so many in a year.
    OverTime(u8),
}

fn same_cells(signed: &Bulletin, names: &[CellKey]) -> bool {
    signed.cells.len() == names.len() && names.iter().all(|name| signed.cells.contains_key(name))
}

/// A cell for the node's own eyes.
pub struct Seen {
    /// Which.
    pub key: CellKey,
    /// Its figure.
    pub value: i64,
    /// May it be shown by itself?
    pub safe: Result<(), Unsafe>,
    /// What readers of the bulletin can tell of a hidden one: from, and to where they can tell. None: it is published, or not
    /// worked out.
    pub interval: Option<(i64, Option<i64>)>,
}

impl std::fmt::Debug for Seen {
    /// Prints no number.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seen(_)")
    }
}

impl Tables {
    /// Chooses what to hide: every cell of the period, with its figure where it is published.
    pub fn protect(&self) -> Result<BTreeMap<CellKey, Option<i64>>, NoBulletin> {
        let choice = Choice { cost: Cost::Value, threshold: self.threshold };
        let pattern = suppress::protect(&self.equations, &choice)?;
        let shown = pattern.shown().iter().zip(self.equations.cells());
        let cells: BTreeMap<_, _> = self
            .keys
            .iter()
            .zip(shown)
            .take(self.own)
            .map(|(key, (shown, cell))| (*key, shown.is_published().then_some(cell.value)))
            .collect();
        if cells.values().all(Option::is_none) {
            return Err(NoBulletin::Empty);
        }
        Ok(cells)
    }

    /// Are these the figures that are published in it?
    pub fn agree(&self, cells: &BTreeMap<CellKey, Option<i64>>) -> bool {
        let own = self.keys.iter().zip(self.equations.cells()).take(self.own);
        cells.len() == self.own
            && own.into_iter().all(|(key, cell)| {
                cells.get(key).is_some_and(|shown| shown.is_none_or(|value| value == cell.value))
            })
    }

    /// Every cell of the period, with what readers can tell of at most `most` of those that `cells` hides.
    pub fn seen(&self, cells: &BTreeMap<CellKey, Option<i64>>, most: usize) -> Vec<Seen> {
        let is_hidden = |key: &CellKey, cell: &Cell| match cells.get(key) {
            Some(shown) => shown.is_none(),
            None => cell.fixed != Fixed::Published,
        };
        let behind = self.keys.iter().zip(self.equations.cells());
        let hidden: Vec<bool> = behind.map(|(key, cell)| is_hidden(key, cell)).collect();
        let pattern = suppress::audit(&self.equations, &hidden).ok();
        let mut left = most;
        let mut seen = Vec::with_capacity(self.own);
        let all = self.keys.iter().zip(self.equations.cells()).zip(&self.safe).zip(&hidden);
        for (at, (((key, cell), safe), hidden)) in all.take(self.own).enumerate() {
            let interval = pattern.as_ref().filter(|_| *hidden && left > 0).and_then(|pattern| {
                left -= 1;
                suppress::interval(&self.equations, pattern, at)
            });
            seen.push(Seen { key: *key, value: cell.value, safe: *safe, interval });
        }
        seen
    }

    /// The cells and what holds between them.
    pub fn equations(&self) -> &Equations {
        &self.equations
    }
}

#[cfg(test)]
mod tests;
