//! The life of a version: draft → evaluated → validated → in an edition → superseded, withdrawn or expired.
//! Comes in: what was done so far, and what somebody wants to do. Goes out: the state after it, or a refusal.
//!
//! The history is the truth, the state is computed from it: read back, it is replayed, and what could not
//! have happened is a damaged store. Nobody checks what that person wrote.

use std::fmt;

use accord_proto::{
    clock::Timestamp,
    identity::{Identity, Role},
    reason::{Invalid, Reason, quoted},
};

/// Where a version stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Written, checked by nobody.
    Draft,
    /// Sources and information were evaluated by a second person.
    Evaluated,
    /// Released for use within the node's rules.
    Validated,
    /// Validated, and part of an edition.
    InEdition,
    /// A later version took its place.
    Superseded,
    /// Taken back.
    Withdrawn,
    /// Nobody looked at it again in time, or it may not be kept any longer.
    Expired,
}

impl State {
    const NAMES: [(Self, &'static str); 7] = [
        (Self::Draft, "draft"),
        (Self::Evaluated, "evaluated"),
        (Self::Validated, "validated"),
        (Self::InEdition, "in_edition"),
        (Self::Superseded, "superseded"),
        (Self::Withdrawn, "withdrawn"),
        (Self::Expired, "expired"),
    ];

    /// Reads its name.
    pub fn parse(field: &str, text: &str) -> Result<Self, Invalid> {
        let named = Self::NAMES.into_iter().find(|(_, name)| *name == text);
        named.map(|(state, _)| state).ok_or_else(|| {
            let names = Self::NAMES.map(|(_, name)| name).join(", ");
            Invalid::new(
                Reason::CodeUnknown,
                field,
                format!("{} is not one of {names}", quoted(text)),
            )
        })
    }

    /// Is this what the node says at present?
    pub fn in_force(self) -> bool {
        matches!(self, Self::Validated | Self::InEdition)
    }

    /// Nothing happens to it any more.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Superseded | Self::Withdrawn)
    }

    /// THE TABLE: the state after a step; none where that step cannot be taken.
    fn after(self, step: Step) -> Option<Self> {
        match (self, step) {
            (Self::Draft, Step::Evaluate) => Some(Self::Evaluated),
            (Self::Evaluated, Step::Validate) => Some(Self::Validated),
            (Self::Validated | Self::InEdition, Step::Include) => Some(Self::InEdition),
            (
                Self::Draft | Self::Evaluated | Self::Validated | Self::InEdition | Self::Expired,
                Step::Supersede,
            ) => Some(Self::Superseded),
            (
                Self::Draft | Self::Evaluated | Self::Validated | Self::InEdition | Self::Expired,
                Step::Withdraw,
            ) => Some(Self::Withdrawn),
            (
                _,
                Step::Write
                | Step::Evaluate
                | Step::Validate
                | Step::Include
                | Step::Supersede
                | Step::Withdraw,
            ) => None,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Self::NAMES.into_iter().find(|(state, _)| state == self);
        f.pad(named.map_or("", |(_, name)| name))
    }
}

/// What can be done to a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It was written; the first step, and only the first.
    Write,
    /// Sources and information were evaluated.
    Evaluate,
    /// It was found fit for use.
    Validate,
    /// A period's edition took it in.
    Include,
    /// A later version took its place.
    Supersede,
    /// It was taken back.
    Withdraw,
}

impl Step {
    const NAMES: [(Self, &'static str, &'static [Role]); 6] = [
        (Self::Write, "write", &[Role::Analyst]),
        (Self::Evaluate, "evaluate", &[Role::Analyst, Role::Releaser]),
        (Self::Validate, "validate", &[Role::Releaser]),
        (Self::Include, "include", &[Role::Releaser]),
        // Follows from writing or validating the next version.
        (Self::Supersede, "supersede", &[Role::Analyst, Role::Releaser]),
        (Self::Withdraw, "withdraw", &[Role::Analyst, Role::Releaser]),
    ];

    /// Reads its name.
    pub fn parse(field: &str, text: &str) -> Result<Self, Invalid> {
        let named = Self::NAMES.into_iter().find(|(_, name, _)| *name == text);
        named
            .map(|(step, _, _)| step)
            .ok_or_else(|| Invalid::new(Reason::CodeUnknown, field, "is not a step"))
    }

    /// Who may take it at all.
    fn roles(self) -> &'static [Role] {
        Self::NAMES
            .into_iter()
            .find(|(step, _, _)| *step == self)
            .map_or(&[], |(_, _, roles)| roles)
    }

    /// Does it check what somebody else wrote?
    fn is_a_check(self) -> bool {
        matches!(self, Self::Evaluate | Self::Validate)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Self::NAMES.into_iter().find(|(step, _, _)| step == self);
        f.pad(named.map_or("", |(_, name, _)| name))
    }
}

/// Who did what, when and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// Who: the identity of a certificate.
    pub by: Identity,
    /// What.
    pub step: Step,
    /// Why.
    pub why: String,
}

/// Everything that was done to a version, oldest first; never empty.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    written: Event,
    since: Vec<Event>,
    state: State,
}

impl History {
    /// Somebody writes.
    pub fn begin(written: Event) -> Result<Self, Invalid> {
        if written.step != Step::Write {
            return Err(damaged());
        }
        check_role(&written)?;
        Ok(Self { written, since: Vec::new(), state: State::Draft })
    }

    /// Replays what was stored.
    pub fn replay(events: Vec<Event>) -> Result<Self, Invalid> {
        let mut events = events.into_iter();
        let mut history = Self::begin(events.next().ok_or_else(damaged)?)?;
        for event in events {
            let state = history.state.after(event.step).ok_or_else(damaged)?;
            history = history.and(event, state);
        }
        Ok(history)
    }

    /// The same with one more step, or why that may not be. `expires_at` is the version's own.
    pub fn step(&self, event: Event, expires_at: Timestamp) -> Result<Self, Invalid> {
        check_role(&event)?;
        let (step, now) = (event.step, self.state(expires_at, event.at));
        let state = now.after(step).ok_or_else(|| {
            Invalid::new(Reason::SummaryState, "state", format!("is {now}; {step} cannot follow"))
        })?;
        // A person may hold several certificates: what counts is the name, whatever the role.
        if step.is_a_check() && event.by.name == self.author().name {
            let detail = format!("{} wrote it; another person must {step} it", event.by.name);
            return Err(Invalid::new(Reason::FourEyes, "certificate", detail));
        }
        let relied_on = self.state.in_force();
        if step == Step::Withdraw && relied_on && event.by.role != Role::Releaser {
            let detail = "it was validated: taking it back takes a releaser";
            return Err(Invalid::new(Reason::CertificateRole, "certificate", detail));
        }
        Ok(self.clone().and(event, state))
    }

    fn and(mut self, event: Event, state: State) -> Self {
        self.since.push(event);
        Self { state, ..self }
    }

    /// Where the version stands now.
    pub fn state(&self, expires_at: Timestamp, now: Timestamp) -> State {
        if !self.state.is_final() && now >= expires_at { State::Expired } else { self.state }
    }

    /// Who wrote it.
    pub fn author(&self) -> &Identity {
        &self.written.by
    }

    /// When it was written.
    pub fn written_at(&self) -> Timestamp {
        self.written.at
    }

    /// Oldest first.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        std::iter::once(&self.written).chain(&self.since)
    }

    /// Has this person done this as the last thing?
    pub fn ends_with(&self, step: Step, by: &Identity) -> bool {
        self.since.last().is_some_and(|event| event.step == step && event.by == *by)
    }
}

fn check_role(event: &Event) -> Result<(), Invalid> {
    if event.step.roles().contains(&event.by.role) {
        return Ok(());
    }
    let roles: Vec<_> = event.step.roles().iter().map(ToString::to_string).collect();
    let detail = format!(
        "a {} may not {} a summary; this takes a {}",
        event.by.role,
        event.step,
        roles.join(" or ")
    );
    Err(Invalid::new(Reason::CertificateRole, "certificate", detail))
}

fn damaged() -> Invalid {
    Invalid::new(Reason::StoreFailed, "store.summary", "its history could not have happened")
}

#[cfg(test)]
mod tests;
