//! Region, for regional staff: parse, call, convert. The matrix of role × method stands here.

use std::{pin::Pin, sync::Arc, time::Duration};

use accord_proto::{
    clock::Timestamp,
    id::RequirementId,
    identity::{Place, Role},
    limits::{
        BACKUPS_MAX, CALL_DEADLINE_MIN, CALL_TIMEOUT, GATHER_CONCURRENCY_MAX, MEMBERS_MAX,
        PAGE_SIZE_MAX,
    },
    protocol::V2,
    question::{Cancellation, Requirement, SignedRequirement},
    reason::{Invalid, Reason},
    transport::{
        Peer,
        heard::Heard,
        listener::{caller, heard},
        outgoing::Outgoing,
    },
    wire::{self as exchange, region as wire},
};
use futures_util::{StreamExt as _, stream};
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::{Stream, wrappers::ReceiverStream};
use tonic::{Request, Response, Status};
use tracing::{info, warn};

use crate::{
    archive::Drawn,
    custody, deliver, evidence,
    gather::Caller,
    requirement, standing,
    survey::{self, Coordinator},
};

mod backup;
mod collections;
mod deliveries;
mod feasible;
mod journal;
mod maintenance;
mod members;
pub mod products;
pub mod rankings;

/// Who may read what is released: an observer no more than that.
const READERS: &[Role] =
    &[Role::Analyst, Role::Editor, Role::Observer, Role::Custodian, Role::Auditor, Role::Operator];
/// Who may see what is being asked.
const INSIDERS: &[Role] =
    &[Role::Analyst, Role::Editor, Role::Custodian, Role::Auditor, Role::Operator];

/// Bytes of a file in one message.
const PIECE_BYTES: usize = 256 * 1024;
/// A file on its way.
type Pieces = Pin<Box<dyn Stream<Item = Result<wire::GetEvidenceResponse, Status>> + Send>>;

/// The adapter.
#[derive(Clone)]
pub struct RegionService {
    /// Whose service this is.
    pub coordinator: Arc<Coordinator>,
    /// Backups under way.
    backups: Arc<Semaphore>,
}

impl RegionService {
    /// The region's service of a coordinator.
    pub fn of(coordinator: Arc<Coordinator>) -> Self {
        Self { coordinator, backups: Arc::new(Semaphore::new(BACKUPS_MAX)) }
    }

    fn staff<T>(&self, request: &Request<T>, roles: &[Role]) -> Result<Peer, Invalid> {
        let peer = caller(request)?;
        check_staff(&self.coordinator, &peer, roles)?;
        Ok(peer)
    }

    /// The same for whatever makes members be asked, now or later: not during maintenance.
    fn asks<T>(&self, request: &Request<T>) -> Result<Peer, Invalid> {
        let peer = self.staff(request, &[Role::Analyst])?;
        self.coordinator.caller.peers.check_own()?;
        Ok(peer)
    }

    /// A requirement as it was taken in, and where it stands.
    fn entry(
        &self,
        id: RequirementId,
        envelope: exchange::Envelope,
        picture_version: u32,
    ) -> Result<wire::RequirementEntry, Invalid> {
        let Coordinator { archive, lists, clock, .. } = &*self.coordinator;
        let mut entry = wire::RequirementEntry { picture_version, ..Default::default() };
        if let Ok(asked) =
            SignedRequirement::open(envelope.clone(), &self.coordinator.roster(), lists)
        {
            let cancelled = archive.cancellation(id)?.is_some();
            let (state, until) = requirement::state(asked.requirement(), cancelled, clock.now());
            entry.state = state.as_str().to_owned();
            entry.state_until_s = until.map_or(0, Timestamp::as_s);
            entry.state_reason = state.reason().to_owned();
        }
        Ok(wire::RequirementEntry { requirement: Some(envelope), ..entry })
    }

    fn requirement(&self, text: &str) -> Result<SignedRequirement, Invalid> {
        let id = RequirementId::parse("requirement", text)?;
        let envelope = self.coordinator.archive.requirement(id)?;
        SignedRequirement::open(envelope, &self.coordinator.roster(), self.coordinator.lists)
    }
}

/// How many answers of a picture do not stand any more.
fn concerned(coordinator: &Coordinator, of: &wire::PictureEntry) -> Result<u32, Invalid> {
    let id = RequirementId::parse("archive.picture", &of.requirement)?;
    let archive = &coordinator.archive;
    if archive.notices(id)?.is_empty() {
        return Ok(0);
    }
    let drawn = archive.picture(id, Some(of.version))?;
    let concerned = document(coordinator, id, drawn)?.notices.len();
    Ok(u32::try_from(concerned).unwrap_or(u32::MAX))
}

/// A picture with what is said of its answers since.
fn document(
    coordinator: &Coordinator,
    id: RequirementId,
    drawn: Drawn,
) -> Result<wire::PictureDocument, Invalid> {
    let Drawn { version, drawn_at_s, envelope, .. } = drawn;
    let payload = envelope.as_ref().map_or(&[][..], |envelope| &envelope.payload);
    let notices = standing::concerning(&coordinator.archive, id, payload)?;
    Ok(wire::PictureDocument { version, drawn_at_s, picture: envelope, notices })
}

/// Refuses everybody but regional staff in one of `roles`.
fn check_staff(coordinator: &Coordinator, caller: &Peer, roles: &[Role]) -> Result<(), Invalid> {
    let identity = &caller.identity;
    let own = identity.federation == coordinator.roster().federation
        && identity.place == Place::Region
        && identity.role.is_staff();
    if own && roles.contains(&identity.role) {
        return Ok(());
    }
    let wanted: Vec<_> = roles.iter().map(|role| role.one()).collect();
    let detail = format!("{identity} may not; this takes {} of the region", wanted.join(" or "));
    Err(Invalid::new(Reason::CertificateRole, "certificate", detail))
}

#[tonic::async_trait]
impl wire::region_server::Region for RegionService {
    async fn list_members(
        &self,
        request: Request<wire::ListMembersRequest>,
    ) -> Result<Response<wire::ListMembersResponse>, Status> {
        self.staff(&request, INSIDERS)?;
        let tells = heard(&request).speaks(V2);
        let wire::ListMembersRequest { describe } = request.into_inner();
        let roster = self.coordinator.roster();
        let asking: Vec<_> = roster
            .members
            .iter()
            .map(|member| {
                let caller = self.coordinator.caller.clone();
                members::entry(caller, member.clone(), describe, self.coordinator.lists)
            })
            .collect();
        let mut members: Vec<_> =
            stream::iter(asking).buffered(GATHER_CONCURRENCY_MAX).collect().await;
        if describe && tells {
            for (entry, member) in members.iter_mut().zip(&roster.members) {
                let Heard { protocol, clock_offset_ms, .. } =
                    self.coordinator.caller.peers.of(&member.node);
                (entry.protocol, entry.clock_offset_ms) = (protocol, clock_offset_ms);
            }
        }
        Ok(Response::new(wire::ListMembersResponse {
            federation: roster.federation.to_string(),
            roster_version: roster.version,
            members,
            endings: if describe && tells {
                members::endings(&self.coordinator)
            } else {
                Vec::new()
            },
            in_doubt: describe && tells && self.coordinator.archive.in_doubt()?,
        }))
    }

    async fn issue_requirement(
        &self,
        request: Request<wire::IssueRequirementRequest>,
    ) -> Result<Response<wire::IssueRequirementResponse>, Status> {
        let peer = self.asks(&request)?;
        let wire::IssueRequirementRequest { requirement } = request.into_inner();
        let envelope = requirement
            .ok_or_else(|| Invalid::new(Reason::FieldMissing, "requirement", "nothing is asked"))?;
        let coordinator = &self.coordinator;
        let roster = coordinator.roster();
        let asked = SignedRequirement::open(envelope, &roster, coordinator.lists)?;
        if let Some(stranger) =
            asked.requirement().members.iter().find(|name| roster.member(name).is_none())
        {
            let detail = format!("{stranger} is not in the roster");
            return Err(Invalid::new(Reason::NotFound, "requirement.members", detail).into());
        }
        coordinator.archive.issue(&peer, &asked, coordinator.clock.now()).await?;
        let requirement = asked.requirement().id.to_string();
        info!(requirement, "issued");
        Ok(Response::new(wire::IssueRequirementResponse { requirement }))
    }

    async fn assess_feasibility(
        &self,
        request: Request<wire::AssessFeasibilityRequest>,
    ) -> Result<Response<wire::AssessFeasibilityResponse>, Status> {
        self.asks(&request)?;
        let draft = request.into_inner().draft;
        let draft =
            draft.ok_or_else(|| Invalid::new(Reason::FieldMissing, "draft", "nothing is asked"))?;
        let draft = Requirement::check(draft, self.coordinator.lists)?;
        Ok(Response::new(feasible::assess(&self.coordinator, &draft).await?))
    }

    async fn cancel_requirement(
        &self,
        request: Request<wire::CancelRequirementRequest>,
    ) -> Result<Response<wire::CancelRequirementResponse>, Status> {
        let peer = self.staff(&request, &[Role::Analyst])?;
        let wire::CancelRequirementRequest { requirement, cancellation } = request.into_inner();
        let asked = self.requirement(&requirement)?;
        let envelope = cancellation.ok_or_else(|| {
            Invalid::new(Reason::FieldMissing, "cancellation", "nothing is taken back")
        })?;
        let coordinator = &self.coordinator;
        let cancellation = Cancellation::open(envelope, &asked, &coordinator.roster())?;
        let now = coordinator.clock.now();
        coordinator.archive.cancel(&peer, &asked, &cancellation, now).await?;
        info!(requirement, "cancelled");
        Ok(Response::new(wire::CancelRequirementResponse {}))
    }

    async fn ask_standing(
        &self,
        request: Request<wire::AskStandingRequest>,
    ) -> Result<Response<wire::AskStandingResponse>, Status> {
        let peer = self.asks(&request)?;
        let asked = standing::ask(&self.coordinator, &peer.identity).await?;
        let unreachable = asked.unreachable.into_iter().map(|(node, reason)| {
            let (node, reason) = (node.to_string(), reason.code().to_owned());
            wire::MemberUnreachable { node, reason }
        });
        Ok(Response::new(wire::AskStandingResponse { unreachable: unreachable.collect() }))
    }

    async fn list_requirements(
        &self,
        request: Request<wire::ListRequirementsRequest>,
    ) -> Result<Response<wire::ListRequirementsResponse>, Status> {
        self.staff(&request, INSIDERS)?;
        let wire::ListRequirementsRequest { page_size, page_token } = request.into_inner();
        let before = match page_token.as_str() {
            "" => None,
            token => Some(RequirementId::parse("page_token", token)?),
        };
        let archive = &self.coordinator.archive;
        let size = usize::try_from(page_size.clamp(1, PAGE_SIZE_MAX)).unwrap_or(1);
        // As they were taken in: an authority that has left the roster since does not hide what it asked.
        let listed = archive.requirements(before, size)?;
        let next_page_token = listed
            .last()
            .filter(|_| listed.len() == size)
            .map_or_else(String::new, |(id, _)| id.to_string());
        let mut requirements = Vec::new();
        for (id, envelope) in listed {
            let picture_version = archive.newest_version(id)?.unwrap_or(0);
            requirements.push(self.entry(id, envelope, picture_version)?);
        }
        archive.settled().await?;
        Ok(Response::new(wire::ListRequirementsResponse { requirements, next_page_token }))
    }

    type GatherStream = Pin<Box<dyn Stream<Item = Result<wire::GatherResponse, Status>> + Send>>;

    async fn gather(
        &self,
        request: Request<wire::GatherRequest>,
    ) -> Result<Response<Self::GatherStream>, Status> {
        let peer = self.asks(&request)?;
        let wire::GatherRequest { requirement, call_deadline_ms } = request.into_inner();
        let asked = self.requirement(&requirement)?;
        let mut caller: Caller = self.coordinator.caller.clone();
        if call_deadline_ms > 0 {
            caller.call_deadline = Duration::from_millis(call_deadline_ms.into());
        }
        if !(CALL_DEADLINE_MIN..=CALL_TIMEOUT).contains(&caller.call_deadline) {
            let (least, most) = (CALL_DEADLINE_MIN.as_millis(), CALL_TIMEOUT.as_millis());
            let detail = format!("{call_deadline_ms} where from {least} to {most} are possible");
            return Err(Invalid::new(Reason::LimitExceeded, "call_deadline_ms", detail).into());
        }
        // Room for one event of each member and the end: sending never waits, and never fails for want of room.
        let (events, stream) = mpsc::channel(MEMBERS_MAX + 1);
        let service = self.clone();
        tokio::spawn(async move {
            let coordinator = &service.coordinator;
            let event = |event| wire::GatherResponse { event: Some(event) };
            // Whoever has hung up does not stop the gather: its picture is kept all the same.
            let progress = |state: &crate::picture::MemberState| {
                if state.single_handed() {
                    warn!(node = %state.member.node, "released by one person under break-glass");
                }
                let _ = events
                    .try_send(Ok(event(wire::gather_response::Event::Member(state.to_wire()))));
            };
            let end = match survey::survey(coordinator, &peer, &asked, &caller, progress).await {
                Ok(drawn) => {
                    info!(requirement, version = drawn.version, "picture");
                    let document = document(coordinator, asked.requirement().id, drawn);
                    let picture = |document| event(wire::gather_response::Event::Picture(document));
                    document.map(picture).map_err(Status::from)
                }
                Err(error) => {
                    warn!(requirement, %error, "gather failed");
                    Err(error.into())
                }
            };
            let _ = events.try_send(end);
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }

    type WatchCollectionStream =
        Pin<Box<dyn Stream<Item = Result<wire::WatchCollectionResponse, Status>> + Send>>;

    async fn watch_collection(
        &self,
        request: Request<wire::WatchCollectionRequest>,
    ) -> Result<Response<Self::WatchCollectionStream>, Status> {
        self.staff(&request, INSIDERS)?;
        let wire::WatchCollectionRequest { requirement, follow } = request.into_inner();
        let id = RequirementId::parse("requirement", &requirement)?;
        let states = collections::states(Arc::clone(&self.coordinator), id, follow)?;
        Ok(Response::new(states))
    }

    async fn get_picture(
        &self,
        request: Request<wire::GetPictureRequest>,
    ) -> Result<Response<wire::GetPictureResponse>, Status> {
        self.staff(&request, INSIDERS)?;
        let wire::GetPictureRequest { requirement, version } = request.into_inner();
        let id = RequirementId::parse("requirement", &requirement)?;
        let archive = &self.coordinator.archive;
        let drawn = archive.picture(id, (version > 0).then_some(version))?;
        // What a power cut could take back must not be shown.
        archive.settled().await?;
        let document = document(&self.coordinator, id, drawn)?;
        Ok(Response::new(wire::GetPictureResponse { picture: Some(document) }))
    }

    type GetEvidenceStream = Pieces;

    async fn get_evidence(
        &self,
        request: Request<wire::GetEvidenceRequest>,
    ) -> Result<Response<Self::GetEvidenceStream>, Status> {
        self.staff(&request, INSIDERS)?;
        let wire::GetEvidenceRequest { requirement, version } = request.into_inner();
        let id = RequirementId::parse("requirement", &requirement)?;
        let archive = &self.coordinator.archive;
        let file = evidence::of(archive, id, (version > 0).then_some(version))?;
        archive.settled().await?;
        let piece = |piece: &[u8]| Ok(wire::GetEvidenceResponse { piece: piece.to_vec() });
        let pieces: Vec<_> = file.chunks(PIECE_BYTES).map(piece).collect();
        Ok(Response::new(Box::pin(stream::iter(pieces))))
    }

    type GetGateMemoryStream =
        Pin<Box<dyn Stream<Item = Result<wire::GetGateMemoryResponse, Status>> + Send>>;

    async fn get_gate_memory(
        &self,
        request: Request<wire::GetGateMemoryRequest>,
    ) -> Result<Response<Self::GetGateMemoryStream>, Status> {
        self.staff(&request, &[Role::Custodian])?;
        let wire::GetGateMemoryRequest { requirement, version } = request.into_inner();
        let id = RequirementId::parse("requirement", &requirement)?;
        let Coordinator { archive, lists, .. } = &*self.coordinator;
        let roster = self.coordinator.roster();
        let file =
            custody::memory(archive, (&roster, lists), id, (version > 0).then_some(version))?;
        archive.settled().await?;
        let piece = |piece: &[u8]| Ok(wire::GetGateMemoryResponse { piece: piece.to_vec() });
        let pieces: Vec<_> = file.chunks(PIECE_BYTES).map(piece).collect();
        Ok(Response::new(Box::pin(stream::iter(pieces))))
    }

    async fn list_deliveries(
        &self,
        request: Request<wire::ListDeliveriesRequest>,
    ) -> Result<Response<wire::ListDeliveriesResponse>, Status> {
        self.staff(&request, INSIDERS)?;
        let wire::ListDeliveriesRequest { requirement, version } = request.into_inner();
        let asked = self.requirement(&requirement)?;
        let version = (version > 0).then_some(version);
        let (version, states) = deliver::states(&self.coordinator, &asked, version)?;
        self.coordinator.archive.settled().await?;
        let deliveries = states.into_iter().map(deliveries::delivery).collect();
        Ok(Response::new(wire::ListDeliveriesResponse { version, deliveries }))
    }

    async fn deliver_picture(
        &self,
        request: Request<wire::DeliverPictureRequest>,
    ) -> Result<Response<wire::DeliverPictureResponse>, Status> {
        let peer = self.asks(&request)?;
        let asked = self.requirement(&request.into_inner().requirement)?;
        deliver::deliver(&self.coordinator, &peer.identity, &asked).await?;
        let (version, states) = deliver::states(&self.coordinator, &asked, None)?;
        let deliveries = states.into_iter().map(deliveries::delivery).collect();
        Ok(Response::new(wire::DeliverPictureResponse { version, deliveries }))
    }

    async fn list_pictures(
        &self,
        request: Request<wire::ListPicturesRequest>,
    ) -> Result<Response<wire::ListPicturesResponse>, Status> {
        self.staff(&request, INSIDERS)?;
        let wire::ListPicturesRequest { page_size, page_token } = request.into_inner();
        let size = usize::try_from(page_size.clamp(1, PAGE_SIZE_MAX)).unwrap_or(1);
        let before = match page_token.split_once(':') {
            None if page_token.is_empty() => None,
            Some((id, version)) if version.parse::<u32>().is_ok() => {
                Some((RequirementId::parse("page_token", id)?, version.parse().unwrap_or(0)))
            }
            None | Some(_) => {
                return Err(
                    Invalid::new(Reason::FieldInvalid, "page_token", "is not one of ours").into()
                );
            }
        };
        let mut pictures = self.coordinator.archive.pictures(before, size)?;
        for picture in &mut pictures {
            picture.notices = concerned(&self.coordinator, picture)?;
            let id = RequirementId::parse("archive.picture", &picture.requirement)?;
            let newest = self.coordinator.archive.newest_version(id)?;
            picture.superseded = newest.is_some_and(|newest| newest > picture.version);
        }
        self.coordinator.archive.settled().await?;
        let next_page_token = pictures
            .last()
            .filter(|_| pictures.len() == size)
            .map_or_else(String::new, |last| format!("{}:{}", last.requirement, last.version));
        Ok(Response::new(wire::ListPicturesResponse { pictures, next_page_token }))
    }

    type BackupStream = Outgoing<wire::BackupChunk>;

    async fn backup(
        &self,
        request: Request<wire::BackupRequest>,
    ) -> Result<Response<Self::BackupStream>, Status> {
        let peer = self.staff(&request, &[Role::Operator])?;
        let place = Arc::clone(&self.backups).try_acquire_owned().map_err(|_| {
            Invalid::new(Reason::Overloaded, "backup", "one is under way; wait for its end")
        })?;
        Ok(Response::new(backup::stream(Arc::clone(&self.coordinator), peer, place)))
    }

    async fn confirm_restore(
        &self,
        request: Request<wire::ConfirmRestoreRequest>,
    ) -> Result<Response<wire::ConfirmRestoreResponse>, Status> {
        let peer = self.staff(&request, &[Role::Custodian])?;
        let wire::ConfirmRestoreRequest { why } = request.into_inner();
        let Coordinator { archive, clock, .. } = &*self.coordinator;
        let journal_sequence = archive.confirm_restore(&peer, &why, clock.now()).await?;
        info!("restore confirmed");
        Ok(Response::new(wire::ConfirmRestoreResponse { journal_sequence }))
    }
}
