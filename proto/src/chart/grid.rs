//! Tables in a chart: a grid of cells under headings, and rows of text. Comes in: labels, widths, and how a cell is drawn. Goes
//! out: where it ends. Must never let a label run into its neighbour.

use super::{
    cell::{self, Cell, Figure, Kind},
    colour, font,
    svg::{Anchor, Area, Canvas, Look, PX, Pen, Spot, Stroke},
};
use crate::{
    limits::{CHART_COLUMNS_MAX, CHART_LINES_MAX},
    reason::{Invalid, Reason},
};

/// A heading: in full, and where there is no room for that.
pub(super) type Heading = (String, String);

const ROW: i64 = 36 * PX;
const GAP: i64 = 2 * PX;

/// After so many rows the headings stand once more: nobody reads a cell whose heading is a page away.
const ROWS_UNDER_HEADINGS: usize = 25;

/// What stands around cells.
#[derive(Clone, Copy)]
pub(super) struct Grid<'a> {
    /// Headings of columns. The first so many stand in every block.
    pub(super) headings: (&'a [Heading], usize),
    /// Labels of rows.
    pub(super) labels: &'a [String],
}

/// In how many blocks so many columns stand, one under the other.
pub(super) fn blocks(columns: usize) -> usize {
    columns.div_ceil(CHART_COLUMNS_MAX).max(1)
}

/// Checks that so many rows and columns, in their blocks, are no more lines than a chart may have.
pub(super) fn lines(rows: usize, columns: usize) -> Result<(), Invalid> {
    let blocks = blocks(columns);
    let lines = rows.saturating_mul(blocks);
    if lines <= CHART_LINES_MAX {
        return Ok(());
    }
    let detail = format!(
        "{rows} rows in {blocks} blocks of at most {CHART_COLUMNS_MAX} columns are {lines} lines, and {CHART_LINES_MAX} \
         is the most: choose fewer crime areas, or read the picture as a table"
    );
    Err(Invalid::new(Reason::LimitExceeded, "chart.lines", detail))
}

/// Draws rows of cells under headings; where they end. With more columns than fit, further blocks follow.
pub(super) fn cells(
    canvas: &mut Canvas,
    ((left, top), width): (Spot, i64),
    grid: Grid<'_>,
    mut cell: impl FnMut(&mut Canvas, Area, (usize, usize)),
) -> i64 {
    let Grid { headings: (headings, repeated), labels } = grid;
    let pen = Pen::BODY.at(Anchor::End);
    let widest = labels.iter().map(|label| font::width(label, pen)).max().unwrap_or(0);
    let labels_width = (widest + 12 * PX).clamp(60 * PX, 240 * PX);
    let own = headings.len().saturating_sub(repeated);
    // As even as they go, so that no block is wider than another for nothing.
    let most = own.div_ceil(blocks(own)).max(1);
    let across = i64::try_from(repeated + most.min(own)).unwrap_or(1).max(1);
    let column = ((width - labels_width) / across).min(120 * PX);
    let mut y = top;
    for from in (0..own.max(1)).step_by(most) {
        let columns: Vec<_> =
            (0..repeated).chain((from..own.min(from + most)).map(|at| at + repeated)).collect();
        for first in (0..labels.len()).step_by(ROWS_UNDER_HEADINGS) {
            let rows = first..labels.len().min(first + ROWS_UNDER_HEADINGS);
            let block = Block { left, labels_width, column, columns: &columns, rows };
            y = block.draw(canvas, y, grid, &mut cell);
        }
    }
    y
}

/// Some rows and columns of a grid.
struct Block<'a> {
    left: i64,
    labels_width: i64,
    column: i64,
    columns: &'a [usize],
    rows: std::ops::Range<usize>,
}

impl Block<'_> {
    fn draw(
        &self,
        canvas: &mut Canvas,
        top: i64,
        grid: Grid<'_>,
        cell: &mut impl FnMut(&mut Canvas, Area, (usize, usize)),
    ) -> i64 {
        let Self { left, labels_width, column, columns, .. } = *self;
        let label_pen = Pen::BODY.at(Anchor::End).boxed();
        let mut y = self.headings(canvas, top, grid.headings.0);
        for row in self.rows.clone() {
            let label = grid.labels.get(row).map_or("", String::as_str);
            let text = font::shortened(label, labels_width - 12 * PX, 2, label_pen);
            let lines = i64::try_from(text.len()).unwrap_or(1);
            let first = y + ROW / 2 + 4 * PX - (lines - 1) * label_pen.leading() / 2;
            canvas.decor(|canvas| {
                for (line, text) in (0..).zip(&text) {
                    let spot = (left + labels_width - 10 * PX, first + line * label_pen.leading());
                    canvas.text(spot, text, label_pen);
                }
            });
            for (at, number) in (0..).zip(columns) {
                let spot = (left + labels_width + at * column + GAP / 2, y + GAP / 2);
                cell(canvas, Area::new(spot, column - GAP, ROW - GAP), (row, *number));
            }
            y += ROW;
        }
        y + 14 * PX
    }

    /// The headings of its columns; where its rows begin.
    fn headings(&self, canvas: &mut Canvas, top: i64, headings: &[Heading]) -> i64 {
        let Self { left, labels_width, column, .. } = *self;
        // All blocks write them in the same way.
        let heads = heads(headings, column - 8 * PX);
        let heads: Vec<_> = self.columns.iter().filter_map(|at| heads.get(*at)).collect();
        let lines = heads.iter().map(|head| head.len()).max().unwrap_or(1);
        let pen = Pen::SMALL.bold().at(Anchor::Middle).boxed();
        let y = top + pen.leading() * i64::try_from(lines).unwrap_or(1) + 6 * PX;
        canvas.decor(|canvas| {
            for (at, head) in (0..).zip(heads) {
                let x = left + labels_width + at * column + column / 2;
                let more = i64::try_from(head.len()).unwrap_or(1) - 1;
                let first = y - 6 * PX - pen.leading() * more;
                for (line, text) in (0..).zip(head) {
                    canvas.text((x, first + line * pen.leading() - 2 * PX), text, pen);
                }
            }
        });
        y
    }
}

/// Headings in lines: in full if each fits in three, else short ones for all.
fn heads(headings: &[Heading], within: i64) -> Vec<Vec<String>> {
    let pen = Pen::SMALL.bold();
    let whole_words = |text: &str| text.split(' ').all(|word| font::width(word, pen) <= within);
    let fits = |text: &str| whole_words(text) && font::wrapped(text, within, pen).len() <= 3;
    let full = headings.iter().all(|(full, _)| fits(full));
    let of =
        |(long, short): &Heading| font::shortened(if full { long } else { short }, within, 3, pen);
    headings.iter().map(of).collect()
}

/// One cell: its colour or pattern, and its figure or sign.
pub(super) fn cell(canvas: &mut Canvas, area: Area, cell: &Cell, class: Option<usize>) {
    for look in cell::looks(cell, class) {
        canvas.rect(area, look);
    }
    let (x, y) = area.middle();
    let Kind::Figure(figure) = &cell.0 else {
        cell::sign(canvas, (x, y), cell.gap(), area.width);
        return;
    };
    let ink = match (figure.point, class) {
        (Some(_), Some(class)) => colour::ON_CLASS.get(class).copied().unwrap_or(colour::INK),
        (Some(_), None) | (None, _) => colour::INK,
    };
    let (lines, pen) = fitting(figure, area.width - 4 * PX);
    let pen = pen.coloured(ink).at(Anchor::Middle).boxed();
    let small = Pen::of(10).coloured(ink).at(Anchor::Middle).boxed();
    let interval = figure.interval().map(|text| format!("[{text}]"));
    let alone = lines.len() == 1;
    let interval = interval.filter(|text| alone && font::width(text, small) <= area.width - 4 * PX);
    let lines: Vec<_> = lines
        .into_iter()
        .map(|line| (line, pen))
        .chain(interval.into_iter().map(|line| (line, small)))
        .collect();
    let wide = lines.iter().map(|(line, pen)| font::width(line, *pen)).max().unwrap_or(0);
    let high = i64::try_from(lines.len()).unwrap_or(1) * 13 * PX;
    let plated = figure.point.is_none();
    if plated || figure.signs().contains('u') {
        let plate = Area::new((x - wide / 2 - 20, y - high / 2 - 10), wide + 40, high + 20);
        let ground = class.filter(|_| !plated).and_then(|class| colour::CLASSES.get(class));
        canvas.rect(plate, Look::filled(ground.copied().unwrap_or(colour::PAPER)));
    }
    for (at, (line, pen)) in (0..).zip(&lines) {
        canvas.text((x, y - high / 2 + 11 * PX + at * 13 * PX), line, *pen);
    }
}

/// A figure in the largest letters that fit; never a part of it, which would be another figure.
fn fitting(figure: &Figure, within: i64) -> (Vec<String>, Pen) {
    let whole = format!("{} {}", figure.short(), figure.signs());
    let whole = whole.trim_end().to_owned();
    let halves = match whole.split_once('–') {
        Some((lower, upper)) => vec![format!("{lower}–"), upper.to_owned()],
        None => vec![whole.clone()],
    };
    let tries = [(vec![whole], 12), (halves.clone(), 12), (halves.clone(), 10), (halves, 8)];
    let fits = |(lines, size): &(Vec<String>, i64)| {
        lines.iter().all(|line| font::width(line, Pen::of(*size).bold()) <= within)
    };
    let found = tries.into_iter().find(fits);
    let (lines, size) =
        found.unwrap_or_else(|| (vec!["see the".to_owned(), "table".to_owned()], 10));
    (lines, Pen::of(size).bold())
}

/// A column of a table of texts: its width, and on which side its text stands.
pub(super) type Column = (i64, Anchor);

/// Draws rows of text under a head; each row as high as its longest text. Where they end.
pub(super) fn texts(
    canvas: &mut Canvas,
    (left, top): Spot,
    columns: &[Column],
    (head, rows): (&[String], &[Vec<String>]),
    mut beside: impl FnMut(&mut Canvas, usize, i64),
) -> i64 {
    let whole: i64 = columns.iter().map(|(width, _)| width).sum();
    let line = |canvas: &mut Canvas, y: i64, row: &[String], pen: Pen| {
        let mut x = left;
        let mut lines = 1;
        for ((width, anchor), text) in columns.iter().zip(row) {
            let pen = pen.at(*anchor).boxed();
            let text = font::wrapped(text, width - 8 * PX, pen);
            lines = lines.max(i64::try_from(text.len()).unwrap_or(1));
            let at = match anchor {
                Anchor::Start => x,
                Anchor::Middle => x + (width - 8 * PX) / 2,
                Anchor::End => x + width - 8 * PX,
            };
            for (number, text) in (0..).zip(&text) {
                canvas.text((at, y + number * pen.leading()), text, pen);
            }
            x += width;
        }
        lines * pen.leading()
    };
    let mut y = top + 12 * PX;
    canvas.decor(|canvas| {
        y += line(canvas, y, head, Pen::SMALL.bold()) - 9 * PX;
        canvas.line((left, y), (left + whole - 8 * PX, y), Stroke::solid(colour::INK, 10));
    });
    for (at, row) in rows.iter().enumerate() {
        canvas.decor(|canvas| {
            let first = y + 16 * PX;
            let high = line(canvas, first, row, Pen::SMALL);
            beside(canvas, at, first - 4 * PX);
            y = first + high - 8 * PX;
            canvas.line((left, y), (left + whole - 8 * PX, y), Stroke::solid(colour::RULE, 7));
        });
    }
    y + 6 * PX
}
