//! Bulletins, for the releaser: what an edition proposes, what would be in it, signing it off. Comes in: a period and an
//! indicator. Goes out: true figures for the node's own staff; and a signature, after which the published cells may be
//! answered. Must never take the signature of the person who froze the edition.

use std::sync::PoisonError;

use accord_proto::{
    identity::Identity,
    journal::Act,
    limits::BULLETIN_INTERVALS_MAX,
    reason::{Invalid, Reason},
    seal::Digest,
    suppress::Shown,
    table::Mode,
    taxonomy::{AudienceCode, Indicator, IndicatorCode, Period},
    transport::Peer,
};

use super::{entry, summaries::looks_personal, totals::look};
use crate::{
    answer::{Held, Node},
    disclose::{
        offer::{Bulletin, Offer, Outcome, Signature},
        tables::{NoBulletin, Seen, Tables},
    },
    freeze::{Edition, tables::Tabling},
    policy::{self, Terms},
    record::CellKey,
    summary::Deed,
};

/// Where a bulletin stands.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Whose figures.
    pub indicator: IndicatorCode,
    /// For which period.
    pub period: Period,
    /// Number of the newest edition.
    pub edition: u32,
    /// One word.
    pub state: &'static str,
    /// For whom.
    pub audiences: Vec<AudienceCode>,
    /// Cells that are published, and cells that are not.
    pub cells: (usize, usize),
    /// Who froze the newest edition.
    pub frozen_by: Identity,
    /// Who signed.
    pub signature: Option<Signature>,
    /// Why there is none.
    pub why: String,
}

/// Every bulletin that newest editions have, proposed, signed or refused; ascending.
pub fn list(node: &Node) -> Vec<Standing> {
    let held = node.held.read().unwrap_or_else(PoisonError::into_inner);
    let of_edition = |edition: &Edition| {
        let of = |(indicator, offer): (&IndicatorCode, &Offer)| {
            standing(node, &held, edition, *indicator, offer)
        };
        edition.offers.iter().map(of).collect::<Vec<_>>()
    };
    held.editions.iter().flat_map(of_edition).collect()
}

fn standing(
    node: &Node,
    held: &Held,
    edition: &Edition,
    indicator: IndicatorCode,
    offer: &Offer,
) -> Standing {
    let period = edition.reference.period;
    let signed = held.editions.signed();
    let signature = signed.signature(indicator, period).filter(|of| offer.is_of(of.edition));
    let bulletin = match &offer.outcome {
        Outcome::Proposed(bulletin) => Some(bulletin),
        Outcome::Carried(_) => signed.bulletin(indicator, period),
        Outcome::Refused(_) => None,
    };
    let (state, why) = match &offer.outcome {
        Outcome::Refused(why) => ("refused", why.clone()),
        _ if node.policy.mode(indicator) != Mode::Bulletin => {
            ("closed", "the policy does not publish it as a bulletin any more".to_owned())
        }
        _ if held.editions.answerable(period).is_none() => {
            ("withheld", "handling has changed since; freeze the period again".to_owned())
        }
        Outcome::Proposed(_) if signature.is_none() => ("proposed", String::new()),
        Outcome::Proposed(_) => ("signed", String::new()),
        Outcome::Carried(_) => ("carried", String::new()),
    };
    let published = bulletin.map_or(0, Bulletin::published);
    let all = bulletin.map_or(0, |bulletin| bulletin.cells.len());
    Standing {
        indicator,
        period,
        edition: edition.reference.number,
        state,
        audiences: bulletin.map_or_else(Vec::new, |bulletin| bulletin.audiences.clone()),
        cells: (published, all.saturating_sub(published)),
        frozen_by: edition.frozen_by.clone(),
        signature: signature.cloned(),
        why,
    }
}

/// A cell of a bulletin, for the node's own eyes.
#[derive(Clone, Copy)]
pub struct Looked {
    /// Which.
    pub key: CellKey,
    /// Its figure; of a hidden one, as it is held now. None: nothing is known of it any more.
    pub value: Option<i64>,
    /// What becomes of it; none: it is hidden, and why cannot be said any more.
    pub shown: Option<Shown>,
    /// Why it may not be shown by itself.
    pub why: Option<accord_proto::rules::Unsafe>,
    /// What readers can tell of it; none: published, or not worked out.
    pub interval: Option<(i64, Option<i64>)>,
}

impl std::fmt::Debug for Looked {
    /// Prints no number.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Looked(_)")
    }
}

/// Every cell of a bulletin. Where what is held has changed since, only what is published, and which cells are not.
pub async fn show(
    node: &Node,
    caller: &Peer,
    period: &str,
    indicator: &str,
) -> Result<Vec<Looked>, Invalid> {
    let (period, indicator) = read(node, period, indicator)?;
    look(node, caller, &format!("bulletin {} {period}", indicator.code)).await?;
    accord_proto::busy::here(|| {
        let held = node.held.read().unwrap_or_else(PoisonError::into_inner);
        let (_, bulletin) = bulletin(&held, period, indicator)?;
        let tables = match node.policy.terms(indicator.code) {
            Terms::Bulletin(terms) => tables(node, &held, indicator, period, terms).ok(),
            Terms::Open | Terms::Protected(_) | Terms::Closed => None,
        };
        let tables = tables.filter(|tables| tables.agree(&bulletin.cells));
        let Some(tables) = tables else {
            let known = |(key, value): (&CellKey, &Option<i64>)| Looked {
                key: *key,
                value: *value,
                shown: value.map(|_| Shown::Published),
                why: None,
                interval: None,
            };
            return Ok(bulletin.cells.iter().map(known).collect());
        };
        let seen = tables.seen(&bulletin.cells, BULLETIN_INTERVALS_MAX);
        Ok(seen.into_iter().map(|seen| looked(seen, bulletin)).collect())
    })
}

fn looked(Seen { key, value, safe, interval }: Seen, bulletin: &Bulletin) -> Looked {
    let published = bulletin.cells.get(&key).copied().flatten().is_some();
    let shown = match (published, safe) {
        (true, _) => Shown::Published,
        (false, Err(_)) => Shown::Primary,
        (false, Ok(())) => Shown::Secondary,
    };
    Looked { key, value: Some(value), shown: Some(shown), why: safe.err(), interval }
}

fn tables(
    node: &Node,
    held: &Held,
    indicator: &Indicator,
    period: Period,
    terms: &policy::Bulletin,
) -> Result<Tables, NoBulletin> {
    let tabling = Tabling {
        live: &held.live,
        editions: &held.editions,
        policy: &node.policy,
        lists: node.lists,
        secret: node.store.pseudonym_secret(),
    };
    tabling.tables(indicator, period, terms)
}

/// The bulletin of a period's newest edition.
fn bulletin<'a>(
    held: &'a Held,
    period: Period,
    indicator: &Indicator,
) -> Result<(&'a Edition, &'a Bulletin), Invalid> {
    let none = |detail: String| Invalid::new(Reason::NotFound, "bulletin", detail);
    let code = indicator.code;
    let edition = held.editions.newest(period);
    let edition =
        edition.ok_or_else(|| none(format!("{period} has no edition; freeze it first")))?;
    let offer = edition.offers.get(&code).ok_or_else(|| {
        let detail = match edition.mode(code) {
            Mode::Bulletin => format!("no cells of {code} are published for {period}"),
            mode @ (Mode::Open | Mode::Protected | Mode::Closed) => {
                format!("{period} was frozen with {code} in mode {mode:?}").to_lowercase()
            }
        };
        none(detail)
    })?;
    let found = match &offer.outcome {
        Outcome::Proposed(bulletin) => Some(bulletin),
        Outcome::Carried(_) => held.editions.signed().bulletin(code, period),
        Outcome::Refused(why) => return Err(none(format!("{code} {period} has none: {why}"))),
    };
    Ok((edition, found.ok_or_else(|| none(format!("{code} {period} has none")))?))
}

/// Signs a bulletin off. The same person twice is one signature; there is never a second one. `edition`: the number of
/// the one that the releaser has looked at, which must be the newest.
pub async fn sign(
    node: &Node,
    caller: &Peer,
    (period, indicator, edition): (&str, &str, u32),
    why: &str,
) -> Result<Standing, Invalid> {
    let (period, indicator) = read(node, period, indicator)?;
    let deed = Deed::new(node.clock.now(), caller.identity.clone(), why, looks_personal)?;
    let signed =
        accord_proto::busy::here(|| put(node, caller, (period, indicator, edition), deed))?;
    node.store.settled().await?;
    Ok(signed)
}

fn put(
    node: &Node,
    caller: &Peer,
    (period, indicator, number): (Period, &Indicator, u32),
    deed: Deed,
) -> Result<Standing, Invalid> {
    let mut held = node.held.write().unwrap_or_else(PoisonError::into_inner);
    let held: &mut Held = &mut held;
    let code = indicator.code;
    let (edition, bulletin) = bulletin(held, period, indicator)?;
    check_signable(node, held, (edition, code, number), caller)?;
    if held.editions.signed().signature(code, period).is_none() {
        let signature = Signature {
            edition: bulletin.edition,
            by: caller.identity.clone(),
            at: deed.at,
            why: deed.why,
        };
        let mut change = node.store.begin()?;
        change.sign((code, period), &signature);
        let audiences: Vec<_> = bulletin.audiences.iter().map(AudienceCode::as_str).collect();
        let mut entry = entry(
            node,
            caller,
            Act::Disclosure,
            &signature.why,
            &format!("bulletin {code} {period}#{}", edition.reference.number),
            digest(bulletin, indicator),
        );
        entry.to = audiences.join(" ");
        change.commit(entry)?;
        held.editions.sign(code, period, signature);
    }
    let edition = held.editions.newest(period);
    let offer = edition.and_then(|edition| Some((edition, edition.offers.get(&code)?)));
    let (edition, offer) = offer.ok_or_else(|| {
        Invalid::new(Reason::NotFound, "bulletin", format!("{code} {period} has none"))
    })?;
    Ok(standing(node, held, edition, code, offer))
}

fn check_signable(
    node: &Node,
    held: &Held,
    (edition, code, number): (&Edition, IndicatorCode, u32),
    caller: &Peer,
) -> Result<(), Invalid> {
    let refuse = |reason, detail: String| Err(Invalid::new(reason, "bulletin", detail));
    let reference = edition.reference;
    let period = reference.period;
    if number != reference.number {
        let detail =
            format!("the newest edition of {period} is {}; look at that", reference.number);
        return refuse(Reason::NotFound, detail);
    }
    // A person may hold several certificates: what counts is the name.
    if edition.frozen_by.name == caller.identity.name {
        let detail = format!("{} froze {period}; another person must sign", edition.frozen_by.name);
        return Err(Invalid::new(Reason::FourEyes, "certificate", detail));
    }
    let offered = edition.offers.get(&code);
    let standing = offered.map(|offer| standing(node, held, edition, code, offer));
    if let Some(Standing { state: state @ ("closed" | "withheld"), why, .. }) = standing {
        return refuse(Reason::ModeUnavailable, format!("{code} {period} is {state}: {why}"));
    }
    if held.editions.signed().signature(code, period).is_some() {
        return Ok(());
    }
    if node.store.head().in_doubt() {
        let detail =
            "the store was restored and may have forgotten what was shown; confirm-restore first"
                .to_owned();
        return refuse(Reason::ModeUnavailable, detail);
    }
    if edition.terms.get(&code) != node.policy.frozen_terms().get(&code) {
        let detail = format!("the policy says otherwise of {code} since; freeze {period} again");
        return refuse(Reason::ModeUnavailable, detail);
    }
    let ledger = held.ledger.lock().unwrap_or_else(PoisonError::into_inner);
    if ledger.has_shown(code, period) {
        let detail = format!("noisy figures of {code} were shown for {period}: it stays closed");
        return refuse(Reason::ModeUnavailable, detail);
    }
    let tabling = Tabling {
        live: &held.live,
        editions: &held.editions,
        policy: &node.policy,
        lists: node.lists,
        secret: node.store.pseudonym_secret(),
    };
    if offered.is_none_or(|offer| offer.beside != tabling.periods_beside(code, period)) {
        let detail = format!(
            "another bulletin of {code} that it adds up with was signed since; freeze {period} again"
        );
        return refuse(Reason::ModeUnavailable, detail);
    }
    Ok(())
}

/// Of everything that is published in it, for the journal.
fn digest(bulletin: &Bulletin, indicator: &Indicator) -> Digest {
    let mut says = Vec::new();
    for (cell, value) in bulletin.cells.iter().filter_map(|(cell, value)| Some((cell, (*value)?))) {
        says.extend(crate::lattice::name(cell, indicator));
        says.extend(format!("={value}\n").into_bytes());
    }
    Digest::of(&says)
}

fn read<'a>(
    node: &'a Node,
    period: &str,
    indicator: &str,
) -> Result<(Period, &'a Indicator), Invalid> {
    Ok((Period::parse("period", period)?, node.lists.indicator("indicator", indicator)?))
}
