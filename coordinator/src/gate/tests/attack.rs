//! An insider's attack. Comes in: random federations over several rounds: areas, halves and groups; members that join,
//! leave, come late, correct; some with two nodes; questions that differ. Goes out: how closely each member can bound what
//! another one hides, by a linear program of its own making that knows nothing of the gate: every total ever shown,
//! the attacker's own figures, and that no figure is below zero.

use std::collections::{BTreeMap, BTreeSet};

use microlp::{ComparisonOp, Error, OptimizationDirection, Problem};

use super::*;

/// Splitmix64: the same on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }

    fn place(&mut self, bound: usize) -> usize {
        usize::try_from(self.below(bound as u64)).unwrap()
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }
}

const JURISDICTIONS: [&str; 8] = ["AL", "BA", "BG", "HR", "ME", "MK", "RS", "XK"];
/// All areas below the whole, all halves of the year; groups are never all asked.
const AREAS: [&str; 5] = ["DRG.CAN", "DRG.COC", "DRG.HER", "DRG.PRE", "DRG.SYN"];
const HALVES: [&str; 2] = ["2016-H1", "2016-H2"];
const GROUPS: [&str; 2] = ["DRUG_GROUP=COC", "DRUG_GROUP=MDMA"];

/// Where something is counted: area, half, group.
type Piece = [usize; 3];
/// A cell: along each axis one place, or all of them.
type Slice = [Option<usize>; 3];
/// A figure: whose, of which edition, of which piece.
type Unknown = (usize, u32, Piece);

fn pieces() -> impl Iterator<Item = Piece> {
    let of_area = |area| (0..2).flat_map(move |half| (0..3).map(move |group| [area, half, group]));
    (0..5).flat_map(of_area)
}

fn within(piece: &Piece, slice: &Slice) -> bool {
    piece.iter().zip(slice).all(|(at, place)| place.is_none_or(|place| place == *at))
}

fn key_of([area, half, group]: Slice) -> RegionalKey {
    let name = |at: Option<usize>, names: &[&'static str], all| at.map_or(all, |at| names[at]);
    key(name(area, &AREAS, "DRG"), name(half, &HALVES, "2016"), name(group, &GROUPS, "_T"))
}

struct Node {
    jurisdiction: usize,
    name: &'static str,
    mode: Mode,
    edition: u32,
    /// By edition, from the first.
    figures: Vec<BTreeMap<Piece, i64>>,
    /// Cells it never shows.
    silent: BTreeSet<Slice>,
}

impl Node {
    fn amount(&self, edition: u32, slice: &Slice) -> i64 {
        let figures = &self.figures[edition as usize - 1];
        figures.iter().filter(|(piece, _)| within(piece, slice)).map(|(_, value)| value).sum()
    }
}

/// A total that was shown: of which cell, of whose figures from which edition.
#[derive(Clone)]
struct Total {
    slice: Slice,
    of: Vec<(usize, u32)>,
    sum: i64,
}

struct World {
    dice: Dice,
    nodes: Vec<Node>,
    coalition: usize,
    /// What the gate lets out.
    shown: Vec<Total>,
    /// What a gate would that looks at each cell alone.
    alone: Vec<Total>,
    /// What a coordinator without a gate would.
    naive: Vec<Total>,
    asked: BTreeSet<Slice>,
    /// One for all that no cell asked tells apart.
    pieces: Vec<Piece>,
    /// Why cells were withheld.
    withheld: BTreeMap<String, usize>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let coalition = if dice.one_in(5) { 2 } else { 1 };
        let count = 3 + dice.place(6).max(dice.place(6));
        let mut nodes = Vec::new();
        for (jurisdiction, code) in JURISDICTIONS.iter().enumerate().take(count) {
            let scale = 1 << dice.below(5);
            for second in [false, true] {
                if second && !dice.one_in(6) {
                    continue;
                }
                let suffix = if second { "-2" } else { "" };
                let name = format!("{}{suffix}", code.to_lowercase());
                let mut node = Node {
                    jurisdiction,
                    name: name.leak(),
                    mode: if dice.one_in(12) { OPEN } else { EXACT },
                    edition: 0,
                    figures: Vec::new(),
                    silent: BTreeSet::new(),
                };
                node.revise(&mut dice, scale);
                nodes.push(node);
            }
        }
        let [shown, alone, naive] = [const { Vec::new() }; 3];
        let (asked, withheld) = (BTreeSet::new(), BTreeMap::new());
        Self { dice, nodes, coalition, shown, alone, naive, asked, pieces: Vec::new(), withheld }
    }

    fn play(mut self) -> Self {
        let policy = format!("coalition = {}", self.coalition);
        let policy = GatePolicy::parse(&policy).unwrap();
        let mut before = PooledBefore::new();
        let late = self.dice.place(self.nodes.len()).max(self.dice.place(self.nodes.len()));
        for number in 0..1 + self.dice.place(4) {
            let dice = &mut self.dice;
            if number > 0 {
                let many = if dice.one_in(3) { 1 } else { 8 };
                for node in &mut self.nodes {
                    if dice.one_in(many) {
                        node.revise(dice, 16);
                    }
                }
            }
            let mut some = |count: usize, all: bool| {
                let places = (0..count).map(Some).filter(|_| all || !dice.one_in(3));
                let mut places: Vec<_> = places.collect();
                if places.is_empty() || !dice.one_in(6) {
                    places.push(None);
                }
                places
            };
            let (deep, all) = (number % 2 == 0, number != 1);
            let areas = some(if deep { 5 } else { 0 }, all);
            let (halves, groups) = (some(2, all), some(if deep { 0 } else { 2 }, false));
            // Four areas or fewer: what is left over is the rest.
            let left_out = if self.dice.one_in(2) { Some(self.dice.place(5)) } else { None };
            let areas: Vec<_> =
                areas.into_iter().filter(|area| area.is_none() || *area != left_out).collect();
            let slices: Vec<Slice> = areas
                .iter()
                .flat_map(|area| halves.iter().map(move |half| (area, half)))
                .flat_map(|(area, half)| groups.iter().map(move |group| [*area, *half, *group]))
                .collect();
            let here: Vec<bool> = (0..self.nodes.len())
                .map(|at| !(self.dice.one_in(20) || (number == 0 && at >= late.max(3))))
                .collect();
            self.round(&policy, &slices, &here, &mut before);
        }
        self
    }

    fn round(
        &mut self,
        policy: &GatePolicy,
        slices: &[Slice],
        here: &[bool],
        before: &mut PooledBefore,
    ) {
        let mut round = Round::default();
        let mut totals = BTreeMap::new();
        for slice in slices {
            let mut total = Total { slice: *slice, of: Vec::new(), sum: 0 };
            for (at, node) in self.nodes.iter_mut().enumerate().filter(|(at, _)| here[*at]) {
                if self.dice.one_in(60) {
                    node.silent.insert(*slice);
                }
                if node.silent.contains(slice) {
                    continue;
                }
                let value = node.amount(node.edition, slice);
                let said =
                    (JURISDICTIONS[node.jurisdiction], node.name, node.mode, Cell::Value(value));
                round.says(key_of(*slice), said, node.edition);
                if node.mode != OPEN {
                    total.of.push((at, node.edition));
                    total.sum += value;
                }
            }
            self.asked.insert(*slice);
            totals.insert(key_of(*slice), total);
        }
        let verdicts = round.judge(policy, 3, before);
        for (key, now) in pooled(&verdicts) {
            before.insert(*key, now.clone());
        }
        for (key, total) in totals.into_iter().filter(|(_, total)| !total.of.is_empty()) {
            let by_itself = match &verdicts[&key] {
                Verdict::Shown(_) => {
                    self.shown.push(total.clone());
                    true
                }
                Verdict::Withheld(why) => {
                    *self.withheld.entry(format!("{why:?}")).or_default() += 1;
                    !matches!(why, Why::Unsafe(_) | Why::Unclear)
                }
            };
            if by_itself {
                self.alone.push(total.clone());
            }
            self.naive.push(total);
        }
    }

    /// Every set of jurisdictions that may attack together.
    fn attackers(&self) -> Vec<BTreeSet<usize>> {
        let all: BTreeSet<usize> = self.nodes.iter().map(|node| node.jurisdiction).collect();
        let pairs = all.iter().flat_map(|a| all.iter().map(move |b| BTreeSet::from([*a, *b])));
        let sets: BTreeSet<_> = pairs.filter(|set| set.len() == self.coalition).collect();
        sets.into_iter().collect()
    }

    /// The most that the attackers can think a figure to be, up to `enough`.
    fn most(
        &self,
        totals: &[Total],
        attackers: &BTreeSet<usize>,
        target: &BTreeSet<Unknown>,
        enough: f64,
    ) -> f64 {
        let mut problem = Problem::new(OptimizationDirection::Maximize);
        let mut variables = BTreeMap::<Unknown, _>::new();
        let pieces = || self.pieces.iter();
        let own = |at: &usize| attackers.contains(&self.nodes[*at].jurisdiction);
        for total in totals {
            for (at, edition) in total.of.iter().filter(|(at, _)| !own(at)) {
                for piece in pieces().filter(|piece| within(piece, &total.slice)) {
                    let unknown = (*at, *edition, *piece);
                    let price = f64::from(u8::from(target.contains(&unknown)));
                    variables
                        .entry(unknown)
                        .or_insert_with(|| problem.add_var(price, (0.0, f64::INFINITY)));
                }
            }
        }
        if !target.iter().all(|unknown| variables.contains_key(unknown)) {
            return f64::INFINITY; // Some of it stands in no total.
        }
        for total in totals {
            let mut left = total.sum;
            let mut terms = Vec::new();
            for (at, edition) in &total.of {
                if own(at) {
                    left -= self.nodes[*at].amount(*edition, &total.slice);
                } else {
                    let inside = pieces().filter(|piece| within(piece, &total.slice));
                    terms.extend(inside.map(|piece| (variables[&(*at, *edition, *piece)], 1.0)));
                }
            }
            if !terms.is_empty() {
                problem.add_constraint(terms, ComparisonOp::Eq, real(left));
            }
        }
        let bounded = target.iter().map(|unknown| (variables[unknown], 1.0)).collect::<Vec<_>>();
        problem.add_constraint(bounded, ComparisonOp::Le, enough);
        match problem.solve().map(|solution| solution.into_solution().unwrap().objective()) {
            Ok(most) => most,
            Err(Error::Unbounded) => f64::INFINITY,
            Err(error) => panic!("the truth fits, and the solver says {error}"),
        }
    }

    /// Hidden figures of others that somebody bounds more tightly than p percent, of how many that are tried.
    fn broken(&mut self, totals: &[Total], tries: usize) -> (usize, usize) {
        let (attackers, asked) = (self.attackers(), self.asked.iter().copied().collect::<Vec<_>>());
        let (mut broken, mut tried) = (0, 0);
        // Pieces that no cell tells apart are one.
        let pattern = |piece: &Piece| asked.iter().map(|of| within(piece, of)).collect::<Vec<_>>();
        let apart: BTreeMap<_, _> = pieces().map(|piece| (pattern(&piece), piece)).collect();
        self.pieces = apart.into_values().collect();
        for _ in 0..tries * 3 {
            let attackers = &attackers[self.dice.place(attackers.len())];
            let slice = asked[self.dice.place(asked.len())];
            // A cell that was asked, or what it has beyond those that were asked within it along an axis.
            let axis = self.dice.place(6);
            let below = asked.iter().filter(|part| {
                let mut whole = **part;
                whole.get_mut(axis).is_some_and(|place| place.take().is_some()) && whole == slice
            });
            let below: Vec<_> = below.collect();
            let inside = |piece: &Piece| {
                within(piece, &slice) && !below.iter().any(|part| within(piece, part))
            };
            let victim = self.dice.place(JURISDICTIONS.len());
            let edition = 1 + u32::try_from(self.dice.below(2)).unwrap();
            let nodes = self.nodes.iter().enumerate().filter(|(_, node)| {
                node.jurisdiction == victim && node.mode != OPEN && node.edition >= edition
            });
            let nodes: Vec<_> = nodes.collect();
            let amount = |node: &Node| -> i64 {
                let figures = &node.figures[edition as usize - 1];
                figures.iter().filter(|(piece, _)| inside(piece)).map(|(_, value)| value).sum()
            };
            let truth: i64 = nodes.iter().map(|(_, node)| amount(node)).sum();
            if attackers.contains(&victim) || truth == 0 || tried == tries || totals.is_empty() {
                continue;
            }
            tried += 1;
            let inside: Vec<_> =
                self.pieces.iter().copied().filter(|piece| inside(piece)).collect();
            let target = nodes
                .iter()
                .flat_map(|(at, _)| inside.iter().map(move |piece| (*at, edition, *piece)));
            let (target, least) = (target.collect(), real(truth) * 1.1);
            let most = self.most(totals, attackers, &target, least + 1.0);
            if most < least - 1e-4 {
                broken += 1;
            }
        }
        (broken, tried)
    }

    /// Is there a combination of one cell's totals that rests on fewer jurisdictions than the minimum?
    fn isolates(&self, totals: &[Total]) -> bool {
        let minimum = self.coalition + 2;
        self.asked.iter().any(|slice| {
            let totals: Vec<_> = totals.iter().filter(|total| total.slice == *slice).collect();
            let columns: BTreeSet<_> = totals.iter().flat_map(|total| &total.of).collect();
            let of = |(at, _): &(usize, u32)| self.nodes[*at].jurisdiction;
            let all: BTreeSet<usize> = columns.iter().map(|column| of(column)).collect();
            let row = |total: &&Total, without: &[usize]| {
                let kept = columns.iter().filter(|column| !without.contains(&of(column)));
                kept.map(|column| f64::from(u8::from(total.of.contains(column)))).collect()
            };
            let rows = |without: &[usize]| -> Vec<Vec<f64>> {
                totals.iter().map(|total| row(total, without)).collect()
            };
            let whole = rank(rows(&[]));
            let smaller = |set: &Vec<usize>| rank(rows(set)) < whole;
            let mut sets: Vec<Vec<usize>> = vec![Vec::new()];
            for _ in 1..minimum {
                let with = |set: &Vec<usize>| {
                    let set = set.clone();
                    all.iter().map(move |one| set.iter().copied().chain([*one]).collect())
                };
                sets = sets.iter().flat_map(with).collect();
                if sets.iter().any(smaller) {
                    return true;
                }
            }
            false
        })
    }
}

impl Node {
    fn revise(&mut self, dice: &mut Dice, scale: u64) {
        self.edition += 1;
        let mut figures = BTreeMap::new();
        for piece in pieces() {
            let value = match self.figures.last() {
                // A correction: few pieces change.
                Some(before) if !dice.one_in(4) => before[&piece],
                _ if dice.one_in(5) => 0,
                _ => i64::try_from(dice.below(scale * 8)).unwrap(),
            };
            figures.insert(piece, value);
        }
        self.figures.push(figures);
    }
}

fn rank(mut rows: Vec<Vec<f64>>) -> usize {
    let width = rows.first().map_or(0, Vec::len);
    let mut rank = 0;
    for column in 0..width {
        let found = (rank..rows.len()).find(|row| rows[*row][column].abs() > 1e-9);
        let Some(found) = found else { continue };
        rows.swap(rank, found);
        let pivot = rows[rank].clone();
        for row in rows.iter_mut().skip(rank + 1) {
            let factor = row[column] / pivot[column];
            row.iter_mut().zip(&pivot).for_each(|(entry, of)| *entry -= factor * of);
        }
        rank += 1;
    }
    rank
}

#[expect(clippy::cast_precision_loss, reason = "small figures")]
fn real(value: i64) -> f64 {
    value as f64
}

const FEDERATIONS: u64 = 240;
const SEED: u64 = 20_161;

#[test]
fn no_member_bounds_what_another_hides_more_tightly_than_the_policy_allows() {
    let (mut tried, mut shown, mut several) = (0, 0, 0);
    let mut withheld = BTreeMap::<String, usize>::new();
    for number in 0..FEDERATIONS {
        let mut world = World::new(SEED + number).play();
        let totals = std::mem::take(&mut world.shown);
        let (broken, of) = world.broken(&totals, 40);
        assert_eq!(broken, 0, "seed {SEED}, federation {number}");
        assert!(!world.isolates(&totals), "seed {SEED}, federation {number}: members");
        tried += of;
        shown += totals.len();
        several += usize::from(!totals.is_empty());
        for (why, count) in world.withheld {
            *withheld.entry(why).or_default() += count;
        }
    }
    println!(
        "seed {SEED}: {tried} attacks on {shown} totals of {several} federations; {withheld:?}"
    );
    assert!(tried > 6_000 && shown > 1_400, "{tried} attacks on {shown} totals");
}

#[test]
fn what_weaker_builds_show_is_broken_by_the_same_program() {
    let (mut naive, mut alone, mut isolated) = (0, 0, [0, 0]);
    for number in 0..FEDERATIONS / 4 {
        let mut world = World::new(SEED + number).play();
        let totals = [std::mem::take(&mut world.naive), std::mem::take(&mut world.alone)];
        naive += usize::from(world.broken(&totals[0], 40).0 > 0);
        alone += usize::from(world.broken(&totals[1], 40).0 > 0);
        isolated[0] += usize::from(world.isolates(&totals[0]));
        isolated[1] += usize::from(world.isolates(&totals[1]));
    }
    println!(
        "seed {SEED}: broken {naive} naive, {alone} judged cell by cell; members told apart {isolated:?}"
    );
    assert!(naive > 25 && alone > 8 && isolated.iter().all(|of| *of > 5));
}
