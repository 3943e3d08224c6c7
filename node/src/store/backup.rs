//! A backup as one file. Comes in: a snapshot of the store. Goes out: bytes, and from such bytes every value
//! again. Must never be taken for whole when it is cut off or changed: the last thing in it is a SHA-256 over
//! everything before.
//!
//! ```text
//! "accord-node backup 1\n", records of (length u32, bytes): header first, then values; length 0; SHA-256
//! ```

use std::io::Read;

use accord_proto::{
    clock::Timestamp,
    limits::{BACKUP_CHUNK_BYTES, BACKUP_RECORD_BYTES_MAX},
    reason::{Invalid, Reason},
    seal::{Digest, Hasher},
};
use prost::Message;

use super::{Room, Snapshot, schema};

const MAGIC: &[u8] = b"accord-node backup 1\n";

/// What a backup says of itself.
#[derive(Clone, PartialEq, Message)]
pub struct Header {
    /// Format of the store.
    #[prost(string, tag = "1")]
    pub format: String,
    /// Identity of the node whose store it is.
    #[prost(string, tag = "2")]
    pub owner: String,
    /// When it was made.
    #[prost(int64, tag = "3")]
    pub created_s: i64,
    /// Entries of the journal in it.
    #[prost(uint64, tag = "4")]
    pub journal_size: u64,
    /// The journal's root.
    #[prost(bytes = "vec", tag = "5")]
    pub journal_root: Vec<u8>,
    /// Imports so far, those taken back or erased among them.
    #[prost(uint64, tag = "6")]
    pub imports: u64,
}

#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, tag = "1")]
    room: String,
    #[prost(bytes = "vec", tag = "2")]
    key: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    value: Vec<u8>,
}

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
        let mut writer = Writer { send, piece, hasher: Hasher::default(), waiting: Vec::new() };
        writer.put(MAGIC)?;
        let header = Header {
            format: schema::FORMAT.to_owned(),
            owner: owner.to_owned(),
            created_s: now.as_s(),
            journal_size: self.head().journal().size(),
            journal_root: self.head().journal().root().0.to_vec(),
            imports: self.head().imports(),
        };
        writer.record(&header.encode_to_vec())?;
        self.read(|room, key, value| {
            let (key, value) = (key.to_vec(), value.to_vec());
            writer.record(&Value { room: room.name().to_owned(), key, value }.encode_to_vec())
        })?;
        writer.finish()
    }
}

struct Writer<Send> {
    send: Send,
    piece: usize,
    hasher: Hasher,
    waiting: Vec<u8>,
}

impl<Send: FnMut(Vec<u8>) -> Result<(), Invalid>> Writer<Send> {
    fn record(&mut self, bytes: &[u8]) -> Result<(), Invalid> {
        let length = u32::try_from(bytes.len()).ok().filter(|length| {
            usize::try_from(*length).is_ok_and(|length| length <= BACKUP_RECORD_BYTES_MAX)
        });
        let length = length.ok_or_else(|| {
            let detail = format!("a value of more than {BACKUP_RECORD_BYTES_MAX} bytes");
            Invalid::new(Reason::LimitExceeded, "backup", detail)
        })?;
        self.put(&length.to_be_bytes())?;
        self.put(bytes)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Invalid> {
        self.hasher.update(bytes);
        self.waiting.extend(bytes);
        while self.waiting.len() >= self.piece {
            let rest = self.waiting.split_off(self.piece);
            (self.send)(std::mem::replace(&mut self.waiting, rest))?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(), Invalid> {
        self.put(&0_u32.to_be_bytes())?;
        let digest = self.hasher.finish().0;
        self.waiting.extend(digest);
        (self.send)(self.waiting)
    }
}

/// A backup that is read.
pub struct Reader<File> {
    file: File,
    hasher: Hasher,
    header: Header,
}

impl<File> std::fmt::Debug for Reader<File> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reader({})", self.header.owner)
    }
}

impl<File: Read> Reader<File> {
    /// Reads the beginning.
    pub fn open(file: File) -> Result<Self, Invalid> {
        let mut reader = Self { file, hasher: Hasher::default(), header: Header::default() };
        let magic = reader.take(MAGIC.len())?;
        if magic != MAGIC {
            return Err(unusable("is no backup of a node of this version"));
        }
        let header = reader.record()?.ok_or_else(|| unusable("ends before its header"))?;
        reader.header = Header::decode(header.as_slice())
            .map_err(|_| unusable("is damaged: its header cannot be read"))?;
        schema::check_format(reader.header.format.as_bytes())?;
        Ok(reader)
    }

    /// What it says of itself; believed only once everything was read.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Every value, then the digest over everything: an error if anything is missing or changed.
    pub(super) fn values(
        mut self,
        mut take: impl FnMut(Room, Vec<u8>, Vec<u8>) -> Result<(), Invalid>,
    ) -> Result<(Header, Digest), Invalid> {
        while let Some(record) = self.record()? {
            let Value { room, key, value } = Value::decode(record.as_slice())
                .map_err(|_| unusable("is damaged: a value cannot be read"))?;
            let room = Room::ALL.into_iter().find(|known| known.name() == room);
            take(room.ok_or_else(|| unusable("has a room that is not known"))?, key, value)?;
        }
        let computed = std::mem::take(&mut self.hasher).finish();
        if self.take(computed.0.len())? != computed.0 {
            return Err(unusable("is damaged: its SHA-256 is another"));
        }
        match self.file.read(&mut [0]) {
            Ok(0) => Ok((self.header, computed)),
            Ok(_) => Err(unusable("goes on behind its end")),
            Err(error) => Err(unusable(&error.to_string())),
        }
    }

    fn record(&mut self) -> Result<Option<Vec<u8>>, Invalid> {
        let length = self.take(4)?;
        let length = length.first_chunk().map_or(0, |length| u32::from_be_bytes(*length));
        match usize::try_from(length) {
            Ok(0) => Ok(None),
            Ok(length) if length <= BACKUP_RECORD_BYTES_MAX => self.take(length).map(Some),
            _ => Err(unusable("is damaged: a record is longer than any may be")),
        }
    }

    fn take(&mut self, bytes: usize) -> Result<Vec<u8>, Invalid> {
        let mut taken = Vec::new();
        // Not made ready at full length: what a damaged length promises need not be there.
        let read = (&mut self.file).take(bytes as u64).read_to_end(&mut taken);
        read.map_err(|error| unusable(&error.to_string()))?;
        if taken.len() < bytes {
            return Err(unusable("is cut off"));
        }
        self.hasher.update(&taken);
        Ok(taken)
    }
}

fn unusable(what: &str) -> Invalid {
    Invalid::new(Reason::StoreFailed, "backup", what)
}
