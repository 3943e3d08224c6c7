//! What an indicator is. Comes in: a row of `indicators.csv`, read by `load`. Goes out: an agreed meaning.
//!
//! A figure never travels without its indicator's code, so nothing here may change for a code that has
//! been used: another meaning is another code.

use super::{AreaList, CrimeAreaCode, DimensionCode, Granularity, IndicatorCode};

/// Most dimensions of one indicator: with each, a cell becomes smaller and the lattice larger.
pub const DIMENSIONS_MAX: usize = 3;

/// What kind of figure an indicator is; decides how members' figures combine (domain.md §7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Semantics {
    /// Events in a period: adds across members.
    Flow,
    /// State at a moment: does not add.
    Stock,
    /// Amounts of something (kilograms, euros) in a period: adds across members.
    Magnitude,
    /// Share, rate or index: recomputed from its parts, never averaged.
    Ratio,
    /// Price, purity or fee: does not add.
    Price,
    /// Expert score: averaged, never added.
    Score,
}

impl Semantics {
    /// Do figures of several members make one by addition?
    pub fn adds(self) -> bool {
        match self {
            Self::Flow | Self::Magnitude => true,
            Self::Stock | Self::Ratio | Self::Price | Self::Score => false,
        }
    }
}

/// When a unit is counted. Two members' figures compare only if they count at the same moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// When an authority comes upon it: detection, seizure, identification, report.
    Detection,
    /// When an investigation is opened or a person is proceeded against.
    Charge,
    /// When a judgement is final.
    Judgement,
    /// When it is asked, sampled or assessed.
    Survey,
    /// What there is on the last day of the period.
    PeriodEnd,
}

/// How long a protected unit exists; decides how a node's disclosure budget composes over periods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitLife {
    /// It belongs to exactly one period: a seizure, a case, a detection.
    Event,
    /// It exists over several periods: a group, a network, a prisoner.
    Lasting,
}

/// An agreed indicator.
#[derive(Clone, Debug)]
pub struct Indicator {
    /// Its code.
    pub code: IndicatorCode,
    /// Its name.
    pub label: String,
    /// What is counted or measured, and what is left out: one sentence.
    pub definition: String,
    /// Unit of measure of the value.
    pub unit: String,
    /// Values are whole numbers of 10^-decimals units.
    pub decimals: u32,
    /// How it combines.
    pub semantics: Semantics,
    /// Which list its crime areas come from.
    pub area_list: AreaList,
    /// The areas that it may be asked for, each with all below it; empty: the whole list.
    pub areas: Vec<CrimeAreaCode>,
    /// Offences of the list `iccs` that it covers, as far as there are any. May match in part only.
    pub iccs: Vec<CrimeAreaCode>,
    /// What it may be broken down by.
    pub dimensions: Vec<DimensionCode>,
    /// Region levels at which it may be asked.
    pub levels: Vec<u32>,
    /// Reporting periods that it has.
    pub granularity: Vec<Granularity>,
    /// Already published nationally: the only kind that mode *open* may release.
    pub public: bool,
    /// What a frequency rule counts and protects, e.g. seizure: singular.
    pub unit_at_risk: String,
    /// What one step of the count is; often the unit at risk itself.
    pub counting_unit: String,
    /// When it is counted.
    pub moment: Moment,
    /// How long the unit at risk exists.
    pub unit_life: UnitLife,
    /// It rests on what people told, so the floor on distinct sources applies.
    pub human_sources: bool,
    /// Several jurisdictions may count the same one: a person, a group, an action. Their sum may hold it more than once.
    pub counted_twice: bool,
    /// Numerator and denominator of a ratio that is worked out of two regional figures.
    pub parts: Option<(IndicatorCode, IndicatorCode)>,
    /// Least value of one observation, in units of 10^-decimals; below 0 for judgements of direction only.
    pub value_min: i64,
    /// Plausibility cap of one observation, in units of 10^-decimals.
    pub value_max: i64,
    /// First year that it is collected for.
    pub valid_from: Option<u16>,
    /// Last year that it is collected for.
    pub valid_to: Option<u16>,
    /// The existing collection that it follows.
    pub source: String,
}

impl Indicator {
    /// Is it collected for this calendar year?
    pub fn valid_in(&self, year: u16) -> bool {
        self.valid_from.is_none_or(|from| from <= year) && self.valid_to.is_none_or(|to| year <= to)
    }
}
