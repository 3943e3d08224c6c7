//! True figures. Comes in: records. Goes out: figures by cell of the lattice, for the node's own staff and
//! for editions; for a question only against a [`Consented`].
//!
//! Nothing here serialises, and `Debug` prints no number. Events add up over the lattice; a ready total
//! counts only at its own cell and is never summed into a parent.

use accord_proto::{table::Mode, taxonomy::Period};

use crate::{
    consent::Consented,
    freeze::{Edition, Editions},
    record::{CellKey, Context, Record, Records, columns::Known},
};

pub mod bound;
pub mod contradict;
pub mod tabulate;

pub use bound::{Bounded, Bounds};
pub use tabulate::{Aggregate, Cells};

/// What the node holds, as people still edit it.
#[derive(Clone, Default)]
pub struct Cube {
    records: Records,
}

impl Cube {
    /// Takes in a record; it replaces an earlier one of the same observation.
    pub fn put(&mut self, record: &Record) {
        self.records.put(record);
    }

    /// How a record stands to what is held.
    pub fn known(&self, record: &Record) -> Known {
        self.records.known(record)
    }

    /// What is held of the same observation.
    pub fn same_observation(&self, record: &Record) -> Option<Record> {
        self.records.same_observation(record)
    }

    /// How many observations.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Is there nothing?
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Is anything held that somebody else has counted? Only that can contradict what is below it.
    pub fn has_totals(&self) -> bool {
        self.records.rows().iter().any(|row| row.mark.is_total())
    }

    /// Who reported, and under which handling codes.
    pub fn contexts(&self) -> &[Context] {
        self.records.contexts()
    }

    /// Bytes in memory, roughly.
    pub fn memory_bytes(&self) -> usize {
        self.records.memory_bytes()
    }

    /// Every reporting period that something is held for, ascending.
    pub fn periods(&self) -> Vec<Period> {
        let periods: std::collections::BTreeSet<_> =
            self.records.cells().iter().map(|cell| cell.period).collect();
        periods.into_iter().collect()
    }

    pub(crate) fn records(&self) -> &Records {
        &self.records
    }
}

impl std::fmt::Debug for Cube {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cube({} observations)", self.len())
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
    /// The period has no edition, none that may be answered from today, or not in mode open.
    NotOpen,
    /// What the edition says; none if it has nothing for the cell.
    Frozen(Option<Aggregate>),
}

/// Reads the consented cells that were frozen in mode open out of the newest editions. The only way of a true figure to an
/// answer.
pub fn slice(editions: &Editions, consented: &Consented) -> Slice {
    let blocks = consented.blocks().iter().map(|block| {
        let open = |edition: &&Edition| edition.mode(block.indicator) == Mode::Open;
        block
            .coordinates()
            .zip(&block.granted)
            .map(|((crime_area, region, period, categories), granted)| {
                granted.then(|| match editions.answerable(period).filter(open) {
                    None => Held::NotOpen,
                    Some(edition) => {
                        let key = CellKey {
                            period,
                            indicator: block.indicator,
                            crime_area,
                            region,
                            categories,
                        };
                        let cells = edition.cells(block.audience);
                        Held::Frozen(cells.get(&key).copied())
                    }
                })
            })
            .collect()
    });
    Slice { blocks: blocks.collect() }
}

#[cfg(test)]
mod tests;
