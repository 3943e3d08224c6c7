//! The inbox, for national staff. Who may call what stands here; who may do which step, the inbox itself says.

use std::sync::Arc;

use accord_proto::{
    clock::Timestamp,
    identity::Role,
    limits::{PAGE_SIZE_MAX, TOTALS_MAX},
    reason::{Invalid, Reason},
    seal::Digest,
    transport::{Peer, listener::caller},
    wire::desk as wire,
};
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};
use tracing::warn;

use crate::{
    answer::Node,
    desk::{check_staff, inbox as desk},
    inbox::{DECIDERS, Decline, DeclineCode, Extent, Item, Step},
};

mod show;

/// Who reads: not whoever only keeps the service running.
const READERS: &[Role] = &[Role::Analyst, Role::Releaser, Role::Auditor];

/// The adapter.
#[derive(Clone)]
pub struct InboxService {
    node: Arc<Node>,
    /// Previews that are being worked out.
    looks: Arc<Semaphore>,
}

impl InboxService {
    /// The inbox of a node.
    pub fn new(node: Arc<Node>) -> Self {
        Self { node, looks: Arc::new(Semaphore::new(TOTALS_MAX)) }
    }

    fn staff<T>(&self, request: &Request<T>, roles: &[Role]) -> Result<Peer, Invalid> {
        let peer = caller(request)?;
        check_staff(&self.node, &peer, roles)?;
        Ok(peer)
    }

    fn entry(&self, item: &Item) -> wire::InboxEntry {
        show::entry(item, self.node.clock.now())
    }
}

/// Logs where the error is handled; the text for the person goes back to the person.
fn refused(error: Invalid) -> Status {
    warn!(reason = %error.reason, "refused");
    error.into()
}

#[tonic::async_trait]
impl wire::inbox_server::Inbox for InboxService {
    async fn list_inbox(
        &self,
        request: Request<wire::ListInboxRequest>,
    ) -> Result<Response<wire::ListInboxResponse>, Status> {
        self.staff(&request, READERS)?;
        let wire::ListInboxRequest { page_size, page_token, open_only } = request.into_inner();
        let now = self.node.clock.now();
        // Newest first, by time-ordered ids; the token is the last one seen.
        let wanted = |item: &Item| {
            let before = page_token.is_empty() || item.asked().id.to_string() < page_token;
            before && !(open_only && item.state(now).is_final())
        };
        let mut items = self.node.store.inbox(self.node.lists)?;
        items.retain(wanted);
        let size = usize::try_from(page_size.clamp(1, PAGE_SIZE_MAX)).unwrap_or(1);
        let more = items.len() > size;
        items.truncate(size);
        let last = items.last().filter(|_| more);
        let next_page_token = last.map_or(String::new(), |item| item.asked().id.to_string());
        let glass = desk::open_glass(&self.node)?;
        // What a power cut could take back must not be shown.
        self.node.store.settled().await?;
        Ok(Response::new(wire::ListInboxResponse {
            entries: items.iter().map(|item| self.entry(item)).collect(),
            next_page_token,
            glass: glass.iter().map(show::glass).collect(),
        }))
    }

    async fn get_inbox_item(
        &self,
        request: Request<wire::GetInboxItemRequest>,
    ) -> Result<Response<wire::GetInboxItemResponse>, Status> {
        self.staff(&request, READERS)?;
        let id = desk::id(&request.into_inner().requirement)?;
        let item = desk::item(&self.node, id).map_err(refused)?;
        let asked = desk::asked(&self.node, id);
        self.node.store.settled().await?;
        Ok(Response::new(show::item(&item, asked, self.entry(&item))?))
    }

    async fn decide_item(
        &self,
        request: Request<wire::DecideItemRequest>,
    ) -> Result<Response<wire::DecideItemResponse>, Status> {
        let peer = self.staff(&request, DECIDERS)?;
        let wire::DecideItemRequest { requirement, why, decision } = request.into_inner();
        let id = desk::id(&requirement)?;
        let step = step(decision).map_err(refused)?;
        let item = desk::decide(&self.node, &peer, id, (step, &why)).await.map_err(refused)?;
        Ok(Response::new(wire::DecideItemResponse { entry: Some(self.entry(&item)) }))
    }

    async fn preview_item(
        &self,
        request: Request<wire::PreviewItemRequest>,
    ) -> Result<Response<wire::PreviewItemResponse>, Status> {
        let peer = self.staff(&request, DECIDERS)?;
        let _place = self.looks.try_acquire().map_err(|_| {
            let detail = format!("{TOTALS_MAX} previews are being worked out; try again shortly");
            Invalid::new(Reason::Overloaded, "preview", detail)
        })?;
        let id = desk::id(&request.into_inner().requirement)?;
        let previewed = desk::preview(&self.node, &peer, id).await.map_err(refused)?;
        let entry = self.entry(&previewed.item);
        Ok(Response::new(show::preview(&previewed, entry, self.node.lists)))
    }

    async fn propose_item(
        &self,
        request: Request<wire::ProposeItemRequest>,
    ) -> Result<Response<wire::ProposeItemResponse>, Status> {
        let peer = self.staff(&request, DECIDERS)?;
        let wire::ProposeItemRequest { requirement, digest, why } = request.into_inner();
        let (id, digest) = (desk::id(&requirement)?, Digest::from_wire("digest", &digest)?);
        let item = desk::propose(&self.node, &peer, id, (digest, &why)).await.map_err(refused)?;
        Ok(Response::new(wire::ProposeItemResponse { entry: Some(self.entry(&item)) }))
    }

    async fn release_item(
        &self,
        request: Request<wire::ReleaseItemRequest>,
    ) -> Result<Response<wire::ReleaseItemResponse>, Status> {
        let peer = self.staff(&request, &[Role::Releaser])?;
        let wire::ReleaseItemRequest { requirement, digest, why } = request.into_inner();
        let (id, digest) = (desk::id(&requirement)?, Digest::from_wire("digest", &digest)?);
        let item = desk::release(&self.node, &peer, id, (digest, &why)).await.map_err(refused)?;
        Ok(Response::new(wire::ReleaseItemResponse { entry: Some(self.entry(&item)) }))
    }

    async fn break_glass(
        &self,
        request: Request<wire::BreakGlassRequest>,
    ) -> Result<Response<wire::BreakGlassResponse>, Status> {
        let peer = self.staff(&request, &[Role::Releaser])?;
        let why = request.into_inner().why;
        let glass = desk::break_glass(&self.node, &peer, &why).await.map_err(refused)?;
        Ok(Response::new(wire::BreakGlassResponse { glass: Some(show::glass(&glass)) }))
    }
}

fn step(decision: Option<wire::decide_item_request::Decision>) -> Result<Step, Invalid> {
    use wire::decide_item_request::Decision;
    match decision {
        Some(Decision::Accept(wire::AcceptItem { leave_out, whole_only, totals_only })) => {
            Ok(Step::Accept(Extent::parse(leave_out, whole_only, totals_only)?))
        }
        Some(Decision::Defer(wire::DeferItem { until_s })) => {
            Ok(Step::Defer(Timestamp::from_s("until_s", until_s)?))
        }
        Some(Decision::Decline(wire::DeclineItem { code, tell })) => {
            let code = Some(code.as_str()).filter(|code| !code.is_empty());
            let code = code.map(|code| DeclineCode::parse("code", code)).transpose()?;
            Ok(Step::Decline(Decline { code, tell }))
        }
        Some(Decision::Withdraw(wire::WithdrawItem {})) => Ok(Step::Withdraw),
        None => Err(Invalid::new(
            Reason::FieldMissing,
            "decision",
            "is none of accept, defer, decline, withdraw",
        )),
    }
}
