//! Maintenance that was announced. Comes in: the same. Goes out: the same, after any restart. It lies among the counters: there is one, and it
//! is over by itself.

use accord_proto::{
    clock::Timestamp, identity::Identity, maintenance::Maintenance, reason::Invalid,
};
use prost::Message;

use super::{Change, Store};

const FIELD: &str = "store.maintenance";

#[derive(Clone, PartialEq, Message)]
pub(super) struct StoredMaintenance {
    #[prost(string, tag = "1")]
    by: String,
    #[prost(int64, tag = "2")]
    at_s: i64,
    #[prost(int64, tag = "3")]
    until_s: i64,
    #[prost(string, tag = "4")]
    why: String,
}

impl Store {
    /// What was announced last, if that was not taken back; it may be over by now.
    pub fn maintenance(&self) -> Result<Option<Maintenance>, Invalid> {
        let read = |StoredMaintenance { by, at_s, until_s, why }| {
            Maintenance::new(
                Identity::parse(&by)?,
                Timestamp::from_s(FIELD, at_s)?,
                Timestamp::from_s(FIELD, until_s)?,
                why,
            )
        };
        self.head().counters.maintenance.map(read).transpose()
    }
}

impl Change<'_> {
    /// This is announced from now on; nothing: it is over.
    pub fn maintenance(&mut self, announced: Option<&Maintenance>) {
        let stored = announced.map(|Maintenance { by, at, until, why }| StoredMaintenance {
            by: by.to_string(),
            at_s: at.as_s(),
            until_s: until.as_s(),
            why: why.clone(),
        });
        self.next.counters.maintenance = stored;
    }
}
