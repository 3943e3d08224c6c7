//! The node as an oracle. Comes in: a lattice of regions and months, units in its leaves. Goes out: the figures
//! that a whole node gives for them. What is assumed of policy and records stands here and nowhere else.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

use accord_proto::{
    limits::{CELLS_MAX, FREEZE_PERIODS_MAX},
    table::{Cell, Table},
    taxonomy::{Lists, Period, Tier},
    tree::{Salting, Tree},
    wire,
};
use anyhow::{Context as _, Result};
use prost::Message as _;

use super::{
    cells::{Lattice, Place},
    oracle::{Audience, Held, Odd, Oracle, Reply, Service, Spelling},
    world::{World, WorldSpec},
};

/// What is counted: it has months, and persons that exist in one period.
const INDICATOR: &str = "MIG.IBC.N";
const AREA: &str = "MIG";
/// A handling code that lets a record count for the police only.
const RESTRICTED: &str = "TLP:AMBER";

const MAPPING: &str = r#"source = "made up for an attack"
rows = "events"
[columns]
region = "region"
period = "period"
unit = "unit"
handling = "handling"
[constants]
indicator = "MIG.IBC.N"
crime_area = "MIG"
"#;

/// The policy under which the indicator is protected at these region levels.
pub fn policy(levels: &BTreeSet<u32>) -> String {
    let levels: Vec<_> = levels.iter().collect();
    format!(
        "[[indicator]]\ncode = \"{INDICATOR}\"\nmode = \"protected\"\n\
         granularity = [\"year\", \"quarter\", \"month\"]\nregion_levels = {levels:?}\n\
         [[handling]]\ncode = \"{RESTRICTED}\"\naudiences = [\"POLICE\"]\n"
    )
}

/// Makes nodes, each in a folder of its own below this one.
#[derive(Debug)]
pub struct Nodes {
    dir: PathBuf,
    made: AtomicUsize,
}

impl Nodes {
    /// Below this folder.
    pub fn below(dir: PathBuf) -> Self {
        Self { dir, made: AtomicUsize::new(0) }
    }
}

impl Service for Nodes {
    fn name(&self) -> String {
        "the node".to_owned()
    }

    fn open(&self, lattice: &Lattice, held: &[Held], seed: u64) -> Result<Box<dyn Oracle>> {
        let dir = self.dir.join(self.made.fetch_add(1, Ordering::SeqCst).to_string());
        Ok(Box::new(Asked::new(dir, lattice, held, seed)?))
    }
}

/// A node that is asked. Its folder goes with it, unless it was opened for one of several lives.
#[derive(Debug)]
pub struct Asked {
    dir: Option<PathBuf>,
    life: u64,
    /// The node.
    pub world: World,
    lattice: Lattice,
    /// Units that a leaf has so far: the next ones have other names.
    pub units: Vec<i64>,
    newer_lists: bool,
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.world.stop();
        if let Some(dir) = &self.dir {
            // Left behind in a temporary folder at worst.
            let _ = std::fs::remove_dir_all(dir);
        }
    }
}

impl Asked {
    /// Holds this, has frozen every period, and consents to every question.
    fn new(dir: PathBuf, lattice: &Lattice, held: &[Held], seed: u64) -> Result<Self> {
        let mut asked = Self::live(&dir, lattice, seed, 0)?;
        asked.dir = Some(dir);
        asked.begin(held)?;
        Ok(asked)
    }

    /// In a folder that stays, for the `life`th time.
    pub fn live(dir: &Path, lattice: &Lattice, seed: u64, life: u64) -> Result<Self> {
        let levels = lattice.cells.iter().map(|cell| cell.place.level).collect();
        let region = &lattice.cells.last().context("no cells")?.place.region;
        let spec = WorldSpec {
            jurisdiction: region.chars().take(2).collect(),
            lists: Lists::builtin(),
            mapping: MAPPING.to_owned(),
            rows: String::new(),
            policy: policy(&levels),
            secret: None,
            seed,
        };
        std::fs::create_dir_all(dir)?;
        Ok(Self {
            dir: None,
            life,
            world: World::reopen(dir, spec, life)?,
            lattice: lattice.clone(),
            units: vec![0; lattice.leaves],
            newer_lists: false,
        })
    }

    /// Takes in its first records, freezes every period, and consents to every question.
    pub fn begin(&mut self, held: &[Held]) -> Result<()> {
        self.take(held)?;
        self.freeze(self.lattice.cells.iter().map(|cell| cell.place.period.as_str()).collect())?;
        for audience in Audience::ALL {
            self.world.grant(INDICATOR, audience.code())?;
        }
        Ok(())
    }

    fn take(&mut self, held: &[Held]) -> Result<()> {
        let mut rows = String::from("region,period,unit,handling\n");
        let empty = rows.len();
        for Held { leaf, units, restricted } in held {
            let Place { region, period, .. } = &self.lattice.cells[*leaf].place;
            let handling = if *restricted { RESTRICTED } else { "" };
            for _ in 0..*units {
                self.units[*leaf] += 1;
                let unit = self.units[*leaf];
                rows += &format!("{region},{period},P-{leaf}-{}-{unit},{handling}\n", self.life);
            }
        }
        if rows.len() > empty { self.world.correct(&rows) } else { Ok(()) }
    }

    /// Freezes these periods: runs of one length, as long as a call may name.
    fn freeze(&self, periods: BTreeSet<&str>) -> Result<()> {
        let periods = periods.into_iter().map(|period| Period::parse("period", period));
        let mut periods: Vec<_> = periods.collect::<Result<_, _>>()?;
        periods.sort_unstable();
        let mut runs = Vec::<Vec<Period>>::new();
        for period in periods {
            let follows = |run: &&mut Vec<Period>| {
                let next = run.last().is_some_and(|last| last.next() == period);
                next && run.len() < FREEZE_PERIODS_MAX
            };
            match runs.last_mut().filter(follows) {
                Some(run) => run.push(period),
                None => runs.push(vec![period]),
            }
        }
        for run in runs {
            if let (Some(first), Some(last)) = (run.first(), run.last()) {
                self.world.freeze(&first.to_string(), &last.to_string())?;
            }
        }
        Ok(())
    }

    /// Question blocks for cells: one for each level, with all of its regions.
    fn blocks(&self, cells: &[usize]) -> String {
        let mut levels = BTreeMap::<u32, BTreeSet<&str>>::new();
        for cell in cells {
            let place = &self.lattice.cells[*cell].place;
            levels.entry(place.level).or_default().insert(&place.period);
        }
        let block = |(level, periods): (u32, BTreeSet<&str>)| {
            let periods: Vec<_> = periods.into_iter().collect();
            format!(
                "[[question]]\nindicator = \"{INDICATOR}\"\nregion_level = {level}\n\
                 crime_areas = [\"{AREA}\"]\nperiods = {periods:?}\n"
            )
        };
        levels.into_iter().map(block).collect()
    }

    fn table(&self, audience: Audience, cells: &[usize]) -> Result<Table> {
        Ok(self.world.ask(audience.code(), &self.blocks(cells))?.table().clone())
    }

    /// Cells of a table by region and period.
    fn placed(table: &Table) -> BTreeMap<(String, String), Cell> {
        let placed = table.blocks.iter().flat_map(|block| block.placed());
        placed
            .map(|placed| ((placed.region.to_string(), placed.period.to_string()), placed.cell))
            .collect()
    }

    fn picked(&self, table: &Table, cells: &[usize]) -> Result<Vec<Cell>> {
        let placed = Self::placed(table);
        let pick = |cell: &usize| {
            let Place { region, period, .. } = &self.lattice.cells[*cell].place;
            placed.get(&(region.clone(), period.clone())).copied()
        };
        cells.iter().map(pick).collect::<Option<_>>().context("a cell is not answered")
    }

    /// How many cells may be asked at once, if every region of a level comes with them.
    fn chunks<'a>(&self, cells: &'a [usize]) -> impl Iterator<Item = &'a [usize]> + use<'a> {
        // Cells of one level and period come together in a table; a chunk has few periods.
        cells.chunks(CELLS_MAX / 16)
    }
}

impl Oracle for Asked {
    fn lattice(&self) -> &Lattice {
        &self.lattice
    }

    fn ask(&mut self, audience: Audience, cells: &[usize]) -> Result<Vec<Option<i64>>> {
        let mut figures = Vec::with_capacity(cells.len());
        for chunk in self.chunks(cells) {
            let table = self.table(audience, chunk)?;
            figures.extend(self.picked(&table, chunk)?.into_iter().map(figure));
        }
        Ok(figures)
    }

    fn ask_at_once(
        &mut self,
        audience: Audience,
        cells: &[usize],
        times: usize,
    ) -> Result<Vec<Vec<Option<i64>>>> {
        let resident = self.world.resident()?;
        let blocks = self.blocks(cells);
        let one = resident.signed(audience.code(), &blocks)?;
        // Half of them the very same document, half of them another that asks the same.
        let questions = (0..times).map(|at| {
            if at % 2 == 0 { Ok(one.clone()) } else { resident.signed(audience.code(), &blocks) }
        });
        let questions = questions.collect::<Result<Vec<_>, _>>()?;
        let answers: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = questions
                .into_iter()
                .map(|question| scope.spawn(move || resident.answer(question)))
                .collect();
            threads.into_iter().map(|thread| thread.join().ok()).collect()
        });
        let tables = answers.into_iter().map(|answer| answer.context("an answer died"));
        tables
            .map(|answer| {
                let cells = self.picked(answer??.table(), cells)?;
                Ok(cells.into_iter().map(figure).collect())
            })
            .collect()
    }

    fn seen(&mut self, audience: Audience, cells: &[usize]) -> Result<Vec<u8>> {
        let table = self.table(audience, cells)?;
        let marks = self.picked(&table, cells)?.into_iter().map(|cell| match cell {
            Cell::Value(_) => b'v',
            Cell::NotShown => b'n',
            Cell::NotApplicable => b'a',
            Cell::Missing => b'm',
            Cell::Between(..) => b'b',
        });
        let salting = Salting { secret: &[0; 32], tier: Tier::A };
        let tree = Tree::of(&table, salting, self.world.resident()?.node.lists);
        let size = tree.to_wire(wire::Envelope::default()).encoded_len();
        Ok(marks.chain(size.to_be_bytes()).collect())
    }

    fn ask_odd(&mut self, audience: Audience, odd: &Odd) -> Result<Reply> {
        let resident = self.world.resident()?;
        let cells = match odd {
            Odd::Union(cells) => cells.as_slice(),
            Odd::Twice(cell) | Odd::Spelled(cell, _) => std::slice::from_ref(cell),
        };
        let signed = resident.signed(audience.code(), &self.blocks(&cells[..1]))?;
        let mut requirement = wire::Requirement::decode(signed.payload.as_slice())?;
        let question = requirement.question.as_mut().context("nothing is asked")?;
        let block = question.blocks.first_mut().context("nothing is asked")?;
        match odd {
            Odd::Union(cells) => {
                let periods = cells.iter().map(|cell| &self.lattice.cells[*cell].place.period);
                let periods: BTreeSet<_> = periods.map(String::as_str).collect();
                let periods: Vec<_> = periods.into_iter().collect();
                block.periods = vec![periods.join("+") + "+"];
            }
            Odd::Twice(_) => block.periods.push(block.periods[0].clone()),
            Odd::Spelled(_, Spelling { period, area, level }) => {
                period.iter().for_each(|period| block.periods = vec![period.clone()]);
                area.iter().for_each(|area| block.crime_areas = vec![area.clone()]);
                level.iter().for_each(|level| block.region_level = *level);
            }
        }
        match resident.answer(resident.sign_unchecked(&requirement)) {
            Err(error) => Ok(Reply::Refused(error.to_string())),
            Ok(answer) => {
                let cells = Self::placed(answer.table()).into_values();
                Ok(Reply::Answered(cells.map(figure).collect()))
            }
        }
    }

    fn correct(&mut self, added: &[Held]) -> Result<()> {
        self.take(added)?;
        let periods = added.iter().map(|held| self.lattice.periods_of(held.leaf));
        let periods: Vec<_> = periods.collect::<Result<_>>()?;
        self.freeze(periods.iter().flatten().map(String::as_str).collect())
    }

    fn restart(&mut self) -> Result<()> {
        self.world.restart()
    }

    fn renew_lists(&mut self, leaf: usize) -> Result<()> {
        if !std::mem::replace(&mut self.newer_lists, true) {
            let own =
                [("crime_areas".to_owned(), "code,parent,label\nMIG.AIR,MIG,By air\n".to_owned())];
            let lists = Lists::with_own(&own).ok().context("the newer lists are not taken")?;
            // Lists live as long as the process.
            self.world.lists(Box::leak(Box::new(lists)));
        }
        self.restart()?;
        let periods = self.lattice.periods_of(leaf)?;
        self.freeze(periods.iter().map(String::as_str).collect())
    }
}

fn figure(cell: Cell) -> Option<i64> {
    match cell {
        Cell::Value(value) => Some(value),
        Cell::NotShown | Cell::NotApplicable | Cell::Missing | Cell::Between(..) => None,
    }
}
