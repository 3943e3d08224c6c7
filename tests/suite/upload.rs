//! Uploads that somebody tampers with or breaks off: nothing of them is held.

use accord_proto::{
    limits::CALL_TIMEOUT,
    seal::Digest,
    transport::{Expected, channel::Channel, connection::connect},
    wire::desk::{self as wire, desk_client::DeskClient, import_request::Part},
};
use accord_tests::peers;

use crate::{Running, started};

const NODE: &str = "al-police";
const MAPPING: &str = r#"
source = "obviously made up"
[columns]
crime_area = "drug"
period = "half"
value = "seizures"
[constants]
indicator = "DRG.SEIZ.N"
"#;
const FILE: &[u8] = b"drug,half,seizures\nDRG.COC,2016-H1,1\n";

async fn desk(running: &Running, role: &str) -> DeskClient<Channel> {
    let keys = running.dir.join(format!("{NODE}/staff/{role}"));
    let caller = peers::credentials(&keys).unwrap();
    let expected = Expected { identity: peers::identity(running, NODE).unwrap(), spki: None };
    let channel = connect(&running.nodes[NODE].desk, &caller, expected).await.unwrap();
    DeskClient::new(channel)
}

fn part(part: Part) -> wire::ImportRequest {
    wire::ImportRequest { part: Some(part) }
}

fn head() -> Vec<wire::ImportRequest> {
    let (file_name, mapping) = ("seizures.csv".to_owned(), MAPPING.to_owned());
    let header = wire::ImportHeader { file_name, mapping, ..Default::default() };
    vec![part(Part::Header(header)), part(Part::Chunk(FILE.to_vec()))]
}

fn end(of: &[u8]) -> wire::ImportRequest {
    let sha256 = Digest::of(of).0.to_vec();
    part(Part::End(wire::ImportEnd { bytes: of.len() as u64, sha256 }))
}

async fn observations(running: &Running) -> u64 {
    let mut desk = desk(running, "auditor").await;
    let status = desk.get_status(wire::GetStatusRequest {}).await.unwrap().into_inner();
    assert_eq!(status.imports > 0, status.observations > 0);
    status.observations
}

#[test]
fn an_upload_without_its_end_holds_nothing() {
    let running = started(&["AL"]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        // Broken off: the server sees RST_STREAM, which looks like the end of a stream.
        let (sender, parts) = tokio::sync::mpsc::channel(4);
        for part in head() {
            sender.send(part).await.unwrap();
        }
        let mut analyst = desk(&running, "analyst").await;
        let parts = tokio_stream::wrappers::ReceiverStream::new(parts);
        let call = tokio::spawn(async move { analyst.import(parts).await });
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        call.abort();
        assert!(call.await.unwrap_err().is_cancelled());
        drop(sender);
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        assert_eq!(observations(&running).await, 0);

        let mut analyst = desk(&running, "analyst").await;
        let other = [FILE, b"DRG.HER,2016-H1,1\n"].concat();
        let tails = [vec![], vec![end(&other)], vec![end(FILE), part(Part::Chunk(b"x".to_vec()))]];
        for tail in tails {
            let parts: Vec<_> = head().into_iter().chain(tail).collect();
            let request = accord_proto::client::within(CALL_TIMEOUT, tokio_stream::iter(parts));
            let status = analyst.import(request).await.unwrap_err();
            let refused = accord_proto::status::from_status(&status);
            assert_eq!(refused.reason, accord_proto::reason::Reason::ImportUnreadable, "{refused}");
            assert_eq!(observations(&running).await, 0);
        }
        // The one that is whole is held: otherwise the refusals above would prove nothing.
        let parts: Vec<_> = head().into_iter().chain([end(FILE)]).collect();
        analyst.import(tokio_stream::iter(parts)).await.unwrap();
        assert_eq!(observations(&running).await, 1);
    });
}
