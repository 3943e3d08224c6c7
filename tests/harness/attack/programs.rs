//! Every attack with its size, and the twin that it must break. Comes in: a service, a seed, how large. Goes out:
//! outcomes. The suite runs a few seeds, `cargo soak attacks` a thousand.

use anyhow::{Context as _, Result};

use super::{
    Measure, Outcome, Pool, intervals,
    membership::{restricted, t1, t11, t23},
    oracle::Service,
    reconstruct::t4,
    repeat::{Year, averaging, t6, t13},
    silence::{t2, t10, t24},
    weak::Weakness,
};

/// How large a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Few seeds, each with many repetitions in it.
    Few,
    /// Many seeds, each with few.
    Many,
}

/// A program that attacks.
pub struct Program {
    /// Its name on the command line.
    pub name: &'static str,
    /// Twins that it must break.
    pub breaks: &'static [Weakness],
    run: fn(u64, &dyn Service, Size) -> Result<Outcome>,
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Program {
    /// One run.
    pub fn run(&self, seed: u64, service: &dyn Service, size: Size) -> Result<Outcome> {
        let context = || format!("{} against {}, seed {seed}", self.name, service.name());
        (self.run)(seed, service, size).with_context(context)
    }

    /// Runs with several seeds, judged together.
    pub fn pooled(
        &self,
        seeds: impl Iterator<Item = u64>,
        service: &dyn Service,
        size: Size,
    ) -> Result<Outcome> {
        let mut pool = Pool::default();
        for seed in seeds {
            pool.add(&self.run(seed, service, size)?);
        }
        pool.outcomes().into_iter().next().context("no seed")
    }

    /// By its name.
    pub fn named(name: &str) -> Option<&'static Self> {
        PROGRAMS.iter().find(|program| program.name == name)
    }
}

/// Two linked bulletins, attacked as they stand; which twins this breaks is tested with them.
fn t5(seed: u64) -> Result<Outcome> {
    let found = intervals::t5(seed, intervals::Build::Shipped)?;
    let never =
        Measure::never("hidden figures that are known too well", found.broken, found.attacked);
    Ok(Outcome { attack: "T5 bulletins", seed, measures: vec![never] })
}

fn pick<T>(size: Size, few: T, many: T) -> T {
    match size {
        Size::Few => few,
        Size::Many => many,
    }
}

/// The cell-key method as Eurostat recommends it, and in its small form.
pub const CELL_KEY: Weakness = Weakness::CellKey(5, 3.0, 2, 0.5);
/// Most deviation 2, variance 1.
pub const SMALL_CELL_KEY: Weakness = Weakness::CellKey(2, 1.0, 0, 0.0);

/// All of them.
pub const PROGRAMS: &[Program] = &[
    Program {
        name: "t1",
        breaks: &[Weakness::ExactTotals, CELL_KEY, SMALL_CELL_KEY],
        run: |seed, service, size| t1(seed, service, pick(size, 20, 12)),
    },
    Program {
        name: "t2",
        breaks: &[Weakness::Predicates],
        run: |seed, service, _| t2(seed, service),
    },
    Program {
        name: "t4",
        breaks: &[Weakness::Exact],
        run: |seed, service, size| t4(seed, service, pick(size, 3, 6)),
    },
    Program { name: "t5", breaks: &[], run: |seed, _, _| t5(seed) },
    Program {
        name: "t6",
        breaks: &[Weakness::Fresh, Weakness::PerRequest],
        run: |seed, service, size| t6(seed, service, pick(size, 60, 90)),
    },
    Program {
        name: "t10",
        breaks: &[Weakness::NoFloor, CELL_KEY],
        run: |seed, service, _| t10(seed, service),
    },
    Program {
        name: "t11",
        breaks: &[Weakness::TrueFloor, Weakness::NoFloor],
        run: |seed, service, size| t11(seed, service, pick(size, 12, 12)),
    },
    Program {
        name: "t13",
        breaks: &[Weakness::Forgetful],
        run: |seed, service, size| t13(seed, service, pick(size, 8, 12)),
    },
    Program {
        name: "t23",
        breaks: &[CELL_KEY, Weakness::Exact],
        run: |seed, service, size| t23(seed, service, pick(size, 20, 12)),
    },
    Program {
        name: "t24",
        breaks: &[Weakness::Talkative],
        run: |seed, service, _| t24(seed, service),
    },
    Program {
        name: "restricted",
        breaks: &[Weakness::SharedClasses],
        run: |seed, service, size| restricted(seed, service, pick(size, 60, 12)),
    },
    Program {
        name: "corrections",
        breaks: &[Weakness::Forgetful, Weakness::ReusedNoise],
        run: |seed, service, _| averaging(seed, service, Year::CORRECTED),
    },
    Program {
        name: "year",
        breaks: &[Weakness::ReusedNoise],
        run: |seed, service, _| averaging(seed, service, Year::ORDINARY),
    },
];
