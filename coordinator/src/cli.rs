//! The command line. `init`, `serve`, `pki`, `roster` and `verify` work on files; everything else is a Region call as the person whose
//! client file is given. A requirement is signed here, in the asking authority's client.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::ExitCode,
};

pub use accord_proto::operate::cli::{Client, Format, Outcome};
use accord_proto::{
    clock::{SystemClock, SystemEntropy},
    operate::{
        Around,
        backup::{Backup, Restore},
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
use clap::{Args, CommandFactory as _, Parser, Subcommand};

use crate::{
    archive,
    commands::{self, compare},
    config::Config,
    examine::Examined,
    run,
};

pub(crate) mod export;
pub(crate) mod gap;
pub(crate) mod gate;
pub(crate) mod init;
pub(crate) mod threat;
pub(crate) mod chart;

/// The program's name.
pub(crate) const NAME: &str = "accord-coordinator";

/// Its command line.
pub(crate) fn command() -> clap::Command {
    Cli::command()
}

/// Of the journal.
const JOURNAL_EXAMPLES: &str = "Examples:\n  accord-coordinator journal list --act disclosure --from 2026-01-01\n  \
    accord-coordinator journal export --out journal.jsonl\n  \
    accord-coordinator journal verify --file journal.jsonl --key \"$(cat coordinator.vkey)\"";

/// Of maintenance.
const MAINTENANCE_EXAMPLES: &str = "Examples:\n  accord-coordinator maintenance begin --for 2h --why \"upgrade\"\n  \
    accord-coordinator maintenance show\n  accord-coordinator maintenance end";

/// The clock and the chance of commands that work on files.
const AROUND: Around<'_> = Around { clock: &SystemClock, entropy: &SystemEntropy };

/// The Accord coordinator: asks, verifies, combines; never sees a record.
#[derive(Debug, Parser)]
#[command(
    name = "accord-coordinator",
    version,
    after_help = "Examples:\n  accord-coordinator serve --config coordinator.toml\n  accord-coordinator gather 0190… --client staff/analyst/client.toml"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Prepare a folder for a coordinator: commented config, secret parameters, signing key.
    #[command(after_help = init::EXAMPLES)]
    Init(init::Init),
    /// Run the coordinator.
    Serve {
        /// The coordinator's configuration.
        #[arg(long, env = "ACCORD_CONFIG", default_value = "coordinator.toml")]
        config: PathBuf,
    },
    /// Members of the roster.
    #[command(subcommand)]
    Member(Member),
    /// Intelligence requirements.
    #[command(subcommand)]
    Requirement(Requirement),
    /// Ask every member that a requirement names and draw the picture (exit code 3 if not all answered).
    Gather {
        /// Id of the requirement.
        requirement: String,
        /// Bound of one call to a node, in milliseconds; the coordinator's setting if left out.
        #[arg(long)]
        call_deadline_ms: Option<u32>,
        #[command(flatten)]
        client: Client,
    },
    /// Where every member stands in the collection of a requirement (exit code 3 unless it is complete).
    Collection {
        /// Id of the requirement.
        requirement: String,
        /// Go on until it ends: whenever a member's state changes, it is said on stderr.
        #[arg(long)]
        watch: bool,
        #[command(flatten)]
        client: Client,
    },
    /// Ask every member now whether the answers that pictures rest on still stand (analyst; exit code 3 if not all were asked).
    Standing {
        #[command(flatten)]
        client: Client,
    },
    /// Regional pictures.
    #[command(subcommand)]
    Picture(Picture),
    /// Crime areas in the order that regional pictures give, with how sure it is; never jurisdictions.
    #[command(subcommand, after_help = threat::EXAMPLES)]
    Threat(threat::Command),
    /// Charts of pictures and rankings, as SVG or PNG.
    #[command(subcommand, after_help = chart::EXAMPLES)]
    Chart(chart::Command),
    /// Products on pictures: written, reviewed, endorsed and published (editor; an observer reads what is released to it).
    #[command(subcommand, after_help = product::examples("accord-coordinator"))]
    Product(product::Command),
    /// Policy cycles: priorities, goals and actions of a plan, and how they go (every role but observer).
    #[command(subcommand, after_help = cycle::examples("accord-coordinator"))]
    Cycle(cycle::Command),
    /// What is not known, and the requirement that would ask for it (every role but observer).
    #[command(subcommand, after_help = gap::EXAMPLES)]
    Gap(gap::Command),
    /// The journal: who did what, why and to whom (auditor).
    #[command(subcommand, after_help = JOURNAL_EXAMPLES)]
    Journal(journal::Journal),
    /// Announced maintenance: nobody is asked for a while, and members are told until when; what is there can be read.
    #[command(subcommand, after_help = MAINTENANCE_EXAMPLES)]
    Maintenance(maintenance::Maintenance),
    /// The gate, for the custodian of its parameters: every verdict can be found again.
    #[command(subcommand, after_help = gate::EXAMPLES)]
    Gate(gate::Gate),
    /// Write everything that the coordinator holds into one file; it goes on running (operator).
    #[command(
        after_help = "Examples:\n  accord-coordinator backup --to /var/backups/accord --recipients-file /etc/accord/backup.recipients\n  accord-coordinator backup --to /mnt/encrypted"
    )]
    Backup(Backup),
    /// Make a data folder out of a backup; no coordinator runs.
    #[command(
        after_help = "Examples:\n  accord-coordinator restore accord-coordinator-coordinator-20261124T080000Z.backup --check\n  accord-coordinator restore accord-coordinator-coordinator-20261124T080000Z.backup.age --identity backup.key --data /var/lib/accord/data"
    )]
    Restore(Restore),
    /// After a restore: rely again on what the gate remembers, and show pooled figures again (custodian).
    #[command(
        after_help = "Example:\n  accord-coordinator confirm-restore --why \"disk replaced; nothing was drawn since the backup of 24 November\""
    )]
    ConfirmRestore {
        /// For the journal.
        #[arg(long)]
        why: String,
        #[command(flatten)]
        client: Client,
    },
    /// Verify the evidence of a picture from files alone: no network, no store (exit code 3 if some figures are known
    /// by signature only).
    #[command(
        after_help = "Examples:\n  accord-coordinator verify picture.evidence --roster roster.signed --root root.pub\n  accord-coordinator verify picture.evidence --roster roster.signed --root root.pub --answer al.answer --answer ba.answer"
    )]
    Verify(Verify),
    #[command(flatten)]
    Operate(Operate),
    /// Who can be reached, whose clock is off, what comes to its end (exit code 3 if a member cannot be reached).
    Status {
        /// Go on until it is interrupted: whenever something changes it is printed again.
        #[arg(long)]
        watch: bool,
        #[command(flatten)]
        client: Client,
    },
    /// Keys, certificates and revocation lists; everything works on files, on a computer without a network.
    #[command(subcommand)]
    Pki(Pki),
    /// Who is a member, who may ask, with which keys: written by the root, on a computer without a network.
    #[command(subcommand)]
    Roster(roster::Command),
}

/// What to verify, and whom to believe.
#[derive(Clone, Debug, Args)]
pub struct Verify {
    /// The evidence: `picture evidence` writes it.
    pub file: PathBuf,
    /// The roster, as the federation root signed it.
    #[arg(long)]
    pub roster: PathBuf,
    /// The federation root's public key.
    #[arg(long)]
    pub root: PathBuf,
    /// An answer that a node has handed out (`accord-node answer export`); once for each.
    #[arg(long)]
    pub answer: Vec<PathBuf>,
    /// Folder of the federation's own code lists.
    #[arg(long)]
    pub lists: Option<PathBuf>,
    /// How to print.
    #[arg(long, short = 'o', value_enum, default_value = "table")]
    pub format: Format,
}

#[derive(Debug, Subcommand)]
enum Member {
    /// List members.
    List {
        /// Also ask each what may be asked of it.
        #[arg(long)]
        describe: bool,
        #[command(flatten)]
        client: Client,
    },
}

#[derive(Debug, Subcommand)]
enum Requirement {
    /// Sign a requirement with the authority's own key and hand it in (analyst).
    Issue {
        /// The requirement; see deploy/requirement.toml.
        file: PathBuf,
        /// The authority's key (PKCS#8 PEM, mode 0600). It is used here and never sent.
        #[arg(long)]
        authority_key: PathBuf,
        #[command(flatten)]
        client: Client,
    },
    /// How many cells of a draft could be published at all, before anybody is asked for a figure (analyst; exit code 3 if
    /// some cannot).
    #[command(
        after_help = "Examples:\n  accord-coordinator requirement feasibility requirement.toml\n  accord-coordinator requirement feasibility requirement.toml --cells -o csv"
    )]
    Feasibility {
        /// The draft; see deploy/requirement.toml.
        file: PathBuf,
        /// Every cell, not only how many.
        #[arg(long)]
        cells: bool,
        #[command(flatten)]
        client: Client,
    },
    /// Take back what was asked, signed with the authority's own key; answers that were given stand (analyst).
    Cancel {
        /// Id of the requirement.
        requirement: String,
        /// For the members.
        #[arg(long)]
        why: String,
        /// The authority's key (PKCS#8 PEM, mode 0600). It is used here and never sent.
        #[arg(long)]
        authority_key: PathBuf,
        #[command(flatten)]
        client: Client,
    },
    /// List requirements, newest first, with where each stands.
    List {
        #[command(flatten)]
        client: Client,
    },
}

#[derive(Debug, Subcommand)]
enum Picture {
    /// Show a picture.
    Show {
        /// Id of the requirement.
        requirement: String,
        /// Version; the newest if left out.
        #[arg(long, default_value_t = 0, hide_default_value = true)]
        version: u32,
        #[command(flatten)]
        client: Client,
    },
    /// List pictures, newest first.
    List(Listed),
    /// What has changed between two pictures, two versions, or two periods of one: differences, breaks, revisions, changed
    /// contributors.
    #[command(after_help = compare::EXAMPLES)]
    Compare(compare::Compare),
    /// How figures went over rounds: of every cell one point for each period, as the newest round tells it, with breaks,
    /// revisions and changed contributors.
    #[command(after_help = "Example:\n  accord-coordinator picture trend 0190… 0191… 0192… -o csv")]
    Trend(compare::Trend),
    /// Rates per 100,000 inhabitants of those who contribute.
    Rates(compare::Rates),
    /// Write a picture as CSV, XLSX, JSON or SDMX-CSV (exit code 3 if not all answered).
    #[command(after_help = export::EXAMPLES)]
    Export(export::Export),
    /// Where a picture has arrived: members with delivered or waiting, and why (exit code 3 if not everywhere).
    Deliveries {
        /// Id of the requirement.
        requirement: String,
        /// Version; the newest if left out.
        #[arg(long, default_value_t = 0, hide_default_value = true)]
        version: u32,
        #[command(flatten)]
        client: Client,
    },
    /// Deliver the newest picture now to every member that waits for it (analyst; exit code 3 if not everywhere).
    Deliver {
        /// Id of the requirement.
        requirement: String,
        #[command(flatten)]
        client: Client,
    },
    /// Write what a picture rests on to a file that anybody can verify.
    #[command(
        after_help = "Example:\n  accord-coordinator picture evidence 0190… --out picture.evidence"
    )]
    Evidence {
        /// Id of the requirement.
        requirement: String,
        /// Version; the newest if left out.
        #[arg(long, default_value_t = 0, hide_default_value = true)]
        version: u32,
        /// The file; must not exist.
        #[arg(long)]
        out: PathBuf,
        #[command(flatten)]
        client: Client,
    },
}

/// Which pictures to list.
#[derive(Clone, Debug, Args)]
pub struct Listed {
    /// Only those that hold this indicator.
    #[arg(long)]
    pub indicator: Option<String>,
    /// Only those of this audience.
    #[arg(long)]
    pub audience: Option<String>,
    /// Only the newest version of each.
    #[arg(long)]
    pub newest: bool,
    /// Whom to ask, and how to print.
    #[command(flatten)]
    pub client: Client,
}

#[derive(Debug, Subcommand)]
enum Pki {
    #[command(flatten)]
    Offline(pki::Command),
    /// Write a whole development federation: CA, certificates, keys, signed roster, client files. Not for production.
    Development(Development),
}

/// Who takes part in a development federation.
#[derive(Clone, Debug, Args)]
pub struct Development {
    /// The folder; must not exist yet.
    #[arg(long)]
    pub dir: PathBuf,
    /// Trust domain.
    #[arg(long, default_value = "wb6.example")]
    pub federation: String,
    /// Jurisdictions, comma-separated; each gets one node named like al-police.
    #[arg(long, value_delimiter = ',', default_value = "AL,BA,ME,MK,RS,XK")]
    pub members: Vec<String>,
    /// Address of every service.
    #[arg(long, default_value = "127.0.0.1")]
    pub host: String,
    /// Port of the coordinator; nodes follow: +1, +2, … for Exchange, +101, +102, … for Desk.
    #[arg(long, default_value_t = 7100)]
    pub port: u16,
    /// Every service on a host of its own, named like the service, each with the same ports: 7100, 7101 and 7201.
    #[arg(long, conflicts_with_all = ["host", "port"])]
    pub apart: bool,
    /// Folder of the federation's own code lists, if its members stand there.
    #[arg(long)]
    pub lists: Option<PathBuf>,
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
            Ok(data) => finish(Ok(Outcome { data, ..Outcome::default() })),
            Err(error) => fail(CONFIG_INVALID, &error.to_string()),
        },
        Command::Serve { config } => match serve(&runtime, &config) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(exit_code_of_start(error.reason), &error.to_string()),
        },
        Command::Status { watch, client } => {
            let look = async || commands::status::status(&client).await;
            finish(runtime.block_on(operate::again(watch, look)))
        }
        Command::Operate(wanted) => operate::operate::<Examined>(&runtime, wanted),
        Command::Member(Member::List { describe, client }) => {
            finish(runtime.block_on(commands::members(&client, describe)))
        }
        Command::Requirement(Requirement::Issue { file, authority_key, client }) => {
            finish(runtime.block_on(commands::issue(&client, &file, &authority_key)))
        }
        Command::Requirement(Requirement::Feasibility { file, cells, client }) => {
            finish(runtime.block_on(commands::feasible::assess(&client, &file, cells)))
        }
        Command::Requirement(Requirement::Cancel { requirement, why, authority_key, client }) => {
            finish(runtime.block_on(commands::cancel(&client, &requirement, &why, &authority_key)))
        }
        Command::Collection { requirement, watch, client } => {
            finish(runtime.block_on(commands::collection::watch(&client, requirement, watch)))
        }
        Command::Standing { client } => finish(runtime.block_on(commands::standing(&client))),
        Command::Requirement(Requirement::List { client }) => {
            finish(runtime.block_on(commands::requirements(&client)))
        }
        Command::Gather { requirement, call_deadline_ms, client } => finish(
            runtime.block_on(commands::gather(&client, requirement, call_deadline_ms.unwrap_or(0))),
        ),
        Command::Picture(command) => picture(&runtime, command),
        Command::Chart(command) => finish(runtime.block_on(commands::chart::run(command))),
        Command::Threat(command) => finish(runtime.block_on(commands::threat::run(command))),
        Command::Product(command) => finish(runtime.block_on(commands::chart::product(command))),
        Command::Cycle(command) => finish(runtime.block_on(commands::chart::cycle(command))),
        Command::Gap(command) => finish(runtime.block_on(commands::gaps::run(command))),
        Command::Journal(command) => {
            finish(runtime.block_on(journal::run(command, accord_proto::print::rows)))
        }
        Command::Maintenance(command) => {
            finish(runtime.block_on(maintenance::run(command, accord_proto::print::rows)))
        }
        Command::Gate(command) => finish(runtime.block_on(commands::gate::run(command))),
        Command::Backup(wanted) => finish(runtime.block_on(commands::keeping::backup(wanted))),
        Command::Restore(wanted) => finish(runtime.block_on(commands::keeping::restore(wanted))),
        Command::ConfirmRestore { why, client } => {
            finish(runtime.block_on(commands::keeping::confirm_restore(&client, why)))
        }
        Command::Verify(verify) => finish(commands::evidence::verify(verify)),
        Command::Pki(Pki::Development(plan)) => finish(commands::development(&plan)),
        Command::Pki(Pki::Offline(command)) => finish(pki::run(command, AROUND).map(Outcome::from)),
        Command::Roster(command) => finish(roster::run(command, AROUND).map(Outcome::from)),
    }
}

fn picture(runtime: &tokio::runtime::Runtime, command: Picture) -> ExitCode {
    match command {
        Picture::Show { requirement, version, client } => {
            finish(runtime.block_on(commands::picture(&client, requirement, version)))
        }
        Picture::List(wanted) => finish(runtime.block_on(commands::pictures(&wanted))),
        Picture::Deliveries { requirement, version, client } => {
            finish(runtime.block_on(commands::deliveries::list(&client, requirement, version)))
        }
        Picture::Deliver { requirement, client } => {
            finish(runtime.block_on(commands::deliveries::deliver(&client, requirement)))
        }
        Picture::Evidence { requirement, version, out, client } => {
            finish(runtime.block_on(commands::evidence::write(&client, requirement, version, &out)))
        }
        Picture::Compare(wanted) => finish(runtime.block_on(compare::compare(wanted))),
        Picture::Trend(wanted) => finish(runtime.block_on(compare::trend(wanted))),
        Picture::Rates(wanted) => finish(runtime.block_on(compare::rates(wanted))),
        Picture::Export(wanted) => export::finish(runtime.block_on(commands::export::run(wanted))),
    }
}

fn serve(runtime: &tokio::runtime::Runtime, path: &Path) -> Result<(), Invalid> {
    let config = Config::load(path)?;
    let logging = Logging::begin(&config.log, archive::LOG_NOTHING);
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
