//! How far a person lets a requirement be answered. Comes in: what is to be left out. Goes out: consent, narrowed. Must never widen
//! anything: two sets of terms together leave out what either leaves out.

use std::collections::BTreeSet;

use accord_proto::{
    limits::BLOCKS_MAX,
    question::Question,
    reason::{Invalid, Reason},
    taxonomy::Categories,
};

use crate::consent::Consented;

/// What is left out of an answer. What is left out is not shown, like any other cell without consent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    nothing: bool,
    left_out: BTreeSet<u32>,
    whole_only: bool,
    totals_only: bool,
}

impl Extent {
    /// Nothing is left out.
    pub const fn whole() -> Self {
        Self { nothing: false, left_out: BTreeSet::new(), whole_only: false, totals_only: false }
    }

    /// Everything is left out.
    pub const fn nothing() -> Self {
        Self { nothing: true, left_out: BTreeSet::new(), whole_only: false, totals_only: false }
    }

    /// Without some blocks (numbered from 1), only the jurisdiction as a whole, only totals over all categories.
    pub fn parse(
        left_out: impl IntoIterator<Item = u32>,
        whole_only: bool,
        totals_only: bool,
    ) -> Result<Self, Invalid> {
        let left_out: BTreeSet<_> = left_out.into_iter().collect();
        let wrong = left_out.iter().find(|at| **at == 0 || **at as usize > BLOCKS_MAX);
        if let Some(wrong) = wrong {
            let detail = format!("there is no block {wrong}; they are numbered from 1");
            return Err(Invalid::new(Reason::FieldInvalid, "leave_out", detail));
        }
        Ok(Self { nothing: false, left_out, whole_only, totals_only })
    }

    /// Numbers of the blocks that are left out, ascending.
    pub fn left_out(&self) -> impl Iterator<Item = u32> {
        self.left_out.iter().copied()
    }

    /// Only the jurisdiction as a whole.
    pub fn whole_only(&self) -> bool {
        self.whole_only
    }

    /// Only totals over all categories.
    pub fn totals_only(&self) -> bool {
        self.totals_only
    }

    /// What neither leaves out.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self {
            nothing: self.nothing || other.nothing,
            left_out: self.left_out.union(&other.left_out).copied().collect(),
            whole_only: self.whole_only || other.whole_only,
            totals_only: self.totals_only || other.totals_only,
        }
    }

    /// Consent, without what is left out of this question.
    pub fn narrow(&self, consented: Consented, question: &Question) -> Consented {
        consented.keep(|at, categories| {
            let level = question.blocks.get(at).map(|block| block.region_level);
            level.is_some_and(|level| self.allows((at, level), categories))
        })
    }

    fn allows(&self, (at, region_level): (usize, u32), categories: &Categories) -> bool {
        let number = u32::try_from(at).unwrap_or(u32::MAX).saturating_add(1);
        !self.nothing
            && !self.left_out.contains(&number)
            && (!self.whole_only || region_level == 0)
            && (!self.totals_only || categories.iter().all(Option::is_none))
    }
}

impl std::fmt::Display for Extent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts = Vec::new();
        if self.nothing {
            parts.push("nothing".to_owned());
        }
        parts.extend(self.left_out.iter().map(|at| format!("without block {at}")));
        if self.whole_only {
            parts.push("region level 0 only".to_owned());
        }
        if self.totals_only {
            parts.push("totals only".to_owned());
        }
        if parts.is_empty() {
            return f.pad("whole");
        }
        f.pad(&parts.join(", "))
    }
}
