//! What others were told of answers, and what they hold, on disk. Comes in: notices and statements of holdings, as they
//! were signed. Goes out: the same, and every answer that was ever given.

use accord_proto::{
    id::RequirementId,
    reason::Invalid,
    seal::{Digest, Envelope},
};
use prost::Message;

use super::{Change, Released, Room, Store, schema};

fn key(requirement: RequirementId, table: Digest) -> Vec<u8> {
    [&requirement.as_bytes()[..], &table.0].concat()
}

/// Beside one table.
#[derive(Clone, PartialEq, Message)]
pub struct Told {
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

impl Store {
    /// What was told of an answer, and what is held of it.
    pub fn told(&self, requirement: RequirementId, table: Digest) -> Result<Told, Invalid> {
        let room = &self.rooms[Room::Standing.at()];
        let stored = room.get(key(requirement, table))?;
        stored.map_or_else(|| Ok(Told::default()), |bytes| schema::decode(&bytes))
    }

    /// What others said last that they hold of the tables of a requirement, as it was signed.
    pub fn held_elsewhere(&self, requirement: RequirementId) -> Result<Vec<Envelope>, Invalid> {
        let told = self.scan(Room::Standing, requirement.as_bytes());
        let said = |told: Told| told.holdings;
        told.filter_map(|entry| {
            entry.and_then(|(_, bytes)| schema::decode(&bytes)).map(said).transpose()
        })
        .collect()
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
    pub fn tell(&mut self, requirement: RequirementId, table: Digest, told: &Told) {
        self.write(Room::Standing, &key(requirement, table), told.encode_to_vec());
    }
}
