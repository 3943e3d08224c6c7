//! Where things stand: inside of the frame, and no text over another. Read from the documents themselves.

use std::fmt::Debug;

use resvg::usvg::roxmltree::{Document, Node};

use super::*;
use crate::chart::{
    font,
    svg::{Anchor, Spot},
};

/// Left, top, right, bottom in tenths of a pixel, and what it is.
type Extent = ([i64; 4], String);

fn tenths(text: &str) -> i64 {
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, tenth) = text.split_once('.').unwrap_or((text, "0"));
    assert_eq!(tenth.len(), 1, "{text} is finer than a tenth of a pixel");
    sign * (whole.parse::<i64>().unwrap() * 10 + tenth.parse::<i64>().unwrap())
}

fn attribute(node: Node<'_, '_>, name: &str) -> i64 {
    node.attribute(name).map_or(0, tenths)
}

fn around(spots: &[Spot]) -> [i64; 4] {
    let (xs, ys) = (|| spots.iter().map(|spot| spot.0), || spots.iter().map(|spot| spot.1));
    [xs().min().unwrap(), ys().min().unwrap(), xs().max().unwrap(), ys().max().unwrap()]
}

fn text_extent(node: Node<'_, '_>) -> Extent {
    let size = attribute(node, "font-size");
    let pen = Pen { size, bold: node.attribute("font-weight").is_some(), ..Pen::BODY };
    let words = node.text().unwrap_or_default().to_owned();
    let (x, y, wide) = (attribute(node, "x"), attribute(node, "y"), font::width(&words, pen));
    let anchor = match node.attribute("text-anchor") {
        None => Anchor::Start,
        Some("middle") => Anchor::Middle,
        Some(_) => Anchor::End,
    };
    let left = match anchor {
        Anchor::Start => x,
        Anchor::Middle => x - wide / 2,
        Anchor::End => x - wide,
    };
    // Height of capitals, and what hangs below the line.
    ([left, y - size * 72 / 100, left + wide, y + size * 20 / 100], words)
}

fn extent(node: Node<'_, '_>) -> Option<Extent> {
    let of = |name| attribute(node, name);
    let name = node.tag_name().name();
    let found = match name {
        "text" => return Some(text_extent(node)),
        "rect" => [of("x"), of("y"), of("x") + of("width"), of("y") + of("height")],
        "circle" => {
            let (x, y, r) = (of("cx"), of("cy"), of("r"));
            [x - r, y - r, x + r, y + r]
        }
        "line" => around(&[(of("x1"), of("y1")), (of("x2"), of("y2"))]),
        "path" => {
            let route = node.attribute("d").unwrap().replace(['M', 'L', 'Z'], " ");
            let numbers: Vec<_> = route.split_whitespace().map(tenths).collect();
            around(&numbers.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect::<Vec<_>>())
        }
        _ => return None,
    };
    Some((found, name.to_owned()))
}

fn extents(svg: &str) -> (Vec<Extent>, Vec<Extent>, [i64; 4]) {
    let document = Document::parse(svg).unwrap();
    let root = document.root_element();
    let frame = [0, 0, attribute(root, "width"), attribute(root, "height")];
    let drawn = |node: &Node<'_, '_>| !node.ancestors().any(|of| of.tag_name().name() == "defs");
    let nodes: Vec<_> = root.descendants().filter(drawn).collect();
    let is_text = |node: &&Node<'_, '_>| node.tag_name().name() == "text";
    let of = |node: &Node<'_, '_>| extent(*node);
    let texts = nodes.iter().filter(is_text).filter_map(of).collect();
    (nodes.iter().filter_map(of).collect(), texts, frame)
}

/// What lies outside of the frame, and which texts lie over each other.
pub(super) fn flaws(svg: &str) -> Vec<String> {
    let (all, texts, [left, top, right, bottom]) = extents(svg);
    let outside =
        |([x0, y0, x1, y1], _): &&Extent| *x0 < left || *y0 < top || *x1 > right || *y1 > bottom;
    let mut flaws: Vec<_> =
        all.iter().filter(outside).map(|(at, what)| format!("outside: {what:?} {at:?}")).collect();
    for (number, (a, what)) in texts.iter().enumerate() {
        for (b, other) in &texts[number + 1..] {
            // A tenth of a pixel more or less cannot be seen.
            let apart =
                a[2] <= b[0] + 5 || b[2] <= a[0] + 5 || a[3] <= b[1] + 5 || b[3] <= a[1] + 5;
            if !apart && !what.is_empty() && !other.is_empty() {
                flaws.push(format!("{what:?} {a:?} over {other:?} {b:?}"));
            }
        }
    }
    flaws
}

/// A stream of numbers from a seed: SplitMix64.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % most
    }

    fn number(&mut self, most: u64) -> i64 {
        i64::try_from(self.below(most)).unwrap()
    }

    fn cell(&mut self) -> Cell {
        let magnitude = 10_u64.pow(u32::try_from(self.below(6)).unwrap() + 1);
        let (value, error) = (self.number(magnitude), self.number(magnitude / 4 + 1));
        let figure = Cell::value(value, (value - error, value + error), 0).unwrap();
        match self.below(12) {
            0 => Cell::not_shown(),
            1 => Cell::missing(),
            2 => Cell::not_applicable(),
            3 => Cell::waiting(None),
            4 => Cell::unreachable(None),
            5 => Cell::between((value, value + error), 0).unwrap(),
            6 => figure.with(Quality::Provisional).with(Quality::LowReliability),
            7 => figure.with(Quality::Partial),
            _ => figure,
        }
    }

    fn own(&mut self) -> NamedCell {
        let cell = self.cell();
        if cell.as_figure().is_none() {
            return gap(cell);
        }
        let value = self.number(100_000);
        match self.below(3) {
            0 => own_between(value, value + self.number(1_000)),
            1 => own(value, self.below(90_000)).with(Quality::LowReliability),
            _ => own(value, self.below(90_000)),
        }
    }

    fn label(&mut self) -> Text {
        let words = [
            "Kosovo*",
            "Злоупотреба",
            "of",
            "Šverc",
            "psychoactive",
            "and",
            "Criminal",
            "finances,",
            "donaudampfschifffahrtsgesellschaftskapitän",
            "Ž",
        ];
        let count = 1 + self.below(7);
        let word = |_| words[usize::try_from(self.below(10)).unwrap()];
        text(&(0..count).map(word).collect::<Vec<_>>().join(" "))
    }

    fn view(&mut self) -> View {
        let codes = ["AL", "BA", "XK", "ME", "MK", "RS", "HR", "IT", "DE", "AT", "BG", "EL"];
        let some = usize::try_from(1 + self.below(12)).unwrap();
        match self.below(6) {
            0 => {
                let cells = codes[..some].iter().map(|code| (place(code), self.own())).collect();
                View::Map(Map::new(cells).unwrap())
            }
            1 => {
                let columns = codes[..some].iter().map(|code| place(code)).collect();
                let rows = 1 + self.below(20);
                let row = |_| (self.label(), (0..some).map(|_| self.own()).collect());
                View::Heat(Heat::new(columns, (0..rows).map(row).collect()).unwrap())
            }
            2 => {
                let long = 1 + self.below(40);
                let since = [Since::Same, Since::Anew, Since::Method, Since::Contributors];
                let panel = |_| Panel {
                    label: self.label(),
                    points: (0..long)
                        .map(|at| Point {
                            period: text(&format!("{}-Q1", 1990 + at)),
                            cell: self.cell(),
                            whole: (self.below(3) == 0).then(|| (0, self.number(100_000))),
                            since: since[usize::try_from(self.below(4)).unwrap()],
                        })
                        .collect(),
                };
                View::Trend(Trend::new((0..some).map(panel).collect()).unwrap())
            }
            3 => {
                let rows = 1 + self.below(20);
                let rank = |_| self.ranked(u32::try_from(rows).unwrap());
                View::Ranks(Ranks::new((0..rows).map(rank).collect()).unwrap())
            }
            4 => {
                let rows = 1 + self.below(20);
                let threat = |_| Threat {
                    ranked: self.ranked(u32::try_from(rows).unwrap()),
                    likelihood: self.level(),
                    impact: self.level(),
                    direction: Direction::Unknown,
                };
                let threats = (0..rows).map(threat).collect();
                View::Matrix(Matrix::new(threats, words()).unwrap())
            }
            _ => self.members(&codes, some),
        }
    }

    fn members(&mut self, codes: &[&str], some: usize) -> View {
        let columns: Vec<_> = (0..some).map(|_| self.label()).collect();
        let standing = [
            Standing::Answered,
            Standing::Pending,
            Standing::Declined,
            Standing::Late,
            Standing::Unreachable,
            Standing::Rejected,
        ];
        let small = |number: u64| u32::try_from(number).unwrap();
        let member = |code: &&str| Member {
            place: place(code),
            node: (self.below(2) == 0).then(|| text("customs")),
            standing: standing[usize::try_from(self.below(6)).unwrap()],
            detail: (self.below(2) == 0).then(|| self.label()),
            cells: (0..some)
                .map(|_| InCells::new(small(self.below(9)), 8 + small(self.below(3))).unwrap())
                .collect(),
        };
        View::Members(Members::new(columns, codes.iter().map(member).collect()).unwrap())
    }

    fn level(&mut self) -> Level {
        let mut of = || u16::try_from(100 + self.below(401)).unwrap();
        let mut ends = [of(), of(), of()];
        ends.sort_unstable();
        Level::new(ends[0], ends[1], ends[2]).unwrap()
    }

    fn ranked(&mut self, last: u32) -> Ranked {
        let mut of = || 1 + u32::try_from(self.below(u64::from(last))).unwrap();
        let mut ends = [of(), of(), of()];
        ends.sort_unstable();
        let rank = (self.below(5) > 0).then_some((ends[0], ends[1], ends[2]));
        Ranked { label: self.label(), ..ranked("a threat", rank, "very high") }
    }
}

fn none<T: Debug>(flaws: &[T], of: &str) {
    assert!(flaws.is_empty(), "{of}: {flaws:#?}");
}

#[test]
fn nothing_stands_outside_of_the_frame_and_no_text_over_another() {
    for chart in all() {
        none(&flaws(chart.draw().as_str()), &chart.frame.id);
    }
}

#[test]
fn whatever_is_drawn_stays_inside_of_the_frame_and_readable() {
    for seed in 0..120 {
        let mut dice = Dice(seed);
        let view = dice.view();
        let kind = format!("{view:?}");
        let kind = kind.split(['(', ' ']).next().unwrap_or_default().to_owned();
        let (title, note) = (dice.label(), dice.label());
        let frame = Frame { title, notes: vec![note], ..frame("any", "x", "Any") };
        none(&flaws(chart(frame, view).draw().as_str()), &format!("seed {seed}, {kind}"));
    }
}

/// A reader without our font has another one, which is wider or narrower.
#[test]
fn a_text_in_a_box_keeps_its_width_in_every_font_and_no_other_text_is_stretched() {
    let svg = heat_of_many().draw();
    let document = Document::parse(svg.as_str()).unwrap();
    let texts: Vec<_> = document.descendants().filter(|node| node.has_tag_name("text")).collect();
    let wide = |node: &Node<'_, '_>| {
        let ([left, _, right, _], words) = text_extent(*node);
        let told = node.attribute("textLength").map(tenths);
        assert!(told.is_none_or(|told| told == right - left), "{words}");
        assert_eq!(told.is_some(), node.attribute("lengthAdjust") == Some("spacingAndGlyphs"));
        told.map(|_| words)
    };
    let boxed: std::collections::BTreeSet<_> = texts.iter().filter_map(wide).collect();
    for words in ["TLP:AMBER+STRICT", "Kosovo*", "Cocaine", "[c]", "22", "[36–46]"] {
        assert!(boxed.contains(words), "{words}: {boxed:?}");
    }
    for words in ["Seizures by jurisdiction and crime area", "nothing received"] {
        assert!(!boxed.contains(words) && svg.as_str().contains(words), "{words}");
    }
}

#[test]
fn figures_at_the_ends_of_what_a_number_can_be_are_drawn() {
    let ends = [i64::MIN, -1, 0, 1, i64::MAX];
    let cells = ends.map(|end| Cell::between((i64::MIN, end), 9).unwrap());
    let point = |(at, cell)| Point {
        period: text(&format!("{at}")),
        cell,
        whole: Some((i64::MIN, i64::MAX)),
        since: Since::Same,
    };
    let points = (2000..).zip(cells).map(point).collect();
    let view = Trend::new(vec![Panel { label: text("Ends"), points }]).unwrap();
    none(&flaws(chart(frame("ends", "Ends", "Any"), View::Trend(view)).draw().as_str()), "ends");
}

/// So many jurisdictions and crime areas, each cell another state.
fn many(jurisdictions: usize, areas: usize) -> Result<Heat, crate::reason::Invalid> {
    let mut dice = Dice(7);
    let columns = (0..jurisdictions).map(|at| place(&format!("Q{at:03}"))).collect();
    let mut row =
        |at| (text(&format!("Area {at}")), (0..jurisdictions).map(|_| dice.own()).collect());
    Heat::new(columns, (0..areas).map(&mut row).collect())
}

#[test]
fn a_large_federation_is_drawn_with_its_members_as_rows_up_to_a_bound_that_a_refusal_names() {
    let heat = |jurisdictions, areas| {
        let view = View::Heat(many(jurisdictions, areas).unwrap());
        chart(frame("many", "Many", "Any"), view)
    };
    // As many jurisdictions as fit across stand there; one more, and all of them stand down.
    assert_eq!(heat(12, 3).table().rows.len(), 3);
    let turned = heat(13, 3).table();
    assert_eq!((turned.rows.len(), turned.header.len()), (13, 4));
    assert_eq!(turned.header[0], "Jurisdiction");
    for (jurisdictions, areas) in [(200, 12), (27, 79), (13, 25)] {
        let chart = heat(jurisdictions, areas);
        let svg = chart.draw();
        none(&flaws(svg.as_str()), &format!("{jurisdictions} by {areas}"));
        // Every cell is there once, and nothing is cut off the table.
        let cells = svg.as_str().matches("<g><title>").count();
        assert_eq!(cells, jurisdictions * areas);
        assert_eq!(chart.table().rows.len(), jurisdictions);
        let (_, _, [_, _, wide, high]) = extents(svg.as_str());
        let dots = u64::try_from(wide * high * 4 / 100).unwrap();
        assert!(dots <= crate::limits::CHART_DOTS_MAX, "two dots a pixel: {dots}");
    }
    for (jurisdictions, areas) in [(200, 13), (101, 25), (201, 1), (1, 201)] {
        let refused = many(jurisdictions, areas).unwrap_err();
        assert_eq!(refused.reason, Reason::LimitExceeded, "{jurisdictions} by {areas}");
    }
    // Indicators stand in blocks under each other, each with how the member has answered.
    let codes: Vec<_> = (0..27).map(|at| format!("Q{at:03}")).collect();
    let codes: Vec<_> = codes.iter().map(String::as_str).collect();
    let svg = chart(frame("many", "Many", "Any"), Dice(9).members(&codes, 30)).draw();
    none(&flaws(svg.as_str()), "27 by 30");
    assert_eq!(svg.as_str().matches("<g><title>").count(), 27 * (30 + 3));
    let too_many = Members::new(vec![text("Indicator"); 13], vec![asked(13); 101]).unwrap_err();
    assert_eq!((too_many.reason, too_many.field.as_str()), (Reason::LimitExceeded, "chart.lines"));
}

/// A member that is asked for so many indicators.
fn asked(indicators: usize) -> Member {
    Member {
        place: place("AL"),
        node: None,
        standing: Standing::Answered,
        detail: None,
        cells: vec![InCells::new(1, 1).unwrap(); indicators],
    }
}

/// Some of what dice throw, to look at.
#[test]
fn a_large_chart_of_every_kind_becomes_a_png() {
    let folder = std::env::var_os("ACCORD_CHART_FOLDER").map(PathBuf::from);
    for seed in [1_000, 1_001, 1_002, 1_003, 1_004, 1_005, 1_006, 1_007] {
        let view = Dice(seed).view();
        let svg = chart(frame("any", "Whatever dice throw", "Any"), view).draw();
        svg.png(1).unwrap();
        if let Some(folder) = &folder {
            look(folder, &format!("dice-{seed}"), &svg);
        }
    }
}
