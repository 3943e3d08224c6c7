//! Charts of a picture, drawn here and nowhere else. Comes in: views, whose constructors take decided states of cells only. Goes
//! out: SVG, PNG, a sentence and a table, the same bytes for the same view. Pure. Must never work out a total, a difference or a
//! share of cells, draw a gap as zero, tell two cells that are not shown apart, or order jurisdictions by a figure.

use crate::{
    limits::{CHART_HANDLING_MAX, CHART_NOTES_MAX, NAME_BYTES_MAX},
    reason::{Invalid, Reason},
    taxonomy::Lists,
};

mod alternative;
mod cell;
mod colour;
mod coverage;
mod font;
mod foreign;
mod from_picture;
mod grid;
mod heat;
mod legend;
mod map;
mod matrix;
mod png;
mod ranks;
mod scale;
mod svg;
mod trend;
mod words;

pub use alternative::Twin;
pub use cell::{Cell, Quality};
pub use coverage::{InCells, Member, Members, Standing};
pub use foreign::Foreign;
pub use from_picture::{NamedCell, Selection, area_label, notes_of};
pub use heat::Heat;
pub use map::Map;
pub use matrix::{Direction, Level, Matrix, Threat};
pub use ranks::{Confidence, Rank, Ranked, Ranks};
pub use trend::{Panel, Point, Since, Trend};
pub use words::{Place, Text};

use cell::State;
use legend::Key;
use svg::{Area, Canvas, Look, PX, Pen, Stroke};
use words::Footnote;

/// Every chart is so wide.
const WIDTH: i64 = 960 * PX;
/// And this stays free on both sides.
const EDGE: i64 = 24 * PX;

/// What stands around every chart.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Beginning of every id in the document: `a-z`, digits and hyphens. Charts of one page need different ones.
    pub id: String,
    /// What it shows.
    pub title: Text,
    /// Indicator, unit, period.
    pub subtitle: Text,
    /// Handling marks, at least one: protocol and audience.
    pub handling: Vec<Text>,
    /// Members whose answer was accepted.
    pub answered: u32,
    /// Members that were asked.
    pub asked: u32,
    /// When it was drawn, or as of when it holds.
    pub as_of: Text,
    /// The picture that it rests on: id, version, digest.
    pub source: Text,
    /// What else has to be said, a sentence each.
    pub notes: Vec<Text>,
}

/// What a chart shows.
#[derive(Clone, Debug)]
pub enum View {
    /// Series over time.
    Trend(Trend),
    /// Crime areas by jurisdiction.
    Heat(Heat),
    /// Jurisdictions on a map.
    Map(Map),
    /// Threats by likelihood and impact.
    Matrix(Matrix),
    /// Who answered, and how much is shown.
    Members(Members),
    /// Threats by rank.
    Ranks(Ranks),
}

/// A chart, ready to be drawn. Made by [`Chart::new`] only.
#[derive(Clone, Debug)]
pub struct Chart {
    frame: Frame,
    view: View,
    footnotes: Vec<Footnote>,
}

/// A chart as SVG. Made by [`Chart::draw`] only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Svg(String);

impl Svg {
    /// The document.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What every view can do.
trait Drawn {
    /// Draws itself from `top` on; where it ends.
    fn draw(&self, canvas: &mut Canvas, top: i64) -> i64;
    /// What the legend explains.
    fn keys(&self) -> Vec<Key>;
    /// What can be seen, in a sentence or two.
    fn sentence(&self) -> String;
    /// Head and rows of its table twin.
    fn rows(&self) -> (Vec<String>, Vec<Vec<String>>);
    /// Cells with a figure, and all, where it has cells of figures.
    fn cells(&self) -> Option<(usize, usize)> {
        None
    }
    /// What belongs to charts of its kind.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Stands under every chart of figures.
const TOTALS: &str = "Totals are protected separately and need not equal the sum of their parts.";

impl Chart {
    /// A view in its frame. `lists` tell which names carry a footnote.
    ///
    /// # Errors
    /// `FIELD_INVALID` of an id or a coverage that cannot be; `FIELD_MISSING` without a handling mark; `LIMIT_EXCEEDED`.
    pub fn new(frame: Frame, view: View, lists: &Lists) -> Result<Self, Invalid> {
        let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let begins = frame.id.starts_with(|c: char| c.is_ascii_lowercase());
        if !begins || !frame.id.chars().all(letter) || frame.id.len() > NAME_BYTES_MAX {
            let detail = "is no id: a-z, then a-z, digits and hyphens, at most 63";
            return Err(Invalid::new(Reason::FieldInvalid, "chart.id", detail));
        }
        if frame.answered > frame.asked {
            let detail = "more members answered than were asked";
            return Err(Invalid::new(Reason::FieldInvalid, "chart.answered", detail));
        }
        within("chart.handling", frame.handling.len(), CHART_HANDLING_MAX)?;
        if frame.notes.len() > CHART_NOTES_MAX {
            within("chart.notes", frame.notes.len(), CHART_NOTES_MAX)?;
        }
        Ok(Self { frame, view, footnotes: words::footnotes(lists) })
    }

    /// Draws it.
    pub fn draw(&self) -> Svg {
        let view = self.drawn();
        let mut canvas = Canvas::new(&self.frame.id);
        let mut y = self.head(&mut canvas);
        y = view.draw(&mut canvas, y);
        let keys = view.keys();
        canvas.decor(|canvas| y = legend::draw(canvas, (EDGE, y), WIDTH - 2 * EDGE, &keys));
        let description = self.description();
        y = self.foot(&mut canvas, y + 6 * PX, &description);
        Svg(canvas.finish((WIDTH, y), self.frame.title.as_str(), &description))
    }

    /// What can be seen, for whoever does not see it: the document's description.
    pub fn description(&self) -> String {
        let (coverage, sentence) = (self.coverage(), self.drawn().sentence());
        format!("{}. {sentence} {coverage}.", self.frame.subtitle)
    }

    /// The same as a table.
    pub fn table(&self) -> Twin {
        let view = self.drawn();
        let (header, rows) = view.rows();
        let caption = format!("{}. {}", self.frame.title, self.frame.subtitle);
        let mut notes: Vec<_> = self.frame.handling.iter().map(ToString::to_string).collect();
        notes.push(self.coverage());
        let cells = || header.iter().chain(rows.iter().flatten());
        // A sign stands alone or behind a figure.
        let stands = |sign: &str| cells().any(|cell| cell.split(' ').any(|word| word == sign));
        let states = State::SIGNED.into_iter().filter(|state| stands(state.sign()));
        notes.extend(states.map(|state| format!("{} {}", state.sign(), state.meaning())));
        notes.extend(self.notes());
        let texts = || cells().chain(&notes).chain([&caption]);
        let said = |words: &String| texts().any(|text| text.contains(words.as_str()));
        let footnotes: Vec<_> =
            self.footnotes.iter().filter(|note| note.words.iter().any(said)).collect();
        let footnotes: Vec<_> = footnotes.into_iter().map(|note| note.text.clone()).collect();
        notes.extend(footnotes);
        Twin { caption, header, rows, notes }
    }

    fn drawn(&self) -> &dyn Drawn {
        match &self.view {
            View::Trend(view) => view,
            View::Heat(view) => view,
            View::Map(view) => view,
            View::Matrix(view) => view,
            View::Members(view) => view,
            View::Ranks(view) => view,
        }
    }

    fn coverage(&self) -> String {
        let Frame { answered, asked, as_of, source, .. } = &self.frame;
        let cells = self.drawn().cells();
        let cells = cells.map_or_else(String::new, |(shown, all)| {
            format!(" · {shown} of {} shown", words::counted(all, "cell", "cells"))
        });
        format!("Coverage {answered} of {asked} members{cells} · as of {as_of} · {source}")
    }

    fn notes(&self) -> Vec<String> {
        let view = self.drawn();
        let totals = view.cells().map(|_| TOTALS.to_owned());
        let own = self.frame.notes.iter().map(ToString::to_string);
        totals.into_iter().chain(view.notes()).chain(own).collect()
    }

    fn head(&self, canvas: &mut Canvas) -> i64 {
        let width = WIDTH - 2 * EDGE;
        let mut y = 18 * PX;
        canvas.decor(|canvas| {
            y = self.handling(canvas, y);
            y = canvas.paragraph((EDGE, y + 26 * PX), width, self.frame.title.as_str(), Pen::TITLE);
            let subtitle = self.frame.subtitle.as_str();
            y = canvas.paragraph((EDGE, y - 4 * PX), width, subtitle, Pen::of(13).muted());
            y = canvas.paragraph((EDGE, y + 2 * PX), width, &self.coverage(), Pen::SMALL);
            let rule = y - 7 * PX;
            canvas.line((EDGE, rule), (WIDTH - EDGE, rule), Stroke::solid(colour::INK, 15));
        });
        y + 18 * PX
    }

    /// The marks in a line of boxes; where it ends.
    fn handling(&self, canvas: &mut Canvas, top: i64) -> i64 {
        let pen = Pen::SMALL.bold().boxed();
        let (mut x, mut y) = (EDGE, top);
        for mark in &self.frame.handling {
            let most = WIDTH - 2 * EDGE - 16 * PX;
            let lines = font::wrapped(mark.as_str(), most, pen);
            for line in &lines {
                let wide = font::width(line, pen) + 16 * PX;
                if x > EDGE && x + wide > WIDTH - EDGE {
                    (x, y) = (EDGE, y + 26 * PX);
                }
                let area = Area::new((x, y), wide, 20 * PX);
                canvas.rect(area, Look::outline(Stroke::solid(colour::INK, 12)));
                canvas.text((x + 8 * PX, y + 14 * PX), line, pen);
                x += wide + 8 * PX;
            }
        }
        y + 20 * PX
    }

    fn foot(&self, canvas: &mut Canvas, top: i64, description: &str) -> i64 {
        let width = WIDTH - 2 * EDGE;
        let pen = Pen::SMALL.muted();
        let mut y = top;
        canvas.decor(|canvas| {
            canvas.line((EDGE, y), (WIDTH - EDGE, y), Stroke::solid(colour::RULE, 8));
            y += 17 * PX;
            for note in self.notes() {
                y = canvas.paragraph((EDGE, y), width, &note, pen);
            }
            // Wherever the name stands, and only there.
            for note in &self.footnotes {
                let said =
                    |words: &String| canvas.says(words) || description.contains(words.as_str());
                if note.words.iter().any(said) {
                    y = canvas.paragraph((EDGE, y), width, &note.text, pen);
                }
            }
            y = self.handling(canvas, y - 4 * PX);
        });
        y + 16 * PX
    }
}

/// A sentence in place of a drawing.
fn instead(canvas: &mut Canvas, top: i64, sentence: &str) -> i64 {
    let pen = Pen::of(14);
    let mut y = top + 24 * PX;
    canvas.decor(|canvas| y = canvas.paragraph((EDGE, y), WIDTH - 2 * EDGE, sentence, pen));
    y + 10 * PX
}

/// At least one, and no more than that.
fn within(field: &str, count: usize, most: usize) -> Result<(), Invalid> {
    if count == 0 {
        let detail = "is empty: there is nothing to draw";
        return Err(Invalid::new(Reason::FieldMissing, field, detail));
    }
    if count > most {
        let detail = format!("{count} where {most} is the most: choose fewer, or draw several");
        return Err(Invalid::new(Reason::LimitExceeded, field, detail));
    }
    Ok(())
}

/// As many fields in every row as there are columns.
fn even(field: &str, columns: usize, mut rows: impl Iterator<Item = usize>) -> Result<(), Invalid> {
    match rows.find(|count| *count != columns) {
        None => Ok(()),
        Some(count) => {
            let detail = format!("a row has {count} fields where there are {columns} columns");
            Err(Invalid::new(Reason::FieldInvalid, field, detail))
        }
    }
}

/// The decimals that all figures share.
fn one_unit<'a>(cells: impl Iterator<Item = &'a Cell>) -> Result<u32, Invalid> {
    let mut decimals = None;
    for figure in cells.filter_map(Cell::as_figure) {
        if *decimals.get_or_insert(figure.decimals) != figure.decimals {
            let detail = "figures have other decimals: one chart shows one indicator";
            return Err(Invalid::new(Reason::FieldInvalid, "chart.cells", detail));
        }
    }
    Ok(decimals.unwrap_or(0))
}

#[cfg(test)]
mod tests;
