//! What a coordinator and this node show each other of their journals. Comes in: the coordinator's checkpoint, and
//! the newest one of this node that it keeps. Goes out: where this journal stands. Must never let pass that either of
//! them was rewritten, rolled back or told in two versions.
//!
//! The node keeps the coordinator's checkpoint. A coordinator that contradicts it is answered no more, until an
//! operator has looked into it. A node that learns that its own journal was longer once, or another, has lost
//! charges with it: it is in doubt, like a store that was restored.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use accord_proto::{
    client::{ShownJournals, StandingJournal},
    clock::Timestamp,
    identity::{Identity, Name, Place, Role},
    journal::{Act, Checkpoint, Entry, Outcome, Proof, origin, verify_consistency},
    limits::JOURNAL_SHOWN_S,
    reason::{Invalid, Reason},
    roster::Centre,
    seal::Digest,
    transport::Peer,
};
use tracing::warn;

use crate::{answer::Node, store::PeerJournal};

/// When each coordinator last proved that its journal continues what this node keeps of it. A restart forgets it, and
/// the next gather proves it again.
#[derive(Debug, Default)]
pub struct Proven(Mutex<BTreeMap<String, Timestamp>>);

impl Proven {
    fn note(&self, journal: String, at: Timestamp) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(journal, at);
    }

    fn is_recent(&self, journal: &str, now: Timestamp) -> bool {
        let proven = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        proven.get(journal).is_some_and(|at| *at <= now && now < at.plus_s(JOURNAL_SHOWN_S))
    }
}

/// Shows where this node's journal stands, and looks at what it was shown.
pub async fn exchange(
    node: &Node,
    caller: &Peer,
    shown: ShownJournals,
) -> Result<StandingJournal, Invalid> {
    let (own, keys) = (origin(&node.identity), node.seal_keys());
    let known = match shown.known.as_str() {
        "" => None,
        note => Some(Checkpoint::open("known", note, &own, &keys)?),
    };
    if let Some(known) = &known {
        check_own(node, caller, known, &shown.known)?;
    }
    let acknowledged = keep(node, caller, &shown);
    // A head that a power cut could take back must not be shown, nor what was learnt forgotten, in a refusal either.
    let standing = node.store.checkpoint(own);
    node.store.settled().await?;
    let acknowledged = acknowledged?;
    let proof = match known {
        Some(known) if known.size < standing.size => {
            node.store.consistency(known.size, standing.size)?
        }
        Some(_) | None => Proof::default(),
    };
    Ok(StandingJournal { note: standing.sign(&node.seal_key()), proof, acknowledged })
}

/// Is a checkpoint that this node signed once the beginning of what it holds?
fn check_own(node: &Node, caller: &Peer, known: &Checkpoint, note: &str) -> Result<(), Invalid> {
    let size = node.store.checkpoint(String::new()).size;
    if known.size <= size && node.store.root_at(known.size)? == known.root {
        return Ok(());
    }
    let mut change = node.store.begin_taking_back()?;
    if node.store.is_known_loss(&known.root)? {
        return Ok(());
    }
    warn!(
        known = known.size,
        found = size,
        "this journal was longer once, or another: charges may be forgotten"
    );
    change.doubt();
    change.note_loss(&known.root, note);
    let subject =
        format!("this journal, of {size} entries, does not lead to the {} it had", known.size);
    change.commit(note_of(node.clock.now(), &caller.identity, "rolled back", subject, known.root))
}

/// Keeps the coordinator's checkpoint if it continues the one before; the size of the one that is kept then.
fn keep(node: &Node, caller: &Peer, shown: &ShownJournals) -> Result<u64, Invalid> {
    let ShownJournals { own: note, own_from, own_proof, .. } = shown;
    let name = origin(&caller.identity);
    let before = node.store.peer_journal(&name)?;
    check_single(before.as_ref())?;
    let kept = before.as_ref().map_or(0, |before| before.head.size);
    if note.is_empty() {
        return Ok(kept);
    }
    let own = Checkpoint::open("own", note, &name, &centre_keys(node, &caller.identity))?;
    let new = PeerJournal { head: own.clone(), note: note.clone(), second: String::new() };
    let Some(known) = &before else {
        if !take(node, caller, None, new)? {
            return Ok(kept);
        }
        node.proven.note(name, node.clock.now());
        return Ok(own.size);
    };
    if own.size > kept && *own_from != kept {
        // It does not know yet what has to be proven.
        return Ok(kept);
    }
    if (own.size, own.root) == (kept, known.head.root) {
        // The very same, whatever it is proven from: another gather, or a call that came late, was quicker.
        node.proven.note(name, node.clock.now());
        return Ok(kept);
    }
    match verify_consistency(&known.head, &own, own_proof) {
        Ok(()) => {
            if own.size > kept && !take(node, caller, Some(known), new)? {
                return Ok(kept);
            }
            node.proven.note(name, node.clock.now());
            Ok(own.size)
        }
        Err(error) => {
            warn!(kept, shown = own.size, "the coordinator's journal does not continue");
            // A shorter one alone may have been overtaken on its way; two versions are proof.
            if own.size >= kept {
                let both = PeerJournal { second: note.clone(), ..known.clone() };
                take(node, caller, Some(known), both)?;
            }
            Err(error.within("own"))
        }
    }
}

/// Puts on record where the coordinator's journal stands, or that there are two of it. False: another call was quicker, and
/// nothing was.
fn take(
    node: &Node,
    caller: &Peer,
    before: Option<&PeerJournal>,
    new: PeerJournal,
) -> Result<bool, Invalid> {
    let mut change = node.store.begin_release()?;
    let PeerJournal { head: Checkpoint { origin, size, root }, second, .. } = &new;
    if node.store.peer_journal(origin)?.as_ref() != before {
        // The next one goes on from there.
        return Ok(false);
    }
    change.peer_journal(&new);
    let (why, outcome) = match second.as_str() {
        "" => ("checkpoint", Outcome::Done),
        _ => ("two versions", Outcome::Refused),
    };
    let subject = format!("journal of {origin} with {size} entries");
    let entry = note_of(node.clock.now(), &caller.identity, why, subject, *root);
    change.commit(Entry { act: Act::Collection, ..entry }.ended(outcome))?;
    Ok(true)
}

fn note_of(at: Timestamp, by: &Identity, why: &str, subject: String, digest: Digest) -> Entry {
    let (by, why, to) = (by.clone(), why.to_owned(), String::new());
    Entry { at, act: Act::Alteration, by, to, why, subject, digest }
}

/// Starts anew with what a coordinator shows next: somebody has looked into why it contradicts what is known.
pub fn accept(node: &Node, caller: &Peer, service: &str, why: &str) -> Result<(), Invalid> {
    let name = Name::parse("service", service)?;
    let centre = Identity {
        federation: node.identity.federation.clone(),
        place: Place::Region,
        name,
        role: Role::Coordinator,
    };
    let mut change = node.store.begin_taking_back()?;
    let known = node.store.peer_journal(&origin(&centre))?.ok_or_else(|| {
        let detail = format!("no journal of {service} is known");
        Invalid::new(Reason::NotFound, "service", detail)
    })?;
    let Checkpoint { origin, size, root } = known.head;
    change.forget_peer_journal(&origin);
    let why = format!("accept journal: {why}");
    let subject = format!("journal of {origin} with {size} entries is not relied on");
    change.commit(note_of(node.clock.now(), &caller.identity, &why, subject, root))
}

/// Refuses a coordinator that has not shown lately that its journal continues. One that shows none, an older one, or one
/// that it cannot prove has lost evidence or hides it.
pub fn check_proven(node: &Node, caller: &Peer) -> Result<(), Invalid> {
    check_trusted(node, caller)?;
    if node.proven.is_recent(&origin(&caller.identity), node.clock.now()) {
        return Ok(());
    }
    let detail = "show first that your journal continues what is known of it here (GetCheckpoint), and ask again";
    Err(Invalid::new(Reason::JournalNotShown, "own", detail))
}

/// Refuses a coordinator whose journal was shown in two versions.
pub fn check_trusted(node: &Node, caller: &Peer) -> Result<(), Invalid> {
    check_single(node.store.peer_journal(&origin(&caller.identity))?.as_ref())
}

fn check_single(journal: Option<&PeerJournal>) -> Result<(), Invalid> {
    if journal.is_none_or(|journal| journal.second.is_empty()) {
        return Ok(());
    }
    let detail = "your journal was shown here in two versions; nothing is answered until an operator here accepts it";
    Err(Invalid::new(Reason::JournalInconsistent, "own", detail))
}

fn centre_keys(node: &Node, caller: &Identity) -> Vec<accord_proto::seal::PublicKey> {
    let roster = node.roster();
    let centres = &roster.centres;
    let centre = centres.iter().find(|centre: &&Centre| centre.name == caller.name);
    centre.map_or(Vec::new(), |centre| centre.keys.clone())
}
