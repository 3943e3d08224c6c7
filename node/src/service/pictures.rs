//! Delivered pictures, for national staff. The matrix of role × method stands here.

use std::sync::Arc;

use accord_proto::{
    id::RequirementId,
    identity::Role,
    limits::{BACKUP_CHUNK_BYTES, EVIDENCE_PIECES_WAITING_MAX, EVIDENCE_READS_MAX, PAGE_SIZE_MAX},
    reason::{Invalid, Reason},
    table::{Cell, Placed},
    transport::{
        Peer,
        listener::caller,
        outgoing::{Outgoing, stream},
    },
    wire::{
        CellStatus,
        desk::{self as wire, get_evidence_response::Part},
    },
};
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};
use tracing::warn;

use crate::{
    answer::Node,
    desk::{check_staff, dissent, pictures},
    store::Delivered,
};

/// Who reads: not whoever only keeps the service running.
const READERS: &[Role] = &[Role::Analyst, Role::Releaser, Role::Auditor];

/// The adapter.
#[derive(Clone)]
pub struct PicturesService {
    node: Arc<Node>,
    /// Files that are being given out.
    reads: Arc<Semaphore>,
}

impl PicturesService {
    /// The delivered pictures of a node.
    pub fn new(node: Arc<Node>) -> Self {
        Self { node, reads: Arc::new(Semaphore::new(EVIDENCE_READS_MAX)) }
    }

    fn staff<T>(&self, request: &Request<T>, roles: &[Role]) -> Result<Peer, Invalid> {
        let peer = caller(request)?;
        check_staff(&self.node, &peer, roles)?;
        Ok(peer)
    }
}

/// Logs where the error is handled; the text for the person goes back to the person.
fn refused(error: Invalid) -> Status {
    warn!(reason = %error.reason, "refused");
    error.into()
}

#[tonic::async_trait]
impl wire::pictures_server::Pictures for PicturesService {
    async fn list_pictures(
        &self,
        request: Request<wire::ListPicturesRequest>,
    ) -> Result<Response<wire::ListPicturesResponse>, Status> {
        self.staff(&request, READERS)?;
        let wire::ListPicturesRequest { page_size, page_token } = request.into_inner();
        let before = match page_token.as_str() {
            "" => None,
            token => Some(place(token)?),
        };
        let size = usize::try_from(page_size.clamp(1, PAGE_SIZE_MAX)).unwrap_or(1);
        let listed = self.node.store.all_delivered(before, size)?;
        // What a power cut could take back must not be shown.
        self.node.store.settled().await?;
        let next_page_token = listed
            .last()
            .filter(|_| listed.len() == size)
            .map_or_else(String::new, |(id, last)| format!("{id}:{}", last.version));
        let pictures = listed.into_iter().map(|(id, delivered)| entry(id, delivered)).collect();
        Ok(Response::new(wire::ListPicturesResponse { pictures, next_page_token }))
    }

    async fn get_picture(
        &self,
        request: Request<wire::GetPictureRequest>,
    ) -> Result<Response<wire::GetPictureResponse>, Status> {
        let peer = self.staff(&request, READERS)?;
        let wire::GetPictureRequest { requirement, version } = request.into_inner();
        let which = which(&requirement, version)?;
        let shown = pictures::show(&self.node, &peer, which).await.map_err(refused)?;
        let pictures::Shown { delivered, picture, notices, own } = shown;
        Ok(Response::new(wire::GetPictureResponse {
            entry: Some(entry(which.0, delivered)),
            picture: Some(picture),
            notices,
            own: own.map(share),
        }))
    }

    type GetEvidenceStream = Outgoing<wire::GetEvidenceResponse>;

    async fn get_evidence(
        &self,
        request: Request<wire::GetEvidenceRequest>,
    ) -> Result<Response<Self::GetEvidenceStream>, Status> {
        let peer = self.staff(&request, READERS)?;
        let wire::GetEvidenceRequest { requirement, version } = request.into_inner();
        let place = Arc::clone(&self.reads).try_acquire_owned().map_err(|_| {
            let detail = format!("{EVIDENCE_READS_MAX} files are being read; try again shortly");
            Invalid::new(Reason::Overloaded, "evidence", detail)
        })?;
        let which = which(&requirement, version)?;
        let (delivered, file) = pictures::file(&self.node, &peer, which).await.map_err(refused)?;
        let pinned = self.node.pinned.get();
        let head = wire::EvidenceHead {
            roster: Some(accord_proto::seal::Envelope::clone(&pinned.signed)),
            root: pinned.root.to_bytes().to_vec(),
            version: delivered.version,
        };
        let (pieces, outgoing) = stream(EVIDENCE_PIECES_WAITING_MAX);
        tokio::spawn(async move {
            let _place = place;
            let head = std::iter::once(Part::Head(head));
            let parts = file.chunks(BACKUP_CHUNK_BYTES).map(|piece| Part::Piece(piece.to_vec()));
            for part in head.chain(parts) {
                let message = wire::GetEvidenceResponse { part: Some(part) };
                // Whoever has stopped listening needs no more.
                if pieces.give(Ok(message)).await.is_err() {
                    return;
                }
            }
            drop(pieces.end().await);
        });
        Ok(Response::new(outgoing))
    }

    async fn sign_dissent(
        &self,
        request: Request<wire::SignDissentRequest>,
    ) -> Result<Response<wire::SignDissentResponse>, Status> {
        let peer = self.staff(&request, &[Role::Releaser])?;
        let wire::SignDissentRequest { ranking, text } = request.into_inner();
        let ranking = ranking
            .ok_or_else(|| Invalid::new(Reason::FieldMissing, "ranking", "nothing is named"))?;
        let dissent = dissent::sign(&self.node, &peer, &ranking, &text).await.map_err(refused)?;
        Ok(Response::new(wire::SignDissentResponse { dissent: Some(dissent) }))
    }
}

fn which(requirement: &str, version: u32) -> Result<(RequirementId, Option<u32>), Invalid> {
    Ok((RequirementId::parse("requirement", requirement)?, (version > 0).then_some(version)))
}

/// Reads a page's token.
fn place(token: &str) -> Result<(RequirementId, u32), Invalid> {
    let parts = token.split_once(':');
    let parsed = parts.and_then(|(id, version)| {
        Some((RequirementId::parse("page_token", id).ok()?, version.parse().ok()?))
    });
    parsed.ok_or_else(|| Invalid::new(Reason::FieldInvalid, "page_token", "is not one of ours"))
}

fn entry(requirement: RequirementId, delivered: Delivered) -> wire::PictureEntry {
    wire::PictureEntry {
        requirement: requirement.to_string(),
        version: delivered.version,
        drawn_at_s: delivered.drawn_at_s,
        received_at_s: delivered.received_at_s,
        members: delivered.members,
        answered: delivered.answered,
        notices: delivered.notices,
        picture_sha256: delivered.picture,
        evidence_sha256: delivered.evidence,
        contradicted_by_sha256: delivered.contradicted_by,
    }
}

fn share(own: pictures::OwnShare) -> wire::OwnShare {
    let figure = |placed: Placed| {
        let (status, value, upper) = match placed.cell {
            Cell::Value(value) => (CellStatus::Value, value, 0),
            Cell::Between(least, most) => (CellStatus::Between, least, most),
            Cell::NotShown => (CellStatus::NotShown, 0, 0),
            Cell::NotApplicable => (CellStatus::NotApplicable, 0, 0),
            Cell::Missing => (CellStatus::Missing, 0, 0),
        };
        wire::OwnFigure {
            region: placed.region.to_string(),
            status: status.into(),
            value,
            standard_error_milli: placed.standard_error_milli,
            upper,
        }
    };
    let cell =
        |figures: Vec<Placed>| wire::OwnCell { figures: figures.into_iter().map(figure).collect() };
    wire::OwnShare {
        table_sha256: own.table.0.to_vec(),
        superseded: own.superseded,
        cells: own.cells.into_iter().map(cell).collect(),
    }
}
