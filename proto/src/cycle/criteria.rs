//! The five headings of an evaluation: relevance, effectiveness, efficiency, coherence, added value. Comes in: a plan, how it stands,
//! reports. Goes out: under each what follows from these alone, and the questions that somebody has to answer. Must never
//! word a question as its answer.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{
    closed::{Funding, ReportState},
    light::Light,
    measure::Measured,
    plan::{Action, Plan},
    report::Report,
    rows::joined,
    sheet::totals,
};
use crate::{identity::Place, regional::COUNTED_TWICE};

/// One heading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Criterion {
    /// Its name.
    pub heading: &'static str,
    /// What follows from the plan, figures and reports.
    pub findings: Vec<String>,
    /// What they do not answer.
    pub questions: Vec<&'static str>,
}

/// Fewest jurisdictions of an action that is more than neighbourly.
const TOGETHER_MIN: usize = 3;

/// All five.
pub(super) fn criteria(plan: &Plan, measured: &Measured, reports: &[&Report]) -> Vec<Criterion> {
    vec![
        Criterion {
            heading: "Relevance",
            findings: relevance(plan),
            questions: vec![
                "Are these still the threats that matter most? Hold the priorities against the newest ranking.",
                "What has appeared since that no priority covers?",
            ],
        },
        Criterion {
            heading: "Effectiveness",
            findings: effectiveness(measured),
            questions: vec![
                "Do the figures measure what the goals say?",
                "What would have happened without the actions?",
            ],
        },
        Criterion {
            heading: "Efficiency",
            findings: efficiency(plan, measured, reports),
            questions: vec![
                "What did it cost, in money and in days of work?",
                "Could the same have been had for less?",
            ],
        },
        Criterion {
            heading: "Coherence",
            findings: coherence(plan),
            questions: vec!["Do actions work against each other, or against other plans?"],
        },
        Criterion {
            heading: "Added value",
            findings: added_value(plan, reports),
            questions: vec!["What was possible only together?"],
        },
    ]
}

fn relevance(plan: &Plan) -> Vec<String> {
    let all = plan.priorities.len();
    let areas: BTreeSet<_> = plan.priorities.iter().flat_map(|of| &of.crime_areas).collect();
    let mut findings = vec![format!("{all} priorities cover {} crime areas.", areas.len())];
    let idle = plan
        .priorities
        .iter()
        .filter(|of| !plan.plans.iter().any(|of_plan| of_plan.priority.ordinal == of.ordinal));
    let idle = joined(idle.map(|of| format!("{} {}", of.ordinal, of.name)));
    if !idle.is_empty() {
        findings.push(format!("Without an operational action plan: {idle}."));
    }
    findings
}

fn effectiveness(measured: &Measured) -> Vec<String> {
    let figures: Vec<_> = measured.actions.iter().flat_map(|of| &of.indicators).collect();
    let mut findings = vec![lights("figures", figures.iter().map(|of| of.lit.light))];
    let judged = figures
        .iter()
        .filter(|of| of.newest().is_some_and(|point| point.period == of.of.target.period));
    let at_end: Vec<_> = judged.map(|of| of.lit.light).collect();
    if !at_end.is_empty() {
        findings.push(lights("figures whose target's period is measured", at_end.into_iter()));
    }
    findings.push(lights("actions", measured.actions.iter().map(|of| of.light)));
    findings
}

/// How many have which light; those that nobody has are left out.
fn lights(what: &str, of: impl Iterator<Item = Light>) -> String {
    let mut counts = BTreeMap::<Light, usize>::new();
    of.for_each(|light| *counts.entry(light).or_default() += 1);
    let all: usize = counts.values().sum();
    let said = counts.iter().map(|(light, count)| format!("{count} {}", light.as_str()));
    let said = said.collect::<Vec<_>>().join(", ");
    if all == 0 { format!("There are no {what}.") } else { format!("Of {all} {what}: {said}.") }
}

fn efficiency(plan: &Plan, measured: &Measured, reports: &[&Report]) -> Vec<String> {
    let over: Vec<_> = plan
        .actions()
        .filter(|(_, action)| action.end < measured.today)
        .map(|(_, of)| of)
        .collect();
    let is_done = |action: &&&Action| {
        reports.iter().any(|of| of.action == action.code && of.state == ReportState::Done)
    };
    let (ended, done) = (over.len(), over.iter().filter(is_done).count());
    let overdue: usize = measured.actions.iter().map(|of| of.overdue.len()).sum();
    let paid = Funding::ALL.iter().filter_map(|funding| {
        let by = plan.actions().filter(|(_, action)| action.funding.contains(funding)).count();
        (by > 0).then(|| format!("{funding} {by}"))
    });
    vec![
        format!("Of {ended} actions whose last day is over, {done} are reported done."),
        format!("{overdue} reports are overdue."),
        format!("Actions by funding: {}.", joined(paid)),
    ]
}

fn coherence(plan: &Plan) -> Vec<String> {
    let all = plan.priorities.len();
    let named = plan.priorities.iter().filter(|of| !of.eu.is_empty()).count();
    let mut findings = vec![format!("{named} of {all} priorities name a priority of EMPACT.")];
    if let (Place::Jurisdiction(_), Some(region)) = (plan.cycle.of, &plan.region_plan) {
        let serve = plan.priorities.iter().filter(|of| !of.region_link.is_empty()).count();
        findings.push(format!("{serve} of {all} priorities serve the region's plan {region}."));
    }
    let idle =
        plan.goals.iter().filter(|goal| !plan.actions().any(|(_, action)| action.goal == goal.id));
    let idle = joined(idle.map(|goal| goal.id));
    if !idle.is_empty() {
        findings.push(format!("Goals that no action serves: {idle}."));
    }
    let mut covered = BTreeMap::<_, Vec<u32>>::new();
    for priority in &plan.priorities {
        for area in &priority.crime_areas {
            covered.entry(*area).or_default().push(priority.ordinal);
        }
    }
    let several = covered.iter().filter(|(_, by)| by.len() > 1).map(|(area, _)| area);
    let several = joined(several);
    if !several.is_empty() {
        findings.push(format!("Covered by several priorities: {several}."));
    }
    findings
}

fn added_value(plan: &Plan, reports: &[&Report]) -> Vec<String> {
    let jurisdictions = |action: &Action| {
        let all = [action.leader].into_iter().chain(action.co_leaders.iter().copied());
        let all = all.chain(action.participants.iter().copied());
        all.filter(|party| party.jurisdiction().is_some()).count()
    };
    let all = plan.actions().count();
    let together =
        plan.actions().filter(|(_, action)| jurisdictions(action) >= TOGETHER_MIN).count();
    let mut findings = vec![format!(
        "{together} of {all} actions bring {TOGETHER_MIN} jurisdictions or more together."
    )];
    let totals = totals(reports);
    if !totals.is_empty() {
        let said = totals.iter().map(|of| format!("{} by {} parties", of.result, of.parties));
        findings
            .push(format!("Reported by the parties themselves: {}. {COUNTED_TWICE}", joined(said)));
    }
    findings
}
