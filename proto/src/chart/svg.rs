//! An SVG document, written. Comes in: shapes and texts, in tenths of a pixel. Goes out: the same bytes for the same calls, and
//! every text that was written. Must never write a text unescaped, a float, a style attribute or a pattern that is not used.

use std::{collections::BTreeSet, fmt::Write as _};

use super::{colour, font};

/// One pixel; all lengths are tenths of it.
pub(super) const PX: i64 = 10;

/// Where something is: across and down from the upper left corner.
pub(super) type Spot = (i64, i64);

/// A rectangle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Area {
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) width: i64,
    pub(super) height: i64,
}

impl Area {
    pub(super) fn new((x, y): Spot, width: i64, height: i64) -> Self {
        Self { x, y, width, height }
    }

    pub(super) fn right(self) -> i64 {
        self.x + self.width
    }

    pub(super) fn bottom(self) -> i64 {
        self.y + self.height
    }

    pub(super) fn middle(self) -> Spot {
        (self.x + self.width / 2, self.y + self.height / 2)
    }

    pub(super) fn inset(self, by: i64) -> Self {
        Self::new((self.x + by, self.y + by), self.width - 2 * by, self.height - 2 * by)
    }
}

/// What tells areas apart where colour does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Pattern {
    /// Not shown: strong lines at 45 degrees, on grey.
    Hatch,
    /// Not available: lines across.
    Lines,
    /// Only an interval is known: upright stripes.
    Stripes,
    /// Low reliability: thin lines the other way, over a colour.
    Thin,
    /// A band of what did not report: dots.
    Dots,
}

impl Pattern {
    fn name(self) -> &'static str {
        match self {
            Self::Hatch => "hatch",
            Self::Lines => "lines",
            Self::Stripes => "stripes",
            Self::Thin => "thin",
            Self::Dots => "dots",
        }
    }

    /// Edge of its tile in pixels, its ground, and what is drawn on it.
    fn tile(self) -> (u8, Option<&'static str>, &'static str) {
        match self {
            Self::Hatch => (
                8,
                Some("#dfe3e7"),
                r##"<path d="M-2 2L2-2M0 8L8 0M6 10L10 6" stroke="#5c6873" stroke-width="1.6"/>"##,
            ),
            Self::Lines => {
                (6, Some("#ffffff"), r##"<path d="M0 3H6" stroke="#8a949d" stroke-width="1"/>"##)
            }
            Self::Stripes => (
                7,
                Some("#ffffff"),
                r##"<path d="M3.5 0V7" stroke="#6faedb" stroke-width="2.4"/>"##,
            ),
            Self::Thin => (
                6,
                None,
                r##"<path d="M-1 1L1-1M-1-1L7 7M5 7L7 5M-1 5L1 7M5-1L7 1" stroke="#14202b" stroke-width="0.5" stroke-opacity="0.75"/>"##,
            ),
            Self::Dots => (
                6,
                Some("#f4f6f8"),
                r##"<circle cx="1.5" cy="1.5" r="0.9" fill="#6b7782"/><circle cx="4.5" cy="4.5" r="0.9" fill="#6b7782"/>"##,
            ),
        }
    }
}

/// What an area is filled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fill {
    None,
    Colour(&'static str),
    Pattern(Pattern),
}

/// How a line is drawn: colour, width, and dashes as SVG writes them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stroke {
    pub(super) colour: &'static str,
    pub(super) width: i64,
    pub(super) dashes: &'static str,
}

impl Stroke {
    pub(super) const NONE: Self = Self::solid(colour::INK, 0);

    pub(super) const fn solid(colour: &'static str, width: i64) -> Self {
        Self { colour, width, dashes: "" }
    }
}

/// How a shape is drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) fill: Fill,
    pub(super) stroke: Stroke,
}

impl Look {
    pub(super) fn filled(colour: &'static str) -> Self {
        Self { fill: Fill::Colour(colour), stroke: Stroke::NONE }
    }

    pub(super) fn outline(stroke: Stroke) -> Self {
        Self { fill: Fill::None, stroke }
    }
}

/// Which side of a text stands where it is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a text is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pen {
    pub(super) size: i64,
    pub(super) bold: bool,
    pub(super) colour: &'static str,
    pub(super) anchor: Anchor,
    /// It stands in a box: where the font is another one, it is made as wide as it is in ours.
    pub(super) boxed: bool,
}

impl Pen {
    pub(super) const TITLE: Self = Self::of(20).bold();
    pub(super) const BODY: Self = Self::of(12);
    pub(super) const SMALL: Self = Self::of(11);

    pub(super) const fn of(pixels: i64) -> Self {
        Self {
            size: pixels * PX,
            bold: false,
            colour: colour::INK,
            anchor: Anchor::Start,
            boxed: false,
        }
    }

    pub(super) const fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    pub(super) const fn muted(self) -> Self {
        Self { colour: colour::MUTED, ..self }
    }

    pub(super) const fn coloured(self, colour: &'static str) -> Self {
        Self { colour, ..self }
    }

    pub(super) const fn at(self, anchor: Anchor) -> Self {
        Self { anchor, ..self }
    }

    pub(super) const fn boxed(self) -> Self {
        Self { boxed: true, ..self }
    }

    /// From one line to the next.
    pub(super) const fn leading(self) -> i64 {
        self.size * 4 / 3
    }
}

/// A drawing under way.
#[derive(Debug)]
pub(super) struct Canvas {
    id: String,
    body: String,
    patterns: BTreeSet<Pattern>,
    said: Vec<String>,
}

impl Canvas {
    /// `id` is the beginning of every id in the document: several of them may stand in one page.
    pub(super) fn new(id: &str) -> Self {
        let (id, body) = (id.to_owned(), String::new());
        Self { id, body, patterns: BTreeSet::new(), said: Vec::new() }
    }

    /// Does any text so far hold `words`?
    pub(super) fn says(&self, words: &str) -> bool {
        self.said.iter().any(|text| text.contains(words))
    }

    /// What a reader of screens need not hear: the table and the description say it.
    pub(super) fn decor(&mut self, draw: impl FnOnce(&mut Self)) {
        self.body += "<g aria-hidden=\"true\">";
        draw(self);
        self.body += "</g>\n";
    }

    /// A mark with its own words.
    pub(super) fn mark(&mut self, title: &str, draw: impl FnOnce(&mut Self)) {
        self.said.push(title.to_owned());
        self.body += &format!("<g><title>{}</title>", escaped(title));
        draw(self);
        self.body += "</g>\n";
    }

    pub(super) fn rect(&mut self, area: Area, look: Look) {
        let Area { x, y, width, height } = area;
        let [x, y, width, height] = [x, y, width, height].map(tenths);
        let look = self.look(look);
        self.body += &format!(r#"<rect x="{x}" y="{y}" width="{width}" height="{height}"{look}/>"#);
    }

    pub(super) fn circle(&mut self, (x, y): Spot, radius: i64, look: Look) {
        let [x, y, radius] = [x, y, radius].map(tenths);
        let look = self.look(look);
        self.body += &format!(r#"<circle cx="{x}" cy="{y}" r="{radius}"{look}/>"#);
    }

    pub(super) fn line(&mut self, from: Spot, to: Spot, stroke: Stroke) {
        let [x1, y1, x2, y2] = [from.0, from.1, to.0, to.1].map(tenths);
        let look = self.look(Look::outline(stroke));
        self.body += &format!(r#"<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"{look}/>"#);
    }

    /// An open line through some spots.
    pub(super) fn polyline(&mut self, spots: &[Spot], stroke: Stroke) {
        let look = self.look(Look::outline(stroke));
        self.body += &format!(r#"<path d="{}"{look}/>"#, route(spots));
    }

    /// Closed outlines, as one shape.
    pub(super) fn shape<'a>(&mut self, rings: impl IntoIterator<Item = &'a [Spot]>, look: Look) {
        let route: String = rings.into_iter().map(|ring| route(ring) + "Z").collect();
        let look = self.look(look);
        self.body += &format!(r#"<path d="{route}"{look}/>"#);
    }

    /// One line of text on its base line.
    pub(super) fn text(&mut self, (x, y): Spot, text: &str, pen: Pen) {
        if text.is_empty() {
            return;
        }
        self.said.push(text.to_owned());
        let [x, y, size] = [x, y, pen.size].map(tenths);
        let weight = if pen.bold { r#" font-weight="700""# } else { "" };
        let anchor = match pen.anchor {
            Anchor::Start => "",
            Anchor::Middle => r#" text-anchor="middle""#,
            Anchor::End => r#" text-anchor="end""#,
        };
        let wide = pen.boxed.then(|| tenths(font::width(text, pen)));
        let wide = wide.map_or_else(String::new, |wide| {
            format!(r#" textLength="{wide}" lengthAdjust="spacingAndGlyphs""#)
        });
        let (colour, text) = (pen.colour, escaped(text));
        self.body += &format!(
            r#"<text x="{x}" y="{y}" font-size="{size}"{weight}{anchor}{wide} fill="{colour}">{text}</text>"#
        );
    }

    /// Text in as many lines as it takes, the first on the base line; where the next would stand.
    pub(super) fn paragraph(&mut self, (x, y): Spot, width: i64, text: &str, pen: Pen) -> i64 {
        let mut below = y;
        for line in font::wrapped(text, width, pen) {
            self.text((x, below), &line, pen);
            below += pen.leading();
        }
        below
    }

    /// The whole document.
    pub(super) fn finish(self, (width, height): Spot, title: &str, description: &str) -> String {
        let [width, height] = [width, height].map(tenths);
        let (id, title, description) = (&self.id, escaped(title), escaped(description));
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\" lang=\"en\" \
             font-family=\"Noto Sans, Segoe UI, Roboto, Arial, sans-serif\">\n\
             <title id=\"{id}-title\">{title}</title>\n<desc id=\"{id}-desc\">{description}</desc>\n<defs>"
        );
        for pattern in &self.patterns {
            let (name, (edge, ground, drawn)) = (pattern.name(), pattern.tile());
            let ground = ground.map_or_else(String::new, |colour| {
                format!(r#"<rect width="{edge}" height="{edge}" fill="{colour}"/>"#)
            });
            // Writing to memory cannot fail.
            let _ = write!(
                out,
                r#"<pattern id="{id}-{name}" width="{edge}" height="{edge}" patternUnits="userSpaceOnUse">{ground}{drawn}</pattern>"#
            );
        }
        let paper = colour::PAPER;
        out + "</defs>\n"
            + &format!("<rect width=\"{width}\" height=\"{height}\" fill=\"{paper}\"/>\n")
            + &self.body
            + "</svg>\n"
    }

    fn look(&mut self, Look { fill, stroke }: Look) -> String {
        let mut out = match fill {
            Fill::None => r#" fill="none""#.to_owned(),
            Fill::Colour(colour) => format!(r#" fill="{colour}""#),
            Fill::Pattern(pattern) => {
                self.patterns.insert(pattern);
                format!(r##" fill="url(#{}-{})""##, self.id, pattern.name())
            }
        };
        if stroke.width > 0 {
            let (colour, width) = (stroke.colour, tenths(stroke.width));
            out += &format!(r#" stroke="{colour}" stroke-width="{width}""#);
            if !stroke.dashes.is_empty() {
                out += &format!(r#" stroke-dasharray="{}""#, stroke.dashes);
            }
        }
        out
    }
}

fn route(spots: &[Spot]) -> String {
    let mut out = String::new();
    for (at, (x, y)) in spots.iter().enumerate() {
        let step = if at == 0 { 'M' } else { 'L' };
        let _ = write!(out, "{step}{} {}", tenths(*x), tenths(*y));
    }
    out
}

/// Tenths of a pixel as pixels.
fn tenths(length: i64) -> String {
    let (sign, size) = (if length < 0 { "-" } else { "" }, length.unsigned_abs());
    match size % 10 {
        0 => format!("{sign}{}", size / 10),
        tenth => format!("{sign}{}.{tenth}", size / 10),
    }
}

/// Text as XML may hold it, also between quotation marks; what XML may not hold at all is a replacement character.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
