//! Versions that may no longer be kept. Comes in: today. Goes out: which ones are due, and a book without them.

use accord_proto::{clock::Timestamp, id::SummaryId, seal::Digest};

use super::Book;

impl Book {
    /// Versions whose retention is over, oldest summary first, with the digests of their texts.
    pub fn due(&self, now: Timestamp) -> Vec<(SummaryId, u32, Digest)> {
        let versions = self
            .summaries()
            .flat_map(|(id, summary)| summary.versions().iter().map(move |version| (id, version)));
        versions
            .filter(|(_, version)| version.document.retention_until() <= now)
            .map(|(id, version)| (id, version.number, version.document.digest()))
            .collect()
    }

    /// Takes out a version; a summary without versions is gone.
    pub fn erase(&mut self, id: SummaryId, number: u32) {
        let Some(summary) = self.summaries.get_mut(&id) else { return };
        let (out, left) = std::mem::take(&mut summary.versions)
            .into_iter()
            .partition::<Vec<_>, _>(|version| version.number == number);
        let bytes: usize = out.iter().map(|version| version.document.text().len()).sum();
        self.bytes = self.bytes.saturating_sub(bytes);
        summary.versions = left;
        if summary.versions.is_empty() {
            self.summaries.remove(&id);
        }
    }
}
