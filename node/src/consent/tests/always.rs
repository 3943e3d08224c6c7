//! What holds for every set of grants there can be: drawn by a seed, which a failure names.

use accord_proto::seal::Digest;

use super::*;

const ROUNDS: u64 = 400;

/// Dice of a seed.
struct Dice {
    seed: u64,
    thrown: u64,
}

impl Dice {
    /// A number below `most`.
    fn throw(&mut self, most: usize) -> usize {
        self.thrown += 1;
        let digest = Digest::of_parts([&self.seed.to_be_bytes()[..], &self.thrown.to_be_bytes()]);
        digest.0[0] as usize % most
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.throw(of.len())].clone()
    }

    fn some(&mut self, of: &[&str]) -> Vec<String> {
        let mut some: Vec<_> =
            of.iter().filter(|_| self.throw(2) == 0).map(|s| (*s).to_owned()).collect();
        if some.is_empty() {
            some.push(of[0].to_owned());
        }
        some
    }
}

const AREAS: [&str; 4] = ["DRG", "DRG.COC", "DRG.HER", "DRG.SYN"];
const PERIODS: [&str; 3] = ["", "2025", "2025-H1"];

fn permit(dice: &mut Dice) -> RawGrant {
    let all = dice.throw(3) == 0;
    let period = dice.pick(&PERIODS).to_owned();
    RawGrant {
        crime_areas: if all { vec![ALL.to_owned()] } else { dice.some(&AREAS) },
        region_levels: dice.pick(&[vec![0], vec![0, 1], vec![1], vec![0, 1, 2, 3]]),
        dimensions: dice.pick(&[Vec::new(), vec!["SEX".to_owned()], vec![ALL.to_owned()]]),
        first_period: period.clone(),
        last_period: period,
        precision: dice
            .pick(&["tier-a", "tier-a", "tier-b", "tier-c", "exact-open", "totals-only"])
            .to_owned(),
        contribution: dice.pick(&["pooled", "named"]).to_owned(),
        minimum_contributors: dice.pick(&[0, 0, 4, 6]),
        release: dice.pick(&["automatic", "by-hand"]).to_owned(),
        not_before_s: dice.pick(&[0, 0, NOW - 5, NOW + 5]),
        ..grant()
    }
}

fn forbid(dice: &mut Dice) -> RawGrant {
    let period = dice.pick(&PERIODS).to_owned();
    RawGrant {
        crime_areas: dice.some(&AREAS),
        region_levels: dice.pick(&[Vec::new(), vec![1], vec![2]]),
        dimensions: dice.pick(&[Vec::new(), vec!["SEX".to_owned()]]),
        first_period: period.clone(),
        last_period: period,
        ..rule()
    }
}

/// Something stricter in one respect.
fn less(of: &RawGrant, dice: &mut Dice) -> RawGrant {
    let mut less = of.clone();
    match dice.throw(9) {
        0 => {
            less.crime_areas = vec![if of.crime_areas == [ALL] {
                "DRG".to_owned()
            } else {
                of.crime_areas[0].clone()
            }]
        }
        1 => less.region_levels.truncate(1),
        2 => less.dimensions.clear(),
        3 => less.release = "by-hand".to_owned(),
        4 => less.contribution = "pooled".to_owned(),
        7 => less.minimum_contributors = of.minimum_contributors.max(5),
        5 => less.not_before_s = of.not_before_s.max(NOW + 7),
        6 if of.precision.starts_with("tier") => less.precision = "tier-c".to_owned(),
        _ => less.until_s -= DAY,
    }
    less
}

/// Grants with a history.
fn acts(dice: &mut Dice) -> Vec<Act> {
    let mut acts = Vec::new();
    let mut live: Vec<(u32, RawGrant)> = Vec::new();
    for number in 1..=u32::try_from(2 + dice.throw(5)).unwrap() {
        let raw = if dice.throw(5) == 0 { forbid(dice) } else { permit(dice) };
        if raw.effect == "permit" {
            live.push((number, raw.clone()));
        }
        acts.push(Give(number, raw));
        if !live.is_empty() && dice.throw(3) == 0 {
            let at = dice.throw(live.len());
            acts.push(taking(&mut live, at, dice));
        }
    }
    acts
}

/// One act that takes something back.
fn taking(live: &mut Vec<(u32, RawGrant)>, at: usize, dice: &mut Dice) -> Act {
    let (number, raw) = live[at].clone();
    match dice.throw(3) {
        0 => {
            live.remove(at);
            Withdraw(number)
        }
        1 => Suspend(number),
        _ => {
            let less = less(&raw, dice);
            live[at].1 = less.clone();
            Narrow(number, less)
        }
    }
}

fn asks() -> Vec<Ask<'static>> {
    let mut asks = Vec::new();
    for area in AREAS {
        for level in [0, 1, 3] {
            for period in ["2025", "2025-H1", "2025-H2"] {
                for categories in ["_T", "SEX=F"] {
                    asks.push(Ask { area, level, period, categories, ..TOTAL });
                }
            }
        }
    }
    asks
}

/// Is `b` no more than `a`, in any respect?
fn no_more(a: &Consented, b: &Consented) -> bool {
    let lists = Lists::builtin();
    let (was, is) = (&a.blocks()[0], &b.blocks()[0]);
    let granted = |block: &ConsentedBlock| block.granted.contains(&true);
    if !granted(is) {
        return true;
    }
    granted(was)
        && lists.tier(is.audience) >= lists.tier(was.audience)
        && is.open_only >= was.open_only
        && is.contribution >= was.contribution
        && is.minimum_contributors >= was.minimum_contributors
        && b.release() >= a.release()
        && b.not_before() >= a.not_before()
}

fn each_round(mut check: impl FnMut(&mut Dice, &[Act])) {
    for seed in 0..ROUNDS {
        let mut dice = Dice { seed, thrown: 0 };
        let acts = acts(&mut dice);
        check(&mut dice, &acts);
    }
}

#[test]
fn one_more_rule_that_forbids_never_shows_more() {
    let mut less = 0;
    each_round(|dice, acts| {
        let more = [acts, &[Give(99, forbid(dice))]].concat();
        let (before, after) = (after(acts), after(&more));
        for ask in asks() {
            let (a, b) = (ask.of(&before), ask.of(&after));
            assert!(no_more(&a, &b), "seed {}: {ask:?} after {more:#?}", dice.seed);
            less += usize::from(ask.decided(&before) != ask.decided(&after));
        }
    });
    assert!(less > 100, "{less} cells were forbidden");
}

#[test]
fn taking_back_or_narrowing_never_shows_more() {
    let mut less = 0;
    each_round(|dice, acts| {
        let known = after(acts);
        let permits = known.iter().filter(|grant| !grant.withdrawn());
        let permits = permits.filter(|grant| grant.to_raw().effect == "permit");
        let mut live: Vec<_> = permits
            .map(|grant| {
                let number = (1..99).find(|number| id(*number) == grant.id()).unwrap();
                (number, grant.to_raw())
            })
            .collect();
        if live.is_empty() {
            return;
        }
        let at = dice.throw(live.len());
        let more = [acts, &[taking(&mut live, at, dice)]].concat();
        let after = after(&more);
        for ask in asks() {
            let (a, b) = (ask.of(&known), ask.of(&after));
            assert!(no_more(&a, &b), "seed {}: {ask:?} after {more:#?}", dice.seed);
            less += usize::from(ask.decided(&known) != ask.decided(&after));
        }
    });
    assert!(less > 100, "{less} cells were taken back");
}

#[test]
fn the_order_of_grants_does_not_matter() {
    each_round(|dice, acts| {
        let grants = after(acts);
        let mut shuffled = grants.clone();
        for at in (1..shuffled.len()).rev() {
            shuffled.swap(at, dice.throw(at + 1));
        }
        for ask in asks() {
            let (a, b) = (ask.of(&grants), ask.of(&shuffled));
            assert_eq!(said(&a, now()), said(&b, now()), "seed {}: {ask:?}", dice.seed);
            assert_eq!(a.grants(), b.grants(), "seed {}", dice.seed);
        }
    });
}

#[test]
fn without_a_consent_in_force_nothing_is_granted() {
    each_round(|dice, acts| {
        let number = |act: &Act| match act {
            Give(number, raw) if raw.effect == "permit" => Some(*number),
            Give(..) | Narrow(..) | Suspend(_) | Resume(_) | Withdraw(_) => None,
        };
        let taken: Vec<_> = acts.iter().filter_map(number).map(Withdraw).collect();
        let grants = after(&[acts, &taken].concat());
        for ask in asks() {
            assert_eq!(ask.decided(&grants), "no", "seed {}: {ask:?}", dice.seed);
        }
    });
}
