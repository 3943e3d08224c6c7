//! How likely, and how sure (domain.md §4.5). Comes in: a term of a yardstick; a level of confidence. Goes out: the percentages
//! that the term stands for, and a sentence for each of the two. Must never say both in one sentence, put them in one
//! column, or turn a term of one yardstick into one of another.

use serde::{Deserialize, Serialize};

use crate::{
    reason::{Invalid, Reason, quoted},
    taxonomy::{Lists, TermCode},
};

/// Whose words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Yardstick {
    /// Probability Yardstick of the UK's analysts: seven ranges with gaps on purpose.
    #[serde(rename = "PHIA")]
    Phia,
    /// Intelligence Community Directive 203: seven ranges that touch.
    #[serde(rename = "ICD203")]
    Icd203,
}

impl Yardstick {
    fn vocabulary(self) -> &'static str {
        match self {
            Self::Phia => "LIKELIHOOD.PHIA",
            Self::Icd203 => "LIKELIHOOD.ICD203",
        }
    }
}

/// A term of a yardstick: how likely something is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Likelihood {
    yardstick: Yardstick,
    term: TermCode,
    label: String,
    percent: (u32, u32),
    rank: u32,
}

impl Likelihood {
    /// Reads a term.
    pub fn read(
        field: &str,
        yardstick: Yardstick,
        term: &str,
        lists: &Lists,
    ) -> Result<Self, Invalid> {
        let term = lists.term(field, yardstick.vocabulary(), term)?;
        let whole = |number: Option<u32>| {
            let detail = format!("the list vocabularies gives {} no range", term.code);
            number.ok_or_else(|| Invalid::new(Reason::FieldInvalid, field, detail))
        };
        Ok(Self {
            yardstick,
            term: term.code,
            label: term.label.clone(),
            percent: (whole(term.low_percent)?, whole(term.high_percent)?),
            rank: whole(term.rank)?,
        })
    }

    /// Its code, within the yardstick.
    pub fn term(&self) -> TermCode {
        self.term
    }

    /// Whose word it is.
    pub fn yardstick(&self) -> Yardstick {
        self.yardstick
    }

    /// From and to, in per cent. For display only: nothing is calculated with it.
    pub fn percent(&self) -> (u32, u32) {
        self.percent
    }

    /// The level 1 to 5 of a risk matrix (domain.md §2.9 A), which is made of the words of PHIA.
    pub fn matrix_level(&self, field: &str) -> Result<u8, Invalid> {
        match (self.yardstick, self.rank) {
            (Yardstick::Phia, 1 | 2) => Ok(1),
            (Yardstick::Phia, 3) => Ok(2),
            (Yardstick::Phia, 4) => Ok(3),
            (Yardstick::Phia, 5) => Ok(4),
            (Yardstick::Phia, 6 | 7) => Ok(5),
            (Yardstick::Phia | Yardstick::Icd203, _) => {
                let detail = "terms of one yardstick are not turned into another's: the matrix is \
                              made of those of PHIA; give one, or the level 1 to 5";
                Err(Invalid::new(Reason::MethodUnfit, field, detail))
            }
        }
    }

    /// A sentence of its own.
    pub fn in_words(&self) -> String {
        let (from, to) = self.percent;
        format!("Likelihood: {} ({from} to {to} %).", self.label)
    }
}

/// How well founded a judgement is. Never a factor of a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Confidence {
    /// Marginal sources, many assumptions, large gaps.
    Low,
    /// Good sources that agree in part, some assumptions.
    Moderate,
    /// Proven sources that agree, hardly an assumption.
    High,
}

impl Confidence {
    /// As the vocabulary writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "LOW",
            Self::Moderate => "MODERATE",
            Self::High => "HIGH",
        }
    }

    /// Reads what [`Self::as_str`] writes.
    pub fn read(field: &str, text: &str) -> Result<Self, Invalid> {
        let all = [Self::Low, Self::Moderate, Self::High];
        all.into_iter().find(|level| level.as_str() == text).ok_or_else(|| {
            let detail = format!("{} is none of LOW, MODERATE and HIGH", quoted(text));
            Invalid::new(Reason::CodeUnknown, field, detail)
        })
    }

    /// A sentence of its own, with what the level rests on.
    pub fn in_words(self, lists: &Lists) -> String {
        let term = lists.term("confidence", "CONFIDENCE", self.as_str());
        let basis = term.map(|term| term.label.as_str()).unwrap_or_default();
        format!("Confidence: {} ({basis}).", self.as_str().to_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(yardstick: Yardstick, term: &str) -> (u32, u32) {
        Likelihood::read("", yardstick, term, Lists::builtin()).unwrap().percent()
    }

    #[test]
    fn the_words_of_both_yardsticks_stand_for_these_percentages() {
        let phia = [
            ("REMOTE_CHANCE", (0, 5)),
            ("HIGHLY_UNLIKELY", (10, 20)),
            ("UNLIKELY", (25, 35)),
            // Below fifty: fifty itself is in a gap.
            ("REALISTIC_POSSIBILITY", (40, 49)),
            ("LIKELY", (55, 75)),
            ("HIGHLY_LIKELY", (80, 90)),
            ("ALMOST_CERTAIN", (95, 100)),
        ];
        let icd = [
            ("ALMOST_NO_CHANCE", (1, 5)),
            ("VERY_UNLIKELY", (5, 20)),
            ("UNLIKELY", (20, 45)),
            ("ROUGHLY_EVEN", (45, 55)),
            ("LIKELY", (55, 80)),
            ("VERY_LIKELY", (80, 95)),
            ("ALMOST_CERTAIN", (95, 99)),
        ];
        for (yardstick, words) in [(Yardstick::Phia, phia), (Yardstick::Icd203, icd)] {
            let of = Lists::builtin().terms(yardstick.vocabulary());
            assert_eq!(of.count(), words.len());
            words.iter().for_each(|(term, range)| assert_eq!(percent(yardstick, term), *range));
        }
    }

    #[test]
    fn a_matrix_takes_the_words_of_one_yardstick_only() {
        let level = |yardstick, term| {
            let read = Likelihood::read("likelihood", yardstick, term, Lists::builtin()).unwrap();
            read.matrix_level("likelihood")
        };
        let levels = [
            ("REMOTE_CHANCE", 1),
            ("HIGHLY_UNLIKELY", 1),
            ("UNLIKELY", 2),
            ("REALISTIC_POSSIBILITY", 3),
            ("LIKELY", 4),
            ("HIGHLY_LIKELY", 5),
            ("ALMOST_CERTAIN", 5),
        ];
        levels.iter().for_each(|(term, of)| assert_eq!(level(Yardstick::Phia, term), Ok(*of)));
        assert_eq!(level(Yardstick::Icd203, "LIKELY").unwrap_err().reason, Reason::MethodUnfit);
        let lists = Lists::builtin();
        assert!(Likelihood::read("", Yardstick::Phia, "ROUGHLY_EVEN", lists).is_err());
    }

    #[test]
    fn no_sentence_speaks_of_both_likelihood_and_confidence() {
        let lists = Lists::builtin();
        let likely = Likelihood::read("", Yardstick::Phia, "LIKELY", lists).unwrap().in_words();
        assert_eq!(likely, "Likelihood: Likely or probable (55 to 75 %).");
        for confidence in [Confidence::Low, Confidence::Moderate, Confidence::High] {
            let words = confidence.in_words(lists);
            assert!(!words.to_lowercase().contains("likel") && !words.contains('%'), "{words}");
            assert!(!words.contains("()"), "{words}");
        }
        assert!(!likely.to_lowercase().contains("confiden"));
    }
}
