//! Names that carry a footnote (domain.md §5.5). Comes in: lines of a page. Goes out: the same lines, with the sign of the note
//! behind the name, and the notes that the page needs. Must never leave such a name on a page without its note.

use std::collections::BTreeSet;

use super::tree::{Line, Look, Run};
use crate::taxonomy::Lists;

/// How names are spelled besides what the list of jurisdictions says: code, then spellings in the languages of the region, with
/// the cases that they take. Small letters.
const SPELLINGS: [(&str, &[&str]); 1] = [(
    "XK",
    &[
        "kosova",
        "kosovë",
        "kosovës",
        "kosovën",
        "kosove\u{308}",
        "kosove\u{308}s",
        "kosove\u{308}n",
        "kosovu",
        "kosovom",
        "косово",
        "косова",
        "косову",
        "косовом",
    ],
)];

/// A name with its note.
#[derive(Debug)]
struct Noted {
    /// Small letters; longest first, so that no spelling hides a longer one.
    spellings: Vec<Vec<char>>,
    /// Short for the name, and only with the sign behind it.
    code: Vec<char>,
    sign: String,
    note: String,
}

/// Where a name stands: which, where it ends, and whether its sign stands behind it.
#[derive(Clone, Copy, Debug)]
struct Found {
    which: usize,
    end: usize,
    signed: bool,
}

/// The names of a document, and which of them it holds.
#[derive(Debug)]
pub(super) struct Names {
    noted: Vec<Noted>,
    held: BTreeSet<usize>,
}

impl Names {
    /// All names that have a footnote.
    pub(super) fn of(lists: &Lists) -> Self {
        let noted = lists.jurisdictions().filter(|known| !known.footnote.is_empty());
        let of = |known: &crate::taxonomy::Jurisdiction| {
            let code = known.code.to_string();
            let name = known.label.trim_end_matches('*');
            let sign = known.label.get(name.len()..).filter(|sign| !sign.is_empty());
            let more = SPELLINGS.iter().filter(|(of, _)| *of == code);
            let more = more.flat_map(|(_, spellings)| spellings.iter().copied());
            let mut spellings: Vec<_> = [name].into_iter().chain(more).map(small).collect();
            spellings.sort_by_key(|spelling| std::cmp::Reverse(spelling.len()));
            Noted {
                spellings,
                code: small(&code),
                sign: sign.unwrap_or("*").to_owned(),
                note: known.footnote.clone(),
            }
        };
        Self { noted: noted.map(of).collect(), held: BTreeSet::new() }
    }

    /// The first mention of each name in a line gets its sign: whatever page, table or figure the line stands in, it has one. The
    /// words themselves stay as they are, and what a machine has written gets none.
    pub(super) fn line(&mut self, line: Line) -> Line {
        let whole: String = line.iter().map(words_of).collect();
        let found = self.find(&whole);
        let mut out = Line::new();
        let (mut signed, mut from) = (BTreeSet::new(), 0);
        for run in line {
            let to = from + words_of(&run).len();
            let ends = found.iter().filter(|name| (from + 1..=to).contains(&name.end));
            match run {
                Run::Words(words, look, link) if !look.code => {
                    let mut at = 0;
                    for name in ends {
                        let sign = self.noted.get(name.which).map_or("*", |noted| &noted.sign);
                        if signed.insert(name.which) && !name.signed {
                            let end = name.end - from;
                            push(&mut out, words.get(at..end), look, link.as_ref());
                            out.push(Run::Mark(sign.to_owned()));
                            at = end;
                        }
                    }
                    push(&mut out, words.get(at..), look, link.as_ref());
                }
                Run::Words(..) | Run::Mark(_) | Run::Break => out.push(run),
            }
            from = to;
        }
        out
    }

    /// The same where there are no runs: the words beside a picture, a title.
    pub(super) fn plain(&mut self, text: &str) -> String {
        self.line(vec![Run::Words(text.to_owned(), Look::default(), None)])
            .iter()
            .map(words_of)
            .collect()
    }

    /// What is shown as it is, but may hold names: preformatted text, a chart.
    pub(super) fn hold(&mut self, text: &str) {
        self.find(text);
    }

    /// The notes of the names that the document holds.
    pub(super) fn notes(&self) -> impl Iterator<Item = &str> {
        let all = self.noted.iter().enumerate().filter(|(at, _)| self.held.contains(at));
        all.map(|(_, noted)| noted.note.as_str())
    }

    /// Every mention, in its order.
    fn find(&mut self, text: &str) -> Vec<Found> {
        // What cannot be seen parts no name.
        let seen = text.char_indices().filter(|(_, c)| !invisible(*c));
        let letters: Vec<_> = seen.map(|(at, c)| (at + c.len_utf8(), lower(c))).collect();
        let mut found = Vec::new();
        let mut at = 0;
        while at < letters.len() {
            let before = at.checked_sub(1).and_then(|at| letters.get(at));
            let begins = before.is_none_or(|(_, c)| !c.is_alphanumeric());
            let rest = letters.get(at..).unwrap_or_default();
            let name = begins.then(|| self.name(rest)).flatten();
            at += name.map_or(1, |(_, length, _)| length);
            if let Some((which, length, signed)) = name {
                let end = rest.get(length - 1).map_or(0, |(end, _)| *end);
                found.push(Found { which, end, signed });
                self.held.insert(which);
            }
        }
        found
    }

    /// The name that a text begins with: which, its length, and whether its sign follows.
    fn name(&self, rest: &[(usize, char)]) -> Option<(usize, usize, bool)> {
        let begins = |with: &[char]| {
            rest.len() >= with.len() && rest.iter().zip(with).all(|((_, c), wanted)| c == wanted)
        };
        let after = |length: usize| rest.get(length).map(|(_, c)| *c);
        let whole = |length: usize| after(length).is_none_or(|c| !c.is_alphanumeric());
        self.noted.iter().enumerate().find_map(|(which, noted)| {
            let signed =
                |length| after(length).is_some() && after(length) == noted.sign.chars().next();
            let spelled = noted.spellings.iter().find(|name| begins(name) && whole(name.len()));
            let short = (begins(&noted.code) && signed(noted.code.len())).then_some(&noted.code);
            spelled.or(short).map(|name| (which, name.len(), signed(name.len())))
        })
    }
}

fn push(out: &mut Line, words: Option<&str>, look: Look, link: Option<&String>) {
    if let Some(words) = words.filter(|words| !words.is_empty()) {
        out.push(Run::Words(words.to_owned(), look, link.cloned()));
    }
}

/// A break parts words.
fn words_of(run: &Run) -> &str {
    match run {
        Run::Words(words, ..) | Run::Mark(words) => words,
        Run::Break => "\n",
    }
}

fn small(text: &str) -> Vec<char> {
    text.chars().map(lower).collect()
}

fn lower(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

fn invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
}
