//! Reporting periods, with one spelling each: `2016`, `2016-H1`, `2016-Q3`, `2016-05`.

use std::fmt;

use crate::reason::{Invalid, Reason, quoted};

/// How long a reporting period is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Granularity {
    /// A calendar year.
    Year,
    /// A half-year.
    Half,
    /// A quarter.
    Quarter,
    /// A month.
    Month,
}

impl Granularity {
    const NAMES: [(Self, &'static str); 4] = [
        (Self::Year, "year"),
        (Self::Half, "half"),
        (Self::Quarter, "quarter"),
        (Self::Month, "month"),
    ];

    /// Reads its name: `year`, `half`, `quarter` or `month`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|(_, name)| *name == text).map(|(granularity, _)| granularity)
    }

    /// How many of them make a year.
    pub fn per_year(self) -> u8 {
        match self {
            Self::Year => 1,
            Self::Half => 2,
            Self::Quarter => 4,
            Self::Month => 12,
        }
    }
}

impl fmt::Display for Granularity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::NAMES.into_iter().find(|(granularity, _)| granularity == self);
        f.write_str(name.map_or("", |(_, name)| name))
    }
}

/// A reporting period. Ordered by granularity, then time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    granularity: Granularity,
    year: u16,
    /// 1 for the first half, quarter or month of the year; 1 for a year.
    part: u8,
}

impl Period {
    /// Years that a period may lie in.
    const YEARS: std::ops::RangeInclusive<u16> = 1950..=2099;

    /// Reads the one spelling of a period.
    pub fn parse(field: &str, text: &str) -> Result<Self, Invalid> {
        Self::read(text).ok_or_else(|| {
            Invalid::new(
                Reason::PeriodInvalid,
                field,
                format!(
                    "{} is not a period; write 2016, 2016-H1, 2016-Q3 or 2016-05",
                    quoted(text)
                ),
            )
        })
    }

    fn read(text: &str) -> Option<Self> {
        let (year, part) = match text.split_once('-') {
            None => (text, None),
            Some((year, part)) => (year, Some(part)),
        };
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if year.len() != 4 || !digits(year) {
            return None;
        }
        let (granularity, part) = match part {
            None => (Granularity::Year, "1"),
            Some(part) if part.starts_with('H') => (Granularity::Half, &part[1..]),
            Some(part) if part.starts_with('Q') => (Granularity::Quarter, &part[1..]),
            Some(part) if part.len() == 2 => (Granularity::Month, part),
            Some(_) => return None,
        };
        let one_digit = granularity != Granularity::Month;
        if !digits(part) || (one_digit && part.len() != 1) {
            return None;
        }
        let period = Self { granularity, year: year.parse().ok()?, part: part.parse().ok()? };
        let valid = Self::YEARS.contains(&period.year)
            && (1..=granularity.per_year()).contains(&period.part);
        valid.then_some(period)
    }

    /// The calendar year that it lies in.
    pub fn year(self) -> u16 {
        self.year
    }

    /// How long it is.
    pub fn granularity(self) -> Granularity {
        self.granularity
    }

    /// Does `other` lie within this one? A period holds itself.
    pub fn holds(self, other: Self) -> bool {
        let (per_year, parts) = (self.granularity.per_year(), other.granularity.per_year());
        // Every length divides every longer one.
        self.year == other.year
            && parts % per_year == 0
            && (other.part - 1) / (parts / per_year) == self.part - 1
    }

    /// The months that it holds, ascending.
    pub fn months(self) -> Vec<Self> {
        let months = 12 / self.granularity.per_year();
        let first = (self.part - 1) * months;
        let month = |part| Self { granularity: Granularity::Month, year: self.year, part };
        (first + 1..=first + months).map(month).collect()
    }

    /// The periods that hold this one, the shortest first; not itself.
    pub fn longer(self) -> Vec<Self> {
        let of = |granularity: Granularity| {
            let parts = self.granularity.per_year() / granularity.per_year();
            Self { granularity, year: self.year, part: (self.part - 1) / parts + 1 }
        };
        let all = [Granularity::Quarter, Granularity::Half, Granularity::Year].into_iter();
        all.filter(|longer| longer.per_year() < self.granularity.per_year()).map(of).collect()
    }

    /// The next period of the same length.
    #[must_use]
    pub fn next(self) -> Self {
        if self.part < self.granularity.per_year() {
            Self { part: self.part + 1, ..self }
        } else {
            Self { part: 1, year: self.year.saturating_add(1), ..self }
        }
    }

    /// The periods from `first` to `last`, both included. None if they differ in length, run backwards or are too many.
    pub fn range(first: Self, last: Self, most: usize) -> Option<Vec<Self>> {
        if first.granularity != last.granularity || first > last {
            return None;
        }
        let periods: Vec<_> = std::iter::successors(Some(first), |period| Some(period.next()))
            .take_while(|period| *period <= last)
            .take(most.saturating_add(1))
            .collect();
        (periods.len() <= most).then_some(periods)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { granularity, year, part } = self;
        match granularity {
            Granularity::Year => f.pad(&format!("{year:04}")),
            Granularity::Half => f.pad(&format!("{year:04}-H{part}")),
            Granularity::Quarter => f.pad(&format!("{year:04}-Q{part}")),
            Granularity::Month => f.pad(&format!("{year:04}-{part:02}")),
        }
    }
}

impl fmt::Debug for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_has_one_spelling() {
        for text in ["2016", "2016-H1", "2016-Q4", "2016-05", "2016-12"] {
            assert_eq!(Period::parse("period", text).unwrap().to_string(), text);
        }
        for wrong in [
            "", "16", "2016-", "2016-5", "2016-13", "2016-00", "2016-Q5", "2016-q1", "2016-H01",
            "2016Q1", "2016-+1", "+016", "1949", "2016-é",
        ] {
            assert!(Period::parse("period", wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_period_holds_what_lies_within_it() {
        let at = |text| Period::parse("period", text).unwrap();
        for (outer, inner) in [
            ("2016", "2016-05"),
            ("2016", "2016"),
            ("2016-H2", "2016-Q3"),
            ("2016-H1", "2016-06"),
            ("2016-Q4", "2016-10"),
        ] {
            assert!(at(outer).holds(at(inner)), "{outer} {inner}");
            assert!(outer == inner || !at(inner).holds(at(outer)), "{inner} {outer}");
        }
        for (outer, inner) in [
            ("2016", "2017-01"),
            ("2016-H1", "2016-07"),
            ("2016-Q1", "2016-04"),
            ("2016-Q1", "2016-H1"),
        ] {
            assert!(!at(outer).holds(at(inner)), "{outer} {inner}");
        }
    }

    #[test]
    fn ranges_cross_the_year() {
        let at = |text| Period::parse("period", text).unwrap();
        let range = Period::range(at("2016-Q3"), at("2017-Q1"), 10).unwrap();
        assert_eq!(
            range.iter().map(Period::to_string).collect::<Vec<_>>(),
            ["2016-Q3", "2016-Q4", "2017-Q1"]
        );
        assert!(Period::range(at("2016"), at("2016-Q1"), 10).is_none());
        assert!(Period::range(at("2017"), at("2016"), 10).is_none());
        assert!(Period::range(at("2000"), at("2050"), 10).is_none());
    }
}
