//! Strategic summaries: what a national node knows in words. Comes in: documents and what people do with
//! them. Goes out: versions to be stored, lists, differences. Must never leave the node: nothing here
//! converts to a type of the exchange.
//!
//! ```text
//! file ─► document ─► version ─► evaluated ─► validated ─► in an edition ─► superseded, withdrawn, expired
//! ```
//!
//! Everything here is pure: what a step changes is returned, stored with its journal entry, and only then
//! put into the book.

use std::collections::BTreeMap;

use accord_proto::{
    clock::Timestamp,
    id::SummaryId,
    identity::Identity,
    limits::{SUMMARIES_BYTES_MAX, SUMMARY_VERSIONS_MAX, TEXT_BYTES_MAX},
    reason::{Invalid, Reason},
    seal::Digest,
    taxonomy::Period,
};

pub mod diff;
pub mod document;
mod due;
pub mod find;
pub mod life;

pub use document::{Admission, DEFAULT_CEILING, Document};
pub use life::{Event, History, State, Step};

/// One version of a summary: what it says, and what was done with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    /// From 1.
    pub number: u32,
    /// What it says.
    pub document: Document,
    /// What was done with it.
    pub history: History,
    words: find::Words,
}

impl Version {
    /// A version as it was written or read back.
    pub fn new(number: u32, document: Document, history: History) -> Self {
        let words = find::Words::of(&document);
        Self { number, document, history, words }
    }

    /// Where it stands now.
    pub fn state(&self, now: Timestamp) -> State {
        self.history.state(self.document.expires_at(), now)
    }

    fn step(&self, deed: &Deed, step: Step) -> Result<Self, Invalid> {
        let history = self.history.step(deed.event(step), self.document.expires_at())?;
        Ok(Self { history, ..self.clone() })
    }
}

/// Who does something, when and why.
#[derive(Clone, Debug)]
pub struct Deed {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Identity,
    /// Why; never empty.
    pub why: String,
}

impl Deed {
    /// Checks the reason: it will stand in history and journal.
    pub fn new(
        at: Timestamp,
        by: Identity,
        why: &str,
        guard: impl Fn(&str) -> Option<&'static str>,
    ) -> Result<Self, Invalid> {
        if why.trim().is_empty() {
            return Err(Invalid::new(Reason::FieldMissing, "why", "say why in a few words"));
        }
        if why.len() > TEXT_BYTES_MAX {
            let detail = format!("{} bytes where {TEXT_BYTES_MAX} are the most", why.len());
            return Err(Invalid::new(Reason::LimitExceeded, "why", detail));
        }
        if why.chars().any(char::is_control) {
            return Err(Invalid::new(Reason::FieldInvalid, "why", "holds control characters"));
        }
        document::personal("why", why, guard)?;
        Ok(Self { at, by, why: why.to_owned() })
    }

    fn event(&self, step: Step) -> Event {
        Event { at: self.at, by: self.by.clone(), step, why: self.why.clone() }
    }
}

/// What a call comes to: versions that change, if any, and the one that it was about.
#[derive(Debug)]
pub struct Change {
    /// To be stored together; empty if all stood so before.
    pub versions: Vec<Version>,
    /// The version that was asked about.
    pub about: u32,
}

/// A summary in all its versions, oldest first; never empty.
#[derive(Clone, Debug)]
pub struct Summary {
    versions: Vec<Version>,
}

impl Summary {
    /// Every version, oldest first.
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    /// The version with this number; the newest for 0.
    pub fn version(&self, number: u32) -> Result<&Version, Invalid> {
        let found = match number {
            0 => self.versions.last(),
            _ => self.versions.iter().find(|version| version.number == number),
        };
        found.ok_or_else(|| {
            Invalid::new(Reason::NotFound, "version", format!("there is no version {number}"))
        })
    }

    /// What the node says at present: the newest validated version.
    pub fn in_force(&self, now: Timestamp) -> Option<&Version> {
        self.versions.iter().rev().find(|version| version.state(now).in_force())
    }

    /// Writes the next version. What is validated stays in force; a mere draft is superseded at once.
    pub fn revise(&self, base: u32, document: Document, deed: &Deed) -> Result<Change, Invalid> {
        let (newest, base) = (self.version(0)?, self.version(base)?);
        let again = newest.document == document && newest.history.author() == &deed.by;
        if again && (newest.number == base.number || newest.number == base.number + 1) {
            return Ok(Change { versions: Vec::new(), about: newest.number });
        }
        if base.number != newest.number {
            let detail = format!("is {}, but the newest is {}", base.number, newest.number);
            return Err(Invalid::new(Reason::SummaryConflict, "version", detail));
        }
        if newest.state(deed.at) == State::Withdrawn {
            let detail = "is withdrawn; what is to be said now is a new summary";
            return Err(Invalid::new(Reason::SummaryState, "state", detail));
        }
        if newest.number >= SUMMARY_VERSIONS_MAX {
            let detail = format!("{SUMMARY_VERSIONS_MAX} versions are the most");
            return Err(Invalid::new(Reason::LimitExceeded, "version", detail));
        }
        let number = newest.number + 1;
        let history = History::begin(deed.event(Step::Write))?;
        let mut versions = vec![Version::new(number, document, history)];
        let unfinished = |state| matches!(state, State::Draft | State::Evaluated);
        for version in self.versions.iter().filter(|version| unfinished(version.state(deed.at))) {
            versions.push(version.step(deed, Step::Supersede)?);
        }
        Ok(Change { versions, about: number })
    }

    /// Evaluates or validates a version. With validation it takes the place of those before it.
    pub fn advance(&self, number: u32, step: Step, deed: &Deed) -> Result<Change, Invalid> {
        let version = self.version(number)?;
        let about = version.number;
        if version.history.ends_with(step, &deed.by) {
            return Ok(Change { versions: Vec::new(), about });
        }
        if !version.document.written().attest_no_personal_data {
            let detail = "must be true before anybody else works with the summary: read every text, \
                 then revise it";
            return Err(Invalid::new(Reason::FieldInvalid, "attest_no_personal_data", detail));
        }
        let mut versions = vec![version.step(deed, step)?];
        if step == Step::Validate {
            let older = self.versions.iter().filter(|older| older.number < about);
            for older in older.filter(|older| !older.state(deed.at).is_final()) {
                versions.push(older.step(deed, Step::Supersede)?);
            }
        }
        Ok(Change { versions, about })
    }

    /// Takes back every version that still stands.
    pub fn withdraw(&self, deed: &Deed) -> Result<Change, Invalid> {
        let standing = self.versions.iter().filter(|version| !version.state(deed.at).is_final());
        let versions: Result<_, _> =
            standing.map(|version| version.step(deed, Step::Withdraw)).collect();
        Ok(Change { versions: versions?, about: self.version(0)?.number })
    }
}

/// Every summary of a node, ready in memory.
#[derive(Debug, Default)]
pub struct Book {
    summaries: BTreeMap<SummaryId, Summary>,
    bytes: usize,
}

impl Book {
    /// Takes in what was stored: a new version, or a version with a new history.
    pub fn put(&mut self, id: SummaryId, version: Version) {
        let bytes = version.document.text().len();
        let summary = self.summaries.entry(id).or_insert_with(|| Summary { versions: Vec::new() });
        match summary.versions.iter_mut().find(|known| known.number == version.number) {
            Some(known) => *known = version,
            None => {
                self.bytes += bytes;
                summary.versions.push(version);
                summary.versions.sort_by_key(|version| version.number);
            }
        }
    }

    /// A summary by its id.
    pub fn get(&self, id: SummaryId) -> Result<&Summary, Invalid> {
        self.summaries.get(&id).ok_or_else(|| {
            Invalid::new(Reason::NotFound, "summary", format!("there is no summary {id}"))
        })
    }

    /// Every summary, oldest first.
    pub fn summaries(&self) -> impl Iterator<Item = (SummaryId, &Summary)> {
        self.summaries.iter().map(|(id, summary)| (*id, summary))
    }

    /// A summary that stands and says exactly this.
    pub fn holding(&self, digest: Digest, now: Timestamp) -> Option<(SummaryId, u32)> {
        self.summaries().find_map(|(id, summary)| {
            let versions = summary.versions.iter();
            let mut standing = versions.filter(|version| version.state(now) != State::Withdrawn);
            let version = standing.find(|version| version.document.digest() == digest)?;
            Some((id, version.number))
        })
    }

    /// Takes in a new summary. The same one twice is one.
    pub fn create(
        &self,
        id: SummaryId,
        document: Document,
        deed: &Deed,
    ) -> Result<Change, Invalid> {
        let history = History::begin(deed.event(Step::Write))?;
        if let Ok(known) = self.get(id) {
            // The first may be erased by now.
            let first = known.versions.iter().find(|version| version.number == 1);
            if first.is_some_and(|first| {
                first.document == document && first.history.author() == &deed.by
            }) {
                return Ok(Change { versions: Vec::new(), about: 1 });
            }
            let detail =
                format!("{id} is another summary; revise it, or give the new one its own id");
            return Err(Invalid::new(Reason::SummaryConflict, "summary", detail));
        }
        Ok(Change { versions: vec![Version::new(1, document, history)], about: 1 })
    }

    /// Refuses more than is kept in memory. What is there already takes no more: it can always go on, and end.
    pub fn check_room(&self, id: SummaryId, change: &Change) -> Result<(), Invalid> {
        let known = self.summaries.get(&id).map(Summary::versions).unwrap_or_default();
        let is_new = |version: &&Version| !known.iter().any(|known| known.number == version.number);
        let new = change.versions.iter().filter(is_new);
        let more: usize = new.map(|version| version.document.text().len()).sum();
        if more == 0 || self.bytes.saturating_add(more) <= SUMMARIES_BYTES_MAX {
            return Ok(());
        }
        let detail = format!("{SUMMARIES_BYTES_MAX} bytes of summaries are the most");
        Err(Invalid::new(Reason::LimitExceeded, "summary", detail))
    }

    /// What an edition of a period takes in: everything about it that is in force, with that step done.
    pub fn include(
        &self,
        period: Period,
        deed: &Deed,
    ) -> Result<Vec<(SummaryId, Version)>, Invalid> {
        let in_force =
            self.summaries().filter_map(|(id, summary)| Some((id, summary.in_force(deed.at)?)));
        in_force
            .filter(|(_, version)| version.document.period() == period)
            .map(|(id, version)| Ok((id, version.step(deed, Step::Include)?)))
            .collect()
    }
}

#[cfg(test)]
mod tests;
