//! What a chart promises to whoever reads it.

use std::collections::BTreeSet;

use resvg::usvg::roxmltree::Document;

use super::*;
use crate::chart::{colour, font};

/// Every text of a document, in order.
fn texts(svg: &Svg) -> Vec<String> {
    let document = Document::parse(svg.as_str()).unwrap();
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    texts.filter_map(|node| node.text().map(str::to_owned)).collect()
}

/// All texts in one: lines are wrapped.
fn running(svg: &Svg) -> String {
    texts(svg).join(" ")
}

fn one_cell(cell: NamedCell) -> Chart {
    let row = (text("Cocaine"), vec![cell, own(2, 0)]);
    let heat = Heat::new(vec![place("AL"), place("RS")], vec![row]).unwrap();
    chart(frame("one", "One cell", "Any"), View::Heat(heat))
}

#[test]
fn all_cells_that_are_not_shown_look_the_same_whatever_the_reason() {
    let pooled = region::Share {
        status: region::ShareStatus::NotShown.into(),
        value: 3,
        ..region::Share::default()
    };
    let reasons = [
        gap(Cell::not_shown()),
        gap(Cell::not_shown().with(Quality::Provisional)),
        gap(Cell::value(3, (3, 3), 0).unwrap()),
        NamedCell::of_share(&pooled, 0).unwrap(),
        NamedCell::of_share(&region::Share::default(), 2).unwrap(),
    ];
    let drawn: BTreeSet<_> =
        reasons.map(|cell| one_cell(cell).draw().as_str().to_owned()).into_iter().collect();
    assert_eq!(drawn.len(), 1);
}

#[test]
fn no_gap_is_drawn_as_zero_and_every_gap_has_its_sign_and_its_word() {
    let gaps = [
        (Cell::not_shown(), "[c]", "not shown"),
        (Cell::missing(), "[m]", "not available from those asked"),
        (Cell::not_applicable(), "[z]", "not applicable"),
        (Cell::waiting(None), "[w]", "answer awaited"),
        (Cell::unreachable(None), "[x]", "nothing received"),
    ];
    for (cell, sign, words) in gaps {
        let chart = one_cell(gap(cell));
        let texts = texts(&chart.draw());
        assert!(texts.iter().any(|text| text == sign), "{sign}: {texts:?}");
        assert!(texts.iter().any(|text| text == words), "{words}: {texts:?}");
        assert!(!texts.iter().any(|text| text == "0"), "{texts:?}");
        assert_eq!(chart.table().rows, [["Cocaine", sign, "2"]]);
    }
}

#[test]
fn a_legend_explains_what_is_there_and_nothing_else() {
    let whole = running(&one_cell(own(4, 0)).draw());
    for absent in ["not shown", "awaited", "nothing received", "not applicable", "low reliability"]
    {
        assert!(!whole.contains(absent), "{absent}: {whole}");
    }
    // Two figures of two classes: each class that is there has its bounds, no other one has.
    assert!(whole.contains(" 2 4 or more "), "{whole}");
    assert!(!whole.contains("under 1"), "{whole}");
}

#[test]
fn coverage_and_handling_marks_stand_in_every_image() {
    for chart in all() {
        let svg = chart.draw();
        let said = running(&svg);
        assert!(said.contains("Coverage 4 of 6 members"), "{said}");
        assert!(said.contains("as of 2024-04-30T14:05:00Z"), "{said}");
        assert_eq!(said.matches("TLP:AMBER+STRICT").count(), 2, "{said}");
        assert_eq!(said.matches("Police authorities of the members").count(), 2, "{said}");
    }
    let said = running(&heat().draw());
    assert!(said.contains("16 of 30 cells shown"), "{said}");
}

#[test]
fn the_footnote_stands_wherever_the_name_does_and_only_there() {
    const NOTE: &str =
        "without prejudice to positions on status, and is in line with UNSCR 1244/1999";
    for (chart, named) in [
        (map(), true),
        (map_of_gaps(), false),
        (heat(), true),
        (heat_of_many(), true),
        (trend(), false),
        (panels(), true),
        (matrix(), false),
        (ranks(), false),
        (coverage(), true),
    ] {
        let id = &chart.frame.id;
        assert_eq!(running(&chart.draw()).contains(NOTE), named, "{id}");
        let notes = chart.table().notes.join(" ");
        assert_eq!(notes.contains(NOTE), named, "{id}: {notes}");
    }
    // Also by its code, in a title, and where somebody forgot the asterisk.
    for title in ["Seizures of XK*", "Seizures of Kosovo*", "Seizures of Kosovo"] {
        let about = frame("title", title, "Any");
        assert!(running(&chart(about, ranks().view).draw()).contains(NOTE), "{title}");
    }
}

#[test]
fn jurisdictions_stand_in_the_order_of_names_whatever_their_figures() {
    let columns = ["XK", "RS", "AL", "ME"];
    let heat = |figures: [i64; 4]| {
        let cells = figures.map(|figure| own(figure, 0)).to_vec();
        let heat = Heat::new(columns.map(place).to_vec(), vec![(text("Cocaine"), cells)]).unwrap();
        chart(frame("order", "x", "y"), View::Heat(heat)).table()
    };
    let (up, down) = (heat([1, 2, 3, 4]), heat([4, 3, 2, 1]));
    assert_eq!(up.header, ["Crime area", "Albania", "Kosovo*", "Montenegro", "Serbia"]);
    assert_eq!(up.header, down.header);
    assert_eq!(up.rows, [["Cocaine", "3", "1", "4", "2"]]);
    let rows = map().table().rows;
    let names: Vec<_> = rows.iter().map(|row| row[0].as_str()).collect();
    assert!(names.is_sorted(), "{names:?}");
    let rows = coverage().table().rows;
    let names: Vec<_> = rows.iter().map(|row| row[0].as_str()).collect();
    assert!(names.is_sorted(), "{names:?}");
}

#[test]
fn no_line_is_drawn_over_a_gap_a_break_or_other_contributors() {
    let svg = trend().draw();
    let document = Document::parse(svg.as_str()).unwrap();
    let lines = document
        .descendants()
        .filter(|node| node.has_tag_name("path") && node.attribute("stroke") == Some(colour::LINE));
    let lengths: Vec<_> =
        lines.map(|node| node.attribute("d").unwrap().matches('L').count() + 1).collect();
    // Three quarters, a gap, one alone; two of other members; one alone, two after a break; two after an interval.
    assert_eq!(lengths, [3, 2, 2, 2]);
}

#[test]
fn every_mark_says_in_words_what_it_is() {
    let svg = trend().draw();
    let document = Document::parse(svg.as_str()).unwrap();
    let titles: Vec<_> = document
        .descendants()
        .filter(|node| node.has_tag_name("title"))
        .filter_map(|node| node.text())
        .collect();
    for title in [
        "All members asked, 2021-Q1: about 96, between 87 and 105",
        "All members asked, 2021-Q4: not shown",
        "All members asked, 2022-Q4 to 2023-Q1: not available",
        "All members asked, 2023-Q3: about 88, between 82 and 94; method changed before this point",
        "All members asked, 2024-Q1: between 70 and 120",
        "All members asked, 2025-Q1: answer awaited; due 30 Apr",
    ] {
        assert!(titles.contains(&title), "{title}: {titles:#?}");
    }
}

#[test]
fn every_chart_names_itself_to_a_reader_of_screens() {
    for chart in all() {
        let svg = chart.draw();
        let document = Document::parse(svg.as_str()).unwrap();
        let root = document.root_element();
        assert_eq!(root.attribute("role"), Some("img"));
        let ids = root.attribute("aria-labelledby").unwrap();
        for id in ids.split(' ') {
            let named = document.descendants().find(|node| node.attribute("id") == Some(id));
            assert!(named.is_some_and(|node| node.text().is_some()), "{id}");
        }
        let all: Vec<_> = document.descendants().filter_map(|node| node.attribute("id")).collect();
        assert!(all.iter().all(|id| id.starts_with(&format!("{}-", chart.frame.id))), "{all:?}");
        // Text outside of a mark is for eyes only.
        for node in document.descendants().filter(|node| node.has_tag_name("text")) {
            let hidden = node.ancestors().any(|of| of.attribute("aria-hidden") == Some("true"));
            let marked =
                node.ancestors().any(|of| of.children().any(|of| of.has_tag_name("title")));
            assert!(hidden || marked, "{:?}", node.text());
        }
        assert!(!svg.as_str().contains("style="));
    }
}

#[test]
fn where_nothing_stands_under_a_name_a_sentence_says_so_instead_of_an_empty_map() {
    let cells = ["AL", "BA", "RS"].map(|code| (place(code), gap(Cell::not_shown())));
    let map = Map::new(cells.to_vec()).unwrap();
    let chart = chart(frame("none", "x", "y"), View::Map(map));
    let said = running(&chart.draw());
    assert!(said.contains("Only figures of the whole region are released for this"), "{said}");
    assert!(!chart.draw().as_str().contains("<path"), "an empty map");
}

#[test]
fn the_outlines_have_a_place_for_every_partner_and_no_names() {
    for code in ["AL", "BA", "ME", "MK", "RS", "XK"] {
        let cells = vec![(place(code), own(5, 0))];
        let chart = chart(frame("one", "x", "y"), View::Map(Map::new(cells).unwrap()));
        let said = texts(&chart.draw());
        assert!(said.iter().filter(|text| *text == "5").count() == 2, "{code}: {said:?}");
    }
    let outlines = include_str!("../../../chart/outlines.txt");
    let lines = outlines.lines().filter(|line| !line.starts_with('#'));
    for word in lines.flat_map(|line| line.split([' ', ',', ';'])) {
        let number = word.parse::<i64>().is_ok_and(|at| (0..=5600).contains(&at));
        let code = word.len() == 2 && Lists::builtin().jurisdiction("", word).is_ok();
        assert!(number || code || ["size", "-"].contains(&word), "{word}");
    }
}

#[test]
fn the_fonts_are_small_and_write_every_name_of_the_lists() {
    assert!(font::REGULAR.len() + font::BOLD.len() <= 150 * 1024);
    let files = ["jurisdictions", "crime_areas", "regions", "indicators", "iccs"];
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("codes");
    let lists = files.map(|name| fs::read_to_string(folder.join(format!("{name}.csv"))).unwrap());
    let more = "Северна Македонија Ѓ Ќ Ѕ Џ ћ ђ љ њ Shqipëri Ś Ź †–·…€‰«»“”’\u{202f}";
    use skrifa::MetadataProvider as _;
    for bytes in [font::REGULAR, font::BOLD] {
        let font = skrifa::FontRef::new(bytes).unwrap();
        let characters = font.charmap();
        let written = lists.iter().flat_map(|text| text.chars()).chain(more.chars());
        let absent: BTreeSet<_> =
            written.filter(|c| !c.is_control() && characters.map(*c).is_none()).collect();
        assert!(absent.is_empty(), "{absent:?}");
    }
}
