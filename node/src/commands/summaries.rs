//! Summaries from the command line: parse, call, print.

use std::path::{Path, PathBuf};

use accord_proto::{
    client::{ClientFile, within},
    clock::{SystemClock, SystemEntropy, Timestamp},
    id::SummaryId,
    limits::{CALL_TIMEOUT, PAGE_SIZE_MAX, REPLY_BYTES_MAX, SUMMARY_BYTES_MAX},
    reason::{Invalid, Reason},
    transport::channel::Channel,
    wire::desk as wire,
};
use serde_json::{Value, json};

use super::{done, failed, hex, print};
use crate::cli::{
    Client, Outcome,
    summary::{Command, Find},
};

type SummariesClient = wire::summaries_client::SummariesClient<Channel>;

async fn connect(client: &Client) -> Result<SummariesClient, Invalid> {
    let channel = ClientFile::connect(&client.client).await?;
    Ok(SummariesClient::new(channel).max_decoding_message_size(REPLY_BYTES_MAX))
}

/// Runs one command.
pub(crate) async fn run(command: Command) -> Result<Outcome, Invalid> {
    match command {
        Command::Create { file, id, why, client } => create(&client, &file, id, why).await,
        Command::Import { files, why, client } => import(&client, &files, &why).await,
        Command::List { find, client } => list(&client, String::new(), find).await,
        Command::Search { words, find, client } => list(&client, words.join(" "), find).await,
        Command::Show { summary, version, client } => show(&client, summary, version).await,
        Command::Revise { summary, file, version, why, client } => {
            let document = read(&file)?;
            let request = wire::ReviseSummaryRequest { summary, version, document, why };
            let call = connect(&client).await?.revise_summary(within(CALL_TIMEOUT, request)).await;
            Ok(done(&client, &standing(call.map_err(failed)?.into_inner())))
        }
        Command::Evaluate { which, client } => {
            advance(&client, which, wire::SummaryStep::Evaluate).await
        }
        Command::Validate { which, client } => {
            advance(&client, which, wire::SummaryStep::Validate).await
        }
        Command::Withdraw { summary, why, client } => {
            let request = wire::WithdrawSummaryRequest { summary, why };
            let call =
                connect(&client).await?.withdraw_summary(within(CALL_TIMEOUT, request)).await;
            Ok(done(&client, &standing(call.map_err(failed)?.into_inner())))
        }
        Command::Diff { summary, from, to, client } => diff(&client, summary, (from, to)).await,
    }
}

async fn create(
    client: &Client,
    file: &Path,
    id: Option<String>,
    why: String,
) -> Result<Outcome, Invalid> {
    let id = match id {
        Some(id) => SummaryId::parse("--id", &id)?,
        None => SummaryId::mint(&SystemClock, &SystemEntropy)?,
    };
    let request = wire::CreateSummaryRequest {
        summary: id.to_string(),
        document: read(file)?,
        why,
        unless_held: false,
    };
    let call = connect(client).await?.create_summary(within(CALL_TIMEOUT, request)).await;
    Ok(done(client, &standing(call.map_err(failed)?.into_inner())))
}

/// Every file on its own: what is refused is named, the others are taken in; exit code 3 then.
async fn import(client: &Client, files: &[PathBuf], why: &str) -> Result<Outcome, Invalid> {
    let mut summaries = connect(client).await?;
    let (mut rows, mut remarks) = (Vec::new(), Vec::new());
    for file in files {
        let imported = match read(file) {
            Ok(document) => {
                let request = wire::CreateSummaryRequest {
                    summary: SummaryId::mint(&SystemClock, &SystemEntropy)?.to_string(),
                    document,
                    why: why.to_owned(),
                    unless_held: true,
                };
                let call = summaries.create_summary(within(CALL_TIMEOUT, request)).await;
                call.map_err(failed).map(tonic::Response::into_inner)
            }
            Err(error) => Err(error),
        };
        match imported {
            Ok(reply) => {
                let mut row = json!({"file": file.display().to_string()});
                if let (Value::Object(row), Value::Object(fields)) = (&mut row, standing(reply)) {
                    row.extend(fields);
                }
                rows.push(row);
            }
            // Nothing about this file: the next one would fail in the same way.
            Err(error) if error.reason == Reason::NoConnection => return Err(error),
            Err(error) => remarks.push(format!("{}: {error}", file.display())),
        }
    }
    let partial = !remarks.is_empty();
    Ok(Outcome { data: print(client.format, &Value::Array(rows)), remarks, partial, failure: None })
}

async fn advance(
    client: &Client,
    which: crate::cli::summary::Which,
    step: wire::SummaryStep,
) -> Result<Outcome, Invalid> {
    let crate::cli::summary::Which { summary, version, why } = which;
    let request = wire::AdvanceSummaryRequest { summary, version, step: step.into(), why };
    let call = connect(client).await?.advance_summary(within(CALL_TIMEOUT, request)).await;
    Ok(done(client, &standing(call.map_err(failed)?.into_inner())))
}

/// Every page.
async fn list(client: &Client, text: String, find: Find) -> Result<Outcome, Invalid> {
    let Find { area, period, indicator, grade, handling, state } = find;
    let mut request = wire::ListSummariesRequest {
        page_size: PAGE_SIZE_MAX,
        page_token: String::new(),
        text,
        crime_area: area,
        period,
        indicator,
        grade,
        handling,
        state,
    };
    let mut summaries = connect(client).await?;
    let mut entries = Vec::new();
    loop {
        let call = summaries.list_summaries(within(CALL_TIMEOUT, request.clone())).await;
        let page = call.map_err(failed)?.into_inner();
        entries.extend(page.entries);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    Ok(done(client, &Value::Array(entries.into_iter().map(entry).collect())))
}

async fn show(client: &Client, summary: String, version: u32) -> Result<Outcome, Invalid> {
    let request = within(CALL_TIMEOUT, wire::GetSummaryRequest { summary, version });
    let call = connect(client).await?.get_summary(request).await;
    let reply = call.map_err(failed)?.into_inner();
    let document: Value = toml::from_str(&reply.document)
        .map_err(|error| Invalid::new(Reason::PeerFailed, "document", error.to_string()))?;
    let event = |event: wire::SummaryEvent| json!({"at": moment(event.at_s), "by": event.by, "step": event.step, "why": event.why});
    let version = |version: wire::SummaryVersion| json!({"version": version.version, "state": version.state, "written_at": moment(version.written_at_s)});
    let head = entry(reply.entry.unwrap_or_default());
    let mut data = json!({
        "summary": head["summary"],
        "version": head["version"],
        "state": head["state"],
        "expires_at": head["expires_at"],
        "document_sha256": hex(&reply.document_sha256),
    });
    let history: Vec<_> = reply.history.into_iter().map(event).collect();
    let versions: Vec<_> = reply.versions.into_iter().map(version).collect();
    if let Value::Object(data) = &mut data {
        // For people the text stands as its author wrote it; for programs, its fields.
        if client.format == crate::cli::Format::Table {
            data.insert("document".to_owned(), reply.document.into());
        } else {
            data.insert("document".to_owned(), document);
        }
        data.insert("history".to_owned(), history.into());
        data.insert("versions".to_owned(), versions.into());
    }
    Ok(done(client, &data))
}

async fn diff(
    client: &Client,
    summary: String,
    (from_version, to_version): (u32, u32),
) -> Result<Outcome, Invalid> {
    let request = wire::DiffSummaryRequest { summary, from_version, to_version };
    let call = connect(client).await?.diff_summary(within(CALL_TIMEOUT, request)).await;
    let reply = call.map_err(failed)?.into_inner();
    let remark = format!("version {} → version {}", reply.from_version, reply.to_version);
    let change = |change: wire::SummaryChange| json!({"field": change.field, "before": change.before, "after": change.after});
    let changes: Vec<_> = reply.changes.into_iter().map(change).collect();
    Ok(Outcome { remarks: vec![remark], ..done(client, &Value::Array(changes)) })
}

fn read(file: &Path) -> Result<String, Invalid> {
    let named = || file.display().to_string();
    let text = std::fs::read_to_string(file)
        .map_err(|error| Invalid::new(Reason::ImportUnreadable, named(), error.to_string()))?;
    if text.len() > SUMMARY_BYTES_MAX {
        let detail = format!("{} bytes where {SUMMARY_BYTES_MAX} are the most", text.len());
        return Err(Invalid::new(Reason::LimitExceeded, named(), detail));
    }
    Ok(text)
}

fn standing(reply: wire::SummaryResponse) -> Value {
    json!({
        "summary": reply.summary,
        "version": reply.version,
        "state": reply.state,
        "document_sha256": hex(&reply.document_sha256),
        "already": reply.already,
    })
}

fn entry(entry: wire::SummaryEntry) -> Value {
    json!({
        "summary": entry.summary,
        "version": entry.version,
        "state": entry.state,
        "title": entry.title,
        "product_type": entry.product_type,
        "crime_areas": entry.crime_areas.join(" "),
        "period": entry.period,
        "regions": entry.regions.join(" "),
        "tlp": entry.tlp,
        "europol_codes": entry.europol_codes.join(" "),
        "classification": entry.classification,
        "written_at": moment(entry.written_at_s),
        "expires_at": moment(entry.expires_at_s),
    })
}

fn moment(seconds: i64) -> String {
    Timestamp::from_s("time", seconds).map_or(String::new(), |at| at.to_string())
}
