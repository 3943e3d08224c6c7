//! Charts from the command line: fetch, draw. What is drawn is the contract's.

use std::path::Path;

use accord_proto::{
    client::{ClientFile, within},
    clock::Timestamp,
    limits::CALL_TIMEOUT,
    operate::{
        chart::{self, Source},
        cycle, product,
    },
    reason::Invalid,
    wire::region as wire,
};

use super::{connect_by, failed, threat};
use crate::cli::{Outcome, chart::Command};

/// `accord-coordinator chart …`
pub(crate) async fn run(command: Command) -> Result<Outcome, Invalid> {
    match command {
        Command::OfPictures(command) => chart::run(command, fetch).await,
        Command::Ranks { ranking, drawing, whose } => {
            let lists = ClientFile::lists(&whose.client)?;
            let document = threat::document(&whose.client, ranking).await?;
            let made_at_s = document.entry.as_ref().map_or(0, |entry| entry.made_at_s);
            let pictures = document.pictures.iter();
            let covered = chart::least_covered(pictures.map(|of| (of.answered, of.members)));
            let (shown, _) = threat::read(document, lists)?;
            let as_of = Timestamp::from_s("made_at_s", made_at_s)?;
            let chart = chart::ranks(&shown, (covered, as_of), lists)?;
            drawing.finish(&chart, covered.0 < covered.1)
        }
    }
}

/// `accord-coordinator product …`: the pictures that a text cites are fetched as those of a chart are.
pub(crate) async fn product(command: product::Command) -> Result<Outcome, Invalid> {
    product::run(command, fetch).await
}

/// `accord-coordinator cycle …`: the same of the pictures that measure a plan.
pub(crate) async fn cycle(command: cycle::Command) -> Result<Outcome, Invalid> {
    cycle::run(command, fetch).await
}

async fn fetch(client: &Path, requirement: String, version: u32) -> Result<Source, Invalid> {
    let request = within(CALL_TIMEOUT, wire::GetPictureRequest { requirement, version });
    let reply = connect_by(client).await?.get_picture(request).await.map_err(failed)?;
    let document = reply.into_inner().picture.unwrap_or_default();
    let envelope = document.picture.unwrap_or_default();
    Source::of(&envelope.payload, (document.version, document.drawn_at_s))
}
