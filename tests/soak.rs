//! `cargo soak TOPIC --rounds N`: the full sizes of what the suite does a few times. `cargo soak twin`: worlds
//! from folders, to be attacked by whoever wants to.

use std::{
    ffi::OsString,
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use accord_tests::{
    attack::{
        folder::{self, Twins},
        node::Nodes,
        oracle::Service,
        reference::Reference,
        soak::soak,
    },
    crash, damage,
    federation::Federation,
    fulldisk, fuzz, gathers, rotation,
    simulation::{self, Template},
    torn,
};
use anyhow::{Context as _, Result, bail};
use clap::{Parser, ValueEnum};

/// Long runs of the fault tests. Prints the seed, what was found, and what was left out.
#[derive(Debug, Parser)]
#[command(name = "cargo soak")]
struct Arguments {
    /// What to run; everything if left out.
    topic: Option<Topic>,
    /// How many rounds; each topic has its own number.
    #[arg(long)]
    rounds: Option<usize>,
    /// Repeats a run.
    #[arg(long)]
    seed: Option<u64>,
    /// attacks: only the one with this name.
    #[arg(long)]
    attack: Option<String>,
    /// attacks: whom they are run against.
    #[arg(long, value_enum, default_value = "node")]
    against: Against,
    /// twin: a folder with mapping.toml, rows.csv, rows-2.csv …, policy.toml, secret.toml; may be repeated.
    #[arg(long)]
    world: Vec<PathBuf>,
    /// twin: a file with question blocks, as in deploy/requirement.toml.
    #[arg(long)]
    question: Option<PathBuf>,
    /// twin: whom the nodes speak for.
    #[arg(long, default_value = "AL")]
    jurisdiction: String,
    /// twin: start every node again before each question.
    #[arg(long)]
    restart: bool,
    /// fuzz: how long all targets take together.
    #[arg(long, default_value = "600")]
    seconds: u64,
    /// fuzz: only the one with this name.
    #[arg(long)]
    target: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Against {
    /// The node itself.
    Node,
    /// A few lines that do what the node promises.
    Reference,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Topic {
    /// SIGKILL at a random moment of an import.
    Kill9,
    /// SIGKILL at a random moment of many releases at once.
    Torn,
    /// SIGKILL of the coordinator, or of a node, at a random moment of a gather.
    Gather,
    /// Certificates and keys are replaced every 10 seconds under 50 calls a second.
    Rotation,
    /// The disk loses everything that was not synced (root, loop device).
    Powercut,
    /// The disk is full in the middle of imports (root, loop device).
    Fulldisk,
    /// Bits, pages and files of a store are not what they were.
    Damage,
    /// All of it, in the sizes that a release is tested with: 100 kills, 20 torn releases, 20 full disks, 200 damages.
    Store,
    /// Attacks on what leaves a node, with 1000 seeds.
    Attacks,
    /// Builds worlds from folders, asks, and prints the cells as CSV.
    Twin,
    /// Changes what comes from outside at random, and reads it.
    Fuzz,
    /// A federation under simulated faults, with 20,000 seeds.
    Simulation,
}

impl Topic {
    /// What it runs, and in how many rounds by itself.
    fn parts(self, rounds: Option<usize>) -> Vec<(Self, usize)> {
        let all = [(Self::Kill9, 100), (Self::Torn, 20), (Self::Fulldisk, 20), (Self::Damage, 200)];
        let sized = |(topic, own): (Self, usize)| (topic, rounds.unwrap_or(own));
        match self {
            Self::Store => all.into_iter().map(sized).collect(),
            Self::Powercut => vec![(self, rounds.unwrap_or(100))],
            Self::Attacks => vec![(self, rounds.unwrap_or(1_000))],
            Self::Gather => vec![(self, rounds.unwrap_or(300))],
            Self::Simulation => vec![(self, rounds.unwrap_or(20_000))],
            Self::Rotation => vec![(self, rounds.unwrap_or(12))],
            Self::Twin | Self::Fuzz => vec![(self, 1)],
            Self::Kill9 | Self::Torn | Self::Fulldisk | Self::Damage => {
                all.into_iter().filter(|(topic, _)| *topic == self).map(sized).collect()
            }
        }
    }
}

/// Runs it with what stands behind its name.
pub(crate) fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let arguments = Arguments::parse_from(arguments);
    let seed = arguments.seed.unwrap_or_else(from_the_clock);
    let topics =
        arguments.topic.map_or_else(|| vec![Topic::Store, Topic::Powercut], |topic| vec![topic]);
    let mut code = ExitCode::SUCCESS;
    let parts = topics.into_iter().flat_map(|topic| topic.parts(arguments.rounds));
    for (topic, rounds) in parts {
        let name =
            topic.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
        match run(&arguments, topic, rounds, seed) {
            // For a program that reads it.
            Ok(cells) if topic == Topic::Twin => {
                let _ = write!(std::io::stdout(), "{cells}");
            }
            Ok(said) => say(&format!("{name}: {said}")),
            Err(error) => {
                say(&format!("{name}: FAILED, repeat with --seed {seed}: {error:#}"));
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}

fn attacks(arguments: &Arguments, rounds: usize, seed: u64) -> Result<String> {
    let dir = tempfile::tempdir()?;
    let service: Box<dyn Service + Sync> = match arguments.against {
        Against::Node => Box::new(Nodes::below(dir.path().to_owned())),
        Against::Reference => Box::new(Reference),
    };
    let soaked = soak(service.as_ref(), rounds, seed, arguments.attack.as_deref())?;
    for outcome in &soaked.outcomes {
        let word = if outcome.broke() { "BROKEN" } else { "withstood" };
        say(&format!("{word} {outcome}"));
    }
    for outcome in &soaked.alone {
        say(&format!("BROKEN alone {outcome}"));
    }
    if soaked.broke() {
        bail!("{} is broken", service.name());
    }
    Ok(format!(
        "{} attacks, {rounds} seeds from {seed} on: {} withstood all",
        soaked.outcomes.len(),
        service.name()
    ))
}

fn twin(arguments: &Arguments, seed: u64) -> Result<String> {
    if arguments.world.is_empty() {
        bail!("name a folder with --world");
    }
    let twins = Twins {
        worlds: arguments.world.clone(),
        question: arguments.question.clone().context("name a file with --question")?,
        jurisdiction: arguments.jurisdiction.clone(),
        seed,
        restart: arguments.restart,
    };
    let dir = tempfile::tempdir()?;
    folder::print(&twins, dir.path())
}

fn rotated(program: &Path, dir: &Path, rounds: usize) -> Result<String> {
    let mut federation = Federation::prepare(program.to_owned(), dir, &["AL", "BA"])?;
    federation.start()?;
    federation.with_sample()?;
    let rotated = rotation::rotate(&federation, rounds, (Duration::from_secs(10), 50))?;
    if let Some(first) = rotated.failed.first() {
        bail!("{} of {} calls failed, first {first}", rotated.failed.len(), rotated.calls);
    }
    Ok(format!(
        "{rounds} rotations of both sides' certificates, keys in every other one: {} calls, 0 failed; a new connection \
         shows the new certificate after {} ms at most",
        rotated.calls,
        rotated.slowest.as_millis()
    ))
}

fn simulated(rounds: usize, seed: u64) -> Result<String> {
    let template = Arc::new(Template::make()?);
    let (begun, rounds) = (Instant::now(), u64::try_from(rounds)?);
    let played = simulation::play_all(&template, seed..seed.saturating_add(rounds), None);
    if let Some(first) = played.broken.first() {
        bail!("{first}");
    }
    Ok(format!(
        "{} seeds from {seed} on, {} faults, in {} s: every promise was kept",
        played.seeds,
        played.faults,
        begun.elapsed().as_secs()
    ))
}

fn fuzzed(arguments: &Arguments, seed: u64) -> Result<String> {
    let targets = fuzz::targets::named(arguments.target.as_deref())?;
    let each = Duration::from_secs(arguments.seconds) / u32::try_from(targets.len())?;
    let mut rounds = 0;
    for target in &targets {
        // Said before: an input that ends the whole process is not told afterwards.
        say(&format!("fuzz: {} (seed {seed}) …", target.name));
        let ran = fuzz::fuzz(target, seed, fuzz::Budget::Time(each))?;
        rounds += ran.rounds;
        say(&format!(
            "fuzz: {}: {} inputs, {:.0} in a second, {} accepted, {} reasons for refusing, the slowest {} ms, memory {} KiB",
            target.name,
            ran.rounds,
            ran.per_second(),
            ran.accepted,
            ran.reasons,
            ran.slowest.as_millis(),
            ran.peak_kib.map_or("unknown".to_owned(), |peak| peak.to_string()),
        ));
    }
    Ok(format!(
        "{} targets, {rounds} inputs (seed {seed}): 0 panics, 0 promises broken",
        targets.len()
    ))
}

fn run(arguments: &Arguments, topic: Topic, mut rounds: usize, seed: u64) -> Result<String> {
    let (dir, program) = (tempfile::tempdir()?, std::env::current_exe()?);
    let at = dir.path().join("federation");
    let survived = match topic {
        Topic::Kill9 => crash::kill9(&program, &at, rounds, seed)?,
        Topic::Torn => {
            let torn = torn::releases(&program, &at, rounds, seed)?;
            return Ok(format!(
                "{} rounds of {} releases (seed {seed}): {} answers given before the kill, each given again byte for byte, \
                 {} recorded unheard, {} given later, 0 lost, 0 not charged, 0 charged twice; slowest recovery {} ms",
                torn.rounds,
                torn::AT_ONCE,
                torn.given,
                torn.unheard,
                torn.later,
                torn.recovery_ms_max
            ));
        }
        Topic::Gather => {
            let gathers::Killed { coordinator, node, before, recovery_ms_max } =
                gathers::killed(&program, &at, rounds, seed)?;
            return Ok(format!(
                "{rounds} gathers (seed {seed}): coordinator killed in {coordinator}, a node in {node}, {before} of them before anything \
                 was begun: 0 stuck, 0 counted twice, 0 lost, each charged once; slowest recovery {recovery_ms_max} ms"
            ));
        }
        Topic::Rotation => return rotated(&program, &at, rounds),
        Topic::Simulation => return simulated(rounds, seed),
        Topic::Powercut => match crash::no_powercut() {
            Some(why) => return Ok(format!("LEFT OUT: {why}")),
            None => crash::powercut(&program, &at, rounds, seed)?,
        },
        Topic::Fulldisk => match crash::no_powercut() {
            Some(why) => return Ok(format!("LEFT OUT: {why}")),
            None => {
                let filled = fulldisk::fulldisk(&program, &at, rounds, seed)?;
                rounds = filled.rounds;
                say(&format!(
                    "fulldisk: {} imports refused by name, {} ran into the end of the disk",
                    filled.refused, filled.failed
                ));
                filled.survived
            }
        },
        Topic::Attacks => return attacks(arguments, rounds, seed),
        Topic::Twin => return twin(arguments, seed),
        Topic::Fuzz => return fuzzed(arguments, seed),
        Topic::Damage | Topic::Store => {
            let damage::Ended { same, refused } = damage::damage(&program, &at, rounds, seed)?;
            return Ok(format!(
                "{rounds} rounds (seed {seed}): {same} opened with the same content, {refused} refused by \
                 name and restored, 0 panics, 0 with other content"
            ));
        }
    };
    Ok(format!(
        "{rounds} rounds (seed {seed}): {} imports acknowledged, 0 lost, 0 half visible, {} committed unheard; \
         slowest restart {} ms",
        survived.acknowledged, survived.unheard, survived.restart_ms_max
    ))
}

#[expect(clippy::disallowed_methods, reason = "only to choose a seed, which is printed")]
fn from_the_clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_secs())
}

fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
