//! A peer that means harm, to services on this machine. Comes in: whom to attack, how, with whose certificate, for how long. Goes
//! out: how many connections and bytes that took; what it does to others, others measure.
//!
//! Must never go on past its time, make more connections than are written here, or leave the loopback.

use std::{
    ffi::OsString,
    io::{self, Write as _},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use accord_proto::limits::{CONNECTIONS_PER_IDENTITY_MAX, STREAMS_PER_CONNECTION_MAX};
use anyhow::{Context as _, Result, ensure};
use rustls::{ClientConfig, pki_types::ServerName};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    task::JoinSet,
    time::Instant,
};
use tokio_rustls::TlsConnector;

mod frames;
mod script;
pub mod tls;

pub use script::Attack;
use script::{Door, Script};

/// Connections at once: as many as a listener grants one identity.
const CONNECTIONS: usize = CONNECTIONS_PER_IDENTITY_MAX;
/// Connections of one attack, one after the other.
const CONNECTIONS_MAX: usize = 4_000;
/// Streams at once on each of them, where more are not the point.
const STREAMS: u32 = STREAMS_PER_CONNECTION_MAX;
/// Another address than that of everybody else on this machine.
const FROM: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// Whom to attack, and as whom.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Target {
    /// host:port, on the loopback.
    pub address: String,
    /// Folder with the certificate of an insider.
    pub keys: PathBuf,
    /// The call that he makes, like `/accord.desk.v1.Desk/GetStatus`.
    pub path: String,
    /// Its message.
    pub message: Vec<u8>,
}

/// What an attack took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// Connections that were made.
    pub connections: usize,
    /// What was written over them.
    pub bytes: usize,
}

/// What the connections of one attack share.
struct Assault {
    address: SocketAddr,
    tls: Arc<ClientConfig>,
    script: Script,
    until: Instant,
    connections: AtomicUsize,
    bytes: AtomicUsize,
}

/// Attacks for so long: each of a few connections is made anew when it is closed.
pub async fn attack(target: &Target, attack: Attack, time: Duration) -> Result<Spent> {
    let address: SocketAddr = target.address.parse().context("no address")?;
    ensure!(address.ip().is_loopback(), "only services on this machine are attacked");
    let script = attack.script(&target.path, &target.message);
    let tls = if script.door == Door::Insider {
        tls::client_of(&target.keys)?
    } else {
        tls::client(None)?
    };
    let until = Instant::now() + time;
    let (connections, bytes) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let assault = Arc::new(Assault { address, tls, script, until, connections, bytes });
    let mut workers = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let assault = Arc::clone(&assault);
        workers.spawn(async move { assault.go_on().await });
    }
    while let Some(ended) = workers.join_next().await {
        ended?;
    }
    Ok(Spent {
        connections: assault.connections.load(Ordering::Relaxed).min(CONNECTIONS_MAX),
        bytes: assault.bytes.load(Ordering::Relaxed),
    })
}

impl Assault {
    async fn go_on(&self) {
        while Instant::now() < self.until
            && self.connections.fetch_add(1, Ordering::Relaxed) < CONNECTIONS_MAX
        {
            // Whatever ends it: being closed and refused is what an attacker is there for.
            let _ = tokio::time::timeout_at(self.until, self.connection()).await;
        }
        tokio::time::sleep_until(self.until).await;
    }

    async fn connection(&self) -> io::Result<()> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(FROM, 0))?;
        let tcp = socket.connect(self.address).await?;
        match self.script.door {
            Door::Hangup => tcp.set_zero_linger(),
            Door::Tcp => self.talk(tcp).await,
            Door::Stranger | Door::Insider => self.talk(self.shaken(tcp).await?).await,
        }
    }

    async fn shaken(
        &self,
        tcp: TcpStream,
    ) -> io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
        let nobody = ServerName::IpAddress(Ipv4Addr::LOCALHOST.into());
        TlsConnector::from(Arc::clone(&self.tls)).connect(nobody, tcp).await
    }

    /// Says its lines until whoever listens has had enough.
    async fn talk(&self, stream: impl AsyncRead + AsyncWrite) -> io::Result<()> {
        let (mut from, mut to) = tokio::io::split(stream);
        let hears = async {
            if !self.script.hears {
                std::future::pending::<()>().await;
            }
            tokio::io::copy(&mut from, &mut tokio::io::sink()).await
        };
        let says = async {
            let mut next = self.script.greeting.clone();
            for turn in 0.. {
                to.write_all(&next).await?;
                to.flush().await?;
                self.bytes.fetch_add(next.len(), Ordering::Relaxed);
                next = self.script.lines.at(turn);
                if next.is_empty() {
                    std::future::pending::<()>().await;
                }
                match self.script.every {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => tokio::task::yield_now().await,
                }
            }
            Ok(())
        };
        tokio::select! {
            heard = hears => heard.map(drop),
            said = says => said,
        }
    }
}

/// The attacker as a process: target, attack and milliseconds, as JSON; what it took goes to standard output.
pub fn run(arguments: &[OsString]) -> ExitCode {
    let attacked = || -> Result<()> {
        let spec = arguments.first().and_then(|spec| spec.to_str()).context("no target")?;
        let (target, kind, ms): (Target, Attack, u64) = serde_json::from_str(spec)?;
        let runtime = tokio::runtime::Runtime::new()?;
        let spent = runtime.block_on(attack(&target, kind, Duration::from_millis(ms)))?;
        Ok(writeln!(io::stdout(), "{}", serde_json::to_string(&spent)?)?)
    };
    match attacked() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "hostile: {error:#}");
            ExitCode::FAILURE
        }
    }
}
