//! Trying a policy from the command line. Comes in: files. Goes out: what they would leave, beside what is in force.

use std::path::Path;

use accord_proto::{
    client::within,
    limits::LONG_CALL_TIMEOUT,
    reason::{Invalid, Reason},
    transport::read_secret,
    wire::desk as wire,
};
use serde_json::{Value, json};

use super::{connect, done, failed};
use crate::cli::{Outcome, keeping::WhatIf};

/// `accord-node policy what-if --policy FILE`
pub(crate) async fn what_if(what_if: WhatIf) -> Result<Outcome, Invalid> {
    let WhatIf { policy, secret, client } = what_if;
    let request = wire::TryPolicyRequest {
        policy: read(&policy)?,
        secret: secret.as_deref().map(read_secret).transpose()?.unwrap_or_default(),
    };
    let request = within(LONG_CALL_TIMEOUT, request);
    let reply = connect(&client).await?.try_policy(request).await.map_err(failed)?.into_inner();
    let mut rows = Vec::new();
    for (under, shares) in [("in force", reply.now), ("tried", reply.then)] {
        for share in shares {
            let sizes = [("10 or more", share.large), ("1 to 9", share.small)];
            for (figures, errors) in sizes {
                let errors = errors.unwrap_or_default();
                rows.push(row(under, (&share.indicator, &share.tier), figures, &errors));
            }
        }
    }
    let mut outcome = done(&client, &Value::Array(rows));
    outcome.remarks.push("nothing was changed, charged or kept".to_owned());
    Ok(outcome)
}

fn row(
    under: &str,
    (indicator, tier): (&str, &str),
    figures: &str,
    errors: &wire::PolicyErrors,
) -> Value {
    let wire::PolicyErrors { held, shown, .. } = errors;
    // In thousandths: exact, and shown as per cent.
    let share = (*held > 0).then(|| shown.saturating_mul(1_000) / held);
    let percent = |per_mille: u64| format!("{}.{}", per_mille / 10, per_mille % 10);
    let error = |per_mille: u64| (*shown > 0).then(|| percent(per_mille));
    json!({
        "indicator": indicator,
        "tier": tier,
        "figures": figures,
        "policy": under,
        "cells": held,
        "shown": shown,
        "shown_percent": share.map(percent),
        "median_error_percent": error(errors.median_per_mille),
        "worst_error_percent": error(errors.worst_per_mille),
    })
}

fn read(path: &Path) -> Result<String, Invalid> {
    std::fs::read_to_string(path).map_err(|error| {
        Invalid::new(Reason::FieldInvalid, path.display().to_string(), error.to_string())
    })
}
