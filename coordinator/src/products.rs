//! THE SPINE of products: a deed of an editor in, a signed step out.
//!
//! ```text
//! deed ─► (words that wait are collected) ─► four eyes ─► the next step, signed ─► archive ─► circulation
//! ```
//!
//! What may follow what is said by [`accord_proto::product`]. Must never sign a step on a chain that a member holds further than
//! the archive does, nor let one person both write and open or publish a text.

use accord_proto::{
    busy,
    id::ProductId,
    identity::Name,
    product::{
        Dossier, Hand, Word,
        dossier::Trust,
        harvest::{Filling, Gathered, Waiting},
        line::line,
        section::Citation,
        step::Deed,
    },
    reason::{Invalid, Reason},
    seal::Digest,
    transport::Peer,
};
use tracing::info;

use crate::{circulate, survey::Coordinator};

/// Whom a product is checked against.
pub fn trust<'a>(coordinator: &Coordinator, pinned: &'a crate::pinned::Pinned) -> Trust<'a> {
    Trust { root: &pinned.root, lists: coordinator.lists }
}

/// A product that is kept.
pub fn kept(coordinator: &Coordinator, id: ProductId) -> Result<Dossier, Invalid> {
    let pinned = coordinator.pinned.get();
    // Every signature in it is checked.
    busy::here(|| coordinator.archive.product(id, trust(coordinator, &pinned)))
}

/// Takes the next step of a product; `previous` is the one that it is to follow. The same step twice is one.
pub async fn take(
    coordinator: &Coordinator,
    by: &Peer,
    (id, previous): (ProductId, Option<Digest>),
    (deed, without): (Deed, &[Name]),
) -> Result<Dossier, Invalid> {
    if coordinator.archive.in_doubt()? {
        let detail = "the archive was restored: what members hold is taken over first, and the \
                      custodian confirms it";
        return Err(Invalid::new(Reason::ProductState, "archive", detail));
    }
    let _turn = coordinator.circulation.turn(id).await;
    let held = match kept(coordinator, id) {
        Ok(dossier) => Some(dossier),
        Err(error) if error.reason == Reason::NotFound && previous.is_none() => None,
        Err(error) => return Err(error),
    };
    if let Some(known) = held.as_ref().filter(|held| Some(held.head()) != previous) {
        let again =
            known.steps().iter().any(|of| of.step.previous == previous && of.is_again(&deed));
        if again {
            coordinator.archive.settled().await?;
            return Ok(known.clone());
        }
        let detail = "another step was taken meanwhile: look at it again";
        return Err(Invalid::new(Reason::ProductChanged, "previous_sha256", detail));
    }
    let deed = ready(coordinator, held.as_ref(), deed, without).await?;
    let next = busy::here(|| stepped(coordinator, by, (id, held), deed))?;
    let last = next
        .steps()
        .last()
        .ok_or_else(|| Invalid::new(Reason::Internal, "product", "a product without a step"))?;
    coordinator.archive.keep_step(by, (&next, last, line(&next))).await?;
    info!(product = %id, step = last.step.name(), state = next.course().state.as_str(), "step taken");
    coordinator.circulation.poke();
    Ok(next)
}

/// The chain with the next step, signed, before anybody sees it.
fn stepped(
    coordinator: &Coordinator,
    by: &Peer,
    (id, held): (ProductId, Option<Dossier>),
    deed: Deed,
) -> Result<Dossier, Invalid> {
    let pinned = coordinator.pinned.get();
    let hand = Hand {
        at: coordinator.clock.now(),
        roster: (&pinned.signed, &pinned.roster),
        key: &pinned.key,
        lists: coordinator.lists,
    };
    let next = match held {
        Some(held) => {
            let hand_of =
                |step| Ok(coordinator.archive.hand_of(id, step)?.map(|author| author.name));
            held.check_hands((&by.identity.name, &deed), hand_of)?;
            check_newest(coordinator, &held)?;
            held.take(deed, hand)?
        }
        None => {
            let Deed::Draft(draft) = deed else {
                let detail = format!("there is no product {id}; it begins with a draft");
                return Err(Invalid::new(Reason::NotFound, "product", detail));
            };
            Dossier::begin(id, draft, hand)?
        }
    };
    check_cited(coordinator, &next)?;
    if let Some(last) = next.steps().last() {
        next.course().check_impersonal(&last.step.deed)?;
    }
    Ok(next)
}

/// Fills in what members have said, after they were asked once more; and at last who of them confirms what has come of it.
async fn ready(
    coordinator: &Coordinator,
    held: Option<&Dossier>,
    deed: Deed,
    without: &[Name],
) -> Result<Deed, Invalid> {
    let Some(held) = held else { return Ok(deed) };
    let (receipts, missing, what) = match Filling::of(&deed) {
        Filling::Words => {
            let not_reached = circulate::collect_from_all(coordinator, held).await;
            (Vec::new(), not_reached, "be asked what it has said")
        }
        Filling::Receipts => {
            let (receipts, missing) = circulate::confirmed_by_all(coordinator, held).await?;
            (receipts, missing, "confirm what has come of the endorsement")
        }
        Filling::Nothing => return Ok(deed),
    };
    let missed = missing.iter().find(|node| !without.contains(node));
    if let Some(node) = missed.filter(|_| !matches!(deed, Deed::Hear(_))) {
        let detail = format!(
            "{node} cannot {what}: try again, or leave it out by name, and the product says so for \
             good"
        );
        return Err(Invalid::new(Reason::NoConnection, "members", detail));
    }
    let said = coordinator.archive.said_of(held.product())?;
    let open = |envelope| {
        let word = Word::unchecked(&envelope, coordinator.lists)?;
        Ok((envelope, word))
    };
    let waiting: Vec<Waiting> = said.words.into_iter().map(open).collect::<Result<_, Invalid>>()?;
    let gathered = Gathered {
        waiting: &waiting,
        guests: &said.guests,
        not_reached: &missing,
        receipts: &receipts,
    };
    let roster = coordinator.roster();
    busy::here(|| held.course().filled(deed, gathered, (&roster, coordinator.lists)))
}

/// What is cited is kept here, and for whom the text says.
fn check_cited(coordinator: &Coordinator, next: &Dossier) -> Result<(), Invalid> {
    let last = next.steps().last();
    if last.is_none_or(|last| !matches!(last.step.deed, Deed::Draft(_))) {
        return Ok(());
    }
    for section in &next.course().sections {
        for Citation { requirement, version, picture, audience } in &section.citations {
            let picked = coordinator.archive.pick(*requirement, Some(*version))?;
            let (kept, of) = (Digest::of(&picked.envelope.payload), picked.audience);
            if kept != *picture || of != audience.as_str() {
                let detail = format!(
                    "version {version} of {requirement} is {kept} for {of}, and {picture} for \
                     {audience} is cited"
                );
                return Err(Invalid::new(Reason::ProductFalse, "citations", detail));
            }
        }
    }
    Ok(())
}

/// A member that holds more steps than the archive: the archive was put back, and a step more would part the chain.
fn check_newest(coordinator: &Coordinator, held: &Dossier) -> Result<(), Invalid> {
    let steps = u32::try_from(held.steps().len()).unwrap_or(u32::MAX);
    for node in &held.course().content.members {
        let known = circulate::held_by(coordinator, held.product(), node)?;
        if let Some(receipt) = known.filter(|receipt| receipt.steps > steps) {
            let detail = format!(
                "{node} holds {} steps, and {steps} are kept here: an older archive was put back by \
                 hand; restore it with `restore`, which takes over what members hold",
                receipt.steps
            );
            return Err(Invalid::new(Reason::ProductForked, "product", detail));
        }
    }
    Ok(())
}
