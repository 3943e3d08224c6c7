//! A connection to exactly one peer. Comes in: an address and whom to expect there. Goes out: a gRPC channel.
//!
//! Whoever else answers at that address is refused before a byte of a request is sent.

use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;
use tonic::transport::{self, Endpoint};

use super::{
    Credentials, Expected, Protocol,
    channel::Channel,
    handshake::{Parting, Said},
};
use crate::{
    limits,
    reason::{Invalid, Reason},
};

/// Connects over mutual TLS and makes sure of the peer's identity.
pub async fn connect(
    address: &str,
    credentials: &Credentials,
    expected: Expected,
) -> Result<Channel, Invalid> {
    let refused = |detail: String| Invalid::new(Reason::NoConnection, address, detail);
    let connecting = async {
        let tcp = TcpStream::connect(address).await.map_err(|error| refused(error.to_string()))?;
        // Requests are small and awaited.
        let _ = tcp.set_nodelay(true);
        let connector =
            TlsConnector::from(credentials.client_config(vec![expected], Protocol::Calls)?);
        let shaken = connector.connect(unchecked_name(), tcp).await;
        shaken.map_err(|error| handshake_failed(address, &error))
    };
    let tls = tokio::time::timeout(limits::CONNECT_TIMEOUT, connecting)
        .await
        .map_err(|_| refused("no connection in time".to_owned()))??;

    let said = Said::to(credentials.certificate());
    match channel(Parting::of(tls, said.clone())).await {
        Ok(channel) => Ok(channel.shown(said)),
        Err(error) => Err(said.refusal().unwrap_or_else(|| refused(chain(&error)))),
    }
}

/// What a handshake that came to nothing means.
pub(super) fn handshake_failed(address: &str, error: &std::io::Error) -> Invalid {
    // The peer's certificate was looked at and is not the one we want.
    let identity = error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>());
    let reason = if identity { Reason::CertificateIdentity } else { Reason::NoConnection };
    Invalid::new(reason, address, error.to_string())
}

/// A channel over one connection whose peer has been checked, and never over another: reconnecting is the caller's decision,
/// with a fresh check.
pub async fn channel(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) -> Result<Channel, transport::Error> {
    let mut ready = Some(TokioIo::new(stream));
    let connector = tower::service_fn(move |_: http::Uri| {
        let stream =
            ready.take().ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotConnected));
        async move { stream }
    });
    let connected = Endpoint::from_static("http://accord.invalid")
        .http2_keep_alive_interval(limits::KEEPALIVE_INTERVAL)
        .keep_alive_timeout(limits::KEEPALIVE_TIMEOUT)
        // One that a node has opened rests for hours, and a firewall forgets it without a word.
        .keep_alive_while_idle(true)
        .initial_stream_window_size(limits::STREAM_WINDOW_BYTES)
        .initial_connection_window_size(limits::CONNECTION_WINDOW_BYTES)
        .connect_with_connector(connector)
        .await;
    connected.map(Channel::over)
}

/// An error with its causes, for people.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// The name that TLS wants to see and nobody checks: peers are known by their URI SAN.
pub(super) fn unchecked_name() -> ServerName<'static> {
    ServerName::IpAddress(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST).into())
}
