//! Insiders' attacks. Comes in: random federations over several rounds, drawn from a printed seed. Goes out: how closely members
//! who pool what they know can bound what another one hides. The attackers know their own figures, whatever is public,
//! who brought a figure from which edition, and everything ever shown; of the gate they know nothing. One file for each
//! kind of figure.

use std::collections::BTreeSet;

use super::*;

mod given_away;
mod median;
mod other_world;
mod sums;

/// Splitmix64: the same on every machine.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }

    pub(super) fn place(&mut self, bound: usize) -> usize {
        usize::try_from(self.below(bound as u64)).unwrap()
    }

    pub(super) fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }
}

/// Every set of so many of `all`.
fn sets(all: &BTreeSet<usize>, size: usize) -> Vec<BTreeSet<usize>> {
    let mut sets = BTreeSet::from([BTreeSet::new()]);
    for _ in 0..size {
        let with = |set: &BTreeSet<usize>| {
            let set = set.clone();
            let others = all.iter().filter(|one| !set.contains(*one)).copied().collect::<Vec<_>>();
            others.into_iter().map(move |one| set.iter().copied().chain([one]).collect())
        };
        sets = sets.iter().flat_map(with).collect();
    }
    sets.into_iter().collect()
}

/// What a node says of a cell in a round.
pub(super) struct Says {
    pub(super) key: RegionalKey,
    pub(super) node: Name,
    pub(super) jurisdiction: JurisdictionCode,
    pub(super) mode: Mode,
    pub(super) consent: Consent,
    pub(super) cell: Cell,
    pub(super) standard_error_milli: u64,
    pub(super) edition: u32,
}

/// Judges a round by the gate with its shipped p, for coalitions of this size, and remembers what is shown.
pub(super) fn publish(said: &[Says], coalition: usize, before: &mut PooledBefore) -> Verdicts {
    let lists = Lists::builtin();
    let mut cells = Cells::new();
    for Says { key, node, jurisdiction, mode, consent, cell, standard_error_milli, edition } in said
    {
        cells.entry(*key).or_default().push(Contribution {
            node,
            jurisdiction: *jurisdiction,
            mode: *mode,
            region: lists.regions_of(*jurisdiction, 0)[0],
            consent: *consent,
            minimum: 0,
            cell: *cell,
            standard_error_milli: *standard_error_milli,
            edition: *edition,
        });
    }
    let policy = GatePolicy::parse(&format!("coalition = {coalition}")).unwrap();
    let verdicts = Gate { rules: policy.rules(3), before, lists }.judge(&cells);
    for (key, now) in pooled(&verdicts) {
        before.insert(*key, now.clone());
    }
    verdicts
}
