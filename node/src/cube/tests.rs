//! Figures by cell are exact over every level of the lattice, and nothing is counted twice.

use accord_proto::taxonomy::{Lists, Period};

use super::*;
use crate::record::{
    Observed, Quality, RawKind, RawRecord, RawValue, Reader,
    tests::{SECRET, albania, event},
};

fn cube(rows: &[RawRecord<'_>]) -> Cube {
    let mut reader = Reader::new(albania(), Lists::builtin(), &SECRET);
    let mut cube = Cube::default();
    rows.iter().for_each(|raw| cube.put(&reader.read(raw).unwrap()));
    cube
}

fn at(cube: &Cube, cell: [&str; 4], categories: &[(&str, &str)]) -> Option<Aggregate> {
    let lists = Lists::builtin();
    let period = Period::parse("", cell[3]).unwrap();
    let (key, _) = CellKey::parse(cell, categories, albania(), lists).unwrap();
    cube.tabulate(period, lists, &|_| true).get(&key).copied()
}

const COCAINE: [&str; 4] = ["DRG.SEIZ.N", "DRG.COC", "AL022", "2016-H1"];

#[test]
fn events_add_up_over_area_region_and_period_with_each_unit_once() {
    let cube = cube(&[
        event(COCAINE, "case 1", "1"),
        event(["DRG.SEIZ.N", "DRG.HER", "AL022", "2016-H1"], "case 1", "2"),
        event(["DRG.SEIZ.N", "DRG.COC", "AL021", "2016-H2"], "case 2", "1"),
        event(["DRG.SEIZ.N", "DRG.COC", "AL031", "2016-H2"], "case 3", "4"),
    ]);
    let own = at(&cube, COCAINE, &[]).unwrap();
    assert_eq!((own.records, own.units, own.observed), (1, Some(1), Observed::Value(1)));
    let half = at(&cube, ["DRG.SEIZ.N", "DRG", "AL022", "2016-H1"], &[]).unwrap();
    assert_eq!((half.records, half.units, half.largest), (2, Some(1), Some([3, 0])));
    let middle = at(&cube, ["DRG.SEIZ.N", "DRG.COC", "AL02", "2016"], &[]).unwrap();
    assert_eq!((middle.records, middle.units, middle.observed), (2, Some(2), Observed::Value(2)));
    let all = at(&cube, ["DRG.SEIZ.N", "DRG", "AL", "2016"], &[]).unwrap();
    assert_eq!((all.records, all.units, all.observed), (4, Some(3), Observed::Value(8)));
    assert_eq!(all.largest, Some([4, 3]));
    assert!(at(&cube, ["DRG.SEIZ.N", "DRG", "AL", "2017"], &[]).is_none());
}

#[test]
fn a_ready_total_counts_at_its_own_cell_only() {
    let cube = cube(&[
        RawRecord::total(["PUB.OFF.N", "ICCS03011", "AL", "2016"], RawValue::Number("5")),
        RawRecord::total(["PUB.OFF.N", "ICCS0301", "AL", "2016"], RawValue::Number("4")),
    ]);
    // The child is above the parent: as reported, not repaired.
    let parent = at(&cube, ["PUB.OFF.N", "ICCS0301", "AL", "2016"], &[]).unwrap();
    assert_eq!((parent.observed, parent.units), (Observed::Value(4), None));
    let total = RawRecord::total(COCAINE, RawValue::Number("9"));
    let cube = self::cube(&[total]);
    assert!(at(&cube, ["DRG.SEIZ.N", "DRG", "AL", "2016"], &[]).is_none());
    assert!(at(&cube, ["DRG.SEIZ.N", "DRG.COC", "AL022", "2016"], &[]).is_none());
}

#[test]
fn a_part_that_is_more_than_its_whole_is_reported_and_not_repaired() {
    let lists = Lists::builtin();
    let cube = cube(&[
        RawRecord::total(["PUB.OFF.N", "ICCS03011", "AL", "2016"], RawValue::Number("5")),
        RawRecord::total(["PUB.OFF.N", "ICCS0301", "AL", "2016"], RawValue::Number("4")),
        RawRecord::total(["PUB.OFF.N", "ICCS05012", "AL", "2016"], RawValue::Between("0", "4")),
        RawRecord::total(["PUB.OFF.N", "ICCS0501", "AL", "2016"], RawValue::Number("2")),
    ]);
    let found = |cube: &Cube, periods: &[&str]| {
        let mut cells = Cells::new();
        for period in periods {
            cells.extend(cube.tabulate(Period::parse("", period).unwrap(), lists, &|_| true));
        }
        let name = |cell: &CellKey| format!("{} {} {}", cell.crime_area, cell.region, cell.period);
        let found = contradict::contradictions(&cells, lists);
        found.iter().map(|of| (name(&of.part), name(&of.whole))).collect::<Vec<_>>()
    };
    let pair = |part: &str, whole: &str| (part.to_owned(), whole.to_owned());
    assert_eq!(found(&cube, &["2016"]), [pair("ICCS03011 AL 2016", "ICCS0301 AL 2016")]);
    // Also where the levels between hold nothing, and over time.
    let cube = self::cube(&[
        RawRecord::total(["DRG.SEIZ.N", "DRG.COC", "AL022", "2016"], RawValue::Number("10")),
        RawRecord::total(["DRG.SEIZ.N", "DRG.COC", "AL", "2016"], RawValue::Number("3")),
        RawRecord::total(["DRG.SEIZ.N", "DRG.COC", "AL", "2016-H1"], RawValue::Number("4")),
    ]);
    assert_eq!(
        found(&cube, &["2016", "2016-H1"]),
        [
            pair("DRG.COC AL022 2016", "DRG.COC AL 2016"),
            pair("DRG.COC AL 2016-H1", "DRG.COC AL 2016"),
        ]
    );
}

#[test]
fn a_services_total_stands_for_its_events_and_another_services_are_added() {
    let customs = |raw| RawRecord { origin: "customs", ..raw };
    let total = RawRecord {
        kind: RawKind::Total { units: Some("6"), largest: Some("4"), second: Some("2") },
        ..RawRecord::total(COCAINE, RawValue::Number("10"))
    };
    let cube = cube(&[
        customs(total),
        customs(event(COCAINE, "case 1", "1")),
        event(COCAINE, "case 2", "3"),
    ]);
    let cell = at(&cube, COCAINE, &[]).unwrap();
    assert_eq!((cell.observed, cell.units), (Observed::Value(13), Some(7)));
    assert_eq!(cell.largest, Some([4, 3]));
    // Above, the total does not count; the events do.
    let above = at(&cube, ["DRG.SEIZ.N", "DRG", "AL", "2016"], &[]).unwrap();
    assert_eq!((above.observed, above.units), (Observed::Value(4), Some(2)));
}

#[test]
fn categories_add_up_and_stay_apart() {
    let victim = |unit, categories, value| RawRecord {
        categories,
        ..event(["PUB.THB.VIC.N", "THB", "AL", "2016"], unit, value)
    };
    let cube = cube(&[
        victim("case 1", &[("SEX", "F")], "2"),
        victim("case 1", &[("SEX", "F"), ("AGE", "CHILD")], "1"),
        victim("case 2", &[("SEX", "M"), ("AGE", "CHILD")], "5"),
    ]);
    let cell = ["PUB.THB.VIC.N", "THB", "AL", "2016"];
    // One case and one number: the second row of case 1 corrects the first.
    let women = at(&cube, cell, &[("SEX", "F")]).unwrap();
    assert_eq!((women.observed, women.units), (Observed::Value(1), Some(1)));
    let children = at(&cube, cell, &[("AGE", "CHILD")]).unwrap();
    assert_eq!((children.observed, children.units), (Observed::Value(6), Some(2)));
    let all = at(&cube, cell, &[]).unwrap();
    assert_eq!(all.observed, Observed::Value(6));
}

#[test]
fn a_group_that_is_seen_twice_exists_once_and_is_not_added_over_time() {
    let group = |unit, event| RawRecord {
        kind: RawKind::Event { unit, event: Some(event) },
        ..event_of(["OCN.ACT.N", "OCN", "AL", "2016"])
    };
    fn event_of(cell: [&str; 4]) -> RawRecord<'_> {
        event(cell, "", "1")
    }
    let cube = cube(&[group("g1", "a"), group("g1", "b"), group("g2", "c")]);
    let cell = at(&cube, ["OCN.ACT.N", "OCN", "AL", "2016"], &[]).unwrap();
    assert_eq!((cell.records, cell.units, cell.observed), (3, Some(2), Observed::Value(2)));
}

#[test]
fn masked_and_missing_figures_are_never_read_as_numbers() {
    let source = |origin, value| RawRecord {
        origin,
        ..RawRecord::total(["PUB.OFF.N", "ICCS0101", "AL", "2016"], value)
    };
    let cell = ["PUB.OFF.N", "ICCS0101", "AL", "2016"];
    let masked = cube(&[
        source("police", RawValue::Between("0", "4")),
        source("customs", RawValue::Number("10")),
    ]);
    assert_eq!(at(&masked, cell, &[]).unwrap().observed, Observed::Between(10, 14));
    let gap =
        cube(&[source("police", RawValue::Missing), source("customs", RawValue::Number("10"))]);
    assert_eq!(at(&gap, cell, &[]).unwrap().observed, Observed::Missing);
    let none = cube(&[
        source("police", RawValue::NotApplicable),
        source("customs", RawValue::Number("10")),
    ]);
    assert_eq!(at(&none, cell, &[]).unwrap().observed, Observed::Value(10));
}

#[test]
fn only_records_that_may_count_do_and_the_worst_quality_is_told() {
    let cube = cube(&[
        RawRecord { handling: "H2", ..event(COCAINE, "case 1", "1") },
        RawRecord {
            quality: Quality::Estimated,
            source: Some("s"),
            ..event(COCAINE, "case 2", "1")
        },
        RawRecord { source: Some("s"), ..event(COCAINE, "case 3", "1") },
    ]);
    let lists = Lists::builtin();
    let period = Period::parse("", "2016-H1").unwrap();
    let open = cube.tabulate(period, lists, &|context| context.handling.is_empty());
    let (key, _) = CellKey::parse(COCAINE, &[], albania(), lists).unwrap();
    let cell = open.get(&key).unwrap();
    assert_eq!((cell.records, cell.sources, cell.quality), (2, 1, Quality::Estimated));
    // What was left out is told, in the cell and everywhere above it: the figure is not the whole.
    assert!(cell.partial && open.values().all(|cell| cell.partial));
    let whole = cube.tabulate(period, lists, &|_| true);
    assert!(whole.values().all(|cell| !cell.partial));
}

#[test]
fn the_same_number_of_another_service_or_year_is_another_case() {
    let customs = |raw| RawRecord { origin: "customs", ..raw };
    let next_year = event(["DRG.SEIZ.N", "DRG.COC", "AL022", "2017-H1"], "12", "1");
    let cube = cube(&[event(COCAINE, "12", "1"), customs(event(COCAINE, "12", "1")), next_year]);
    let cell = at(&cube, COCAINE, &[]).unwrap();
    assert_eq!((cell.records, cell.units), (2, Some(2)));
    assert!(at(&cube, ["DRG.SEIZ.N", "DRG.COC", "AL022", "2017-H1"], &[]).is_some());
}

/// The same figures by the plainest way there is: every cell asks every record.
#[test]
fn figures_equal_a_count_by_hand_over_random_events() {
    use std::collections::{BTreeMap, BTreeSet};
    let seed = 20_261_124_u64;
    let mut state = seed;
    let mut below = |bound: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    let areas = ["DRG", "DRG.COC", "DRG.HER", "DRG.SYN"];
    let regions = ["AL", "AL0", "AL01", "AL011", "AL012", "AL02", "AL022", "AL031"];
    let periods = ["2016-H1", "2016-H2", "2016"];
    let pick = |list: &[&'static str], at: u64| list[usize::try_from(at).unwrap()];
    let rows: Vec<_> = (0..600)
        .map(|_| {
            let cell = [
                "DRG.SEIZ.N",
                pick(&areas, below(4)),
                pick(&regions, below(8)),
                pick(&periods, below(3)),
            ];
            (cell, format!("case {}", below(80)), (below(5) + 1).to_string())
        })
        .collect();
    let raws: Vec<_> = rows.iter().map(|(cell, unit, value)| event(*cell, unit, value)).collect();
    let cube = cube(&raws);
    // The last row of an area and unit is the one that counts.
    let held: BTreeMap<_, _> =
        rows.iter().map(|(cell, unit, value)| ((cell[1], unit), (cell, value))).collect();
    let below_or_same = |inner: &str, outer: &str| inner.starts_with(outer);
    let mut checked = 0;
    for area in areas {
        for region in regions {
            for period in periods {
                let counted = held.iter().filter(|((of, _), (cell, _))| {
                    below_or_same(of, area)
                        && below_or_same(cell[2], region)
                        && (cell[3] == period || period == "2016")
                });
                let counted: Vec<_> = counted.collect();
                let units: BTreeSet<_> = counted.iter().map(|((_, unit), _)| unit).collect();
                let sum: i64 = counted.iter().map(|(_, (_, n))| n.parse::<i64>().unwrap()).sum();
                let found = at(&cube, ["DRG.SEIZ.N", area, region, period], &[]);
                let Some(found) = found else {
                    assert!(counted.is_empty(), "{area} {region} {period}, seed {seed}");
                    continue;
                };
                let wanted = (counted.len() as u64, Some(units.len() as u64), Observed::Value(sum));
                assert!(
                    (found.records, found.units, found.observed) == wanted,
                    "{area} {region} {period}, seed {seed}"
                );
                checked += 1;
            }
        }
    }
    assert!(checked > 60, "{checked} cells held something");
}
