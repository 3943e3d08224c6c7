//! What a reader knows: cells, and sums that hold between them. Comes in: cells and equations, of all tables of one
//! population together. Goes out: [`Equations`], checked; and [`Component`]s, the hidden cells that can be moved
//! against each other. Must never hold equations that the figures do not satisfy.
//!
//! Cells are shared by their index, so that tables with levels, linked tables and several bulletins are one set.

use std::{collections::BTreeMap, fmt};

use accord_proto::limits::{BULLETIN_CELLS_MAX, BULLETIN_TERMS_MAX};

/// What was decided before and cannot be changed any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fixed {
    /// Nothing: it is in no earlier bulletin.
    #[default]
    Free,
    /// Readers have it.
    Published,
    /// It was hidden, and showing it would uncover what it was hidden for.
    Suppressed,
}

/// A figure and what stands behind it.
#[derive(Clone, Default)]
pub struct BulletinCell {
    /// The figure.
    pub value: i64,
    /// None: it may be shown. Otherwise how far above and below the figure all must stay possible; with zero, it
    /// must only not be known exactly.
    pub protection: Option<i64>,
    /// Protected units behind it.
    pub units: u64,
    /// What the largest of them contributes; the figure itself where it is not known.
    pub largest: i64,
    /// Who that is: what one owner contributes to several cells is known together. None: somebody of whom no other
    /// cell is known.
    pub owner: Option<u64>,
    /// How much readers would miss it, for [`super::Cost::Preference`].
    pub cost: i64,
    /// What was decided before.
    pub fixed: Fixed,
}

impl fmt::Debug for BulletinCell {
    /// Prints no number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BulletinCell")
    }
}

/// `total` is the sum of `parts` and of `rest`, which stands in no table and which the strongest reader knows.
#[derive(Clone, Debug)]
pub struct Equation {
    /// Index of the cell that is the sum.
    pub total: usize,
    /// Indices of the cells that are added.
    pub parts: Vec<usize>,
    /// What is missing of the total.
    pub rest: i64,
}

/// Why cells and equations are not ones that protection can be worked out for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// More cells or terms than the bounds allow.
    #[error("more cells or terms of equations than a bulletin may have")]
    TooLarge,
    /// An equation names a cell that is not there, or one twice.
    #[error("an equation names a cell twice, or one that is not there")]
    Cells,
    /// The figures do not satisfy an equation.
    #[error("the figures do not add up")]
    Sum,
    /// A figure, a remainder or a level is below zero, or a contribution larger than its figure.
    #[error("a figure that cannot be: below zero, or less than what is in it")]
    Figure,
}

/// Cells and the equations between them, checked.
#[derive(Clone)]
pub struct Equations {
    cells: Vec<BulletinCell>,
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
    pub fn new(cells: Vec<BulletinCell>, equations: Vec<Equation>) -> Result<Self, Malformed> {
        let terms: usize = equations.iter().map(|equation| equation.parts.len() + 1).sum();
        if cells.len() > BULLETIN_CELLS_MAX || terms > BULLETIN_TERMS_MAX {
            return Err(Malformed::TooLarge);
        }
        let possible = |cell: &BulletinCell| {
            (0..=cell.value).contains(&cell.largest) && cell.protection.is_none_or(|room| room >= 0)
        };
        if !cells.iter().all(possible) || equations.iter().any(|equation| equation.rest < 0) {
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
    pub fn cells(&self) -> &[BulletinCell] {
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
    /// What the largest contributor of a cell knows of it.
    own: Vec<Room>,
    /// Cells by owner of their largest contribution, where that owner knows more than others.
    insiders: BTreeMap<Owner, Vec<usize>>,
    owners: Vec<Owner>,
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
        let rooms = behind.iter().map(|cell| Room { below: cell.value, above: i64::MAX });
        let own = behind.iter().map(|cell| match cell.units {
            1 => Room::NONE,
            _ => Room { below: cell.value - cell.largest, above: i64::MAX },
        });
        let owner =
            |(at, cell): (usize, &&BulletinCell)| cell.owner.map_or(Owner::Of(at), Owner::Named);
        let (rooms, own): (Vec<_>, Vec<_>) = (rooms.collect(), own.collect());
        let owners: Vec<_> = behind.iter().enumerate().map(owner).collect();
        let mut insiders = BTreeMap::<_, Vec<_>>::new();
        for (at, owner) in owners.iter().enumerate().filter(|(at, _)| own[*at] != rooms[*at]) {
            insiders.entry(*owner).or_default().push(at);
        }
        Self { cells, rows, of_cell, rooms, own, insiders, owners }
    }

    /// The place of a cell in here.
    pub(super) fn place(&self, cell: usize) -> Option<usize> {
        self.cells.binary_search(&cell).ok()
    }

    /// From now on the cell is published: nobody can think it another.
    pub(super) fn publish(&mut self, at: usize) -> (Room, Room) {
        (
            std::mem::replace(&mut self.rooms[at], Room::NONE),
            std::mem::replace(&mut self.own[at], Room::NONE),
        )
    }

    /// Takes [`Component::publish`] back.
    pub(super) fn hide(&mut self, at: usize, (room, own): (Room, Room)) {
        self.rooms[at] = room;
        self.own[at] = own;
    }

    /// What somebody who contributes nothing knows.
    pub(super) fn outside(&self) -> &[Room] {
        &self.rooms
    }

    /// What each contributor knows, one after the other; not the one whom `target` is about.
    pub(super) fn inside(&self, target: usize) -> impl Iterator<Item = Vec<Room>> {
        self.others(target).map(|cells| {
            let mut rooms = self.rooms.clone();
            cells.iter().for_each(|at| rooms[*at] = rooms[*at].within(self.own[*at]));
            rooms
        })
    }

    /// What all of them together know: more than any of them, so that what it allows, each allows.
    pub(super) fn pooled(&self, target: usize) -> Vec<Room> {
        let mut rooms = self.rooms.clone();
        for at in self.others(target).flatten() {
            rooms[*at] = rooms[*at].within(self.own[*at]);
        }
        rooms
    }

    fn others(&self, target: usize) -> impl Iterator<Item = &Vec<usize>> {
        let about = self.owners[target];
        self.insiders.iter().filter(move |(owner, _)| **owner != about).map(|(_, cells)| cells)
    }
}
