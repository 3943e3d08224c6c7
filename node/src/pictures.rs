//! Pictures that the coordinator delivers, to be read here with the centre down. Comes in: a file of evidence from the
//! coordinator. Goes out: a signed receipt, once the file would survive a power cut. Must never keep a picture that a
//! stranger could not verify, that does not name this node, or that puts words into its mouth.

use accord_proto::{
    delivery::{Head, PictureReceipt},
    journal::{Act, Entry, Outcome},
    reason::{Invalid, Reason},
    seal::{Digest, Envelope},
    taxonomy::Lists,
    transport::Peer,
    verify::Trust,
};
use tracing::{info, warn};

use crate::{
    answer::Node,
    peers,
    pinned::Pinned,
    seal::SealedAnswer,
    standing,
    store::{Change, Delivered},
};

pub(crate) mod check;
pub(crate) mod own;

use check::Checked;

/// Refuses a coordinator that hides its journal, before a byte of its file is read.
pub fn check_caller(node: &Node, caller: &Peer) -> Result<(), Invalid> {
    node.roster().check_current(node.clock.now())?;
    peers::check_proven(node, caller)
}

/// Takes in a file that came whole. The same one twice is one, and gets the same receipt.
pub async fn take_in(
    node: &Node,
    caller: &Peer,
    head: Head,
    file: &[u8],
) -> Result<Envelope, Invalid> {
    let kept = accord_proto::busy::here(|| keep(node, caller, head, file));
    // What was learnt must not be forgotten, in a refusal either.
    node.store.settled().await?;
    Ok(kept?.sign(&node.seal_key()))
}

/// Whom this node believes.
pub(crate) fn trust<'a>(pinned: &'a Pinned, lists: &'a Lists) -> Trust<'a> {
    Trust { roster: &pinned.signed, root: &pinned.root, lists }
}

fn keep(node: &Node, caller: &Peer, head: Head, file: &[u8]) -> Result<PictureReceipt, Invalid> {
    let pinned = node.pinned.get();
    let checked = check::check(file, &head, node.name(), trust(&pinned, node.lists))?;
    check_own(node, &head, &checked)?;
    let receipt = PictureReceipt {
        node: node.name().clone(),
        jurisdiction: node.jurisdiction,
        requirement: head.requirement,
        version: head.version,
        picture: checked.picture,
        evidence: head.evidence,
    };
    let mut change = node.store.begin_release()?;
    let held = node.store.delivered(head.requirement, Some(head.version))?;
    match &held {
        Some(held) if held.evidence == head.evidence.0 => return Ok(receipt),
        Some(held) if held.picture != checked.picture.0 => {
            return Err(contradicted(node, caller, change, &head, (held, &checked))?);
        }
        Some(_) => {
            let (_, before) = node.store.picture_file(head.requirement, head.version)?;
            check::check_only_adds(&before, file, trust(&pinned, node.lists))?;
        }
        None => {}
    }
    let of = |digest: Option<Digest>| digest.map_or_else(Vec::new, |digest| digest.0.to_vec());
    let delivered = Delivered {
        version: head.version,
        drawn_at_s: held.as_ref().map_or(head.drawn_at.as_s(), |held| held.drawn_at_s),
        received_at_s: held.as_ref().map_or(node.clock.now().as_s(), |held| held.received_at_s),
        picture: checked.picture.0.to_vec(),
        evidence: head.evidence.0.to_vec(),
        bytes: file.len() as u64,
        own_table: of(checked.own_table),
        members: checked.members,
        answered: checked.answered,
        notices: checked.notices,
        contradicted_by: held.map_or_else(Vec::new, |held| held.contradicted_by),
    };
    let gone = change.keep_picture(head.requirement, &delivered, file)?;
    let mut subject = subject(&head);
    if !gone.is_empty() {
        let gone: Vec<_> = gone.iter().map(ToString::to_string).collect();
        subject += &format!("; made room: version {}", gone.join(", "));
    }
    change.commit(entry(node, caller, (checked.why, subject), head.evidence))?;
    info!(requirement = %head.requirement, version = head.version, "picture taken in");
    Ok(receipt)
}

/// What is said to be this node's answer is one that it gave: whoever holds its key only may not speak for it at home.
fn check_own(node: &Node, head: &Head, checked: &Checked) -> Result<(), Invalid> {
    let Some(table) = checked.own_table else { return Ok(()) };
    let newest = node.store.released(head.requirement)?;
    let newest = newest.map(|released| {
        let reopened = SealedAnswer::reopen(&released.response, &node.seal_keys(), node.lists)?;
        Ok::<_, Invalid>(reopened.seal().table_digest)
    });
    if newest.transpose()? == Some(table) || standing::has_sealed(node, head.requirement, table)? {
        return Ok(());
    }
    let detail = format!("this node has never released the table {table}");
    let field = format!("picture.members ({})", node.name());
    Err(Invalid::new(Reason::PictureFalse, field, detail))
}

/// Two pictures under one number are put on record, each second one once; the one that is held stays.
fn contradicted(
    node: &Node,
    caller: &Peer,
    mut change: Change<'_>,
    head: &Head,
    (held, checked): (&Delivered, &Checked),
) -> Result<Invalid, Invalid> {
    let first = Digest::from_wire("store.picture", &held.picture)?;
    let second = checked.picture;
    let detail = format!("{second}, where {first} was delivered under this version before");
    if held.contradicted_by != second.0 {
        let noted = Delivered { contradicted_by: second.0.to_vec(), ..held.clone() };
        change.note_picture(head.requirement, &noted);
        let subject = format!("{}: {detail}", subject(head));
        let entry = entry(node, caller, (checked.why.clone(), subject), second);
        change.commit(entry.ended(Outcome::Refused))?;
        warn!(requirement = %head.requirement, version = head.version, "two pictures under one version");
    }
    Ok(Invalid::new(Reason::PictureFalse, "picture", detail))
}

fn subject(head: &Head) -> String {
    format!("picture {} version {}", head.requirement, head.version)
}

fn entry(node: &Node, caller: &Peer, (why, subject): (String, String), digest: Digest) -> Entry {
    Entry {
        at: node.clock.now(),
        act: Act::Collection,
        by: caller.identity.clone(),
        to: String::new(),
        why,
        subject,
        digest,
    }
}
