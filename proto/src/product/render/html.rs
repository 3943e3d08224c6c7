//! A page as HTML. Comes in: the tree. Goes out: one file that asks for nothing else. Must never hold a script, an address that is
//! loaded, or a drawing but as an image.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    tree::{Block, Document, Kind, Line, Look, Run, Table},
    xml::Xml,
};
use crate::chart::Foreign;

const STYLE: &str = include_str!("style.css");
/// Nothing is loaded or run, whatever gets into the file.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

pub(super) fn write(document: &Document) -> String {
    let mut page = Html { xml: Xml::beginning("<!DOCTYPE html>"), english: is_english(document) };
    let xml = &mut page.xml;
    xml.open("html", &[("lang", &document.language)]);
    xml.open("head", &[]);
    xml.empty("meta", &[("charset", "utf-8")]);
    xml.empty("meta", &[("http-equiv", "Content-Security-Policy"), ("content", POLICY)]);
    xml.empty("meta", &[("name", "referrer"), ("content", "no-referrer")]);
    xml.empty("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]);
    xml.empty("meta", &[("name", "author"), ("content", &document.owner)]);
    xml.leaf("title", &[], &document.title);
    xml.open("style", &[]);
    xml.raw(STYLE);
    xml.close();
    xml.close();
    xml.raw("\n");
    xml.open("body", &[]);
    page.lines("header", &document.head);
    page.xml.open("main", &[]);
    page.blocks(&document.blocks);
    page.xml.raw("\n");
    page.xml.close();
    page.lines("footer", &document.foot);
    page.xml.finish() + "\n"
}

fn is_english(document: &Document) -> bool {
    document.language.split('-').next().is_some_and(|tag| tag.eq_ignore_ascii_case("en"))
}

struct Html {
    xml: Xml,
    /// The product is in the language that the page itself speaks.
    english: bool,
}

impl Html {
    /// What stands on every page.
    fn lines(&mut self, name: &'static str, lines: &[(Kind, Line)]) {
        self.xml.raw("\n");
        self.xml.open(name, &[]);
        lines.iter().for_each(|(kind, line)| self.paragraph(*kind, line));
        self.xml.close();
    }

    fn blocks(&mut self, blocks: &[Block]) {
        for block in blocks {
            self.xml.raw("\n");
            self.block(block);
        }
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Heading(level, line) => {
                self.xml.open(heading(*level), &[]);
                self.line(line);
                self.xml.close();
            }
            Block::Paragraph(kind, line) => self.paragraph(*kind, line),
            Block::Notice(lines) => {
                self.xml.open("aside", &[("role", "note")]);
                lines.iter().for_each(|line| self.paragraph(Kind::Body, line));
                self.xml.close();
            }
            Block::List(from, items) => {
                let start = from.map(|from| from.to_string());
                match &start {
                    Some(start) => self.xml.open("ol", &[("start", start)]),
                    None => self.xml.open("ul", &[]),
                }
                for item in items {
                    self.xml.open("li", &[]);
                    self.blocks(item);
                    self.xml.close();
                }
                self.xml.close();
            }
            Block::Quote(inside) => {
                self.xml.open("blockquote", &[]);
                self.blocks(inside);
                self.xml.close();
            }
            Block::Code(text) => {
                self.xml.open("pre", &[]);
                self.xml.leaf("code", &[], text);
                self.xml.close();
            }
            Block::Table(table) => self.table(table),
            Block::Figure(chart, alternative) => self.image(chart, alternative),
            Block::Rule => self.xml.empty("hr", &[]),
        }
    }

    fn paragraph(&mut self, kind: Kind, line: &Line) {
        match class(kind) {
            "" => self.xml.open("p", &[]),
            class => self.xml.open("p", &[("class", class)]),
        }
        self.line(line);
        self.xml.close();
    }

    fn table(&mut self, table: &Table) {
        // A wide one is moved by itself, also from the keyboard.
        self.xml.open("div", &[("class", "wide"), ("tabindex", "0")]);
        self.xml.open("table", &[]);
        if let Some(caption) = &table.caption {
            self.xml.open("caption", &[]);
            self.line(caption);
            self.xml.close();
        }
        if !table.head.is_empty() {
            self.xml.open("thead", &[]);
            self.xml.open("tr", &[]);
            table.head.iter().for_each(|line| self.cell("th", &[("scope", "col")], line));
            self.xml.close();
            self.xml.close();
        }
        self.xml.open("tbody", &[]);
        for row in &table.rows {
            self.xml.open("tr", &[]);
            for (at, line) in row.iter().enumerate() {
                match table.named && at == 0 {
                    true => self.cell("th", &[("scope", "row")], line),
                    false => self.cell("td", &[], line),
                }
            }
            self.xml.close();
        }
        (0..3).for_each(|_| self.xml.close());
    }

    fn cell(&mut self, name: &'static str, attributes: &[(&'static str, &str)], line: &Line) {
        self.xml.open(name, attributes);
        self.line(line);
        self.xml.close();
    }

    /// Never a part of the page: what an image holds cannot run, and loads nothing.
    fn image(&mut self, chart: &Foreign, alternative: &str) {
        let source = format!("data:image/svg+xml;base64,{}", STANDARD.encode(chart.as_str()));
        let (width, height) = chart.size();
        let (width, height) = (width.to_string(), height.to_string());
        let attributes = [
            ("src", source.as_str()),
            ("alt", alternative),
            ("width", &width),
            ("height", &height),
        ];
        self.xml.open("figure", &[]);
        self.xml.empty("img", &attributes);
        self.xml.close();
    }

    fn line(&mut self, line: &Line) {
        for run in line {
            match run {
                Run::Words(words, look, link) => self.run(words, *look, link.as_deref()),
                Run::Mark(sign) => self.xml.leaf("span", &[("class", "sign")], sign),
                Run::Break => self.xml.empty("br", &[]),
            }
        }
    }

    fn run(&mut self, words: &str, look: Look, link: Option<&str>) {
        let mut open = 0;
        let Look { strong, emphasis, code, ours } = look;
        if let Some(address) = link {
            self.xml.open("a", &[("href", address), ("rel", "noreferrer noopener")]);
            open += 1;
        }
        let names = [(strong, "strong"), (emphasis, "em"), (code, "code")];
        for (_, name) in names.into_iter().filter(|(is, _)| *is) {
            self.xml.open(name, &[]);
            open += 1;
        }
        match ours && !self.english {
            true => self.xml.leaf("span", &[("lang", "en")], words),
            false => self.xml.words(words),
        }
        (0..open).for_each(|_| self.xml.close());
    }
}

fn heading(level: u8) -> &'static str {
    match level {
        0 => "h1",
        1 => "h2",
        2 => "h3",
        3 => "h4",
        4 => "h5",
        _ => "h6",
    }
}

fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Body => "",
        Kind::Kicker => "kicker",
        Kind::Judged => "judged",
        Kind::Caption => "caption",
        Kind::Small => "small",
        Kind::Withheld => "withheld",
        Kind::Mark => "mark",
    }
}
