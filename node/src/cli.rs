//! The command line. `init` and `serve` work on files; everything else is a Desk call as the person whose
//! client file is given.

use std::{
    ffi::OsString,
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use accord_proto::{
    clock::SystemEntropy,
    reason::{Invalid, Reason},
    seal::SecretKey,
    status::{exit_code, exit_code_of_start},
    transport::write_secret,
};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::{commands, config::Config, run};

/// Exit code for a configuration that cannot run (`EX_CONFIG`).
const CONFIG_INVALID: u8 = 78;

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
    Init {
        /// The folder; created if it is not there.
        dir: PathBuf,
    },
    /// Run the node.
    Serve {
        /// The node's configuration.
        #[arg(long, env = "ACCORD_CONFIG", default_value = "node.toml")]
        config: PathBuf,
    },
    /// Import a CSV file through a mapping (analyst).
    Import {
        /// The file.
        file: PathBuf,
        /// From national columns and codes to the registry; see deploy/mapping.toml.
        #[arg(long)]
        mapping: PathBuf,
        #[command(flatten)]
        client: Client,
    },
    /// Freeze reporting periods into editions (releaser).
    Freeze {
        /// The first period, like 2016 or 2016-Q3.
        first: String,
        /// The last one; only the first if left out.
        last: Option<String>,
        #[command(flatten)]
        client: Client,
    },
    /// Standing consents.
    #[command(subcommand)]
    Grant(Grant),
    /// What the node holds, and where its journal stands.
    Status {
        #[command(flatten)]
        client: Client,
    },
}

#[derive(Debug, Subcommand)]
enum Grant {
    /// Give consent (releaser).
    Add {
        #[command(flatten)]
        terms: Box<Terms>,
        #[command(flatten)]
        client: Client,
    },
    /// Take consent back, effective at once (releaser).
    Withdraw {
        /// Id of the grant.
        grant: String,
        #[command(flatten)]
        client: Client,
    },
    /// List consents.
    List {
        #[command(flatten)]
        client: Client,
    },
}

/// What is consented to.
#[derive(Clone, Debug, Args)]
pub struct Terms {
    /// Code of the list `indicators`.
    #[arg(long)]
    pub indicator: String,
    /// Crime areas, comma-separated; all that the indicator allows if left out.
    #[arg(long, value_delimiter = ',')]
    pub crime_area: Vec<String>,
    /// First reporting period.
    #[arg(long, default_value = "")]
    pub first_period: String,
    /// Last reporting period.
    #[arg(long, default_value = "")]
    pub last_period: String,
    /// Code of the list `purposes`.
    #[arg(long)]
    pub purpose: String,
    /// Code of the list `audiences`.
    #[arg(long)]
    pub audience: String,
    /// Consent holds from this day, like 2026-01-01.
    #[arg(long)]
    pub from: String,
    /// … until this day, exclusive.
    #[arg(long)]
    pub until: String,
    /// Id (UUIDv7) of the grant; give the same one to repeat safely.
    #[arg(long)]
    pub id: Option<String>,
}

/// As whom, and how to print.
#[derive(Clone, Debug, Args)]
pub struct Client {
    /// Your client file: whom to talk to, and your certificate.
    #[arg(long, env = "ACCORD_CLIENT")]
    pub client: PathBuf,
    /// How to print.
    #[arg(long, short = 'o', value_enum, default_value = "table")]
    pub format: Format,
}

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// Runs one command; data go to stdout, everything else to stderr.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(1, &error.to_string()),
    };
    match cli.command {
        Command::Init { dir } => match init(&dir) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(CONFIG_INVALID, &error.to_string()),
        },
        Command::Serve { config } => {
            logging();
            let served =
                Config::load(&config).map(|config| runtime.block_on(run::serve(config, stopped())));
            match served {
                Ok(Ok(())) => ExitCode::SUCCESS,
                Err(error) | Ok(Err(error)) => {
                    fail(exit_code_of_start(error.reason), &error.to_string())
                }
            }
        }
        Command::Import { file, mapping, client } => {
            finish(runtime.block_on(commands::import(&client, &file, &mapping)))
        }
        Command::Freeze { first, last, client } => {
            finish(runtime.block_on(commands::freeze(&client, first, last.unwrap_or_default())))
        }
        Command::Grant(Grant::Add { terms, client }) => {
            finish(runtime.block_on(commands::grant(&client, *terms)))
        }
        Command::Grant(Grant::Withdraw { grant, client }) => {
            finish(runtime.block_on(commands::withdraw(&client, grant)))
        }
        Command::Grant(Grant::List { client }) => {
            finish(runtime.block_on(commands::grants(&client)))
        }
        Command::Status { client } => finish(runtime.block_on(commands::status(&client))),
    }
}

/// What a command prints, and with which code it ends.
#[derive(Debug)]
pub struct Outcome {
    /// Data, for stdout.
    pub data: String,
    /// Remarks, for stderr.
    pub remarks: Vec<String>,
    /// Done only in part: exit code 3.
    pub partial: bool,
}

fn finish(outcome: Result<Outcome, Invalid>) -> ExitCode {
    match outcome {
        Ok(Outcome { data, remarks, partial }) => {
            for remark in remarks {
                let _ = writeln!(std::io::stderr(), "{remark}");
            }
            // A closed pipe is the reader's wish.
            let _ = writeln!(std::io::stdout(), "{data}");
            ExitCode::from(if partial { 3 } else { 0 })
        }
        Err(error) => fail(exit_code(error.reason), &error.to_string()),
    }
}

fn fail(code: u8, problem: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "accord-node: {problem}");
    ExitCode::from(code)
}

fn logging() {
    let filter =
        tracing_subscriber::EnvFilter::try_from_env("ACCORD_LOG").unwrap_or_else(|_| "info".into());
    let terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(terminal)
        .init();
}

/// Resolves at SIGINT or SIGTERM.
async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

/// Writes what is not there yet; never overwrites.
fn init(dir: &Path) -> Result<(), Invalid> {
    let unwritable = |error: std::io::Error| {
        Invalid::new(Reason::FieldInvalid, dir.display().to_string(), error.to_string())
    };
    std::fs::create_dir_all(dir.join("keys")).map_err(unwritable)?;
    let mut said = Vec::new();
    for (name, text) in [
        ("node.toml", include_str!("../../deploy/node.toml")),
        ("policy.toml", include_str!("../../deploy/policy.toml")),
    ] {
        let path = dir.join(name);
        if path.exists() {
            said.push(format!("kept     {}", path.display()));
        } else {
            std::fs::write(&path, text).map_err(unwritable)?;
            said.push(format!("written  {}", path.display()));
        }
    }
    let path = dir.join("keys/seal.key");
    let key = if path.exists() {
        SecretKey::from_pem("seal.key", &accord_proto::transport::read_secret(&path)?)?
    } else {
        let key = SecretKey::generate(&SystemEntropy)?;
        write_secret(&path, &key.to_pem()?)?;
        key
    };
    let public: String = key.public().to_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    said.push(format!("seal key {public} (give this to the federation root for the roster)"));
    for name in [
        "keys/tls.crt",
        "keys/tls.key",
        "keys/ca.crt",
        "keys/staff-ca.crt",
        "roster.signed",
        "root.pub",
    ] {
        if !dir.join(name).exists() {
            said.push(format!("missing  {} (see deploy/README.md)", dir.join(name).display()));
        }
    }
    let _ = writeln!(std::io::stdout(), "{}", said.join("\n"));
    Ok(())
}
