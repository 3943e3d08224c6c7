//! The policy: in which mode each indicator may leave, and on which terms. Comes in: two files, the published one and the
//! secret one. Goes out: a checked policy. What it does not name is closed; an unsafe setting is refused with the reason.

use std::collections::{BTreeMap, BTreeSet};

use accord_proto::{
    reason::{Invalid, Reason, quoted},
    regional::DEVIATION,
    rules::Rules,
    seal::Digest,
    table::Mode,
    taxonomy::{AudienceCode, IndicatorCode, JurisdictionCode, Lists, TermCode, Tier},
};
use serde::Deserialize;

use crate::record::{self, Context};

mod protection;
mod raw;
mod secret;
mod tier;

pub use protection::{Bulletin, Protection};
pub use secret::Secret;
pub use tier::{TierTerms, rho};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPolicy {
    #[serde(default)]
    indicator: Vec<raw::RawTerms>,
    #[serde(default)]
    handling: Vec<RawHandling>,
    #[serde(default)]
    tier: BTreeMap<String, tier::RawTier>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHandling {
    code: String,
    audiences: Vec<String>,
}

/// The text of both files, and what they are read with.
#[derive(Clone, Copy, Debug)]
pub struct Files<'a> {
    /// `policy.toml`.
    pub public: &'a str,
    /// `policy.secret.toml`; empty: the shipped floors.
    pub secret: &'a str,
    /// The node's own; the commitment to the secret part is made with it.
    pub salt: &'a [u8; 32],
}

/// How an indicator may leave.
#[derive(Clone, Debug)]
pub enum Terms {
    /// Already public nationally: exact.
    Open,
    /// With noise.
    Protected(Box<Protection>),
    /// Exact, in a fixed set of tables.
    Bulletin(Box<Bulletin>),
    /// Not at all.
    Closed,
}

impl Terms {
    /// As the wire names it.
    pub fn mode(&self) -> Mode {
        match self {
            Self::Open => Mode::Open,
            Self::Protected(_) => Mode::Protected,
            Self::Bulletin(_) => Mode::Bulletin,
            Self::Closed => Mode::Closed,
        }
    }

    fn says(&self) -> String {
        match self {
            Self::Open => "open".to_owned(),
            Self::Protected(protection) => protection.says(),
            Self::Bulletin(bulletin) => bulletin.says(),
            Self::Closed => "closed".to_owned(),
        }
    }
}

/// The checked policy.
#[derive(Clone, Debug)]
pub struct Policy {
    terms: BTreeMap<IndicatorCode, Terms>,
    /// In what way an indicator is counted here otherwise than it is defined, ascending.
    deviations: BTreeMap<IndicatorCode, Vec<TermCode>>,
    /// Handling code → audiences for which a record that bears it may count.
    handling: BTreeMap<String, Vec<AudienceCode>>,
    tiers: [TierTerms; 3],
    secret: Secret,
    splits: bool,
    published: Digest,
    digest: Digest,
}

impl Policy {
    /// Reads both files. The lattice is that of the jurisdiction.
    pub fn parse(
        files: Files<'_>,
        jurisdiction: JurisdictionCode,
        lists: &Lists,
    ) -> Result<Self, Invalid> {
        let secret = Secret::parse(files.secret, files.salt)?;
        Self::read(files.public, secret, jurisdiction, lists)
    }

    /// Another published part with the same floors.
    pub fn with_public(
        &self,
        public: &str,
        jurisdiction: JurisdictionCode,
        lists: &Lists,
    ) -> Result<Self, Invalid> {
        Self::read(public, self.secret.clone(), jurisdiction, lists)
    }

    fn read(
        public: &str,
        secret: Secret,
        jurisdiction: JurisdictionCode,
        lists: &Lists,
    ) -> Result<Self, Invalid> {
        let raw: RawPolicy = toml::from_str(public)
            .map_err(|error| Invalid::new(Reason::FieldInvalid, "policy", error.to_string()))?;
        let tiers = tiers(&raw.tier, &secret)?;
        let (mut terms, mut deviations) = (BTreeMap::new(), BTreeMap::new());
        for entry in raw.indicator {
            let indicator = lists.indicator("policy.indicator.code", &entry.code)?;
            let reader = protection::Reader { indicator, jurisdiction, tiers: &tiers, lists };
            let field = format!("policy.{}.mode", indicator.code);
            if terms.insert(indicator.code, reader.terms_of(&entry)?).is_some() {
                return Err(Invalid::new(Reason::FieldInvalid, field, "stands twice"));
            }
            let field = format!("policy.{}.deviations", indicator.code);
            let term = |code: &String| Ok(lists.term(&field, DEVIATION, code)?.code);
            let of: BTreeSet<_> = entry.deviations.iter().map(term).collect::<Result<_, _>>()?;
            if !of.is_empty() {
                deviations.insert(indicator.code, of.into_iter().collect());
            }
        }
        let handling = handling_codes(raw.handling, lists)?;
        let mut says = format!("{handling:?}\n{tiers:?}\n");
        for (code, terms) in &terms {
            says.push_str(&format!("{code} {}\n", terms.says()));
        }
        for (code, deviations) in &deviations {
            says.push_str(&format!("{code} deviates {deviations:?}\n"));
        }
        let digest = Digest::of_parts([says.as_bytes(), &secret.commitment().0]);
        let audiences = lists.audiences().count();
        check_one_class_a_tier(&handling, lists)?;
        let splits = handling.values().any(|for_whom| (1..audiences).contains(&for_whom.len()));
        let published = Digest::of(says.as_bytes());
        Ok(Self { terms, deviations, handling, tiers, secret, splits, published, digest })
    }

    /// May a record count in what `audience` gets? Every handling code that it bears must allow it; a code
    /// that the policy does not name allows nobody.
    pub fn counts(&self, context: &Context, audience: AudienceCode) -> bool {
        context.handling.split_ascii_whitespace().all(|code| {
            self.handling.get(code).is_some_and(|audiences| audiences.contains(&audience))
        })
    }

    /// May an audience see every record that counts for another one? Always for itself.
    pub fn sees_all_of(&self, audience: AudienceCode, other: AudienceCode) -> bool {
        let of_other = self.handling.values().filter(|for_whom| for_whom.contains(&other));
        of_other.into_iter().all(|for_whom| for_whom.contains(&audience))
    }

    /// On which terms an indicator may leave; closed unless the policy says otherwise.
    pub fn terms(&self, indicator: IndicatorCode) -> &Terms {
        self.terms.get(&indicator).unwrap_or(&Terms::Closed)
    }

    /// In what way an indicator is counted here otherwise than it is defined, ascending.
    pub fn deviations(&self, indicator: IndicatorCode) -> &[TermCode] {
        self.deviations.get(&indicator).map_or(&[], Vec::as_slice)
    }

    /// Every indicator that it names, ascending.
    pub fn named(&self) -> impl Iterator<Item = (IndicatorCode, &Terms)> {
        self.terms.iter().map(|(code, terms)| (*code, terms))
    }

    /// Mode and digest of the terms of every indicator that it names, for an edition.
    pub fn frozen_terms(&self) -> BTreeMap<IndicatorCode, (Mode, Digest)> {
        let of = |(code, terms): (&IndicatorCode, &Terms)| {
            let says = terms.says();
            // What a bulletin hides was chosen by the rules of its day: with others it is to be chosen anew.
            let digest = match terms {
                Terms::Bulletin(_) => {
                    Digest::of_parts([says.as_bytes(), &self.secret.commitment().0])
                }
                Terms::Open | Terms::Protected(_) | Terms::Closed => Digest::of(says.as_bytes()),
            };
            (*code, (terms.mode(), digest))
        };
        self.terms.iter().map(of).collect()
    }

    /// May a record count for one audience and not for another?
    pub fn splits_audiences(&self) -> bool {
        self.splits
    }

    /// The mode of an indicator.
    pub fn mode(&self, indicator: IndicatorCode) -> Mode {
        self.terms(indicator).mode()
    }

    /// Published terms of a tier.
    pub fn tier(&self, tier: Tier) -> &TierTerms {
        let [a, b, c] = &self.tiers;
        match tier {
            Tier::A => a,
            Tier::B => b,
            Tier::C => c,
        }
    }

    /// The floor of a tier: secret.
    pub(crate) fn floor(&self, tier: Tier) -> &Rules {
        self.secret.tier(tier)
    }

    /// The rules of bulletins: secret.
    pub(crate) fn bulletin_rules(&self) -> &Rules {
        self.secret.bulletin()
    }

    /// Digest of what it says of handling codes: editions that were filtered by other rules are not answered from.
    pub fn handling(&self) -> Digest {
        let says = self.handling.iter().map(|(code, for_whom)| format!("{code} {for_whom:?}\n"));
        Digest::of(says.collect::<String>().as_bytes())
    }

    /// Digest of the published part: anybody may know it.
    pub fn published(&self) -> Digest {
        self.published
    }

    /// Commitment to the secret part: salted, so that nobody can try parameters against it.
    pub fn commitment(&self) -> Digest {
        self.secret.commitment()
    }

    /// Digest of both parts: a change of either is noticed.
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

fn tiers(
    raw: &BTreeMap<String, tier::RawTier>,
    secret: &Secret,
) -> Result<[TierTerms; 3], Invalid> {
    if let Some(unknown) = raw.keys().find(|tier| Tier::parse(tier).is_none()) {
        let detail = format!("{} is not a tier; write A, B or C", quoted(unknown));
        return Err(Invalid::new(Reason::CodeUnknown, "policy.tier", detail));
    }
    let none = tier::RawTier::default();
    let of = |tier: Tier| TierTerms::read(tier, raw.get(tier.as_str()).unwrap_or(&none));
    let tiers = [of(Tier::A)?, of(Tier::B)?, of(Tier::C)?];
    let [a, b, c] = &tiers;
    if a.variance >= b.variance || b.variance >= c.variance {
        let detail = "a wider tier gets the narrower one's figure with more noise: its variance must be larger";
        return Err(Invalid::new(Reason::PolicyUnsafe, "policy.tier", detail));
    }
    for (tier, terms) in Tier::ALL.into_iter().zip(&tiers) {
        if !terms.hides(secret.tier(tier)) {
            let detail = "lies too near to the secret floor: whether a figure is shown would give the floor away; raise the threshold";
            let field = format!("policy.tier.{tier}.threshold");
            return Err(Invalid::new(Reason::PolicyUnsafe, field, detail));
        }
    }
    Ok(tiers)
}

/// Audiences of one tier get figures with the same noise: were their records not the same, their difference would be exact.
fn check_one_class_a_tier(
    handling: &BTreeMap<String, Vec<AudienceCode>>,
    lists: &Lists,
) -> Result<(), Invalid> {
    for (code, for_whom) in handling {
        for audience in for_whom {
            let tier = lists.tier(*audience);
            let left_out =
                lists.audiences().find(|a| lists.tier(*a) == tier && !for_whom.contains(a));
            if let Some(other) = left_out {
                let detail = format!(
                    "allows {audience} and not {other}, which is of the same tier {tier}; allow both or neither"
                );
                let field = format!("policy.handling.{code}.audiences");
                return Err(Invalid::new(Reason::PolicyUnsafe, field, detail));
            }
        }
    }
    Ok(())
}

fn handling_codes(
    raw: Vec<RawHandling>,
    lists: &Lists,
) -> Result<BTreeMap<String, Vec<AudienceCode>>, Invalid> {
    let mut handling = BTreeMap::new();
    for RawHandling { code, audiences } in raw {
        let code = record::handling_code("policy.handling.code", &code, lists)?;
        let field = format!("policy.handling.{code}.audiences");
        let mut audiences = audiences
            .iter()
            .map(|audience| lists.audience(&field, audience))
            .collect::<Result<Vec<_>, _>>()?;
        audiences.sort_unstable();
        audiences.dedup();
        if handling.insert(code, audiences).is_some() {
            return Err(Invalid::new(Reason::FieldInvalid, field, "stands twice"));
        }
    }
    Ok(handling)
}

#[cfg(test)]
mod tests;
