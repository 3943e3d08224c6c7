//! What a document may hold, and that a refusal names a field and repeats nothing.

use super::*;

/// The file that people copy.
const EXAMPLE: &str = include_str!("../../../../deploy/summary.toml");

fn albania() -> JurisdictionCode {
    JurisdictionCode::parse("AL").unwrap()
}

fn looks_like(text: &str) -> Option<&'static str> {
    text.contains("Mr ").then_some("a name")
}

fn parse(text: &str) -> Result<Document, Invalid> {
    let now = Timestamp::parse("now", "2026-11-24").unwrap();
    let admission = Admission { ceiling: DEFAULT_CEILING, guard: looks_like, now };
    Document::parse(text, albania(), Lists::builtin(), &admission)
}

/// The example with one piece replaced.
fn with(from: &str, to: &str) -> Result<Document, Invalid> {
    assert!(EXAMPLE.contains(from), "{from}");
    parse(&EXAMPLE.replacen(from, to, 1))
}

#[test]
fn a_document_has_one_canonical_text_however_it_was_written() {
    let document = parse(EXAMPLE).unwrap();
    let again = Document::reopen(document.text().to_owned(), albania(), Lists::builtin()).unwrap();
    assert!(again == document, "read back as it was stored");
    assert_eq!(parse(document.text()).unwrap().digest(), document.digest());
    let json = serde_json::to_string(document.written()).unwrap();
    assert_eq!(parse(&json).unwrap().digest(), document.digest(), "JSON says the same");
    assert!(!format!("{document:?}").contains("cocaine"), "debug output holds no content");
    assert_eq!(document.expires_at(), Timestamp::parse("", "2027-01-31").unwrap());
    let grades: Vec<_> = document.grades().collect();
    assert_eq!(grades, ["A1", "B2", "B3", "A1", "B2"]);
}

#[test]
fn every_field_is_checked_and_named() {
    let long = "x".repeat(201);
    for (from, to, reason, field) in [
        ("Example only: cocaine", long.as_str(), Reason::LimitExceeded, "title"),
        ("language = \"en\"", "language = \"xx\"", Reason::CodeUnknown, "language"),
        ("\"AREA_ASSESSMENT\"", "\"NOVEL\"", Reason::CodeUnknown, "product_type"),
        ("\"DRG.COC\", \"FIN\"", "\"DRG.COC\", \"GARDEN\"", Reason::CodeUnknown, "crime_areas[1]"),
        ("\"DRG.COC\", \"FIN\"", "\"FIN\", \"FIN\"", Reason::FieldInvalid, "crime_areas"),
        ("[\"DRG.COC\", \"FIN\"]", "[]", Reason::FieldMissing, "crime_areas"),
        ("\"2026-H1\"", "\"2026-H3\"", Reason::PeriodInvalid, "period"),
        ("\"AL012\"", "\"RS110\"", Reason::LatticeUnknownCell, "regions[1]"),
        ("\"PROFIT_RISK\"", "\"WEATHER\"", Reason::CodeUnknown, "factors[1]"),
        ("\"CORRUPTION\"", "\"WEATHER\"", Reason::CodeUnknown, "enablers[0]"),
        ("direction = \"UP\"", "direction = \"LEFT\"", Reason::CodeUnknown, "trend.direction"),
        ("capacity_gap = 2", "capacity_gap = 5", Reason::FieldInvalid, "response.capacity_gap"),
        ("level = 3", "level = 6", Reason::FieldInvalid, "impact[0].level"),
        ("\"INSTITUTIONAL\"", "\"ECON\"", Reason::FieldInvalid, "impact"),
        ("value = \"20\"", "value = \"2e1\"", Reason::FieldInvalid, "scores[0].value"),
        ("\"RISK-5X5-C\"", "\"my own\"", Reason::FieldInvalid, "scores[0].method"),
        ("inputs = 2", "inputs = 0", Reason::FieldMissing, "evaluation[0].inputs"),
        ("kind = \"FACT\"", "kind = \"RUMOUR\"", Reason::CodeUnknown, "key_judgements[0].kind"),
        ("status = \"P\"", "status = \"S\"", Reason::CodeUnknown, "observations[0].status"),
        ("\"DRG.SEIZ.N\"", "\"DRG.DREAMS.N\"", Reason::CodeUnknown, "observations[1].indicator"),
        (
            "review_due = \"2027-01-31\"",
            "review_due = \"soon\"",
            Reason::FieldInvalid,
            "review_due",
        ),
        ("\"2027-01-31\"", "\"2026-11-24\"", Reason::FieldInvalid, "review_due"),
        ("\"2031-12-31\"", "\"2027-01-30\"", Reason::FieldInvalid, "retention_until"),
        ("tlp = \"AMBER\"", "tlp = \"WHITE\"", Reason::CodeUnknown, "handling.tlp"),
        ("\"H1\", \"H3\"", "\"H1\", \"H9\"", Reason::CodeUnknown, "handling.europol_codes[1]"),
        (
            "caveats = [\"For strategic analysis only.\"]",
            "",
            Reason::FieldMissing,
            "handling.caveats",
        ),
        ("onward = \"ASK\"", "onward = \"LISTED\"", Reason::FieldInvalid, "handling.releasable_to"),
        (
            "How much passes unnoticed in refrigerated containers.",
            " ",
            Reason::FieldMissing,
            "gaps[0]",
        ),
    ] {
        let error = with(from, to).unwrap_err();
        assert_eq!((error.reason, error.field.as_str()), (reason, field), "{from} → {to}: {error}");
    }
}

#[test]
fn likelihood_and_confidence_are_two_things_with_terms_of_their_own() {
    for (from, to, field) in [
        ("scale = \"PHIA\"", "scale = \"GUT\"", "key_judgements[1].likelihood.scale"),
        // A term of the other scale.
        ("term = \"LIKELY\"", "term = \"ROUGHLY_EVEN\"", "key_judgements[1].likelihood.term"),
        ("term = \"LIKELY\"", "term = \"HIGH\"", "key_judgements[1].likelihood.term"),
        ("confidence = \"MODERATE\"", "confidence = \"LIKELY\"", "key_judgements[1].confidence"),
        ("horizon = \"M12\"", "horizon = \"M13\"", "key_judgements[1].horizon"),
        ("horizon = \"M12\"\n", "", "key_judgements[1].horizon"),
        ("likelihood = {", "# {", "key_judgements[1].likelihood"),
        ("kind = \"FORECAST\"", "kind = \"FACT\"", "key_judgements[1].likelihood"),
        (
            "source = \"B\", information = \"3\"",
            "source = \"F\", information = \"3\"",
            "key_judgements[1].grades[0].source",
        ),
    ] {
        let error = with(from, to).unwrap_err();
        assert_eq!(error.field, field, "{from} → {to}: {error}");
    }
    let other = "likelihood = { scale = \"ICD203\", term = \"ROUGHLY_EVEN\" }";
    assert!(with("likelihood = { scale = \"PHIA\", term = \"LIKELY\" }", other).is_ok());
}

#[test]
fn high_confidence_does_not_rest_on_what_cannot_be_assessed() {
    let (two, one) = (
        "{ scheme = \"4X4\", source = \"A\", information = \"1\" }",
        "{ scheme = \"4X4\", source = \"B\", information = \"2\" }",
    );
    let grades = |first: &str, second: &str| {
        parse(&EXAMPLE.replacen(two, first, 1).replacen(one, second, 1))
    };
    let x4 = "{ scheme = \"4X4\", source = \"X\", information = \"4\" }";
    let f6 = "{ scheme = \"6X6\", source = \"F\", information = \"6\" }";
    let error = grades(x4, f6).unwrap_err();
    assert_eq!(error.field, "key_judgements[0].confidence");
    assert!(grades(x4, one).is_ok(), "beside something better they may stand");
    // A source that is bad is assessed: E5 of 6X6 is not F6.
    assert!(grades(x4, "{ scheme = \"6X6\", source = \"E\", information = \"5\" }").is_ok());
    let none = format!("{two},\n    {one},\n");
    let error = with(&none, "").unwrap_err();
    assert_eq!(error.field, "key_judgements[0].confidence", "HIGH on nothing");
}

#[test]
fn what_is_marked_above_the_ceiling_is_refused_first_and_without_content() {
    let spoilt = EXAMPLE
        .replace("\"UNCLASSIFIED\"", "\"EU-RESTRICTED\"")
        .replace("language = \"en\"", "language = \"SECRET-WORD\"");
    let error = parse(&spoilt).unwrap_err();
    assert_eq!(error.reason, Reason::ClassificationAboveCeiling);
    assert_eq!(error.field, "handling.classification");
    assert!(!error.to_string().contains("SECRET-WORD"), "{error}");
    // The same text is welcome where the ceiling allows it.
    let now = Timestamp::parse("now", "2026-11-24").unwrap();
    let restricted = EXAMPLE.replace("\"UNCLASSIFIED\"", "\"EU-RESTRICTED\"");
    let admission = Admission { ceiling: "EU-RESTRICTED", guard: looks_like, now };
    assert!(Document::parse(&restricted, albania(), Lists::builtin(), &admission).is_ok());
    assert!(check_ceiling("RATHER-SECRET", Lists::builtin()).is_err());
}

#[test]
fn every_text_passes_the_guard_and_none_is_repeated() {
    for (from, field) in [
        ("Example only", "title"),
        ("Seized quantities", "key_judgements[0].text"),
        ("Smaller ports", "key_judgements[1].text"),
        ("How much passes", "gaps[0]"),
        ("Bribes reach staff", "impact[1].rationale"),
        ("Likely (4)", "scores[0].justification"),
        ("For strategic", "handling.caveats[0]"),
    ] {
        let error = with(from, "Mr Example did it; ").unwrap_err();
        assert_eq!((error.reason, error.field.as_str()), (Reason::PersonalData, field));
        assert!(!error.to_string().contains("Mr Example"), "{error}");
    }
}

#[test]
fn what_cannot_be_read_is_refused_by_name_and_not_quoted() {
    let error = with("[trend]", "[trend]\nwrong_key = 1").unwrap_err();
    assert_eq!(error.reason, Reason::FieldUnknown);
    assert!(error.detail.contains("wrong_key"), "{error}");
    let error = with("title = \"Example only: cocaine", "tilte = \"Hush").unwrap_err();
    assert!(!error.to_string().contains("Hush"), "{error}");
    // A parser that says what it found would say it here.
    let error = with("operations = 3", "operations = \"Hush\"").unwrap_err();
    assert!(!error.to_string().contains("Hush"), "{error}");
    assert!(error.detail.starts_with("line "), "{error}");
    let error = parse("{\"title\": \"x\", \"language\": [\"Hush\"]}").unwrap_err();
    assert!(!error.to_string().contains("Hush"), "{error}");
    assert_eq!(parse("{\"title\": \"x\"}").unwrap_err().reason, Reason::FieldMissing);
    assert_eq!(
        parse(&"#".repeat(SUMMARY_BYTES_MAX + 1)).unwrap_err().reason,
        Reason::LimitExceeded
    );
}
