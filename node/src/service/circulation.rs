//! Circulation, for the coordinator: products in, receipts and words out. Whoever is not a registered coordinator is refused before
//! parsing. Must never take more than was announced, and never for longer than a call may last.

use std::pin::Pin;

use accord_proto::{
    id::ProductId,
    limits::{COLLECT_PRODUCTS_MAX, DELIVERIES_MAX, DELIVERY_PIECE_BYTES_MAX, DOSSIER_BYTES_MAX},
    reason::{Invalid, Reason},
    seal::{Digest, Envelope},
    transport::Peer,
    wire::product::{self as wire, deliver_request::Part as Wire},
};
use tokio_stream::Stream;
use tonic::{Request, Response, Status, Streaming};
use tracing::warn;

use super::{
    delivery::{self, Announces, Part},
    exchange::{ExchangeService, told},
};
use crate::{
    pictures,
    products::{self, Reply},
};

/// A file on its way.
type Pieces = Pin<Box<dyn Stream<Item = Result<wire::GiveBackResponse, Status>> + Send>>;

impl ExchangeService {
    async fn received(
        &self,
        peer: &Peer,
        stream: Streaming<wire::DeliverRequest>,
    ) -> Result<Envelope, Invalid> {
        pictures::check_caller(&self.node, peer)?;
        let _place = self.deliveries.try_acquire().map_err(|_| {
            let detail = format!("{DELIVERIES_MAX} files are being taken in; try again shortly");
            Invalid::new(Reason::Overloaded, "product", detail)
        })?;
        let (head, file) = delivery::receive(stream, part).await?;
        products::take_in(&self.node, peer, head.product, &file).await
    }

    fn collected(&self, peer: &Peer, asked: &[String]) -> Result<Vec<Envelope>, Invalid> {
        pictures::check_caller(&self.node, peer)?;
        if asked.len() > COLLECT_PRODUCTS_MAX {
            let detail = format!("{} where {COLLECT_PRODUCTS_MAX} is the most", asked.len());
            return Err(Invalid::new(Reason::LimitExceeded, "products", detail));
        }
        let mut reply = Reply::default();
        for product in asked {
            let id = ProductId::parse("products", product)?;
            for word in products::waiting(&self.node, id)? {
                if !reply.add(word) {
                    return Ok(reply.words());
                }
            }
        }
        Ok(reply.words())
    }
}

#[tonic::async_trait]
impl wire::circulation_server::Circulation for ExchangeService {
    async fn deliver(
        &self,
        request: Request<Streaming<wire::DeliverRequest>>,
    ) -> Result<Response<wire::DeliverResponse>, Status> {
        let peer = self.coordinator(&request)?;
        match self.received(&peer, request.into_inner()).await {
            Ok(receipt) => Ok(Response::new(wire::DeliverResponse { receipt: Some(receipt) })),
            Err(error) => {
                warn!(peer = peer.identity.in_log(), reason = %error.reason, field = %error.field, "refused");
                Err(told(error).into())
            }
        }
    }

    type GiveBackStream = Pieces;

    async fn give_back(
        &self,
        request: Request<wire::GiveBackRequest>,
    ) -> Result<Response<Self::GiveBackStream>, Status> {
        let peer = self.coordinator(&request)?;
        pictures::check_caller(&self.node, &peer)?;
        let id = ProductId::parse("product", &request.into_inner().product)?;
        let dossier = accord_proto::busy::here(|| products::kept(&self.node, id))?;
        // What a node writes for itself is nobody else's.
        if dossier.course().content.owner == *self.node.name() {
            let detail = format!("there is no product {id} here");
            return Err(Invalid::new(Reason::NotFound, "product", detail).into());
        }
        let file = dossier.write();
        self.node.store.settled().await?;
        let pieces: Vec<_> = file.chunks(DELIVERY_PIECE_BYTES_MAX).map(<[u8]>::to_vec).collect();
        let reply = |piece| Ok(wire::GiveBackResponse { piece });
        Ok(Response::new(Box::pin(tokio_stream::iter(pieces.into_iter().map(reply)))))
    }

    async fn collect(
        &self,
        request: Request<wire::CollectRequest>,
    ) -> Result<Response<wire::CollectResponse>, Status> {
        let peer = self.coordinator(&request)?;
        let asked = request.into_inner().products;
        match accord_proto::busy::here(|| self.collected(&peer, &asked)) {
            Ok(words) => {
                // What a power cut could take back must not be said.
                self.node.store.settled().await?;
                Ok(Response::new(wire::CollectResponse { words }))
            }
            Err(error) => {
                warn!(peer = peer.identity.in_log(), reason = %error.reason, field = %error.field, "refused");
                Err(told(error).into())
            }
        }
    }
}

/// What is coming.
struct Head {
    product: ProductId,
    bytes: usize,
    file: Digest,
}

impl Announces for Head {
    const DIGEST: &'static str = "head.file_sha256";

    fn file(&self) -> (usize, Digest) {
        (self.bytes, self.file)
    }
}

/// A message of a product's delivery.
fn part(message: wire::DeliverRequest) -> Result<Part<Head>, Invalid> {
    match message.part.ok_or_else(delivery::neither)? {
        Wire::Head(head) => {
            let bytes = usize::try_from(head.bytes).unwrap_or(usize::MAX);
            if bytes > DOSSIER_BYTES_MAX {
                let detail = format!("{bytes} where {DOSSIER_BYTES_MAX} is the most");
                return Err(Invalid::new(Reason::LimitExceeded, "head.bytes", detail));
            }
            Ok(Part::Head(Head {
                product: ProductId::parse("head.product", &head.product)?,
                bytes,
                file: Digest::from_wire("head.file_sha256", &head.file_sha256)?,
            }))
        }
        Wire::Piece(piece) => Ok(Part::Piece(piece)),
    }
}
