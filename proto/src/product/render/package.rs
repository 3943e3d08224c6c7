//! A DOCX file, put together. Comes in: the tree. Goes out: a zip of parts, the same bytes for the same tree: no clock, and nothing
//! is packed, since a packer may change. Must never hold the name of a person, or lead anywhere but to addresses of the text.

use std::io::{Cursor, Write as _};

use zip::{CompressionMethod, DateTime, ZipWriter, result::ZipError, write::SimpleFileOptions};

use super::{
    docx::{self, BEGINNING, Parts, WORDS},
    tree::Document,
    xml::Xml,
};
use crate::{
    chart::Foreign,
    limits::{CHART_DOTS_MAX, PAGE_DOTS_MAX},
    reason::{Invalid, Reason},
};

const STYLES: &str = include_str!("styles.xml");
const LEVELS: usize = 9;

const TYPES: &str = "http://schemas.openxmlformats.org/package/2006/content-types";
const RELATIONS: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/";
const WORD: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.";
const CORE: &str = "http://schemas.openxmlformats.org/package/2006/metadata/core-properties";
const CORE_RELATION: &str =
    "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties";
const CORE_TYPE: &str = "application/vnd.openxmlformats-package.core-properties+xml";

/// # Errors
/// `LIMIT_EXCEEDED` where the charts together have too many dots.
pub(super) fn write(document: &Document) -> Result<Vec<u8>, Invalid> {
    let parts = docx::parts(document);
    let images = images(&parts.charts)?;
    let Parts { body, head, foot, links, counted, .. } = parts;
    let mut files = vec![
        ("[Content_Types].xml".to_owned(), types().into_bytes()),
        ("_rels/.rels".to_owned(), root().into_bytes()),
        ("docProps/core.xml".to_owned(), properties(document).into_bytes()),
        ("word/document.xml".to_owned(), body.into_bytes()),
        ("word/header.xml".to_owned(), head.into_bytes()),
        ("word/footer.xml".to_owned(), foot.into_bytes()),
        ("word/styles.xml".to_owned(), styles(&document.language).into_bytes()),
        ("word/settings.xml".to_owned(), settings().into_bytes()),
        ("word/numbering.xml".to_owned(), numbering(&counted).into_bytes()),
        ("word/_rels/document.xml.rels".to_owned(), relations(&links, images.len()).into_bytes()),
    ];
    let named = |(at, image)| (format!("word/media/chart{}.png", at + 1), image);
    files.extend(images.into_iter().enumerate().map(named));
    zipped(&files).map_err(|_| {
        Invalid::new(Reason::Internal, "docx", "the document cannot be put together; report it")
    })
}

fn zipped(files: &[(String, Vec<u8>)]) -> Result<Vec<u8>, ZipError> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default());
    for (name, bytes) in files {
        zip.start_file(name.as_str(), options)?;
        zip.write_all(bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// Every chart, sharp where there is room for it.
fn images(charts: &[&Foreign]) -> Result<Vec<Vec<u8>>, Invalid> {
    let dots = |scale: u64, chart: &&Foreign| {
        let (width, height) = chart.size();
        u64::from(width) * u64::from(height) * scale * scale
    };
    let fits =
        |scale: u64| charts.iter().map(|chart| dots(scale, chart)).sum::<u64>() <= PAGE_DOTS_MAX;
    if !fits(1) {
        let detail = "the charts together are too large for one document: take HTML";
        return Err(Invalid::new(Reason::LimitExceeded, "figures", detail));
    }
    let sharp = fits(2);
    let image = |chart: &&Foreign| match sharp && dots(2, chart) <= CHART_DOTS_MAX {
        true => chart.png(2),
        false => chart.png(1),
    };
    charts.iter().map(image).collect()
}

fn types() -> String {
    let mut xml = Xml::beginning(BEGINNING);
    xml.open("Types", &[("xmlns", TYPES)]);
    let relations = "application/vnd.openxmlformats-package.relationships+xml";
    for (extension, of) in [("rels", relations), ("xml", "application/xml"), ("png", "image/png")] {
        xml.empty("Default", &[("Extension", extension), ("ContentType", of)]);
    }
    let word = |name: &str| format!("{WORD}{name}+xml");
    let parts = [
        ("/word/document.xml", word("document.main")),
        ("/word/header.xml", word("header")),
        ("/word/footer.xml", word("footer")),
        ("/word/styles.xml", word("styles")),
        ("/word/settings.xml", word("settings")),
        ("/word/numbering.xml", word("numbering")),
        ("/docProps/core.xml", CORE_TYPE.to_owned()),
    ];
    for (part, of) in &parts {
        xml.empty("Override", &[("PartName", part), ("ContentType", of)]);
    }
    xml.finish()
}

fn root() -> String {
    let mut xml = Xml::beginning(BEGINNING);
    xml.open("Relationships", &[("xmlns", RELATIONS)]);
    relation(&mut xml, "document", &format!("{OFFICE}officeDocument"), "word/document.xml");
    relation(&mut xml, "core", CORE_RELATION, "docProps/core.xml");
    xml.finish()
}

fn relation(xml: &mut Xml, id: &str, of: &str, target: &str) {
    xml.empty("Relationship", &[("Id", id), ("Type", of), ("Target", target)]);
}

fn relations(links: &[String], charts: usize) -> String {
    let mut xml = Xml::beginning(BEGINNING);
    xml.open("Relationships", &[("xmlns", RELATIONS)]);
    let parts = [
        ("styles", "styles", "styles.xml"),
        ("settings", "settings", "settings.xml"),
        ("numbering", "numbering", "numbering.xml"),
        ("head", "header", "header.xml"),
        ("foot", "footer", "footer.xml"),
    ];
    for (id, of, target) in parts {
        relation(&mut xml, id, &format!("{OFFICE}{of}"), target);
    }
    for at in 1..=charts {
        let (id, target) = (format!("chart{at}"), format!("media/chart{at}.png"));
        relation(&mut xml, &id, &format!("{OFFICE}image"), &target);
    }
    for (at, address) in links.iter().enumerate() {
        let (id, of) = (format!("link{}", at + 1), format!("{OFFICE}hyperlink"));
        let target = address_of(address);
        let external = ("TargetMode", "External");
        xml.empty("Relationship", &[("Id", &id), ("Type", &of), ("Target", &target), external]);
    }
    xml.finish()
}

/// An address as every program takes it: what no address may hold is written by its number.
fn address_of(address: &str) -> String {
    let mut out = String::new();
    let bytes = address.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        let number = bytes.get(at + 1..at + 3);
        let numbered = number.is_some_and(|number| number.iter().all(u8::is_ascii_hexdigit));
        match byte {
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | b'[' | b']' => {
                out += &format!("%{byte:02X}");
            }
            b'%' if !numbered => out += "%25",
            byte => out.push(char::from(*byte)),
        }
    }
    out
}

/// Title, kind, owner and language; neither a person nor a time.
fn properties(document: &Document) -> String {
    let mut xml = Xml::beginning(BEGINNING);
    let names = [("xmlns:cp", CORE), ("xmlns:dc", "http://purl.org/dc/elements/1.1/")];
    xml.open("cp:coreProperties", &names);
    xml.leaf("dc:title", &[], &document.title);
    xml.leaf("dc:subject", &[], &document.kind);
    xml.leaf("dc:creator", &[], &document.owner);
    xml.leaf("dc:language", &[], &document.language);
    xml.finish()
}

/// A tag holds letters, digits and hyphens.
fn styles(language: &str) -> String {
    STYLES.replace("{language}", language)
}

/// Word lays a document without this out as it did in 2007.
fn settings() -> String {
    let mut xml = Xml::beginning(BEGINNING);
    xml.open("w:settings", &[("xmlns:w", WORDS)]);
    xml.open("w:compat", &[]);
    let mode = [
        ("w:name", "compatibilityMode"),
        ("w:uri", "http://schemas.microsoft.com/office/word"),
        ("w:val", "15"),
    ];
    xml.empty("w:compatSetting", &mode);
    xml.finish()
}

/// Numbers of lists: one for all that are not counted, and one for each that is.
fn numbering(counted: &[(usize, u64)]) -> String {
    let mut xml = Xml::beginning(BEGINNING);
    xml.open("w:numbering", &[("xmlns:w", WORDS)]);
    for (id, format) in [("0", "bullet"), ("1", "decimal")] {
        xml.open("w:abstractNum", &[("w:abstractNumId", id)]);
        xml.empty("w:multiLevelType", &[("w:val", "hybridMultilevel")]);
        for level in 0..LEVELS {
            let text = if id == "0" { "•".to_owned() } else { format!("%{}.", level + 1) };
            xml.open("w:lvl", &[("w:ilvl", &level.to_string())]);
            xml.empty("w:start", &[("w:val", "1")]);
            xml.empty("w:numFmt", &[("w:val", format)]);
            xml.empty("w:lvlText", &[("w:val", &text)]);
            xml.empty("w:lvlJc", &[("w:val", "left")]);
            xml.close();
        }
        xml.close();
    }
    number(&mut xml, 1, "0", None);
    for (at, (level, from)) in counted.iter().enumerate() {
        number(&mut xml, at + 2, "1", Some((*level, *from)));
    }
    xml.finish()
}

fn number(xml: &mut Xml, id: usize, of: &str, from: Option<(usize, u64)>) {
    xml.open("w:num", &[("w:numId", &id.to_string())]);
    xml.empty("w:abstractNumId", &[("w:val", of)]);
    if let Some((level, from)) = from {
        xml.open("w:lvlOverride", &[("w:ilvl", &level.to_string())]);
        xml.empty("w:startOverride", &[("w:val", &from.to_string())]);
        xml.close();
    }
    xml.close();
}
