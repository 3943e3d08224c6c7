//! A product as a page has it, before it is HTML or DOCX. Comes in: what `pages` makes of a product. Goes out: blocks, lines and
//! runs, which both writers write as they stand. Must never hold what only one of them can show.

use crate::chart::Foreign;

/// A product, ready to be written.
#[derive(Debug)]
pub(super) struct Document {
    /// For the window and the properties.
    pub(super) title: String,
    /// What it is, in a word or two.
    pub(super) kind: String,
    /// BCP 47.
    pub(super) language: String,
    /// The centre or node whose product it is.
    pub(super) owner: String,
    /// Stands on top of every page.
    pub(super) head: Vec<(Kind, Line)>,
    /// Stands at the end of every page.
    pub(super) foot: Vec<(Kind, Line)>,
    /// What stands between.
    pub(super) blocks: Vec<Block>,
}

/// A piece of a page.
#[derive(Debug)]
pub(super) enum Block {
    /// 0 is the title, 1 a section, up to 6.
    Heading(u8, Line),
    /// A paragraph.
    Paragraph(Kind, Line),
    /// What must be read before anything else, in a box.
    Notice(Vec<Line>),
    /// A list, counted from a number or not.
    List(Option<u64>, Vec<Vec<Block>>),
    /// A quotation.
    Quote(Vec<Block>),
    /// Preformatted text.
    Code(String),
    /// A table.
    Table(Table),
    /// A chart, and what it shows in words.
    Figure(Foreign, String),
    /// A line across.
    Rule,
}

/// What a paragraph is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text.
    Body,
    /// What a product is, above its title.
    Kicker,
    /// How likely, how sure, until when: below a judgement.
    Judged,
    /// Below a figure.
    Caption,
    /// What a figure shows, and other small print.
    Small,
    /// In place of a section that is withheld.
    Withheld,
    /// Handling mark, in head and foot.
    Mark,
}

/// Rows of the same length.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// What it is a table of.
    pub(super) caption: Option<Line>,
    /// Names of the columns, if they have some.
    pub(super) head: Vec<Line>,
    /// Rows.
    pub(super) rows: Vec<Vec<Line>>,
    /// The first field of a row names it.
    pub(super) named: bool,
}

/// Pieces that stand behind each other.
pub(super) type Line = Vec<Run>;

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Run {
    /// Words, how they look, and where they lead.
    Words(String, Look, Option<String>),
    /// The sign of a note at the end of the page.
    Mark(String),
    /// A new line.
    Break,
}

/// How words look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) strong: bool,
    pub(super) emphasis: bool,
    /// As a machine writes it: no sign of a note stands in it.
    pub(super) code: bool,
    /// Words of the page, in English, and none of the product's.
    pub(super) ours: bool,
}

impl Look {
    /// Words of the page.
    pub(super) const OURS: Self = Self { strong: false, emphasis: false, code: false, ours: true };
    /// The same, standing out.
    pub(super) const LABEL: Self = Self { strong: true, ..Self::OURS };
}

impl Run {
    /// Words of the page itself.
    pub(super) fn ours(words: impl Into<String>) -> Self {
        Self::Words(words.into(), Look::OURS, None)
    }

    /// The same, standing out.
    pub(super) fn label(words: impl Into<String>) -> Self {
        Self::Words(words.into(), Look::LABEL, None)
    }

    /// As a machine writes it: a digest, an id.
    pub(super) fn code(words: impl Into<String>) -> Self {
        Self::Words(words.into(), Look { code: true, ..Look::default() }, None)
    }
}

/// What somebody has written, word for word, in as many lines as it has.
pub(super) fn said(text: &str) -> Line {
    let mut line = Line::new();
    for words in text.split('\n') {
        if !line.is_empty() {
            line.push(Run::Break);
        }
        line.push(Run::Words(words.to_owned(), Look::default(), None));
    }
    line
}
