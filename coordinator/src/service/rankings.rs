//! Rankings, for regional staff: parse, call, convert. The matrix of role × method stands here.

use std::{collections::BTreeSet, sync::Arc};

use accord_proto::{
    id::RequirementId,
    identity::Role,
    limits::{PAGE_SIZE_MAX, ROUNDS_MAX},
    reason::{Invalid, Reason},
    seal::Digest,
    strict,
    threat::{Order, Ranking, Wanted},
    transport::{Peer, listener::caller},
    wire::region as wire,
};
use tonic::{Request, Response, Status};
use tracing::info;

use super::{INSIDERS, check_staff, concerned};
use crate::{archive::KeptRanking, rank, survey::Coordinator};

/// The adapter.
#[derive(Clone)]
pub struct RankingsService {
    /// Whose service this is.
    pub coordinator: Arc<Coordinator>,
}

impl RankingsService {
    fn staff<T>(&self, request: &Request<T>, roles: &[Role]) -> Result<Peer, Invalid> {
        let peer = caller(request)?;
        check_staff(&self.coordinator, &peer, roles)?;
        Ok(peer)
    }

    fn document(&self, kept: KeptRanking) -> Result<wire::RankingDocument, Invalid> {
        let archive = &self.coordinator.archive;
        let entry = entry(&kept, &self.coordinator)?;
        let (mut pictures, mut asked) = (Vec::new(), BTreeSet::new());
        for (requirement, version) in &kept.pictures {
            let mut line = archive.line(*requirement, *version)?;
            line.notices = concerned(&self.coordinator, &line)?;
            let newest = archive.newest_version(*requirement)?;
            line.superseded = newest.is_some_and(|newest| newest > *version);
            pictures.push(line);
            let envelope = archive.pick(*requirement, Some(*version))?.envelope;
            let picture: wire::Picture = strict::decode_signed("picture", &envelope.payload)?;
            asked.extend(picture.members.into_iter().map(|member| member.jurisdiction));
        }
        Ok(wire::RankingDocument {
            entry: Some(entry),
            ranking: Some(kept.envelope),
            pictures,
            asked: asked.into_iter().collect(),
        })
    }
}

fn entry(kept: &KeptRanking, coordinator: &Coordinator) -> Result<wire::RankingEntry, Invalid> {
    let ranking = Ranking::read(&kept.envelope.payload, coordinator.lists)?;
    let order = ranking.order();
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Ok(wire::RankingEntry {
        ranking: ranking.digest().to_string(),
        made_at_s: kept.made_at.as_s(),
        audience: kept.audience.clone(),
        why: kept.why.clone(),
        indicator: order.indicator.clone(),
        period: order.period.clone(),
        categories: order.categories.clone(),
        ordered_by: order.ordered_by,
        areas: count(order.areas.len()),
        white_spots: count(order.white_spots.len()),
        dissents: count(ranking.dissents().len()),
    })
}

/// Reads what is asked for.
fn wanted(
    request: wire::RankThreatsRequest,
) -> Result<(Wanted, Vec<rank::Named>, String), Invalid> {
    let order = Order::from_wire("ordered_by", request.ordered_by())?;
    let wire::RankThreatsRequest {
        indicator,
        period,
        categories,
        crime_areas: areas,
        method,
        pictures,
        why,
        ..
    } = request;
    if pictures.is_empty() || pictures.len() > ROUNDS_MAX {
        let detail = format!("{} where from 1 to {ROUNDS_MAX} are possible", pictures.len());
        return Err(Invalid::new(Reason::LimitExceeded, "pictures", detail));
    }
    let named = |name: wire::PictureName| {
        Ok((RequirementId::parse("pictures.requirement", &name.requirement)?, name.version))
    };
    let pictures = pictures.into_iter().map(named).collect::<Result<_, Invalid>>()?;
    Ok((Wanted { indicator, period, categories, areas, order, method }, pictures, why))
}

#[tonic::async_trait]
impl wire::rankings_server::Rankings for RankingsService {
    async fn rank_threats(
        &self,
        request: Request<wire::RankThreatsRequest>,
    ) -> Result<Response<wire::RankThreatsResponse>, Status> {
        let peer = self.staff(&request, &[Role::Analyst])?;
        let (wanted, pictures, why) = wanted(request.into_inner())?;
        let kept = rank::rank(&self.coordinator, &peer, (&wanted, &pictures), &why).await?;
        info!(pictures = pictures.len(), "ranked");
        let ranking = Some(self.document(kept)?);
        Ok(Response::new(wire::RankThreatsResponse { ranking }))
    }

    async fn list_rankings(
        &self,
        request: Request<wire::ListRankingsRequest>,
    ) -> Result<Response<wire::ListRankingsResponse>, Status> {
        self.staff(&request, INSIDERS)?;
        let wire::ListRankingsRequest { page_size, page_token } = request.into_inner();
        let after = match page_token.as_str() {
            "" => None,
            token => Some(Digest::parse("page_token", token)?),
        };
        let size = usize::try_from(page_size.clamp(1, PAGE_SIZE_MAX)).unwrap_or(1);
        let archive = &self.coordinator.archive;
        let listed = archive.rankings(after, size)?;
        // What a power cut could take back must not be shown.
        archive.settled().await?;
        let next_page_token = listed
            .last()
            .filter(|_| listed.len() == size)
            .map_or_else(String::new, |(name, _)| name.to_string());
        let rankings = listed.iter().map(|(_, kept)| entry(kept, &self.coordinator));
        let rankings = rankings.collect::<Result<_, Invalid>>()?;
        Ok(Response::new(wire::ListRankingsResponse { rankings, next_page_token }))
    }

    async fn get_ranking(
        &self,
        request: Request<wire::GetRankingRequest>,
    ) -> Result<Response<wire::GetRankingResponse>, Status> {
        self.staff(&request, INSIDERS)?;
        let name = Digest::parse("ranking", &request.into_inner().ranking)?;
        let kept = self.coordinator.archive.ranking(name)?;
        self.coordinator.archive.settled().await?;
        let ranking = Some(self.document(kept)?);
        Ok(Response::new(wire::GetRankingResponse { ranking }))
    }

    async fn attach_dissent(
        &self,
        request: Request<wire::AttachDissentRequest>,
    ) -> Result<Response<wire::AttachDissentResponse>, Status> {
        let peer = self.staff(&request, &[Role::Analyst])?;
        let wire::AttachDissentRequest { ranking, dissent } = request.into_inner();
        let name = Digest::parse("ranking", &ranking)?;
        let dissent = dissent
            .ok_or_else(|| Invalid::new(Reason::FieldMissing, "dissent", "nothing is said"))?;
        let kept = rank::attach(&self.coordinator, &peer, name, dissent).await?;
        info!("dissent attached");
        let ranking = Some(self.document(kept)?);
        Ok(Response::new(wire::AttachDissentResponse { ranking }))
    }
}
