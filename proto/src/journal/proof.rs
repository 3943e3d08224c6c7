//! Proofs about a journal, checked. Comes in: what a peer or a file claims. Goes out: it holds, or not. Pure: the
//! algorithms of RFC 9162 §2.1.3.2 and §2.1.4.2, over the tree of RFC 6962.

use super::{Checkpoint, inconsistent, node};
use crate::{limits::PROOF_HASHES_MAX, reason::Invalid, seal::Digest};

/// Hashes beside a path through the tree, from the leaves to the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof(pub(super) Vec<Digest>);

impl Proof {
    /// Reads the hashes as they travel.
    pub fn from_wire(field: &str, hashes: &[Vec<u8>]) -> Result<Self, Invalid> {
        if hashes.len() > PROOF_HASHES_MAX {
            let detail = format!("{} hashes where {PROOF_HASHES_MAX} are the most", hashes.len());
            return Err(Invalid::new(crate::reason::Reason::LimitExceeded, field, detail));
        }
        hashes.iter().map(|hash| Digest::from_wire(field, hash)).collect::<Result<_, _>>().map(Self)
    }

    /// As they travel.
    pub fn to_wire(&self) -> Vec<Vec<u8>> {
        self.0.iter().map(|hash| hash.0.to_vec()).collect()
    }

    /// The hashes, from the leaves to the root.
    pub fn hashes(&self) -> &[Digest] {
        &self.0
    }
}

/// Is the leaf with this hash entry `index` of the journal that `head` speaks of?
pub fn verify_inclusion(
    leaf: Digest,
    index: u64,
    head: &Checkpoint,
    proof: &Proof,
) -> Result<(), Invalid> {
    let refuse = |what: &str| Err(inconsistent("journal.inclusion", what));
    if index >= head.size {
        return refuse("speaks of an entry that the journal does not have");
    }
    let (mut at, mut last, mut hash) = (index, head.size - 1, leaf);
    for beside in &proof.0 {
        if last == 0 {
            return refuse("has more hashes than the tree has levels");
        }
        if at & 1 == 1 || at == last {
            hash = node(beside, &hash);
            // The right edge has no neighbour on levels where it is a left child.
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, beside);
        }
        at >>= 1;
        last >>= 1;
    }
    if last == 0 && hash == head.root {
        return Ok(());
    }
    refuse("the entry is not part of this journal")
}

/// Does the journal that `new` speaks of begin with the one that `old` speaks of?
pub fn verify_consistency(
    old: &Checkpoint,
    new: &Checkpoint,
    proof: &Proof,
) -> Result<(), Invalid> {
    let refuse = |what: String| Err(inconsistent("journal", what));
    if old.origin != new.origin {
        return refuse(format!("is that of {}, not of {}", new.origin, old.origin));
    }
    if new.size < old.size {
        return refuse(format!("has {} entries where it had {} before", new.size, old.size));
    }
    if new.size == old.size {
        if proof.0.is_empty() && new.root == old.root {
            return Ok(());
        }
        return refuse(format!("has two versions of its first {} entries", old.size));
    }
    if old.size == 0 {
        // Everything begins with nothing; there is one root of it.
        if proof.0.is_empty() && old.root == Digest::of(b"") {
            return Ok(());
        }
        return refuse("nothing has another root than it has".to_owned());
    }
    if continues(old, new, &proof.0) {
        return Ok(());
    }
    let (size, old) = (new.size, old.size);
    refuse(format!("its {size} entries do not begin with the {old} that were shown before"))
}

/// RFC 9162 §2.1.4.2 for 0 < old < new.
fn continues(old: &Checkpoint, new: &Checkpoint, proof: &[Digest]) -> bool {
    // Where the old tree is one whole subtree, its root is not repeated in the proof.
    let (first, rest) = match proof.split_first() {
        _ if old.size.is_power_of_two() => (old.root, proof),
        Some((first, rest)) => (*first, rest),
        None => return false,
    };
    let whole = (old.size - 1).trailing_ones();
    let (mut at, mut last) = ((old.size - 1) >> whole, (new.size - 1) >> whole);
    let (mut old_root, mut new_root) = (first, first);
    for hash in rest {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            old_root = node(hash, &old_root);
            new_root = node(hash, &new_root);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            new_root = node(&new_root, hash);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && old_root == old.root && new_root == new.root
}
