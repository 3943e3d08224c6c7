//! How much everybody may say of one product. Comes in: who says something, and how long it is. Goes out: the same counted, or a
//! refusal. Must never let one member fill a product, so that the others find no room in it.

use std::collections::BTreeMap;

use super::{Course, Speaker};
use crate::{
    identity::Name,
    limits::SAID_BYTES_MAX,
    product::{harvest::Waiting, word::Said},
    reason::Invalid,
    roster::bounded,
};

/// Bytes that everybody has said, endorsements apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Shares {
    members: BTreeMap<Name, usize>,
    /// Whose these are only the owner can count.
    unattributed: usize,
    observers: usize,
}

impl Course {
    /// What each of its members may say in all, endorsements apart; observers have the share of one together.
    pub fn share(&self) -> usize {
        SAID_BYTES_MAX / (self.content.members.len() + 1)
    }

    /// Counts what is said.
    pub(super) fn charge(&mut self, speaker: &Speaker, bytes: usize) -> Result<(), Invalid> {
        let share = self.share();
        let (held, most) = match speaker {
            Speaker::Member(node, _) => {
                (self.shares.members.entry(node.clone()).or_default(), share)
            }
            Speaker::Unattributed => (&mut self.shares.unattributed, SAID_BYTES_MAX),
            Speaker::Reader(_) => (&mut self.shares.observers, share),
        };
        *held = held.saturating_add(bytes);
        bounded("words.bytes", *held, most)
    }

    /// What may still be said in it, by everybody together.
    pub(in crate::product) fn unsaid(&self) -> usize {
        let Shares { members, unattributed, observers } = &self.shares;
        let said = members.values().sum::<usize>() + unattributed + observers;
        SAID_BYTES_MAX.saturating_sub(said)
    }

    /// What may still be said without an author.
    pub(in crate::product) fn unattributed_room(&self) -> usize {
        SAID_BYTES_MAX.saturating_sub(self.shares.unattributed)
    }

    /// What each of so many observers may still say.
    pub fn room_of_an_observer(&self, count: usize) -> usize {
        self.share().saturating_sub(self.shares.observers) / count.max(1)
    }

    /// What is left of the share of a member that has said this so far, whether it was taken in or waits.
    pub fn share_left(&self, own: &[Waiting]) -> usize {
        let counts = |(_, word): &&Waiting| {
            is_counted(&word.said)
                && (self.taken.contains(&word.digest())
                    || self.belongs(word)
                    || !matches!(word.said, Said::Comment(_)))
        };
        self.share().saturating_sub(bytes_of(own.iter().filter(counts)))
    }

    /// The same of what was taken in: as the product itself counts it, and, of what is not attributed, as far as its owner knows.
    pub(in crate::product) fn room_of(&self, node: &Name, waiting: &[Waiting]) -> usize {
        let taken = |(_, word): &&Waiting| {
            word.node == *node && is_counted(&word.said) && self.taken.contains(&word.digest())
        };
        let told = self.shares.members.get(node).copied().unwrap_or_default();
        self.share().saturating_sub(bytes_of(waiting.iter().filter(taken)).max(told))
    }
}

fn bytes_of<'a>(words: impl Iterator<Item = &'a Waiting>) -> usize {
    words.map(|(envelope, _)| envelope.payload.len()).sum()
}

/// Of endorsements only the last one stands, and everybody has one.
fn is_counted(said: &Said) -> bool {
    match said {
        Said::Comment(_) | Said::Feedback(..) | Said::Contribution(..) | Said::Report(_) => true,
        Said::Endorsement(..) | Said::AgreeToSilence => false,
    }
}
