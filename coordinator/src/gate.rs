//! The gate: which regional cells may be shown, with jurisdictions as the units to protect. Comes in:
//! verified answers, and who contributed to the cells that were pooled before. Goes out: [`Publishable`] cells,
//! the only ones that can be combined. Must never choose between two figures of a jurisdiction.
//!
//! # Why this is enough
//! *Claim:* a published cell tells a neighbour, who knows its own share and every public figure, no other
//! jurisdiction's figure. *Argument:* a cell passes in one of two ways.
//! - `Publishable::already_public`: the seal of *every* contributor states mode open, which its node's policy allows
//!   only for nationally published figures. There is nothing to infer.
//! - `Publishable::pooled`: at least three jurisdictions, or more if the requirement says so, bring a figure that is
//!   not open. Open figures in it do not count: everybody can subtract them. Whoever subtracts its own share is left
//!   with the sum of two or more. And a cell has *one contributor set for ever*: with any other, whoever asks, it is
//!   withheld, because the difference of two sets is somebody's figure. Who contributed first is durable with
//!   the picture that showed it.
//!
//! *Known limit:* one member that colludes with another, dominance (p %), and what follows from cells that
//! contain each other (regions, areas, periods, categories, also a parent with one possible child) come with the full
//! rules. The same set may be shown again from newer editions: what changed then is told. The memory is this
//! coordinator's own, and as old as the copy that it was restored from.

use std::collections::{BTreeMap, BTreeSet};

use accord_proto::{
    identity::Name,
    question::CONTRIBUTORS_MIN,
    regional::{self, Contribution, Parts},
    table::Cell,
    taxonomy::{JurisdictionCode, Lists},
};

pub use accord_proto::regional::{Figure, RegionalKey, Standing};

use crate::verify::VerifiedAnswer;

/// Whose figures are in a pooled cell: jurisdictions and their nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contributors(pub BTreeSet<(JurisdictionCode, Name)>);

impl Contributors {
    fn of(cell: &[Contribution<'_>]) -> Self {
        let contributes = |part: &&Contribution<'_>| matches!(part.cell, Cell::Value(_));
        let contributors = cell.iter().filter(contributes);
        Self(contributors.map(|part| (part.jurisdiction, part.node.clone())).collect())
    }
}

/// Cells that were pooled before, with their contributors for ever.
pub type PooledBefore = BTreeMap<RegionalKey, Contributors>;

/// A cell that may be shown, with the figures to combine. Made by `already_public` and `pooled` only.
pub struct Publishable {
    standing: Standing,
    figures: Vec<Figure>,
    pooled: Option<Contributors>,
}

impl std::fmt::Debug for Publishable {
    /// Prints no figure.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Publishable({:?})", self.standing)
    }
}

impl Publishable {
    /// Passes a cell whose every contributor's seal states mode open; nothing else.
    pub(crate) fn already_public(cell: &[Contribution<'_>]) -> Option<Self> {
        let Parts { standing, figures } = regional::public(cell)?;
        Some(Self { standing, figures, pooled: None })
    }

    /// Passes a cell that at least `minimum` jurisdictions bring a figure to that is not public, with the
    /// contributors that it was pooled from `before`, if it was.
    pub(crate) fn pooled(
        cell: &[Contribution<'_>],
        minimum: usize,
        before: Option<&Contributors>,
    ) -> Option<Self> {
        let Parts { standing, figures } = regional::pooled(cell, minimum)?;
        let contributors = Contributors::of(cell);
        let same = before.is_none_or(|before| *before == contributors);
        same.then_some(Self { standing, figures, pooled: Some(contributors) })
    }

    /// Who stands how to it.
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    pub(crate) fn figures(&self) -> &[Figure] {
        &self.figures
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

/// What the gate says of every cell.
pub type Verdicts = BTreeMap<RegionalKey, Verdict>;

/// Judges every cell of the answers. `minimum` is what the requirement demands.
pub fn judge(
    answers: &[VerifiedAnswer],
    minimum: u32,
    before: &PooledBefore,
    lists: &Lists,
) -> Verdicts {
    let cells = regional::contributions(answers.iter().map(VerifiedAnswer::table));
    let minimum = usize::try_from(minimum.max(CONTRIBUTORS_MIN)).unwrap_or(usize::MAX);
    let verdict = |key: &RegionalKey, cell: &[Contribution<'_>]| {
        // Only what adds up can hide a member in a sum: a mean or a state has no pool.
        let adds = lists.indicator_of(key.indicator).is_some_and(|of| of.semantics.adds());
        let passed = match Publishable::already_public(cell) {
            None if adds => Publishable::pooled(cell, minimum, before.get(key)),
            passed => passed,
        };
        passed.map_or(Verdict::Withheld, Verdict::Shown)
    };
    cells.iter().map(|(key, cell)| (*key, verdict(key, cell))).collect()
}

/// The pooled cells that may be shown: their contributors must be remembered with the picture.
pub fn pooled(verdicts: &Verdicts) -> impl Iterator<Item = (&RegionalKey, &Contributors)> {
    verdicts.iter().filter_map(|(key, verdict)| match verdict {
        Verdict::Shown(cell) => Some((key, cell.pooled.as_ref()?)),
        Verdict::Withheld => None,
    })
}

#[cfg(test)]
mod tests {
    use accord_proto::table::Mode;

    use super::*;

    type Part = (&'static str, &'static str, Mode, Cell);

    fn with<T>(parts: &[Part], judged: impl FnOnce(&[Contribution<'_>]) -> T) -> T {
        let names: Vec<_> =
            parts.iter().map(|(_, node, _, _)| Name::parse("", node).unwrap()).collect();
        let parts = parts.iter().zip(&names).map(|((jurisdiction, _, mode, cell), node)| {
            let standard_error_milli = if *mode == Mode::Protected { 2_500 } else { 0 };
            let jurisdiction = JurisdictionCode::parse(jurisdiction).unwrap();
            Contribution { node, jurisdiction, mode: *mode, cell: *cell, standard_error_milli }
        });
        judged(&parts.collect::<Vec<_>>())
    }

    fn public(parts: &[Part]) -> Option<Publishable> {
        with(parts, Publishable::already_public)
    }

    fn pooled(parts: &[Part], before: Option<&Contributors>) -> Option<Publishable> {
        with(parts, |cell| Publishable::pooled(cell, 3, before))
    }

    fn values(cell: &Publishable) -> Vec<i64> {
        let mut values: Vec<_> = cell.figures().iter().map(|figure| figure.value).collect();
        values.sort_unstable();
        values
    }

    const OPEN: Mode = Mode::Open;
    const NOISY: Mode = Mode::Protected;
    const ONE: Cell = Cell::Value(1);
    const TWO: Cell = Cell::Value(2);
    const THREE: [Part; 3] =
        [("AL", "al", NOISY, ONE), ("BA", "ba", NOISY, TWO), ("ME", "me", Mode::Bulletin, ONE)];

    #[test]
    fn one_contributor_that_is_not_open_is_not_already_public() {
        assert!(public(&[("AL", "al", OPEN, ONE), ("BA", "ba", OPEN, TWO)]).is_some());
        for mode in [Mode::Protected, Mode::Bulletin] {
            assert!(public(&[("AL", "al", OPEN, ONE), ("BA", "ba", mode, TWO)]).is_none());
        }
        // Whoever shows nothing is no contributor.
        let silent = ("BA", "ba", Mode::Closed, Cell::NotShown);
        assert!(public(&[("AL", "al", OPEN, ONE), silent]).is_some());
    }

    #[test]
    fn a_figure_that_two_nodes_of_a_jurisdiction_hold_counts_once() {
        let node = |node, value| ("BA", node, OPEN, Cell::Value(value));
        let neighbour = ("AL", "al", OPEN, ONE);
        let cell = public(&[node("ba", 42), neighbour, node("ba-2", 42)]).unwrap();
        assert_eq!(values(&cell), [1, 42]);
        assert!(public(&[node("ba", 42), neighbour, node("ba-2", 43)]).is_none());
    }

    #[test]
    fn nodes_of_one_jurisdiction_count_as_one() {
        let cell = [
            ("BA", "ba", OPEN, ONE),
            ("BA", "ba-2", OPEN, Cell::Missing),
            ("AL", "al", OPEN, Cell::Missing),
            ("ME", "me", OPEN, Cell::NotShown),
        ];
        let standing = public(&cell).unwrap().standing;
        let names =
            |list: &[JurisdictionCode]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(names(&standing.contributors), ["BA"]);
        assert_eq!(names(&standing.missing), ["AL"]);
        assert_eq!(names(&standing.not_shown), ["ME"]);
        assert!(!standing.whole, "one of the two nodes of BA has no figure in it");
    }

    #[test]
    fn figures_that_are_not_public_need_three_jurisdictions() {
        assert!(pooled(&THREE[..2], None).is_none());
        let cell = pooled(&THREE, None).unwrap();
        assert_eq!(values(&cell), [1, 1, 2]);
        let errors = cell.figures().iter().filter(|figure| figure.standard_error_milli == 2_500);
        assert_eq!(errors.count(), 2, "the bulletin figure is exact");
        assert!(with(&THREE, |cell| Publishable::pooled(cell, 4, None)).is_none());
    }

    #[test]
    fn two_nodes_of_a_jurisdiction_add_and_are_one_contributor() {
        let second = ("BA", "ba-2", NOISY, Cell::Value(5));
        assert!(pooled(&[THREE[0], THREE[1], second], None).is_none());
        let cell = pooled(&[THREE[0], THREE[1], second, THREE[2]], None).unwrap();
        assert_eq!(values(&cell), [1, 1, 2, 5]);
        assert_eq!(cell.standing.contributors.len(), 3);
        // One of them public, the other not: do they count the same?
        let public = ("BA", "ba-2", OPEN, Cell::Value(5));
        assert!(pooled(&[THREE[0], THREE[1], public, THREE[2]], None).is_none());
    }

    #[test]
    fn an_open_figure_hides_nobody() {
        let open = |code, node| (code, node, OPEN, Cell::Value(7));
        let public = [open("RS", "rs"), open("MK", "mk"), open("XK", "xk")];
        assert!(pooled(&[public[0], public[1], public[2], THREE[0], THREE[1]], None).is_none());
        let cell = pooled(&[THREE[0], THREE[1], THREE[2], public[0]], None).unwrap();
        assert_eq!(values(&cell), [1, 1, 2, 7]);
    }

    #[test]
    fn a_pooled_cell_has_one_contributor_set_for_ever() {
        let set = pooled(&THREE, None).unwrap().pooled.unwrap();
        assert!(pooled(&THREE, Some(&set)).is_some());
        // Somebody who shows nothing changes nothing.
        let silent = ("RS", "rs", NOISY, Cell::NotShown);
        assert!(pooled(&[THREE[0], THREE[1], THREE[2], silent], Some(&set)).is_some());

        let fourth = ("RS", "rs", NOISY, ONE);
        let other_node = ("ME", "me-2", NOISY, ONE);
        assert!(pooled(&[THREE[0], THREE[1], THREE[2], fourth], Some(&set)).is_none());
        assert!(pooled(&[THREE[0], THREE[1], fourth], Some(&set)).is_none());
        assert!(pooled(&[THREE[0], THREE[1], other_node], Some(&set)).is_none());
        assert!(pooled(&[THREE[0], THREE[1], THREE[2], other_node], Some(&set)).is_none());
        let public = ("RS", "rs", OPEN, ONE);
        assert!(pooled(&[THREE[0], THREE[1], THREE[2], public], Some(&set)).is_none());
    }

    #[test]
    fn a_node_with_several_regions_is_not_pooled() {
        for cell in [ONE, Cell::NotShown] {
            let other_region = ("AL", "al", NOISY, cell);
            assert!(pooled(&[THREE[0], other_region, THREE[1], THREE[2]], None).is_none());
        }
    }
}
