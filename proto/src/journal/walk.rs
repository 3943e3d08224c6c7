//! Every entry once more, from the first to the last. Comes in: entries as they are stored or were exported, and
//! the head that they must come to. Goes out: that they do, or the first one that is wrong. Pure.
//!
//! An entry names its place and the root before it. So a changed entry shows at the next one, whose root is then
//! another; unless it is that very root that was changed. Which of the two it was is decided by what comes after:
//! were only the root changed, the entry with the right one leads on to all that follows.

use std::fmt;

use super::{Checkpoint, Frontier, Logged, Tree, inconsistent, leaf};
use crate::{reason::Invalid, seal::Digest};

/// A walk under way.
#[derive(Clone, Debug, Default)]
pub struct Walk {
    tree: Tree,
    /// Set between an entry whose root does not fit and the next one: the root that would follow if only that
    /// root was changed.
    doubted: Option<Digest>,
}

/// The first bad entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Which, from 0.
    pub index: u64,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "entry {} {}", self.index, self.what)
    }
}

impl Flaw {
    /// As a refusal that names the entry.
    pub fn refusal(self) -> Invalid {
        inconsistent(&format!("journal[{}]", self.index), self.to_string())
    }
}

const CHANGED: &str = "is changed";
const ROOT_CHANGED: &str = "is changed: the root before it is another";

impl Walk {
    /// The right edge over all entries so far.
    pub fn frontier(&self) -> &Frontier {
        self.tree.frontier()
    }

    /// The tree over all entries.
    pub fn into_tree(self) -> Tree {
        self.tree
    }

    /// The next entry: what it says, if it stands where it should.
    pub fn step(&mut self, entry: &[u8]) -> Result<Logged, Flaw> {
        let index = self.tree.size();
        let flaw = |index, what: &str| Flaw { index, what: what.to_owned() };
        let logged = Logged::decode(entry);
        if let Some(root) = self.doubted {
            // The entry before this one and the one before that contradict each other.
            return Err(match logged {
                Ok(logged) if logged.root_before == root => flaw(index - 1, ROOT_CHANGED),
                Ok(_) | Err(_) => flaw(index.saturating_sub(2), CHANGED),
            });
        }
        let logged = logged.map_err(|error| {
            flaw(index, &format!("cannot be read: {}: {}", error.field, error.detail))
        })?;
        if logged.sequence > index {
            return Err(flaw(index, "is missing"));
        }
        if logged.sequence < index {
            let what = format!("is not there; entry {} stands in its place", logged.sequence);
            return Err(flaw(index, &what));
        }
        if logged.root_before != self.frontier().root() {
            if index == 0 {
                return Err(flaw(0, ROOT_CHANGED));
            }
            let mut mended = self.frontier().clone();
            mended.append(&Logged { root_before: mended.root(), ..logged.clone() }.encode());
            self.doubted = Some(mended.root());
        }
        self.tree.append(leaf(entry));
        Ok(logged)
    }

    /// After the last entry: do they come to this size and root?
    pub fn finish(&self, head: &Checkpoint) -> Result<(), Flaw> {
        let (found, wanted) = (self.tree.size(), head.size);
        let flaw = |index, what: &str| Err(Flaw { index, what: what.to_owned() });
        if self.doubted.is_some_and(|root| found == wanted && root == head.root) {
            return flaw(found - 1, ROOT_CHANGED);
        }
        if self.doubted.is_some() {
            return flaw(found.saturating_sub(2), CHANGED);
        }
        if found < wanted {
            return flaw(found, "is missing");
        }
        if found > wanted {
            return flaw(wanted, "is one more than the journal has");
        }
        if self.frontier().root() != head.root {
            return flaw(found.saturating_sub(1), CHANGED);
        }
        Ok(())
    }
}
