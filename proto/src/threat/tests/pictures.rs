//! Pictures to rank by. Comes in: figures of a test. Goes out: cells and signed bytes of pictures, and their ranking.

use prost::Message as _;

use super::*;
use crate::wire::{
    self,
    region::{self, PictureCell, PictureStatus, Precision, Share, ShareStatus},
};

pub(super) const FIVE: [&str; 5] = ["AL", "BA", "ME", "MK", "RS"];

/// A cell of an index: its members' own figures stand in it, in hundredths.
pub(super) fn index(area: &str, figures: &[(&str, i64)]) -> PictureCell {
    let of = |(code, value): &(&str, i64)| Share {
        node: format!("{}-police", code.to_lowercase()),
        jurisdiction: (*code).to_owned(),
        region: (*code).to_owned(),
        status: ShareStatus::Value.into(),
        value: *value,
        precision: Precision::Open.into(),
        ..Share::default()
    };
    let (count, sum) = (figures.len() as i64, figures.iter().map(|(_, value)| value).sum::<i64>());
    let (lower, upper) = (sum.div_euclid(count), -(-sum).div_euclid(count));
    PictureCell {
        indicator: "PUB.OCI.SCORE".to_owned(),
        crime_area: area.to_owned(),
        region: "REGION".to_owned(),
        period: "2021".to_owned(),
        categories: "_T".to_owned(),
        status: PictureStatus::Value.into(),
        value: lower,
        decimals: 2,
        contributors: figures.iter().map(|(code, _)| (*code).to_owned()).collect(),
        method: region::Method::Mean.into(),
        lower: Some(lower),
        upper: Some(upper),
        whole_lower: Some(lower),
        whole_upper: Some(upper),
        shares: figures.iter().map(of).collect(),
        ..PictureCell::default()
    }
}

/// A cell of a count, of which only the region's figure is told.
pub(super) fn pooled(area: &str, value: i64, (lower, upper): (i64, i64)) -> PictureCell {
    PictureCell {
        indicator: "DRG.SEIZ.N".to_owned(),
        period: "2021".to_owned(),
        decimals: 0,
        value,
        method: region::Method::Sum.into(),
        lower: Some(lower),
        upper: Some(upper),
        whole_lower: Some(lower),
        whole_upper: Some(upper),
        shares: Vec::new(),
        ..index(area, &FIVE.map(|of| (of, 0)))
    }
}

pub(super) fn picture(cells: Vec<PictureCell>, members: &[&str]) -> Vec<u8> {
    let member = |code: &&str| region::MemberState {
        node: format!("{}-police", code.to_lowercase()),
        jurisdiction: (*code).to_owned(),
        ..region::MemberState::default()
    };
    let picture = region::Picture {
        federation: "wb6.example".to_owned(),
        requirement: "0190b1f7-0000-7000-8000-000000000000".to_owned(),
        lists: Lists::builtin().name().to_owned(),
        members: members.iter().map(member).collect(),
        cells,
        ..region::Picture::default()
    };
    picture.encode_to_vec()
}

/// The same picture, as the seals say for an audience.
pub(crate) fn sealed_for(picture: &[u8], audience: &str) -> Vec<u8> {
    let mut picture = region::Picture::decode(picture).unwrap();
    for member in &mut picture.members {
        let seal = wire::Seal { audience: audience.to_owned(), ..wire::Seal::default() };
        let payload = seal.encode_to_vec();
        member.seal = Some(wire::Envelope { payload, ..wire::Envelope::default() });
    }
    picture.encode_to_vec()
}

pub(super) fn ranked(
    indicator: &str,
    pictures: &[&[u8]],
    areas: &[&str],
    order: Order,
) -> Result<Ranking, Invalid> {
    let lists = Lists::builtin();
    let areas: Vec<_> = areas.iter().map(|area| (*area).to_owned()).collect();
    let ask = Ask::read((indicator, "2021", "_T"), &areas, lists)?;
    rank(&ask, &Sources::read(pictures)?, (Rules::builtin(order), None), lists)
}

pub(super) fn with(figures: [i64; 5]) -> Vec<(&'static str, i64)> {
    FIVE.into_iter().zip(figures).collect()
}

/// Four areas of five members: two of them tie.
pub(super) fn four() -> Vec<u8> {
    let cells = vec![
        index("ARM", &with([500, 600, 700, 400, 300])),
        index("DRG.CAN", &with([900, 800, 850, 700, 750])),
        index("MIG", &with([300, 700, 600, 500, 400])),
        index("THB", &with([450, 450, 500, 400, 550])),
    ];
    picture(cells, &FIVE)
}
