//! One chart of every kind, with cells of every state, as it is written down in `goldens/`; `ACCORD_UPDATE_GOLDEN=1` writes it
//! anew. `ACCORD_CHART_FOLDER` names a folder to look at them in: every chart as a PNG, in colour and in grey.

use std::{fs, path::PathBuf};

use super::*;
use crate::wire::region;

mod attack;
mod foreign;
mod layout;
mod picture;
mod promises;

pub(super) fn text(text: &str) -> Text {
    Text::new("test", text).unwrap()
}

pub(super) fn place(code: &str) -> Place {
    Place::of("test", code, Lists::builtin()).unwrap()
}

/// A figure that may stand under a name.
pub(super) fn own(value: i64, error_milli: u64) -> NamedCell {
    let share = region::Share {
        status: region::ShareStatus::Value.into(),
        value,
        standard_error_milli: error_milli,
        ..region::Share::default()
    };
    NamedCell::of_share(&share, 0).unwrap()
}

pub(super) fn own_between(lower: i64, upper: i64) -> NamedCell {
    let share = region::Share {
        status: region::ShareStatus::Between.into(),
        value: lower,
        upper,
        ..region::Share::default()
    };
    NamedCell::of_share(&share, 0).unwrap()
}

pub(super) fn gap(cell: Cell) -> NamedCell {
    NamedCell::without_figure(cell)
}

pub(super) fn frame(id: &str, title: &str, subtitle: &str) -> Frame {
    Frame {
        id: id.to_owned(),
        title: text(title),
        subtitle: text(subtitle),
        handling: vec![text("TLP:AMBER+STRICT"), text("Police authorities of the members")],
        answered: 4,
        asked: 6,
        as_of: text("2024-04-30T14:05:00Z"),
        source: text(
            "picture 018f2c1e-7a44-7c1d-9b5e-2f6d3a1c0b9e version 3 (SHA-256 9f2c41d07ab3…)",
        ),
        notes: vec![text("Counted otherwise: Montenegro counts attempts too.")],
    }
}

pub(super) fn chart(frame: Frame, view: View) -> Chart {
    Chart::new(frame, view, Lists::builtin()).unwrap()
}

fn due() -> Cell {
    Cell::waiting(Some(text("due 30 Apr")))
}

fn silent() -> Cell {
    Cell::unreachable(Some(text("last contact 3 days ago")))
}

pub(super) fn map() -> Chart {
    let cells = [
        ("RS", own(17, 0)),
        ("AL", own(41, 2_500)),
        ("BA", gap(due())),
        ("ME", own(22, 0).with(Quality::Provisional)),
        ("XK", own(12, 2_500).with(Quality::LowReliability)),
        ("MK", gap(Cell::not_shown())),
    ];
    let cells = cells.into_iter().map(|(code, cell)| (place(code), cell)).collect();
    let frame =
        frame("map", "Cocaine seizures by jurisdiction", "Seizures, number, first quarter of 2024");
    chart(frame, View::Map(Map::new(cells).unwrap()))
}

/// A map with the states that the other one has not, and a jurisdiction that lies elsewhere.
pub(super) fn map_of_gaps() -> Chart {
    let cells = [
        ("RS", own_between(12, 30)),
        ("AL", gap(silent())),
        ("BA", gap(Cell::missing())),
        ("ME", gap(Cell::not_applicable())),
        ("MK", own(1_284, 0).with(Quality::Break)),
        ("IT", own(12_840, 0)),
        ("DE", own(640, 0)),
    ];
    let cells = cells.into_iter().map(|(code, cell)| (place(code), cell)).collect();
    let frame = frame("map-of-gaps", "Heroin seizures by jurisdiction", "Seizures, number, 2023");
    chart(frame, View::Map(Map::new(cells).unwrap()))
}

pub(super) fn heat() -> Chart {
    let columns = ["AL", "BA", "ME", "MK", "RS", "XK"].map(place).to_vec();
    let row = |label: &str, cells: [NamedCell; 6]| (text(label), cells.to_vec());
    let rows = vec![
        row(
            "Cocaine",
            [
                own(41, 2_500),
                gap(due()),
                own(22, 0),
                gap(Cell::not_shown()),
                own(17, 0),
                own(12, 2_500),
            ],
        ),
        row(
            "Heroin",
            [
                own(8, 0),
                gap(due()),
                gap(Cell::not_shown()),
                own(31, 0),
                own(27, 0),
                gap(Cell::not_shown()),
            ],
        ),
        row(
            "Synthetic drugs and new psychoactive substances",
            [
                own(5, 0).with(Quality::LowReliability),
                gap(due()),
                own_between(4, 9),
                gap(Cell::not_shown()),
                own(48, 0).with(Quality::Break),
                gap(Cell::missing()),
            ],
        ),
        row(
            "Firearms and explosives",
            [
                own(19, 0),
                gap(due()),
                own(0, 0),
                own(11, 0).with(Quality::Provisional),
                gap(silent()),
                own(36, 0),
            ],
        ),
        row(
            "Crime involving cultural goods",
            [
                gap(Cell::missing()),
                gap(due()),
                own(2, 0),
                own(3, 0),
                gap(silent()),
                gap(Cell::not_applicable()),
            ],
        ),
    ];
    let frame = frame(
        "heat",
        "Seizures by crime area and jurisdiction",
        "Seizures, number, first quarter of 2024",
    );
    chart(frame, View::Heat(Heat::new(columns, rows).unwrap()))
}

/// More jurisdictions than fit side by side, with cells of every state.
pub(super) fn heat_of_many() -> Chart {
    let codes =
        ["AL", "AT", "BA", "BG", "DE", "EL", "HR", "HU", "IT", "ME", "MK", "RO", "RS", "SI", "XK"];
    let states = [
        own(41, 2_500),
        gap(Cell::not_shown()),
        own(22, 0),
        gap(due()),
        own_between(4, 9),
        gap(silent()),
        own(0, 0),
        gap(Cell::missing()),
        own(12, 2_500).with(Quality::LowReliability),
        gap(Cell::not_applicable()),
        own(31, 0).with(Quality::Provisional),
    ];
    let labels =
        ["Cocaine", "Synthetic drugs and new psychoactive substances", "Firearms and explosives"];
    let row = |(at, label): (usize, &str)| {
        let cells = states.iter().cycle().skip(at * 4).take(codes.len());
        (text(label), cells.cloned().collect())
    };
    let rows = labels.into_iter().enumerate().map(row).collect();
    let subtitle = "Seizures, number, first quarter of 2024";
    let frame = frame("heat-of-many", "Seizures by jurisdiction and crime area", subtitle);
    chart(frame, View::Heat(Heat::new(codes.map(place).to_vec(), rows).unwrap()))
}

fn figure(value: i64, error: i64) -> Cell {
    Cell::value(value, (value - error, value + error), 0).unwrap()
}

/// A cell, what stands before it, and its bounds.
type Told = (Cell, Since, Option<(i64, i64)>);

fn points(of: Vec<Told>) -> Vec<Point> {
    let periods = (0..).map(|at| format!("{}-Q{}", 2021 + at / 4, 1 + at % 4));
    let point = |(period, (cell, since, whole)): (String, Told)| Point {
        period: text(&period),
        cell,
        whole,
        since,
    };
    periods.zip(of).map(point).collect()
}

pub(super) fn trend() -> Chart {
    use Since::{Anew, Contributors, Method, Same};
    let points = points(vec![
        (figure(96, 9), Anew, None),
        (figure(104, 9), Same, None),
        (figure(119, 10), Same, None),
        (Cell::not_shown(), Anew, None),
        (figure(131, 11), Anew, None),
        (figure(98, 9).with(Quality::Partial), Contributors, Some((98, 160))),
        (figure(102, 9).with(Quality::Partial), Same, Some((102, 171))),
        (Cell::missing(), Anew, None),
        (Cell::missing(), Anew, None),
        (figure(143, 6), Anew, None),
        (figure(88, 6), Method, None),
        (figure(92, 6), Same, None),
        (Cell::between((70, 120), 0).unwrap(), Anew, None),
        (figure(99, 6).with(Quality::Provisional), Anew, None),
        (figure(106, 6).with(Quality::LowReliability), Same, None),
        (Cell::not_applicable(), Anew, None),
        (due(), Anew, None),
    ]);
    let panels = vec![Panel { label: text("All members asked"), points }];
    let frame =
        frame("trend", "Cocaine seizures, all members asked", "Seizures, number, by quarter");
    chart(frame, View::Trend(Trend::new(panels).unwrap()))
}

pub(super) fn panels() -> Chart {
    use Since::{Anew, Method, Same};
    let named = |label: &str, values: [Option<i64>; 8], gap: &Cell, breaks: usize| {
        let mut before = false;
        let of = values.iter().enumerate().map(|(at, value)| {
            let cell = value.map_or_else(|| gap.clone(), |value| figure(value, 3));
            let joined = if at == breaks { Method } else { Same };
            let since = if before && value.is_some() { joined } else { Anew };
            before = value.is_some();
            (cell, since, None)
        });
        Panel { label: text(label), points: points(of.collect()) }
    };
    let all = |from: i64| [0, 4, 7, 5, 9, 12, 10, 15].map(|more| Some(from + more));
    let mut holes = all(30);
    (holes[2], holes[5], holes[6]) = (None, None, None);
    let panels = vec![
        named("Albania", all(26), &Cell::missing(), 99),
        named("Bosnia and Herzegovina", [None; 8], &due(), 99),
        named("Kosovo*", holes, &Cell::not_shown(), 99),
        named("Montenegro", all(12), &Cell::missing(), 4),
        named("North Macedonia", holes, &silent(), 99),
        named("Serbia", all(8), &Cell::not_shown(), 99),
    ];
    let frame = frame("panels", "Cocaine seizures by jurisdiction", "Seizures, number, by quarter");
    chart(frame, View::Trend(Trend::new(panels).unwrap()))
}

pub(super) fn ranked(label: &str, rank: Option<(u32, u32, u32)>, band: &str) -> Ranked {
    Ranked {
        label: text(label),
        rank: rank.map(|(best, point, worst)| Rank::new(best, point, worst).unwrap()),
        band: text(band),
        confidence: match label.len() % 3 {
            0 => Confidence::Low,
            1 => Confidence::Moderate,
            _ => Confidence::High,
        },
    }
}

fn threats() -> Vec<Ranked> {
    vec![
        ranked("Cocaine through container ports", Some((1, 1, 2)), "extreme"),
        ranked("Migrant smuggling, river route", Some((1, 2, 3)), "very high"),
        ranked("Converted blank-firing weapons", Some((2, 3, 5)), "high"),
        ranked("Excise fraud with tobacco", Some((3, 4, 5)), "high"),
        ranked("Online fraud schemes", Some((3, 5, 6)), "moderate"),
        ranked("Crime involving cultural goods", Some((6, 6, 6)), "low"),
        ranked("Synthetic drugs and new psychoactive substances", None, "white spot"),
    ]
}

pub(super) fn ranks() -> Chart {
    let frame = frame("ranks", "Threats by rank", "RISK-5x5-C, version 1.0.0; first half of 2024");
    chart(frame, View::Ranks(Ranks::new(threats()).unwrap()))
}

pub(super) fn words() -> ([Text; 5], [Text; 5]) {
    let likelihood = [
        "remote, highly unlikely",
        "unlikely",
        "realistic possibility",
        "likely",
        "almost certain",
    ];
    let impact = ["minor", "limited", "substantial", "severe", "critical"];
    (likelihood.map(text), impact.map(text))
}

pub(super) fn matrix() -> Chart {
    let levels = [
        ((400, 450, 500), (400, 500, 500), Direction::Up),
        ((400, 400, 500), (300, 400, 500), Direction::Up),
        ((300, 400, 400), (300, 400, 400), Direction::Stable),
        ((300, 350, 400), (200, 300, 300), Direction::Down),
        ((300, 300, 300), (200, 300, 400), Direction::Stable),
        ((100, 100, 200), (100, 200, 200), Direction::Unknown),
        ((100, 300, 500), (100, 200, 500), Direction::Unknown),
    ];
    let level = |(low, point, high)| Level::new(low, point, high).unwrap();
    let threat = |(ranked, (likelihood, impact, direction))| Threat {
        ranked,
        likelihood: level(likelihood),
        impact: level(impact),
        direction,
    };
    let threats = threats().into_iter().zip(levels).map(threat).collect();
    let frame = frame(
        "matrix",
        "Threats by likelihood and impact",
        "RISK-5x5-C, version 1.0.0; first half of 2024",
    );
    chart(frame, View::Matrix(Matrix::new(threats, words()).unwrap()))
}

pub(super) fn coverage() -> Chart {
    let columns = [
        "Drugs: seizures",
        "Firearms: seizures",
        "Trafficking in human beings: victims",
        "Excise: seizures",
    ];
    let member = |code: &str, standing, detail: Option<&str>, counts: [(u32, u32); 4]| Member {
        place: place(code),
        node: None,
        standing,
        detail: detail.map(text),
        cells: counts.map(|(shown, all)| InCells::new(shown, all).unwrap()).to_vec(),
    };
    let members = vec![
        member("AL", Standing::Answered, None, [(36, 36), (12, 12), (18, 18), (0, 0)]),
        member("BA", Standing::Pending, Some("due 30 Apr"), [(0, 36), (0, 12), (0, 18), (0, 0)]),
        member("ME", Standing::Answered, None, [(36, 36), (10, 12), (14, 18), (0, 0)]),
        member("MK", Standing::Answered, None, [(0, 36), (12, 12), (18, 18), (0, 0)]),
        member(
            "RS",
            Standing::Late,
            Some("last contact 3 days ago"),
            [(0, 36), (0, 12), (0, 18), (0, 0)],
        ),
        member("XK", Standing::Answered, None, [(36, 36), (12, 12), (14, 18), (0, 0)]),
    ];
    let frame = frame(
        "coverage",
        "Who answered, and how much of it is shown",
        "Requirement 2024-Q1, by indicator",
    );
    let columns = columns.map(text).to_vec();
    chart(frame, View::Members(Members::new(columns, members).unwrap()))
}

pub(super) fn all() -> Vec<Chart> {
    vec![
        map(),
        map_of_gaps(),
        heat(),
        heat_of_many(),
        trend(),
        panels(),
        matrix(),
        ranks(),
        coverage(),
    ]
}

/// Caption, sentence and table as text.
fn twin(chart: &Chart) -> String {
    let Twin { caption, header, rows, notes } = chart.table();
    let description = chart.description();
    let line = |fields: &Vec<String>| format!("{}\n", fields.join(" | "));
    let rows: String = [&header].into_iter().chain(&rows).map(line).collect();
    format!("{caption}\n\n{description}\n\n{rows}\n{}\n", notes.join("\n"))
}

#[test]
fn every_chart_is_drawn_as_it_is_written_down() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/chart/goldens");
    let update = std::env::var_os("ACCORD_UPDATE_GOLDEN").is_some_and(|value| value == "1");
    for chart in all() {
        let files = [("svg", chart.draw().as_str().to_owned()), ("txt", twin(&chart))];
        for (kind, text) in files {
            let path = folder.join(format!("{}.{kind}", chart.frame.id));
            if update {
                fs::write(&path, &text).unwrap();
            }
            let written = fs::read_to_string(&path).unwrap_or_default();
            // The whole of two drawings would say nothing in an error.
            let same = text == written;
            assert!(same, "{}; if that is meant, run with ACCORD_UPDATE_GOLDEN=1", path.display());
        }
    }
}

#[test]
fn a_png_is_the_same_bytes_twice_and_is_not_blank() {
    for chart in all() {
        let svg = chart.draw();
        let png = svg.png(1).unwrap();
        assert_eq!(png, chart.draw().png(1).unwrap(), "{}", chart.frame.id);
        let pixels = resvg::tiny_skia::Pixmap::decode_png(&png).unwrap();
        assert_eq!(pixels.width(), 960);
        let ink =
            pixels.pixels().iter().filter(|dot| (dot.red(), dot.blue()) != (255, 255)).count();
        assert!(ink > pixels.pixels().len() / 50, "{}: {ink} dots", chart.frame.id);
        if let Some(folder) = std::env::var_os("ACCORD_CHART_FOLDER") {
            look(&PathBuf::from(folder), &chart.frame.id, &svg);
        }
    }
    let wide = resvg::tiny_skia::Pixmap::decode_png(&ranks().draw().png(2).unwrap()).unwrap();
    assert_eq!(wide.width(), 1920);
}

/// Writes a chart in colour and in grey (Rec. 709 luma).
fn look(folder: &std::path::Path, id: &str, svg: &Svg) {
    let png = svg.png(1).unwrap();
    fs::write(folder.join(format!("{id}.png")), &png).unwrap();
    fs::write(folder.join(format!("{id}.svg")), svg.as_str()).unwrap();
    let mut grey = resvg::tiny_skia::Pixmap::decode_png(&png).unwrap();
    for dot in grey.data_mut().chunks_exact_mut(4) {
        let luma =
            (u32::from(dot[0]) * 213 + u32::from(dot[1]) * 715 + u32::from(dot[2]) * 72) / 1000;
        dot[..3].fill(u8::try_from(luma).unwrap());
    }
    fs::write(folder.join(format!("{id}.grey.png")), grey.encode_png().unwrap()).unwrap();
}
