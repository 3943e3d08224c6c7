//! Lights over time. Comes in: an action, how it stands, the reports of it. Goes out: a light for each period of reports that is over, as
//! it was on the day after these reports were due. Pictures carry no time, so figures are as they are known today: what was
//! revised since shows as it is now.

use super::{
    day::Day,
    due,
    light::{Light, worst},
    measure::{ActionMeasured, stand},
    plan::{Action, Plan},
    report::Report,
};
use crate::taxonomy::Period;

/// The lights of every period of the cycle whose reports were due before today, ascending. `reports`: of one party and period
/// one.
pub(super) fn history(
    plan: &Plan,
    (action, stands): (&Action, &ActionMeasured),
    reports: &[&Report],
    today: Day,
) -> Vec<(Period, Light)> {
    let then = |period: Period| (period, due::day(plan, period).plus_days(1));
    let over = due::of_cycle(plan).into_iter().map(then).take_while(|(_, then)| *then <= today);
    let light = |(period, then): (Period, Day)| {
        let known = reports.iter().copied().filter(|report| report.period <= period);
        let figures: Vec<_> = stands.indicators.iter().map(|of| of.lit_on(then)).collect();
        let stand = stand(plan, action, &known.collect::<Vec<_>>(), &figures, then);
        (period, worst(&stand.reasons))
    };
    over.map(light).collect()
}
