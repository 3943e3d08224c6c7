//! The inbox on the wire, for the node's own staff.

use accord_proto::{
    clock::Timestamp,
    question::SignedRequirement,
    reason::Invalid,
    strict,
    table::{Cell, Mode},
    taxonomy::{Lists, decimal},
    wire::{Requirement, desk as wire},
};

use crate::{
    desk::inbox::Previewed,
    inbox::{Decline, Event, Glass, Item, Step},
    preview::{Cost, PreviewCell, Why},
    record::Observed,
};

/// Where a requirement stands.
pub(super) fn entry(item: &Item, now: Timestamp) -> wire::InboxEntry {
    let (asked, state) = (item.asked(), item.state(now));
    wire::InboxEntry {
        requirement: asked.id.to_string(),
        authority: asked.authority.to_string(),
        purpose: asked.purpose.to_string(),
        audience: asked.audience.to_string(),
        received_at_s: item.received_at().as_s(),
        closes_at_s: asked.closes_at.as_s(),
        state: state.name().to_owned(),
        reason: state.reason().to_owned(),
        deadline_s: item.deadline(now).map_or(0, Timestamp::as_s),
        latency_s: item.latency_s(),
        terms: item.terms().to_string(),
        digest: state.digest().map_or_else(Vec::new, |digest| digest.0.to_vec()),
        single_handed: item.single_handed(),
    }
}

/// Who may act alone.
pub(super) fn glass(glass: &Glass) -> wire::GlassEntry {
    wire::GlassEntry {
        by: glass.by.to_string(),
        at_s: glass.at.as_s(),
        until_s: glass.until().as_s(),
        why: glass.why.clone(),
    }
}

/// What is asked and what was done.
pub(super) fn item(
    item: &Item,
    asked: Result<SignedRequirement, Invalid>,
    entry: wire::InboxEntry,
) -> Result<wire::GetInboxItemResponse, Invalid> {
    let mut reply = wire::GetInboxItemResponse {
        entry: Some(entry),
        events: item.events().iter().map(event).collect(),
        ..wire::GetInboxItemResponse::default()
    };
    match asked {
        Ok(asked) => {
            let payload = &asked.envelope().payload;
            let signed: Requirement = strict::decode_signed("requirement", payload)?;
            reply.why = signed.why;
            reply.legal_basis = signed.legal_basis;
            reply.minimum_contributors = signed.minimum_contributors;
            reply.blocks = signed.question.unwrap_or_default().blocks;
        }
        Err(error) => reply.unreadable = error.to_string(),
    }
    Ok(reply)
}

fn event(event: &Event) -> wire::InboxEvent {
    let Event { at, by, step, why, single_handed } = event;
    let detail = match step {
        Step::Await | Step::Answer | Step::Withdraw => String::new(),
        Step::Accept(terms) => terms.to_string(),
        Step::Defer(until) => until.to_string(),
        Step::Decline(Decline { code, tell }) => {
            let told = if *tell { "told" } else { "not told" };
            code.map_or_else(|| told.to_owned(), |code| format!("{}, {told}", code.name()))
        }
        Step::Propose(digest) | Step::Release(digest) => digest.to_string(),
    };
    wire::InboxEvent {
        at_s: at.as_s(),
        by: by.to_string(),
        step: step.name().to_owned(),
        why: why.clone(),
        detail,
        single_handed: *single_handed,
    }
}

/// What would leave.
pub(super) fn preview(
    previewed: &Previewed,
    entry: wire::InboxEntry,
    lists: &Lists,
) -> wire::PreviewItemResponse {
    let Previewed { preview, table, before, .. } = previewed;
    let blocks = (1..).zip(&preview.blocks);
    let cells = blocks.flat_map(|(block, cells)| {
        cells.iter().map(move |found| {
            let at = &found.cell;
            let coordinates = (at.crime_area, at.region, at.period, at.categories);
            let before = before.get(&(at.indicator, coordinates)).copied();
            cell(block, found, before, lists)
        })
    });
    wire::PreviewItemResponse {
        entry: Some(entry),
        digest: table.map_or_else(Vec::new, |(digest, _)| digest.0.to_vec()),
        bytes: table.map_or(0, |(_, bytes)| bytes as u64),
        cells: cells.collect(),
        costs: preview.costs.iter().map(cost).collect(),
    }
}

fn cell(block: u32, found: &PreviewCell, before: Option<Cell>, lists: &Lists) -> wire::PreviewCell {
    let PreviewCell { cell, inside, leaves, why, inferred } = found;
    let decimals = lists.indicator_of(cell.indicator).map_or(0, |indicator| indicator.decimals);
    let number = |value: i64| decimal(value, decimals);
    let outside = |cell: Cell| match cell {
        Cell::Value(value) => number(value),
        Cell::Between(least, most) => format!("{}..{}", number(least), number(most)),
        Cell::NotShown => "not_shown".to_owned(),
        Cell::NotApplicable => "not_applicable".to_owned(),
        Cell::Missing => "missing".to_owned(),
    };
    let held = |observed: Observed| match observed {
        Observed::Value(value) => number(value),
        Observed::Between(low, high) => format!("{}–{}", number(low), number(high)),
        Observed::Missing => "missing".to_owned(),
        Observed::NotCollected => "not_collected".to_owned(),
        Observed::NotApplicable => "not_applicable".to_owned(),
    };
    wire::PreviewCell {
        block,
        indicator: cell.indicator.to_string(),
        crime_area: cell.crime_area.to_string(),
        region: cell.region.to_string(),
        period: cell.period.to_string(),
        categories: lists.write_categories(cell.indicator, &cell.categories),
        inside: inside.map_or(String::new(), |inside| held(inside.observed)),
        leaves: outside(*leaves),
        why: why.map_or(String::new(), name),
        low: inferred.map_or(String::new(), |interval| number(interval.low)),
        high: inferred.map_or(String::new(), |interval| number(interval.high)),
        before: before.map_or(String::new(), outside),
    }
}

/// Why a cell is not shown, in words; for the node's own eyes.
fn name(why: Why) -> String {
    let mode = |mode: Mode| format!("{mode:?}").to_lowercase();
    match why {
        Why::NotConsented => "no grant covers it".to_owned(),
        Why::LeftOut => "left out by the decision".to_owned(),
        Why::Mode(closed) => format!("mode {}", mode(closed)),
        Why::NoEdition => "never frozen".to_owned(),
        Why::HandlingChanged => "handling has changed since; freeze again".to_owned(),
        Why::FrozenAs(other) => format!("frozen in mode {}; freeze again", mode(other)),
        Why::NotInTheLattice => "the tier has no such level".to_owned(),
        Why::NotDrawn => "no draw is left, or the tier was not offered".to_owned(),
        Why::Exhausted => "the budget has no room".to_owned(),
        Why::NothingHeld => "nothing is held".to_owned(),
        Why::Partial => "some records may not count".to_owned(),
        Why::Floor(rule) => rule.to_string(),
        Why::BelowThreshold => "below the threshold".to_owned(),
        Why::Unconfirmed => "refused until confirm-restore".to_owned(),
    }
}

fn cost(cost: &Cost) -> wire::PreviewCost {
    wire::PreviewCost {
        indicator: cost.indicator.to_string(),
        period: cost.period.to_string(),
        tier: cost.tier.to_string(),
        nano_rho: cost.nano_rho,
        epsilon: cost.epsilon,
        left: cost.left.get(cost.tier.at()).copied().unwrap_or(0),
    }
}
