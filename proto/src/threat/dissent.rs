//! Dissent (domain.md §2.10). Comes in: a node's words against an order of areas. Goes out: a signed note that is part of the
//! ranking. Its signature is the consent that it is read. Must never be written by anybody but the node, nor be taken off the
//! ranking without spoiling the coordinator's signature.

use prost::Message as _;

use super::input::Justified;
use crate::{
    clock::Timestamp,
    identity::Name,
    reason::{Invalid, Reason},
    roster::Member,
    seal::{self, Digest, Kind, SecretKey},
    strict,
    taxonomy::{JurisdictionCode, Lists},
    wire::{self, threat},
};

/// A node's dissent from one order of areas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dissent {
    /// Who dissents.
    pub node: Name,
    /// Whom it speaks for.
    pub jurisdiction: JurisdictionCode,
    /// From which order: SHA-256 of its bytes.
    pub order: Digest,
    /// Why.
    pub text: Justified,
    /// When the node signed it, by its own clock.
    pub at: Timestamp,
}

impl Dissent {
    /// Signs it with the node's seal key: that is its consent.
    pub fn sign(&self, key: &SecretKey) -> wire::Envelope {
        let payload = threat::Dissent {
            node: self.node.to_string(),
            jurisdiction: self.jurisdiction.to_string(),
            order_sha256: self.order.0.to_vec(),
            text: self.text.as_str().to_owned(),
            at_s: self.at.as_s(),
        };
        key.sign(Kind::Dissent, payload.encode_to_vec())
    }

    /// Checks that a member has signed it, of itself and of this order.
    pub fn open(
        envelope: &wire::Envelope,
        member: &Member,
        order: Digest,
        lists: &Lists,
    ) -> Result<Self, Invalid> {
        let payload = seal::open(envelope, Kind::Dissent, &member.seal_keys, "dissent")?;
        let dissent = Self::read(payload, lists)?;
        if (&dissent.node, dissent.jurisdiction) != (&member.node, member.jurisdiction) {
            let detail = format!("speaks for {}", dissent.node);
            return Err(Invalid::new(Reason::AnswerIdentity, "dissent.node", detail));
        }
        if dissent.order != order {
            let detail = format!("is from the order {}, not from {order}", dissent.order);
            return Err(Invalid::new(Reason::RankingFalse, "dissent.order_sha256", detail));
        }
        Ok(dissent)
    }

    /// Reads its words, to know whose signature must be on it; it is not checked here.
    pub fn unchecked(envelope: &wire::Envelope, lists: &Lists) -> Result<Self, Invalid> {
        Self::read(&envelope.payload, lists)
    }

    /// Reads its words; who signed them is not checked.
    pub(super) fn read(payload: &[u8], lists: &Lists) -> Result<Self, Invalid> {
        let threat::Dissent { node, jurisdiction, order_sha256, text, at_s } =
            strict::decode_signed("dissent", payload)?;
        Ok(Self {
            node: Name::parse("dissent.node", &node)?,
            jurisdiction: lists.jurisdiction("dissent.jurisdiction", &jurisdiction)?.code,
            order: Digest::from_wire("dissent.order_sha256", &order_sha256)?,
            text: Justified::read("dissent.text", &text)?,
            at: Timestamp::from_s("dissent.at_s", at_s)?,
        })
    }
}
