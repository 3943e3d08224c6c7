//! A collection: where every member that a requirement names stands over its window of days. Comes in: what came of asking
//! it, the time. Goes out: when it is asked next, and how the collection ends. Pure. Must never count a member twice,
//! nor stay open past its window.
//!
//! ```text
//! waiting ──► answered
//!    ▲ ╲──► pending, declined, unreachable, rejected ──► waiting, when its pause or its announced maintenance is over
//! ```
//!
//! One slot for each member: what it says later takes the place of what it said before. How long a pause is, follows from
//! the requirement, the member and how often it was asked: no dice, and no two members come at the same moment.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use accord_proto::{
    clock::Timestamp,
    id::RequirementId,
    identity::Name,
    limits::{COLLECT_LAST, COLLECT_PAUSE_MAX, COLLECT_PENDING_PAUSE},
    question::Requirement,
    reason::Reason,
    seal::Digest,
    taxonomy::JurisdictionCode,
};

use crate::verify::Silence;

/// How a member stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Whom it speaks for.
    pub jurisdiction: JurisdictionCode,
    /// Its answer was accepted.
    pub answered: bool,
    /// Why there is no answer, stable; empty: there is one, or nobody has asked yet.
    pub reason: String,
    /// How often it was asked.
    pub tries: u32,
    /// How often in a row it was asked and could not be reached, or was in maintenance: the more often, the longer is the pause.
    pub failures: u32,
    /// When it last said anything.
    pub last_contact: Option<Timestamp>,
    /// When it is asked next; an answered one is not.
    pub next: Timestamp,
}

impl Slot {
    /// Before this moment it is not asked again, whatever it has said meanwhile; none: it has said nothing yet.
    pub fn rested(&self, shortest: Duration) -> Option<Timestamp> {
        let pause = backed_off(shortest, self.failures).as_secs();
        Some(self.last_contact?.plus_s(i64::try_from(pause).unwrap_or(i64::MAX)))
    }
}

/// How a collection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Everybody has answered.
    Complete,
    /// The window is over; enough have answered for a figure that is not public.
    Partial,
    /// The window is over, and fewer have answered than the requirement asks for.
    Insufficient,
    /// Its authority has taken it back.
    Cancelled,
}

impl End {
    /// One word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Insufficient => "insufficient",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads it.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Complete, Self::Partial, Self::Insufficient, Self::Cancelled]
            .into_iter()
            .find(|end| end.as_str() == text)
    }
}

/// The collection of one requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection {
    /// Of which requirement.
    pub requirement: RequirementId,
    /// When somebody first asked for it.
    pub begun_at: Timestamp,
    /// Members, ascending.
    pub slots: BTreeMap<Name, Slot>,
    /// How it ended; none: it goes on.
    pub end: Option<End>,
}

/// What is to be done now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// These are asked again.
    Ask(Vec<Name>),
    /// Everybody is asked once more, and the last picture drawn. While there is time, only if everybody answers again.
    Draw {
        /// There is no more time.
        last: bool,
    },
    /// Nothing before this moment.
    Rest(Timestamp),
}

impl Collection {
    /// Nobody was asked yet.
    pub fn begin(
        requirement: &Requirement,
        members: impl IntoIterator<Item = (Name, JurisdictionCode)>,
        now: Timestamp,
    ) -> Self {
        let slot = |(node, jurisdiction)| {
            let slot = Slot {
                jurisdiction,
                answered: false,
                reason: String::new(),
                tries: 0,
                failures: 0,
                last_contact: None,
                next: now,
            };
            (node, slot)
        };
        let slots = members.into_iter().map(slot).collect();
        Self { requirement: requirement.id, begun_at: now, slots, end: None }
    }

    /// What came of asking a member; of one in maintenance, see [`Self::refused`]. Whoever has answered and is away when the picture is
    /// drawn is not in it, and is asked again like everybody else.
    pub fn note(
        &mut self,
        node: &Name,
        silence: Option<&Silence>,
        shortest: Duration,
        now: Timestamp,
    ) {
        let requirement = self.requirement;
        let Some(slot) = self.slots.get_mut(node) else { return };
        slot.tries = slot.tries.saturating_add(1);
        let reached = !matches!(silence, Some(Silence::Unreachable(_) | Silence::Late));
        slot.failures = if reached { 0 } else { slot.failures.saturating_add(1) };
        if reached {
            slot.last_contact = Some(now);
        }
        slot.answered = silence.is_none();
        slot.reason = silence.map_or_else(String::new, |silence| silence.reason().to_owned());
        let pause = match silence {
            // Seconds at first, minutes then: it may come back at any time.
            Some(Silence::Unreachable(_) | Silence::Late) => backed_off(shortest, slot.failures),
            // People decide.
            Some(Silence::Pending) | None => COLLECT_PENDING_PAUSE.max(shortest),
            Some(Silence::Declined(_) | Silence::Rejected(_)) => COLLECT_PAUSE_MAX.max(shortest),
        };
        slot.next = now.plus_s(jittered(pause, requirement, node, slot.tries));
    }

    /// A member that was asked is in maintenance until then, and was heard last at that other moment. It waits, and never for less than
    /// one that cannot be reached: an end that is always near makes nobody ask without a pause.
    pub fn refused(
        &mut self,
        node: &Name,
        (until, heard): (Timestamp, Option<Timestamp>),
        shortest: Duration,
        now: Timestamp,
    ) {
        let requirement = self.requirement;
        let Some(slot) = self.slots.get_mut(node) else { return };
        slot.tries = slot.tries.saturating_add(1);
        slot.failures = slot.failures.saturating_add(1);
        slot.last_contact = heard.or(slot.last_contact);
        let pause = backed_off(shortest, slot.failures);
        let rested = now.plus_s(jittered(pause, requirement, node, slot.tries));
        self.wait(node, until, shortest);
        if let Some(slot) = self.slots.get_mut(node) {
            slot.next = slot.next.max(rested);
        }
    }

    /// A member is known to be in maintenance until then: it is not asked before, and not all who were so at once.
    pub fn wait(&mut self, node: &Name, until: Timestamp, shortest: Duration) {
        let requirement = self.requirement;
        let Some(slot) = self.slots.get_mut(node) else { return };
        slot.answered = false;
        slot.reason = Reason::Maintenance.code().to_owned();
        slot.next = until.plus_s(jittered(shortest, requirement, node, slot.tries));
    }

    /// What is to be done now.
    pub fn next(&self, requirement: &Requirement, now: Timestamp) -> Next {
        let last = last_round(requirement);
        if self.slots.values().all(|slot| slot.answered) || now >= last {
            return Next::Draw { last: now >= last };
        }
        let waiting = || self.slots.iter().filter(|(_, slot)| !slot.answered);
        let due: Vec<_> =
            waiting().filter(|(_, slot)| slot.next <= now).map(|(node, _)| node.clone()).collect();
        if !due.is_empty() {
            return Next::Ask(due);
        }
        let soonest = waiting().map(|(_, slot)| slot.next).min();
        Next::Rest(soonest.unwrap_or(last).min(last))
    }

    /// How it ends once the last round is over, by the members that the last picture rests on, and by how many jurisdictions it
    /// wants behind a figure.
    pub fn ends(
        &self,
        requirement: &Requirement,
        cancelled: bool,
        (shown, minimum): &(BTreeSet<Name>, u32),
    ) -> End {
        if cancelled {
            return End::Cancelled;
        }
        if self.slots.keys().all(|node| shown.contains(node)) {
            return End::Complete;
        }
        let shown = self.slots.iter().filter(|(node, _)| shown.contains(*node));
        let of: BTreeSet<_> = shown.map(|(_, slot)| slot.jurisdiction).collect();
        if of.len() as u64 >= u64::from(requirement.minimum_contributors.max(*minimum)) {
            End::Partial
        } else {
            End::Insufficient
        }
    }
}

/// When the last round begins: so long before the window closes that everybody can still be asked.
fn last_round(requirement: &Requirement) -> Timestamp {
    let window = requirement.closes_at.as_s() - requirement.opens_at.as_s();
    let margin = i64::try_from(COLLECT_LAST.as_secs()).unwrap_or(i64::MAX).min(window / 4);
    requirement.closes_at.plus_s(-margin)
}

/// How long nobody asks after so many failures in a row: it doubles, up to a bound.
fn backed_off(shortest: Duration, failures: u32) -> Duration {
    let doubled = shortest.saturating_mul(1 << failures.saturating_sub(1).min(16));
    doubled.min(COLLECT_PAUSE_MAX)
}

/// In seconds, between three and five quarters of a pause, and at least one.
fn jittered(pause: Duration, requirement: RequirementId, node: &Name, tries: u32) -> i64 {
    let of = [&requirement.as_bytes()[..], node.as_str().as_bytes(), &tries.to_be_bytes()];
    let [first, second, ..] = Digest::of_parts(of).0;
    let share = u64::from(u16::from_be_bytes([first, second]));
    let milli = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX / 4);
    let jittered = milli / 4 * 3 + (milli / 2).saturating_mul(share) / u64::from(u16::MAX);
    i64::try_from(jittered / 1_000).unwrap_or(i64::MAX).max(1)
}

#[cfg(test)]
mod tests;
