//! The legend of a chart. Comes in: what stands in it. Goes out: a pattern, a sign and a word for each, in lines. Must never
//! explain what is not in the chart.

use super::{
    cell::{self, State},
    colour, font,
    svg::{Anchor, Area, Canvas, Fill, Look, PX, Pattern, Pen, Spot, Stroke},
    trend::Since,
};

/// What a legend explains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// A class of figures, and its bounds in words.
    Class(usize, String),
    /// A state of an area.
    Area(State),
    /// A state of a point in a trend.
    Point(State),
    /// The line of a trend.
    Line,
    /// The band of noise and rounding.
    Protection,
    /// The band of what did not report.
    Reporting,
    /// Why a line is not drawn on.
    Rule(Since),
    /// The box of a threat.
    Span,
    /// The bar of a rank.
    Rank,
    /// Too little is known to rank it.
    Unranked,
    /// All cells of a member are shown.
    All,
    /// Some are.
    Some,
}

const SWATCH: (i64, i64) = (26 * PX, 16 * PX);
const LINE: i64 = 22 * PX;

/// Draws a legend within `area`'s width, from its top; where it ends.
pub(super) fn draw(canvas: &mut Canvas, (left, top): Spot, width: i64, keys: &[Key]) -> i64 {
    let (mut x, mut y) = (left, top);
    for key in keys {
        let (sign, words) = (key.sign_beside(), key.words());
        let bold = Pen::SMALL.bold();
        let sign_wide = if sign.is_empty() { 0 } else { font::width(sign, bold) + 5 * PX };
        let wide = SWATCH.0 + 7 * PX + sign_wide + font::width(&words, Pen::SMALL) + 20 * PX;
        if x > left && x + wide > left + width {
            (x, y) = (left, y + LINE);
        }
        key.swatch(canvas, Area::new((x, y), SWATCH.0, SWATCH.1));
        let beside = x + SWATCH.0 + 7 * PX;
        canvas.text((beside, y + 12 * PX), sign, bold);
        canvas.text((beside + sign_wide, y + 12 * PX), &words, Pen::SMALL);
        x += wide;
    }
    if keys.is_empty() { top } else { y + LINE }
}

impl Key {
    /// Its sign, unless that stands in the swatch.
    fn sign_beside(&self) -> &'static str {
        match self {
            Self::Area(State::Partial | State::Break) => "",
            Self::Area(state) | Self::Point(state) => state.sign(),
            Self::Rule(since) => since.sign(),
            Self::Class(..)
            | Self::Line
            | Self::Protection
            | Self::Reporting
            | Self::Span
            | Self::Rank
            | Self::Unranked
            | Self::All
            | Self::Some => "",
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Class(_, words) => words.clone(),
            Self::Area(state) | Self::Point(state) => state.meaning().to_owned(),
            Self::Line => "figure".to_owned(),
            Self::Protection => "protection: noise, rounding or masking".to_owned(),
            Self::Reporting => "reporting: whatever those bring who are not in it".to_owned(),
            Self::Rule(since) => since.words().to_owned(),
            Self::Span => "numbered threat, and how far its scores may lie".to_owned(),
            Self::Rank => "rank, and the ranks that it may have".to_owned(),
            Self::Unranked => "too little is known to rank it".to_owned(),
            Self::All => "all cells shown".to_owned(),
            Self::Some => "some not shown, no reason given".to_owned(),
        }
    }

    fn swatch(&self, canvas: &mut Canvas, area: Area) {
        let (x, y) = area.middle();
        match self {
            Self::Class(class, _) => {
                let colour = colour::CLASSES.get(*class).copied().unwrap_or(colour::PAPER);
                let stroke = Stroke::solid(colour::INK, 8);
                canvas.rect(area, Look { fill: Fill::Colour(colour), stroke });
            }
            Self::Area(state) => area_swatch(canvas, area, *state),
            Self::Point(state) => point_swatch(canvas, area, *state),
            Self::Line => {
                canvas.line((area.x, y), (area.right(), y), Stroke::solid(colour::LINE, 20));
                canvas.circle((x, y), 35, Look::filled(colour::LINE));
            }
            Self::Protection => canvas.rect(area.inset(10), Look::filled(colour::BAND)),
            Self::Reporting => canvas.rect(area.inset(10), reporting()),
            Self::Rule(since) => canvas.line((x, area.y), (x, area.bottom()), since.rule()),
            Self::Span => {
                canvas.rect(area, Look::outline(Stroke::solid(colour::INK, 12)));
                canvas.circle((x, y), 70, Look::filled(colour::LINE));
                let pen = Pen::of(9).bold().coloured(colour::PAPER).at(Anchor::Middle);
                canvas.text((x, y + 32), "1", pen);
            }
            Self::Rank => rank_bar(canvas, (area.x, area.right()), x, y),
            Self::Unranked => {
                canvas.line((area.x, y), (area.right(), y), super::ranks::white_spot())
            }
            Self::All => canvas.rect(area, Look::filled(colour::CLASSES[4])),
            Self::Some => some(canvas, area),
        }
    }
}

/// How the band of what did not report looks.
pub(super) fn reporting() -> Look {
    let stroke = Stroke { colour: "#6b7782", width: 8, dashes: "3 2" };
    Look { fill: Fill::Pattern(Pattern::Dots), stroke }
}

/// Some cells are shown.
pub(super) fn some(canvas: &mut Canvas, area: Area) {
    let stroke = Stroke::solid(colour::INK, 8);
    canvas.rect(area, Look { fill: Fill::Colour(colour::CLASSES[0]), stroke });
    canvas.rect(area, Look { fill: Fill::Pattern(Pattern::Thin), stroke: Stroke::NONE });
}

/// The bar of a rank: from, to, and the rank itself.
pub(super) fn rank_bar(canvas: &mut Canvas, (from, to): (i64, i64), point: i64, y: i64) {
    let bar = Area::new((from, y - 45), (to - from).max(10), 9 * PX);
    let stroke = Stroke::solid(colour::LINE, 8);
    canvas.rect(bar, Look { fill: Fill::Colour(colour::CLASSES[1]), stroke });
    canvas.circle((point, y), 45, Look::filled(colour::INK));
}

fn area_swatch(canvas: &mut Canvas, area: Area, state: State) {
    let look = match state {
        State::Provisional => Look {
            stroke: Stroke { colour: colour::INK, width: 15, dashes: "2 3" },
            ..state.look()
        },
        State::Figure
        | State::Between
        | State::Partial
        | State::Break
        | State::LowReliability
        | State::NotShown
        | State::Missing
        | State::NotApplicable
        | State::Waiting
        | State::Unreachable => state.look(),
    };
    canvas.rect(area, look);
    // Only their sign tells them from another figure: an empty box would look like what is not applicable.
    if matches!(state, State::Partial | State::Break) {
        let (x, y) = area.middle();
        let pen = Pen::SMALL.bold().at(Anchor::Middle).boxed();
        canvas.text((x, y + 4 * PX), state.sign(), pen);
    }
    if state == State::LowReliability {
        canvas.rect(area, Look { fill: Fill::Pattern(Pattern::Thin), stroke: Stroke::NONE });
    }
    if state == State::Waiting {
        cell::clock_face(canvas, area.middle());
    }
}

fn point_swatch(canvas: &mut Canvas, area: Area, state: State) {
    let (x, y) = area.middle();
    match state {
        State::Between => interval(canvas, x, (area.y + 10, area.bottom() - 10)),
        State::Figure
        | State::Partial
        | State::Provisional
        | State::Break
        | State::LowReliability => {
            point(canvas, (x, y), state == State::Partial, state == State::Provisional);
        }
        State::NotShown
        | State::Missing
        | State::NotApplicable
        | State::Waiting
        | State::Unreachable => area_swatch(canvas, area, state),
    }
}

/// A point of a trend: hollow where it is a part, dotted where it may change.
pub(super) fn point(canvas: &mut Canvas, at: Spot, part: bool, provisional: bool) {
    let fill = Fill::Colour(if part || provisional { colour::PAPER } else { colour::LINE });
    let dashes = if provisional { "1.5 1.5" } else { "" };
    canvas.circle(
        at,
        35,
        Look { fill, stroke: Stroke { colour: colour::LINE, width: 17, dashes } },
    );
}

/// Where a figure lies of which only that is known.
pub(super) fn interval(canvas: &mut Canvas, x: i64, (top, bottom): (i64, i64)) {
    let line = Stroke::solid(colour::LINE, 20);
    canvas.line((x, top), (x, bottom), line);
    for y in [top, bottom] {
        canvas.line((x - 40, y), (x + 40, y), line);
    }
}
