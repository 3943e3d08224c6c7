//! Every format that was ever written to a disk is opened by the program of today, with all that it holds. A data folder of each lies
//! packed in `tests/golden/formats/`: filled by real processes, ended by SIGKILL, with what it held written beside it. The keys and
//! people in them are made up for a test.
//!
//! `ACCORD_KEEP_FORMAT=1 cargo test -p accord-tests --test suite -- formats::the_formats_of_today` packs those of today. It never
//! writes over a file that is there: delete it first, if it was never released.

use std::{
    fs,
    io::{Cursor, Read as _, Write as _},
    path::{Path, PathBuf},
};

use accord_coordinator::{archive, archive::Archive, evidence as kept_evidence};
use accord_node::store::{BACKUPS, Store, restore};
use accord_proto::{
    answer::Seal,
    at_rest::Keys,
    backup::Reader,
    clock::{Clock as _, SystemClock, SystemEntropy},
    identity::Identity,
    journal::Walk,
    question::SignedRequirement,
    roster::Roster,
    seal::{Digest, PublicKey},
    strict,
    taxonomy::{JurisdictionCode, Lists},
    verify::{Trust, verify},
    wire::{self, region},
};
use accord_tests::federation::QUESTION;
use prost::Message as _;
use serde_json::{Value, json};

use crate::{
    Running,
    protected::{SEIZURES, filled},
};

const NODE: &str = "al-police";
const OWNER: &str = "spiffe://wb6.example/AL/node/al-police/node";
const CENTRE: &str = "spiffe://wb6.example/REGION/node/coordinator/coordinator";
/// What all packed files together may take.
const BYTES_MAX: u64 = 1024 * 1024;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden/formats")
}

/// The packed folders whose name begins so.
fn packed(begin: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let named = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with(begin);
    let mut found: Vec<_> = entries.filter(named).collect();
    found.sort_unstable();
    assert!(!found.is_empty(), "nothing of {begin} is kept");
    found
}

/// A folder that was unpacked.
struct Unpacked {
    dir: tempfile::TempDir,
    name: String,
}

impl Unpacked {
    fn of(path: &Path) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut archive = zip::ZipArchive::new(fs::File::open(path).unwrap()).unwrap();
        for at in 0..archive.len() {
            let mut part = archive.by_index(at).unwrap();
            let to = dir.path().join(part.enclosed_name().unwrap());
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            let mut bytes = Vec::new();
            part.read_to_end(&mut bytes).unwrap();
            fs::write(to, bytes).unwrap();
        }
        Self { dir, name: path.file_name().unwrap().to_string_lossy().into_owned() }
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn expected(&self) -> Value {
        serde_json::from_slice(&fs::read(self.dir.path().join("expected.json")).unwrap()).unwrap()
    }

    fn root(&self) -> PublicKey {
        let root = fs::read_to_string(self.dir.path().join("root.pub")).unwrap();
        PublicKey::from_hex("root", &root).unwrap()
    }

    fn roster(&self) -> (Roster, wire::Envelope) {
        let file = fs::read(self.dir.path().join("roster.signed")).unwrap();
        Roster::read_of_any_time(("roster", &file), &self.root(), Lists::builtin()).unwrap()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sha(bytes: &[u8]) -> String {
    Digest::of(bytes).to_string()
}

/// Every entry follows from the ones before, and the last one is the head.
fn walked(entries: impl Iterator<Item = Vec<u8>>) -> Value {
    let mut walk = Walk::default();
    entries.for_each(|entry| drop(walk.step(&entry).unwrap()));
    json!([walk.frontier().size(), walk.frontier().root().to_string()])
}

/// What a node's store holds.
fn of_node(store: &Store, entries: u64) -> Value {
    let (lists, albania) = (Lists::builtin(), JurisdictionCode::parse("AL").unwrap());
    let (mut records, mut editions) = (0_u64, Vec::new());
    store.records(albania, lists, |_| records += 1).unwrap();
    let imports = store.imports().unwrap();
    let imports = imports.iter().map(|import| {
        json!([import.number, hex(&import.digest), import.rows_kept, import.undone, import.at_s])
    });
    let edition = |edition: accord_node::freeze::Edition| {
        let of = &edition.reference;
        let cells: usize = edition.classes.iter().map(|class| class.cells.len()).sum();
        editions.push(json!([of.period.to_string(), of.edition.to_string(), of.number, cells]));
    };
    store.editions(albania, lists, edition).unwrap();
    let grants = store.grants(lists).unwrap();
    let grants = grants.iter().map(|grant| {
        json!([grant.id().to_string(), grant.number(), grant.withdrawn(), grant.versions().count()])
    });
    let answers = store.all_released().map(|released| {
        let (id, released) = released.unwrap();
        json!([id.to_string(), hex(&released.requirement_digest), sha(&released.response)])
    });
    let pictures = store.all_delivered(None, 1_000).unwrap();
    let pictures = pictures.iter().map(|(id, line)| {
        let (_, file) = store.picture_file(*id, line.version).unwrap();
        json!([id.to_string(), line.version, hex(&line.picture), sha(&file)])
    });
    let receipts = store.receipts(None, |_| true, 1_000).unwrap();
    let receipts = receipts.iter().map(|of| json!([of.sequence, of.requirement, hex(&of.table)]));
    let book = store.summaries(albania, lists).unwrap();
    let summaries = book.summaries().map(|(id, _)| id.to_string());
    json!({
        "journal": walked(store.entries(0..entries).map(Result::unwrap)),
        "records": records,
        "imports": imports.collect::<Vec<_>>(),
        "editions": editions,
        "grants": grants.collect::<Vec<_>>(),
        "answers": answers.collect::<Vec<_>>(),
        "pictures": pictures.collect::<Vec<_>>(),
        "receipts": receipts.collect::<Vec<_>>(),
        "summaries": summaries.collect::<Vec<_>>(),
        "mappings": store.mappings().unwrap(),
        "salt": hex(store.salt()),
        "pseudonyms": hex(store.pseudonym_secret()),
        "roster_version": store.head().roster_version(),
        "consent_epoch": store.head().consent_epoch(),
    })
}

/// What a coordinator's archive holds.
fn of_archive(archive: &Archive, entries: u64) -> Value {
    let lists = Lists::builtin();
    let mut requirements = Vec::new();
    for (id, envelope) in archive.requirements(None, 1_000).unwrap() {
        let asked: wire::Requirement = strict::decode_signed("it", &envelope.payload).unwrap();
        let mut accepted = Vec::new();
        for (node, table) in archive.accepted(id).unwrap() {
            let kept = archive.kept(id, table).unwrap().unwrap();
            accepted.push(json!([node.to_string(), table.to_string(), sha(&kept.encode_to_vec())]));
        }
        let notices = archive.notices(id).unwrap();
        let ended = archive.collection(id).unwrap().map(|found| found.end.is_some());
        requirements.push(json!([
            id.to_string(),
            sha(&envelope.payload),
            asked.members,
            accepted,
            notices.iter().map(|notice| sha(&notice.payload)).collect::<Vec<_>>(),
            ended,
        ]));
    }
    let mut pictures = Vec::new();
    for line in archive.pictures(None, 1_000).unwrap() {
        let id = accord_proto::id::RequirementId::parse("it", &line.requirement).unwrap();
        let drawn = archive.picture(id, Some(line.version)).unwrap();
        let payload = drawn.envelope.unwrap().payload;
        let picture: region::Picture = strict::decode_signed("it", &payload).unwrap();
        let arrived = picture.members.iter().filter_map(|member| {
            let node = accord_proto::identity::Name::parse("it", &member.node).unwrap();
            Some(sha(&archive.arrived(id, line.version, &node).unwrap()?.receipt.payload))
        });
        let arrived: Vec<_> = arrived.collect();
        pictures.push(json!([
            line.requirement,
            line.version,
            sha(&payload),
            line.notices,
            arrived
        ]));
    }
    let pooled: usize = archive
        .requirements(None, 1_000)
        .unwrap()
        .iter()
        .map(|(_, envelope)| {
            let asked: wire::Requirement = strict::decode_signed("it", &envelope.payload).unwrap();
            let asked = accord_proto::question::Requirement::check(asked, lists).unwrap();
            archive.publication(lists).pooled_before(&asked.question).unwrap().len()
        })
        .sum();
    json!({
        "journal": walked(archive.entries(0..entries).map(Result::unwrap)),
        "requirements": requirements,
        "pictures": pictures,
        "pooled": pooled,
        "roster_version": archive.roster_version().unwrap(),
    })
}

/// How many entries a journal had when it was packed.
fn size_of(expected: &Value) -> u64 {
    expected["journal"][0].as_u64().unwrap()
}

/// Something of everything: otherwise that all of it is still there says nothing.
fn is_filled(held: &Value, lists: &[&str]) {
    for name in lists {
        assert!(!held[*name].as_array().unwrap().is_empty(), "{name}: {held}");
    }
}

fn open_store(data: &Path) -> Store {
    Store::open(data, OWNER, 0, &SystemEntropy).unwrap()
}

#[test]
fn every_store_that_was_ever_written_is_opened_with_all_that_it_holds() {
    for path in packed("accord-node") {
        let unpacked = Unpacked::of(&path);
        let (store, expected) = (open_store(&unpacked.data()), unpacked.expected());
        assert_eq!(of_node(&store, size_of(&expected)), expected, "{}", unpacked.name);
        is_filled(&expected, &["imports", "editions", "grants", "answers", "pictures", "receipts"]);
        is_filled(&expected, &["summaries", "mappings"]);
        // What was sealed then is what it was.
        let ((roster, _), lists) = (unpacked.roster(), Lists::builtin());
        let keys =
            &roster.members.iter().find(|member| member.node.as_str() == NODE).unwrap().seal_keys;
        for released in store.all_released() {
            let (id, released) = released.unwrap();
            let response = wire::AnswerResponse::decode(released.response.as_slice()).unwrap();
            let Some(wire::answer_response::Outcome::Sealed(sealed)) = response.outcome else {
                panic!("{id}: no table");
            };
            let seal = Seal::open(&sealed.seal.unwrap(), keys, lists).unwrap();
            let head = Digest::of_parts([&b"accord.table.v1"[..], &sealed.table]);
            assert_eq!((seal.requirement, seal.table_digest), (id, head), "{}", unpacked.name);
        }
    }
}

#[test]
fn a_backup_of_every_store_that_was_ever_written_restores_to_the_same() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for path in packed("accord-node") {
        let unpacked = Unpacked::of(&path);
        let (expected, file) = (unpacked.expected(), unpacked.dir.path().join("backup"));
        let mut backup = Vec::new();
        {
            let store = open_store(&unpacked.data());
            let take = |mut piece| {
                backup.append(&mut piece);
                Ok(())
            };
            store.snapshot().unwrap().write(OWNER, SystemClock.now(), take).unwrap();
        }
        fs::write(&file, backup).unwrap();
        let to = unpacked.dir.path().join("restored");
        runtime
            .block_on(restore(&file, &to, SystemClock.now(), (&Keys::none(), &SystemEntropy)))
            .unwrap();
        let restored = open_store(&to);
        assert_eq!(of_node(&restored, size_of(&expected)), expected, "{}", unpacked.name);
    }
}

#[test]
fn every_archive_that_was_ever_written_is_opened_with_all_that_it_holds() {
    let owner = Identity::parse(CENTRE).unwrap();
    for path in packed("accord-coordinator") {
        let unpacked = Unpacked::of(&path);
        let archive = Archive::open(&unpacked.data(), &owner, 0).unwrap();
        let expected = unpacked.expected();
        assert_eq!(of_archive(&archive, size_of(&expected)), expected, "{}", unpacked.name);
        is_filled(&expected, &["requirements", "pictures"]);
        // What was signed then is what it was, and proves itself as long as the code lists are the same.
        let ((roster, signed), lists, root) =
            (unpacked.roster(), Lists::builtin(), unpacked.root());
        for (id, envelope) in archive.requirements(None, 1_000).unwrap() {
            SignedRequirement::open(envelope, &roster, lists).unwrap();
            let file = kept_evidence::of(&archive, id, None).unwrap();
            let envelope = archive.picture(id, None).unwrap().envelope.unwrap();
            let picture: region::Picture = strict::decode_signed("it", &envelope.payload).unwrap();
            let trust = Trust { roster: &signed, root: &root, lists };
            let proven = verify(&file, &[], trust);
            assert_eq!(
                proven.is_ok(),
                picture.lists == lists.name(),
                "{}: {proven:?}",
                unpacked.name
            );
        }
    }
}

#[test]
fn the_formats_of_today_are_kept() {
    let keep = std::env::var_os("ACCORD_KEEP_FORMAT").is_some_and(|value| value == "1");
    let (node, coordinator) = (path_of(&format_of_today()), path_of(archive::FORMAT));
    if keep {
        let running = filled("");
        fill(&running);
        running.kill_all();
        pack_node(&running, &node);
        pack_archive(&running, &coordinator);
    }
    for path in [node, coordinator] {
        let name = path.display();
        assert!(
            path.exists(),
            "{name} is not there: the format is new; see the head of formats.rs"
        );
    }
    let bytes = ["accord-node", "accord-coordinator"].into_iter().flat_map(packed);
    let bytes: u64 = bytes.map(|path| fs::metadata(path).unwrap().len()).sum();
    assert!(bytes <= BYTES_MAX, "{bytes} bytes of formats where {BYTES_MAX} are the most");
}

/// `accord-node 6` lies in `accord-node-6.zip`.
fn path_of(format: &str) -> PathBuf {
    folder().join(format!("{}.zip", format.replace(' ', "-")))
}

/// What the program of today writes, as a backup says it.
fn format_of_today() -> String {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut backup) = (open_store(&dir.path().join("data")), Vec::new());
    let take = |mut piece| {
        backup.append(&mut piece);
        Ok(())
    };
    store.snapshot().unwrap().write(OWNER, SystemClock.now(), take).unwrap();
    Reader::open(BACKUPS, Cursor::new(backup)).unwrap().header().format.clone()
}

/// Something in every room.
fn fill(running: &Running) {
    running.with_sample().unwrap();
    let dir = running.dir.display();
    let analyst =
        |arguments: &[&str]| running.desk(NODE, "analyst", arguments).unwrap().json(&[0]).unwrap();
    let mapping = accord_tests::federation::sample_dir().join("mapping.toml").display().to_string();
    analyst(&["mapping", "save", "kept", &mapping]);
    let summary = format!("{dir}/summary.toml");
    fs::write(&summary, include_str!("../../deploy/summary.toml")).unwrap();
    analyst(&["summary", "create", &summary]);
    let standing = running.grant(NODE, &accord_tests::federation::STANDING).unwrap();
    for blocks in [&[SEIZURES, QUESTION][..], &[QUESTION]] {
        let requirement = running.issue(blocks).unwrap();
        running.gather(&requirement).unwrap();
        let deliver = ["picture", "deliver", &requirement];
        running.region("analyst", "json", &deliver).unwrap().json(&[0, 3]).unwrap();
    }
    // A grant that was taken back, and an import.
    running.desk(NODE, "releaser", &["grant", "withdraw", &standing]).unwrap().json(&[0]).unwrap();
    let (file, mapping) = (running.dir.join("undone.csv"), running.dir.join("events.toml"));
    fs::write(&file, "case,area,year\nX-1,DRG.COC,2012\n").unwrap();
    running.import(NODE, &file, &mapping).unwrap().json(&[0]).unwrap();
    analyst(&["import", "undo", "3", "--why", "a test"]);
    running.region("analyst", "json", &["standing"]).unwrap().json(&[0, 3]).unwrap();
}

fn pack_node(running: &Running, to: &Path) {
    let home = running.nodes[NODE].home.clone();
    let expected = {
        let copy = tempfile::tempdir().unwrap();
        copy_all(&home.join("data"), &copy.path().join("data"));
        let store = open_store(&copy.path().join("data"));
        of_node(&store, store.head().journal().size())
    };
    is_filled(&expected, &["imports", "editions", "grants", "answers", "pictures", "receipts"]);
    pack(&home.join("data"), running, &expected, to);
}

fn pack_archive(running: &Running, to: &Path) {
    let data = running.dir.join("coordinator/data");
    let expected = {
        let copy = tempfile::tempdir().unwrap();
        copy_all(&data, &copy.path().join("data"));
        let owner = Identity::parse(CENTRE).unwrap();
        let archive = Archive::open(&copy.path().join("data"), &owner, 0).unwrap();
        of_archive(&archive, archive.checkpoint(String::new()).size)
    };
    pack(&data, running, &expected, to);
}

fn copy_all(from: &Path, to: &Path) {
    for (name, bytes) in files(from, Path::new("")) {
        let to = to.join(name);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, bytes).unwrap();
    }
}

/// Names below `within`, and contents.
fn files(folder: &Path, within: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder.join(within)).unwrap() {
        let entry = entry.unwrap();
        let name = within.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(folder, &name));
        } else {
            found.push((name, fs::read(entry.path()).unwrap()));
        }
    }
    found.sort_unstable();
    found
}

/// The data folder, what it holds, and whom to believe.
fn pack(data: &Path, running: &Running, expected: &Value, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    let file = fs::File::options().write(true).create_new(true).open(to);
    let file = file.unwrap_or_else(|error| panic!("{} is not written over: {error}", to.display()));
    let mut packed = zip::ZipWriter::new(file);
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .compression_level(Some(9));
    let mut put = |name: String, bytes: &[u8]| {
        packed.start_file(name, options).unwrap();
        packed.write_all(bytes).unwrap();
    };
    for (name, bytes) in files(data, Path::new("")) {
        put(format!("data/{}", name.display()), &bytes);
    }
    put("expected.json".to_owned(), serde_json::to_string_pretty(expected).unwrap().as_bytes());
    for name in ["roster.signed", "root.pub"] {
        put(name.to_owned(), &fs::read(running.dir.join("federation").join(name)).unwrap());
    }
    packed.finish().unwrap();
}
