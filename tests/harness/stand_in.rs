//! A node whose disclosure is played. Comes in: what it is to say of every cell. Goes out: tables truly sealed with
//! the node's own key, for whatever it is asked, in any mode. It holds nothing and decides nothing.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use accord_proto::{
    answer::Seal,
    clock::{Clock as _, SystemClock},
    identity::Name,
    limits::SEAL_VALID_S,
    question::{Block, SignedRequirement},
    reason::Invalid,
    regional::DEVIATION,
    roster::Roster,
    seal::{Digest, SecretKey},
    table::{Cell, Contribution, Mode, Table, TableBlock, coordinates},
    taxonomy::{JurisdictionCode, Lists},
    tree::{Salting, Tree},
    wire::{self, answer_response::Outcome},
};
use anyhow::{Context as _, Result};
use tokio::task::JoinHandle;
use tonic::Status;

use crate::{
    federation::Federation,
    peers::{self, Answers},
};

/// Seals of all stand-ins of this process.
static SEALED: AtomicU64 = AtomicU64::new(0);

/// What it says of every cell.
#[derive(Clone, Copy, Debug)]
pub struct Says {
    /// In which mode.
    pub mode: Mode,
    /// What the cell is.
    pub cell: Cell,
    /// Mode protected only.
    pub standard_error_milli: u64,
    /// Jurisdictions that it wants behind a regional figure; 0: as many as are demanded anyway.
    pub minimum_contributors: u32,
    /// How it declares to count otherwise: terms of the vocabulary.
    pub deviations: &'static [&'static str],
}

impl Says {
    /// A public figure.
    pub fn open(value: i64) -> Self {
        Self::of(Mode::Open, value, 0)
    }

    /// A figure with noise.
    pub fn protected(value: i64, standard_error_milli: u64) -> Self {
        Self::of(Mode::Protected, value, standard_error_milli)
    }

    fn of(mode: Mode, value: i64, standard_error_milli: u64) -> Self {
        let cell = Cell::Value(value);
        Self { mode, cell, standard_error_milli, minimum_contributors: 0, deviations: &[] }
    }
}

/// A node that is played. What it says may be changed while it serves: `says` is shared.
#[derive(Debug)]
pub struct StandIn {
    node: Name,
    jurisdiction: JurisdictionCode,
    key: SecretKey,
    roster: Roster,
    says: Arc<Mutex<Says>>,
    journal: peers::Journal,
}

impl StandIn {
    /// Takes the place of a node that does not run.
    pub fn of(federation: &Federation, node: &str, says: Arc<Mutex<Says>>) -> Result<Self> {
        let roster = peers::roster(federation)?;
        let name = Name::parse("node", node)?;
        let jurisdiction = roster.member(&name).context("no such node")?.jurisdiction;
        let key = peers::secret_key(federation, &format!("{node}/keys/seal.key"))?;
        let journal = peers::Journal::empty(federation, node)?;
        Ok(Self { node: name, jurisdiction, key, roster, says, journal })
    }

    /// Serves at the node's own address until the task is aborted.
    pub async fn serve(
        federation: &Federation,
        node: &str,
        says: Arc<Mutex<Says>>,
    ) -> Result<JoinHandle<()>> {
        let address = federation.nodes.get(node).context("no such node")?.exchange.clone();
        let credentials = peers::credentials(&federation.dir.join(node).join("keys"))?;
        peers::serve(Self::of(federation, node, says)?, &address, credentials).await
    }

    /// The sealed table for a requirement.
    pub fn seal(&self, asked: &SignedRequirement, lists: &Lists) -> wire::SealedTable {
        let says = *self.says.lock().unwrap_or_else(PoisonError::into_inner);
        let requirement = asked.requirement();
        let blocks = requirement.question.blocks.iter();
        let table = Table {
            node: self.node.clone(),
            jurisdiction: self.jurisdiction,
            lists: lists.name().to_owned(),
            editions: Vec::new(),
            blocks: blocks.map(|block| self.block(block, says, lists)).collect(),
        };
        let salting = Salting { secret: &[0; 32], tier: lists.tier(requirement.audience) };
        let (tree, now) = (Tree::of(&table, salting, lists), SystemClock.now());
        // Strictly increasing, also over another stand-in for the same node, and never the next number: what came
        // before is not remembered here.
        let second = u64::try_from(now.as_s()).unwrap_or(0);
        let sequence = second * 1_000_000 + SEALED.fetch_add(2, Ordering::Relaxed);
        let seal = Seal {
            node: self.node.clone(),
            jurisdiction: self.jurisdiction,
            requirement: requirement.id,
            requirement_digest: asked.digest(),
            authority: requirement.authority.clone(),
            audience: requirement.audience,
            table_digest: tree.digest(),
            snapshot: table.snapshot(),
            question_digest: asked.question_digest(),
            consent_epoch: sequence,
            consent_digest: Digest([0; 32]),
            policy_digest: Digest([0; 32]),
            policy_commitment: Digest([0; 32]),
            issued_at: now,
            expires_at: now.plus_s(SEAL_VALID_S),
            supersedes: Some(Digest([0; 32])),
            previous: None,
            sequence,
            single_handed: false,
        };
        tree.to_wire(seal.sign(&self.key))
    }

    fn block(&self, block: &Block, says: Says, lists: &Lists) -> TableBlock {
        let Block { indicator, region_level, crime_areas, periods, categories } = block.clone();
        let regions = lists.regions_of(self.jurisdiction, region_level);
        let cells = coordinates(&crime_areas, &regions, &periods, &categories);
        let deviations = lists.terms(DEVIATION);
        let deviations = deviations.filter(|term| says.deviations.contains(&term.code.as_str()));
        let mut deviations: Vec<_> = deviations.map(|term| term.code).collect();
        deviations.sort_unstable();
        let errors = if says.mode == Mode::Protected { periods.len() } else { 0 };
        TableBlock {
            indicator,
            mode: says.mode,
            cells: cells.map(|_| says.cell).collect(),
            standard_error_milli: vec![says.standard_error_milli; errors],
            contribution: Contribution::Pooled,
            minimum_contributors: says.minimum_contributors,
            deviations,
            crime_areas,
            regions,
            periods,
            categories,
        }
    }
}

impl Answers for StandIn {
    fn answer(&self, request: wire::AnswerRequest) -> Result<wire::AnswerResponse, Status> {
        let lists = Lists::builtin();
        let open = |envelope| SignedRequirement::open(envelope, &self.roster, lists);
        let asked: Result<_, Invalid> = open(request.requirement.unwrap_or_default());
        let sealed = self.seal(&asked?, lists);
        Ok(wire::AnswerResponse { outcome: Some(Outcome::Sealed(sealed)) })
    }

    fn journal(&self) -> Option<&peers::Journal> {
        Some(&self.journal)
    }
}
