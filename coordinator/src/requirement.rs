//! A requirement as its author writes it. Comes in: a TOML file, in the authority's own client. Goes out:
//! the requirement, and signed its envelope. The coordinator never holds the key that signs here.

use accord_proto::{
    clock::{Clock, Entropy, Timestamp},
    id::RequirementId,
    question::{CONTRIBUTORS_MIN, Requirement},
    reason::{Invalid, Reason},
    seal::SecretKey,
    taxonomy::{Indicator, Lists, Period},
    wire,
};
use serde::Deserialize;

mod state;

pub use state::{State, state};

/// As it is written; see `deploy/requirement.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDraft {
    /// Give the same id to repeat safely; left out, a new one is made.
    id: Option<String>,
    authority: String,
    why: String,
    purpose: String,
    legal_basis: String,
    audience: String,
    /// Node names; left out or empty: every member.
    #[serde(default)]
    members: Vec<String>,
    #[serde(default = "minimum")]
    minimum_contributors: u32,
    opens: Option<String>,
    closes: String,
    /// Vocabulary REQUESTER_ROLE.
    #[serde(default = "role")]
    requester_role: String,
    /// Left out: the audience's.
    tier: Option<String>,
    /// Left out: [`VALID_DAYS`] after the window.
    valid_until: Option<String>,
    question: Vec<RawBlock>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBlock {
    indicator: String,
    #[serde(default)]
    region_level: u32,
    /// Codes, or "all".
    crime_areas: OneOrMany,
    /// Periods, or ranges like "2014..2018".
    periods: OneOrMany,
    /// Like "SEX=F"; "_T" is the total over all categories. Left out: the total alone.
    #[serde(default)]
    categories: OneOrMany,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl Default for OneOrMany {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl OneOrMany {
    fn list(self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

/// Default of `requester_role`.
fn role() -> String {
    "ANALYST".to_owned()
}

/// Days after its window that a requirement is valid unless it says otherwise.
const VALID_DAYS: i64 = 366;

/// Default of `minimum_contributors`.
fn minimum() -> u32 {
    CONTRIBUTORS_MIN
}

/// Most periods that one range may stand for.
const RANGE_MAX: usize = 120;

/// Reads a draft and signs it. `members` are all nodes of the roster, for drafts that name none.
pub fn sign(
    text: &str,
    members: &[String],
    key: &SecretKey,
    lists: &Lists,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<wire::Envelope, Invalid> {
    Requirement::sign(&read(text, members, lists, clock, entropy)?, lists, key)
}

/// Reads a draft. Nothing is signed.
pub fn read(
    text: &str,
    members: &[String],
    lists: &Lists,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<wire::Requirement, Invalid> {
    let draft: RawDraft = toml::from_str(text)
        .map_err(|error| Invalid::new(Reason::FieldInvalid, "requirement", error.to_string()))?;
    let id = match draft.id {
        Some(id) => RequirementId::parse("id", &id)?,
        None => RequirementId::mint(clock, entropy)?,
    };
    // The id carries the time, so that the same draft under the same id gives the same bytes.
    let issued_at = id.minted_at();
    let opens_at_s = match draft.opens {
        Some(day) => Timestamp::parse("opens", &day)?.as_s(),
        None => issued_at.as_s(),
    };
    let mut asked = if draft.members.is_empty() { members.to_vec() } else { draft.members };
    asked.sort_unstable();
    asked.dedup();
    let blocks = draft.question.into_iter().map(|block| expand(block, lists));
    let mut blocks = blocks.collect::<Result<Vec<_>, _>>()?;
    blocks.sort_unstable_by(|a, b| {
        (&a.indicator, a.region_level).cmp(&(&b.indicator, b.region_level))
    });
    let closes_at = Timestamp::parse("closes", &draft.closes)?;
    let tier = match draft.tier {
        Some(tier) => tier,
        None => lists.tier(lists.audience("audience", &draft.audience)?).to_string(),
    };
    let valid_until = match draft.valid_until {
        Some(day) => Timestamp::parse("valid_until", &day)?,
        None => closes_at.plus_s(VALID_DAYS * 86_400),
    };
    Ok(wire::Requirement {
        requirement: id.to_string(),
        authority: draft.authority,
        why: draft.why,
        purpose: draft.purpose,
        legal_basis: draft.legal_basis,
        audience: draft.audience,
        members: asked,
        minimum_contributors: draft.minimum_contributors,
        issued_at_s: issued_at.as_s(),
        opens_at_s,
        closes_at_s: closes_at.as_s(),
        question: Some(wire::Question { blocks }),
        requester_role: draft.requester_role,
        tier,
        valid_until_s: valid_until.as_s(),
    })
}

fn expand(block: RawBlock, lists: &Lists) -> Result<wire::Block, Invalid> {
    let indicator = lists.indicator("question.indicator", &block.indicator)?;
    let mut crime_areas = match block.crime_areas {
        OneOrMany::One(all) if all == "all" => lists.crime_areas_of(indicator).collect(),
        codes @ (OneOrMany::One(_) | OneOrMany::Many(_)) => codes
            .list()
            .iter()
            .map(|code| lists.crime_area("question.crime_areas", indicator, code))
            .collect::<Result<Vec<_>, _>>()?,
    };
    crime_areas.sort_unstable();
    crime_areas.dedup();
    let mut periods = Vec::new();
    for text in block.periods.list() {
        periods.extend(range(&text, indicator, lists)?);
    }
    periods.sort_unstable();
    periods.dedup();
    let mut categories = block.categories.list();
    categories.sort_unstable();
    categories.dedup();
    let axis = lists.parse_category_axis("question.categories", indicator, categories)?;
    Ok(wire::Block {
        indicator: indicator.code.to_string(),
        region_level: block.region_level,
        crime_areas: crime_areas.iter().map(ToString::to_string).collect(),
        periods: periods.iter().map(ToString::to_string).collect(),
        categories: lists.write_category_axis(indicator.code, &axis),
    })
}

fn range(text: &str, indicator: &Indicator, lists: &Lists) -> Result<Vec<Period>, Invalid> {
    const FIELD: &str = "question.periods";
    let Some((first, last)) = text.split_once("..") else {
        return Ok(vec![lists.period(FIELD, indicator, text)?]);
    };
    let (first, last) =
        (lists.period(FIELD, indicator, first)?, lists.period(FIELD, indicator, last)?);
    Period::range(first, last, RANGE_MAX).ok_or_else(|| {
        let detail =
            format!("{text} must run forwards over at most {RANGE_MAX} periods of one length");
        Invalid::new(Reason::PeriodInvalid, FIELD, detail)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn areas(indicator: &str, crime_areas: OneOrMany) -> Result<Vec<String>, Invalid> {
        let block = RawBlock {
            indicator: indicator.to_owned(),
            region_level: 0,
            crime_areas,
            periods: OneOrMany::One("2016".to_owned()),
            categories: OneOrMany::default(),
        };
        Ok(expand(block, Lists::builtin())?.crime_areas)
    }

    #[test]
    fn all_areas_are_those_that_the_indicator_has() {
        let all = || OneOrMany::One("all".to_owned());
        assert_eq!(areas("DRG.SEIZ.COC.KG", all()).unwrap(), ["DRG.COC"]);
        let offences = areas("PUB.OFF.N", all()).unwrap();
        assert!(offences.iter().any(|code| code == "ICCS0101"));
        assert!(offences.iter().all(|code| code != "ICCS01"), "a section is not published");

        let codes = |codes: &[&str]| OneOrMany::Many(codes.iter().map(|c| (*c).into()).collect());
        let given = codes(&["DRG.HER", "DRG", "DRG"]);
        assert_eq!(areas("DRG.SEIZ.N", given).unwrap(), ["DRG", "DRG.HER"]);
        let error = areas("DRG.SEIZ.N", codes(&["THB"])).unwrap_err();
        assert_eq!(error.field, "question.crime_areas");
    }
}
