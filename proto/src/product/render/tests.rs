//! A product with all that a text may hold, as it is written down in `golden/`; `ACCORD_UPDATE_GOLDEN=1` writes it anew.
//! `ACCORD_RENDER_FOLDER` names a folder to look at it in: HTML and DOCX of both extents.

use std::{fs, path::PathBuf};

use resvg::usvg::roxmltree::{self, Node};

use super::*;
use crate::{identity::Name, reason::Reason, seal::Digest, wire::product as wire};

mod designations;
mod hostile;
mod parts;
mod promises;

const CHART: &[u8] = include_bytes!("../../chart/goldens/map.svg");
const TEXT: &str = "Three routes *matter*, one of them **most**: cocaine through `container` ports.\nThe [bulletin of the office](https://www.example.org/bulletin?year=2024) says more, or write to <mailto:desk@example.org>.\n\n\
## What has changed\n\nSeizures grew in the ports of Kosovo and its neighbours; a line\\\nbreaks here.\n\n\
- Ports\n  - Bar\n  - Durrës\n\n    A paragraph within an item.\n- Roads\n\n3. Third\n4. Fourth\n   1. Below\n\n\
> What a partner has said.\n>\n> - and listed\n\n---\n\n```\nport,share\nBar,\"<40 %\"\n```\n\n\
| Port | Cases | Remark |\n|---|---|---|\n| Bar | 12 | since **2023** |\n| Durrës | 40 | as reported by Kosovo* |\n";

fn citation() -> wire::Citation {
    wire::Citation {
        requirement: "018f2c1e-7a44-7c1d-9b5e-2f6d3a1c0b9e".to_owned(),
        version: 3,
        picture_sha256: vec![0x9f; 32],
        audience: "PUBLIC".to_owned(),
    }
}

fn judgement(text: &str, yardstick: &str, likelihood: &str) -> wire::Judgement {
    wire::Judgement {
        text: text.to_owned(),
        yardstick: yardstick.to_owned(),
        likelihood: likelihood.to_owned(),
        confidence: "MODERATE".to_owned(),
        horizon: "end of 2025".to_owned(),
        crime_areas: vec!["DRG.COC".to_owned()],
    }
}

fn recipe() -> wire::Recipe {
    wire::Recipe { chart: "heat".to_owned(), citations: vec![0], ..wire::Recipe::default() }
}

fn figure(svg: &[u8]) -> wire::Figure {
    let row = |cells: [&str; 2]| wire::Row { cells: cells.map(str::to_owned).to_vec() };
    wire::Figure {
        caption: "Cocaine seizures by jurisdiction".to_owned(),
        alternative: "Seizures, number, first quarter of 2024. 4 of 6 cells show a figure. Coverage 4 of 6 members.".to_owned(),
        svg: svg.to_vec(),
        rows: vec![
            row(["Jurisdiction", "Seizures"]),
            row(["Albania", "41 [37–45]"]),
            row(["Kosovo*", "[c]"]),
        ],
        recipe: Some(recipe()),
    }
}

fn section(name: &str, heading: &str, extent: Extent) -> wire::Section {
    wire::Section {
        salt: vec![7; 16],
        section: name.to_owned(),
        heading: heading.to_owned(),
        extent: extent.to_wire().into(),
        text: "Short.".to_owned(),
        ..wire::Section::default()
    }
}

/// Three sections: with everything, restricted, and with a second recommendation.
fn sections() -> Vec<wire::Section> {
    let first = wire::Section {
        text: TEXT.to_owned(),
        citations: vec![citation()],
        judgements: vec![
            judgement("Cocaine will go on to come through ports.", "PHIA", "LIKELY"),
            judgement("Prices will fall.", "", ""),
        ],
        recommendations: vec!["Share what is found in containers.".to_owned()],
        figures: vec![figure(CHART)],
        ..section("ports", "Cocaine through ports", Extent::Public)
    };
    let second = wire::Section {
        text: "Nobody outside reads the word quicksilver.".to_owned(),
        recommendations: vec!["Watch quicksilver.".to_owned()],
        ..section("sensitive", "Quicksilver", Extent::Restricted)
    };
    let third = wire::Section {
        recommendations: vec!["Meet again\nin autumn.".to_owned()],
        ..section("outlook", "Outlook", Extent::Public)
    };
    vec![first, second, third]
}

/// A content with its sections, read as a peer's would be.
fn product(
    sections: &[wire::Section],
    change: impl FnOnce(&mut Written),
) -> (Content, Vec<Section>) {
    let rendition = |extent: Extent, audience: &str, mark: &str| wire::Rendition {
        salt: vec![7; 16],
        extent: extent.to_wire().into(),
        audience: audience.to_owned(),
        mark: mark.to_owned(),
        readers: Vec::new(),
    };
    let content = wire::Content {
        product: "018f2c1e-7a44-7c1d-9b5e-2f6d3a1c0b9f".to_owned(),
        kind: wire::Kind::ThreatAssessment.into(),
        title: "Threats to the region in 2024".to_owned(),
        language: "en".to_owned(),
        covers: "First half of 2024".to_owned(),
        owner: "region".to_owned(),
        members: ["al-police", "rs-police", "xk-police"].map(str::to_owned).to_vec(),
        rule: Some(wire::Rule { kind: wire::RuleKind::AllBut.into(), number: 1, silence: true }),
        valid_until_s: 1_767_225_600,
        ..wire::Content::default()
    };
    let police = "TLP:AMBER+STRICT — police authorities of the members";
    let renditions = vec![
        rendition(Extent::Public, "PUBLIC", "TLP:CLEAR"),
        rendition(Extent::Restricted, "POLICE", police),
    ];
    let mut written = Written { content, renditions };
    change(&mut written);
    let text = crate::product::content::bind(written.content, &written.renditions, sections);
    Content::whole(&text, Lists::builtin()).unwrap()
}

/// A content before it is bound to its renditions.
#[derive(Default)]
struct Written {
    content: wire::Content,
    renditions: Vec<wire::Rendition>,
}

impl std::ops::Deref for Written {
    type Target = wire::Content;

    fn deref(&self) -> &wire::Content {
        &self.content
    }
}

impl std::ops::DerefMut for Written {
    fn deref_mut(&mut self) -> &mut wire::Content {
        &mut self.content
    }
}

const RESERVATION: &str =
    "We read the figures of ports as incomplete.\nThey hold no seizures at sea.";
const DISSENT: &str = "The judgement on prices rests on too little; we do not share it.";

fn stand(
    jurisdiction: &str,
    node: &'static str,
    position: Option<Position>,
    text: &'static str,
) -> Stand<'static> {
    let jurisdiction = JurisdictionCode::parse(jurisdiction).unwrap();
    Stand { jurisdiction, node, position, text, by_silence: position.is_none(), not_reached: false }
}

fn stands() -> Vec<Stand<'static>> {
    vec![
        stand("AL", "al-police", Some(Position::EndorseWithReservation), RESERVATION),
        stand("ME", "", None, ""),
        stand("RS", "rs-police", Some(Position::Dissent), DISSENT),
        stand("XK", "xk-police", Some(Position::Endorse), ""),
    ]
}

fn errata() -> Vec<Erratum<'static>> {
    let at = Timestamp::parse("at", "2024-09-02").unwrap();
    vec![
        Erratum { section: "", text: "The period is the first half of 2024, not of 2023.", at },
        Erratum { section: "ports", text: "Durrës: 41, not 40.", at },
        Erratum { section: "sensitive", text: "Not quicksilver, but silver.", at },
    ]
}

/// What a test renders.
struct Sample {
    content: Content,
    sections: Vec<Option<Section>>,
    positions: Vec<Stand<'static>>,
    confirmed: Option<Confirmed>,
    errata: Vec<Erratum<'static>>,
    recalled: Option<&'static str>,
}

impl Sample {
    fn new(sections: &[wire::Section], change: impl FnOnce(&mut Written)) -> Self {
        let (content, sections) = product(sections, change);
        let sections = sections.into_iter().map(Some).collect();
        let said = Digest::of(b"what was said");
        let confirmed = [("al-police", vec![]), ("rs-police", vec![said])];
        let confirmed = confirmed.map(|(node, missing)| (Name::parse("", node).unwrap(), missing));
        Self {
            content,
            sections,
            positions: stands(),
            confirmed: Some(confirmed.into()),
            errata: errata(),
            recalled: None,
        }
    }

    fn whole() -> Self {
        Self::new(&sections(), |_| ())
    }

    fn page(&self, extent: Extent) -> Page<'_> {
        Page {
            content: &self.content,
            sections: &self.sections,
            extent,
            state: "Published on 2024-07-01",
            outcome: "endorsed, with dissent",
            positions: &self.positions,
            confirmed: self.confirmed.as_ref(),
            errata: &self.errata,
            recalled: self.recalled,
            lists: Lists::builtin(),
        }
    }

    fn html(&self, extent: Extent) -> String {
        html(&self.page(extent)).unwrap()
    }

    /// Parts of the DOCX that hold text: head, body, foot.
    fn docx(&self, extent: Extent) -> [String; 3] {
        let bytes = docx(&self.page(extent)).unwrap();
        ["header", "document", "footer"].map(|name| part(&bytes, &format!("word/{name}.xml")))
    }
}

fn part(docx: &[u8], name: &str) -> String {
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(docx)).unwrap();
    let mut file = zip.by_name(name).unwrap();
    std::io::read_to_string(&mut file).unwrap()
}

/// Everything that is read, head, middle and foot: words of HTML.
fn read_html(html: &str) -> [String; 3] {
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
    let document = roxmltree::Document::parse_with_options(html, options).unwrap();
    ["header", "main", "footer"].map(|name| {
        let part = document.descendants().find(|node| node.has_tag_name(name)).unwrap();
        let inline = ["span", "a", "em", "strong", "code"];
        read(part, &|node| !inline.contains(&node.tag_name().name()))
    })
}

/// The same of DOCX.
fn read_docx(parts: &[String; 3]) -> [String; 3] {
    parts.each_ref().map(|part| {
        let document = roxmltree::Document::parse(part).unwrap();
        let blocks = ["p", "br"];
        read(document.root(), &|node| blocks.contains(&node.tag_name().name()))
    })
}

fn read(root: Node<'_, '_>, is_block: &dyn Fn(Node<'_, '_>) -> bool) -> String {
    fn add(node: Node<'_, '_>, is_block: &dyn Fn(Node<'_, '_>) -> bool, text: &mut String) {
        if node.is_text() {
            *text += node.text().unwrap();
        }
        let apart = if node.is_element() && is_block(node) { " " } else { "" };
        *text += apart;
        node.children().for_each(|below| add(below, is_block, text));
        *text += apart;
    }
    let mut text = String::new();
    add(root, is_block, &mut text);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Writes a page to look at, if a folder for that is named.
fn look(name: &str, sample: &Sample, extent: Extent) {
    if let Some(folder) = std::env::var_os("ACCORD_RENDER_FOLDER").map(PathBuf::from) {
        fs::write(folder.join(format!("{name}.html")), sample.html(extent)).unwrap();
        let docx = docx(&sample.page(extent)).unwrap();
        fs::write(folder.join(format!("{name}.docx")), docx).unwrap();
    }
}

/// HTML without the bytes of its images.
fn without_images(html: &str) -> String {
    let mut parts = html.split("base64,");
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        out += "base64,…";
        out += &part[part.find('"').unwrap()..];
    }
    out
}

#[test]
fn a_product_is_written_as_it_stands_in_the_golden_files() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/product/render/golden");
    let update = std::env::var_os("ACCORD_UPDATE_GOLDEN").is_some_and(|value| value == "1");
    let recalled =
        Sample { recalled: Some("The figures of one member were wrong."), ..Sample::whole() };
    let foreign = Sample::new(&sections(), |content| content.language = "sr-Latn".to_owned());
    let samples = [
        ("restricted", &Sample::whole(), Extent::Restricted),
        ("public", &Sample::whole(), Extent::Public),
        ("recalled", &recalled, Extent::Public),
        ("language", &foreign, Extent::Public),
    ];
    for (name, sample, extent) in samples {
        let html = sample.html(extent);
        let path = folder.join(format!("{name}.html"));
        if update {
            fs::write(&path, without_images(&html)).unwrap();
        }
        let same = fs::read_to_string(&path).unwrap_or_default() == without_images(&html);
        assert!(same, "{}; if that is meant, run with ACCORD_UPDATE_GOLDEN=1", path.display());
        look(name, sample, extent);
    }
}
