//! What a plan means for one jurisdiction: the view of its national coordinator. Comes in: a plan, how it stands, reports, a jurisdiction.
//! Goes out: what it drives, leads and takes part in, what it owes, what it has reported. Must never show what another
//! jurisdiction owes or reports, but of an action that both lead, nor put two of them side by side.

use serde::Serialize;

use super::{
    day::Day,
    light::Light,
    measure::{ActionMeasured, Measured, newest},
    party::Party,
    plan::Plan,
    report::Report,
    roles::{Deed, Role, may},
};
use crate::taxonomy::JurisdictionCode;

/// A part that it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Which part.
    pub role: Role,
    /// Code of the operational plan or the action.
    pub code: String,
    /// Title of the action, or name of the priority that the operational plan is for.
    pub title: String,
    /// Its last day.
    pub end: String,
    /// How it stands.
    pub light: Light,
    /// Why, where the jurisdiction drives or leads it.
    pub why: String,
}

/// A report that it owes or is to make next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Owed {
    /// Of which action.
    pub action: String,
    /// Of which period.
    pub period: String,
    /// The last day on which it is in time.
    pub by: Day,
    /// That day is over.
    pub overdue: bool,
}

/// All that a jurisdiction has taken on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct National {
    /// Which one.
    pub jurisdiction: JurisdictionCode,
    /// In the order of the plan.
    pub parts: Vec<Part>,
    /// What is due, the earliest first.
    pub owed: Vec<Owed>,
    /// Its own reports, by action, then time.
    pub reports: Vec<Report>,
}

/// The view of one jurisdiction.
pub fn national(
    plan: &Plan,
    measured: &Measured,
    reports: &[Report],
    jurisdiction: JurisdictionCode,
) -> National {
    let party = Party::Jurisdiction(jurisdiction);
    let (mut parts, mut owed) = (Vec::new(), Vec::new());
    for operational in &plan.plans {
        let lit = measured.plans.iter().find(|(code, _)| *code == operational.code);
        if let (Some(role), Some((code, lit))) = (Role::in_plan(operational, party), lit) {
            let ends = operational.actions.iter().map(|action| action.end).max();
            parts.push(Part {
                role,
                code: code.to_string(),
                title: plan
                    .priority(operational.priority.ordinal)
                    .map_or_else(String::new, |of| of.name.clone()),
                end: ends.map_or_else(String::new, |end| end.to_string()),
                light: lit.light,
                why: lit.why.clone(),
            });
        }
        for action in &operational.actions {
            let stands = measured.action(action.code);
            let (Some(role), Some(stands)) = (Role::in_action(action, party), stands) else {
                continue;
            };
            let leads = may(role, Deed::ReportAction);
            parts.push(Part {
                role,
                code: action.code.to_string(),
                title: action.title.clone(),
                end: action.end.to_string(),
                light: stands.light,
                why: if leads { why(stands) } else { String::new() },
            });
            if leads {
                owed.extend(owes(stands));
            }
        }
    }
    owed.sort_by_key(|of| of.by);
    let own = newest(reports).into_iter().filter(|report| report.party == party);
    National { jurisdiction, parts, owed, reports: own.cloned().collect() }
}

/// The reasons for its light.
pub(super) fn why(action: &ActionMeasured) -> String {
    let counts = action.reasons.iter().filter(|lit| lit.light == action.light);
    counts.map(|lit| lit.why.as_str()).collect::<Vec<_>>().join("; ")
}

fn owes(action: &ActionMeasured) -> impl Iterator<Item = Owed> {
    let owed = |due: &super::Due, overdue| Owed {
        action: action.code.to_string(),
        period: due.period.to_string(),
        by: due.by,
        overdue,
    };
    let overdue = action.overdue.iter().map(move |due| owed(due, true));
    overdue.chain(action.next.iter().map(move |due| owed(due, false)))
}
