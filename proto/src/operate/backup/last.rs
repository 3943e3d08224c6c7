//! When a backup was written last. Comes in: that one was. Goes out: the time, also after a restart. It is told to operators, and
//! nothing rests on it.

use std::path::{Path, PathBuf};

use crate::clock::Timestamp;

/// Beside the store, for the next start.
const PLACE: &str = "backed-up";

/// A backup was written.
pub fn note(folder: &Path, now: Timestamp) {
    if let Err(error) = std::fs::write(place(folder), format!("{now}\n")) {
        tracing::warn!(%error, "when the last backup was made will not be known after a restart");
    }
}

/// When that was.
pub fn last(folder: &Path) -> Option<Timestamp> {
    let text = std::fs::read_to_string(place(folder)).ok()?;
    Timestamp::parse(PLACE, text.trim()).ok()
}

fn place(folder: &Path) -> PathBuf {
    folder.join(PLACE)
}
