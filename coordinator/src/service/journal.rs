//! The journal, for auditors: what the coordinator lends to [`accord_proto::audit`].

use std::ops::Range;

use accord_proto::{
    audit::Keeper,
    identity::{Name, Role},
    journal::{Proof, VerifierKey, origin},
    reason::Invalid,
    transport::Peer,
};

use super::check_staff;
use crate::survey::Coordinator;

impl Keeper for Coordinator {
    fn admit(&self, caller: &Peer, roles: &[Role]) -> Result<(), Invalid> {
        check_staff(self, caller, roles)
    }

    fn head(&self) -> (String, VerifierKey) {
        let name = origin(&self.caller.credentials.own().identity);
        let note = self.archive.checkpoint(name.clone()).sign(&self.sign_key());
        (note, VerifierKey::new(name, self.sign_key().public()))
    }

    async fn settled(&self) -> Result<(), Invalid> {
        self.archive.settled().await
    }

    fn entries(&self, range: Range<u64>) -> Result<Vec<Vec<u8>>, Invalid> {
        self.archive.entries(range).collect()
    }

    fn inclusion(&self, index: u64, size: u64) -> Result<Proof, Invalid> {
        self.archive.inclusion(index, size)
    }

    async fn accept_peer(&self, caller: &Peer, service: &str, why: &str) -> Result<(), Invalid> {
        let node = Name::parse("service", service)?;
        self.archive.forget_journal(caller, &node, why, self.clock.now()).await
    }
}
