//! Command lines of delivered pictures: list, show, verify, hand on what they rest on.

use std::path::PathBuf;

use accord_proto::limits::ROUNDS_MAX;
use clap::Subcommand;

use super::Client;

pub(super) const EXAMPLES: &str = "Examples:\n  \
    accord-node picture list\n  \
    accord-node picture show 0190…                        # with this node's own share\n  \
    accord-node picture compare 0190… --from 2019 --to 2020\n  \
    accord-node picture verify 0190… --answer al.answer\n  \
    accord-node picture export-evidence 0190… --out picture.evidence";

/// Pictures that the coordinator has delivered; readable with the centre down (analyst, releaser, auditor).
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List pictures, newest requirement first.
    List {
        #[command(flatten)]
        client: Client,
    },
    /// Show a picture with this node's own share of every figure; the journal keeps that (exit code 3 if not all answered).
    Show {
        /// Id of the requirement.
        requirement: String,
        /// Version; the newest if left out.
        #[arg(long, default_value_t = 0, hide_default_value = true)]
        version: u32,
        #[command(flatten)]
        client: Client,
    },
    /// Verify a picture here, with the roster and the root that the node has pinned (exit code 3 if some figures are known
    /// by signature only).
    Verify {
        /// Id of the requirement.
        requirement: String,
        /// Version; the newest if left out.
        #[arg(long, default_value_t = 0, hide_default_value = true)]
        version: u32,
        /// An answer that a node has handed out (`answer export`); once for each.
        #[arg(long)]
        answer: Vec<PathBuf>,
        #[command(flatten)]
        client: Client,
    },
    /// What has changed between two pictures, two versions, or two periods of one: differences, breaks, revisions, changed
    /// contributors.
    Compare {
        /// Id of the requirement: the earlier picture.
        requirement: String,
        /// Id of the requirement of the later picture; the same one if left out.
        with: Option<String>,
        /// Version of the earlier picture; the newest if left out.
        #[arg(long, default_value_t = 0, hide_default_value = true)]
        version: u32,
        /// Version of the later picture; the newest if left out.
        #[arg(long, default_value_t = 0, hide_default_value = true)]
        with_version: u32,
        /// Compare this period …
        #[arg(long, requires = "to")]
        from: Option<String>,
        /// … with this one.
        #[arg(long, requires = "from")]
        to: Option<String>,
        /// Only so many of the largest changes that are more than noise and rounding.
        #[arg(long)]
        movers: Option<usize>,
        #[command(flatten)]
        client: Client,
    },
    /// How figures went over rounds: of every cell one point for each period, as the newest round tells it, with breaks,
    /// revisions and changed contributors.
    Trend {
        /// Ids of the requirements, the earliest round first; of each the newest picture.
        #[arg(required = true, num_args = 1..=ROUNDS_MAX)]
        requirements: Vec<String>,
        #[command(flatten)]
        client: Client,
    },
    /// Write what a picture rests on to a file that anybody can verify; the journal keeps that.
    ExportEvidence {
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
