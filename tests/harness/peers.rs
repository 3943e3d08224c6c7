//! Peers that are played: the coordinator who asks a node directly, and a node that says what it is told.
//! Comes in: keys of a development federation. Goes out: real calls over real TLS.

use std::{
    fs::File,
    io::Write as _,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use accord_node::store::Store;
use accord_proto::{
    clock::{SystemClock, SystemEntropy},
    identity::Identity,
    journal::{self, Checkpoint, Tree},
    limits,
    protocol::Speaks,
    question::SignedRequirement,
    roster::Roster,
    seal::{Digest, PublicKey, SecretKey},
    taxonomy::Lists,
    transport::{
        Credentials, Expected, TlsFiles,
        channel::Channel,
        connection::connect,
        listener::{self, Options},
        read_secret,
    },
    wire::{self, exchange_client::ExchangeClient, exchange_server::ExchangeServer},
};
use anyhow::{Context as _, Result};
use tokio::{net::TcpListener, task::JoinHandle};
use tonic::{Extensions, Request, Response, Status, metadata::MetadataMap};

use crate::federation::Federation;

/// A bound on any one call of a test.
pub const CALL: Duration = Duration::from_secs(20);

/// Certificate, key and CA as `pki::development` writes them.
pub fn credentials(keys: &Path) -> Result<Credentials> {
    let files = TlsFiles {
        crl: None,
        certificate: keys.join("tls.crt"),
        key: keys.join("tls.key"),
        ca: keys.join("ca.crt"),
    };
    Ok(Credentials::load(&files)?)
}

/// The identity of a node of this federation.
pub fn identity(federation: &Federation, node: &str) -> Result<Identity> {
    let jurisdiction = &federation.nodes.get(node).context("no such node")?.jurisdiction;
    Ok(Identity::parse(&format!("spiffe://wb6.example/{jurisdiction}/node/{node}/node"))?)
}

/// A connection to a node's Exchange service with somebody's credentials.
pub async fn exchange(
    federation: &Federation,
    node: &str,
    as_whom: &Credentials,
) -> Result<ExchangeClient<Channel>> {
    let address = federation.nodes.get(node).context("no such node")?.exchange.clone();
    let expected = Expected { identity: identity(federation, node)?, spki: None };
    let channel = connect(&address, as_whom, expected).await?;
    Ok(ExchangeClient::new(channel).max_decoding_message_size(limits::ANSWER_BYTES_MAX))
}

/// The same as the coordinator, whose journal the node has been shown if it knew none yet: it answers nobody else.
pub async fn coordinator(federation: &Federation, node: &str) -> Result<ExchangeClient<Channel>> {
    let credentials = credentials(&federation.dir.join("coordinator/keys"))?;
    let mut client = exchange(federation, node, &credentials).await?;
    // One that was shown before is as good as a new one, unless the true coordinator has shown a later one since.
    let shown_before = federation.dir.join(format!("{node}.shown"));
    let own = match std::fs::read_to_string(&shown_before) {
        Ok(note) => note,
        Err(_) => checkpoint(federation, &credentials)?,
    };
    let nothing = wire::GetCheckpointRequest::default();
    let knows = client.get_checkpoint(nothing).await?.into_inner().acknowledged;
    if knows == 0 || shown_before.exists() {
        std::fs::write(&shown_before, &own)?;
        client.get_checkpoint(wire::GetCheckpointRequest { own, ..Default::default() }).await?;
    }
    Ok(client)
}

/// Where the coordinator's journal stands; of one that does not run, a journal with one entry.
fn checkpoint(federation: &Federation, credentials: &Credentials) -> Result<String> {
    let said = federation.region("auditor", "json", &["journal", "checkpoint"])?;
    if let Ok(standing) = said.json(&[0]) {
        return Ok(standing["note"].as_str().context("a note")?.to_owned());
    }
    let mut frontier = journal::Frontier::default();
    frontier.append(b"the first entry of a coordinator that is played");
    let head = Checkpoint::of(journal::origin(&credentials.own().identity), &frontier);
    Ok(head.sign(&secret_key(federation, "coordinator/keys/sign.key")?))
}

/// A key of this federation, like `al-police/keys/seal.key`.
pub fn secret_key(federation: &Federation, path: &str) -> Result<SecretKey> {
    Ok(SecretKey::from_pem(path, &read_secret(&federation.dir.join(path))?)?)
}

/// The roster of this federation.
pub fn roster(federation: &Federation) -> Result<Roster> {
    let root = std::fs::read_to_string(federation.dir.join("federation/root.pub"))?;
    let bytes = std::fs::read(federation.dir.join("federation/roster.signed"))?;
    let (root, lists) = (PublicKey::from_hex("root", &root)?, Lists::builtin());
    let now = accord_proto::clock::Clock::now(&SystemClock);
    Ok(Roster::read(("roster", &bytes), &root, lists, 0, now)?.0)
}

/// A requirement to all members, signed by the development authority and checked like a node would.
pub fn requirement(federation: &Federation, blocks: &[&str]) -> Result<SignedRequirement> {
    let closes = accord_proto::clock::Clock::now(&SystemClock).plus_s(30 * 86_400);
    let blocks: String = blocks.iter().map(|block| format!("[[question]]\n{block}\n")).collect();
    let text = format!(
        "authority = \"analysis-unit\"\nwhy = \"Test\"\npurpose = \"THREAT-ASSESSMENT\"\n\
         legal_basis = \"Test, no legal effect\"\naudience = \"POLICE\"\ncloses = \"{closes}\"\n{blocks}"
    );
    let key = secret_key(federation, "federation/authority.key")?;
    let members: Vec<_> = federation.nodes.keys().cloned().collect();
    let lists = Lists::builtin();
    let signed = accord_coordinator::requirement::sign(
        &text,
        &members,
        &key,
        lists,
        &SystemClock,
        &SystemEntropy,
    )?;
    Ok(SignedRequirement::open(signed, &roster(federation)?, lists)?)
}

/// A node that says what it is told, whatever it is asked; with `append`, after one durable write of the
/// same size, like a node that keeps evidence and does nothing else.
#[derive(Debug)]
pub struct Scripted {
    /// What it answers.
    pub response: wire::AnswerResponse,
    /// Where it appends what it answers, and fsyncs.
    pub append: Option<Mutex<File>>,
    /// The journal that it shows, if it shows one.
    pub journal: Option<Journal>,
}

/// A journal that is shown honestly by whoever takes a node's place.
#[derive(Debug)]
pub struct Journal {
    origin: String,
    key: SecretKey,
    tree: Tree,
    leaves: Vec<Digest>,
}

impl Journal {
    /// Of a node that has never run.
    pub fn empty(federation: &Federation, node: &str) -> Result<Self> {
        let origin = journal::origin(&identity(federation, node)?);
        let key = secret_key(federation, &format!("{node}/keys/seal.key"))?;
        Ok(Self { origin, key, tree: Tree::default(), leaves: Vec::new() })
    }

    /// Of a node that was killed: what its data folder holds.
    pub fn of(federation: &Federation, node: &str) -> Result<Self> {
        let mut journal = Self::empty(federation, node)?;
        let data = federation.dir.join(node).join("data");
        let owner = identity(federation, node)?.to_string();
        let store = Store::open(&data, &owner, 0, &SystemEntropy)?;
        for entry in store.entries(0..u64::MAX) {
            journal.append(&entry?);
        }
        Ok(journal)
    }

    /// One more entry.
    pub fn append(&mut self, entry: &[u8]) {
        self.leaves.push(journal::leaf(entry));
        self.tree.append(journal::leaf(entry));
    }

    /// Where it stands, and that this continues what is known.
    pub fn show(&self, known: &str) -> Result<wire::GetCheckpointResponse> {
        let standing = Checkpoint::of(&self.origin, self.tree.frontier());
        let mut proof = journal::Proof::default();
        if !known.is_empty() {
            let keys = [self.key.public()];
            let known = Checkpoint::open("known", known, &self.origin, &keys)?;
            let leaves = |range: std::ops::Range<u64>| {
                let (from, to) = (usize::try_from(range.start), usize::try_from(range.end));
                let leaves =
                    from.ok().zip(to.ok()).and_then(|(from, to)| self.leaves.get(from..to));
                Ok(leaves.unwrap_or_default().to_vec())
            };
            proof = self.tree.consistency(known.size, standing.size, leaves)?;
        }
        let (note, proof) = (standing.sign(&self.key), proof.to_wire());
        Ok(wire::GetCheckpointResponse { note, proof, acknowledged: 0 })
    }
}

impl Answers for Scripted {
    fn answer(&self, _: wire::AnswerRequest) -> Result<wire::AnswerResponse, Status> {
        if let Some(file) = &self.append {
            let bytes = prost::Message::encode_to_vec(&self.response);
            let mut file = file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            file.write_all(&bytes)
                .and_then(|()| file.sync_all())
                .map_err(|error| Status::internal(error.to_string()))?;
        }
        Ok(self.response.clone())
    }

    fn journal(&self) -> Option<&Journal> {
        self.journal.as_ref()
    }
}

/// A member that is played: it answers, and knows nothing else.
pub trait Answers: Send + Sync + 'static {
    /// What it says.
    fn answer(&self, request: wire::AnswerRequest) -> Result<wire::AnswerResponse, Status>;

    /// The journal that it shows, if it shows one.
    fn journal(&self) -> Option<&Journal> {
        None
    }

    /// What stands beside all that it says.
    fn beside(&self) -> MetadataMap {
        MetadataMap::default()
    }
}

#[derive(Debug)]
struct Played<Member>(Member);

/// A played member as a service, however it is served.
pub fn played(member: impl Answers) -> impl wire::exchange_server::Exchange {
    Played(member)
}

impl<Member: Answers> Played<Member> {
    fn says<T>(&self, reply: T) -> Response<T> {
        Response::from_parts(self.0.beside(), reply, Extensions::default())
    }
}

#[tonic::async_trait]
impl<Member: Answers> wire::exchange_server::Exchange for Played<Member> {
    async fn describe(
        &self,
        _: Request<wire::DescribeRequest>,
    ) -> Result<Response<wire::DescribeResponse>, Status> {
        Ok(self.says(wire::DescribeResponse::default()))
    }

    async fn answer(
        &self,
        request: Request<wire::AnswerRequest>,
    ) -> Result<Response<wire::AnswerResponse>, Status> {
        self.0.answer(request.into_inner()).map(|reply| self.says(reply))
    }

    async fn check_standing(
        &self,
        _: Request<wire::CheckStandingRequest>,
    ) -> Result<Response<wire::CheckStandingResponse>, Status> {
        Ok(self.says(wire::CheckStandingResponse::default()))
    }

    async fn deliver_picture(
        &self,
        _: Request<tonic::Streaming<wire::DeliverPictureRequest>>,
    ) -> Result<Response<wire::DeliverPictureResponse>, Status> {
        Err(Status::unimplemented("a member that is played keeps no pictures"))
    }

    async fn get_checkpoint(
        &self,
        request: Request<wire::GetCheckpointRequest>,
    ) -> Result<Response<wire::GetCheckpointResponse>, Status> {
        let shown = self.0.journal().map(|journal| journal.show(&request.get_ref().known));
        let shown = shown.transpose().map_err(|error| Status::internal(error.to_string()))?;
        Ok(self.says(shown.unwrap_or_default()))
    }
}

/// A port of this software.
pub fn options() -> Options {
    let clock = Arc::new(SystemClock);
    Options {
        call_timeout: CALL,
        reflection: false,
        clock,
        speaks: Speaks::OURS,
        counted: <_>::default(),
    }
}

impl Scripted {
    /// Serves at an address with somebody's credentials, until the task is dropped or aborted.
    pub async fn serve(self, address: &str, credentials: Credentials) -> Result<JoinHandle<()>> {
        serve(self, address, credentials).await
    }
}

/// Serves a played member at an address with somebody's credentials, until the task is aborted.
pub async fn serve(
    member: impl Answers,
    address: &str,
    credentials: Credentials,
) -> Result<JoinHandle<()>> {
    serve_with(member, address, credentials, options()).await
}

/// The same on a port of other software.
pub async fn serve_with(
    member: impl Answers,
    address: &str,
    credentials: Credentials,
    options: Options,
) -> Result<JoinHandle<()>> {
    let listener = TcpListener::bind(address).await.with_context(|| address.to_owned())?;
    let service = ExchangeServer::new(Played(member));
    Ok(tokio::spawn(async move {
        let _ =
            listener::serve(listener, &credentials, service, options, std::future::pending()).await;
    }))
}
