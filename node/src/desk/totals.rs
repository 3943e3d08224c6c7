//! The node's own totals, for its own staff. Comes in: which cells. Goes out: their true figures. Must never
//! be called for anybody but the node's own analysts and releasers; who looked stands in the journal.

use std::sync::{PoisonError, RwLockReadGuard};

use accord_proto::{
    journal::Act,
    limits::TOTALS_PERIODS_MAX,
    reason::{Invalid, Reason},
    seal::Digest,
    taxonomy::{AudienceCode, IndicatorCode, Period},
    transport::Peer,
};

use super::entry;
use crate::{
    answer::{Held, Node},
    cube::{Aggregate, Cells, contradict::contradictions as contradictions_of},
    freeze::{self, Change, Edition},
    record::CellKey,
};

/// Which totals.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// All if not given.
    pub indicator: Option<IndicatorCode>,
    /// All that something is held for, if empty.
    pub periods: Vec<Period>,
    /// All if not given.
    pub region_level: Option<u32>,
    /// Out of the newest edition, as this audience may see it; none: out of what is held now.
    pub audience: Option<AudienceCode>,
}

/// Notes who looks, and says which periods there are to look at.
pub async fn look_at(node: &Node, caller: &Peer, wanted: &Wanted) -> Result<Vec<Period>, Invalid> {
    let subject = match (&wanted.indicator, wanted.audience) {
        (indicator, None) => format!("own totals {indicator:?}"),
        (indicator, Some(audience)) => format!("own editions {indicator:?} {audience}"),
    };
    look(node, caller, &subject).await?;
    let held = held(node);
    let periods = match (wanted.periods.as_slice(), wanted.audience) {
        ([], None) => held.live.periods(),
        ([], Some(_)) => held.editions.references().map(|edition| edition.period).collect(),
        (periods, _) => periods.to_vec(),
    };
    if periods.len() > TOTALS_PERIODS_MAX {
        let detail = format!("{} periods where {TOTALS_PERIODS_MAX} is the most", periods.len());
        return Err(Invalid::new(Reason::LimitExceeded, "period", detail));
    }
    Ok(periods)
}

/// True figures of one period. What is held is locked for no longer than that takes: whoever reads them
/// slowly must not keep a consent from being withdrawn.
pub fn of_period(node: &Node, wanted: &Wanted, period: Period) -> Vec<(CellKey, Aggregate)> {
    let level = |cell: &CellKey| node.lists.region_of(cell.region).map(|region| region.level);
    let wants = |cell: &CellKey| {
        wanted.indicator.is_none_or(|indicator| indicator == cell.indicator)
            && wanted.region_level.is_none_or(|wanted| level(cell) == Some(wanted))
    };
    let some = |cells: &Cells| {
        let some = cells.iter().filter(|(cell, _)| wants(cell));
        some.map(|(cell, aggregate)| (*cell, *aggregate)).collect()
    };
    let held = held(node);
    match wanted.audience {
        None => some(&held.live.tabulate(period, node.lists, &|_| true)),
        Some(audience) => held
            .editions
            .newest(period)
            .map_or_else(Vec::new, |edition| some(edition.cells(audience))),
    }
}

/// Parts that are more than their whole, among what is held now: with the figures of both.
pub async fn contradictions(
    node: &Node,
    caller: &Peer,
) -> Result<Vec<((CellKey, Aggregate), (CellKey, Aggregate))>, Invalid> {
    look(node, caller, "own contradictions").await?;
    accord_proto::busy::here(|| {
        let mut cells = Cells::new();
        let periods =
            if held(node).live.has_totals() { held(node).live.periods() } else { Vec::new() };
        for period in periods {
            cells.extend(held(node).live.tabulate(period, node.lists, &|_| true));
        }
        let with = |key: CellKey| cells.get(&key).map(|aggregate| (key, *aggregate));
        let pairs = contradictions_of(&cells, node.lists).into_iter();
        Ok(pairs.filter_map(|found| with(found.part).zip(with(found.whole))).collect())
    })
}

/// A cell that changed: what it was, what it is.
pub type Changed = (CellKey, Change, Option<Aggregate>, Option<Aggregate>);

/// What changed from one edition of a period to another, as an audience may see it. Numbers from 1; 0 stands
/// for the newest and the one before it.
pub async fn changes(
    node: &Node,
    caller: &Peer,
    period: Period,
    (from, to): (u32, u32),
    audience: AudienceCode,
) -> Result<Vec<Changed>, Invalid> {
    look(node, caller, &format!("editions of {period}")).await?;
    accord_proto::busy::here(|| {
        let mut editions: Vec<Edition> = Vec::new();
        node.store.editions(node.jurisdiction, node.lists, |edition| {
            if edition.reference.period == period {
                editions.push(edition);
            }
        })?;
        let newest = editions.iter().map(|edition| edition.reference.number).max().unwrap_or(0);
        let nothing = match newest {
            0 => Some("has no edition; freeze it first"),
            1 if from == 0 => Some("has only one edition; nothing to compare"),
            _ => None,
        };
        if let Some(nothing) = nothing {
            return Err(Invalid::new(Reason::NotFound, "edition", format!("{period} {nothing}")));
        }
        let to = if to == 0 { newest } else { to };
        let from = if from == 0 { to.saturating_sub(1) } else { from };
        let find = |number: u32| {
            let edition = editions.iter().find(|edition| edition.reference.number == number);
            edition.map(|edition| edition.cells(audience)).ok_or_else(|| {
                let detail = format!("{period} has no edition {number}");
                Invalid::new(Reason::NotFound, "edition", detail)
            })
        };
        let (old, new) = (find(from)?, find(to)?);
        let with = |(key, change)| (key, change, old.get(&key).copied(), new.get(&key).copied());
        Ok(freeze::changes(old, new).into_iter().map(with).collect())
    })
}

fn held(node: &Node) -> RwLockReadGuard<'_, Held> {
    node.held.read().unwrap_or_else(PoisonError::into_inner)
}

/// Who looks at true figures is in the journal before they are shown.
pub(super) async fn look(node: &Node, caller: &Peer, subject: &str) -> Result<(), Invalid> {
    note(node, caller, subject)?;
    node.store.settled().await
}

fn note(node: &Node, caller: &Peer, subject: &str) -> Result<(), Invalid> {
    let digest = Digest::of(subject.as_bytes());
    node.store.begin()?.commit(entry(node, caller, Act::Consultation, "desk", subject, digest))
}
