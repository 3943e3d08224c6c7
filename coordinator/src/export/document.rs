//! From the signed picture to what is exported. Comes in: a picture as the coordinator hands it out, and the lists.
//! Goes out: header and observations. The only file of the exports that knows the wire: a new field of the picture is
//! read here.

use std::collections::BTreeSet;

use accord_proto::{
    clock::Timestamp,
    ratio,
    reason::Invalid,
    regional,
    seal::Digest,
    strict,
    taxonomy::{CrimeAreaCode, Indicator, Lists, Period, TOTAL, WHOLE_REGION},
    wire::{Notice, Standing, region},
};

use super::{
    Header, Member,
    observation::{Basis, Category, Named, Observation, State},
};

/// Reads a picture: what holds for all of it, and every cell.
///
/// # Errors
/// What cannot be read as a picture; a code that the lists at hand do not know is no error.
pub fn open(
    document: region::PictureDocument,
    lists: &Lists,
) -> Result<(Header, Vec<Observation>), Invalid> {
    let region::PictureDocument { version, drawn_at_s, picture, notices } = document;
    let payload = picture.unwrap_or_default().payload;
    let picture: region::Picture = strict::decode_signed("picture", &payload)?;
    let notices = notices.iter().map(|envelope| {
        let notice: Notice = strict::decode_signed("notice", &envelope.payload)?;
        Ok(said(&notice))
    });
    let region::Coverage { answered, members: asked } = picture.coverage.unwrap_or_default();
    let ratios = ratio::of(&picture, lists);
    let header = Header {
        version,
        drawn_at: Timestamp::from_s("picture.drawn_at", drawn_at_s)?,
        digest: Digest::of(&payload),
        answered,
        asked,
        contributors_min: picture.contributors_min,
        members: picture.members.iter().map(|state| member(state, lists)).collect(),
        deviations: picture.deviations.iter().map(|of| regional::in_words(of, lists)).collect(),
        notices: notices.collect::<Result<_, Invalid>>()?,
        population: None,
        dimensions: dimensions(lists),
        cells: picture.cells.len() + ratios.len(),
        selection: Vec::new(),
        federation: picture.federation,
        requirement: picture.requirement,
        lists: picture.lists,
    };
    let mut cells = Vec::new();
    for cell in picture.cells.iter().chain(&ratios) {
        let whole = Observation::of(cell, answered > 0, lists)?;
        let shares: Vec<_> = cell.shares.iter().map(|share| whole.share(share, lists)).collect();
        cells.push(whole);
        cells.extend(shares);
    }
    Ok((header, cells))
}

impl Observation {
    /// A cell of a picture. `answered`: at least one member has answered.
    ///
    /// # Errors
    /// `PERIOD_INVALID`, which no picture of this version holds.
    pub fn of(cell: &region::PictureCell, answered: bool, lists: &Lists) -> Result<Self, Invalid> {
        let indicator = lists.indicator("indicator", &cell.indicator).ok();
        let state = state(cell.status(), answered);
        let figure = matches!(state, State::Value | State::Partial);
        let area = CrimeAreaCode::parse(&cell.crime_area);
        let area = area.map_or("", |code| lists.crime_area_label(code));
        Ok(Self {
            indicator: named(&cell.indicator, indicator.map_or("", |known| &known.label)),
            unit: cell.unit.clone(),
            counted_twice: indicator.is_some_and(|known| known.counted_twice),
            decimals: cell.decimals,
            crime_area: named(&cell.crime_area, area),
            region: place(&cell.region, lists),
            period: Period::parse("period", &cell.period)?,
            categories: categories(&cell.categories, indicator, lists),
            categories_text: cell.categories.clone(),
            state,
            value: figure.then_some(cell.value),
            standard_error_milli: if figure { cell.standard_error_milli } else { 0 },
            lower: cell.lower,
            upper: cell.upper,
            whole_lower: cell.whole_lower,
            whole_upper: cell.whole_upper,
            basis: basis(cell),
            published_nationally: false,
            contributors: cell.contributors.clone(),
            missing: cell.missing.clone(),
            not_shown: cell.not_shown.clone(),
            silent: cell.silent.clone(),
            footnotes: footnotes(cell, lists),
        })
    }

    /// A member's own figure under its name, in the same cell.
    fn share(&self, share: &region::Share, lists: &Lists) -> Self {
        let (state, value, lower, upper) = match share.status() {
            region::ShareStatus::Value => {
                let exact = (share.standard_error_milli == 0).then_some(share.value);
                (State::Value, Some(share.value), exact, exact)
            }
            region::ShareStatus::Between => {
                (State::Between, None, Some(share.value), Some(share.upper))
            }
            region::ShareStatus::Missing => (State::Missing, None, None, None),
            region::ShareStatus::NotApplicable => (State::NotApplicable, None, None, None),
            region::ShareStatus::NotShown | region::ShareStatus::Unspecified => {
                (State::NotShown, None, None, None)
            }
        };
        let public =
            matches!(share.precision(), region::Precision::Open | region::Precision::Masked);
        let figure = matches!(state, State::Value | State::Between);
        Self {
            region: place(&share.region, lists),
            state,
            value,
            standard_error_milli: share.standard_error_milli,
            lower,
            upper,
            whole_lower: None,
            whole_upper: None,
            basis: figure.then_some(if public { Basis::Open } else { Basis::Pooled }),
            published_nationally: figure && public,
            contributors: if figure { vec![share.jurisdiction.clone()] } else { Vec::new() },
            missing: Vec::new(),
            not_shown: Vec::new(),
            silent: Vec::new(),
            footnotes: Some(footnote(&share.jurisdiction, lists))
                .filter(|footnote| !footnote.is_empty())
                .into_iter()
                .collect(),
            ..self.clone()
        }
    }
}

/// Open, if every contributor's figure is.
fn basis(cell: &region::PictureCell) -> Option<Basis> {
    let public = |basis: &region::Basis| {
        matches!(basis.precision(), region::Precision::Open | region::Precision::Masked)
    };
    let open = cell.basis.iter().all(public);
    (!cell.basis.is_empty()).then_some(if open { Basis::Open } else { Basis::Pooled })
}

fn state(status: region::PictureStatus, answered: bool) -> State {
    match status {
        region::PictureStatus::Value => State::Value,
        region::PictureStatus::Partial => State::Partial,
        region::PictureStatus::Between => State::Between,
        region::PictureStatus::Missing => State::Missing,
        region::PictureStatus::NotApplicable => State::NotApplicable,
        region::PictureStatus::NotShown if !answered => State::Waiting,
        region::PictureStatus::NotShown | region::PictureStatus::Unspecified => State::NotShown,
    }
}

fn named(code: &str, name: &str) -> Named {
    let name = if name.is_empty() { code } else { name };
    Named { code: code.to_owned(), name: name.to_owned() }
}

fn place(code: &str, lists: &Lists) -> Named {
    if code == WHOLE_REGION {
        return named(code, "All members asked");
    }
    // A jurisdiction, or one of its regions.
    let known = lists.jurisdiction("region", code).ok().map(|known| &known.label);
    let region = || lists.region("region", code).ok().map(|known| &known.label);
    named(code, known.or_else(region).map_or("", String::as_str))
}

/// One for each dimension of the indicator; of an indicator that the lists do not know, those that the cell names.
fn categories(text: &str, indicator: Option<&Indicator>, lists: &Lists) -> Vec<Category> {
    let total = || named(TOTAL, "Total");
    let Some(indicator) = indicator else {
        let pairs = text.split(';').filter_map(|pair| pair.split_once('='));
        let of = |(dimension, code): (&str, &str)| Category {
            dimension: dimension.to_owned(),
            category: named(code, ""),
        };
        return pairs.map(of).collect();
    };
    let found = lists.parse_categories("categories", indicator, text).unwrap_or_default();
    let axes = indicator.dimensions.iter().zip(found);
    let of = |(dimension, code): (&_, Option<_>)| {
        let known = lists.categories(*dimension).find(|known| Some(known.code) == code);
        let category = match code {
            Some(code) => named(code.as_str(), known.map_or("", |known| &known.label)),
            None => total(),
        };
        Category { dimension: dimension.to_string(), category }
    };
    axes.map(of).collect()
}

fn footnotes(cell: &region::PictureCell, lists: &Lists) -> Vec<String> {
    let groups = [&cell.contributors, &cell.missing, &cell.not_shown, &cell.silent];
    let codes: BTreeSet<_> = groups.into_iter().flatten().chain([&cell.region]).collect();
    let footnote = |code: &String| footnote(code, lists);
    codes.into_iter().map(footnote).filter(|footnote| !footnote.is_empty()).collect()
}

fn footnote(jurisdiction: &str, lists: &Lists) -> String {
    let known = lists.jurisdiction("jurisdiction", jurisdiction).ok();
    known.map_or_else(String::new, |known| known.footnote.clone())
}

fn member(state: &region::MemberState, lists: &Lists) -> Member {
    Member {
        jurisdiction: place(&state.jurisdiction, lists),
        footnote: footnote(&state.jurisdiction, lists),
        node: state.node.clone(),
        state: match state.state() {
            region::State::Answered => "answered",
            region::State::Pending => "pending",
            region::State::Declined => "declined",
            region::State::Late => "late",
            region::State::Unreachable => "unreachable",
            region::State::Rejected => "rejected",
            region::State::Unspecified => "unknown",
        },
        reason: state.reason.clone(),
        single_handed: state.single_handed,
    }
}

fn said(notice: &Notice) -> String {
    let what = match notice.standing() {
        Standing::Withdrawn => "has withdrawn its answer",
        Standing::Narrowed => "has withdrawn a part of its answer",
        Standing::Unspecified => "says nothing clear of its answer",
    };
    let at = Timestamp::from_s("notice", notice.at_s).map_or(String::new(), |at| at.to_string());
    format!("{} {} {what} ({at}).", notice.jurisdiction, notice.node)
}

fn dimensions(lists: &Lists) -> Vec<String> {
    let used: BTreeSet<_> = lists.indicators().flat_map(|known| &known.dimensions).collect();
    used.into_iter().map(ToString::to_string).collect()
}
