//! One listener profile for every port (reliability.md §3.3). Comes in: a bound socket and routes.
//! Goes out: a gRPC server in which every connection has a checked certificate and every wait a bound.
//!
//! tonic has no cap on connections or handshakes, so the accept loop here counts them.

use std::{
    collections::HashMap,
    hash::Hash,
    io,
    net::IpAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tonic::transport::server::Connected;
use tower::{ServiceBuilder, limit::GlobalConcurrencyLimitLayer, load_shed::LoadShedLayer};
use tracing::{debug, warn};

use super::{Credentials, Peer, watched::Watched};
use crate::{
    limits,
    reason::{Invalid, Reason},
    seal::Digest,
    wire,
};

/// What differs between listeners.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Bound of one call.
    pub call_timeout: Duration,
    /// Offer the schema to callers.
    pub reflection: bool,
}

/// Serves until `shutdown` resolves; then health says NOT_SERVING, calls under way may end, and it returns.
pub async fn serve(
    listener: TcpListener,
    credentials: &Credentials,
    service: impl Grpc,
    options: Options,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Invalid> {
    serve_all(listener, credentials, Services::of(service), options, shutdown).await
}

/// What can be served: every generated server is one.
pub trait Grpc:
    tower::Service<
        http::Request<tonic::body::Body>,
        Response = http::Response<tonic::body::Body>,
        Error = std::convert::Infallible,
        Future: Send + 'static,
    > + tonic::server::NamedService
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S> Grpc for S where
    S: tower::Service<
            http::Request<tonic::body::Body>,
            Response = http::Response<tonic::body::Body>,
            Error = std::convert::Infallible,
            Future: Send + 'static,
        > + tonic::server::NamedService
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// Services that share a port.
#[derive(Clone, Debug)]
pub struct Services {
    routes: tonic::service::Routes,
    names: Vec<&'static str>,
}

impl Services {
    /// One service.
    pub fn of<S: Grpc>(service: S) -> Self {
        Self { routes: tonic::service::Routes::new(service), names: vec![S::NAME] }
    }

    /// … and one more.
    #[must_use]
    pub fn and<S: Grpc>(mut self, service: S) -> Self {
        self.routes = self.routes.add_service(service);
        self.names.push(S::NAME);
        self
    }
}

/// The same for several services on one port.
pub async fn serve_all(
    listener: TcpListener,
    credentials: &Credentials,
    services: Services,
    options: Options,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Invalid> {
    let Services { routes, names } = services;
    let (accepted, incoming) = mpsc::channel(limits::CALLS_PER_CONNECTION_MAX);
    // A set, so that the accept loop ends with this future however that ends, and the port is free.
    let mut accept_loop = tokio::task::JoinSet::new();
    accept_loop.spawn(accept(listener, credentials.clone(), accepted));

    let (health, health_service) = tonic_health::server::health_reporter();
    for name in &names {
        health.set_service_status(*name, tonic_health::ServingStatus::Serving).await;
    }
    let reflection = options.reflection.then(reflection).transpose()?;
    let shed = ServiceBuilder::new()
        .layer(LoadShedLayer::new())
        .layer(GlobalConcurrencyLimitLayer::new(limits::CALLS_MAX))
        .into_inner();

    let stopping = async move {
        shutdown.await;
        for name in names {
            health.set_service_status(name, tonic_health::ServingStatus::NotServing).await;
        }
        accept_loop.abort_all();
    };
    tonic::transport::Server::builder()
        .max_concurrent_streams(limits::STREAMS_PER_CONNECTION_MAX)
        .concurrency_limit_per_connection(limits::CALLS_PER_CONNECTION_MAX)
        .load_shed(true)
        .timeout(options.call_timeout)
        .initial_stream_window_size(limits::STREAM_WINDOW_BYTES)
        .initial_connection_window_size(limits::CONNECTION_WINDOW_BYTES)
        .http2_max_header_list_size(limits::HEADER_LIST_BYTES_MAX)
        .http2_max_pending_accept_reset_streams(Some(limits::PENDING_RESETS_MAX))
        .http2_keepalive_interval(Some(limits::KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(limits::KEEPALIVE_TIMEOUT))
        .max_connection_age(limits::CONNECTION_AGE_MAX)
        .max_connection_age_grace(limits::DRAIN_TIMEOUT)
        .layer(shed)
        .add_routes(routes)
        .add_service(health_service)
        .add_optional_service(reflection)
        .serve_with_incoming_shutdown(
            tokio_stream::wrappers::ReceiverStream::new(incoming),
            stopping,
        )
        .await
        .map_err(|error| Invalid::new(Reason::Internal, "listener", error.to_string()))
}

fn reflection() -> Result<
    tonic_reflection::server::v1::ServerReflectionServer<
        impl tonic_reflection::server::v1::ServerReflection,
    >,
    Invalid,
> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(wire::DESCRIPTORS)
        .build_v1()
        .map_err(|error| Invalid::new(Reason::Internal, "reflection", error.to_string()))
}

/// A connection whose certificate chain has been checked.
#[derive(Debug)]
pub struct PeerStream {
    watched: Watched,
    tls: TlsStream<TcpStream>,
    caller: Caller,
    _connection: OwnedSemaphorePermit,
    _of_caller: Place<Digest>,
}

/// Who calls, as an extension of every request: the peer, or why its certificate does not say who it is.
#[derive(Clone, Debug)]
pub struct Caller(pub Result<Peer, Invalid>);

impl Connected for PeerStream {
    type ConnectInfo = Caller;

    fn connect_info(&self) -> Caller {
        self.caller.clone()
    }
}

/// Who makes this call.
pub fn caller<T>(request: &tonic::Request<T>) -> Result<Peer, Invalid> {
    match request.extensions().get::<Caller>() {
        Some(Caller(peer)) => peer.clone(),
        // Past our own listener nobody comes without a certificate: whatever this is, it is nobody.
        None => {
            Err(Invalid::new(Reason::CertificateIdentity, "connection", "shows no certificate"))
        }
    }
}

/// What the connections of one listener share.
#[derive(Clone)]
struct Door {
    credentials: Credentials,
    /// Handshakes have room of their own: strangers who never finish one take no connection away.
    handshakes: Arc<Semaphore>,
    handshakes_by_address: Counted<IpAddr>,
    connections: Arc<Semaphore>,
    /// By identity; by certificate where that does not say who it is.
    connections_by_caller: Counted<Digest>,
}

/// Accepts for ever. Past a cap a connection is closed at once: whoever floods pays, nobody else waits.
async fn accept(
    listener: TcpListener,
    credentials: Credentials,
    accepted: mpsc::Sender<io::Result<PeerStream>>,
) {
    let door = Door {
        credentials,
        handshakes: Arc::new(Semaphore::new(limits::HANDSHAKES_MAX)),
        handshakes_by_address: Counted::new(limits::HANDSHAKES_PER_ADDRESS_MAX),
        connections: Arc::new(Semaphore::new(limits::CONNECTIONS_MAX)),
        connections_by_caller: Counted::new(limits::CONNECTIONS_PER_IDENTITY_MAX),
    };
    loop {
        let (tcp, address) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, most likely: accepting again at once would spin.
                warn!(%error, "cannot accept");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let places = (
            Arc::clone(&door.handshakes).try_acquire_owned().ok(),
            door.handshakes_by_address.take(address.ip()),
        );
        let (Some(_), Some(_)) = &places else {
            warn!(%address, "refused: too many handshakes");
            continue;
        };
        let (door, accepted) = (door.clone(), accepted.clone());
        tokio::spawn(async move {
            let greeted = door.greet(tcp).await;
            drop(places);
            match greeted {
                // The server is gone if this fails; the connection closes with it.
                Ok(stream) => drop(accepted.send(Ok(stream)).await),
                Err(why) => debug!(%address, why, "refused"),
            }
        });
    }
}

impl Door {
    /// The handshake, and then a place for whoever it turns out to be.
    async fn greet(&self, tcp: TcpStream) -> Result<PeerStream, String> {
        // Answers are small and awaited: do not hold them back to fill a packet.
        let _ = tcp.set_nodelay(true);
        // By the certificate of now.
        let acceptor = TlsAcceptor::from(self.credentials.server_config());
        let handshake = tokio::time::timeout(limits::HANDSHAKE_TIMEOUT, acceptor.accept(tcp));
        let tls = handshake
            .await
            .map_err(|_| "the handshake took too long")?
            .map_err(|error| error.to_string())?;
        let chain = tls.get_ref().1.peer_certificates().unwrap_or_default();
        let certificate = chain.first().ok_or("shows no certificate")?;
        let watched = self.credentials.watch(chain);
        let peer = Peer::from_certificate(certificate);
        let caller = match &peer {
            Ok(peer) => Digest::of(peer.identity.to_string().as_bytes()),
            Err(_) => Digest::of(certificate),
        };
        let connections = Arc::clone(&self.connections).try_acquire_owned();
        let of_caller = self.connections_by_caller.take(caller);
        Ok(PeerStream {
            watched,
            tls,
            caller: Caller(peer),
            _connection: connections.map_err(|_| "too many connections")?,
            _of_caller: of_caller.ok_or("too many connections of one identity")?,
        })
    }
}

/// Counts how many places a key has taken.
#[derive(Clone, Debug)]
struct Counted<K: Eq + Hash> {
    taken: Arc<Mutex<HashMap<K, usize>>>,
    most: usize,
}

/// A taken place; given back when dropped.
#[derive(Debug)]
struct Place<K: Eq + Hash> {
    of: Counted<K>,
    key: Option<K>,
}

impl<K: Eq + Hash + Clone> Counted<K> {
    fn new(most: usize) -> Self {
        Self { taken: Arc::default(), most }
    }

    fn take(&self, key: K) -> Option<Place<K>> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(key.clone()).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Place { of: self.clone(), key: Some(key) })
    }
}

impl<K: Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let Some(key) = self.key.take() else { return };
        let mut taken = self.of.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&key);
            }
        }
    }
}

impl AsyncRead for PeerStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.watched.is_over(cx) {
            return Poll::Ready(Err(io::Error::from(io::ErrorKind::ConnectionAborted)));
        }
        Pin::new(&mut self.tls).poll_read(cx, buf)
    }
}

impl AsyncWrite for PeerStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tls).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_given_back() {
        let counted = Counted::new(2);
        let (first, second) = (counted.take("a"), counted.take("a"));
        assert!(first.is_some() && second.is_some());
        assert!(counted.take("a").is_none());
        assert!(counted.take("b").is_some());
        drop(first);
        assert!(counted.take("a").is_some());
    }
}
