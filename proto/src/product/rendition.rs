//! Who may read how much of a product. Comes in: exact bytes of a rendition. Goes out: its audience, its mark and its readers. Must
//! never tell the readers of one rendition anything of another: each is bound by a salted digest alone.

use super::{
    content::{names, unknown},
    section::check_random,
};
use crate::{
    identity::Name,
    limits::{PRODUCT_LINE_CHARS_MAX, PRODUCT_READERS_MAX},
    plain,
    reason::{Invalid, Reason},
    roster::bounded,
    strict,
    taxonomy::{AudienceCode, Lists},
    wire::product as wire,
};

/// How much of a product a rendition shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// Sections that are marked public.
    Public,
    /// All sections.
    Restricted,
}

impl Extent {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Public, Self::Restricted];

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

impl Rendition {
    /// Reads exact bytes.
    pub(super) fn read(bytes: &[u8], lists: &Lists) -> Result<Self, Invalid> {
        let wire::Rendition { salt, extent, audience, mark, readers } =
            strict::decode_signed("rendition", bytes)?;
        check_random("salt", &salt)?;
        plain::line("mark", &mark, PRODUCT_LINE_CHARS_MAX)?;
        bounded("readers", readers.len(), PRODUCT_READERS_MAX)?;
        Ok(Self {
            extent: Extent::from_wire("extent", extent)?,
            audience: lists.audience("audience", &audience)?,
            mark,
            readers: names("readers", readers)?,
        })
    }
}

/// One of each extent, ascending.
pub(super) fn check_order(renditions: &[Rendition]) -> Result<(), Invalid> {
    if renditions.is_sorted_by(|a, b| a.extent < b.extent) {
        return Ok(());
    }
    let detail = "are one of each extent, PUBLIC before RESTRICTED";
    Err(Invalid::new(Reason::FieldInvalid, "renditions", detail))
}
