//! Whom an attack asks. Comes in: cells of a lattice, an audience. Goes out: figures or "not shown", and all that
//! is seen besides. Implemented by a whole node ([`super::world`]), by a reference, and by twins weakened on
//! purpose. Must never give an attack anything that a recipient does not get.

use anyhow::Result;

use super::cells::Lattice;

/// For whom is asked. Tier A is the narrowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Audience {
    /// Tier A.
    Police,
    /// Tier B.
    Partners,
    /// Tier C.
    Public,
}

/// What is published of a tier, and the floor, which is not.
#[derive(Clone, Copy, Debug)]
pub struct Tier {
    /// Of the noise, all of it.
    pub variance: f64,
    /// A blurred figure below is not shown.
    pub threshold: i64,
    /// Figures are multiples of this.
    pub rounding: i64,
    /// Fewer protected units are not shown, whatever the noise says.
    pub floor: i64,
}

impl Audience {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Police, Self::Partners, Self::Public];

    /// Its code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Police => "POLICE",
            Self::Partners => "PARTNERS",
            Self::Public => "PUBLIC",
        }
    }

    /// As the shipped policy has it.
    pub fn tier(self) -> Tier {
        let tier =
            |variance, threshold, rounding, floor| Tier { variance, threshold, rounding, floor };
        match self {
            Self::Police => tier(3.0, 10, 1, 3),
            Self::Partners => tier(9.0, 17, 5, 5),
            Self::Public => tier(36.0, 35, 10, 10),
        }
    }
}

/// Times that a cell may be drawn for tier A: for its first edition, and for a correction.
pub const DRAWS: usize = 2;

/// Variance of a draw of tier A, counted from 0.
pub fn variance_of_draw(number: usize) -> f64 {
    if number == 0 { 3.0 } else { 6.0 }
}

/// Threshold of a draw of tier A: as many standard deviations above the floor.
pub fn threshold_of_draw(number: usize) -> i64 {
    if number == 0 { 10 } else { 15 }
}

/// Records that a node holds: so many protected units in a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Which leaf.
    pub leaf: usize,
    /// How many units.
    pub units: i64,
    /// Their handling code lets them count for the police only.
    pub restricted: bool,
}

/// A question that the lattice does not have, or has under another name.
#[derive(Clone, Debug)]
pub enum Odd {
    /// Several cells as one.
    Union(Vec<usize>),
    /// A cell twice in one question.
    Twice(usize),
    /// A cell with its region level, period or area spelled in another way.
    Spelled(usize, Spelling),
}

/// How a question is spelled.
#[derive(Clone, Debug, Default)]
pub struct Spelling {
    /// In place of the period.
    pub period: Option<String>,
    /// In place of the crime area.
    pub area: Option<String>,
    /// In place of the level.
    pub level: Option<u32>,
}

/// What comes back to an odd question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// An error, as the caller sees it.
    Refused(String),
    /// Figures.
    Answered(Vec<Option<i64>>),
}

/// Somebody who answers.
pub trait Oracle {
    /// What can be asked.
    fn lattice(&self) -> &Lattice;

    /// Figures; none where a cell is not shown.
    fn ask(&mut self, audience: Audience, cells: &[usize]) -> Result<Vec<Option<i64>>>;

    /// The same question many times at once.
    fn ask_at_once(
        &mut self,
        audience: Audience,
        cells: &[usize],
        times: usize,
    ) -> Result<Vec<Vec<Option<i64>>>> {
        (0..times).map(|_| self.ask(audience, cells)).collect()
    }

    /// What is seen of an answer besides its figures: marks, sizes, order.
    fn seen(&mut self, audience: Audience, cells: &[usize]) -> Result<Vec<u8>>;

    /// A question that the lattice does not have.
    fn ask_odd(&mut self, audience: Audience, odd: &Odd) -> Result<Reply>;

    /// More records come; every period that holds one of them is frozen anew.
    fn correct(&mut self, added: &[Held]) -> Result<()>;

    /// Ends and starts again.
    fn restart(&mut self) -> Result<()>;

    /// Ends and starts again with newer code lists, and freezes the periods of a leaf anew.
    fn renew_lists(&mut self, leaf: usize) -> Result<()>;
}

/// Makes oracles.
pub trait Service {
    /// What it is, for a report.
    fn name(&self) -> String;

    /// One that holds this and has frozen every period. The same seed gives the same.
    fn open(&self, lattice: &Lattice, held: &[Held], seed: u64) -> Result<Box<dyn Oracle>>;
}

/// So many unrestricted units in each leaf.
pub fn hold(counts: &[i64]) -> Vec<Held> {
    let some = (0..).zip(counts).filter(|(_, units)| **units > 0);
    some.map(|(leaf, units)| Held { leaf, units: *units, restricted: false }).collect()
}
