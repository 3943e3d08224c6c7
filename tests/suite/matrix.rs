//! Who may call what at a node: every method of every desk service, called with every role's certificate over the real wire. A
//! method without a row here fails.

use std::collections::{BTreeMap, BTreeSet};

use accord_proto::{
    client::ClientFile,
    reason::Reason,
    status::from_status,
    transport::codec::StrictCodec,
    wire::{self, desk::GetStatusRequest},
};
use prost::Message as _;
use tonic::transport::Channel;

use crate::started;

const ROLES: [&str; 4] = ["analyst", "releaser", "auditor", "operator"];

/// Methods with the first letters of the roles that may call them: analyst, releaser, auditor (`u`), operator.
const MATRIX: &[(&str, &[(&str, &str)])] = &[
    (
        "accord.desk.v1.Desk",
        &[
            ("Import", "a"),
            ("ListImports", "aruo"),
            ("GetImport", "aruo"),
            ("UndoImport", "a"),
            ("SaveMapping", "a"),
            ("ListMappings", "aruo"),
            ("GetMapping", "aruo"),
            ("GetTemplate", "aruo"),
            ("ListTotals", "ar"),
            ("ListContradictions", "ar"),
            ("DiffEditions", "ar"),
            ("Freeze", "r"),
            ("ListBulletins", "aru"),
            ("ShowBulletin", "ar"),
            ("SignBulletin", "r"),
            ("Grant", "r"),
            ("NarrowGrant", "r"),
            ("SuspendGrant", "r"),
            ("ResumeGrant", "r"),
            ("WithdrawGrant", "r"),
            ("GetGrant", "aruo"),
            ("ListGrants", "aruo"),
            ("GetStatus", "aruo"),
            ("Backup", "o"),
            ("EraseDue", "r"),
            ("ConfirmRestore", "r"),
            ("Leave", "r"),
            ("GetBudget", "ruo"),
            ("TryPolicy", "ar"),
        ],
    ),
    (
        "accord.desk.v1.Summaries",
        &[
            ("CreateSummary", "a"),
            ("ReviseSummary", "a"),
            ("AdvanceSummary", "ar"),
            ("WithdrawSummary", "ar"),
            ("ListSummaries", "aru"),
            ("GetSummary", "aru"),
            ("DiffSummary", "aru"),
        ],
    ),
    (
        "accord.desk.v1.Inbox",
        &[
            ("ListInbox", "aru"),
            ("GetInboxItem", "aru"),
            ("DecideItem", "ar"),
            ("PreviewItem", "ar"),
            ("ProposeItem", "ar"),
            ("ReleaseItem", "r"),
            ("BreakGlass", "r"),
        ],
    ),
    (
        "accord.desk.v1.Receipts",
        &[("ListReceipts", "ru"), ("GetReceipt", "ru"), ("ExportAnswer", "r")],
    ),
    ("accord.journal.v1.Journal", &[("GetHead", "u"), ("Read", "u"), ("AcceptPeer", "o")]),
];

/// Packages that a node serves to its staff.
const PACKAGES: [&str; 2] = ["accord.desk.v1", "accord.journal.v1"];

/// Every method that the desk's schema declares.
fn declared() -> BTreeSet<(String, String)> {
    let schema = prost_types::FileDescriptorSet::decode(wire::DESCRIPTORS).unwrap();
    let desk = schema.file.into_iter().filter(|file| PACKAGES.contains(&file.package()));
    let services = desk.flat_map(|file| {
        let package = file.package().to_owned();
        file.service.into_iter().map(move |service| (package.clone(), service))
    });
    services
        .flat_map(|(package, service)| {
            let name = format!("{package}.{}", service.name());
            service.method.into_iter().map(move |method| (name.clone(), method.name().to_owned()))
        })
        .collect()
}

#[test]
fn every_method_of_the_desk_has_its_row() {
    let rows = MATRIX.iter().flat_map(|(service, methods)| {
        methods.iter().map(|(method, _)| ((*service).to_owned(), (*method).to_owned()))
    });
    let rows: BTreeSet<_> = rows.collect();
    assert_eq!(rows, declared());
}

/// Is this role's certificate let in? An empty request asks for nothing: whoever is let in is told so, or hears what is missing.
async fn let_in(channel: &Channel, service: &str, method: &str) -> bool {
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.unwrap();
    let path = format!("/{service}/{method}").parse().unwrap();
    let codec = StrictCodec::<GetStatusRequest, GetStatusRequest>::default();
    let request = tonic::Request::new(GetStatusRequest {});
    let status = match client.server_streaming(request, path, codec).await {
        Ok(reply) => reply.into_inner().message().await.err(),
        Err(status) => Some(status),
    };
    status.is_none_or(|status| from_status(&status).reason != Reason::CertificateRole)
}

#[test]
fn every_role_is_let_in_exactly_where_the_matrix_says() {
    let running = started(&["AL"]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let staff = running.nodes["al-police"].home.join("staff");
    let mut wrong = BTreeMap::new();
    for role in ROLES {
        let letter = if role == "auditor" { 'u' } else { role.chars().next().unwrap() };
        let client = staff.join(role).join("client.toml");
        let channel = runtime.block_on(ClientFile::connect(&client)).unwrap();
        for (service, methods) in MATRIX {
            for (method, roles) in *methods {
                let found = runtime.block_on(let_in(&channel, service, method));
                if found != roles.contains(letter) {
                    wrong.insert(format!("{role} × {service}.{method}"), found);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "let in or not, against the matrix: {wrong:#?}");
}
