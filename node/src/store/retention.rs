//! Erasing what may no longer be kept. Comes in: imports and versions of summaries. Goes out: a store without
//! their records, refused rows and texts; that they once were, with number and digest, stays.

use accord_proto::{clock::Timestamp, id::SummaryId, reason::Invalid};
use prost::Message as _;

use super::{Change, ImportSummary, Room, Store, summaries};

impl Store {
    /// Imports whose records may no longer be kept, oldest first.
    pub fn imports_due(&self, now: Timestamp) -> Result<Vec<ImportSummary>, Invalid> {
        let due = |import: &ImportSummary| {
            let until = import.retention_until_s;
            until != 0 && until <= now.as_s() && !import.erased
        };
        Ok(self.imports()?.into_iter().filter(due).collect())
    }
}

impl Change<'_> {
    /// Takes out an import's records and refused rows.
    pub fn erase_import(&mut self, import: &ImportSummary) -> Result<(), Invalid> {
        let number = import.number.to_be_bytes();
        self.remove_blocks(Room::Blocks, import.number)?;
        self.remove_blocks(Room::Quarantine, import.number)?;
        // The name of a file can say whom it was about.
        let left = ImportSummary { erased: true, file_name: String::new(), ..import.clone() };
        self.write(Room::Imports, &number, left.encode_to_vec());
        Ok(())
    }

    /// Takes out a version of a summary, with its history.
    pub fn erase_summary(&mut self, id: SummaryId, version: u32) {
        self.remove(Room::Summaries, &summaries::key(id, version));
    }
}
