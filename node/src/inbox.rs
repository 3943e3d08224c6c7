//! The inbox: where a requirement stands at home. Comes in: what was asked, and what people decided. Goes out: a state with its
//! deadline, and whether something may leave. Must never let one person do the work of two, nor widen what was decided before.
//!
//! ```text
//! received ──(consent answers by itself)─────────────────────────────► answered
//!    │                          gate one            gate two
//!    └─► awaiting ─► deferred ─► accepted ─► proposed ─► released      by another person, the very same bytes
//!            └────────────┴──────────┴──────────┴─► declined, withdrawn, expired
//! ```
//!
//! Pure. What was done is the truth, the state is computed from it and from the clock: nothing has to wake up for a state to
//! end, and nothing can hang, since every state that is not final ends with the collection window at the latest.

use accord_proto::{
    clock::Timestamp,
    id::RequirementId,
    identity::{Identity, Name, Role},
    journal::Class,
    limits::INBOX_EVENTS_MAX,
    question::SignedRequirement,
    reason::{Invalid, Reason},
    seal::Digest,
    taxonomy::{AudienceCode, PurposeCode},
};

mod extent;
mod glass;
mod state;

pub use extent::Extent;
pub use glass::{Glass, open_for};
pub use state::{Decline, DeclineCode, State, Step};

use crate::consent::{Consented, Release};

/// How a node releases, as its configuration says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Nothing leaves before two people have looked at it.
    pub by_hand: bool,
}

/// Does a person have to decide, or does consent answer by itself? The stricter of the node's rules and its grants.
pub fn needs_person(consented: &Consented, rules: Rules) -> bool {
    rules.by_hand || consented.release() == Release::ByHand
}

/// Who asked what, as far as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Its id.
    pub id: RequirementId,
    /// SHA-256 of its signed bytes.
    pub digest: Digest,
    /// Who asks.
    pub authority: Name,
    /// What for.
    pub purpose: PurposeCode,
    /// Who will see the result.
    pub audience: AudienceCode,
    /// End of the collection window, exclusive.
    pub closes_at: Timestamp,
}

impl From<&SignedRequirement> for Asked {
    fn from(signed: &SignedRequirement) -> Self {
        let asked = signed.requirement();
        Self {
            id: asked.id,
            digest: signed.digest(),
            authority: asked.authority.clone(),
            purpose: asked.purpose,
            audience: asked.audience,
            closes_at: asked.closes_at,
        }
    }
}

/// Who did what, when and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// Who: the identity of a certificate.
    pub by: Identity,
    /// What.
    pub step: Step,
    /// Why; stays at home.
    pub why: String,
    /// One person did the work of two, under break-glass.
    pub single_handed: bool,
}

/// What may be said to whoever asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The table that consent allows, narrowed by what people decided.
    Answer(Extent),
    /// People have not decided yet.
    Wait,
    /// They declined, and want that known.
    Declined,
}

/// A requirement in the inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    asked: Asked,
    received_at: Timestamp,
    events: Vec<Event>,
}

impl Item {
    /// Takes a requirement in.
    pub fn receive(asked: Asked, now: Timestamp) -> Self {
        Self { asked, received_at: now, events: Vec::new() }
    }

    /// Replays what was stored; what could not have happened is a damaged store.
    pub fn replay(
        asked: Asked,
        received_at: Timestamp,
        events: Vec<Event>,
    ) -> Result<Self, Invalid> {
        let mut item = Self::receive(asked, received_at);
        for event in events {
            if !item.state(event.at).allows(event.step.name()) {
                let detail = "damaged: what was done with a requirement could not have happened";
                return Err(Invalid::new(Reason::StoreFailed, "store.inbox", detail));
            }
            item.events.push(event);
        }
        Ok(item)
    }

    /// Who asked what.
    pub fn asked(&self) -> &Asked {
        &self.asked
    }

    /// When it came.
    pub fn received_at(&self) -> Timestamp {
        self.received_at
    }

    /// Everything that was done, oldest first.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Where it stands.
    pub fn state(&self, now: Timestamp) -> State {
        let state = match self.events.last().map(|event| &event.step) {
            None => State::Received,
            Some(Step::Await) => State::Awaiting,
            Some(Step::Answer) => State::Answered,
            Some(Step::Accept(_)) => State::Accepted,
            Some(Step::Defer(until)) if now < *until => State::Deferred(*until),
            Some(Step::Defer(_)) => State::Awaiting,
            Some(Step::Propose(digest)) => State::Proposed(*digest),
            Some(Step::Release(digest)) => State::Released(*digest),
            Some(Step::Decline(Decline { tell, .. })) => State::Declined { told: *tell },
            Some(Step::Withdraw) => State::Withdrawn,
        };
        if !state.is_final() && now >= self.asked.closes_at { State::Expired } else { state }
    }

    /// When its state ends by itself; none: it is final.
    pub fn deadline(&self, now: Timestamp) -> Option<Timestamp> {
        let (state, closes_at) = (self.state(now), self.asked.closes_at);
        let until = if let State::Deferred(until) = state { until } else { closes_at };
        (!state.is_final()).then_some(until.min(closes_at))
    }

    /// Everything that was left out so far: a decision narrows those before it, and none widens them.
    pub fn terms(&self) -> Extent {
        let accepted = self.events.iter().filter_map(|event| match &event.step {
            Step::Accept(terms) => Some(terms),
            Step::Await
            | Step::Answer
            | Step::Defer(_)
            | Step::Propose(_)
            | Step::Release(_)
            | Step::Decline(_)
            | Step::Withdraw => None,
        });
        accepted.fold(Extent::whole(), |all, terms| all.and(terms))
    }

    /// Seconds from its coming to the answer or the refusal; none: not yet.
    pub fn latency_s(&self) -> Option<i64> {
        let last = self.events.last().filter(|event| event.step.decides())?;
        Some(last.at.as_s().saturating_sub(self.received_at.as_s()))
    }

    /// Did one person both decide and release?
    pub fn single_handed(&self) -> bool {
        self.events.iter().any(|event| event.single_handed)
    }

    /// How closely the journal's readers are to look at it.
    pub fn class(&self) -> Class {
        if self.single_handed() { Class::BreakGlass } else { Class::Ordinary }
    }

    /// What may be said, now that somebody asks.
    pub fn verdict(&self, now: Timestamp) -> Result<Verdict, Invalid> {
        match self.state(now) {
            State::Answered | State::Released(_) => Ok(Verdict::Answer(self.terms())),
            // The same shape, size and status as without any consent.
            State::Declined { told: false } => Ok(Verdict::Answer(Extent::nothing())),
            State::Declined { told: true } => Ok(Verdict::Declined),
            State::Received
            | State::Awaiting
            | State::Deferred(_)
            | State::Accepted
            | State::Proposed(_) => Ok(Verdict::Wait),
            State::Expired | State::Withdrawn => {
                let detail = "the requirement was taken back, or its window is over";
                Err(Invalid::new(Reason::RequirementClosed, "requirement", detail))
            }
        }
    }

    /// One more step, or why that may not be. `glass`: rights to act alone that were ever taken.
    pub fn step(&mut self, mut event: Event, glass: &[Glass]) -> Result<(), Invalid> {
        let (state, name) = (self.state(event.at), event.step.name());
        event.step.check_role(event.by.role)?;
        if self.events.len() >= INBOX_EVENTS_MAX && !event.step.ends() {
            let detail =
                format!("{INBOX_EVENTS_MAX} steps were taken; release, decline or leave it");
            return Err(Invalid::new(Reason::LimitExceeded, "requirement", detail));
        }
        if !state.allows(name) {
            let detail = format!("is {state}; {name} cannot follow");
            return Err(Invalid::new(Reason::InboxState, "state", detail));
        }
        match (&event.step, state) {
            (Step::Defer(until), _) if *until <= event.at || *until >= self.asked.closes_at => {
                let closes = self.asked.closes_at;
                let detail = format!("must lie ahead, and before the window closes at {closes}");
                return Err(Invalid::new(Reason::FieldInvalid, "until_s", detail));
            }
            (Step::Release(digest), State::Proposed(proposed)) => {
                if *digest != proposed {
                    let detail = "is not the digest that was proposed; preview and propose again";
                    return Err(Invalid::new(Reason::ReleaseChanged, "digest", detail));
                }
                event.single_handed = self.alone(&event.by);
                if event.single_handed && !open_for(&event.by, event.at, glass) {
                    let name = &event.by.name;
                    let detail = format!("{name} decided or proposed it; another must release it");
                    return Err(Invalid::new(Reason::FourEyes, "certificate", detail));
                }
            }
            _ => {}
        }
        self.events.push(event);
        Ok(())
    }

    /// Did whoever releases take part in gate one? A person may hold several certificates: what counts is the name.
    fn alone(&self, releaser: &Identity) -> bool {
        let mut gate_one = self.events.iter().filter(|event| event.step.is_gate_one());
        gate_one.any(|event| event.by.name == releaser.name)
    }
}

/// Who may decide, propose and read.
pub const DECIDERS: &[Role] = &[Role::Analyst, Role::Releaser];

#[cfg(test)]
mod tests;
