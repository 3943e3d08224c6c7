//! The command line of the gate's custodian.

use std::path::PathBuf;

use clap::Subcommand;

use super::{Client, Verify};

pub(super) const EXAMPLES: &str = "Examples:\n  accord-coordinator gate memory 0190… --out picture.memory --client staff/custodian/client.toml\n  \
    accord-coordinator gate judge picture.evidence --memory picture.memory --policy gate.secret.toml --roster roster.signed \
    --root root.pub --answer al.answer --answer ba.answer";

/// What the custodian of the gate's parameters does.
#[derive(Debug, Subcommand)]
pub(crate) enum Gate {
    /// Write what the gate remembered when it judged a picture: who contributed to what was pooled before (custodian).
    Memory {
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
    /// Judge every cell of a picture again, from files alone: its evidence, the members' own answers, what the gate
    /// remembered and its secret parameters (exit code 3 if a verdict is not the one that was signed).
    Judge {
        #[command(flatten)]
        of: Verify,
        /// What the gate remembered: `gate memory` writes it.
        #[arg(long)]
        memory: PathBuf,
        /// The gate's parameters (mode 0600).
        #[arg(long)]
        policy: PathBuf,
    },
}
