//! Where the store stands: what the next write continues. Comes in: journal, counters and the sum of all contents. Goes out: what
//! others ask of them, and what is put on record of them.

use accord_proto::{journal::Frontier, reason::Invalid, taxonomy::Period};
use prost::Message as _;

use super::{Contents, schema, witness::State};

/// What the next write continues.
#[derive(Clone)]
pub struct Head {
    pub(super) journal: Frontier,
    pub(super) counters: schema::Counters,
    pub(super) contents: Contents,
}

impl std::fmt::Debug for Head {
    /// Prints no key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Head({} journal entries)", self.journal.size())
    }
}

impl Head {
    /// The journal so far.
    pub fn journal(&self) -> &Frontier {
        &self.journal
    }

    /// Imports so far.
    pub fn imports(&self) -> u64 {
        self.counters.imports
    }

    /// Periods of which nothing is answered until they are frozen again.
    pub fn withheld(&self) -> &[String] {
        &self.counters.withheld
    }

    /// Of each period: the last edition that is never answered from again.
    pub fn barred(&self) -> Result<Vec<(Period, u32)>, Invalid> {
        let of = |barred: &schema::Barred| {
            Ok((Period::parse("store.barred", &barred.period)?, barred.number))
        };
        self.counters.barred.iter().map(of).collect()
    }

    /// Raised by every change of consent.
    pub fn consent_epoch(&self) -> u64 {
        self.counters.consent_epoch
    }

    /// May charges have been forgotten, without anybody having confirmed it?
    pub fn in_doubt(&self) -> bool {
        self.counters.in_doubt
    }

    /// Digest of the policy relied on last.
    pub fn policy(&self) -> &[u8] {
        &self.counters.policy
    }

    /// The highest roster version relied on.
    pub fn roster_version(&self) -> u64 {
        self.counters.roster_version
    }
}

impl Head {
    /// For the store: journal and counters, with the sum of all that lies there.
    pub(super) fn meta(&self, contents: Contents) -> [(&'static str, Vec<u8>); 2] {
        let contents = contents.to_bytes().to_vec();
        let counters = schema::Counters { contents, ..self.counters.clone() };
        [
            (schema::JOURNAL_KEY, self.journal.to_bytes()),
            (schema::COUNTERS_KEY, counters.encode_to_vec()),
        ]
    }

    /// For the witness.
    pub(super) fn state(&self) -> State {
        let contents = Some(self.contents.to_bytes());
        State { size: self.journal.size(), root: self.journal.root(), contents }
    }
}
