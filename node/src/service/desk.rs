//! Desk, for national staff. The matrix of role × method stands here and is tested cell by cell.

use std::sync::{Arc, PoisonError};

use accord_proto::{
    clock::Timestamp,
    expiry::Ending,
    identity::Role,
    limits::{BACKUPS_MAX, IMPORTS_MAX, TOTALS_MAX},
    protocol::V2,
    reason::{Invalid, Reason},
    transport::{
        Peer,
        listener::{caller, heard},
        outgoing,
    },
    wire::desk as wire,
};
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status, Streaming};
use tracing::{info, warn};

use crate::{answer::Node, desk};

mod budget;
mod bulletins;
mod grants;
mod imports;
mod keeping;
mod totals;
mod whatif;

/// Who may read.
const READERS: &[Role] = &[Role::Analyst, Role::Releaser, Role::Auditor, Role::Operator];

/// The adapter.
#[derive(Clone)]
pub struct DeskService {
    /// Whose service this is.
    pub node: Arc<Node>,
    /// Imports under way.
    pub imports: Arc<Semaphore>,
    /// Own totals that are being read.
    pub looks: Arc<Semaphore>,
    /// Backups under way.
    pub backups: Arc<Semaphore>,
}

impl DeskService {
    /// The desk of a node.
    pub fn new(node: Arc<Node>) -> Self {
        let backups = Arc::new(Semaphore::new(BACKUPS_MAX));
        Self {
            node,
            imports: Arc::new(Semaphore::new(IMPORTS_MAX)),
            looks: Arc::new(Semaphore::new(TOTALS_MAX)),
            backups,
        }
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
        let imported = imports::receive(&self.node, &peer, request.into_inner()).await?;
        Ok(Response::new(imports::response(imported)))
    }

    async fn list_imports(
        &self,
        request: Request<wire::ListImportsRequest>,
    ) -> Result<Response<wire::ListImportsResponse>, Status> {
        self.staff(&request, READERS)?;
        Ok(Response::new(imports::list(&self.node, &request.into_inner())?))
    }

    async fn get_import(
        &self,
        request: Request<wire::GetImportRequest>,
    ) -> Result<Response<wire::GetImportResponse>, Status> {
        self.staff(&request, READERS)?;
        let number = request.into_inner().import;
        Ok(Response::new(imports::show(&self.node, number).map_err(refused)?))
    }

    async fn undo_import(
        &self,
        request: Request<wire::UndoImportRequest>,
    ) -> Result<Response<wire::UndoImportResponse>, Status> {
        let peer = self.staff(&request, &[Role::Analyst])?;
        let wire::UndoImportRequest { import, why } = request.into_inner();
        let observations =
            desk::imports::undo(&self.node, &peer, import, &why).await.map_err(refused)?;
        info!(import, "import undone");
        Ok(Response::new(wire::UndoImportResponse { observations }))
    }

    async fn save_mapping(
        &self,
        request: Request<wire::SaveMappingRequest>,
    ) -> Result<Response<wire::SaveMappingResponse>, Status> {
        let peer = self.staff(&request, &[Role::Analyst])?;
        let wire::SaveMappingRequest { name, text } = request.into_inner();
        desk::imports::save_mapping(&self.node, &peer, &name, &text).await.map_err(refused)?;
        Ok(Response::new(wire::SaveMappingResponse {}))
    }

    async fn list_mappings(
        &self,
        request: Request<wire::ListMappingsRequest>,
    ) -> Result<Response<wire::ListMappingsResponse>, Status> {
        self.staff(&request, READERS)?;
        let mappings = self.node.store.mappings()?;
        let entry = |(name, text): (String, String)| {
            let lines = u32::try_from(text.lines().count()).unwrap_or(u32::MAX);
            wire::MappingEntry { name, lines }
        };
        let mappings = mappings.into_iter().map(entry).collect();
        Ok(Response::new(wire::ListMappingsResponse { mappings }))
    }

    async fn get_mapping(
        &self,
        request: Request<wire::GetMappingRequest>,
    ) -> Result<Response<wire::GetMappingResponse>, Status> {
        self.staff(&request, READERS)?;
        let text = self.node.store.mapping(&request.into_inner().name).map_err(refused)?;
        Ok(Response::new(wire::GetMappingResponse { text }))
    }

    async fn get_template(
        &self,
        request: Request<wire::GetTemplateRequest>,
    ) -> Result<Response<wire::GetTemplateResponse>, Status> {
        self.staff(&request, READERS)?;
        let wire::GetTemplateRequest { indicator, events, csv } = request.into_inner();
        let made = desk::templates::template(&self.node, &indicator, events, csv);
        let (file, mapping) = made.map_err(refused)?;
        Ok(Response::new(wire::GetTemplateResponse { file, mapping }))
    }

    type ListTotalsStream = outgoing::Outgoing<wire::Total>;

    async fn list_totals(
        &self,
        request: Request<wire::ListTotalsRequest>,
    ) -> Result<Response<Self::ListTotalsStream>, Status> {
        let peer = self.staff(&request, &[Role::Analyst, Role::Releaser])?;
        let wanted = totals::wanted(&self.node, request.into_inner()).map_err(refused)?;
        let place = Arc::clone(&self.looks).try_acquire_owned().map_err(|_| {
            let detail = format!("{TOTALS_MAX} totals are being read; try again shortly");
            Invalid::new(Reason::Overloaded, "totals", detail)
        })?;
        let listed = totals::list(Arc::clone(&self.node), &peer, wanted, place);
        Ok(Response::new(listed.await.map_err(refused)?))
    }

    type ListContradictionsStream = outgoing::Outgoing<wire::Contradiction>;

    async fn list_contradictions(
        &self,
        request: Request<wire::ListContradictionsRequest>,
    ) -> Result<Response<Self::ListContradictionsStream>, Status> {
        let peer = self.staff(&request, &[Role::Analyst, Role::Releaser])?;
        let found = totals::contradictions(&self.node, &peer).await.map_err(refused)?;
        Ok(Response::new(found))
    }

    type DiffEditionsStream = outgoing::Outgoing<wire::CellChange>;

    async fn diff_editions(
        &self,
        request: Request<wire::DiffEditionsRequest>,
    ) -> Result<Response<Self::DiffEditionsStream>, Status> {
        let peer = self.staff(&request, &[Role::Analyst, Role::Releaser])?;
        let request = request.into_inner();
        let changes = totals::changes(&self.node, &peer, &request).await.map_err(refused)?;
        Ok(Response::new(changes))
    }

    async fn freeze(
        &self,
        request: Request<wire::FreezeRequest>,
    ) -> Result<Response<wire::FreezeResponse>, Status> {
        let peer = self.staff(&request, &[Role::Releaser])?;
        let wire::FreezeRequest { first_period, last_period } = request.into_inner();
        let frozen =
            desk::freeze(&self.node, &peer, &first_period, &last_period).await.map_err(refused)?;
        let desk::Frozen { editions, skipped } = frozen;
        info!(editions = editions.len(), "frozen");
        Ok(Response::new(wire::FreezeResponse {
            editions: editions.iter().map(|edition| edition.to_wire()).collect(),
            skipped: skipped.iter().map(ToString::to_string).collect(),
        }))
    }

    type ListBulletinsStream = outgoing::Outgoing<wire::BulletinEntry>;

    async fn list_bulletins(
        &self,
        request: Request<wire::ListBulletinsRequest>,
    ) -> Result<Response<Self::ListBulletinsStream>, Status> {
        self.staff(&request, &[Role::Analyst, Role::Releaser, Role::Auditor])?;
        Ok(Response::new(bulletins::list(&self.node)))
    }

    type ShowBulletinStream = outgoing::Outgoing<wire::BulletinCell>;

    async fn show_bulletin(
        &self,
        request: Request<wire::ShowBulletinRequest>,
    ) -> Result<Response<Self::ShowBulletinStream>, Status> {
        let peer = self.staff(&request, &[Role::Analyst, Role::Releaser])?;
        let _place = Arc::clone(&self.looks).try_acquire_owned().map_err(|_| {
            let detail = format!("{TOTALS_MAX} totals are being read; try again shortly");
            Invalid::new(Reason::Overloaded, "bulletin", detail)
        })?;
        let cells = bulletins::show(&self.node, &peer, &request.into_inner()).await;
        Ok(Response::new(cells.map_err(refused)?))
    }

    async fn sign_bulletin(
        &self,
        request: Request<wire::SignBulletinRequest>,
    ) -> Result<Response<wire::SignBulletinResponse>, Status> {
        let peer = self.staff(&request, &[Role::Releaser])?;
        let wire::SignBulletinRequest { period, indicator, edition, why } = request.into_inner();
        let of = (period.as_str(), indicator.as_str(), edition);
        let signed = desk::bulletins::sign(&self.node, &peer, of, &why).await.map_err(refused)?;
        info!(indicator = %signed.indicator, period = %signed.period, "bulletin signed");
        let bulletin = Some(bulletins::entry(signed));
        Ok(Response::new(wire::SignBulletinResponse { bulletin }))
    }

    async fn grant(
        &self,
        request: Request<wire::GrantRequest>,
    ) -> Result<Response<wire::GrantResponse>, Status> {
        let peer = self.staff(&request, &[Role::Releaser])?;
        let raw = grants::raw(request.into_inner());
        let consent_epoch = desk::grants::give(&self.node, &peer, raw).await.map_err(refused)?;
        info!(consent_epoch, "consent given");
        Ok(Response::new(wire::GrantResponse { consent_epoch }))
    }

    async fn narrow_grant(
        &self,
        request: Request<wire::NarrowGrantRequest>,
    ) -> Result<Response<wire::NarrowGrantResponse>, Status> {
        let peer = self.staff(&request, &[Role::Releaser])?;
        let raw = grants::raw(request.into_inner().grant.unwrap_or_default());
        let consent_epoch = desk::grants::narrow(&self.node, &peer, raw).await.map_err(refused)?;
        info!(consent_epoch, "consent narrowed");
        Ok(Response::new(wire::NarrowGrantResponse { consent_epoch }))
    }

    async fn suspend_grant(
        &self,
        request: Request<wire::SuspendGrantRequest>,
    ) -> Result<Response<wire::SuspendGrantResponse>, Status> {
        let peer = self.staff(&request, &[Role::Releaser])?;
        let wire::SuspendGrantRequest { grant } = request.into_inner();
        let suspended = desk::grants::suspend(&self.node, &peer, &grant).await;
        let consent_epoch = suspended.map_err(refused)?;
        info!(consent_epoch, "consent suspended");
        Ok(Response::new(wire::SuspendGrantResponse { consent_epoch }))
    }

    async fn resume_grant(
        &self,
        request: Request<wire::ResumeGrantRequest>,
    ) -> Result<Response<wire::ResumeGrantResponse>, Status> {
        let peer = self.staff(&request, &[Role::Releaser])?;
        let wire::ResumeGrantRequest { grant } = request.into_inner();
        let consent_epoch =
            desk::grants::resume(&self.node, &peer, &grant).await.map_err(refused)?;
        info!(consent_epoch, "consent resumed");
        Ok(Response::new(wire::ResumeGrantResponse { consent_epoch }))
    }

    async fn withdraw_grant(
        &self,
        request: Request<wire::WithdrawGrantRequest>,
    ) -> Result<Response<wire::WithdrawGrantResponse>, Status> {
        let peer = self.staff(&request, &[Role::Releaser])?;
        let wire::WithdrawGrantRequest { grant } = request.into_inner();
        let withdrawn = desk::grants::withdraw(&self.node, &peer, &grant).await;
        let consent_epoch = withdrawn.map_err(refused)?;
        info!(consent_epoch, "consent withdrawn");
        Ok(Response::new(wire::WithdrawGrantResponse { consent_epoch }))
    }

    async fn get_grant(
        &self,
        request: Request<wire::GetGrantRequest>,
    ) -> Result<Response<wire::GetGrantResponse>, Status> {
        self.staff(&request, READERS)?;
        let shown = grants::show(&self.node, &request.into_inner()).map_err(refused)?;
        // What a power cut could take back must not be shown.
        self.node.store.settled().await?;
        Ok(Response::new(shown))
    }

    async fn list_grants(
        &self,
        request: Request<wire::ListGrantsRequest>,
    ) -> Result<Response<wire::ListGrantsResponse>, Status> {
        self.staff(&request, READERS)?;
        Ok(Response::new(grants::list(&self.node, request.into_inner())))
    }

    async fn get_status(
        &self,
        request: Request<wire::GetStatusRequest>,
    ) -> Result<Response<wire::GetStatusResponse>, Status> {
        self.staff(&request, READERS)?;
        let tells = heard(&request).speaks(V2);
        let node = &self.node;
        let imports = node.store.imports()?;
        let head = node.store.head();
        let inbox = desk::inbox::overview(node)?;
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
            store_bytes: node.store.bytes()?,
            in_doubt: head.in_doubt(),
            inbox_open: inbox.open,
            decision_median_s: inbox.median_s,
            break_glass_until_s: inbox.alone_until.map_or(0, Timestamp::as_s),
            endings: if tells { endings(node) } else { Vec::new() },
            coordinators: if tells { coordinators(node) } else { Vec::new() },
        }))
    }

    type BackupStream = outgoing::Outgoing<wire::BackupChunk>;

    async fn backup(
        &self,
        request: Request<wire::BackupRequest>,
    ) -> Result<Response<Self::BackupStream>, Status> {
        let peer = self.staff(&request, &[Role::Operator])?;
        let place = Arc::clone(&self.backups).try_acquire_owned().map_err(|_| {
            Invalid::new(Reason::Overloaded, "backup", "one is under way; wait for its end")
        })?;
        Ok(Response::new(keeping::backup(Arc::clone(&self.node), peer, place)))
    }

    async fn erase_due(
        &self,
        request: Request<wire::EraseDueRequest>,
    ) -> Result<Response<wire::EraseDueResponse>, Status> {
        let peer = self.staff(&request, &[Role::Releaser])?;
        let erased = keeping::erase(&self.node, &peer, &request.into_inner()).await;
        Ok(Response::new(erased.map_err(refused)?))
    }

    async fn get_budget(
        &self,
        request: Request<wire::GetBudgetRequest>,
    ) -> Result<Response<wire::GetBudgetResponse>, Status> {
        self.staff(&request, &[Role::Auditor, Role::Releaser, Role::Operator])?;
        let page = budget::page(&self.node, &request.into_inner()).map_err(refused)?;
        // What a power cut could take back must not be shown.
        self.node.store.settled().await?;
        Ok(Response::new(page))
    }

    async fn try_policy(
        &self,
        request: Request<wire::TryPolicyRequest>,
    ) -> Result<Response<wire::TryPolicyResponse>, Status> {
        // Floors tried one after the other give away the one in force: whoever tries must be one who sets it.
        let secret = !request.get_ref().secret.is_empty();
        let roles: &[Role] =
            if secret { &[Role::Releaser] } else { &[Role::Releaser, Role::Analyst] };
        let peer = self.staff(&request, roles)?;
        let _place = self.looks.try_acquire().map_err(|_| {
            let detail = format!("{TOTALS_MAX} totals are being read; try again shortly");
            Invalid::new(Reason::Overloaded, "policy", detail)
        })?;
        let wire::TryPolicyRequest { policy, secret } = request.into_inner();
        let tried = desk::whatif::try_policy(&self.node, &peer, (&policy, &secret)).await;
        Ok(Response::new(whatif::response(&tried.map_err(refused)?)))
    }

    async fn confirm_restore(
        &self,
        request: Request<wire::ConfirmRestoreRequest>,
    ) -> Result<Response<wire::ConfirmRestoreResponse>, Status> {
        let peer = self.staff(&request, &[Role::Releaser])?;
        let why = request.into_inner().why;
        let confirmed = desk::confirm::confirm(&self.node, &peer, &why).await.map_err(refused)?;
        info!(losses = confirmed.losses, "restored store confirmed");
        Ok(Response::new(wire::ConfirmRestoreResponse {
            journal_sequence: confirmed.sequence,
            losses: confirmed.losses,
        }))
    }

    async fn leave(
        &self,
        request: Request<wire::LeaveRequest>,
    ) -> Result<Response<wire::LeaveResponse>, Status> {
        let peer = self.staff(&request, &[Role::Releaser])?;
        Ok(Response::new(keeping::leave(&self.node, &peer, request.into_inner()).await?))
    }
}

/// What was heard of coordinators since the start.
fn coordinators(node: &Node) -> Vec<wire::Heard> {
    let heard = node.coordinators.all().into_iter().map(|(name, heard)| wire::Heard {
        name: name.to_string(),
        protocol: heard.protocol,
        clock_offset_ms: heard.clock_offset_ms,
    });
    heard.collect()
}

/// What the node relies on, and when that ends.
fn endings(node: &Node) -> Vec<wire::Ending> {
    let all = node.endings.get();
    let all = all.iter().map(|Ending { what, ends, .. }| (what.clone(), ends.as_s()));
    all.map(|(what, ends_at_s)| wire::Ending { what, ends_at_s }).collect()
}
