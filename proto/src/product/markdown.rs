//! Text of a product. Comes in: CommonMark. Goes out: blocks that every rendition is made of. Must never let through HTML, an image,
//! or a link that a page would run.

#![expect(clippy::wildcard_enum_match_arm, reason = "whatever else CommonMark has is refused")]

use pulldown_cmark::{Event, Options, Parser, Tag};

use crate::{
    limits::MARKDOWN_DEPTH_MAX,
    reason::{Invalid, Reason, quoted},
    roster::bounded,
};

/// A piece of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// A heading below the section's own: 1 to 6.
    Heading(u8, Vec<Inline>),
    /// A paragraph.
    Paragraph(Vec<Inline>),
    /// A list, counted from a number or not, with the blocks of each item.
    List(Option<u64>, Vec<Vec<Block>>),
    /// A quotation.
    Quote(Vec<Block>),
    /// Preformatted text.
    Code(String),
    /// A header, and rows.
    Table(Vec<Vec<Vec<Inline>>>),
    /// A line across.
    Rule,
}

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inline {
    /// Words.
    Text(String),
    /// Words that stand out.
    Emphasis(Vec<Inline>),
    /// Words that stand out more.
    Strong(Vec<Inline>),
    /// Words as a machine writes them.
    Code(String),
    /// Words that lead to an address: `https:` or `mailto:`.
    Link(String, Vec<Inline>),
    /// A new line.
    Break,
}

/// Checks that a text can be rendered.
pub fn check(field: &str, text: &str) -> Result<(), Invalid> {
    read(field, text).map(|_| ())
}

/// Reads a text.
pub fn read(field: &str, text: &str) -> Result<Vec<Block>, Invalid> {
    let mut reader = Reader { field, events: Parser::new_ext(text, Options::ENABLE_TABLES) };
    reader.blocks(0)
}

/// How many blocks a text has that was checked.
pub fn blocks(text: &str) -> usize {
    read("text", text).map_or(0, |blocks| blocks.len())
}

struct Reader<'a> {
    field: &'a str,
    events: Parser<'a>,
}

impl Reader<'_> {
    fn refuse<T>(&self, what: &str) -> Result<T, Invalid> {
        let detail = format!("holds {what}, which no rendition shows: write plain CommonMark");
        Err(Invalid::new(Reason::FieldInvalid, self.field, detail))
    }

    /// Blocks until the element around them ends.
    fn blocks(&mut self, depth: usize) -> Result<Vec<Block>, Invalid> {
        bounded(self.field, depth, MARKDOWN_DEPTH_MAX)?;
        let (mut blocks, mut loose) = (Vec::new(), Vec::new());
        while let Some(event) = self.events.next() {
            let block = match event {
                Event::Start(tag) if is_block(&tag) => self.block(tag, depth)?,
                Event::Rule => Block::Rule,
                Event::End(_) => break,
                // The line of a tight list.
                other => {
                    self.inline(other, depth, &mut loose)?;
                    continue;
                }
            };
            flush(&mut loose, &mut blocks);
            blocks.push(block);
        }
        flush(&mut loose, &mut blocks);
        Ok(blocks)
    }

    fn block(&mut self, tag: Tag<'_>, depth: usize) -> Result<Block, Invalid> {
        Ok(match tag {
            Tag::Paragraph => Block::Paragraph(self.line(depth)?),
            Tag::Heading { level, .. } => Block::Heading(level as u8, self.line(depth)?),
            Tag::BlockQuote(_) => Block::Quote(self.blocks(depth + 1)?),
            Tag::CodeBlock(_) => Block::Code(self.code()?),
            Tag::List(from) => {
                let mut items = Vec::new();
                while let Some(Event::Start(_)) = self.events.next() {
                    items.push(self.blocks(depth + 1)?);
                }
                Block::List(from, items)
            }
            Tag::Table(_) => Block::Table(self.table(depth)?),
            _ => return self.refuse("HTML"),
        })
    }

    fn code(&mut self) -> Result<String, Invalid> {
        let mut text = String::new();
        for event in self.events.by_ref() {
            match event {
                Event::Text(words) => text += &words,
                _ => break,
            }
        }
        Ok(text)
    }

    fn table(&mut self, depth: usize) -> Result<Vec<Vec<Vec<Inline>>>, Invalid> {
        let mut rows = Vec::new();
        // Head or row, its cells, and the end of each.
        while let Some(Event::Start(_)) = self.events.next() {
            let mut cells = Vec::new();
            while let Some(Event::Start(_)) = self.events.next() {
                cells.push(self.line(depth)?);
            }
            rows.push(cells);
        }
        Ok(rows)
    }

    /// One line, until the element around it ends.
    fn line(&mut self, depth: usize) -> Result<Vec<Inline>, Invalid> {
        bounded(self.field, depth, MARKDOWN_DEPTH_MAX)?;
        let mut line = Vec::new();
        while let Some(event) = self.events.next() {
            if matches!(event, Event::End(_)) {
                break;
            }
            self.inline(event, depth, &mut line)?;
        }
        Ok(line)
    }

    fn inline(
        &mut self,
        event: Event<'_>,
        depth: usize,
        line: &mut Vec<Inline>,
    ) -> Result<(), Invalid> {
        let piece = match event {
            Event::Text(text) => {
                if let Some(Inline::Text(before)) = line.last_mut() {
                    *before += &text;
                    return Ok(());
                }
                Inline::Text(text.into_string())
            }
            Event::Code(text) => Inline::Code(text.into_string()),
            Event::SoftBreak => Inline::Text(" ".to_owned()),
            Event::HardBreak => Inline::Break,
            Event::Start(Tag::Emphasis) => Inline::Emphasis(self.line(depth + 1)?),
            Event::Start(Tag::Strong) => Inline::Strong(self.line(depth + 1)?),
            Event::Start(Tag::Link { dest_url, .. }) => {
                let address = self.address(&dest_url)?;
                Inline::Link(address, self.line(depth + 1)?)
            }
            Event::Start(Tag::Image { .. }) => return self.refuse("an image"),
            Event::Html(_) | Event::InlineHtml(_) => return self.refuse("HTML"),
            _ => return self.refuse("something else than text"),
        };
        line.push(piece);
        Ok(())
    }

    fn address(&self, address: &str) -> Result<String, Invalid> {
        let known = ["https://", "mailto:"].iter().any(|scheme| address.starts_with(scheme));
        if known && address.bytes().all(|b| b.is_ascii_graphic()) {
            return Ok(address.to_owned());
        }
        self.refuse(&format!("a link to {}", quoted(address)))
    }
}

fn is_block(tag: &Tag<'_>) -> bool {
    !matches!(
        tag,
        Tag::Emphasis | Tag::Strong | Tag::Strikethrough | Tag::Link { .. } | Tag::Image { .. }
    )
}

fn flush(loose: &mut Vec<Inline>, blocks: &mut Vec<Block>) {
    if !loose.is_empty() {
        blocks.push(Block::Paragraph(std::mem::take(loose)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(words: &str) -> Inline {
        Inline::Text(words.to_owned())
    }

    #[test]
    fn a_text_becomes_blocks() {
        let source = "# One\n\nTwo *three* **four** `five`\nsix [seven](https://x.example)\n\n\
                      - a\n  - b\n- c\n\n3. d\n\n> e\n\n---\n\n```\nf\n```\n\n| g | h |\n|---|---|\n| i | j |\n";
        let item = |words| Block::Paragraph(vec![text(words)]);
        let line = vec![
            text("Two "),
            Inline::Emphasis(vec![text("three")]),
            text(" "),
            Inline::Strong(vec![text("four")]),
            text(" "),
            Inline::Code("five".to_owned()),
            text(" "),
            text("six "),
            Inline::Link("https://x.example".to_owned(), vec![text("seven")]),
        ];
        let blocks = vec![
            Block::Heading(1, vec![text("One")]),
            Block::Paragraph(line),
            Block::List(
                None,
                vec![vec![item("a"), Block::List(None, vec![vec![item("b")]])], vec![item("c")]],
            ),
            Block::List(Some(3), vec![vec![item("d")]]),
            Block::Quote(vec![item("e")]),
            Block::Rule,
            Block::Code("f\n".to_owned()),
            Block::Table(vec![
                vec![vec![text("g")], vec![text("h")]],
                vec![vec![text("i")], vec![text("j")]],
            ]),
        ];
        assert_eq!(flat(read("text", source).unwrap()), flat(blocks));
    }

    /// Adjacent words of a line are one.
    fn flat(blocks: Vec<Block>) -> String {
        format!("{blocks:?}").replace("\"), Text(\"", "")
    }

    #[test]
    fn no_html_image_or_link_that_runs_gets_through() {
        for source in [
            "<script>alert(1)</script>",
            "a <b onclick=x>b</b>",
            "![x](https://x.example/x.png)",
            "[x](javascript:alert(1))",
            "[x](file:///etc/passwd)",
            "[x](data:text/html,x)",
            "<javascript:alert(1)>",
        ] {
            let refused = check("text", source).expect_err(source);
            assert_eq!(refused.reason, Reason::FieldInvalid, "{source}");
        }
        let deep = ">".repeat(MARKDOWN_DEPTH_MAX + 1) + " x";
        assert_eq!(check("text", &deep).unwrap_err().reason, Reason::LimitExceeded);
        assert!(check("text", "1 < 2 & 3").is_ok());
    }
}
