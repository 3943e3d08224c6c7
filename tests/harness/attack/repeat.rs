//! Asking again: the same question many times, over restarts, over corrections, over a whole year. Comes in: a
//! service and a seed. Goes out: how many different figures came back, and how well they can be averaged.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};

use super::{
    Allowed, Measure, Outcome,
    cells::Lattice,
    estimate::{Equation, figure, float, least_squares, whole},
    oracle::{Audience, DRAWS, Held, Service, hold, variance_of_draw},
    reference::mix,
};

/// Units in a leaf that everybody is shown.
const MANY: i64 = 80;

/// T6, the same question again: over sessions, audiences, other questions, another order, restarts, and at once.
pub fn t6(seed: u64, service: &dyn Service, times: usize) -> Result<Outcome> {
    let lattice = Lattice::years("AL", &[0, 2], 2024, 1)?;
    let mut oracle = service.open(&lattice, &hold(&vec![MANY; lattice.leaves]), seed)?;
    let all = lattice.all();
    let mut figures = vec![[const { BTreeSet::new() }; 3]; all.len()];
    let mut note = |tier: usize, cells: &[usize], answers: Vec<Option<i64>>| {
        cells.iter().zip(answers).for_each(|(cell, value)| {
            figures[*cell][tier].insert(value);
        });
    };
    for round in 0..times {
        let (tier, audience) =
            [0, 1, 2].into_iter().zip(Audience::ALL).nth(round % 3).context("3")?;
        let mut cells = all.clone();
        match round % 5 {
            0 => {}
            1 => cells.reverse(),
            2 => cells.truncate(1 + round % all.len()),
            3 => cells = vec![round % all.len()],
            _ => cells.rotate_left(round % all.len()),
        }
        let answers = oracle.ask(audience, &cells)?;
        note(tier, &cells, answers);
        if round == times / 2 {
            oracle.restart()?;
        }
        if round % 40 == 7 {
            for answers in oracle.ask_at_once(audience, &cells, 4)? {
                note(tier, &cells, answers);
            }
        }
    }
    let several = figures.iter().flatten().filter(|values| values.len() > 1).count();
    let trials = figures.iter().flatten().filter(|values| !values.is_empty()).count();
    Ok(Outcome {
        attack: "T6 asking again",
        seed,
        measures: vec![Measure::never("cells with several figures", several, trials)],
    })
}

/// How often the mean of `times` answers is exactly right, rounded.
pub fn mean_is_exact(seed: u64, service: &dyn Service, times: usize) -> Result<(usize, usize)> {
    let lattice = Lattice::years("AL", &[0, 3], 2024, 1)?;
    let mut oracle = service.open(&lattice, &hold(&vec![MANY; lattice.leaves]), seed)?;
    let leaves: Vec<_> = (0..lattice.leaves).collect();
    let mut sums = vec![0.0; leaves.len()];
    for _ in 0..times {
        for (sum, value) in sums.iter_mut().zip(oracle.ask(Audience::Police, &leaves)?) {
            *sum += figure(value.context("a large figure is not shown")?);
        }
    }
    let exact = sums.iter().filter(|sum| whole(**sum / float(times)) == MANY).count();
    Ok((exact, leaves.len()))
}

/// T13, the part that is seen from outside: whatever is done to a node, a cell is drawn a fixed number of times.
/// Restarts and corrections of another region, then all that came of it is averaged.
pub fn t13(seed: u64, service: &dyn Service, rounds: usize) -> Result<Outcome> {
    let lattice = Lattice::years("AL", &[0, 3], 2024, 1)?;
    let counts = vec![MANY; lattice.leaves];
    let mut oracle = service.open(&lattice, &hold(&counts), seed)?;
    let (victims, touched): (Vec<_>, Vec<_>) = (0..lattice.leaves)
        .filter(|leaf| lattice.cells[*leaf].place.period == "2024-01")
        .partition(|leaf| *leaf < lattice.leaves / 2);
    let mut figures = vec![[const { BTreeSet::new() }; 3]; victims.len()];
    for round in 0..rounds {
        for (tier, audience) in Audience::ALL.into_iter().enumerate() {
            for (slot, value) in figures.iter_mut().zip(oracle.ask(audience, &victims)?) {
                slot[tier].insert(value);
            }
        }
        if round % 2 == 0 {
            oracle.restart()?;
        } else {
            oracle.correct(&[Held { leaf: touched[0], units: 1, restricted: false }])?;
        }
    }
    let most = [DRAWS, 1, 1];
    let past = |values: &[BTreeSet<Option<i64>>; 3]| {
        values.iter().zip(most).filter(|(values, most)| values.len() > *most).count()
    };
    let trials = figures.len() * 3;
    Ok(Outcome {
        attack: "T13 a ledger that is put back",
        seed,
        measures: vec![Measure::never(
            "cells drawn too often",
            figures.iter().map(past).sum(),
            trials,
        )],
    })
}

/// What happens in a year of averaging.
#[derive(Clone, Copy, Debug)]
pub struct Year {
    /// Corrections that come one after the other.
    pub corrections: usize,
    /// All of one month, or each of another.
    pub one_month: bool,
    /// Newer code lists at the end.
    pub newer_lists: bool,
}

impl Year {
    /// Twelve monthly, four quarterly and one yearly edition, two corrections.
    pub const ORDINARY: Self = Self { corrections: 2, one_month: false, newer_lists: false };
    /// Twelve corrections of the same month, and newer lists.
    pub const CORRECTED: Self = Self { corrections: 12, one_month: true, newer_lists: true };
}

/// An answer with the state of knowledge when it came.
struct Heard {
    cell: usize,
    tier: usize,
    /// How many different figures of this cell and tier came before.
    draw: usize,
    value: f64,
    /// Units added to it by then, which the attacker is granted to know.
    added: f64,
}

/// Averages everything that three audiences hear over a year. The attacker knows every correction; what is not
/// known is what was there at first.
pub fn averaging(seed: u64, service: &dyn Service, year: Year) -> Result<Outcome> {
    let lattice = Lattice::years("AL", &[0, 3], 2024, 1)?;
    let mut counts: Vec<_> =
        (0..lattice.leaves).map(|leaf| MANY + i64::try_from(leaf % 17).unwrap_or(0)).collect();
    let first = counts.clone();
    let mut oracle = service.open(&lattice, &hold(&counts), seed)?;
    let mut last = vec![[None; 3]; lattice.cells.len()];
    let mut draws = vec![[0; 3]; lattice.cells.len()];
    let (mut heard, mut hidden, mut asked) = (Vec::<Heard>::new(), 0, 0);
    let mut months = BTreeSet::new();
    let rounds = 1 + year.corrections + usize::from(year.newer_lists);
    for round in 0..rounds {
        if round > 0 && round <= year.corrections {
            let month = if year.one_month { 4 } else { (3 + 5 * round) % 12 };
            months.insert(month);
            let region = usize::try_from(mix(&[seed, u64::try_from(round)?]) % 12)?;
            let leaf = region * 12 + month;
            counts[leaf] += 3;
            oracle.correct(&[Held { leaf, units: 3, restricted: false }])?;
        } else if round > 0 {
            oracle.renew_lists(4)?;
        }
        for (tier, audience) in Audience::ALL.into_iter().enumerate() {
            let all = lattice.all();
            for (cell, value) in all.iter().zip(oracle.ask(audience, &all)?) {
                asked += 1;
                let Some(value) = value else {
                    hidden += 1;
                    continue;
                };
                if last[*cell][tier] == Some(value) {
                    continue;
                }
                last[*cell][tier] = Some(value);
                let added = lattice.counted(*cell, &counts) - lattice.counted(*cell, &first);
                let draw = draws[*cell][tier];
                draws[*cell][tier] += 1;
                heard.push(Heard {
                    cell: *cell,
                    tier,
                    draw,
                    value: figure(value),
                    added: figure(added),
                });
            }
        }
    }
    let variance = Audience::Police.tier().variance;
    let police = errors(&lattice, &first, &heard, (0, &months))?;
    let everything = errors(&lattice, &first, &heard, (2, &months))?;
    let of = |what, errors: &[f64], least| {
        let squares: Vec<_> = errors.iter().map(|error| error * error / variance).collect();
        Measure::mean(what, &squares, Allowed::AtLeast(least))
    };
    let mut measures = vec![
        Measure::never("cells that are not shown", hidden, asked),
        of("variance left of a leaf, by the narrowest tier", &police, LEAST),
        of("variance left of a leaf, by all tiers", &everything, LEAST),
    ];
    let changed: Vec<_> = changes(&heard);
    if !changed.is_empty() {
        measures.push(of("variance of the change between two editions", &changed, 0.95));
    }
    let attack =
        if year.one_month { "averaging twelve corrections" } else { "averaging an ordinary year" };
    Ok(Outcome { attack, seed, measures })
}

/// A lattice that would leave less of a leaf's variance is refused.
const LEAST: f64 = 0.4;

/// Errors of the best estimates of the leaves of these months, from all tiers up to one.
fn errors(
    lattice: &Lattice,
    truth: &[i64],
    heard: &[Heard],
    (tiers, months): (usize, &BTreeSet<usize>),
) -> Result<Vec<f64>> {
    let equations: Vec<_> = heard
        .iter()
        .filter(|heard| heard.tier <= tiers)
        .map(|heard| {
            let tier = Audience::ALL[heard.tier].tier();
            let rounding = (figure(tier.rounding).powi(2) - 1.0) / 12.0;
            let blur = if heard.tier == 0 { variance_of_draw(heard.draw) } else { tier.variance };
            Equation {
                parts: lattice.cells[heard.cell].leaves.clone(),
                variance: blur + rounding,
                value: heard.value - heard.added,
            }
        })
        .collect();
    let estimates = least_squares(lattice.leaves, &equations)?;
    // Those that were drawn most often.
    let leaves = (0..lattice.leaves).filter(|leaf| months.contains(&(leaf % 12)));
    Ok(leaves.map(|leaf| estimates[leaf].0 - figure(truth[leaf])).collect())
}

/// Second figures of tier A less the first, less what is known to have been added.
fn changes(heard: &[Heard]) -> Vec<f64> {
    let police =
        |draw: usize| heard.iter().filter(move |heard| heard.tier == 0 && heard.draw == draw);
    let of = |second: &Heard| {
        let first = police(0).find(|first| first.cell == second.cell)?;
        Some(second.value - second.added - first.value + first.added)
    };
    police(1).filter_map(of).collect()
}

/// Smallest share of a figure's variance that is left of a leaf by design, where every period of these months
/// was drawn as often as may be.
pub fn left_by_design(lattice: &Lattice, months: &BTreeSet<usize>) -> Result<f64> {
    let mut equations = Vec::new();
    for cell in &lattice.cells {
        let again = cell.leaves.iter().any(|leaf| months.contains(&(leaf % 12)));
        equations.extend((0..if again { DRAWS } else { 1 }).map(|draw| Equation {
            parts: cell.leaves.clone(),
            variance: variance_of_draw(draw),
            value: 0.0,
        }));
    }
    let left = least_squares(lattice.leaves, &equations)?;
    let least = left.iter().map(|(_, variance)| *variance).fold(f64::INFINITY, f64::min);
    Ok(least / Audience::Police.tier().variance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_of_everything_leave_enough_of_a_leaf() {
        let lattice = Lattice::years("AL", &[0, 3], 2024, 1).unwrap();
        for months in [0..0, 4..5, 0..12] {
            let left = left_by_design(&lattice, &months.clone().collect()).unwrap();
            assert!(left >= LEAST, "{months:?}: {left} of the variance is left");
        }
    }
}
