//! Damage: bits, pages and files of a store that are not what they were. Comes in: how many rounds, and a seed.
//! Goes out: how the damaged copies ended; an error says which one panicked, hung or silently held less.
//!
//! Every round damages a copy of one filled store. It must open with exactly the same content, or be refused
//! by name; then the backup must bring that content back.

use std::{
    ffi::OsString,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use accord_node::store::Store;
use accord_proto::{clock::SystemEntropy, taxonomy::Lists};
use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use crate::{
    crash::{Dice, NODE, import_with},
    federation::{Federation, sample_dir},
    process::Finished,
    roles,
};

const OWNER: &str = "spiffe://wb6.example/AL/node/al-police/node";
/// A store that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);
const PAGE: u64 = 4096;
const QUESTION: &str =
    "indicator = \"PUB.OFF.N\"\ncrime_areas = \"ICCS0101\"\nperiods = \"2016\"\n";

/// How the copies ended.
#[derive(Debug, Default)]
pub struct Ended {
    /// Opened, and held the same.
    pub same: usize,
    /// Refused by name, and restored.
    pub refused: usize,
}

/// The process that opens a store and says what it holds: data folder, journal entries to compare.
pub fn say(arguments: &[OsString]) -> ExitCode {
    let said = || -> Result<Value> {
        let [data, size] = arguments else { bail!("two arguments") };
        let size = size.to_str().context("a size")?.parse()?;
        let store = Store::open(Path::new(data), OWNER, 0, &SystemEntropy)?;
        let (lists, mut records) = (Lists::builtin(), 0_u64);
        let albania = lists.jurisdiction("jurisdiction", "AL")?.code;
        store.records(albania, lists, |_| records += 1)?;
        store.editions(albania, lists, drop)?;
        store.summaries(albania, lists)?;
        Ok(json!({
            "digest": store.digest(size)?,
            "journal_size": store.head().journal().size(),
            "records": records,
            "answers": store.answers(),
            "salt": store.salt(),
        }))
    };
    match said() {
        Ok(said) => {
            let _ = writeln!(std::io::stdout(), "{said}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// A filled store, its backup, and what it holds.
struct Original {
    data: PathBuf,
    backup: PathBuf,
    /// An older state of the same store.
    older: PathBuf,
    holds: Value,
    size: u64,
}

/// Damages copies of a filled store.
pub fn damage(program: &Path, dir: &Path, rounds: usize, seed: u64) -> Result<Ended> {
    let mut dice = Dice(seed);
    let mut federation = Federation::prepare(program.to_owned(), dir, &["AL"])?;
    let original = fill(&mut federation, program)?;
    let data = federation.nodes.get(NODE).context("no node")?.home.join("data");
    let mut ended = Ended::default();
    for round in 0..rounds {
        reset(&original.data, &data)?;
        let done = spoil(&data, &original.older, &mut dice)?;
        one(program, &original, &data, &mut ended)
            .with_context(|| format!("round {round}: {done}"))?;
    }
    Ok(ended)
}

/// How one damaged copy ends.
fn one(program: &Path, original: &Original, data: &Path, ended: &mut Ended) -> Result<()> {
    let opened = ask(program, data, original.size)?;
    calm(&opened)?;
    if opened.code == Some(0) {
        ensure!(
            opened.json(&[0])? == original.holds,
            "opened with other content: {}",
            opened.stdout
        );
        ended.same += 1;
        return Ok(());
    }
    ensure!(opened.code == Some(1), "ended with {:?}: {}", opened.code, opened.stderr);
    let named = |finished: &Finished| {
        finished.stderr.contains("STORE_FAILED") && finished.stderr.contains("/data")
    };
    ensure!(named(&opened), "does not name the store: {}", opened.stderr);
    // The node itself: refused again, in words for its operator.
    let mut command = Command::new(program);
    let config = data.with_file_name("node.toml");
    command.arg(roles::NODE).args(["serve", "--config"]).arg(config);
    let served = patiently(command)?;
    calm(&served)?;
    ensure!(served.code == Some(1) && named(&served), "{:?}: {}", served.code, served.stderr);

    fs::remove_dir_all(data)?;
    let mut command = Command::new(program);
    command.arg(roles::NODE).arg("restore").arg(&original.backup).arg("--data").arg(data);
    let restored = patiently(command)?;
    ensure!(restored.code == Some(0), "not restored: {}", restored.stderr);
    let mut holds = ask(program, data, original.size)?.json(&[0])?;
    holds["journal_size"] = original.size.into();
    ensure!(holds == original.holds, "restored to other content: {holds}");
    ended.refused += 1;
    Ok(())
}

/// No panic, whoever caught it.
fn calm(finished: &Finished) -> Result<()> {
    let said = ["panicked", "RUST_BACKTRACE", "an error of this program"];
    let loud = said.iter().find(|said| finished.stderr.contains(**said));
    ensure!(loud.is_none(), "panicked: {}", finished.stderr);
    Ok(())
}

/// Something in every room.
fn fill(federation: &mut Federation, program: &Path) -> Result<Original> {
    federation.start()?;
    let home = federation.nodes.get(NODE).context("no node")?.home.clone();
    let (data, dir) = (home.join("data"), federation.dir.clone());
    federation.with_sample()?;
    let mapping = sample_dir().join("mapping.toml").display().to_string();
    federation.desk(NODE, "analyst", &["mapping", "save", "kept", &mapping])?.json(&[0])?;
    let summary = dir.join("summary.toml");
    fs::write(&summary, include_str!("../../deploy/summary.toml"))?;
    let summary = summary.display().to_string();
    federation.desk(NODE, "analyst", &["summary", "create", &summary])?.json(&[0])?;
    let requirement = federation.issue(&[QUESTION])?;
    federation.gather(&requirement)?;
    let older = dir.join("older");
    federation.node_server(NODE)?.kill();
    reset(&data, &older)?;
    federation.start_node(NODE)?;
    for round in 0..6 {
        let imported = import_with(federation, round, if round == 3 { 12_000 } else { 10 })?;
        imported.ok().context("an import was refused")?;
    }
    federation.desk(NODE, "analyst", &["import", "undo", "3", "--why", "test"])?.json(&[0])?;
    let to = dir.display().to_string();
    let backup = federation.desk(NODE, "operator", &["backup", "--to", &to])?.json(&[0])?;
    let backup = PathBuf::from(backup["backup"].as_str().context("no backup")?);
    federation.node_server(NODE)?.kill();
    let size = ask(program, &data, 0)?.json(&[0])?;
    let size = size["journal_size"].as_u64().context("no size")?;
    let holds = ask(program, &data, size)?.json(&[0])?;
    let original = dir.join("original");
    reset(&data, &original)?;
    Ok(Original { data: original, backup, older, holds, size })
}

/// Opens a store in a process of its own.
fn ask(program: &Path, data: &Path, size: u64) -> Result<Finished> {
    let mut command = Command::new(program);
    command.arg(roles::STORE).arg(data).arg(size.to_string());
    patiently(command)
}

/// Runs a command to its end, or kills it when it takes too long.
fn patiently(mut command: Command) -> Result<Finished> {
    let said = tempfile::tempdir()?;
    let (stdout, stderr) = (said.path().join("stdout"), said.path().join("stderr"));
    command.stdin(Stdio::piped()).stdout(fs::File::create(&stdout)?);
    let mut child = command.stderr(fs::File::create(&stderr)?).spawn()?;
    let started = Instant::now();
    let code = loop {
        if let Some(status) = child.try_wait()? {
            break status.code();
        }
        if started.elapsed() > PATIENCE {
            let _ = child.kill();
            let _ = child.wait();
            bail!("hangs: {}", String::from_utf8_lossy(&fs::read(&stderr)?));
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let text = |path: &Path| {
        Ok::<_, std::io::Error>(String::from_utf8_lossy(&fs::read(path)?).into_owned())
    };
    Ok(Finished { code, stdout: text(&stdout)?, stderr: text(&stderr)? })
}

/// A fresh copy of a folder.
fn reset(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::create_dir_all(to)?;
    for file in files(from)? {
        let to = to.join(file.strip_prefix(from)?);
        fs::create_dir_all(to.parent().context("no folder")?)?;
        fs::copy(&file, to)?;
    }
    Ok(())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            files.extend(self::files(&entry.path())?);
        } else {
            files.push(entry.path());
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// One accident; says which.
fn spoil(data: &Path, older: &Path, dice: &mut Dice) -> Result<String> {
    let files = files(data)?;
    let pick = |dice: &mut Dice| {
        let at = usize::try_from(dice.below(files.len() as u64))?;
        files.get(at).cloned().context("no file")
    };
    // Most of a store is its log: half of the accidents happen there.
    let log = data.join("store/db");
    let file = if dice.below(2) == 0 { log } else { pick(dice)? };
    let mut bytes = fs::read(&file)?;
    let length = bytes.len() as u64;
    let kind = dice.below(6);
    let at = usize::try_from(dice.below(length))?;
    match kind {
        0 => {
            let bit = dice.below(8);
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << bit;
            }
        }
        1 => bytes.truncate(at),
        2 => {
            let page = at / usize::try_from(PAGE)? * usize::try_from(PAGE)?;
            bytes.iter_mut().skip(page).take(usize::try_from(PAGE)?).for_each(|byte| *byte = 0);
        }
        3 => {
            fs::remove_file(&file)?;
            return Ok(format!("{} deleted", file.display()));
        }
        4 => {
            let other = pick(dice)?;
            fs::write(&file, fs::read(&other)?)?;
            fs::write(&other, bytes)?;
            return Ok(format!("{} and {} swapped", file.display(), other.display()));
        }
        _ => {
            // An older copy of the store's files, the witness as it is.
            fs::remove_dir_all(data.join("store"))?;
            reset(&older.join("store"), &data.join("store"))?;
            return Ok("the store rolled back".to_owned());
        }
    }
    fs::write(&file, bytes)?;
    let kind = ["a bit flipped", "cut off", "a page zeroed"].get(usize::try_from(kind)?);
    Ok(format!("{} {} at {at} of {length}", file.display(), kind.unwrap_or(&"")))
}
