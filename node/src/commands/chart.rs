//! Charts of delivered pictures from the command line: fetch, draw; the centre may be down. What is drawn is the contract's, and holds
//! nothing that the picture does not: the node's own share is left out.

use std::path::Path;

use accord_proto::{
    client::within,
    limits::CALL_TIMEOUT,
    operate::{
        chart::{self, Source},
        cycle, product,
    },
    reason::Invalid,
    wire::desk as wire,
};

use super::{failed, pictures::connect, threat};
use crate::cli::{Outcome, chart::Command};

/// `accord-node chart …`
pub(crate) async fn run(command: Command) -> Result<Outcome, Invalid> {
    match command {
        Command::OfPictures(command) => chart::run(command, fetch).await,
        Command::Ranks { pictures, period, series, drawing, whose } => {
            let wanted = series.of(period);
            let (chart, partial) = threat::draw(&whose.client, &pictures, &wanted).await?;
            drawing.finish(&chart, partial)
        }
    }
}

/// `accord-node product …`: the pictures that a text cites are fetched as those of a chart are.
pub(crate) async fn product(command: product::Command) -> Result<Outcome, Invalid> {
    product::run(command, fetch).await
}

/// `accord-node cycle …`: the same of the pictures that measure a plan.
pub(crate) async fn cycle(command: cycle::Command) -> Result<Outcome, Invalid> {
    cycle::run(command, fetch).await
}

async fn fetch(client: &Path, requirement: String, version: u32) -> Result<Source, Invalid> {
    let request = within(CALL_TIMEOUT, wire::GetPictureRequest { requirement, version });
    let reply = connect(client).await?.get_picture(request).await.map_err(failed)?.into_inner();
    let entry = reply.entry.unwrap_or_default();
    let picture = reply.picture.unwrap_or_default();
    Source::of(&picture.payload, (entry.version, entry.drawn_at_s))
}
