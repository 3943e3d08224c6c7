//! How much others may see of a block. Comes in: the wire's number. Goes out: one of two words. Must never take what says
//! nothing for either.

use crate::{
    reason::{Invalid, Reason},
    wire,
};

/// What others may see of a jurisdiction's figures. The later is the stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contribution {
    /// With the jurisdiction's name.
    Named,
    /// In the sum with other jurisdictions only.
    Pooled,
}

impl Contribution {
    /// The wire's number for it.
    pub fn to_wire(self) -> wire::Contribution {
        match self {
            Self::Named => wire::Contribution::Named,
            Self::Pooled => wire::Contribution::Pooled,
        }
    }

    /// Reads the wire's number.
    pub fn from_wire(field: &str, number: i32) -> Result<Self, Invalid> {
        match wire::Contribution::try_from(number) {
            Ok(wire::Contribution::Named) => Ok(Self::Named),
            Ok(wire::Contribution::Pooled) => Ok(Self::Pooled),
            Ok(wire::Contribution::Unspecified) | Err(_) => {
                let detail = format!("{number} is neither pooled nor named");
                Err(Invalid::new(Reason::CodeUnknown, field, detail))
            }
        }
    }
}
