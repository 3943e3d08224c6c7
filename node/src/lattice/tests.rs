//! Names, levels, and what averaging leaves.

use super::*;

fn lattice(code: &str, jurisdiction: &str, levels: Levels) -> Lattice {
    let lists = Lists::builtin();
    let jurisdiction = lists.jurisdiction("", jurisdiction).unwrap().code;
    Lattice::new(lists.indicator("", code).unwrap(), levels, jurisdiction, lists)
}

fn levels(
    granularity: &[Granularity],
    regions: &[u32],
    areas: &[u32],
    dimensions: &[&str],
) -> Levels {
    Levels {
        granularity: granularity.to_vec(),
        regions: regions.to_vec(),
        areas: areas.to_vec(),
        dimensions: dimensions.iter().map(|d| DimensionCode::parse(d).unwrap()).collect(),
    }
}

fn cell(code: &str, jurisdiction: &str, at: [&str; 3], categories: &[(&str, &str)]) -> CellKey {
    let lists = Lists::builtin();
    let jurisdiction = lists.jurisdiction("", jurisdiction).unwrap().code;
    let [area, region, period] = at;
    CellKey::parse([code, area, region, period], categories, jurisdiction, lists).unwrap().0
}

use Granularity::{Half, Month, Quarter, Year};

#[test]
fn a_region_with_the_territory_of_the_one_above_is_one_cell_with_it() {
    let me = lattice("DRG.SEIZ.N", "ME", levels(&[Year], &[0, 1, 2, 3], &[0], &[]));
    let whole = cell("DRG.SEIZ.N", "ME", ["DRG", "ME", "2016"], &[]);
    for region in ["ME", "ME0", "ME00", "ME000"] {
        let asked = cell("DRG.SEIZ.N", "ME", ["DRG", region, "2016"], &[]);
        assert_eq!(me.canonical(&asked), Some(whole), "{region}");
        assert_eq!(me.above(&asked, whole.period), [whole]);
    }
    assert_eq!(me.levels_in_all(), 1, "four names, one draw");
    let rs = lattice("DRG.SEIZ.N", "RS", levels(&[Year], &[0, 2, 3], &[0], &[]));
    let belgrade = cell("DRG.SEIZ.N", "RS", ["DRG", "RS11", "2016"], &[]);
    let same = cell("DRG.SEIZ.N", "RS", ["DRG", "RS110", "2016"], &[]);
    assert_eq!(rs.canonical(&same), Some(belgrade));
}

#[test]
fn an_only_child_that_may_be_all_of_its_parent_is_not_in_the_lattice_beside_it() {
    let by_drug = lattice("DRG.SEIZ.N", "AL", levels(&[Year], &[0], &[0], &["DRUG_GROUP"]));
    let of = |group| cell("DRG.SEIZ.N", "AL", ["DRG", "AL", "2016"], &[("DRUG_GROUP", group)]);
    assert!(by_drug.canonical(&of("OPIOID")).is_some());
    assert_eq!(by_drug.canonical(&of("HER")), None, "heroin is the only listed opioid");
    let counted: Vec<_> = by_drug.above(&of("HER"), of("HER").period);
    assert_eq!(counted.len(), 2, "as an opioid, and in the total");
}

#[test]
fn a_level_that_is_not_published_is_not_in_the_lattice() {
    let whole = lattice("DRG.SEIZ.N", "AL", levels(&[Year], &[0], &[1], &[]));
    let cannabis = cell("DRG.SEIZ.N", "AL", ["DRG.CAN", "AL011", "2016-H1"], &[]);
    assert_eq!(whole.canonical(&cannabis), None);
    let year = cell("DRG.SEIZ.N", "AL", ["DRG.CAN", "AL", "2016"], &[]);
    assert_eq!(whole.above(&cannabis, year.period), [year]);
    assert!(whole.above(&cannabis, cannabis.period).is_empty(), "no halves");
    let drugs = cell("DRG.SEIZ.N", "AL", ["DRG", "AL", "2016"], &[]);
    assert_eq!(whole.canonical(&drugs), None);
    assert!(whole.above(&drugs, year.period).is_empty());
}

#[test]
fn what_a_cell_keeps_of_its_variance_is_what_least_squares_leaves() {
    // disclosure.md §2.6: R × C with row, column and grand totals.
    let kept = |rows: usize, columns: usize| {
        let axis = |size| Block::beside((0..size).map(|_| Block::leaf())).under_one().kept();
        axis(rows) * axis(columns)
    };
    for (rows, columns, expected) in [(2, 2, 0.44), (5, 4, 0.67), (12, 10, 0.84)] {
        assert!((kept(rows, columns) - expected).abs() < 0.005, "{rows} × {columns}");
        let float = |size: usize| f64::from(u32::try_from(size).unwrap());
        let (r, c) = (float(rows), float(columns));
        let formula = (1.0 / ((1.0 + r) * (1.0 + c))
            + (r - 1.0) / (1.0 + c)
            + (c - 1.0) / (1.0 + r)
            + (r - 1.0) * (c - 1.0))
            / (r * c);
        assert!((kept(rows, columns) - formula).abs() < 1e-12);
    }
    let year = lattice("MIG.IBC.N", "AL", levels(&[Year, Quarter, Month], &[0], &[0], &[]));
    // By hand: 1 − 1/4 − (1/4)² / (1 + 12/4).
    assert!((year.kept() - (0.75 - 0.0625 / 4.0)).abs() < 1e-12, "{}", year.kept());
    let regions = lattice("MIG.IBC.N", "AL", levels(&[Year], &[0, 3], &[0], &[]));
    assert!((regions.kept() - (1.0 - 1.0 / 13.0)).abs() < 1e-12);
}

#[test]
fn a_record_counts_in_no_more_cells_than_the_levels_say() {
    let of = |granularity: &[Granularity]| {
        lattice("DRG.SEIZ.N", "RS", levels(granularity, &[0, 2, 3], &[0, 1], &["DRUG_GROUP"]))
    };
    let both = of(&[Year, Half]);
    // Year and half, three regions, two areas, total and parent and child.
    assert_eq!(both.levels_in_all(), 2 * 3 * 2 * 3);
    let record =
        cell("DRG.SEIZ.N", "RS", ["DRG.CAN", "RS121", "2016-H1"], &[("DRUG_GROUP", "CAN_HERB")]);
    for period in ["2016", "2016-H1"] {
        let period = Period::parse("", period).unwrap();
        let cells = both.above(&record, period);
        assert_eq!(cells.len(), 18, "{cells:?}");
        assert!(cells.iter().all(|cell| both.canonical(cell) == Some(*cell)));
    }
    // A state at a moment is not added up over time.
    let stock = lattice("OCN.ACT.N", "AL", levels(&[Year], &[0], &[0, 1], &[]));
    assert_eq!(stock.levels_in_all(), 2);
}

#[test]
fn a_name_has_one_spelling() {
    let indicator = Lists::builtin().indicator("", "DRG.SEIZ.N").unwrap();
    let cell = cell("DRG.SEIZ.N", "AL", ["DRG.CAN", "AL011", "2016-H1"], &[("DRUG_GROUP", "CAN")]);
    assert_eq!(name(&cell, indicator), b"DRG.SEIZ.N|DRG.CAN|AL011|2016-H1|DRUG_GROUP=CAN");
}

#[test]
fn cells_are_listed_once_each_under_their_one_name_with_what_is_directly_above() {
    let lists = Lists::builtin();
    let indicator = lists.indicator("", "ARM.SEIZ.N").unwrap();
    let levels = Levels {
        granularity: vec![Granularity::Year],
        regions: vec![0, 1, 2, 3],
        areas: vec![0, 1],
        dimensions: indicator.dimensions.clone(),
    };
    let albania = JurisdictionCode::parse("AL").unwrap();
    let lattice = Lattice::new(indicator, levels, albania, lists);
    let year = Period::parse("", "2016").unwrap();
    let cells = lattice.cells(indicator.code, year);
    assert_eq!(cells.len(), lattice.cells_of_one_period());
    let all: BTreeSet<_> = cells.iter().copied().collect();
    assert_eq!(all.len(), cells.len());
    let mut tops = 0;
    for cell in &cells {
        assert_eq!(lattice.canonical(cell), Some(*cell));
        let above = lattice.directly_above(cell);
        assert!(above.iter().all(|(_, above)| all.contains(above) && above != cell));
        tops += usize::from(above.is_empty());
    }
    assert_eq!(tops, 1, "everything is below one cell");
    assert!(lattice.cells(indicator.code, Period::parse("", "2016-H1").unwrap()).is_empty());
}
