//! A plan of a policy cycle on a page. Comes in: its exact bytes, as they were endorsed with their section. Goes out: priorities, goals,
//! operational plans and every action whole. Must never leave out what was endorsed, nor say how an action goes: others report that.

use super::{
    pages::Pages,
    tree::{Kind, Line, Run, Table, said},
};
use crate::{
    cycle::{Action, ActionIndicator, Funding, Goal, OperationalPlan, Party, Plan, Priority},
    reason::Invalid,
    taxonomy::{Lists, decimal},
};

pub(super) fn write(pages: &mut Pages<'_>, bytes: &[u8]) -> Result<(), Invalid> {
    let lists = pages.page.lists;
    let plan = Plan::read(bytes, lists)?;
    let cycle = &plan.cycle;
    pages.heading(2, said(&plan.title));
    let of = format!("{} {}, from {} to {}", cycle.code, cycle.name, cycle.from, cycle.to);
    pages.labelled(Kind::Body, "Cycle:", &of);
    let (a_year, days) = (plan.reporting.every.per_year(), plan.reporting.within_days);
    let due = format!("{a_year} a year, within {days} days after the period's end");
    pages.labelled(Kind::Body, "Reports are due:", &due);
    if let Some(served) = &plan.region_plan {
        pages.labelled(Kind::Body, "It serves the region's plan:", served.as_str());
    }
    let head = ["Priority", "Name", "Parts", "Crime areas", "Priorities of the EU", "Serves"];
    // Only a jurisdiction's plan serves another.
    let columns = head.len() - usize::from(plan.region_plan.is_none());
    let row = |of| priority(of, lists).into_iter().take(columns).collect();
    let rows = plan.priorities.iter().map(row).collect();
    table(pages, "Priorities", head.get(..columns).unwrap_or(&head), rows)?;
    let rows = plan.goals.iter().map(goal).collect();
    table(pages, "Goals", &["Goal", "Text", "Priorities"], rows)?;
    plan.plans.iter().try_for_each(|of| operational(pages, of))
}

fn table(
    pages: &mut Pages<'_>,
    caption: &str,
    head: &[&str],
    rows: Vec<Vec<Line>>,
) -> Result<(), Invalid> {
    let caption = Some(vec![Run::ours(caption)]);
    let head = head.iter().map(|name| vec![Run::ours(*name)]).collect();
    pages.add(Table { caption, head, rows, named: true })
}

fn priority(of: &Priority, lists: &Lists) -> Vec<Line> {
    let parts =
        of.sub_items.iter().map(|part| format!("{}{} {}", of.ordinal, part.letter, part.name));
    let areas = of.crime_areas.iter().map(|area| lists.crime_area_label(*area));
    vec![
        said(&of.ordinal.to_string()),
        said(&of.name),
        said(&joined(parts)),
        said(&joined(areas)),
        said(&joined(&of.eu)),
        said(&joined(&of.region_link)),
    ]
}

fn goal(of: &Goal) -> Vec<Line> {
    vec![said(&of.id.to_string()), said(&of.text), said(&joined(&of.priorities))]
}

fn operational(pages: &mut Pages<'_>, of: &OperationalPlan) -> Result<(), Invalid> {
    let lists = pages.page.lists;
    let heading = format!("Operational action plan {}, priority {}", of.code, of.priority);
    pages.heading(2, vec![Run::ours(heading)]);
    pages.labelled(Kind::Body, "Driver:", of.driver.label(lists));
    if !of.co_drivers.is_empty() {
        pages.labelled(Kind::Body, "Co-drivers:", &parties(&of.co_drivers, lists));
    }
    if of.actions.is_empty() {
        pages.paragraph(Kind::Body, vec![Run::ours("It has no action yet.")]);
    }
    of.actions.iter().try_for_each(|of| action(pages, of))
}

/// Everything that was agreed on; what is empty was left open.
fn action(pages: &mut Pages<'_>, of: &Action) -> Result<(), Invalid> {
    let lists = pages.page.lists;
    let mut heading = vec![Run::ours(format!("{}. ", of.code))];
    heading.extend(said(&of.title));
    pages.heading(3, heading);
    let facts = [
        ("Goal", of.goal.to_string()),
        ("Type", of.kind.to_string()),
        ("Description", of.description.clone()),
        ("Leader", of.leader.label(lists).to_owned()),
        ("Co-leaders", parties(&of.co_leaders, lists)),
        ("Participants", parties(&of.participants, lists)),
        ("Agencies", parties(&of.agencies, lists)),
        ("From", of.start.to_string()),
        ("To", of.end.to_string()),
        ("Expected result", of.expected_result.clone()),
        ("Funding", joined(of.funding.iter().map(|of: &Funding| of.as_str()))),
    ];
    let facts = facts.iter().filter(|(_, words)| !words.is_empty());
    let rows = facts.map(|(name, words)| vec![vec![Run::ours(*name)], said(words)]).collect();
    pages.add(Table { rows, named: true, ..Table::default() })?;
    if of.indicators.is_empty() {
        return Ok(());
    }
    let rows = of.indicators.iter().map(|of| indicator(of, lists)).collect();
    let head = ["Indicator", "Baseline", "Target", "Direction", "Requirements"];
    table(pages, "Measured by", &head, rows)
}

fn indicator(of: &ActionIndicator, lists: &Lists) -> Vec<Line> {
    let (decimals, unit) = lists
        .indicator_of(of.indicator)
        .map_or((0, ""), |indicator| (indicator.decimals, indicator.unit.as_str()));
    let end =
        |period: String, value| said(&format!("{period}: {} {unit}", decimal(value, decimals)));
    vec![
        said(&of.name(lists)),
        end(of.baseline.period.to_string(), of.baseline.value),
        end(of.target.period.to_string(), of.target.value),
        said(of.target.direction.as_str()),
        vec![Run::code(joined(&of.requirements))],
    ]
}

/// By name; with an asterisk where a footnote belongs to it.
fn parties(of: &[Party], lists: &Lists) -> String {
    joined(of.iter().map(|party| party.label(lists)))
}

fn joined<T: ToString>(of: impl IntoIterator<Item = T>) -> String {
    of.into_iter().map(|of| of.to_string()).collect::<Vec<_>>().join("; ")
}
