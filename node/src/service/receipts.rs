//! Receipts and released answers, for national staff. The matrix of role × method stands here.

use std::sync::Arc;

use accord_proto::{
    id::RequirementId,
    identity::Role,
    limits::PAGE_SIZE_MAX,
    reason::{Invalid, Reason},
    transport::{Peer, listener::caller},
    wire::desk as wire,
};
use tonic::{Request, Response, Status};
use tracing::{info, warn};

use crate::{
    answer::Node,
    desk::{check_staff, receipts},
    receipt::{Receipt, Rule},
};

/// Who reads what was released.
const READERS: &[Role] = &[Role::Auditor, Role::Releaser];

/// The adapter.
#[derive(Clone)]
pub struct ReceiptsService {
    /// Whose service this is.
    pub node: Arc<Node>,
}

impl ReceiptsService {
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
impl wire::receipts_server::Receipts for ReceiptsService {
    async fn list_receipts(
        &self,
        request: Request<wire::ListReceiptsRequest>,
    ) -> Result<Response<wire::ListReceiptsResponse>, Status> {
        self.staff(&request, READERS)?;
        let wire::ListReceiptsRequest { requirement, page_size, page_token } = request.into_inner();
        if !requirement.is_empty() {
            RequirementId::parse("requirement", &requirement)?;
        }
        let before = match page_token.as_str() {
            "" => None,
            token => Some(token.parse::<u64>().map_err(|_| {
                Invalid::new(Reason::FieldInvalid, "page_token", "is not one of ours")
            })?),
        };
        let size = usize::try_from(page_size.clamp(1, PAGE_SIZE_MAX)).unwrap_or(1);
        let wanted =
            |receipt: &Receipt| requirement.is_empty() || receipt.requirement == requirement;
        let receipts = self.node.store.receipts(before, wanted, size)?;
        // What a power cut could take back must not be shown.
        self.node.store.settled().await?;
        let next_page_token = receipts
            .last()
            .filter(|_| receipts.len() == size)
            .map_or_else(String::new, |last| last.sequence.to_string());
        let receipts = receipts.into_iter().map(to_wire).collect();
        Ok(Response::new(wire::ListReceiptsResponse { receipts, next_page_token }))
    }

    async fn get_receipt(
        &self,
        request: Request<wire::GetReceiptRequest>,
    ) -> Result<Response<wire::GetReceiptResponse>, Status> {
        self.staff(&request, READERS)?;
        let wire::GetReceiptRequest { sequence } = request.into_inner();
        let receipt = self.node.store.receipt(sequence).map_err(refused)?;
        self.node.store.settled().await?;
        Ok(Response::new(wire::GetReceiptResponse { receipt: Some(to_wire(receipt)) }))
    }

    async fn export_answer(
        &self,
        request: Request<wire::ExportAnswerRequest>,
    ) -> Result<Response<wire::ExportAnswerResponse>, Status> {
        let peer = self.staff(&request, &[Role::Releaser])?;
        let wire::ExportAnswerRequest { requirement } = request.into_inner();
        let id = RequirementId::parse("requirement", &requirement)?;
        let receipts::Exported { file, consent_changed } =
            receipts::export(&self.node, &peer, id).await.map_err(refused)?;
        info!(requirement, "answer handed out");
        Ok(Response::new(wire::ExportAnswerResponse { file, consent_changed }))
    }
}

fn to_wire(receipt: Receipt) -> wire::Receipt {
    let Receipt {
        sequence,
        at_s,
        requirement,
        requirement_digest,
        authority,
        audience,
        consent_epoch,
        consent,
        grants,
        policy,
        policy_commitment,
        rules,
        nano_rho,
        software,
        journal_sequence,
        table,
        seal,
        supersedes,
    } = receipt;
    let rule = |Rule { indicator, mode, tier }| wire::AppliedRule { indicator, mode, tier };
    wire::Receipt {
        sequence,
        at_s,
        requirement,
        requirement_sha256: requirement_digest,
        authority,
        audience,
        consent_epoch,
        consent_sha256: consent,
        grants,
        policy_sha256: policy,
        secret_policy_sha256: policy_commitment,
        rules: rules.into_iter().map(rule).collect(),
        nano_rho,
        software,
        journal_sequence,
        table_sha256: table,
        seal_sha256: seal,
        supersedes_sha256: supersedes,
    }
}
