//! The typed client: a question in, an answer out. Generated types do not leave this file.
//!
//! A connection is made to exactly one peer, known by identity and registered key; whoever else answers
//! at that address is refused before a byte of the request is sent.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use crate::{
    answer::Answer,
    delivery::Head,
    id::ProductId,
    identity::Identity,
    journal::Proof,
    limits::{self, DELIVERY_PIECE_BYTES_MAX},
    own_lists,
    question::SignedRequirement,
    reason::{Invalid, Reason},
    seal::Digest,
    status::from_status,
    taxonomy::Lists,
    transport::{Credentials, Expected, TlsFiles, channel::Channel, connection::connect},
    wire::{self, product},
};

/// A person's client file: whom to talk to, and as whom. Paths are relative to the file.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientFile {
    server: String,
    address: String,
    certificate: PathBuf,
    key: PathBuf,
    ca: PathBuf,
    /// Folder of the federation's own code lists.
    lists: Option<PathBuf>,
}

impl ClientFile {
    fn read(path: &Path) -> Result<Self, Invalid> {
        let unusable =
            |detail: String| Invalid::new(Reason::FieldInvalid, path.display().to_string(), detail);
        let text = std::fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
        toml::from_str(&text).map_err(|error| unusable(error.to_string()))
    }

    /// Whom a client file talks to.
    pub fn server(path: &Path) -> Result<Identity, Invalid> {
        Identity::parse(&Self::read(path)?.server)
    }

    /// The code lists that a client file names. They live as long as the process: call this once.
    pub fn lists(path: &Path) -> Result<&'static Lists, Invalid> {
        let folder = Self::read(path)?.lists;
        let home = path.parent().unwrap_or(Path::new("."));
        own_lists::load(folder.map(|folder| home.join(folder)).as_deref())
    }

    /// Reads a client file and connects as it says.
    pub async fn connect(path: &Path) -> Result<Channel, Invalid> {
        let file = Self::read(path)?;
        let home = path.parent().unwrap_or(Path::new("."));
        let credentials = Credentials::load(&TlsFiles {
            certificate: home.join(&file.certificate),
            key: home.join(&file.key),
            ca: home.join(&file.ca),
            // A command is over in seconds, and the server that it talks to is named.
            crl: None,
        })?;
        let expected = Expected { identity: Identity::parse(&file.server)?, spki: None };
        connect(&file.address, &credentials, expected).await
    }
}

/// A client of one node's Exchange service.
#[derive(Clone, Debug)]
pub struct ExchangeClient {
    inner: wire::exchange_client::ExchangeClient<Channel>,
    products: product::circulation_client::CirculationClient<Channel>,
}

impl ExchangeClient {
    /// Over a connection to a node whose identity has been checked.
    pub fn over(channel: Channel) -> Self {
        let products = product::circulation_client::CirculationClient::new(channel.clone())
            .max_decoding_message_size(limits::REPLY_BYTES_MAX)
            .max_encoding_message_size(limits::REQUEST_BYTES_MAX);
        let inner = wire::exchange_client::ExchangeClient::new(channel)
            .max_decoding_message_size(limits::ANSWER_BYTES_MAX)
            .max_encoding_message_size(limits::REQUEST_BYTES_MAX);
        Self { inner, products }
    }

    /// What this caller may ask.
    pub async fn describe(
        &mut self,
        deadline: Duration,
    ) -> Result<wire::DescribeResponse, Invalid> {
        bounded(deadline, self.inner.describe(within(deadline, wire::DescribeRequest {}))).await
    }

    /// Asks. The bound covers the whole call, however slowly bytes arrive.
    pub async fn answer(
        &mut self,
        requirement: &SignedRequirement,
        deadline: Duration,
    ) -> Result<Answer, Invalid> {
        let request = wire::AnswerRequest { requirement: Some(requirement.envelope().clone()) };
        let response = bounded(deadline, self.inner.answer(within(deadline, request))).await?;
        Answer::try_from(response)
    }

    /// Notices of answers that do not stand any more, not checked yet.
    pub async fn check_standing(
        &mut self,
        request: wire::CheckStandingRequest,
        deadline: Duration,
    ) -> Result<Vec<wire::Envelope>, Invalid> {
        let most = request.asked.len();
        let call = self.inner.check_standing(within(deadline, request));
        let wire::CheckStandingResponse { notices } = bounded(deadline, call).await?;
        if notices.len() > most {
            let detail = format!("{} where {most} were asked after", notices.len());
            return Err(Invalid::new(Reason::LimitExceeded, "notices", detail));
        }
        Ok(notices)
    }

    /// Delivers a picture's file; the receipt is not checked yet.
    pub async fn deliver(
        &mut self,
        head: Head,
        file: Arc<[u8]>,
        deadline: Duration,
    ) -> Result<wire::Envelope, Invalid> {
        use wire::deliver_picture_request::Part;
        let pieces = pieces(file).map(Part::Piece);
        let parts = std::iter::once(Part::Head(head.to_wire())).chain(pieces);
        let parts = parts.map(|part| wire::DeliverPictureRequest { part: Some(part) });
        let call = self.inner.deliver_picture(within(deadline, tokio_stream::iter(parts)));
        let wire::DeliverPictureResponse { receipt } = bounded(deadline, call).await?;
        receipt.ok_or_else(|| Invalid::new(Reason::FieldMissing, "receipt", "none came"))
    }

    /// Delivers a product's file; the receipt is not checked yet.
    pub async fn deliver_product(
        &mut self,
        id: ProductId,
        file: Arc<[u8]>,
        deadline: Duration,
    ) -> Result<wire::Envelope, Invalid> {
        use product::deliver_request::Part;
        let head = product::DeliverHead {
            product: id.to_string(),
            bytes: file.len() as u64,
            file_sha256: Digest::of(&file).0.to_vec(),
        };
        let pieces = pieces(file).map(Part::Piece);
        let parts = std::iter::once(Part::Head(head)).chain(pieces);
        let parts = parts.map(|part| product::DeliverRequest { part: Some(part) });
        let call = self.products.deliver(within(deadline, tokio_stream::iter(parts)));
        let product::DeliverResponse { receipt } = bounded(deadline, call).await?;
        receipt.ok_or_else(|| Invalid::new(Reason::FieldMissing, "receipt", "none came"))
    }

    /// What the node has to say of products; not checked yet.
    pub async fn collect_words(
        &mut self,
        products: &[ProductId],
        deadline: Duration,
    ) -> Result<Vec<wire::Envelope>, Invalid> {
        let products = products.iter().map(ToString::to_string).collect();
        let call = self.products.collect(within(deadline, product::CollectRequest { products }));
        Ok(bounded(deadline, call).await?.words)
    }

    /// A product whole, as the node holds it; not checked yet.
    pub async fn product_given_back(
        &mut self,
        id: ProductId,
        deadline: Duration,
    ) -> Result<Vec<u8>, Invalid> {
        let request = product::GiveBackRequest { product: id.to_string() };
        let given = async {
            let stream = self.products.give_back(within(deadline, request)).await;
            let mut stream = stream.map_err(|status| from_status(&status))?.into_inner();
            let mut file = Vec::new();
            while let Some(reply) = stream.message().await.map_err(|error| from_status(&error))? {
                file.extend_from_slice(&reply.piece);
                if file.len() > limits::DOSSIER_BYTES_MAX {
                    let most = limits::DOSSIER_BYTES_MAX;
                    let detail = format!("more than the {most} bytes that a product has");
                    return Err(Invalid::new(Reason::LimitExceeded, "product", detail));
                }
            }
            Ok(file)
        };
        let late = |_| Err(Invalid::new(Reason::DeadlineExceeded, "call", "no answer in time"));
        tokio::time::timeout(deadline, given).await.unwrap_or_else(late)
    }

    /// Shows where both journals stand. Nothing of the reply is checked yet.
    pub async fn checkpoint(
        &mut self,
        shown: ShownJournals,
        deadline: Duration,
    ) -> Result<StandingJournal, Invalid> {
        let ShownJournals { known, own, own_from, own_proof } = shown;
        let own_proof = own_proof.to_wire();
        let request = wire::GetCheckpointRequest { known, own, own_from, own_proof };
        let call = self.inner.get_checkpoint(within(deadline, request));
        let reply = bounded(deadline, call).await?;
        let wire::GetCheckpointResponse { note, proof, acknowledged } = reply;
        Ok(StandingJournal { note, proof: Proof::from_wire("checkpoint", &proof)?, acknowledged })
    }
}

/// What a caller shows of journals, as signed notes.
#[derive(Clone, Debug, Default)]
pub struct ShownJournals {
    /// The newest checkpoint of the one who is called, as far as the caller knows; empty: none.
    pub known: String,
    /// The caller's own; empty: it shows none, and is answered nothing.
    pub own: String,
    /// The size that `own_proof` begins at; 0: no proof.
    pub own_from: u64,
    /// That `own` continues it.
    pub own_proof: Proof,
}

/// What is shown in return.
#[derive(Clone, Debug)]
pub struct StandingJournal {
    /// The checkpoint of the one who was called, as a signed note.
    pub note: String,
    /// That it continues the one that the caller knows.
    pub proof: Proof,
    /// Size of the caller's newest checkpoint that is kept there.
    pub acknowledged: u64,
}

/// A file, cut for the wire.
fn pieces(file: Arc<[u8]>) -> impl Iterator<Item = Vec<u8>> + Send + 'static {
    (0..file.len().div_ceil(DELIVERY_PIECE_BYTES_MAX)).map(move |at| {
        let from = at * DELIVERY_PIECE_BYTES_MAX;
        let to = file.len().min(from + DELIVERY_PIECE_BYTES_MAX);
        file.get(from..to).unwrap_or_default().to_vec()
    })
}

/// The whole call within its deadline: gRPC's own ends when headers arrive, and a peer may stall after them.
async fn bounded<T>(
    deadline: Duration,
    call: impl Future<Output = Result<tonic::Response<T>, tonic::Status>>,
) -> Result<T, Invalid> {
    match tokio::time::timeout(deadline, call).await {
        Ok(Ok(response)) => Ok(response.into_inner()),
        Ok(Err(status)) => Err(from_status(&status)),
        Err(_) => Err(Invalid::new(Reason::DeadlineExceeded, "call", "no answer in time")),
    }
}

/// A request with a deadline.
pub fn within<T>(deadline: Duration, message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.set_timeout(deadline);
    request
}
