//! Command lines of rankings: methods, rank, list, show, compare, take in dissent, work out again.

use std::path::PathBuf;

use accord_proto::{
    limits::ROUNDS_MAX,
    operate::threat::{Printing, Replay, Series},
};
use clap::Subcommand;

use super::Client;

pub(super) const EXAMPLES: &str = "Examples:\n  \
    accord-coordinator threat methods\n  \
    accord-coordinator threat rank --indicator PUB.OCI.SCORE --period 2021 --by figure --why @reason.txt 0190…\n  \
    accord-coordinator threat show 5f3a… --out 2021.ranking\n  \
    accord-coordinator threat replay 2021.ranking --picture picture.evidence --roster roster.signed --root root.pub";

/// Rankings of crime areas.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The scoring methods of this version, with the digest of their parameters; asks nobody.
    Methods(Printing),
    /// Rank crime areas by pictures that the coordinator keeps; it signs and keeps the ranking (analyst).
    Rank {
        /// Pictures to rank by, as the id of a requirement (the newest picture) or ID:VERSION; all of one audience.
        #[arg(required = true, num_args = 1..=ROUNDS_MAX, value_name = "REQUIREMENT[:VERSION]")]
        pictures: Vec<String>,
        /// Of which period, like 2016 or 2016-Q3.
        #[arg(long)]
        period: String,
        #[command(flatten)]
        series: Series,
        /// Why it is made, in words, or @FILE that holds them; kept with it, and in the journal.
        #[arg(long)]
        why: String,
        #[command(flatten)]
        client: Client,
    },
    /// List the rankings that are kept, newest first.
    List {
        #[command(flatten)]
        client: Client,
    },
    /// Show a ranking: where every rank lies, what has no figure, and all dissent from it.
    Show {
        /// Its name, as `list` has it.
        ranking: String,
        /// Also write it, as it was signed, to this file; must not exist.
        #[arg(long)]
        out: Option<PathBuf>,
        #[command(flatten)]
        client: Client,
    },
    /// Which areas have moved from one ranking to a later one, beyond what uncertainty allows.
    Compare {
        /// The earlier ranking.
        before: String,
        /// The later one; nothing but its period and pictures may differ.
        now: String,
        #[command(flatten)]
        client: Client,
    },
    /// Make a member's signed dissent a part of the ranking; nobody can take it off again (analyst).
    Attach {
        /// The ranking's name.
        ranking: String,
        /// The dissent: `accord-node threat dissent` writes it.
        dissent: PathBuf,
        #[command(flatten)]
        client: Client,
    },
    /// Work a ranking out again from files alone: equal bit for bit, or what differs (exit code 1).
    Replay(Replay),
}
