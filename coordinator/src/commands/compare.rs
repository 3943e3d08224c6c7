//! What has changed between pictures, and rates per 100,000, from the command line: parse, call, print. The arithmetic is the
//! contract's.

use std::path::{Path, PathBuf};

use accord_proto::{
    client::{ClientFile, within},
    compare::{self, Side},
    limits::{CALL_TIMEOUT, ROUNDS_MAX},
    rate::Population,
    reason::{Invalid, Reason},
    strict,
    wire::region as wire,
};
use clap::Args;
use serde_json::{Value, json};

use super::{connect, failed, print};
use crate::cli::{Client, Outcome};

pub(crate) const EXAMPLES: &str = "Examples:\n  accord-coordinator picture compare 0190… --from 2019 --to 2020\n  accord-coordinator picture compare 0190… --version 1 --with-version 2\n  accord-coordinator picture compare 0190… 0191… --movers 10";

/// What to compare.
#[derive(Clone, Debug, Args)]
pub(crate) struct Compare {
    /// Id of the requirement: the earlier picture.
    requirement: String,
    /// Id of the requirement of the later picture; the same one if left out.
    with: Option<String>,
    /// Version of the earlier picture; the newest if left out.
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    version: u32,
    /// Version of the later picture; the newest if left out.
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    with_version: u32,
    /// Compare this period …
    #[arg(long, requires = "to")]
    from: Option<String>,
    /// … with this one.
    #[arg(long, requires = "from")]
    to: Option<String>,
    /// Only so many of the largest changes that are more than noise and rounding.
    #[arg(long)]
    movers: Option<usize>,
    #[command(flatten)]
    client: Client,
}

/// Rounds of a trend.
#[derive(Clone, Debug, Args)]
pub(crate) struct Trend {
    /// Ids of the requirements, the earliest round first; of each the newest picture.
    #[arg(required = true, num_args = 1..=ROUNDS_MAX)]
    requirements: Vec<String>,
    #[command(flatten)]
    client: Client,
}

/// Rates of a picture.
#[derive(Clone, Debug, Args)]
pub(crate) struct Rates {
    /// Id of the requirement.
    requirement: String,
    /// Version; the newest if left out.
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    version: u32,
    /// CSV with the columns jurisdiction, year, population, under lines that name its title and source.
    #[arg(long)]
    population: PathBuf,
    #[command(flatten)]
    client: Client,
}

/// Two pictures, or two periods of one.
pub(crate) async fn compare(wanted: Compare) -> Result<Outcome, Invalid> {
    let Compare { requirement, with, version, with_version, from, to, movers, client } = wanted;
    let [before, now] =
        compare::pair((requirement, version), (with, with_version), from.is_some())?;
    let before = picture(&client, before.0, before.1).await?;
    let now = picture(&client, now.0, now.1).await?;
    let before = Side { picture: &before, period: from.as_deref() };
    let now = Side { picture: &now, period: to.as_deref() };
    let rows = compare::rows(before, now, movers);
    Ok(Outcome { data: print::rows(client.format, &rows), ..Outcome::default() })
}

/// Of every cell one point for each period, as the newest of these rounds tells it.
pub(crate) async fn trend(wanted: Trend) -> Result<Outcome, Invalid> {
    let Trend { requirements, client } = wanted;
    let mut rounds = Vec::new();
    for requirement in requirements {
        rounds.push(picture(&client, requirement, 0).await?);
    }
    let points = json!(compare::trend(&rounds));
    Ok(Outcome { data: print::rows(client.format, &points), ..Outcome::default() })
}

/// Every cell that has a rate; the table that it rests on is named beside.
pub(crate) async fn rates(wanted: Rates) -> Result<Outcome, Invalid> {
    let Rates { requirement, version, population, client } = wanted;
    let lists = ClientFile::lists(&client.client)?;
    let table = Population::parse("--population", &read(&population)?, lists)?;
    let picture = picture(&client, requirement, version).await?;
    let row = |cell: &wire::PictureCell| {
        let rate = table.rate(cell, lists)?;
        Some(json!({
            "indicator": cell.indicator,
            "crime_area": cell.crime_area,
            "period": cell.period,
            "categories": cell.categories,
            "rate": rate.rate,
            "lower": rate.lower,
            "upper": rate.upper,
            "population": rate.population,
            "contributors": cell.contributors,
            "population_table": table.name(),
        }))
    };
    let rows = Value::Array(picture.cells.iter().filter_map(row).collect());
    let remarks =
        vec![format!("per 100,000 inhabitants of those who contribute: {}", table.name())];
    Ok(Outcome { data: print::rows(client.format, &rows), remarks, ..Outcome::default() })
}

async fn picture(
    client: &Client,
    requirement: String,
    version: u32,
) -> Result<wire::Picture, Invalid> {
    let request = within(CALL_TIMEOUT, wire::GetPictureRequest { requirement, version });
    let reply = connect(client).await?.get_picture(request).await.map_err(failed)?.into_inner();
    let envelope = reply.picture.and_then(|document| document.picture).unwrap_or_default();
    strict::decode_signed("picture", &envelope.payload)
}

fn read(path: &Path) -> Result<Vec<u8>, Invalid> {
    std::fs::read(path).map_err(|error| {
        Invalid::new(Reason::FieldInvalid, path.display().to_string(), error.to_string())
    })
}
