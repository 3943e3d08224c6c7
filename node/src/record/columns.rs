//! Many records, compactly: 40 bytes each, and what repeats stands once. Comes in: records. Goes out: the
//! same records. `Debug` prints how many, nothing else.

use std::{collections::BTreeMap, hash::BuildHasher as _};

use hashbrown::{HashTable, hash_table::Entry};
use rustc_hash::FxBuildHasher;

use super::{CellKey, Context, Declared, Kind, Observed, Pseudonym, Quality, Record};

/// One record; cell and context are places in the tables beside it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) id: u64,
    /// Of an event; 0 for a total.
    pub(crate) unit: u64,
    /// 0: none is named.
    pub(crate) source: u64,
    /// The figure, or where its interval begins.
    pub(crate) low: i64,
    pub(crate) cell: u32,
    pub(crate) context: u16,
    pub(crate) mark: Mark,
    pub(crate) quality: Quality,
}

/// Kind and status in one byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark(u8);

impl Mark {
    const TOTAL: u8 = 0x10;
    const STATUS: u8 = 0x0f;

    /// Reads a byte of the store.
    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        (byte & !(Self::TOTAL | Self::STATUS) == 0 && byte & Self::STATUS <= 4)
            .then_some(Self(byte))
    }

    pub(crate) fn to_byte(self) -> u8 {
        self.0
    }

    pub(crate) fn is_total(self) -> bool {
        self.0 & Self::TOTAL != 0
    }

    pub(crate) fn is_interval(self) -> bool {
        self.0 & Self::STATUS == 1
    }
}

/// What only few records have.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Detail {
    /// Where an interval ends.
    pub(crate) high: i64,
    pub(crate) declared: Declared,
}

/// Records in columns, each id once.
#[derive(Clone, Default)]
pub struct Records {
    cells: Vec<CellKey>,
    /// Places in `cells`. This table and `row_at` are what is touched at random: they hold places only,
    /// and what is found by them stands once, in its row.
    cell_at: HashTable<u32>,
    contexts: Vec<Context>,
    /// Places in `contexts`.
    context_at: HashTable<u16>,
    rows: Vec<Row>,
    details: BTreeMap<u32, Detail>,
    /// Places in `rows`, by id, which is a hash itself.
    row_at: HashTable<u32>,
}

/// How a record stands to what was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// There was none with its id.
    New,
    /// It says exactly this.
    Same,
    /// It says something else.
    Other,
}

impl std::fmt::Debug for Records {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Records({})", self.len())
    }
}

impl FromIterator<Record> for Records {
    fn from_iter<I: IntoIterator<Item = Record>>(records: I) -> Self {
        let mut all = Self::default();
        records.into_iter().for_each(|record| all.put(&record));
        all
    }
}

impl Records {
    /// How many.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Every record, in the order in which their ids came in.
    pub fn iter(&self) -> impl Iterator<Item = Record> {
        self.rows.iter().enumerate().filter_map(|(at, row)| self.record(at, row))
    }

    /// Is a record with this id there, and does it say the same?
    pub fn known(&self, record: &Record) -> Known {
        let Some(at) = self.row_at.find(record.id, has_id(&self.rows, record.id)) else {
            return Known::New;
        };
        let row = self.rows.get(*at as usize);
        let cell = row.and_then(|row| self.cells.get(row.cell as usize));
        let context = row.and_then(|row| self.contexts.get(usize::from(row.context)));
        let (expected, detail) = split(record, 0, 0);
        let same = row.is_some_and(|row| Row { cell: 0, context: 0, ..*row } == expected)
            && cell == Some(&record.cell)
            && context == Some(&record.context)
            && self.details.get(at).copied() == detail;
        if same { Known::Same } else { Known::Other }
    }

    /// What is there of the same observation.
    pub fn same_observation(&self, record: &Record) -> Option<Record> {
        let at = self.row_at.find(record.id, has_id(&self.rows, record.id))?;
        self.record(*at as usize, self.rows.get(*at as usize)?)
    }

    /// Takes in a record; it replaces the one with its id.
    pub fn put(&mut self, record: &Record) {
        let (cell, context) = (self.cell(&record.cell), self.context(&record.context));
        let (row, detail) = split(record, cell, context);
        let next = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        let has_id = has_id(&self.rows, record.id);
        let hash = |at: &u32| self.rows.get(*at as usize).map_or(0, |row| row.id);
        let at = match self.row_at.entry(record.id, has_id, hash) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => *new.insert(next).get(),
        };
        match self.rows.get_mut(at as usize) {
            Some(known) => *known = row,
            None => self.rows.push(row),
        }
        match detail {
            Some(detail) => self.details.insert(at, detail),
            None => self.details.remove(&at),
        };
    }

    /// Bytes that it takes in memory, roughly: tables and indexes as they are allocated.
    pub fn memory_bytes(&self) -> usize {
        let places = |table: &HashTable<u32>| table.capacity() * (size_of::<u32>() + 1) * 8 / 7;
        self.rows.capacity() * size_of::<Row>()
            + places(&self.row_at)
            + self.cells.capacity() * size_of::<CellKey>()
            + places(&self.cell_at)
            + self.details.len() * size_of::<(u32, Detail)>() * 2
    }

    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    pub(crate) fn cells(&self) -> &[CellKey] {
        &self.cells
    }

    pub(crate) fn contexts(&self) -> &[Context] {
        &self.contexts
    }

    /// What the row at `at` has besides; looked up only where there can be something.
    pub(crate) fn detail(&self, at: usize, row: &Row) -> Detail {
        if !row.mark.is_total() && !row.mark.is_interval() {
            return Detail::default();
        }
        let detail = u32::try_from(at).ok().and_then(|at| self.details.get(&at));
        detail.copied().unwrap_or_default()
    }

    fn record(&self, at: usize, row: &Row) -> Option<Record> {
        let detail = self.detail(at, row);
        let cell = *self.cells.get(row.cell as usize)?;
        Some(join(row, detail, cell, self.contexts.get(usize::from(row.context))?.clone()))
    }

    fn cell(&mut self, cell: &CellKey) -> u32 {
        // Files and stores name the same cell many times in a row.
        if let Some(last) = self.rows.last().map(|row| row.cell)
            && self.cells.get(last as usize) == Some(cell)
        {
            return last;
        }
        let Self { cells, cell_at, .. } = self;
        let same = |at: &u32| cells.get(*at as usize) == Some(cell);
        let hash = |at: &u32| cells.get(*at as usize).map_or(0, hash_of);
        match cell_at.entry(hash_of(cell), same, hash) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                let at = u32::try_from(cells.len()).unwrap_or(u32::MAX);
                new.insert(at);
                cells.push(*cell);
                at
            }
        }
    }

    fn context(&mut self, context: &Context) -> u16 {
        if let Some(last) = self.rows.last().map(|row| row.context)
            && self.contexts.get(usize::from(last)) == Some(context)
        {
            return last;
        }
        let Self { contexts, context_at, .. } = self;
        let same = |at: &u16| contexts.get(usize::from(*at)) == Some(context);
        let hash = |at: &u16| contexts.get(usize::from(*at)).map_or(0, hash_of);
        match context_at.entry(hash_of(context), same, hash) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                let at = u16::try_from(contexts.len()).unwrap_or(u16::MAX);
                new.insert(at);
                contexts.push(context.clone());
                at
            }
        }
    }
}

fn hash_of<T: std::hash::Hash>(of: &T) -> u64 {
    FxBuildHasher.hash_one(of)
}

/// Is this the place of the row with this id?
fn has_id(rows: &[Row], id: u64) -> impl Fn(&u32) -> bool {
    move |at| rows.get(*at as usize).is_some_and(|row| row.id == id)
}

fn split(record: &Record, cell: u32, context: u16) -> (Row, Option<Detail>) {
    let (status, low, high) = match record.observed {
        Observed::Value(value) => (0, value, 0),
        Observed::Between(low, high) => (1, low, high),
        Observed::Missing => (2, 0, 0),
        Observed::NotCollected => (3, 0, 0),
        Observed::NotApplicable => (4, 0, 0),
    };
    let (unit, mark, declared) = match record.kind {
        Kind::Event(unit) => (unit.0, Mark(status), Declared::default()),
        Kind::Total(declared) => (0, Mark(status | Mark::TOTAL), declared),
    };
    let row = Row {
        id: record.id,
        unit,
        source: record.source.map_or(0, |source| source.0),
        low,
        cell,
        context,
        mark,
        quality: record.quality,
    };
    let detail = Detail { high, declared };
    (row, (detail != Detail::default()).then_some(detail))
}

/// The record that a row stands for. For the store, which has checked cell and context against the lists.
pub(crate) fn join(row: &Row, detail: Detail, cell: CellKey, context: Context) -> Record {
    Record {
        id: row.id,
        cell,
        kind: if row.mark.is_total() {
            Kind::Total(detail.declared)
        } else {
            Kind::Event(Pseudonym(row.unit))
        },
        observed: observed(row, detail),
        quality: row.quality,
        source: (row.source != 0).then_some(Pseudonym(row.source)),
        context,
    }
}

/// What a row says.
pub(crate) fn observed(row: &Row, detail: Detail) -> Observed {
    match row.mark.0 & Mark::STATUS {
        0 => Observed::Value(row.low),
        1 => Observed::Between(row.low, detail.high),
        2 => Observed::Missing,
        3 => Observed::NotCollected,
        _ => Observed::NotApplicable,
    }
}
