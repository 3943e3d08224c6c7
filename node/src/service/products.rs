//! Products, for national staff: parse, call, convert. The matrix of role × method stands here.

use std::{pin::Pin, sync::Arc};

use accord_proto::{
    id::ProductId,
    identity::Role,
    limits::{BACKUP_CHUNK_BYTES, PAGE_SIZE_MAX},
    product::{Dossier, Extent, asked, line::line, release},
    reason::{Invalid, Reason},
    seal::Digest,
    transport::{Peer, listener::caller},
    wire::product as wire,
};
use tokio_stream::Stream;
use tonic::{Request, Response, Status};
use tracing::warn;

use crate::{
    answer::Node,
    desk::check_staff,
    products::{self, Reply},
};

/// Who reads: not whoever only keeps the service running.
const READERS: &[Role] = &[Role::Analyst, Role::Releaser, Role::Auditor];
/// Who writes and speaks; some of it is a releaser's alone.
const WRITERS: &[Role] = &[Role::Analyst, Role::Releaser];

type Pieces<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// The adapter.
#[derive(Clone)]
pub struct ProductsService {
    /// Whose service this is.
    pub node: Arc<Node>,
}

impl ProductsService {
    fn staff<T>(&self, request: &Request<T>, roles: &[Role]) -> Result<Peer, Invalid> {
        let peer = caller(request)?;
        check_staff(&self.node, &peer, roles)?;
        Ok(peer)
    }

    fn readable(&self, product: &str) -> Result<Dossier, Invalid> {
        let id = ProductId::parse("product", product)?;
        accord_proto::busy::here(|| products::readable(&self.node, id))
    }
}

/// Logs where the error is handled; the text for the person goes back to the person.
fn refused(error: Invalid) -> Status {
    warn!(reason = %error.reason, "refused");
    error.into()
}

/// A file in pieces.
fn pieces<T: Send + 'static>(file: &[u8], piece: fn(Vec<u8>) -> T) -> Pieces<T> {
    let pieces: Vec<_> = file.chunks(BACKUP_CHUNK_BYTES).map(<[u8]>::to_vec).collect();
    Box::pin(tokio_stream::iter(pieces.into_iter().map(move |bytes| Ok(piece(bytes)))))
}

#[tonic::async_trait]
impl wire::products_server::Products for ProductsService {
    async fn take(
        &self,
        request: Request<wire::TakeRequest>,
    ) -> Result<Response<wire::TakeResponse>, Status> {
        let peer = self.staff(&request, WRITERS)?;
        // Nobody else has to be asked about a product of one's own.
        let wire::TakeRequest { previous_sha256, deed, product, without: _ } = request.into_inner();
        let previous = match previous_sha256.is_empty() {
            true => None,
            false => Some(Digest::from_wire("previous_sha256", &previous_sha256)?),
        };
        let id = ProductId::parse("product", &product)?;
        let deed = asked::deed(deed)?;
        let taken = products::own::take(&self.node, &peer, (id, previous), deed).await;
        Ok(Response::new(wire::TakeResponse { entry: Some(line(&taken.map_err(refused)?)) }))
    }

    async fn list(
        &self,
        request: Request<wire::ListRequest>,
    ) -> Result<Response<wire::ListResponse>, Status> {
        self.staff(&request, READERS)?;
        let wire::ListRequest { page_size, page_token } = request.into_inner();
        let before = match page_token.as_str() {
            "" => None,
            token => Some(ProductId::parse("page_token", token)?),
        };
        let size = usize::try_from(page_size.clamp(1, PAGE_SIZE_MAX)).unwrap_or(1);
        let listed = accord_proto::busy::here(|| products::list(&self.node, before, size));
        let (products, next) = listed?;
        self.node.store.settled().await?;
        let next_page_token = next.map_or_else(String::new, |id| id.to_string());
        Ok(Response::new(wire::ListResponse { products, next_page_token }))
    }

    type GetStream = Pieces<wire::GetResponse>;

    async fn get(
        &self,
        request: Request<wire::GetRequest>,
    ) -> Result<Response<Self::GetStream>, Status> {
        self.staff(&request, READERS)?;
        let wire::GetRequest { product, second } = request.into_inner();
        let file = match second {
            true => {
                let id = ProductId::parse("product", &product)?;
                accord_proto::busy::here(|| products::second(&self.node, id)).map_err(refused)?
            }
            false => self.readable(&product)?.write(),
        };
        self.node.store.settled().await?;
        Ok(Response::new(pieces(&file, |piece| wire::GetResponse { piece })))
    }

    type GetReleaseStream = Pieces<wire::GetReleaseResponse>;

    async fn get_release(
        &self,
        request: Request<wire::GetReleaseRequest>,
    ) -> Result<Response<Self::GetReleaseStream>, Status> {
        self.staff(&request, READERS)?;
        let wire::GetReleaseRequest { product, extent } = request.into_inner();
        let extent = Extent::from_wire("extent", extent)?;
        let file = release::write(&self.readable(&product)?, extent)?;
        self.node.store.settled().await?;
        Ok(Response::new(pieces(&file, |piece| wire::GetReleaseResponse { piece })))
    }

    async fn say(
        &self,
        request: Request<wire::SayRequest>,
    ) -> Result<Response<wire::SayResponse>, Status> {
        let peer = self.staff(&request, WRITERS)?;
        let wire::SayRequest { product, content_sha256, nonce, said } = request.into_inner();
        let id = ProductId::parse("product", &product)?;
        let content = Digest::from_wire("content_sha256", &content_sha256)?;
        let nonce = <[u8; 16]>::try_from(nonce.as_slice())
            .map_err(|_| Invalid::new(Reason::FieldInvalid, "nonce", "is not 16 random bytes"))?;
        let said = asked::said(said)?;
        let word = products::say::say(&self.node, &peer, (id, content, nonce), said).await;
        let word_sha256 = word.map_err(refused)?.0.to_vec();
        Ok(Response::new(wire::SayResponse { word_sha256 }))
    }

    async fn show(
        &self,
        request: Request<wire::ShowRequest>,
    ) -> Result<Response<wire::ShowResponse>, Status> {
        self.staff(&request, READERS)?;
        let dossier = self.readable(&request.into_inner().product)?;
        let own = products::own_words(&self.node, dossier.product())?;
        let course = dossier.course();
        let left_out = course.left_out(&own);
        let left_out_sha256 =
            left_out.iter().map(|(envelope, _)| Digest::of(&envelope.payload).0.to_vec()).collect();
        let kept = self.node.store.product_line(dossier.product())?.unwrap_or_default();
        let contradicted_by_sha256 = kept.contradicted_by;
        let mut reply = Reply::default();
        let mut waiting = own.iter().filter(|(_, word)| course.waits(word));
        // As many as one reply holds.
        waiting.all(|(envelope, _)| reply.add(envelope.clone()));
        self.node.store.settled().await?;
        Ok(Response::new(wire::ShowResponse {
            entry: Some(line(&dossier)),
            holders: Vec::new(),
            waiting: reply.words(),
            guests: Vec::new(),
            left_out_sha256,
            contradicted_by_sha256,
        }))
    }
}
