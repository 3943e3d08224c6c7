//! Reading a journal over the wire: the service that both binaries offer, here, and its client in [`Reader`]. Comes
//! in: whoever keeps a journal. Goes out: exact bytes of entries. Must never end like a whole journal when it was cut,
//! and never give an entry to anybody but an auditor.

use std::{future::Future, ops::Range, pin::Pin, sync::Arc};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::timeout,
};
use tokio_stream::{Stream, wrappers::ReceiverStream};
use tonic::{Request, Response, Status};
use tracing::{info, warn};

use crate::{
    identity::Role,
    journal::{Filter, Logged, Proof, VerifierKey},
    limits::{JOURNAL_ENTRIES_AT_ONCE, JOURNAL_READS_MAX, JOURNAL_WAITING_MAX, STREAM_SILENCE_MAX},
    reason::{Invalid, Reason},
    transport::{Peer, listener::caller},
    wire::journal::{self as wire, journal_server},
};

mod command;
mod reader;

pub use command::{Command, Said, run};
pub use reader::{Reader, accept_peer};

/// Whoever keeps a journal.
pub trait Keeper: Send + Sync + 'static {
    /// Refuses whoever is not its own staff in one of these roles.
    fn admit(&self, caller: &Peer, roles: &[Role]) -> Result<(), Invalid>;
    /// Where the journal stands, signed, and the key that signed it.
    fn head(&self) -> (String, VerifierKey);
    /// Resolves when everything committed is durable.
    fn settled(&self) -> impl Future<Output = Result<(), Invalid>> + Send;
    /// Entries of a range, as they are stored.
    fn entries(&self, range: Range<u64>) -> Result<Vec<Vec<u8>>, Invalid>;
    /// That an entry is part of the journal of that size.
    fn inclusion(&self, index: u64, size: u64) -> Result<Proof, Invalid>;
    /// Relies no more on what is known of another service's journal.
    fn accept_peer(
        &self,
        caller: &Peer,
        service: &str,
        why: &str,
    ) -> impl Future<Output = Result<(), Invalid>> + Send;
}

/// The service.
#[derive(Debug)]
pub struct JournalService<K> {
    keeper: Arc<K>,
    reads: Arc<Semaphore>,
}

impl<K> Clone for JournalService<K> {
    fn clone(&self) -> Self {
        Self { keeper: Arc::clone(&self.keeper), reads: Arc::clone(&self.reads) }
    }
}

impl<K: Keeper> JournalService<K> {
    /// Of a journal.
    pub fn of(keeper: Arc<K>) -> Self {
        Self { keeper, reads: Arc::new(Semaphore::new(JOURNAL_READS_MAX)) }
    }

    fn staff<T>(&self, request: &Request<T>, role: Role) -> Result<Peer, Invalid> {
        let peer = caller(request)?;
        self.keeper.admit(&peer, &[role])?;
        Ok(peer)
    }
}

type Pages = mpsc::Sender<Result<wire::ReadResponse, Status>>;

#[tonic::async_trait]
impl<K: Keeper> journal_server::Journal for JournalService<K> {
    async fn get_head(
        &self,
        request: Request<wire::GetHeadRequest>,
    ) -> Result<Response<wire::GetHeadResponse>, Status> {
        self.staff(&request, Role::Auditor)?;
        let (note, key) = self.keeper.head();
        // A head that a power cut could take back must not be shown.
        self.keeper.settled().await?;
        Ok(Response::new(wire::GetHeadResponse { note, key: key.to_string() }))
    }

    type ReadStream = Pin<Box<dyn Stream<Item = Result<wire::ReadResponse, Status>> + Send>>;

    async fn read(
        &self,
        request: Request<wire::ReadRequest>,
    ) -> Result<Response<Self::ReadStream>, Status> {
        let peer = self.staff(&request, Role::Auditor)?;
        let request = request.into_inner();
        let filter = Filter::from_wire(&request)?;
        let place = Arc::clone(&self.reads).try_acquire_owned().map_err(|_| {
            let detail = format!("{JOURNAL_READS_MAX} journals are being read; try again shortly");
            Invalid::new(Reason::Overloaded, "journal", detail)
        })?;
        info!(
            peer = peer.identity.in_log(),
            first = request.first,
            end = request.end,
            "journal read"
        );
        let (pages, outgoing) = mpsc::channel(JOURNAL_WAITING_MAX);
        let keeper = Arc::clone(&self.keeper);
        tokio::task::spawn_blocking(move || {
            give(keeper.as_ref(), &request, &filter, &pages, &place);
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(outgoing))))
    }

    async fn accept_peer(
        &self,
        request: Request<wire::AcceptPeerRequest>,
    ) -> Result<Response<wire::AcceptPeerResponse>, Status> {
        let peer = self.staff(&request, Role::Operator)?;
        let wire::AcceptPeerRequest { service, why } = request.into_inner();
        if why.trim().is_empty() {
            let detail = "say why what is known of the journal is not relied on any more";
            return Err(Invalid::new(Reason::FieldMissing, "why", detail).into());
        }
        self.keeper.accept_peer(&peer, &service, &why).await?;
        warn!(service, "what is known of its journal is not relied on any more");
        Ok(Response::new(wire::AcceptPeerResponse {}))
    }
}

/// Gives entries page by page, as fast as they are taken. `_place` is held until the last one is on its way.
fn give(
    keeper: &impl Keeper,
    request: &wire::ReadRequest,
    filter: &Filter,
    pages: &Pages,
    _place: &OwnedSemaphorePermit,
) {
    let send = |page| {
        let sending = timeout(STREAM_SILENCE_MAX, pages.send(page));
        matches!(tokio::runtime::Handle::current().block_on(sending), Ok(Ok(())))
    };
    let mut at = request.first;
    while at < request.end {
        let next = at.saturating_add(JOURNAL_ENTRIES_AT_ONCE as u64).min(request.end);
        match page(keeper, at..next, request.prove_in, filter) {
            // Past the last entry.
            Ok(None) => break,
            Ok(Some(entries)) if entries.is_empty() => {}
            Ok(Some(entries)) => {
                if !send(Ok(wire::ReadResponse { entries, end: false })) {
                    return;
                }
            }
            Err(error) => {
                warn!(%error, "a journal could not be read");
                send(Err(error.into()));
                return;
            }
        }
        at = next;
    }
    send(Ok(wire::ReadResponse { entries: Vec::new(), end: true }));
}

fn page(
    keeper: &impl Keeper,
    range: Range<u64>,
    prove_in: u64,
    filter: &Filter,
) -> Result<Option<Vec<wire::ProvenEntry>>, Invalid> {
    let entries = keeper.entries(range.clone())?;
    if entries.is_empty() {
        return Ok(None);
    }
    let mut page = Vec::new();
    for (entry, index) in entries.into_iter().zip(range) {
        // An entry that cannot be read any more is given to whoever wants all: he finds what is wrong with it.
        let wanted =
            filter.takes_all() || Logged::decode(&entry).is_ok_and(|logged| filter.takes(&logged));
        if !wanted {
            continue;
        }
        let inclusion = match prove_in {
            0 => Vec::new(),
            size => keeper.inclusion(index, size)?.to_wire(),
        };
        page.push(wire::ProvenEntry { entry, inclusion });
    }
    Ok(Some(page))
}
