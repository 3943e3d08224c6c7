//! The fields of a summary (domain.md §7.3) as they stand in the file: text in, fields out. Whether they
//! hold what they may hold, [`super::check`] says. A field that nobody knows is refused by name.

use accord_proto::reason::{Invalid, Reason};
use serde::{Deserialize, Serialize};

/// A summary. Codes are of the vocabularies of the contract (proto/codes).
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// At most 200 characters.
    pub title: String,
    /// Code of the vocabulary `LANGUAGE`.
    pub language: String,
    /// Code of the vocabulary `PRODUCT_TYPE`.
    pub product_type: String,
    /// Codes of the lists `crime_areas` or `iccs`.
    pub crime_areas: Vec<String>,
    /// Like 2016, 2016-H1, 2016-Q3 or 2016-05.
    pub period: String,
    /// Codes of the list `regions`, within the jurisdiction.
    pub regions: Vec<String>,
    /// Crime-relevant factors: codes of the vocabulary `FACTOR`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub factors: Vec<String>,
    /// Codes of the vocabulary `ENABLER`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub enablers: Vec<String>,
    /// Intelligence gaps: what is not known and should be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<String>,
    /// Expired from this day on, unless somebody looked at it again.
    pub review_due: String,
    /// Expired from this day on, for good.
    pub retention_until: String,
    /// Somebody has read every text for personal data. Must be true to leave draft.
    #[serde(default)]
    pub attest_no_personal_data: bool,
    /// Who may see it.
    pub handling: Handling,
    /// Where things go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trend: Option<Trend>,
    /// What the state does about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Response>,
    /// What the analyst says; at least one.
    pub key_judgements: Vec<Judgement>,
    /// What it does to people and institutions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub impact: Vec<Impact>,
    /// Results of registered scoring methods.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scores: Vec<Score>,
    /// Which observations it rests on. The figures are records, not part of a summary.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observations: Vec<ObservationRef>,
    /// How its inputs are graded: a distribution, for no single grade is true of a summary.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evaluation: Vec<Evaluation>,
}

/// A key judgement. Likelihood and confidence are never one.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Judgement {
    /// One statement.
    pub text: String,
    /// Code of the vocabulary `JUDGEMENT_KIND`.
    pub kind: String,
    /// Code of the vocabulary `CONFIDENCE`: how well founded it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<String>,
    /// Code of the vocabulary `HORIZON`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub horizon: Option<String>,
    /// How many sources it rests on, as one of the bands 1, 2-4, 5-9, 10+.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sources_band: Option<String>,
    /// How likely it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub likelihood: Option<Likelihood>,
    /// Evaluation of what it rests on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grades: Vec<Grade>,
}

/// A term of a scale; terms of different scales are never mixed.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Likelihood {
    /// PHIA or ICD203.
    pub scale: String,
    /// Code of that scale's vocabulary.
    pub term: String,
}

/// Source × information, as given: nothing is converted between schemes.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Grade {
    /// 4X4, 5X5X5, 3X5X2 or 6X6.
    pub scheme: String,
    /// Grade of the source.
    pub source: String,
    /// Grade of the information.
    pub information: String,
}

/// How many inputs have a grade.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// 4X4, 5X5X5, 3X5X2 or 6X6.
    pub scheme: String,
    /// Grade of the source.
    pub source: String,
    /// Grade of the information.
    pub information: String,
    /// How many inputs.
    pub inputs: u32,
}

/// Direction, what it rests on, and compared with what.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Trend {
    /// Code of the vocabulary `TREND`.
    pub direction: String,
    /// Code of the vocabulary `TREND_BASIS`.
    pub basis: String,
    /// Code of the vocabulary `TREND_VERSUS`.
    pub versus: String,
}

/// One dimension of harm.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Impact {
    /// Code of the vocabulary `IMPACT`.
    pub dimension: String,
    /// 0 (none) to 5 (extreme).
    pub level: u32,
    /// Why that level.
    pub rationale: String,
}

/// What the state does, and what it lacks.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Response {
    /// How many operations.
    pub operations: u32,
    /// Too few hands: 0 (none lack) to 4.
    pub capacity_gap: u32,
    /// Too little skill or equipment: 0 (none lacks) to 4.
    pub capability_gap: u32,
}

/// Result of a scoring method; one without a justification is refused.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// Code of the lists `crime_areas` or `iccs`.
    pub area: String,
    /// Name of the method, like RISK-5X5-C.
    pub method: String,
    /// A plain number like "12" or "31.25".
    pub value: String,
    /// Why.
    pub justification: String,
}

/// Names observations.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ObservationRef {
    /// Code of the list `indicators`.
    pub indicator: String,
    /// Code of the list that the indicator names.
    pub crime_area: String,
    /// Code of the list `regions`, within the jurisdiction.
    pub region: String,
    /// A period that the indicator has.
    pub period: String,
    /// Code of the vocabulary `OBS_STATUS`: how far the figure is to be relied on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

/// Who may see it: three marks that say different things (domain.md §4.2–4.4).
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Handling {
    /// Code of the vocabulary `TLP`.
    pub tlp: String,
    /// Codes of the vocabulary `HANDLING.EUROPOL`; H0 holds always.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub europol_codes: Vec<String>,
    /// Code of the vocabulary `CLASSIFICATION`.
    pub classification: String,
    /// Other restrictions, in words; what H3 means here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub caveats: Vec<String>,
    /// NO, ASK or LISTED.
    pub onward: String,
    /// With LISTED: codes of the list `audiences`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub releasable_to: Vec<String>,
}

impl Written {
    /// Reads TOML, or JSON if it begins like that.
    pub(super) fn read(text: &str) -> Result<Self, Invalid> {
        if text.trim_start().starts_with('{') {
            return serde_json::from_str(text)
                .map_err(|error| unreadable(error.line(), &without_place(&error.to_string())));
        }
        toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.map_or(1, |before| before.matches('\n').count() + 1);
            unreadable(line, error.message())
        })
    }

    /// The one text of these fields.
    pub(super) fn to_text(&self) -> Result<String, Invalid> {
        toml::to_string(self)
            .map_err(|error| Invalid::new(Reason::Internal, "summary", error.to_string()))
    }
}

/// serde_json's own " at line 5 column 2".
fn without_place(message: &str) -> String {
    message.rsplit_once(" at line ").map_or(message, |(said, _)| said).to_owned()
}

/// Says where and what is wanted. A parser's message may quote what it found: that part is left out.
fn unreadable(line: usize, message: &str) -> Invalid {
    const SHOWN_MAX: usize = 300;
    let message: String = message.chars().filter(|c| !c.is_control()).take(SHOWN_MAX).collect();
    let quotes = message.starts_with("invalid type") || message.starts_with("invalid value");
    let said = match message.rsplit_once(", expected ") {
        Some((_, wanted)) if quotes => format!("expected {wanted}"),
        Some(_) | None => message,
    };
    let reason = if said.starts_with("unknown field") {
        Reason::FieldUnknown
    } else if said.starts_with("missing field") {
        Reason::FieldMissing
    } else {
        Reason::FieldInvalid
    };
    Invalid::new(reason, "summary", format!("line {line}: {said}"))
}
