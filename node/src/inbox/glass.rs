//! Break-glass: for a few hours one releaser may do the work of two. Comes in: who took it, when, why. Goes out: whether it still
//! holds. It ends by the clock: nobody has to remember to give it back.

use accord_proto::{clock::Timestamp, identity::Identity, limits::BREAK_GLASS_S};

/// A right that somebody took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glass {
    /// Who.
    pub by: Identity,
    /// When.
    pub at: Timestamp,
    /// Why; stays at home.
    pub why: String,
}

impl Glass {
    /// When it ends.
    pub fn until(&self) -> Timestamp {
        self.at.plus_s(BREAK_GLASS_S)
    }

    /// Does it hold? A clock that was set back gives nothing.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.at <= now && now < self.until()
    }
}

/// May this person act alone?
pub fn open_for(by: &Identity, now: Timestamp, glass: &[Glass]) -> bool {
    glass.iter().any(|glass| glass.by.name == by.name && glass.is_open(now))
}
