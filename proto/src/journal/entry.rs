//! What a journal records: who did what, why, to whom (Directive (EU) 2016/680, art. 25). Comes in: an
//! act. Goes out: the bytes of its entry. Must never hold a figure of an observation.
//!
//! Entries are the leaves of the tree in [`super`]; each also names the root before it, so
//! that a copy of the entries alone shows a gap.

use prost::Message as _;

use super::Frontier;
use crate::{clock::Timestamp, identity::Identity, seal::Digest};

/// Kinds of acts that the law wants recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Data were taken in.
    Collection,
    /// Editions, grants or settings were changed.
    Alteration,
    /// Somebody was asked, or something was looked up.
    Consultation,
    /// Something was given to somebody.
    Disclosure,
    /// Figures of several parties became one.
    Combination,
    /// Data were taken out for good.
    Erasure,
}

impl Act {
    fn name(self) -> &'static str {
        match self {
            Self::Collection => "collection",
            Self::Alteration => "alteration",
            Self::Consultation => "consultation",
            Self::Disclosure => "disclosure",
            Self::Combination => "combination",
            Self::Erasure => "erasure",
        }
    }
}

/// An act, to be recorded in the same transaction that does it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// What kind.
    pub act: Act,
    /// Who did it: the identity of a certificate. Person names stay in this journal.
    pub by: Identity,
    /// To whom, or on whose behalf; empty if nobody else is concerned.
    pub to: String,
    /// Why: purpose and legal basis, or what was asked for.
    pub why: String,
    /// What it was done to, by id or name.
    pub subject: String,
    /// SHA-256 of the exact bytes concerned.
    pub digest: Digest,
}

#[derive(Clone, PartialEq, prost::Message)]
struct StoredEntry {
    #[prost(uint64, tag = "1")]
    sequence: u64,
    #[prost(int64, tag = "2")]
    at_s: i64,
    #[prost(string, tag = "3")]
    act: String,
    #[prost(string, tag = "4")]
    by: String,
    #[prost(string, tag = "5")]
    to: String,
    #[prost(string, tag = "6")]
    why: String,
    #[prost(string, tag = "7")]
    subject: String,
    #[prost(bytes = "vec", tag = "8")]
    digest: Vec<u8>,
    #[prost(bytes = "vec", tag = "9")]
    root_before: Vec<u8>,
}

impl Entry {
    /// The bytes of the entry that follows `journal`.
    pub fn encode(self, journal: &Frontier) -> Vec<u8> {
        let Self { at, act, by, to, why, subject, digest } = self;
        StoredEntry {
            sequence: journal.size(),
            at_s: at.as_s(),
            act: act.name().to_owned(),
            by: by.to_string(),
            to,
            why,
            subject,
            digest: digest.0.to_vec(),
            root_before: journal.root().0.to_vec(),
        }
        .encode_to_vec()
    }
}
