//! Receipts on disk. Comes in: whose, and after which. Goes out: receipts, as they were written.

use std::ops::Bound;

use accord_proto::reason::{Invalid, Reason};

use super::{Room, Store, schema};
use crate::receipt::Receipt;

impl Store {
    /// Receipts with a number below `before`, newest first, as far as `wanted`.
    pub fn receipts(
        &self,
        before: Option<u64>,
        wanted: impl Fn(&Receipt) -> bool,
        most: usize,
    ) -> Result<Vec<Receipt>, Invalid> {
        let room = &self.rooms[Room::Receipts.at()];
        let end = before.map_or(Bound::Unbounded, |before| Bound::Excluded(before.to_be_bytes()));
        let mut receipts = Vec::new();
        for entry in room.range((Bound::Unbounded, end)).rev() {
            let (_, bytes) = entry?;
            let receipt: Receipt = schema::decode(&bytes)?;
            if wanted(&receipt) {
                receipts.push(receipt);
                if receipts.len() == most {
                    break;
                }
            }
        }
        Ok(receipts)
    }

    /// The receipt of a seal.
    pub fn receipt(&self, sequence: u64) -> Result<Receipt, Invalid> {
        let stored = self.rooms[Room::Receipts.at()].get(sequence.to_be_bytes())?;
        let stored = stored.ok_or_else(|| {
            let detail = format!("there is no receipt {sequence}");
            Invalid::new(Reason::NotFound, "receipt", detail)
        })?;
        schema::decode(&stored)
    }
}
