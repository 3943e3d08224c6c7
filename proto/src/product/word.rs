//! What a member says of a product. Comes in: a person's words at a node. Goes out: the same, signed by the node, bound to the text
//! that was read: of another text it says nothing. Must never be made of a text that the speaker has not seen.

use prost::Message as _;

use super::{
    content::{missing, tongue},
    place::Place,
    rule::Position,
    section::{check_name, check_random},
};
use crate::{
    clock::Timestamp,
    id::ProductId,
    identity::Name,
    limits::{PRODUCT_LINE_CHARS_MAX, WORD_BYTES_MAX, WORD_CHARS_MAX},
    plain,
    reason::{Invalid, Reason},
    roster::{Member, bounded},
    seal::{self, Digest, Kind, SecretKey},
    strict,
    taxonomy::{JurisdictionCode, Lists},
    wire::{self, product},
};

pub use crate::wire::product::word::Said as SaidWire;

/// A remark on a part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Of which round.
    pub round: u32,
    /// Name of the section; none: of the whole.
    pub section: Option<String>,
    /// Which part of it; none: all of it.
    pub place: Option<Place>,
    /// In which language, BCP 47.
    pub language: String,
    /// The remark.
    pub text: String,
    /// Are the others told whose it is?
    pub attributed: bool,
}

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// A remark.
    Comment(Comment),
    /// Endorsed or not, and the words that travel with it.
    Endorsement(Position, String),
    /// Whoever says nothing of this text later, endorses it.
    AgreeToSilence,
    /// What it was used for, its value from 1 to 5, what was missing.
    Feedback(String, u32, String),
    /// A section that is offered: heading and text.
    Contribution(String, String),
    /// How an action goes: exact bytes of [`crate::cycle::Report`].
    Report(Vec<u8>),
}

/// A member's word. Made by [`Word::open`] of signed bytes, or by whoever signs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Who says it.
    pub node: Name,
    /// Whom it speaks for.
    pub jurisdiction: JurisdictionCode,
    /// Of which product.
    pub product: ProductId,
    /// Of which text, as [`super::content::Content::digest`] says.
    pub content: Digest,
    /// When.
    pub at: Timestamp,
    /// Random: nobody finds who has said it by trying every name.
    pub nonce: [u8; 16],
    /// What.
    pub said: Said,
}

impl Word {
    /// Signs it with the node's seal key.
    pub fn sign(&self, key: &SecretKey) -> wire::Envelope {
        key.sign(Kind::ProductWord, self.to_wire().encode_to_vec())
    }

    /// Checks that a member has signed it, of itself.
    pub fn open(
        envelope: &wire::Envelope,
        member: &Member,
        lists: &Lists,
    ) -> Result<Self, Invalid> {
        let payload = seal::open(envelope, Kind::ProductWord, &member.seal_keys, "word")?;
        let word = Self::read(payload, lists)?;
        if (&word.node, word.jurisdiction) != (&member.node, member.jurisdiction) {
            let detail = format!("speaks for {}", word.node);
            return Err(Invalid::new(Reason::AnswerIdentity, "word.node", detail));
        }
        Ok(word)
    }

    /// Reads its words, to know whose signature must be on it; it is not checked here.
    pub fn unchecked(envelope: &wire::Envelope, lists: &Lists) -> Result<Self, Invalid> {
        Self::read(&envelope.payload, lists)
    }

    fn read(payload: &[u8], lists: &Lists) -> Result<Self, Invalid> {
        bounded("word", payload.len(), WORD_BYTES_MAX)?;
        let product::Word { node, jurisdiction, product, content_sha256, at_s, nonce, said } =
            strict::decode_signed("word", payload)?;
        check_random("word.nonce", &nonce)?;
        Ok(Self {
            node: Name::parse("word.node", &node)?,
            jurisdiction: lists.jurisdiction("word.jurisdiction", &jurisdiction)?.code,
            product: ProductId::parse("word.product", &product)?,
            content: Digest::from_wire("word.content_sha256", &content_sha256)?,
            at: Timestamp::from_s("word.at_s", at_s)?,
            nonce: nonce.try_into().unwrap_or_default(),
            said: Said::from_wire(said.ok_or_else(|| missing("word.said"))?)?,
        })
    }

    fn to_wire(&self) -> product::Word {
        product::Word {
            node: self.node.to_string(),
            jurisdiction: self.jurisdiction.to_string(),
            product: self.product.to_string(),
            content_sha256: self.content.0.to_vec(),
            at_s: self.at.as_s(),
            nonce: self.nonce.to_vec(),
            said: Some(self.said.to_wire()),
        }
    }

    /// Its name: what a step that leaves the author out commits to.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_wire().encode_to_vec())
    }
}

impl Said {
    /// Checks what is said.
    pub fn from_wire(said: SaidWire) -> Result<Self, Invalid> {
        Ok(match said {
            SaidWire::Comment(comment) => Self::Comment(Comment::from_wire(comment)?),
            SaidWire::Endorsement(product::Endorsement { position, text }) => {
                let position = Position::from_wire("endorsement.position", position)?;
                match position.needs_words() {
                    true => plain::said("endorsement.text", &text, WORD_CHARS_MAX)?,
                    false if text.is_empty() => {}
                    false => {
                        let detail =
                            "only a reservation or a dissent has words that travel with it";
                        return Err(Invalid::new(Reason::FieldInvalid, "endorsement.text", detail));
                    }
                }
                Self::Endorsement(position, text)
            }
            SaidWire::AgreeToSilence(product::AgreeToSilence {}) => Self::AgreeToSilence,
            SaidWire::Feedback(product::Feedback { used_for, value, gap }) => {
                plain::said("feedback.used_for", &used_for, WORD_CHARS_MAX)?;
                plain::may_be_said("feedback.gap", &gap, WORD_CHARS_MAX)?;
                if !(1..=5).contains(&value) {
                    let detail = format!("{value} is not from 1, of no use, to 5, decisive");
                    return Err(Invalid::new(Reason::FieldInvalid, "feedback.value", detail));
                }
                Self::Feedback(used_for, value, gap)
            }
            SaidWire::Contribution(product::Contribution { heading, text }) => {
                plain::line("contribution.heading", &heading, PRODUCT_LINE_CHARS_MAX)?;
                plain::said("contribution.text", &text, WORD_BYTES_MAX)?;
                super::markdown::check("contribution.text", &text)?;
                Self::Contribution(heading, text)
            }
            SaidWire::Report(report) => Self::Report(report),
        })
    }

    /// As the wire has it.
    pub fn to_wire(&self) -> SaidWire {
        match self {
            Self::Comment(comment) => SaidWire::Comment(comment.to_wire()),
            Self::Endorsement(position, text) => SaidWire::Endorsement(product::Endorsement {
                position: position.to_wire().into(),
                text: text.clone(),
            }),
            Self::AgreeToSilence => SaidWire::AgreeToSilence(product::AgreeToSilence {}),
            Self::Feedback(used_for, value, gap) => SaidWire::Feedback(product::Feedback {
                used_for: used_for.clone(),
                value: *value,
                gap: gap.clone(),
            }),
            Self::Contribution(heading, text) => SaidWire::Contribution(product::Contribution {
                heading: heading.clone(),
                text: text.clone(),
            }),
            Self::Report(report) => SaidWire::Report(report.clone()),
        }
    }

    /// Does it move nothing, whenever it is said?
    pub fn is_beside(&self) -> bool {
        match self {
            Self::Feedback(..) | Self::Contribution(..) | Self::Report(_) => true,
            Self::Comment(_) | Self::Endorsement(..) | Self::AgreeToSilence => false,
        }
    }

    /// What it is, in a word.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Comment(_) => "comment",
            Self::Endorsement(..) => "endorsement",
            Self::AgreeToSilence => "agreement to silence",
            Self::Feedback(..) => "feedback",
            Self::Contribution(..) => "contribution",
            Self::Report(_) => "report",
        }
    }
}

impl Comment {
    pub(super) fn from_wire(comment: product::Comment) -> Result<Self, Invalid> {
        let product::Comment { round, section, place, language, text, attributed } = comment;
        if !section.is_empty() {
            check_name("comment.section", &section)?;
        }
        let place = Some(place).filter(|place| !place.is_empty());
        let place = place.map(|place| Place::parse("comment.place", &place)).transpose()?;
        if place.is_some() && section.is_empty() {
            let detail = "a place is in a section: name that as well";
            return Err(Invalid::new(Reason::FieldMissing, "comment.section", detail));
        }
        plain::said("comment.text", &text, WORD_CHARS_MAX)?;
        Ok(Self {
            round,
            section: (!section.is_empty()).then_some(section),
            place,
            language: tongue("comment.language", language)?,
            text,
            attributed,
        })
    }

    /// As the wire has it.
    pub fn to_wire(&self) -> product::Comment {
        product::Comment {
            round: self.round,
            section: self.section.clone().unwrap_or_default(),
            place: self.place.map_or_else(String::new, |place| place.to_string()),
            language: self.language.clone(),
            text: self.text.clone(),
            attributed: self.attributed,
        }
    }
}
