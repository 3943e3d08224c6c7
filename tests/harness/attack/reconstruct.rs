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
    let (mut narrow, mut lucky, mut unique, mut trials) = (0, 0, 0, 0);
    for tolerance in [0.0, 1.0, 2.0, 3.0] {
        let known = Known::new(lattice.leaves, &shown, tolerance);
        for cell in &withheld {
            trials += 1;
            let Interval::Between(from, to) = known.interval(&lattice.cells[*cell].leaves)? else {
                // What fits nothing for one fits nothing for any.
                trials += withheld.len() - 1;
                break;
            };
            // Within less than all of the noise an interval may be narrow by chance, and then need not hold.
            let count = if tolerance == 1.0 || tolerance == 2.0 { &mut lucky } else { &mut narrow };
            *count += usize::from(to - from < wanted);
            unique += usize::from((to + 1e-4).floor() - (from - 1e-4).ceil() < 0.5);
        }
    }
    Ok(Outcome {
        attack: "T4 intervals",
        seed,
        measures: vec![
            Measure::never("withheld cells with a narrow interval", narrow, trials / 2),
            Measure::rare("narrow within one or two deviations", lucky, trials / 2, 0.05),
            Measure::never("withheld cells that are known", unique, trials),
        ],
    })
}
