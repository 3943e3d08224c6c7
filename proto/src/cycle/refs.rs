//! How parts of a plan are called: `2A`, `CHSG-1`, `OA 2.3`. Comes in: text. Goes out: a value with one spelling, ordered by its
//! numbers. What it leads to, the plan checks.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::reason::{Invalid, Reason, quoted};

/// Most of any number in such a name: two digits are what people read.
const NUMBER_MAX: u32 = 99;

/// A number from 1, without a zero before it.
fn number(text: &str) -> Option<u32> {
    let number: u32 = text.parse().ok()?;
    ((1..=NUMBER_MAX).contains(&number) && number.to_string() == text).then_some(number)
}

/// A number of a priority, from 1.
pub(super) fn ordinal(field: &str, found: u32) -> Result<u32, Invalid> {
    if (1..=NUMBER_MAX).contains(&found) {
        return Ok(found);
    }
    let detail = format!("{found} is no ordinal from 1 to {NUMBER_MAX}");
    Err(Invalid::new(Reason::FieldInvalid, field, detail))
}

fn letter(text: &str) -> Option<char> {
    let mut letters = text.chars();
    letters.next().filter(|letter| letter.is_ascii_uppercase() && letters.next().is_none())
}

/// The letter of a part of a priority.
pub(super) fn part_letter(field: &str, text: &str) -> Result<char, Invalid> {
    letter(text).ok_or_else(|| {
        let detail = format!("{} is no letter from A to Z", quoted(text));
        Invalid::new(Reason::FieldInvalid, field, detail)
    })
}

macro_rules! named {
    ($name:ident, $read:expr, $wanted:literal) => {
        impl $name {
            /// Reads the one spelling.
            pub fn parse(field: &str, text: &str) -> Result<Self, Invalid> {
                let read: fn(&str) -> Option<Self> = $read;
                read(text).ok_or_else(|| {
                    let detail = format!(concat!("{} is not ", $wanted), quoted(text));
                    Invalid::new(Reason::FieldInvalid, field, detail)
                })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

/// A priority, or a part of one: `2`, `2A`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PriorityRef {
    /// Number of the priority.
    pub ordinal: u32,
    /// Letter of its part.
    pub part: Option<char>,
}

named!(
    PriorityRef,
    |text| {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_uppercase());
        let part = text.strip_prefix(digits).filter(|part| !part.is_empty());
        let part = match part {
            None => None,
            Some(part) => Some(letter(part)?),
        };
        Some(Self { ordinal: number(digits)?, part })
    },
    "a priority: write 2, or 2A for a part of it"
);

impl fmt::Display for PriorityRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.ordinal)?;
        self.part.map_or(Ok(()), |part| write!(f, "{part}"))
    }
}

/// A goal: `SG-1`, or `CHSG-1` for a common horizontal one. Horizontal ones come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GoalId {
    of_one: bool,
    number: u32,
}

named!(
    GoalId,
    |text| {
        let (kind, digits) = text.split_once('-')?;
        let of_one = match kind {
            "CHSG" => false,
            "SG" => true,
            _ => return None,
        };
        Some(Self { of_one, number: number(digits)? })
    },
    "a goal: write SG-1, or CHSG-1 for a common horizontal one"
);

impl GoalId {
    /// It belongs to all priorities.
    pub fn is_horizontal(self) -> bool {
        !self.of_one
    }
}

impl fmt::Display for GoalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", if self.of_one { "SG" } else { "CHSG" }, self.number)
    }
}

/// An operational action: `OA 2.3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActionCode {
    group: u32,
    number: u32,
}

named!(
    ActionCode,
    |text| {
        let (group, number_in_it) = text.strip_prefix("OA ")?.split_once('.')?;
        Some(Self { group: number(group)?, number: number(number_in_it)? })
    },
    "an operational action: write OA 2.3"
);

impl fmt::Display for ActionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OA {}.{}", self.group, self.number)
    }
}
