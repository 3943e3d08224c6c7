//! When reports are due. Comes in: an action and its plan's rule of reporting. Goes out: periods that it is reported of, and until which
//! day. A period counts if any day of the action lies in it.

use super::{
    day::Day,
    plan::{Action, Plan},
};
use crate::{limits::CYCLE_MONTHS_MAX, taxonomy::Period};

/// Periods that an action is reported of, ascending.
pub(super) fn periods(plan: &Plan, action: &Action) -> Vec<Period> {
    between(plan, action.start, action.end)
}

/// Periods of reports of the whole cycle, ascending.
pub(super) fn of_cycle(plan: &Plan) -> Vec<Period> {
    between(plan, plan.cycle.first_day(), plan.cycle.last_day())
}

fn between(plan: &Plan, start: Day, end: Day) -> Vec<Period> {
    let within = |day: Day| {
        let mut longer = day.month()?.longer().into_iter();
        longer.find(|period| period.granularity() == plan.reporting.every)
    };
    let most = usize::try_from(CYCLE_MONTHS_MAX).unwrap_or(0);
    let ends = within(start).zip(within(end));
    ends.and_then(|(first, last)| Period::range(first, last, most)).unwrap_or_default()
}

/// The last day on which the report of a period is in time.
pub(super) fn day(plan: &Plan, period: Period) -> Day {
    Day::last_of(period).plus_days(plan.reporting.within_days)
}
