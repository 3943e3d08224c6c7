//! Charts of rankings and of own scores. Comes in: a ranking with what stands around it; assessments. Goes out: a chart. Must never
//! give a rank without its range, nor a figure the confidence of a judgement.

use std::path::{Path, PathBuf};

use crate::{
    chart::{
        Chart, Confidence, Direction, Frame, Level, Matrix, Rank, Ranked, Ranks, Text, Threat,
        View, area_label,
    },
    clock::Timestamp,
    operate::threat,
    own_lists,
    print::RankingShown,
    reason::{Invalid, Reason},
    taxonomy::Lists,
    threat::{Alike, Confidence as Founded, Fixed, Outcome, Place, Verdict},
};

/// A ranking of the region: each area with the ranks that are possible for everybody who was asked. `covered`: members that
/// answered, and that were asked, where fewest did.
pub fn ranks(
    shown: &RankingShown,
    (covered, as_of): ((u32, u32), Timestamp),
    lists: &Lists,
) -> Result<Chart, Invalid> {
    let order = shown.ranking.order();
    let text = |text: &str| Text::new("chart.threats", text);
    let mut threats = Vec::new();
    for area in &order.areas {
        threats.push(Ranked {
            label: text(&area_label(&area.crime_area, lists))?,
            rank: Some(Rank::new(area.whole_best, area.rank, area.whole_worst)?),
            band: text("–")?,
            confidence: Confidence::NotStated,
        });
    }
    for spot in &order.white_spots {
        threats.push(Ranked {
            label: text(&area_label(&spot.crime_area, lists))?,
            rank: None,
            band: text("white spot")?,
            confidence: Confidence::NotStated,
        });
    }
    let label = lists.indicator("indicator", &order.indicator);
    let label = label.map_or(order.indicator.clone(), |indicator| indicator.label.clone());
    let digest = shown.ranking.digest().to_string();
    let count = order.pictures_sha256.len();
    let source = format!("ranking {}…, pictures: {count}", digest.get(..12).unwrap_or(&digest));
    let subtitle = format!("{}, {}, {}", order.indicator, order.period, order.categories);
    let dissents = shown.ranking.dissents().len();
    let mut notes = vec![text(
        "A rank is of figures, not a judgement; a white spot has no figure, and is not last.",
    )?];
    if dissents > 0 {
        notes.push(text(&format!("Members that dissent: {dissents}. Read the ranking."))?);
    }
    let audience = format!("Audience: {}", shown.audience());
    let frame = Frame {
        id: "ranks".to_owned(),
        title: text(&format!("{label}: crime areas by rank"))?,
        subtitle: text(&subtitle)?,
        handling: vec![Text::new("chart.handling", &audience)?],
        answered: covered.0,
        asked: covered.1,
        as_of: text(&as_of.to_string())?,
        source: text(&source)?,
        notes,
    };
    Chart::new(frame, View::Ranks(Ranks::new(threats)?), lists)
}

const LIKELIHOOD: [&str; 5] =
    ["remote", "unlikely", "realistic possibility", "likely", "almost certain"];
const IMPACT: [&str; 5] = ["very low", "low", "moderate", "high", "very high"];

/// Own assessments by the method of likelihood and impact, in the order of their scores.
pub fn matrix(files: &[PathBuf], lists: Option<&Path>) -> Result<Chart, Invalid> {
    let lists = own_lists::load(lists)?;
    let scores = threat::assessed(files, lists)?;
    if let Some(other) = scores.iter().find(|score| score.method != "RISK-5X5-C") {
        let detail = format!("{} has no likelihood and impact of five levels", other.method);
        return Err(Invalid::new(Reason::MethodUnfit, "method", detail));
    }
    let mut placed = Alike::of(&scores)?.places()?;
    placed.sort_by_key(|(score, place)| {
        (place.is_none(), place.map(|place| place.rank), score.subject.to_string())
    });
    let threats = placed.into_iter().map(|of| drawn(of, lists)).collect::<Result<Vec<_>, _>>()?;
    let count = u32::try_from(threats.len()).unwrap_or(u32::MAX);
    let words = |words: [&str; 5]| words.map(|word| Text::new("chart.level", word));
    let [likelihood, impact] = [words(LIKELIHOOD), words(IMPACT)];
    let view = Matrix::new(threats, (all(likelihood)?, all(impact)?))?;
    let text = |text: &str| Text::new("chart", text);
    let version = scores.first().map_or("", |score| &score.version);
    let frame = Frame {
        id: "matrix".to_owned(),
        title: text("Threats by likelihood and impact")?,
        subtitle: text(&format!("RISK-5X5-C {version}, own assessments: {count}"))?,
        handling: vec![text("Own assessment: own eyes only")?],
        answered: 1,
        asked: 1,
        as_of: text("its assessments")?,
        source: text("own assessments")?,
        notes: Vec::new(),
    };
    Chart::new(frame, View::Matrix(view), lists)
}

fn all(words: [Result<Text, Invalid>; 5]) -> Result<[Text; 5], Invalid> {
    let [one, two, three, four, five] = words;
    Ok([one?, two?, three?, four?, five?])
}

fn drawn((score, place): (&Outcome, Option<Place>), lists: &Lists) -> Result<Threat, Invalid> {
    let number = |of: usize| u32::try_from(of).unwrap_or(u32::MAX);
    let rank = |of: Place| Rank::new(number(of.best), number(of.rank), number(of.worst));
    let band = match &score.verdict {
        Verdict::Band(band) => band.as_str(),
        Verdict::WhiteSpot => "white spot",
        Verdict::None => "–",
    };
    let ranked = Ranked {
        label: Text::new("subject", &area_label(&score.subject.to_string(), lists))?,
        rank: place.map(rank).transpose()?,
        band: Text::new("band", band)?,
        confidence: match score.confidence {
            Founded::Low => Confidence::Low,
            Founded::Moderate => Confidence::Moderate,
            Founded::High => Confidence::High,
        },
    };
    Ok(Threat {
        ranked,
        likelihood: level(score, "LIKELIHOOD")?,
        impact: level(score, "IMPACT")?,
        // The method says nothing of the time to come.
        direction: Direction::Unknown,
    })
}

/// One side of the matrix, as the method tells it beside the score, and where it may lie for what is not known.
fn level(score: &Outcome, side: &str) -> Result<Level, Invalid> {
    let beside = score.beside.iter().find(|beside| beside.code == side);
    let hundredths = |figure: Option<Fixed>, or: u16| {
        let figure = figure.map(|figure| figure.millionths() / 10_000);
        figure.and_then(|figure| u16::try_from(figure).ok()).unwrap_or(or)
    };
    let low = hundredths(beside.and_then(|beside| beside.lo), 100);
    let high = hundredths(beside.and_then(|beside| beside.hi), 500);
    // Where nothing of it is known, the middle of what is possible.
    Level::new(low, hundredths(beside.and_then(|beside| beside.point), (low + high) / 2), high)
}
