//! Which protocol a peer speaks. Comes in: what it says of itself. Goes out: its version, or a refusal that names what both sides
//! speak. Must never refuse a newer peer: that one knows the words of the version before, and uses no others.
//!
//! ```text
//! this side reads OLDEST ..= SPOKEN      a peer of SPOKEN - 1: is told nothing that it could not read
//!                                        a peer of SPOKEN + 1: tells nothing that could not be read here
//! ```

use crate::reason::{Invalid, Reason, quoted};

/// The newest version that this software speaks.
pub const SPOKEN: u32 = 2;
/// The oldest one that it still reads.
pub const OLDEST: u32 = 1;
/// What a peer speaks that says nothing: software before versions were said.
pub const UNSAID: u32 = 1;
/// With it came: the time beside a message, `GetStatusResponse.endings` and `.coordinators`, `ListMembersResponse.endings`,
/// `MemberEntry.protocol` and `.clock_offset_ms`. Nobody who speaks less is told them.
pub const V2: u32 = 2;

/// Metadata of every call and every answer: the newest version that the sender speaks.
pub const HEADER: &str = "accord-protocol";
/// Metadata: the sender's clock, in milliseconds since 1970.
pub const TIME_HEADER: &str = "accord-time-ms";
/// Metadata of a call: until when its sender is in maintenance, in seconds since 1970; not there: it is not.
pub const MAINTENANCE_HEADER: &str = "accord-maintenance-until-s";

/// The versions that a party speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speaks {
    /// The oldest.
    pub oldest: u32,
    /// The newest.
    pub newest: u32,
}

impl Speaks {
    /// This software.
    pub const OURS: Self = Self { oldest: OLDEST, newest: SPOKEN };

    /// What this party says of itself; nothing, where silence says the same.
    pub fn says(self) -> Option<u32> {
        (self.newest != UNSAID).then_some(self.newest)
    }

    /// Which version a peer speaks, by what it says of itself.
    pub fn hear(self, peer: Side, said: Option<&[u8]>) -> Result<u32, Invalid> {
        let Self { oldest, newest } = self;
        let (this, other) = (peer.other().name(), peer.name());
        let refused = |detail| Err(Invalid::new(Reason::ProtocolUnsupported, HEADER, detail));
        let Some(version) = said.map_or(Some(UNSAID), version) else {
            let said = quoted(&String::from_utf8_lossy(said.unwrap_or_default()));
            return refused(format!(
                "the {other} says {said}, which is no version; the {this} speaks {oldest} to {newest}"
            ));
        };
        if version < oldest {
            return refused(format!(
                "the {other} speaks {version}, the {this} {oldest} to {newest}: the {other} must be upgraded"
            ));
        }
        Ok(version)
    }
}

/// The sides of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Who calls.
    Caller,
    /// Who answers.
    Server,
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::Caller => Self::Server,
            Self::Server => Self::Caller,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Server => "server",
        }
    }
}

/// One spelling each: digits, no sign, no zero before them.
fn version(said: &[u8]) -> Option<u32> {
    let number: u32 = std::str::from_utf8(said).ok()?.parse().ok()?;
    (number > 0 && number.to_string().as_bytes() == said).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_version_and_the_one_before_are_spoken() {
        assert_eq!(OLDEST, SPOKEN - 1, "N and N-1, no more");
    }

    #[test]
    fn a_peer_is_taken_at_its_word_and_refused_only_if_it_is_too_old_or_cannot_be_read() {
        let ours = Speaks { oldest: 2, newest: 3 };
        let hear = |said: &str| ours.hear(Side::Caller, Some(said.as_bytes()));
        for (said, version) in [("2", 2), ("3", 3), ("4", 4), ("4294967295", u32::MAX)] {
            assert_eq!(hear(said), Ok(version));
        }
        let unreadable = ["", "0", "02", "+2", "-2", "2.0", " 2", "2 ", "two", "4294967296", "2,3"];
        for said in unreadable {
            let refused = hear(said).unwrap_err();
            assert_eq!(
                (refused.reason, refused.field.as_str()),
                (Reason::ProtocolUnsupported, HEADER)
            );
            assert!(refused.detail.contains("the server speaks 2 to 3"), "{refused}");
        }
        ours.hear(Side::Server, Some(&[0xff, 0xfe])).unwrap_err();
        let silent = ours.hear(Side::Server, None).unwrap_err();
        let wanted = "the server speaks 1, the caller 2 to 3: the server must be upgraded";
        assert_eq!(silent.detail, wanted);
        assert_eq!(Speaks { oldest: 1, newest: 3 }.hear(Side::Server, None), Ok(UNSAID));
    }

    #[test]
    fn whoever_speaks_what_silence_means_says_nothing() {
        assert_eq!(Speaks { oldest: 1, newest: 1 }.says(), None);
        assert_eq!(Speaks::OURS.says(), Some(SPOKEN));
    }
}
