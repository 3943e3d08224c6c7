//! Patterns and intervals against the vectors of sdcTable and of the Handbook on statistical disclosure control; what
//! insiders know; how much more is hidden than an optimum would hide. Attacks by another program are in the suite.

use std::collections::BTreeSet;

use super::*;

const BY_VALUE: Choice = Choice { cost: Cost::Value, threshold: 0 };

/// A figure with many units behind it.
fn cell(value: i64) -> Cell {
    Cell { value, units: 1_000, cost: value, ..Cell::default() }
}

/// An unsafe figure.
fn primary(value: i64, protection: i64) -> Cell {
    Cell { protection: Some(protection), units: 2, ..cell(value) }
}

/// What the largest contributor knows: nothing of it is protected from her.
fn largest(owner: Option<u64>, amount: i64) -> Vec<Known> {
    vec![Known { owner, amount, alone: false, level: None }]
}

/// An unsafe figure of one unit.
fn single(value: i64, owner: u64) -> Cell {
    let known = vec![Known { owner: Some(owner), amount: value, alone: true, level: None }];
    Cell { protection: Some(0), units: 1, known, ..cell(value) }
}

fn sum(total: usize, parts: &[usize]) -> Equation {
    Equation { total, parts: parts.to_vec(), rest: 0 }
}

/// sdcTable's table, numbered from one as there: total, A, B, C, D × total, male, female. Cell 0 is not in it.
fn sdctable(change: impl Fn(usize, &mut Cell)) -> Equations {
    let counts = [0, 100, 55, 45, 20, 18, 2, 33, 14, 19, 22, 12, 10, 25, 11, 14];
    let mut cells: Vec<_> = counts.map(cell).to_vec();
    cells[6] = primary(2, 0);
    cells.iter_mut().enumerate().for_each(|(at, cell)| change(at, cell));
    let rows = (0..5).map(|row| sum(3 * row + 1, &[3 * row + 2, 3 * row + 3]));
    let columns =
        (1..4).map(|column| sum(column, &[column + 3, column + 6, column + 9, column + 12]));
    Equations::new(cells, rows.chain(columns).collect()).unwrap()
}

fn hidden(pattern: &Pattern) -> Vec<usize> {
    let shown = pattern.shown().iter().enumerate();
    shown.filter(|(_, shown)| !shown.is_published()).map(|(at, _)| at).collect()
}

fn cost(table: &Equations, hidden: impl IntoIterator<Item = usize>) -> i64 {
    let secondary = hidden.into_iter().filter(|at| table.cells()[*at].protection.is_none());
    secondary.map(|at| table.cells()[at].value).sum()
}

#[test]
fn sdctable_hides_the_same_cells() {
    let table = sdctable(|_, _| {});
    let pattern = protect(&table, &BY_VALUE).unwrap();
    assert_eq!(hidden(&pattern), [5, 6, 11, 12]);
    assert_eq!(pattern.shown()[6], Shown::Primary);
    assert_eq!(pattern.shown()[12], Shown::Secondary);
    assert_eq!(cost(&table, hidden(&pattern)), 40);
    // The same rectangle over D and B is safe too and dearer.
    for (others, dearer) in [([5, 14, 15], 43), ([5, 8, 9], 51)] {
        let hidden: Vec<_> = (0..16).map(|at| at == 6 || others.contains(&at)).collect();
        assert!(audit(&table, &hidden).is_ok());
        assert_eq!(cost(&table, others), dearer);
    }
    for (cell, from, to) in [(5, 8, 20), (6, 0, 12), (11, 10, 22), (12, 0, 12), (14, 11, 11)] {
        let to = if cell == 14 { 11 } else { to };
        assert_eq!(interval(&table, &pattern, cell), Some((from, Some(to))), "cell {cell}");
    }
}

#[test]
fn what_must_be_published_is_and_another_cell_takes_its_place() {
    let published = |which: usize| {
        sdctable(move |at, cell| {
            if at == which {
                cell.fixed = Fixed::Published;
            }
        })
    };
    let pattern = |which| hidden(&protect(&published(which), &BY_VALUE).unwrap());
    assert_eq!(pattern(14), [5, 6, 11, 12]);
    assert_eq!(pattern(12), [5, 6, 14, 15]);
}

#[test]
fn readers_keep_what_they_need() {
    let table = sdctable(|at, cell| cell.cost = if [11, 12].contains(&at) { 1_000 } else { 1 });
    let pattern = protect(&table, &Choice { cost: Cost::Preference, threshold: 0 }).unwrap();
    assert!(pattern.shown()[11].is_published() && pattern.shown()[12].is_published());
}

/// Regions a, b, b, c; nobody in d. One unit each.
fn regions() -> Equations {
    let empty = Cell { units: 0, ..cell(0) };
    let two = Cell { units: 2, known: largest(None, 1), ..cell(2) };
    let cells = vec![cell(4), single(1, 1), two, single(1, 3), empty];
    Equations::new(cells, vec![sum(0, &[1, 2, 3, 4])]).unwrap()
}

#[test]
fn two_who_are_alone_in_their_cells_do_not_learn_of_each_other() {
    let secondary = |threshold| {
        let pattern = protect(&regions(), &Choice { cost: Cost::Value, threshold }).unwrap();
        pattern.shown().iter().filter(|shown| **shown == Shown::Secondary).count()
    };
    assert_eq!([secondary(0), secondary(3), secondary(5)], [1, 1, 2]);
    // Without what insiders know, the two would seem to protect each other.
    let known = regions();
    let blind = known.cells().iter().map(|cell| Cell {
        units: cell.units * 2,
        known: Vec::new(),
        ..cell.clone()
    });
    let blind = Equations::new(blind.collect(), vec![sum(0, &[1, 2, 3, 4])]).unwrap();
    assert_eq!(hidden(&protect(&blind, &BY_VALUE).unwrap()), [1, 3]);
    // Who is alone in both has nothing to learn.
    let mut same = regions().cells().to_vec();
    same[3].known = same[1].known.clone();
    let same = Equations::new(same, vec![sum(0, &[1, 2, 3, 4])]).unwrap();
    assert_eq!(hidden(&protect(&same, &BY_VALUE).unwrap()), [1, 3]);
}

#[test]
fn intervals_are_those_of_geurts() {
    // Rows 7 and 3, columns 6 and 4.
    let cells = [
        cell(7),
        cell(3),
        cell(6),
        cell(4),
        primary(5, 0),
        primary(2, 0),
        primary(1, 0),
        primary(2, 0),
    ];
    let equations = vec![sum(0, &[4, 5]), sum(1, &[6, 7]), sum(2, &[4, 6]), sum(3, &[5, 7])];
    let table = Equations::new(cells.to_vec(), equations).unwrap();
    let pattern = audit(&table, &[false, false, false, false, true, true, true, true]).unwrap();
    let intervals: Vec<_> = (4..8).map(|cell| interval(&table, &pattern, cell).unwrap()).collect();
    assert_eq!(intervals, [(3, Some(6)), (1, Some(4)), (0, Some(3)), (0, Some(3))]);
}

#[test]
fn a_figure_whose_total_is_hidden_too_has_no_upper_end() {
    let table = Equations::new(vec![primary(5, 2), cell(3), primary(2, 1)], vec![sum(0, &[1, 2])]);
    let table = table.unwrap();
    let pattern = audit(&table, &[true, false, true]).unwrap();
    assert_eq!(interval(&table, &pattern, 2), Some((0, None)));
    assert_eq!(interval(&table, &pattern, 0), Some((3, None)));
}

#[test]
fn an_interval_is_as_wide_as_its_level_or_nothing_is_published() {
    // 2 and 8 make 10: above 2 there is room for 8, above 8 for 2.
    let table = |small, large| {
        let cells = vec![
            Cell { fixed: Fixed::Published, ..cell(10) },
            primary(2, small),
            primary(8, large),
        ];
        Equations::new(cells, vec![sum(0, &[1, 2])]).unwrap()
    };
    assert!(protect(&table(8, 2), &BY_VALUE).is_ok());
    for (small, large) in [(9, 2), (8, 3)] {
        assert_eq!(protect(&table(small, large), &BY_VALUE), Err(FailClosed::Exhausted));
    }
    // What stands outside every table is known to the strongest reader.
    let rest = Equation { total: 0, parts: vec![1], rest: 8 };
    let cells = vec![Cell { fixed: Fixed::Published, ..cell(10) }, primary(2, 0)];
    let alone = Equations::new(cells, vec![rest]).unwrap();
    assert_eq!(protect(&alone, &BY_VALUE), Err(FailClosed::Exhausted));
}

#[test]
fn what_is_published_cannot_be_taken_back() {
    let table = sdctable(|at, cell| {
        if at == 6 {
            cell.fixed = Fixed::Published;
        }
    });
    assert_eq!(protect(&table, &BY_VALUE), Err(FailClosed::PublishedBefore));
    // All others are out already: the unsafe one can be worked out, whatever is hidden now.
    let table = sdctable(|at, cell| {
        if at != 6 {
            cell.fixed = Fixed::Published;
        }
    });
    assert_eq!(protect(&table, &BY_VALUE), Err(FailClosed::Exhausted));
    // What was hidden stays hidden.
    let table = sdctable(|at, cell| {
        if at == 8 {
            cell.fixed = Fixed::Suppressed;
        }
    });
    assert_eq!(protect(&table, &BY_VALUE).unwrap().shown()[8], Shown::Secondary);
}

#[test]
fn zeros_are_published_unless_the_policy_marks_them() {
    let zero = |protection| {
        let mut cells = vec![cell(30), cell(10), cell(20), Cell { units: 0, ..cell(0) }];
        cells[3].protection = protection;
        Equations::new(cells, vec![sum(0, &[1, 2, 3])]).unwrap()
    };
    assert_eq!(hidden(&protect(&zero(None), &BY_VALUE).unwrap()), [0_usize; 0]);
    let marked = zero(Some(3));
    let pattern = protect(&marked, &BY_VALUE).unwrap();
    assert_eq!(hidden(&pattern), [1, 3]);
    assert_eq!(interval(&marked, &pattern, 3), Some((0, Some(10))));
}

#[test]
fn what_cannot_be_is_refused() {
    let table = |cells: &[Cell], equation| Equations::new(cells.to_vec(), vec![equation]);
    let cells = [cell(3), cell(1), cell(2)];
    assert!(table(&cells, sum(0, &[1, 2])).is_ok());
    assert_eq!(table(&cells, sum(0, &[1])).unwrap_err(), Malformed::Sum);
    assert_eq!(table(&cells, sum(0, &[1, 3])).unwrap_err(), Malformed::Cells);
    assert_eq!(table(&cells, sum(0, &[1, 1, 1])).unwrap_err(), Malformed::Cells);
    let rest = Equation { rest: -3, ..sum(0, &[1, 2]) };
    assert_eq!(table(&cells, rest.clone()).unwrap_err(), Malformed::Sum);
    assert!(table(&[cell(0), cell(1), cell(2)], rest).is_ok(), "noise may have it so");
    let more = Cell { known: largest(None, 4), ..cell(3) };
    assert_eq!(table(&[more], sum(0, &[])).unwrap_err(), Malformed::Figure);
    assert_eq!(table(&[cell(-1)], sum(0, &[])).unwrap_err(), Malformed::Figure);
    let many = vec![cell(0); crate::limits::BULLETIN_CELLS_MAX + 1];
    assert_eq!(Equations::new(many, Vec::new()).unwrap_err(), Malformed::TooLarge);
}

#[test]
fn the_bounds_are_the_written_ones() {
    use crate::limits;
    let text = include_str!("../../README.md");
    let written = |name: &str, value: &str| {
        assert!(text.contains(&format!("| `{name}` | {value} |")), "{name} is not {value}");
    };
    let spaced = |value: usize| {
        let digits = value.to_string();
        let ends = |at: usize| at > 0 && (digits.len() - at).is_multiple_of(3);
        let spaced = digits
            .char_indices()
            .flat_map(|(at, digit)| ends(at).then_some(' ').into_iter().chain([digit]));
        spaced.collect::<String>()
    };
    written("BULLETIN_CELLS_MAX", &spaced(limits::BULLETIN_CELLS_MAX));
    written("BULLETIN_TERMS_MAX", &spaced(limits::BULLETIN_TERMS_MAX));
    written("BULLETIN_ROUNDS_MAX", &spaced(limits::BULLETIN_ROUNDS_MAX));
    written("BULLETIN_SOLVED_MAX", &spaced(limits::BULLETIN_SOLVED_MAX));
    written("BULLETIN_CHOOSING_SOLVED_MAX", &spaced(limits::BULLETIN_CHOOSING_SOLVED_MAX));
    written("BULLETIN_ITERATIONS_MAX", &limits::BULLETIN_ITERATIONS_MAX.to_string());
    written("BULLETIN_CIRCUIT_STEPS_MAX", &spaced(limits::BULLETIN_CIRCUIT_STEPS_MAX));
}

#[test]
fn nothing_of_a_bulletin_prints_its_figures() {
    let table = sdctable(|_, _| {});
    let printed = format!("{table:?} {:?} {}", table.cells(), FailClosed::Exhausted);
    assert!(!printed.contains(|c: char| c.is_ascii_digit()), "{printed}");
}

/// Splitmix64: the same on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    /// A table of `rows` × `columns` with margins, some of whose cells are unsafe; some of these of one unit.
    fn table(&mut self, rows: usize, columns: usize) -> Equations {
        let wide = columns + 1;
        let mut cells = vec![cell(0); (rows + 1) * wide];
        for row in 1..=rows {
            for column in 1..=columns {
                let small = self.below(5) == 0;
                let value = i64::try_from(self.below(if small { 6 } else { 60 })).unwrap();
                let inner = if !small || value == 0 {
                    cell(value)
                } else if self.below(3) == 0 {
                    single(value, (row * wide + column) as u64)
                } else {
                    primary(value, i64::try_from(self.below(4)).unwrap())
                };
                cells[row * wide + column] = inner;
                for margin in [0, row * wide, column] {
                    cells[margin].value += value;
                }
            }
        }
        let across = (0..=rows)
            .map(|row| sum(row * wide, &(1..wide).map(|at| row * wide + at).collect::<Vec<_>>()));
        let down = (0..wide).map(|column| {
            sum(column, &(1..=rows).map(|at| at * wide + column).collect::<Vec<_>>())
        });
        Equations::new(cells, across.chain(down).collect()).unwrap()
    }
}

/// The cheapest pattern that the audit passes, by trying all that cost less than `below`.
fn optimum(table: &Equations, below: i64) -> i64 {
    let cells = table.cells().iter().enumerate();
    // Zeros are not hidden for others: mostly everybody knows why they are.
    let free = cells.filter(|(_, cell)| cell.protection.is_none() && cell.value > 0);
    let free: Vec<_> = free.map(|(at, _)| at).collect();
    let mut best = below;
    for choice in 0_u32..1 << free.len() {
        let chosen: BTreeSet<_> = free
            .iter()
            .enumerate()
            .filter(|(bit, _)| choice & 1 << bit != 0)
            .map(|(_, at)| *at)
            .collect();
        let cost = cost(table, chosen.iter().copied());
        let hidden: Vec<_> = (0..table.cells().len())
            .map(|at| table.cells()[at].protection.is_some() || chosen.contains(&at))
            .collect();
        let alone =
            |equation: &Equation| equation.terms().filter(|(at, _)| hidden[*at]).count() == 1;
        // A single hidden cell of an equation can be worked out, so that the cheapest pattern has none.
        if cost < best && !table.equations().iter().any(alone) && audit(table, &hidden).is_ok() {
            best = cost;
        }
    }
    best
}

#[test]
fn little_more_is_hidden_than_an_optimum_would_hide() {
    const SEED: u64 = 11;
    let mut dice = Dice(SEED);
    let (mut ratios, mut closed) = (Vec::new(), 0);
    while ratios.len() < 40 {
        let table = dice.table(3, 3);
        let Ok(pattern) = protect(&table, &BY_VALUE) else {
            closed += 1;
            continue;
        };
        let found = cost(&table, hidden(&pattern));
        let best = optimum(&table, found);
        if best > 0 {
            ratios.push(real(found) / real(best));
        }
    }
    let mean = ratios.iter().sum::<f64>() / real(40);
    let worst = ratios.iter().copied().fold(1.0, f64::max);
    println!(
        "seed {SEED}: hidden against the optimum: mean {mean:.3}, worst {worst:.2}; {closed} closed"
    );
    assert!(mean < 1.15, "hides {mean:.3} times what is needed");
}

fn real(value: i64) -> f64 {
    linear::real(value)
}

/// Simplex instead of the interior point: does a third opinion find the same intervals?
#[test]
fn intervals_are_those_of_another_solver() {
    use microlp::{ComparisonOp::Eq, OptimizationDirection, Problem};
    const SEED: u64 = 12;
    let mut dice = Dice(SEED);
    let mut compared = 0;
    for round in 0..40 {
        let table = dice.table(4, 4);
        let Ok(pattern) = protect(&table, &BY_VALUE) else { continue };
        for target in hidden(&pattern) {
            let ends =
                [OptimizationDirection::Minimize, OptimizationDirection::Maximize].map(|end| {
                    let mut problem = Problem::new(end);
                    let cells = table.cells().iter().zip(pattern.shown()).enumerate();
                    let variables: Vec<_> = cells
                        .map(|(at, (cell, shown))| {
                            let value = real(cell.value);
                            let known = if shown.is_published() {
                                (value, value)
                            } else {
                                (0.0, f64::INFINITY)
                            };
                            problem.add_var(if at == target { 1.0 } else { 0.0 }, known)
                        })
                        .collect();
                    for equation in table.equations() {
                        let terms: Vec<_> = equation
                            .terms()
                            .map(|(at, sign)| (variables[at], f64::from(sign)))
                            .collect();
                        problem.add_constraint(terms, Eq, -real(equation.rest));
                    }
                    let found = problem.solve().unwrap().into_solution().unwrap();
                    found.var_value(variables[target])
                });
            let (from, to) = interval(&table, &pattern, target).unwrap();
            // Ends are those of whole numbers within.
            let to = real(to.unwrap());
            let same = (from..).map(real).next().unwrap() - ends[0];
            assert!((-1e-3..1.0).contains(&same), "seed {SEED}, round {round}, cell {target}");
            assert!(
                (-1e-3..1.0).contains(&(ends[1] - to)),
                "seed {SEED}, round {round}, cell {target}"
            );
            compared += 1;
        }
    }
    assert!(compared > 100, "only {compared}");
}
