//! What is stored, closed to whoever has only the disk: both programs as processes, sealed with keys of their own, which are killed while
//! they are sealed anew; and what whoever runs them is told.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use accord_proto::at_rest::Keys;
use accord_tests::{crash::Dice, federation::STANDING, process::Finished, roles};
use serde_json::Value;

use crate::{Running, prepared, program};

/// Repeat a failing run with this seed.
const SEED: u64 = 20_270_401;
const NODE: &str = "al-police";
/// Name and text of a mapping, and what a requirement rests on.
const MARKERS: [&str; 3] = ["marker mapping", "marker text of a source", "marker legal basis"];

/// A program, its configuration and its data folder.
struct Service {
    role: &'static str,
    home: PathBuf,
    config: &'static str,
}

impl Service {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.arg(self.role).args(arguments);
        command.arg("--config").arg(self.home.join(self.config)).stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Finished {
        Finished::run(self.command(arguments)).unwrap()
    }

    /// A start that is refused: exit code, and what is said. A role ends when nobody holds its input.
    fn refused(&self) -> (Option<i32>, String) {
        let mut command = self.command(&["serve"]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let held = child.stdin.take();
        let ended = child.wait_with_output().unwrap();
        drop(held);
        (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
    }

    fn key(&self) -> PathBuf {
        self.home.join("keys/store.key")
    }

    fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    fn new_key(&self) {
        let mut command = Command::new(program());
        command.arg(self.role).arg("store-key").arg("--file").arg(self.key());
        assert_eq!(Finished::run(command).unwrap().code, Some(0));
    }

    fn findings(&self) -> Vec<Value> {
        let found: Value = self.run(&["doctor", "-o", "json"]).json(&[0, 1]).unwrap();
        found.as_array().unwrap().clone()
    }
}

fn services(running: &Running) -> [Service; 2] {
    let of = |role, name: &str, config| Service { role, home: running.dir.join(name), config };
    [of(roles::NODE, NODE, "node.toml"), of(roles::COORDINATOR, "coordinator", "coordinator.toml")]
}

/// Both programs with something to find, and which do not run any more.
fn filled(mut running: Running) -> Running {
    running.federation.start().unwrap();
    let mapping = running.dir.join("mapping.toml");
    let shipped = fs::read_to_string(accord_tests::federation::sample_dir().join("mapping.toml"));
    fs::write(&mapping, format!("# {}\n{}", MARKERS[1], shipped.unwrap())).unwrap();
    let save = ["mapping", "save", MARKERS[0], mapping.to_str().unwrap()];
    assert_eq!(running.desk(NODE, "analyst", &save).unwrap().code, Some(0));
    running.grant(NODE, &STANDING).unwrap();
    let closes = accord_proto::clock::Clock::now(&accord_proto::clock::SystemClock).plus_s(86_400);
    let asked = format!(
        "authority = \"analysis-unit\"\nwhy = \"Test\"\npurpose = \"THREAT-ASSESSMENT\"\n\
         legal_basis = \"{}\"\naudience = \"POLICE\"\ncloses = \"{closes}\"\n[[question]]\n\
         indicator = \"PUB.OFF.N\"\nregion_level = 0\ncrime_areas = [\"ICCS0101\"]\nperiods = [\"2016\"]\n",
        MARKERS[2]
    );
    running.issue_text(&asked).unwrap();
    running.kill_all();
    running
}

fn files(folder: &Path) -> Vec<Vec<u8>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push(fs::read(path).unwrap());
        }
    }
    files
}

/// Which markers stand in the data folders of both.
fn found(services: &[Service; 2]) -> Vec<&'static str> {
    let files: Vec<_> = services.iter().flat_map(|of| files(&of.data())).collect();
    let stands = |marker: &&str| {
        let marker = marker.as_bytes();
        files.iter().any(|file| file.windows(marker.len()).any(|window| window == marker))
    };
    MARKERS.into_iter().filter(stands).collect()
}

/// What staff see of both.
fn seen(running: &mut Running) -> (String, Value) {
    running.federation.start().unwrap();
    let mapping = running.desk(NODE, "analyst", &["mapping", "show", MARKERS[0]]).unwrap();
    let asked = running.region("analyst", "json", &["requirement", "list"]).unwrap();
    assert_eq!(mapping.code, Some(0), "{}", mapping.stderr);
    let seen = (mapping.stdout, asked.json(&[0]).unwrap());
    running.kill_all();
    seen
}

#[test]
fn both_programs_are_sealed_killed_while_they_are_sealed_anew_and_hold_the_same() {
    eprintln!("seed {SEED}");
    let mut dice = Dice(SEED);
    let mut running = filled(prepared(&["AL"]));
    let services = services(&running);
    assert_eq!(found(&services), MARKERS, "without a key");
    let before = seen(&mut running);
    running.federation.seal_stores().unwrap();
    for service in &services {
        // A store that lies bare is not opened with a key, nor written to.
        let (code, said) = service.refused();
        assert_eq!(code, Some(78), "{said}");
        assert!(said.contains("made without a key"), "{said}");
    }
    // From no key to one, and from that to another.
    for round in 0..2 {
        for service in &services {
            for kill in 0..4 {
                let mut command = service.command(&["rekey"]);
                command.stdout(Stdio::null()).stderr(Stdio::null());
                let mut child = command.spawn().unwrap();
                std::thread::sleep(Duration::from_millis(10 + dice.below(80) * (kill + 1)));
                child.kill().unwrap();
                child.wait().unwrap();
            }
            let done = service.run(&["rekey"]);
            assert_eq!(done.code, Some(0), "round {round}: {}", done.stderr);
            let text = fs::read_to_string(service.key()).unwrap();
            // Only the first key is left, and it is enough.
            let line = text.lines().find(|line| !line.starts_with('#')).unwrap();
            fs::write(service.key(), line).unwrap();
        }
        assert_eq!(found(&services), [""; 0], "round {round}");
        assert_eq!(seen(&mut running), before, "round {round}");
        for service in &services {
            service.new_key();
            assert!(service.findings().iter().any(|of| of["check"] == "store key"
                && of["state"] == "warning"
                && of["fix"].as_str().unwrap().contains("rekey")));
        }
    }
    // Each of them was done once.
    running.federation.start().unwrap();
    let list = ["journal", "list"];
    let of_node = running.desk(NODE, "auditor", &list).unwrap().stdout;
    let of_coordinator = running.region("auditor", "json", &list).unwrap().stdout;
    for journal in [of_node, of_coordinator] {
        assert_eq!(journal.matches("\"rekey\"").count(), 2, "{journal}");
    }
}

#[test]
fn a_key_of_a_store_that_is_missing_wrong_or_open_to_others_is_named_with_what_to_do() {
    let running = prepared(&["AL"]);
    running.federation.seal_stores().unwrap();
    let running = filled(running);
    for service in &services(&running) {
        let (key, kept) = (service.key(), service.home.join("kept.key"));
        assert!(service.findings().iter().any(|of| of["check"] == "store" && of["state"] == "ok"));
        fs::copy(&key, &kept).unwrap();
        let secret = fs::read_to_string(&key).unwrap();
        let secret = secret.trim().rsplit_once(' ').unwrap().1;
        type Spoil = fn(&Service);
        let stages: [(&str, &str, Spoil); 4] = [
            ("store key", "No such file", |of| fs::remove_file(of.key()).unwrap()),
            ("store key", "is open to others (mode 644)", |of| {
                fs::set_permissions(of.key(), fs::Permissions::from_mode(0o644)).unwrap();
            }),
            ("store key", "line 1 is no key", |of| {
                let text = fs::read_to_string(of.key()).unwrap();
                let line = text.lines().find(|line| !line.starts_with('#')).unwrap();
                fs::write(of.key(), &line[..line.len() - 4]).unwrap();
            }),
            ("store", "wrong key", |of| {
                fs::remove_file(of.key()).unwrap();
                of.new_key();
            }),
        ];
        for (check, cause, spoil) in stages {
            spoil(service);
            let found = service.findings();
            let fault = found.iter().find(|of| of["check"] == check && of["state"] == "FAULT");
            let fault = fault.unwrap_or_else(|| panic!("{cause}: {found:#?}"));
            assert!(fault["found"].as_str().unwrap().contains(cause), "{fault}");
            assert!(!fault["fix"].as_str().unwrap().is_empty(), "{fault}");
            let (code, said) = service.refused();
            assert_eq!(code, Some(78), "{cause}: {said}");
            assert!(said.contains(cause), "{said}");
            assert!(!format!("{found:?}{said}").contains(secret));
            let _ = fs::remove_file(&key);
            fs::copy(&kept, &key).unwrap();
            fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        }
        // A key beside what it closes closes nothing.
        let inside = service.data().join("store.key");
        fs::copy(&key, &inside).unwrap();
        let config = service.home.join(service.config);
        let text = fs::read_to_string(&config).unwrap();
        fs::write(&config, text.replace("\"keys/store.key\"", "\"data/store.key\"")).unwrap();
        let found = service.findings();
        assert!(
            found.iter().any(|of| of["found"].as_str().unwrap().contains("in the data folder"))
        );
        assert_eq!(Keys::load(Some(&inside)).unwrap().names().len(), 1);
    }
}

#[test]
fn whoever_is_not_the_owner_of_a_store_seals_nothing_and_leaves_no_file_in_it() {
    /// Somebody whom every system has, and who owns nothing.
    const NOBODY: u32 = 65_534;
    let running = prepared(&["AL"]);
    running.federation.seal_stores().unwrap();
    let me = rustix::process::geteuid();
    for service in &services(&running) {
        let (data, owner) = if me.is_root() {
            fs::create_dir_all(service.data()).unwrap();
            chown(service.data(), Some(NOBODY), None).unwrap();
            (service.data(), NOBODY)
        } else {
            // Only root gives folders away: one of root's, then.
            let config = service.home.join(service.config);
            let text = fs::read_to_string(&config).unwrap();
            fs::write(&config, text.replace("\"data\"", "\"/\"")).unwrap();
            (PathBuf::from("/"), 0)
        };
        let refused = service.run(&["rekey"]);
        assert_eq!(refused.code, Some(1), "{}", refused.stderr);
        for said in [
            "FIELD_INVALID".to_owned(),
            format!("{} belongs to user {owner}", data.display()),
            format!("this is user {}", me.as_raw()),
            format!("run it as user {owner}"),
        ] {
            let heard = refused.stderr.replace(": belongs", " belongs");
            assert!(heard.contains(&said), "{said}: {heard}");
        }
        assert!(!me.is_root() || fs::read_dir(data).unwrap().count() == 0);
    }
}

#[test]
fn a_rekey_that_was_cut_off_is_said_by_doctor_which_leaves_it_to_whoever_opens_the_archive() {
    let running = prepared(&["AL"]);
    let [_, coordinator] = services(&running);
    let whole = coordinator.data().join("rekeyed");
    fs::create_dir_all(&whole).unwrap();
    let found = coordinator.findings();
    let of_store = found.iter().find(|of| of["check"] == "store").unwrap();
    assert_eq!(of_store["state"], "warning", "{of_store}");
    assert!(of_store["found"].as_str().unwrap().contains("a rekey was cut off"), "{of_store}");
    assert!(of_store["fix"].as_str().unwrap().contains("`rekey`"), "{of_store}");
    assert!(whole.exists());
    assert_eq!(fs::read_dir(coordinator.data()).unwrap().count(), 1);
}
