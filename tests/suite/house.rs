//! The architecture, executed: who may depend on whom, and who may name what. Reads files only; where `git`, `cargo` or
//! `rustc` is not there, it says loudly what it left out.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use accord_tests::compile_fail::LIES;

mod documents;
mod promises;

pub(crate) use promises::tests_of;

/// Longest program file, without its tests.
const LINES_MAX: usize = 500;

#[test]
fn crates_depend_on_each_other_as_drawn_and_not_otherwise() {
    let drawn = [
        ("proto", [].as_slice()),
        ("node", &["accord-proto"]),
        ("coordinator", &["accord-proto"]),
        ("tests", &["accord-coordinator", "accord-node", "accord-proto"]),
    ];
    let workspace: toml::Table = read(&root().join("Cargo.toml")).parse().unwrap();
    let members = workspace["workspace"]["members"].as_array().unwrap();
    let members: Vec<_> = members.iter().map(|member| member.as_str().unwrap()).collect();
    assert_eq!(members, drawn.map(|(folder, _)| folder), "crates of the workspace");
    for (folder, edges) in drawn {
        let manifest = read(&root().join(folder).join("Cargo.toml"));
        let mut ours = BTreeSet::new();
        collect_ours(&manifest.parse().unwrap(), &mut ours);
        let edges: BTreeSet<_> = edges.iter().map(|edge| (*edge).to_owned()).collect();
        assert_eq!(ours, edges, "what {folder} depends on");
    }
}

#[test]
fn the_contract_without_transport_pulls_in_no_network() {
    let Some(tree) = ran(
        &std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()),
        "tree -p accord-proto --no-default-features -e normal --offline --locked --prefix none",
    ) else {
        return;
    };
    let names: BTreeSet<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains("prost"), "not a dependency tree: {tree}");
    for network in ["tokio", "tonic", "hyper", "rustls", "tower", "h2"] {
        assert!(!names.contains(network), "accord-proto without transport pulls in {network}");
    }
}

#[test]
fn the_top_level_holds_what_the_design_says() {
    let Some(listed) = ran("git", "ls-files") else {
        return;
    };
    let allowed = [
        "Cargo.toml",
        "Cargo.lock",
        "proto",
        "node",
        "coordinator",
        "deploy",
        "tests",
        "README.md",
        "LICENSE",
    ];
    let found: BTreeSet<_> = listed.lines().filter_map(|path| path.split('/').next()).collect();
    let strange: Vec<_> =
        found.iter().filter(|name| !name.starts_with('.') && !allowed.contains(name)).collect();
    assert!(strange.is_empty(), "not of the house: {strange:?}");
}

#[test]
fn the_database_is_named_in_one_module_per_binary() {
    only_in(
        &["node/", "coordinator/", "proto/", "tests/"],
        "sled",
        // The yardstick of a measurement is the raw database itself.
        &[
            "node/src/store",
            "coordinator/src/archive",
            "tests/harness/yardstick/raw.rs",
            "tests/harness/measure",
        ],
    );
}

#[test]
fn no_program_waits_for_a_disk_on_a_thread_that_serves() {
    // A simulation does: there, time does not pass meanwhile.
    let kept = ["node/src/store.rs", "coordinator/src/archive.rs"];
    only_in(&["node/src", "coordinator/src"], "settle_by_whoever_waits", &kept);
}

#[test]
fn tls_is_named_in_the_transport_only() {
    for name in ["rustls", "tokio_rustls"] {
        only_in(&["node/", "coordinator/", "proto/"], name, &["proto/src/transport"]);
    }
}

#[test]
fn generated_types_stay_behind_their_fence() {
    let node = ["service", "seal", "answer.rs", "standing.rs", "run.rs", "commands"];
    let coordinator = [
        "service",
        "commands",
        "picture.rs",
        "verify.rs",
        "archive",
        "evidence.rs",
        "custody.rs",
        "export/document.rs",
        "requirement.rs",
        "standing.rs",
        "run.rs",
    ];
    for (folder, files) in [("node/src/", node.as_slice()), ("coordinator/src/", &coordinator)] {
        let allowed: Vec<_> = files.iter().map(|file| format!("{folder}{file}")).collect();
        let allowed: Vec<_> = allowed.iter().map(String::as_str).collect();
        only_in(&[folder], "wire", &allowed);
    }
}

#[test]
fn what_makes_answers_does_not_know_of_summaries() {
    let makers = ["consent", "cube", "disclose", "seal", "freeze", "preview", "service/exchange"];
    let makers = makers.map(|name| format!("node/src/{name}"));
    let knows = |path: &str, text: &str| {
        let program = program_of(path, text);
        ["summary", "summaries", "Summary"].iter().any(|word| names(&program, word))
    };
    let found: Vec<_> = rust_files()
        .into_iter()
        .filter(|(path, _)| {
            path.starts_with("coordinator/") || makers.iter().any(|maker| is_of(path, maker))
        })
        .filter(|(path, text)| knows(path, text))
        .map(|(path, _)| path)
        .collect();
    assert!(found.is_empty(), "a summary never leaves its node, but {found:?} name it");
}

/// What a pure stage never names.
const IMPURE: [&str; 11] = [
    "async",
    "await",
    "fs",
    "net",
    "tokio",
    "SystemClock",
    "SystemEntropy",
    "SystemTime",
    "Instant",
    "rand",
    "getrandom",
];

#[test]
fn pure_stages_have_no_clock_no_dice_no_files_and_no_network() {
    let pure = [
        "node/src/cube",
        "node/src/consent",
        "node/src/inbox",
        "node/src/disclose",
        "node/src/freeze",
        "node/src/preview",
        "node/src/record",
        "node/src/ingest",
        "node/src/policy",
        "node/src/lattice",
        "node/src/summary",
        "node/src/pictures/check",
        "node/src/pictures/own",
        "coordinator/src/gate",
        "coordinator/src/combine",
        "coordinator/src/picture",
        "coordinator/src/export",
        "coordinator/src/verify",
        "proto/src/table",
        "proto/src/question",
        "proto/src/answer",
        "proto/src/tree",
        "proto/src/regional",
        "proto/src/combine",
        "proto/src/picture",
        "proto/src/compare",
        "proto/src/chart",
        "proto/src/product",
        "proto/src/rate",
        "proto/src/evidence",
        "proto/src/lattice",
        "proto/src/suppress",
        "proto/src/rules",
        "proto/src/delivery",
        "proto/src/verify",
        "proto/src/taxonomy",
        "proto/src/threat",
        "proto/src/cycle",
        "proto/src/journal",
    ];
    let stages: Vec<_> = rust_files()
        .into_iter()
        .filter(|(path, _)| pure.iter().any(|stage| is_of(path, stage)))
        .collect();
    for stage in pure {
        assert!(
            stages.iter().any(|(path, _)| is_of(path, stage)),
            "{stage} is not there any more: mend this list"
        );
    }
    let mut found = Vec::new();
    for (path, text) in &stages {
        let program = program_of(path, text);
        // The sampler takes its dice from a keyed stream: the same key, the same draw.
        let seeded = path == "node/src/disclose/noise.rs";
        let impure = IMPURE.iter().filter(|word| !(seeded && **word == "rand"));
        for word in impure.filter(|word| names(&program, word)) {
            found.push(format!("{path} names {word}"));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_file_says_what_it_is_and_fits_a_reader() {
    let mut found = Vec::new();
    for (path, text) in rust_files() {
        if path.starts_with("tests/compile_fail/") {
            continue;
        }
        if !text.starts_with("//!") {
            found.push(format!("{path} does not open with //!"));
        }
        let lines = without_tests(&path, &text).count();
        if lines > LINES_MAX {
            found.push(format!("{path} has {lines} lines where {LINES_MAX} is the most"));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn nothing_is_left_for_later_in_the_program() {
    // Written apart, so that this file does not find itself.
    let marks = ["TO-DO", "FIX-ME", "XX-X", "to-do!", "unimpl-emented!", "dbg-!", "#[ig-nore"]
        .map(|mark| mark.replace('-', ""));
    let mut found = Vec::new();
    for (path, text) in rust_files() {
        for (at, line) in text.lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark.as_str())) {
                found.push(format!("{path}:{}: {}", at + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    let places = ["/wo-rk/", "/ro-ot/", "/ho-me/", "/Us-ers/"].map(|place| place.replace('-', ""));
    let mut found = Vec::new();
    for path in files() {
        let bytes = fs::read(root().join(&path)).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        for place in places.iter().filter(|place| text.contains(place.as_str())) {
            found.push(format!("{path} holds {place}"));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// A stable rustdoc sees only that a program fails. Here: that it fails once, and for the right reason.
#[test]
fn a_program_that_leaves_out_a_stage_fails_for_that_reason_alone() {
    let out = tempfile::tempdir().unwrap();
    if Command::new(rustc()).arg("--version").output().is_err() {
        let _ = std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!("SKIPPED: there is no rustc\n"),
        );
        return;
    }
    let crates = ["accord_proto", "accord_node", "accord_coordinator"].map(built);
    let [protos, nodes, coordinators] = &crates;
    let sets = protos.iter().flat_map(|proto| {
        nodes.iter().flat_map(move |node| {
            coordinators.iter().map(move |coordinator| [proto, node, coordinator])
        })
    });
    // Other builds lie in the same folder; the honest twin shows which files belong together.
    let mut last = String::new();
    let set = sets.into_iter().find(|set| {
        let errors = compiled("stages", *set, out.path());
        last = format!("{errors:#?}");
        errors.is_empty()
    });
    let set = set.unwrap_or_else(|| panic!("the honest twin does not compile: {last}"));
    for (name, code) in LIES {
        let errors = compiled(name, set, out.path());
        let codes: Vec<_> =
            errors.iter().map(|error| error["code"]["code"].as_str().unwrap_or("none")).collect();
        assert_eq!(codes, [*code], "{name}: {errors:#?}");
    }
}

/// Compiles a program of `tests/compile_fail` against built crates; its errors.
fn compiled(name: &str, set: [&PathBuf; 3], out: &Path) -> Vec<serde_json::Value> {
    let [proto, node, coordinator] = set;
    let mut command = Command::new(rustc());
    command
        .args(["--edition", "2024", "--crate-type", "lib"])
        .args(["--emit", "metadata", "--error-format", "json"])
        .args(["--crate-name", name, "--out-dir"])
        .arg(out)
        .arg("-L")
        .arg(format!("dependency={}", proto.parent().unwrap_or(out).display()))
        .arg(root().join(format!("tests/compile_fail/{name}.rs")));
    for (name, path) in [("proto", proto), ("node", node), ("coordinator", coordinator)] {
        command.arg("--extern").arg(format!("accord_{name}={}", path.display()));
    }
    let output = command.output().unwrap();
    let errors: Vec<serde_json::Value> = String::from_utf8_lossy(&output.stderr)
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .filter(|said: &serde_json::Value| said["level"] == "error")
        // The closing remark, "aborting due to …", has no place.
        .filter(|said| said["spans"].as_array().is_some_and(|spans| !spans.is_empty()))
        .collect();
    if errors.is_empty() && !output.status.success() {
        return vec![String::from_utf8_lossy(&output.stderr).into_owned().into()];
    }
    errors
}

/// The newest builds of a crate of ours beside this test, newest first.
fn built(name: &str) -> Vec<PathBuf> {
    let here = std::env::current_exe().unwrap();
    let mut found: Vec<_> = fs::read_dir(here.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            file.starts_with(&format!("lib{name}-")) && file.ends_with(".rlib")
        })
        .filter_map(|path| Some((fs::metadata(&path).ok()?.modified().ok()?, path)))
        .collect();
    found.sort_unstable_by(|a, b| b.cmp(a));
    found.into_iter().take(4).map(|(_, path)| path).collect()
}

fn rustc() -> String {
    std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned())
}

/// Fails if a program file below one of `folders` names `word`, unless its path begins with one of `allowed`.
fn only_in(folders: &[&str], word: &str, allowed: &[&str]) {
    let found: Vec<_> = rust_files()
        .into_iter()
        .filter(|(path, _)| folders.iter().any(|folder| path.starts_with(folder)))
        .filter(|(path, _)| !allowed.iter().any(|allowed| path.starts_with(allowed)))
        // Attacks in the suite may name what the program may not.
        .filter(|(path, _)| !path.starts_with("tests/suite/"))
        .filter(|(path, text)| names(&program_of(path, text), word))
        .map(|(path, _)| path)
        .collect();
    assert!(found.is_empty(), "{word} is named in {found:?}");
}

/// Is this file the stage, or in its folder?
fn is_of(path: &str, stage: &str) -> bool {
    path.strip_prefix(stage).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

/// Does the text hold this word, whole?
pub(super) fn names(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|found| found == word)
}

/// A file's code without comments and tests.
fn program_of(path: &str, text: &str) -> String {
    without_tests(path, text)
        .map(|line| line.split_once("//").map_or(line, |(code, _)| code))
        .map(|line| format!("{line}\n"))
        .collect()
}

/// A file's lines up to its tests. The suite, and what lies in a `tests.rs` or beside it in its folder, is tests altogether.
pub(super) fn without_tests<'a>(
    path: &str,
    text: &'a str,
) -> impl Iterator<Item = &'a str> + use<'a> {
    let of_a_module = path.ends_with("/tests.rs") || path.contains("/tests/");
    let program = !path.starts_with("tests/suite/") && !of_a_module;
    text.lines().take_while(move |line| program && *line != "#[cfg(test)]")
}

/// Every Rust file with its text.
pub(super) fn rust_files() -> Vec<(String, String)> {
    files()
        .into_iter()
        .filter(|path| path.ends_with(".rs"))
        .map(|path| {
            let text = read(&root().join(&path));
            (path, text)
        })
        .collect()
}

/// Every file of the repository, relative to its root, ascending.
fn files() -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && name != ".git" {
                folders.push(path);
            } else if path.is_file() && name != ".git" {
                let relative = path.strip_prefix(root()).unwrap();
                found.push(relative.display().to_string());
            }
        }
    }
    found.sort_unstable();
    found
}

/// Names of our crates among all dependencies of a manifest, whatever their kind or target.
fn collect_ours(table: &toml::Table, ours: &mut BTreeSet<String>) {
    for (key, value) in table {
        let Some(inner) = value.as_table() else {
            continue;
        };
        if key.ends_with("dependencies") {
            let names = inner.iter().map(|(name, entry)| {
                let renamed = entry.get("package").and_then(toml::Value::as_str);
                renamed.unwrap_or(name).to_owned()
            });
            ours.extend(names.filter(|name| name.starts_with("accord-")));
        } else if key != "features" {
            collect_ours(inner, ours);
        }
    }
}

/// What a tool prints, run at the root; none, and a loud remark, if it is not there or fails.
fn ran(tool: &str, arguments: &str) -> Option<String> {
    let output = Command::new(tool).args(arguments.split(' ')).current_dir(root()).output();
    match output {
        Ok(Output { status, stdout, .. }) if status.success() => String::from_utf8(stdout).ok(),
        Ok(Output { stderr, .. }) => {
            let why = String::from_utf8_lossy(&stderr);
            let _ = std::io::Write::write_fmt(
                &mut std::io::stderr(),
                format_args!("SKIPPED: {tool} {arguments}: {why}\n"),
            );
            None
        }
        Err(error) => {
            let _ = std::io::Write::write_fmt(
                &mut std::io::stderr(),
                format_args!("SKIPPED: {tool} {arguments}: {error}\n"),
            );
            None
        }
    }
}

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
