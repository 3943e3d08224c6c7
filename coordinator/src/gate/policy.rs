//! The gate's parameters. Comes in: a secret file, or nothing for what is shipped. Goes out: parameters that protect
//! somebody. Must never print one: whoever knows them, and sees what is shown and what is not, can bound what a
//! jurisdiction contributes. They are the custodian's.

use accord_proto::{
    question::CONTRIBUTORS_MIN,
    reason::{Invalid, Reason},
    rules::{PerMille, Rules},
};
use serde::Deserialize;

/// Parameters of the gate: secret.
#[derive(Clone, PartialEq, Eq)]
pub struct GatePolicy {
    p: PerMille,
    coalition: usize,
}

/// As the file has it. Every value may be left out, and raised above what is shipped, none lowered.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPolicy {
    #[serde(default = "p_percent")]
    p_percent: u32,
    #[serde(default = "coalition")]
    coalition: usize,
}

const fn p_percent() -> u32 {
    10
}

const fn coalition() -> usize {
    1
}

impl Default for GatePolicy {
    /// What is shipped.
    fn default() -> Self {
        Self { p: PerMille::percent(p_percent()), coalition: coalition() }
    }
}

impl std::fmt::Debug for GatePolicy {
    /// Prints no number.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GatePolicy")
    }
}

impl GatePolicy {
    /// Reads the text of a `gate.secret.toml`. An error names the line, and no value.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let refused = |detail: String| Invalid::new(Reason::FieldInvalid, "gate.policy", detail);
        let raw: RawPolicy = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            // An unknown key is no parameter; a wrong value may be one.
            let what = error.message();
            let what = if what.starts_with("unknown field") { what } else { "cannot be read" };
            refused(format!("line {line}: {what}; compare it with deploy/gate.secret.toml"))
        })?;
        if !(p_percent()..=100).contains(&raw.p_percent) {
            let detail = "p_percent: may be raised above what is shipped, up to 100, not lowered";
            return Err(refused(detail.to_owned()));
        }
        let policy = Self { p: PerMille::percent(raw.p_percent), coalition: raw.coalition };
        let flaw = |flaw| refused(format!("coalition: {flaw}"));
        policy.rules(0).validate().map_err(flaw)?;
        Ok(policy)
    }

    /// Fewest jurisdictions behind a figure that is not public. This one everybody may know: it stands in every picture.
    pub fn contributors_min(&self, minimum: u32) -> u64 {
        self.rules(minimum).units_min
    }

    /// As many jurisdictions may pool what they know.
    pub(super) fn coalition(&self) -> usize {
        self.coalition
    }

    /// What a requirement's cells are judged by: as many jurisdictions as it demands, or more.
    pub(super) fn rules(&self, minimum: u32) -> Rules {
        let minimum = u64::from(minimum.max(CONTRIBUTORS_MIN));
        Rules {
            units_min: minimum.max((self.coalition as u64).saturating_add(2)),
            sources_min: 0,
            coalition: self.coalition,
            p: Some(self.p),
            dominance: None,
            prior_posterior: None,
            zeros: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_may_be_raised_and_not_lowered() {
        assert_eq!(GatePolicy::parse("").unwrap(), GatePolicy::default());
        let strict = GatePolicy::parse("p_percent = 25\ncoalition = 2\n").unwrap();
        assert_eq!(strict.rules(3).units_min, 4, "c + 2");
        assert_eq!(strict.rules(6).units_min, 6, "a requirement may ask for more");
        for wrong in
            ["p_percent = 9", "p_percent = 101", "coalition = 0", "coalition = 4", "p = 10", "?"]
        {
            assert!(GatePolicy::parse(wrong).is_err(), "{wrong}");
        }
    }

    /// Found by fuzzing: such a coalition was counted with before it was refused.
    #[test]
    fn a_coalition_that_cannot_be_is_refused_however_large() {
        for coalition in [i64::MAX.cast_unsigned() - 1, u64::MAX - 1, u64::MAX] {
            let error = GatePolicy::parse(&format!("coalition = {coalition}")).unwrap_err();
            assert_eq!(error.reason, Reason::FieldInvalid, "{coalition}");
        }
    }

    #[test]
    fn no_parameter_is_printed() {
        let policy = GatePolicy::parse("p_percent = 77").unwrap();
        assert!(!format!("{policy:?}").contains("77"));
        let error = GatePolicy::parse("p_percent = 177").unwrap_err();
        assert!(!error.to_string().contains("177"), "{error}");
        let error = GatePolicy::parse("coalition = 1\np_percent = \"77\"").unwrap_err();
        assert!(!error.to_string().contains("77") && error.detail.contains("line 2"), "{error}");
    }
}
