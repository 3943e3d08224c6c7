//! Where members stand in a collection. Comes in: the same. Goes out: the same, after any crash. No entry of the journal: what
//! was collected has its own, and how often somebody was away is nobody's act.

use accord_proto::{
    clock::Timestamp, id::RequirementId, identity::Name, reason::Invalid,
    taxonomy::JurisdictionCode,
};
use prost::Message;

use super::{Archive, Room, failed};
use crate::collection::{Collection, End, Slot};

#[derive(Clone, PartialEq, Message)]
struct Stored {
    #[prost(int64, tag = "1")]
    begun_at_s: i64,
    #[prost(message, repeated, tag = "2")]
    slots: Vec<StoredSlot>,
    /// Empty: it goes on.
    #[prost(string, tag = "3")]
    end: String,
}

#[derive(Clone, PartialEq, Message)]
struct StoredSlot {
    #[prost(string, tag = "1")]
    node: String,
    #[prost(string, tag = "2")]
    jurisdiction: String,
    #[prost(bool, tag = "3")]
    answered: bool,
    #[prost(string, tag = "4")]
    reason: String,
    #[prost(uint32, tag = "5")]
    tries: u32,
    #[prost(uint32, tag = "6")]
    failures: u32,
    /// 0: never.
    #[prost(int64, tag = "7")]
    last_contact_s: i64,
    #[prost(int64, tag = "8")]
    next_s: i64,
}

impl Archive {
    /// Keeps where a collection stands. Durable when [`Archive::settled`] says so.
    pub fn keep_collection(&self, collection: &Collection) -> Result<(), Invalid> {
        self.check_room()?;
        let slot = |(node, slot): (&Name, &Slot)| StoredSlot {
            node: node.to_string(),
            jurisdiction: slot.jurisdiction.to_string(),
            answered: slot.answered,
            reason: slot.reason.clone(),
            tries: slot.tries,
            failures: slot.failures,
            last_contact_s: slot.last_contact.map_or(0, Timestamp::as_s),
            next_s: slot.next.as_s(),
        };
        let stored = Stored {
            begun_at_s: collection.begun_at.as_s(),
            slots: collection.slots.iter().map(slot).collect(),
            end: collection.end.map_or_else(String::new, |end| end.as_str().to_owned()),
        };
        let (room, key) = (Room::Collections as usize, collection.requirement.as_bytes());
        let kept = &self.rooms[room];
        let insert = || kept.insert(key, &stored.encode_to_vec());
        self.before.replaced((room, &kept.at(key)?), insert)
    }

    /// The collection of a requirement, if anybody has begun it.
    pub fn collection(&self, requirement: RequirementId) -> Result<Option<Collection>, Invalid> {
        let stored = self.rooms[Room::Collections as usize].get(requirement.as_bytes());
        stored?.map(|bytes| read(requirement, &bytes)).transpose()
    }

    /// Collections that go on, oldest first.
    pub fn open_collections(&self) -> Result<Vec<Collection>, Invalid> {
        let mut open = Vec::new();
        for entry in self.rooms[Room::Collections as usize].scan(&[]) {
            let (key, bytes) = entry?;
            let collection = read(RequirementId::from_bytes("archive.collection", &key)?, &bytes)?;
            open.extend(collection.end.is_none().then_some(collection));
        }
        Ok(open)
    }
}

fn read(requirement: RequirementId, bytes: &[u8]) -> Result<Collection, Invalid> {
    const FIELD: &str = "archive.collection";
    let Stored { begun_at_s, slots, end } = Stored::decode(bytes).map_err(failed)?;
    let slot = |stored: StoredSlot| {
        let contact = stored.last_contact_s;
        let jurisdiction = JurisdictionCode::parse(&stored.jurisdiction);
        let slot = Slot {
            jurisdiction: jurisdiction.ok_or_else(|| failed("a collection cannot be read"))?,
            answered: stored.answered,
            reason: stored.reason,
            tries: stored.tries,
            failures: stored.failures,
            last_contact: match contact {
                0 => None,
                contact => Some(Timestamp::from_s(FIELD, contact)?),
            },
            next: Timestamp::from_s(FIELD, stored.next_s)?,
        };
        Ok((Name::parse(FIELD, &stored.node)?, slot))
    };
    let end = match end.as_str() {
        "" => None,
        end => Some(End::parse(end).ok_or_else(|| failed("a collection cannot be read"))?),
    };
    Ok(Collection {
        requirement,
        begun_at: Timestamp::from_s(FIELD, begun_at_s)?,
        slots: slots.into_iter().map(slot).collect::<Result<_, Invalid>>()?,
        end,
    })
}
