//! The next step of a product, from the command line. Comes in: what is to be done. Goes out: where the product stands then. Must
//! never follow another step than the one that was seen.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};

use super::{Decided, Of, Until, call::Products, moment, print, source::Written};
use crate::{
    client::ClientFile,
    clock::{Clock as _, SystemClock, SystemEntropy},
    id::ProductId,
    operate::{
        chart::Source,
        cli::{Client, Outcome},
        threat,
    },
    product::{Course, Decision},
    reason::{Invalid, Reason},
    seal::Digest,
    wire::product::{self as wire, take_request::Deed},
};

/// Whose words are not waited for.
#[derive(Clone, Debug, Args)]
pub struct Without {
    /// A node that cannot be asked and may be left out, once for each; the product says so for good.
    #[arg(long = "without", value_name = "NODE")]
    nodes: Vec<String>,
}

/// What an owner does with a product.
#[derive(Clone, Debug, Subcommand)]
pub enum Step {
    /// Send a text: the first of a new product, or a new one of a product.
    Draft {
        /// The text, as `template` prints it.
        file: PathBuf,
        /// Of this product; of a new one if left out.
        #[arg(long)]
        product: Option<String>,
        /// Of a new product with this id: where a call before has ended without an answer, and said which.
        #[arg(long, value_name = "ID", conflicts_with = "product")]
        new: Option<String>,
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
    CloseRound {
        /// Which product.
        #[command(flatten)]
        of: Of,
        /// Who may be left out.
        #[command(flatten)]
        without: Without,
    },
    /// Decide on comments; everybody is told.
    Resolve {
        /// Which product.
        #[command(flatten)]
        of: Of,
        /// A comment, by its digest or the first digits of it; once for each that is decided alike.
        #[arg(long = "comment", value_name = "DIGEST", required = true)]
        comments: Vec<String>,
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
    Close {
        /// Which product.
        #[command(flatten)]
        of: Of,
        /// Who may be left out.
        #[command(flatten)]
        without: Without,
    },
    /// Release it to its readers (not by whoever wrote the text).
    Publish {
        /// Which product.
        #[command(flatten)]
        of: Of,
        /// Nobody reads it before: as for --until of `circulate`; at once if left out.
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        /// Whose confirmation may be left out.
        #[command(flatten)]
        without: Without,
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
}

impl Step {
    /// Does it; `fetch` has the pictures that a text cites.
    pub(super) async fn run(
        self,
        fetch: impl AsyncFn(&Path, String, u32) -> Result<Source, Invalid>,
    ) -> Result<Outcome, Invalid> {
        let now = SystemClock.now();
        match self {
            Self::Draft { file, product, new, why, client } => {
                let of = (product.as_deref(), new.as_deref());
                draft((&file, &why), of, &client, fetch).await
            }
            Self::Circulate { of, until, from, guests } => {
                let (entry, mut products) = standing(&of).await?;
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
                take(&mut products, &of.client, &entry, deed).await
            }
            Self::CloseRound { of, without } => {
                let deed = Deed::CloseRound(wire::CloseRound::default());
                closing(&of, deed, without.nodes).await
            }
            Self::Resolve { of, comments, decision, text } => {
                resolve(&of, &comments, decision.decision(), &threat::reason(&text)?).await
            }
            Self::Finalise(of) => next(&of, Deed::Finalise(wire::Finalise {})).await,
            Self::Open { of, until } => {
                let (entry, mut products) = standing(&of).await?;
                let deed = Deed::Open(wire::Open {
                    closes_at_s: moment("--until", &until.until, now)?.as_s(),
                    content_sha256: entry.content_sha256.clone(),
                });
                take(&mut products, &of.client, &entry, deed).await
            }
            Self::Close { of, without } => {
                closing(&of, Deed::Close(wire::Close::default()), without.nodes).await
            }
            Self::Publish { of, from, without } => {
                let (entry, mut products) = standing(&of).await?;
                let from = from.map_or(Ok(now), |from| moment("--from", &from, now))?;
                let deed = Deed::Publish(wire::Publish {
                    content_sha256: entry.content_sha256.clone(),
                    readable_from_s: from.as_s(),
                    // Who confirms it, the service says.
                    receipts: Vec::new(),
                });
                taken(&mut products, &of.client, &entry, (deed, without.nodes)).await
            }
            Self::Correct { of, section, text } => {
                let text = threat::reason(&text)?;
                next(&of, Deed::Correct(wire::Correct { section, text })).await
            }
            Self::Recall { of, why } => {
                next(&of, Deed::Recall(wire::Recall { why: threat::reason(&why)? })).await
            }
            Self::Archive { of, why } => {
                next(&of, Deed::Archive(wire::Archive { why: threat::reason(&why)? })).await
            }
            Self::Hear(of) => next(&of, Deed::Hear(wire::Hear::default())).await,
        }
    }
}

/// Where it stands now, and the connection over which that was said.
pub(super) async fn standing(of: &Of) -> Result<(wire::Entry, Products), Invalid> {
    let mut products = Products::connect(&of.client.client).await?;
    let entry = products.show(&of.product).await?.entry.unwrap_or_default();
    Ok((entry, products))
}

/// Takes the step that follows it.
pub(super) async fn take(
    products: &mut Products,
    client: &Client,
    entry: &wire::Entry,
    deed: Deed,
) -> Result<Outcome, Invalid> {
    taken(products, client, entry, (deed, Vec::new())).await
}

async fn taken(
    products: &mut Products,
    client: &Client,
    entry: &wire::Entry,
    (deed, without): (Deed, Vec<String>),
) -> Result<Outcome, Invalid> {
    let request = wire::TakeRequest {
        previous_sha256: entry.head_sha256.clone(),
        deed: Some(deed),
        product: entry.product.clone(),
        without,
    };
    let entry = products.take(request).await?;
    Ok(print::entry(client, &entry))
}

/// Ends what is open; whoever cannot be asked and is not named keeps it open.
async fn closing(of: &Of, deed: Deed, without: Vec<String>) -> Result<Outcome, Invalid> {
    let (entry, mut products) = standing(of).await?;
    taken(&mut products, &of.client, &entry, (deed, without)).await
}

/// The same of a step that needs to know nothing else.
pub(super) async fn next(of: &Of, deed: Deed) -> Result<Outcome, Invalid> {
    let (entry, mut products) = standing(of).await?;
    take(&mut products, &of.client, &entry, deed).await
}

/// Decides on comments, which are named by the first digits of their digests.
pub(super) async fn resolve(
    of: &Of,
    comments: &[String],
    decision: Decision,
    text: &str,
) -> Result<Outcome, Invalid> {
    let (entry, mut products) = standing(of).await?;
    let lists = ClientFile::lists(&of.client.client)?;
    let held = print::unverified(&products.get(&of.product).await?, lists)?;
    let resolution = |comment: &String| {
        Ok(wire::Resolution {
            comment_sha256: named(&held, comment)?.0.to_vec(),
            decision: decision.to_wire().into(),
            text: text.to_owned(),
        })
    };
    let resolutions = comments.iter().map(resolution).collect::<Result<_, Invalid>>()?;
    let deed = Deed::Resolve(wire::Resolve { resolutions });
    take(&mut products, &of.client, &entry, deed).await
}

/// The comment whose digest begins so.
fn named(held: &Course, comment: &str) -> Result<Digest, Invalid> {
    let remarks = held.remarks.iter();
    let found: Vec<_> = remarks.filter(|of| of.digest.to_string().starts_with(comment)).collect();
    let [remark] = found.as_slice() else {
        let detail = match found.is_empty() {
            true => format!("no comment begins with {}", crate::reason::quoted(comment)),
            false => {
                let count = found.len();
                format!("{count} comments begin with {comment}: give more digits")
            }
        };
        return Err(Invalid::new(Reason::NotFound, "--comment", detail));
    };
    Ok(remark.digest)
}

/// Sends a text.
pub(super) async fn draft(
    (file, why): (&Path, &str),
    (product, new): (Option<&str>, Option<&str>),
    client: &Client,
    fetch: impl AsyncFn(&Path, String, u32) -> Result<Source, Invalid>,
) -> Result<Outcome, Invalid> {
    let lists = ClientFile::lists(&client.client)?;
    let written = Written::read(file)?;
    let mut pictures = BTreeMap::new();
    for name in written.pictures() {
        let (requirement, version) = threat::picture(name)?;
        pictures.insert(name.to_owned(), fetch(&client.client, requirement, version).await?);
    }
    let mut products = Products::connect(&client.client).await?;
    let minted = || match new {
        Some(id) => ProductId::parse("--new", id),
        None => ProductId::mint(&SystemClock, &SystemEntropy),
    };
    let (id, previous_sha256) = match product {
        None => (minted()?, Vec::new()),
        Some(product) => {
            let entry = products.show(product).await?.entry.unwrap_or_default();
            (ProductId::parse("--product", product)?, entry.head_sha256)
        }
    };
    let owner = ClientFile::server(&client.client)?.name;
    let draft = written.draft((file, why), (id, &owner), &pictures, (&SystemEntropy, lists))?;
    let request = wire::TakeRequest {
        previous_sha256,
        deed: Some(Deed::Draft(draft)),
        product: id.to_string(),
        without: Vec::new(),
    };
    let unheard = |reason| matches!(reason, Reason::DeadlineExceeded | Reason::NoConnection);
    let entry = products.take(request).await.map_err(|error| {
        if product.is_some() || !unheard(error.reason) {
            return error;
        }
        // It may be there, or not: the same id makes sure that there are never two.
        Invalid { detail: format!("{}; to send it again: --new {id}", error.detail), ..error }
    })?;
    Ok(print::entry(client, &entry))
}
