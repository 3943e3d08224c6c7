//! A page as WordprocessingML. Comes in: the tree. Goes out: body, head and foot of a document, and what they lead to. Must never
//! write a table without its header row marked, or an image without its words.

use super::{
    tree::{Block, Document, Kind, Line, Look, Run, Table},
    xml::Xml,
};
use crate::chart::Foreign;

/// Between the margins of an A4 page, in twentieths of a point.
const WIDTH: usize = 9_638;
/// An image is no larger, in English metric units: between the margins, and three quarters of a page.
const IMAGE_MAX: (u64, u64) = (6_120_130, 7_200_000);
/// English metric units of a pixel.
const PIXEL: u64 = 9_525;
/// Levels that a list may have in Word.
const LEVEL_MAX: usize = 8;
/// A letter of a table and what stands beside its words, in twentieths of a point.
const LETTER: usize = 115;
const PADDING: usize = 190;
/// More letters of a word, or of a field, widen no column.
const WORD_MAX: usize = 24;
const TEXT_MAX: usize = 60;
/// From one level of a list or a quotation to the next.
const INDENT: usize = 360;

const MONO: &str = "Consolas";
const DRAWING: &str = "http://schemas.openxmlformats.org/drawingml/2006/main";
const PICTURE: &str = "http://schemas.openxmlformats.org/drawingml/2006/picture";
/// What elements are named in.
pub(super) const WORDS: &str = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
const ROOT: [(&str, &str); 3] = [
    ("xmlns:w", WORDS),
    ("xmlns:r", "http://schemas.openxmlformats.org/officeDocument/2006/relationships"),
    ("xmlns:wp", "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"),
];
/// First line of every part.
pub(super) const BEGINNING: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#;

/// What a document is put together from.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    pub(super) body: String,
    pub(super) head: String,
    pub(super) foot: String,
    /// Addresses, in the order of their numbers.
    pub(super) links: Vec<String>,
    pub(super) charts: Vec<&'a Foreign>,
    /// Counted lists in the order of their numbers: level and first number.
    pub(super) counted: Vec<(usize, u64)>,
}

pub(super) fn parts(document: &Document) -> Parts<'_> {
    let mut body = Docx::new("w:document");
    body.xml.open("w:body", &[]);
    body.blocks(&document.blocks, Place::default());
    body.section();
    let Docx { xml, links, charts, counted, .. } = body;
    Parts {
        body: xml.finish(),
        head: on_every_page("w:hdr", &document.head, false),
        foot: on_every_page("w:ftr", &document.foot, true),
        links,
        charts,
        counted,
    }
}

fn on_every_page(root: &'static str, lines: &[(Kind, Line)], numbered: bool) -> String {
    let mut part = Docx::new(root);
    lines.iter().for_each(|(kind, line)| part.paragraph(style(*kind), Place::default(), line));
    if numbered {
        part.xml.open("w:p", &[]);
        part.properties("Mark", Place::default());
        part.xml.empty("w:fldSimple", &[("w:instr", "PAGE")]);
        part.xml.close();
    }
    part.xml.finish()
}

/// Where a block stands: in so many lists and quotations; what the first paragraph of an item is counted by.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    lists: usize,
    quotes: usize,
    number: Option<usize>,
}

struct Docx<'a> {
    xml: Xml,
    links: Vec<String>,
    charts: Vec<&'a Foreign>,
    counted: Vec<(usize, u64)>,
}

impl<'a> Docx<'a> {
    fn new(root: &'static str) -> Self {
        let mut xml = Xml::beginning(BEGINNING);
        xml.open(root, &ROOT);
        Self { xml, links: Vec::new(), charts: Vec::new(), counted: Vec::new() }
    }

    /// Size of the page, and what stands on every one.
    fn section(&mut self) {
        self.xml.open("w:sectPr", &[]);
        self.xml.empty("w:headerReference", &[("w:type", "default"), ("r:id", "head")]);
        self.xml.empty("w:footerReference", &[("w:type", "default"), ("r:id", "foot")]);
        self.xml.empty("w:pgSz", &[("w:w", "11906"), ("w:h", "16838")]);
        let margins = [
            ("w:top", "1304"),
            ("w:right", "1134"),
            ("w:bottom", "1304"),
            ("w:left", "1134"),
            ("w:header", "567"),
            ("w:footer", "567"),
            ("w:gutter", "0"),
        ];
        self.xml.empty("w:pgMar", &margins);
        self.xml.close();
    }

    fn blocks(&mut self, blocks: &'a [Block], place: Place) {
        for (at, block) in blocks.iter().enumerate() {
            let number = place.number.filter(|_| at == 0);
            self.block(block, Place { number, ..place });
        }
    }

    fn block(&mut self, block: &'a Block, place: Place) {
        let paragraph = matches!(block, Block::Paragraph(..) | Block::Heading(..));
        if place.number.is_some() && !paragraph {
            // An item that begins with something else has its number on a line of its own.
            self.paragraph("Item", place, &Line::new());
        }
        let place = Place { number: place.number.filter(|_| paragraph), ..place };
        match block {
            Block::Heading(level, line) => self.paragraph(heading(*level), place, line),
            Block::Paragraph(kind, line) => self.paragraph(body(*kind, place), place, line),
            Block::Notice(lines) => {
                lines.iter().for_each(|line| self.paragraph("Notice", place, line));
                self.gap();
            }
            Block::List(from, items) => self.list(*from, items, place),
            Block::Quote(inside) => {
                self.blocks(inside, Place { quotes: place.quotes + 1, ..place });
            }
            Block::Code(text) => {
                let look = Look { code: true, ..Look::default() };
                let text = text.strip_suffix('\n').unwrap_or(text);
                self.paragraph("Code", place, &vec![Run::Words(text.to_owned(), look, None)]);
            }
            Block::Table(table) => self.table(table),
            Block::Figure(chart, alternative) => self.image(chart, alternative),
            Block::Rule => self.paragraph("Rule", place, &Line::new()),
        }
    }

    fn list(&mut self, from: Option<u64>, items: &'a [Vec<Block>], place: Place) {
        let level = place.lists.min(LEVEL_MAX);
        // The first numbering is the one of lists that are not counted.
        let number = from.map_or(1, |from| {
            self.counted.push((level, from));
            self.counted.len() + 1
        });
        for item in items {
            let place = Place { lists: place.lists + 1, number: Some(number), ..place };
            match item.is_empty() {
                true => self.paragraph("Item", place, &Line::new()),
                false => self.blocks(item, place),
            }
        }
    }

    fn paragraph(&mut self, style: &'static str, place: Place, line: &Line) {
        self.xml.open("w:p", &[]);
        self.properties(style, place);
        self.line(line);
        self.xml.close();
    }

    fn properties(&mut self, style: &'static str, place: Place) {
        self.xml.open("w:pPr", &[]);
        self.xml.empty("w:pStyle", &[("w:val", style)]);
        let level = place.lists.saturating_sub(1).min(LEVEL_MAX);
        if let Some(number) = place.number {
            self.xml.open("w:numPr", &[]);
            self.xml.empty("w:ilvl", &[("w:val", &level.to_string())]);
            self.xml.empty("w:numId", &[("w:val", &number.to_string())]);
            self.xml.close();
        }
        let left = (place.lists + place.quotes) * INDENT;
        if left > 0 {
            let (left, hanging) = (left.to_string(), INDENT.to_string());
            let mut indent = vec![("w:left", left.as_str())];
            indent.extend(place.number.map(|_| ("w:hanging", hanging.as_str())));
            self.xml.empty("w:ind", &indent);
        }
        self.xml.close();
    }

    fn line(&mut self, line: &Line) {
        for run in line {
            match run {
                Run::Words(words, look, None) => self.run(words, *look, None),
                Run::Words(words, look, Some(address)) => {
                    self.links.push(address.clone());
                    let id = format!("link{}", self.links.len());
                    self.xml.open("w:hyperlink", &[("r:id", &id)]);
                    self.run(words, *look, Some("Hyperlink"));
                    self.xml.close();
                }
                Run::Mark(sign) => self.run(sign, Look::default(), None),
                Run::Break => {
                    self.xml.open("w:r", &[]);
                    self.xml.empty("w:br", &[]);
                    self.xml.close();
                }
            }
        }
    }

    fn run(&mut self, words: &str, look: Look, style: Option<&'static str>) {
        let Look { strong, emphasis, code, ours } = look;
        self.xml.open("w:r", &[]);
        self.xml.open("w:rPr", &[]);
        if let Some(style) = style.or(code.then_some("CodeWords")) {
            self.xml.empty("w:rStyle", &[("w:val", style)]);
        }
        if code {
            // LibreOffice forgets the style within a table.
            self.xml.empty("w:rFonts", &[("w:ascii", MONO), ("w:hAnsi", MONO), ("w:cs", MONO)]);
        }
        if strong {
            self.xml.empty("w:b", &[]);
        }
        if emphasis {
            self.xml.empty("w:i", &[]);
        }
        if ours {
            self.xml.empty("w:lang", &[("w:val", "en-GB")]);
        }
        self.xml.close();
        for (at, line) in words.split('\n').enumerate() {
            if at > 0 {
                self.xml.empty("w:br", &[]);
            }
            self.xml.leaf("w:t", &[("xml:space", "preserve")], line);
        }
        self.xml.close();
    }

    fn table(&mut self, table: &Table) {
        if let Some(caption) = &table.caption {
            self.paragraph("TableCaption", Place::default(), caption);
        }
        let widths = widths(table);
        self.xml.open("w:tbl", &[]);
        self.xml.open("w:tblPr", &[]);
        self.xml.empty("w:tblStyle", &[("w:val", "Grid")]);
        self.xml.empty("w:tblW", &[("w:w", &WIDTH.to_string()), ("w:type", "dxa")]);
        self.xml.empty("w:tblLayout", &[("w:type", "fixed")]);
        self.xml.close();
        self.xml.open("w:tblGrid", &[]);
        widths.iter().for_each(|width| self.xml.empty("w:gridCol", &[("w:w", &width.to_string())]));
        self.xml.close();
        if !table.head.is_empty() {
            self.row(&table.head, &widths, true, false);
        }
        table.rows.iter().for_each(|row| self.row(row, &widths, false, table.named));
        self.xml.close();
        self.gap();
    }

    /// Two tables or boxes behind each other would be one.
    fn gap(&mut self) {
        self.paragraph("Gap", Place::default(), &Line::new());
    }

    fn row(&mut self, row: &[Line], widths: &[usize], head: bool, named: bool) {
        self.xml.open("w:tr", &[]);
        self.xml.open("w:trPr", &[]);
        self.xml.empty("w:cantSplit", &[]);
        if head {
            self.xml.empty("w:tblHeader", &[]);
        }
        self.xml.close();
        for (at, (line, width)) in row.iter().zip(widths).enumerate() {
            self.xml.open("w:tc", &[]);
            self.xml.open("w:tcPr", &[]);
            self.xml.empty("w:tcW", &[("w:w", &width.to_string()), ("w:type", "dxa")]);
            if head {
                let grey = [("w:val", "clear"), ("w:color", "auto"), ("w:fill", "E8ECEF")];
                self.xml.empty("w:shd", &grey);
            }
            self.xml.close();
            let style = if head || (named && at == 0) { "FieldName" } else { "Field" };
            self.paragraph(style, Place::default(), line);
            self.xml.close();
        }
        self.xml.close();
    }

    fn image(&mut self, chart: &'a Foreign, alternative: &str) {
        self.charts.push(chart);
        let number = self.charts.len().to_string();
        let (name, id) = (format!("Chart {number}"), format!("chart{number}"));
        let (width, height) = extent(chart.size());
        let (width, height) = (width.to_string(), height.to_string());
        let size = [("cx", width.as_str()), ("cy", &height)];
        self.xml.open("w:p", &[]);
        self.properties("Image", Place::default());
        self.xml.open("w:r", &[]);
        self.xml.open("w:drawing", &[]);
        self.xml.open("wp:inline", &[]);
        self.xml.empty("wp:extent", &size);
        let says = [("id", number.as_str()), ("name", &name), ("descr", alternative)];
        self.xml.empty("wp:docPr", &says);
        self.xml.open("a:graphic", &[("xmlns:a", DRAWING)]);
        self.xml.open("a:graphicData", &[("uri", PICTURE)]);
        self.xml.open("pic:pic", &[("xmlns:pic", PICTURE)]);
        self.xml.open("pic:nvPicPr", &[]);
        self.xml.empty("pic:cNvPr", &says);
        self.xml.empty("pic:cNvPicPr", &[]);
        self.xml.close();
        self.xml.open("pic:blipFill", &[]);
        self.xml.empty("a:blip", &[("r:embed", &id)]);
        self.xml.open("a:stretch", &[]);
        self.xml.empty("a:fillRect", &[]);
        (0..2).for_each(|_| self.xml.close());
        self.xml.open("pic:spPr", &[]);
        self.xml.open("a:xfrm", &[]);
        self.xml.empty("a:off", &[("x", "0"), ("y", "0")]);
        self.xml.empty("a:ext", &size);
        self.xml.close();
        self.xml.open("a:prstGeom", &[("prst", "rect")]);
        self.xml.empty("a:avLst", &[]);
        // Down to the paragraph.
        (0..9).for_each(|_| self.xml.close());
    }
}

/// How large an image is, in English metric units: as it is, or as much smaller as it takes.
fn extent((width, height): (u32, u32)) -> (u64, u64) {
    let (width, height) = (u64::from(width.max(1)), u64::from(height.max(1)));
    let (most_wide, most_high) = IMAGE_MAX;
    let wide = (width * PIXEL).min(most_wide).min(most_high * width / height).max(1);
    (wide, (wide * height / width).max(1))
}

/// Widths of columns: each has room for its longest word, and shares what is left by how much stands in it.
fn widths(table: &Table) -> Vec<usize> {
    let rows = || [&table.head].into_iter().chain(&table.rows);
    let columns = rows().map(Vec::len).max().unwrap_or(0);
    let of = |at| {
        let texts = rows().filter_map(|row| row.get(at)).map(text);
        let count = |text: &str| text.chars().count();
        texts.fold((0, 0), |(word, all), text| {
            let longest = text.split([' ', '\n']).map(count).max().unwrap_or(0);
            (word.max(longest.min(WORD_MAX)), all.max(count(&text).min(TEXT_MAX)))
        })
    };
    let needs: Vec<(usize, usize)> = (0..columns).map(of).collect();
    let least = |(word, _): &(usize, usize)| word * LETTER + PADDING;
    let all_least = needs.iter().map(least).sum::<usize>().max(1);
    let all = needs.iter().map(|(_, text)| text + 1).sum::<usize>().max(1);
    let width = |need: &(usize, usize)| match WIDTH.checked_sub(all_least) {
        Some(left) => least(need) + left * (need.1 + 1) / all,
        None => (WIDTH * least(need) / all_least).max(1),
    };
    needs.iter().map(width).collect()
}

fn text(line: &Line) -> String {
    line.iter().map(words).collect()
}

fn words(run: &Run) -> &str {
    match run {
        Run::Words(words, ..) | Run::Mark(words) => words,
        Run::Break => "\n",
    }
}

fn heading(level: u8) -> &'static str {
    match level {
        0 => "Title",
        1 => "Heading1",
        2 => "Heading2",
        3 => "Heading3",
        4 => "Heading4",
        5 => "Heading5",
        _ => "Heading6",
    }
}

fn body(kind: Kind, place: Place) -> &'static str {
    match kind {
        Kind::Body if place.quotes > 0 => "Quote",
        Kind::Body if place.number.is_some() => "Item",
        Kind::Body
        | Kind::Kicker
        | Kind::Judged
        | Kind::Caption
        | Kind::Small
        | Kind::Withheld
        | Kind::Mark => style(kind),
    }
}

fn style(kind: Kind) -> &'static str {
    match kind {
        Kind::Body => "Normal",
        Kind::Kicker => "Kicker",
        Kind::Judged => "Judged",
        Kind::Caption => "Caption",
        Kind::Small => "Small",
        Kind::Withheld => "Withheld",
        Kind::Mark => "Mark",
    }
}
