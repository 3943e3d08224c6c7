//! Freezing: from records that people still edit to editions that are answered from.
//!
//! Comes in: the cube as it is, a period. Goes out: an edition that never changes; a correction is a new
//! one. Pure: id and time are arguments.

use std::collections::BTreeMap;

use accord_proto::{
    clock::Timestamp,
    id::EditionId,
    reason::{Invalid, Reason},
    table::EditionRef,
    taxonomy::{Lists, Period},
};

use crate::cube::Cube;

/// A node's frozen state of one reporting period.
#[derive(Clone, Debug)]
pub struct Edition {
    /// Period, id and number.
    pub reference: EditionRef,
    /// When.
    pub frozen_at: Timestamp,
    /// Version and digest of the code lists then.
    pub lists: String,
    /// The figures.
    pub cube: Cube,
}

/// The newest edition of every period.
#[derive(Clone, Debug, Default)]
pub struct Editions(BTreeMap<Period, Edition>);

impl Editions {
    /// Takes in an edition; the higher number counts.
    pub fn put(&mut self, edition: Edition) {
        let period = edition.reference.period;
        let newer = self
            .newest(period)
            .is_none_or(|known| known.reference.number < edition.reference.number);
        if newer {
            self.0.insert(period, edition);
        }
    }

    /// The newest edition of a period.
    pub fn newest(&self, period: Period) -> Option<&Edition> {
        self.0.get(&period)
    }

    /// Every newest edition, ascending by period.
    pub fn references(&self) -> impl Iterator<Item = EditionRef> {
        self.0.values().map(|edition| edition.reference)
    }
}

/// Freezes one period. None if the newest edition already says exactly this.
pub fn freeze(
    live: &Cube,
    editions: &Editions,
    period: Period,
    edition: EditionId,
    now: Timestamp,
    lists: &Lists,
) -> Result<Option<Edition>, Invalid> {
    let cube = live.period(period);
    if cube.is_empty() {
        let detail = format!("nothing is held for {period}");
        return Err(Invalid::new(Reason::PeriodNotFrozen, "period", detail));
    }
    let newest = editions.newest(period);
    let same = |known: &Edition| {
        known.cube.len() == cube.len() && cube.records().all(|r| known.cube.holds(&r))
    };
    if newest.is_some_and(same) {
        return Ok(None);
    }
    let number = newest.map_or(0, |known| known.reference.number).saturating_add(1);
    Ok(Some(Edition {
        reference: EditionRef { period, edition, number },
        frozen_at: now,
        lists: lists.name().to_owned(),
        cube,
    }))
}
