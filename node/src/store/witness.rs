//! The witness: the newest acknowledged state of the store, in a file beside it. Comes in: what is durable.
//! Goes out: whether a store that is opened is that old at least. Must never be ahead of the disk.
//!
//! The database cannot tell that it lost its newest writes, or that somebody put an older copy in its
//! place: it opens, and says less. The witness can. It is written after the files of the store are fsynced
//! and before anybody is told, so it holds all that was acknowledged; a store that a crash left ahead of it
//! is fine. Two slots are written in turn and in place: one fdatasync and no rename, which measured a third
//! of the cost, and a torn write leaves the other slot.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use accord_proto::{
    reason::{Invalid, Reason},
    seal::Digest,
};

use super::schema;

/// Name of the file in the data folder.
pub(super) const FILE: &str = "head";
/// Apart by a page, so that no torn write reaches both.
const SLOT_AT: [u64; 2] = [0, 4096];
const MAGIC: &[u8; 8] = b"accord h";
const NUMBERS: usize = 16;
const SLOT_BYTES: usize = MAGIC.len() + NUMBERS + 4 * 32;

/// Where journal and contents stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    /// Entries of the journal.
    pub(super) size: u64,
    /// Its root.
    pub(super) root: Digest,
    /// The sum of all that lies in the store; none if the store had another format then.
    pub(super) contents: Option<[u8; 32]>,
}

/// The file, and the round that was written last.
#[derive(Debug)]
pub(super) struct Witness {
    path: PathBuf,
    file: Option<File>,
    round: u64,
}

impl Witness {
    /// The witness of a data folder, and what it saw. None: there is none, or it cannot be read.
    pub(super) fn open(folder: &Path) -> Result<(Self, Option<State>), Invalid> {
        let path = folder.join(FILE);
        let failed = |error: io::Error| {
            Invalid::new(Reason::StoreFailed, path.display().to_string(), error.to_string())
        };
        let file = match OpenOptions::new().read(true).write(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            file => Some(file.map_err(failed)?),
        };
        let newest = file.as_ref().and_then(|file| {
            SLOT_AT.into_iter().filter_map(|at| read(file, at)).max_by_key(|(round, _)| *round)
        });
        let round = newest.map_or(0, |(round, _)| round);
        // A file that cannot be read is made anew by the first write.
        let file = file.filter(|_| newest.is_some());
        Ok((Self { path, file, round }, newest.map(|(_, state)| state)))
    }

    /// Puts on record what is durable by now.
    pub(super) fn write(&mut self, state: State) -> io::Result<()> {
        self.round = self.round.saturating_add(1);
        match &self.file {
            Some(file) => {
                let at = if self.round.is_multiple_of(2) { SLOT_AT[0] } else { SLOT_AT[1] };
                file.write_all_at(&slot(self.round, state), at)?;
                file.sync_data()
            }
            None => self.create(state),
        }
    }

    /// The first time: whole under another name, then renamed.
    fn create(&mut self, state: State) -> io::Result<()> {
        let new = self.path.with_extension("new");
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)?;
        for at in SLOT_AT {
            file.write_all_at(&slot(self.round, state), at)?;
        }
        file.sync_all()?;
        std::fs::rename(&new, &self.path)?;
        if let Some(folder) = self.path.parent() {
            File::open(folder)?.sync_all()?;
        }
        self.file = Some(file);
        Ok(())
    }
}

fn slot(round: u64, state: State) -> Vec<u8> {
    let State { size, root, contents } = state;
    let mut bytes = MAGIC.to_vec();
    bytes.extend(round.to_be_bytes());
    bytes.extend(size.to_be_bytes());
    bytes.extend(root.0);
    bytes.extend(Digest::of(schema::FORMAT.as_bytes()).0);
    bytes.extend(contents.unwrap_or_default());
    bytes.extend(Digest::of(&bytes).0);
    bytes
}

fn read(file: &File, at: u64) -> Option<(u64, State)> {
    let mut bytes = [0; SLOT_BYTES];
    file.read_exact_at(&mut bytes, at).ok()?;
    let (said, checksum) = bytes.split_last_chunk::<32>()?;
    if Digest::of(said).0 != *checksum {
        return None;
    }
    let (round, rest) = said.strip_prefix(MAGIC)?.split_first_chunk::<8>()?;
    let (size, rest) = rest.split_first_chunk::<8>()?;
    let (root, rest) = rest.split_first_chunk::<32>()?;
    let (format, contents) = rest.split_first_chunk::<32>()?;
    let contents: [u8; 32] = contents.try_into().ok()?;
    let state = State {
        size: u64::from_be_bytes(*size),
        root: Digest(*root),
        contents: (Digest::of(schema::FORMAT.as_bytes()).0 == *format).then_some(contents),
    };
    Some((u64::from_be_bytes(*round), state))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(size: u64) -> State {
        State { size, root: Digest::of(&size.to_be_bytes()), contents: Some([7; 32]) }
    }

    #[test]
    fn the_newest_round_counts_and_a_torn_write_leaves_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        let (mut witness, found) = Witness::open(dir.path()).unwrap();
        assert_eq!(found, None);
        for size in 1..=5 {
            witness.write(state(size)).unwrap();
            assert_eq!(Witness::open(dir.path()).unwrap().1, Some(state(size)));
        }
        // The next round is torn half way.
        let next = slot(witness.round + 1, state(6));
        let at = if (witness.round + 1).is_multiple_of(2) { SLOT_AT[0] } else { SLOT_AT[1] };
        let file = OpenOptions::new().write(true).open(dir.path().join(FILE)).unwrap();
        file.write_all_at(&next[..SLOT_BYTES / 2], at).unwrap();
        let (mut witness, found) = Witness::open(dir.path()).unwrap();
        assert_eq!(found, Some(state(5)));
        witness.write(state(6)).unwrap();
        assert_eq!(Witness::open(dir.path()).unwrap().1, Some(state(6)));
    }

    #[test]
    fn a_witness_that_cannot_be_read_is_none() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(FILE), [0; 5000]).unwrap();
        let (mut witness, found) = Witness::open(dir.path()).unwrap();
        assert_eq!(found, None);
        witness.write(state(3)).unwrap();
        assert_eq!(Witness::open(dir.path()).unwrap().1, Some(state(3)));
    }
}
