//! The text of a product. Comes in: exact bytes of a content, of its renditions and its sections. Goes out: what was written,
//! checked, under one digest that every endorsement names. Must never let a section into an extent that the pictures it cites are
//! not for.

use prost::Message as _;

use super::{
    rendition::{self, Extent, Rendition},
    rule::Rule,
    section::Section,
};
use crate::{
    clock::Timestamp,
    id::ProductId,
    identity::Name,
    limits::{MEMBERS_MAX, PRODUCT_BYTES_MAX, PRODUCT_LINE_CHARS_MAX, PRODUCT_SECTIONS_MAX},
    plain,
    reason::{Invalid, Reason},
    roster::bounded,
    seal::Digest,
    strict,
    taxonomy::Lists,
    wire::product as wire,
};

/// What a product is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Tables, trends, what has changed: every half year.
    SituationPicture,
    /// Key threats, forecast, recommended priorities.
    ThreatAssessment,
    /// Figures alone.
    Bulletin,
    /// One emerging phenomenon; low confidence is allowed, and it expires.
    EarlyWarning,
    /// Statements of a meeting.
    Conclusions,
    /// Priorities, goals and actions of a policy cycle.
    Plan,
}

impl Kind {
    /// All, with their names.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::SituationPicture, "SITUATION_PICTURE"),
        (Self::ThreatAssessment, "THREAT_ASSESSMENT"),
        (Self::Bulletin, "BULLETIN"),
        (Self::EarlyWarning, "EARLY_WARNING"),
        (Self::Conclusions, "CONCLUSIONS"),
        (Self::Plan, "PLAN"),
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// For a page: "Threat assessment".
    pub fn title(self) -> &'static str {
        match self {
            Self::SituationPicture => "Situation picture",
            Self::ThreatAssessment => "Threat assessment",
            Self::Bulletin => "Bulletin",
            Self::EarlyWarning => "Early warning",
            Self::Conclusions => "Conclusions",
            Self::Plan => "Policy cycle plan",
        }
    }

    /// Reads a name.
    pub fn parse(field: &str, text: &str) -> Result<Self, Invalid> {
        let found = Self::ALL.iter().find(|(_, name)| *name == text);
        found.map(|(kind, _)| *kind).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|(_, name)| *name).collect();
            let detail = format!("{} is none of {}", crate::reason::quoted(text), names.join(", "));
            Invalid::new(Reason::CodeUnknown, field, detail)
        })
    }

    /// May it be endorsed without a round of comments? Figures, and what cannot wait.
    pub fn needs_no_round(self) -> bool {
        matches!(self, Self::Bulletin | Self::EarlyWarning)
    }

    /// As the wire has it.
    pub fn to_wire(self) -> wire::Kind {
        match self {
            Self::SituationPicture => wire::Kind::SituationPicture,
            Self::ThreatAssessment => wire::Kind::ThreatAssessment,
            Self::Bulletin => wire::Kind::Bulletin,
            Self::EarlyWarning => wire::Kind::EarlyWarning,
            Self::Conclusions => wire::Kind::Conclusions,
            Self::Plan => wire::Kind::Plan,
        }
    }

    /// Reads what [`Self::to_wire`] writes.
    pub fn from_wire(field: &str, kind: i32) -> Result<Self, Invalid> {
        match wire::Kind::try_from(kind) {
            Ok(wire::Kind::SituationPicture) => Ok(Self::SituationPicture),
            Ok(wire::Kind::ThreatAssessment) => Ok(Self::ThreatAssessment),
            Ok(wire::Kind::Bulletin) => Ok(Self::Bulletin),
            Ok(wire::Kind::EarlyWarning) => Ok(Self::EarlyWarning),
            Ok(wire::Kind::Conclusions) => Ok(Self::Conclusions),
            Ok(wire::Kind::Plan) => Ok(Self::Plan),
            Ok(wire::Kind::Unspecified) | Err(_) => Err(unknown(field, kind)),
        }
    }
}

pub(super) fn unknown(field: &str, value: i32) -> Invalid {
    let detail = format!("{value} is a value that this version does not know");
    Invalid::new(Reason::CodeUnknown, field, detail)
}

/// A product's text, but for its sections. Made by [`Content::whole`] and [`Content::at_hand`] only.
#[derive(Clone, Debug, PartialEq)]
pub struct Content {
    /// Which product.
    pub product: ProductId,
    /// What it is.
    pub kind: Kind,
    /// Its title, on one line.
    pub title: String,
    /// Language of its text, BCP 47.
    pub language: String,
    /// What time it is about, in words.
    pub covers: String,
    /// The centre or node whose product it is.
    pub owner: Name,
    /// Nodes that review and endorse it, ascending.
    pub members: Vec<Name>,
    /// When it counts as endorsed.
    pub rule: Rule,
    /// Who may read it, by extent, ascending: those that are at hand.
    pub renditions: Vec<Rendition>,
    /// Until when it may be relied on, if that is known.
    pub valid_until: Option<Timestamp>,
    /// Digest of each section.
    pub section_digests: Vec<Digest>,
    /// Least extent of each section.
    pub extents: Vec<Extent>,
    rendition_digests: Vec<Digest>,
    digest: Digest,
}

impl Content {
    /// Reads a text, all of it.
    pub fn whole(text: &wire::Text, lists: &Lists) -> Result<(Self, Vec<Section>), Invalid> {
        let (content, sections) = Self::at_hand(text, lists)?;
        let sections: Vec<Section> =
            sections.into_iter().collect::<Option<_>>().ok_or_else(|| {
                Invalid::new(Reason::FieldMissing, "sections", "one of them is not there")
            })?;
        if content.rendition(Extent::Restricted).is_none()
            || content.renditions.len() < content.rendition_digests.len()
        {
            let detail = "RESTRICTED is what the members read, and none that is named is withheld";
            return Err(Invalid::new(Reason::FieldMissing, "renditions", detail));
        }
        let plans = sections.iter().filter(|section| section.plan.is_some()).count();
        if plans != usize::from(content.kind == Kind::Plan) {
            let detail = format!("{plans} hold a plan: one of a product PLAN does, of others none");
            return Err(Invalid::new(Reason::FieldInvalid, "sections.plan", detail));
        }
        Ok((content, sections))
    }

    /// The same where some sections and renditions are withheld, and empty.
    pub fn at_hand(
        text: &wire::Text,
        lists: &Lists,
    ) -> Result<(Self, Vec<Option<Section>>), Invalid> {
        let wire::Text { content, renditions, sections } = text;
        let mut content = Self::read(content)?;
        let digests = &content.rendition_digests;
        content.renditions =
            parts("renditions", (renditions, digests), |part| Rendition::read(part, lists))?
                .into_iter()
                .flatten()
                .collect();
        rendition::check_order(&content.renditions)?;
        bounded("sections", sections.iter().map(Vec::len).sum(), PRODUCT_BYTES_MAX)?;
        let sections = parts("sections", (sections, &content.section_digests), |part| {
            let section = Section::read(part, lists)?;
            for rendition in &content.renditions {
                section.check_for(rendition.extent, rendition.audience, lists)?;
            }
            Ok(section)
        })?;
        let other = |(section, extent): (&Option<Section>, &Extent)| {
            section.as_ref().is_some_and(|section| section.extent != *extent)
        };
        if let Some(at) = sections.iter().zip(&content.extents).position(other) {
            let detail = "is of another extent than the content says";
            let field = format!("sections[{at}].extent");
            return Err(Invalid::new(Reason::ProductFalse, field, detail));
        }
        unlike(sections.iter().flatten().map(|section| section.name.as_str()))?;
        Ok((content, sections))
    }

    /// Reads exact bytes; of renditions and sections only how many there are.
    fn read(bytes: &[u8]) -> Result<Self, Invalid> {
        bounded("content", bytes.len(), PRODUCT_BYTES_MAX)?;
        let content: wire::Content = strict::decode_signed("content", bytes)?;
        let wire::Content {
            product,
            kind,
            title,
            language,
            covers,
            owner,
            members,
            rule,
            renditions_sha256,
            sections_sha256,
            valid_until_s,
            extents,
        } = content;
        plain::line("content.title", &title, PRODUCT_LINE_CHARS_MAX)?;
        plain::line("content.covers", &covers, PRODUCT_LINE_CHARS_MAX)?;
        bounded("content.members", members.len(), MEMBERS_MAX)?;
        bounded("content.sections", sections_sha256.len(), PRODUCT_SECTIONS_MAX)?;
        bounded("content.renditions", renditions_sha256.len(), Extent::ALL.len())?;
        let members = names("content.members", members)?;
        if members.is_empty() || sections_sha256.is_empty() {
            let detail = "a product has a section, and somebody who reviews it";
            return Err(Invalid::new(Reason::FieldMissing, "content", detail));
        }
        let extent = |extent| Extent::from_wire("content.extents", extent);
        let extents: Vec<_> = extents.into_iter().map(extent).collect::<Result<_, _>>()?;
        if extents.len() != sections_sha256.len() {
            let detail = format!("{} where there are {}", extents.len(), sections_sha256.len());
            return Err(Invalid::new(Reason::FieldInvalid, "content.extents", detail));
        }
        let rule = rule.ok_or_else(|| missing("content.rule"))?;
        Ok(Self {
            product: ProductId::parse("content.product", &product)?,
            kind: Kind::from_wire("content.kind", kind)?,
            title,
            language: tongue("content.language", language)?,
            covers,
            owner: Name::parse("content.owner", &owner)?,
            rule: Rule::from_wire("content.rule", &rule, members.len())?,
            members,
            renditions: Vec::new(),
            valid_until: match valid_until_s {
                0 => None,
                seconds => Some(Timestamp::from_s("content.valid_until_s", seconds)?),
            },
            section_digests: digests("content.sections_sha256", &sections_sha256)?,
            extents,
            rendition_digests: digests("content.renditions_sha256", &renditions_sha256)?,
            digest: digest_of(bytes),
        })
    }

    /// What an endorsement names.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Is the text that is named this one?
    pub(super) fn is_this(&self, field: &str, digest: &[u8]) -> Result<(), Invalid> {
        let named = Digest::from_wire(field, digest)?;
        if named == self.digest {
            return Ok(());
        }
        let detail = format!("names the text {named}, and this is {}", self.digest);
        Err(Invalid::new(Reason::ProductFalse, field, detail))
    }

    /// The rendition of an extent, if there is one.
    pub fn rendition(&self, extent: Extent) -> Option<&Rendition> {
        self.renditions.iter().find(|rendition| rendition.extent == extent)
    }

    /// The widest extent that is released to a reader.
    pub fn extent_for(&self, reader: &Name) -> Option<Extent> {
        let theirs = self.renditions.iter().filter(|of| of.readers.contains(reader));
        theirs.map(|rendition| rendition.extent).max()
    }
}

/// Binds what is written to its parts: the exact bytes of a text.
pub fn bind(
    content: wire::Content,
    renditions: &[wire::Rendition],
    sections: &[wire::Section],
) -> wire::Text {
    let digests = |parts: &[Vec<u8>]| -> Vec<Vec<u8>> {
        parts.iter().map(|part| Digest::of(part).0.to_vec()).collect()
    };
    let renditions: Vec<_> = renditions.iter().map(wire::Rendition::encode_to_vec).collect();
    let extents = sections.iter().map(|section| section.extent).collect();
    let sections: Vec<_> = sections.iter().map(wire::Section::encode_to_vec).collect();
    let content = wire::Content {
        renditions_sha256: digests(&renditions),
        sections_sha256: digests(&sections),
        extents,
        ..content
    };
    wire::Text { content: content.encode_to_vec(), renditions, sections }
}

/// Parts that a content names by digest: empty ones are withheld.
fn parts<T>(
    field: &str,
    (parts, digests): (&[Vec<u8>], &[Digest]),
    read: impl Fn(&[u8]) -> Result<T, Invalid>,
) -> Result<Vec<Option<T>>, Invalid> {
    if parts.len() != digests.len() {
        let detail = format!("{} where the content names {}", parts.len(), digests.len());
        return Err(Invalid::new(Reason::FieldInvalid, field, detail));
    }
    let mut opened = Vec::new();
    for (at, (part, wanted)) in parts.iter().zip(digests).enumerate() {
        let named = |error: Invalid| error.within(format!("{field}[{at}]"));
        if part.is_empty() {
            opened.push(None);
            continue;
        }
        if Digest::of(part) != *wanted {
            let detail = "is not what the content names";
            return Err(named(Invalid::new(Reason::ProductFalse, "sha256", detail)));
        }
        opened.push(Some(read(part).map_err(named)?));
    }
    Ok(opened)
}

fn digests(field: &str, list: &[Vec<u8>]) -> Result<Vec<Digest>, Invalid> {
    list.iter().map(|bytes| Digest::from_wire(field, bytes)).collect()
}

/// What an endorsement of these bytes names.
pub fn digest_of(content: &[u8]) -> Digest {
    Digest::of_parts([&b"accord.product.v1"[..], content])
}

/// Names, ascending, none twice.
pub(super) fn names(field: &str, names: Vec<String>) -> Result<Vec<Name>, Invalid> {
    let names: Vec<_> =
        names.iter().map(|name| Name::parse(field, name)).collect::<Result<_, _>>()?;
    if names.windows(2).all(|pair| matches!(pair, [a, b] if a < b)) {
        return Ok(names);
    }
    Err(Invalid::new(Reason::FieldInvalid, field, "are not ascending, each once"))
}

/// A language tag, by its form: letters and digits in parts of two to eight.
pub(super) fn tongue(field: &str, tag: String) -> Result<String, Invalid> {
    let part = |part: &str| {
        (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    if tag.len() <= 35 && tag.split('-').all(part) {
        return Ok(tag);
    }
    let detail = format!("{} is no language tag, like en or sr-Cyrl", crate::reason::quoted(&tag));
    Err(Invalid::new(Reason::FieldInvalid, field, detail))
}

fn unlike<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), Invalid> {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            let detail = format!("{} names two sections", crate::reason::quoted(name));
            return Err(Invalid::new(Reason::FieldInvalid, "sections", detail));
        }
    }
    Ok(())
}

pub(super) fn missing(field: &str) -> Invalid {
    Invalid::new(Reason::FieldMissing, field, "is not there")
}
