//! A member's word that it holds a product. Comes in: how far it holds the chain, and what it misses in it. Goes out: that, signed.
//! Must never be given of what would not survive a power cut.

use prost::Message as _;

use super::course::Against;
use crate::{
    id::ProductId,
    identity::Name,
    limits::LEFT_OUT_MAX,
    reason::{Invalid, Reason},
    roster::{Member, ascending, bounded, each},
    seal::{self, Digest, Kind, SecretKey},
    strict,
    taxonomy::{JurisdictionCode, Lists},
    wire::{self, product},
};

/// How far a member holds a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Who holds it.
    pub node: Name,
    /// Whom it speaks for.
    pub jurisdiction: JurisdictionCode,
    /// Which product.
    pub product: ProductId,
    /// So many steps.
    pub steps: u32,
    /// SHA-256 of the payload of the last one.
    pub head: Digest,
    /// Words of its own that these steps should have taken in and have not, ascending, at most [`LEFT_OUT_MAX`]: its objection.
    pub left_out: Vec<Digest>,
}

impl Receipt {
    /// Signs it with the node's seal key: the same bytes for the same chain and the same words.
    pub fn sign(&self, key: &SecretKey) -> wire::Envelope {
        let payload = product::Receipt {
            node: self.node.to_string(),
            jurisdiction: self.jurisdiction.to_string(),
            product: self.product.to_string(),
            steps: self.steps,
            head_sha256: self.head.0.to_vec(),
            left_out_sha256: self.left_out.iter().map(|digest| digest.0.to_vec()).collect(),
        };
        key.sign(Kind::ProductReceipt, payload.encode_to_vec())
    }

    /// Checks that a member has signed it, of itself.
    pub fn open(
        envelope: &wire::Envelope,
        member: &Member,
        lists: &Lists,
    ) -> Result<Self, Invalid> {
        let payload = seal::open(envelope, Kind::ProductReceipt, &member.seal_keys, "receipt")?;
        let receipt = Self::read(payload, lists)?;
        if (&receipt.node, receipt.jurisdiction) != (&member.node, member.jurisdiction) {
            let detail = format!("speaks for {}", receipt.node);
            return Err(Invalid::new(Reason::AnswerIdentity, "receipt.node", detail));
        }
        Ok(receipt)
    }

    /// The same of whichever member of a roster has signed it.
    pub(super) fn open_of_any(
        envelope: &wire::Envelope,
        Against { roster, lists }: Against<'_>,
    ) -> Result<Self, Invalid> {
        let node = Self::read(&envelope.payload, lists)?.node;
        let member = roster.member(&node).ok_or_else(|| {
            let detail = format!("{node} is not in the roster");
            Invalid::new(Reason::AnswerIdentity, "receipt.node", detail)
        })?;
        Self::open(envelope, member, lists)
    }

    fn read(payload: &[u8], lists: &Lists) -> Result<Self, Invalid> {
        let product::Receipt { node, jurisdiction, product, steps, head_sha256, left_out_sha256 } =
            strict::decode_signed("receipt", payload)?;
        bounded("receipt.left_out_sha256", left_out_sha256.len(), LEFT_OUT_MAX)?;
        let digest = |bytes: Vec<u8>| Digest::from_wire("sha256", &bytes);
        let left_out = each("receipt.left_out_sha256", left_out_sha256, digest)?;
        ascending("receipt.left_out_sha256", &left_out)?;
        Ok(Self {
            node: Name::parse("receipt.node", &node)?,
            jurisdiction: lists.jurisdiction("receipt.jurisdiction", &jurisdiction)?.code,
            product: ProductId::parse("receipt.product", &product)?,
            steps,
            head: Digest::from_wire("receipt.head_sha256", &head_sha256)?,
            left_out,
        })
    }
}
