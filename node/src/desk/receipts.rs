//! Receipts and released answers, for whoever audits or hands them out. Comes in: a person's request. Goes out: what lies in the
//! node's own archive. Must never compute, and never hand out anything but the bytes that were released.

use std::sync::PoisonError;

use accord_proto::{
    id::RequirementId,
    journal::{Act, Proof, VerifierKey, origin},
    reason::{Invalid, Reason},
    transport::Peer,
};

use super::{entry, inbox};
use crate::{answer::Node, receipt::Receipt, seal::SealedAnswer, standing};

/// An answer that is handed out.
#[derive(Debug)]
pub struct Exported {
    /// The file.
    pub file: Vec<u8>,
    /// Consent has changed since it was sealed.
    pub consent_changed: bool,
}

/// A receipt, with the proof that its release stands in the journal.
#[derive(Debug)]
pub struct Proven {
    /// The receipt.
    pub receipt: Receipt,
    /// The entry, as it is hashed.
    pub entry: Vec<u8>,
    /// That it stands where the receipt says.
    pub inclusion: Proof,
    /// Where the journal stands, signed.
    pub note: String,
    /// The key that signed it.
    pub key: VerifierKey,
}

/// One receipt with its proof.
pub fn prove(node: &Node, sequence: u64) -> Result<Proven, Invalid> {
    let receipt = node.store.receipt(sequence)?;
    let name = origin(&node.identity);
    let head = node.store.checkpoint(name.clone());
    Ok(Proven {
        entry: node.store.entry(receipt.journal_sequence)?,
        inclusion: node.store.inclusion(receipt.journal_sequence, head.size)?,
        note: head.sign(&node.seal_key()),
        key: VerifierKey::new(name, node.seal_key().public()),
        receipt,
    })
}

/// The answer to a requirement as it was released. On record as a disclosure before it is handed out.
pub async fn export(
    node: &Node,
    caller: &Peer,
    requirement: RequirementId,
) -> Result<Exported, Invalid> {
    let exported = accord_proto::busy::here(|| take_out(node, caller, requirement))?;
    node.store.settled().await?;
    Ok(exported)
}

fn take_out(node: &Node, caller: &Peer, requirement: RequirementId) -> Result<Exported, Invalid> {
    // Consent cannot be taken back meanwhile: that takes this lock alone.
    let held = node.held.read().unwrap_or_else(PoisonError::into_inner);
    let change = node.store.begin_release()?;
    let released = node.store.released(requirement)?.ok_or_else(|| {
        let detail = format!("nothing was released for {requirement}");
        Invalid::new(Reason::NotFound, "requirement", detail)
    })?;
    let before = SealedAnswer::reopen(&released.response, &node.seal_keys(), node.lists)?;
    let (digest, epoch) = (before.seal().table_digest, before.seal().consent_epoch);
    if standing::standing(node, &held, &inbox::asked(node, requirement)?, digest)?.is_some() {
        let detail =
            "a part of it may not leave any more; the coordinator must gather it once more first";
        return Err(Invalid::new(Reason::GrantState, "requirement", detail));
    }
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
