//! Who contributed to what was pooled. Comes in: the cells that a picture shows and that are not public. Goes out:
//! their contributors, for ever, to the gate. Must never hold a figure, and never forget a cell that was shown:
//! what it learns is one transaction with the picture.

use std::sync::MutexGuard;

use accord_proto::{
    clock::Timestamp,
    identity::Name,
    journal::Frontier,
    limits::POOLED_CELLS_MAX,
    question::SignedRequirement,
    reason::{Invalid, Reason},
    taxonomy::{JurisdictionCode, Lists},
    transport::Peer,
};
use prost::Message as _;

use super::{Archive, Drawn, Room, Writes, failed};
use crate::{
    gate::{self, Contributors, PooledBefore, RegionalKey, Verdicts},
    picture::Picture,
};

/// Name of the count in [`Room::Meta`].
const COUNT: &[u8] = b"pooled";

/// Contributors of a cell: jurisdiction and node, one after the other.
#[derive(Clone, PartialEq, prost::Message)]
struct Stored {
    #[prost(string, repeated, tag = "1")]
    contributors: Vec<String>,
}

/// A picture in the making. Nobody else publishes meanwhile: what the gate reads here is still so when the
/// picture is kept.
#[derive(Debug)]
pub struct Publication<'a> {
    archive: &'a Archive,
    lists: &'a Lists,
    writer: MutexGuard<'a, Frontier>,
}

impl Archive {
    /// Begins a picture.
    pub fn publication<'a>(&'a self, lists: &'a Lists) -> Publication<'a> {
        Publication { archive: self, lists, writer: self.writer() }
    }
}

impl Publication<'_> {
    /// The cells of a question that were pooled before, in whatever picture.
    pub fn pooled_before(&self, asked: &SignedRequirement) -> Result<PooledBefore, Invalid> {
        let mut before = PooledBefore::new();
        for key in RegionalKey::asked(&asked.requirement().question) {
            if let Some(contributors) = self.contributors(&key)? {
                before.insert(key, contributors);
            }
        }
        Ok(before)
    }

    /// Keeps the picture and, in the same transaction, the contributors of every cell that it is the first to
    /// pool. Durable when [`Archive::settled`] says so.
    pub fn keep(
        self,
        by: &Peer,
        asked: &SignedRequirement,
        picture: &Picture,
        verdicts: &Verdicts,
        now: Timestamp,
    ) -> Result<Drawn, Invalid> {
        let mut writes = Writes::new();
        for (key, contributors) in gate::pooled(verdicts) {
            if self.contributors(key)?.is_none() {
                writes.push((Room::Pooled, self.name(key), write(contributors)));
            }
        }
        if !writes.is_empty() {
            let count = self.count()?.saturating_add(writes.len() as u64);
            if count > POOLED_CELLS_MAX {
                let detail = format!("{count} pooled cells where {POOLED_CELLS_MAX} is the most");
                return Err(Invalid::new(Reason::LimitExceeded, "archive.pooled", detail));
            }
            writes.push((Room::Meta, COUNT.to_vec(), count.to_be_bytes().to_vec()));
        }
        self.archive.add_version(self.writer, by, asked, picture, writes, now)
    }

    fn contributors(&self, key: &RegionalKey) -> Result<Option<Contributors>, Invalid> {
        let stored = self.archive.rooms[Room::Pooled as usize].get(self.name(key));
        stored.map_err(failed)?.map(|bytes| read(&bytes)).transpose()
    }

    fn count(&self) -> Result<u64, Invalid> {
        let stored = self.archive.rooms[Room::Meta as usize].get(COUNT).map_err(failed)?;
        let Some(bytes) = stored else { return Ok(0) };
        bytes.as_ref().try_into().map(u64::from_be_bytes).map_err(failed)
    }

    /// Codes in their one spelling, which outlives every version of the lists.
    fn name(&self, key: &RegionalKey) -> Vec<u8> {
        let RegionalKey { indicator, crime_area, period, categories } = key;
        let categories = self.lists.write_categories(*indicator, categories);
        format!("{indicator} {crime_area} {period} {categories}").into_bytes()
    }
}

fn write(contributors: &Contributors) -> Vec<u8> {
    let parts = contributors.0.iter().flat_map(|(of, node)| [of.to_string(), node.to_string()]);
    Stored { contributors: parts.collect() }.encode_to_vec()
}

fn read(bytes: &[u8]) -> Result<Contributors, Invalid> {
    let Stored { contributors } = Stored::decode(bytes).map_err(failed)?;
    let (pairs, rest) = contributors.as_chunks::<2>();
    let damaged = || failed("the contributors of a pooled cell cannot be read");
    if !rest.is_empty() || pairs.is_empty() {
        return Err(damaged());
    }
    let pair = |[of, node]: &[String; 2]| {
        let of = JurisdictionCode::parse(of).ok_or_else(damaged)?;
        Ok((of, Name::parse("archive.pooled", node).map_err(|_| damaged())?))
    };
    pairs.iter().map(pair).collect::<Result<_, _>>().map(Contributors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contributors_come_back_as_they_were_or_not_at_all() {
        let pair =
            |of, node| (JurisdictionCode::parse(of).unwrap(), Name::parse("", node).unwrap());
        let set = Contributors([pair("BA", "ba-police-2"), pair("BA", "ba-police")].into());
        assert_eq!(read(&write(&set)).unwrap(), set);
        for damaged in [&["BA"][..], &["BA", "Ba"], &["ba", "ba"], &[]] {
            let contributors = damaged.iter().map(|text| (*text).to_owned()).collect();
            let error = read(&Stored { contributors }.encode_to_vec()).unwrap_err();
            assert_eq!(error.reason, Reason::StoreFailed, "{damaged:?}");
        }
    }
}
