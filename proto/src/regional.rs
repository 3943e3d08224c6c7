//! A regional cell: what members' tables say of it, and what may be made of that. Comes in: parts of members. Goes out: the
//! figures to combine, and who stands how to them. Pure: the coordinator judges with it, and whoever checks a picture does
//! the same again.
//!
//! What is checked here needs nothing but the parts. What follows from cells that were pooled before, from other cells
//! and from the gate's secret parameters only the coordinator knows.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    identity::Name,
    question::{Block, Question},
    table::{Cell, Contribution as Consent, Mode, Table},
    taxonomy::{Categories, CrimeAreaCode, IndicatorCode, JurisdictionCode, Period, RegionCode},
    wire::region,
};

/// What is said of a sum in which the same one may be counted more than once.
pub const COUNTED_TWICE: &str = "A sum of national counts: whoever was counted in several jurisdictions is in it several times.";

/// A regional cell: the region is all members that the requirement names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RegionalKey {
    /// What is counted or measured.
    pub indicator: IndicatorCode,
    /// Which crime area.
    pub crime_area: CrimeAreaCode,
    /// Which period.
    pub period: Period,
    /// Which categories.
    pub categories: Categories,
}

impl RegionalKey {
    /// Every cell that is asked, in the order of the question.
    pub fn asked(question: &Question) -> impl Iterator<Item = Self> {
        Self::asked_by_block(question).map(|(_, key)| key)
    }

    /// The same, each with the block that asks it.
    pub fn asked_by_block(question: &Question) -> impl Iterator<Item = (&Block, Self)> {
        question.blocks.iter().flat_map(|block| {
            block.crime_areas.iter().flat_map(move |crime_area| {
                block.periods.iter().flat_map(move |period| {
                    block.categories.iter().map(move |categories| {
                        let key = Self {
                            indicator: block.indicator,
                            crime_area: *crime_area,
                            period: *period,
                            categories: *categories,
                        };
                        (block, key)
                    })
                })
            })
        })
    }
}

/// One member's part in a regional cell.
#[derive(Clone, Copy)]
pub struct Contribution<'a> {
    /// Whose node.
    pub node: &'a Name,
    /// Whom it speaks for.
    pub jurisdiction: JurisdictionCode,
    /// How its policy lets the indicator out.
    pub mode: Mode,
    /// Which of its regions.
    pub region: RegionCode,
    /// What others may see of it.
    pub consent: Consent,
    /// So many jurisdictions it wants behind the cell; 0: as many as are demanded anyway.
    pub minimum: u32,
    /// What it says.
    pub cell: Cell,
    /// Of its figure, in thousandths of a unit of 10^-decimals; 0: exact.
    pub standard_error_milli: u64,
    /// Number of the edition of its period that it rests on; 0 where the table names none.
    pub edition: u32,
}

impl Contribution<'_> {
    /// A figure that is not public.
    pub fn is_protected(&self) -> bool {
        matches!(self.cell, Cell::Value(_)) && self.mode != Mode::Open
    }

    /// A figure that is neither public nor may be seen with its jurisdiction's name: it is what the gate protects. Whoever
    /// lets its name stand beside its figure waives that, and everybody can subtract the figure.
    pub fn is_hidden(&self) -> bool {
        self.is_protected() && self.consent == Consent::Pooled
    }

    /// Some figure of it is known, if only where it lies.
    fn brings(&self) -> bool {
        matches!(self.cell, Cell::Value(_) | Cell::Between(..))
    }

    /// How exact its figure is, if it brings one.
    pub fn precision(&self) -> Option<Precision> {
        let precision = match self.mode {
            Mode::Open if matches!(self.cell, Cell::Between(..)) => Precision::Masked,
            Mode::Open => Precision::Open,
            Mode::Protected => Precision::Protected,
            Mode::Bulletin => Precision::Bulletin,
            Mode::Closed => return None,
        };
        self.brings().then_some(precision)
    }

    fn figure(&self) -> Option<Figure> {
        let standard_error_milli = self.standard_error_milli;
        let exact_and_hidden = self.is_hidden() && standard_error_milli == 0;
        let figure = |value, upper| Figure { value, upper, standard_error_milli, exact_and_hidden };
        match self.cell {
            Cell::Value(value) => Some(figure(value, value)),
            Cell::Between(least, most) => Some(figure(least, most)),
            Cell::NotShown | Cell::NotApplicable | Cell::Missing => None,
        }
    }
}

impl std::fmt::Debug for Contribution<'_> {
    /// Prints no figure.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Contribution({}, {:?})", self.node, self.cell)
    }
}

mod deviation;
mod share;

pub use deviation::{DEVIATION, Deviation, deviations, in_words};
pub use share::Share;

/// How exact a member's figure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precision {
    /// Already public nationally: exact.
    Open,
    /// Public nationally, but masked: an interval.
    Masked,
    /// Noise, floors, rounding.
    Protected,
    /// Exact, of a signed bulletin; not public.
    Bulletin,
}

impl Precision {
    /// The wire's number for it.
    pub fn to_wire(self) -> region::Precision {
        match self {
            Self::Open => region::Precision::Open,
            Self::Masked => region::Precision::Masked,
            Self::Protected => region::Precision::Protected,
            Self::Bulletin => region::Precision::Bulletin,
        }
    }
}

/// Every part of the tables, by regional cell.
pub fn contributions<'a>(
    tables: impl IntoIterator<Item = &'a Table>,
) -> BTreeMap<RegionalKey, Vec<Contribution<'a>>> {
    let mut cells = BTreeMap::<RegionalKey, Vec<Contribution<'_>>>::new();
    for table in tables {
        let edition_of = |period| {
            let of = table.editions.iter().find(|edition| edition.period == period);
            of.map_or(0, |edition| edition.number)
        };
        for block in &table.blocks {
            for placed in block.placed() {
                let key = RegionalKey {
                    indicator: block.indicator,
                    crime_area: placed.crime_area,
                    period: placed.period,
                    categories: placed.categories,
                };
                cells.entry(key).or_default().push(Contribution {
                    node: &table.node,
                    jurisdiction: table.jurisdiction,
                    mode: block.mode,
                    region: placed.region,
                    consent: block.contribution,
                    minimum: block.minimum_contributors,
                    cell: placed.cell,
                    standard_error_milli: placed.standard_error_milli,
                    edition: edition_of(placed.period),
                });
            }
        }
    }
    cells
}

/// How many jurisdictions must stand behind every figure that is not public: as many as the requirement demands, or as
/// the most demanding member, for any cell at all. One number for a whole picture: it can be printed, and which cell
/// brought it cannot be told from it.
pub fn minimum_of<'a>(tables: impl IntoIterator<Item = &'a Table>, required: u32) -> u32 {
    let blocks = tables.into_iter().flat_map(|table| &table.blocks);
    // What is public hides nobody, and what is closed is in nothing.
    let hides = |mode| matches!(mode, Mode::Protected | Mode::Bulletin);
    let blocks = blocks.filter(|block| hides(block.mode));
    blocks.map(|block| block.minimum_contributors).fold(required, u32::max)
}

/// One figure to combine.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Figure {
    /// In units of 10^-decimals of the indicator: the least that it can be.
    pub value: i64,
    /// The most; the same unless it was published masked.
    pub upper: i64,
    /// In thousandths of such a unit; 0: no noise.
    pub standard_error_milli: u64,
    /// Neither public nor noisy: it must not show through.
    pub exact_and_hidden: bool,
}

impl std::fmt::Debug for Figure {
    /// Prints no figure.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Figure(_)")
    }
}

/// Who stands how to a cell, by jurisdiction. Nodes of one jurisdiction count as one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// A figure of theirs is in it, ascending.
    pub contributors: Vec<JurisdictionCode>,
    /// They say that the figure is not available, ascending.
    pub missing: Vec<JurisdictionCode>,
    /// They answered without showing it, ascending.
    pub not_shown: Vec<JurisdictionCode>,
    /// Every node that answered has a figure in it: of a jurisdiction with two nodes, both.
    pub whole: bool,
    /// Who brings how exact a figure.
    pub basis: BTreeMap<Precision, BTreeSet<JurisdictionCode>>,
}

/// What may be combined of a cell.
#[derive(Debug)]
pub struct Parts {
    /// Who stands how to it.
    pub standing: Standing,
    /// What to combine.
    pub figures: Vec<Figure>,
}

/// The parts of a cell whose every contributor's seal states mode open; of any other, nothing. What is public nationally is
/// one figure for a jurisdiction, however many of its nodes hold it: it counts once, and if they hold
/// different ones, nobody can say which is true.
pub fn public(cell: &[Contribution<'_>]) -> Option<Parts> {
    if cell.iter().any(Contribution::is_protected) {
        return None;
    }
    let figures = open_figures(cell)?.into_values().collect();
    Some(Parts { standing: Standing::of(cell), figures })
}

/// The parts of a cell that at least `minimum` jurisdictions bring a hidden figure to, or none does: what is public or
/// may be seen with a name hides nobody, and needs not be hidden. Nodes of one jurisdiction count different units under modes protected and bulletin, so their figures add, and they are one
/// contributor. Where one of them is open and another is not, nobody can say whether they count the same: nothing. So
/// for a cell to which a node brings more than one, of several regions or levels: a part of it may be shown and the
/// rest not.
pub fn pooled(cell: &[Contribution<'_>], minimum: usize) -> Option<Parts> {
    let nodes: BTreeSet<_> = cell.iter().map(|part| part.node).collect();
    let open = open_figures(cell)?;
    let protected: Vec<_> = cell.iter().filter(|part| part.is_protected()).collect();
    let hidden: BTreeSet<_> =
        protected.iter().filter(|part| part.is_hidden()).map(|part| part.jurisdiction).collect();

    let of_protected: BTreeSet<_> = protected.iter().map(|part| part.jurisdiction).collect();

    let one_of_each = nodes.len() == cell.len();
    let enough = match hidden.len() {
        0 => of_protected.is_empty() || of_protected.len() >= minimum,
        hidden => hidden >= minimum,
    };
    let apart = protected.iter().all(|part| !open.contains_key(&part.jurisdiction));
    if !(one_of_each && enough && apart) {
        return None;
    }
    let protected = protected.into_iter().filter_map(Contribution::figure);
    Some(Parts {
        standing: Standing::of(cell),
        figures: open.into_values().chain(protected).collect(),
    })
}

/// One open figure for a jurisdiction; none if its nodes hold different ones.
fn open_figures(cell: &[Contribution<'_>]) -> Option<BTreeMap<JurisdictionCode, Figure>> {
    let mut figures = BTreeMap::new();
    for part in cell.iter().filter(|part| part.mode == Mode::Open) {
        if let Some(figure) = part.figure()
            && *figures.entry(part.jurisdiction).or_insert(figure) != figure
        {
            return None;
        }
    }
    Some(figures)
}

impl Standing {
    fn of(cell: &[Contribution<'_>]) -> Self {
        let mut by_jurisdiction = BTreeMap::<_, Vec<&Contribution<'_>>>::new();
        for part in cell {
            by_jurisdiction.entry(part.jurisdiction).or_default().push(part);
        }
        let brings = |part: &&Contribution<'_>| part.brings();
        let missing = |part: &&Contribution<'_>| part.cell == Cell::Missing;
        let applicable = |part: &&Contribution<'_>| part.cell != Cell::NotApplicable;
        let mut standing = Self { whole: true, ..Self::default() };
        for (jurisdiction, parts) in by_jurisdiction {
            standing.whole &= parts.iter().filter(|part| applicable(part)).all(&brings);
            let list = if parts.iter().any(brings) {
                &mut standing.contributors
            } else if parts.iter().all(missing) {
                &mut standing.missing
            } else if parts.iter().any(applicable) {
                &mut standing.not_shown
            } else {
                continue;
            };
            list.push(jurisdiction);
            for precision in parts.iter().filter_map(|part| part.precision()) {
                standing.basis.entry(precision).or_default().insert(jurisdiction);
            }
        }
        standing
    }
}
