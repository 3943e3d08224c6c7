//! The journal's proof format: an RFC 6962 Merkle tree, kept as its right edge. Comes in: entries, one after
//! the other. Goes out: a root that commits to all of them. Appending costs a few hashes however long the
//! journal is. This file never sees what an entry says.
//!
//! ```text
//! entry ─► Frontier ─► Tree ─► proof            Checkpoint: size and root, signed, as text
//!                      Walk: every entry once more, and the first bad one
//! entry, proof ─► export: lines that others read, and that prove themselves
//! ```

use sha2::{Digest as _, Sha256};

use crate::{
    reason::{Invalid, Reason},
    seal::Digest,
};

mod checkpoint;
mod entry;
mod export;
mod filter;
mod note;
mod proof;
mod tree;
mod walk;

pub use checkpoint::{Checkpoint, origin};
pub use entry::{Act, Class, Entry, Logged, Outcome, Qualified};
pub use export::{Exported, read_export, write_line};
pub use filter::Filter;
pub use note::VerifierKey;
pub use proof::{Proof, verify_consistency, verify_inclusion};
pub use tree::{Leaves, Tree};
pub use walk::{Flaw, Walk};

/// The right edge of the tree: one hash for each 1-bit of the size, largest subtree first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    subtrees: Vec<Digest>,
}

impl Frontier {
    /// Entries so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends an entry (RFC 6962 §2.1: leaves are hashed with 0x00 before them, nodes with 0x01).
    pub fn append(&mut self, entry: &[u8]) {
        self.append_leaf(leaf(entry), |_, _| {});
    }

    /// Appends the hash of an entry; `completed` is told every subtree that is whole with it, by its height.
    fn append_leaf(&mut self, leaf: Digest, mut completed: impl FnMut(u32, Digest)) {
        let (mut hash, mut size, mut height) = (leaf, self.size, 0);
        completed(height, hash);
        // Every trailing 1-bit is a subtree of the size that is being completed: merge it.
        while size & 1 == 1 {
            if let Some(left) = self.subtrees.pop() {
                hash = node(&left, &hash);
            }
            size >>= 1;
            height += 1;
            completed(height, hash);
        }
        self.subtrees.push(hash);
        self.size = self.size.saturating_add(1);
    }

    /// The Merkle tree hash over all entries.
    pub fn root(&self) -> Digest {
        let mut subtrees = self.subtrees.iter().rev();
        match subtrees.next() {
            None => Digest::of(b""),
            Some(last) => subtrees.fold(*last, |right, left| node(left, &right)),
        }
    }

    /// For the store: size, then the subtrees.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.size.to_be_bytes().to_vec();
        self.subtrees.iter().for_each(|subtree| bytes.extend(subtree.0));
        bytes
    }

    /// Reads back what [`Self::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        let wrong = || Invalid::new(Reason::StoreFailed, "journal", "its stored head is damaged");
        let (size, rest) = bytes.split_first_chunk::<8>().ok_or_else(wrong)?;
        let size = u64::from_be_bytes(*size);
        let (subtrees, tail) = rest.as_chunks::<32>();
        if !tail.is_empty() || subtrees.len() != size.count_ones() as usize {
            return Err(wrong());
        }
        Ok(Self { size, subtrees: subtrees.iter().copied().map(Digest).collect() })
    }
}

/// Hash of an entry: a leaf of the tree.
pub fn leaf(entry: &[u8]) -> Digest {
    Digest(Sha256::new().chain_update([0]).chain_update(entry).finalize().into())
}

fn node(left: &Digest, right: &Digest) -> Digest {
    Digest(
        Sha256::new()
            .chain_update([1])
            .chain_update(left.0)
            .chain_update(right.0)
            .finalize()
            .into(),
    )
}

/// What does not hold together: one stable code for a history that was changed, cut or told twice.
fn inconsistent(field: &str, detail: impl Into<String>) -> Invalid {
    Invalid::new(Reason::JournalInconsistent, field, detail)
}

#[cfg(test)]
mod tests;
