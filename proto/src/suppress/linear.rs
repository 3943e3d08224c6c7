//! How far a hidden cell may differ, by linear programming: the one place where a solver is asked. Comes in: cells
//! that hang together, what a reader knows of them, one cell. Goes out: the farthest point that the solver reached,
//! and how far that is. Must never believe a solver that does not say that it is done.

use crate::limits::BULLETIN_ITERATIONS_MAX;
use clarabel::{
    algebra::CscMatrix,
    solver::{
        DefaultSettings, DefaultSolver, IPSolver as _,
        SolverStatus::Solved,
        SupportedConeT::{NonnegativeConeT, ZeroConeT},
    },
};

use super::equations::{Component, Room};

/// Nothing is moved farther than this many units of length. It keeps the numbers of one problem near each other; a
/// reader who believes it knows more than there is to know, so what is safe from her is safe.
pub(super) const FAR: f64 = 1e3;

/// The point where `target` differs most, up or down: by how much every cell is moved, in units of `length`. `cap`
/// is as far as `target` itself need go.
pub(super) fn farthest(
    component: &Component,
    rooms: &[Room],
    (target, up): (usize, bool),
    length: f64,
    cap: f64,
) -> Option<Vec<f64>> {
    let free: Vec<_> = (0..rooms.len()).filter(|at| rooms[*at] != Room::NONE).collect();
    let column = free.binary_search(&target).ok()?;
    let (rows, columns) = (component.rows.len(), free.len());
    // Equations, then how far down each cell may go, then how far up.
    let mut bounds = vec![0.0; rows + 2 * columns];
    let (mut starts, mut places, mut factors) = (vec![0], Vec::new(), Vec::new());
    for (column, at) in free.iter().enumerate() {
        for (row, sign) in &component.of_cell[*at] {
            places.push(*row);
            factors.push(f64::from(*sign));
        }
        places.extend([rows + column, rows + columns + column]);
        factors.extend([-1.0, 1.0]);
        starts.push(places.len());
        let far = if *at == target { cap } else { FAR };
        bounds[rows + column] = (real(rooms[*at].below) / length).min(far);
        bounds[rows + columns + column] = (real(rooms[*at].above) / length).min(far);
    }
    let mut objective = vec![0.0; columns];
    objective[column] = if up { -1.0 } else { 1.0 };
    let settings = DefaultSettings {
        verbose: false,
        max_iter: BULLETIN_ITERATIONS_MAX,
        ..DefaultSettings::default()
    };
    let mut solver = DefaultSolver::new(
        &CscMatrix::zeros((columns, columns)),
        &objective,
        &CscMatrix::new(bounds.len(), columns, starts, places, factors),
        &bounds,
        &[ZeroConeT(rows), NonnegativeConeT(2 * columns)],
        settings,
    )
    .ok()?;
    solver.solve();
    if solver.solution.status != Solved {
        return None;
    }
    let mut moved = vec![0.0; rooms.len()];
    free.iter().zip(&solver.solution.x).for_each(|(at, by)| moved[*at] = *by);
    Some(moved)
}

/// Figures are far smaller than what a double holds exactly, and no bound at all may well be rounded.
#[expect(clippy::cast_precision_loss, reason = "see above")]
pub(super) fn real(value: i64) -> f64 {
    value as f64
}
