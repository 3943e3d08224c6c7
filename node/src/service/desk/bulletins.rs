//! Bulletins on the wire, for the node's own staff.

use accord_proto::{
    reason::Invalid,
    suppress::Shown,
    taxonomy::{AudienceCode, Lists, decimal},
    transport::{Peer, outgoing::Outgoing},
    wire::desk as wire,
};

use super::totals::{categories, streamed};
use crate::{
    answer::Node,
    desk::bulletins::{self, Looked, Standing},
};

/// Streams where every bulletin stands.
pub(super) fn list(node: &Node) -> Outgoing<wire::BulletinEntry> {
    streamed(bulletins::list(node), entry)
}

/// Where one stands.
pub(super) fn entry(standing: Standing) -> wire::BulletinEntry {
    let Standing {
        indicator,
        period,
        edition,
        state,
        audiences,
        cells: (published, hidden),
        frozen_by,
        signature,
        why,
    } = standing;
    wire::BulletinEntry {
        indicator: indicator.to_string(),
        period: period.to_string(),
        edition,
        state: state.to_owned(),
        audiences: audiences.iter().map(AudienceCode::to_string).collect(),
        published: published as u64,
        hidden: hidden as u64,
        frozen_by: frozen_by.to_string(),
        signed_by: signature.as_ref().map_or(String::new(), |signed| signed.by.to_string()),
        signed_at_s: signature.as_ref().map_or(0, |signed| signed.at.as_s()),
        why,
    }
}

/// Streams the cells of one.
pub(super) async fn show(
    node: &Node,
    peer: &Peer,
    request: &wire::ShowBulletinRequest,
) -> Result<Outgoing<wire::BulletinCell>, Invalid> {
    let cells = bulletins::show(node, peer, &request.period, &request.indicator).await?;
    let lists = node.lists;
    Ok(streamed(cells, move |looked| cell(&looked, lists)))
}

fn cell(looked: &Looked, lists: &Lists) -> wire::BulletinCell {
    let Looked { key, value, shown, why, interval } = looked;
    let decimals = lists.indicator_of(key.indicator).map_or(0, |indicator| indicator.decimals);
    let number = |value: i64| decimal(value, decimals);
    let status = match shown {
        Some(Shown::Published) => "published",
        Some(Shown::Primary) => "unsafe",
        Some(Shown::Secondary) => "complementary",
        None => "hidden",
    };
    let (low, high) = match interval {
        None => (String::new(), String::new()),
        Some((low, high)) => (number(*low), high.map_or("any".to_owned(), number)),
    };
    wire::BulletinCell {
        crime_area: key.crime_area.to_string(),
        region: key.region.to_string(),
        categories: categories(key, lists),
        value: value.map_or(String::new(), number),
        status: status.to_owned(),
        why: why.map_or(String::new(), |why| why.to_string()),
        low,
        high,
    }
}
