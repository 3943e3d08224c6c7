//! The privacy ledger: what protected units have lost already. Comes in: draws that are about to be shown for the first time.
//! Goes out: charges, or that a budget has no room. Must never forget a charge, give one back, or read a
//! clock: time cannot be turned back to a fuller budget.
//!
//! Charges are zCDP in whole nano-rho, rounded up. A figure that was shown is given again at no cost, and one draw is
//! charged once however many recipients a tier has. Each charge carries the hash of the one before.
//!
//! # Why this is enough
//! *Claim:* everybody of a tier and of wider ones together learns of one unit at most the tier's budget. *Argument:* zCDP adds
//! up over draws. An event lies in one shortest period, so draws for disjoint periods concern different units (parallel
//! composition): what counts is the most that any one month lies in. A unit that lasts (a group) is in all periods: what
//! counts is everything drawn for any indicator of its kind within twelve months (sequential composition). A wider
//! tier's figure is the narrower one's with more noise and adds nothing to it, but for a unit that counts in one of them only:
//! where the policy can make such units, what the step of noise leaves of them is charged besides. The charge is in the same transaction as the answer. *Known limit:* a unit that counts in several indicators of events has a budget in each, and
//! one that is recorded in several periods has one in each.
//!
//! # When it has forgotten
//! A store out of a backup knows nothing of charges made since. Whoever confirms it puts a loss on record, chained like a
//! charge ([`Ledger::lose`]). From then on everything that could have been drawn counts as drawn: a period that had begun has
//! one draw more than is known; what the policy allows to be lost over all draws of an event's periods is taken off its
//! budget once for every loss; and units that last have no budget for the twelve months after it ([`super::reserve::budget`]).
//! Nothing is ever left that was not left before. *Known limit:* a copy of store and witness together, put back together,
//! looks whole from inside, and one backup that is put back twice has forgotten the first loss, too; whoever has the
//! journal's checkpoints sees both.

use std::collections::{BTreeMap, BTreeSet};

use accord_proto::{
    clock::Timestamp,
    id::EditionId,
    limits::LEDGER_CHARGES_MAX,
    seal::Digest,
    taxonomy::{IndicatorCode, Period, Tier},
};

/// The window of units that last: twelve months.
const WINDOW_S: i64 = 366 * 86_400;
/// Days begin at different hours in different places.
const DAY_S: i64 = 86_400;

/// One draw, shown to a tier for the first time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Whose cells.
    pub indicator: IndicatorCode,
    /// For which period.
    pub period: Period,
    /// The edition that the draw was made for.
    pub draw: EditionId,
    /// To whom it is shown.
    pub tier: Tier,
    /// What a unit loses to that tier alone.
    pub nano_rho: u64,
    /// What a unit loses besides to whoever has a narrower tier's figure as well: nothing, unless a record may count for one
    /// of them and not for the other, so that they may be two draws.
    pub beside: u64,
    /// Kind of unit, where units last; empty for events.
    pub lasting: String,
    /// When. Never earlier than the charge before.
    pub at: Timestamp,
}

impl Charge {
    fn key(&self) -> Key {
        let Self { indicator, period, draw, .. } = self;
        Key { indicator: *indicator, period: *period, draw: *draw }
    }

    /// What the next charge's hash rests on.
    fn hash(&self, before: Digest) -> Digest {
        let Self { indicator, period, draw, tier, nano_rho, beside, lasting, at } = self;
        let at = at.as_s();
        let says = format!("{indicator}|{period}|{draw}|{tier}|{nano_rho}|{beside}|{lasting}|{at}");
        Digest::of_parts([&before.0[..], says.as_bytes()])
    }
}

/// One draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    indicator: IndicatorCode,
    period: Period,
    draw: EditionId,
}

/// What one draw has cost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Spent {
    /// To each tier: alone, and beside a narrower one.
    by_tier: [Option<(u64, u64)>; 3],
    lasting: String,
    at: Option<Timestamp>,
}

impl Spent {
    /// What everybody of `tier` and wider ones together has seen of it.
    fn seen_by(&self, tier: Tier) -> u64 {
        let mut shown = self.by_tier.iter().skip(tier.at()).flatten();
        let narrowest = shown.next().map_or(0, |(alone, _)| *alone);
        shown.fold(narrowest, |sum, (_, beside)| sum.saturating_add(*beside))
    }
}

/// A budget has no room for a draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted;

/// All charges of a node.
#[derive(Clone, Debug)]
pub struct Ledger {
    draws: BTreeMap<Key, Spent>,
    /// When what was forgotten was forgotten, ascending.
    losses: Vec<Timestamp>,
    size: u64,
    head: Digest,
    latest: Option<Timestamp>,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            draws: BTreeMap::new(),
            losses: Vec::new(),
            size: 0,
            head: Digest([0; 32]),
            latest: None,
        }
    }
}

impl Ledger {
    /// How many charges and losses.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Hash of the last charge or loss and of all before it.
    pub fn head(&self) -> Digest {
        self.head
    }

    /// Every indicator and period that something was charged for, ascending.
    pub fn charged(&self) -> BTreeSet<(IndicatorCode, Period)> {
        self.draws.keys().map(|key| (key.indicator, key.period)).collect()
    }

    /// Is this draw paid for?
    pub fn has(&self, charge: &Charge) -> bool {
        let spent = self.draws.get(&charge.key());
        spent.is_some_and(|spent| spent.by_tier.get(charge.tier.at()).copied().flatten().is_some())
    }

    /// The time that a charge made now is written with.
    pub fn time(&self, now: Timestamp) -> Timestamp {
        self.latest.map_or(now, |latest| latest.max(now))
    }

    /// How many different draws of a period's cells anybody of `tier` or a wider one was shown, or may have been.
    pub fn draws(&self, indicator: IndicatorCode, period: Period, tier: Tier) -> u32 {
        let drawn = self.draws.iter().filter(|(key, spent)| {
            key.indicator == indicator
                && key.period == period
                && spent.by_tier.iter().skip(tier.at()).any(Option::is_some)
        });
        let editions: BTreeSet<_> = drawn.map(|(key, _)| key.draw).collect();
        let forgotten = self.losses.iter().filter(|at| has_begun(period, **at)).count();
        u32::try_from(editions.len().saturating_add(forgotten)).unwrap_or(u32::MAX)
    }

    /// How often draws that concern a period's events may have been forgotten. An event of a later month lies in the year
    /// that had begun, too.
    pub fn losses_of(&self, period: Period) -> u64 {
        let of_year = |at: &&Timestamp| begins(&format!("{:04}-01", period.year()), **at);
        self.losses.iter().filter(of_year).count() as u64
    }

    /// May draws of units that last have been forgotten within twelve months?
    pub fn lost_lately(&self, now: Timestamp) -> bool {
        let since = self.time(now).plus_s(-WINDOW_S);
        self.losses.iter().any(|at| *at > since)
    }

    /// How often it may have forgotten something.
    pub fn losses(&self) -> u64 {
        self.losses.len() as u64
    }

    /// It may have forgotten charges made before `at`: the store was restored.
    pub fn lose(&mut self, at: Timestamp) {
        let at = self.time(at);
        self.losses.push(at);
        self.size += 1;
        self.head = Digest::of_parts([&self.head.0[..], format!("lost|{}", at.as_s()).as_bytes()]);
        self.latest = Some(at);
    }

    /// Was anybody shown a draw of a period that overlaps with this one, or may have been, before something was forgotten?
    pub fn has_shown(&self, indicator: IndicatorCode, period: Period) -> bool {
        self.losses.iter().any(|lost| has_begun(period, *lost))
            || self.overlapping(indicator, period).next().is_some()
    }

    /// Every draw of a period that overlaps with this one and was shown to anybody.
    pub fn overlapping(
        &self,
        indicator: IndicatorCode,
        period: Period,
    ) -> impl Iterator<Item = EditionId> {
        let overlaps = move |other: Period| other.holds(period) || period.holds(other);
        let of = move |key: &&Key| key.indicator == indicator && overlaps(key.period);
        self.draws.keys().filter(of).map(|key| key.draw)
    }

    /// Takes in a charge if every budget that it touches has room for it.
    pub fn charge(
        &mut self,
        charge: Charge,
        budget: impl Fn(Tier) -> u64,
    ) -> Result<(), Exhausted> {
        if self.size >= LEDGER_CHARGES_MAX {
            return Err(Exhausted);
        }
        let key = charge.key();
        let before = self.draws.get(&key).cloned();
        let mut after = before.clone().unwrap_or_default();
        if let Some(place) = after.by_tier.get_mut(charge.tier.at()) {
            *place = Some((charge.nano_rho, charge.beside));
        }
        after.lasting.clone_from(&charge.lasting);
        after.at = Some(charge.at);
        self.draws.insert(key, after);
        let mut touched = charge.tier.and_narrower();
        let fits = touched.all(|tier| self.spent(&charge, tier) <= budget(tier));
        if fits {
            self.note(&charge);
            return Ok(());
        }
        match before {
            Some(before) => self.draws.insert(key, before),
            None => self.draws.remove(&key),
        };
        Err(Exhausted)
    }

    /// Takes in a charge that was made before: read back from the store.
    pub fn replay(&mut self, charge: Charge) {
        let spent = self.draws.entry(charge.key()).or_default();
        if let Some(place) = spent.by_tier.get_mut(charge.tier.at()) {
            *place = Some((charge.nano_rho, charge.beside));
        }
        spent.lasting.clone_from(&charge.lasting);
        spent.at = Some(charge.at);
        self.note(&charge);
    }

    fn note(&mut self, charge: &Charge) {
        self.size += 1;
        self.head = charge.hash(self.head);
        self.latest = Some(self.time(charge.at));
    }

    /// What the units that a draw concerns have lost to everybody of `tier` and wider ones, this draw included.
    fn spent(&self, of: &Charge, tier: Tier) -> u64 {
        if of.lasting.is_empty() {
            self.spent_on_events(of.indicator, of.period, tier)
        } else {
            self.spent_on_lasting(&of.lasting, of.at, tier)
        }
    }

    fn spent_on_lasting(&self, lasting: &str, now: Timestamp, tier: Tier) -> u64 {
        let since = now.plus_s(-WINDOW_S);
        let recent =
            |spent: &&Spent| spent.lasting == lasting && spent.at.is_some_and(|at| at > since);
        let recent = self.draws.values().filter(recent);
        recent.fold(0, |sum: u64, spent| sum.saturating_add(spent.seen_by(tier)))
    }

    fn spent_on_events(&self, indicator: IndicatorCode, period: Period, tier: Tier) -> u64 {
        let of_indicator: Vec<_> =
            self.draws.iter().filter(|(key, _)| key.indicator == indicator).collect();
        let of_month = |month: Period| {
            let holding = of_indicator.iter().filter(|(key, _)| key.period.holds(month));
            holding.fold(0_u64, |sum, (_, spent)| sum.saturating_add(spent.seen_by(tier)))
        };
        period.months().into_iter().map(of_month).max().unwrap_or(0)
    }

    /// What is left for the units of an indicator in a period, by tier. `lasting` as in [`Charge::lasting`].
    pub fn left(
        &self,
        (indicator, period): (IndicatorCode, Period),
        lasting: &str,
        now: Timestamp,
        budget: impl Fn(Tier) -> u64,
    ) -> [u64; 3] {
        Tier::ALL.map(|tier| {
            let spent = if lasting.is_empty() {
                self.spent_on_events(indicator, period, tier)
            } else {
                self.spent_on_lasting(lasting, self.time(now), tier)
            };
            budget(tier).saturating_sub(spent)
        })
    }
}

fn has_begun(period: Period, at: Timestamp) -> bool {
    let months = period.months();
    months.first().is_none_or(|month| begins(&month.to_string(), at))
}

/// Does a month, like 2016-03, begin before that?
fn begins(month: &str, at: Timestamp) -> bool {
    Timestamp::parse("month", &format!("{month}-01")).is_ok_and(|begin| begin <= at.plus_s(DAY_S))
}

#[cfg(test)]
mod tests;
