//! What is found, and in which order.

use super::*;
use crate::summary::tests::{at, author, id, put, titled, validated};

fn query(raw: &RawQuery) -> Query {
    Query::parse(raw, Lists::builtin(), |_: &str| None).unwrap()
}

fn titles(book: &Book, raw: &RawQuery) -> Vec<String> {
    let (found, _) = find(book, &query(raw), at("2026-11-24"), "", 100).unwrap();
    let title = |found: &Found<'_>| found.version.document.written().title.clone();
    found.iter().map(|found| title(found).replace(", first half of 2026", "")).collect()
}

fn text(text: &str) -> RawQuery {
    RawQuery { text: text.to_owned(), ..RawQuery::default() }
}

/// Three summaries: one in Cyrillic, one in Latin, one that says the word in its judgements only.
fn book() -> Book {
    let mut book = Book::default();
    for title in ["Кријумчарење кокаина", "Krijumčarenje duvana", "Smaller things"]
    {
        let (id, document) = (id(), titled(title));
        let created = book.create(id, document, &author()).unwrap();
        put(&mut book, id, created);
    }
    book
}

#[test]
fn either_script_finds_either_script() {
    let book = book();
    for words in ["krijumcar", "Krijumčarenje", "КРИЈУМЧАР"] {
        let mut found = titles(&book, &text(words));
        found.sort_unstable();
        assert_eq!(found, ["Krijumčarenje duvana", "Кријумчарење кокаина"], "{words}");
    }
    assert_eq!(titles(&book, &text("kokain krijum")), ["Кријумчарење кокаина"]);
    assert!(titles(&book, &text("kokain duvan")).is_empty(), "every word must be there");
    assert!(titles(&book, &text("umčar")).is_empty(), "words are found by their beginning");
}

#[test]
fn a_title_comes_before_a_judgement_and_pages_fit_together() {
    let book = book();
    // "Smaller ports take over" stands in the judgements of all three.
    let found = titles(&book, &text("small"));
    assert_eq!((found.len(), found[0].as_str()), (3, "Smaller things"));
    let query = query(&text("small"));
    let (mut token, mut seen) = (String::new(), Vec::new());
    loop {
        let (found, more) = find(&book, &query, at("2026-11-24"), &token, 1).unwrap();
        seen.extend(found.iter().map(|found| found.id));
        token = found.last().unwrap().token();
        if !more {
            break;
        }
    }
    let (whole, _) = find(&book, &query, at("2026-11-24"), "", 100).unwrap();
    assert_eq!(seen, whole.iter().map(|found| found.id).collect::<Vec<_>>());
    for wrong in ["x", "1.2.3", "1"] {
        assert!(find(&book, &query, at("2026-11-24"), wrong, 1).is_err(), "{wrong}");
    }
}

#[test]
fn each_filter_holds_by_itself() {
    let book = book();
    type Set = fn(&mut RawQuery, String);
    let filters: [(&str, Set, &[&str], &[&str]); 6] = [
        ("area", |q, v| q.crime_area = v, &["DRG", "DRG.COC", "FIN"], &["DRG.HER", "CYB"]),
        ("period", |q, v| q.period = v, &["2026-H1"], &["2026", "2026-H2"]),
        ("indicator", |q, v| q.indicator = v, &["DRG.SEIZ.COC.KG"], &["PUB.OFF.N"]),
        ("grade", |q, v| q.grade = v, &["A1", "B2", "B3"], &["X4", "C3"]),
        ("handling", |q, v| q.handling = v, &["AMBER", "H1", "UNCLASSIFIED"], &["RED", "H2"]),
        ("state", |q, v| q.state = v, &["draft"], &["validated", "expired"]),
    ];
    for (name, set, matching, others) in filters {
        for (values, wanted) in [(matching, 3), (others, 0)] {
            for value in values {
                let mut raw = RawQuery::default();
                set(&mut raw, (*value).to_owned());
                assert_eq!(titles(&book, &raw).len(), wanted, "{name} {value}");
            }
        }
        let mut raw = RawQuery::default();
        set(&mut raw, "no such thing".to_owned());
        assert!(Query::parse(&raw, Lists::builtin(), |_: &str| None).is_err(), "{name}");
    }
    // Codes that no document could have are a mistake, not an empty list.
    for (grade, handling) in [("A", ""), ("Z9", ""), ("", "PURPLE"), ("", "amber")] {
        let (grade, handling) = (grade.to_owned(), handling.to_owned());
        let raw = RawQuery { grade, handling, ..RawQuery::default() };
        let error = Query::parse(&raw, Lists::builtin(), |_: &str| None).unwrap_err();
        assert_eq!(error.reason, Reason::CodeUnknown, "{raw}");
    }
}

#[test]
fn the_version_in_force_is_found_beside_its_successor() {
    let (mut book, id) = (Book::default(), id());
    let created = book.create(id, titled("First"), &author()).unwrap();
    put(&mut book, id, created);
    validated(&mut book, id, 1);
    let revised = book.get(id).unwrap().revise(0, titled("Second"), &author()).unwrap();
    put(&mut book, id, revised);
    assert_eq!(titles(&book, &RawQuery::default()), ["Second", "First"]);
    let validated = RawQuery { state: "validated".to_owned(), ..RawQuery::default() };
    assert_eq!(titles(&book, &validated), ["First"]);
}

#[test]
fn nobody_is_searched_for() {
    let guard = |text: &str| text.contains('@').then_some("an e-mail address");
    let error = Query::parse(&text("someone@example"), Lists::builtin(), guard).unwrap_err();
    assert_eq!((error.reason, error.field.as_str()), (Reason::PersonalData, "text"));
    assert!(!error.to_string().contains("someone"), "{error}");
    let many = text(&"word ".repeat(SEARCH_WORDS_MAX + 1));
    let error = Query::parse(&many, Lists::builtin(), guard).unwrap_err();
    assert_eq!(error.reason, Reason::LimitExceeded);
    assert_eq!(RawQuery::default().to_string(), "everything");
    assert_eq!(text("kokain").to_string(), "text=kokain");
}
