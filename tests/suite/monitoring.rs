//! Alerts and panels show what there is: every metric that they name is given out, every alert has a section of the
//! runbook, a case in which it fires and one in which it does not. That the rules are right is promtool's to say
//! (`deploy/check.sh`).

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use accord_proto::operate::measures::{MEASURES, values};
use serde_json::Value;

const RULES: &str = "deploy/monitoring/prometheus/rules/accord.yml";
const CASES: &str = "deploy/monitoring/prometheus/rules/accord_test.yml";
const DASHBOARD: &str = "deploy/monitoring/grafana/accord.json";
const RUNBOOK: &str = "deploy/monitoring/RUNBOOK.md";

#[test]
fn every_metric_of_a_rule_or_a_panel_is_given_out() {
    let mut expressions = vec![text_of(RULES), text_of(CASES)];
    expressions.extend(panels().iter().flat_map(expressions_of));
    let named: BTreeSet<_> = expressions.iter().flat_map(|text| metrics(text)).collect();
    assert!(named.len() >= 15, "only {named:?} are named");
    let given: BTreeSet<_> = MEASURES.iter().map(|measure| measure.name).collect();
    let unknown: Vec<_> = named.iter().filter(|name| !given.contains(*name)).collect();
    assert!(unknown.is_empty(), "no program gives out {unknown:?}");
}

/// A value that no program ever gives out makes a rule that never fires, and nobody notices.
#[test]
fn every_value_of_a_label_in_a_rule_a_case_or_a_panel_is_one_that_there_is() {
    let mut expressions = vec![text_of(RULES), text_of(CASES)];
    expressions.extend(panels().iter().flat_map(expressions_of));
    let (mut checked, mut wrong) = (0, Vec::new());
    for text in &expressions {
        for (measure, label, operator, value) in selected(text) {
            let Some(there) = values(measure, label) else { continue };
            for one in value.split('|') {
                checked += 1;
                let fits = |of: &&str| match (operator.contains('~'), one.strip_suffix(".*")) {
                    (true, Some(begin)) => of.starts_with(begin),
                    (true, None) | (false, _) => **of == *one,
                };
                if !there.iter().any(fits) {
                    wrong.push(format!("{measure}{{{label}{operator}\"{value}\"}}: {one}"));
                }
            }
        }
    }
    assert!(checked > 60, "only {checked} values were found");
    assert!(wrong.is_empty(), "no program gives out {wrong:#?}");
}

/// Measure, label, operator and value of everything that is selected.
fn selected(text: &str) -> Vec<(&str, &str, &str, &str)> {
    let mut selected = Vec::new();
    for (at, _) in text.match_indices('{') {
        let (before, behind) = (&text[..at], &text[at + 1..]);
        let name = before.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next();
        let Some(name) = name.filter(|name| name.starts_with("accord_")) else { continue };
        let labels = behind.split('}').next().unwrap_or_default();
        for label in labels.split("\",") {
            let Some((head, value)) = label.split_once('"') else { continue };
            let label = head.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let operator = head.trim_start().trim_start_matches(label);
            selected.push((name, label, operator, value.trim_end_matches('"')));
        }
    }
    selected
}

#[test]
fn every_alert_has_a_section_of_the_runbook_and_names_it() {
    let runbook = text_of(RUNBOOK);
    let sections: BTreeSet<_> =
        runbook.lines().filter_map(|line| line.strip_prefix("## ")).map(str::to_owned).collect();
    let alerts = alerts();
    let names: BTreeSet<_> = alerts.keys().cloned().collect();
    assert_eq!(names, sections, "alerts, and sections of the runbook");
    for (alert, rule) in alerts {
        let link = format!("runbook: \"RUNBOOK.md#{}\"", alert.to_lowercase());
        assert!(rule.contains(&link), "{alert} does not say {link}");
        assert!(rule.contains("severity: "), "{alert} does not say how urgent it is");
    }
}

#[test]
fn every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not() {
    let text = text_of(CASES);
    let mut cases: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    for case in text.split("alertname: ").skip(1) {
        let alert = case.split_whitespace().next().unwrap_or_default().to_owned();
        let silent = case.lines().nth(1).is_some_and(|line| line.ends_with("exp_alerts: []"));
        cases.entry(alert).or_default()[usize::from(silent)] += 1;
    }
    for alert in alerts().keys() {
        let [fires, silent] = cases.remove(alert).unwrap_or_default();
        assert!(fires > 0 && silent > 0, "{alert}: fires in {fires} cases, silent in {silent}");
    }
    assert!(cases.is_empty(), "cases of alerts that there are not: {cases:?}");
}

#[test]
fn panels_have_numbers_and_titles_of_their_own() {
    let panels = panels();
    let numbers: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64()).collect();
    let titles: BTreeSet<_> = panels.iter().map(|panel| panel["title"].as_str()).collect();
    assert_eq!(numbers.len(), panels.len(), "two panels have one number");
    assert_eq!(titles.len(), panels.len(), "two panels have one title");
    assert!(!numbers.contains(&None) && !titles.contains(&None));
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        assert!(!expressions_of(panel).is_empty(), "{} shows nothing", panel["title"]);
    }
}

/// Words that are metrics; one is the name of a file.
fn metrics(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("accord_") && *word != "accord_test")
}

/// Each alert, with the text of its rule.
fn alerts() -> BTreeMap<String, String> {
    let text = text_of(RULES);
    let rules = text.split("- alert: ").skip(1);
    let named = |rule: &str| Some((rule.lines().next()?.trim().to_owned(), rule.to_owned()));
    rules.filter_map(named).collect()
}

fn panels() -> Vec<Value> {
    let dashboard: Value = serde_json::from_str(&text_of(DASHBOARD)).unwrap();
    dashboard["panels"].as_array().unwrap().clone()
}

fn expressions_of(panel: &Value) -> Vec<String> {
    let targets = panel["targets"].as_array().into_iter().flatten();
    targets.filter_map(|target| Some(target["expr"].as_str()?.to_owned())).collect()
}

fn text_of(path: &str) -> String {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}
