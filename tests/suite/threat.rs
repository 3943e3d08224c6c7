//! Crime areas are ranked by what pictures tell, by a command at the centre and by another one at home: signed, kept, shown with
//! every range, worked out again from files alone. Dissent is a part of it for good. Charts are drawn of all of it.

use std::{fs, process::Command};

use accord_proto::{
    clock::Timestamp,
    strict,
    wire::{self, threat},
};
use accord_tests::{
    federation::{QUESTION, SIX, STANDING, cell, sample_dir},
    process::Finished,
    roles,
};
use prost::Message as _;
use serde_json::{Value, json};

use crate::{Running, program, with_sample};

const SERIES: [&str; 6] = ["--indicator", "PUB.OFF.N", "--by", "figure", "--period", "2016"];

/// Six nodes with the sample, and a picture of all of them; the requirement's id.
fn drawn() -> (Running, String) {
    let running = with_sample(&SIX);
    let requirement = running.issue(&[QUESTION]).unwrap();
    running.gather(&requirement).unwrap();
    (running, requirement)
}

fn region(running: &Running, role: &str, arguments: &[&str]) -> Finished {
    running.region(role, "json", arguments).unwrap()
}

/// Ranks a period.
fn rank(running: &Running, requirement: &str, period: &str) -> Value {
    let what = ["threat", "rank", requirement, "--indicator", "PUB.OFF.N", "--by", "figure"];
    let more = ["--period", period, "--why", "what the region looks at first\nDissent of nobody"];
    region(running, "analyst", &[&what[..], &more].concat()).json(&[0]).unwrap()
}

/// A command of a program that needs nobody.
fn offline(running: &Running, role: &str, arguments: &[&str]) -> Finished {
    let mut command = Command::new(program());
    command.arg(role).args(arguments).current_dir(&running.dir);
    Finished::run(command).unwrap()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key}: {value}"))
}

/// Works a ranking out again from files of the federation's folder; whose signatures are checked.
fn replayed(running: &Running, role: &str, ranking: &str, evidence: &str) -> Finished {
    let trust = ["--roster", "federation/roster.signed", "--root", "federation/root.pub"];
    let what = ["threat", "replay", ranking, "--picture", evidence, "-o", "json"];
    offline(running, role, &[&what[..], &trust].concat())
}

fn written(running: &Running, requirement: &str, name: &str) {
    let out = running.dir.join(name).display().to_string();
    let command = ["picture", "evidence", requirement, "--out", &out];
    region(running, "auditor", &command).json(&[0]).unwrap();
}

fn ranking_to(running: &Running, ranking: &str, name: &str) -> Value {
    let out = running.dir.join(name).display().to_string();
    region(running, "auditor", &["threat", "show", ranking, "--out", &out]).json(&[0]).unwrap()
}

#[test]
fn crime_areas_are_ranked_by_a_command_and_the_ranking_is_signed_journaled_and_kept() {
    let (running, requirement) = drawn();
    let ranked = rank(&running, &requirement, "2016");
    let name = text(&ranked, "ranking").to_owned();

    // In the order of the picture's own figures, and no rank without its range.
    let shown = region(&running, "analyst", &["picture", "show", &requirement]).json(&[0]).unwrap();
    let figure = |area: &str| cell(&shown, area, "2016").unwrap()["value"].as_f64();
    let areas = ranked["areas"].as_array().unwrap();
    assert_eq!(areas.len(), 6);
    for area in areas {
        let figures = areas.iter().filter_map(|other| figure(text(other, "crime_area")));
        match figure(text(area, "crime_area")) {
            Some(own) => {
                assert_eq!(
                    area["rank"],
                    json!(1 + figures.filter(|of| *of > own).count()),
                    "{area}"
                );
                assert!(!text(area, "whole_range").is_empty(), "{area}");
            }
            None => assert!(area["rank"].is_null() && area["white_spot"].is_string(), "{area}"),
        }
    }
    assert_eq!(ranked["audience"], "POLICE");
    assert_eq!(ranked["asked"], json!(["AL", "BA", "ME", "MK", "RS", "XK"]));
    assert!(ranked["coverage"][0].as_str().unwrap().ends_with("version 1: 6/6"), "{ranked}");
    assert!(!ranked["footnotes"].as_array().unwrap().is_empty(), "Kosovo's footnote");

    // The same of the same picture is one; insiders read it, observers do not.
    assert_eq!(rank(&running, &requirement, "2016")["ranking"], ranked["ranking"]);
    let listed = region(&running, "auditor", &["threat", "list"]).json(&[0]).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    assert_eq!((&listed[0]["ranking"], &listed[0]["period"]), (&json!(name), &json!("2016")));
    let refused = region(&running, "observer", &["threat", "show", &name]);
    assert_eq!(refused.code, Some(7), "{}", refused.stderr);
    let table = running.region("auditor", "table", &["threat", "show", &name]).unwrap().stdout;
    for said in ["Audience: POLICE", "6/6", "XK Kosovo*", "UNSCR 1244", "Why: what the region"] {
        assert!(table.contains(said), "{said}: {table}");
    }
    assert!(
        table.contains("looks at first\n    Dissent of nobody\n"),
        "no line of its own: {table}"
    );
    let csv = running.region("auditor", "csv", &["threat", "show", &name]).unwrap().stdout;
    assert!(
        csv.lines().skip(1).all(|line| line.contains("POLICE") && line.contains("6/6")),
        "{csv}"
    );

    // Without a reason, or of jurisdictions, there is none.
    let what = [&["threat", "rank", &requirement][..], &SERIES].concat();
    let blank = region(&running, "analyst", &[&what[..], &["--why", " "]].concat());
    assert!(blank.stderr.contains("FIELD_MISSING: why"), "{}", blank.stderr);
    let league =
        region(&running, "analyst", &[&what[..], &["--why", "w", "--area", "AL"]].concat());
    assert!(league.code != Some(0) && league.stdout.is_empty(), "{}", league.stdout);

    let journal = region(&running, "auditor", &["journal", "list", "--act", "combination"]);
    let journal = journal.json(&[0]).unwrap().to_string();
    assert!(journal.contains(&format!("ranking {name}")), "{journal}");
    assert!(journal.contains("what the region looks at first"), "{journal}");
}

#[test]
fn what_has_moved_between_two_rankings_is_said_in_words() {
    let (running, requirement) = drawn();
    let ranked = rank(&running, &requirement, "2016");
    let name = text(&ranked, "ranking").to_owned();
    let areas = ranked["areas"].as_array().unwrap();
    let later = rank(&running, &requirement, "2017");
    let compare = ["threat", "compare", &name, text(&later, "ranking")];
    let moved = region(&running, "analyst", &compare).json(&[0]).unwrap();
    for (which, of) in [("before", &ranked), ("now", &later)] {
        let told = &moved[which];
        assert_eq!(
            (&told["ranking"], &told["audience"], &told["coverage"]),
            (&of["ranking"], &json!("POLICE"), &of["coverage"])
        );
    }
    let rows = moved["moves"].as_array().unwrap();
    assert_eq!(rows.len(), areas.iter().filter(|of| !of["rank"].is_null()).count());
    let words = |row: &Value| {
        text(row, "moved").contains("uncertainty") || text(row, "moved").contains("not comparable")
    };
    assert!(rows.iter().all(words), "{moved}");
    let table = running.region("analyst", "table", &compare).unwrap().stdout;
    assert!(table.contains("Audience of both: POLICE"), "{table}");
    assert_eq!(table.matches("version 1: 6/6").count(), 2, "{table}");
    let csv = running.region("analyst", "csv", &compare).unwrap().stdout;
    assert!(
        csv.lines().skip(1).all(|line| line.contains("POLICE") && line.contains("6/6")),
        "{csv}"
    );
}

#[test]
fn a_ranking_is_worked_out_again_from_files_alone_and_what_differs_is_named() {
    let (running, requirement) = drawn();
    let name = text(&rank(&running, &requirement, "2016"), "ranking").to_owned();
    ranking_to(&running, &name, "2016.ranking");
    written(&running, &requirement, "picture.evidence");
    for role in [roles::NODE, roles::COORDINATOR] {
        let replayed = replayed(&running, role, "2016.ranking", "picture.evidence");
        let replayed = replayed.json(&[0]).unwrap();
        assert_eq!(replayed["result"], "equal, bit for bit");
        assert_eq!(replayed["audience"], "POLICE");
        assert_eq!(
            (&replayed["ranking"], &replayed["signatures"]),
            (&json!(name), &json!("checked"))
        );
    }
    // Another picture of the same cells is another one.
    let other = running.issue(&[QUESTION]).unwrap();
    running.gather(&other).unwrap();
    written(&running, &other, "other.evidence");
    let refused = replayed(&running, roles::NODE, "2016.ranking", "other.evidence");
    assert!(refused.stderr.contains("RANKING_FALSE: pictures[0]"), "{}", refused.stderr);
    assert_eq!(refused.code, Some(1));
    // Whoever changes a rank has not the coordinator's signature.
    let changed = change(&running, "2016.ranking", "changed.ranking", |ranking| {
        let mut order = threat::Order::decode(ranking.order.as_slice()).unwrap();
        order.areas[0].worst += 1;
        ranking.order = order.encode_to_vec();
    });
    let refused = replayed(&running, roles::NODE, changed, "picture.evidence");
    assert!(refused.stderr.contains("SIGNATURE_INVALID"), "{}", refused.stderr);
    let unsigned = ["threat", "replay", changed, "--picture", "picture.evidence"];
    let refused = offline(&running, roles::NODE, &unsigned);
    assert!(refused.stderr.contains("RANKING_FALSE: order.areas["), "{}", refused.stderr);
}

/// Writes a ranking anew with something changed by somebody without the coordinator's key.
fn change<'a>(
    running: &Running,
    from: &str,
    to: &'a str,
    how: impl FnOnce(&mut threat::Ranking),
) -> &'a str {
    let bytes = fs::read(running.dir.join(from)).unwrap();
    let mut envelope: wire::Envelope = strict::decode("ranking", &bytes).unwrap();
    let mut ranking = threat::Ranking::decode(envelope.payload.as_slice()).unwrap();
    how(&mut ranking);
    envelope.payload = ranking.encode_to_vec();
    fs::write(running.dir.join(to), envelope.encode_to_vec()).unwrap();
    to
}

#[test]
fn the_regions_order_is_read_at_home_beside_the_own_one_and_dissent_from_it_is_inseparable() {
    let (mut running, requirement) = drawn();
    region(&running, "analyst", &["picture", "deliver", &requirement]).json(&[0]).unwrap();
    let ranked = rank(&running, &requirement, "2016");
    let name = text(&ranked, "ranking").to_owned();
    ranking_to(&running, &name, "2016.ranking");
    written(&running, &requirement, "picture.evidence");
    assert!(!ranked.to_string().contains("own_"), "the centre knows nobody's own position");

    // With the centre down: the very same order, from the picture alone; and the own one beside it.
    running.coordinator_server().unwrap().kill();
    let show = [&["threat", "show", &requirement][..], &SERIES].concat();
    let home = running.desk("al-police", "analyst", &show).unwrap().json(&[0]).unwrap();
    assert_eq!(home["ranking"], ranked["ranking"]);
    assert_eq!(home["own_marking"], "own eyes only");
    let areas = home["areas"].as_array().unwrap();
    let own = |area: &Value| area["own_figure"].as_str().map(|of| of.parse::<f64>().unwrap());
    assert!(areas.iter().filter_map(own).count() > 2, "{home}");
    for area in areas.iter().filter(|area| own(area).is_some()) {
        let above = areas.iter().filter_map(own).filter(|of| *of > own(area).unwrap()).count();
        assert_eq!(area["own_rank"], json!(1 + above), "{area}");
    }
    let compare = ["--indicator", "PUB.OFF.N", "--by", "figure", "--from", "2016", "--to", "2017"];
    let compare = [&["threat", "compare", &requirement][..], &compare].concat();
    let moved = running.desk("al-police", "analyst", &compare).unwrap().json(&[0]).unwrap();
    assert_eq!(
        (&moved["before"]["audience"], &moved["now"]["period"]),
        (&json!("POLICE"), &json!("2017"))
    );

    // A releaser signs what the node says against it; no analyst, and no word of a person.
    let files = ["2016.ranking", "al.dissent"].map(|of| running.dir.join(of).display().to_string());
    let [ranking, dissent] = &files;
    let sign = |role: &str, why: &str| {
        let what = ["threat", "dissent", ranking, "--why", why, "--out", dissent];
        running.desk("al-police", role, &what).unwrap()
    };
    assert_eq!(sign("analyst", "no").code, Some(7));
    let personal = sign("releaser", "ask somebody@example.org");
    assert!(personal.stderr.contains("PERSONAL_DATA"), "{}", personal.stderr);
    let signed = sign("releaser", "burglary is under-reported here").json(&[0]).unwrap();
    assert_eq!(signed["audience"], "POLICE", "whoever dissents sees who will read it");
    let at = dissent_at(dissent);
    let journal = ["journal", "list", "--act", "disclosure"];
    let journal = running.desk("al-police", "auditor", &journal).unwrap().json(&[0]).unwrap();
    assert!(journal.to_string().contains(&format!("dissent from ranking {name}")), "{journal}");

    running.federation.start_coordinator().unwrap();
    let attach =
        |ranking: &str| region(&running, "analyst", &["threat", "attach", ranking, dissent]);
    let attached = attach(&name).json(&[0]).unwrap();
    let said = json!([{
        "node": "al-police",
        "jurisdiction": "AL",
        "text": "burglary is under-reported here",
        "at": at.to_string(),
    }]);
    assert_eq!((&attached["dissents"], &attached["ranking"]), (&said, &json!(name)));
    assert_eq!(attach(&name).json(&[0]).unwrap()["dissents"], said, "the same one twice is one");
    let other = text(&rank(&running, &requirement, "2017"), "ranking").to_owned();
    assert!(attach(&other).stderr.contains("RANKING_FALSE"), "of another order");

    let table = running.region("auditor", "table", &["threat", "show", &name]).unwrap().stdout;
    assert!(
        table.contains(&format!("Dissent of AL Albania (al-police, {at}): burglary")),
        "{table}"
    );

    // Whoever reads the ranking reads it; whoever cuts it off has no signature.
    assert_eq!(ranking_to(&running, &name, "with.ranking")["dissents"], said);
    let whole = replayed(&running, roles::NODE, "with.ranking", "picture.evidence");
    assert_eq!(whole.json(&[0]).unwrap()["dissents"], 1);
    let cut = change(&running, "with.ranking", "cut.ranking", |ranking| ranking.dissents.clear());
    let refused = replayed(&running, roles::NODE, cut, "picture.evidence");
    assert!(refused.stderr.contains("SIGNATURE_INVALID"), "{}", refused.stderr);
}

/// When a dissent was signed, by the node's clock.
fn dissent_at(file: &str) -> Timestamp {
    let envelope: wire::Envelope = strict::decode("dissent", &fs::read(file).unwrap()).unwrap();
    let dissent = threat::Dissent::decode(envelope.payload.as_slice()).unwrap();
    Timestamp::from_s("at_s", dissent.at_s).unwrap()
}

/// What an insider sees who knows what its own member holds: picture and ranking, in a world where the others hold these figures.
fn world(others: [[u32; 2]; 2]) -> (Value, Value) {
    let running = crate::started(&["AL", "BA", "RS"]);
    let [ba, rs] = others;
    for (code, [homicide, burglary]) in [("AL", [52, 900]), ("BA", ba), ("RS", rs)] {
        let node = format!("{}-police", code.to_lowercase());
        let rows = format!(
            "iccs,year,offences,flag\nICCS0101,2016,{homicide},A\nICCS0501,2016,{burglary},A\n"
        );
        let file = running.dir.join(format!("{code}.csv"));
        fs::write(&file, rows).unwrap();
        running
            .import(&node, &file, &sample_dir().join("mapping.toml"))
            .unwrap()
            .json(&[0])
            .unwrap();
        running.desk(&node, "releaser", &["freeze", "2016"]).unwrap().json(&[0]).unwrap();
        running.grant(&node, &STANDING).unwrap();
    }
    let block = "indicator = \"PUB.OFF.N\"\ncrime_areas = [\"ICCS0101\", \"ICCS0501\"]\nperiods = \"2016\"\n";
    let requirement = running.issue(&[block]).unwrap();
    let shown = running.gather(&requirement).unwrap();
    let mut ranked = rank(&running, &requirement, "2016");
    // Names of this very picture, and when it was ranked.
    for of_this in ["ranking", "made_at", "pictures_sha256", "coverage"] {
        assert!(ranked.as_object_mut().unwrap().remove(of_this).is_some(), "{of_this}");
    }
    (shown["picture"]["cells"].clone(), ranked)
}

#[test]
fn in_two_worlds_that_an_insider_cannot_tell_apart_by_the_picture_the_ranking_is_the_same() {
    let [one, other] = [[[21, 700], [90, 4_000]], [[90, 4_000], [21, 700]]].map(world);
    assert_eq!(one.0, other.0, "the same cells, whoever of the others holds what");
    assert_eq!(one.1, other.1);
    // A world that the picture tells apart is another one: the comparison has open eyes.
    let third = world([[21, 700], [9_000, 4_000]]);
    assert_ne!(third.1["areas"], one.1["areas"]);
}

#[test]
fn every_chart_is_drawn_to_a_file_that_was_not_there_and_says_for_whom_it_is() {
    let (running, requirement) = drawn();
    region(&running, "analyst", &["picture", "deliver", &requirement]).json(&[0]).unwrap();
    let name = text(&rank(&running, &requirement, "2016"), "ranking").to_owned();
    let id = requirement.as_str();
    let of = ["--indicator", "PUB.OFF.N"];
    let in_2016 = ["--period", "2016"];
    let two = ["--area", "ICCS0101", "--area", "ICCS0501"];
    let shared = [
        [&["trend", id][..], &of, &two].concat(),
        [&["heat", id][..], &of, &in_2016].concat(),
        [&["map", id][..], &of, &in_2016, &["--area", "ICCS0101"]].concat(),
        ["coverage", id].to_vec(),
    ];
    let at_home = [&["ranks", id][..], &SERIES].concat();
    let at_centre = ["ranks", &name].to_vec();
    let client = |place: &str| running.dir.join(place).display().to_string();
    for (role, own, client) in [
        (roles::COORDINATOR, at_centre, client("coordinator/staff/analyst/client.toml")),
        (roles::NODE, at_home, client("al-police/staff/analyst/client.toml")),
    ] {
        for chart in shared.iter().chain([&own]) {
            let draw = |out: &[&str]| {
                let arguments = [&["chart"][..], chart, out, &["--client", &client]].concat();
                offline(&running, role, &arguments)
            };
            for ending in ["svg", "png"] {
                let file = format!("{role}-{}.{ending}", chart[0]);
                let drawn = draw(&["--out", &file]);
                assert_eq!(drawn.code, Some(0), "{chart:?} {}", drawn.stderr);
                let bytes = fs::read(running.dir.join(&file)).unwrap();
                let begins: &[u8] = if ending == "svg" { b"<svg" } else { b"\x89PNG" };
                assert!(bytes.starts_with(begins), "{file}");
                let again = draw(&["--out", &file]);
                assert!(again.stderr.contains("FILE_EXISTS"), "{}", again.stderr);
                assert_eq!(bytes, fs::read(running.dir.join(&file)).unwrap());
            }
            let svg = draw(&[]).stdout;
            assert!(svg.contains("POLICE") && svg.contains("Coverage 6 of 6"), "{chart:?}: {svg}");
        }
    }
}

#[test]
fn a_chart_of_ranks_that_rest_on_two_pictures_says_the_smallest_share_that_answered() {
    let (running, whole) = drawn();
    running.node_server("rs-police").unwrap().kill();
    let part = running.issue(&[&QUESTION.replace("2014..2018", "2017")]).unwrap();
    running.gather(&part).unwrap();
    for requirement in [&whole, &part] {
        region(&running, "analyst", &["picture", "deliver", requirement]);
    }
    // Of 2016 the second picture says nothing, and still the ranking rests on it.
    let series = [&SERIES[..], &["--why", "both rounds"]].concat();
    let ranked = [&["threat", "rank", &whole, &part][..], &series].concat();
    let ranked = region(&running, "analyst", &ranked).json(&[0]).unwrap();
    let clients = ["coordinator/staff/analyst/client.toml", "al-police/staff/analyst/client.toml"];
    let [centre, home] = clients.map(|client| running.dir.join(client).display().to_string());
    let at_centre = ["chart", "ranks", text(&ranked, "ranking"), "--client", &centre];
    let at_home = [&["chart", "ranks", &whole, &part][..], &SERIES, &["--client", &home]].concat();
    for (role, chart) in [(roles::COORDINATOR, &at_centre[..]), (roles::NODE, &at_home)] {
        let drawn = offline(&running, role, chart);
        assert_eq!(drawn.code, Some(3), "not everybody answered: {}", drawn.stderr);
        assert!(drawn.stdout.contains("Coverage 5 of 6"), "{role}: {}", drawn.stdout);
    }
}

const ASSESSMENT: &str = r#"
method = "RISK-5X5-C"
version = "1.0.0"
subject_kind = "CRIME_AREA"
subject = "SUBJECT"
confidence = "LOW"
justification = "Two sources agree."
inputs = [
    { code = "LIKELIHOOD", level = "4" },
    { code = "PHYS", level = "IMPACT" },
    { code = "PSYCH_SOCIAL", level = "2" },
    { code = "ECON", level = "2" },
    { code = "INSTITUTIONAL", level = "2" },
    { code = "ENVIRON", level = "1" },
]
"#;

#[test]
fn own_assessments_are_scored_ordered_and_drawn_without_asking_anybody() {
    let running = crate::prepared(&["AL"]);
    for (subject, impact) in [("THB", "5"), ("ARM", "UNKNOWN"), ("MIG", "3")] {
        let text = ASSESSMENT.replace("SUBJECT", subject).replace("IMPACT", impact);
        fs::write(running.dir.join(format!("{subject}.toml")), text).unwrap();
    }
    let files = ["THB.toml", "ARM.toml", "MIG.toml"];
    let run = |what: &[&str], more: &[&str]| {
        let arguments = [what, &files[..], more].concat();
        offline(&running, roles::NODE, &arguments)
    };
    let scores = run(&["threat", "score"], &["-o", "json"]).json(&[0]).unwrap();
    assert_eq!(scores[0]["verdict"], json!({"BAND": "EXTREME"}));
    assert_eq!(scores[0]["trace"].as_array().unwrap().len(), 6, "how it came about");
    // What nobody knows is an interval, not a low figure.
    let ranked = run(&["threat", "rank"], &["-o", "json"]).json(&[0]).unwrap();
    let of = |row: &Value| (text(row, "subject").to_owned(), text(row, "rank_range").to_owned());
    let ranks: Vec<_> = ranked.as_array().unwrap().iter().map(of).collect();
    let expected = [("THB", "1"), ("MIG", "2–3"), ("ARM", "1–3")];
    assert_eq!(ranks.len(), expected.len());
    assert_eq!(ranks[0].0, expected[0].0, "{ranks:?}");
    assert!(ranks.iter().any(|(of, range)| of == "ARM" && range == "1–3"), "{ranks:?}");
    let asked = run(&["threat", "score"], &[]);
    assert!(asked.stderr.contains("consider a requirement"), "{}", asked.stderr);
    let summary = run(&["threat", "score"], &["--summary"]).stdout;
    let summary: toml::Table = summary.parse().unwrap();
    assert_eq!(summary["scores"].as_array().unwrap().len(), 3);
    let drawn = run(&["chart", "matrix"], &["--out", "matrix.png"]);
    assert_eq!(drawn.code, Some(0), "{}", drawn.stderr);
    let strange = ASSESSMENT.replace("confidence", "certainty");
    fs::write(running.dir.join("strange.toml"), strange).unwrap();
    let refused = offline(&running, roles::NODE, &["threat", "score", "strange.toml"]);
    assert!(refused.stderr.contains("certainty"), "{}", refused.stderr);
}
