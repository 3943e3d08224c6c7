//! Forged, replayed, stale, altered; wrong certificates and wrong roles. Whoever lies is named in the
//! coverage, and never in a total.

use std::path::Path;

use accord_coordinator::{
    gather::Reply,
    verify::{Seen, verify},
};
use accord_node::seal::SealedAnswer;
use accord_proto::{
    answer::Answer,
    client::ClientFile,
    clock::{Clock as _, SystemClock},
    identity::Identity,
    pki::{Authority, Issued},
    question::SignedRequirement,
    strict,
    table::Mode,
    taxonomy::Lists,
    transport::{Credentials, write_secret},
    wire::{self, answer_response::Outcome},
};
use accord_tests::{
    federation::{QUESTION, cell, member},
    peers::{self, Scripted},
};
use prost::Message as _;

use crate::{Running, with_sample};

mod lies;
mod replay;
mod stranger;

use lies::{lies_of_bytes, lies_of_seals, lies_of_tables, retabled};
use stranger::raw_call;

const HOMICIDE: &str =
    "indicator = \"PUB.OFF.N\"\ncrime_areas = \"ICCS0101\"\nperiods = \"2016\"\n";

/// The true answer of a node to a requirement, asked as the coordinator.
async fn true_answer(
    running: &Running,
    node: &str,
    asked: &SignedRequirement,
) -> wire::SealedTable {
    let mut client = peers::coordinator(running, node).await.unwrap();
    let request = wire::AnswerRequest { requirement: Some(asked.envelope().clone()) };
    let response = client.answer(request).await.unwrap().into_inner();
    let Some(Outcome::Sealed(sealed)) = response.outcome else { panic!("no table") };
    sealed
}

fn response(sealed: wire::SealedTable) -> wire::AnswerResponse {
    wire::AnswerResponse { outcome: Some(Outcome::Sealed(sealed)) }
}

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
        let journal = Some(peers::Journal::of(&running, "al-police").unwrap());
        let scripted = Scripted { response: response(lie(&truth)), append: None, journal };
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
    let protected = retabled(&truth, &key, |table| {
        table.blocks[0].mode = Mode::Protected;
        table.blocks[0].standard_error_milli = vec![2_500];
    });
    running.node_server("mk-police").unwrap().kill();
    let node = peers::credentials(&running.dir.join("mk-police/keys")).unwrap();
    let journal = Some(peers::Journal::of(&running, "mk-police").unwrap());
    let scripted = Scripted { response: response(protected), append: None, journal };
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
        verify(Reply { member: own.clone(), said }, &asked, Seen::default(), lists, now).is_ok()
    };
    let stored = |bytes: &[u8]| SealedAnswer::reopen(bytes, &[seal_key.public()], lists).is_ok();
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

/// Writes a certificate as a person's or service's key folder and loads it.
pub(crate) fn holder(dir: &Path, name: &str, issued: &Issued, ca_pem: &str) -> Credentials {
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
    let other_ca = Authority::new("another", &SystemClock).unwrap();
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
        let outcome = runtime.block_on(raw_call(&running, Some(&issued)));
        assert!(outcome.is_err(), "{name} got an answer");
    }
    let outcome = runtime.block_on(raw_call(&running, None));
    assert!(outcome.is_err(), "no certificate got an answer");
    // The one that may, may: otherwise the refusals above would prove nothing.
    runtime.block_on(true_answer(&running, "al-police", &asked));
}

#[test]
fn only_own_staff_is_heard_at_the_desk() {
    let running = with_sample(&["AL", "BA"]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (address, identity) =
        (running.nodes["al-police"].desk.clone(), peers::identity(&running, "al-police").unwrap());
    // Whoever runs the federation's CA can write any name; the node's own staff CA has not signed it.
    let ca = Authority::load(&running.dir.join("federation"), &SystemClock).unwrap();
    let releaser = Identity::parse("spiffe://wb6.example/AL/staff/forged/releaser").unwrap();
    let forged =
        holder(&running.dir, "forged", &ca.issue(&releaser).unwrap(), ca.certificate_pem());
    let heard = |caller: &Credentials| {
        runtime.block_on(async {
            let expected =
                accord_proto::transport::Expected { identity: identity.clone(), spki: None };
            let channel = accord_proto::transport::connection::connect(&address, caller, expected)
                .await
                .ok()?;
            let mut desk = wire::desk::desk_client::DeskClient::new(channel);
            desk.get_status(wire::desk::GetStatusRequest {}).await.ok()
        })
    };
    assert!(heard(&forged).is_none(), "somebody whom the federation's CA made up");
    for keys in [
        "al-police/keys",
        "ba-police/staff/analyst",
        "coordinator/keys",
        "coordinator/staff/analyst",
    ] {
        let caller = peers::credentials(&running.dir.join(keys)).unwrap();
        assert!(heard(&caller).is_none(), "{keys}");
    }
    let own = peers::credentials(&running.dir.join("al-police/staff/auditor")).unwrap();
    assert!(heard(&own).is_some(), "the node's own staff is heard");
}

#[test]
fn a_server_that_is_not_the_one_meant_gets_no_question() {
    let running = with_sample(&["AL", "BA"]);
    running.node_server("al-police").unwrap().kill();
    // A neighbour with a true certificate of the same CA answers at AL's address.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let neighbour = peers::credentials(&running.dir.join("ba-police/keys")).unwrap();
    let scripted =
        Scripted { response: wire::AnswerResponse::default(), append: None, journal: None };
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
