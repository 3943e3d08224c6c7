//! Leaving the network. Comes in: a releaser's word. Goes out: every consent taken back at once, and a signed certificate
//! of what the node has ever given and what others say they hold of it. Must never claim that anything published comes
//! back: it does not.

use std::{collections::BTreeMap, sync::PoisonError};

use accord_proto::{
    journal::Act,
    limits::GIVEN_MAX,
    reason::{Invalid, Reason},
    seal::{Digest, Envelope},
    standing::{Departure, Given},
    transport::Peer,
};

use super::{entry, summaries::looks_personal};
use crate::{answer::Node, consent, seal::SealedAnswer, summary::Deed};

/// What leaving came to.
#[derive(Debug)]
pub struct Left {
    /// Payload: a [`Departure`], signed by the node.
    pub certificate: Envelope,
    /// Grants that were taken back by this call.
    pub withdrawn: usize,
    /// The state of consent from now on.
    pub consent_epoch: u64,
}

/// What others hold, as a certificate; nothing is changed.
pub fn certificate(node: &Node) -> Result<Envelope, Invalid> {
    let (mut given, mut holdings) = (Vec::new(), BTreeMap::new());
    for released in node.store.all_released() {
        let (requirement, released) = released?;
        let sealed = SealedAnswer::reopen(&released.response, &node.seal_keys(), node.lists)?;
        let seal = sealed.seal();
        given.push(Given {
            requirement,
            authority: seal.authority.clone(),
            audience: seal.audience,
            table_digest: seal.table_digest,
            sealed_at: seal.issued_at,
        });
        for said in node.store.held_elsewhere(requirement)? {
            holdings.insert(Digest::of(&said.payload), said);
        }
        if given.len() > GIVEN_MAX {
            let detail = format!("more than {GIVEN_MAX} answers");
            return Err(Invalid::new(Reason::LimitExceeded, "certificate", detail));
        }
    }
    let departure = Departure {
        node: node.name().clone(),
        jurisdiction: node.jurisdiction,
        at: node.clock.now(),
        given,
        holdings: holdings.into_values().collect(),
    };
    Ok(departure.sign(&node.seal_key()))
}

/// Takes back every consent, in one change, and then certifies what is out: consent is gone even where something stands in
/// the way of the certificate. Consent given afterwards is a new beginning.
pub async fn leave(node: &Node, caller: &Peer, why: &str) -> Result<Left, Invalid> {
    let (withdrawn, consent_epoch) = accord_proto::busy::here(|| take_back(node, caller, why))?;
    node.store.settled().await?;
    let certificate = accord_proto::busy::here(|| certificate(node))?;
    Ok(Left { certificate, withdrawn, consent_epoch })
}

fn take_back(node: &Node, caller: &Peer, why: &str) -> Result<(usize, u64), Invalid> {
    let deed = Deed::new(node.clock.now(), caller.identity.clone(), why, looks_personal)?;
    let mut held = node.held.write().unwrap_or_else(PoisonError::into_inner);
    let mut change = node.store.begin_taking_back()?;
    let consent_epoch = change.raise_consent_epoch();
    let by = Some(caller.identity.clone());
    let act = consent::Deed { epoch: consent_epoch, at: node.clock.now(), by };
    // A rule that forbids goes on forbidding.
    let permits = held.grants.iter_mut().filter(|grant| grant.permits());
    let withdrawn: Vec<_> =
        permits.filter_map(|grant| Some((grant.withdraw(act.clone())?, grant))).collect();
    for (withdrawn, _) in &withdrawn {
        change.grant(withdrawn);
    }
    let subject = format!("every consent taken back: {} grants", withdrawn.len());
    let digest = Digest::of(subject.as_bytes());
    change.commit(entry(node, caller, Act::Alteration, &deed.why, &subject, digest))?;
    let count = withdrawn.len();
    for (withdrawn, grant) in withdrawn {
        *grant = withdrawn;
    }
    Ok((count, consent_epoch))
}
