//! Dialling out: a node behind a closed firewall opens the connection and serves over it. Comes in: whom to dial,
//! through which proxy, and a service. Goes out: the very server of a port, without a port.
//!
//! The node is the client of TLS and the server of gRPC. Nothing above knows the difference. Must never serve anybody
//! but a coordinator of the roster, nor dial without a pause.

use std::{io, sync::Arc, time::Duration};

use tokio::{
    net::TcpStream,
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::TlsConnector;
use tracing::{debug, info, warn};

use super::{
    Credentials, Expected, Protocol,
    connection::{handshake_failed, unchecked_name},
    door::PeerStream,
    listener::{self, Options, Services},
    proxy,
};
use crate::{
    clock::Entropy,
    limits,
    reason::{Invalid, Reason, quoted},
};

/// Whom to dial, and which way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// host:port where the coordinator lets nodes dial in.
    coordinator: String,
    /// host:port of an HTTP proxy.
    proxy: Option<String>,
}

impl Way {
    /// Reads `host:port`, and `http://host:port` or nothing.
    pub fn parse(coordinator: &str, proxy: &str) -> Result<Self, Invalid> {
        let wrong = |field: &str, text: &str, wanted: &str| {
            let detail = format!("{} is not {wanted}", quoted(text));
            Invalid::new(Reason::FieldInvalid, field, detail)
        };
        let Some(coordinator) = host_and_port(coordinator) else {
            return Err(wrong(
                "dial.coordinator",
                coordinator,
                "host:port, like centre.example:7102",
            ));
        };
        let Some(proxy) = Some(proxy).filter(|proxy| !proxy.is_empty()) else {
            return Ok(Self { coordinator, proxy: None });
        };
        let at = proxy.strip_prefix("http://").map(|rest| rest.strip_suffix('/').unwrap_or(rest));
        match at.and_then(host_and_port) {
            Some(at) => Ok(Self { coordinator, proxy: Some(at) }),
            None => Err(wrong("dial.proxy", proxy, "http://host:port")),
        }
    }
}

impl Way {
    /// host:port that is connected to first.
    pub fn first_hop(&self) -> &str {
        self.proxy.as_deref().unwrap_or(&self.coordinator)
    }
}

impl std::fmt::Display for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.proxy {
            Some(proxy) => write!(f, "{} through {proxy}", self.coordinator),
            None => write!(f, "{}", self.coordinator),
        }
    }
}

/// It goes into a request to a proxy as it stands: nothing but a name, an address and a port.
fn host_and_port(text: &str) -> Option<String> {
    let (host, port) = text.rsplit_once(':')?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    let port = port.parse::<u16>().is_ok_and(|port| port > 0);
    (port && !host.is_empty() && host.bytes().all(plain)).then(|| text.to_owned())
}

/// How long things take; production has one, [`Pace::default`].
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// After the first failure.
    first: Duration,
    /// It doubles up to this.
    most: Duration,
    /// A connection that lived so long was a good one.
    lasting: Duration,
    /// Then the next connection is made, while this one still serves.
    renew: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first: limits::DIAL_PAUSE_MIN,
            most: limits::DIAL_PAUSE_MAX,
            lasting: limits::DIAL_LASTING,
            renew: limits::CONNECTION_AGE_MAX.saturating_sub(limits::DIAL_OVERLAP),
        }
    }
}

impl Pace {
    /// Between half and all of a pause that doubles: not all nodes come back in the same moment.
    fn pause(&self, failures: u32, dice: u8) -> Duration {
        let doubled = self.first.saturating_mul(1 << failures.saturating_sub(1).min(16));
        let half = doubled.min(self.most) / 2;
        half + half * u32::from(dice) / u32::from(u8::MAX)
    }
}

/// Who is expected at the other end: whoever counts when it is asked.
pub type Centres = Box<dyn Fn() -> Vec<Expected> + Send + Sync>;

/// What a connection is made by.
struct Dial {
    way: Way,
    credentials: Credentials,
    centres: Centres,
    dialled: mpsc::Sender<io::Result<PeerStream>>,
}

/// Serves over connections to one of the expected until `shutdown` resolves. Whatever becomes of a connection, the next
/// one is made.
pub async fn serve(
    way: Way,
    (credentials, centres): (&Credentials, Centres),
    services: Services,
    options: Options,
    entropy: Arc<dyn Entropy>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Invalid> {
    let (dialled, incoming) = mpsc::channel(1);
    let dial = Dial { way, credentials: credentials.clone(), centres, dialled };
    let mut source = JoinSet::new();
    source.spawn(async move {
        let name = dial.way.to_string();
        keep_dialling(&name, || dial.once(), Pace::default(), &*entropy).await;
    });
    listener::serve_streams((source, incoming), services, options, shutdown).await
}

impl Dial {
    /// One connection, handed to the server; resolves when it has ended.
    async fn once(&self) -> Result<oneshot::Receiver<()>, Invalid> {
        let Self { way: Way { coordinator, proxy }, credentials, centres, dialled } = self;
        let refused = |detail: &str| Invalid::new(Reason::NoConnection, coordinator, detail);
        // By the certificate and the roster of now.
        let config = credentials.client_config(centres(), Protocol::Serves)?;
        let connecting = async {
            let tcp = match proxy {
                Some(proxy) => proxy::connect(proxy, coordinator).await?,
                None => TcpStream::connect(coordinator)
                    .await
                    .map_err(|error| refused(&error.to_string()))?,
            };
            // Answers are small and awaited.
            let _ = tcp.set_nodelay(true);
            let shaken = TlsConnector::from(config).connect(unchecked_name(), tcp).await;
            shaken.map_err(|error| handshake_failed(coordinator, &error))
        };
        let tls = timeout(limits::CONNECT_TIMEOUT, connecting)
            .await
            .map_err(|_| refused("no connection in time"))??;
        let mut stream = PeerStream::of(tls, credentials).map_err(refused)?;
        if !stream.speaks(Protocol::Serves) {
            return Err(refused("nobody is let in here who dials: is it another port?"));
        }
        let ended = stream.ended();
        // The server is gone if this fails, and this loop with it.
        dialled.send(Ok(stream)).await.map_err(|_| refused("the server has ended"))?;
        Ok(ended)
    }
}

/// What is wrong if it stays so.
const SOON: &str = "the connection has ended soon; if it goes on so: does the coordinator's roster name this \
    certificate, and say that this node dials in?";

/// For ever. Says what has changed, and nothing while it stays the same.
async fn keep_dialling<Dialled: Future<Output = Result<oneshot::Receiver<()>, Invalid>>>(
    name: &str,
    mut dial: impl FnMut() -> Dialled,
    pace: Pace,
    entropy: &dyn Entropy,
) {
    let (mut failures, mut said, mut renews) = (0_u32, String::new(), false);
    loop {
        let problem = match dial().await {
            Ok(mut ended) => {
                let quiet = renews || said == SOON;
                if !quiet {
                    info!(coordinator = name, "dialled");
                }
                // An error means that it has ended: nothing is ever sent.
                if timeout(pace.lasting, &mut ended).await.is_ok() {
                    SOON.to_owned()
                } else {
                    if quiet && !renews {
                        info!(coordinator = name, "dialled");
                    }
                    (failures, said) = (0, String::new());
                    let rest = pace.renew.saturating_sub(pace.lasting);
                    renews = timeout(rest, ended).await.is_err();
                    if renews {
                        // The server ends the old one when that is too old, and what is under way there first.
                        debug!(coordinator = name, "dialling anew, in good time");
                        continue;
                    }
                    "the connection has ended".to_owned()
                }
            }
            Err(error) => error.to_string(),
        };
        renews = false;
        failures = failures.saturating_add(1);
        if problem == said {
            debug!(coordinator = name, problem, failures, "still not dialled");
        } else {
            warn!(coordinator = name, problem, "not dialled; trying again and again");
            said = problem;
        }
        let mut dice = [u8::MAX];
        // Without randomness it is the whole pause.
        let _ = entropy.fill(&mut dice);
        sleep(pace.pause(failures, dice[0])).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::clock::SystemEntropy;

    const WAIT: Duration = Duration::from_secs(20);

    #[test]
    fn a_pause_doubles_up_to_its_most_and_is_never_none() {
        let pace = Pace::default();
        let pauses: Vec<_> = (0..40).map(|failures| pace.pause(failures, u8::MAX)).collect();
        assert_eq!(pauses[..4], [1, 1, 2, 4].map(Duration::from_secs));
        assert!(pauses.is_sorted() && pauses[39] == limits::DIAL_PAUSE_MAX, "{pauses:?}");
        for failures in [0, 1, 5, u32::MAX] {
            let (least, most) = (pace.pause(failures, 0), pace.pause(failures, u8::MAX));
            assert!(least >= limits::DIAL_PAUSE_MIN / 2 && least * 2 == most, "{least:?} {most:?}");
        }
    }

    #[test]
    fn a_way_is_read_as_written_and_nothing_else() {
        let way = Way::parse("centre.example:7102", "http://proxy.example:3128/").unwrap();
        assert_eq!(way.to_string(), "centre.example:7102 through proxy.example:3128");
        assert_eq!(Way::parse("[::1]:7102", "").unwrap().to_string(), "[::1]:7102");
        for (coordinator, proxy, field) in [
            ("", "", "dial.coordinator"),
            ("centre.example", "", "dial.coordinator"),
            ("centre.example:0", "", "dial.coordinator"),
            ("a\r\nX: y:1", "", "dial.coordinator"),
            ("a:1", "proxy.example:3128", "dial.proxy"),
            ("a:1", "https://proxy.example:3128", "dial.proxy"),
            ("a:1", "http://user:word@proxy.example:3128", "dial.proxy"),
        ] {
            let refused = Way::parse(coordinator, proxy).unwrap_err();
            assert_eq!((refused.reason, refused.field.as_str()), (Reason::FieldInvalid, field));
        }
    }

    /// Dials until `enough` is true of how many connections are open and how many were made.
    async fn dials(lives: bool, pace: Pace, enough: impl Fn(usize, usize) -> bool) {
        let (made, mut open) = (AtomicUsize::new(0), Vec::new());
        let (tell, mut told) = mpsc::unbounded_channel();
        let dial = || {
            let at = made.fetch_add(1, Ordering::Relaxed);
            let (line, ended) = oneshot::channel();
            let told = tell.send(line).map_err(|_| Invalid::new(Reason::Internal, "", ""));
            let refused = !lives && at % 2 == 1;
            async move {
                told?;
                if refused { Err(Invalid::new(Reason::NoConnection, "", "")) } else { Ok(ended) }
            }
        };
        let watching = async {
            while let Some(line) = told.recv().await {
                if lives {
                    open.push(line);
                }
                if enough(open.len(), made.load(Ordering::Relaxed)) {
                    return;
                }
            }
        };
        tokio::select! {
            () = keep_dialling("test", dial, pace, &SystemEntropy) => {}
            done = timeout(WAIT, watching) => done.unwrap(),
        }
    }

    #[tokio::test]
    async fn the_next_connection_is_made_while_the_old_one_still_serves() {
        let lasting = Duration::from_millis(10);
        // The first pause would never be over: nothing waits here but the age of a connection.
        let pace = Pace { first: WAIT * 10, most: WAIT * 10, lasting, renew: lasting * 2 };
        dials(true, pace, |open, made| open == made && made == 3).await;
    }

    #[tokio::test]
    async fn whatever_becomes_of_a_connection_the_next_one_is_made() {
        let first = Duration::from_millis(1);
        let pace = Pace { first, most: first * 4, lasting: WAIT, renew: WAIT };
        dials(false, pace, |_, made| made == 12).await;
    }
}
