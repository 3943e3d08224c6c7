//! A member's word that it holds a product. Comes in: how far it holds the chain. Goes out: that, signed. Must never be given of
//! what would not survive a power cut.

use prost::Message as _;

use crate::{
    id::ProductId,
    identity::Name,
    reason::{Invalid, Reason},
    roster::Member,
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
}

impl Receipt {
    /// Signs it with the node's seal key: the same bytes every time.
    pub fn sign(&self, key: &SecretKey) -> wire::Envelope {
        let payload = product::Receipt {
            node: self.node.to_string(),
            jurisdiction: self.jurisdiction.to_string(),
            product: self.product.to_string(),
            steps: self.steps,
            head_sha256: self.head.0.to_vec(),
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
        let product::Receipt { node, jurisdiction, product, steps, head_sha256 } =
            strict::decode_signed("receipt", payload)?;
        let receipt = Self {
            node: Name::parse("receipt.node", &node)?,
            jurisdiction: lists.jurisdiction("receipt.jurisdiction", &jurisdiction)?.code,
            product: ProductId::parse("receipt.product", &product)?,
            steps,
            head: Digest::from_wire("receipt.head_sha256", &head_sha256)?,
        };
        if (&receipt.node, receipt.jurisdiction) != (&member.node, member.jurisdiction) {
            let detail = format!("speaks for {}", receipt.node);
            return Err(Invalid::new(Reason::AnswerIdentity, "receipt.node", detail));
        }
        Ok(receipt)
    }
}
