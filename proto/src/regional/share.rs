//! Members' own figures that may stand under their name. Comes in: the parts of a regional cell. Goes out: those whose member
//! consented to *named*. Must never hold a part that is pooled, and never tell of one that there is one.

use super::{Contribution, Precision};
use crate::{
    table::{Cell, Contribution as Consent, Mode},
    wire::region,
};

/// A member's own figure, for everybody who sees the picture. Made by [`Share::of`] only.
#[derive(Clone, Debug, PartialEq)]
pub struct Share(region::Share);

impl Share {
    /// The parts that may stand under their member's name, in the order of members and their regions.
    pub fn of(cell: &[Contribution<'_>]) -> Vec<Self> {
        // A figure that is not public stays out even where its member would let it stand: beside pools of the same or of
        // overlapping cells it could give others' figures away.
        let public = |part: &&Contribution<'_>| part.mode == Mode::Open;
        let named = cell.iter().filter(|part| part.consent == Consent::Named).filter(public);
        named.map(|part| Self(write(part))).collect()
    }

    /// As it is signed.
    pub fn to_wire(&self) -> region::Share {
        self.0.clone()
    }
}

fn write(part: &Contribution<'_>) -> region::Share {
    let (status, value, upper) = match part.cell {
        Cell::Value(value) => (region::ShareStatus::Value, value, 0),
        Cell::Between(least, most) => (region::ShareStatus::Between, least, most),
        Cell::Missing => (region::ShareStatus::Missing, 0, 0),
        Cell::NotShown => (region::ShareStatus::NotShown, 0, 0),
        Cell::NotApplicable => (region::ShareStatus::NotApplicable, 0, 0),
    };
    let precision = part.precision();
    region::Share {
        node: part.node.to_string(),
        jurisdiction: part.jurisdiction.to_string(),
        region: part.region.to_string(),
        status: status.into(),
        value,
        upper,
        standard_error_milli: precision.map_or(0, |_| part.standard_error_milli),
        precision: precision.map_or(region::Precision::Unspecified, Precision::to_wire).into(),
    }
}
