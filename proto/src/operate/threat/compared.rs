//! What has moved from one ranking to a later one, printed. Comes in: two rankings with what stands around them. Goes out: a table,
//! a document or rows. A move never prints without audience and coverage of both, nor between rankings of two audiences.

use serde_json::{Value, json};

use crate::{
    print::{self, Format, RankingShown},
    reason::Invalid,
    threat::{Move, moves},
};

/// How areas have moved, in words, under what the rankings rest on.
///
/// # Errors
/// `METHOD_UNFIT` of two that have no common measure, or not one audience.
pub fn compared(format: Format, [before, now]: [&RankingShown; 2]) -> Result<String, Invalid> {
    let moved: Vec<_> = moves(&before.ranking, &now.ranking)?.iter().map(row).collect();
    Ok(match format {
        Format::Json => {
            let [before, now] = [before, now].map(head);
            json!({"before": before, "now": now, "moves": moved}).to_string()
        }
        // Rows travel alone: each says for whom it is and what it rests on.
        Format::Jsonl | Format::Csv => {
            let with = |mut row: Value| {
                row["audience"] = json!(now.audience());
                row["coverage_before"] = json!(before.coverage.join("; "));
                row["coverage_now"] = json!(now.coverage.join("; "));
                row
            };
            print::rows(format, &moved.into_iter().map(with).collect())
        }
        Format::Table => {
            let line = |what: &str, of: &RankingShown| {
                let (name, period) = (of.ranking.digest(), &of.ranking.order().period);
                format!(
                    "{what}: {period}, ranking {name}\n  Coverage: {}\n",
                    of.coverage.join("; ")
                )
            };
            let table = print::rows(format, &moved.into());
            let heads = line("Before", before) + &line("Now", now);
            format!("{heads}Audience of both: {}\n\n{table}", now.audience())
        }
    })
}

/// What is to be known of one of them.
fn head(of: &RankingShown) -> Value {
    json!({
        "ranking": of.ranking.digest().to_string(),
        "period": of.ranking.order().period,
        "audience": of.audience(),
        "coverage": of.coverage,
    })
}

fn row(of: &Move) -> Value {
    let up = of.before.zip(of.now).map(|(before, now)| now.cmp(&before));
    let said = match (of.clear, up) {
        (Some(true), Some(std::cmp::Ordering::Less)) => "up, beyond what uncertainty allows",
        (Some(true), _) => "down, beyond what uncertainty allows",
        (Some(false), _) => "no move that uncertainty does not explain",
        (None, Some(_)) => "not comparable: other areas are ranked",
        (None, None) => "not comparable: without a rank in one of them",
    };
    json!({"crime_area": of.crime_area, "before": of.before, "now": of.now, "moved": said})
}
