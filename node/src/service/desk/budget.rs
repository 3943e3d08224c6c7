//! The privacy budget, on the wire: pages of lines. Must never give a line twice, or none, to whoever follows the tokens.

use std::sync::PoisonError;

use accord_proto::{limits::PAGE_SIZE_MAX, reason::Invalid, wire::desk as wire};

use crate::{
    answer::Node,
    desk::budget::{Line, lines},
};

/// One page. Lines are ordered; the token is the last one seen.
pub(super) fn page(
    node: &Node,
    request: &wire::GetBudgetRequest,
) -> Result<wire::GetBudgetResponse, Invalid> {
    let wanted = match request.indicator.as_str() {
        "" => None,
        code => Some(node.lists.indicator("indicator", code)?.code),
    };
    let mut entries: Vec<_> = lines(node, wanted).into_iter().map(entry).collect();
    entries.sort_by_cached_key(token);
    if !request.page_token.is_empty() {
        entries.retain(|entry| token(entry) > request.page_token);
    }
    let size = usize::try_from(request.page_size.clamp(1, PAGE_SIZE_MAX)).unwrap_or(1);
    let more = entries.len() > size;
    entries.truncate(size);
    let next_page_token = entries.last().filter(|_| more).map_or(String::new(), token);
    let held = node.held.read().unwrap_or_else(PoisonError::into_inner);
    let losses = held.ledger.lock().unwrap_or_else(PoisonError::into_inner).losses();
    let in_doubt = node.store.head().in_doubt();
    Ok(wire::GetBudgetResponse { entries, next_page_token, losses, in_doubt })
}

fn token(entry: &wire::BudgetEntry) -> String {
    format!("{} {} {}", entry.indicator, entry.period, entry.tier)
}

fn entry(line: Line) -> wire::BudgetEntry {
    let Line {
        indicator,
        period,
        tier,
        lasting,
        budget,
        spent,
        left,
        epsilon_spent,
        draws,
        draws_max,
        next_cost,
    } = line;
    wire::BudgetEntry {
        indicator: indicator.to_string(),
        period: period.to_string(),
        tier: tier.to_string(),
        lasting,
        budget,
        spent,
        left,
        epsilon_spent,
        draws,
        draws_max,
        next_cost,
    }
}
