//! Topic `utility`: what is left of real figures once they are protected. Comes in: the published prisoners by offence and sex,
//! many of them below five, and the published drug seizures. Goes out: for each mode and tier the share of cells that
//! are shown, and how far they are from the truth. The yardstick is what the project aims at.

use std::path::{Path, PathBuf};

use accord_node::{
    policy::{Files, Policy},
    record::Observed,
};
use accord_proto::taxonomy::{AudienceCode, IndicatorCode, Lists};
use anyhow::{Context as _, Result};

use super::quantile;
use crate::{
    report::{Report, Row},
    resident::Resident,
};

const PARTNERS: [&str; 6] = ["AL", "BA", "ME", "MK", "RS", "XK"];
const PRISONERS: &str = "eurostat_crim_pris_off/prisoners_by_offence_sex.csv";
const SEIZURES: &str = "unodc_drug_seizures/drug_seizures_2018_2021.csv";
/// Audience, tier, and what is aimed at for figures of ten or more: share shown, median error.
const AIMS: [(&str, &str, f64, f64); 3] =
    [("POLICE", "A", 97.0, 2.0), ("PARTNERS", "B", 88.0, 3.0), ("PUBLIC", "C", 70.0, 6.0)];
/// From the columns of the published prisoners to the registry; `GEO` stands for the jurisdiction.
pub const PRISONERS_MAPPING: &str = r#"
source = "Eurostat, table crim_pris_off, CC BY 4.0"
[columns]
jurisdiction = "geo"
crime_area = "iccs"
period = "period"
value = "value"
status = "obs_status"
"dimension.SEX" = "sex"
[constants]
indicator = "PUB.PRIS.N"
[codes.status]
A = "value"
E = "estimated"
M = "missing"
[codes."dimension.SEX"]
T = ""
[only]
geo = "GEO"
unit = "NR"
"#;
const POLICY: &str =
    "[[indicator]]\ncode = \"PUB.PRIS.N\"\nmode = \"protected\"\ndimensions = [\"SEX\"]\n";

/// One cell at one tier.
struct Found {
    truth: i64,
    shown: Option<i64>,
}

/// Measures `rounds` draws of everything.
pub fn utility(dir: &Path, rounds: usize) -> Result<Report> {
    let mut report = Report { topic: "utility".to_owned(), rows: Vec::new(), left_out: Vec::new() };
    let Some(data) = data() else {
        report.left_out.push("the published files are not here; set ACCORD_DATA".to_owned());
        return Ok(report);
    };
    let mut found: Vec<Vec<Found>> = AIMS.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds {
        for jurisdiction in PARTNERS {
            let at = dir.join(format!("{round}-{jurisdiction}"));
            for (found, of) in found.iter_mut().zip(prisoners(&at, &data, jurisdiction)?) {
                found.extend(of);
            }
        }
    }
    report.rows.push(Row {
        name: "prisoners, open: shown".to_owned(),
        value: 100.0,
        unit: "%".to_owned(),
        yardstick: "exact: published already".to_owned(),
        ratio: None,
    });
    for ((_, tier, shown_aim, error_aim), found) in AIMS.iter().zip(&found) {
        let (large, small): (Vec<_>, Vec<_>) =
            found.iter().filter(|found| found.truth > 0).partition(|found| found.truth >= 10);
        report.rows.extend(rows(
            &format!("tier {tier}, 10 or more"),
            &large,
            Some((*shown_aim, *error_aim)),
        ));
        report.rows.extend(rows(&format!("tier {tier}, 1 to 9"), &small, None));
    }
    report.rows.extend(seizures(&data)?);
    Ok(report)
}

fn data() -> Option<PathBuf> {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data"));
    let data = std::env::var_os("ACCORD_DATA").map_or_else(beside, PathBuf::from);
    data.join(PRISONERS).is_file().then_some(data)
}

/// Every cell of a real node that holds one jurisdiction's figures, by tier.
fn prisoners(at: &Path, data: &Path, jurisdiction: &str) -> Result<[Vec<Found>; 3]> {
    let lists = Lists::builtin();
    let code = lists.jurisdiction("jurisdiction", jurisdiction)?.code;
    let mut found = [(); 3].map(|()| Vec::new());
    let node = Resident::open(at, lists, code, POLICY)?;
    let mapping = PRISONERS_MAPPING.replace("GEO", jurisdiction);
    let imported = node.import(&data.join(PRISONERS), &mapping)?;
    if imported.summary.rows_kept == 0 {
        return Ok(found); // One of the six is not in the table.
    }
    node.freeze("2008", "2022")?;
    let indicator = IndicatorCode::parse("PUB.PRIS.N").context("a code")?;
    for edition in node.held().editions.iter() {
        for ((audience, ..), found) in AIMS.iter().zip(&mut found) {
            let audience = AudienceCode::parse(audience).context("an audience")?;
            let Some(class) = edition.class(audience) else { continue };
            let drawn = class.drawn.get(&indicator).context("drawn")?;
            for (cell, aggregate) in &class.cells {
                if let Observed::Value(truth) = aggregate.observed {
                    found.push(Found { truth, shown: drawn.shown(cell, lists.tier(audience)) });
                }
            }
        }
    }
    Ok(found)
}

fn rows(name: &str, found: &[&Found], aims: Option<(f64, f64)>) -> Vec<Row> {
    let mut errors: Vec<f64> = found
        .iter()
        .filter_map(|found| Some(percent(found.shown?.abs_diff(found.truth), found.truth)))
        .collect();
    errors.sort_unstable_by(f64::total_cmp);
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let share = 100.0 * errors.len() as f64 / found.len().max(1) as f64;
    let row = |what: &str, value: f64, aim: Option<(f64, &str)>| Row {
        name: format!("prisoners, protected, {name}: {what}"),
        value,
        unit: "%".to_owned(),
        yardstick: aim.map_or_else(
            || format!("{} cells", found.len()),
            |(aim, side)| format!("aim {side} {aim} %, {} cells", found.len()),
        ),
        ratio: aim.map(|(aim, _)| value / aim),
    };
    vec![
        row("shown", share, aims.map(|(shown, _)| (shown, "≥"))),
        row("median error", quantile(&errors, 0.5), aims.map(|(_, error)| (error, "≤"))),
        row("worst error", errors.last().copied().unwrap_or(0.0), None),
    ]
}

/// What the policy says to protecting the amounts: with the largest cap that it accepts, how much of them is cut off.
fn seizures(data: &Path) -> Result<Vec<Row>> {
    let mut reader = csv::Reader::from_path(data.join(SEIZURES))?;
    let header = reader.headers()?.clone();
    let column = |name: &str| header.iter().position(|of| of == name).context("a column");
    let (geo, value) = (column("geo")?, column("value")?);
    let mut amounts = Vec::new();
    for record in reader.records() {
        let record = record?;
        let partner = record.get(geo).is_some_and(|geo| PARTNERS.contains(&geo));
        let amount = record.get(value).and_then(|amount| amount.parse::<f64>().ok());
        amounts.extend(amount.filter(|amount| partner && *amount > 0.0));
    }
    amounts.sort_unstable_by(f64::total_cmp);
    let lists = Lists::builtin();
    let of = lists.jurisdiction("jurisdiction", "AL")?.code;
    #[expect(clippy::cast_possible_truncation, reason = "kilograms")]
    let typical = quantile(&amounts, 0.5).ceil() as i64;
    let accepted = |cap: i64| {
        let public = format!(
            "[[indicator]]\ncode = \"PUB.SEIZ.KG\"\nmode = \"protected\"\ncap = {cap}\ntypical = {typical}\n"
        );
        Policy::parse(Files { public: &public, secret: "", salt: &[0; 32] }, of, lists).is_ok()
    };
    let cap = (1..=typical.max(1)).rev().find(|cap| accepted(*cap)).unwrap_or(0);
    #[expect(clippy::cast_precision_loss, reason = "kilograms")]
    let (cap, typical) = (cap as f64, typical as f64);
    let above = amounts.iter().filter(|amount| **amount > cap).count();
    let row = |what: &str, value: f64, unit: &str| Row {
        name: format!("drug seizures, protected: {what}"),
        value,
        unit: unit.to_owned(),
        yardstick: format!("{} figures, refused above 30 % typical error", amounts.len()),
        ratio: None,
    };
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let share = 100.0 * above as f64 / amounts.len().max(1) as f64;
    let error = |cap: f64| 173.2 * cap.max(1.0) / typical.max(1.0);
    if cap < 1.0 {
        return Ok(vec![
            row("median figure", typical, "kg"),
            row("typical error with a cap of 1 kg: refused, not offered", error(1.0), "%"),
        ]);
    }
    Ok(vec![
        row("median figure", typical, "kg"),
        row("largest cap of one seizure that is accepted", cap, "kg"),
        row("typical error with it", error(cap), "%"),
        row("figures larger than one such seizure", share, "%"),
    ])
}

#[expect(clippy::cast_precision_loss, reason = "published counts")]
fn percent(part: u64, of: i64) -> f64 {
    100.0 * part as f64 / of as f64
}
