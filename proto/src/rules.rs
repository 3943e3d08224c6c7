//! Primary confidentiality: may a figure be shown, given who stands behind it? Comes in: what the largest
//! respondents contribute, and a policy's secret parameters. Goes out: yes, or the rule that says no; and how wide
//! an interval must stay open around a figure that is not shown. Must never print a figure or a parameter, and
//! never call safe what it does not know.
//!
//! A *respondent* is whoever a figure could betray: within a node a protected unit, in the region a jurisdiction.
//!
//! # Why this is enough
//! *Claim:* from a figure that passes, `coalition` respondents who pool what they contributed cannot estimate any
//! other respondent's contribution to within p percent of it. *Argument:* the best they can do is subtract their own
//! from the total; that errs by what everybody else contributed; the error is smallest where the pool are the
//! largest and aim at the largest, and exactly that case is tested, in whole numbers. The other rules only refuse
//! more. *Known limit:* the rule looks at one figure alone: what sums and differences of several figures give away
//! is for suppression or noise. It holds for contributions that are not negative; where some are, only the number
//! of respondents is tested. Who is one respondent is the caller's word: group holdings first.

use std::{collections::BTreeMap, fmt};

#[cfg(test)]
mod tests;

/// Contributions that are kept apart, from the largest down. It bounds coalitions and dominance.
pub const LARGEST: usize = 4;

/// A share in thousandths: a secret parameter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PerMille(pub u32);

impl PerMille {
    /// A share in whole percent.
    pub const fn percent(percent: u32) -> Self {
        Self(percent.saturating_mul(10))
    }

    /// This share of `value`, in thousandths of it.
    fn of(self, value: i64) -> i128 {
        i128::from(self.0) * i128::from(value)
    }
}

impl fmt::Debug for PerMille {
    /// Prints no number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PerMille")
    }
}

/// What stands behind a figure.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Contributions {
    /// The figure: the sum of all contributions.
    pub total: i64,
    /// Respondents; none where it is not known.
    pub units: Option<u64>,
    /// Distinct sources.
    pub sources: u64,
    /// The largest contributions, descending; zero where there are no more.
    pub largest: [i64; LARGEST],
    /// How many of `largest` are known.
    pub known: usize,
    /// Some contribution is below zero.
    pub negative: bool,
}

impl Contributions {
    /// Of every respondent's contribution: one each.
    pub fn of(contributions: &[i64], sources: u64) -> Self {
        let mut descending = contributions.to_vec();
        descending.sort_unstable_by(|a, b| b.cmp(a));
        let mut largest = [0; LARGEST];
        largest.iter_mut().zip(&descending).for_each(|(largest, value)| *largest = *value);
        Self {
            total: narrowed(contributions.iter().map(|value| i128::from(*value)).sum()),
            units: Some(contributions.len() as u64),
            sources,
            largest,
            known: LARGEST,
            negative: contributions.iter().any(|value| *value < 0),
        }
    }

    /// Of contributions of which one owner may have several: these are one respondent's.
    pub fn grouped<Owner: Ord>(
        contributions: impl IntoIterator<Item = (Owner, i64)>,
        sources: u64,
    ) -> Self {
        let mut owners = BTreeMap::<Owner, i128>::new();
        for (owner, value) in contributions {
            *owners.entry(owner).or_default() += i128::from(value);
        }
        let owners: Vec<_> = owners.into_values().map(narrowed).collect();
        Self::of(&owners, sources)
    }

    /// Of a ready total: `largest`, descending, as far as its producer says. Fewer units than that leave no
    /// room for others, so zeros are known to follow.
    pub fn declared(total: i64, units: Option<u64>, sources: u64, largest: &[i64]) -> Self {
        let all = units.is_some_and(|units| units <= largest.len() as u64);
        let mut kept = [0; LARGEST];
        kept.iter_mut().zip(largest).for_each(|(kept, value)| *kept = *value);
        Self {
            total,
            units,
            sources,
            largest: kept,
            known: if all { LARGEST } else { largest.len().min(LARGEST) },
            negative: total < 0 || largest.iter().any(|value| *value < 0),
        }
    }

    /// Together with those of other respondents. Whether both rest on the same sources is not known: at least so many.
    #[must_use]
    pub fn joined(&self, other: &Self) -> Self {
        let mut all: Vec<i64> = self.largest.iter().chain(&other.largest).copied().collect();
        all.sort_unstable_by(|a, b| b.cmp(a));
        let mut largest = [0; LARGEST];
        largest.iter_mut().zip(&all).for_each(|(largest, value)| *largest = *value);
        Self {
            total: self.total.saturating_add(other.total),
            units: self.units.zip(other.units).map(|(a, b)| a.saturating_add(b)),
            sources: self.sources.max(other.sources),
            largest,
            // What is the third of both is not known where one side names two.
            known: self.known.min(other.known),
            negative: self.negative || other.negative,
        }
    }

    /// The sum of the `count` largest; none if they are not all known.
    fn top(&self, count: usize) -> Option<i128> {
        let known = self.largest.get(..count).filter(|_| count <= self.known)?;
        Some(known.iter().map(|value| i128::from(*value)).sum())
    }

    /// What is left of the figure without the largest and `colluders` after it.
    fn remainder(&self, colluders: usize) -> Option<i128> {
        Some(i128::from(self.total) - self.top(colluders.checked_add(1)?)?)
    }
}

impl fmt::Debug for Contributions {
    /// Prints no number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Contributions")
    }
}

/// A policy's parameters. Known to whoever wrote it, and to nobody else: with them, and with a figure that is shown
/// or not, the bounds of a contribution can be worked out.
#[derive(Clone, PartialEq, Eq)]
pub struct Rules {
    /// Fewest respondents.
    pub units_min: u64,
    /// Fewest sources, for figures that rest on human sources.
    pub sources_min: u64,
    /// Respondents who may pool what they know, for p % and (p, q).
    pub coalition: usize,
    /// p %: how near to a contribution an estimate may not come.
    pub p: Option<PerMille>,
    /// (n, k): the n largest may not have more than k of the figure.
    pub dominance: Option<(usize, PerMille)>,
    /// (p, q): whoever knew the others to within q may not learn one to within p.
    pub prior_posterior: Option<(PerMille, PerMille)>,
    /// Figures of zero may be shown, though they say of everybody that there is nothing.
    pub zeros: bool,
}

impl fmt::Debug for Rules {
    /// Prints no number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rules")
    }
}

/// Why a figure may not be shown. For its own house only: outside, the reason tells about the figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Unsafe {
    /// The figure says of every respondent that there is nothing.
    #[error("zero says of everybody that there is nothing")]
    AllZero,
    /// The figure says of everybody in a total that they belong to it.
    #[error("nearly everybody in a total belongs to it, so it says so of each of them")]
    GroupDisclosed,
    /// Nobody says how many respondents there are.
    #[error("the number of protected units is not known")]
    UnitsUnknown,
    /// Fewer respondents than the policy asks.
    #[error("too few protected units")]
    TooFewUnits,
    /// Fewer sources than the policy asks.
    #[error("too few sources")]
    TooFewSources,
    /// A rule needs contributions that nobody declared.
    #[error("the largest contributions are not known")]
    ContributionsUnknown,
    /// A contribution could be estimated too well.
    #[error("a contribution could be estimated too closely (p %)")]
    TooClose,
    /// Few have too much of the figure.
    #[error("few protected units make up too much of the figure (n, k)")]
    Dominated,
    /// A contribution could be estimated too well by somebody who knew something before.
    #[error("what is known before could be sharpened too much (p, q)")]
    TooMuchLearned,
}

/// Why parameters protect nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Not one colluder: then nobody else contributes, or too many to keep apart.
    #[error("a coalition has at least one member and fewer than the contributions that are kept")]
    Coalition,
    /// A coalition would be left with one respondent.
    #[error("the fewest units must exceed the coalition by two")]
    UnitsMin,
    /// (n, k) with one respondent ignores the second; k is below the whole.
    #[error("(n, k) needs two units or more, and a share below the whole")]
    Dominance,
    /// Nothing is known before, or more is allowed to be known after than before.
    #[error("(p, q) needs p above zero and below q")]
    PriorPosterior,
}

impl Rules {
    /// Refuses parameters that protect nobody.
    pub fn validate(&self) -> Result<(), Flaw> {
        if !(1..LARGEST).contains(&self.coalition) {
            return Err(Flaw::Coalition);
        }
        if self.units_min < self.coalition as u64 + 2 {
            return Err(Flaw::UnitsMin);
        }
        let usable = |(n, k): (usize, PerMille)| {
            (2..=LARGEST).contains(&n) && k > PerMille(0) && k < PerMille(1000)
        };
        if !self.dominance.is_none_or(usable) {
            return Err(Flaw::Dominance);
        }
        if !self.prior_posterior.is_none_or(|(p, q)| PerMille(0) < p && p < q) {
            return Err(Flaw::PriorPosterior);
        }
        Ok(())
    }

    /// May the figure be shown? `human_sources`: it rests on people who talk.
    pub fn check(&self, cell: &Contributions, human_sources: bool) -> Result<(), Unsafe> {
        self.check_numbers(cell, human_sources)?;
        let nobody = cell.total == 0 && cell.units == Some(0);
        // Shares of a sum mean nothing where parts of it are below zero: the number of respondents has decided.
        if nobody || cell.negative {
            return Ok(());
        }
        for concentration in self.concentrations() {
            if concentration.missing(cell).ok_or(Unsafe::ContributionsUnknown)? > 0 {
                return Err(concentration.reason());
            }
        }
        Ok(())
    }

    /// The rules on how many there are, without those on how much each of them brings.
    pub fn check_numbers(&self, cell: &Contributions, human_sources: bool) -> Result<(), Unsafe> {
        let nothing = cell.total == 0 && !cell.negative;
        if nothing && !self.zeros {
            return Err(Unsafe::AllZero);
        }
        if nothing && cell.units == Some(0) {
            return Ok(()); // Nobody is behind it who could be betrayed.
        }
        if cell.units.ok_or(Unsafe::UnitsUnknown)? < self.units_min {
            return Err(Unsafe::TooFewUnits);
        }
        if human_sources && cell.sources < self.sources_min {
            return Err(Unsafe::TooFewSources);
        }
        Ok(())
    }

    /// How far above and below a figure that is not shown everything must stay possible: the upper protection
    /// level, and by symmetry the lower; the widest that any rule asks. The whole figure where too little is known to
    /// say; zero where only the number of respondents counts.
    pub fn protection(&self, cell: &Contributions) -> i64 {
        if cell.negative {
            return 0;
        }
        let whole = i128::from(cell.total);
        let level = |rule: Concentration| {
            rule.missing(cell).map_or(whole, |missing| divided_up(missing, rule.per()))
        };
        narrowed(self.concentrations().map(level).max().unwrap_or(0).max(0))
    }

    /// How far below a figure that would disclose a group everything must stay possible: so many may then be elsewhere
    /// that a coalition does not know one of them.
    pub fn group(&self) -> i64 {
        narrowed(self.coalition as i128 + 1)
    }

    fn concentrations(&self) -> impl Iterator<Item = Concentration> {
        let close = self.p.map(|p| (p, PerMille(1000), Unsafe::TooClose));
        let learned = self.prior_posterior.map(|(p, q)| (p, q, Unsafe::TooMuchLearned));
        let colluders = self.coalition;
        let estimated = close.into_iter().chain(learned);
        let estimated =
            estimated.map(move |(p, q, says)| Concentration::Estimated { p, q, colluders, says });
        let dominated = self.dominance.map(|(n, k)| Concentration::Dominated { n, k });
        estimated.chain(dominated)
    }
}

/// One rule on how a figure is made up. Both kinds ask: by how much would the figure have to be larger?
#[derive(Clone, Copy)]
enum Concentration {
    /// p % and (p, q): p % is what somebody who knew nothing before, q = 100, may not learn.
    Estimated { p: PerMille, q: PerMille, colluders: usize, says: Unsafe },
    /// (n, k).
    Dominated { n: usize, k: PerMille },
}

impl Concentration {
    /// What the figure lacks to be safe, in parts of one; zero or less is safe. None: not known.
    fn missing(self, cell: &Contributions) -> Option<i128> {
        let per = self.per();
        Some(match self {
            Self::Estimated { p, colluders, .. } => {
                p.of(*cell.largest.first()?) - cell.remainder(colluders)? * per
            }
            Self::Dominated { n, .. } => cell.top(n)? * 1000 - i128::from(cell.total) * per,
        })
    }

    /// How many parts `missing` counts to one.
    fn per(self) -> i128 {
        match self {
            Self::Estimated { q: per, .. } | Self::Dominated { k: per, .. } => i128::from(per.0),
        }
    }

    fn reason(self) -> Unsafe {
        match self {
            Self::Estimated { says, .. } => says,
            Self::Dominated { .. } => Unsafe::Dominated,
        }
    }
}

/// p % where some respondents waive protection: the largest who does not is protected from the largest other.
/// `respondents`: contribution, and whether it is waived; all that are not far below the largest. Between
/// jurisdictions a waiver is consent; the protected units of a node are never asked, so nothing of a node is waived.
pub fn p_percent_with_waivers(
    p: PerMille,
    total: i64,
    respondents: &[(i64, bool)],
) -> Result<(), Unsafe> {
    if respondents.iter().any(|(value, _)| *value < 0) {
        return Err(Unsafe::ContributionsUnknown); // Shares of such a sum mean nothing.
    }
    let protected = respondents.iter().enumerate().filter(|(_, (_, waived))| !waived);
    let Some((at, (largest, _))) = protected.max_by_key(|(_, (value, _))| *value) else {
        return Ok(());
    };
    let others = respondents.iter().enumerate().filter(|(other, _)| *other != at);
    let other = others.map(|(_, (value, _))| *value).max().unwrap_or(0);
    let remainder = i128::from(total) - i128::from(*largest) - i128::from(other);
    if remainder * 1000 < p.of(*largest) { Err(Unsafe::TooClose) } else { Ok(()) }
}

/// Does a part say of (nearly) everybody counted in the margin above it that they belong to it? `known`: how many of
/// the margin an attacker knows to be elsewhere, such as herself.
pub const fn discloses_group(part: u64, margin: u64, known: u64) -> bool {
    part > 0 && margin.saturating_sub(known) <= part
}

/// Rounded up, so that a level is never too narrow; a share of nothing divides nothing.
const fn divided_up(parts: i128, per: i128) -> i128 {
    if per <= 0 {
        return i128::MAX;
    }
    parts.div_euclid(per) + (parts.rem_euclid(per) != 0) as i128
}

/// Past what fits, the end that is nearer: such a figure is beyond every plausible range anyway.
fn narrowed(value: i128) -> i64 {
    let end = if value < 0 { i64::MIN } else { i64::MAX };
    i64::try_from(value).unwrap_or(end)
}
