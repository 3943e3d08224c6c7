//! T4: withheld cells from what was shown. Comes in: a service and a seed. Goes out: how narrow a withheld cell
//! can be made, with the figures taken as exact and within one to three standard deviations.

use anyhow::Result;

use super::{
    Measure, Outcome,
    cells::Lattice,
    estimate::Equation,
    interval::{Interval, Known},
    oracle::{Audience, Service, hold},
    reference::mix,
};

/// What the attacker found: with figures that are taken as exact or hold for all but 3 in 1,000 (sure), or within
/// one or two deviations, where the true figures may lie outside (guessed).
#[derive(Default)]
struct Found {
    narrow: usize,
    single: usize,
    trials: usize,
}

/// Shares that chance alone may reach.
struct Chance {
    narrow: f64,
    guessed: f64,
    single: f64,
}

/// Noise that is independent can always fall so that it leaves little room: never is more than it can promise.
/// Ideal noise (`cargo soak attacks --attack t4 --against reference --rounds 4000 --seed 20000`) leaves 0.0010
/// of the withheld cells a narrow interval, 0.033 a narrow guess, 0.0004 a guess of one figure; the bounds are
/// these with room for cells of one seed that fall together. Such an interval begins at 0 and ends at or below
/// the threshold, which the mark "not shown" says by itself.
const CHANCE: Chance = Chance { narrow: 0.002, guessed: 0.05, single: 0.001 };

/// Small leaves among large ones: 12 regions × 12 months with quarters, year and the whole.
pub fn t4(seed: u64, service: &dyn Service, victims: usize) -> Result<Outcome> {
    let lattice = Lattice::years("AL", &[0, 3], 2024, 1)?;
    let part = |leaf: usize, which: u64| mix(&[seed, u64::try_from(leaf).unwrap_or(0), which]);
    let counts: Vec<_> = (0..lattice.leaves)
        .map(|leaf| {
            let small = part(leaf, 0) % 100 < 12;
            i64::try_from(if small { part(leaf, 1) % 6 } else { 20 + part(leaf, 1) % 100 })
        })
        .collect::<Result<_, _>>()?;
    let mut oracle = service.open(&lattice, &hold(&counts), seed)?;
    let cells = lattice.all();
    let answers = oracle.ask(Audience::Police, &cells)?;
    let (tier, mut shown, mut withheld) = (Audience::Police.tier(), Vec::new(), Vec::new());
    for (cell, value) in cells.iter().zip(&answers) {
        match value {
            Some(value) => shown.push(Equation {
                parts: lattice.cells[*cell].leaves.clone(),
                variance: tier.variance,
                value: super::estimate::figure(*value),
            }),
            None => withheld.push(*cell),
        }
    }
    withheld.truncate(victims);
    let wanted = 2.0 * 1.96 * tier.variance.sqrt();
    let (mut sure, mut guessed) = (Found::default(), Found::default());
    for tolerance in [0.0, 1.0, 2.0, 3.0] {
        let found = if tolerance == 1.0 || tolerance == 2.0 { &mut guessed } else { &mut sure };
        let known = Known::new(lattice.leaves, &shown, tolerance);
        found.trials += withheld.len();
        for cell in &withheld {
            let Interval::Between(from, to) = known.interval(&lattice.cells[*cell].leaves)? else {
                // What fits nothing for one fits nothing for any.
                break;
            };
            found.narrow += usize::from(to - from < wanted);
            found.single += usize::from((to + 1e-4).floor() - (from - 1e-4).ceil() < 0.5);
        }
    }
    Ok(Outcome {
        attack: "T4 intervals",
        seed,
        measures: vec![
            Measure::never("withheld cells that are known", sure.single, sure.trials),
            Measure::rare("narrow intervals", sure.narrow, sure.trials, CHANCE.narrow),
            Measure::rare("narrow guesses", guessed.narrow, guessed.trials, CHANCE.guessed),
            Measure::rare("guesses of one figure", guessed.single, guessed.trials, CHANCE.single),
        ],
    })
}
