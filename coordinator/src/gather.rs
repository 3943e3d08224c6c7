//! Gathering: asks every member that a requirement names, at the same time, each within a deadline.
//!
//! Comes in: a requirement and the roster. Goes out: for each member what it said, or why there is nothing.
//! Nothing said here is believed yet: that is `verify`. A figure is never stored or logged here.

use std::{fmt, sync::Arc, time::Duration};

use accord_proto::{
    answer::Answer,
    client::ExchangeClient,
    identity::Name,
    limits::MEMBERS_MAX,
    maintenance,
    question::SignedRequirement,
    reason::{Invalid, Reason},
    roster::{Member, Roster},
    transport::{
        Credentials, Expected, channel::Channel, connection, dialled::Dialled, heard::Peers,
    },
};
use futures_util::{StreamExt as _, stream};

use crate::heads::Heads;

/// What a member said, unchecked, or why it said nothing.
#[derive(Debug)]
pub struct Reply {
    /// Who was asked.
    pub member: Member,
    /// What came back.
    pub said: Result<Answer, Invalid>,
}

/// Connects to somebody who listens, if exactly the expected one is there.
#[tonic::async_trait]
pub trait Connect: fmt::Debug + Send + Sync {
    /// A connection over which nothing has been asked yet.
    async fn connect(&self, address: &str, expected: Expected) -> Result<Channel, Invalid>;
}

/// Over TCP and mutual TLS.
#[tonic::async_trait]
impl Connect for Credentials {
    async fn connect(&self, address: &str, expected: Expected) -> Result<Channel, Invalid> {
        connection::connect(address, self, expected).await
    }
}

/// How members are reached.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who asks.
    pub credentials: Credentials,
    /// How those are reached that listen.
    pub listening: Arc<dyn Connect>,
    /// Who is where, with which certificate.
    pub roster: Arc<Roster>,
    /// Members that have connected by themselves.
    pub dialled: Dialled,
    /// What was heard of members beside what they said.
    pub peers: Peers,
    /// Bound of one call to a member, and in a gather of everything that it is asked.
    pub call_deadline: Duration,
}

impl Caller {
    /// Asks the members, and looks at their journals before and after; `seen` is called with each reply as it arrives, in no particular order.
    pub async fn ask_all(
        &self,
        requirement: &SignedRequirement,
        members: Vec<Member>,
        heads: &Heads<'_>,
        mut seen: impl FnMut(Reply),
    ) {
        // All at once: one round lasts as long as its slowest member, and that one no longer than the deadline.
        let asking = members.into_iter().map(|member| async move {
            let asked = self.ask(requirement, &member, heads);
            let late = |_| Err(Invalid::new(Reason::DeadlineExceeded, "call", "no answer in time"));
            let said = tokio::time::timeout(self.call_deadline, asked).await.unwrap_or_else(late);
            let said = said.map_err(|error| explained(&self.peers, &member.node, error));
            Reply { member, said }
        });
        let mut replies = stream::iter(asking).buffer_unordered(MEMBERS_MAX);
        while let Some(reply) = replies.next().await {
            seen(reply);
        }
    }

    async fn ask(
        &self,
        requirement: &SignedRequirement,
        member: &Member,
        heads: &Heads<'_>,
    ) -> Result<Answer, Invalid> {
        let (mut node, deadline) = (self.connect(member).await?, self.call_deadline);
        // Before, so that a node whose store was put back learns it before it answers; after, so that the answer's
        // own entry is among what is remembered of its journal.
        heads.exchange(&mut node, member, deadline).await?;
        let answer = node.answer(requirement, deadline).await?;
        heads.exchange(&mut node, member, deadline).await?;
        Ok(answer)
    }

    /// A connection to a member for what it is asked by the way: whoever is in maintenance is not asked before that is over.
    pub async fn reach(&self, member: &Member) -> Result<ExchangeClient, Invalid> {
        match self.peers.in_maintenance(&member.node) {
            Some(until) => Err(maintenance::refusal(until)),
            None => self.connect(member).await,
        }
    }

    /// A connection to exactly this member, or none.
    pub async fn connect(&self, member: &Member) -> Result<ExchangeClient, Invalid> {
        let connected = self.connected(member).await;
        connected.map_err(|error| explained(&self.peers, &member.node, error))
    }

    /// The only place that knows who opens it.
    async fn connected(&self, member: &Member) -> Result<ExchangeClient, Invalid> {
        let expected = Expected {
            identity: self.roster.identity_of(member),
            spki: Some(member.contact.tls_spki_sha256.clone()),
        };
        let channel = if member.dials_in() {
            self.dialled.channel(expected)?
        } else {
            self.listening.connect(&member.contact.address, expected).await?
        };
        Ok(ExchangeClient::over(channel.noted(&self.peers, &member.node)))
    }
}

/// Why a member gives nothing. That it refuses because of maintenance is known of it from here on, wherever it is asked; and whoever
/// has announced maintenance and cannot be reached is in maintenance.
fn explained(peers: &Peers, member: &Name, error: Invalid) -> Invalid {
    if let Some(until) = maintenance::until_of(&error) {
        peers.refused(member, until);
    }
    let away = matches!(error.reason, Reason::NoConnection | Reason::DeadlineExceeded);
    let until = peers.in_maintenance(member).filter(|_| away);
    until.map_or(error, maintenance::refusal)
}

#[cfg(test)]
mod tests {
    use accord_proto::{
        clock::{FixedClock, Timestamp},
        transport::heard::Heard,
    };

    use super::*;

    #[test]
    fn a_refusal_because_of_maintenance_is_known_wherever_its_member_is_asked() {
        let now = Timestamp::parse("now", "2026-12-01").unwrap();
        let (peers, until) = (Peers::new(Arc::new(FixedClock(now))), now.plus_s(60));
        let name = Name::parse("node", "al-police").unwrap();
        let said = |reason| explained(&peers, &name, Invalid::new(reason, "call", "")).reason;
        assert_eq!(said(Reason::NoConnection), Reason::NoConnection);
        // One that says beside its refusal that it is in none is in maintenance all the same.
        peers.note(&name, Heard::default());
        let refused = maintenance::refusal(until);
        assert_eq!(explained(&peers, &name, refused.clone()), refused);
        assert_eq!((peers.in_maintenance(&name), peers.is_back(&name)), (Some(until), false));
        assert_eq!(said(Reason::NoConnection), Reason::Maintenance);
        assert_eq!(said(Reason::Overloaded), Reason::Overloaded, "it says something else now");
        // What is no maintenance excuses nobody.
        let refused = maintenance::refusal(now.plus_s(30 * 86_400));
        assert_eq!(explained(&peers, &name, refused.clone()), refused);
        assert_eq!(peers.in_maintenance(&name), None);
        assert_eq!(said(Reason::NoConnection), Reason::NoConnection);
    }
}
