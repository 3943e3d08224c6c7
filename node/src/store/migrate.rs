//! From one format on disk to the next. Comes in: a data folder in an older format. Goes out: the same content
//! in this one, with the old store kept beside it. Must never guess, and never change the old store.
//!
//! Steps run on a copy; the copy takes the store's place in one exchange of names. A crash before it leaves
//! the old store, after it the new one.
//!
//! ```text
//! DATA/store ─copy─► DATA/store.migrating ─steps, fsync─► exchange ─► DATA/store, DATA/store.accord-node-N
//! ```

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use accord_proto::{durable, reason::Invalid};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::{
    Kept, Room, failed, grants,
    kept::Raw,
    open::{FOLDER, Opener},
    schema,
};

const COPY: &str = "store.migrating";
/// Steps in a row; more means that they go in a circle.
const STEPS_MAX: usize = 64;

/// One format to the next. It checks what it reads, keeps every journal entry as it is, and refuses by name
/// what it does not understand.
pub(super) struct Step {
    /// The format that it reads.
    pub(super) from: &'static str,
    /// The format that it leaves.
    pub(super) to: &'static str,
    /// Changes the copy, which is kept as the store is: bare or under its key.
    pub(super) run: fn(&[Kept]) -> Result<(), Invalid>,
}

/// All steps there are.
pub(super) const STEPS: &[Step] =
    &[Step { from: "accord-node 5", to: schema::FORMAT, run: grants::from_5 }];

/// Was a migration cut off?
pub(super) fn under_way(data: &Path) -> bool {
    data.join(COPY).exists()
}

/// Brings a store to the current format, if it has an older one that steps lead on from.
pub(super) fn to_current(opener: Opener<'_>, steps: &[Step]) -> Result<(), Invalid> {
    let data = opener.path;
    let (store, copy) = (data.join(FOLDER), data.join(COPY));
    if !store.exists() {
        return Ok(());
    }
    let copied = copy.exists();
    let format = format_of(&store)?;
    let path = path_from(&format, steps);
    if path.is_empty() {
        if copied && format == schema::FORMAT {
            // The names were exchanged before a crash: the copy is the old store.
            let old = format_of(&copy)?;
            fs::rename(&copy, data.join(kept(&old))).map_err(|error| failed(&error))?;
        }
        // An unknown format is refused by whoever opens the store.
        return Ok(());
    }
    let old = data.join(kept(&format));
    if old.exists() {
        let name = old.display();
        return Err(failed(&format!("{name} is in the way of a migration; move it elsewhere")));
    }
    migrate(opener, &copy, &path)?;
    exchange(&store, &copy)?;
    let renamed = fs::rename(&copy, &old).and_then(|()| File::open(data)?.sync_all());
    renamed.map_err(|error| failed(&error))
}

/// Each gets the other's name, in one step.
pub(super) fn exchange(one: &Path, other: &Path) -> Result<(), Invalid> {
    let exchanged = renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE);
    exchanged.map_err(|error| failed(&error))
}

/// Copy, steps, fsync.
fn migrate(opener: Opener<'_>, copy: &Path, path: &[&Step]) -> Result<(), Invalid> {
    let copied = match fs::remove_dir_all(copy) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => copy_all(&opener.path.join(FOLDER), copy),
    };
    copied.map_err(|error| failed(&error))?;
    {
        let raw = Raw::open(copy)?;
        let key = raw.mark().and_then(|(_, key)| key);
        let keeping = opener.keys.as_found(key, opener.owner, opener.entropy)?;
        let (db, rooms) = raw.kept(keeping);
        for step in path {
            (step.run)(&rooms)?;
            let mut batch = rooms[Room::Meta.at()].batch();
            batch.insert(schema::FORMAT_KEY.as_bytes(), step.to.as_bytes())?;
            batch.write()?;
        }
        db.flush().map_err(|error| failed(&error))?;
    }
    durable::sync_all(copy).map_err(|error| failed(&error))
}

/// The steps that lead from a format to the current one; none if there is no such way.
fn path_from<'a>(format: &str, steps: &'a [Step]) -> Vec<&'a Step> {
    let (mut path, mut at) = (Vec::new(), format);
    while at != schema::FORMAT && path.len() < STEPS_MAX {
        let Some(step) = steps.iter().find(|step| step.from == at) else { break };
        path.push(step);
        at = step.to;
    }
    if at == schema::FORMAT { path } else { Vec::new() }
}

fn format_of(store: &Path) -> Result<String, Invalid> {
    let raw = Raw::open(store)?;
    let format = raw.mark().map_or(&[][..], |(format, _)| format);
    Ok(String::from_utf8_lossy(format).into_owned())
}

/// Stores of older formats that lie beside this one: names of folders.
pub fn kept_beside(data: &Path) -> Vec<String> {
    let entries = fs::read_dir(data).into_iter().flatten().filter_map(Result::ok);
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<_> = names.filter(|name| name.starts_with(&kept("accord-node "))).collect();
    names.sort_unstable();
    names
}

/// Under which name a store of an older format is kept.
fn kept(format: &str) -> String {
    let name: String =
        format.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    format!("{FOLDER}.{name}")
}

fn copy_all(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_all(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}
