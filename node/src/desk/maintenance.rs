//! Maintenance of this node. Comes in: what an operator announces. Goes out: the same on record, in one transaction with its entry. Must
//! never keep a text that is about a person, nor be kept from it by a disk that is almost full: that may be what it is for.

use accord_proto::{journal::Entry, maintenance::Maintenance, reason::Invalid};

use super::imports::impersonal;
use crate::answer::Node;

/// Puts it on record; nothing: it is over.
pub fn keep(node: &Node, announced: Option<&Maintenance>, entry: Entry) -> Result<(), Invalid> {
    if let Some(announced) = announced {
        impersonal("why", &announced.why)?;
    }
    let mut change = node.store.begin_taking_back()?;
    change.maintenance(announced);
    change.commit(entry)
}
