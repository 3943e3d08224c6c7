//! Fuzzing on stable: what comes from outside is changed at random, as its form allows, and read by the program itself. Comes in:
//! a target, a seed, a budget. Goes out: how much was tried; an error says which input broke which promise, made as small as it
//! could be. No reader may panic, take long, or take in what it should not: that last is judged by each target itself.
//!
//! Specimens are made at run time by the program, so they are always true ones. There are no counters in the compiled code;
//! instead, whatever is refused for a reason that was not seen before becomes a specimen, too.

use std::{
    cell::Cell,
    collections::BTreeSet,
    fs,
    panic::{self, AssertUnwindSafe},
    sync::Once,
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};

use crate::crash::Dice;

pub mod live;
pub mod mutate;
pub mod scene;
pub mod schema;
pub mod targets;
mod text;
mod tree;

pub use mutate::Form;

/// One input may take so long. Debug builds on a machine that runs other tests beside it are slow.
pub const ONE_MAX: Duration = Duration::from_secs(if cfg!(debug_assertions) { 10 } else { 2 });
/// No input is longer.
const INPUT_BYTES_MAX: usize = 64 * 1024;
/// Inputs that were refused in a new way, kept beside the specimens.
const FOUND_MAX: usize = 192;
/// Changes of one input, one on top of the other.
const CHANGES_MAX: u64 = 4;
/// Runs that making an input smaller may take.
const SMALLER_RUNS_MAX: usize = 2_000;
/// Memory that the readers of one target may take beyond what was in use before.
pub const PEAK_KIB_MAX: u64 = 1024 * 1024;

/// What a reader said of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judged {
    /// It was read.
    Accepted,
    /// It was refused; why.
    Refused(String),
}

/// An error says which promise was broken.
pub type Verdict = Result<Judged, String>;

/// Reads one input.
pub type Judge = Box<dyn Fn(&[u8]) -> Verdict>;

/// A reader of bytes from outside.
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// How its inputs are changed.
    pub form: Form,
    /// Inputs that it accepts.
    pub specimens: Vec<Vec<u8>>,
    /// Reads one input.
    pub judge: Judge,
    /// Rounds of the short run; a slow reader has fewer.
    pub rounds: usize,
    /// One input may take so long.
    pub one_max: Duration,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Target({})", self.name)
    }
}

/// How long it goes on.
#[derive(Clone, Copy, Debug)]
pub enum Budget {
    /// So many inputs.
    Rounds(usize),
    /// So much time.
    Time(Duration),
}

impl Budget {
    fn is_spent(self, rounds: usize, since: Instant) -> bool {
        match self {
            Self::Rounds(most) => rounds >= most,
            Self::Time(most) => since.elapsed() >= most,
        }
    }
}

/// What was tried.
#[derive(Clone, Debug, Default)]
pub struct Ran {
    /// Inputs.
    pub rounds: usize,
    /// Inputs that were accepted.
    pub accepted: usize,
    /// Different reasons for which inputs were refused.
    pub reasons: usize,
    /// How long it took.
    pub took: Duration,
    /// The slowest input.
    pub slowest: Duration,
    /// Memory taken at the most, beyond what was in use before; none where the system does not say.
    pub peak_kib: Option<u64>,
}

impl Ran {
    /// Inputs in a second.
    pub fn per_second(&self) -> f64 {
        f64::from(u32::try_from(self.rounds).unwrap_or(u32::MAX))
            / self.took.as_secs_f64().max(1e-9)
    }
}

/// Fuzzes one target. The same seed and number of rounds try the same inputs, as far as its specimens are the same.
pub fn fuzz(target: &Target, seed: u64, budget: Budget) -> Result<Ran> {
    hush();
    let (began, before) = (Instant::now(), resident_kib());
    reset_peak();
    let mut ran = Ran::default();
    let mut seen = BTreeSet::new();
    for (at, specimen) in target.specimens.iter().enumerate() {
        match attempt(target, specimen).0 {
            Ok(Judged::Accepted) => {}
            other => bail!("{}: specimen {at} is not accepted: {other:?}", target.name),
        }
    }
    ensure!(!target.specimens.is_empty(), "{}: no specimens", target.name);
    let mut pool = Pool { specimens: &target.specimens, ..Pool::default() };
    let mut dice = Dice(seed ^ u64::from_be_bytes(first_8(target.name)));
    while !budget.is_spent(ran.rounds, began) {
        let input = pool.next_input(target.form, &mut dice);
        let (verdict, took) = attempt(target, &input);
        ran.rounds += 1;
        ran.slowest = ran.slowest.max(took);
        let place = || format!("{} (seed {seed}, round {})", target.name, ran.rounds);
        if took > target.one_max && slow_again(target, &input) {
            bail!("{}: takes {took:?} for {} bytes: {}", place(), input.len(), shown(&input));
        }
        match verdict {
            Err(broken) => {
                let small = smaller(target, input);
                bail!("{}: {broken}\n{} bytes: {}", place(), small.len(), shown(&small));
            }
            Ok(Judged::Accepted) => {
                ran.accepted += 1;
                if dice.below(16) == 0 {
                    keep(&mut pool.accepted, input, &mut dice);
                }
            }
            Ok(Judged::Refused(why)) => {
                if seen.insert(kind_of(&why)) {
                    keep(&mut pool.refused, input, &mut dice);
                }
            }
        }
    }
    ran.reasons = seen.len();
    ran.took = began.elapsed();
    ran.peak_kib = peak_kib().zip(before).map(|(peak, before)| peak.saturating_sub(before));
    if let Some(peak) = ran.peak_kib.filter(|peak| *peak > PEAK_KIB_MAX) {
        bail!("{} (seed {seed}): took {peak} KiB where {PEAK_KIB_MAX} is the most", target.name);
    }
    Ok(ran)
}

/// What inputs are made of.
#[derive(Default)]
struct Pool<'a> {
    specimens: &'a [Vec<u8>],
    /// Refused for a reason that was new.
    refused: Vec<Vec<u8>>,
    accepted: Vec<Vec<u8>>,
}

impl Pool<'_> {
    fn next_input(&self, form: Form, dice: &mut Dice) -> Vec<u8> {
        let (mut input, other) = (self.pick(dice).to_vec(), self.pick(dice));
        // Mostly one.
        let most = 1 + dice.below(CHANGES_MAX);
        for _ in 0..=dice.below(most) {
            mutate::change(form, &mut input, other, dice);
        }
        input.truncate(INPUT_BYTES_MAX);
        input
    }

    fn pick(&self, dice: &mut Dice) -> &[u8] {
        let from = match dice.below(3) {
            0 if !self.refused.is_empty() => &self.refused,
            1 if !self.accepted.is_empty() => &self.accepted,
            _ => self.specimens,
        };
        // What was found last leads on.
        let at = mutate::at(from.len(), dice).max(mutate::at(from.len(), dice));
        from.get(at).map_or(&[], Vec::as_slice)
    }
}

/// Where there are enough, a new one takes the place of any.
fn keep(found: &mut Vec<Vec<u8>>, input: Vec<u8>, dice: &mut Dice) {
    if input.len() > INPUT_BYTES_MAX / 4 {
        return;
    }
    if found.len() < FOUND_MAX {
        return found.push(input);
    }
    let at = mutate::at(FOUND_MAX, dice);
    if let Some(found) = found.get_mut(at) {
        *found = input;
    }
}

/// Runs the reader once. A panic is a broken promise.
fn attempt(target: &Target, input: &[u8]) -> (Verdict, Duration) {
    let began = Instant::now();
    QUIET.set(true);
    let verdict = panic::catch_unwind(AssertUnwindSafe(|| (target.judge)(input)));
    QUIET.set(false);
    let verdict = verdict.unwrap_or_else(|panicked| {
        let said = panicked.downcast_ref::<String>().cloned();
        let said = said.or_else(|| panicked.downcast_ref::<&str>().map(|said| (*said).to_owned()));
        Err(format!("panicked: {}", said.unwrap_or_default()))
    });
    (verdict, began.elapsed())
}

/// Whether it is the input that is slow, and not the machine.
fn slow_again(target: &Target, input: &[u8]) -> bool {
    (0..2).all(|_| attempt(target, input).1 > target.one_max)
}

/// The same broken promise from fewer bytes.
fn smaller(target: &Target, mut input: Vec<u8>) -> Vec<u8> {
    let (mut runs, mut step) = (0, input.len().div_ceil(2));
    while step > 0 && runs < SMALLER_RUNS_MAX {
        let mut at = 0;
        while at < input.len() && runs < SMALLER_RUNS_MAX {
            let mut shorter = input.clone();
            shorter.drain(at..(at + step).min(input.len()));
            runs += 1;
            if attempt(target, &shorter).0.is_err() {
                input = shorter;
            } else {
                at += step;
            }
        }
        step /= 2;
    }
    input
}

/// A refusal without its numbers and what it quotes.
fn kind_of(why: &str) -> String {
    let said = why.split('"').step_by(2).flat_map(str::chars);
    said.filter(|c| !c.is_ascii_digit()).take(200).collect()
}

fn shown(input: &[u8]) -> String {
    const BYTES_MAX: usize = 4_096;
    let bytes = input.iter().take(BYTES_MAX).map(|byte| format!("{byte:02x}"));
    let more = if input.len() > BYTES_MAX { "…" } else { "" };
    format!("{}{more}", bytes.collect::<String>())
}

fn first_8(name: &str) -> [u8; 8] {
    accord_proto::seal::Digest::of(name.as_bytes()).0.first_chunk().copied().unwrap_or_default()
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// A panic that is caught is told once, with its input, and not printed each time.
fn hush() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                before(info);
            }
        }));
    });
}

fn status_kib(line: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let value = status.lines().find_map(|found| found.strip_prefix(line))?;
    value.trim().trim_end_matches(" kB").parse().ok()
}

fn resident_kib() -> Option<u64> {
    status_kib("VmRSS:")
}

fn peak_kib() -> Option<u64> {
    status_kib("VmHWM:")
}

/// The peak is counted from here on; where that is not allowed, from the start of the process.
fn reset_peak() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}
