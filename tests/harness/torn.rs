//! Releases that are torn: kill -9 while a node answers many questions at once. Comes in: how many rounds, and a seed.
//! Goes out: how many answers were given before the kill and after it; an error says what does not hold together.
//!
//! The coordinator is played with its own keys over real TLS. Every question is about a month that no other one asks
//! about, so what the ledger says of a month tells whether that one answer was charged, and once.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
    time::Instant,
};

use accord_proto::{
    question::SignedRequirement,
    transport::channel::Channel,
    wire::{self, answer_response::Outcome, exchange_client::ExchangeClient},
};
use anyhow::{Context as _, Result, bail, ensure};
use prost::Message as _;
use serde_json::Value;
use tokio::{runtime::Runtime, task::JoinSet};

use crate::{
    crash::{Dice, NODE},
    federation::Federation,
    peers,
    process::Server,
};

/// Questions that are under way at once.
pub const AT_ONCE: usize = 32;
/// So many connections one caller may have.
const CONNECTIONS: usize = 8;
/// Rounds that there are months for.
pub const ROUNDS_MAX: usize = 20;
/// Persons found in every month: enough to be shown.
pub(crate) const PERSONS: usize = 40;
/// Times that whoever kills lets others go first, at most: about as long as a few answers take.
const YIELDS_MAX: u64 = 20_000;
const MAPPING: &str = "source = \"made up for a crash test\"\nrows = \"events\"\n[columns]\n\
    unit = \"person\"\nperiod = \"month\"\n[constants]\nindicator = \"MIG.IBC.N\"\ncrime_area = \"MIG\"\n";
const CONSENT: [&str; 10] = [
    "--indicator",
    "MIG.IBC.N",
    "--purpose",
    "THREAT-ASSESSMENT",
    "--audience",
    "POLICE",
    "--from",
    "2020-01-01",
    "--until",
    "2090-01-01",
];

/// What came of it.
#[derive(Debug, Default)]
pub struct Torn {
    /// Rounds that there were months for.
    pub rounds: usize,
    /// Answers that the client had been given when the node was killed.
    pub given: usize,
    /// Questions that the node had answered without anybody having heard of it.
    pub unheard: usize,
    /// Questions that were answered only when asked again.
    pub later: usize,
    /// Longest time of a round after the kill, in milliseconds.
    pub recovery_ms_max: u128,
}

/// A question of a round, and the month that it is about.
struct Asked {
    month: String,
    requirement: SignedRequirement,
}

impl Asked {
    fn id(&self) -> String {
        self.requirement.requirement().id.to_string()
    }
}

/// One node, killed with SIGKILL at a random instant of [`AT_ONCE`] releases, in every round.
pub fn releases(program: &Path, dir: &Path, rounds: usize, seed: u64) -> Result<Torn> {
    let mut dice = Dice(seed);
    let mut federation = Federation::prepare(program.to_owned(), dir, &["AL"])?;
    federation.start_node(NODE)?;
    let rounds = rounds.min(ROUNDS_MAX);
    let months = fill(&federation, NODE, rounds * AT_ONCE)?;
    let runtime = Runtime::new()?;
    let mut torn = Torn { rounds, ..Torn::default() };
    for months in months.chunks(AT_ONCE) {
        let asked: Vec<_> =
            months.iter().map(|month| ask(&federation, month)).collect::<Result<_>>()?;
        let nth = usize::try_from(dice.below(AT_ONCE as u64))?;
        let yields = dice.below(YIELDS_MAX);
        let server = federation.node_server(NODE)?.clone();
        let given = runtime.block_on(async {
            let clients = connect(&federation).await?;
            until_killed(&clients, &asked, &server, (nth, yields)).await
        })?;
        let killed = Instant::now();
        federation.start_node(NODE)?;
        let unheard = holds_together(&federation, &asked, &given)?;
        let again = runtime.block_on(async {
            let clients = connect(&federation).await?;
            all(&clients, &asked).await
        })?;
        for (id, bytes) in &given {
            ensure!(again.get(id) == Some(bytes), "{id} was answered, and now otherwise");
        }
        is_over(&federation, &asked)?;
        torn.given += given.len();
        torn.unheard += unheard;
        torn.later += asked.len() - given.len() - unheard;
        torn.recovery_ms_max = torn.recovery_ms_max.max(killed.elapsed().as_millis());
    }
    Ok(torn)
}

/// Persons in so many months, frozen and consented to. The months, in their order.
pub(crate) fn fill(federation: &Federation, node: &str, months: usize) -> Result<Vec<String>> {
    let months: Vec<_> =
        (0..months).map(|month| format!("{}-{:02}", 1960 + month / 12, month % 12 + 1)).collect();
    let mut rows = String::from("person,month\n");
    for month in &months {
        for person in 0..PERSONS {
            writeln!(rows, "P-{month}-{person},{month}")?;
        }
    }
    let (file, mapping) = (federation.dir.join("persons.csv"), federation.dir.join("persons.toml"));
    fs::write(&file, rows)?;
    fs::write(&mapping, MAPPING)?;
    federation.import(node, &file, &mapping)?.json(&[0])?;
    for months in months.chunks(AT_ONCE) {
        let (first, last) = (months.first().context("none")?, months.last().context("none")?);
        federation.desk(node, "releaser", &["freeze", first, last])?.json(&[0])?;
    }
    federation.grant(node, &CONSENT)?;
    Ok(months)
}

fn ask(federation: &Federation, month: &str) -> Result<Asked> {
    let block = format!("indicator = \"MIG.IBC.N\"\ncrime_areas = \"MIG\"\nperiods = {month:?}\n");
    let requirement = peers::requirement(federation, &[&block])?;
    Ok(Asked { month: month.to_owned(), requirement })
}

/// As many connections as one caller may have, as the coordinator.
async fn connect(federation: &Federation) -> Result<Vec<ExchangeClient<Channel>>> {
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        clients.push(peers::coordinator(federation, NODE).await?);
    }
    Ok(clients)
}

/// Sends every question at once.
fn send(
    clients: &[ExchangeClient<Channel>],
    asked: &[Asked],
) -> JoinSet<(String, Result<wire::AnswerResponse, tonic::Status>)> {
    let mut calls = JoinSet::new();
    for (asked, client) in asked.iter().zip(clients.iter().cycle()) {
        let (id, mut client) = (asked.id(), client.clone());
        let requirement = Some(asked.requirement.envelope().clone());
        calls.spawn(async move {
            let answer = client.answer(wire::AnswerRequest { requirement }).await;
            (id, answer.map(tonic::Response::into_inner))
        });
    }
    calls
}

/// Exact bytes of every answer that was given until the node was killed: when the `nth` had arrived, and a moment later.
async fn until_killed(
    clients: &[ExchangeClient<Channel>],
    asked: &[Asked],
    server: &Server,
    (nth, yields): (usize, u64),
) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut calls = send(clients, asked);
    let mut given = BTreeMap::new();
    let mut killed = false;
    loop {
        if given.len() >= nth && !killed {
            for _ in 0..yields {
                tokio::task::yield_now().await;
            }
            server.kill();
            killed = true;
        }
        let Some(call) = calls.join_next().await else { return Ok(given) };
        match call? {
            (id, Ok(answer)) => {
                sealed(&id, &answer)?;
                given.insert(id, answer.encode_to_vec());
            }
            (_, Err(_)) if killed => {}
            (id, Err(status)) => bail!("{id} was refused by a node that lives: {status}"),
        }
    }
}

/// Exact bytes of every answer, from a node that lives.
async fn all(
    clients: &[ExchangeClient<Channel>],
    asked: &[Asked],
) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut calls = send(clients, asked);
    let mut given = BTreeMap::new();
    while let Some(call) = calls.join_next().await {
        let (id, answer) = call?;
        let answer = answer.with_context(|| format!("{id} is not answered after the crash"))?;
        sealed(&id, &answer)?;
        given.insert(id, answer.encode_to_vec());
    }
    Ok(given)
}

fn sealed(id: &str, answer: &wire::AnswerResponse) -> Result<()> {
    ensure!(matches!(answer.outcome, Some(Outcome::Sealed(_))), "{id} got no table");
    Ok(())
}

/// Before anything is asked again: journal, ledger and inbox say the same, and no less than what left. How many
/// questions were answered without anybody having heard.
fn holds_together(
    federation: &Federation,
    asked: &[Asked],
    given: &BTreeMap<String, Vec<u8>>,
) -> Result<usize> {
    let disclosed = disclosed(federation, NODE)?;
    let (charged, states) = (charged(federation, NODE)?, states(federation)?);
    for asked in asked {
        let id = asked.id();
        let recorded = disclosed.iter().filter(|subject| **subject == id).count();
        let state = states.get(&id).map(String::as_str);
        let paid = charged.contains(&asked.month);
        let whole = match recorded {
            // Not taken in, or taken in and not yet decided: it is decided when it is asked again.
            0 => matches!(state, None | Some("received")) && !paid,
            1 => state == Some("answered") && paid,
            _ => false,
        };
        ensure!(whole, "{id}: on record {recorded} times, charged: {paid}, in state {state:?}");
        ensure!(recorded == 1 || !given.contains_key(&id), "{id} left and is not on record");
    }
    let of_round = asked.iter().filter(|asked| disclosed.contains(&asked.id())).count();
    Ok(of_round - given.len())
}

/// After everything was asked again: all answered and charged, and the journal as it was signed.
fn is_over(federation: &Federation, asked: &[Asked]) -> Result<()> {
    let (charged, states) = (charged(federation, NODE)?, states(federation)?);
    for asked in asked {
        let id = asked.id();
        let state = states.get(&id).map(String::as_str);
        ensure!(state == Some("answered"), "{id} hangs in state {state:?}");
        ensure!(charged.contains(&asked.month), "{id} is answered and not charged");
    }
    federation.desk(NODE, "auditor", &["journal", "verify"])?.json(&[0])?;
    Ok(())
}

/// The subject of every disclosure that is on record.
pub(crate) fn disclosed(federation: &Federation, node: &str) -> Result<Vec<String>> {
    let arguments = ["journal", "list", "--act", "disclosure", "--last", "0"];
    let listed = federation.desk(node, "auditor", &["journal", "verify"])?;
    listed.json(&[0]).context("the journal after the crash")?;
    texts(&federation.desk(node, "auditor", &arguments)?.json(&[0])?, "subject")
}

/// The months that have been paid for: each for what one answer costs, neither more nor less.
pub(crate) fn charged(federation: &Federation, node: &str) -> Result<BTreeSet<String>> {
    let lines = federation.desk(node, "auditor", &["budget"])?.json(&[0])?;
    let lines = lines.as_array().context("no lines")?.iter();
    let spent = |line: &Value| line["spent"].as_f64().filter(|spent| *spent > 0.0);
    let paid: Vec<_> = lines.filter_map(|line| Some((line, spent(line)?))).collect();
    let once = paid.iter().map(|(_, spent)| *spent).fold(f64::INFINITY, f64::min);
    let mut months = BTreeSet::new();
    for (line, spent) in paid {
        ensure!(spent <= once, "charged more than once: {line}");
        months.extend(line["period"].as_str().map(str::to_owned));
    }
    Ok(months)
}

/// Requirements of the inbox with their states.
fn states(federation: &Federation) -> Result<BTreeMap<String, String>> {
    let listed = federation.desk(NODE, "auditor", &["inbox", "list"])?.json(&[0])?;
    Ok(texts(&listed, "requirement")?.into_iter().zip(texts(&listed, "state")?).collect())
}

/// One field of every row.
fn texts(rows: &Value, field: &str) -> Result<Vec<String>> {
    let rows = rows.as_array().context("no rows")?.iter();
    rows.map(|row| {
        Ok(row[field].as_str().with_context(|| format!("no {field}: {row}"))?.to_owned())
    })
    .collect()
}
