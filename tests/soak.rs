//! `cargo soak TOPIC --rounds N`: the full sizes of what the suite does a few times.

use std::{
    io::Write as _,
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

use accord_tests::{crash, roles};
use anyhow::Result;
use clap::{Parser, ValueEnum};

/// Long runs of the fault tests. Prints the seed, what was found, and what was left out.
#[derive(Debug, Parser)]
#[command(name = "cargo soak")]
struct Arguments {
    /// What to run; everything if left out.
    topic: Option<Topic>,
    /// How many rounds.
    #[arg(long, default_value_t = 100)]
    rounds: usize,
    /// Repeats a run.
    #[arg(long)]
    seed: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Topic {
    /// SIGKILL at a random moment of an import.
    Kill9,
    /// The disk loses everything that was not synced (root, loop device).
    Powercut,
}

fn main() -> ExitCode {
    if let Some(code) = roles::run_if_asked() {
        return code;
    }
    let arguments = Arguments::parse();
    let seed = arguments.seed.unwrap_or_else(from_the_clock);
    let topics =
        arguments.topic.map_or_else(|| vec![Topic::Kill9, Topic::Powercut], |topic| vec![topic]);
    let mut code = ExitCode::SUCCESS;
    for topic in topics {
        let name =
            topic.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
        match run(topic, arguments.rounds, seed) {
            Ok(said) => say(&format!("{name}: {said}")),
            Err(error) => {
                say(&format!("{name}: FAILED, repeat with --seed {seed}: {error:#}"));
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}

fn run(topic: Topic, rounds: usize, seed: u64) -> Result<String> {
    let (dir, program) = (tempfile::tempdir()?, std::env::current_exe()?);
    let at = dir.path().join("federation");
    let survived = match topic {
        Topic::Kill9 => crash::kill9(&program, &at, rounds, seed)?,
        Topic::Powercut => match crash::no_powercut() {
            Some(why) => return Ok(format!("LEFT OUT: {why}")),
            None => crash::powercut(&program, &at, rounds, seed)?,
        },
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
