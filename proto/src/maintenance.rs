//! Maintenance that a service announces: for a while it refuses others, the same for whatever they ask. Comes in: who announces it, until when, why;
//! or what a peer says. Goes out: whether it is on, and the one refusal that others get. Must never last longer than
//! its bound, whatever the clock or a peer says, nor tell others more than until when.
//!
//! It ends by the clock: nobody has to remember to give it back.

use crate::{
    clock::Timestamp,
    identity::Identity,
    limits::{CLOCK_SKEW_S, MAINTENANCE_S_MAX, MAINTENANCE_WHY_CHARS_MAX},
    reason::{Invalid, Reason},
};

/// The field that a refusal names.
const FIELD: &str = "maintenance.until";
/// What stands behind the moment in a refusal, so that a person knows what to do.
const ADVICE: &str = ": nothing is answered before; ask again then";

/// What was announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maintenance {
    /// Who did; stays at home.
    pub by: Identity,
    /// When.
    pub at: Timestamp,
    /// When it ends by itself.
    pub until: Timestamp,
    /// Why; stays at home, may be empty.
    pub why: String,
}

impl Maintenance {
    /// Announced now. An end that is past or too far away, and a reason that is too long, are refused.
    pub fn new(
        by: Identity,
        at: Timestamp,
        until: Timestamp,
        why: String,
    ) -> Result<Self, Invalid> {
        if until <= at {
            let detail = format!("{until} is past: say when it will be over");
            return Err(Invalid::new(Reason::FieldInvalid, "until", detail));
        }
        let latest = at.plus_s(MAINTENANCE_S_MAX);
        if until > latest {
            let detail = format!("{until}, where {latest} is the latest; announce more then");
            return Err(Invalid::new(Reason::LimitExceeded, "until", detail));
        }
        let chars = why.chars().count();
        if chars > MAINTENANCE_WHY_CHARS_MAX {
            let detail = format!("{chars} characters where {MAINTENANCE_WHY_CHARS_MAX} fit");
            return Err(Invalid::new(Reason::LimitExceeded, "why", detail));
        }
        Ok(Self { by, at, until, why })
    }

    /// Is it on?
    pub fn is_on(&self, now: Timestamp) -> bool {
        lasts(self.until, now)
    }
}

/// Is a maintenance on that ends then? One that lasts longer than any may is none: a clock was set back, or somebody lies.
pub fn lasts(until: Timestamp, now: Timestamp) -> bool {
    now < until && until <= now.plus_s(MAINTENANCE_S_MAX + CLOCK_SKEW_S)
}

/// What others are told, whatever they ask.
pub fn refusal(until: Timestamp) -> Invalid {
    Invalid::new(Reason::Maintenance, FIELD, format!("{until}{ADVICE}"))
}

/// Until when a refusal says that its sender is in maintenance; nothing, if it is another one or says no moment.
pub fn until_of(refused: &Invalid) -> Option<Timestamp> {
    let until = refused.detail.strip_suffix(ADVICE)?;
    let named = refused.reason == Reason::Maintenance && refused.field == FIELD;
    Timestamp::parse(FIELD, until).ok().filter(|_| named)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::parse("", "2026-12-01").unwrap().plus_s(seconds)
    }

    fn by() -> Identity {
        Identity::parse("spiffe://wb6.example/AL/staff/made-up/operator").unwrap()
    }

    #[test]
    fn it_is_on_from_its_begin_to_its_end_and_never_longer_than_its_bound() {
        let week = MAINTENANCE_S_MAX;
        let until = |seconds| Maintenance::new(by(), at(0), at(seconds), String::new());
        for (seconds, refused) in [
            (-1, Some(Reason::FieldInvalid)),
            (0, Some(Reason::FieldInvalid)),
            (1, None),
            (week, None),
            (week + 1, Some(Reason::LimitExceeded)),
        ] {
            assert_eq!(until(seconds).err().map(|error| error.reason), refused, "{seconds}");
        }
        let two_hours = until(7_200).unwrap();
        for (now, is_on) in [
            (0, true),
            (7_199, true),
            // It ends by itself.
            (7_200, false),
            (week, false),
            // A clock that is a little behind, and one that was set back.
            (-60, true),
            (-2 * week, false),
        ] {
            assert_eq!(two_hours.is_on(at(now)), is_on, "{now}");
        }
        let why = |chars| Maintenance::new(by(), at(0), at(1), "ж".repeat(chars)).is_ok();
        assert_eq!([200, 201].map(why), [true, false]);
    }

    #[test]
    fn a_refusal_tells_until_when_and_nothing_else() {
        let refused = refusal(at(7_200));
        assert_eq!(refused.reason, Reason::Maintenance);
        assert_eq!(until_of(&refused), Some(at(7_200)));
        assert_eq!(
            refused.to_string(),
            "MAINTENANCE: maintenance.until: 2026-12-01T02:00:00Z: nothing is answered before; ask again then"
        );
        let detail = refused.detail;
        for strange in [
            Invalid::new(Reason::StoreFailed, FIELD, &detail),
            Invalid::new(Reason::Maintenance, "call", &detail),
            Invalid::new(Reason::Maintenance, FIELD, "soon"),
            Invalid::new(Reason::Maintenance, FIELD, format!("soon{ADVICE}")),
            Invalid::new(Reason::Maintenance, FIELD, "2026-12-01"),
            Invalid::new(Reason::Maintenance, FIELD, ""),
        ] {
            assert_eq!(until_of(&strange), None, "{strange}");
        }
    }
}
