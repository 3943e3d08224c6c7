//! A new operator, with the page and the two programs: the command blocks of `deploy/README.md` are run as they stand there.

use std::{
    fs::{self, File},
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::mpsc,
    time::Duration,
};

use accord_tests::{
    federation::{cell, member},
    roles,
};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::program;

/// The section that a new operator begins with.
const SECTION: &str = "## From nothing to a first picture\n";
/// All of its blocks, on a loaded machine.
const TIME_MAX: Duration = Duration::from_secs(240);

/// A shell and everything that it has started; killed when dropped.
struct Shell {
    group: Pid,
    ended: mpsc::Receiver<Option<i32>>,
}

impl Shell {
    fn of(mut child: Child) -> Self {
        let group = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        let (said, ended) = mpsc::channel();
        std::thread::spawn(move || {
            let code = child.wait().ok().and_then(|status| status.code());
            let _ = said.send(code);
        });
        Self { group, ended }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = kill_process_group(self.group, Signal::KILL);
    }
}

/// Every block of shell commands of a section, one behind the other.
fn blocks(page: &str) -> String {
    let (_, section) = page.split_once(SECTION).expect("no such section");
    let section = section.split("\n## ").next().unwrap_or_default();
    let blocks = section.split("```sh\n").skip(1).filter_map(|rest| rest.split_once("\n```"));
    blocks.map(|(block, _)| format!("{block}\n")).collect()
}

/// Both programs by their names, in a folder of the `PATH`. What they read stays open as long as this test lives: a server
/// of it ends when that closes, however this test ended.
fn programs(dir: &Path) -> (PathBuf, File) {
    let (bin, open) = (dir.join("bin"), dir.join("open"));
    fs::create_dir(&bin).unwrap();
    assert!(Command::new("mkfifo").arg(&open).status().unwrap().success());
    let held = File::options().read(true).write(true).open(&open).unwrap();
    for (name, role) in [("accord-node", roles::NODE), ("accord-coordinator", roles::COORDINATOR)] {
        let path = bin.join(name);
        let program = program().display().to_string();
        let text = format!("#!/bin/sh\nexec '{program}' {role} \"$@\" < '{}'\n", open.display());
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    (bin, held)
}

#[test]
fn the_operators_page_sets_up_three_nodes_and_a_coordinator_as_written() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/README.md");
    let script = blocks(&fs::read_to_string(page).unwrap());
    assert!(script.lines().count() > 80, "{script}");

    let dir = tempfile::tempdir().unwrap();
    let (bin, _held) = programs(dir.path());
    let home = dir.path().join("home");
    fs::create_dir(&home).unwrap();
    fs::write(dir.path().join("script"), &script).unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let [out, log] = ["out", "log"].map(|name| dir.path().join(name));
    let mut command = Command::new("bash");
    command
        .args(["-euo", "pipefail"])
        .arg(dir.path().join("script"))
        .current_dir(&home)
        .env("PATH", format!("{}:{path}", bin.display()))
        .env_remove("ACCORD_CLIENT")
        .env_remove("ACCORD_CONFIG")
        .stdin(std::process::Stdio::null())
        .stdout(File::create(&out).unwrap())
        .stderr(File::create(&log).unwrap())
        .process_group(0);
    let shell = Shell::of(command.spawn().unwrap());
    let code = shell.ended.recv_timeout(TIME_MAX);
    let logs = ["al/log", "ba/log", "mk/log", "coordinator/log"].map(|name| home.join(name));
    let said = [&out, &log].into_iter().chain(&logs).map(|path| {
        format!("{}:\n{}\n", path.display(), fs::read_to_string(path).unwrap_or_default())
    });
    assert_eq!(code, Ok(Some(0)), "{}", said.collect::<String>());

    let picture = fs::read_to_string(home.join("picture.json")).unwrap();
    let picture = serde_json::from_str(&picture).unwrap();
    for (area, sum) in [("ICCS0101", 41), ("ICCS0401", 642)] {
        let cell = cell(&picture, area, "2024").unwrap();
        assert_eq!((&cell["value"], &cell["status"]), (&sum.into(), &"value".into()), "{cell}");
    }
    for jurisdiction in ["AL", "BA", "MK"] {
        assert_eq!(member(&picture, jurisdiction).unwrap()["state"], "answered", "{picture}");
    }
    // Each private key is where it was made, and for nobody else to read.
    let mut keys = Vec::new();
    find_keys(&home, &mut keys);
    assert_eq!(keys.len(), 4 * 3 + 2 + 1 + 4 + 7, "{keys:?}");
    for key in keys {
        let mode = fs::metadata(&key).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", key.display());
    }
}

fn find_keys(dir: &Path, keys: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find_keys(&path, keys);
        } else if path.extension().is_some_and(|ending| ending == "key") {
            keys.push(path);
        }
    }
}
