//! What members show of their journals in one gather. Comes in: a connection to a member. Goes out: that its journal
//! continues what was known of it, or that it does not. Nothing a member says is believed before and without that.
//!
//! The coordinator shows its own in exchange, and the member's own last word to the member, so that each side can
//! see what became of both.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use accord_proto::{
    client::{ExchangeClient, ShownJournals, StandingJournal},
    identity::Name,
    journal::{Checkpoint, Proof, origin, verify_consistency},
    reason::{Invalid, Reason},
    roster::Member,
};
use tracing::warn;

use crate::{archive::KnownJournal, pinned::Pinned, survey::Coordinator};

/// One exchange with a member at a time: a checkpoint that overtakes an older one would make that look like a
/// journal that was cut.
#[derive(Debug, Default)]
pub struct Turns(Mutex<BTreeMap<Name, Arc<tokio::sync::Mutex<()>>>>);

impl Turns {
    /// A member's; it has one from the first time that somebody waits for it.
    fn of(&self, node: &Name) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(turns.entry(node.clone()).or_default())
    }
}

/// What was shown in one gather.
pub struct Heads<'a> {
    coordinator: &'a Coordinator,
    seen: Mutex<BTreeMap<Name, Seen>>,
}

/// What a member has shown, and what it has said of us.
#[derive(Clone)]
struct Seen {
    journal: KnownJournal,
    acknowledged: u64,
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
        let seen = self.seen.into_inner().unwrap_or_else(PoisonError::into_inner);
        seen.into_values().map(|seen| seen.journal).collect()
    }

    /// Shows both journals to a member and demands that its own continues. A member that keeps an older checkpoint of our
    /// own than it was shown a proof from is shown a second time, from there: it answers nobody who proves nothing.
    pub async fn exchange(
        &self,
        node: &mut ExchangeClient,
        member: &Member,
        deadline: Duration,
    ) -> Result<(), Invalid> {
        let late = |_| Invalid::new(Reason::DeadlineExceeded, "call", "no turn in time");
        let turn = self.coordinator.turns.of(&member.node);
        let _turn = tokio::time::timeout(deadline, turn.lock()).await.map_err(late)?;
        let Coordinator { archive, caller, .. } = self.coordinator;
        let own = archive.checkpoint(origin(&caller.credentials.own().identity));
        // What a power cut could take back must not be shown.
        archive.settled().await?;
        let from = self.acknowledged(&member.node);
        let keeps = self.show(node, member, (&own, from), deadline).await?;
        if keeps < own.size && keeps != from {
            self.show(node, member, (&own, keeps), deadline).await?;
        }
        Ok(())
    }

    /// Shows our own journal with a proof from where the member stands, as far as that is known; where it stands then.
    async fn show(
        &self,
        node: &mut ExchangeClient,
        member: &Member,
        (own, from): (&Checkpoint, u64),
        deadline: Duration,
    ) -> Result<u64, Invalid> {
        let Coordinator { archive, pinned, .. } = self.coordinator;
        let Pinned { roster, key, .. } = &*pinned.get();
        let known = self.known(&member.node)?;
        let proves = from > 0 && from <= own.size;
        let shown = ShownJournals {
            known: known.as_ref().map_or(String::new(), |known| known.note.clone()),
            own: own.sign(key),
            own_from: if proves { from } else { 0 },
            own_proof: match proves {
                true => archive.consistency(from, own.size)?,
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
        let journal = KnownJournal { node: member.node.clone(), head, note };
        let seen = Seen { journal, acknowledged };
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(member.node.clone(), seen);
        Ok(acknowledged)
    }

    /// The size of our own journal that a member keeps, as far as it has said so in this gather.
    fn acknowledged(&self, node: &Name) -> u64 {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(node).map_or(0, |seen| seen.acknowledged)
    }

    /// What was seen in this gather, or in one before.
    fn known(&self, node: &Name) -> Result<Option<KnownJournal>, Invalid> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(node).cloned();
        match seen {
            Some(seen) => Ok(Some(seen.journal)),
            None => self.coordinator.archive.known_journal(node),
        }
    }
}
