//! The store as a backup. Comes in: a snapshot of it. Goes out: the same as a file, piece by piece.

use accord_proto::{
    backup::{Header, Kind, Writer},
    clock::Timestamp,
    limits::BACKUP_CHUNK_BYTES,
    reason::Invalid,
};

use super::{Room, Snapshot, schema};

/// A node's backups.
pub const BACKUPS: &Kind =
    &Kind { program: "accord-node", rooms: &Room::NAMES, check_format: schema::check_format };

impl Snapshot<'_> {
    /// The whole backup, piece by piece.
    pub fn write(
        &self,
        owner: &str,
        now: Timestamp,
        send: impl FnMut(Vec<u8>) -> Result<(), Invalid>,
    ) -> Result<(), Invalid> {
        self.write_in_pieces(owner, now, BACKUP_CHUNK_BYTES, send)
    }

    pub(super) fn write_in_pieces(
        &self,
        owner: &str,
        now: Timestamp,
        piece: usize,
        send: impl FnMut(Vec<u8>) -> Result<(), Invalid>,
    ) -> Result<(), Invalid> {
        let header = Header {
            format: schema::FORMAT.to_owned(),
            owner: owner.to_owned(),
            created_s: now.as_s(),
            journal_size: self.head().journal().size(),
            journal_root: self.head().journal().root().0.to_vec(),
            imports: self.head().imports(),
        };
        let mut writer = Writer::begin_in_pieces(BACKUPS, &header, piece, send)?;
        self.read(|room, key, value| writer.value(room.at(), key, value))?;
        writer.finish()
    }
}
