//! Desk, for national staff. The matrix of role × method stands here and is tested cell by cell.

use std::sync::{Arc, PoisonError};

use accord_proto::{
    identity::Role,
    limits::{IMPORT_BYTES_MAX, IMPORTS_MAX, PAGE_SIZE_MAX, QUARANTINE_REPORTED_MAX},
    reason::{Invalid, Reason},
    transport::{Peer, listener::caller},
    wire::desk as wire,
};
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status, Streaming};
use tracing::{info, warn};

use crate::{
    answer::Node,
    consent::{Grant, RawGrant},
    desk,
};

/// Who may read.
const READERS: &[Role] = &[Role::Analyst, Role::Releaser, Role::Auditor, Role::Operator];

/// The adapter.
#[derive(Clone)]
pub struct DeskService {
    /// Whose service this is.
    pub node: Arc<Node>,
    /// Imports under way.
    pub imports: Arc<Semaphore>,
}

impl DeskService {
    /// The desk of a node.
    pub fn new(node: Arc<Node>) -> Self {
        Self { node, imports: Arc::new(Semaphore::new(IMPORTS_MAX)) }
    }

    fn staff<T>(&self, request: &Request<T>, roles: &[Role]) -> Result<Peer, Invalid> {
        let peer = caller(request)?;
        desk::check_staff(&self.node, &peer, roles)?;
        Ok(peer)
    }
}

/// Logs where the error is handled; the text for the person goes back to the person.
fn refused(error: Invalid) -> Status {
    warn!(reason = %error.reason, "refused");
    error.into()
}

#[tonic::async_trait]
impl wire::desk_server::Desk for DeskService {
    async fn import(
        &self,
        request: Request<Streaming<wire::ImportRequest>>,
    ) -> Result<Response<wire::ImportResponse>, Status> {
        let peer = self.staff(&request, &[Role::Analyst])?;
        let _place = self.imports.try_acquire().map_err(|_| {
            let detail = format!("{IMPORTS_MAX} imports are under way; try again shortly");
            Invalid::new(Reason::Overloaded, "import", detail)
        })?;
        let (header, file) = receive(request.into_inner()).await?;
        let imported = desk::import(&self.node, &peer, &header.file_name, &header.mapping, &file)
            .await
            .map_err(refused)?;
        let summary = imported.summary;
        info!(accepted = summary.rows_accepted, quarantined = summary.rows_quarantined, "imported");
        let reported = imported.quarantined.into_iter().take(QUARANTINE_REPORTED_MAX);
        Ok(Response::new(wire::ImportResponse {
            import_sha256: summary.digest,
            already_imported: imported.already,
            rows_read: summary.rows_read,
            rows_left_out: summary.rows_left_out,
            rows_unchanged: summary.rows_unchanged,
            rows_accepted: summary.rows_accepted,
            rows_quarantined: summary.rows_quarantined,
            quarantined: reported
                .map(|quarantined| wire::Quarantined {
                    row: quarantined.row,
                    field: quarantined.why.field,
                    reason: quarantined.why.reason.code().to_owned(),
                    hint: quarantined.why.detail,
                })
                .collect(),
        }))
    }

    async fn freeze(
        &self,
        request: Request<wire::FreezeRequest>,
    ) -> Result<Response<wire::FreezeResponse>, Status> {
        let peer = self.staff(&request, &[Role::Releaser])?;
        let wire::FreezeRequest { first_period, last_period } = request.into_inner();
        let editions =
            desk::freeze(&self.node, &peer, &first_period, &last_period).await.map_err(refused)?;
        info!(editions = editions.len(), "frozen");
        let editions = editions.iter().map(|edition| edition.to_wire()).collect();
        Ok(Response::new(wire::FreezeResponse { editions }))
    }

    async fn grant(
        &self,
        request: Request<wire::GrantRequest>,
    ) -> Result<Response<wire::GrantResponse>, Status> {
        let peer = self.staff(&request, &[Role::Releaser])?;
        let consent_epoch = desk::grant(&self.node, &peer, raw_grant(request.into_inner()))
            .await
            .map_err(refused)?;
        info!(consent_epoch, "consent given");
        Ok(Response::new(wire::GrantResponse { consent_epoch }))
    }

    async fn withdraw_grant(
        &self,
        request: Request<wire::WithdrawGrantRequest>,
    ) -> Result<Response<wire::WithdrawGrantResponse>, Status> {
        let peer = self.staff(&request, &[Role::Releaser])?;
        let wire::WithdrawGrantRequest { grant } = request.into_inner();
        let consent_epoch = desk::withdraw(&self.node, &peer, &grant).await.map_err(refused)?;
        info!(consent_epoch, "consent withdrawn");
        Ok(Response::new(wire::WithdrawGrantResponse { consent_epoch }))
    }

    async fn list_grants(
        &self,
        request: Request<wire::ListGrantsRequest>,
    ) -> Result<Response<wire::ListGrantsResponse>, Status> {
        self.staff(&request, READERS)?;
        let wire::ListGrantsRequest { page_size, page_token } = request.into_inner();
        let held = self.node.held.read().unwrap_or_else(PoisonError::into_inner);
        // Grants are ordered by their time-ordered ids; the token is the last one seen.
        let after = |grant: &&Grant| page_token.is_empty() || grant.id().to_string() > page_token;
        let mut grants: Vec<_> = held.grants.iter().filter(after).collect();
        grants.sort_unstable_by_key(|grant| grant.id());
        let size = usize::try_from(page_size.clamp(1, PAGE_SIZE_MAX)).unwrap_or(1);
        let more = grants.len() > size;
        grants.truncate(size);
        let next_page_token =
            grants.last().filter(|_| more).map_or(String::new(), |grant| grant.id().to_string());
        Ok(Response::new(wire::ListGrantsResponse {
            grants: grants.into_iter().map(grant_entry).collect(),
            next_page_token,
        }))
    }

    async fn get_status(
        &self,
        request: Request<wire::GetStatusRequest>,
    ) -> Result<Response<wire::GetStatusResponse>, Status> {
        self.staff(&request, READERS)?;
        let node = &self.node;
        let imports = node.store.imports()?;
        let head = node.store.head();
        // What a power cut could take back must not be shown.
        node.store.settled().await?;
        let held = node.held.read().unwrap_or_else(PoisonError::into_inner);
        let now = node.clock.now();
        Ok(Response::new(wire::GetStatusResponse {
            node: node.name().to_string(),
            jurisdiction: node.jurisdiction.to_string(),
            observations: held.live.len() as u64,
            imports: imports.len() as u64,
            grants_in_force: held.grants.iter().filter(|grant| grant.in_force(now)).count() as u64,
            answers_released: node.store.answers(),
            consent_epoch: head.consent_epoch(),
            journal_size: head.journal().size(),
            journal_root: head.journal().root().0.to_vec(),
            editions: held.editions.references().map(|edition| edition.to_wire()).collect(),
            imports_sha256: imports.into_iter().map(|import| import.digest).collect(),
        }))
    }
}

/// Collects a streamed file, up to the bound.
async fn receive(
    mut stream: Streaming<wire::ImportRequest>,
) -> Result<(wire::ImportHeader, Vec<u8>), Status> {
    use wire::import_request::Part;
    let mut header = None;
    let mut file = Vec::new();
    while let Some(wire::ImportRequest { part }) = stream.message().await? {
        match (part, &header) {
            (Some(Part::Header(first)), None) => header = Some(first),
            (Some(Part::Chunk(chunk)), Some(_)) if file.len() + chunk.len() <= IMPORT_BYTES_MAX => {
                file.extend_from_slice(&chunk);
            }
            (Some(Part::Chunk(_)), Some(_)) => {
                let detail = format!("more than {IMPORT_BYTES_MAX} bytes; split the file");
                return Err(Invalid::new(Reason::LimitExceeded, "file", detail).into());
            }
            (Some(Part::Header(_)), Some(_)) | (Some(Part::Chunk(_)), None) | (None, _) => {
                let detail = "send the header first and once, then chunks";
                return Err(Invalid::new(Reason::FieldInvalid, "part", detail).into());
            }
        }
    }
    let header =
        header.ok_or_else(|| Invalid::new(Reason::FieldMissing, "header", "nothing was sent"))?;
    Ok((header, file))
}

fn raw_grant(request: wire::GrantRequest) -> RawGrant {
    let wire::GrantRequest {
        grant,
        indicator,
        crime_areas,
        first_period,
        last_period,
        purpose,
        audience,
        from_s,
        until_s,
    } = request;
    RawGrant {
        grant,
        indicator,
        crime_areas,
        first_period,
        last_period,
        purpose,
        audience,
        from_s,
        until_s,
    }
}

fn grant_entry(grant: &Grant) -> wire::GrantEntry {
    let RawGrant {
        grant: id,
        indicator,
        crime_areas,
        first_period,
        last_period,
        purpose,
        audience,
        from_s,
        until_s,
    } = grant.to_raw();
    let terms = wire::GrantRequest {
        grant: id,
        indicator,
        crime_areas,
        first_period,
        last_period,
        purpose,
        audience,
        from_s,
        until_s,
    };
    wire::GrantEntry { grant: Some(terms), withdrawn: grant.withdrawn() }
}
