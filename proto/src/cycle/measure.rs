//! How a plan stands. Comes in: the plan, figures, reports, today. Goes out: [`Measured`]: a light for every action, operational plan,
//! priority and goal, each with its reasons. The rules of an action, the worst of which counts (figures: see `progress`):
//!
//! ```text
//! not begun, and nothing reported                               GREY, whatever figures say
//! over, not reported done                                       AMBER; RED once its last reports are due
//! the newest report of its leaders                              ON_TRACK, DONE: GREEN   DELAYED: AMBER   BLOCKED: RED
//! a report was due since                                        AMBER
//! ```

use std::collections::BTreeMap;

use super::{
    closed::ReportState,
    day::Day,
    due,
    figures::Figures,
    light::{Light, Lit, Source, of_parts, worst},
    plan::{Action, OperationalPlan, Plan},
    progress::{Progress, progress},
    refs::{ActionCode, GoalId},
    report::Report,
    roles::{Deed, Role, may},
};
use crate::{
    limits::PLAN_REPORTS_MAX,
    reason::Invalid,
    roster::bounded,
    taxonomy::{Lists, Period, TermCode},
};

/// A report that is to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// Of which period.
    pub period: Period,
    /// The last day on which it is in time.
    pub by: Day,
}

/// How an action stands.
#[derive(Clone, Debug, PartialEq)]
pub struct ActionMeasured {
    /// Which action.
    pub code: ActionCode,
    /// The worst of the reasons.
    pub light: Light,
    /// Every reason, dates first, then reports, then figures.
    pub reasons: Vec<Lit>,
    /// Its figures, in the order of the plan.
    pub indicators: Vec<Progress>,
    /// Reports that its leaders owe, ascending.
    pub overdue: Vec<Due>,
    /// The next one that is due; none: none any more.
    pub next: Option<Due>,
}

/// How a plan stands on one day.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Measured {
    /// That day.
    pub today: Day,
    /// In the order of the plan.
    pub actions: Vec<ActionMeasured>,
    /// Operational plans, in order.
    pub plans: Vec<(TermCode, Lit)>,
    /// Priorities by ordinal, in order.
    pub priorities: Vec<(u32, Lit)>,
    /// Goals, in order.
    pub goals: Vec<(GoalId, Lit)>,
}

impl Measured {
    /// How one action stands.
    pub fn action(&self, code: ActionCode) -> Option<&ActionMeasured> {
        self.actions.iter().find(|action| action.code == code)
    }
}

/// How a plan stands today. Of one party, action and period the last report in the list counts.
///
/// # Errors
/// `PLAN_INCONSISTENT` of a report that does not fit the plan or whose period has not begun; `LIMIT_EXCEEDED` of too many.
pub fn measure(
    plan: &Plan,
    figures: &Figures,
    reports: &[Report],
    today: Day,
    lists: &Lists,
) -> Result<Measured, Invalid> {
    bounded("reports", reports.len(), PLAN_REPORTS_MAX)?;
    for (at, report) in reports.iter().enumerate() {
        let place = |error: Invalid| error.within(format!("reports[{at}]"));
        report.fits(plan).map_err(place)?;
        report.has_begun(today).map_err(place)?;
    }
    let reports = by_action(reports);
    let actions = plan.actions().map(|(_, of)| {
        let said = reports.get(&of.code).map_or(&[][..], Vec::as_slice);
        action(plan, of, figures, said, today, lists)
    });
    Ok(measured(plan, actions.collect(), today))
}

/// Of one party, action and period the last; ascending by these.
pub(super) fn newest(reports: &[Report]) -> Vec<&Report> {
    let key = |report: &Report| (report.action, report.period, report.party);
    let by_key: BTreeMap<_, _> = reports.iter().map(|report| (key(report), report)).collect();
    by_key.into_values().collect()
}

/// Reports by action; of one party and period of it the last.
type ByAction<'a> = BTreeMap<ActionCode, Vec<&'a Report>>;

pub(super) fn by_action(reports: &[Report]) -> ByAction<'_> {
    let mut by_action = ByAction::new();
    for report in newest(reports) {
        by_action.entry(report.action).or_default().push(report);
    }
    by_action
}

fn measured(plan: &Plan, actions: Vec<ActionMeasured>, today: Day) -> Measured {
    let lights: BTreeMap<_, _> = actions.iter().map(|of| (of.code, of.light)).collect();
    let rolled = |belongs: &dyn Fn(&OperationalPlan, &Action) -> bool| {
        let parts = plan.actions().filter(|(of, action)| belongs(of, action));
        let light = |code| lights.get(&code).copied().unwrap_or(Light::Grey);
        let parts = parts.map(|(_, of)| (of.code.to_string(), light(of.code)));
        of_parts(&parts.collect::<Vec<_>>())
    };
    let plans = plan.plans.iter().map(|of| (of.code, rolled(&|plan, _| plan.code == of.code)));
    let priorities = plan
        .priorities
        .iter()
        .map(|of| (of.ordinal, rolled(&|plan, _| plan.priority.ordinal == of.ordinal)));
    let goals = plan.goals.iter().map(|of| (of.id, rolled(&|_, action| action.goal == of.id)));
    Measured {
        today,
        plans: plans.collect(),
        priorities: priorities.collect(),
        goals: goals.collect(),
        actions,
    }
}

fn action(
    plan: &Plan,
    action: &Action,
    figures: &Figures,
    reports: &[&Report],
    today: Day,
    lists: &Lists,
) -> ActionMeasured {
    let indicators: Vec<_> =
        action.indicators.iter().map(|of| progress(of, figures, today, lists)).collect();
    let named = |of: &Progress| Lit {
        why: format!("{}: {}", of.of.name(lists), of.lit.why),
        ..of.lit.clone()
    };
    let of_figures: Vec<_> = indicators.iter().map(named).collect();
    let Stand { reasons, overdue, next } = stand(plan, action, reports, &of_figures, today);
    ActionMeasured { code: action.code, light: worst(&reasons), reasons, indicators, overdue, next }
}

/// What the light of an action rests on.
pub(super) struct Stand {
    /// Every reason, dates first, then reports, then figures.
    pub(super) reasons: Vec<Lit>,
    overdue: Vec<Due>,
    next: Option<Due>,
}

/// How an action stands by its days, the reports of it, and the lights of its figures.
pub(super) fn stand(
    plan: &Plan,
    action: &Action,
    reports: &[&Report],
    figures: &[Lit],
    today: Day,
) -> Stand {
    let leads = |report: &&&Report| {
        Role::in_action(action, report.party).is_some_and(|role| may(role, Deed::ReportAction))
    };
    let by_leaders: Vec<_> = reports.iter().filter(leads).copied().collect();
    let last = by_leaders.iter().map(|report| report.period).max();
    let newest: Vec<_> =
        by_leaders.into_iter().filter(|report| Some(report.period) == last).collect();
    let done = newest.iter().any(|report| report.state == ReportState::Done);
    let (overdue, next) = if done { (Vec::new(), None) } else { owed(plan, action, last, today) };
    let mut reasons: Vec<_> = dates(plan, action, done, today).into_iter().collect();
    reasons.extend(newest.iter().map(|report| reported(report)));
    if !overdue.is_empty() {
        let due = overdue.iter().map(|due| format!("{} by {}", due.period, due.by));
        let why = format!("reports were due: {}", due.collect::<Vec<_>>().join(", "));
        reasons.push(Lit::new(Light::Amber, Source::Report, why));
    }
    if action.start <= today || !newest.is_empty() {
        reasons.extend(figures.iter().cloned());
    }
    if reasons.is_empty() {
        let why = "nothing is reported, and nothing is measured";
        reasons.push(Lit::new(Light::Grey, Source::Report, why));
    }
    Stand { reasons, overdue, next }
}

/// What the days of an action say.
fn dates(plan: &Plan, action: &Action, done: bool, today: Day) -> Option<Lit> {
    let lit = |light, why| Some(Lit::new(light, Source::Dates, why));
    if today < action.start {
        return lit(Light::Grey, format!("starts on {}", action.start));
    }
    if today <= action.end || done {
        return None;
    }
    let why = format!("was to end on {}, and is not reported done", action.end);
    let last = due::periods(plan, action).last().map(|period| due::day(plan, *period));
    lit(if last.is_some_and(|last| last < today) { Light::Red } else { Light::Amber }, why)
}

fn reported(report: &Report) -> Lit {
    let light = match report.state {
        ReportState::OnTrack | ReportState::Done => Light::Green,
        ReportState::Delayed => Light::Amber,
        ReportState::Blocked => Light::Red,
    };
    let (party, state, period) = (report.party, report.state, report.period);
    // Nobody else has checked it.
    let why = format!("{party} reports {state} for {period}, by its own word");
    let why = match report.obstacles.as_str() {
        "" => why,
        obstacles => format!("{why}: {obstacles}"),
    };
    Lit::new(light, Source::Report, why)
}

/// Reports that were due since the last one, and the next.
fn owed(plan: &Plan, action: &Action, last: Option<Period>, today: Day) -> (Vec<Due>, Option<Due>) {
    let open = due::periods(plan, action).into_iter().filter(|period| Some(*period) > last);
    let open = open.map(|period| Due { period, by: due::day(plan, period) });
    let (overdue, later): (Vec<_>, Vec<_>) = open.partition(|due| due.by < today);
    (overdue, later.first().copied())
}
