//! Who contributed to what was pooled. Comes in: the cells that a picture shows and that are not public. Goes out:
//! their contributors and the editions they rested on, for ever, to the gate; to the custodian also as it was at any picture. Must never hold a figure, and never forget a
//! cell that was shown: what it learns is one transaction with the picture.

use std::{collections::BTreeSet, sync::MutexGuard};

use accord_proto::{
    clock::Timestamp,
    identity::Name,
    journal::Frontier,
    limits::{POOLED_CELLS_MAX, POOLED_CHANGES_MAX},
    question::{Question, SignedRequirement},
    reason::{Invalid, Reason},
    taxonomy::{JurisdictionCode, Lists, Period},
    transport::Peer,
    wire::region::PooledAtom,
};
use prost::Message as _;

use super::{Archive, Drawn, Room, Writes, failed};
use crate::{
    gate::{self, Atom, Pooled, PooledBefore, RegionalKey, Verdicts},
    picture::Picture,
};

/// Names of the counts in [`Room::Meta`]: cells, and what was ever remembered of them.
const COUNT: &[u8] = b"pooled";
const CHANGES: &[u8] = b"pooled changes";

/// What is remembered of a cell.
#[derive(Clone, PartialEq, prost::Message)]
struct Stored {
    /// All that earlier versions kept: one set of contributors, jurisdiction and node, one after the other.
    #[prost(string, repeated, tag = "1")]
    contributors: Vec<String>,
    #[prost(message, repeated, tag = "2")]
    atoms: Vec<PooledAtom>,
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
    /// Is nobody sure what was pooled before? Then only public figures are shown.
    pub fn in_doubt(&self) -> Result<bool, Invalid> {
        self.archive.in_doubt()
    }

    /// Every cell of the indicators of a question that was pooled before, in whatever picture.
    pub fn pooled_before(&self, asked: &Question) -> Result<PooledBefore, Invalid> {
        let indicators: BTreeSet<_> = asked.blocks.iter().map(|block| block.indicator).collect();
        let mut before = PooledBefore::new();
        for indicator in indicators {
            let room = &self.archive.rooms[Room::Pooled as usize];
            for entry in room.scan(format!("{indicator} ").as_bytes()) {
                let (name, bytes) = entry?;
                before.insert(key_of(&name, self.lists)?, read(&bytes)?);
            }
        }
        Ok(before)
    }

    /// The same as it was when a picture was drawn.
    pub fn pooled_before_drawn(
        &self,
        asked: &Question,
        drawn: &Drawn,
    ) -> Result<PooledBefore, Invalid> {
        let indicators: BTreeSet<_> = asked.blocks.iter().map(|block| block.indicator).collect();
        let mut before = PooledBefore::new();
        let log = &self.archive.rooms[Room::PooledLog as usize];
        for entry in log.range(..drawn.sequence.to_be_bytes()) {
            let (name, bytes) = entry?;
            let key = key_of(name.get(8..).unwrap_or_default(), self.lists)?;
            if indicators.contains(&key.indicator) {
                before.insert(key, read(&bytes)?);
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
        let (mut new, mut changed) = (0_u64, 0_u64);
        let sequence = self.writer.size().to_be_bytes();
        for (key, pooled) in gate::pooled(verdicts) {
            let before = self.pooled(key)?;
            if before.as_ref() != Some(pooled) {
                let (name, now) = (self.name(key), write(pooled));
                writes.push((Room::PooledLog, [&sequence[..], &name].concat(), now.clone()));
                writes.push((Room::Pooled, name, now));
                changed += 1;
            }
            new += u64::from(before.is_none());
        }
        for (name, more, most) in
            [(COUNT, new, POOLED_CELLS_MAX), (CHANGES, changed, POOLED_CHANGES_MAX)]
        {
            let count = self.count(name)?.saturating_add(more);
            if count > most {
                let name = String::from_utf8_lossy(name);
                let detail = format!("{count} of {name} where {most} is the most");
                return Err(Invalid::new(Reason::LimitExceeded, "archive.pooled", detail));
            }
            if more > 0 {
                writes.push((Room::Meta, name.to_vec(), count.to_be_bytes().to_vec()));
            }
        }
        self.archive.add_version(self.writer, by, asked, picture, writes, now)
    }

    fn pooled(&self, key: &RegionalKey) -> Result<Option<Pooled>, Invalid> {
        let stored = self.archive.rooms[Room::Pooled as usize].get(self.name(key));
        stored?.map(|bytes| read(&bytes)).transpose()
    }

    fn count(&self, name: &[u8]) -> Result<u64, Invalid> {
        let stored = self.archive.rooms[Room::Meta as usize].get(name)?;
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

/// Reads [`Publication::name`].
fn key_of(name: &[u8], lists: &Lists) -> Result<RegionalKey, Invalid> {
    let text = std::str::from_utf8(name).map_err(failed)?;
    let codes = text.split(' ').collect::<Vec<_>>().try_into().map_err(|_| damaged())?;
    cell_key("archive.pooled", codes, lists).map_err(failed)
}

/// Reads indicator, crime area, period and categories. A cell that the lists do not know any more cannot be compared with
/// others.
pub(crate) fn cell_key(
    field: &str,
    [indicator, crime_area, period, categories]: [&str; 4],
    lists: &Lists,
) -> Result<RegionalKey, Invalid> {
    let indicator = lists.indicator(field, indicator)?;
    Ok(RegionalKey {
        indicator: indicator.code,
        crime_area: lists.crime_area(field, indicator, crime_area)?,
        period: Period::parse(field, period)?,
        categories: lists.parse_categories(field, indicator, categories)?,
    })
}

fn write(pooled: &Pooled) -> Vec<u8> {
    let atoms = pooled.0.iter().map(atom_to_wire).collect();
    Stored { contributors: Vec::new(), atoms }.encode_to_vec()
}

fn read(bytes: &[u8]) -> Result<Pooled, Invalid> {
    let Stored { contributors, mut atoms } = Stored::decode(bytes).map_err(failed)?;
    if !contributors.is_empty() {
        // Which editions it rested on was not kept then.
        let editions = vec![0; contributors.len() / 2];
        atoms.insert(0, PooledAtom { contributors, editions, shown: true });
    }
    if atoms.is_empty() {
        return Err(damaged());
    }
    let atom = |atom| atom_of_wire(atom).ok_or_else(damaged);
    atoms.into_iter().map(atom).collect::<Result<_, _>>().map(Pooled)
}

/// As it is kept, and handed to the custodian.
pub(crate) fn atom_to_wire(atom: &Atom) -> PooledAtom {
    let pairs = atom.editions.keys().flat_map(|(of, node)| [of.to_string(), node.to_string()]);
    let number = |edition: &Option<u32>| edition.map_or(0, |edition| u64::from(edition) + 1);
    PooledAtom {
        contributors: pairs.collect(),
        editions: atom.editions.values().map(number).collect(),
        shown: atom.shown,
    }
}

/// Reads it.
pub(crate) fn atom_of_wire(atom: PooledAtom) -> Option<Atom> {
    let PooledAtom { contributors, editions, shown } = atom;
    let (pairs, rest) = contributors.as_chunks::<2>();
    if !rest.is_empty() || pairs.is_empty() || pairs.len() != editions.len() {
        return None;
    }
    let entry = |([of, node], edition): (&[String; 2], u64)| {
        let of = JurisdictionCode::parse(of)?;
        let node = Name::parse("archive.pooled", node).ok()?;
        let edition = match edition.checked_sub(1) {
            Some(edition) => Some(u32::try_from(edition).ok()?),
            None => None,
        };
        Some(((of, node), edition))
    };
    let editions = pairs.iter().zip(editions).map(entry).collect::<Option<_>>()?;
    Some(Atom { editions, shown })
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
