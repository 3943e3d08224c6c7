//! Own assessments from the command line. Comes in: files that an analyst wrote. Goes out: scores with how each came about, or their
//! order. Nothing is sent anywhere. Must never print a score without its range, nor put confidence or forecast into it.

use accord_proto::{
    operate::threat,
    own_lists,
    print::{self, Format},
    reason::{Invalid, Reason},
    threat::{Alike, Fixed, Outcome as Score, Span, SubjectKind, Verdict},
};
use serde_json::{Value, json};

use crate::cli::{Outcome, threat::Assessments};

/// Scores each file by itself.
pub(super) fn score(wanted: &Assessments, summary: bool) -> Result<Outcome, Invalid> {
    let scores = read(wanted)?;
    let format = wanted.printing.format;
    let data = match format {
        _ if summary => for_a_summary(&scores)?,
        Format::Json => json!(scores).to_string(),
        Format::Jsonl => {
            scores.iter().map(|score| json!(score).to_string()).collect::<Vec<_>>().join("\n")
        }
        Format::Csv => print::rows(format, &scores.iter().map(row).collect()),
        Format::Table => {
            scores.iter().map(|score| in_full(score, format)).collect::<Vec<_>>().join("\n\n")
        }
    };
    let asks = scores.iter().filter_map(|score| score.suggestion.as_ref());
    let remark = |ask: &accord_proto::threat::Suggestion| {
        format!("consider a requirement: {} (not known: {})", ask.why, ask.unknown.join(", "))
    };
    Ok(Outcome { data, remarks: asks.map(remark).collect(), ..Outcome::default() })
}

/// Orders scores of one method and the same parameters.
pub(super) fn rank(wanted: &Assessments) -> Result<Outcome, Invalid> {
    let scores = read(wanted)?;
    let mut placed = Alike::of(&scores)?.places()?;
    // White spots stand at the end, without a rank.
    placed.sort_by_key(|(score, place)| {
        (place.is_none(), place.map(|place| place.rank), score.subject.to_string())
    });
    let row = |(score, place): &(&Score, Option<accord_proto::threat::Place>)| {
        let mut printed = json!({
            "rank": place.map(|place| place.rank),
            "rank_range": place.map_or_else(String::new, |of| range(of.best, Some(of.worst))),
            "tied": place.map(|place| place.tied),
        });
        if let (Value::Object(printed), Value::Object(row)) = (&mut printed, row(score)) {
            printed.extend(row);
        }
        printed
    };
    let rows = placed.iter().map(row).collect();
    Ok(Outcome { data: print::rows(wanted.printing.format, &rows), ..Outcome::default() })
}

fn read(wanted: &Assessments) -> Result<Vec<Score>, Invalid> {
    threat::assessed(&wanted.files, own_lists::load(wanted.lists.as_deref())?)
}

/// From where to where; one number where both are the same, open where there is no largest.
fn range(least: impl ToString, most: Option<impl ToString>) -> String {
    let (least, most) = (least.to_string(), most.map(|most| most.to_string()));
    match most {
        None => format!("{least} or more"),
        Some(most) if most == least => least,
        Some(most) => format!("{least}–{most}"),
    }
}

fn span(of: Span) -> String {
    range(of.lo, of.hi)
}

fn row(score: &Score) -> Value {
    let verdict = match &score.verdict {
        Verdict::Band(band) => band.as_str(),
        Verdict::WhiteSpot => "white spot",
        Verdict::None => "",
    };
    let forecast = score.forecast.as_ref();
    let forecast = forecast.and_then(|of| of.point.map(|point| (point, of.lo, of.hi)));
    json!({
        "subject": score.subject.to_string(),
        "method": format!("{} {}", score.method, score.version),
        "score": score.score.point.to_string(),
        "range": span(score.score),
        "of_most": score.max.map(|most: Fixed| most.to_string()),
        "verdict": verdict,
        "verdict_range": score.verdict_range.as_ref().map(|[least, most]| range(least, Some(most))),
        "unknown_share": score.unknown_share.to_string(),
        "confidence": score.confidence,
        "forecast": forecast.map(|(point, lo, hi)| match lo {
            Some(lo) => format!("{point} ({})", range(lo, hi)),
            None => point.to_string(),
        }),
        "justification": score.justification.as_str(),
    })
}

/// A score with every step.
fn in_full(score: &Score, format: Format) -> String {
    let step = |step: &accord_proto::threat::Step| {
        json!({
            "input": step.input,
            "group": step.group,
            "level": step.level.map_or_else(|| "unknown".to_owned(), |level| level.to_string()),
            "weight": step.weight.to_string(),
            "counts": step.partial.map_or_else(|| "left out".to_owned(), |of| of.to_string()),
        })
    };
    let beside = score.beside.iter().map(|of| {
        let text = |figure: Option<Fixed>| figure.map_or_else(String::new, |of| of.to_string());
        format!(
            "\nBeside it: {} {} ({})",
            of.code,
            text(of.point),
            match of.lo {
                Some(lo) => range(lo, of.hi),
                None => String::new(),
            }
        )
    });
    let steps = print::rows(format, &score.trace.iter().map(step).collect());
    let parameters = format!("Parameters {}", score.parameters);
    let beside: String = beside.collect();
    format!("{}\n{steps}{beside}\n{parameters}", print::rows(format, &row(score)))
}

/// `[[scores]]` of a summary. Only crime areas have a place there.
fn for_a_summary(scores: &[Score]) -> Result<String, Invalid> {
    let mut written = Vec::new();
    for score in scores {
        if score.subject.kind() != SubjectKind::CrimeArea {
            let detail =
                format!("{} is no crime area: a summary has no place for it", score.subject);
            return Err(Invalid::new(Reason::MethodUnfit, "subject", detail));
        }
        written.push(json!({
            "area": score.subject.to_string(),
            "method": score.method,
            "value": score.score.point.to_string(),
            "justification": score.justification.as_str(),
        }));
    }
    let text = toml::to_string(&json!({ "scores": written }));
    text.map(|text| text.trim_end().to_owned())
        .map_err(|error| Invalid::new(Reason::Internal, "scores", error.to_string()))
}
