//! What an analyst judges of a subject. Comes in: a JSON document, and the method that it is for. Goes out: an [`Assessment`]:
//! every level on its scale, every required input spoken of, a reason written down. Must never take a blank for a zero, and
//! never count what the police found by itself where a method counts what victims reported.

use serde::{Deserialize, Serialize};

use super::{
    fixed::Fixed,
    likelihood::Confidence,
    parameters::{Input, Method, Scale, document},
    subject::{Subject, SubjectKind},
};
use crate::{
    limits::{METHOD_INPUTS_MAX, SUMMARY_TEXT_CHARS_MAX},
    plain,
    reason::{Invalid, Reason, quoted},
    roster::bounded,
    taxonomy::Lists,
};

/// How an input says that nobody knows.
const UNKNOWN: &str = "UNKNOWN";

/// A reason that somebody wrote down; no score without one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Justified(String);

impl Justified {
    /// Checks that it says something, in at most [`SUMMARY_TEXT_CHARS_MAX`] characters.
    pub fn read(field: &str, text: &str) -> Result<Self, Invalid> {
        plain::said(field, text, SUMMARY_TEXT_CHARS_MAX).map_err(|error| {
            if error.reason != Reason::FieldMissing {
                return error;
            }
            let detail = "is blank: a score stands with the reason for it, or not at all";
            Invalid { detail: detail.to_owned(), ..error }
        })?;
        Ok(Self(text.to_owned()))
    }

    /// The words.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is known of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// A value of its scale.
    Known(Fixed),
    /// Nobody knows.
    Unknown,
}

/// Who brought a crime to notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReportedBy {
    /// A victim or a witness.
    VictimWitness,
    /// The police: seizures, controls, operations.
    Police,
    /// A company that looks for it.
    Company,
}

/// One input as it is written.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputWritten {
    /// Code of the input.
    pub code: String,
    /// A number or a word of its scale, or `UNKNOWN`.
    pub level: String,
    /// Who reported what is counted; only for methods that count reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_by: Option<ReportedBy>,
}

/// An assessment as it is written.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssessmentWritten {
    /// Name of the method.
    pub method: String,
    /// Its version.
    pub version: String,
    /// Kind of what is scored.
    pub subject_kind: SubjectKind,
    /// What is scored.
    pub subject: String,
    /// How well founded it is. Not in the score.
    pub confidence: Confidence,
    /// Why.
    pub justification: String,
    /// What is known.
    pub inputs: Vec<InputWritten>,
}

/// What is known of a subject, checked against one method. Made by [`Assessment::read`] only.
#[derive(Clone, Debug)]
pub struct Assessment<'a> {
    method: &'a Method,
    subject: Subject,
    confidence: Confidence,
    justification: Justified,
    /// One for each input of the method.
    levels: Vec<Level>,
}

impl AssessmentWritten {
    /// Reads a JSON document. Fields that nobody knows are refused by name.
    pub fn parse(field: &str, bytes: &[u8]) -> Result<Self, Invalid> {
        document(field, bytes)
    }
}

impl<'a> Assessment<'a> {
    /// Checks it against the method that it names.
    pub fn read(
        method: &'a Method,
        written: &AssessmentWritten,
        lists: &Lists,
    ) -> Result<Self, Invalid> {
        if (written.method.as_str(), written.version.as_str()) != (method.id(), method.version()) {
            let detail = format!(
                "is for {} {}, not for {} {}",
                quoted(&written.method),
                quoted(&written.version),
                method.id(),
                method.version()
            );
            return Err(Invalid::new(Reason::MethodUnfit, "method", detail));
        }
        let subject = Subject::read("subject", written.subject_kind, &written.subject, lists)?;
        if subject.kind() != method.subject() {
            let detail = format!("{} scores {:?}", method.id(), method.subject());
            return Err(Invalid::new(Reason::MethodUnfit, "subject_kind", detail));
        }
        bounded("inputs", written.inputs.len(), METHOD_INPUTS_MAX)?;
        let known = |input: &InputWritten| method.inputs().any(|(of, _)| of.code == input.code);
        if let Some(strange) = written.inputs.iter().find(|input| !known(input)) {
            let codes: Vec<_> = method.inputs().map(|(of, _)| of.code.as_str()).collect();
            let (code, codes) = (quoted(&strange.code), codes.join(", "));
            let detail = format!("{code} is no input of {}: {codes}", method.id());
            return Err(Invalid::new(Reason::CodeUnknown, "inputs", detail));
        }
        let levels = method.inputs().map(|(input, scale)| level(method, input, scale, written));
        Ok(Self {
            method,
            subject,
            confidence: written.confidence,
            justification: Justified::read("justification", &written.justification)?,
            levels: levels.collect::<Result<_, _>>()?,
        })
    }

    /// The method that it was checked against.
    pub fn method(&self) -> &'a Method {
        self.method
    }

    /// What is scored.
    pub fn subject(&self) -> Subject {
        self.subject
    }

    /// How well founded it is.
    pub fn confidence(&self) -> Confidence {
        self.confidence
    }

    /// Why.
    pub fn justification(&self) -> &Justified {
        &self.justification
    }

    /// What is known, in the order of the method's inputs.
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }
}

fn level(
    method: &Method,
    input: &Input,
    scale: &Scale,
    written: &AssessmentWritten,
) -> Result<Level, Invalid> {
    let field = format!("inputs[{}]", input.code);
    let mut of = written.inputs.iter().filter(|given| given.code == input.code);
    let Some(given) = of.next() else {
        if !input.required {
            return Ok(Level::Unknown);
        }
        let detail = format!("{} is needed; if nobody knows, write {UNKNOWN}", input.label);
        return Err(Invalid::new(Reason::FieldMissing, field, detail));
    };
    if of.next().is_some() {
        return Err(Invalid::new(Reason::FieldInvalid, field, "stands there twice"));
    }
    let counts_reports = method.formula().victim_reported_only(input);
    match given.reported_by {
        Some(ReportedBy::VictimWitness) if counts_reports => {}
        None if !counts_reports => {}
        Some(_) if !counts_reports => {
            let detail = "this input is no count of reports: leave reported_by out";
            return Err(Invalid::new(Reason::MethodUnfit, format!("{field}.reported_by"), detail));
        }
        Some(_) | None => {
            let detail = "counts what victims or witnesses reported (VICTIM_WITNESS); what police or \
                          companies found by looking for it is reported apart: more work is not more harm";
            return Err(Invalid::new(Reason::MethodUnfit, format!("{field}.reported_by"), detail));
        }
    }
    if given.level == UNKNOWN {
        return Ok(Level::Unknown);
    }
    scale.value(&given.level).map(Level::Known).ok_or_else(|| {
        let most = scale.most().map_or("any number".to_owned(), |most| most.to_string());
        let (found, least) = (quoted(&given.level), scale.least());
        let detail = format!(
            "{found} is not on the scale {} from {least} to {most}, nor {UNKNOWN}",
            scale.code
        );
        Invalid::new(Reason::FieldInvalid, format!("{field}.level"), detail)
    })
}
