//! What an edition may offer as bulletins. Comes in: a period, and the indicators in bulletin mode. Goes out: for each a
//! proposal, the signed bulletin carried on, or why there is none. Must never propose a second bulletin of a
//! period, nor one of a period of which noisy figures were shown.

use std::collections::BTreeMap;

use accord_proto::{
    id::EditionId,
    table::Mode,
    taxonomy::{Indicator, IndicatorCode, Lists, Period},
};

use super::{Editions, Freezing, Terms};
use crate::{
    cube::{Bounded, Bounds, Cube},
    disclose::{
        offer::{Bulletin, Offer, Outcome},
        tables::{Making, NoBulletin, OfPeriod, Tables},
    },
    policy::{self, Policy},
    record::CellKey,
};

/// What bulletins are made from.
#[derive(Clone, Copy)]
pub struct Tabling<'a> {
    /// Records, as they are now.
    pub live: &'a Cube,
    /// What was frozen and signed before.
    pub editions: &'a Editions,
    /// Terms, as they are now.
    pub policy: &'a Policy,
    /// Code lists, as they are now.
    pub lists: &'a Lists,
    /// The node's own.
    pub secret: &'a [u8; 32],
}

impl Tabling<'_> {
    /// The tables of one indicator and period, with all signed ones that an equation may hold with.
    pub fn tables(
        &self,
        indicator: &Indicator,
        period: Period,
        terms: &policy::Bulletin,
    ) -> Result<Tables, NoBulletin> {
        let rules = self.policy.bulletin_rules();
        let making = Making { indicator, period, lattice: &terms.lattice, rules };
        let figures = self.figures(indicator, period, terms);
        let mut periods = vec![OfPeriod { period, figures, signed: None }];
        for (other, signed) in self.beside(indicator.code, period, terms) {
            let same = |signed: &&Bulletin| {
                signed.audiences == terms.audiences && signed.handling == self.policy.handling()
            };
            let signed = signed.filter(same).ok_or(NoBulletin::OtherTerms(other))?;
            let figures = self.figures(indicator, other, terms);
            periods.push(OfPeriod { period: other, figures, signed: Some(signed) });
        }
        making.tables(&periods)
    }

    fn beside(
        &self,
        indicator: IndicatorCode,
        period: Period,
        terms: &policy::Bulletin,
    ) -> Vec<(Period, Option<&Bulletin>)> {
        // A stock of a year is no sum of the stocks of its months.
        let adds = terms.lattice.adds_over_time();
        if adds { self.editions.signed().beside(indicator, period) } else { Vec::new() }
    }

    /// One population, whoever asks: records that count for all audiences. Between tables of two audiences there
    /// would be differences, and each would be a record that one of them may not see.
    fn figures(
        &self,
        indicator: &Indicator,
        period: Period,
        terms: &policy::Bulletin,
    ) -> BTreeMap<CellKey, Bounded> {
        let counts = |context: &_| {
            let mut audiences = terms.audiences.iter();
            audiences.all(|audience| self.policy.counts(context, *audience))
        };
        let bounds = Bounds { cap: None, leaves: None, secret: self.secret };
        self.live.bounded((indicator, period), &terms.lattice, bounds, &counts)
    }

    /// Periods whose signed bulletins one of this period has to be audited with.
    pub fn periods_beside(&self, indicator: IndicatorCode, period: Period) -> Vec<Period> {
        match self.policy.terms(indicator) {
            policy::Terms::Bulletin(terms) => self
                .beside(indicator, period, terms)
                .into_iter()
                .map(|(period, _)| period)
                .collect(),
            policy::Terms::Open | policy::Terms::Protected(_) | policy::Terms::Closed => Vec::new(),
        }
    }
}

impl<'a> Freezing<'a> {
    fn tabling(&self) -> Tabling<'a> {
        let Self { live, editions, policy, lists, secret, .. } = *self;
        Tabling { live, editions, policy, lists, secret }
    }

    /// Modes and terms for an edition of this period. An indicator of which noisy figures were shown for an overlapping
    /// period can never become a bulletin, and one that was signed as a bulletin never protected: it is closed.
    pub(super) fn terms(&self, period: Period) -> Terms {
        let mut terms = self.policy.frozen_terms();
        for (code, (mode, _)) in &mut terms {
            let barred = match mode {
                // What is signed is carried on; nothing new is proposed beside what was shown, or may have been.
                Mode::Bulletin => {
                    self.editions.signed().signature(*code, period).is_none()
                        && self.ledger.has_shown(*code, period)
                }
                Mode::Protected => self.editions.signed().bars(*code, period),
                Mode::Open | Mode::Closed => false,
            };
            if barred {
                *mode = Mode::Closed;
            }
        }
        terms
    }

    /// Has every offer been audited together with all that is signed today?
    pub(super) fn stands(&self, period: Period, offers: &BTreeMap<IndicatorCode, Offer>) -> bool {
        offers.iter().all(|(code, offer)| {
            self.editions.signed().signature(*code, period).is_some()
                || self.tabling().periods_beside(*code, period) == offer.beside
        })
    }

    /// An offer for every indicator that is frozen in bulletin mode and has cells of this length of period.
    pub(super) fn offers(
        &self,
        (period, edition): (Period, EditionId),
        frozen: &Terms,
    ) -> BTreeMap<IndicatorCode, Offer> {
        let bulletins = self.policy.named().filter_map(|(code, terms)| match terms {
            policy::Terms::Bulletin(terms) => Some((self.lists.indicator_of(code)?, terms)),
            policy::Terms::Open | policy::Terms::Protected(_) | policy::Terms::Closed => None,
        });
        let so = |code| frozen.get(&code).is_some_and(|(mode, _)| *mode == Mode::Bulletin);
        let has_cells = |terms: &policy::Bulletin| {
            terms.lattice.levels().granularity.contains(&period.granularity())
        };
        bulletins
            .filter(|(indicator, terms)| so(indicator.code) && has_cells(terms))
            .map(|(indicator, terms)| {
                (indicator.code, self.offer(indicator, terms, (period, edition)))
            })
            .collect()
    }

    fn offer(
        &self,
        indicator: &Indicator,
        terms: &policy::Bulletin,
        (period, edition): (Period, EditionId),
    ) -> Offer {
        let beside = self.tabling().periods_beside(indicator.code, period);
        let outcome = match self.editions.signed().signature(indicator.code, period) {
            // Never a second one: the difference to the first would be what came late.
            Some(signature) => {
                let before = self.editions.answerable(period);
                let before = before.and_then(|before| before.offers.get(&indicator.code));
                let shown = before.is_some_and(|before| before.is_of(signature.edition));
                shown
                    .then_some(Outcome::Carried(signature.edition))
                    .ok_or(NoBulletin::HandlingChanged)
            }
            None => self.propose(indicator, terms, (period, edition)).map(Outcome::Proposed),
        };
        let outcome = outcome.unwrap_or_else(|why| Outcome::Refused(why.to_string()));
        Offer { beside, outcome }
    }

    fn propose(
        &self,
        indicator: &Indicator,
        terms: &policy::Bulletin,
        (period, edition): (Period, EditionId),
    ) -> Result<Bulletin, NoBulletin> {
        let cells = self.tabling().tables(indicator, period, terms)?.protect()?;
        let (audiences, handling) = (terms.audiences.clone(), self.policy.handling());
        Ok(Bulletin { edition, audiences, handling, cells })
    }
}
