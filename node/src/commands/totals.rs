//! Own totals and editions from the command line.

use accord_proto::{
    client::within,
    limits::{CALL_TIMEOUT, LONG_CALL_TIMEOUT},
    reason::Invalid,
    wire::desk as wire,
};
use serde_json::{Value, json};

use super::{connect, done, editions, failed};
use crate::cli::{
    Client, Outcome,
    import::{Edition, Totals},
};

/// `accord-node totals …`
pub(crate) async fn list(totals: Totals) -> Result<Outcome, Invalid> {
    let Totals { indicator, first_period, last_period, level, audience, contradictions, client } =
        totals;
    if contradictions {
        return list_contradictions(&client).await;
    }
    let request = wire::ListTotalsRequest {
        indicator,
        first_period,
        last_period,
        region_level: level,
        audience,
    };
    let narrowed = narrowed(&request);
    let mut desk = connect(&client).await?;
    let request = within(LONG_CALL_TIMEOUT, request);
    let mut stream = desk.list_totals(request).await.map_err(failed)?.into_inner();
    let mut rows = Vec::new();
    while let Some(total) = stream.message().await.map_err(failed)? {
        rows.push(row(&total));
    }
    let empty = rows.is_empty();
    let mut outcome = done(&client, &Value::Array(rows));
    if empty {
        outcome.remarks.push(match narrowed.join(", ").as_str() {
            "" => "no totals: nothing is held".to_owned(),
            narrowed => format!("no such totals; to see what is held, leave out {narrowed}"),
        });
    }
    Ok(outcome)
}

/// By which options less is shown than is held.
fn narrowed(request: &wire::ListTotalsRequest) -> Vec<&'static str> {
    let options = [
        ("--indicator", !request.indicator.is_empty()),
        ("--first-period", !request.first_period.is_empty()),
        ("--level", request.region_level.is_some()),
        ("--audience", !request.audience.is_empty()),
    ];
    options.into_iter().filter(|(_, given)| *given).map(|(name, _)| name).collect()
}

async fn list_contradictions(client: &Client) -> Result<Outcome, Invalid> {
    let mut desk = connect(client).await?;
    let request = within(LONG_CALL_TIMEOUT, wire::ListContradictionsRequest {});
    let mut stream = desk.list_contradictions(request).await.map_err(failed)?.into_inner();
    let mut rows = Vec::new();
    while let Some(wire::Contradiction { part, whole }) = stream.message().await.map_err(failed)? {
        let (part, whole) = (part.unwrap_or_default(), whole.unwrap_or_default());
        let place = |total: &wire::Total| {
            let categories = total.categories.join(" ");
            let place = format!("{} {} {categories}", total.crime_area, total.region);
            place.trim_end().to_owned()
        };
        rows.push(json!({
            "indicator": part.indicator,
            "period": part.period,
            "part": place(&part),
            "value": part.value,
            "whole": place(&whole),
            "whole_value": whole.value,
        }));
    }
    Ok(done(client, &Value::Array(rows)))
}

fn row(total: &wire::Total) -> Value {
    json!({
        "indicator": total.indicator,
        "crime_area": total.crime_area,
        "region": total.region,
        "period": total.period,
        "categories": total.categories.join(" "),
        "status": total.status,
        "value": total.value,
        "high": total.high,
        "records": total.records,
        "units": total.units,
        "sources": total.sources,
        "largest": total.largest,
        "second": total.second,
        "quality": total.quality,
    })
}

/// `accord-node edition …`
pub(crate) async fn edition(edition: Edition) -> Result<Outcome, Invalid> {
    match edition {
        Edition::List { client } => {
            let request = within(CALL_TIMEOUT, wire::GetStatusRequest {});
            let status = connect(&client).await?.get_status(request).await.map_err(failed)?;
            Ok(done(&client, &Value::Array(editions(&status.into_inner().editions))))
        }
        Edition::Diff { period, from, to, audience, client } => {
            let request = wire::DiffEditionsRequest { period, from, to, audience };
            let mut desk = connect(&client).await?;
            let request = within(LONG_CALL_TIMEOUT, request);
            let mut stream = desk.diff_editions(request).await.map_err(failed)?.into_inner();
            let mut rows = Vec::new();
            while let Some(change) = stream.message().await.map_err(failed)? {
                rows.push(changed(&change));
            }
            Ok(done(&client, &Value::Array(rows)))
        }
    }
}

fn changed(change: &wire::CellChange) -> Value {
    let cell = change.after.as_ref().or(change.before.as_ref());
    let mut shown = cell.map_or(json!({}), |cell| {
        json!({
            "indicator": cell.indicator,
            "crime_area": cell.crime_area,
            "region": cell.region,
            "categories": cell.categories.join(" "),
        })
    });
    let figure = |total: &Option<wire::Total>| match total {
        None => Value::Null,
        Some(total) if total.status == "value" => total.value.clone().into(),
        Some(total) if total.status == "between" => {
            format!("{}–{}", total.value, total.high).into()
        }
        Some(total) => total.status.clone().into(),
    };
    shown["change"] = change.change.clone().into();
    shown["before"] = figure(&change.before);
    shown["after"] = figure(&change.after);
    shown
}
