//! Worlds from folders, for whoever attacks with other data, other seeds and no Rust. Comes in: folders and a
//! file with question blocks. Goes out: CSV, a line for each cell, edition and audience.
//!
//! ```text
//! FOLDER/mapping.toml    from columns to the registry, as for `accord-node import`
//! FOLDER/rows.csv        what is held at first; rows-2.csv, rows-3.csv … come one after the other
//! FOLDER/policy.toml     as in deploy/
//! FOLDER/secret.toml     the floors, if others than those shipped
//! FOLDER/lists/          own code lists, if there are any
//! ```

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use accord_proto::{
    own_lists,
    table::{Cell, Placed},
    taxonomy::{Lists, Period},
};
use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use super::world::{World, WorldSpec};

/// What is asked of which worlds.
#[derive(Clone, Debug)]
pub struct Twins {
    /// Folders of the worlds.
    pub worlds: Vec<PathBuf>,
    /// File with question blocks, as in `requirement.toml`.
    pub question: PathBuf,
    /// Whom the nodes speak for.
    pub jurisdiction: String,
    /// Makes time and dice, the same for every world.
    pub seed: u64,
    /// Starts every node again between two questions.
    pub restart: bool,
}

/// First and last periods that a question names, by length.
#[derive(Deserialize)]
struct RawQuestion {
    question: Vec<RawBlock>,
}

#[derive(Deserialize)]
struct RawBlock {
    indicator: String,
    periods: RawPeriods,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawPeriods {
    One(String),
    Many(Vec<String>),
}

/// Columns of what is printed.
const HEADER: [&str; 11] = [
    "world",
    "edition",
    "audience",
    "indicator",
    "crime_area",
    "region",
    "period",
    "categories",
    "mark",
    "value",
    "standard_error_milli",
];

/// Builds every world below `dir`, freezes and asks after each of its files, and prints the cells as CSV.
pub fn print(twins: &Twins, dir: &Path) -> Result<String> {
    let mut lines = csv::Writer::from_writer(Vec::new());
    lines.write_record(HEADER)?;
    let blocks = read(&twins.question)?;
    for (number, folder) in (1..).zip(&twins.worlds) {
        let at = dir.join(format!("world-{number}"));
        let name = folder.display().to_string();
        one(twins, folder, &at, &blocks, |line| {
            let [edition, audience, rest @ ..] = &line;
            let line = [&name, edition, audience].into_iter().chain(rest);
            Ok(lines.write_record(line)?)
        })
        .with_context(|| name.clone())?;
    }
    Ok(String::from_utf8(lines.into_inner()?)?)
}

fn one(
    twins: &Twins,
    folder: &Path,
    at: &Path,
    blocks: &str,
    mut line: impl FnMut([String; 10]) -> Result<()>,
) -> Result<()> {
    let secret = folder.join("secret.toml");
    let own = folder.join("lists");
    let lists = own_lists::load(own.is_dir().then_some(own.as_path()))?;
    let spec = WorldSpec {
        jurisdiction: twins.jurisdiction.clone(),
        lists,
        mapping: read(&folder.join("mapping.toml"))?,
        rows: String::new(),
        policy: read(&folder.join("policy.toml"))?,
        secret: secret.exists().then(|| read(&secret)).transpose()?,
        seed: twins.seed,
    };
    let asked = periods(blocks, lists)?;
    let mut world = World::build(at, spec)?;
    for indicator in &asked.indicators {
        for audience in lists.audiences() {
            world.grant(indicator, &audience.to_string())?;
        }
    }
    for edition in 1.. {
        let name = if edition == 1 { "rows.csv".to_owned() } else { format!("rows-{edition}.csv") };
        let file = folder.join(&name);
        if !file.exists() {
            ensure!(edition > 1, "there is no {name}");
            break;
        }
        world.correct(&read(&file)?).with_context(|| name.clone())?;
        freeze(&world, &asked.periods)?;
        for audience in lists.audiences() {
            if twins.restart {
                world.restart()?;
            }
            let answer = world.ask(&audience.to_string(), blocks)?;
            for block in &answer.table().blocks {
                for Placed { crime_area, region, period, categories, cell, standard_error_milli } in
                    block.placed()
                {
                    let (mark, value) = mark(cell);
                    let categories = lists.write_categories(block.indicator, &categories);
                    line([
                        edition.to_string(),
                        audience.to_string(),
                        block.indicator.to_string(),
                        crime_area.to_string(),
                        region.to_string(),
                        period.to_string(),
                        categories,
                        mark.to_owned(),
                        value,
                        standard_error_milli.to_string(),
                    ])?;
                }
            }
        }
    }
    Ok(())
}

fn mark(cell: Cell) -> (&'static str, String) {
    match cell {
        Cell::Value(value) => ("value", value.to_string()),
        Cell::NotShown => ("not shown", String::new()),
        Cell::NotApplicable => ("not applicable", String::new()),
        Cell::Missing => ("missing", String::new()),
        Cell::Between(least, most) => ("between", format!("{least}..{most}")),
    }
}

struct Wanted {
    indicators: BTreeSet<String>,
    periods: BTreeSet<Period>,
}

/// What the question names: its indicators, and its periods, which are frozen.
fn periods(blocks: &str, lists: &Lists) -> Result<Wanted> {
    let raw: RawQuestion = toml::from_str(blocks).context("the question")?;
    let mut wanted = Wanted { indicators: BTreeSet::new(), periods: BTreeSet::new() };
    for block in raw.question {
        let texts = match block.periods {
            RawPeriods::One(text) => vec![text],
            RawPeriods::Many(texts) => texts,
        };
        for text in texts {
            let (first, last) = text.split_once("..").unwrap_or((&text, &text));
            let ends = (Period::parse("periods", first)?, Period::parse("periods", last)?);
            let range = Period::range(ends.0, ends.1, 1_000).context("a range runs forwards")?;
            wanted.periods.extend(range);
        }
        wanted.indicators.insert(lists.indicator("indicator", &block.indicator)?.code.to_string());
    }
    Ok(wanted)
}

/// Freezes each of them; a period with nothing in it has no edition.
fn freeze(world: &World, periods: &BTreeSet<Period>) -> Result<()> {
    for period in periods {
        let period = period.to_string();
        match world.freeze(&period, &period) {
            Err(error) if error.to_string().contains("nothing is held") => {}
            frozen => {
                frozen?;
            }
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}
