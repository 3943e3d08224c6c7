//! Sums of one population. Comes in: cells with what each of a fixed set of contributors brings to them. Goes out: the same
//! cells, what of them lies in no cell that was asked, and the sums that readers know to hold. Must never leave out a
//! figure that readers can work out and that is not below zero.
//!
//! A population may be absent from a cell that others are in. If its figure there follows from its others, the cell stands
//! for it all the same; otherwise those of its cells that lie within are a cell together, for their sum may follow from
//! the totals of all. Along each axis a cell is the sum of the nearest cells within it and a *rest*. Where the code lists leave room, the rest is
//! a cell like others: somebody's figure. Where they leave none, it is zero, or noise, or double counting,
//! and readers are taken to know it; only where exact figures leave something over is it a cell there too. Axes are
//! taken one after the other, and rests along one are cut along the next like all other cells: so the rest of a rest
//! is a cell as well.

use std::collections::{BTreeMap, BTreeSet};

use accord_proto::{lattice::Axis, taxonomy::Lists};

use super::{RegionalKey, pool::Part};

/// A cell, or a rest of it: along each axis named what it has beyond some cells within it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Point {
    /// The cell.
    pub(super) key: RegionalKey,
    /// Along which axes it is a rest, and beyond which parts.
    rests: BTreeMap<Axis, Vec<RegionalKey>>,
}

impl Point {
    /// A cell itself.
    pub(super) fn whole(key: RegionalKey) -> Self {
        Self { key, rests: BTreeMap::new() }
    }
}

/// What each contributor of the population brings, in their order; none: she is known to bring nothing.
pub(super) type Amounts = Vec<Option<Part>>;

/// `total` is the sum of `parts` and of `rest`, which readers know.
pub(super) struct Sum {
    /// The cell that is the sum.
    pub(super) total: Point,
    /// What is added.
    pub(super) parts: Vec<Point>,
    /// Noise, double counting: of any sign.
    pub(super) rest: i64,
}

/// Adds the rests, and what lies in a cell that others are in, and says which sums hold. All cells are of one indicator;
/// `asked` are those that anybody is in.
pub(super) fn close(
    points: &mut BTreeMap<Point, Amounts>,
    asked: &[RegionalKey],
    axes: &[Axis],
    lists: &Lists,
) -> Vec<Sum> {
    let mut sums = Vec::new();
    let Some(base) = points.keys().next().map(|point| point.key) else {
        return sums;
    };
    derive(points, asked, axes, lists);
    for axis in axes.iter().copied() {
        // Cells that differ along this axis alone.
        let mut lines = BTreeMap::<Point, BTreeMap<RegionalKey, Point>>::new();
        for point in points.keys().filter(|point| !point.rests.contains_key(&axis)) {
            let line = Point { key: base.along(axis, &point.key), rests: point.rests.clone() };
            lines.entry(line).or_default().insert(point.key, point.clone());
        }
        for line in lines.values() {
            for (total, parts) in joined(line, asked, axis, lists) {
                points.insert(total.clone(), sum(points, &parts));
                sums.push(Sum { total, parts, rest: 0 });
            }
            for (total, parts) in nearest(line, axis, lists) {
                let Some(total) = line.get(&total).cloned() else { continue };
                let all = total.key.is_made_up_of(&parts, axis, lists);
                let beyond = parts.iter().map(|part| part.along(axis, &base)).collect();
                let mut parts: Vec<_> =
                    parts.iter().filter_map(|part| line.get(part).cloned()).collect();
                let (over, rest) = rest(points, &total, &parts, all);
                if over.iter().any(Option::is_some) {
                    let mut point = total.clone();
                    point.rests.insert(axis, beyond);
                    points.insert(point.clone(), over);
                    parts.push(point);
                }
                sums.push(Sum { total, parts, rest });
            }
        }
    }
    sums
}

/// Adds cells asked where the population is not, if its figure there follows from others: of all that they are made up
/// of, or of all else that a cell above is made up of.
fn derive(
    points: &mut BTreeMap<Point, Amounts>,
    asked: &[RegionalKey],
    axes: &[Axis],
    lists: &Lists,
) {
    let mut absent: Vec<_> = asked.iter().copied().map(Point::whole).collect();
    loop {
        let before = absent.len();
        absent.retain(|point| {
            let found = !points.contains_key(point)
                && axes.iter().any(|axis| {
                    let found = follows(points, point.key, *axis, lists);
                    found.is_some_and(|amounts| points.insert(point.clone(), amounts).is_none())
                });
            !found && !points.contains_key(point)
        });
        if absent.len() == before || absent.is_empty() {
            return;
        }
    }
}

/// What a population brings to a cell where it is not, as far as one axis tells.
fn follows(
    points: &BTreeMap<Point, Amounts>,
    key: RegionalKey,
    axis: Axis,
    lists: &Lists,
) -> Option<Amounts> {
    let top = key.topmost(axis, lists);
    let on_line =
        points.keys().filter(|point| point.rests.is_empty() && top.along(axis, &point.key) == top);
    let mut line: BTreeMap<_, _> = on_line.map(|point| (point.key, point.clone())).collect();
    line.insert(key, Point::whole(key));
    let within = nearest(&line, axis, lists);
    let whole = |keys: &[RegionalKey]| keys.iter().copied().map(Point::whole).collect::<Vec<_>>();
    if let Some(parts) = within.get(&key).filter(|parts| key.is_made_up_of(parts, axis, lists)) {
        return Some(sum(points, &whole(parts)));
    }
    let (total, parts) = within.iter().find(|(_, parts)| parts.contains(&key))?;
    let others: Vec<_> = parts.iter().copied().filter(|part| *part != key).collect();
    if !total.is_made_up_of(parts, axis, lists) {
        return None;
    }
    let (others, total) = (sum(points, &whole(&others)), points.get(&Point::whole(*total))?);
    let left = |(at, whole): (usize, &Option<Part>)| {
        let other = others.get(at).copied().flatten().unwrap_or_default();
        let Some(whole) = whole else { return Some(None) };
        let amount = whole.amount.checked_sub(other.amount).filter(|amount| *amount >= 0)?;
        Some(Some(Part { amount, noisy: whole.noisy || other.noisy, ..*whole }))
    };
    total.iter().enumerate().map(left).collect()
}

fn sum(points: &BTreeMap<Point, Amounts>, parts: &[Point]) -> Amounts {
    let mut sum = Amounts::new();
    for amounts in parts.iter().filter_map(|part| points.get(part)) {
        sum.resize(amounts.len(), None);
        for (sum, part) in sum.iter_mut().zip(amounts) {
            *sum = match (*sum, *part) {
                (Some(sum), Some(part)) => Some(Part {
                    amount: sum.amount.saturating_add(part.amount),
                    noisy: sum.noisy || part.noisy,
                    ..sum
                }),
                (sum, part) => sum.or(part),
            };
        }
    }
    sum
}

/// Of every cell of a line that holds others the nearest of them.
fn nearest(
    line: &BTreeMap<RegionalKey, Point>,
    axis: Axis,
    lists: &Lists,
) -> BTreeMap<RegionalKey, Vec<RegionalKey>> {
    let mut within = BTreeMap::<RegionalKey, Vec<RegionalKey>>::new();
    for key in line.keys() {
        let above = key.above(axis, lists).into_iter();
        if let Some(total) = above.into_iter().find(|above| line.contains_key(above)) {
            within.entry(total).or_default().push(*key);
        }
    }
    within
}

/// Two or more cells of a line that lie in one asked where the population is not: together a cell of their own. Of each
/// the parts, and what they are called.
fn joined(
    line: &BTreeMap<RegionalKey, Point>,
    asked: &[RegionalKey],
    axis: Axis,
    lists: &Lists,
) -> Vec<(Point, Vec<Point>)> {
    let Some(first) = line.values().next() else {
        return Vec::new();
    };
    let places: BTreeSet<_> = asked.iter().map(|key| key.along(axis, &first.key)).collect();
    let absent = places.into_iter().filter(|key| !line.contains_key(key));
    let join = |key: RegionalKey| {
        let mut with = line.clone();
        with.insert(key, Point { key, ..first.clone() });
        let parts = nearest(&with, axis, lists).remove(&key)?;
        let mut rests = first.rests.clone();
        rests.insert(axis, parts.clone());
        let parts: Vec<_> = parts.iter().filter_map(|part| line.get(part).cloned()).collect();
        (parts.len() > 1).then_some((Point { key, rests }, parts))
    };
    absent.filter_map(join).collect()
}

/// What a cell has beyond its parts, by contributor, and what of that readers know.
fn rest(
    points: &BTreeMap<Point, Amounts>,
    total: &Point,
    parts: &[Point],
    all: bool,
) -> (Amounts, i64) {
    let amounts = |point: &Point| points.get(point).map_or(&[][..], Vec::as_slice);
    let part = |point: &Point, at: usize| amounts(point).get(at).copied().flatten();
    let mut known = 0_i64;
    let mut beyond = |at: usize| {
        let whole = part(total, at).unwrap_or_default();
        let within: Vec<_> = parts.iter().filter_map(|point| part(point, at)).collect();
        let noisy = whole.noisy || within.iter().any(|part| part.noisy);
        let amount =
            within.iter().fold(whole.amount, |left, part| left.saturating_sub(part.amount));
        let counts = if all { !noisy && amount > 0 } else { amount >= 0 };
        if counts {
            return Some(Part { amount, noisy, ..Part::default() });
        }
        known = known.saturating_add(amount);
        None
    };
    ((0..amounts(total).len()).map(&mut beyond).collect(), known)
}
