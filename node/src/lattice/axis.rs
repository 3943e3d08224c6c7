//! One axis of a lattice: a forest of codes, of which some levels are published. Comes in: codes with their parents.
//! Goes out: for every code its one published name and all published codes above it. Codes with the same extension are one.

use std::collections::BTreeMap;

/// A code of the list: itself, its parent, and whether its level is published.
type Node<C> = (C, Option<C>, bool);

/// Published codes of one list.
#[derive(Clone, Debug)]
pub(super) struct Axis<C> {
    /// Every code that may be asked → its one name.
    names: BTreeMap<C, C>,
    /// Every code of the list → the published ones that hold it, the finest first.
    above: BTreeMap<C, Vec<C>>,
    /// One more above all of them.
    total: bool,
}

impl<C> Default for Axis<C> {
    fn default() -> Self {
        Self { names: BTreeMap::new(), above: BTreeMap::new(), total: false }
    }
}

impl<C: Copy + Ord> Axis<C> {
    /// `exhaustive`: a code that is the only child of another has the same extension. Otherwise it may have, and is left
    /// out beside a published one.
    pub(super) fn new(nodes: Vec<Node<C>>, exhaustive: bool) -> Self {
        let parents: BTreeMap<C, Option<C>> =
            nodes.iter().map(|(c, parent, _)| (*c, *parent)).collect();
        let mut children = BTreeMap::<C, usize>::new();
        parents.values().flatten().for_each(|parent| *children.entry(*parent).or_default() += 1);
        let parent = |code: C| parents.get(&code).copied().flatten();
        let only_child = |code: C| parent(code).filter(|parent| children.get(parent) == Some(&1));
        // The line of codes that have this one's extension, or may have it, upwards.
        let same = |code: C| std::iter::successors(only_child(code), move |code| only_child(*code));
        let published: Vec<C> =
            nodes.iter().filter(|(.., published)| *published).map(|(c, ..)| *c).collect();

        let mut names = BTreeMap::new();
        for code in &published {
            if exhaustive {
                names.insert(*code, same(*code).last().unwrap_or(*code));
            } else if !same(*code).any(|above| published.contains(&above)) {
                names.insert(*code, *code);
            }
        }
        let above = parents.keys().map(|code| {
            let line = std::iter::successors(Some(*code), |code| parent(*code));
            let mut found: Vec<C> = line.filter_map(|code| names.get(&code).copied()).collect();
            found.dedup();
            (*code, found)
        });
        let above = above.collect();
        Self { names, above, total: false }
    }

    /// With everything together above it.
    pub(super) fn under_a_total(self) -> Self {
        Self { total: true, ..self }
    }

    pub(super) fn canonical(&self, code: C) -> Option<C> {
        self.names.get(&code).copied()
    }

    pub(super) fn above(&self, code: C) -> &[C] {
        self.above.get(&code).map_or(&[], Vec::as_slice)
    }

    /// Every published code under its one name, ascending.
    pub(super) fn published(&self) -> Vec<C> {
        let mut published: Vec<C> = self.names.values().copied().collect();
        published.sort_unstable();
        published.dedup();
        published
    }

    /// The published code directly above one; none: nothing, or the total.
    pub(super) fn parent(&self, code: C) -> Option<C> {
        self.above(code).iter().copied().find(|above| *above != code)
    }

    /// Most published codes that hold one code, the total included; an axis with nothing on it counts as one level.
    pub(super) fn depth(&self) -> u32 {
        let deepest =
            self.above.values().map(Vec::len).max().unwrap_or(0) + usize::from(self.total);
        u32::try_from(deepest.max(1)).unwrap_or(u32::MAX)
    }

    /// How many published codes, the total included.
    pub(super) fn width(&self) -> usize {
        let mut names: Vec<_> = self.names.values().collect();
        names.dedup();
        (names.len() + usize::from(self.total)).max(1)
    }

    /// The least share of its variance that a finest code keeps beside all others.
    pub(super) fn kept(&self) -> f64 {
        // Every published code with its published parent.
        let mut children = BTreeMap::<Option<C>, Vec<C>>::new();
        for node in self.published() {
            children.entry(self.parent(node)).or_default().push(node);
        }
        let roots = children.get(&None).map_or(&[][..], Vec::as_slice);
        let all = Block::beside(roots.iter().map(|root| block(*root, &children)));
        let all = if self.total { all.under_one() } else { all };
        all.kept()
    }
}

fn block<C: Copy + Ord>(node: C, children: &BTreeMap<Option<C>, Vec<C>>) -> Block {
    match children.get(&Some(node)) {
        None => Block::leaf(),
        Some(below) => Block::beside(below.iter().map(|child| block(*child, children))).under_one(),
    }
}

/// The inverse of M over the finest codes below one, as far as it is needed. Built from the leaves up by the formula of
/// Sherman and Morrison: each code above adds the sum over what it holds.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// Of every finest code: the diagonal element, and the sum of its row.
    leaves: Vec<(f64, f64)>,
    /// Sum of all elements.
    weight: f64,
}

impl Block {
    pub(super) fn leaf() -> Self {
        Self { leaves: vec![(1.0, 1.0)], weight: 1.0 }
    }

    /// Blocks that nothing joins yet.
    pub(super) fn beside(blocks: impl Iterator<Item = Self>) -> Self {
        let mut all = Self { leaves: Vec::new(), weight: 0.0 };
        for block in blocks {
            all.leaves.extend(block.leaves);
            all.weight += block.weight;
        }
        all
    }

    /// Under one code that holds them all.
    pub(super) fn under_one(self) -> Self {
        let one = 1.0 + self.weight;
        let up = |(kept, row): (f64, f64)| (kept - row * row / one, row / one);
        Self { leaves: self.leaves.into_iter().map(up).collect(), weight: self.weight / one }
    }

    /// The least diagonal element; 1 where there is nothing.
    pub(super) fn kept(&self) -> f64 {
        self.leaves.iter().map(|(kept, _)| *kept).fold(1.0, f64::min)
    }
}
