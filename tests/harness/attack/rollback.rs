//! T13, the part that is done to a node's disk: kill -9, an older store in the place of the newer, a clone, a clock
//! that is put back. Comes in: a folder, a seed. Goes out: how often a cell showed more figures than it may be
//! drawn, over everything that anybody ever heard.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};

use super::{
    Measure, Outcome,
    cells::Lattice,
    node::Asked,
    oracle::{Audience, DRAWS, Held, Oracle, hold},
};
use crate::{crash::Dice, roles};

/// Units in a leaf that everybody is shown.
const MANY: i64 = 80;
/// Nobody touches its records: every figure of it that differs is another draw.
const VICTIM: usize = 0;
/// Is corrected again and again, and lies in the same month.
const TOUCHED: usize = 12;

fn lattice() -> Result<Lattice> {
    // Fine enough for a second draw: from a coarser one it would give too much away, and is not made.
    Lattice::years("AL", &[0, 3], 2024, 1)
}

/// Figures of the victim's cells that nobody's correction changes, by audience and cell.
#[derive(Debug, Default)]
struct Heard(BTreeMap<(Audience, usize), BTreeSet<i64>>);

impl Heard {
    fn ask(&mut self, oracle: &mut dyn Oracle) -> Result<()> {
        for audience in Audience::ALL {
            let cells = untouched(oracle.lattice());
            for (cell, value) in cells.iter().zip(oracle.ask(audience, &cells)?) {
                self.0.entry((audience, *cell)).or_default().extend(value);
            }
        }
        Ok(())
    }

    /// Cells that showed more figures than they may be drawn, and all.
    fn too_often(&self) -> (usize, usize) {
        let most = |audience: Audience| if audience == Audience::Police { DRAWS } else { 1 };
        let past = self.0.iter().filter(|((audience, _), values)| values.len() > most(*audience));
        (past.count(), self.0.len())
    }
}

fn untouched(lattice: &Lattice) -> Vec<usize> {
    let mut cells = lattice.above(VICTIM);
    cells.retain(|cell| !lattice.cells[*cell].leaves.contains(&TOUCHED));
    cells
}

const CORRECTION: Held = Held { leaf: TOUCHED, units: 1, restricted: false };

/// An older store beside the newer witness, both older, a clone, and a clock that is a year behind.
pub fn put_back(seed: u64, dir: &Path) -> Result<Outcome> {
    let lattice = lattice()?;
    let mut heard = Heard::default();
    let mut node = Asked::live(&dir.join("node"), &lattice, seed, 0)?;
    node.begin(&hold(&vec![MANY; lattice.leaves]))?;
    heard.ask(&mut node)?;
    let (data, older, newer) = (node.world.store(), dir.join("older"), dir.join("newer"));
    node.world.stop();
    copy(&data, &older)?;
    node.world.start()?;
    node.correct(&[CORRECTION])?;
    heard.ask(&mut node)?;

    // A clock that is put back gives nothing new, whether it answers or refuses.
    node.world.pass(-366 * 86_400);
    if node.world.restart().is_ok() {
        let _ = heard.ask(&mut node);
    }
    node.world.pass(366 * 86_400);
    node.world.stop();
    copy(&data, &newer)?;

    // The database of before, the witness of now.
    fs::remove_dir_all(data.join("store"))?;
    copy(&older.join("store"), &data.join("store"))?;
    let accepted = usize::from(node.world.start().is_ok());
    node.world.stop();

    // All of it as it was before the correction, in two places at once.
    fs::remove_dir_all(&data)?;
    copy(&older, &data)?;
    let clone = dir.join("clone");
    copy(&older, &clone.join("data"))?;
    let mut clones = vec![node, Asked::live(&clone, &lattice, seed, 1)?];
    let mut whole = Heard::default();
    for node in &mut clones {
        if node.world.restart().is_ok() {
            whole.ask(node)?;
        }
    }
    let (differ, cells) = {
        let differ = whole.0.values().filter(|values| values.len() > 1).count();
        (differ, whole.0.len())
    };
    let (often, all) = heard.too_often();
    Ok(Outcome {
        attack: "T13 a store that is put back",
        seed,
        measures: vec![
            Measure::never("cells drawn too often", often, all),
            Measure::never("an older store is taken for the newer", accepted, 1),
            Measure::never("cells that a clone shows otherwise", differ, cells),
        ],
    })
}

/// A whole data folder put back, its witness too, which nothing on this computer can notice: the very same correction
/// must give the very same figures.
pub fn restored(seed: u64, dir: &Path) -> Result<Outcome> {
    let lattice = lattice()?;
    let mut node = Asked::live(&dir.join("node"), &lattice, seed, 0)?;
    node.begin(&hold(&vec![MANY; lattice.leaves]))?;
    Heard::default().ask(&mut node)?;
    let (data, older) = (node.world.store(), dir.join("older"));
    node.world.stop();
    copy(&data, &older)?;
    let mut heard = Heard::default();
    for _ in 0..3 {
        node.world.stop();
        fs::remove_dir_all(&data)?;
        copy(&older, &data)?;
        node.world.start()?;
        // The same records under the same names.
        let units = node.units[TOUCHED];
        node.correct(&[CORRECTION])?;
        node.units[TOUCHED] = units;
        heard.ask(&mut node)?;
    }
    let differ = heard.0.values().filter(|values| values.len() > 1).count();
    Ok(Outcome {
        attack: "T13 a folder that is put back",
        seed,
        measures: vec![Measure::never("cells drawn otherwise", differ, heard.0.len())],
    })
}

/// SIGKILL at random moments of importing, freezing and answering, and a start after each.
pub fn killed(seed: u64, program: &Path, dir: &Path, rounds: usize) -> Result<Outcome> {
    let mut dice = Dice(seed);
    let mut heard = Heard::default();
    let (mut answers, mut begun, mut hit) = (0, false, 0);
    for life in 0..rounds {
        let mut child = Command::new(program)
            .arg(roles::ATTACKED)
            .args([dir.as_os_str(), &OsString::from(seed.to_string())])
            .arg(life.to_string())
            .arg(if begun { "again" } else { "first" })
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()?;
        let says = child.stdout.take().context("no standard output")?;
        let (ended, end) = mpsc::channel::<()>();
        let reader = std::thread::spawn(move || -> Vec<String> {
            // Gone when there is nothing more to read.
            let _ended = ended;
            BufReader::new(says).lines().map_while(Result::ok).collect()
        });
        // The first life holds what all others rest on.
        let over = Duration::from_micros(if begun { dice.below(250_000) } else { 60_000_000 });
        let ended = end.recv_timeout(over) == Err(RecvTimeoutError::Disconnected);
        child.kill()?;
        child.wait()?;
        let lines = reader.join().ok().context("the reader died")?;
        ensure!(!(ended && lines.last().is_none_or(|line| line != "over")), "it died: {lines:?}");
        hit += usize::from(!ended);
        begun |= lines.iter().any(|line| line == "begun");
        for line in &lines {
            let mut words = line.split(' ');
            let (Some(audience), Some(cell), Some(value)) =
                (words.next(), words.next(), words.next())
            else {
                continue;
            };
            let audience = Audience::ALL.into_iter().find(|known| known.code() == audience);
            let key = (audience.context("no audience")?, cell.parse()?);
            answers += 1;
            heard.0.entry(key).or_default().insert(value.parse()?);
        }
    }
    ensure!(
        answers > 0 && hit > 0,
        "{answers} answers in {rounds} lives, {hit} of them ended early"
    );
    let (often, all) = heard.too_often();
    Ok(Outcome {
        attack: "T13 kill -9",
        seed,
        measures: vec![Measure::never("cells drawn too often", often, all)],
    })
}

/// The role of a process that is killed: asks, corrects, freezes, asks, and says what it heard.
pub fn ask_until_killed(arguments: &[OsString]) -> ExitCode {
    match live(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "attacked: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn live(arguments: &[OsString]) -> Result<()> {
    let [dir, seed, life, begun] = arguments else { anyhow::bail!("DIR SEED LIFE first|again") };
    let number =
        |text: &OsString| -> Result<u64> { Ok(text.to_str().context("not a number")?.parse()?) };
    let (lattice, life) = (lattice()?, number(life)?);
    let mut node = Asked::live(&PathBuf::from(dir), &lattice, number(seed)?, life)?;
    let mut say = std::io::stdout().lock();
    if begun == "first" {
        node.begin(&hold(&vec![MANY; lattice.leaves]))?;
        writeln!(say, "begun")?;
    }
    let cells = untouched(&lattice);
    for _ in 0..if begun == "first" { 1 } else { 8 } {
        for audience in Audience::ALL {
            for (cell, value) in cells.iter().zip(node.ask(audience, &cells)?) {
                if let Some(value) = value {
                    writeln!(say, "{} {cell} {value}", audience.code())?;
                }
            }
        }
        if begun != "first" {
            node.correct(&[CORRECTION])?;
        }
    }
    writeln!(say, "over")?;
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}
