//! A day of the calendar. Comes in: text, a moment, a reporting period. Goes out: a day with one spelling. No hour and no zone: what is
//! due is due by the end of it.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::{
    clock::Timestamp,
    reason::{Invalid, Reason, quoted},
    taxonomy::Period,
};

/// A day, like `2026-03-01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(jiff::civil::Date);

impl Day {
    /// Reads the one spelling.
    pub fn parse(field: &str, text: &str) -> Result<Self, Invalid> {
        let day = text.parse().ok().map(Self).filter(|day| day.to_string() == text);
        day.ok_or_else(|| {
            let detail = format!("{} is no day; write it like 2026-03-01", quoted(text));
            Invalid::new(Reason::FieldInvalid, field, detail)
        })
    }

    /// The day of a moment, in UTC.
    pub fn of(moment: Timestamp) -> Self {
        let moment = jiff::Timestamp::from_second(moment.as_s()).unwrap_or_default();
        Self(jiff::tz::TimeZone::UTC.to_datetime(moment).date())
    }

    /// The first day of a period.
    pub fn first_of(period: Period) -> Self {
        Self::in_month(period.months().first().copied())
    }

    /// The last day of a period.
    pub fn last_of(period: Period) -> Self {
        Self(Self::in_month(period.months().last().copied()).0.last_of_month())
    }

    /// The month that it lies in; none in a year that no period may lie in.
    pub(super) fn month(self) -> Option<Period> {
        let text = format!("{:04}-{:02}", self.0.year(), self.0.month());
        Period::parse("day", &text).ok()
    }

    /// Months since the year 0: the difference of two is how many lie between.
    pub(super) fn month_number(self) -> u32 {
        let months = i32::from(self.0.year()) * 12 + i32::from(self.0.month());
        u32::try_from(months).unwrap_or(0)
    }

    /// So many days later; the last day that there is, at most.
    #[must_use]
    pub fn plus_days(self, days: u32) -> Self {
        let span = jiff::Span::new().days(i64::from(days));
        Self(self.0.saturating_add(span))
    }

    /// A period has months, and a month has a first day: the default is never taken.
    fn in_month(month: Option<Period>) -> Self {
        let first = month.map(|month| format!("{month}-01"));
        Self(first.and_then(|text| text.parse().ok()).unwrap_or_default())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
