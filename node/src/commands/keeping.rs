//! Backup, restore and erasing from the command line. A backup is written under another name, read once more
//! to its end, and only then called a backup.

use std::{
    fs::{self, File},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use accord_proto::{
    client::within,
    clock::{Clock as _, SystemClock, SystemEntropy, Timestamp},
    identity::Identity,
    limits::{CALL_TIMEOUT, LONG_CALL_TIMEOUT},
    reason::{Invalid, Reason},
    seal::Digest,
    wire::desk as wire,
};
use serde_json::{Value, json};
use tonic::Streaming;

use super::{connect, done, failed, hex, imports, print};
use crate::{
    cli::{
        Format, Outcome,
        keeping::{Backup, ConfirmRestore, Erase, Restore},
    },
    store::{self, Header},
};

/// `accord-node backup --to DIR`
pub(crate) async fn backup(backup: Backup) -> Result<Outcome, Invalid> {
    let Backup { to, client } = backup;
    let request = within(LONG_CALL_TIMEOUT, wire::BackupRequest {});
    let stream = connect(&client).await?.backup(request).await.map_err(failed)?.into_inner();
    // Which node and when stands in the file; it gets its name from there.
    let partial = to.join(format!("accord-node.{}.partial", std::process::id()));
    let taken = match receive(stream, &partial).await {
        Ok(()) => store::check(&partial).and_then(|(header, digest)| {
            let mut path = to.join(name_of(&header)?).with_extension("backup");
            if path.exists() {
                // Taken within the same second: the journal has grown since.
                path.set_extension(format!("{}.backup", header.journal_size));
            }
            name(&partial, &path).map_err(|error| unwritable(&path, &error))?;
            Ok((path, header, digest))
        }),
        Err(error) => Err(error),
    };
    if taken.is_err() {
        // Half a backup must not be mistaken for one.
        let _ = fs::remove_file(&partial);
    }
    let (path, header, digest) = taken?;
    let bytes = fs::metadata(&path).map_err(|error| unwritable(&path, &error))?.len();
    let mut shown = json!({"backup": path.display().to_string(), "bytes": bytes});
    extend(&mut shown, &header, digest);
    Ok(done(&client, &shown))
}

async fn receive(mut stream: Streaming<wire::BackupChunk>, path: &Path) -> Result<(), Invalid> {
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.map_err(|error| unwritable(path, &error))?;
    while let Some(chunk) = stream.message().await.map_err(failed)? {
        file.write_all(&chunk.data).map_err(|error| unwritable(path, &error))?;
    }
    file.sync_all().map_err(|error| unwritable(path, &error))
}

/// Never in the place of another file.
fn name(partial: &Path, path: &Path) -> std::io::Result<()> {
    fs::hard_link(partial, path)?;
    fs::remove_file(partial)?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

fn name_of(header: &Header) -> Result<String, Invalid> {
    let node = Identity::parse(&header.owner)?.name;
    let at = Timestamp::from_s("backup.created_s", header.created_s)?.to_string();
    let at: String = at.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    Ok(format!("accord-node-{node}-{at}"))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Invalid {
    Invalid::new(Reason::FieldInvalid, path.display().to_string(), error.to_string())
}

/// `accord-node restore FILE …`
pub(crate) async fn restore(restore: Restore) -> Result<Outcome, Invalid> {
    let Restore { file, data, check: _ } = restore;
    let mut remarks = Vec::new();
    let mut shown = json!({"backup": file.display().to_string()});
    match data {
        None => {
            let (header, digest) = store::check(&file)?;
            extend(&mut shown, &header, digest);
            remarks.push("the backup is whole; nothing was written".to_owned());
        }
        Some(data) => {
            let restored = store::restore(&file, &data, SystemClock.now(), &SystemEntropy).await?;
            extend(&mut shown, &restored.header, restored.digest);
            shown["answers"] = restored.answers.into();
            shown["data"] = data.display().to_string().into();
            remarks
                .push(format!("restored; the journal says so in entry {}", restored.journal_size));
            remarks.push(crate::answer::FORGOTTEN.to_owned());
        }
    }
    Ok(Outcome { data: print(Format::Table, &shown), remarks, ..Outcome::default() })
}

fn extend(shown: &mut Value, header: &Header, digest: Digest) {
    let created = Timestamp::from_s("created", header.created_s);
    shown["node"] = header.owner.clone().into();
    shown["created"] = created.map_or(String::new(), |at| at.to_string()).into();
    shown["format"] = header.format.clone().into();
    shown["imports"] = header.imports.into();
    shown["journal_size"] = header.journal_size.into();
    shown["journal_root"] = hex(&header.journal_root).into();
    shown["sha256"] = digest.to_string().into();
}

/// `accord-node erase …`
pub(crate) async fn erase(erase: Erase) -> Result<Outcome, Invalid> {
    let Erase { due, why, client } = erase;
    let mut desk = connect(&client).await?;
    let (mut imports, mut summaries, mut entries) = (Vec::new(), Vec::new(), Vec::new());
    let (observations, more) = loop {
        let request = wire::EraseDueRequest { dry_run: !due, why: why.clone() };
        let request = within(LONG_CALL_TIMEOUT, request);
        let reply = desk.erase_due(request).await.map_err(failed)?.into_inner();
        imports.extend(reply.imports.iter().map(imports::entry));
        summaries.extend(reply.summaries.iter().map(erased));
        entries.extend(reply.journal_sequence);
        if !due || !reply.more {
            break (reply.observations, reply.more);
        }
    };
    let shown = json!({
        "imports": imports,
        "summaries": summaries,
        "journal_entries": entries,
        "observations": observations,
    });
    let mut remarks = Vec::new();
    if imports.is_empty() && summaries.is_empty() {
        remarks.push("nothing is due".to_owned());
    } else if !due {
        remarks.push("nothing was erased; --due --why REASON erases this".to_owned());
    }
    if more {
        remarks.push("… and more than is listed here".to_owned());
    }
    Ok(Outcome { data: print(client.format, &shown), remarks, ..Outcome::default() })
}

/// `accord-node confirm-restore --why TEXT`
pub(crate) async fn confirm_restore(confirm: ConfirmRestore) -> Result<Outcome, Invalid> {
    let ConfirmRestore { why, client } = confirm;
    let request = within(CALL_TIMEOUT, wire::ConfirmRestoreRequest { why });
    let reply = connect(&client).await?.confirm_restore(request).await.map_err(failed)?;
    let wire::ConfirmRestoreResponse { journal_sequence, losses } = reply.into_inner();
    let shown = json!({"journal_entry": journal_sequence, "losses": losses});
    let remark = "whatever may have been forgotten counts as spent; see accord-node budget";
    Ok(Outcome {
        data: print(client.format, &shown),
        remarks: vec![remark.to_owned()],
        ..Outcome::default()
    })
}

fn erased(summary: &wire::ErasedSummary) -> Value {
    json!({
        "summary": summary.summary,
        "version": summary.version,
        "sha256": hex(&summary.document_sha256),
    })
}
