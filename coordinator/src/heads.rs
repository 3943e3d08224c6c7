//! What members show of their journals in one gather. Comes in: a connection to a member. Goes out: that its journal
//! continues what was known of it, or that it does not. Nothing a member says is believed before and without that.
//!
//! The coordinator shows its own in exchange, and the member's own last word to the member, so that each side can
//! see what became of both.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use accord_proto::{
    client::{ExchangeClient, ShownJournals, StandingJournal},
    identity::Name,
    journal::{Checkpoint, Proof, origin, verify_consistency},
    reason::{Invalid, Reason},
    roster::{Member, Roster},
};
use tracing::warn;

use crate::{archive::KnownJournal, survey::Coordinator};

/// One exchange with a member at a time: a checkpoint that overtakes an older one would make that look like a
/// journal that was cut.
#[derive(Debug, Default)]
pub struct Turns(BTreeMap<Name, tokio::sync::Mutex<()>>);

impl Turns {
    /// For the members of a roster.
    pub fn of(roster: &Roster) -> Self {
        let members = roster.members.iter();
        Self(members.map(|member| (member.node.clone(), tokio::sync::Mutex::default())).collect())
    }
}

/// What was shown in one gather.
pub struct Heads<'a> {
    coordinator: &'a Coordinator,
    seen: Mutex<BTreeMap<Name, KnownJournal>>,
}

impl std::fmt::Debug for Heads<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Heads")
    }
}

impl<'a> Heads<'a> {
    /// A gather begins.
    pub fn of(coordinator: &'a Coordinator) -> Self {
        Self { coordinator, seen: Mutex::default() }
    }

    /// Where members' journals stand now, to be remembered.
    pub fn into_seen(self) -> Vec<KnownJournal> {
        self.seen.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
    }

    /// Shows both journals to a member and demands that its own continues. `acknowledged` is the size of our own that
    /// the member keeps, as far as it has said so; given back as it says now.
    pub async fn exchange(
        &self,
        node: &mut ExchangeClient,
        member: &Member,
        acknowledged: u64,
        deadline: Duration,
    ) -> Result<u64, Invalid> {
        let Coordinator { archive, turns, sign_key, roster, caller, .. } = self.coordinator;
        let late = |_| Invalid::new(Reason::DeadlineExceeded, "call", "no turn in time");
        let _turn = match turns.0.get(&member.node) {
            Some(turn) => Some(tokio::time::timeout(deadline, turn.lock()).await.map_err(late)?),
            None => None,
        };
        let known = self.known(&member.node)?;
        let own = archive.checkpoint(origin(&caller.credentials.own().identity));
        // What a power cut could take back must not be shown.
        archive.settled().await?;
        let proves = acknowledged > 0 && acknowledged <= own.size;
        let shown = ShownJournals {
            known: known.as_ref().map_or(String::new(), |known| known.note.clone()),
            own: own.sign(sign_key),
            own_from: if proves { acknowledged } else { 0 },
            own_proof: match proves {
                true => archive.consistency(acknowledged, own.size)?,
                false => Proof::default(),
            },
        };
        let StandingJournal { note, proof, acknowledged } =
            node.checkpoint(shown, deadline).await?;
        let name = origin(&roster.identity_of(member));
        let head = Checkpoint::open("checkpoint", &note, &name, &member.seal_keys)?;
        if let Some(known) = known {
            verify_consistency(&known.head, &head, &proof).inspect_err(|_| {
                let (known, shown) = (known.head.size, head.size);
                warn!(node = %member.node, known, shown, "its journal does not continue");
            })?;
        }
        let seen = KnownJournal { node: member.node.clone(), head, note };
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(member.node.clone(), seen);
        Ok(acknowledged)
    }

    /// What was seen in this gather, or in one before.
    fn known(&self, node: &Name) -> Result<Option<KnownJournal>, Invalid> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(node).cloned();
        match seen {
            Some(seen) => Ok(Some(seen)),
            None => self.coordinator.archive.known_journal(node),
        }
    }
}
