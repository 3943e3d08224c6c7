//! Disclosure: from true figures to what may be shown. Comes in: a [`Slice`] of consented cells.
//! Goes out: a [`SafeTable`], the only thing that can be sealed. Must never show a cell that is not
//! consented, nor one whose indicator the policy keeps closed.
//!
//! # Why this is enough
//! *Claim:* a released value tells nothing that is not already public. *Argument:* the only mode that
//! releases values here is open, the policy accepts it only for indicators whose registry entry says that
//! they are published nationally, and every other cell is one mark, one shape, one size. *Known limit:* that
//! a figure is published is the registry's word; protected and bulletin modes do not exist yet, and the
//! policy refuses them.

use accord_proto::{
    identity::Name,
    table::{Cell, Mode, Table, TableBlock},
    taxonomy::{JurisdictionCode, Lists},
};

use crate::{
    consent::Consented,
    cube::{Held, Slice},
    freeze::Editions,
    policy::Policy,
    record::Observed,
};

/// A table that may leave. Made here only.
#[derive(Debug)]
pub struct SafeTable(Table);

impl SafeTable {
    /// The cells that may leave.
    pub fn table(&self) -> &Table {
        &self.0
    }
}

/// Applies the policy's mode to every cell.
pub fn protect(
    consented: &Consented,
    slice: Slice,
    editions: &Editions,
    policy: &Policy,
    (node, jurisdiction): (&Name, JurisdictionCode),
    lists: &Lists,
) -> SafeTable {
    let blocks = consented.blocks().iter().zip(slice.blocks).map(|(block, held)| {
        let mode = policy.mode(block.indicator);
        TableBlock {
            indicator: block.indicator,
            mode,
            crime_areas: block.crime_areas.clone(),
            regions: block.regions.clone(),
            periods: block.periods.clone(),
            categories: block.categories.clone(),
            standard_error_milli: Vec::new(),
            cells: held.into_iter().map(|held| shown(held, mode)).collect(),
        }
    });
    // Named for every period asked, whatever is shown: which editions exist is a published term.
    let asked = |period| consented.blocks().iter().any(|block| block.periods.contains(&period));
    SafeTable(Table {
        node: node.clone(),
        jurisdiction,
        lists: lists.name().to_owned(),
        editions: editions.references().filter(|edition| asked(edition.period)).collect(),
        blocks: blocks.collect(),
    })
}

fn shown(held: Option<Held>, mode: Mode) -> Cell {
    let (Mode::Open, Some(Held::Frozen(Some(aggregate)))) = (mode, held) else {
        // Nothing held is not the same as known to be missing: a row may lie in quarantine.
        return Cell::NotShown;
    };
    // An exact figure without some of its records looks like the whole, and beside the whole, which another
    // audience gets, it gives these records away.
    if aggregate.partial {
        return Cell::NotShown;
    }
    match aggregate.observed {
        Observed::Value(value) => Cell::Value(value),
        Observed::Missing | Observed::NotCollected => Cell::Missing,
        Observed::NotApplicable => Cell::NotApplicable,
        // A cell of the wire has no room for an interval: what is masked at the source stays so.
        Observed::Between(..) => Cell::NotShown,
    }
}

/// Takes back what is not consented any more, closed since, or rests on an edition that may not be answered from any
/// more, from a table that was released before. Never adds, never computes anew: the cells that stay are the released
/// ones. None if nothing changes.
pub fn narrow(
    released: &Table,
    consented: &Consented,
    policy: &Policy,
    editions: &Editions,
) -> Option<SafeTable> {
    let mut narrowed = released.clone();
    let rests = |period| released.editions.iter().find(|edition| edition.period == period);
    let stands = |period| rests(period).is_some_and(|edition| editions.may_answer(edition));
    for (block, granted) in narrowed.blocks.iter_mut().zip(consented.granted()) {
        if policy.mode(block.indicator) == Mode::Closed {
            block.mode = Mode::Closed;
            block.standard_error_milli.clear();
            block.cells.fill(Cell::NotShown);
        }
        let periods: Vec<_> = block.coordinates().map(|(_, _, period, _)| period).collect();
        for ((cell, granted), period) in block.cells.iter_mut().zip(granted).zip(periods) {
            if !granted || !stands(period) {
                *cell = Cell::NotShown;
            }
        }
    }
    (narrowed != *released).then_some(SafeTable(narrowed))
}
