//! The custodian of the gate's parameters finds every verdict again, from files alone, and nobody else can.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use accord_tests::{process::Finished, roles};
use serde_json::Value;

use crate::{
    Running,
    evidence::{export, write_evidence},
    program,
    protected::{SEIZURES, correct, filled},
};

const NODES: [&str; 3] = ["al-police", "ba-police", "rs-police"];

/// A picture, with all that it is judged again by.
struct Judged<'a> {
    running: &'a Running,
    evidence: PathBuf,
    memory: PathBuf,
    answers: Vec<PathBuf>,
}

impl<'a> Judged<'a> {
    fn of(running: &'a Running, name: &str) -> Self {
        let requirement = running.issue(&[SEIZURES]).unwrap();
        running.gather(&requirement).unwrap();
        let [evidence, memory] =
            ["evidence", "memory"].map(|kind| running.dir.join(format!("{name}.{kind}")));
        write_evidence(running, &requirement, &evidence);
        let out = memory.display().to_string();
        let command = ["gate", "memory", &requirement, "--out", &out];
        running.region("custodian", "json", &command).unwrap().json(&[0]).unwrap();
        let answers = NODES.iter().map(|node| export(running, node, &requirement)).collect();
        Self { running, evidence, memory, answers }
    }

    fn again(&self, memory: &Path, parameters: &str, answers: &[PathBuf]) -> Finished {
        let policy = self.running.dir.join("gate.secret.toml");
        fs::write(&policy, parameters).unwrap();
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&policy, fs::Permissions::from_mode(0o600)).unwrap();
        let home = self.running.dir.join("federation");
        let mut command = Command::new(program());
        command.arg(roles::COORDINATOR).args(["gate", "judge"]).arg(&self.evidence);
        command.args(["-o", "json", "--memory"]).arg(memory).arg("--policy").arg(policy);
        command.arg("--roster").arg(home.join("roster.signed"));
        command.arg("--root").arg(home.join("root.pub"));
        for answer in answers {
            command.arg("--answer").arg(answer);
        }
        Finished::run(command).unwrap()
    }
}

/// Of the cell of cocaine: what was signed, what is said again, why.
fn verdict(of: &Finished, code: i32) -> [String; 3] {
    let rows = of.json(&[code]).unwrap();
    let cell = |row: &&Value| row["crime_area"] == "DRG.COC";
    let row = rows.as_array().unwrap().iter().find(cell).unwrap().clone();
    ["signed", "again", "why"].map(|name| row[name].as_str().unwrap().to_owned())
}

#[test]
fn the_custodian_finds_every_verdict_again_from_the_answers_the_memory_and_the_parameters() {
    let running = filled("");
    let first = Judged::of(&running, "first");
    // The second is judged by what the first has shown.
    correct(&running, "al-police");
    let second = Judged::of(&running, "second");

    let again = first.again(&first.memory, "", &first.answers);
    assert_eq!(verdict(&again, 0), ["shown", "shown", ""]);
    assert!(again.stderr.contains("2 of 2 verdicts"), "{}", again.stderr);
    let again = second.again(&second.memory, "", &second.answers);
    let why = "too few corrected their figures since it was shown";
    assert_eq!(verdict(&again, 0), ["withheld", "withheld", why]);

    // By other parameters it would have been another verdict: they are those that it was judged by.
    let other = first.again(&first.memory, "p_percent = 100", &first.answers);
    assert_eq!(verdict(&other, 3)[..2], ["shown", "withheld"]);

    for (refused, reason) in [
        (first.again(&first.memory, "", &first.answers[..2]), "FIELD_MISSING"),
        (first.again(&second.memory, "", &first.answers), "PICTURE_FALSE"),
        (first.again(&first.evidence, "", &first.answers), "FIELD_INVALID"),
    ] {
        assert!(refused.stderr.contains(reason), "{}", refused.stderr);
        assert_eq!(refused.stdout, "");
    }
    assert!(first.again(&first.memory, "", &first.answers[..2]).stderr.contains("rs-police"));
}
