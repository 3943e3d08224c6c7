//! Nodes behind a closed firewall: they open the connection, also through a proxy, come back by themselves, serve nobody
//! but the coordinator, and nobody else is taken for them. Real processes, real TLS.

use std::{
    fs,
    net::TcpStream,
    path::Path,
    sync::{Arc, Mutex, mpsc::Receiver},
    time::{Duration, Instant},
};

use accord_proto::{
    clock::{SystemClock, SystemEntropy},
    identity::{Identity, Name},
    limits::{DRAIN_TIMEOUT, KEEPALIVE_INTERVAL, KEEPALIVE_TIMEOUT},
    operate::measures::Tally,
    pki::{Authority, Issued},
    reason::Reason,
    transport::{
        Credentials, Expected, TlsFiles,
        connection::connect,
        dial::{self, Centres, Way},
        dialled::{self, Dialled},
        listener::Services,
        write_secret,
    },
    wire::{self, exchange_client::ExchangeClient, exchange_server::ExchangeServer},
};
use accord_tests::{
    federation::{Dialling, QUESTION, SIX, cell, member},
    peers::{self, Answers},
    process::Server,
    proxy::Proxy,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, runtime::Runtime, sync::mpsc::unbounded_channel, task::JoinHandle};
use tonic::Status;

use crate::{Running, prepared_with};

const SOON: Duration = Duration::from_secs(60);

/// Everybody dials.
fn dialling(jurisdictions: &[&str]) -> Running {
    prepared_with(jurisdictions, Dialling::Everybody)
}

/// Changes a file of the federation.
fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from} in {}", path.display());
    fs::write(path, text.replace(from, to)).unwrap();
}

/// Puts a proxy between a node and the coordinator.
fn through(running: &Running, node: &str, proxy: &Proxy) {
    let to = format!("proxy = \"http://{}\"", proxy.address);
    edit(&running.nodes[node].home.join("node.toml"), "# proxy = \"\"", &to);
}

/// Waits until somebody's log says this.
fn wait_for_log(running: &Running, who: &str, words: &[&str]) {
    let (log, deadline) = (running.dir.join(who).join("log"), Instant::now() + SOON);
    loop {
        let text = fs::read_to_string(&log).unwrap_or_default();
        if text.lines().any(|line| words.iter().all(|word| line.contains(word))) {
            return;
        }
        assert!(Instant::now() < deadline, "{who} does not say {words:?}:\n{text}");
        std::thread::yield_now();
    }
}

/// Why a member cannot be reached; empty: it can.
fn unreachable(running: &Running, node: &str) -> String {
    let listed = running.region("analyst", "json", &["member", "list", "--describe"]).unwrap();
    let listed = listed.json(&[0, 3]).unwrap();
    let mut members = listed.as_array().unwrap().iter();
    let entry = members.find(|entry| entry["node"] == node).unwrap();
    assert_eq!(entry["address"], "dials-in");
    entry["unreachable"].as_str().unwrap().to_owned()
}

fn wait_until_unreachable(running: &Running, node: &str) {
    let deadline = Instant::now() + SOON;
    while unreachable(running, node).is_empty() {
        assert!(Instant::now() < deadline, "{node} can be reached");
    }
}

fn assert_total(shown: &Value, answered: usize, total: i64) {
    assert_eq!(shown["picture"]["coverage"]["answered"], answered, "{shown}");
    assert_eq!(cell(shown, "ICCS0101", "2016").unwrap()["value"], total);
}

#[test]
fn nodes_that_listen_and_nodes_that_dial_are_members_of_one_federation() {
    let mut running = prepared_with(&SIX, Dialling::EverySecond);
    running.federation.start().unwrap();
    running.with_sample().unwrap();
    let shown = running.gather(&running.issue(&[QUESTION]).unwrap()).unwrap();
    assert_total(&shown, 6, 289);
    let dial = running.nodes.values().filter(|node| node.dials).count();
    assert_eq!(dial, 3);
}

/// Ports on which a process listens, as the kernel sees them. Nobody but the superuser may look into a service.
fn ports_of(process: u32) -> std::io::Result<Vec<u16>> {
    let links = fs::read_dir(format!("/proc/{process}/fd"))?;
    let sockets: Vec<_> = links
        .filter_map(|link| fs::read_link(link.ok()?.path()).ok())
        .map(|link| link.display().to_string())
        .collect();
    let mut ports = Vec::new();
    for table in ["tcp", "tcp6"] {
        let text = fs::read_to_string(format!("/proc/{process}/net/{table}")).unwrap_or_default();
        for line in text.lines().skip(1) {
            let fields: Vec<_> = line.split_whitespace().collect();
            let (listens, socket) = (fields[3] == "0A", format!("socket:[{}]", fields[9]));
            if listens && sockets.contains(&socket) {
                let (_, port) = fields[1].rsplit_once(':').unwrap();
                ports.push(u16::from_str_radix(port, 16).unwrap());
            }
        }
    }
    ports.sort_unstable();
    Ok(ports)
}

#[test]
fn a_node_that_dials_has_no_port_but_its_desks_and_its_operators() {
    let mut running = dialling(&["AL"]);
    running.federation.start().unwrap();
    assert_eq!(unreachable(&running, "al-police"), "");
    let node = &running.nodes["al-police"];
    let port = |at: &str| at.rsplit_once(':').unwrap().1.parse::<u16>().unwrap();
    match ports_of(running.node_server("al-police").unwrap().id()) {
        Ok(ports) => assert_eq!(ports, [port(&node.desk), port(&node.ops)]),
        Err(why) => eprintln!("SKIPPED: whose ports these are cannot be seen here: {why}"),
    }
    TcpStream::connect(&node.exchange).unwrap_err();
}

#[test]
fn a_member_that_dials_and_is_not_there_is_unreachable_at_once_and_named() {
    let mut running = dialling(&["AL", "BA"]);
    running.federation.start().unwrap();
    running.with_sample().unwrap();
    running.node_server("ba-police").unwrap().kill();
    wait_until_unreachable(&running, "ba-police");
    let began = Instant::now();
    let shown = running.gather(&running.issue(&[QUESTION]).unwrap()).unwrap();
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_total(&shown, 1, 71);
    let away = member(&shown, "BA").unwrap();
    assert_eq!((&away["state"], &away["reason"]), (&json!("unreachable"), &json!("NO_CONNECTION")));
}

#[test]
fn a_node_dials_through_a_proxy_if_it_is_told_to() {
    let mut running = dialling(&["AL", "BA"]);
    let proxy = Proxy::start().unwrap();
    through(&running, "al-police", &proxy);
    running.federation.start().unwrap();
    running.with_sample().unwrap();
    let before = proxy.bytes();
    let shown = running.gather(&running.issue(&[QUESTION]).unwrap()).unwrap();
    assert_total(&shown, 2, 113);
    assert_eq!(proxy.wait_for(1, SOON).unwrap(), [running.dial.clone()], "the one tunnel");
    assert!(proxy.bytes() > before + 1_000, "the answer passed there: {}", proxy.bytes() - before);
}

#[test]
fn a_proxy_that_says_no_is_named_and_asked_again() {
    let mut running = dialling(&["AL"]);
    let proxy = Proxy::start().unwrap();
    proxy.refuse(true);
    through(&running, "al-police", &proxy);
    running.federation.start_coordinator().unwrap();
    running.federation.start_node("al-police").unwrap();
    wait_for_log(&running, "al-police", &["NO_CONNECTION", &proxy.address, "407"]);
    assert_eq!(unreachable(&running, "al-police"), "NO_CONNECTION");
    proxy.refuse(false);
    running.wait_for_dialled().unwrap();
}

#[test]
fn a_connection_that_a_firewall_has_forgotten_is_noticed_and_made_anew() {
    let mut running = dialling(&["AL"]);
    let proxy = Proxy::start().unwrap();
    through(&running, "al-police", &proxy);
    running.federation.start().unwrap();
    running.with_sample().unwrap();
    proxy.forget();
    proxy.wait_for(2, KEEPALIVE_INTERVAL + KEEPALIVE_TIMEOUT + SOON).unwrap();
    running.wait_for_dialled().unwrap();
    assert_total(&running.gather(&running.issue(&[QUESTION]).unwrap()).unwrap(), 1, 71);
}

#[test]
fn nodes_come_back_by_themselves_when_the_coordinator_does_and_the_collection_completes() {
    let mut running = dialling(&["AL", "BA"]);
    let config = running.dir.join("coordinator/coordinator.toml");
    edit(&config, "retry_s = 600", "retry_s = 1");
    running.federation.start().unwrap();
    running.with_sample().unwrap();
    running.node_server("ba-police").unwrap().kill();
    let requirement = running.issue(&[QUESTION]).unwrap();
    wait_until_unreachable(&running, "ba-police");
    assert_total(&running.gather(&requirement).unwrap(), 1, 71);

    running.coordinator_server().unwrap().kill();
    running.federation.start_node("ba-police").unwrap();
    running.federation.start_coordinator().unwrap();
    let watch = ["collection", &requirement, "--watch"];
    running.region("analyst", "json", &watch).unwrap().json(&[0]).unwrap();
    let show = ["picture", "show", &requirement];
    let shown = running.region("analyst", "json", &show).unwrap().json(&[0, 3]).unwrap();
    assert_total(&shown, 2, 113);
}

#[test]
fn a_node_says_what_keeps_it_from_starting_when_it_cannot_be_reached() {
    let mut running = dialling(&["AL"]);
    let config = running.nodes["al-police"].home.join("node.toml");
    let (listen, dial) = ("[exchange]\nlisten = \"127.0.0.1:7101\"\n", running.dial.clone());
    edit(&config, "[exchange]\n", listen);
    let why = running.federation.start_node("al-police").unwrap_err().to_string();
    assert!(why.contains("a node listens or dials"), "{why}");
    edit(&config, &format!("coordinator = {dial:?}"), "");
    let why = running.federation.start_node("al-police").unwrap_err().to_string();
    assert!(why.contains("dials-in") && why.contains("set dial.coordinator"), "{why}");
}

/// Credentials with a key that no roster knows, but of the federation's own CA.
fn unregistered(running: &Running, identity: &Identity) -> Credentials {
    let ca = Authority::load(&running.dir.join("federation"), &SystemClock).unwrap();
    let Issued { certificate_pem, key_pem, .. } = ca.issue(identity).unwrap();
    let dir = running.dir.join(format!("unregistered-{}", identity.name));
    fs::create_dir(&dir).unwrap();
    let at = |name| dir.join(name);
    fs::write(at("tls.crt"), certificate_pem).unwrap();
    fs::write(at("ca.crt"), ca.certificate_pem()).unwrap();
    write_secret(&at("tls.key"), &key_pem).unwrap();
    let (certificate, key, ca) = (at("tls.crt"), at("tls.key"), at("ca.crt"));
    let files = TlsFiles { certificate, key, ca, crl: None };
    Credentials::load(&files).unwrap()
}

#[test]
fn whoever_is_asked_to_end_says_goodbye_and_ends() {
    let mut running = dialling(&["AL"]);
    running.federation.start().unwrap();
    let end = |server: &Server| {
        server.signal(rustix::process::Signal::TERM).unwrap();
        let began = Instant::now();
        assert!(server.wait().unwrap().success());
        assert!(began.elapsed() < DRAIN_TIMEOUT, "it had to be torn away");
    };
    end(running.node_server("al-police").unwrap());
    wait_until_unreachable(&running, "al-police");
    running.federation.start_node("al-police").unwrap();
    running.wait_for_dialled().unwrap();
    end(running.coordinator_server().unwrap());
    wait_for_log(&running, "al-police", &["not dialled"]);
}

fn coordinator(running: &Running) -> Credentials {
    peers::credentials(&running.dir.join("coordinator/keys")).unwrap()
}

/// Refuses everything in its own words; with a gate, when that is opened.
struct Says(&'static str, Option<Mutex<Receiver<()>>>);

impl Answers for Says {
    fn answer(&self, _: wire::AnswerRequest) -> Result<wire::AnswerResponse, Status> {
        if let Some(gate) = &self.1 {
            let opened = || gate.lock().unwrap().recv_timeout(SOON);
            tokio::task::block_in_place(opened).unwrap();
        }
        Err(Status::failed_precondition(self.0))
    }
}

#[test]
fn a_call_under_way_ends_on_its_connection_and_the_next_one_takes_the_newest() {
    let running = dialling(&["AL"]);
    let own = || peers::credentials(&running.dir.join("al-police/keys")).unwrap();
    let al = expected(&running, "al-police");
    Runtime::new().unwrap().block_on(async {
        let listener = TcpListener::bind(&running.dial).await.unwrap();
        let (dialled, roster) = (Dialled::default(), Arc::new(peers::roster(&running).unwrap()));
        let (tell, mut came) = unbounded_channel();
        let heard = move |node: &Name| tell.send(node.clone()).unwrap();
        let _tasks = dialled::admit(
            listener,
            (&coordinator(&running), ("dial", Tally::default())),
            move || Arc::clone(&roster),
            dialled.clone(),
            heard,
        );
        let ask = || {
            let mut node = ExchangeClient::new(dialled.channel(al.clone()).unwrap());
            async move { node.answer(wire::AnswerRequest::default()).await.unwrap_err() }
        };

        let (open, gate) = std::sync::mpsc::channel();
        let old = play_node(&running, own(), Says("the old one", Some(Mutex::new(gate))));
        assert_eq!(came.recv().await.as_ref(), Some(&al.identity.name));
        let under_way = tokio::spawn(ask());
        let new = play_node(&running, own(), Says("the new one", None));
        assert_eq!(came.recv().await.as_ref(), Some(&al.identity.name));
        assert_eq!(ask().await.message(), "the new one");
        assert!(!under_way.is_finished());
        open.send(()).unwrap();
        assert_eq!(under_way.await.unwrap().message(), "the old one");
        // The end of the old one takes nothing away from the new one.
        old.abort();
        assert_eq!(ask().await.message(), "the new one");
        new.abort();
        while dialled.channel(al.clone()).is_ok() {
            tokio::task::yield_now().await;
        }
    });
}

fn expected(running: &Running, node: &str) -> Expected {
    Expected { identity: peers::identity(running, node).unwrap(), spki: None }
}

/// Plays the coordinator at the address that nodes dial, with somebody's credentials.
async fn play_coordinator(running: &Running, as_whom: &Credentials) -> (impl Sized, Dialled) {
    let listener = TcpListener::bind(&running.dial).await.unwrap();
    let (dialled, roster) = (Dialled::default(), Arc::new(peers::roster(running).unwrap()));
    let knows = move || Arc::clone(&roster);
    let tasks = dialled::admit(
        listener,
        (as_whom, ("dial", Tally::default())),
        knows,
        dialled.clone(),
        |_| {},
    );
    (tasks, dialled)
}

#[test]
fn a_node_serves_nobody_but_the_coordinator_of_the_roster() {
    let mut running = dialling(&["AL", "BA"]);
    let centre = coordinator(&running).own().identity.clone();
    let neighbour = peers::credentials(&running.dir.join("ba-police/keys")).unwrap();
    let stranger = unregistered(&running, &centre);
    let al = expected(&running, "al-police");
    let runtime = Runtime::new().unwrap();
    running.federation.start_node("al-police").unwrap();
    for (credentials, why) in [
        (neighbour, format!("not {centre}")),
        (stranger, "the server's key is not the registered one".to_owned()),
    ] {
        let (port, dialled) = runtime.block_on(play_coordinator(&running, &credentials));
        wait_for_log(&running, "al-police", &[Reason::CertificateIdentity.code(), &why]);
        dialled.channel(al.clone()).unwrap_err();
        // The port is free again when the tasks have ended.
        drop(port);
        runtime.block_on(async { while TcpStream::connect(&running.dial).is_ok() {} });
    }
    running.federation.start_coordinator().unwrap();
    let deadline = Instant::now() + SOON;
    while !unreachable(&running, "al-police").is_empty() {
        assert!(Instant::now() < deadline, "it does not come to the true one");
    }
}

/// Plays a node that dials, with somebody's credentials.
fn play_node(running: &Running, credentials: Credentials, says: impl Answers) -> JoinHandle<()> {
    let centre = coordinator(running).own().identity.clone();
    let way = Way::parse(&running.dial, "").unwrap();
    let service = ExchangeServer::new(peers::played(says));
    let options = peers::options();
    tokio::spawn(async move {
        let centres = Box::new(move || vec![Expected { identity: centre.clone(), spki: None }]);
        let us_and_them: (_, Centres) = (&credentials, centres);
        let forever = std::future::pending();
        let dice = Arc::new(SystemEntropy);
        let _ = dial::serve(way, us_and_them, Services::of(service), options, dice, forever).await;
    })
}

#[test]
fn nobody_is_taken_for_a_member_that_dials() {
    // The first listens, the second dials.
    let mut running = prepared_with(&["AL", "BA"], Dialling::EverySecond);
    running.federation.start_coordinator().unwrap();
    let own = |node: &str| peers::credentials(&running.dir.join(node).join("keys")).unwrap();
    let ba = peers::identity(&running, "ba-police").unwrap();
    let elsewhere = Identity::parse("spiffe://wb6.example/RS/node/ba-police/node").unwrap();
    let refused = [
        (unregistered(&running, &ba), format!("{ba} with this key is not in the roster")),
        (own("al-police"), "al-police listens at".to_owned()),
        (coordinator(&running), "coordinator with this key is not in the roster".to_owned()),
    ];
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        for (credentials, why) in refused {
            let playing = play_node(&running, credentials, Says("nothing", None));
            wait_for_log(&running, "coordinator", &["refused", &why]);
            assert_eq!(unreachable(&running, "ba-police"), "NO_CONNECTION", "{why}");
            playing.abort();
        }
        fs::remove_dir_all(running.dir.join("unregistered-ba-police")).unwrap();
        let stranger = unregistered(&running, &elsewhere);
        let playing = play_node(&running, stranger, Says("nothing", None));
        wait_for_log(&running, "coordinator", &["refused", &elsewhere.to_string()]);
        assert_eq!(unreachable(&running, "ba-police"), "NO_CONNECTION");
        playing.abort();
        // The very same, with the registered key.
        let playing = play_node(&running, own("ba-police"), Says("nothing", None));
        let deadline = Instant::now() + SOON;
        while unreachable(&running, "ba-police") == "NO_CONNECTION" {
            assert!(Instant::now() < deadline, "the true one is not let in");
        }
        playing.abort();
    });
}

#[test]
fn whoever_calls_at_the_port_for_dialling_and_whoever_dials_another_is_refused() {
    let mut running = dialling(&["AL"]);
    running.federation.start_coordinator().unwrap();
    let node = peers::credentials(&running.dir.join("al-police/keys")).unwrap();
    let centre = coordinator(&running).own().identity.clone();
    Runtime::new().unwrap().block_on(async {
        let expected = Expected { identity: centre, spki: None };
        connect(&running.dial, &node, expected).await.unwrap_err();
    });
    let config = running.nodes["al-police"].home.join("node.toml");
    let (dial, region) = (running.dial.clone(), running.region.clone());
    edit(&config, &format!("coordinator = {dial:?}"), &format!("coordinator = {region:?}"));
    running.federation.start_node("al-police").unwrap();
    wait_for_log(&running, "al-police", &["not dialled", &region]);
    assert_eq!(unreachable(&running, "al-police"), "NO_CONNECTION");
}
