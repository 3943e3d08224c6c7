//! Where a requirement stands. Comes in: what its authority has signed, whether it was cancelled, the time. Goes out: one state
//! with the moment at which it ends and the reason. Nothing hangs: every state but the last ends by itself.

use accord_proto::{clock::Timestamp, question::Requirement};

/// Where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its window has not opened.
    Upcoming,
    /// Members are asked.
    Open,
    /// The window is over; what was answered may be relied on.
    Closed,
    /// What was answered may not be relied on any more.
    Expired,
    /// Its authority has taken it back.
    Cancelled,
}

impl State {
    /// One word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Upcoming => "upcoming",
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }

    /// Why it stands there, for people.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Upcoming => "the window has not opened yet",
            Self::Open => "members may answer",
            Self::Closed => "the window is over; answers may be relied on",
            Self::Expired => "answers may not be relied on any more",
            Self::Cancelled => "its authority has cancelled it; answers that were given stand",
        }
    }
}

/// Where a requirement stands now, and until when.
pub fn state(
    requirement: &Requirement,
    cancelled: bool,
    now: Timestamp,
) -> (State, Option<Timestamp>) {
    let Requirement { opens_at, closes_at, valid_until, .. } = *requirement;
    if now >= valid_until && now >= closes_at {
        (State::Expired, None)
    } else if cancelled {
        (State::Cancelled, Some(valid_until))
    } else if now >= closes_at {
        (State::Closed, Some(valid_until))
    } else if now >= opens_at {
        (State::Open, Some(closes_at))
    } else {
        (State::Upcoming, Some(opens_at))
    }
}
