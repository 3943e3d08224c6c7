//! Bulletins: what an attacker can work out from exact figures in fixed tables, and that nothing comes out where it
//! would be too much.

use std::time::Instant;

use accord_proto::suppress::{Choice, Cost, protect};
use accord_tests::attack::{
    intervals::{Build, Verdict, t5, t5_cornered},
    tables::hierarchical,
};

/// Seeds are numbers from zero; the one that fails is printed.
fn attacked(seeds: u64, attack: impl Fn(u64) -> Verdict, withstands: bool) -> Verdict {
    let mut all = Verdict::default();
    for seed in 0..seeds {
        let verdict = attack(seed);
        assert!(!withstands || verdict.broken == 0, "seed {seed}: {verdict:?}");
        all += verdict;
    }
    all
}

#[test]
fn no_hidden_figure_of_a_bulletin_can_be_worked_out_from_all_that_was_published() {
    let all = attacked(200, |seed| t5(seed, Build::Shipped).unwrap(), true);
    println!("{all:?}");
    assert!(all.published > 300 && all.attacked > 10_000, "an attack on little: {all:?}");
}

#[test]
fn a_bulletin_that_weaker_builds_publish_is_broken_by_the_same_attack() {
    for build in [Build::OnlyUnsafe, Build::NoInsiders, Build::ForgetsEarlier] {
        let all = attacked(20, |seed| t5(seed, build).unwrap(), false);
        println!("{build:?}: {all:?}");
        assert!(all.broken > 0, "{build:?} withstands: {all:?}");
    }
}

#[test]
fn a_bulletin_that_cannot_be_protected_any_more_does_not_come_out() {
    let all = attacked(100, |seed| t5_cornered(seed).unwrap(), true);
    println!("{all:?}");
    assert!(all.published > 5 && all.closed > 5, "always the same: {all:?}");
}

#[test]
fn a_bulletin_of_five_hundred_cells_is_protected_while_somebody_waits() {
    let tables = hierarchical(1, 500).unwrap();
    let begun = Instant::now();
    let pattern = protect(&tables.equations, &Choice { cost: Cost::Value, threshold: 0 }).unwrap();
    let took = begun.elapsed();
    let hidden = pattern.shown().iter().filter(|shown| !shown.is_published()).count();
    println!("{hidden} of {} cells hidden in {took:?}", tables.equations.cells().len());
    assert!(took.as_secs() < 20, "{took:?}");
}
