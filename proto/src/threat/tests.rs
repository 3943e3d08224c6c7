//! What scores and rankings promise: helpers of all. Dice come from a printed seed.

mod guards;
mod pictures;
mod ranks;
mod real;
mod scores;

use super::*;
use crate::{reason::Invalid, taxonomy::Lists};

/// Numbers below what is asked, the same ones for a seed.
pub(super) fn dice(seed: u64) -> impl FnMut(u64) -> i128 {
    let mut state = seed;
    move |most| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i128::from((state >> 33) % most)
    }
}

fn number(text: &str) -> Fixed {
    Fixed::parse(text).unwrap()
}

fn method(id: &str) -> &'static Method {
    Methods::builtin().find("method", id, None).unwrap()
}

/// An assessment by a method of the registry; inputs that are not named are left out.
fn written(id: &str, levels: &[(&str, &str)]) -> AssessmentWritten {
    let method = method(id);
    let input = |(code, level): &(&str, &str)| InputWritten {
        code: (*code).to_owned(),
        level: (*level).to_owned(),
        reported_by: code.starts_with("ICCS").then_some(ReportedBy::VictimWitness),
    };
    let subject = match method.subject() {
        SubjectKind::CrimeArea => "THB",
        SubjectKind::OcgClass | SubjectKind::Route | SubjectKind::BorderSegment => "CLASS-7",
    };
    AssessmentWritten {
        method: method.id().to_owned(),
        version: method.version().to_owned(),
        subject_kind: method.subject(),
        subject: subject.to_owned(),
        confidence: Confidence::Moderate,
        justification: "Because of what the sources agree on.".to_owned(),
        inputs: levels.iter().map(input).collect(),
    }
}

fn scored(method: &Method, written: &AssessmentWritten) -> Result<Outcome, Invalid> {
    score(&Assessment::read(method, written, Lists::builtin())?)
}

fn outcome(id: &str, levels: &[(&str, &str)]) -> Outcome {
    scored(method(id), &written(id, levels)).unwrap()
}

/// Point, least and largest.
fn span(outcome: &Outcome) -> [String; 3] {
    let Span { point, lo, hi } = outcome.score;
    [point.to_string(), lo.to_string(), hi.map_or("none".to_owned(), |hi| hi.to_string())]
}

fn beside(outcome: &Outcome, code: &str) -> Option<String> {
    let of = outcome.beside.iter().find(|beside| beside.code == code)?;
    of.point.map(|point| point.to_string())
}

fn band(code: &str) -> Verdict {
    Verdict::Band(code.to_owned())
}
