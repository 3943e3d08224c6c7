//! Backup and restore from the command line, and the custodian's word after it.

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
    wire::region as wire,
};
use serde_json::json;

use super::{connect, failed, print};
use crate::{
    archive::{self, BACKUPS, Opener},
    cli::{Client, Format, Outcome},
    config::Config,
};

/// What is said to whoever has restored an archive.
const FORGOTTEN: &str = "in doubt: what was pooled since the backup is forgotten, so only public figures are shown until a \
    custodian runs `accord-coordinator confirm-restore --why TEXT`; every node refuses until its operator runs `accord-node journal accept`";

/// `accord-coordinator backup --to DIR`
pub(crate) async fn backup(wanted: Backup) -> Result<Outcome, Invalid> {
    backup::check(&wanted)?;
    let request = within(LONG_CALL_TIMEOUT, wire::BackupRequest {});
    let stream = connect(&wanted.client).await?.backup(request).await;
    let mut stream = stream.map_err(failed)?.into_inner();
    let next = async || Ok(stream.message().await.map_err(failed)?.map(|chunk| chunk.data));
    backup::take(BACKUPS, &wanted, next).await
}

/// `accord-coordinator restore FILE …`
pub(crate) async fn restore(wanted: Restore) -> Result<Outcome, Invalid> {
    let (mut remarks, source) = (Vec::new(), wanted.source());
    let mut shown = json!({"backup": wanted.file.display().to_string()});
    match wanted.data {
        None => {
            let (header, digest) = archive::check(source)?;
            backup::extend(BACKUPS, &mut shown, (&header, digest));
            remarks.push("the backup is whole; nothing was written".to_owned());
        }
        Some(data) => {
            let keys = Keys::load(wanted.store_key.as_deref())?;
            let around = (&keys, &SystemEntropy as &dyn Entropy);
            let restored = archive::restore(source, &data, SystemClock.now(), around).await?;
            backup::extend(BACKUPS, &mut shown, (&restored.header, restored.digest));
            shown["data"] = data.display().to_string().into();
            remarks
                .push(format!("restored; the journal says so in entry {}", restored.journal_size));
            remarks.push(FORGOTTEN.to_owned());
        }
    }
    Ok(Outcome { data: print::rows(Format::Table, &shown), remarks, ..Outcome::default() })
}

/// `accord-coordinator rekey`
pub(crate) async fn rekey(config: &Config) -> Result<Outcome, Invalid> {
    store_key::check_user(&config.data)?;
    let own = Credentials::load(&config.tls)?.own();
    let opener = Opener {
        path: &config.data,
        owner: &own.identity,
        free_bytes_min: config.free_bytes_min,
        keys: &Keys::load(config.store_key.as_deref())?,
        entropy: &SystemEntropy,
    };
    let rekeyed = archive::rekey(opener, SystemClock.now(), store_key::progress()).await?;
    Ok(store_key::said(&config.data, rekeyed, &[]))
}

/// `accord-coordinator confirm-restore --why TEXT`
pub(crate) async fn confirm_restore(client: &Client, why: String) -> Result<Outcome, Invalid> {
    let request = within(CALL_TIMEOUT, wire::ConfirmRestoreRequest { why });
    let reply = connect(client).await?.confirm_restore(request).await.map_err(failed)?;
    let shown = json!({"journal_entry": reply.into_inner().journal_sequence});
    let remark = "gather again: pictures that were drawn in doubt stay as they are";
    let remarks = vec![remark.to_owned()];
    Ok(Outcome { data: print::rows(client.format, &shown), remarks, ..Outcome::default() })
}
