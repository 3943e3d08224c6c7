//! What too many calls do. Comes in: for how long. Goes out: calls a second at their peak, and at four times as many what is still
//! served, how soon the rest is refused, whether health answers, and what it takes in memory; then the same with
//! connections that say nothing.
//!
//! One node in a process of its own; callers are many of its staff, each with a certificate of their own.

use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use accord_proto::{
    clock::SystemClock,
    identity::Identity,
    pki::Authority,
    transport::{Credentials, Expected, channel::Channel, connection::connect},
    wire::desk::{GetStatusRequest, desk_client::DeskClient},
};
use anyhow::{Context as _, Result};
use tokio::{net::TcpStream, runtime::Runtime, sync::Semaphore, task::JoinSet};
use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_types::StatusExt as _;

use super::{NODE, quantile, ratio_row};
use crate::{
    federation::Federation,
    peers,
    report::{Report, Row},
};

/// Staff of a large agency, all at once.
const CALLERS: usize = 64;
/// Calls under way at the peak.
const AT_PEAK: usize = 32;
/// Four times as many calls as can be served.
const TIMES: u32 = 4;
/// Calls that may wait at the callers' side.
const IN_FLIGHT_MAX: usize = 4_096;
/// Connections of strangers who say nothing.
const SILENT: usize = 64;

/// What came of calls.
#[derive(Default)]
struct Outcomes {
    served_ms: Mutex<Vec<f64>>,
    refused_ms: Mutex<Vec<f64>>,
    without_hint: AtomicUsize,
    failed: Mutex<Option<String>>,
    skipped: AtomicUsize,
}

/// Topic `overload`: `seconds` of each kind.
pub fn overload(program: &Path, dir: &Path, seconds: u64) -> Result<Report> {
    let (runtime, time) = (Runtime::new()?, Duration::from_secs(seconds));
    let mut federation = Federation::prepare(program.to_owned(), dir, &["AL"])?;
    let authority = Authority::new("measured staff", &SystemClock)?;
    let home = federation.nodes[NODE].home.clone();
    std::fs::write(home.join("keys/staff-ca.crt"), authority.certificate_pem())?;
    federation.start_node(NODE)?;
    let callers = runtime.block_on(callers(&federation, &authority, dir))?;
    let process = federation.node_server(NODE)?.id();

    let peak = runtime.block_on(at_peak(&callers, time))?;
    let peak_rate = rate(&peak, time);
    let before_mib = resident_mib(process)?;
    let per_second = peak_rate * f64::from(TIMES);
    let (flood, health_ms) = runtime.block_on(flooded(&callers, per_second, time))?;
    let grown_mib = resident_mib(process)? - before_mib;
    let silent = silence(&federation, &runtime, SILENT)?;
    let beside_silent = runtime.block_on(at_peak(&callers, time))?;
    let beside_silent = rate(&beside_silent, time);
    drop(silent);

    let plain = |name: &str, value: f64, unit: &str| Row {
        name: name.to_owned(),
        value,
        unit: unit.to_owned(),
        yardstick: String::new(),
        ratio: None,
    };
    let of = |times: &Mutex<Vec<f64>>, at| {
        let mut times = times.lock().unwrap_or_else(PoisonError::into_inner).clone();
        times.sort_unstable_by(f64::total_cmp);
        if times.is_empty() { 0.0 } else { quantile(&times, at) }
    };
    let goodput = rate(&flood, time);
    let refused = flood.refused_ms.lock().unwrap_or_else(PoisonError::into_inner).len();
    let at_peak_of = "calls a second at their peak";
    let rows = vec![
        plain("served at the peak", peak_rate, "calls/s"),
        plain("at the peak, p99", of(&peak.served_ms, 0.99), "ms"),
        ratio_row(
            format!("served at {TIMES} times as many"),
            goodput,
            "calls/s",
            peak_rate,
            at_peak_of,
        ),
        plain("… p99 of those served", of(&flood.served_ms, 0.99), "ms"),
        plain("… refused", refused as f64 / time.as_secs_f64(), "calls/s"),
        plain("… refused after, median", of(&flood.refused_ms, 0.5), "ms"),
        plain("… refused after, p99", of(&flood.refused_ms, 0.99), "ms"),
        plain("… refused without saying when to try again", count(&flood.without_hint), "calls"),
        plain("… health answers after, most", health_ms, "ms"),
        plain("… memory grows by", grown_mib, "MiB"),
        ratio_row(
            format!("served beside {SILENT} silent connections"),
            beside_silent,
            "calls/s",
            peak_rate,
            at_peak_of,
        ),
    ];
    let mut left_out = vec!["callers take turns with the node on the same processors".to_owned()];
    let skipped = count(&flood.skipped);
    if skipped > 0.0 {
        left_out.push(format!("{skipped} calls that the callers themselves had no room for"));
    }
    for (what, outcomes) in [("peak", &peak), ("flood", &flood)] {
        let failed = outcomes.failed.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(why) = failed {
            left_out.push(format!("{what}: calls that failed otherwise, such as {why}"));
        }
    }
    Ok(Report { topic: "overload".to_owned(), rows, left_out })
}

#[expect(clippy::cast_precision_loss, reason = "a count of calls")]
fn count(of: &AtomicUsize) -> f64 {
    of.load(Ordering::Relaxed) as f64
}

#[expect(clippy::cast_precision_loss, reason = "a count of calls")]
fn rate(of: &Outcomes, time: Duration) -> f64 {
    let served = of.served_ms.lock().unwrap_or_else(PoisonError::into_inner).len();
    served as f64 / time.as_secs_f64()
}

/// A connection for each of the staff.
async fn callers(
    federation: &Federation,
    authority: &Authority,
    dir: &Path,
) -> Result<Vec<Channel>> {
    let ca = std::fs::read_to_string(dir.join("federation/ca.crt"))?;
    let mut callers = Vec::new();
    for at in 0..CALLERS {
        let person = Identity::parse(&format!("spiffe://wb6.example/AL/staff/test-{at}/auditor"))?;
        let issued = authority.issue(&person)?;
        let keys = dir.join(format!("caller-{at}"));
        std::fs::create_dir_all(&keys)?;
        std::fs::write(keys.join("tls.crt"), &issued.certificate_pem)?;
        std::fs::write(keys.join("ca.crt"), &ca)?;
        accord_proto::transport::write_secret(&keys.join("tls.key"), &issued.key_pem)?;
        let credentials: Credentials = peers::credentials(&keys)?;
        let expected = Expected { identity: peers::identity(federation, NODE)?, spki: None };
        callers.push(connect(&federation.nodes[NODE].desk, &credentials, expected).await?);
    }
    Ok(callers)
}

async fn call(channel: Channel, outcomes: &Outcomes) {
    let begun = Instant::now();
    let outcome = DeskClient::new(channel).get_status(GetStatusRequest {}).await;
    let took = begun.elapsed().as_secs_f64() * 1_000.0;
    let put = |times: &Mutex<Vec<f64>>| {
        times.lock().unwrap_or_else(PoisonError::into_inner).push(took);
    };
    match outcome {
        Ok(_) => put(&outcomes.served_ms),
        Err(status) if status.code() == Code::ResourceExhausted => {
            put(&outcomes.refused_ms);
            if status.get_details_retry_info().is_none() {
                outcomes.without_hint.fetch_add(1, Ordering::Relaxed);
            }
        }
        Err(status) => {
            let why = status.to_string();
            outcomes.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
        }
    }
}

/// As many as can be served: each caller's next call begins when one has ended.
async fn at_peak(callers: &[Channel], time: Duration) -> Result<Arc<Outcomes>> {
    let (outcomes, until) = (Arc::new(Outcomes::default()), Instant::now() + time);
    let mut workers = JoinSet::new();
    for at in 0..AT_PEAK {
        let mine: Vec<_> = callers.iter().skip(at).step_by(AT_PEAK).cloned().collect();
        let outcomes = Arc::clone(&outcomes);
        workers.spawn(async move {
            for channel in mine.iter().cycle() {
                if Instant::now() >= until {
                    break;
                }
                call(channel.clone(), &outcomes).await;
            }
        });
    }
    while let Some(ended) = workers.join_next().await {
        ended?;
    }
    Ok(outcomes)
}

/// Calls at a pace of their own, whatever becomes of them; and how long health takes at most meanwhile.
async fn flooded(
    callers: &[Channel],
    per_second: f64,
    time: Duration,
) -> Result<(Arc<Outcomes>, f64)> {
    let (outcomes, room) = (Arc::new(Outcomes::default()), Arc::new(Semaphore::new(IN_FLIGHT_MAX)));
    let until = Instant::now() + time;
    let watched = callers.first().context("no callers")?.clone();
    let health = tokio::spawn(async move {
        let (mut most, mut pace) = (0.0_f64, tokio::time::interval(Duration::from_millis(50)));
        while Instant::now() < until {
            pace.tick().await;
            let begun = Instant::now();
            HealthClient::new(watched.clone()).check(HealthCheckRequest::default()).await?;
            most = most.max(begun.elapsed().as_secs_f64() * 1_000.0);
        }
        Ok::<_, tonic::Status>(most)
    });
    // A burst every few milliseconds: one timer for each call would be the bottleneck.
    let mut pace = tokio::time::interval(Duration::from_millis(5));
    let (begun, mut made) = (Instant::now(), 0.0_f64);
    let mut calls = JoinSet::new();
    let mut turn = callers.iter().cycle();
    while Instant::now() < until {
        pace.tick().await;
        let due = begun.elapsed().as_secs_f64() * per_second;
        while made < due {
            made += 1.0;
            let (Ok(place), Some(channel)) = (Arc::clone(&room).try_acquire_owned(), turn.next())
            else {
                outcomes.skipped.fetch_add(1, Ordering::Relaxed);
                continue;
            };
            let (channel, outcomes) = (channel.clone(), Arc::clone(&outcomes));
            calls.spawn(async move {
                call(channel, &outcomes).await;
                drop(place);
            });
        }
        while calls.try_join_next().is_some() {}
    }
    while calls.join_next().await.is_some() {}
    Ok((outcomes, health.await??))
}

/// Strangers who connect and say nothing.
fn silence(federation: &Federation, runtime: &Runtime, many: usize) -> Result<Vec<TcpStream>> {
    let address = federation.nodes[NODE].desk.clone();
    runtime.block_on(async {
        let mut silent = Vec::new();
        for _ in 0..many {
            silent.push(TcpStream::connect(&address).await?);
        }
        Ok(silent)
    })
}

fn resident_mib(process: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib / 1_024.0)
}
