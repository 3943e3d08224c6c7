//! What an edition may show of its protected indicators. Comes in: the period and a release class. Goes out: draws, made once
//! and kept with the edition. Must never draw a cell more often than its tiers allow: then the last figures are carried on.

use std::collections::{BTreeMap, BTreeSet};

use accord_proto::{
    rules::Contributions,
    seal::Digest,
    table::{EditionRef, Mode},
    taxonomy::{AudienceCode, Indicator, IndicatorCode, Period, Tier},
};

use super::Freezing;
use crate::{
    cube::{Bounded, Bounds},
    disclose::protect::{self, Drawing, Drawn},
    lattice,
    policy::{Protection, Terms},
    record::CellKey,
};

impl Freezing<'_> {
    /// Every protected indicator, drawn for the audiences of a class.
    pub(super) fn drawn(
        &self,
        reference: EditionRef,
        audiences: &[AudienceCode],
        frozen: &super::Terms,
    ) -> BTreeMap<IndicatorCode, Drawn> {
        let protected = self.policy.named().filter_map(|(code, terms)| match terms {
            Terms::Protected(protection) => Some((self.lists.indicator_of(code)?, protection)),
            Terms::Open | Terms::Bulletin(_) | Terms::Closed => None,
        });
        let so = |code| frozen.get(&code).is_some_and(|(mode, _)| *mode == Mode::Protected);
        protected
            .filter(|(indicator, _)| so(indicator.code))
            .map(|(indicator, terms)| {
                (indicator.code, self.one(reference, audiences, indicator, terms))
            })
            .collect()
    }

    fn one(
        &self,
        reference: EditionRef,
        audiences: &[AudienceCode],
        indicator: &Indicator,
        protection: &Protection,
    ) -> Drawn {
        let Self { live, policy, lists, root, .. } = *self;
        let tiers: BTreeSet<Tier> =
            audiences.iter().map(|audience| lists.tier(*audience)).collect();
        // Every draw that was shown to anybody counts, and the next one has more noise.
        let number = self.shown(indicator, reference, Tier::A).saturating_add(1);
        let relevelled = self.relevelled(reference.period, indicator);
        let fresh = |tier: Tier| {
            let offered = tiers.contains(&tier) && protection.lattice(tier).is_some();
            let mut touched = tier.and_narrower();
            let room = touched
                .all(|tier| self.shown(indicator, reference, tier) < protection.draws_max(tier));
            let draw = || protect::draw(policy, protection, tier, (reference.edition, number));
            (offered && room && !relevelled).then(draw)
        };
        let draws = Tier::ALL.map(fresh);
        let mut drawn = Drawn::default();
        // Of the narrowest tier's lattice, whoever the class is for: which of a unit's cells count must not depend on it.
        if let (Some(lattice), Some(audience)) = (protection.lattice(Tier::A), audiences.first())
            && draws.iter().any(Option::is_some)
        {
            let secret = self.secret;
            let bounds =
                Bounds { cap: Some(protection.cap), leaves: Some(protection.leaves), secret };
            let bounded = |audience: AudienceCode| {
                let counts = |context: &_| policy.counts(context, audience);
                live.bounded((indicator, reference.period), lattice, bounds, &counts)
            };
            // What everybody may see decides on the key: what only some may see must not change anything for the others.
            let widest = lists.audiences().max_by_key(|audience| lists.tier(*audience));
            let content = content(&bounded(widest.unwrap_or(*audience)), indicator);
            let cells = bounded(*audience);
            let drawing = Drawing { indicator, protection, policy, number, draws };
            drawn = drawing.all(&cells, &root.edition(reference.period, number, content));
        }
        for audience in audiences {
            let tier = lists.tier(*audience);
            if let (None, Some(before)) =
                (fresh(tier), self.before(reference, *audience, indicator))
            {
                drawn.carry(before, tier);
            }
        }
        drawn
    }

    /// Was something shown of an overlapping period that was frozen under other terms? The levels of both together were never
    /// checked against averaging.
    fn relevelled(&self, period: Period, indicator: &Indicator) -> bool {
        let now = self.policy.frozen_terms();
        let now = now.get(&indicator.code).map(|(_, digest)| *digest);
        let mut shown = self.ledger.overlapping(indicator.code, period);
        shown.any(|draw| self.editions.terms_of(draw, indicator.code) != now)
    }

    fn shown(&self, indicator: &Indicator, reference: EditionRef, tier: Tier) -> u32 {
        self.ledger.draws(indicator.code, reference.period, tier)
    }

    /// What the edition before may show to an audience. Nothing if handling has changed since: its figures may rest on
    /// records that may not count any more.
    fn before(
        &self,
        reference: EditionRef,
        audience: AudienceCode,
        indicator: &Indicator,
    ) -> Option<&Drawn> {
        let before = self.editions.answerable(reference.period)?;
        before.class(audience)?.drawn.get(&indicator.code)
    }
}

/// A digest of bounded figures.
fn content(cells: &BTreeMap<CellKey, Bounded>, indicator: &Indicator) -> Digest {
    let mut says = Vec::new();
    for (cell, bounded) in cells {
        let Contributions { total, units, sources, .. } = bounded.contributions;
        says.extend_from_slice(&lattice::name(cell, indicator));
        says.extend_from_slice(format!("|{total} {units:?} {sources}\n").as_bytes());
    }
    Digest::of(&says)
}
