//! Which rules hold for a cell, and what they come to together. Comes in: grants, who asks and when. Goes out: the strictest
//! terms of all that permit a cell, or nothing. Must never let a permit beat a rule that forbids.
//!
//! A permit is about cells: exactly those areas, levels, breakdowns and lengths of period that it names. A rule that forbids is
//! about records: it bars the cells of its areas and periods, everything in them, and everything that contains them, at its
//! levels and every finer one, in its breakdowns. For a narrower audience it holds for every wider one, too.

use accord_proto::{
    clock::Timestamp,
    question::Block,
    table::Contribution,
    taxonomy::{
        Categories, CrimeAreaCode, DimensionCode, Indicator, IndicatorCode, Lists, Period, Tier,
    },
};

use super::{
    ForWhat, Grant, Release,
    taken::Taken,
    terms::{Effect, Permit, Scope, Terms},
};

/// Who asks, what for, and when.
#[derive(Clone, Copy)]
pub(super) struct Asking<'a> {
    pub(super) for_what: ForWhat<'a>,
    pub(super) now: Timestamp,
}

/// How a cell may leave: the strictest of all that is said of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Strictest {
    pub(super) tier: Tier,
    pub(super) open_only: bool,
    pub(super) contribution: Contribution,
    pub(super) minimum_contributors: u32,
    pub(super) release: Release,
    pub(super) not_before: Option<Timestamp>,
}

impl From<Permit> for Strictest {
    fn from(permit: Permit) -> Self {
        let Permit { precision, contribution, minimum_contributors, release, not_before } = permit;
        let (tier, open_only, _) = precision.takes();
        Self { tier, open_only, contribution, minimum_contributors, release, not_before }
    }
}

impl Strictest {
    /// The stricter of each.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            tier: self.tier.max(other.tier),
            open_only: self.open_only || other.open_only,
            contribution: self.contribution.max(other.contribution),
            minimum_contributors: self.minimum_contributors.max(other.minimum_contributors),
            release: self.release.max(other.release),
            not_before: self.not_before.max(other.not_before),
        }
    }

    /// Of two, if there are two.
    pub(super) fn of_both(a: Option<Self>, b: Option<Self>) -> Option<Self> {
        match (a, b) {
            (Some(a), Some(b)) => Some(a.and(b)),
            (a, b) => a.or(b),
        }
    }
}

/// A permit that holds, and when it was given.
#[derive(Clone, Copy)]
pub(super) struct Standing<'a> {
    pub(super) scope: &'a Scope,
    pub(super) permit: Permit,
    pub(super) given: u64,
}

impl Asking<'_> {
    /// Does a grant hold now, for this purpose, these recipients and this authority?
    pub(super) fn holds(&self, grant: &Grant) -> bool {
        grant.in_force(self.now) && self.is_for(&grant.newest().terms)
    }

    /// Is it about this purpose, these recipients and this authority? A rule that forbids what a narrower audience may not have
    /// is for every wider one: that is looked at where tiers are known.
    pub(super) fn is_for(&self, terms: &Terms) -> bool {
        let ForWhat { purpose, audience, authority, tier: _ } = self.for_what;
        let scope = &terms.scope;
        let named = authority.map(|authority| scope.authorities.contains(authority));
        let (audience, asks) = match terms.effect {
            Effect::Permit(_) => (scope.audience == Some(audience), named.unwrap_or(false)),
            // Who asks may not be known yet; the audience is looked at with the lists.
            Effect::Forbid => (true, named.unwrap_or(true)),
        };
        let asks = asks || scope.authorities.is_empty();
        audience && asks && scope.purpose.is_none_or(|of| of == purpose)
    }

    /// What is said of an indicator at the level of a block.
    pub(super) fn of_indicator<'a>(
        &self,
        block: &Block,
        grants: &'a [Grant],
        lists: &'a Lists,
    ) -> OfIndicator<'a> {
        let code = block.indicator;
        let about = |terms: &Terms| terms.scope.indicator == code;
        let mut of = OfIndicator {
            lists,
            indicator: lists.indicator_of(code),
            level: block.region_level,
            permits: Vec::new(),
            forbids: Vec::new(),
            taken: Vec::new(),
        };
        let own = lists.tier(self.for_what.audience);
        for grant in grants.iter().filter(|grant| about(&grant.newest().terms)) {
            of.taken.extend(Taken::of(grant, self));
            if !self.holds(grant) {
                continue;
            }
            let Terms { scope, effect, .. } = &grant.newest().terms;
            match effect {
                Effect::Permit(permit) => {
                    let given = grant.versions().next().map_or(0, |first| first.deed.epoch);
                    of.permits.push(Standing { scope, permit: *permit, given });
                }
                Effect::Forbid => {
                    let same =
                        |audience| audience == self.for_what.audience || lists.tier(audience) < own;
                    if scope.audience.is_none_or(same) {
                        of.forbids.push(scope);
                    }
                }
            }
        }
        of
    }
}

/// What is said of an indicator at one level.
pub(super) struct OfIndicator<'a> {
    pub(super) lists: &'a Lists,
    pub(super) indicator: Option<&'a Indicator>,
    pub(super) level: u32,
    pub(super) permits: Vec<Standing<'a>>,
    forbids: Vec<&'a Scope>,
    pub(super) taken: Vec<Taken<'a>>,
}

/// … and in one area.
pub(super) struct OfArea<'a, 'b> {
    of: &'b OfIndicator<'a>,
    area: CrimeAreaCode,
    permits: Vec<Standing<'a>>,
    forbids: Vec<&'a Scope>,
}

/// … and of one period.
pub(super) struct OfPeriod<'a, 'b> {
    of: &'b OfIndicator<'a>,
    area: CrimeAreaCode,
    period: Period,
    permits: Vec<Standing<'a>>,
    forbids: Vec<&'a Scope>,
    /// The newest act that took something of the cell back from everything older.
    bites: Option<u64>,
}

impl<'a> OfIndicator<'a> {
    /// Is an area another one, or below it?
    pub(super) fn is_in(&self, area: CrimeAreaCode, above: CrimeAreaCode) -> bool {
        let up = |area: &CrimeAreaCode| self.lists.crime_area_parent(*area);
        std::iter::successors(Some(area), up).any(|area| area == above)
    }

    pub(super) fn at_area(&self, area: CrimeAreaCode) -> OfArea<'a, '_> {
        let names = |scope: &Scope| covers_area(scope, area) && scope.levels.contains(&self.level);
        let barred = |scope: &&&Scope| {
            let level = |level: &u32| self.level >= *level;
            let near = |of: &CrimeAreaCode| self.is_in(area, *of) || self.is_in(*of, area);
            (scope.levels.is_empty() || scope.levels.iter().any(level))
                && scope.crime_areas.as_ref().is_none_or(|areas| areas.iter().any(near))
        };
        let permits = self.permits.iter().filter(|standing| names(standing.scope));
        OfArea {
            of: self,
            area,
            permits: permits.copied().collect(),
            forbids: self.forbids.iter().filter(barred).copied().collect(),
        }
    }

    /// Does a scope cover these categories at this level? The total alone unless it names what the figure is broken down by.
    pub(super) fn covers_categories(&self, scope: &Scope, categories: &Categories) -> bool {
        self.broken_down_by(categories).all(|dimension| scope.dimensions.contains(&dimension))
    }

    fn broken_down_by(&self, categories: &Categories) -> impl Iterator<Item = DimensionCode> {
        let dimensions = self.indicator.map_or(&[][..], |indicator| &indicator.dimensions);
        let named = dimensions.iter().zip(categories);
        named.filter(|(_, category)| category.is_some()).map(|(dimension, _)| *dimension)
    }
}

impl<'a, 'b> OfArea<'a, 'b> {
    pub(super) fn at_period(&self, period: Period) -> OfPeriod<'a, 'b> {
        let of = self.of;
        let permits = self.permits.iter().filter(|standing| covers_period(standing.scope, period));
        let permits: Vec<_> = permits.copied().collect();
        let touches = |scope: &&&Scope| Span::of(scope).overlaps(Span::of_period(period));
        let oldest = permits.iter().map(|standing| standing.given).min();
        let bites = oldest.and_then(|oldest| of.bites(self.area, period, oldest));
        OfPeriod {
            of,
            area: self.area,
            period,
            permits,
            forbids: self.forbids.iter().filter(touches).copied().collect(),
            bites,
        }
    }
}

impl OfPeriod<'_, '_> {
    /// How a cell may leave; none: not at all.
    pub(super) fn terms(&self, categories: &Categories) -> Option<Strictest> {
        let Self { of, area, period, permits, forbids, bites } = self;
        let broken_down = || of.broken_down_by(categories);
        let barred = |scope: &&Scope| {
            let named = |dimension| scope.dimensions.contains(&dimension);
            scope.dimensions.is_empty() || broken_down().any(named)
        };
        if forbids.iter().any(barred) {
            return None;
        }
        let total = of.level == 0 && broken_down().next().is_none();
        let covers = |standing: &&Standing<'_>| {
            let (_, _, totals_only) = standing.permit.precision.takes();
            (total || !totals_only) && of.covers_categories(standing.scope, categories)
        };
        let (mut terms, mut oldest, mut granted) = (None, u64::MAX, false);
        for Standing { permit, given, .. } in permits.iter().filter(covers) {
            terms = Strictest::of_both(terms, Some((*permit).into()));
            oldest = oldest.min(*given);
            granted |= bites.is_none_or(|bites| *given > bites);
        }
        let terms = terms.filter(|_| granted)?;
        Some(of.bound_by_taken(terms, oldest, (*area, *period), categories))
    }
}

pub(super) fn covers_area(scope: &Scope, area: CrimeAreaCode) -> bool {
    scope.crime_areas.as_ref().is_none_or(|areas| areas.contains(&area))
}

pub(super) fn covers_period(scope: &Scope, period: Period) -> bool {
    let same = |bound: Period| bound.granularity() == period.granularity();
    let after = scope.first.is_none_or(|first| same(first) && first <= period);
    let before = scope.last.is_none_or(|last| same(last) && period <= last);
    after && before
}

/// From month to month, both included; none: no bound.
#[derive(Clone, Copy)]
pub(super) struct Span {
    first: Option<Period>,
    last: Option<Period>,
}

impl Span {
    pub(super) fn of(scope: &Scope) -> Self {
        Self {
            first: scope.first.and_then(|first| first.months().first().copied()),
            last: scope.last.and_then(|last| last.months().last().copied()),
        }
    }

    pub(super) fn of_period(period: Period) -> Self {
        let months = period.months();
        Self { first: months.first().copied(), last: months.last().copied() }
    }

    pub(super) fn overlaps(self, other: Self) -> bool {
        let begins = |a: Self, b: Self| match (a.first, b.last) {
            (Some(first), Some(last)) => first <= last,
            (None, _) | (_, None) => true,
        };
        begins(self, other) && begins(other, self)
    }

    /// What both hold.
    pub(super) fn and(self, other: Self) -> Self {
        let last = match (self.last, other.last) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Self { first: self.first.max(other.first), last }
    }

    /// Does it hold all of another?
    pub(super) fn holds(self, other: Self) -> bool {
        let first = self.first.is_none_or(|own| other.first.is_some_and(|of| own <= of));
        let last = self.last.is_none_or(|own| other.last.is_some_and(|of| of <= own));
        first && last
    }
}

/// Every area of an indicator.
pub(super) fn all_areas(
    indicator: IndicatorCode,
    lists: &Lists,
) -> impl Iterator<Item = CrimeAreaCode> {
    let indicator = lists.indicator_of(indicator);
    indicator.into_iter().flat_map(|indicator| lists.crime_areas_of(indicator))
}
