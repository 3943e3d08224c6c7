//! Collecting. Comes in: collections that somebody has begun. Goes out: members that were away or undecided, asked again until
//! they answer or the window closes; then the picture. Must never store an answer: who has answered is asked once more
//! when the picture is drawn, and gives the same.
//!
//! Whatever becomes of the coordinator meanwhile, the collection goes on from where it stands.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use accord_proto::{
    clock::Timestamp,
    id::RequirementId,
    identity::Name,
    limits::{COLLECT_START, COLLECTED_AT_ONCE, COLLECTIONS_MAX},
    question::{Requirement, SignedRequirement},
    reason::{Invalid, Reason},
    roster::Member,
    strict,
    transport::heard::Peers,
};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::sync::{Notify, watch};
use tracing::{info, warn};

use crate::{
    collection::{Collection, Next},
    picture::{self, MemberState, Outcome},
    survey::{self, Coordinator},
    verify::Silence,
};

/// Longest sleep: clocks may be set.
const NAP: Duration = Duration::from_secs(60);

/// What goes on, and who waits to hear of it.
#[derive(Debug)]
pub struct Collections {
    /// As they are kept.
    open: Mutex<BTreeMap<RequirementId, Collection>>,
    /// Members that could not be reached, whatever they were asked, until when: nobody else tries meanwhile.
    away: Mutex<BTreeMap<Name, Timestamp>>,
    /// Members that have connected by themselves, and when.
    came: Mutex<BTreeMap<Name, Timestamp>>,
    /// Shortest pause.
    shortest: Duration,
    poked: Notify,
    changed: watch::Sender<u64>,
}

impl Collections {
    /// What goes on by what was kept.
    pub fn of(open: Vec<Collection>, shortest: Duration) -> Self {
        let open = open.into_iter().map(|of| (of.requirement, of)).collect();
        Self {
            open: Mutex::new(open),
            away: Mutex::default(),
            came: Mutex::default(),
            shortest,
            poked: Notify::new(),
            changed: watch::Sender::new(0),
        }
    }

    /// Changes whenever a collection does.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// How many are open.
    pub fn number(&self) -> u64 {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).len() as u64
    }

    fn open(&self) -> BTreeSet<RequirementId> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    fn put(&self, collection: &Collection) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        match collection.end {
            None => open.insert(collection.requirement, collection.clone()),
            Some(_) => open.remove(&collection.requirement),
        };
        drop(open);
        self.changed.send_modify(|number| *number = number.wrapping_add(1));
    }

    /// Of these, who may be tried now: whoever did not answer somebody else a moment ago is not.
    fn reachable(&self, nodes: Vec<Name>, now: Timestamp) -> Vec<Name> {
        let away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        nodes.into_iter().filter(|node| away.get(node).is_none_or(|until| *until <= now)).collect()
    }

    /// When the first of these may be tried again.
    fn back(&self, nodes: &[Name]) -> Option<Timestamp> {
        let away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        nodes.iter().filter_map(|node| away.get(node)).min().copied()
    }

    fn tried(&self, node: &Name, is_away: bool, next: Timestamp) {
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        if is_away {
            away.insert(node.clone(), next);
        } else {
            away.remove(node);
        }
    }

    /// A member has connected by itself: whoever missed it asks it at once. One that comes and goes all the time hurries
    /// nobody.
    pub fn came(&self, node: &Name, now: Timestamp) {
        let pause = i64::try_from(self.shortest.as_secs()).unwrap_or(i64::MAX);
        let mut came = self.came.lock().unwrap_or_else(PoisonError::into_inner);
        if came.get(node).is_some_and(|at| *at <= now && now < at.plus_s(pause)) {
            return;
        }
        came.insert(node.clone(), now);
        self.away.lock().unwrap_or_else(PoisonError::into_inner).remove(node);
        self.poked.notify_one();
    }

    /// Whoever was not connected and has come since is not waited for, nor one whose maintenance is over before its time: but one
    /// that says so and refuses again is asked at no other pace than everybody.
    fn hasten(&self, collection: &mut Collection, peers: &Peers, now: Timestamp) {
        let came = self.came.lock().unwrap_or_else(PoisonError::into_inner);
        let away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        for (node, slot) in &mut collection.slots {
            let missed = slot.reason == Reason::NoConnection.code();
            let is_here = missed && came.contains_key(node) && !away.contains_key(node);
            if is_here {
                slot.next = slot.next.min(now);
            } else if slot.reason == Reason::Maintenance.code() && peers.is_back(node) {
                slot.next = slot.next.min(slot.rested(self.shortest).unwrap_or(now));
            }
        }
    }

    /// Something is known of members that was not: every collection looks whether it can go on.
    pub fn look_again(&self) {
        self.poked.notify_one();
    }

    /// Is there room for one more?
    pub fn check_room(&self, requirement: RequirementId) -> Result<(), Invalid> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= COLLECTIONS_MAX && !open.contains_key(&requirement) {
            let detail = format!("{COLLECTIONS_MAX} collections go on already");
            return Err(Invalid::new(Reason::LimitExceeded, "collections", detail));
        }
        Ok(())
    }
}

/// It is on record before anybody is asked: a coordinator that dies meanwhile asks by itself.
pub async fn begin(coordinator: &Coordinator, asked: &SignedRequirement) -> Result<(), Invalid> {
    let Coordinator { archive, collections, .. } = coordinator;
    collections.check_room(asked.requirement().id)?;
    let known = archive.collection(asked.requirement().id)?;
    if known.as_ref().is_some_and(|known| known.end.is_none()) {
        return Ok(());
    }
    // Whoever gathers again begins again, while the window is open.
    let collection =
        known.map_or_else(|| begun(coordinator, asked), |known| Collection { end: None, ..known });
    archive.keep_collection(&collection)?;
    archive.settled().await?;
    collections.put(&collection);
    Ok(())
}

/// Nobody was asked yet.
fn begun(coordinator: &Coordinator, asked: &SignedRequirement) -> Collection {
    let (roster, clock) = (coordinator.roster(), &coordinator.clock);
    let requirement = asked.requirement();
    let jurisdiction =
        |node: &Name| roster.member(node).map(|member| (node.clone(), member.jurisdiction));
    let members = requirement.members.iter().filter_map(jurisdiction);
    Collection::begin(requirement, members, clock.now())
}

/// What came of asking members, durable with the next [`crate::archive::Archive::settled`]. `drawn`: a picture was drawn from it.
pub fn note(
    coordinator: &Coordinator,
    asked: &SignedRequirement,
    states: &[MemberState],
    drawn: bool,
) -> Result<(), Invalid> {
    let Coordinator { archive, collections, clock, caller, .. } = coordinator;
    let (requirement, now) = (asked.requirement(), clock.now());
    let known = archive.collection(requirement.id)?;
    let mut collection = known.unwrap_or_else(|| begun(coordinator, asked));
    for MemberState { member: Member { node, .. }, outcome } in states {
        let silence = match outcome {
            Outcome::Answered { .. } => None,
            Outcome::Silent(silence) => Some(silence),
        };
        let peers = &caller.peers;
        let refuses = silence.is_some_and(Silence::is_maintenance);
        let until = peers.in_maintenance(node).filter(|_| refuses);
        match until {
            Some(until) => {
                let heard = (until, peers.heard_at(node));
                collection.refused(node, heard, collections.shortest, now);
            }
            None => collection.note(node, silence, collections.shortest, now),
        }
        // Whoever is in maintenance is known to be so wherever it is asked.
        let is_away = until.is_none() && matches!(silence, Some(Silence::Unreachable(_)));
        if let Some(slot) = collection.slots.get(node) {
            collections.tried(node, is_away, slot.next);
        }
    }
    if drawn {
        // Whoever gathers again begins again, while the window is open.
        collection.end = None;
    }
    if drawn && matches!(collection.next(requirement, now), Next::Draw { .. }) {
        end(coordinator, requirement, &mut collection)
    } else {
        keep(coordinator, &collection)
    }
}

fn end(
    coordinator: &Coordinator,
    requirement: &Requirement,
    collection: &mut Collection,
) -> Result<(), Invalid> {
    let archive = &coordinator.archive;
    let cancelled = archive.cancellation(requirement.id)?.is_some();
    // What counts is who is in the last picture: an answer that came after it was heard and not shown.
    let shown = match archive.newest_version(requirement.id)? {
        Some(_) => {
            let drawn = archive.picture(requirement.id, None)?;
            drawn.envelope.as_ref().map_or(Ok((BTreeSet::new(), 0)), picture::rests_on)?
        }
        None => (BTreeSet::new(), 0),
    };
    let ends = collection.ends(requirement, cancelled, &shown);
    collection.end = Some(ends);
    info!(requirement = %requirement.id, end = ends.as_str(), "collection");
    keep(coordinator, collection)
}

fn keep(coordinator: &Coordinator, collection: &Collection) -> Result<(), Invalid> {
    coordinator.archive.keep_collection(collection)?;
    coordinator.collections.put(collection);
    coordinator.collections.poked.notify_one();
    Ok(())
}

/// Goes on with every collection until it ends. Each has a step of its own under way at most, and waits for no other one's;
/// some rounds are left to people. Whoever is due first is first.
pub async fn keep_collecting(coordinator: Arc<Coordinator>) {
    // Members may still be starting.
    tokio::time::sleep(coordinator.collections.shortest.min(COLLECT_START)).await;
    let (mut rests, mut under_way) = (BTreeMap::new(), BTreeSet::new());
    // What somebody has changed during a step, which does not know of it.
    let mut again = BTreeSet::new();
    let mut steps = FuturesUnordered::new();
    loop {
        let now = coordinator.clock.now();
        let open = coordinator.collections.open();
        rests.retain(|requirement, _| open.contains(requirement));
        let mut due: Vec<_> = open
            .difference(&under_way)
            .map(|requirement| (rests.get(requirement).copied().unwrap_or(now), *requirement))
            .collect();
        due.sort_unstable();
        let soonest = due.iter().map(|(at, _)| *at).find(|at| *at > now);
        let room = COLLECTED_AT_ONCE.saturating_sub(under_way.len());
        for (_, requirement) in due.into_iter().filter(|(at, _)| *at <= now).take(room) {
            under_way.insert(requirement);
            steps.push(go_on(&coordinator, requirement));
        }
        let rest = soonest.map_or(NAP, |at| {
            let seconds = u64::try_from(at.as_s() - now.as_s()).unwrap_or(0);
            Duration::from_secs(seconds.max(1)).min(NAP)
        });
        tokio::select! {
            Some((requirement, next)) = steps.next() => {
                under_way.remove(&requirement);
                let next = if again.remove(&requirement) { coordinator.clock.now() } else { next };
                rests.insert(requirement, next);
            }
            () = tokio::time::sleep(rest) => {}
            // Somebody was asked meanwhile, or has come: what was known of when to look again is not true any more.
            () = coordinator.collections.poked.notified() => {
                rests.clear();
                again.clone_from(&under_way);
            }
        }
    }
}

/// One step, durable; and when to look again.
async fn go_on(
    coordinator: &Coordinator,
    requirement: RequirementId,
) -> (RequirementId, Timestamp) {
    let soon = |pause: Duration| coordinator.clock.now().plus_s(pause.as_secs().cast_signed());
    let stepped = step(coordinator, requirement).await;
    let next = match stepped {
        Ok(next) => next.unwrap_or_else(|| soon(NAP)),
        // Somebody gathers it right now.
        Err(error) if error.reason == Reason::Overloaded => soon(Duration::from_secs(2)),
        Err(error) => {
            warn!(%requirement, %error, "its collection cannot go on now");
            soon(NAP)
        }
    };
    if let Err(error) = coordinator.archive.settled().await {
        warn!(%error, "where collections stand is not durable");
    }
    (requirement, next)
}

/// One step of a collection; when the next one is due, if it goes on.
async fn step(coordinator: &Coordinator, id: RequirementId) -> Result<Option<Timestamp>, Invalid> {
    let Coordinator { archive, lists, clock, caller, collections, .. } = coordinator;
    // As it stands now: somebody may have gathered meanwhile.
    let going_on = archive.collection(id)?.filter(|collection| collection.end.is_none());
    let Some(mut collection) = going_on else { return Ok(None) };
    let envelope = archive.requirement(id)?;
    let requirement = strict::decode_signed("requirement", &envelope.payload)?;
    let (requirement, now) = (Requirement::check(requirement, lists)?, clock.now());
    if now >= requirement.closes_at || archive.cancellation(id)?.is_some() {
        end(coordinator, &requirement, &mut collection)?;
        return Ok(None);
    }
    // An authority that has left the roster: nobody is asked for it any more, and its window ends all the same.
    let Ok(asked) = SignedRequirement::open(envelope, &coordinator.roster(), lists) else {
        return Ok(Some(requirement.closes_at));
    };
    let (by, peers) = (caller.credentials.own(), &caller.peers);
    // Nobody is asked; members hear of it otherwise. The window ends all the same.
    if let Some(own) = peers.own_maintenance() {
        return Ok(Some(own.until.min(requirement.closes_at)));
    }
    collections.hasten(&mut collection, peers, now);
    match collection.next(&requirement, now) {
        Next::Rest(until) => Ok(Some(until)),
        Next::Draw { last } => {
            match survey::round(coordinator, &by, &asked, !last).await {
                // A member has left the roster: no picture could say so, and the window ends all the same.
                Err(error) if error.reason == Reason::NotFound => {
                    warn!(requirement = %id, %error, "no picture is drawn any more");
                    Ok(Some(requirement.closes_at))
                }
                drawn => drawn.map(|_| Some(now)),
            }
        }
        Next::Ask(due) => {
            let (excused, due): (Vec<_>, Vec<_>) =
                due.into_iter().partition(|node| peers.in_maintenance(node).is_some());
            for node in &excused {
                let until = peers.in_maintenance(node).unwrap_or(now);
                collection.wait(node, until, collections.shortest);
            }
            if !excused.is_empty() {
                keep(coordinator, &collection)?;
            }
            let back = collections.back(&due);
            let due = collections.reachable(due, now);
            if due.is_empty() {
                return Ok(Some(back.unwrap_or(now).max(now.plus_s(1))));
            }
            survey::ask_again(coordinator, &by, &asked, &due).await?;
            Ok(Some(now))
        }
    }
}

#[cfg(test)]
mod tests {
    use accord_proto::{
        clock::{Entropy, FixedClock},
        taxonomy::JurisdictionCode,
        transport::heard::Heard,
    };

    use super::*;
    use crate::collection::Slot;

    struct Zeros;

    impl Entropy for Zeros {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), Invalid> {
            bytes.fill(0);
            Ok(())
        }
    }

    #[test]
    fn whoever_was_not_connected_and_has_come_is_not_waited_for_and_nobody_else_is_hurried() {
        let now = Timestamp::parse("now", "2026-12-01").unwrap();
        let (later, name) = (now.plus_s(600), |node: &str| Name::parse("node", node).unwrap());
        let slot = |(node, reason): (&str, &str)| {
            let slot = Slot {
                jurisdiction: JurisdictionCode::parse("AL").unwrap(),
                answered: reason.is_empty(),
                reason: reason.to_owned(),
                tries: 1,
                failures: 1,
                last_contact: None,
                next: later,
            };
            (name(node), slot)
        };
        let mut collection = Collection {
            requirement: RequirementId::mint(&FixedClock(now), &Zeros).unwrap(),
            begun_at: now,
            slots: [("a", "NO_CONNECTION"), ("b", "NO_CONNECTION"), ("c", "PENDING"), ("d", "")]
                .map(slot)
                .into(),
            end: None,
        };
        let collections = Collections::of(Vec::new(), Duration::from_secs(30));
        let peers = Peers::new(Arc::new(FixedClock(now)));
        for node in ["a", "b"] {
            collections.tried(&name(node), true, later);
        }
        for node in ["a", "c", "d"] {
            collections.came(&name(node), now);
        }
        collections.hasten(&mut collection, &peers, now);
        let next: Vec<_> = collection.slots.values().map(|slot| slot.next).collect();
        assert_eq!(next, [now, later, later, later]);

        // It has gone again: the usual pause, also if it comes and goes.
        collections.tried(&name("a"), true, later);
        let mut waits = |now| {
            collection.slots.get_mut(&name("a")).unwrap().next = later;
            collections.hasten(&mut collection, &peers, now);
            collection.slots[&name("a")].next == later
        };
        assert!(waits(now));
        collections.came(&name("a"), now.plus_s(29));
        assert!(waits(now));
        collections.came(&name("a"), now.plus_s(30));
        assert!(!waits(now.plus_s(30)));
    }

    #[test]
    fn whoever_says_that_its_maintenance_is_over_is_asked_at_once_and_nobody_whose_time_has_merely_passed()
     {
        let now = Timestamp::parse("now", "2026-12-01").unwrap();
        let later = now.plus_s(30);
        let name = |node: &str| Name::parse("node", node).unwrap();
        let slot = |node: &str| {
            let slot = Slot {
                jurisdiction: JurisdictionCode::parse("AL").unwrap(),
                answered: false,
                reason: "MAINTENANCE".to_owned(),
                tries: 1,
                failures: 0,
                last_contact: None,
                next: later,
            };
            (name(node), slot)
        };
        let mut collection = Collection {
            requirement: RequirementId::mint(&FixedClock(now), &Zeros).unwrap(),
            begun_at: now,
            slots: ["back", "on", "passed", "unheard"].map(slot).into(),
            end: None,
        };
        let peers = Peers::new(Arc::new(FixedClock(now)));
        for (node, maintenance_until) in
            [("back", None), ("on", Some(now.plus_s(60))), ("passed", Some(now))]
        {
            peers.note(&name(node), Heard { maintenance_until, ..Heard::default() });
        }
        let collections = Collections::of(Vec::new(), Duration::from_secs(30));
        // A member that dials in comes while it is in maintenance, too.
        for node in ["on", "unheard"] {
            collections.came(&name(node), now);
        }
        collections.hasten(&mut collection, &peers, now);
        let hurried: Vec<_> = collection
            .slots
            .iter()
            .filter(|(_, slot)| slot.next == now)
            .map(|(node, _)| node.as_str())
            .collect();
        assert_eq!(hurried, ["back"]);

        // One that has just refused with maintenance, and says elsewhere that there is none, hurries nobody.
        let back = name("back");
        collection.slots.get_mut(&back).unwrap().last_contact = Some(now);
        collection.slots.get_mut(&back).unwrap().next = later.plus_s(60);
        collections.hasten(&mut collection, &peers, now);
        assert_eq!(collection.slots[&back].next, later);

        // However often it does so, and however near the end is that it says: it is asked at the pace of one that is away.
        let (mut asked, mut pauses) = (now, Vec::new());
        for _ in 0..8 {
            peers.refused(&back, now.plus_s(1));
            collection.refused(&back, (asked.plus_s(1), Some(asked)), collections.shortest, asked);
            peers.note(&back, Heard::default());
            collections.hasten(&mut collection, &peers, asked.plus_s(1));
            let next = collection.slots[&back].next;
            pauses.push(next.as_s() - asked.as_s());
            asked = next;
        }
        for (number, pause) in pauses.into_iter().enumerate() {
            let whole = (30 << number).min(600);
            assert!((whole * 3 / 4..=whole).contains(&pause), "{number}: {pause}");
        }
    }
}
