//! Command lines of the journal, the same in both programs. Comes in: what somebody typed. Goes out: what [`audit`] is to do, as
//! whom, and how it is printed.
//!
//! [`audit`]: crate::audit

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::cli::{Client, Outcome};
use crate::{
    audit::{self, Command, Said},
    clock::Timestamp,
    journal::{self, Act, VerifierKey},
    print::Format,
    reason::Invalid,
};

/// Who did what, why and to whom, and the proof that nothing of it was changed (auditor).
#[derive(Debug, Subcommand)]
pub enum Journal {
    /// Entries, oldest first.
    List {
        /// Which entries.
        #[command(flatten)]
        filter: Filter,
        /// Only the newest so many; 0: all.
        #[arg(long, default_value_t = 100)]
        last: u64,
        /// As whom, and how to print.
        #[command(flatten)]
        client: Client,
    },
    /// One entry with every field, and whether it is proven to be part of the journal.
    Show {
        /// Its place, from 0.
        entry: u64,
        /// As whom, and how to print.
        #[command(flatten)]
        client: Client,
    },
    /// Check every entry against the signed checkpoint; names the first one that is wrong. With --file, on this
    /// computer alone.
    Verify {
        /// An export; FILE.checkpoint lies beside it.
        #[arg(long, requires = "key")]
        file: Option<PathBuf>,
        /// The key that must have signed, as the roster or an earlier checkpoint has it (name+hash+key).
        #[arg(long)]
        key: Option<String>,
        /// As whom, and how to print.
        #[command(flatten)]
        client: MaybeClient,
    },
    /// Write entries as JSON lines with the fields of OCSF, and the checkpoint beside them as FILE.checkpoint.
    Export {
        /// Which entries.
        #[command(flatten)]
        filter: Filter,
        /// The file; must not be there yet.
        #[arg(long)]
        out: PathBuf,
        /// As whom, and how to print.
        #[command(flatten)]
        client: Client,
    },
    /// Where the journal stands: a signed note, to be kept elsewhere.
    Checkpoint {
        /// As whom, and how to print.
        #[command(flatten)]
        client: Client,
    },
    /// Rely no more on what is known of another service's journal, after somebody has looked into why it contradicts what
    /// it was (operator).
    Accept {
        /// Its name in the roster, like al-police or coordinator.
        service: String,
        /// For the journal.
        #[arg(long)]
        why: String,
        /// As whom, and how to print.
        #[command(flatten)]
        client: Client,
    },
}

/// Which entries.
#[derive(Clone, Debug, Args)]
pub struct Filter {
    /// collection, alteration, consultation, disclosure, combination or erasure.
    #[arg(long)]
    pub act: Option<String>,
    /// Who did it: the name in the certificate, or the whole identity.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub by: String,
    /// To whom: an audience or an authority.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub to: String,
    /// From this day or moment on, like 2026-01-01.
    #[arg(long)]
    pub from: Option<String>,
    /// … until this one, exclusive.
    #[arg(long)]
    pub until: Option<String>,
}

/// As whom, if somebody is asked at all.
#[derive(Clone, Debug, Args)]
pub struct MaybeClient {
    /// Your client file; not needed with --file.
    #[arg(long, env = "ACCORD_CLIENT", required_unless_present = "file")]
    pub client: Option<PathBuf>,
    /// How to print.
    #[arg(long, short = 'o', value_enum, default_value = "table")]
    pub format: Format,
}

/// Runs one of them; `print` is how this program prints what is no text of its own.
pub async fn run(
    command: Journal,
    print: impl Fn(Format, &Value) -> String,
) -> Result<Outcome, Invalid> {
    let (command, client, format) = command.parse()?;
    let Said { data, text, remarks } = audit::run(command, client.as_deref()).await?;
    let data = match (format, text) {
        (Format::Table, Some(text)) => text,
        (Format::Table | Format::Json | Format::Jsonl | Format::Csv, _) => print(format, &data),
    };
    Ok(Outcome { data, remarks, ..Outcome::default() })
}

impl Journal {
    /// What is to be done, as whom, and how to print it.
    pub fn parse(self) -> Result<(Command, Option<PathBuf>, Format), Invalid> {
        let by = |client: Client| (Some(client.client), client.format);
        let (command, (client, format)) = match self {
            Self::List { filter, last, client } => {
                (Command::List(filter.parse()?, last), by(client))
            }
            Self::Show { entry, client } => (Command::Show(entry), by(client)),
            Self::Verify { file, key, client } => {
                let key = key.map(|key| VerifierKey::parse("--key", &key)).transpose()?;
                let command = match (file, key) {
                    (Some(file), Some(key)) => Command::VerifyFile(file, key),
                    (_, key) => Command::Verify(key),
                };
                (command, (client.client, client.format))
            }
            Self::Export { filter, out, client } => {
                (Command::Export(filter.parse()?, out), by(client))
            }
            Self::Checkpoint { client } => (Command::Checkpoint, by(client)),
            Self::Accept { service, why, client } => (Command::Accept(service, why), by(client)),
        };
        Ok((command, client, format))
    }
}

impl Filter {
    fn parse(self) -> Result<journal::Filter, Invalid> {
        let Self { act, by, to, from, until } = self;
        let time =
            |field, at: Option<String>| at.map(|at| Timestamp::parse(field, &at)).transpose();
        let act = act.map(|act| Act::parse("--act", &act)).transpose()?;
        let (from, until) = (time("--from", from)?, time("--until", until)?);
        Ok(journal::Filter { act, by, to, from, until })
    }
}
