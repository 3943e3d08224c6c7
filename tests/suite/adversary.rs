//! Forged, replayed, stale, altered; wrong certificates and wrong roles. Whoever lies is named in the
//! coverage, and never in a total.

use std::{path::Path, sync::Arc};

use accord_coordinator::{
    gather::Reply,
    verify::{Silence, verify},
};
use accord_node::seal::SealedAnswer;
use accord_proto::{
    answer::{Answer, Seal, SealedTable},
    client::ClientFile,
    clock::{Clock as _, SystemClock, Timestamp},
    identity::Identity,
    pki::{Authority, Issued},
    question::SignedRequirement,
    reason::Reason,
    seal::{Digest, SecretKey},
    strict,
    table::{Cell, Mode, Table},
    taxonomy::{CrimeAreaCode, Lists},
    transport::{Credentials, write_secret},
    wire::{self, answer_response::Outcome},
};
use accord_tests::{
    federation::{QUESTION, cell, member},
    peers::{self, Scripted},
};
use prost::Message as _;

use crate::{Running, with_sample};

const HOMICIDE: &str =
    "indicator = \"PUB.OFF.N\"\ncrime_areas = \"ICCS0101\"\nperiods = \"2016\"\n";

/// The true answer of a node to a requirement, asked as the coordinator.
async fn true_answer(
    running: &Running,
    node: &str,
    asked: &SignedRequirement,
) -> wire::SealedTable {
    let coordinator = peers::credentials(&running.dir.join("coordinator/keys")).unwrap();
    let mut client = peers::exchange(running, node, &coordinator).await.unwrap();
    let request = wire::AnswerRequest { requirement: Some(asked.envelope().clone()) };
    let response = client.answer(request).await.unwrap().into_inner();
    let Some(Outcome::Sealed(sealed)) = response.outcome else { panic!("no table") };
    sealed
}

fn response(sealed: wire::SealedTable) -> wire::AnswerResponse {
    wire::AnswerResponse { outcome: Some(Outcome::Sealed(sealed)) }
}

/// The same table under a seal that was changed and signed anew with `key`.
fn resealed(
    sealed: &wire::SealedTable,
    key: &SecretKey,
    own: &SecretKey,
    change: impl FnOnce(&mut Seal),
) -> wire::SealedTable {
    let lists = Lists::builtin();
    let mut seal = Seal::open(sealed.seal.as_ref().unwrap(), &[own.public()], lists).unwrap();
    change(&mut seal);
    wire::SealedTable { table: sealed.table.clone(), seal: Some(seal.sign(key)) }
}

/// Another table under a true seal of its own.
fn retabled(
    sealed: &wire::SealedTable,
    own: &SecretKey,
    change: impl FnOnce(&mut Table),
) -> wire::SealedTable {
    let mut table = Table::decode(&sealed.table, Lists::builtin()).unwrap();
    change(&mut table);
    let bytes = table.encode();
    let digest = Digest::of(&bytes);
    let sealed = resealed(sealed, own, own, |seal| seal.table_digest = digest);
    wire::SealedTable { table: bytes, ..sealed }
}

type Lie = Box<dyn Fn(&wire::SealedTable) -> wire::SealedTable>;

#[test]
fn every_lie_is_named_and_is_in_no_total() {
    let mut running = with_sample(&["AL", "BA", "RS"]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let own = peers::secret_key(&running, "al-police/keys/seal.key").unwrap();
    let stranger = peers::secret_key(&running, "ba-police/keys/seal.key").unwrap();
    let yesterday = SystemClock.now().plus_s(-86_400);
    let earlier = peers::requirement(&running, &[HOMICIDE]).unwrap();
    let other_answer = runtime.block_on(true_answer(&running, "al-police", &earlier));
    let neighbours = runtime.block_on(true_answer(&running, "ba-police", &earlier));

    let lies = [
        lies_of_bytes(own, stranger, neighbours, other_answer),
        lies_of_seals(peers::secret_key(&running, "al-police/keys/seal.key").unwrap(), yesterday),
        lies_of_tables(peers::secret_key(&running, "al-police/keys/seal.key").unwrap()),
    ];
    let node = peers::credentials(&running.dir.join("al-police/keys")).unwrap();
    let address = running.nodes["al-police"].exchange.clone();
    for (name, reason, lie) in lies.into_iter().flatten() {
        let requirement = running.issue(&[HOMICIDE]).unwrap();
        let envelope = stored_requirement(&running, &requirement);
        let truth = runtime.block_on(true_answer(&running, "al-police", &envelope));
        running.node_server("al-police").unwrap().kill();
        let scripted = Scripted { response: response(lie(&truth)), append: None };
        let liar = runtime.block_on(scripted.serve(&address, node.clone())).unwrap();
        let shown = running.gather(&requirement).unwrap();
        liar.abort();
        let _ = runtime.block_on(liar);

        let al = member(&shown, "AL").unwrap();
        assert_eq!(
            (al["state"].as_str(), al["reason"].as_str()),
            (Some("rejected"), Some(reason.code())),
            "{name}"
        );
        let total = cell(&shown, "ICCS0101", "2016").unwrap();
        assert_eq!(total["value"], 42 + 106, "{name}");
        assert_eq!(total["status"], "partial", "{name}");
        assert_eq!(shown["picture"]["coverage"]["answered"], 2, "{name}");
        running.federation.start_node("al-police").unwrap();
    }
}

/// Altered, unsealed, sealed by another, or somebody else's answer altogether.
fn lies_of_bytes(
    own: SecretKey,
    stranger: SecretKey,
    neighbours: wire::SealedTable,
    other_answer: wire::SealedTable,
) -> Vec<(&'static str, Reason, Lie)> {
    let altered = |truth: &wire::SealedTable| {
        let mut lie = truth.clone();
        *lie.table.last_mut().unwrap() ^= 1;
        lie
    };
    let unsealed = |truth: &wire::SealedTable| wire::SealedTable { seal: None, ..truth.clone() };
    vec![
        ("an altered table", Reason::AnswerSeal, Box::new(altered)),
        ("no seal", Reason::AnswerSeal, Box::new(unsealed)),
        (
            "someone else's seal",
            Reason::AnswerSeal,
            Box::new(move |truth| resealed(truth, &stranger, &own, |_| ())),
        ),
        ("a neighbour's answer", Reason::AnswerSeal, Box::new(move |_| neighbours.clone())),
        (
            "another requirement's answer",
            Reason::AnswerStale,
            Box::new(move |_| other_answer.clone()),
        ),
    ]
}

/// True signatures by the node's own key, over something that does not belong here.
fn lies_of_seals(own: SecretKey, yesterday: Timestamp) -> Vec<(&'static str, Reason, Lie)> {
    let own = Arc::new(own);
    let seal = |change: fn(&mut Seal, Timestamp)| -> Lie {
        let own = Arc::clone(&own);
        Box::new(move |truth| resealed(truth, &own, &own, |seal| change(seal, yesterday)))
    };
    vec![
        (
            "an expired seal",
            Reason::AnswerStale,
            seal(|seal, yesterday| seal.expires_at = yesterday),
        ),
        (
            "another authority",
            Reason::AnswerStale,
            seal(|seal, _| seal.authority = seal.node.clone()),
        ),
        (
            "a seal from the future",
            Reason::ClockSkew,
            seal(|seal, _| seal.issued_at = seal.expires_at.plus_s(-1)),
        ),
        (
            "another jurisdiction",
            Reason::AnswerIdentity,
            seal(|seal, _| {
                seal.jurisdiction = Lists::builtin().jurisdiction("", "RS").unwrap().code
            }),
        ),
    ]
}

/// Tables that no honest node makes, truly sealed.
fn lies_of_tables(own: SecretKey) -> Vec<(&'static str, Reason, Lie)> {
    let own = Arc::new(own);
    let table = |change: fn(&mut Table)| -> Lie {
        let own = Arc::clone(&own);
        Box::new(move |truth| retabled(truth, &own, change))
    };
    let robbery = |table: &mut Table| {
        table.blocks[0].crime_areas = vec![CrimeAreaCode::parse("ICCS0401").unwrap()];
    };
    vec![
        ("another question", Reason::AnswerQuestion, table(robbery)),
        (
            "a negative figure",
            Reason::FieldInvalid,
            table(|table| table.blocks[0].cells[0] = Cell::Value(-1)),
        ),
        (
            "an implausible figure",
            Reason::FieldInvalid,
            table(|table| table.blocks[0].cells[0] = Cell::Value(i64::MAX)),
        ),
        (
            "cells too many",
            Reason::FieldInvalid,
            table(|table| table.blocks[0].cells.push(Cell::Value(1))),
        ),
    ]
}

/// The requirement as the coordinator keeps it: read back over Region as the analyst.
fn stored_requirement(running: &Running, id: &str) -> SignedRequirement {
    let client = running.dir.join("coordinator/staff/analyst/client.toml");
    let envelope = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let channel = ClientFile::connect(&client).await.unwrap();
        let mut region = wire::region::region_client::RegionClient::new(channel);
        let request =
            wire::region::ListRequirementsRequest { page_size: 100, page_token: String::new() };
        let listed = region.list_requirements(request).await.unwrap().into_inner().requirements;
        let envelopes = listed.into_iter().filter_map(|entry| entry.requirement);
        envelopes
            .into_iter()
            .find(|envelope| {
                wire::Requirement::decode(envelope.payload.as_slice()).unwrap().requirement == id
            })
            .unwrap()
    });
    SignedRequirement::open(envelope, &peers::roster(running).unwrap(), Lists::builtin()).unwrap()
}

#[test]
fn one_member_that_is_not_open_hides_the_cell_from_everybody() {
    let running = with_sample(&["AL", "BA", "MK"]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let requirement = running.issue(&[HOMICIDE]).unwrap();
    assert_eq!(
        cell(&running.gather(&requirement).unwrap(), "ICCS0101", "2016").unwrap()["value"],
        71 + 42 + 17
    );

    let requirement = running.issue(&[HOMICIDE]).unwrap();
    let asked = stored_requirement(&running, &requirement);
    let truth = runtime.block_on(true_answer(&running, "mk-police", &asked));
    let key = peers::secret_key(&running, "mk-police/keys/seal.key").unwrap();
    let protected = retabled(&truth, &key, |table| table.blocks[0].mode = Mode::Protected);
    running.node_server("mk-police").unwrap().kill();
    let node = peers::credentials(&running.dir.join("mk-police/keys")).unwrap();
    let scripted = Scripted { response: response(protected), append: None };
    let address = &running.nodes["mk-police"].exchange;
    let _played = runtime.block_on(scripted.serve(address, node)).unwrap();

    let shown = running.gather(&requirement).unwrap();
    assert_eq!(member(&shown, "MK").unwrap()["state"], "answered");
    let hidden = cell(&shown, "ICCS0101", "2016").unwrap();
    assert!(hidden["value"].is_null() && hidden["status"] == "not_shown", "{hidden}");
    assert_eq!(hidden["contributors"], serde_json::json!([]), "who contributed is not told either");
}

#[test]
fn flipping_any_single_bit_of_an_answer_is_noticed() {
    let running = with_sample(&["AL"]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let asked = peers::requirement(&running, &[HOMICIDE]).unwrap();
    let bytes =
        response(runtime.block_on(true_answer(&running, "al-police", &asked))).encode_to_vec();
    let roster = peers::roster(&running).unwrap();
    let seal_key = peers::secret_key(&running, "al-police/keys/seal.key").unwrap();
    let lists = Lists::builtin();
    let (own, now) = (&roster.members[0], SystemClock.now());

    let travelling = |bytes: &[u8]| {
        let said =
            strict::decode::<wire::AnswerResponse>("answer", bytes).and_then(Answer::try_from);
        verify(Reply { member: own.clone(), said }, &asked, None, lists, now).is_ok()
    };
    let stored = |bytes: &[u8]| SealedAnswer::reopen(bytes, &seal_key, lists).is_ok();
    assert!(travelling(&bytes) && stored(&bytes), "the answer as it is must pass");
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(!travelling(&flipped), "bit {bit} of {} travelling", bytes.len() * 8);
        assert!(!stored(&flipped), "bit {bit} of {} stored", bytes.len() * 8);
    }
}

#[test]
fn flipping_any_single_bit_of_a_requirement_is_noticed() {
    let running = crate::prepared(&["AL"]);
    let asked = peers::requirement(&running, &[HOMICIDE]).unwrap();
    let (roster, lists) = (peers::roster(&running).unwrap(), Lists::builtin());
    let bytes = asked.envelope().encode_to_vec();
    let believed = |bytes: &[u8]| {
        strict::decode::<wire::Envelope>("requirement", bytes)
            .and_then(|envelope| SignedRequirement::open(envelope, &roster, lists))
            .is_ok()
    };
    assert!(believed(&bytes));
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(!believed(&flipped), "bit {bit}");
    }
}

#[test]
fn an_older_seal_than_one_seen_is_stale() {
    let running = with_sample(&["AL"]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let asked = peers::requirement(&running, &[HOMICIDE]).unwrap();
    let truth = runtime.block_on(true_answer(&running, "al-police", &asked));
    let key = peers::secret_key(&running, "al-police/keys/seal.key").unwrap();
    let opened = SealedTable::open(truth.clone(), &[key.public()], Lists::builtin()).unwrap();
    let seen = |sequence| accord_coordinator::verify::Seen {
        table: opened.seal().table_digest,
        consent_epoch: opened.seal().consent_epoch,
        sequence,
    };
    let own = peers::roster(&running).unwrap().members[0].clone();
    let judged = |seen| {
        let reply = Reply { member: own.clone(), said: Ok(Answer::Sealed(truth.clone())) };
        verify(reply, &asked, Some(seen), Lists::builtin(), SystemClock.now())
    };
    assert!(judged(seen(opened.seal().sequence)).is_ok());
    let refused = judged(seen(opened.seal().sequence + 1)).unwrap_err();
    assert!(matches!(refused, Silence::Rejected(why) if why.reason == Reason::AnswerStale));
}

#[test]
fn a_table_sealed_differently_for_the_same_requirement_is_refused() {
    let running = with_sample(&["AL"]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let asked = peers::requirement(&running, &[HOMICIDE]).unwrap();
    let truth = runtime.block_on(true_answer(&running, "al-police", &asked));
    let key = peers::secret_key(&running, "al-police/keys/seal.key").unwrap();
    let opened = SealedTable::open(truth.clone(), &[key.public()], Lists::builtin()).unwrap();
    let seen = accord_coordinator::verify::Seen {
        table: opened.seal().table_digest,
        consent_epoch: opened.seal().consent_epoch,
        sequence: opened.seal().sequence,
    };
    let changed = retabled(&truth, &key, |table| table.blocks[0].cells[0] = Cell::Value(72));
    let own = peers::roster(&running).unwrap().members[0].clone();
    let reply = Reply { member: own, said: Ok(Answer::Sealed(changed)) };
    let refused =
        verify(reply, &asked, Some(seen), Lists::builtin(), SystemClock.now()).unwrap_err();
    assert!(matches!(refused, Silence::Rejected(why) if why.reason == Reason::AnswerChanged));
}

/// Writes a certificate as a person's or service's key folder and loads it.
fn holder(dir: &Path, name: &str, issued: &Issued, ca_pem: &str) -> Credentials {
    let at = dir.join(name);
    std::fs::create_dir_all(&at).unwrap();
    std::fs::write(at.join("tls.crt"), &issued.certificate_pem).unwrap();
    std::fs::write(at.join("ca.crt"), ca_pem).unwrap();
    write_secret(&at.join("tls.key"), &issued.key_pem).unwrap();
    peers::credentials(&at).unwrap()
}

#[test]
fn only_the_registered_coordinator_may_ask_a_node() {
    let running = with_sample(&["AL"]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let asked = peers::requirement(&running, &[QUESTION]).unwrap();
    let federation_dir = running.dir.join("federation");
    let ca = Authority::load(&federation_dir, &SystemClock).unwrap();
    let other_ca =
        Authority::new(&peers::roster(&running).unwrap().federation, &SystemClock).unwrap();
    let coordinator =
        Identity::parse("spiffe://wb6.example/REGION/node/coordinator/coordinator").unwrap();
    let uri = |text: &str| vec![text.to_owned()];
    let trusted = ca.certificate_pem();

    let twice = [coordinator.to_string(), "spiffe://wb6.example/AL/node/al-police/node".to_owned()];
    let cases = [
        ("another CA", other_ca.issue(&coordinator).unwrap()),
        ("an unregistered key", ca.issue(&coordinator).unwrap()),
        ("an expired certificate", ca.issue_uris(&uri(&coordinator.to_string()), -1).unwrap()),
        (
            "another coordinator",
            ca.issue_uris(&uri("spiffe://wb6.example/REGION/node/other/coordinator"), 9).unwrap(),
        ),
        (
            "another federation",
            ca.issue_uris(&uri("spiffe://other.example/REGION/node/coordinator/coordinator"), 9)
                .unwrap(),
        ),
        (
            "regional staff",
            ca.issue_uris(&uri("spiffe://wb6.example/REGION/staff/test/analyst"), 9).unwrap(),
        ),
        ("a node", ca.issue_uris(&uri("spiffe://wb6.example/BA/node/ba-police/node"), 9).unwrap()),
    ];
    for (name, issued) in cases {
        let caller = holder(&running.dir, &name.replace(' ', "-"), &issued, trusted);
        let refused = runtime.block_on(async {
            let mut client = peers::exchange(&running, "al-police", &caller).await.ok()?;
            let request = wire::AnswerRequest { requirement: Some(asked.envelope().clone()) };
            client.answer(request).await.ok()
        });
        assert!(refused.is_none(), "{name} got an answer");
    }
    for (name, uris) in [("two identities", &twice[..]), ("no identity", &[])] {
        let issued = ca.issue_uris(uris, 9).unwrap();
        let at = running.dir.join(name.replace(' ', "-"));
        std::fs::create_dir_all(&at).unwrap();
        let outcome = runtime.block_on(raw_call(&running, Some(&issued), trusted));
        assert!(outcome.is_err(), "{name} got an answer");
    }
    let outcome = runtime.block_on(raw_call(&running, None, trusted));
    assert!(outcome.is_err(), "no certificate got an answer");
    // The one that may, may: otherwise the refusals above would prove nothing.
    runtime.block_on(true_answer(&running, "al-police", &asked));
}

/// A TLS client that shows any certificate or none, and reads the server's first bytes.
async fn raw_call(running: &Running, shown: Option<&Issued>, ca_pem: &str) -> std::io::Result<()> {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyServer(provider)));
    let mut config = match shown {
        None => builder.with_no_client_auth(),
        Some(issued) => {
            let chain =
                vec![CertificateDer::from_pem_slice(issued.certificate_pem.as_bytes()).unwrap()];
            let key = PrivateKeyDer::from_pem_slice(issued.key_pem.as_bytes()).unwrap();
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    let tcp = tokio::net::TcpStream::connect(&running.nodes["al-police"].exchange).await?;
    let name = ServerName::try_from("node.invalid").unwrap();
    let mut tls = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, tcp).await?;
    assert_eq!(
        tls.get_ref().1.negotiated_key_exchange_group().map(rustls::crypto::SupportedKxGroup::name),
        Some(rustls::NamedGroup::X25519MLKEM768),
        "hybrid post-quantum key exchange is what two of us agree on"
    );
    let channel = tonic::transport::Endpoint::from_static("http://node.invalid");
    tls.flush().await?;
    if shown.is_none() {
        // The server's refusal of a missing certificate arrives as the first thing it says.
        let mut first = [0; 1];
        return match tls.read(&mut first).await? {
            0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        };
    }
    let mut once = Some(hyper_util::rt::TokioIo::new(tls));
    let connector = tower::service_fn(move |_: http::Uri| {
        let stream = once.take().ok_or(std::io::Error::from(std::io::ErrorKind::NotConnected));
        async move { stream }
    });
    let channel = channel.connect_with_connector(connector).await.map_err(std::io::Error::other)?;
    let mut client = wire::exchange_client::ExchangeClient::new(channel);
    client.describe(wire::DescribeRequest {}).await.map(drop).map_err(std::io::Error::other)
}

/// Believes any server: this client only looks at how it is refused.
#[derive(Debug)]
struct AnyServer(Arc<rustls::crypto::CryptoProvider>);

impl rustls::client::danger::ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &[rustls::pki_types::CertificateDer<'_>],
        _: &rustls::pki_types::ServerName<'_>,
        _: &[u8],
        _: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.3 only".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &rustls::pki_types::CertificateDer<'_>,
        dss: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(
            message,
            cert,
            dss,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[test]
fn only_own_staff_is_heard_at_the_desk() {
    let running = with_sample(&["AL", "BA"]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let address = running.nodes["al-police"].desk.clone();
    let identity = peers::identity(&running, "al-police").unwrap();
    for keys in [
        "al-police/keys",
        "ba-police/staff/analyst",
        "coordinator/keys",
        "coordinator/staff/analyst",
    ] {
        let caller = peers::credentials(&running.dir.join(keys)).unwrap();
        let status = runtime.block_on(async {
            let expected =
                accord_proto::transport::Expected { identity: identity.clone(), spki: None };
            let channel = accord_proto::transport::connection::connect(&address, &caller, expected)
                .await
                .unwrap();
            let mut desk = wire::desk::desk_client::DeskClient::new(channel);
            desk.get_status(wire::desk::GetStatusRequest {}).await.unwrap_err()
        });
        let refusal = accord_proto::status::from_status(&status);
        assert_eq!(refusal.reason, Reason::CertificateRole, "{keys}: {refusal}");
    }
}

#[test]
fn a_server_that_is_not_the_one_meant_gets_no_question() {
    let running = with_sample(&["AL", "BA"]);
    running.node_server("al-police").unwrap().kill();
    // A neighbour with a true certificate of the same CA answers at AL's address.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let neighbour = peers::credentials(&running.dir.join("ba-police/keys")).unwrap();
    let scripted = Scripted { response: wire::AnswerResponse::default(), append: None };
    let _played =
        runtime.block_on(scripted.serve(&running.nodes["al-police"].exchange, neighbour)).unwrap();
    let requirement = running.issue(&[HOMICIDE]).unwrap();
    let shown = running.gather(&requirement).unwrap();
    let al = member(&shown, "AL").unwrap();
    assert_eq!(
        (al["state"].as_str(), al["reason"].as_str()),
        (Some("rejected"), Some("CERTIFICATE_IDENTITY"))
    );
    assert_eq!(cell(&shown, "ICCS0101", "2016").unwrap()["value"], 42);
}
