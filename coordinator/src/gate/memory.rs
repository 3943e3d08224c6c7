//! What the gate remembers of a cell. Comes in: who brings a figure now, from which edition. Goes out: what will be
//! remembered once the cell is shown, or why it may not be. Must never hold a figure, nor let two shown figures of
//! a cell differ by fewer jurisdictions than may be shown by themselves.
//!
//! # Why this is enough
//! *Claim:* no linear combination of everything ever shown of a cell rests on fewer jurisdictions than the minimum.
//! *Argument:* contributors come in as *atoms*, each as large as a cell must be, and every figure shown is a sum of whole
//! atoms. An atom never splits, so what rests on one of its members rests on all of it. Between two editions an atom's
//! figure either stays or changes by corrections of as many jurisdictions as the minimum. *Known limit:* which
//! corrections a jurisdiction makes is its own doing; several of them may know that the others made none.

use std::collections::{BTreeMap, BTreeSet};

use accord_proto::{identity::Name, taxonomy::JurisdictionCode};

use super::{RegionalKey, Why};

/// Who brings a figure: a jurisdiction's node.
pub type Contributor = (JurisdictionCode, Name);

/// Contributors that came in together and are never told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Atom {
    /// On which edition of the cell's period each one's figure rested when they were last shown; none where that was not
    /// remembered: then it may be another one now, or not.
    pub editions: BTreeMap<Contributor, Option<u32>>,
    /// Are they in the figure that was shown last?
    pub shown: bool,
}

/// A cell that was pooled: every atom that was ever in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pooled(pub Vec<Atom>);

/// Cells that were pooled before: all of the indicators that are asked.
pub type PooledBefore = BTreeMap<RegionalKey, Pooled>;

/// Who brings a hidden figure now, and the edition it rests on.
pub(super) type Present = BTreeMap<Contributor, u32>;

impl Pooled {
    /// What is remembered if the cell is shown as it is now. `is_safe` says whether contributors may be shown by
    /// themselves.
    pub(super) fn next(
        &self,
        present: &Present,
        minimum: u64,
        is_safe: impl Fn(&BTreeSet<&Contributor>) -> bool,
    ) -> Result<Self, Why> {
        let mut atoms = self.0.clone();
        let mut joined: BTreeSet<&Contributor> = present.keys().collect();
        for atom in &mut atoms {
            let here = atom.editions.keys().filter(|of| present.contains_key(*of)).count();
            atom.shown = here > 0;
            if !atom.shown {
                continue;
            }
            if here < atom.editions.len() {
                return Err(Why::Left);
            }
            if (1..minimum).contains(&atom.revised(present)) {
                return Err(Why::Revised);
            }
            for (of, edition) in &mut atom.editions {
                *edition = present.get(of).copied();
            }
        }
        for atom in atoms.iter().filter(|atom| atom.shown) {
            let members: BTreeSet<_> = atom.editions.keys().collect();
            joined.retain(|of| !members.contains(of));
            // Its figure may be another one than when it came in.
            if !is_safe(&members) {
                return Err(Why::Revised);
            }
        }
        if !joined.is_empty() {
            if !is_safe(&joined) {
                return Err(Why::Joins);
            }
            let editions = joined.into_iter();
            let editions = editions.map(|of| (of.clone(), present.get(of).copied())).collect();
            atoms.push(Atom { editions, shown: true });
        }
        Ok(Self(atoms))
    }

    /// The atoms whose figure readers have, as it is now, with their numbers.
    pub(super) fn known<'a>(
        &'a self,
        present: &'a Present,
    ) -> impl Iterator<Item = (usize, &'a Atom)> {
        self.0.iter().enumerate().filter(|(_, atom)| atom.is_unchanged(present))
    }
}

impl Atom {
    /// Jurisdictions that have another edition now, so far as is known. Where nobody remembers, it is one: the strictest
    /// reading, for it is never enough of them.
    fn revised(&self, present: &Present) -> u64 {
        if self.editions.values().any(Option::is_none) {
            return 1;
        }
        let other =
            |(of, edition): &(&Contributor, &Option<u32>)| present.get(*of) != edition.as_ref();
        let revised: BTreeSet<_> =
            self.editions.iter().filter(other).map(|((jurisdiction, _), _)| jurisdiction).collect();
        revised.len() as u64
    }

    fn is_unchanged(&self, present: &Present) -> bool {
        let same = |(of, edition): (&Contributor, &Option<u32>)| {
            edition.is_some() && present.get(of) == edition.as_ref()
        };
        self.editions.iter().all(same)
    }
}
