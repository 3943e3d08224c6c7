//! A backup as one file. Comes in: every value of a store, room by room. Goes out: bytes, and from such bytes every value
//! again. Must never be taken for whole when it is cut off or changed: the last thing in it is a SHA-256 over
//! everything before. That tells damage, and not who made it: whoever can write a backup can write another one.
//!
//! ```text
//! "accord-node backup 1\n", records of (length u32, bytes): header first, then values; length 0; SHA-256
//! ```
//!
//! Stands in the contract because both programs write it; it names no database.

use std::io::Read;

use prost::Message;

use crate::{
    limits::{BACKUP_CHUNK_BYTES, BACKUP_RECORD_BYTES_MAX},
    reason::{Invalid, Reason},
    seal::{Digest, Hasher},
};

pub mod moment;

/// Whose backups: those of one program cannot be read by the other.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The program.
    pub program: &'static str,
    /// Rooms of its store; elsewhere they are named by their place here.
    pub rooms: &'static [&'static str],
    /// Is this a format that it reads?
    pub check_format: fn(&[u8]) -> Result<(), Invalid>,
}

impl Kind {
    fn magic(&self) -> Vec<u8> {
        format!("{} backup 1\n", self.program).into_bytes()
    }
}

/// What a backup says of itself.
#[derive(Clone, PartialEq, Message)]
pub struct Header {
    /// Format of the store.
    #[prost(string, tag = "1")]
    pub format: String,
    /// Identity of the service whose store it is.
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
    /// A node's imports so far, those taken back or erased among them; a coordinator has none.
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

/// A backup that is written, piece by piece.
pub struct Writer<Send> {
    kind: &'static Kind,
    send: Send,
    piece: usize,
    hasher: Hasher,
    waiting: Vec<u8>,
}

impl<Send> std::fmt::Debug for Writer<Send> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Writer({})", self.kind.program)
    }
}

impl<Send: FnMut(Vec<u8>) -> Result<(), Invalid>> Writer<Send> {
    /// Writes the beginning.
    pub fn begin(kind: &'static Kind, header: &Header, send: Send) -> Result<Self, Invalid> {
        Self::begin_in_pieces(kind, header, BACKUP_CHUNK_BYTES, send)
    }

    /// The same with another size of pieces.
    pub fn begin_in_pieces(
        kind: &'static Kind,
        header: &Header,
        piece: usize,
        send: Send,
    ) -> Result<Self, Invalid> {
        let mut writer = Self { kind, send, piece, hasher: Hasher::default(), waiting: Vec::new() };
        writer.put(&kind.magic())?;
        writer.record(&header.encode_to_vec())?;
        Ok(writer)
    }

    /// A value of a room.
    pub fn value(&mut self, room: usize, key: &[u8], value: &[u8]) -> Result<(), Invalid> {
        let room = self.kind.rooms.get(room).copied().unwrap_or_default().to_owned();
        self.record(&Value { room, key: key.to_vec(), value: value.to_vec() }.encode_to_vec())
    }

    /// Writes the end.
    pub fn finish(mut self) -> Result<(), Invalid> {
        self.put(&0_u32.to_be_bytes())?;
        let digest = self.hasher.finish().0;
        self.waiting.extend(digest);
        (self.send)(self.waiting)
    }

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
}

/// A backup that is read.
pub struct Reader<File> {
    kind: &'static Kind,
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
    pub fn open(kind: &'static Kind, file: File) -> Result<Self, Invalid> {
        let (hasher, header) = (Hasher::default(), Header::default());
        let mut reader = Self { kind, file, hasher, header };
        let magic = kind.magic();
        if reader.take(magic.len())? != magic {
            let detail = format!("is no backup of {} of this version", kind.program);
            return Err(unusable(&detail));
        }
        let header = reader.record()?.ok_or_else(|| unusable("ends before its header"))?;
        reader.header = Header::decode(header.as_slice())
            .map_err(|_| unusable("is damaged: its header cannot be read"))?;
        (kind.check_format)(reader.header.format.as_bytes())?;
        Ok(reader)
    }

    /// What it says of itself; believed only once everything was read.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Every value with the place of its room, then the digest over everything: an error if anything is missing or
    /// changed.
    pub fn values(
        mut self,
        mut take: impl FnMut(usize, Vec<u8>, Vec<u8>) -> Result<(), Invalid>,
    ) -> Result<(Header, Digest), Invalid> {
        while let Some(record) = self.record()? {
            let Value { room, key, value } = Value::decode(record.as_slice())
                .map_err(|_| unusable("is damaged: a value cannot be read"))?;
            let room = self.kind.rooms.iter().position(|known| *known == room);
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

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: &Kind =
        &Kind { program: "accord-node", rooms: &["meta", "blocks"], check_format: |_| Ok(()) };

    #[test]
    fn a_backup_has_the_bytes_that_it_always_had() {
        let header = Header {
            format: "accord-node 1".to_owned(),
            owner: "spiffe://wb6.example/AL/node/al-police/node".to_owned(),
            created_s: 1_800_000_000,
            journal_size: 7,
            journal_root: vec![3; 32],
            imports: 2,
        };
        let mut file = Vec::new();
        let send = |piece: Vec<u8>| {
            file.extend(piece);
            Ok(())
        };
        let mut writer = Writer::begin_in_pieces(KIND, &header, 10, send).unwrap();
        writer.value(0, b"key", b"value").unwrap();
        writer.finish().unwrap();
        // Worked out by another program, by hand.
        let known = "52633a2fbfac363d413eadb77a0bfe9220430e5c573b58c492a62232d0649b2d";
        assert_eq!(Digest::of(&file).to_string(), known);
        let mut values = Vec::new();
        let reader = Reader::open(KIND, file.as_slice()).unwrap();
        let take = |room, key, value| {
            values.push((room, key, value));
            Ok(())
        };
        assert_eq!(reader.values(take).unwrap().0, header);
        assert_eq!(values, [(0, b"key".to_vec(), b"value".to_vec())]);
    }
}
