//! Feasibility from the command line: read a draft, call, print. Nothing is signed and nothing issued.

use std::{collections::BTreeMap, path::Path};

use accord_proto::{
    client::{ClientFile, within},
    clock::{SystemClock, SystemEntropy},
    limits::LONG_CALL_TIMEOUT,
    reason::Invalid,
    wire::region as wire,
};
use serde_json::{Value, json};

use super::{connect, failed, file, names, print, requirement};
use crate::cli::{Client, Outcome};

/// Of how many cells, or of every cell, what could become of it; exit code 3 if some could not be published.
pub(crate) async fn assess(
    client: &Client,
    draft: &Path,
    every_cell: bool,
) -> Result<Outcome, Invalid> {
    let (text, lists) = (file::text(draft)?, ClientFile::lists(&client.client)?);
    let mut region = connect(client).await?;
    let members = names(&mut region).await?;
    let draft = requirement::read(&text, &members, lists, &SystemClock, &SystemEntropy)?;
    let request = wire::AssessFeasibilityRequest { draft: Some(draft) };
    let reply = region.assess_feasibility(within(LONG_CALL_TIMEOUT, request)).await;
    let wire::AssessFeasibilityResponse { unreachable, cells, contributors_min } =
        reply.map_err(failed)?.into_inner();

    let can =
        |of: wire::Feasibility| matches!(of, wire::Feasibility::Public | wire::Feasibility::Pooled);
    let possible = cells.iter().filter(|cell| can(cell.feasibility())).count();
    let mut remarks = vec![format!(
        "{possible} of {} cells could be published, at best: consents, figures and what other cells would give away are \
         known only when they are asked",
        cells.len()
    )];
    for member in unreachable {
        let wire::MemberUnreachable { node, reason } = member;
        remarks.push(format!("{node} could not be asked ({reason}): it counts as holding nothing"));
    }
    let partial = possible < cells.len();
    let rows = if every_cell {
        Value::Array(cells.iter().map(row).collect())
    } else {
        let mut counts = BTreeMap::<_, usize>::new();
        for cell in &cells {
            *counts.entry((cell.indicator.clone(), cell.feasibility)).or_default() += 1;
        }
        let row = |((indicator, feasibility), cells): (_, usize)| {
            let of = wire::Feasibility::try_from(feasibility).unwrap_or_default();
            let (name, why) = words(of);
            let why = why.replace("{min}", &contributors_min.to_string());
            json!({"indicator": indicator, "cells": cells, "feasibility": name, "why": why})
        };
        Value::Array(counts.into_iter().map(row).collect())
    };
    Ok(Outcome { data: print::rows(client.format, &rows), remarks, partial, ..Outcome::default() })
}

fn row(cell: &wire::FeasibleCell) -> Value {
    json!({
        "indicator": cell.indicator,
        "crime_area": cell.crime_area,
        "period": cell.period,
        "categories": cell.categories,
        "feasibility": words(cell.feasibility()).0,
        "public": cell.public,
        "hidden": cell.hidden,
    })
}

/// Its name, and what it means; `{min}`: fewest jurisdictions.
fn words(of: wire::Feasibility) -> (&'static str, &'static str) {
    match of {
        wire::Feasibility::Public => ("public", "whoever holds it has published it"),
        wire::Feasibility::Pooled => ("pooled", "enough jurisdictions hold it"),
        wire::Feasibility::TooFew => {
            ("too_few", "fewer than {min} jurisdictions (more of a stock or price) hold it")
        }
        wire::Feasibility::NoPool => {
            ("no_pool", "not public with everybody, and scores and ratios have no pool")
        }
        wire::Feasibility::Waits => (
            "waits",
            "shown before for others or another edition; too few have come or changed since",
        ),
        wire::Feasibility::Nobody => ("nobody", "nobody holds it"),
        wire::Feasibility::Unspecified => ("unknown", ""),
    }
}
