//! Command lines of keeping the store: backup, restore, erasing what is due.

use std::path::PathBuf;

use clap::Args;

use super::Client;

pub(super) const EXAMPLES: &str = "Examples:\n  \
    accord-node restore accord-node-mk-police-20261124T080000Z.backup --check\n  \
    accord-node restore accord-node-mk-police-20261124T080000Z.backup --data /var/lib/accord/data\n  \
    accord-node restore accord-node-mk-police-20261124T080000Z.backup.age --identity backup.key --data /var/lib/accord/data";
pub(super) const BACKUP_EXAMPLES: &str = "Examples:\n  \
    accord-node backup --to /var/backups/accord --recipients-file /etc/accord/backup.recipients\n  \
    accord-node backup --to /mnt/encrypted";

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
