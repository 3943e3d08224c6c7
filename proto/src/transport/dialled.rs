//! Nodes that dial in. Comes in: a port where they connect, and the roster. Goes out: a channel to each that is there.
//!
//! The node opens the connection and the coordinator calls over it. Who it is, is checked as for one that listens:
//! identity and registered key. Must never hold a connection of anybody else, nor one that has ended.

use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{net::TcpListener, sync::mpsc, task::JoinSet};
use tracing::{info, warn};

use super::{
    Credentials, Expected, Peer, Protocol,
    channel::Channel,
    connection::{chain, channel},
    door::{self, PeerStream},
    handshake::Refusal,
};
use crate::{
    identity::{Name, Role},
    limits,
    operate::measures::Tally,
    reason::{Invalid, Reason},
    roster::Roster,
};

/// The nodes that are connected: of each the newest connection.
#[derive(Clone, Debug, Default)]
pub struct Dialled(Arc<Lines>);

#[derive(Debug, Default)]
struct Lines {
    by_node: Mutex<BTreeMap<Name, Line>>,
    numbers: AtomicU64,
}

#[derive(Debug)]
struct Line {
    channel: Channel,
    peer: Peer,
    number: u64,
}

impl Dialled {
    /// A way to exactly this node, if it is there; who it is, is looked at again: the roster may have changed since it came.
    pub fn channel(&self, expected: Expected) -> Result<Channel, Invalid> {
        let node = expected.identity.name.clone();
        let lines = self.0.by_node.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(line) = lines.get(&node) else {
            let detail = "dials in, and is not connected now";
            return Err(Invalid::new(Reason::NoConnection, node.as_str(), detail));
        };
        Expected::check(&[expected], &line.peer)
            .map_err(|why| Invalid::new(Reason::CertificateIdentity, node.as_str(), why))?;
        Ok(line.channel.clone())
    }

    /// Calls under way end on the connection before, which ends with the last of them.
    fn put(&self, node: &Name, channel: Channel, peer: Peer) -> u64 {
        let number = self.0.numbers.fetch_add(1, Ordering::Relaxed);
        let mut lines = self.0.by_node.lock().unwrap_or_else(PoisonError::into_inner);
        lines.insert(node.clone(), Line { channel, peer, number });
        number
    }

    /// True: there was no newer one.
    fn remove(&self, node: &Name, number: u64) -> bool {
        let mut lines = self.0.by_node.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = lines.get(node).is_some_and(|line| line.number == number);
        if newest {
            lines.remove(node);
        }
        newest
    }
}

/// Lets nodes dial in until the set is dropped; `came` hears of each. Who is refused is counted under the name of a port.
pub fn admit(
    listener: TcpListener,
    (credentials, counted): (&Credentials, (&'static str, Tally)),
    roster: impl Fn() -> Arc<Roster> + Send + 'static,
    dialled: Dialled,
    came: impl Fn(&Name) + Clone + Send + 'static,
) -> JoinSet<()> {
    let (accepted, mut incoming) = mpsc::channel::<io::Result<PeerStream>>(limits::HANDSHAKES_MAX);
    let mut tasks = JoinSet::new();
    let door = (credentials.clone(), Protocol::Serves);
    tasks.spawn(door::accept(listener, door, counted.clone(), accepted));
    let (port, tally) = counted;
    tasks.spawn(async move {
        let mut held = JoinSet::new();
        while let Some(stream) = incoming.recv().await {
            while held.try_join_next().is_some() {}
            let Ok(stream) = stream else { continue };
            match known(&stream, &roster()) {
                Ok(peer) => drop(held.spawn(hold(peer, stream, dialled.clone(), came.clone()))),
                Err(why) => {
                    let listed = why.reason != Reason::CertificateUnregistered;
                    let refusal = if listed { Refusal::Other } else { Refusal::NotOnRoster };
                    tally.handshakes(port, refusal.as_str(), 1);
                    warn!(%why, "refused: a node that dials in");
                }
            }
        }
    });
    tasks
}

/// Which member's this connection is.
fn known(stream: &PeerStream, roster: &Roster) -> Result<Peer, Invalid> {
    let peer = stream.peer().clone()?;
    let wrong = |detail: String| Invalid::new(Reason::CertificateIdentity, "certificate", detail);
    if !stream.speaks(Protocol::Serves) {
        return Err(wrong(format!("{} means to call, and is not served here", peer.identity)));
    }
    let node = &peer.identity.name;
    let member = roster.member(node).filter(|_| {
        peer.identity.role == Role::Node && roster.registers(&peer.identity, &peer.spki)
    });
    let member = member.ok_or_else(|| {
        let detail = format!("{} with this key is not in the roster", peer.identity);
        Invalid::new(Reason::CertificateUnregistered, "certificate", detail)
    })?;
    if !member.dials_in() {
        return Err(wrong(format!(
            "{node} listens at {}, says the roster",
            member.contact.address
        )));
    }
    Ok(peer)
}

/// Holds a connection until it ends.
async fn hold(peer: Peer, mut stream: PeerStream, dialled: Dialled, came: impl Fn(&Name)) {
    let node = peer.identity.name.clone();
    let ended = stream.ended();
    let channel = match tokio::time::timeout(limits::CONNECT_TIMEOUT, channel(stream)).await {
        Ok(Ok(channel)) => channel,
        Ok(Err(error)) => {
            return warn!(%node, error = chain(&error), "refused: a node that dials in");
        }
        Err(_) => return warn!(%node, "refused: a node that dials in says nothing"),
    };
    let number = dialled.put(&node, channel, peer);
    info!(%node, "has dialled in");
    came(&node);
    // It resolves with an error: nothing is ever sent.
    let _ = ended.await;
    if dialled.remove(&node, number) {
        warn!(%node, "is not connected any more");
    }
}
