//! The command line. `init`, `serve`, `pki`, `roster` and `verify` work on files; everything else is a Desk call as the person whose
//! client file is given.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::ExitCode,
};

pub use accord_proto::operate::cli::{Client, Format, Outcome};
use accord_proto::{
    clock::{SystemClock, SystemEntropy},
    operate::{
        Around, backup,
        cli::{self as operate, CONFIG_INVALID, Operate},
        cycle,
        harden::leave_no_core,
        journal,
        log::Logging,
        maintenance, pki, product, roster,
    },
    reason::Invalid,
    status::exit_code_of_start,
};
use clap::{CommandFactory as _, Parser, Subcommand};

use crate::{commands, config::Config, examine::Examined, run, store};

pub(crate) mod bulletin;
pub(crate) mod grant;
pub(crate) mod import;
pub(crate) mod inbox;
pub(crate) mod init;
pub(crate) mod keeping;
pub(crate) mod picture;
pub(crate) mod proof;
pub(crate) mod summary;
pub(crate) mod threat;
pub(crate) mod chart;

/// The program's name.
pub(crate) const NAME: &str = "accord-node";

/// Its command line.
pub(crate) fn command() -> clap::Command {
    Cli::command()
}

/// Of the journal.
const JOURNAL_EXAMPLES: &str = "Examples:\n  accord-node journal list --act disclosure --from 2026-01-01\n  \
    accord-node journal export --out journal.jsonl\n  \
    accord-node journal verify --file journal.jsonl --key \"$(cat al-police.vkey)\"";

/// Of maintenance.
const MAINTENANCE_EXAMPLES: &str = "Examples:\n  accord-node maintenance begin --for 2h --why \"upgrade\"\n  \
    accord-node maintenance show\n  accord-node maintenance end";

/// The clock and the chance of commands that work on files.
const AROUND: Around<'_> = Around { clock: &SystemClock, entropy: &SystemEntropy };

/// A national Accord node: keeps its own summaries, answers with sealed aggregates only.
#[derive(Debug, Parser)]
#[command(
    name = "accord-node",
    version,
    after_help = "Examples:\n  accord-node serve --config node.toml\n  accord-node import figures.csv --mapping mapping.toml --client staff/analyst/client.toml"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Prepare a folder for a node: commented config and policy, seal key, data folder.
    #[command(after_help = init::EXAMPLES)]
    Init(init::Init),
    /// Run the node.
    Serve {
        /// The node's configuration.
        #[arg(long, env = "ACCORD_CONFIG", default_value = "node.toml")]
        config: PathBuf,
    },
    /// Import files through a mapping, look at imports, take one back (analyst).
    #[command(after_help = import::EXAMPLES)]
    Import(import::Import),
    /// Mappings that the node keeps by name.
    #[command(subcommand)]
    Mapping(import::Mapping),
    /// A file to fill in for an indicator, and the mapping that reads it.
    #[command(
        after_help = "Examples:\n  accord-node template DRG.SEIZ.N --out seizures.xlsx\n  accord-node template DRG.SEIZ.N --events --out cases.csv"
    )]
    Template(import::Template),
    /// The node's own totals, for its own staff.
    #[command(
        after_help = "Examples:\n  accord-node totals --indicator DRG.SEIZ.N --first-period 2016-H1 --level 0\n  accord-node totals --contradictions"
    )]
    Totals(import::Totals),
    /// Code lists.
    #[command(subcommand)]
    Lists(Lists),
    /// Frozen editions.
    #[command(subcommand)]
    Edition(import::Edition),
    /// Freeze reporting periods into editions (releaser).
    #[command(
        after_help = "Examples:\n  accord-node freeze 2016\n  accord-node freeze 2016-H1 2017-H2"
    )]
    Freeze {
        /// The first period, like 2016 or 2016-Q3.
        first: String,
        /// The last one; only the first if left out.
        last: Option<String>,
        #[command(flatten)]
        client: Client,
    },
    /// Exact figures in fixed tables; a second person signs them off.
    #[command(subcommand, after_help = bulletin::EXAMPLES)]
    Bulletin(bulletin::Command),
    /// Standing consents, and rules that forbid.
    #[command(subcommand)]
    Grant(grant::Command),
    /// Requirements that were received; two people decide what leaves.
    #[command(subcommand, after_help = inbox::EXAMPLES)]
    Inbox(inbox::Command),
    /// In an emergency: for four hours you may both decide and release; whoever asks is told (releaser).
    #[command(
        after_help = "Example:\n  accord-node break-glass --why \"second releaser cannot be reached, threat to life\""
    )]
    BreakGlass(inbox::BreakGlass),
    /// Strategic summaries; they never leave the node.
    #[command(subcommand)]
    Summary(summary::Command),
    /// Write everything that the node holds into one file; it goes on running (operator).
    #[command(after_help = keeping::BACKUP_EXAMPLES)]
    Backup(backup::Backup),
    /// Make a data folder out of a backup; no node runs.
    #[command(after_help = keeping::EXAMPLES)]
    Restore(backup::Restore),
    /// After a restore: count everything as spent that the store may have forgotten, and answer again (releaser).
    #[command(
        after_help = "Example:\n  accord-node confirm-restore --why \"disk replaced, backup of 24 November\""
    )]
    ConfirmRestore(keeping::ConfirmRestore),
    /// Announced maintenance: coordinators are refused for a while, and told until when; at home everything goes on.
    #[command(subcommand, after_help = MAINTENANCE_EXAMPLES)]
    Maintenance(maintenance::Maintenance),
    /// Leave the network: take back every consent at once, with a signed certificate of what others hold (releaser).
    #[command(
        after_help = "Examples:\n  accord-node leave --out held.pb                       # only certify\n  accord-node leave --out departure.pb --confirm --why \"decision of 1 December\""
    )]
    Leave(keeping::Leave),
    /// Erase what may no longer be kept, or list it (releaser).
    Erase(keeping::Erase),
    /// The disclosure policy.
    #[command(subcommand)]
    Policy(Policy),
    /// What protected units have lost, what is left and what a further draw costs, in rho (auditor, releaser, operator).
    #[command(
        after_help = "Examples:\n  accord-node budget\n  accord-node budget --indicator MIG.IBC.N -o json"
    )]
    Budget(keeping::Budget),
    /// The journal: who did what, why and to whom (auditor).
    #[command(subcommand, after_help = JOURNAL_EXAMPLES)]
    Journal(journal::Journal),
    /// Receipts of what was released: under which consent and rules, at what cost (auditor, releaser).
    #[command(subcommand, after_help = proof::RECEIPT_EXAMPLES)]
    Receipt(proof::Receipts),
    /// Answers that were released.
    #[command(subcommand, after_help = proof::ANSWER_EXAMPLES)]
    Answer(proof::Answers),
    /// Pictures that the coordinator has delivered; readable with the centre down (analyst, releaser, auditor).
    #[command(subcommand, after_help = picture::EXAMPLES)]
    Picture(picture::Command),
    /// Threats: own scores, and the region's ranking with the own position beside it (analyst, releaser, auditor).
    #[command(subcommand, after_help = threat::EXAMPLES)]
    Threat(threat::Command),
    /// Charts of delivered pictures and of own assessments, as SVG or PNG.
    #[command(subcommand, after_help = chart::EXAMPLES)]
    Chart(chart::Command),
    /// Products: the region's, to review and endorse; and one's own (analyst, releaser, auditor).
    #[command(subcommand, after_help = product::examples("accord-node"))]
    Product(product::Command),
    /// Policy cycles: priorities, goals and actions of a plan, and how they go (analyst, releaser, auditor).
    #[command(subcommand, after_help = cycle::examples("accord-node"))]
    Cycle(cycle::Command),
    /// Verify the evidence of a picture from files alone: no network, no store (exit code 3 if some figures are known
    /// by signature only).
    #[command(after_help = proof::VERIFY_EXAMPLES)]
    Verify(proof::Verify),
    #[command(flatten)]
    Operate(Operate),
    /// Keys, certificates and revocation lists; everything works on files, on a computer without a network.
    #[command(subcommand)]
    Pki(pki::Command),
    /// Who is a member, who may ask, with which keys: written by the root, on a computer without a network.
    #[command(subcommand)]
    Roster(roster::Command),
    /// What the node holds, and where its journal stands.
    Status {
        /// Go on until it is interrupted: whenever something changes it is printed again.
        #[arg(long)]
        watch: bool,
        #[command(flatten)]
        client: Client,
    },
}

#[derive(Debug, Subcommand)]
enum Policy {
    /// What another policy would leave of the figures, beside the one in force; changes nothing (releaser, analyst).
    #[command(
        after_help = "Example:\n  accord-node policy what-if --policy stricter.toml --secret stricter.secret.toml"
    )]
    WhatIf(keeping::WhatIf),
}

#[derive(Debug, Subcommand)]
enum Lists {
    /// Check a federation's own lists, on this computer: is every code, parent and reference right?
    Check {
        /// The folder of CSV files.
        folder: PathBuf,
    },
}

/// Runs one command; data go to stdout, everything else to stderr.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    operate::quiet_panics(NAME);
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return operate::misused(&error),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(1, &error.to_string()),
    };
    match cli.command {
        Command::Init(wanted) => match init::run(wanted) {
            Ok(said) => finish(Ok(Outcome { data: said, ..Outcome::default() })),
            Err(error) => fail(CONFIG_INVALID, &error.to_string()),
        },
        Command::Pki(command) => finish(pki::run(command, AROUND).map(Outcome::from)),
        Command::Roster(command) => finish(roster::run(command, AROUND).map(Outcome::from)),
        Command::Serve { config } => match serve(&runtime, &config) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(exit_code_of_start(error.reason), &error.to_string()),
        },
        Command::Operate(wanted) => operate::operate::<Examined>(&runtime, wanted),
        Command::Import(import) => finish(runtime.block_on(commands::imports::run(import))),
        Command::Mapping(mapping) => finish(runtime.block_on(commands::imports::mapping(mapping))),
        Command::Template(wanted) => finish(runtime.block_on(commands::imports::template(wanted))),
        Command::Totals(totals) => finish(runtime.block_on(commands::totals::list(totals))),
        Command::Lists(Lists::Check { folder }) => finish(commands::check_lists(&folder)),
        Command::Edition(edition) => finish(runtime.block_on(commands::totals::edition(edition))),
        Command::Freeze { first, last, client } => {
            finish(runtime.block_on(commands::freeze(&client, first, last.unwrap_or_default())))
        }
        Command::Bulletin(command) => finish(runtime.block_on(commands::bulletins::run(command))),
        Command::Grant(command) => finish(runtime.block_on(commands::grants::run(command))),
        Command::Inbox(command) => finish(runtime.block_on(commands::inbox::run(command))),
        Command::BreakGlass(wanted) => {
            finish(runtime.block_on(commands::inbox::break_glass(wanted)))
        }
        Command::Summary(command) => finish(runtime.block_on(commands::summaries::run(command))),
        Command::Backup(wanted) => finish(runtime.block_on(commands::keeping::backup(wanted))),
        Command::Restore(wanted) => finish(runtime.block_on(commands::keeping::restore(wanted))),
        Command::Leave(leave) => finish(runtime.block_on(commands::leave::leave(leave))),
        Command::ConfirmRestore(confirm) => {
            finish(runtime.block_on(commands::keeping::confirm_restore(confirm)))
        }
        Command::Erase(erase) => finish(runtime.block_on(commands::keeping::erase(erase))),
        Command::Policy(Policy::WhatIf(what_if)) => {
            finish(runtime.block_on(commands::whatif::what_if(what_if)))
        }
        Command::Budget(budget) => finish(runtime.block_on(commands::budget::budget(budget))),
        Command::Journal(command) => {
            finish(runtime.block_on(journal::run(command, commands::print::print)))
        }
        Command::Maintenance(command) => {
            finish(runtime.block_on(maintenance::run(command, commands::print::print)))
        }
        Command::Receipt(command) => finish(runtime.block_on(commands::proof::receipts(command))),
        Command::Answer(command) => finish(runtime.block_on(commands::proof::answers(command))),
        Command::Picture(command) => finish(runtime.block_on(commands::pictures::run(command))),
        Command::Chart(command) => finish(runtime.block_on(commands::chart::run(command))),
        Command::Threat(command) => finish(runtime.block_on(commands::threat::run(command))),
        Command::Product(command) => finish(runtime.block_on(commands::chart::product(command))),
        Command::Cycle(command) => finish(runtime.block_on(commands::chart::cycle(command))),
        Command::Verify(verify) => finish(commands::proof::verify(verify)),
        Command::Status { watch, client } => {
            let look = async || commands::status(&client).await;
            finish(runtime.block_on(operate::again(watch, look)))
        }
    }
}

fn serve(runtime: &tokio::runtime::Runtime, path: &Path) -> Result<(), Invalid> {
    let config = Config::load(path)?;
    let logging = Logging::begin(&config.log, store::LOG_NOTHING);
    if let Err(error) = leave_no_core() {
        tracing::warn!(%error, "a core dump could be written");
    }
    let path = path.to_owned();
    runtime.block_on(async move {
        tokio::spawn(logging.keep_taking(path, Config::log_of));
        run::serve(config, operate::stopped()).await
    })
}

fn finish(outcome: Result<Outcome, Invalid>) -> ExitCode {
    operate::finish(NAME, outcome)
}

fn fail(code: u8, problem: &str) -> ExitCode {
    operate::fail(NAME, code, problem)
}
