//! What is hidden in a cell. Comes in: members' parts of it. Goes out: who brings a figure that has to be hidden, and
//! whether these figures may be shown as one. Must never count what is public or may be seen with a name: everybody can
//! subtract it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use accord_proto::{
    regional::Contribution,
    rules::{Contributions, Rules, Unsafe},
    table::Cell,
};

use super::memory::{Contributor, Present};

/// One contributor's hidden figure.
#[derive(Clone, Copy, Default)]
pub(super) struct Part {
    /// In units of 10^-decimals of the indicator.
    pub(super) amount: i64,
    /// Its node has put noise on it.
    pub(super) noisy: bool,
    /// The edition it rests on.
    pub(super) edition: u32,
}

/// Hidden figures of a cell.
#[derive(Clone, Default)]
pub(super) struct Pool(pub(super) BTreeMap<Contributor, Part>);

impl fmt::Debug for Pool {
    /// Prints no figure.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pool(_)")
    }
}

impl Pool {
    /// Of a cell. What a node brings for several of its regions is one part.
    pub(super) fn of(cell: &[Contribution<'_>]) -> Self {
        let mut parts = BTreeMap::<Contributor, Part>::new();
        for part in cell.iter().filter(|part| part.is_hidden()) {
            if let Cell::Value(value) = part.cell {
                let of = parts.entry((part.jurisdiction, part.node.clone())).or_default();
                of.amount = of.amount.saturating_add(value);
                of.noisy |= part.standard_error_milli > 0;
                of.edition = part.edition;
            }
        }
        Self(parts)
    }

    /// Who is in it, from which editions.
    pub(super) fn present(&self) -> Present {
        self.0.iter().map(|(of, part)| (of.clone(), part.edition)).collect()
    }

    /// May these contributors' figures be shown as one? Nodes of one jurisdiction are one respondent.
    pub(super) fn check(&self, of: &BTreeSet<&Contributor>, rules: &Rules) -> Result<(), Unsafe> {
        let parts = self.0.iter().filter(|(contributor, _)| of.contains(contributor));
        let amounts = parts.map(|((jurisdiction, _), part)| (*jurisdiction, part.amount));
        rules.check(&Contributions::grouped(amounts, 0), false)
    }

    /// May the one in the middle be told of these and of others, `figures` in all?
    pub(super) fn check_middle(&self, figures: usize, rules: &Rules) -> Result<(), Unsafe> {
        let others = figures.saturating_sub(self.0.len());
        let enough = rules.units_min.max(behind_middle(others, rules.coalition));
        if self.0.len() as u64 >= enough { Ok(()) } else { Err(Unsafe::TooFewUnits) }
    }
}

/// Fewest hidden figures of which the one in the middle may be told beside `others`, which everybody has: above it and
/// below it lie more hidden figures than a coalition has, wherever the others lie. Then one of them is not the
/// coalition's; it may have traded places with any hidden figure, and be as far away as it likes.
pub(super) fn behind_middle(others: usize, coalition: usize) -> u64 {
    others as u64 + 2 * (coalition as u64 + 1) + 1
}
