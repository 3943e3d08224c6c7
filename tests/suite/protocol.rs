//! Parties of different age: this software works with the version before it and with the one after it, on every port and whoever
//! has opened the connection; a version that is too old or cannot be read is refused by name; clocks are compared on the way.

use std::{
    fs,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use accord_proto::{
    clock::{Clock, SystemClock, SystemEntropy},
    identity::{Identity, Name},
    operate::measures::Tally,
    protocol::{HEADER, SPOKEN, Speaks, TIME_HEADER},
    reason::Reason,
    status::from_status,
    transport::{
        Credentials, Expected,
        channel::Channel,
        connection::connect,
        dial::{self, Centres, Way},
        dialled::{self, Dialled},
        heard::Peers,
        listener::{Options, Services},
    },
    wire::{
        self, desk::desk_client::DeskClient, exchange_client::ExchangeClient,
        exchange_server::ExchangeServer, journal::journal_client::JournalClient,
        region::region_client::RegionClient,
    },
};
use accord_tests::{
    federation::{Dialling, QUESTION, cell, member},
    peers::{self, Answers},
    rotation::until_said,
    stand_in::{Says, StandIn},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, runtime::Runtime, task::JoinHandle};
use tonic::{
    Code, Request, Response, Status,
    metadata::{AsciiMetadataValue, MetadataMap},
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::{Running, prepared, prepared_with, with_sample};

/// Software before versions were said: it says nothing.
const OLD: Speaks = Speaks { oldest: 1, newest: 1 };
/// The version after this one: it still speaks this one.
const NEXT: Speaks = Speaks { oldest: SPOKEN, newest: SPOKEN + 1 };
/// The version after that: it does not.
const FAR: Speaks = Speaks { oldest: SPOKEN + 1, newest: SPOKEN + 2 };
/// What is no version.
const UNREADABLE: [&str; 5] = ["0", "-1", "2.0", "two", "99999999999"];

const COORDINATOR: &str = "spiffe://wb6.example/REGION/node/coordinator/coordinator";
const SOON: Duration = Duration::from_secs(60);

/// The system's clock, put forward.
struct Ahead(i64);

impl Clock for Ahead {
    fn now_ms(&self) -> i64 {
        SystemClock.now_ms() + self.0
    }
}

/// A port of software that speaks this, whose clock is so far ahead.
fn port(speaks: Speaks, ahead_ms: i64) -> Options {
    Options { speaks, clock: Arc::new(Ahead(ahead_ms)), ..peers::options() }
}

/// Somebody's connection to a node's or the coordinator's port.
async fn channel(running: &Running, keys: &str, (address, whose): (&str, Identity)) -> Channel {
    let credentials = peers::credentials(&running.dir.join(keys)).unwrap();
    let expected = Expected { identity: whose, spki: None };
    connect(address, &credentials, expected).await.unwrap()
}

async fn to_exchange(running: &Running) -> Channel {
    let whose = peers::identity(running, "al-police").unwrap();
    let address = &running.nodes["al-police"].exchange;
    channel(running, "coordinator/keys", (address, whose)).await
}

async fn to_desk(running: &Running) -> Channel {
    let whose = peers::identity(running, "al-police").unwrap();
    let address = &running.nodes["al-police"].desk;
    channel(running, "al-police/staff/auditor", (address, whose)).await
}

async fn to_region(running: &Running) -> Channel {
    let whose = Identity::parse(COORDINATOR).unwrap();
    channel(running, "coordinator/staff/auditor", (&running.region, whose)).await
}

/// A call that says this of itself.
fn saying<T>(version: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert(HEADER, version.parse().unwrap());
    request
}

fn said<'a, T>(response: &'a Response<T>, header: &str) -> Option<&'a str> {
    response.metadata().get(header).map(|said| said.to_str().unwrap())
}

/// It is refused by name, and both sides are told what is spoken.
fn assert_refused<T: std::fmt::Debug>(answered: Result<T, Status>, why: &str) {
    let status = answered.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition, "{status}");
    let refused = from_status(&status);
    assert_eq!(refused.reason, Reason::ProtocolUnsupported, "{refused}");
    assert!(refused.detail.contains(why), "{refused}");
}

#[test]
fn an_old_coordinator_is_answered_as_before_and_told_nothing_that_it_could_not_read() {
    let running = with_sample(&["AL"]);
    let asked = peers::requirement(&running, &[QUESTION]).unwrap();
    let ask = || wire::AnswerRequest { requirement: Some(asked.envelope().clone()) };
    Runtime::new().unwrap().block_on(async {
        let mut this = peers::coordinator(&running, "al-police").await.unwrap();
        let mut old = ExchangeClient::new(to_exchange(&running).await.speaking(OLD));
        let (old, this) = (old.answer(ask()).await.unwrap(), this.answer(ask()).await.unwrap());
        assert_eq!(old.get_ref(), this.get_ref());
        assert_eq!((said(&old, TIME_HEADER), said(&old, HEADER)), (None, Some("2")));
        assert!(said(&this, TIME_HEADER).is_some());

        let mut desk = DeskClient::new(to_desk(&running).await.speaking(OLD));
        let status = desk.get_status(wire::desk::GetStatusRequest {}).await.unwrap().into_inner();
        assert_eq!((status.coordinators, status.endings), (Vec::new(), Vec::new()));
        let mut region = RegionClient::new(to_region(&running).await.speaking(OLD));
        let list = wire::region::ListMembersRequest { describe: true };
        let listed = region.list_members(list).await.unwrap().into_inner();
        assert_eq!(listed.endings, []);
        let [member] = listed.members.as_slice() else { panic!("{listed:?}") };
        assert!(member.description.is_some());
        assert_eq!((member.protocol, member.clock_offset_ms), (0, None));
    });
}

#[test]
fn a_newer_caller_is_served_on_every_port() {
    let running = with_sample(&["AL"]);
    let asked = peers::requirement(&running, &[QUESTION]).unwrap();
    Runtime::new().unwrap().block_on(async {
        peers::coordinator(&running, "al-police").await.unwrap();
        let mut newer = ExchangeClient::new(to_exchange(&running).await.speaking(NEXT));
        let ask = wire::AnswerRequest { requirement: Some(asked.envelope().clone()) };
        let answer = newer.answer(ask).await.unwrap();
        assert!(answer.get_ref().outcome.is_some() && said(&answer, TIME_HEADER).is_some());
        let mut desk = DeskClient::new(to_desk(&running).await.speaking(NEXT));
        desk.get_status(wire::desk::GetStatusRequest {}).await.unwrap();
        let mut region = RegionClient::new(to_region(&running).await.speaking(NEXT));
        region.list_members(wire::region::ListMembersRequest::default()).await.unwrap();
    });
}

#[test]
fn a_caller_whose_version_cannot_be_read_is_refused_by_name_on_every_port() {
    let running = with_sample(&["AL"]);
    Runtime::new().unwrap().block_on(async {
        let mut exchange = ExchangeClient::new(to_exchange(&running).await.speaking(OLD));
        let mut desk = DeskClient::new(to_desk(&running).await.speaking(OLD));
        let mut region = RegionClient::new(to_region(&running).await.speaking(OLD));
        let mut national = JournalClient::new(to_desk(&running).await.speaking(OLD));
        let mut regional = JournalClient::new(to_region(&running).await.speaking(OLD));
        for version in UNREADABLE {
            let why = format!("{version:?}, which is no version; the server speaks 1 to 2");
            let described = exchange.describe(saying(version, wire::DescribeRequest {})).await;
            assert_refused(described, &why);
            let status = desk.get_status(saying(version, wire::desk::GetStatusRequest {})).await;
            assert_refused(status, &why);
            let list = wire::region::ListMembersRequest::default();
            assert_refused(region.list_members(saying(version, list)).await, &why);
            for journal in [&mut national, &mut regional] {
                let head = journal.get_head(saying(version, wire::journal::GetHeadRequest {}));
                assert_refused(head.await, &why);
            }
        }
        // Health is everybody's.
        let mut health = HealthClient::new(to_exchange(&running).await.speaking(OLD));
        health.check(saying("two", HealthCheckRequest::default())).await.unwrap();
    });
}

/// A member that is played, and what stands beside all that it says.
struct Beside(StandIn, MetadataMap);

impl Answers for Beside {
    fn answer(&self, request: wire::AnswerRequest) -> Result<wire::AnswerResponse, Status> {
        self.0.answer(request)
    }

    fn journal(&self) -> Option<&peers::Journal> {
        self.0.journal()
    }

    fn beside(&self) -> MetadataMap {
        self.1.clone()
    }
}

fn played(running: &Running) -> StandIn {
    StandIn::of(running, "al-police", Arc::new(Mutex::new(Says::open(71)))).unwrap()
}

/// A federation whose coordinator runs and whose one node is played.
struct Scene {
    running: Running,
    runtime: Runtime,
    serving: Option<JoinHandle<()>>,
}

impl Scene {
    fn begin(dialling: Dialling) -> Self {
        let mut running = prepared_with(&["AL"], dialling);
        running.federation.start_coordinator().unwrap();
        Self { running, runtime: Runtime::new().unwrap(), serving: None }
    }

    /// From now on the node is such software.
    fn plays(&mut self, member: impl Answers, options: Options) {
        self.leaves();
        let running = &self.running;
        let credentials = peers::credentials(&running.dir.join("al-police/keys")).unwrap();
        self.serving = Some(if running.nodes["al-police"].dials {
            self.runtime.spawn(play_dialling(running, credentials, member, options))
        } else {
            let address = &running.nodes["al-police"].exchange;
            let serving = peers::serve_with(member, address, credentials, options);
            self.runtime.block_on(serving).unwrap()
        });
        let deadline = Instant::now() + SOON;
        while self.described()["unreachable"] == "NO_CONNECTION" {
            assert!(Instant::now() < deadline, "it does not come");
        }
    }

    fn leaves(&mut self) {
        let Some(serving) = self.serving.take() else { return };
        serving.abort();
        let _ = self.runtime.block_on(serving);
        let deadline = Instant::now() + SOON;
        while self.described()["unreachable"] != "NO_CONNECTION" {
            assert!(Instant::now() < deadline, "it does not go");
        }
    }

    /// What is shown of the member.
    fn described(&self) -> Value {
        let list = ["member", "list", "--describe"];
        let listed = self.running.region("analyst", "json", &list).unwrap();
        listed.json(&[0, 3]).unwrap()[0].clone()
    }

    /// What is drawn when it is asked.
    fn gathered(&self) -> Value {
        self.running.gather(&self.running.issue(&[QUESTION]).unwrap()).unwrap()
    }

    fn assert_answers(&self, protocol: u32) {
        let entry = self.described();
        assert_eq!((&entry["unreachable"], &entry["protocol"]), (&json!(""), &json!(protocol)));
        let shown = self.gathered();
        assert_eq!(cell(&shown, "ICCS0101", "2016").unwrap()["value"], 71, "{shown}");
    }

    fn assert_unsupported(&self) {
        assert_eq!(self.described()["unreachable"], "PROTOCOL_UNSUPPORTED");
        let state = member(&self.gathered(), "AL").unwrap().clone();
        let wanted = (&json!("unreachable"), &json!("PROTOCOL_UNSUPPORTED"));
        assert_eq!((&state["state"], &state["reason"]), wanted);
    }
}

/// A node that dials.
fn play_dialling(
    running: &Running,
    credentials: Credentials,
    member: impl Answers,
    options: Options,
) -> impl Future<Output = ()> + Send + 'static {
    let way = Way::parse(&running.dial, "").unwrap();
    let service = ExchangeServer::new(peers::played(member));
    async move {
        let identity = || Identity::parse(COORDINATOR).unwrap();
        let centres: Centres =
            Box::new(move || vec![Expected { identity: identity(), spki: None }]);
        let (dice, forever) = (Arc::new(SystemEntropy), std::future::pending());
        let us_and_them = (&credentials, centres);
        let _ = dial::serve(way, us_and_them, Services::of(service), options, dice, forever).await;
    }
}

/// Whatever the age of a member, it is gathered from or refused by name.
fn members_of_every_age(dialling: Dialling) {
    let mut scene = Scene::begin(dialling);
    for (speaks, protocol) in [(OLD, 1), (NEXT, SPOKEN + 1), (Speaks::OURS, SPOKEN)] {
        scene.plays(played(&scene.running), port(speaks, 0));
        scene.assert_answers(protocol);
    }
    scene.plays(played(&scene.running), port(FAR, 0));
    scene.assert_unsupported();
    assert_eq!(scene.described()["protocol"], FAR.newest);
    for version in UNREADABLE {
        let mut beside = MetadataMap::new();
        beside.insert(HEADER, version.parse().unwrap());
        scene.plays(Beside(played(&scene.running), beside), port(OLD, 0));
        scene.assert_unsupported();
    }
}

#[test]
fn members_of_the_version_before_and_after_are_gathered_from_and_others_are_refused_by_name() {
    members_of_every_age(Dialling::Nobody);
}

#[test]
fn the_same_holds_for_members_that_dial() {
    members_of_every_age(Dialling::Everybody);
}

#[test]
fn a_node_that_dials_serves_the_version_before_and_after_and_refuses_what_cannot_be_read() {
    let mut running = prepared_with(&["AL"], Dialling::Everybody);
    running.federation.start_node("al-police").unwrap();
    Runtime::new().unwrap().block_on(async {
        let listener = TcpListener::bind(&running.dial).await.unwrap();
        let (dialled, roster) = (Dialled::default(), Arc::new(peers::roster(&running).unwrap()));
        let (tell, mut came) = tokio::sync::mpsc::unbounded_channel();
        let heard = move |node: &Name| tell.send(node.clone()).unwrap();
        let keys = peers::credentials(&running.dir.join("coordinator/keys")).unwrap();
        let knows = move || Arc::clone(&roster);
        let _tasks = dialled::admit(
            listener,
            (&keys, ("dial", Tally::default())),
            knows,
            dialled.clone(),
            heard,
        );
        came.recv().await.unwrap();
        let identity = peers::identity(&running, "al-police").unwrap();
        let channel = dialled.channel(Expected { identity, spki: None }).unwrap();
        let client = |speaks| ExchangeClient::new(channel.clone().speaking(speaks));
        for (speaks, tells_time) in [(OLD, false), (Speaks::OURS, true), (NEXT, true)] {
            let described = client(speaks).describe(wire::DescribeRequest {}).await.unwrap();
            assert_eq!(said(&described, TIME_HEADER).is_some(), tells_time, "{speaks:?}");
            assert_eq!(said(&described, HEADER), Some("2"));
        }
        for version in UNREADABLE {
            let request = saying(version, wire::DescribeRequest {});
            assert_refused(client(OLD).describe(request).await, "which is no version");
        }
        // Whoever does not speak this version any more says so of itself.
        let described = client(FAR).describe(wire::DescribeRequest {}).await;
        assert_refused(described, "the server speaks 2, the caller 3 to 4: the server must be");
    });
}

/// The offset that is shown lies within the time that showing it took.
fn assert_offset(scene: &Scene, ahead_ms: i64) {
    let begun = Instant::now();
    let entry = scene.described();
    let within = i64::try_from(begun.elapsed().as_millis()).unwrap();
    let offset = entry["clock_offset_ms"].as_i64().unwrap();
    assert!((offset - ahead_ms).abs() <= within, "{offset} where {ahead_ms} ± {within}");
}

#[test]
fn how_far_a_members_clock_is_off_is_shown_and_warned_of_once_until_it_is_right_again() {
    let mut scene = Scene::begin(Dialling::Nobody);
    let log = scene.running.dir.join("coordinator/log");
    let (off, right) = ("its clock or the one here is off", "its clock is right again");
    for (ahead_ms, offs, rights) in
        [(300, 0, 0), (-3_600_000, 1, 0), (90_000, 1, 0), (-40_000, 1, 0), (-20_000, 1, 1)]
    {
        scene.plays(played(&scene.running), port(Speaks::OURS, ahead_ms));
        assert_offset(&scene, ahead_ms);
        until_said(&log, off, offs).unwrap();
        until_said(&log, right, rights).unwrap();
        let said = fs::read_to_string(&log).unwrap();
        assert_eq!((said.matches(off).count(), said.matches(right).count()), (offs, rights));
    }
    let list = ["member", "list", "--describe"];
    let table = scene.running.region("analyst", "table", &list).unwrap().stdout;
    assert!(table.contains("CLOCK") && table.contains("-20."), "{table}");
    // Of software that tells no time it is not known any more.
    scene.plays(played(&scene.running), port(OLD, 0));
    let entry = scene.described();
    assert_eq!((&entry["clock_offset_ms"], &entry["protocol"]), (&Value::Null, &json!(1)));
}

#[test]
fn an_absurd_time_is_ignored_and_harms_nothing() {
    let mut scene = Scene::begin(Dialling::Nobody);
    let absurd = ["", "-1", "noon", "1e9", "9223372036854775808", &"9".repeat(2_000)];
    for time in absurd.map(|time| time.parse::<AsciiMetadataValue>().unwrap()) {
        let mut beside = MetadataMap::new();
        beside.insert(HEADER, "2".parse().unwrap());
        beside.insert(TIME_HEADER, time);
        scene.plays(Beside(played(&scene.running), beside), port(OLD, 0));
        scene.assert_answers(2);
        assert_eq!(scene.described()["clock_offset_ms"], Value::Null);
    }
}

#[test]
fn a_node_shows_how_far_its_coordinators_clock_is_off() {
    let mut running = prepared(&["AL"]);
    running.federation.start_node("al-police").unwrap();
    let status = || {
        let status = running.desk("al-police", "operator", &["status"]).unwrap();
        status.json(&[0]).unwrap()["coordinators"].clone()
    };
    assert_eq!(status(), json!([]));
    let (begun, ahead_ms) = (Instant::now(), 90_000);
    Runtime::new().unwrap().block_on(async {
        let (clock, name) = (Arc::new(Ahead(ahead_ms)), Name::parse("", "al-police").unwrap());
        let channel = to_exchange(&running).await.noted(&Peers::new(clock), &name);
        let mut coordinator = ExchangeClient::new(channel);
        coordinator.describe(wire::DescribeRequest {}).await.unwrap();
    });
    let within = i64::try_from(begun.elapsed().as_millis()).unwrap();
    let shown = status()[0].clone();
    assert_eq!((&shown["name"], &shown["protocol"]), (&json!("coordinator"), &json!(SPOKEN)));
    let offset = shown["clock_offset_ms"].as_i64().unwrap();
    assert!((offset - ahead_ms).abs() <= within, "{offset} where {ahead_ms} ± {within}");
    until_said(&running.dir.join("al-police/log"), "its clock or the one here is off", 1).unwrap();
}
