//! Threats from the command line: parse, call, print. What is ranked is ranked here, from pictures that the node holds: the centre
//! may be down. Must never give the own position to anybody but whoever asked.

use std::{collections::BTreeSet, path::Path};

use accord_proto::{
    chart::Chart,
    client::{ClientFile, within},
    clock::Timestamp,
    limits::CALL_TIMEOUT,
    operate::{
        chart,
        threat::{self, Series},
    },
    print::{self, RankingShown},
    reason::Invalid,
    strict,
    taxonomy::Lists,
    threat::{Ranking, Wanted},
    wire::{self as exchange, desk as wire, region},
};
use prost::Message as _;
use serde_json::json;

use super::{done, failed, pictures::connect};
use crate::cli::{Client, Outcome, threat::Command};

mod assess;
mod own;

/// `accord-node threat …`
pub(crate) async fn run(command: Command) -> Result<Outcome, Invalid> {
    match command {
        Command::Methods(printing) => {
            Ok(Outcome { data: threat::methods(printing.format), ..Outcome::default() })
        }
        Command::Score { assessments, summary } => assess::score(&assessments, summary),
        Command::Rank(assessments) => assess::rank(&assessments),
        Command::Show { pictures, period, series, client } => {
            show(&client, &pictures, &series.of(period)).await
        }
        Command::Compare { pictures, from, to, series, client } => {
            compare(&client, &pictures, (from, to), series).await
        }
        Command::Dissent { ranking, why, out, client } => {
            dissent(&client, &ranking, &why, &out).await
        }
        Command::Replay(replay) => replay.run(),
    }
}

/// A delivered picture.
struct Delivered {
    entry: wire::PictureEntry,
    payload: Vec<u8>,
    picture: region::Picture,
    own: Option<wire::OwnShare>,
}

async fn delivered(client: &Path, named: &[String]) -> Result<Vec<Delivered>, Invalid> {
    let mut desk = connect(client).await?;
    let mut found = Vec::new();
    for typed in named {
        let (requirement, version) = threat::picture(typed)?;
        let request = within(CALL_TIMEOUT, wire::GetPictureRequest { requirement, version });
        let reply = desk.get_picture(request).await.map_err(failed)?.into_inner();
        let payload = reply.picture.unwrap_or_default().payload;
        found.push(Delivered {
            entry: reply.entry.unwrap_or_default(),
            picture: strict::decode_signed("picture", &payload)?,
            own: reply.own,
            payload,
        });
    }
    Ok(found)
}

fn ranked(wanted: &Wanted, of: &[Delivered], lists: &Lists) -> Result<Ranking, Invalid> {
    let payloads: Vec<_> = of.iter().map(|of| of.payload.as_slice()).collect();
    wanted.rank(&payloads, lists)
}

async fn show(client: &Client, named: &[String], wanted: &Wanted) -> Result<Outcome, Invalid> {
    let lists = ClientFile::lists(&client.client)?;
    let pictures = delivered(&client.client, named).await?;
    let mut remarks = vec![
        "worked out here from delivered pictures; dissent from it is at the centre".to_owned(),
    ];
    if pictures.iter().any(|of| of.own.as_ref().is_some_and(|own| own.superseded)) {
        let remark =
            "own: an answer that a picture rests on was superseded; this is what stands now";
        remarks.push(remark.to_owned());
    }
    for of in pictures.iter().filter(|of| of.entry.notices > 0) {
        let (name, count) = (&of.entry.requirement, of.entry.notices);
        remarks.push(format!("picture {name}: {count} of its answers do not stand any more"));
    }
    let mut shown = around(&pictures, ranked(wanted, &pictures, lists)?);
    let cells =
        pictures.iter().filter_map(|of| Some((of.picture.cells.as_slice(), of.own.as_ref()?)));
    shown.own = Some(own::places_of(&shown.ranking, cells));
    let data = print::ranking(client.format, &shown, lists)?;
    Ok(Outcome { data, remarks, ..Outcome::default() })
}

/// A ranking with what stands around it, without the own position.
fn around(pictures: &[Delivered], ranking: Ranking) -> RankingShown {
    let coverage = |of: &Delivered| {
        let wire::PictureEntry { requirement, version, answered, members, .. } = &of.entry;
        format!("picture {requirement} version {version}: {answered}/{members}")
    };
    let members = pictures.iter().flat_map(|of| &of.picture.members);
    let asked: BTreeSet<_> = members.map(|member| member.jurisdiction.clone()).collect();
    RankingShown {
        ranking,
        made_at: String::new(),
        why: String::new(),
        coverage: pictures.iter().map(coverage).collect(),
        asked: asked.into_iter().collect(),
        own: None,
    }
}

/// The region's ranking, drawn: without the own position, so that it may be handed on to whoever may read its pictures.
pub(super) async fn draw(
    client: &Path,
    named: &[String],
    wanted: &Wanted,
) -> Result<(Chart, bool), Invalid> {
    let lists = ClientFile::lists(client)?;
    let pictures = delivered(client, named).await?;
    let shown = around(&pictures, ranked(wanted, &pictures, lists)?);
    let entries = pictures.iter().map(|of| &of.entry);
    let covered = chart::least_covered(entries.map(|of| (of.answered, of.members)));
    let drawn = pictures.iter().map(|of| of.entry.drawn_at_s).max().unwrap_or_default();
    let as_of = Timestamp::from_s("drawn_at_s", drawn)?;
    Ok((chart::ranks(&shown, (covered, as_of), lists)?, covered.0 < covered.1))
}

async fn compare(
    client: &Client,
    named: &[String],
    (from, to): (String, String),
    series: Series,
) -> Result<Outcome, Invalid> {
    let lists = ClientFile::lists(&client.client)?;
    let pictures = delivered(&client.client, named).await?;
    let before = ranked(&series.clone().of(from), &pictures, lists)?;
    let now = ranked(&series.of(to), &pictures, lists)?;
    let [before, now] = [before, now].map(|ranking| around(&pictures, ranking));
    let data = threat::compared(client.format, [&before, &now])?;
    Ok(Outcome { data, ..Outcome::default() })
}

async fn dissent(
    client: &Client,
    ranking: &Path,
    why: &str,
    out: &Path,
) -> Result<Outcome, Invalid> {
    let ranking: exchange::Envelope = strict::decode("ranking", &threat::file(ranking)?)?;
    let lists = ClientFile::lists(&client.client)?;
    let audience = Ranking::read(&ranking.payload, lists)?.audience().to_owned();
    let request = wire::SignDissentRequest { ranking: Some(ranking), text: threat::reason(why)? };
    let request = within(CALL_TIMEOUT, request);
    let reply =
        connect(&client.client).await?.sign_dissent(request).await.map_err(failed)?.into_inner();
    let bytes = reply.dissent.unwrap_or_default().encode_to_vec();
    threat::write_new(out, &bytes)?;
    let file = out.display().to_string();
    Ok(done(client, &json!({"file": file, "bytes": bytes.len(), "audience": audience})))
}
