//! One cell of every kind, in every format, as it is written down in `golden/`; `ACCORD_UPDATE_GOLDEN=1` writes it
//! anew.

use std::{fs, path::PathBuf};

use accord_proto::{
    clock::Timestamp,
    seal::Digest,
    taxonomy::{Lists, Period},
    wire::region,
};
use calamine::{Data, Reader as _, Xlsx};

use super::{
    Basis, Exact, Format, Header, Member, Named, Observation, State, document,
    observation::Category, write,
};
fn named(code: &str, name: &str) -> Named {
    Named { code: code.to_owned(), name: name.to_owned() }
}

fn codes(list: &str) -> Vec<String> {
    list.split_whitespace().map(str::to_owned).collect()
}

const FOOTNOTE: &str = "* A footnote; it \"stays\".";

/// A cell of drug seizures of 2016 without a figure; the tests change what they need.
fn cell(area: &str, period: &str, state: State) -> Observation {
    Observation {
        indicator: named("DRG.SEIZ.COC.KG", "Cocaine seized"),
        unit: "kg".to_owned(),
        counted_twice: false,
        decimals: 3,
        crime_area: named(area, "Cocaine"),
        region: named("REGION", "All members asked"),
        period: Period::parse("period", period).unwrap(),
        categories: Vec::new(),
        categories_text: "_T".to_owned(),
        state,
        value: None,
        standard_error_milli: 0,
        lower: None,
        upper: None,
        whole_lower: None,
        whole_upper: None,
        basis: None,
        published_nationally: false,
        contributors: Vec::new(),
        missing: Vec::new(),
        not_shown: Vec::new(),
        silent: Vec::new(),
        footnotes: Vec::new(),
    }
}

fn homicide(period: &str, state: State) -> Observation {
    Observation {
        indicator: named("PUB.OFF.N", "Offences, =recorded"),
        unit: "offences".to_owned(),
        decimals: 0,
        crime_area: named("ICCS0101", "=Intentional homicide"),
        ..cell("ICCS0101", period, state)
    }
}

/// One cell of every kind, of one picture.
pub(super) fn sample() -> (Header, Vec<Observation>) {
    (header(), cells())
}

fn header() -> Header {
    let member = |code: &str, name: &str, state, reason: &str| Member {
        jurisdiction: named(code, name),
        footnote: if code == "XK" { FOOTNOTE.to_owned() } else { String::new() },
        node: format!("{}-police", code.to_lowercase()),
        state,
        reason: reason.to_owned(),
        single_handed: code == "BA",
    };
    Header {
        federation: "wb6.example".to_owned(),
        requirement: "01900000-0000-7000-8000-000000000001".to_owned(),
        version: 2,
        drawn_at: Timestamp::from_s("drawn_at", 1_714_485_900).unwrap(),
        digest: Digest([0x9f; 32]),
        lists: "2-4be1".to_owned(),
        answered: 4,
        asked: 5,
        contributors_min: 3,
        members: vec![
            member("AL", "Albania", "answered", ""),
            member("BA", "Bosnia and Herzegovina", "answered", ""),
            member("ME", "Montenegro", "answered", ""),
            member("RS", "Serbia", "unreachable", "NO_CONNECTION"),
            member("XK", "Kosovo*", "answered", ""),
        ],
        deviations: vec!["DRG.SEIZ.COC.KG, ME (me-police): Counts at another moment.".to_owned()],
        notices: vec!["AL al-police has withdrawn its answer (2024-05-02T00:00:00Z).".to_owned()],
        population: None,
        dimensions: codes("AGE SEX"),
        cells: 9,
        selection: Vec::new(),
    }
}

fn cells() -> Vec<Observation> {
    let category = |dimension: &str, code: &str, name: &str| Category {
        dimension: dimension.to_owned(),
        category: named(code, name),
    };
    let victims = Observation {
        indicator: named("PUB.THB.VIC.N", "Victims"),
        unit: "persons".to_owned(),
        decimals: 0,
        crime_area: named("THB", "Trafficking in human beings"),
        ..cell("THB", "2016", State::Value)
    };
    vec![
        Observation {
            value: Some(1_250),
            lower: Some(-500),
            whole_lower: Some(-500),
            upper: Some(3_000),
            standard_error_milli: 875_500,
            basis: Some(Basis::Pooled),
            contributors: codes("AL BA ME RS XK"),
            footnotes: vec![FOOTNOTE.to_owned()],
            ..cell("DRG.COC", "2016-H1", State::Value)
        },
        Observation { silent: codes("RS"), ..cell("DRG.COC", "2016-H2", State::NotShown) },
        cell("DRG", "2016-Q1", State::NotApplicable),
        Observation {
            value: Some(271),
            basis: Some(Basis::Open),
            contributors: codes("AL BA"),
            missing: codes("ME"),
            silent: codes("RS"),
            ..homicide("2016", State::Partial)
        },
        Observation { missing: codes("AL BA"), ..homicide("2017-05", State::Missing) },
        Observation {
            value: Some(-9_007_199_254_740_993),
            categories: vec![category("SEX", "F", "Female"), category("AGE", "CHILD", "Under 18")],
            categories_text: "SEX=F;AGE=CHILD".to_owned(),
            contributors: codes("AL BA ME"),
            ..victims.clone()
        },
        Observation {
            value: Some(0),
            region: named("AL", "Albania"),
            categories: vec![category("SEX", "_T", "Total"), category("AGE", "_T", "Total")],
            contributors: codes("AL"),
            published_nationally: true,
            ..victims.clone()
        },
        Observation {
            value: None,
            categories: vec![category("SEX", "M", "Male"), category("AGE", "_T", "Total")],
            categories_text: "SEX=M".to_owned(),
            silent: codes("AL BA ME RS XK"),
            state: State::Waiting,
            ..victims
        },
    ]
}

fn bytes(format: Format) -> Vec<u8> {
    let (header, cells) = sample();
    write(format, &header, &cells).unwrap()
}

fn golden(name: &str, format: Format) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/export/golden").join(name);
    let text = String::from_utf8(bytes(format)).unwrap();
    if std::env::var_os("ACCORD_UPDATE_GOLDEN").is_some_and(|value| value == "1") {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &text).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, written, "{name}; if that is meant, run with ACCORD_UPDATE_GOLDEN=1");
}

#[test]
fn every_format_of_text_is_as_written_down() {
    golden("picture.csv", Format::Csv);
    golden("picture.excel.csv", Format::CsvExcel);
    golden("picture.json", Format::Json);
    golden("picture.jsonl", Format::Jsonl);
    golden("picture.sdmx.csv", Format::SdmxCsv);
}

#[test]
fn the_same_picture_is_the_same_bytes_in_every_format() {
    for format in
        [Format::Csv, Format::CsvExcel, Format::Xlsx, Format::Json, Format::Jsonl, Format::SdmxCsv]
    {
        assert_eq!(bytes(format), bytes(format), "{format:?}");
    }
}

#[test]
fn a_workbook_has_numbers_gaps_and_texts_where_they_belong() {
    let mut book = Xlsx::new(std::io::Cursor::new(bytes(Format::Xlsx))).unwrap();
    assert_eq!(book.sheet_names(), ["data", "coverage", "notes"]);
    let data = book.worksheet_range("data").unwrap();
    let rows: Vec<_> = data.rows().collect();
    let at = |row: usize, name: &str| {
        let column = rows[0].iter().position(|of| *of == Data::String(name.to_owned())).unwrap();
        rows[row][column].clone()
    };
    let text = |text: &str| Data::String(text.to_owned());
    assert_eq!(rows.len(), 9);
    assert_eq!(
        (at(1, "value"), at(1, "lower"), at(1, "upper")),
        (Data::Float(1.25), Data::Float(-0.5), Data::Float(3.0))
    );
    assert_eq!(at(1, "standard_error"), Data::Float(0.8755));
    // A gap is empty, and its state stands beside it; a nought is a nought.
    assert_eq!((at(2, "value"), at(2, "state")), (Data::Empty, text("not_shown")));
    assert_eq!((at(7, "value"), at(7, "standard_error")), (Data::Float(0.0), Data::Float(0.0)));
    // More digits than a spreadsheet keeps.
    assert_eq!(at(6, "value"), text("-9007199254740993"));
    assert_eq!(at(4, "crime_area_name"), text("=Intentional homicide"));
    assert!(book.worksheet_formula("data").unwrap().is_empty());

    let coverage = book.worksheet_range("coverage").unwrap();
    let serbia: Vec<_> = coverage.rows().nth(4).unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(
        serbia,
        ["RS", "Serbia", "rs-police", "unreachable", "NO_CONNECTION", "no", "1", "0", "0", "3"]
    );
    let notes = book.worksheet_range("notes").unwrap();
    let said: Vec<_> = notes.rows().map(|row| format!("{}: {}", row[0], row[1])).collect();
    for wanted in [
        "coverage: 4 of 5 members answered.",
        "cells: 8 of 9 cells of the picture.",
        "no answer: Serbia (RS), rs-police: unreachable, NO_CONNECTION.",
        "released by one person: ba-police, under break-glass.",
        "not_shown: 1 of these cells. Withheld by the nodes or by the regional gate; why is not told.",
        "footnote: * A footnote; it \"stays\".",
    ] {
        assert!(said.iter().any(|line| line == wanted), "{wanted}: {said:#?}");
    }
    assert!(said.iter().any(|line| line.starts_with("withdrawn since: AL al-police")), "{said:#?}");
}

#[test]
fn what_a_spreadsheet_cannot_hold_is_refused_with_another_way() {
    let (header, cells) = sample();
    let long = Observation { unit: "x".repeat(40_000), ..cells[0].clone() };
    let error = write(Format::Xlsx, &header, &[long]).unwrap_err();
    assert!(error.to_string().contains("take CSV"), "{error}");
}

#[test]
fn a_selection_is_told() {
    let (mut header, cells) = sample();
    header.selection = vec!["state missing".to_owned()];
    let text = String::from_utf8(write(Format::Json, &header, &cells[4..5]).unwrap()).unwrap();
    assert!(text.contains("1 of 9 cells of the picture, by state missing."), "{text}");
    assert!(text.contains("\"selection\":[\"state missing\"]"), "{text}");
}

#[test]
fn a_standard_error_keeps_its_thousandths() {
    let (_, cells) = sample();
    assert_eq!(cells[0].standard_error(), Some(Exact { units: 875_500, decimals: 6 }));
    assert_eq!(cells[3].standard_error().map(|error| error.to_string()), Some("0".to_owned()));
    assert_eq!(cells[1].standard_error(), None);
}

/// A cell of a signed picture.
fn signed(status: region::PictureStatus) -> region::PictureCell {
    region::PictureCell {
        indicator: "PUB.THB.VIC.N".to_owned(),
        crime_area: "THB".to_owned(),
        region: "REGION".to_owned(),
        period: "2016".to_owned(),
        status: status.into(),
        value: 7,
        decimals: 0,
        unit: "persons".to_owned(),
        contributors: codes("AL XK"),
        categories: "SEX=F;AGE=CHILD".to_owned(),
        standard_error_milli: 1_500,
        ..region::PictureCell::default()
    }
}

#[test]
fn a_picture_is_read_with_its_names_its_gaps_and_its_footnotes() {
    use region::PictureStatus as Status;
    let lists = Lists::builtin();
    let of = |status, answered| Observation::of(&signed(status), answered, lists).unwrap();
    let cell = of(Status::Value, true);
    assert_eq!(cell.region, named("REGION", "All members asked"));
    let on = |dimension| cell.category(dimension);
    assert_eq!((on("SEX"), on("AGE"), on("EXPLOITATION")), (Some("F"), Some("CHILD"), Some("_T")));
    assert_eq!(on("DRUG_GROUP"), None);
    assert!(cell.footnotes.iter().any(|note| note.contains("UNSCR 1244")), "{cell:?}");
    assert_eq!((cell.value, cell.standard_error_milli), (Some(7), 1_500));

    for (status, answered, state) in [
        (Status::Partial, true, State::Partial),
        (Status::Missing, true, State::Missing),
        (Status::NotShown, true, State::NotShown),
        (Status::NotShown, false, State::Waiting),
        (Status::NotApplicable, false, State::NotApplicable),
        (Status::Unspecified, true, State::NotShown),
    ] {
        let cell = of(status, answered);
        assert_eq!(cell.state, state);
        // Whatever else the picture holds there.
        let figure = state == State::Partial;
        assert_eq!((cell.value.is_some(), cell.standard_error_milli > 0), (figure, figure));
    }
}

#[test]
fn a_code_that_the_lists_at_hand_do_not_know_is_its_own_name() {
    let strange = region::PictureCell {
        indicator: "NEW.N".to_owned(),
        crime_area: "NEW".to_owned(),
        region: "QQ".to_owned(),
        ..signed(region::PictureStatus::Value)
    };
    let cell = Observation::of(&strange, true, Lists::builtin()).unwrap();
    assert_eq!(cell.indicator, named("NEW.N", "NEW.N"));
    assert_eq!((cell.region.name.as_str(), cell.crime_area.name.as_str()), ("QQ", "NEW"));
    assert_eq!(cell.category("SEX"), Some("F"));
    let wrong = region::PictureCell { period: "now".to_owned(), ..strange };
    assert!(Observation::of(&wrong, true, Lists::builtin()).is_err());
    assert!(document::open(region::PictureDocument::default(), Lists::builtin()).is_err());
}
