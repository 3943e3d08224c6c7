//! Bands of a score. Comes in: bands as somebody wrote them, and from where to where scores lie. Goes out: bands of which
//! every score has exactly one, or the two that overlap or leave a gap, by name.

use serde::{Deserialize, Serialize};

use super::fixed::Fixed;
use crate::{
    limits::METHOD_BANDS_MAX,
    reason::{Invalid, Reason},
    roster::bounded,
    rounding::half_to_even,
};

/// A band, both ends included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// Its code.
    pub code: String,
    /// The least score in it.
    pub from: Fixed,
    /// The largest score in it.
    pub to: Fixed,
}

/// Bands as they are written: scores are whole steps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BandsWritten {
    step: Fixed,
    of: Vec<Band>,
}

/// Bands that hold every score once, ascending. None at all: the method has no bands.
#[derive(Clone, Debug, Default)]
pub(super) struct Bands(BandsWritten);

impl Bands {
    /// Checks that every score from `least` to `most` lies in exactly one band. `most` none: scores have no largest.
    pub(super) fn check(
        field: &str,
        written: BandsWritten,
        (least, most): (Fixed, Option<Fixed>),
    ) -> Result<Self, Invalid> {
        let wrong = |detail: String| Err(Invalid::new(Reason::FieldInvalid, field, detail));
        let BandsWritten { step, of } = &written;
        bounded(field, of.len(), METHOD_BANDS_MAX)?;
        let (Some(first), Some(last)) = (of.first(), of.last()) else {
            return Ok(Self(written));
        };
        let Some(most) = most else {
            return wrong("scores have no largest, so no bands can hold them all".to_owned());
        };
        if *step <= Fixed::ZERO {
            return wrong("the step from one score to the next must be above 0".to_owned());
        }
        for Band { code, from, to } in of {
            if code.is_empty() || from > to {
                return wrong(format!("{code} reaches from {from} to {to}"));
            }
        }
        for pair in of.windows(2) {
            let [below, above] = pair else { continue };
            let next = below.to.millionths() + step.millionths();
            if above.from <= below.to {
                return wrong(format!(
                    "{} and {} both hold {}",
                    below.code, above.code, above.from
                ));
            }
            if above.from.millionths() != next {
                let (from, to) = (below.to, above.from);
                let names = format!("{} and {}", below.code, above.code);
                return wrong(format!("no band holds what lies between {from} and {to}, {names}"));
            }
            if of.iter().filter(|band| band.code == above.code).count() > 1 {
                return wrong(format!("{} stands there twice", above.code));
            }
        }
        if (first.from, last.to) != (least, most) {
            let (from, to) = (first.from, last.to);
            return wrong(format!("reach from {from} to {to}, and scores from {least} to {most}"));
        }
        Ok(Self(written))
    }

    /// The band of a score; none where the method has none.
    pub(super) fn of(&self, score: Fixed) -> Option<&Band> {
        let step = self.0.step.millionths();
        let of = (step > 0).then(|| half_to_even(score.millionths(), step) * step)?;
        self.0.of.iter().find(|band| band.from.millionths() <= of && of <= band.to.millionths())
    }

    /// Is the band `code` at or above the band `from`?
    pub(super) fn reaches(&self, code: &str, from: &str) -> bool {
        let at = |code: &str| self.0.of.iter().position(|band| band.code == code);
        at(from).is_some_and(|from| at(code).is_some_and(|at| at >= from))
    }

    /// Is there such a band?
    pub(super) fn has(&self, code: &str) -> bool {
        self.0.of.iter().any(|band| band.code == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Fixed {
        Fixed::parse(text).unwrap()
    }

    fn bands(
        step: &str,
        of: &[(&str, &str, &str)],
        within: (&str, &str),
    ) -> Result<Bands, Invalid> {
        let band = |(code, from, to): &(&str, &str, &str)| Band {
            code: (*code).to_owned(),
            from: number(from),
            to: number(to),
        };
        let written = BandsWritten { step: number(step), of: of.iter().map(band).collect() };
        Bands::check("bands", written, (number(within.0), Some(number(within.1))))
    }

    #[test]
    fn the_published_bands_of_nzta_are_refused_because_two_of_them_hold_four() {
        let published = [
            ("LOW", "1", "4"),
            ("MODERATE", "4", "9"),
            ("HIGH", "10", "12"),
            ("VERY_HIGH", "15", "16"),
            ("EXTREME", "20", "25"),
        ];
        let refused = bands("1", &published, ("1", "25")).unwrap_err();
        assert_eq!(refused.detail, "LOW and MODERATE both hold 4");
    }

    #[test]
    fn every_score_has_exactly_one_band_or_the_bands_are_refused() {
        let good = [("LOW", "1", "1.99"), ("HIGH", "2", "5")];
        let read = bands("0.01", &good, ("1", "5")).unwrap();
        let of = |score| read.of(number(score)).map(|band| band.code.as_str());
        let found = ["1", "1.99", "2", "5", "5.01"].map(of);
        assert_eq!(found, [Some("LOW"), Some("LOW"), Some("HIGH"), Some("HIGH"), None]);
        for (of, says) in [
            ([("LOW", "1", "2"), ("HIGH", "4", "5")], "no band holds"),
            ([("LOW", "2", "3"), ("HIGH", "4", "5")], "scores from 1 to 5"),
            ([("LOW", "1", "3"), ("HIGH", "4", "4")], "scores from 1 to 5"),
            ([("LOW", "1", "3"), ("LOW", "4", "5")], "twice"),
            ([("LOW", "3", "1"), ("HIGH", "4", "5")], "from 3 to 1"),
        ] {
            let refused = bands("1", &of, ("1", "5")).unwrap_err().detail;
            assert!(refused.contains(says), "{says}: {refused}");
        }
        assert!(bands("0", &good, ("1", "5")).is_err());
        let written = BandsWritten { step: number("1"), of: vec![] };
        assert!(Bands::check("", written, (Fixed::ZERO, None)).unwrap().of(number("3")).is_none());
    }
}
