//! Is the victim in there? Twin worlds that differ in one protected unit, told apart by an attacker who knows
//! everything else. Comes in: a service and a seed. Goes out: how well it went.
//!
//! Every year of a world is a repetition of the same experiment: a coin says whether the victim is in it.

use anyhow::{Context as _, Result};

use super::{
    Allowed, Measure, Outcome,
    cells::Lattice,
    estimate::{Guesses, advantage, chance_at_least, discrete_advantage, figure, float},
    oracle::{Audience, Held, Oracle, Service, hold},
    reference::mix,
};

/// Units in a leaf that everybody is shown.
const MANY: i64 = 80;
/// Restricted units beside them.
const RESTRICTED: i64 = 7;

fn coin(seed: u64, year: usize, which: u64) -> bool {
    mix(&[seed, u64::try_from(year).unwrap_or(0), which]).is_multiple_of(2)
}

fn guessed(what: &'static str, guesses: Guesses, most: f64) -> Measure {
    let (measured, error) = guesses.advantage();
    Measure { what, measured, error, allowed: Allowed::AtMost(most), trials: guesses.trials() }
}

/// Figures of cells, of which every one is shown.
fn all_shown(oracle: &mut dyn Oracle, audience: Audience, cells: &[usize]) -> Result<Vec<f64>> {
    let figures = oracle.ask(audience, cells)?.into_iter().map(|value| value.map(figure));
    figures.collect::<Option<_>>().context("a large figure is not shown")
}

/// Worlds in which a coin decides for every year whether a victim is there.
struct Twins {
    lattice: Lattice,
    /// What is held.
    counts: Vec<i64>,
    /// What the attacker knows: everything but the first victim.
    known: Vec<i64>,
    bits: Vec<[bool; 2]>,
    /// A leaf among many.
    victim: usize,
    /// A leaf, and the quarter that contains it; the second victim is what else may be in there.
    pair: [usize; 2],
}

impl Twins {
    fn new(seed: u64, years: u16) -> Result<Self> {
        let lattice = Lattice::years("AL", &[0, 2], 1960, years)?;
        let leaves = lattice.first_leaves();
        let victim = *leaves.first().context("no leaves")?;
        let [.., lonely, beside, third, _, _, _, _, _, _, _, _, _] = leaves[..] else {
            anyhow::bail!("no year");
        };
        let quarter = lattice.cells.iter().position(|cell| cell.leaves == [lonely, beside, third]);
        let alone =
            |leaf: &usize| lattice.cells[*leaf].place.region == lattice.cells[lonely].place.region;
        let mut known: Vec<_> =
            (0..lattice.leaves).map(|leaf| if alone(&leaf) { 0 } else { MANY }).collect();
        let mut counts = known.clone();
        let places = lattice.repeated(&[victim, lonely, beside]);
        let bits: Vec<_> =
            (0..places.len()).map(|at| [coin(seed, at, 0), coin(seed, at, 1)]).collect();
        for (place, bits) in places.iter().zip(&bits) {
            (known[place[1]], counts[place[1]]) = (MANY, MANY);
            counts[place[0]] += i64::from(bits[0]);
            counts[place[2]] += i64::from(bits[1]);
            known[place[2]] += i64::from(bits[1]);
        }
        let pair = [lonely, quarter.context("no quarter")?];
        Ok(Self { lattice, counts, known, bits, victim, pair })
    }

    fn expected(&self, cell: usize) -> f64 {
        figure(self.lattice.counted(cell, &self.known))
    }
}

/// T1, differencing. One victim in a full leaf, and one beside a leaf that is alone in its quarter: there a cell
/// and the one that contains it hold the same records unless the victim is there.
pub fn t1(seed: u64, service: &dyn Service, years: u16) -> Result<Outcome> {
    let twins = Twins::new(seed, years)?;
    let Twins { lattice, victim, .. } = &twins;
    let mut oracle = service.open(lattice, &hold(&twins.counts), seed)?;
    let above = lattice.above(*victim);
    let (mut best, mut every_tier) = (Guesses::default(), Guesses::default());
    let (mut difference, mut equal) = (Guesses::default(), Guesses::default());
    let family = lattice.families().into_iter().filter(|(_, parts)| parts.contains(victim));
    let (parent, parts) = family.min_by_key(|(_, parts)| parts.len()).context("no family")?;
    let family: Vec<_> = [parent].into_iter().chain(parts).collect();
    let asked = lattice.repeated(&above).into_iter().zip(lattice.repeated(&family));
    let rows = asked.zip(lattice.repeated(&twins.pair)).zip(&twins.bits);
    for (((cells, family), pair), bits) in rows {
        let half = float(cells.len()) / 2.0;
        let mut offs = [0.0; 3];
        for (audience, off) in Audience::ALL.into_iter().zip(&mut offs) {
            let figures = all_shown(oracle.as_mut(), audience, &cells)?;
            *off =
                figures.iter().zip(&cells).map(|(value, cell)| value - twins.expected(*cell)).sum();
        }
        best.add(bits[0], offs[0] > half);
        let weights = Audience::ALL.map(|audience| 1.0 / audience.tier().variance);
        let sum: f64 = offs.iter().zip(weights).map(|(off, weight)| off * weight).sum();
        every_tier.add(bits[0], sum > half * weights.iter().sum::<f64>());
        let figures = all_shown(oracle.as_mut(), Audience::Police, &family)?;
        // The victim's own leaf is left out: it is what is looked for.
        let others =
            family.iter().zip(&figures).skip(1).map(|(cell, value)| {
                if cells.contains(cell) { twins.expected(*cell) } else { *value }
            });
        difference.add(bits[0], figures[0] - others.sum::<f64>() > 0.5);
        let pair = all_shown(oracle.as_mut(), Audience::Police, &pair)?;
        equal.add(bits[1], (pair[0] - pair[1]).abs() > 0.5);
    }
    let variance = Audience::Police.tier().variance;
    let most = discrete_advantage(above.len(), variance)
        .max(advantage(float(above.len()).sqrt(), variance));
    Ok(Outcome {
        attack: "T1 differencing",
        seed,
        measures: vec![
            guessed("everything known but the victim", best, most),
            guessed("every tier together", every_tier, most),
            guessed("parent less its parts", difference, most),
            guessed("equal figures", equal, most),
            differences(oracle.as_mut(), lattice, &twins.counts)?,
        ],
    })
}

/// Variance of a cell less its parts, over what independent noise gives.
fn differences(oracle: &mut dyn Oracle, lattice: &Lattice, counts: &[i64]) -> Result<Measure> {
    let variance = Audience::Police.tier().variance;
    let mut of_years = Vec::new();
    let families: Vec<Vec<usize>> = lattice
        .families()
        .into_iter()
        .map(|(parent, parts)| [parent].into_iter().chain(parts).collect())
        .collect();
    let mut sums = vec![(0.0, 0.0); lattice.years.len()];
    for family in families {
        for (cells, (sum, count)) in lattice.repeated(&family).into_iter().zip(&mut sums) {
            let figures = oracle.ask(Audience::Police, &cells)?;
            let off = |(value, cell): (Option<i64>, &usize)| {
                value.map(|value| figure(value - lattice.counted(*cell, counts)))
            };
            let Some(offs) = figures.into_iter().zip(&cells).map(off).collect::<Option<Vec<_>>>()
            else {
                continue;
            };
            let left = offs[0] - offs.iter().skip(1).sum::<f64>();
            *sum += left * left / (float(offs.len()) * variance);
            *count += 1.0;
        }
    }
    of_years.extend(sums.iter().filter(|(_, count)| *count > 0.0).map(|(sum, count)| sum / count));
    Ok(Measure::mean("variance of a cell less its parts", &of_years, Allowed::AtLeast(0.95)))
}

/// T11, what is shown and what is not. Leaves just below the floor, at the floor, and around the threshold.
pub fn t11(seed: u64, service: &dyn Service, years: u16) -> Result<Outcome> {
    let lattice = Lattice::years("AL", &[0, 3], 1960, years)?;
    let audience = Audience::ALL[usize::try_from(seed % 3)?];
    let tier = audience.tier();
    let around = [tier.threshold - 2, tier.threshold, tier.threshold + 2];
    // Most leaves at the floor: what happens there is rare.
    let kinds =
        [tier.floor - 1, tier.floor, tier.floor, tier.floor, around[0], around[1], around[2]];
    let counts: Vec<_> = (0..lattice.leaves).map(|leaf| kinds[leaf % kinds.len()]).collect();
    let mut oracle = service.open(&lattice, &hold(&counts), seed)?;
    let leaves: Vec<_> = (0..lattice.leaves).collect();
    let shown = oracle.ask(audience, &leaves)?;
    let of = |count: i64| {
        let leaves = shown.iter().zip(&counts).filter(move |(_, of)| **of == count);
        leaves.fold((0, 0), |(times, all), (value, _)| {
            (times + usize::from(value.is_some()), all + 1)
        })
    };
    let (below, at) = (of(tier.floor - 1), of(tier.floor));
    let mut curve = (0.0, 0.0, 0.0);
    for count in around {
        let (times, all) = of(count);
        let chance = chance_at_least(tier.threshold - count, tier.variance);
        curve.0 += float(times) - float(all) * chance;
        curve.1 += float(all) * chance * (1.0 - chance);
        curve.2 += float(all);
    }
    let (off, error) = (curve.0 / curve.2, curve.1.sqrt() / curve.2);
    let trials = around.iter().map(|count| of(*count).1).sum();
    let curve = |what, allowed| Measure { what, measured: off, error, allowed, trials };
    Ok(Outcome {
        attack: "T11 what is shown",
        seed,
        measures: vec![
            Measure::never("shown below the floor", below.0, below.1),
            Measure::rare("shown at the floor", at.0, at.1, 1e-4),
            curve("shown oftener than the noise says", Allowed::AtMost(0.0)),
            curve("shown less often than the noise says", Allowed::AtLeast(0.0)),
        ],
    })
}

/// T23, a whole group in one category. All units of a region are in one month, or all but the victim.
pub fn t23(seed: u64, service: &dyn Service, years: u16) -> Result<Outcome> {
    let lattice = Lattice::years("AL", &[0, 2], 1960, years)?;
    let leaves = lattice.first_leaves();
    let (full, other) = (leaves[0], leaves[1]);
    let beside =
        |leaf: &usize| lattice.cells[*leaf].place.region != lattice.cells[full].place.region;
    let mut counts: Vec<_> =
        (0..lattice.leaves).map(|leaf| if beside(&leaf) { MANY } else { 0 }).collect();
    let places = lattice.repeated(&[full, other]);
    let mut known = counts.clone();
    let bits: Vec<_> = (0..places.len()).map(|at| coin(seed, at, 0)).collect();
    for (place, bit) in places.iter().zip(&bits) {
        known[place[0]] = MANY;
        counts[place[0]] = MANY - i64::from(*bit);
        counts[place[1]] = i64::from(*bit);
    }
    let mut oracle = service.open(&lattice, &hold(&counts), seed)?;
    let empty: Vec<_> = (0..lattice.leaves).filter(|leaf| counts[*leaf] == 0).collect();
    let zeros = oracle.ask(Audience::Police, &empty)?;
    let zeros = zeros.iter().filter(|value| **value == Some(0)).count();
    // What changes: the two months, for the region and for the whole.
    let changing = |leaf: usize| {
        let mut cells = lattice.above(leaf);
        let period = &lattice.cells[leaf].place.period;
        cells.retain(|cell| lattice.cells[*cell].place.period == *period);
        cells
    };
    let (less, more) = (changing(full), changing(other));
    let (mut guesses, mut by_zero) = (Guesses::default(), Guesses::default());
    let rows = lattice.repeated(&less).into_iter().zip(lattice.repeated(&more));
    for ((less, more), bit) in rows.zip(&bits) {
        let mut off = |cells: &[usize]| -> Result<f64> {
            let figures = oracle.ask(Audience::Police, cells)?;
            let off = |(value, cell): (Option<i64>, &usize)| {
                value.map_or(0.0, |value| figure(value - lattice.counted(*cell, &known)))
            };
            Ok(figures.into_iter().zip(cells).map(off).sum())
        };
        let half = float(less.len() + more.len()) / 2.0;
        guesses.add(*bit, off(&more)? - off(&less)? > half);
        let small = oracle.ask(Audience::Police, &more[..1])?;
        by_zero.add(*bit, small != [Some(0)]);
    }
    let (cells, variance) = (less.len() + more.len(), Audience::Police.tier().variance);
    let most = discrete_advantage(cells, variance).max(advantage(float(cells).sqrt(), variance));
    Ok(Outcome {
        attack: "T23 group disclosure",
        seed,
        measures: vec![
            guessed("all of them in one category", guesses, most),
            guessed("a zero tells", by_zero, most),
            Measure::never("a zero is shown", zeros, empty.len()),
        ],
    })
}

/// Restricted records: a victim that counts for the police only, and another that counts for everybody; seen by
/// partners and public, and by all of them together.
pub fn restricted(seed: u64, service: &dyn Service, years: u16) -> Result<Outcome> {
    let lattice = Lattice::years("AL", &[0, 2], 1960, years)?;
    let victims = lattice.first_leaves();
    let victims = [victims[0], victims[victims.len() - 1]];
    // In every leaf some restricted records: what is hidden is how many.
    let mut held = hold(&vec![MANY; lattice.leaves]);
    let some = |leaf| Held { leaf, units: RESTRICTED, restricted: true };
    held.extend((0..lattice.leaves).map(some));
    let places = lattice.repeated(&victims);
    let bits: Vec<_> = (0..places.len()).map(|at| [coin(seed, at, 0), coin(seed, at, 1)]).collect();
    for (place, bits) in places.iter().zip(&bits) {
        held.extend(bits[1].then_some(Held { leaf: place[1], units: 1, restricted: false }));
    }
    let mut without = service.open(&lattice, &held, seed)?;
    for (place, bits) in places.iter().zip(&bits) {
        held.extend(bits[0].then_some(Held { leaf: place[0], units: 1, restricted: true }));
    }
    let mut oracle = service.open(&lattice, &held, seed)?;
    let mut guesses = [Guesses::default(); 3];
    let (mut spread, mut changed) = (Vec::new(), 0);
    let above = victims.map(|victim| lattice.above(victim));
    let asked = lattice.repeated(&above[0]).into_iter().zip(lattice.repeated(&above[1]));
    for (((hidden, known), place), bits) in asked.zip(&places).zip(&bits) {
        // The other victim is granted to the attacker.
        let offs = |oracle: &mut dyn Oracle, audience, cells: &[usize]| -> Result<Vec<f64>> {
            let units = if audience == Audience::Police { MANY + RESTRICTED } else { MANY };
            let figures = all_shown(oracle, audience, cells)?;
            let off = |(value, cell): (f64, &usize)| {
                let leaves = &lattice.cells[*cell].leaves;
                let holds = |which: usize| f64::from(leaves.contains(&place[which]) && bits[which]);
                let other = match (cells == hidden, audience) {
                    (true, _) => holds(1),
                    (false, Audience::Police) => holds(0),
                    (false, Audience::Partners | Audience::Public) => 0.0,
                };
                value - float(leaves.len()) * figure(units) - other
            };
            Ok(figures.into_iter().zip(cells).map(off).collect())
        };
        let sum = |offs: &[f64]| offs.iter().sum::<f64>();
        let police = offs(oracle.as_mut(), Audience::Police, &hidden)?;
        let partners = offs(oracle.as_mut(), Audience::Partners, &hidden)?;
        let public = offs(oracle.as_mut(), Audience::Public, &hidden)?;
        let before = [
            offs(without.as_mut(), Audience::Partners, &hidden)?,
            offs(without.as_mut(), Audience::Public, &hidden)?,
        ];
        changed += usize::from(before != [partners.clone(), public.clone()]);
        let half = float(hidden.len()) / 2.0;
        guesses[0].add(bits[0], sum(&partners) / 9.0 + sum(&public) / 36.0 > 0.0);
        // With the noise shared between the classes, the difference would say it all.
        guesses[1].add(bits[0], sum(&police) - sum(&partners) > half);
        let both = sum(&offs(oracle.as_mut(), Audience::Police, &known)?) / 3.0
            + sum(&offs(oracle.as_mut(), Audience::Partners, &known)?) / 9.0;
        guesses[2].add(bits[1], both > half * (1.0 / 3.0 + 1.0 / 9.0));
        let apart = police.iter().zip(&partners).map(|(a, b)| (a - b).powi(2));
        spread.push(apart.sum::<f64>() / float(hidden.len()));
    }
    // The wider audience's figure has the narrower one's noise and more: the step between them hides what only one counts.
    let (narrow, wide) = (Audience::Police.tier().variance, Audience::Partners.tier().variance);
    let most = |variance| discrete_advantage(above[0].len(), variance);
    let all = Allowed::AtLeast(0.95 * (wide - narrow));
    Ok(Outcome {
        attack: "restricted records",
        seed,
        measures: vec![
            Measure::never("years in which others see anything of it", changed, places.len()),
            guessed("seen by those for whom it does not count", guesses[0], 0.0),
            guessed("seen by all of them together", guesses[1], most(narrow)),
            guessed("one that counts for all", guesses[2], most(narrow)),
            Measure::mean("variance between the audiences", &spread, all),
        ],
    })
}
