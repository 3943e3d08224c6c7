//! A word of a product, from the command line. Comes in: what is to be said. Goes out: the name of the word. Must never speak of
//! another text than the one that is shown now.

use std::path::PathBuf;

use clap::Subcommand;

use super::{Of, Stands, call::Products, print, source};
use crate::{
    client::ClientFile,
    clock::{Entropy as _, SystemEntropy},
    operate::{cli::Outcome, threat},
    reason::Invalid,
    wire::product::{self as wire, say_request::Said},
};
use serde_json::json;

/// What a member says of a product.
#[derive(Clone, Debug, Subcommand)]
pub enum Word {
    /// Comment on a part of a text that is circulated.
    Comment {
        /// Which product.
        #[command(flatten)]
        of: Of,
        /// On which section; on the whole if left out.
        #[arg(long, default_value = "", hide_default_value = true)]
        section: String,
        /// On which part of it: "paragraph 1", "judgement 2", "recommendation 1", "citation 1", "figure 1", "figure 1 row 3 column 2".
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
}

impl Word {
    /// Says it.
    pub(super) async fn run(self) -> Result<Outcome, Invalid> {
        match self {
            Self::Comment { of, section, place, language, text, not_attributed } => {
                let said = |entry: &wire::Entry| {
                    let (round, attributed) = (entry.round, !not_attributed);
                    let text = threat::reason(&text)?;
                    let of = wire::Comment { round, section, place, language, text, attributed };
                    Ok(Said::Comment(of))
                };
                say(&of, said).await
            }
            Self::Endorse { of, position, text } => {
                let position = position.position().to_wire().into();
                let text = threat::reason(&text)?;
                let said = wire::Endorsement { position, text };
                say(&of, |_| Ok(Said::Endorsement(said))).await
            }
            Self::AgreeToSilence(of) => {
                let said = Said::AgreeToSilence(wire::AgreeToSilence {});
                say(&of, |_| Ok(said)).await
            }
            Self::Feedback { of, used_for, value, gap } => {
                let used_for = threat::reason(&used_for)?;
                let said = wire::Feedback { used_for, value, gap };
                say(&of, |_| Ok(Said::Feedback(said))).await
            }
            Self::Contribute { of, heading, text } => {
                let said = wire::Contribution { heading, text: threat::reason(&text)? };
                say(&of, |_| Ok(Said::Contribution(said))).await
            }
            Self::Report { of, file } => {
                let report = source::report(&file, ClientFile::lists(&of.client.client)?)?;
                say(&of, |_| Ok(Said::Report(report))).await
            }
        }
    }
}

/// Says it of the text that stands.
pub(super) async fn say(
    of: &Of,
    said: impl FnOnce(&wire::Entry) -> Result<Said, Invalid>,
) -> Result<Outcome, Invalid> {
    let mut products = Products::connect(&of.client.client).await?;
    // An observer is told of a product by the list alone.
    let entry = products.line(&of.product).await?;
    let mut nonce = [0; 16];
    SystemEntropy.fill(&mut nonce)?;
    let request = wire::SayRequest {
        product: of.product.clone(),
        content_sha256: entry.content_sha256.clone(),
        nonce: nonce.to_vec(),
        said: Some(said(&entry)?),
    };
    let word = products.say(request).await?;
    let row = json!({
        "product": entry.product,
        "title": entry.title,
        "text": print::hex(&entry.content_sha256),
        "word": print::hex(&word),
    });
    Ok(print::rows(&of.client, &row))
}
