//! What operators are told before others find out: `check-config` says every mistake at once, `doctor` names cause and fix of
//! what keeps a service from running, and changes nothing.

use std::{
    collections::BTreeMap,
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
};

use accord_proto::{
    clock::{Clock, FixedClock, SystemClock},
    pki::Authority,
    protocol::{SPOKEN, Speaks},
    roster::Paper,
    transport::listener::Options,
};
use accord_tests::{
    crash::Mounted,
    federation::STANDING,
    peers,
    process::Finished,
    roles, rotation,
    stand_in::{Says, StandIn},
};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::{Running, prepared, program};

const NODE: &str = "al-police";
const OWN: &str = "spiffe://wb6.example/AL/node/al-police/node";

/// A command of somebody's program on their configuration.
fn command(running: &Running, who: &str, arguments: &[&str]) -> Finished {
    let (role, config) = match who {
        "coordinator" => (roles::COORDINATOR, "coordinator.toml"),
        _ => (roles::NODE, "node.toml"),
    };
    let mut command = Command::new(program());
    command.arg(role).args(arguments).arg("--config").arg(running.dir.join(who).join(config));
    Finished::run(command).unwrap()
}

/// What the doctor finds.
fn examined(running: &Running, who: &str) -> Vec<Value> {
    let finished = command(running, who, &["doctor", "-o", "json"]);
    let found: Value = finished.json(&[0, 1]).unwrap();
    let found = found.as_array().unwrap().clone();
    let faults = found.iter().any(|finding| finding["state"] == "FAULT");
    assert_eq!(finished.code, Some(i32::from(faults)), "{found:#?}");
    found
}

/// One of the findings is this fault, with a cause that says so and something to do.
fn assert_fault(found: &[Value], check: &str, cause: &str) {
    let is_it = |finding: &&Value| {
        let says = finding["found"].as_str().unwrap().contains(cause);
        finding["check"] == check && finding["state"] == "FAULT" && says
    };
    let fault = found.iter().find(is_it);
    let fault = fault.unwrap_or_else(|| panic!("no fault {check}: {cause} in {found:#?}"));
    assert!(!fault["fix"].as_str().unwrap().is_empty(), "{fault}");
}

fn faults(found: &[Value]) -> Vec<&Value> {
    found.iter().filter(|finding| finding["state"] == "FAULT").collect()
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from} is not in {}", path.display());
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

fn file(running: &Running, path: &str) -> PathBuf {
    running.dir.join(path)
}

/// A node with a store and a consent, which does not run.
fn kept() -> Running {
    let mut running = prepared(&["AL"]);
    running.federation.start_node(NODE).unwrap();
    running.grant(NODE, &STANDING).unwrap();
    running.kill_all();
    running
}

#[test]
fn whoever_is_well_has_no_fault_whether_it_runs_or_not() {
    let mut running = kept();
    let found = examined(&running, NODE);
    assert!(faults(&found).is_empty(), "{found:#?}");
    running.federation.start().unwrap();
    for who in [NODE, "coordinator"] {
        let found = examined(&running, who);
        assert!(faults(&found).is_empty(), "{found:#?}");
        assert!(found.iter().any(|of| of["check"] == "running: journal"), "{found:#?}");
    }
}

/// What is looked at, what it must say, and how it is spoilt.
type Stage = (&'static str, &'static str, fn(&Running));

fn authority(running: &Running, from_now_days: i64) -> Authority {
    let at = FixedClock(SystemClock.now().plus_s(from_now_days * 86_400));
    Authority::load(&file(running, "federation"), &at).unwrap()
}

fn put_certificate(running: &Running, (from_now_days, days): (i64, i64), uri: &str) {
    let issued = authority(running, from_now_days).issue_uris(&[uri.to_owned()], days).unwrap();
    fs::write(file(running, "al-police/keys/tls.crt"), issued.certificate_pem).unwrap();
    fs::write(file(running, "al-police/keys/tls.key"), issued.key_pem).unwrap();
}

fn open_to_others(running: &Running, key: &str, mode: u32) {
    let key = file(running, "al-police/keys").join(key);
    fs::set_permissions(key, fs::Permissions::from_mode(mode)).unwrap();
}

fn edit_config(running: &Running, from: &str, to: &str) {
    edit(&file(running, "al-police/node.toml"), from, to);
}

/// Certificates, authorities, revocation lists, keys.
const KEYS: [Stage; 7] = [
    ("authority", "is not signed by an authority", |running| {
        let other = Authority::new("other", &SystemClock).unwrap();
        fs::write(file(running, "al-police/keys/ca.crt"), other.certificate_pem()).unwrap();
    }),
    ("certificate", "has ended on", |running| put_certificate(running, (0, -2), OWN)),
    ("certificate", "does not count before", |running| put_certificate(running, (200, 30), OWN)),
    ("certificate", "CERTIFICATE_IDENTITY", |running| {
        put_certificate(running, (0, 30), "https://al-police.example");
    }),
    ("revocation", "out of date", |running| {
        let list = authority(running, 0).revoke(&[], -3).unwrap();
        fs::write(file(running, "al-police/keys/ca.crl"), list).unwrap();
        let config = file(running, "al-police/node.toml");
        let text = fs::read_to_string(&config).unwrap();
        let (before, tls) = text.split_once("\n[tls]\n").unwrap();
        let tls = tls.replacen("# crl = \"\"", "crl = \"keys/ca.crl\"", 1);
        fs::write(config, format!("{before}\n[tls]\n{tls}")).unwrap();
    }),
    ("seal key", "is open to others (mode 644)", |running| {
        open_to_others(running, "seal.key", 0o644);
    }),
    ("certificate", "is open to others (mode 640)", |running| {
        open_to_others(running, "tls.key", 0o640);
    }),
];

/// Rosters.
const ROSTERS: [Stage; 4] = [
    ("member", "does not list", |running| put_roster(running, |roster| roster.members.clear())),
    ("roster", "expired", |running| {
        let now = SystemClock.now();
        put_roster(running, |roster| {
            roster.issued_at_s = now.plus_s(-86_400).as_s();
            roster.expires_at_s = now.plus_s(-1).as_s();
        });
    }),
    ("clock", "the roster was made on", |running| {
        let now = SystemClock.now();
        put_roster(running, |roster| roster.issued_at_s = now.plus_s(3_600).as_s());
    }),
    ("reached", "dials-in", |running| {
        put_roster(running, |roster| roster.members[0].address = "dials-in".to_owned());
    }),
];

/// The configuration, and what it names.
const SETTINGS: [Stage; 4] = [
    ("disk", "MiB free", |running| {
        let huge = "free_bytes_min = 9007199254740992";
        edit_config(running, "# free_bytes_min = 67108864", huge);
    }),
    ("policy", "no-such-mode", |running| {
        let policy = file(running, "al-police/policy.toml");
        edit(&policy, "mode = \"open\"", "mode = \"no-such-mode\"");
    }),
    ("coordinator", "has no address", |running| {
        edit_config(running, &format!("listen = \"{}\"", running.nodes[NODE].exchange), "");
        edit_config(running, "# coordinator = \"\"", "coordinator = \"nobody.invalid:7102\"");
    }),
    ("config", "node.toml:", |running| edit_config(running, "data = \"data\"", "data = 5")),
];

#[test]
fn files_that_are_wrong_are_named_with_cause_and_fix() {
    for (check, cause, stage) in KEYS.into_iter().chain(ROSTERS).chain(SETTINGS) {
        let running = prepared(&["AL"]);
        stage(&running);
        assert_fault(&examined(&running, NODE), check, cause);
    }
}

/// Signs another roster with the federation's root, and gives it to the node.
fn put_roster(running: &Running, change: impl FnOnce(&mut Paper)) {
    let mut roster = rotation::roster(running).unwrap();
    change(&mut roster);
    let key = peers::secret_key(running, "federation/root.key").unwrap();
    let signed = rotation::signed(&roster, &key).unwrap();
    fs::write(file(running, "al-police/roster.signed"), signed).unwrap();
}

/// Every file below a folder, with what it holds.
fn content(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.clone(), fs::read(path).unwrap());
            }
        }
    }
    found
}

#[test]
fn where_there_is_no_store_none_is_made() {
    for who in [NODE, "coordinator"] {
        let running = prepared(&["AL"]);
        let data = file(&running, who).join("data");
        // A disk of its own, freshly mounted.
        fs::create_dir_all(data.join("lost+found")).unwrap();
        let found = examined(&running, who);
        assert!(found.iter().any(|of| of["check"] == "store" && of["state"] == "warning"));
        assert!(content(&data).is_empty(), "{:?}", content(&data).keys());
    }
}

#[test]
fn a_store_that_is_locked_damaged_or_without_consent_is_named_and_what_it_holds_is_left() {
    let mut running = kept();
    // Another process has it: the node runs, on ports that this configuration does not name.
    running.federation.start_node(NODE).unwrap();
    let config = file(&running, "al-police/node.toml");
    let before = fs::read_to_string(&config).unwrap();
    let (exchange, desk) = (&running.nodes[NODE].exchange, &running.nodes[NODE].desk);
    let elsewhere = |at: &str| at.replace(":7", ":6");
    let moved = before
        .replace(exchange.as_str(), &elsewhere(exchange))
        .replace(desk.as_str(), &elsewhere(desk));
    fs::write(&config, moved).unwrap();
    assert_fault(&examined(&running, NODE), "store", "another process has this store open");
    fs::write(&config, before).unwrap();
    running.kill_all();

    // Somebody else has a port of it.
    let taken = TcpListener::bind(&running.nodes[NODE].desk).unwrap();
    assert_fault(&examined(&running, NODE), "desk port", "is taken by something else");
    drop(taken);

    // Nobody has consented to anything.
    let grant: Value = {
        running.federation.start_node(NODE).unwrap();
        running.desk(NODE, "releaser", &["grant", "list"]).unwrap().json(&[0]).unwrap()
    };
    let id = grant[0]["grant"].as_str().unwrap().to_owned();
    let withdraw = ["grant", "withdraw", &id];
    running.desk(NODE, "releaser", &withdraw).unwrap().json(&[0]).unwrap();
    running.kill_all();
    assert_fault(&examined(&running, NODE), "grants", "none is in force");
    // It is the very store: the node goes on with it.
    running.federation.start_node(NODE).unwrap();
    running.kill_all();

    // A disk that lost something.
    let data = file(&running, "al-police/data");
    let db = largest(&data);
    let bytes = fs::read(&db).unwrap();
    let mut spoilt = bytes.clone();
    let written = spoilt.iter().rposition(|byte| *byte != 0).unwrap();
    spoilt[written / 4..written / 2].fill(0x5a);
    fs::write(&db, spoilt).unwrap();
    let found = examined(&running, NODE);
    assert!(faults(&found).iter().any(|fault| fault["check"] == "store"), "{found:#?}");
}

fn largest(folder: &Path) -> PathBuf {
    let largest = content(folder).into_iter().max_by_key(|(_, bytes)| bytes.len());
    largest.unwrap().0
}

#[test]
fn a_journal_that_cannot_be_written_is_named() {
    let running = kept();
    let data = file(&running, "al-police/data");
    match Mounted::read_only(&data) {
        Ok(_mounted) => {
            assert_fault(&examined(&running, NODE), "journal", "cannot be written");
        }
        Err(why) => eprintln!("SKIPPED: a folder cannot be mounted for reading only here: {why}"),
    }
}

/// The system's clock, put forward.
struct Ahead(i64);

impl Clock for Ahead {
    fn now_ms(&self) -> i64 {
        SystemClock.now_ms() + self.0
    }
}

#[test]
fn members_that_are_away_of_another_age_or_another_time_are_named() {
    let running = prepared(&["AL"]);
    assert_fault(&examined(&running, "coordinator"), "member al-police", "NO_CONNECTION");
    // A runtime of its own each: when it is dropped the port is free.
    let plays = |options: Options| {
        let runtime = Runtime::new().unwrap();
        let member = StandIn::of(&running, NODE, Arc::new(Mutex::new(Says::open(71)))).unwrap();
        let credentials = peers::credentials(&file(&running, "al-police/keys")).unwrap();
        let address = &running.nodes[NODE].exchange;
        runtime.block_on(peers::serve_with(member, address, credentials, options)).unwrap();
        runtime
    };
    let far = Speaks { oldest: SPOKEN + 1, newest: SPOKEN + 2 };
    let serving = plays(Options { speaks: far, ..peers::options() });
    assert_fault(&examined(&running, "coordinator"), "member al-police", "PROTOCOL_UNSUPPORTED");
    drop(serving);
    let serving = plays(Options { clock: Arc::new(Ahead(3_600_000)), ..peers::options() });
    assert_fault(&examined(&running, "coordinator"), "clock", "al-police's clock is +3600");
    drop(serving);
}

#[test]
fn every_mistake_of_a_configuration_is_told_at_once_with_its_line() {
    let running = prepared(&["AL"]);
    let config = file(&running, "al-police/node.toml");
    edit(&config, "data = \"data\"", "data = 5");
    edit(&config, "[desk]\n", "[desk]\ncolour = \"red\"\n");
    let finished = command(&running, NODE, &["check-config"]);
    assert_eq!(finished.code, Some(78), "{}", finished.stderr);
    let text = fs::read_to_string(&config).unwrap();
    for (key, line) in [("node.data", "data = 5"), ("desk.colour", "colour = \"red\"")] {
        let number = text.lines().position(|found| found == line).unwrap() + 1;
        let place = format!("node.toml:{number}:1: {key}: ");
        assert!(finished.stderr.contains(&place), "{place} is not in {}", finished.stderr);
    }

    // What is well formed and makes no sense is told with its line, too.
    let running = prepared(&["AL"]);
    let config = file(&running, "coordinator/coordinator.toml");
    edit(&config, "# call_deadline_ms = 10000", "call_deadline_ms = 0");
    edit(&config, "retry_s = 600", "retry_s = 0");
    edit(&config, "# level = \"info\"", "level = \"accord=loud\"");
    let finished = command(&running, "coordinator", &["check-config"]);
    for key in ["coordinator.call_deadline_ms", "coordinator.retry_s", "log.level"] {
        assert!(finished.stderr.contains(&format!(":1: {key}: ")), "{}", finished.stderr);
    }
    assert_eq!(finished.code, Some(78));
}

#[test]
fn of_every_key_the_value_and_its_origin_are_told() {
    let running = prepared(&["AL"]);
    for (who, shipped) in [
        (NODE, include_str!("../../deploy/node.toml")),
        ("coordinator", include_str!("../../deploy/coordinator.toml")),
    ] {
        let finished = command(&running, who, &["check-config", "--explain", "-o", "jsonl"]);
        assert_eq!(finished.code, Some(0), "{}", finished.stderr);
        let lines =
            finished.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let told: Vec<_> = lines.collect();
        let of = |key: &str| told.iter().find(|of| of["key"] == key).unwrap();
        assert_eq!(of("log.level")["origin"], "default");
        assert_eq!(of("log.level")["value"], "\"info\"");
        assert!(of("ops.listen")["origin"].as_str().unwrap().contains(".toml:"));
        assert_eq!(of("tls.crl")["value"], "\"\"");
        let keys = shipped.lines().filter(|line| {
            let key = line.strip_prefix("# ").unwrap_or(line).split_once(" = ");
            key.is_some_and(|(key, _)| key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
        });
        assert_eq!(told.len(), keys.count(), "{who}");
    }
}
