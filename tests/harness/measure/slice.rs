//! Topic `slice`: 500 cells out of frozen editions, beside DuckDB on the records, DuckDB on a table that was
//! grouped beforehand, and a plain scan; with what each takes to be built. All must find the same figures.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use accord_node::{
    consent, cube,
    record::{CellKey, Observed},
};
use accord_proto::{
    clock::{Clock as _, SystemClock},
    question::SignedRequirement,
    taxonomy::Period,
};
use anyhow::{Context as _, Result, ensure};

use super::{count, median, ratio_row, seconds};
use crate::{
    london::{self, ALL_CRIME, CATEGORIES, INDICATOR, JURISDICTION, London, MONTHS},
    report::{Report, Row},
    resident::Resident,
    yardstick::{
        Block, Figures,
        duckdb::{self, Answer},
        scan::Columns,
    },
};

const CELLS: usize = 500;
/// A plain scan is slow enough to be measured less often.
const SCANS: usize = 5;

/// What is asked, under a name for people.
struct Question {
    name: &'static str,
    blocks: Vec<Block>,
}

/// What a question took.
struct Answered {
    slice: Duration,
    with_consent: Duration,
    scan: Duration,
}

/// Asks every question `rounds` × 10 times.
pub fn slice(dir: &Path, rounds: usize) -> Result<Report> {
    fs::create_dir_all(dir)?;
    let london = London::prepare(dir)?;
    let mut left_out = london.left_out();
    let months: Vec<_> = months()?.iter().map(ToString::to_string).collect();
    let questions = questions(&london, &months)?;

    let started = Instant::now();
    let node = node(&dir.join("store"), &london)?;
    let import = started.elapsed();
    node.freeze(MONTHS[0], MONTHS[1])?;
    let build = started.elapsed();
    node.grant(INDICATOR)?;
    let started = Instant::now();
    let columns = Columns::build(&london, &months)?;
    let scan_build = started.elapsed();

    let asked: Vec<_> = questions.iter().map(|question| question.blocks.clone()).collect();
    let duckdb = duckdb::ask(&london, &months, &asked, rounds * 10)?;
    let duckdb = duckdb.map_err(|why| left_out.push(format!("DuckDB: {why}"))).ok();

    let mut rows = Vec::new();
    for (at, question) in questions.iter().enumerate() {
        let requirement = node.requirement(&blocks_toml(&question.blocks))?;
        let found = figures(&node, &requirement)?;
        let answered = time(&node, &requirement, &columns, question, &found, rounds * 10)?;
        let of_duckdb = duckdb.as_ref().and_then(|duckdb| duckdb.questions.get(at));
        if let Some(of_duckdb) = of_duckdb {
            ensure!(of_duckdb.figures().iter().all(|of| *of == found), "DuckDB counts otherwise");
        }
        rows.extend(question_rows(question.name, &answered, of_duckdb));
    }
    let all = node.held().live.len();
    rows.extend(build_rows(all, import, build, scan_build, duckdb.as_ref())?);
    Ok(Report { topic: "slice".to_owned(), rows, left_out })
}

fn node(folder: &Path, london: &London) -> Result<Resident> {
    let lists = london::load(&london.lists)?;
    let mapping = fs::read_to_string(&london.mapping)?;
    let jurisdiction = lists.jurisdiction("jurisdiction", JURISDICTION)?.code;
    let policy = format!("[[indicator]]\ncode = \"{INDICATOR}\"\nmode = \"open\"\n");
    let node = Resident::open(folder, lists, jurisdiction, &policy)?;
    for file in &london.files {
        node.import(file, &mapping)?;
    }
    Ok(node)
}

fn months() -> Result<Vec<Period>> {
    let [first, last] = [Period::parse("first", MONTHS[0])?, Period::parse("last", MONTHS[1])?];
    Period::range(first, last, usize::MAX).context("months run forwards")
}

/// Two questions of 500 cells: one that stays above the wards, and one that goes down to all of them.
fn questions(london: &London, months: &[String]) -> Result<Vec<Question>> {
    let boroughs: std::collections::BTreeSet<_> =
        london.wards.iter().map(|ward| ward.borough.as_str()).collect();
    let block = |level, categories: &[&'static str], months: &[String]| Block {
        level,
        categories: categories.to_vec(),
        months: months.to_vec(),
    };
    let of_wards = CELLS.checked_sub(london.wards.len()).context("fewer wards than cells")?;
    let below = [
        block(2, &CATEGORIES[..5], &months[8..10]),
        block(1, &CATEGORIES[4..], &months[..10]),
        block(0, &CATEGORIES, &months[10..]),
    ];
    let cells = 10 * boroughs.len() + 100 + 140;
    ensure!(cells == CELLS, "{cells} cells: another number of boroughs than expected");
    Ok(vec![
        Question {
            name: "500 cells: 140 of the jurisdiction, 100 of London, 260 of boroughs",
            blocks: below.into_iter().rev().collect(),
        },
        Question {
            name: "500 cells: 17 of the jurisdiction, 483 of wards",
            blocks: vec![
                block(0, &[], &months[..of_wards]),
                block(3, &CATEGORIES[13..], &months[13..14]),
            ],
        },
    ])
}

fn areas(block: &Block) -> Vec<String> {
    match block.categories.as_slice() {
        [] => vec![ALL_CRIME.to_owned()],
        categories => categories.iter().map(|name| london::code_of(name)).collect(),
    }
}

fn blocks_toml(blocks: &[Block]) -> String {
    let block = |block: &Block| {
        format!(
            "[[question]]\nindicator = \"{INDICATOR}\"\nregion_level = {}\ncrime_areas = {:?}\nperiods = {:?}\n",
            block.level,
            areas(block),
            block.months
        )
    };
    blocks.iter().map(block).collect()
}

/// What the editions say of every cell that is asked: those that hold something.
fn figures(node: &Resident, requirement: &SignedRequirement) -> Result<Figures> {
    let (requirement, held) = (requirement.requirement(), node.held());
    let mut figures = Figures::new();
    for block in &requirement.question.blocks {
        for period in &block.periods {
            let edition = held.editions.newest(*period).context("not frozen")?;
            for (cell, aggregate) in edition.cells(requirement.audience) {
                let CellKey { region, crime_area, .. } = cell;
                let level = node.node.lists.region_of(*region).map(|region| region.level);
                let Observed::Value(n) = aggregate.observed else { continue };
                if level == Some(block.region_level) && block.crime_areas.contains(crime_area) {
                    let [region, area] = [region.to_string(), crime_area.to_string()];
                    figures.insert((block.region_level, region, area, period.to_string()), n);
                }
            }
        }
    }
    Ok(figures)
}

fn time(
    node: &Resident,
    requirement: &SignedRequirement,
    columns: &Columns,
    question: &Question,
    found: &Figures,
    rounds: usize,
) -> Result<Answered> {
    let (held, accord) = (node.held(), &node.node);
    let decide = || {
        let (asked, now) = (requirement.requirement(), SystemClock.now());
        consent::decide(asked, &held.grants, accord.jurisdiction, accord.lists, now)
    };
    let consented = decide()?;
    let granted: usize =
        consented.granted().map(|cells| cells.iter().filter(|c| **c).count()).sum();
    ensure!(granted == CELLS, "{granted} cells are granted");
    let asked = &requirement.requirement().question.blocks;
    let frozen = |period: &Period| held.editions.answerable(*period).is_some();
    ensure!(
        asked.iter().flat_map(|block| &block.periods).all(frozen),
        "a month that nothing is answered from"
    );
    let slice = median(rounds, || {
        std::hint::black_box(cube::slice(&held.editions, &consented));
        Ok(())
    })?;
    let with_consent = median(rounds, || {
        std::hint::black_box(cube::slice(&held.editions, &decide()?));
        Ok(())
    })?;
    let scan = median(SCANS, || {
        ensure!(columns.count(&question.blocks)? == *found, "a plain scan counts otherwise");
        Ok(())
    })?;
    Ok(Answered { slice, with_consent, scan })
}

fn question_rows(name: &str, answered: &Answered, duckdb: Option<&duckdb::Answered>) -> Vec<Row> {
    let ms = |time: Duration| seconds(time) * 1e3;
    let ours = ms(answered.slice);
    let row = |yardstick: f64, what: &str| ratio_row(name.to_owned(), ours, "ms", yardstick, what);
    let mut rows = Vec::new();
    if let Some(duckdb) = duckdb {
        rows.push(row(duckdb.records_s * 1e3, "DuckDB on the records (aim 0.1)"));
        rows.push(row(duckdb.grouped_s * 1e3, "DuckDB on a table grouped beforehand (aim 1)"));
    }
    rows.push(row(ms(answered.scan), "a plain scan over own columns"));
    rows.push(ratio_row(
        "the same, with deciding on consent".to_owned(),
        ms(answered.with_consent),
        "ms",
        ours,
        "without",
    ));
    rows
}

fn build_rows(
    records: usize,
    import: Duration,
    build: Duration,
    scan: Duration,
    duckdb: Option<&Answer>,
) -> Result<Vec<Row>> {
    let ours = seconds(build);
    let row = |name: &str, value: f64, yardstick: f64, what: &str| {
        ratio_row(name.to_owned(), value, "s", yardstick, what)
    };
    let name = "build: durable import, and freezing 20 months";
    let mut rows = Vec::new();
    if let Some(duckdb) = duckdb {
        ensure!(duckdb.rows == records as u64, "DuckDB holds another number of records");
        let version = &duckdb.version;
        let load = format!("DuckDB {version} loads the records into memory");
        rows.push(row(name, ours, duckdb.load_s, &load));
        let group = format!("DuckDB {version} loads and groups");
        rows.push(row(name, ours, duckdb.load_s + duckdb.group_s, &group));
    }
    rows.push(row(name, ours, seconds(scan), "own columns are read"));
    let freeze = build.saturating_sub(import);
    rows.push(row("of it freezing", seconds(freeze), seconds(import), "the import"));
    let each = seconds(build) * 1e9 / count(records);
    rows.push(Row {
        name: "build, each record".to_owned(),
        value: each,
        unit: "ns".to_owned(),
        yardstick: format!("{records} records"),
        ratio: None,
    });
    Ok(rows)
}
