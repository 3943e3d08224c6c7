//! Bulletins from the command line.

use accord_proto::{
    client::within,
    clock::Timestamp,
    limits::{BULLETIN_INTERVALS_MAX, CALL_TIMEOUT, LONG_CALL_TIMEOUT},
    reason::Invalid,
    wire::desk as wire,
};
use serde_json::{Value, json};

use super::{connect, done, failed};
use crate::cli::{Outcome, bulletin::Command};

/// `accord-node bulletin …`
pub(crate) async fn run(command: Command) -> Result<Outcome, Invalid> {
    match command {
        Command::List { client } => {
            let mut desk = connect(&client).await?;
            let request = within(CALL_TIMEOUT, wire::ListBulletinsRequest {});
            let mut stream = desk.list_bulletins(request).await.map_err(failed)?.into_inner();
            let mut rows = Vec::new();
            while let Some(entry) = stream.message().await.map_err(failed)? {
                rows.push(row(&entry));
            }
            Ok(done(&client, &Value::Array(rows)))
        }
        Command::Show { period, indicator, client } => {
            let mut desk = connect(&client).await?;
            let request = wire::ShowBulletinRequest { period, indicator };
            let request = within(LONG_CALL_TIMEOUT, request);
            let mut stream = desk.show_bulletin(request).await.map_err(failed)?.into_inner();
            let (mut rows, mut hidden, mut left) = (Vec::new(), 0_usize, 0_usize);
            while let Some(found) = stream.message().await.map_err(failed)? {
                hidden += usize::from(found.status == "hidden");
                left += usize::from(found.status != "published" && found.low.is_empty());
                rows.push(cell(&found));
            }
            let mut outcome = done(&client, &Value::Array(rows));
            if hidden > 0 {
                let remark = "what is held has changed since it was frozen: what is hidden is not worked out";
                outcome.remarks.push(remark.to_owned());
            } else if left > 0 {
                outcome.remarks.push(format!(
                    "what readers can tell is worked out for {BULLETIN_INTERVALS_MAX} hidden cells at most; not for {left}"
                ));
            }
            Ok(outcome)
        }
        Command::Sign { period, indicator, edition, why, client } => {
            let mut desk = connect(&client).await?;
            let request = wire::SignBulletinRequest { period, indicator, edition, why };
            let request = within(CALL_TIMEOUT, request);
            let reply = desk.sign_bulletin(request).await.map_err(failed)?.into_inner();
            Ok(done(&client, &row(&reply.bulletin.unwrap_or_default())))
        }
    }
}

fn row(entry: &wire::BulletinEntry) -> Value {
    let signed_at = match entry.signed_at_s {
        0 => String::new(),
        at => Timestamp::from_s("signed_at_s", at).map_or(String::new(), |at| at.to_string()),
    };
    json!({
        "indicator": entry.indicator,
        "period": entry.period,
        "edition": entry.edition,
        "state": entry.state,
        "audiences": entry.audiences.join(" "),
        "published": entry.published,
        "hidden": entry.hidden,
        "frozen_by": entry.frozen_by,
        "signed_by": entry.signed_by,
        "signed_at": signed_at,
        "why": entry.why,
    })
}

fn cell(cell: &wire::BulletinCell) -> Value {
    let can_tell = match (cell.low.as_str(), cell.high.as_str()) {
        ("", _) => String::new(),
        (low, "any") => format!("{low} or more"),
        (low, high) => format!("{low}–{high}"),
    };
    json!({
        "crime_area": cell.crime_area,
        "region": cell.region,
        "categories": cell.categories.join(" "),
        "value": cell.value,
        "status": cell.status,
        "why": cell.why,
        "readers_can_tell": can_tell,
    })
}
