//! What pictures rest on. Comes in: verified answers and rosters. Goes out: what was seen of a member, and the tables behind a
//! picture, for whoever wants to check it. Must never hold a figure that is not public: a table comes here redacted, or not.

use accord_proto::{
    clock::Timestamp, id::RequirementId, identity::Name, journal::Act, question::SignedRequirement,
    reason::Invalid, seal::Digest, transport::Peer, wire,
};
use prost::Message as _;

use super::{Archive, KnownJournal, Room, entry, failed};
use crate::verify::{Seen, SeenSeal, SeenTable, VerifiedAnswer};

/// What was accepted of a member for a requirement.
#[derive(Clone, PartialEq, prost::Message)]
struct Accepted {
    #[prost(bytes = "vec", tag = "1")]
    table_digest: Vec<u8>,
    #[prost(uint64, tag = "2")]
    consent_epoch: u64,
    #[prost(uint64, tag = "3")]
    sequence: u64,
    /// Absent in what was accepted before seals were remembered.
    #[prost(bytes = "vec", tag = "4")]
    seal: Vec<u8>,
}

/// A member's seal with the highest number.
#[derive(Clone, PartialEq, prost::Message)]
struct Newest {
    #[prost(uint64, tag = "1")]
    sequence: u64,
    #[prost(bytes = "vec", tag = "2")]
    seal: Vec<u8>,
}

impl Archive {
    /// What was accepted of a member before.
    pub fn seen(&self, requirement: RequirementId, node: &Name) -> Result<Seen, Invalid> {
        let digest = |bytes: &[u8]| Digest::from_wire("archive.seen", bytes);
        let same = |bytes: sled::IVec| {
            let Accepted { table_digest, consent_epoch, sequence, seal } =
                Accepted::decode(bytes.as_ref()).map_err(failed)?;
            let seal = if seal.is_empty() { None } else { Some(digest(&seal)?) };
            Ok::<_, Invalid>(SeenTable {
                table: digest(&table_digest)?,
                consent_epoch,
                sequence,
                seal,
            })
        };
        let newest = |bytes: sled::IVec| {
            let Newest { sequence, seal } = Newest::decode(bytes.as_ref()).map_err(failed)?;
            Ok::<_, Invalid>(SeenSeal { sequence, digest: digest(&seal)? })
        };
        let get = |room: Room, key: &[u8]| self.rooms[room as usize].get(key);
        Ok(Seen {
            same: get(Room::Tables, &table_key(requirement, node))?.map(same).transpose()?,
            newest: get(Room::Seals, node.as_str().as_bytes())?.map(newest).transpose()?,
        })
    }

    /// Remembers what was accepted (digests and numbers, and the tables without the cells that are not public) and where
    /// members' journals stood.
    pub async fn remember(
        &self,
        by: &Peer,
        asked: &SignedRequirement,
        answers: &[VerifiedAnswer],
        heads: &[KnownJournal],
        now: Timestamp,
    ) -> Result<(), Invalid> {
        self.keep(by, asked, answers, heads, now)?;
        self.settled().await
    }

    fn keep(
        &self,
        by: &Peer,
        asked: &SignedRequirement,
        answers: &[VerifiedAnswer],
        heads: &[KnownJournal],
        now: Timestamp,
    ) -> Result<(), Invalid> {
        // Of two gathers at once, the later one sees what the earlier one wrote: numbers never go back.
        let writer = self.writer();
        let mut writes = self.newer(heads)?;
        for answer in answers {
            let (seal, seen) = (answer.seal(), answer.seen());
            let digest = seen.seal.map_or_else(Vec::new, |digest| digest.0.to_vec());
            let accepted = Accepted {
                table_digest: seen.table.0.to_vec(),
                consent_epoch: seen.consent_epoch,
                sequence: seen.sequence,
                seal: digest.clone(),
            };
            let key = table_key(seal.requirement, &seal.node);
            writes.push((Room::Tables, key, accepted.encode_to_vec()));
            let newest = self.seen(seal.requirement, &seal.node)?.newest;
            if newest.is_none_or(|newest| newest.sequence < seal.sequence) {
                let newest = Newest { sequence: seal.sequence, seal: digest };
                let node = seal.node.as_str().as_bytes().to_vec();
                writes.push((Room::Seals, node, newest.encode_to_vec()));
            }
            let kept = answer.redact().to_wire().encode_to_vec();
            writes.push((Room::Evidence, kept_key(seal.requirement, seal.table_digest), kept));
        }
        let digest =
            Digest::of_parts(answers.iter().map(|answer| &answer.seal().table_digest.0[..]));
        self.commit(writer, writes, entry(by, asked, now, Act::Collection, "gather", digest))
    }

    /// What is kept of a table that was accepted for a requirement.
    pub fn kept(
        &self,
        requirement: RequirementId,
        table: Digest,
    ) -> Result<Option<wire::SealedTable>, Invalid> {
        let stored = self.rooms[Room::Evidence as usize].get(kept_key(requirement, table));
        let decode = |bytes: sled::IVec| wire::SealedTable::decode(bytes.as_ref()).map_err(failed);
        stored?.map(decode).transpose()
    }

    /// A roster that was relied on.
    pub fn roster(&self, version: u64) -> Result<Option<wire::Envelope>, Invalid> {
        let stored = self.rooms[Room::Rosters as usize].get(version.to_be_bytes());
        let decode = |bytes: sled::IVec| wire::Envelope::decode(bytes.as_ref()).map_err(failed);
        stored?.map(decode).transpose()
    }
}

pub(super) fn table_key(requirement: RequirementId, node: &Name) -> Vec<u8> {
    [&requirement.as_bytes()[..], node.as_str().as_bytes()].concat()
}

fn kept_key(requirement: RequirementId, table: Digest) -> Vec<u8> {
    [&requirement.as_bytes()[..], &table.0].concat()
}
