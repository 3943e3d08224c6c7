//! Measurements, each beside a yardstick of the same run: ratios travel between machines, seconds do not.
//!
//! Here: what an answer costs, beside a plain echo of the same size over the same TLS plus one fsynced
//! append of the same size.

use std::{
    ffi::OsString,
    fs::File,
    future::Future,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    sync::Mutex,
    time::{Duration, Instant},
};

use accord_proto::{
    question::SignedRequirement,
    taxonomy::Lists,
    transport::channel::Channel,
    wire::{self, exchange_client::ExchangeClient},
};
use anyhow::{Context as _, Result, ensure};
use prost::Message as _;

use crate::{
    federation::{Federation, STANDING},
    peers::{self, Scripted},
    process::Server,
    report::{Report, Row},
    roles,
};

mod backup;
mod disclose;
mod gather;
mod ingest;
mod journal;
mod overload;
mod picture;
mod slice;
mod start;
mod utility;

pub use backup::backup;
pub use disclose::disclose;
pub use gather::gather;
pub use ingest::ingest;
pub use journal::journal;
pub use overload::overload;
pub use picture::{picture, probe as probe_picture};
pub use slice::slice;
pub use start::{probe, start};
pub use utility::{PRISONERS_MAPPING, utility};

const NODE: &str = "al-police";
/// 20 crime areas × 25 years.
const CELLS: usize = 500;
const FIRST_YEAR: usize = 1996;
const YEARS: usize = 25;
const MAPPING: &str = "source = \"generated for a measurement\"\n\
    [columns]\ncrime_area = \"area\"\nperiod = \"year\"\nvalue = \"n\"\n[constants]\nindicator = \"PUB.OFF.N\"\n";
const YARDSTICK: &str = "echo over the same TLS + one fsynced append of the same size";
/// Calls under way at once when throughput is measured: 4 connections × 4.
const CONNECTIONS: usize = 4;
const IN_FLIGHT: usize = 4;

/// The yardstick process: certificate folder, address, file to append to, file with the answer.
pub fn echo(arguments: &[OsString]) -> ExitCode {
    let serve = || -> Result<()> {
        let [keys, address, append, response] = arguments else { anyhow::bail!("four arguments") };
        let response = wire::AnswerResponse::decode(std::fs::read(response)?.as_slice())?;
        let append = File::options().create(true).append(true).open(append)?;
        let scripted = Scripted { response, append: Some(Mutex::new(append)), journal: None };
        let address = address.to_str().context("an address")?;
        tokio::runtime::Runtime::new()?.block_on(async {
            let serving = scripted.serve(address, peers::credentials(Path::new(keys))?).await?;
            use std::io::Write as _;
            writeln!(std::io::stderr(), "echo serving")?;
            Ok(serving.await?)
        })
    };
    if serve().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A node that holds 500 cells, and an echo beside it.
struct Bench {
    federation: Federation,
    echo: Server,
    echo_address: String,
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.echo.kill();
    }
}

/// Topic `answer`: `calls` of each kind.
pub fn answer(program: PathBuf, dir: &Path, calls: usize) -> Result<Report> {
    let runtime = tokio::runtime::Runtime::new()?;
    let (bench, asked) = prepare(program, dir, calls * 2 + 1, &runtime)?;
    let one = |address: &str| runtime.block_on(connect(&bench, address));
    let node_address = bench.federation.nodes[NODE].exchange.clone();
    let (mut node, mut echo) = (one(&node_address)?, one(&bench.echo_address)?);

    let repeated = &asked[0];
    runtime.block_on(call(&mut node, repeated))?;
    let (mut echo_times, mut first_times, mut repeated_times) =
        (Vec::new(), Vec::new(), Vec::new());
    let timed = |client: &mut _, what: &SignedRequirement, times: &mut Vec<Duration>| {
        let started = Instant::now();
        runtime.block_on(call(client, what))?;
        times.push(started.elapsed());
        Ok::<_, anyhow::Error>(())
    };
    for first in &asked[1..=calls] {
        // Turn about, so that whatever else the machine does falls on all three.
        timed(&mut echo, repeated, &mut echo_times)?;
        timed(&mut node, first, &mut first_times)?;
        timed(&mut node, repeated, &mut repeated_times)?;
    }
    let [echo_ms, first_ms, repeated_ms] =
        [echo_times, first_times, repeated_times].map(|mut times| median_ms(&mut times));

    let many = |address: &str| {
        let connecting = (0..CONNECTIONS).map(|_| connect(&bench, address));
        runtime.block_on(async { all(connecting).await })
    };
    let (nodes, echoes) = (many(&node_address)?, many(&bench.echo_address)?);
    let same = vec![repeated.clone(); calls];
    let fresh = asked[calls + 1..].to_vec();
    let echo_rate = runtime.block_on(rate(&echoes, same.clone()))?;
    let first_rate = runtime.block_on(rate(&nodes, fresh))?;
    let repeated_rate = runtime.block_on(rate(&nodes, same))?;

    let row = |name: &str, value: f64, unit: &str, yardstick: f64| Row {
        name: name.to_owned(),
        value,
        unit: unit.to_owned(),
        yardstick: format!("{yardstick:.2} {unit}: {YARDSTICK}"),
        ratio: Some(value / yardstick),
    };
    Ok(Report {
        topic: "answer".to_owned(),
        rows: vec![
            row("first answer, 500 cells, median", first_ms, "ms", echo_ms),
            row("repeated answer, 500 cells, median", repeated_ms, "ms", echo_ms),
            row("first answers, 16 in flight", first_rate, "answers/s", echo_rate),
            row("repeated answers, 16 in flight", repeated_rate, "answers/s", echo_rate),
        ],
        left_out: Vec::new(),
    })
}

fn prepare(
    program: PathBuf,
    dir: &Path,
    requirements: usize,
    runtime: &tokio::runtime::Runtime,
) -> Result<(Bench, Vec<SignedRequirement>)> {
    let mut federation = Federation::prepare(program.clone(), dir, &["AL"])?;
    federation.start_node(NODE)?;
    let lists = Lists::builtin();
    let offences = lists.indicator("indicator", "PUB.OFF.N")?;
    let areas: Vec<_> = lists.crime_areas_of(offences).take(CELLS / YEARS).collect();
    let years: Vec<_> = (FIRST_YEAR..FIRST_YEAR + YEARS).collect();
    let rows = areas
        .iter()
        .flat_map(|area| years.iter().map(move |year| format!("{area},{year},{}\n", year % 97)));
    let (file, mapping) = (dir.join("import.csv"), dir.join("mapping.toml"));
    std::fs::write(&file, format!("area,year,n\n{}", rows.collect::<String>()))?;
    std::fs::write(&mapping, MAPPING)?;
    federation.import(NODE, &file, &mapping)?.json(&[0])?;
    let (first, last) = (FIRST_YEAR.to_string(), (FIRST_YEAR + YEARS - 1).to_string());
    federation.desk(NODE, "releaser", &["freeze", &first, &last])?.json(&[0])?;
    federation.grant(NODE, &STANDING)?;

    let quoted: Vec<_> = areas.iter().map(|area| format!("\"{area}\"")).collect();
    let block = format!(
        "indicator = \"PUB.OFF.N\"\ncrime_areas = [{}]\nperiods = \"{first}..{last}\"\n",
        quoted.join(", ")
    );
    let asked: Vec<_> = (0..requirements)
        .map(|_| peers::requirement(&federation, &[&block]))
        .collect::<Result<_>>()?;

    let keys = dir.join("al-police/keys");
    let echo_address = federation.region.clone();
    let response = runtime.block_on(async {
        let mut client = peers::coordinator(&federation, NODE).await?;
        let request = wire::AnswerRequest { requirement: Some(asked[0].envelope().clone()) };
        Ok::<_, anyhow::Error>(client.answer(request).await?.into_inner())
    })?;
    std::fs::write(dir.join("response"), response.encode_to_vec())?;
    let mut command = Command::new(program);
    command
        .arg(roles::ECHO)
        .arg(keys)
        .arg(&echo_address)
        .arg(dir.join("append"))
        .arg(dir.join("response"));
    let echo = Server::start(command, &dir.join("echo.log"))?;
    Ok((Bench { federation, echo, echo_address }, asked))
}

async fn connect(bench: &Bench, address: &str) -> Result<ExchangeClient<Channel>> {
    let coordinator = peers::credentials(&bench.federation.dir.join("coordinator/keys"))?;
    let expected = accord_proto::transport::Expected {
        identity: peers::identity(&bench.federation, NODE)?,
        spki: None,
    };
    let channel =
        accord_proto::transport::connection::connect(address, &coordinator, expected).await?;
    Ok(ExchangeClient::new(channel))
}

async fn call(client: &mut ExchangeClient<Channel>, asked: &SignedRequirement) -> Result<()> {
    let request = wire::AnswerRequest { requirement: Some(asked.envelope().clone()) };
    let response = client.answer(request).await?.into_inner();
    ensure!(response.outcome.is_some(), "an answer that says nothing");
    Ok(())
}

/// Calls a second, with every connection keeping some calls under way.
async fn rate(clients: &[ExchangeClient<Channel>], asked: Vec<SignedRequirement>) -> Result<f64> {
    let calls = asked.len();
    let queue = std::sync::Arc::new(Mutex::new(asked));
    let started = Instant::now();
    let mut workers = tokio::task::JoinSet::new();
    for client in clients {
        for _ in 0..IN_FLIGHT {
            let (mut client, queue) = (client.clone(), std::sync::Arc::clone(&queue));
            workers.spawn(async move {
                loop {
                    let next =
                        queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop();
                    let Some(next) = next else {
                        return Ok::<_, anyhow::Error>(());
                    };
                    call(&mut client, &next).await?;
                }
            });
        }
    }
    while let Some(ended) = workers.join_next().await {
        ended??;
    }
    Ok(f64::from(u32::try_from(calls)?) / started.elapsed().as_secs_f64())
}

async fn all<T>(
    connecting: impl Iterator<Item = impl Future<Output = Result<T>>>,
) -> Result<Vec<T>> {
    let mut connected = Vec::new();
    for connecting in connecting {
        connected.push(connecting.await?);
    }
    Ok(connected)
}

fn median_ms(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
}

/// A figure, and the yardstick's of the same unit.
fn ratio_row(name: String, value: f64, unit: &str, yardstick: f64, what: &str) -> Row {
    let ratio = Some(value / yardstick);
    let yardstick = format!("{yardstick:.2} {unit}: {what}");
    Row { name, value, unit: unit.to_owned(), yardstick, ratio }
}

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}

fn count(of: usize) -> f64 {
    u32::try_from(of).map_or(f64::MAX, f64::from)
}

fn rows_per_s(rows: usize, time: Duration) -> f64 {
    count(rows) / seconds(time)
}

/// The least: whatever else a machine does only adds.
fn best(times: impl Iterator<Item = Duration>) -> Result<Duration> {
    times.min().context("nothing was measured")
}

/// The median time of a call, of `rounds` after one that warms up.
fn median(rounds: usize, mut call: impl FnMut() -> Result<()>) -> Result<Duration> {
    call()?;
    let mut times = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let started = Instant::now();
        call()?;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    times.get(times.len() / 2).copied().context("nothing was measured")
}

/// The value below which this share of them lies; ascending, 0 if there are none.
fn quantile(ascending: &[f64], share: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "not many")]
    #[expect(clippy::cast_possible_truncation, reason = "a place among them")]
    #[expect(clippy::cast_sign_loss, reason = "a share is not below 0")]
    let at = ((ascending.len().saturating_sub(1)) as f64 * share).round() as usize;
    ascending.get(at).copied().unwrap_or(0.0)
}
