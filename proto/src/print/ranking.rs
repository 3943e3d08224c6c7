//! A ranking, as it is printed. Comes in: a ranking that whoever asked for it believes, and what stands around it. Goes out: a
//! table, a document or rows. A rank never prints without where it may lie, a ranking never without its coverage and
//! audience, a node's own place never without its mark.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Format, footnotes_of, label, number, own::MARK, plain, rows as list};
use crate::{
    reason::Invalid,
    taxonomy::{Lists, decimal},
    threat::{Ranking, Row, rows},
    wire::threat::{OrderedBy, Sensitivity},
};

/// A ranking with what stands around it.
#[derive(Debug)]
pub struct RankingShown {
    /// What is ranked.
    pub ranking: Ranking,
    /// When it was made; empty: just now, and it is not kept.
    pub made_at: String,
    /// Why it was made; empty: that is not known here.
    pub why: String,
    /// Of each picture that it rests on how many of those asked have answered, in a sentence.
    pub coverage: Vec<String>,
    /// Jurisdictions that were asked, ascending.
    pub asked: Vec<String>,
    /// Where a node's own figures put each area, by its code; none: it is printed without.
    pub own: Option<BTreeMap<String, OwnPlace>>,
}

impl RankingShown {
    /// For whom it is, in words, as the ranking itself says.
    pub fn audience(&self) -> &str {
        self.ranking.audience()
    }
}

/// Where a node's own figures put an area. For its own eyes only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnPlace {
    /// Its rank among the areas for which the node has a figure; from where to where it may lie.
    pub rank: (usize, usize, usize),
    /// The node's own figure.
    pub figure: String,
}

/// From where to where, as people write it: `2–4`; one number where both are the same.
fn range(best: impl ToString, worst: impl ToString) -> String {
    let (best, worst) = (best.to_string(), worst.to_string());
    if best == worst { best } else { format!("{best}–{worst}") }
}

fn in_words(range_of: Option<&String>) -> String {
    let ends = range_of.and_then(|text| text.split_once(".."));
    ends.map_or_else(String::new, |(best, worst)| range(best, worst))
}

/// Prints it.
///
/// # Errors
/// Of a dissent that cannot be read.
pub fn ranking(
    format: impl Into<Format>,
    shown: &RankingShown,
    lists: &Lists,
) -> Result<String, Invalid> {
    let areas: Vec<_> = rows(&shown.ranking, lists).iter().map(|row| area(row, shown)).collect();
    match format.into() {
        Format::Json => Ok(document(shown, areas, lists)?.to_string()),
        // Rows travel alone: each says for whom it is and what it rests on.
        format @ (Format::Jsonl | Format::Csv) => {
            let with = |mut row: Value| {
                row["audience"] = json!(shown.audience());
                row["coverage"] = json!(shown.coverage.join("; "));
                row
            };
            Ok(list(format, &areas.into_iter().map(with).collect()))
        }
        Format::Table => as_table(shown, &areas, lists),
    }
}

fn area(row: &Row, shown: &RankingShown) -> Value {
    let mut printed = json!({
        "rank": row.rank,
        "crime_area": row.crime_area,
        "label": row.label,
        "tied": row.tied,
        "range": in_words(row.range.as_ref()),
        "whole_range": in_words(row.whole_range.as_ref()),
        "stable_range": in_words(row.stable_range.as_ref()),
        "moves_without_one": row.moves_without_one,
        "borda": number(row.borda.clone()),
        "median_rank": number(row.median_rank.clone()),
        "white_spot": row.white_spot,
        "remarks": row.remarks,
    });
    if let Some(own) = &shown.own {
        let place = own.get(&row.crime_area);
        let ranks = place.map(|place| place.rank);
        printed["own_rank"] = json!(ranks.map(|(rank, _, _)| rank));
        printed["own_range"] = json!(ranks.map(|(_, best, worst)| range(best, worst)));
        printed["own_figure"] = json!(place.map(|place| &place.figure));
        printed["own_marking"] = json!(MARK);
    }
    printed
}

fn document(shown: &RankingShown, areas: Vec<Value>, lists: &Lists) -> Result<Value, Invalid> {
    let order = shown.ranking.order();
    let dissent = shown.ranking.dissent_in_words(lists)?.into_iter().map(|of| {
        json!({
            "node": of.node.as_str(),
            "jurisdiction": of.jurisdiction.to_string(),
            "text": of.text.as_str(),
            "at": of.at.to_string(),
        })
    });
    let hex = |bytes: &Vec<u8>| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut printed = json!({
        "ranking": shown.ranking.digest().to_string(),
        "made_at": shown.made_at,
        "audience": shown.audience(),
        "why": shown.why,
        "federation": order.federation,
        "lists": order.lists,
        "indicator": order.indicator,
        "period": order.period,
        "categories": order.categories,
        "ordered_by": order_name(order.ordered_by()),
        "pictures_sha256": order.pictures_sha256.iter().map(hex).collect::<Vec<_>>(),
        "rules_sha256": hex(&order.rules_sha256),
        "method_sha256": hex(&order.method_sha256),
        "coverage": shown.coverage,
        "asked": shown.asked,
        "raters": order.raters,
        "agreement": number(agreement(shown)),
        "sensitivity": sensitivity_name(order.sensitivity()),
        "areas": areas,
        "dissents": dissent.collect::<Vec<_>>(),
        "footnotes": footnotes_of(shown.asked.iter(), lists),
    });
    if shown.own.is_some() {
        printed["own_marking"] = json!(MARK);
    }
    Ok(printed)
}

/// Kendall's W, with three decimals; none: not known.
fn agreement(shown: &RankingShown) -> Option<String> {
    let millionths = shown.ranking.order().agreement_millionths?;
    Some(decimal(i64::from(millionths / 1_000), 3))
}

fn order_name(order: OrderedBy) -> &'static str {
    match order {
        OrderedBy::Figure => "figure",
        OrderedBy::Borda => "borda",
        OrderedBy::Unspecified => "unknown",
    }
}

fn sensitivity_name(sensitivity: Sensitivity) -> &'static str {
    match sensitivity {
        Sensitivity::Exact => "exact",
        Sensitivity::Bound => "bound",
        Sensitivity::Unspecified => "unknown",
    }
}

const COLUMNS: [(&str, &str); 9] = [
    ("RANK", "rank"),
    ("", "crime_area"),
    ("", "label"),
    ("AMONG CONTRIBUTORS", "range"),
    ("OF ALL ASKED", "whole_range"),
    ("OTHER WEIGHTS", "stable_range"),
    ("BORDA", "borda"),
    ("MEDIAN", "median_rank"),
    ("WHITE SPOT", "white_spot"),
];
const OWN_COLUMNS: [(&str, &str); 3] =
    [("OWN RANK", "own_rank"), ("OWN RANGE", "own_range"), ("OWN FIGURE", "own_figure")];

fn as_table(shown: &RankingShown, areas: &[Value], lists: &Lists) -> Result<String, Invalid> {
    let order = shown.ranking.order();
    let mut text = format!("Ranking {}\n", shown.ranking.digest());
    let label_of = lists.indicator("indicator", &order.indicator);
    let name = label_of.map_or(order.indicator.as_str(), |indicator| &indicator.label);
    let categories = &order.categories;
    text += &format!("{name} ({}), {}, {categories}; ", order.indicator, order.period);
    text += &format!("ordered by {}\n", order_name(order.ordered_by()));
    for (what, said) in [
        ("Audience", shown.audience().to_owned()),
        ("Made", shown.made_at.clone()),
        ("Why", shown.why.clone()),
        ("Coverage", shown.coverage.join("; ")),
        ("Asked", shown.asked.iter().map(|code| label(lists, code)).collect::<Vec<_>>().join(", ")),
    ] {
        if !said.is_empty() {
            text += &format!("{what}: {}\n", under(&said));
        }
    }
    // A column that says nothing anywhere is left out.
    let says = |(_, key): &&(&str, &str)| areas.iter().any(|row| !said(&row[*key]).is_empty());
    let own = OWN_COLUMNS.iter().filter(|_| shown.own.is_some());
    let columns: Vec<_> = COLUMNS.iter().filter(says).chain(own).collect();
    let mut table = plain(columns.iter().map(|(head, _)| *head));
    for row in areas {
        table.add_row(columns.iter().map(|(_, key)| said(&row[*key])));
    }
    text += &format!("\n{table}\n\n");
    text += "Ranks count from the largest figure; a range is where the rank lies. A white spot has no figure: it is not last.\n";
    if let Some(agreement) = agreement(shown) {
        let raters = order.raters;
        text += &format!("Agreement of {raters} jurisdictions (Kendall's W): {agreement}\n");
    }
    for row in areas {
        for remark in row["remarks"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            text += &format!("{}: {remark}\n", said(&row["crime_area"]));
        }
        if row["moves_without_one"] == json!(true) {
            text += &format!(
                "{}: leaves these ranks when one of the jurisdictions is left out\n",
                said(&row["crime_area"])
            );
        }
    }
    for of in shown.ranking.dissent_in_words(lists)? {
        let jurisdiction = label(lists, &of.jurisdiction.to_string());
        let (node, at) = (&of.node, of.at);
        text += &format!("Dissent of {jurisdiction} ({node}, {at}): {}\n", under(of.text.as_str()));
    }
    if shown.own.is_some() {
        text +=
            &format!("own: what this node has released, and the order that it gives; {MARK}.\n");
    }
    for footnote in footnotes_of(shown.asked.iter(), lists) {
        text += &format!("{footnote}\n");
    }
    Ok(text.trim_end().to_owned())
}

/// A text of several lines: all but the first are indented, so that none looks like a line of the program's own.
fn under(text: &str) -> String {
    text.replace('\n', "\n    ")
}

fn said(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Array(_) | Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}
