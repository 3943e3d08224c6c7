//! Words and drawings that try to be more than words and drawings.

use super::*;

const WORDS: [&str; 8] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "]]><!-- </title></style><?php",
    "' onload='alert(1)",
    "&lt;b&gt; &#x202e; &amp;amp;",
    "</w:t></w:r></w:p><w:p>",
    "\u{5d0}\u{5d1}\u{5d2} 12 \u{627}\u{644}\u{639}",
    "\u{fffe}\u{ffff}",
];

#[test]
fn no_word_becomes_a_tag_and_none_is_lost() {
    for words in WORDS {
        let mut one = section("one", words, Extent::Public);
        // As CommonMark holds them, letter by letter.
        let escaped: String = words
            .chars()
            .map(|c| if c.is_ascii_punctuation() { format!("\\{c}") } else { c.to_string() })
            .collect();
        one.text = format!("{escaped}\n\n- {escaped}\n\n```\n{words}\n```\n");
        one.recommendations = vec![words.to_owned()];
        one.judgements = vec![judgement(words, "", "")];
        let rows = [words, "a"].map(|cell| wire::Row { cells: vec![cell.to_owned()] }).to_vec();
        let (caption, alternative) = (words.to_owned(), words.to_owned());
        one.citations = vec![citation()];
        one.figures = vec![wire::Figure { caption, alternative, rows, ..figure(b"") }];
        let mut sample = Sample::new(&[one], |content| {
            (content.title, content.covers) = (words.to_owned(), words.to_owned());
            content.renditions.iter_mut().for_each(|of| of.mark = words.to_owned());
        });
        let at = errata()[0].at;
        sample.positions = vec![stand("AL", "al", Some(Position::Dissent), words)];
        sample.errata = vec![Erratum { section: "", text: words, at }];
        sample.recalled = Some(words);
        let html = sample.html(Extent::Public);
        let shown = words.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}");
        let [head, main, foot] = read_html(&html);
        assert!(head.contains(&shown) && foot.contains(&shown), "{words}");
        assert!(main.matches(&shown).count() >= 14, "{words}: {main}");
        for tag in ["<script", "<img", "<!--", "<?", "<b>", "onerror=alert(1)>"] {
            assert!(!html.contains(tag), "{words} let {tag} through");
        }
        assert_eq!([head, main, foot], read_docx(&sample.docx(Extent::Public)), "{words}");
    }
}

#[test]
fn what_no_text_may_hold_is_shown_as_such_wherever_it_comes_from() {
    let mut sample = Sample::whole();
    let text = "a\u{0}b\u{1b}[2Jc\u{202e}d\u{2066}e\u{2028}f\u{85}g\rh";
    sample.positions = vec![stand("AL", "al", Some(Position::Dissent), text)];
    let html = sample.html(Extent::Public);
    assert_eq!(read_html(&html), read_docx(&sample.docx(Extent::Public)));
    assert!(html.contains("a\u{fffd}b\u{fffd}[2Jc\u{fffd}d\u{fffd}e\u{fffd}f\u{fffd}g\u{fffd}h"));
}

#[test]
fn a_page_loads_nothing_and_runs_nothing() {
    let html = Sample::whole().html(Extent::Restricted);
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
    let document = roxmltree::Document::parse_with_options(&html, options).unwrap();
    let policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
    assert!(document.descendants().any(|node| node.attribute("content") == Some(policy)));
    for node in document.descendants().filter(Node::is_element) {
        let name = node.tag_name().name();
        assert!(
            !["script", "link", "iframe", "object", "embed", "svg", "form"].contains(&name),
            "{name}"
        );
        for attribute in node.attributes() {
            let (name, value) = (attribute.name(), attribute.value());
            assert!(!name.starts_with("on") && name != "style", "{name}");
            assert!(name != "src" || value.starts_with("data:image/svg+xml;base64,"), "{value}");
            let leads = ["https://", "mailto:"].iter().any(|scheme| value.starts_with(scheme));
            assert!(name != "href" || leads, "{value}");
        }
    }
    assert!(!html.contains("@import") && !html.contains("url("));
}

#[test]
fn a_drawing_that_is_refused_is_said_to_be_missing_and_its_words_stay() {
    let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"><script/></svg>";
    let figures = vec![figure(svg.as_bytes())];
    let one = wire::Section {
        figures,
        citations: vec![citation()],
        ..section("one", "One", Extent::Public)
    };
    let sample = Sample::new(&[one], |_| ());
    let html = sample.html(Extent::Public);
    let [_, main, _] = read_html(&html);
    assert!(!html.contains("<img") && main.contains("The drawing is not shown"), "{main}");
    assert!(main.contains("Coverage 4 of 6 members.") && main.contains("Albania 41"), "{main}");
}
