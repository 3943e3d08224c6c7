//! Leaving the network from the command line. The certificate is written to a file, as it was signed.

use std::{fs, io::Write as _};

use accord_proto::{
    client::within,
    limits::LONG_CALL_TIMEOUT,
    reason::{Invalid, Reason},
    strict,
    wire::{Departure, Given, desk as wire},
};
use prost::Message as _;
use serde_json::json;

use super::{connect, failed, hex, print};
use crate::cli::{Outcome, keeping::Leave};

/// `accord-node leave --out FILE`
pub(crate) async fn leave(leave: Leave) -> Result<Outcome, Invalid> {
    let Leave { out, confirm, why, client } = leave;
    let request = within(LONG_CALL_TIMEOUT, wire::LeaveRequest { dry_run: !confirm, why });
    let reply = connect(&client).await?.leave(request).await.map_err(failed)?.into_inner();
    let envelope = reply.certificate.unwrap_or_default();
    let unwritable = |error: std::io::Error| {
        Invalid::new(Reason::FieldInvalid, out.display().to_string(), error.to_string())
    };
    let file = fs::OpenOptions::new().write(true).create_new(true).open(&out);
    let mut file = file.map_err(unwritable)?;
    let written = file.write_all(&envelope.encode_to_vec()).and_then(|()| file.sync_all());
    written.map_err(unwritable)?;
    let certified: Departure = strict::decode_signed("certificate", &envelope.payload)?;
    let given = |given: &Given| {
        json!({
            "requirement": given.requirement,
            "authority": given.authority,
            "audience": given.audience,
            "table_sha256": hex(&given.table_sha256),
        })
    };
    let shown = json!({
        "given": certified.given.iter().map(given).collect::<Vec<_>>(),
        "statements_of_holdings": certified.holdings.len(),
        "grants_withdrawn": reply.grants_withdrawn,
        "consent_epoch": reply.consent_epoch,
        "certificate": out.display().to_string(),
    });
    let mut remarks = vec!["what was published remains published".to_owned()];
    if !confirm {
        remarks.push("no consent was taken back; --confirm --why REASON does".to_owned());
    }
    Ok(Outcome { data: print(client.format, &shown), remarks, ..Outcome::default() })
}
