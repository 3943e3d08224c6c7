//! Freezing: from records that people still edit to editions that are answered from.
//!
//! Comes in: the cube as it is, a period, and for which audiences which records may count. Goes out: an
//! edition that never changes; a correction is a new one. It holds figures by cell and no observation, so
//! that erasing records later cannot change it. Pure: id and time are arguments.

use std::collections::{BTreeMap, BTreeSet};

use accord_proto::{
    clock::Timestamp,
    id::EditionId,
    identity::Identity,
    reason::{Invalid, Reason},
    seal::Digest,
    table::{EditionRef, Mode},
    taxonomy::{AudienceCode, IndicatorCode, Lists, Period},
};

use crate::{
    cube::{Cells, Cube},
    disclose::{
        ledger::Ledger,
        noise::Root,
        offer::{Bulletin, Offer, Outcome, Signature, Signed},
        protect::Drawn,
    },
    policy::Policy,
    record::CellKey,
};

mod drawing;
pub mod tables;

/// In which mode each indicator was frozen, and a digest of its terms.
pub type Terms = BTreeMap<IndicatorCode, (Mode, Digest)>;

/// Audiences for which the same records count, with what these come to.
#[derive(Clone, Debug, PartialEq)]
pub struct ReleaseClass {
    /// Ascending.
    pub audiences: Vec<AudienceCode>,
    /// Every cell that holds something, exactly.
    pub cells: Cells,
    /// What may be shown of the indicators in protected mode.
    pub drawn: BTreeMap<IndicatorCode, Drawn>,
}

/// A node's frozen state of one reporting period.
#[derive(Clone, Debug)]
pub struct Edition {
    /// Period, id and number.
    pub reference: EditionRef,
    /// When.
    pub frozen_at: Timestamp,
    /// Who; somebody else signs its bulletins.
    pub frozen_by: Identity,
    /// Version and digest of the code lists then; they say which cells there can be.
    pub lists: String,
    /// Digest of the policy then: modes, and which handling code lets a record count for whom.
    pub policy: Digest,
    /// Digest of the rules by which records were filtered ([`Policy::handling`]).
    pub handling: Digest,
    /// Imports before it; what they brought to the period cannot be undone any more.
    pub imports: u64,
    /// In which mode each indicator left closed by nobody may leave, and a digest of its terms.
    pub terms: Terms,
    /// The figures, filtered once for each class.
    pub classes: Vec<ReleaseClass>,
    /// Of the indicators in bulletin mode: what a person may sign. One for all classes.
    pub offers: BTreeMap<IndicatorCode, Offer>,
}

static NOTHING: Cells = Cells::new();

impl Edition {
    /// The figures that may count for an audience.
    pub fn cells(&self, audience: AudienceCode) -> &Cells {
        self.class(audience).map_or(&NOTHING, |class| &class.cells)
    }

    /// The release class of an audience.
    pub fn class(&self, audience: AudienceCode) -> Option<&ReleaseClass> {
        self.classes.iter().find(|class| class.audiences.contains(&audience))
    }

    /// The mode that an indicator was frozen in. It holds for the whole edition: nothing is noisy in one of its tables and
    /// exact in another.
    pub fn mode(&self, indicator: IndicatorCode) -> Mode {
        self.terms.get(&indicator).map_or(Mode::Closed, |(mode, _)| *mode)
    }
}

/// The newest edition of every period, and what all editions were filtered by.
#[derive(Clone, Debug, Default)]
pub struct Editions {
    newest: BTreeMap<Period, Edition>,
    /// Of every edition there ever was.
    filtered_by: BTreeMap<EditionId, Digest>,
    /// Terms of every indicator in every edition there ever was.
    terms: BTreeMap<(EditionId, IndicatorCode), Digest>,
    /// The rules of today; nothing is answered before they are known.
    rules: Option<Digest>,
    /// Periods in which a record's handling was changed since they were frozen.
    withheld: BTreeSet<Period>,
    /// Of each period: the last edition that holds a record whose handling was changed later.
    barred: BTreeMap<Period, u32>,
    signed: Signed,
}

impl Editions {
    /// Takes in an edition; the higher number counts.
    pub fn put(&mut self, edition: Edition) {
        let EditionRef { period, edition: id, number } = edition.reference;
        self.filtered_by.insert(id, edition.handling);
        let terms = edition.terms.iter().map(|(code, (_, digest))| ((id, *code), *digest));
        self.terms.extend(terms);
        for (indicator, offer) in &edition.offers {
            if let Outcome::Proposed(bulletin) = &offer.outcome {
                self.signed.take(*indicator, period, bulletin);
            }
        }
        let newer = self.newest(period).is_none_or(|known| known.reference.number < number);
        if newer {
            self.newest.insert(period, edition);
        }
    }

    /// Takes in a signature; the bulletin is in an edition that is there already or comes later.
    pub fn sign(&mut self, indicator: IndicatorCode, period: Period, signature: Signature) {
        self.signed.sign(indicator, period, signature);
        let offer = self.newest.get(&period).and_then(|edition| edition.offers.get(&indicator));
        if let Some(Outcome::Proposed(bulletin)) = offer.map(|offer| &offer.outcome) {
            self.signed.take(indicator, period, bulletin);
        }
    }

    /// Every bulletin that was signed.
    pub fn signed(&self) -> &Signed {
        &self.signed
    }

    /// The signed bulletin of a period, if its newest edition may be answered from today, was frozen in bulletin mode, and
    /// still has it.
    pub fn bulletin(&self, indicator: IndicatorCode, period: Period) -> Option<&Bulletin> {
        let edition = self.answerable(period)?;
        let offer = edition.offers.get(&indicator)?;
        let bulletin = self.signed.bulletin(indicator, period)?;
        let stands = edition.mode(indicator) == Mode::Bulletin && offer.is_of(bulletin.edition);
        stands.then_some(bulletin)
    }

    /// The rules of today ([`Policy::handling`]).
    pub fn rely_on(&mut self, rules: Digest) {
        self.rules = Some(rules);
    }

    /// Nothing more of a period is answered until its next edition.
    pub fn withhold(&mut self, period: Period) {
        self.withheld.insert(period);
    }

    /// Nothing is answered from this edition of a period, nor from an earlier one, ever again.
    pub fn bar(&mut self, period: Period, number: u32) {
        let barred = self.barred.entry(period).or_default();
        *barred = number.max(*barred);
    }

    /// The next edition is there.
    pub fn lift(&mut self, period: Period) {
        self.withheld.remove(&period);
    }

    /// The terms that an indicator was frozen with in an edition.
    pub fn terms_of(&self, edition: EditionId, indicator: IndicatorCode) -> Option<Digest> {
        self.terms.get(&(edition, indicator)).copied()
    }

    /// The newest edition of a period.
    pub fn newest(&self, period: Period) -> Option<&Edition> {
        self.newest.get(&period)
    }

    /// The newest edition of a period, if it may be answered from today.
    pub fn answerable(&self, period: Period) -> Option<&Edition> {
        self.newest(period).filter(|edition| self.may_answer(&edition.reference))
    }

    /// Were its records filtered by the rules of today, and has the handling of none of them changed since? What was shown of an
    /// older edition is not shown again because there is a newer one.
    pub fn may_answer(&self, edition: &EditionRef) -> bool {
        self.rules.is_some()
            && self.filtered_by.get(&edition.edition) == self.rules.as_ref()
            && !self.withheld.contains(&edition.period)
            && self.barred.get(&edition.period).is_none_or(|barred| *barred < edition.number)
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

/// Where an edition comes from.
#[derive(Clone, Debug)]
pub struct Origin {
    /// What it will be called.
    pub edition: EditionId,
    /// When.
    pub now: Timestamp,
    /// Who freezes.
    pub by: Identity,
    /// Imports before it.
    pub imports: u64,
}

/// What an edition is made from.
#[derive(Clone, Copy)]
pub struct Freezing<'a> {
    /// Records, as they are now.
    pub live: &'a Cube,
    /// What was frozen before.
    pub editions: &'a Editions,
    /// What was shown before.
    pub ledger: &'a Ledger,
    /// Modes and terms, as they are now.
    pub policy: &'a Policy,
    /// Code lists, as they are now.
    pub lists: &'a Lists,
    /// The key that noise comes from.
    pub root: &'a Root,
    /// The node's own; it decides which of too many cells a unit counts in.
    pub secret: &'a [u8; 32],
}

impl Freezing<'_> {
    /// Freezes one period. None if the newest edition already says exactly this.
    pub fn edition(
        &self,
        period: Period,
        Origin { edition, now, by, imports }: Origin,
    ) -> Result<Option<Edition>, Invalid> {
        let Self { editions, policy, lists, .. } = *self;
        let mut classes = self.classes(period);
        if classes.iter().all(|class| class.cells.is_empty()) {
            let detail = format!("nothing is held for {period}");
            return Err(Invalid::new(Reason::PeriodNotFrozen, "period", detail));
        }
        let newest = editions.newest(period);
        let terms = self.terms(period);
        let same_figures = |known: &Edition| {
            let of = |class: &ReleaseClass| (class.audiences.clone(), class.cells.clone());
            known.classes.len() == classes.len()
                && known.classes.iter().zip(&classes).all(|(a, b)| of(a) == of(b))
        };
        let same = |known: &Edition| {
            known.handling == policy.handling()
                && known.terms == terms
                && same_figures(known)
                && self.stands(period, &known.offers)
        };
        if newest.is_some_and(same) && !editions.withheld.contains(&period) {
            return Ok(None);
        }
        let number = newest.map_or(0, |known| known.reference.number).saturating_add(1);
        let reference = EditionRef { period, edition, number };
        for class in &mut classes {
            class.drawn = self.drawn(reference, &class.audiences, &terms);
        }
        Ok(Some(Edition {
            reference,
            frozen_at: now,
            frozen_by: by,
            lists: lists.name().to_owned(),
            policy: policy.digest(),
            handling: policy.handling(),
            imports,
            offers: self.offers((period, edition), &terms),
            terms,
            classes,
        }))
    }

    /// Audiences that may see the same records share a class: their figures are then one cell, not two.
    fn classes(&self, period: Period) -> Vec<ReleaseClass> {
        let Self { live, policy, lists, .. } = *self;
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
                None => classes.push(ReleaseClass { audiences, cells, drawn: BTreeMap::new() }),
            }
        }
        classes.iter_mut().for_each(|class| class.audiences.sort_unstable());
        classes.sort_unstable_by(|a, b| a.audiences.cmp(&b.audiences));
        classes
    }
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

#[cfg(test)]
mod tests;
