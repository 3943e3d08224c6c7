//! Documents that name tests. Comes in: a document's text, or rows of its tables. Goes out: what they name that is not
//! there. Must never take a helper for a test.

use std::collections::BTreeSet;

use accord_tests::compile_fail::LIES;

use super::{rust_files, tests_of};

/// Rows of the first table of a document, without its head.
pub(super) fn first_table(document: &str) -> Vec<&str> {
    let lines = document.lines().skip_while(|line| !line.starts_with('|'));
    lines.take_while(|line| line.starts_with('|')).skip(2).collect()
}

/// What stands in the last column of a row.
pub(super) fn last_column(row: &str) -> &str {
    let row = row.trim_end();
    let cells = row.strip_suffix('|').unwrap_or(row);
    cells.rsplit('|').next().unwrap_or(cells)
}

/// Rows whose last column names no test, and names in it that are no test's.
pub(super) fn flaws<'a>(rows: impl Iterator<Item = &'a str>) -> Vec<String> {
    let tests = tests();
    let mut found = Vec::new();
    for row in rows {
        let named = last_column(row);
        if !named.contains('`') {
            found.push(format!("no test for: {row}"));
        }
        // Every second part stands between backticks.
        for test in named.split('`').skip(1).step_by(2) {
            let name = test.rsplit("::").next().unwrap_or(test);
            if !tests.contains(name) {
                found.push(test.to_owned());
            }
        }
    }
    found
}

/// Every test function of the repository, and every program that must not compile.
fn tests() -> BTreeSet<String> {
    let functions = rust_files().into_iter().flat_map(|(_, text)| tests_of(&text));
    functions.chain(LIES.iter().map(|(name, _)| (*name).to_owned())).collect()
}
