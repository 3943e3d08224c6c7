//! From levels to figures. Comes in: a method's inputs with what is known of them. Goes out: what its formula gives, for one
//! reading of what is unknown. Every formula only grows with its inputs, so its least and its largest are found by putting
//! the least and the largest for everything unknown. Must never be given a formula that does not.

use serde::{Deserialize, Serialize};

use super::{
    fixed::Fixed,
    parameters::{Input, Method, UnknownRule},
};
use crate::reason::{Invalid, Reason};

mod chi;
mod ciram;
mod hlo;
mod index;
mod risk_matrix;
mod sleipnir;
mod socta;

/// The only group whose levels may lie below 0: it moves a forecast either way, and is in no product.
pub(super) const FACTORS: &str = "FACTOR";

/// The formulas that there are; which numbers they take stands in the parameters.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Formula {
    RiskMatrix(risk_matrix::RiskMatrix),
    Sleipnir(sleipnir::Sleipnir),
    Hlo(hlo::Hlo),
    Chi(chi::Chi),
    Index(index::Index),
    Ciram(ciram::Ciram),
    Socta(socta::Socta),
}

/// What a formula needs and gives.
trait Formulated {
    /// Groups of inputs: name, fewest inputs, and whether the score rests on it. What does not is told beside it.
    fn groups(&self) -> &'static [(&'static str, usize, bool)];

    /// Whether its own numbers fit.
    fn check(&self, inputs: &[Input]) -> Result<(), Invalid> {
        let _ = inputs;
        Ok(())
    }

    /// What it gives.
    fn at(&self, reading: &Reading<'_>) -> Result<Figures, Gap>;
}

impl Formula {
    fn of(&self) -> &dyn Formulated {
        match self {
            Self::RiskMatrix(formula) => formula,
            Self::Sleipnir(formula) => formula,
            Self::Hlo(formula) => formula,
            Self::Chi(formula) => formula,
            Self::Index(formula) => formula,
            Self::Ciram(formula) => formula,
            Self::Socta(formula) => formula,
        }
    }

    /// Name of the formula.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::RiskMatrix(_) => "RISK_MATRIX",
            Self::Sleipnir(_) => "SLEIPNIR",
            Self::Hlo(_) => "HLO",
            Self::Chi(_) => "CHI",
            Self::Index(_) => "INDEX",
            Self::Ciram(_) => "CIRAM",
            Self::Socta(_) => "SOCTA",
        }
    }

    /// Does it count only what victims and witnesses reported?
    pub(super) fn victim_reported_only(&self, input: &Input) -> bool {
        matches!(self, Self::Chi(_)) && input.group == chi::OFFENCE
    }

    /// Do the inputs fit the formula?
    pub(super) fn check(&self, inputs: &[Input]) -> Result<(), Invalid> {
        let groups = self.of().groups();
        let wrong = |detail: String| Err(Invalid::new(Reason::FieldInvalid, "inputs", detail));
        for input in inputs {
            if !groups.iter().any(|(name, _, _)| *name == input.group) {
                let names: Vec<_> = groups.iter().map(|(name, _, _)| *name).collect();
                let (code, group, names) = (&input.code, &input.group, names.join(", "));
                return wrong(format!("{code} is in the group {group}, which is none of {names}"));
            }
        }
        for (name, fewest, _) in groups {
            let of: Vec<_> = inputs.iter().filter(|input| input.group == *name).collect();
            if of.len() < *fewest {
                return wrong(format!(
                    "{} in the group {name}, at least {fewest} needed",
                    of.len()
                ));
            }
            if !of.is_empty() && of.iter().all(|input| input.weight == Fixed::ZERO) {
                return wrong(format!("every weight in the group {name} is 0"));
            }
        }
        self.of().check(inputs)
    }

    /// Groups that the score rests on.
    pub(super) fn counted(&self) -> impl Iterator<Item = &'static str> {
        self.of().groups().iter().filter(|(_, _, counted)| *counted).map(|(name, _, _)| *name)
    }
}

/// What stands for an input that is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// What the method says.
    Point,
    /// The least.
    Low,
    /// The largest.
    High,
}

/// What a formula gives.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures {
    /// The score.
    pub(super) point: Fixed,
    /// What stands beside it, by code.
    pub(super) beside: Vec<(&'static str, Fixed)>,
    /// Of the time to come, never of now.
    pub(super) forecast: Option<Fixed>,
    /// The verdict of methods that have one instead of bands.
    pub(super) verdict: Option<String>,
}

impl Figures {
    fn of(point: Fixed) -> Self {
        Self { point, ..Self::default() }
    }

    /// Something beside the score, where it is known.
    fn beside(mut self, code: &'static str, figure: Result<Fixed, Gap>) -> Result<Self, Gap> {
        match figure {
            Ok(figure) => self.beside.push((code, figure)),
            Err(Gap::NothingKnown | Gap::Unbounded) => {}
            Err(Gap::TooLarge) => return Err(Gap::TooLarge),
        }
        Ok(self)
    }
}

/// Why a formula gives nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    /// Nothing of a group is known, and nothing stands for it.
    NothingKnown,
    /// Something unknown has no largest.
    Unbounded,
    /// It does not fit.
    TooLarge,
}

/// Weight and level of an input that counts, both in millionths.
#[derive(Clone, Copy)]
struct Part {
    weight: i128,
    level: i128,
}

/// One reading of what is unknown.
pub(super) struct Reading<'a> {
    method: &'a Method,
    /// For each input of the method what is known.
    known: &'a [Option<Fixed>],
    side: Side,
}

impl<'a> Reading<'a> {
    pub(super) fn new(method: &'a Method, known: &'a [Option<Fixed>], side: Side) -> Self {
        Self { method, known, side }
    }

    /// What the formula gives; none where it gives nothing.
    pub(super) fn figures(&self, formula: &Formula) -> Result<Option<Figures>, Invalid> {
        match formula.of().at(self) {
            Ok(figures) => Ok(Some(figures)),
            Err(Gap::NothingKnown | Gap::Unbounded) => Ok(None),
            Err(Gap::TooLarge) => {
                let detail =
                    "the score is too large for 64 bits: are the numbers of its inputs right?";
                Err(Invalid::new(Reason::LimitExceeded, "score", detail))
            }
        }
    }

    /// What counts of a group.
    fn group(&self, name: &str) -> Result<Vec<Part>, Gap> {
        let mut parts = Vec::new();
        for ((input, scale), known) in self.method.inputs().zip(self.known) {
            if input.group != name {
                continue;
            }
            let level = match (*known, self.side, input.unknown) {
                (Some(level), _, _) => level,
                (None, Side::Low, _) => scale.least(),
                (None, Side::High, _) => scale.most().ok_or(Gap::Unbounded)?,
                (None, Side::Point, UnknownRule::As(level)) => level,
                (None, Side::Point, UnknownRule::Omit) => continue,
            };
            let (weight, level) = (input.weight.millionths(), level.millionths());
            parts.push(Part { weight, level });
        }
        if parts.is_empty() { Err(Gap::NothingKnown) } else { Ok(parts) }
    }

    /// What is known of a group, whatever stands for the rest.
    fn known(&self, name: &str) -> Result<Vec<Part>, Gap> {
        Reading { side: Side::Point, ..*self }.group(name)
    }

    /// The largest level that a group can have.
    fn most(&self, name: &str) -> Result<Vec<Part>, Gap> {
        let all = vec![None; self.known.len()];
        Reading { method: self.method, known: &all, side: Side::High }.group(name)
    }
}

/// Sum of levels, in millionths, without their weights.
fn sum(parts: &[Part]) -> Result<i128, Gap> {
    let levels = parts.iter().map(|part| part.level);
    fits(levels.into_iter().try_fold(0_i128, i128::checked_add))
}

/// Sum of weights × levels, in millionths of millionths.
fn weighted(parts: &[Part]) -> Result<i128, Gap> {
    let add = |sum: i128, part: &Part| sum.checked_add(part.weight.checked_mul(part.level)?);
    fits(parts.iter().try_fold(0_i128, add))
}

/// Weighted mean as a fraction: above in millionths of millionths, below in millionths.
fn mean(parts: &[Part]) -> Result<(i128, i128), Gap> {
    let weights = parts.iter().map(|part| part.weight).sum();
    if weights == 0 { Err(Gap::NothingKnown) } else { Ok((weighted(parts)?, weights)) }
}

/// The largest level of a group, in millionths.
fn largest(parts: &[Part]) -> Result<i128, Gap> {
    parts.iter().map(|part| part.level).max().ok_or(Gap::NothingKnown)
}

fn fits<T>(found: Option<T>) -> Result<T, Gap> {
    found.ok_or(Gap::TooLarge)
}

/// Of so many millionths.
fn fixed(millionths: i128) -> Result<Fixed, Gap> {
    fits(Fixed::of_millionths(millionths))
}

/// A million.
const UNIT: i128 = 1_000_000;
