//! The rules against the vectors of the Handbook on statistical disclosure control, of sdcTable and of tau-ARGUS,
//! and against themselves: stricter never shows more.

use super::*;

/// Rules that let everything pass.
const NONE: Rules = Rules {
    units_min: 0,
    sources_min: 0,
    coalition: 1,
    p: None,
    dominance: None,
    prior_posterior: None,
    zeros: true,
};

fn p(per_mille: u32) -> Rules {
    Rules { p: Some(PerMille(per_mille)), ..NONE }
}

fn dominance(n: usize, per_mille: u32) -> Rules {
    Rules { dominance: Some((n, PerMille(per_mille))), ..NONE }
}

fn is_safe(rules: &Rules, cell: &Contributions) -> bool {
    rules.check(cell, false).is_ok()
}

/// sdcTable's table: total, A, B, C, D × total, male, female; number, sum and two largest where given.
#[test]
fn sdctable_marks_the_same_cells() {
    let counts: [u64; 15] = [100, 55, 45, 20, 18, 2, 33, 14, 19, 22, 12, 10, 25, 11, 14];
    let unsafe_below = |n: u64| {
        let rules = Rules { units_min: n, ..NONE };
        let cell = |count: u64| Contributions::declared(100, Some(count), 0, &[]);
        let marked = counts.iter().enumerate().filter(|(_, n)| !is_safe(&rules, &cell(**n)));
        marked.map(|(at, _)| at + 1).collect::<Vec<_>>()
    };
    assert_eq!(unsafe_below(3), [6]);

    // Of the other cells the two largest are not printed; six and fourteen are the ones that rules fall on.
    let six = Contributions::of(&[11, 9], 0);
    let fourteen = Contributions::declared(366, Some(11), 0, &[280, 11]);
    let even = Contributions::of(&[20; 10], 0);
    let prior =
        Rules { prior_posterior: Some((PerMille::percent(60), PerMille::percent(80))), ..NONE };
    for rules in [dominance(2, 750), p(700), prior] {
        assert!(!is_safe(&rules, &six) && !is_safe(&rules, &fourteen) && is_safe(&rules, &even));
    }
}

#[test]
fn dominance_of_one_ignores_the_second() {
    let trap = Contributions::of(&[50_000, 49_000, 1_000], 0);
    assert_eq!(dominance(1, 900).check(&trap, false), Ok(()));
    assert_eq!(p(100).check(&trap, false), Err(Unsafe::TooClose));
    assert_eq!(Rules { units_min: 3, ..dominance(1, 900) }.validate(), Err(Flaw::Dominance));
}

#[test]
fn two_rules_of_equal_limit_differ() {
    let cell = Contributions::declared(110_000, Some(10), 0, &[52_000, 50_000]);
    assert_eq!(p(100).check(&cell, false), Ok(()));
    assert_eq!(p(153).check(&cell, false), Ok(()));
    assert_eq!(p(154).check(&cell, false), Err(Unsafe::TooClose));
    assert_eq!(dominance(2, 909).check(&cell, false), Err(Unsafe::Dominated));
}

#[test]
fn a_protection_level_reaches_to_where_the_rule_would_pass() {
    let cell = Contributions::of(&[300, 20, 10], 0);
    assert_eq!(dominance(1, 850).check(&cell, false), Err(Unsafe::Dominated));
    // 352.94 rounded up.
    assert_eq!(330 + dominance(1, 850).protection(&cell), 353);
    let hundredths = Contributions::of(&[30_000, 2_000, 1_000], 0);
    assert_eq!(33_000 + dominance(1, 850).protection(&hundredths), 35_295);
    assert_eq!(Rules { units_min: 9, ..NONE }.protection(&cell), 0);
}

#[test]
fn tau_argus_finds_the_same_status_and_level() {
    // In hundredths.
    let unsafe_row = Contributions::declared(1_196_800, Some(29), 0, &[1_140_100, 14_500]);
    assert_eq!(p(150).check(&unsafe_row, false), Err(Unsafe::TooClose));
    assert_eq!(p(150).protection(&unsafe_row), 128_815);
    let safe_row = Contributions::declared(108_325_400, Some(551), 0, &[11_288_700, 10_924_000]);
    assert_eq!(p(150).check(&safe_row, false), Ok(()));
    assert_eq!(p(150).protection(&safe_row), 0);
}

#[test]
fn a_sampling_weight_repeats_a_contribution() {
    let weighted = [(100, 4), (10, 7)];
    let all: Vec<_> =
        weighted.iter().flat_map(|(value, weight)| std::iter::repeat_n(*value, *weight)).collect();
    let cell = Contributions::of(&all, 0);
    assert_eq!((cell.total, cell.largest[0], cell.largest[1]), (470, 100, 100));
    assert_eq!(p(100).check(&cell, false), Ok(()));
}

#[test]
fn p_percent_and_dominance_of_two_convert_into_each_other() {
    // p = 100 (100 − k) / k: where x2 = x1 · 1 the two rules agree at their limit.
    for (k, p_percent) in [(800, 25.0), (950, 5.26)] {
        let back = 100.0 * 100.0 / (100.0 + p_percent);
        assert!((back * 10.0 - f64::from(k)).abs() < 0.1);
        assert!((100.0 * (1000.0 - f64::from(k)) / f64::from(k) - p_percent).abs() < 0.01);
    }
    // p = 25 asks at least what (2, 80) asks of a cell with one large respondent alone, and agrees there.
    for rest in 0..60 {
        let one = Contributions::declared(100 + rest, Some(50), 0, &[100, 0]);
        assert_eq!(is_safe(&p(250), &one), is_safe(&dominance(2, 800), &one), "rest {rest}");
    }
    // And (p, q) is p % with p/q.
    let prior = Rules { prior_posterior: Some((PerMille(60), PerMille(800))), ..NONE };
    for rest in 0..60 {
        let cell = Contributions::declared(150 + rest, Some(50), 0, &[100, 50]);
        assert_eq!(is_safe(&prior, &cell), is_safe(&p(75), &cell), "rest {rest}");
        assert_eq!(prior.protection(&cell), p(75).protection(&cell));
    }
}

#[test]
fn two_respondents_are_never_safe_and_three_if_the_third_is_large_enough() {
    for (largest, second) in [(1, 1), (7, 3), (1_000_000, 1)] {
        assert!(!is_safe(&p(1), &Contributions::of(&[largest, second], 0)));
    }
    assert!(is_safe(&p(150), &Contributions::of(&[100, 40, 15], 0)));
    assert!(!is_safe(&p(150), &Contributions::of(&[100, 40, 14], 0)));
}

#[test]
fn a_coalition_subtracts_more() {
    let cell = Contributions::of(&[100, 60, 30, 10, 5], 0);
    let with = |coalition| Rules { coalition, ..p(150) };
    assert_eq!(with(1).check(&cell, false), Ok(()));
    assert_eq!(with(2).check(&cell, false), Ok(()));
    assert_eq!(with(3).check(&cell, false), Err(Unsafe::TooClose));
    // More than are kept apart: not known, so not safe.
    assert_eq!(with(4).check(&cell, false), Err(Unsafe::ContributionsUnknown));
    assert_eq!(with(usize::MAX).check(&cell, false), Err(Unsafe::ContributionsUnknown));
}

#[test]
fn what_one_owner_holds_is_one_contribution() {
    let apart = Contributions::of(&[10, 10, 10, 10], 0);
    let held = Contributions::grouped([("a", 10), ("b", 10), ("a", 10), ("a", 10)], 0);
    assert_eq!((held.total, held.units, held.largest), (40, Some(2), [30, 10, 0, 0]));
    let rules = Rules { units_min: 3, ..p(150) };
    assert_eq!(rules.check(&apart, false), Ok(()));
    assert_eq!(rules.check(&held, false), Err(Unsafe::TooFewUnits));
}

#[test]
fn a_waiver_moves_protection_to_the_next() {
    let ten = PerMille::percent(10);
    let with = |waived: [bool; 3]| {
        let respondents: Vec<_> = [80, 15, 5].into_iter().zip(waived).collect();
        p_percent_with_waivers(ten, 100, &respondents)
    };
    assert_eq!(with([false, false, false]), Err(Unsafe::TooClose));
    // 100 − 15 − 80 = 5 ≥ 1.5
    assert_eq!(with([true, false, false]), Ok(()));
    assert_eq!(with([true, true, true]), Ok(()));
    // Of two, the one that does not waive is known to the other.
    assert_eq!(p_percent_with_waivers(ten, 10, &[(9, true), (1, false)]), Err(Unsafe::TooClose));
    assert_eq!(p_percent_with_waivers(ten, 10, &[(10, true)]), Ok(()));
    assert!(p_percent_with_waivers(ten, 10, &[(12, true), (-2, true)]).is_err());
}

#[test]
fn a_part_that_is_nearly_all_of_its_margin_discloses_the_group() {
    assert!(discloses_group(7, 7, 0));
    assert!(!discloses_group(6, 7, 0));
    assert!(discloses_group(6, 7, 1));
    assert!(!discloses_group(0, 0, 0));
}

#[test]
fn what_is_not_known_is_not_safe() {
    let units = Contributions::declared(100, None, 5, &[40, 30]);
    assert_eq!(p(100).check(&units, false), Err(Unsafe::UnitsUnknown));
    let largest = Contributions::declared(100, Some(9), 5, &[40]);
    assert_eq!(p(100).check(&largest, false), Err(Unsafe::ContributionsUnknown));
    assert_eq!(p(100).protection(&largest), 100);
    // Two units, both declared: there can be no third.
    let two = Contributions::declared(100, Some(2), 5, &[60, 40]);
    assert_eq!(p(100).check(&two, false), Err(Unsafe::TooClose));
    // A frequency rule alone does not need them.
    let frequency = Rules { units_min: 3, ..NONE };
    assert_eq!(frequency.check(&largest, false), Ok(()));
}

#[test]
fn sources_count_only_where_people_talk() {
    let rules = Rules { sources_min: 3, ..NONE };
    let cell = Contributions::of(&[5, 5, 5], 2);
    assert_eq!(rules.check(&cell, false), Ok(()));
    assert_eq!(rules.check(&cell, true), Err(Unsafe::TooFewSources));
}

#[test]
fn zero_is_shown_only_where_the_policy_allows() {
    let none = Contributions::of(&[], 0);
    let zeros = Contributions::of(&[0; 5], 5);
    let few = Contributions::of(&[0; 2], 5);
    let rules = Rules { units_min: 3, sources_min: 3, ..p(150) };
    assert_eq!(rules.check(&none, true), Ok(()));
    assert_eq!(rules.check(&zeros, true), Ok(()));
    assert_eq!(rules.check(&few, true), Err(Unsafe::TooFewUnits));
    let closed = Rules { zeros: false, ..rules };
    for cell in [none, zeros, few] {
        assert_eq!(closed.check(&cell, true), Err(Unsafe::AllZero));
    }
}

#[test]
fn contributions_below_zero_leave_the_number_of_respondents() {
    let rules = Rules { units_min: 3, zeros: false, ..p(150) };
    // No concentration that could be told, and not the zero of everybody.
    assert_eq!(rules.check(&Contributions::of(&[100, -50, -50], 0), false), Ok(()));
    assert_eq!(rules.check(&Contributions::of(&[100, -90], 0), false), Err(Unsafe::TooFewUnits));
}

#[test]
fn parameters_that_protect_nobody_are_refused() {
    let good = Rules { units_min: 3, dominance: Some((2, PerMille(800))), ..p(150) };
    assert_eq!(good.validate(), Ok(()));
    let prior = |p, q| Rules { prior_posterior: Some((PerMille(p), PerMille(q))), ..good.clone() };
    assert_eq!(prior(150, 1000).validate(), Ok(()));
    for (rules, flaw) in [
        (Rules { coalition: 0, ..good.clone() }, Flaw::Coalition),
        (Rules { coalition: LARGEST, units_min: 9, ..good.clone() }, Flaw::Coalition),
        (Rules { coalition: 2, ..good.clone() }, Flaw::UnitsMin),
        (Rules { dominance: Some((2, PerMille(1000))), ..good.clone() }, Flaw::Dominance),
        (Rules { dominance: Some((2, PerMille(0))), ..good.clone() }, Flaw::Dominance),
        (prior(100, 100), Flaw::PriorPosterior),
        (prior(0, 100), Flaw::PriorPosterior),
    ] {
        assert_eq!(rules.validate(), Err(flaw));
    }
}

#[test]
fn no_figure_and_no_parameter_is_printed() {
    let rules = Rules { dominance: Some((2, PerMille(777))), units_min: 3, ..p(150) };
    let cell = Contributions::of(&[100, 40], 2);
    let reason = rules.check(&cell, false).unwrap_err();
    let printed = format!("{rules:?} {cell:?} {:?} {reason:?} {reason}", PerMille(15));
    assert!(!printed.contains(|c: char| c.is_ascii_digit()), "{printed}");
}

/// Splitmix64: the same on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn share(&mut self, bound: u64) -> PerMille {
        PerMille(u32::try_from(self.below(bound)).unwrap())
    }

    fn cell(&mut self) -> Contributions {
        let values: Vec<_> = (0..self.below(8))
            .map(|_| {
                let largest = 1 << self.below(8);
                i64::try_from(self.below(largest)).unwrap() - i64::from(self.below(40) == 0)
            })
            .collect();
        let mut cell = Contributions::of(&values, self.below(6));
        cell.known = LARGEST - usize::try_from(self.below(8).min(4)).unwrap() % LARGEST;
        cell.units = cell.units.filter(|_| self.below(20) != 0);
        cell
    }

    fn rules(&mut self) -> Rules {
        Rules {
            units_min: self.below(6),
            sources_min: self.below(4),
            coalition: usize::try_from(1 + self.below(3)).unwrap(),
            p: (self.below(2) == 0).then(|| self.share(500)),
            dominance: (self.below(2) == 0).then(|| (2, PerMille(500 + self.share(500).0))),
            prior_posterior: (self.below(2) == 0).then(|| (self.share(500), PerMille(900))),
            zeros: self.below(2) == 0,
        }
    }

    /// At least as strict in everything.
    fn stricter(&mut self, rules: &Rules) -> Rules {
        let coalition = rules.coalition + usize::try_from(self.below(2)).unwrap();
        let less = |share: PerMille, by: PerMille| PerMille(share.0.saturating_sub(by.0));
        Rules {
            units_min: rules.units_min + self.below(3),
            sources_min: rules.sources_min + self.below(3),
            coalition,
            p: rules.p.map(|p| PerMille(p.0 + self.share(200).0)).or(Some(self.share(300))),
            dominance: rules.dominance.map(|(n, k)| (n + 1, less(k, self.share(200)))),
            prior_posterior: rules
                .prior_posterior
                .map(|(p, q)| (PerMille(p.0 + self.share(100).0), less(q, self.share(100)))),
            zeros: rules.zeros && self.below(2) == 0,
        }
    }
}

#[test]
fn a_stricter_policy_never_shows_more() {
    const SEED: u64 = 4;
    let mut dice = Dice(SEED);
    let (mut shown, mut hidden) = (0, 0);
    for round in 0..20_000 {
        let (cell, rules) = (dice.cell(), dice.rules());
        let stricter = dice.stricter(&rules);
        let (loose, strict) =
            (rules.check(&cell, true).is_ok(), stricter.check(&cell, true).is_ok());
        assert!(loose || !strict, "seed {SEED}, round {round}: stricter shows what looser hides");
        let room = (rules.protection(&cell), stricter.protection(&cell));
        assert!(room.0 <= room.1, "seed {SEED}, round {round}: stricter asks less room");
        *(if loose { &mut shown } else { &mut hidden }) += 1;
    }
    assert!(
        shown > 1_000 && hidden > 1_000,
        "{shown} shown, {hidden} hidden: a test without power"
    );
}
