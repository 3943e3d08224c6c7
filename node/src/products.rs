//! Products at a node: the region's, which the coordinator delivers, and its own. Comes in: a file from the coordinator; a deed or a
//! word of national staff. Goes out: a signed receipt, a signed word, a signed step. Must never hold a chain that does not
//! continue the one that is held, one that puts words into this node's mouth, nor say anything of a text that nobody here has seen.

use accord_proto::{
    id::ProductId,
    journal::{Act, Entry, Outcome},
    limits::{LEFT_OUT_MAX, REPLY_BYTES_MAX},
    product::{
        Dossier, Receipt, Trust, Word,
        dossier::Taken,
        harvest::Waiting,
        line::{Entry as Listed, line},
        step::Deed,
    },
    reason::{Invalid, Reason},
    seal::Envelope,
    transport::Peer,
};
use prost::Message as _;
use tracing::{info, warn};

use crate::{
    answer::Node,
    notify::{Kind, Notice},
    pinned::Pinned,
    store::{Change, Line, Second},
};

mod check;
pub mod own;
pub mod say;
#[cfg(test)]
mod tests;

/// Whom a product is checked against.
fn trust<'a>(node: &Node, pinned: &'a Pinned) -> Trust<'a> {
    Trust { root: &pinned.root, lists: node.lists }
}

/// A product that is kept here.
pub fn kept(node: &Node, id: ProductId) -> Result<Dossier, Invalid> {
    find(node, id)?.ok_or_else(|| {
        Invalid::new(Reason::NotFound, "product", format!("there is no product {id} here"))
    })
}

fn find(node: &Node, id: ProductId) -> Result<Option<Dossier>, Invalid> {
    let pinned = node.pinned.get();
    node.store.product(id, trust(node, &pinned))
}

/// As much of a product as may be read now: of one's own all, of the region's what its moment has come for.
pub fn readable(node: &Node, id: ProductId) -> Result<Dossier, Invalid> {
    let dossier = kept(node, id)?;
    if dossier.course().content.owner == *node.name() {
        return Ok(dossier);
    }
    let count = dossier.readable(node.clock.now());
    if count == dossier.steps().len() {
        return Ok(dossier);
    }
    if count == 0 {
        let detail = "its moment has not come: everybody reads it at the same time";
        return Err(Invalid::new(Reason::ProductState, "product", detail));
    }
    let pinned = node.pinned.get();
    Dossier::open(&dossier.write_first(count), trust(node, &pinned))
}

/// Takes in a file that came whole. The same one twice is one, and so is the beginning of what is held.
pub async fn take_in(
    node: &Node,
    caller: &Peer,
    id: ProductId,
    file: &[u8],
) -> Result<Envelope, Invalid> {
    let kept = accord_proto::busy::here(|| keep(node, caller, id, file));
    // What was learnt must not be forgotten, in a refusal either.
    node.store.settled().await?;
    Ok(kept?.sign(&node.seal_key()))
}

fn keep(node: &Node, caller: &Peer, id: ProductId, file: &[u8]) -> Result<Receipt, Invalid> {
    let pinned = node.pinned.get();
    let coming = Dossier::open(file, trust(node, &pinned)).map_err(check::of_the_file)?;
    check::check_ours(node, &pinned, &coming, id)?;
    let mut change = node.store.begin_release()?;
    let held = find(node, id)?;
    if let Some(held) = &held {
        if held.check_continues(&coming).is_ok() {
            return receipt(node, held);
        }
        if let Err(error) = coming.check_continues(held) {
            return Err(forked(node, caller, change, (held, &coming), error)?);
        }
    }
    let known = held.as_ref().map_or(0, |held| held.steps().len());
    let new = coming.steps().get(known..).unwrap_or_default();
    let owner = &coming.course().content.owner;
    check::check_time(node, &pinned, (owner, new))?;
    check::check_own_words(node, &mut change, (caller, &coming), new)?;
    add(node, change, &coming, (new, None), entry(node, caller, Act::Collection, &coming))?;
    info!(product = %id, steps = coming.steps().len(), "product taken in");
    let receipt = receipt(node, &coming)?;
    tell(node, &coming, new);
    if !receipt.left_out.is_empty() {
        let id = id.to_string();
        node.notices.tell(Notice::of_product(Kind::ProductDisputed, id, node.clock.now()));
    }
    Ok(receipt)
}

/// Somebody should look: something was circulated, is to be endorsed, or was said of what is published.
fn tell(node: &Node, dossier: &Dossier, new: &[Taken]) {
    let telling = |taken: &Taken| {
        matches!(
            taken.step.deed,
            Deed::Circulate(_)
                | Deed::Open(_)
                | Deed::Publish(_)
                | Deed::Correct(_)
                | Deed::Recall(_)
        )
    };
    if new.iter().any(telling) {
        let deadline = dossier.course().window.map_or(node.clock.now(), |(_, closes)| closes);
        let id = dossier.product().to_string();
        node.notices.tell(Notice::of_product(Kind::Product, id, deadline));
    }
}

/// A second chain of one product is put on record once, with the step that parts from the one that is held: the owner has signed both,
/// and whoever has the two shows it. The chain that is held stays.
fn forked(
    node: &Node,
    caller: &Peer,
    mut change: Change<'_>,
    (held, coming): (&Dossier, &Dossier),
    error: Invalid,
) -> Result<Invalid, Invalid> {
    let id = held.product();
    let mut both = held.steps().iter().zip(coming.steps());
    let second = both.find(|(ours, theirs)| ours.digest() != theirs.digest());
    let line = node.store.product_line(id)?.unwrap_or_default();
    // Another owner's product under the same id says nothing of this one's.
    let same = held.course().content.owner == coming.course().content.owner;
    let Some((_, second)) = second.filter(|_| same && line.contradicted_by.is_empty()) else {
        return Ok(error);
    };
    let mut rosters = coming.rosters();
    let roster = rosters.find(|(_, roster)| roster.version == second.step.roster_version);
    let evidence = Second {
        step: Some(second.envelope.clone()),
        roster: roster.map(|(envelope, _)| envelope.clone()),
    };
    change.keep_second(id, &line, (&evidence, second.digest()))?;
    let entry = entry(node, caller, Act::Collection, coming);
    change.commit(entry.ended(Outcome::Refused))?;
    warn!(product = %id, "two chains of one product");
    node.notices.tell(Notice::of_product(Kind::ProductDisputed, id.to_string(), node.clock.now()));
    Ok(error)
}

/// The chain that was delivered beside the one that is held, up to where it parts from it: exact bytes of its file.
pub fn second(node: &Node, id: ProductId) -> Result<Vec<u8>, Invalid> {
    let none = || Invalid::new(Reason::NotFound, "product", format!("there is one chain of {id}"));
    let Second { step, roster } = node.store.second(id)?.ok_or_else(none)?;
    let (step, roster) = step.zip(roster).ok_or_else(none)?;
    kept(node, id)?.write_second(&step, &roster)
}

/// Keeps steps with their journal entry.
fn add(
    node: &Node,
    mut change: Change<'_>,
    dossier: &Dossier,
    (new, by): (&[Taken], Option<&Peer>),
    entry: Entry,
) -> Result<(), Invalid> {
    let id = dossier.product();
    let before = node.store.product_line(id)?;
    let now = node.clock.now().as_s();
    let line = Line {
        entry: Some(line(dossier)),
        received_at_s: before.as_ref().map_or(now, |line| line.received_at_s),
        readable_from_s: readable_from(dossier),
        ..before.unwrap_or_default()
    };
    change.keep_steps(dossier, new, (line, by.map(|by| &by.identity)))?;
    change.commit(entry)
}

/// From when on all of it may be read.
fn readable_from(dossier: &Dossier) -> i64 {
    if dossier.told() < dossier.steps().len() {
        // It ends in a text that nobody has circulated.
        return i64::MAX;
    }
    let moments = dossier.steps().iter().filter_map(|taken| taken.step.readable_from());
    moments.max().unwrap_or(i64::MIN)
}

/// Lines of products, newest first, each as it may be read now; and where the next page begins. One whose moment has not come is
/// left out.
pub fn list(
    node: &Node,
    before: Option<ProductId>,
    most: usize,
) -> Result<(Vec<Listed>, Option<ProductId>), Invalid> {
    let listed = node.store.product_lines(before, most)?;
    let next = listed.last().filter(|_| listed.len() == most).map(|(id, _)| *id);
    let now = node.clock.now().as_s();
    let mut entries = Vec::new();
    for (id, kept) in listed {
        let entry = kept.entry.unwrap_or_default();
        let whole = entry.owner == node.name().as_str() || now >= kept.readable_from_s;
        if whole {
            entries.push(entry);
            continue;
        }
        match readable(node, id) {
            Ok(dossier) => entries.push(line(&dossier)),
            Err(error) if error.reason == Reason::ProductState => {}
            Err(error) => return Err(error),
        }
    }
    Ok((entries, next))
}

fn entry(node: &Node, caller: &Peer, act: Act, dossier: &Dossier) -> Entry {
    Entry {
        at: node.clock.now(),
        act,
        by: caller.identity.clone(),
        to: String::new(),
        why: dossier.steps().last().map_or("", |last| last.step.name()).to_owned(),
        subject: format!("product {} step {}", dossier.product(), dossier.steps().len()),
        digest: dossier.head(),
    }
}

/// What is held, and what this node misses in it.
fn receipt(node: &Node, held: &Dossier) -> Result<Receipt, Invalid> {
    let own = own_words(node, held.product())?;
    let mut left_out: Vec<_> =
        held.course().left_out(&own).into_iter().map(|(_, word)| word.digest()).collect();
    left_out.sort_unstable();
    left_out.truncate(LEFT_OUT_MAX);
    Ok(Receipt {
        node: node.name().clone(),
        jurisdiction: node.jurisdiction,
        product: held.product(),
        steps: u32::try_from(held.steps().len()).unwrap_or(u32::MAX),
        head: held.head(),
        left_out,
    })
}

/// What this node has said of a product, opened.
pub fn own_words(node: &Node, id: ProductId) -> Result<Vec<Waiting>, Invalid> {
    let open = |envelope: Envelope| {
        let word = Word::unchecked(&envelope, node.lists)?;
        Ok((envelope, word))
    };
    node.store.own_words(id)?.into_iter().map(open).collect()
}

/// What this node has to say of the region's product, and no step that it holds has taken in: as much as belongs into what is
/// open, and what stands beside. Of its own products nobody is told anything.
pub fn waiting(node: &Node, id: ProductId) -> Result<Vec<Envelope>, Invalid> {
    let words = own_words(node, id)?;
    // Mostly there is nothing: then the chain is not opened.
    if words.is_empty() {
        return Ok(Vec::new());
    }
    let Some(dossier) = find(node, id)? else { return Ok(Vec::new()) };
    let course = dossier.course();
    if course.content.owner == *node.name() {
        return Ok(Vec::new());
    }
    let waits = |(_, word): &Waiting| course.waits(word);
    Ok(words.into_iter().filter(waits).map(|(envelope, _)| envelope).collect())
}

/// Words of one reply: as many as it holds. The others are given another time: these will have been taken in by then.
#[derive(Debug, Default)]
pub struct Reply {
    words: Vec<Envelope>,
    bytes: usize,
}

impl Reply {
    /// What is left for everything else.
    const BESIDE_BYTES: usize = 64 * 1024;

    /// Adds a word; false: there is no room for it.
    pub fn add(&mut self, word: Envelope) -> bool {
        // Tag and length in front of it.
        let bytes = self.bytes + word.encoded_len() + 16;
        let fits = bytes <= REPLY_BYTES_MAX - Self::BESIDE_BYTES;
        if fits {
            self.bytes = bytes;
            self.words.push(word);
        }
        fits
    }

    /// Those that fit.
    pub fn words(self) -> Vec<Envelope> {
        self.words
    }
}
