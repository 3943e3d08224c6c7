//! How the coordinator reaches this node. Comes in: what the config says, and the roster. Goes out: the Exchange service
//! served, on a port of its own or over connections that this node opens. Must never have a port open when it dials.

use std::{fmt, sync::Arc};

use accord_proto::{
    clock::SystemEntropy,
    identity::{Identity, Place, Role},
    reason::{Invalid, Reason},
    roster::{DIALS_IN, Member, Roster},
    transport::{
        Credentials, Expected,
        dial::{self, Way},
        listener::{self, Options, Services},
    },
};
use tokio::net::TcpListener;

use crate::answer::Node;

/// How the coordinator reaches this node.
#[derive(Clone, Debug)]
pub enum Reached {
    /// It calls here: address:port.
    At(String),
    /// This node connects to it, and has no port for it.
    Dialling(Way),
}

impl fmt::Display for Reached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(listen) => f.write_str(listen),
            Self::Dialling(way) => write!(f, "dials {way}"),
        }
    }
}

impl Reached {
    /// The roster says the same, or nobody would ever call.
    pub fn check(&self, member: Option<&Member>) -> Result<(), Invalid> {
        let Some(member) = member else { return Ok(()) };
        let detail = match self {
            Self::At(_) if member.dials_in() => {
                format!(
                    "says {DIALS_IN} of this node: set dial.coordinator instead of exchange.listen"
                )
            }
            Self::Dialling(_) if !member.dials_in() => {
                format!(
                    "says that this node listens at {}: ask the root for {DIALS_IN}",
                    member.contact.address
                )
            }
            Self::At(_) | Self::Dialling(_) => return Ok(()),
        };
        Err(Invalid::new(Reason::FieldInvalid, "roster", detail))
    }
}

/// Ready to serve.
pub enum Port {
    /// Bound.
    Open(TcpListener),
    /// None; whom to dial, and who knows by which roster.
    Closed(Way, Arc<Node>),
}

impl Port {
    /// Binds, if there is something to bind.
    pub async fn open(reached: &Reached, node: &Arc<Node>) -> Result<Self, Invalid> {
        match reached {
            Reached::At(listen) => Ok(Self::Open(bind(listen).await?)),
            Reached::Dialling(way) => Ok(Self::Closed(way.clone(), Arc::clone(node))),
        }
    }

    /// Serves until `shutdown` resolves.
    pub async fn serve(
        self,
        credentials: &Credentials,
        services: Services,
        options: Options,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Invalid> {
        match self {
            Self::Open(listener) => {
                listener::serve_all(listener, credentials, services, options, shutdown).await
            }
            Self::Closed(way, node) => {
                // By the roster that counts when it dials.
                let centres = Box::new(move || centres(&node.pinned.get().roster));
                let dice = Arc::new(SystemEntropy);
                dial::serve(way, (credentials, centres), services, options, dice, shutdown).await
            }
        }
    }
}

/// Binds a port.
pub async fn bind(listen: &str) -> Result<TcpListener, Invalid> {
    TcpListener::bind(listen).await.map_err(|error| {
        Invalid::new(Reason::NoConnection, listen, format!("cannot listen: {error}"))
    })
}

/// Every coordinator of the roster.
fn centres(roster: &Roster) -> Vec<Expected> {
    let centre = |centre: &accord_proto::roster::Centre| Expected {
        identity: Identity {
            federation: roster.federation.clone(),
            place: Place::Region,
            name: centre.name.clone(),
            role: Role::Coordinator,
        },
        spki: Some(centre.contact.tls_spki_sha256.clone()),
    };
    roster.centres.iter().map(centre).collect()
}
