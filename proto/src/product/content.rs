//! The text of a product. Comes in: exact bytes of a content and of its sections. Goes out: what was written, checked, under one
//! digest that every endorsement names. Must never let a section into an extent that the pictures it cites are not for.

use super::{rule::Rule, section::Section};
use crate::{
    clock::Timestamp,
    id::ProductId,
    identity::Name,
    limits::{
        MEMBERS_MAX, PRODUCT_BYTES_MAX, PRODUCT_LINE_CHARS_MAX, PRODUCT_READERS_MAX,
        PRODUCT_SECTIONS_MAX,
    },
    plain,
    reason::{Invalid, Reason},
    roster::bounded,
    seal::Digest,
    strict,
    taxonomy::{AudienceCode, Lists},
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

/// How much of a product a rendition shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// Sections that are marked public.
    Public,
    /// All sections.
    Restricted,
}

impl Extent {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "PUBLIC",
            Self::Restricted => "RESTRICTED",
        }
    }

    /// Reads a name.
    pub fn parse(field: &str, text: &str) -> Result<Self, Invalid> {
        match text {
            "PUBLIC" => Ok(Self::Public),
            "RESTRICTED" => Ok(Self::Restricted),
            _ => {
                let detail =
                    format!("{} is neither PUBLIC nor RESTRICTED", crate::reason::quoted(text));
                Err(Invalid::new(Reason::CodeUnknown, field, detail))
            }
        }
    }

    /// As the wire has it.
    pub fn to_wire(self) -> wire::Extent {
        match self {
            Self::Public => wire::Extent::Public,
            Self::Restricted => wire::Extent::Restricted,
        }
    }

    /// Reads what [`Self::to_wire`] writes.
    pub fn from_wire(field: &str, extent: i32) -> Result<Self, Invalid> {
        match wire::Extent::try_from(extent) {
            Ok(wire::Extent::Public) => Ok(Self::Public),
            Ok(wire::Extent::Restricted) => Ok(Self::Restricted),
            Ok(wire::Extent::Unspecified) | Err(_) => Err(unknown(field, extent)),
        }
    }
}

pub(super) fn unknown(field: &str, value: i32) -> Invalid {
    let detail = format!("{value} is a value that this version does not know");
    Invalid::new(Reason::CodeUnknown, field, detail)
}

/// Who may read how much, once it is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendition {
    /// How much.
    pub extent: Extent,
    /// Whom it is for.
    pub audience: AudienceCode,
    /// Handling mark of every page.
    pub mark: String,
    /// Observers that it is released to, ascending.
    pub readers: Vec<Name>,
}

/// A product's text, whole. Made by [`Content::read`] only.
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
    /// Who may read it, by extent, ascending.
    pub renditions: Vec<Rendition>,
    /// Until when it may be relied on, if that is known.
    pub valid_until: Option<Timestamp>,
    /// Digest of each section.
    pub section_digests: Vec<Digest>,
    digest: Digest,
}

impl Content {
    /// Reads exact bytes.
    pub fn read(bytes: &[u8], lists: &Lists) -> Result<Self, Invalid> {
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
            renditions,
            sections_sha256,
            valid_until_s,
        } = content;
        plain::line("content.title", &title, PRODUCT_LINE_CHARS_MAX)?;
        plain::line("content.covers", &covers, PRODUCT_LINE_CHARS_MAX)?;
        bounded("content.members", members.len(), MEMBERS_MAX)?;
        bounded("content.sections", sections_sha256.len(), PRODUCT_SECTIONS_MAX)?;
        let members = names("content.members", members)?;
        if members.is_empty() || sections_sha256.is_empty() {
            let detail = "a product has a section, and somebody who reviews it";
            return Err(Invalid::new(Reason::FieldMissing, "content", detail));
        }
        let rule = rule.ok_or_else(|| missing("content.rule"))?;
        let digest = |bytes: Vec<u8>| Digest::from_wire("content.sections_sha256", &bytes);
        Ok(Self {
            product: ProductId::parse("content.product", &product)?,
            kind: Kind::from_wire("content.kind", kind)?,
            title,
            language: tongue("content.language", language)?,
            covers,
            owner: Name::parse("content.owner", &owner)?,
            rule: Rule::from_wire("content.rule", &rule, members.len())?,
            members,
            renditions: read_renditions(renditions, lists)?,
            valid_until: match valid_until_s {
                0 => None,
                seconds => Some(Timestamp::from_s("content.valid_until_s", seconds)?),
            },
            section_digests: sections_sha256.into_iter().map(digest).collect::<Result<_, _>>()?,
            digest: digest_of(bytes),
        })
    }

    /// As the wire has it.
    pub fn to_wire(&self) -> wire::Content {
        let rendition = |of: &Rendition| wire::Rendition {
            extent: of.extent.to_wire().into(),
            audience: of.audience.to_string(),
            mark: of.mark.clone(),
            readers: of.readers.iter().map(ToString::to_string).collect(),
        };
        wire::Content {
            product: self.product.to_string(),
            kind: self.kind.to_wire().into(),
            title: self.title.clone(),
            language: self.language.clone(),
            covers: self.covers.clone(),
            owner: self.owner.to_string(),
            members: self.members.iter().map(ToString::to_string).collect(),
            rule: Some(self.rule.to_wire()),
            renditions: self.renditions.iter().map(rendition).collect(),
            sections_sha256: self.section_digests.iter().map(|of| of.0.to_vec()).collect(),
            valid_until_s: self.valid_until.map_or(0, Timestamp::as_s),
        }
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

    /// Reads the sections that belong to it, all of them.
    pub fn sections(&self, parts: &[Vec<u8>], lists: &Lists) -> Result<Vec<Section>, Invalid> {
        let sections = self.sections_at_hand(parts, lists)?;
        let sections: Vec<Section> =
            sections.into_iter().collect::<Option<_>>().ok_or_else(|| {
                Invalid::new(Reason::FieldMissing, "sections", "one of them is not there")
            })?;
        let plans = sections.iter().filter(|section| section.plan.is_some()).count();
        if plans != usize::from(self.kind == Kind::Plan) {
            let detail = format!("{plans} hold a plan: one of a product PLAN does, of others none");
            return Err(Invalid::new(Reason::FieldInvalid, "sections.plan", detail));
        }
        Ok(sections)
    }

    /// The same where some are withheld, and empty.
    pub fn sections_at_hand(
        &self,
        parts: &[Vec<u8>],
        lists: &Lists,
    ) -> Result<Vec<Option<Section>>, Invalid> {
        if parts.len() != self.section_digests.len() {
            let detail =
                format!("{} where the content names {}", parts.len(), self.section_digests.len());
            return Err(Invalid::new(Reason::FieldInvalid, "sections", detail));
        }
        bounded("sections", parts.iter().map(Vec::len).sum(), PRODUCT_BYTES_MAX)?;
        let mut sections = Vec::new();
        for (at, (part, wanted)) in parts.iter().zip(&self.section_digests).enumerate() {
            let named = |error: Invalid| error.within(format!("sections[{at}]"));
            sections.push(self.section(part, *wanted, lists).map_err(named)?);
        }
        unlike(sections.iter().flatten().map(|section| section.name.as_str()))?;
        Ok(sections)
    }

    fn section(
        &self,
        part: &[u8],
        wanted: Digest,
        lists: &Lists,
    ) -> Result<Option<Section>, Invalid> {
        if part.is_empty() {
            return Ok(None);
        }
        if Digest::of(part) != wanted {
            let detail = "is not the section that the content names";
            return Err(Invalid::new(Reason::ProductFalse, "sha256", detail));
        }
        let section = Section::read(part, lists)?;
        for rendition in &self.renditions {
            section.check_for(rendition.extent, rendition.audience, lists)?;
        }
        Ok(Some(section))
    }
}

/// What an endorsement of these bytes names.
pub fn digest_of(content: &[u8]) -> Digest {
    Digest::of_parts([&b"accord.product.v1"[..], content])
}

fn read_renditions(
    renditions: Vec<wire::Rendition>,
    lists: &Lists,
) -> Result<Vec<Rendition>, Invalid> {
    let read = |rendition: wire::Rendition| {
        let wire::Rendition { extent, audience, mark, readers } = rendition;
        plain::line("content.renditions.mark", &mark, PRODUCT_LINE_CHARS_MAX)?;
        bounded("content.renditions.readers", readers.len(), PRODUCT_READERS_MAX)?;
        Ok(Rendition {
            extent: Extent::from_wire("content.renditions.extent", extent)?,
            audience: lists.audience("content.renditions.audience", &audience)?,
            mark,
            readers: names("content.renditions.readers", readers)?,
        })
    };
    let renditions: Vec<_> = renditions.into_iter().map(read).collect::<Result<_, Invalid>>()?;
    let ascending = renditions.windows(2).all(|pair| matches!(pair, [a, b] if a.extent < b.extent));
    if ascending && renditions.iter().any(|of| of.extent == Extent::Restricted) {
        return Ok(renditions);
    }
    let detail = "name RESTRICTED, which the members read, and before it PUBLIC or not; each once";
    Err(Invalid::new(Reason::FieldInvalid, "content.renditions", detail))
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
