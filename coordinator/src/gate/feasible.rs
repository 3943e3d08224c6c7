//! Feasibility: what the gate could say at best, before anybody is asked for a figure. Comes in: a draft, what its members
//! say that may be asked of them, and what was pooled before. Goes out: of every cell whether it could be published. Must
//! never rest on a figure: whoever may ask reads here nothing that members' published policies, frozen periods and earlier
//! pictures do not tell her.

use std::collections::{BTreeMap, BTreeSet};

use accord_proto::{
    identity::Name,
    lattice::Axis,
    question::{Block, Requirement},
    taxonomy::{
        DimensionCode, Granularity, IndicatorCode, JurisdictionCode, Lists, Period, Semantics,
    },
};

use super::{
    GatePolicy, Pooled, PooledBefore, RegionalKey,
    memory::{Contributor, Present},
    pool::behind_middle,
};

/// A member that said what may be asked of it.
#[derive(Clone, Debug)]
pub struct Respondent {
    /// Its node.
    pub node: Name,
    /// Whom it speaks for.
    pub jurisdiction: JurisdictionCode,
    /// What its published policy says of each indicator that may be asked.
    pub offers: BTreeMap<IndicatorCode, Offer>,
    /// Periods that it has frozen, with the number of the edition.
    pub frozen: Vec<(Period, u32)>,
}

/// How a member lets an indicator out.
#[derive(Clone, Debug)]
pub enum Offer {
    /// It is published.
    Public,
    /// It is not, and may be asked of every cell.
    Hidden,
    /// It is not, and may be asked of some cells.
    Within(Levels),
}

/// The lattice that an audience may ask.
#[derive(Clone, Debug, Default)]
pub struct Levels {
    /// Of regions.
    pub regions: Vec<u32>,
    /// Of periods.
    pub granularity: Vec<Granularity>,
    /// Of crime areas; 0 is the top.
    pub areas: Vec<u32>,
    /// By which dimensions cells may be broken down.
    pub dimensions: Vec<DimensionCode>,
}

/// What could become of a cell at best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feasibility {
    /// Whoever holds it has published it.
    Public,
    /// Enough jurisdictions hold it.
    Pooled,
    /// Too few of them do.
    TooFew,
    /// There is no pool for such figures.
    NoPool,
    /// It was shown before, and too few have come, or have corrected theirs, since.
    Waits,
    /// Nobody holds it.
    Nobody,
}

/// A cell, what could become of it, and how many jurisdictions hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feasible {
    /// Which cell.
    pub key: RegionalKey,
    /// What could become of it.
    pub feasibility: Feasibility,
    /// Jurisdictions that have published it.
    pub public: usize,
    /// Jurisdictions that hold it and have not.
    pub hidden: usize,
}

/// Judges every cell of a draft, in the order of its question.
pub fn feasible(
    draft: &Requirement,
    respondents: &[Respondent],
    policy: &GatePolicy,
    before: &PooledBefore,
    lists: &Lists,
) -> Vec<Feasible> {
    let minimum = policy.contributors_min(draft.minimum_contributors);
    let mut all = Vec::new();
    for (block, key) in RegionalKey::asked_by_block(&draft.question) {
        let asked = Asked { block, key, lists };
        let (mut public, mut hidden) = (BTreeSet::new(), Present::new());
        for member in respondents {
            match asked.of(member) {
                Some(Holds::Public) => {
                    public.insert(member.jurisdiction);
                }
                Some(Holds::Hidden(edition)) => {
                    hidden.insert((member.jurisdiction, member.node.clone()), edition);
                }
                None => {}
            }
        }
        let of: BTreeSet<_> = hidden.keys().map(|(jurisdiction, _)| *jurisdiction).collect();
        let middle = minimum.max(behind_middle(public.len(), policy.coalition()));
        let feasibility = asked.judge(&public, &hidden, [minimum, middle], before.get(&key));
        all.push(Feasible { key, feasibility, public: public.len(), hidden: of.len() });
    }
    all
}

/// How a member holds a cell.
enum Holds {
    Public,
    /// From which edition; 0 where its period is made of others.
    Hidden(u32),
}

/// One cell of a draft.
struct Asked<'a> {
    block: &'a Block,
    key: RegionalKey,
    lists: &'a Lists,
}

impl Asked<'_> {
    fn of(&self, member: &Respondent) -> Option<Holds> {
        let edition = self.edition(&member.frozen)?;
        match member.offers.get(&self.key.indicator)? {
            Offer::Public => Some(Holds::Public),
            Offer::Hidden => Some(Holds::Hidden(edition)),
            Offer::Within(levels) => self.is_in(levels).then_some(Holds::Hidden(edition)),
        }
    }

    /// Number of the frozen period that it is, or 0 if it is made of others, or a part of one.
    fn edition(&self, frozen: &[(Period, u32)]) -> Option<u32> {
        let asked = self.key.period;
        let near = |(of, _): &&(Period, u32)| *of == asked || of.holds(asked) || asked.holds(*of);
        frozen.iter().find(near)?;
        let same = frozen.iter().find(|(of, _)| *of == asked);
        Some(same.map_or(0, |(_, number)| *number))
    }

    /// Does the audience get such a cell at all?
    fn is_in(&self, levels: &Levels) -> bool {
        let depth = self.key.above(Axis::Area, self.lists).len();
        let indicator = self.lists.indicator_of(self.key.indicator);
        let dimensions = indicator.map(|indicator| indicator.dimensions.as_slice());
        let mut broken_down = self.key.categories.iter().zip(dimensions.unwrap_or_default());
        levels.regions.contains(&self.block.region_level)
            && levels.granularity.contains(&self.key.period.granularity())
            && levels.areas.iter().any(|level| usize::try_from(*level) == Ok(depth))
            && broken_down.all(|(category, dimension)| {
                category.is_none() || levels.dimensions.contains(dimension)
            })
    }

    fn judge(
        &self,
        public: &BTreeSet<JurisdictionCode>,
        hidden: &Present,
        [of_sum, of_middle]: [u64; 2],
        before: Option<&Pooled>,
    ) -> Feasibility {
        let semantics = self.lists.indicator_of(self.key.indicator).map(|of| of.semantics);
        if hidden.is_empty() {
            return if public.is_empty() { Feasibility::Nobody } else { Feasibility::Public };
        }
        let all = hidden.len() as u64;
        let (minimum, corrected) = match semantics {
            Some(Semantics::Flow | Semantics::Magnitude) => (of_sum, of_sum),
            // A median is told again only when everybody has corrected.
            Some(Semantics::Stock | Semantics::Price) => (of_middle, all),
            Some(Semantics::Score | Semantics::Ratio) | None => return Feasibility::NoPool,
        };
        let enough = |of: &BTreeSet<&Contributor>| {
            let of: BTreeSet<_> = of.iter().map(|(jurisdiction, _)| jurisdiction).collect();
            of.len() as u64 >= minimum
        };
        if !enough(&hidden.keys().collect()) {
            return Feasibility::TooFew;
        }
        let nothing = Pooled::default();
        match before.unwrap_or(&nothing).next(hidden, corrected, enough) {
            Ok(_) => Feasibility::Pooled,
            Err(_) => Feasibility::Waits,
        }
    }
}
