//! What rests on several pictures: one audience, and the least coverage of them.

use prost::Message as _;

use super::*;
use crate::wire::{self, region::PictureCell};

/// A picture of one figure, whose seals say for whom it is.
pub(in crate::operate) fn source(audience: &str) -> Source {
    let seal = wire::Seal { audience: audience.to_owned(), ..wire::Seal::default() };
    let seal = wire::Envelope { payload: seal.encode_to_vec(), ..wire::Envelope::default() };
    let member = region::MemberState {
        node: "al-police".to_owned(),
        jurisdiction: "AL".to_owned(),
        state: region::State::Answered.into(),
        seal: Some(seal),
        ..region::MemberState::default()
    };
    let cell = PictureCell {
        indicator: "PUB.OFF.N".to_owned(),
        crime_area: "ICCS0101".to_owned(),
        region: "REGION".to_owned(),
        period: "2016".to_owned(),
        categories: TOTAL.to_owned(),
        status: region::PictureStatus::Value.into(),
        value: 7,
        ..PictureCell::default()
    };
    let picture = region::Picture {
        requirement: "r1".to_owned(),
        coverage: Some(region::Coverage { answered: 1, members: 1 }),
        members: vec![member],
        cells: vec![cell],
        ..region::Picture::default()
    };
    Source::of(&picture.encode_to_vec(), (1, Timestamp::EARLIEST.as_s())).unwrap()
}

#[test]
fn a_trend_of_pictures_for_two_audiences_is_refused_and_one_says_for_whom_it_is() {
    let of = |audiences: &[&str]| {
        let rounds: Vec<_> = audiences.iter().map(|audience| source(audience)).collect();
        trend(&rounds, ("PUB.OFF.N", TOTAL), &[], Lists::builtin())
    };
    let refused = of(&["POLICE", "PARTNERS"]).unwrap_err();
    assert_eq!((refused.reason, refused.field.as_str()), (Reason::MethodUnfit, "pictures"));
    let drawn = of(&["POLICE", "POLICE"]).unwrap().draw();
    assert!(drawn.as_str().contains("Audience: POLICE"), "{}", drawn.as_str());
}

#[test]
fn of_several_pictures_the_smallest_share_is_told_and_not_the_smallest_number() {
    // Five of six is more than ten of twenty.
    assert_eq!(least_covered([(5, 6), (10, 20), (6, 6)]), (10, 20));
    assert_eq!(least_covered([(6, 6), (5, 6)]), (5, 6));
    assert_eq!(least_covered([(u32::MAX, u32::MAX), (u32::MAX - 1, u32::MAX)]).0, u32::MAX - 1);
    assert_eq!(least_covered([(0, 0), (3, 3)]), (3, 3));
    assert_eq!(least_covered([]), (0, 0));
}
