//! The sheet that an evaluation begins with, at the end of a cycle or before. Comes in: a plan, figures, reports, today. Goes out: of every
//! action what was planned, measured, reported and learnt; of every figure that is not measured, why; and under the five
//! headings of an evaluation what follows from that, and what is left to ask. Must never answer a question that no figure and no
//! report answers.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{
    criteria::{Criterion, criteria},
    day::Day,
    figures::Figures,
    history::history,
    light::Light,
    measure::{ActionMeasured, by_action, measure, newest},
    national::why,
    plan::{Action, OperationalPlan, Plan},
    progress::Progress,
    report::{Counted, Report},
    rows::{LightRow, counted, ends, light_rows},
};
use crate::{
    reason::Invalid,
    taxonomy::{Lists, Period},
};

/// A figure, from where it was to where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IndicatorSheet {
    /// Indicator, crime area, categories.
    pub indicator: String,
    /// Period and value of the plan.
    pub baseline: String,
    /// Period, value and direction.
    pub target: String,
    /// Period and figure with where it lies; none: it is not measured.
    pub actual: Option<String>,
    /// Its light.
    pub light: Light,
    /// Why; of one that is not measured, why not.
    pub why: String,
    /// What else is to be known.
    pub caveats: Vec<&'static str>,
}

/// Words of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Said {
    /// Who.
    pub party: String,
    /// Of which period.
    pub period: String,
    /// What.
    pub text: String,
}

/// What reports count together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Total {
    /// Counter, sum and unit.
    pub result: String,
    /// So many parties reported it.
    pub parties: usize,
}

/// What became of an action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActionSheet {
    /// Its code.
    pub action: String,
    /// Its title.
    pub title: String,
    /// The operational plan.
    pub plan: String,
    /// The priority, or a part of it.
    pub priority: String,
    /// The goal.
    pub goal: String,
    /// From when to when.
    pub days: String,
    /// What was to be there at the end.
    pub expected_result: String,
    /// How it stands.
    pub light: Light,
    /// Why.
    pub why: String,
    /// Period and light, like `2026-H1 GREEN`, as figures and reports known today tell it.
    pub lights: Vec<String>,
    /// Its figures.
    pub indicators: Vec<IndicatorSheet>,
    /// So many reports were made, of all parties.
    pub reports: usize,
    /// What they count; the parties' own public numbers.
    pub results: Vec<Total>,
    /// What stood in the way.
    pub obstacles: Vec<Said>,
    /// What was learnt.
    pub lessons: Vec<Said>,
}

/// A sheet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Sheet {
    /// Name of the plan.
    pub plan: String,
    /// Its title.
    pub title: String,
    /// Code of the cycle.
    pub cycle: String,
    /// The day on which it was drawn up.
    pub today: Day,
    /// Lights of priorities and goals.
    pub lights: Vec<LightRow>,
    /// In the order of the plan.
    pub actions: Vec<ActionSheet>,
    /// The five headings.
    pub criteria: Vec<Criterion>,
}

/// Draws it up.
///
/// # Errors
/// As [`measure`].
pub fn sheet(
    plan: &Plan,
    figures: &Figures,
    reports: &[Report],
    today: Day,
    lists: &Lists,
) -> Result<Sheet, Invalid> {
    let measured = measure(plan, figures, reports, today, lists)?;
    let above = |row: &LightRow| row.what == "priority" || row.what == "goal";
    let by_action = by_action(reports);
    let actions = plan.actions().filter_map(|(operational, of)| {
        let stands = measured.action(of.code)?;
        let said = by_action.get(&of.code).map_or(&[][..], Vec::as_slice);
        let lights = history(plan, (of, stands), said, today);
        Some(action((operational, of), stands, said, &lights, lists))
    });
    Ok(Sheet {
        plan: plan.id.to_string(),
        title: plan.title.clone(),
        cycle: plan.cycle.code.to_string(),
        today,
        lights: light_rows(plan, &measured).into_iter().filter(above).collect(),
        actions: actions.collect(),
        criteria: criteria(plan, &measured, &newest(reports)),
    })
}

fn action(
    (operational, action): (&OperationalPlan, &Action),
    stands: &ActionMeasured,
    reports: &[&Report],
    lights: &[(Period, Light)],
    lists: &Lists,
) -> ActionSheet {
    let said = |words: fn(&Report) -> &String| {
        let with = reports.iter().filter(|of| !words(of).is_empty());
        let said = with.map(|of| Said {
            party: of.party.to_string(),
            period: of.period.to_string(),
            text: words(of).clone(),
        });
        said.collect()
    };
    ActionSheet {
        action: action.code.to_string(),
        title: action.title.clone(),
        plan: operational.code.to_string(),
        priority: operational.priority.to_string(),
        goal: action.goal.to_string(),
        days: format!("{}..{}", action.start, action.end),
        expected_result: action.expected_result.clone(),
        light: stands.light,
        why: why(stands),
        lights: lights
            .iter()
            .map(|(period, light)| format!("{period} {}", light.as_str()))
            .collect(),
        indicators: stands.indicators.iter().map(|of| indicator(of, lists)).collect(),
        reports: reports.len(),
        results: totals(reports),
        obstacles: said(|of| &of.obstacles),
        lessons: said(|of| &of.lessons),
    }
}

fn indicator(progress: &Progress, lists: &Lists) -> IndicatorSheet {
    let of = &progress.of;
    let [from, to] = ends(of, lists);
    let newest = progress.newest();
    let actual = newest.map(|point| {
        let told = point.told.iter().map(|of| of.text()).collect::<Vec<_>>().join(" or ");
        format!("{}: {told}", point.period)
    });
    IndicatorSheet {
        indicator: of.name(lists),
        baseline: format!("{}: {from}", of.baseline.period),
        target: format!("{}: {to} {}", of.target.period, of.target.direction),
        actual,
        light: progress.lit.light,
        why: progress.lit.why.clone(),
        caveats: newest
            .map_or_else(Vec::new, |point| point.caveats.iter().map(|of| of.in_words()).collect()),
    }
}

/// Sums of what reports count, in the order of counters. Whether two parties count the same, they do not say.
pub(super) fn totals(reports: &[&Report]) -> Vec<Total> {
    let all = || reports.iter().flat_map(|of| of.results.iter().map(move |counted| (of, counted)));
    let keys: BTreeSet<_> = all().map(|(_, of)| of.key()).collect();
    let total = |key| {
        let of_key = || all().filter(|(_, of)| of.key() == key);
        let parties: BTreeSet<_> = of_key().map(|(of, _)| of.party).collect();
        let value = of_key().fold(0_u64, |sum, (_, of)| sum.saturating_add(of.value));
        let (counter, drug) = key;
        Total { result: counted(&Counted { counter, drug, value }), parties: parties.len() }
    };
    keys.into_iter().map(total).collect()
}
