//! Exports of a picture by the command: the bytes are the picture's, whoever may read it may take it, and no filter
//! makes an empty file of a misspelt code.

use std::fs;

use accord_tests::{
    federation::{QUESTION, cell},
    process::Finished,
};
use serde_json::{Value, json};

use crate::{Running, with_sample};

const FORMATS: [&str; 6] = ["csv", "csv-excel", "xlsx", "json", "jsonl", "sdmx-csv"];

/// A picture of thirty cells that rests on one of two members; the requirement's id.
pub(super) fn drawn() -> (Running, String) {
    let running = with_sample(&["AL", "XK"]);
    let requirement = running.issue(&[QUESTION]).unwrap();
    running.node_server("al-police").unwrap().kill();
    running.gather(&requirement).unwrap();
    (running, requirement)
}

/// Exports as an observer.
pub(super) fn export(
    running: &Running,
    requirement: &str,
    format: &str,
    more: &[&str],
) -> Finished {
    let arguments = [&["picture", "export", requirement], more].concat();
    running.region("editor", format, &arguments).unwrap()
}

#[test]
fn an_export_is_the_picture_cell_by_cell_and_the_same_bytes_each_time() {
    let (running, requirement) = drawn();
    let shown = running.region("editor", "json", &["picture", "show", &requirement]).unwrap();
    let shown = shown.json(&[3]).unwrap();
    let exported = export(&running, &requirement, "json", &[]);
    // Not everybody has answered: the exit code says so, as that of `show` does.
    let document = exported.json(&[3]).unwrap();
    assert!(exported.stderr.contains("30 of 30 cells"), "{}", exported.stderr);
    assert!(exported.stderr.contains("1 of 2 members answered"), "{}", exported.stderr);

    assert_eq!(document["picture"]["coverage"], json!({"answered": 1, "members": 2}));
    assert_eq!(document["footnotes"], shown["picture"]["footnotes"]);
    let observations = document["observations"].as_array().unwrap();
    let cells = shown["picture"]["cells"].as_array().unwrap();
    assert_eq!(observations.len(), cells.len());
    for (observation, cell) in observations.iter().zip(cells) {
        for same in
            ["indicator", "crime_area", "region", "period", "unit", "contributors", "silent"]
        {
            assert_eq!(observation[same], cell[same], "{same}");
        }
        assert_eq!(observation["state"], cell["status"]);
        let figure = cell["value"].as_number().map(ToString::to_string);
        assert_eq!(observation["value"], json!(figure));
    }
    let homicide = cell(&shown, "ICCS0101", "2016").unwrap();
    assert_eq!((&homicide["status"], &homicide["value"]), (&json!("partial"), &json!(29)));

    for format in FORMATS {
        let files = ["first", "second"].map(|name| running.dir.join(format!("{name}.{format}")));
        for file in &files {
            let file = file.display().to_string();
            let written = export(&running, &requirement, format, &["--out", &file]);
            assert_eq!(
                (written.code, written.stdout.as_str()),
                (Some(3), ""),
                "{}",
                written.stderr
            );
        }
        let [first, second] = files.map(|file| fs::read(file).unwrap());
        assert_eq!(first, second, "{format}");
        if format != "xlsx" {
            assert_eq!(export(&running, &requirement, format, &[]).stdout.as_bytes(), first);
        }
    }

    // Never over a file that is there.
    let taken = running.dir.join("taken");
    fs::write(&taken, "mine").unwrap();
    let refused = export(&running, &requirement, "csv", &["--out", &taken.display().to_string()]);
    assert!(refused.stderr.contains("FILE_EXISTS"), "{}", refused.stderr);
    assert_eq!((refused.code, fs::read_to_string(&taken).unwrap().as_str()), (Some(4), "mine"));
}

#[test]
fn a_filter_takes_what_it_names_and_a_misspelt_code_is_refused_with_the_closest() {
    let (running, requirement) = drawn();
    let rows = |more: &[&str]| {
        let exported = export(&running, &requirement, "jsonl", more);
        assert_eq!(exported.code, Some(3), "{}", exported.stderr);
        let rows: Vec<Value> =
            exported.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let said = format!("{} of 30 cells", rows.len());
        assert!(exported.stderr.contains(&said), "{said}: {}", exported.stderr);
        rows
    };
    assert_eq!(rows(&["--area", "ICCS0101", "--period", "2016"]).len(), 1);
    // Assault is below acts that cause harm.
    assert_eq!(rows(&["--area", "ICCS02"]).len(), 5);
    assert_eq!(rows(&["--exact-area", "ICCS02"]).len(), 0);
    assert_eq!(rows(&["--area", "ICCS0101", "--area", "ICCS02", "--period", "2016"]).len(), 2);
    assert_eq!(rows(&["--indicator", "PUB.OFF.N", "--category", "_T"]).len(), 30);
    let partial = rows(&["--state", "partial"]);
    assert!(!partial.is_empty() && partial.iter().all(|row| row["state"] == "partial"));
    assert_eq!(rows(&["--state", "value", "--state", "not-shown"]).len(), 0);

    for (filter, parts) in [
        (["--area", "ICCS0102X"], ["CODE_UNKNOWN: --area", "closest in this picture: ICCS0101"]),
        (
            ["--indicator", "PUB.OFF"],
            ["CODE_UNKNOWN: --indicator", "closest in this picture: PUB.OFF.N"],
        ),
        (["--category", "SEX=X"], ["CODE_UNKNOWN: --category", "F, M"]),
        (["--period", "2016-Q9"], ["PERIOD_INVALID: --period", "2016-Q3"]),
        (["--state", "mising"], ["--state", "'missing'"]),
    ] {
        let refused = export(&running, &requirement, "csv", &filter);
        assert!(parts.iter().all(|part| refused.stderr.contains(part)), "{}", refused.stderr);
        assert!(refused.code != Some(0) && refused.stdout.is_empty(), "{filter:?}");
    }
}
