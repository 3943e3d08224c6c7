//! What a report promises: it says why, counts what can be counted, and fits its plan.

use super::*;
use crate::limits::REPORT_RESULT_MAX;

fn counted(counter: wire::Counter, drug: &str, value: u64) -> wire::Counted {
    wire::Counted { counter: counter.into(), drug: drug.to_owned(), value }
}

/// The joint action days of 2018 that domain.md §1.5 cites, as somebody would report them.
pub(super) fn full() -> wire::Report {
    use wire::Counter::{
        Arrests, AssetsEur, DrugsKg, Firearms, Investigations, MinorVictims, Victims,
    };
    wire::Report {
        results: vec![
            counted(Investigations, "", 1026),
            counted(Arrests, "", 1137),
            counted(Victims, "", 337),
            counted(MinorVictims, "", 52),
            counted(AssetsEur, "", 1_400_000),
            counted(DrugsKg, "DRG.HER", 730),
            counted(Firearms, "", 207),
        ],
        lessons: "Share lists early".to_owned(),
        next_steps: "Again next year".to_owned(),
        ..told("RS", "2026-H2", wire::ReportState::OnTrack)
    }
}

#[test]
fn a_report_has_one_spelling() {
    let lists = Lists::builtin();
    let report = Report::check(full(), lists).unwrap();
    assert_eq!(report.encode(), full().encode_to_vec());
    assert_eq!(Report::read(&report.encode(), lists).unwrap(), report);
    let mut other = full();
    other.results.reverse();
    assert_eq!(Report::check(other.clone(), lists).unwrap(), report);
    let refused = Report::read(&other.encode_to_vec(), lists).unwrap_err();
    assert_eq!((refused.reason, refused.field.as_str()), (Reason::FieldInvalid, "report"));
}

#[test]
fn a_report_that_says_too_little_or_counts_what_it_cannot_is_refused_by_its_place() {
    type Change = fn(&mut wire::Report);
    let cases: [(&str, Reason, Change); 12] = [
        ("plan", Reason::FieldInvalid, |of| of.plan = "A plan".to_owned()),
        ("action", Reason::FieldInvalid, |of| of.action = "2.3".to_owned()),
        ("party", Reason::CodeUnknown, |of| of.party = "Me".to_owned()),
        ("period", Reason::PeriodInvalid, |of| of.period = "summer".to_owned()),
        ("state", Reason::FieldMissing, |of| of.state = 0),
        ("progress", Reason::FieldMissing, |of| of.progress.clear()),
        ("obstacles", Reason::FieldMissing, |of| {
            of.state = wire::ReportState::Blocked.into();
            of.obstacles.clear();
        }),
        ("results[0].counter", Reason::CodeUnknown, |of| of.results[0].counter = 77),
        ("results[0].value", Reason::LimitExceeded, |of| {
            of.results[0].value = REPORT_RESULT_MAX + 1;
        }),
        ("results[0].drug", Reason::PlanInconsistent, |of| {
            of.results[0].drug = "DRG.HER".to_owned();
        }),
        ("results[5].drug", Reason::CodeUnknown, |of| of.results[5].drug = "DRG".to_owned()),
        ("results", Reason::PlanInconsistent, |of| of.results[3].value = 338),
    ];
    for (field, reason, change) in cases {
        let mut report = full();
        change(&mut report);
        let refused = Report::check(report, Lists::builtin()).unwrap_err();
        assert_eq!((refused.field.as_str(), refused.reason), (field, reason), "{refused}");
    }
}

#[test]
fn a_report_is_read_from_a_file_and_nothing_below_zero_is_counted() {
    let text = "plan = \"plan-of-the-region\"\naction = \"OA 1.1\"\nparty = \"RS\"\nperiod = \"2026-H1\"\n\
                state = \"ON_TRACK\"\nprogress = \"Lessons were given\"\n\n\
                [[results]]\ncounter = \"VICTIMS\"\nvalue = 3\n";
    let lists = Lists::builtin();
    let report = Report::from_toml("report.toml", text, lists).unwrap();
    assert_eq!((report.results[0].counter, report.results[0].value), (Counter::Victims, 3));
    for (from, to, reason, named) in [
        ("= 3", "= -3", Reason::FieldInvalid, "report.toml.results[0].value"),
        ("= 3", "= 3.5", Reason::FieldInvalid, "report.toml"),
        ("VICTIMS", "HOURS", Reason::CodeUnknown, "report.toml.results[0].counter"),
        ("period", "when", Reason::FieldUnknown, "report.toml"),
    ] {
        let refused =
            Report::from_toml("report.toml", &text.replacen(from, to, 1), lists).unwrap_err();
        assert_eq!((refused.reason, refused.field.as_str()), (reason, named), "{refused}");
    }
}

#[test]
fn a_report_fits_its_plan_or_is_refused() {
    let plan = checked(sent()).unwrap();
    let fits = |of: wire::Report| Report::check(of, Lists::builtin()).unwrap().fits(&plan);
    let told = |party: &str, period: &str| told(party, period, wire::ReportState::OnTrack);
    for party in ["RS", "XK", "AL", "FRONTEX"] {
        fits(told(party, "2026-H1")).unwrap();
    }
    let other = wire::Report { plan: "another-plan".to_owned(), ..told("RS", "2026-H1") };
    let strange = wire::Report { action: "OA 9.9".to_owned(), ..told("RS", "2026-H1") };
    for (report, field) in [
        (other, "report.plan"),
        (strange, "report.action"),
        (told("ME", "2026-H1"), "report.party"),
        // It drives the operational plan, and has no part in the action.
        (told("MK", "2026-H1"), "report.party"),
        (told("RS", "2026"), "report.period"),
        (told("RS", "2025-H2"), "report.period"),
        (told("RS", "2030-H1"), "report.period"),
    ] {
        let refused = fits(report).unwrap_err();
        assert_eq!(
            (refused.reason, refused.field.as_str()),
            (Reason::PlanInconsistent, field),
            "{refused}"
        );
    }
}

#[test]
fn a_report_of_a_time_that_has_not_begun_is_not_measured() {
    let plan = checked(sent()).unwrap();
    let early = report("RS", "2027-H1", wire::ReportState::OnTrack);
    let figures = Figures::default();
    let measured = |today| {
        measure(&plan, &figures, std::slice::from_ref(&early), day(today), Lists::builtin())
    };
    let refused = measured("2026-12-31").unwrap_err();
    assert_eq!(
        (refused.reason, refused.field.as_str()),
        (Reason::PlanInconsistent, "reports[0].report.period")
    );
    measured("2027-01-01").unwrap();
}

#[test]
fn the_sample_report_fits_the_sample_plan() {
    let lists = Lists::builtin();
    let plan = Plan::from_toml("plan", crate::cycle::TEMPLATE, lists).unwrap();
    let report = Report::from_toml("report", crate::cycle::REPORT_TEMPLATE, lists).unwrap();
    report.fits(&plan).unwrap();
}
