//! The privacy budget from the command line. Comes in: which indicator. Goes out: a line for each indicator, period and tier.

use accord_proto::{
    client::within,
    limits::{CALL_TIMEOUT, PAGE_SIZE_MAX},
    reason::Invalid,
    wire::desk as wire,
};
use serde_json::{Value, json};

use super::{connect, done, failed};
use crate::{answer::FORGOTTEN, cli::Outcome, cli::keeping::Budget, policy::rho};

/// `accord-node budget`
pub(crate) async fn budget(budget: Budget) -> Result<Outcome, Invalid> {
    let Budget { indicator, client } = budget;
    let mut desk = connect(&client).await?;
    let (mut rows, mut page_token) = (Vec::new(), String::new());
    let last = loop {
        let request = wire::GetBudgetRequest {
            indicator: indicator.clone(),
            page_size: PAGE_SIZE_MAX,
            page_token,
        };
        let request = within(CALL_TIMEOUT, request);
        let mut page = desk.get_budget(request).await.map_err(failed)?.into_inner();
        rows.extend(std::mem::take(&mut page.entries).into_iter().map(row));
        page_token = std::mem::take(&mut page.next_page_token);
        if page_token.is_empty() {
            break page;
        }
    };
    let mut outcome = done(&client, &Value::Array(rows));
    if last.losses > 0 {
        let times = last.losses;
        outcome.remarks.push(format!(
            "charges may have been forgotten {times} times; what they may have cost is not left any more"
        ));
    }
    if last.in_doubt {
        outcome.remarks.push(FORGOTTEN.to_owned());
    }
    Ok(outcome)
}

/// In rho: nano-rho is for the ledger.
fn row(entry: wire::BudgetEntry) -> Value {
    let wire::BudgetEntry { draws, draws_max, epsilon_spent, .. } = entry;
    json!({
        "indicator": entry.indicator,
        "period": entry.period,
        "tier": entry.tier,
        "lasting": entry.lasting,
        "budget": rho(entry.budget),
        "spent": rho(entry.spent),
        "left": rho(entry.left),
        "epsilon_spent": (epsilon_spent * 100.0).ceil() / 100.0,
        "draws": format!("{draws} of {draws_max}"),
        "next_costs": rho(entry.next_cost),
    })
}
