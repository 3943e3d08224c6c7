//! What the node believes of an observation, and what it does not.

use super::*;
use crate::record::columns::Known;

/// Stands for the node's own secret.
pub(crate) const SECRET: [u8; 32] = [7; 32];

pub(crate) fn albania() -> JurisdictionCode {
    JurisdictionCode::parse("AL").unwrap()
}

pub(crate) fn read(raw: &RawRecord<'_>) -> Result<Record, Invalid> {
    Reader::new(albania(), Lists::builtin(), &SECRET).read(raw)
}

pub(crate) fn total<'a>(indicator: &'a str, area: &'a str, value: &'a str) -> RawRecord<'a> {
    RawRecord::total([indicator, area, "AL", "2016"], RawValue::Number(value))
}

pub(crate) fn event<'a>(cell: [&'a str; 4], unit: &'a str, value: &'a str) -> RawRecord<'a> {
    let kind = RawKind::Event { unit, event: None };
    RawRecord { kind, ..RawRecord::total(cell, RawValue::Number(value)) }
}

#[test]
fn numbers_are_read_exactly_or_not_at_all() {
    for (text, expected) in [("0", 0), ("71", 71), ("71.0", 71), ("0071", 71)] {
        let record = read(&total("PUB.OFF.N", "ICCS0101", text)).unwrap();
        assert!(record.observed() == Observed::Value(expected), "{text}");
    }
    for text in [
        "",
        "-1",
        "+1",
        "1e3",
        "1,000",
        "1.000",
        "12.00",
        "1.",
        ".5",
        "0.5",
        " 1",
        "٣",
        "99999999999999999999",
    ] {
        assert!(read(&total("PUB.OFF.N", "ICCS0101", text)).is_err(), "{text:?}");
    }
    let seized = read(&total("PUB.SEIZ.KG", "DRG.COC", "12.5")).unwrap();
    assert!(seized.observed() == Observed::Value(12_500));
    assert!(read(&total("PUB.SEIZ.KG", "DRG.COC", "0.0001")).is_err());
    // A trend goes down as well as up.
    let trend = RawRecord::total(["SCO.TREND", "DRG", "AL", "2016-H1"], RawValue::Number("-1"));
    assert!(read(&trend).unwrap().observed() == Observed::Value(-1));
}

#[test]
fn another_jurisdictions_region_is_refused() {
    let raw = RawRecord::total(["PUB.OFF.N", "ICCS0101", "RS", "2016"], RawValue::Number("1"));
    assert_eq!(read(&raw).unwrap_err().field, "region");
}

#[test]
fn an_event_is_known_again_by_its_unit_or_by_its_own_number() {
    let cell = ["DRG.SEIZ.N", "DRG.COC", "AL022", "2016-H1"];
    let mut records = Records::default();
    records.put(&read(&event(cell, "case 1", "1")).unwrap());
    assert_eq!(records.known(&read(&event(cell, "case 1", "1")).unwrap()), Known::Same);
    assert_eq!(records.known(&read(&event(cell, "case 1", "2")).unwrap()), Known::Other);
    assert_eq!(records.known(&read(&event(cell, "case 2", "1")).unwrap()), Known::New);
    // The date and the place of a case may be corrected; another drug in it is another observation.
    let elsewhere = ["DRG.SEIZ.N", "DRG.COC", "AL012", "2016-H2"];
    assert_eq!(records.known(&read(&event(elsewhere, "case 1", "1")).unwrap()), Known::Other);
    let heroin = ["DRG.SEIZ.N", "DRG.HER", "AL022", "2016-H1"];
    assert_eq!(records.known(&read(&event(heroin, "case 1", "1")).unwrap()), Known::New);
    // With a number of its own, everything but the number may be corrected.
    let numbered = |cell, unit| RawRecord {
        kind: RawKind::Event { unit, event: Some("17") },
        ..event(cell, unit, "1")
    };
    records.put(&read(&numbered(cell, "case 1")).unwrap());
    assert_eq!(records.known(&read(&numbered(heroin, "case 9")).unwrap()), Known::Other);
}

#[test]
fn a_case_number_is_not_kept() {
    let record = read(&event(["DRG.SEIZ.N", "DRG.COC", "AL", "2016"], "K-4711/16", "1")).unwrap();
    assert!(!format!("{record:?}").contains("4711"));
    let other = Reader::new(albania(), Lists::builtin(), &[8; 32])
        .read(&event(["DRG.SEIZ.N", "DRG.COC", "AL", "2016"], "K-4711/16", "1"))
        .unwrap();
    assert!(record != other, "another node's pseudonym is another one");
}

#[test]
fn what_is_declared_must_fit_the_total() {
    let declare = |units, largest, second| RawRecord {
        kind: RawKind::Total { units, largest, second },
        ..RawRecord::total(["DRG.SEIZ.N", "DRG.COC", "AL", "2016"], RawValue::Number("10"))
    };
    assert!(read(&declare(Some("4"), Some("6"), Some("4"))).is_ok());
    for (units, largest, second, field) in [
        (None, Some("7"), Some("4"), "largest"),
        (None, None, Some("4"), "second"),
        (None, Some("3"), Some("4"), "second"),
        (Some("0"), None, None, "units"),
        (Some("4.5"), None, None, "units"),
    ] {
        assert_eq!(read(&declare(units, largest, second)).unwrap_err().field, field);
    }
}

#[test]
fn scores_and_prices_are_not_counted_event_by_event() {
    let error = read(&event(["SCO.THREAT", "DRG", "AL", "2016"], "x", "5")).unwrap_err();
    assert_eq!((error.reason, error.field.as_str()), (Reason::FieldInvalid, "unit"));
}

#[test]
fn a_dimension_that_the_indicator_does_not_have_is_refused_by_name() {
    let with = |categories| RawRecord { categories, ..total("PUB.PRIS.N", "ICCS0101", "5") };
    assert!(read(&with(&[("SEX", "F")])).is_ok());
    assert!(read(&with(&[("SEX", "")])).unwrap() == read(&with(&[])).unwrap());
    assert!(read(&with(&[("SEX", "X9")])).unwrap_err().detail.contains("X9"));
    assert!(read(&with(&[("AGE", "CHILD")])).unwrap_err().detail.contains("AGE"));
}

#[test]
fn handling_codes_have_one_spelling_and_must_exist() {
    let with = |handling| RawRecord { handling, ..total("PUB.OFF.N", "ICCS0101", "5") };
    let mut records = Records::default();
    records.put(&read(&with("TLP:AMBER  H1")).unwrap());
    assert_eq!(records.known(&read(&with("H1 TLP:AMBER")).unwrap()), Known::Same);
    assert!(read(&with("H9")).is_err());
    assert!(read(&with("TLP:PINK")).is_err());
}

#[test]
fn records_come_back_as_they_were() {
    let cell = ["DRG.SEIZ.N", "DRG.COC", "AL022", "2016-H1"];
    let masked = RawRecord {
        quality: Quality::Estimated,
        source: Some("s1"),
        origin: "customs",
        handling: "H1",
        ..RawRecord::total(cell, RawValue::Between("0", "4"))
    };
    let missing = RawRecord::total(["PUB.OFF.N", "ICCS0101", "AL", "2016"], RawValue::Missing);
    let all: Vec<_> = [event(cell, "case 1", "3"), masked, missing]
        .iter()
        .map(|raw| read(raw).unwrap())
        .collect();
    let records: Records = all.iter().cloned().collect();
    assert!(records.iter().collect::<Vec<_>>() == all);
}
