//! What was taken back. Comes in: grants that were withdrawn, suspended or narrowed. Goes out: which older consents do not hold
//! any more for a cell, and which terms go on binding them. Must never show more because something was taken back.
//!
//! A leaf that is taken back could be had from a cell that contains it and the leaf's siblings. So whatever is taken back is
//! taken back from every consent that was given before and contains it, unless another consent to the leaf itself still holds. A
//! consent that is given afterwards is a new decision. Only records count here (areas and periods): whoever takes back a finer
//! level or a breakdown leaves the coarser one as it was.

use accord_proto::taxonomy::{Categories, CrimeAreaCode, Period};

use super::{
    Grant, Step, Version,
    rules::{
        Asking, OfIndicator, Span, Standing, Strictest, all_areas, covers_area, covers_period,
    },
    terms::{Effect, Permit, Scope},
};

/// A permit, or a part of one, that was taken back.
#[derive(Clone, Copy)]
pub(super) struct Taken<'a> {
    scope: &'a Scope,
    permit: Permit,
    /// When the grant was given, and when it was taken back.
    given: u64,
    at: u64,
}

impl<'a> Taken<'a> {
    /// Everything of a grant that does not hold any more because somebody took it back.
    pub(super) fn of(grant: &'a Grant, asking: &Asking<'_>) -> Vec<Self> {
        let given = grant.versions().next().map_or(0, |first| first.deed.epoch);
        let mut taken = Vec::new();
        let mut note = |was: &'a Version, by: &Version| {
            // What had ended by itself was not taken back.
            let ended = was.terms.until <= by.deed.at;
            if let Effect::Permit(permit) = was.terms.effect
                && !ended
                && asking.is_for(&was.terms)
            {
                taken.push(Self { scope: &was.terms.scope, permit, given, at: by.deed.epoch });
            }
        };
        for (was, is) in grant.versions().zip(grant.versions().skip(1)) {
            match is.step {
                Step::Narrow | Step::Withdraw => note(was, is),
                Step::Give | Step::Suspend | Step::Resume => {}
            }
        }
        if grant.newest().suspended {
            let suspended = grant.versions().rev().find(|version| version.step == Step::Suspend);
            suspended.into_iter().for_each(|version| note(version, version));
        }
        taken
    }
}

impl OfIndicator<'_> {
    /// The newest act, after the `oldest` consent to a cell, that took records of it back which no other consent covers: no older
    /// consent holds for it.
    pub(super) fn bites(&self, area: CrimeAreaCode, period: Period, oldest: u64) -> Option<u64> {
        let cell = Span::of_period(period);
        let bites = |taken: &&Taken<'_>| {
            let span = Span::of(taken.scope);
            let uncovered = |below: CrimeAreaCode| {
                let covers = |standing: &Standing<'_>| {
                    covers_area(standing.scope, below)
                        && Span::of(standing.scope).holds(span.and(cell))
                };
                self.is_in(below, area) && !self.permits.iter().any(covers)
            };
            span.overlaps(cell)
                && match &taken.scope.crime_areas {
                    Some(areas) => areas.iter().any(|below| uncovered(*below)),
                    None => all_areas(taken.scope.indicator, self.lists).any(uncovered),
                }
        };
        let later = self.taken.iter().filter(|taken| taken.at > oldest);
        later.filter(bites).map(|taken| taken.at).max()
    }

    /// Terms of a cell, with those of all that was taken back of it after the oldest consent to it was given, and of all that had
    /// been taken back while that held, and so on.
    pub(super) fn bound_by_taken(
        &self,
        mut terms: Strictest,
        mut oldest: u64,
        (area, period): (CrimeAreaCode, Period),
        categories: &Categories,
    ) -> Strictest {
        let covers = |taken: &&Taken<'_>| {
            let Taken { scope, .. } = taken;
            covers_area(scope, area)
                && covers_period(scope, period)
                && scope.levels.contains(&self.level)
                && self.covers_categories(scope, categories)
        };
        let mut of_cell: Vec<_> = self.taken.iter().filter(covers).collect();
        // The newest first: each one may reach further back.
        of_cell.sort_unstable_by_key(|taken| std::cmp::Reverse(taken.at));
        for taken in of_cell {
            if taken.at > oldest {
                terms = terms.and(taken.permit.into());
                oldest = oldest.min(taken.given);
            }
        }
        terms
    }
}
