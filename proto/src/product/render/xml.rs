//! Tags and words, written. Comes in: elements of our own and words of anybody. Goes out: well-formed XML, which is also HTML where
//! its elements are. Must never write a word unescaped, or one that turns the direction of what stands beside it.

/// A document under way.
#[derive(Debug, Default)]
pub(super) struct Xml {
    out: String,
    open: Vec<&'static str>,
}

/// Names and values of an element.
pub(super) type Attributes<'a> = &'a [(&'static str, &'a str)];

impl Xml {
    /// Begins with a line of our own.
    pub(super) fn beginning(line: &'static str) -> Self {
        Self { out: line.to_owned() + "\n", open: Vec::new() }
    }

    /// Opens an element.
    pub(super) fn open(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.tag(name, attributes, ">");
        self.open.push(name);
    }

    /// Closes what was opened last.
    pub(super) fn close(&mut self) {
        if let Some(name) = self.open.pop() {
            self.out += "</";
            self.out += name;
            self.out += ">";
        }
    }

    /// An element that holds nothing.
    pub(super) fn empty(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.tag(name, attributes, "/>");
    }

    /// An element that holds words only.
    pub(super) fn leaf(&mut self, name: &'static str, attributes: Attributes<'_>, words: &str) {
        self.open(name, attributes);
        self.words(words);
        self.close();
    }

    /// Words.
    pub(super) fn words(&mut self, words: &str) {
        words.chars().for_each(|c| escape(c, &mut self.out));
    }

    /// What is written in our own files and needs no escaping.
    pub(super) fn raw(&mut self, own: &'static str) {
        self.out += own;
    }

    /// Closes what is open.
    pub(super) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.out
    }

    fn tag(&mut self, name: &'static str, attributes: Attributes<'_>, end: &str) {
        self.out += "<";
        self.out += name;
        for (name, value) in attributes {
            self.out.push(' ');
            self.out += name;
            self.out += "=\"";
            for c in value.chars() {
                // A parser would make a space of it.
                if c == '\n' { self.out += "&#10;" } else { escape(c, &mut self.out) }
            }
            self.out += "\"";
        }
        self.out += end;
    }
}

/// What XML cannot hold, and what moves words that it does not belong to, is a replacement character.
fn escape(c: char, out: &mut String) {
    match c {
        '&' => *out += "&amp;",
        '<' => *out += "&lt;",
        '>' => *out += "&gt;",
        '"' => *out += "&quot;",
        '\'' => *out += "&#39;",
        '\n' | '\t' => out.push(c),
        '\u{200e}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{fffe}'
        | '\u{ffff}' => out.push('\u{fffd}'),
        c if c.is_control() => out.push('\u{fffd}'),
        c => out.push(c),
    }
}
