//! When reports are due. Comes in: an action and its plan's rule of reporting. Goes out: periods that it is reported of. A period counts if any day of the action lies in it.

use super::{
    day::Day,
    plan::{Action, Plan},
};
use crate::{limits::CYCLE_MONTHS_MAX, taxonomy::Period};

/// Periods that an action is reported of, ascending.
pub(super) fn periods(plan: &Plan, action: &Action) -> Vec<Period> {
    let within = |day: Day| {
        let mut longer = day.month()?.longer().into_iter();
        longer.find(|period| period.granularity() == plan.reporting.every)
    };
    let most = usize::try_from(CYCLE_MONTHS_MAX).unwrap_or(0);
    let ends = within(action.start).zip(within(action.end));
    ends.and_then(|(first, last)| Period::range(first, last, most)).unwrap_or_default()
}
