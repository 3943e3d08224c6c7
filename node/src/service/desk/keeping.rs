//! Keeping the store, on the wire: a backup as a stream, for it is as large as the store; and erasing what is due.

use std::sync::Arc;

use accord_proto::{
    id::SummaryId,
    limits::BACKUP_CHUNKS_WAITING_MAX,
    reason::{Invalid, Reason},
    seal::Digest,
    transport::Peer,
    wire::desk as wire,
};
use tokio::{runtime::Handle, sync::OwnedSemaphorePermit};
use tonic::Status;
use tracing::info;

use super::{
    imports,
    outgoing::{Outgoing, stream},
    refused,
};
use crate::{
    answer::Node,
    desk::{backup, leave, retention},
};

/// Each makes the store remember what is changed meanwhile.
pub(super) const BACKUPS_MAX: usize = 1;

/// Streams a backup. `place` is held until the last piece is on its way.
pub(super) fn backup(
    node: Arc<Node>,
    peer: Peer,
    place: OwnedSemaphorePermit,
) -> Outgoing<wire::BackupChunk> {
    let (pieces, outgoing) = stream(BACKUP_CHUNKS_WAITING_MAX);
    tokio::task::spawn_blocking(move || {
        let send = |data| {
            let piece = Ok(wire::BackupChunk { data });
            Handle::current().block_on(pieces.give(piece)).map_err(|_| {
                Invalid::new(Reason::NoConnection, "backup", "nobody takes it any more")
            })
        };
        let sent = Handle::current()
            .block_on(backup::begin(&node, &peer))
            .and_then(|now| backup::send(&node, now, send));
        match sent {
            Ok(()) => {
                info!("backup taken");
                drop(Handle::current().block_on(pieces.end()));
            }
            // Whoever has stopped listening needs no reason.
            Err(error) => drop(Handle::current().block_on(pieces.give(Err(refused(error))))),
        }
        drop(place);
    });
    outgoing
}

/// Erases what is due, or says what is.
pub(super) async fn erase(
    node: &Node,
    peer: &Peer,
    request: &wire::EraseDueRequest,
) -> Result<wire::EraseDueResponse, Invalid> {
    let erased = if request.dry_run {
        retention::due(node)?
    } else {
        retention::erase(node, peer, &request.why).await?
    };
    if erased.sequence.is_some() {
        let (imports, summaries) = (erased.imports.len(), erased.summaries.len());
        info!(imports, summaries, "erased");
    }
    let summary = |(id, version, digest): (SummaryId, u32, Digest)| wire::ErasedSummary {
        summary: id.to_string(),
        version,
        document_sha256: digest.0.to_vec(),
    };
    Ok(wire::EraseDueResponse {
        imports: erased.imports.into_iter().map(imports::entry).collect(),
        summaries: erased.summaries.into_iter().map(summary).collect(),
        journal_sequence: erased.sequence,
        more: erased.more,
        observations: erased.observations,
    })
}

/// Certifies what others hold; unless it is a dry run, takes back every consent with it.
pub(super) async fn leave(
    node: &Node,
    peer: &Peer,
    request: wire::LeaveRequest,
) -> Result<wire::LeaveResponse, Status> {
    if request.dry_run {
        let certificate = accord_proto::busy::here(|| leave::certificate(node));
        return Ok(wire::LeaveResponse {
            certificate: Some(certificate.map_err(refused)?),
            grants_withdrawn: 0,
            consent_epoch: node.store.head().consent_epoch(),
        });
    }
    let left = leave::leave(node, peer, &request.why).await.map_err(refused)?;
    info!(grants = left.withdrawn, "left the network: every consent is taken back");
    Ok(wire::LeaveResponse {
        certificate: Some(left.certificate),
        grants_withdrawn: u32::try_from(left.withdrawn).unwrap_or(u32::MAX),
        consent_epoch: left.consent_epoch,
    })
}
