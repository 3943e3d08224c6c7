//! True figures, cell by cell. Comes in: records. Goes out: figures, but only against a [`Consented`].
//!
//! Nothing here serialises, and `Debug` prints no number. A ready total counts only at its own level:
//! nothing is summed into a parent.

use std::collections::BTreeMap;

use accord_proto::{table::coordinates, taxonomy::Period};

use crate::{
    consent::Consented,
    freeze::Editions,
    record::{CellKey, Observed, Record},
};

/// Figures by cell.
#[derive(Clone, Default)]
pub struct Cube {
    cells: BTreeMap<CellKey, Record>,
}

impl Cube {
    /// The cube of some records; a later record of a cell replaces an earlier one.
    pub fn of(records: impl IntoIterator<Item = Record>) -> Self {
        let mut cube = Self::default();
        records.into_iter().for_each(|record| cube.put(record));
        cube
    }

    /// Takes in a record.
    pub fn put(&mut self, record: Record) {
        self.cells.insert(record.key(), record);
    }

    /// Does the cube hold exactly this already?
    pub fn holds(&self, record: &Record) -> bool {
        self.cells.get(&record.key()) == Some(record)
    }

    /// How many cells hold something.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Is there nothing?
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The part of one period.
    pub fn period(&self, period: Period) -> Self {
        Self::of(self.records().filter(|record| record.key().period == period))
    }

    /// For the store, within the node.
    pub(crate) fn records(&self) -> impl Iterator<Item = Record> {
        self.cells.values().copied()
    }

    fn observed(&self, key: &CellKey) -> Option<Observed> {
        self.cells.get(key).map(Record::observed)
    }
}

impl std::fmt::Debug for Cube {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cube({} cells)", self.len())
    }
}

/// True figures of the consented cells, block by block, in the order of the table.
pub struct Slice {
    /// None: not consented, and not looked at.
    pub(crate) blocks: Vec<Vec<Option<Held>>>,
}

impl std::fmt::Debug for Slice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Slice(_)")
    }
}

/// What the node holds for a consented cell.
#[derive(Clone, Copy)]
pub(crate) enum Held {
    /// The period has no edition.
    NotFrozen,
    /// What the edition says; none if it has nothing for the cell.
    Frozen(Option<Observed>),
}

/// Reads the consented cells out of the newest editions. The only way to a true figure.
pub fn slice(editions: &Editions, consented: &Consented) -> Slice {
    let blocks = consented.blocks().iter().map(|block| {
        let keys = coordinates(&block.crime_areas, &block.regions, &block.periods);
        keys.zip(&block.granted)
            .map(|((crime_area, region, period), granted)| {
                granted.then(|| match editions.newest(period) {
                    None => Held::NotFrozen,
                    Some(edition) => {
                        let key =
                            CellKey { period, indicator: block.indicator, crime_area, region };
                        Held::Frozen(edition.cube.observed(&key))
                    }
                })
            })
            .collect()
    });
    Slice { blocks: blocks.collect() }
}
