//! How a node relies on a roster. Comes in: the next one, checked. Goes out: an entry of the journal and its version in the store, so
//! that an older one is never relied on again.

use accord_proto::{
    clock::Clock,
    current::Current,
    expiry::Ending,
    identity::Identity,
    journal::{Act, Entry},
    reason::Invalid,
    seal::Digest,
    taxonomy::Lists,
    transport::{Peer, pinned::Party, renewal::Untaken},
};

pub use accord_proto::transport::pinned::Pinned;

use crate::{answer::Node, store::Store};

/// Remembers the roster's version.
pub fn rely_on(
    pinned: &Pinned,
    owner: &Identity,
    store: &Store,
    clock: &dyn Clock,
) -> Result<(), Invalid> {
    let version = pinned.roster.version;
    if version <= store.head().roster_version() {
        return Ok(());
    }
    let mut change = store.begin()?;
    change.rely_on_roster(version);
    change.commit(Entry {
        at: clock.now(),
        act: Act::Alteration,
        by: owner.clone(),
        to: String::new(),
        why: "roster".to_owned(),
        subject: format!("version {version}"),
        digest: Digest::of(&prost::Message::encode_to_vec(&*pinned.signed)),
    })
}

impl Party for Node {
    fn pinned(&self) -> &Current<Pinned> {
        &self.pinned
    }

    fn lists(&self) -> &'static Lists {
        self.lists
    }

    fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    async fn rely_on(&self, next: &Pinned, _: &Peer) -> Result<(), Invalid> {
        rely_on(next, &self.identity, &self.store, self.clock.as_ref())?;
        self.store.settled().await
    }

    fn endings(&self) -> &Current<Vec<Ending>> {
        &self.endings
    }

    fn untaken(&self) -> &Current<Untaken> {
        &self.untaken
    }
}
