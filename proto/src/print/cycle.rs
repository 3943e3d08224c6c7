//! A policy cycle, as it is printed: a plan, its lights and figures, a jurisdiction's part, an evaluation sheet, the annex. Comes in: what
//! `cycle` made. Goes out: text for people, JSON, CSV. Names that carry a footnote never print without it, nor a light from a
//! report without a word that nobody else has checked it.

use serde::Serialize;
use serde_json::{Value, json};

use super::{Format, footnotes_of, rows};
use crate::{
    cycle::{
        self, ActionSheet, AnnexRow, Measured, National, Party, Plan, Sheet, indicator_rows,
        light_rows, plan_rows, report_rows,
    },
    taxonomy::Lists,
};

/// Stands under lights.
const LIGHTS: &str = "GREEN as planned. AMBER late, or it cannot be told. RED behind or blocked. UNKNOWN figures contradict each other or do \
not compare. GREY not measured or too early.\nWhat leaders report is their own word; nobody else has checked it.";
/// Stands under results.
const RESULTS: &str = "Results are the parties' own public numbers.";

fn value(of: impl Serialize) -> Value {
    // Strings, numbers and lists: there is nothing that could fail.
    serde_json::to_value(of).unwrap_or_default()
}

/// Every party of a plan, ascending.
fn parties(plan: &Plan) -> Vec<Party> {
    let drivers = plan.plans.iter().flat_map(|of| of.co_drivers.iter().chain([&of.driver]));
    let actors = plan.actions().flat_map(|(_, of)| {
        let others = of.co_leaders.iter().chain(&of.participants).chain(&of.agencies);
        others.chain([&of.leader])
    });
    let all: std::collections::BTreeSet<_> = drivers.chain(actors).copied().collect();
    all.into_iter().collect()
}

/// Who is who, with the footnotes that belong to the names.
fn legend(parties: &[Party], lists: &Lists) -> String {
    let named = parties.iter().map(|party| format!("{party} {}", party.label(lists)));
    let mut text = format!("Parties: {}", named.collect::<Vec<_>>().join(", "));
    let codes: Vec<_> = parties
        .iter()
        .filter_map(|party| party.jurisdiction())
        .map(|code| code.to_string())
        .collect();
    for footnote in footnotes_of(codes.iter(), lists) {
        text += &format!("\n{footnote}");
    }
    text
}

fn heading(plan: &Plan) -> String {
    let cycle = &plan.cycle;
    let (code, of) = (cycle.code, cycle.of);
    format!(
        "Plan {}: {}\nCycle {code}: {}, {} to {}, {of}",
        plan.id, plan.title, cycle.name, cycle.from, cycle.to
    )
}

/// A plan: one row for each action.
pub fn plan(format: Format, plan: &Plan, lists: &Lists) -> String {
    let actions = value(plan_rows(plan));
    if format != Format::Table {
        return rows(format, &actions);
    }
    let priority = |of: &cycle::Priority| {
        let codes = |list: Vec<String>| list.join(" ");
        json!({
            "priority": of.ordinal,
            "name": of.name,
            "parts": of.sub_items.iter().map(|item| format!("{}{} {}", of.ordinal, item.letter, item.name)).collect::<Vec<_>>().join("; "),
            "crime_areas": codes(of.crime_areas.iter().map(ToString::to_string).collect()),
            "empact": codes(of.eu.iter().map(ToString::to_string).collect()),
            "serves": codes(of.region_link.iter().map(ToString::to_string).collect()),
        })
    };
    let goal = |of: &cycle::Goal| {
        let priorities: Vec<_> = of.priorities.iter().map(ToString::to_string).collect();
        json!({"goal": of.id, "text": of.text, "priorities": priorities.join(" ")})
    };
    let priorities = rows(format, &plan.priorities.iter().map(priority).collect());
    let goals = rows(format, &plan.goals.iter().map(goal).collect());
    let (actions, legend) = (rows(format, &actions), legend(&parties(plan), lists));
    format!("{}\n\n{priorities}\n\n{goals}\n\n{actions}\n\n{legend}", heading(plan))
}

/// How a plan stands: one row for each light.
pub fn lights(format: Format, plan: &Plan, measured: &Measured, lists: &Lists) -> String {
    let table = rows(format, &value(light_rows(plan, measured)));
    if format != Format::Table {
        return table;
    }
    let (heading, today) = (heading(plan), measured.today);
    format!("{heading}\nOn {today}\n\n{table}\n\n{LIGHTS}\n{}", legend(&parties(plan), lists))
}

/// What actions are measured by: one row for each figure.
pub fn indicators(format: Format, plan: &Plan, measured: &Measured, lists: &Lists) -> String {
    let table = rows(format, &value(indicator_rows(measured, lists)));
    if format != Format::Table {
        return table;
    }
    format!("{}\nOn {}\n\n{table}\n\n{LIGHTS}", heading(plan), measured.today)
}

/// What a plan means for one jurisdiction.
pub fn national(format: Format, plan: &Plan, national: &National, lists: &Lists) -> String {
    let (parts, owed) = (value(&national.parts), value(&national.owed));
    let reports = value(report_rows(&national.reports));
    let code = national.jurisdiction.to_string();
    match format {
        Format::Json | Format::Jsonl => json!({
            "plan": plan.id.to_string(),
            "jurisdiction": code,
            "parts": parts,
            "owed": owed,
            "reports": reports,
        })
        .to_string(),
        Format::Csv => rows(format, &flat(national)),
        Format::Table => {
            let [parts, owed, reports] = [parts, owed, reports].map(|of| rows(format, &of));
            let legend = legend(&[Party::Jurisdiction(national.jurisdiction)], lists);
            format!(
                "{}\nFor {code}\n\nIts part\n{parts}\n\nDue\n{owed}\n\nReported\n{reports}\n\n{LIGHTS}\n{RESULTS}\n{legend}",
                heading(plan)
            )
        }
    }
}

fn flat(national: &National) -> Value {
    let row = |what: &str, code: &str, period: &str, state: &str, said: &str| json!({"what": what, "code": code, "period": period, "state": state, "said": said});
    let parts = national
        .parts
        .iter()
        .map(|of| row(of.role.as_str(), &of.code, &of.end, of.light.as_str(), &of.title));
    let owed = national.owed.iter().map(|of| {
        let state = if of.overdue { "overdue" } else { "due" };
        row("report", &of.action, &of.period, state, &of.by.to_string())
    });
    let reports = report_rows(&national.reports);
    let reports =
        reports.iter().map(|of| row("reported", &of.action, &of.period, of.state, &of.progress));
    parts.chain(owed).chain(reports).collect()
}

/// An evaluation sheet.
pub fn sheet(format: Format, sheet: &Sheet, plan: &Plan, lists: &Lists) -> String {
    match format {
        Format::Json | Format::Jsonl => value(sheet).to_string(),
        Format::Csv => rows(format, &lines(sheet)),
        Format::Table => {
            let heading = heading(plan);
            let lights = rows(format, &value(&sheet.lights));
            let mut text =
                format!("Evaluation sheet\n{heading}\nDrawn up on {}\n\n{lights}\n", sheet.today);
            for action in &sheet.actions {
                text += &format!("\n{} {} ({})\n", action.action, action.title, action.days);
                for (item, said) in items(action) {
                    text += &format!("  {item}: {said}\n");
                }
            }
            for criterion in &sheet.criteria {
                text += &format!("\n{}\n", criterion.heading);
                criterion.findings.iter().for_each(|of| text += &format!("  {of}\n"));
                criterion.questions.iter().for_each(|of| text += &format!("  To answer: {of}\n"));
            }
            format!("{text}\n{LIGHTS}\n{RESULTS}\n{}", legend(&parties(plan), lists))
        }
    }
}

/// Every line of a sheet: what it is of, what it says.
fn lines(sheet: &Sheet) -> Value {
    let line = |section: &str, subject: &str, item: &str, said: &str| json!({"section": section, "subject": subject, "item": item, "said": said});
    let lights = sheet
        .lights
        .iter()
        .map(|of| line(of.what, &of.code, "light", &format!("{}: {}", of.light.as_str(), of.why)));
    let actions = sheet.actions.iter().flat_map(|of| {
        items(of).into_iter().map(move |(item, said)| line("action", &of.action, &item, &said))
    });
    let criteria = sheet.criteria.iter().flat_map(|of| {
        let findings = of.findings.iter().map(move |said| line(of.heading, "", "finding", said));
        findings.chain(of.questions.iter().map(move |said| line(of.heading, "", "to answer", said)))
    });
    lights.chain(actions).chain(criteria).collect()
}

/// What is said of an action, line by line.
fn items(of: &ActionSheet) -> Vec<(String, String)> {
    let item = |name: &str, said: String| (name.to_owned(), said);
    let mut items = vec![
        item("planned", of.expected_result.clone()),
        item("light", format!("{}: {}", of.light.as_str(), of.why)),
        item("over time", of.lights.join(", ")),
    ];
    for figure in &of.indicators {
        let actual = figure.actual.as_deref().unwrap_or("not measured");
        let (from, to) = (&figure.baseline, &figure.target);
        let said = format!("{from} → {actual}, target {to}; {}", figure.light.as_str());
        let said = format!("{said}: {}", figure.why);
        items.push(item(&figure.indicator, said));
        items.extend(figure.caveats.iter().map(|of| item(&figure.indicator, (*of).to_owned())));
    }
    items.push(item("reports", of.reports.to_string()));
    for total in &of.results {
        items.push(item("result", format!("{}, by {} parties", total.result, total.parties)));
    }
    for (name, said) in [("obstacle", &of.obstacles), ("lesson", &of.lessons)] {
        let said = said.iter().map(|of| format!("{} {}: {}", of.party, of.period, of.text));
        items.extend(said.map(|said| item(name, said)));
    }
    items.retain(|(_, said)| !said.is_empty());
    items
}

/// The annex for audiences of the EU.
pub fn annex(format: Format, annex: &[AnnexRow], cycle: &str) -> String {
    let table = rows(format, &value(annex));
    if format != Format::Table {
        return table;
    }
    format!(
        "Priorities of EMPACT {cycle} and the region's threats\n\n{table}\n\nBy the list area_map: a code may match an area only in part, and no figure is carried over."
    )
}
