//! Consent: may these cells leave, for this purpose, to this audience, today? Comes in: a requirement,
//! the node's grants, the day. Goes out: [`Consented`], which names the exact cells that may be computed.
//!
//! Pure. Unknown, empty, expired, withdrawn or another purpose means no. Why a cell is not granted is not
//! even worked out here: outside the node every reason looks the same.

use accord_proto::{
    clock::Timestamp,
    id::{GrantId, RequirementId},
    limits::{AXIS_MAX, CELLS_MAX},
    question::{Question, Requirement},
    reason::{Invalid, Reason},
    seal::Digest,
    table::{Coordinates, coordinates},
    taxonomy::{
        AudienceCode, Categories, CrimeAreaCode, IndicatorCode, JurisdictionCode, Lists, Period,
        PurposeCode, RegionCode,
    },
};

/// A standing consent, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    id: GrantId,
    indicator: IndicatorCode,
    /// Empty: all that the indicator allows.
    crime_areas: Vec<CrimeAreaCode>,
    first_period: Option<Period>,
    last_period: Option<Period>,
    purpose: PurposeCode,
    audience: AudienceCode,
    from: Timestamp,
    until: Timestamp,
    withdrawn: bool,
}

/// A grant as text, from the desk or the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawGrant {
    /// UUIDv7, given by the client.
    pub grant: String,
    /// Code of the list `indicators`.
    pub indicator: String,
    /// Empty: all that the indicator allows.
    pub crime_areas: Vec<String>,
    /// Empty: no bound.
    pub first_period: String,
    /// Empty: no bound.
    pub last_period: String,
    /// Code of the list `purposes`.
    pub purpose: String,
    /// Code of the list `audiences`.
    pub audience: String,
    /// Seconds since 1970.
    pub from_s: i64,
    /// Seconds since 1970, exclusive.
    pub until_s: i64,
}

impl Grant {
    /// Checks every field.
    pub fn parse(raw: RawGrant, lists: &Lists) -> Result<Self, Invalid> {
        let indicator = lists.indicator("indicator", &raw.indicator)?;
        if raw.crime_areas.len() > AXIS_MAX {
            let detail = format!("{} where {AXIS_MAX} is the most", raw.crime_areas.len());
            return Err(Invalid::new(Reason::LimitExceeded, "crime_areas", detail));
        }
        let mut crime_areas = raw
            .crime_areas
            .iter()
            .map(|code| lists.crime_area("crime_areas", indicator, code))
            .collect::<Result<Vec<_>, _>>()?;
        crime_areas.sort_unstable();
        crime_areas.dedup();
        let bound = |field: &str, text: &str| match text {
            "" => Ok(None),
            text => lists.period(field, indicator, text).map(Some),
        };
        let grant = Self {
            id: GrantId::parse("grant", &raw.grant)?,
            indicator: indicator.code,
            crime_areas,
            first_period: bound("first_period", &raw.first_period)?,
            last_period: bound("last_period", &raw.last_period)?,
            purpose: lists.purpose("purpose", &raw.purpose)?,
            audience: lists.audience("audience", &raw.audience)?,
            from: Timestamp::from_s("from_s", raw.from_s)?,
            until: Timestamp::from_s("until_s", raw.until_s)?,
            withdrawn: false,
        };
        if grant.from >= grant.until {
            return Err(Invalid::new(Reason::FieldInvalid, "until_s", "must be later than from"));
        }
        if let (Some(first), Some(last)) = (grant.first_period, grant.last_period)
            && (first.granularity() != last.granularity() || first > last)
        {
            let detail = "must not be before first_period, and of the same length";
            return Err(Invalid::new(Reason::PeriodInvalid, "last_period", detail));
        }
        Ok(grant)
    }

    /// The grant as text.
    pub fn to_raw(&self) -> RawGrant {
        let bound =
            |period: Option<Period>| period.map_or(String::new(), |period| period.to_string());
        RawGrant {
            grant: self.id.to_string(),
            indicator: self.indicator.to_string(),
            crime_areas: self.crime_areas.iter().map(ToString::to_string).collect(),
            first_period: bound(self.first_period),
            last_period: bound(self.last_period),
            purpose: self.purpose.to_string(),
            audience: self.audience.to_string(),
            from_s: self.from.as_s(),
            until_s: self.until.as_s(),
        }
    }

    /// Its id.
    pub fn id(&self) -> GrantId {
        self.id
    }

    /// Taken back?
    pub fn withdrawn(&self) -> bool {
        self.withdrawn
    }

    /// The same grant, taken back.
    #[must_use]
    pub fn withdraw(self) -> Self {
        Self { withdrawn: true, ..self }
    }

    /// Does it hold today?
    pub fn in_force(&self, now: Timestamp) -> bool {
        !self.withdrawn && self.from <= now && now < self.until
    }

    fn allows(&self, purpose: PurposeCode, audience: AudienceCode, now: Timestamp) -> bool {
        self.in_force(now) && self.purpose == purpose && self.audience == audience
    }

    fn covers(&self, crime_area: CrimeAreaCode, period: Period) -> bool {
        let area = self.crime_areas.is_empty() || self.crime_areas.contains(&crime_area);
        let same = |bound: Period| bound.granularity() == period.granularity();
        let after = self.first_period.is_none_or(|first| same(first) && first <= period);
        let before = self.last_period.is_none_or(|last| same(last) && period <= last);
        area && after && before
    }
}

/// The cells of a requirement, and which of them may be computed. Made by [`decide`] only.
#[derive(Debug)]
pub struct Consented {
    audience: AudienceCode,
    blocks: Vec<ConsentedBlock>,
    grants: Vec<GrantId>,
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

    /// For whom: it decides which records count.
    pub(crate) fn audience(&self) -> AudienceCode {
        self.audience
    }

    /// What a seal says of the grants that this rests on. Salted with a secret of the node, and different for
    /// every requirement: otherwise "no grant" would have a digest of its own that anybody could recognise.
    pub fn digest(&self, salt: &[u8; 32], requirement: RequirementId) -> Digest {
        let grants = self.grants.iter().map(|grant| &grant.as_bytes()[..]);
        Digest::of_parts([&salt[..], requirement.as_bytes()].into_iter().chain(grants))
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
}

/// Decides cell by cell.
pub fn decide(
    requirement: &Requirement,
    grants: &[Grant],
    jurisdiction: JurisdictionCode,
    lists: &Lists,
    now: Timestamp,
) -> Result<Consented, Invalid> {
    let for_what = (requirement.purpose, requirement.audience);
    decide_for(&requirement.question, for_what, grants, (jurisdiction, lists), now)
}

/// The same for a question that nobody has signed yet.
pub fn decide_for(
    question: &Question,
    (purpose, audience): (PurposeCode, AudienceCode),
    grants: &[Grant],
    (jurisdiction, lists): (JurisdictionCode, &Lists),
    now: Timestamp,
) -> Result<Consented, Invalid> {
    let allowing = grants.iter().filter(|grant| grant.allows(purpose, audience, now));
    let applicable: Vec<_> = allowing.collect();
    let mut cells = 0;
    let mut blocks = Vec::with_capacity(question.blocks.len());
    for block in &question.blocks {
        let regions = lists.regions_of(jurisdiction, block.region_level);
        let of_indicator: Vec<_> =
            applicable.iter().filter(|grant| grant.indicator == block.indicator).collect();
        // A grant covers every category of its cells.
        let granted: Vec<_> =
            coordinates(&block.crime_areas, &regions, &block.periods, &block.categories)
                .map(|(area, _, period, _)| {
                    of_indicator.iter().any(|grant| grant.covers(area, period))
                })
                .collect();
        cells += granted.len();
        blocks.push(ConsentedBlock {
            indicator: block.indicator,
            crime_areas: block.crime_areas.clone(),
            regions,
            periods: block.periods.clone(),
            categories: block.categories.clone(),
            granted,
        });
    }
    if cells > CELLS_MAX {
        let detail = format!("{cells} cells at this node where {CELLS_MAX} is the most");
        return Err(Invalid::new(Reason::LimitExceeded, "requirement.question", detail));
    }
    Ok(Consented { audience, blocks, grants: applicable.iter().map(|grant| grant.id).collect() })
}
