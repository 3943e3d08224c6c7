//! Who may call what at a node and at the coordinator: every method of every service for staff, called with every role's
//! certificate over the real wire. A method without a row here fails.

use std::collections::{BTreeMap, BTreeSet};

use accord_proto::{
    client::ClientFile,
    clock::SystemClock,
    identity::Identity,
    pki::Authority,
    reason::Reason,
    status::from_status,
    transport::{Credentials, Expected, channel::Channel, codec::StrictCodec, connection::connect},
    wire::{self, desk::GetStatusRequest},
};
use accord_tests::peers;
use prost::Message as _;

use crate::{Running, adversary::holder, prepared, started};

/// Services with their methods, and the letters of the roles that may call each.
type Matrix = [(&'static str, &'static [(&'static str, &'static str)])];

const ROLES: [&str; 4] = ["analyst", "releaser", "auditor", "operator"];

/// Methods with the first letters of the roles that may call them: analyst, releaser, auditor (`u`), operator.
const MATRIX: &Matrix = &[
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
    (
        "accord.desk.v1.Pictures",
        &[
            ("ListPictures", "aru"),
            ("GetPicture", "aru"),
            ("GetEvidence", "aru"),
            ("SignDissent", "r"),
        ],
    ),
    (
        "accord.product.v1.Products",
        &[
            ("Take", "ar"),
            ("List", "aru"),
            ("Get", "aru"),
            ("GetRelease", "aru"),
            ("Say", "ar"),
            ("Show", "aru"),
        ],
    ),
    ("accord.journal.v1.Journal", &[("GetHead", "u"), ("Read", "u"), ("AcceptPeer", "o")]),
    ("accord.maintenance.v1.Maintenance", &[("Begin", "o"), ("End", "o"), ("Show", "aruo")]),
];

/// Packages that a node serves to its staff.
const PACKAGES: [&str; 4] =
    ["accord.desk.v1", "accord.product.v1", "accord.journal.v1", "accord.maintenance.v1"];

/// Regional roles with their letters.
const REGIONAL_ROLES: [(&str, char); 6] = [
    ("analyst", 'a'),
    ("editor", 'e'),
    ("observer", 'v'),
    ("custodian", 'c'),
    ("auditor", 'u'),
    ("operator", 'o'),
];

/// The same of the coordinator, by the letters of [`REGIONAL_ROLES`].
const REGIONAL: &Matrix = &[
    (
        "accord.region.v1.Region",
        &[
            ("ListMembers", "aecuo"),
            ("IssueRequirement", "a"),
            ("AssessFeasibility", "a"),
            ("CancelRequirement", "a"),
            ("ListRequirements", "aecuo"),
            ("Gather", "a"),
            ("WatchCollection", "aecuo"),
            ("GetPicture", "aecuo"),
            ("ListPictures", "aecuo"),
            ("AskStanding", "a"),
            ("GetEvidence", "aecuo"),
            ("GetGateMemory", "c"),
            ("ListDeliveries", "aecuo"),
            ("DeliverPicture", "a"),
            ("Backup", "o"),
            ("ConfirmRestore", "c"),
        ],
    ),
    (
        "accord.region.v1.Rankings",
        &[
            ("RankThreats", "a"),
            ("ListRankings", "aecuo"),
            ("GetRanking", "aecuo"),
            ("AttachDissent", "a"),
        ],
    ),
    (
        "accord.product.v1.Products",
        &[
            ("Take", "e"),
            ("List", "aevcuo"),
            ("Get", "aecuo"),
            ("GetRelease", "aevcuo"),
            ("Say", "v"),
            ("Show", "aecuo"),
        ],
    ),
    ("accord.journal.v1.Journal", &[("GetHead", "u"), ("Read", "u"), ("AcceptPeer", "o")]),
    ("accord.maintenance.v1.Maintenance", &[("Begin", "o"), ("End", "o"), ("Show", "aecuo")]),
];

/// Packages that the coordinator serves to regional staff.
const REGIONAL_PACKAGES: [&str; 4] =
    ["accord.region.v1", "accord.product.v1", "accord.journal.v1", "accord.maintenance.v1"];

/// Every method that the schema declares in these packages.
fn declared(packages: [&str; 4]) -> BTreeSet<(String, String)> {
    let schema = prost_types::FileDescriptorSet::decode(wire::DESCRIPTORS).unwrap();
    let files = schema.file.into_iter().filter(|file| packages.contains(&file.package()));
    let services = files.flat_map(|file| {
        let package = file.package().to_owned();
        file.service.into_iter().map(move |service| (package.clone(), service))
    });
    services
        // What the coordinator alone calls has no role of staff.
        .filter(|(_, service)| service.name() != "Circulation")
        .flat_map(|(package, service)| {
            let name = format!("{package}.{}", service.name());
            service.method.into_iter().map(move |method| (name.clone(), method.name().to_owned()))
        })
        .collect()
}

/// Every cell's service and method, one after the other.
fn rows(
    matrix: &'static Matrix,
) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    matrix.iter().flat_map(|(service, methods)| {
        methods.iter().map(move |(method, roles)| (*service, *method, *roles))
    })
}

fn names(matrix: &'static Matrix) -> BTreeSet<(String, String)> {
    rows(matrix).map(|(service, method, _)| (service.to_owned(), method.to_owned())).collect()
}

#[test]
fn every_method_of_the_desk_has_its_row() {
    assert_eq!(names(MATRIX), declared(PACKAGES));
}

#[test]
fn every_method_of_the_region_has_its_row() {
    assert_eq!(names(REGIONAL), declared(REGIONAL_PACKAGES));
}

/// Why this call is refused, if it is. An empty request asks for nothing: whoever is let in is told so, or hears what is
/// missing.
async fn refused(channel: &Channel, service: &str, method: &str) -> Option<Reason> {
    let mut client = tonic::client::Grpc::new(channel.clone());
    if client.ready().await.is_err() {
        return Some(Reason::NoConnection);
    }
    let path = format!("/{service}/{method}").parse().unwrap();
    let codec = StrictCodec::<GetStatusRequest, GetStatusRequest>::default();
    let request = tonic::Request::new(GetStatusRequest {});
    let status = match client.server_streaming(request, path, codec).await {
        Ok(reply) => reply.into_inner().message().await.err(),
        Err(status) => Some(status),
    };
    status.map(|status| from_status(&status).reason)
}

/// Is this role's certificate let in?
async fn let_in(channel: &Channel, service: &str, method: &str) -> bool {
    let why = refused(channel, service, method).await;
    assert_ne!(why, Some(Reason::NoConnection), "{service}.{method}");
    why != Some(Reason::CertificateRole)
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
        for (service, method, roles) in rows(MATRIX) {
            let found = runtime.block_on(let_in(&channel, service, method));
            if found != roles.contains(letter) {
                wrong.insert(format!("{role} × {service}.{method}"), found);
            }
        }
    }
    assert!(wrong.is_empty(), "let in or not, against the matrix: {wrong:#?}");
}

/// A federation whose regional staff is vouched for by this authority.
fn region_of(staff: &Authority) -> Running {
    let mut running = prepared(&["AL"]);
    let trusted = running.dir.join("coordinator/keys/staff-ca.crt");
    std::fs::write(trusted, staff.certificate_pem()).unwrap();
    running.federation.start().unwrap();
    running
}

/// Whoever the authority says this is, with the federation's CA to know servers by.
fn vouched(running: &Running, staff: &Authority, name: &str, identity: &str) -> Credentials {
    let issued = staff.issue(&Identity::parse(identity).unwrap()).unwrap();
    let trusted = std::fs::read_to_string(running.dir.join("federation/ca.crt")).unwrap();
    holder(&running.dir, name, &issued, &trusted)
}

/// A connection to the Region service.
async fn region(running: &Running, caller: &Credentials) -> Option<Channel> {
    let coordinator = "spiffe://wb6.example/REGION/node/coordinator/coordinator";
    let expected = Expected { identity: Identity::parse(coordinator).unwrap(), spki: None };
    connect(&running.region, caller, expected).await.ok()
}

#[test]
fn every_regional_role_is_let_in_exactly_where_the_matrix_says() {
    let staff = Authority::new("made-up regional staff", &SystemClock).unwrap();
    let running = region_of(&staff);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut wrong = BTreeMap::new();
    for (role, letter) in REGIONAL_ROLES {
        let identity = format!("spiffe://wb6.example/REGION/staff/made-up/{role}");
        let caller = vouched(&running, &staff, role, &identity);
        let channel = runtime.block_on(region(&running, &caller)).unwrap();
        for (service, method, roles) in rows(REGIONAL) {
            let found = runtime.block_on(let_in(&channel, service, method));
            if found != roles.contains(letter) {
                wrong.insert(format!("{role} × {service}.{method}"), found);
            }
        }
    }
    assert!(wrong.is_empty(), "let in or not, against the matrix: {wrong:#?}");
}

/// Even if the region's own authority vouched for them by mistake: what a certificate says is read by every method.
#[test]
fn whoever_is_not_of_the_region_is_let_in_nowhere_though_its_authority_vouches() {
    let staff = Authority::new("made-up regional staff", &SystemClock).unwrap();
    let running = region_of(&staff);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let strangers = [
        ("national-analyst", "spiffe://wb6.example/AL/staff/made-up/analyst"),
        ("national-releaser", "spiffe://wb6.example/AL/staff/made-up/releaser"),
        ("national-auditor", "spiffe://wb6.example/AL/staff/made-up/auditor"),
        ("national-operator", "spiffe://wb6.example/AL/staff/made-up/operator"),
        ("elsewhere", "spiffe://other.example/REGION/staff/made-up/analyst"),
        ("elsewhere-auditor", "spiffe://other.example/REGION/staff/made-up/auditor"),
        ("elsewhere-operator", "spiffe://other.example/REGION/staff/made-up/operator"),
        ("centre", "spiffe://wb6.example/REGION/node/coordinator/coordinator"),
        ("node", "spiffe://wb6.example/AL/node/al-police/node"),
    ];
    let mut wrong = BTreeMap::new();
    for (name, identity) in strangers {
        let caller = vouched(&running, &staff, name, identity);
        let channel = runtime.block_on(region(&running, &caller)).unwrap();
        for (service, method, _) in rows(REGIONAL) {
            let why = runtime.block_on(refused(&channel, service, method));
            if why != Some(Reason::CertificateRole) {
                wrong.insert(format!("{name} × {service}.{method}"), why);
            }
        }
    }
    assert!(wrong.is_empty(), "not refused for its role: {wrong:#?}");
}

#[test]
fn whoever_the_regions_authority_does_not_vouch_for_has_no_connection_for_any_method() {
    let running = started(&["AL"]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let heard = |caller: &Credentials, service: &str, method: &str| {
        runtime.block_on(async {
            // A connection for each call: the first refusal ends it.
            let channel = region(&running, caller).await?;
            let why = refused(&channel, service, method).await;
            (why != Some(Reason::NoConnection)).then_some(why)
        })
    };
    let mut wrong = BTreeMap::new();
    for keys in [
        "al-police/staff/analyst",
        "al-police/staff/auditor",
        "al-police/staff/operator",
        "al-police/keys",
        "coordinator/keys",
    ] {
        let caller = peers::credentials(&running.dir.join(keys)).unwrap();
        for (service, method, _) in rows(REGIONAL) {
            if let Some(said) = heard(&caller, service, method) {
                wrong.insert(format!("{keys} × {service}.{method}"), said);
            }
        }
    }
    assert!(wrong.is_empty(), "heard: {wrong:#?}");
    let own = peers::credentials(&running.dir.join("coordinator/staff/analyst")).unwrap();
    assert!(heard(&own, "accord.region.v1.Region", "ListPictures").is_some(), "staff is heard");
}
