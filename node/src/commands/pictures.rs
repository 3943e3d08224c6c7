//! Delivered pictures from the command line: parse, call, print. What is verified is verified here, not by the node.

use std::path::Path;

use accord_proto::{
    client::{ClientFile, within},
    compare::{self, Side},
    limits::{CALL_TIMEOUT, EVIDENCE_BYTES_MAX, LONG_CALL_TIMEOUT, PAGE_SIZE_MAX, REPLY_BYTES_MAX},
    offline,
    print::{self, OwnCell, OwnFigure, Shown},
    reason::{Invalid, Reason},
    seal::PublicKey,
    strict,
    transport::channel::Channel,
    verify::Trust,
    wire::{
        desk::{self as wire, get_evidence_response::Part},
        region,
    },
};
use serde_json::{Value, json};

use super::{done, failed, hex, imports::write_new, inbox::time, proof::proven};
use crate::cli::{Client, Outcome, picture::Command};

type PicturesClient = wire::pictures_client::PicturesClient<Channel>;

pub(super) async fn connect(client: &Path) -> Result<PicturesClient, Invalid> {
    let channel = ClientFile::connect(client).await?;
    Ok(PicturesClient::new(channel).max_decoding_message_size(REPLY_BYTES_MAX))
}

/// `accord-node picture …`
pub(crate) async fn run(command: Command) -> Result<Outcome, Invalid> {
    match command {
        Command::List { client } => list(&client).await,
        Command::Show { requirement, version, client } => show(&client, requirement, version).await,
        Command::Verify { requirement, version, answer, client } => {
            let (head, file) = evidence(&client, requirement, version).await?;
            let root = PublicKey::from_wire("evidence.root", &head.root)?;
            let roster = head.roster.unwrap_or_default();
            let lists = ClientFile::lists(&client.client)?;
            let trust = Trust { roster: &roster, root: &root, lists };
            Ok(proven(client.format, offline::prove(&file, &answer, trust)?))
        }
        Command::Compare { requirement, with, version, with_version, from, to, movers, client } => {
            let [before, now] =
                compare::pair((requirement, version), (with, with_version), from.is_some())?;
            let before = picture(&client, before.0, before.1).await?;
            let now = picture(&client, now.0, now.1).await?;
            let before = Side { picture: &before, period: from.as_deref() };
            let now = Side { picture: &now, period: to.as_deref() };
            Ok(done(&client, &compare::rows(before, now, movers)))
        }
        Command::Trend { requirements, client } => {
            let mut rounds = Vec::new();
            for requirement in requirements {
                rounds.push(picture(&client, requirement, 0).await?);
            }
            Ok(done(&client, &json!(compare::trend(&rounds))))
        }
        Command::ExportEvidence { requirement, version, out, client } => {
            export(&client, (requirement, version), &out).await
        }
    }
}

async fn picture(
    client: &Client,
    requirement: String,
    version: u32,
) -> Result<region::Picture, Invalid> {
    let request = within(CALL_TIMEOUT, wire::GetPictureRequest { requirement, version });
    let reply =
        connect(&client.client).await?.get_picture(request).await.map_err(failed)?.into_inner();
    strict::decode_signed("picture", &reply.picture.unwrap_or_default().payload)
}

async fn list(client: &Client) -> Result<Outcome, Invalid> {
    let mut desk = connect(&client.client).await?;
    let (mut rows, mut page_token, mut remarks) = (Vec::new(), String::new(), Vec::new());
    loop {
        let request = wire::ListPicturesRequest { page_size: PAGE_SIZE_MAX, page_token };
        let page = desk.list_pictures(within(CALL_TIMEOUT, request)).await;
        let page = page.map_err(failed)?.into_inner();
        remarks.extend(page.pictures.iter().filter_map(contradiction));
        rows.extend(page.pictures.iter().map(row));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(Outcome { remarks, ..done(client, &Value::Array(rows)) });
        }
    }
}

fn row(entry: &wire::PictureEntry) -> Value {
    json!({
        "requirement": entry.requirement,
        "version": entry.version,
        "drawn_at": time(entry.drawn_at_s),
        "received_at": time(entry.received_at_s),
        "coverage": format!("{}/{}", entry.answered, entry.members),
        "do_not_stand": entry.notices,
        "picture_sha256": hex(&entry.picture_sha256),
        "contradicted_by_sha256": hex(&entry.contradicted_by_sha256),
    })
}

fn contradiction(entry: &wire::PictureEntry) -> Option<String> {
    let wire::PictureEntry { requirement, version, contradicted_by_sha256: other, .. } = entry;
    let other = Some(hex(other)).filter(|other| !other.is_empty())?;
    Some(format!(
        "{requirement} version {version}: the coordinator has delivered another picture under this version, {other}; it was refused"
    ))
}

async fn show(client: &Client, requirement: String, version: u32) -> Result<Outcome, Invalid> {
    let request = within(CALL_TIMEOUT, wire::GetPictureRequest { requirement, version });
    let reply =
        connect(&client.client).await?.get_picture(request).await.map_err(failed)?.into_inner();
    let wire::GetPictureResponse { entry, picture, notices, own } = reply;
    let entry = entry.unwrap_or_default();
    let number = (entry.version, entry.drawn_at_s);
    let mut shown = Shown::of(&picture.unwrap_or_default(), &notices, number)?;
    let mut remarks = shown.remarks();
    remarks.extend(contradiction(&entry));
    if own.as_ref().is_some_and(|own| own.superseded) {
        remarks.push(
            "own: the answer that this picture rests on was superseded; this is what stands now"
                .to_owned(),
        );
    }
    shown.own = own.map(|own| own.cells.into_iter().map(own_cell).collect());
    let lists = ClientFile::lists(&client.client)?;
    let data = print::picture(client.format, &shown, lists);
    Ok(Outcome { data, remarks, partial: shown.is_partial(), failure: None })
}

fn own_cell(cell: wire::OwnCell) -> OwnCell {
    let figure = |figure: wire::OwnFigure| OwnFigure {
        status: figure.status(),
        region: figure.region,
        value: figure.value,
        upper: figure.upper,
        standard_error_milli: figure.standard_error_milli,
    };
    cell.figures.into_iter().map(figure).collect()
}

async fn export(
    client: &Client,
    (requirement, version): (String, u32),
    out: &Path,
) -> Result<Outcome, Invalid> {
    let (head, file) = evidence(client, requirement, version).await?;
    write_new(out, &file)?;
    let name = out.display().to_string();
    Ok(done(client, &json!({"file": name, "bytes": file.len(), "version": head.version})))
}

/// A picture's file, and whom the node believes.
async fn evidence(
    client: &Client,
    requirement: String,
    version: u32,
) -> Result<(wire::EvidenceHead, Vec<u8>), Invalid> {
    let request = within(LONG_CALL_TIMEOUT, wire::GetEvidenceRequest { requirement, version });
    let mut parts =
        connect(&client.client).await?.get_evidence(request).await.map_err(failed)?.into_inner();
    let (mut head, mut file) = (None, Vec::new());
    while let Some(wire::GetEvidenceResponse { part }) = parts.message().await.map_err(failed)? {
        match part {
            Some(Part::Head(first)) => head = Some(first),
            Some(Part::Piece(piece)) => file.extend(piece),
            None => {}
        }
        if file.len() > EVIDENCE_BYTES_MAX {
            let detail = format!("more than {EVIDENCE_BYTES_MAX} bytes");
            return Err(Invalid::new(Reason::LimitExceeded, "evidence", detail));
        }
    }
    let missing = || Invalid::new(Reason::PeerFailed, "evidence", "came without its head");
    Ok((head.ok_or_else(missing)?, file))
}
