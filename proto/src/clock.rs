//! Time and randomness as arguments. The only place that asks the system for either.

use std::fmt;

use crate::reason::{Invalid, Reason, quoted};

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 2000-01-01T00:00:00Z, the earliest that a document may say.
    pub const EARLIEST: Self = Self(Self::RANGE_S.start);

    /// Bounds of what a document may say: the years 2000 to 9999.
    const RANGE_S: std::ops::Range<i64> = 946_684_800..253_402_300_800;

    /// Checked: between the years 2000 and 9999.
    pub fn from_s(field: &str, seconds: i64) -> Result<Self, Invalid> {
        if Self::RANGE_S.contains(&seconds) {
            Ok(Self(seconds))
        } else {
            Err(Invalid::new(
                Reason::FieldInvalid,
                field,
                format!(
                    "{seconds} is not a time between the years 2000 and 9999, in seconds since 1970"
                ),
            ))
        }
    }

    /// The nearest moment that a document may say.
    pub fn near(seconds: i64) -> Self {
        Self(seconds).plus_s(0)
    }

    /// Reads `2026-11-24` (midnight UTC) or `2026-11-24T08:00:00Z`.
    pub fn parse(field: &str, text: &str) -> Result<Self, Invalid> {
        let moment = text.parse::<jiff::Timestamp>().or_else(|_| {
            text.parse::<jiff::civil::Date>()
                .and_then(|date| jiff::tz::TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)))
        });
        match moment {
            Ok(moment) => Self::from_s(field, moment.as_second()),
            Err(_) => Err(Invalid::new(
                Reason::FieldInvalid,
                field,
                format!("{} is not a date; write 2026-11-24 or 2026-11-24T08:00:00Z", quoted(text)),
            )),
        }
    }

    /// Seconds since 1970.
    pub fn as_s(self) -> i64 {
        self.0
    }

    /// This moment moved by `seconds`, kept within the allowed range.
    #[must_use]
    pub fn plus_s(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds).clamp(Self::RANGE_S.start, Self::RANGE_S.end - 1))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.0) {
            Ok(moment) => write!(f, "{moment}"),
            Err(_) => write!(f, "@{}", self.0),
        }
    }
}

/// Where "now" comes from.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970; used for time-ordered ids.
    fn now_ms(&self) -> i64;

    /// Now, in whole seconds.
    fn now(&self) -> Timestamp {
        Timestamp(0).plus_s(self.now_ms().div_euclid(1000))
    }
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        jiff::Timestamp::now().as_millisecond()
    }
}

/// A clock that stands where it was put. For tests and simulation.
#[derive(Clone, Copy, Debug)]
pub struct FixedClock(pub Timestamp);

impl Clock for FixedClock {
    fn now_ms(&self) -> i64 {
        self.0.as_s().saturating_mul(1000)
    }
}

/// Where randomness comes from.
pub trait Entropy: Send + Sync {
    /// Fills `bytes`; fails rather than give something predictable.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Invalid>;
}

/// The system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Invalid> {
        getrandom::fill(bytes).map_err(|error| {
            Invalid::new(
                Reason::Internal,
                "entropy",
                format!("the system gives no randomness: {error}"),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_midnight_utc() {
        let day = Timestamp::parse("from", "2026-11-24").unwrap();
        assert_eq!(day, Timestamp::parse("from", "2026-11-24T00:00:00Z").unwrap());
        assert_eq!(day.to_string(), "2026-11-24T00:00:00Z");
        assert!(Timestamp::parse("from", "24.11.2026").is_err());
        assert!(Timestamp::from_s("from", i64::MAX).is_err());
    }
}
