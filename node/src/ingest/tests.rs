//! What an analyst relies on: nothing is lost, nothing wrong is stored, and every refusal says where.

use accord_proto::{reason::Reason, taxonomy::Lists};

use super::*;

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

fn import(file: &str) -> Batch {
    let lists = Lists::builtin();
    let mapping = Mapping::parse(MAPPING).unwrap();
    read(file.as_bytes(), &mapping, lists.jurisdiction("", "AL").unwrap().code, lists).unwrap()
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
            (8, "value", Reason::RowDuplicate),
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

#[test]
fn another_encoding_is_refused_whole() {
    let lists = Lists::builtin();
    let mapping = Mapping::parse(MAPPING).unwrap();
    let error = read(b"iccs\n\xff\n", &mapping, lists.jurisdiction("", "AL").unwrap().code, lists)
        .unwrap_err();
    assert_eq!(error.reason, Reason::ImportUnreadable);
}
