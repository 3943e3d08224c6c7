//! The store as an operator meets it: a backup of a node that goes on importing, restored and serving; erasing
//! what may no longer be kept; a disk that is almost full; an older store in the place of the newer.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use accord_proto::clock::{Clock as _, SystemClock};
use accord_tests::{
    federation::{QUESTION, sample_dir},
    process::Finished,
    roles,
};
use serde_json::Value;

use crate::{Running, program, started, with_sample};

const NODE: &str = "al-police";
const STANDING: &[&str] = &accord_tests::federation::STANDING;

fn desk(running: &Running, role: &str, arguments: &[&str]) -> Value {
    running.desk(NODE, role, arguments).unwrap().json(&[0]).unwrap()
}

fn status(running: &Running) -> Value {
    desk(running, "auditor", &["status"])
}

/// Digests of the imports that the node lists.
fn held(status: &Value) -> BTreeSet<String> {
    let digests = status["imports_sha256"].as_array().unwrap().iter();
    digests.map(|digest| digest.as_str().unwrap().to_owned()).collect()
}

/// A command of `accord-node` that works on files.
fn on_files(arguments: &[&str]) -> Finished {
    let mut command = Command::new(program());
    command.arg(roles::NODE).args(arguments);
    Finished::run(command).unwrap()
}

/// Imports one more file, whose cells no other has.
fn import_one(running: &Running, number: u64) -> String {
    let (file, mapping) = (running.dir.join("more.csv"), running.dir.join("more.toml"));
    let period = format!("{}-H{}", 1960 + number / 2, number % 2 + 1);
    fs::write(&file, format!("period,n\n{period},{number}\n")).unwrap();
    let text = "source = \"generated\"\n[columns]\nperiod = \"period\"\nvalue = \"n\"\n[constants]\n\
        indicator = \"DRG.SEIZ.N\"\nregion = \"AL\"\ncrime_area = \"";
    let lists = accord_proto::taxonomy::Lists::builtin();
    let seizures = lists.indicator("", "DRG.SEIZ.N").unwrap();
    let area = lists.crime_areas_of(seizures).next().unwrap();
    fs::write(&mapping, format!("{text}{area}\"\n")).unwrap();
    let reply = running.import(NODE, &file, &mapping).unwrap().json(&[0]).unwrap();
    assert_eq!(reply["rows_accepted"], 1, "{reply}");
    reply["import_sha256"].as_str().unwrap().to_owned()
}

fn data(running: &Running) -> PathBuf {
    running.nodes[NODE].home.join("data")
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_backup_taken_while_imports_run_restores_to_a_node_that_gives_the_same_answers() {
    let mut running = with_sample(&["AL", "BA"]);
    let requirement = running.issue(&[QUESTION]).unwrap();
    let answered = running.gather(&requirement).unwrap();
    let totals_of = |running: &Running| {
        let wanted = ["totals", "--indicator", "PUB.OFF.N"];
        desk(running, "analyst", &wanted)
    };
    let totals = totals_of(&running);
    let mut acknowledged = held(&status(&running));
    acknowledged.extend((0..3).map(|number| import_one(&running, number)));

    let over = AtomicBool::new(false);
    let (backup, meanwhile) = std::thread::scope(|scope| {
        let importing = scope.spawn(|| {
            let more = (3..250).map(|number| import_one(&running, number));
            more.take_while(|_| !over.load(Ordering::SeqCst)).count()
        });
        let to = text(&running.dir).to_owned();
        let taken: Vec<_> =
            (0..3).map(|_| desk(&running, "operator", &["backup", "--to", &to])).collect();
        over.store(true, Ordering::SeqCst);
        (taken[0].clone(), importing.join().unwrap())
    });
    assert!(meanwhile > 0, "nothing was imported meanwhile");
    let file = backup["backup"].as_str().unwrap();
    let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(file).unwrap());
    assert_eq!(mode & 0o777, 0o600, "only its owner may read a backup");
    let partial = |path: &Path| path.extension().is_some_and(|kind| kind == "partial");
    assert!(!fs::read_dir(&running.dir).unwrap().any(|entry| partial(&entry.unwrap().path())));

    running.node_server(NODE).unwrap().kill();
    let checked = on_files(&["restore", file, "--check"]);
    assert_eq!(checked.code, Some(0), "{}", checked.stderr);
    // Never over a store that is there.
    let data = data(&running);
    let refused = on_files(&["restore", file, "--data", text(&data)]);
    assert_eq!(refused.code, Some(4));
    assert!(refused.stderr.contains("is not empty; nothing was touched"), "{}", refused.stderr);
    fs::remove_dir_all(&data).unwrap();
    let restored = on_files(&["restore", file, "--data", text(&data)]);
    assert_eq!(restored.code, Some(0), "{}", restored.stderr);
    assert!(restored.stdout.contains("al-police"), "{}", restored.stdout);

    running.federation.start_node(NODE).unwrap();
    let found = status(&running);
    let lost: Vec<_> = acknowledged.difference(&held(&found)).cloned().collect();
    assert!(lost.is_empty(), "acknowledged before the backup began, and gone: {lost:?}");
    assert!(found["journal_size"].as_u64() > backup["journal_size"].as_u64());
    assert_eq!(totals_of(&running), totals);
    assert_eq!(running.gather(&requirement).unwrap(), answered);
    assert_eq!(found["in_doubt"], true);
    let confirmed = desk(&running, "releaser", &["confirm-restore", "--why", "rehearsal"]);
    assert_eq!(confirmed["losses"], 1);
    assert_eq!(status(&running)["in_doubt"], false);
}

#[test]
fn a_backup_is_taken_by_an_operator_and_erasing_is_done_by_a_releaser_and_nobody_else() {
    let running = started(&["AL"]);
    let to = text(&running.dir).to_owned();
    for role in ["analyst", "releaser", "auditor"] {
        let refused = running.desk(NODE, role, &["backup", "--to", &to]).unwrap();
        assert_eq!(refused.code, Some(7), "{role}: {}", refused.stderr);
    }
    for role in ["analyst", "operator", "auditor"] {
        for act in [&["erase", "--due", "--why", "test"][..], &["confirm-restore", "--why", "test"]]
        {
            let refused = running.desk(NODE, role, act).unwrap();
            assert_eq!(refused.code, Some(7), "{role}: {}", refused.stderr);
        }
    }
    assert_eq!(running.desk(NODE, "analyst", &["budget"]).unwrap().code, Some(7));
    for role in ["releaser", "operator", "auditor"] {
        assert_eq!(desk(&running, role, &["budget"]), serde_json::json!([]), "nothing is frozen");
    }
    let refused = running.desk(NODE, "releaser", &["confirm-restore", "--why", "test"]).unwrap();
    assert!(refused.stderr.contains("nothing is to be confirmed"), "{}", refused.stderr);
}

#[test]
fn what_may_no_longer_be_kept_is_erased_and_the_journal_proves_it() {
    let running = started(&["AL"]);
    let sample = sample_dir();
    let (file, mapping) = (sample.join("AL.csv"), sample.join("mapping.toml"));
    let until = SystemClock.now().plus_s(4).to_string();
    let keep = |until: &str| {
        let arguments = ["import", text(&file), "--mapping", text(&mapping), "--keep-until", until];
        running.desk(NODE, "analyst", &arguments).unwrap()
    };
    let refused = keep("2020-01-01");
    assert!(refused.stderr.contains("lies in the past"), "{}", refused.stderr);
    keep(&until).json(&[0]).unwrap();
    let kept = import_one(&running, 1);
    let summary = running.dir.join("summary.toml");
    let mut written = include_str!("../../deploy/summary.toml").to_owned();
    for field in ["review_due", "retention_until"] {
        let line = written.lines().find(|line| line.starts_with(field)).unwrap().to_owned();
        written = written.replace(&line, &format!("{field} = \"{until}\""));
    }
    fs::write(&summary, written).unwrap();
    let created = desk(&running, "analyst", &["summary", "create", text(&summary)]);
    desk(&running, "releaser", &["freeze", "2014", "2018"]);
    let periods = ["--first-period", "2014", "--last-period", "2018"];
    let wanted = [&["totals", "--audience", "POLICE"], &periods[..]].concat();
    let frozen = desk(&running, "analyst", &wanted);
    assert!(!frozen.as_array().unwrap().is_empty());

    let nothing = desk(&running, "releaser", &["erase", "--due", "--why", "due"]);
    assert_eq!(nothing["journal_entries"], serde_json::json!([]), "{nothing}");
    let began = Instant::now();
    while SystemClock.now().to_string() < until && began.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(100));
    }
    let listed = desk(&running, "releaser", &["erase"]);
    assert_eq!(listed["imports"].as_array().unwrap().len(), 1, "{listed}");
    assert!(status(&running)["observations"].as_u64() > Some(1), "listing erases nothing");
    let size = status(&running)["journal_size"].clone();
    let erased = desk(&running, "releaser", &["erase", "--due", "--why", "retention is over"]);
    assert_eq!(erased["imports"][0]["import"], 1);
    assert_eq!(erased["summaries"][0]["summary"], created["summary"]);
    assert_eq!(erased["journal_entries"], serde_json::json!([size]));
    assert_eq!(erased["observations"], 1);

    let found = status(&running);
    assert_eq!(found["observations"], 1);
    assert!(held(&found).contains(&kept));
    assert_eq!(desk(&running, "analyst", &["import", "show", "1"])["erased"], true);
    let id = created["summary"].as_str().unwrap();
    let gone = running.desk(NODE, "analyst", &["summary", "show", id]).unwrap();
    assert_eq!(gone.code, Some(5), "{}", gone.stderr);
    // What was frozen holds no record, and stays.
    assert_eq!(desk(&running, "analyst", &wanted), frozen);
}

#[test]
fn below_the_mark_nothing_is_taken_in_and_consent_can_still_be_taken_back() {
    let mut running = started(&["AL"]);
    let grant = running.grant(NODE, STANDING).unwrap();
    running.node_server(NODE).unwrap().kill();
    let disk = rustix::fs::statvfs(&running.nodes[NODE].home).unwrap();
    let free = disk.f_bavail * disk.f_frsize;
    let path = running.nodes[NODE].home.join("node.toml");
    // More than is free, and less than twice as much.
    let config = fs::read_to_string(&path)
        .unwrap()
        .replace("# free_bytes_min = 67108864", &format!("free_bytes_min = {}", free / 4 * 5));
    fs::write(&path, config).unwrap();
    running.federation.start_node(NODE).unwrap();

    let sample = sample_dir();
    let refused =
        running.import(NODE, &sample.join("AL.csv"), &sample.join("mapping.toml")).unwrap();
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert!(refused.stderr.contains("STORE_FULL"), "{}", refused.stderr);
    assert_eq!(status(&running)["grants_in_force"], 1);
    assert!(status(&running)["store_bytes"].as_u64() > Some(0));
    desk(&running, "analyst", &["import", "list"]);
    desk(&running, "releaser", &["grant", "withdraw", &grant]);
    assert_eq!(status(&running)["grants_in_force"], 0);
}

#[test]
fn an_older_store_in_the_place_of_the_newer_is_refused_and_cannot_be_hidden() {
    let mut running = started(&["AL"]);
    import_one(&running, 1);
    running.node_server(NODE).unwrap().kill();
    let (data, older) = (data(&running), running.dir.join("older"));
    let copied = Command::new("cp").arg("-r").arg(data.join("store")).arg(&older).status();
    assert!(copied.unwrap().success());
    running.federation.start_node(NODE).unwrap();
    import_one(&running, 2);
    running.node_server(NODE).unwrap().kill();

    fs::remove_dir_all(data.join("store")).unwrap();
    fs::rename(&older, data.join("store")).unwrap();
    let refused = running.federation.start_node(NODE).unwrap_err().to_string();
    assert!(refused.contains("STORE_FAILED") && refused.contains("acknowledged"), "{refused}");
    // Who removes the witness, too, gets a node that serves; its journal says what happened.
    fs::remove_file(data.join("head")).unwrap();
    running.federation.start_node(NODE).unwrap();
    let log = fs::read_to_string(running.nodes[NODE].home.join("log")).unwrap();
    assert!(log.contains("witness was missing"), "{log}");
    let after = status(&running);
    running.node_server(NODE).unwrap().kill();
    // One entry more than a start without that, and only once.
    running.federation.start_node(NODE).unwrap();
    assert_eq!(status(&running)["journal_size"], after["journal_size"]);
}
