//! Maintenance, for operators: what the coordinator lends to [`accord_proto::upkeep`]. Members are told at once that it has begun or is
//! over.

use std::sync::Arc;

use accord_proto::{
    clock::Timestamp,
    identity::{Name, Role},
    journal::Entry,
    maintenance::Maintenance,
    reason::Invalid,
    transport::{heard::Peers, renewal::Untaken},
    upkeep::Kept,
};

use super::INSIDERS;
use crate::{look, survey::Coordinator};

impl Kept for Coordinator {
    const SEEN_BY: &'static [Role] = INSIDERS;

    fn known(&self) -> &Peers {
        &self.caller.peers
    }

    fn peers(&self) -> Vec<Name> {
        self.roster().members.iter().map(|member| member.node.clone()).collect()
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn untaken(&self) -> Untaken {
        Untaken::clone(&self.untaken.get())
    }

    fn keep(&self, announced: Option<&Maintenance>, entry: Entry) -> Result<(), Invalid> {
        self.archive.keep_maintenance(announced, entry)
    }

    fn changed(self: Arc<Self>) {
        tokio::spawn(async move { look::round(&self).await });
    }
}
