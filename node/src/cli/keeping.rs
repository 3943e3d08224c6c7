//! Command lines of keeping the store: backup, restore, erasing what is due.

use std::path::PathBuf;

use clap::Args;

use super::Client;

pub(super) const EXAMPLES: &str = "Examples:\n  \
    accord-node restore accord-node-mk-police-20261124T080000Z.backup --check\n  \
    accord-node restore accord-node-mk-police-20261124T080000Z.backup --data /var/lib/accord/data";

/// A backup of a running node.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// Folder to write it to; the file is named after node and time.
    #[arg(long)]
    pub(crate) to: PathBuf,
    #[command(flatten)]
    pub(crate) client: Client,
}

/// A store out of a backup; works on files, no node runs.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The backup.
    pub(crate) file: PathBuf,
    /// The data folder, as in node.toml; nothing may be in it.
    #[arg(long, required_unless_present = "check")]
    pub(crate) data: Option<PathBuf>,
    /// Only read the backup to its end and say what it holds.
    #[arg(long, conflicts_with = "data")]
    pub(crate) check: bool,
}

/// Erasing what may no longer be kept.
#[derive(Debug, Args)]
pub(crate) struct Erase {
    /// Erase what is due; without it, only say what is.
    #[arg(long, requires = "why")]
    pub(crate) due: bool,
    /// For the journal.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) why: String,
    #[command(flatten)]
    pub(crate) client: Client,
}

/// Leaving the network.
#[derive(Debug, Args)]
pub(crate) struct Leave {
    /// The certificate; no file may be there.
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// Take back every consent; without it, only certify what others hold.
    #[arg(long, requires = "why")]
    pub(crate) confirm: bool,
    /// For the journal.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) why: String,
    #[command(flatten)]
    pub(crate) client: Client,
}

/// A store that may have forgotten charges.
#[derive(Debug, Args)]
pub(crate) struct ConfirmRestore {
    /// For the journal.
    #[arg(long)]
    pub(crate) why: String,
    #[command(flatten)]
    pub(crate) client: Client,
}

/// What protected units have lost, and what is left.
#[derive(Debug, Args)]
pub(crate) struct Budget {
    /// Code of the list `indicators`; all if left out.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) indicator: String,
    #[command(flatten)]
    pub(crate) client: Client,
}

/// Another policy, tried.
#[derive(Debug, Args)]
pub(crate) struct WhatIf {
    /// The published part, as in policy.toml.
    #[arg(long)]
    pub(crate) policy: PathBuf,
    /// The secret part; the floors in force if left out.
    #[arg(long)]
    pub(crate) secret: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) client: Client,
}
