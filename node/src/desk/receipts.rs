//! Receipts and released answers, for whoever audits or hands them out. Comes in: a person's request. Goes out: what lies in the
//! node's own archive. Must never compute, and never hand out anything but the bytes that were released.

use accord_proto::{
    id::RequirementId,
    journal::Act,
    reason::{Invalid, Reason},
    transport::Peer,
};

use super::entry;
use crate::{answer::Node, seal::SealedAnswer};

/// An answer that is handed out.
#[derive(Debug)]
pub struct Exported {
    /// The file.
    pub file: Vec<u8>,
    /// Consent has changed since it was sealed.
    pub consent_changed: bool,
}

/// The answer to a requirement as it was released. On record as a disclosure before it is handed out.
pub async fn export(
    node: &Node,
    caller: &Peer,
    requirement: RequirementId,
) -> Result<Exported, Invalid> {
    let exported = tokio::task::block_in_place(|| take_out(node, caller, requirement))?;
    node.store.settled().await?;
    Ok(exported)
}

fn take_out(node: &Node, caller: &Peer, requirement: RequirementId) -> Result<Exported, Invalid> {
    let change = node.store.begin_release()?;
    let released = node.store.released(requirement)?.ok_or_else(|| {
        let detail = format!("nothing was released for {requirement}");
        Invalid::new(Reason::NotFound, "requirement", detail)
    })?;
    let before = SealedAnswer::reopen(&released.response, node.seal_keys(), node.lists)?;
    let (digest, epoch) = (before.seal().table_digest, before.seal().consent_epoch);
    let Some(answer) = before.again() else {
        let detail = "was sealed in an older form; the coordinator must gather it once more first";
        return Err(Invalid::new(Reason::NotFound, "requirement", detail));
    };
    let consent_changed = epoch < change.consent_epoch();
    let subject = requirement.to_string();
    let why = "handed out as a file";
    change.commit(entry(node, caller, Act::Disclosure, why, &subject, digest))?;
    Ok(Exported { file: answer.to_file(), consent_changed })
}
