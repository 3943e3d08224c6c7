//! Names that carry a footnote, wherever a name can stand.

use super::*;

fn note() -> &'static str {
    &Lists::builtin().jurisdiction("", "XK").unwrap().footnote
}

/// A product with one section, which `change` writes a name into, and the page around it.
fn rendered(change: impl FnOnce(&mut Written, &mut wire::Section, &mut Sample)) -> [String; 3] {
    let mut one = section("one", "One", Extent::Public);
    let mut content = Written::default();
    let mut sample = Sample::whole();
    (sample.positions, sample.errata) = (Vec::new(), Vec::new());
    (content.title, content.covers) = ("Title".to_owned(), "2024".to_owned());
    change(&mut content, &mut one, &mut sample);
    let made = Sample::new(&[one], |of| {
        (of.title, of.covers) = (content.content.title, content.content.covers);
        of.members = vec!["al-police".to_owned()];
        of.rule = Some(wire::Rule { kind: wire::RuleKind::All.into(), ..wire::Rule::default() });
        for mark in content.renditions {
            of.renditions[0].mark = mark.mark;
        }
    });
    let sample = Sample { content: made.content, sections: made.sections, ..sample };
    let html = read_html(&sample.html(Extent::Public));
    assert_eq!(html, read_docx(&sample.docx(Extent::Public)));
    html
}

type Change = fn(&str, &mut Written, &mut wire::Section, &mut Sample);

/// Every place that a name can stand in.
const PLACES: [(&str, Change); 22] = [
    ("title", |name, content, _, _| content.title = format!("Title {name}")),
    ("covers", |name, content, _, _| content.covers = name.to_owned()),
    ("mark", |name, content, _, _| {
        content.renditions = vec![wire::Rendition { mark: name.to_owned(), ..Default::default() }];
    }),
    ("heading", |name, _, one, _| one.heading = name.to_owned()),
    ("heading in the text", |name, _, one, _| one.text = format!("## {name}")),
    ("text", |name, _, one, _| one.text = format!("Of {name}, and more.")),
    ("emphasis", |name, _, one, _| one.text = format!("Of *{name}*, **{name}**.")),
    ("list", |name, _, one, _| one.text = format!("- a\n  1. {name}")),
    ("table head", |name, _, one, _| one.text = format!("| {name} |\n|---|\n| a |")),
    ("table field", |name, _, one, _| one.text = format!("| a |\n|---|\n| {name} |")),
    ("quotation", |name, _, one, _| one.text = format!("> {name}")),
    ("words of a link", |name, _, one, _| one.text = format!("[{name}](https://x.example)")),
    ("judgement", |name, _, one, _| one.judgements = vec![judgement(name, "", "")]),
    ("horizon", |name, _, one, _| {
        one.judgements =
            vec![wire::Judgement { horizon: name.to_owned(), ..judgement("a", "", "") }];
    }),
    ("recommendation", |name, _, one, _| one.recommendations = vec![name.to_owned()]),
    ("caption", |name, _, one, _| {
        one.citations = vec![citation()];
        one.figures =
            vec![wire::Figure { caption: name.to_owned(), rows: twin("a"), ..figure(b"") }];
    }),
    ("words of a figure", |name, _, one, _| {
        let alternative = name.to_owned();
        one.citations = vec![citation()];
        one.figures = vec![wire::Figure { alternative, rows: twin("a"), ..figure(b"") }];
    }),
    ("field of a twin", |name, _, one, _| {
        one.citations = vec![citation()];
        one.figures = vec![wire::Figure { rows: twin(name), ..figure(b"") }];
    }),
    ("reservation", |name, _, _, sample| {
        let text = name.to_owned().leak();
        sample.positions = vec![stand("AL", "al", Some(Position::EndorseWithReservation), text)];
    }),
    ("erratum", |name, _, _, sample| {
        sample.errata =
            vec![Erratum { section: "", text: name.to_owned().leak(), at: errata()[0].at }];
    }),
    ("recall", |name, _, _, sample| sample.recalled = Some(name.to_owned().leak())),
    ("item of an item", |name, _, one, _| one.text = format!("1. - > {name}")),
];

fn twin(cell: &str) -> Vec<wire::Row> {
    [["a"], [cell]].map(|cells| wire::Row { cells: cells.map(str::to_owned).to_vec() }).to_vec()
}

/// Does a name stand anywhere without its sign?
fn bare(text: &str, name: &str) -> bool {
    text.split(name).skip(1).any(|rest| !rest.starts_with('*'))
}

#[test]
fn no_name_stands_anywhere_without_its_sign_and_no_page_without_the_note() {
    let spellings = [
        "Kosovo",
        "KOSOVO",
        "Kosova",
        "Kosovë",
        "Kosovës",
        "Kosove\u{308}",
        "Косово",
        "КОСОВО",
        "Косову",
    ];
    for (place, change) in PLACES {
        for name in spellings {
            let [head, main, foot] =
                rendered(|content, one, sample| change(name, content, one, sample));
            let whole = format!("{head} {main} {}", foot.replace(note(), ""));
            assert!(whole.contains(&format!("{name}*")), "{place}: {name} in {whole}");
            // In one line the first one bears it.
            assert!(place == "emphasis" || !bare(&whole, name), "{place}: {name} in {whole}");
            assert_eq!(foot.matches(note()).count(), 1, "{place}: {foot}");
        }
        // A name that has its sign gets no second one.
        let [head, main, foot] =
            rendered(|content, one, sample| change("Kosovo*", content, one, sample));
        let whole = format!("{head} {main} {foot}");
        assert!(whole.contains("Kosovo*") && !whole.contains("**"), "{place}: {whole}");
        assert!(foot.contains(note()), "{place}: {foot}");
        // And a page without the name has no note.
        let [_, _, foot] = rendered(|content, one, sample| change("Kosovar", content, one, sample));
        assert!(!foot.contains(note()), "{place}: {foot}");
    }
}

#[test]
fn what_a_machine_has_written_stays_as_it_is_and_the_note_is_there() {
    for text in [
        "`Kosovo`",
        "```\nKosovo,12\n```",
        "<https://kosovo.example/x>",
        "[a](https://kosovo.example/x)",
    ] {
        let [_, main, foot] = rendered(|_, one, _| one.text = text.to_owned());
        assert!(main.to_lowercase().contains("kosovo") && !main.contains('*'), "{text}: {main}");
        assert!(foot.contains(note()), "{text}: {foot}");
    }
}

#[test]
fn a_name_in_pieces_is_the_same_name() {
    for text in [
        "Kos**ovo** is",
        "K*o*sovo is",
        "Kos\u{200b}ovo is",
        "Koso\u{ad}vo is",
        "[Kos](https://x.example)ovo is",
    ] {
        let [_, _, foot] = rendered(|_, one, _| one.text = text.to_owned());
        let parted = text.contains("](");
        assert_eq!(foot.contains(note()), !parted, "{text}: {foot}");
    }
    let [_, main, _] = rendered(|_, one, _| one.text = "Kos**ovo** is, Kosovo's".to_owned());
    assert!(main.contains("Kosovo* is, Kosovo's"), "{main}");
}

#[test]
fn a_chart_of_a_peer_that_names_it_brings_the_note() {
    let svg = |words: &str| {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"><text>{words}</text></svg>"
        )
    };
    for (words, noted) in [("Kosovo", true), ("XK*", true), ("XK", false), ("Albania", false)] {
        let [_, _, foot] = rendered(|_, one, _| {
            one.citations = vec![citation()];
            one.figures = vec![wire::Figure { rows: twin("a"), ..figure(svg(words).as_bytes()) }];
        });
        assert_eq!(foot.contains(note()), noted, "{words}");
    }
}

#[test]
fn a_title_bears_the_sign_in_the_window_and_in_the_properties_too() {
    let sample =
        Sample::new(&sections(), |content| content.title = "Routes through Kosovo".to_owned());
    assert!(sample.html(Extent::Public).contains("<title>Routes through Kosovo*</title>"));
    let core = part(&docx(&sample.page(Extent::Public)).unwrap(), "docProps/core.xml");
    assert!(core.contains("<dc:title>Routes through Kosovo*</dc:title>"), "{core}");
}
