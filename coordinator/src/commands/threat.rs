//! Rankings from the command line: parse, call, print. The arithmetic is the contract's.

use std::path::Path;

use accord_proto::{
    client::{ClientFile, within},
    limits::{CALL_TIMEOUT, LONG_CALL_TIMEOUT, PAGE_SIZE_MAX, REPLY_BYTES_MAX},
    operate::threat::{self, Series},
    print::RankingShown,
    reason::Invalid,
    strict,
    taxonomy::Lists,
    threat::Ranking,
    transport::channel::Channel,
    wire::{self as exchange, region as wire, threat::OrderedBy},
};
use prost::Message as _;
use serde_json::{Value, json};

use super::{day, done, failed, print};
use crate::cli::{Client, Outcome, threat::Command};

type RankingsClient = wire::rankings_client::RankingsClient<Channel>;

async fn connect(client: &Path) -> Result<RankingsClient, Invalid> {
    let channel = ClientFile::connect(client).await?;
    Ok(RankingsClient::new(channel).max_decoding_message_size(REPLY_BYTES_MAX))
}

/// `accord-coordinator threat …`
pub(crate) async fn run(command: Command) -> Result<Outcome, Invalid> {
    match command {
        Command::Methods(printing) => Ok(done(threat::methods(printing.format))),
        Command::Rank { pictures, period, series, why, client } => {
            rank(&client, &pictures, (series, period), &why).await
        }
        Command::List { client } => list(&client).await,
        Command::Show { ranking, out, client } => {
            let document = document(&client.client, ranking).await?;
            let envelope = document.ranking.clone().unwrap_or_default();
            let mut outcome = shown(&client, document)?;
            if let Some(out) = out {
                let bytes = envelope.encode_to_vec();
                threat::write_new(&out, &bytes)?;
                let written = format!("{} bytes written to {}", bytes.len(), out.display());
                outcome.remarks.push(written);
            }
            Ok(outcome)
        }
        Command::Compare { before, now, client } => {
            let lists = ClientFile::lists(&client.client)?;
            let fetched = async |name| read(document(&client.client, name).await?, lists);
            let (before, mut remarks) = fetched(before).await?;
            let (now, more) = fetched(now).await?;
            remarks.extend(more);
            let data = threat::compared(client.format, [&before, &now])?;
            Ok(Outcome { data, remarks, ..Outcome::default() })
        }
        Command::Attach { ranking, dissent, client } => attach(&client, ranking, &dissent).await,
        Command::Replay(replay) => replay.run(),
    }
}

async fn rank(
    client: &Client,
    pictures: &[String],
    (series, period): (Series, String),
    why: &str,
) -> Result<Outcome, Invalid> {
    let wanted = series.of(period);
    let named = |typed: &String| {
        let (requirement, version) = threat::picture(typed)?;
        Ok(wire::PictureName { requirement, version })
    };
    let request = wire::RankThreatsRequest {
        indicator: wanted.indicator,
        period: wanted.period,
        categories: wanted.categories,
        crime_areas: wanted.areas,
        ordered_by: wanted.order.to_wire().into(),
        method: wanted.method,
        pictures: pictures.iter().map(named).collect::<Result<_, Invalid>>()?,
        why: threat::reason(why)?,
    };
    let request = within(LONG_CALL_TIMEOUT, request);
    let reply =
        connect(&client.client).await?.rank_threats(request).await.map_err(failed)?.into_inner();
    shown(client, reply.ranking.unwrap_or_default())
}

/// Lines of all rankings, ascending by name.
pub(super) async fn entries(client: &Client) -> Result<Vec<wire::RankingEntry>, Invalid> {
    let mut region = connect(&client.client).await?;
    let (mut entries, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = wire::ListRankingsRequest { page_size: PAGE_SIZE_MAX, page_token };
        let page = region.list_rankings(within(CALL_TIMEOUT, request)).await;
        let page = page.map_err(failed)?.into_inner();
        entries.extend(page.rankings);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(entries);
        }
    }
}

async fn list(client: &Client) -> Result<Outcome, Invalid> {
    let mut entries = entries(client).await?;
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.made_at_s));
    let row = |entry: &wire::RankingEntry| {
        let order = match entry.ordered_by() {
            OrderedBy::Figure => "figure",
            OrderedBy::Borda => "borda",
            OrderedBy::Unspecified => "",
        };
        json!({
            "ranking": entry.ranking,
            "made_at": day(entry.made_at_s),
            "audience": entry.audience,
            "indicator": entry.indicator,
            "period": entry.period,
            "categories": entry.categories,
            "by": order,
            "areas": entry.areas,
            "white_spots": entry.white_spots,
            "dissents": entry.dissents,
            "why": entry.why,
        })
    };
    let rows: Value = entries.iter().map(row).collect();
    Ok(done(print::rows(client.format, &rows)))
}

/// A ranking that the coordinator keeps.
pub(super) async fn document(
    client: &Path,
    ranking: String,
) -> Result<wire::RankingDocument, Invalid> {
    let request = within(CALL_TIMEOUT, wire::GetRankingRequest { ranking });
    let reply = connect(client).await?.get_ranking(request).await.map_err(failed)?.into_inner();
    Ok(reply.ranking.unwrap_or_default())
}

async fn attach(client: &Client, ranking: String, dissent: &Path) -> Result<Outcome, Invalid> {
    let dissent: exchange::Envelope = strict::decode("dissent", &threat::file(dissent)?)?;
    let request = wire::AttachDissentRequest { ranking, dissent: Some(dissent) };
    let request = within(CALL_TIMEOUT, request);
    let reply =
        connect(&client.client).await?.attach_dissent(request).await.map_err(failed)?.into_inner();
    shown(client, reply.ranking.unwrap_or_default())
}

fn shown(client: &Client, document: wire::RankingDocument) -> Result<Outcome, Invalid> {
    let lists = ClientFile::lists(&client.client)?;
    let (shown, remarks) = read(document, lists)?;
    let data = print::ranking(client.format, &shown, lists)?;
    Ok(Outcome { data, remarks, ..Outcome::default() })
}

/// A ranking with what stands around it, and which of its pictures do not stand as they were.
pub(super) fn read(
    document: wire::RankingDocument,
    lists: &Lists,
) -> Result<(RankingShown, Vec<String>), Invalid> {
    let wire::RankingDocument { entry, ranking, pictures, asked } = document;
    let entry = entry.unwrap_or_default();
    let mut remarks = Vec::new();
    for of in &pictures {
        let name = format!("{} version {}", of.requirement, of.version);
        if of.superseded {
            let remark = "has a newer version: this ranking rests on it still";
            remarks.push(format!("picture {name} {remark}"));
        }
        if of.notices > 0 {
            let count = of.notices;
            remarks.push(format!("picture {name}: {count} of its answers do not stand any more"));
        }
    }
    let coverage = |of: &wire::PictureEntry| {
        let wire::PictureEntry { requirement, version, answered, members, .. } = of;
        format!("picture {requirement} version {version}: {answered}/{members}")
    };
    let shown = RankingShown {
        ranking: Ranking::read(&ranking.unwrap_or_default().payload, lists)?,
        made_at: day(entry.made_at_s),
        why: entry.why,
        coverage: pictures.iter().map(coverage).collect(),
        asked,
        own: None,
    };
    Ok((shown, remarks))
}
