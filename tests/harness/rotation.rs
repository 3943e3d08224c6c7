//! Certificates, rosters and keys that are replaced while a federation works. Comes in: a federation and how often. Goes out: how
//! many calls were made meanwhile, and which of them failed. Every other round the keys change too, by way of a roster that
//! lists both.

use std::{
    fs,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use accord_proto::{
    clock::{SystemClock, SystemEntropy},
    identity::Identity,
    pki::{Authority, Issued},
    roster::{Paper, PaperCentre, PaperMember, Roster, RosterFile},
    seal::SecretKey,
    taxonomy::Lists,
    transport::{Credentials, Expected, channel::Channel, connection::connect},
    wire::{self, desk::desk_client::DeskClient, region::region_client::RegionClient},
};
use anyhow::{Context as _, Result, ensure};
use prost::Message as _;
use rustix::process::Signal;

use crate::{
    federation::{Federation, QUESTION},
    peers,
};

/// By then a file that was replaced is taken in.
const TAKEN_IN: Duration = Duration::from_secs(20);
/// The coordinator's identity.
const COORDINATOR: &str = "spiffe://wb6.example/REGION/node/coordinator/coordinator";

/// What became of the calls.
#[derive(Debug)]
pub struct Rotated {
    /// How many were made.
    pub calls: usize,
    /// Those that failed, and why.
    pub failed: Vec<String>,
    /// The longest that a replaced certificate took until a new connection showed it.
    pub slowest: Duration,
}

/// The roster that somebody relies on, as its root wrote it.
pub fn roster(federation: &Federation) -> Result<Paper> {
    let bytes = fs::read(federation.dir.join("federation/roster.signed"))?;
    let RosterFile { roster, contacts } = RosterFile::decode(bytes.as_slice())?;
    let signed = wire::Roster::decode(roster.context("no roster")?.payload.as_slice())?;
    let contacts = wire::Contacts::decode(contacts.as_slice())?.contacts;
    let of = |name: &str| {
        let found = contacts.iter().find(|contact| contact.name == name);
        found.cloned().with_context(|| format!("no contact of {name}"))
    };
    let member = |member: wire::Member| {
        let wire::Contact { address, tls_spki_sha256, .. } = of(&member.node)?;
        let wire::Member { node, jurisdiction, seal_keys, since_s } = member;
        Ok(PaperMember { node, jurisdiction, address, tls_spki_sha256, seal_keys, since_s })
    };
    let centre = |centre: wire::Centre| {
        let tls_spki_sha256 = of(&centre.name)?.tls_spki_sha256;
        Ok(PaperCentre { name: centre.name, tls_spki_sha256, keys: centre.keys })
    };
    Ok(Paper {
        federation: signed.federation,
        version: signed.version,
        issued_at_s: signed.issued_at_s,
        expires_at_s: signed.expires_at_s,
        members: signed.members.into_iter().map(member).collect::<Result<_>>()?,
        authorities: signed.authorities,
        centres: signed.centres.into_iter().map(centre).collect::<Result<_>>()?,
    })
}

/// The file that a root makes of it.
pub fn signed(paper: &Paper, root: &SecretKey) -> Result<Vec<u8>> {
    Ok(Roster::sign(paper, Lists::builtin(), root, &SystemEntropy)?.encode_to_vec())
}

/// Signs the next roster, hands it to everybody and tells them.
pub fn next_roster(federation: &Federation, mut roster: Paper) -> Result<()> {
    roster.version += 1;
    hand_out(federation, &roster)?;
    tell_everybody(federation)
}

/// Signs a roster, and puts it where everybody has the one before.
pub fn hand_out(federation: &Federation, roster: &Paper) -> Result<()> {
    let home = federation.dir.join("federation");
    let root = SecretKey::from_pem("root", &fs::read_to_string(home.join("root.key"))?)?;
    let signed = signed(roster, &root)?;
    let nodes = federation.nodes.values().map(|node| node.home.clone());
    for home in nodes.chain([federation.dir.join("coordinator"), home]) {
        put(&home.join("roster.signed"), &signed)?;
    }
    Ok(())
}

/// SIGHUP: look now.
pub fn tell_everybody(federation: &Federation) -> Result<()> {
    for name in federation.nodes.keys() {
        federation.node_server(name)?.signal(Signal::HUP)?;
    }
    federation.coordinator_server()?.signal(Signal::HUP)
}

/// In one step, so that nobody reads half of it; keeps the mode of what was there.
pub fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    let beside = path.with_extension("next");
    fs::write(&beside, bytes)?;
    if let Ok(before) = fs::metadata(path) {
        fs::set_permissions(&beside, before.permissions())?;
    }
    Ok(fs::rename(&beside, path)?)
}

/// Waits until a log says something for the so-manieth time.
pub fn until_said(log: &Path, what: &str, times: usize) -> Result<()> {
    let begun = Instant::now();
    loop {
        let said = fs::read_to_string(log)?.matches(what).count();
        if said >= times {
            return Ok(());
        }
        ensure!(begun.elapsed() < TAKEN_IN, "{}: {what} stands there {said} times", log.display());
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// Replaces certificates `rounds` times, `pause` apart, under `per_second` calls.
pub fn rotate(
    federation: &Federation,
    rounds: usize,
    (pause, per_second): (Duration, u32),
) -> Result<Rotated> {
    let runtime = tokio::runtime::Runtime::new()?;
    let calls = Arc::new(Calls::default());
    let load = runtime.spawn(load(Places::of(federation)?, Arc::clone(&calls), per_second));
    let mut slowest = Duration::ZERO;
    let ca = Authority::load(&federation.dir.join("federation"), &SystemClock)?;
    for round in 0..rounds {
        let begun = Instant::now();
        for who in ["al-police", "coordinator"] {
            slowest = slowest.max(replace(federation, &runtime, &ca, who, round % 2 == 1)?);
        }
        let shown = federation.gather(&federation.issue(&[QUESTION])?)?;
        let coverage = &shown["picture"]["coverage"];
        ensure!(coverage["answered"] == coverage["members"], "round {round}: {coverage}");
        while begun.elapsed() < pause {
            std::thread::park_timeout(pause.saturating_sub(begun.elapsed()));
        }
    }
    calls.over.store(true, Ordering::Relaxed);
    runtime.block_on(load)??;
    let failed = calls.failed.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(Rotated { calls: calls.made.load(Ordering::Relaxed), failed, slowest })
}

/// One party's certificate, and with `keys` its keys too; how long it took until a new connection shows it.
fn replace(
    federation: &Federation,
    runtime: &tokio::runtime::Runtime,
    ca: &Authority,
    who: &str,
    keys: bool,
) -> Result<Duration> {
    let home = federation.dir.join(who).join("keys");
    let identity = match who {
        "coordinator" => Identity::parse(COORDINATOR)?,
        node => peers::identity(federation, node)?,
    };
    let issued = if keys {
        let issued = ca.issue(&identity)?;
        let key = SecretKey::generate(&SystemEntropy)?;
        announce(federation, who, (&issued, &key))?;
        put(
            &home.join(if who == "coordinator" { "sign.key" } else { "seal.key" }),
            key.to_pem()?.as_bytes(),
        )?;
        issued
    } else {
        ca.issue_again(&identity, &fs::read_to_string(home.join("tls.key"))?)?
    };
    let begun = Instant::now();
    put(&home.join("tls.crt"), issued.certificate_pem.as_bytes())?;
    put(&home.join("tls.key"), issued.key_pem.as_bytes())?;
    tell_everybody(federation)?;
    let places = Places::of(federation)?;
    let (address, credentials) = match who {
        "coordinator" => (&places.region, &places.regional),
        _ => (&places.desk, &places.national),
    };
    let shows = || {
        let expected = Expected { identity: identity.clone(), spki: Some(vec![issued.spki]) };
        runtime.block_on(connect(address, credentials, expected))
    };
    while let Err(error) = shows() {
        ensure!(begun.elapsed() < TAKEN_IN, "{who} does not show its new certificate: {error}");
    }
    Ok(begun.elapsed())
}

/// The next keys of a party stand in the roster beside those of now, before anybody uses them.
fn announce(federation: &Federation, who: &str, (tls, key): (&Issued, &SecretKey)) -> Result<()> {
    let mut roster = roster(federation)?;
    let beside = |keys: &mut Vec<Vec<u8>>, next: Vec<u8>| {
        let now = keys.pop();
        *keys = now.into_iter().chain([next]).collect();
    };
    let (spki, key) = (tls.spki.0.to_vec(), key.public().to_bytes().to_vec());
    if who == "coordinator" {
        let centre = roster.centres.first_mut().context("no coordinator")?;
        beside(&mut centre.tls_spki_sha256, spki);
        beside(&mut centre.keys, key);
    } else {
        let member = roster.members.iter_mut().find(|member| member.node == who);
        let member = member.context("no such member")?;
        beside(&mut member.tls_spki_sha256, spki);
        beside(&mut member.seal_keys, key);
    }
    let version = roster.version + 1;
    next_roster(federation, roster)?;
    let logs = federation.nodes.values().map(|node| node.home.join("log"));
    for log in logs.chain([federation.dir.join("coordinator/log")]) {
        // One line for each roster after the first.
        until_said(&log, "renewed what=\"roster\"", usize::try_from(version - 1)?)?;
    }
    Ok(())
}

#[derive(Default)]
struct Calls {
    made: AtomicUsize,
    failed: Mutex<Vec<String>>,
    over: AtomicBool,
}

/// Where calls go, and as whom.
struct Places {
    desk: String,
    region: String,
    national: Credentials,
    regional: Credentials,
    node: Identity,
    coordinator: Identity,
}

impl Places {
    fn of(federation: &Federation) -> Result<Self> {
        let (name, node) = federation.nodes.iter().next().context("no node")?;
        Ok(Self {
            desk: node.desk.clone(),
            region: federation.region.clone(),
            national: peers::credentials(&node.home.join("staff/auditor"))?,
            regional: peers::credentials(&federation.dir.join("coordinator/staff/auditor"))?,
            node: peers::identity(federation, name)?,
            coordinator: Identity::parse(COORDINATOR)?,
        })
    }
}

/// Calls at a steady pace: one over a connection that is kept, the next over a new one; to the node and to the coordinator.
async fn load(places: Places, calls: Arc<Calls>, per_second: u32) -> Result<()> {
    let to = |identity: &Identity| Expected { identity: identity.clone(), spki: None };
    let desk = || connect(&places.desk, &places.national, to(&places.node));
    let region = || connect(&places.region, &places.regional, to(&places.coordinator));
    let (kept_desk, kept_region) = (desk().await?, region().await?);
    let mut pace = tokio::time::interval(Duration::from_secs(1) / per_second);
    for at in 0_usize.. {
        pace.tick().await;
        if calls.over.load(Ordering::Relaxed) {
            break;
        }
        let outcome = match at % 4 {
            0 => status(kept_desk.clone()).await,
            1 => listed(kept_region.clone()).await,
            2 => match desk().await {
                Ok(new) => status(new).await,
                Err(error) => Err(error.to_string()),
            },
            _ => match region().await {
                Ok(new) => listed(new).await,
                Err(error) => Err(error.to_string()),
            },
        };
        calls.made.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = outcome {
            let mut failed = calls.failed.lock().unwrap_or_else(PoisonError::into_inner);
            failed.push(format!("call {at}: {error}"));
        }
    }
    Ok(())
}

async fn status(channel: Channel) -> Result<(), String> {
    let request = wire::desk::GetStatusRequest::default();
    let reply = DeskClient::new(channel).get_status(request).await;
    reply.map(drop).map_err(|status| status.to_string())
}

async fn listed(channel: Channel) -> Result<(), String> {
    let request = wire::region::ListRequirementsRequest { page_size: 1, ..Default::default() };
    let reply = RegionClient::new(channel).list_requirements(request).await;
    reply.map(drop).map_err(|status| status.to_string())
}
