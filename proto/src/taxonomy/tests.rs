//! What the lists hold and what they refuse.

use super::*;

#[test]
fn the_lists_of_the_contract_load() {
    let lists = Lists::load(&FILES, &[]).unwrap();
    for code in ["AL", "BA", "XK", "ME", "MK", "RS"] {
        let jurisdiction = lists.jurisdiction("jurisdiction", code).unwrap();
        assert_eq!(lists.regions_of(jurisdiction.code, 0).len(), 1, "{code} has itself as region");
    }
    assert_eq!(lists.regions_of(JurisdictionCode::parse("RS").unwrap(), 3).len(), 25);
}

#[test]
fn a_number_is_written_as_it_was_read() {
    for (value, decimals, text) in
        [(71, 0, "71"), (12_500, 3, "12.500"), (5, 3, "0.005"), (0, 2, "0.00")]
    {
        assert_eq!(decimal(value, decimals), text);
    }
}

#[test]
fn kosovo_carries_its_footnote() {
    let kosovo = Lists::builtin().jurisdiction("jurisdiction", "XK").unwrap();
    assert_eq!(kosovo.label, "Kosovo*");
    assert!(
        kosovo
            .footnote
            .starts_with("* This designation is without prejudice to positions on status")
    );
}

#[test]
fn an_unknown_code_is_refused_by_name() {
    let lists = Lists::builtin();
    let offences = lists.indicator("indicator", "PUB.OFF.N").unwrap();
    let error = lists.crime_area("crime_area", offences, "ICCS9999").unwrap_err();
    assert_eq!(error.reason, Reason::CodeUnknown);
    assert!(error.detail.contains("ICCS9999") && error.detail.contains("iccs"), "{error}");
    // A code of the other list is not a code of this one.
    assert!(lists.crime_area("crime_area", offences, "DRG.COC").is_err());
    assert!(lists.period("period", offences, "2016-Q1").is_err());
}

#[test]
fn a_list_with_a_code_twice_does_not_load() {
    let twice = [("purposes", "code,label\nA,x\nA,y\n")];
    assert!(Lists::load(&twice, &[]).unwrap_err().to_string().contains("twice"));
}
