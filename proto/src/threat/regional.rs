//! What published pictures say of crime areas. Comes in: signed bytes of pictures, and which series of cells is to be ranked. Goes
//! out: for each area where its figure lies, or why there is none; and what each jurisdiction adds, where every figure of
//! it is public under its name. Must never read anything but cells: a ranking tells nothing that its pictures do not.

use std::collections::{BTreeMap, BTreeSet};

use super::{ranks::Bounds, subject::no_jurisdiction};
use crate::{
    audience,
    limits::{AXIS_MAX, ROUNDS_MAX},
    reason::{Invalid, Reason},
    roster::{ascending, bounded},
    seal::Digest,
    strict,
    taxonomy::{Categories, CrimeAreaCode, Indicator, JurisdictionCode, Lists, Period, Semantics},
    wire::{
        region::{self, PictureCell, PictureStatus, ShareStatus},
        threat::WhiteSpotReason,
    },
};

/// A dimension that tells scoring methods apart.
const METHOD: &str = "METHOD";

/// Which cells are ranked: one indicator, period and set of categories, over crime areas. There is no word in it for a
/// jurisdiction.
#[derive(Clone, Debug)]
pub struct Ask<'a> {
    /// What is counted or measured.
    pub indicator: &'a Indicator,
    /// Which period.
    pub period: Period,
    /// Which categories.
    pub categories: Categories,
    /// Which areas, ascending; none: all that the pictures hold.
    pub areas: Vec<CrimeAreaCode>,
}

impl<'a> Ask<'a> {
    /// Reads what somebody asks for.
    pub fn read(
        (indicator, period, categories): (&str, &str, &str),
        areas: &[String],
        lists: &'a Lists,
    ) -> Result<Self, Invalid> {
        let indicator = lists.indicator("indicator", indicator)?;
        bounded("areas", areas.len(), AXIS_MAX)?;
        let area = |text: &String| lists.crime_area("areas", indicator, text);
        let areas = areas.iter().map(area).collect::<Result<Vec<_>, _>>()?;
        ascending("areas", &areas)?;
        let period = lists.period("period", indicator, period)?;
        let categories = lists.parse_categories("categories", indicator, categories)?;
        Ok(Self { indicator, period, categories, areas })
    }

    /// The method whose scores are asked for; none: its own methods of each, or no scores.
    pub(super) fn method(&self) -> Option<&str> {
        let pairs = self.indicator.dimensions.iter().zip(&self.categories);
        let mut methods = pairs.filter(|(dimension, _)| dimension.as_str() == METHOD);
        methods.next().and_then(|(_, code)| code.as_ref()).map(|code| code.as_str())
    }

    /// Are there scores of several methods under this indicator?
    pub(super) fn has_methods(&self) -> bool {
        self.indicator.dimensions.iter().any(|dimension| dimension.as_str() == METHOD)
    }
}

/// Pictures that a ranking rests on. Made by [`Sources::read`] only.
#[derive(Clone, Debug)]
pub struct Sources {
    /// Ascending by digest.
    pictures: Vec<(Digest, region::Picture)>,
    audience: Option<String>,
}

impl Sources {
    /// Reads the signed bytes of pictures: the payloads of their envelopes. Whether their signatures hold is the caller's
    /// check before.
    ///
    /// # Errors
    /// `METHOD_UNFIT` of pictures of two federations, code lists or audiences; `FIELD_MISSING` of none; `LIMIT_EXCEEDED`.
    pub fn read(payloads: &[&[u8]]) -> Result<Self, Invalid> {
        bounded("pictures", payloads.len(), ROUNDS_MAX)?;
        let read = |(at, payload): (usize, &&[u8])| {
            let picture = strict::decode_signed(&format!("pictures[{at}]"), payload)?;
            Ok((Digest::of(payload), picture))
        };
        let mut pictures = payloads.iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
        pictures.sort_by_key(|(digest, _): &(Digest, region::Picture)| *digest);
        pictures.dedup_by_key(|(digest, _)| *digest);
        let Some((_, first)) = pictures.first() else {
            let detail = "a ranking rests on at least one picture";
            return Err(Invalid::new(Reason::FieldMissing, "pictures", detail));
        };
        for (digest, other) in &pictures {
            let same = (&other.federation, &other.lists) == (&first.federation, &first.lists);
            if !same {
                let detail = format!("{digest} is of another federation or other code lists");
                return Err(Invalid::new(Reason::MethodUnfit, "pictures", detail));
            }
        }
        let audience = audience::of_all(pictures.iter().map(|(_, picture)| picture))?;
        Ok(Self { pictures, audience })
    }

    /// SHA-256 of each picture, ascending.
    pub fn digests(&self) -> impl Iterator<Item = Digest> {
        self.pictures.iter().map(|(digest, _)| *digest)
    }

    /// For whom they all are; empty: for those who asked alone.
    pub(super) fn audience(&self) -> &str {
        self.audience.as_deref().unwrap_or_default()
    }

    /// Federation and code lists of them all.
    pub(super) fn heading(&self) -> (&str, &str) {
        let first = self.pictures.first();
        first.map_or(("", ""), |(_, picture)| (&picture.federation, &picture.lists))
    }

    /// Jurisdictions that were asked, by any of them.
    fn asked(&self, lists: &Lists) -> Result<BTreeSet<JurisdictionCode>, Invalid> {
        let members = self.pictures.iter().flat_map(|(_, picture)| &picture.members);
        let of = |member: &region::MemberState| {
            Ok(lists.jurisdiction("pictures.members.jurisdiction", &member.jurisdiction)?.code)
        };
        members.map(of).collect()
    }

    /// The cell of each area.
    fn cells(
        &self,
        ask: &Ask<'_>,
        lists: &Lists,
    ) -> Result<BTreeMap<CrimeAreaCode, &PictureCell>, Invalid> {
        let (indicator, period) = (ask.indicator.code.as_str(), ask.period.to_string());
        let categories = lists.write_categories(ask.indicator.code, &ask.categories);
        let asked = |cell: &&PictureCell| {
            cell.indicator == indicator && cell.period == period && cell.categories == categories
        };
        let mut cells = BTreeMap::new();
        for cell in self.pictures.iter().flat_map(|(_, picture)| &picture.cells).filter(asked) {
            let area =
                lists.crime_area("pictures.cells.crime_area", ask.indicator, &cell.crime_area)?;
            if !ask.areas.is_empty() && !ask.areas.contains(&area) {
                continue;
            }
            if cells.insert(area, cell).is_some_and(|other| other != cell) {
                let detail = "two pictures tell different figures of it: name one of them";
                return Err(Invalid::new(Reason::MethodUnfit, format!("pictures[{area}]"), detail));
            }
        }
        Ok(cells)
    }
}

/// An area with a figure.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) area: CrimeAreaCode,
    /// Of those who contribute.
    pub(super) within: Bounds,
    /// Of everybody who was asked; open where no bound is known.
    pub(super) whole: Bounds,
    pub(super) by_middle: bool,
    pub(super) other_contributors: bool,
}

/// What pictures say of what was asked.
#[derive(Debug)]
pub(super) struct Evidence {
    /// Ascending by code.
    pub(super) placed: Vec<Placed>,
    /// Ascending by code.
    pub(super) white: Vec<(CrimeAreaCode, WhiteSpotReason)>,
    pub(super) asked: usize,
    /// For each jurisdiction whose own public figures, under its name, place every area: these figures.
    pub(super) raters: Vec<Vec<i128>>,
    /// Everybody who contributes to any of the areas is among the raters, and the region's figure is their sum or mean.
    pub(super) all_known: bool,
    /// Weights of jurisdictions are in the figures at all, and of a mean they are its own.
    pub(super) weighed: Option<bool>,
}

/// Reads the cells.
pub(super) fn evidence(
    ask: &Ask<'_>,
    sources: &Sources,
    lists: &Lists,
) -> Result<Evidence, Invalid> {
    let cells = sources.cells(ask, lists)?;
    let asked =
        if ask.areas.is_empty() { cells.keys().copied().collect() } else { ask.areas.clone() };
    bounded("areas", asked.len(), AXIS_MAX)?;
    apart(&asked, ask.indicator, lists)?;
    let (mut shown, mut white) = (Vec::new(), Vec::new());
    for area in asked {
        match cells.get(&area).map(|cell| told(cell)) {
            None => white.push((area, WhiteSpotReason::NotAsked)),
            Some(Err(reason)) => white.push((area, reason)),
            Some(Ok(cell)) => shown.push((area, cell)),
        }
    }
    let contributors = |cell: &PictureCell| cell.contributors.clone();
    let first = shown.first().map(|(_, cell)| contributors(cell)).unwrap_or_default();
    let methods: BTreeSet<_> = shown.iter().map(|(_, cell)| cell.method).collect();
    let others = shown.iter().any(|(_, cell)| cell.contributors != first);
    let raters = raters(&shown, lists)?;
    let summed = [region::Method::Sum, region::Method::Mean].map(i32::from);
    let of_sums = methods.len() == 1 && methods.iter().all(|method| summed.contains(method));
    let known = |code: &String| raters.keys().any(|of| of.as_str() == code);
    let all_known = of_sums
        && !others
        && !raters.is_empty()
        && first.len() == raters.len()
        && first.iter().all(known);
    let placed = shown.iter().enumerate().map(|(at, (area, cell))| {
        let mut placed = place(*area, cell)?;
        placed.other_contributors = contributors(cell) != first;
        // Known one by one, a figure is exact: no rounding of a mean stands between two areas.
        if all_known {
            exactly(&mut placed, raters.values().filter_map(|of| of.get(at)), cell)?;
        }
        Ok(placed)
    });
    Ok(Evidence {
        placed: placed.collect::<Result<_, Invalid>>()?,
        white,
        asked: sources.asked(lists)?.len(),
        weighed: of_sums.then_some(others && methods.contains(&i32::from(region::Method::Mean))),
        raters: raters.into_values().collect(),
        all_known,
    })
}

/// No area is a jurisdiction; and where figures count something, what contains an area is never below it: that is no order.
fn apart(areas: &[CrimeAreaCode], indicator: &Indicator, lists: &Lists) -> Result<(), Invalid> {
    let counted = match indicator.semantics {
        Semantics::Flow | Semantics::Magnitude | Semantics::Stock => true,
        Semantics::Score | Semantics::Price | Semantics::Ratio => false,
    };
    for area in areas {
        no_jurisdiction("areas", area.as_str(), lists)?;
    }
    for area in areas.iter().filter(|_| counted) {
        let mut above = lists.areas_above(indicator.code, *area).into_iter();
        if let Some(whole) = above.find(|whole| areas.contains(whole)) {
            let detail =
                format!("is a part of {whole}: name the areas to rank, without one of the two");
            return Err(Invalid::new(Reason::MethodUnfit, format!("areas[{area}]"), detail));
        }
    }
    Ok(())
}

/// The cell if it tells where a figure lies; otherwise why not.
fn told(cell: &PictureCell) -> Result<&PictureCell, WhiteSpotReason> {
    match cell.status() {
        PictureStatus::Value | PictureStatus::Partial | PictureStatus::Between => Ok(cell),
        PictureStatus::Missing => Err(WhiteSpotReason::Missing),
        PictureStatus::NotShown => Err(WhiteSpotReason::NotShown),
        PictureStatus::NotApplicable => Err(WhiteSpotReason::NotApplicable),
        PictureStatus::Unspecified => Err(WhiteSpotReason::Unspecified),
    }
}

/// Numbers are doubled, so that the middle of an interval is whole.
fn place(area: CrimeAreaCode, cell: &PictureCell) -> Result<Placed, Invalid> {
    let wrong = |detail: &str| {
        Invalid::new(Reason::PictureFalse, format!("pictures[{area}]"), detail.to_owned())
    };
    let by_middle = cell.status() == PictureStatus::Between;
    let (Some(lower), Some(upper)) = (cell.lower, cell.upper) else {
        return Err(wrong("there is a figure, and not where it lies"));
    };
    let [lo, hi, value] = [lower, upper, cell.value].map(|of| 2 * i128::from(of));
    let point = if by_middle { i128::midpoint(lo, hi) } else { value };
    if lo > point || point > hi {
        return Err(wrong("the figure does not lie where it is said to"));
    }
    let whole = |bound: Option<i64>, open| bound.map_or(open, |of| 2 * i128::from(of));
    Ok(Placed {
        area,
        within: Bounds { point, lo, hi },
        // It holds what those who contribute allow, or the picture contradicts itself: then both.
        whole: Bounds {
            point,
            lo: whole(cell.whole_lower, i128::MIN).min(lo),
            hi: whole(cell.whole_upper, i128::MAX).max(hi),
        },
        by_middle,
        other_contributors: false,
    })
}

/// The sum of all instead of the picture's figure: of a mean, everything is taken times its contributors.
fn exactly<'a>(
    placed: &mut Placed,
    figures: impl Iterator<Item = &'a i128>,
    cell: &PictureCell,
) -> Result<(), Invalid> {
    let figures: Vec<_> = figures.collect();
    let times = match cell.method() {
        region::Method::Mean => i128::try_from(figures.len()).unwrap_or(1),
        region::Method::Sum
        | region::Method::Median
        | region::Method::Ratio
        | region::Method::Unspecified => 1,
    };
    let point = 2 * figures.into_iter().sum::<i128>();
    let scaled = |of: i128| of.saturating_mul(times);
    if point < scaled(placed.within.lo) || scaled(placed.within.hi) < point {
        let (field, detail) =
            (format!("pictures[{}]", placed.area), "members' own figures do not make the region's");
        return Err(Invalid::new(Reason::PictureFalse, field, detail));
    }
    let absent = cell.whole_lower != cell.lower || cell.whole_upper != cell.upper;
    placed.within = Bounds { point, lo: point, hi: point };
    placed.whole = if absent {
        Bounds { point, lo: scaled(placed.whole.lo), hi: scaled(placed.whole.hi) }
    } else {
        placed.within
    };
    Ok(())
}

/// Jurisdictions whose public figures stand in every one of the cells under their name. Nodes of one that tell different
/// ones tell nothing.
fn raters(
    shown: &[(CrimeAreaCode, &PictureCell)],
    lists: &Lists,
) -> Result<BTreeMap<JurisdictionCode, Vec<i128>>, Invalid> {
    let mut figures = BTreeMap::<JurisdictionCode, BTreeMap<usize, Option<i64>>>::new();
    for (at, (_, cell)) in shown.iter().enumerate() {
        // Of a part of a jurisdiction there is no order of the jurisdiction.
        for share in cell.shares.iter().filter(|share| share.region == share.jurisdiction) {
            let of =
                lists.jurisdiction("pictures.cells.shares.jurisdiction", &share.jurisdiction)?;
            let exact = share.status() == ShareStatus::Value && share.standard_error_milli == 0;
            let told = exact.then_some(share.value);
            let places = figures.entry(of.code).or_default();
            let place = places.entry(at).or_insert(told);
            *place = if *place == told { told } else { None };
        }
    }
    let whole = |(of, figures): (JurisdictionCode, BTreeMap<usize, Option<i64>>)| {
        let all: Option<Vec<_>> = figures.values().map(|of| of.map(i128::from)).collect();
        all.filter(|all| all.len() == shown.len()).map(|all| (of, all))
    };
    Ok(figures.into_iter().filter_map(whole).collect())
}
