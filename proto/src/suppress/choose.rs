//! Which cells to hide beside the unsafe ones. Comes in: what a reader knows, and what readers want to keep. Goes
//! out: a pattern that the audit has passed, or why there is none. Must never publish for want of rounds, work or
//! cells: it fails closed.
//!
//! A heuristic, by the idea of sdcTable's `SIMPLEHEURISTIC`: hide the cheapest cell of every equation from which a
//! hidden one could be worked out, let the audit say what is still exposed, hide more around it, and again. Then
//! whatever turns out not to have been needed is published after all, the dearest first.

use crate::limits::{BULLETIN_CHOOSING_SOLVED_MAX, BULLETIN_ROUNDS_MAX};

use super::{
    FailClosed,
    audit::{Audit, Pattern},
    circuit,
    equations::{Cell, Component, Equation, Equations, Fixed, Room},
};

/// What hiding a cell costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// Its figure: little of the whole is lost.
    Value,
    /// What is said of each cell: readers keep what they need.
    Preference,
}

impl Cost {
    fn of(self, cell: &Cell) -> i64 {
        match self {
            Self::Value => cell.value,
            Self::Preference => cell.cost,
        }
    }
}

/// How to choose.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    /// What hiding a cell costs.
    pub cost: Cost,
    /// Fewest protected units behind the hidden cells of one equation, whose sum is known to every reader; a secret
    /// parameter. Zero asks nothing.
    pub threshold: u64,
}

/// Hides what must be hidden, and what would give it away.
pub fn protect(table: &Equations, choice: &Choice) -> Result<Pattern, FailClosed> {
    let shown_before = |cell: &Cell| cell.fixed == Fixed::Published && cell.protection.is_some();
    if table.cells().iter().any(shown_before) {
        return Err(FailClosed::PublishedBefore);
    }
    let cells = table.cells().iter();
    let may_hide: Vec<_> = cells.map(|cell| cell.fixed != Fixed::Published).collect();
    let reach = Component::all(table, &may_hide);
    let attempt = |prefer| attempt(table, Choosing::new(table, choice, prefer, &reach));
    let found = [Prefer::Roomy, Prefer::Cheap].map(attempt);
    let cost = |pattern: &Pattern| {
        let cells = table.cells().iter().zip(pattern.shown());
        let hidden = cells.filter(|(_, shown)| !shown.is_published());
        hidden.map(|(cell, _)| i128::from(choice.cost.of(cell))).sum::<i128>()
    };
    let [first, second] = found;
    match (first, second) {
        (Ok(a), Ok(b)) => Ok(if cost(&b) < cost(&a) { b } else { a }),
        (Ok(found), Err(_)) | (Err(_), Ok(found)) => Ok(found),
        (Err(why), Err(_)) => Err(why),
    }
}

/// What to take of several cells. None is better always; both are tried, and the cheaper outcome is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Prefer {
    /// A cell that is large enough to be moved as far as is needed.
    Roomy,
    /// The cheapest, whatever its size: several small ones may do what a large one does.
    Cheap,
}

/// Rounds in which the cheapest neighbour is hidden; in tables with two dimensions they mostly are enough, and cheap.
const ROUNDS_OF_NEIGHBOURS: usize = 3;

fn attempt(table: &Equations, mut choosing: Choosing<'_>) -> Result<Pattern, FailClosed> {
    let mut audit = Audit::new(table);
    for round in 0..BULLETIN_ROUNDS_MAX {
        choosing.complete();
        audit.allow(BULLETIN_CHOOSING_SOLVED_MAX);
        let exposed = audit.exposed(&choosing.hidden);
        if exposed.is_empty() {
            choosing.trim(&mut audit);
            return super::audit(table, &choosing.hidden);
        }
        let mut widened = false;
        for cell in exposed {
            if !choosing.may_hide_more() {
                break;
            }
            widened |=
                (round >= ROUNDS_OF_NEIGHBOURS && choosing.detour(cell)) || choosing.widen(cell);
        }
        if !widened {
            return Err(FailClosed::Exhausted);
        }
    }
    Err(FailClosed::Rounds)
}

struct Choosing<'a> {
    table: &'a Equations,
    choice: &'a Choice,
    prefer: Prefer,
    hidden: Vec<bool>,
    /// The cells that are hidden or may be.
    reach: &'a [Component],
    /// How far a hidden cell has to be movable: its own level, or that of the cell it is hidden for.
    levels: Vec<i64>,
}

impl<'a> Choosing<'a> {
    fn new(
        table: &'a Equations,
        choice: &'a Choice,
        prefer: Prefer,
        reach: &'a [Component],
    ) -> Self {
        let hidden = |cell: &Cell| cell.protection.is_some() || cell.fixed == Fixed::Suppressed;
        let level = |cell: &Cell| cell.protection.unwrap_or(0).max(1);
        Self {
            table,
            choice,
            prefer,
            reach,
            hidden: table.cells().iter().map(hidden).collect(),
            levels: table.cells().iter().map(level).collect(),
        }
    }

    /// Hides the cheapest other cell wherever one equation alone gives a hidden cell away.
    fn complete(&mut self) {
        let mut again = true;
        while std::mem::take(&mut again) {
            for equation in self.table.equations() {
                while let Some(level) = self.gives_away(equation) {
                    if !self.hide_cheapest(equation.terms().map(|(cell, _)| cell), level) {
                        break;
                    }
                    again = true;
                }
                // Only among the parts: to hide their total instead moves the question one level up.
                while self.is_below_threshold(equation) {
                    if !self.hide_cheapest(equation.parts.iter().copied(), 1) {
                        break;
                    }
                    again = true;
                }
            }
        }
    }

    /// How far more would have to be movable, if one equation alone gives something away: the only hidden cell; the
    /// only one that a contributor to the others does not know.
    fn gives_away(&self, equation: &Equation) -> Option<i64> {
        let hidden: Vec<_> = self.hidden_in(equation).collect();
        let level = hidden.iter().map(|cell| self.level(*cell)).max()?;
        if hidden.len() == 1 {
            return Some(level);
        }
        // Who is alone behind a cell knows it.
        let first = |cell: usize| self.cell(cell)?.known.first();
        let alone = |cell: &usize| first(*cell).is_some_and(|known| known.alone);
        // All others of some cell must be: with two that are not, nothing is given away.
        if hidden.iter().filter(|cell| !alone(cell)).nth(1).is_some() {
            return None;
        }
        let owner = |cell: usize| first(cell)?.owner;
        let known_to_one = |others: &[usize]| {
            others.iter().all(alone)
                && match others {
                    [] | [_] => true,
                    [first, rest @ ..] => {
                        owner(*first).is_some()
                            && rest.iter().all(|other| owner(*other) == owner(*first))
                    }
                }
        };
        let given_away = hidden.iter().filter(|target| {
            let others: Vec<_> = hidden.iter().copied().filter(|other| other != *target).collect();
            let others_own = others.first().and_then(|other| owner(*other));
            let known = self.cell(**target).map_or(&[][..], |cell| &cell.known);
            let own = others_own.is_some()
                && known.iter().any(|known| known.owner == others_own && known.level.is_none());
            self.is_unsafe(**target) && !own && known_to_one(&others)
        });
        given_away.map(|cell| self.level(*cell)).max()
    }

    fn is_below_threshold(&self, equation: &Equation) -> bool {
        // Where the sum is hidden itself, nobody knows what its hidden parts amount to.
        let known = self.hidden.get(equation.total) == Some(&false);
        let units = self.hidden_in(equation).filter_map(|cell| Some(self.cell(cell)?.units));
        let units = units.reduce(u64::saturating_add);
        known && units.is_some_and(|units| units < self.choice.threshold)
    }

    /// Is there a cell that is not hidden and may be? To look for the best one costs more.
    fn may_hide_more(&self) -> bool {
        let cells = self.table.cells().iter().zip(&self.hidden);
        cells.into_iter().any(|(cell, hidden)| cell.fixed == Fixed::Free && !hidden)
    }

    /// Hides a whole circuit through an exposed cell, up and down: what the audit is going to look for.
    fn detour(&mut self, exposed: usize) -> bool {
        let Some((level, value)) =
            self.cell(exposed).and_then(|cell| Some((cell.protection?, cell.value)))
        else {
            return false;
        };
        let found = self.reach.iter().find_map(|part| Some((part, part.place(exposed)?)));
        let Some((part, place)) = found else {
            return false;
        };
        let (up, down) = (level.max(1), -level.max(1).min(value));
        let pooled = part.pooled(place);
        let mut more = Vec::<usize>::new();
        for by in [up, down] {
            let price = |at: usize| self.price(part.cells.get(at).copied());
            let around = |rooms: &[Room]| circuit::find(part, rooms, (place, by), &price);
            // One that everybody can believe in; or else one that outsiders can, and one for each who knows better.
            let mut circuits = vec![around(&pooled)];
            if circuits[0].is_none() {
                let outside = around(part.outside()).unwrap_or_default();
                let knows =
                    |rooms: &Vec<Room>| !outside.iter().all(|(at, by)| rooms[*at].allows(*by));
                let inside = part.inside(place, up).map(|insider| insider.rooms());
                circuits.extend(inside.filter(knows).map(|rooms| around(&rooms)));
                circuits.push(Some(outside));
            }
            let places = circuits.iter().flatten().flatten();
            more.extend(places.filter_map(|(at, _)| part.cells.get(*at)).copied());
        }
        more.retain(|at| !self.hidden[*at]);
        for at in &more {
            self.hidden[*at] = true;
            self.levels[*at] = level.max(1);
        }
        !more.is_empty()
    }

    /// What it costs to have a cell in a circuit: nothing if it is hidden anyway.
    fn price(&self, at: Option<usize>) -> i64 {
        let Some((at, cell)) = at.and_then(|at| Some((at, self.cell(at)?))) else {
            return i64::MAX;
        };
        match (self.hidden[at], cell.value) {
            (true, _) => 0,
            (false, 0) => i64::MAX,
            (false, _) => self.choice.cost.of(cell),
        }
    }

    /// Hides the cheapest cell as near to an exposed one as there is any.
    fn widen(&mut self, exposed: usize) -> bool {
        let level = self.level(exposed);
        let mut seen = vec![false; self.hidden.len()];
        let mut ring = vec![exposed];
        while !ring.is_empty() {
            let table = self.table;
            let around = ring.iter().flat_map(|cell| table.around(*cell));
            if self.hide_cheapest(around.flat_map(Equation::terms).map(|(cell, _)| cell), level) {
                return true;
            }
            ring.iter().for_each(|cell| seen[*cell] = true);
            let mut next: Vec<_> = ring
                .iter()
                .flat_map(|cell| table.around(*cell))
                .flat_map(|equation| self.hidden_in(equation))
                .filter(|cell| !seen[*cell])
                .collect();
            next.sort_unstable();
            next.dedup();
            ring = next;
        }
        false
    }

    /// Publishes again what is not needed, the dearest first.
    fn trim(&mut self, audit: &mut Audit<'_>) {
        audit.allow(BULLETIN_CHOOSING_SOLVED_MAX);
        let mut secondary: Vec<_> = self.table.cells().iter().enumerate().collect();
        secondary.retain(|(at, cell)| {
            self.hidden[*at] && cell.protection.is_none() && cell.fixed == Fixed::Free
        });
        secondary.sort_by_key(|(at, cell)| (std::cmp::Reverse(self.choice.cost.of(cell)), *at));
        for (at, _) in secondary {
            self.hidden[at] = false;
            let too_few = self.table.around(at).any(|around| self.is_below_threshold(around));
            if too_few || !audit.publish(at) {
                self.hidden[at] = true;
            }
        }
    }

    /// Hides the cheapest of some cells that may be hidden. Cells too small to be moved as far as is needed
    /// come last, and zeros last of all: they can only be more than they are.
    fn hide_cheapest(&mut self, cells: impl Iterator<Item = usize>, level: i64) -> bool {
        let roomy = self.prefer == Prefer::Roomy;
        let cells = cells.filter_map(|at| {
            let cell = self.cell(at)?;
            let free = cell.fixed == Fixed::Free && !self.hidden[at];
            let cost = self.choice.cost.of(cell);
            free.then_some((cell.value == 0, roomy && cell.value < level, cost, at))
        });
        let Some((.., at)) = cells.min() else {
            return false;
        };
        self.hidden[at] = true;
        self.levels[at] = self.levels[at].max(level);
        true
    }

    fn hidden_in(&self, equation: &Equation) -> impl Iterator<Item = usize> {
        equation.terms().map(|(cell, _)| cell).filter(|cell| self.hidden[*cell])
    }

    fn cell(&self, at: usize) -> Option<&'a Cell> {
        self.table.cells().get(at)
    }

    fn is_unsafe(&self, at: usize) -> bool {
        self.cell(at).is_some_and(|cell| cell.protection.is_some())
    }

    fn level(&self, at: usize) -> i64 {
        self.levels.get(at).copied().unwrap_or(0)
    }
}
