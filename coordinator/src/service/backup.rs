//! A backup on the wire: a stream, for it is as large as the archive. Must never begin before the journal says who took it.

use std::sync::Arc;

use accord_proto::{
    limits::BACKUP_CHUNKS_WAITING_MAX,
    operate::backup,
    reason::Invalid,
    transport::{
        Peer,
        outgoing::{Outgoing, written},
    },
    wire::region as wire,
};
use tokio::{runtime::Handle, sync::OwnedSemaphorePermit};
use tonic::Status;
use tracing::{info, warn};

use crate::survey::Coordinator;

/// Streams a backup. `place` is held until the last piece is on its way.
pub(super) fn stream(
    coordinator: Arc<Coordinator>,
    peer: Peer,
    place: OwnedSemaphorePermit,
) -> Outgoing<wire::BackupChunk> {
    let piece = |data| wire::BackupChunk { data };
    written(BACKUP_CHUNKS_WAITING_MAX, piece, move |give| {
        let _place = place;
        let taken = take(&coordinator, &peer, give);
        taken.map(|()| info!("backup taken")).map_err(|error| {
            warn!(reason = %error.reason, "no backup");
            Status::from(error)
        })
    })
}

fn take(
    coordinator: &Coordinator,
    peer: &Peer,
    give: impl FnMut(Vec<u8>) -> Result<(), Invalid>,
) -> Result<(), Invalid> {
    let Coordinator { archive, clock, caller, .. } = coordinator;
    archive.note_backup(peer, clock.now())?;
    Handle::current().block_on(archive.settled())?;
    let now = clock.now();
    archive.snapshot()?.write(&caller.credentials.own().identity, now, give)?;
    backup::note(archive.path(), now);
    Ok(())
}
