//! What people see: a jurisdiction sees its own part alone, an evaluation invents nothing, a name never prints without its footnote.

use super::*;
use crate::print::{self, Format};

/// A plan in its second year: one figure behind, one report of each of two parties.
fn second_year() -> (Plan, Figures, Vec<Report>) {
    let plan = checked(sent()).unwrap();
    let figures = figures(&plan, &[drawn(1, vec![exact("2025", 40), cell("2026", 44, (42, 46))])]);
    let counted = |counter: wire::Counter, value| wire::Counted {
        counter: counter.into(),
        value,
        ..wire::Counted::default()
    };
    let with = |party, period, results| {
        let lessons = "Ask early".to_owned();
        let told =
            wire::Report { results, lessons, ..told(party, period, wire::ReportState::Delayed) };
        Report::check(told, Lists::builtin()).unwrap()
    };
    let reports = vec![
        with("RS", "2026-H1", vec![counted(wire::Counter::Victims, 12)]),
        with("AL", "2026-H1", vec![counted(wire::Counter::Victims, 5)]),
    ];
    (plan, figures, reports)
}

#[test]
fn a_jurisdiction_sees_what_it_has_taken_on_and_nobody_elses_debts_or_reports() {
    let (plan, figures, reports) = second_year();
    let lists = Lists::builtin();
    let measured = measure(&plan, &figures, &reports, day("2027-02-01"), lists).unwrap();
    let of = |code: &str| {
        let code = lists.jurisdiction("", code).unwrap().code;
        national(&plan, &measured, &reports, code)
    };
    let roles = |of: &National| of.parts.iter().map(|part| part.role).collect::<Vec<_>>();

    let leads = of("RS");
    assert_eq!(roles(&leads), [Role::ActionLeader]);
    let owed: Vec<_> = leads.owed.iter().map(|of| (of.period.as_str(), of.overdue)).collect();
    assert_eq!(owed, [("2026-H2", true), ("2027-H1", false)]);
    assert_eq!(leads.reports.len(), 1);
    assert!(leads.parts[0].why.contains("DELAYED"), "{:?}", leads.parts);

    let takes_part = of("AL");
    assert_eq!(roles(&takes_part), [Role::CoDriver, Role::Participant]);
    assert!(takes_part.owed.is_empty(), "a leader's debt");
    assert!(takes_part.reports.iter().all(|report| report.party.to_string() == "AL"));
    assert!(takes_part.parts[1].why.is_empty(), "a leader's words");

    let nothing = of("ME");
    assert!(nothing.parts.is_empty() && nothing.owed.is_empty() && nothing.reports.is_empty());
    for format in [Format::Table, Format::Json, Format::Csv] {
        let text = print::cycle::national(format, &plan, &takes_part, lists);
        assert!(!text.contains("RS"), "{text}");
    }
}

#[test]
fn an_evaluation_sheet_holds_what_was_measured_and_leaves_the_rest_as_questions() {
    let (plan, figures, reports) = second_year();
    let lists = Lists::builtin();
    let sheet = sheet(&plan, &figures, &reports, day("2027-02-01"), lists).unwrap();
    let action = &sheet.actions[0];
    assert_eq!(action.indicators[0].baseline, "2025: 40");
    assert_eq!(action.indicators[0].actual.as_deref(), Some("2026: 44 (42..46)"));
    assert_eq!(action.indicators[0].target, "2029: 60 RISE");
    assert_eq!(action.indicators[0].light, Light::Amber);
    assert_eq!(action.lights, ["2026-H1 AMBER", "2026-H2 AMBER"]);
    assert_eq!(action.reports, 2);
    assert_eq!(
        (action.results[0].result.as_str(), action.results[0].parties),
        ("VICTIMS 17 persons", 2)
    );
    assert_eq!(action.lessons.len(), 2);

    let headings: Vec<_> = sheet.criteria.iter().map(|of| of.heading).collect();
    assert_eq!(headings, ["Relevance", "Effectiveness", "Efficiency", "Coherence", "Added value"]);
    for criterion in &sheet.criteria {
        assert!(!criterion.findings.is_empty() && !criterion.questions.is_empty(), "{criterion:?}");
        assert!(criterion.questions.iter().all(|of| of.ends_with(['?', '.']) && of.contains('?')));
        assert!(criterion.findings.iter().all(|of| !of.contains('?')));
    }
    assert!(sheet.criteria[1].findings[0].contains("1 AMBER"), "{:?}", sheet.criteria[1]);
    assert!(sheet.criteria[0].findings[1].contains("2 Drugs"), "{:?}", sheet.criteria[0]);
    assert!(sheet.criteria[3].findings.iter().any(|of| of.contains("CHSG-1")));
}

#[test]
fn what_nobody_measured_stands_in_the_sheet_with_the_reason() {
    let plan = checked(sent()).unwrap();
    let sheet =
        sheet(&plan, &Figures::default(), &[], day("2030-06-01"), Lists::builtin()).unwrap();
    let figure = &sheet.actions[0].indicators[0];
    assert_eq!((figure.actual.as_ref(), figure.light), (None, Light::Grey));
    assert!(figure.why.contains("no picture asks for it"), "{}", figure.why);
    assert!(sheet.criteria[4].findings.iter().all(|of| !of.contains("Reported")), "nothing was");
    assert_eq!(sheet.actions[0].lights.len(), 8, "every half-year of the cycle");
}

#[test]
fn everything_of_a_cycle_prints_in_every_format_and_names_carry_their_footnote() {
    let (plan, figures, reports) = second_year();
    let lists = Lists::builtin();
    let today = day("2027-02-01");
    let measured = measure(&plan, &figures, &reports, today, lists).unwrap();
    let sheet = sheet(&plan, &figures, &reports, today, lists).unwrap();
    let own = national(&plan, &measured, &reports, lists.jurisdiction("", "XK").unwrap().code);
    let printed = |format| {
        [
            print::cycle::plan(format, &plan, lists),
            print::cycle::lights(format, &plan, &measured, lists),
            print::cycle::sheet(format, &sheet, &plan, lists),
            print::cycle::national(format, &plan, &own, lists),
            print::cycle::indicators(format, &plan, &measured, lists),
        ]
    };
    for text in &printed(Format::Table)[..4] {
        assert!(text.contains("Kosovo*") && text.contains("UNSCR 1244/1999"), "{text}");
    }
    for text in printed(Format::Json) {
        serde_json::from_str::<serde_json::Value>(&text).unwrap();
    }
    for text in printed(Format::Csv) {
        assert!(text.lines().count() > 1, "{text}");
    }
    let lights = &printed(Format::Csv)[1];
    assert!(lights.starts_with("what,code,name,light,why\n"), "{lights}");
    assert!(lights.contains("by its own word"), "{lights}");
    let indicators = &printed(Format::Csv)[4];
    assert!(
        indicators.contains("44 (42..46)") && indicators.contains(&format!("{}:1", id(1))),
        "{indicators}"
    );
    let sheets = printed(Format::Table)[2].clone();
    assert!(sheets.contains("To answer: "), "{sheets}");
}
