//! Attacks with many seeds, on every core. Comes in: a service, how many seeds, the first of them. Goes out: one
//! outcome for each attack over all its runs, and every single run in which something happened that never may.

use std::{
    num::NonZero,
    sync::{Mutex, PoisonError},
    thread,
};

use anyhow::{Result, bail};

use super::{
    Outcome, Pool,
    oracle::Service,
    programs::{PROGRAMS, Program, Size},
};

/// What came of it.
#[derive(Debug, Default)]
pub struct Soaked {
    /// Over all seeds, an outcome for each attack.
    pub outcomes: Vec<Outcome>,
    /// Single runs in which something happened that never may.
    pub alone: Vec<Outcome>,
}

impl Soaked {
    /// Did any attack succeed?
    pub fn broke(&self) -> bool {
        !self.alone.is_empty() || self.outcomes.iter().any(Outcome::broke)
    }
}

/// Runs an attack, or all of them, with so many seeds.
pub fn soak(
    service: &(dyn Service + Sync),
    rounds: usize,
    first: u64,
    only: Option<&str>,
) -> Result<Soaked> {
    let programs: Vec<&Program> =
        PROGRAMS.iter().filter(|program| only.is_none_or(|only| only == program.name)).collect();
    if programs.is_empty() {
        let names: Vec<_> = PROGRAMS.iter().map(|program| program.name).collect();
        bail!("no attack has this name; there are {names:?}");
    }
    let left = Mutex::new(first..first.saturating_add(u64::try_from(rounds)?));
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
    let results = Mutex::new((Pool::default(), Vec::new(), None));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(|| {
                while let Some(seed) = next() {
                    for program in &programs {
                        let outcome = program.run(seed, service, Size::Many);
                        let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
                        match outcome {
                            Ok(outcome) => {
                                results.0.add(&outcome);
                                results.1.extend(outcome.certain().then_some(outcome));
                            }
                            Err(error) => {
                                results.2.get_or_insert(error);
                                return;
                            }
                        }
                    }
                }
            });
        }
    });
    let (pool, alone, error) = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(error) = error {
        return Err(error);
    }
    Ok(Soaked { outcomes: pool.outcomes(), alone })
}
