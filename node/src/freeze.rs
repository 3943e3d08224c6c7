//! Freezing: from records that people still edit to editions that are answered from.
//!
//! Comes in: the cube as it is, a period, and for which audiences which records may count. Goes out: an
//! edition that never changes; a correction is a new one. It holds figures by cell and no observation, so
//! that erasing records later cannot change it. Pure: id and time are arguments.

use std::collections::{BTreeMap, BTreeSet};

use accord_proto::{
    clock::Timestamp,
    id::EditionId,
    reason::{Invalid, Reason},
    seal::Digest,
    table::EditionRef,
    taxonomy::{AudienceCode, Lists, Period},
};

use crate::{
    cube::{Cells, Cube},
    policy::Policy,
    record::CellKey,
};

/// Audiences for which the same records count, with what these come to.
#[derive(Clone, Debug, PartialEq)]
pub struct ReleaseClass {
    /// Ascending.
    pub audiences: Vec<AudienceCode>,
    /// Every cell that holds something.
    pub cells: Cells,
}

/// A node's frozen state of one reporting period.
#[derive(Clone, Debug)]
pub struct Edition {
    /// Period, id and number.
    pub reference: EditionRef,
    /// When.
    pub frozen_at: Timestamp,
    /// Version and digest of the code lists then; they say which cells there can be.
    pub lists: String,
    /// Digest of the policy then: modes, and which handling code lets a record count for whom.
    pub policy: Digest,
    /// Digest of the rules by which records were filtered ([`Policy::handling`]).
    pub handling: Digest,
    /// Imports before it; what they brought to the period cannot be undone any more.
    pub imports: u64,
    /// The figures, filtered once for each class.
    pub classes: Vec<ReleaseClass>,
}

static NOTHING: Cells = Cells::new();

impl Edition {
    /// The figures that may count for an audience.
    pub fn cells(&self, audience: AudienceCode) -> &Cells {
        let class = self.classes.iter().find(|class| class.audiences.contains(&audience));
        class.map_or(&NOTHING, |class| &class.cells)
    }
}

/// The newest edition of every period, and what all editions were filtered by.
#[derive(Clone, Debug, Default)]
pub struct Editions {
    newest: BTreeMap<Period, Edition>,
    /// Of every edition there ever was.
    filtered_by: BTreeMap<EditionId, Digest>,
    /// The rules of today; nothing is answered before they are known.
    rules: Option<Digest>,
    /// Periods in which a record's handling was changed since they were frozen.
    withheld: BTreeSet<Period>,
}

impl Editions {
    /// Takes in an edition; the higher number counts.
    pub fn put(&mut self, edition: Edition) {
        let EditionRef { period, edition: id, number } = edition.reference;
        self.filtered_by.insert(id, edition.handling);
        let newer = self.newest(period).is_none_or(|known| known.reference.number < number);
        if newer {
            self.newest.insert(period, edition);
        }
    }

    /// The rules of today ([`Policy::handling`]).
    pub fn rely_on(&mut self, rules: Digest) {
        self.rules = Some(rules);
    }

    /// Nothing more of a period is answered until its next edition.
    pub fn withhold(&mut self, period: Period) {
        self.withheld.insert(period);
    }

    /// The next edition is there.
    pub fn lift(&mut self, period: Period) {
        self.withheld.remove(&period);
    }

    /// The newest edition of a period.
    pub fn newest(&self, period: Period) -> Option<&Edition> {
        self.newest.get(&period)
    }

    /// The newest edition of a period, if it may be answered from today.
    pub fn answerable(&self, period: Period) -> Option<&Edition> {
        self.newest(period).filter(|edition| self.may_answer(&edition.reference))
    }

    /// Were its records filtered by the rules of today, and has no record's handling changed since?
    pub fn may_answer(&self, edition: &EditionRef) -> bool {
        self.rules.is_some()
            && self.filtered_by.get(&edition.edition) == self.rules.as_ref()
            && !self.withheld.contains(&edition.period)
    }

    /// Every newest edition, ascending by period.
    pub fn iter(&self) -> impl Iterator<Item = &Edition> {
        self.newest.values()
    }

    /// What they are called.
    pub fn references(&self) -> impl Iterator<Item = EditionRef> {
        self.newest.values().map(|edition| edition.reference)
    }
}

/// Freezes one period. None if the newest edition already says exactly this.
pub fn freeze(
    live: &Cube,
    editions: &Editions,
    period: Period,
    (edition, now, imports): (EditionId, Timestamp, u64),
    policy: &Policy,
    lists: &Lists,
) -> Result<Option<Edition>, Invalid> {
    let classes = classes(live, period, policy, lists);
    if classes.iter().all(|class| class.cells.is_empty()) {
        let detail = format!("nothing is held for {period}");
        return Err(Invalid::new(Reason::PeriodNotFrozen, "period", detail));
    }
    let newest = editions.newest(period);
    let same = |known: &Edition| known.classes == classes && known.handling == policy.handling();
    if newest.is_some_and(same) && !editions.withheld.contains(&period) {
        return Ok(None);
    }
    let number = newest.map_or(0, |known| known.reference.number).saturating_add(1);
    Ok(Some(Edition {
        reference: EditionRef { period, edition, number },
        frozen_at: now,
        lists: lists.name().to_owned(),
        policy: policy.digest(),
        handling: policy.handling(),
        imports,
        classes,
    }))
}

/// Audiences that may see the same records share a class: their figures are then one cell, not two.
fn classes(live: &Cube, period: Period, policy: &Policy, lists: &Lists) -> Vec<ReleaseClass> {
    let mut by_filter = BTreeMap::<Vec<bool>, Vec<AudienceCode>>::new();
    for audience in lists.audiences() {
        let contexts = live.contexts().iter();
        let filter = contexts.map(|context| policy.counts(context, audience)).collect();
        by_filter.entry(filter).or_default().push(audience);
    }
    let mut classes = Vec::<ReleaseClass>::new();
    for mut audiences in by_filter.into_values() {
        let Some(audience) = audiences.first().copied() else { continue };
        let cells = live.tabulate(period, lists, &|context| policy.counts(context, audience));
        match classes.iter_mut().find(|class| class.cells == cells) {
            Some(class) => class.audiences.append(&mut audiences),
            None => classes.push(ReleaseClass { audiences, cells }),
        }
    }
    classes.iter_mut().for_each(|class| class.audiences.sort_unstable());
    classes.sort_unstable_by(|a, b| a.audiences.cmp(&b.audiences));
    classes
}

/// What became of a cell from one edition of a period to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It holds something now.
    Added,
    /// It holds nothing any more.
    Removed,
    /// It holds something else.
    Altered,
}

/// What changed between two editions of a period, for the node's own eyes.
pub fn changes(old: &Cells, new: &Cells) -> Vec<(CellKey, Change)> {
    let keys: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    keys.into_iter()
        .filter_map(|key| match (old.get(key), new.get(key)) {
            (None, Some(_)) => Some((*key, Change::Added)),
            (Some(_), None) => Some((*key, Change::Removed)),
            (Some(old), Some(new)) if old != new => Some((*key, Change::Altered)),
            _ => None,
        })
        .collect()
}
