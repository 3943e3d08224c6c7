//! The journal, read back. Comes in: places in it. Goes out: exact bytes of entries, and proofs about them; and where
//! the journals of others stood when they were shown. Must never give out a head that is ahead of what is committed.

use std::{
    ops::Range,
    sync::{MutexGuard, PoisonError},
};

use accord_proto::{
    journal::{Checkpoint, Proof, Tree, leaf},
    reason::{Invalid, Reason},
    seal::Digest,
};
use prost::Message;

use super::{Change, Room, Store, schema};

/// What is kept of another's journal.
#[derive(Clone, PartialEq, Message)]
pub(super) struct StoredPeer {
    #[prost(string, tag = "1")]
    note: String,
    #[prost(string, tag = "2")]
    second: String,
    #[prost(uint64, tag = "3")]
    size: u64,
    #[prost(bytes = "vec", tag = "4")]
    root: Vec<u8>,
}

/// Where another's journal stood when it was shown last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerJournal {
    /// What the newest checkpoint that is believed says.
    pub head: Checkpoint,
    /// The same as it was signed, maybe with a key that is not in the roster any more.
    pub note: String,
    /// One that contradicts it, as it was signed too; empty: none was ever shown.
    pub second: String,
}

impl Store {
    /// Where the journal stands.
    pub fn checkpoint(&self, origin: String) -> Checkpoint {
        Checkpoint::of(origin, self.tree().frontier())
    }

    /// One entry, as it is stored.
    pub fn entry(&self, index: u64) -> Result<Vec<u8>, Invalid> {
        let stored = self.rooms[Room::Journal.at()].get(index.to_be_bytes())?;
        let stored = stored.ok_or_else(|| {
            Invalid::new(Reason::NotFound, "journal", format!("there is no entry {index}"))
        })?;
        Ok(stored.to_vec())
    }

    /// Entries from one place up to another, as they are stored, in their order.
    pub fn entries(&self, range: Range<u64>) -> impl Iterator<Item = Result<Vec<u8>, Invalid>> {
        let range = range.start.to_be_bytes()..range.end.to_be_bytes();
        let entries = self.rooms[Room::Journal.at()].range(range);
        entries.map(|entry| Ok(entry?.1.to_vec()))
    }

    /// That an entry stands at its place in the journal of that size.
    pub fn inclusion(&self, index: u64, size: u64) -> Result<Proof, Invalid> {
        let tree = self.tree().clone();
        tree.inclusion(index, size, self.leaves())
    }

    /// That the journal of one size begins with that of another.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Proof, Invalid> {
        let tree = self.tree().clone();
        tree.consistency(old, new, self.leaves())
    }

    /// Root over the first entries.
    pub fn root_at(&self, size: u64) -> Result<Digest, Invalid> {
        let tree = self.tree().clone();
        tree.root_at(size, self.leaves())
    }

    fn tree(&self) -> MutexGuard<'_, Tree> {
        self.tree.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leaves(&self) -> impl Fn(Range<u64>) -> Result<Vec<Digest>, Invalid> + '_ {
        |range| self.entries(range).map(|entry| Ok(leaf(&entry?))).collect()
    }

    /// Where the journal of that service stood when it was shown last.
    pub fn peer_journal(&self, origin: &str) -> Result<Option<PeerJournal>, Invalid> {
        let stored = self.rooms[Room::Peers.at()].get(origin)?;
        let read = |bytes: sled::IVec| {
            let StoredPeer { note, second, size, root } = schema::decode(&bytes)?;
            let root = Digest::from_wire("store.peers.root", &root)?;
            let head = Checkpoint { origin: origin.to_owned(), size, root };
            Ok(PeerJournal { head, note, second })
        };
        stored.map(read).transpose()
    }

    /// Was it said before that this journal had once come to this root?
    pub fn is_known_loss(&self, root: &Digest) -> Result<bool, Invalid> {
        self.rooms[Room::Peers.at()].contains_key(root.0)
    }
}

impl Change<'_> {
    /// Keeps where another's journal stands.
    pub fn peer_journal(&mut self, journal: &PeerJournal) {
        let PeerJournal { head, note, second } = journal.clone();
        let stored = StoredPeer { note, second, size: head.size, root: head.root.0.to_vec() };
        self.write(Room::Peers, head.origin.as_bytes(), stored.encode_to_vec());
    }

    /// Starts anew with another's journal.
    pub fn forget_peer_journal(&mut self, origin: &str) {
        self.remove(Room::Peers, origin.as_bytes());
    }

    /// This journal had once come to this root, as this note of its own says, and does not lead there any more.
    pub fn note_loss(&mut self, root: &Digest, note: &str) {
        let stored = StoredPeer { note: note.to_owned(), ..StoredPeer::default() };
        self.write(Room::Peers, &root.0, stored.encode_to_vec());
    }
}
