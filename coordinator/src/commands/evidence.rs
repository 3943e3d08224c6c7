//! Evidence from the command line. Comes in: a picture's name, or files. Goes out: a file, or what is proven.

use std::path::Path;

use accord_proto::{
    client::within,
    limits::{EVIDENCE_BYTES_MAX, LONG_CALL_TIMEOUT},
    offline::{self, Files},
    reason::{Invalid, Reason},
    wire::region as wire,
};
use serde_json::json;

use super::{connect, failed, print};
use crate::cli::{Client, Format, Outcome, Verify};

/// Writes what a picture rests on; never over a file that is there.
pub(crate) async fn write(
    client: &Client,
    requirement: String,
    version: u32,
    out: &Path,
) -> Result<Outcome, Invalid> {
    let request = within(LONG_CALL_TIMEOUT, wire::GetEvidenceRequest { requirement, version });
    let mut pieces =
        connect(client).await?.get_evidence(request).await.map_err(failed)?.into_inner();
    let mut file = Vec::new();
    while let Some(wire::GetEvidenceResponse { piece }) = pieces.message().await.map_err(failed)? {
        file.extend(piece);
        if file.len() > EVIDENCE_BYTES_MAX {
            let detail = format!("more than {EVIDENCE_BYTES_MAX} bytes");
            return Err(Invalid::new(Reason::LimitExceeded, "evidence", detail));
        }
    }
    let name = out.display().to_string();
    super::file::create(out, &file)?;
    let data = json!([{"file": name, "bytes": file.len()}]);
    Ok(Outcome { data: print::rows(client.format, &data), ..Outcome::default() })
}

/// What to verify, and how to print it.
pub(super) fn files(wanted: Verify) -> (Files, Format) {
    let Verify { file, roster, root, answer, lists, format } = wanted;
    (Files { file, roster, root, answers: answer, lists }, format)
}

/// Verifies files.
pub(crate) fn verify(wanted: Verify) -> Result<Outcome, Invalid> {
    let (files, format) = files(wanted);
    let proven = offline::verify(&files)?;
    let data = match format {
        Format::Json => json!(proven).to_string(),
        Format::Table | Format::Jsonl | Format::Csv => print::rows(format, &json!(proven.cells)),
    };
    Ok(Outcome { data, remarks: proven.remarks, partial: proven.partial, ..Outcome::default() })
}
