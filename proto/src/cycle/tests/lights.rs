//! What lights promise: every rule by itself, no light better than its interval, a reason with every light.

use super::*;

/// The light of the one figure, and why. 40 in 2025 are to become 60 in 2029: 45, 50, 55, 60.
fn figure(pictures: &[Vec<u8>], today: &str) -> (Light, String) {
    let plan = checked(sent()).unwrap();
    let measured = stands(&plan, pictures, &[], today);
    let lit = &measured.actions[0].indicators[0].lit;
    (lit.light, lit.why.clone())
}

/// The same where the baseline is told, and the year 2027.
fn in_2027(cell: PictureCell) -> (Light, String) {
    figure(&[drawn(1, vec![exact("2025", 40), cell])], "2028-02-01")
}

#[test]
fn a_figure_is_held_against_an_even_way_from_baseline_to_target() {
    for (value, light) in [(60, Light::Green), (50, Light::Green), (49, Light::Red)] {
        let (found, why) = in_2027(exact("2027", value));
        assert_eq!(found, light, "{value}: {why}");
        assert!(why.contains("50 expected"), "{why}");
    }
}

#[test]
fn an_interval_that_holds_both_sides_of_the_line_is_amber() {
    for (within, light) in [
        ((50, 60), Light::Green),
        ((49, 60), Light::Amber),
        ((40, 50), Light::Amber),
        ((30, 49), Light::Red),
    ] {
        let (found, why) = in_2027(cell("2027", within.0, within));
        assert_eq!(found, light, "{within:?}: {why}");
    }
    let between = PictureCell {
        status: PictureStatus::Between.into(),
        value: 0,
        ..cell("2027", 0, (49, 51))
    };
    assert_eq!(in_2027(between).0, Light::Amber);
}

#[test]
fn no_interval_is_called_better_or_worse_than_it_allows() {
    let seed = 20_260_401;
    let mut number = dice(seed);
    for round in 0..500 {
        let (from, to) = (number(200), number(200));
        let direction = match (round % 3, from.cmp(&to)) {
            (0, _) => wire::Direction::Reach,
            (_, std::cmp::Ordering::Less) => wire::Direction::Rise,
            (_, std::cmp::Ordering::Greater) => wire::Direction::Fall,
            (_, std::cmp::Ordering::Equal) => continue,
        };
        let (low, wide) = (number(220), number(60));
        let mut plan = sent();
        let of = &mut plan.plans[0].actions[0].indicators[0];
        *of.baseline.as_mut().unwrap() = wire::Baseline { period: "2025".to_owned(), value: from };
        *of.target.as_mut().unwrap() =
            wire::Target { period: "2029".to_owned(), value: to, direction: direction.into() };
        let plan = checked(plan).unwrap();
        let pictures = [drawn(1, vec![exact("2025", from), cell("2027", low, (low, low + wide))])];
        let measured = stands(&plan, &pictures, &[], "2028-02-01");
        let light = measured.actions[0].indicators[0].lit.light;
        // Half of the way is gone; twice everything, so that the line is whole.
        let line = if direction == wire::Direction::Reach { 2 * to } else { from + to };
        let good = |value: i64| match direction {
            wire::Direction::Fall => 2 * value <= line,
            wire::Direction::Rise | wire::Direction::Reach | wire::Direction::Unspecified => {
                2 * value >= line
            }
        };
        let all = (low..=low + wide).all(good);
        let none = !(low..=low + wide).any(good);
        let wanted = match (all, none) {
            (true, _) => Light::Green,
            (_, true) => Light::Red,
            (false, false) => Light::Amber,
        };
        let early = direction == wire::Direction::Reach && wanted != Light::Green;
        let wanted = if early { Light::Grey } else { wanted };
        assert_eq!(light, wanted, "seed {seed}: {from} to {to}, {low}..{}", low + wide);
    }
}

#[test]
fn what_is_not_measured_is_grey_and_says_why() {
    for (pictures, today, said) in [
        (vec![], "2026-12-31", "too early: 2026 ends on 2026-12-31"),
        (vec![], "2027-01-01", "2026 is not measured: no picture asks for it"),
        (vec![untold("2026", PictureStatus::NotShown)], "2027-02-01", "it is not shown"),
        (vec![untold("2026", PictureStatus::Missing)], "2027-02-01", "not available"),
        (vec![untold("2026", PictureStatus::NotApplicable)], "2027-02-01", "not combined"),
        (vec![exact("2028", 55)], "2030-02-01", "the target's period is over"),
    ] {
        let (light, why) = figure(&[drawn(1, pictures)], today);
        assert_eq!(light, Light::Grey, "{why}");
        assert!(why.contains(said), "{why}");
    }
    // A gap since takes the last light not away, and is said.
    let cells = vec![exact("2025", 40), exact("2026", 45)];
    let (light, why) = figure(&[drawn(1, cells)], "2028-02-01");
    assert_eq!(light, Light::Green);
    assert!(why.contains("2027 is not measured"), "{why}");
}

#[test]
fn what_contributes_otherwise_than_the_baseline_is_unknown_and_flagged() {
    let others = PictureCell { contributors: texts(&["AL", "RS"]), ..exact("2027", 70) };
    let (light, why) = in_2027(others);
    assert_eq!(light, Light::Unknown);
    assert!(why.contains("other jurisdictions contribute"), "{why}");
    let mean = PictureCell { method: region::Method::Mean.into(), ..exact("2027", 70) };
    assert_eq!(in_2027(mean).0, Light::Unknown);

    let mut later = region::Picture::decode(drawn(2, vec![exact("2027", 70)]).as_slice()).unwrap();
    later.lists = "2-b".to_owned();
    let (light, why) =
        figure(&[drawn(1, vec![exact("2025", 40)]), later.encode_to_vec()], "2028-02-01");
    assert_eq!(light, Light::Unknown);
    assert!(why.contains("code lists have changed"), "{why}");
}

#[test]
fn a_baseline_that_pictures_tell_otherwise_makes_nothing_certain() {
    let measured =
        |from, to| figure(&[drawn(1, vec![exact("2025", from), exact("2027", to)])], "2028-02-01");
    assert_eq!(measured(48, 70).0, Light::Amber);
    assert_eq!(measured(48, 30).0, Light::Amber);
    assert_eq!(measured(40, 70).0, Light::Green);
}

#[test]
fn a_part_of_the_region_is_not_taken_for_the_whole() {
    // Without a baseline of the same contributors: what the others bring may be anything.
    let part = |whole: (Option<i64>, Option<i64>), value| PictureCell {
        status: PictureStatus::Partial.into(),
        silent: texts(&["ME"]),
        whole_lower: whole.0,
        whole_upper: whole.1,
        ..exact("2027", value)
    };
    let light = |cell| figure(&[drawn(1, vec![cell])], "2028-02-01").0;
    assert_eq!(light(part((Some(30), None), 30)), Light::Amber, "it may be more");
    assert_eq!(light(part((Some(50), None), 50)), Light::Green, "it is no less");
    assert_eq!(light(part((Some(30), Some(49)), 30)), Light::Red);
    // With one, those who contribute are held against themselves.
    let before = PictureCell { period: "2025".to_owned(), ..part((Some(40), None), 40) };
    let both = [drawn(1, vec![before, part((Some(30), None), 30)])];
    let (light, why) = figure(&both, "2028-02-01");
    assert_eq!(light, Light::Red, "{why}");
}

#[test]
fn requirements_that_tell_different_figures_are_both_shown_unless_the_plan_names_one() {
    let pictures =
        [drawn(1, vec![exact("2025", 40), exact("2027", 49)]), drawn(2, vec![exact("2027", 70)])];
    let (light, why) = figure(&pictures, "2028-02-01");
    assert_eq!(light, Light::Unknown);
    assert!(why.contains("49") && why.contains("70") && why.contains(&id(2)), "{why}");
    for (named, light) in [(1, Light::Red), (2, Light::Green)] {
        let mut plan = sent();
        plan.plans[0].actions[0].indicators[0].requirements = vec![id(named)];
        let measured = stands(&checked(plan).unwrap(), &pictures, &[], "2028-02-01");
        assert_eq!(measured.actions[0].indicators[0].lit.light, light);
    }
    // The same figure twice is one, and a round in which nothing is told takes nothing away.
    let agree = [
        drawn(1, vec![exact("2025", 40), exact("2027", 70)]),
        drawn(2, vec![exact("2027", 70)]),
        drawn(3, vec![untold("2027", PictureStatus::NotShown)]),
    ];
    assert_eq!(figure(&agree, "2028-02-01").0, Light::Green);
}

#[test]
fn the_newest_version_counts_of_the_same_requirement_only() {
    let plan = checked(sent()).unwrap();
    let [first, second] =
        [49, 70].map(|value| drawn(1, vec![exact("2025", 40), exact("2027", value)]));
    let light = |pictures: &[(u32, &[u8])]| {
        let figures = Figures::read(&plan, pictures, Lists::builtin()).unwrap();
        let measured = measure(&plan, &figures, &[], day("2028-02-01"), Lists::builtin()).unwrap();
        measured.actions[0].indicators[0].lit.light
    };
    assert_eq!(light(&[(1, &first), (2, &second)]), Light::Green);
    assert_eq!(light(&[(2, &second), (1, &first)]), Light::Green, "in whatever order");
    let read =
        |pictures: &[(u32, &[u8])]| Figures::read(&plan, pictures, Lists::builtin()).unwrap_err();
    let twice = read(&[(1, &first), (1, &second)]);
    assert_eq!((twice.reason, twice.field.as_str()), (Reason::FieldInvalid, "pictures[1]"));

    let mut strange = region::Picture::decode(drawn(2, vec![]).as_slice()).unwrap();
    strange.federation = "other.example".to_owned();
    let strange = strange.encode_to_vec();
    assert_eq!(read(&[(1, &first), (1, &strange)]).reason, Reason::MethodUnfit);
    let outside = drawn(1, vec![cell("2027", 70, (71, 80))]);
    assert_eq!(read(&[(1, &outside)]).reason, Reason::PictureFalse);
}

#[test]
fn what_is_to_be_reached_is_not_behind_before_its_period() {
    let mut plan = sent();
    let target = plan.plans[0].actions[0].indicators[0].target.as_mut().unwrap();
    target.direction = wire::Direction::Reach.into();
    let plan = checked(plan).unwrap();
    let light = |period: &str, value, today| {
        let others = PictureCell { contributors: texts(&["ME"]), ..exact(period, value) };
        let pictures = [drawn(1, vec![exact("2025", 40), others])];
        stands(&plan, &pictures, &[], today).actions[0].indicators[0].lit.light
    };
    assert_eq!(light("2027", 10, "2028-02-01"), Light::Grey);
    assert_eq!(light("2027", 60, "2028-02-01"), Light::Green);
    assert_eq!(light("2029", 59, "2030-02-01"), Light::Red);
    assert_eq!(light("2029", 60, "2030-02-01"), Light::Green, "of whomever: nothing is compared");
}

/// The light of the action by its reports alone.
fn action(reports: &[Report], today: &str) -> (Light, String) {
    let mut plan = sent();
    plan.plans[0].actions[0].indicators.clear();
    let plan = checked(plan).unwrap();
    let measured = stands(&plan, &[], reports, today);
    (measured.actions[0].light, super::super::national::why(&measured.actions[0]))
}

#[test]
fn reports_and_dates_light_an_action_by_the_written_rules() {
    use wire::ReportState::{Blocked, Delayed, Done, OnTrack};
    let of = |period: &str, state| report("RS", period, state);
    let cases = [
        // Begins in March 2026; the report of a half-year is due 30 days after it.
        (vec![], "2026-02-28", Light::Grey, "starts on 2026-03-01"),
        (vec![], "2026-07-30", Light::Grey, "nothing is reported"),
        (vec![], "2026-07-31", Light::Amber, "2026-H1 by 2026-07-30"),
        (vec![of("2026-H1", OnTrack)], "2026-07-31", Light::Green, "by its own word"),
        (vec![of("2026-H1", OnTrack)], "2027-01-31", Light::Amber, "2026-H2 by 2027-01-30"),
        (vec![of("2026-H1", Delayed)], "2026-07-31", Light::Amber, "DELAYED for 2026-H1"),
        (vec![of("2026-H1", Blocked)], "2026-07-31", Light::Red, "Nobody came"),
        (
            vec![of("2026-H1", Blocked), of("2026-H2", OnTrack)],
            "2027-01-31",
            Light::Green,
            "ON_TRACK for 2026-H2",
        ),
        (vec![of("2026-H2", Done)], "2029-12-31", Light::Green, "DONE"),
        (vec![of("2029-H1", OnTrack)], "2029-11-01", Light::Amber, "was to end on 2029-10-31"),
        (vec![of("2029-H2", OnTrack)], "2030-01-31", Light::Red, "was to end on 2029-10-31"),
    ];
    for (reports, today, light, said) in cases {
        let (found, why) = action(&reports, today);
        assert_eq!(found, light, "{today}: {why}");
        assert!(why.contains(said), "{today}: {why}");
    }
}

#[test]
fn only_leaders_say_how_an_action_stands_and_the_worse_word_counts() {
    use wire::ReportState::{Blocked, OnTrack};
    let lead = report("RS", "2026-H1", OnTrack);
    let with =
        |party, state| action(&[lead.clone(), report(party, "2026-H1", state)], "2026-07-31").0;
    assert_eq!(with("AL", Blocked), Light::Green, "a participant reports its own part");
    assert_eq!(with("XK", Blocked), Light::Red);
    assert_eq!(with("RS", Blocked), Light::Red, "the last word of a party");
}

#[test]
fn the_worst_of_what_is_known_counts_and_what_is_unknown_makes_nothing_better() {
    assert!(Light::ALL.is_sorted());
    let plan = checked(sent()).unwrap();
    let pictures = [drawn(1, vec![exact("2025", 40), exact("2026", 30)])];
    let reports = [report("RS", "2026-H2", wire::ReportState::OnTrack)];
    let measured = stands(&plan, &pictures, &reports, "2027-01-15");
    let lights: Vec<_> = measured.actions[0].reasons.iter().map(|lit| lit.light).collect();
    assert_eq!(lights, [Light::Green, Light::Red]);
    assert_eq!(measured.actions[0].light, Light::Red);
    assert_eq!(measured.plans[0].1.light, Light::Red);
    assert_eq!(measured.priorities[0].1.light, Light::Red);
    assert_eq!(measured.priorities[1].1.light, Light::Grey, "it has no action");
    assert!(measured.goals.iter().all(|(_, lit)| !lit.why.is_empty()));
    assert_eq!(measured.priorities[0].1.why, "1 of 1: OA 1.1");
}

#[test]
fn the_largest_numbers_are_measured_without_overflow() {
    for (from, to) in [(0, i64::MAX), (i64::MAX, 0)] {
        let direction =
            if from < to { wire::Direction::Rise } else { wire::Direction::Fall }.into();
        let mut plan = sent();
        let of = &mut plan.plans[0].actions[0].indicators[0];
        of.baseline.as_mut().unwrap().value = from;
        *of.target.as_mut().unwrap() =
            wire::Target { period: "2029".to_owned(), value: to, direction };
        let plan = checked(plan).unwrap();
        for value in [i64::MIN, 0, i64::MAX] {
            let cells = vec![exact("2025", from), exact("2027", value)];
            let measured = stands(&plan, &[drawn(1, cells)], &[], "2028-02-01");
            let good = if from < to { value == i64::MAX } else { value <= 0 };
            let light = if good { Light::Green } else { Light::Red };
            assert_eq!(measured.actions[0].indicators[0].lit.light, light, "{from} {to} {value}");
        }
    }
}
