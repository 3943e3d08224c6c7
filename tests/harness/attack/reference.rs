//! A reference of a few lines: what the node promises, without a node. Comes in: records, a seed, perhaps a
//! fault. Goes out: figures by the published parameters. Must never be better than the node is meant to be.

use std::collections::{BTreeMap, HashMap};

use anyhow::Result;

use super::{
    cellkey::Perturbations,
    cells::Lattice,
    estimate::{discrete_gaussian, float, whole},
    oracle::{Audience, Held, Odd, Oracle, Reply, Service, threshold_of_draw, variance_of_draw},
    weak::Weakness,
};

/// The service without a fault.
#[derive(Clone, Copy, Debug)]
pub struct Reference;

impl Service for Reference {
    fn name(&self) -> String {
        "Reference".to_owned()
    }

    fn open(&self, lattice: &Lattice, held: &[Held], seed: u64) -> Result<Box<dyn Oracle>> {
        Ok(Box::new(Model::new(lattice, held, seed, None)?))
    }
}

/// A small generator, keyed: the same parts give the same number (SplitMix64).
pub fn mix(parts: &[u64]) -> u64 {
    parts.iter().fold(0x9e37_79b9_7f4a_7c15, |mixed: u64, part| {
        let mut next = (mixed ^ part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        next = (next ^ (next >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        next = (next ^ (next >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        next ^ (next >> 31)
    })
}

/// A number from 0 to below 1.
pub fn uniform(parts: &[u64]) -> f64 {
    let high = |bits: u64| f64::from(u32::try_from(bits).unwrap_or(0));
    let bits = mix(parts);
    (high(bits >> 32) * 2.0_f64.powi(32) + high(bits & 0xffff_f800)) / 2.0_f64.powi(64)
}

/// Cumulated chances of discrete Gaussians, by variance.
#[derive(Debug, Default)]
struct Curves(BTreeMap<u64, Vec<f64>>);

impl Curves {
    fn draw(&mut self, variance: f64, key: &[u64]) -> i64 {
        let curve = self.0.entry(variance.to_bits()).or_insert_with(|| {
            let sum = |sum: &mut f64, chance: f64| {
                *sum += chance;
                Some(*sum)
            };
            discrete_gaussian(variance).into_iter().scan(0.0, sum).collect()
        });
        let at = curve.partition_point(|sum| *sum <= uniform(key)).min(curve.len() - 1);
        whole(float(at)) - whole(float(curve.len() / 2))
    }
}

/// What was frozen of a cell for a release class.
#[derive(Clone, Copy, Debug, Default)]
struct Figure {
    /// The true figure.
    counted: i64,
    /// Blurred for each tier.
    blurred: [i64; 3],
    /// Tier A has the second draw.
    again: bool,
}

/// The service, with or without a fault.
#[derive(Debug)]
pub struct Model {
    lattice: Lattice,
    weakness: Option<Weakness>,
    seed: u64,
    /// Units of each leaf: those that count for everybody, and those for the police only.
    open: Vec<i64>,
    restricted: Vec<i64>,
    /// The first cell with the same leaves in the same period.
    same_as: Vec<usize>,
    /// Times that a cell was frozen.
    editions: Vec<u64>,
    frozen: Vec<[Figure; 2]>,
    curves: Curves,
    perturbations: Option<Perturbations>,
    asked: u64,
    started: u64,
}

const POLICE_ONLY: usize = 0;
const EVERYBODY: usize = 1;

impl Model {
    /// Holds this and has frozen every period.
    pub fn new(
        lattice: &Lattice,
        held: &[Held],
        seed: u64,
        weakness: Option<Weakness>,
    ) -> Result<Self> {
        let cells = lattice.cells.len();
        let mut first = HashMap::new();
        let same_as = (0..)
            .zip(&lattice.cells)
            .map(|(at, cell)| *first.entry((&cell.place.period, &cell.leaves)).or_insert(at));
        let perturbations = match weakness {
            Some(Weakness::CellKey(most, variance, unused, stay)) => {
                Some(Perturbations::maximum_entropy(most, variance, unused, stay)?)
            }
            _ => None,
        };
        let mut model = Self {
            same_as: same_as.collect(),
            lattice: lattice.clone(),
            weakness,
            seed,
            open: vec![0; lattice.leaves],
            restricted: vec![0; lattice.leaves],
            editions: vec![0; cells],
            frozen: vec![[Figure::default(); 2]; cells],
            curves: Curves::default(),
            perturbations,
            asked: 0,
            started: 0,
        };
        model.take(held);
        model.freeze(&lattice.all());
        Ok(model)
    }

    fn is(&self, weakness: Weakness) -> bool {
        self.weakness == Some(weakness)
    }

    fn take(&mut self, held: &[Held]) {
        for Held { leaf, units, restricted } in held {
            let counts = if *restricted { &mut self.restricted } else { &mut self.open };
            counts[*leaf] += units;
        }
    }

    fn freeze(&mut self, cells: &[usize]) {
        for cell in cells {
            self.editions[*cell] += 1;
            let edition = self.editions[*cell];
            let open = self.lattice.counted(*cell, &self.open);
            let restricted = self.lattice.counted(*cell, &self.restricted);
            // Without restricted records there is one class.
            let classes = if restricted == 0 { 1..2 } else { 0..2 };
            for class in classes {
                let counted = if class == POLICE_ONLY { open + restricted } else { open };
                let before = self.frozen[*cell][class];
                let noise = self.noise(*cell, edition);
                let (blurred, again) = match edition {
                    _ if noise.len() == 3 => ([0, 1, 2].map(|tier| counted + noise[tier]), false),
                    2 => ([counted + noise[0], before.blurred[1], before.blurred[2]], true),
                    _ => (before.blurred, before.again),
                };
                self.frozen[*cell][class] = Figure { counted, blurred, again };
            }
            if restricted == 0 {
                self.frozen[*cell][POLICE_ONLY] = self.frozen[*cell][EVERYBODY];
            }
        }
    }

    /// Noise of every tier, or of tier A alone, or none: then the figure before stays.
    fn noise(&mut self, cell: usize, edition: u64) -> Vec<i64> {
        if self.is(Weakness::Exact) {
            return vec![0; 3];
        }
        if self.is(Weakness::ExactTotals) && self.lattice.cells[cell].leaves.len() > 1 {
            return vec![0; 3];
        }
        // How noise hangs together must not depend on which records there are.
        let (class, widest) = (EVERYBODY, if self.is(Weakness::SharedClasses) { 1 } else { 3 });
        let key = |step: u64, edition: u64, started: u64| {
            [self.seed, number(class), number(cell), edition, step, started]
        };
        let (at, started) = match self.weakness {
            Some(Weakness::ReusedNoise) => (1, 0),
            Some(Weakness::Forgetful) => (edition, self.started),
            _ => (edition, 0),
        };
        if at > 1 && self.weakness != Some(Weakness::Forgetful) {
            let again = at == 2;
            let key = key(0, at, started);
            return again
                .then(|| self.curves.draw(variance_of_draw(1), &key))
                .into_iter()
                .collect();
        }
        let keys = [0, 1, 2].map(|step| key(step, at, started));
        let mut sum = 0;
        [3.0, 6.0, 27.0]
            .iter()
            .zip(keys)
            .enumerate()
            .map(|(tier, (variance, key))| {
                if tier < widest {
                    sum += self.curves.draw(*variance, &key);
                }
                sum
            })
            .collect()
    }

    fn answer(&mut self, audience: Audience, cell: usize, request: u64) -> Option<i64> {
        let tier = audience.tier();
        let step =
            usize::from(audience > Audience::Police) + usize::from(audience > Audience::Partners);
        let class = if audience == Audience::Police { POLICE_ONLY } else { EVERYBODY };
        let Figure { counted, blurred, again } = self.frozen[self.same_as[cell]][class];
        let mut blurred = blurred[step];
        match self.weakness {
            Some(Weakness::Fresh) => return Some(counted + self.shrine(request, cell)),
            Some(Weakness::CellKey(..)) => {
                let key = self.cell_key(cell);
                let table = self.perturbations.as_ref()?;
                return Some(counted + table.look_up(counted, key));
            }
            Some(Weakness::PerRequest) => {
                blurred =
                    counted + self.curves.draw(tier.variance, &[self.seed, request, number(cell)]);
            }
            Some(Weakness::NoFloor) => return Some(blurred),
            _ => {}
        }
        let threshold = match audience {
            Audience::Police if again => threshold_of_draw(1),
            Audience::Police | Audience::Partners | Audience::Public => tier.threshold,
        };
        let shown = match self.weakness {
            Some(Weakness::TrueFloor | Weakness::Exact) => counted >= tier.floor,
            _ => counted >= tier.floor && blurred >= threshold,
        };
        let rounded = (blurred + tier.rounding / 2).div_euclid(tier.rounding) * tier.rounding;
        shown.then_some(rounded)
    }

    /// Gaussian, cut.
    fn shrine(&self, request: u64, cell: usize) -> i64 {
        (0..)
            .map(|attempt| {
                let part =
                    |which: u64| uniform(&[self.seed, request, number(cell), attempt, which]);
                let radius = (-2.0 * (1.0 - part(0)).ln()).sqrt();
                1.33 * radius * (std::f64::consts::TAU * part(1)).cos()
            })
            .find(|noise: &f64| noise.abs() <= 3.0)
            .map_or(0, whole)
    }

    /// Sum of the keys of all records in a cell, its fraction.
    fn cell_key(&self, cell: usize) -> f64 {
        let of_leaf = |leaf: &usize| -> f64 {
            let units = u64::try_from(self.open[*leaf]).unwrap_or(0);
            (0..units).map(|unit| uniform(&[self.seed, number(*leaf), unit])).sum()
        };
        self.lattice.cells[cell].leaves.iter().map(of_leaf).sum::<f64>().fract()
    }
}

impl Oracle for Model {
    fn lattice(&self) -> &Lattice {
        &self.lattice
    }

    fn ask(&mut self, audience: Audience, cells: &[usize]) -> Result<Vec<Option<i64>>> {
        self.asked += 1;
        let request = self.asked;
        Ok(cells.iter().map(|cell| self.answer(audience, *cell, request)).collect())
    }

    fn seen(&mut self, audience: Audience, cells: &[usize]) -> Result<Vec<u8>> {
        let figures = self.ask(audience, cells)?;
        let talks = self.is(Weakness::Talkative);
        let mark = |(figure, cell): (Option<i64>, &usize)| match figure {
            Some(_) => b'v',
            None if talks && self.frozen[*cell][EVERYBODY].counted > 0 => b's',
            None => b'n',
        };
        Ok(figures.into_iter().zip(cells).map(mark).collect())
    }

    fn ask_odd(&mut self, audience: Audience, odd: &Odd) -> Result<Reply> {
        match odd {
            Odd::Union(cells) if self.is(Weakness::Predicates) => {
                self.asked += 1;
                let counted: i64 =
                    cells.iter().map(|cell| self.frozen[*cell][EVERYBODY].counted).sum();
                let key = [self.seed, self.asked];
                let noise = self.curves.draw(audience.tier().variance, &key);
                Ok(Reply::Answered(vec![Some(counted + noise)]))
            }
            Odd::Union(_) | Odd::Twice(_) | Odd::Spelled(..) => {
                Ok(Reply::Refused("not a cell".to_owned()))
            }
        }
    }

    fn correct(&mut self, added: &[Held]) -> Result<()> {
        self.take(added);
        let mut periods = Vec::new();
        for held in added {
            periods.extend(self.lattice.periods_of(held.leaf)?);
        }
        let touched = |cell: &usize| periods.contains(&self.lattice.cells[*cell].place.period);
        let cells: Vec<_> = self.lattice.all().into_iter().filter(touched).collect();
        self.freeze(&cells);
        Ok(())
    }

    fn restart(&mut self) -> Result<()> {
        self.started += 1;
        if self.is(Weakness::Forgetful) {
            self.freeze(&self.lattice.all());
        }
        Ok(())
    }

    fn renew_lists(&mut self, leaf: usize) -> Result<()> {
        self.restart()?;
        self.correct(&[Held { leaf, units: 0, restricted: false }])
    }
}

fn number(at: usize) -> u64 {
    u64::try_from(at).unwrap_or(u64::MAX)
}
