//! Consent: may these cells leave, for this purpose, to this audience, today? Comes in: a requirement,
//! the node's grants, the day. Goes out: [`Consented`], which names the exact cells that may be computed, and how they may leave.
//!
//! Pure. Unknown, empty, expired, withdrawn or another purpose means no. Why a cell is not granted is not
//! even worked out here: outside the node every reason looks the same.
//!
//! # The stricter rule wins
//! 1. What a rule forbids does not leave, whatever is granted: its records count in every cell that contains them, and so
//!    none of these leaves (`rules`).
//! 2. Consents that overlap combine to the strictest of each of their terms; the strictest of a block's cells holds for the block.
//! 3. What is taken back (withdrawn, suspended, narrowed away) is taken back from every older consent that contains it, and its
//!    terms go on binding older consents: to take back never shows more (`taken`).
//! 4. A decision can only take away from what was consented to (`Consented::keep`).

use accord_proto::{
    clock::Timestamp,
    id::{GrantId, RequirementId},
    identity::Name,
    limits::CELLS_MAX,
    question::{Block, Question, Requirement},
    reason::{Invalid, Reason},
    seal::Digest,
    table::{Coordinates, coordinates},
    taxonomy::{
        AudienceCode, Categories, CrimeAreaCode, IndicatorCode, JurisdictionCode, Lists, Period,
        PurposeCode, RegionCode, Tier,
    },
};

mod grant;
mod rules;
mod taken;
mod terms;

pub use accord_proto::table::Contribution;
pub use grant::{Deed, Grant, State, Step, Version};
pub use terms::{ALL, Effect, Permit, Precision, RawGrant, Release, Scope, Terms};

use rules::{Asking, Strictest};

/// The cells of a requirement, and which of them may be computed. Made by [`decide`] only.
#[derive(Debug)]
pub struct Consented {
    audience: AudienceCode,
    blocks: Vec<ConsentedBlock>,
    /// What it rests on, with versions.
    grants: Vec<(GrantId, u32)>,
    release: Release,
    not_before: Option<Timestamp>,
}

/// One block of the requirement, at this node's regions.
#[derive(Debug)]
pub struct ConsentedBlock {
    pub(crate) indicator: IndicatorCode,
    pub(crate) crime_areas: Vec<CrimeAreaCode>,
    pub(crate) regions: Vec<RegionCode>,
    pub(crate) periods: Vec<Period>,
    pub(crate) categories: Vec<Categories>,
    /// In the order of the table.
    pub(crate) granted: Vec<bool>,
    /// Whose table it is: the requirement's audience, or one of the wider tier that consent goes to. It decides which records
    /// count and how exact figures are.
    pub(crate) audience: AudienceCode,
    /// Nothing but what is public already.
    pub(crate) open_only: bool,
    /// What others may see of it.
    pub(crate) contribution: Contribution,
    /// So many jurisdictions must stand behind a regional figure that rests on it; 0: as many as are demanded anyway.
    pub(crate) minimum_contributors: u32,
}

impl ConsentedBlock {
    /// Coordinates of its cells, in the order of the table.
    pub(crate) fn coordinates(&self) -> impl Iterator<Item = Coordinates> {
        coordinates(&self.crime_areas, &self.regions, &self.periods, &self.categories)
    }
}

impl Consented {
    /// The blocks of the requirement.
    pub(crate) fn blocks(&self) -> &[ConsentedBlock] {
        &self.blocks
    }

    /// Who asked for it. Whose table each block is, the block says.
    pub(crate) fn audience(&self) -> AudienceCode {
        self.audience
    }

    /// What a seal says of the grants that this rests on. Salted with a secret of the node, and different for
    /// every requirement: otherwise "no grant" would have a digest of its own that anybody could recognise.
    pub fn digest(&self, salt: &[u8; 32], requirement: RequirementId) -> Digest {
        let mut says = Vec::with_capacity(self.grants.len() * 20);
        for (grant, version) in &self.grants {
            says.extend_from_slice(grant.as_bytes());
            says.extend_from_slice(&version.to_be_bytes());
        }
        Digest::of_parts([&salt[..], requirement.as_bytes(), &says])
    }

    /// The same, without the cells that `keep` refuses: block by block, each with its categories. Never adds one.
    #[must_use]
    pub(crate) fn keep(mut self, keep: impl Fn(usize, &Categories) -> bool) -> Self {
        for (at, block) in self.blocks.iter_mut().enumerate() {
            let kept: Vec<_> =
                block.coordinates().map(|(.., categories)| keep(at, &categories)).collect();
            for (granted, kept) in block.granted.iter_mut().zip(kept) {
                *granted &= kept;
            }
        }
        self
    }

    /// Which cells are granted, block by block.
    pub fn granted(&self) -> impl Iterator<Item = &[bool]> {
        self.blocks.iter().map(|block| block.granted.as_slice())
    }

    /// For whose tier each block is answered.
    pub fn audiences(&self) -> impl Iterator<Item = AudienceCode> {
        self.blocks.iter().map(|block| block.audience)
    }

    /// Grants and rules that this rests on, with their versions: their conditions are for whoever releases.
    pub fn grants(&self) -> &[(GrantId, u32)] {
        &self.grants
    }

    /// Who lets the answer go. Where nothing is granted, the node does.
    pub fn release(&self) -> Release {
        self.release
    }

    /// Nothing leaves before.
    pub fn not_before(&self) -> Option<Timestamp> {
        self.not_before
    }

    /// Does an embargo hold it back now, whoever lets it go?
    pub fn embargoed(&self, now: Timestamp) -> bool {
        self.not_before.is_some_and(|not_before| now < not_before)
    }
}

/// Decides cell by cell.
pub fn decide(
    requirement: &Requirement,
    grants: &[Grant],
    jurisdiction: JurisdictionCode,
    lists: &Lists,
    now: Timestamp,
) -> Result<Consented, Invalid> {
    let for_what = ForWhat {
        purpose: requirement.purpose,
        audience: requirement.audience,
        authority: Some(&requirement.authority),
        tier: requirement.tier,
    };
    decide_for(&requirement.question, for_what, grants, (jurisdiction, lists), now)
}

/// What for, for whom, and who asks.
#[derive(Clone, Copy, Debug)]
pub struct ForWhat<'a> {
    /// What for.
    pub purpose: PurposeCode,
    /// Who would see it.
    pub audience: AudienceCode,
    /// Who asks; none: nobody has signed it yet, and a consent to named authorities does not hold.
    pub authority: Option<&'a Name>,
    /// How exact it needs to be: an asker can want less than the audience may get, never more.
    pub tier: Tier,
}

/// The same for a question that nobody has signed yet.
pub fn decide_for(
    question: &Question,
    for_what: ForWhat<'_>,
    grants: &[Grant],
    (jurisdiction, lists): (JurisdictionCode, &Lists),
    now: Timestamp,
) -> Result<Consented, Invalid> {
    let asking = Asking { for_what, now };
    let mut on: Vec<_> = grants.iter().filter(|grant| asking.holds(grant)).collect();
    on.sort_unstable_by_key(|grant| grant.id());
    let mut consented = Consented {
        audience: for_what.audience,
        blocks: Vec::with_capacity(question.blocks.len()),
        grants: on.iter().map(|grant| (grant.id(), grant.number())).collect(),
        release: Release::Automatic,
        not_before: None,
    };
    let mut cells = 0;
    for block in &question.blocks {
        let regions = lists.regions_of(jurisdiction, block.region_level);
        let of = block.crime_areas.len() * block.periods.len() * block.categories.len();
        cells += of * regions.len();
        if cells > CELLS_MAX {
            let detail = format!("more than {CELLS_MAX} cells at this node, which is the most");
            return Err(Invalid::new(Reason::LimitExceeded, "requirement.question", detail));
        }
        let (block, strictest) = decide_block(block, regions, asking, grants, lists);
        if let Some(Strictest { release, not_before, .. }) = strictest {
            consented.release = consented.release.max(release);
            consented.not_before = consented.not_before.max(not_before);
        }
        consented.blocks.push(block);
    }
    Ok(consented)
}

/// One block, and the strictest terms of what is granted of it; none: nothing is.
fn decide_block(
    block: &Block,
    regions: Vec<RegionCode>,
    asking: Asking<'_>,
    grants: &[Grant],
    lists: &Lists,
) -> (ConsentedBlock, Option<Strictest>) {
    let of_indicator = asking.of_indicator(block, grants, lists);
    let mut strictest: Option<Strictest> = None;
    // All regions of a level are granted alike.
    let mut one_region = Vec::with_capacity(block.crime_areas.len());
    for area in &block.crime_areas {
        let of_area = of_indicator.at_area(*area);
        let mut granted = Vec::with_capacity(block.periods.len() * block.categories.len());
        for period in &block.periods {
            let of_period = of_area.at_period(*period);
            for categories in &block.categories {
                let terms = of_period.terms(categories);
                granted.push(terms.is_some());
                strictest = Strictest::of_both(strictest, terms);
            }
        }
        one_region.push(granted);
    }
    let own = asking.for_what.audience;
    let tier = strictest.map_or(Tier::A, |strictest| strictest.tier).max(asking.for_what.tier);
    let audience = answer_as(own, tier, lists);
    let granted = one_region.iter().flat_map(|granted| granted.repeat(regions.len()));
    let consented = ConsentedBlock {
        indicator: block.indicator,
        crime_areas: block.crime_areas.clone(),
        periods: block.periods.clone(),
        categories: block.categories.clone(),
        granted: granted.map(|granted| granted && audience.is_some()).collect(),
        regions,
        audience: audience.unwrap_or(own),
        open_only: strictest.is_some_and(|strictest| strictest.open_only),
        contribution: strictest.map_or(Contribution::Pooled, |strictest| strictest.contribution),
        minimum_contributors: strictest.map_or(0, |strictest| strictest.minimum_contributors),
    };
    (consented, strictest.filter(|_| audience.is_some()))
}

/// Whose table an audience gets if nothing finer than a tier may go to it: its own, or that of the next wider audience. None:
/// there is no audience so wide.
fn answer_as(own: AudienceCode, tier: Tier, lists: &Lists) -> Option<AudienceCode> {
    if lists.tier(own) >= tier {
        return Some(own);
    }
    let wide = lists.audiences().filter(|audience| lists.tier(*audience) >= tier);
    wide.min_by_key(|audience| (lists.tier(*audience), *audience))
}

#[cfg(test)]
mod tests;
