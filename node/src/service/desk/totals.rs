//! Own totals on the wire, cell by cell: a stream, because a node holds more cells than fit in a message.

use std::sync::Arc;

use accord_proto::{
    limits::{TOTALS_PERIODS_MAX, TOTALS_WAITING_MAX},
    reason::{Invalid, Reason},
    taxonomy::{Lists, Period, decimal},
    transport::{
        Peer,
        outgoing::{Outgoing, stream},
    },
    wire::desk as wire,
};
use tokio::sync::OwnedSemaphorePermit;

use crate::{
    answer::Node,
    cube::Aggregate,
    desk::totals::{self, Wanted},
    freeze::Change,
    record::{CellKey, Observed, Quality},
};

/// Checks what is wanted.
pub(super) fn wanted(node: &Node, request: wire::ListTotalsRequest) -> Result<Wanted, Invalid> {
    let wire::ListTotalsRequest { indicator, first_period, last_period, region_level, audience } =
        request;
    let lists = node.lists;
    let indicator = match indicator.as_str() {
        "" => None,
        code => Some(lists.indicator("indicator", code)?.code),
    };
    let audience = match audience.as_str() {
        "" => None,
        code => Some(lists.audience("audience", code)?),
    };
    let periods = match first_period.as_str() {
        "" => Vec::new(),
        first => {
            let first = Period::parse("first_period", first)?;
            let last = match last_period.as_str() {
                "" => first,
                last => Period::parse("last_period", last)?,
            };
            Period::range(first, last, TOTALS_PERIODS_MAX).ok_or_else(|| {
                let detail = format!("must follow {first}, be of the same length, and at most {TOTALS_PERIODS_MAX} periods on");
                Invalid::new(Reason::PeriodInvalid, "last_period", detail)
            })?
        }
    };
    Ok(Wanted { indicator, periods, region_level, audience })
}

/// Streams own totals, a period at a time; `place` is one of those that may look at the same time.
pub(super) async fn list(
    node: Arc<Node>,
    peer: &Peer,
    wanted: Wanted,
    place: OwnedSemaphorePermit,
) -> Result<Outgoing<wire::Total>, Invalid> {
    let periods = totals::look_at(&node, peer, &wanted).await?;
    let (cells, outgoing) = stream(TOTALS_WAITING_MAX);
    tokio::spawn(async move {
        let _place = place;
        for period in periods {
            let of_period = accord_proto::busy::here(|| totals::of_period(&node, &wanted, period));
            for (cell, aggregate) in of_period {
                let message = total(&cell, &aggregate, node.lists);
                // Whoever has stopped listening gets nothing more.
                if cells.give(Ok(message)).await.is_err() {
                    return;
                }
            }
        }
        drop(cells.end().await);
    });
    Ok(outgoing)
}

/// Streams what changed between two editions.
pub(super) async fn changes(
    node: &Node,
    peer: &Peer,
    request: &wire::DiffEditionsRequest,
) -> Result<Outgoing<wire::CellChange>, Invalid> {
    let period = Period::parse("period", &request.period)?;
    let audience = node.lists.audience("audience", &request.audience)?;
    let numbers = (request.from, request.to);
    let changes = totals::changes(node, peer, period, numbers, audience).await?;
    let lists = node.lists;
    Ok(streamed(changes, move |(cell, change, before, after)| wire::CellChange {
        change: name_of(change).to_owned(),
        before: before.map(|aggregate| total(&cell, &aggregate, lists)),
        after: after.map(|aggregate| total(&cell, &aggregate, lists)),
    }))
}

/// Streams parts that are more than their whole.
pub(super) async fn contradictions(
    node: &Node,
    peer: &Peer,
) -> Result<Outgoing<wire::Contradiction>, Invalid> {
    let found = totals::contradictions(node, peer).await?;
    let lists = node.lists;
    Ok(streamed(found, move |(part, whole)| wire::Contradiction {
        part: Some(total(&part.0, &part.1, lists)),
        whole: Some(total(&whole.0, &whole.1, lists)),
    }))
}

/// A list as a stream, as fast as the reader takes it.
pub(super) fn streamed<T: Send + 'static, M: Send + 'static>(
    list: Vec<T>,
    message: impl Fn(T) -> M + Send + 'static,
) -> Outgoing<M> {
    let (cells, outgoing) = stream(TOTALS_WAITING_MAX);
    tokio::spawn(async move {
        for entry in list {
            // Whoever has stopped listening gets nothing more.
            if cells.give(Ok(message(entry))).await.is_err() {
                return;
            }
        }
        drop(cells.end().await);
    });
    outgoing
}

fn name_of(change: Change) -> &'static str {
    match change {
        Change::Added => "added",
        Change::Removed => "removed",
        Change::Altered => "altered",
    }
}

fn total(cell: &CellKey, aggregate: &Aggregate, lists: &Lists) -> wire::Total {
    let indicator = lists.indicator_of(cell.indicator);
    let decimals = indicator.map_or(0, |indicator| indicator.decimals);
    let number = |value: i64| decimal(value, decimals);
    let (status, value, high) = match aggregate.observed {
        Observed::Value(value) => ("value", number(value), String::new()),
        Observed::Between(low, high) => ("between", number(low), number(high)),
        Observed::Missing => ("missing", String::new(), String::new()),
        Observed::NotCollected => ("not_collected", String::new(), String::new()),
        Observed::NotApplicable => ("not_applicable", String::new(), String::new()),
    };
    wire::Total {
        indicator: cell.indicator.to_string(),
        crime_area: cell.crime_area.to_string(),
        region: cell.region.to_string(),
        period: cell.period.to_string(),
        categories: categories(cell, lists),
        status: status.to_owned(),
        value,
        high,
        records: aggregate.records,
        units: aggregate.units,
        sources: aggregate.sources,
        largest: aggregate.largest.map_or(String::new(), |largest| number(largest[0])),
        second: aggregate.largest.map_or(String::new(), |largest| number(largest[1])),
        quality: quality(aggregate.quality).to_owned(),
    }
}

/// What a cell is broken down by, like SEX=F.
pub(super) fn categories(cell: &CellKey, lists: &Lists) -> Vec<String> {
    let indicator = lists.indicator_of(cell.indicator);
    let dimensions = indicator.map(|indicator| indicator.dimensions.as_slice());
    let categories = dimensions.unwrap_or_default().iter().zip(&cell.categories);
    let categories = categories.filter_map(|(dimension, category)| {
        category.map(|category| format!("{dimension}={category}"))
    });
    categories.collect()
}

fn quality(quality: Quality) -> &'static str {
    match quality {
        Quality::Normal => "normal",
        Quality::Estimated => "estimated",
        Quality::Provisional => "provisional",
        Quality::Break => "break",
        Quality::LowReliability => "low_reliability",
    }
}
