//! The table: what an answer says, cell by cell. Comes in: a node's released cells, or bytes from a
//! peer. Goes out: the one encoding of them. Every cell takes the same space, whatever its mark.

use prost::Message as _;

use crate::{
    id::EditionId,
    identity::Name,
    limits::{AXIS_MAX, BLOCKS_MAX, CELLS_MAX},
    question::{Block, Question},
    reason::{Invalid, Reason},
    regional::DEVIATION,
    roster::{ascending, bounded, each},
    seal::Digest,
    taxonomy::{
        Categories, CrimeAreaCode, IndicatorCode, JurisdictionCode, Lists, Period, RegionCode,
        TermCode,
    },
    wire,
};

mod cells;
mod contribution;

pub use contribution::Contribution;

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
    /// Open indicators only: published masked, somewhere from the first to the second, both included.
    Between(i64, i64),
}

impl std::fmt::Debug for Cell {
    /// Prints no number: tables pass through errors and logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Value(_) => "Value(_)",
            Self::Between(..) => "Between(_)",
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
    /// Ascending by their text, never empty.
    pub categories: Vec<Categories>,
    /// Mode protected: of every figure of a period, one for each period, in thousandths of a unit of
    /// 10^-decimals. Empty in every other mode: their figures are exact.
    pub standard_error_milli: Vec<u64>,
    /// What others may see of it.
    pub contribution: Contribution,
    /// So many jurisdictions the node wants behind a regional figure that rests on it; 0: as many as are demanded anyway.
    pub minimum_contributors: u32,
    /// In what way the node counts otherwise than it is defined: terms of [`crate::regional::DEVIATION`], ascending.
    pub deviations: Vec<TermCode>,
    /// In the order crime area, region, period, categories, the last varying fastest.
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
    /// Which categories.
    pub categories: Categories,
    /// What it is.
    pub cell: Cell,
    /// Of its figure, in thousandths of a unit of 10^-decimals; 0: exact.
    pub standard_error_milli: u64,
}

impl TableBlock {
    /// Its cells as they travel.
    pub(crate) fn cells_to_wire(&self, salt: Vec<u8>) -> wire::Cells {
        let value = |cell: &Cell| match cell {
            Cell::Value(value) | Cell::Between(value, _) => *value,
            Cell::NotShown | Cell::NotApplicable | Cell::Missing => 0,
        };
        let upper =
            |cell: &Cell| if let Cell::Between(_, upper) = cell { Some(*upper) } else { None };
        wire::Cells {
            salt,
            status: self.cells.iter().map(|cell| i32::from(cells::status_of(*cell))).collect(),
            value: self.cells.iter().map(value).collect(),
            standard_error_milli: self.standard_error_milli.clone(),
            upper: self.cells.iter().filter_map(upper).collect(),
            minimum_contributors: self.minimum_contributors,
        }
    }

    /// Its figures are public: others may keep them.
    pub fn may_be_kept(&self) -> bool {
        self.mode == Mode::Open
    }

    /// Every cell with its coordinates.
    pub fn placed(&self) -> impl Iterator<Item = Placed> {
        self.coordinates().zip(&self.cells).map(
            |((crime_area, region, period, categories), cell)| Placed {
                crime_area,
                region,
                period,
                categories,
                cell: *cell,
                standard_error_milli: self.standard_error_of(period),
            },
        )
    }

    /// Coordinates of its cells, in their order.
    pub fn coordinates(&self) -> impl Iterator<Item = Coordinates> {
        coordinates(&self.crime_areas, &self.regions, &self.periods, &self.categories)
    }

    fn standard_error_of(&self, period: Period) -> u64 {
        let of = self.periods.iter().zip(&self.standard_error_milli);
        of.into_iter().find(|(of, _)| **of == period).map_or(0, |(_, error)| *error)
    }
}

/// Where a cell of a block stands.
pub type Coordinates = (CrimeAreaCode, RegionCode, Period, Categories);

/// Coordinates of a block's cells, in the order of the table: the last axis varies fastest.
pub fn coordinates(
    crime_areas: &[CrimeAreaCode],
    regions: &[RegionCode],
    periods: &[Period],
    categories: &[Categories],
) -> impl Iterator<Item = Coordinates> {
    crime_areas.iter().flat_map(move |area| {
        regions.iter().flat_map(move |region| {
            periods.iter().flat_map(move |period| {
                categories.iter().map(move |categories| (*area, *region, *period, *categories))
            })
        })
    })
}

impl Table {
    /// All but the cells, whose digests are left open. `lists` are those that its codes belong to.
    pub(crate) fn head(&self, lists: &Lists) -> wire::Table {
        let blocks = self.blocks.iter().map(|block| wire::TableBlock {
            indicator: block.indicator.to_string(),
            mode: block.mode.to_wire().into(),
            crime_areas: block.crime_areas.iter().map(ToString::to_string).collect(),
            regions: block.regions.iter().map(ToString::to_string).collect(),
            periods: block.periods.iter().map(ToString::to_string).collect(),
            categories: lists.write_category_axis(block.indicator, &block.categories),
            cells_sha256: Vec::new(),
            contribution: block.contribution.to_wire().into(),
            deviations: block.deviations.iter().map(ToString::to_string).collect(),
        });
        wire::Table {
            node: self.node.to_string(),
            jurisdiction: self.jurisdiction.to_string(),
            lists: self.lists.clone(),
            editions: self.editions.iter().map(EditionRef::to_wire).collect(),
            blocks: blocks.collect(),
        }
    }

    /// Reads a table; every code must exist in `lists`, every mark must be known, every number plausible. `cells`
    /// has one entry for each block; a block whose cells were left out has none.
    pub fn read(
        head: wire::Table,
        cells: Vec<Option<wire::Cells>>,
        lists: &Lists,
    ) -> Result<Self, Invalid> {
        let wire::Table { node, jurisdiction, lists: lists_name, editions, blocks } = head;
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
        if cells.len() != blocks.len() {
            let detail =
                format!("cells of {} blocks where there are {}", cells.len(), blocks.len());
            return Err(Invalid::new(Reason::FieldInvalid, "table.blocks", detail));
        }
        let filled = blocks.into_iter().zip(cells).collect();
        let table = Self {
            node: Name::parse("table.node", &node)?,
            jurisdiction,
            lists: lists_name,
            editions: each("table.editions", editions, EditionRef::from_wire)?,
            blocks: each("table.blocks", filled, |(entry, cells)| {
                block(entry, cells, lists, jurisdiction)
            })?,
        };
        ascending("table.editions", table.editions.iter().map(|edition| edition.period))?;
        Ok(table)
    }

    /// Digest of the editions that it rests on.
    pub fn snapshot(&self) -> Digest {
        let editions: Vec<_> =
            self.editions.iter().map(|edition| edition.to_wire().encode_to_vec()).collect();
        let parts = editions.iter().map(Vec::as_slice);
        Digest::of_parts(std::iter::once(&b"accord.snapshot.v1"[..]).chain(parts))
    }

    /// Refuses a table that has other cells than `question` asks of this jurisdiction.
    pub fn check_answers(&self, question: &Question, lists: &Lists) -> Result<(), Invalid> {
        let same = |(asked, given): (&Block, &TableBlock)| {
            asked.indicator == given.indicator
                && asked.crime_areas == given.crime_areas
                && asked.periods == given.periods
                && asked.categories == given.categories
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
    cells: Option<wire::Cells>,
    lists: &Lists,
    jurisdiction: JurisdictionCode,
) -> Result<TableBlock, Invalid> {
    let wire::TableBlock {
        indicator,
        mode,
        crime_areas,
        regions,
        periods,
        categories,
        contribution,
        deviations,
        cells_sha256: _, // compared with the bytes by `tree`
    } = entry;
    let indicator = lists.indicator("indicator", &indicator)?;
    let axis = lists.parse_category_axis("categories", indicator, categories.clone())?;
    if lists.write_category_axis(indicator.code, &axis) != categories {
        let detail = "the total alone is written as empty";
        return Err(Invalid::new(Reason::FieldInvalid, "categories", detail));
    }
    let block = TableBlock {
        indicator: indicator.code,
        mode: Mode::from_wire("mode", mode)?,
        crime_areas: each("crime_areas", crime_areas, |code| {
            lists.crime_area("code", indicator, &code)
        })?,
        regions: each("regions", regions, |code| region(&code, lists, jurisdiction))?,
        periods: each("periods", periods, |text| lists.period("period", indicator, &text))?,
        categories: axis,
        standard_error_milli: Vec::new(),
        contribution: Contribution::from_wire("contribution", contribution)?,
        minimum_contributors: 0,
        deviations: each("deviations", deviations, |code| {
            lists.term("code", DEVIATION, &code).map(|term| term.code)
        })?,
        cells: Vec::new(),
    };
    ascending("deviations", &block.deviations)?;
    ascending("crime_areas", &block.crime_areas)?;
    ascending("regions", &block.regions)?;
    ascending("periods", &block.periods)?;
    let count = block
        .crime_areas
        .len()
        .saturating_mul(block.regions.len())
        .saturating_mul(block.periods.len())
        .saturating_mul(block.categories.len());
    bounded("cells", count, CELLS_MAX)?;
    match cells {
        Some(cells) => cells::fill(block, cells, count, indicator),
        None => Ok(block),
    }
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

#[cfg(test)]
mod tests;
