//! Backups of both programs as an operator meets them: taken while others work, read by their recipients alone, put back elsewhere; and a
//! coordinator that was put back shows nothing that it may have forgotten before its custodian has spoken.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use accord_proto::{
    client::{ClientFile, within},
    limits::CALL_TIMEOUT,
    wire::region::{ListPicturesRequest, region_client::RegionClient},
};
use accord_tests::{
    federation::{QUESTION, cell, member},
    process::Finished,
    roles,
};
use serde_json::{Value, json};

use crate::{
    Running,
    evidence::{export, write_evidence},
    program,
    protected::{SEIZURES, filled},
    started,
};

const NODE: &str = "al-police";
const NODES: [&str; 3] = ["al-police", "ba-police", "rs-police"];

/// A command of one of the programs that works on files.
fn on_files(role: &str, arguments: &[&str]) -> Finished {
    let mut command = Command::new(program());
    command.arg(role).args(arguments);
    Finished::run(command).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn region(running: &Running, role: &str, arguments: &[&str]) -> Value {
    running.region(role, "json", arguments).unwrap().json(&[0, 3]).unwrap()
}

/// A key for backups: where it lies, and the recipient.
fn key(running: &Running, name: &str) -> (PathBuf, String) {
    let path = running.dir.join(name);
    let made = on_files(roles::NODE, &["backup-key", "--out", text(&path)]);
    let recipient = made.stdout.split_whitespace().find(|word| word.starts_with("age1")).unwrap();
    (path, recipient.to_owned())
}

/// A backup of the coordinator for this recipient.
fn backup_of_centre(running: &Running, recipient: &str) -> PathBuf {
    let to = ["backup", "--to", text(&running.dir), "--recipient", recipient];
    region(running, "operator", &to)["backup"].as_str().unwrap().into()
}

/// A backup of the coordinator, and the key that reads it.
pub(crate) fn of_centre(running: &Running) -> (PathBuf, PathBuf) {
    let (key, recipient) = key(running, "backup.key");
    (backup_of_centre(running, &recipient), key)
}

/// Ends the coordinator, puts the backup in the place of what it held, starts it again.
pub(crate) fn put_back(running: &mut Running, file: &Path, key: &Path) {
    running.coordinator_server().unwrap().kill();
    let data = running.dir.join("coordinator/data");
    fs::remove_dir_all(&data).unwrap();
    let restore = ["restore", text(file), "--identity", text(key), "--data", text(&data)];
    let restored = on_files(roles::COORDINATOR, &restore);
    assert_eq!(restored.code, Some(0), "{}", restored.stderr);
    assert!(restored.stderr.contains("only public figures are shown"), "{}", restored.stderr);
    running.federation.start_coordinator().unwrap();
}

/// Operators of all nodes start anew with the coordinator's journal.
pub(crate) fn accept(running: &Running) {
    for node in NODES {
        let accept = ["journal", "accept", "coordinator", "--why", "restored from its backup"];
        running.desk(node, "operator", &accept).unwrap().json(&[0]).unwrap();
    }
}

fn in_doubt(running: &Running) -> Value {
    region(running, "operator", &["status"])["in_doubt"].clone()
}

/// Status and value of the pooled cell, and of a public one.
fn pooled_and_public(shown: &Value) -> [(Value, Value); 2] {
    ["DRG.COC", "ICCS0101"].map(|area| {
        let cell = cell(shown, area, "2016").unwrap();
        (cell["status"].clone(), cell["value"].clone())
    })
}

#[test]
fn a_coordinator_put_back_is_noticed_and_shows_nothing_pooled_before_its_custodian_confirms() {
    let mut running = filled("");
    running.with_sample().unwrap();
    let both = running.issue(&[SEIZURES, QUESTION]).unwrap();
    let [pooled, public] = pooled_and_public(&running.gather(&both).unwrap());
    assert!(pooled.1.is_i64() && public.1.is_i64(), "{pooled:?} {public:?}");
    assert_eq!(in_doubt(&running), false);
    let (key, recipient) = key(&running, "backup.key");
    let file = backup_of_centre(&running, &recipient);
    // What the backup does not know of.
    running.gather(&running.issue(&[SEIZURES]).unwrap()).unwrap();
    put_back(&mut running, &file, &key);

    let refused = running.gather(&both).unwrap();
    for of in ["AL", "BA", "RS"] {
        assert_eq!(member(&refused, of).unwrap()["reason"], "JOURNAL_INCONSISTENT", "{of}");
    }
    accept(&running);
    assert_eq!(in_doubt(&running), true);
    let doubted = running.gather(&both).unwrap();
    let [pooled_now, public_now] = pooled_and_public(&doubted);
    assert_eq!(public_now, public);
    assert_eq!(pooled_now, (json!("not_shown"), Value::Null));
    let log = fs::read_to_string(running.dir.join("coordinator/log")).unwrap();
    assert!(log.contains("restored, and in doubt"), "{log}");
    judged_again(&running, &both);

    let confirm = ["confirm-restore", "--why", "nothing was drawn since that members know of"];
    for role in ["analyst", "operator", "auditor"] {
        assert_eq!(running.region(role, "json", &confirm).unwrap().code, Some(7), "{role}");
    }
    let silent = running.region("custodian", "json", &["confirm-restore", "--why", " "]).unwrap();
    assert!(silent.stderr.contains("FIELD_MISSING: why"), "{}", silent.stderr);
    region(&running, "custodian", &confirm);
    assert_eq!(in_doubt(&running), false);
    assert_eq!(pooled_and_public(&running.gather(&both).unwrap()), [pooled, public]);
    let again = running.region("custodian", "json", &confirm).unwrap();
    assert!(again.stderr.contains("nothing is to be confirmed"), "{}", again.stderr);

    let listed = region(&running, "auditor", &["journal", "list", "--last", "0"]);
    let whys: Vec<_> =
        listed.as_array().unwrap().iter().map(|entry| entry["why"].as_str().unwrap()).collect();
    let confirmed = format!("confirm restore: {}", confirm[2]);
    for why in ["backup", "restore", &confirmed] {
        assert!(whys.contains(&why), "{why}: {whys:?}");
    }
    region(&running, "auditor", &["journal", "verify"]);
}

/// What was withheld in doubt is found again, with the reason, for the custodian alone.
fn judged_again(running: &Running, requirement: &str) {
    let [evidence, memory, policy] =
        ["evidence", "memory", "policy"].map(|kind| running.dir.join(format!("doubted.{kind}")));
    write_evidence(running, requirement, &evidence);
    let out = ["gate", "memory", requirement, "--out", text(&memory)];
    region(running, "custodian", &out);
    accord_proto::transport::write_secret(&policy, "").unwrap();
    let home = running.dir.join("federation");
    let mut command = Command::new(program());
    command.arg(roles::COORDINATOR).args(["gate", "judge"]).arg(&evidence);
    command.args(["-o", "json", "--memory"]).arg(&memory).arg("--policy").arg(&policy);
    command.arg("--roster").arg(home.join("roster.signed"));
    command.arg("--root").arg(home.join("root.pub"));
    for node in NODES {
        command.arg("--answer").arg(export(running, node, requirement));
    }
    let rows = Finished::run(command).unwrap().json(&[0]).unwrap();
    let of = |row: &&Value| row["crime_area"] == "DRG.COC";
    let row = rows.as_array().unwrap().iter().find(of).unwrap();
    assert_eq!((&row["signed"], &row["again"]), (&json!("withheld"), &json!("withheld")));
    assert!(row["why"].as_str().unwrap().contains("nobody had confirmed"), "{row}");
}

#[test]
fn a_backup_of_a_coordinator_taken_while_it_gathers_restores_to_the_same_pictures() {
    let mut running = filled("");
    running.with_sample().unwrap();
    let before = running.issue(&[SEIZURES, QUESTION]).unwrap();
    let drawn = running.gather(&before).unwrap();
    let (key, recipient) = key(&running, "backup.key");

    let over = AtomicBool::new(false);
    let (quiet, loud, file, meanwhile) = std::thread::scope(|scope| {
        let quiet = calls(&running, || false);
        let gathering = scope.spawn(|| {
            let round = || drop(running.gather(&running.issue(&[QUESTION]).unwrap()).unwrap());
            (0..100).take_while(|_| !over.load(Ordering::SeqCst)).map(|_| round()).count()
        });
        let taking = scope.spawn(|| {
            let first = backup_of_centre(&running, &recipient);
            (0..3).for_each(|_| drop(backup_of_centre(&running, &recipient)));
            first
        });
        let loud = calls(&running, || !taking.is_finished());
        let file = taking.join().unwrap();
        over.store(true, Ordering::SeqCst);
        (quiet, loud, file, gathering.join().unwrap())
    });
    assert!(meanwhile > 0, "nothing was gathered meanwhile");
    // Measured with gathers beside it, on a machine that others use: told, and no promise.
    println!("p99 of a call: {quiet:?} at rest, {loud:?} with backups and gathers under way");

    let all = |running: &Running| region(running, "analyst", &["picture", "list"]);
    let (known, entries) = (all(&running), journal(&running));
    put_back(&mut running, &file, &key);
    let shown = region(&running, "analyst", &["picture", "show", &before]);
    assert_eq!(shown["picture"], drawn["picture"]);
    let (back, now) = (all(&running), journal(&running));
    let (known, back) = (known.as_array().unwrap(), back.as_array().unwrap());
    assert!(!back.is_empty() && back.iter().all(|picture| known.contains(picture)));
    // The same beginning; then the entry that says that it was restored.
    let restored = now.iter().position(|entry| entry["why"] == "restore").unwrap();
    assert!(restored > 0 && now[..restored] == entries[..restored]);
    region(&running, "auditor", &["journal", "verify"]);
}

fn journal(running: &Running) -> Vec<Value> {
    let listed = region(running, "auditor", &["journal", "list", "--last", "0"]);
    let mut entries = listed.as_array().unwrap().clone();
    entries.sort_by_key(|entry| entry["entry"].as_u64());
    entries
}

/// Calls of somebody who reads, as long as `more` says so, and some of them in any case: what all but one of a hundred take at most.
fn calls(running: &Running, more: impl Fn() -> bool) -> Duration {
    let client = running.dir.join("coordinator/staff/analyst/client.toml");
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let mut region = RegionClient::new(ClientFile::connect(&client).await.unwrap());
        let mut times = Vec::new();
        // Slower than its quota.
        let mut pace = tokio::time::interval(Duration::from_millis(20));
        while times.len() < 100 || more() {
            pace.tick().await;
            let began = Instant::now();
            let request = ListPicturesRequest { page_size: 10, ..Default::default() };
            region.list_pictures(within(CALL_TIMEOUT, request)).await.unwrap();
            times.push(began.elapsed());
        }
        times.sort_unstable();
        times[times.len() * 99 / 100]
    })
}

#[test]
fn an_encrypted_backup_of_either_program_is_read_by_its_recipients_alone_and_no_byte_is_changed() {
    let running = started(&["AL"]);
    let (mine, recipient) = key(&running, "mine.key");
    let (other, second) = key(&running, "other.key");
    let (stranger, _) = key(&running, "stranger.key");
    let listed = running.dir.join("recipients");
    fs::write(&listed, format!("# the operators'\n{second}\n")).unwrap();
    for (role, name) in [(roles::NODE, "node"), (roles::COORDINATOR, "coordinator")] {
        let to = running.dir.join(format!("of-{name}"));
        fs::create_dir(&to).unwrap();
        let take = |more: &[&str]| {
            let arguments = [&["backup", "--to", text(&to)], more].concat();
            match name {
                "node" => running.desk(NODE, "operator", &arguments).unwrap(),
                _ => running.region("operator", "json", &arguments).unwrap(),
            }
        };
        let open = take(&[]);
        assert!(open.stderr.contains("not encrypted"), "{}", open.stderr);
        assert_eq!(open.json(&[0]).unwrap()["encrypted"], false);
        let for_both = ["--recipient", &recipient, "--recipients-file", text(&listed)];
        let taken = take(&for_both).json(&[0]).unwrap();
        let file = PathBuf::from(taken["backup"].as_str().unwrap());
        assert!(text(&file).ends_with(".backup.age"), "{taken}");
        let bytes = fs::read(&file).unwrap();
        let owner = taken[name].as_str().unwrap().as_bytes();
        assert!(!bytes.windows(owner.len()).any(|window| window == owner));
        for wrong in [&["--recipient", "age1nobody"][..], &["--recipients-file", "/dev/null"]] {
            assert_ne!(take(wrong).code, Some(0), "never in the clear instead");
        }
        let names = fs::read_dir(&to).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(names.count(), 2, "whatever did not become a backup is gone");

        let new = running.dir.join(format!("new-{name}"));
        let restore = |file: &Path, key: Option<&Path>| {
            let key = key.map_or(Vec::new(), |key| vec!["--identity", text(key)]);
            let said = on_files(
                role,
                &[&["restore", text(file), "--data", text(&new)], &key[..]].concat(),
            );
            assert!(said.code == Some(0) || !new.exists(), "nothing is written: {}", said.stderr);
            said
        };
        assert!(restore(&file, None).stderr.contains("is encrypted"));
        assert!(restore(&file, Some(&stranger)).stderr.contains("is not encrypted for"));
        let changed = to.join("changed");
        for at in [0, 30, bytes.len() / 2, bytes.len() - 1] {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            fs::write(&changed, flipped).unwrap();
            assert_ne!(restore(&changed, Some(&mine)).code, Some(0), "byte {at}");
        }
        fs::write(&changed, &bytes[..bytes.len() - 1]).unwrap();
        assert_ne!(restore(&changed, Some(&mine)).code, Some(0), "cut off");
        for key in [&mine, &other] {
            let check = ["restore", text(&file), "--check", "--identity", text(key)];
            let checked = on_files(role, &check);
            assert!(checked.stdout.contains(taken["sha256"].as_str().unwrap()), "{checked:?}");
        }
        let restored = restore(&file, Some(&mine));
        assert_eq!(restored.code, Some(0), "{}", restored.stderr);
    }
    // Neither reads the other's.
    let of = |name: &str| fs::read_dir(running.dir.join(name)).unwrap().next().unwrap().unwrap();
    let foreign = of("of-coordinator").path();
    let check = ["restore", text(&foreign), "--check", "--identity", text(&mine)];
    let refused = on_files(roles::NODE, &check);
    assert_ne!(refused.code, Some(0));
}
