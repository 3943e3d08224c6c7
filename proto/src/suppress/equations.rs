//! What a reader knows: cells, and sums that hold between them. Comes in: cells and equations, of all tables of one
//! population together. Goes out: [`Equations`], checked; and [`Component`]s, the hidden cells that can be moved
//! against each other. Must never hold equations that the figures do not satisfy.
//!
//! Cells are shared by their index, so that tables with levels, linked tables and several publications are one set.

use std::{collections::BTreeMap, fmt};

use crate::limits::{BULLETIN_CELLS_MAX, BULLETIN_TERMS_MAX};

/// What was decided before and cannot be changed any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fixed {
    /// Nothing: it is new.
    #[default]
    Free,
    /// Readers have it.
    Published,
    /// It was hidden, and showing it would uncover what it was hidden for.
    Suppressed,
}

/// What one respondent knows of a cell.
#[derive(Clone, Copy)]
pub struct Known {
    /// Who: what one owner contributes to several cells is known together. None: somebody of whom no other cell is
    /// known.
    pub owner: Option<u64>,
    /// What she contributes: she knows that the figure is no less.
    pub amount: i64,
    /// Nobody else is behind it: she knows the figure.
    pub alone: bool,
    /// How far the figure must stay movable in her eyes, no farther than its protection. None: it is not protected
    /// from her, because what she could learn of it is her own.
    pub level: Option<i64>,
}

impl fmt::Debug for Known {
    /// Prints no number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Known")
    }
}

/// A figure and what stands behind it.
#[derive(Clone, Default)]
pub struct Cell {
    /// The figure.
    pub value: i64,
    /// None: it may be shown. Otherwise how far above and below the figure all must stay possible; with zero, it
    /// must only not be known exactly.
    pub protection: Option<i64>,
    /// Respondents behind it: protected units, jurisdictions.
    pub units: u64,
    /// Who knows a part of it: each respondent her own, as far as that must be reckoned with.
    pub known: Vec<Known>,
    /// How much readers would miss it, for [`super::Cost::Preference`].
    pub cost: i64,
    /// What was decided before.
    pub fixed: Fixed,
}

impl fmt::Debug for Cell {
    /// Prints no number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cell")
    }
}

/// `total` is the sum of `parts` and of `rest`, which stands in no table and which the strongest reader knows.
#[derive(Clone, Debug)]
pub struct Equation {
    /// Index of the cell that is the sum.
    pub total: usize,
    /// Indices of the cells that are added.
    pub parts: Vec<usize>,
    /// What is missing of the total; below zero where the parts are more than it, as noise may have it.
    pub rest: i64,
}

/// Why cells and equations are not ones that protection can be worked out for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// More cells or terms than the bounds allow.
    #[error("more cells or terms of equations than can be protected together")]
    TooLarge,
    /// An equation names a cell that is not there, or one twice.
    #[error("an equation names a cell twice, or one that is not there")]
    Cells,
    /// The figures do not satisfy an equation.
    #[error("the figures do not add up")]
    Sum,
    /// A figure or a level is below zero, or a contribution larger than its figure.
    #[error("a figure that cannot be: below zero, or less than what is in it")]
    Figure,
}

/// Cells and the equations between them, checked.
#[derive(Clone)]
pub struct Equations {
    cells: Vec<Cell>,
    equations: Vec<Equation>,
    /// For every cell the equations that it stands in.
    of_cell: Vec<Vec<usize>>,
}

impl fmt::Debug for Equations {
    /// Prints no number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Equations")
    }
}

impl Equations {
    /// Checks that everything is there, adds up, and is within the bounds.
    pub fn new(cells: Vec<Cell>, equations: Vec<Equation>) -> Result<Self, Malformed> {
        let terms: usize = equations.iter().map(|equation| equation.parts.len() + 1).sum();
        if cells.len() > BULLETIN_CELLS_MAX || terms > BULLETIN_TERMS_MAX {
            return Err(Malformed::TooLarge);
        }
        let possible = |cell: &Cell| {
            cell.value >= 0
                && cell.protection.is_none_or(|room| room >= 0)
                && cell.known.iter().all(|known| (0..=cell.value).contains(&known.amount))
        };
        if !cells.iter().all(possible) {
            return Err(Malformed::Figure);
        }
        let mut of_cell = vec![Vec::new(); cells.len()];
        for (at, equation) in equations.iter().enumerate() {
            let mut sum = i128::from(equation.rest);
            for (cell, sign) in equation.terms() {
                let known = of_cell.get_mut(cell).filter(|known| known.last() != Some(&at));
                known.ok_or(Malformed::Cells)?.push(at);
                sum += i128::from(sign) * i128::from(cells.get(cell).map_or(0, |cell| cell.value));
            }
            if sum != 0 {
                return Err(Malformed::Sum);
            }
        }
        Ok(Self { cells, equations, of_cell })
    }

    /// The cells, by index.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// The equations.
    pub fn equations(&self) -> &[Equation] {
        &self.equations
    }

    /// The equations that a cell stands in.
    pub(super) fn around(&self, cell: usize) -> impl Iterator<Item = &Equation> {
        let numbers = self.of_cell.get(cell).map_or(&[][..], Vec::as_slice);
        numbers.iter().filter_map(|number| self.equations.get(*number))
    }
}

impl Equation {
    /// Every cell with its sign in `parts + rest − total = 0`.
    pub(super) fn terms(&self) -> impl Iterator<Item = (usize, i8)> {
        std::iter::once((self.total, -1)).chain(self.parts.iter().map(|part| (*part, 1)))
    }
}

/// What a reader knows of a hidden cell besides the equations: by how much it may be less and more than it is.
/// `i64::MAX` is no bound.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) below: i64,
    pub(super) above: i64,
}

impl Room {
    /// It is known.
    pub(super) const NONE: Self = Self { below: 0, above: 0 };

    pub(super) fn allows(self, by: i128) -> bool {
        -i128::from(self.below) <= by && (self.above == i64::MAX || by <= i128::from(self.above))
    }

    /// What is left if somebody knows this much and that much.
    fn within(self, other: Self) -> Self {
        Self { below: self.below.min(other.below), above: self.above.min(other.above) }
    }
}

/// Hidden cells that hang together. All that readers know of them is by how much they may be moved against each
/// other: published figures are constants, and constants cancel.
pub(super) struct Component {
    /// Index of each cell in the whole; the others go by their place in here.
    pub(super) cells: Vec<usize>,
    /// The terms of every equation that are hidden.
    pub(super) rows: Vec<Vec<(usize, i8)>>,
    /// For every cell the rows it stands in.
    pub(super) of_cell: Vec<Vec<(usize, i8)>>,
    /// What everybody knows.
    rooms: Vec<Room>,
    /// Of everybody who knows more: of which cells, and what.
    insiders: BTreeMap<Owner, Vec<(usize, Room)>>,
    /// For every cell how far it must be movable for those who know a part of it.
    levels: Vec<BTreeMap<Owner, Option<i64>>>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Owner {
    Named(u64),
    Of(usize),
}

impl Component {
    /// The hidden cells, grouped by whether equations connect them.
    pub(super) fn all(table: &Equations, hidden: &[bool]) -> Vec<Self> {
        let is_hidden = |cell: usize| hidden.get(cell).copied().unwrap_or(false);
        let mut seen = vec![false; table.cells.len()];
        let mut found = Vec::new();
        for first in (0..table.cells.len()).filter(|cell| is_hidden(*cell)) {
            if std::mem::replace(&mut seen[first], true) {
                continue;
            }
            let (mut cells, mut next) = (vec![first], 0);
            while let Some(cell) = cells.get(next).copied() {
                next += 1;
                for (other, _) in table.around(cell).flat_map(Equation::terms) {
                    if is_hidden(other) && !std::mem::replace(&mut seen[other], true) {
                        cells.push(other);
                    }
                }
            }
            cells.sort_unstable();
            found.push(Self::of(table, cells));
        }
        found
    }

    fn of(table: &Equations, cells: Vec<usize>) -> Self {
        let at: BTreeMap<_, _> = cells.iter().enumerate().map(|(at, cell)| (*cell, at)).collect();
        let numbers = cells.iter().filter_map(|cell| table.of_cell.get(*cell)).flatten();
        let mut numbers: Vec<_> = numbers.copied().collect();
        numbers.sort_unstable();
        numbers.dedup();
        let equations = numbers.iter().filter_map(|number| table.equations.get(*number));
        let hidden = |(cell, sign)| Some((*at.get(&cell)?, sign));
        let rows: Vec<Vec<_>> =
            equations.map(|equation| equation.terms().filter_map(hidden).collect()).collect();
        let mut of_cell = vec![Vec::new(); cells.len()];
        for (row, terms) in rows.iter().enumerate() {
            terms.iter().for_each(|(cell, sign)| of_cell[*cell].push((row, *sign)));
        }
        let behind: Vec<_> = cells.iter().filter_map(|cell| table.cells.get(*cell)).collect();
        let rooms: Vec<_> =
            behind.iter().map(|cell| Room { below: cell.value, above: i64::MAX }).collect();
        let mut insiders = BTreeMap::<_, Vec<_>>::new();
        let mut levels = vec![BTreeMap::new(); cells.len()];
        for (at, cell) in behind.iter().enumerate() {
            for known in &cell.known {
                let owner = known.owner.map_or(Owner::Of(at), Owner::Named);
                levels[at].insert(owner, known.level);
                let room = if known.alone {
                    Room::NONE
                } else {
                    Room { below: cell.value - known.amount, above: i64::MAX }
                };
                if room != rooms[at] {
                    insiders.entry(owner).or_default().push((at, room));
                }
            }
        }
        Self { cells, rows, of_cell, rooms, insiders, levels }
    }

    /// The place of a cell in here.
    pub(super) fn place(&self, cell: usize) -> Option<usize> {
        self.cells.binary_search(&cell).ok()
    }

    /// From now on the cell is published: nobody can think it another.
    pub(super) fn publish(&mut self, at: usize) -> Room {
        std::mem::replace(&mut self.rooms[at], Room::NONE)
    }

    /// Takes [`Component::publish`] back.
    pub(super) fn hide(&mut self, at: usize, room: Room) {
        self.rooms[at] = room;
    }

    /// What somebody who contributes nothing knows.
    pub(super) fn outside(&self) -> &[Room] {
        &self.rooms
    }

    /// Each contributor, one after the other, and how far `target` must be movable for her: `level`, if she knows nothing
    /// of it; not those whom it is not protected from.
    pub(super) fn inside(&self, target: usize, level: i64) -> impl Iterator<Item = Insider<'_>> {
        self.others(target).map(move |(of, known)| Insider {
            level: of.unwrap_or(level),
            outside: &self.rooms,
            known,
        })
    }

    /// What all of them together know: more than any of them, so that what it allows, each allows.
    pub(super) fn pooled(&self, target: usize) -> Vec<Room> {
        let mut rooms = self.rooms.clone();
        for (at, room) in self.others(target).flat_map(|(_, known)| known) {
            rooms[*at] = rooms[*at].within(*room);
        }
        rooms
    }

    fn others(&self, target: usize) -> impl Iterator<Item = (Option<i64>, &[(usize, Room)])> {
        let levels = &self.levels[target];
        self.insiders.iter().filter_map(|(owner, known)| match levels.get(owner) {
            None => Some((None, known.as_slice())),
            Some(Some(level)) => Some((Some(*level), known.as_slice())),
            Some(None) => None,
        })
    }
}

/// Somebody who knows more than everybody does.
pub(super) struct Insider<'a> {
    /// How far the cell in question must be movable for her.
    pub(super) level: i64,
    outside: &'a [Room],
    /// Ascending by place.
    known: &'a [(usize, Room)],
}

impl Insider<'_> {
    /// What she knows of one cell.
    pub(super) fn room(&self, at: usize) -> Option<Room> {
        let outside = *self.outside.get(at)?;
        let known = self.known.iter().skip(self.known.partition_point(|(before, _)| *before < at));
        let known = known.take_while(|(of, _)| *of == at);
        Some(known.fold(outside, |room, (_, known)| room.within(*known)))
    }

    /// What she knows of every cell.
    pub(super) fn rooms(&self) -> Vec<Room> {
        let mut rooms = self.outside.to_vec();
        self.known.iter().for_each(|(at, room)| rooms[*at] = rooms[*at].within(*room));
        rooms
    }
}
