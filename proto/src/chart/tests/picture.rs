//! From a signed picture to a chart.

use super::*;
use crate::{
    compare,
    wire::region::{Coverage, MemberState, PictureCell, PictureStatus, Share, ShareStatus, State},
};

fn cell(area: &str, status: PictureStatus, value: i64) -> PictureCell {
    PictureCell {
        indicator: "PUB.OFF.N".to_owned(),
        crime_area: area.to_owned(),
        region: "REGION".to_owned(),
        period: "2019".to_owned(),
        categories: "_T".to_owned(),
        status: status.into(),
        value,
        lower: Some(value - 2),
        upper: Some(value + 2),
        contributors: vec!["AL".to_owned(), "RS".to_owned()],
        missing: vec!["ME".to_owned()],
        ..PictureCell::default()
    }
}

fn share(code: &str, node: &str, value: i64) -> Share {
    Share {
        node: node.to_owned(),
        jurisdiction: code.to_owned(),
        region: code.to_owned(),
        status: ShareStatus::Value.into(),
        value,
        ..Share::default()
    }
}

fn member(code: &str, node: &str, state: State) -> MemberState {
    MemberState {
        node: node.to_owned(),
        jurisdiction: code.to_owned(),
        state: state.into(),
        ..MemberState::default()
    }
}

fn picture(cells: Vec<PictureCell>) -> region::Picture {
    region::Picture {
        requirement: "r1".to_owned(),
        coverage: Some(Coverage { answered: 4, members: 7 }),
        members: vec![
            member("AL", "al-police", State::Answered),
            member("BA", "ba-police", State::Pending),
            member("BA", "ba-customs", State::Answered),
            member("ME", "me-police", State::Answered),
            member("MK", "mk-police", State::Pending),
            member("RS", "rs-police", State::Answered),
            member("XK", "xk-police", State::Rejected),
        ],
        cells,
        ..region::Picture::default()
    }
}

#[test]
fn every_status_of_a_picture_is_a_state_of_a_cell() {
    let of = |status, answered| {
        Cell::of_picture(&cell("ICCS0101", status, 43), answered).unwrap().in_words()
    };
    let words = [
        (PictureStatus::Value, "about 43, between 41 and 45"),
        (PictureStatus::Partial, "about 43, between 41 and 45; rests on some of the members asked"),
        (PictureStatus::Between, "between 41 and 45"),
        (PictureStatus::Missing, "not available"),
        (PictureStatus::NotShown, "not shown"),
        (PictureStatus::NotApplicable, "not applicable"),
        (PictureStatus::Unspecified, "not shown"),
    ];
    for (status, words) in words {
        assert_eq!(of(status, true), words);
    }
    assert_eq!(of(PictureStatus::NotShown, false), "answer awaited");
    let false_cell = PictureCell { upper: Some(40), ..cell("ICCS0101", PictureStatus::Value, 43) };
    assert!(Cell::of_picture(&false_cell, true).is_err());
}

#[test]
fn no_pooled_figure_stands_under_a_name() {
    let lists = Lists::builtin();
    let pooled = picture(vec![cell("ICCS0101", PictureStatus::Value, 43)]);
    let selection = Selection::totals("PUB.OFF.N", "2019");
    let heat = Heat::of_picture(&pooled, selection, &[], lists).unwrap();
    let twin = chart(frame("h", "x", "y"), View::Heat(heat)).table();
    assert_eq!(
        twin.header[1..],
        ["Albania", "Bosnia and Herzegovina", "Kosovo*", "Montenegro", "North Macedonia", "Serbia"]
    );
    assert_eq!(twin.rows[0][1..], ["[c]", "[c]", "[x]", "[m]", "[w]", "[c]"]);
    assert!(!twin.rows.iter().flatten().any(|field| field.contains("43")), "{twin:?}");
}

#[test]
fn figures_that_stand_under_a_name_are_drawn_there() {
    let lists = Lists::builtin();
    let shares = vec![
        share("AL", "al-police", 30),
        // Two nodes of one jurisdiction that hold two figures.
        share("BA", "ba-customs", 4),
        share("BA", "ba-police", 5),
        // A region of a jurisdiction is not the jurisdiction.
        Share { region: "RS11".to_owned(), ..share("RS", "rs-police", 9) },
    ];
    let open = PictureCell { shares, ..cell("ICCS0101", PictureStatus::Partial, 43) };
    let picture = picture(vec![open]);
    let selection = Selection::totals("PUB.OFF.N", "2019");
    let map = Map::of_picture(&picture, selection, "ICCS0101", lists).unwrap();
    let twin = chart(frame("m", "x", "y"), View::Map(map)).table();
    let figures: Vec<_> = twin.rows.iter().map(|row| row[1].as_str()).collect();
    assert_eq!(figures, ["30", "[c]", "[x]", "[m]", "[w]", "[c]"]);
    let error = Map::of_picture(&picture, selection, "ICCS0102", lists).unwrap_err();
    assert_eq!(error.reason, Reason::NotFound);
    let areas = |code: &str| [code.to_owned()];
    assert!(Heat::of_picture(&picture, selection, &areas("ICCS0101"), lists).is_ok());
    let error = Heat::of_picture(&picture, selection, &areas("ICCS0102"), lists).unwrap_err();
    assert_eq!(error.reason, Reason::NotFound);
}

#[test]
fn coverage_counts_the_cells_that_a_member_is_in_and_tells_no_reason() {
    let cells = vec![
        cell("ICCS0101", PictureStatus::Value, 43),
        PictureCell {
            contributors: vec!["AL".to_owned()],
            ..cell("ICCS0102", PictureStatus::Partial, 3)
        },
    ];
    let members = Members::of_picture(&picture(cells), Lists::builtin()).unwrap();
    let twin = chart(frame("c", "x", "y"), View::Members(members)).table();
    let fields: Vec<_> =
        twin.rows.iter().map(|row| (row[0].as_str(), row[1].as_str(), row[2].as_str())).collect();
    assert_eq!(
        fields,
        [
            ("Albania", "received", "2/2"),
            ("Bosnia and Herzegovina (ba-customs)", "received", "[c]"),
            ("Bosnia and Herzegovina (ba-police)", "awaited", "[w]"),
            ("Kosovo*", "rejected", "[x]"),
            ("Montenegro", "received", "[c]"),
            ("North Macedonia", "awaited", "[w]"),
            ("Serbia", "received", "1/2"),
        ]
    );
}

#[test]
fn a_trend_of_rounds_keeps_its_breaks_and_its_gaps() {
    let of = |period: &str, status, value, contributors: &[&str]| PictureCell {
        period: period.to_owned(),
        contributors: contributors.iter().map(|of| (*of).to_owned()).collect(),
        missing: Vec::new(),
        whole_lower: Some(value),
        whole_upper: Some(value + 50),
        ..cell("ICCS0101", status, value)
    };
    let all = ["AL", "RS"];
    let value = PictureStatus::Value;
    let first = picture(vec![
        of("2015", value, 10, &all),
        of("2016", value, 11, &all),
        of("2017", value, 9, &["AL"]),
        of("2018", PictureStatus::NotShown, 0, &[]),
        of("2019", value, 12, &all),
    ]);
    let later = region::Picture {
        lists: "others".to_owned(),
        requirement: "r2".to_owned(),
        ..picture(vec![of("2020", value, 13, &all), of("2022", value, 14, &all)])
    };
    let points = compare::trend(&[first, later]);
    let points: Vec<_> = points.iter().map(|point| Point::of(point).unwrap()).collect();
    let since: Vec<_> = points.iter().map(|point| point.since).collect();
    use Since::{Anew, Contributors, Method, Same};
    assert_eq!(since, [Anew, Same, Contributors, Anew, Anew, Method, Anew]);
    assert_eq!(points[0].whole, Some((10, 60)));
    assert_eq!(points[3].cell, Cell::not_shown());
}

#[test]
fn a_frame_of_a_picture_tells_coverage_and_source_as_they_were_signed() {
    let picture = picture(Vec::new());
    let drawn_at = crate::clock::Timestamp::from_s("", 1_714_485_900).unwrap();
    let drawn = (3, drawn_at, crate::seal::Digest::of(b"signed"));
    let names = ["h", "Homicides", "Offences, 2019"];
    let about = Frame::of_picture(&picture, drawn, names, vec![text("TLP:GREEN")]).unwrap();
    let said = chart(about, ranks().view).description();
    let coverage =
        "Coverage 4 of 7 members · as of 2024-04-30T14:05:00Z · picture r1 version 3 (SHA-256 ";
    assert!(said.contains(coverage), "{said}");
}

#[test]
fn what_a_picture_says_of_an_indicator_stands_below_its_chart() {
    let deviation = region::Deviation {
        indicator: "PUB.OFF.N".to_owned(),
        node: "me-police".to_owned(),
        jurisdiction: "ME".to_owned(),
        codes: vec!["WIDER".to_owned()],
    };
    let picture = region::Picture { deviations: vec![deviation], ..picture(Vec::new()) };
    let notes = notes_of(&picture, "PUB.OFF.N", Lists::builtin()).unwrap();
    let [note] = notes.as_slice() else { panic!("{notes:?}") };
    assert!(note.as_str().contains("Counts more than the definition says"), "{note}");
    assert!(notes_of(&picture, "DRG.SEIZ.COC.KG", Lists::builtin()).unwrap().is_empty());
}
