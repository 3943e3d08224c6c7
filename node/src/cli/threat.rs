//! Command lines of threats: the node's own scores; the region's ranking, worked out here from delivered pictures; dissent from it.

use std::path::PathBuf;

use accord_proto::{
    limits::ROUNDS_MAX,
    operate::threat::{Printing, Replay, Series},
};
use clap::{Args, Subcommand};

use super::Client;

pub(super) const EXAMPLES: &str = "Examples:\n  \
    accord-node threat score thb.toml                      # nothing of it leaves\n  \
    accord-node threat rank thb.toml arms.toml drugs.toml\n  \
    accord-node threat show 0190… --indicator PUB.OCI.SCORE --period 2021 --by figure\n  \
    accord-node threat dissent 2021.ranking --why \"route closed in May\" --out al.dissent";

/// Files that an analyst wrote.
#[derive(Clone, Debug, Args)]
pub(crate) struct Assessments {
    /// An assessment, as TOML, or as JSON in a file that ends with .json: method, version, subject_kind, subject, confidence,
    /// justification, and for each input its code and level (UNKNOWN where nobody knows).
    #[arg(required = true, num_args = 1..=ROUNDS_MAX)]
    pub(crate) files: Vec<PathBuf>,
    /// Folder of the federation's own code lists.
    #[arg(long)]
    pub(crate) lists: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) printing: Printing,
}

/// Threats: own scores, and the region's ranking with the own position beside it.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The scoring methods of this version, with the digest of their parameters; asks nobody.
    Methods(Printing),
    /// Score threats for the national assessment, with how each score came about; asks nobody, and nothing leaves.
    Score {
        #[command(flatten)]
        assessments: Assessments,
        /// Print scores as a summary has them, to be put into one.
        #[arg(long)]
        summary: bool,
    },
    /// Order own scores of one method, each with the ranks that its uncertainty allows; asks nobody, and nothing leaves.
    Rank(Assessments),
    /// The region's ranking, worked out here from delivered pictures, with the order of this node's own figures beside it; the
    /// journal keeps that.
    Show {
        /// Pictures to rank by, as the id of a requirement (the newest picture) or ID:VERSION.
        #[arg(required = true, num_args = 1..=ROUNDS_MAX, value_name = "REQUIREMENT[:VERSION]")]
        pictures: Vec<String>,
        /// Of which period, like 2016 or 2016-Q3.
        #[arg(long)]
        period: String,
        #[command(flatten)]
        series: Series,
        #[command(flatten)]
        client: Client,
    },
    /// Which areas have moved in the region's ranking from one period to a later one, beyond what uncertainty allows; worked out
    /// here.
    Compare {
        /// Pictures to rank by, as the id of a requirement (the newest picture) or ID:VERSION.
        #[arg(required = true, num_args = 1..=ROUNDS_MAX, value_name = "REQUIREMENT[:VERSION]")]
        pictures: Vec<String>,
        /// The earlier period …
        #[arg(long)]
        from: String,
        /// … and the later one.
        #[arg(long)]
        to: String,
        #[command(flatten)]
        series: Series,
        #[command(flatten)]
        client: Client,
    },
    /// Sign this node's dissent from a ranking; everybody reads it who reads the ranking (releaser).
    Dissent {
        /// The ranking, as the coordinator has signed it.
        ranking: PathBuf,
        /// Why, in words on one line, or @FILE that holds them; no person may be named.
        #[arg(long)]
        why: String,
        /// The file; must not exist.
        #[arg(long)]
        out: PathBuf,
        #[command(flatten)]
        client: Client,
    },
    /// Work a ranking out again from files alone: equal bit for bit, or what differs (exit code 1).
    Replay(Replay),
}
