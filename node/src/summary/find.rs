//! Search in the node's own titles and judgements, in either script. Comes in: words and codes. Goes out:
//! versions that match, best title first, then newest first, page by page.
//!
//! A scan over words that were folded when a version came in: ten thousand summaries take milliseconds, and
//! there is no index that could disagree with what is stored.

use std::{cmp::Reverse, collections::BTreeSet, fmt};

use accord_proto::{
    clock::Timestamp,
    id::SummaryId,
    limits::{SEARCH_WORDS_MAX, TEXT_BYTES_MAX},
    reason::{Invalid, Reason},
    taxonomy::{CrimeAreaCode, IndicatorCode, Lists, Period},
};

use super::{Book, Document, State, Version, document};

mod fold;

use fold::fold;

/// The words of a document, folded.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Words {
    title: Vec<String>,
    judgements: Vec<String>,
}

impl Words {
    pub(super) fn of(document: &Document) -> Self {
        let written = document.written();
        let judgements = written.key_judgements.iter().flat_map(|judgement| fold(&judgement.text));
        Self { title: fold(&written.title), judgements: distinct(judgements.collect()) }
    }
}

fn distinct(mut words: Vec<String>) -> Vec<String> {
    words.sort_unstable();
    words.dedup();
    words
}

/// What is looked for, as text; empty: anything.
#[derive(Clone, Debug, Default)]
pub struct RawQuery {
    /// Words, or beginnings of words.
    pub text: String,
    /// A crime area, with all below it.
    pub crime_area: String,
    /// A period.
    pub period: String,
    /// An indicator of the observations referred to.
    pub indicator: String,
    /// Source and information grade, like B2.
    pub grade: String,
    /// A TLP label, handling code or classification.
    pub handling: String,
    /// A state.
    pub state: String,
}

impl fmt::Display for RawQuery {
    /// For the journal: what somebody looked for.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, crime_area, period, indicator, grade, handling, state } = self;
        let said = [
            ("text", text),
            ("crime_area", crime_area),
            ("period", period),
            ("indicator", indicator),
            ("grade", grade),
            ("handling", handling),
            ("state", state),
        ];
        let said: Vec<_> = said
            .into_iter()
            .filter(|(_, wanted)| !wanted.is_empty())
            .map(|(name, wanted)| format!("{name}={wanted}"))
            .collect();
        f.write_str(if said.is_empty() { "everything" } else { "" })?;
        f.write_str(&said.join(" "))
    }
}

/// What is looked for.
#[derive(Clone, Debug)]
pub struct Query {
    words: Vec<String>,
    /// The wanted area and all below it.
    crime_areas: Option<BTreeSet<CrimeAreaCode>>,
    period: Option<Period>,
    indicator: Option<IndicatorCode>,
    grade: Option<String>,
    handling: Option<String>,
    state: Option<State>,
}

impl Query {
    /// Checks what is looked for. Words that look like personal data are refused: nobody is searched for
    /// here, and the journal keeps what was asked.
    pub fn parse(
        raw: &RawQuery,
        lists: &Lists,
        guard: impl Fn(&str) -> Option<&'static str>,
    ) -> Result<Self, Invalid> {
        if raw.text.len() > TEXT_BYTES_MAX {
            let detail = format!("{} bytes where {TEXT_BYTES_MAX} are the most", raw.text.len());
            return Err(Invalid::new(Reason::LimitExceeded, "text", detail));
        }
        if raw.text.chars().any(char::is_control) {
            return Err(Invalid::new(Reason::FieldInvalid, "text", "holds control characters"));
        }
        document::personal("text", &raw.text, guard)?;
        let words = fold(&raw.text);
        if words.len() > SEARCH_WORDS_MAX {
            let detail = format!("{} words where {SEARCH_WORDS_MAX} are the most", words.len());
            return Err(Invalid::new(Reason::LimitExceeded, "text", detail));
        }
        Ok(Self {
            words: distinct(words),
            crime_areas: given(&raw.crime_area)
                .map(|text| document::area(lists, "crime_area", text))
                .transpose()?
                .map(|wanted| below(wanted, lists)),
            period: given(&raw.period).map(|text| Period::parse("period", text)).transpose()?,
            indicator: given(&raw.indicator)
                .map(|text| lists.indicator("indicator", text))
                .transpose()?
                .map(|indicator| indicator.code),
            grade: given(&raw.grade)
                .map(|text| document::grade(lists, "grade", text).map(|()| text.to_owned()))
                .transpose()?,
            handling: given(&raw.handling)
                .map(|text| document::mark(lists, "handling", text).map(|()| text.to_owned()))
                .transpose()?,
            state: given(&raw.state).map(|text| State::parse("state", text)).transpose()?,
        })
    }

    /// How many of the words stand in the title; none if the version does not match.
    fn hits(&self, version: &Version, now: Timestamp) -> Option<u32> {
        let document = &version.document;
        let handling = &document.written().handling;
        let marked = |wanted: &String| {
            [&handling.tlp, &handling.classification]
                .into_iter()
                .chain(&handling.europol_codes)
                .any(|mark| mark == wanted)
        };
        let matches = self.state.is_none_or(|state| state == version.state(now))
            && self.period.is_none_or(|period| period == document.period())
            && self.indicator.is_none_or(|code| document.indicators().contains(&code))
            && self.crime_areas.as_ref().is_none_or(|wanted| {
                document.crime_areas().iter().any(|area| wanted.contains(area))
            })
            && self.grade.as_ref().is_none_or(|wanted| document.grades().any(|of| of == *wanted))
            && self.handling.as_ref().is_none_or(marked);
        if !matches {
            return None;
        }
        let begins = |words: &[String], wanted: &String| {
            words.iter().any(|word| word.starts_with(wanted.as_str()))
        };
        let Words { title, judgements } = &version.words;
        self.words.iter().try_fold(0_u32, |hits, wanted| {
            if begins(title, wanted) {
                Some(hits + 1)
            } else {
                begins(judgements, wanted).then_some(hits)
            }
        })
    }
}

fn given(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// A crime area and every one below it in its tree.
fn below(wanted: CrimeAreaCode, lists: &Lists) -> BTreeSet<CrimeAreaCode> {
    let list = lists.crime_area_list(wanted);
    let line = |code| std::iter::successors(Some(code), |code| lists.crime_area_parent(*code));
    let areas = list.into_iter().flat_map(|list| lists.crime_areas(list));
    areas.filter(|code| line(*code).any(|above| above == wanted)).collect()
}

/// A version that matches.
#[derive(Debug)]
pub struct Found<'a> {
    /// Of which summary.
    pub id: SummaryId,
    /// Which version.
    pub version: &'a Version,
    hits: u32,
}

impl Found<'_> {
    /// Ascending is the order of the list.
    fn place(&self) -> Place {
        (Reverse(self.hits), Reverse(self.id), Reverse(self.version.number))
    }

    /// Where the list goes on after this one.
    pub fn token(&self) -> String {
        format!("{}.{}.{}", self.hits, self.id, self.version.number)
    }
}

type Place = (Reverse<u32>, Reverse<SummaryId>, Reverse<u32>);

fn place(token: &str) -> Result<Place, Invalid> {
    let wrong =
        || Invalid::new(Reason::FieldInvalid, "page_token", "is not one that this list gave");
    let mut parts = token.splitn(3, '.');
    let mut part = || parts.next().ok_or_else(wrong);
    let hits = part()?.parse().map_err(|_| wrong())?;
    let id = SummaryId::parse("page_token", part()?).map_err(|_| wrong())?;
    let number = part()?.parse().map_err(|_| wrong())?;
    Ok((Reverse(hits), Reverse(id), Reverse(number)))
}

/// One page of what matches, and whether there is more. Of each summary the newest version is looked at,
/// and the one in force if that is another.
pub fn find<'a>(
    book: &'a Book,
    query: &Query,
    now: Timestamp,
    page_token: &str,
    page_size: usize,
) -> Result<(Vec<Found<'a>>, bool), Invalid> {
    let after = given(page_token).map(place).transpose()?;
    let versions = book.summaries().flat_map(|(id, summary)| {
        let newest = summary.versions().last();
        let in_force = summary.in_force(now);
        let other = in_force.filter(|version| newest.is_some_and(|n| n.number != version.number));
        newest.into_iter().chain(other).map(move |version| (id, version))
    });
    let mut found: Vec<_> = versions
        .filter_map(|(id, version)| Some(Found { id, version, hits: query.hits(version, now)? }))
        .filter(|found| after.is_none_or(|after| found.place() > after))
        .collect();
    found.sort_unstable_by_key(Found::place);
    let more = found.len() > page_size;
    found.truncate(page_size);
    Ok((found, more))
}

#[cfg(test)]
mod tests;
