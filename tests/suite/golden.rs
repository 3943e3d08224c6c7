//! What others rely on is a file: help texts, the wire's numbers, bytes of a table and of a seal, refusal
//! codes. The files lie in `tests/golden/`; `ACCORD_UPDATE_GOLDEN=1` writes them anew, and the difference is
//! reviewed like a change of the contract.

use std::{
    fmt::Write as _,
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use accord_proto::{
    answer::{Seal, SealedTable},
    clock::Timestamp,
    id::{EditionId, RequirementId},
    identity::Name,
    reason::Reason,
    seal::{Digest, SecretKey},
    table::{Cell, Contribution, EditionRef, Mode, Table, TableBlock},
    taxonomy::{Categories, Lists, Period, Tier},
    tree::{Salting, Tree},
    wire,
};
use accord_tests::roles;
use prost::Message as _;

use crate::program;

mod signed;

/// The example key of RFC 8410, section 10.3: known to all, and used nowhere else.
const KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
    MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
    -----END PRIVATE KEY-----\n";

/// Are the files to be written anew?
pub(crate) fn update() -> bool {
    std::env::var_os("ACCORD_UPDATE_GOLDEN").is_some_and(|value| value == "1")
}

#[test]
fn the_help_of_accord_node_is_as_written_down() {
    golden("accord-node.txt", &help_of(roles::NODE, "accord-node"));
}

#[test]
fn the_help_of_accord_coordinator_is_as_written_down() {
    golden("accord-coordinator.txt", &help_of(roles::COORDINATOR, "accord-coordinator"));
}

#[test]
fn the_wire_keeps_its_names_and_numbers() {
    let set = FileSet::decode(wire::DESCRIPTORS).unwrap();
    let mut items = Vec::new();
    for file in &set.files {
        for service in &file.services {
            items.push(service_text(service, &file.package));
        }
        for kind in &file.enums {
            items.push(enum_text(kind, &file.package));
        }
        for message in &file.messages {
            message_text(message, &file.package, &mut items);
        }
    }
    items.sort_unstable();
    items.dedup();
    assert!(items.len() > 20, "{items:?}");
    golden("wire.txt", &items.join("\n"));
}

#[test]
fn a_table_has_the_bytes_that_are_written_down() {
    let text = written("two crime areas, two periods, every mark once", &table());
    golden("table.txt", &text);
}

#[test]
fn a_protected_table_by_category_has_the_bytes_that_are_written_down() {
    let lists = Lists::builtin();
    let indicator = lists.indicator("", "PUB.THB.VIC.N").unwrap();
    let categories = ["SEX=F", "SEX=F;AGE=CHILD", "_T"]
        .map(|text| lists.parse_categories("", indicator, text).unwrap());
    let mut table = table();
    let block = &mut table.blocks[0];
    block.indicator = indicator.code;
    block.mode = Mode::Protected;
    block.crime_areas = vec![lists.crime_area("", indicator, "THB").unwrap()];
    block.categories = categories.to_vec();
    block.standard_error_milli = vec![2_500, 3_000];
    block.cells = vec![
        Cell::Value(15),
        Cell::NotShown,
        Cell::Value(40),
        Cell::Value(20),
        Cell::NotApplicable,
        Cell::Value(45),
    ];
    let what =
        "mode protected: one crime area, two periods with a standard error each, three categories";
    let text = written(what, &table);
    golden("table-protected.txt", &text);
}

#[test]
fn a_seal_has_the_bytes_that_are_written_down() {
    let key = SecretKey::from_pem("key", KEY).unwrap();
    let table = Table { lists: Lists::builtin().name().to_owned(), ..table() };
    let sealed = seal(Digest([0x22; 32])).sign(&key);
    let wire::Envelope { payload, payload_type, signatures } = sealed;
    let text = format!(
        "# Seal: Ed25519 over the DSSE pre-authentication encoding, with the key of RFC 8410, 10.3.\n\
         public    {}\ntype      {payload_type}\npayload   {}\nkey id    {}\nsignature {}\n",
        hex(&key.public().to_bytes()),
        hex(&payload),
        signatures[0].key_id,
        hex(&signatures[0].signature),
    );
    golden("seal.txt", &text);

    // The same seal over a table of today's lists opens again.
    let tree = tree(&table);
    let bound = Seal { snapshot: table.snapshot(), ..seal(tree.digest()) };
    let sealed = tree.to_wire(bound.sign(&key));
    let opened = SealedTable::open(sealed, &[key.public()], Lists::builtin()).unwrap();
    assert_eq!(*opened.table(), table);
}

#[test]
fn refusal_codes_are_the_ones_written_down() {
    let line = |reason: &Reason| format!("{}: {}\n", reason.code(), reason.meaning());
    golden("reasons.txt", &Reason::ALL.iter().map(line).collect::<String>());
}

/// Compares with a file of `tests/golden/`, or writes it.
fn golden(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden").join(name);
    if update() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        return;
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    if written == text {
        return;
    }
    let differs = written
        .lines()
        .zip(text.lines())
        .position(|(written, now)| written != now)
        .unwrap_or(written.lines().count().min(text.lines().count()));
    panic!(
        "tests/golden/{name} differs from line {}: {:?} was written down, {:?} is. If that is meant, \
         run with ACCORD_UPDATE_GOLDEN=1",
        differs + 1,
        written.lines().nth(differs),
        text.lines().nth(differs),
    );
}

/// Help of a program and of every command below it.
fn help_of(role: &str, name: &str) -> String {
    let mut text = String::new();
    let mut open = vec![Vec::<String>::new()];
    while let Some(path) = open.pop() {
        let help = help_text(role, &path);
        let words = [&[name.to_owned()], path.as_slice()].concat();
        let _ = writeln!(text, "$ {} --help\n{help}", words.join(" "));
        // In the order of the help: the last one opened is the next one read.
        for below in commands_of(&help).into_iter().rev() {
            open.push([path.as_slice(), &[below]].concat());
        }
    }
    text
}

/// Help of one command. Its standard input stays open: a role that is to serve ends when that closes, and
/// did so in the middle of its help.
fn help_text(role: &str, path: &[String]) -> String {
    let mut child = Command::new(program())
        .arg(role)
        .args(path)
        .arg("--help")
        .env_remove("ACCORD_CONFIG")
        .env_remove("ACCORD_CLIENT")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let _open = child.stdin.take();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{path:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The commands that a help text lists.
fn commands_of(help: &str) -> Vec<String> {
    let listed = help.split_once("\nCommands:\n").map_or("", |(_, rest)| rest);
    listed
        .lines()
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

fn table() -> Table {
    let lists = Lists::builtin();
    let indicator = lists.indicator("", "PUB.OFF.N").unwrap();
    let region = lists.region("", "AL").unwrap();
    let area = |code| lists.crime_area("", indicator, code).unwrap();
    let period = |text| Period::parse("", text).unwrap();
    let edition = |text, id, number| EditionRef {
        period: period(text),
        edition: EditionId::parse("", id).unwrap(),
        number,
    };
    Table {
        node: Name::parse("", "al-police").unwrap(),
        jurisdiction: region.jurisdiction,
        // Not today's lists: what is fixed here is the encoding, not the codes.
        lists: "lists of the vector".to_owned(),
        editions: vec![
            edition("2016", "01900000-0000-7000-8000-000000000001", 1),
            edition("2017", "01900000-0000-7000-8000-000000000002", 2),
        ],
        blocks: vec![TableBlock {
            indicator: indicator.code,
            mode: Mode::Open,
            crime_areas: vec![area("ICCS0101"), area("ICCS0401")],
            regions: vec![region.code],
            periods: vec![period("2016"), period("2017")],
            categories: vec![Categories::default()],
            standard_error_milli: Vec::new(),
            contribution: Contribution::Pooled,
            minimum_contributors: 0,
            deviations: Vec::new(),
            cells: vec![Cell::Value(71), Cell::NotShown, Cell::NotApplicable, Cell::Missing],
        }],
    }
}

/// Salted with 32 bytes of one, for tier B.
fn tree(table: &Table) -> Tree {
    Tree::of(table, Salting { secret: &[1; 32], tier: Tier::B }, Lists::builtin())
}

fn written(what: &str, table: &Table) -> String {
    let tree = tree(table);
    format!(
        "# Table, {what}.\nhead   {}\ncells  {}\ndigest {}\n",
        hex(tree.head()),
        hex(&tree.cells()[0]),
        tree.digest()
    )
}

fn seal(table_digest: Digest) -> Seal {
    let lists = Lists::builtin();
    let at = |text| Timestamp::parse("", text).unwrap();
    Seal {
        node: Name::parse("", "al-police").unwrap(),
        jurisdiction: lists.jurisdiction("", "AL").unwrap().code,
        requirement: RequirementId::parse("", "01900000-0000-7000-8000-000000000003").unwrap(),
        requirement_digest: Digest([0x11; 32]),
        authority: Name::parse("", "analysis-unit").unwrap(),
        audience: lists.audience("", "POLICE").unwrap(),
        table_digest,
        consent_epoch: 3,
        consent_digest: Digest([0x33; 32]),
        policy_digest: Digest([0x44; 32]),
        policy_commitment: Digest([0x55; 32]),
        snapshot: Digest([0x66; 32]),
        question_digest: Digest([0x77; 32]),
        previous: Some(Digest([0x88; 32])),
        supersedes: None,
        single_handed: true,
        issued_at: at("2026-01-01"),
        expires_at: at("2026-01-31"),
        sequence: 5,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn service_text(service: &Service, package: &str) -> String {
    let stream = |streams| if streams { "stream " } else { "" };
    let mut text = format!("service {package}.{}\n", service.name);
    for method in &service.methods {
        let _ = writeln!(
            text,
            "  {}({}{}) -> {}{}",
            method.name,
            stream(method.input_streams),
            method.input.trim_start_matches('.'),
            stream(method.output_streams),
            method.output.trim_start_matches('.'),
        );
    }
    text
}

fn enum_text(kind: &EnumType, scope: &str) -> String {
    let mut text = format!("enum {scope}.{}\n", kind.name);
    for value in &kind.values {
        let _ = writeln!(text, "  {:>2} {}", value.number, value.name);
    }
    text
}

fn message_text(message: &MessageType, scope: &str, items: &mut Vec<String>) {
    let name = format!("{scope}.{}", message.name);
    let mut text = format!("message {name}\n");
    for field in &message.fields {
        let _ = write!(
            text,
            "  {:>2} {} {}{}",
            field.number,
            field.name,
            if field.label == 3 { "repeated " } else { "" },
            type_of(field),
        );
        let oneof = field.oneof.and_then(|at| message.oneofs.get(usize::try_from(at).ok()?));
        text += &oneof.map_or(String::new(), |oneof| format!(" of {}", oneof.name));
        text += "\n";
    }
    items.push(text);
    items.extend(message.enums.iter().map(|kind| enum_text(kind, &name)));
    for below in &message.messages {
        message_text(below, &name, items);
    }
}

/// The type's name in a schema; its number where this list does not know it.
fn type_of(field: &Field) -> String {
    match field.kind {
        _ if !field.type_name.is_empty() => field.type_name.trim_start_matches('.').to_owned(),
        1 => "double".to_owned(),
        3 => "int64".to_owned(),
        4 => "uint64".to_owned(),
        5 => "int32".to_owned(),
        6 => "fixed64".to_owned(),
        8 => "bool".to_owned(),
        9 => "string".to_owned(),
        12 => "bytes".to_owned(),
        13 => "uint32".to_owned(),
        16 => "sfixed64".to_owned(),
        17 => "sint32".to_owned(),
        18 => "sint64".to_owned(),
        other => format!("type {other}"),
    }
}

// As much of google/protobuf/descriptor.proto as the list needs: names and numbers.

#[derive(Clone, PartialEq, prost::Message)]
struct FileSet {
    #[prost(message, repeated, tag = "1")]
    files: Vec<File>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct File {
    #[prost(string, tag = "2")]
    package: String,
    #[prost(message, repeated, tag = "4")]
    messages: Vec<MessageType>,
    #[prost(message, repeated, tag = "5")]
    enums: Vec<EnumType>,
    #[prost(message, repeated, tag = "6")]
    services: Vec<Service>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct MessageType {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, repeated, tag = "2")]
    fields: Vec<Field>,
    #[prost(message, repeated, tag = "3")]
    messages: Vec<MessageType>,
    #[prost(message, repeated, tag = "4")]
    enums: Vec<EnumType>,
    #[prost(message, repeated, tag = "8")]
    oneofs: Vec<Oneof>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Field {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(int32, tag = "3")]
    number: i32,
    #[prost(int32, tag = "4")]
    label: i32,
    #[prost(int32, tag = "5")]
    kind: i32,
    #[prost(string, tag = "6")]
    type_name: String,
    #[prost(int32, optional, tag = "9")]
    oneof: Option<i32>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Oneof {
    #[prost(string, tag = "1")]
    name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct EnumType {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, repeated, tag = "2")]
    values: Vec<EnumValue>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct EnumValue {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(int32, tag = "2")]
    number: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Service {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, repeated, tag = "2")]
    methods: Vec<Method>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Method {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    input: String,
    #[prost(string, tag = "3")]
    output: String,
    #[prost(bool, tag = "5")]
    input_streams: bool,
    #[prost(bool, tag = "6")]
    output_streams: bool,
}
