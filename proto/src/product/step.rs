//! A step of a product. Comes in: signed bytes. Goes out: which step it is, and what it does. Made by the owner alone; what it may
//! do is said by [`super::course`].

use prost::Message as _;

use super::content::missing;
use crate::{
    clock::Timestamp,
    id::ProductId,
    reason::Invalid,
    seal::{Digest, Envelope, Kind, SecretKey},
    strict,
    wire::product as wire,
};

/// What a step does, as it is signed; and a text, whole.
pub use crate::wire::product::{Draft, step::Deed};

/// A step, as its owner has signed it.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Of which product.
    pub product: ProductId,
    /// From 1.
    pub number: u32,
    /// The step before; none for the first.
    pub previous: Option<Digest>,
    /// When.
    pub at: Timestamp,
    /// Version of the roster that its keys stand in.
    pub roster_version: u64,
    /// What it does.
    pub deed: Deed,
}

impl Step {
    /// Reads signed bytes; who signed them is not checked.
    pub(super) fn read(payload: &[u8]) -> Result<Self, Invalid> {
        let wire::Step { product, number, previous_sha256, at_s, roster_version, deed } =
            strict::decode_signed("step", payload)?;
        Ok(Self {
            product: ProductId::parse("step.product", &product)?,
            number,
            previous: match previous_sha256.is_empty() {
                true => None,
                false => Some(Digest::from_wire("step.previous_sha256", &previous_sha256)?),
            },
            at: Timestamp::from_s("step.at_s", at_s)?,
            roster_version,
            deed: deed.ok_or_else(|| missing("step.deed"))?,
        })
    }

    /// Version of the roster that a step rests on, to find it; nothing of the step is checked.
    pub fn roster_version_of(envelope: &Envelope) -> Result<u64, Invalid> {
        Ok(Self::read(&envelope.payload)?.roster_version)
    }

    pub(super) fn sign(&self, key: &SecretKey) -> Envelope {
        let payload = wire::Step {
            product: self.product.to_string(),
            number: self.number,
            previous_sha256: self.previous.map_or_else(Vec::new, |digest| digest.0.to_vec()),
            at_s: self.at.as_s(),
            roster_version: self.roster_version,
            deed: Some(self.deed.clone()),
        };
        key.sign(Kind::ProductStep, payload.encode_to_vec())
    }

    /// From when it may be read, where that is said: everybody reads it at the same moment.
    pub fn readable_from(&self) -> Option<i64> {
        match &self.deed {
            Deed::Circulate(circulate) => Some(circulate.readable_from_s),
            Deed::Publish(publish) => Some(publish.readable_from_s),
            Deed::Draft(_)
            | Deed::CloseRound(_)
            | Deed::Resolve(_)
            | Deed::Finalise(_)
            | Deed::Open(_)
            | Deed::Close(_)
            | Deed::Correct(_)
            | Deed::Recall(_)
            | Deed::Archive(_)
            | Deed::Hear(_) => None,
        }
    }

    /// Its name on the command line.
    pub fn name(&self) -> &'static str {
        match &self.deed {
            Deed::Draft(_) => "draft",
            Deed::Circulate(_) => "circulate",
            Deed::CloseRound(_) => "close-round",
            Deed::Resolve(_) => "resolve",
            Deed::Finalise(_) => "finalise",
            Deed::Open(_) => "open",
            Deed::Close(_) => "close",
            Deed::Publish(_) => "publish",
            Deed::Correct(_) => "correct",
            Deed::Recall(_) => "recall",
            Deed::Archive(_) => "archive",
            Deed::Hear(_) => "hear",
        }
    }
}
