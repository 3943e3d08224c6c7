//! A product on a page. Comes in: a text with all that is said of it. Goes out: one HTML file, or a DOCX, which say the same. Pure: the
//! same product is the same bytes. Must never show what a rendition withholds, nor leave out a mark, a reservation, a dissent, an
//! erratum, a recall or the note that a name carries.
//!
//! ```text
//! Page ─► pages (front, sections; text, plan, names) ─► tree::Document ─┬─► html
//!                                                                 └─► docx ─► package
//! ```

mod docx;
mod front;
mod html;
mod names;
mod package;
mod pages;
mod plan;
mod sections;
mod text;
mod tree;
mod xml;

use super::{
    content::Content, course::Confirmed, rendition::Extent, rule::Position, section::Section,
};
use crate::{
    clock::Timestamp,
    reason::Invalid,
    taxonomy::{JurisdictionCode, Lists},
};

/// What is put on a page.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// The text.
    pub content: &'a Content,
    /// Its sections, in its order; none where one is not at hand. One that the extent does not hold is withheld all the same.
    pub sections: &'a [Option<Section>],
    /// How much is shown.
    pub extent: Extent,
    /// Where it stands, in words: "Draft", "Round 2", "Endorsed", "Published on 2024-07-01".
    pub state: &'a str,
    /// What has come of the endorsement, in words; empty as long as it is not closed.
    pub outcome: &'a str,
    /// What each member says, in the order of the page.
    pub positions: &'a [Stand<'a>],
    /// Who confirms that end as it was shown to its node; none: it is not published, or nobody else has a part in it.
    pub confirmed: Option<&'a Confirmed>,
    /// What was corrected, in its order.
    pub errata: &'a [Erratum<'a>],
    /// Why it was recalled, if it was.
    pub recalled: Option<&'a str>,
    /// Names of jurisdictions and of crime areas.
    pub lists: &'a Lists,
}

/// Where a member stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stand<'a> {
    /// For whom it speaks.
    pub jurisdiction: JurisdictionCode,
    /// Its name; empty where nobody of the jurisdiction has said anything.
    pub node: &'a str,
    /// Its position, if it has said one.
    pub position: Option<Position>,
    /// Its reservation or dissent, word for word; may be empty.
    pub text: &'a str,
    /// It endorses by saying nothing, and has agreed to that.
    pub by_silence: bool,
    /// It could not be asked, says the owner.
    pub not_reached: bool,
}

/// What was corrected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erratum<'a> {
    /// Name of the section; empty: of the whole.
    pub section: &'a str,
    /// What is right.
    pub text: &'a str,
    /// When it was said.
    pub at: Timestamp,
}

/// As one HTML file that asks for nothing else, and runs nothing.
///
/// # Errors
/// `FIELD_INVALID` of an extent that the product has no rendition of, or of sections that are not its own; `LIMIT_EXCEEDED`.
pub fn html(page: &Page<'_>) -> Result<String, Invalid> {
    Ok(html::write(&pages::document(page)?))
}

/// As an Office Open XML document.
///
/// # Errors
/// As [`html`].
pub fn docx(page: &Page<'_>) -> Result<Vec<u8>, Invalid> {
    package::write(&pages::document(page)?)
}

#[cfg(test)]
mod tests;
