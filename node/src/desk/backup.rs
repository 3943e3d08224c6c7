//! Backups. Comes in: an operator's wish. Goes out: everything that the node holds, as one file in pieces. Must
//! never begin before the journal says who took it: it holds every record and every secret of the store.

use accord_proto::{
    clock::Timestamp, journal::Act, operate::backup as last_backup, reason::Invalid,
    transport::Peer,
};

use super::entry;
use crate::answer::Node;

/// Notes who takes a backup; when this is durable, [`send`] may begin.
pub async fn begin(node: &Node, caller: &Peer) -> Result<Timestamp, Invalid> {
    note(node, caller)?;
    node.store.settled().await?;
    Ok(node.clock.now())
}

fn note(node: &Node, caller: &Peer) -> Result<(), Invalid> {
    let change = node.store.begin()?;
    let subject = format!("the store with {} journal entries", change.entry_sequence());
    let root = change.journal_root();
    change.commit(entry(node, caller, Act::Disclosure, "backup", &subject, root))
}

/// The whole file, piece by piece. Others go on writing; what they write is not in it.
pub fn send(
    node: &Node,
    now: Timestamp,
    piece: impl FnMut(Vec<u8>) -> Result<(), Invalid>,
) -> Result<(), Invalid> {
    node.store.snapshot()?.write(&node.identity.to_string(), now, piece)?;
    last_backup::note(node.store.path(), now);
    Ok(())
}
