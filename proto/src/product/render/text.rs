//! The running text of a section. Comes in: blocks of CommonMark. Goes out: blocks of a page. Must never hide where a link leads.

use super::{
    pages::Pages,
    tree::{self, Line, Look, Run, Table},
};
use crate::{
    product::markdown::{Block, Inline},
    reason::Invalid,
};

/// The deepest heading of a page.
const LEVEL_MAX: u8 = 6;

pub(super) fn blocks(
    pages: &mut Pages<'_>,
    blocks: Vec<Block>,
) -> Result<Vec<tree::Block>, Invalid> {
    let mut out = Vec::new();
    for block in blocks {
        out.push(match block {
            // Below the heading of the section.
            Block::Heading(level, inlines) => {
                tree::Block::Heading((level + 1).min(LEVEL_MAX), pages.names.line(line(inlines)))
            }
            Block::Paragraph(inlines) => {
                tree::Block::Paragraph(tree::Kind::Body, pages.names.line(line(inlines)))
            }
            Block::List(from, items) => {
                let items = items.into_iter().map(|item| self::blocks(pages, item));
                tree::Block::List(from, items.collect::<Result<_, _>>()?)
            }
            Block::Quote(inside) => tree::Block::Quote(self::blocks(pages, inside)?),
            Block::Code(text) => {
                pages.names.hold(&text);
                tree::Block::Code(text)
            }
            Block::Table(rows) => {
                let row = |row: Vec<_>| -> Vec<Line> { row.into_iter().map(line).collect() };
                let mut rows = rows.into_iter().map(row);
                let head = rows.next().unwrap_or_default();
                let table = Table { head, rows: rows.collect(), ..Table::default() };
                out.extend(pages.table(table)?);
                continue;
            }
            Block::Rule => tree::Block::Rule,
        });
    }
    Ok(out)
}

fn line(inlines: Vec<Inline>) -> Line {
    let mut out = Line::new();
    add(inlines, Look::default(), None, &mut out);
    out
}

fn add(inlines: Vec<Inline>, look: Look, link: Option<&String>, out: &mut Line) {
    for inline in inlines {
        match inline {
            Inline::Text(words) => out.push(Run::Words(words, look, link.cloned())),
            Inline::Code(words) => {
                out.push(Run::Words(words, Look { code: true, ..look }, link.cloned()));
            }
            Inline::Break => out.push(Run::Break),
            Inline::Emphasis(inside) => add(inside, Look { emphasis: true, ..look }, link, out),
            Inline::Strong(inside) => add(inside, Look { strong: true, ..look }, link, out),
            Inline::Link(address, inside) => leading(&address, inside, look, out),
        }
    }
}

/// Words that lead to an address, and the address behind them: paper leads nowhere, and words may say anything.
fn leading(address: &str, inside: Vec<Inline>, look: Look, out: &mut Line) {
    let bare = address.strip_prefix("mailto:").unwrap_or(address);
    let code =
        |words: String| Run::Words(words, Look { code: true, ..look }, Some(address.to_owned()));
    let same =
        matches!(inside.as_slice(), [Inline::Text(words)] if words == address || words == bare);
    if same {
        out.push(code(bare.to_owned()));
        return;
    }
    add(inside, look, Some(&address.to_owned()), out);
    out.push(Run::Words(" (".to_owned(), look, None));
    out.push(code(bare.to_owned()));
    out.push(Run::Words(")".to_owned(), look, None));
}
