//! A cheap proof that a hidden cell may be another figure: a circuit of hidden cells that are moved against each
//! other until every equation holds again. Comes in: cells that hang together, what a reader knows of them, one cell
//! and by how much it shall differ. Goes out: such a circuit, in whole numbers and exact, or nothing. Must never be
//! taken for proof that there is none: it gives up early.

use crate::limits::BULLETIN_CIRCUIT_STEPS_MAX;

use super::equations::{Component, Room};

/// Lengths that are tried, one after the other: most circuits are short, and long ones branch a lot.
const LENGTHS: [usize; 4] = [4, 8, 16, 32];

/// Moves `target` by `by` and others to make up for it, within `rooms`; of several the ones with the lowest `price`.
/// By how much each is moved.
pub(super) fn find(
    component: &Component,
    rooms: &[Room],
    (target, by): (usize, i64),
    price: &dyn Fn(usize) -> i64,
) -> Option<Vec<(usize, i128)>> {
    let mut search = Search {
        component,
        rooms,
        price,
        moved: vec![0; component.cells.len()],
        lacks: vec![0; component.rows.len()],
        open: Vec::new(),
        path: Vec::new(),
        steps: BULLETIN_CIRCUIT_STEPS_MAX,
    };
    if !search.rooms[target].allows(i128::from(by)) {
        return None;
    }
    search.shift(target, i128::from(by));
    let found = LENGTHS.into_iter().any(|length| search.close(length));
    found.then(|| search.path.iter().map(|at| (*at, search.moved[*at])).collect())
}

struct Search<'a> {
    component: &'a Component,
    rooms: &'a [Room],
    price: &'a dyn Fn(usize) -> i64,
    /// By how much each cell is moved.
    moved: Vec<i128>,
    /// By how much each equation does not hold.
    lacks: Vec<i128>,
    /// Equations that do not hold.
    open: Vec<usize>,
    /// Cells that are moved, in order.
    path: Vec<usize>,
    steps: usize,
}

impl Search<'_> {
    /// Makes all equations hold with at most `length` more cells.
    fn close(&mut self, length: usize) -> bool {
        if self.open.is_empty() {
            return true;
        }
        if length == 0 || self.steps == 0 {
            return false;
        }
        self.steps -= 1;
        for (_, at, by) in self.ways() {
            self.shift(at, by);
            if self.close(length - 1) {
                return true;
            }
            self.unshift();
        }
        false
    }

    /// Cells that can make the open equation with the fewest ways out hold again, and by how much: where there is none,
    /// that is known at once. First those that leave fewest others open, and of these the cheapest.
    fn ways(&self) -> Vec<(usize, usize, i128)> {
        let (mut fewest, mut most) = (None, usize::MAX);
        for row in self.open.iter().copied() {
            // Counting ends where there are no fewer: an equation may have hundreds.
            let ways = self.moves(row).take(most).count();
            if ways < most {
                (fewest, most) = (Some(row), ways);
            }
            if ways == 0 {
                return Vec::new();
            }
        }
        let Some(row) = fewest else { return Vec::new() };
        let opens = |(at, by): (usize, i128)| {
            let rows = self.component.of_cell[at].iter();
            let opens = rows.filter(|(row, sign)| self.lacks[*row] + by * i128::from(*sign) != 0);
            (opens.count(), at, by)
        };
        let mut ways: Vec<_> = self.moves(row).map(opens).collect();
        ways.sort_by_cached_key(|(opens, at, _)| (*opens, (self.price)(*at), *at));
        ways
    }

    /// Cells that are not moved yet and may be moved so that an equation holds again, and by how much.
    fn moves(&self, row: usize) -> impl Iterator<Item = (usize, i128)> {
        let lacks = self.lacks[row];
        let terms = self.component.rows[row].iter();
        let moves = terms.map(move |(at, sign)| (*at, -lacks * i128::from(*sign)));
        moves.filter(|(at, by)| self.moved[*at] == 0 && self.rooms[*at].allows(*by))
    }

    fn shift(&mut self, at: usize, by: i128) {
        self.moved[at] = by;
        self.path.push(at);
        self.settle(at, by);
    }

    fn unshift(&mut self) {
        if let Some(at) = self.path.pop() {
            let by = std::mem::take(&mut self.moved[at]);
            self.settle(at, -by);
        }
    }

    fn settle(&mut self, at: usize, by: i128) {
        for (row, sign) in &self.component.of_cell[at] {
            let before = self.lacks[*row];
            self.lacks[*row] += by * i128::from(*sign);
            match (before == 0, self.lacks[*row] == 0) {
                (true, false) => self.open.push(*row),
                (false, true) => self.open.retain(|open| open != row),
                (true, true) | (false, false) => {}
            }
        }
    }
}
