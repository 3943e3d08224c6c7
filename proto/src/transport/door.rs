//! The door of a port. Comes in: a bound socket. Goes out: streams of peers whose certificate chain has been checked.
//! Must never make one wait for another: whoever floods or never finishes a handshake pays, nobody else.
//!
//! tonic has no cap on connections or handshakes, so the accept loop here counts them.

use std::{
    collections::HashMap,
    hash::Hash,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    time::Sleep,
};
use tokio_rustls::{TlsAcceptor, TlsStream};
use tonic::transport::server::Connected;
use tracing::{debug, warn};

use super::{
    Credentials, Peer, Protocol,
    handshake::{Refusal, Refusals},
    listener::Caller,
    quota::Rates,
    watched::Watched,
};
use crate::{limits, operate::measures::Tally, reason::Invalid, seal::Digest};

/// What a client of HTTP/2 says first (RFC 9113).
const PREFACE_BYTES: usize = 24;

/// A connection whose certificate chain has been checked, whoever has opened it.
#[derive(Debug)]
pub(super) struct PeerStream {
    watched: Watched,
    tls: TlsStream<TcpStream>,
    caller: Caller,
    /// Of a port: given back when it ends.
    places: Option<(OwnedSemaphorePermit, Place<Digest>)>,
    /// Dropped when it ends.
    open: Option<oneshot::Sender<()>>,
    /// Of a port: bytes that the peer has yet to say by then. Without them HTTP/2 would wait, and ask for no sign of life.
    preface: Option<(usize, Pin<Box<Sleep>>)>,
}

impl PeerStream {
    /// After the handshake. It ends once the peer's certificate is not believed any more.
    pub(super) fn of(
        tls: impl Into<TlsStream<TcpStream>>,
        credentials: &Credentials,
    ) -> Result<Self, &'static str> {
        let tls = tls.into();
        let chain = tls.get_ref().1.peer_certificates().unwrap_or_default();
        let certificate = chain.first().ok_or("shows no certificate")?;
        let (watched, caller) =
            (credentials.watch(chain), Caller(Peer::from_certificate(certificate)));
        Ok(Self { watched, tls, caller, places: None, open: None, preface: None })
    }

    /// Who is at the other end, or why its certificate does not say so.
    pub(super) fn peer(&self) -> &Result<Peer, Invalid> {
        &self.caller.0
    }

    /// Has the peer agreed to this?
    pub(super) fn speaks(&self, protocol: Protocol) -> bool {
        self.tls.get_ref().1.alpn_protocol() == Some(protocol.id())
    }

    /// Resolves, one way or the other, when the connection has ended.
    pub(super) fn ended(&mut self) -> oneshot::Receiver<()> {
        let (open, ended) = oneshot::channel();
        self.open = Some(open);
        ended
    }

    /// Has the peer begun to speak, or time to?
    fn begins(&mut self, read: usize, cx: &mut Context<'_>) -> bool {
        let Some((unsaid, deadline)) = &mut self.preface else { return true };
        *unsaid = unsaid.saturating_sub(read);
        if *unsaid > 0 {
            return deadline.as_mut().poll(cx).is_pending();
        }
        self.preface = None;
        true
    }

    /// Whose connection this counts as: an identity's; a certificate's where that does not say who it is.
    fn counts_as(&self) -> Digest {
        match &self.caller.0 {
            Ok(peer) => Digest::of(peer.identity.to_string().as_bytes()),
            Err(_) => {
                let certificate = self.tls.get_ref().1.peer_certificates().and_then(<[_]>::first);
                Digest::of(certificate.map_or(&[], |certificate| certificate.as_ref()))
            }
        }
    }
}

impl Connected for PeerStream {
    type ConnectInfo = Caller;

    fn connect_info(&self) -> Caller {
        self.caller.clone()
    }
}

/// What the connections of one listener share.
#[derive(Clone)]
struct Door {
    credentials: Credentials,
    protocol: Protocol,
    /// Handshakes have room of their own: strangers who never finish one take no connection away.
    handshakes: Arc<Semaphore>,
    handshakes_by_address: Counted<IpAddr>,
    connections: Arc<Semaphore>,
    /// By identity; by certificate where that does not say who it is.
    connections_by_caller: Counted<Digest>,
}

/// Accepts for ever. Past a cap a connection is closed at once: whoever floods pays, nobody else waits.
pub(super) async fn accept(
    listener: TcpListener,
    (credentials, protocol): (Credentials, Protocol),
    counted: (&'static str, Tally),
    accepted: mpsc::Sender<io::Result<PeerStream>>,
) {
    let door = Door {
        credentials,
        protocol,
        handshakes: Arc::new(Semaphore::new(limits::HANDSHAKES_MAX)),
        handshakes_by_address: Counted::new(limits::HANDSHAKES_PER_ADDRESS_MAX),
        connections: Arc::new(Semaphore::new(limits::CONNECTIONS_MAX)),
        connections_by_caller: Counted::new(limits::CONNECTIONS_PER_IDENTITY_MAX),
    };
    let refusals = Arc::new(Refusals::at(counted));
    let mut crowd = Crowd::default();
    // A handshake costs more of us than of whoever breaks it off, and of who that is nothing is known before.
    let often = Rates::<IpAddr>::new(
        limits::HANDSHAKES_PER_ADDRESS_SECOND,
        limits::HANDSHAKES_PER_ADDRESS_AT_ONCE,
    );
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
        let (Some(_), Some(_), true) = (&places.0, &places.1, often.allow(&address.ip())) else {
            crowd.one_more(address);
            continue;
        };
        let (door, accepted, refusals) = (door.clone(), accepted.clone(), Arc::clone(&refusals));
        tokio::spawn(async move {
            let greeted = door.greet(tcp).await;
            drop(places);
            match greeted {
                // The server is gone if this fails; the connection closes with it.
                Ok(stream) => drop(accepted.send(Ok(stream)).await),
                Err((why, refusal)) => {
                    debug!(%address, why, "refused");
                    if let Some(refusal) = refusal {
                        refusals.one_more(address, refusal);
                    }
                }
            }
        });
    }
}

/// Why nothing came of a connection, for the log; and the reason, if it was refused in its handshake.
type Turned = (String, Option<Refusal>);

/// Strangers who were turned away because they are too many, and not all of them in the log.
#[derive(Default)]
struct Crowd {
    said: Option<Instant>,
    unsaid: u64,
}

impl Crowd {
    fn one_more(&mut self, address: SocketAddr) {
        self.unsaid += 1;
        if self.said.is_none_or(|said| said.elapsed() >= limits::REFUSALS_LOGGED_EVERY) {
            warn!(%address, connections = self.unsaid, "refused: too many handshakes");
            *self = Self { said: Some(Instant::now()), unsaid: 0 };
        }
    }
}

impl Door {
    /// The handshake, and then a place for whoever it turns out to be.
    async fn greet(&self, tcp: TcpStream) -> Result<PeerStream, Turned> {
        // Answers are small and awaited: do not hold them back to fill a packet.
        let _ = tcp.set_nodelay(true);
        // By the certificate of now.
        let acceptor = TlsAcceptor::from(self.credentials.server_config(self.protocol));
        let handshake = acceptor.accept(tcp).into_fallible();
        let shaken = tokio::time::timeout(limits::HANDSHAKE_TIMEOUT, handshake)
            .await
            .map_err(|_| ("the handshake took too long".to_owned(), Some(Refusal::Other)))?;
        let tls = match shaken {
            Ok(tls) => tls,
            Err((error, tcp)) => {
                let refusal = Refusal::of(&error);
                if refusal.is_some_and(Refusal::is_of_certificate) {
                    part(tcp).await;
                }
                return Err((error.to_string(), refusal));
            }
        };
        let mut stream = PeerStream::of(tls, &self.credentials)
            .map_err(|why| (why.to_owned(), Some(Refusal::NoCertificate)))?;
        if self.protocol == Protocol::Calls {
            let deadline = Box::pin(tokio::time::sleep(limits::HANDSHAKE_TIMEOUT));
            stream.preface = Some((PREFACE_BYTES, deadline));
        }
        let connections = Arc::clone(&self.connections).try_acquire_owned();
        let of_caller = self.connections_by_caller.take(stream.counts_as());
        stream.places = Some((
            connections.map_err(|_| ("too many connections".to_owned(), None))?,
            of_caller.ok_or_else(|| ("too many connections of one identity".to_owned(), None))?,
        ));
        Ok(stream)
    }
}

/// Lets a refused peer hear why: what it has said already is taken, or the system would throw the alert away with the connection.
async fn part(mut tcp: TcpStream) {
    let hears = async {
        tcp.shutdown().await?;
        let mut most = tcp.take(limits::PARTING_BYTES_MAX);
        tokio::io::copy(&mut most, &mut tokio::io::sink()).await
    };
    // Whoever does not end within it has heard, or does not want to.
    let _ = tokio::time::timeout(limits::PARTING_MAX, hears).await;
}

/// Counts how many places a key has taken.
#[derive(Clone, Debug)]
pub(super) struct Counted<K: Eq + Hash> {
    taken: Arc<Mutex<HashMap<K, usize>>>,
    most: usize,
}

/// A taken place; given back when dropped.
#[derive(Debug)]
pub(super) struct Place<K: Eq + Hash> {
    of: Counted<K>,
    key: Option<K>,
}

impl<K: Eq + Hash + Clone> Counted<K> {
    pub(super) fn new(most: usize) -> Self {
        Self { taken: Arc::default(), most }
    }

    pub(super) fn take(&self, key: K) -> Option<Place<K>> {
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
        let before = buf.filled().len();
        let read = Pin::new(&mut self.tls).poll_read(cx, buf);
        if !self.begins(buf.filled().len() - before, cx) {
            return Poll::Ready(Err(io::Error::from(io::ErrorKind::TimedOut)));
        }
        read
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
