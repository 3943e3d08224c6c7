//! Topic `disclose`: what protection costs. Comes in: generated totals of 5,000 cells, and random hierarchical tables. Goes
//! out: how long it takes to draw, answer and answer again in protected mode, beside as many draws of the bare
//! sampler; and how long a bulletin with its audit takes, with its growth.

use std::{fs, path::Path, time::Instant};

use accord_node::disclose::noise::Root;
use accord_proto::{
    seal::Digest,
    suppress::{self, Choice, Cost},
    taxonomy::{Lists, Period},
};
use anyhow::{Context as _, Result};

use super::quantile;
use crate::{
    attack::tables,
    report::{Report, Row},
    resident::Resident,
};

const JURISDICTION: &str = "RS";
const INDICATOR: &str = "DRG.SEIZ.N";
const AREAS: [&str; 6] = ["DRG", "DRG.CAN", "DRG.COC", "DRG.HER", "DRG.PRE", "DRG.SYN"];
const POLICY: &str = "[[indicator]]\ncode = \"DRG.SEIZ.N\"\nmode = \"protected\"\ngranularity = [\"year\"]\nregion_levels = [0, 3]\n";
const MAPPING: &str = "source = \"generated for a measurement\"\n[columns]\ncrime_area = \"area\"\nregion = \"region\"\nperiod = \"year\"\nvalue = \"n\"\n[constants]\nindicator = \"DRG.SEIZ.N\"\n";
const FIRST_YEAR: usize = 1990;
/// Years of 156 cells each: about 500 cells, and about 5,000.
const YEARS: [usize; 2] = [3, 32];

/// Measures each kind `rounds` times; the median counts.
pub fn disclose(dir: &Path, rounds: usize) -> Result<Report> {
    let mut rows = Vec::new();
    for years in YEARS {
        let runs: Vec<_> = (0..rounds)
            .map(|round| protected(&dir.join(format!("{years}-{round}")), years))
            .collect::<Result<_>>()?;
        let median = |of: fn(&Run) -> f64| {
            let mut times: Vec<f64> = runs.iter().map(of).collect();
            times.sort_unstable_by(f64::total_cmp);
            quantile(&times, 0.5)
        };
        let cells = runs.first().map_or(0, |run| run.cells);
        let bare = median(|run| run.bare_ms);
        let row = |name: &str, value: f64| Row {
            name: format!("protected, {cells} cells: {name}"),
            value,
            unit: "ms".to_owned(),
            yardstick: format!("{bare:.1} ms: {cells} × 3 draws of the bare sampler"),
            ratio: Some(value / bare),
        };
        rows.push(row("freeze with every draw", median(|run| run.freeze_ms)));
        rows.push(row("first answer, charged and durable", median(|run| run.first_ms)));
        rows.push(row("repeated answer", median(|run| run.again_ms)));
    }
    let mut before = None;
    for cells in [500, 1_250, 2_500, 5_000] {
        let mut times: Vec<f64> =
            (0..rounds).map(|round| bulletin_ms(round, cells)).collect::<Result<_>>()?;
        times.sort_unstable_by(f64::total_cmp);
        let ms = quantile(&times, 0.5);
        rows.push(Row {
            name: format!("bulletin with audit, {cells} hierarchical cells"),
            value: ms,
            unit: "ms".to_owned(),
            yardstick: before.map_or_else(String::new, |(cells, ms): (usize, f64)| {
                format!("{ms:.1} ms: {cells} cells; aim: seconds, not minutes")
            }),
            ratio: before.map(|(_, before)| ms / before),
        });
        before = Some((cells, ms));
    }
    Ok(Report { topic: "disclose".to_owned(), rows, left_out: Vec::new() })
}

struct Run {
    cells: usize,
    freeze_ms: f64,
    first_ms: f64,
    again_ms: f64,
    bare_ms: f64,
}

fn protected(at: &Path, years: usize) -> Result<Run> {
    let lists = Lists::builtin();
    let of = lists.jurisdiction("jurisdiction", JURISDICTION)?.code;
    fs::create_dir_all(at)?;
    let node = Resident::open(&at.join("data"), lists, of, POLICY)?;
    let regions: Vec<_> =
        [0, 3].into_iter().flat_map(|level| lists.regions_of(of, level)).collect();
    let mut rows = "area,region,year,n\n".to_owned();
    let mut cells = 0_usize;
    for year in FIRST_YEAR..FIRST_YEAR + years {
        for area in AREAS {
            for region in &regions {
                cells += 1;
                rows.push_str(&format!("{area},{region},{year},{}\n", 20 + cells % 50));
            }
        }
    }
    let file = at.join("rows.csv");
    fs::write(&file, rows)?;
    node.import(&file, MAPPING)?;
    node.grant(INDICATOR)?;
    let last = (FIRST_YEAR + years - 1).to_string();
    let freeze_ms = timed(|| node.freeze(&FIRST_YEAR.to_string(), &last))?.0;
    let block = |level: usize| {
        format!(
            "[[question]]\nindicator = \"{INDICATOR}\"\nregion_level = {level}\ncrime_areas = {AREAS:?}\nperiods = \"{FIRST_YEAR}..{last}\"\n"
        )
    };
    let asked = node.signed("POLICE", &(block(0) + &block(3)))?;
    let (first_ms, first) = timed(|| Ok(node.answer(asked.clone())?))?;
    let (again_ms, again) = timed(|| Ok(node.answer(asked.clone())?))?;
    anyhow::ensure!(first.table() == again.table(), "another answer than before");
    let shown = first.table().blocks.iter().flat_map(|block| &block.cells);
    let shown = shown.filter(|cell| matches!(cell, accord_proto::table::Cell::Value(_))).count();
    anyhow::ensure!(shown * 10 > cells * 9, "{shown} of {cells} cells are shown");
    let key = Root::new([7; 32]).edition(Period::parse("period", "2016")?, 1, Digest([0; 32]));
    let bare_ms = timed(|| {
        for cell in 0..cells {
            for variance in [3, 6, 27] {
                std::hint::black_box(key.draw(&cell.to_be_bytes(), "A", variance));
            }
        }
        Ok(())
    })?
    .0;
    Ok(Run { cells, freeze_ms, first_ms, again_ms, bare_ms })
}

fn bulletin_ms(round: usize, cells: usize) -> Result<f64> {
    let tables = tables::hierarchical(round as u64, cells)?;
    let choice = Choice { cost: Cost::Value, threshold: 3 };
    Ok(timed(|| suppress::protect(&tables.equations, &choice).ok().context("fails closed"))?.0)
}

fn timed<T>(call: impl FnOnce() -> Result<T>) -> Result<(f64, T)> {
    let started = Instant::now();
    let done = call()?;
    Ok((started.elapsed().as_secs_f64() * 1000.0, done))
}
