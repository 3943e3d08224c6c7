//! Receipts, released answers and verifying from the command line: parse, call, print.

use std::path::Path;

use accord_proto::{
    client::{ClientFile, within},
    clock::Timestamp,
    journal::{Checkpoint, Logged, Proof, VerifierKey, leaf, verify_inclusion},
    limits::{CALL_TIMEOUT, PAGE_SIZE_MAX, REPLY_BYTES_MAX},
    offline::{self, Files, Proven},
    reason::{Invalid, Reason},
    table::Mode,
    transport::channel::Channel,
    wire::desk as wire,
};
use serde_json::{Value, json};

use super::{done, failed, hex, imports::write_new, print};
use crate::cli::{
    Client, Format, Outcome,
    proof::{Answers, Receipts, Verify},
};

type ReceiptsClient = wire::receipts_client::ReceiptsClient<Channel>;

async fn connect(client: &Client) -> Result<ReceiptsClient, Invalid> {
    let channel = ClientFile::connect(&client.client).await?;
    Ok(ReceiptsClient::new(channel).max_decoding_message_size(REPLY_BYTES_MAX))
}

/// `accord-node receipt …`
pub(crate) async fn receipts(command: Receipts) -> Result<Outcome, Invalid> {
    match command {
        Receipts::List { requirement, client } => list(&client, requirement).await,
        Receipts::Show { sequence, client } => {
            let request = within(CALL_TIMEOUT, wire::GetReceiptRequest { sequence });
            let reply = connect(&client).await?.get_receipt(request).await.map_err(failed)?;
            show(&client, reply.into_inner())
        }
    }
}

/// A receipt, once its proof holds: the entry is in the journal, and says what the receipt says.
fn show(client: &Client, reply: wire::GetReceiptResponse) -> Result<Outcome, Invalid> {
    let wire::GetReceiptResponse { receipt, entry, inclusion, note, key } = reply;
    let receipt = receipt.unwrap_or_default();
    let key = VerifierKey::parse("receipt.key", &key)?;
    let head = Checkpoint::open_by("receipt.note", &note, std::slice::from_ref(&key))?;
    let proof = Proof::from_wire("receipt.inclusion", &inclusion)?;
    verify_inclusion(leaf(&entry), receipt.journal_sequence, &head, &proof)?;
    if Logged::decode(&entry)?.entry.digest.0 != *receipt.table_sha256 {
        let detail = "the journal speaks of another table than the receipt";
        return Err(Invalid::new(Reason::JournalInconsistent, "receipt.table_sha256", detail));
    }
    let mut shown = whole(&receipt);
    shown["journal_entry_sha256"] = json!(leaf(&entry).to_string());
    shown["journal_size"] = json!(head.size);
    shown["journal_root"] = json!(head.root.to_string());
    shown["inclusion"] = json!(proof.hashes().iter().map(ToString::to_string).collect::<Vec<_>>());
    let mut outcome = done(client, &shown);
    let remark = format!("proven to be part of the journal of {} entries", head.size);
    outcome.remarks.push(remark);
    Ok(outcome)
}

async fn list(client: &Client, requirement: String) -> Result<Outcome, Invalid> {
    let mut desk = connect(client).await?;
    let (mut rows, mut page_token) = (Vec::new(), String::new());
    loop {
        let requirement = requirement.clone();
        let request =
            wire::ListReceiptsRequest { requirement, page_size: PAGE_SIZE_MAX, page_token };
        let page =
            desk.list_receipts(within(CALL_TIMEOUT, request)).await.map_err(failed)?.into_inner();
        rows.extend(page.receipts.iter().map(|receipt| {
            json!({
                "sequence": receipt.sequence,
                "at": at(receipt.at_s),
                "requirement": receipt.requirement,
                "authority": receipt.authority,
                "audience": receipt.audience,
                "consent_epoch": receipt.consent_epoch,
                "nano_rho": receipt.nano_rho,
                "journal_sequence": receipt.journal_sequence,
                "table_sha256": hex(&receipt.table_sha256),
            })
        }));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(done(client, &Value::Array(rows)));
        }
    }
}

fn whole(receipt: &wire::Receipt) -> Value {
    let rule = |rule: &wire::AppliedRule| {
        let mode = match Mode::from_wire("mode", rule.mode) {
            Ok(Mode::Open) => "open",
            Ok(Mode::Protected) => "protected",
            Ok(Mode::Bulletin) => "bulletin",
            Ok(Mode::Closed) => "closed",
            Err(_) => "unknown",
        };
        format!("{} {mode} tier {}", rule.indicator, rule.tier)
    };
    json!({
        "sequence": receipt.sequence,
        "at": at(receipt.at_s),
        "requirement": receipt.requirement,
        "requirement_sha256": hex(&receipt.requirement_sha256),
        "authority": receipt.authority,
        "audience": receipt.audience,
        "consent_epoch": receipt.consent_epoch,
        "consent_sha256": hex(&receipt.consent_sha256),
        "grants": receipt.grants,
        "policy_sha256": hex(&receipt.policy_sha256),
        "secret_policy_sha256": hex(&receipt.secret_policy_sha256),
        "rules": receipt.rules.iter().map(rule).collect::<Vec<_>>(),
        "nano_rho": receipt.nano_rho,
        "software": receipt.software,
        "journal_sequence": receipt.journal_sequence,
        "table_sha256": hex(&receipt.table_sha256),
        "seal_sha256": hex(&receipt.seal_sha256),
        "supersedes_sha256": hex(&receipt.supersedes_sha256),
    })
}

fn at(seconds: i64) -> String {
    Timestamp::from_s("time", seconds).map_or(String::new(), |at| at.to_string())
}

/// `accord-node answer …`
pub(crate) async fn answers(command: Answers) -> Result<Outcome, Invalid> {
    let Answers::Export { requirement, out, client } = command;
    export(&client, requirement, &out).await
}

async fn export(client: &Client, requirement: String, out: &Path) -> Result<Outcome, Invalid> {
    let request = within(CALL_TIMEOUT, wire::ExportAnswerRequest { requirement });
    let reply = connect(client).await?.export_answer(request).await.map_err(failed)?.into_inner();
    write_new(out, &reply.file)?;
    let shown = json!({"file": out.display().to_string(), "bytes": reply.file.len()});
    let mut outcome = done(client, &shown);
    if reply.consent_changed {
        let remark =
            "consent has changed since this was sealed; whether to hand it on is for you to decide";
        outcome.remarks.push(remark.to_owned());
    }
    Ok(outcome)
}

/// `accord-node verify …`
pub(crate) fn verify(wanted: Verify) -> Result<Outcome, Invalid> {
    let Verify { file, roster, root, answer, lists, format } = wanted;
    Ok(proven(format, offline::verify(&Files { file, roster, root, answers: answer, lists })?))
}

/// What is proven: JSON tells of every member and cell, a table of the cells.
pub(super) fn proven(format: Format, proven: Proven) -> Outcome {
    let data = match format {
        Format::Json => json!(proven),
        Format::Table | Format::Jsonl | Format::Csv => json!(proven.cells),
    };
    Outcome {
        data: print(format, &data),
        remarks: proven.remarks,
        partial: proven.partial,
        failure: None,
    }
}
