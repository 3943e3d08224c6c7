//! A chart that somebody else drew. Comes in: bytes of a peer. Goes out: an SVG that holds nothing but what charts of ours hold, its
//! size, its words, and a PNG of it. Must never follow an address, open a file or be led into endless work.

use resvg::usvg::roxmltree::{Document, Node};

use super::png;
use crate::{
    limits::{CHART_DEPTH_MAX, CHART_DOTS_MAX},
    reason::{Invalid, Reason, quoted},
};

const NAMESPACE: &str = "http://www.w3.org/2000/svg";

/// Elements of a chart.
const ELEMENTS: [&str; 11] =
    ["svg", "title", "desc", "defs", "pattern", "rect", "circle", "line", "path", "g", "text"];

/// Attributes of them.
const ATTRIBUTES: [&str; 37] = [
    "width",
    "height",
    "viewBox",
    "role",
    "aria-labelledby",
    "aria-hidden",
    "lang",
    "font-family",
    "font-size",
    "font-weight",
    "font-style",
    "text-anchor",
    "textLength",
    "lengthAdjust",
    "id",
    "patternUnits",
    "x",
    "y",
    "x1",
    "y1",
    "x2",
    "y2",
    "cx",
    "cy",
    "r",
    "rx",
    "ry",
    "d",
    "fill",
    "fill-opacity",
    "opacity",
    "stroke",
    "stroke-width",
    "stroke-opacity",
    "stroke-dasharray",
    "stroke-linecap",
    "stroke-linejoin",
];

/// A chart of a peer. Made by [`Foreign::read`] only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    svg: String,
    size: (u32, u32),
    words: String,
}

impl Foreign {
    /// Reads exact bytes.
    ///
    /// # Errors
    /// `FIELD_INVALID` of anything that no chart of ours holds, `LIMIT_EXCEEDED` of one that is too large to be drawn.
    pub fn read(field: &str, svg: &[u8]) -> Result<Self, Invalid> {
        let refused = |detail: String| Invalid::new(Reason::FieldInvalid, field, detail);
        let text = std::str::from_utf8(svg).map_err(|_| refused("is not UTF-8".to_owned()))?;
        let document = Document::parse(text)
            .map_err(|_| refused("is not XML, or has a document type".to_owned()))?;
        let mut words = String::new();
        for node in document.descendants() {
            check(node).map_err(refused)?;
            if let Some(said) = node.text().filter(|_| node.is_text()) {
                words += said;
                words.push('\n');
            }
        }
        let tree = png::read(text).map_err(|_| refused("is no SVG with a size".to_owned()))?;
        let size = tree.size().to_int_size();
        let dots = u64::from(size.width()) * u64::from(size.height());
        if dots > CHART_DOTS_MAX {
            let detail = format!("{dots} dots where {CHART_DOTS_MAX} is the most");
            return Err(Invalid::new(Reason::LimitExceeded, field, detail));
        }
        Ok(Self { svg: text.to_owned(), size: (size.width(), size.height()), words })
    }

    /// The document: to be shown as an image, and never as a part of a page.
    pub fn as_str(&self) -> &str {
        &self.svg
    }

    /// Width and height in pixels.
    pub fn size(&self) -> (u32, u32) {
        self.size
    }

    /// Everything that is written in it, a line each.
    pub fn words(&self) -> &str {
        &self.words
    }

    /// As a PNG, as [`super::Svg::png`] makes it.
    ///
    /// # Errors
    /// The same.
    pub fn png(&self, scale: u8) -> Result<Vec<u8>, Invalid> {
        png::drawn(&self.svg, scale)
    }
}

/// Elements, attributes and addresses of ours, not too deep, and nothing but text between them.
fn check(node: Node<'_, '_>) -> Result<(), String> {
    if node.is_pi() {
        return Err("holds an instruction for a program".to_owned());
    }
    if !node.is_element() {
        return Ok(());
    }
    let name = node.tag_name().name();
    if !ELEMENTS.contains(&name) || node.tag_name().namespace() != Some(NAMESPACE) {
        return Err(format!("holds the element {}, which no chart has", quoted(name)));
    }
    // Itself is counted, and the document around them.
    if node.ancestors().take(CHART_DEPTH_MAX + 2).count() > CHART_DEPTH_MAX + 1 {
        return Err(format!("is more than {CHART_DEPTH_MAX} elements deep"));
    }
    let in_pattern = || node.ancestors().skip(1).any(|above| above.tag_name().name() == "pattern");
    for attribute in node.attributes() {
        let (name, value) = (attribute.name(), attribute.value());
        if !ATTRIBUTES.contains(&name) || attribute.namespace().is_some() {
            return Err(format!("holds the attribute {}, which no chart has", quoted(name)));
        }
        // A pattern of patterns multiplies its work.
        if value.to_ascii_lowercase().contains("url(")
            && (in_pattern() || !value.starts_with("url(#"))
        {
            return Err(format!("leads to {}", quoted(value)));
        }
    }
    Ok(())
}
