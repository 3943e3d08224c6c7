//! The life of a grant: what may be done with it when, and that it is only ever narrowed.

use super::*;

fn refused(acts: &[Act]) -> (Reason, String) {
    let Err(Invalid { reason, field, .. }) = try_after(acts) else { panic!("{acts:?} was taken") };
    (reason, field)
}

#[test]
fn whatever_would_be_wider_is_refused_by_its_name() {
    let old = || RawGrant {
        crime_areas: vec!["DRG.COC".to_owned(), "DRG.HER".to_owned()],
        region_levels: vec![0, 1],
        dimensions: vec!["SEX".to_owned()],
        first_period: "2020".to_owned(),
        last_period: "2025".to_owned(),
        authorities: vec!["analysis-unit".to_owned()],
        precision: "tier-b".to_owned(),
        contribution: "pooled".to_owned(),
        minimum_contributors: 5,
        release: "by-hand".to_owned(),
        not_before_s: NOW,
        conditions: "Not for the press".to_owned(),
        handling: vec!["H2".to_owned()],
        ..grant()
    };
    let text = |text: &str| text.to_owned();
    let rows = [
        ("crime_areas", RawGrant { crime_areas: vec![text("ALL")], ..old() }),
        ("crime_areas", RawGrant { crime_areas: vec![text("DRG.COC"), text("DRG.SYN")], ..old() }),
        ("region_levels", RawGrant { region_levels: vec![0, 1, 2], ..old() }),
        ("dimensions", RawGrant { dimensions: vec![text("ALL")], ..old() }),
        ("first_period", RawGrant { first_period: text("2019"), ..old() }),
        ("first_period", RawGrant { first_period: text(""), ..old() }),
        ("last_period", RawGrant { last_period: text("2026"), ..old() }),
        ("last_period", RawGrant { last_period: text(""), ..old() }),
        ("purpose", RawGrant { purpose: text("EVALUATION"), ..old() }),
        ("audience", RawGrant { audience: text("PUBLIC"), ..old() }),
        ("authorities", RawGrant { authorities: Vec::new(), ..old() }),
        ("authorities", RawGrant { authorities: vec![text("anybody")], ..old() }),
        ("precision", RawGrant { precision: text("tier-a"), ..old() }),
        ("precision", RawGrant { precision: text("exact-open"), ..old() }),
        ("precision", RawGrant { precision: text("totals-only"), ..old() }),
        ("contribution", RawGrant { contribution: text("named"), ..old() }),
        ("minimum_contributors", RawGrant { minimum_contributors: 4, ..old() }),
        ("minimum_contributors", RawGrant { minimum_contributors: 0, ..old() }),
        ("release", RawGrant { release: text("automatic"), ..old() }),
        ("not_before_s", RawGrant { not_before_s: NOW - 1, ..old() }),
        ("not_before_s", RawGrant { not_before_s: 0, ..old() }),
        ("from_s", RawGrant { from_s: NOW - 11 * DAY, ..old() }),
        ("until_s", RawGrant { until_s: NOW + 11 * DAY, ..old() }),
        ("conditions", RawGrant { conditions: text(""), ..old() }),
        ("handling", RawGrant { handling: Vec::new(), ..old() }),
        (
            "indicator",
            RawGrant { indicator: text("THB.SUSP.N"), crime_areas: vec![text("THB")], ..old() },
        ),
    ];
    for (field, wider) in rows {
        let found = refused(&[Give(1, old()), Narrow(1, wider)]);
        assert_eq!(found, (Reason::GrantWider, field.to_owned()));
    }
    assert_eq!(after(&[Give(1, old()), Narrow(1, old())])[0].number(), 1, "it says so already");
}

#[test]
fn a_withdrawn_grant_stays_withdrawn_and_its_versions_stay_readable() {
    let less = RawGrant { crime_areas: vec!["DRG".to_owned()], ..grant() };
    let taken = [Give(1, grant()), Narrow(1, less.clone()), Suspend(1), Withdraw(1)];
    let grants = after(&taken);
    let steps: Vec<_> = grants[0].versions().map(|version| version.step).collect();
    assert_eq!(steps, [Step::Give, Step::Narrow, Step::Suspend, Step::Withdraw]);
    let areas: Vec<_> =
        grants[0].versions().map(|version| version.terms.scope.crime_areas.is_none()).collect();
    assert_eq!(areas, [true, false, false, false]);
    for next in [Narrow(1, less), Suspend(1), Resume(1)] {
        let acts = [&taken[..], &[next]].concat();
        assert_eq!(refused(&acts).0, Reason::GrantState);
    }
    let again = [&taken[..], &[Withdraw(1)]].concat();
    assert_eq!(after(&again)[0].number(), 4, "it is withdrawn once");
}

#[test]
fn a_rule_that_forbids_is_neither_narrowed_nor_suspended() {
    let less = RawGrant { crime_areas: vec!["DRG".to_owned()], ..rule() };
    assert_eq!(refused(&[Give(1, rule()), Narrow(1, less)]).0, Reason::GrantWider);
    assert_eq!(refused(&[Give(1, rule()), Suspend(1)]).0, Reason::GrantState);
}

#[test]
fn what_is_left_out_or_unknown_is_refused_by_its_name() {
    let text = |text: &str| text.to_owned();
    let rows = [
        ("effect", RawGrant { effect: text(""), ..grant() }, Reason::FieldMissing),
        ("effect", RawGrant { effect: text("allow"), ..grant() }, Reason::CodeUnknown),
        ("crime_areas", RawGrant { crime_areas: Vec::new(), ..grant() }, Reason::FieldMissing),
        ("region_levels", RawGrant { region_levels: Vec::new(), ..grant() }, Reason::FieldMissing),
        (
            "region_levels",
            RawGrant { region_levels: vec![4], ..grant() },
            Reason::LatticeUnknownCell,
        ),
        ("precision", RawGrant { precision: text(""), ..grant() }, Reason::FieldMissing),
        ("precision", RawGrant { precision: text("tier-d"), ..grant() }, Reason::CodeUnknown),
        ("contribution", RawGrant { contribution: text(""), ..grant() }, Reason::FieldMissing),
        ("contribution", RawGrant { contribution: text("all"), ..grant() }, Reason::CodeUnknown),
        (
            "minimum_contributors",
            RawGrant { minimum_contributors: 2, ..grant() },
            Reason::FieldInvalid,
        ),
        (
            "minimum_contributors",
            RawGrant { minimum_contributors: 201, ..grant() },
            Reason::FieldInvalid,
        ),
        ("release", RawGrant { release: text(""), ..grant() }, Reason::FieldMissing),
        ("release", RawGrant { release: text("now"), ..grant() }, Reason::CodeUnknown),
        ("until_s", RawGrant { until_s: NOW - 10 * DAY, ..grant() }, Reason::FieldInvalid),
        ("warn_days", RawGrant { warn_days: 367, ..grant() }, Reason::LimitExceeded),
        ("conditions", RawGrant { conditions: text("a\nb"), ..grant() }, Reason::FieldInvalid),
        ("conditions", RawGrant { conditions: "x".repeat(5000), ..grant() }, Reason::LimitExceeded),
        ("effect", RawGrant { release: text("automatic"), ..rule() }, Reason::FieldInvalid),
        ("effect", RawGrant { minimum_contributors: 5, ..rule() }, Reason::FieldInvalid),
    ];
    for (field, raw, reason) in rows {
        assert_eq!(refused(&[Give(1, raw)]), (reason, field.to_owned()));
    }
    // Consent names its purpose and its recipients; only a rule may say all.
    for raw in [
        RawGrant { purpose: text(ALL), ..grant() },
        RawGrant { audience: text(ALL), ..grant() },
        RawGrant { handling: vec![text("H9")], ..grant() },
        RawGrant { dimensions: vec![text("AGE")], ..grant() },
        RawGrant { authorities: vec![text("Not a name")], ..grant() },
    ] {
        assert!(try_after(&[Give(1, raw.clone())]).is_err(), "{raw:?}");
    }
}

#[test]
fn the_end_of_a_grant_is_announced_as_early_as_it_says() {
    for (warn_days, left_s, soon) in
        [(0, 1, false), (3, 3 * DAY, true), (3, 3 * DAY + 1, false), (3, 1, true), (3, 0, false)]
    {
        let raw = RawGrant { warn_days, until_s: NOW + left_s, ..grant() };
        let grants = after(&[Give(1, raw)]);
        assert_eq!(grants[0].ends_soon(now()), soon, "{warn_days} days, {left_s} s left");
    }
    let grants = after(&[Give(1, RawGrant { warn_days: 30, ..grant() }), Suspend(1)]);
    assert_eq!((grants[0].days_left(now()), grants[0].ends_soon(now())), (10, false));
}

#[test]
fn every_field_is_read_back_as_it_was_written() {
    let raw = RawGrant {
        grant: id(1).to_string(),
        crime_areas: vec!["DRG.COC".to_owned(), "DRG.HER".to_owned()],
        region_levels: vec![0, 2],
        dimensions: vec!["CITIZENSHIP".to_owned()],
        first_period: "2020-H1".to_owned(),
        last_period: "2025-H2".to_owned(),
        authorities: vec!["analysis-unit".to_owned(), "anybody".to_owned()],
        precision: "totals-only".to_owned(),
        contribution: "named".to_owned(),
        release: "by-hand".to_owned(),
        not_before_s: NOW,
        warn_days: 14,
        conditions: "Not for the press".to_owned(),
        handling: vec!["H1".to_owned(), "TLP:AMBER".to_owned()],
        ..grant()
    };
    assert_eq!(after(&[Give(1, raw.clone())])[0].to_raw(), raw);
    let rule = RawGrant { grant: id(1).to_string(), ..rule() };
    assert_eq!(after(&[Give(1, rule.clone())])[0].to_raw(), rule);
}

#[test]
fn an_asker_gets_less_where_it_wants_less_and_never_more() {
    let grants = after(&[Give(1, grant())]);
    let wanting = |tier| Ask { tier, ..TOTAL }.decided(&grants);
    assert_eq!(Tier::ALL.map(wanting), ["POLICE", "PARTNERS", "PUBLIC"]);
    let coarse = RawGrant { precision: "tier-b".to_owned(), ..grant() };
    let grants = after(&[Give(1, coarse)]);
    let wanting = |tier| Ask { tier, ..TOTAL }.decided(&grants);
    assert_eq!(Tier::ALL.map(wanting), ["PARTNERS", "PARTNERS", "PUBLIC"]);
}
