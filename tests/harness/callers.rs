//! Honest callers of a desk, many of its staff at once. Comes in: whom they call, how many and how often. Goes out: what came of
//! each call, and how soon.
//!
//! Also a process of its own, so that what is measured of a service is not what its callers take.

use std::{
    ffi::OsString,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use accord_proto::{
    identity::Identity,
    pki::Authority,
    transport::{Expected, channel::Channel, connection::connect, write_secret},
    wire::desk::{GetTemplateRequest, ListMappingsRequest, desk_client::DeskClient},
};
use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use tokio::{sync::Semaphore, task::JoinSet};
use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_types::StatusExt as _;

use crate::{peers, vitals};

/// Calls that may wait at the callers' side.
const IN_FLIGHT_MAX: usize = 4_096;
/// A burst every few milliseconds: one timer for each call would be the bottleneck.
const BURST_EVERY: Duration = Duration::from_millis(5);

/// Who calls whom.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Callers {
    /// host:port of the desk.
    pub address: String,
    /// Whom they expect there.
    pub node: String,
    /// A folder of keys for each of them.
    pub keys: Vec<PathBuf>,
    /// What they want.
    pub what: What,
}

/// What they call for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    /// The mappings that the node keeps: little work, and nothing that waits for a disk.
    Mappings,
    /// A workbook to fill in: as much work of a processor as calls take that count.
    Template,
}

impl What {
    async fn ask(self, channel: Channel) -> Result<(), tonic::Status> {
        let mut desk = DeskClient::new(channel);
        match self {
            Self::Mappings => desk.list_mappings(ListMappingsRequest {}).await.map(drop),
            Self::Template => {
                let indicator = "PUB.OFF.N".to_owned();
                let wanted = GetTemplateRequest { indicator, ..GetTemplateRequest::default() };
                desk.get_template(wanted).await.map(drop)
            }
        }
    }
}

/// How they call.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum How {
    /// So many calls at a time: the next begins when one has ended.
    InTurn(usize),
    /// So many a second, whatever becomes of them.
    PerSecond(f64),
    /// The same, and each over a connection of its own.
    Anew(f64),
}

/// What came of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Outcomes {
    /// Served, each after so many milliseconds.
    pub served_ms: Vec<f64>,
    /// Refused as too many, each after so many milliseconds.
    pub refused_ms: Vec<f64>,
    /// Of these, without a word on when to try again.
    pub without_hint: usize,
    /// What else came of calls, one line each.
    pub failed: Vec<String>,
    /// Calls that the callers themselves had no room for.
    pub skipped: usize,
    /// The longest that health took, asked all the while.
    pub health_ms: f64,
    /// Share of one processor that the callers took.
    pub processor: f64,
}

impl Callers {
    /// Makes certificates for so many of a node's staff.
    pub fn enrol(
        authority: &Authority,
        dir: &Path,
        (address, node): (&str, &Identity),
        many: usize,
    ) -> Result<Self> {
        let ca = std::fs::read_to_string(dir.join("federation/ca.crt"))?;
        let keys: Vec<_> = (0..many).map(|at| dir.join(format!("caller-{at}"))).collect();
        for (at, keys) in keys.iter().enumerate() {
            let person = Identity::parse(&format!("spiffe://wb6.example/AL/staff/c{at}/auditor"))?;
            let issued = authority.issue(&person)?;
            std::fs::create_dir_all(keys)?;
            std::fs::write(keys.join("tls.crt"), &issued.certificate_pem)?;
            std::fs::write(keys.join("ca.crt"), &ca)?;
            write_secret(&keys.join("tls.key"), &issued.key_pem)?;
        }
        let (address, node) = (address.to_owned(), node.to_string());
        Ok(Self { address, node, keys, what: What::Mappings })
    }

    async fn connect(&self, keys: &Path) -> Result<Channel> {
        let expected = Expected { identity: Identity::parse(&self.node)?, spki: None };
        Ok(connect(&self.address, &peers::credentials(keys)?, expected).await?)
    }

    /// Calls for so long.
    pub async fn call(&self, how: How, time: Duration) -> Result<Outcomes> {
        let mut channels = Vec::new();
        for keys in &self.keys {
            channels.push(self.connect(keys).await?);
        }
        let outcomes = Arc::new(Mutex::new(Outcomes::default()));
        let (begun, processor) = (Instant::now(), vitals::processor_s(std::process::id())?);
        let until = begun + time;
        let watched = channels.first().context("no callers")?.clone();
        let health = tokio::spawn(health(watched, until));
        match how {
            How::InTurn(many) => {
                in_turn((&channels, self.what), many, (until, &outcomes)).await?;
            }
            How::PerSecond(rate) => {
                let mut turn = channels.iter().cycle().cloned();
                let next = || turn.next().map(|channel| (channel, self.what));
                paced(rate, (until, &outcomes), next, |of, outcomes| async move {
                    call(of, &outcomes).await;
                })
                .await;
            }
            How::Anew(rate) => {
                let callers = Arc::new(self.clone());
                let mut turn = self.keys.iter().cycle().cloned();
                let next = || turn.next().map(|keys| (Arc::clone(&callers), keys));
                paced(rate, (until, &outcomes), next, |(callers, keys), outcomes| async move {
                    call_anew(&callers, &keys, &outcomes).await;
                })
                .await;
            }
        }
        let health_ms = health.await??;
        let took = vitals::processor_s(std::process::id())? - processor;
        let mut outcomes =
            std::mem::take(&mut *outcomes.lock().unwrap_or_else(PoisonError::into_inner));
        outcomes.health_ms = health_ms;
        outcomes.processor = took / begun.elapsed().as_secs_f64();
        Ok(outcomes)
    }
}

/// Asks for health all the while, and says how long it took at most.
async fn health(channel: Channel, until: Instant) -> Result<f64, tonic::Status> {
    let (mut most, mut pace) = (0.0_f64, tokio::time::interval(Duration::from_millis(50)));
    while Instant::now() < until {
        pace.tick().await;
        let begun = Instant::now();
        HealthClient::new(channel.clone()).check(HealthCheckRequest::default()).await?;
        most = most.max(ms(begun));
    }
    Ok(most)
}

async fn in_turn(
    (channels, what): (&[Channel], What),
    many: usize,
    (until, outcomes): (Instant, &Arc<Mutex<Outcomes>>),
) -> Result<()> {
    let mut workers = JoinSet::new();
    for at in 0..many {
        let mine: Vec<_> = channels.iter().skip(at).step_by(many).cloned().collect();
        let outcomes = Arc::clone(outcomes);
        workers.spawn(async move {
            for channel in mine.iter().cycle() {
                if Instant::now() >= until {
                    break;
                }
                call((channel.clone(), what), &outcomes).await;
            }
        });
    }
    while let Some(ended) = workers.join_next().await {
        ended?;
    }
    Ok(())
}

async fn paced<Of, Called>(
    per_second: f64,
    (until, outcomes): (Instant, &Arc<Mutex<Outcomes>>),
    mut next: impl FnMut() -> Option<Of>,
    call: impl Fn(Of, Arc<Mutex<Outcomes>>) -> Called,
) where
    Called: Future<Output = ()> + Send + 'static,
{
    let room = Arc::new(Semaphore::new(IN_FLIGHT_MAX));
    let mut pace = tokio::time::interval(BURST_EVERY);
    let (begun, mut made) = (Instant::now(), 0.0_f64);
    let mut calls = JoinSet::new();
    while Instant::now() < until {
        pace.tick().await;
        let due = begun.elapsed().as_secs_f64() * per_second;
        while made < due {
            made += 1.0;
            let (Ok(place), Some(of)) = (Arc::clone(&room).try_acquire_owned(), next()) else {
                note(outcomes, |outcomes| outcomes.skipped += 1);
                continue;
            };
            let called = call(of, Arc::clone(outcomes));
            calls.spawn(async move {
                called.await;
                drop(place);
            });
        }
        while calls.try_join_next().is_some() {}
    }
    while calls.join_next().await.is_some() {}
}

async fn call((channel, what): (Channel, What), outcomes: &Mutex<Outcomes>) {
    let begun = Instant::now();
    let outcome = what.ask(channel).await;
    let took = ms(begun);
    note(outcomes, |outcomes| match outcome {
        Ok(()) => outcomes.served_ms.push(took),
        Err(status) if status.code() == Code::ResourceExhausted => {
            outcomes.refused_ms.push(took);
            outcomes.without_hint += usize::from(status.get_details_retry_info().is_none());
        }
        Err(status) => outcomes.failed.push(status.to_string()),
    });
}

/// A connection, and one call over it: what a command does.
async fn call_anew(callers: &Callers, keys: &Path, outcomes: &Mutex<Outcomes>) {
    let begun = Instant::now();
    let called = async {
        let channel = callers.connect(keys).await?;
        Ok::<_, anyhow::Error>(callers.what.ask(channel).await?)
    };
    let (outcome, took) = (called.await, ms(begun));
    note(outcomes, |outcomes| match outcome {
        Ok(()) => outcomes.served_ms.push(took),
        Err(error) => outcomes.failed.push(format!("{error:#}")),
    });
}

fn note(outcomes: &Mutex<Outcomes>, what: impl FnOnce(&mut Outcomes)) {
    what(&mut outcomes.lock().unwrap_or_else(PoisonError::into_inner));
}

fn ms(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1_000.0
}

/// Callers as a process: who, how and milliseconds, as JSON; what came of it goes to standard output.
pub fn run(arguments: &[OsString]) -> ExitCode {
    let called = || -> Result<()> {
        let spec = arguments.first().and_then(|spec| spec.to_str()).context("no callers")?;
        let (callers, how, ms): (Callers, How, u64) = serde_json::from_str(spec)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let outcomes = runtime.block_on(callers.call(how, Duration::from_millis(ms)))?;
        Ok(writeln!(io::stdout(), "{}", serde_json::to_string(&outcomes)?)?)
    };
    match called() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "callers: {error:#}");
            ExitCode::FAILURE
        }
    }
}
