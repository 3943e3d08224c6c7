//! The gate: which regional cells may be shown, with jurisdictions as the units to protect. Comes in: verified answers,
//! secret parameters, and what was pooled before. Goes out: [`Publishable`] cells, the only ones that can be combined.
//! Must never choose between two figures of a jurisdiction, nor say outside why a cell is withheld.
//!
//! # Why this is enough
//! *Claim:* published cells tell a neighbour, who knows its own figures, every public one and everything published before,
//! no other jurisdiction's figure more closely than the policy's p percent; nor a coalition as large as the policy reckons
//! with. *Argument:* a cell passes in one of two ways.
//! - `Publishable::already_public`: the seal of *every* contributor states mode open, which its node's policy allows
//!   only for nationally published figures. There is nothing to infer.
//! - `Publishable::pooled`: its hidden figures, those that are neither open nor named, are enough and even enough by
//!   themselves (`pool`); they differ from what was shown of the cell before by whole groups that are so too (`memory`);
//!   with all other cells, which are its parts, margins and wholes, they bound nothing that may not be bounded (`family`);
//!   and no cell that hangs together with it was shown before and stands outside this question, where nobody can audit
//!   the difference. Who contributed is durable with the picture that showed it.
//!
//! *Known limit:* the memory is this coordinator's own, and as old as the backup that it was restored from: until the custodian takes it
//! as it is, nothing passes but what is public (`judge_in_doubt`); what was pooled since stays unknown after that, too. Wider audiences
//! get coarser figures of the same edition; what the difference of two tiers tells is the nodes' concern. Two indicators
//! may count the same events: the lists do not say so. Of stocks and prices the median is told, or its band, of one
//! contributor set for ever, and again only when all have corrected; that a whole is no less than its parts is not audited
//! there. Hidden scores and ratios have no pool.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use accord_proto::{
    lattice::Axis,
    regional::{self, Contribution, Parts},
    rules::{Rules, Unsafe},
    table::Table,
    taxonomy::{CrimeAreaCode, IndicatorCode, Lists, Semantics},
};

pub use accord_proto::regional::{Figure, RegionalKey, Share, Standing};

use crate::verify::VerifiedAnswer;

mod family;
mod feasible;
mod memory;
mod policy;
mod pool;
mod reach;
mod sums;

pub use feasible::{Feasibility, Feasible, Levels, Offer, Respondent, feasible};
pub use memory::{Atom, Contributor, Pooled, PooledBefore};
pub use policy::GatePolicy;

use family::{Judging, Outcomes, Pools};
use pool::Pool;

/// A cell that may be shown, with the figures to combine. Made by `already_public` and `pooled` only.
pub struct Publishable {
    standing: Standing,
    figures: Vec<Figure>,
    pooled: Option<Pooled>,
}

impl std::fmt::Debug for Publishable {
    /// Prints no figure.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Publishable({:?})", self.standing)
    }
}

impl Publishable {
    /// Passes a cell whose every contributor's seal states mode open; nothing else.
    pub(crate) fn already_public(cell: &[Contribution<'_>]) -> Option<Self> {
        let Parts { standing, figures } = regional::public(cell)?;
        Some(Self { standing, figures, pooled: None })
    }

    /// Passes a cell whose hidden figures were judged, with what is to be remembered of it; nothing, where nobody hides
    /// a figure.
    pub(crate) fn pooled(
        cell: &[Contribution<'_>],
        minimum: u64,
        pooled: Option<Pooled>,
    ) -> Option<Self> {
        let minimum = usize::try_from(minimum).unwrap_or(usize::MAX);
        let Parts { standing, figures } = regional::pooled(cell, minimum)?;
        Some(Self { standing, figures, pooled })
    }

    /// Who stands how to it.
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    pub(crate) fn figures(&self) -> &[Figure] {
        &self.figures
    }
}

/// Why a cell is withheld. For tests and the custodian: outside, the reason tells about figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// A score or a ratio, and not everybody's is public.
    #[error("neither a sum nor a median of such figures hides a jurisdiction")]
    NoPool,
    /// A jurisdiction's parts contradict each other, or nobody can say whether they count the same.
    #[error("the parts of a jurisdiction are not clearly one figure")]
    Unclear,
    /// By itself.
    #[error(transparent)]
    Unsafe(#[from] Unsafe),
    /// Some came in after it was shown, too few to be shown by themselves.
    #[error("too few came in since it was shown")]
    Joins,
    /// Some of those who came in together are missing.
    #[error("somebody is missing since it was shown")]
    Left,
    /// Some corrected their figures since, too few of them; or nobody remembers who did.
    #[error("too few corrected their figures since it was shown")]
    Revised,
    /// Another cell, or a figure in one, could be worked out from it.
    #[error("with other cells it would give a figure away")]
    Complementary,
    /// A cell that overlaps or hangs together with it was shown before and is not at hand: ask both together.
    #[error("a cell that belongs with it was shown before and is not asked with it")]
    Related,
    /// The archive was restored: nobody knows what was shown of it since the backup.
    #[error("the archive was restored, and nobody had confirmed it yet")]
    InDoubt,
}

/// What the gate says of a cell.
#[derive(Debug)]
pub enum Verdict {
    /// It may be shown.
    Shown(Publishable),
    /// It may not; who contributed is not told either.
    Withheld(Why),
}

/// What the gate says of every cell.
pub type Verdicts = BTreeMap<RegionalKey, Verdict>;

/// Fewest jurisdictions behind a figure of these answers that is not public: what the requirement, the most demanding member and
/// the policy demand. Everybody may know it: it stands in the picture.
pub fn contributors_min(answers: &[VerifiedAnswer], required: u32, policy: &GatePolicy) -> u64 {
    let tables = answers.iter().map(VerifiedAnswer::table);
    policy.contributors_min(regional::minimum_of(tables, required))
}

/// Judges every cell of the answers. `required` is the minimum that the requirement demands; `before` holds every cell of the
/// indicators asked that was ever pooled.
pub fn judge(
    answers: &[VerifiedAnswer],
    required: u32,
    policy: &GatePolicy,
    before: &PooledBefore,
    lists: &Lists,
) -> Verdicts {
    let cells = regional::contributions(answers.iter().map(VerifiedAnswer::table));
    let minimum = regional::minimum_of(answers.iter().map(VerifiedAnswer::table), required);
    Gate { rules: policy.rules(minimum), before, lists }.judge(&cells)
}

/// The same while nobody knows what was pooled before: what every contributor has published, and nothing else.
pub fn judge_in_doubt(answers: &[VerifiedAnswer]) -> Verdicts {
    only_public(&regional::contributions(answers.iter().map(VerifiedAnswer::table)))
}

fn only_public(cells: &Cells<'_>) -> Verdicts {
    let verdict = |cell: &Vec<Contribution<'_>>| {
        let public = Publishable::already_public(cell);
        public.map_or(Verdict::Withheld(Why::InDoubt), Verdict::Shown)
    };
    cells.iter().map(|(key, cell)| (*key, verdict(cell))).collect()
}

/// Judges tables that somebody has handed in to see the verdicts again; nobody knew what was pooled before if that is none. Nothing
/// can be combined from it.
pub fn judge_again(
    tables: &[Table],
    required: u32,
    policy: &GatePolicy,
    before: Option<&PooledBefore>,
    lists: &Lists,
) -> BTreeMap<RegionalKey, Result<(), Why>> {
    let cells = regional::contributions(tables);
    let minimum = regional::minimum_of(tables, required);
    let judge = |before| Gate { rules: policy.rules(minimum), before, lists }.judge(&cells);
    let verdicts = before.map_or_else(|| only_public(&cells), judge);
    let outcome = |verdict| match verdict {
        Verdict::Shown(_) => Ok(()),
        Verdict::Withheld(why) => Err(why),
    };
    verdicts.into_iter().map(|(key, verdict)| (key, outcome(verdict))).collect()
}

/// Members' own figures that may stand under their name: their seals say so. Made by [`named`] only.
#[derive(Debug, Default)]
pub struct Named(BTreeMap<RegionalKey, Vec<Share>>);

impl Named {
    /// Those of a cell.
    pub fn of(&self, key: &RegionalKey) -> &[Share] {
        self.0.get(key).map_or(&[], Vec::as_slice)
    }
}

/// What members let stand under their name, whatever becomes of the region's cell.
pub fn named(answers: &[VerifiedAnswer]) -> Named {
    let cells = regional::contributions(answers.iter().map(VerifiedAnswer::table));
    let shares = cells.into_iter().map(|(key, cell)| (key, Share::of(&cell)));
    Named(shares.filter(|(_, shares)| !shares.is_empty()).collect())
}

/// The pooled cells that may be shown: what must be remembered with the picture.
pub fn pooled(verdicts: &Verdicts) -> impl Iterator<Item = (&RegionalKey, &Pooled)> {
    verdicts.iter().filter_map(|(key, verdict)| match verdict {
        Verdict::Shown(cell) => Some((key, cell.pooled.as_ref()?)),
        Verdict::Withheld(_) => None,
    })
}

/// Every part of every cell.
type Cells<'a> = BTreeMap<RegionalKey, Vec<Contribution<'a>>>;

/// Cells outside one such family never overlap: what stands at the top of all areas, and the year.
type FamilyName = (IndicatorCode, CrimeAreaCode, u16);

/// Its cells with what is hidden in them, and those that were shown before.
type Family<'a> = (Pools<'a>, Vec<RegionalKey>);

/// A gate, set.
struct Gate<'a> {
    rules: Rules,
    before: &'a PooledBefore,
    lists: &'a Lists,
}

impl Gate<'_> {
    fn judge(&self, cells: &Cells<'_>) -> Verdicts {
        let (mut verdicts, mut pools) = (Verdicts::new(), BTreeMap::new());
        for (key, cell) in cells {
            let indicator = self.lists.indicator_of(key.indicator);
            let semantics = indicator.map(|indicator| indicator.semantics);
            let verdict = if let Some(public) = Publishable::already_public(cell) {
                Verdict::Shown(public)
            } else {
                match semantics {
                    Some(Semantics::Flow | Semantics::Magnitude) => {
                        let pool = Pool::of(cell);
                        if !pool.0.is_empty() {
                            pools.insert(*key, pool);
                            continue;
                        }
                        // Nobody hides anything.
                        self.pass(cell, None)
                    }
                    Some(Semantics::Stock | Semantics::Price) => self.middle(key, cell),
                    Some(Semantics::Score | Semantics::Ratio) | None => {
                        Verdict::Withheld(Why::NoPool)
                    }
                }
            };
            verdicts.insert(*key, verdict);
        }
        for (key, outcome) in self.outcomes(cells, &pools) {
            let cell = cells.get(&key).map_or(&[][..], Vec::as_slice);
            let pass = |pooled| self.pass(cell, Some(pooled));
            verdicts.insert(key, outcome.map_or_else(Verdict::Withheld, pass));
        }
        verdicts
    }

    fn pass(&self, cell: &[Contribution<'_>], pooled: Option<Pooled>) -> Verdict {
        let passed = Publishable::pooled(cell, self.rules.units_min, pooled);
        passed.map_or(Verdict::Withheld(Why::Unclear), Verdict::Shown)
    }

    /// What does not add, and of which the one in the middle is told, or its band. Each jurisdiction brings one figure; on
    /// either side of the middle others must hide (`pool`). It is told of one contributor set for ever, of the same
    /// editions or of new ones throughout: nobody can say what two medians tell of those who came in between, nor of those
    /// whose figures stayed.
    fn middle(&self, key: &RegionalKey, cell: &[Contribution<'_>]) -> Verdict {
        let jurisdictions: BTreeSet<_> = cell.iter().map(|part| part.jurisdiction).collect();
        if jurisdictions.len() < cell.len() {
            return Verdict::Withheld(Why::Unclear);
        }
        let pool = Pool::of(cell);
        if pool.0.is_empty() {
            return self.pass(cell, None);
        }
        let figures = cell.iter().filter(|part| part.precision().is_some()).count();
        if let Err(too_few) = pool.check_middle(figures, &self.rules) {
            return Verdict::Withheld(too_few.into());
        }
        let (nothing, present) = (Pooled::default(), pool.present());
        let before = self.before.get(key).unwrap_or(&nothing);
        // The first ones, all together; from then on they, and nobody beside them.
        let is_safe = |of: &BTreeSet<&Contributor>| {
            let known = |atom: &Atom| atom.editions.keys().eq(of.iter().copied());
            before.0.is_empty() || before.0.iter().any(known)
        };
        match before.next(&present, pool.0.len() as u64, is_safe) {
            Ok(pooled) => self.pass(cell, Some(pooled)),
            Err(why) => Verdict::Withheld(why),
        }
    }

    /// Of every cell with something hidden in it: what to remember if it is shown, or why it is not. Families are
    /// judged side by side: what is said of one rests on no other.
    fn outcomes(&self, cells: &Cells<'_>, pools: &BTreeMap<RegionalKey, Pool>) -> Outcomes {
        let mut families = BTreeMap::<FamilyName, Family<'_>>::new();
        for (key, pool) in pools {
            families.entry(self.family(key)).or_default().0.insert(*key, pool);
        }
        for key in self.before.keys() {
            if let Some((_, before)) = families.get_mut(&self.family(key)) {
                before.push(*key);
            }
        }
        let families: Vec<_> = families.into_values().collect();
        let next = AtomicUsize::new(0);
        let some = || {
            let mut outcomes = Outcomes::new();
            while let Some(family) = families.get(next.fetch_add(1, Ordering::Relaxed)) {
                outcomes.extend(self.of_family(cells, family));
            }
            outcomes
        };
        thread::scope(|scope| {
            let helpers = 1..thread::available_parallelism().map_or(1, usize::from);
            // Where there is no thread to be had, this one does it all.
            let helpers =
                helpers.filter_map(|_| thread::Builder::new().spawn_scoped(scope, some).ok());
            let helpers: Vec<_> = helpers.collect();
            let mut all = some();
            for helper in helpers {
                all.extend(helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
            all
        })
    }

    fn of_family(&self, cells: &Cells<'_>, (pools, before): &Family<'_>) -> Outcomes {
        let alone = |(key, pool): (&RegionalKey, &&Pool)| {
            let cell = cells.get(key).map_or(&[][..], Vec::as_slice);
            (*key, self.alone(key, cell, pool))
        };
        let mut outcomes: Outcomes = pools.iter().map(alone).collect();
        for key in self.unaudited(&outcomes, before) {
            outcomes.insert(key, Err(Why::Related));
        }
        let judging = Judging { rules: &self.rules, before: self.before, lists: self.lists };
        for key in judging.withheld(pools, &outcomes) {
            outcomes.insert(key, Err(Why::Complementary));
        }
        outcomes
    }

    /// A cell by itself, and beside what was shown of it before.
    fn alone(
        &self,
        key: &RegionalKey,
        cell: &[Contribution<'_>],
        pool: &Pool,
    ) -> Result<Pooled, Why> {
        if regional::pooled(cell, 0).is_none() {
            return Err(Why::Unclear);
        }
        pool.check(&pool.0.keys().collect(), &self.rules)?;
        let nothing = Pooled::default();
        let before = self.before.get(key).unwrap_or(&nothing);
        let is_safe = |of: &BTreeSet<&Contributor>| pool.check(of, &self.rules).is_ok();
        before.next(&pool.present(), self.rules.units_min, is_safe)
    }

    /// New figures that overlap with one shown before which is not at hand, or hang together with one by others that
    /// are asked or were shown: a whole less its other parts may be in both.
    fn unaudited(&self, outcomes: &Outcomes, before: &[RegionalKey]) -> Vec<RegionalKey> {
        let is_gone = |key: &RegionalKey| match outcomes.get(key) {
            Some(Ok(_) | Err(Why::Joins)) => false,
            Some(Err(_)) | None => true,
        };
        let (gone, before): (Vec<RegionalKey>, Vec<_>) =
            before.iter().partition(|key| is_gone(key));
        let others: BTreeSet<_> = outcomes.keys().copied().chain(before).collect();
        let mut found = reach::reached(gone, others, self.lists);
        found.retain(|key| match outcomes.get(key) {
            Some(Ok(next)) => self.before.get(key) != Some(next),
            Some(Err(_)) | None => false,
        });
        found.into_iter().collect()
    }

    fn family(&self, key: &RegionalKey) -> FamilyName {
        let area = key.topmost(Axis::Area, self.lists).crime_area;
        (key.indicator, area, key.period.year())
    }
}

#[cfg(test)]
mod tests;
