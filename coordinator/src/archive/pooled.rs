//! Who contributed to what was pooled. Comes in: the cells that a picture shows and that are not public. Goes out:
//! their contributors and the editions they rested on, for ever, to the gate. Must never hold a figure, and never forget a
//! cell that was shown: what it learns is one transaction with the picture.

use std::{collections::BTreeSet, sync::MutexGuard};

use accord_proto::{
    clock::Timestamp,
    identity::Name,
    journal::Frontier,
    limits::POOLED_CELLS_MAX,
    question::{Question, SignedRequirement},
    reason::{Invalid, Reason},
    taxonomy::{JurisdictionCode, Lists, Period},
    transport::Peer,
};
use prost::Message as _;

use super::{Archive, Drawn, Room, Writes, failed};
use crate::{
    gate::{self, Atom, Pooled, PooledBefore, RegionalKey, Verdicts},
    picture::Picture,
};

/// Name of the count in [`Room::Meta`].
const COUNT: &[u8] = b"pooled";

/// What is remembered of a cell.
#[derive(Clone, PartialEq, prost::Message)]
struct Stored {
    /// All that earlier versions kept: one set of contributors, jurisdiction and node, one after the other.
    #[prost(string, repeated, tag = "1")]
    contributors: Vec<String>,
    #[prost(message, repeated, tag = "2")]
    atoms: Vec<StoredAtom>,
}

/// Contributors who came in together.
#[derive(Clone, PartialEq, prost::Message)]
struct StoredAtom {
    /// Jurisdiction and node, one after the other.
    #[prost(string, repeated, tag = "1")]
    contributors: Vec<String>,
    /// Of each pair one more than the edition; 0: not remembered.
    #[prost(uint64, repeated, tag = "2")]
    editions: Vec<u64>,
    #[prost(bool, tag = "3")]
    shown: bool,
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
    /// Every cell of the indicators of a question that was pooled before, in whatever picture.
    pub fn pooled_before(&self, asked: &Question) -> Result<PooledBefore, Invalid> {
        let indicators: BTreeSet<_> = asked.blocks.iter().map(|block| block.indicator).collect();
        let mut before = PooledBefore::new();
        for indicator in indicators {
            let room = &self.archive.rooms[Room::Pooled as usize];
            for entry in room.scan_prefix(format!("{indicator} ")) {
                let (name, bytes) = entry.map_err(failed)?;
                before.insert(self.key(&name)?, read(&bytes)?);
            }
        }
        Ok(before)
    }

    /// Keeps the picture and, in the same transaction, what is to be remembered of every cell that it
    /// pools. Durable when [`Archive::settled`] says so.
    pub fn keep(
        self,
        by: &Peer,
        asked: &SignedRequirement,
        picture: &Picture,
        verdicts: &Verdicts,
        now: Timestamp,
    ) -> Result<Drawn, Invalid> {
        let mut writes = Writes::new();
        let mut new = 0_u64;
        for (key, pooled) in gate::pooled(verdicts) {
            let before = self.pooled(key)?;
            if before.as_ref() != Some(pooled) {
                writes.push((Room::Pooled, self.name(key), write(pooled)));
            }
            new += u64::from(before.is_none());
        }
        if new > 0 {
            let count = self.count()?.saturating_add(new);
            if count > POOLED_CELLS_MAX {
                let detail = format!("{count} pooled cells where {POOLED_CELLS_MAX} is the most");
                return Err(Invalid::new(Reason::LimitExceeded, "archive.pooled", detail));
            }
            writes.push((Room::Meta, COUNT.to_vec(), count.to_be_bytes().to_vec()));
        }
        self.archive.add_version(self.writer, by, asked, picture, writes, now)
    }

    fn pooled(&self, key: &RegionalKey) -> Result<Option<Pooled>, Invalid> {
        let stored = self.archive.rooms[Room::Pooled as usize].get(self.name(key));
        stored.map_err(failed)?.map(|bytes| read(&bytes)).transpose()
    }

    /// Reads [`Publication::name`]. A cell that the lists do not know any more cannot be compared with others.
    fn key(&self, name: &[u8]) -> Result<RegionalKey, Invalid> {
        let text = std::str::from_utf8(name).map_err(failed)?;
        let [indicator, crime_area, period, categories] =
            text.split(' ').collect::<Vec<_>>().try_into().map_err(|_| damaged())?;
        let field = "archive.pooled";
        let indicator = self.lists.indicator(field, indicator).map_err(failed)?;
        let crime_area = self.lists.crime_area(field, indicator, crime_area).map_err(failed)?;
        let categories = self.lists.parse_categories(field, indicator, categories);
        Ok(RegionalKey {
            indicator: indicator.code,
            crime_area,
            period: Period::parse(field, period).map_err(failed)?,
            categories: categories.map_err(failed)?,
        })
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

fn write(pooled: &Pooled) -> Vec<u8> {
    let atom = |atom: &Atom| {
        let pairs = atom.editions.keys().flat_map(|(of, node)| [of.to_string(), node.to_string()]);
        let number = |edition: &Option<u32>| edition.map_or(0, |edition| u64::from(edition) + 1);
        StoredAtom {
            contributors: pairs.collect(),
            editions: atom.editions.values().map(number).collect(),
            shown: atom.shown,
        }
    };
    Stored { contributors: Vec::new(), atoms: pooled.0.iter().map(atom).collect() }.encode_to_vec()
}

fn read(bytes: &[u8]) -> Result<Pooled, Invalid> {
    let Stored { contributors, mut atoms } = Stored::decode(bytes).map_err(failed)?;
    if !contributors.is_empty() {
        // Which editions it rested on was not kept then.
        let editions = vec![0; contributors.len() / 2];
        atoms.insert(0, StoredAtom { contributors, editions, shown: true });
    }
    if atoms.is_empty() {
        return Err(damaged());
    }
    atoms.into_iter().map(atom).collect::<Result<_, _>>().map(Pooled)
}

fn atom(stored: StoredAtom) -> Result<Atom, Invalid> {
    let StoredAtom { contributors, editions, shown } = stored;
    let (pairs, rest) = contributors.as_chunks::<2>();
    if !rest.is_empty() || pairs.is_empty() || pairs.len() != editions.len() {
        return Err(damaged());
    }
    let entry = |([of, node], edition): (&[String; 2], u64)| {
        let of = JurisdictionCode::parse(of).ok_or_else(damaged)?;
        let node = Name::parse("archive.pooled", node).map_err(|_| damaged())?;
        let edition = edition.checked_sub(1).map(u32::try_from).transpose().map_err(failed)?;
        Ok(((of, node), edition))
    };
    let editions = pairs.iter().zip(editions).map(entry).collect::<Result<_, Invalid>>()?;
    Ok(Atom { editions, shown })
}

fn damaged() -> Invalid {
    failed("who contributed to a pooled cell cannot be read")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Contributor;

    fn contributor(of: &str, node: &str) -> Contributor {
        (JurisdictionCode::parse(of).unwrap(), Name::parse("", node).unwrap())
    }

    #[test]
    fn what_is_remembered_comes_back_as_it_was_or_not_at_all() {
        let atom = |of: &[(&str, &str, Option<u32>)], shown| {
            let edition = |(of, node, edition): &(&str, &str, _)| (contributor(of, node), *edition);
            Atom { editions: of.iter().map(edition).collect(), shown }
        };
        let first = atom(&[("BA", "ba-police-2", Some(0)), ("BA", "ba-police", None)], false);
        let pooled = Pooled(vec![first, atom(&[("AL", "al-police", Some(u32::MAX))], true)]);
        assert_eq!(read(&write(&pooled)).unwrap(), pooled);
        for damaged in [&["BA"][..], &["BA", "Ba"], &["ba", "ba"], &[]] {
            let contributors = damaged.iter().map(|text| (*text).to_owned()).collect();
            let stored = Stored { contributors, atoms: Vec::new() };
            let error = read(&stored.encode_to_vec()).unwrap_err();
            assert_eq!(error.reason, Reason::StoreFailed, "{damaged:?}");
        }
    }

    #[test]
    fn what_an_earlier_version_remembered_is_one_group_of_unknown_editions() {
        let contributors = ["AL", "al-police", "BA", "ba-police"].map(str::to_owned).to_vec();
        let stored = Stored { contributors, atoms: Vec::new() };
        let editions =
            [contributor("AL", "al-police"), contributor("BA", "ba-police")].map(|of| (of, None));
        let atom = Atom { editions: editions.into(), shown: true };
        assert_eq!(read(&stored.encode_to_vec()).unwrap(), Pooled(vec![atom]));
    }
}
