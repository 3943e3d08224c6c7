//! A journal as lines that other programs read: JSON with the fields of OCSF 1.3. Comes in: entries, with or without
//! proofs. Goes out: a line for each; and from such lines, without any network, that they are the journal. Pure.
//!
//! A line carries the exact bytes of its entry, and the words beside them are made of these bytes again when it is
//! checked. A whole journal is walked; a part of it has a proof in each line. `proto/README.md` has the mapping.

use std::io::BufRead;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};

use super::{
    Act, Checkpoint, Class, Logged, Outcome, Proof, Walk, inconsistent, leaf, verify_inclusion,
};
use crate::{
    limits::JOURNAL_LINE_BYTES_MAX,
    reason::{Invalid, Reason},
};

/// What an export was found to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Its lines.
    pub entries: u64,
    /// Is it the whole journal? Otherwise each line is proven to be part of it.
    pub whole: bool,
}

/// One line, without its end.
pub fn write_line(origin: &str, entry: &[u8], proof: Option<&Proof>) -> Result<String, Invalid> {
    let mut line = fields(origin, &Logged::decode(entry)?, entry);
    if let Some(proof) = proof {
        let hashes = proof.hashes().iter().map(|hash| Value::from(BASE64.encode(hash.0)));
        line["unmapped"]["inclusion"] = hashes.collect();
    }
    Ok(line.to_string())
}

/// Checks an export against the checkpoint that came with it.
pub fn read_export(lines: impl BufRead, head: &Checkpoint) -> Result<Exported, Invalid> {
    let (mut walk, mut entries, mut proven) = (Walk::default(), 0_u64, 0_u64);
    let mut last = None;
    let mut lines = lines;
    while let Some(line) = next(&mut lines)? {
        let field = format!("line {}", entries + 1);
        let (entry, proof) = read_line(&field, &line, &head.origin)?;
        entries += 1;
        match proof {
            None => {
                walk.step(&entry).map_err(super::Flaw::refusal)?;
            }
            Some(proof) => {
                let Logged { sequence, .. } = Logged::decode(&entry)?;
                if last.is_some_and(|last| last >= sequence) {
                    return Err(inconsistent(&field, "stands twice, or not in its place"));
                }
                verify_inclusion(leaf(&entry), sequence, head, &proof)
                    .map_err(|error| error.within(&field))?;
                last = Some(sequence);
                proven += 1;
            }
        }
    }
    let whole = proven == 0;
    if whole {
        walk.finish(head).map_err(super::Flaw::refusal)?;
    } else if proven < entries {
        return Err(inconsistent("export", "some lines have a proof and some have none"));
    }
    Ok(Exported { entries, whole })
}

/// The next line; no longer than any of ours.
fn next(lines: &mut impl BufRead) -> Result<Option<String>, Invalid> {
    let mut line = Vec::new();
    let mut bounded = std::io::Read::take(&mut *lines, JOURNAL_LINE_BYTES_MAX as u64 + 1);
    bounded
        .read_until(b'\n', &mut line)
        .map_err(|error| Invalid::new(Reason::FieldInvalid, "export", error.to_string()))?;
    if line.len() > JOURNAL_LINE_BYTES_MAX {
        let detail = format!("a line is longer than {JOURNAL_LINE_BYTES_MAX} bytes");
        return Err(Invalid::new(Reason::LimitExceeded, "export", detail));
    }
    if line.is_empty() {
        return Ok(None);
    }
    String::from_utf8(line)
        .map(Some)
        .map_err(|_| Invalid::new(Reason::FieldInvalid, "export", "is no UTF-8 text"))
}

/// The entry of a line, if everything else in the line is what follows from it.
fn read_line(field: &str, line: &str, origin: &str) -> Result<(Vec<u8>, Option<Proof>), Invalid> {
    let wrong = |what: &str| inconsistent(field, what);
    let said: Value =
        serde_json::from_str(line).map_err(|_| wrong("is no JSON object of an export"))?;
    let proof = said.get("unmapped").and_then(|unmapped| unmapped.get("inclusion"));
    let entry = said.get("raw_data").and_then(Value::as_str).map(|text| BASE64.decode(text));
    let Some(Ok(entry)) = entry else { return Err(wrong("has no entry in raw_data")) };
    let proof = proof.map(|hashes| {
        let hashes = hashes.as_array().map_or(&[][..], Vec::as_slice);
        let hash = |hash: &Value| hash.as_str().and_then(|text| BASE64.decode(text).ok());
        let hashes: Option<Vec<_>> = hashes.iter().map(hash).collect();
        Proof::from_wire(field, &hashes.ok_or_else(|| wrong("has a proof that is not base64"))?)
    });
    let proof = proof.transpose()?;
    let written =
        write_line(origin, &entry, proof.as_ref()).map_err(|error| error.within(field))?;
    // Letter by letter: of a name that stands twice, other programs may read the one that is not looked at here.
    if line.strip_suffix('\n').unwrap_or(line) != written {
        return Err(wrong("says something else than its own entry, or in another spelling"));
    }
    Ok((entry, proof))
}

/// Class and activity of OCSF: API Activity (6003), or Entity Management (3004) where something held is changed.
fn activity(act: Act) -> (u32, &'static str, u32, &'static str) {
    const API: (u32, &str) = (6003, "API Activity");
    const ENTITY: (u32, &str) = (3004, "Entity Management");
    let ((class, name), id, activity) = match act {
        Act::Collection => (API, 1, "Create"),
        Act::Consultation => (API, 2, "Read"),
        Act::Disclosure => (API, 99, "Disclosure"),
        Act::Combination => (API, 99, "Combination"),
        Act::Alteration => (ENTITY, 3, "Update"),
        Act::Erasure => (ENTITY, 4, "Delete"),
    };
    (class, name, id, activity)
}

fn fields(origin: &str, logged: &Logged, bytes: &[u8]) -> Value {
    let Logged { sequence, root_before, entry, outcome, class } = logged;
    let (class_uid, class_name, activity_id, activity_name) = activity(entry.act);
    let (status_id, status) = match outcome {
        Outcome::Done => (1, "Success"),
        Outcome::Refused => (2, "Failure"),
        Outcome::Nothing => (99, "Nothing"),
    };
    let (severity_id, severity) = match class {
        Class::Ordinary => (1, "Informational"),
        Class::BreakGlass => (4, "High"),
    };
    json!({
        "metadata": {
            "version": "1.3.0",
            "product": {"name": "Accord", "vendor_name": "Accord"},
            "log_name": origin,
            "uid": format!("{origin}/{sequence}"),
            "sequence": sequence,
        },
        "time": entry.at.as_s().saturating_mul(1000),
        "category_uid": class_uid / 1000,
        "class_uid": class_uid,
        "class_name": class_name,
        "activity_id": activity_id,
        "activity_name": activity_name,
        "type_uid": class_uid * 100 + activity_id,
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": status,
        "actor": {"user": {"uid": entry.by.to_string(), "name": entry.by.name.to_string()}},
        "api": {"operation": entry.act.name()},
        "src_endpoint": {"name": entry.by.place.to_string()},
        "entity": {"name": entry.subject},
        "message": entry.why,
        "unmapped": {
            "to": entry.to,
            "outcome": outcome.name(),
            "class": class.name(),
            "digest": entry.digest.to_string(),
            "root_before": root_before.to_string(),
        },
        "raw_data": BASE64.encode(bytes),
    })
}
