//! A store out of a backup. Comes in: a backup file and an empty folder. Goes out: a store that opens as if
//! nothing had happened, and whose journal says what did. Must never write before the whole file is checked,
//! nor into a folder that holds something.

use std::{fs, io::Read, path::Path};

use accord_proto::{
    at_rest::Keys,
    backup::{Header, Reader},
    clock::{Entropy, Timestamp},
    durable::{self, is_empty},
    identity::Identity,
    journal::{Act, Entry},
    operate::backup::Source,
    reason::{Invalid, Reason},
    seal::Digest,
};

use super::{
    BACKUPS, Store, failed,
    kept::{Batch, Kept, Raw},
    open::{FOLDER, Opener, create_folders},
    verify,
};

/// Where a store is until it is whole.
const PARTIAL: &str = "store.partial";

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    /// What the backup says of itself.
    pub header: Header,
    /// SHA-256 of the backup, as it stands at its end.
    pub digest: Digest,
    /// Where the journal stands now: what the backup had, and the entry of this restoring.
    pub journal_size: u64,
    /// Requirements that answers are kept for.
    pub answers: u64,
}

/// Reads a backup from beginning to end.
pub fn check(file: impl Into<Source>) -> Result<(Header, Digest), Invalid> {
    let file = file.into();
    read(&file)?.values(|_, _, _| Ok(())).map_err(|error| of(&file.path, error))
}

/// Makes a store out of a backup in an empty folder, under the first of these keys, opens it, and notes in its journal that this was
/// done.
pub async fn restore(
    file: impl Into<Source>,
    data: &Path,
    now: Timestamp,
    (keys, entropy): (&Keys, &dyn Entropy),
) -> Result<Restored, Invalid> {
    if !is_empty(data).map_err(|error| of(data, failed(&error)))? {
        let detail = "is not empty; nothing was touched";
        return Err(Invalid::new(Reason::FileExists, data.display().to_string(), detail));
    }
    let file = &file.into();
    let (header, digest) = check(file.clone())?;
    let owner = Identity::parse(&header.owner)?;
    fs::create_dir_all(data).map_err(|error| of(data, failed(&error)))?;
    let opener = Opener { path: data, owner: &header.owner, free_bytes_min: 0, keys, entropy };
    verify::guarded(|| fill(file, opener)).map_err(|error| of(data, error))?;
    // Reads everything once more, from the disk, as any start does.
    let store = Store::open_by(opener)?;
    if store.head().journal().root().0 != *header.journal_root {
        return Err(of(&file.path, failed(&"its journal is not the one that its header names")));
    }
    let mut change = store.begin()?;
    // What was charged since the backup is not known.
    change.doubt();
    change.commit(Entry {
        at: now,
        act: Act::Alteration,
        by: owner,
        to: String::new(),
        why: "restore".to_owned(),
        subject: format!("a backup with {} journal entries", header.journal_size),
        digest,
    })?;
    store.settled().await?;
    let journal_size = store.head().journal().size();
    Ok(Restored { header, digest, journal_size, answers: store.answers() })
}

/// Writes every value under a name that nobody opens, and gives it its name when it is durable.
fn fill(file: &Source, opener: Opener<'_>) -> Result<(), Invalid> {
    let (data, partial) = (opener.path, opener.path.join(PARTIAL));
    {
        let keeping = opener.keys.of_new(opener.owner, opener.entropy)?;
        let (db, rooms) = Raw::open(&partial)?.kept(keeping);
        let mut batches: Vec<_> = rooms.iter().map(Kept::batch).collect();
        read(file)?.values(|room, key, value| {
            batches[room].insert(&key, &value)?;
            batches[room].write_if_many().map(drop)
        })?;
        batches.into_iter().try_for_each(Batch::write)?;
        db.flush().map_err(|error| failed(&error))?;
    }
    let named = durable::sync_all(&partial)
        .and_then(|()| fs::rename(&partial, data.join(FOLDER)))
        .and_then(|()| create_folders(data));
    named.map_err(|error| failed(&error))
}

fn read(file: &Source) -> Result<Reader<Box<dyn Read>>, Invalid> {
    Reader::open(BACKUPS, file.open()?).map_err(|error| of(&file.path, error))
}

/// The same error, with the path that it is about.
fn of(path: &Path, error: Invalid) -> Invalid {
    Invalid { field: path.display().to_string(), reason: Reason::StoreFailed, ..error }
}
