//! Files that a command reads and writes. Comes in: a path, or bytes. Goes out: its text, or a file that was not there before;
//! never over another one.

use std::{fs::File, io::Write as _, path::Path};

use accord_proto::reason::{Invalid, Reason};

/// Reads a text file, whole.
pub(super) fn text(path: &Path) -> Result<String, Invalid> {
    let name = || path.display().to_string();
    std::fs::read_to_string(path)
        .map_err(|error| Invalid::new(Reason::FieldInvalid, name(), error.to_string()))
}

/// Writes a new file, whole.
pub(super) fn create(path: &Path, bytes: &[u8]) -> Result<(), Invalid> {
    let written = File::create_new(path).and_then(|mut to| to.write_all(bytes));
    written.map_err(|error| {
        let name = path.display().to_string();
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            let detail = "stands there already; nothing was touched";
            return Invalid::new(Reason::FileExists, name, detail);
        }
        Invalid::new(Reason::FieldInvalid, name, error.to_string())
    })
}
