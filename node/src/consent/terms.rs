//! What a grant says. Comes in: text from the desk or the store. Goes out: checked [`Terms`]: a scope, days, and what is
//! permitted there, or that it is forbidden. Must never read something that is left out as a yes.

use accord_proto::{
    clock::Timestamp,
    id::GrantId,
    identity::Name,
    limits::{AXIS_MAX, GRANT_AUTHORITIES_MAX, GRANT_WARN_DAYS_MAX, MEMBERS_MAX, TEXT_BYTES_MAX},
    question::CONTRIBUTORS_MIN,
    reason::{Invalid, Reason, quoted},
    table::Contribution,
    taxonomy::{
        AudienceCode, CrimeAreaCode, DimensionCode, Indicator, IndicatorCode, Lists, Period,
        PurposeCode, Tier,
    },
};

use crate::record;

/// Everything that a list holds, named in one word: leaving it out would name nothing.
pub const ALL: &str = "ALL";

/// A grant as text, from the desk or the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawGrant {
    /// UUIDv7, given by the client.
    pub grant: String,
    /// `permit` or `forbid`.
    pub effect: String,
    /// Code of the list `indicators`.
    pub indicator: String,
    /// Codes of the indicator's areas, or `ALL`.
    pub crime_areas: Vec<String>,
    /// 0 the jurisdiction, 1 to 3 its statistical regions. A rule that forbids may leave them out: then every level.
    pub region_levels: Vec<u32>,
    /// What figures may be broken down by, or `ALL`; empty: the total alone. A rule that forbids: every breakdown, the total
    /// included.
    pub dimensions: Vec<String>,
    /// Empty: no bound.
    pub first_period: String,
    /// Empty: no bound.
    pub last_period: String,
    /// Code of the list `purposes`; a rule that forbids may say `ALL`.
    pub purpose: String,
    /// Code of the list `audiences`; a rule that forbids may say `ALL`.
    pub audience: String,
    /// Authorities that may ask; empty: every one of the roster.
    pub authorities: Vec<String>,
    /// `exact-open`, `tier-a`, `tier-b`, `tier-c` or `totals-only`. Empty in a rule that forbids, like the next three.
    pub precision: String,
    /// `pooled` or `named`.
    pub contribution: String,
    /// `automatic` or `by-hand`.
    pub release: String,
    /// Jurisdictions behind a regional figure that rests on it; 0: as many as are demanded anyway.
    pub minimum_contributors: u32,
    /// Nothing leaves before, seconds since 1970; 0: no embargo.
    pub not_before_s: i64,
    /// Seconds since 1970.
    pub from_s: i64,
    /// Seconds since 1970, exclusive.
    pub until_s: i64,
    /// Days before the end from which on it is said that it ends.
    pub warn_days: u32,
    /// For whoever releases.
    pub conditions: String,
    /// Handling conditions: codes such as `H1` or `TLP:AMBER`.
    pub handling: Vec<String>,
}

/// Up to what exactness figures may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// Only what is public already, exactly.
    ExactOpen,
    /// The finest tier that the recipient may get; what its own audience gets if that is wider.
    Tier(Tier),
    /// Of the jurisdiction as a whole and of all categories together.
    TotalsOnly,
}

impl Precision {
    const NAMES: [(Self, &'static str); 5] = [
        (Self::ExactOpen, "exact-open"),
        (Self::Tier(Tier::A), "tier-a"),
        (Self::Tier(Tier::B), "tier-b"),
        (Self::Tier(Tier::C), "tier-c"),
        (Self::TotalsOnly, "totals-only"),
    ];

    /// What it takes away: the tiers below one, what is not public, what is no total. The more of each, the stricter.
    pub(super) fn takes(self) -> (Tier, bool, bool) {
        match self {
            Self::ExactOpen => (Tier::A, true, false),
            Self::Tier(tier) => (tier, false, false),
            Self::TotalsOnly => (Tier::A, false, true),
        }
    }
}

/// Who lets an answer go. The later is the stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Release {
    /// The node.
    Automatic,
    /// A person who has seen it.
    ByHand,
}

/// How what is granted may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permit {
    /// How exactly.
    pub precision: Precision,
    /// Under the jurisdiction's name?
    pub contribution: Contribution,
    /// So many jurisdictions must stand behind a regional figure that rests on it; 0: as many as are demanded anyway.
    pub minimum_contributors: u32,
    /// By whose hand.
    pub release: Release,
    /// Not before.
    pub not_before: Option<Timestamp>,
}

/// What a grant does with its scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It may leave so.
    Permit(Permit),
    /// It may not, whatever else is granted.
    Forbid,
}

/// Which cells, for whom and what for. None: all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Of which indicator.
    pub indicator: IndicatorCode,
    /// Ascending.
    pub crime_areas: Option<Vec<CrimeAreaCode>>,
    /// Ascending; empty in a rule that forbids: every level.
    pub levels: Vec<u32>,
    /// In the registry's order; empty in a rule that forbids: every breakdown, and the total.
    pub dimensions: Vec<DimensionCode>,
    /// The first period.
    pub first: Option<Period>,
    /// The last one, of the same length as the first.
    pub last: Option<Period>,
    /// What for.
    pub purpose: Option<PurposeCode>,
    /// For whom.
    pub audience: Option<AudienceCode>,
    /// Who may ask, ascending; empty: every authority of the roster.
    pub authorities: Vec<Name>,
}

/// What a grant says, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Where.
    pub scope: Scope,
    /// What.
    pub effect: Effect,
    /// From when.
    pub from: Timestamp,
    /// Until when, exclusive.
    pub until: Timestamp,
    /// Days before the end from which on it is said that it ends.
    pub warn_days: u32,
    /// For whoever releases.
    pub conditions: String,
    /// Ascending.
    pub handling: Vec<String>,
}

impl Terms {
    /// Checks every field.
    pub fn parse(raw: &RawGrant, lists: &Lists) -> Result<(GrantId, Self), Invalid> {
        let id = GrantId::parse("grant", &raw.grant)?;
        let permits = one_of("effect", &raw.effect, [(true, "permit"), (false, "forbid")])?;
        let indicator = lists.indicator("indicator", &raw.indicator)?;
        let terms = Self {
            scope: scope(raw, permits, indicator, lists)?,
            effect: if permits { Effect::Permit(permit(raw)?) } else { forbid(raw)? },
            from: Timestamp::from_s("from_s", raw.from_s)?,
            until: Timestamp::from_s("until_s", raw.until_s)?,
            warn_days: raw.warn_days,
            conditions: raw.conditions.clone(),
            handling: handling(&raw.handling, lists)?,
        };
        if terms.from >= terms.until {
            return invalid("until_s", "must be later than from");
        }
        few("warn_days", raw.warn_days as usize, GRANT_WARN_DAYS_MAX as usize)?;
        few("conditions", raw.conditions.len(), TEXT_BYTES_MAX)?;
        if raw.conditions.chars().any(char::is_control) {
            return invalid("conditions", "holds control characters");
        }
        Ok((id, terms))
    }

    /// As text, under an id.
    pub fn to_raw(&self, id: GrantId) -> RawGrant {
        let Self { scope, effect, from, until, warn_days, conditions, handling } = self;
        let period = |bound: Option<Period>| bound.map_or(String::new(), |p| p.to_string());
        let all = || ALL.to_owned();
        let areas = scope.crime_areas.as_ref();
        let permit = match effect {
            Effect::Permit(permit) => Some(permit),
            Effect::Forbid => None,
        };
        let word = |word: Option<&'static str>| word.unwrap_or_default().to_owned();
        RawGrant {
            grant: id.to_string(),
            effect: word(Some(if permit.is_some() { "permit" } else { "forbid" })),
            indicator: scope.indicator.to_string(),
            crime_areas: areas
                .map_or_else(|| vec![all()], |areas| areas.iter().map(|a| a.to_string()).collect()),
            region_levels: scope.levels.clone(),
            dimensions: scope.dimensions.iter().map(ToString::to_string).collect(),
            first_period: period(scope.first),
            last_period: period(scope.last),
            purpose: scope.purpose.map_or_else(all, |purpose| purpose.to_string()),
            audience: scope.audience.map_or_else(all, |audience| audience.to_string()),
            authorities: scope.authorities.iter().map(ToString::to_string).collect(),
            precision: word(permit.and_then(|permit| name(Precision::NAMES, permit.precision))),
            contribution: word(permit.and_then(|permit| name(CONTRIBUTIONS, permit.contribution))),
            release: word(permit.and_then(|permit| name(RELEASES, permit.release))),
            minimum_contributors: permit.map_or(0, |permit| permit.minimum_contributors),
            not_before_s: permit.and_then(|p| p.not_before).map_or(0, Timestamp::as_s),
            from_s: from.as_s(),
            until_s: until.as_s(),
            warn_days: *warn_days,
            conditions: conditions.clone(),
            handling: handling.clone(),
        }
    }
}

const CONTRIBUTIONS: [(Contribution, &str); 2] =
    [(Contribution::Named, "named"), (Contribution::Pooled, "pooled")];
const RELEASES: [(Release, &str); 2] =
    [(Release::Automatic, "automatic"), (Release::ByHand, "by-hand")];

fn scope(
    raw: &RawGrant,
    permits: bool,
    indicator: &Indicator,
    lists: &Lists,
) -> Result<Scope, Invalid> {
    let (first, last) = periods(raw, indicator, lists)?;
    // A rule that forbids may say "all"; consent names its purpose and its recipients.
    let everyone = |text: &str| !permits && text == ALL;
    let purpose = (!everyone(&raw.purpose)).then(|| lists.purpose("purpose", &raw.purpose));
    let audience = (!everyone(&raw.audience)).then(|| lists.audience("audience", &raw.audience));
    few("authorities", raw.authorities.len(), GRANT_AUTHORITIES_MAX)?;
    let authorities = raw.authorities.iter().map(|name| Name::parse("authorities", name));
    Ok(Scope {
        indicator: indicator.code,
        crime_areas: crime_areas(&raw.crime_areas, indicator, lists)?,
        levels: levels(&raw.region_levels, permits, indicator)?,
        dimensions: dimensions(&raw.dimensions, indicator, lists)?,
        first,
        last,
        purpose: purpose.transpose()?,
        audience: audience.transpose()?,
        authorities: set(authorities)?,
    })
}

fn crime_areas(
    raw: &[String],
    indicator: &Indicator,
    lists: &Lists,
) -> Result<Option<Vec<CrimeAreaCode>>, Invalid> {
    const FIELD: &str = "crime_areas";
    few(FIELD, raw.len(), AXIS_MAX)?;
    match raw {
        [] => missing(FIELD, "names none; ALL names all that the indicator allows"),
        [all] if all == ALL => Ok(None),
        codes => set(codes.iter().map(|code| lists.crime_area(FIELD, indicator, code))).map(Some),
    }
}

fn levels(raw: &[u32], permits: bool, indicator: &Indicator) -> Result<Vec<u32>, Invalid> {
    const FIELD: &str = "region_levels";
    if raw.is_empty() && permits {
        return missing(FIELD, "names none; 0 is the jurisdiction as a whole");
    }
    set(raw.iter().map(|level| match indicator.levels.contains(level) {
        true => Ok(*level),
        false => {
            let detail = format!("{} has no level {level}", indicator.code);
            Err(Invalid::new(Reason::LatticeUnknownCell, FIELD, detail))
        }
    }))
}

fn dimensions(
    raw: &[String],
    indicator: &Indicator,
    lists: &Lists,
) -> Result<Vec<DimensionCode>, Invalid> {
    const FIELD: &str = "dimensions";
    if raw == [ALL] {
        return Ok(indicator.dimensions.clone());
    }
    few(FIELD, raw.len(), AXIS_MAX)?;
    let named = raw.iter().map(|code| lists.dimension(FIELD, indicator, code));
    let named = named.collect::<Result<Vec<_>, _>>()?;
    Ok(indicator.dimensions.iter().copied().filter(|code| named.contains(code)).collect())
}

fn periods(
    raw: &RawGrant,
    indicator: &Indicator,
    lists: &Lists,
) -> Result<(Option<Period>, Option<Period>), Invalid> {
    let bound = |field: &str, text: &str| match text {
        "" => Ok(None),
        text => lists.period(field, indicator, text).map(Some),
    };
    let (first, last) =
        (bound("first_period", &raw.first_period)?, bound("last_period", &raw.last_period)?);
    match (first, last) {
        (Some(first), Some(last)) if first.granularity() != last.granularity() || first > last => {
            let detail = "must not be before first_period, and of the same length";
            Err(Invalid::new(Reason::PeriodInvalid, "last_period", detail))
        }
        _ => Ok((first, last)),
    }
}

fn permit(raw: &RawGrant) -> Result<Permit, Invalid> {
    let not_before = match raw.not_before_s {
        0 => None,
        seconds => Some(Timestamp::from_s("not_before_s", seconds)?),
    };
    Ok(Permit {
        precision: one_of("precision", &raw.precision, Precision::NAMES)?,
        contribution: one_of("contribution", &raw.contribution, CONTRIBUTIONS)?,
        minimum_contributors: minimum_contributors(raw.minimum_contributors)?,
        release: one_of("release", &raw.release, RELEASES)?,
        not_before,
    })
}

/// The region shows nothing that fewer than [`CONTRIBUTORS_MIN`] stand behind, whatever a grant says: less would be a
/// promise of something else.
fn minimum_contributors(number: u32) -> Result<u32, Invalid> {
    match number {
        0 | CONTRIBUTORS_MIN.. if number as usize <= MEMBERS_MAX => Ok(number),
        _ => {
            let detail = format!(
                "{number} jurisdictions: from {CONTRIBUTORS_MIN} to {MEMBERS_MAX} can be wanted, or 0 for what is demanded anyway"
            );
            invalid("minimum_contributors", &detail)
        }
    }
}

fn forbid(raw: &RawGrant) -> Result<Effect, Invalid> {
    let RawGrant { precision, contribution, release, minimum_contributors, not_before_s, .. } = raw;
    let words = [precision, contribution, release];
    if words.iter().all(|word| word.is_empty()) && *minimum_contributors == 0 && *not_before_s == 0
    {
        return Ok(Effect::Forbid);
    }
    let detail = "a rule that forbids has no precision, contribution, release, minimum of contributors or embargo";
    invalid("effect", detail)
}

fn handling(raw: &[String], lists: &Lists) -> Result<Vec<String>, Invalid> {
    few("handling", raw.len(), AXIS_MAX)?;
    set(raw.iter().map(|code| record::handling_code("handling", code, lists)))
}

/// Ascending, without repeats.
fn set<T: Ord>(list: impl Iterator<Item = Result<T, Invalid>>) -> Result<Vec<T>, Invalid> {
    let mut list = list.collect::<Result<Vec<_>, _>>()?;
    list.sort_unstable();
    list.dedup();
    Ok(list)
}

fn one_of<T: Copy, const N: usize>(
    field: &str,
    text: &str,
    names: [(T, &'static str); N],
) -> Result<T, Invalid> {
    if let Some((known, _)) = names.iter().find(|(_, name)| *name == text) {
        return Ok(*known);
    }
    let all: Vec<_> = names.iter().map(|(_, name)| *name).collect();
    let detail = format!("{} is not one of {}", quoted(text), all.join(", "));
    let reason = if text.is_empty() { Reason::FieldMissing } else { Reason::CodeUnknown };
    Err(Invalid::new(reason, field, detail))
}

fn name<T: PartialEq, const N: usize>(
    names: [(T, &'static str); N],
    of: T,
) -> Option<&'static str> {
    names.into_iter().find(|(known, _)| *known == of).map(|(_, name)| name)
}

fn few(field: &str, found: usize, most: usize) -> Result<(), Invalid> {
    if found <= most {
        return Ok(());
    }
    Err(Invalid::new(Reason::LimitExceeded, field, format!("{found} where {most} is the most")))
}

fn missing<T>(field: &str, detail: &str) -> Result<T, Invalid> {
    Err(Invalid::new(Reason::FieldMissing, field, detail))
}

fn invalid<T>(field: &str, detail: &str) -> Result<T, Invalid> {
    Err(Invalid::new(Reason::FieldInvalid, field, detail))
}
