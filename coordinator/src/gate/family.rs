//! Complementary effects: which cells must be withheld because others are shown. Comes in: cells of one indicator,
//! area and year with what is hidden in them, and what the gate says of each by itself. Goes out: the cells to withhold
//! besides. Must never show a cell beside another if their difference is a figure that may not be shown.
//!
//! # Why this is enough
//! *Claim:* from all cells shown, also before, and from its own figures, no coalition bounds the hidden figure of
//! another jurisdiction, in any cell that was asked or in what such cells leave over, more tightly than the rules allow.
//! *Argument:* contributors who are in the same cells and atoms are a *class*; within a class sums hold exactly, and
//! every total is the sum of its classes, and so is a jurisdiction's figure where its nodes are in several. So all that a reader knows is the equations that [`suppress`] gets:
//! totals shown, atoms shown before, own amounts, that no figure is below zero. The best that a coalition can do
//! for a figure is to give its whole class's remainder to it; and exactly how far that remainder reaches is
//! what the audit finds, against every coalition. *Known limit:* what each member's table withholds is not known to
//! others; a member that tells more loses more. Cells cut along several dimensions whose crossing nobody asked
//! may bound each other more tightly than their sums do.

use std::collections::{BTreeMap, BTreeSet};

use accord_proto::{
    lattice::Axis,
    limits::GATE_KNOWN_MAX,
    rules::{Contributions, Rules},
    suppress::{self, Cell, Choice, Cost, Equation, Equations, Fixed, Known},
    taxonomy::{JurisdictionCode, Lists},
};

use super::{
    RegionalKey, Why,
    memory::{Contributor, Pooled, PooledBefore},
    pool::Pool,
    sums::{Amounts, Point, close},
};

/// Cells that may overlap, with what is hidden in them.
pub(super) type Pools<'a> = BTreeMap<RegionalKey, &'a Pool>;

/// What the gate says of each cell by itself: what to remember when it is shown.
pub(super) type Outcomes = BTreeMap<RegionalKey, Result<Pooled, Why>>;

/// What a family is judged with.
pub(super) struct Judging<'a> {
    /// Secret.
    pub(super) rules: &'a Rules,
    /// What was shown before.
    pub(super) before: &'a PooledBefore,
    /// The code lists.
    pub(super) lists: &'a Lists,
}

/// Contributors who are in the same cells and atoms: of each cell by its number, in which atom, zero for a new one.
type Signature = Vec<(usize, usize)>;

/// What each of some contributors brings, by jurisdiction.
type Brought = Vec<(JurisdictionCode, i64)>;

/// What is put together for the audit.
#[derive(Default)]
struct Assembly {
    /// Everybody who may pool what they know.
    coalitions: Vec<BTreeSet<JurisdictionCode>>,
    cells: Vec<Cell>,
    equations: Vec<Equation>,
    /// Of each cell that was asked, by its number: the classes in it, by atom, with the place of their cell.
    classes: BTreeMap<usize, Vec<(usize, usize)>>,
    /// Of each cell and rest, by class: its place, and what each contributor brings.
    points: BTreeMap<Point, Vec<(usize, Brought)>>,
    /// Of each cell that was asked: the place of its total.
    totals: BTreeMap<RegionalKey, usize>,
}

impl Judging<'_> {
    /// Cells that must be withheld, of those that pass by themselves.
    pub(super) fn withheld(&self, pools: &Pools<'_>, outcomes: &Outcomes) -> BTreeSet<RegionalKey> {
        let passing = |key: &RegionalKey| match outcomes.get(key) {
            Some(Ok(next)) => self.before.get(key) != Some(next),
            Some(Err(_)) | None => false,
        };
        if pools.len() < 2 {
            return BTreeSet::new();
        }
        let all = || pools.keys().copied().filter(&passing).collect();
        let Some(assembly) = self.assemble(pools, outcomes) else {
            return all();
        };
        if assembly.cells.iter().all(|cell| cell.protection.is_none()) {
            return BTreeSet::new();
        }
        let choice = Choice { cost: Cost::Value, threshold: 0 };
        let equations = Equations::new(assembly.cells, assembly.equations).ok();
        let pattern = equations.and_then(|equations| suppress::protect(&equations, &choice).ok());
        let Some(pattern) = pattern else {
            return all();
        };
        let hidden = |key: &RegionalKey| {
            let shown = assembly.totals.get(key).and_then(|at| pattern.shown().get(*at));
            !shown.is_some_and(|shown| shown.is_published())
        };
        pools.keys().copied().filter(|key| passing(key) && hidden(key)).collect()
    }

    /// None if it is too much.
    fn assemble(&self, pools: &Pools<'_>, outcomes: &Outcomes) -> Option<Assembly> {
        let mut assembly = Assembly { coalitions: self.coalitions(pools), ..Assembly::default() };
        let cells: Vec<_> = pools.iter().collect();
        let asked: Vec<_> = pools.keys().copied().collect();
        let indicator = self.lists.indicator_of(asked.first()?.indicator)?;
        let axes: Vec<_> = Axis::all(indicator).collect();
        let classes = self.classes(pools);
        // Each class has at least the cells that it is in: whether these alone are too many is known at once.
        let least: usize = classes.iter().map(|(signature, _)| signature.len()).sum();
        if least.saturating_mul(assembly.coalitions.len()) > GATE_KNOWN_MAX {
            return None;
        }
        for (signature, members) in classes {
            let point = |(number, _): &(usize, usize)| {
                let (key, pool) = cells.get(*number)?;
                let amounts = members.iter().map(|of| pool.0.get(*of).copied());
                Some((Point::whole(**key), amounts.collect()))
            };
            let mut points: BTreeMap<_, Amounts> = signature.iter().filter_map(point).collect();
            let sums = close(&mut points, &asked, &axes, self.lists);
            let mut places = BTreeMap::new();
            for (point, amounts) in points {
                let parts = members.iter().zip(amounts);
                let parts = parts.filter_map(|((of, _), part)| Some((*of, part?.amount)));
                let place = self.place(&mut assembly, parts.clone())?;
                assembly.points.entry(point.clone()).or_default().push((place, parts.collect()));
                places.insert(point, place);
            }
            for (number, atom) in signature {
                let place = *places.get(&Point::whole(*asked.get(number)?))?;
                assembly.classes.entry(number).or_default().push((atom, place));
            }
            for sum in sums {
                let parts = sum.parts.iter().map(|part| places.get(part).copied());
                assembly.equations.push(Equation {
                    total: *places.get(&sum.total)?,
                    parts: parts.collect::<Option<_>>()?,
                    rest: sum.rest,
                });
            }
        }
        self.reunite(&mut assembly)?;
        for (number, (key, pool)) in cells.into_iter().enumerate() {
            self.total(&mut assembly, (number, *key, pool), outcomes.get(key)?)?;
        }
        Some(assembly)
    }

    /// Of a jurisdiction whose nodes are in several classes, what these bring together is its figure.
    fn reunite(&self, assembly: &mut Assembly) -> Option<()> {
        for classes in std::mem::take(&mut assembly.points).into_values() {
            let all: BTreeSet<_> =
                classes.iter().flat_map(|(_, parts)| parts).map(|(of, _)| of).collect();
            let together = |of: &JurisdictionCode| {
                let with = classes.iter().enumerate();
                let with = with.filter(|(_, (_, parts))| parts.iter().any(|(one, _)| one == of));
                with.map(|(at, _)| at).collect::<Vec<_>>()
            };
            let sets: BTreeSet<_> = all.into_iter().map(together).collect();
            for set in sets.into_iter().filter(|set| set.len() > 1) {
                let of_set = || set.iter().filter_map(|at| classes.get(*at));
                let parts = of_set().flat_map(|(_, parts)| parts).copied();
                self.sum(assembly, of_set().map(|(place, _)| *place).collect(), parts)?;
            }
        }
        Some(())
    }

    /// A cell of its own; none if there are too many.
    fn place(
        &self,
        assembly: &mut Assembly,
        amounts: impl Iterator<Item = (JurisdictionCode, i64)>,
    ) -> Option<usize> {
        let place = assembly.cells.len();
        let known = place.saturating_add(1).saturating_mul(assembly.coalitions.len());
        let cell = (known <= GATE_KNOWN_MAX).then(|| self.cell(amounts, &assembly.coalitions))?;
        assembly.cells.push(cell);
        Some(place)
    }

    /// The cell that is the sum of others.
    fn sum(
        &self,
        assembly: &mut Assembly,
        parts: Vec<usize>,
        amounts: impl Iterator<Item = (JurisdictionCode, i64)>,
    ) -> Option<usize> {
        if let [only] = parts[..] {
            return Some(only);
        }
        let total = self.place(assembly, amounts)?;
        assembly.equations.push(Equation { total, parts, rest: 0 });
        Some(total)
    }

    /// The total of a cell, and the atoms of it that readers have.
    fn total(
        &self,
        assembly: &mut Assembly,
        (number, key, pool): (usize, RegionalKey, &Pool),
        outcome: &Result<Pooled, Why>,
    ) -> Option<()> {
        let classes = assembly.classes.get(&number)?.clone();
        let present = pool.present();
        let amounts = |among: &dyn Fn(&Contributor) -> bool| {
            let parts = pool.0.iter().filter(|(of, _)| among(of));
            parts.map(|((of, _), part)| (*of, part.amount)).collect::<Vec<_>>()
        };
        let places = classes.iter().map(|(_, place)| *place).collect();
        let total = self.sum(assembly, places, amounts(&|_| true).into_iter())?;
        let before = self.before.get(&key);
        let mut known = Vec::new();
        for (at, atom) in before.into_iter().flat_map(|before| before.known(&present)) {
            let places = classes.iter().filter(|(of, _)| *of == at + 1).map(|(_, place)| *place);
            let amounts = amounts(&|of| atom.editions.contains_key(of));
            known.push(self.sum(assembly, places.collect(), amounts.into_iter())?);
        }
        let largest: Vec<_> =
            amounts(&|_| true).into_iter().map(|(_, amount)| amount).max().into_iter().collect();
        let level = self.rules.protection(&Contributions::of(&largest, 0));
        let cell = assembly.cells.get_mut(total)?;
        cell.fixed = match outcome {
            Ok(next) if before == Some(next) => Fixed::Published,
            Ok(_) => Fixed::Free,
            Err(_) => Fixed::Suppressed,
        };
        // What was shown of it before is not what it is now: the difference is somebody's.
        if matches!(outcome, Err(Why::Left | Why::Revised)) {
            cell.protection = cell.protection.max(Some(level.max(1)));
        }
        for at in known {
            assembly.cells.get_mut(at)?.fixed = Fixed::Published;
        }
        assembly.totals.insert(key, total);
        Some(())
    }

    fn classes<'a>(&self, pools: &'a Pools<'_>) -> Vec<(Signature, Vec<&'a Contributor>)> {
        let mut signatures = BTreeMap::<&Contributor, Signature>::new();
        for (number, (key, pool)) in pools.iter().enumerate() {
            let atoms = self.before.get(key).map_or(&[][..], |before| &before.0);
            for of in pool.0.keys() {
                let atom = atoms.iter().position(|atom| atom.editions.contains_key(of));
                let atom = atom.map_or(0, |at| at + 1);
                signatures.entry(of).or_default().push((number, atom));
            }
        }
        let mut classes = BTreeMap::<Signature, Vec<_>>::new();
        for (of, signature) in signatures {
            classes.entry(signature).or_default().push(of);
        }
        classes.into_iter().collect()
    }

    /// Everybody who may pool what they know: each alone, each two together, …
    fn coalitions(&self, pools: &Pools<'_>) -> Vec<BTreeSet<JurisdictionCode>> {
        let all: BTreeSet<_> =
            pools.values().flat_map(|pool| pool.0.keys()).map(|(of, _)| *of).collect();
        let mut coalitions = BTreeSet::new();
        let mut last = BTreeSet::from([BTreeSet::new()]);
        for _ in 0..self.rules.coalition {
            let with = |one: &BTreeSet<_>| {
                let one = one.clone();
                all.iter().map(move |of| one.iter().copied().chain([*of]).collect())
            };
            last = last.iter().flat_map(with).collect();
            coalitions.extend(last.iter().cloned());
            if coalitions.len() > GATE_KNOWN_MAX {
                break;
            }
        }
        coalitions.into_iter().collect()
    }

    /// Hidden, unless somebody says otherwise.
    fn cell(
        &self,
        amounts: impl Iterator<Item = (JurisdictionCode, i64)>,
        coalitions: &[BTreeSet<JurisdictionCode>],
    ) -> Cell {
        let mut by_jurisdiction = BTreeMap::<JurisdictionCode, i64>::new();
        for (of, amount) in amounts {
            let sum = by_jurisdiction.entry(of).or_default();
            *sum = sum.saturating_add(amount);
        }
        let amounts: Vec<_> = by_jurisdiction.values().copied().collect();
        let contributions = Contributions::of(&amounts, 0);
        let is_safe = self.rules.check(&contributions, false).is_ok();
        let protection = (!is_safe).then(|| self.rules.protection(&contributions).max(1));
        // Whoever knows her own figures is left with those of the others, and needs nobody for that.
        let alone = Rules { coalition: 0, ..self.rules.clone() };
        let known = coalitions.iter().enumerate().filter_map(|(owner, coalition)| {
            let inside = |of: &JurisdictionCode| coalition.contains(of);
            let own = by_jurisdiction.iter().filter(|(of, _)| inside(of)).map(|(_, own)| *own);
            let own: Vec<i64> = own.collect();
            let others = by_jurisdiction.iter().filter(|(of, _)| !inside(of));
            let others: Vec<i64> = others.map(|(_, other)| *other).collect();
            let level = alone.protection(&Contributions::of(&others, 0)).max(1);
            (!own.is_empty()).then(|| Known {
                owner: Some(owner as u64),
                amount: own.iter().fold(0, |sum: i64, own| sum.saturating_add(*own)),
                alone: others.is_empty(),
                level: protection.filter(|_| !others.is_empty()).map(|most| level.min(most)),
            })
        });
        Cell {
            value: contributions.total,
            protection,
            units: amounts.len() as u64,
            known: known.collect(),
            cost: contributions.total,
            fixed: Fixed::Suppressed,
        }
    }
}
