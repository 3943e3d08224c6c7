//! What a policy says of one indicator in protected or bulletin mode. Comes in: its table of `policy.toml`. Goes out:
//! checked terms with the lattice they are for. Must never accept a lattice from which a figure could be averaged out, nor
//! noise that would drown what it is for: both are refused with the figure.

use super::{
    Terms, TierTerms,
    raw::{RawLevels, RawTerms},
    rho,
};
use crate::lattice::{Lattice, Levels};
use accord_proto::{
    limits::{LATTICE_CELLS_MAX, LEAVES_PER_UNIT_MAX},
    reason::{Invalid, Reason, quoted},
    taxonomy::{
        AudienceCode, Granularity, Indicator, JurisdictionCode, Lists, Semantics, Tier, UnitLife,
        decimal,
    },
};

/// The least share of its variance that a figure keeps when everything that anybody may ever get is put together.
const KEPT_MIN: f64 = 0.4;
/// The largest variance that is drawn exactly.
const NOISE_VARIANCE_MAX: u128 = u128::MAX / 1_000_000_000_000;
/// The largest error of a typical figure, in thousandths of it.
const ERROR_MAX_PER_MILLE: u128 = 300;

/// Terms of an indicator in protected mode.
#[derive(Clone, Debug)]
pub struct Protection {
    lattices: [Option<Lattice>; 3],
    draws: [u32; 3],
    /// What one unit may contribute to a cell, in units of 10^-decimals.
    pub cap: i64,
    /// In how many finest cells a unit may count.
    pub leaves: u32,
    /// Figures of every tier are rounded to multiples of this, in units of 10^-decimals, if it is more than the tier's.
    pub band: i64,
    /// A unit exists over several periods: its losses add up over them.
    pub lasting: bool,
}

impl Protection {
    /// The cells that a tier may ask; none: the indicator is not offered to it.
    pub fn lattice(&self, tier: Tier) -> Option<&Lattice> {
        let [a, b, c] = &self.lattices;
        match tier {
            Tier::A => a.as_ref(),
            Tier::B => b.as_ref(),
            Tier::C => c.as_ref(),
        }
    }

    /// How often a cell may be drawn for a tier over all editions of its period.
    pub fn draws_max(&self, tier: Tier) -> u32 {
        self.draws.get(tier.at()).copied().unwrap_or(0)
    }

    /// To which multiple a tier's figures are rounded, in units of 10^-decimals.
    pub fn rounding(&self, terms: &TierTerms) -> i64 {
        self.band.max(terms.rounding)
    }

    /// Everything that it says, in one text.
    pub(super) fn says(&self) -> String {
        let Self { lattices, draws, cap, leaves, band, lasting: _ } = self;
        let levels: Vec<_> =
            lattices.iter().map(|lattice| lattice.as_ref().map(Lattice::levels)).collect();
        format!("protected {cap} {leaves} {band} {draws:?} {levels:?}")
    }

    /// What one draw for a period costs a unit, in nano-rho.
    pub fn cost(&self, tier: Tier, variance: u64) -> u64 {
        let levels = self.lattice(tier).map_or(0, Lattice::levels_of_one_period);
        TierTerms::nano_rho(levels, self.leaves, variance)
    }
}

impl Protection {
    /// What all draws that there may be, for all lengths of periods, cost a unit at most, in nano-rho.
    pub fn cost_of_all(&self, tier: Tier, variance: u64) -> u64 {
        let levels = self.lattice(tier).map_or(0, Lattice::levels_in_all);
        let of = |number: u32| {
            TierTerms::nano_rho(levels, self.leaves, variance.saturating_mul(u64::from(number)))
        };
        (1..=self.draws_max(tier)).fold(0, |sum: u64, number| sum.saturating_add(of(number)))
    }
}

/// Terms of an indicator in bulletin mode.
#[derive(Clone, Debug)]
pub struct Bulletin {
    /// The fixed set of tables.
    pub lattice: Lattice,
    /// Whoever may get it, ascending; only records that may count for all of them are in it.
    pub audiences: Vec<AudienceCode>,
}

impl Bulletin {
    /// Everything that it says, in one text.
    pub(super) fn says(&self) -> String {
        format!("bulletin {:?} {:?}", self.audiences, self.lattice.levels())
    }
}

/// Reads the table of an indicator.
pub(super) struct Reader<'a> {
    pub(super) indicator: &'a Indicator,
    pub(super) jurisdiction: JurisdictionCode,
    pub(super) tiers: &'a [TierTerms; 3],
    pub(super) lists: &'a Lists,
}

impl Reader<'_> {
    pub(super) fn terms_of(&self, raw: &RawTerms) -> Result<Terms, Invalid> {
        let exact_or_nothing = raw.mode == "open" || raw.mode == "closed";
        if exact_or_nothing && !raw.is_bare() {
            let detail = format!("{} takes no further terms", raw.mode);
            return self.refuse(Reason::FieldInvalid, "mode", &detail);
        }
        match raw.mode.as_str() {
            "open" if self.indicator.public => Ok(Terms::Open),
            "open" => {
                let detail = "open is for figures that are already public nationally; the registry says this one is not";
                self.refuse(Reason::ModeUnavailable, "mode", detail)
            }
            "closed" => Ok(Terms::Closed),
            "protected" => Ok(Terms::Protected(Box::new(self.protection(raw)?))),
            "bulletin" => Ok(Terms::Bulletin(Box::new(self.bulletin(raw)?))),
            other => {
                let detail = format!(
                    "{} is not a mode; use open, protected, bulletin or closed",
                    quoted(other)
                );
                self.refuse(Reason::CodeUnknown, "mode", &detail)
            }
        }
    }

    fn protection(&self, raw: &RawTerms) -> Result<Protection, Invalid> {
        let indicator = self.indicator;
        let counts = match indicator.semantics {
            Semantics::Flow | Semantics::Stock => true,
            Semantics::Magnitude => false,
            Semantics::Ratio | Semantics::Price | Semantics::Score => {
                let detail = "protected is for counts and amounts; noise would make nonsense of a ratio, price or score";
                return self.refuse(Reason::ModeUnavailable, "mode", detail);
            }
        };
        if raw.audiences.is_some() {
            return self.refuse(Reason::FieldInvalid, "audiences", "belongs to mode bulletin");
        }
        let leaves = raw.leaves.unwrap_or(1);
        if !(1..=LEAVES_PER_UNIT_MAX).contains(&leaves) {
            let detail = format!("must be 1 to {LEAVES_PER_UNIT_MAX}");
            return self.refuse(Reason::PolicyUnsafe, "leaves", &detail);
        }
        let one = 10_i64.saturating_pow(indicator.decimals);
        let cap = self.cap(raw, counts, one)?;
        let band = raw.band.unwrap_or(if counts { 1 } else { 0 });
        if band < 0 {
            return self.refuse(Reason::PolicyUnsafe, "band", "must be 1 or more");
        }
        let mut protection = Protection {
            lattices: [None, None, None],
            draws: [0; 3],
            cap,
            leaves,
            band: if band == 0 { one } else { band.saturating_mul(one) },
            lasting: indicator.unit_life == UnitLife::Lasting,
        };
        let typical = raw.typical.map(|typical| typical.saturating_mul(one));
        if !counts && typical.is_none() {
            let detail = "an amount needs typical: what a usual figure comes to, in whole units, as published nationally";
            return self.refuse(Reason::PolicyUnsafe, "typical", detail);
        }
        for tier in raw.tier.keys() {
            if Tier::parse(tier).is_none_or(|tier| tier == Tier::A) {
                let detail =
                    "write tier.B or tier.C; what tier A gets stands at the indicator itself";
                return self.refuse(Reason::CodeUnknown, "tier", detail);
            }
        }
        let mut base = raw.levels();
        let mut narrower: Option<Levels> = None;
        for tier in Tier::ALL {
            let own = raw.tier.get(tier.as_str());
            // What is said of a tier holds for the wider ones too.
            base = own.map_or_else(|| base.clone(), |own| own.clone().or(&base));
            let levels = self.levels(&base)?;
            if let Some(narrower) = &narrower {
                self.check_within(tier, &levels, narrower)?;
            }
            if !self.is_worth_it(tier, &protection, typical)? {
                continue;
            }
            let lattice = self.lattice(levels.clone());
            let draws = self.check_lattice(tier, &lattice, raw, leaves)?;
            narrower = Some(levels);
            let mut places = protection.lattices.iter_mut().zip(&mut protection.draws);
            if let Some(place) = places.nth(tier.at()) {
                *place.0 = Some(lattice);
                *place.1 = draws;
            }
        }
        Ok(protection)
    }

    /// The most that one unit counts for in a cell, in units of 10^-decimals.
    fn cap(&self, raw: &RawTerms, counts: bool, one: i64) -> Result<i64, Invalid> {
        let cap = match raw.cap {
            None if counts => one,
            Some(cap) if cap >= 1 => cap.saturating_mul(one).min(self.indicator.value_max),
            Some(_) => return self.refuse(Reason::PolicyUnsafe, "cap", "must be 1 or more"),
            None => {
                let detail = "an amount needs a cap (the most that one protected unit counts for), and typical, both in whole units and chosen without looking at the data; or choose mode bulletin";
                return self.refuse(Reason::PolicyUnsafe, "cap", detail);
            }
        };
        let widest = self.terms(Tier::C);
        let variance = u128::from(widest.variance) * u128::from(widest.draws_max + 1);
        let square = u128::from(cap.unsigned_abs()).pow(2);
        if variance.checked_mul(square).is_none_or(|variance| variance > NOISE_VARIANCE_MAX) {
            let detail = "is so large that its noise could not be drawn";
            return self.refuse(Reason::PolicyUnsafe, "cap", detail);
        }
        Ok(cap)
    }

    fn bulletin(&self, raw: &RawTerms) -> Result<Bulletin, Invalid> {
        match self.indicator.semantics {
            Semantics::Flow | Semantics::Stock | Semantics::Magnitude => {}
            Semantics::Ratio | Semantics::Price | Semantics::Score => {
                let detail = "a bulletin adds up, which ratios, prices and scores do not";
                return self.refuse(Reason::ModeUnavailable, "mode", detail);
            }
        }
        if raw.is_for_protection() {
            let detail = "cap, leaves, typical, band and tier belong to mode protected";
            return self.refuse(Reason::FieldInvalid, "mode", detail);
        }
        let mut audiences = match &raw.audiences {
            None => self.lists.audiences().filter(|a| self.lists.tier(*a) == Tier::A).collect(),
            Some(named) => named
                .iter()
                .map(|code| self.lists.audience(&self.field("audiences"), code))
                .collect::<Result<Vec<_>, _>>()?,
        };
        audiences.sort_unstable();
        audiences.dedup();
        let lattice = self.lattice(self.levels(&raw.levels())?);
        if lattice.cells_of_one_period() > LATTICE_CELLS_MAX {
            return self.too_many_cells(&lattice);
        }
        Ok(Bulletin { lattice, audiences })
    }

    fn lattice(&self, levels: Levels) -> Lattice {
        Lattice::new(self.indicator, levels, self.jurisdiction, self.lists)
    }

    /// What is not said takes the default: all lengths of periods, all areas, the
    /// jurisdiction as a whole, no breakdown.
    fn levels(&self, raw: &RawLevels) -> Result<Levels, Invalid> {
        let indicator = self.indicator;
        let mut granularity = match &raw.granularity {
            None => indicator.granularity.clone(),
            Some(names) => names
                .iter()
                .map(|name| {
                    let known = Granularity::parse(name);
                    known.filter(|length| indicator.granularity.contains(length)).ok_or_else(|| {
                        let has: Vec<_> =
                            indicator.granularity.iter().map(ToString::to_string).collect();
                        let detail = format!("the indicator has {}", has.join(", "));
                        Invalid::new(Reason::CodeUnknown, self.field("granularity"), detail)
                    })
                })
                .collect::<Result<_, _>>()?,
        };
        let mut regions = raw.region_levels.clone().unwrap_or_else(|| vec![0]);
        if let Some(level) = regions.iter().find(|level| !indicator.levels.contains(level)) {
            let detail = format!("the indicator has no level {level}");
            return self.refuse(Reason::LatticeUnknownCell, "region_levels", &detail);
        }
        let deepest = 8;
        let mut areas = raw.area_levels.clone().unwrap_or_else(|| (0..=deepest).collect());
        let named = raw.dimensions.as_deref().unwrap_or_default();
        let dimensions = named
            .iter()
            .map(|name| self.lists.dimension(&self.field("dimensions"), indicator, name));
        let dimensions: Vec<_> = dimensions.collect::<Result<_, _>>()?;
        let dimensions =
            indicator.dimensions.iter().copied().filter(|of| dimensions.contains(of)).collect();
        granularity.sort_unstable();
        granularity.dedup();
        regions.sort_unstable();
        regions.dedup();
        areas.sort_unstable();
        areas.dedup();
        if granularity.is_empty() || regions.is_empty() || areas.is_empty() {
            let detail = "an empty list publishes nothing; leave it out, or close the indicator";
            return self.refuse(Reason::FieldInvalid, "levels", detail);
        }
        Ok(Levels { granularity, regions, areas, dimensions })
    }

    /// Figures of a wider tier are made from those of the narrower: it cannot have a cell that that one has not.
    fn check_within(&self, tier: Tier, wide: &Levels, narrow: &Levels) -> Result<(), Invalid> {
        let within = wide.granularity.iter().all(|entry| narrow.granularity.contains(entry))
            && wide.regions.iter().all(|entry| narrow.regions.contains(entry))
            && wide.areas.iter().all(|entry| narrow.areas.contains(entry))
            && wide.dimensions.iter().all(|entry| narrow.dimensions.contains(entry));
        if within {
            return Ok(());
        }
        let detail = "has a level that the narrower tier has not; a wider audience never sees more";
        self.refuse(Reason::PolicyUnsafe, &format!("tier.{tier}"), detail)
    }

    /// How often it may be drawn: as often as the policy says, or, if that says nothing, as leaves enough of the noise.
    fn check_lattice(
        &self,
        tier: Tier,
        lattice: &Lattice,
        raw: &RawTerms,
        leaves: u32,
    ) -> Result<u32, Invalid> {
        let field = format!("tier.{tier}");
        let terms = self.terms(tier);
        let levels = lattice.levels_in_all();
        if levels > terms.levels_max {
            let detail = format!(
                "a record would count in {levels} cells where {} are the most (periods × areas × regions × categories); publish fewer levels",
                terms.levels_max
            );
            return self.refuse(Reason::PolicyUnsafe, &field, &detail);
        }
        if lattice.cells_of_one_period() > LATTICE_CELLS_MAX {
            return self.too_many_cells(lattice);
        }
        let kept = |draws: u32| lattice.kept() / precision(draws);
        if let Some(draws) = raw.draws.filter(|draws| !(1..=terms.draws_max).contains(draws))
            && tier == Tier::A
        {
            let detail = format!("{draws} is not 1 to {}", terms.draws_max);
            return self.refuse(Reason::PolicyUnsafe, "draws", &detail);
        }
        let wanted = raw.draws.map(|draws| draws.min(terms.draws_max));
        let fitting = (1..=terms.draws_max).rev().find(|draws| kept(*draws) >= KEPT_MIN);
        let draws = wanted.or(fitting).unwrap_or(1);
        let kept = kept(draws);
        if kept < KEPT_MIN {
            let detail = format!(
                "from all cells together, a finest one could be averaged down to {kept:.2} of its variance where {KEPT_MIN} is the least; leave out a level with few parts, or draw less often"
            );
            return self.refuse(Reason::PolicyUnsafe, &field, &detail);
        }
        let cost = TierTerms::nano_rho(levels, leaves, terms.variance);
        if cost > terms.budget {
            let detail = format!(
                "one draw of every period costs a unit rho {:.2} where {:.2} a year is the budget; publish fewer levels",
                rho(cost),
                rho(terms.budget)
            );
            return self.refuse(Reason::PolicyUnsafe, &field, &detail);
        }
        Ok(draws)
    }

    /// Would a usual figure be worth anything at this tier? At the narrowest it must.
    fn is_worth_it(
        &self,
        tier: Tier,
        protection: &Protection,
        typical: Option<i64>,
    ) -> Result<bool, Invalid> {
        let Some(typical) = typical else { return Ok(true) };
        let terms = self.terms(tier);
        let error = u128::from(crate::disclose::precision::standard_error_milli(
            terms.variance,
            protection.cap,
            protection.rounding(terms),
        ));
        let per_mille = error / u128::from(typical.max(1).unsigned_abs());
        if per_mille <= ERROR_MAX_PER_MILLE {
            return Ok(true);
        }
        if tier != Tier::A {
            return Ok(false);
        }
        let decimals = self.indicator.decimals;
        let detail = format!(
            "the typical error would be {} % ({} beside {}) where 30 % is the most; lower the cap, or choose mode bulletin",
            per_mille / 10,
            decimal(i64::try_from(error / 1000).unwrap_or(i64::MAX), decimals),
            decimal(typical, decimals),
        );
        self.refuse(Reason::PolicyUnsafe, "typical", &detail)
    }

    fn terms(&self, tier: Tier) -> &TierTerms {
        let [a, b, c] = self.tiers;
        match tier {
            Tier::A => a,
            Tier::B => b,
            Tier::C => c,
        }
    }

    fn too_many_cells<T>(&self, lattice: &Lattice) -> Result<T, Invalid> {
        let cells = lattice.cells_of_one_period();
        let detail = format!("{cells} cells a period where {LATTICE_CELLS_MAX} are the most");
        self.refuse(Reason::LimitExceeded, "levels", &detail)
    }

    fn field(&self, name: &str) -> String {
        format!("policy.{}.{name}", self.indicator.code)
    }

    fn refuse<T>(&self, reason: Reason, name: &str, detail: &str) -> Result<T, Invalid> {
        Err(Invalid::new(reason, self.field(name), detail))
    }
}

/// How much more is known after so many draws than after the first: the second has twice its variance, and so on.
fn precision(draws: u32) -> f64 {
    (1..=draws).map(|draw| 1.0 / f64::from(draw)).sum()
}
