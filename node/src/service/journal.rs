//! The journal, for auditors: what the node lends to [`accord_proto::audit`].

use std::ops::Range;

use accord_proto::{
    audit::Keeper,
    identity::Role,
    journal::{Proof, VerifierKey, origin},
    reason::Invalid,
    transport::Peer,
};

use crate::{answer::Node, desk, peers};

impl Keeper for Node {
    fn admit(&self, caller: &Peer, roles: &[Role]) -> Result<(), Invalid> {
        desk::check_staff(self, caller, roles)
    }

    fn head(&self) -> (String, VerifierKey) {
        let name = origin(&self.identity);
        let note = self.store.checkpoint(name.clone()).sign(&self.seal_key());
        (note, VerifierKey::new(name, self.seal_key().public()))
    }

    async fn settled(&self) -> Result<(), Invalid> {
        self.store.settled().await
    }

    fn entries(&self, range: Range<u64>) -> Result<Vec<Vec<u8>>, Invalid> {
        self.store.entries(range).collect()
    }

    fn inclusion(&self, index: u64, size: u64) -> Result<Proof, Invalid> {
        self.store.inclusion(index, size)
    }

    async fn accept_peer(&self, caller: &Peer, service: &str, why: &str) -> Result<(), Invalid> {
        peers::accept(self, caller, service, why)?;
        self.store.settled().await
    }
}
