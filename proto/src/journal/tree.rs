//! The tree that proofs are cut from. Comes in: the leaves in their order, and later some of them again. Goes out:
//! proofs to any earlier size. Must never hold a hash for every entry: a million of them cost 100 kB here.
//!
//! Only whole subtrees of [`CHUNK`] leaves and more are remembered; whatever is smaller is hashed again from the
//! leaves that `leaves` gives, at most two chunks a proof.

use std::ops::Range;

use super::{Frontier, Proof, node};
use crate::{
    reason::{Invalid, Reason},
    seal::Digest,
};

/// Height of the smallest subtrees that are remembered.
const CHUNK_HEIGHT: u32 = 8;
const CHUNK: u64 = 1 << CHUNK_HEIGHT;

/// A tree without its leaves.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    frontier: Frontier,
    /// Hashes of whole subtrees by height above [`CHUNK_HEIGHT`], from the left.
    levels: Vec<Vec<Digest>>,
}

/// Leaves of a range, hashed, in their order.
pub trait Leaves: Fn(Range<u64>) -> Result<Vec<Digest>, Invalid> {}

impl<F: Fn(Range<u64>) -> Result<Vec<Digest>, Invalid>> Leaves for F {}

impl Tree {
    /// The right edge.
    pub fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// Leaves so far.
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The next leaf.
    pub fn append(&mut self, leaf: Digest) {
        let levels = &mut self.levels;
        self.frontier.append_leaf(leaf, |height, hash| {
            let Some(level) = height.checked_sub(CHUNK_HEIGHT) else { return };
            let level = level as usize;
            if levels.len() == level {
                levels.push(Vec::new());
            }
            if let Some(level) = levels.get_mut(level) {
                level.push(hash);
            }
        });
    }

    /// Root over the first `size` leaves.
    pub fn root_at(&self, size: u64, leaves: impl Leaves) -> Result<Digest, Invalid> {
        self.check(size)?;
        self.hash(0..size, &leaves)
    }

    /// That leaf `index` is among the first `size` (RFC 6962 §2.1.1).
    pub fn inclusion(&self, index: u64, size: u64, leaves: impl Leaves) -> Result<Proof, Invalid> {
        self.check(size)?;
        if index >= size {
            let detail = format!("there is no entry {index} among the first {size}");
            return Err(Invalid::new(Reason::NotFound, "journal", detail));
        }
        let mut beside = Vec::new();
        let mut within = 0..size;
        while within.end - within.start > 1 {
            let middle = within.start + split(within.end - within.start);
            if index < middle {
                beside.push(middle..within.end);
                within.end = middle;
            } else {
                beside.push(within.start..middle);
                within.start = middle;
            }
        }
        self.proof(beside.into_iter().rev(), &leaves)
    }

    /// That the first `old` leaves are the beginning of the first `new` (RFC 6962 §2.1.2).
    pub fn consistency(&self, old: u64, new: u64, leaves: impl Leaves) -> Result<Proof, Invalid> {
        self.check(new)?;
        if old > new {
            let detail = format!("{old} entries are no beginning of {new}");
            return Err(Invalid::new(Reason::NotFound, "journal", detail));
        }
        if old == 0 || old == new {
            return Ok(Proof::default());
        }
        let mut ranges = Vec::new();
        let mut within = 0..new;
        while within.end != old {
            let middle = within.start + split(within.end - within.start);
            if old <= middle {
                ranges.push(middle..within.end);
                within.end = middle;
            } else {
                ranges.push(within.start..middle);
                within.start = middle;
            }
        }
        // Whoever verifies knows the old tree; a part of it has to be said.
        if within.start > 0 {
            ranges.push(within);
        }
        self.proof(ranges.into_iter().rev(), &leaves)
    }

    fn check(&self, size: u64) -> Result<(), Invalid> {
        if size <= self.size() {
            return Ok(());
        }
        let detail = format!("has {} entries, not {size}", self.size());
        Err(Invalid::new(Reason::NotFound, "journal", detail))
    }

    fn proof(
        &self,
        ranges: impl Iterator<Item = Range<u64>>,
        leaves: &impl Leaves,
    ) -> Result<Proof, Invalid> {
        ranges.map(|range| self.hash(range, leaves)).collect::<Result<_, _>>().map(Proof)
    }

    /// Root over a range that the tree has as a subtree, or that ends at its right edge.
    fn hash(&self, range: Range<u64>, leaves: &impl Leaves) -> Result<Digest, Invalid> {
        let count = range.end - range.start;
        if let Some(known) = self.known(&range) {
            return Ok(known);
        }
        if count <= CHUNK {
            let found = leaves(range)?;
            if found.len() as u64 != count {
                return Err(Invalid::new(Reason::StoreFailed, "journal", "entries are missing"));
            }
            let mut small = Frontier::default();
            found.into_iter().for_each(|leaf| small.append_leaf(leaf, |_, _| {}));
            return Ok(small.root());
        }
        let middle = range.start + split(count);
        let left = self.hash(range.start..middle, leaves)?;
        Ok(node(&left, &self.hash(middle..range.end, leaves)?))
    }

    /// The hash of a whole subtree, if it is remembered.
    fn known(&self, range: &Range<u64>) -> Option<Digest> {
        let count = range.end - range.start;
        if !count.is_power_of_two() || !range.start.is_multiple_of(count) {
            return None;
        }
        let level = count.trailing_zeros().checked_sub(CHUNK_HEIGHT)?;
        let level = self.levels.get(level as usize)?;
        level.get(usize::try_from(range.start / count).ok()?).copied()
    }
}

/// The largest power of two below `count`, which is at least 2.
fn split(count: u64) -> u64 {
    1 << (u64::BITS - 1 - (count - 1).leading_zeros())
}
