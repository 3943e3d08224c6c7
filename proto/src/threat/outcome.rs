//! A score with its uncertainty. Comes in: an assessment. Goes out: an [`Outcome`]: point, interval, band or white spot,
//! confidence beside it, and how it came about. Must never multiply confidence in, mix the forecast into the present, or put
//! outcomes of unlike methods together.

use serde::Serialize;

use super::{
    fixed::Fixed,
    input::{Assessment, Justified, Level},
    likelihood::Confidence,
    method::{Figures, Reading, Side},
    parameters::Method,
    ranks::{Bounds, Place, places},
    subject::Subject,
    trace::{Step, steps},
};
use crate::{
    reason::{Invalid, Reason},
    seal::Digest,
};

/// A figure and where it may lie, whatever the unknown is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Span {
    /// By the method's own rule for what is unknown.
    pub point: Fixed,
    /// With the least for everything unknown.
    pub lo: Fixed,
    /// With the largest for everything unknown; none: there is no largest.
    pub hi: Option<Fixed>,
}

/// A figure that stands beside a score and is no part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Beside {
    /// What it is.
    pub code: &'static str,
    /// By the method's own rule; none: nothing of it is known.
    pub point: Option<Fixed>,
    /// With the least for everything unknown.
    pub lo: Option<Fixed>,
    /// With the largest for everything unknown.
    pub hi: Option<Fixed>,
}

/// What a score says in a word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Verdict {
    /// A band of the method, or a verdict of its matrix.
    Band(String),
    /// Too much is unknown: there is no band.
    WhiteSpot,
    /// The method has no words for its scores.
    None,
}

/// An intelligence requirement that somebody should consider. Nothing is issued by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Suggestion {
    /// Why.
    pub why: String,
    /// Codes of inputs that are not known: where to look.
    pub unknown: Vec<String>,
}

/// A score. Made by [`score`] only, and never changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Outcome(Told);

impl std::ops::Deref for Outcome {
    type Target = Told;

    fn deref(&self) -> &Told {
        &self.0
    }
}

/// What an [`Outcome`] tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// Name of the method.
    pub method: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its parameters.
    #[serde(serialize_with = "as_text")]
    pub parameters: Digest,
    /// What is scored.
    #[serde(serialize_with = "as_text")]
    pub subject: Subject,
    /// The score as of now.
    pub score: Span,
    /// The largest score of the method; none: there is none.
    pub max: Option<Fixed>,
    /// In per cent of the largest, if there is one.
    pub normalised: Option<Span>,
    /// In a word.
    pub verdict: Verdict,
    /// The words that the least and the largest would have; none: the method has no bands.
    pub verdict_range: Option<[String; 2]>,
    /// Share of the inputs that are unknown, by weight, in the part of the formula where it is largest.
    pub unknown_share: Fixed,
    /// How well founded it is. In no figure here.
    pub confidence: Confidence,
    /// Why.
    pub justification: Justified,
    /// Figures that are no part of the score.
    pub beside: Vec<Beside>,
    /// Where it may go; in no figure of the present.
    pub forecast: Option<Beside>,
    /// How it came about.
    pub trace: Vec<Step>,
    /// What somebody should consider.
    pub suggestion: Option<Suggestion>,
}

fn as_text<S: serde::Serializer>(
    value: &impl std::fmt::Display,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// Scores an assessment.
pub fn score(assessment: &Assessment<'_>) -> Result<Outcome, Invalid> {
    let method = assessment.method();
    let known: Vec<_> = assessment.levels().iter().map(known).collect();
    let at = |side| Reading::new(method, &known, side).figures(method.formula());
    let [point, low, high] = [at(Side::Point)?, at(Side::Low)?, at(Side::High)?];
    let nothing = || Invalid::new(Reason::Internal, "score", "gives nothing at its least");
    let lo = low.as_ref().ok_or_else(nothing)?.point;
    let hi = high.as_ref().map(|figures| figures.point);
    // Where nothing of a part is known, the middle of what is possible: a white spot anyway.
    let of = point.as_ref().map(|figures| figures.point);
    let middle = || Fixed::ratio(lo.millionths() + hi.unwrap_or(lo).millionths(), 2_000_000);
    let score = Span { point: of.or_else(middle).unwrap_or(lo), lo, hi };
    let max = method.max()?;
    let unknown_share = unknown_share(method, &known);
    let sides = [point.as_ref(), low.as_ref(), high.as_ref()];
    let word = |figures: Option<&Figures>, of: Fixed| {
        let own = figures.and_then(|figures| figures.verdict.clone());
        own.or_else(|| method.bands().of(of).map(|band| band.code.clone()))
    };
    let verdict = match word(sides[0], score.point) {
        _ if unknown_share > method.white_spot_above() => Verdict::WhiteSpot,
        Some(word) => Verdict::Band(word),
        None => Verdict::None,
    };
    let ends = [word(sides[1], lo), hi.and_then(|hi| word(sides[2], hi))];
    let verdict_range = match ends {
        [Some(least), Some(most)] => Some([least, most]),
        [_, _] => None,
    };
    Ok(Outcome(Told {
        method: method.id().to_owned(),
        version: method.version().to_owned(),
        parameters: method.digest(),
        subject: assessment.subject(),
        normalised: max.and_then(|max| normalised(score, max)),
        suggestion: suggestion(assessment, &verdict),
        score,
        max,
        verdict,
        verdict_range,
        unknown_share,
        confidence: assessment.confidence(),
        justification: assessment.justification().clone(),
        beside: beside(sides),
        forecast: forecast(sides),
        trace: steps(assessment),
    }))
}

fn known(level: &Level) -> Option<Fixed> {
    match level {
        Level::Known(value) => Some(*value),
        Level::Unknown => None,
    }
}

fn normalised(score: Span, max: Fixed) -> Option<Span> {
    let of = |figure: Fixed| Fixed::ratio(figure.millionths() * 100, max.millionths());
    Some(Span { point: of(score.point)?, lo: of(score.lo)?, hi: score.hi.and_then(of) })
}

/// A product is as unknown as the part of it that is least known.
fn unknown_share(method: &Method, known: &[Option<Fixed>]) -> Fixed {
    let share = |group: &str| {
        let of = method.inputs().zip(known).filter(|((input, _), _)| input.group == group);
        let (mut all, mut unknown) = (0_i128, 0_i128);
        for ((input, _), level) in of {
            all += input.weight.millionths();
            unknown += if level.is_none() { input.weight.millionths() } else { 0 };
        }
        Fixed::ratio(unknown, all).unwrap_or_default()
    };
    method.formula().counted().map(share).max().unwrap_or_default()
}

fn beside(sides: [Option<&Figures>; 3]) -> Vec<Beside> {
    let mut codes = Vec::new();
    for (code, _) in sides.iter().flatten().flat_map(|figures| &figures.beside) {
        if !codes.contains(code) {
            codes.push(*code);
        }
    }
    let figure = |code: &'static str| {
        let [point, lo, hi] = sides.map(|figures| {
            let of = figures?.beside.iter().find(|(of, _)| *of == code);
            of.map(|(_, figure)| *figure)
        });
        Beside { code, point, lo, hi }
    };
    codes.into_iter().map(figure).collect()
}

fn forecast(sides: [Option<&Figures>; 3]) -> Option<Beside> {
    let [point, lo, hi] = sides.map(|figures| figures?.forecast);
    // Without any factor known there is no forecast, only the width of what may come.
    point.map(|point| Beside { code: "FORECAST", point: Some(point), lo, hi })
}

/// A grave score on weak grounds is a question that somebody should ask.
fn suggestion(assessment: &Assessment<'_>, verdict: &Verdict) -> Option<Suggestion> {
    let method = assessment.method();
    let Verdict::Band(band) = verdict else { return None };
    if assessment.confidence() != Confidence::Low || !method.asks_more(band) {
        return None;
    }
    let unknown = method.inputs().zip(assessment.levels());
    let unknown = unknown.filter(|(_, level)| **level == Level::Unknown);
    Some(Suggestion {
        why: format!(
            "{} is {band} by {}, and what that rests on is weak",
            assessment.subject(),
            method.id()
        ),
        unknown: unknown.map(|((input, _), _)| input.code.clone()).collect(),
    })
}

/// Outcomes of one method with the same parameters: only these may be ordered or averaged. Made by [`Alike::of`] only.
#[derive(Debug)]
pub struct Alike<'a>(&'a [Outcome]);

impl<'a> Alike<'a> {
    /// Refuses what is not alike, and nothing at all.
    pub fn of(outcomes: &'a [Outcome]) -> Result<Self, Invalid> {
        let refuse = |detail: String| Err(Invalid::new(Reason::MethodUnfit, "outcomes", detail));
        let Some(first) = outcomes.first() else {
            return refuse("there are none".to_owned());
        };
        let unlike = outcomes.iter().find(|other| {
            (&other.method, &other.version, other.parameters)
                != (&first.method, &first.version, first.parameters)
        });
        match unlike {
            None => Ok(Self(outcomes)),
            Some(other) => refuse(format!(
                "{} {} with parameters {} and {} {} with {} do not go together: rank each by itself",
                first.method,
                first.version,
                first.parameters,
                other.method,
                other.version,
                other.parameters
            )),
        }
    }

    /// Each in its order, with its place among those that are no white spot; none: it is one. A white spot is a result, not
    /// the last place.
    ///
    /// # Errors
    /// `METHOD_UNFIT` if one subject stands among them twice.
    pub fn places(&self) -> Result<Vec<(&'a Outcome, Option<Place>)>, Invalid> {
        for (at, outcome) in self.0.iter().enumerate() {
            if self.0[..at].iter().any(|other| other.subject == outcome.subject) {
                let detail = format!("{} is scored twice: give one of them", outcome.subject);
                return Err(Invalid::new(Reason::MethodUnfit, "outcomes", detail));
            }
        }
        let known = |outcome: &&Outcome| outcome.verdict != Verdict::WhiteSpot;
        let bounds = |outcome: &Outcome| Bounds {
            point: outcome.score.point.millionths(),
            lo: outcome.score.lo.millionths(),
            // Without a largest it may take any place above.
            hi: outcome.score.hi.map_or(i128::MAX, Fixed::millionths),
        };
        let mut places =
            places(&self.0.iter().filter(known).map(bounds).collect::<Vec<_>>()).into_iter();
        let placed = |outcome| (outcome, if known(&outcome) { places.next() } else { None });
        Ok(self.0.iter().map(placed).collect())
    }

    /// Their unweighted mean.
    pub fn mean(&self) -> Result<Span, Invalid> {
        let count = i128::try_from(self.0.len()).unwrap_or(1) * 1_000_000;
        let mean = |of: fn(&Outcome) -> Option<Fixed>| {
            let sum: Option<i128> =
                self.0.iter().map(|outcome| Some(of(outcome)?.millionths())).sum();
            sum.and_then(|sum| Fixed::ratio(sum, count))
        };
        let point = mean(|outcome| Some(outcome.score.point));
        let lo = mean(|outcome| Some(outcome.score.lo));
        let fits = || Invalid::new(Reason::LimitExceeded, "outcomes", "the mean does not fit");
        Ok(Span {
            point: point.ok_or_else(fits)?,
            lo: lo.ok_or_else(fits)?,
            hi: mean(|outcome| outcome.score.hi),
        })
    }
}
