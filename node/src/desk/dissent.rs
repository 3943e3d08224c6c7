//! Dissent from a ranking. Comes in: a ranking that the coordinator signed, and a releaser's words. Goes out: the words, signed by
//! the node: that is its consent that others read them. Must never sign what names a person, nor without a journal entry.

use accord_proto::{
    journal::{Act, Entry},
    reason::Invalid,
    seal::{Digest, Envelope},
    threat::{Dissent, Justified, Ranking},
    transport::Peer,
};

use super::{entry, summaries::looks_personal};
use crate::{answer::Node, summary::Deed};

/// Signs it. On record as a disclosure before it is handed out.
pub async fn sign(
    node: &Node,
    caller: &Peer,
    ranking: &Envelope,
    text: &str,
) -> Result<Envelope, Invalid> {
    let deed = Deed::new(node.clock.now(), caller.identity.clone(), text, looks_personal)?;
    let centres = &node.pinned.get().roster.centres;
    let keys: Vec<_> = centres.iter().flat_map(|centre| centre.keys.clone()).collect();
    let ranking = Ranking::open(ranking, &keys, node.lists)?;
    let order = ranking.digest();
    let dissent = Dissent {
        node: node.name().clone(),
        jurisdiction: node.jurisdiction,
        order,
        text: Justified::read("why", &deed.why)?,
        at: deed.at,
    };
    let signed = dissent.sign(&node.seal_key());
    let subject = format!("dissent from ranking {order}");
    let digest = Digest::of(&signed.payload);
    let entry = Entry {
        to: format!("whoever reads the ranking: {}", ranking.audience()),
        ..entry(node, caller, Act::Disclosure, &deed.why, &subject, digest)
    };
    node.store.begin_release()?.commit(entry)?;
    node.store.settled().await?;
    Ok(signed)
}
