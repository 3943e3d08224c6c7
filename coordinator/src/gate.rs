//! The gate: which regional cells may be shown, with jurisdictions as the units to protect. Comes in:
//! verified answers. Goes out: [`Publishable`] cells, the only ones that can be combined.
//!
//! # Why this is enough
//! *Claim:* nobody learns a jurisdiction's figure from a published cell that was not public before.
//! *Argument:* a cell passes only by `Publishable::already_public`, and that demands that the seal of
//! *every* contributor states mode open, which its node's policy allows only for nationally published
//! figures. One contributor in another mode and the cell is not shown. *Known limit:* the rules for
//! cells that are not public (minimum contributors, dominance, differencing) do not exist yet, so none passes.

use std::collections::BTreeMap;

use accord_proto::{
    table::{Cell, Mode},
    taxonomy::{Categories, CrimeAreaCode, IndicatorCode, JurisdictionCode, Period},
};

use crate::verify::VerifiedAnswer;

/// A regional cell: the region is all members that the requirement names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RegionalKey {
    /// What is counted or measured.
    pub indicator: IndicatorCode,
    /// Which crime area.
    pub crime_area: CrimeAreaCode,
    /// Which period.
    pub period: Period,
    /// Which categories.
    pub categories: Categories,
}

/// One member's part in a regional cell.
#[derive(Clone, Copy)]
pub(crate) struct Contribution {
    pub(crate) jurisdiction: JurisdictionCode,
    pub(crate) mode: Mode,
    pub(crate) cell: Cell,
}

/// Who stands how to a cell, by jurisdiction. Nodes of one jurisdiction count as one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// A figure of theirs is in it, ascending.
    pub contributors: Vec<JurisdictionCode>,
    /// They say that the figure is not available, ascending.
    pub missing: Vec<JurisdictionCode>,
    /// They answered without showing it, ascending.
    pub not_shown: Vec<JurisdictionCode>,
    /// Every node that answered has a figure in it: of a jurisdiction with two nodes, both.
    pub whole: bool,
}

/// A cell that may be shown, with the figures to combine. Made by `Publishable::already_public` only.
pub struct Publishable {
    standing: Standing,
    values: Vec<i64>,
}

impl std::fmt::Debug for Publishable {
    /// Prints no figure.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Publishable({:?})", self.standing)
    }
}

impl Publishable {
    /// Passes a cell whose every contributor's seal states mode open; nothing else. What is public nationally is
    /// one figure for a jurisdiction, however many of its nodes hold it: it counts once, and if they hold
    /// different ones, nobody can say which is true.
    pub(crate) fn already_public(cell: &[Contribution]) -> Option<Self> {
        let mut figures = BTreeMap::new();
        for part in cell {
            if let Cell::Value(value) = part.cell {
                let same = *figures.entry(part.jurisdiction).or_insert(value) == value;
                if part.mode != Mode::Open || !same {
                    return None;
                }
            }
        }
        Some(Self { values: figures.into_values().collect(), standing: Standing::of(cell) })
    }

    /// Who stands how to it.
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    pub(crate) fn values(&self) -> &[i64] {
        &self.values
    }
}

impl Standing {
    fn of(cell: &[Contribution]) -> Self {
        let mut by_jurisdiction = BTreeMap::<_, Vec<Cell>>::new();
        for part in cell {
            by_jurisdiction.entry(part.jurisdiction).or_default().push(part.cell);
        }
        let value = |cell: &Cell| matches!(cell, Cell::Value(_));
        let missing = |cell: &Cell| matches!(cell, Cell::Missing);
        let applicable = |cell: &Cell| !matches!(cell, Cell::NotApplicable);
        let mut standing = Self { whole: true, ..Self::default() };
        for (jurisdiction, cells) in by_jurisdiction {
            standing.whole &= cells.iter().filter(|cell| applicable(cell)).all(value);
            let list = if cells.iter().any(value) {
                &mut standing.contributors
            } else if cells.iter().all(missing) {
                &mut standing.missing
            } else if cells.iter().any(applicable) {
                &mut standing.not_shown
            } else {
                continue;
            };
            list.push(jurisdiction);
        }
        standing
    }
}

/// What the gate says of a cell.
#[derive(Debug)]
pub enum Verdict {
    /// It may be shown.
    Shown(Publishable),
    /// It may not; who contributed is not told either.
    Withheld,
}

/// Judges every cell of the answers.
pub fn judge(answers: &[VerifiedAnswer]) -> BTreeMap<RegionalKey, Verdict> {
    let mut cells = BTreeMap::<RegionalKey, Vec<Contribution>>::new();
    for answer in answers {
        for block in &answer.table().blocks {
            for placed in block.placed() {
                let key = RegionalKey {
                    indicator: block.indicator,
                    crime_area: placed.crime_area,
                    period: placed.period,
                    categories: placed.categories,
                };
                cells.entry(key).or_default().push(Contribution {
                    jurisdiction: answer.jurisdiction(),
                    mode: block.mode,
                    cell: placed.cell,
                });
            }
        }
    }
    let verdict = |cell: Vec<Contribution>| match Publishable::already_public(&cell) {
        Some(publishable) => Verdict::Shown(publishable),
        None => Verdict::Withheld,
    };
    cells.into_iter().map(|(key, cell)| (key, verdict(cell))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(jurisdiction: &str, mode: Mode, cell: Cell) -> Contribution {
        Contribution { jurisdiction: JurisdictionCode::parse(jurisdiction).unwrap(), mode, cell }
    }

    #[test]
    fn one_contributor_that_is_not_open_hides_the_cell() {
        let open = part("AL", Mode::Open, Cell::Value(1));
        assert!(
            Publishable::already_public(&[open, part("BA", Mode::Open, Cell::Value(2))]).is_some()
        );
        for mode in [Mode::Protected, Mode::Bulletin] {
            assert!(
                Publishable::already_public(&[open, part("BA", mode, Cell::Value(2))]).is_none()
            );
        }
        // Whoever shows nothing is no contributor.
        let silent = part("BA", Mode::Closed, Cell::NotShown);
        assert!(Publishable::already_public(&[open, silent]).is_some());
    }

    #[test]
    fn a_figure_that_two_nodes_of_a_jurisdiction_hold_counts_once() {
        let node = |value| part("BA", Mode::Open, Cell::Value(value));
        let neighbour = part("AL", Mode::Open, Cell::Value(1));
        assert_eq!(
            Publishable::already_public(&[node(42), neighbour, node(42)]).unwrap().values(),
            [1, 42]
        );
        assert!(Publishable::already_public(&[node(42), neighbour, node(43)]).is_none());
    }

    #[test]
    fn nodes_of_one_jurisdiction_count_as_one() {
        let cell = [
            part("BA", Mode::Open, Cell::Value(1)),
            part("BA", Mode::Open, Cell::Missing),
            part("AL", Mode::Open, Cell::Missing),
            part("ME", Mode::Open, Cell::NotShown),
        ];
        let standing = Publishable::already_public(&cell).unwrap().standing;
        let names =
            |list: &[JurisdictionCode]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(names(&standing.contributors), ["BA"]);
        assert_eq!(names(&standing.missing), ["AL"]);
        assert_eq!(names(&standing.not_shown), ["ME"]);
        assert!(!standing.whole, "one of the two nodes of BA has no figure in it");
    }
}
