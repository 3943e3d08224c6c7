//! A regional cell: what members' tables say of it, and what may be made of that. Comes in: parts of members. Goes out: the
//! figures to combine, and who stands how to them. Pure: the coordinator judges with it, and whoever checks a picture does
//! the same again.
//!
//! What is checked here needs nothing but the parts. Whether a cell was pooled before with other contributors only
//! the coordinator remembers.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    identity::Name,
    question::Question,
    table::{Cell, Mode, Table},
    taxonomy::{Categories, CrimeAreaCode, IndicatorCode, JurisdictionCode, Period},
};

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
        question.blocks.iter().flat_map(|block| {
            block.crime_areas.iter().flat_map(move |crime_area| {
                block.periods.iter().flat_map(move |period| {
                    block.categories.iter().map(move |categories| Self {
                        indicator: block.indicator,
                        crime_area: *crime_area,
                        period: *period,
                        categories: *categories,
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
    /// What it says.
    pub cell: Cell,
    /// Of its figure, in thousandths of a unit of 10^-decimals; 0: exact.
    pub standard_error_milli: u64,
}

impl Contribution<'_> {
    /// A figure that is not public: it is what the gate protects.
    pub fn is_hidden(&self) -> bool {
        matches!(self.cell, Cell::Value(_)) && self.mode != Mode::Open
    }

    fn figure(&self) -> Option<Figure> {
        let standard_error_milli = self.standard_error_milli;
        match self.cell {
            Cell::Value(value) => Some(Figure { value, standard_error_milli }),
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

/// Every part of the tables, by regional cell.
pub fn contributions<'a>(
    tables: impl IntoIterator<Item = &'a Table>,
) -> BTreeMap<RegionalKey, Vec<Contribution<'a>>> {
    let mut cells = BTreeMap::<RegionalKey, Vec<Contribution<'_>>>::new();
    for table in tables {
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
                    cell: placed.cell,
                    standard_error_milli: placed.standard_error_milli,
                });
            }
        }
    }
    cells
}

/// One figure to combine.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Figure {
    /// In units of 10^-decimals of the indicator.
    pub value: i64,
    /// In thousandths of such a unit; 0: exact.
    pub standard_error_milli: u64,
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
    if cell.iter().any(Contribution::is_hidden) {
        return None;
    }
    let figures = open_figures(cell)?.into_values().map(exact).collect();
    Some(Parts { standing: Standing::of(cell), figures })
}

/// The parts of a cell that at least `minimum` jurisdictions bring a figure to that is not public. Nodes of one
/// jurisdiction count different units under modes protected and bulletin, so their figures add, and they are one
/// contributor. Where one of them is open and another is not, nobody can say whether they count the same: nothing. So
/// for a cell to which a node brings more than one, of several regions or levels: a part of it may be shown and the
/// rest not.
pub fn pooled(cell: &[Contribution<'_>], minimum: usize) -> Option<Parts> {
    let nodes: BTreeSet<_> = cell.iter().map(|part| part.node).collect();
    let open = open_figures(cell)?;
    let hidden: Vec<_> = cell.iter().filter(|part| part.is_hidden()).collect();
    let jurisdictions: BTreeSet<_> = hidden.iter().map(|part| part.jurisdiction).collect();

    let one_of_each = nodes.len() == cell.len();
    let enough = jurisdictions.len() >= minimum;
    let apart = jurisdictions.iter().all(|jurisdiction| !open.contains_key(jurisdiction));
    if !(one_of_each && enough && apart) {
        return None;
    }
    let hidden = hidden.into_iter().filter_map(Contribution::figure);
    Some(Parts {
        standing: Standing::of(cell),
        figures: open.into_values().map(exact).chain(hidden).collect(),
    })
}

/// One open figure for a jurisdiction; none if its nodes hold different ones.
fn open_figures(cell: &[Contribution<'_>]) -> Option<BTreeMap<JurisdictionCode, i64>> {
    let mut figures = BTreeMap::new();
    for part in cell.iter().filter(|part| part.mode == Mode::Open) {
        if let Cell::Value(value) = part.cell
            && *figures.entry(part.jurisdiction).or_insert(value) != value
        {
            return None;
        }
    }
    Some(figures)
}

fn exact(value: i64) -> Figure {
    Figure { value, standard_error_milli: 0 }
}

impl Standing {
    fn of(cell: &[Contribution<'_>]) -> Self {
        let mut by_jurisdiction = BTreeMap::<_, Vec<Cell>>::new();
        for part in cell {
            by_jurisdiction.entry(part.jurisdiction).or_default().push(part.cell);
        }
        let value = |cell: &Cell| matches!(cell, Cell::Value(_));
        let missing = |cell: &Cell| matches!(cell, Cell::Missing);
        let applicable = |cell: &Cell| !matches!(cell, Cell::NotApplicable);
        let mut standing = Self { whole: true, ..Self::default() };
        for (jurisdiction, cells) in by_jurisdiction {
            standing.whole &= cells.iter().filter(|cell| applicable(cell)).all(value);
            let list = if cells.iter().any(value) {
                &mut standing.contributors
            } else if cells.iter().all(missing) {
                &mut standing.missing
            } else if cells.iter().any(applicable) {
                &mut standing.not_shown
            } else {
                continue;
            };
            list.push(jurisdiction);
        }
        standing
    }
}
