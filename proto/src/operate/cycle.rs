//! Command lines of the policy cycle, the same in both programs: a plan is a product that was endorsed; pictures measure it. Comes in:
//! what somebody typed, the product, and pictures that were fetched. Goes out: rows. Must never judge an action by anything but
//! what the plan itself names, nor set jurisdictions beside each other.

use std::{collections::BTreeSet, path::Path};

use clap::Subcommand;
use serde_json::{Value, json};

use super::{
    chart::Source,
    cli::{Client, Outcome},
    product::Products,
    threat::{self, Printing},
};
use crate::{
    client::ClientFile,
    clock::{Clock as _, SystemClock},
    cycle::{self, Day, Figures, Measured, Plan, Report},
    limits::ROUNDS_MAX,
    print::{self, Format},
    product::Dossier,
    reason::{Invalid, Reason, quoted},
    taxonomy::{AreaList, CrimeAreaCode, JurisdictionCode, Lists},
};

/// Which plan, with which pictures, on which day.
#[derive(Clone, Debug, clap::Args)]
pub struct Measuring {
    /// Id of the product that holds the plan.
    product: String,
    /// A picture that measures it: id of a requirement, or ID:VERSION; once for each.
    #[arg(long = "picture", value_name = "REQUIREMENT[:VERSION]", num_args = 1..=ROUNDS_MAX)]
    pictures: Vec<String>,
    /// On this day; today if left out.
    #[arg(long, value_name = "DATE")]
    on: Option<String>,
    /// As whom.
    #[command(flatten)]
    client: Client,
}

/// Policy cycles: priorities, goals, actions, and how they go.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Print a commented plan to begin with; asks nobody. It goes beside the text of a product PLAN.
    Template {
        /// Print a report of an action instead.
        #[arg(long)]
        report: bool,
    },
    /// Priorities, goals and actions of a plan.
    Show {
        /// Id of the product that holds the plan.
        product: String,
        /// As whom.
        #[command(flatten)]
        client: Client,
    },
    /// How it goes: a light for every priority, goal and action, with the reason.
    Lights(Measuring),
    /// What its actions are measured by: baseline, target, and the figure with where it lies.
    Indicators(Measuring),
    /// What was reported of its actions.
    Reports(Measuring),
    /// What one jurisdiction has taken on, and what it owes: for its national coordinator.
    National {
        /// Which plan.
        #[command(flatten)]
        of: Measuring,
        /// Which jurisdiction.
        #[arg(long)]
        jurisdiction: String,
    },
    /// The evaluation sheet: filled from what was measured and reported, with the questions that are left.
    Evaluate(Measuring),
    /// What the region has in common with the EU's priorities of a cycle, what is its own, and what the EU alone has.
    Common {
        /// The EU's cycle, like 2026-2029.
        #[arg(long)]
        eu: String,
        /// A plan whose priorities are compared; or crime areas.
        #[arg(long)]
        plan: Option<String>,
        /// A crime area, the first threat first; once for each.
        #[arg(long = "area", value_name = "CODE")]
        areas: Vec<String>,
        /// As whom.
        #[command(flatten)]
        client: Client,
    },
    /// The EU's cycles with their priorities; asks nobody.
    Priorities {
        /// Only this cycle, like 2026-2029.
        #[arg(long)]
        eu: Option<String>,
        /// How to print.
        #[command(flatten)]
        printing: Printing,
    },
}

/// Examples, for the help.
pub fn examples(program: &str) -> String {
    [
        "cycle template > plan.toml",
        "cycle show 0190…",
        "cycle lights 0190… --picture 0191…",
        "cycle national 0190… --jurisdiction AL --picture 0191…",
        "cycle common --eu 2026-2029 --plan 0190… -o csv > annex.csv",
    ]
    .map(|line| format!("\n  {program} {line}"))
    .into_iter()
    .fold("Examples:".to_owned(), |all, line| all + &line)
}

/// A plan with what is known of it.
struct Known {
    plan: Plan,
    reports: Vec<Report>,
    figures: Figures,
    today: Day,
    lists: &'static Lists,
}

impl Known {
    fn measured(&self) -> Result<Measured, Invalid> {
        cycle::measure(&self.plan, &self.figures, &self.reports, self.today, self.lists)
    }
}

/// Runs one of them; `fetch` has a picture of this requirement and version from whom the client file names.
pub async fn run(
    command: Command,
    fetch: impl AsyncFn(&Path, String, u32) -> Result<Source, Invalid>,
) -> Result<Outcome, Invalid> {
    match command {
        Command::Template { report: true } => Ok(text(cycle::REPORT_TEMPLATE.to_owned())),
        Command::Template { report: false } => Ok(text(cycle::TEMPLATE.to_owned())),
        Command::Priorities { eu, printing } => priorities(eu.as_deref(), printing.format),
        Command::Show { product, client } => {
            let lists = ClientFile::lists(&client.client)?;
            let (plan, _) = plan_of(&client, &product, lists).await?;
            Ok(text(print::cycle::plan(client.format, &plan, lists)))
        }
        Command::Lights(of) => {
            let known = known(&of, fetch).await?;
            let measured = known.measured()?;
            Ok(text(print::cycle::lights(of.client.format, &known.plan, &measured, known.lists)))
        }
        Command::Indicators(of) => {
            let known = known(&of, fetch).await?;
            let (measured, plan) = (known.measured()?, &known.plan);
            Ok(text(print::cycle::indicators(of.client.format, plan, &measured, known.lists)))
        }
        Command::Reports(of) => {
            let known = known(&of, fetch).await?;
            let rows = serde_json::to_value(cycle::report_rows(&known.reports));
            let rows =
                rows.map_err(|error| Invalid::new(Reason::Internal, "reports", error.to_string()))?;
            Ok(text(print::rows(of.client.format, &rows)))
        }
        Command::National { of, jurisdiction } => {
            let known = known(&of, fetch).await?;
            let code: JurisdictionCode =
                known.lists.jurisdiction("--jurisdiction", &jurisdiction)?.code;
            let (plan, reports) = (&known.plan, &known.reports);
            let view = cycle::national(plan, &known.measured()?, reports, code);
            Ok(text(print::cycle::national(of.client.format, plan, &view, known.lists)))
        }
        Command::Evaluate(of) => {
            let known = known(&of, fetch).await?;
            let Known { plan, figures, reports, today, lists } = &known;
            let sheet = cycle::sheet(plan, figures, reports, *today, lists)?;
            Ok(text(print::cycle::sheet(of.client.format, &sheet, plan, lists)))
        }
        Command::Common { eu, plan, areas, client } => {
            common(&client, &eu, plan.as_deref(), &areas).await
        }
    }
}

fn text(data: String) -> Outcome {
    Outcome { data, ..Outcome::default() }
}

/// The plan of a product, and what was reported of it.
async fn plan_of(
    client: &Client,
    product: &str,
    lists: &Lists,
) -> Result<(Plan, Vec<Report>), Invalid> {
    let file = Products::connect(&client.client).await?.get(product).await?;
    let dossier = Dossier::believed(&file, lists)?;
    let plan = dossier.course().plan(lists)?.ok_or_else(|| {
        let detail = format!("{} is no PLAN", quoted(product));
        Invalid::new(Reason::FieldInvalid, "product", detail)
    })?;
    Ok((plan, dossier.course().reports(lists)?))
}

async fn known(
    of: &Measuring,
    fetch: impl AsyncFn(&Path, String, u32) -> Result<Source, Invalid>,
) -> Result<Known, Invalid> {
    let client = &of.client;
    let lists = ClientFile::lists(&client.client)?;
    let (plan, reports) = plan_of(client, &of.product, lists).await?;
    let mut pictures = Vec::new();
    for typed in &of.pictures {
        let (requirement, version) = threat::picture(typed)?;
        pictures.push(fetch(&client.client, requirement, version).await?);
    }
    let told: Vec<_> = pictures.iter().map(|of| (of.version(), of.payload())).collect();
    let figures = Figures::read(&plan, &told, lists)?;
    let today = match &of.on {
        Some(day) => Day::parse("--on", day)?,
        None => Day::of(SystemClock.now()),
    };
    Ok(Known { plan, reports, figures, today, lists })
}

async fn common(
    client: &Client,
    eu: &str,
    plan: Option<&str>,
    areas: &[String],
) -> Result<Outcome, Invalid> {
    let lists = ClientFile::lists(&client.client)?;
    let plan = match plan {
        Some(product) => Some(plan_of(client, product, lists).await?.0),
        None => None,
    };
    let listed = |code: &String| {
        let known = CrimeAreaCode::parse(code)
            .filter(|code| lists.crime_area_list(*code) == Some(AreaList::CRIME_AREAS));
        known.ok_or_else(|| {
            let detail = format!("{} is not in the list crime_areas", quoted(code));
            Invalid::new(Reason::CodeUnknown, "--area", detail)
        })
    };
    let mut ordered: Vec<CrimeAreaCode> = areas.iter().map(listed).collect::<Result<_, _>>()?;
    let mut seen: BTreeSet<_> = ordered.iter().copied().collect();
    for area in plan.iter().flat_map(|plan| &plan.priorities).flat_map(|of| &of.crime_areas) {
        if seen.insert(*area) {
            ordered.push(*area);
        }
    }
    if ordered.is_empty() {
        let detail = "name a plan, or crime areas, the first threat first";
        return Err(Invalid::new(Reason::FieldMissing, "--area", detail));
    }
    let mapping = cycle::mapping(&ordered, eu, lists)?;
    let annex = cycle::annex(&mapping, plan.as_ref(), lists);
    Ok(text(print::cycle::annex(client.format, &annex, eu)))
}

fn priorities(eu: Option<&str>, format: Format) -> Result<Outcome, Invalid> {
    let lists = Lists::builtin();
    let mut cycles: Vec<_> = lists.priorities().map(|of| of.cycle.as_str()).collect();
    cycles.dedup();
    let cycles: Vec<_> = match eu {
        Some(code) => vec![code],
        None => cycles,
    };
    let mut rows = Vec::new();
    for code in cycles {
        let cycle = cycle::EuCycle::find("--eu", code, lists)?;
        for of in cycle.priorities.iter().chain(&cycle.horizontal) {
            for entry in std::iter::once(&of.priority).chain(&of.parts) {
                let areas = lists.areas_mapped("EMPACT", entry.code.as_str());
                let areas: Vec<_> = areas.iter().map(ToString::to_string).collect();
                rows.push(json!({
                    "cycle": code,
                    "priority": entry.code.to_string(),
                    "number": entry.number,
                    "name": entry.label,
                    "crime_areas": areas,
                }));
            }
        }
    }
    Ok(text(print::rows(format, &Value::Array(rows))))
}
