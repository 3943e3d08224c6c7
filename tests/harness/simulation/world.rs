//! What a simulated service has in the place of the world: a clock, dice, a network. Comes in: a seed, and the time of the
//! simulation. Goes out: the same times, numbers and connections for the same seed.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use accord_coordinator::gather::Connect;
use accord_proto::{
    clock::Clock,
    limits::CONNECT_TIMEOUT,
    reason::{Invalid, Reason},
    transport::{Expected, Peer, channel::Channel, connection::channel, listener::Caller},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tonic::transport::server::Connected;
use turmoil::net::TcpStream;

use crate::attack::world::BEGIN_MS;
pub(super) use crate::attack::world::Seeded;

/// Where nodes listen.
pub(super) const PORT: u16 = 7101;

/// The time of the simulation, which a host may see wrongly.
#[derive(Clone, Debug, Default)]
pub(super) struct SimClock {
    passed_ms: Arc<AtomicI64>,
    wrong_by_ms: Arc<AtomicI64>,
}

impl SimClock {
    /// Another host's view of the same time.
    pub(super) fn of_another_host(&self) -> Self {
        Self { passed_ms: Arc::clone(&self.passed_ms), wrong_by_ms: Arc::default() }
    }

    /// Time goes on, for everybody.
    pub(super) fn pass(&self, elapsed: Duration) {
        let passed = i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
        self.passed_ms.store(passed, Ordering::SeqCst);
    }

    /// This host's clock is set wrongly, or right again.
    pub(super) fn be_wrong_by(&self, seconds: i64) {
        self.wrong_by_ms.store(seconds * 1_000, Ordering::SeqCst);
    }
}

impl Clock for SimClock {
    fn now_ms(&self) -> i64 {
        let (passed, wrong) =
            (self.passed_ms.load(Ordering::SeqCst), self.wrong_by_ms.load(Ordering::SeqCst));
        BEGIN_MS + passed + wrong
    }
}

/// The simulated network, in which hosts have the names of nodes. Who is at the other end is not what is simulated: transport
/// has tests of its own over real TLS.
#[derive(Debug)]
pub(super) struct Network;

#[tonic::async_trait]
impl Connect for Network {
    async fn connect(&self, address: &str, _: Expected) -> Result<Channel, Invalid> {
        let refused = |detail: String| Invalid::new(Reason::NoConnection, address, detail);
        let host = address.split(':').next().unwrap_or_default().to_owned();
        let connecting = async {
            let stream = TcpStream::connect((host, PORT)).await;
            let stream = stream.map_err(|error| refused(error.to_string()))?;
            channel(stream).await.map_err(|error| refused(error.to_string()))
        };
        let channel = tokio::time::timeout(CONNECT_TIMEOUT, connecting).await;
        channel.map_err(|_| refused("no connection in time".to_owned()))?
    }
}

/// A connection that a node has accepted from its coordinator.
pub(super) struct Accepted {
    stream: TcpStream,
    caller: Caller,
}

impl Accepted {
    pub(super) fn from(stream: TcpStream, coordinator: &Peer) -> Self {
        Self { stream, caller: Caller(Ok(coordinator.clone())) }
    }
}

impl Connected for Accepted {
    type ConnectInfo = Caller;

    fn connect_info(&self) -> Caller {
        self.caller.clone()
    }
}

impl AsyncRead for Accepted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Accepted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
