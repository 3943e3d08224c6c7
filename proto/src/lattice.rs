//! How the cells of an indicator contain each other. Comes in: cells, code lists. Goes out: which hold which, along one
//! axis at a time, and whether some of them are all there is of another. Pure. Must never say that cells make up another
//! where a list leaves room for more.
//!
//! Along each axis (crime area, time, each dimension) two places are either one within the other or apart. So two cells
//! overlap exactly if along each axis one of them lies within the other.

use std::collections::BTreeSet;

use crate::{
    regional::RegionalKey,
    taxonomy::{Categories, CategoryCode, CrimeAreaCode, DIMENSIONS_MAX, Indicator, Lists},
};

/// What cells are cut along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Axis {
    /// Crime areas.
    Area,
    /// Reporting periods of one year.
    Time,
    /// A dimension, by its number in the registry's order.
    Dimension(usize),
}

impl Axis {
    /// Of an indicator's cells.
    pub fn all(indicator: &Indicator) -> impl Iterator<Item = Self> {
        let dimensions = indicator.dimensions.len().min(DIMENSIONS_MAX);
        [Self::Area, Self::Time].into_iter().chain((0..dimensions).map(Self::Dimension))
    }
}

impl RegionalKey {
    /// The cells that hold this one along an axis, the smallest first; not itself.
    pub fn above(&self, axis: Axis, lists: &Lists) -> Vec<Self> {
        match axis {
            Axis::Area => {
                let line = lists.areas_above(self.indicator, self.crime_area).into_iter();
                line.map(|crime_area| Self { crime_area, ..*self }).collect()
            }
            Axis::Time => {
                self.period.longer().into_iter().map(|period| Self { period, ..*self }).collect()
            }
            Axis::Dimension(at) => {
                let Some(category) = self.categories.get(at).copied().flatten() else {
                    return Vec::new();
                };
                let parent = |code: CategoryCode| lists.category_parent(self.indicator, at, code);
                let line = std::iter::successors(Some(category), |code| parent(*code)).skip(1);
                let with =
                    |place| Self { categories: replaced(self.categories, at, place), ..*self };
                line.map(Some).chain([None]).map(with).collect()
            }
        }
    }

    /// The largest cell that holds this one along an axis; itself, if none does.
    #[must_use]
    pub fn topmost(&self, axis: Axis, lists: &Lists) -> Self {
        self.above(axis, lists).pop().unwrap_or(*self)
    }

    /// Are `parts`, which lie within it along an axis and apart from each other, all that the lists know of it?
    pub fn is_made_up_of(&self, parts: &[Self], axis: Axis, lists: &Lists) -> bool {
        match axis {
            Axis::Area => {
                let parts = parts.iter().map(|part| part.crime_area).collect();
                let below = |area: &CrimeAreaCode| lists.areas_below(self.indicator, *area);
                is_covered(&self.crime_area, &parts, &below)
            }
            Axis::Time => {
                let months = |key: &Self| key.period.months().len();
                parts.iter().map(months).sum::<usize>() >= months(self)
            }
            Axis::Dimension(at) => {
                let place = |key: &Self| key.categories.get(at).copied().flatten();
                let parts = parts.iter().map(place).collect();
                let below = |of: &Option<CategoryCode>| {
                    let codes = lists.categories_below(self.indicator, at, *of).into_iter();
                    codes.map(Some).collect()
                };
                is_covered(&place(self), &parts, &below)
            }
        }
    }

    /// Can something count in both? Cells of one indicator may; whatever is cut along different axes does.
    pub fn overlaps(&self, other: &Self, lists: &Lists) -> bool {
        let Some(indicator) = lists.indicator_of(self.indicator) else { return false };
        self.indicator == other.indicator
            && Axis::all(indicator).all(|axis| {
                let within = |inner: &Self, outer: &Self| {
                    let outer = outer.along(axis, inner);
                    *inner == outer || inner.above(axis, lists).contains(&outer)
                };
                within(self, other) || within(other, self)
            })
    }

    /// A cell with the place of this one along an axis, and the places of another along all others.
    #[must_use]
    pub fn along(&self, axis: Axis, other: &Self) -> Self {
        match axis {
            Axis::Area => Self { crime_area: self.crime_area, ..*other },
            Axis::Time => Self { period: self.period, ..*other },
            Axis::Dimension(at) => {
                let place = self.categories.get(at).copied().flatten();
                Self { categories: replaced(other.categories, at, place), ..*other }
            }
        }
    }
}

fn replaced(mut categories: Categories, at: usize, place: Option<CategoryCode>) -> Categories {
    if let Some(of_axis) = categories.get_mut(at) {
        *of_axis = place;
    }
    categories
}

/// Is everything below a place among the parts, or made up of such in turn?
fn is_covered<P: Ord>(place: &P, parts: &BTreeSet<P>, below: &dyn Fn(&P) -> Vec<P>) -> bool {
    let places = below(place);
    !places.is_empty()
        && places.iter().all(|place| parts.contains(place) || is_covered(place, parts, below))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::taxonomy::Period;

    fn key(indicator: &str, area: &str, period: &str, categories: &str) -> RegionalKey {
        let lists = Lists::builtin();
        let indicator = lists.indicator("", indicator).unwrap();
        RegionalKey {
            indicator: indicator.code,
            crime_area: lists.crime_area("", indicator, area).unwrap(),
            period: Period::parse("", period).unwrap(),
            categories: lists.parse_categories("", indicator, categories).unwrap(),
        }
    }

    fn drugs(area: &str, period: &str) -> RegionalKey {
        key("DRG.SEIZ.N", area, period, "_T")
    }

    #[test]
    fn cells_above_are_named_from_the_smallest() {
        let lists = Lists::builtin();
        let cell = drugs("DRG.COC", "2016-05");
        assert_eq!(cell.above(Axis::Area, lists), [drugs("DRG", "2016-05")]);
        let longer = ["2016-Q2", "2016-H1", "2016"].map(|period| drugs("DRG.COC", period));
        assert_eq!(cell.above(Axis::Time, lists), longer);
        assert_eq!(cell.topmost(Axis::Time, lists), drugs("DRG.COC", "2016"));
        assert!(cell.above(Axis::Dimension(0), lists).is_empty());
        let women = key("PUB.THB.VIC.N", "THB", "2016", "SEX=F;AGE=CHILD");
        let children = key("PUB.THB.VIC.N", "THB", "2016", "AGE=CHILD");
        assert_eq!(women.above(Axis::Dimension(0), lists), [children]);
    }

    #[test]
    fn parts_make_up_a_cell_only_if_the_lists_leave_no_room() {
        let lists = Lists::builtin();
        let year = drugs("DRG", "2016");
        let periods = |texts: &[&str]| texts.iter().map(|of| drugs("DRG", of)).collect::<Vec<_>>();
        let made_up = |texts: &[&str]| year.is_made_up_of(&periods(texts), Axis::Time, lists);
        assert!(made_up(&["2016-H1", "2016-H2"]) && made_up(&["2016-H1", "2016-Q3", "2016-Q4"]));
        assert!(!made_up(&["2016-H1", "2016-Q3"]));

        let below = lists.areas_below(year.indicator, year.crime_area);
        let all: Vec<_> = below.iter().map(|area| drugs(area.as_str(), "2016")).collect();
        assert!(all.len() > 2 && year.is_made_up_of(&all, Axis::Area, lists));
        assert!(!year.is_made_up_of(&all[1..], Axis::Area, lists));
        assert!(!all[0].is_made_up_of(&[], Axis::Area, lists), "nothing is known below it");
    }

    #[test]
    fn cells_overlap_if_along_each_axis_one_lies_within_the_other() {
        let lists = Lists::builtin();
        let overlap = |a: &RegionalKey, b: &RegionalKey| {
            assert_eq!(a.overlaps(b, lists), b.overlaps(a, lists));
            a.overlaps(b, lists)
        };
        assert!(overlap(&drugs("DRG.COC", "2016"), &drugs("DRG", "2016-Q1")));
        assert!(overlap(&drugs("DRG.COC", "2016"), &drugs("DRG.COC", "2016")));
        assert!(!overlap(&drugs("DRG.COC", "2016"), &drugs("DRG.HER", "2016-Q1")));
        assert!(!overlap(&drugs("DRG.COC", "2016-H2"), &drugs("DRG.COC", "2016-Q1")));
        let victims = |categories| key("PUB.THB.VIC.N", "THB", "2016", categories);
        assert!(overlap(&victims("SEX=F"), &victims("AGE=CHILD")));
        assert!(!overlap(&victims("SEX=F"), &victims("SEX=M;AGE=CHILD")));
    }
}
