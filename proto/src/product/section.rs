//! A section of a product. Comes in: its exact bytes. Goes out: text, what it rests on, judgements, recommendations and figures.
//! Must never fold likelihood and confidence into one, nor show a figure without its twin in words.

use super::{figure::Figure, rendition::Extent};
use crate::{
    cycle::Plan,
    id::RequirementId,
    limits::{PRODUCT_ITEMS_MAX, PRODUCT_LINE_CHARS_MAX, PRODUCT_TEXT_CHARS_MAX},
    plain,
    reason::{Invalid, Reason, quoted},
    roster::bounded,
    seal::Digest,
    strict,
    taxonomy::{AreaList, AudienceCode, CrimeAreaCode, Lists},
    threat::{Confidence, Likelihood, Yardstick},
    wire::product as wire,
};

/// A picture that a section rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Citation {
    /// Its requirement.
    pub requirement: RequirementId,
    /// Its version.
    pub version: u32,
    /// SHA-256 of its signed bytes.
    pub picture: Digest,
    /// Whom it is for.
    pub audience: AudienceCode,
}

/// A key judgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// What is judged.
    pub text: String,
    /// How likely, if that is stated.
    pub likelihood: Option<Likelihood>,
    /// How well founded.
    pub confidence: Confidence,
    /// Until when it looks, in words.
    pub horizon: String,
    /// What it is about, ascending; may be empty.
    pub crime_areas: Vec<CrimeAreaCode>,
}

/// A section. Made by [`Section::read`] only.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// Its name within the product.
    pub name: String,
    /// Its heading.
    pub heading: String,
    /// Least extent that it is in.
    pub extent: Extent,
    /// CommonMark without HTML and images; may be empty.
    pub text: String,
    /// What it rests on.
    pub citations: Vec<Citation>,
    /// Key judgements.
    pub judgements: Vec<Judgement>,
    /// What is recommended.
    pub recommendations: Vec<String>,
    /// Charts.
    pub figures: Vec<Figure>,
    /// Exact bytes of a plan, which was checked.
    pub plan: Option<Vec<u8>>,
}

impl Section {
    /// Reads exact bytes.
    pub fn read(bytes: &[u8], lists: &Lists) -> Result<Self, Invalid> {
        let section: wire::Section = strict::decode_signed("section", bytes)?;
        let wire::Section {
            salt,
            section: name,
            heading,
            extent,
            text,
            citations,
            judgements,
            recommendations,
            figures,
            plan,
        } = section;
        check_random("salt", &salt)?;
        check_name("section", &name)?;
        plain::line("heading", &heading, PRODUCT_LINE_CHARS_MAX)?;
        plain::may_be_said("text", &text, PRODUCT_TEXT_CHARS_MAX)?;
        super::markdown::check("text", &text)?;
        let counts = [citations.len(), judgements.len(), recommendations.len(), figures.len()];
        counts.into_iter().try_for_each(|count| bounded("items", count, PRODUCT_ITEMS_MAX))?;
        for text in &recommendations {
            plain::said("recommendations", text, PRODUCT_TEXT_CHARS_MAX)?;
        }
        let cited = citations.len();
        Ok(Self {
            name,
            heading,
            extent: Extent::from_wire("extent", extent)?,
            text,
            citations: each(citations, |of| citation(of, lists))?,
            judgements: each(judgements, |of| judgement(of, lists))?,
            recommendations,
            figures: each(figures, |of| Figure::read(of, cited))?,
            plan: match plan.is_empty() {
                true => None,
                false => Plan::read(&plan, lists).map(|_| Some(plan))?,
            },
        })
    }

    /// Is it in an extent, its pictures must be for at least that audience.
    pub(super) fn check_for(
        &self,
        extent: Extent,
        audience: AudienceCode,
        lists: &Lists,
    ) -> Result<(), Invalid> {
        let shown = self.extent <= extent;
        let narrower = |of: &&Citation| lists.tier(of.audience) < lists.tier(audience);
        match self.citations.iter().find(narrower).filter(|_| shown) {
            None => Ok(()),
            Some(Citation { requirement, audience: of, .. }) => {
                let detail = format!(
                    "rests on a picture of {requirement} for {of}, and would be read by {audience}: \
                     mark the section RESTRICTED, or leave the picture out"
                );
                Err(Invalid::new(Reason::FieldInvalid, "citations", detail))
            }
        }
    }
}

fn each<T, U>(items: Vec<T>, read: impl Fn(T) -> Result<U, Invalid>) -> Result<Vec<U>, Invalid> {
    items.into_iter().map(read).collect()
}

fn citation(of: wire::Citation, lists: &Lists) -> Result<Citation, Invalid> {
    let wire::Citation { requirement, version, picture_sha256, audience } = of;
    Ok(Citation {
        requirement: RequirementId::parse("citations.requirement", &requirement)?,
        version,
        picture: Digest::from_wire("citations.picture_sha256", &picture_sha256)?,
        audience: lists.audience("citations.audience", &audience)?,
    })
}

fn judgement(of: wire::Judgement, lists: &Lists) -> Result<Judgement, Invalid> {
    let wire::Judgement { text, yardstick, likelihood, confidence, horizon, crime_areas } = of;
    plain::said("judgements.text", &text, PRODUCT_TEXT_CHARS_MAX)?;
    plain::line("judgements.horizon", &horizon, PRODUCT_LINE_CHARS_MAX)?;
    let field = "judgements.likelihood";
    let likelihood = match (yardstick.as_str(), likelihood.as_str()) {
        ("", "") => None,
        ("PHIA", term) => Some(Likelihood::read(field, Yardstick::Phia, term, lists)?),
        ("ICD203", term) => Some(Likelihood::read(field, Yardstick::Icd203, term, lists)?),
        (other, _) => {
            let detail = format!("{} is neither PHIA nor ICD203", quoted(other));
            return Err(Invalid::new(Reason::CodeUnknown, "judgements.yardstick", detail));
        }
    };
    let area = |code: String| {
        let listed = CrimeAreaCode::parse(&code)
            .filter(|code| lists.crime_area_list(*code) == Some(AreaList::CRIME_AREAS));
        listed.ok_or_else(|| {
            let detail = format!("{} is not in the list crime_areas", quoted(&code));
            Invalid::new(Reason::CodeUnknown, "judgements.crime_areas", detail)
        })
    };
    let crime_areas: Vec<_> = each(crime_areas, area)?;
    if !crime_areas.windows(2).all(|pair| matches!(pair, [a, b] if a < b)) {
        let detail = "are not ascending, each once";
        return Err(Invalid::new(Reason::FieldInvalid, "judgements.crime_areas", detail));
    }
    Ok(Judgement {
        text,
        likelihood,
        confidence: Confidence::read("judgements.confidence", &confidence)?,
        horizon,
        crime_areas,
    })
}

/// Something that nobody guesses: 16 random bytes.
pub(super) fn check_random(field: &str, bytes: &[u8]) -> Result<(), Invalid> {
    match bytes.len() {
        16 => Ok(()),
        length => {
            let detail = format!("{length} bytes where 16 random ones are wanted");
            Err(Invalid::new(Reason::FieldInvalid, field, detail))
        }
    }
}

/// A section's name, as in an address: a to z, digits, inner hyphens.
pub(super) fn check_name(field: &str, name: &str) -> Result<(), Invalid> {
    crate::identity::Name::parse(field, name).map(|_| ())
}
