//! States of a requirement and steps between them. Comes in: a state and a step's name. Goes out: whether it may follow. THE TABLE
//! stands here.

use std::fmt;

use accord_proto::{
    clock::Timestamp,
    identity::Role,
    reason::{Invalid, Reason, quoted},
    seal::Digest,
};

use super::{DECIDERS, Extent};

/// Where a requirement stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Taken in; consent has not been asked yet.
    Received,
    /// A person has to decide.
    Awaiting,
    /// Until then nobody decides; then it is awaiting again.
    Deferred(Timestamp),
    /// Gate one: it may be previewed and proposed.
    Accepted,
    /// A person wants exactly these bytes to leave.
    Proposed(Digest),
    /// Gate two: another person let them.
    Released(Digest),
    /// Consent answered by itself.
    Answered,
    /// Nothing leaves.
    Declined {
        /// Whoever asked may know.
        told: bool,
    },
    /// The collection window is over, and nobody has decided.
    Expired,
    /// Whoever asked has taken it back.
    Withdrawn,
}

impl State {
    /// One word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Awaiting => "awaiting",
            Self::Deferred(_) => "deferred",
            Self::Accepted => "accepted",
            Self::Proposed(_) => "proposed",
            Self::Released(_) => "released",
            Self::Answered => "answered",
            Self::Declined { .. } => "declined",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Why it stands there, in a sentence for the node's own staff.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Received => "just received; it is decided when it is asked again",
            Self::Awaiting => "a person has to decide",
            Self::Deferred(_) => "put off",
            Self::Accepted => "accepted; preview it, and propose what is to leave",
            Self::Proposed(_) => "proposed; another person has to release it",
            Self::Released(_) => "two people let it go, or one under break-glass",
            Self::Answered => "consent answers by itself",
            Self::Declined { told: true } => "declined, and told so",
            Self::Declined { told: false } => "declined; outside it looks like no consent",
            Self::Expired => "the window was over before anybody decided",
            Self::Withdrawn => "taken back by whoever asked",
        }
    }

    /// Which bytes were proposed or released.
    pub fn digest(self) -> Option<Digest> {
        match self {
            Self::Proposed(digest) | Self::Released(digest) => Some(digest),
            Self::Received
            | Self::Awaiting
            | Self::Deferred(_)
            | Self::Accepted
            | Self::Answered
            | Self::Declined { .. }
            | Self::Expired
            | Self::Withdrawn => None,
        }
    }

    /// Nothing happens to it any more.
    pub fn is_final(self) -> bool {
        match self {
            Self::Received
            | Self::Awaiting
            | Self::Deferred(_)
            | Self::Accepted
            | Self::Proposed(_) => false,
            Self::Released(_)
            | Self::Answered
            | Self::Declined { .. }
            | Self::Expired
            | Self::Withdrawn => true,
        }
    }

    /// THE TABLE: may this step follow?
    pub(super) fn allows(self, step: &str) -> bool {
        let steps: &[&str] = match self {
            Self::Received => &["wait", "answer", "accept", "defer", "decline", "withdraw"],
            Self::Awaiting | Self::Deferred(_) => &["accept", "defer", "decline", "withdraw"],
            Self::Accepted => &["accept", "propose", "defer", "decline", "withdraw"],
            Self::Proposed(_) => &["accept", "propose", "release", "defer", "decline", "withdraw"],
            Self::Released(_)
            | Self::Answered
            | Self::Declined { .. }
            | Self::Expired
            | Self::Withdrawn => &[],
        };
        steps.contains(&step)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What is done with a requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Consent does not answer by itself.
    Await,
    /// It does.
    Answer,
    /// Gate one: yes, as far as these terms go.
    Accept(Extent),
    /// Not before then.
    Defer(Timestamp),
    /// No.
    Decline(Decline),
    /// Exactly the table with this digest.
    Propose(Digest),
    /// Gate two, for the same digest.
    Release(Digest),
    /// Whoever asked has taken it back.
    Withdraw,
}

impl Step {
    /// One word.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Await => "wait",
            Self::Answer => "answer",
            Self::Accept(_) => "accept",
            Self::Defer(_) => "defer",
            Self::Decline(_) => "decline",
            Self::Propose(_) => "propose",
            Self::Release(_) => "release",
            Self::Withdraw => "withdraw",
        }
    }

    /// Does whoever does this count as one of the two?
    pub(super) fn is_gate_one(&self) -> bool {
        matches!(self, Self::Accept(_) | Self::Propose(_))
    }

    /// Does nothing follow it?
    pub(super) fn ends(&self) -> bool {
        self.decides() || *self == Self::Withdraw
    }

    /// Does it end the wait of whoever asked?
    pub(super) fn decides(&self) -> bool {
        matches!(self, Self::Answer | Self::Release(_) | Self::Decline(_))
    }

    /// What leaves, and what is refused, is a releaser's word. Nobody's: the step follows from being asked.
    pub(super) fn check_role(&self, role: Role) -> Result<(), Invalid> {
        let roles = match self {
            Self::Await | Self::Answer => return Ok(()),
            Self::Accept(_) | Self::Defer(_) | Self::Propose(_) => DECIDERS,
            // It ends like a refusal; the coordinator hands in what the authority itself has signed.
            Self::Withdraw => &[Role::Releaser, Role::Coordinator],
            Self::Decline(_) | Self::Release(_) => &[Role::Releaser],
        };
        if roles.contains(&role) {
            return Ok(());
        }
        let wanted: Vec<_> = roles.iter().map(|role| role.one()).collect();
        let detail = format!("to {} takes {}", self.name(), wanted.join(" or "));
        Err(Invalid::new(Reason::CertificateRole, "certificate", detail))
    }
}

/// A refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decline {
    /// Why; stays at home.
    pub code: Option<DeclineCode>,
    /// May whoever asked know? If not, it looks like no consent.
    pub tell: bool,
}

/// Why a requirement is declined, for the node's own statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeclineCode {
    /// The law does not allow it, or another than the one named.
    LegalBasis,
    /// The purpose does not fit the question.
    Purpose,
    /// A running operation or a source would be at risk.
    Operation,
    /// What is held is not good enough to be relied on.
    Quality,
    /// Nobody has time for it within the window.
    Capacity,
    /// Something else; `why` says it.
    Other,
}

impl DeclineCode {
    /// Every code with its name.
    pub const NAMES: [(Self, &'static str); 6] = [
        (Self::LegalBasis, "LEGAL-BASIS"),
        (Self::Purpose, "PURPOSE"),
        (Self::Operation, "OPERATION"),
        (Self::Quality, "QUALITY"),
        (Self::Capacity, "CAPACITY"),
        (Self::Other, "OTHER"),
    ];

    /// Reads its name.
    pub fn parse(field: &str, text: &str) -> Result<Self, Invalid> {
        let named = Self::NAMES.into_iter().find(|(_, name)| *name == text);
        named.map(|(code, _)| code).ok_or_else(|| {
            let names = Self::NAMES.map(|(_, name)| name).join(", ");
            let detail = format!("{} is not one of {names}", quoted(text));
            Invalid::new(Reason::CodeUnknown, field, detail)
        })
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        let named = Self::NAMES.into_iter().find(|(code, _)| *code == self);
        named.map_or("", |(_, name)| name)
    }
}
