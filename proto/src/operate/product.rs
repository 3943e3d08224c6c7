//! Command lines of products, the same in both programs: at the centre of the region's, at a node of those that it reviews and of its
//! own. Comes in: what somebody typed. Goes out: the next step of a product, a word of a member, or what is known of one. Must never
//! sign anything itself, nor send a text that the service would not take.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};

use super::{
    chart::Source,
    cli::{Client, Outcome},
    threat,
};
use crate::{
    client::ClientFile,
    clock::{Clock as _, SystemClock, Timestamp},
    product::{Decision, Extent, Position},
    reason::{Invalid, Reason},
    wire::product as wire,
};

mod call;
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
    /// Send a text: the first of a new product, or a new one of a product.
    Draft {
        /// The text, as `template` prints it.
        file: PathBuf,
        /// Of this product; of a new one if left out.
        #[arg(long)]
        product: Option<String>,
        /// What has changed and why, in words, or @FILE that holds them.
        #[arg(long)]
        why: String,
        /// As whom.
        #[command(flatten)]
        client: Client,
    },
    /// Give it to all members at the same moment, for comments.
    Circulate {
        /// Which product.
        #[command(flatten)]
        of: Of,
        /// When the round closes.
        #[command(flatten)]
        until: Until,
        /// Nobody reads it before: a time, as for --until; at once if left out.
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        /// An observer who may read and comment too, once for each.
        #[arg(long = "guest", value_name = "NAME")]
        guests: Vec<String>,
    },
    /// End the round: all comments are told, and wait for a decision each.
    CloseRound(Of),
    /// Decide on a comment; everybody is told.
    Resolve {
        /// Which product.
        #[command(flatten)]
        of: Of,
        /// The comment, by its digest or the first digits of it.
        #[arg(long)]
        comment: String,
        /// What is decided.
        #[arg(long, value_enum)]
        decision: Decided,
        /// Why, in words, or @FILE that holds them.
        #[arg(long)]
        text: String,
    },
    /// End the writing: the text is as it will be endorsed.
    Finalise(Of),
    /// Ask all members to endorse it (not whoever wrote the text).
    Open {
        /// Which product.
        #[command(flatten)]
        of: Of,
        /// When that closes.
        #[command(flatten)]
        until: Until,
    },
    /// End the endorsement: at its time, or when all have spoken.
    Close(Of),
    /// Release it to its readers (not by whoever wrote the text).
    Publish {
        /// Which product.
        #[command(flatten)]
        of: Of,
        /// Nobody reads it before: as for --until of `circulate`; at once if left out.
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
    },
    /// Add an erratum: the endorsed text is not touched.
    Correct {
        /// Which product.
        #[command(flatten)]
        of: Of,
        /// Of which section; of the whole if left out.
        #[arg(long, default_value = "", hide_default_value = true)]
        section: String,
        /// What is right, in words, or @FILE that holds them.
        #[arg(long)]
        text: String,
    },
    /// Recall it: nobody may rely on it any more.
    Recall {
        /// Which product.
        #[command(flatten)]
        of: Of,
        /// Why, in words, or @FILE that holds them.
        #[arg(long)]
        why: String,
    },
    /// Put it away.
    Archive {
        /// Which product.
        #[command(flatten)]
        of: Of,
        /// Why, in words, or @FILE that holds them.
        #[arg(long)]
        why: String,
    },
    /// Take in what members have said beside rounds: feedback, contributions, reports.
    Hear(Of),
    /// Comment on a part of a text that is circulated.
    Comment {
        /// Which product.
        #[command(flatten)]
        of: Of,
        /// On which section; on the whole if left out.
        #[arg(long, default_value = "", hide_default_value = true)]
        section: String,
        /// On which part of it, in words, like "judgement 2" or "figure 1, row 3".
        #[arg(long, default_value = "", hide_default_value = true)]
        place: String,
        /// In which language, like sq or sr-Cyrl.
        #[arg(long, default_value = "en")]
        language: String,
        /// The comment, in words, or @FILE that holds them.
        #[arg(long)]
        text: String,
        /// The other members are not told whose it is.
        #[arg(long)]
        not_attributed: bool,
    },
    /// Say how your side stands to a text; the node signs it, over exactly this text.
    Endorse {
        /// Which product.
        #[command(flatten)]
        of: Of,
        /// How.
        #[arg(long, value_enum)]
        position: Stands,
        /// A reservation or a dissent, in words, or @FILE that holds them: every reader of the product reads it.
        #[arg(long, default_value = "", hide_default_value = true)]
        text: String,
    },
    /// Agree that your side's silence endorses this text, where its rule knows that.
    AgreeToSilence(Of),
    /// Tell what a product was used for, what it was worth, and what was missing.
    Feedback {
        /// Which product.
        #[command(flatten)]
        of: Of,
        /// What it was used for, in words, or @FILE that holds them.
        #[arg(long)]
        used_for: String,
        /// From 1, of no use, to 5, decisive.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=5))]
        value: u32,
        /// What was missing.
        #[arg(long, default_value = "", hide_default_value = true)]
        gap: String,
    },
    /// Offer a section of your own.
    Contribute {
        /// Which product.
        #[command(flatten)]
        of: Of,
        /// Its heading.
        #[arg(long)]
        heading: String,
        /// Its text, in words, or @FILE that holds them.
        #[arg(long)]
        text: String,
    },
    /// Report how an action of a plan goes.
    Report {
        /// Which product: a plan.
        #[command(flatten)]
        of: Of,
        /// The report, as TOML.
        file: PathBuf,
    },
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
    /// Verify a file of a product, and show who has endorsed it; asks nobody.
    Verify(files::Verify),
}

/// Examples, for the help.
pub fn examples(program: &str) -> String {
    [
        "product template > assessment.toml",
        "product draft assessment.toml --why \"first draft\"",
        "product circulate 0190… --until 14d",
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
    use wire::take_request::Deed;
    let now = SystemClock.now();
    match command {
        Command::Template => {
            Ok(Outcome { data: source::TEMPLATE.to_owned(), ..Outcome::default() })
        }
        Command::Verify(verify) => verify.run(),
        Command::Draft { file, product, why, client } => {
            step::draft((&file, &why), product.as_deref(), &client, fetch).await
        }
        Command::Circulate { of, until, from, guests } => {
            let (entry, mut products) = step::standing(&of).await?;
            let from = from.map_or(Ok(now), |from| moment("--from", &from, now))?;
            let mut guests = guests;
            guests.sort_unstable();
            let deed = Deed::Circulate(wire::Circulate {
                round: entry.round + 1,
                readable_from_s: from.as_s(),
                closes_at_s: moment("--until", &until.until, now)?.as_s(),
                content_sha256: entry.content_sha256.clone(),
                guests,
            });
            step::take(&mut products, &of.client, &entry, deed).await
        }
        Command::CloseRound(of) => {
            step::next(&of, Deed::CloseRound(wire::CloseRound::default())).await
        }
        Command::Resolve { of, comment, decision, text } => {
            step::resolve(&of, &comment, decision.decision(), &threat::reason(&text)?).await
        }
        Command::Finalise(of) => step::next(&of, Deed::Finalise(wire::Finalise {})).await,
        Command::Open { of, until } => {
            let (entry, mut products) = step::standing(&of).await?;
            let deed = Deed::Open(wire::Open {
                closes_at_s: moment("--until", &until.until, now)?.as_s(),
                content_sha256: entry.content_sha256.clone(),
            });
            step::take(&mut products, &of.client, &entry, deed).await
        }
        Command::Close(of) => step::next(&of, Deed::Close(wire::Close::default())).await,
        Command::Publish { of, from } => {
            let (entry, mut products) = step::standing(&of).await?;
            let from = from.map_or(Ok(now), |from| moment("--from", &from, now))?;
            let deed = Deed::Publish(wire::Publish {
                content_sha256: entry.content_sha256.clone(),
                readable_from_s: from.as_s(),
            });
            step::take(&mut products, &of.client, &entry, deed).await
        }
        Command::Correct { of, section, text } => {
            let text = threat::reason(&text)?;
            step::next(&of, Deed::Correct(wire::Correct { section, text })).await
        }
        Command::Recall { of, why } => {
            step::next(&of, Deed::Recall(wire::Recall { why: threat::reason(&why)? })).await
        }
        Command::Archive { of, why } => {
            step::next(&of, Deed::Archive(wire::Archive { why: threat::reason(&why)? })).await
        }
        Command::Hear(of) => step::next(&of, Deed::Hear(wire::Hear::default())).await,
        Command::Comment { of, section, place, language, text, not_attributed } => {
            let said = |entry: &wire::Entry| {
                let (round, attributed) = (entry.round, !not_attributed);
                let text = threat::reason(&text)?;
                let of = wire::Comment { round, section, place, language, text, attributed };
                Ok(wire::say_request::Said::Comment(of))
            };
            say::say(&of, said).await
        }
        Command::Endorse { of, position, text } => {
            let position = position.position().to_wire().into();
            let text = threat::reason(&text)?;
            let said = wire::Endorsement { position, text };
            say::say(&of, |_| Ok(wire::say_request::Said::Endorsement(said))).await
        }
        Command::AgreeToSilence(of) => {
            let said = wire::say_request::Said::AgreeToSilence(wire::AgreeToSilence {});
            say::say(&of, |_| Ok(said)).await
        }
        Command::Feedback { of, used_for, value, gap } => {
            let used_for = threat::reason(&used_for)?;
            let said = wire::Feedback { used_for, value, gap };
            say::say(&of, |_| Ok(wire::say_request::Said::Feedback(said))).await
        }
        Command::Contribute { of, heading, text } => {
            let said = wire::Contribution { heading, text: threat::reason(&text)? };
            say::say(&of, |_| Ok(wire::say_request::Said::Contribution(said))).await
        }
        Command::Report { of, file } => {
            let report = source::report(&file, ClientFile::lists(&of.client.client)?)?;
            say::say(&of, |_| Ok(wire::say_request::Said::Report(report))).await
        }
        Command::List { client } => print::list(&client).await,
        Command::Show(of) => print::show(&of).await,
        Command::Comments(of) => print::comments(&of).await,
        Command::Changes(of) => print::changes(&of).await,
        Command::Page { of, extent, out } => files::page(&of, extent.extent(), &out).await,
        Command::Export { of, out } => files::export(&of, &out).await,
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
