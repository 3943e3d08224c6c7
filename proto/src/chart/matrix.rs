//! A risk matrix, likelihood across and impact up, with its table beside it. Comes in: threats with scores and how far they may
//! lie. Goes out: a numbered mark and a box for each. Must never be the record: that is the table.

use super::{
    Drawn, EDGE, colour, font,
    grid::{self, Column},
    legend::Key,
    ranks::{Rank, Ranked, UNRANKED},
    svg::{Anchor, Area, Canvas, Fill, Look, PX, Pen, Spot, Stroke},
    words::{Text, counted, listed},
};
use crate::{
    limits::CHART_THREATS_MAX,
    reason::{Invalid, Reason},
};

/// A score from 1 to 5 in hundredths, and how far it may lie. Made by [`Level::new`] only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    point: u16,
    low: u16,
    high: u16,
}

impl Level {
    /// In hundredths: 300 is three.
    ///
    /// # Errors
    /// `FIELD_INVALID` unless 100 ≤ low ≤ point ≤ high ≤ 500.
    pub fn new(low: u16, point: u16, high: u16) -> Result<Self, Invalid> {
        if 100 <= low && low <= point && point <= high && high <= 500 {
            return Ok(Self { point, low, high });
        }
        let detail = format!("{low}, {point}, {high} do not ascend between 100 and 500");
        Err(Invalid::new(Reason::FieldInvalid, "level", detail))
    }

    fn text(self) -> String {
        let of = |level: u16| super::cell::number(i64::from(level), 2);
        let trimmed = |level: u16| of(level).trim_end_matches('0').trim_end_matches('.').to_owned();
        if self.low == self.high {
            return trimmed(self.point);
        }
        format!("{} [{}–{}]", trimmed(self.point), trimmed(self.low), trimmed(self.high))
    }
}

/// Where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Up.
    Up,
    /// As it was.
    Stable,
    /// Down.
    Down,
    /// Nobody can tell.
    Unknown,
}

impl Direction {
    fn words(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Stable => "stable",
            Self::Down => "down",
            Self::Unknown => "unknown",
        }
    }

    fn draw(self, canvas: &mut Canvas, (x, y): Spot) {
        let triangle = |tip: i64| [(x - 45, y - tip / 2), (x + 45, y - tip / 2), (x, y + tip / 2)];
        match self {
            Self::Up => canvas.shape([triangle(-80).as_slice()], Look::filled(colour::INK)),
            Self::Down => canvas.shape([triangle(80).as_slice()], Look::filled(colour::INK)),
            Self::Stable => {
                canvas.rect(Area::new((x - 45, y - 20), 90, 40), Look::filled(colour::INK));
            }
            Self::Unknown => {
                canvas.text((x, y + 4 * PX), "?", Pen::SMALL.bold().at(Anchor::Middle));
            }
        }
    }
}

/// A threat in the matrix.
#[derive(Clone, Debug)]
pub struct Threat {
    /// Its name, rank, band and confidence.
    pub ranked: Ranked,
    /// How likely it is.
    pub likelihood: Level,
    /// How much harm it does.
    pub impact: Level,
    /// Where it goes.
    pub direction: Direction,
}

/// A risk matrix. Made by [`Matrix::new`] only.
#[derive(Clone, Debug)]
pub struct Matrix {
    threats: Vec<Threat>,
    /// Words for each level, of likelihood and of impact.
    levels: Vec<(Text, Text)>,
}

impl Matrix {
    /// In the order in which they are numbered; words for the five levels of likelihood and of impact, lowest first.
    ///
    /// # Errors
    /// `LIMIT_EXCEEDED`.
    pub fn new(
        threats: Vec<Threat>,
        (likelihood, impact): ([Text; 5], [Text; 5]),
    ) -> Result<Self, Invalid> {
        super::within("chart.threats", threats.len(), CHART_THREATS_MAX)?;
        let levels = likelihood.into_iter().zip(impact).collect();
        Ok(Self { threats, levels })
    }
}

const SQUARE: i64 = 64 * PX;
const GUTTER: i64 = 68 * PX;

impl Drawn for Matrix {
    fn draw(&self, canvas: &mut Canvas, top: i64) -> i64 {
        let side = 5 * SQUARE;
        let plot = Area::new((EDGE + GUTTER, top + 20 * PX), side, side);
        canvas.decor(|canvas| self.ground(canvas, plot));
        let mut spots = Vec::new();
        for threat in &self.threats {
            let spot = free(threat.home(plot), plot, &spots);
            spots.push(spot);
        }
        canvas.decor(|canvas| self.boxes(canvas, plot, &spots));
        for (at, (threat, spot)) in self.threats.iter().zip(&spots).enumerate() {
            let number = (at + 1).to_string();
            let title = format!(
                "{number}: {}, likelihood {}, impact {}",
                threat.ranked.label,
                threat.likelihood.text(),
                threat.impact.text()
            );
            canvas.mark(&title, |canvas| {
                let stroke = Stroke::solid(colour::PAPER, 10);
                canvas.circle(*spot, 95, Look { fill: Fill::Colour(colour::LINE), stroke });
                let pen = Pen::SMALL.bold().coloured(colour::PAPER).at(Anchor::Middle);
                canvas.text((spot.0, spot.1 + 4 * PX), &number, pen);
            });
        }
        let (head, rows) = self.table();
        let left = plot.right() + 22 * PX;
        let columns: [Column; 8] =
            [22, 112, 70, 70, 66, 44, 74, 44].map(|of| (of * PX, Anchor::Start));
        let arrow = left + (22 + 112 + 70 + 70 + 66 + 44 + 74 + 16) * PX;
        let below = grid::texts(canvas, (left, top), &columns, (&head, &rows), |canvas, at, y| {
            self.threats[at].direction.draw(canvas, (arrow, y));
        });
        below.max(plot.bottom() + 82 * PX)
    }

    fn keys(&self) -> Vec<Key> {
        vec![Key::Span]
    }

    fn sentence(&self) -> String {
        let name = |(at, of): (usize, &Threat)| {
            let rank = of
                .ranked
                .rank
                .map_or_else(|| UNRANKED.to_owned(), |rank| format!("rank {}", rank.text()));
            format!("{} {} ({rank})", at + 1, of.ranked.label)
        };
        let firsts: Vec<_> = self.threats.iter().enumerate().take(3).map(name).collect();
        let all = counted(self.threats.len(), "threat", "threats");
        format!("{all} by likelihood and impact; in order: {}.", listed(&firsts))
    }

    fn rows(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let head =
            ["Number", "Threat", "Likelihood", "Impact", "Rank", "Band", "Confidence", "Direction"];
        let row = |(at, of): (usize, &Threat)| {
            vec![
                (at + 1).to_string(),
                of.ranked.label.to_string(),
                of.likelihood.text(),
                of.impact.text(),
                of.ranked.rank.map_or_else(|| UNRANKED.to_owned(), Rank::text),
                of.ranked.band.to_string(),
                of.ranked.confidence.words().to_owned(),
                of.direction.words().to_owned(),
            ]
        };
        (head.map(str::to_owned).to_vec(), self.threats.iter().enumerate().map(row).collect())
    }

    fn notes(&self) -> Vec<String> {
        let text = "The matrix is a reading aid, the table is the record. Likelihood and confidence are two things.";
        vec![text.to_owned()]
    }
}

impl Matrix {
    fn ground(&self, canvas: &mut Canvas, plot: Area) {
        let pen = Pen::of(10).muted();
        canvas.text((plot.x, plot.y - 8 * PX), "Impact", Pen::SMALL.bold());
        for row in 0..5 {
            for column in 0..5 {
                let spot = (plot.x + column * SQUARE, plot.y + (4 - row) * SQUARE);
                let ground = ground_of((row + 1) * (column + 1));
                let stroke = Stroke::solid(colour::RULE, 8);
                let look = Look { fill: Fill::Colour(ground), stroke };
                canvas.rect(Area::new(spot, SQUARE, SQUARE), look);
            }
        }
        for (at, (across, up)) in (0..).zip(&self.levels) {
            let x = plot.x + at * SQUARE + SQUARE / 2;
            let number = (at + 1).to_string();
            let head = Pen::SMALL.bold();
            canvas.text((x, plot.bottom() + 14 * PX), &number, head.at(Anchor::Middle));
            let lines = font::shortened(across.as_str(), SQUARE - 6 * PX, 3, pen);
            for (line, text) in (0..).zip(&lines) {
                let y = plot.bottom() + 27 * PX + line * 12 * PX;
                canvas.text((x, y), text, pen.at(Anchor::Middle));
            }
            let y = plot.bottom() - at * SQUARE - SQUARE / 2;
            let lines = font::shortened(up.as_str(), GUTTER - 10 * PX, 2, pen);
            canvas.text((plot.x - 8 * PX, y - 6 * PX), &number, head.at(Anchor::End));
            for (line, text) in (0..).zip(&lines) {
                canvas.text(
                    (plot.x - 8 * PX, y + 7 * PX + line * 12 * PX),
                    text,
                    pen.at(Anchor::End),
                );
            }
        }
        let spot = (plot.right(), plot.bottom() + 66 * PX);
        canvas.text(spot, "Likelihood", Pen::SMALL.bold().at(Anchor::End));
    }

    /// A box for each threat, with its number on its edge.
    fn boxes(&self, canvas: &mut Canvas, plot: Area, spots: &[Spot]) {
        const DASHES: [&str; 4] = ["", "6 3", "2 2", "8 3 2 3"];
        let mut taken = spots.to_vec();
        let mut tags = Vec::new();
        for (at, (threat, spot)) in self.threats.iter().zip(spots).enumerate() {
            // Boxes of equal scores must not cover each other.
            let pad = 120 + i64::try_from(at % 4).unwrap_or(0) * 25;
            let (likelihood, impact) = (threat.likelihood, threat.impact);
            let corner = (across(plot, likelihood.low) - pad, up(plot, impact.high) - pad);
            let width = across(plot, likelihood.high) + pad - corner.0;
            let height = up(plot, impact.low) + pad - corner.1;
            let area = Area::new(corner, width, height);
            let stroke = Stroke { colour: colour::LINE, width: 13, dashes: DASHES[at % 4] };
            canvas.rect(area, Look::outline(stroke));
            let home = threat.home(plot);
            if *spot != home {
                canvas.line(home, *spot, Stroke::solid(colour::LINE, 8));
            }
            let clear = |tag: &Spot| taken.iter().all(|of| apart(*of, *tag) >= 155);
            if let Some(tag) = on_edge(area).find(clear) {
                taken.push(tag);
                tags.push((tag, (at + 1).to_string()));
            }
        }
        let pen = Pen::of(9).bold().coloured(colour::LINE).at(Anchor::Middle);
        for ((x, y), number) in &tags {
            let wide = font::width(number, pen) + 4 * PX;
            canvas.rect(Area::new((x - wide / 2, y - 50), wide, 100), Look::filled(colour::PAPER));
            canvas.text((*x, y + 32), number, pen);
        }
    }

    /// The table beside it; directions are drawn.
    fn table(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let head = ["#", "Threat", "Likelihood", "Impact", "Band", "Rank", "Confidence", "Trend"];
        let row = |(at, of): (usize, &Threat)| {
            vec![
                (at + 1).to_string(),
                of.ranked.label.to_string(),
                of.likelihood.text(),
                of.impact.text(),
                of.ranked.band.to_string(),
                of.ranked.rank.map_or_else(|| "–".to_owned(), Rank::text),
                of.ranked.confidence.words().to_owned(),
                String::new(),
            ]
        };
        (head.map(str::to_owned).to_vec(), self.threats.iter().enumerate().map(row).collect())
    }
}

/// The faint ground of likelihood times impact.
fn ground_of(product: i64) -> &'static str {
    let class = [5, 10, 15, 20].iter().filter(|limit| product >= **limit).count();
    colour::GROUNDS.get(class).copied().unwrap_or(colour::PAPER)
}

impl Threat {
    /// Where its mark stands, unless another one does.
    fn home(&self, plot: Area) -> Spot {
        (across(plot, self.likelihood.point), up(plot, self.impact.point))
    }
}

fn across(plot: Area, level: u16) -> i64 {
    plot.x + (i64::from(level) - 50) * SQUARE / 100
}

fn up(plot: Area, level: u16) -> i64 {
    plot.bottom() - (i64::from(level) - 50) * SQUARE / 100
}

/// The nearest spot at which no mark stands yet.
fn free(home: Spot, plot: Area, taken: &[Spot]) -> Spot {
    const APART: i64 = 205;
    let mut steps: Vec<Spot> = Vec::new();
    for down in -4..=4_i64 {
        steps.extend((-4..=4_i64).map(|across| (across, down)));
    }
    steps.sort_by_key(|(across, down)| (across * across + down * down, *down, *across));
    let inside = |(x, y): &Spot| {
        let room = 100;
        (plot.x + room..=plot.right() - room).contains(x)
            && (plot.y + room..=plot.bottom() - room).contains(y)
    };
    let clear = |spot: &Spot| taken.iter().all(|other| apart(*other, *spot) >= APART);
    let spots = steps.iter().map(|(across, down)| (home.0 + across * 105, home.1 + down * 105));
    spots.filter(inside).find(clear).unwrap_or(home)
}

fn apart(a: Spot, b: Spot) -> i64 {
    (a.0 - b.0).abs().max((a.1 - b.1).abs())
}

/// Spots on the edge of a box: along the top, then down the left side, the right side and along the bottom.
fn on_edge(area: Area) -> impl Iterator<Item = Spot> {
    let along = move |from: i64, to: i64| (from..to).step_by(80);
    let top = along(area.x + 60, area.right() - 40).map(move |x| (x, area.y));
    let left = along(area.y + 90, area.bottom() - 40).map(move |y| (area.x, y));
    let right = along(area.y + 90, area.bottom() - 40).map(move |y| (area.right(), y));
    let bottom = along(area.x + 60, area.right() - 40).map(move |x| (x, area.bottom()));
    top.chain(left).chain(right).chain(bottom)
}
