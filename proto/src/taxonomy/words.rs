//! Words of summaries and of the policy cycle. Comes in: text. Goes out: a term, a priority, the areas it covers.
//!
//! Grades and markings are kept as they were given: a term of one vocabulary is never turned into one of
//! another, because no two of them cut the world at the same places.

use super::{CrimeAreaCode, EuropolCode, Lists, PriorityCode, TermCode, unknown};
use crate::reason::{Invalid, Reason, quoted};

/// A term of a vocabulary.
#[derive(Clone, Debug)]
pub struct Term {
    /// Its code, within the vocabulary.
    pub code: TermCode,
    /// What it means.
    pub label: String,
    /// Where it stands in its vocabulary, if it has an order: for markings, the higher the stricter.
    pub rank: Option<u32>,
    /// Lowest per cent that a likelihood stands for. For display only.
    pub low_percent: Option<u32>,
    /// Highest per cent that a likelihood stands for. For display only.
    pub high_percent: Option<u32>,
    /// For grades, a coarse quality for display: GOOD, FAIR, POOR or UNASSESSED. Else empty.
    pub group: String,
}

/// A priority of a policy cycle, or a part of one that has a plan of its own.
#[derive(Clone, Debug)]
pub struct Priority {
    /// Its code, which no other cycle uses again.
    pub code: PriorityCode,
    /// The cycle, by its first and last year.
    pub cycle: String,
    /// Its number in the cycle; none for a horizontal goal.
    pub number: Option<u32>,
    /// Its name.
    pub label: String,
    /// First year.
    pub valid_from: u16,
    /// Last year.
    pub valid_to: u16,
}

impl Lists {
    /// A term of a vocabulary, e.g. `LIKELY` of `LIKELIHOOD.PHIA`.
    pub fn term(&self, field: &str, vocabulary: &str, text: &str) -> Result<&Term, Invalid> {
        let found = self.terms(vocabulary).find(|term| term.code.as_str() == text);
        found.ok_or_else(|| {
            let terms: Vec<_> = self.terms(vocabulary).map(|term| term.code.as_str()).collect();
            let detail = if terms.is_empty() {
                format!("there is no vocabulary {}", quoted(vocabulary))
            } else {
                format!("{} is not in {vocabulary}: {}", quoted(text), terms.join(", "))
            };
            Invalid::new(Reason::CodeUnknown, field, detail)
        })
    }

    /// The terms of a vocabulary, in the order for people; none if there is no such vocabulary.
    pub fn terms(&self, vocabulary: &str) -> impl Iterator<Item = &Term> {
        self.vocabularies.get(vocabulary).into_iter().flatten()
    }

    /// A crime area of Europol's mandate.
    pub fn europol_area(&self, field: &str, text: &str) -> Result<EuropolCode, Invalid> {
        let code = EuropolCode::parse(text).filter(|code| self.europol.contains_key(code));
        code.ok_or_else(|| unknown(field, "europol", text))
    }

    /// The crime areas of Europol's mandate with their names, ascending.
    pub fn europol_areas(&self) -> impl Iterator<Item = (EuropolCode, &str)> {
        self.europol.iter().map(|(code, label)| (*code, label.as_str()))
    }

    /// A priority of a policy cycle.
    pub fn priority(&self, field: &str, text: &str) -> Result<&Priority, Invalid> {
        self.find(&self.priorities, "priorities", field, text)
    }

    /// Every priority of every cycle, ascending.
    pub fn priorities(&self) -> impl Iterator<Item = &Priority> {
        self.priorities.values()
    }

    /// The areas that a code of a scheme (`EUROPOL`, `EMPACT`, `ICCS`) matches, wholly or in part.
    ///
    /// They may belong to several lists of areas: [`Lists::crime_area_list`] tells.
    pub fn areas_mapped(&self, scheme: &str, code: &str) -> &[CrimeAreaCode] {
        let key = (scheme.to_owned(), code.to_owned());
        self.area_map.get(&key).map_or(&[], Vec::as_slice)
    }

    /// The other way round: the codes of a scheme that an area matches, ascending.
    pub fn codes_mapped(&self, scheme: &str, area: CrimeAreaCode) -> impl Iterator<Item = &str> {
        self.area_map
            .iter()
            .filter(move |((of, _), areas)| of == scheme && areas.contains(&area))
            .map(|((_, code), _)| code.as_str())
    }
}
