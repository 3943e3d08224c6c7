//! The interval attack on bulletins (T5). A reader takes every figure that is published, of this bulletin and of the
//! ones before it, and works out from and to where each hidden figure can lie; as an outsider, and as each of those
//! who contribute. Uses another solver than the program that it attacks, and writes the problem down another way.

use std::collections::{BTreeMap, BTreeSet};

use accord_proto::suppress::{Choice, Cost, Equations, Shown, protect};
use anyhow::{Context as _, Result, anyhow};
use microlp::{ComparisonOp, OptimizationDirection, Problem};

use super::tables::{Dice, Tables, linked};

/// What is attacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Build {
    /// The program as it is.
    Shipped,
    /// A twin that hides unsafe figures and nothing beside them.
    OnlyUnsafe,
    /// A twin that forgets what contributors know.
    NoInsiders,
    /// A twin that protects every bulletin as if it were the first.
    ForgetsEarlier,
}

/// What an attack found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Bulletins that were published.
    pub published: usize,
    /// Bulletins that were refused.
    pub closed: usize,
    /// Intervals that were worked out.
    pub attacked: usize,
    /// Intervals that came out too narrow.
    pub broken: usize,
    /// Hidden figures that were not unsafe themselves.
    pub secondary: usize,
    /// Unsafe figures.
    pub primary: usize,
}

impl std::ops::AddAssign for Verdict {
    fn add_assign(&mut self, other: Self) {
        self.published += other.published;
        self.closed += other.closed;
        self.attacked += other.attacked;
        self.broken += other.broken;
        self.secondary += other.secondary;
        self.primary += other.primary;
    }
}

/// Publishes two linked bulletins of one population, one after the other, and attacks what is then known.
pub fn t5(seed: u64, build: Build) -> Result<Verdict> {
    let mut verdict = Verdict::default();
    let [first, both] = linked(seed)?;
    let Some(earlier) = shown(&first, build)? else {
        return Ok(Verdict { closed: 1, ..verdict });
    };
    verdict.published += 1;
    let later = if build == Build::ForgetsEarlier { both.clone() } else { both.after(&earlier)? };
    match shown(&later, build)? {
        Some(mut pattern) => {
            verdict.published += 1;
            // Whoever forgets what stands in the first bulletin has still published it.
            pattern.iter_mut().zip(&earlier).for_each(|(later, earlier)| {
                if earlier.is_published() {
                    *later = *earlier;
                }
            });
            verdict += attack(&both, &pattern)?;
        }
        None => {
            verdict.closed += 1;
            verdict += attack(&first, &earlier)?;
        }
    }
    Ok(verdict)
}

/// A bulletin that meets figures which are out already, chosen by nobody with any care. What cannot be protected any
/// more must not come out.
pub fn t5_cornered(seed: u64) -> Result<Verdict> {
    let [tables, _] = linked(seed)?;
    let mut dice = Dice(seed ^ 0x22);
    let out = tables.equations.cells().iter().map(|cell| {
        let is_out = cell.protection.is_none() && dice.below(3) == 0;
        if is_out { Shown::Published } else { Shown::Secondary }
    });
    let out: Vec<_> = out.collect();
    match shown(&tables.after(&out)?, Build::Shipped)? {
        Some(pattern) => Ok(Verdict { published: 1, ..attack(&tables, &pattern)? }),
        None => Ok(Verdict { closed: 1, ..Verdict::default() }),
    }
}

/// What a build publishes of some tables; nothing if it refuses.
fn shown(tables: &Tables, build: Build) -> Result<Option<Vec<Shown>>> {
    let choice = Choice { cost: Cost::Value, threshold: 0 };
    let protected =
        |table: &Equations| protect(table, &choice).ok().map(|found| found.shown().to_vec());
    Ok(match build {
        Build::Shipped | Build::ForgetsEarlier => protected(&tables.equations),
        Build::NoInsiders => protected(&tables.without_insiders()?.equations),
        Build::OnlyUnsafe => {
            let cells = tables.equations.cells().iter();
            let shown = cells.map(|cell| match cell.protection {
                Some(_) => Shown::Primary,
                None => Shown::Published,
            });
            Some(shown.collect())
        }
    })
}

/// Works out every interval of an unsafe figure, as an outsider and as every contributor who knows a hidden figure, or
/// most of one.
pub fn attack(tables: &Tables, shown: &[Shown]) -> Result<Verdict> {
    let cells = tables.equations.cells();
    let hidden: Vec<_> = (0..cells.len()).filter(|at| !shown[*at].is_published()).collect();
    let insiders = hidden.iter().filter_map(|at| tables.behind[*at].first());
    let insiders: BTreeSet<_> = insiders.map(|(owner, _)| Some(*owner)).collect();
    let mut verdict = Verdict::default();
    for target in hidden.iter().copied() {
        let Some(level) = cells[target].protection else {
            verdict.secondary += 1;
            continue;
        };
        verdict.primary += 1;
        let about = tables.behind[target].first().map(|(owner, _)| *owner);
        for insider in insiders.iter().copied().chain([None]) {
            if insider.is_some() && insider == about {
                continue;
            }
            let from = end(tables, shown, target, insider, OptimizationDirection::Minimize)?;
            let to = end(tables, shown, target, insider, OptimizationDirection::Maximize)?;
            let value = cells[target].value;
            let wide = if level == 0 {
                to - from >= 1.0 - 1e-3
            } else {
                to >= real(value + level) - 1e-3 && from <= real(value - level.min(value)) + 1e-3
            };
            verdict.attacked += 1;
            verdict.broken += usize::from(!wide);
        }
    }
    Ok(verdict)
}

/// The least or the most that a figure can be, for somebody who knows her own contributions.
fn end(
    tables: &Tables,
    shown: &[Shown],
    target: usize,
    insider: Option<u64>,
    direction: OptimizationDirection,
) -> Result<f64> {
    let mut problem = Problem::new(direction);
    let cells = tables.equations.cells();
    // What is published is a constant.
    let mut variables = BTreeMap::new();
    for (at, cell) in cells.iter().enumerate().filter(|(at, _)| !shown[*at].is_published()) {
        let value = real(cell.value);
        // Far beyond every level is as good as no end.
        let far = value * 4.0 + 1e4;
        let known = match tables.behind[at].first() {
            Some((owner, _)) if Some(*owner) == insider && cell.units == 1 => (value, value),
            Some((owner, own)) if Some(*owner) == insider => (real(*own), far),
            _ => (0.0, far),
        };
        variables.insert(at, problem.add_var(if at == target { 1.0 } else { 0.0 }, known));
    }
    for equation in tables.equations.equations() {
        let parts = equation.parts.iter().map(|part| (*part, 1.0));
        let (mut terms, mut constant) = (Vec::new(), real(equation.rest));
        for (at, sign) in parts.chain([(equation.total, -1.0)]) {
            match variables.get(&at) {
                Some(variable) => terms.push((*variable, sign)),
                None => constant += sign * real(cells[at].value),
            }
        }
        if !terms.is_empty() {
            problem.add_constraint(terms, ComparisonOp::Eq, -constant);
        }
    }
    let solved = problem.solve().map_err(|error| anyhow!("{error:?}"))?;
    let solution = solved.into_solution().map_err(|error| anyhow!("{error:?}"));
    Ok(solution.context("the attacker's program was not solved")?.var_value(variables[&target]))
}

/// Figures of made-up tables are small.
#[expect(clippy::cast_precision_loss, reason = "see above")]
fn real(value: i64) -> f64 {
    value as f64
}
