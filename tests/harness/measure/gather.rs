//! What a gather costs. Comes in: how many rounds. Goes out: for 6, 27 and 200 members the time of a first and of a repeated
//! gather of 500 cells each, beside raw calls of the same bytes to the same members, which append what they answer and fsync;
//! the coordinator's memory, and how both grow.
//!
//! The coordinator is a process of its own, over real TLS. Members are played, in this process: the same for both.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use accord_proto::{
    client::{ClientFile, within},
    limits::{ANSWER_BYTES_MAX, LONG_CALL_TIMEOUT},
    question::SignedRequirement,
    strict,
    taxonomy::Lists,
    transport::{Credentials, Expected, channel::Channel, connection::connect},
    wire::{
        self,
        exchange_client::ExchangeClient,
        region::{GatherRequest, gather_response::Event, region_client::RegionClient},
    },
};
use anyhow::{Context as _, Result, ensure};
use prost::Message as _;
use tokio::{runtime::Runtime, task::JoinSet};
use tonic::Status;

use super::{CELLS, FIRST_YEAR, YEARS, quantile, ratio_row};
use crate::{
    federation::{Federation, SIX},
    peers::{self, Answers},
    report::{Report, Row},
    stand_in::{Says, StandIn},
};

const SIZES: [usize; 3] = [6, 27, 200];
const YARDSTICK: &str = "raw calls of the same bytes, with TLS, one fsynced append per member";

/// A member that makes an answer once, and appends it whenever it gives it.
struct Kept {
    member: StandIn,
    answers: Mutex<BTreeMap<Vec<u8>, wire::AnswerResponse>>,
    append: Mutex<File>,
}

impl Answers for Kept {
    fn answer(&self, request: wire::AnswerRequest) -> Result<wire::AnswerResponse, Status> {
        let key = request.requirement.clone().unwrap_or_default().payload;
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = match answers.get(&key) {
            Some(answer) => answer.clone(),
            None => self.member.answer(request)?,
        };
        answers.insert(key, answer.clone());
        drop(answers);
        let mut append = self.append.lock().unwrap_or_else(PoisonError::into_inner);
        let written = append.write_all(&answer.encode_to_vec()).and_then(|()| append.sync_all());
        written.map_err(|error| Status::internal(error.to_string()))?;
        Ok(answer)
    }

    fn journal(&self) -> Option<&peers::Journal> {
        self.member.journal()
    }
}

/// Topic `gather`.
pub fn gather(program: &Path, dir: &Path, rounds: usize) -> Result<Report> {
    let (mut rows, runtime) = (Vec::new(), Runtime::new()?);
    std::fs::create_dir_all(dir)?;
    let mut last: Option<[f64; 2]> = None;
    for members in SIZES {
        let at = dir.join(members.to_string());
        let [warm_ms, peak_mib] =
            size(program.to_owned(), &at, (members, rounds), &runtime, &mut rows)?;
        if let Some([before_ms, before_mib]) = last {
            let grew = [(warm_ms / before_ms, "time"), (peak_mib / before_mib, "memory")];
            rows.extend(grew.map(|(value, of)| Row {
                name: format!("{members} members: {of} beside the size before"),
                value,
                unit: "times".to_owned(),
                yardstick: String::new(),
                ratio: None,
            }));
        }
        last = Some([warm_ms, peak_mib]);
    }
    let left_out = vec!["nodes of their own: members are played, in one process".to_owned()];
    Ok(Report { topic: "gather".to_owned(), rows, left_out })
}

/// One size; the median of repeated gathers in milliseconds, and the coordinator's most memory in MiB.
fn size(
    program: PathBuf,
    dir: &Path,
    (members, rounds): (usize, usize),
    runtime: &Runtime,
    rows: &mut Vec<Row>,
) -> Result<[f64; 2]> {
    let jurisdictions: Vec<_> = (0..members).map(|at| SIX[at % SIX.len()]).collect();
    let mut federation = Federation::prepare(program, dir, &jurisdictions)?;
    federation.start_coordinator()?;
    let mut serving = Vec::new();
    for node in federation.nodes.keys() {
        let says = Says::open(7);
        let kept = Kept {
            member: StandIn::of(&federation, node, Arc::new(Mutex::new(says)))?,
            answers: Mutex::default(),
            append: Mutex::new(File::create(dir.join(format!("{node}.append")))?),
        };
        let keys = peers::credentials(&dir.join(node).join("keys"))?;
        let address = &federation.nodes[node].exchange;
        serving.push(runtime.block_on(peers::serve(kept, address, keys))?);
    }
    let analyst = dir.join("coordinator/staff/analyst/client.toml");
    let mut region = RegionClient::new(runtime.block_on(ClientFile::connect(&analyst))?)
        .max_decoding_message_size(64 << 20);
    let (mut first, mut again, mut raw) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds.max(3) {
        let requirement = federation.issue(&[&question()?])?;
        let asked = asked(&federation, &requirement, runtime, &mut region)?;
        // Members make their answers once, before anything is measured.
        runtime.block_on(call_all(&federation, &asked))?;
        for time in 0..3 {
            raw.push(ms(runtime.block_on(call_all(&federation, &asked))?));
            let took = ms(runtime.block_on(gathered(&mut region, &requirement, members))?);
            if time == 0 { first.push(took) } else { again.push(took) }
        }
    }
    let peak_mib = peak_mib(federation.coordinator_server()?.id())?;
    serving.iter().for_each(tokio::task::JoinHandle::abort);
    for times in [&mut first, &mut again, &mut raw] {
        times.sort_unstable_by(f64::total_cmp);
    }
    let [first_ms, again_ms, raw_ms] = [&first, &again, &raw].map(|times| quantile(times, 0.5));
    let of = |what: &str| format!("{members} members, 500 cells each: {what}");
    rows.push(ratio_row(of("first gather, median"), first_ms, "ms", raw_ms, YARDSTICK));
    rows.push(ratio_row(of("repeated gather, median"), again_ms, "ms", raw_ms, YARDSTICK));
    let worst = [&again, &raw].map(|times| quantile(times, 0.95));
    rows.push(ratio_row(of("repeated gather, p95"), worst[0], "ms", worst[1], YARDSTICK));
    rows.push(Row {
        name: of("coordinator, most memory"),
        value: peak_mib,
        unit: "MiB".to_owned(),
        yardstick: String::new(),
        ratio: None,
    });
    Ok([again_ms, peak_mib])
}

fn question() -> Result<String> {
    let lists = Lists::builtin();
    let offences = lists.indicator("indicator", "PUB.OFF.N")?;
    let areas = lists.crime_areas_of(offences).take(CELLS / YEARS);
    let areas: Vec<_> = areas.map(|area| format!("\"{area}\"")).collect();
    let (first, last) = (FIRST_YEAR, FIRST_YEAR + YEARS - 1);
    let areas = areas.join(", ");
    Ok(format!(
        "indicator = \"PUB.OFF.N\"\ncrime_areas = [{areas}]\nperiods = \"{first}..{last}\"\n"
    ))
}

/// The requirement as the coordinator has it.
fn asked(
    federation: &Federation,
    requirement: &str,
    runtime: &Runtime,
    region: &mut RegionClient<Channel>,
) -> Result<SignedRequirement> {
    let request = wire::region::ListRequirementsRequest { page_size: 1, page_token: String::new() };
    let page = runtime.block_on(region.list_requirements(request))?.into_inner();
    let newest = page.requirements.into_iter().next().context("no requirement")?;
    let envelope = newest.requirement.unwrap_or_default();
    let asked: wire::Requirement = strict::decode_signed("requirement", &envelope.payload)?;
    ensure!(asked.requirement == requirement, "another one is newer");
    Ok(SignedRequirement::open(envelope, &peers::roster(federation)?, Lists::builtin())?)
}

/// Everybody at once, as plainly as it can be done.
async fn call_all(federation: &Federation, asked: &SignedRequirement) -> Result<Duration> {
    let coordinator = peers::credentials(&federation.dir.join("coordinator/keys"))?;
    let started = Instant::now();
    let mut calls = JoinSet::new();
    for (node, of) in &federation.nodes {
        let expected = Expected { identity: peers::identity(federation, node)?, spki: None };
        let (address, credentials) = (of.exchange.clone(), coordinator.clone());
        calls.spawn(call(address, credentials, expected, asked.envelope().clone()));
    }
    while let Some(called) = calls.join_next().await {
        called??;
    }
    Ok(started.elapsed())
}

async fn call(
    address: String,
    credentials: Credentials,
    expected: Expected,
    requirement: wire::Envelope,
) -> Result<()> {
    let channel = connect(&address, &credentials, expected).await?;
    let mut client = ExchangeClient::new(channel).max_decoding_message_size(ANSWER_BYTES_MAX);
    let request = wire::AnswerRequest { requirement: Some(requirement) };
    let answer = client.answer(request).await?.into_inner();
    ensure!(answer.outcome.is_some(), "an answer that says nothing");
    Ok(())
}

async fn gathered(
    region: &mut RegionClient<Channel>,
    requirement: &str,
    members: usize,
) -> Result<Duration> {
    let request = GatherRequest { requirement: requirement.to_owned(), call_deadline_ms: 30_000 };
    let started = Instant::now();
    let mut events = region.gather(within(LONG_CALL_TIMEOUT, request)).await?.into_inner();
    while let Some(event) = events.message().await? {
        if let Some(Event::Picture(document)) = event.event {
            let took = started.elapsed();
            let payload = document.picture.unwrap_or_default().payload;
            let picture: wire::region::Picture = strict::decode_signed("picture", &payload)?;
            let answered = picture.coverage.unwrap_or_default().answered;
            ensure!(usize::try_from(answered) == Ok(members), "{answered} of {members} answered");
            return Ok(took);
        }
    }
    anyhow::bail!("ended without a picture")
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

fn peak_mib(process: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib / 1_024.0)
}
