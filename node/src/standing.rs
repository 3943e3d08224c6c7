//! Do answers still stand? Comes in: requirements that were answered, and what the coordinator holds of the answers. Goes
//! out: a signed notice for each that does not stand as it was accepted. Must never compute anything anew, nor say
//! which cells fell away: whoever may ask learns it from the next answer.
//!
//! A node calls nobody. The coordinator asks for this as long as a requirement is valid, so consent that is withdrawn
//! after the window reaches what rests on it.

use std::sync::PoisonError;

use accord_proto::{
    id::RequirementId,
    journal::{Act, Entry},
    limits::STANDING_MAX,
    question::{Cancellation, SignedRequirement},
    reason::{Invalid, Reason},
    seal::Digest,
    standing::{Holdings, Notice, Standing},
    table::{Cell, Table},
    transport::Peer,
    wire,
};

use crate::{
    answer::{self, Held, Node},
    consent,
    disclose::{self, Rules},
    inbox::{Item, Step},
    peers,
    receipt::Receipt,
    seal::SealedAnswer,
    store::{Change, Told},
};

/// One answer that is asked after, checked.
struct Asked {
    requirement: SignedRequirement,
    /// None: none was accepted.
    table: Option<Digest>,
    cancelled: Option<Cancellation>,
}

/// Answers what the coordinator asks after answers of this node, and keeps what it says to hold of them.
pub async fn check(
    node: &Node,
    caller: &Peer,
    request: wire::CheckStandingRequest,
) -> Result<Vec<wire::Envelope>, Invalid> {
    let wire::CheckStandingRequest { asked, holdings } = request;
    node.roster().check_current(node.clock.now())?;
    peers::check_trusted(node, caller)?;
    if asked.len() > STANDING_MAX {
        let detail = format!("{} where {STANDING_MAX} is the most", asked.len());
        return Err(Invalid::new(Reason::LimitExceeded, "asked", detail));
    }
    let asked = asked
        .into_iter()
        .enumerate()
        .map(|(at, asked)| open(node, asked).map_err(|error| error.within(format!("asked[{at}]"))));
    let asked = asked.collect::<Result<Vec<_>, _>>()?;
    let said = match holdings {
        None => None,
        Some(envelope) => Some((open_holdings(node, caller, &envelope)?, envelope)),
    };
    let notices = accord_proto::busy::here(|| tell(node, caller, &asked, said.as_ref()))?;
    node.store.settled().await?;
    Ok(notices)
}

fn open(node: &Node, asked: wire::AskedBefore) -> Result<Asked, Invalid> {
    let wire::AskedBefore { requirement, cancellation, table_sha256 } = asked;
    let requirement = requirement
        .ok_or_else(|| Invalid::new(Reason::FieldMissing, "requirement", "names none"))?;
    let requirement = SignedRequirement::open(requirement, &node.roster(), node.lists)?;
    answer::check_addressed(node, &requirement)?;
    let cancelled = cancellation
        .map(|cancellation| Cancellation::open(cancellation, &requirement, &node.roster()))
        .transpose()?;
    let table = match table_sha256.as_slice() {
        [] => None,
        bytes => Some(Digest::from_wire("table_sha256", bytes)?),
    };
    Ok(Asked { requirement, table, cancelled })
}

fn open_holdings(
    node: &Node,
    caller: &Peer,
    envelope: &wire::Envelope,
) -> Result<Holdings, Invalid> {
    let roster = node.roster();
    let centres = &roster.centres;
    let centre = centres.iter().find(|centre| centre.name == caller.identity.name);
    let holdings = Holdings::open(envelope, centre.map_or(&[], |centre| &centre.keys))?;
    if holdings.centre != caller.identity.name || holdings.node != *node.name() {
        let detail = "is another coordinator's, or about another node";
        return Err(Invalid::new(Reason::FieldInvalid, "holdings", detail));
    }
    Ok(holdings)
}

/// Signs what has to be told, and keeps it with what is held, in one change with its journal entry.
fn tell(
    node: &Node,
    caller: &Peer,
    asked: &[Asked],
    said: Option<&(Holdings, wire::Envelope)>,
) -> Result<Vec<wire::Envelope>, Invalid> {
    let held = node.held.read().unwrap_or_else(PoisonError::into_inner);
    // What takes long comes before the store is taken.
    let found = asked.iter().map(|Asked { requirement, table, .. }| {
        table.map_or(Ok(None), |table| standing(node, &held, requirement, table))
    });
    let found = found.collect::<Result<Vec<_>, _>>()?;
    let mut change = node.store.begin_taking_back()?;
    let (mut notices, mut subjects) = (Vec::new(), Vec::new());
    for (Asked { requirement, table, cancelled }, found) in asked.iter().zip(found) {
        let id = requirement.requirement().id;
        if let Some(cancelled) = cancelled
            && take_back(node, caller, &mut change, requirement, cancelled)?
        {
            subjects.push(format!("{id} cancelled"));
        }
        let Some(table) = table else { continue };
        let before = node.store.told(id, *table)?;
        let mut told = before.clone();
        if let Some(standing) = found {
            let known = before.notice.as_ref();
            let known = known.filter(|known| says(node, known, standing)).cloned();
            let notice = known.unwrap_or_else(|| {
                let notice = Notice {
                    node: node.name().clone(),
                    jurisdiction: node.jurisdiction,
                    requirement: id,
                    requirement_digest: requirement.digest(),
                    table_digest: *table,
                    standing,
                    consent_epoch: change.consent_epoch(),
                    at: node.clock.now(),
                };
                notice.sign(&node.seal_key())
            });
            notices.push(notice.clone());
            told = Told { notice: Some(notice), ..told };
        }
        if let Some((holdings, envelope)) = said
            && let Some(holding) = holdings
                .holdings
                .iter()
                .find(|of| of.requirement == id && of.table_digest == *table)
            && is_own(node, requirement, *table)?
        {
            let holding = holding.encode();
            if told.holding != holding {
                told = Told { holdings: Some(envelope.clone()), holding, ..told };
            }
        }
        if told != before {
            change.tell(id, *table, &told);
            subjects.push(id.to_string());
        }
    }
    if subjects.is_empty() {
        return Ok(notices);
    }
    let signed = notices.iter().map(|notice| notice.payload.as_slice());
    let digest = Digest::of_parts(signed);
    change.commit(Entry {
        at: node.clock.now(),
        act: Act::Disclosure,
        by: caller.identity.clone(),
        to: caller.identity.to_string(),
        why: "standing of answers".to_owned(),
        subject: subjects.join(","),
        digest,
    })?;
    Ok(notices)
}

/// Nobody has to decide any more on what its authority has taken back. False: nobody had to.
fn take_back(
    node: &Node,
    caller: &Peer,
    change: &mut Change<'_>,
    requirement: &SignedRequirement,
    cancelled: &Cancellation,
) -> Result<bool, Invalid> {
    let item = node.store.inbox_item(requirement.requirement().id, node.lists)?;
    let open = |item: &Item| {
        item.asked().digest == requirement.digest() && !item.state(node.clock.now()).is_final()
    };
    let Some(mut item) = item.filter(open) else { return Ok(false) };
    item.step(answer::step(node, caller, Step::Withdraw, cancelled.why()), &[])?;
    change.inbox(&item)?;
    Ok(true)
}

/// Did this node ever seal this table for this requirement? Of another one nothing is signed or kept.
fn is_own(node: &Node, requirement: &SignedRequirement, table: Digest) -> Result<bool, Invalid> {
    has_sealed(node, requirement.requirement().id, table)
}

/// Did this node ever seal this table for this requirement, as its receipts say?
pub(crate) fn has_sealed(
    node: &Node,
    requirement: RequirementId,
    table: Digest,
) -> Result<bool, Invalid> {
    let of = requirement.to_string();
    let wanted = |receipt: &Receipt| receipt.requirement == of && receipt.table == table.0;
    Ok(!node.store.receipts(None, wanted, 1)?.is_empty())
}

/// Was this said before in the same words?
fn says(node: &Node, notice: &wire::Envelope, standing: Standing) -> bool {
    Notice::open(notice, &node.seal_keys(), node.lists)
        .is_ok_and(|known| known.standing == standing)
}

/// What has become of a table that was accepted; none: it stands, or is none of this node's.
pub(crate) fn standing(
    node: &Node,
    held: &Held,
    requirement: &SignedRequirement,
    table: Digest,
) -> Result<Option<Standing>, Invalid> {
    let Some(released) = node.store.released(requirement.requirement().id)? else {
        return Ok(None);
    };
    if released.requirement_digest != requirement.digest().0 {
        return Ok(None);
    }
    let newest = SealedAnswer::reopen(&released.response, &node.seal_keys(), node.lists)?;
    let asked = requirement.requirement();
    let now = node.clock.now();
    let consented = consent::decide(asked, &held.grants, node.jurisdiction, node.lists, now)?;
    let rules = Rules { editions: &held.editions, policy: &node.policy, lists: node.lists };
    let given_as = released.given_as(node.lists)?;
    let narrowed = disclose::narrow((newest.table(), &given_as), &consented, rules);
    let left = narrowed.as_ref().map_or(newest.table(), |safe| safe.table());
    let stands = narrowed.is_none() && newest.seal().table_digest == table;
    if newest.seal().table_digest != table && !is_own(node, requirement, table)? {
        return Ok(None);
    }
    Ok((!stands).then(|| if shows(left) { Standing::Narrowed } else { Standing::Withdrawn }))
}

fn shows(table: &Table) -> bool {
    let cells = table.blocks.iter().flat_map(|block| &block.cells);
    cells.into_iter().any(|cell| match cell {
        Cell::Value(_) | Cell::Missing | Cell::Between(..) => true,
        Cell::NotShown | Cell::NotApplicable => false,
    })
}
