//! Summaries, for national staff. The matrix of role × method stands here and is tested cell by cell.

use std::sync::Arc;

use accord_proto::{
    identity::Role,
    reason::{Invalid, Reason},
    transport::{Peer, listener::caller},
    wire::desk as wire,
};
use tonic::{Request, Response, Status};
use tracing::{info, warn};

use crate::{
    answer::Node,
    desk::{
        check_staff,
        summaries::{self, Shown, Standing},
    },
    summary::{Step, find::RawQuery},
};

/// Who writes.
const WRITERS: &[Role] = &[Role::Analyst];
/// Who checks and takes back; whether it may be this very person, the summary's own history says.
const CHECKERS: &[Role] = &[Role::Analyst, Role::Releaser];
/// Who reads: not whoever only keeps the service running.
const READERS: &[Role] = &[Role::Analyst, Role::Releaser, Role::Auditor];

/// The adapter.
#[derive(Clone)]
pub struct SummariesService {
    /// Whose service this is.
    pub node: Arc<Node>,
}

impl SummariesService {
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
impl wire::summaries_server::Summaries for SummariesService {
    async fn create_summary(
        &self,
        request: Request<wire::CreateSummaryRequest>,
    ) -> Result<Response<wire::SummaryResponse>, Status> {
        let peer = self.staff(&request, WRITERS)?;
        let wire::CreateSummaryRequest { summary, document, why, unless_held } =
            request.into_inner();
        let written = (summary.as_str(), document.as_str());
        let standing = summaries::create(&self.node, &peer, written, &why, unless_held).await;
        stands("created", standing)
    }

    async fn revise_summary(
        &self,
        request: Request<wire::ReviseSummaryRequest>,
    ) -> Result<Response<wire::SummaryResponse>, Status> {
        let peer = self.staff(&request, WRITERS)?;
        let wire::ReviseSummaryRequest { summary, version, document, why } = request.into_inner();
        let base = (summary.as_str(), version);
        stands("revised", summaries::revise(&self.node, &peer, base, &document, &why).await)
    }

    async fn advance_summary(
        &self,
        request: Request<wire::AdvanceSummaryRequest>,
    ) -> Result<Response<wire::SummaryResponse>, Status> {
        let peer = self.staff(&request, CHECKERS)?;
        let message = request.into_inner();
        let step = match message.step() {
            wire::SummaryStep::Evaluate => Step::Evaluate,
            wire::SummaryStep::Validate => Step::Validate,
            wire::SummaryStep::Unspecified => {
                let detail = "is neither evaluate nor validate";
                return Err(refused(Invalid::new(Reason::FieldMissing, "step", detail)));
            }
        };
        let wire::AdvanceSummaryRequest { summary, version, step: _, why } = message;
        let which = (summary.as_str(), version);
        stands("advanced", summaries::advance(&self.node, &peer, which, step, &why).await)
    }

    async fn withdraw_summary(
        &self,
        request: Request<wire::WithdrawSummaryRequest>,
    ) -> Result<Response<wire::SummaryResponse>, Status> {
        let peer = self.staff(&request, CHECKERS)?;
        let wire::WithdrawSummaryRequest { summary, why } = request.into_inner();
        stands("withdrawn", summaries::withdraw(&self.node, &peer, &summary, &why).await)
    }

    async fn list_summaries(
        &self,
        request: Request<wire::ListSummariesRequest>,
    ) -> Result<Response<wire::ListSummariesResponse>, Status> {
        let peer = self.staff(&request, READERS)?;
        let wire::ListSummariesRequest {
            page_size,
            page_token,
            text,
            crime_area,
            period,
            indicator,
            grade,
            handling,
            state,
        } = request.into_inner();
        let raw = RawQuery { text, crime_area, period, indicator, grade, handling, state };
        let (shown, next_page_token) =
            summaries::list(&self.node, &peer, &raw, (&page_token, page_size))
                .await
                .map_err(refused)?;
        let entries = shown.iter().map(entry).collect();
        Ok(Response::new(wire::ListSummariesResponse { entries, next_page_token }))
    }

    async fn get_summary(
        &self,
        request: Request<wire::GetSummaryRequest>,
    ) -> Result<Response<wire::GetSummaryResponse>, Status> {
        let peer = self.staff(&request, READERS)?;
        let wire::GetSummaryRequest { summary, version } = request.into_inner();
        let (shown, versions) =
            summaries::show(&self.node, &peer, &summary, version).await.map_err(refused)?;
        let history = shown.version.history.events().map(|event| wire::SummaryEvent {
            at_s: event.at.as_s(),
            by: event.by.to_string(),
            step: event.step.to_string(),
            why: event.why.clone(),
        });
        let versions = versions.iter().map(|shown| wire::SummaryVersion {
            version: shown.version.number,
            state: shown.state.to_string(),
            written_at_s: shown.version.history.written_at().as_s(),
        });
        Ok(Response::new(wire::GetSummaryResponse {
            entry: Some(entry(&shown)),
            document: shown.version.document.text().to_owned(),
            document_sha256: shown.version.document.digest().0.to_vec(),
            history: history.collect(),
            versions: versions.collect(),
        }))
    }

    async fn diff_summary(
        &self,
        request: Request<wire::DiffSummaryRequest>,
    ) -> Result<Response<wire::DiffSummaryResponse>, Status> {
        let peer = self.staff(&request, READERS)?;
        let wire::DiffSummaryRequest { summary, from_version, to_version } = request.into_inner();
        let (from_version, to_version, changes) =
            summaries::compare(&self.node, &peer, &summary, (from_version, to_version))
                .await
                .map_err(refused)?;
        let changes = changes.into_iter().map(|changed| wire::SummaryChange {
            field: changed.field,
            before: changed.before.unwrap_or_default(),
            after: changed.after.unwrap_or_default(),
        });
        let changes = changes.collect();
        Ok(Response::new(wire::DiffSummaryResponse { from_version, to_version, changes }))
    }
}

/// No title, no text: a log is read by more people than a summary.
fn stands(
    done: &str,
    standing: Result<Standing, Invalid>,
) -> Result<Response<wire::SummaryResponse>, Status> {
    let Standing { id, version, state, digest, already } = standing.map_err(refused)?;
    info!(summary = %id, version, %state, already, "{done}");
    Ok(Response::new(wire::SummaryResponse {
        summary: id.to_string(),
        version,
        state: state.to_string(),
        document_sha256: digest.0.to_vec(),
        already,
    }))
}

fn entry(shown: &Shown) -> wire::SummaryEntry {
    let Shown { id, version, state } = shown;
    let (document, written) = (&version.document, version.document.written());
    wire::SummaryEntry {
        summary: id.to_string(),
        version: version.number,
        state: state.to_string(),
        title: written.title.clone(),
        product_type: written.product_type.clone(),
        crime_areas: written.crime_areas.clone(),
        period: written.period.clone(),
        regions: written.regions.clone(),
        tlp: written.handling.tlp.clone(),
        europol_codes: written.handling.europol_codes.clone(),
        classification: written.handling.classification.clone(),
        written_at_s: version.history.written_at().as_s(),
        expires_at_s: document.expires_at().as_s(),
    }
}
