//! What another policy would leave of the figures. Comes in: a checked policy, records as they are now, a key that is thrown away. Goes
//! out: for each indicator and tier how many cells would be shown, and how exact they would be. Must never give a figure, a floor, or
//! which cell it is: shares and errors only. Charges nothing and changes nothing.
//!
//! Draws are made as a first freeze would make them, with noise that no edition has: the share is one of many that might come. Errors are
//! the published standard error beside the true figure, so they are typical ones, not those of this draw.

use accord_proto::{
    id::EditionId,
    taxonomy::{AudienceCode, Indicator, IndicatorCode, Lists, Period, Tier},
};

use crate::{
    cube::{Bounds, Cube},
    disclose::{
        noise::EditionKey,
        protect::{self, Drawing},
    },
    policy::{Policy, Protection, Terms},
};

/// From this figure on a cell counts as large.
const LARGE: i64 = 10;

/// Relative errors in thousandths, of the cells that would be shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Errors {
    /// How many cells hold something.
    pub held: u64,
    /// How many of them would be shown.
    pub shown: u64,
    /// Of half of them it is no more.
    pub median_per_mille: u64,
    /// Of none of them it is more.
    pub worst_per_mille: u64,
}

/// What would be left of an indicator at a tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Whose cells.
    pub indicator: IndicatorCode,
    /// To whom.
    pub tier: Tier,
    /// Cells of ten or more.
    pub large: Errors,
    /// Cells of one to nine.
    pub small: Errors,
}

/// What a policy is tried on.
#[derive(Clone, Copy)]
pub struct Trial<'a> {
    /// Records as they are now.
    pub live: &'a Cube,
    /// Periods to look at.
    pub periods: &'a [Period],
    /// Code lists.
    pub lists: &'a Lists,
    /// Used once.
    pub key: &'a EditionKey,
    /// Names no edition that there is.
    pub edition: EditionId,
    /// The node's own: which of a unit's too many cells count is decided by it.
    pub secret: &'a [u8; 32],
}

impl std::fmt::Debug for Trial<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Trial(_)")
    }
}

/// Every indicator that the policy protects and something is held for, at every tier.
pub fn shares(policy: &Policy, trial: Trial<'_>) -> Vec<Share> {
    let protected = policy.named().filter_map(|(code, terms)| match terms {
        Terms::Protected(protection) => {
            Some((trial.lists.indicator_of(code)?, protection.as_ref()))
        }
        Terms::Open | Terms::Bulletin(_) | Terms::Closed => None,
    });
    let of = |(indicator, protection): (&Indicator, &Protection)| {
        Tier::ALL.map(|tier| share(policy, trial, (indicator, protection), tier))
    };
    protected.flat_map(of).flatten().collect()
}

fn share(
    policy: &Policy,
    trial: Trial<'_>,
    (indicator, protection): (&Indicator, &Protection),
    tier: Tier,
) -> Option<Share> {
    let Trial { live, periods, lists, key, edition, secret } = trial;
    let (own, narrowest) = (protection.lattice(tier)?, protection.lattice(Tier::A)?);
    let of_tier = |audience: &AudienceCode| lists.tier(*audience) == tier;
    let audience = lists.audiences().find(of_tier)?;
    let bounds = Bounds { cap: Some(protection.cap), leaves: Some(protection.leaves), secret };
    let counts = |context: &_| policy.counts(context, audience);
    let draw = protect::draw(policy, protection, tier, (edition, 1));
    let mut draws = [None; 3];
    if let Some(place) = draws.get_mut(tier.at()) {
        *place = Some(draw);
    }
    let drawing = Drawing { indicator, protection, policy, number: 1, draws };
    let whole = 10_i64.saturating_pow(indicator.decimals);
    let (mut large, mut small) = (Found::default(), Found::default());
    for period in periods {
        for (cell, bounded) in live.bounded((indicator, *period), narrowest, bounds, &counts) {
            let total = bounded.contributions.total;
            if total <= 0 || own.canonical(&cell) != Some(cell) {
                continue;
            }
            let verdict = drawing.one(&cell, &bounded, key).get(tier.at()).copied().flatten();
            let shown = matches!(verdict, Some(Ok(_)));
            let found = if total >= LARGE.saturating_mul(whole) { &mut large } else { &mut small };
            found.note(shown.then(|| draw.standard_error_milli / total.unsigned_abs()));
        }
    }
    let share =
        Share { indicator: indicator.code, tier, large: large.errors(), small: small.errors() };
    (share.large.held + share.small.held > 0).then_some(share)
}

#[derive(Default)]
struct Found {
    held: u64,
    per_mille: Vec<u64>,
}

impl Found {
    fn note(&mut self, shown_per_mille: Option<u64>) {
        self.held += 1;
        self.per_mille.extend(shown_per_mille);
    }

    fn errors(mut self) -> Errors {
        self.per_mille.sort_unstable();
        let at = |place: usize| self.per_mille.get(place).copied().unwrap_or(0);
        let shown = self.per_mille.len();
        Errors {
            held: self.held,
            shown: shown as u64,
            median_per_mille: at(shown / 2),
            worst_per_mille: at(shown.saturating_sub(1)),
        }
    }
}
