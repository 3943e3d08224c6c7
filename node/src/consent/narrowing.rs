//! What a person takes away from what is consented to, before anything is computed. Comes in: a decision. Goes out: the same
//! [`Consented`] with less. Must never add a cell, a tier, a name or an earlier day.

use accord_proto::{
    clock::Timestamp,
    table::Contribution,
    taxonomy::{Lists, Tier},
};

use super::{Consented, Release, answer_as};

/// What is left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Narrowing {
    /// Block by block, as in the question; a block that is not named is not left.
    pub blocks: Vec<BlockNarrowing>,
    /// Not before; none: as consented to.
    pub not_before: Option<Timestamp>,
    /// A person has to let it go, whatever the grants say.
    pub by_hand: bool,
}

/// What is left of a block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockNarrowing {
    /// Cells, in the order of the table; one that is not named is not left.
    pub cells: Vec<bool>,
    /// No finer than this; none: as consented to.
    pub tier: Option<Tier>,
    /// In the sum with others only.
    pub pooled: bool,
}

impl Consented {
    /// Leaves everything as it is: what a decision starts from.
    pub fn unnarrowed(&self) -> Narrowing {
        let of =
            |granted: &[bool]| BlockNarrowing { cells: granted.to_vec(), ..Default::default() };
        Narrowing { blocks: self.granted().map(of).collect(), ..Narrowing::default() }
    }

    /// With what a decision leaves of it.
    #[must_use]
    pub fn narrowed(mut self, narrowing: &Narrowing, lists: &Lists) -> Self {
        let nothing = BlockNarrowing::default();
        for (at, block) in self.blocks.iter_mut().enumerate() {
            let left = narrowing.blocks.get(at).unwrap_or(&nothing);
            let coarser = answer_as(block.audience, left.tier.unwrap_or(Tier::A), lists);
            for (at, granted) in block.granted.iter_mut().enumerate() {
                let stays = left.cells.get(at).is_some_and(|stays| *stays);
                *granted = *granted && stays && coarser.is_some();
            }
            block.audience = coarser.unwrap_or(block.audience);
            if left.pooled {
                block.contribution = Contribution::Pooled;
            }
        }
        self.not_before = self.not_before.max(narrowing.not_before);
        if narrowing.by_hand {
            self.release = Release::ByHand;
        }
        self
    }
}
