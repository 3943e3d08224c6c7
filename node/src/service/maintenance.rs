//! Maintenance, for operators: what the node lends to [`accord_proto::upkeep`].

use accord_proto::{
    clock::Timestamp,
    identity::{Name, Role},
    journal::Entry,
    maintenance::Maintenance,
    reason::Invalid,
    transport::{heard::Peers, renewal::Untaken},
    upkeep::Kept,
};

use crate::{answer::Node, desk};

impl Kept for Node {
    const SEEN_BY: &'static [Role] =
        &[Role::Analyst, Role::Releaser, Role::Auditor, Role::Operator];

    fn known(&self) -> &Peers {
        &self.coordinators
    }

    fn peers(&self) -> Vec<Name> {
        self.roster().centres.iter().map(|centre| centre.name.clone()).collect()
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn untaken(&self) -> Untaken {
        Untaken::clone(&self.untaken.get())
    }

    fn keep(&self, announced: Option<&Maintenance>, entry: Entry) -> Result<(), Invalid> {
        desk::maintenance::keep(self, announced, entry)
    }
}
