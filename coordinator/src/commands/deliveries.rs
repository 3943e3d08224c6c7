//! Deliveries from the command line: parse, call, print.

use accord_proto::{
    client::within,
    limits::{CALL_TIMEOUT, LONG_CALL_TIMEOUT},
    reason::Invalid,
    wire::region as wire,
};
use serde_json::{Value, json};

use super::{connect, day, failed, print};
use crate::cli::{Client, Outcome};

/// Where a picture has arrived; exit code 3 if it has not everywhere.
pub(crate) async fn list(
    client: &Client,
    requirement: String,
    version: u32,
) -> Result<Outcome, Invalid> {
    let request = within(CALL_TIMEOUT, wire::ListDeliveriesRequest { requirement, version });
    let reply = connect(client).await?.list_deliveries(request).await.map_err(failed)?;
    let wire::ListDeliveriesResponse { version, deliveries } = reply.into_inner();
    Ok(listed(client, version, &deliveries))
}

/// Delivers the newest picture now to whoever waits for it.
pub(crate) async fn deliver(client: &Client, requirement: String) -> Result<Outcome, Invalid> {
    let request = within(LONG_CALL_TIMEOUT, wire::DeliverPictureRequest { requirement });
    let reply = connect(client).await?.deliver_picture(request).await.map_err(failed)?;
    let wire::DeliverPictureResponse { version, deliveries } = reply.into_inner();
    Ok(listed(client, version, &deliveries))
}

fn listed(client: &Client, version: u32, deliveries: &[wire::Delivery]) -> Outcome {
    let row = |delivery: &wire::Delivery| {
        json!({
            "node": delivery.node,
            "version": version,
            "state": name(delivery.state()),
            "reason": delivery.reason,
            "delivered_at": if delivery.delivered_at_s == 0 { String::new() } else { day(delivery.delivered_at_s) },
        })
    };
    let rows = Value::Array(deliveries.iter().map(row).collect());
    let there = |delivery: &wire::Delivery| delivery.state() == wire::DeliveryState::Delivered;
    Outcome {
        data: print::rows(client.format, &rows),
        partial: !deliveries.iter().all(there),
        ..Outcome::default()
    }
}

fn name(state: wire::DeliveryState) -> &'static str {
    match state {
        wire::DeliveryState::Waiting => "waiting",
        wire::DeliveryState::Delivered => "delivered",
        wire::DeliveryState::Outdated => "outdated",
        wire::DeliveryState::Over => "over",
        wire::DeliveryState::Unspecified => "unknown",
    }
}
