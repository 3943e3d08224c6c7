//! The gate from the command line, for the custodian: fetch what it remembered, and judge a picture again from files alone.

use std::fs;

use accord_proto::{
    client::within,
    limits::{GATE_MEMORY_BYTES_MAX, LONG_CALL_TIMEOUT},
    offline, own_lists,
    reason::{Invalid, Reason},
    transport::read_secret,
    wire::region as wire,
};
use serde_json::{Value, json};

use super::{connect, evidence, failed, file, print};
use crate::{
    cli::{Outcome, gate::Gate},
    custody::{self, Again},
    gate::GatePolicy,
};

/// Runs one command.
pub(crate) async fn run(command: Gate) -> Result<Outcome, Invalid> {
    match command {
        Gate::Memory { requirement, version, out, client } => {
            let request =
                within(LONG_CALL_TIMEOUT, wire::GetGateMemoryRequest { requirement, version });
            let reply = connect(&client).await?.get_gate_memory(request).await.map_err(failed)?;
            let (mut pieces, mut bytes) = (reply.into_inner(), Vec::new());
            while let Some(wire::GetGateMemoryResponse { piece }) =
                pieces.message().await.map_err(failed)?
            {
                bytes.extend(piece);
                if bytes.len() > GATE_MEMORY_BYTES_MAX {
                    let detail = format!("more than {GATE_MEMORY_BYTES_MAX} bytes");
                    return Err(Invalid::new(Reason::LimitExceeded, "memory", detail));
                }
            }
            file::create(&out, &bytes)?;
            let data = json!([{"file": out.display().to_string(), "bytes": bytes.len()}]);
            Ok(Outcome { data: print::rows(client.format, &data), ..Outcome::default() })
        }
        Gate::Judge { of, memory, policy } => {
            let (files, format) = evidence::files(of);
            let lists = own_lists::load(files.lists.as_deref())?;
            let policy = GatePolicy::parse(&read_secret(&policy)?)?;
            let memory = fs::read(&memory).map_err(|error| {
                Invalid::new(Reason::FieldInvalid, "--memory", error.to_string())
            })?;
            let report = offline::report(&files)?;
            let again = custody::judge_again(&report, &memory, &policy, lists)?;
            let same = again.iter().filter(|cell| cell.is_same()).count();
            let remarks = vec![format!(
                "{same} of {} verdicts are the ones that were signed; why a cell is withheld tells about figures: keep it",
                again.len()
            )];
            let partial = same < again.len();
            let rows = Value::Array(again.iter().map(row).collect());
            Ok(Outcome { data: print::rows(format, &rows), remarks, partial, ..Outcome::default() })
        }
    }
}

fn row(again: &Again<'_>) -> Value {
    let name = |shown| if shown { "shown" } else { "withheld" };
    json!({
        "indicator": again.cell.indicator,
        "crime_area": again.cell.crime_area,
        "period": again.cell.period,
        "categories": again.cell.categories,
        "signed": name(again.shown),
        "again": name(again.verdict.is_ok()),
        "why": again.verdict.err().map_or_else(String::new, |why| why.to_string()),
    })
}
