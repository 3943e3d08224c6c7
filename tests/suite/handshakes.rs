//! What comes to nothing before a call is told: refused handshakes by reason, and files that were replaced and cannot be used; to the operator
//! by measures, readiness, `status` and `doctor`, to whoever was refused by what to do.

use std::{fs, path::PathBuf, process::Command, time::Instant};

use accord_proto::{
    clock::{Clock as _, FixedClock, SystemClock},
    identity::Identity,
    operate::{doctor::ask, measures::values},
    pki::Authority,
    status::from_status,
    wire,
};
use accord_tests::{
    hostile, peers,
    process::Finished,
    roles,
    rotation::{put, until_said},
};
use rustls::pki_types::ServerName;
use serde_json::Value;
use tokio::{io::AsyncReadExt as _, runtime::Runtime};

use crate::{Running, adversary::holder, prepared, program, started};

const NODE: &str = "al-police";
const COORDINATOR: &str = "spiffe://wb6.example/REGION/node/coordinator/coordinator";

fn asked(running: &Running, path: &str) -> (u16, String) {
    let at = running.nodes[NODE].ops.parse().unwrap();
    Runtime::new().unwrap().block_on(async { ask(at, path).await.unwrap() })
}

/// Asks until a line of the measures is this.
fn until_measured(running: &Running, line: &str) {
    let deadline = Instant::now() + std::time::Duration::from_secs(60);
    while !asked(running, "/metrics").1.lines().any(|found| found == line) {
        assert!(Instant::now() < deadline, "{line} is not in {}", asked(running, "/metrics").1);
    }
}

#[test]
fn a_refused_handshake_is_counted_and_logged_by_its_reason_and_whoever_was_refused_hears_what_to_do()
 {
    let mut running = prepared(&["AL"]);
    running.federation.start_node(NODE).unwrap();
    let runtime = Runtime::new().unwrap();
    let federation = running.dir.join("federation");
    let authority = Authority::load(&federation, &SystemClock).unwrap();
    let later = FixedClock(SystemClock.now().plus_s(400 * 86_400));
    let later = Authority::load(&federation, &later).unwrap();
    let stranger = Authority::new("a stranger", &SystemClock).unwrap();
    let (uri, coordinator) = ([COORDINATOR.to_owned()], Identity::parse(COORDINATOR).unwrap());
    for (reason, issued, advice) in [
        ("expired", authority.issue_uris(&uri, -1).unwrap(), "has ended or does not count yet"),
        ("not_yet_valid", later.issue(&coordinator).unwrap(), "has ended or does not count yet"),
        (
            "unknown_authority",
            stranger.issue(&coordinator).unwrap(),
            "is of an authority that the peer does not admit",
        ),
    ] {
        let caller = holder(&running.dir, reason, &issued, authority.certificate_pem());
        let refused = runtime.block_on(async {
            let mut client = match peers::exchange(&running, NODE, &caller).await {
                Ok(client) => client,
                Err(error) => return error.to_string(),
            };
            from_status(&client.describe(wire::DescribeRequest {}).await.unwrap_err()).to_string()
        });
        assert!(refused.contains(advice), "{reason}: {refused}");
        assert!(refused.contains(&format!("{reason}/tls.crt")), "which file: {refused}");
    }
    runtime.block_on(async {
        let tcp = tokio::net::TcpStream::connect(&running.nodes[NODE].exchange).await.unwrap();
        let connector = tokio_rustls::TlsConnector::from(hostile::tls::client(None).unwrap());
        let nobody = ServerName::try_from("node.invalid").unwrap();
        if let Ok(mut tls) = connector.connect(nobody, tcp).await {
            let _ = tls.read(&mut [0]).await;
        }
    });
    for reason in ["expired", "not_yet_valid", "unknown_authority", "no_certificate"] {
        let line =
            format!("accord_handshakes_refused_total{{port=\"exchange\",reason=\"{reason}\"}} 1.0");
        until_measured(&running, &line);
    }
    // What has not happened is told as well, so that the first time is seen.
    let reasons = values("accord_handshakes_refused_total", "reason").unwrap();
    assert_eq!(reasons.len(), 7);
    for reason in ["revoked", "not_on_roster", "other"] {
        assert!(reasons.contains(&reason));
        until_measured(
            &running,
            &format!("accord_handshakes_refused_total{{port=\"desk\",reason=\"{reason}\"}} 0.0"),
        );
    }
    let log = running.nodes[NODE].home.join("log");
    until_said(&log, "refused: a TLS handshake", 1).unwrap();
    let log = fs::read_to_string(log).unwrap();
    let lines = log.lines().filter(|line| line.contains("a TLS handshake"));
    for line in lines {
        assert!(line.contains("reason=") && line.contains("address=127."), "{line}");
        assert!(!line.contains("spiffe") && !line.contains("stranger"), "{line}");
    }
}

/// What a running node's doctor says of this check.
fn doctor(running: &Running, check: &str) -> Value {
    let mut command = Command::new(program());
    command.arg(roles::NODE).args(["doctor", "-o", "json", "--config"]);
    command.arg(running.nodes[NODE].home.join("node.toml"));
    let found = Finished::run(command).unwrap().json(&[0, 1]).unwrap();
    found.as_array().unwrap().iter().find(|of| of["check"] == check).cloned().unwrap_or_default()
}

#[test]
fn a_file_that_is_not_taken_in_shows_in_readiness_measure_status_and_doctor_until_it_is() {
    let running = started(&["AL"]);
    let home = &running.nodes[NODE].home;
    let files: [(&str, PathBuf); 2] =
        [("roster", home.join("roster.signed")), ("certificates", home.join("keys/tls.crt"))];
    for (what, path) in files {
        let before = fs::read(&path).unwrap();
        put(&path, b"nothing that anybody could use").unwrap();
        until_measured(&running, &format!("accord_not_taken_in{{what=\"{what}\"}} 1.0"));
        let (status, said) = asked(&running, "/ready");
        assert_eq!(status, 200, "what was there goes on counting: {said}");
        let said: Value = serde_json::from_str(&said).unwrap();
        let check = said["checks"].as_array().unwrap().iter().find(|of| of["check"] == "renewal");
        let cause = check.unwrap()["cause"].as_str().unwrap();
        assert!(cause.starts_with("not taken in: ") && cause.contains(what), "{cause}");
        let status = running.desk(NODE, "operator", &["status"]).unwrap();
        assert!(status.stderr.contains(&format!("NOT TAKEN IN: {what}")), "{}", status.stderr);
        // With a certificate that cannot be read nobody can call the service; that is its own finding.
        let (check, state) = match what {
            "roster" => ("running: renewal", "warning"),
            _ => ("certificate", "FAULT"),
        };
        let found = doctor(&running, check);
        assert_eq!(found["state"], state, "{found}");
        // Whoever puts back what was there has mended it, too.
        put(&path, &before).unwrap();
        until_measured(&running, &format!("accord_not_taken_in{{what=\"{what}\"}} 0.0"));
    }
}
