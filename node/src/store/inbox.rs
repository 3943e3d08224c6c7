//! The inbox on disk: requirements with everything that was done with them, and who took the right to act alone. Comes in: items.
//! Goes out: the same, replayed; what could not have happened is refused. Must never hold a figure.

use accord_proto::{
    clock::Timestamp,
    id::RequirementId,
    identity::{Identity, Name},
    question::SignedRequirement,
    reason::{Invalid, Reason},
    seal::Digest,
    taxonomy::Lists,
};
use prost::Message;

use super::{Change, Pair, Room, Store, schema};
use crate::inbox::{Asked, Decline, DeclineCode, Event, Extent, Glass, Item, Step};

const FIELD: &str = "store.inbox";

/// A requirement as it was signed, and what was done with it.
#[derive(Clone, PartialEq, Message)]
pub(super) struct StoredItem {
    #[prost(bytes = "vec", tag = "1")]
    envelope: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    digest: Vec<u8>,
    #[prost(string, tag = "3")]
    requirement: String,
    #[prost(string, tag = "4")]
    authority: String,
    #[prost(string, tag = "5")]
    purpose: String,
    #[prost(string, tag = "6")]
    audience: String,
    #[prost(int64, tag = "7")]
    closes_at_s: i64,
    #[prost(int64, tag = "8")]
    received_at_s: i64,
    #[prost(message, repeated, tag = "9")]
    events: Vec<StoredEvent>,
}

#[derive(Clone, PartialEq, Message)]
struct StoredEvent {
    #[prost(int64, tag = "1")]
    at_s: i64,
    #[prost(string, tag = "2")]
    by: String,
    #[prost(string, tag = "3")]
    why: String,
    #[prost(bool, tag = "4")]
    single_handed: bool,
    #[prost(string, tag = "5")]
    step: String,
    /// Of propose and release.
    #[prost(bytes = "vec", tag = "6")]
    digest: Vec<u8>,
    /// Of defer.
    #[prost(int64, tag = "7")]
    until_s: i64,
    /// Of decline; empty: none was given.
    #[prost(string, tag = "8")]
    code: String,
    #[prost(bool, tag = "9")]
    tell: bool,
    /// Of accept.
    #[prost(uint32, repeated, tag = "10")]
    left_out: Vec<u32>,
    #[prost(bool, tag = "11")]
    whole_only: bool,
    #[prost(bool, tag = "12")]
    totals_only: bool,
}

/// Who may act alone, from when on.
#[derive(Clone, PartialEq, Message)]
pub(super) struct StoredGlass {
    #[prost(string, tag = "1")]
    by: String,
    #[prost(int64, tag = "2")]
    at_s: i64,
    #[prost(string, tag = "3")]
    why: String,
}

impl StoredEvent {
    fn write(event: &Event) -> Self {
        let Event { at, by, step, why, single_handed } = event;
        let mut stored = Self {
            at_s: at.as_s(),
            by: by.to_string(),
            why: why.clone(),
            single_handed: *single_handed,
            step: step.name().to_owned(),
            ..Self::default()
        };
        match step {
            Step::Await | Step::Answer | Step::Withdraw => {}
            Step::Accept(terms) => {
                stored.left_out = terms.left_out().collect();
                stored.whole_only = terms.whole_only();
                stored.totals_only = terms.totals_only();
            }
            Step::Defer(until) => stored.until_s = until.as_s(),
            Step::Decline(Decline { code, tell }) => {
                stored.code = code.map_or(String::new(), |code| code.name().to_owned());
                stored.tell = *tell;
            }
            Step::Propose(digest) | Step::Release(digest) => stored.digest = digest.0.to_vec(),
        }
        stored
    }

    fn read(self) -> Result<Event, Invalid> {
        let digest = || Digest::from_wire(FIELD, &self.digest);
        let step = match self.step.as_str() {
            "wait" => Step::Await,
            "answer" => Step::Answer,
            "withdraw" => Step::Withdraw,
            "accept" => {
                let terms = Extent::parse(self.left_out, self.whole_only, self.totals_only);
                Step::Accept(terms?)
            }
            "defer" => Step::Defer(Timestamp::from_s(FIELD, self.until_s)?),
            "decline" => {
                let code = Some(self.code.as_str()).filter(|code| !code.is_empty());
                let code = code.map(|code| DeclineCode::parse(FIELD, code)).transpose()?;
                Step::Decline(Decline { code, tell: self.tell })
            }
            "propose" => Step::Propose(digest()?),
            "release" => Step::Release(digest()?),
            _ => return Err(Invalid::new(Reason::StoreFailed, FIELD, "damaged: unknown step")),
        };
        Ok(Event {
            at: Timestamp::from_s(FIELD, self.at_s)?,
            by: Identity::parse(&self.by)?,
            step,
            why: self.why,
            single_handed: self.single_handed,
        })
    }
}

impl StoredItem {
    fn read(self, lists: &Lists) -> Result<Item, Invalid> {
        let asked = Asked {
            id: RequirementId::parse(FIELD, &self.requirement)?,
            digest: Digest::from_wire(FIELD, &self.digest)?,
            authority: Name::parse(FIELD, &self.authority)?,
            purpose: lists.purpose(FIELD, &self.purpose)?,
            audience: lists.audience(FIELD, &self.audience)?,
            closes_at: Timestamp::from_s(FIELD, self.closes_at_s)?,
        };
        let events = self.events.into_iter().map(StoredEvent::read);
        let received_at = Timestamp::from_s(FIELD, self.received_at_s)?;
        Item::replay(asked, received_at, events.collect::<Result<_, _>>()?)
    }
}

impl Store {
    /// A requirement that was received; none: it never was.
    pub fn inbox_item(&self, id: RequirementId, lists: &Lists) -> Result<Option<Item>, Invalid> {
        self.stored_item(id)?.map(|stored| stored.read(lists)).transpose()
    }

    /// Its exact bytes: an envelope.
    pub fn inbox_envelope(&self, id: RequirementId) -> Result<Option<Vec<u8>>, Invalid> {
        Ok(self.stored_item(id)?.map(|stored| stored.envelope))
    }

    /// Every requirement that is kept, newest id first.
    pub fn inbox(&self, lists: &Lists) -> Result<Vec<Item>, Invalid> {
        let read =
            |entry: Result<Pair, Invalid>| schema::decode::<StoredItem>(&entry?.1)?.read(lists);
        let mut items = self.scan(Room::Inbox, &[]).map(read).collect::<Result<Vec<_>, _>>()?;
        items.reverse();
        Ok(items)
    }

    /// How many requirements are kept.
    pub fn inbox_size(&self) -> usize {
        self.rooms[Room::Inbox.at()].len()
    }

    /// Every time that somebody took the right to act alone, oldest first.
    pub fn glass(&self) -> Result<Vec<Glass>, Invalid> {
        let read = |entry: Result<Pair, Invalid>| {
            let StoredGlass { by, at_s, why } = schema::decode(&entry?.1)?;
            Ok(Glass { by: Identity::parse(&by)?, at: Timestamp::from_s(FIELD, at_s)?, why })
        };
        self.scan(Room::Glass, &[]).map(read).collect()
    }

    /// The newest releases before this one, newest requirement first.
    pub fn releases(
        &self,
        but: RequirementId,
        most: usize,
    ) -> impl Iterator<Item = Result<Vec<u8>, Invalid>> {
        let all = self.rooms[Room::Answers.at()].scan(&[]).rev();
        let other = move |entry: &Result<Pair, Invalid>| {
            entry.as_ref().map_or(true, |(id, _)| id.as_ref() != &but.as_bytes()[..])
        };
        all.filter(other).take(most).map(|entry| {
            let (_, stored) = entry?;
            Ok(schema::decode::<schema::Released>(&stored)?.response)
        })
    }

    fn stored_item(&self, id: RequirementId) -> Result<Option<StoredItem>, Invalid> {
        let stored = self.rooms[Room::Inbox.at()].get(id.as_bytes())?;
        stored.map(|bytes| schema::decode(&bytes)).transpose()
    }
}

impl Change<'_> {
    /// A requirement that is new.
    pub fn receive(&mut self, item: &Item, signed: &SignedRequirement) {
        self.put_item(item, signed.envelope().encode_to_vec());
    }

    /// A requirement with what was done with it now.
    pub fn inbox(&mut self, item: &Item) -> Result<(), Invalid> {
        let stored = self.store().stored_item(item.asked().id)?.ok_or_else(|| {
            Invalid::new(Reason::StoreFailed, FIELD, "damaged: a requirement is gone")
        })?;
        self.put_item(item, stored.envelope);
        Ok(())
    }

    /// Takes a requirement out, to make room.
    pub fn forget_item(&mut self, id: RequirementId) {
        self.remove(Room::Inbox, id.as_bytes());
    }

    /// Somebody takes the right to act alone.
    pub fn glass(&mut self, glass: &Glass) {
        let Glass { by, at, why } = glass;
        let stored = StoredGlass { by: by.to_string(), at_s: at.as_s(), why: why.clone() };
        let key = self.entry_sequence().to_be_bytes();
        self.write(Room::Glass, &key, stored.encode_to_vec());
    }

    fn put_item(&mut self, item: &Item, envelope: Vec<u8>) {
        let Asked { id, digest, authority, purpose, audience, closes_at } = item.asked();
        let stored = StoredItem {
            envelope,
            digest: digest.0.to_vec(),
            requirement: id.to_string(),
            authority: authority.to_string(),
            purpose: purpose.to_string(),
            audience: audience.to_string(),
            closes_at_s: closes_at.as_s(),
            received_at_s: item.received_at().as_s(),
            events: item.events().iter().map(StoredEvent::write).collect(),
        };
        self.write(Room::Inbox, id.as_bytes(), stored.encode_to_vec());
    }
}
