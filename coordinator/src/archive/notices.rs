//! What has become of answers and requirements since. Comes in: notices of members, cancellations of authorities, as they
//! were signed. Goes out: the same, beside the pictures that rest on them. Must never change a picture.

use accord_proto::{
    clock::Timestamp,
    id::RequirementId,
    identity::{Identity, Name},
    journal::{Act, Entry},
    question::{Cancellation, SignedRequirement},
    reason::Invalid,
    seal::Digest,
    standing::Notice,
    transport::Peer,
    wire,
};
use prost::Message as _;

use super::{Archive, Pair, Room, entry, evidence::table_key, failed};

/// A notice with what was signed.
pub type SignedNotice = (Notice, wire::Envelope);

impl Archive {
    /// Keeps what members say of their answers: the newest for each table. True: there was something new.
    pub fn note(
        &self,
        by: &Identity,
        notices: &[SignedNotice],
        now: Timestamp,
    ) -> Result<bool, Invalid> {
        let writer = self.writer();
        let mut writes = Vec::new();
        for (notice, envelope) in notices {
            let table = &notice.table_digest.0;
            let key = [table_key(notice.requirement, &notice.node).as_slice(), table].concat();
            let bytes = envelope.encode_to_vec();
            let known = self.rooms[Room::Notices as usize].get(&key)?;
            if known.is_none_or(|known| known != bytes) {
                writes.push((Room::Notices, key, bytes));
            }
        }
        if writes.is_empty() {
            return Ok(false);
        }
        let subjects: Vec<_> =
            notices.iter().map(|(of, _)| format!("{} {}", of.requirement, of.node)).collect();
        let digest = Digest::of_parts(writes.iter().map(|(_, _, bytes)| bytes.as_slice()));
        let entry = Entry {
            at: now,
            act: Act::Collection,
            by: by.clone(),
            to: String::new(),
            why: "notices of answers that do not stand".to_owned(),
            subject: subjects.join(","),
            digest,
        };
        self.commit(writer, writes, entry)?;
        Ok(true)
    }

    /// What members have said of their answers to a requirement, by node.
    pub fn notices(&self, requirement: RequirementId) -> Result<Vec<wire::Envelope>, Invalid> {
        let room = &self.rooms[Room::Notices as usize];
        let decode = |entry: Result<Pair, Invalid>| {
            wire::Envelope::decode(entry?.1.as_ref()).map_err(failed)
        };
        room.scan(requirement.as_bytes()).map(decode).collect()
    }

    /// Whose answers to a requirement were accepted: node and digest of the table.
    pub fn accepted(&self, requirement: RequirementId) -> Result<Vec<(Name, Digest)>, Invalid> {
        let room = &self.rooms[Room::Tables as usize];
        let read = |entry: Result<Pair, Invalid>| {
            let (key, _) = entry?;
            let node = key.get(requirement.as_bytes().len()..).unwrap_or_default();
            let node = Name::parse("archive.table", &String::from_utf8_lossy(node))?;
            Ok(self.seen(requirement, &node)?.same.map(|seen| (node, seen.table)))
        };
        room.scan(requirement.as_bytes()).filter_map(|entry| read(entry).transpose()).collect()
    }

    /// Takes in a cancellation. The same one twice is one; the first counts.
    pub async fn cancel(
        &self,
        by: &Peer,
        asked: &SignedRequirement,
        cancellation: &Cancellation,
        now: Timestamp,
    ) -> Result<(), Invalid> {
        self.take_back(by, asked, cancellation, now)?;
        self.settled().await
    }

    fn take_back(
        &self,
        by: &Peer,
        asked: &SignedRequirement,
        cancellation: &Cancellation,
        now: Timestamp,
    ) -> Result<(), Invalid> {
        let id = asked.requirement().id;
        let writer = self.writer();
        if self.cancellation(id)?.is_some() {
            return Ok(());
        }
        let bytes = cancellation.envelope().encode_to_vec();
        let digest = Digest::of(&bytes);
        let write = (Room::Cancelled, id.as_bytes().to_vec(), bytes);
        let why = format!("cancel ({})", cancellation.why());
        self.commit(writer, vec![write], entry(by, asked, now, Act::Alteration, &why, digest))
    }

    /// The cancellation of a requirement, as it was signed.
    pub fn cancellation(&self, id: RequirementId) -> Result<Option<wire::Envelope>, Invalid> {
        let stored = self.rooms[Room::Cancelled as usize].get(id.as_bytes())?;
        stored.map(|bytes| wire::Envelope::decode(bytes.as_ref()).map_err(failed)).transpose()
    }
}
