//! A product of this node: the national assessment, the national plan. Comes in: a deed of staff. Goes out: the next step, signed by
//! the node. Must never let one person both write and open or publish a text, nor follow a step that was not seen.

use accord_proto::{
    id::ProductId,
    identity::Role,
    journal::Act,
    product::{
        Content, Dossier, Hand,
        harvest::Gathered,
        step::{Deed, Draft},
    },
    reason::{Invalid, Reason},
    seal::Digest,
    transport::Peer,
};
use tracing::info;

use super::{add, entry, find, own_words};
use crate::answer::Node;

/// Takes the next step; `previous` is the one that it is to follow. The same step twice is one.
pub async fn take(
    node: &Node,
    by: &Peer,
    (id, previous): (ProductId, Option<Digest>),
    deed: Deed,
) -> Result<Dossier, Invalid> {
    let taken = accord_proto::busy::here(|| next(node, by, (id, previous), deed));
    node.store.settled().await?;
    taken
}

fn next(
    node: &Node,
    by: &Peer,
    (id, previous): (ProductId, Option<Digest>),
    deed: Deed,
) -> Result<Dossier, Invalid> {
    check_role(by, &deed)?;
    // From here on nobody else takes a step.
    let change = node.store.begin()?;
    let held = find(node, id)?;
    if held.as_ref().is_some_and(|held| held.course().content.owner != *node.name()) {
        let detail = "is the region's: what is said of it is a word, not a step";
        return Err(Invalid::new(Reason::ProductState, "product", detail));
    }
    if let Some(known) = held.as_ref().filter(|held| Some(held.head()) != previous) {
        if known.steps().iter().any(|of| of.step.previous == previous && of.is_again(&deed)) {
            return Ok(known.clone());
        }
        let detail = "another step was taken meanwhile: look at it again";
        return Err(Invalid::new(Reason::ProductChanged, "previous_sha256", detail));
    }
    let pinned = node.pinned.get();
    let hand = Hand {
        at: node.clock.now(),
        roster: (&pinned.signed, &pinned.roster),
        key: &pinned.key,
        lists: node.lists,
    };
    let next = match held {
        Some(held) => {
            let hand_of = |step| Ok(node.store.hand_of(id, step)?.map(|author| author.name));
            held.check_hands((&by.identity.name, &deed), hand_of)?;
            let words = own_words(node, id)?;
            let gathered = Gathered { waiting: &words, ..Gathered::default() };
            let deed = held.course().filled(deed, gathered, (&pinned.roster, node.lists))?;
            held.take(deed, hand)?
        }
        None => {
            let (Deed::Draft(draft), None) = (deed, previous) else {
                let detail = format!("there is no product {id} here; it begins with a draft");
                return Err(Invalid::new(Reason::NotFound, "product", detail));
            };
            check_owner(node, &draft)?;
            Dossier::begin(id, draft, hand)?
        }
    };
    let new = next.steps().last().map(std::slice::from_ref).unwrap_or_default();
    new.iter().try_for_each(|taken| next.course().check_impersonal(&taken.step.deed))?;
    let journal = entry(node, by, Act::Alteration, &next);
    add(node, change, &next, (new, Some(by)), journal)?;
    info!(product = %id, state = next.course().state.as_str(), "step taken");
    Ok(next)
}

/// What a node takes steps with is its own.
fn check_owner(node: &Node, draft: &Draft) -> Result<(), Invalid> {
    let text = draft.text.clone().unwrap_or_default();
    let owner = Content::at_hand(&text, node.lists)?.0.owner;
    if owner == *node.name() {
        return Ok(());
    }
    let detail = format!("is {owner}; {} takes steps with products of its own only", node.name());
    Err(Invalid::new(Reason::FieldInvalid, "content.owner", detail))
}

/// An analyst writes; what goes on with the text is a releaser's.
fn check_role(by: &Peer, deed: &Deed) -> Result<(), Invalid> {
    if matches!(deed, Deed::Draft(_)) || by.identity.role == Role::Releaser {
        return Ok(());
    }
    let detail = format!("{} may not: this takes a releaser", by.identity);
    Err(Invalid::new(Reason::CertificateRole, "certificate", detail))
}
