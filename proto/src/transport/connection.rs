//! A connection to exactly one peer. Comes in: an address and whom to expect there. Goes out: a gRPC channel.
//!
//! Whoever else answers at that address is refused before a byte of a request is sent.

use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint};

use super::{Credentials, Expected};
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
        let connector = TlsConnector::from(credentials.client_config(expected)?);
        connector.connect(unchecked_name(), tcp).await.map_err(|error| {
            // The peer's certificate was looked at and is not the one we want.
            let identity = error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>());
            let reason = if identity { Reason::CertificateIdentity } else { Reason::NoConnection };
            Invalid::new(reason, address, error.to_string())
        })
    };
    let tls = tokio::time::timeout(limits::CONNECT_TIMEOUT, connecting)
        .await
        .map_err(|_| refused("no connection in time".to_owned()))??;

    let mut ready = Some(TokioIo::new(tls));
    let connector = tower::service_fn(move |_: http::Uri| {
        // One connection for one channel: reconnecting is the caller's decision, with a fresh check.
        let stream =
            ready.take().ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotConnected));
        async move { stream }
    });
    Endpoint::from_static("http://accord.invalid")
        .http2_keep_alive_interval(limits::KEEPALIVE_INTERVAL)
        .keep_alive_timeout(limits::KEEPALIVE_TIMEOUT)
        .initial_stream_window_size(limits::STREAM_WINDOW_BYTES)
        .initial_connection_window_size(limits::CONNECTION_WINDOW_BYTES)
        .connect_with_connector(connector)
        .await
        .map_err(|error| refused(chain(&error)))
}

/// An error with its causes, for people.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// The name that TLS wants to see and nobody checks: peers are known by their URI SAN.
fn unchecked_name() -> ServerName<'static> {
    ServerName::IpAddress(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST).into())
}
