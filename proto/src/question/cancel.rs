//! An authority takes back what it asked. Comes in: a signed cancellation and the requirement that it names. Goes out: a
//! checked one. Must never be believed from anybody but the authority that has asked.

use prost::Message as _;

use super::{SignedRequirement, text};
use crate::{
    clock::Timestamp,
    id::RequirementId,
    identity::Name,
    reason::{Invalid, Reason},
    roster::Roster,
    seal::{self, Digest, Kind, SecretKey},
    strict, wire,
};

/// Nobody answers the requirement from now on. Answers that were given stand.
#[derive(Clone, Debug)]
pub struct Cancellation {
    why: String,
    at: Timestamp,
    envelope: wire::Envelope,
}

impl Cancellation {
    /// Signs it in the authority's own client.
    pub fn sign(
        of: (RequirementId, Digest),
        authority: &Name,
        why: &str,
        at: Timestamp,
        key: &SecretKey,
    ) -> Result<wire::Envelope, Invalid> {
        let payload = wire::Cancellation {
            requirement: of.0.to_string(),
            requirement_sha256: of.1.0.to_vec(),
            authority: authority.to_string(),
            why: text("cancellation.why", why.to_owned())?,
            at_s: at.as_s(),
        };
        Ok(key.sign(Kind::Cancellation, payload.encode_to_vec()))
    }

    /// Checks that the authority that has signed the requirement has signed this about it.
    pub fn open(
        envelope: wire::Envelope,
        of: &SignedRequirement,
        roster: &Roster,
    ) -> Result<Self, Invalid> {
        let asked = of.requirement();
        let keys = roster.authority(&asked.authority).map_or(&[][..], |known| &known.keys);
        let payload = seal::open(&envelope, Kind::Cancellation, keys, "cancellation")?;
        let wire::Cancellation { requirement, requirement_sha256, authority, why, at_s } =
            strict::decode_signed("cancellation", payload)?;
        let same = RequirementId::parse("cancellation.requirement", &requirement)? == asked.id
            && Digest::from_wire("cancellation.requirement_sha256", &requirement_sha256)?
                == of.digest()
            && Name::parse("cancellation.authority", &authority)? == asked.authority;
        if !same {
            let detail = "is about another requirement";
            return Err(Invalid::new(Reason::FieldInvalid, "cancellation.requirement", detail));
        }
        let why = text("cancellation.why", why)?;
        Ok(Self { why, at: Timestamp::from_s("cancellation.at_s", at_s)?, envelope })
    }

    /// What the authority says.
    pub fn why(&self) -> &str {
        &self.why
    }

    /// When it was signed.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// As it was signed.
    pub fn envelope(&self) -> &wire::Envelope {
        &self.envelope
    }
}
