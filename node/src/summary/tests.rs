//! Versions and the book: what follows what, who takes whose place, and what comes twice.

use super::*;
use accord_proto::{
    clock::{FixedClock, SystemEntropy},
    taxonomy::{JurisdictionCode, Lists},
};

const EXAMPLE: &str = include_str!("../../../deploy/summary.toml");

pub(super) fn at(text: &str) -> Timestamp {
    Timestamp::parse("at", text).unwrap()
}

pub(super) fn id() -> SummaryId {
    SummaryId::mint(&FixedClock(at("2026-11-24")), &SystemEntropy).unwrap()
}

pub(super) fn document(text: &str) -> Document {
    let admission =
        Admission { ceiling: DEFAULT_CEILING, guard: |_: &str| None, now: at("2026-11-24") };
    let albania = JurisdictionCode::parse("AL").unwrap();
    Document::parse(text, albania, Lists::builtin(), &admission).unwrap()
}

pub(super) fn titled(title: &str) -> Document {
    document(&EXAMPLE.replacen("Example only: cocaine through sea ports", title, 1))
}

fn deed(name: &str, role: &str) -> Deed {
    let by = Identity::parse(&format!("spiffe://wb6.example/AL/staff/{name}/{role}")).unwrap();
    Deed::new(at("2026-11-24"), by, "test", |_: &str| None).unwrap()
}

pub(super) fn author() -> Deed {
    deed("author", "analyst")
}

pub(super) fn releaser() -> Deed {
    deed("second", "releaser")
}

pub(super) fn put(book: &mut Book, id: SummaryId, change: Change) {
    change.versions.into_iter().for_each(|version| book.put(id, version));
}

pub(super) fn validated(book: &mut Book, id: SummaryId, number: u32) {
    for step in [Step::Evaluate, Step::Validate] {
        let change = book.get(id).unwrap().advance(number, step, &releaser()).unwrap();
        put(book, id, change);
    }
}

fn states(book: &Book, id: SummaryId) -> Vec<State> {
    let versions = book.get(id).unwrap().versions().iter();
    versions.map(|version| version.state(at("2026-11-24"))).collect()
}

#[test]
fn the_validated_version_stays_in_force_until_the_next_one_is() {
    let (mut book, id) = (Book::default(), id());
    let created = book.create(id, titled("First"), &author()).unwrap();
    put(&mut book, id, created);
    validated(&mut book, id, 1);

    let revised = book.get(id).unwrap().revise(0, titled("Second"), &author()).unwrap();
    assert_eq!(revised.about, 2);
    put(&mut book, id, revised);
    assert_eq!(states(&book, id), [State::Validated, State::Draft]);
    assert_eq!(book.get(id).unwrap().in_force(at("2026-11-24")).unwrap().number, 1);

    // A draft that is revised was never relied on: it is superseded at once.
    let revised = book.get(id).unwrap().revise(2, titled("Third"), &author()).unwrap();
    put(&mut book, id, revised);
    assert_eq!(states(&book, id), [State::Validated, State::Superseded, State::Draft]);

    validated(&mut book, id, 3);
    assert_eq!(states(&book, id), [State::Superseded, State::Superseded, State::Validated]);
    assert_eq!(book.get(id).unwrap().in_force(at("2026-11-24")).unwrap().number, 3);
    // Its day comes, and then nothing is in force.
    assert!(book.get(id).unwrap().in_force(at("2027-01-31")).is_none());
}

#[test]
fn what_comes_twice_is_done_once() {
    let (mut book, id) = (Book::default(), id());
    let created = book.create(id, titled("First"), &author()).unwrap();
    put(&mut book, id, created);
    assert!(book.create(id, titled("First"), &author()).unwrap().versions.is_empty());
    let error = book.create(id, titled("Other"), &author()).unwrap_err();
    assert_eq!(error.reason, Reason::SummaryConflict);
    let now = at("2026-11-24");
    assert_eq!(book.holding(titled("First").digest(), now), Some((id, 1)));

    let revised = book.get(id).unwrap().revise(1, titled("Second"), &author()).unwrap();
    put(&mut book, id, revised);
    let summary = book.get(id).unwrap();
    let again = summary.revise(1, titled("Second"), &author()).unwrap();
    assert!(again.versions.is_empty());
    assert_eq!(again.about, 2);
    // Somebody else revised the same version meanwhile.
    let error = summary.revise(1, titled("Third"), &author()).unwrap_err();
    assert_eq!(error.reason, Reason::SummaryConflict);

    let evaluated = summary.advance(2, Step::Evaluate, &releaser()).unwrap();
    put(&mut book, id, evaluated);
    let again = book.get(id).unwrap().advance(2, Step::Evaluate, &releaser()).unwrap();
    assert!(again.versions.is_empty());
    let withdrawn = book.get(id).unwrap().withdraw(&releaser()).unwrap();
    put(&mut book, id, withdrawn);
    assert!(book.get(id).unwrap().withdraw(&releaser()).unwrap().versions.is_empty());
    assert_eq!(states(&book, id), [State::Superseded, State::Withdrawn]);
    let error = book.get(id).unwrap().revise(0, titled("Third"), &author()).unwrap_err();
    assert_eq!(error.reason, Reason::SummaryState);
    assert_eq!(book.holding(titled("Second").digest(), now), None);
}

#[test]
fn nobody_works_with_a_text_that_nobody_attested() {
    let (mut book, id) = (Book::default(), id());
    let text = EXAMPLE.replace("attest_no_personal_data = true", "");
    let created = book.create(id, document(&text), &author()).unwrap();
    put(&mut book, id, created);
    let error = book.get(id).unwrap().advance(0, Step::Evaluate, &releaser()).unwrap_err();
    assert_eq!(error.field, "attest_no_personal_data");
}

#[test]
fn an_edition_takes_in_what_is_in_force_for_its_period() {
    let (mut book, first, second) = (Book::default(), id(), id());
    for id in [first, second] {
        let created = book.create(id, titled("First"), &author()).unwrap();
        put(&mut book, id, created);
    }
    validated(&mut book, first, 1);
    let period = |text| Period::parse("period", text).unwrap();
    assert!(book.include(period("2026-H2"), &releaser()).unwrap().is_empty());
    let included = book.include(period("2026-H1"), &releaser()).unwrap();
    assert_eq!(included.len(), 1, "a draft is in no edition");
    included.into_iter().for_each(|(id, version)| book.put(id, version));
    assert_eq!(states(&book, first), [State::InEdition]);
    assert_eq!(states(&book, second), [State::Draft]);
}

#[test]
fn a_reason_is_given_and_says_nothing_of_persons() {
    let by = author().by;
    let new = |why: &str| {
        let guard = |text: &str| text.contains("Mr ").then_some("a name");
        Deed::new(at("2026-11-24"), by.clone(), why, guard).map_err(|error| error.reason)
    };
    assert!(new("Figures of the second quarter").is_ok());
    assert_eq!(new(" ").unwrap_err(), Reason::FieldMissing);
    assert_eq!(new("a\nb").unwrap_err(), Reason::FieldInvalid);
    assert_eq!(new(&"x".repeat(TEXT_BYTES_MAX + 1)).unwrap_err(), Reason::LimitExceeded);
    assert_eq!(new("Mr Example asked for it").unwrap_err(), Reason::PersonalData);
}

#[test]
fn a_difference_names_fields() {
    let before = document(EXAMPLE);
    let after = EXAMPLE
        .replace("confidence = \"MODERATE\"", "confidence = \"LOW\"")
        .replace("\"CORRUPTION\", ", "")
        .replace("# releasable_to = []", "")
        .replace(
            "[trend]\ndirection = \"UP\"\nbasis = \"BOTH\"\nversus = \"SAME_PERIOD_LY\"\n",
            "",
        );
    let changed = diff::diff(&before, &document(&after));
    let fields: Vec<_> = changed.iter().map(|change| change.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "enablers",
            "key_judgements[1].confidence",
            "trend.basis",
            "trend.direction",
            "trend.versus"
        ]
    );
    assert_eq!(changed[1].before.as_deref(), Some("MODERATE"));
    assert_eq!(changed[1].after.as_deref(), Some("LOW"));
    assert_eq!(changed[2].after, None);
    assert!(diff::diff(&before, &before).is_empty());
}

#[test]
fn a_full_book_takes_no_more_text_and_lets_what_is_there_be_taken_back() {
    let (mut book, id) = (Book::default(), id());
    let created = book.create(id, titled("First"), &author()).unwrap();
    put(&mut book, id, created);
    book.bytes = SUMMARIES_BYTES_MAX;
    let summary = book.get(id).unwrap();
    let revised = summary.revise(0, titled("Second"), &author()).unwrap();
    assert_eq!(book.check_room(id, &revised).unwrap_err().reason, Reason::LimitExceeded);
    book.check_room(id, &summary.withdraw(&releaser()).unwrap()).unwrap();
    book.check_room(id, &summary.advance(1, Step::Evaluate, &releaser()).unwrap()).unwrap();
    // The text of the new version counts, not that of the draft whose place it takes.
    book.bytes = SUMMARIES_BYTES_MAX - titled("Second").text().len();
    book.check_room(id, &revised).unwrap();
}
