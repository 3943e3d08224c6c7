//! Files of an operator. Comes in: a path. Goes out: bytes, or a file that stands whole or not at all. Must never
//! overwrite what it did not say it would, nor read without a bound.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use crate::{
    limits::RENEWED_BYTES_MAX,
    reason::{Invalid, Reason},
    transport::write_secret,
};

/// Why a file is of no use.
pub(super) fn unusable(path: &Path, problem: impl std::fmt::Display) -> Invalid {
    Invalid::new(Reason::FieldInvalid, path.display().to_string(), problem.to_string())
}

/// Reads a file, up to a bound.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Invalid> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| unusable(path, error))?;
    file.take(RENEWED_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unusable(path, error))?;
    if bytes.len() as u64 > RENEWED_BYTES_MAX {
        let detail = format!("is larger than {RENEWED_BYTES_MAX} bytes");
        return Err(Invalid::new(Reason::LimitExceeded, path.display().to_string(), detail));
    }
    Ok(bytes)
}

/// Reads a text file, up to a bound.
pub(super) fn read_text(path: &Path) -> Result<String, Invalid> {
    String::from_utf8(read(path)?).map_err(|_| unusable(path, "is not text"))
}

/// Refuses if something stands there.
pub(super) fn check_new(path: &Path) -> Result<(), Invalid> {
    // Also a link that leads nowhere.
    if fs::symlink_metadata(path).is_err() {
        return Ok(());
    }
    let detail = "exists already; nothing is overwritten";
    Err(Invalid::new(Reason::FileExists, path.display().to_string(), detail))
}

/// Writes a file that is not there yet.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Invalid> {
    check_new(path)?;
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    file.and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .map_err(|error| unusable(path, error))
}

/// Writes a secret that is not there yet; only its owner may read it.
pub(super) fn write_new_secret(path: &Path, text: &str) -> Result<(), Invalid> {
    check_new(path)?;
    write_secret(path, text)
}

/// Replaces a file in one step: whoever reads it meanwhile reads the old one or the new one.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), Invalid> {
    let beside = beside(path, ".part");
    let written = File::create(&beside)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.map_err(|error| unusable(&beside, error))?;
    rename(&beside, path)
}

/// Gives a file another one's place.
pub(super) fn rename(from: &Path, to: &Path) -> Result<(), Invalid> {
    fs::rename(from, to).map_err(|error| unusable(to, error))?;
    let folder = folder_of(to);
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| unusable(folder, error))
}

/// As whom this process runs.
pub(super) fn me() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// To whom it belongs, if to another user than this one: what this one writes there, the other cannot read.
pub(super) fn other_owner(path: &Path, me: u32) -> io::Result<Option<u32>> {
    let owner = fs::metadata(path)?.uid();
    Ok(Some(owner).filter(|owner| *owner != me))
}

/// Refuses what belongs to another user than this one; what is not there belongs to nobody.
pub(super) fn check_owned(path: &Path, me: u32) -> Result<(), Invalid> {
    match other_owner(path, me) {
        Ok(Some(owner)) => {
            let detail = format!(
                "belongs to user {owner}, and this is user {me}, whose files that one could not read; nothing was written: run it as user {owner}"
            );
            Err(unusable(path, detail))
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unusable(path, error)),
        Ok(None) | Err(_) => Ok(()),
    }
}

/// The folder in which a file lies.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."))
}

/// The same path with something behind it.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Makes a folder, if it is not there.
pub(super) fn make_dir(dir: &Path) -> Result<(), Invalid> {
    fs::create_dir_all(dir).map_err(|error| unusable(dir, error))
}
