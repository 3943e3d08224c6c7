//! The attackers. Comes in: a service that answers ([`oracle`]): a whole node, a reference of a few lines, or a
//! twin that was weakened on purpose. Goes out: what an attack measured, what it may measure at most, and with
//! how much doubt. Must never know more than the attacker that it plays; what the attacker is granted (the
//! truth of everything but the victim) is said at each program.

use std::collections::BTreeMap;

pub mod bipartition;
pub mod cellkey;
pub mod cells;
pub mod estimate;
pub mod folder;
pub mod interval;
pub mod intervals;
pub mod membership;
pub mod node;
pub mod oracle;
pub mod programs;
pub mod reconstruct;
pub mod reference;
pub mod repeat;
pub mod rollback;
pub mod silence;
pub mod soak;
pub mod tables;
pub mod weak;
pub mod world;

/// What a measured figure may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Allowed {
    /// The attack succeeds above.
    AtMost(f64),
    /// The attack succeeds below.
    AtLeast(f64),
}

/// One figure that an attack measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    /// What was measured.
    pub what: &'static str,
    /// The figure.
    pub measured: f64,
    /// Its standard error; 0 where nothing is left to chance.
    pub error: f64,
    /// What it may be.
    pub allowed: Allowed,
    /// On how many trials it rests.
    pub trials: usize,
}

impl Measure {
    /// A mean of `trials` figures.
    pub fn mean(what: &'static str, figures: &[f64], allowed: Allowed) -> Self {
        let (measured, error) = estimate::mean(figures);
        Self { what, measured, error, allowed, trials: figures.len() }
    }

    /// Something that must not happen at all: how often it did.
    pub fn never(what: &'static str, times: usize, trials: usize) -> Self {
        let measured = estimate::share(times, trials);
        Self { what, measured, error: 0.0, allowed: Allowed::AtMost(0.0), trials }
    }

    /// A share of `trials` that may be at most `most`; judged exactly, not by a normal curve.
    pub fn rare(what: &'static str, times: usize, trials: usize, most: f64) -> Self {
        let variance = most * (1.0 - most) / estimate::float(trials.max(1));
        let (measured, error) = (estimate::share(times, trials), variance.sqrt());
        Self { what, measured, error, allowed: Allowed::AtMost(most), trials }
    }

    /// By how many standard errors it is past what is allowed.
    fn past(&self) -> f64 {
        let over = match self.allowed {
            Allowed::AtMost(most) => self.measured - most,
            Allowed::AtLeast(least) => least - self.measured,
        };
        if over <= 0.0 { 0.0 } else { over / self.error.max(1e-12) }
    }
}

/// What one run of an attack came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Name of the attack.
    pub attack: &'static str,
    /// Repeats it.
    pub seed: u64,
    /// What was measured.
    pub measures: Vec<Measure>,
}

/// Standard errors past what is allowed that count as a success of the attack.
pub const PAST: f64 = 3.0;

impl Outcome {
    /// Did the attack succeed, judged by this run alone?
    pub fn broke(&self) -> bool {
        self.measures.iter().any(|measure| measure.past() > PAST)
    }

    /// Did something happen that must never happen, whatever the dice?
    pub fn certain(&self) -> bool {
        self.measures.iter().any(|measure| measure.error == 0.0 && measure.past() > PAST)
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (seed {})", self.attack, self.seed)?;
        for Measure { what, measured, error, allowed, trials } in &self.measures {
            let (word, bound) = match allowed {
                Allowed::AtMost(most) => ("at most", most),
                Allowed::AtLeast(least) => ("at least", least),
            };
            write!(f, "; {what} {measured:.4} ± {error:.4}, {word} {bound:.4} ({trials} trials)")?;
        }
        Ok(())
    }
}

/// Runs of an attack with different seeds, judged together: what a single run leaves to chance, all of them do
/// not.
#[derive(Debug, Default)]
pub struct Pool(BTreeMap<(&'static str, &'static str), Vec<(u64, Measure)>>);

impl Pool {
    /// One run more.
    pub fn add(&mut self, outcome: &Outcome) {
        for measure in &outcome.measures {
            let key = (outcome.attack, measure.what);
            self.0.entry(key).or_default().push((outcome.seed, measure.clone()));
        }
    }

    /// One outcome for each attack, with the measures of all its runs together. The seed is that of the run
    /// that stood out most.
    pub fn outcomes(&self) -> Vec<Outcome> {
        let mut outcomes = BTreeMap::<&str, (f64, Outcome)>::new();
        for ((attack, what), runs) in &self.0 {
            let mut worst = (-1.0, 0);
            let (mut trials, mut sum, mut variance, mut bound) = (0, 0.0, 0.0, 0.0);
            for (seed, run) in runs {
                if run.past() > worst.0 {
                    worst = (run.past(), *seed);
                }
                let weight = estimate::float(run.trials);
                let (Allowed::AtMost(at) | Allowed::AtLeast(at)) = run.allowed;
                trials += run.trials;
                sum += weight * run.measured;
                variance += (weight * run.error).powi(2);
                bound += weight * at;
            }
            let all = estimate::float(trials.max(1));
            let most = runs.iter().any(|(_, run)| matches!(run.allowed, Allowed::AtMost(_)));
            let measure = Measure {
                what,
                measured: sum / all,
                error: variance.sqrt() / all,
                allowed: if most { Allowed::AtMost } else { Allowed::AtLeast }(bound / all),
                trials,
            };
            let (past, outcome) = outcomes.entry(attack).or_insert_with(|| {
                (worst.0, Outcome { attack, seed: worst.1, measures: Vec::new() })
            });
            if worst.0 > *past {
                (*past, outcome.seed) = worst;
            }
            outcome.measures.push(measure);
        }
        outcomes.into_values().map(|(_, outcome)| outcome).collect()
    }
}
