//! Receipts: for every seal, what was released, on which consent, by which rules, at what cost, by which program. Comes in: a
//! seal just made, and what it rests on. Goes out: a receipt, kept in the same change as the answer. It stays at home: it names
//! grants.

use accord_proto::{id::GrantId, seal::Digest, taxonomy::Tier};
use prost::Message;

use crate::seal::Made;

/// By which program.
pub const SOFTWARE: &str = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));

/// A receipt, as it is kept.
#[derive(Clone, PartialEq, Message)]
pub struct Receipt {
    /// Number of the seal.
    #[prost(uint64, tag = "1")]
    pub sequence: u64,
    /// When it was sealed.
    #[prost(int64, tag = "2")]
    pub at_s: i64,
    /// What was asked.
    #[prost(string, tag = "3")]
    pub requirement: String,
    /// SHA-256 of the requirement's signed bytes.
    #[prost(bytes = "vec", tag = "4")]
    pub requirement_digest: Vec<u8>,
    /// By whom.
    #[prost(string, tag = "5")]
    pub authority: String,
    /// For whom.
    #[prost(string, tag = "6")]
    pub audience: String,
    /// State of consent.
    #[prost(uint64, tag = "7")]
    pub consent_epoch: u64,
    /// What the seal says of the grants.
    #[prost(bytes = "vec", tag = "8")]
    pub consent: Vec<u8>,
    /// Ids of the grants, each with its version.
    #[prost(string, repeated, tag = "9")]
    pub grants: Vec<String>,
    /// Digest of the published policy.
    #[prost(bytes = "vec", tag = "10")]
    pub policy: Vec<u8>,
    /// Commitment to the secret one.
    #[prost(bytes = "vec", tag = "11")]
    pub policy_commitment: Vec<u8>,
    /// How each block was disclosed.
    #[prost(message, repeated, tag = "12")]
    pub rules: Vec<Rule>,
    /// Charged to the privacy ledger, over all indicators and periods.
    #[prost(uint64, tag = "13")]
    pub nano_rho: u64,
    /// By which program.
    #[prost(string, tag = "14")]
    pub software: String,
    /// Where the release stands in the journal.
    #[prost(uint64, tag = "15")]
    pub journal_sequence: u64,
    /// Digest of the table.
    #[prost(bytes = "vec", tag = "16")]
    pub table: Vec<u8>,
    /// Digest of the seal.
    #[prost(bytes = "vec", tag = "17")]
    pub seal: Vec<u8>,
    /// Digest of the table before; empty for the first.
    #[prost(bytes = "vec", tag = "18")]
    pub supersedes: Vec<u8>,
}

/// How a block was disclosed.
#[derive(Clone, PartialEq, Message)]
pub struct Rule {
    /// What is counted or measured.
    #[prost(string, tag = "1")]
    pub indicator: String,
    /// The wire's number of the mode.
    #[prost(int32, tag = "2")]
    pub mode: i32,
    /// For which tier.
    #[prost(string, tag = "3")]
    pub tier: String,
}

/// The receipt of a seal. `under` are the grants with their versions, the tier of each block, and what was charged in nano-rho; `journal_sequence` is that of
/// the entry in the same change.
pub fn of(
    made: &Made,
    seal_digest: Digest,
    (grants, tiers, nano_rho): (&[(GrantId, u32)], &[Tier], u64),
    journal_sequence: u64,
) -> Receipt {
    let Made { seal, modes } = made;
    let rules = modes.iter().zip(tiers).map(|((indicator, mode), tier)| Rule {
        indicator: indicator.to_string(),
        mode: mode.to_wire().into(),
        tier: tier.to_string(),
    });
    Receipt {
        sequence: seal.sequence,
        at_s: seal.issued_at.as_s(),
        requirement: seal.requirement.to_string(),
        requirement_digest: seal.requirement_digest.0.to_vec(),
        authority: seal.authority.to_string(),
        audience: seal.audience.to_string(),
        consent_epoch: seal.consent_epoch,
        consent: seal.consent_digest.0.to_vec(),
        grants: grants.iter().map(|(grant, version)| format!("{grant}#{version}")).collect(),
        policy: seal.policy_digest.0.to_vec(),
        policy_commitment: seal.policy_commitment.0.to_vec(),
        rules: rules.collect(),
        nano_rho,
        software: SOFTWARE.to_owned(),
        journal_sequence,
        table: seal.table_digest.0.to_vec(),
        seal: seal_digest.0.to_vec(),
        supersedes: seal.supersedes.map_or_else(Vec::new, |digest| digest.0.to_vec()),
    }
}
