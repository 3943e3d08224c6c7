//! Backup, restore and erasing from the command line.

use accord_proto::{
    at_rest::Keys,
    client::within,
    clock::{Clock as _, Entropy, SystemClock, SystemEntropy},
    limits::{CALL_TIMEOUT, LONG_CALL_TIMEOUT},
    operate::{
        backup::{self, Backup, Restore},
        store_key,
    },
    reason::Invalid,
    transport::Credentials,
    wire::desk as wire,
};
use serde_json::{Value, json};

use super::{connect, failed, hex, imports, print};
use crate::{
    cli::{
        Format, Outcome,
        keeping::{ConfirmRestore, Erase},
    },
    config::Config,
    store::{self, BACKUPS, Opener},
};

/// `accord-node backup --to DIR`
pub(crate) async fn backup(wanted: Backup) -> Result<Outcome, Invalid> {
    backup::check(&wanted)?;
    let request = within(LONG_CALL_TIMEOUT, wire::BackupRequest {});
    let stream = connect(&wanted.client).await?.backup(request).await;
    let mut stream = stream.map_err(failed)?.into_inner();
    let next = async || Ok(stream.message().await.map_err(failed)?.map(|chunk| chunk.data));
    backup::take(BACKUPS, &wanted, next).await
}

/// `accord-node restore FILE …`
pub(crate) async fn restore(wanted: Restore) -> Result<Outcome, Invalid> {
    let (mut remarks, source) = (Vec::new(), wanted.source());
    let mut shown = json!({"backup": wanted.file.display().to_string()});
    match wanted.data {
        None => {
            let (header, digest) = store::check(source)?;
            backup::extend(BACKUPS, &mut shown, (&header, digest));
            remarks.push("the backup is whole; nothing was written".to_owned());
        }
        Some(data) => {
            let keys = Keys::load(wanted.store_key.as_deref())?;
            let around = (&keys, &SystemEntropy as &dyn Entropy);
            let restored = store::restore(source, &data, SystemClock.now(), around).await?;
            backup::extend(BACKUPS, &mut shown, (&restored.header, restored.digest));
            shown["answers"] = restored.answers.into();
            shown["data"] = data.display().to_string().into();
            remarks
                .push(format!("restored; the journal says so in entry {}", restored.journal_size));
            remarks.push(crate::answer::FORGOTTEN.to_owned());
        }
    }
    Ok(Outcome { data: print(Format::Table, &shown), remarks, ..Outcome::default() })
}

/// `accord-node rekey`
pub(crate) async fn rekey(config: &Config) -> Result<Outcome, Invalid> {
    store_key::check_user(&config.data)?;
    let own = Credentials::load(&config.tls)?.own();
    let opener = Opener {
        path: &config.data,
        owner: &own.identity.to_string(),
        free_bytes_min: config.free_bytes_min,
        keys: &Keys::load(config.store_key.as_deref())?,
        entropy: &SystemEntropy,
    };
    let rekeyed = store::rekey(opener, SystemClock.now(), store_key::progress()).await?;
    Ok(store_key::said(&config.data, rekeyed, &store::kept_beside(&config.data)))
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
