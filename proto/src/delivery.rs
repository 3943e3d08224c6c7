//! Pictures on their way to the members. Comes in: a file of evidence, or signed bytes. Goes out: what announces the file,
//! and the member's word that it holds it. What a file is worth is decided by [`crate::verify`].

use prost::Message as _;

use crate::{
    clock::Timestamp,
    id::RequirementId,
    identity::Name,
    limits::EVIDENCE_BYTES_MAX,
    reason::{Invalid, Reason},
    roster::Member,
    seal::{self, Digest, Kind, SecretKey},
    strict,
    taxonomy::{JurisdictionCode, Lists},
    wire,
};

/// What is coming.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Of which requirement.
    pub requirement: RequirementId,
    /// The coordinator's number of the picture, from 1.
    pub version: u32,
    /// When it was drawn first.
    pub drawn_at: Timestamp,
    /// Length of the file in bytes, from 1 to [`EVIDENCE_BYTES_MAX`].
    pub bytes: usize,
    /// SHA-256 of the file.
    pub evidence: Digest,
}

impl Head {
    /// As the wire has it.
    pub fn to_wire(self) -> wire::DeliveryHead {
        wire::DeliveryHead {
            requirement: self.requirement.to_string(),
            version: self.version,
            drawn_at_s: self.drawn_at.as_s(),
            bytes: self.bytes as u64,
            evidence_sha256: self.evidence.0.to_vec(),
        }
    }

    /// Checks every field.
    pub fn from_wire(head: wire::DeliveryHead) -> Result<Self, Invalid> {
        let wire::DeliveryHead { requirement, version, drawn_at_s, bytes, evidence_sha256 } = head;
        let most = EVIDENCE_BYTES_MAX;
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        if bytes > most {
            let detail = format!("{bytes} where {most} is the most");
            return Err(Invalid::new(Reason::LimitExceeded, "head.bytes", detail));
        }
        Ok(Self {
            requirement: RequirementId::parse("head.requirement", &requirement)?,
            version: check_version("head.version", version)?,
            drawn_at: Timestamp::from_s("head.drawn_at_s", drawn_at_s)?,
            bytes,
            evidence: Digest::from_wire("head.evidence_sha256", &evidence_sha256)?,
        })
    }
}

/// A member's word that it holds a file of a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureReceipt {
    /// Who holds it.
    pub node: Name,
    /// Whom it speaks for.
    pub jurisdiction: JurisdictionCode,
    /// Of which requirement.
    pub requirement: RequirementId,
    /// The coordinator's number of the picture.
    pub version: u32,
    /// SHA-256 of the picture's signed bytes.
    pub picture: Digest,
    /// SHA-256 of the file.
    pub evidence: Digest,
}

impl PictureReceipt {
    /// Signs it with the node's seal key: the same bytes every time.
    pub fn sign(&self, key: &SecretKey) -> wire::Envelope {
        let payload = wire::PictureReceipt {
            node: self.node.to_string(),
            jurisdiction: self.jurisdiction.to_string(),
            requirement: self.requirement.to_string(),
            version: self.version,
            picture_sha256: self.picture.0.to_vec(),
            evidence_sha256: self.evidence.0.to_vec(),
        };
        key.sign(Kind::PictureReceipt, payload.encode_to_vec())
    }

    /// Checks that a member has signed it, of itself. Whether it is of the picture that was delivered is the caller's
    /// next check.
    pub fn open(
        envelope: &wire::Envelope,
        member: &Member,
        lists: &Lists,
    ) -> Result<Self, Invalid> {
        let payload = seal::open(envelope, Kind::PictureReceipt, &member.seal_keys, "receipt")?;
        let wire::PictureReceipt {
            node,
            jurisdiction,
            requirement,
            version,
            picture_sha256,
            evidence_sha256,
        } = strict::decode_signed("receipt", payload)?;
        let receipt = Self {
            node: Name::parse("receipt.node", &node)?,
            jurisdiction: lists.jurisdiction("receipt.jurisdiction", &jurisdiction)?.code,
            requirement: RequirementId::parse("receipt.requirement", &requirement)?,
            version: check_version("receipt.version", version)?,
            picture: Digest::from_wire("receipt.picture_sha256", &picture_sha256)?,
            evidence: Digest::from_wire("receipt.evidence_sha256", &evidence_sha256)?,
        };
        if (&receipt.node, receipt.jurisdiction) != (&member.node, member.jurisdiction) {
            let detail = format!("speaks for {}", receipt.node);
            return Err(Invalid::new(Reason::AnswerIdentity, "receipt.node", detail));
        }
        Ok(receipt)
    }
}

fn check_version(field: &str, version: u32) -> Result<u32, Invalid> {
    match version {
        0 => Err(Invalid::new(Reason::FieldInvalid, field, "versions count from 1")),
        _ => Ok(version),
    }
}
