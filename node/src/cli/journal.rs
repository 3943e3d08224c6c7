//! Command lines of the journal.

use std::path::PathBuf;

use accord_proto::{
    audit::Command,
    clock::Timestamp,
    journal::{self, Act, VerifierKey},
    reason::Invalid,
};
use clap::{Args, Subcommand};

use super::{Client, Format};

pub(super) const EXAMPLES: &str = "Examples:\n  accord-node journal list --act disclosure --from 2026-01-01\n  \
    accord-node journal export --out journal.jsonl\n  \
    accord-node journal verify --file journal.jsonl --key \"$(cat al-police.vkey)\"";

/// Who did what, why and to whom, and the proof that nothing of it was changed (auditor).
#[derive(Debug, Subcommand)]
pub(crate) enum Journal {
    /// Entries, oldest first.
    List {
        #[command(flatten)]
        filter: Filter,
        /// Only the newest so many; 0: all.
        #[arg(long, default_value_t = 100)]
        last: u64,
        #[command(flatten)]
        client: Client,
    },
    /// One entry with every field, and whether it is proven to be part of the journal.
    Show {
        /// Its place, from 0.
        entry: u64,
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
        #[command(flatten)]
        client: MaybeClient,
    },
    /// Write entries as JSON lines with the fields of OCSF, and the checkpoint beside them as FILE.checkpoint.
    Export {
        #[command(flatten)]
        filter: Filter,
        /// The file; must not be there yet.
        #[arg(long)]
        out: PathBuf,
        #[command(flatten)]
        client: Client,
    },
    /// Where the journal stands: a signed note, to be kept elsewhere.
    Checkpoint {
        #[command(flatten)]
        client: Client,
    },
    /// Rely no more on what is known of a coordinator's journal, after somebody has looked into why it contradicts what
    /// it was (operator).
    Accept {
        /// Name of the coordinator in the roster.
        service: String,
        /// For the journal.
        #[arg(long)]
        why: String,
        #[command(flatten)]
        client: Client,
    },
}

/// Which entries.
#[derive(Clone, Debug, Args)]
pub(crate) struct Filter {
    /// collection, alteration, consultation, disclosure, combination or erasure.
    #[arg(long)]
    pub(crate) act: Option<String>,
    /// Who did it: the name in the certificate, or the whole identity.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) by: String,
    /// To whom: an audience or an authority.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) to: String,
    /// From this day or moment on, like 2026-01-01.
    #[arg(long)]
    pub(crate) from: Option<String>,
    /// … until this one, exclusive.
    #[arg(long)]
    pub(crate) until: Option<String>,
}

/// As whom, if somebody is asked at all.
#[derive(Clone, Debug, Args)]
pub(crate) struct MaybeClient {
    /// Your client file; not needed with --file.
    #[arg(long, env = "ACCORD_CLIENT", required_unless_present = "file")]
    pub(crate) client: Option<PathBuf>,
    /// How to print.
    #[arg(long, short = 'o', value_enum, default_value = "table")]
    pub(crate) format: Format,
}

impl Journal {
    /// What is to be done, as whom, and how to print it.
    pub(crate) fn parse(self) -> Result<(Command, Option<PathBuf>, Format), Invalid> {
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
