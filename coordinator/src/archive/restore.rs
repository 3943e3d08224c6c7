//! An archive out of a backup. Comes in: a backup file and an empty folder. Goes out: an archive that is in doubt, and whose journal says
//! why. Must never write before the whole file is checked, nor into a folder that holds something, nor leave behind what opens
//! without that doubt.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

use accord_proto::{
    at_rest::Keys,
    backup::{Header, Reader},
    clock::{Entropy, Timestamp},
    durable::is_empty,
    identity::Identity,
    journal::{Act, Entry},
    operate::backup::Source,
    reason::{Invalid, Reason},
    seal::Digest,
};

use super::{
    Archive, BACKUPS, doubt, failed,
    kept::{Batch, Kept, Raw},
    opening::Opener,
};

/// It lies in the folder until all is there.
const MARK: &str = "restoring";

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    /// What the backup says of itself.
    pub header: Header,
    /// SHA-256 of the backup, as it stands at its end.
    pub digest: Digest,
    /// Where the journal stands now: what the backup had, and the entry of this restoring.
    pub journal_size: u64,
}

/// Reads a backup from beginning to end.
pub fn check(file: impl Into<Source>) -> Result<(Header, Digest), Invalid> {
    let file = file.into();
    read(&file)?.values(|_, _, _| Ok(())).map_err(|error| of(&file.path, error))
}

/// Makes an archive out of a backup in an empty folder, under the first of these keys, opens it, and notes in its journal that this was
/// done.
pub async fn restore(
    file: impl Into<Source>,
    data: &Path,
    now: Timestamp,
    (keys, entropy): (&Keys, &dyn Entropy),
) -> Result<Restored, Invalid> {
    let file = file.into();
    if !is_empty(data).map_err(|error| of(data, failed(error)))? {
        let detail = "is not empty; nothing was touched";
        return Err(Invalid::new(Reason::FileExists, data.display().to_string(), detail));
    }
    let (header, digest) = check(file.clone())?;
    let owner = Identity::parse(&header.owner)?;
    mark(data, true).map_err(|error| of(data, failed(error)))?;
    let opener = Opener { path: data, owner: &owner, free_bytes_min: 0, keys, entropy };
    fill(&file, opener).map_err(|error| of(data, error))?;
    // Reads the journal once more, from the disk, as any start does.
    let archive = Archive::open_any(opener, Keys::of_store)?;
    if archive.writer().root().0 != *header.journal_root {
        return Err(of(&file.path, failed("its journal is not the one that its header names")));
    }
    let entry = Entry {
        at: now,
        act: Act::Alteration,
        by: owner.clone(),
        to: String::new(),
        why: "restore".to_owned(),
        subject: format!("a backup with {} journal entries", header.journal_size),
        digest,
    };
    archive.commit(archive.writer(), vec![doubt::write(true)], entry)?;
    archive.settled().await?;
    let journal_size = archive.journal_size();
    mark(data, false).map_err(|error| of(data, failed(error)))?;
    Ok(Restored { header, digest, journal_size })
}

/// Refuses a folder in which a restore was cut off.
pub(super) fn check_whole(data: &Path) -> Result<(), Invalid> {
    if data.join(MARK).exists() {
        let detail = "was not restored to its end; empty it and restore again";
        return Err(of(data, failed(detail)));
    }
    Ok(())
}

fn mark(data: &Path, begins: bool) -> std::io::Result<()> {
    fs::create_dir_all(data)?;
    let mark: PathBuf = data.join(MARK);
    if begins {
        File::create_new(mark)?.sync_all()?;
    } else {
        fs::remove_file(mark)?;
    }
    File::open(data)?.sync_all()
}

fn fill(file: &Source, opener: Opener<'_>) -> Result<(), Invalid> {
    let keeping = opener.keys.of_new(&opener.owner.to_string(), opener.entropy)?;
    let (db, rooms) = Raw::open(opener.path)?.kept(keeping);
    let mut batches: Vec<_> = rooms.iter().map(Kept::batch).collect();
    read(file)?.values(|room, key, value| {
        batches[room].insert(&key, &value)?;
        batches[room].write_if_many()
    })?;
    batches.into_iter().try_for_each(Batch::write)?;
    db.flush().map(drop).map_err(failed)
}

fn read(file: &Source) -> Result<Reader<Box<dyn Read>>, Invalid> {
    Reader::open(BACKUPS, file.open()?).map_err(|error| of(&file.path, error))
}

/// The same error, with the path that it is about.
fn of(path: &Path, error: Invalid) -> Invalid {
    Invalid { field: path.display().to_string(), reason: Reason::StoreFailed, ..error }
}
