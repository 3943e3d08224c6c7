//! A node's answer on the wire: a sealed table, or "pending", or "declined". Comes in: a peer's bytes.
//! Goes out: a table whose digest and seal were checked against registered keys.
//!
//! Whether it is the *right* answer (fresh, of the one asked, to the question asked) is the caller's
//! next check; this file never decides that.

use prost::Message as _;

use crate::{
    clock::Timestamp,
    id::RequirementId,
    identity::Name,
    reason::{Invalid, Reason},
    seal::{self, Digest, Kind, PublicKey, SecretKey},
    strict,
    table::Table,
    taxonomy::{AudienceCode, JurisdictionCode, Lists},
    wire,
};

/// What a seal binds the table to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// Who sealed.
    pub node: Name,
    /// Whom that node speaks for.
    pub jurisdiction: JurisdictionCode,
    /// The requirement that is answered.
    pub requirement: RequirementId,
    /// SHA-256 of the requirement's signed bytes.
    pub requirement_digest: Digest,
    /// Who asked.
    pub authority: Name,
    /// Who may see it.
    pub audience: AudienceCode,
    /// SHA-256 of the table's exact bytes.
    pub table_digest: Digest,
    /// Raised by every change of the node's consent.
    pub consent_epoch: u64,
    /// Digest of the grants that the answer rests on.
    pub consent_digest: Digest,
    /// Digest of the published policy.
    pub policy_digest: Digest,
    /// When it was sealed.
    pub issued_at: Timestamp,
    /// After this the node seals the same table anew.
    pub expires_at: Timestamp,
    /// Strictly increasing over all seals of the node.
    pub sequence: u64,
}

impl Seal {
    /// Signs the seal.
    pub fn sign(&self, key: &SecretKey) -> wire::Envelope {
        let payload = wire::Seal {
            node: self.node.to_string(),
            jurisdiction: self.jurisdiction.to_string(),
            requirement: self.requirement.to_string(),
            requirement_sha256: self.requirement_digest.0.to_vec(),
            authority: self.authority.to_string(),
            audience: self.audience.to_string(),
            table_sha256: self.table_digest.0.to_vec(),
            consent_epoch: self.consent_epoch,
            consent_sha256: self.consent_digest.0.to_vec(),
            policy_sha256: self.policy_digest.0.to_vec(),
            issued_at_s: self.issued_at.as_s(),
            expires_at_s: self.expires_at.as_s(),
            sequence: self.sequence,
        };
        key.sign(Kind::Seal, payload.encode_to_vec())
    }

    /// Checks the signature and every field.
    pub fn open(
        envelope: &wire::Envelope,
        keys: &[PublicKey],
        lists: &Lists,
    ) -> Result<Self, Invalid> {
        let payload = seal::open(envelope, Kind::Seal, keys, "seal")
            .map_err(|error| Invalid { reason: Reason::AnswerSeal, ..error })?;
        let wire::Seal {
            node,
            jurisdiction,
            requirement,
            requirement_sha256,
            authority,
            audience,
            table_sha256,
            consent_epoch,
            consent_sha256,
            policy_sha256,
            issued_at_s,
            expires_at_s,
            sequence,
        } = strict::decode_signed("seal", payload)?;
        Ok(Self {
            node: Name::parse("seal.node", &node)?,
            jurisdiction: lists.jurisdiction("seal.jurisdiction", &jurisdiction)?.code,
            requirement: RequirementId::parse("seal.requirement", &requirement)?,
            requirement_digest: Digest::from_wire("seal.requirement_sha256", &requirement_sha256)?,
            authority: Name::parse("seal.authority", &authority)?,
            audience: lists.audience("seal.audience", &audience)?,
            table_digest: Digest::from_wire("seal.table_sha256", &table_sha256)?,
            consent_epoch,
            consent_digest: Digest::from_wire("seal.consent_sha256", &consent_sha256)?,
            policy_digest: Digest::from_wire("seal.policy_sha256", &policy_sha256)?,
            issued_at: Timestamp::from_s("seal.issued_at_s", issued_at_s)?,
            expires_at: Timestamp::from_s("seal.expires_at_s", expires_at_s)?,
            sequence,
        })
    }
}

/// A table whose seal verifies. Made by [`SealedTable::open`] only.
#[derive(Debug)]
pub struct SealedTable {
    table: Table,
    seal: Seal,
    envelope: wire::Envelope,
}

impl SealedTable {
    /// Checks the seal with the node's registered keys, and that it covers exactly these bytes.
    pub fn open(
        sealed: wire::SealedTable,
        keys: &[PublicKey],
        lists: &Lists,
    ) -> Result<Self, Invalid> {
        let wire::SealedTable { table: bytes, seal: envelope } = sealed;
        let envelope = envelope
            .ok_or_else(|| Invalid::new(Reason::AnswerSeal, "seal", "the table is not sealed"))?;
        let seal = Seal::open(&envelope, keys, lists)?;
        if Digest::of(&bytes) != seal.table_digest {
            return Err(Invalid::new(
                Reason::AnswerSeal,
                "table",
                "is not the table that was sealed",
            ));
        }
        let table = Table::decode(&bytes, lists)?;
        if table.node != seal.node || table.jurisdiction != seal.jurisdiction {
            return Err(Invalid::new(
                Reason::AnswerIdentity,
                "table.node",
                "table and seal name different nodes",
            ));
        }
        Ok(Self { table, seal, envelope })
    }

    /// The cells.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// What they are bound to.
    pub fn seal(&self) -> &Seal {
        &self.seal
    }

    /// The seal as it was signed.
    pub fn envelope(&self) -> &wire::Envelope {
        &self.envelope
    }
}

/// What a node may say.
#[derive(Debug)]
pub enum Answer {
    /// A sealed table, not checked yet.
    Sealed {
        /// Table and seal.
        sealed: wire::SealedTable,
        /// One person both decided and released, under break-glass, as the node says.
        single_handed: bool,
    },
    /// A person has to decide; ask again within the window.
    Pending,
    /// The node wants it known that it does not answer.
    Declined,
}

impl TryFrom<wire::AnswerResponse> for Answer {
    type Error = Invalid;

    fn try_from(response: wire::AnswerResponse) -> Result<Self, Invalid> {
        use wire::answer_response::Outcome;
        let wire::AnswerResponse { outcome, single_handed } = response;
        match outcome {
            Some(Outcome::Sealed(sealed)) => Ok(Self::Sealed { sealed, single_handed }),
            Some(Outcome::Pending(wire::Pending {})) => Ok(Self::Pending),
            Some(Outcome::Declined(wire::Declined {})) => Ok(Self::Declined),
            None => {
                Err(Invalid::new(Reason::AnswerMalformed, "outcome", "the answer says nothing"))
            }
        }
    }
}
