//! `cargo measure TOPIC`: figures beside a yardstick of the same run.

use std::{ffi::OsString, io::Write as _, process::ExitCode};

use accord_tests::measure;
use anyhow::Result;
use clap::{Parser, ValueEnum};

/// Measurements, each beside a yardstick in the same run: read the ratios.
#[derive(Debug, Parser)]
#[command(name = "cargo measure")]
struct Arguments {
    /// What to measure.
    topic: Topic,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// Calls of each kind.
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u16).range(10..=5000))]
    calls: u16,
    /// Runs of each kind; the best or the median counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=50))]
    rounds: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Topic {
    /// A first and a repeated answer of 500 cells, and answers per second.
    Answer,
    /// 1.28 million real records from file to acknowledgement.
    Ingest,
    /// 500 cells of mixed levels out of editions of a million records.
    Slice,
    /// What protection costs: drawing, answering, answering again; a bulletin with its audit.
    Disclose,
    /// What protection leaves of real figures: share shown and error, by mode and tier.
    Utility,
    /// Verifying a journal of a million entries, and proofs about it.
    Journal,
    /// A gather of 6, 27 and 200 members with 500 cells each.
    Gather,
    /// Four times as many calls as can be served; connections that say nothing.
    Overload,
    /// Judging, combining and drawing a regional picture of up to 200 members × 5,000 cells.
    Picture,
    /// What a backup of a coordinator costs those who write meanwhile.
    Backup,
    /// Opening a store of up to 1.28 million observations, and what they take in memory.
    Start,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
}

/// Runs it with what stands behind its name.
pub(crate) fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let arguments = Arguments::parse_from(arguments);
    match run(&arguments) {
        Ok(text) => {
            let _ = writeln!(std::io::stdout(), "{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "measure: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<String> {
    let dir = tempfile::tempdir()?;
    let (program, at) = (std::env::current_exe()?, dir.path().join("measured"));
    let rounds = arguments.rounds.into();
    let report = match arguments.topic {
        Topic::Answer => measure::answer(program, &at, arguments.calls.into())?,
        Topic::Ingest => measure::ingest(&at, rounds)?,
        Topic::Slice => measure::slice(&at, rounds)?,
        Topic::Disclose => measure::disclose(&at, rounds)?,
        Topic::Utility => measure::utility(&at, rounds)?,
        Topic::Journal => measure::journal(rounds)?,
        Topic::Gather => measure::gather(&program, &at, rounds)?,
        Topic::Overload => measure::overload(&program, &at, rounds.try_into()?)?,
        Topic::Picture => measure::picture(&program)?,
        Topic::Backup => measure::backup(&at, rounds)?,
        Topic::Start => measure::start(&program, &at, rounds)?,
    };
    Ok(match arguments.format {
        Format::Table => report.table(),
        Format::Json => report.json(),
    })
}
