//! Command lines of proving: receipts, released answers, verifying a picture.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Client, Format};

pub(super) const RECEIPT_EXAMPLES: &str = "Examples:\n  \
    accord-node receipt list --requirement 0190…\n  \
    accord-node receipt show 17";
pub(super) const ANSWER_EXAMPLES: &str =
    "Example:\n  accord-node answer export 0190… --out al.answer";
pub(super) const VERIFY_EXAMPLES: &str = "Examples:\n  \
    accord-node verify picture.evidence --roster roster.signed --root root.pub\n  \
    accord-node verify picture.evidence --roster roster.signed --root root.pub --answer al.answer";

/// What was released, under what (auditor, releaser).
#[derive(Debug, Subcommand)]
pub(crate) enum Receipts {
    /// List receipts, newest first.
    List {
        /// Only of this requirement.
        #[arg(long, default_value = "", hide_default_value = true)]
        requirement: String,
        #[command(flatten)]
        client: Client,
    },
    /// Show one receipt.
    Show {
        /// Number of the seal, as in the list.
        sequence: u64,
        #[command(flatten)]
        client: Client,
    },
}

/// Answers that were released.
#[derive(Debug, Subcommand)]
pub(crate) enum Answers {
    /// Write a released answer to a file, for whoever verifies a picture; the journal keeps that (releaser).
    Export {
        /// Id of the requirement.
        requirement: String,
        /// The file; must not exist.
        #[arg(long)]
        out: PathBuf,
        #[command(flatten)]
        client: Client,
    },
}

/// What to verify, and whom to believe.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The evidence: `accord-coordinator picture evidence` writes it.
    pub(crate) file: PathBuf,
    /// The roster, as the federation root signed it.
    #[arg(long)]
    pub(crate) roster: PathBuf,
    /// The federation root's public key.
    #[arg(long)]
    pub(crate) root: PathBuf,
    /// An answer that a node has handed out (`answer export`); once for each.
    #[arg(long)]
    pub(crate) answer: Vec<PathBuf>,
    /// Folder of the federation's own code lists.
    #[arg(long)]
    pub(crate) lists: Option<PathBuf>,
    /// How to print.
    #[arg(long, short = 'o', value_enum, default_value = "table")]
    pub(crate) format: Format,
}
