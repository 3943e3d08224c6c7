//! The interval audit: can a hidden figure be worked out too closely? Comes in: what a reader knows, and which cells
//! are hidden. Goes out: a [`Pattern`], or the cells that are exposed. Must never pass a cell without evidence for
//! both ends of its interval, against outsiders and against every contributor; a solve that fails or is not made
//! counts as exposed.
//!
//! Hiding one more cell takes nothing away: where it stays as it is, every earlier evidence still stands, and nobody
//! knows more of it than that. So what is proven once need not be proven again while cells are only hidden.

use std::collections::{BTreeMap, BTreeSet};

use crate::limits::BULLETIN_SOLVED_MAX;

use super::{
    FailClosed, Shown, circuit,
    equations::{Component, Equations, Insider, Room},
    linear::{self, real},
};

/// What the solver's last digits are worth, in units of a figure.
const GUARD: f64 = 1e-4;
/// The same, as a part of the length that is measured.
const PRECISION: f64 = 1e-7;

/// Which cells are published. Made by the audit only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Shown>);

impl Pattern {
    /// What becomes of each cell, by index.
    pub fn shown(&self) -> &[Shown] {
        &self.0
    }
}

/// Judges a choice of cells as it is.
pub fn audit(table: &Equations, hidden: &[bool]) -> Result<Pattern, FailClosed> {
    let mut audit = Audit::new(table);
    audit.allow(BULLETIN_SOLVED_MAX);
    if !audit.exposed(hidden).is_empty() {
        return Err(if audit.is_spent() { FailClosed::Work } else { FailClosed::Exhausted });
    }
    audit.pattern(hidden)
}

/// What a reader can tell of a cell who contributes to none: from, and to; no end where she cannot tell any. None if
/// the solver does not say.
pub fn interval(table: &Equations, pattern: &Pattern, cell: usize) -> Option<(i64, Option<i64>)> {
    let hidden: Vec<_> = pattern.0.iter().map(|shown| !shown.is_published()).collect();
    let value = table.cells().get(cell)?.value;
    let components = Component::all(table, &hidden);
    let found = components.iter().find_map(|component| Some((component, component.place(cell)?)));
    let Some((component, place)) = found else {
        return Some((value, Some(value)));
    };
    let values = component.cells.iter().filter_map(|cell| table.cells().get(*cell));
    let length = real(values.map(|cell| cell.value).max().unwrap_or(0).max(1));
    let reach = |up| {
        let rooms = component.outside();
        let moved = linear::farthest(component, rooms, (place, up), length, linear::FAR)?;
        moved.get(place).map(|by| by.abs())
    };
    let (down, up) = (reach(false)? * length, reach(true)?);
    let above = (up < linear::FAR * 0.99).then(|| value.saturating_add(whole(up * length)));
    Some((value.saturating_sub(whole(down)).max(0), above))
}

/// Whole units within a distance.
#[expect(clippy::cast_possible_truncation, reason = "past what fits, the largest that does")]
fn whole(distance: f64) -> i64 {
    (distance + GUARD).floor() as i64
}

/// A world that looks the same.
enum Evidence {
    /// Cells and by how much they are moved.
    Circuit(Vec<(usize, i128)>),
    /// By how much every cell is moved, in units of a length.
    Point(Vec<f64>, f64),
}

impl Evidence {
    /// Is it possible for somebody who knows this much?
    fn is_within(&self, rooms: &[Room]) -> bool {
        match self {
            Self::Circuit(moves) => moves.iter().all(|(at, by)| rooms[*at].allows(*by)),
            Self::Point(moves, length) => moves.iter().zip(rooms).all(|(by, room)| {
                -real(room.below) / length - PRECISION <= *by
                    && *by <= real(room.above) / length + PRECISION
            }),
        }
    }

    /// Is it for somebody who knows more than those it was found for? What she knows of every cell is put together only
    /// where it takes that: there may be hundreds of her kind, and a circuit has few cells.
    fn is_within_inside(&self, insider: &Insider<'_>) -> bool {
        match self {
            Self::Circuit(moves) => {
                moves.iter().all(|(at, by)| insider.room(*at).is_some_and(|room| room.allows(*by)))
            }
            Self::Point(..) => self.is_within(&insider.rooms()),
        }
    }

    /// The cells that must stay hidden for it.
    fn cells(&self) -> Vec<usize> {
        match self {
            Self::Circuit(moves) => moves.iter().map(|(at, _)| *at).collect(),
            Self::Point(moves, _) => (0..moves.len()).collect(),
        }
    }
}

/// What must stay possible of a cell.
#[derive(Clone, Copy)]
struct Need {
    /// How far it must be movable for whoever knows nothing of it.
    level: i64,
    /// Upwards, or downwards as far as a reader can think that there is anything.
    up: bool,
    /// Nobody may find it impossible to move it at all.
    least: bool,
}

impl Need {
    /// By how much it must be movable for somebody; otherwise whether it is well that it is not movable.
    fn by(self, level: i64, room: &Room) -> Result<i64, bool> {
        match if self.up { level } else { -level.min(room.below) } {
            0 => Err(!self.least),
            by => Ok(by),
        }
    }
}

/// An audit under way.
pub(super) struct Audit<'a> {
    table: &'a Equations,
    components: Vec<Component>,
    /// For every unsafe cell that is proven to be protected, the hidden cells that this rests on.
    proofs: BTreeMap<usize, BTreeSet<usize>>,
    /// Cells that linear programs may still be made of, over all of them.
    left: usize,
}

impl<'a> Audit<'a> {
    pub(super) fn new(table: &'a Equations) -> Self {
        Self { table, components: Vec::new(), proofs: BTreeMap::new(), left: 0 }
    }

    /// No more solving is allowed.
    fn is_spent(&self) -> bool {
        self.left == 0
    }

    /// From now on, linear programs may be made of so many cells together. Without, only what a circuit proves is
    /// protected.
    pub(super) fn allow(&mut self, cells: usize) {
        self.left = cells;
    }

    /// Unsafe cells that are not protected. Between two calls, cells may only become hidden.
    pub(super) fn exposed(&mut self, hidden: &[bool]) -> Vec<usize> {
        let components = Component::all(self.table, hidden);
        let mut exposed: BTreeSet<_> = self.unsafe_cells().map(|(cell, _)| cell).collect();
        for component in &components {
            for (place, cell) in component.cells.iter().enumerate() {
                if self.proofs.contains_key(cell) {
                    exposed.remove(cell);
                } else if let Some(proof) = self.prove(component, place) {
                    self.proofs.insert(*cell, proof);
                    exposed.remove(cell);
                }
            }
        }
        self.components = components;
        exposed.into_iter().collect()
    }

    /// Publishes a hidden cell again, if everything stays protected without it.
    pub(super) fn publish(&mut self, cell: usize) -> bool {
        let mut components = std::mem::take(&mut self.components);
        let found = components.iter_mut().find_map(|part| Some((part.place(cell)?, part)));
        let published = found.is_some_and(|(place, component)| {
            let known = component.publish(place);
            let resting = self.proofs.iter().filter(|(_, proof)| proof.contains(&cell));
            let resting: Vec<_> = resting.map(|(resting, _)| *resting).collect();
            let anew = resting
                .into_iter()
                .map(|resting| Some((resting, self.prove(component, component.place(resting)?)?)));
            let anew: Option<Vec<_>> = anew.collect();
            match anew {
                Some(proofs) => self.proofs.extend(proofs),
                None => component.hide(place, known),
            }
            component.outside()[place] == Room::NONE
        });
        self.components = components;
        published
    }

    /// The pattern, if every unsafe cell is hidden and proven to be protected.
    pub(super) fn pattern(&self, hidden: &[bool]) -> Result<Pattern, FailClosed> {
        if !self.unsafe_cells().all(|(cell, _)| self.proofs.contains_key(&cell)) {
            return Err(FailClosed::Exhausted);
        }
        let shown = self.table.cells().iter().enumerate().map(|(at, cell)| {
            match (hidden.get(at).copied().unwrap_or(false), cell.protection) {
                (false, _) => Shown::Published,
                (true, Some(_)) => Shown::Primary,
                (true, None) => Shown::Secondary,
            }
        });
        Ok(Pattern(shown.collect()))
    }

    fn unsafe_cells(&self) -> impl Iterator<Item = (usize, i64)> {
        let cells = self.table.cells().iter().enumerate();
        cells.filter_map(|(at, cell)| Some((at, cell.protection?)))
    }

    /// Evidence that a cell is protected: the cells that it rests on. None if it is not; nothing needed if it is safe.
    fn prove(&mut self, component: &Component, place: usize) -> Option<BTreeSet<usize>> {
        let cell = self.table.cells().get(*component.cells.get(place)?)?;
        let Some(level) = cell.protection else {
            return Some(BTreeSet::new());
        };
        let mut need = |need| self.possible(component, place, need);
        if level == 0 {
            // Only not exactly known: one more is as good as one less.
            let down = Need { level: 1, up: false, least: true };
            return need(Need { up: true, ..down }).or_else(|| need(down));
        }
        let mut rests_on = need(Need { level, up: true, least: true })?;
        // No figure lies below zero, and everybody knows it.
        rests_on.extend(need(Need { level, up: false, least: false })?);
        Some(rests_on)
    }

    /// Can everybody think that a cell differs by as much as is needed? The cells that it rests on.
    fn possible(
        &mut self,
        component: &Component,
        place: usize,
        need: Need,
    ) -> Option<BTreeSet<usize>> {
        let global = |places: Vec<usize>| {
            places.into_iter().filter_map(|at| component.cells.get(at).copied()).collect()
        };
        let outside = component.outside();
        let by = match need.by(need.level, outside.get(place)?) {
            Ok(by) => by,
            Err(nothing) => return nothing.then(BTreeSet::new),
        };
        let pooled = component.pooled(place);
        // Nobody knows more than all together: mostly this decides for everybody at once.
        if let Some(evidence) = self.evidence(component, &pooled, place, by) {
            return Some(global(evidence.cells()));
        }
        if pooled == outside {
            return None;
        }
        let evidence = self.evidence(component, outside, place, by)?;
        let mut rests_on = evidence.cells();
        for insider in component.inside(place, need.level) {
            let by = match need.by(insider.level, &insider.room(place)?) {
                Ok(by) => by,
                Err(true) => continue,
                Err(false) => return None,
            };
            if !evidence.is_within_inside(&insider) {
                rests_on.extend(self.evidence(component, &insider.rooms(), place, by)?.cells());
            }
        }
        Some(global(rests_on))
    }

    fn evidence(
        &mut self,
        component: &Component,
        rooms: &[Room],
        place: usize,
        by: i64,
    ) -> Option<Evidence> {
        if !rooms.get(place)?.allows(i128::from(by)) {
            return None;
        }
        if let Some(moves) = circuit::find(component, rooms, (place, by), &|_| 0) {
            return Some(Evidence::Circuit(moves));
        }
        let Some(left) = self.left.checked_sub(component.cells.len()) else {
            self.left = 0;
            return None;
        };
        self.left = left;
        let length = real(by.saturating_abs());
        // Twice as far as needed, so that only figures which just reach hang on the solver's last digits.
        let moved = linear::farthest(component, rooms, (place, by > 0), length, 2.0)?;
        let enough = 1.0 - (GUARD / length).max(PRECISION);
        (moved.get(place)?.abs() >= enough).then_some(Evidence::Point(moved, length))
    }
}
