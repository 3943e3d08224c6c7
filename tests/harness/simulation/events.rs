//! What happened in a simulation, and when. Comes in: what hosts have done. Goes out: a trace that is the same for the same seed.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use accord_proto::wire::region;

use super::member::locked;

/// What the oracle judges by.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Event {
    /// A requirement was taken in: acknowledged, so never lost.
    Issued(usize),
    /// Somebody has gathered.
    Drawn {
        /// Which requirement.
        which: usize,
        /// When the gather began.
        begun: Duration,
        /// Of the picture.
        version: u32,
        /// What it says.
        picture: Box<region::Picture>,
    },
    /// A member has taken back consent to an indicator: acknowledged, so in force from now on.
    Withdrawn {
        /// Which member.
        member: usize,
        /// Which indicator.
        which: usize,
    },
    /// People at a member were reminded that a window ends soon, and that nobody has decided.
    Reminded {
        /// Which member.
        member: usize,
        /// Which requirement.
        which: usize,
    },
    /// The product stands so, and nothing more is due.
    Product(&'static str),
    /// Something that nothing is judged by.
    Noted(String),
}

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Happened {
    pub(super) at: Duration,
    pub(super) host: String,
    pub(super) event: Event,
}

impl fmt::Display for Happened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>7.2} s  {:<10} ", self.at.as_secs_f64(), self.host)?;
        match &self.event {
            Event::Issued(which) => write!(f, "requirement {which} is taken in"),
            Event::Drawn { which, version, picture, .. } => {
                write!(f, "picture {version} of requirement {which}:")?;
                picture.members.iter().try_for_each(|member| {
                    let reason = if member.reason.is_empty() { "answered" } else { &member.reason };
                    write!(f, " {}={reason}", member.jurisdiction)
                })
            }
            Event::Withdrawn { which, .. } => {
                write!(f, "consent to indicator {which} is taken back")
            }
            Event::Reminded { which, .. } => write!(f, "is reminded of requirement {which}"),
            Event::Product(state) => write!(f, "the product is {state}"),
            Event::Noted(note) => f.write_str(note),
        }
    }
}

/// The trace of one simulation.
#[derive(Clone, Debug, Default)]
pub(super) struct Events(Arc<Mutex<(Duration, Vec<Happened>)>>);

impl Events {
    /// Time goes on.
    pub(super) fn pass(&self, elapsed: Duration) {
        locked(&self.0).0 = elapsed;
    }

    /// Now.
    pub(super) fn now(&self) -> Duration {
        locked(&self.0).0
    }

    pub(super) fn push(&self, host: &str, event: Event) {
        let mut events = locked(&self.0);
        let at = events.0;
        events.1.push(Happened { at, host: host.to_owned(), event });
    }

    pub(super) fn note(&self, host: &str, note: String) {
        self.push(host, Event::Noted(note));
    }

    /// Everything so far.
    pub(super) fn all(&self) -> Vec<Happened> {
        locked(&self.0).1.clone()
    }
}
