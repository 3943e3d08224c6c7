//! Many records or cells in one value of the store: columns beside a table of what repeats, and a checksum.
//! Comes in: records. Goes out: bytes, about 20 for an event. Reading back goes through the code lists: a
//! damaged or foreign block is refused by name, never believed.

use accord_proto::{
    reason::{Invalid, Reason},
    seal::Digest,
    taxonomy::{JurisdictionCode, Lists},
};
use prost::Message;

use crate::{
    cube::{Aggregate, Cells},
    record::{
        CellKey, Context, Declared, Observed, Quality, Record, Records,
        columns::{Detail, Mark, Row, join},
    },
};

/// Records in one value: few large values instead of many small keys.
pub(super) const BLOCK_ROWS: usize = 1_024;
/// Bytes of the checksum before a block.
const CHECKSUM_BYTES: usize = 8;

/// A cell as text codes: codes outlive every list version, positions in a list do not.
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct StoredCell {
    #[prost(string, tag = "1")]
    indicator: String,
    #[prost(string, tag = "2")]
    crime_area: String,
    #[prost(string, tag = "3")]
    region: String,
    #[prost(string, tag = "4")]
    period: String,
    /// Dimension and category, one after the other.
    #[prost(string, repeated, tag = "5")]
    categories: Vec<String>,
}

impl StoredCell {
    pub(super) fn write(cell: &CellKey, lists: &Lists) -> Self {
        let dimensions = lists.indicator_of(cell.indicator).map(|of| of.dimensions.as_slice());
        let named = dimensions.unwrap_or_default().iter().zip(&cell.categories);
        Self {
            indicator: cell.indicator.to_string(),
            crime_area: cell.crime_area.to_string(),
            region: cell.region.to_string(),
            period: cell.period.to_string(),
            categories: named
                .filter_map(|(dimension, category)| Some((dimension, (*category)?)))
                .flat_map(|(dimension, category)| [dimension.to_string(), category.to_string()])
                .collect(),
        }
    }

    pub(super) fn read(
        &self,
        jurisdiction: JurisdictionCode,
        lists: &Lists,
    ) -> Result<CellKey, Invalid> {
        let Self { indicator, crime_area, region, period, categories } = self;
        let (pairs, _) = categories.as_chunks::<2>();
        let pairs: Vec<_> = pairs.iter().map(|[d, c]| (d.as_str(), c.as_str())).collect();
        CellKey::parse([indicator, crime_area, region, period], &pairs, jurisdiction, lists)
            .map(|(cell, _)| cell)
    }
}

/// Columns; one that says nothing is left out.
#[derive(Clone, PartialEq, Message)]
struct Block {
    #[prost(uint32, tag = "1")]
    rows: u32,
    #[prost(message, repeated, tag = "2")]
    cells: Vec<StoredCell>,
    /// Service and handling codes, one after the other.
    #[prost(string, repeated, tag = "3")]
    contexts: Vec<String>,
    #[prost(fixed64, repeated, tag = "4")]
    ids: Vec<u64>,
    #[prost(fixed64, repeated, tag = "5")]
    units: Vec<u64>,
    #[prost(fixed64, repeated, tag = "6")]
    sources: Vec<u64>,
    #[prost(int64, repeated, tag = "7")]
    lows: Vec<i64>,
    #[prost(uint32, repeated, tag = "8")]
    cell_of: Vec<u32>,
    #[prost(uint32, repeated, tag = "9")]
    context_of: Vec<u32>,
    #[prost(bytes = "vec", tag = "10")]
    marks: Vec<u8>,
    #[prost(bytes = "vec", tag = "11")]
    qualities: Vec<u8>,
    #[prost(message, repeated, tag = "12")]
    details: Vec<StoredDetail>,
}

#[derive(Clone, PartialEq, Message)]
struct StoredDetail {
    #[prost(uint32, tag = "1")]
    row: u32,
    #[prost(int64, tag = "2")]
    high: i64,
    #[prost(uint64, optional, tag = "3")]
    units: Option<u64>,
    #[prost(int64, optional, tag = "4")]
    largest: Option<i64>,
    #[prost(int64, optional, tag = "5")]
    second: Option<i64>,
}

/// A column that only says one thing is not written.
fn unless_all<T: PartialEq>(column: Vec<T>, nothing: &T) -> Vec<T> {
    if column.iter().all(|entry| entry == nothing) { Vec::new() } else { column }
}

/// The blocks of all records, one after the other.
pub(super) fn blocks<'a>(
    records: &'a Records,
    lists: &'a Lists,
) -> impl Iterator<Item = Vec<u8>> + 'a {
    records.rows().chunks(BLOCK_ROWS).enumerate().map(move |(number, rows)| {
        let first = number * BLOCK_ROWS;
        sealed(&block(records, first, rows, lists).encode_to_vec())
    })
}

/// Places in a table, each once, ascending.
fn used<T: Ord>(places: impl Iterator<Item = T>) -> Vec<T> {
    let mut used: Vec<T> = places.collect();
    used.sort_unstable();
    used.dedup();
    used
}

/// Where it stands among those that are used.
fn place<T: Ord>(used: &[T], of: T) -> u32 {
    u32::try_from(used.partition_point(|other| *other < of)).unwrap_or(u32::MAX)
}

fn block(records: &Records, first: usize, rows: &[Row], lists: &Lists) -> Block {
    let used_cells = used(rows.iter().map(|row| row.cell));
    let cells = used_cells.iter().filter_map(|at| records.cells().get(*at as usize));
    let used_contexts = used(rows.iter().map(|row| row.context));
    let contexts = used_contexts.iter().filter_map(|at| records.contexts().get(usize::from(*at)));
    let detail = |at: usize, row: &Row| {
        let detail = records.detail(first + at, row);
        (detail != Detail::default()).then(|| StoredDetail {
            row: u32::try_from(at).unwrap_or(u32::MAX),
            high: detail.high,
            units: detail.declared.units,
            largest: detail.declared.largest,
            second: detail.declared.second,
        })
    };
    Block {
        rows: u32::try_from(rows.len()).unwrap_or(u32::MAX),
        cells: cells.map(|cell| StoredCell::write(cell, lists)).collect(),
        contexts: contexts.flat_map(|c| [c.origin.clone(), c.handling.clone()]).collect(),
        ids: rows.iter().map(|row| row.id).collect(),
        units: unless_all(rows.iter().map(|row| row.unit).collect(), &0),
        sources: unless_all(rows.iter().map(|row| row.source).collect(), &0),
        lows: rows.iter().map(|row| row.low).collect(),
        cell_of: unless_all(rows.iter().map(|row| place(&used_cells, row.cell)).collect(), &0),
        context_of: unless_all(
            rows.iter().map(|row| place(&used_contexts, row.context)).collect(),
            &0,
        ),
        marks: unless_all(rows.iter().map(|row| row.mark.to_byte()).collect(), &0),
        qualities: unless_all(rows.iter().map(|row| row.quality as u8).collect(), &0),
        details: rows.iter().enumerate().filter_map(|(at, row)| detail(at, row)).collect(),
    }
}

/// Reads a block back, record by record.
pub(super) fn read(
    bytes: &[u8],
    jurisdiction: JurisdictionCode,
    lists: &Lists,
    mut take: impl FnMut(&Record),
) -> Result<(), Invalid> {
    let block: Block = super::schema::decode(unsealed(bytes)?)?;
    let cells: Result<Vec<_>, _> =
        block.cells.iter().map(|cell| cell.read(jurisdiction, lists)).collect();
    let cells = cells.map_err(|error| error.within("store.record"))?;
    let (contexts, _) = block.contexts.as_chunks::<2>();
    let contexts = contexts
        .iter()
        .map(|[origin, handling]| Context { origin: origin.clone(), handling: handling.clone() });
    let contexts: Vec<_> = contexts.collect();
    let mut details = block.details.iter().peekable();
    for at in 0..block.rows as usize {
        let row = block.row(at).ok_or_else(|| damaged("a column is too short"))?;
        let detail = details.next_if(|detail| detail.row as usize == at).map(|detail| Detail {
            high: detail.high,
            declared: Declared {
                units: detail.units,
                largest: detail.largest,
                second: detail.second,
            },
        });
        let cell = cells.get(row.cell as usize).ok_or_else(|| damaged("a cell is not there"))?;
        let context = contexts.get(usize::from(row.context));
        let context = context.ok_or_else(|| damaged("a context is not there"))?;
        take(&join(&row, detail.unwrap_or_default(), *cell, context.clone()));
    }
    Ok(())
}

impl Block {
    fn row(&self, at: usize) -> Option<Row> {
        fn entry<T: Copy + Default>(column: &[T], at: usize) -> Option<T> {
            if column.is_empty() { Some(T::default()) } else { column.get(at).copied() }
        }
        Some(Row {
            id: *self.ids.get(at)?,
            unit: entry(&self.units, at)?,
            source: entry(&self.sources, at)?,
            low: *self.lows.get(at)?,
            cell: entry(&self.cell_of, at)?,
            context: u16::try_from(entry(&self.context_of, at)?).ok()?,
            mark: Mark::from_byte(entry(&self.marks, at)?)?,
            quality: quality(entry(&self.qualities, at)?)?,
        })
    }
}

fn quality(byte: u8) -> Option<Quality> {
    use Quality::{Break, Estimated, LowReliability, Normal, Provisional};
    [Normal, Estimated, Provisional, Break, LowReliability]
        .into_iter()
        .find(|quality| *quality as u8 == byte)
}

/// Figures of an edition's cells.
#[derive(Clone, PartialEq, Message)]
struct StoredCells {
    #[prost(message, repeated, tag = "1")]
    cells: Vec<StoredAggregate>,
}

#[derive(Clone, PartialEq, Message)]
struct StoredAggregate {
    #[prost(message, optional, tag = "1")]
    cell: Option<StoredCell>,
    #[prost(uint64, tag = "2")]
    records: u64,
    #[prost(uint64, optional, tag = "3")]
    units: Option<u64>,
    #[prost(uint64, tag = "4")]
    sources: u64,
    /// 0 value, 1 interval, 2 missing, 3 not collected, 4 not applicable.
    #[prost(uint32, tag = "5")]
    status: u32,
    #[prost(int64, tag = "6")]
    low: i64,
    #[prost(int64, tag = "7")]
    high: i64,
    #[prost(int64, optional, tag = "8")]
    largest: Option<i64>,
    #[prost(int64, tag = "9")]
    second: i64,
    #[prost(uint32, tag = "10")]
    quality: u32,
    #[prost(bool, tag = "11")]
    partial: bool,
}

/// The blocks of an edition's cells.
pub(super) fn cell_blocks<'a>(
    cells: &'a Cells,
    lists: &'a Lists,
) -> impl Iterator<Item = Vec<u8>> + 'a {
    let mut left = cells.iter();
    std::iter::from_fn(move || {
        let some: Vec<_> = left.by_ref().take(BLOCK_ROWS).collect();
        let write = |(cell, aggregate): (&CellKey, &Aggregate)| {
            StoredAggregate::write(cell, aggregate, lists)
        };
        (!some.is_empty()).then(|| {
            let cells = some.into_iter().map(write).collect();
            sealed(&StoredCells { cells }.encode_to_vec())
        })
    })
}

/// Reads a block of cells back.
pub(super) fn read_cells(
    bytes: &[u8],
    jurisdiction: JurisdictionCode,
    lists: &Lists,
    into: &mut Cells,
) -> Result<(), Invalid> {
    let stored: StoredCells = super::schema::decode(unsealed(bytes)?)?;
    for aggregate in stored.cells {
        let (cell, aggregate) = aggregate.read(jurisdiction, lists)?;
        into.insert(cell, aggregate);
    }
    Ok(())
}

impl StoredAggregate {
    fn write(cell: &CellKey, aggregate: &Aggregate, lists: &Lists) -> Self {
        let (status, low, high) = match aggregate.observed {
            Observed::Value(value) => (0, value, 0),
            Observed::Between(low, high) => (1, low, high),
            Observed::Missing => (2, 0, 0),
            Observed::NotCollected => (3, 0, 0),
            Observed::NotApplicable => (4, 0, 0),
        };
        Self {
            cell: Some(StoredCell::write(cell, lists)),
            records: aggregate.records,
            units: aggregate.units,
            sources: aggregate.sources,
            status,
            low,
            high,
            largest: aggregate.largest.map(|largest| largest[0]),
            second: aggregate.largest.map_or(0, |largest| largest[1]),
            quality: aggregate.quality as u32,
            partial: aggregate.partial,
        }
    }

    fn read(
        self,
        jurisdiction: JurisdictionCode,
        lists: &Lists,
    ) -> Result<(CellKey, Aggregate), Invalid> {
        let cell = self.cell.ok_or_else(|| damaged("a cell without coordinates"))?;
        let cell = cell.read(jurisdiction, lists).map_err(|error| error.within("store.edition"))?;
        let observed = match self.status {
            0 => Observed::Value(self.low),
            1 => Observed::Between(self.low, self.high),
            2 => Observed::Missing,
            3 => Observed::NotCollected,
            4 => Observed::NotApplicable,
            _ => return Err(damaged("an unknown status")),
        };
        let quality = u8::try_from(self.quality).ok().and_then(quality);
        let aggregate = Aggregate {
            records: self.records,
            units: self.units,
            sources: self.sources,
            observed,
            largest: self.largest.map(|largest| [largest, self.second]),
            quality: quality.ok_or_else(|| damaged("an unknown quality"))?,
            partial: self.partial,
        };
        Ok((cell, aggregate))
    }
}

/// A checksum before the bytes.
pub(super) fn sealed(bytes: &[u8]) -> Vec<u8> {
    [&checksum(bytes)[..], bytes].concat()
}

pub(super) fn unsealed(stored: &[u8]) -> Result<&[u8], Invalid> {
    let (found, bytes) = stored
        .split_first_chunk::<CHECKSUM_BYTES>()
        .ok_or_else(|| damaged("a block is too short"))?;
    if *found == checksum(bytes) { Ok(bytes) } else { Err(damaged("a block's checksum is wrong")) }
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let digest = Digest::of(bytes).0;
    digest.first_chunk().copied().unwrap_or_default()
}

fn damaged(what: &str) -> Invalid {
    let detail = format!("damaged: {what}; restore it from a backup");
    Invalid::new(Reason::StoreFailed, "store", detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{
        RawRecord,
        tests::{albania, event, read as record},
    };

    #[test]
    fn a_block_holds_the_contexts_of_its_own_records_only() {
        let cell = ["DRG.SEIZ.N", "DRG.COC", "AL022", "2016-H1"];
        let origins: Vec<_> =
            (0..2 * BLOCK_ROWS).map(|at| format!("service {:04}", at % 1_500)).collect();
        let of = |(at, origin): (usize, &String)| {
            let unit = format!("case {at}");
            record(&RawRecord { origin, ..event(cell, &unit, "1") }).unwrap()
        };
        let records: Records = origins.iter().enumerate().map(of).collect();
        let lists = Lists::builtin();
        let blocks: Vec<_> = blocks(&records, lists).collect();
        assert_eq!(blocks.len(), 2);
        let mut again = Vec::new();
        for stored in &blocks {
            let block: Block = super::super::schema::decode(unsealed(stored).unwrap()).unwrap();
            assert_eq!(block.contexts.len(), 2 * BLOCK_ROWS);
            read(stored, albania(), lists, |record| again.push(record.clone())).unwrap();
        }
        assert!(again == records.iter().collect::<Vec<_>>());
    }
}
