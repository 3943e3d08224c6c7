//! What to make of the state that a store was found in. Comes in: a store just opened. Goes out: an entry of its journal, where
//! nothing vouches for it. Must never take a store for the newest because nobody says otherwise.
//!
//! A store whose witness is gone may be an older copy. To refuse it would make the loss of a small file an outage, and a
//! backup older still the only way out; so it serves what costs nothing, and the journal says for ever that nothing
//! vouched for it. Whoever puts an older store in place cannot hide that by removing the witness.

use accord_proto::{
    clock::Timestamp,
    identity::Identity,
    journal::{Act, Entry},
    reason::Invalid,
};

use super::{Found, Store};

impl Store {
    /// Puts on record that a store has no witness. It may have forgotten charges, and is in doubt until somebody confirms it.
    pub fn note_found(&self, owner: &Identity, now: Timestamp) -> Result<(), Invalid> {
        match self.found() {
            Found::Whole | Found::New => return Ok(()),
            Found::Unwitnessed => {}
        }
        let mut change = self.begin()?;
        change.doubt();
        let (size, root) = (change.entry_sequence(), change.journal_root());
        change.commit(Entry {
            at: now,
            act: Act::Alteration,
            by: owner.clone(),
            to: String::new(),
            why: "no witness".to_owned(),
            subject: format!("the store was taken as it was found, with {size} journal entries"),
            digest: root,
        })
    }
}
