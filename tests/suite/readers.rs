//! Exports are read by libraries that are not ours: pandas, openpyxl, pysdmx, sdmx1. They run in the Python that
//! `ACCORD_PYTHON` names; where it is not set, the tests say so loudly.

use std::{fs, io::Write as _, path::Path, process::Command};

use accord_coordinator::export::{self, Format, document};
use accord_proto::{
    taxonomy::Lists,
    wire::{Envelope, region},
};
use prost::Message as _;

use crate::exports;

const FILES: [(&str, &str, Format); 6] = [
    ("picture.csv", "csv", Format::Csv),
    ("picture.excel.csv", "csv-excel", Format::CsvExcel),
    ("picture.xlsx", "xlsx", Format::Xlsx),
    ("picture.json", "json", Format::Json),
    ("picture.jsonl", "jsonl", Format::Jsonl),
    ("picture.sdmx.csv", "sdmx-csv", Format::SdmxCsv),
];
const READERS: [&str; 6] = ["pandas", "pandas-excel", "openpyxl", "lines", "pysdmx", "sdmx1"];

/// The Python with the readers; none, said loudly, if nobody names one.
fn python() -> Option<std::ffi::OsString> {
    let python = std::env::var_os("ACCORD_PYTHON");
    if python.is_none() {
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: NO READER HAS SEEN THE EXPORTS: ACCORD_PYTHON names no Python with tests/suite/readers.txt"
        );
    }
    python
}

/// Every reader reads every file of the folder and finds as many cells.
fn all_agree(python: &std::ffi::OsStr, folder: &Path, cells: usize) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/suite/readers.py");
    let read = Command::new(python).arg(script).arg(folder).output().unwrap();
    let said = String::from_utf8_lossy(&read.stderr);
    assert!(read.status.success(), "pip install -r tests/suite/readers.txt? {said}");
    let found = String::from_utf8(read.stdout).unwrap();
    let wanted: String = READERS.map(|reader| format!("{reader} {cells}\n")).concat();
    assert_eq!(found, wanted, "{said}");
}

#[test]
fn every_reader_finds_every_cell_of_a_gathered_picture() {
    let Some(python) = python() else {
        return;
    };
    let (running, requirement) = exports::drawn();
    let folder = running.dir.join("exports");
    fs::create_dir(&folder).unwrap();
    for (name, format, _) in FILES {
        let file = folder.join(name).display().to_string();
        let written = exports::export(&running, &requirement, format, &["--out", &file]);
        assert_eq!(written.code, Some(3), "{}", written.stderr);
    }
    all_agree(&python, &folder, 30);
}

#[test]
fn every_reader_finds_every_kind_of_cell() {
    let Some(python) = python() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let cells = every_kind_of_cell();
    let count = cells.len();
    let picture = region::Picture {
        federation: "wb6.example".to_owned(),
        requirement: "01900000-0000-7000-8000-000000000001".to_owned(),
        lists: Lists::builtin().name().to_owned(),
        coverage: Some(region::Coverage { answered: 2, members: 3 }),
        cells,
        ..region::Picture::default()
    };
    let envelope = Envelope { payload: picture.encode_to_vec(), ..Envelope::default() };
    let drawn = region::PictureDocument {
        version: 3,
        drawn_at_s: 1_714_485_900,
        picture: Some(envelope),
        ..region::PictureDocument::default()
    };
    let (header, observations) = document::open(drawn, Lists::builtin()).unwrap();
    for (name, _, format) in FILES {
        fs::write(folder.path().join(name), export::write(format, &header, &observations).unwrap())
            .unwrap();
    }
    all_agree(&python, folder.path(), count);
}

/// Every state, length of period, number of decimals, breakdown and size of figure.
fn every_kind_of_cell() -> Vec<region::PictureCell> {
    use region::PictureStatus as Status;
    let kinds = [
        ("PUB.OFF.N", "ICCS0101", 0, &["_T"][..]),
        ("DRG.SEIZ.COC.KG", "DRG.COC", 3, &["_T"]),
        ("PUB.THB.VIC.N", "THB", 0, &["_T", "SEX=F", "SEX=F;AGE=CHILD", "EXPLOITATION=LABOUR"]),
    ];
    let periods = ["2016", "2016-H2", "2016-Q3", "2016-05"];
    let states =
        [Status::Value, Status::Partial, Status::Missing, Status::NotShown, Status::NotApplicable];
    let figures =
        [0, 1, -5, 1_250, 999_999_999_999_999, -1_234_567_890_123_456, i64::MAX, i64::MIN];
    let errors = [0, 0, 1, 2_500, 123_456_789];
    let mut cells = Vec::new();
    for (indicator, crime_area, decimals, categories) in kinds {
        for (period, categories) in
            periods.iter().flat_map(|period| categories.iter().map(move |of| (period, of)))
        {
            for (status, value) in
                states.iter().flat_map(|of| figures.map(move |value| (of, value)))
            {
                cells.push(region::PictureCell {
                    indicator: indicator.to_owned(),
                    crime_area: crime_area.to_owned(),
                    region: if value == 1 { "XK" } else { "REGION" }.to_owned(),
                    period: (*period).to_owned(),
                    status: (*status).into(),
                    value,
                    decimals,
                    unit: "m³".to_owned(),
                    contributors: vec!["AL".to_owned(), "XK".to_owned()],
                    silent: vec!["RS".to_owned()],
                    categories: (*categories).to_owned(),
                    standard_error_milli: errors[cells.len() % errors.len()],
                    ..region::PictureCell::default()
                });
            }
        }
    }
    cells
}
