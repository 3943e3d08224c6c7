//! What readers know of made-up figures of Albania: the jurisdiction, its three regions, a year and its halves.

use accord_proto::{
    id::EditionId,
    rules::PerMille,
    seal::Digest,
    taxonomy::{Granularity, JurisdictionCode, Lists},
};

use super::*;
use crate::lattice::Levels;

const RULES: Rules = Rules {
    units_min: 3,
    sources_min: 0,
    coalition: 1,
    p: Some(PerMille::percent(15)),
    dominance: None,
    prior_posterior: None,
    zeros: false,
};

fn indicator() -> &'static Indicator {
    Lists::builtin().indicator("", "ARM.SEIZ.N").unwrap()
}

fn lattice() -> Lattice {
    let levels = Levels {
        granularity: vec![Granularity::Year, Granularity::Half],
        regions: vec![0, 2],
        areas: vec![0],
        dimensions: Vec::new(),
    };
    Lattice::new(indicator(), levels, JurisdictionCode::parse("AL").unwrap(), Lists::builtin())
}

fn period(text: &str) -> Period {
    Period::parse("", text).unwrap()
}

/// Contributions in the jurisdiction (none: those of all regions) and in each of its regions.
fn figures(of: &str, whole: Option<&[i64]>, regions: [&[i64]; 3]) -> BTreeMap<CellKey, Bounded> {
    let all: Vec<i64> = regions.concat();
    let parts = [whole.unwrap_or(&all)].into_iter().chain(regions);
    let bounded = |contributions: &[i64]| Bounded {
        contributions: Contributions::of(contributions, 3),
        owner: None,
    };
    let keys = lattice().cells(indicator().code, period(of));
    let cells = keys.into_iter().zip(parts).filter(|(_, contributions)| !contributions.is_empty());
    cells.map(|(key, contributions)| (key, bounded(contributions))).collect()
}

fn tables(of: &str, periods: &[OfPeriod<'_>]) -> Result<Tables, NoBulletin> {
    let lattice = lattice();
    let making =
        Making { indicator: indicator(), period: period(of), lattice: &lattice, rules: &RULES };
    making.tables(periods)
}

fn alone(of: &str, figures: BTreeMap<CellKey, Bounded>) -> Result<Tables, NoBulletin> {
    tables(of, &[OfPeriod { period: period(of), figures, signed: None }])
}

fn bulletin(cells: BTreeMap<CellKey, Option<i64>>) -> Bulletin {
    let edition = EditionId::parse("", "0190c8b2-7a3e-7c4d-8e5f-000000000001").unwrap();
    Bulletin { edition, audiences: Vec::new(), handling: Digest([0; 32]), cells }
}

const SAFE: &[i64] = &[5, 5, 5, 5, 5];
const MORE: &[i64] = &[9, 9, 9, 9, 9];
const UNSAFE: &[i64] = &[7];

#[test]
fn a_part_that_says_of_nearly_everybody_that_they_belong_to_it_is_unsafe() {
    let all = |regions: [&[i64]; 3], rules| {
        let lattice = lattice();
        let making =
            Making { indicator: indicator(), period: period("2016"), lattice: &lattice, rules };
        let figures = figures("2016", None, regions);
        making.tables(&[OfPeriod { period: period("2016"), figures, signed: None }]).unwrap()
    };
    // Zeros may be shown: then nothing but this rule stands between a reader and "all are in that region".
    let open = Rules { zeros: true, ..RULES };
    let everybody = all([SAFE, &[], &[]], &open);
    assert_eq!(everybody.safe[1], Err(Unsafe::GroupDisclosed));
    let cells = everybody.protect().unwrap_or_default();
    let shown = |at: usize| cells.get(&everybody.keys[at]).copied().flatten();
    assert!(shown(1).is_none() && (shown(0).is_none() || shown(2).is_none()), "{cells:?}");
    // One is elsewhere, and knows it.
    assert_eq!(all([SAFE, &[5], &[]], &open).safe[1], Err(Unsafe::GroupDisclosed));
    assert_eq!(all([SAFE, &[5, 5], &[]], &open).safe[1], Ok(()));
}

#[test]
fn a_cell_is_the_sum_of_those_below_it_and_of_what_lies_nowhere() {
    let whole = [SAFE, MORE, UNSAFE, &[4]].concat();
    let tables = alone("2016", figures("2016", Some(&whole), [SAFE, MORE, UNSAFE])).unwrap();
    let [equation] = tables.equations().equations() else { panic!("one sum") };
    assert_eq!((equation.total, equation.parts.as_slice(), equation.rest), (0, &[1, 2, 3][..], 4));
}

#[test]
fn an_unsafe_figure_is_hidden_with_another_and_only_published_ones_are_kept() {
    let found = figures("2016", None, [SAFE, MORE, UNSAFE]);
    let tables = alone("2016", found).unwrap();
    let cells = tables.protect().unwrap();
    let shown: Vec<_> = cells.values().copied().collect();
    assert_eq!(shown, [Some(77), None, Some(45), None]);
    assert!(tables.agree(&cells));
    let seen = tables.seen(&cells, 10);
    let intervals: Vec<_> = seen.iter().map(|seen| seen.interval).collect();
    assert_eq!(intervals, [None, Some((0, Some(32))), None, Some((0, Some(32)))]);
    assert_eq!(seen[3].safe, Err(Unsafe::TooFewUnits));
    assert!(tables.seen(&cells, 0).iter().all(|seen| seen.interval.is_none()));
    assert!(!format!("{tables:?} {seen:?} {:?}", bulletin(cells)).contains("77"));
}

#[test]
fn periods_add_up_and_what_was_published_of_one_hides_more_of_another() {
    let halves = ["2016-H1", "2016-H2"];
    let held = [
        figures(halves[0], None, [SAFE, MORE, MORE]),
        figures(halves[1], None, [SAFE, MORE, UNSAFE]),
    ];
    let first = bulletin(alone(halves[0], held[0].clone()).unwrap().protect().unwrap());
    assert_eq!(first.published(), 4);
    let second = bulletin(alone(halves[1], held[1].clone()).unwrap().protect().unwrap());
    let year = || {
        let sums = [&[SAFE, SAFE].concat()[..], &[MORE, MORE].concat(), &[MORE, UNSAFE].concat()];
        figures("2016", None, sums)
    };
    // By itself all of the year is safe; beside the halves its regions give the hidden ones away.
    assert_eq!(bulletin(alone("2016", year()).unwrap().protect().unwrap()).published(), 4);
    let of = |text: &str, figures: &BTreeMap<CellKey, Bounded>, signed| OfPeriod {
        period: period(text),
        figures: figures.clone(),
        signed,
    };
    let all = [
        of(halves[0], &held[0], Some(&first)),
        of(halves[1], &held[1], Some(&second)),
        of("2016", &year(), None),
    ];
    let cells = tables("2016", &all).unwrap().protect().unwrap();
    let hidden: Vec<_> = cells.values().map(Option::is_none).collect();
    assert_eq!(hidden, [false, true, false, true], "{cells:?}");
    assert!(cells.keys().all(|key| key.period == period("2016")));
}

#[test]
fn what_does_not_stand_for_the_same_records_is_refused() {
    let held = figures("2016-H1", None, [SAFE, MORE, MORE]);
    let signed = bulletin(alone("2016-H1", held.clone()).unwrap().protect().unwrap());
    let beside = |figures: BTreeMap<CellKey, Bounded>, signed: &Bulletin| {
        let year = figures_of_year();
        let year = OfPeriod { period: period("2016"), figures: year, signed: None };
        let half = OfPeriod { period: period("2016-H1"), figures, signed: Some(signed) };
        tables("2016", &[year, half]).map(drop)
    };
    fn figures_of_year() -> BTreeMap<CellKey, Bounded> {
        let doubled = [&[SAFE, SAFE].concat()[..], &[MORE, MORE].concat(), &[MORE, MORE].concat()];
        figures("2016", None, doubled)
    }
    assert_eq!(beside(held.clone(), &signed), Ok(()));
    // A record that came late.
    let late = figures("2016-H1", None, [SAFE, MORE, &[9, 9, 9, 9, 9, 1]]);
    assert_eq!(beside(late, &signed), Err(NoBulletin::Corrected(period("2016-H1"))));
    // Other levels.
    let mut fewer = signed.clone();
    fewer.cells.pop_last();
    assert_eq!(beside(held, &fewer), Err(NoBulletin::OtherTerms(period("2016-H1"))));
    // Nothing, contradictions, nothing to show.
    assert_eq!(alone("2016", BTreeMap::new()).map(drop), Err(NoBulletin::Nothing));
    let parts_are_more = figures("2016", Some(&[1, 1, 1]), [SAFE, MORE, MORE]);
    assert_eq!(alone("2016", parts_are_more).map(drop), Err(Malformed::Figure.into()));
    let unsafe_all = alone("2016", figures("2016", None, [UNSAFE, &[], &[]])).unwrap();
    assert!(unsafe_all.protect().is_err());
}

#[test]
fn a_whole_that_nobody_holds_is_hidden_and_its_sum_holds() {
    let mut found = figures("2016", None, [SAFE, MORE, MORE]);
    found.pop_first();
    let tables = alone("2016", found).unwrap();
    let cells = tables.protect().unwrap();
    let shown: Vec<_> = cells.values().copied().collect();
    assert_eq!(shown.first(), Some(&None));
    assert_ne!(shown, [None, Some(25), Some(45), Some(45)], "then the whole would be known");
}
