//! Command lines of the inbox.

use clap::{Args, Subcommand};

use super::Client;

pub(super) const EXAMPLES: &str = "Examples:\n  accord-node inbox list\n  \
    accord-node inbox decide ID --accept --leave-out 2\n  \
    accord-node inbox preview ID\n  \
    accord-node inbox propose ID --digest DIGEST\n  \
    accord-node inbox release ID --digest DIGEST --why \"for the yearly assessment\"";

/// Requirements that were received; two people decide what leaves.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Where every requirement stands, newest first; who may act alone (analyst, releaser, auditor).
    List {
        /// Only what people still have to do something with.
        #[arg(long)]
        open: bool,
        #[command(flatten)]
        client: Client,
    },
    /// What one requirement asks, and everything that was done with it (analyst, releaser, auditor).
    Show {
        /// Id of the requirement.
        requirement: String,
        #[command(flatten)]
        client: Client,
    },
    /// Gate one, before anything is computed: accept it, in part or whole, later, or decline (analyst, releaser; declining: releaser).
    #[command(after_help = "Examples:\n  accord-node inbox decide ID --accept\n  \
        accord-node inbox decide ID --accept --leave-out 2,3 --whole-only\n  \
        accord-node inbox decide ID --later 2026-12-01\n  \
        accord-node inbox decide ID --decline --code LEGAL-BASIS --tell")]
    Decide(Box<Decide>),
    /// What would leave, cell by cell, why, at what cost, and its digest; nothing leaves (analyst, releaser).
    Preview {
        /// Id of the requirement.
        requirement: String,
        #[command(flatten)]
        client: Client,
    },
    /// Want exactly this table to leave (analyst, releaser).
    Propose {
        /// Id of the requirement.
        requirement: String,
        /// As `inbox preview` printed it.
        #[arg(long)]
        digest: String,
        /// For the journal.
        #[arg(long, default_value = "", hide_default_value = true)]
        why: String,
        #[command(flatten)]
        client: Client,
    },
    /// Gate two: let it go (releaser, not one who accepted or proposed).
    Release {
        /// Id of the requirement.
        requirement: String,
        /// As it was proposed.
        #[arg(long)]
        digest: String,
        /// For the journal.
        #[arg(long)]
        why: String,
        #[command(flatten)]
        client: Client,
    },
}

/// A decision.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("decision").required(true).args(["accept", "later", "decline", "withdrawn"])))]
pub(crate) struct Decide {
    /// Id of the requirement.
    pub(crate) requirement: String,
    /// Yes: it may be previewed and proposed. A later decision narrows an earlier one, and never widens it.
    #[arg(long)]
    pub(crate) accept: bool,
    /// Numbers of blocks that are not shown, comma-separated (`inbox show`).
    #[arg(long, value_delimiter = ',', requires = "accept")]
    pub(crate) leave_out: Vec<u32>,
    /// Only the jurisdiction as a whole: region level 0.
    #[arg(long, requires = "accept")]
    pub(crate) whole_only: bool,
    /// Only totals over all categories.
    #[arg(long, requires = "accept")]
    pub(crate) totals_only: bool,
    /// Not before this day, like 2026-12-01.
    #[arg(long)]
    pub(crate) later: Option<String>,
    /// No. Without --tell it looks like no consent.
    #[arg(long)]
    pub(crate) decline: bool,
    /// Why not, for the node's own statistics: LEGAL-BASIS, PURPOSE, OPERATION, QUALITY, CAPACITY, OTHER.
    #[arg(long, requires = "decline", default_value = "", hide_default_value = true)]
    pub(crate) code: String,
    /// Whoever asked may know that it was declined; never why.
    #[arg(long, requires = "decline")]
    pub(crate) tell: bool,
    /// Whoever asked has taken it back.
    #[arg(long)]
    pub(crate) withdrawn: bool,
    /// For the journal.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) why: String,
    #[command(flatten)]
    pub(crate) client: Client,
}

/// The right to act alone, for four hours.
#[derive(Debug, Args)]
pub(crate) struct BreakGlass {
    /// For the journal.
    #[arg(long)]
    pub(crate) why: String,
    #[command(flatten)]
    pub(crate) client: Client,
}
