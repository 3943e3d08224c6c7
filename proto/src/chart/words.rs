//! What may be written in a chart. Comes in: texts of people and names of code lists. Goes out: texts of a bounded length that
//! are one line each, and places with the footnote that belongs to their name.

use std::fmt;

use crate::{
    limits::CHART_TEXT_CHARS_MAX,
    reason::{Invalid, Reason},
    taxonomy::{Lists, WHOLE_REGION},
};

/// One line of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(String);

impl Text {
    /// Checked: not empty, no longer than [`CHART_TEXT_CHARS_MAX`], no control characters and none that turn the direction.
    ///
    /// # Errors
    /// `FIELD_MISSING`, `LIMIT_EXCEEDED` or `FIELD_INVALID`.
    pub fn new(field: &str, text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        let refused = |reason, detail: String| Err(Invalid::new(reason, field, detail));
        if text.is_empty() {
            let detail = "is empty: say what the chart shows here";
            return refused(Reason::FieldMissing, detail.to_owned());
        }
        let length = text.chars().count();
        if length > CHART_TEXT_CHARS_MAX {
            let detail = format!("{length} characters where {CHART_TEXT_CHARS_MAX} are the most");
            return refused(Reason::LimitExceeded, detail);
        }
        let turns = |c| matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if let Some(c) = text.chars().find(|c| c.is_control() || turns(*c)) {
            let code = u32::from(c);
            let detail = format!("holds the character U+{code:04X}: write one line of plain text");
            return refused(Reason::FieldInvalid, detail);
        }
        Ok(Self(text.to_owned()))
    }

    /// As it is.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A jurisdiction, one of its regions, or the whole region, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub(super) code: String,
    pub(super) label: Text,
    footnoted: bool,
}

impl Place {
    /// The place with this code; of one that the lists at hand do not know, the code is the name.
    ///
    /// # Errors
    /// As [`Text::new`].
    pub fn of(field: &str, code: &str, lists: &Lists) -> Result<Self, Invalid> {
        let jurisdiction = lists.jurisdiction(field, code).ok();
        let region = lists.region(field, code).ok();
        let label = match (jurisdiction, region) {
            (Some(known), _) => &known.label,
            (None, Some(known)) => &known.label,
            (None, None) if code == WHOLE_REGION => "All members asked",
            (None, None) => code,
        };
        let footnoted = jurisdiction.is_some_and(|known| !known.footnote.is_empty());
        Ok(Self { code: code.to_owned(), label: Text::new(field, label)?, footnoted })
    }

    /// Where there is no room for its name: the code, with the asterisk of its name.
    pub(super) fn short(&self) -> String {
        format!("{}{}", self.code, if self.footnoted { "*" } else { "" })
    }
}

/// A footnote, and the words that it belongs to.
#[derive(Clone, Debug)]
pub(super) struct Footnote {
    pub(super) words: [String; 2],
    pub(super) text: String,
}

/// The footnotes of all names that have one.
pub(super) fn footnotes(lists: &Lists) -> Vec<Footnote> {
    let noted = lists.jurisdictions().filter(|known| !known.footnote.is_empty());
    let of = |known: &crate::taxonomy::Jurisdiction| Footnote {
        // Also where somebody wrote the name without its asterisk.
        words: [known.label.trim_end_matches('*').to_owned(), format!("{}*", known.code)],
        text: known.footnote.clone(),
    };
    noted.map(of).collect()
}

/// How many of what, in English: `1 cell`, `2 cells`.
pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// `a, b and c`.
pub(super) fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
