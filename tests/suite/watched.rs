//! How services are watched: measures that are all declared, readiness that says what is wrong, a log whose level changes while it
//! runs, a supervisor that is told; and nothing of it is content.

use std::{
    collections::BTreeSet,
    fs,
    io::Write as _,
    net::TcpStream,
    os::unix::{fs::PermissionsExt as _, net::UnixDatagram},
    process::Command,
    time::{Duration, Instant},
};

use accord_proto::{
    clock::{Clock as _, SystemClock},
    operate::{
        doctor::ask,
        measures::{MEASURES, values},
    },
};
use accord_tests::{
    federation::{QUESTION, STANDING},
    peers,
    process::Server,
    roles,
    rotation::{self, until_said},
};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::{Running, prepared, program, with_sample};

const NODE: &str = "al-police";
const SOON: Duration = Duration::from_secs(60);

/// Status and text of a path on a port for operators.
fn asked(at: &str, path: &str) -> (u16, String) {
    let at = at.parse().unwrap();
    Runtime::new().unwrap().block_on(async { ask(at, path).await.unwrap() })
}

/// Name, labels and value of every line that measures something.
fn measured(text: &str) -> Vec<(String, String, f64)> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (what, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = what.split_once('{').unwrap_or((what, ""));
            (name.to_owned(), labels.trim_end_matches('}').to_owned(), value.parse().unwrap())
        })
        .collect()
}

/// Labels with their values.
fn labels_of(labels: &str) -> impl Iterator<Item = (&str, &str)> {
    let labels = labels.split("\",").filter_map(|label| label.split_once("=\""));
    labels.map(|(label, value)| (label, value.trim_end_matches('"')))
}

fn value(measured: &[(String, String, f64)], name: &str, label: &str) -> Option<f64> {
    let of = measured.iter().find(|(of, labels, _)| of == name && labels.contains(label));
    of.map(|(_, _, value)| *value)
}

#[test]
fn what_is_measured_is_declared_is_no_content_and_tells_what_has_happened() {
    let running = with_sample(&["AL", "BA", "ME"]);
    let requirement = running.issue(&[QUESTION]).unwrap();
    running.gather(&requirement).unwrap();
    let declared: BTreeSet<_> = MEASURES.iter().map(|of| of.name).collect();
    let node = measured(&asked(&running.nodes[NODE].ops, "/metrics").1);
    let centre = measured(&asked(&running.ops, "/metrics").1);
    for (name, labels, _) in node.iter().chain(&centre) {
        assert!(declared.contains(name.as_str()), "{name} is not declared");
        for (label, value) in labels_of(labels) {
            let known = values(name, label).is_none_or(|values| values.contains(&value));
            assert!(known, "{name}: {label} is never {value}");
        }
        for word in ["ICCS", "PUB.OFF", "2016", &requirement, "analyst", "releaser"] {
            assert!(!labels.contains(word), "{name}{{{labels}}} tells {word}");
        }
    }
    let found: BTreeSet<_> = node.iter().chain(&centre).map(|(name, _, _)| name.as_str()).collect();
    let without = ["accord_calls_refused_total", "accord_backup_last_success_timestamp_seconds"];
    for name in declared.iter().filter(|name| !without.contains(name)) {
        assert!(found.contains(name), "{name} is measured nowhere");
    }
    assert_eq!(value(&node, "accord_grants", "in_force"), Some(1.0));
    assert_eq!(value(&node, "accord_answers_released", ""), Some(1.0));
    assert_eq!(value(&node, "accord_ready", "journal"), Some(1.0));
    assert!(value(&node, "accord_calls_total", "port=\"exchange\",code=\"OK\"").unwrap() >= 3.0);
    assert_eq!(value(&centre, "accord_gathers_total", "drawn"), Some(1.0));
    for member in ["al-police", "ba-police", "me-police"] {
        assert_eq!(value(&centre, "accord_peer_up", member), Some(1.0), "{member}");
        let offset = value(&centre, "accord_clock_offset_seconds", member).unwrap();
        assert!(offset.abs() < 30.0, "{member}: {offset}");
    }

    let to = running.dir.display().to_string();
    running.desk(NODE, "operator", &["backup", "--to", &to]).unwrap().json(&[0]).unwrap();
    running.region("operator", "json", &["backup", "--to", &to]).unwrap().json(&[0]).unwrap();
    for at in [&running.nodes[NODE].ops, &running.ops] {
        // What was seen a moment ago counts a moment longer.
        let deadline = Instant::now() + SOON;
        let at = loop {
            let measured = measured(&asked(at, "/metrics").1);
            match value(&measured, "accord_backup_last_success_timestamp_seconds", "") {
                Some(at) => break at,
                None => assert!(Instant::now() < deadline, "no backup is told"),
            }
        };
        assert!((at - SystemClock.now().as_s() as f64).abs() < 600.0, "{at}");
    }
}

#[test]
fn a_call_that_is_refused_counts_by_port_and_reason() {
    let mut running = prepared(&["AL"]);
    running.federation.start_node(NODE).unwrap();
    let refused = running.desk(NODE, "analyst", &["freeze", "2016"]).unwrap();
    assert_eq!(refused.code, Some(7), "{}", refused.stderr);
    let node = measured(&asked(&running.nodes[NODE].ops, "/metrics").1);
    let labels = "port=\"desk\",reason=\"CERTIFICATE_ROLE\"";
    assert_eq!(value(&node, "accord_calls_refused_total", labels), Some(1.0));
    assert_eq!(value(&node, "accord_calls_total", "code=\"PERMISSION_DENIED\""), Some(1.0));
}

#[test]
fn whoever_is_not_ready_says_why_and_is_ready_again_when_that_is_over() {
    let mut running = prepared(&["AL"]);
    // Three seconds are enough to start; then nobody may ask or answer any more.
    for who in [NODE, "coordinator"] {
        put_roster(&running, who, (1, 8));
    }
    running.federation.start().unwrap();
    for (who, at) in [(NODE, &running.nodes[NODE].ops), ("coordinator", &running.ops)] {
        assert_eq!(asked(at, "/live").0, 200);
        let said = until(at, 503);
        let check = said["checks"].as_array().unwrap().iter().find(|of| of["check"] == "keys");
        assert_eq!(check.unwrap()["cause"], "has ended: roster", "{said}");
        assert_eq!(ready(&running, who), Some(1));
        put_roster(&running, who, (2, 90 * 86_400));
        assert_eq!(until(at, 200)["ready"], true);
        assert_eq!(ready(&running, who), Some(0));
    }
}

/// Asks until this is the answer.
fn until(at: &str, status: u16) -> Value {
    let deadline = Instant::now() + SOON;
    loop {
        let (found, text) = asked(at, "/ready");
        if found == status {
            return serde_json::from_str(&text).unwrap();
        }
        assert!(Instant::now() < deadline, "{found}: {text}");
    }
}

/// The exit code of `ready`, for a container's health check.
fn ready(running: &Running, who: &str) -> Option<i32> {
    let (role, config) = match who {
        "coordinator" => (roles::COORDINATOR, "coordinator.toml"),
        _ => (roles::NODE, "node.toml"),
    };
    let mut command = Command::new(program());
    command.arg(role).args(["ready", "--quiet", "--config"]);
    command.arg(running.dir.join(who).join(config)).status().unwrap().code()
}

/// Another roster, which ends in so many seconds.
fn put_roster(running: &Running, who: &str, (newer, ends_in_s): (u64, i64)) {
    let mut roster = rotation::roster(running).unwrap();
    roster.version += newer;
    roster.expires_at_s = SystemClock.now().plus_s(ends_in_s).as_s();
    let key = peers::secret_key(running, "federation/root.key").unwrap();
    let signed = rotation::signed(&roster, &key).unwrap();
    let home = running.dir.join(who);
    fs::write(home.join("roster.next"), signed).unwrap();
    fs::rename(home.join("roster.next"), home.join("roster.signed")).unwrap();
}

#[test]
fn the_level_of_the_log_changes_while_a_service_runs_and_json_is_json() {
    let mut running = prepared(&["AL"]);
    let config = running.dir.join("al-police/node.toml");
    let text = fs::read_to_string(&config).unwrap();
    let json = text.replace("# format = \"text\"", "format = \"json\"");
    fs::write(&config, &json).unwrap();
    running.federation.start_node(NODE).unwrap();
    let log = running.dir.join("al-police/log");
    fs::write(&config, json.replace("# level = \"info\"", "level = \"debug\"")).unwrap();
    let server = running.node_server(NODE).unwrap();
    server.signal(rustix::process::Signal::HUP).unwrap();
    until_said(&log, "logs by another level from here on", 1).unwrap();
    // Whoever is no TLS client is worth a line only to whoever wants to know.
    let mut stranger = TcpStream::connect(&running.nodes[NODE].exchange).unwrap();
    stranger.write_all(b"no TLS at all, and nothing else").unwrap();
    until_said(&log, "\"level\":\"DEBUG\"", 1).unwrap();
    // What cannot be read leaves everything as it is.
    fs::write(&config, json.replace("# level = \"info\"", "level = 5")).unwrap();
    server.signal(rustix::process::Signal::HUP).unwrap();
    until_said(&log, "nothing of it was taken", 1).unwrap();
    // Whatever the level is, the database says nothing of what it holds.
    let loud =
        json.replace("# level = \"info\"", "level = \"trace,sled=trace,sled::pagecache=trace\"");
    fs::write(&config, loud).unwrap();
    server.signal(rustix::process::Signal::HUP).unwrap();
    until_said(&log, "logs by another level from here on", 2).unwrap();
    running.grant(NODE, &STANDING).unwrap();
    until_said(&log, "\"level\":\"TRACE\"", 1).unwrap();
    let log = fs::read_to_string(log).unwrap();
    assert!(!log.contains("\"target\":\"sled"), "the database speaks");
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        assert!(line["timestamp"].is_string() && line["level"].is_string(), "{line}");
    }
}

#[test]
fn a_supervisor_is_told_when_a_service_serves_that_it_lives_and_that_it_ends() {
    let running = prepared(&["AL"]);
    for (who, role, config) in
        [(NODE, roles::NODE, "node.toml"), ("coordinator", roles::COORDINATOR, "coordinator.toml")]
    {
        let socket = running.dir.join(who).join("notify");
        let supervisor = UnixDatagram::bind(&socket).unwrap();
        supervisor.set_read_timeout(Some(SOON)).unwrap();
        let mut command = Command::new(program());
        command.arg(role).args(["serve", "--config"]).arg(running.dir.join(who).join(config));
        command.env("NOTIFY_SOCKET", &socket).env("WATCHDOG_USEC", "300000");
        let server = Server::start(command, &running.dir.join(who).join("log")).unwrap();
        let heard = |wanted: &str| {
            let mut said = [0; 256];
            loop {
                let bytes = supervisor.recv(&mut said).unwrap();
                if std::str::from_utf8(&said[..bytes]).unwrap().contains(wanted) {
                    return;
                }
            }
        };
        heard("READY=1");
        heard("WATCHDOG=1");
        heard("WATCHDOG=1");
        // No core dump, whatever becomes of it.
        let limits = fs::read_to_string(format!("/proc/{}/limits", server.id())).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
        server.signal(rustix::process::Signal::TERM).unwrap();
        heard("STOPPING=1");
        assert!(server.wait().unwrap().success());
    }
}

#[test]
fn nobody_takes_the_port_for_operators_away_and_nothing_else_is_served_there() {
    let mut running = prepared(&["AL"]);
    running.federation.start_node(NODE).unwrap();
    let at = running.nodes[NODE].ops.clone();
    let idle: Vec<_> = (0..40).map(|_| TcpStream::connect(&at).unwrap()).collect();
    assert_eq!(asked(&at, "/live").0, 200);
    drop(idle);
    assert_eq!(asked(&at, "/").0, 404);
    assert_eq!(asked(&at, "/metrics/../ready").0, 404);
}

#[test]
fn what_is_done_for_one_requirement_has_one_trace_in_the_logs_of_all() {
    let running = with_sample(&["AL", "BA", "ME"]);
    let requirement = running.issue(&[QUESTION]).unwrap();
    running.gather(&requirement).unwrap();
    let trace = requirement.replace('-', "");
    for who in ["al-police", "ba-police", "me-police", "coordinator"] {
        let log = running.dir.join(who).join("log");
        until_said(&log, &format!("trace={trace}"), 1).unwrap();
    }
}

#[test]
fn keys_that_a_supervisor_hands_over_are_taken_from_there_and_from_nowhere_else() {
    let running = prepared(&["AL"]);
    let home = running.dir.join("al-police");
    let credentials = home.join("credentials");
    fs::create_dir(&credentials).unwrap();
    for key in ["tls.key", "seal.key"] {
        fs::rename(home.join("keys").join(key), credentials.join(key)).unwrap();
        // As systemd hands them over: the service is let in by an access list, which shows as the group's rights.
        fs::set_permissions(credentials.join(key), fs::Permissions::from_mode(0o440)).unwrap();
    }
    let config = home.join("node.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(
        &config,
        text.replace("\"keys/tls.key\"", "\"credential:tls.key\"")
            .replace("\"keys/seal.key\"", "\"credential:seal.key\""),
    )
    .unwrap();
    let serve = |handed: bool| {
        let mut command = Command::new(program());
        command.arg(roles::NODE).args(["serve", "--config"]).arg(&config);
        if handed {
            command.env("CREDENTIALS_DIRECTORY", &credentials);
        }
        Server::start(command, &home.join("log"))
    };
    let refused = serve(false).unwrap_err().to_string();
    assert!(refused.contains("credential:tls.key"), "{refused}");
    serve(true).unwrap().kill();
    // Others may never read a key, whoever hands it over.
    fs::set_permissions(credentials.join("seal.key"), fs::Permissions::from_mode(0o444)).unwrap();
    let refused = serve(true).unwrap_err().to_string();
    assert!(refused.contains("seal.key") && refused.contains("chmod 600"), "{refused}");
}
