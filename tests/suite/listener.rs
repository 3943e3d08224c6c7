//! The listener profile: every wait and every size has a bound, and health answers over the same TLS.

use std::{
    io::Read as _,
    net::TcpStream,
    time::{Duration, Instant},
};

use accord_proto::{
    limits::{
        CALLS_PER_IDENTITY_AT_ONCE, CALLS_PER_IDENTITY_MAX, CONNECTIONS_PER_IDENTITY_MAX,
        HANDSHAKE_TIMEOUT, REQUEST_BYTES_MAX,
    },
    transport::{Credentials, Expected, channel::Channel, connection::connect},
    wire,
};
use accord_tests::{hostile, peers};
use tonic::Code;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest,
};
use tonic_types::StatusExt as _;

use crate::{Running, prepared, started};

fn coordinator(running: &Running) -> Credentials {
    peers::credentials(&running.dir.join("coordinator/keys")).unwrap()
}

async fn channel(running: &Running) -> Channel {
    let expected =
        Expected { identity: peers::identity(running, "al-police").unwrap(), spki: None };
    connect(&running.nodes["al-police"].exchange, &coordinator(running), expected).await.unwrap()
}

fn schema_of(running: &Running) -> Result<(), tonic::Status> {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let request = ServerReflectionRequest {
            host: String::new(),
            message_request: Some(MessageRequest::ListServices(String::new())),
        };
        let mut client = ServerReflectionClient::new(channel(running).await);
        let mut replies =
            client.server_reflection_info(tokio_stream::iter([request])).await?.into_inner();
        replies.message().await.map(drop)
    })
}

#[test]
fn health_answers_and_the_schema_is_told_only_where_configured() {
    let mut running = started(&["AL"]);
    let status = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let request = HealthCheckRequest { service: "accord.exchange.v1.Exchange".to_owned() };
        HealthClient::new(channel(&running).await)
            .check(request)
            .await
            .unwrap()
            .into_inner()
            .status()
    });
    assert_eq!(status, ServingStatus::Serving);
    assert_eq!(schema_of(&running).unwrap_err().code(), Code::Unimplemented);

    running.node_server("al-police").unwrap().kill();
    let config = running.nodes["al-police"].home.join("node.toml");
    let open = std::fs::read_to_string(&config).unwrap().replacen(
        "# reflection = false",
        "reflection = true",
        1,
    );
    std::fs::write(config, open).unwrap();
    running.federation.start_node("al-police").unwrap();
    schema_of(&running).unwrap();
}

#[test]
fn a_request_past_its_bound_is_refused_and_the_next_one_is_heard() {
    let running = started(&["AL"]);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let mut client = wire::exchange_client::ExchangeClient::new(channel(&running).await);
        let payload = vec![0; REQUEST_BYTES_MAX + 1];
        let requirement = Some(wire::Envelope { payload, ..Default::default() });
        let refused = client.answer(wire::AnswerRequest { requirement }).await.unwrap_err();
        assert_eq!(refused.code(), Code::OutOfRange, "{refused}");
        client.describe(wire::DescribeRequest {}).await.unwrap();
    });
}

#[test]
fn a_connection_that_says_nothing_is_closed() {
    let running = started(&["AL"]);
    let mut silent = TcpStream::connect(&running.nodes["al-police"].exchange).unwrap();
    silent.set_read_timeout(Some(HANDSHAKE_TIMEOUT * 3)).unwrap();
    let began = Instant::now();
    assert_eq!(silent.read(&mut [0; 1]).unwrap(), 0, "closed by the node");
    assert!(began.elapsed() < HANDSHAKE_TIMEOUT + Duration::from_secs(5), "{:?}", began.elapsed());
}

#[test]
fn a_connection_that_says_nothing_after_its_handshake_is_closed() {
    let running = started(&["AL"]);
    let staff = running.nodes["al-police"].home.join("staff/auditor");
    let config = hostile::tls::client_of(&staff).unwrap();
    let nobody = rustls::pki_types::ServerName::try_from("node.invalid").unwrap();
    let began = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let tcp = tokio::net::TcpStream::connect(&running.nodes["al-police"].desk).await.unwrap();
        let mut tls = tokio_rustls::TlsConnector::from(config).connect(nobody, tcp).await.unwrap();
        let began = Instant::now();
        let mut nothing = tokio::io::sink();
        let silence = tokio::io::copy(&mut tls, &mut nothing);
        // With or without a word: closed by the node.
        let _ = tokio::time::timeout(HANDSHAKE_TIMEOUT * 3, silence).await.unwrap();
        began
    });
    assert!(began.elapsed() < HANDSHAKE_TIMEOUT + Duration::from_secs(5), "{:?}", began.elapsed());
}

#[test]
fn one_identity_cannot_take_every_connection() {
    let running = started(&["AL"]);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let mut held = Vec::new();
        for _ in 0..CONNECTIONS_PER_IDENTITY_MAX {
            let mut client = wire::exchange_client::ExchangeClient::new(channel(&running).await);
            client.describe(wire::DescribeRequest {}).await.unwrap();
            held.push(client);
        }
        let expected =
            Expected { identity: peers::identity(&running, "al-police").unwrap(), spki: None };
        let address = &running.nodes["al-police"].exchange;
        let more = async {
            let channel = connect(address, &coordinator(&running), expected).await.ok()?;
            wire::exchange_client::ExchangeClient::new(channel)
                .describe(wire::DescribeRequest {})
                .await
                .ok()
        };
        assert!(more.await.is_none(), "one connection too many was heard");
        drop(held);
    });
}

#[test]
fn a_plain_text_client_gets_nothing() {
    let mut running = prepared(&["AL"]);
    running.federation.start_node("al-police").unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let address = format!("http://{}", running.nodes["al-police"].exchange);
        let connected = tonic::transport::Endpoint::from_shared(address).unwrap().connect().await;
        let Ok(channel) = connected else { return };
        let mut client = wire::exchange_client::ExchangeClient::new(channel);
        client.describe(wire::DescribeRequest {}).await.unwrap_err();
    });
}

#[test]
fn a_flood_of_one_identity_is_refused_at_once_with_a_hint_and_everybody_else_is_heard() {
    let running = started(&["AL"]);
    let of = |role: &str| {
        let keys = running.nodes["al-police"].home.join("staff").join(role);
        peers::credentials(&keys).unwrap()
    };
    let (flood, other) = (of("auditor"), of("analyst"));
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let open = async |credentials: &Credentials| {
            let identity = peers::identity(&running, "al-police").unwrap();
            let expected = Expected { identity, spki: None };
            connect(&running.nodes["al-police"].desk, credentials, expected).await.unwrap()
        };
        let (flooding, calm) = (open(&flood).await, open(&other).await);
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..4 * CALLS_PER_IDENTITY_AT_ONCE {
            calls.spawn(status(flooding.clone()));
        }
        let flooded = calls.join_all().await;
        let refused: Vec<_> = flooded.into_iter().filter_map(Result::err).collect();
        assert!(!refused.is_empty(), "nobody is refused");
        for error in &refused {
            assert_eq!(error.code(), Code::ResourceExhausted, "{error}");
        }
        let untold = refused.iter().filter(|error| error.get_details_retry_info().is_none());
        assert_eq!(untold.count(), 0, "somebody is not told when to try again");
        status(calm).await.unwrap();
        let mut health = HealthClient::new(flooding);
        health.check(HealthCheckRequest::default()).await.unwrap();
    });
}

#[test]
fn health_answers_while_more_work_is_under_way_than_there_are_processors() {
    let running = started(&["AL"]);
    let (address, staff) = (&running.nodes["al-police"].desk, ["auditor", "operator", "releaser"]);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let open = async |role: &str| {
            let keys = running.nodes["al-police"].home.join("staff").join(role);
            let identity = peers::identity(&running, "al-police").unwrap();
            let expected = Expected { identity, spki: None };
            connect(address, &peers::credentials(&keys).unwrap(), expected).await.unwrap()
        };
        let mut health = HealthClient::new(open("analyst").await);
        let mut work = tokio::task::JoinSet::new();
        for role in staff {
            let channel = open(role).await;
            for _ in 0..CALLS_PER_IDENTITY_MAX {
                let mut desk = wire::desk::desk_client::DeskClient::new(channel.clone());
                let indicator = "PUB.OFF.N".to_owned();
                let wanted = wire::desk::GetTemplateRequest { indicator, ..Default::default() };
                work.spawn(async move { desk.get_template(wanted).await.map(drop) });
            }
        }
        // All of them are under way when the first one has ended, or as good as.
        work.join_next().await.unwrap().unwrap().unwrap();
        health.check(HealthCheckRequest::default()).await.unwrap();
        let mut served = 1;
        while work.try_join_next().is_some() {
            served += 1;
        }
        let all = staff.len() * CALLS_PER_IDENTITY_MAX;
        assert!(served < all / 2, "health waited for {served} of {all} calls");
    });
}

async fn status(channel: Channel) -> Result<(), tonic::Status> {
    let request = wire::desk::GetStatusRequest {};
    wire::desk::desk_client::DeskClient::new(channel).get_status(request).await.map(drop)
}
