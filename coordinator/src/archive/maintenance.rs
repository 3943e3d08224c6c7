//! Maintenance that was announced. Comes in: the same. Goes out: the same, after any restart. There is one, and it is over by itself.

use accord_proto::{
    clock::Timestamp, identity::Identity, journal::Entry, maintenance::Maintenance, reason::Invalid,
};
use prost::Message;

use super::{Archive, Room, failed};

/// In [`Room::Meta`]: what was announced last; nothing, if it was taken back.
const KEY: &[u8] = b"maintenance";
const FIELD: &str = "archive.maintenance";

#[derive(Clone, PartialEq, Message)]
struct Stored {
    #[prost(string, tag = "1")]
    by: String,
    #[prost(int64, tag = "2")]
    at_s: i64,
    #[prost(int64, tag = "3")]
    until_s: i64,
    #[prost(string, tag = "4")]
    why: String,
}

impl Archive {
    /// Puts it on record, in one transaction with its entry; nothing: it is over. Durable when [`Archive::settled`] says so.
    pub fn keep_maintenance(
        &self,
        announced: Option<&Maintenance>,
        entry: Entry,
    ) -> Result<(), Invalid> {
        let stored = announced.map(|Maintenance { by, at, until, why }| Stored {
            by: by.to_string(),
            at_s: at.as_s(),
            until_s: until.as_s(),
            why: why.clone(),
        });
        let bytes = stored.map_or_else(Vec::new, |stored| stored.encode_to_vec());
        self.commit(self.writer(), vec![(Room::Meta, KEY.to_vec(), bytes)], entry)
    }

    /// What was announced last, if that was not taken back; it may be over by now.
    pub fn maintenance(&self) -> Result<Option<Maintenance>, Invalid> {
        let stored = self.rooms[Room::Meta as usize].get(KEY)?;
        let Some(stored) = stored.filter(|stored| !stored.is_empty()) else { return Ok(None) };
        let Stored { by, at_s, until_s, why } = Stored::decode(stored.as_ref()).map_err(failed)?;
        let (at, until) = (Timestamp::from_s(FIELD, at_s)?, Timestamp::from_s(FIELD, until_s)?);
        Maintenance::new(Identity::parse(&by)?, at, until, why).map(Some)
    }
}
