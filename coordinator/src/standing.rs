//! Do the answers that pictures rest on still stand? Comes in: everything that was accepted and is still valid. Goes out:
//! the members' notices, checked and kept beside the pictures. Must never draw a picture anew: what was published
//! stands as it was, marked.
//!
//! Nodes call nobody, so they are asked: at a steady pace, and whenever somebody wants to know.

use std::collections::BTreeMap;

use accord_proto::{
    id::RequirementId,
    identity::{Identity, Name},
    limits::{GATHER_CONCURRENCY_MAX, HELD_PICTURES_MAX, STANDING_MAX},
    question::SignedRequirement,
    reason::{Invalid, Reason},
    roster::Member,
    seal::Digest,
    standing::{Holding, Holdings, Notice},
    strict,
    wire::{self, region},
};
use futures_util::{StreamExt as _, stream};
use tracing::{info, warn};

use crate::{
    archive::{Archive, SignedNotice},
    survey::Coordinator,
};

/// Requirements that are read at once.
const PAGE: usize = 256;

/// What came of asking.
#[derive(Debug, Default)]
pub struct Asked {
    /// Members that could not be asked, with the reason.
    pub unreachable: Vec<(Name, Reason)>,
}

/// Pictures, by version and digest of what was signed.
type Versions = Vec<(u32, Digest)>;

/// An accepted answer that is asked after.
struct Accepted {
    requirement: SignedRequirement,
    cancellation: Option<wire::Envelope>,
    /// None: nothing was accepted, and it need not be answered any more.
    table: Option<Digest>,
    /// Version and digest of the pictures that rest on it.
    pictures: Versions,
}

/// Asks every member after every answer that is still valid, and keeps what it says.
pub async fn ask(coordinator: &Coordinator, by: &Identity) -> Result<Asked, Invalid> {
    let mut by_member = accepted(coordinator)?;
    let mut of = Vec::new();
    for member in &coordinator.roster().members {
        of.extend(by_member.remove(&member.node).map(|accepted| (member.clone(), accepted)));
    }
    let asking = of.into_iter().map(|(member, accepted)| async move {
        let outcome = ask_one(coordinator, by, &member, &accepted).await;
        (member, outcome)
    });
    let mut asked = Asked::default();
    let mut replies = stream::iter(asking).buffer_unordered(GATHER_CONCURRENCY_MAX);
    while let Some((member, outcome)) = replies.next().await {
        if let Err(error) = outcome {
            warn!(member = %member.node, reason = %error.reason, "cannot be asked whether its answers stand");
            asked.unreachable.push((member.node, error.reason));
        }
    }
    asked.unreachable.sort_by(|(a, _), (b, _)| a.cmp(b));
    coordinator.archive.settled().await?;
    Ok(asked)
}

/// By member, oldest requirement last.
fn accepted(coordinator: &Coordinator) -> Result<BTreeMap<Name, Vec<Accepted>>, Invalid> {
    let Coordinator { archive, lists, clock, .. } = coordinator;
    let roster = coordinator.roster();
    let now = clock.now();
    let (mut by_member, mut before) = (BTreeMap::<Name, Vec<Accepted>>::new(), None);
    loop {
        let page = archive.requirements(before, PAGE)?;
        let Some((last, _)) = page.last() else { return Ok(by_member) };
        before = Some(*last);
        for (id, envelope) in page {
            // An authority that has left the roster: nobody could check who has asked.
            let Ok(requirement) = SignedRequirement::open(envelope, &roster, lists) else {
                continue;
            };
            if requirement.requirement().valid_until <= now {
                continue;
            }
            let cancellation = archive.cancellation(id)?;
            let tables = tables(coordinator, id)?;
            let mut put = |node: &Name, table, pictures| {
                let (requirement, cancellation) = (requirement.clone(), cancellation.clone());
                let accepted = Accepted { requirement, cancellation, table, pictures };
                by_member.entry(node.clone()).or_default().push(accepted);
            };
            let silent = |node: &&Name| tables.keys().all(|(answered, _)| answered != *node);
            if cancellation.is_some() {
                let silent = requirement.requirement().members.iter().filter(silent);
                silent.for_each(|node| put(node, None, Vec::new()));
            }
            for ((node, table), pictures) in &tables {
                put(node, Some(*table), pictures.clone());
            }
        }
    }
}

async fn ask_one(
    coordinator: &Coordinator,
    by: &Identity,
    member: &Member,
    accepted: &[Accepted],
) -> Result<(), Invalid> {
    let caller = &coordinator.caller;
    let mut client = caller.reach(member).await?;
    for accepted in accepted.chunks(STANDING_MAX) {
        let asked = accepted.iter().map(|accepted| wire::AskedBefore {
            requirement: Some(accepted.requirement.envelope().clone()),
            cancellation: accepted.cancellation.clone(),
            table_sha256: accepted.table.map_or_else(Vec::new, |table| table.0.to_vec()),
        });
        let request = wire::CheckStandingRequest {
            asked: asked.collect(),
            holdings: Some(holdings(coordinator, member, accepted).sign(&coordinator.sign_key())),
        };
        let said = client.check_standing(request, caller.call_deadline).await?;
        let notices =
            said.into_iter().map(|envelope| check(coordinator, member, accepted, envelope));
        let notices = notices.collect::<Result<Vec<_>, _>>()?;
        if coordinator.archive.note(by, &notices, coordinator.clock.now())? {
            info!(member = %member.node, notices = notices.len(), "answers do not stand any more");
            notices.iter().for_each(|(of, _)| coordinator.deliveries.poke(of.requirement));
        }
    }
    Ok(())
}

/// A notice counts if the member has signed it, and it is about a table that was accepted and asked after.
fn check(
    coordinator: &Coordinator,
    member: &Member,
    accepted: &[Accepted],
    envelope: wire::Envelope,
) -> Result<SignedNotice, Invalid> {
    let notice = Notice::open(&envelope, &member.seal_keys, coordinator.lists)?;
    let about = |accepted: &Accepted| {
        accepted.requirement.requirement().id == notice.requirement
            && accepted.requirement.digest() == notice.requirement_digest
            && accepted.table == Some(notice.table_digest)
    };
    let own = notice.node == member.node && notice.jurisdiction == member.jurisdiction;
    if own && accepted.iter().any(about) {
        return Ok((notice, envelope));
    }
    let detail = "is about an answer that was not asked after";
    Err(Invalid::new(Reason::AnswerIdentity, "notice", detail))
}

/// What is held of a member's answers.
fn holdings(coordinator: &Coordinator, member: &Member, accepted: &[Accepted]) -> Holdings {
    let holding = |accepted: &Accepted| {
        Some(Holding {
            requirement: accepted.requirement.requirement().id,
            table_digest: accepted.table?,
            pictures: accepted.pictures.clone(),
        })
    };
    Holdings {
        centre: coordinator.caller.credentials.own().identity.name,
        node: member.node.clone(),
        at: coordinator.clock.now(),
        holdings: accepted.iter().filter_map(holding).collect(),
    }
}

/// Every table that was accepted for a requirement, by node: the newest, and those that pictures rest on, with the newest of
/// these pictures.
fn tables(
    coordinator: &Coordinator,
    requirement: RequirementId,
) -> Result<BTreeMap<(Name, Digest), Versions>, Invalid> {
    let archive = &coordinator.archive;
    let accepted = archive.accepted(requirement)?.into_iter();
    let mut tables: BTreeMap<_, Versions> = accepted.map(|table| (table, Vec::new())).collect();
    let newest = archive.newest_version(requirement)?.unwrap_or(0);
    for version in (1..=newest).rev() {
        let drawn = archive.picture(requirement, Some(version))?;
        let payload = drawn.envelope.unwrap_or_default().payload;
        let picture: region::Picture = strict::decode_signed("picture", &payload)?;
        let answered = picture.members.iter().filter(|member| !member.table_sha256.is_empty());
        for member in answered {
            let table = Digest::from_wire("picture.table_sha256", &member.table_sha256)?;
            let node = Name::parse("picture.node", &member.node)?;
            let pictures = tables.entry((node, table)).or_default();
            if pictures.len() < HELD_PICTURES_MAX {
                pictures.insert(0, (version, Digest::of(&payload)));
            }
        }
    }
    Ok(tables)
}

/// Does a picture rest on a table?
pub fn rests_on(picture: &[u8], table: Digest) -> Result<bool, Invalid> {
    let picture: region::Picture = strict::decode_signed("picture", picture)?;
    Ok(picture.members.iter().any(|member| member.table_sha256 == table.0))
}

/// The notices of a requirement that concern a picture of it.
pub fn concerning(
    archive: &Archive,
    requirement: RequirementId,
    picture: &[u8],
) -> Result<Vec<wire::Envelope>, Invalid> {
    let mut concerning = Vec::new();
    for envelope in archive.notices(requirement)? {
        let notice: wire::Notice = strict::decode_signed("notice", &envelope.payload)?;
        let table = Digest::from_wire("notice.table_sha256", &notice.table_sha256)?;
        if rests_on(picture, table)? {
            concerning.push(envelope);
        }
    }
    Ok(concerning)
}
