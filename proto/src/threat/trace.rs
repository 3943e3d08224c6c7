//! How a score came about. Comes in: an assessment. Goes out: one step for each input. Whoever reads the steps and the parameters
//! works out the score again.

use serde::Serialize;

use super::{
    fixed::Fixed,
    input::{Assessment, Level},
    parameters::UnknownRule,
};

/// One input's part in a score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Code of the input.
    pub input: String,
    /// Which part of the formula it belongs to.
    pub group: String,
    /// Its level; none: unknown.
    pub level: Option<Fixed>,
    /// Its weight within its group.
    pub weight: Fixed,
    /// Weight × level, or × what stands for an unknown level; none: left out.
    pub partial: Option<Fixed>,
}

/// Every step, in the order of the method's inputs.
pub(super) fn steps(assessment: &Assessment<'_>) -> Vec<Step> {
    let step = |((input, _), level): ((&super::Input, &super::Scale), &Level)| {
        let known = match level {
            Level::Known(level) => Some(*level),
            Level::Unknown => None,
        };
        let counts = known.or(match input.unknown {
            UnknownRule::As(level) => Some(level),
            UnknownRule::Omit => None,
        });
        let product = |level: Fixed| level.millionths().checked_mul(input.weight.millionths());
        let partial = counts.and_then(product).and_then(|of| Fixed::ratio(of, 1_000_000_000_000));
        Step {
            input: input.code.clone(),
            group: input.group.clone(),
            level: known,
            weight: input.weight,
            partial,
        }
    };
    assessment.method().inputs().zip(assessment.levels()).map(step).collect()
}
