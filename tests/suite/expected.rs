//! What the published files must give as a regional picture, asked of six running nodes: totals, shares under their names,
//! gaps, means, intervals and changes. Where the files are not there, the tests say so loudly.

use std::{fs, path::Path};

use accord_tests::federation::cell;
use serde_json::{Value, json};

use crate::{Running, published::data, started};

const SIX: [&str; 6] = ["AL", "BA", "ME", "MK", "RS", "XK"];

/// Files with the mapping that a node reads them with; `GEO` is its jurisdiction.
const FILES: [(&str, &str); 4] = [
    (
        "eurostat_crim_off_cat/crim_off_cat_2008_2020.csv",
        r#"
source = "Eurostat, table crim_off_cat, CC BY 4.0"
[columns]
jurisdiction = "geo"
crime_area = "iccs"
period = "period"
value = "value"
status = "obs_status"
[constants]
indicator = "PUB.OFF.N"
[codes.status]
A = "value"
M = "missing"
[only]
unit = "NR"
geo = "GEO"
"#,
    ),
    (
        "unodc_cts_offences/offences_2003_2020.csv",
        r#"
source = "UNODC, CTS offences"
ignore = ["table", "indicator", "dimension", "sex", "age", "source"]
[columns]
jurisdiction = "geo"
crime_area = "category"
period = "period"
value = "value"
[constants]
indicator = "PUB.OFF.N"
[codes.crime_area]
"Smuggling of migrants" = "ICCS08051"
[only]
unit = "Counts"
category = "Smuggling of migrants"
sex = "Total"
age = "Total"
geo = "GEO"
period = "2020"
"#,
    ),
    (
        "gitoc_ocindex_2021/ocindex_2021.csv",
        r#"
source = "GI-TOC, Organized Crime Index 2021"
ignore = ["component", "level"]
[columns]
jurisdiction = "geo"
crime_area = "indicator"
period = "period"
value = "value"
[constants]
indicator = "PUB.OCI.SCORE"
[codes.crime_area]
"Arms trafficking" = "ARM"
"Cannabis trade" = "DRG.CAN"
"Cocaine trade" = "DRG.COC"
"Heroin trade" = "DRG.HER"
"Synthetic drug trade" = "DRG.SYN"
"Human smuggling" = "MIG"
"Human trafficking" = "THB"
"Fauna crimes" = "ENV.FAUNA"
"Flora crimes" = "ENV.FLORA"
"Non-renewable resource crimes" = "ENV.NRR"
[only]
component = "market"
level = "score"
geo = "GEO"
"#,
    ),
    (
        "unodc_glotip/trafficking_in_persons.csv",
        r#"
source = "UNODC, GLOTIP dataset"
ignore = ["dimension", "category", "sex", "age", "value", "source", "obs_status", "unit", "indicator"]
[columns]
jurisdiction = "geo"
period = "period"
value = "value_text"
[constants]
indicator = "PUB.THB.VIC.N"
crime_area = "THB"
[masks]
"<5" = ["0", "4"]
[only]
geo = "GEO"
indicator = "Detected trafficking victims"
dimension = "Total"
category = "Total"
sex = "Total"
age = "Total"
"#,
    ),
];

const INDICATORS: [&str; 3] = ["PUB.OFF.N", "PUB.OCI.SCORE", "PUB.THB.VIC.N"];

/// Six nodes with the published files, frozen, and consent to show them under their jurisdictions' names.
fn filled(data: &Path) -> Running {
    let running = started(&SIX);
    for (name, node) in &running.nodes {
        for (at, (file, mapping)) in FILES.iter().enumerate() {
            let path = running.dir.join(format!("{name}-{at}.toml"));
            fs::write(&path, mapping.replace("GEO", &node.jurisdiction)).unwrap();
            running.import(name, &data.join(file), &path).unwrap().json(&[0, 3]).unwrap();
        }
        running.desk(name, "releaser", &["freeze", "2008", "2021"]).unwrap().json(&[0]).unwrap();
        for indicator in INDICATORS {
            let terms = ["--indicator", indicator, "--purpose", "THREAT-ASSESSMENT"];
            let to = ["--audience", "POLICE", "--contribution", "named"];
            let days = ["--from", "2020-01-01", "--until", "2090-01-01"];
            running.grant(name, &[&terms[..], &to, &days].concat()).unwrap();
        }
    }
    running
}

/// The item of `expected.json` with this id.
fn item(data: &Path, id: &str) -> Value {
    let text = fs::read_to_string(data.join("expected.json")).unwrap();
    let expected: Value = serde_json::from_str(&text).unwrap();
    let mut items = expected["items"].as_array().unwrap().iter();
    items.find(|item| item["id"] == id).unwrap().clone()
}

fn ask(running: &Running, indicator: &str, areas: &[&str], periods: &str) -> (String, Value) {
    let areas = serde_json::to_string(areas).unwrap();
    let block =
        format!("indicator = \"{indicator}\"\ncrime_areas = {areas}\nperiods = \"{periods}\"\n");
    let requirement = running.issue(&[&block]).unwrap();
    let shown = running.gather(&requirement).unwrap();
    (requirement, shown)
}

fn sorted(codes: &Value) -> Vec<&str> {
    let mut codes: Vec<_> =
        codes.as_array().unwrap().iter().map(|code| code.as_str().unwrap()).collect();
    codes.sort_unstable();
    codes
}

#[test]
fn the_published_files_give_the_expected_regional_picture() {
    let Some(data) = data() else { return };
    let running = filled(&data);

    // S01 to S03: totals, with who reports and who does not. S05, S06: members' own figures, by name.
    let areas: Vec<_> = {
        let file = fs::read_to_string(data.join(FILES[0].0)).unwrap();
        let codes = file.lines().skip(1).filter_map(|line| line.split(',').nth(1));
        let codes: std::collections::BTreeSet<_> = codes.map(str::to_owned).collect();
        codes.into_iter().collect()
    };
    let areas: Vec<_> = areas.iter().map(String::as_str).collect();
    let (requirement, shown) = ask(&running, "PUB.OFF.N", &areas, "2008..2020");
    for id in ["S01", "S02", "S03"] {
        let item = item(&data, id);
        let text = |field: &str| item["filter"][field].as_str().unwrap();
        let cell = cell(&shown, text("iccs"), text("period")).unwrap();
        assert_eq!(cell["value"], item["expected"], "{id}");
        assert_eq!(sorted(&cell["missing"]), sorted(&item["missing"]), "{id}");
        assert_eq!(sorted(&cell["contributors"]), sorted(&item["reporting"]), "{id}");
        for share in cell["shares"].as_array().unwrap() {
            let expected = &item["values"][share["jurisdiction"].as_str().unwrap()];
            assert_eq!(&share["value"], expected, "{id}: {share}");
        }
    }
    let cells = shown["picture"]["cells"].as_array().unwrap();
    let shares = || cells.iter().flat_map(|cell| cell["shares"].as_array().unwrap());
    let small =
        shares().filter(|share| share["value"].as_i64().is_some_and(|of| (1..=4).contains(&of)));
    assert_eq!(json!(small.count()), item(&data, "S05")["expected"]);
    let missing = shares().filter(|share| share["status"] == "missing");
    assert_eq!(json!(missing.count()), item(&data, "S06")["expected"]);

    // S04: what has changed, of those who report in both years.
    let compare = ["picture", "compare", &requirement, "--from", "2019", "--to", "2020"];
    let changes = running.region("analyst", "json", &compare).unwrap().json(&[0]).unwrap();
    let changes = changes.as_array().unwrap();
    let homicide = changes.iter().find(|change| change["crime_area"] == "ICCS0101").unwrap();
    let percent: f64 = homicide["percent"].as_str().unwrap().parse().unwrap();
    let expected = item(&data, "S04");
    assert!((percent - expected["expected"].as_f64().unwrap()).abs() <= 0.005, "{homicide}");
    assert_eq!(homicide["difference"], "-17");

    // S08: another source of the same indicator.
    let (_, shown) = ask(&running, "PUB.OFF.N", &["ICCS08051"], "2020");
    assert_eq!(cell(&shown, "ICCS08051", "2020").unwrap()["value"], item(&data, "S08")["expected"]);

    means(&running, &data);
    masked(&running, &data);
}

/// S09: means, not sums; who has no score is not shown, and not zero.
fn means(running: &Running, data: &Path) {
    let markets = [
        "ARM",
        "DRG.CAN",
        "DRG.COC",
        "DRG.HER",
        "DRG.SYN",
        "ENV.FAUNA",
        "ENV.FLORA",
        "ENV.NRR",
        "MIG",
        "THB",
    ];
    let (requirement, shown) = ask(running, "PUB.OCI.SCORE", &markets, "2021");
    let mean = |area: &str| {
        let cell = cell(&shown, area, "2021").unwrap();
        assert_eq!((&cell["method"], &cell["status"]), (&json!("mean"), &json!("partial")));
        assert_eq!(cell["not_shown"], json!(["XK"]), "{cell}");
        cell["value"].as_f64().unwrap()
    };
    let mut means: Vec<_> = markets.iter().map(|area| (*area, mean(area))).collect();
    means.sort_by(|a, b| b.1.total_cmp(&a.1));
    for (wanted, market) in
        item(data, "S09")["expected"].as_array().unwrap().iter().zip(["MIG", "DRG.HER", "DRG.CAN"])
    {
        let found = means.iter().find(|(area, _)| *area == market).unwrap().1;
        assert!((found - wanted["mean"].as_f64().unwrap()).abs() < 1e-9, "{market} {found}");
        // Nobody else has more, but for ties.
        assert!(means.iter().filter(|(_, mean)| *mean > found).count() < 3, "{means:?}");
    }
    ranked(running, &requirement);
}

/// By the commands: the region's three largest markets have the first three ranks, and the five that have scores agree in part.
fn ranked(running: &Running, requirement: &str) {
    for by in ["figure", "borda"] {
        let what = ["threat", "rank", requirement, "--indicator", "PUB.OCI.SCORE", "--period"];
        let more = ["2021", "--by", by, "--why", "published scores"];
        let ranked = running.region("analyst", "json", &[&what[..], &more].concat()).unwrap();
        let ranked = ranked.json(&[0]).unwrap();
        assert_eq!(ranked["raters"], 5, "{ranked}");
        let agreement = ranked["agreement"].as_f64().unwrap();
        assert!(agreement > 0.0 && agreement < 1.0, "{agreement}");
        let areas = ranked["areas"].as_array().unwrap();
        assert_eq!(areas.len(), 10);
        let rank = |code: &str| {
            let area = areas.iter().find(|area| area["crime_area"] == code).unwrap();
            area["rank"].as_u64().unwrap()
        };
        for market in ["MIG", "DRG.HER", "DRG.CAN"] {
            let most = if by == "figure" { 3 } else { 5 };
            assert!(rank(market) <= most, "{market} {}: {ranked}", rank(market));
        }
    }
}

/// S10: what was published masked is an interval.
fn masked(running: &Running, data: &Path) {
    let (_, shown) = ask(running, "PUB.THB.VIC.N", &["THB"], "2016");
    let victims = cell(&shown, "THB", "2016").unwrap();
    let expected = item(data, "S10");
    assert_eq!(victims["status"], "between");
    assert_eq!(victims["value"], Value::Null);
    assert_eq!(victims["lower"], expected["expected"]["lower"]);
    assert_eq!(victims["upper"], expected["expected"]["upper"]);
    assert_eq!(sorted(&victims["contributors"]), sorted(&expected["reporting"]));
    assert_eq!(victims["basis"]["masked"], expected["masked"]);
}
