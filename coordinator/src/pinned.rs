//! How the coordinator relies on a roster. Comes in: the next one, checked. Goes out: the roster in the archive, so that an older one is
//! never relied on again; evidence needs each that counted.

use accord_proto::{
    clock::Clock,
    current::Current,
    expiry::Ending,
    reason::Invalid,
    taxonomy::Lists,
    transport::{Peer, pinned::Party, renewal::Untaken},
};

pub use accord_proto::transport::pinned::Pinned;

use crate::{archive::Archive, survey::Coordinator};

/// Keeps the roster.
pub async fn rely_on(
    pinned: &Pinned,
    own: &Peer,
    archive: &Archive,
    clock: &dyn Clock,
) -> Result<(), Invalid> {
    let version = pinned.roster.version;
    if version <= archive.roster_version()? && archive.roster(version)?.is_some() {
        return Ok(());
    }
    archive.rely_on_roster((version, &pinned.signed), &own.identity, clock.now()).await
}

impl Party for Coordinator {
    fn pinned(&self) -> &Current<Pinned> {
        &self.pinned
    }

    fn lists(&self) -> &'static Lists {
        self.lists
    }

    fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    async fn rely_on(&self, next: &Pinned, own: &Peer) -> Result<(), Invalid> {
        rely_on(next, own, &self.archive, self.clock.as_ref()).await
    }

    fn endings(&self) -> &Current<Vec<Ending>> {
        &self.endings
    }

    fn untaken(&self) -> &Current<Untaken> {
        &self.untaken
    }
}
