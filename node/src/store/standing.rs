//! What others were told of answers, and what they hold, on disk. Comes in: notices and statements of holdings, as they
//! were signed. Goes out: the same, and every answer that was ever given.

use accord_proto::{
    id::RequirementId,
    reason::Invalid,
    seal::{Digest, Envelope},
};
use prost::Message;

use super::{Change, Released, Room, Store, failed, schema};

/// Beside one answer.
#[derive(Clone, PartialEq, Message)]
pub struct Told {
    /// SHA-256 of the table that the newest notice is about.
    #[prost(bytes = "vec", tag = "1")]
    pub table_sha256: Vec<u8>,
    /// The newest notice, as it was signed; none while the answer stands.
    #[prost(message, optional, tag = "2")]
    pub notice: Option<Envelope>,
    /// The newest statement of holdings that names the answer, as it was signed.
    #[prost(message, optional, tag = "3")]
    pub holdings: Option<Envelope>,
    /// What it says of this answer.
    #[prost(bytes = "vec", tag = "4")]
    pub holding: Vec<u8>,
}

impl Told {
    /// The notice of this table's standing that was signed last.
    pub fn notice_of(&self, table: Digest) -> Option<&Envelope> {
        self.notice.as_ref().filter(|_| self.table_sha256 == table.0)
    }
}

impl Store {
    /// What was told of an answer, and what is held of it.
    pub fn told(&self, requirement: RequirementId) -> Result<Told, Invalid> {
        let room = &self.rooms[Room::Standing.at()];
        let stored = room.get(requirement.as_bytes()).map_err(|error| failed(&error))?;
        stored.map_or_else(|| Ok(Told::default()), |bytes| schema::decode(&bytes))
    }

    /// Every answer that was released, oldest requirement first.
    pub fn all_released(&self) -> impl Iterator<Item = Result<(RequirementId, Released), Invalid>> {
        self.scan(Room::Answers, &[]).map(|entry| {
            let (key, bytes) = entry?;
            Ok((RequirementId::from_bytes("store.answer", &key)?, schema::decode(&bytes)?))
        })
    }
}

impl Change<'_> {
    /// What is told of an answer, and held of it, from now on.
    pub fn tell(&mut self, requirement: RequirementId, told: &Told) {
        self.write(Room::Standing, requirement.as_bytes(), told.encode_to_vec());
    }
}
