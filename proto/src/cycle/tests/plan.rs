//! What a plan promises: one spelling, every reference leads somewhere, every refusal names its place.

use super::*;
use crate::limits::{ACTION_INDICATORS_MAX, CYCLE_MONTHS_MAX, PLAN_BYTES_MAX, PLAN_PRIORITIES_MAX};

#[test]
fn the_same_plan_is_the_same_bytes_whatever_order_it_was_written_in() {
    let lists = Lists::builtin();
    let plan = checked(sent()).unwrap();
    let bytes = plan.encode(lists);
    assert_eq!(bytes, sent().encode_to_vec(), "it was in order");
    assert_eq!(Plan::read(&bytes, lists).unwrap(), plan);

    let mut other = sent();
    other.priorities.reverse();
    other.goals.reverse();
    other.plans[0].co_drivers.reverse();
    other.plans[0].actions[0].participants.reverse();
    assert_eq!(checked(other.clone()).unwrap().digest(lists), plan.digest(lists));
    let refused = Plan::read(&other.encode_to_vec(), lists).unwrap_err();
    assert_eq!((refused.reason, refused.field.as_str()), (Reason::FieldInvalid, "plan"));
}

#[test]
fn a_field_that_nobody_knows_is_refused_in_the_bytes_of_a_plan() {
    let mut bytes = sent().encode_to_vec();
    bytes.extend([0x98, 0x06, 0x01]);
    let refused = Plan::read(&bytes, Lists::builtin()).unwrap_err();
    assert_eq!((refused.reason, refused.field.as_str()), (Reason::FieldUnknown, "plan.#99"));
}

type Change = fn(&mut wire::Plan);

fn refused(cases: &[(&str, Reason, Change)]) {
    for (field, reason, change) in cases {
        let mut plan = sent();
        change(&mut plan);
        let refused = checked(plan).unwrap_err();
        assert_eq!((refused.field.as_str(), refused.reason), (*field, *reason), "{refused}");
    }
}

#[test]
fn what_a_plan_says_twice_or_of_nothing_is_refused_by_its_place() {
    use Reason::{FieldMissing, PlanInconsistent};
    refused(&[
        ("priorities", PlanInconsistent, |plan| plan.priorities[1].ordinal = 1),
        ("priorities[1].sub_items", PlanInconsistent, |plan| {
            let twice = plan.priorities[1].sub_items[0].clone();
            plan.priorities[1].sub_items.push(twice);
        }),
        ("priorities[0].crime_areas", PlanInconsistent, |plan| {
            plan.priorities[0].crime_areas = texts(&["THB", "THB"]);
        }),
        ("priorities[0].crime_areas", FieldMissing, |plan| plan.priorities[0].crime_areas.clear()),
        ("priorities[1].region_link", PlanInconsistent, |plan| {
            plan.priorities[0].region_link = vec![1];
        }),
        ("region_plan", PlanInconsistent, |plan| plan.region_plan = "another-plan".to_owned()),
        ("goals", PlanInconsistent, |plan| plan.goals[1].goal = "CHSG-1".to_owned()),
        ("goals[SG-1].priorities", PlanInconsistent, |plan| plan.goals[1].priorities = vec![7]),
        ("goals[SG-1].priorities", PlanInconsistent, |plan| plan.goals[1].priorities.clear()),
        ("plans", PlanInconsistent, |plan| {
            let twice = wire::OperationalPlan { actions: Vec::new(), ..plan.plans[0].clone() };
            plan.plans.push(twice);
        }),
        ("plans[OAP-THB].actions[OA 1.1].code", PlanInconsistent, |plan| {
            let code = "OAP-2".to_owned();
            let other = wire::OperationalPlan { code, ..plan.plans[0].clone() };
            plan.plans.push(other);
        }),
        ("plans[OAP-THB].priority", PlanInconsistent, |plan| {
            plan.plans[0].priority = "1A".to_owned();
        }),
        ("plans[OAP-THB].priority", PlanInconsistent, |plan| {
            plan.plans[0].priority = "9".to_owned();
        }),
        ("plans[0].co_drivers", PlanInconsistent, |plan| {
            plan.plans[0].co_drivers = texts(&["MK"]);
        }),
        ("plans[OAP-THB].actions[OA 1.1].goal", PlanInconsistent, |plan| {
            plan.plans[0].actions[0].goal = "SG-9".to_owned();
        }),
        ("plans[OAP-THB].actions[OA 1.1].goal", PlanInconsistent, |plan| {
            plan.goals[1].priorities = vec![2];
        }),
    ]);
}

#[test]
fn an_action_outside_its_cycle_or_measured_by_nothing_that_is_there_is_refused_by_its_place() {
    use Reason::{
        CodeUnknown, FieldInvalid, FieldMissing, LatticeUnknownCell, PeriodInvalid,
        PlanInconsistent,
    };
    fn of(plan: &mut wire::Plan) -> &mut wire::Action {
        &mut plan.plans[0].actions[0]
    }
    fn target(plan: &mut wire::Plan) -> &mut wire::Target {
        of(plan).indicators[0].target.as_mut().unwrap()
    }
    const AT: &str = "plans[0].actions[0]";
    let cases: &[(&str, Reason, Change)] = &[
        ("code", FieldInvalid, |plan| of(plan).code = "OA 2".to_owned()),
        ("title", FieldInvalid, |plan| of(plan).title = "two\nlines".to_owned()),
        ("description", FieldInvalid, |plan| of(plan).description = "a\u{202e}b".to_owned()),
        ("expected_result", FieldMissing, |plan| of(plan).expected_result = " ".to_owned()),
        ("type", FieldMissing, |plan| of(plan).r#type = 0),
        ("type", CodeUnknown, |plan| of(plan).r#type = 99),
        ("leader", CodeUnknown, |plan| of(plan).leader = "Somebody".to_owned()),
        ("participants[1]", CodeUnknown, |plan| of(plan).participants[1] = "ba".to_owned()),
        ("participants", PlanInconsistent, |plan| of(plan).participants = texts(&["RS"])),
        ("agencies", PlanInconsistent, |plan| of(plan).agencies = texts(&["IT"])),
        ("start", FieldInvalid, |plan| of(plan).start = "1.3.2026".to_owned()),
        ("start", PlanInconsistent, |plan| of(plan).start = "2025-12-31".to_owned()),
        ("end", PlanInconsistent, |plan| of(plan).end = "2030-01-01".to_owned()),
        ("end", PlanInconsistent, |plan| of(plan).end = "2026-02-28".to_owned()),
        ("funding", PlanInconsistent, |plan| of(plan).funding = vec![1, 1]),
        ("indicators[0].indicator", CodeUnknown, |plan| {
            of(plan).indicators[0].indicator = "THB.NONE".to_owned();
        }),
        ("indicators[0].crime_area", LatticeUnknownCell, |plan| {
            of(plan).indicators[0].crime_area = "DRG".to_owned();
        }),
        ("indicators[0].categories", FieldInvalid, |plan| {
            of(plan).indicators[0].categories = "AGE=CHILD;SEX=F".to_owned();
        }),
        ("indicators", PlanInconsistent, |plan| {
            let twice = of(plan).indicators[0].clone();
            of(plan).indicators.push(twice);
        }),
        ("indicators[0].target.period", PeriodInvalid, |plan| {
            target(plan).period = "2029-H1".to_owned();
        }),
        ("indicators[0].target.period", PlanInconsistent, |plan| {
            target(plan).period = "2025".to_owned();
        }),
        ("indicators[0].target.period", PlanInconsistent, |plan| {
            target(plan).period = "2030".to_owned();
        }),
        ("indicators[0].target.value", PlanInconsistent, |plan| target(plan).value = 40),
        ("indicators[0].target.value", FieldInvalid, |plan| target(plan).value = -1),
        ("indicators[0].target.direction", FieldMissing, |plan| target(plan).direction = 0),
        ("indicators[0].requirements[0]", FieldInvalid, |plan| {
            of(plan).indicators[0].requirements = texts(&["the-last-one"]);
        }),
    ];
    let places: Vec<_> = cases.iter().map(|(field, ..)| format!("{AT}.{field}")).collect();
    let cases = cases.iter().zip(&places).map(|(of, at)| (at.as_str(), of.1, of.2));
    refused(&cases.collect::<Vec<_>>());
}

#[test]
fn every_bound_of_a_plan_is_refused_as_such() {
    let limit = |change: Change| {
        let mut plan = sent();
        change(&mut plan);
        let refused = checked(plan).unwrap_err();
        assert_eq!(refused.reason, Reason::LimitExceeded, "{refused}");
    };
    limit(|plan| plan.priorities = vec![wire::Priority::default(); PLAN_PRIORITIES_MAX + 1]);
    limit(|plan| {
        let one = plan.plans[0].actions[0].indicators[0].clone();
        plan.plans[0].actions[0].indicators = vec![one; ACTION_INDICATORS_MAX + 1];
    });
    limit(|plan| plan.cycle.as_mut().unwrap().to = "2036".to_owned());
    limit(|plan| plan.reporting.as_mut().unwrap().within_days = 0);
    limit(|plan| plan.title = "x".repeat(300));
    assert_eq!(CYCLE_MONTHS_MAX, 120, "2026 to 2035 fit");
    let refused = Plan::read(&vec![0; PLAN_BYTES_MAX + 1], Lists::builtin()).unwrap_err();
    assert_eq!(refused.reason, Reason::LimitExceeded);
}

#[test]
fn no_agency_passes_for_a_jurisdiction_and_both_have_one_order() {
    let lists = Lists::builtin();
    for agency in Agency::ALL {
        assert!(lists.jurisdiction("", agency.as_str()).is_err(), "{agency:?}");
        assert_eq!(Party::parse("", agency.as_str(), lists).unwrap(), Party::Agency(*agency));
        assert!(!agency.label().is_empty());
    }
    assert!(Agency::ALL.is_sorted_by_key(|agency| agency.as_str()), "ascending by code");
    let parse = |text| Party::parse("", text, lists).unwrap();
    assert!(parse("XK") < parse("CEPOL") && parse("AL") < parse("XK"));
    assert_eq!(parse("XK").label(lists), "Kosovo*");
}

#[test]
fn every_name_in_a_plan_has_one_spelling() {
    for text in ["1", "12", "2A"] {
        assert_eq!(PriorityRef::parse("", text).unwrap().to_string(), text);
    }
    for text in ["", "0", "01", "A", "2a", "2AB", "100", "+1", "2 A"] {
        assert!(PriorityRef::parse("", text).is_err(), "{text:?}");
    }
    for text in ["SG-1", "CHSG-12"] {
        assert_eq!(GoalId::parse("", text).unwrap().to_string(), text);
    }
    for text in ["SG1", "SG-0", "SG-01", "sg-1", "XSG-1", "SG-", "SG-1-1"] {
        assert!(GoalId::parse("", text).is_err(), "{text:?}");
    }
    assert_eq!(ActionCode::parse("", "OA 2.13").unwrap().to_string(), "OA 2.13");
    for text in ["OA 2", "OA2.3", "OA  2.3", "OA 2.03", "OA 0.1", "oa 2.3", "OA 2.3.1"] {
        assert!(ActionCode::parse("", text).is_err(), "{text:?}");
    }
    let code = |text| ActionCode::parse("", text).unwrap();
    assert!(code("OA 2.9") < code("OA 2.10"), "by number, not by letters");
    for text in ["2026-02-29", "2026-3-1", "20260301", "2026-03-01T00:00:00", ""] {
        assert!(Day::parse("", text).is_err(), "{text:?}");
    }
}

#[test]
fn a_period_begins_and_ends_on_its_days() {
    let of = |text| crate::taxonomy::Period::parse("", text).unwrap();
    for (period, first, last) in [
        ("2026", "2026-01-01", "2026-12-31"),
        ("2026-H1", "2026-01-01", "2026-06-30"),
        ("2026-Q3", "2026-07-01", "2026-09-30"),
        ("2028-02", "2028-02-01", "2028-02-29"),
    ] {
        assert_eq!((Day::first_of(of(period)), Day::last_of(of(period))), (day(first), day(last)));
    }
    assert_eq!(day("2026-12-31").plus_days(1), day("2027-01-01"));
    let moment = crate::clock::Timestamp::parse("", "2026-03-01T23:59:59Z").unwrap();
    assert_eq!(Day::of(moment), day("2026-03-01"));
}

#[test]
fn the_sample_is_a_plan_and_holds_no_person() {
    let lists = Lists::builtin();
    let plan = Plan::from_toml("template.toml", TEMPLATE, lists).unwrap();
    assert_eq!((plan.priorities.len(), plan.actions().count()), (4, 4));
    assert_eq!(Plan::read(&plan.encode(lists), lists).unwrap(), plan);
    let (_, ports) = plan.action(ActionCode::parse("", "OA 2.1").unwrap()).unwrap();
    assert_eq!(ports.indicators[0].baseline.value, 1_250_500, "1250.5 kg in grams");
    // Every kind of thing that may stand in a plan is shown, if only in a comment.
    for key in ["region_plan", "region_link", "sub_items", "requirements", "categories", "CHSG-1"] {
        assert!(TEMPLATE.contains(key), "{key}");
    }
}

#[test]
fn a_mistake_in_a_file_is_named_with_its_place() {
    let lists = Lists::builtin();
    let changed = |from: &str, to: &str| {
        assert!(TEMPLATE.contains(from), "{from}");
        let refused =
            Plan::from_toml("plan.toml", &TEMPLATE.replacen(from, to, 1), lists).unwrap_err();
        assert!(refused.field.starts_with("plan.toml"), "{refused}");
        (refused.reason, refused.to_string())
    };
    for (from, to, reason, named) in [
        ("title = ", "titel = ", Reason::FieldUnknown, "titel"),
        ("of = \"REGION\"", "", Reason::FieldMissing, "of"),
        ("value = 400", "value = 400.5", Reason::FieldInvalid, "a whole number, or a text"),
        ("value = 400", "value = \"400.5\"", Reason::FieldInvalid, "has 0 decimals"),
        ("\"1250.5\"", "\"1250.5005\"", Reason::FieldInvalid, "actions[0].indicators[0].baseline"),
        ("\"OPERATIONAL\"", "\"TALKING\"", Reason::CodeUnknown, "plans[0].actions[0].type"),
        ("[\"IPA\", ", "[\"CASH\", ", Reason::CodeUnknown, "funding[0]"),
        ("\"ARM.INC.N\"", "\"ARM.INC\"", Reason::CodeUnknown, "plans[2].actions[0].indicators[0]"),
        ("\"2022-2025.5\"", "\"2022-2025.55\"", Reason::CodeUnknown, "priorities[0].eu[1]"),
    ] {
        let (found, text) = changed(from, to);
        assert_eq!(found, reason, "{text}");
        assert!(text.contains(named), "{text}");
    }
    // Where the text itself is wrong, its line is said.
    assert!(changed("ordinal = 1\n", "ordinal = one\n").1.contains("line"));
}

#[test]
fn a_jurisdictions_plan_names_what_it_serves_of_the_regions() {
    let mut plan = sent();
    plan.cycle.as_mut().unwrap().of = "MK".to_owned();
    plan.region_plan = "plan-of-the-region".to_owned();
    plan.plan = "plan-of-mk".to_owned();
    plan.priorities[0].region_link = vec![1, 2];
    let plan = checked(plan).unwrap();
    assert_eq!(plan.priorities[0].region_link, [1, 2]);
    assert_eq!(plan.region_plan.as_ref().unwrap().as_str(), "plan-of-the-region");
}

#[test]
fn bytes_that_were_changed_are_refused_or_are_another_plan_in_its_one_spelling() {
    let (lists, seed) = (Lists::builtin(), 7);
    let (plan, report) = (checked(sent()).unwrap().encode(lists), super::report::full());
    let mut dice = dice(seed);
    let mut changed = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        for _ in 0..=dice(3) {
            let at = usize::try_from(dice(bytes.len() as u64)).unwrap();
            bytes[at] ^= u8::try_from(1 << dice(8)).unwrap();
        }
        bytes
    };
    for _ in 0..2_000 {
        let bytes = changed(&plan);
        if let Ok(read) = Plan::read(&bytes, lists) {
            assert_eq!(read.encode(lists), bytes, "seed {seed}");
        }
        let bytes = changed(&report.encode_to_vec());
        if let Ok(read) = Report::read(&bytes, lists) {
            assert_eq!(read.encode(), bytes, "seed {seed}");
        }
    }
}
