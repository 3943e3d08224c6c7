//! Whether answers still stand, and what is held of them. Comes in: signed bytes of a node or the coordinator. Goes out:
//! notices, statements of holdings, a certificate of departure. Must never say which cells of an answer fell away: the
//! next answer says it, to whoever may ask for it.
//!
//! What was published remains published. A notice says that it may not be used from now on.

use prost::Message as _;

use crate::{
    clock::Timestamp,
    id::RequirementId,
    identity::Name,
    limits::{GIVEN_MAX, HELD_PICTURES_MAX, MEMBERS_MAX, STANDING_MAX},
    reason::{Invalid, Reason},
    roster::{bounded, each},
    seal::{self, Digest, Kind, PublicKey, SecretKey},
    strict,
    taxonomy::{AudienceCode, JurisdictionCode, Lists},
    wire,
};

/// What has become of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Some of its cells may not be used any more.
    Narrowed,
    /// None of its cells may.
    Withdrawn,
}

impl Standing {
    /// One word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Narrowed => "narrowed",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// A node's word that a table of its does not stand any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Who says so.
    pub node: Name,
    /// Whom it speaks for.
    pub jurisdiction: JurisdictionCode,
    /// What was answered.
    pub requirement: RequirementId,
    /// SHA-256 of the requirement's signed bytes.
    pub requirement_digest: Digest,
    /// SHA-256 of the table.
    pub table_digest: Digest,
    /// What has become of it.
    pub standing: Standing,
    /// The state of consent that this rests on.
    pub consent_epoch: u64,
    /// When it was found.
    pub at: Timestamp,
}

impl Notice {
    /// Signs it with the node's seal key.
    pub fn sign(&self, key: &SecretKey) -> wire::Envelope {
        let standing = match self.standing {
            Standing::Narrowed => wire::Standing::Narrowed,
            Standing::Withdrawn => wire::Standing::Withdrawn,
        };
        let payload = wire::Notice {
            node: self.node.to_string(),
            jurisdiction: self.jurisdiction.to_string(),
            requirement: self.requirement.to_string(),
            requirement_sha256: self.requirement_digest.0.to_vec(),
            table_sha256: self.table_digest.0.to_vec(),
            standing: standing.into(),
            consent_epoch: self.consent_epoch,
            at_s: self.at.as_s(),
        };
        key.sign(Kind::Notice, payload.encode_to_vec())
    }

    /// Checks the signature by one of the node's keys, and every field.
    pub fn open(
        envelope: &wire::Envelope,
        keys: &[PublicKey],
        lists: &Lists,
    ) -> Result<Self, Invalid> {
        let payload = seal::open(envelope, Kind::Notice, keys, "notice")?;
        let wire::Notice {
            node,
            jurisdiction,
            requirement,
            requirement_sha256,
            table_sha256,
            standing,
            consent_epoch,
            at_s,
        } = strict::decode_signed("notice", payload)?;
        let standing = match wire::Standing::try_from(standing) {
            Ok(wire::Standing::Narrowed) => Standing::Narrowed,
            Ok(wire::Standing::Withdrawn) => Standing::Withdrawn,
            Ok(wire::Standing::Unspecified) | Err(_) => {
                let detail = "says neither narrowed nor withdrawn";
                return Err(Invalid::new(Reason::FieldInvalid, "notice.standing", detail));
            }
        };
        Ok(Self {
            node: Name::parse("notice.node", &node)?,
            jurisdiction: lists.jurisdiction("notice.jurisdiction", &jurisdiction)?.code,
            requirement: RequirementId::parse("notice.requirement", &requirement)?,
            requirement_digest: Digest::from_wire(
                "notice.requirement_sha256",
                &requirement_sha256,
            )?,
            table_digest: Digest::from_wire("notice.table_sha256", &table_sha256)?,
            standing,
            consent_epoch,
            at: Timestamp::from_s("notice.at_s", at_s)?,
        })
    }
}

/// A coordinator's word on what it holds of a node's answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holdings {
    /// Who holds it.
    pub centre: Name,
    /// Whose answers.
    pub node: Name,
    /// When.
    pub at: Timestamp,
    /// For each requirement.
    pub holdings: Vec<Holding>,
}

/// What is held of one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// What was answered.
    pub requirement: RequirementId,
    /// SHA-256 of the table.
    pub table_digest: Digest,
    /// Version and SHA-256 of the pictures that rest on it.
    pub pictures: Vec<(u32, Digest)>,
}

impl Holdings {
    /// Signs it with the coordinator's key.
    pub fn sign(&self, key: &SecretKey) -> wire::Envelope {
        let payload = wire::Holdings {
            centre: self.centre.to_string(),
            node: self.node.to_string(),
            at_s: self.at.as_s(),
            holdings: self.holdings.iter().map(Holding::to_wire).collect(),
        };
        key.sign(Kind::Holdings, payload.encode_to_vec())
    }

    /// Checks the signature by one of the coordinator's keys, and every field.
    pub fn open(envelope: &wire::Envelope, keys: &[PublicKey]) -> Result<Self, Invalid> {
        let payload = seal::open(envelope, Kind::Holdings, keys, "holdings")?;
        let wire::Holdings { centre, node, at_s, holdings } =
            strict::decode_signed("holdings", payload)?;
        bounded("holdings.holdings", holdings.len(), STANDING_MAX)?;
        Ok(Self {
            centre: Name::parse("holdings.centre", &centre)?,
            node: Name::parse("holdings.node", &node)?,
            at: Timestamp::from_s("holdings.at_s", at_s)?,
            holdings: each("holdings.holdings", holdings, Holding::from_wire)?,
        })
    }
}

impl Holding {
    /// For a store.
    pub fn encode(&self) -> Vec<u8> {
        self.to_wire().encode_to_vec()
    }

    fn to_wire(&self) -> wire::Holding {
        let picture = |(version, digest): &(u32, Digest)| wire::PictureRef {
            version: *version,
            picture_sha256: digest.0.to_vec(),
        };
        wire::Holding {
            requirement: self.requirement.to_string(),
            table_sha256: self.table_digest.0.to_vec(),
            pictures: self.pictures.iter().map(picture).collect(),
        }
    }

    fn from_wire(holding: wire::Holding) -> Result<Self, Invalid> {
        let wire::Holding { requirement, table_sha256, pictures } = holding;
        bounded("pictures", pictures.len(), HELD_PICTURES_MAX)?;
        let picture = |picture: wire::PictureRef| {
            let digest = Digest::from_wire("picture_sha256", &picture.picture_sha256)?;
            Ok((picture.version, digest))
        };
        Ok(Self {
            requirement: RequirementId::parse("requirement", &requirement)?,
            table_digest: Digest::from_wire("table_sha256", &table_sha256)?,
            pictures: each("pictures", pictures, picture)?,
        })
    }
}

/// What a departing node has given, and what is held of it as far as others have said.
#[derive(Clone, Debug, PartialEq)]
pub struct Departure {
    /// Who leaves.
    pub node: Name,
    /// Whom it spoke for.
    pub jurisdiction: JurisdictionCode,
    /// When.
    pub at: Timestamp,
    /// Every answer.
    pub given: Vec<Given>,
    /// Signed by coordinators: [`Holdings`].
    pub holdings: Vec<wire::Envelope>,
}

/// One answer that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// What was answered.
    pub requirement: RequirementId,
    /// Who asked.
    pub authority: Name,
    /// For whom.
    pub audience: AudienceCode,
    /// SHA-256 of the table that stood last.
    pub table_digest: Digest,
    /// When its newest seal was made.
    pub sealed_at: Timestamp,
}

impl Departure {
    /// Signs it with the node's seal key.
    pub fn sign(&self, key: &SecretKey) -> wire::Envelope {
        let given = |given: &Given| wire::Given {
            requirement: given.requirement.to_string(),
            authority: given.authority.to_string(),
            audience: given.audience.to_string(),
            table_sha256: given.table_digest.0.to_vec(),
            sealed_at_s: given.sealed_at.as_s(),
        };
        let payload = wire::Departure {
            node: self.node.to_string(),
            jurisdiction: self.jurisdiction.to_string(),
            at_s: self.at.as_s(),
            given: self.given.iter().map(given).collect(),
            holdings: self.holdings.clone(),
        };
        key.sign(Kind::Departure, payload.encode_to_vec())
    }

    /// Checks the signature by one of the node's keys, and every field. The statements of holdings are checked by
    /// whoever has the coordinators' keys.
    pub fn open(
        envelope: &wire::Envelope,
        keys: &[PublicKey],
        lists: &Lists,
    ) -> Result<Self, Invalid> {
        let payload = seal::open(envelope, Kind::Departure, keys, "departure")?;
        let wire::Departure { node, jurisdiction, at_s, given, holdings } =
            strict::decode_signed("departure", payload)?;
        bounded("departure.given", given.len(), GIVEN_MAX)?;
        bounded("departure.holdings", holdings.len(), GIVEN_MAX.max(MEMBERS_MAX))?;
        let given = each("departure.given", given, |given| {
            let wire::Given { requirement, authority, audience, table_sha256, sealed_at_s } = given;
            Ok(Given {
                requirement: RequirementId::parse("requirement", &requirement)?,
                authority: Name::parse("authority", &authority)?,
                audience: lists.audience("audience", &audience)?,
                table_digest: Digest::from_wire("table_sha256", &table_sha256)?,
                sealed_at: Timestamp::from_s("sealed_at_s", sealed_at_s)?,
            })
        })?;
        Ok(Self {
            node: Name::parse("departure.node", &node)?,
            jurisdiction: lists.jurisdiction("departure.jurisdiction", &jurisdiction)?.code,
            at: Timestamp::from_s("departure.at_s", at_s)?,
            given,
            holdings,
        })
    }
}
