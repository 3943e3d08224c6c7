//! What was done, by whom, why and to whom: an auditor reads it, nobody else does, and whoever has an export and a
//! key checks it without asking anybody.

use std::{fs, path::Path, process::Command};

use accord_tests::{process::Finished, roles};
use serde_json::{Value, json};

use crate::{Running, program, with_sample};

const HOMICIDE: &str =
    "indicator = \"PUB.OFF.N\"\ncrime_areas = \"ICCS0101\"\nperiods = \"2016\"\n";
const NODE: &str = "al-police";

fn journal(running: &Running, role: &str, arguments: &[&str]) -> Finished {
    running.desk(NODE, role, &[&["journal"], arguments].concat()).unwrap()
}

fn done(running: &Running, arguments: &[&str]) -> Value {
    journal(running, "auditor", arguments).json(&[0]).unwrap()
}

/// A federation of two that has gathered once.
fn gathered() -> Running {
    let running = with_sample(&["AL", "BA"]);
    running.gather(&running.issue(&[HOMICIDE]).unwrap()).unwrap();
    running
}

/// Exports as the auditor; where to, and the key.
fn export(running: &Running, name: &str, filter: &[&str]) -> (String, String, u64) {
    let file = running.dir.join(name).display().to_string();
    let written = done(running, &[&["export", "--out", &file], filter].concat());
    let key = written["key"].as_str().unwrap().to_owned();
    (file, key, written["entries"].as_u64().unwrap())
}

/// Without any service, and without a client file.
fn verify_file(file: &str, key: &str) -> Finished {
    let mut command = Command::new(program());
    command.arg(roles::NODE).args(["journal", "verify", "--file", file, "--key", key]);
    command.args(["-o", "json"]).env_remove("ACCORD_CLIENT");
    Finished::run(command).unwrap()
}

#[test]
fn an_auditor_reads_who_did_what_why_and_to_whom_and_verifies_it() {
    let running = gathered();
    let all = done(&running, &["list", "--last", "0"]);
    let all = all.as_array().unwrap();
    let places: Vec<_> = all.iter().map(|entry| entry["entry"].as_u64().unwrap()).collect();
    assert_eq!(places, (0..places.len() as u64).collect::<Vec<_>>());
    let disclosed = done(&running, &["list", "--act", "disclosure", "--by", "coordinator"]);
    assert_eq!(disclosed.as_array().unwrap().len(), 1, "{disclosed}");
    let disclosed = &disclosed[0];
    assert_eq!(disclosed["to"], "POLICE for analysis-unit");
    assert_eq!(disclosed["why"], "THREAT-ASSESSMENT; Test, no legal effect");
    assert_eq!((&disclosed["outcome"], &disclosed["class"]), (&json!("done"), &json!("ordinary")));
    let to = ["list", "--to", "analysis-unit", "--act", "disclosure"];
    assert_eq!(done(&running, &to)[0], *disclosed);
    for none in [["--by", "nobody"], ["--until", "2020-01-01"], ["--to", "OVERSIGHT"]] {
        assert_eq!(done(&running, &[&["list"], &none[..]].concat()), json!([]), "{none:?}");
    }
    let wrong = journal(&running, "auditor", &["list", "--act", "gossip"]);
    assert!(wrong.stderr.contains("CODE_UNKNOWN: --act"), "{}", wrong.stderr);

    let place = disclosed["entry"].to_string();
    let shown = journal(&running, "auditor", &["show", &place]);
    assert!(shown.stderr.contains("proven to be part of the journal"), "{}", shown.stderr);
    let shown = shown.json(&[0]).unwrap();
    assert_eq!(shown["by"], "spiffe://wb6.example/REGION/node/coordinator/coordinator");
    assert_eq!(shown["digest"].as_str().unwrap().len(), 64);
    assert_eq!(journal(&running, "auditor", &["show", "9999"]).code, Some(5));

    let verified = done(&running, &["verify"]);
    assert_eq!(verified["journal"], "wb6.example/AL/al-police");
    assert_eq!(verified["entries_verified"], places.len());
    let checkpoint = done(&running, &["checkpoint"]);
    assert_eq!((&checkpoint["root"], &checkpoint["key"]), (&verified["root"], &verified["key"]));
    let key = checkpoint["key"].as_str().unwrap();
    done(&running, &["verify", "--key", key]);
    let other = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let refused = journal(&running, "auditor", &["verify", "--key", other]);
    assert!(refused.stderr.contains("SIGNATURE_INVALID: --key"), "{}", refused.stderr);
}

#[test]
fn nobody_but_an_auditor_reads_a_journal_and_an_auditor_does_nothing_else_with_it() {
    let running = gathered();
    let file = running.dir.join("journal.jsonl").display().to_string();
    let reads: [&[&str]; 5] =
        [&["list"], &["show", "0"], &["verify"], &["checkpoint"], &["export", "--out", &file]];
    let accept: &[&str] = &["accept", "coordinator", "--why", "a test"];
    let refused = |said: Finished, what: &str| {
        assert_eq!(said.code, Some(7), "{what}: {}", said.stderr);
        assert!(said.stderr.contains("CERTIFICATE_ROLE"), "{what}: {}", said.stderr);
        assert_eq!(said.stdout, "", "{what}");
    };
    for role in ["analyst", "releaser", "operator"] {
        for command in reads {
            refused(journal(&running, role, command), &format!("{role} {command:?}"));
        }
    }
    for role in ["analyst", "releaser", "auditor"] {
        refused(journal(&running, role, accept), role);
    }
    let region = |role, arguments: &[&str]| {
        running.region(role, "json", &[&["journal"], arguments].concat()).unwrap()
    };
    for role in ["analyst", "observer", "operator"] {
        for command in reads {
            refused(region(role, command), &format!("{role} {command:?}"));
        }
    }
    refused(region("auditor", &["accept", NODE, "--why", "a test"]), "regional auditor");
    assert!(!Path::new(&file).exists());
}

#[test]
fn an_export_proves_itself_without_any_service_and_names_what_was_changed() {
    let running = gathered();
    let (file, key, entries) = export(&running, "all.jsonl", &[]);
    let verified = verify_file(&file, &key).json(&[0]).unwrap();
    assert_eq!(
        (&verified["entries_verified"], &verified["whole"]),
        (&entries.into(), &true.into())
    );
    let text = fs::read_to_string(&file).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let of = |line: &str| serde_json::from_str::<Value>(line).unwrap();
    let disclosure = lines.iter().position(|line| of(line)["class_uid"] == 6003).unwrap();
    for line in &lines {
        let line = of(line);
        for field in ["metadata", "time", "category_uid", "severity_id", "status_id", "actor"] {
            assert!(!line[field].is_null(), "{field}: {line}");
        }
        let kind =
            line["class_uid"].as_u64().unwrap() * 100 + line["activity_id"].as_u64().unwrap();
        assert_eq!(line["type_uid"], kind);
    }
    // Never over another file.
    let again = journal(&running, "auditor", &["export", "--out", &file]);
    assert!(again.stderr.contains("FILE_EXISTS"), "{}", again.stderr);

    let broken = running.dir.join("broken.jsonl").display().to_string();
    fs::copy(format!("{file}.checkpoint"), format!("{broken}.checkpoint")).unwrap();
    let found = |lines: &[&str]| {
        fs::write(&broken, lines.iter().map(|line| format!("{line}\n")).collect::<String>())
            .unwrap();
        let said = verify_file(&broken, &key);
        assert_eq!(said.code, Some(4), "{}", said.stderr);
        assert!(said.stderr.contains("JOURNAL_INCONSISTENT"), "{}", said.stderr);
        said.stderr
    };
    let reworded = lines[disclosure].replace("\"Informational\"", "\"High\"");
    let mut changed = lines.clone();
    changed[disclosure] = &reworded;
    assert!(found(&changed).contains(&format!("line {}:", disclosure + 1)));
    let mut gone = lines.clone();
    gone.remove(5);
    assert!(found(&gone).contains("journal[5]"));
    let mut swapped = lines.clone();
    swapped.swap(2, 3);
    assert!(found(&swapped).contains("journal[2]"));
    assert!(found(&lines[..lines.len() - 1]).contains(&format!("journal[{}]", lines.len() - 1)));
    let mut twice = lines.clone();
    twice.push(lines[3]);
    assert!(found(&twice).contains(&format!("journal[{}]", lines.len())));

    // A part of it: each line is proven by itself.
    let (part, key, entries) = export(&running, "part.jsonl", &["--act", "disclosure"]);
    let verified = verify_file(&part, &key).json(&[0]).unwrap();
    assert_eq!((&verified["entries_verified"], &verified["whole"]), (&1.into(), &false.into()));
    assert_eq!(entries, 1);
    let text =
        fs::read_to_string(&part).unwrap().replace("\"inclusion\":[\"", "\"inclusion\":[\"A");
    fs::write(&part, text).unwrap();
    assert_eq!(verify_file(&part, &key).code, Some(4));
}

#[test]
fn the_coordinators_journal_is_read_and_verified_like_a_nodes() {
    let running = gathered();
    let region = |arguments: &[&str]| {
        let said = running.region("auditor", "json", &[&["journal"], arguments].concat()).unwrap();
        said.json(&[0]).unwrap()
    };
    let combined = region(&["list", "--act", "combination"]);
    assert_eq!(combined.as_array().unwrap().len(), 1, "{combined}");
    let verified = region(&["verify"]);
    assert_eq!(verified["journal"], "wb6.example/REGION/coordinator");
    let file = running.dir.join("centre.jsonl").display().to_string();
    let written = region(&["export", "--out", &file]);
    assert_eq!(written["entries"], verified["entries_verified"]);
    verify_file(&file, written["key"].as_str().unwrap()).json(&[0]).unwrap();
    let shown = running.region("auditor", "table", &["journal", "show", "0"]).unwrap();
    assert!(shown.stdout.contains("alteration"), "{}", shown.stdout);
}

#[test]
fn a_journal_on_a_full_disk_stops_releases_and_not_reads() {
    let mut running = gathered();
    running.node_server(NODE).unwrap().kill();
    let config = running.dir.join(NODE).join("node.toml");
    let text = fs::read_to_string(&config).unwrap();
    // More than any disk has free: as if it were full down to the reserve.
    let full = text.lines().map(|line| match line.contains("free_bytes_min = ") {
        true => "free_bytes_min = 4000000000000000\n".to_owned(),
        false => format!("{line}\n"),
    });
    fs::write(&config, full.collect::<String>()).unwrap();
    running.federation.start_node(NODE).unwrap();
    let before = done(&running, &["verify"])["size"].clone();
    let shown = running.gather(&running.issue(&[HOMICIDE]).unwrap()).unwrap();
    let al = accord_tests::federation::member(&shown, "AL").unwrap();
    assert_eq!((&al["state"], &al["reason"]), (&json!("unreachable"), &json!("STORE_FAILED")));
    let log = fs::read_to_string(running.dir.join(NODE).join("log")).unwrap();
    assert!(log.contains("STORE_FULL"), "at home it is said why: {log}");
    running.desk(NODE, "operator", &["status"]).unwrap().json(&[0]).unwrap();
    export(&running, "full.jsonl", &[]);
    assert_eq!(done(&running, &["verify"])["size"], before, "nothing was written");
}
