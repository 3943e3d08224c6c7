//! Command lines of imports, mappings, templates, own totals and editions.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Client;

pub(super) const EXAMPLES: &str = "Examples:\n  \
    accord-node import figures.csv --mapping mapping.toml --dry-run --annotate\n  \
    accord-node import 2024-*.csv.gz --mapping \"MUP Q\"\n  \
    accord-node import undo 7 --why \"wrong quarter\"";

/// Import files; or what to do with imports.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Import {
    #[command(subcommand)]
    pub(crate) action: Option<Action>,
    /// CSV, JSON Lines or XLSX, gzipped or not. Each is one import: all of its good rows, or nothing.
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// A mapping file (see deploy/mapping.toml), or the name of a mapping that the node keeps.
    #[arg(long, required = true)]
    pub(crate) mapping: Option<String>,
    /// Say what would happen, and change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write a copy of each file that has refused rows, with the reasons in it, beside it (.checked.xlsx).
    #[arg(long)]
    pub(crate) annotate: bool,
    /// From this day on, like 2031-12-31, the records may not be kept; `erase --due` takes them out then.
    #[arg(long)]
    pub(crate) keep_until: Option<String>,
    #[command(flatten)]
    pub(crate) client: Option<Client>,
}

/// What to do with imports.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Imports, newest first.
    List {
        #[command(flatten)]
        client: Client,
    },
    /// One import and its refused rows.
    Show {
        /// Its number.
        import: u64,
        #[command(flatten)]
        client: Client,
    },
    /// Take a whole import back, as long as nothing of it is frozen (analyst).
    Undo {
        /// Its number.
        import: u64,
        /// For the journal.
        #[arg(long)]
        why: String,
        #[command(flatten)]
        client: Client,
    },
}

/// Mappings that the node keeps.
#[derive(Debug, Subcommand)]
pub(crate) enum Mapping {
    /// Keep a mapping under a name, in place of the one before (analyst).
    Save {
        /// Like "MUP Q".
        name: String,
        /// The mapping file.
        file: PathBuf,
        #[command(flatten)]
        client: Client,
    },
    /// Names of the mappings.
    List {
        #[command(flatten)]
        client: Client,
    },
    /// One mapping, as it was saved.
    Show {
        /// Its name.
        name: String,
        #[command(flatten)]
        client: Client,
    },
}

/// A file to fill in.
#[derive(Debug, Args)]
pub(crate) struct Template {
    /// Code of the list `indicators`.
    pub(crate) indicator: String,
    /// Where to write it: a workbook (.xlsx) or CSV (.csv); the mapping goes beside it (.toml).
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// Events of protected units instead of ready totals.
    #[arg(long)]
    pub(crate) events: bool,
    #[command(flatten)]
    pub(crate) client: Client,
}

/// Which own totals.
#[derive(Debug, Args)]
pub(crate) struct Totals {
    /// Code of the list `indicators`; all if left out.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) indicator: String,
    /// First reporting period; all that something is held for if left out.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) first_period: String,
    /// Last reporting period.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) last_period: String,
    /// Region level; all if left out.
    #[arg(long)]
    pub(crate) level: Option<u32>,
    /// Out of the newest edition, as this audience may see it; out of what is held now if left out.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) audience: String,
    /// Only figures of which a part is more than its whole, such as a crime area above the one that contains it.
    #[arg(long, conflicts_with_all = ["indicator", "first_period", "last_period", "level", "audience"])]
    pub(crate) contradictions: bool,
    #[command(flatten)]
    pub(crate) client: Client,
}

/// Frozen editions.
#[derive(Debug, Subcommand)]
pub(crate) enum Edition {
    /// Newest edition of every period.
    List {
        #[command(flatten)]
        client: Client,
    },
    /// What changed from one edition of a period to the next.
    Diff {
        /// The period.
        period: String,
        /// Number of the older one; the one before the newest if left out.
        #[arg(long, default_value_t = 0, hide_default_value = true)]
        from: u32,
        /// Number of the newer one; the newest if left out.
        #[arg(long, default_value_t = 0, hide_default_value = true)]
        to: u32,
        /// As this audience may see it.
        #[arg(long, default_value = "POLICE")]
        audience: String,
        #[command(flatten)]
        client: Client,
    },
}
