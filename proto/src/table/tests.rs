//! Tables: one encoding each, and what is refused of what a peer sends.

use super::*;

fn table(cells: Vec<Cell>, mode: Mode) -> Table {
    let lists = Lists::builtin();
    let indicator = lists.indicator("", "PUB.OFF.N").unwrap();
    let region = lists.region("", "AL").unwrap();
    Table {
        node: Name::parse("", "al-police").unwrap(),
        jurisdiction: region.jurisdiction,
        lists: lists.name().to_owned(),
        editions: Vec::new(),
        blocks: vec![TableBlock {
            indicator: indicator.code,
            mode,
            crime_areas: vec![lists.crime_area("", indicator, "ICCS0101").unwrap()],
            regions: vec![region.code],
            periods: vec![Period::parse("", "2016").unwrap()],
            categories: vec![Categories::default()],
            standard_error_milli: if mode == Mode::Protected { vec![2_500] } else { Vec::new() },
            contribution: Contribution::Pooled,
            minimum_contributors: 0,
            deviations: Vec::new(),
            cells,
        }],
    }
}

#[test]
fn a_table_that_does_not_say_what_others_may_see_of_it_is_refused() {
    let whole = table(vec![Cell::NotShown], Mode::Open);
    for (number, accepted) in [(0, false), (1, true), (2, true), (3, false)] {
        let mut head = whole.head(Lists::builtin());
        head.blocks[0].contribution = number;
        let cells = vec![Some(whole.blocks[0].cells_to_wire(vec![1; 32]))];
        let read = Table::read(head, cells, Lists::builtin());
        assert_eq!(read.is_ok(), accepted, "{number}");
        if let Err(error) = read {
            assert_eq!(error.reason, Reason::CodeUnknown);
            assert_eq!(error.field, "table.blocks[0].contribution");
        }
    }
}

#[test]
fn a_table_has_one_encoding_and_comes_back() {
    for cell in [Cell::Value(71), Cell::NotShown, Cell::NotApplicable, Cell::Missing] {
        let table = table(vec![cell], Mode::Open);
        assert_eq!(decoded(&table).unwrap(), table);
    }
    let protected = table(vec![Cell::Value(71)], Mode::Protected);
    assert_eq!(decoded(&protected).unwrap(), protected);
}

fn decoded(table: &Table) -> Result<Table, Invalid> {
    let cells = table.blocks.iter().map(|block| Some(block.cells_to_wire(vec![1; 32])));
    Table::read(table.head(Lists::builtin()), cells.collect(), Lists::builtin())
}

/// Victims of 2015 and 2016, in all, women, and men.
fn by_sex(mode: Mode) -> Table {
    let lists = Lists::builtin();
    let indicator = lists.indicator("", "PUB.THB.VIC.N").unwrap();
    let mut table = table(Vec::new(), mode);
    let block = &mut table.blocks[0];
    block.indicator = indicator.code;
    block.crime_areas = vec![lists.crime_area("", indicator, "THB").unwrap()];
    block.periods.insert(0, Period::parse("", "2015").unwrap());
    block.categories = ["SEX=F", "SEX=M", "_T"]
        .map(|text| lists.parse_categories("", indicator, text).unwrap())
        .to_vec();
    block.cells = (1..=6).map(Cell::Value).collect();
    table
}

#[test]
fn categories_are_the_axis_that_varies_fastest() {
    let table = by_sex(Mode::Open);
    assert_eq!(decoded(&table).unwrap(), table);
    let placed: Vec<_> = table.blocks[0].placed().collect();
    let women = table.blocks[0].categories[0];
    assert_eq!((placed[0].categories, placed[0].cell), (women, Cell::Value(1)));
    assert_eq!((placed[3].categories, placed[3].cell), (women, Cell::Value(4)));
    assert_eq!(placed[3].period.to_string(), "2016");
}

#[test]
fn the_total_alone_has_one_encoding() {
    let mut written = table(vec![Cell::Value(71)], Mode::Open).head(Lists::builtin());
    written.blocks[0].categories = vec!["_T".to_owned()];
    let error = Table::read(written, vec![None], Lists::builtin()).unwrap_err();
    assert_eq!(error.field, "table.blocks[0].categories");
}

#[test]
fn a_protected_figure_has_a_standard_error_and_an_exact_one_has_none() {
    let with = |mode, errors: &[u64]| {
        let mut table = by_sex(mode);
        table.blocks[0].standard_error_milli = errors.to_vec();
        decoded(&table)
    };
    let table = with(Mode::Protected, &[2_500, 3_000]).unwrap();
    let errors = table.blocks[0].placed().map(|placed| placed.standard_error_milli);
    assert_eq!(errors.collect::<Vec<_>>(), [2_500, 2_500, 2_500, 3_000, 3_000, 3_000]);
    for (mode, errors) in [
        (Mode::Protected, [].as_slice()),
        (Mode::Protected, &[2_500]),
        (Mode::Protected, &[2_500, 3_000, 3_000]),
        (Mode::Protected, &[2_500, 0]),
        (Mode::Protected, &[2_500, u64::MAX]),
        (Mode::Open, &[0, 0]),
        (Mode::Bulletin, &[2_500, 3_000]),
    ] {
        let error = with(mode, errors).unwrap_err();
        assert_eq!(error.field, "table.blocks[0].standard_error_milli", "{mode:?} {errors:?}");
    }
    // Where nothing of a period is shown, nothing need be said.
    let mut table = by_sex(Mode::Protected);
    table.blocks[0].standard_error_milli = vec![2_500, 0];
    table.blocks[0].cells[3..].fill(Cell::NotShown);
    assert!(decoded(&table).is_ok());
}

#[test]
fn every_mark_takes_the_same_space() {
    let sizes: std::collections::BTreeSet<_> =
        [Cell::Value(0), Cell::Value(i64::MAX), Cell::NotShown, Cell::NotApplicable, Cell::Missing]
            .into_iter()
            .map(|cell| {
                let table = table(vec![cell], Mode::Open);
                table.blocks[0].cells_to_wire(vec![1; 32]).encode_to_vec().len()
            })
            .collect();
    assert_eq!(sizes.len(), 1, "{sizes:?}");
}

#[test]
fn implausible_cells_are_refused() {
    for (cells, mode) in [
        (vec![Cell::Value(-1)], Mode::Open),
        (vec![Cell::Value(i64::MAX)], Mode::Open),
        (vec![Cell::Value(1)], Mode::Closed),
        (vec![Cell::Missing], Mode::Protected),
        (vec![], Mode::Open),
        (vec![Cell::NotShown, Cell::NotShown], Mode::Open),
    ] {
        assert!(decoded(&table(cells.clone(), mode)).is_err(), "{cells:?}");
    }
}

#[test]
fn a_cell_prints_no_number() {
    assert!(!format!("{:?}", table(vec![Cell::Value(71)], Mode::Open)).contains("71"));
}
