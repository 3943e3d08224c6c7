//! Command lines of products, the same in both programs: at the centre of the region's, at a node of those that it reviews and of its
//! own. Comes in: what somebody typed. Goes out: the next step of a product, a word of a member, or what is known of one. Must never
//! sign anything itself, nor send a text that the service would not take.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};

use super::{
    chart::Source,
    cli::{Client, Outcome},
};
use crate::{
    clock::Timestamp,
    product::{Decision, Extent, Position},
    reason::{Invalid, Reason},
};

mod call;
mod check;
mod files;
mod print;
mod say;
mod source;
mod step;

pub use call::Products;

/// How much of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Much {
    /// Sections that are marked public.
    Public,
    /// All sections.
    Restricted,
}

impl Much {
    fn extent(self) -> Extent {
        match self {
            Self::Public => Extent::Public,
            Self::Restricted => Extent::Restricted,
        }
    }
}

/// What is decided of a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Decided {
    /// The text says what it asks for.
    Accepted,
    /// In part.
    Partly,
    /// It does not.
    NotAccepted,
    /// Nothing was asked for.
    Noted,
}

impl Decided {
    fn decision(self) -> Decision {
        match self {
            Self::Accepted => Decision::Accepted,
            Self::Partly => Decision::Partly,
            Self::NotAccepted => Decision::NotAccepted,
            Self::Noted => Decision::Noted,
        }
    }
}

/// How a member stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Stands {
    /// As it is.
    Endorse,
    /// As it is, with words beside it.
    Reservation,
    /// Not, and why.
    Dissent,
    /// Neither.
    Abstain,
}

impl Stands {
    fn position(self) -> Position {
        match self {
            Self::Endorse => Position::Endorse,
            Self::Reservation => Position::EndorseWithReservation,
            Self::Dissent => Position::Dissent,
            Self::Abstain => Position::Abstain,
        }
    }
}

/// Which product, and as whom.
#[derive(Clone, Debug, Args)]
pub struct Of {
    /// Id of the product, as `list` has it.
    pub product: String,
    /// As whom.
    #[command(flatten)]
    pub client: Client,
}

/// Until when.
#[derive(Clone, Debug, Args)]
pub struct Until {
    /// Until when, as 2026-11-24 or 2026-11-24T08:00:00Z, or from now on in days, hours, minutes or seconds: 14d, 12h, 30m, 90s.
    #[arg(long, value_name = "TIME")]
    pub until: String,
}

/// Products: written, reviewed, endorsed and published.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Print a commented text to begin with; asks nobody.
    Template,
    /// What an owner does.
    #[command(flatten)]
    Step(step::Step),
    /// What a member says.
    #[command(flatten)]
    Word(say::Word),
    /// List products, newest first.
    List {
        /// As whom.
        #[command(flatten)]
        client: Client,
    },
    /// Show where a product stands: who holds it, who endorses it, what waits.
    Show(Of),
    /// Show all comments, with what was decided.
    Comments(Of),
    /// Show what has changed since the round before.
    Changes(Of),
    /// Draw every figure again from the pictures that are held here, and compare (exit code 3 if not all is the same).
    Check(Of),
    /// Write a product to a page: .html or .docx.
    Page {
        /// Which product.
        #[command(flatten)]
        of: Of,
        /// How much of it.
        #[arg(long, value_enum, default_value = "restricted")]
        extent: Much,
        /// The file, as .html or .docx; must not exist.
        #[arg(long)]
        out: PathBuf,
    },
    /// Write a product whole, with all signatures, to a file that `verify` checks.
    Export {
        /// Which product.
        #[command(flatten)]
        of: Of,
        /// The chain that was delivered to this node beside the one that it holds: its owner has signed both.
        #[arg(long)]
        second: bool,
        /// The file; must not exist.
        #[arg(long)]
        out: PathBuf,
    },
    /// Write the release of a product to a file that `verify` checks.
    Release {
        /// Which product.
        #[command(flatten)]
        of: Of,
        /// How much of it.
        #[arg(long, value_enum, default_value = "public")]
        extent: Much,
        /// The file; must not exist.
        #[arg(long)]
        out: PathBuf,
    },
    /// Verify a file of a product, and show who has endorsed it; asks nobody (exit code 3 if it verifies and something is missing).
    Verify(files::Verify),
}

/// Examples, for the help.
pub fn examples(program: &str) -> String {
    [
        "product template > assessment.toml",
        "product draft assessment.toml --why \"first draft\"",
        "product circulate 0190… --until 14d",
        "product check 0190…",
        "product comment 0190… --section drugs --text \"The figure for 2016 is provisional.\"",
        "product endorse 0190… --position reservation --text @reservation.txt",
        "product page 0190… --out assessment.docx",
        "product verify assessment.release --root root.pub",
    ]
    .map(|line| format!("\n  {program} {line}"))
    .into_iter()
    .fold("Examples:".to_owned(), |all, line| all + &line)
}

/// Runs one of them; `fetch` has a picture of this requirement and version from whom the client file names.
pub async fn run(
    command: Command,
    fetch: impl AsyncFn(&Path, String, u32) -> Result<Source, Invalid>,
) -> Result<Outcome, Invalid> {
    match command {
        Command::Template => {
            Ok(Outcome { data: source::TEMPLATE.to_owned(), ..Outcome::default() })
        }
        Command::Step(step) => step.run(fetch).await,
        Command::Word(word) => word.run().await,
        Command::Verify(verify) => verify.run(),
        Command::List { client } => print::list(&client).await,
        Command::Show(of) => print::show(&of).await,
        Command::Comments(of) => print::comments(&of).await,
        Command::Changes(of) => print::changes(&of).await,
        Command::Check(of) => check::check(&of, fetch).await,
        Command::Page { of, extent, out } => files::page(&of, extent.extent(), &out).await,
        Command::Export { of, second, out } => files::export(&of, second, &out).await,
        Command::Release { of, extent, out } => files::release(&of, extent.extent(), &out).await,
    }
}

/// A time as it was typed: a date, a moment, or how long from now.
fn moment(field: &str, typed: &str, now: Timestamp) -> Result<Timestamp, Invalid> {
    let unit = |letter| match letter {
        's' => Some(1),
        'm' => Some(60),
        'h' => Some(3_600),
        'd' => Some(86_400),
        _ => None,
    };
    let last = typed.chars().next_back().and_then(unit);
    let number =
        typed.get(..typed.len().saturating_sub(1)).and_then(|text| text.parse::<u32>().ok());
    match (last, number) {
        (Some(seconds), Some(number)) => Ok(now.plus_s(i64::from(number).saturating_mul(seconds))),
        _ => Timestamp::parse(field, typed).map_err(|_| {
            let detail = format!(
                "{} is neither a date nor a length of time: write 2026-11-24, \
                 2026-11-24T08:00:00Z, 14d, 12h, 30m or 90s",
                crate::reason::quoted(typed)
            );
            Invalid::new(Reason::FieldInvalid, field, detail)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_date_or_a_length() {
        let now = Timestamp::parse("", "2026-12-01").unwrap();
        let after = |typed| moment("--until", typed, now).map(|at| at.as_s() - now.as_s());
        for (typed, seconds) in [("90s", 90), ("2m", 120), ("1h", 3_600), ("14d", 14 * 86_400)] {
            assert_eq!(after(typed), Ok(seconds));
        }
        assert_eq!(after("2026-12-02T00:00:01Z"), Ok(86_401));
        for wrong in ["", "d", "-1d", "1w", "1.5h", "tomorrow"] {
            assert_eq!(after(wrong).unwrap_err().reason, Reason::FieldInvalid, "{wrong}");
        }
    }
}
