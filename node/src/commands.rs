//! Desk calls from the command line: parse, call, print.

use std::path::Path;

use accord_proto::{
    client::{ClientFile, within},
    clock::{SystemClock, SystemEntropy, Timestamp},
    id::GrantId,
    limits::{
        CALL_TIMEOUT, IMPORT_BYTES_MAX, IMPORT_CHUNK_BYTES, LONG_CALL_TIMEOUT, PAGE_SIZE_MAX,
        REPLY_BYTES_MAX,
    },
    reason::{Invalid, Reason},
    status::from_status,
    wire::{self as exchange, desk as wire},
};
use comfy_table::{Table, presets};
use serde_json::{Value, json};
use tonic::{Status, transport::Channel};

use crate::cli::{Client, Format, Outcome, Terms};

type DeskClient = wire::desk_client::DeskClient<Channel>;

async fn connect(client: &Client) -> Result<DeskClient, Invalid> {
    let channel = ClientFile::connect(&client.client).await?;
    Ok(DeskClient::new(channel).max_decoding_message_size(REPLY_BYTES_MAX))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn failed(status: Status) -> Invalid {
    from_status(&status)
}

/// Imports a file; exit code 3 if rows were quarantined.
pub async fn import(client: &Client, file: &Path, mapping: &Path) -> Result<Outcome, Invalid> {
    let parts = parts(file, mapping)?;
    let request = within(LONG_CALL_TIMEOUT, tokio_stream::iter(parts));
    let reply = connect(client).await?.import(request).await.map_err(failed)?.into_inner();
    let mut remarks: Vec<_> = reply
        .quarantined
        .iter()
        .map(|row| format!("row {} field {}: {}: {}", row.row, row.field, row.reason, row.hint))
        .collect();
    let more = reply.rows_quarantined.saturating_sub(reply.quarantined.len() as u64);
    if more > 0 {
        remarks.push(format!("… and {more} more quarantined rows"));
    }
    let rows = |row: &wire::Quarantined| json!({"row": row.row, "field": row.field, "reason": row.reason, "hint": row.hint});
    let data = json!({
        "import_sha256": hex(&reply.import_sha256),
        "already_imported": reply.already_imported,
        "rows_read": reply.rows_read,
        "rows_left_out": reply.rows_left_out,
        "rows_unchanged": reply.rows_unchanged,
        "rows_accepted": reply.rows_accepted,
        "rows_quarantined": reply.rows_quarantined,
        "quarantined": reply.quarantined.iter().map(rows).collect::<Vec<_>>(),
    });
    let partial = reply.rows_quarantined > 0;
    Ok(Outcome { data: print(client.format, &data), remarks, partial })
}

/// The messages of an import: header, then the file in chunks.
fn parts(file: &Path, mapping: &Path) -> Result<Vec<wire::ImportRequest>, Invalid> {
    use wire::import_request::Part;
    let unreadable = |path: &Path, error: std::io::Error| {
        Invalid::new(Reason::ImportUnreadable, path.display().to_string(), error.to_string())
    };
    let mapping = std::fs::read_to_string(mapping).map_err(|error| unreadable(mapping, error))?;
    let bytes = std::fs::read(file).map_err(|error| unreadable(file, error))?;
    if bytes.len() > IMPORT_BYTES_MAX {
        let detail =
            format!("{} bytes where {IMPORT_BYTES_MAX} is the most; split it", bytes.len());
        return Err(Invalid::new(Reason::LimitExceeded, file.display().to_string(), detail));
    }
    let file_name =
        file.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned());
    let header = Part::Header(wire::ImportHeader { file_name, mapping });
    let chunks = bytes.chunks(IMPORT_CHUNK_BYTES).map(|chunk| Part::Chunk(chunk.to_vec()));
    Ok(std::iter::once(header)
        .chain(chunks)
        .map(|part| wire::ImportRequest { part: Some(part) })
        .collect())
}

/// Freezes periods.
pub async fn freeze(
    client: &Client,
    first_period: String,
    last_period: String,
) -> Result<Outcome, Invalid> {
    let request = within(CALL_TIMEOUT, wire::FreezeRequest { first_period, last_period });
    let reply = connect(client).await?.freeze(request).await.map_err(failed)?.into_inner();
    Ok(done(client, &json!({"editions": editions(&reply.editions)})))
}

/// Gives consent.
pub async fn grant(client: &Client, terms: Terms) -> Result<Outcome, Invalid> {
    let Terms {
        indicator,
        crime_area,
        first_period,
        last_period,
        purpose,
        audience,
        from,
        until,
        id,
    } = terms;
    let id = match id {
        Some(id) => GrantId::parse("--id", &id)?,
        None => GrantId::mint(&SystemClock, &SystemEntropy)?,
    };
    let request = wire::GrantRequest {
        grant: id.to_string(),
        indicator,
        crime_areas: crime_area,
        first_period,
        last_period,
        purpose,
        audience,
        from_s: Timestamp::parse("--from", &from)?.as_s(),
        until_s: Timestamp::parse("--until", &until)?.as_s(),
    };
    let reply = connect(client)
        .await?
        .grant(within(CALL_TIMEOUT, request))
        .await
        .map_err(failed)?
        .into_inner();
    Ok(done(client, &json!({"grant": id.to_string(), "consent_epoch": reply.consent_epoch})))
}

/// Takes consent back.
pub async fn withdraw(client: &Client, grant: String) -> Result<Outcome, Invalid> {
    let request = within(CALL_TIMEOUT, wire::WithdrawGrantRequest { grant: grant.clone() });
    let reply = connect(client).await?.withdraw_grant(request).await.map_err(failed)?.into_inner();
    Ok(done(client, &json!({"withdrawn": grant, "consent_epoch": reply.consent_epoch})))
}

/// Lists consents, every page.
pub async fn grants(client: &Client) -> Result<Outcome, Invalid> {
    let mut desk = connect(client).await?;
    let (mut grants, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = wire::ListGrantsRequest { page_size: PAGE_SIZE_MAX, page_token };
        let page =
            desk.list_grants(within(CALL_TIMEOUT, request)).await.map_err(failed)?.into_inner();
        grants.extend(page.grants);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let day =
        |seconds| Timestamp::from_s("grant", seconds).map_or(String::new(), |at| at.to_string());
    let row = |entry: wire::GrantEntry| {
        let terms = entry.grant.unwrap_or_default();
        json!({
            "grant": terms.grant,
            "indicator": terms.indicator,
            "crime_areas": if terms.crime_areas.is_empty() { "all".to_owned() } else { terms.crime_areas.join(" ") },
            "periods": format!("{}..{}", terms.first_period, terms.last_period),
            "purpose": terms.purpose,
            "audience": terms.audience,
            "from": day(terms.from_s),
            "until": day(terms.until_s),
            "withdrawn": entry.withdrawn,
        })
    };
    Ok(done(client, &Value::Array(grants.into_iter().map(row).collect())))
}

/// What the node holds.
pub async fn status(client: &Client) -> Result<Outcome, Invalid> {
    let request = within(CALL_TIMEOUT, wire::GetStatusRequest {});
    let reply = connect(client).await?.get_status(request).await.map_err(failed)?.into_inner();
    let data = json!({
        "node": reply.node,
        "jurisdiction": reply.jurisdiction,
        "observations": reply.observations,
        "imports": reply.imports,
        "grants_in_force": reply.grants_in_force,
        "answers_released": reply.answers_released,
        "consent_epoch": reply.consent_epoch,
        "journal_size": reply.journal_size,
        "journal_root": hex(&reply.journal_root),
        "editions": editions(&reply.editions),
        "imports_sha256": reply.imports_sha256.iter().map(|digest| hex(digest)).collect::<Vec<_>>(),
    });
    Ok(done(client, &data))
}

fn editions(editions: &[exchange::EditionRef]) -> Vec<Value> {
    let entry = |edition: &exchange::EditionRef| json!({"period": edition.period, "edition": edition.edition, "number": edition.number});
    editions.iter().map(entry).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn done(client: &Client, data: &Value) -> Outcome {
    Outcome { data: print(client.format, data), remarks: Vec::new(), partial: false }
}

/// A list of objects becomes a table with a column for each key, one object a list of its keys.
fn print(format: Format, data: &Value) -> String {
    if format == Format::Json {
        return data.to_string();
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(compact).collect::<Vec<_>>().join("\n"),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    };
    match data {
        Value::Array(rows) => {
            let columns: Vec<_> = rows
                .first()
                .and_then(Value::as_object)
                .into_iter()
                .flat_map(|row| row.keys())
                .collect();
            table.set_header(columns.iter().map(|column| column.to_uppercase()));
            for row in rows {
                table.add_row(columns.iter().map(|column| text(&row[column.as_str()])));
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                table.add_row([name.clone(), text(value)]);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return text(data),
    }
    table.to_string()
}

/// One entry of a list in one line.
fn compact(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields = fields
                .values()
                .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            fields.collect::<Vec<_>>().join("  ")
        }
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => value.to_string(),
    }
}
