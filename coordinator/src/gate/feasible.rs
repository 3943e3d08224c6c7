//! Feasibility: what the gate could say at best, before anybody is asked for a figure. Comes in: a draft, what its members
//! say that may be asked of them, and what was pooled before. Goes out: of every cell whether it could be published. Must
//! never rest on a figure: whoever may ask reads here nothing that members' published policies, frozen periods and earlier
//! pictures do not tell her.

use std::collections::BTreeSet;

use accord_proto::{
    identity::Name,
    lattice::Axis,
    question::{Block, Requirement},
    taxonomy::{JurisdictionCode, Lists, Period, Semantics},
    wire::{self, region},
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
    /// Its own words: indicators and modes of its published policy, periods that it has frozen.
    pub said: wire::DescribeResponse,
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

impl Feasibility {
    /// As the wire has it.
    pub fn to_wire(self) -> region::Feasibility {
        match self {
            Self::Public => region::Feasibility::Public,
            Self::Pooled => region::Feasibility::Pooled,
            Self::TooFew => region::Feasibility::TooFew,
            Self::NoPool => region::Feasibility::NoPool,
            Self::Waits => region::Feasibility::Waits,
            Self::Nobody => region::Feasibility::Nobody,
        }
    }
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
        let asked = Asked { audience: draft.audience.to_string(), block, key, lists };
        let (mut public, mut hidden) = (BTreeSet::new(), Present::new());
        for member in respondents {
            match asked.of(&member.said) {
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
    audience: String,
    block: &'a Block,
    key: RegionalKey,
    lists: &'a Lists,
}

impl Asked<'_> {
    fn of(&self, said: &wire::DescribeResponse) -> Option<Holds> {
        let indicator = self.key.indicator.to_string();
        let term = said.terms.iter().find(|term| term.indicator == indicator)?;
        let edition = self.edition(said)?;
        match term.mode() {
            wire::Mode::Open => Some(Holds::Public),
            wire::Mode::Bulletin => Some(Holds::Hidden(edition)),
            wire::Mode::Protected => {
                let tier = term.tiers.iter().find(|tier| tier.audience == self.audience)?;
                self.is_in(tier).then_some(Holds::Hidden(edition))
            }
            wire::Mode::Closed | wire::Mode::Unspecified => None,
        }
    }

    /// Number of the frozen period that it is, or 0 if it is made of others, or a part of one.
    fn edition(&self, said: &wire::DescribeResponse) -> Option<u32> {
        let asked = self.key.period;
        let frozen = said.editions.iter().filter_map(|edition| {
            Period::parse("period", &edition.period).ok().map(|period| (period, edition.number))
        });
        let mut near = frozen.filter(|(of, _)| *of == asked || of.holds(asked) || asked.holds(*of));
        let first = near.next()?;
        let same = std::iter::once(first).chain(near).find(|(period, _)| *period == asked);
        Some(same.map_or(0, |(_, number)| number))
    }

    /// Does the audience get such a cell at all?
    fn is_in(&self, tier: &wire::TierTerms) -> bool {
        let depth = self.key.above(Axis::Area, self.lists).len();
        let length = self.key.period.granularity().to_string();
        let indicator = self.lists.indicator_of(self.key.indicator);
        let dimensions = indicator.map(|indicator| indicator.dimensions.as_slice());
        let mut broken_down = self.key.categories.iter().zip(dimensions.unwrap_or_default());
        tier.region_levels.contains(&self.block.region_level)
            && tier.granularity.contains(&length)
            && tier.area_levels.iter().any(|level| usize::try_from(*level) == Ok(depth))
            && broken_down.all(|(category, dimension)| {
                category.is_none() || tier.dimensions.contains(&dimension.to_string())
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
