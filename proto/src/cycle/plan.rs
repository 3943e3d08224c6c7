//! A plan, checked. Made by [`Plan::read`], [`Plan::check`] and a file's `read` only: every reference leads somewhere, every code stands
//! once, every date lies in the cycle. Lists are in the order of their codes, whatever order they were written in.

use super::{
    closed::{ActionType, Direction, Funding},
    day::Day,
    party::Party,
    refs::{ActionCode, GoalId, PriorityRef},
};
use crate::{
    id::RequirementId,
    identity::{Name, Place},
    taxonomy::{
        Categories, CrimeAreaCode, Granularity, IndicatorCode, Lists, Period, PriorityCode,
        TermCode,
    },
};

/// A strategic plan with its operational action plans.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// Its name; the same when it is amended.
    pub id: Name,
    /// What people call it.
    pub title: String,
    /// Which cycle it is for.
    pub cycle: Cycle,
    /// When reports are due.
    pub reporting: Reporting,
    /// Of a jurisdiction's plan: the region's that it serves.
    pub region_plan: Option<Name>,
    /// Ascending by ordinal.
    pub priorities: Vec<Priority>,
    /// Horizontal ones first, then by number.
    pub goals: Vec<Goal>,
    /// Ascending by code.
    pub plans: Vec<OperationalPlan>,
}

/// A policy cycle.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cycle {
    /// Like `2026-2029`.
    pub code: TermCode,
    /// Its name.
    pub name: String,
    /// First period.
    pub from: Period,
    /// Last period, included.
    pub to: Period,
    /// Whose cycle: the region's or a jurisdiction's.
    pub of: Place,
}

impl Cycle {
    /// Its first day.
    pub fn first_day(&self) -> Day {
        Day::first_of(self.from)
    }

    /// Its last day.
    pub fn last_day(&self) -> Day {
        Day::last_of(self.to)
    }
}

/// When reports of actions are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reporting {
    /// How long a period of a report is: a year, a half-year or a quarter.
    pub every: Granularity,
    /// Days after its end until the report is due.
    pub within_days: u32,
}

/// A priority of the cycle.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Priority {
    /// Its number, from 1.
    pub ordinal: u32,
    /// Its name.
    pub name: String,
    /// Its parts, ascending by letter.
    pub sub_items: Vec<SubItem>,
    /// What it covers, ascending; several priorities may cover one area.
    pub crime_areas: Vec<CrimeAreaCode>,
    /// Priorities of EMPACT that its makers name, of any cycle, ascending.
    pub eu: Vec<PriorityCode>,
    /// Ordinals of the region's plan that it serves, ascending.
    pub region_link: Vec<u32>,
}

/// A part of a priority.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubItem {
    /// `A` to `Z`.
    pub letter: char,
    /// Its name.
    pub name: String,
}

/// A strategic goal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Goal {
    /// Its id.
    pub id: GoalId,
    /// What is to be reached.
    pub text: String,
    /// Ordinals of the priorities that it serves, ascending; none of a horizontal goal: all.
    pub priorities: Vec<u32>,
}

/// An operational action plan.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperationalPlan {
    /// Its code.
    pub code: TermCode,
    /// Which priority, or which part of one.
    pub priority: PriorityRef,
    /// Who drives it.
    pub driver: Party,
    /// Who supports or replaces the driver, ascending.
    pub co_drivers: Vec<Party>,
    /// Ascending by code.
    pub actions: Vec<Action>,
}

/// An operational action.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Action {
    /// Its code; no other action of the plan has it.
    pub code: ActionCode,
    /// Its title.
    pub title: String,
    /// Which goal it serves.
    pub goal: GoalId,
    /// What is done.
    pub description: String,
    /// What kind of work it is.
    pub kind: ActionType,
    /// Who runs it.
    pub leader: Party,
    /// Who runs it too, ascending.
    pub co_leaders: Vec<Party>,
    /// Who contributes, ascending.
    pub participants: Vec<Party>,
    /// Agencies that support it, ascending.
    pub agencies: Vec<Party>,
    /// First day.
    pub start: Day,
    /// Last day.
    pub end: Day,
    /// What is there when it is done.
    pub expected_result: String,
    /// Who pays, ascending.
    pub funding: Vec<Funding>,
    /// How it is measured, in the order of codes; none: by reports alone.
    pub indicators: Vec<ActionIndicator>,
}

/// A figure of the region that an action is measured by.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActionIndicator {
    /// What is counted or measured.
    pub indicator: IndicatorCode,
    /// Of which crime area.
    pub crime_area: CrimeAreaCode,
    /// Of which categories.
    pub categories: Categories,
    /// Where it began.
    pub baseline: Baseline,
    /// Where it is to go.
    pub target: Target,
    /// Requirements whose pictures tell it, ascending; none: any, as long as they agree.
    pub requirements: Vec<RequirementId>,
}

/// Where a figure began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Baseline {
    /// When.
    pub period: Period,
    /// In units of 10^-decimals of the indicator.
    pub value: i64,
}

/// Where a figure is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Target {
    /// When; as long as the baseline's period, and later.
    pub period: Period,
    /// In units of 10^-decimals of the indicator.
    pub value: i64,
    /// Which way.
    pub direction: Direction,
}

impl Plan {
    /// Every action with its operational plan, in order.
    pub fn actions(&self) -> impl Iterator<Item = (&OperationalPlan, &Action)> {
        self.plans.iter().flat_map(|plan| plan.actions.iter().map(move |action| (plan, action)))
    }

    /// The action with this code.
    pub fn action(&self, code: ActionCode) -> Option<(&OperationalPlan, &Action)> {
        self.actions().find(|(_, action)| action.code == code)
    }

    /// The priority with this number.
    pub fn priority(&self, ordinal: u32) -> Option<&Priority> {
        self.priorities.iter().find(|priority| priority.ordinal == ordinal)
    }
}

impl ActionIndicator {
    /// Indicator, crime area and categories as text, for whoever prints or sorts.
    pub fn series(&self, lists: &Lists) -> (String, String, String) {
        let categories = lists.write_categories(self.indicator, &self.categories);
        (self.indicator.to_string(), self.crime_area.to_string(), categories)
    }

    /// The same in one line.
    pub fn name(&self, lists: &Lists) -> String {
        let (indicator, crime_area, categories) = self.series(lists);
        format!("{indicator} {crime_area} {categories}")
    }
}
