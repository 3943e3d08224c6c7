//! A map of the region, with a list beside it. Comes in: cells that may stand under a name. Goes out: outlines in the colour of
//! their class, every gap with its pattern and its sign. Must never leave a jurisdiction out, nor take a name from the geometry.

use std::sync::LazyLock;

use super::{
    Drawn, EDGE, WIDTH, alternative,
    cell::{self, Cell, Quality, State},
    colour, font,
    from_picture::NamedCell,
    grid::{self, Column},
    heat::{REGION_ONLY, class, classes, keys, region_only},
    legend::{self, Key},
    scale::Classes,
    svg::{Anchor, Area, Canvas, Fill, Look, PX, Pen, Spot, Stroke},
    words::{Place, listed},
};
use crate::{limits::CHART_ROWS_MAX, reason::Invalid};

/// Made by `proto/chart/make.py` from Natural Earth 1:50m, which is in the public domain.
const OUTLINES: &str = include_str!("../../chart/outlines.txt");

/// What was drawn of a jurisdiction.
#[derive(Debug)]
struct Outline {
    code: &'static str,
    /// Where its label stands; none: it is context only.
    label: Option<Spot>,
    rings: Vec<Vec<Spot>>,
}

/// Size of the map, and its outlines.
static GEOMETRY: LazyLock<(Spot, Vec<Outline>)> = LazyLock::new(|| {
    let lines = OUTLINES.lines().filter(|line| !line.starts_with('#'));
    let mut size = (0, 0);
    let mut outlines = Vec::new();
    for line in lines {
        let mut words = line.splitn(3, ' ');
        let (Some(code), Some(label)) = (words.next(), words.next()) else { continue };
        if code == "size" {
            size = spot(label).unwrap_or(size);
            continue;
        }
        let rings = words.next().unwrap_or_default().split(';');
        let rings = rings.map(|ring| ring.split(' ').filter_map(spot).collect()).collect();
        outlines.push(Outline { code, label: spot(label), rings });
    }
    (size, outlines)
});

fn spot(text: &str) -> Option<Spot> {
    let (x, y) = text.split_once(',')?;
    Some((x.parse().ok()?, y.parse().ok()?))
}

/// A map. Made by [`Map::new`] only.
#[derive(Clone, Debug)]
pub struct Map {
    places: Vec<(Place, NamedCell)>,
    decimals: u32,
}

impl Map {
    /// Jurisdictions, each with its cell. They are put in the order of names.
    ///
    /// # Errors
    /// `LIMIT_EXCEEDED`; `FIELD_INVALID` if decimals differ.
    pub fn new(mut places: Vec<(Place, NamedCell)>) -> Result<Self, Invalid> {
        super::within("chart.places", places.len(), CHART_ROWS_MAX)?;
        let decimals = super::one_unit(places.iter().map(|(_, cell)| cell.cell()))?;
        places.sort_by(|(a, _), (b, _)| a.label.as_str().cmp(b.label.as_str()));
        Ok(Self { places, decimals })
    }

    fn named(&self) -> impl Iterator<Item = &NamedCell> + Clone {
        self.places.iter().map(|(_, cell)| cell)
    }

    fn list(&self, canvas: &mut Canvas, (left, top): Spot, classes: Classes) -> i64 {
        let width = WIDTH - EDGE - left;
        let columns: [Column; 4] = [
            (34 * PX, Anchor::Start),
            (142 * PX, Anchor::Start),
            (90 * PX, Anchor::Start),
            (width - 258 * PX, Anchor::Start),
        ];
        let head = ["", "Jurisdiction", "Figure", "Note"].map(str::to_owned);
        let row = |(place, cell): &(Place, NamedCell)| {
            let drawn = GEOMETRY.1.iter().any(|of| of.code == place.code);
            let note = note(cell.cell());
            let absent = if drawn { "" } else { "not on this map" };
            let notes = [note.as_str(), absent].into_iter().filter(|of| !of.is_empty());
            let notes = notes.collect::<Vec<_>>().join("; ");
            vec![String::new(), place.label.to_string(), cell.cell().in_table(), notes]
        };
        let rows: Vec<_> = self.places.iter().map(row).collect();
        grid::texts(canvas, (left, top), &columns, (&head, &rows), |canvas, at, y| {
            let cell = &self.places[at].1;
            let area = Area::new((left, y - 6 * PX), 22 * PX, 12 * PX);
            for look in cell::looks(cell.cell(), class(classes, cell)) {
                canvas.rect(area, look);
            }
            if cell.cell().gap() == State::Waiting {
                cell::clock_face(canvas, area.middle());
            }
        })
    }
}

/// What the sign of a cell means; a figure without one needs none.
fn note(cell: &Cell) -> String {
    match cell.as_figure() {
        Some(figure) if figure.signs().is_empty() && figure.point.is_some() => String::new(),
        Some(_) => {
            let states = cell.states();
            let states = states.iter().filter(|of| **of != State::Figure);
            states.map(|of| of.words()).collect::<Vec<_>>().join("; ")
        }
        None => cell.in_words(),
    }
}

impl Drawn for Map {
    fn draw(&self, canvas: &mut Canvas, top: i64) -> i64 {
        if region_only(self.named()) {
            return super::instead(canvas, top, REGION_ONLY);
        }
        let classes = classes(self.named());
        let (size, outlines) = &*GEOMETRY;
        let place_of = |code: &str| self.places.iter().find(|(place, _)| place.code == code);
        let moved = |rings: &[Vec<Spot>]| -> Vec<Vec<Spot>> {
            let to = |(x, y): &Spot| (x + EDGE, y + top);
            rings.iter().map(|ring| ring.iter().map(to).collect()).collect()
        };
        let frame = Area::new((EDGE, top), size.0, size.1);
        canvas.decor(|canvas| {
            // Water has a tone of its own: white is what an answer is awaited from.
            canvas.rect(frame, Look::filled(colour::WATER));
            for outline in outlines.iter().filter(|of| place_of(of.code).is_none()) {
                let rings = moved(&outline.rings);
                let stroke = Stroke::solid(colour::RULE, 7);
                let look = Look { fill: Fill::Colour(colour::CONTEXT), stroke };
                canvas.shape(rings.iter().map(Vec::as_slice), look);
            }
        });
        for outline in outlines {
            let Some((place, cell)) = place_of(outline.code) else { continue };
            let title = format!("{}: {}", place.label, cell.cell().in_words());
            let rings = moved(&outline.rings);
            canvas.mark(&title, |canvas| {
                for look in cell::looks(cell.cell(), class(classes, cell)) {
                    canvas.shape(rings.iter().map(Vec::as_slice), look);
                }
            });
        }
        for outline in outlines {
            let Some((place, cell)) = place_of(outline.code) else { continue };
            let Some((x, y)) = outline.label else { continue };
            canvas.decor(|canvas| {
                label(canvas, (x + EDGE, y + top), place, (cell.cell(), class(classes, cell)));
            });
        }
        canvas.decor(|canvas| {
            canvas.rect(frame, Look::outline(Stroke::solid(colour::RULE, 8)));
        });
        let left = EDGE + size.0 + 24 * PX;
        let mut below = self.list(canvas, (left, top), classes) + 18 * PX;
        let keys = keys(self.named(), self.decimals);
        canvas.decor(|canvas| {
            below = legend::draw(canvas, (left, below), WIDTH - EDGE - left, &keys);
        });
        below.max(frame.bottom()) + 8 * PX
    }

    fn keys(&self) -> Vec<Key> {
        // It stands under the list.
        Vec::new()
    }

    fn sentence(&self) -> String {
        if region_only(self.named()) {
            return REGION_ONLY.to_owned();
        }
        let (shown, all) = alternative::shown(self.named().map(NamedCell::cell));
        let gaps = self.places.iter().filter(|(_, cell)| cell.cell().as_figure().is_none());
        let gaps: Vec<_> = gaps
            .map(|(place, cell)| format!("{} ({})", place.label, cell.cell().in_words()))
            .collect();
        let without =
            if gaps.is_empty() { String::new() } else { format!("; without: {}", listed(&gaps)) };
        format!("{shown} of {all} jurisdictions show a figure{without}.")
    }

    fn rows(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let head = ["Jurisdiction", "Figure", "In words"].map(str::to_owned).to_vec();
        let row = |(place, cell): &(Place, NamedCell)| {
            vec![place.label.to_string(), cell.cell().in_table(), cell.cell().in_words()]
        };
        (head, self.places.iter().map(row).collect())
    }

    fn cells(&self) -> Option<(usize, usize)> {
        Some(alternative::shown(self.named().map(NamedCell::cell)))
    }

    fn notes(&self) -> Vec<String> {
        let text = "The boundaries and names on this map do not imply the expression of any opinion on the status of any \
                    territory or the delimitation of its boundaries. Outlines: Natural Earth.";
        if region_only(self.named()) { Vec::new() } else { vec![text.to_owned()] }
    }
}

/// A name and a figure or sign, on the map.
fn label(canvas: &mut Canvas, (x, y): Spot, place: &Place, (cell, class): (&Cell, Option<usize>)) {
    let pen = Pen::SMALL.bold().at(Anchor::Middle).boxed();
    let names = font::wrapped(place.label.as_str(), 78 * PX, pen);
    let figure = cell.as_figure();
    let value = figure.map(|of| format!("{} {}", of.short(), of.signs()).trim_end().to_owned());
    let big = Pen::of(13).bold().at(Anchor::Middle).boxed();
    let lines = i64::try_from(names.len()).unwrap_or(1);
    let high = lines * 14 * PX + 18 * PX;
    let value_width = value.as_ref().map_or(34 * PX, |text| font::width(text, big));
    let widest = names.iter().map(|name| font::width(name, pen)).fold(value_width, i64::max);
    let thin = figure.is_some_and(|of| of.qualities.contains(&Quality::LowReliability));
    let known = figure.is_some_and(|of| of.point.is_some());
    let ground =
        class.and_then(|class| colour::CLASSES.get(class).copied()).unwrap_or(colour::PAPER);
    if !known || thin {
        let plate = Area::new((x - widest / 2 - 40, y - high / 2), widest + 80, high);
        canvas.rect(plate, Look::filled(ground));
    }
    let ink = class.and_then(|class| colour::ON_CLASS.get(class).copied()).unwrap_or(colour::INK);
    let mut line = y - high / 2 + 12 * PX;
    for name in &names {
        canvas.text((x, line), name, pen.coloured(ink));
        line += 14 * PX;
    }
    match value {
        Some(value) => canvas.text((x, line + 2 * PX), &value, big.coloured(ink)),
        None => cell::sign(canvas, (x, line - 2 * PX), cell.gap(), 78 * PX),
    }
}
