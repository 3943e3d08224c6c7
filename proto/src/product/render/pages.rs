//! A product becomes a page. Comes in: a [`Page`]. Goes out: the tree that both writers write. Must never reach a writer without a
//! handling mark on top and at the end of every page, the digest that was endorsed, and the notes of the names that it holds.

use super::{
    Page, front,
    names::Names,
    sections,
    tree::{Block, Document, Kind, Line, Run, Table, said},
};
use crate::{
    limits::{PAGE_CELLS_MAX, PAGE_COLUMNS_MAX},
    product::rendition::Rendition,
    reason::{Invalid, Reason},
    roster::bounded,
};

/// A page under way.
#[derive(Debug)]
pub(super) struct Pages<'a> {
    pub(super) page: &'a Page<'a>,
    pub(super) rendition: &'a Rendition,
    pub(super) names: Names,
    pub(super) blocks: Vec<Block>,
    cells: usize,
}

/// The whole document.
pub(super) fn document(page: &Page<'_>) -> Result<Document, Invalid> {
    let content = page.content;
    let rendition = content.rendition(page.extent).ok_or_else(|| {
        let detail = format!("the product has no rendition {}", page.extent.as_str());
        Invalid::new(Reason::FieldInvalid, "extent", detail)
    })?;
    if page.sections.len() != content.section_digests.len() {
        let detail = "are not as many as the content names: give each, or none in its place";
        return Err(Invalid::new(Reason::FieldInvalid, "sections", detail));
    }
    let mut pages =
        Pages { page, rendition, names: Names::of(page.lists), blocks: Vec::new(), cells: 0 };
    front::write(&mut pages)?;
    for (at, section) in page.sections.iter().enumerate() {
        sections::write(&mut pages, at + 1, section.as_ref())?;
    }
    let head = pages.head();
    // Last, when it is known which names there are.
    let foot = pages.foot();
    Ok(Document {
        title: pages.names.plain(&content.title),
        kind: content.kind.title().to_owned(),
        language: content.language.clone(),
        owner: content.owner.to_string(),
        head,
        foot,
        blocks: pages.blocks,
    })
}

impl Pages<'_> {
    pub(super) fn push(&mut self, block: Block) {
        self.blocks.push(block);
    }

    pub(super) fn heading(&mut self, level: u8, line: Line) {
        let line = self.names.line(line);
        self.push(Block::Heading(level, line));
    }

    pub(super) fn paragraph(&mut self, kind: Kind, line: Line) {
        let line = self.names.line(line);
        self.push(Block::Paragraph(kind, line));
    }

    /// A name of ours before words of somebody: nothing of ours stands behind them, so that their direction moves none of it.
    pub(super) fn labelled(&mut self, kind: Kind, label: &str, text: &str) {
        let mut line = vec![Run::label(label), Run::ours(" ")];
        line.extend(said(text));
        self.paragraph(kind, line);
    }

    /// A table, or its rows as text where it is too wide for a page.
    pub(super) fn table(&mut self, table: Table) -> Result<Vec<Block>, Invalid> {
        let Table { caption, head, rows, named } = table;
        let width = rows.iter().map(Vec::len).chain([head.len()]).max().unwrap_or(0);
        self.cells += (rows.len() + 1) * width;
        bounded("cells", self.cells, PAGE_CELLS_MAX)?;
        let mut lines = |row: Vec<Line>| -> Vec<Line> {
            row.into_iter().map(|line| self.names.line(line)).collect()
        };
        let caption = caption.map(|line| lines(vec![line]).into_iter().flatten().collect());
        let (head, mut rows) = (lines(head), rows.into_iter().map(&mut lines).collect::<Vec<_>>());
        if width <= PAGE_COLUMNS_MAX {
            rows.iter_mut().for_each(|row| row.resize(width, Line::new()));
            return Ok(vec![Block::Table(Table { caption, head, rows, named })]);
        }
        let caption = caption.map(|line| Block::Paragraph(Kind::Caption, line));
        let row = |row: Vec<Line>| Block::Paragraph(Kind::Body, row.join(&Run::ours(" | ")));
        Ok(caption.into_iter().chain([head].into_iter().chain(rows).map(row)).collect())
    }

    /// A table, at the end.
    pub(super) fn add(&mut self, table: Table) -> Result<(), Invalid> {
        let blocks = self.table(table)?;
        self.blocks.extend(blocks);
        Ok(())
    }

    fn head(&mut self) -> Vec<(Kind, Line)> {
        let mut head = vec![(Kind::Mark, said(&self.rendition.mark))];
        if self.page.recalled.is_some() {
            head.push((Kind::Mark, vec![Run::label("RECALLED: do not rely on it")]));
        }
        self.lines(head)
    }

    fn foot(&mut self) -> Vec<(Kind, Line)> {
        let content = self.page.content;
        let digest = vec![Run::ours("Content SHA-256 "), Run::code(content.digest().to_string())];
        let foot = vec![
            (Kind::Small, said(&content.title)),
            (Kind::Small, said(self.page.state)),
            (Kind::Small, digest),
            (Kind::Mark, said(&self.rendition.mark)),
        ];
        let foot = self.lines(foot);
        let notes = self.names.notes().map(|note| (Kind::Small, vec![Run::ours(note)]));
        notes.chain(foot).collect()
    }

    fn lines(&mut self, lines: Vec<(Kind, Line)>) -> Vec<(Kind, Line)> {
        lines.into_iter().map(|(kind, line)| (kind, self.names.line(line))).collect()
    }
}
