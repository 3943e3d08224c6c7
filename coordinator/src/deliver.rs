//! Delivering pictures. Comes in: pictures that are kept. Goes out: the newest one of every valid requirement, with all that it
//! rests on, to every member that the requirement names; their receipts are kept. Must never count as delivered
//! what no receipt says.
//!
//! Also of a requirement that was cancelled: what was drawn stands, with what members have said of it since. Whoever is away is
//! tried again.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use accord_proto::{
    clock::Timestamp,
    delivery::{Head, PictureReceipt},
    id::RequirementId,
    identity::{Identity, Name},
    limits::{CALL_TIMEOUT, GATHER_CONCURRENCY_MAX},
    operate::trace,
    question::SignedRequirement,
    reason::{Invalid, Reason},
    roster::Member,
    seal::{Digest, Envelope},
};
use futures_util::{StreamExt as _, stream};
use tokio::time::MissedTickBehavior;
use tracing::{info, warn};

use crate::{
    archive::{Archive, Arrived, Drawn},
    evidence,
    heads::Heads,
    standing,
    survey::Coordinator,
};

/// Requirements that are read at once.
const PAGE: usize = 256;

/// What is remembered between two rounds.
#[derive(Debug, Default)]
pub struct Deliveries {
    /// One round at a time, so that nothing is sent twice.
    turn: tokio::sync::Mutex<()>,
    /// Requirements of which there is something new to deliver.
    new: Mutex<BTreeSet<RequirementId>>,
    /// There are some.
    poked: tokio::sync::Notify,
    /// Why a member waits for the picture of a requirement.
    failed: Mutex<BTreeMap<(RequirementId, Name), Reason>>,
}

impl Deliveries {
    /// There is something new of a requirement: it is delivered beside whatever goes on.
    pub fn poke(&self, requirement: RequirementId) {
        self.new.lock().unwrap_or_else(PoisonError::into_inner).insert(requirement);
        self.poked.notify_one();
    }

    /// How many members wait for a picture that could not be delivered.
    pub fn waiting(&self) -> u64 {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).len() as u64
    }

    fn take_new(&self) -> BTreeSet<RequirementId> {
        std::mem::take(&mut *self.new.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, requirement: RequirementId, node: &Name, failed: Option<Reason>) {
        let mut reasons = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (requirement, node.clone());
        match failed {
            Some(reason) => reasons.insert(key, reason),
            None => reasons.remove(&key),
        };
    }

    fn why(&self, requirement: RequirementId, node: &Name) -> Option<Reason> {
        let reasons = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        reasons.get(&(requirement, node.clone())).copied()
    }

    /// Forgets why members waited for pictures that nobody waits for any more.
    fn forget_but(&self, valid: &[RequirementId]) {
        let mut reasons = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        reasons.retain(|(requirement, _), _| valid.contains(requirement));
    }
}

/// How a picture stands at a member.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// Nothing has come yet; why, if it was tried since the start.
    Waiting(Option<Reason>),
    /// All of it is there.
    Delivered(Arrived),
    /// The picture is there; what members have said since is not; why, as above.
    Outdated(Arrived, Option<Reason>),
    /// It never came, and is not tried any more: a later version is, or nobody relies on the requirement any more.
    Over,
}

/// A picture with what is said of its answers by now.
struct Ready {
    requirement: RequirementId,
    drawn: Drawn,
    picture: Digest,
    notices: Vec<Envelope>,
}

impl Ready {
    fn of(
        archive: &Archive,
        requirement: RequirementId,
        version: Option<u32>,
    ) -> Result<Self, Invalid> {
        let drawn = archive.picture(requirement, version)?;
        let payload = drawn.envelope.as_ref().map_or(&[][..], |envelope| &envelope.payload);
        let notices = standing::concerning(archive, requirement, payload)?;
        Ok(Self { requirement, picture: Digest::of(payload), drawn, notices })
    }

    /// Over what is said of its answers.
    fn said(&self) -> Digest {
        Digest::of_parts(self.notices.iter().map(|notice| notice.payload.as_slice()))
    }
}

/// Delivers what is new at once, and what failed at a steady pace.
pub async fn keep_delivering(coordinator: Arc<Coordinator>, every: Duration) {
    let by = coordinator.caller.credentials.own().identity.clone();
    let mut pace = tokio::time::interval(every);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick comes at once; members may still be starting then.
    pace.tick().await;
    loop {
        let all = tokio::select! {
            // Of both the steady one: it delivers what is new as well.
            biased;
            _ = pace.tick() => true,
            () = coordinator.deliveries.poked.notified() => false,
        };
        // What is new then is delivered with all the rest, when it is over.
        if coordinator.caller.peers.own_maintenance().is_some() {
            continue;
        }
        let delivered = match all {
            true => deliver_all(&coordinator, &by).await,
            false => deliver_new(&coordinator, &by).await,
        };
        if let Err(error) = delivered {
            warn!(%error, "cannot deliver pictures");
        }
    }
}

/// What is new, once; whoever is away then is tried again with everything else.
async fn deliver_new(coordinator: &Coordinator, by: &Identity) -> Result<(), Invalid> {
    for id in coordinator.deliveries.take_new() {
        let envelope = coordinator.archive.requirement(id)?;
        deliver_one(coordinator, by, envelope).await;
    }
    Ok(())
}

/// The newest picture of every requirement that is still valid.
async fn deliver_all(coordinator: &Coordinator, by: &Identity) -> Result<(), Invalid> {
    let (mut before, mut valid) = (None, Vec::new());
    loop {
        let page = coordinator.archive.requirements(before, PAGE)?;
        let Some((last, _)) = page.last() else { break };
        before = Some(*last);
        for (id, envelope) in page {
            if deliver_one(coordinator, by, envelope).await {
                valid.push(id);
            }
        }
    }
    coordinator.deliveries.forget_but(&valid);
    Ok(())
}

/// The newest picture of a requirement, if it is still valid: is it?
async fn deliver_one(coordinator: &Coordinator, by: &Identity, envelope: Envelope) -> bool {
    // An authority that has left the roster: nobody could check who has asked.
    let opened = SignedRequirement::open(envelope, &coordinator.roster(), coordinator.lists);
    let Ok(asked) = opened else { return false };
    if !is_valid(&asked, coordinator.clock.now()) {
        return false;
    }
    let id = asked.requirement().id;
    if let Err(error) = trace::within(id, deliver(coordinator, by, &asked)).await {
        warn!(requirement = %id, %error, "its picture cannot be delivered");
    }
    true
}

fn is_valid(asked: &SignedRequirement, now: Timestamp) -> bool {
    now < asked.requirement().valid_until
}

/// The newest picture of a requirement, to every member that waits for it. There may be none yet.
pub async fn deliver(
    coordinator: &Coordinator,
    by: &Identity,
    asked: &SignedRequirement,
) -> Result<(), Invalid> {
    let _turn = coordinator.deliveries.turn.lock().await;
    let Coordinator { archive, .. } = coordinator;
    let roster = coordinator.roster();
    let id = asked.requirement().id;
    if archive.newest_version(id)?.is_none() {
        return Ok(());
    }
    let ready = Ready::of(archive, id, None)?;
    let mut waiting = Vec::new();
    for node in &asked.requirement().members {
        match (state(coordinator, &ready, node)?, roster.member(node)) {
            (State::Delivered(_), _) => {}
            (_, Some(member)) => waiting.push(member.clone()),
            (_, None) => coordinator.deliveries.note(id, node, Some(Reason::NotFound)),
        }
    }
    if waiting.is_empty() {
        return Ok(());
    }
    let file: Arc<[u8]> = evidence::write(archive, id, &ready.drawn, &ready.notices)?.into();
    // What a power cut could take back must not be shown.
    archive.settled().await?;
    let head = Head {
        requirement: id,
        version: ready.drawn.version,
        drawn_at: Timestamp::from_s("archive.picture", ready.drawn.drawn_at_s)?,
        bytes: file.len(),
        evidence: Digest::of(&file),
    };
    let sending = waiting.into_iter().map(|member| {
        let (file, ready) = (Arc::clone(&file), &ready);
        async move {
            let sent = send(coordinator, (by, asked), &member, (ready, head, file)).await;
            (member, sent)
        }
    });
    let mut sent = stream::iter(sending).buffer_unordered(GATHER_CONCURRENCY_MAX);
    while let Some((Member { node, .. }, sent)) = sent.next().await {
        let version = head.version;
        match &sent {
            Ok(()) => info!(requirement = %id, version, member = %node, "picture delivered"),
            Err(error) => {
                warn!(requirement = %id, version, member = %node, %error, "picture not delivered");
            }
        }
        coordinator.deliveries.note(id, &node, sent.err().map(|error| error.reason));
    }
    archive.settled().await
}

/// Sends a file to one member, and keeps its receipt.
async fn send(
    coordinator: &Coordinator,
    (by, asked): (&Identity, &SignedRequirement),
    member: &Member,
    (ready, head, file): (&Ready, Head, Arc<[u8]>),
) -> Result<(), Invalid> {
    let Coordinator { caller, archive, lists, clock, .. } = coordinator;
    let mut node = caller.reach(member).await?;
    // It takes nothing from whoever has not shown a journal.
    let heads = Heads::of(coordinator);
    heads.exchange(&mut node, member, caller.call_deadline).await?;
    let signed = node.deliver(head, file, CALL_TIMEOUT).await?;
    let receipt = PictureReceipt::open(&signed, member, lists)?;
    let of = (receipt.requirement, receipt.version, receipt.picture, receipt.evidence);
    if of != (head.requirement, head.version, ready.picture, head.evidence) {
        let detail = "is of another picture than the one that was delivered";
        return Err(Invalid::new(Reason::AnswerIdentity, "receipt", detail));
    }
    let arrived = Arrived { notices: ready.said(), at: clock.now(), receipt: signed };
    let requirement = asked.requirement();
    let why = format!("picture: {}; {}", requirement.purpose, requirement.legal_basis);
    let to = caller.roster.identity_of(member);
    archive.deliver((by, &to, why), &receipt, &arrived, &heads.into_seen())
}

/// Where a picture stands at every member that its requirement names; of the newest if no version is named.
pub fn states(
    coordinator: &Coordinator,
    asked: &SignedRequirement,
    version: Option<u32>,
) -> Result<(u32, Vec<(Name, State)>), Invalid> {
    let id = asked.requirement().id;
    let ready = Ready::of(&coordinator.archive, id, version)?;
    let newest = coordinator.archive.newest_version(id)? == Some(ready.drawn.version);
    let tried = newest && is_valid(asked, coordinator.clock.now());
    let of = |node: &Name| match state(coordinator, &ready, node)? {
        State::Waiting(_) if !tried => Ok((node.clone(), State::Over)),
        state @ (State::Waiting(_) | State::Delivered(_) | State::Outdated(..) | State::Over) => {
            Ok((node.clone(), state))
        }
    };
    let states = asked.requirement().members.iter().map(of).collect::<Result<_, Invalid>>()?;
    Ok((ready.drawn.version, states))
}

fn state(coordinator: &Coordinator, ready: &Ready, node: &Name) -> Result<State, Invalid> {
    let id = ready.requirement;
    let why = coordinator.deliveries.why(id, node);
    let arrived = coordinator.archive.arrived(id, ready.drawn.version, node)?;
    Ok(match arrived {
        None => State::Waiting(why),
        Some(arrived) if arrived.notices == ready.said() => State::Delivered(arrived),
        Some(arrived) => State::Outdated(arrived, why),
    })
}
