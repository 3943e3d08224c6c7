//! The table: what an answer says, cell by cell. Comes in: a node's released cells, or bytes from a
//! peer. Goes out: the one encoding of them. Every cell takes the same space, whatever its mark.

use prost::Message as _;

use crate::{
    id::EditionId,
    identity::Name,
    limits::{AXIS_MAX, BLOCKS_MAX, CELLS_MAX},
    question::{Block, Question},
    reason::{Invalid, Reason},
    roster::{ascending, bounded, each},
    strict,
    taxonomy::{
        CrimeAreaCode, Indicator, IndicatorCode, JurisdictionCode, Lists, Period, RegionCode,
    },
    wire,
};

/// What a cell is, outside its node.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// In units of 10^-decimals of the indicator.
    Value(i64),
    /// Too small, dominated, secondary, no consent, not held: one mark, whatever the reason.
    NotShown,
    /// Structural: the cell cannot exist.
    NotApplicable,
    /// Open indicators only: the figure is not available nationally.
    Missing,
}

impl std::fmt::Debug for Cell {
    /// Prints no number: tables pass through errors and logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Value(_) => "Value(_)",
            Self::NotShown => "NotShown",
            Self::NotApplicable => "NotApplicable",
            Self::Missing => "Missing",
        })
    }
}

/// How a node's policy lets an indicator out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// Already public nationally: exact.
    Open,
    /// Noise, floors, rounding.
    Protected,
    /// Exact figures in a fixed table set.
    Bulletin,
    /// Nothing is released.
    Closed,
}

impl Mode {
    /// The wire's number for it.
    pub fn to_wire(self) -> wire::Mode {
        match self {
            Self::Open => wire::Mode::Open,
            Self::Protected => wire::Mode::Protected,
            Self::Bulletin => wire::Mode::Bulletin,
            Self::Closed => wire::Mode::Closed,
        }
    }

    /// Reads the wire's number.
    pub fn from_wire(field: &str, number: i32) -> Result<Self, Invalid> {
        match wire::Mode::try_from(number) {
            Ok(wire::Mode::Open) => Ok(Self::Open),
            Ok(wire::Mode::Protected) => Ok(Self::Protected),
            Ok(wire::Mode::Bulletin) => Ok(Self::Bulletin),
            Ok(wire::Mode::Closed) => Ok(Self::Closed),
            Ok(wire::Mode::Unspecified) | Err(_) => {
                Err(Invalid::new(Reason::CodeUnknown, field, format!("{number} is not a mode")))
            }
        }
    }
}

/// A frozen edition that cells rest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EditionRef {
    /// The reporting period.
    pub period: Period,
    /// Its id.
    pub edition: EditionId,
    /// 1 for the first edition of the period, 2 for its correction, …
    pub number: u32,
}

/// One block of the question, filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableBlock {
    /// What is counted or measured.
    pub indicator: IndicatorCode,
    /// The mode that the node's policy sets for it.
    pub mode: Mode,
    /// Ascending.
    pub crime_areas: Vec<CrimeAreaCode>,
    /// Ascending.
    pub regions: Vec<RegionCode>,
    /// Ascending.
    pub periods: Vec<Period>,
    /// In the order crime area, region, period, the last varying fastest.
    pub cells: Vec<Cell>,
}

/// What a node releases for a requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Whose it is.
    pub node: Name,
    /// Whom that node speaks for.
    pub jurisdiction: JurisdictionCode,
    /// Version and digest of the code lists.
    pub lists: String,
    /// Ascending by period.
    pub editions: Vec<EditionRef>,
    /// As in the question.
    pub blocks: Vec<TableBlock>,
}

/// One cell with its coordinates.
#[derive(Clone, Copy, Debug)]
pub struct Placed {
    /// Which crime area.
    pub crime_area: CrimeAreaCode,
    /// Which region.
    pub region: RegionCode,
    /// Which period.
    pub period: Period,
    /// What it is.
    pub cell: Cell,
}

impl TableBlock {
    /// Every cell with its coordinates.
    pub fn placed(&self) -> impl Iterator<Item = Placed> {
        coordinates(&self.crime_areas, &self.regions, &self.periods).zip(&self.cells).map(
            |((crime_area, region, period), cell)| Placed {
                crime_area,
                region,
                period,
                cell: *cell,
            },
        )
    }
}

/// Coordinates of a block's cells, in the order of the table.
pub fn coordinates(
    crime_areas: &[CrimeAreaCode],
    regions: &[RegionCode],
    periods: &[Period],
) -> impl Iterator<Item = (CrimeAreaCode, RegionCode, Period)> {
    crime_areas.iter().flat_map(move |area| {
        regions
            .iter()
            .flat_map(move |region| periods.iter().map(move |period| (*area, *region, *period)))
    })
}

impl Table {
    /// The one encoding.
    pub fn encode(&self) -> Vec<u8> {
        let blocks = self.blocks.iter().map(|block| wire::TableBlock {
            indicator: block.indicator.to_string(),
            mode: block.mode.to_wire().into(),
            crime_areas: block.crime_areas.iter().map(ToString::to_string).collect(),
            regions: block.regions.iter().map(ToString::to_string).collect(),
            periods: block.periods.iter().map(ToString::to_string).collect(),
            status: block.cells.iter().map(|cell| i32::from(status_of(*cell))).collect(),
            value: block
                .cells
                .iter()
                .map(|cell| if let Cell::Value(value) = cell { *value } else { 0 })
                .collect(),
        });
        wire::Table {
            node: self.node.to_string(),
            jurisdiction: self.jurisdiction.to_string(),
            lists: self.lists.clone(),
            editions: self.editions.iter().map(EditionRef::to_wire).collect(),
            blocks: blocks.collect(),
        }
        .encode_to_vec()
    }

    /// Reads a table; every code must exist in `lists`, every mark must be known, every number plausible.
    pub fn decode(bytes: &[u8], lists: &Lists) -> Result<Self, Invalid> {
        let wire::Table { node, jurisdiction, lists: lists_name, editions, blocks } =
            strict::decode_signed("table", bytes)?;
        bounded("table.blocks", blocks.len(), BLOCKS_MAX)?;
        bounded("table.editions", editions.len(), AXIS_MAX)?;
        let jurisdiction = lists.jurisdiction("table.jurisdiction", &jurisdiction)?.code;
        if lists_name != lists.name() {
            return Err(Invalid::new(
                Reason::CodeUnknown,
                "table.lists",
                "belongs to other code lists",
            ));
        }
        let table = Self {
            node: Name::parse("table.node", &node)?,
            jurisdiction,
            lists: lists_name,
            editions: each("table.editions", editions, EditionRef::from_wire)?,
            blocks: each("table.blocks", blocks, |entry| block(entry, lists, jurisdiction))?,
        };
        ascending("table.editions", table.editions.iter().map(|edition| edition.period))?;
        Ok(table)
    }

    /// Refuses a table that has other cells than `question` asks of this jurisdiction.
    pub fn check_answers(&self, question: &Question, lists: &Lists) -> Result<(), Invalid> {
        let same = |(asked, given): (&Block, &TableBlock)| {
            asked.indicator == given.indicator
                && asked.crime_areas == given.crime_areas
                && asked.periods == given.periods
                && lists.regions_of(self.jurisdiction, asked.region_level) == given.regions
        };
        let as_asked = question.blocks.len() == self.blocks.len()
            && question.blocks.iter().zip(&self.blocks).all(same);
        if as_asked {
            return Ok(());
        }
        Err(Invalid::new(
            Reason::AnswerQuestion,
            "table.blocks",
            "these are not the cells that were asked",
        ))
    }
}

impl EditionRef {
    /// As the wire has it.
    pub fn to_wire(&self) -> wire::EditionRef {
        let Self { period, edition, number } = self;
        wire::EditionRef {
            period: period.to_string(),
            edition: edition.to_string(),
            number: *number,
        }
    }

    /// Checks every field.
    pub fn from_wire(entry: wire::EditionRef) -> Result<Self, Invalid> {
        let wire::EditionRef { period, edition, number } = entry;
        Ok(Self {
            period: Period::parse("period", &period)?,
            edition: EditionId::parse("edition", &edition)?,
            number,
        })
    }
}

fn block(
    entry: wire::TableBlock,
    lists: &Lists,
    jurisdiction: JurisdictionCode,
) -> Result<TableBlock, Invalid> {
    let wire::TableBlock { indicator, mode, crime_areas, regions, periods, status, value } = entry;
    let indicator = lists.indicator("indicator", &indicator)?;
    let block = TableBlock {
        indicator: indicator.code,
        mode: Mode::from_wire("mode", mode)?,
        crime_areas: each("crime_areas", crime_areas, |code| {
            lists.crime_area("code", indicator, &code)
        })?,
        regions: each("regions", regions, |code| region(&code, lists, jurisdiction))?,
        periods: each("periods", periods, |text| lists.period("period", indicator, &text))?,
        cells: Vec::new(),
    };
    ascending("crime_areas", &block.crime_areas)?;
    ascending("regions", &block.regions)?;
    ascending("periods", &block.periods)?;
    let cells = block
        .crime_areas
        .len()
        .saturating_mul(block.regions.len())
        .saturating_mul(block.periods.len());
    bounded("cells", cells, CELLS_MAX)?;
    if status.len() != cells || value.len() != cells {
        let detail = format!("{} marks and {} values for {cells} cells", status.len(), value.len());
        return Err(Invalid::new(Reason::FieldInvalid, "status", detail));
    }
    let marks = status
        .into_iter()
        .zip(value)
        .map(|(status, value)| cell(status, value, indicator, block.mode));
    Ok(TableBlock { cells: marks.collect::<Result<_, _>>()?, ..block })
}

fn region(
    code: &str,
    lists: &Lists,
    jurisdiction: JurisdictionCode,
) -> Result<RegionCode, Invalid> {
    let region = lists.region("code", code)?;
    if region.jurisdiction == jurisdiction {
        return Ok(region.code);
    }
    Err(Invalid::new(
        Reason::AnswerIdentity,
        "code",
        format!("{code} belongs to {}", region.jurisdiction),
    ))
}

/// The rules that both ends check, before sealing and after verifying.
fn cell(status: i32, value: i64, indicator: &Indicator, mode: Mode) -> Result<Cell, Invalid> {
    let refuse = |what: &str| Err(Invalid::new(Reason::FieldInvalid, "value", what));
    let cell = match wire::CellStatus::try_from(status) {
        Ok(wire::CellStatus::Value) => Cell::Value(value),
        Ok(wire::CellStatus::NotShown) => Cell::NotShown,
        Ok(wire::CellStatus::NotApplicable) => Cell::NotApplicable,
        Ok(wire::CellStatus::Missing) => Cell::Missing,
        Ok(wire::CellStatus::Unspecified) | Err(_) => {
            return Err(Invalid::new(
                Reason::CodeUnknown,
                "status",
                format!("{status} is not a mark"),
            ));
        }
    };
    match cell {
        Cell::Value(_) if mode == Mode::Closed => refuse("a value under mode closed"),
        Cell::Value(_) | Cell::Missing if mode == Mode::Open && !indicator.public => {
            refuse("open, but the registry does not say that it is public")
        }
        Cell::Value(value) if !(0..=indicator.value_max).contains(&value) => {
            refuse("outside the plausible range of the indicator")
        }
        Cell::Missing if mode != Mode::Open => refuse("missing is told for open indicators only"),
        Cell::NotShown | Cell::NotApplicable | Cell::Missing if value != 0 => {
            refuse("a value beside another mark")
        }
        Cell::Value(_) | Cell::NotShown | Cell::NotApplicable | Cell::Missing => Ok(cell),
    }
}

fn status_of(cell: Cell) -> wire::CellStatus {
    match cell {
        Cell::Value(_) => wire::CellStatus::Value,
        Cell::NotShown => wire::CellStatus::NotShown,
        Cell::NotApplicable => wire::CellStatus::NotApplicable,
        Cell::Missing => wire::CellStatus::Missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(cells: Vec<Cell>, mode: Mode) -> Table {
        let lists = Lists::builtin();
        let indicator = lists.indicator("", "PUB.OFF.N").unwrap();
        let region = lists.region("", "AL").unwrap();
        Table {
            node: Name::parse("", "al-police").unwrap(),
            jurisdiction: region.jurisdiction,
            lists: lists.name().to_owned(),
            editions: Vec::new(),
            blocks: vec![TableBlock {
                indicator: indicator.code,
                mode,
                crime_areas: vec![lists.crime_area("", indicator, "ICCS0101").unwrap()],
                regions: vec![region.code],
                periods: vec![Period::parse("", "2016").unwrap()],
                cells,
            }],
        }
    }

    #[test]
    fn a_table_has_one_encoding_and_comes_back() {
        for cell in [Cell::Value(71), Cell::NotShown, Cell::NotApplicable, Cell::Missing] {
            let table = table(vec![cell], Mode::Open);
            assert_eq!(Table::decode(&table.encode(), Lists::builtin()).unwrap(), table);
        }
    }

    #[test]
    fn every_mark_takes_the_same_space() {
        let sizes: std::collections::BTreeSet<_> = [
            Cell::Value(0),
            Cell::Value(i64::MAX),
            Cell::NotShown,
            Cell::NotApplicable,
            Cell::Missing,
        ]
        .into_iter()
        .map(|cell| table(vec![cell], Mode::Open).encode().len())
        .collect();
        assert_eq!(sizes.len(), 1, "{sizes:?}");
    }

    #[test]
    fn implausible_cells_are_refused() {
        for (cells, mode) in [
            (vec![Cell::Value(-1)], Mode::Open),
            (vec![Cell::Value(i64::MAX)], Mode::Open),
            (vec![Cell::Value(1)], Mode::Closed),
            (vec![Cell::Missing], Mode::Protected),
            (vec![], Mode::Open),
            (vec![Cell::NotShown, Cell::NotShown], Mode::Open),
        ] {
            assert!(
                Table::decode(&table(cells.clone(), mode).encode(), Lists::builtin()).is_err(),
                "{cells:?}"
            );
        }
    }

    #[test]
    fn a_cell_prints_no_number() {
        assert!(!format!("{:?}", table(vec![Cell::Value(71)], Mode::Open)).contains("71"));
    }
}
