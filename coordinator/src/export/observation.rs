//! One cell of a picture, as an export needs it: codes with their names, figures as scaled integers. Plain data; must
//! never hold a figure where the picture shows none.

use std::fmt;

use accord_proto::taxonomy::{Period, decimal};

/// A code and what it means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// The code.
    pub code: String,
    /// Its display name; the code again where the lists at hand do not know it.
    pub name: String,
}

/// Where a cell stands on one dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    /// The dimension, like `SEX`.
    pub dimension: String,
    /// The category; `_T` is the total over all of them.
    pub category: Named,
}

/// What can be said of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum State {
    /// A figure of every jurisdiction that was asked.
    Value,
    /// A figure of some of them.
    Partial,
    /// Only where it lies is told.
    Between,
    /// Every jurisdiction that answered says the figure is not available.
    Missing,
    /// Withheld by the nodes or by the regional gate.
    #[value(alias = "not_shown")]
    NotShown,
    /// Not combined across jurisdictions, or of no meaning for one.
    #[value(alias = "not_applicable")]
    NotApplicable,
    /// Nobody has answered yet.
    Waiting,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Value,
        Self::Partial,
        Self::Between,
        Self::Missing,
        Self::NotShown,
        Self::NotApplicable,
        Self::Waiting,
    ];

    /// Its stable name in every format but SDMX, which has codes for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Partial => "partial",
            Self::Between => "between",
            Self::Missing => "missing",
            Self::NotShown => "not_shown",
            Self::NotApplicable => "not_applicable",
            Self::Waiting => "waiting",
        }
    }

    /// What it means, for people.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Value => "Rests on every jurisdiction that was asked.",
            Self::Partial => {
                "Rests on some of the jurisdictions asked: of a sum a lower bound, never the whole."
            }
            Self::Between => "Only where it lies is told: from the lower to the upper bound.",
            Self::Missing => "Every jurisdiction that answered says it is not available.",
            Self::NotShown => "Withheld by the nodes or by the regional gate; why is not told.",
            Self::NotApplicable => "Not combined across jurisdictions.",
            Self::Waiting => "Nobody has answered yet.",
        }
    }
}

/// What a figure rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Figures that every contributor has published nationally.
    Open,
    /// Figures of which at least one is not public.
    Pooled,
}

impl Basis {
    /// Its stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Pooled => "pooled",
        }
    }
}

/// One cell of a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// What is counted or measured.
    pub indicator: Named,
    /// Unit of measure.
    pub unit: String,
    /// A sum of it may hold the same person, group or action more than once.
    pub counted_twice: bool,
    /// Figures are whole numbers of 10^-decimals units.
    pub decimals: u32,
    /// Which crime area.
    pub crime_area: Named,
    /// `REGION`, all members that were asked, or a jurisdiction.
    pub region: Named,
    /// Which period.
    pub period: Period,
    /// One for each dimension of the indicator, in the registry's order.
    pub categories: Vec<Category>,
    /// The cell in one text: `SEX=F;AGE=CHILD`, or `_T`.
    pub categories_text: String,
    /// What can be said of it.
    pub state: State,
    /// The figure, in units of 10^-decimals; only with the states value and partial.
    pub value: Option<i64>,
    /// Its standard error, in thousandths of such a unit; 0: exact.
    pub standard_error_milli: u64,
    /// Lower end of its interval, in units of 10^-decimals.
    pub lower: Option<i64>,
    /// Upper end of its interval, in units of 10^-decimals.
    pub upper: Option<i64>,
    /// Lower end of where the figure of everybody who was asked lies, in the same units.
    pub whole_lower: Option<i64>,
    /// And its upper end.
    pub whole_upper: Option<i64>,
    /// What it rests on, where the picture tells.
    pub basis: Option<Basis>,
    /// The jurisdiction has published this very figure.
    pub published_nationally: bool,
    /// Jurisdictions behind the figure, ascending.
    pub contributors: Vec<String>,
    /// Jurisdictions that say the figure is not available, ascending.
    pub missing: Vec<String>,
    /// Jurisdictions that answered without showing it, ascending.
    pub not_shown: Vec<String>,
    /// Jurisdictions asked that have not answered, ascending.
    pub silent: Vec<String>,
    /// Footnotes that belong to a jurisdiction named here; they cannot be switched off.
    pub footnotes: Vec<String>,
}

impl Observation {
    /// The figure, if there is one.
    pub fn figure(&self) -> Option<Exact> {
        self.exact(self.value)
    }

    /// Its standard error, if there is a figure.
    pub fn standard_error(&self) -> Option<Exact> {
        let milli = i64::try_from(self.standard_error_milli).unwrap_or(i64::MAX);
        let decimals = if milli == 0 { 0 } else { self.decimals.saturating_add(3) };
        self.value.map(|_| Exact { units: milli, decimals })
    }

    /// Lower and upper end of its interval, as far as they are told.
    pub fn interval(&self) -> [Option<Exact>; 2] {
        [self.exact(self.lower), self.exact(self.upper)]
    }

    /// The same for everybody who was asked.
    pub fn whole(&self) -> [Option<Exact>; 2] {
        [self.exact(self.whole_lower), self.exact(self.whole_upper)]
    }

    /// The category on a dimension; none: the indicator does not have it.
    pub fn category(&self, dimension: &str) -> Option<&str> {
        let of = self.categories.iter().find(|category| category.dimension == dimension);
        of.map(|category| category.category.code.as_str())
    }

    fn exact(&self, units: Option<i64>) -> Option<Exact> {
        units.map(|units| Exact { units, decimals: self.decimals })
    }
}

/// A decimal number as it is, without a float between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exact {
    /// In units of 10^-decimals.
    pub units: i64,
    /// Digits behind the point.
    pub decimals: u32,
}

impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&decimal(self.units, self.decimals))
    }
}
