//! Numbers of scores: whole millionths. Comes in: text or a fraction of whole numbers. Goes out: a number with one spelling.
//! Must never be a floating-point number: two machines would disagree on a band.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{limits::SCORE_UNITS_MAX, reason::quoted, rounding::half_to_even, taxonomy::decimal};

/// Decimals that are kept: the vectors of domain.md §2.9 need five.
const DECIMALS: u32 = 6;
const ONE: i64 = 1_000_000;

/// A number in millionths.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Fixed(i64);

impl Fixed {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Reads the one spelling: no sign but a minus, no zero that says nothing, at most six decimals, and at most
    /// [`SCORE_UNITS_MAX`] either way.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let decimals = usize::try_from(DECIMALS).ok()?;
        if !digits(whole.strip_prefix('-').unwrap_or(whole)) || !digits(fraction) {
            return None;
        }
        if fraction.len() > decimals {
            return None;
        }
        let read: i64 = format!("{whole}{fraction:0<decimals$}").parse().ok()?;
        let read = Self(read);
        let small = read.0.unsigned_abs() <= SCORE_UNITS_MAX.unsigned_abs() * ONE.unsigned_abs();
        (small && read.to_string() == text).then_some(read)
    }

    /// A whole number; none if it is too large.
    pub fn whole(number: i64) -> Option<Self> {
        number.checked_mul(ONE).map(Self)
    }

    /// `above / below`, half to even in the sixth decimal; none if it does not fit, or `below` is not above zero.
    pub fn ratio(above: i128, below: i128) -> Option<Self> {
        let above = above.checked_mul(i128::from(ONE))?;
        let rounded = (below > 0).then(|| half_to_even(above, below))?;
        i64::try_from(rounded).ok().map(Self)
    }

    /// Of so many millionths; none if it does not fit.
    pub(super) fn of_millionths(number: i128) -> Option<Self> {
        i64::try_from(number).ok().map(Self)
    }

    /// In millionths.
    pub fn millionths(self) -> i128 {
        i128::from(self.0)
    }
}

impl fmt::Display for Fixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = decimal(self.0, DECIMALS);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl fmt::Debug for Fixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Fixed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fixed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            de::Error::custom(format!(
                "{} is not a number: write it like \"12.5\", without zeros that say nothing",
                quoted(&text)
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_spelling() {
        for text in ["0", "1", "-1", "0.5", "-0.000001", "35.15625", "1000000000"] {
            assert_eq!(Fixed::parse(text).unwrap().to_string(), text);
        }
        let wrong = [
            "",
            "-",
            "+1",
            "01",
            "1.",
            ".5",
            "1.50",
            "-0",
            "1e3",
            "0x1",
            "1,5",
            " 1",
            "0.1234567",
            "1000000001",
            "99999999999999999999",
            "1.-5",
            "--1",
        ];
        for text in wrong {
            assert!(Fixed::parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn a_fraction_is_rounded_half_to_even_and_never_overflows() {
        assert_eq!(Fixed::ratio(18_000, 576).unwrap().to_string(), "31.25");
        assert_eq!(Fixed::ratio(1, 3).unwrap().to_string(), "0.333333");
        assert_eq!(Fixed::ratio(5, 10_000_000).unwrap(), Fixed::ZERO);
        assert!(Fixed::ratio(1, 0).is_none() && Fixed::ratio(i128::MAX, 1).is_none());
    }
}
