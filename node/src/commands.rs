//! Desk calls from the command line: parse, call, print.

use accord_proto::{
    client::{ClientFile, within},
    limits::{CALL_TIMEOUT, LONG_CALL_TIMEOUT, REPLY_BYTES_MAX},
    operate::maintenance::Announced,
    own_lists,
    reason::Invalid,
    status::from_status,
    transport::channel::Channel,
    wire::{self as exchange, desk as wire},
};
use serde_json::{Value, json};
use tonic::Status;

use crate::cli::{Client, Format, Outcome};
use print::print;

pub(crate) mod budget;
pub(crate) mod bulletins;
pub(crate) mod grants;
pub(crate) mod imports;
pub(crate) mod inbox;
pub(crate) mod keeping;
pub(crate) mod leave;
pub(crate) mod print;
mod progress;
pub(crate) mod pictures;
pub(crate) mod proof;
pub(crate) mod totals;
pub(crate) mod whatif;
pub(crate) mod summaries;
pub(crate) mod threat;
pub(crate) mod chart;

type DeskClient = wire::desk_client::DeskClient<Channel>;

async fn connect(client: &Client) -> Result<DeskClient, Invalid> {
    let channel = ClientFile::connect(&client.client).await?;
    Ok(DeskClient::new(channel).max_decoding_message_size(REPLY_BYTES_MAX))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn failed(status: Status) -> Invalid {
    from_status(&status)
}

/// Reads own code lists the way a node does at its start.
pub fn check_lists(folder: &std::path::Path) -> Result<Outcome, Invalid> {
    let lists = own_lists::load(Some(folder))?;
    let indicators = lists.indicators().count();
    let data = format!(
        "well-formed; with the contract's own {indicators} indicators; lists {}",
        lists.name()
    );
    Ok(Outcome { data, ..Outcome::default() })
}

/// Freezes periods.
pub async fn freeze(
    client: &Client,
    first_period: String,
    last_period: String,
) -> Result<Outcome, Invalid> {
    let request = within(LONG_CALL_TIMEOUT, wire::FreezeRequest { first_period, last_period });
    let reply = connect(client).await?.freeze(request).await.map_err(failed)?.into_inner();
    let mut outcome = done(client, &json!({"editions": editions(&reply.editions)}));
    if !reply.skipped.is_empty() {
        let skipped = reply.skipped.join(", ");
        outcome.remarks.push(format!("skipped, nothing to freeze: {skipped}"));
    }
    Ok(outcome)
}

/// What the node holds.
pub async fn status(client: &Client) -> Result<Outcome, Invalid> {
    let request = within(CALL_TIMEOUT, wire::GetStatusRequest {});
    let reply = connect(client).await?.get_status(request).await.map_err(failed)?.into_inner();
    let mut data = json!({
        "node": reply.node,
        "jurisdiction": reply.jurisdiction,
        "observations": reply.observations,
        "imports": reply.imports,
        "grants_in_force": reply.grants_in_force,
        "answers_released": reply.answers_released,
        "consent_epoch": reply.consent_epoch,
        "store_bytes": reply.store_bytes,
        "in_doubt": reply.in_doubt,
        "inbox_open": reply.inbox_open,
        "decision_median_s": reply.decision_median_s,
        "endings": reply.endings.iter().map(ending).collect::<Vec<_>>(),
        "coordinators": coordinators(client.format, reply.coordinators),
        "journal_size": reply.journal_size,
        "journal_root": hex(&reply.journal_root),
        "editions": editions(&reply.editions),
        "imports_sha256": reply.imports_sha256.iter().map(|digest| hex(digest)).collect::<Vec<_>>(),
    });
    if let (Format::Table, Value::Object(data)) = (client.format, &mut data) {
        // How many there are stands above; the digests are for programs.
        data.shift_remove("imports_sha256");
    }
    let announced = Announced::look(&client.client).await?;
    data["maintenance_until"] = announced.until.as_str().into();
    data["not_taken_in"] = announced.untaken.clone().into();
    let mut outcome = done(client, &data);
    outcome.remarks.extend(announced.remarks());
    if reply.break_glass_until_s != 0 {
        let until = inbox::time(reply.break_glass_until_s);
        outcome
            .remarks
            .push(format!("BREAK-GLASS: one person may decide and release until {until}"));
    }
    if reply.in_doubt {
        outcome.remarks.push(crate::answer::FORGOTTEN.to_owned());
    }
    Ok(outcome)
}

fn ending(wire::Ending { what, ends_at_s }: &wire::Ending) -> Value {
    json!({"what": what, "ends": inbox::time(*ends_at_s)})
}

/// What was heard of each, and how far its clock is off.
fn coordinators(format: Format, coordinators: Vec<wire::Heard>) -> Vec<Value> {
    let entry = |wire::Heard { name, protocol, clock_offset_ms }| match format {
        Format::Json | Format::Jsonl => {
            json!({"name": name, "protocol": protocol, "clock_offset_ms": clock_offset_ms})
        }
        Format::Table | Format::Csv => {
            let clock = accord_proto::print::clock(clock_offset_ms);
            json!({"name": name, "protocol": format!("protocol {protocol}"), "clock": clock})
        }
    };
    coordinators.into_iter().map(entry).collect()
}

fn editions(editions: &[exchange::EditionRef]) -> Vec<Value> {
    let entry = |edition: &exchange::EditionRef| json!({"period": edition.period, "edition": edition.edition, "number": edition.number});
    editions.iter().map(entry).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn done(client: &Client, data: &Value) -> Outcome {
    Outcome { data: print(client.format, data), ..Outcome::default() }
}
