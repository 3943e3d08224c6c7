//! Every promise has its test: codes, threats and promises that a document names are there, and every test stands in a document.

use std::fs;

use accord_proto::reason::Reason;
use accord_tests::compile_fail::LIES;

use super::{
    documents::{first_table, flaws, last_column},
    names, read, root,
};

#[test]
fn every_refusal_code_is_documented() {
    let text = read(&root().join("proto/README.md"));
    let absent: Vec<_> =
        Reason::ALL.iter().map(|reason| reason.code()).filter(|code| !names(&text, code)).collect();
    assert!(absent.is_empty(), "proto/README.md does not say: {absent:?}");
}

#[test]
fn every_promise_names_a_test_that_exists() {
    let readme = read(&root().join("tests/README.md"));
    let rows = readme.lines().filter(|line| line.starts_with("| ")).filter(|row| {
        let tests = last_column(row);
        tests.trim() != "test" && (tests.contains('`') || !tests.contains("later"))
    });
    let found = flaws(rows);
    assert!(found.is_empty(), "tests/README.md names what is not there: {found:#?}");
}

#[test]
fn every_threat_names_a_test_that_exists() {
    let document = read(&root().join("deploy/SECURITY.md"));
    let threats = first_table(&document);
    assert!(!threats.is_empty(), "deploy/SECURITY.md has no table of threats");
    let found = flaws(threats.into_iter());
    assert!(found.is_empty(), "deploy/SECURITY.md names what is not there: {found:#?}");
}

/// The table is made from the tests: `ACCORD_UPDATE_GOLDEN=1` writes it anew.
#[test]
fn every_test_of_the_suite_stands_in_its_readme() {
    const BEGIN: &str = "<!-- tests: begin -->\n";
    const END: &str = "<!-- tests: end -->\n";
    let path = root().join("tests/README.md");
    let readme = read(&path);
    let (head, rest) = readme.split_once(BEGIN).expect("no begin mark");
    let (written, tail) = rest.split_once(END).expect("no end mark");

    let mut table = "| promise | test |\n|---|---|\n".to_owned();
    let mut row = |module: &str, name: &str| {
        let sentence = name.replace('_', " ");
        table += &format!("| {sentence} | `{module}::{name}` |\n");
    };
    let suite = root().join("tests/suite");
    let mut open = modules_of(&read(&suite.join("main.rs")));
    while let Some(module) = open.pop() {
        let text = read(&suite.join(format!("{}.rs", module.replace("::", "/"))));
        tests_of(&text).iter().for_each(|name| row(&module, name));
        open.extend(modules_of(&text).iter().map(|below| format!("{module}::{below}")));
    }
    LIES.iter().for_each(|(name, _)| row("compile_fail", name));
    if crate::golden::update() {
        fs::write(&path, format!("{head}{BEGIN}{table}{END}{tail}")).unwrap();
        return;
    }
    assert!(
        written == table,
        "tests/README.md does not name the tests that there are; run with ACCORD_UPDATE_GOLDEN=1"
    );
}

/// Modules that a file says lie in files of their own, last first.
fn modules_of(text: &str) -> Vec<String> {
    let name = |line: &str| Some(line.strip_prefix("mod ")?.strip_suffix(';')?.to_owned());
    text.lines().rev().filter_map(name).collect()
}

/// Every test function of a file, in its order.
pub(crate) fn tests_of(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut marked = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            marked = true;
        } else if let Some((_, rest)) = line.split_once("fn ").filter(|_| marked) {
            names.extend(rest.split_once('(').map(|(name, _)| name.to_owned()));
            marked = false;
        }
    }
    names
}
