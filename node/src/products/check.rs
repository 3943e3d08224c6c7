//! What a delivered product must be to be kept: of a centre of the roster, of this node too, of its time, and without words that this
//! node has not said. Comes in: a chain that verifies. Goes out: nothing, or why it is refused. Must never take a signature of this
//! node for its word.

use accord_proto::{
    id::ProductId,
    identity::Name,
    limits::{CLOCK_SKEW_S, ROSTER_GRACE_S},
    product::{
        Content, Dossier, Said, Word,
        dossier::Taken,
        harvest::{Waiting, is_told_as},
        step::Deed,
    },
    reason::{Invalid, Reason},
    roster::Roster,
    seal::{Digest, Envelope},
    taxonomy::Lists,
    transport::Peer,
};
use tracing::warn;

use super::own_words;
use crate::{answer::Node, pinned::Pinned, store::Change};

/// New steps are not of a time that has not come, nor under a roster that was replaced before they were taken, unless every key of it
/// still stands in the one that counts: neither a date nor a key of the past makes a step today, and an owner that got the roster
/// late has lost nothing.
pub(super) fn check_time(
    node: &Node,
    pinned: &Pinned,
    (owner, new): (&Name, &[Taken]),
) -> Result<(), Invalid> {
    let latest = node.clock.now().plus_s(CLOCK_SKEW_S);
    let replaced = pinned.roster.issued_at.plus_s(ROSTER_GRACE_S);
    for taken in new {
        let step = &taken.step;
        if step.at > latest {
            let detail = format!("step {} says {}, which has not come", step.number, step.at);
            return Err(Invalid::new(Reason::ClockSkew, "step.at_s", detail));
        }
        let old = step.roster_version < pinned.roster.version && step.at > replaced;
        if old && !under_keys_of(&pinned.roster, owner, taken, node.lists) {
            let detail = format!(
                "step {} rests on the roster {}, and {} has been in force since {}",
                step.number, step.roster_version, pinned.roster.version, pinned.roster.issued_at
            );
            return Err(Invalid::new(Reason::RosterRollback, "step.roster_version", detail));
        }
    }
    Ok(())
}

/// Do the signature of a step, and those of all words in it, stand under keys of this roster?
fn under_keys_of(roster: &Roster, owner: &Name, taken: &Taken, lists: &Lists) -> bool {
    let own = |envelope: &&Envelope| {
        let word = Word::unchecked(envelope, lists);
        let member = word.ok().and_then(|word| roster.member(&word.node));
        member.is_some_and(|member| Word::open(envelope, member, lists).is_ok())
    };
    taken.is_signed_by(owner, roster) && words_of(&taken.step.deed).iter().all(own)
}

/// What is wrong with a file's roster is no trouble of this node's own.
pub(super) fn of_the_file(error: Invalid) -> Invalid {
    match error.reason == Reason::RosterInvalid {
        true => Invalid { reason: Reason::ProductFalse, ..error },
        false => error,
    }
}

/// It is the one that was announced, of a centre of the roster, and this node reviews it, or once did.
pub(super) fn check_ours(
    node: &Node,
    pinned: &Pinned,
    coming: &Dossier,
    id: ProductId,
) -> Result<(), Invalid> {
    let content = &coming.course().content;
    if content.product != id {
        let detail = format!("the file is of {}", content.product);
        return Err(Invalid::new(Reason::FieldInvalid, "head.product", detail));
    }
    if pinned.roster.centres.iter().all(|centre| centre.name != content.owner) {
        let detail = format!("{} is no centre of the roster", content.owner);
        return Err(Invalid::new(Reason::AnswerIdentity, "content.owner", detail));
    }
    if !names(content, node) && !once_named(coming, node) {
        let detail = format!("does not name {} among those who review it", node.name());
        return Err(Invalid::new(Reason::RequirementNotForMember, "content.members", detail));
    }
    Ok(())
}

fn names(content: &Content, node: &Node) -> bool {
    content.members.contains(node.name())
}

/// Whoever is not asked any more may still know what has become of it.
fn once_named(coming: &Dossier, node: &Node) -> bool {
    let mut drafts = coming.steps().iter().filter_map(|taken| {
        let Deed::Draft(draft) = &taken.step.deed else { return None };
        let text = draft.text.as_ref()?;
        Content::at_hand(text, node.lists).ok().map(|(content, _)| content)
    });
    drafts.any(|content| names(&content, node))
}

/// What is said to be this node's word was signed here: whoever holds its key only may not speak for it at home.
/// After a restore it has forgotten what it said last: words under its own key are taken over that were said before a releaser
/// confirmed the restore.
pub(super) fn check_own_words(
    node: &Node,
    change: &mut Change<'_>,
    (caller, coming): (&Peer, &Dossier),
    new: &[Taken],
) -> Result<(), Invalid> {
    let id = coming.product();
    for envelope in new.iter().flat_map(|taken| words_of(&taken.step.deed)) {
        let word = Word::unchecked(envelope, node.lists)?;
        let digest = Digest::of(&envelope.payload);
        if word.node != *node.name() || node.store.has_said(id, digest)? {
            continue;
        }
        // Also what it said before the restore was confirmed, and the centre had heard by then.
        if change.in_doubt() || word.at.as_s() <= change.doubt_ended_at_s() {
            change.keep_word(id, envelope, &caller.identity)?;
            warn!(product = %id, word = %digest, "a word of this node is taken over after a restore");
            continue;
        }
        let detail = format!("{} has never said {digest}", node.name());
        return Err(Invalid::new(Reason::ProductFalse, "word", detail));
    }
    let own = own_words(node, id)?;
    new.iter().try_for_each(|taken| check_unattributed(&taken.step.deed, &own))
}

/// A comment of this node that is told without its name says what it said.
fn check_unattributed(deed: &Deed, own: &[Waiting]) -> Result<(), Invalid> {
    let Deed::CloseRound(close) = deed else { return Ok(()) };
    for told in &close.unattributed {
        let found =
            own.iter().find(|(envelope, _)| Digest::of(&envelope.payload).0 == *told.word_sha256);
        let Some((_, word)) = found else { continue };
        let Said::Comment(comment) = &word.said else { continue };
        if !is_told_as(comment, told) {
            let detail = "a comment of this node is told with other words than it was made with";
            return Err(Invalid::new(Reason::ProductFalse, "unattributed", detail));
        }
    }
    Ok(())
}

/// Words that a step takes in with their signatures.
fn words_of(deed: &Deed) -> Vec<&Envelope> {
    match deed {
        Deed::CloseRound(close) => close.comments.iter().collect(),
        Deed::Close(close) => close.endorsements.iter().chain(&close.agreements).collect(),
        Deed::Hear(hear) => hear.words.iter().collect(),
        Deed::Draft(_)
        | Deed::Circulate(_)
        | Deed::Resolve(_)
        | Deed::Finalise(_)
        | Deed::Open(_)
        | Deed::Publish(_)
        | Deed::Correct(_)
        | Deed::Recall(_)
        | Deed::Archive(_) => Vec::new(),
    }
}
