//! Consent: a figure leaves only for the purpose, audience, indicator, cells and days that its
//! owner said. All else is one silence, whatever the reason; what was taken back does not return.

use std::fs;

use accord_proto::{
    clock::{Clock as _, SystemClock, SystemEntropy},
    id::GrantId,
};
use accord_tests::{
    federation::{STANDING, cell, member, sample_dir},
    process::Finished,
};
use serde_json::{Value, json};

use crate::{Running, prepared, started, with_sample};

const HOMICIDE: &str =
    "indicator = \"PUB.OFF.N\"\ncrime_areas = \"ICCS0101\"\nperiods = \"2016\"\n";
const DAYS: [&str; 4] = ["--from", "2020-01-01", "--until", "2090-01-01"];
/// What stands in the files for homicide in 2016.
const AL: i64 = 71;
const BA: i64 = 42;
const RS: i64 = 106;

/// The terms of a grant.
fn terms<'a>(
    indicator: &'a str,
    purpose: &'a str,
    audience: &'a str,
    more: &[&'a str],
) -> Vec<&'a str> {
    let head = ["--indicator", indicator, "--purpose", purpose, "--audience", audience];
    [&head[..], more].concat()
}

/// Three members hold the sample, frozen; all but Albania consent to everything.
fn all_but_albania_consent() -> Running {
    let running = started(&["AL", "BA", "RS"]);
    for node in running.nodes.keys() {
        fill(&running, node);
    }
    for node in ["ba-police", "rs-police"] {
        running.grant(node, &STANDING).unwrap();
    }
    running
}

/// Imports the sample and freezes it.
fn fill(running: &Running, node: &str) {
    let sample = sample_dir();
    let file = sample.join(format!("{}.csv", running.nodes[node].jurisdiction));
    running.import(node, &file, &sample.join("mapping.toml")).unwrap().json(&[0]).unwrap();
    running.desk(node, "releaser", &["freeze", "2014", "2018"]).unwrap().json(&[0]).unwrap();
}

fn withdraw(running: &Running, node: &str, grant: &str) {
    running.desk(node, "releaser", &["grant", "withdraw", grant]).unwrap().json(&[0]).unwrap();
}

/// Asks anew; everybody must answer, with a picture of exit code 0.
fn ask(running: &Running, block: &str) -> Value {
    gather(running, &running.issue(&[block]).unwrap())
}

fn gather(running: &Running, requirement: &str) -> Value {
    running.region("analyst", "json", &["gather", requirement]).unwrap().json(&[0]).unwrap()
}

/// Albania has answered like everybody else, gives no reason, and its figure is not in the cell.
fn assert_albania_silent(shown: &Value, period: &str, total: i64, others: &[&str]) {
    let albania = member(shown, "AL").unwrap();
    assert_eq!((&albania["state"], &albania["reason"]), (&json!("answered"), &Value::Null));
    let members = others.len() + 1;
    assert_eq!(shown["picture"]["coverage"], json!({"answered": members, "members": members}));
    let cell = cell(shown, "ICCS0101", period).unwrap();
    assert_eq!(cell["status"], "partial", "{cell}");
    assert_eq!(cell["value"], total, "{cell}");
    assert_eq!(cell["contributors"], json!(others), "{cell}");
    assert_eq!(cell["not_shown"], json!(["AL"]), "{cell}");
    assert_eq!((&cell["missing"], &cell["silent"]), (&json!([]), &json!([])), "{cell}");
}

fn assert_total(shown: &Value, total: i64) {
    let cell = cell(shown, "ICCS0101", "2016").unwrap();
    assert_eq!((&cell["value"], &cell["status"]), (&json!(total), &json!("value")), "{cell}");
}

#[test]
fn every_reason_for_not_consenting_looks_the_same_from_outside() {
    let running = all_but_albania_consent();
    const OFFENCES: &str = "PUB.OFF.N";
    const PURPOSE: &str = "THREAT-ASSESSMENT";
    let over = ["--from", "2020-01-01", "--until", "2021-01-01"];
    let later = ["--from", "2089-01-01", "--until", "2090-01-01"];
    let other_area = [&DAYS[..], &["--crime-area", "ICCS0401,ICCS0501"]].concat();
    let after = [&DAYS[..], &["--first-period", "2017"]].concat();
    let before = [&DAYS[..], &["--first-period", "2014", "--last-period", "2015"]].concat();
    let cases = [
        ("expired", terms(OFFENCES, PURPOSE, "POLICE", &over)),
        ("not yet valid", terms(OFFENCES, PURPOSE, "POLICE", &later)),
        ("another purpose", terms(OFFENCES, "EVALUATION", "POLICE", &DAYS)),
        ("a narrower purpose", terms(OFFENCES, "ACTION-PLANNING", "POLICE", &DAYS)),
        ("another audience", terms(OFFENCES, PURPOSE, "PARTNERS", &DAYS)),
        ("the widest audience", terms(OFFENCES, PURPOSE, "PUBLIC", &DAYS)),
        ("another indicator", terms("PUB.PRIS.N", PURPOSE, "POLICE", &DAYS)),
        ("other crime areas", terms(OFFENCES, PURPOSE, "POLICE", &other_area)),
        ("later periods", terms(OFFENCES, PURPOSE, "POLICE", &after)),
        ("earlier periods", terms(OFFENCES, PURPOSE, "POLICE", &before)),
    ];
    let no_grant = ask(&running, HOMICIDE);
    assert_albania_silent(&no_grant, "2016", BA + RS, &["BA", "RS"]);

    for (case, terms) in cases {
        let grant = running.grant("al-police", &terms).unwrap();
        let shown = ask(&running, HOMICIDE);
        assert_albania_silent(&shown, "2016", BA + RS, &["BA", "RS"]);
        assert_eq!(member(&shown, "AL"), member(&no_grant, "AL"), "byte for byte: {case}");
        withdraw(&running, "al-police", &grant);
        let withdrawn = ask(&running, HOMICIDE);
        assert_eq!(member(&withdrawn, "AL"), member(&no_grant, "AL"), "withdrawn: {case}");
    }
    running.grant("al-police", &STANDING).unwrap();
    assert_total(&ask(&running, HOMICIDE), AL + BA + RS);
}

#[test]
fn consent_to_one_crime_area_shows_that_one_only() {
    let running = all_but_albania_consent();
    let only = [&STANDING[..], &["--crime-area", "ICCS0401"]].concat();
    running.grant("al-police", &only).unwrap();
    let shown = ask(
        &running,
        "indicator = \"PUB.OFF.N\"\ncrime_areas = [\"ICCS0101\", \"ICCS0401\"]\n\
         periods = \"2016\"\n",
    );
    assert_albania_silent(&shown, "2016", BA + RS, &["BA", "RS"]);
    let robbery = cell(&shown, "ICCS0401", "2016").unwrap();
    assert_eq!(robbery["status"], "value");
    assert_eq!(robbery["contributors"], json!(["AL", "BA", "RS"]));
    assert_eq!(robbery["not_shown"], json!([]));
}

#[test]
fn consent_to_some_periods_shows_those_only() {
    let running = all_but_albania_consent();
    let only = [&STANDING[..], &["--first-period", "2015", "--last-period", "2016"]].concat();
    running.grant("al-police", &only).unwrap();
    let shown = ask(
        &running,
        "indicator = \"PUB.OFF.N\"\ncrime_areas = \"ICCS0101\"\nperiods = \"2014..2017\"\n",
    );
    assert_total(&shown, AL + BA + RS);
    for (period, shows) in [("2014", false), ("2015", true), ("2016", true), ("2017", false)] {
        let cell = cell(&shown, "ICCS0101", period).unwrap();
        let not_shown = if shows { json!([]) } else { json!(["AL"]) };
        assert_eq!(cell["not_shown"], not_shown, "{cell}");
        assert_eq!(cell["status"], if shows { "value" } else { "partial" }, "{cell}");
    }
}

#[test]
fn a_withdrawn_consent_takes_the_figure_back_and_a_new_one_does_not_return_it() {
    let running = started(&["AL", "BA"]);
    fill(&running, "al-police");
    fill(&running, "ba-police");
    running.grant("ba-police", &STANDING).unwrap();
    let grant = running.grant("al-police", &STANDING).unwrap();
    let requirement = running.issue(&[HOMICIDE]).unwrap();
    assert_total(&gather(&running, &requirement), AL + BA);

    withdraw(&running, "al-police", &grant);
    let narrowed = gather(&running, &requirement);
    assert_albania_silent(&narrowed, "2016", BA, &["BA"]);
    assert_eq!(narrowed["picture"]["version"], 2);

    running.grant("al-police", &STANDING).unwrap();
    assert_eq!(gather(&running, &requirement), narrowed, "for the same requirement it is gone");
    assert_total(&ask(&running, HOMICIDE), AL + BA);
}

#[test]
fn a_consent_that_runs_out_takes_the_figure_back_at_the_next_gather() {
    let running = started(&["AL", "BA"]);
    fill(&running, "al-police");
    fill(&running, "ba-police");
    running.grant("ba-police", &STANDING).unwrap();
    let requirement = running.issue(&[HOMICIDE]).unwrap();
    let until = SystemClock.now().plus_s(6);
    let text = until.to_string();
    let terms = terms(
        "PUB.OFF.N",
        "THREAT-ASSESSMENT",
        "POLICE",
        &["--from", "2020-01-01", "--until", &text],
    );
    running.grant("al-police", &terms).unwrap();
    assert_total(&gather(&running, &requirement), AL + BA);
    // Asking all the time, until it is over.
    while SystemClock.now() < until {
        running.gather(&requirement).unwrap();
    }
    let shown = running.gather(&requirement).unwrap();
    assert_eq!(member(&shown, "AL").unwrap()["reason"], Value::Null);
    assert_albania_silent(&shown, "2016", BA, &["BA"]);
}

#[test]
fn consent_that_is_withdrawn_while_questions_are_under_way_shows_nothing_afterwards() {
    let running = started(&["AL", "BA"]);
    fill(&running, "al-police");
    fill(&running, "ba-police");
    running.grant("ba-police", &STANDING).unwrap();
    let grant = running.grant("al-police", &STANDING).unwrap();
    let requirements: Vec<_> = (0..6).map(|_| running.issue(&[HOMICIDE]).unwrap()).collect();
    let (first, answered) = std::sync::mpsc::channel();
    let shown: Vec<_> = std::thread::scope(|threads| {
        let asking = threads.spawn(|| {
            let gather = |requirement: &String| {
                let shown = running.gather(requirement).unwrap();
                let _ = first.send(());
                shown
            };
            requirements.iter().map(gather).collect()
        });
        answered.recv().unwrap();
        withdraw(&running, "al-police", &grant);
        asking.join().unwrap()
    });
    // Each was decided before or after; none is half of both.
    for shown in &shown {
        let value = cell(shown, "ICCS0101", "2016").unwrap()["value"].as_i64();
        assert!([Some(AL + BA), Some(BA)].contains(&value), "{value:?}");
    }
    for requirement in &requirements {
        assert_albania_silent(&gather(&running, requirement), "2016", BA, &["BA"]);
    }
}

#[test]
fn two_nodes_of_a_jurisdiction_that_disagree_on_consent_are_one_contributor() {
    let running = started(&["AL", "BA", "BA"]);
    for node in running.nodes.keys() {
        fill(&running, node);
    }
    running.grant("al-police", &STANDING).unwrap();
    let homicide = || {
        let shown = ask(&running, HOMICIDE);
        let cell = cell(&shown, "ICCS0101", "2016").unwrap();
        ["value", "status", "contributors", "not_shown"].map(|field| cell[field].clone())
    };
    let silent = [json!(AL), json!("partial"), json!(["AL"]), json!(["BA"])];
    assert_eq!(homicide(), silent, "neither consents");
    let one = running.grant("ba-police", &STANDING).unwrap();
    let partial = [json!(AL + BA), json!("partial"), json!(["AL", "BA"]), json!([])];
    assert_eq!(homicide(), partial, "one consents");
    let other = running.grant("ba-police-2", &STANDING).unwrap();
    let whole = [json!(AL + BA), json!("value"), json!(["AL", "BA"]), json!([])];
    assert_eq!(homicide(), whole, "both consent, and the figure counts once");
    withdraw(&running, "ba-police", &one);
    assert_eq!(homicide(), partial, "the other consents");
    withdraw(&running, "ba-police-2", &other);
    assert_eq!(homicide(), silent, "neither does any more");
}

#[test]
fn what_a_person_has_to_let_go_or_an_embargo_holds_back_is_pending() {
    let running = started(&["AL", "BA"]);
    fill(&running, "al-police");
    fill(&running, "ba-police");
    running.grant("ba-police", &STANDING).unwrap();
    for held_back in [["--release", "by-hand"], ["--not-before", "2089-01-01"]] {
        let terms = [&STANDING[..], &held_back].concat();
        let grant = running.grant("al-police", &terms).unwrap();
        let requirement = running.issue(&[HOMICIDE]).unwrap();
        let shown = running.gather(&requirement).unwrap();
        assert_eq!(member(&shown, "AL").unwrap()["state"], "pending", "{held_back:?}");
        let cell = cell(&shown, "ICCS0101", "2016").unwrap();
        assert_eq!((&cell["value"], &cell["silent"]), (&json!(BA), &json!(["AL"])), "{cell}");
        withdraw(&running, "al-police", &grant);
        // What waits for a person goes on waiting for one; without consent no embargo is left.
        let shown = running.gather(&requirement).unwrap();
        let state = if held_back[0] == "--release" { "pending" } else { "answered" };
        assert_eq!(member(&shown, "AL").unwrap()["state"], state, "{held_back:?}");
    }
}

/// A command about grants as the releaser of Albania; what it prints.
fn grant_does(running: &Running, arguments: &[&str]) -> Value {
    let arguments = [&["grant"], arguments].concat();
    running.desk("al-police", "releaser", &arguments).unwrap().json(&[0]).unwrap()
}

#[test]
fn a_grant_is_narrowed_suspended_resumed_and_shown_with_its_history() {
    let running = started(&["AL", "BA"]);
    fill(&running, "al-police");
    fill(&running, "ba-police");
    running.grant("ba-police", &STANDING).unwrap();
    let warned = [&STANDING[..], &["--warn-days", "366", "--conditions", "Figures only"]].concat();
    let grant = running.grant("al-police", &warned).unwrap();
    assert_total(&ask(&running, HOMICIDE), AL + BA);

    grant_does(&running, &["suspend", &grant]);
    assert_albania_silent(&ask(&running, HOMICIDE), "2016", BA, &["BA"]);
    grant_does(&running, &["resume", &grant]);
    assert_total(&ask(&running, HOMICIDE), AL + BA);
    grant_does(&running, &["narrow", &grant, "--last-period", "2015"]);
    assert_albania_silent(&ask(&running, HOMICIDE), "2016", BA, &["BA"]);

    let refused = |arguments: &[&str], code: &str| {
        let arguments = [&["grant"], arguments].concat();
        let refused = running.desk("al-police", "releaser", &arguments).unwrap();
        assert_eq!(refused.code, Some(4), "{}", refused.stderr);
        assert!(refused.stderr.contains(code), "{}", refused.stderr);
    };
    refused(&["narrow", &grant, "--last-period", "2016"], "GRANT_WIDER");
    let listed = grant_does(&running, &["list"]);
    assert_eq!((&listed[0]["state"], &listed[0]["ends_soon"]), (&json!("in-force"), &json!(false)));
    assert!(listed[0]["days_left"].as_i64().unwrap() > 20_000, "{listed}");
    withdraw(&running, "al-police", &grant);
    refused(&["resume", &grant], "GRANT_STATE");

    let shown = running.desk("al-police", "auditor", &["grant", "show", &grant]).unwrap();
    let shown = shown.json(&[0]).unwrap();
    assert_eq!((&shown["state"], &shown["number"]), (&json!("withdrawn"), &json!(5)));
    let versions = shown["versions"].as_array().unwrap();
    let steps: Vec<_> = versions.iter().map(|version| version["step"].as_str().unwrap()).collect();
    assert_eq!(steps, ["give", "suspend", "resume", "narrow", "withdraw"]);
    assert_eq!(
        (&versions[0]["periods"], &versions[4]["periods"]),
        (&json!(".."), &json!("..2015"))
    );
    assert!(versions.iter().all(|version| version["by"].as_str().unwrap().ends_with("/releaser")));
    assert_eq!(versions[4]["conditions"], "Figures only");
}

#[test]
fn a_grant_that_ends_soon_is_said_to_do_so() {
    let running = started(&["AL"]);
    let until = SystemClock.now().plus_s(5 * 86_400).to_string();
    let days = ["--from", "2020-01-01", "--until", &until, "--warn-days", "7"];
    running.grant("al-police", &terms("PUB.OFF.N", "EVALUATION", "POLICE", &days)).unwrap();
    let listed = running.desk("al-police", "auditor", &["grant", "list"]).unwrap();
    assert!(listed.stderr.contains("ends in 5 days"), "{}", listed.stderr);
    let listed = listed.json(&[0]).unwrap();
    assert_eq!((&listed[0]["days_left"], &listed[0]["ends_soon"]), (&json!(5), &json!(true)));
}

fn grant_add(running: &Running, id: GrantId, terms: &[&str]) -> Finished {
    let id = id.to_string();
    let arguments = [&["grant", "add", "--id", &id], terms].concat();
    running.desk("al-police", "releaser", &arguments).unwrap()
}

#[test]
fn the_same_grant_twice_is_one_and_another_under_its_id_is_refused() {
    let running = started(&["AL"]);
    let id = GrantId::mint(&SystemClock, &SystemEntropy).unwrap();
    let first = grant_add(&running, id, &STANDING).json(&[0]).unwrap();
    assert_eq!(first["grant"], id.to_string());
    assert_eq!(grant_add(&running, id, &STANDING).json(&[0]).unwrap(), first, "the same epoch");

    let other = terms("PUB.OFF.N", "EVALUATION", "POLICE", &DAYS);
    let refused = grant_add(&running, id, &other);
    assert_eq!(refused.code, Some(4), "{}", refused.stderr);
    assert!(refused.stderr.contains("GRANT_CONFLICT"), "{}", refused.stderr);
    let listed = running.desk("al-police", "auditor", &["grant", "list"]).unwrap();
    let listed = listed.json(&[0]).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["purpose"], "THREAT-ASSESSMENT");
}

#[test]
fn a_withdrawn_grant_repeated_is_still_withdrawn() {
    let running = all_but_albania_consent();
    let id = GrantId::mint(&SystemClock, &SystemEntropy).unwrap();
    grant_add(&running, id, &STANDING).json(&[0]).unwrap();
    withdraw(&running, "al-police", &id.to_string());
    withdraw(&running, "al-police", &id.to_string());
    // Whatever it is told, a late repetition gives nothing.
    grant_add(&running, id, &STANDING);
    assert_albania_silent(&ask(&running, HOMICIDE), "2016", BA + RS, &["BA", "RS"]);
}

#[test]
fn what_the_policy_does_not_name_is_not_shown_even_with_a_grant() {
    let mut running = prepared(&["AL", "BA"]);
    fs::write(running.nodes["al-police"].home.join("policy.toml"), "").unwrap();
    running.federation.start().unwrap();
    running.with_sample().unwrap();
    assert_albania_silent(&ask(&running, HOMICIDE), "2016", BA, &["BA"]);
}

#[test]
fn an_unsafe_policy_keeps_the_node_from_starting_and_says_why() {
    let mut running = prepared(&["AL"]);
    let policy = running.nodes["al-police"].home.join("policy.toml");
    let of = |code: &str, more: &str| format!("[[indicator]]\ncode = \"{code}\"\n{more}\n");
    for (text, reason, word) in [
        (of("SCO.THREAT", "mode = \"protected\""), "MODE_UNAVAILABLE", "noise"),
        (of("THB.VIC.N", "mode = \"open\""), "MODE_UNAVAILABLE", "already public"),
        (of("THB.VIC.N", "mode = \"noisy\""), "CODE_UNKNOWN", "protected, bulletin"),
        ("[tier.A]\nvariance = 1\n".to_owned(), "POLICY_UNSAFE", "variance"),
        (
            of("DRG.SEIZ.COC.KG", "mode = \"protected\"\ncap = 500\ntypical = 1000"),
            "POLICY_UNSAFE",
            "86 %",
        ),
    ] {
        fs::write(&policy, text).unwrap();
        let refused = running.federation.start_node("al-police").unwrap_err().to_string();
        assert!(refused.contains(reason), "{refused}");
        assert!(refused.contains(word), "{refused}");
        assert!(running.node_server("al-police").is_err());
    }
}

#[test]
fn nobody_does_what_belongs_to_another_role() {
    let running = with_sample(&["AL"]);
    let status = |role| running.desk("al-police", role, &["status"]).unwrap().json(&[0]).unwrap();
    let before = status("auditor");
    let grants = running.desk("al-police", "auditor", &["grant", "list"]).unwrap();
    let grant = grants.json(&[0]).unwrap()[0]["grant"].as_str().unwrap().to_owned();
    let (file, mapping) = (running.dir.join("new.csv"), sample_dir().join("mapping.toml"));
    fs::write(&file, "iccs,year,offences,flag\nICCS0101,2019,60,A\n").unwrap();
    let (file, mapping) = (file.display().to_string(), mapping.display().to_string());

    let import: &[&str] = &["import", &file, "--mapping", &mapping];
    let freeze: &[&str] = &["freeze", "2014", "2018"];
    let give: &[&str] = &[&["grant", "add"], &STANDING[..]].concat();
    let take: &[&str] = &["grant", "withdraw", &grant];
    let suspend: &[&str] = &["grant", "suspend", &grant];
    let resume: &[&str] = &["grant", "resume", &grant];
    let narrow: &[&str] = &["grant", "narrow", &grant, "--precision", "tier-c"];
    let sign: &[&str] =
        &["bulletin", "sign", "2014", "DRG.SEIZ.COC.KG", "--edition", "1", "--why", "a test"];
    let look: &[&str] = &["bulletin", "show", "2014", "DRG.SEIZ.COC.KG"];
    let refused = [
        ("analyst", vec![freeze, give, take, suspend, resume, narrow, sign]),
        ("releaser", vec![import]),
        ("auditor", vec![import, freeze, give, take, suspend, resume, narrow, sign, look]),
        ("operator", vec![give, take, suspend, resume, narrow, sign, look]),
    ];
    for (role, commands) in refused {
        for command in commands {
            let refused = running.desk("al-police", role, command).unwrap();
            let said = &refused.stderr;
            assert_eq!(refused.code, Some(7), "{role} {command:?}: {said}");
            assert!(said.contains("CERTIFICATE_ROLE"), "{role} {command:?}: {said}");
            assert_eq!(refused.stdout, "", "{role} {command:?}");
        }
        assert_eq!(status(role), before, "{role} may read, and has changed nothing");
    }
}

#[test]
fn an_indicator_that_is_closed_is_not_shown_whoever_holds_and_grants_it() {
    let running = started(&["AL", "BA"]);
    let (file, mapping) = (running.dir.join("victims.csv"), running.dir.join("mapping.toml"));
    fs::write(&file, "area,year,n\nDRG.COC,2016,95\n").unwrap();
    let text = "source = \"made up for a test\"\n[columns]\ncrime_area = \"area\"\n\
        period = \"year\"\nvalue = \"n\"\n[constants]\nindicator = \"DRG.SEIZ.COC.KG\"\n";
    fs::write(&mapping, text).unwrap();
    running.import("al-police", &file, &mapping).unwrap().json(&[0]).unwrap();
    running.desk("al-police", "releaser", &["freeze", "2016"]).unwrap().json(&[0]).unwrap();
    let terms = terms("DRG.SEIZ.COC.KG", "THREAT-ASSESSMENT", "POLICE", &DAYS);
    running.grant("al-police", &terms).unwrap();

    let shown = ask(
        &running,
        "indicator = \"DRG.SEIZ.COC.KG\"\ncrime_areas = \"DRG.COC\"\nperiods = [\"2016\", \"2017\"]\n",
    );
    assert_eq!(shown["picture"]["coverage"], json!({"answered": 2, "members": 2}));
    assert_eq!(shown["picture"]["cells"].as_array().unwrap().len(), 2);
    for period in ["2016", "2017"] {
        let cell = cell(&shown, "DRG.COC", period).unwrap();
        assert_eq!(
            (&cell["status"], &cell["value"]),
            (&json!("not_shown"), &Value::Null),
            "{cell}"
        );
        assert_eq!(cell["not_shown"], json!(["AL", "BA"]), "{cell}");
        assert_eq!((&cell["contributors"], &cell["missing"]), (&json!([]), &json!([])), "{cell}");
    }
}

#[test]
fn closing_an_indicator_takes_back_what_was_answered_before() {
    let mut running = with_sample(&["AL", "BA"]);
    let requirement = running.issue(&[HOMICIDE]).unwrap();
    let before = running.gather(&requirement).unwrap();
    assert_eq!(cell(&before, "ICCS0101", "2016").unwrap()["value"], 71 + 42);

    running.node_server("al-police").unwrap().kill();
    std::fs::write(running.nodes["al-police"].home.join("policy.toml"), "").unwrap();
    running.federation.start_node("al-police").unwrap();
    let after = running.gather(&requirement).unwrap();
    let homicide = cell(&after, "ICCS0101", "2016").unwrap();
    assert_eq!(homicide["value"], 42);
    assert_eq!(homicide["not_shown"], serde_json::json!(["AL"]));
}

/// Figures of which some bear a handling code, at a node that answers.
const MARKED: &str = "iccs,year,offences,flag,service,mark\n\
    ICCS0101,2016,21,A,police,\nICCS0101,2016,1000,A,customs,H1\nICCS0401,2016,5,A,police,\n";

fn marked(running: &Running) {
    let mapping =
        std::fs::read_to_string(accord_tests::federation::sample_dir().join("mapping.toml"))
            .unwrap()
            .replace(
                "status = \"flag\"",
                "status = \"flag\"\norigin = \"service\"\nhandling = \"mark\"",
            );
    let (file, map) = (running.dir.join("marked.csv"), running.dir.join("marked.toml"));
    std::fs::write(&file, MARKED).unwrap();
    std::fs::write(&map, mapping).unwrap();
    running.import("al-police", &file, &map).unwrap().json(&[0]).unwrap();
    running.desk("al-police", "releaser", &["freeze", "2016"]).unwrap().json(&[0]).unwrap();
}

fn asked_anew(running: &Running, areas: &str) -> Value {
    let block = format!("indicator = \"PUB.OFF.N\"\ncrime_areas = {areas}\nperiods = \"2016\"\n");
    let requirement = running.issue(&[&block]).unwrap();
    running.gather(&requirement).unwrap()
}

#[test]
fn a_tightened_policy_takes_a_period_back_until_it_is_frozen_by_its_rules() {
    let mut running = started(&["AL"]);
    marked(&running);
    running.grant("al-police", &accord_tests::federation::STANDING).unwrap();
    let areas = "[\"ICCS0101\", \"ICCS0401\"]";
    let shown = asked_anew(&running, areas);
    assert_eq!(cell(&shown, "ICCS0101", "2016").unwrap()["value"], 1021);
    assert_eq!(cell(&shown, "ICCS0401", "2016").unwrap()["value"], 5);

    // H1 is allowed to nobody any more.
    let policy = running.dir.join("al-police/policy.toml");
    let text = std::fs::read_to_string(&policy).unwrap();
    std::fs::write(&policy, text.replace("code = \"H1\"", "code = \"H2\"")).unwrap();
    running.node_server("al-police").unwrap().kill();
    running.federation.start_node("al-police").unwrap();
    let shown = asked_anew(&running, areas);
    for area in ["ICCS0101", "ICCS0401"] {
        assert_eq!(cell(&shown, area, "2016").unwrap()["status"], "not_shown", "{area}");
    }
    let frozen = running.desk("al-police", "releaser", &["freeze", "2016"]).unwrap();
    assert_eq!(frozen.json(&[0]).unwrap()["editions"][0]["number"], 2);
    let shown = asked_anew(&running, areas);
    assert_eq!(cell(&shown, "ICCS0401", "2016").unwrap()["value"], 5);
    // What is left of the other figure is not the whole, and is not shown as if it were.
    assert_eq!(cell(&shown, "ICCS0101", "2016").unwrap()["status"], "not_shown");
}

#[test]
fn a_record_whose_handling_is_raised_takes_its_period_back_until_the_next_edition() {
    let mut running = started(&["AL"]);
    marked(&running);
    running.grant("al-police", &accord_tests::federation::STANDING).unwrap();
    let file = running.dir.join("marked.csv");
    std::fs::write(&file, MARKED.replace("1000,A,customs,H1", "1000,A,customs,H2")).unwrap();
    running
        .import("al-police", &file, &running.dir.join("marked.toml"))
        .unwrap()
        .json(&[0])
        .unwrap();
    for restarted in [false, true] {
        if restarted {
            running.node_server("al-police").unwrap().kill();
            running.federation.start_node("al-police").unwrap();
        }
        let shown = asked_anew(&running, "\"ICCS0401\"");
        assert_eq!(cell(&shown, "ICCS0401", "2016").unwrap()["status"], "not_shown");
    }
    running.desk("al-police", "releaser", &["freeze", "2016"]).unwrap().json(&[0]).unwrap();
    let shown = asked_anew(&running, "\"ICCS0401\"");
    assert_eq!(cell(&shown, "ICCS0401", "2016").unwrap()["value"], 5);
}
