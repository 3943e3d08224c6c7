//! Ranks of threats, as intervals. Comes in: threats in the order of their ranking. Goes out: a bar for each, from the best to
//! the worst rank that it may have. Must never rank jurisdictions, nor let a rank look more certain than it is.

use super::colour;
use super::font;
use super::{
    Drawn, EDGE, WIDTH,
    legend::{self, Key},
    svg::{Anchor, Canvas, PX, Pen, Stroke},
    words::{Text, counted},
};
use crate::{
    limits::CHART_ROWS_MAX,
    reason::{Invalid, Reason},
};

/// A rank, and the ranks that uncertainty allows. Made by [`Rank::new`] only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rank {
    pub(super) point: u32,
    pub(super) best: u32,
    pub(super) worst: u32,
}

impl Rank {
    /// `best` is the lower number.
    ///
    /// # Errors
    /// `FIELD_INVALID` unless 1 ≤ best ≤ point ≤ worst.
    pub fn new(best: u32, point: u32, worst: u32) -> Result<Self, Invalid> {
        if 1 <= best && best <= point && point <= worst {
            return Ok(Self { point, best, worst });
        }
        let detail = format!("{best}, {point}, {worst} do not ascend from 1: best, rank, worst");
        Err(Invalid::new(Reason::FieldInvalid, "rank", detail))
    }

    /// `2–4`, or `2`.
    pub(super) fn text(self) -> String {
        if self.best == self.worst {
            self.point.to_string()
        } else {
            format!("{}–{}", self.best, self.worst)
        }
    }
}

/// How well a judgement is founded; never folded into a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confidence {
    /// Marginal sources, many assumptions, weak inference, large gaps.
    Low,
    /// Good sources that agree in part, some assumptions, few gaps.
    Moderate,
    /// Proven sources that agree, hardly an assumption, strong inference, no gap that matters.
    High,
    /// It is a figure: nobody has judged it.
    NotStated,
}

impl Confidence {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Moderate => "moderate",
            Self::High => "high",
            Self::NotStated => "not stated",
        }
    }
}

/// A threat and its rank.
#[derive(Clone, Debug)]
pub struct Ranked {
    /// Its name.
    pub label: Text,
    /// Its rank; none where too little is known: a white spot, which is no low rank.
    pub rank: Option<Rank>,
    /// The band of its score, in the method's word.
    pub band: Text,
    /// How well it is founded.
    pub confidence: Confidence,
}

/// Ranks. Made by [`Ranks::new`] only.
#[derive(Clone, Debug)]
pub struct Ranks {
    threats: Vec<Ranked>,
}

impl Ranks {
    /// In the order in which they are to stand.
    ///
    /// # Errors
    /// `LIMIT_EXCEEDED`; `FIELD_INVALID` of a rank below the number of threats.
    pub fn new(threats: Vec<Ranked>) -> Result<Self, Invalid> {
        super::within("chart.threats", threats.len(), CHART_ROWS_MAX)?;
        let last = u32::try_from(threats.len()).unwrap_or(u32::MAX);
        if threats.iter().filter_map(|of| of.rank).any(|rank| rank.worst > last) {
            let detail = format!("a rank is beyond {last}, the number of threats");
            return Err(Invalid::new(Reason::FieldInvalid, "chart.threats.rank", detail));
        }
        Ok(Self { threats })
    }
}

/// What stands for a threat of which too little is known to rank it.
pub(super) const UNRANKED: &str = "not ranked";

impl Drawn for Ranks {
    fn draw(&self, canvas: &mut Canvas, top: i64) -> i64 {
        const ROW: i64 = 26 * PX;
        let labels = 250 * PX;
        let (left, right) = (EDGE + labels, WIDTH - EDGE - 250 * PX);
        let all = i64::try_from(self.threats.len()).unwrap_or(1).max(1);
        let step = ((right - left) / all).min(90 * PX);
        let x = |rank: u32| left + step * (i64::from(rank) - 1) + step / 2;
        let words = [(20, "Rank"), (92, "Band"), (182, "Confidence")];
        let columns = words.map(|(at, name)| (right + at * PX, name));
        let bottom = top + 24 * PX + ROW * all;
        canvas.decor(|canvas| {
            canvas.text((left + step / 2 - 4 * PX, top), "first", Pen::SMALL.muted());
            for (x, name) in columns {
                canvas.text((x, top + 14 * PX), name, Pen::SMALL.bold());
            }
            let pen = Pen::SMALL.muted().at(Anchor::Middle);
            let every = usize::try_from(20 * PX / step.max(1)).unwrap_or(0) + 1;
            for rank in (1..=u32::try_from(all).unwrap_or(1)).step_by(every) {
                canvas.text((x(rank), top + 14 * PX), &rank.to_string(), pen);
                let ends = ((x(rank), top + 19 * PX), (x(rank), bottom));
                canvas.line(ends.0, ends.1, Stroke::solid(colour::RULE, 6));
            }
        });
        let mut y = top + 24 * PX + ROW / 2;
        for threat in &self.threats {
            let rank = threat.rank.map_or_else(|| UNRANKED.to_owned(), Rank::text);
            let title = format!(
                "{}: rank {rank}, {}, confidence {}",
                threat.label,
                threat.band,
                threat.confidence.words()
            );
            canvas.mark(&title, |canvas| {
                let pen = Pen::BODY.at(Anchor::End);
                let label = font::shortened(threat.label.as_str(), labels - 12 * PX, 1, pen);
                let label = label.first().map_or("", String::as_str);
                canvas.text((left - 10 * PX, y + 4 * PX), label, pen);
                match threat.rank {
                    Some(rank) => {
                        let ends = (x(rank.best) - 45, x(rank.worst) + 45);
                        legend::rank_bar(canvas, ends, x(rank.point), y);
                    }
                    None => canvas.line((x(1), y), (x(1) + step * (all - 1), y), white_spot()),
                }
                let band = font::shortened(threat.band.as_str(), 80 * PX, 1, Pen::SMALL);
                let band = band.first().cloned().unwrap_or_default();
                let texts = [rank, band, threat.confidence.words().to_owned()];
                for ((x, _), text) in columns.iter().zip(&texts) {
                    canvas.text((*x, y + 4 * PX), text, Pen::SMALL);
                }
            });
            y += ROW;
        }
        bottom + 10 * PX
    }

    fn keys(&self) -> Vec<Key> {
        let ranked = self.threats.iter().any(|of| of.rank.is_some()).then_some(Key::Rank);
        let white = self.threats.iter().any(|of| of.rank.is_none()).then_some(Key::Unranked);
        ranked.into_iter().chain(white).collect()
    }

    fn sentence(&self) -> String {
        let firsts = self.threats.iter().filter_map(|of| Some((of, of.rank?))).take(3);
        let firsts: Vec<_> =
            firsts.map(|(of, rank)| format!("{} (rank {})", of.label, rank.text())).collect();
        let unranked = self.threats.iter().filter(|of| of.rank.is_none()).count();
        let unranked = match unranked {
            0 => String::new(),
            count => format!(" Too little is known to rank {count}."),
        };
        let all = counted(self.threats.len(), "threat", "threats");
        format!("{all}; in order: {}.{unranked}", super::words::listed(&firsts))
    }

    fn rows(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let head = ["Threat", "Rank", "Best rank", "Worst rank", "Band", "Confidence"];
        let row = |of: &Ranked| {
            let rank = |pick: fn(Rank) -> u32| {
                of.rank.map_or_else(|| UNRANKED.to_owned(), |rank| pick(rank).to_string())
            };
            vec![
                of.label.to_string(),
                rank(|rank| rank.point),
                rank(|rank| rank.best),
                rank(|rank| rank.worst),
                of.band.to_string(),
                of.confidence.words().to_owned(),
            ]
        };
        (head.map(str::to_owned).to_vec(), self.threats.iter().map(row).collect())
    }

    fn notes(&self) -> Vec<String> {
        let text = "Where ranks overlap, the order is not certain.";
        vec![text.to_owned()]
    }
}

/// The line of what is not ranked.
pub(super) fn white_spot() -> Stroke {
    Stroke { colour: colour::MUTED, width: 10, dashes: "2 4" }
}
