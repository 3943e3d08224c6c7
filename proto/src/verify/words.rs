//! What members say beside their tables: that they decline, and that an answer does not stand any more. Comes in: a line of
//! the picture, and notices. Goes out: what is proven of it by the member's own signature. That a member is pending, late,
//! unreachable or rejected is the coordinator's word.

use std::collections::BTreeMap;

use crate::{
    answer::Decline,
    identity::Name,
    question::SignedRequirement,
    reason::{Invalid, Reason},
    roster::{Member, Roster},
    seal::Digest,
    standing::{Notice, Standing},
    taxonomy::Lists,
    wire::{self, region},
};

/// Whoever is said to have declined has said so, and nobody else.
pub(super) fn check_decline(
    state: &region::MemberState,
    member: &Member,
    asked: &SignedRequirement,
    lists: &Lists,
) -> Result<(), Invalid> {
    let wrong = |detail: &str| Err(Invalid::new(Reason::PictureFalse, "decline", detail));
    match (&state.decline, state.state() == region::State::Declined) {
        (None, false) => Ok(()),
        (Some(decline), true) => {
            Decline::open(decline, member, asked, lists)?;
            Ok(())
        }
        (None, true) => wrong("is said to have declined, and has not signed that"),
        (Some(_), false) => wrong("has signed that it declines, and is not said to"),
    }
}

/// What each member has said last of the table that the picture rests on.
pub(super) fn open_notices(
    notices: &[wire::Envelope],
    tables: &BTreeMap<Name, Digest>,
    asked: &SignedRequirement,
    (roster, lists): (&Roster, &Lists),
) -> Result<BTreeMap<Name, Standing>, Invalid> {
    let mut newest = BTreeMap::<Name, Notice>::new();
    for (at, envelope) in notices.iter().enumerate() {
        let field = || format!("file.notices[{at}]");
        // Whose it is, its key says: what it says of itself is not believed before.
        let mut of_members = roster.members.iter();
        let opened = of_members.find_map(|member| {
            let notice = Notice::open(envelope, &member.seal_keys, lists).ok()?;
            (notice.node == member.node && notice.jurisdiction == member.jurisdiction)
                .then_some(notice)
        });
        let notice = opened.ok_or_else(|| {
            Invalid::new(Reason::AnswerSeal, field(), "is signed by none of the members, of itself")
        })?;
        let of = (notice.requirement, notice.requirement_digest);
        let about = of == (asked.requirement().id, asked.digest())
            && tables.get(&notice.node) == Some(&notice.table_digest);
        if !about {
            let detail = "is about no table that the picture rests on";
            return Err(Invalid::new(Reason::PictureFalse, field(), detail));
        }
        let said_before = newest.get(&notice.node);
        if said_before.is_none_or(|before| before.consent_epoch <= notice.consent_epoch) {
            newest.insert(notice.node.clone(), notice);
        }
    }
    Ok(newest.into_iter().map(|(node, notice)| (node, notice.standing)).collect())
}
