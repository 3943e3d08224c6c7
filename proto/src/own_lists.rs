//! A federation's own code lists. Comes in: a folder of CSV files. Goes out: the lists of the contract with
//! these rows added, or which file and line is wrong. Every party of a federation must have the same folder:
//! answers name their lists by digest, and others are refused.

use std::path::Path;

use crate::{
    limits::{LIST_BYTES_MAX, OWN_LISTS_MAX},
    reason::{Invalid, Reason},
    taxonomy::Lists,
};

/// The lists of the contract, with the folder's rows added. They live as long as the process: call this once.
pub fn load(folder: Option<&Path>) -> Result<&'static Lists, Invalid> {
    let Some(folder) = folder else {
        return Ok(Lists::builtin());
    };
    let lists = Lists::with_own(&files(folder)?).map_err(|error| {
        Invalid::new(Reason::FieldInvalid, folder.display().to_string(), error.to_string())
    })?;
    Ok(Box::leak(Box::new(lists)))
}

/// Name and text of every CSV file of the folder; other files are none of ours.
fn files(folder: &Path) -> Result<Vec<(String, String)>, Invalid> {
    let unreadable = |path: &Path, error: std::io::Error| {
        Invalid::new(Reason::FieldInvalid, path.display().to_string(), error.to_string())
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
        let path = entry.map_err(|error| unreadable(folder, error))?.path();
        if path.extension().is_none_or(|ending| ending != "csv") {
            continue;
        }
        let bytes = path.metadata().map_err(|error| unreadable(&path, error))?.len();
        if bytes > LIST_BYTES_MAX as u64 || files.len() >= OWN_LISTS_MAX {
            let detail = format!("at most {OWN_LISTS_MAX} files of {LIST_BYTES_MAX} bytes each");
            return Err(Invalid::new(Reason::LimitExceeded, path.display().to_string(), detail));
        }
        let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
        let name =
            path.file_stem().map_or(String::new(), |stem| stem.to_string_lossy().into_owned());
        files.push((name, text));
    }
    Ok(files)
}
