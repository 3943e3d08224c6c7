//! Command lines of bulletins.

use clap::Subcommand;

use super::Client;

pub(super) const EXAMPLES: &str = "Examples:\n  accord-node bulletin list\n  \
    accord-node bulletin show 2025 DRG.SEIZ.COC.KG\n  \
    accord-node bulletin sign 2025 DRG.SEIZ.COC.KG --edition 1 --why \"yearly release\"";

/// Exact figures in fixed tables; a second person signs them off.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// What the newest editions propose, what is signed, what was refused and why.
    List {
        #[command(flatten)]
        client: Client,
    },
    /// Every cell: its figure, what becomes of it and why, what readers can tell of a hidden one (analyst, releaser).
    Show {
        /// The period, like 2025.
        period: String,
        /// Code of the list `indicators`.
        indicator: String,
        #[command(flatten)]
        client: Client,
    },
    /// Sign it off; from then on it is answered, and never changed (releaser, not the one who froze the period).
    Sign {
        /// The period, like 2025.
        period: String,
        /// Code of the list `indicators`.
        indicator: String,
        /// Number of the edition that you have looked at (`bulletin list`).
        #[arg(long)]
        edition: u32,
        /// For the journal.
        #[arg(long)]
        why: String,
        #[command(flatten)]
        client: Client,
    },
}
