//! What the command lines of both programs share: as whom, how to print, how to end; and the commands that work on files to run a
//! service. Data go to stdout, everything else to stderr. Must never print a secret.

use std::{io::Write as _, net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::{
    Done, backup,
    doctor::{self, Findings},
    document::{self, Mistakes},
    files,
    settings::Log,
    store_key,
};
pub use crate::print::Format;
use crate::{
    clock::{Clock as _, SystemClock, SystemEntropy, Timestamp},
    limits::WATCH_EVERY,
    print,
    reason::{Invalid, Reason},
    status::exit_code,
};

/// Exit code for a configuration that cannot run (`EX_CONFIG`).
pub const CONFIG_INVALID: u8 = 78;

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

/// What a command prints, and with which code it ends.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Data, for stdout.
    pub data: String,
    /// Remarks, for stderr.
    pub remarks: Vec<String>,
    /// Done only in part: exit code 3.
    pub partial: bool,
    /// What ended it before all was done; the data say what was done until then.
    pub failure: Option<Invalid>,
}

impl From<Done> for Outcome {
    fn from(Done { data, remarks }: Done) -> Self {
        Self { data, remarks, ..Self::default() }
    }
}

/// Prints what came of a command of this program.
pub fn finish(program: &str, outcome: Result<Outcome, Invalid>) -> ExitCode {
    match outcome {
        Ok(Outcome { data, remarks, partial, failure }) => {
            remarks.iter().for_each(|remark| say(remark));
            if data.is_empty() {
                say("(none)");
            } else {
                put(&data);
            }
            match failure {
                Some(error) => fail(program, exit_code(error.reason), &error.to_string()),
                None => ExitCode::from(if partial { 3 } else { 0 }),
            }
        }
        Err(error) => fail(program, exit_code(error.reason), &error.to_string()),
    }
}

/// Ends with a problem.
pub fn fail(program: &str, code: u8, problem: &str) -> ExitCode {
    say(&format!("{program}: {problem}"));
    ExitCode::from(code)
}

/// Data. A closed pipe is the reader's wish.
fn put(data: &str) {
    let _ = writeln!(std::io::stdout(), "{data}");
}

fn say(remark: &str) {
    let _ = writeln!(std::io::stderr(), "{remark}");
}

/// Says what is wrong with the command line, or what was asked for: help, version.
pub fn misused(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    let incomplete = error.kind() == clap::error::ErrorKind::MissingRequiredArgument;
    if incomplete && error.to_string().contains("--client") {
        say("tip: --client may be given once: export ACCORD_CLIENT=…/client.toml");
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// A panic says where it was and not what it was about: its text may hold what lies in the store.
pub fn quiet_panics(program: &'static str) {
    std::panic::set_hook(Box::new(move |panic| {
        let at = panic.location().map_or(String::new(), ToString::to_string);
        say(&format!("{program}: an error of this program at {at}"));
    }));
}

/// Resolves at SIGINT or SIGTERM.
pub async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

/// Looks once; or, to `watch`, again and again until it is interrupted, and prints what has changed.
pub async fn again(
    watch: bool,
    look: impl AsyncFn() -> Result<Outcome, Invalid>,
) -> Result<Outcome, Invalid> {
    let stopped = stopped();
    tokio::pin!(stopped);
    let mut shown = None;
    loop {
        let looked = look().await;
        if !watch {
            return looked;
        }
        let found = looked.map(|outcome| outcome.data).map_err(|error| error.to_string());
        if shown.as_ref() != Some(&found) {
            match &found {
                Ok(data) => put(data),
                Err(error) => say(error),
            }
            shown = Some(found);
        }
        tokio::select! {
            () = &mut stopped => {
                let remarks = vec!["interrupted".to_owned()];
                return Ok(Outcome { remarks, ..Outcome::default() });
            }
            () = tokio::time::sleep(WATCH_EVERY) => {}
        }
    }
}

/// Commands that work on files, for whoever runs a service.
#[derive(Debug, Subcommand)]
pub enum Operate {
    /// Read the configuration and say everything that is wrong with it, with lines (exit code 78 if it cannot run).
    CheckConfig {
        /// The configuration.
        #[arg(long, env = "ACCORD_CONFIG")]
        config: Option<PathBuf>,
        /// Every key, its value, and where that stands.
        #[arg(long)]
        explain: bool,
        /// How to print.
        #[arg(long, short = 'o', value_enum, default_value = "table")]
        format: Format,
    },
    /// Look for whatever keeps the service from running well; says cause and fix, changes nothing (exit code 1 for a fault).
    Doctor {
        /// The configuration.
        #[arg(long, env = "ACCORD_CONFIG")]
        config: Option<PathBuf>,
        /// How to print.
        #[arg(long, short = 'o', value_enum, default_value = "table")]
        format: Format,
    },
    /// Ask the running service on this machine whether it is ready (exit code 1 if not): for containers and load balancers.
    Ready {
        /// The configuration; it says where to ask: ops.listen.
        #[arg(long, env = "ACCORD_CONFIG")]
        config: Option<PathBuf>,
        /// Only the exit code.
        #[arg(long, short)]
        quiet: bool,
    },
    /// Make a key that opens encrypted backups; says the recipient to encrypt them for. Keep the key away from the service.
    BackupKey {
        /// The file; must not exist.
        #[arg(long)]
        out: PathBuf,
    },
    /// Make a key that the store is sealed with: a new file, or before the keys of a file that is there. Only the user to whom file and
    /// folder belong may.
    StoreKey {
        /// The file that `[store] key` names; not in the data folder.
        #[arg(long, default_value = "keys/store.key")]
        file: PathBuf,
    },
    /// Seal the store with the first key of its file, after `store-key` or for the first time; the service does not run. A whole new
    /// store is written beside the old one, which is then removed: it needs as much room again, for a while. Only the user to whom the
    /// data folder belongs may.
    Rekey {
        /// The configuration; it says where store and keys lie.
        #[arg(long, env = "ACCORD_CONFIG")]
        config: Option<PathBuf>,
    },
    /// Write what a shell needs to complete commands.
    Completion {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write manual pages into a folder.
    Man {
        /// The folder; created if it is not there.
        dir: PathBuf,
    },
}

/// A program whose service is run by somebody.
pub trait Program {
    /// Its configuration.
    type Config;

    /// Its name.
    const NAME: &'static str;

    /// Where its configuration lies if nobody says so.
    const CONFIG: &'static str;

    /// The configuration that is shipped: every key, with its default where it is commented out.
    const SHIPPED: &'static str;

    /// Its command line.
    fn command() -> clap::Command;

    /// Reads a configuration that stands in a folder.
    fn check(text: &str, home: &std::path::Path) -> Result<Self::Config, Mistakes>;

    /// Where the running service can be asked, and what it logs.
    fn watched(config: &Self::Config) -> (Option<SocketAddr>, &Log);

    /// Seals the store with the first of its keys.
    fn rekey(config: &Self::Config) -> impl Future<Output = Result<Outcome, Invalid>>;

    /// Looks for faults.
    fn examine(
        config: &Self::Config,
        findings: &mut Findings,
        now: Timestamp,
    ) -> impl Future<Output = ()>;
}

/// Runs one of these commands.
pub fn operate<P: Program>(runtime: &Runtime, wanted: Operate) -> ExitCode {
    let place = |config: Option<PathBuf>| config.unwrap_or_else(|| P::CONFIG.into());
    match wanted {
        Operate::CheckConfig { config, explain, format } => {
            check::<P>(&place(config), explain, format)
        }
        Operate::Doctor { config, format } => {
            let config = place(config);
            let mut findings = Findings::default();
            let home = config.parent().map(ToOwned::to_owned).unwrap_or_default();
            let read = |text: &str| P::check(text, &home);
            if let Some(config) = doctor::configuration(&mut findings, &config, read) {
                runtime.block_on(P::examine(&config, &mut findings, SystemClock.now()));
            }
            put(&print::rows(format, &findings.rows()));
            say(&findings.summary());
            ExitCode::from(u8::from(!findings.is_well()))
        }
        Operate::Ready { config, quiet } => {
            let loaded = load::<P>(&place(config));
            let told = loaded.and_then(|config| runtime.block_on(ready::<P>(&config)));
            match told {
                Ok((ready, text)) => {
                    if !quiet {
                        put(&doctor::plain(&text));
                    }
                    ExitCode::from(u8::from(!ready))
                }
                Err(error) if error.reason == Reason::FieldInvalid => {
                    fail(P::NAME, CONFIG_INVALID, &error.to_string())
                }
                // Whoever asks for health wants one answer to "not".
                Err(error) => fail(P::NAME, 1, &error.to_string()),
            }
        }
        Operate::BackupKey { out } => {
            let made = backup::new_key(&out).map(|recipient| {
                let shown = json!({"recipient": recipient, "identity": out.display().to_string()});
                let remark =
                    "whoever has this key reads every backup for it; without it nobody does";
                let (data, remarks) = (print::rows(Format::Table, &shown), vec![remark.to_owned()]);
                Outcome { data, remarks, ..Outcome::default() }
            });
            finish(P::NAME, made)
        }
        Operate::StoreKey { file } => finish(P::NAME, store_key::add(&file, &SystemEntropy)),
        Operate::Rekey { config } => {
            let loaded = load::<P>(&place(config));
            finish(P::NAME, loaded.and_then(|config| runtime.block_on(P::rekey(&config))))
        }
        Operate::Completion { shell } => {
            clap_complete::generate(shell, &mut P::command(), P::NAME, &mut std::io::stdout());
            ExitCode::SUCCESS
        }
        Operate::Man { dir } => {
            let made = std::fs::create_dir_all(&dir)
                .and_then(|()| clap_mangen::generate_to(P::command(), &dir));
            match made {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => fail(P::NAME, 1, &format!("{}: {error}", dir.display())),
            }
        }
    }
}

fn load<P: Program>(path: &std::path::Path) -> Result<P::Config, Invalid> {
    let name = path.display().to_string();
    let invalid = |detail: String| Invalid::new(Reason::FieldInvalid, name.clone(), detail);
    let text = files::read_text(path)?;
    let home = path.parent().unwrap_or(std::path::Path::new(""));
    P::check(&text, home).map_err(|mistakes| invalid(mistakes.to_string()))
}

async fn ready<P: Program>(config: &P::Config) -> Result<(bool, String), Invalid> {
    let nowhere = || {
        let detail = "is not set: the service cannot be asked";
        Invalid::new(Reason::FieldInvalid, "ops.listen", detail)
    };
    let at = P::watched(config).0.ok_or_else(nowhere)?;
    let asked = doctor::ask(at, "/ready").await;
    let (status, text) =
        asked.map_err(|error| Invalid::new(Reason::NoConnection, at.to_string(), error))?;
    Ok((status == 200, text))
}

fn check<P: Program>(path: &std::path::Path, explain: bool, format: Format) -> ExitCode {
    let name = path.display();
    let text = match files::read_text(path) {
        Ok(text) => text,
        Err(error) => return fail(P::NAME, CONFIG_INVALID, &error.to_string()),
    };
    let home = path.parent().unwrap_or(std::path::Path::new(""));
    let checked = P::check(&text, home);
    if explain {
        put(&print::rows(format, &explained(&text, P::SHIPPED, &name.to_string())));
    }
    match checked {
        Ok(_) => {
            say(&format!("{name}: ok"));
            ExitCode::SUCCESS
        }
        Err(mistakes) => {
            for mistake in mistakes.iter() {
                say(&format!("{name}:{mistake}"));
                if let Some((line, column)) = mistake.at {
                    let shown = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
                    say(&format!("  {line} | {shown}"));
                    let before = " ".repeat(line.to_string().len() + column + 4);
                    say(&format!("{before}^"));
                }
            }
            ExitCode::from(CONFIG_INVALID)
        }
    }
}

fn explained(text: &str, shipped: &str, name: &str) -> Value {
    let row = |of: document::Explained| {
        let origin = match (of.line, of.value.is_empty()) {
            (Some(line), _) => format!("{name}:{line}"),
            (None, true) => "not set".to_owned(),
            (None, false) => "default".to_owned(),
        };
        json!({"key": of.key, "value": of.value, "origin": origin})
    };
    Value::Array(document::explain(text, shipped).into_iter().map(row).collect())
}
