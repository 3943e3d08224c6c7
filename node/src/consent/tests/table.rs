//! The table: grants and rules, what is asked, what comes of it. What is expected stands here as it is to be, and is not worked out.

use super::*;

/// Name, acts, what is asked, what is expected.
type Case<'a> = (String, Vec<Act>, Ask<'a>, &'a str);

const YES: &str = "POLICE";
const NO: &str = "no";

fn case<'a>(name: String, acts: &[Act], ask: Ask<'a>, expected: &'a str) -> Case<'a> {
    (name, acts.to_vec(), ask, expected)
}

fn given(raw: RawGrant) -> Vec<Act> {
    vec![Give(1, raw)]
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|word| (*word).to_owned()).collect()
}

fn days() -> Vec<Case<'static>> {
    let rows = [
        ("in force", -10 * DAY, 10 * DAY, YES),
        ("begins this second", 0, DAY, YES),
        ("begins in a second", 1, DAY, NO),
        ("began a second ago", -1, DAY, YES),
        ("begins tomorrow", DAY, 2 * DAY, NO),
        ("ends this second", -DAY, 0, NO),
        ("ends in a second", -DAY, 1, YES),
        ("ended a second ago", -DAY, -1, NO),
        ("ended last year", -800 * DAY, -365 * DAY, NO),
        ("holds for one second, now", 0, 1, YES),
        ("held for one second, just before", -1, 0, NO),
        ("holds for ever, nearly", -8000 * DAY, 8000 * DAY, YES),
    ];
    rows.map(|(name, from, until, expected)| {
        let raw = RawGrant { from_s: NOW + from, until_s: NOW + until, ..grant() };
        case(name.to_owned(), &given(raw), TOTAL, expected)
    })
    .into()
}

/// The node's clock decides, whatever others' clocks say.
fn clocks() -> Vec<Case<'static>> {
    let raw = || RawGrant { from_s: NOW, until_s: NOW + 100, ..grant() };
    let rows = [
        ("its clock runs five minutes slow", -300, NO),
        ("its clock runs a second slow", -1, NO),
        ("its clock is right", 0, YES),
        ("its clock runs 99 seconds fast", 99, YES),
        ("its clock runs 100 seconds fast", 100, NO),
        ("its clock runs five minutes fast", 300, NO),
    ];
    rows.map(|(name, skew, expected)| {
        case(name.to_owned(), &given(raw()), Ask { now_s: NOW + skew, ..TOTAL }, expected)
    })
    .into()
}

fn for_what() -> Vec<Case<'static>> {
    const PURPOSES: [&str; 4] =
        ["THREAT-ASSESSMENT", "PRIORITY-SETTING", "ACTION-PLANNING", "EVALUATION"];
    const AUDIENCES: [&str; 3] = ["POLICE", "PARTNERS", "PUBLIC"];
    let mut cases = Vec::new();
    for (at, to) in PURPOSES.into_iter().enumerate() {
        for (of, asked) in PURPOSES.into_iter().enumerate() {
            let raw = RawGrant { purpose: to.to_owned(), ..grant() };
            let ask = Ask { purpose: asked, ..TOTAL };
            let expected = if at == of { YES } else { NO };
            cases.push(case(format!("for {to}, asked for {asked}"), &given(raw), ask, expected));
        }
    }
    for (at, to) in AUDIENCES.into_iter().enumerate() {
        for (of, asked) in AUDIENCES.into_iter().enumerate() {
            let raw = RawGrant { audience: to.to_owned(), ..grant() };
            let ask = Ask { audience: asked, ..TOTAL };
            let expected = if at == of { asked } else { NO };
            cases.push(case(format!("to {to}, asked by {asked}"), &given(raw), ask, expected));
        }
    }
    let rows: [(&[&str], Option<&'static str>, &'static str); 8] = [
        (&[], Some("analysis-unit"), YES),
        (&[], Some("anybody"), YES),
        (&[], None, YES),
        (&["analysis-unit"], Some("analysis-unit"), YES),
        (&["analysis-unit"], Some("anybody"), NO),
        (&["analysis-unit"], Some("analysis"), NO),
        (&["analysis-unit"], None, NO),
        (&["anybody", "analysis-unit"], Some("anybody"), YES),
    ];
    for (named, authority, expected) in rows {
        let raw = RawGrant { authorities: words(named), ..grant() };
        let ask = Ask { authority, ..TOTAL };
        cases.push(case(
            format!("{named:?} may ask, {authority:?} does"),
            &given(raw),
            ask,
            expected,
        ));
    }
    cases
}

fn cells() -> Vec<Case<'static>> {
    let mut cases = Vec::new();
    let areas: [(&[&str], &'static str, &'static str); 9] = [
        (&["ALL"], "DRG", YES),
        (&["ALL"], "DRG.COC", YES),
        (&["DRG"], "DRG", YES),
        (&["DRG"], "DRG.COC", NO),
        (&["DRG.COC"], "DRG.COC", YES),
        (&["DRG.COC"], "DRG", NO),
        (&["DRG.COC"], "DRG.HER", NO),
        (&["DRG.COC", "DRG.HER"], "DRG.HER", YES),
        (&["DRG.CAN", "DRG.COC", "DRG.HER", "DRG.PRE", "DRG.SYN"], "DRG", NO),
    ];
    for (named, area, expected) in areas {
        let raw = RawGrant { crime_areas: words(named), ..grant() };
        let ask = Ask { area, ..TOTAL };
        cases.push(case(format!("areas {named:?}, asked {area}"), &given(raw), ask, expected));
    }
    // For each set of levels: what is said of level 0, 1, 2, 3.
    let levels: [(&[u32], [&'static str; 4]); 8] = [
        (&[0], [YES, NO, NO, NO]),
        (&[1], [NO, YES, NO, NO]),
        (&[2], [NO, NO, YES, NO]),
        (&[3], [NO, NO, NO, YES]),
        (&[0, 1], [YES, YES, NO, NO]),
        (&[0, 3], [YES, NO, NO, YES]),
        (&[1, 2], [NO, YES, YES, NO]),
        (&[0, 1, 2, 3], [YES, YES, YES, YES]),
    ];
    for (named, expected) in levels {
        for (level, expected) in (0..).zip(expected) {
            let raw = RawGrant { region_levels: named.to_vec(), ..grant() };
            let ask = Ask { level, ..TOTAL };
            cases.push(case(
                format!("levels {named:?}, asked {level}"),
                &given(raw),
                ask,
                expected,
            ));
        }
    }
    // For each set of breakdowns: what is said of the total, by sex, by citizenship, by both.
    let dimensions: [(&[&str], [&'static str; 4]); 5] = [
        (&[], [YES, NO, NO, NO]),
        (&["SEX"], [YES, YES, NO, NO]),
        (&["CITIZENSHIP"], [YES, NO, YES, NO]),
        (&["SEX", "CITIZENSHIP"], [YES, YES, YES, YES]),
        (&["ALL"], [YES, YES, YES, YES]),
    ];
    for (named, expected) in dimensions {
        for (categories, expected) in ASKED_BY.into_iter().zip(expected) {
            let raw = RawGrant { dimensions: words(named), ..grant() };
            let ask = Ask { categories, ..TOTAL };
            cases.push(case(
                format!("by {named:?}, asked {categories}"),
                &given(raw),
                ask,
                expected,
            ));
        }
    }
    cases
}

const ASKED_BY: [&str; 4] = ["_T", "SEX=F", "CITIZENSHIP=NATIONAL", "SEX=F;CITIZENSHIP=NATIONAL"];

fn periods() -> Vec<Case<'static>> {
    let rows = [
        ("", "", "2025", YES),
        ("", "", "2025-H1", YES),
        ("2025", "2025", "2025", YES),
        ("2025", "2025", "2024", NO),
        ("2025", "2025", "2026", NO),
        ("2025", "2025", "2025-H1", NO),
        ("2025", "", "2025", YES),
        ("2025", "", "2099", YES),
        ("2025", "", "2024", NO),
        ("2025", "", "2026-H1", NO),
        ("", "2025", "2025", YES),
        ("", "2025", "1990", YES),
        ("", "2025", "2026", NO),
        ("", "2025", "2024-H2", NO),
        ("2025-H1", "2025-H2", "2025-H1", YES),
        ("2025-H1", "2025-H2", "2025-H2", YES),
        ("2025-H1", "2025-H2", "2025", NO),
        ("2025-H1", "2025-H2", "2026-H1", NO),
        ("2025-H2", "2026-H1", "2025-H1", NO),
    ];
    rows.map(|(first, last, period, expected)| {
        let (first_period, last_period) = (first.to_owned(), last.to_owned());
        let raw = RawGrant { first_period, last_period, ..grant() };
        let name = format!("periods {first}..{last}, asked {period}");
        case(name, &given(raw), Ask { period, ..TOTAL }, expected)
    })
    .into()
}

fn precision() -> Vec<Case<'static>> {
    // For each precision: as whose table the police, the partners and the public are answered.
    let rows = [
        ("tier-a", ["POLICE", "PARTNERS", "PUBLIC"]),
        ("tier-b", ["PARTNERS", "PARTNERS", "PUBLIC"]),
        ("tier-c", ["PUBLIC", "PUBLIC", "PUBLIC"]),
        ("totals-only", ["POLICE", "PARTNERS", "PUBLIC"]),
        ("exact-open", ["POLICE open", "PARTNERS open", "PUBLIC open"]),
    ];
    let mut cases = Vec::new();
    for (precision, expected) in rows {
        for (audience, expected) in ["POLICE", "PARTNERS", "PUBLIC"].into_iter().zip(expected) {
            let precision = precision.to_owned();
            let name = format!("{precision} to {audience}");
            let raw = RawGrant { precision, audience: audience.to_owned(), ..grant() };
            cases.push(case(name, &given(raw), Ask { audience, ..TOTAL }, expected));
        }
    }
    let totals_only = [
        (0, "_T", YES),
        (0, "SEX=F", NO),
        (0, "SEX=F;CITIZENSHIP=NATIONAL", NO),
        (1, "_T", NO),
        (3, "_T", NO),
        (1, "SEX=F", NO),
    ];
    for (level, categories, expected) in totals_only {
        let raw = RawGrant {
            precision: "totals-only".to_owned(),
            region_levels: vec![0, 1, 2, 3],
            dimensions: words(&["ALL"]),
            ..grant()
        };
        let ask = Ask { level, categories, ..TOTAL };
        let name = format!("totals only, asked {categories} at level {level}");
        cases.push(case(name, &given(raw), ask, expected));
    }
    cases
}

fn release() -> Vec<Case<'static>> {
    let with = |release: &str, contribution: &str, not_before_s: i64| RawGrant {
        release: release.to_owned(),
        contribution: contribution.to_owned(),
        not_before_s,
        ..grant()
    };
    let rows = [
        ("automatic", "pooled", 0, "POLICE"),
        ("automatic", "named", 0, "POLICE named"),
        ("by-hand", "pooled", 0, "POLICE by-hand"),
        ("by-hand", "named", 0, "POLICE named by-hand"),
        ("automatic", "pooled", NOW - 1, "POLICE"),
        ("automatic", "pooled", NOW, "POLICE"),
        ("automatic", "pooled", NOW + 1, "POLICE later"),
        ("automatic", "pooled", NOW + DAY, "POLICE later"),
        ("by-hand", "named", NOW + 1, "POLICE named by-hand later"),
    ];
    rows.map(|(release, contribution, embargo, expected)| {
        let name = format!("{release}, {contribution}, embargo {}", embargo - NOW);
        case(name, &given(with(release, contribution, embargo)), TOTAL, expected)
    })
    .into()
}

/// Two consents to the same cell come to the strictest of each of their terms, in whatever order they were given.
fn overlaps() -> Vec<Case<'static>> {
    let tier = |tier: &str| RawGrant { precision: tier.to_owned(), ..grant() };
    let hand = |release: &str| RawGrant { release: release.to_owned(), ..grant() };
    let name = |contribution: &str| RawGrant { contribution: contribution.to_owned(), ..grant() };
    let until = |not_before_s: i64| RawGrant { not_before_s, ..grant() };
    let level = |levels: &[u32]| RawGrant { region_levels: levels.to_vec(), ..hand("by-hand") };
    let rows = [
        ("tiers A and A", tier("tier-a"), tier("tier-a"), "POLICE"),
        ("tiers A and B", tier("tier-a"), tier("tier-b"), "PARTNERS"),
        ("tiers A and C", tier("tier-a"), tier("tier-c"), "PUBLIC"),
        ("tiers B and C", tier("tier-b"), tier("tier-c"), "PUBLIC"),
        ("tier A and open figures", tier("tier-a"), tier("exact-open"), "POLICE open"),
        ("tier C and open figures", tier("tier-c"), tier("exact-open"), "PUBLIC open"),
        ("automatic twice", hand("automatic"), hand("automatic"), "POLICE"),
        ("automatic and by hand", hand("automatic"), hand("by-hand"), "POLICE by-hand"),
        ("by hand twice", hand("by-hand"), hand("by-hand"), "POLICE by-hand"),
        ("named twice", name("named"), name("named"), "POLICE named"),
        ("pooled and named", name("pooled"), name("named"), "POLICE"),
        ("embargo and none", until(NOW + 9), until(0), "POLICE later"),
        ("a past and a later embargo", until(NOW - 9), until(NOW + 9), "POLICE later"),
        ("two past embargoes", until(NOW - 9), until(NOW - 5), "POLICE"),
        ("everything at once", tier("tier-b"), hand("by-hand"), "PARTNERS by-hand"),
        ("by hand at another level", hand("automatic"), level(&[1]), "POLICE"),
        ("by hand at this level, too", hand("automatic"), level(&[0, 1]), "POLICE by-hand"),
        (
            "by hand for another purpose",
            grant(),
            RawGrant { purpose: "EVALUATION".to_owned(), ..hand("by-hand") },
            "POLICE",
        ),
        (
            "by hand for another audience",
            grant(),
            RawGrant { audience: "PUBLIC".to_owned(), ..hand("by-hand") },
            "POLICE",
        ),
        ("by hand in the past", grant(), RawGrant { until_s: NOW, ..hand("by-hand") }, "POLICE"),
        ("one of them is over", RawGrant { until_s: NOW, ..grant() }, grant(), "POLICE"),
    ];
    let both = rows.into_iter().flat_map(|(name, a, b, expected)| {
        [
            case(name.to_owned(), &[Give(1, a.clone()), Give(2, b.clone())], TOTAL, expected),
            case(
                format!("{name}, the other way round"),
                &[Give(1, b), Give(2, a)],
                TOTAL,
                expected,
            ),
        ]
    });
    both.collect()
}

/// Everything is granted, and then a rule forbids something.
#[expect(clippy::too_many_lines, reason = "a table")]
fn forbidden() -> Vec<Case<'static>> {
    let area = |area: &str| RawGrant { crime_areas: words(&[area]), ..rule() };
    let level = |level: u32| RawGrant { region_levels: vec![level], ..rule() };
    let by = |dimension: &str| RawGrant { dimensions: words(&[dimension]), ..rule() };
    let periods = |first: &str, last: &str| RawGrant {
        first_period: first.to_owned(),
        last_period: last.to_owned(),
        ..rule()
    };
    let purpose = |purpose: &str| RawGrant { purpose: purpose.to_owned(), ..rule() };
    let audience = |audience: &str| RawGrant { audience: audience.to_owned(), ..rule() };
    let asks = |authority: &str| RawGrant { authorities: words(&[authority]), ..rule() };
    let until =
        |from: i64, until: i64| RawGrant { from_s: NOW + from, until_s: NOW + until, ..rule() };
    let cocaine = Ask { area: "DRG.COC", ..TOTAL };
    let heroin = Ask { area: "DRG.HER", ..TOTAL };
    let in_region = Ask { level: 1, ..TOTAL };
    let in_district = Ask { level: 3, ..TOTAL };
    let by_sex = Ask { categories: "SEX=F", ..TOTAL };
    let by_both = Ask { categories: "SEX=F;CITIZENSHIP=NATIONAL", ..TOTAL };
    let half = Ask { period: "2025-H1", ..TOTAL };
    let rows = [
        ("everything", rule(), TOTAL, NO),
        ("a leaf, and the leaf is asked", area("DRG.COC"), cocaine, NO),
        ("a leaf, and what contains it is asked", area("DRG.COC"), TOTAL, NO),
        ("a leaf, and its sister is asked", area("DRG.COC"), heroin, YES),
        ("a leaf, and what contains it in a region", area("DRG.COC"), in_region, NO),
        ("a leaf, and what contains it by sex", area("DRG.COC"), by_sex, NO),
        ("a leaf, and what contains it in a half-year", area("DRG.COC"), half, NO),
        ("a leaf, in a region", area("DRG.COC"), Ask { level: 2, ..cocaine }, NO),
        ("what contains a leaf, and the leaf is asked", area("DRG"), cocaine, NO),
        ("a level, and it is asked", level(1), in_region, NO),
        ("a level, and a finer one is asked", level(1), in_district, NO),
        ("a level, and the whole is asked", level(1), TOTAL, YES),
        ("the finest level, and a coarser one is asked", level(3), in_region, YES),
        ("level 0 and finer", level(0), in_district, NO),
        ("level 0 and finer, the whole", level(0), TOTAL, NO),
        ("a breakdown, and it is asked", by("SEX"), by_sex, NO),
        ("a breakdown, and one with it is asked", by("SEX"), by_both, NO),
        ("a breakdown, and the total is asked", by("SEX"), TOTAL, YES),
        ("another breakdown", by("CITIZENSHIP"), by_sex, YES),
        ("a half-year, and it is asked", periods("2025-H1", "2025-H1"), half, NO),
        ("a half-year, and its year is asked", periods("2025-H1", "2025-H1"), TOTAL, NO),
        ("the other half, and this one is asked", periods("2025-H2", "2025-H2"), half, YES),
        ("a year, and its half is asked", periods("2025", "2025"), half, NO),
        ("the year before", periods("2024", "2024"), TOTAL, YES),
        ("the year after", periods("2026", "2026"), TOTAL, YES),
        ("from the year on", periods("2025", ""), TOTAL, NO),
        ("from the next year on", periods("2026", ""), TOTAL, YES),
        ("until the year", periods("", "2025"), TOTAL, NO),
        ("until the half-year before", periods("", "2024-H2"), TOTAL, YES),
        ("until a half of the year", periods("", "2025-H1"), TOTAL, NO),
        ("for this purpose", purpose("THREAT-ASSESSMENT"), TOTAL, NO),
        ("for another purpose", purpose("EVALUATION"), TOTAL, YES),
        ("to this audience", audience("POLICE"), TOTAL, NO),
        ("to a wider audience", audience("PUBLIC"), TOTAL, YES),
        ("if this authority asks", asks("analysis-unit"), TOTAL, NO),
        ("if another authority asks", asks("anybody"), TOTAL, YES),
        (
            "if an authority asks, and nobody has signed",
            asks("anybody"),
            Ask { authority: None, ..TOTAL },
            NO,
        ),
        ("from now on", until(0, DAY), TOTAL, NO),
        ("from the next second on", until(1, DAY), TOTAL, YES),
        ("until this second", until(-DAY, 0), TOTAL, YES),
        ("until the next second", until(-DAY, 1), TOTAL, NO),
    ];
    let all = RawGrant { region_levels: vec![0, 1, 2, 3], dimensions: words(&["ALL"]), ..grant() };
    let mut cases: Vec<_> = rows
        .into_iter()
        .map(|(name, rule, ask, expected)| {
            let acts = [Give(1, all.clone()), Give(2, rule)];
            case(format!("forbidden: {name}"), &acts, ask, expected)
        })
        .collect();
    let public = RawGrant { audience: "PUBLIC".to_owned(), ..grant() };
    let asked = Ask { audience: "PUBLIC", ..TOTAL };
    let rule_for = |audience: &str| RawGrant { audience: audience.to_owned(), ..rule() };
    for (to, expected) in [("POLICE", NO), ("PARTNERS", NO), ("PUBLIC", NO)] {
        let acts = [Give(1, rule_for(to)), Give(2, public.clone())];
        let name = format!("forbidden to {to}, and the public asks");
        cases.push(case(name, &acts, asked, expected));
    }
    cases.push(case(
        "a rule that was withdrawn".to_owned(),
        &[Give(1, grant()), Give(2, rule()), Withdraw(2)],
        TOTAL,
        YES,
    ));
    cases.push(case(
        "a consent given after the rule".to_owned(),
        &[Give(1, rule()), Give(2, grant())],
        TOTAL,
        NO,
    ));
    cases.push(case("a rule alone permits nothing".to_owned(), &[Give(1, rule())], TOTAL, NO));
    cases.push(case("nothing at all".to_owned(), &[], TOTAL, NO));
    cases
}

/// What is taken back, and what is left.
#[expect(clippy::too_many_lines, reason = "a table")]
fn taken_back() -> Vec<Case<'static>> {
    let leaf = || RawGrant { crime_areas: words(&["DRG.COC"]), ..grant() };
    let whole = || RawGrant { crime_areas: words(&["DRG"]), ..grant() };
    let sister = || RawGrant { crime_areas: words(&["DRG.HER"]), ..grant() };
    let by_hand = || RawGrant { release: "by-hand".to_owned(), ..grant() };
    let half = || RawGrant {
        first_period: "2025-H1".to_owned(),
        last_period: "2025-H1".to_owned(),
        ..grant()
    };
    let year =
        || RawGrant { first_period: "2025".to_owned(), last_period: "2025".to_owned(), ..grant() };
    let regions = || RawGrant { region_levels: vec![0, 1], ..grant() };
    let cocaine = Ask { area: "DRG.COC", ..TOTAL };
    let heroin = Ask { area: "DRG.HER", ..TOTAL };
    let public = || RawGrant { audience: "PUBLIC".to_owned(), ..leaf() };
    let areas = |areas: &[&str]| RawGrant { crime_areas: words(areas), ..grant() };
    let rows: Vec<(&str, Vec<Act>, Ask<'static>, &'static str)> = vec![
        ("withdrawn", vec![Give(1, grant()), Withdraw(1)], TOTAL, NO),
        ("suspended", vec![Give(1, grant()), Suspend(1)], TOTAL, NO),
        ("resumed", vec![Give(1, grant()), Suspend(1), Resume(1)], TOTAL, YES),
        ("suspended again", vec![Give(1, grant()), Suspend(1), Resume(1), Suspend(1)], TOTAL, NO),
        ("suspended and withdrawn", vec![Give(1, grant()), Suspend(1), Withdraw(1)], TOTAL, NO),
        (
            "narrowed while suspended",
            vec![Give(1, grant()), Suspend(1), Narrow(1, whole())],
            TOTAL,
            NO,
        ),
        ("narrowed to this", vec![Give(1, grant()), Narrow(1, leaf())], cocaine, YES),
        ("narrowed to something else", vec![Give(1, grant()), Narrow(1, leaf())], heroin, NO),
        (
            "narrowed to a part, and the whole is asked",
            vec![Give(1, grant()), Narrow(1, leaf())],
            TOTAL,
            NO,
        ),
        (
            "given anew after a withdrawal",
            vec![Give(1, grant()), Withdraw(1), Give(2, grant())],
            TOTAL,
            YES,
        ),
        (
            "one of two is withdrawn",
            vec![Give(1, grant()), Give(2, grant()), Withdraw(1)],
            TOTAL,
            YES,
        ),
        (
            "the other of two is withdrawn",
            vec![Give(1, grant()), Give(2, grant()), Withdraw(2)],
            TOTAL,
            YES,
        ),
        (
            "a leaf is withdrawn, and the leaf is asked",
            vec![Give(1, whole()), Give(2, leaf()), Withdraw(2)],
            cocaine,
            NO,
        ),
        (
            "a leaf is withdrawn, and the whole is asked",
            vec![Give(1, whole()), Give(2, leaf()), Withdraw(2)],
            TOTAL,
            NO,
        ),
        (
            "a leaf is suspended, and the whole is asked",
            vec![Give(1, whole()), Give(2, leaf()), Suspend(2)],
            TOTAL,
            NO,
        ),
        (
            "a leaf is resumed, and the whole is asked",
            vec![Give(1, whole()), Give(2, leaf()), Suspend(2), Resume(2)],
            TOTAL,
            YES,
        ),
        (
            "a leaf is withdrawn, and its sister is asked",
            vec![Give(1, sister()), Give(2, leaf()), Withdraw(2)],
            heroin,
            YES,
        ),
        (
            "a leaf is withdrawn that another consent covers",
            vec![Give(1, whole()), Give(2, leaf()), Give(3, leaf()), Withdraw(2)],
            TOTAL,
            YES,
        ),
        (
            "a leaf is withdrawn for others",
            vec![Give(1, whole()), Give(2, public()), Withdraw(2)],
            TOTAL,
            YES,
        ),
        (
            "a leaf is withdrawn, and the whole consented to afterwards",
            vec![Give(1, leaf()), Withdraw(1), Give(2, whole())],
            TOTAL,
            YES,
        ),
        (
            "a leaf is withdrawn, and the whole was consented to before and after",
            vec![Give(1, whole()), Give(2, leaf()), Withdraw(2), Give(3, whole())],
            TOTAL,
            YES,
        ),
        (
            "a leaf is narrowed away, and the whole is asked",
            vec![
                Give(1, areas(&["DRG", "DRG.COC", "DRG.HER"])),
                Narrow(1, areas(&["DRG", "DRG.HER"])),
            ],
            TOTAL,
            NO,
        ),
        (
            "a leaf is narrowed away, and its sister is asked",
            vec![
                Give(1, areas(&["DRG", "DRG.COC", "DRG.HER"])),
                Narrow(1, areas(&["DRG", "DRG.HER"])),
            ],
            heroin,
            YES,
        ),
        (
            "the whole is narrowed away, and a leaf is asked",
            vec![Give(1, areas(&["DRG", "DRG.COC"])), Narrow(1, leaf())],
            cocaine,
            YES,
        ),
        (
            "a half-year is withdrawn, and its year is asked",
            vec![Give(1, year()), Give(2, half()), Withdraw(2)],
            TOTAL,
            YES,
        ),
        (
            "a half-year of another area is withdrawn",
            vec![
                Give(1, whole()),
                Give(2, RawGrant { crime_areas: words(&["DRG.COC"]), ..half() }),
                Withdraw(2),
            ],
            TOTAL,
            NO,
        ),
        (
            "a leaf's next year is withdrawn",
            vec![
                Give(1, whole()),
                Give(
                    2,
                    RawGrant {
                        crime_areas: words(&["DRG.COC"]),
                        first_period: "2026".to_owned(),
                        ..grant()
                    },
                ),
                Withdraw(2),
            ],
            TOTAL,
            YES,
        ),
        (
            "regions are narrowed away, and the whole is asked",
            vec![Give(1, regions()), Narrow(1, grant())],
            TOTAL,
            YES,
        ),
        (
            "regions are narrowed away, and a region is asked",
            vec![Give(1, regions()), Narrow(1, grant())],
            Ask { level: 1, ..TOTAL },
            NO,
        ),
        (
            "narrowed to a coarser tier",
            vec![
                Give(1, grant()),
                Narrow(1, RawGrant { precision: "tier-b".to_owned(), ..grant() }),
            ],
            TOTAL,
            "PARTNERS",
        ),
        (
            "narrowed to by hand",
            vec![Give(1, grant()), Narrow(1, by_hand())],
            TOTAL,
            "POLICE by-hand",
        ),
        (
            "narrowed to an earlier end",
            vec![Give(1, grant()), Narrow(1, RawGrant { until_s: NOW, ..grant() })],
            TOTAL,
            NO,
        ),
        (
            "a stricter consent is withdrawn from beside a looser one",
            vec![Give(1, grant()), Give(2, by_hand()), Withdraw(2)],
            TOTAL,
            "POLICE by-hand",
        ),
        (
            "both are withdrawn and the looser given anew",
            vec![Give(1, grant()), Give(2, by_hand()), Withdraw(2), Withdraw(1), Give(3, grant())],
            TOTAL,
            YES,
        ),
        (
            "the looser is given anew beside itself",
            vec![Give(1, grant()), Give(2, by_hand()), Withdraw(2), Give(3, grant())],
            TOTAL,
            "POLICE by-hand",
        ),
    ];
    rows.into_iter()
        .map(|(name, acts, ask, expected)| case(name.to_owned(), &acts, ask, expected))
        .collect()
}

#[test]
fn every_case_comes_out_as_the_table_says() {
    let tables = [
        days(),
        clocks(),
        for_what(),
        cells(),
        periods(),
        precision(),
        release(),
        overlaps(),
        forbidden(),
        taken_back(),
    ];
    let cases = tables.concat();
    assert!(cases.len() >= 200, "{} cases", cases.len());
    let mut wrong = Vec::new();
    for (name, acts, ask, expected) in &cases {
        let found = ask.decided(&after(acts));
        if found != *expected {
            wrong.push(format!("{name}: {found} where {expected} is right"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), cases.len());
}
