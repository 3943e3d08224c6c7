//! The journal's proof format: an RFC 6962 Merkle tree, kept as its right edge, and signed tree heads.
//!
//! Comes in: entries, one after the other. Goes out: a root that commits to all of them. Appending
//! costs a few hashes however long the journal is. This file never sees what an entry says.

use prost::Message as _;
use sha2::{Digest as _, Sha256};

use crate::{
    clock::Timestamp,
    reason::{Invalid, Reason},
    seal::{Digest, Kind, SecretKey},
    wire,
};

mod entry;

pub use entry::{Act, Entry};

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
        let mut hash = leaf(entry);
        let mut size = self.size;
        // Every trailing 1-bit is a subtree of the size that is being completed: merge it.
        while size & 1 == 1 {
            if let Some(left) = self.subtrees.pop() {
                hash = node(&left, &hash);
            }
            size >>= 1;
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

    /// A signed statement of size and root.
    pub fn checkpoint(&self, origin: String, now: Timestamp, key: &SecretKey) -> wire::Envelope {
        let payload = wire::Checkpoint {
            origin,
            size: self.size,
            root: self.root().0.to_vec(),
            issued_at_s: now.as_s(),
        };
        key.sign(Kind::Checkpoint, payload.encode_to_vec())
    }
}

fn leaf(entry: &[u8]) -> Digest {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_those_of_rfc_6962() {
        let entries = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ];
        let roots = [
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut frontier = Frontier::default();
        assert!(frontier.root().to_string().starts_with("e3b0c442"));
        for (at, entry) in entries.iter().enumerate() {
            frontier.append(&hex::decode(entry).unwrap());
            if at > 0 {
                assert_eq!(frontier.root().to_string(), roots[at - 1], "size {}", at + 1);
            }
            assert_eq!(Frontier::from_bytes(&frontier.to_bytes()).unwrap(), frontier);
        }
    }

    #[test]
    fn a_damaged_head_is_noticed() {
        let mut frontier = Frontier::default();
        frontier.append(b"x");
        let bytes = frontier.to_bytes();
        assert!(Frontier::from_bytes(&bytes[..bytes.len() - 1]).is_err());
        assert!(Frontier::from_bytes(&[]).is_err());
    }
}
