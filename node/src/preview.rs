//! What would leave, before anything does. Comes in: a question with audience and purpose, and what a node holds. Goes out:
//! for every cell the true figure, what would leave, why nothing does, and what somebody could infer who sees the whole answer; and what it
//! would cost. Must never send, charge or store anything, and is for the node's own staff only: it holds true figures.
//!
//! It runs the release path itself (consent, slice, reserve, disclose) on a copy of the ledger, so it cannot say something else
//! than an answer would. Two things are worked out besides, for no answer holds them. *Why* a protected cell is not shown: an edition
//! keeps only what may be shown, so the floor is asked again of the records as they are now ([`Why::Floor`]); if they have
//! changed since the freeze, the reason may have, too. *What can be inferred*: see [`infer`]; it looks at this answer
//! alone, not at what the audience was given before, and not at what it knows from elsewhere.

use std::collections::BTreeMap;

use accord_proto::{
    clock::Timestamp,
    identity::Name,
    question::{Question, Requirement},
    reason::Invalid,
    rules::Unsafe,
    table::{Cell, Mode, Table},
    taxonomy::{AudienceCode, IndicatorCode, JurisdictionCode, Lists, Period, PurposeCode, Tier},
};

use crate::{
    consent::{self, Consented, Grant},
    cube::{self, Aggregate, Bounded, Bounds, Cube},
    disclose::{
        self, Rules,
        epsilon::epsilon,
        ledger::{Charge, Ledger},
        reserve::{self, Reserved},
    },
    freeze::Editions,
    inbox::Extent,
    policy::{Policy, Protection, Terms},
    record::CellKey,
};

pub mod infer;
pub mod whatif;

pub use infer::Interval;

/// What is asked, for whom and what for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The cells.
    pub question: &'a Question,
    /// Who would see the answer.
    pub audience: AudienceCode,
    /// What for.
    pub purpose: PurposeCode,
    /// What people leave out of it.
    pub terms: &'a Extent,
    /// Who asks; none: nobody has signed it yet.
    pub authority: Option<&'a Name>,
    /// How exact it needs to be.
    pub tier: Tier,
}

/// Nothing is left out.
static WHOLE: Extent = Extent::whole();

impl<'a> From<&'a Requirement> for Asked<'a> {
    fn from(requirement: &'a Requirement) -> Self {
        let Requirement { question, audience, purpose, authority, tier, .. } = requirement;
        Self {
            question,
            audience: *audience,
            purpose: *purpose,
            terms: &WHOLE,
            authority: Some(authority),
            tier: *tier,
        }
    }
}

/// What a node holds and relies on.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    /// Who it is.
    pub node: &'a Name,
    /// Whom it speaks for.
    pub jurisdiction: JurisdictionCode,
    /// Records as they are now: reasons are worked out from them, figures never.
    pub live: &'a Cube,
    /// What is answered from.
    pub editions: &'a Editions,
    /// Consents.
    pub grants: &'a [Grant],
    /// What is spent.
    pub ledger: &'a Ledger,
    /// Modes and terms.
    pub policy: &'a Policy,
    /// Code lists.
    pub lists: &'a Lists,
    /// The node's own: which of a unit's too many cells count is decided by it.
    pub secret: &'a [u8; 32],
    /// The ledger may have forgotten charges, and nobody has confirmed it.
    pub in_doubt: bool,
}

/// Why a cell is not shown. For the node's own eyes: outside there is one mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// No grant covers it for this audience and purpose.
    NotConsented,
    /// Whoever decided about the requirement left it out.
    LeftOut,
    /// The indicator may not leave this way.
    Mode(Mode),
    /// The period was never frozen.
    NoEdition,
    /// Since it was frozen, which records may count for whom has changed; freeze it again.
    HandlingChanged,
    /// It was frozen in another mode; freeze it again.
    FrozenAs(Mode),
    /// The tier has no such level.
    NotInTheLattice,
    /// All draws of the period were used up, or the tier was not offered when it was frozen.
    NotDrawn,
    /// The budget has no room.
    Exhausted,
    /// Nothing is held.
    NothingHeld,
    /// Records of it may not count for this audience, and it would look like the whole.
    Partial,
    /// A rule of the secret floor, on the records as they are now.
    Floor(Unsafe),
    /// The noisy figure is below the published threshold.
    BelowThreshold,
    /// The store may have forgotten charges: the whole requirement is refused until somebody confirms.
    Unconfirmed,
}

/// One cell. Holds a true figure.
#[derive(Clone)]
pub struct PreviewCell {
    /// Which.
    pub cell: CellKey,
    /// What the newest edition holds for the audience's release class.
    pub inside: Option<Aggregate>,
    /// What would leave.
    pub leaves: Cell,
    /// Why it is not shown; none if it is.
    pub why: Option<Why>,
    /// Between which figures it lies, for whoever sees the whole answer. None: nothing follows for this kind of figure.
    pub inferred: Option<Interval>,
}

impl std::fmt::Debug for PreviewCell {
    /// Prints no number.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PreviewCell({:?})", self.why)
    }
}

/// What the answer would cost the units of one indicator and period.
#[derive(Clone, Debug, PartialEq)]
pub struct Cost {
    /// Whose.
    pub indicator: IndicatorCode,
    /// Which period's cells.
    pub period: Period,
    /// To whom it would be shown.
    pub tier: Tier,
    /// What it costs that tier, in nano-rho; 0: it is paid already, or not shown.
    pub nano_rho: u64,
    /// The same as an epsilon at delta 10^-6.
    pub epsilon: f64,
    /// What is left afterwards, by tier, in nano-rho.
    pub left: [u64; 3],
}

/// An answer that was not given.
#[derive(Clone, Debug)]
pub struct Preview {
    /// What would leave; none: the requirement would be refused.
    pub table: Option<Table>,
    /// Block by block, in the order of the table.
    pub blocks: Vec<Vec<PreviewCell>>,
    /// For every protected indicator and period that is consented to.
    pub costs: Vec<Cost>,
}

/// Runs the release path, and nothing comes of it.
pub fn preview(asked: Asked<'_>, from: Sources<'_>, now: Timestamp) -> Result<Preview, Invalid> {
    let Sources { editions, policy, lists, jurisdiction, .. } = from;
    let Asked { question, audience, purpose, authority, tier, terms } = asked;
    let for_what = consent::ForWhat { purpose, audience, authority, tier };
    let consented =
        consent::decide_for(question, for_what, from.grants, (jurisdiction, lists), now)?;
    let granted: Vec<_> = consented.granted().map(<[bool]>::to_vec).collect();
    let consented = terms.narrow(consented, question);
    let rules = Rules { editions, policy, lists };
    let slice = cube::slice(editions, &consented);
    let reserved = reserve::reserve(&consented, rules, from.ledger, now);
    let owner = (from.node, jurisdiction);
    let safe = disclose::disclose(&consented, slice, &reserved, rules, owner);
    let charged = |block: &&consent::ConsentedBlock| match policy.mode(block.indicator) {
        Mode::Protected | Mode::Bulletin => true,
        Mode::Open | Mode::Closed => false,
    };
    let refused = from.in_doubt && consented.blocks().iter().any(|block| charged(&block));
    let mut looking = Looking {
        from,
        consented: &consented,
        reserved: &reserved,
        refused,
        bounded: BTreeMap::new(),
    };
    let mut blocks = looking.blocks(safe.table());
    for (cell, granted) in blocks.iter_mut().flatten().zip(granted.into_iter().flatten()) {
        if granted && cell.why == Some(Why::NotConsented) {
            cell.why = Some(Why::LeftOut);
        }
    }
    let costs = if refused { Vec::new() } else { costs(&consented, &reserved, from, now) };
    Ok(Preview { table: (!refused).then(|| safe.table().clone()), blocks, costs })
}

/// Figures of the narrowest lattice, as a freeze would see them now.
type BoundedCells = BTreeMap<CellKey, Bounded>;

struct Looking<'a> {
    from: Sources<'a>,
    consented: &'a Consented,
    reserved: &'a Reserved,
    refused: bool,
    bounded: BTreeMap<(IndicatorCode, Period, AudienceCode), BoundedCells>,
}

impl Looking<'_> {
    fn blocks(&mut self, table: &Table) -> Vec<Vec<PreviewCell>> {
        let Sources { editions, lists, jurisdiction, policy, .. } = self.from;
        let mut blocks = Vec::with_capacity(table.blocks.len());
        for (block, asked) in table.blocks.iter().zip(self.consented.blocks()) {
            let audience = asked.audience;
            let cells = block.placed().zip(&asked.granted).map(|(placed, granted)| {
                let cell = CellKey {
                    period: placed.period,
                    indicator: block.indicator,
                    crime_area: placed.crime_area,
                    region: placed.region,
                    categories: placed.categories,
                };
                let edition = editions.newest(cell.period);
                let inside =
                    edition.and_then(|edition| edition.cells(audience).get(&cell).copied());
                let leaves = if self.refused { Cell::NotShown } else { placed.cell };
                let why =
                    (leaves == Cell::NotShown).then(|| self.why(&cell, (asked, *granted), inside));
                let error = placed.standard_error_milli;
                (PreviewCell { cell, inside, leaves, why, inferred: None }, error)
            });
            blocks.push(cells.collect::<Vec<_>>());
        }
        let seen = infer::Seen::new(blocks.iter().flatten().map(|(cell, error)| (cell, *error)));
        let infer = |(mut cell, _): (PreviewCell, u64)| {
            cell.inferred = lists.indicator_of(cell.cell.indicator).and_then(|indicator| {
                let adds_up = match policy.terms(indicator.code) {
                    Terms::Protected(protection) => protection.leaves == 1,
                    Terms::Open | Terms::Bulletin(_) | Terms::Closed => true,
                };
                seen.infer(&cell.cell, (indicator, adds_up), (jurisdiction, lists))
            });
            cell
        };
        blocks.into_iter().map(|block| block.into_iter().map(infer).collect()).collect()
    }

    fn why(
        &mut self,
        cell: &CellKey,
        (block, granted): (&consent::ConsentedBlock, bool),
        inside: Option<Aggregate>,
    ) -> Why {
        let Sources { editions, policy, .. } = self.from;
        if !granted {
            return Why::NotConsented;
        }
        if self.refused {
            return Why::Unconfirmed;
        }
        if !policy.sees_all_of(self.consented.audience(), block.audience) {
            return Why::Partial;
        }
        let terms = policy.terms(cell.indicator);
        let Some(edition) = editions.newest(cell.period) else {
            return match terms {
                Terms::Closed => Why::Mode(Mode::Closed),
                Terms::Open | Terms::Protected(_) | Terms::Bulletin(_) => Why::NoEdition,
            };
        };
        let protection = match terms {
            Terms::Closed | Terms::Bulletin(_) => return Why::Mode(terms.mode()),
            Terms::Open => None,
            Terms::Protected(protection) => Some(protection),
        };
        if !editions.may_answer(&edition.reference) {
            return Why::HandlingChanged;
        }
        if edition.mode(cell.indicator) != terms.mode() {
            return Why::FrozenAs(edition.mode(cell.indicator));
        }
        if block.open_only && protection.is_some() {
            return Why::NotConsented;
        }
        match protection {
            Some(protection) => self.why_protected(cell, block.audience, protection),
            None => why_open(inside),
        }
    }

    fn why_protected(
        &mut self,
        cell: &CellKey,
        audience: AudienceCode,
        protection: &Protection,
    ) -> Why {
        let Sources { editions, policy, lists, .. } = self.from;
        let tier = lists.tier(audience);
        let canonical = protection.lattice(tier).and_then(|lattice| lattice.canonical(cell));
        let Some(canonical) = canonical else { return Why::NotInTheLattice };
        let class = editions.newest(cell.period).and_then(|edition| edition.class(audience));
        let drawn = class.and_then(|class| class.drawn.get(&cell.indicator)?.of(tier));
        if drawn.is_none() {
            return Why::NotDrawn;
        }
        if !self.reserved.covers(cell.indicator, cell.period, tier) {
            return Why::Exhausted;
        }
        let Some(indicator) = lists.indicator_of(cell.indicator) else { return Why::NothingHeld };
        match self.bounded(&canonical, audience, protection) {
            None => Why::NothingHeld,
            Some(bounded) => {
                let checked = disclose::protect::floors(policy, indicator, tier, &bounded);
                checked.map_or_else(Why::Floor, |()| Why::BelowThreshold)
            }
        }
    }

    fn bounded(
        &mut self,
        cell: &CellKey,
        audience: AudienceCode,
        protection: &Protection,
    ) -> Option<Bounded> {
        let Sources { live, policy, lists, secret, .. } = self.from;
        let of = self.bounded.entry((cell.indicator, cell.period, audience)).or_insert_with(|| {
            let lattice = protection.lattice(Tier::A).zip(lists.indicator_of(cell.indicator));
            let Some((lattice, indicator)) = lattice else { return BTreeMap::new() };
            let bounds =
                Bounds { cap: Some(protection.cap), leaves: Some(protection.leaves), secret };
            let counts = |context: &_| policy.counts(context, audience);
            live.bounded((indicator, cell.period), lattice, bounds, &counts)
        });
        of.get(cell).copied()
    }
}

fn why_open(inside: Option<Aggregate>) -> Why {
    match inside {
        Some(aggregate) if aggregate.partial => Why::Partial,
        Some(_) | None => Why::NothingHeld,
    }
}

fn costs(
    consented: &Consented,
    reserved: &Reserved,
    from: Sources<'_>,
    now: Timestamp,
) -> Vec<Cost> {
    let Sources { policy, lists, ledger, .. } = from;
    let (charges, after) = reserved.charges().unwrap_or((&[], ledger));
    let cost = |(indicator, period, audience)| {
        let tier = lists.tier(audience);
        let Terms::Protected(protection) = policy.terms(indicator) else { return None };
        let indicator = lists.indicator_of(indicator)?;
        let mut charge = charges.iter();
        let same = |c: &&Charge| (c.indicator, c.period, c.tier) == (indicator.code, period, tier);
        let charge = charge.find(same);
        let nano_rho = charge.map_or(0, |charge| charge.nano_rho);
        Some(Cost {
            indicator: indicator.code,
            period,
            tier,
            nano_rho,
            epsilon: epsilon(nano_rho),
            left: reserve::left(policy, protection, after, (indicator, period), now),
        })
    };
    reserve::wanted(consented).into_iter().filter_map(cost).collect()
}
