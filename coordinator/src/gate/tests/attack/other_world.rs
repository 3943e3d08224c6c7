//! Thinking up other worlds. Comes in: what was printed of cells, how a cell is printed, and which figures attackers know.
//! Goes out: whether a figure may as well be some quite different one. Whoever finds no other world knows the figure
//! as closely as that.

use accord_proto::{regional::Figure, taxonomy::Indicator};

/// The numbers printed of a cell. Each only grows with the figures behind it.
pub(super) type Print = Vec<i64>;
/// A way to print a cell.
pub(super) type Printer = fn(&[Figure], &Indicator) -> Print;
/// A figure: whose, of which edition, of which cell by its number.
pub(super) type Who = (usize, u32, usize);

/// What was shown of a cell.
#[derive(Clone)]
pub(super) struct Shown {
    /// On whose figures it rests, as they are.
    pub(super) of: Vec<(Who, Figure)>,
    /// What was printed.
    pub(super) print: Print,
}

/// What attackers do not know, and what they see of it.
pub(super) struct Attack<'a> {
    pub(super) indicator: &'a Indicator,
    pub(super) printer: Printer,
    pub(super) shown: &'a [Shown],
    /// Figures that the attackers do not know, with the true ones.
    pub(super) unknown: Vec<(Who, i64)>,
    /// Is the first figure no smaller than all others of the same member and edition together?
    pub(super) nested: bool,
    /// Pictures that may still be drawn for one figure.
    pub(super) tries: u32,
}

/// Figures of a world that is thought up, in the order of the unknown ones; none: not yet thought of.
type Values = Vec<Option<i64>>;

impl Attack<'_> {
    /// Is there a world with `target` from `from` to `to` in which the very same was printed? None: given up.
    pub(super) fn may_be(&mut self, target: Who, (from, to): (i64, i64)) -> Option<bool> {
        let at = self.unknown.iter().position(|(who, _)| *who == target)?;
        let candidates = self.candidates(&[from, to]);
        let far: Vec<_> =
            candidates.iter().copied().filter(|value| (from..=to).contains(value)).collect();
        let truth: Values = self.unknown.iter().map(|(_, value)| Some(*value)).collect();
        // One or two that trade places with it suffice in most cases; of few all others are soon thought of.
        for depth in 0..if self.unknown.len() < 5 { 2 } else { 3 } {
            for value in &far {
                let world = self.with(&truth, at, *value);
                if self.changes(&world, (at, 0), &candidates, depth)? {
                    return Some(true);
                }
            }
        }
        let mut world = vec![None; self.unknown.len()];
        for value in far {
            world[at] = Some(value);
            if self.completes(&mut world, &candidates)? {
                return Some(true);
            }
        }
        Some(false)
    }

    /// A whole world with another figure. What it no longer leaves room for gives way.
    fn with(&self, world: &Values, at: usize, value: i64) -> Values {
        let mut world = world.clone();
        world[at] = Some(value);
        let ((of, edition, cell), _) = self.unknown[at];
        if !self.nested {
            return world;
        }
        let mut left = value;
        let mut sum = 0;
        for (place, ((other, other_edition, part), _)) in self.unknown.iter().enumerate() {
            if (*other, *other_edition) != (of, edition) || *part == 0 {
                continue;
            }
            if cell == 0 {
                world[place] = world[place].map(|figure| figure.min(left));
                left -= world[place].unwrap_or(0);
            }
            sum += world[place].unwrap_or(0);
        }
        let whole = self.unknown.iter().position(|(who, _)| *who == (of, edition, 0));
        if let Some(whole) = whole {
            world[whole] = world[whole].map(|figure| figure.max(sum));
        }
        world
    }

    /// Does it fit with so many other figures changed?
    fn changes(
        &mut self,
        world: &Values,
        (target, next): (usize, usize),
        candidates: &[i64],
        depth: usize,
    ) -> Option<bool> {
        if depth == 0 {
            return self.fits(world);
        }
        for at in (next..self.unknown.len()).filter(|at| *at != target) {
            for value in candidates {
                let other = self.with(world, at, *value);
                // It may not give way.
                if other[target] == world[target]
                    && self.changes(&other, (target, at + 1), candidates, depth - 1)?
                {
                    return Some(true);
                }
            }
        }
        Some(false)
    }

    /// Does it fit whatever those are that were not thought of?
    fn completes(&mut self, world: &mut Values, candidates: &[i64]) -> Option<bool> {
        if !self.fits(world)? {
            return Some(false);
        }
        let Some(at) = world.iter().position(Option::is_none) else {
            return Some(true);
        };
        for value in candidates {
            world[at] = Some(*value);
            if self.completes(world, candidates)? {
                return Some(true);
            }
        }
        world[at] = None;
        Some(false)
    }

    /// Can what was printed be printed of such a world?
    fn fits(&mut self, world: &Values) -> Option<bool> {
        self.tries = self.tries.checked_sub(1)?;
        if self.nested && !self.adds_up(world) {
            return Some(false);
        }
        let of = |who: &Who| self.unknown.iter().position(|(unknown, _)| unknown == who);
        let print = |shown: &Shown, open: i64| {
            let figure = |(who, known): &(Who, Figure)| match of(who) {
                Some(at) => {
                    let value = world[at].unwrap_or(open);
                    Figure { value, upper: value, ..*known }
                }
                None => *known,
            };
            let figures: Vec<_> = shown.of.iter().map(figure).collect();
            (self.printer)(&figures, self.indicator)
        };
        let whole = world.iter().all(Option::is_some);
        let (least, most) = (self.indicator.value_min, self.indicator.value_max);
        Some(self.shown.iter().all(|shown| {
            if whole {
                return print(shown, 0) == shown.print;
            }
            let (low, high) = (print(shown, least), print(shown, most));
            let within =
                |((low, high), printed): ((&i64, &i64), &i64)| low <= printed && printed <= high;
            low.iter().zip(&high).zip(&shown.print).all(within)
        }))
    }

    /// Do the parts of exact figures leave room for what was thought of?
    fn adds_up(&self, world: &Values) -> bool {
        self.unknown.iter().zip(world).all(|(((of, edition, cell), _), whole)| {
            let same = |who: &Who| who.0 == *of && who.1 == *edition && who.2 > 0;
            let parts = self.unknown.iter().zip(world).filter(|((who, _), _)| same(who));
            *cell > 0
                || whole.is_none_or(|whole| {
                    parts.map(|(_, value)| value.unwrap_or(0)).sum::<i64>() <= whole
                })
        })
    }

    /// Figures worth a thought: ends, known ones, printed ones, and what halves with another to a printed one.
    fn candidates(&self, bounds: &[i64]) -> Vec<i64> {
        let (least, most) = (self.indicator.value_min, self.indicator.value_max);
        let truths = self.unknown.iter().map(|(_, value)| *value);
        let figures = self.shown.iter().flat_map(|shown| &shown.of).map(|(_, figure)| figure.value);
        let mut known: Vec<_> =
            truths.chain(figures).chain([least, most]).chain(bounds.iter().copied()).collect();
        known.sort_unstable();
        known.dedup();
        let mut all = known.clone();
        for printed in self.shown.iter().flat_map(|shown| &shown.print) {
            all.extend([*printed - 1, *printed, *printed + 1]);
            all.extend(known.iter().map(|other| printed.saturating_mul(2).saturating_sub(*other)));
        }
        all.retain(|value| (least..=most).contains(value));
        all.sort_unstable();
        all.dedup();
        all
    }
}
