//! The published policy: in which mode each indicator may leave. A file in, a checked policy out.
//!
//! What it does not name is closed. Modes *protected* and *bulletin* are refused: there is no
//! half-made protection.

use std::collections::BTreeMap;

use accord_proto::{
    reason::{Invalid, Reason, quoted},
    seal::Digest,
    table::Mode,
    taxonomy::{AudienceCode, IndicatorCode, Lists},
};
use serde::Deserialize;

use crate::record::{self, Context};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPolicy {
    #[serde(default)]
    indicator: Vec<RawEntry>,
    #[serde(default)]
    handling: Vec<RawHandling>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    code: String,
    mode: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHandling {
    code: String,
    audiences: Vec<String>,
}

/// The checked policy.
#[derive(Clone, Debug)]
pub struct Policy {
    modes: BTreeMap<IndicatorCode, Mode>,
    /// Handling code → audiences for which a record that bears it may count.
    handling: BTreeMap<String, Vec<AudienceCode>>,
    digest: Digest,
}

impl Policy {
    /// Reads a policy file.
    pub fn parse(text: &str, lists: &Lists) -> Result<Self, Invalid> {
        let raw: RawPolicy = toml::from_str(text)
            .map_err(|error| Invalid::new(Reason::FieldInvalid, "policy", error.to_string()))?;
        let mut modes = BTreeMap::new();
        for RawEntry { code, mode } in raw.indicator {
            let indicator = lists.indicator("policy.indicator.code", &code)?;
            let field = format!("policy.{code}.mode");
            let mode = match mode.as_str() {
                "open" if indicator.public => Mode::Open,
                "open" => {
                    let detail = "open is for figures that are already public nationally; the registry says this one is not";
                    return Err(Invalid::new(Reason::ModeUnavailable, field, detail));
                }
                "closed" => Mode::Closed,
                "protected" | "bulletin" => {
                    let detail =
                        format!("{mode} is not available in this version; use open or closed");
                    return Err(Invalid::new(Reason::ModeUnavailable, field, detail));
                }
                _ => {
                    let detail = format!("{} is not a mode; use open or closed", quoted(&mode));
                    return Err(Invalid::new(Reason::CodeUnknown, field, detail));
                }
            };
            if modes.insert(indicator.code, mode).is_some() {
                return Err(Invalid::new(Reason::FieldInvalid, field, "stands twice"));
            }
        }
        let handling = handling_codes(raw.handling, lists)?;
        let modes_say = modes.iter().map(|(code, mode)| format!("{code} {mode:?}\n"));
        let handling_says =
            handling.iter().map(|(code, for_whom)| format!("{code} {for_whom:?}\n"));
        let lines: String = modes_say.chain(handling_says).collect();
        Ok(Self { modes, handling, digest: Digest::of(lines.as_bytes()) })
    }

    /// May a record count in what `audience` gets? Every handling code that it bears must allow it; a code
    /// that the policy does not name allows nobody.
    pub fn counts(&self, context: &Context, audience: AudienceCode) -> bool {
        context.handling.split_ascii_whitespace().all(|code| {
            self.handling.get(code).is_some_and(|audiences| audiences.contains(&audience))
        })
    }

    /// The mode of an indicator; closed unless the policy says otherwise.
    pub fn mode(&self, indicator: IndicatorCode) -> Mode {
        self.modes.get(&indicator).copied().unwrap_or(Mode::Closed)
    }

    /// Digest of what it says of handling codes: editions that were filtered by other rules are not answered from.
    pub fn handling(&self) -> Digest {
        let says = self.handling.iter().map(|(code, for_whom)| format!("{code} {for_whom:?}\n"));
        Digest::of(says.collect::<String>().as_bytes())
    }

    /// Digest of what the policy says; every seal names it.
    pub fn digest(&self) -> Digest {
        self.digest
    }
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
mod tests {
    use super::*;

    fn parse(code: &str, mode: &str) -> Result<Policy, Invalid> {
        Policy::parse(
            &format!("[[indicator]]\ncode = \"{code}\"\nmode = \"{mode}\"\n"),
            Lists::builtin(),
        )
    }

    #[test]
    fn only_figures_that_are_already_public_may_be_open() {
        assert!(parse("PUB.OFF.N", "open").is_ok());
        assert_eq!(parse("THB.VIC.N", "open").unwrap_err().reason, Reason::ModeUnavailable);
    }

    #[test]
    fn half_made_protection_is_refused() {
        for mode in ["protected", "bulletin"] {
            assert_eq!(parse("PUB.OFF.N", mode).unwrap_err().reason, Reason::ModeUnavailable);
        }
    }

    #[test]
    fn what_is_not_named_is_closed() {
        let policy = Policy::parse("", Lists::builtin()).unwrap();
        assert_eq!(policy.mode(IndicatorCode::parse("PUB.OFF.N").unwrap()), Mode::Closed);
    }
}
