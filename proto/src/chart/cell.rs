//! A cell of a chart: a decided state, and nothing else. Comes in: a figure with its interval, or why there is none. Goes out:
//! words, signs and patterns for it. Must never draw a gap as zero, nor two cells that are not shown in two ways.

use std::collections::BTreeSet;

use super::{
    colour,
    svg::{Anchor, Area, Canvas, Fill, Look, PX, Pattern, Pen, Spot, Stroke},
    words::Text,
};
use crate::{
    reason::{Invalid, Reason},
    taxonomy::decimal,
};

/// What else is to be known of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quality {
    /// It rests on some of the members asked.
    Partial,
    /// It may still change.
    Provisional,
    /// It is made in another way than the figure before.
    Break,
    /// It is not reliable.
    LowReliability,
}

/// What may be drawn of a cell. Two that are not shown are equal, whatever the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell(pub(super) Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Figure(Figure),
    NotShown,
    Missing,
    NotApplicable,
    Waiting(Option<Text>),
    Unreachable(Option<Text>),
}

/// A figure, or the interval that it lies in; in units of 10^-decimals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Figure {
    pub(super) point: Option<i64>,
    pub(super) lower: i64,
    pub(super) upper: i64,
    pub(super) decimals: u32,
    pub(super) qualities: BTreeSet<Quality>,
}

/// What a legend explains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    Figure,
    Between,
    Partial,
    Provisional,
    Break,
    LowReliability,
    NotShown,
    Missing,
    NotApplicable,
    Waiting,
    Unreachable,
}

impl Cell {
    /// A figure and the interval that it lies in, in units of 10^-decimals; of an exact one both ends are the figure.
    ///
    /// # Errors
    /// `FIELD_INVALID` if the figure is outside of its interval, or decimals are more than 9.
    pub fn value(point: i64, within: (i64, i64), decimals: u32) -> Result<Self, Invalid> {
        if !(within.0..=within.1).contains(&point) {
            let detail = "lies outside of its interval: lower, figure and upper must ascend";
            return Err(Invalid::new(Reason::FieldInvalid, "cell.value", detail));
        }
        Self::figure(Some(point), within, decimals)
    }

    /// Only the interval is known, in units of 10^-decimals.
    ///
    /// # Errors
    /// `FIELD_INVALID` if it ends before it begins, or decimals are more than 9.
    pub fn between(within: (i64, i64), decimals: u32) -> Result<Self, Invalid> {
        Self::figure(None, within, decimals)
    }

    fn figure(
        point: Option<i64>,
        (lower, upper): (i64, i64),
        decimals: u32,
    ) -> Result<Self, Invalid> {
        if lower > upper || decimals > 9 {
            let detail = "is no interval with at most 9 decimals: lower must not be above upper";
            return Err(Invalid::new(Reason::FieldInvalid, "cell", detail));
        }
        let qualities = BTreeSet::new();
        Ok(Self(Kind::Figure(Figure { point, lower, upper, decimals, qualities })))
    }

    /// Withheld; why is not told.
    pub fn not_shown() -> Self {
        Self(Kind::NotShown)
    }

    /// Whoever was asked says that it is not available.
    pub fn missing() -> Self {
        Self(Kind::Missing)
    }

    /// It cannot exist, or is not combined.
    pub fn not_applicable() -> Self {
        Self(Kind::NotApplicable)
    }

    /// An answer is awaited; until when, where that is known: "due 30 Apr".
    pub fn waiting(until: Option<Text>) -> Self {
        Self(Kind::Waiting(until))
    }

    /// Nothing was received; what else is known: "last contact 3 days ago".
    pub fn unreachable(since: Option<Text>) -> Self {
        Self(Kind::Unreachable(since))
    }

    /// The same figure, of which more is to be known. A gap stays the gap that it is.
    #[must_use]
    pub fn with(mut self, quality: Quality) -> Self {
        if let Kind::Figure(figure) = &mut self.0 {
            figure.qualities.insert(quality);
        }
        self
    }

    pub(super) fn as_figure(&self) -> Option<&Figure> {
        match &self.0 {
            Kind::Figure(figure) => Some(figure),
            Kind::NotShown
            | Kind::Missing
            | Kind::NotApplicable
            | Kind::Waiting(_)
            | Kind::Unreachable(_) => None,
        }
    }

    /// What it is, and what else is to be known of it.
    pub(super) fn states(&self) -> BTreeSet<State> {
        let Kind::Figure(figure) = &self.0 else { return [self.gap()].into() };
        let main = if figure.point.is_some() { State::Figure } else { State::Between };
        figure.qualities.iter().map(|quality| quality.state()).chain([main]).collect()
    }

    /// What it is.
    pub(super) fn gap(&self) -> State {
        match &self.0 {
            Kind::Figure(figure) if figure.point.is_some() => State::Figure,
            Kind::Figure(_) => State::Between,
            Kind::NotShown => State::NotShown,
            Kind::Missing => State::Missing,
            Kind::NotApplicable => State::NotApplicable,
            Kind::Waiting(_) => State::Waiting,
            Kind::Unreachable(_) => State::Unreachable,
        }
    }

    /// As a table has it: `43 [37–49] p`, `[c]`.
    pub(super) fn in_table(&self) -> String {
        let Kind::Figure(figure) = &self.0 else { return self.gap().sign().to_owned() };
        let signs = figure.signs();
        let interval = figure.interval().map_or_else(String::new, |text| format!(" [{text}]"));
        let text = match figure.point_text() {
            Some(point) => format!("{point}{interval}"),
            None => figure.range(),
        };
        if signs.is_empty() { text } else { format!("{text} {signs}") }
    }

    /// As it is read aloud: "about 43, between 37 and 49", "not shown".
    pub(super) fn in_words(&self) -> String {
        let more =
            |text: &Option<Text>| text.as_ref().map_or(String::new(), |of| format!("; {of}"));
        match &self.0 {
            Kind::Figure(figure) => figure.in_words(),
            Kind::NotShown | Kind::Missing | Kind::NotApplicable => self.gap().words().to_owned(),
            Kind::Waiting(until) => format!("{}{}", State::Waiting.words(), more(until)),
            Kind::Unreachable(since) => format!("{}{}", State::Unreachable.words(), more(since)),
        }
    }
}

impl Figure {
    pub(super) fn point_text(&self) -> Option<String> {
        self.point.map(|point| number(point, self.decimals))
    }

    fn range(&self) -> String {
        format!("{}–{}", number(self.lower, self.decimals), number(self.upper, self.decimals))
    }

    /// Where it lies, if that is more than one number and not all that is known.
    pub(super) fn interval(&self) -> Option<String> {
        (self.point.is_some() && self.lower < self.upper).then(|| self.range())
    }

    /// The figure, or where it lies.
    pub(super) fn short(&self) -> String {
        self.point_text().unwrap_or_else(|| self.range())
    }

    pub(super) fn signs(&self) -> String {
        self.qualities.iter().map(|quality| quality.state().sign()).collect::<Vec<_>>().join(" ")
    }

    fn in_words(&self) -> String {
        let [lower, upper] = [self.lower, self.upper].map(|end| number(end, self.decimals));
        let mut words = match self.point_text() {
            Some(point) if self.lower == self.upper => point,
            Some(point) => format!("about {point}, between {lower} and {upper}"),
            None => format!("between {lower} and {upper}"),
        };
        for quality in &self.qualities {
            words += &format!("; {}", quality.state().words());
        }
        words
    }
}

impl Quality {
    fn state(self) -> State {
        match self {
            Self::Partial => State::Partial,
            Self::Provisional => State::Provisional,
            Self::Break => State::Break,
            Self::LowReliability => State::LowReliability,
        }
    }
}

impl State {
    /// All that have a sign.
    pub(super) const SIGNED: [Self; 9] = [
        Self::Partial,
        Self::Provisional,
        Self::Break,
        Self::LowReliability,
        Self::NotShown,
        Self::Missing,
        Self::NotApplicable,
        Self::Waiting,
        Self::Unreachable,
    ];

    /// The sign that stands for it; those of gaps survive a spreadsheet and are read aloud.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Figure | Self::Between => "",
            Self::Partial => "†",
            Self::Provisional => "p",
            Self::Break => "b",
            Self::LowReliability => "u",
            Self::NotShown => "[c]",
            Self::Missing => "[m]",
            Self::NotApplicable => "[z]",
            Self::Waiting => "[w]",
            Self::Unreachable => "[x]",
        }
    }

    /// In words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Figure => "figure",
            Self::Between => "only the interval is known",
            Self::Partial => "rests on some of the members asked",
            Self::Provisional => "provisional",
            Self::Break => "method changed before this point",
            Self::LowReliability => "low reliability",
            Self::NotShown => "not shown",
            Self::Missing => "not available",
            Self::NotApplicable => "not applicable",
            Self::Waiting => "answer awaited",
            Self::Unreachable => "nothing received",
        }
    }

    /// For a legend, which has room to explain.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            Self::Missing => "not available from those asked",
            Self::Figure
            | Self::Between
            | Self::Partial
            | Self::Provisional
            | Self::Break
            | Self::LowReliability
            | Self::NotShown
            | Self::NotApplicable
            | Self::Waiting
            | Self::Unreachable => self.words(),
        }
    }

    /// How an area of it looks; a class has its own colour.
    pub(super) fn look(self) -> Look {
        let thin = Stroke::solid(colour::INK, 8);
        let filled = |fill| Look { fill, stroke: thin };
        match self {
            Self::NotShown => filled(Fill::Pattern(Pattern::Hatch)),
            Self::Missing => filled(Fill::Pattern(Pattern::Lines)),
            Self::Between => filled(Fill::Pattern(Pattern::Stripes)),
            Self::NotApplicable => {
                Look { fill: Fill::Colour(colour::PAPER), stroke: Stroke::solid("#7c8893", 5) }
            }
            Self::Waiting => {
                Look { fill: Fill::Colour(colour::PAPER), stroke: Stroke::solid("#7c8893", 15) }
            }
            Self::Unreachable => Look {
                fill: Fill::Colour(colour::PAPER),
                stroke: Stroke { colour: colour::INK, width: 12, dashes: "4 3" },
            },
            // In a legend only, which must not look like a class: in a chart a figure has the colour of its own.
            Self::Figure
            | Self::Partial
            | Self::Provisional
            | Self::Break
            | Self::LowReliability => filled(Fill::Colour(colour::PAPER)),
        }
    }
}

/// How an area of a cell looks, in the order in which it is drawn; a figure has the colour of its class.
pub(super) fn looks(cell: &Cell, class: Option<usize>) -> Vec<Look> {
    let state = cell.gap();
    let colour = class.and_then(|class| colour::CLASSES.get(class).copied());
    let Some((figure, colour)) = cell.as_figure().filter(|of| of.point.is_some()).zip(colour)
    else {
        return vec![state.look()];
    };
    let has = |quality| figure.qualities.contains(&quality);
    let stroke = if has(Quality::Provisional) {
        Stroke { colour: colour::INK, width: 15, dashes: "2 3" }
    } else {
        Stroke::solid(colour::INK, 8)
    };
    let mut looks = vec![Look { fill: Fill::Colour(colour), stroke }];
    if has(Quality::LowReliability) {
        looks.push(Look { fill: Fill::Pattern(Pattern::Thin), stroke: Stroke::NONE });
    }
    looks
}

/// The sign of a gap, on white so that its pattern does not cross it; of a cell that is awaited with a clock, beside it or,
/// where `room` is narrow, above it.
pub(super) fn sign(canvas: &mut Canvas, (x, y): Spot, state: State, room: i64) {
    const BESIDE: i64 = 42 * PX;
    let pen = Pen::SMALL.bold().at(Anchor::Middle).boxed();
    let (across, down) = match state {
        State::Waiting if room >= BESIDE => (85, 0),
        State::Waiting => (0, 80),
        State::Figure
        | State::Between
        | State::Partial
        | State::Provisional
        | State::Break
        | State::LowReliability
        | State::NotShown
        | State::Missing
        | State::NotApplicable
        | State::Unreachable => (0, 0),
    };
    if matches!(state, State::NotShown | State::Missing | State::Between) {
        let width = super::font::width(state.sign(), pen) + 6 * PX;
        canvas
            .rect(Area::new((x - width / 2, y - 80), width, 16 * PX), Look::filled(colour::PAPER));
    }
    if state == State::Waiting {
        let clock = if across > 0 { (x - 100, y) } else { (x, y - 80) };
        clock_face(canvas, clock);
    }
    canvas.text((x + across, y + down + 4 * PX), state.sign(), pen);
}

/// A clock.
pub(super) fn clock_face(canvas: &mut Canvas, (x, y): Spot) {
    let line = Stroke::solid(colour::INK, 12);
    canvas.circle((x, y), 55, Look { fill: Fill::Colour(colour::PAPER), stroke: line });
    canvas.polyline(&[(x, y - 38), (x, y), (x + 28, y)], line);
}

/// A figure in units of 10^-decimals; from five digits on in groups of three.
pub(super) fn number(units: i64, decimals: u32) -> String {
    let text = decimal(units, decimals);
    let (whole, fraction) = text.split_once('.').map_or((text.as_str(), ""), |parts| parts);
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && digits.len() >= 5 && (digits.len() - at) % 3 == 0 {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{grouped}{point}{fraction}")
}
