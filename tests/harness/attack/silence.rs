//! What silence says: questions outside the lattice, cells that are too small, marks and sizes. Comes in: a
//! service and a seed. Goes out: how often two things that must look alike did not.

use anyhow::Result;

use super::{
    Measure, Outcome,
    cells::Lattice,
    oracle::{Audience, Odd, Reply, Service, Spelling, hold},
    reference::mix,
};

/// Units in a leaf that everybody is shown.
const MANY: i64 = 80;

fn year() -> Result<Lattice> {
    Lattice::years("AL", &[0, 3], 2024, 1)
}

/// Questions that the lattice does not have, or has under another name.
fn odd_questions(lattice: &Lattice, seed: u64) -> Vec<Odd> {
    let cell = |which: u64| {
        let cells = u64::try_from(lattice.cells.len()).unwrap_or(1);
        usize::try_from(mix(&[seed, which]) % cells).unwrap_or(0)
    };
    let period = |text: &str| Spelling { period: Some(text.to_owned()), ..Spelling::default() };
    let area = |text: &str| Spelling { area: Some(text.to_owned()), ..Spelling::default() };
    let level = |level: u32| Spelling { level: Some(level), ..Spelling::default() };
    let spellings = [
        period("2024-1"),
        period("2024-01-15"),
        period("2024-01..2024-02"),
        period("2024-W05"),
        period("2024-M01"),
        period(" 2024-01"),
        period("2024-01\u{200b}"),
        period("２０２４-01"),
        period("2024-H3"),
        period("2024-13"),
        period(""),
        area("mig"),
        area("MIG "),
        area("ＭIG"),
        area("MIG,DRG"),
        area("MIG.*"),
        area("!MIG"),
        area("NOT MIG"),
        area(""),
        level(4),
        level(7),
        level(u32::MAX),
    ];
    let mut odd: Vec<_> =
        (0..).zip(spellings).map(|(at, how)| Odd::Spelled(cell(at), how)).collect();
    odd.extend((100..104).map(|at| Odd::Twice(cell(at))));
    odd.extend((200..206).map(|at| Odd::Union(vec![cell(at), cell(at + 50)])));
    odd.push(Odd::Union((0..lattice.leaves / 2).collect()));
    odd
}

/// T2, arbitrary predicates. Each is refused with a text that depends on nothing that is held, or is one of the
/// lattice's cells with its very figure; and nothing has changed afterwards.
pub fn t2(seed: u64, service: &dyn Service) -> Result<Outcome> {
    let lattice = year()?;
    let mut full = service.open(&lattice, &hold(&vec![MANY; lattice.leaves]), seed)?;
    let mut sparse = vec![0; lattice.leaves];
    sparse[usize::try_from(mix(&[seed]) % 144)?] = MANY;
    let mut sparse = service.open(&lattice, &hold(&sparse), seed)?;
    let all = lattice.all();
    let before = full.ask(Audience::Police, &all)?;
    let (mut apart, mut new) = (0, 0);
    let questions = odd_questions(&lattice, seed);
    for odd in &questions {
        let reply = full.ask_odd(Audience::Police, odd)?;
        let other = sparse.ask_odd(Audience::Police, odd)?;
        match (&reply, &other) {
            (Reply::Refused(one), Reply::Refused(other)) => apart += usize::from(one != other),
            (Reply::Answered(figures), Reply::Answered(_)) => {
                new += figures.iter().filter(|value| !before.contains(value)).count();
                new += usize::from(matches!(odd, Odd::Union(_)));
            }
            (Reply::Refused(_), Reply::Answered(_)) | (Reply::Answered(_), Reply::Refused(_)) => {
                apart += 1;
            }
        }
    }
    let after = full.ask(Audience::Police, &all)?;
    let changed = before.iter().zip(&after).filter(|(before, after)| before != after).count();
    Ok(Outcome {
        attack: "T2 arbitrary predicates",
        seed,
        measures: vec![
            Measure::never("refusals that depend on what is held", apart, questions.len()),
            Measure::never("figures that are no cell's", new, questions.len()),
            Measure::never("cells that changed meanwhile", changed, all.len()),
        ],
    })
}

/// T10, a region with one or two units. Worlds with none, one and two look alike in everything.
pub fn t10(seed: u64, service: &dyn Service) -> Result<Outcome> {
    let lattice = year()?;
    let lonely = usize::try_from(mix(&[seed, 10]) % 144)?;
    let mut seen = Vec::new();
    let mut shown = 0;
    for units in [0, 1, 2] {
        let mut counts = vec![MANY; lattice.leaves];
        counts[lonely] = units;
        let mut oracle = service.open(&lattice, &hold(&counts), seed)?;
        for audience in Audience::ALL {
            shown += oracle.ask(audience, &[lonely])?.iter().flatten().count();
            seen.push(oracle.seen(audience, &[lonely])?);
        }
    }
    let apart = seen.iter().filter(|bytes| **bytes != seen[0]).count();
    Ok(Outcome {
        attack: "T10 a small population",
        seed,
        measures: vec![
            Measure::never("answers that show it", shown, 9),
            Measure::never("answers that look different", apart, 9),
        ],
    })
}

/// T24, everything besides the figures. Cells with nothing, with one, with two units; in a world of their own
/// each, and beside each other.
pub fn t24(seed: u64, service: &dyn Service) -> Result<Outcome> {
    let lattice = year()?;
    let counts: Vec<_> = (0..lattice.leaves)
        .map(|leaf| i64::try_from(mix(&[seed, u64::try_from(leaf).unwrap_or(0)]) % 3).unwrap_or(0))
        .collect();
    let mut oracle = service.open(&lattice, &hold(&counts), seed)?;
    let leaves: Vec<_> = (0..lattice.leaves).collect();
    let mut apart = 0;
    for audience in Audience::ALL {
        let first = oracle.seen(audience, &leaves[..1])?;
        for leaf in &leaves {
            apart += usize::from(oracle.seen(audience, &[*leaf])? != first);
        }
    }
    let mut worlds = Vec::new();
    for kind in 0..3 {
        let counts: Vec<_> = counts.iter().map(|count| (count + kind) % 3).collect();
        let mut oracle = service.open(&lattice, &hold(&counts), seed)?;
        worlds.push(oracle.seen(Audience::Police, &leaves)?);
    }
    let differ = worlds.iter().filter(|world| **world != worlds[0]).count();
    Ok(Outcome {
        attack: "T24 marks and sizes",
        seed,
        measures: vec![
            Measure::never("cells that look different", apart, leaves.len() * 3),
            Measure::never("worlds that look different", differ, worlds.len()),
        ],
    })
}
