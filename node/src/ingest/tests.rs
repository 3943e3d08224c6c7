//! What an analyst relies on: nothing is lost, nothing wrong is stored, and every refusal says where.

use accord_proto::{reason::Reason, taxonomy::Lists};

use super::*;
use crate::record::{
    Observed,
    tests::{SECRET, albania},
};

const MAPPING: &str = r#"
source = "test"
ignore = ["note"]
[columns]
crime_area = "iccs"
period = "year"
value = "n"
status = "flag"
[constants]
indicator = "PUB.OFF.N"
[codes.status]
A = "value"
M = "missing"
[only]
unit = "NR"
"#;

fn through(mapping: &str, file: &[u8]) -> Result<Batch, Invalid> {
    let home = Home { jurisdiction: albania(), lists: Lists::builtin(), secret: &SECRET };
    read(Box::new(file), &Mapping::parse(mapping)?, home)
}

fn import(file: &str) -> Batch {
    through(MAPPING, file.as_bytes()).unwrap()
}

#[test]
fn every_row_is_accounted_for() {
    let batch = import(
        "iccs,year,n,flag,unit,note\n\
         ICCS0101,2016,71,A,NR,x\n\
         ICCS0101,2016,2.5,A,RATE,\n\
         ICCS9999,2016,1,A,NR,\n\
         ICCS0101,201X,1,A,NR,\n\
         ICCS0401,2016,,M,NR,\n\
         ICCS0401,2016,,M,NR,\n\
         ICCS0401,2016,5,A,NR,\n\
         ICCS0501,2016,5,Z,NR,\n\
         ICCS0501,2016,5,A\n\
         ICCS0501,2016,5,M,NR,\n",
    );
    assert_eq!((batch.rows_read, batch.rows_left_out, batch.rows_repeated), (10, 1, 1));
    assert_eq!(batch.records.len(), 2);
    let refused: Vec<_> =
        batch.quarantined.iter().map(|q| (q.row, q.why.field.as_str(), q.why.reason)).collect();
    assert_eq!(
        refused,
        [
            (4, "iccs", Reason::CodeUnknown),
            (5, "year", Reason::PeriodInvalid),
            (8, "n", Reason::RowDuplicate),
            (9, "flag", Reason::CodeUnknown),
            (10, "row", Reason::FieldInvalid),
            (11, "n", Reason::FieldInvalid),
        ]
    );
    assert!(batch.quarantined[0].why.detail.contains("ICCS9999"));
}

#[test]
fn an_unknown_column_is_refused_by_name_and_rows_without_it_are_kept() {
    let batch = import(
        "iccs,year,n,flag,unit,suspect\nICCS0101,2016,71,A,NR,\nICCS0401,2016,5,A,NR,somebody\n",
    );
    assert_eq!(batch.records.len(), 1);
    let why = &batch.quarantined[0].why;
    assert_eq!((why.reason, why.field.as_str()), (Reason::ColumnUnknown, "suspect"));
    assert!(!why.detail.contains("somebody"), "what it says might be a name");
}

#[test]
fn a_column_that_the_file_lacks_stores_nothing() {
    let batch = import("iccs,year,n,unit\nICCS0101,2016,71,NR\n");
    assert!(batch.records.is_empty());
    assert_eq!(
        (batch.quarantined[0].why.reason, batch.quarantined[0].why.field.as_str()),
        (Reason::ColumnUnknown, "flag")
    );
}

#[test]
fn a_mapping_with_a_wrong_key_is_refused() {
    assert!(
        Mapping::parse(&format!("colour = 1\n{MAPPING}")).unwrap_err().detail.contains("colour")
    );
    assert!(
        Mapping::parse(&MAPPING.replace("period = ", "perlod = "))
            .unwrap_err()
            .detail
            .contains("perlod")
    );
    assert!(
        Mapping::parse(&MAPPING.replace("value = \"n\"\n", ""))
            .unwrap_err()
            .detail
            .contains("value")
    );
}

const EVENTS: &str = r#"
source = "test"
rows = "events"
decimal_comma = true
[columns]
crime_area = "drug"
region = "place"
period = "date"
value = "kg"
unit = "case"
source = "report"
[constants]
indicator = "DRG.SEIZ.COC.KG"
origin = "customs"
[codes.drug_is_no_target]
"#;

#[test]
fn events_are_read_with_dates_and_decimal_commas() {
    let mapping = EVENTS.replace(
        "[codes.drug_is_no_target]\n",
        "[dates]\nformat = \"%d.%m.%Y\"\ngranularity = \"half\"\n",
    );
    let file = "drug;place;date;kg;case;report\n\
        DRG.COC;AL022;03.05.2016;12,5;K-1;R-1\n\
        DRG.COC;AL022;31.12.2016;0,125;K-2;\n\
        DRG.COC;AL022;31.02.2016;1;K-3;\n\
        DRG.COC;AL022;31.12.2016;;K-4;\n";
    let batch = through(&mapping, file.as_bytes()).unwrap();
    let found: Vec<_> = batch
        .records
        .iter()
        .map(|record| (record.cell().period.to_string(), record.observed()))
        .collect();
    assert!(
        found
            == [
                ("2016-H1".to_owned(), Observed::Value(12_500)),
                ("2016-H2".to_owned(), Observed::Value(125)),
                ("2016-H2".to_owned(), Observed::Value(1_000)),
            ]
    );
    assert_eq!(batch.quarantined.len(), 1);
    assert_eq!(batch.quarantined[0].why.reason, Reason::PeriodInvalid);
    assert_eq!(batch.quarantined[0].why.field, "date");
}

#[test]
fn a_wrong_figure_is_named_as_it_stands_in_the_file_and_an_empty_code_is_called_empty() {
    let mapping = EVENTS.replace("[codes.drug_is_no_target]\n", "");
    let file = "drug;place;date;kg;case;report\n\
        DRG.COC;AL022;2016-H1;1,2345678;K-1;\n\
        ;AL022;2016-H1;1;K-2;\n";
    let batch = through(&mapping, file.as_bytes()).unwrap();
    let detail = |batch: &Batch, at: usize| batch.quarantined[at].why.detail.clone();
    assert!(detail(&batch, 0).starts_with("\"1,2345678\" has more"), "{}", detail(&batch, 0));
    assert!(detail(&batch, 1).starts_with("is empty; a code"), "{}", detail(&batch, 1));
    let plain = mapping.replace("decimal_comma = true\n", "");
    let batch = through(&plain, file.as_bytes()).unwrap();
    let detail = detail(&batch, 0);
    assert!(detail.starts_with("\"1,2345678\" is not a plain number"), "{detail}");
    assert!(detail.contains("decimal_comma = true"), "{detail}");
}

#[test]
fn a_code_of_what_is_neither_column_nor_constant_is_refused() {
    let error = Mapping::parse(EVENTS).unwrap_err();
    assert!(error.detail.contains("drug_is_no_target"), "{error}");
    let totals =
        EVENTS.replace("rows = \"events\"\n", "").replace("[codes.drug_is_no_target]\n", "");
    assert!(Mapping::parse(&totals).unwrap_err().detail.contains("unit"));
}

#[test]
fn a_masked_figure_is_an_interval() {
    let mapping = format!("{MAPPING}[masks]\n\"<5\" = [\"0\", \"4\"]\n");
    let batch = through(&mapping, b"iccs,year,n,flag,unit,note\nICCS0101,2016,<5,A,NR,\n").unwrap();
    let observed: Vec<_> = batch.records.iter().map(|record| record.observed()).collect();
    assert!(observed == [Observed::Between(0, 4)]);
}

#[test]
fn what_looks_personal_is_refused_and_not_repeated() {
    let mapping =
        EVENTS.replace("[codes.drug_is_no_target]\n", "").replace("decimal_comma = true\n", "");
    let file = "drug,place,date,kg,case,report\n\
        DRG.COC,AL022,2016-H1,1,someone@example.org,\n\
        DRG.COC,AL022,2016-H1,someone@example.org,K-2,\n";
    let batch = through(&mapping, file.as_bytes()).unwrap();
    assert!(batch.records.is_empty());
    for (refused, field) in batch.quarantined.iter().zip(["case", "kg"]) {
        assert_eq!((refused.why.reason, refused.why.field.as_str()), (Reason::PersonalData, field));
        assert!(!refused.why.detail.contains("someone"), "{}", refused.why);
    }
}

#[test]
fn quarantine_is_bounded_in_bytes_and_every_row_is_counted() {
    // Each row repeats what it finds: the longest names and texts that a file may have.
    let name = "n".repeat(IMPORT_NAME_BYTES_MAX);
    let mapping = MAPPING.replace("\"n\"", &format!("\"{name}\""));
    let row = format!("ICCS0101,2016,{},A,NR\n", "\u{10400}".repeat(1_000));
    let rows = 35_000;
    let file = format!("iccs,year,{name},flag,unit\n{}", row.repeat(rows));
    let batch = through(&mapping, file.as_bytes()).unwrap();
    assert_eq!(batch.rows_quarantined, rows as u64);
    assert!(batch.quarantined.len() < rows);
    let bytes = |q: &Quarantined| size_of::<Quarantined>() + q.why.field.len() + q.why.detail.len();
    assert!(batch.quarantined.iter().map(bytes).sum::<usize>() < QUARANTINE_BYTES_MAX + 2_000);
}

#[test]
fn a_refusal_is_cut_between_letters() {
    let mut batch = Batch::default();
    let long = "\u{10400}".repeat(2_000);
    batch.quarantine(2, Invalid::new(Reason::FieldInvalid, format!("a{long}"), format!("b{long}")));
    let why = &batch.quarantined[0].why;
    assert_eq!((why.field.len(), why.detail.len()), (253, 1_021));
}

#[test]
fn names_and_formats_that_are_too_long_are_refused() {
    let name = "n".repeat(IMPORT_NAME_BYTES_MAX + 1);
    let error = through(MAPPING, format!("iccs,year,n,flag,unit,{name}\n").as_bytes()).unwrap_err();
    assert_eq!((error.reason, error.field.as_str()), (Reason::LimitExceeded, "header"));
    let refused = |mapping: &str| {
        let error = Mapping::parse(mapping).unwrap_err();
        assert_eq!(error.reason, Reason::LimitExceeded, "{error}");
        error.field
    };
    assert_eq!(refused(&MAPPING.replace("\"n\"", &format!("\"{name}\""))), "mapping.columns");
    assert_eq!(refused(&MAPPING.replace("\"note\"", &format!("\"{name}\""))), "mapping.columns");
    let constant = format!("[constants]\n\"dimension.{name}\" = \"x\"\n");
    assert_eq!(refused(&MAPPING.replace("[constants]\n", &constant)), "mapping.columns");
    let format = "%Y".repeat(33);
    let dates = format!("{MAPPING}[dates]\nformat = \"{format}\"\ngranularity = \"year\"\n");
    assert_eq!(refused(&dates), "mapping.dates.format");
    assert_eq!(refused(&MAPPING.replace("test", &"x".repeat(2_001))), "mapping.source");
}

#[test]
fn a_column_that_is_named_after_somebody_is_not_repeated() {
    let personal = "someone@example.org";
    let batch = import(&format!("iccs,year,n,flag,unit,{personal}\nICCS0101,2016,71,A,NR,x\n"));
    let why = &batch.quarantined[0].why;
    assert_eq!((why.reason, why.field.as_str()), (Reason::PersonalData, "header"));
    assert!(!why.detail.contains("someone"), "{why}");
    let long = "x".repeat(IMPORT_FIELD_BYTES_MAX + 1);
    let file = format!("iccs,year,n,flag,unit,{personal}\nICCS0101,2016,71,A,NR,{long}\n");
    assert_eq!(import(&file).quarantined[0].why.field, "header");
    let twice = format!("{personal},{personal}\n1,2\n");
    let error = through(MAPPING, twice.as_bytes()).unwrap_err();
    assert!(!error.detail.contains("someone"), "{error}");
}

#[test]
fn a_service_is_short_and_no_person() {
    let mapping =
        MAPPING.replace("[constants]", "origin = \"service\"\nhandling = \"mark\"\n[constants]");
    let row = |service: &str, mark: &str| {
        let file =
            format!("iccs,year,n,flag,unit,service,mark\nICCS0101,2016,71,A,NR,{service},{mark}\n");
        let batch = through(&mapping, file.as_bytes()).unwrap();
        let refused = batch.quarantined.first();
        refused.map(|q| (q.why.reason, q.why.field.clone()))
    };
    assert_eq!(row("customs", "H1"), None);
    assert_eq!(row(&"s".repeat(63), ""), None);
    let refused = |reason, field: &str| Some((reason, field.to_owned()));
    assert_eq!(row(&"s".repeat(64), ""), refused(Reason::FieldInvalid, "service"));
    assert_eq!(row("customs", &"H1 ".repeat(30)), refused(Reason::FieldInvalid, "mark"));
    let personal = "unit of someone@example.org";
    assert_eq!(row(personal, ""), refused(Reason::PersonalData, "service"));
}
