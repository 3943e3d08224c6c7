//! Products, for regional staff and observers: parse, call, convert. The matrix of role × method stands here.

use std::{pin::Pin, sync::Arc};

use accord_proto::{
    clock::Timestamp,
    guard,
    id::ProductId,
    identity::{Name, Role},
    limits::{COMMENTS_MAX, PAGE_SIZE_MAX},
    product::{Dossier, Extent, Said, Word, asked, line::line, release},
    reason::{Invalid, Reason},
    seal::Digest,
    transport::{Peer, listener::caller},
    wire::{self as exchange, product as wire},
};
use futures_util::stream;
use prost::Message as _;
use tokio_stream::Stream;
use tonic::{Request, Response, Status};
use tracing::info;

use super::{INSIDERS, PIECE_BYTES, READERS, check_staff};
use crate::{circulate, products, survey::Coordinator};

type Pieces<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// The adapter.
#[derive(Clone)]
pub struct ProductsService {
    /// Whose service this is.
    pub coordinator: Arc<Coordinator>,
}

impl ProductsService {
    fn staff<T>(&self, request: &Request<T>, roles: &[Role]) -> Result<Peer, Invalid> {
        let peer = caller(request)?;
        check_staff(&self.coordinator, &peer, roles)?;
        Ok(peer)
    }

    fn kept(&self, product: &str) -> Result<Dossier, Invalid> {
        products::kept(&self.coordinator, ProductId::parse("product", product)?)
    }

    /// Refuses an observer what is not released to it. It is told the same of what is not there.
    fn check_reader(&self, peer: &Peer, dossier: &Dossier, extent: Extent) -> Result<(), Invalid> {
        let now = self.coordinator.clock.now();
        let theirs = || reads(dossier, (&peer.identity.name, extent), now);
        if peer.identity.role != Role::Observer || theirs() {
            return Ok(());
        }
        let detail = format!("there is no product {}", dossier.product());
        Err(Invalid::new(Reason::NotFound, "product", detail))
    }
}

/// May an observer read this much of it now? Not before everybody else.
fn reads(dossier: &Dossier, (reader, extent): (&Name, Extent), now: Timestamp) -> bool {
    if dossier.readable(now) < dossier.told() {
        return false;
    }
    let course = dossier.course();
    let theirs = course.content.extent_for(reader).is_some_and(|most| extent <= most);
    // What was put away before it was published is nothing to them.
    let published = course.confirmed.is_some();
    theirs && (published || course.guests.contains(reader))
}

/// A file in pieces.
fn pieces<T: Send + 'static>(file: Vec<u8>, piece: fn(Vec<u8>) -> T) -> Pieces<T> {
    let pieces: Vec<_> = file.chunks(PIECE_BYTES).map(<[u8]>::to_vec).collect();
    Box::pin(stream::iter(pieces.into_iter().map(move |bytes| Ok(piece(bytes)))))
}

#[tonic::async_trait]
impl wire::products_server::Products for ProductsService {
    async fn take(
        &self,
        request: Request<wire::TakeRequest>,
    ) -> Result<Response<wire::TakeResponse>, Status> {
        let peer = self.staff(&request, &[Role::Editor])?;
        self.coordinator.caller.peers.check_own()?;
        let wire::TakeRequest { previous_sha256, deed, product, without } = request.into_inner();
        let previous = match previous_sha256.is_empty() {
            true => None,
            false => Some(Digest::from_wire("previous_sha256", &previous_sha256)?),
        };
        let id = ProductId::parse("product", &product)?;
        let without = without.iter().map(|node| Name::parse("without", node));
        let without = without.collect::<Result<Vec<_>, _>>()?;
        let deed = (asked::deed(deed)?, without.as_slice());
        let taken = products::take(&self.coordinator, &peer, (id, previous), deed).await?;
        Ok(Response::new(wire::TakeResponse { entry: Some(line(&taken)) }))
    }

    async fn list(
        &self,
        request: Request<wire::ListRequest>,
    ) -> Result<Response<wire::ListResponse>, Status> {
        let peer = self.staff(&request, READERS)?;
        let wire::ListRequest { page_size, page_token } = request.into_inner();
        let before = match page_token.as_str() {
            "" => None,
            token => Some(ProductId::parse("page_token", token)?),
        };
        let size = usize::try_from(page_size.clamp(1, PAGE_SIZE_MAX)).unwrap_or(1);
        let archive = &self.coordinator.archive;
        let observer = peer.identity.role == Role::Observer;
        let now = self.coordinator.clock.now();
        let shows = |id: ProductId| {
            // One that cannot be opened keeps no other one from whoever may read it.
            let dossier = products::kept(&self.coordinator, id).ok();
            let reader = (&peer.identity.name, Extent::Public);
            !observer || dossier.is_some_and(|dossier| reads(&dossier, reader, now))
        };
        let (mut lines, mut before) = (Vec::new(), before);
        // Of what is not shown nobody learns, not even that it is there: the page goes on behind it.
        while lines.len() < size {
            let listed = archive.products(before, size)?;
            let Some((last, _)) = listed.last() else { break };
            before = Some(*last);
            lines.extend(listed.into_iter().filter(|(id, _)| shows(*id)));
        }
        lines.truncate(size);
        archive.settled().await?;
        let next_page_token = lines
            .last()
            .filter(|_| lines.len() == size)
            .map_or_else(String::new, |(id, _)| id.to_string());
        let products = lines.into_iter().map(|(_, line)| line).collect();
        Ok(Response::new(wire::ListResponse { products, next_page_token }))
    }

    type GetStream = Pieces<wire::GetResponse>;

    async fn get(
        &self,
        request: Request<wire::GetRequest>,
    ) -> Result<Response<Self::GetStream>, Status> {
        self.staff(&request, INSIDERS)?;
        let wire::GetRequest { product, second } = request.into_inner();
        if second {
            let detail = "a centre holds one chain of a product: ask a node for a second one";
            return Err(Invalid::new(Reason::NotFound, "product", detail).into());
        }
        let dossier = self.kept(&product)?;
        self.coordinator.archive.settled().await?;
        Ok(Response::new(pieces(dossier.write(), |piece| wire::GetResponse { piece })))
    }

    type GetReleaseStream = Pieces<wire::GetReleaseResponse>;

    async fn get_release(
        &self,
        request: Request<wire::GetReleaseRequest>,
    ) -> Result<Response<Self::GetReleaseStream>, Status> {
        let peer = self.staff(&request, READERS)?;
        let wire::GetReleaseRequest { product, extent } = request.into_inner();
        let extent = Extent::from_wire("extent", extent)?;
        let dossier = self.kept(&product)?;
        self.check_reader(&peer, &dossier, extent)?;
        let now = self.coordinator.clock.now();
        if dossier.readable(now) < dossier.told() {
            let detail = "its moment has not come: everybody reads it at the same time";
            return Err(Invalid::new(Reason::ProductState, "product", detail).into());
        }
        let file = release::write(&dossier, extent)?;
        self.coordinator.archive.settled().await?;
        Ok(Response::new(pieces(file, |piece| wire::GetReleaseResponse { piece })))
    }

    async fn say(
        &self,
        request: Request<wire::SayRequest>,
    ) -> Result<Response<wire::SayResponse>, Status> {
        let peer = self.staff(&request, &[Role::Observer])?;
        let wire::SayRequest { product, content_sha256, said, nonce: _ } = request.into_inner();
        let dossier = self.kept(&product)?;
        let course = dossier.course();
        if !course.guests.contains(&peer.identity.name) {
            let detail = format!("there is no product {product}");
            return Err(Invalid::new(Reason::NotFound, "product", detail).into());
        }
        let Said::Comment(comment) = asked::said(said)? else {
            let detail = "an observer comments, and nothing else";
            return Err(Invalid::new(Reason::FieldInvalid, "said", detail).into());
        };
        course.check_anchor(&comment)?;
        if let Some(found) = guard::in_text(&comment.text) {
            let detail = format!("looks as if it held {}: leave it out", found.name());
            return Err(Invalid::new(Reason::PersonalData, "text", detail).into());
        }
        let held = self.coordinator.archive.said_of(dossier.product())?.guests;
        let own = held.iter().filter(|guest| guest.reader == peer.identity.name.as_str());
        // Said again, because no reply came: it is one.
        if let Some(again) = own.clone().find(|guest| guest.comment == Some(comment.to_wire())) {
            let word_sha256 = Digest::of(&again.encode_to_vec()).0.to_vec();
            return Ok(Response::new(wire::SayResponse { word_sha256 }));
        }
        let round = |guest: &wire::GuestComment| guest.comment.as_ref().map(|of| of.round);
        let (now, window) = (self.coordinator.clock.now(), course.window);
        let guest = wire::GuestComment {
            reader: peer.identity.name.to_string(),
            at_s: now.as_s(),
            comment: Some(comment.to_wire()),
        };
        let of_round: Vec<_> = own.filter(|guest| round(guest) == Some(course.round)).collect();
        let bytes = of_round.iter().map(|guest| guest.encoded_len()).sum::<usize>();
        let room = course.room_of_an_observer(course.guests.len());
        if of_round.len() >= COMMENTS_MAX || bytes + guest.encoded_len() > room {
            let detail = format!(
                "{COMMENTS_MAX} comments in a round are the most, and {room} bytes: you have made {} \
                 of {bytes}",
                of_round.len()
            );
            return Err(Invalid::new(Reason::LimitExceeded, "comment", detail).into());
        }
        let open = window.is_some_and(|(opened, closes)| opened <= now && now <= closes);
        let this = course.content.digest().0 == content_sha256.as_slice();
        if !open || !this || comment.round != course.round {
            let detail = "the round is over, or another text is circulated: look at it again";
            return Err(Invalid::new(Reason::ProductState, "product", detail).into());
        }
        let kept = self
            .coordinator
            .archive
            .keep_guest((&peer.identity, now), dossier.product(), guest)
            .await?;
        info!(product = %dossier.product(), "an observer's comment");
        Ok(Response::new(wire::SayResponse { word_sha256: kept.0.to_vec() }))
    }

    async fn show(
        &self,
        request: Request<wire::ShowRequest>,
    ) -> Result<Response<wire::ShowResponse>, Status> {
        self.staff(&request, INSIDERS)?;
        let dossier = self.kept(&request.into_inner().product)?;
        let coordinator = &self.coordinator;
        let id = dossier.product();
        let said = coordinator.archive.said_of(id)?;
        let waits = |envelope: &exchange::Envelope| {
            let word = Word::unchecked(envelope, coordinator.lists);
            word.is_ok_and(|word| dossier.course().waits(&word))
        };
        let taken = |guest: &wire::GuestComment| {
            dossier.course().taken.contains(&Digest::of(&guest.encode_to_vec()))
        };
        let holder = |node: &Name| {
            let receipt = circulate::held_by(coordinator, id, node)?;
            let left_out = receipt.as_ref().map_or(0, |receipt| receipt.left_out.len());
            Ok(wire::Holder {
                node: node.to_string(),
                steps: receipt.map_or(0, |receipt| receipt.steps),
                receipt: coordinator.archive.receipt(id, node)?,
                reason: coordinator.circulation.why(id, node).map_or("", Reason::code).to_owned(),
                left_out: u32::try_from(left_out).unwrap_or(u32::MAX),
            })
        };
        let members = &dossier.course().content.members;
        let holders = members.iter().map(holder).collect::<Result<_, Invalid>>()?;
        coordinator.archive.settled().await?;
        Ok(Response::new(wire::ShowResponse {
            entry: Some(line(&dossier)),
            holders,
            waiting: said.words.into_iter().filter(waits).collect(),
            guests: said.guests.into_iter().filter(|guest| !taken(guest)).collect(),
            left_out_sha256: Vec::new(),
            contradicted_by_sha256: Vec::new(),
        }))
    }
}
