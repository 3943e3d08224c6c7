//! The inbox from the command line.

use accord_proto::{
    client::{ClientFile, within},
    clock::Timestamp,
    limits::{CALL_TIMEOUT, LONG_CALL_TIMEOUT, PAGE_SIZE_MAX, REPLY_BYTES_MAX},
    reason::{Invalid, Reason},
    transport::channel::Channel,
    wire::desk as wire,
};
use serde_json::{Value, json};

use super::{done, failed, hex};
use crate::{
    cli::{
        Client, Outcome,
        inbox::{BreakGlass, Command, Decide},
    },
    policy::rho,
};

type InboxClient = wire::inbox_client::InboxClient<Channel>;

pub(super) async fn connect(client: &Client) -> Result<InboxClient, Invalid> {
    let channel = ClientFile::connect(&client.client).await?;
    Ok(InboxClient::new(channel).max_decoding_message_size(REPLY_BYTES_MAX))
}

/// `accord-node inbox …`
pub(crate) async fn run(command: Command) -> Result<Outcome, Invalid> {
    match command {
        Command::List { open, client } => list(&client, open).await,
        Command::Show { requirement, client } => show(&client, requirement).await,
        Command::Decide(decide) => decided(*decide).await,
        Command::Preview { requirement, client } => preview(&client, requirement).await,
        Command::Propose { requirement, digest, why, client } => {
            let request = wire::ProposeItemRequest { requirement, digest: unhex(&digest)?, why };
            let request = within(LONG_CALL_TIMEOUT, request);
            let reply = connect(&client).await?.propose_item(request).await.map_err(failed)?;
            Ok(done(&client, &row(&reply.into_inner().entry.unwrap_or_default())))
        }
        Command::Release { requirement, digest, why, client } => {
            let request = wire::ReleaseItemRequest { requirement, digest: unhex(&digest)?, why };
            let request = within(LONG_CALL_TIMEOUT, request);
            let reply = connect(&client).await?.release_item(request).await.map_err(failed)?;
            Ok(done(&client, &row(&reply.into_inner().entry.unwrap_or_default())))
        }
    }
}

/// `accord-node break-glass --why TEXT`
pub(crate) async fn break_glass(wanted: BreakGlass) -> Result<Outcome, Invalid> {
    let BreakGlass { why, client } = wanted;
    let request = within(CALL_TIMEOUT, wire::BreakGlassRequest { why });
    let reply = connect(&client).await?.break_glass(request).await.map_err(failed)?.into_inner();
    let glass = reply.glass.unwrap_or_default();
    let mut outcome =
        done(&client, &json!({"by": glass.by, "until": time(glass.until_s), "why": glass.why}));
    outcome.remarks.push(loudly(&glass));
    Ok(outcome)
}

/// Every page, and who may act alone.
async fn list(client: &Client, open_only: bool) -> Result<Outcome, Invalid> {
    let mut inbox = connect(client).await?;
    let (mut rows, mut page_token) = (Vec::new(), String::new());
    let glass = loop {
        let request = wire::ListInboxRequest { page_size: PAGE_SIZE_MAX, page_token, open_only };
        let request = within(CALL_TIMEOUT, request);
        let page = inbox.list_inbox(request).await.map_err(failed)?.into_inner();
        rows.extend(page.entries.iter().map(row));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break page.glass;
        }
    };
    let mut outcome = done(client, &Value::Array(rows));
    outcome.remarks.extend(glass.iter().map(loudly));
    Ok(outcome)
}

/// Nobody who looks at the inbox or the status can miss it.
pub(super) fn loudly(glass: &wire::GlassEntry) -> String {
    format!(
        "BREAK-GLASS: {} may decide and release alone until {}: {}",
        glass.by,
        time(glass.until_s),
        glass.why
    )
}

async fn show(client: &Client, requirement: String) -> Result<Outcome, Invalid> {
    let request = within(CALL_TIMEOUT, wire::GetInboxItemRequest { requirement });
    let reply = connect(client).await?.get_inbox_item(request).await.map_err(failed)?.into_inner();
    let mut data = row(&reply.entry.unwrap_or_default());
    let block = |(number, block): (u32, &accord_proto::wire::Block)| {
        json!({
            "block": number,
            "indicator": block.indicator,
            "region_level": block.region_level,
            "crime_areas": block.crime_areas.join(" "),
            "periods": block.periods.join(" "),
            "categories": block.categories.join(" "),
        })
    };
    let event = |event: &wire::InboxEvent| {
        json!({
            "at": time(event.at_s),
            "by": event.by,
            "step": event.step,
            "detail": event.detail,
            "why": event.why,
            "single_handed": event.single_handed,
        })
    };
    if let Value::Object(data) = &mut data {
        data.insert("why".to_owned(), json!(reply.why));
        data.insert("legal_basis".to_owned(), json!(reply.legal_basis));
        data.insert("minimum_contributors".to_owned(), json!(reply.minimum_contributors));
        let blocks: Vec<_> = (1..).zip(&reply.blocks).map(block).collect();
        data.insert("blocks".to_owned(), Value::Array(blocks));
        let events = reply.events.iter().map(event).collect();
        data.insert("events".to_owned(), Value::Array(events));
    }
    let mut outcome = done(client, &data);
    if !reply.unreadable.is_empty() {
        outcome.remarks.push(format!("cannot be answered any more: {}", reply.unreadable));
    }
    Ok(outcome)
}

async fn decided(decide: Decide) -> Result<Outcome, Invalid> {
    use wire::decide_item_request::Decision;
    let Decide { requirement, why, client, .. } = decide;
    let decision = if let Some(day) = decide.later {
        let until_s = Timestamp::parse("--later", &day)?.as_s();
        Decision::Defer(wire::DeferItem { until_s })
    } else if decide.decline {
        Decision::Decline(wire::DeclineItem { code: decide.code, tell: decide.tell })
    } else if decide.withdrawn {
        Decision::Withdraw(wire::WithdrawItem {})
    } else {
        Decision::Accept(wire::AcceptItem {
            leave_out: decide.leave_out,
            whole_only: decide.whole_only,
            totals_only: decide.totals_only,
        })
    };
    let request = wire::DecideItemRequest { requirement, why, decision: Some(decision) };
    let request = within(CALL_TIMEOUT, request);
    let reply = connect(&client).await?.decide_item(request).await.map_err(failed)?.into_inner();
    Ok(done(&client, &row(&reply.entry.unwrap_or_default())))
}

async fn preview(client: &Client, requirement: String) -> Result<Outcome, Invalid> {
    let request = within(LONG_CALL_TIMEOUT, wire::PreviewItemRequest { requirement });
    let reply = connect(client).await?.preview_item(request).await.map_err(failed)?.into_inner();
    let cells: Vec<_> = reply.cells.iter().map(cell).collect();
    let costs: Vec<_> = reply.costs.iter().map(cost).collect();
    let shown = reply.cells.iter().filter(|cell| cell.why.is_empty()).count();
    let digest = hex(&reply.digest);
    let mut outcome = match client.format {
        crate::cli::Format::Json => done(
            client,
            &json!({"digest": digest, "bytes": reply.bytes, "cells": cells, "costs": costs}),
        ),
        crate::cli::Format::Table | crate::cli::Format::Jsonl | crate::cli::Format::Csv => {
            done(client, &Value::Array(cells))
        }
    };
    for cost in &reply.costs {
        outcome.remarks.push(format!(
            "costs {} {} tier {}: {} rho, epsilon {:.2}; {} left",
            cost.indicator,
            cost.period,
            cost.tier,
            rho(cost.nano_rho),
            cost.epsilon,
            rho(cost.left)
        ));
    }
    outcome.remarks.push(format!("{shown} of {} cells would be shown", reply.cells.len()));
    outcome.remarks.push(if reply.digest.is_empty() {
        "it would be refused: run accord-node confirm-restore first".to_owned()
    } else {
        format!("digest {digest}, {} bytes; nothing has left", reply.bytes)
    });
    Ok(outcome)
}

fn cell(cell: &wire::PreviewCell) -> Value {
    let can_tell = match (cell.low.as_str(), cell.high.as_str()) {
        ("", _) => String::new(),
        (low, high) => format!("{low}–{high}"),
    };
    // What a reader who keeps the earlier answer sees.
    let change = match (cell.before.as_str(), cell.leaves.as_str()) {
        ("", _) => "first",
        (before, leaves) if before == leaves => "same",
        _ => "differs",
    };
    json!({
        "block": cell.block,
        "indicator": cell.indicator,
        "crime_area": cell.crime_area,
        "region": cell.region,
        "period": cell.period,
        "categories": cell.categories,
        "inside": cell.inside,
        "leaves": cell.leaves,
        "why": cell.why,
        "readers_can_tell": can_tell,
        "before": cell.before,
        "change": change,
    })
}

fn cost(cost: &wire::PreviewCost) -> Value {
    json!({
        "indicator": cost.indicator,
        "period": cost.period,
        "tier": cost.tier,
        "costs": rho(cost.nano_rho),
        "epsilon": cost.epsilon,
        "left": rho(cost.left),
    })
}

fn row(entry: &wire::InboxEntry) -> Value {
    json!({
        "requirement": entry.requirement,
        "state": entry.state,
        "reason": entry.reason,
        "authority": entry.authority,
        "purpose": entry.purpose,
        "audience": entry.audience,
        "received": time(entry.received_at_s),
        "deadline": time(entry.deadline_s),
        "closes": time(entry.closes_at_s),
        "latency_s": entry.latency_s,
        "terms": entry.terms,
        "digest": hex(&entry.digest),
        "single_handed": entry.single_handed,
    })
}

pub(super) fn time(seconds: i64) -> String {
    match seconds {
        0 => String::new(),
        seconds => Timestamp::from_s("time", seconds).map_or(String::new(), |at| at.to_string()),
    }
}

/// Reads a digest as it is printed.
fn unhex(text: &str) -> Result<Vec<u8>, Invalid> {
    let pair = |at: usize| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let bytes: Option<Vec<u8>> = (0..text.len()).step_by(2).map(pair).collect();
    bytes.filter(|bytes| bytes.len() == 32).ok_or_else(|| {
        let detail = "is not a digest: 64 hexadecimal digits, as inbox preview prints it";
        Invalid::new(Reason::FieldInvalid, "--digest", detail)
    })
}
