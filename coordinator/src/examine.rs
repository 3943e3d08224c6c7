//! What keeps a coordinator from running well. Comes in: its configuration. Goes out: findings with cause and fix, also of every member
//! that it should reach. Must never change the archive, nor make one that is not there; never prints content.

use std::{net::SocketAddr, path::Path, sync::Arc};

use accord_proto::{
    at_rest::Keys,
    clock::{SystemClock, SystemEntropy, Timestamp},
    limits::EXAMINED_AT_ONCE,
    maintenance,
    operate::{
        cli::{Outcome, Program},
        doctor::{self, Findings, Port},
        document::Mistakes,
        settings::Log,
    },
    own_lists,
    reason::{Invalid, Reason},
    roster::Roster,
    seal::SecretKey,
    transport::{Credentials, dialled::Dialled, heard::Peers},
};
use futures_util::{StreamExt as _, stream};

use crate::{
    archive::{Archive, Opener},
    cli, commands,
    config::Config,
    gate::GatePolicy,
    gather::Caller,
};

/// The program `accord-coordinator`, as whoever runs it sees it.
#[derive(Debug)]
pub struct Examined;

impl Program for Examined {
    type Config = Config;

    const NAME: &'static str = cli::NAME;

    const CONFIG: &'static str = "coordinator.toml";

    const SHIPPED: &'static str = include_str!("../../deploy/coordinator.toml");

    fn command() -> clap::Command {
        cli::command()
    }

    fn check(text: &str, home: &Path) -> Result<Config, Mistakes> {
        Config::check(text, home)
    }

    fn watched(config: &Config) -> (Option<SocketAddr>, &Log) {
        (config.ops, &config.log)
    }

    async fn rekey(config: &Config) -> Result<Outcome, Invalid> {
        commands::keeping::rekey(config).await
    }

    async fn examine(config: &Config, findings: &mut Findings, now: Timestamp) {
        let fix = "mend the file that is named";
        let lists = own_lists::load(config.lists.as_deref());
        let Some(lists) = findings.looked("lists", lists, ("can be read", fix)) else { return };
        let staff = (&*config.staff_ca, config.staff_crl.as_deref());
        let credentials = doctor::certificate(findings, &config.tls, staff, now);
        let sign = doctor::secret(findings, "signing key", &config.sign_key);
        let key = sign.map(|pem| SecretKey::from_pem("sign.key", &pem));
        let key = key.and_then(|key| findings.looked("signing key", key, ("can be used", fix)));
        if let Some(path) = &config.gate {
            let gate = doctor::secret(findings, "gate", path).map(|text| GatePolicy::parse(&text));
            gate.and_then(|gate| findings.looked("gate", gate, ("can be used", fix)));
        }
        let region = doctor::port(findings, "region port", &config.listen, credentials.as_ref());
        let running = region.await == Port::Ours;
        doctor::disk(findings, &config.data, config.free_bytes_min);
        let keys = doctor::store_keys(findings, config.store_key.as_deref(), &config.data);
        let seen = if running {
            findings.well("store", "in use: the coordinator runs");
            0
        } else {
            archive(config, findings, (credentials.as_ref(), keys.as_ref()))
        };
        let (own, key) =
            (credentials.as_ref().map(Credentials::own), key.as_ref().map(SecretKey::public));
        let files = (&*config.roster, &*config.root);
        let known = (own.as_ref(), key.as_ref());
        let roster = doctor::roster(findings, files, known, (lists, seen, now));
        let mut offsets =
            if running { doctor::running(findings, config.ops).await } else { Vec::new() };
        if let (Some(roster), Some(credentials)) = (roster, credentials) {
            doctor::endings_of(findings, &[&credentials], &roster, now);
            offsets.extend(members(config, findings, (&credentials, &roster)).await);
            doctor::clock(findings, &roster, &offsets, now);
        }
    }
}

/// Opens the archive, where there is one, without ending what a start would end; gives the newest roster that it knows.
fn archive(
    config: &Config,
    findings: &mut Findings,
    (credentials, keys): (Option<&Credentials>, Option<&Keys>),
) -> u64 {
    if !Archive::is_there(&config.data) {
        let found = format!("{} holds none: `serve` begins a new one", config.data.display());
        findings.warning("store", found, "if there was one: mount its disk, or restore a backup");
        return 0;
    }
    if !doctor::owned(findings, "store", &config.data)
        || !doctor::writable(findings, "journal", &config.data)
    {
        return 0;
    }
    if Archive::is_being_rekeyed(&config.data) {
        let found =
            "a rekey was cut off: it is not opened before that has ended, and nothing is lost";
        findings.warning("store", found, "start the service, or run `rekey` again: either ends it");
        return 0;
    }
    let Some(credentials) = credentials else {
        findings.skipped("store", "without a certificate nobody knows whose it should be");
        return 0;
    };
    let Some(keys) = keys else {
        findings.skipped("store", "without its keys it cannot be opened");
        return 0;
    };
    let opened = Archive::examine(Opener {
        path: &config.data,
        owner: &credentials.own().identity,
        free_bytes_min: config.free_bytes_min,
        keys,
        entropy: &SystemEntropy,
    });
    let fix = opened.as_ref().err().map_or("", doctor::fix_of_store);
    let Some(archive) = findings.looked("store", opened, ("opens, and is its own", fix)) else {
        return 0;
    };
    doctor::rotated(findings, keys, archive.key());
    archive.roster_version().unwrap_or(0)
}

/// Asks every member that listens what it describes; gives how far their clocks are off, in seconds.
async fn members(
    config: &Config,
    findings: &mut Findings,
    (credentials, roster): (&Credentials, &Roster),
) -> Vec<(String, f64)> {
    let peers = Peers::new(Arc::new(SystemClock));
    let caller = Caller {
        credentials: credentials.clone(),
        listening: Arc::new(credentials.clone()),
        roster: Arc::new(roster.clone()),
        dialled: Dialled::default(),
        peers: peers.clone(),
        call_deadline: config.call_deadline,
    };
    let asking = roster.members.iter().filter(|member| !member.dials_in()).map(|member| {
        let caller = &caller;
        async move {
            let asked =
                async { caller.connect(member).await?.describe(caller.call_deadline).await };
            let asked = tokio::time::timeout(caller.call_deadline, asked).await;
            let late = |_| Err(Invalid::new(Reason::DeadlineExceeded, "call", "no answer in time"));
            (member, asked.unwrap_or_else(late))
        }
    });
    let mut asked: Vec<_> = stream::iter(asking).buffer_unordered(EXAMINED_AT_ONCE).collect().await;
    asked.sort_by(|(a, _), (b, _)| a.node.cmp(&b.node));
    for (member, asked) in asked {
        let check = format!("member {}", member.node);
        match asked {
            Ok(_) => findings.well(&check, format!("answers at {}", member.contact.address)),
            Err(error) => match maintenance::until_of(&error) {
                Some(until) => {
                    let found = format!("in maintenance until {until}");
                    findings.warning(&check, found, "look again then; it is asked again by itself");
                }
                None => findings.fault(&check, error.to_string(), fix_of(error.reason)),
            },
        }
    }
    let dialling = roster.members.iter().filter(|member| member.dials_in());
    for member in dialling {
        let found = "dials in: `member list --describe` says whether it is connected";
        findings.skipped(&format!("member {}", member.node), found);
    }
    let offset = |ms: i64| f64::from(i32::try_from(ms).unwrap_or(i32::MAX)) / 1_000.0;
    let heard = peers.all().into_iter();
    heard
        .filter_map(|(name, heard)| Some((name.to_string(), offset(heard.clock_offset_ms?))))
        .collect()
}

/// What to do where a member cannot be asked.
#[expect(clippy::wildcard_enum_match_arm, reason = "everything else is said by the member itself")]
fn fix_of(reason: Reason) -> &'static str {
    match reason {
        Reason::NoConnection => {
            "is it running, is the port open? Or it refuses this certificate: its log says why"
        }
        Reason::DeadlineExceeded => "slow network or a firewall that drops: raise call_deadline_ms",
        Reason::CertificateIdentity => {
            "another certificate answers there than the roster says: compare both"
        }
        Reason::CertificateUnregistered => {
            "that node has another roster: give everybody the same, newest one"
        }
        Reason::ProtocolUnsupported => "upgrade the older of both programs",
        _ => "ask whoever runs that node: its log says more",
    }
}
