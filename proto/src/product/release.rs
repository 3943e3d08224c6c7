//! A published product as its readers get it. Comes in: the whole product and an extent, or the file of a release. Goes out: the
//! sections of that extent with all endorsements, reservations and dissents; or the proof that these are of this very text. Must
//! never hold a section of a wider extent, nor leave out what any member has signed.

use prost::Message as _;

use super::{
    content::{Content, missing},
    course::{Against, Confirmed, Endorsed, Erratum, read_close, read_publish},
    dossier::{Dossier, Signed, Taken, Trust, check_signed, open_rosters, roster_of},
    rendition::{Extent, Rendition},
    rule::Outcome,
    section::Section,
    state::{self, State},
    step::{Deed, Step},
};
use crate::{
    clock::Timestamp,
    limits::DOSSIER_BYTES_MAX,
    reason::{Invalid, Reason},
    roster::bounded,
    seal::{Digest, Envelope, PublicKey},
    strict,
    taxonomy::Lists,
    wire::product as wire,
};

const SCHEMA: &str = "accord.release.v1";

/// A product as its readers hold it. Made by [`Release::open`] only.
#[derive(Clone, Debug)]
pub struct Release {
    /// How much of it is here.
    pub extent: Extent,
    /// Its text, as it was endorsed.
    pub content: Content,
    /// Its sections; none: withheld in this extent.
    pub sections: Vec<Option<Section>>,
    /// How every jurisdiction stands; none: it is a draft, for whoever is invited to comment.
    pub endorsed: Option<Endorsed>,
    /// Which members confirm that end, as they were shown it, and what each of them misses in it; none: of a draft.
    pub confirmed: Option<Confirmed>,
    /// Circulated, published, corrected, recalled or archived.
    pub state: State,
    /// When it was circulated, or published.
    pub published_at: Timestamp,
    /// What was corrected since.
    pub errata: Vec<Erratum>,
    /// Why it was recalled.
    pub recalled: Option<String>,
    /// When the last of its steps was taken: later ones are not known here.
    pub as_of: Timestamp,
}

/// Writes the release of an extent, of what is published, or of a draft that is circulated.
pub fn write(dossier: &Dossier, extent: Extent) -> Result<Vec<u8>, Invalid> {
    let course = dossier.course();
    if course.content.rendition(extent).is_none() {
        let detail = format!("it has no rendition {}", extent.as_str());
        return Err(Invalid::new(Reason::NotFound, "extent", detail));
    }
    let steps = match course.state {
        State::Circulated => circulated(dossier),
        State::Draft
        | State::Commented
        | State::Revised
        | State::FinalDraft
        | State::EndorsementOpen
        | State::Endorsed
        | State::EndorsedWithDissent
        | State::NotEndorsed
        | State::Published
        | State::Corrected
        | State::Recalled
        | State::Archived => published(dossier, extent)?,
    };
    let named = |version: u64| steps.iter().any(|of| of.step.roster_version == version);
    let wire::Text { content, renditions, sections } = &course.text;
    let told = |is: bool, part: &Vec<u8>| if is { part.clone() } else { Vec::new() };
    // Readers of one rendition learn nothing of the other: not whom it is for, nor who reads it.
    let of = &course.content.renditions;
    let renditions = of.iter().zip(renditions).map(|(of, part)| told(of.extent == extent, part));
    let of = &course.sections;
    let sections = of.iter().zip(sections).map(|(of, part)| told(of.extent <= extent, part));
    let text = wire::Text {
        content: content.clone(),
        renditions: renditions.collect(),
        sections: sections.collect(),
    };
    let rosters = dossier.rosters().filter(|(_, roster)| named(roster.version));
    let release = wire::Release {
        schema: SCHEMA.to_owned(),
        rosters: rosters.map(|(envelope, _)| envelope.clone()).collect(),
        extent: extent.to_wire().into(),
        text: Some(text),
        steps: steps.into_iter().map(|of| of.envelope.clone()).collect(),
    };
    Ok(release.encode_to_vec())
}

fn circulated(dossier: &Dossier) -> Vec<&Taken> {
    let circulates = |of: &&Taken| matches!(of.step.deed, Deed::Circulate(_));
    dossier.steps().iter().rfind(circulates).into_iter().collect()
}

/// The end of the endorsement, the publication, and what readers are told of what came after.
fn published(dossier: &Dossier, extent: Extent) -> Result<Vec<&Taken>, Invalid> {
    let sections = &dossier.course().sections;
    let told = |of: &&Taken| match &of.step.deed {
        Deed::Publish(_) | Deed::Recall(_) | Deed::Archive(_) => true,
        // What is corrected in a section that is withheld is withheld with it.
        Deed::Correct(correct) => {
            let section = sections.iter().find(|section| section.name == correct.section);
            section.is_none_or(|section| section.extent <= extent)
        }
        Deed::Draft(_)
        | Deed::Circulate(_)
        | Deed::CloseRound(_)
        | Deed::Resolve(_)
        | Deed::Finalise(_)
        | Deed::Open(_)
        | Deed::Close(_)
        | Deed::Hear(_) => false,
    };
    let published = dossier.steps().iter().position(|of| matches!(of.step.deed, Deed::Publish(_)));
    let published = published
        .ok_or_else(|| Invalid::new(Reason::ProductState, "product", "it is not published"))?;
    let (before, after) = dossier.steps().split_at(published);
    let closed = before.iter().rfind(|of| matches!(of.step.deed, Deed::Close(_)));
    Ok(closed.into_iter().chain(after.iter().filter(told)).collect())
}

impl Release {
    /// Reads a file and checks all of it: that the owner has published this very text, and that every member's word in it is of
    /// this very text and signed by that member.
    pub fn open(file: &[u8], trust: Trust<'_>) -> Result<Self, Invalid> {
        Self::read(file, Some(trust.root), trust.lists)
    }

    /// The same of a file that a service gave which the reader believes: who signed the rosters in it is not checked.
    pub fn believed(file: &[u8], lists: &Lists) -> Result<Self, Invalid> {
        Self::read(file, None, lists)
    }

    fn read(file: &[u8], root: Option<&PublicKey>, lists: &Lists) -> Result<Self, Invalid> {
        bounded("release", file.len(), DOSSIER_BYTES_MAX)?;
        let wire::Release { schema, rosters, extent, text, steps } =
            strict::decode_signed("release", file)?;
        if schema != SCHEMA {
            let detail = format!("{} is not {SCHEMA}", crate::reason::quoted(&schema));
            return Err(Invalid::new(Reason::FieldInvalid, "release.schema", detail));
        }
        let extent = Extent::from_wire("release.extent", extent)?;
        let rosters = open_rosters(rosters, root, lists)?;
        let text = text.ok_or_else(|| missing("release.text"))?;
        let (content, sections) = Content::at_hand(&text, lists)?;
        let misplaced =
            |(section, least): (&Option<Section>, &Extent)| section.is_some() != (*least <= extent);
        let other = |rendition: &Rendition| rendition.extent != extent;
        if sections.iter().zip(&content.extents).any(misplaced)
            || content.renditions.is_empty()
            || content.renditions.iter().any(other)
        {
            let detail = format!(
                "does not hold all that is {}, nothing else, and that rendition alone",
                extent.as_str()
            );
            return Err(Invalid::new(Reason::ProductFalse, "release.text", detail));
        }
        Steps { content: &content, rosters: &rosters, lists, last: None }.read(steps).map(|read| {
            let Read { endorsed, confirmed, published_at, errata, recalled, state, as_of } = read;
            Self {
                extent,
                sections,
                endorsed,
                confirmed,
                state,
                published_at,
                errata,
                recalled,
                as_of,
                content,
            }
        })
    }
}

struct Steps<'a> {
    content: &'a Content,
    rosters: &'a std::collections::BTreeMap<u64, Signed>,
    lists: &'a Lists,
    /// Number and digest of the step before.
    last: Option<(u32, Digest, Timestamp)>,
}

struct Read {
    endorsed: Option<Endorsed>,
    confirmed: Option<Confirmed>,
    published_at: Timestamp,
    errata: Vec<Erratum>,
    recalled: Option<String>,
    state: State,
    as_of: Timestamp,
}

impl Read {
    fn draft(at: Timestamp) -> Self {
        Self {
            endorsed: None,
            confirmed: None,
            published_at: at,
            errata: Vec::new(),
            recalled: None,
            state: State::Circulated,
            as_of: at,
        }
    }
}

impl Steps<'_> {
    fn read(mut self, steps: Vec<Envelope>) -> Result<Read, Invalid> {
        let mut steps = steps.into_iter();
        let mut next = |what: &str| {
            steps.next().ok_or_else(|| {
                Invalid::new(Reason::FieldMissing, "release.steps", format!("{what} is not there"))
            })
        };
        let close = self.step(&next("how the endorsement ended")?)?;
        if let Deed::Circulate(circulate) = &close.deed {
            self.content.is_this("circulate.content_sha256", &circulate.content_sha256)?;
            return match next("") {
                Ok(_) => Err(unfit("of a draft holds more than its circulation")),
                Err(_) => Ok(Read::draft(close.at)),
            };
        }
        let Deed::Close(closed) = &close.deed else {
            return Err(unfit("begins with something else than the end of the endorsement"));
        };
        let against = Against { roster: roster_of(self.rosters, &close)?, lists: self.lists };
        let (endorsed, _) = read_close(self.content, closed, against)?;
        if endorsed.outcome == Outcome::NotEndorsed {
            return Err(unfit("publishes a text that was not endorsed"));
        }
        let publish = self.step(&next("its publication")?)?;
        let Deed::Publish(published) = &publish.deed else {
            return Err(unfit("is not published"));
        };
        // What its members confirm is the step before: it must be the one that is here.
        if Some(publish.number) != close.number.checked_add(1) {
            return Err(unfit("is published with something behind the end of its endorsement"));
        }
        let against = Against { roster: roster_of(self.rosters, &publish)?, lists: self.lists };
        let confirmed = read_publish(self.content, (&publish, published), against)?;
        let mut read = Read {
            endorsed: Some(endorsed),
            confirmed: Some(confirmed),
            state: State::Published,
            ..Read::draft(publish.at)
        };
        for envelope in steps {
            let step = self.step(&envelope)?;
            read.as_of = step.at;
            let deed = match &step.deed {
                Deed::Correct(correct) => {
                    read.errata.push(Erratum::of(step.at, correct)?);
                    state::Deed::Correct
                }
                Deed::Recall(recall) => {
                    read.recalled = Some(recall.why.clone());
                    state::Deed::Recall
                }
                Deed::Archive(_) => state::Deed::Archive,
                Deed::Draft(_)
                | Deed::Circulate(_)
                | Deed::CloseRound(_)
                | Deed::Resolve(_)
                | Deed::Finalise(_)
                | Deed::Open(_)
                | Deed::Close(_)
                | Deed::Publish(_)
                | Deed::Hear(_) => return Err(unfit("holds a step that readers are not told")),
            };
            read.state = state::next(Some(read.state), deed, self.content.kind)
                .ok_or_else(|| unfit("holds a step that is not possible there"))?;
        }
        Ok(read)
    }

    /// A step of this product, by its owner, after the one before; the one right after it names it.
    fn step(&mut self, envelope: &Envelope) -> Result<Step, Invalid> {
        let step = Step::read(&envelope.payload)?;
        let roster = roster_of(self.rosters, &step)?;
        check_signed(envelope, &self.content.owner, roster)?;
        if step.product != self.content.product {
            return Err(unfit("holds a step of another product"));
        }
        if let Some((number, digest, at)) = self.last {
            let follows = step.at >= at
                && step.number > number
                && (step.number > number + 1 || step.previous == Some(digest));
            if !follows {
                return Err(unfit("holds steps that do not follow each other"));
            }
        }
        self.last = Some((step.number, Digest::of(&envelope.payload), step.at));
        Ok(step)
    }
}

fn unfit(detail: &str) -> Invalid {
    Invalid::new(Reason::ProductFalse, "release.steps", detail)
}
