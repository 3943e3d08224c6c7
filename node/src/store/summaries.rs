//! Summaries on disk: one value for each version, its text and what was done with it. Comes in: versions.
//! Goes out: the same, read back through the checked constructors. Must never drop a version.

use accord_proto::{
    clock::Timestamp,
    id::SummaryId,
    identity::Identity,
    reason::{Invalid, Reason},
    taxonomy::{JurisdictionCode, Lists},
};
use prost::Message;

use super::{Change, Room, Store, schema};
use crate::summary::{Book, Document, Event, History, Step, Version};

#[derive(Clone, PartialEq, Message)]
pub(super) struct StoredVersion {
    /// The canonical text.
    #[prost(string, tag = "1")]
    document: String,
    #[prost(message, repeated, tag = "2")]
    events: Vec<StoredEvent>,
}

#[derive(Clone, PartialEq, Message)]
struct StoredEvent {
    #[prost(int64, tag = "1")]
    at_s: i64,
    #[prost(string, tag = "2")]
    by: String,
    #[prost(string, tag = "3")]
    step: String,
    #[prost(string, tag = "4")]
    why: String,
}

impl StoredEvent {
    fn write(event: &Event) -> Self {
        let Event { at, by, step, why } = event;
        Self { at_s: at.as_s(), by: by.to_string(), step: step.to_string(), why: why.clone() }
    }

    fn read(self) -> Result<Event, Invalid> {
        let Self { at_s, by, step, why } = self;
        Ok(Event {
            at: Timestamp::from_s("at_s", at_s)?,
            by: Identity::parse(&by)?,
            step: Step::parse("step", &step)?,
            why,
        })
    }
}

impl Store {
    /// Every version of every summary.
    pub fn summaries(
        &self,
        jurisdiction: JurisdictionCode,
        lists: &Lists,
    ) -> Result<Book, Invalid> {
        let mut book = Book::default();
        for entry in self.scan(Room::Summaries, &[]) {
            let (key, value) = entry?;
            let (id, number) = read_key(&key)?;
            let version = read(number, schema::decode(&value)?, jurisdiction, lists)
                .map_err(|error| error.within(format!("store.summary {id} version {number}")))?;
            book.put(id, version);
        }
        Ok(book)
    }
}

fn read(
    number: u32,
    stored: StoredVersion,
    jurisdiction: JurisdictionCode,
    lists: &Lists,
) -> Result<Version, Invalid> {
    let StoredVersion { document, events } = stored;
    let events: Result<_, _> = events.into_iter().map(StoredEvent::read).collect();
    let document = Document::reopen(document, jurisdiction, lists)?;
    Ok(Version::new(number, document, History::replay(events?)?))
}

fn read_key(key: &[u8]) -> Result<(SummaryId, u32), Invalid> {
    let damaged = || Invalid::new(Reason::StoreFailed, "store.summary", "its key is damaged");
    let (id, number) = key.split_last_chunk::<4>().ok_or_else(damaged)?;
    Ok((SummaryId::from_bytes("store.summary", id)?, u32::from_be_bytes(*number)))
}

pub(super) fn key(id: SummaryId, version: u32) -> Vec<u8> {
    [&id.as_bytes()[..], &version.to_be_bytes()].concat()
}

impl Change<'_> {
    /// A new version, or one with a new history.
    pub fn summary(&mut self, id: SummaryId, version: &Version) {
        let key = key(id, version.number);
        let stored = StoredVersion {
            document: version.document.text().to_owned(),
            events: version.history.events().map(StoredEvent::write).collect(),
        };
        self.write(Room::Summaries, &key, stored.encode_to_vec());
    }
}

#[cfg(test)]
mod tests {
    use accord_proto::{
        clock::{FixedClock, SystemEntropy},
        journal::{Act, Entry},
        seal::Digest,
    };

    use super::*;
    use crate::summary::{Admission, DEFAULT_CEILING, Deed};

    const ANALYST: &str = "spiffe://wb6.example/AL/staff/test/analyst";

    fn now() -> Timestamp {
        Timestamp::parse("now", "2026-11-24").unwrap()
    }

    fn open(dir: &tempfile::TempDir) -> Store {
        let owner = "spiffe://wb6.example/AL/node/al-police/node";
        Store::open(dir.path(), owner, 0, &SystemEntropy).unwrap()
    }

    fn commit(change: Change<'_>) {
        let entry = Entry {
            at: now(),
            act: Act::Collection,
            by: Identity::parse(ANALYST).unwrap(),
            to: String::new(),
            why: "test".to_owned(),
            subject: "test".to_owned(),
            digest: Digest::of(b""),
        };
        change.commit(entry).unwrap();
    }

    #[tokio::test]
    async fn every_version_is_read_back_as_it_was_and_damage_is_named() {
        let (dir, lists) = (tempfile::tempdir().unwrap(), Lists::builtin());
        let albania = JurisdictionCode::parse("AL").unwrap();
        let text = include_str!("../../../deploy/summary.toml");
        let admission = Admission { ceiling: DEFAULT_CEILING, guard: |_: &str| None, now: now() };
        let document = Document::parse(text, albania, lists, &admission).unwrap();
        let by = Identity::parse(ANALYST).unwrap();
        let deed = Deed::new(now(), by, "test", |_: &str| None).unwrap();
        let id = SummaryId::mint(&FixedClock(now()), &SystemEntropy).unwrap();
        let mut book = Book::default();
        let created = book.create(id, document.clone(), &deed).unwrap().versions.remove(0);
        book.put(id, created.clone());
        let other = text.replacen("Example only", "Second example", 1);
        let other = Document::parse(&other, albania, lists, &admission).unwrap();
        let revised = book.get(id).unwrap().revise(1, other, &deed).unwrap();

        let store = open(&dir);
        let mut change = store.begin().unwrap();
        change.summary(id, &created);
        revised.versions.iter().for_each(|version| change.summary(id, version));
        commit(change);
        store.settled().await.unwrap();
        drop(store);
        revised.versions.into_iter().for_each(|version| book.put(id, version));

        let store = open(&dir);
        let read = store.summaries(albania, lists).unwrap();
        assert_eq!(read.get(id).unwrap().versions(), book.get(id).unwrap().versions());

        // A version that nobody wrote.
        let mut change = store.begin().unwrap();
        let key = [&id.as_bytes()[..], &3_u32.to_be_bytes()].concat();
        let stored = StoredVersion { document: document.text().to_owned(), events: Vec::new() };
        change.write(Room::Summaries, &key, stored.encode_to_vec());
        commit(change);
        let error = store.summaries(albania, lists).unwrap_err();
        assert_eq!(error.reason, Reason::StoreFailed);
        assert!(error.field.contains(&format!("{id} version 3")), "{error}");
    }
}
