//! A node's own word that it does not answer. Comes in: a requirement that people have declined, or signed bytes. Goes out:
//! the one way to say so, or who has said it of what. Must never say why: that stays at home.

use prost::Message as _;

use crate::{
    id::RequirementId,
    identity::Name,
    question::SignedRequirement,
    reason::{Invalid, Reason},
    roster::Member,
    seal::{self, Digest, Kind, SecretKey},
    strict,
    taxonomy::{JurisdictionCode, Lists},
    wire,
};

/// What a node has declined, and wants known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decline {
    /// Who says so.
    pub node: Name,
    /// Whom it speaks for.
    pub jurisdiction: JurisdictionCode,
    /// What it does not answer.
    pub requirement: RequirementId,
    /// SHA-256 of the requirement's signed bytes.
    pub requirement_digest: Digest,
}

impl Decline {
    /// Signs it with the node's seal key: the same bytes every time.
    pub fn sign(&self, key: &SecretKey) -> wire::Envelope {
        let payload = wire::Decline {
            node: self.node.to_string(),
            jurisdiction: self.jurisdiction.to_string(),
            requirement: self.requirement.to_string(),
            requirement_sha256: self.requirement_digest.0.to_vec(),
        };
        key.sign(Kind::Decline, payload.encode_to_vec())
    }

    /// Checks that a member has signed it, of itself, and of this requirement.
    pub fn open(
        envelope: &wire::Envelope,
        member: &Member,
        asked: &SignedRequirement,
        lists: &Lists,
    ) -> Result<Self, Invalid> {
        let payload = seal::open(envelope, Kind::Decline, &member.seal_keys, "decline")
            .map_err(|error| Invalid { reason: Reason::AnswerSeal, ..error })?;
        let wire::Decline { node, jurisdiction, requirement, requirement_sha256 } =
            strict::decode_signed("decline", payload)?;
        let decline = Self {
            node: Name::parse("decline.node", &node)?,
            jurisdiction: lists.jurisdiction("decline.jurisdiction", &jurisdiction)?.code,
            requirement: RequirementId::parse("decline.requirement", &requirement)?,
            requirement_digest: Digest::from_wire(
                "decline.requirement_sha256",
                &requirement_sha256,
            )?,
        };
        if (&decline.node, decline.jurisdiction) != (&member.node, member.jurisdiction) {
            let detail = format!("speaks for {}", decline.node);
            return Err(Invalid::new(Reason::AnswerIdentity, "decline.node", detail));
        }
        let of = (decline.requirement, decline.requirement_digest);
        if of != (asked.requirement().id, asked.digest()) {
            let detail = "is of another requirement than the one asked";
            return Err(Invalid::new(Reason::AnswerStale, "decline.requirement", detail));
        }
        Ok(decline)
    }
}
