//! Where pictures have arrived. Comes in: members' receipts, checked. Goes out: the same, as they were signed. Must never keep a
//! receipt without its journal entry.

use accord_proto::{
    clock::Timestamp,
    delivery::PictureReceipt,
    id::RequirementId,
    identity::{Identity, Name},
    journal::{Act, Entry},
    reason::Invalid,
    seal::Digest,
    wire,
};
use prost::Message;

use super::{Archive, KnownJournal, Room, failed};

/// That a picture has arrived at a member.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrived {
    /// Over what members had said of their answers by then, in the order in which it stands in the file.
    pub notices: Digest,
    /// When the receipt came.
    pub at: Timestamp,
    /// The receipt as it was signed.
    pub receipt: wire::Envelope,
}

#[derive(Clone, PartialEq, Message)]
struct Stored {
    #[prost(bytes = "vec", tag = "1")]
    notices: Vec<u8>,
    #[prost(int64, tag = "2")]
    at_s: i64,
    #[prost(message, optional, tag = "3")]
    receipt: Option<wire::Envelope>,
}

fn key(requirement: RequirementId, version: u32, node: &Name) -> Vec<u8> {
    [&requirement.as_bytes()[..], &version.to_be_bytes(), node.as_str().as_bytes()].concat()
}

impl Archive {
    /// The last receipt of a member for a version of a picture.
    pub fn arrived(
        &self,
        requirement: RequirementId,
        version: u32,
        node: &Name,
    ) -> Result<Option<Arrived>, Invalid> {
        let room = &self.rooms[Room::Deliveries as usize];
        let stored = room.get(key(requirement, version, node))?;
        let Some(stored) = stored else { return Ok(None) };
        let Stored { notices, at_s, receipt } = Stored::decode(stored.as_ref()).map_err(failed)?;
        Ok(Some(Arrived {
            notices: Digest::from_wire("archive.delivery", &notices)?,
            at: Timestamp::from_s("archive.delivery", at_s)?,
            receipt: receipt.unwrap_or_default(),
        }))
    }

    /// Keeps a receipt, and where the member's journal stood then: to whom what was given, and why.
    pub fn deliver(
        &self,
        (by, to, why): (&Identity, &Identity, String),
        receipt: &PictureReceipt,
        arrived: &Arrived,
        heads: &[KnownJournal],
    ) -> Result<(), Invalid> {
        let PictureReceipt { node, requirement, version, evidence, .. } = receipt;
        let writer = self.writer();
        let mut writes = self.newer(heads)?;
        let stored = Stored {
            notices: arrived.notices.0.to_vec(),
            at_s: arrived.at.as_s(),
            receipt: Some(arrived.receipt.clone()),
        };
        writes.push((Room::Deliveries, key(*requirement, *version, node), stored.encode_to_vec()));
        let entry = Entry {
            at: arrived.at,
            act: Act::Disclosure,
            by: by.clone(),
            to: to.to_string(),
            why,
            subject: format!("picture {requirement} version {version}"),
            digest: *evidence,
        };
        self.commit(writer, writes, entry)
    }
}
