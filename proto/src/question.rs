//! What is asked. Comes in: a requirement signed by an authority. Goes out: cells of the lattice,
//! with purpose, audience and window, all of which exist.
//!
//! A node decides on the authority's own signature, never on the coordinator's word.

use std::collections::BTreeSet;

use prost::Message as _;

use crate::{
    clock::Timestamp,
    id::RequirementId,
    identity::Name,
    limits::{
        AXIS_MAX, BLOCKS_MAX, CELLS_MAX, CLOCK_SKEW_S, MEMBERS_MAX, TEXT_BYTES_MAX,
        VALIDITY_DAYS_MAX, WINDOW_DAYS_MAX,
    },
    reason::{Invalid, Reason, quoted},
    roster::{Roster, ascending, bounded, each},
    seal::{self, Digest, Kind, SecretKey},
    strict,
    taxonomy::{
        AudienceCode, Categories, CrimeAreaCode, IndicatorCode, Lists, Period, PurposeCode,
        TermCode, Tier,
    },
    wire,
};

mod cancel;

pub use cancel::Cancellation;

/// Fewest contributing jurisdictions of a cell that is not public: c + 2 for c colluding members, and c is at
/// least 1.
pub const CONTRIBUTORS_MIN: u32 = 3;

/// One block of a question: every crime area × every period × every set of categories, at one region level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// What is counted or measured.
    pub indicator: IndicatorCode,
    /// 0 the jurisdiction as a whole, 1 to 3 its statistical regions.
    pub region_level: u32,
    /// Ascending.
    pub crime_areas: Vec<CrimeAreaCode>,
    /// Ascending.
    pub periods: Vec<Period>,
    /// Ascending by their text, never empty.
    pub categories: Vec<Categories>,
}

/// Cells of the lattice, as blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// At least one, with different indicators or levels.
    pub blocks: Vec<Block>,
}

/// An intelligence requirement: a question with reason, audience and window.
#[derive(Clone, Debug)]
pub struct Requirement {
    /// Its id.
    pub id: RequirementId,
    /// Who asks.
    pub authority: Name,
    /// What it is wanted for.
    pub why: String,
    /// Which step of the policy cycle it serves.
    pub purpose: PurposeCode,
    /// On which law it rests.
    pub legal_basis: String,
    /// Who will see the result.
    pub audience: AudienceCode,
    /// Nodes that are asked, ascending.
    pub members: Vec<Name>,
    /// Contributing jurisdictions that a cell needs unless it is already public.
    pub minimum_contributors: u32,
    /// When it was signed.
    pub issued_at: Timestamp,
    /// Start of the collection window.
    pub opens_at: Timestamp,
    /// End of the collection window, exclusive.
    pub closes_at: Timestamp,
    /// What is asked.
    pub question: Question,
    /// In which capacity the authority asks.
    pub requester_role: TermCode,
    /// How exact the figures need to be: the audience's tier, or a wider one.
    pub tier: Tier,
    /// Until when the answers may be relied on, exclusive.
    pub valid_until: Timestamp,
}

/// The vocabulary of [`Requirement::requester_role`].
pub const REQUESTER_ROLE: &str = "REQUESTER_ROLE";

/// A requirement whose signature was checked, with the exact bytes that were signed.
#[derive(Clone, Debug)]
pub struct SignedRequirement {
    requirement: Requirement,
    envelope: wire::Envelope,
    digest: Digest,
}

impl SignedRequirement {
    /// Checks that an authority of the roster has signed this, and every field of it.
    pub fn open(envelope: wire::Envelope, roster: &Roster, lists: &Lists) -> Result<Self, Invalid> {
        // Whose key is asked for stands inside what is signed: read first, believed only below.
        let claimed: wire::Requirement = strict::decode_signed("requirement", &envelope.payload)?;
        let name = Name::parse("requirement.authority", &claimed.authority)?;
        let authority = roster.authority(&name).ok_or_else(|| {
            Invalid::new(
                Reason::AuthorityUnknown,
                "requirement.authority",
                format!("{name} is not in the roster"),
            )
        })?;
        let payload = seal::open(&envelope, Kind::Requirement, &authority.keys, "requirement")?;
        let digest = Digest::of(payload);
        let requirement = Requirement::check(claimed, lists)?;
        Ok(Self { requirement, envelope, digest })
    }

    /// Is `now` within the window, and the issue time not in the future?
    pub fn check_open(&self, now: Timestamp) -> Result<(), Invalid> {
        let Requirement { issued_at, opens_at, closes_at, .. } = &self.requirement;
        let refuse = |reason, field, detail| Err(Invalid::new(reason, field, detail));
        if issued_at.as_s() > now.as_s().saturating_add(CLOCK_SKEW_S) {
            let detail = format!("{issued_at} is in the future; it is {now} here");
            return refuse(Reason::ClockSkew, "requirement.issued_at_s", detail);
        }
        if opens_at.as_s() > now.as_s().saturating_add(CLOCK_SKEW_S) {
            return refuse(
                Reason::RequirementNotOpen,
                "requirement.opens_at_s",
                format!("opens at {opens_at}"),
            );
        }
        if now >= *closes_at {
            return refuse(
                Reason::RequirementClosed,
                "requirement.closes_at_s",
                format!("closed at {closes_at}"),
            );
        }
        Ok(())
    }

    /// What it says.
    pub fn requirement(&self) -> &Requirement {
        &self.requirement
    }

    /// As it was signed.
    pub fn envelope(&self) -> &wire::Envelope {
        &self.envelope
    }

    /// SHA-256 of the signed bytes.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Digest of the question alone: seals name it, so that answers to one question can be told whoever asks.
    pub fn question_digest(&self) -> Digest {
        // Decoded before, when the signature was checked.
        let asked = wire::Requirement::decode(self.envelope.payload.as_slice()).unwrap_or_default();
        let question = asked.question.unwrap_or_default().encode_to_vec();
        Digest::of_parts([&b"accord.question.v1"[..], &question])
    }
}

impl Requirement {
    /// Signs a requirement with the authority's own key, in the authority's own client.
    pub fn sign(
        requirement: &wire::Requirement,
        lists: &Lists,
        key: &SecretKey,
    ) -> Result<wire::Envelope, Invalid> {
        Self::check(requirement.clone(), lists)?;
        Ok(key.sign(Kind::Requirement, requirement.encode_to_vec()))
    }

    /// Checks every field, and no signature: of a draft one can say what it would bring, and nobody answers it.
    pub fn check(requirement: wire::Requirement, lists: &Lists) -> Result<Self, Invalid> {
        let wire::Requirement {
            requirement,
            authority,
            why,
            purpose,
            legal_basis,
            audience,
            members,
            minimum_contributors,
            issued_at_s,
            opens_at_s,
            closes_at_s,
            question,
            requester_role,
            tier,
            valid_until_s,
        } = requirement;
        bounded("requirement.members", members.len(), MEMBERS_MAX)?;
        let members = each("requirement.members", members, |name| Name::parse("node", &name))?;
        ascending("requirement.members", &members)?;
        if members.is_empty() {
            return Err(Invalid::new(
                Reason::FieldMissing,
                "requirement.members",
                "name at least one node",
            ));
        }
        let question = question.ok_or_else(|| {
            Invalid::new(Reason::FieldMissing, "requirement.question", "nothing is asked")
        })?;
        let requirement = Self {
            id: RequirementId::parse("requirement.requirement", &requirement)?,
            authority: Name::parse("requirement.authority", &authority)?,
            why: text("requirement.why", why)?,
            purpose: lists.purpose("requirement.purpose", &purpose)?,
            legal_basis: text("requirement.legal_basis", legal_basis)?,
            audience: lists.audience("requirement.audience", &audience)?,
            members,
            minimum_contributors,
            issued_at: Timestamp::from_s("requirement.issued_at_s", issued_at_s)?,
            opens_at: Timestamp::from_s("requirement.opens_at_s", opens_at_s)?,
            closes_at: Timestamp::from_s("requirement.closes_at_s", closes_at_s)?,
            question: Question::from_wire(question, lists)?,
            requester_role: {
                let role =
                    lists.term("requirement.requester_role", REQUESTER_ROLE, &requester_role);
                role?.code
            },
            tier: Tier::parse(&tier).ok_or_else(|| {
                let detail = format!("{} is no tier: A, B or C", quoted(&tier));
                Invalid::new(Reason::FieldInvalid, "requirement.tier", detail)
            })?,
            valid_until: Timestamp::from_s("requirement.valid_until_s", valid_until_s)?,
        };
        requirement.check_bounds(lists)?;
        Ok(requirement)
    }

    fn check_bounds(&self, lists: &Lists) -> Result<(), Invalid> {
        if self.minimum_contributors < CONTRIBUTORS_MIN {
            return Err(Invalid::new(
                Reason::FieldInvalid,
                "requirement.minimum_contributors",
                format!("{} is below {CONTRIBUTORS_MIN}", self.minimum_contributors),
            ));
        }
        let window_s = self.closes_at.as_s() - self.opens_at.as_s();
        if !(1..=WINDOW_DAYS_MAX * 86_400).contains(&window_s) {
            return Err(Invalid::new(
                Reason::FieldInvalid,
                "requirement.closes_at_s",
                format!(
                    "the window must be longer than nothing and at most {WINDOW_DAYS_MAX} days"
                ),
            ));
        }
        let validity_s = self.valid_until.as_s() - self.closes_at.as_s();
        if !(0..=VALIDITY_DAYS_MAX * 86_400).contains(&validity_s) {
            return Err(Invalid::new(
                Reason::FieldInvalid,
                "requirement.valid_until_s",
                format!(
                    "must not be before the window ends, and at most {VALIDITY_DAYS_MAX} days after"
                ),
            ));
        }
        // Whoever asks may want less than the audience could get, never more.
        let narrowest = lists.tier(self.audience);
        if self.tier < narrowest {
            return Err(Invalid::new(
                Reason::FieldInvalid,
                "requirement.tier",
                format!("{} gets tier {narrowest} at best", self.audience),
            ));
        }
        Ok(())
    }
}

fn text(field: &str, text: String) -> Result<String, Invalid> {
    bounded(field, text.len(), TEXT_BYTES_MAX)?;
    if text.trim().is_empty() {
        return Err(Invalid::new(Reason::FieldMissing, field, "must say something"));
    }
    if text.chars().any(char::is_control) {
        return Err(Invalid::new(Reason::FieldInvalid, field, "holds control characters"));
    }
    Ok(text)
}

impl Question {
    /// How many cells a jurisdiction with one region at each level would answer.
    pub fn cells(&self) -> usize {
        let cells =
            |block: &Block| block.crime_areas.len() * block.periods.len() * block.categories.len();
        self.blocks.iter().map(cells).sum()
    }

    /// The indicators that are asked, ascending, once each.
    pub fn indicators(&self) -> Vec<String> {
        let all: BTreeSet<_> = self.blocks.iter().map(|block| block.indicator).collect();
        all.iter().map(ToString::to_string).collect()
    }

    /// The first and the last period that is asked, of each length: "2014..2018".
    pub fn periods(&self) -> Vec<String> {
        let all: BTreeSet<_> = self.blocks.iter().flat_map(|block| &block.periods).collect();
        let lengths: BTreeSet<_> = all.iter().map(|period| period.granularity()).collect();
        let range = |length| {
            let mut of = all.iter().filter(|period| period.granularity() == length);
            let first = of.next()?;
            Some(of.next_back().map_or(first.to_string(), |last| format!("{first}..{last}")))
        };
        lengths.into_iter().filter_map(range).collect()
    }

    fn from_wire(question: wire::Question, lists: &Lists) -> Result<Self, Invalid> {
        let wire::Question { blocks } = question;
        bounded("requirement.question.blocks", blocks.len(), BLOCKS_MAX)?;
        let blocks =
            each("requirement.question.blocks", blocks, |block| Block::from_wire(block, lists))?;
        ascending(
            "requirement.question.blocks",
            blocks.iter().map(|block| (block.indicator, block.region_level)),
        )?;
        let question = Self { blocks };
        if question.blocks.is_empty() {
            return Err(Invalid::new(
                Reason::FieldMissing,
                "requirement.question.blocks",
                "nothing is asked",
            ));
        }
        bounded("requirement.question", question.cells(), CELLS_MAX)?;
        Ok(question)
    }
}

impl Block {
    fn from_wire(block: wire::Block, lists: &Lists) -> Result<Self, Invalid> {
        let wire::Block { indicator, region_level, crime_areas, periods, categories } = block;
        let indicator = lists.indicator("indicator", &indicator)?;
        if let Some((above, below)) = indicator.parts {
            let detail = format!("is worked out of {above} and {below}: ask for those");
            return Err(Invalid::new(Reason::LatticeUnknownCell, "indicator", detail));
        }
        if !indicator.levels.contains(&region_level) {
            return Err(Invalid::new(
                Reason::LatticeUnknownCell,
                "region_level",
                format!("{} has no level {region_level}", indicator.code),
            ));
        }
        for (field, axis) in [("crime_areas", &crime_areas), ("periods", &periods)] {
            bounded(field, axis.len(), AXIS_MAX)?;
            if axis.is_empty() {
                return Err(Invalid::new(Reason::FieldMissing, field, "names nothing"));
            }
        }
        let block = Self {
            indicator: indicator.code,
            region_level,
            crime_areas: each("crime_areas", crime_areas, |code| {
                lists.crime_area("code", indicator, &code)
            })?,
            periods: each("periods", periods, |text| lists.period("period", indicator, &text))?,
            categories: lists.parse_category_axis("categories", indicator, categories)?,
        };
        ascending("crime_areas", &block.crime_areas)?;
        ascending("periods", &block.periods)?;
        Ok(block)
    }
}
