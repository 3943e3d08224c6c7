//! The attack on the cell-key method (Asghar and Kaafar on the TableBuilder of the Australian Bureau of
//! Statistics): ask for both halves of many random bipartitions and average the sums. A closed lattice has no
//! such cells. Comes in: a service that answers about any set. Goes out: how often the true total is found.

use anyhow::{Context as _, Result};

use super::{
    cells::{Cell, Lattice, Place},
    estimate::{figure, float, share, whole},
    oracle::{Audience, Service, hold},
    reference::mix,
};

/// Codes of the attribute.
const CODES: usize = 10;
/// The true total.
const TOTAL: i64 = 40;

/// Share of `trials` in which `partitions` bipartitions give the exact total.
pub fn found(service: &dyn Service, seed: u64, partitions: usize, trials: usize) -> Result<f64> {
    let mut times = 0;
    for trial in 0..trials {
        let dice = |which: usize, what: u64| {
            let number = |at: usize| u64::try_from(at).unwrap_or(0);
            mix(&[seed, number(trial), number(which), what])
        };
        let mut counts = vec![0; CODES];
        for unit in 0..TOTAL {
            counts[usize::try_from(dice(usize::try_from(unit)?, 1) % 10)?] += 1;
        }
        let mut cells: Vec<Vec<usize>> = (0..CODES).map(|code| vec![code]).collect();
        for partition in 0..partitions {
            // Neither half is empty.
            let mask = 1 + dice(partition, 2) % 1022;
            let (one, other): (Vec<_>, Vec<_>) = (0..CODES).partition(|code| mask >> code & 1 == 1);
            cells.extend([one, other]);
        }
        let cells: Vec<_> =
            cells.into_iter().map(|leaves| Cell { place: Place::default(), leaves }).collect();
        let lattice = Lattice { leaves: CODES, cells, years: 0..0 };
        let mut oracle = service.open(&lattice, &hold(&counts), dice(0, 3))?;
        let halves: Vec<_> = (CODES..lattice.cells.len()).collect();
        let answers = oracle.ask(Audience::Police, &halves)?;
        let sum: i64 = answers.into_iter().sum::<Option<i64>>().context("a half is not shown")?;
        times += usize::from(whole(figure(sum) / float(partitions)) == TOTAL);
    }
    Ok(share(times, trials))
}
