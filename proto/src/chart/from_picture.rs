//! From a signed picture to views. Comes in: cells, shares and members as a picture has them. Goes out: decided states of cells.
//! The only file of the charts that knows the wire. Must never put a pooled figure under a jurisdiction's name: what may stand
//! there comes from a share, which stands under a name already.

use std::collections::BTreeMap;

use super::{
    Cell, Frame, Heat, InCells, Map, Member, Members, Place, Point, Quality, Since, Standing, Text,
};
use crate::{
    clock::Timestamp,
    compare::{self, Flag},
    reason::{Invalid, Reason, quoted},
    regional::{self, COUNTED_TWICE},
    seal::Digest,
    taxonomy::{CrimeAreaCode, Lists, TOTAL},
    wire::region::{self, PictureStatus, ShareStatus},
};

impl Cell {
    /// A cell of a picture. `answered`: at least one member has answered.
    ///
    /// # Errors
    /// `FIELD_INVALID` of a figure outside of its interval, which no signed picture holds.
    pub fn of_picture(cell: &region::PictureCell, answered: bool) -> Result<Self, Invalid> {
        let within = (cell.lower.unwrap_or(cell.value), cell.upper.unwrap_or(cell.value));
        match cell.status() {
            PictureStatus::Value => Self::value(cell.value, within, cell.decimals),
            PictureStatus::Partial => {
                Ok(Self::value(cell.value, within, cell.decimals)?.with(Quality::Partial))
            }
            PictureStatus::Between => Self::between(within, cell.decimals),
            PictureStatus::Missing => Ok(Self::missing()),
            PictureStatus::NotApplicable => Ok(Self::not_applicable()),
            PictureStatus::NotShown if !answered => Ok(Self::waiting(None)),
            PictureStatus::NotShown | PictureStatus::Unspecified => Ok(Self::not_shown()),
        }
    }
}

/// A cell that may stand under a jurisdiction's name: its own figure, which it lets stand there, or no figure at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedCell(Cell);

impl NamedCell {
    /// A member's own figure, as a picture shows it under its name.
    ///
    /// # Errors
    /// `FIELD_INVALID` of an interval that ends before it begins, which no signed picture holds.
    pub fn of_share(share: &region::Share, decimals: u32) -> Result<Self, Invalid> {
        // 1.96 standard errors, outward.
        let error = i64::try_from(share.standard_error_milli.saturating_mul(196).div_ceil(100_000));
        let error = error.unwrap_or(i64::MAX);
        let value = share.value;
        let within = (value.saturating_sub(error), value.saturating_add(error));
        Ok(Self(match share.status() {
            ShareStatus::Value => Cell::value(value, within, decimals)?,
            ShareStatus::Between => Cell::between((value, share.upper), decimals)?,
            ShareStatus::Missing => Cell::missing(),
            ShareStatus::NotApplicable => Cell::not_applicable(),
            ShareStatus::NotShown | ShareStatus::Unspecified => Cell::not_shown(),
        }))
    }

    /// Anything but a figure may stand under every name; a figure is refused by being not shown.
    pub fn without_figure(cell: Cell) -> Self {
        if cell.as_figure().is_some() { Self(Cell::not_shown()) } else { Self(cell) }
    }

    /// The same, of which more is to be known.
    #[must_use]
    pub fn with(self, quality: Quality) -> Self {
        Self(self.0.with(quality))
    }

    pub(super) fn cell(&self) -> &Cell {
        &self.0
    }
}

impl Frame {
    /// The frame of a picture: coverage and source are its own. `drawn`: version, when it was drawn, digest of its signed
    /// bytes; `names`: id, title, subtitle; with its handling marks.
    ///
    /// # Errors
    /// As [`Text::new`].
    pub fn of_picture(
        picture: &region::Picture,
        (version, drawn_at, digest): (u32, Timestamp, Digest),
        [id, title, subtitle]: [&str; 3],
        handling: Vec<Text>,
    ) -> Result<Self, Invalid> {
        let coverage = picture.coverage.unwrap_or_default();
        let digest = digest.to_string();
        let short = digest.get(..12).unwrap_or(&digest);
        let source =
            format!("picture {} version {version} (SHA-256 {short}…)", picture.requirement);
        Ok(Self {
            id: id.to_owned(),
            title: Text::new("chart.title", title)?,
            subtitle: Text::new("chart.subtitle", subtitle)?,
            handling,
            answered: coverage.answered,
            asked: coverage.members,
            as_of: Text::new("chart.as_of", &drawn_at.to_string())?,
            source: Text::new("chart.source", &source)?,
            notes: Vec::new(),
        })
    }
}

impl Point {
    /// A point of a trend, as [`compare::trend`] found it.
    ///
    /// # Errors
    /// As [`Cell::of_picture`].
    pub fn of(point: &compare::Point) -> Result<Self, Invalid> {
        let cell = Cell::of_picture(&point.cell, point.answered)?;
        let has = |flag| point.flags.contains(&flag);
        // At the edge of a gap there is nothing to compare: the gap says so itself.
        let alone = cell.as_figure().is_none() || has(Flag::Status) || point.since.is_empty();
        let since = if alone {
            Since::Anew
        } else if has(Flag::Break) || has(Flag::Method) {
            Since::Method
        } else if has(Flag::Contributors) {
            Since::Contributors
        } else {
            Since::Same
        };
        let told = &point.cell;
        let whole = told.whole_lower.zip(told.whole_upper);
        let whole = whole.filter(|whole| told.lower.zip(told.upper) != Some(*whole));
        Ok(Self { period: Text::new("chart.period", &point.period)?, cell, whole, since })
    }
}

/// Which cells of a picture.
#[derive(Clone, Copy, Debug)]
pub struct Selection<'a> {
    /// Indicator.
    pub indicator: &'a str,
    /// Period.
    pub period: &'a str,
    /// Categories, as a picture writes them; [`TOTAL`] for all together.
    pub categories: &'a str,
}

impl<'a> Selection<'a> {
    /// The totals of an indicator in a period.
    pub fn totals(indicator: &'a str, period: &'a str) -> Self {
        Self { indicator, period, categories: TOTAL }
    }

    fn has(&self, cell: &region::PictureCell) -> bool {
        cell.indicator == self.indicator
            && cell.period == self.period
            && cell.categories == self.categories
    }
}

impl Heat {
    /// Crime areas of a selection by jurisdiction, as far as figures stand under names. `areas`: only these; none: all.
    ///
    /// # Errors
    /// As [`Heat::new`]; `NOT_FOUND` of an area that the picture has no such cell of.
    pub fn of_picture(
        picture: &region::Picture,
        selection: Selection<'_>,
        areas: &[String],
        lists: &Lists,
    ) -> Result<Self, Invalid> {
        let places = places(picture, lists)?;
        let row = |cell: &region::PictureCell| {
            let cells = places.iter().map(|(place, standing)| named(cell, place, *standing));
            let label = Text::new("chart.crime_area", &area_label(&cell.crime_area, lists))?;
            Ok((label, cells.collect::<Result<Vec<_>, Invalid>>()?))
        };
        let cells = || picture.cells.iter().filter(|cell| selection.has(cell));
        if let Some(area) = areas.iter().find(|area| cells().all(|cell| cell.crime_area != **area))
        {
            return Err(no_such_cell(area));
        }
        let wanted =
            |cell: &&region::PictureCell| areas.is_empty() || areas.contains(&cell.crime_area);
        let rows = cells().filter(wanted).map(row).collect::<Result<Vec<_>, Invalid>>()?;
        Self::new(places.iter().map(|(place, _)| place.clone()).collect(), rows)
    }
}

impl Map {
    /// Jurisdictions in one crime area of a selection, as far as figures stand under names.
    ///
    /// # Errors
    /// As [`Map::new`]; `NOT_FOUND` if the picture has no such cell.
    pub fn of_picture(
        picture: &region::Picture,
        selection: Selection<'_>,
        crime_area: &str,
        lists: &Lists,
    ) -> Result<Self, Invalid> {
        let mut cells = picture.cells.iter().filter(|cell| selection.has(cell));
        let cell = cells.find(|cell| cell.crime_area == crime_area);
        let cell = cell.ok_or_else(|| no_such_cell(crime_area))?;
        let place = |(place, standing): (Place, Standing)| {
            let named = named(cell, &place, standing)?;
            Ok((place, named))
        };
        let places = places(picture, lists)?.into_iter().map(place);
        Self::new(places.collect::<Result<Vec<_>, Invalid>>()?)
    }
}

fn no_such_cell(area: &str) -> Invalid {
    let area = quoted(area);
    let detail = format!(
        "the picture has no such cell of {area}: see its indicators, periods and crime areas"
    );
    Invalid::new(Reason::NotFound, "chart.crime_area", detail)
}

impl Members {
    /// Every member of a picture, and in how many cells of each indicator its jurisdiction's figure is.
    ///
    /// # Errors
    /// As [`Members::new`].
    pub fn of_picture(picture: &region::Picture, lists: &Lists) -> Result<Self, Invalid> {
        let mut indicators: Vec<_> = picture.cells.iter().map(|cell| &cell.indicator).collect();
        indicators.sort_unstable();
        indicators.dedup();
        let label = |code: &&String| {
            let known = lists.indicator("indicator", code).ok();
            Text::new("chart.indicator", known.map_or(code.as_str(), |known| &known.label))
        };
        let columns = indicators.iter().map(label).collect::<Result<Vec<_>, Invalid>>()?;
        let member = |state: &region::MemberState| {
            let several =
                picture.members.iter().filter(|of| of.jurisdiction == state.jurisdiction).count()
                    > 1;
            let counts = |indicator: &&String| {
                let cells = || picture.cells.iter().filter(|cell| cell.indicator == **indicator);
                let shown = cells().filter(|cell| cell.contributors.contains(&state.jurisdiction));
                InCells::new(count(shown.count()), count(cells().count()))
            };
            Ok(Member {
                place: Place::of("chart.member", &state.jurisdiction, lists)?,
                node: several.then(|| Text::new("chart.node", &state.node)).transpose()?,
                standing: standing(state.state()),
                detail: None,
                cells: indicators.iter().map(counts).collect::<Result<_, Invalid>>()?,
            })
        };
        let members = picture.members.iter().map(member).collect::<Result<_, Invalid>>()?;
        Self::new(columns, members)
    }
}

/// What a picture says of an indicator besides its figures: who counts otherwise, and what is counted twice.
///
/// # Errors
/// As [`Text::new`].
pub fn notes_of(
    picture: &region::Picture,
    indicator: &str,
    lists: &Lists,
) -> Result<Vec<Text>, Invalid> {
    let declared = picture.deviations.iter().filter(|of| of.indicator == indicator);
    let declared =
        declared.map(|of| format!("Counted otherwise: {}.", regional::in_words(of, lists)));
    let twice = lists.indicator("indicator", indicator).is_ok_and(|known| known.counted_twice);
    let twice = twice.then(|| COUNTED_TWICE.to_owned());
    declared.chain(twice).map(|text| Text::new("chart.notes", &text)).collect()
}

fn count(cells: usize) -> u32 {
    u32::try_from(cells).unwrap_or(u32::MAX)
}

/// Name of a crime area; of one that the lists at hand do not know, its code.
pub fn area_label(code: &str, lists: &Lists) -> String {
    let known = CrimeAreaCode::parse(code).map_or("", |code| lists.crime_area_label(code));
    if known.is_empty() { code.to_owned() } else { known.to_owned() }
}

fn standing(state: region::State) -> Standing {
    match state {
        region::State::Answered => Standing::Answered,
        region::State::Pending => Standing::Pending,
        region::State::Declined => Standing::Declined,
        region::State::Late => Standing::Late,
        region::State::Unreachable => Standing::Unreachable,
        region::State::Rejected | region::State::Unspecified => Standing::Rejected,
    }
}

/// Jurisdictions of a picture; one with several nodes stands as the one that is nearest to an answer.
fn places(picture: &region::Picture, lists: &Lists) -> Result<Vec<(Place, Standing)>, Invalid> {
    let mut found = BTreeMap::<&str, Standing>::new();
    let near = |standing| match standing {
        Standing::Answered => 0,
        Standing::Pending => 1,
        Standing::Late | Standing::Unreachable | Standing::Rejected => 2,
        Standing::Declined => 3,
    };
    for state in &picture.members {
        let new = standing(state.state());
        let known = found.entry(&state.jurisdiction).or_insert(new);
        if near(new) < near(*known) {
            *known = new;
        }
    }
    let place = |(code, standing)| Ok((Place::of("chart.place", code, lists)?, standing));
    found.into_iter().map(place).collect()
}

/// What may stand under a jurisdiction's name in a cell.
fn named(
    cell: &region::PictureCell,
    place: &Place,
    standing: Standing,
) -> Result<NamedCell, Invalid> {
    let own =
        |share: &&region::Share| share.jurisdiction == place.code && share.region == place.code;
    let mut shares = cell.shares.iter().filter(own);
    let shown = shares.next().map(|share| NamedCell::of_share(share, cell.decimals)).transpose()?;
    if let Some(shown) = shown {
        // Nodes of one jurisdiction that hold different figures: nobody can say which is true.
        let others = shares.map(|share| NamedCell::of_share(share, cell.decimals));
        let others = others.collect::<Result<Vec<_>, Invalid>>()?;
        let alike = others.iter().all(|other| *other == shown);
        return Ok(if alike { shown } else { NamedCell(Cell::not_shown()) });
    }
    Ok(NamedCell(match standing {
        Standing::Answered if cell.missing.contains(&place.code) => Cell::missing(),
        Standing::Answered | Standing::Declined => Cell::not_shown(),
        Standing::Pending => Cell::waiting(None),
        Standing::Late | Standing::Unreachable => Cell::unreachable(None),
        Standing::Rejected => Cell::unreachable(Some(Text::new("chart.member", "rejected")?)),
    }))
}
