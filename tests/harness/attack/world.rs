//! A whole node without listeners, built from files: real store, import, freeze, consent and answer. Comes in: a
//! jurisdiction, rows with their mapping, both policy files, a seed. Goes out: the tables that an audience gets.
//!
//! Time and dice follow from the seed: the same files and the same seed, and then the same acts, give the same
//! bytes. Worlds that differ in one victim only are twins.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use accord_proto::{
    answer::SealedTable,
    clock::{Clock, Entropy, Timestamp},
    reason::Invalid,
    seal::Digest,
    taxonomy::{JurisdictionCode, Lists},
};
use anyhow::{Context as _, Result, ensure};

use super::reference::mix;
use crate::resident::Resident;

/// What a world is built from.
#[derive(Clone, Debug)]
pub struct WorldSpec {
    /// Whom the node speaks for.
    pub jurisdiction: String,
    /// The code lists.
    pub lists: &'static Lists,
    /// The mapping file's text.
    pub mapping: String,
    /// CSV text; empty: nothing is imported yet.
    pub rows: String,
    /// Text of `policy.toml`.
    pub policy: String,
    /// Text of `policy.secret.toml`, if there is one.
    pub secret: Option<String>,
    /// Makes time and dice.
    pub seed: u64,
}

/// A clock that goes on by a millisecond whenever it is read.
#[derive(Debug)]
struct Stepping(AtomicI64);

impl Clock for Stepping {
    fn now_ms(&self) -> i64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

/// Dice that follow from a seed.
#[derive(Debug)]
pub(crate) struct Seeded {
    seed: u64,
    purpose: String,
    drawn: AtomicU64,
}

impl Seeded {
    pub(crate) fn new(seed: u64, purpose: &str) -> Self {
        Self { seed, purpose: purpose.to_owned(), drawn: AtomicU64::new(0) }
    }
}

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Invalid> {
        for chunk in bytes.chunks_mut(32) {
            let drawn = self.drawn.fetch_add(1, Ordering::SeqCst);
            let parts = [self.seed.to_be_bytes(), drawn.to_be_bytes()];
            let parts = [self.purpose.as_bytes(), parts[0].as_slice(), parts[1].as_slice()];
            chunk.copy_from_slice(&Digest::of_parts(parts).0[..chunk.len()]);
        }
        Ok(())
    }
}

/// What the store says while somebody else has it open, and how long that is waited for: on a machine that is busy
/// with other work, the threads of the database that hold it may not run for many seconds.
const LOCKED: &str = "another process has this store open";
const LOCKED_MAX: Duration = Duration::from_secs(60);

/// 2026-11-24, when every world begins.
pub(crate) const BEGIN_MS: i64 = 1_795_478_400_000;

/// A node in a folder.
pub struct World {
    dir: PathBuf,
    spec: WorldSpec,
    clock: Arc<Stepping>,
    entropy: Arc<Seeded>,
    imported: usize,
    /// None only while it is down.
    resident: Option<Resident>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "World({}, seed {})", self.dir.display(), self.spec.seed)
    }
}

impl World {
    /// Makes the node in a new folder, and imports what the spec holds.
    pub fn build(dir: &Path, spec: WorldSpec) -> Result<Self> {
        fs::create_dir_all(dir)?;
        let rows = spec.rows.clone();
        let mut world = Self::reopen(dir, spec, 0)?;
        if !rows.is_empty() {
            world.correct(&rows)?;
        }
        Ok(world)
    }

    /// A node whose folder is there already, in another process for the `life`th time: a day later, with other dice.
    pub fn reopen(dir: &Path, spec: WorldSpec, life: u64) -> Result<Self> {
        let passed = i64::try_from(life)?.saturating_mul(86_400_000);
        let dice = if life == 0 { spec.seed } else { mix(&[spec.seed, life]) };
        let mut world = Self {
            dir: dir.to_owned(),
            clock: Arc::new(Stepping(AtomicI64::new(BEGIN_MS.saturating_add(passed)))),
            entropy: Arc::new(Seeded::new(dice, "node")),
            spec,
            imported: usize::try_from(life)?.saturating_mul(1_000),
            resident: None,
        };
        world.start()?;
        Ok(world)
    }

    /// Starts it again with what its folder holds.
    pub fn start(&mut self) -> Result<()> {
        let spec = &self.spec;
        let jurisdiction =
            JurisdictionCode::parse(&spec.jurisdiction).context("not a jurisdiction")?;
        let open = || {
            Resident::open_as(
                &self.store(),
                spec.lists,
                jurisdiction,
                [&spec.policy, spec.secret.as_deref().unwrap_or_default()],
                (self.clock.clone(), self.entropy.clone()),
                &Seeded::new(spec.seed, "keys"),
            )
        };
        // A process that another test is starting just now holds the lock of every store that is open, for a moment.
        let until = Instant::now() + LOCKED_MAX;
        let resident = loop {
            match open() {
                Err(error) if Instant::now() < until && format!("{error:#}").contains(LOCKED) => {
                    thread::yield_now();
                }
                opened => break opened?,
            }
        };
        self.resident = Some(resident);
        Ok(())
    }

    /// Ends it.
    pub fn stop(&mut self) {
        self.resident = None;
    }

    /// Ends it and starts it again.
    pub fn restart(&mut self) -> Result<()> {
        self.stop();
        self.start()
    }

    /// Where its store is, with the witness beside it.
    pub fn store(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// Other code lists, from the next start on.
    pub fn lists(&mut self, lists: &'static Lists) {
        self.spec.lists = lists;
    }

    /// Another policy, from the next start on.
    pub fn policy(&mut self, policy: &str) {
        policy.clone_into(&mut self.spec.policy);
    }

    /// Moves its clock.
    pub fn pass(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds.saturating_mul(1000), Ordering::SeqCst);
    }

    /// Now, there.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// From now on, until it is started again, people look at what leaves.
    pub fn by_hand(&mut self) -> Result<()> {
        let resident = self.resident.as_mut().context("the node is down")?;
        resident.node.release = accord_node::inbox::Rules { by_hand: true };
        Ok(())
    }

    /// The node itself.
    pub fn resident(&self) -> Result<&Resident> {
        self.resident.as_ref().context("the node is down")
    }

    /// Imports rows as the mapping says; every one must be taken.
    pub fn correct(&mut self, rows: &str) -> Result<()> {
        self.imported += 1;
        let file = self.dir.join(format!("rows-{}.csv", self.imported));
        fs::write(&file, rows)?;
        let imported = self.resident()?.import(&file, &self.spec.mapping)?;
        let quarantined = imported.quarantined.len();
        ensure!(quarantined == 0, "{quarantined} rows are not taken");
        Ok(())
    }

    /// Freezes the periods from `first` to `last`; how many editions there are then.
    pub fn freeze(&self, first: &str, last: &str) -> Result<usize> {
        self.resident()?.freeze(first, last)
    }

    /// Consents to every question of an audience about an indicator.
    pub fn grant(&self, indicator: &str, audience: &str) -> Result<()> {
        self.resident()?.grant_to(indicator, audience)
    }

    /// Asks these question blocks (as in `requirement.toml`) for an audience: signed, decided, sealed, opened.
    pub fn ask(&self, audience: &str, blocks: &str) -> Result<SealedTable> {
        let resident = self.resident()?;
        Ok(resident.answer(resident.signed(audience, blocks)?)?)
    }
}
