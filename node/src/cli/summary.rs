//! The commands about strategic summaries. Arguments in, a command out.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Client;

/// What can be done with summaries.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Take in a summary as a draft (analyst).
    #[command(
        after_help = "Examples:\n  accord-node summary create cocaine-2026-h1.toml\n  accord-node summary create cocaine-2026-h1.toml --why \"Half-yearly assessment\" -o json\n\nSee deploy/summary.toml for every field."
    )]
    Create {
        /// TOML or JSON.
        file: PathBuf,
        /// Id (UUIDv7) of the summary; give the same one to repeat safely.
        #[arg(long)]
        id: Option<String>,
        /// Why it was written; stands in its history and in the journal.
        #[arg(long, default_value = "first draft")]
        why: String,
        #[command(flatten)]
        client: Client,
    },
    /// Take in many files; one that is held already is left as it is (analyst).
    #[command(
        after_help = "Example:\n  accord-node summary import archive/*.toml --why \"From the old archive\""
    )]
    Import {
        /// TOML or JSON, one summary each.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Why they are taken in.
        #[arg(long, default_value = "import")]
        why: String,
        #[command(flatten)]
        client: Client,
    },
    /// List summaries, newest first.
    #[command(after_help = "Example:\n  accord-node summary list --area DRG --state validated")]
    List {
        #[command(flatten)]
        find: Find,
        #[command(flatten)]
        client: Client,
    },
    /// Search titles and judgements; in Latin or Cyrillic script, with or without diacritics.
    #[command(
        after_help = "Every word must begin a word of the title or of a judgement.\n\nExamples:\n  accord-node summary search krijumcar lučka\n  accord-node summary search кокаин --period 2026-H1"
    )]
    Search {
        /// Words, or beginnings of words.
        #[arg(required = true)]
        words: Vec<String>,
        #[command(flatten)]
        find: Find,
        #[command(flatten)]
        client: Client,
    },
    /// Show one version with its history.
    #[command(
        after_help = "Example:\n  accord-node summary show 0198c2f0-8a40-7cc3-98c4-dc0c0c07398f --version 1"
    )]
    Show {
        /// Id of the summary.
        summary: String,
        /// Which version; the newest if left out.
        #[arg(long, default_value_t = 0, hide_default_value = true)]
        version: u32,
        #[command(flatten)]
        client: Client,
    },
    /// Write the next version, a draft again; what is validated stays in force until that one is (analyst).
    #[command(
        after_help = "Example:\n  accord-node summary revise 0198c2f0-8a40-7cc3-98c4-dc0c0c07398f new.toml --why \"New figures of the second quarter\""
    )]
    Revise {
        /// Id of the summary.
        summary: String,
        /// TOML or JSON.
        file: PathBuf,
        /// The version that it was made from; refused if that is no longer the newest.
        #[arg(long, default_value_t = 0, hide_default_value = true)]
        version: u32,
        /// Why.
        #[arg(long)]
        why: String,
        #[command(flatten)]
        client: Client,
    },
    /// Say that sources and information were evaluated (analyst or releaser, never the author).
    #[command(
        after_help = "Example:\n  accord-node summary evaluate 0198c2f0-8a40-7cc3-98c4-dc0c0c07398f --why \"Grades checked against the inputs\""
    )]
    Evaluate {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        client: Client,
    },
    /// Say that it is fit for use (releaser, never the author). It takes the place of earlier versions.
    #[command(
        after_help = "Example:\n  accord-node summary validate 0198c2f0-8a40-7cc3-98c4-dc0c0c07398f --version 2 --why \"Agreed in the unit\""
    )]
    Validate {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        client: Client,
    },
    /// Take a summary back, every version of it (releaser; of mere drafts, also analyst).
    #[command(
        after_help = "Example:\n  accord-node summary withdraw 0198c2f0-8a40-7cc3-98c4-dc0c0c07398f --why \"Rests on a source that proved wrong\""
    )]
    Withdraw {
        /// Id of the summary.
        summary: String,
        /// Why.
        #[arg(long)]
        why: String,
        #[command(flatten)]
        client: Client,
    },
    /// Show what differs between two versions.
    #[command(
        after_help = "Example:\n  accord-node summary diff 0198c2f0-8a40-7cc3-98c4-dc0c0c07398f --from 1 --to 3"
    )]
    Diff {
        /// Id of the summary.
        summary: String,
        /// The earlier version; the one before the later one if left out.
        #[arg(long, default_value_t = 0, hide_default_value = true)]
        from: u32,
        /// The later version; the newest if left out.
        #[arg(long, default_value_t = 0, hide_default_value = true)]
        to: u32,
        #[command(flatten)]
        client: Client,
    },
}

/// A version that somebody checks.
#[derive(Clone, Debug, Args)]
pub(crate) struct Which {
    /// Id of the summary.
    pub(crate) summary: String,
    /// Which version you have read; the newest if left out.
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    pub(crate) version: u32,
    /// Why.
    #[arg(long)]
    pub(crate) why: String,
}

/// What to look for; everything if left out.
#[derive(Clone, Debug, Args)]
pub(crate) struct Find {
    /// A crime area, with all below it.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) area: String,
    /// A period, like 2026-H1.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) period: String,
    /// An indicator of the observations that it refers to.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) indicator: String,
    /// Source and information grade, like B2.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) grade: String,
    /// A TLP label, Europol handling code or classification.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) handling: String,
    /// draft, evaluated, validated, in_edition, superseded, withdrawn or expired.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) state: String,
}
