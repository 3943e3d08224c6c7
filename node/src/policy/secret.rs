//! The secret part of a policy: the floors below which nothing is shown. Comes in: `policy.secret.toml`, or nothing for
//! the shipped ones. Goes out: rules. Must never be printed, logged, answered or measured: with a floor, and with a
//! figure that is shown or not, contributions can be bounded. Others know it by a salted commitment only.

use std::collections::BTreeMap;

use accord_proto::{
    reason::{Invalid, Reason},
    rules::{PerMille, Rules},
    seal::Digest,
    taxonomy::Tier,
};
use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSecret {
    #[serde(default)]
    tier: BTreeMap<String, RawRules>,
    #[serde(default)]
    bulletin: RawRules,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRules {
    units: Option<u64>,
    sources: Option<u64>,
    coalition: Option<usize>,
    p_percent: Option<f64>,
    dominance: Option<RawDominance>,
    prior_posterior: Option<RawPriorPosterior>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDominance {
    n: usize,
    k_percent: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPriorPosterior {
    p_percent: f64,
    q_percent: f64,
}

/// The floors.
#[derive(Clone)]
pub struct Secret {
    tiers: [Rules; 3],
    bulletin: Rules,
    commitment: Digest,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(_)")
    }
}

impl Secret {
    /// Reads the file; an empty text means the shipped floors. `salt` is the node's own.
    pub fn parse(text: &str, salt: &[u8; 32]) -> Result<Self, Invalid> {
        // The parser's message repeats the line that it stumbles over, and with it the parameter.
        let raw: RawSecret = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| 1 + text.get(..span.start).map_or(0, lines));
            // An unknown key is no parameter; a wrong value may be one.
            let what = error.message();
            let what = if what.starts_with("unknown field") { what } else { "cannot be read" };
            let detail = format!(
                "line {line}: {what}; compare it with deploy/policy.secret.toml (values are not repeated here)"
            );
            Invalid::new(Reason::FieldInvalid, "policy_secret", detail)
        })?;
        for tier in raw.tier.keys() {
            if Tier::parse(tier).is_none() {
                let detail = "a tier is A, B or C";
                return Err(Invalid::new(Reason::CodeUnknown, "policy_secret.tier", detail));
            }
        }
        let none = RawRules::default();
        for tier in [Tier::B, Tier::C] {
            let of = raw.tier.get(tier.as_str()).unwrap_or(&none);
            if of.p_percent.is_some() || of.dominance.is_some() || of.prior_posterior.is_some() {
                let detail = "rules on concentration are for tier A and bulletins: at wider tiers the absence of a figure would tell that it is concentrated";
                let field = format!("policy_secret.tier.{tier}");
                return Err(Invalid::new(Reason::PolicyUnsafe, field, detail));
            }
        }
        let of = |tier: Tier| {
            let raw = raw.tier.get(tier.as_str()).unwrap_or(&none);
            rules(&format!("policy_secret.tier.{tier}"), raw, shipped(tier))
        };
        let secret = Self {
            tiers: [of(Tier::A)?, of(Tier::B)?, of(Tier::C)?],
            bulletin: rules("policy_secret.bulletin", &raw.bulletin, shipped_bulletin())?,
            commitment: Digest([0; 32]),
        };
        Ok(Self { commitment: Digest::of_parts([&salt[..], secret.says().as_bytes()]), ..secret })
    }

    /// The floor of a tier.
    pub fn tier(&self, tier: Tier) -> &Rules {
        let [a, b, c] = &self.tiers;
        match tier {
            Tier::A => a,
            Tier::B => b,
            Tier::C => c,
        }
    }

    /// The rules of bulletins.
    pub fn bulletin(&self) -> &Rules {
        &self.bulletin
    }

    /// SHA-256 over the node's salt and every parameter: it can be opened to an auditor, and says nothing before.
    pub fn commitment(&self) -> Digest {
        self.commitment
    }

    /// Every parameter in one text, for the commitment.
    fn says(&self) -> String {
        let per_mille = |share: PerMille| share.0;
        let line = |rules: &Rules| {
            let Rules { units_min, sources_min, coalition, p, dominance, prior_posterior, zeros } =
                rules;
            let p = p.map(per_mille);
            let dominance = dominance.map(|(n, k)| (n, k.0));
            let prior_posterior = prior_posterior.map(|(p, q)| (p.0, q.0));
            format!(
                "{units_min} {sources_min} {coalition} {p:?} {dominance:?} {prior_posterior:?} {zeros}\n"
            )
        };
        self.tiers.iter().chain([&self.bulletin]).map(line).collect()
    }
}

fn lines(text: &str) -> usize {
    text.matches('\n').count()
}

/// disclosure.md §8.2: floors far below the published thresholds.
fn shipped(tier: Tier) -> Rules {
    let (units_min, p) = match tier {
        Tier::A => (3, Some(PerMille::percent(15))),
        // Whether a figure is dominated would show by its absence; cap and noise protect it instead.
        Tier::B => (5, None),
        Tier::C => (10, None),
    };
    Rules {
        units_min,
        sources_min: 3,
        coalition: 1,
        p,
        dominance: None,
        prior_posterior: None,
        zeros: false,
    }
}

fn shipped_bulletin() -> Rules {
    Rules { zeros: false, ..shipped(Tier::A) }
}

fn rules(field: &str, raw: &RawRules, shipped: Rules) -> Result<Rules, Invalid> {
    let refuse = |detail: String| Err(Invalid::new(Reason::PolicyUnsafe, field, detail));
    let share = |percent: f64| {
        let scaled = (percent * 10.0).round();
        // Shares in tenths of a per cent, up to ten times the whole.
        let fits = (0.0..=10_000.0).contains(&scaled) && (scaled - percent * 10.0).abs() < 1e-6;
        #[expect(clippy::cast_possible_truncation, reason = "checked to be in range")]
        #[expect(clippy::cast_sign_loss, reason = "checked to be in range")]
        fits.then_some(PerMille(scaled as u32)).ok_or_else(|| {
            let detail = "a share is 0 to 1000 per cent, with one decimal at most";
            Invalid::new(Reason::PolicyUnsafe, field, detail)
        })
    };
    let rules = Rules {
        units_min: raw.units.unwrap_or(shipped.units_min),
        sources_min: raw.sources.unwrap_or(shipped.sources_min),
        coalition: raw.coalition.unwrap_or(shipped.coalition),
        p: raw.p_percent.map(share).transpose()?.or(shipped.p),
        dominance: match &raw.dominance {
            Some(RawDominance { n, k_percent }) => Some((*n, share(*k_percent)?)),
            None => None,
        },
        prior_posterior: match &raw.prior_posterior {
            Some(RawPriorPosterior { p_percent, q_percent }) => {
                Some((share(*p_percent)?, share(*q_percent)?))
            }
            None => None,
        },
        zeros: shipped.zeros,
    };
    if rules.units_min < shipped.units_min || rules.sources_min < shipped.sources_min {
        return refuse("units and sources may be raised above what is shipped, not lowered".into());
    }
    if rules.p < shipped.p {
        return refuse("p_percent may be raised above what is shipped, not lowered".into());
    }
    match rules.validate() {
        Ok(()) => Ok(rules),
        Err(flaw) => refuse(flaw.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_never_repeated() {
        for text in [
            "[tier.A]\nunits = 123456\nunits = 123456\n",
            "[tier.A]\nunits = 1\n",
            "[tier.A]\np_percent = 12.3456\n",
            "[tier.A]\nunitz = 123456\n",
            "[bulletin]\ndominance = { n = 9, k_percent = 123456 }\n",
        ] {
            let error = Secret::parse(text, &[0; 32]).unwrap_err().to_string();
            assert!(!error.contains("123456") && !error.contains("12.3456"), "{error}");
        }
        let secret = Secret::parse("[tier.A]\nunits = 77\n", &[0; 32]).unwrap();
        assert!(!format!("{secret:?}").contains("77"));
    }

    #[test]
    fn floors_are_raised_and_never_lowered() {
        assert!(Secret::parse("[tier.A]\nunits = 4\np_percent = 20.5\n", &[0; 32]).is_ok());
        for text in
            ["[tier.A]\nunits = 2\n", "[tier.A]\np_percent = 10\n", "[tier.B]\nsources = 1\n"]
        {
            let error = Secret::parse(text, &[0; 32]).unwrap_err();
            assert_eq!(error.reason, Reason::PolicyUnsafe, "{text}");
        }
    }

    #[test]
    fn the_commitment_binds_and_does_not_tell() {
        let of = |text, salt| Secret::parse(text, &salt).unwrap().commitment();
        assert_eq!(of("", [0; 32]), of("[tier.A]\nunits = 3\n", [0; 32]), "the same parameters");
        assert_ne!(of("", [0; 32]), of("[tier.A]\nunits = 4\n", [0; 32]));
        assert_ne!(of("", [0; 32]), of("", [1; 32]), "two nodes with the same floors");
    }
}
