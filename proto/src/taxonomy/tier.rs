//! How wide an audience is. Comes in: the column `tier` of the list of audiences. Goes out: one of three.

use std::fmt;

/// Width of an audience. Whoever is in a wider one learns less; what a wider one gets is made from what a narrower
/// one gets, so that all of them together know no more than the narrowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Police to police.
    A,
    /// Wider partner bodies.
    B,
    /// The public.
    C,
}

impl Tier {
    /// From the narrowest.
    pub const ALL: [Self; 3] = [Self::A, Self::B, Self::C];

    /// Reads `A`, `B` or `C`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.as_str() == text)
    }

    /// Its letter.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
        }
    }

    /// 0 for the narrowest.
    pub fn at(self) -> usize {
        self as usize
    }

    /// This one and every narrower one, from the narrowest: who colludes at such a tier sees what this one gets.
    pub fn and_narrower(self) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |tier| *tier <= self)
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
