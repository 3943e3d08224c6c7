//! Is the store whole? Comes in: its rooms, what its head says, and what the witness saw. Goes out: yes, or
//! what is wrong and how to go on. Must never let a panic of the database out, and never believe less than
//! was acknowledged.

use std::{cell::Cell, panic, sync::Once};

use accord_proto::{
    journal::{Checkpoint, Flaw, Tree, Walk},
    reason::{Invalid, Reason},
    seal::Digest,
};

use super::{
    Contents, Head, Kept, Room, State, Store, block, contents, failed, grants, inbox, journal,
    ledger, offers, pictures, products, schema, standing, summaries,
};

/// What to do with a damaged store.
const RECOVER: &str = "nothing of it is served; keep the folder for inquiry and restore the newest \
    backup into an empty one: accord-node restore FILE --data DIR";

pub(super) fn damaged(what: &str) -> Invalid {
    failed(&format!("damaged: {what}; {RECOVER}"))
}

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs what touches files that may be damaged; a panic of the database becomes a refusal.
///
/// sled asserts where it should return an error. Catching that is sound here: whatever was under way is
/// dropped with everything that it borrowed, nothing of it is used again, and the program ends with the
/// error. The panic is not printed: its text may hold what lies in the store.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, Invalid>) -> Result<T, Invalid> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let thread = std::thread::current();
            let database = thread.name().is_some_and(|name| name.starts_with("sled-"));
            if !database && !GUARDED.get() {
                before(info);
            }
        }));
    });
    GUARDED.set(true);
    let done = panic::catch_unwind(panic::AssertUnwindSafe(work));
    GUARDED.set(false);
    done.unwrap_or_else(|_| Err(damaged("the database cannot read its own files")))
}

/// Somebody has the store open.
pub(super) fn is_held(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(error) if error.to_string().contains("could not acquire lock"))
}

/// What the database says of its files. That somebody else holds them is no damage.
pub(super) fn unreadable(error: &sled::Error) -> Invalid {
    match error {
        held if is_held(held) => failed(&"another process has this store open; stop it first"),
        sled::Error::Io(_) => failed(error),
        sled::Error::CollectionNotFound(_)
        | sled::Error::Unsupported(_)
        | sled::Error::ReportableBug(_)
        | sled::Error::Corruption { .. } => damaged("the database cannot read its own files"),
    }
}

/// Every value of every room, and the journal from its first entry on; gives the tree over it.
pub(super) fn whole(rooms: &[Kept], head: &Head, seen: Option<State>) -> Result<Tree, Invalid> {
    not_older(head, seen)?;
    let mut sum = Contents::default();
    let mut walk = Walk::default();
    for room in Room::ALL {
        for entry in rooms[room.at()].scan(&[]) {
            let (key, value) = entry?;
            if !head.holds(room, &key) {
                continue;
            }
            if contents::counted(room, &key) {
                sum.put(room, &key, &value);
            }
            if room == Room::Journal {
                follow(&mut walk, &key, &value, seen)?;
            }
            readable(room, &value)
                .map_err(|error| damaged(&format!("{}: {}", room.name(), error.detail)))?;
        }
    }
    walk.finish(&Checkpoint::of("", &head.journal)).map_err(flawed)?;
    if sum != head.contents {
        return Err(damaged("something that was written is missing or changed"));
    }
    Ok(walk.into_tree())
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn flawed(flaw: Flaw) -> Invalid {
    damaged(&format!("the journal: {flaw}"))
}

impl Store {
    /// One number for all that lies here but the journal's entries from `journal_size` on: two stores that say
    /// the same hold the same.
    pub fn digest(&self, journal_size: u64) -> Result<String, Invalid> {
        let mut sum = Contents::default();
        for room in Room::ALL {
            for entry in self.scan(room, &[]) {
                let (key, value) = entry?;
                let later = room == Room::Journal && *key >= journal_size.to_be_bytes()[..];
                if contents::counted(room, &key) && !later {
                    sum.put(room, &key, &value);
                }
            }
        }
        Ok(Digest(sum.to_bytes()).to_string())
    }
}

/// The store must hold all that was acknowledged. Ahead of the witness it may be: what a crash cut off
/// from being acknowledged.
fn not_older(head: &Head, seen: Option<State>) -> Result<(), Invalid> {
    let Some(seen) = seen else { return Ok(()) };
    let found = head.state();
    if found.size < seen.size {
        let what = format!(
            "it is older than what it acknowledged: {} journal entries where {} were acknowledged",
            found.size, seen.size
        );
        return Err(damaged(&what));
    }
    let other = seen.contents.is_some() && seen.contents != found.contents;
    if found.size == seen.size && (found.root != seen.root || other) {
        return Err(damaged("it is not what was acknowledged last: same length, other content"));
    }
    Ok(())
}

/// The next entry of the journal.
fn follow(walk: &mut Walk, key: &[u8], entry: &[u8], seen: Option<State>) -> Result<(), Invalid> {
    let at = walk.frontier().size();
    if key != at.to_be_bytes() {
        return Err(flawed(Flaw { index: at, what: "is missing".to_owned() }));
    }
    walk.step(entry).map_err(flawed)?;
    match seen {
        Some(seen) if seen.size == at + 1 && seen.root != walk.frontier().root() => {
            Err(damaged("its journal is not the one that was acknowledged"))
        }
        _ => Ok(()),
    }
}

/// Can it be read back? What needs the code lists is read when the node loads it.
fn readable(room: Room, value: &[u8]) -> Result<(), Invalid> {
    match room {
        Room::Blocks | Room::Cells | Room::Shown | Room::Tables => block::unsealed(value).map(drop),
        Room::Imports => schema::decode::<schema::ImportSummary>(value).map(drop),
        Room::Quarantine => schema::decode::<schema::Quarantine>(value).map(drop),
        Room::Editions => schema::decode::<schema::Edition>(value).map(drop),
        Room::Grants => schema::decode::<grants::StoredVersion>(value).map(drop),
        Room::Answers => schema::decode::<schema::Released>(value).map(drop),
        Room::Summaries => schema::decode::<summaries::StoredVersion>(value).map(drop),
        Room::Signed => schema::decode::<offers::StoredSignature>(value).map(drop),
        Room::Inbox => schema::decode::<inbox::StoredItem>(value).map(drop),
        Room::Glass => schema::decode::<inbox::StoredGlass>(value).map(drop),
        Room::Receipts => schema::decode::<crate::receipt::Receipt>(value).map(drop),
        Room::Ledger => schema::decode::<ledger::StoredCharge>(value).map(drop),
        Room::Standing => schema::decode::<standing::Told>(value).map(drop),
        Room::Mappings => std::str::from_utf8(value)
            .map(drop)
            .map_err(|_| Invalid::new(Reason::StoreFailed, "store", "a mapping is no text")),
        Room::Peers => schema::decode::<journal::StoredPeer>(value).map(drop),
        Room::Pictures => schema::decode::<pictures::Delivered>(value).map(drop),
        Room::Products => schema::decode::<products::Line>(value).map(drop),
        Room::Steps => schema::decode::<products::StoredStep>(value).map(drop),
        Room::Words => schema::decode::<products::StoredWord>(value).map(drop),
        Room::Seconds => schema::decode::<products::Second>(value).map(drop),
        Room::Rosters => schema::decode::<accord_proto::seal::Envelope>(value).map(drop),
        Room::Meta | Room::Journal | Room::Files => Ok(()),
    }
}
