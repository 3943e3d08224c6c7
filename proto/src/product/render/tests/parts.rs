//! A DOCX file as a file.

use std::{collections::BTreeSet, io::Read as _};

use super::*;
use crate::limits::{PAGE_CELLS_MAX, PAGE_COLUMNS_MAX};

fn files(docx: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(docx)).unwrap();
    let count = zip.len();
    let read = |at| {
        let mut file = zip.by_index(at).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        (file.name().unwrap().into_owned(), bytes)
    };
    (0..count).map(read).collect()
}

fn written() -> Vec<u8> {
    docx(&Sample::whole().page(Extent::Restricted)).unwrap()
}

#[test]
fn the_same_product_is_the_same_bytes() {
    assert_eq!(written(), written());
    let sample = Sample::whole();
    assert_eq!(sample.html(Extent::Public), Sample::whole().html(Extent::Public));
    assert_ne!(docx(&sample.page(Extent::Public)).unwrap(), written());
}

#[test]
fn every_part_is_well_formed_typed_and_there() {
    let files = files(&written());
    let names: BTreeSet<_> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names.len(), files.len());
    let types = part(&written(), "[Content_Types].xml");
    for (name, bytes) in &files {
        if name.ends_with(".png") {
            assert!(bytes.starts_with(b"\x89PNG"), "{name}");
            continue;
        }
        let text = std::str::from_utf8(bytes).unwrap();
        let document = roxmltree::Document::parse(text).unwrap_or_else(|e| panic!("{name}: {e}"));
        let typed = name.ends_with(".rels") || name == "[Content_Types].xml";
        assert!(typed || types.contains(&format!("\"/{name}\"")), "{name} has no type");
        let folder = if name.starts_with("_rels") { "" } else { "word/" };
        for relation in document.descendants().filter(|node| node.has_attribute("Target")) {
            let target = format!("{folder}{}", relation.attribute("Target").unwrap());
            let external = relation.attribute("TargetMode") == Some("External");
            assert!(external || names.contains(target.as_str()), "{target} is not there");
        }
    }
    // Whatever the body leads to has a relation.
    let relations = part(&written(), "word/_rels/document.xml.rels");
    let body = part(&written(), "word/document.xml");
    let ids = ["r:id=\"", "r:embed=\""].into_iter().flat_map(|name| body.split(name).skip(1));
    let ids: Vec<_> = ids.filter_map(|rest| rest.split('"').next()).collect();
    assert!(ids.len() >= 5, "{ids:?}");
    for id in ids {
        assert!(relations.contains(&format!("Id=\"{id}\"")), "{id}");
    }
}

#[test]
fn every_style_and_every_number_of_a_list_is_there() {
    let docx = written();
    let styles = part(&docx, "word/styles.xml");
    let numbers = part(&docx, "word/numbering.xml");
    for name in ["document", "header", "footer"] {
        let text = part(&docx, &format!("word/{name}.xml"));
        let document = roxmltree::Document::parse(&text).unwrap();
        for node in document.descendants().filter(Node::is_element) {
            let value = node.attributes().find(|of| of.name() == "val").map_or("", |of| of.value());
            match node.tag_name().name() {
                "pStyle" | "rStyle" | "tblStyle" => {
                    assert!(styles.contains(&format!("w:styleId=\"{value}\"")), "{value}");
                }
                "numId" => assert!(numbers.contains(&format!("w:numId=\"{value}\"")), "{value}"),
                _ => (),
            }
        }
    }
    assert!(
        numbers.contains("<w:lvlOverride w:ilvl=\"0\"><w:startOverride w:val=\"3\"/>"),
        "{numbers}"
    );
}

#[test]
fn a_document_has_headings_header_rows_words_of_images_and_a_language() {
    let sample = Sample::new(&sections(), |content| content.language = "sr-Latn".to_owned());
    let docx = docx(&sample.page(Extent::Public)).unwrap();
    let body = part(&docx, "word/document.xml");
    for words in [
        "<w:pStyle w:val=\"Title\"/>",
        "<w:pStyle w:val=\"Heading1\"/>",
        "<w:pStyle w:val=\"Heading3\"/>",
        "<w:tblHeader/>",
        "descr=\"Seizures, number, first quarter of 2024.",
        "<w:lang w:val=\"en-GB\"/>",
        "<w:headerReference w:type=\"default\"",
        "<w:footerReference w:type=\"default\"",
    ] {
        assert!(body.contains(words), "{words}");
    }
    assert!(part(&docx, "word/styles.xml").contains("<w:lang w:val=\"sr-Latn\""));
    assert!(sample.html(Extent::Public).contains("<html lang=\"sr-Latn\">"));
    assert!(sample.html(Extent::Public).contains("<h2><span lang=\"en\">Endorsement</span></h2>"));
}

#[test]
fn the_properties_name_the_owner_and_no_person_or_time() {
    let core = part(&written(), "docProps/core.xml");
    let document = roxmltree::Document::parse(&core).unwrap();
    let held = document.root_element().children().map(|node| (node.tag_name().name(), node.text()));
    let wanted = [
        ("title", Some("Threats to the region in 2024")),
        ("subject", Some("Threat assessment")),
        ("creator", Some("region")),
        ("language", Some("en")),
    ];
    assert_eq!(held.collect::<Vec<_>>(), wanted);
}

#[test]
fn an_address_that_word_would_stumble_over_is_written_by_numbers() {
    let text = "[a](https://x.example/%zz%41?q=[1]|{2}^`\"\\\\)";
    let one = wire::Section { text: text.to_owned(), ..section("one", "One", Extent::Public) };
    let docx = docx(&Sample::new(&[one], |_| ()).page(Extent::Public)).unwrap();
    let relations = part(&docx, "word/_rels/document.xml.rels");
    assert!(
        relations.contains("https://x.example/%25zz%41?q=%5B1%5D%7C%7B2%7D%5E%60%22%5C"),
        "{relations}"
    );
}

#[test]
fn a_table_that_word_would_not_open_is_written_row_by_row() {
    let cells = |width: usize| vec![wire::Row { cells: vec!["x".to_owned(); width] }; 2];
    for (width, tables) in [(PAGE_COLUMNS_MAX, 4), (PAGE_COLUMNS_MAX + 1, 3)] {
        let figures = vec![wire::Figure { rows: cells(width), ..figure(b"") }];
        let one = wire::Section {
            figures,
            citations: vec![citation()],
            ..section("one", "One", Extent::Public)
        };
        let sample = Sample::new(&[one], |_| ());
        assert_eq!(sample.html(Extent::Public).matches("<table>").count(), tables);
        assert_eq!(
            read_html(&sample.html(Extent::Public)),
            read_docx(&sample.docx(Extent::Public))
        );
    }
}

#[test]
fn tables_that_grow_beyond_all_measure_are_refused() {
    // A few letters of CommonMark make many empty fields.
    let text = format!("|{}\n|{}\n{}", "a|".repeat(60), "-|".repeat(60), "x\n".repeat(4_000));
    let one = wire::Section { text, ..section("one", "One", Extent::Public) };
    let sample = Sample::new(&[one], |_| ());
    let refused = html(&sample.page(Extent::Public)).unwrap_err();
    assert_eq!(refused.reason, Reason::LimitExceeded);
    assert!(refused.detail.contains(&PAGE_CELLS_MAX.to_string()), "{}", refused.detail);
}

#[test]
fn charts_that_are_too_large_together_are_refused_as_images_only() {
    let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"5000\" height=\"6000\"/>";
    let rows = vec![wire::Row { cells: vec!["a".to_owned()] }];
    let figures = vec![wire::Figure { rows, ..figure(svg.as_bytes()) }; 9];
    let one = wire::Section {
        figures,
        citations: vec![citation()],
        ..section("one", "One", Extent::Public)
    };
    let sample = Sample::new(&[one], |_| ());
    assert!(html(&sample.page(Extent::Public)).is_ok());
    assert_eq!(docx(&sample.page(Extent::Public)).unwrap_err().reason, Reason::LimitExceeded);
}
