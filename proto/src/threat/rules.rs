//! The rules of a ranking: public parameters. Comes in: a JSON file, or one that was signed. Goes out: [`Rules`], known by the
//! SHA-256 of their one spelling. Must never let a rank rest on fewer than three jurisdictions, nor a median on fewer than
//! five (domain.md §2.10; DESIGN.md §7).

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::parameters::{canonical, document, heading, opened};
use crate::{
    reason::{Invalid, Reason},
    seal::{Digest, Kind, PublicKey, SecretKey},
    wire::{self, threat},
};

/// Fewest jurisdictions whose ranks are put together: with two, each knows the other's.
const RATERS_MIN: usize = 3;
/// Fewest behind a median: it is the figure of one or two of them.
const MEDIAN_OF_MIN: usize = 5;

/// What areas are ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Order {
    /// The figure of the region, the largest first: for an index, its mean.
    Figure,
    /// Borda points: the order of each jurisdiction counts the same, whatever its scale.
    Borda,
}

impl Order {
    /// Reads it.
    pub fn from_wire(field: &str, order: threat::OrderedBy) -> Result<Self, Invalid> {
        match order {
            threat::OrderedBy::Figure => Ok(Self::Figure),
            threat::OrderedBy::Borda => Ok(Self::Borda),
            threat::OrderedBy::Unspecified => {
                let detail = "say what areas are ordered by: the region's figure, or Borda points";
                Err(Invalid::new(Reason::FieldMissing, field, detail))
            }
        }
    }

    /// For the wire.
    pub fn to_wire(self) -> threat::OrderedBy {
        match self {
            Self::Figure => threat::OrderedBy::Figure,
            Self::Borda => threat::OrderedBy::Borda,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    version: String,
    title: String,
    citation: String,
    order: Order,
    /// Weights of jurisdictions are tried within so many per cent.
    weights_percent: u32,
    raters_min: usize,
    median_of_min: usize,
    /// Fewest that must be left when one is left out.
    left_min: usize,
}

/// Rules, checked.
#[derive(Clone, Debug)]
pub struct Rules {
    written: Written,
    digest: Digest,
}

static BUILTIN: LazyLock<[Rules; 2]> = LazyLock::new(|| {
    let read = |bytes: &[u8]| {
        #[expect(
            clippy::expect_used,
            reason = "compiled-in files, loaded by a test of this module"
        )]
        Rules::read("rules", bytes).expect("the rules in proto/codes are well-formed")
    };
    [
        read(include_bytes!("../../codes/methods/RANK-FIGURE.json")),
        read(include_bytes!("../../codes/methods/RANK-BORDA.json")),
    ]
});

impl Rules {
    /// The rules of this version of the contract.
    pub fn builtin(order: Order) -> &'static Self {
        let [figure, borda] = &*BUILTIN;
        match order {
            Order::Figure => figure,
            Order::Borda => borda,
        }
    }

    /// Reads a file, however its blanks lie.
    pub fn read(field: &str, bytes: &[u8]) -> Result<Self, Invalid> {
        let written: Written = document(field, bytes)?;
        let Written { id, version, title, citation, .. } = &written;
        heading(id, version, title, citation).map_err(|error| error.within(field))?;
        let wrong = |name: &str, detail: &str| {
            Err(Invalid::new(Reason::FieldInvalid, format!("{field}.{name}"), detail))
        };
        if written.weights_percent > 50 {
            return wrong("weights_percent", "must lie from 0 to 50");
        }
        if written.raters_min < RATERS_MIN || written.left_min < RATERS_MIN {
            return wrong(
                "raters_min",
                "it and left_min must be 3 or more: of two, each knows the other",
            );
        }
        if written.median_of_min < MEDIAN_OF_MIN {
            return wrong("median_of_min", "must be 5 or more: a median is somebody's own figure");
        }
        let digest = Digest::of(&canonical(&written));
        Ok(Self { written, digest })
    }

    /// Reads rules that their owner signed: one spelling only.
    pub fn open(
        envelope: &wire::Envelope,
        keys: &[PublicKey],
        field: &str,
    ) -> Result<Self, Invalid> {
        let again = |bytes: &[u8]| Ok(Self::read(field, bytes)?.bytes());
        Self::read(field, opened(envelope, keys, field, again)?)
    }

    /// Signs them.
    pub fn sign(&self, key: &SecretKey) -> wire::Envelope {
        key.sign(Kind::Method, self.bytes())
    }

    /// Their one spelling.
    pub fn bytes(&self) -> Vec<u8> {
        canonical(&self.written)
    }

    /// SHA-256 of their one spelling.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// What areas are ordered by.
    pub fn order(&self) -> Order {
        self.written.order
    }

    /// Weights of jurisdictions are tried within so many per cent.
    pub fn weights_percent(&self) -> u32 {
        self.written.weights_percent
    }

    pub(super) fn raters_min(&self) -> usize {
        self.written.raters_min
    }

    pub(super) fn median_of_min(&self) -> usize {
        self.written.median_of_min
    }

    pub(super) fn left_min(&self) -> usize {
        self.written.left_min
    }
}
