//! Disclosure: from figures to what may be shown. Comes in: a [`Slice`] of consented cells, what editions may show,
//! and which draws are paid for. Goes out: a [`SafeTable`], the only thing that can be sealed. Must never show a cell that is
//! not consented, nor one in another mode than it was frozen in.
//!
//! ```text
//! freeze     bounded cells ─► noise ─► floor, threshold ─► rounding ─► kept with the edition   (protect)
//!            exact cells ─► rules ─► suppression ─► audit ─► kept with the edition    (tables, bulletin)
//! question   slice ─► open cells, exactly ────────────────────────────────────────────┐
//!            editions ─► draws, paid for in the ledger (reserve) ─► protected cells ─┤
//!            editions ─► bulletins that a person signed (offer) ─► published cells ──┴─► table
//! ```
//!
//! # Why this is enough
//! *Claim:* a table tells nothing but figures that are public already, figures of a bulletin that a person signed, and
//! figures that were drawn for everybody of the tier. *Argument:* exact figures leave in mode open, which the policy accepts only
//! for indicators that the registry says are published nationally, and in mode bulletin, once they have passed the audit
//! against every bulletin before and somebody who did not freeze them has signed ([`tables`], [`offer`]); in mode protected what leaves was fixed when the edition was frozen ([`protect`]), so a question can
//! choose among finished figures and change none; everything else is one mark, one shape, one size; a standard error is shown
//! only beside a figure, so its absence says nothing more. *Known limit:* that a figure is published is the registry's word.

pub mod epsilon;
pub mod ledger;
pub mod noise;
pub mod offer;
pub mod precision;
pub mod protect;
pub mod reserve;
pub mod rounding;
pub mod tables;

use std::collections::BTreeSet;

use accord_proto::{
    identity::Name,
    table::{Cell, Contribution, Mode, Table, TableBlock},
    taxonomy::{AudienceCode, JurisdictionCode, Lists, Period},
};

use crate::{
    consent::{Consented, ConsentedBlock},
    cube::{Held, Slice},
    freeze::Editions,
    policy::{Policy, Terms},
    record::{CellKey, Observed},
};
use reserve::Reserved;

/// A table that may leave. Made here only.
#[derive(Debug)]
pub struct SafeTable(Table);

impl SafeTable {
    /// The cells that may leave.
    pub fn table(&self) -> &Table {
        &self.0
    }
}

/// What tables are made from, beside the figures.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// What may be shown of each period.
    pub editions: &'a Editions,
    /// Modes and terms, as they are now.
    pub policy: &'a Policy,
    /// Code lists.
    pub lists: &'a Lists,
}

/// Applies the policy's mode to every cell.
pub fn disclose(
    consented: &Consented,
    slice: Slice,
    reserved: &Reserved,
    rules: Rules<'_>,
    (node, jurisdiction): (&Name, JurisdictionCode),
) -> SafeTable {
    let blocks = consented.blocks().iter().zip(slice.blocks).map(|(block, held)| {
        let (cells, standard_error_milli) = match rules.policy.terms(block.indicator) {
            Terms::Open if may_stand_in(consented, block, rules.policy) => {
                (held.into_iter().map(open).collect(), Vec::new())
            }
            Terms::Protected(_) => protected(consented, block, reserved, rules),
            Terms::Bulletin(_) => (bulletin_cells(consented, block, rules), Vec::new()),
            Terms::Open | Terms::Closed => (nothing(block), Vec::new()),
        };
        // Where nothing is shown, the block does not say on which terms it would be.
        let shown = cells.iter().any(|cell| *cell != Cell::NotShown);
        let contribution = if shown { block.contribution } else { Contribution::Pooled };
        TableBlock {
            indicator: block.indicator,
            mode: rules.policy.mode(block.indicator),
            crime_areas: block.crime_areas.clone(),
            regions: block.regions.clone(),
            periods: block.periods.clone(),
            categories: block.categories.clone(),
            standard_error_milli,
            contribution,
            // Whatever is shown: otherwise it would tell whether anything is.
            minimum_contributors: block.minimum_contributors,
            deviations: rules.policy.deviations(block.indicator).to_vec(),
            cells,
        }
    });
    // Named for every period asked, whatever is shown: which editions exist is a published term.
    let asked = |period| consented.blocks().iter().any(|block| block.periods.contains(&period));
    let editions = rules.editions.references();
    SafeTable(Table {
        node: node.clone(),
        jurisdiction,
        lists: rules.lists.name().to_owned(),
        editions: editions.filter(|edition| asked(edition.period)).collect(),
        blocks: blocks.collect(),
    })
}

/// Nothing of a block.
fn nothing(block: &ConsentedBlock) -> Vec<Cell> {
    vec![Cell::NotShown; block.granted.len()]
}

/// May the table of the block's audience go to whoever asks? Not if its records might be some that the asker may not see: a
/// handling code that lets a record count for a wider audience and not for a narrower one.
fn may_stand_in(consented: &Consented, block: &ConsentedBlock, policy: &Policy) -> bool {
    policy.sees_all_of(consented.audience(), block.audience)
}

fn open(held: Option<Held>) -> Cell {
    let Some(Held::Frozen(Some(aggregate))) = held else {
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
        // Published masked: that much everybody has.
        Observed::Between(least, most) => Cell::Between(least, most),
    }
}

/// Figures that were drawn when their edition was frozen, and the standard error of each period that shows any.
fn protected(
    consented: &Consented,
    block: &ConsentedBlock,
    reserved: &Reserved,
    Rules { editions, policy, lists }: Rules<'_>,
) -> (Vec<Cell>, Vec<u64>) {
    let audience = block.audience;
    let tier = lists.tier(audience);
    let leaves = !block.open_only && may_stand_in(consented, block, policy);
    let lattice = match policy.terms(block.indicator) {
        Terms::Protected(protection) => protection.lattice(tier),
        Terms::Open | Terms::Bulletin(_) | Terms::Closed => None,
    };
    let drawn = |period: Period| {
        let edition = editions.answerable(period)?;
        let frozen_so = edition.mode(block.indicator) == Mode::Protected;
        let drawn = edition.class(audience)?.drawn.get(&block.indicator)?;
        let paid = reserved.covers(block.indicator, period, tier);
        (leaves && frozen_so && paid).then_some(drawn)
    };
    let shown = |(crime_area, region, period, categories)| {
        let indicator = block.indicator;
        let cell = CellKey { period, indicator, crime_area, region, categories };
        // Every spelling of a cell has the figure of the one name.
        drawn(period)?.shown(&lattice?.canonical(&cell)?, tier)
    };
    let cells: Vec<_> = block
        .coordinates()
        .zip(&block.granted)
        .map(|(at, granted)| {
            granted.then(|| shown(at)).flatten().map_or(Cell::NotShown, Cell::Value)
        })
        .collect();
    let placed = block.coordinates().zip(&cells);
    let with_figure = placed.filter(|(_, cell)| matches!(cell, Cell::Value(_)));
    let with_figure: BTreeSet<Period> = with_figure.map(|((.., period, _), _)| period).collect();
    let error = |period: &Period| {
        let draw = drawn(*period)?.of(tier)?;
        with_figure.contains(period).then_some(draw.standard_error_milli)
    };
    let errors = block.periods.iter().map(|period| error(period).unwrap_or(0)).collect();
    (cells, errors)
}

/// Exact figures of the bulletin that a person signed, for its audiences.
fn bulletin_cells(
    consented: &Consented,
    block: &ConsentedBlock,
    Rules { editions, policy, lists: _ }: Rules<'_>,
) -> Vec<Cell> {
    let indicator = block.indicator;
    // It was signed for its audiences: for whoever asks and for whose tier is answered.
    let for_both = |audiences: &[AudienceCode]| {
        [consented.audience(), block.audience].iter().all(|audience| audiences.contains(audience))
    };
    let terms = match policy.terms(indicator) {
        Terms::Bulletin(terms) => {
            Some(terms).filter(|terms| for_both(&terms.audiences) && !block.open_only)
        }
        Terms::Open | Terms::Protected(_) | Terms::Closed => None,
    };
    let shown = |(crime_area, region, period, categories)| {
        let cell = CellKey { period, indicator, crime_area, region, categories };
        let bulletin = editions.bulletin(indicator, period)?;
        let bulletin = Some(bulletin).filter(|bulletin| for_both(&bulletin.audiences))?;
        // Every spelling of a cell has the figure of the one name.
        bulletin.cells.get(&terms?.lattice.canonical(&cell)?).copied()?
    };
    block
        .coordinates()
        .zip(&block.granted)
        .map(|(at, granted)| {
            granted.then(|| shown(at)).flatten().map_or(Cell::NotShown, Cell::Value)
        })
        .collect()
}

/// Takes back what is not consented any more, closed since, or rests on an edition that may not be answered from any
/// more, from a table that was released before; `given_as`: as whose table each of its blocks was. Never adds, never computes
/// anew: the cells that stay are the released ones. None if nothing changes.
pub fn narrow(
    (released, given_as): (&Table, &[AudienceCode]),
    consented: &Consented,
    Rules { editions, policy, lists }: Rules<'_>,
) -> Option<SafeTable> {
    let mut narrowed = released.clone();
    let rests = |period| released.editions.iter().find(|edition| edition.period == period);
    let stands = |period| rests(period).is_some_and(|edition| editions.may_answer(edition));
    for (at, (block, now)) in narrowed.blocks.iter_mut().zip(consented.blocks()).enumerate() {
        let granted = &now.granted;
        // In another mode than it was released in, it is not answered any more.
        let barred = match policy.terms(block.indicator) {
            Terms::Bulletin(terms) => !terms.audiences.contains(&consented.audience()),
            Terms::Open | Terms::Protected(_) | Terms::Closed => false,
        };
        // What was given as another audience's table is not this one; nothing is drawn for it a second time.
        let given_as = given_as.get(at).copied().unwrap_or(consented.audience());
        let coarser = lists.tier(now.audience) > lists.tier(given_as)
            || now.open_only && block.mode != Mode::Open;
        if coarser {
            block.cells.fill(Cell::NotShown);
        }
        if granted.iter().any(|granted| *granted) {
            block.contribution = block.contribution.max(now.contribution);
            block.minimum_contributors = block.minimum_contributors.max(now.minimum_contributors);
        }
        if policy.mode(block.indicator) != block.mode || barred {
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
        if block.cells.iter().all(|cell| *cell == Cell::NotShown) {
            block.contribution = Contribution::Pooled;
        }
        // A standard error is shown only beside a figure: alone it would say that there was one.
        let shown = block.coordinates().zip(&block.cells);
        let shown = shown.filter(|(_, cell)| matches!(cell, Cell::Value(_)));
        let shown: BTreeSet<_> = shown.map(|((_, _, period, _), _)| period).collect();
        for (period, error) in block.periods.iter().zip(&mut block.standard_error_milli) {
            *error = if shown.contains(period) { *error } else { 0 };
        }
    }
    (narrowed != *released).then_some(SafeTable(narrowed))
}
