//! What a journal records: who did what, why, to whom, and how it ended (Directive (EU) 2016/680, art. 25). Comes
//! in: an act. Goes out: the bytes of its entry, and the act again. Must never hold a figure of an observation.
//!
//! Entries are the leaves of the tree in [`super`]; each also names the root before it, so
//! that a copy of the entries alone shows a gap.

use prost::Message as _;

use super::Frontier;
use crate::{
    clock::Timestamp,
    identity::Identity,
    reason::{Invalid, Reason, quoted},
    seal::Digest,
};

/// Declares a closed list of words, so that writing and reading cannot part.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident: $($(#[$about:meta])* $variant:ident = $word:literal,)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$about])* $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// As it is written.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// Reads [`Self::name`].
            pub fn parse(field: &str, text: &str) -> Result<Self, Invalid> {
                Self::ALL.iter().copied().find(|word| word.name() == text).ok_or_else(|| {
                    let words: Vec<_> = Self::ALL.iter().map(|word| word.name()).collect();
                    let detail = format!("{} is none of {}", quoted(text), words.join(", "));
                    Invalid::new(Reason::CodeUnknown, field, detail)
                })
            }
        }
    };
}

words! {
    /// Kinds of acts that the law wants recorded.
    Act:
    /// Data were taken in.
    Collection = "collection",
    /// Editions, grants or settings were changed.
    Alteration = "alteration",
    /// Somebody was asked, or something was looked up.
    Consultation = "consultation",
    /// Something was given to somebody.
    Disclosure = "disclosure",
    /// Figures of several parties became one.
    Combination = "combination",
    /// Data were taken out for good.
    Erasure = "erasure",
}

words! {
    /// How an act ended.
    Outcome:
    /// It was done.
    Done = "done",
    /// It was refused.
    Refused = "refused",
    /// There was nothing to do it with: nothing held, nothing shared.
    Nothing = "nothing",
}

words! {
    /// How closely somebody has to look at it later.
    Class:
    /// Done in the ordinary way.
    Ordinary = "ordinary",
    /// A rule was set aside in an emergency.
    BreakGlass = "break-glass",
}

/// An act, to be recorded in the same transaction that does it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// What kind.
    pub act: Act,
    /// Who did it: the identity of a certificate. Person names stay in this journal.
    pub by: Identity,
    /// To whom, or on whose behalf; empty if nobody else is concerned.
    pub to: String,
    /// Why: purpose and legal basis, or what was asked for.
    pub why: String,
    /// What it was done to, by id or name.
    pub subject: String,
    /// SHA-256 of the exact bytes concerned.
    pub digest: Digest,
}

/// An entry with how its act ended. Every entry is one that was done in the ordinary way, unless it says more:
/// `entry.ended(Outcome::Refused).class(Class::BreakGlass)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qualified {
    entry: Entry,
    outcome: Outcome,
    class: Class,
}

impl From<Entry> for Qualified {
    fn from(entry: Entry) -> Self {
        Self { entry, outcome: Outcome::Done, class: Class::Ordinary }
    }
}

impl Entry {
    /// The act ended like this.
    pub fn ended(self, outcome: Outcome) -> Qualified {
        Qualified { outcome, ..self.into() }
    }

    /// The act is of this class.
    pub fn class(self, class: Class) -> Qualified {
        Qualified { class, ..self.into() }
    }
}

impl Qualified {
    /// The act ended like this.
    #[must_use]
    pub fn ended(self, outcome: Outcome) -> Self {
        Self { outcome, ..self }
    }

    /// The act is of this class.
    #[must_use]
    pub fn class(self, class: Class) -> Self {
        Self { class, ..self }
    }

    /// The bytes of the entry that follows `journal`.
    pub fn encode(self, journal: &Frontier) -> Vec<u8> {
        let Self { entry, outcome, class } = self;
        let (sequence, root_before) = (journal.size(), journal.root());
        Logged { sequence, root_before, entry, outcome, class }.encode()
    }
}

/// An entry as it stands in a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Its place, from 0.
    pub sequence: u64,
    /// Root of the journal before it.
    pub root_before: Digest,
    /// The act.
    pub entry: Entry,
    /// How it ended.
    pub outcome: Outcome,
    /// How closely to look at it.
    pub class: Class,
}

/// On disk. Outcome and class are empty where nothing else is said, as in entries that are older than they are.
#[derive(Clone, PartialEq, prost::Message)]
struct StoredEntry {
    #[prost(uint64, tag = "1")]
    sequence: u64,
    #[prost(int64, tag = "2")]
    at_s: i64,
    #[prost(string, tag = "3")]
    act: String,
    #[prost(string, tag = "4")]
    by: String,
    #[prost(string, tag = "5")]
    to: String,
    #[prost(string, tag = "6")]
    why: String,
    #[prost(string, tag = "7")]
    subject: String,
    #[prost(bytes = "vec", tag = "8")]
    digest: Vec<u8>,
    #[prost(bytes = "vec", tag = "9")]
    root_before: Vec<u8>,
    #[prost(string, tag = "10")]
    outcome: String,
    #[prost(string, tag = "11")]
    class: String,
}

impl Logged {
    /// The bytes that are hashed.
    pub fn encode(&self) -> Vec<u8> {
        let Self { sequence, root_before, entry, outcome, class } = self;
        let Entry { at, act, by, to, why, subject, digest } = entry;
        let outcome = if *outcome == Outcome::Done { "" } else { outcome.name() };
        let class = if *class == Class::Ordinary { "" } else { class.name() };
        StoredEntry {
            sequence: *sequence,
            at_s: at.as_s(),
            act: act.name().to_owned(),
            by: by.to_string(),
            to: to.clone(),
            why: why.clone(),
            subject: subject.clone(),
            digest: digest.0.to_vec(),
            root_before: root_before.0.to_vec(),
            outcome: outcome.to_owned(),
            class: class.to_owned(),
        }
        .encode_to_vec()
    }

    /// Reads an entry: every byte must be understood, and be the one that [`Self::encode`] writes.
    pub fn decode(bytes: &[u8]) -> Result<Self, Invalid> {
        let wrong = |detail: String| Invalid::new(Reason::FieldInvalid, "entry", detail);
        let stored = StoredEntry::decode(bytes)
            .map_err(|error| wrong(format!("is no entry of a journal: {error}")))?;
        let outcome = match stored.outcome.as_str() {
            "" => Outcome::Done,
            other => Outcome::parse("entry.outcome", other)?,
        };
        let class = match stored.class.as_str() {
            "" => Class::Ordinary,
            other => Class::parse("entry.class", other)?,
        };
        let logged = Self {
            sequence: stored.sequence,
            root_before: Digest::from_wire("entry.root_before", &stored.root_before)?,
            entry: Entry {
                at: Timestamp::from_s("entry.at_s", stored.at_s)?,
                act: Act::parse("entry.act", &stored.act)?,
                by: Identity::parse(&stored.by).map_err(|error| error.within("entry.by"))?,
                to: stored.to,
                why: stored.why,
                subject: stored.subject,
                digest: Digest::from_wire("entry.digest", &stored.digest)?,
            },
            outcome,
            class,
        };
        if logged.encode() == bytes {
            return Ok(logged);
        }
        Err(wrong("holds more than is understood, or is not in its one encoding".to_owned()))
    }
}
