//! Which cells hang together by others. Comes in: cells of one family to begin with, and others of it. Goes out: those
//! of the others that overlap with one to begin with, or with one that does, and so on. Must never leave one out.
//!
//! Cells of a family have few places along each axis. Which of these lie within each other is worked out once, so that
//! to compare two cells is to look it up.

use std::collections::{BTreeMap, BTreeSet};

use accord_proto::{lattice::Axis, taxonomy::Lists};

use super::RegionalKey;

/// The others that are reached.
pub(super) fn reached(
    from: Vec<RegionalKey>,
    others: BTreeSet<RegionalKey>,
    lists: &Lists,
) -> BTreeSet<RegionalKey> {
    let Some(first) = from.first() else {
        return BTreeSet::new();
    };
    let Some(indicator) = lists.indicator_of(first.indicator) else {
        return BTreeSet::new();
    };
    let all = || from.iter().chain(&others);
    let axes: Vec<_> =
        Axis::all(indicator).map(|axis| Places::along(axis, first, all(), lists)).collect();
    let cell = |key: &RegionalKey| axes.iter().map(|places| places.of(key)).collect::<Vec<_>>();
    let mut reached: Vec<_> = from.iter().map(cell).collect();
    let mut others: Vec<_> = others.iter().map(|key| (*key, cell(key))).collect();
    let mut found = BTreeSet::new();
    while let Some(from) = reached.pop() {
        let overlaps = |to: &Vec<usize>| {
            axes.iter().zip(from.iter().zip(to)).all(|(places, (a, b))| places.overlap(*a, *b))
        };
        let near = others.extract_if(.., |(_, other)| overlaps(other));
        for (key, other) in near {
            found.insert(key);
            reached.push(other);
        }
    }
    found
}

/// Places along one axis.
struct Places<'a> {
    axis: Axis,
    /// What stands for the places along all other axes.
    base: &'a RegionalKey,
    numbers: BTreeMap<RegionalKey, usize>,
    /// Of each: those that it holds or that hold it, by number.
    within: Vec<Vec<bool>>,
}

impl<'a> Places<'a> {
    fn along<'k>(
        axis: Axis,
        base: &'a RegionalKey,
        keys: impl Iterator<Item = &'k RegionalKey>,
        lists: &Lists,
    ) -> Self {
        let places: BTreeSet<_> = keys.map(|key| key.along(axis, base)).collect();
        let numbers: BTreeMap<_, _> =
            places.into_iter().enumerate().map(|(at, place)| (place, at)).collect();
        let mut within = vec![vec![false; numbers.len()]; numbers.len()];
        for (place, at) in &numbers {
            within[*at][*at] = true;
            for above in place.above(axis, lists).iter().filter_map(|above| numbers.get(above)) {
                within[*at][*above] = true;
                within[*above][*at] = true;
            }
        }
        Self { axis, base, numbers, within }
    }

    /// Its number; every cell was there when they were counted.
    fn of(&self, key: &RegionalKey) -> usize {
        self.numbers.get(&key.along(self.axis, self.base)).copied().unwrap_or(usize::MAX)
    }

    /// Does one of two lie within the other? Of what is not known, it is taken to.
    fn overlap(&self, a: usize, b: usize) -> bool {
        self.within.get(a).and_then(|of| of.get(b)).copied().unwrap_or(true)
    }
}
