//! Figures that actions are measured by. Comes in: signed bytes of pictures, and the plan that says which cells it wants. Goes out: for a
//! cell and a period what is told of it, or why nothing is. The newest version counts, of the same requirement only; where two
//! requirements tell different figures and the plan names neither, both are shown and none is taken.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::plan::{ActionIndicator, Plan};
use crate::{
    id::RequirementId,
    limits::PLAN_PICTURES_MAX,
    ratio,
    reason::{Invalid, Reason},
    roster::bounded,
    seal::Digest,
    strict,
    taxonomy::{Lists, Period, decimal},
    wire::region::{self, PictureCell, PictureStatus},
};

/// Indicator, crime area, categories.
type Series = (String, String, String);
/// What one picture says of a cell.
type Word = Result<Arc<Figure>, Untold>;

/// A figure of the region, and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// The requirement whose picture tells it.
    pub requirement: RequirementId,
    /// Version of that picture.
    pub version: u32,
    /// SHA-256 of its signed bytes.
    pub picture: Digest,
    /// In units of 10^-decimals; none: only where it lies is told.
    pub value: Option<i64>,
    /// Where what those who contribute hold lies at least.
    pub low: i64,
    /// And at most.
    pub high: i64,
    /// The same for everybody who was asked; none: no such bound is known.
    pub whole_low: Option<i64>,
    /// See `whole_low`.
    pub whole_high: Option<i64>,
    /// It rests on every jurisdiction that was asked.
    pub of_all: bool,
    /// Decimals of all these numbers.
    pub decimals: u32,
    /// Version and digest of the code lists.
    pub(super) lists: String,
    pub(super) cell: PictureCell,
}

/// Why there is no figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Untold {
    /// No picture asks for it.
    NotAsked,
    /// It is not combined across jurisdictions.
    NotApplicable,
    /// Everybody who answered says that it is not available.
    Missing,
    /// Withheld by the nodes or by the regional gate.
    NotShown,
}

impl Untold {
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotAsked => "no picture asks for it",
            Self::NotApplicable => "it is not combined across jurisdictions",
            Self::Missing => "the jurisdictions say that it is not available",
            Self::NotShown => "it is not shown",
        }
    }
}

/// What is told of a cell.
#[derive(Clone, Debug)]
pub enum Told<'a> {
    /// One figure.
    Figure(&'a Arc<Figure>),
    /// Several requirements tell different ones.
    Conflict(Vec<&'a Arc<Figure>>),
    /// None.
    Untold(Untold),
}

/// What pictures tell of the cells that a plan names. Made by [`Figures::read`] only.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// In the order of requirements, which carry their time.
    told: BTreeMap<(Series, Period), Vec<Word>>,
}

impl Figure {
    /// The figure, or where it lies; what is not exact says so.
    pub fn text(&self) -> String {
        let [low, high] = [self.low, self.high].map(|bound| decimal(bound, self.decimals));
        match self.value {
            Some(value) if self.low == self.high => decimal(value, self.decimals),
            Some(value) => format!("{} ({low}..{high})", decimal(value, self.decimals)),
            None => format!("{low}..{high}"),
        }
    }

    /// Does it tell the same, of the same contributors?
    fn says_the_same(&self, other: &Self) -> bool {
        let said = |of: &Self| {
            let within = (of.low, of.high, of.whole_low, of.whole_high);
            (of.value, within, of.decimals, of.cell.contributors.clone())
        };
        said(self) == said(other)
    }
}

impl Figures {
    /// Reads the cells that a plan names. `pictures`: version and signed bytes of each: the payload of its envelope. Whether
    /// signatures hold is the caller's check before.
    ///
    /// # Errors
    /// `FIELD_*` of a picture that cannot be read, or that is another one under the same version; `METHOD_UNFIT` of one of
    /// another federation; `PICTURE_FALSE` of a figure that does not lie where it is said to.
    pub fn read(plan: &Plan, pictures: &[(u32, &[u8])], lists: &Lists) -> Result<Self, Invalid> {
        bounded("pictures", pictures.len(), PLAN_PICTURES_MAX)?;
        let mut newest = BTreeMap::<RequirementId, (u32, Digest, region::Picture)>::new();
        let mut federation: Option<String> = None;
        for (at, (version, payload)) in pictures.iter().enumerate() {
            let place = format!("pictures[{at}]");
            let refuse =
                |reason, detail: &str| Err(Invalid::new(reason, place.clone(), detail.to_owned()));
            let picture: region::Picture = strict::decode_signed(&place, payload)?;
            let digest = Digest::of(payload);
            let requirement =
                RequirementId::parse(&format!("{place}.requirement"), &picture.requirement)?;
            if *federation.get_or_insert_with(|| picture.federation.clone()) != picture.federation {
                return refuse(Reason::MethodUnfit, "is of another federation than the first");
            }
            match newest.get(&requirement) {
                Some((known, of, _)) if known == version && *of != digest => {
                    let detail = "is another one than a picture with the same version before";
                    return refuse(Reason::FieldInvalid, detail);
                }
                Some((known, ..)) if known >= version => {}
                Some(_) | None => {
                    newest.insert(requirement, (*version, digest, picture));
                }
            }
        }
        let wanted: BTreeSet<_> = plan
            .actions()
            .flat_map(|(_, action)| &action.indicators)
            .map(|of| of.series(lists))
            .collect();
        let mut figures = Self::default();
        for (requirement, (version, digest, picture)) in newest {
            figures.take(&wanted, (requirement, version, digest), &picture, lists)?;
        }
        Ok(figures)
    }

    fn take(
        &mut self,
        wanted: &BTreeSet<Series>,
        (requirement, version, digest): (RequirementId, u32, Digest),
        picture: &region::Picture,
        lists: &Lists,
    ) -> Result<(), Invalid> {
        for cell in picture.cells.iter().chain(&ratio::of(picture, lists)) {
            let series = (cell.indicator.clone(), cell.crime_area.clone(), cell.categories.clone());
            if !wanted.contains(&series) {
                continue;
            }
            let place = format!("pictures[{digest}].cells");
            let period = Period::parse(&format!("{place}.period"), &cell.period)?;
            let told = untold(cell).map_or_else(
                || {
                    let of_all = rests_on_all(cell);
                    let (low, high) = within(cell, &place, lists)?;
                    Ok(Ok(Arc::new(Figure {
                        requirement,
                        version,
                        picture: digest,
                        value: is_one_number(cell).then_some(cell.value),
                        low,
                        high,
                        whole_low: cell.whole_lower,
                        whole_high: cell.whole_upper,
                        of_all,
                        decimals: cell.decimals,
                        lists: picture.lists.clone(),
                        cell: cell.clone(),
                    })))
                },
                |why| Ok(Err(why)),
            )?;
            self.told.entry((series, period)).or_default().push(told);
        }
        Ok(())
    }

    /// What is told of an action's figure in a period.
    pub fn told(&self, of: &ActionIndicator, period: Period, lists: &Lists) -> Told<'_> {
        let told = self.told.get(&(of.series(lists), period)).map_or(&[][..], Vec::as_slice);
        let figures: Vec<_> = told.iter().filter_map(|told| told.as_ref().ok()).collect();
        let named: Vec<_> = figures
            .iter()
            .copied()
            .filter(|figure| of.requirements.contains(&figure.requirement))
            .collect();
        let figures = if named.is_empty() { figures } else { named };
        match figures.last() {
            // The newest round's word is as good as any that says the same.
            Some(last) if figures.iter().all(|figure| figure.says_the_same(last)) => {
                Told::Figure(last)
            }
            Some(_) => Told::Conflict(figures),
            None => {
                let why = told.iter().filter_map(|told| told.as_ref().err()).max();
                Told::Untold(why.copied().unwrap_or(Untold::NotAsked))
            }
        }
    }
}

fn is_one_number(cell: &PictureCell) -> bool {
    matches!(cell.status(), PictureStatus::Value | PictureStatus::Partial)
}

/// An interval does not say so itself: nobody who was asked brings nothing.
fn rests_on_all(cell: &PictureCell) -> bool {
    let gap = !(cell.silent.is_empty() && cell.missing.is_empty() && cell.not_shown.is_empty());
    cell.status() == PictureStatus::Value || (cell.status() == PictureStatus::Between && !gap)
}

fn untold(cell: &PictureCell) -> Option<Untold> {
    match cell.status() {
        PictureStatus::Value | PictureStatus::Partial | PictureStatus::Between => None,
        PictureStatus::Missing => Some(Untold::Missing),
        PictureStatus::NotApplicable => Some(Untold::NotApplicable),
        PictureStatus::NotShown | PictureStatus::Unspecified => Some(Untold::NotShown),
    }
}

/// Where the figure lies, in the plan's unit.
fn within(cell: &PictureCell, place: &str, lists: &Lists) -> Result<(i64, i64), Invalid> {
    let wrong = |detail: &str| Invalid::new(Reason::PictureFalse, place, detail.to_owned());
    let decimals = lists.indicator(place, &cell.indicator)?.decimals;
    if cell.decimals != decimals {
        return Err(wrong("a figure has other decimals than its indicator"));
    }
    let (Some(low), Some(high)) = (cell.lower, cell.upper) else {
        return Err(wrong("there is a figure, and not where it lies"));
    };
    let value = if is_one_number(cell) { cell.value } else { low };
    if low > value || value > high {
        return Err(wrong("a figure does not lie where it is said to"));
    }
    Ok((low, high))
}
