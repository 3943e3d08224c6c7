//! Command lines of the register of gaps.

use clap::Subcommand;

use super::Client;

pub(super) const EXAMPLES: &str = "Examples:\n  \
    accord-coordinator gap list\n  \
    accord-coordinator gap draft > requirement.toml";

/// What is not known.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List what is not known: judgements of low confidence, white spots of rankings, what readers missed.
    List {
        #[command(flatten)]
        client: Client,
    },
    /// Print a draft of the requirement that would ask for it.
    Draft {
        #[command(flatten)]
        client: Client,
    },
}
