//! One listener profile for every port (reliability.md §3.3). Comes in: a bound socket and routes.
//! Goes out: a gRPC server in which every connection has a checked certificate and every wait a bound.

use std::{io, sync::Arc, time::Duration};

use tokio::{net::TcpListener, sync::mpsc, task::JoinSet};

pub use super::negotiation::heard;
use super::{
    Credentials, Peer, Protocol,
    counting::Counting,
    door::{self, PeerStream},
    negotiation::Negotiation,
    quota::Quotas,
};
use crate::{
    clock::Clock,
    limits,
    operate::measures::Tally,
    protocol::Speaks,
    reason::{Invalid, Reason},
    wire,
};

/// What differs between listeners.
#[derive(Clone)]
pub struct Options {
    /// Bound of one call.
    pub call_timeout: Duration,
    /// Offer the schema to callers.
    pub reflection: bool,
    /// What time callers are told.
    pub clock: Arc<dyn Clock>,
    /// What is spoken here: [`Speaks::OURS`], but where other software is played.
    pub speaks: Speaks,
    /// Where calls are counted, and under which name.
    pub counted: (&'static str, Tally),
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
    let (accepted, incoming) = mpsc::channel(limits::HANDSHAKES_MAX);
    // A set, so that the accept loop ends with this future however that ends, and the port is free.
    let mut accept_loop = JoinSet::new();
    let door = (credentials.clone(), Protocol::Calls);
    accept_loop.spawn(door::accept(listener, door, options.counted.clone(), accepted));
    serve_streams((accept_loop, incoming), services, options, shutdown).await
}

/// The same over connections from elsewhere; whoever brings them ends when `shutdown` resolves.
pub(super) async fn serve_streams(
    (mut source, incoming): (JoinSet<()>, mpsc::Receiver<io::Result<PeerStream>>),
    services: Services,
    options: Options,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Invalid> {
    let Services { routes, names } = services;
    let (health, health_service) = tonic_health::server::health_reporter();
    for name in &names {
        health.set_service_status(*name, tonic_health::ServingStatus::Serving).await;
    }
    let reflection = options.reflection.then(reflection).transpose()?;
    let stopping = async move {
        shutdown.await;
        for name in names {
            health.set_service_status(name, tonic_health::ServingStatus::NotServing).await;
        }
        source.abort_all();
    };
    tonic::transport::Server::builder()
        .max_concurrent_streams(limits::STREAMS_PER_CONNECTION_MAX)
        .timeout(options.call_timeout)
        .initial_stream_window_size(limits::STREAM_WINDOW_BYTES)
        .initial_connection_window_size(limits::CONNECTION_WINDOW_BYTES)
        .http2_max_header_list_size(limits::HEADER_LIST_BYTES_MAX)
        .http2_max_pending_accept_reset_streams(Some(limits::PENDING_RESETS_MAX))
        // What tonic leaves open is no bound at all.
        .http2_max_local_error_reset_streams(Some(limits::OWN_RESETS_MAX))
        .http2_keepalive_interval(Some(limits::KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(limits::KEEPALIVE_TIMEOUT))
        .max_connection_age(limits::CONNECTION_AGE_MAX)
        .max_connection_age_grace(limits::DRAIN_TIMEOUT)
        .layer(Counting { port: options.counted.0, tally: options.counted.1 })
        // Quotas first: whoever is refused for what he speaks has been counted, too.
        .layer(Quotas::new()?)
        .layer(Negotiation::new(options.speaks, options.clock))
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

/// Who calls, as an extension of every request: the peer, or why its certificate does not say who it is.
#[derive(Clone, Debug)]
pub struct Caller(pub Result<Peer, Invalid>);

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
