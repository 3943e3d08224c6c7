//! Keeping the store, on the wire: a backup as a stream, for it is as large as the store; and erasing what is due.

use std::sync::Arc;

use accord_proto::{
    id::SummaryId,
    limits::BACKUP_CHUNKS_WAITING_MAX,
    reason::Invalid,
    seal::Digest,
    transport::{
        Peer,
        outgoing::{Outgoing, written},
    },
    wire::desk as wire,
};
use tokio::{runtime::Handle, sync::OwnedSemaphorePermit};
use tonic::Status;
use tracing::info;

use super::{imports, refused};
use crate::{
    answer::Node,
    desk::{backup, leave, retention},
};

/// Streams a backup. `place` is held until the last piece is on its way.
pub(super) fn backup(
    node: Arc<Node>,
    peer: Peer,
    place: OwnedSemaphorePermit,
) -> Outgoing<wire::BackupChunk> {
    let piece = |data| wire::BackupChunk { data };
    written(BACKUP_CHUNKS_WAITING_MAX, piece, move |give| {
        let _place = place;
        let begun = Handle::current().block_on(backup::begin(&node, &peer));
        begun.and_then(|now| backup::send(&node, now, give)).map_err(refused)?;
        info!("backup taken");
        Ok(())
    })
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
