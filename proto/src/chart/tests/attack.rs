//! Texts that would be something else.

use resvg::usvg::roxmltree::Document;

use super::*;

#[test]
fn no_text_becomes_markup() {
    let attack = "</title><script>alert('1')</script><g onload=\"x()\" style='y'>& ]]> &lt;";
    let columns = vec![text(attack)];
    let member = Member {
        place: place("AL"),
        node: Some(text(attack)),
        standing: Standing::Late,
        detail: Some(text(attack)),
        cells: vec![InCells::new(0, 1).unwrap()],
    };
    let about = Frame {
        title: text(attack),
        subtitle: text(attack),
        handling: vec![text(attack)],
        as_of: text(attack),
        source: text(attack),
        notes: vec![text(attack)],
        ..frame("attack", "x", "y")
    };
    let members = View::Members(Members::new(columns, vec![member]).unwrap());
    let threats = vec![ranked(attack, Some((1, 1, 1)), attack)];
    let panel = Panel { label: text(attack), points: points(vec![(due(), Since::Anew, None)]) };
    let views = [
        members,
        View::Ranks(Ranks::new(threats).unwrap()),
        View::Trend(Trend::new(vec![panel]).unwrap()),
        View::Heat(Heat::new(vec![place("AL")], vec![(text(attack), vec![own(1, 0)])]).unwrap()),
    ];
    for view in views {
        let svg = chart(about.clone(), view).draw();
        let document = Document::parse(svg.as_str()).unwrap();
        let known = [
            "svg", "title", "desc", "defs", "pattern", "g", "rect", "circle", "line", "path",
            "text",
        ];
        for node in document.descendants().filter(|node| node.is_element()) {
            assert!(known.contains(&node.tag_name().name()), "{:?}", node.tag_name());
            let handler =
                node.attributes().find(|of| of.name().starts_with("on") || of.name() == "style");
            assert!(handler.is_none(), "{handler:?}");
        }
        let title = document.descendants().find(|node| node.has_tag_name("title"));
        assert_eq!(title.unwrap().text(), title.map(|_| attack));
        svg.png(1).unwrap();
    }
}

#[test]
fn a_text_that_is_no_line_of_plain_text_is_refused() {
    let long = "x".repeat(crate::limits::CHART_TEXT_CHARS_MAX + 1);
    let bad = [
        ("", Reason::FieldMissing),
        ("  ", Reason::FieldMissing),
        ("a\nb", Reason::FieldInvalid),
        ("a\u{0}b", Reason::FieldInvalid),
        ("a\u{202e}b", Reason::FieldInvalid),
        (&long, Reason::LimitExceeded),
    ];
    for (text, reason) in bad {
        let error = Text::new("chart.title", text).unwrap_err();
        assert_eq!((error.reason, error.field.as_str()), (reason, "chart.title"), "{text:?}");
    }
    assert_eq!(Text::new("", " Злоупотреба ").unwrap().as_str(), "Злоупотреба");
}

#[test]
fn an_id_that_could_end_an_attribute_is_refused() {
    for id in ["", "A", "1a", "a b", "a\"b", "a>b", &"a".repeat(64)] {
        let about = Frame { id: id.to_owned(), ..frame("x", "x", "y") };
        let error = Chart::new(about, ranks().view, Lists::builtin()).unwrap_err();
        assert_eq!(
            (error.reason, error.field.as_str()),
            (Reason::FieldInvalid, "chart.id"),
            "{id}"
        );
    }
}

#[test]
fn a_chart_past_its_bounds_is_refused_by_name() {
    let refused = |error: Invalid, reason, field: &str| {
        assert_eq!((error.reason, error.field.as_str()), (reason, field));
    };
    let many = vec![place("AL"); 201];
    let row = (text("Cocaine"), vec![own(1, 0); 201]);
    refused(Heat::new(many, vec![row]).unwrap_err(), Reason::LimitExceeded, "chart.columns");
    let rows = vec![(text("Cocaine"), vec![own(1, 0)]); 201];
    refused(Heat::new(vec![place("AL")], rows).unwrap_err(), Reason::LimitExceeded, "chart.rows");
    refused(Map::new(Vec::new()).unwrap_err(), Reason::FieldMissing, "chart.places");
    let uneven = vec![(text("Cocaine"), vec![own(1, 0); 2])];
    refused(Heat::new(vec![place("AL")], uneven).unwrap_err(), Reason::FieldInvalid, "chart.rows");
    let points = points(vec![(Cell::missing(), Since::Anew, None); 41]);
    let panel = Panel { label: text("x"), points };
    refused(Trend::new(vec![panel]).unwrap_err(), Reason::LimitExceeded, "chart.points");
    let rank = ranked("x", Some((1, 2, 2)), "low");
    refused(Ranks::new(vec![rank]).unwrap_err(), Reason::FieldInvalid, "chart.threats.rank");
    refused(Rank::new(2, 1, 3).unwrap_err(), Reason::FieldInvalid, "rank");
    refused(Level::new(50, 100, 100).unwrap_err(), Reason::FieldInvalid, "level");
    refused(InCells::new(2, 1).unwrap_err(), Reason::FieldInvalid, "chart.cells");
    refused(Cell::value(3, (4, 5), 0).unwrap_err(), Reason::FieldInvalid, "cell.value");
    refused(Cell::between((5, 4), 0).unwrap_err(), Reason::FieldInvalid, "cell");
    let silent = Frame { handling: Vec::new(), ..frame("x", "x", "y") };
    let error = Chart::new(silent, ranks().view, Lists::builtin()).unwrap_err();
    refused(error, Reason::FieldMissing, "chart.handling");
    let over = Frame { answered: 7, ..frame("x", "x", "y") };
    let error = Chart::new(over, ranks().view, Lists::builtin()).unwrap_err();
    refused(error, Reason::FieldInvalid, "chart.answered");
    for scale in [0, 5] {
        refused(ranks().draw().png(scale).unwrap_err(), Reason::FieldInvalid, "scale");
    }
    let rows = vec![(text("Cocaine"), vec![own(1, 0)]); 200];
    let long = chart(frame("x", "x", "y"), View::Heat(Heat::new(vec![place("AL")], rows).unwrap()));
    refused(long.draw().png(4).unwrap_err(), Reason::LimitExceeded, "scale");
}
