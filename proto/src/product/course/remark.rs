//! A remark of a round, and what is decided of it. Comes in: what was said, and by whom if that is told. Goes out: the same with its
//! decision. Must never stand without a name of its own: its author finds it by that.

use crate::{
    identity::Name,
    product::{content::unknown, word::Comment},
    reason::Invalid,
    seal::Digest,
    taxonomy::JurisdictionCode,
    wire::product as wire,
};

/// Whose remark it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// A member.
    Member(Name, JurisdictionCode),
    /// A member that does not want it told.
    Unattributed,
    /// An observer, by the owner's word.
    Reader(Name),
}

/// What is decided of a remark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// As it asks.
    Accepted,
    /// In part.
    Partly,
    /// Not.
    NotAccepted,
    /// Nothing was asked for.
    Noted,
}

impl Decision {
    /// All, with their names.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Accepted, "ACCEPTED"),
        (Self::Partly, "PARTLY"),
        (Self::NotAccepted, "NOT_ACCEPTED"),
        (Self::Noted, "NOTED"),
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(decision, _)| *decision == self).map_or("", |(_, name)| name)
    }

    /// As the wire has it.
    pub fn to_wire(self) -> wire::Decision {
        match self {
            Self::Accepted => wire::Decision::Accepted,
            Self::Partly => wire::Decision::Partly,
            Self::NotAccepted => wire::Decision::NotAccepted,
            Self::Noted => wire::Decision::Noted,
        }
    }

    pub(super) fn from_wire(decision: i32) -> Result<Self, Invalid> {
        match wire::Decision::try_from(decision) {
            Ok(wire::Decision::Accepted) => Ok(Self::Accepted),
            Ok(wire::Decision::Partly) => Ok(Self::Partly),
            Ok(wire::Decision::NotAccepted) => Ok(Self::NotAccepted),
            Ok(wire::Decision::Noted) => Ok(Self::Noted),
            Ok(wire::Decision::Unspecified) | Err(_) => Err(unknown("decision", decision)),
        }
    }
}

/// A remark of a round that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Its name.
    pub digest: Digest,
    /// Whose it is.
    pub speaker: Speaker,
    /// What it says.
    pub comment: Comment,
    /// What became of it: decision and words.
    pub resolution: Option<(Decision, String)>,
}
