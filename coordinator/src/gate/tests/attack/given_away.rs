//! The smallest cases of a median that gives a figure away. Comes in: what a build would print that asks for any five hidden
//! figures, and for the corrections of any three. Goes out: that attackers then know a figure as closely as they
//! like, and that the gate does not show it.

use accord_proto::{combine::Combined, regional::Figure, taxonomy::Indicator};

use super::{
    other_world::{Attack, Print, Shown, Who},
    *,
};

fn price() -> &'static Indicator {
    Lists::builtin().indicator("", "DRG.PRICE.HER.WHL").unwrap()
}

fn median(figures: &[Figure], indicator: &Indicator) -> Print {
    match accord_proto::combine::combine(figures, indicator) {
        Combined::Figure { value, .. } => vec![value],
        Combined::Between { .. }
        | Combined::Nothing
        | Combined::TooFew
        | Combined::NotApplicable => Vec::new(),
    }
}

/// A price for each of these members, of this edition.
fn shown(prices: &[(usize, u32, i64)]) -> Shown {
    let figure = |value| Figure {
        value,
        upper: value,
        standard_error_milli: 1_000,
        exact_and_hidden: false,
    };
    let of: Vec<(Who, Figure)> =
        prices.iter().map(|(of, edition, value)| ((*of, *edition, 0), figure(*value))).collect();
    let figures: Vec<_> = of.iter().map(|(_, figure)| *figure).collect();
    Shown { print: median(&figures, price()), of }
}

/// May the victim's figure be ten percent more, for all that these know?
fn may_be_more(shown: &[Shown], knowing: &[usize], victim: Who) -> bool {
    let figures: BTreeMap<Who, i64> =
        shown.iter().flat_map(|shown| &shown.of).map(|(who, of)| (*who, of.value)).collect();
    let unknown = figures.iter().filter(|((of, ..), _)| !knowing.contains(of));
    let unknown = unknown.map(|(who, value)| (*who, *value)).collect();
    let mut attack = Attack {
        indicator: price(),
        printer: median,
        shown,
        unknown,
        nested: false,
        tries: 20_000_000,
    };
    attack.may_be(victim, (figures[&victim] * 11 / 10, price().value_max)).unwrap()
}

/// Noisy prices as nodes bring them, of which some are public.
fn said(prices: &[(usize, u32, i64)], public: &[usize]) -> Vec<Says> {
    const OF: [&str; 9] = ["AL", "BA", "BG", "EL", "HR", "HU", "ME", "MK", "RO"];
    let lists = Lists::builtin();
    let says = |(of, edition, value): &(usize, u32, i64)| {
        let is_public = public.contains(of);
        Says {
            key: RegionalKey {
                indicator: price().code,
                crime_area: lists.crime_area("", price(), "DRG.HER").unwrap(),
                period: Period::parse("", "2016").unwrap(),
                categories: lists.parse_categories("", price(), "_T").unwrap(),
            },
            node: Name::parse("", &OF[*of].to_lowercase()).unwrap(),
            jurisdiction: JurisdictionCode::parse(OF[*of]).unwrap(),
            mode: if is_public { OPEN } else { NOISY },
            consent: Consent::Pooled,
            cell: Cell::Value(*value),
            standard_error_milli: if is_public { 0 } else { 1_000 },
            edition: *edition,
        }
    };
    prices.iter().map(says).collect()
}

const FIVE: [(usize, u32, i64); 5] =
    [(0, 1, 1_000), (1, 1, 2_000), (2, 1, 3_000), (3, 1, 8_000), (4, 1, 9_000)];
const MORE: [(usize, u32, i64); 4] =
    [(5, 1, 20_000), (6, 1, 30_000), (7, 1, 40_000), (8, 1, 50_000)];

#[test]
fn two_who_have_the_largest_of_five_bound_the_one_in_the_middle() {
    let told = [shown(&FIVE)];
    assert!(!may_be_more(&told, &[3, 4], (2, 1, 0)), "nobody else is above it");
    assert!(may_be_more(&told, &[4], (2, 1, 0)), "one of them alone does not");
    let asked = |coalition, prices: &[_]| {
        whys(&publish(&said(prices, &[]), coalition, &mut PooledBefore::new()))
    };
    let too_few = [Some(Why::Unsafe(Unsafe::TooFewUnits))];
    assert_eq!(asked(1, &FIVE), [None]);
    assert_eq!(asked(2, &FIVE), too_few);
    let nine = [&FIVE[..], &MORE].concat();
    assert_eq!((asked(2, &nine[..6]), asked(2, &nine[..7])), (too_few.to_vec(), vec![None]));
    assert_eq!((asked(3, &nine[..8]), asked(3, &nine)), (too_few.to_vec(), vec![None]));
}

#[test]
fn public_prices_on_one_side_make_the_one_in_the_middle_the_largest_that_is_hidden() {
    let nine = [&FIVE[..], &MORE].concat();
    // Four of nine are public.
    assert!(!may_be_more(&[shown(&nine)], &[0, 5, 6, 7, 8], (4, 1, 0)), "it is the largest");
    let asked =
        |public: &[usize]| whys(&publish(&said(&nine, public), 1, &mut PooledBefore::new()));
    assert_eq!(asked(&[5, 6, 7, 8]), [Some(Why::Unsafe(Unsafe::TooFewUnits))]);
    assert_eq!(asked(&[6, 7, 8]), [Some(Why::Unsafe(Unsafe::TooFewUnits))]);
    assert_eq!(asked(&[7, 8]), [None]);
}

#[test]
fn corrections_of_three_of_five_tell_where_the_others_lie() {
    // The attacker is above the first median and below the second, which is larger: so is one of the two who stayed
    // above both, and nobody else is above the first.
    let first = [(0, 1, 9_900), (1, 1, 9_000), (2, 1, 5_000), (3, 1, 1_000), (4, 1, 1_100)];
    let second = [(0, 2, 1_200), (1, 1, 9_000), (2, 2, 7_000), (3, 2, 8_000), (4, 1, 1_100)];
    assert!(!may_be_more(&[shown(&first), shown(&second)], &[0], (2, 1, 0)));
    assert!(may_be_more(&[shown(&first)], &[0], (2, 1, 0)), "the first one alone does not");
    let mut before = PooledBefore::new();
    let mut asked = |prices: &[_]| whys(&publish(&said(prices, &[]), 1, &mut before));
    assert_eq!(asked(&first), [None]);
    assert_eq!(asked(&second), [Some(Why::Revised)]);
    let everybody = second.map(|(of, _, value)| (of, 2, value));
    assert_eq!(asked(&everybody), [None]);
}
