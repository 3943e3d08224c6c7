//! A plan and how it stands, ready to print or export. Comes in: a plan, what was measured. Goes out: rows of short texts, in the order
//! of the plan. Must never give a light without its reason, nor a figure without where it lies.

use serde::Serialize;

use super::{
    figures::Figure,
    light::{Light, Lit},
    measure::Measured,
    national::why,
    plan::{ActionIndicator, Plan},
    progress::{Caveat, Progress},
    report::{Counted, Report},
};
use crate::taxonomy::{Lists, decimal};

/// An action of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlanRow {
    /// Code of its operational plan.
    pub plan: String,
    /// The priority, or a part of it.
    pub priority: String,
    /// Its code; empty: the operational plan has no action.
    pub action: String,
    /// Its title.
    pub title: String,
    /// What kind of work it is.
    pub r#type: &'static str,
    /// The goal that it serves.
    pub goal: String,
    /// Who drives the operational plan.
    pub driver: String,
    /// Who runs the action.
    pub leader: String,
    /// Everybody else who has a part in it.
    pub others: String,
    /// First day.
    pub start: String,
    /// Last day.
    pub end: String,
}

/// A light of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LightRow {
    /// `priority`, `goal`, `plan` or `action`.
    pub what: &'static str,
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// The light.
    pub light: Light,
    /// Why.
    pub why: String,
}

/// A figure that an action is measured by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IndicatorRow {
    /// The action.
    pub action: String,
    /// What is counted or measured.
    pub indicator: String,
    /// Of which crime area.
    pub crime_area: String,
    /// Of which categories.
    pub categories: String,
    /// Its unit.
    pub unit: String,
    /// When it began.
    pub baseline_period: String,
    /// Where it began, by the plan.
    pub baseline: String,
    /// When it is to be there.
    pub target_period: String,
    /// Where it is to go.
    pub target: String,
    /// Which way.
    pub direction: &'static str,
    /// Newest period that is told; empty: none.
    pub period: String,
    /// The figure with where it lies; several, where requirements tell different ones.
    pub figure: String,
    /// Where it should be in that period.
    pub expected: String,
    /// The light.
    pub light: Light,
    /// Why.
    pub why: String,
    /// What else is to be known.
    pub caveats: String,
    /// Requirement and version of the pictures that tell it.
    pub sources: String,
}

/// What a party reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReportRow {
    /// The action.
    pub action: String,
    /// Who reports.
    pub party: String,
    /// Of which period.
    pub period: String,
    /// How it stands.
    pub state: &'static str,
    /// What was done.
    pub progress: String,
    /// What was counted, by the party itself.
    pub results: String,
    /// What stands in the way.
    pub obstacles: String,
    /// What was learnt.
    pub lessons: String,
    /// What comes next.
    pub next_steps: String,
}

/// Texts of a list, one after the other.
pub(super) fn joined<T: ToString>(list: impl IntoIterator<Item = T>) -> String {
    list.into_iter().map(|of| of.to_string()).collect::<Vec<_>>().join("; ")
}

/// Every action; an operational plan without one has a row of its own.
pub fn plan_rows(plan: &Plan) -> Vec<PlanRow> {
    let mut rows = Vec::new();
    for of in &plan.plans {
        let head = PlanRow {
            plan: of.code.to_string(),
            priority: of.priority.to_string(),
            action: String::new(),
            title: String::new(),
            r#type: "",
            goal: String::new(),
            driver: of.driver.to_string(),
            leader: String::new(),
            others: String::new(),
            start: String::new(),
            end: String::new(),
        };
        if of.actions.is_empty() {
            rows.push(head.clone());
        }
        rows.extend(of.actions.iter().map(|action| PlanRow {
            action: action.code.to_string(),
            title: action.title.clone(),
            r#type: action.kind.as_str(),
            goal: action.goal.to_string(),
            leader: action.leader.to_string(),
            others: joined(
                action.co_leaders.iter().chain(&action.participants).chain(&action.agencies),
            ),
            start: action.start.to_string(),
            end: action.end.to_string(),
            ..head.clone()
        }));
    }
    rows
}

/// Every light: priorities, goals, operational plans, actions.
pub fn light_rows(plan: &Plan, measured: &Measured) -> Vec<LightRow> {
    let row = |what, code: String, name: &str, lit: &Lit| LightRow {
        what,
        code,
        name: name.to_owned(),
        light: lit.light,
        why: lit.why.clone(),
    };
    let priorities = measured.priorities.iter().map(|(ordinal, lit)| {
        let name = plan.priority(*ordinal).map_or("", |of| &of.name);
        row("priority", ordinal.to_string(), name, lit)
    });
    let goals = measured.goals.iter().map(|(id, lit)| {
        let text = plan.goals.iter().find(|of| of.id == *id).map_or("", |of| &of.text);
        row("goal", id.to_string(), text, lit)
    });
    let plans = measured.plans.iter().map(|(code, lit)| {
        let of = plan.plans.iter().find(|of| of.code == *code);
        let name = of.and_then(|of| plan.priority(of.priority.ordinal)).map_or("", |of| &of.name);
        row("plan", code.to_string(), name, lit)
    });
    let actions = measured.actions.iter().map(|of| LightRow {
        what: "action",
        code: of.code.to_string(),
        name: plan.action(of.code).map_or_else(String::new, |(_, of)| of.title.clone()),
        light: of.light,
        why: why(of),
    });
    priorities.chain(goals).chain(plans).chain(actions).collect()
}

/// Every figure of every action.
pub fn indicator_rows(measured: &Measured, lists: &Lists) -> Vec<IndicatorRow> {
    let of_action = |of: &super::ActionMeasured| {
        let code = of.code.to_string();
        let rows = of.indicators.iter().map(|of| indicator_row(&code, of, lists));
        rows.collect::<Vec<_>>()
    };
    measured.actions.iter().flat_map(of_action).collect()
}

/// Baseline and target, as text.
pub(super) fn ends(of: &ActionIndicator, lists: &Lists) -> [String; 2] {
    let decimals = lists.indicator_of(of.indicator).map_or(0, |indicator| indicator.decimals);
    [of.baseline.value, of.target.value].map(|value| decimal(value, decimals))
}

fn indicator_row(action: &str, progress: &Progress, lists: &Lists) -> IndicatorRow {
    let of = &progress.of;
    let (indicator, crime_area, categories) = of.series(lists);
    let [baseline, target] = ends(of, lists);
    let newest = progress.newest();
    let told = newest.map_or(&[][..], |point| &point.told);
    let source = |figure: &Figure| format!("{}:{}", figure.requirement, figure.version);
    IndicatorRow {
        action: action.to_owned(),
        indicator,
        crime_area,
        categories,
        unit: lists.indicator_of(of.indicator).map_or_else(String::new, |of| of.unit.clone()),
        baseline_period: of.baseline.period.to_string(),
        baseline,
        target_period: of.target.period.to_string(),
        target,
        direction: of.target.direction.as_str(),
        period: newest.map_or_else(String::new, |point| point.period.to_string()),
        figure: joined(told.iter().map(|of| of.text())),
        expected: newest.map_or_else(String::new, |point| point.expected.clone()),
        light: progress.lit.light,
        why: progress.lit.why.clone(),
        caveats: newest.map_or_else(String::new, |point| {
            joined(point.caveats.iter().map(|caveat: &Caveat| caveat.in_words()))
        }),
        sources: joined(told.iter().map(|of| source(of))),
    }
}

/// One result, as text.
pub(super) fn counted(of: &Counted) -> String {
    let drug = of.drug.map_or_else(String::new, |drug| format!(" {drug}"));
    format!("{}{drug} {} {}", of.counter, of.value, of.counter.unit())
}

/// Reports, in the order that they come in.
pub fn report_rows<'a>(reports: impl IntoIterator<Item = &'a Report>) -> Vec<ReportRow> {
    let row = |of: &Report| ReportRow {
        action: of.action.to_string(),
        party: of.party.to_string(),
        period: of.period.to_string(),
        state: of.state.as_str(),
        progress: of.progress.clone(),
        results: joined(of.results.iter().map(counted)),
        obstacles: of.obstacles.clone(),
        lessons: of.lessons.clone(),
        next_steps: of.next_steps.clone(),
    };
    reports.into_iter().map(row).collect()
}
