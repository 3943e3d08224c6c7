//! Exchange, for the coordinator. Whoever is not a registered coordinator is refused before parsing.

use std::sync::{Arc, PoisonError};

use accord_proto::{
    client::{ShownJournals, StandingJournal},
    delivery::Head,
    identity::Role,
    journal::Proof,
    limits::DELIVERIES_MAX,
    reason::{Invalid, Reason},
    seal::Digest,
    taxonomy::{AudienceCode, IndicatorCode},
    transport::{
        Peer,
        listener::{caller, heard},
    },
    wire,
};
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status, Streaming};
use tracing::{info, warn};

use super::delivery;
use crate::{
    answer::{self, Node, Reply},
    disclose::{precision::standard_error_milli, protect::threshold},
    peers, pictures,
    policy::{Terms, TierTerms},
    standing,
};

/// The adapter.
#[derive(Clone)]
pub struct ExchangeService {
    pub(super) node: Arc<Node>,
    /// Pictures and products that are being taken in.
    pub(super) deliveries: Arc<Semaphore>,
}

impl ExchangeService {
    /// What a node says to the coordinator.
    pub fn new(node: Arc<Node>) -> Self {
        Self { node, deliveries: Arc::new(Semaphore::new(DELIVERIES_MAX)) }
    }

    /// Takes in a picture.
    async fn delivered(
        &self,
        peer: &Peer,
        stream: Streaming<wire::DeliverPictureRequest>,
    ) -> Result<wire::Envelope, Invalid> {
        pictures::check_caller(&self.node, peer)?;
        let _place = self.deliveries.try_acquire().map_err(|_| {
            let detail = format!("{DELIVERIES_MAX} pictures are being taken in; try again shortly");
            Invalid::new(Reason::Overloaded, "picture", detail)
        })?;
        let (head, file) = delivery::receive(stream, part).await?;
        pictures::take_in(&self.node, peer, head, &file).await
    }

    /// Only a coordinator whose certificate the roster lists may call, and not during maintenance.
    pub(super) fn coordinator<T>(&self, request: &Request<T>) -> Result<Peer, Invalid> {
        let peer = caller(request)?;
        if peer.identity.role != Role::Coordinator {
            let detail = format!("{} is not a coordinator", peer.identity);
            return Err(Invalid::new(Reason::CertificateRole, "certificate", detail));
        }
        if !self.node.roster().registers(&peer.identity, &peer.spki) {
            let detail = format!("the roster does not list this certificate for {}", peer.identity);
            return Err(Invalid::new(Reason::CertificateUnregistered, "certificate", detail));
        }
        self.node.coordinators.note(&peer.identity.name, heard(request));
        // Before anything is read of what is asked: it is no signal about a question.
        self.node.coordinators.check_own()?;
        Ok(peer)
    }
}

impl delivery::Announces for Head {
    const DIGEST: &'static str = "head.evidence_sha256";

    fn file(&self) -> (usize, Digest) {
        (self.bytes, self.evidence)
    }
}

/// A message of a picture's delivery.
fn part(message: wire::DeliverPictureRequest) -> Result<delivery::Part<Head>, Invalid> {
    use wire::deliver_picture_request::Part;
    match message.part.ok_or_else(delivery::neither)? {
        Part::Head(head) => Head::from_wire(head).map(delivery::Part::Head),
        Part::Piece(piece) => Ok(delivery::Part::Piece(piece)),
    }
}

#[tonic::async_trait]
impl wire::exchange_server::Exchange for ExchangeService {
    async fn describe(
        &self,
        request: Request<wire::DescribeRequest>,
    ) -> Result<Response<wire::DescribeResponse>, Status> {
        self.coordinator(&request)?;
        let node = &self.node;
        let held = node.held.read().unwrap_or_else(PoisonError::into_inner);
        let term = |indicator: &accord_proto::taxonomy::Indicator| wire::Term {
            indicator: indicator.code.to_string(),
            mode: node.policy.mode(indicator.code).to_wire().into(),
            tiers: tiers(node, indicator.code),
        };
        Ok(Response::new(wire::DescribeResponse {
            node: node.name().to_string(),
            jurisdiction: node.jurisdiction.to_string(),
            lists: node.lists.name().to_owned(),
            policy_sha256: node.policy.published().0.to_vec(),
            terms: node.lists.indicators().map(term).collect(),
            editions: held.editions.references().map(|edition| edition.to_wire()).collect(),
            roster_version: node.roster().version,
        }))
    }

    async fn answer(
        &self,
        request: Request<wire::AnswerRequest>,
    ) -> Result<Response<wire::AnswerResponse>, Status> {
        let peer = self.coordinator(&request)?;
        let wire::AnswerRequest { requirement } = request.into_inner();
        let requirement = requirement
            .ok_or_else(|| Invalid::new(Reason::FieldMissing, "requirement", "nothing is asked"))?;
        match answer::answer(&self.node, &peer, requirement).await {
            Ok(reply) => {
                match &reply {
                    Reply::Sealed(answer) => {
                        info!(peer = peer.identity.in_log(), table = %answer.table_digest(), "answered");
                    }
                    Reply::Pending => {
                        info!(peer = peer.identity.in_log(), "pending: a person decides")
                    }
                    Reply::Declined(_) => info!(peer = peer.identity.in_log(), "declined"),
                }
                Ok(Response::new(reply.into()))
            }
            Err(error) => {
                warn!(peer = peer.identity.in_log(), reason = %error.reason, field = %error.field, "refused");
                Err(told(error).into())
            }
        }
    }

    async fn check_standing(
        &self,
        request: Request<wire::CheckStandingRequest>,
    ) -> Result<Response<wire::CheckStandingResponse>, Status> {
        let peer = self.coordinator(&request)?;
        match standing::check(&self.node, &peer, request.into_inner()).await {
            Ok(notices) => {
                if !notices.is_empty() {
                    info!(
                        peer = peer.identity.in_log(),
                        notices = notices.len(),
                        "told what does not stand"
                    );
                }
                Ok(Response::new(wire::CheckStandingResponse { notices }))
            }
            Err(error) => {
                warn!(peer = peer.identity.in_log(), reason = %error.reason, field = %error.field, "refused");
                Err(told(error).into())
            }
        }
    }

    async fn get_checkpoint(
        &self,
        request: Request<wire::GetCheckpointRequest>,
    ) -> Result<Response<wire::GetCheckpointResponse>, Status> {
        let peer = self.coordinator(&request)?;
        let wire::GetCheckpointRequest { known, own, own_from, own_proof } = request.into_inner();
        let own_proof = Proof::from_wire("own_proof", &own_proof)?;
        let shown = ShownJournals { known, own, own_from, own_proof };
        match peers::exchange(&self.node, &peer, shown).await {
            Ok(StandingJournal { note, proof, acknowledged }) => {
                let proof = proof.to_wire();
                Ok(Response::new(wire::GetCheckpointResponse { note, proof, acknowledged }))
            }
            Err(error) => {
                warn!(peer = peer.identity.in_log(), reason = %error.reason, field = %error.field, "refused");
                Err(told(error).into())
            }
        }
    }

    async fn deliver_picture(
        &self,
        request: Request<Streaming<wire::DeliverPictureRequest>>,
    ) -> Result<Response<wire::DeliverPictureResponse>, Status> {
        let peer = self.coordinator(&request)?;
        match self.delivered(&peer, request.into_inner()).await {
            Ok(receipt) => {
                Ok(Response::new(wire::DeliverPictureResponse { receipt: Some(receipt) }))
            }
            Err(error) => {
                warn!(peer = peer.identity.in_log(), reason = %error.reason, field = %error.field, "refused");
                Err(told(error).into())
            }
        }
    }
}

/// What a peer is told: of this node's own troubles only that there are some.
#[expect(clippy::wildcard_enum_match_arm, reason = "everything else is about the request")]
pub(super) fn told(error: Invalid) -> Invalid {
    match error.reason {
        Reason::StoreFull | Reason::StoreFailed | Reason::Internal | Reason::RosterInvalid => {
            warn!(%error, "cannot answer");
            Invalid::new(Reason::StoreFailed, "node", "cannot answer now")
        }
        _ => error,
    }
}

/// What is published of an indicator in protected mode: its lattice and the exactness of its figures, by audience.
fn tiers(node: &Node, indicator: IndicatorCode) -> Vec<wire::TierTerms> {
    let Terms::Protected(terms) = node.policy.terms(indicator) else { return Vec::new() };
    let of = |audience: AudienceCode| {
        let tier = node.lists.tier(audience);
        let lattice = terms.lattice(tier)?;
        let (levels, published) = (lattice.levels(), node.policy.tier(tier));
        let (cap, rounding) = (terms.cap, terms.rounding(published));
        Some(wire::TierTerms {
            audience: audience.to_string(),
            region_levels: levels.regions.clone(),
            granularity: levels.granularity.iter().map(ToString::to_string).collect(),
            area_levels: levels.areas.clone(),
            dimensions: levels.dimensions.iter().map(ToString::to_string).collect(),
            standard_error_milli: standard_error_milli(published.variance, cap, rounding),
            rounding: rounding.unsigned_abs(),
            threshold: threshold(published.threshold, 1, cap).unsigned_abs(),
            draws_max: terms.draws_max(tier),
            levels: lattice.levels_in_all(),
            nano_rho: TierTerms::nano_rho(
                lattice.levels_in_all(),
                terms.leaves,
                published.variance,
            ),
        })
    };
    node.lists.audiences().filter_map(of).collect()
}
