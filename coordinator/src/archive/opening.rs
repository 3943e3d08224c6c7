//! Opening the archive. Comes in: a folder, and whose it is. Goes out: an archive, or why it is not opened. Must never open one of another
//! owner or format, nor one that was not restored to its end.

use std::{path::Path, sync::Mutex};

use accord_proto::{
    backup::moment::Before,
    durable::{self, Durable},
    identity::Identity,
    journal::Frontier,
    reason::Invalid,
};

use super::{Archive, FORMAT, Room, failed, journal, restore};

impl Archive {
    /// Opens or creates. `owner` is the coordinator's identity.
    pub fn open(path: &Path, owner: &Identity, free_bytes_min: u64) -> Result<Self, Invalid> {
        restore::check_whole(path)?;
        Self::open_any(path, owner, free_bytes_min)
    }

    /// The same with one that is still being restored.
    pub(super) fn open_any(
        path: &Path,
        owner: &Identity,
        free_bytes_min: u64,
    ) -> Result<Self, Invalid> {
        let (db, rooms) = database(path)?;
        let meta = &rooms[Room::Meta as usize];
        let opening = format!("{FORMAT} {owner}");
        let journal = match meta.get("format").map_err(failed)? {
            Some(found) if found == opening.as_bytes() => {
                Frontier::from_bytes(&meta.get("journal").map_err(failed)?.unwrap_or_default())?
            }
            Some(found) => {
                return Err(failed(format!(
                    "is \"{}\", not \"{opening}\"",
                    String::from_utf8_lossy(&found)
                )));
            }
            None => {
                let mut batch = sled::Batch::default();
                batch.insert("format", opening.as_bytes());
                batch.insert("journal", Frontier::default().to_bytes());
                meta.apply_batch(batch).map_err(failed)?;
                Frontier::default()
            }
        };
        let tree = journal::whole(&rooms[Room::Journal as usize], &journal)?;
        let flush = move || db.flush().map(drop).map_err(|error| error.to_string());
        let durable = Durable::start(path.to_owned(), flush)?;
        Ok(Self {
            path: path.to_owned(),
            free_bytes_min,
            rooms,
            durable,
            before: Before::default(),
            journal: Mutex::new(journal),
            tree: Mutex::new(tree),
        })
    }
}

/// Opens or creates the database, with every room.
pub(super) fn database(path: &Path) -> Result<(sled::Db, Vec<sled::Tree>), Invalid> {
    let config =
        sled::Config::new().path(path).flush_every_ms(None).cache_capacity(64 * 1024 * 1024);
    let held = |error: &sled::Error| error.to_string().contains("could not acquire lock");
    let db = durable::open_when_free(|| config.open(), held).map_err(failed)?;
    let rooms = Room::NAMES.iter().map(|name| db.open_tree(name));
    let rooms = rooms.collect::<Result<_, _>>().map_err(failed)?;
    Ok((db, rooms))
}
