//! Members on the wire: what each says of itself, and what the coordinator relies on. Comes in: a member of the roster. Goes out: its line. Must
//! never hand on a word of a node that no list knows.

use accord_proto::{
    expiry::Ending,
    limits::AXIS_MAX,
    reason::Reason,
    roster::Member,
    taxonomy::{Lists, Period},
    wire::{self as exchange, region as wire},
};

use crate::{gather::Caller, survey::Coordinator};

/// A member, and if wanted what may be asked of it.
pub(super) async fn entry(
    caller: Caller,
    member: Member,
    describe: bool,
    lists: &'static Lists,
) -> wire::MemberEntry {
    let mut entry = wire::MemberEntry {
        node: member.node.to_string(),
        jurisdiction: member.jurisdiction.to_string(),
        address: member.contact.address.clone(),
        ..wire::MemberEntry::default()
    };
    if describe {
        let described =
            async { caller.connect(&member).await?.describe(caller.call_deadline).await };
        match described.await {
            Ok(description) if readable(&description, lists) => {
                entry.description = Some(description)
            }
            Ok(_) => entry.unreachable = Reason::AnswerMalformed.code().to_owned(),
            Err(error) => entry.unreachable = error.reason.code().to_owned(),
        }
    }
    entry
}

/// What the coordinator relies on and comes to its end.
pub(super) fn endings(coordinator: &Coordinator) -> Vec<wire::Ending> {
    let (all, now) = (coordinator.endings.get(), coordinator.clock.now());
    let near = all.iter().filter(|ending| ending.stage(now).is_some());
    let near = near.map(|Ending { what, ends, .. }| (what.clone(), ends.as_s()));
    near.map(|(what, ends_at_s)| wire::Ending { what, ends_at_s }).collect()
}

/// A node's own words go to somebody's terminal: only codes and periods that exist, and not too many.
fn readable(description: &exchange::DescribeResponse, lists: &Lists) -> bool {
    let known = |term: &exchange::Term| lists.indicator("indicator", &term.indicator).is_ok();
    let period = |edition: &exchange::EditionRef| Period::parse("period", &edition.period).is_ok();
    description.terms.len() <= AXIS_MAX
        && description.editions.len() <= AXIS_MAX
        && description.terms.iter().all(known)
        && description.editions.iter().all(period)
}
