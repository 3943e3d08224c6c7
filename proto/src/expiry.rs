//! What comes to its end and has to be replaced in time: a certificate, an authority's, a revocation list, the roster. Comes in: since
//! when and until when it counts, and now. Goes out: the stage before its end that has come. Must never take a thing for near its
//! end that is made anew more often than that.

use crate::{clock::Timestamp, limits::EXPIRY_DAYS};

const DAY_S: i64 = 86_400;

/// Something that ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// What it is, for people.
    pub what: String,
    /// Of what is replaced at a pace of its own, since when it counts.
    pub since: Option<Timestamp>,
    /// When it ends.
    pub ends: Timestamp,
}

impl Ending {
    /// The last stage that has come, in days before the end. A stage longer than half of a life is none.
    pub fn stage(&self, now: Timestamp) -> Option<i64> {
        let begins = |days: i64| self.ends.plus_s(-days * DAY_S);
        let counts = |days: i64| self.since.is_none_or(|since| since <= begins(2 * days));
        let stages = EXPIRY_DAYS.into_iter().filter(|days| counts(*days) && begins(*days) <= now);
        stages.min()
    }

    /// Whole days that are left; 0 or less on the last one and after the end.
    pub fn days_left(&self, now: Timestamp) -> i64 {
        self.ends.as_s().saturating_sub(now.as_s()).div_euclid(DAY_S)
    }
}

/// Kinds of what ends.
pub const KINDS: [&str; 4] = ["certificate", "authority", "revocation list", "roster"];

/// Without these nobody is answered; of authorities and lists others may do, and a list has its grace.
const NEEDED: [&str; 2] = ["certificate", "roster"];

impl Ending {
    /// Which kind it is of: a closed set.
    pub fn kind(&self) -> &'static str {
        KINDS.into_iter().find(|kind| self.what.starts_with(kind)).unwrap_or("other")
    }
}

/// Of each kind, the first that ends.
pub fn first_of_kinds(endings: &[Ending]) -> Vec<(&'static str, Timestamp)> {
    let first = |kind| endings.iter().filter(|of| of.kind() == kind).map(|of| of.ends).min();
    KINDS.into_iter().filter_map(|kind| Some((kind, first(kind)?))).collect()
}

/// Does everything count without which nobody is answered? Otherwise what does not any more, in words.
pub fn check_needed(endings: &[Ending], now: Timestamp) -> Result<(), String> {
    check(endings, now, |kind| NEEDED.contains(&kind))
}

/// The same of everything else.
pub fn check_others(endings: &[Ending], now: Timestamp) -> Result<(), String> {
    check(endings, now, |kind| !NEEDED.contains(&kind))
}

fn check(endings: &[Ending], now: Timestamp, counts: impl Fn(&str) -> bool) -> Result<(), String> {
    let over = endings.iter().filter(|of| of.ends <= now && counts(of.kind()));
    let over: Vec<_> = over.map(|of| &*of.what).collect();
    if over.is_empty() { Ok(()) } else { Err(format!("has ended: {}", over.join(", "))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: i64) -> Timestamp {
        Timestamp::EARLIEST.plus_s(day * DAY_S)
    }

    #[test]
    fn a_stage_has_come_when_so_many_days_are_left_and_no_sooner() {
        let ending = Ending { what: String::new(), since: None, ends: day(100) };
        for (now, stage, left) in [
            (day(0), None, 100),
            (day(70).plus_s(-1), None, 30),
            (day(70), Some(30), 30),
            (day(86).plus_s(-1), Some(30), 14),
            (day(86), Some(14), 14),
            (day(97).plus_s(-1), Some(14), 3),
            (day(97), Some(3), 3),
            (day(100).plus_s(-1), Some(3), 0),
            (day(100), Some(3), 0),
            (day(9_999), Some(3), -9_899),
        ] {
            assert_eq!((ending.stage(now), ending.days_left(now)), (stage, left), "{now}");
        }
    }

    #[test]
    fn what_is_made_anew_every_week_is_near_its_end_three_days_before_and_what_is_every_day_never()
    {
        let list =
            |days: i64| Ending { what: String::new(), since: Some(day(10)), ends: day(10 + days) };
        for (days, stages) in [
            (60, [Some(30), Some(14), Some(3)]),
            (59, [None, Some(14), Some(3)]),
            (28, [None, Some(14), Some(3)]),
            (7, [None, None, Some(3)]),
            (5, [None, None, None]),
            (1, [None, None, None]),
        ] {
            let ending = list(days);
            let at = |left: i64| ending.stage(ending.ends.plus_s(-left * DAY_S));
            assert_eq!([at(30), at(14), at(3)], stages, "{days} days");
        }
    }
}
