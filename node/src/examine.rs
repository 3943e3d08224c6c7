//! What keeps a node from running well. Comes in: its configuration. Goes out: findings with cause and fix. Must never change the store,
//! nor make one that is not there; never prints content.

use std::{fs, net::SocketAddr, path::Path};

use accord_proto::{
    at_rest::Keys,
    clock::{SystemEntropy, Timestamp},
    identity::Place,
    operate::{
        cli::{Outcome, Program},
        doctor::{self, Findings, Port},
        document::Mistakes,
        settings::Log,
    },
    own_lists,
    reason::{Invalid, Reason},
    seal::SecretKey,
    taxonomy::Lists,
    transport::Credentials,
};

use crate::{
    cli, commands,
    config::Config,
    policy::{Files, Policy},
    port::Reached,
    store::{Opener, Store},
};

/// The program `accord-node`, as whoever runs it sees it.
#[derive(Debug)]
pub struct Examined;

impl Program for Examined {
    type Config = Config;

    const NAME: &'static str = cli::NAME;

    const CONFIG: &'static str = "node.toml";

    const SHIPPED: &'static str = include_str!("../../deploy/node.toml");

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
        let seal = doctor::secret(findings, "seal key", &config.seal_key);
        let key = seal.map(|pem| SecretKey::from_pem("seal.key", &pem));
        let key = key.and_then(|key| findings.looked("seal key", key, ("can be used", fix)));
        let running = ports(config, findings, credentials.as_ref()).await;
        doctor::disk(findings, &config.data, config.free_bytes_min);
        let keys = doctor::store_keys(findings, config.store_key.as_deref(), &config.data);
        let seen = if running {
            findings.well("store", "in use: the node runs");
            0
        } else {
            store(config, findings, (credentials.as_ref(), keys.as_ref(), lists), now)
        };
        let (own, key) =
            (credentials.as_ref().map(Credentials::own), key.as_ref().map(SecretKey::public));
        let files = (&*config.roster, &*config.root);
        let known = (own.as_ref(), key.as_ref());
        let roster = doctor::roster(findings, files, known, (lists, seen, now));
        policy(config, findings, credentials.as_ref(), lists);
        let offsets =
            if running { doctor::running(findings, config.ops).await } else { Vec::new() };
        if let Some(roster) = roster {
            doctor::clock(findings, &roster, &offsets, now);
            if let Some(credentials) = &credentials {
                let own = credentials.own();
                let reached = config.exchange.check(roster.member(&own.identity.name));
                let fix = "let the root and node.toml say the same";
                findings.looked("reached", reached, ("as the roster says", fix));
                doctor::endings_of(findings, &[credentials], &roster, now);
            }
        }
    }
}

/// Does it serve already? If not, could it?
async fn ports(
    config: &Config,
    findings: &mut Findings,
    credentials: Option<&Credentials>,
) -> bool {
    let exchange = match &config.exchange {
        Reached::At(at) => doctor::port(findings, "exchange port", at, credentials).await,
        Reached::Dialling(way) => {
            doctor::reaches(findings, "coordinator", way.first_hop()).await;
            Port::Free
        }
    };
    let desk = doctor::port(findings, "desk port", &config.desk.listen, credentials).await;
    exchange == Port::Ours || desk == Port::Ours
}

/// Opens the store as a start would, where there is one; gives the newest roster that it knows.
fn store(
    config: &Config,
    findings: &mut Findings,
    (credentials, keys, lists): (Option<&Credentials>, Option<&Keys>, &Lists),
    now: Timestamp,
) -> u64 {
    if !Store::is_there(&config.data) {
        let found = format!("{} holds none: `serve` begins a new one", config.data.display());
        findings.warning("store", found, "if there was one: mount its disk, or restore a backup");
        return 0;
    }
    if !doctor::owned(findings, "store", &config.data)
        || !doctor::writable(findings, "journal", &config.data)
    {
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
    let opened = Store::examine(Opener {
        path: &config.data,
        owner: &credentials.own().identity.to_string(),
        free_bytes_min: config.free_bytes_min,
        keys,
        entropy: &SystemEntropy,
    });
    let fix = opened.as_ref().err().map_or("", doctor::fix_of_store);
    let Some(store) = findings.looked("store", opened, ("opens, whole and its own", fix)) else {
        return 0;
    };
    doctor::rotated(findings, keys, store.key());
    if store.head().in_doubt() {
        let fix = "a releaser looks at `grant list`, then runs confirm-restore";
        findings.warning("store", "it was restored: protected figures are not answered", fix);
    }
    match store.grants(lists) {
        Ok(grants) if grants.iter().any(|grant| grant.in_force(now)) => {
            findings.well("grants", "at least one is in force");
        }
        Ok(_) => {
            let found = "none is in force: every requirement is answered with nothing";
            findings.fault("grants", found, "a releaser gives one: `accord-node grant give`");
        }
        Err(error) => findings.fault("grants", error.to_string(), doctor::fix_of_store(&error)),
    }
    store.head().roster_version()
}

fn policy(
    config: &Config,
    findings: &mut Findings,
    credentials: Option<&Credentials>,
    lists: &'static Lists,
) {
    let Some(Place::Jurisdiction(jurisdiction)) =
        credentials.map(|credentials| credentials.own().identity.place)
    else {
        return findings.skipped("policy", "without a certificate nobody knows whose it should be");
    };
    let beside = config.policy.with_file_name("policy.secret.toml");
    let named = config.policy_secret.clone().or_else(|| beside.exists().then_some(beside));
    let secret = match named {
        None => {
            let fix = "write policy.secret.toml with floors of your own, mode 0600";
            findings.warning(
                "policy",
                "the floors are the shipped ones, which everybody knows",
                fix,
            );
            Some(String::new())
        }
        Some(path) => doctor::secret(findings, "secret policy", &path),
    };
    let Some(secret) = secret else { return };
    let read = fs::read_to_string(&config.policy).map_err(|error| {
        let path = config.policy.display().to_string();
        Invalid::new(Reason::FieldInvalid, path, error.to_string())
    });
    let parsed = read.and_then(|public| {
        // What is bound by the salt does not matter here.
        let files = Files { public: &public, secret: &secret, salt: &[0; 32] };
        Policy::parse(files, jurisdiction, lists)
    });
    findings.looked("policy", parsed, ("can be used", "mend what is named"));
}
