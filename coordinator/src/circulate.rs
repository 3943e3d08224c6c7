//! Circulation of products. Comes in: products that are kept. Goes out: what may be told of each, to every member that reviews it;
//! their receipts and their words are kept. Must never count as delivered what no receipt says, nor keep a word that its node has
//! not signed. Whoever is away is tried again.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use accord_proto::{
    busy,
    clock::Timestamp,
    id::ProductId,
    identity::{Identity, Name},
    limits::{CALL_TIMEOUT, CIRCULATE_AGAIN, GATHER_CONCURRENCY_MAX},
    product::{Dossier, Receipt, State, Word, dossier::Taken, line::line},
    reason::{Invalid, Reason},
    roster::Member,
    seal::{Digest, Envelope},
};
use futures_util::{StreamExt as _, stream};
use tokio::{sync::OwnedMutexGuard, time::MissedTickBehavior};
use tracing::{info, warn};

use crate::{heads::Heads, products, survey::Coordinator};

/// Products that are read at once.
const PAGE: usize = 256;

/// What is remembered between two rounds.
#[derive(Debug, Default)]
pub struct Circulation {
    /// Of each product one at a time takes a step.
    turns: Mutex<BTreeMap<ProductId, Arc<tokio::sync::Mutex<()>>>>,
    /// One round at a time, so that nothing is sent twice.
    sending: tokio::sync::Mutex<()>,
    /// There is something new.
    poked: tokio::sync::Notify,
    /// Why a member waits for a product.
    failed: Mutex<BTreeMap<(ProductId, Name), Reason>>,
    /// So many steps of a product were at all of its members when it was looked at last.
    everywhere: Mutex<BTreeMap<ProductId, u32>>,
}

impl Circulation {
    /// Whose turn it is to take a step of a product: members of one that do not answer keep nobody from another.
    pub async fn turn(&self, product: ProductId) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            // Whatever nobody waits for is forgotten: an id that somebody made up stays for one step.
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
            Arc::clone(turns.entry(product).or_default())
        };
        turn.lock_owned().await
    }

    /// There is something new: it is circulated beside whatever goes on.
    pub fn poke(&self) {
        self.poked.notify_one();
    }

    /// Why a member waits for a product, if it was tried since the start.
    pub fn why(&self, product: ProductId, node: &Name) -> Option<Reason> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.get(&(product, node.clone())).copied()
    }

    /// How many members wait for a product that could not be delivered.
    pub fn waiting(&self) -> u64 {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).len() as u64
    }

    fn is_everywhere(&self, product: ProductId, told: u32) -> bool {
        let everywhere = self.everywhere.lock().unwrap_or_else(PoisonError::into_inner);
        everywhere.get(&product) == Some(&told)
    }

    fn note_everywhere(&self, product: ProductId, told: u32) {
        let mut everywhere = self.everywhere.lock().unwrap_or_else(PoisonError::into_inner);
        everywhere.insert(product, told);
    }

    fn note(&self, product: ProductId, node: &Name, reason: Option<Reason>) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (product, node.clone());
        match reason {
            Some(reason) => failed.insert(key, reason),
            None => failed.remove(&key),
        };
    }
}

/// Circulates what is new at once; and everything, with what members say of it, at a steady pace.
pub async fn keep_circulating(coordinator: Arc<Coordinator>, every: Duration) {
    let mut pace = tokio::time::interval(every);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick comes at once; members may still be starting then.
    pace.tick().await;
    let mut begun = true;
    loop {
        // Whoever was away is tried again long before the next round; so is what nobody knows of a process that has ended.
        let again = match std::mem::take(&mut begun) || coordinator.circulation.waiting() > 0 {
            true => every.min(CIRCULATE_AGAIN),
            false => every,
        };
        let all = tokio::select! {
            // Of two moments that have come the steady one is taken: nobody is asked less often than it says.
            biased;
            _ = pace.tick() => true,
            () = tokio::time::sleep(again) => false,
            () = coordinator.circulation.poked.notified() => false,
        };
        if coordinator.caller.peers.own_maintenance().is_some() {
            continue;
        }
        if let Err(error) = circulate(&coordinator, all).await {
            warn!(%error, "cannot circulate products");
        }
    }
}

/// Delivers every product to whoever waits for it; with `collect`, asks all members what they have to say as well.
pub async fn circulate(coordinator: &Coordinator, collect: bool) -> Result<(), Invalid> {
    let _sending = coordinator.circulation.sending.lock().await;
    let mut before = None;
    loop {
        let page = coordinator.archive.products(before, PAGE)?;
        let Some((last, _)) = page.last() else { break };
        before = Some(*last);
        for (id, line) in page {
            if line.told == 0 {
                continue;
            }
            // Of what is put away nobody says anything more.
            let asked = collect && line.state != State::Archived.as_str();
            if !asked && coordinator.circulation.is_everywhere(id, line.told) {
                continue;
            }
            // One that cannot be opened keeps no other one from its members.
            if let Err(error) = circulate_one(coordinator, id, collect).await {
                warn!(product = %id, %error, "cannot be circulated");
            }
        }
    }
    coordinator.archive.settled().await
}

async fn circulate_one(
    coordinator: &Coordinator,
    id: ProductId,
    collect: bool,
) -> Result<(), Invalid> {
    let dossier = products::kept(coordinator, id)?;
    deliver(coordinator, &dossier).await?;
    if collect && dossier.course().state != State::Archived {
        collect_from_all(coordinator, &dossier).await;
    }
    Ok(())
}

/// A member's receipt for a product, checked.
pub fn held_by(
    coordinator: &Coordinator,
    product: ProductId,
    node: &Name,
) -> Result<Option<Receipt>, Invalid> {
    let roster = coordinator.roster();
    let (Some(signed), Some(member)) =
        (coordinator.archive.receipt(product, node)?, roster.member(node))
    else {
        return Ok(None);
    };
    // One under a key that was replaced since says nothing any more.
    Ok(Receipt::open(&signed, member, coordinator.lists).ok())
}

fn members(coordinator: &Coordinator, dossier: &Dossier) -> Vec<Member> {
    let roster = coordinator.roster();
    let members = dossier.course().content.members.iter();
    members.filter_map(|node| roster.member(node)).cloned().collect()
}

async fn deliver(coordinator: &Coordinator, dossier: &Dossier) -> Result<(), Invalid> {
    let id = dossier.product();
    let told = dossier.told();
    let wanted = u32::try_from(told).unwrap_or(u32::MAX);
    let mut waiting = Vec::new();
    for member in members(coordinator, dossier) {
        let held = held_by(coordinator, id, &member.node)?;
        // A restored archive does not know what its members hold.
        let in_doubt = coordinator.archive.in_doubt()?;
        if in_doubt || held.is_none_or(|receipt| receipt.steps < wanted) {
            waiting.push(member);
        }
    }
    if waiting.is_empty() {
        coordinator.circulation.note_everywhere(id, wanted);
        return Ok(());
    }
    let file: Arc<[u8]> = dossier.write_first(told).into();
    let head = dossier.steps().get(told.saturating_sub(1)).map_or(dossier.head(), Taken::digest);
    let last = (wanted, head);
    // What a power cut could take back must not be shown.
    coordinator.archive.settled().await?;
    let sending = waiting.into_iter().map(|member| {
        let file = Arc::clone(&file);
        async move {
            let sent = send(coordinator, &member, (id, last), file).await;
            (member, sent)
        }
    });
    let mut sent = stream::iter(sending).buffer_unordered(GATHER_CONCURRENCY_MAX);
    while let Some((Member { node, .. }, sent)) = sent.next().await {
        match &sent {
            Ok(()) => info!(product = %id, steps = wanted, member = %node, "product delivered"),
            Err(error) => warn!(product = %id, member = %node, %error, "product not delivered"),
        }
        coordinator.circulation.note(id, &node, sent.err().map(|error| error.reason));
    }
    Ok(())
}

async fn send(
    coordinator: &Coordinator,
    member: &Member,
    (id, (wanted, head)): (ProductId, (u32, Digest)),
    file: Arc<[u8]>,
) -> Result<(), Invalid> {
    let mut node = reach(coordinator, member).await?;
    let signed = node.deliver_product(id, file, CALL_TIMEOUT).await?;
    let receipt = Receipt::open(&signed, member, coordinator.lists)?;
    let other = receipt.steps == wanted && receipt.head != head;
    if receipt.product != id || receipt.steps < wanted || other {
        let detail = "is of something else than what was delivered";
        return Err(Invalid::new(Reason::AnswerIdentity, "receipt", detail));
    }
    if !receipt.left_out.is_empty() {
        let words = receipt.left_out.len();
        warn!(product = %id, member = %member.node, words, "it misses words of its own in it");
    }
    // Whoever says that it holds more must show it: a word alone would stop every step of the product.
    if receipt.steps > wanted {
        let file = node.product_given_back(id, CALL_TIMEOUT).await?;
        let given = shown(coordinator, (id, &receipt), &file)?;
        if coordinator.archive.in_doubt()? {
            take_over(coordinator, member, given).await?;
        }
    }
    let (by, now) = own(coordinator);
    let to = coordinator.caller.roster.identity_of(member);
    coordinator.archive.keep_receipt((&by, &to, now), (&receipt, &signed))
}

/// What a member holds beyond the archive: all of it was signed here, and goes on from what is kept.
fn shown(
    coordinator: &Coordinator,
    (id, receipt): (ProductId, &Receipt),
    file: &[u8],
) -> Result<Dossier, Invalid> {
    let pinned = coordinator.pinned.get();
    let given = busy::here(|| Dossier::open(file, products::trust(coordinator, &pinned)))?;
    given.check_continues(&products::kept(coordinator, id)?)?;
    let steps = u32::try_from(given.steps().len()).unwrap_or(u32::MAX);
    if (given.product(), steps, given.head()) != (id, receipt.steps, receipt.head) {
        let detail = "is of something else than what is given back";
        return Err(Invalid::new(Reason::AnswerIdentity, "receipt", detail));
    }
    Ok(given)
}

/// A restored archive goes on from what a member holds: every step of it was signed here.
async fn take_over(
    coordinator: &Coordinator,
    member: &Member,
    given: Dossier,
) -> Result<(), Invalid> {
    let id = given.product();
    let held = products::kept(coordinator, id)?;
    let new = given.steps().get(held.steps().len()..).unwrap_or_default();
    if new.is_empty() {
        return Ok(());
    }
    let (by, now) = own(coordinator);
    let whose = (&by, &member.node, now);
    coordinator.archive.take_over(whose, &given, (new, line(&given))).await?;
    info!(product = %id, member = %member.node, steps = given.steps().len(), "taken over");
    Ok(())
}

/// A connection to a member over which the coordinator has shown its journal: it takes nothing from whoever has not.
async fn reach(
    coordinator: &Coordinator,
    member: &Member,
) -> Result<accord_proto::client::ExchangeClient, Invalid> {
    let caller = &coordinator.caller;
    let mut node = caller.reach(member).await?;
    let heads = Heads::of(coordinator);
    heads.exchange(&mut node, member, caller.call_deadline).await?;
    Ok(node)
}

fn own(coordinator: &Coordinator) -> (Identity, Timestamp) {
    (coordinator.caller.credentials.own().identity.clone(), coordinator.clock.now())
}

/// Makes sure that every member holds a product as far as it goes: receipts for its last step, ascending by node, and the members
/// that have given none, ascending. What a receipt objects to stands in it.
pub async fn confirmed_by_all(
    coordinator: &Coordinator,
    dossier: &Dossier,
) -> Result<(Vec<Envelope>, Vec<Name>), Invalid> {
    deliver(coordinator, dossier).await?;
    let (mut receipts, mut missing) = (Vec::new(), Vec::new());
    let steps = u32::try_from(dossier.steps().len()).unwrap_or(u32::MAX);
    for Member { node, .. } in members(coordinator, dossier) {
        let receipt = held_by(coordinator, dossier.product(), &node)?;
        let this = |of: &Receipt| (of.steps, of.head) == (steps, dossier.head());
        let signed = coordinator.archive.receipt(dossier.product(), &node)?;
        match signed.filter(|_| receipt.is_some_and(|receipt| this(&receipt))) {
            Some(signed) => receipts.push(signed),
            None => missing.push(node),
        }
    }
    Ok((receipts, missing))
}

/// Asks every member of a product what it has to say of it, and keeps that; whoever could not be asked, ascending.
pub async fn collect_from_all(coordinator: &Coordinator, dossier: &Dossier) -> Vec<Name> {
    let mut not_reached = Vec::new();
    let asking = members(coordinator, dossier).into_iter().map(|member| async move {
        let asked = collect(coordinator, dossier.product(), &member);
        let late = |_| Err(Invalid::new(Reason::DeadlineExceeded, "call", "no answer in time"));
        let kept = tokio::time::timeout(CALL_TIMEOUT, asked).await.unwrap_or_else(late);
        (member, kept)
    });
    let mut asked = stream::iter(asking).buffer_unordered(GATHER_CONCURRENCY_MAX);
    while let Some((member, kept)) = asked.next().await {
        if let Err(error) = kept {
            warn!(product = %dossier.product(), member = %member.node, %error, "its words are not known");
            not_reached.push(member.node);
        }
    }
    not_reached.sort();
    not_reached
}

async fn collect(coordinator: &Coordinator, id: ProductId, member: &Member) -> Result<(), Invalid> {
    let mut node = reach(coordinator, member).await?;
    let words = node.collect_words(&[id], coordinator.caller.call_deadline).await?;
    let words = sound(coordinator, id, member, words);
    let (by, now) = own(coordinator);
    coordinator.archive.keep_words((&by, now), (id, &member.node), &words)
}

/// Words that are of this product, and signed by the member that gives them: another one, under a key that was replaced, say, keeps
/// none of them out.
fn sound(
    coordinator: &Coordinator,
    id: ProductId,
    member: &Member,
    words: Vec<Envelope>,
) -> Vec<Envelope> {
    let sound = |envelope: &Envelope| match Word::open(envelope, member, coordinator.lists) {
        Ok(word) if word.product == id => true,
        Ok(_) | Err(_) => {
            let word = Digest::of(&envelope.payload);
            warn!(product = %id, member = %member.node, %word, "is no word of this member");
            false
        }
    };
    words.into_iter().filter(sound).collect()
}
