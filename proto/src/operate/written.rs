//! What people write in TOML, read so that every mistake is said at once and with its line. Comes in: a text. Goes out:
//! values, taken key by key; what nobody has taken at the end is unknown, and said too.

use std::{cell::RefCell, ops::Range};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{
    limits::MISTAKES_MAX,
    reason::{Invalid, Reason, quoted},
};

/// A text and the mistakes that were found in it.
pub(super) struct Written<'t> {
    name: &'t str,
    text: &'t str,
    mistakes: RefCell<Vec<(usize, String)>>,
}

/// A table of it.
pub(super) struct Entries<'a> {
    of: &'a Written<'a>,
    place: String,
    at: Range<usize>,
    left: DeTable<'a>,
}

/// A word and where it stands.
pub(super) struct Word {
    pub(super) text: String,
    pub(super) at: Range<usize>,
}

impl<'t> Written<'t> {
    pub(super) fn new(name: &'t str, text: &'t str) -> Self {
        Self { name, text, mistakes: RefCell::default() }
    }

    /// The whole.
    pub(super) fn entries(&'t self) -> Result<Entries<'t>, Invalid> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            self.mistake(&error.span().unwrap_or_default(), error.message());
        }
        self.check()?;
        let (at, left) = (table.span(), table.into_inner());
        Ok(Entries { of: self, place: String::new(), at, left })
    }

    /// Notes a mistake.
    pub(super) fn mistake(&self, at: &Range<usize>, what: impl ToString) {
        if self.mistakes.borrow().len() >= MISTAKES_MAX {
            return;
        }
        let before = self.text.get(..at.start).unwrap_or_default();
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        self.mistakes.borrow_mut().push((line, what.to_string()));
    }

    /// Takes a value, or notes why there is none.
    pub(super) fn take<T>(&self, at: &Range<usize>, value: Result<T, Invalid>) -> Option<T> {
        value.map_err(|error| self.mistake(at, format!("{}: {}", error.field, error.detail))).ok()
    }

    /// Refuses a text with mistakes; names them all.
    pub(super) fn check(&self) -> Result<(), Invalid> {
        let mut mistakes = self.mistakes.borrow().clone();
        if mistakes.is_empty() {
            return Ok(());
        }
        mistakes.sort();
        let lines: Vec<_> =
            mistakes.iter().map(|(line, what)| format!("line {line}: {what}")).collect();
        Err(Invalid::new(Reason::FieldInvalid, self.name, lines.join("\n  ")))
    }
}

impl<'a> Entries<'a> {
    /// Where it stands.
    pub(super) fn at(&self) -> Range<usize> {
        self.at.clone()
    }

    fn named(&self, key: &str) -> String {
        if self.place.is_empty() { key.to_owned() } else { format!("{}.{key}", self.place) }
    }

    fn value(&mut self, key: &str) -> Option<Spanned<DeValue<'a>>> {
        self.left.remove(key)
    }

    fn wrong(&self, key: &str, at: &Range<usize>, wanted: &str) {
        self.of.mistake(at, format!("{}: must be {wanted}", self.named(key)));
    }

    fn missing(&self, key: &str) {
        self.of.mistake(&self.at, format!("{}: is missing", self.named(key)));
    }

    /// A text, if it is there.
    pub(super) fn maybe_text(&mut self, key: &str) -> Option<Word> {
        let value = self.value(key)?;
        let (at, value) = (value.span(), value.into_inner());
        match value.as_str() {
            Some(text) => Some(Word { text: text.to_owned(), at }),
            None => {
                self.wrong(key, &at, "a text in quotation marks");
                None
            }
        }
    }

    /// A text that must be there.
    pub(super) fn text(&mut self, key: &str) -> Option<Word> {
        if !self.left.contains_key(key) {
            self.missing(key);
        }
        self.maybe_text(key)
    }

    /// A whole number within bounds, that must be there.
    pub(super) fn number(&mut self, key: &str, allowed: Range<u64>) -> Option<u64> {
        let Some(value) = self.value(key) else {
            self.missing(key);
            return None;
        };
        let at = value.span();
        let number = value.into_inner();
        let number = number.as_integer().filter(|number| number.radix() == 10);
        let number = number.and_then(|number| number.as_str().replace('_', "").parse().ok());
        let number = number.filter(|number| allowed.contains(number));
        if number.is_none() {
            let wanted = format!("a whole number from {} to {}", allowed.start, allowed.end - 1);
            self.wrong(key, &at, &wanted);
        }
        number
    }

    /// Texts; none if the key is not there.
    pub(super) fn texts(&mut self, key: &str) -> Vec<Word> {
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let (at, value) = (value.span(), value.into_inner());
        let Some(list) = value.as_array() else {
            self.wrong(key, &at, "a list of texts");
            return Vec::new();
        };
        let word = |entry: &Spanned<DeValue<'_>>| {
            let (at, text) = (entry.span(), entry.get_ref().as_str());
            if text.is_none() {
                self.wrong(key, &at, "a list of texts");
            }
            text.map(|text| Word { text: text.to_owned(), at })
        };
        list.iter().filter_map(word).collect()
    }

    /// Tables that repeat; none if the key is not there.
    pub(super) fn tables(&mut self, key: &str) -> Vec<Entries<'a>> {
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let (at, value) = (value.span(), value.into_inner());
        let DeValue::Array(list) = value else {
            self.wrong(key, &at, &format!("written as [[{key}]]"));
            return Vec::new();
        };
        let mut tables = Vec::new();
        for (number, entry) in list.iter().enumerate() {
            let (at, place) = (entry.span(), format!("{key}[{number}]"));
            match entry.get_ref().as_table() {
                Some(left) => {
                    tables.push(Entries { of: self.of, place, at, left: left.clone() });
                }
                None => self.wrong(key, &at, &format!("written as [[{key}]]")),
            }
        }
        tables
    }

    /// Notes every key that nobody has taken.
    pub(super) fn end(self) {
        for key in self.left.keys() {
            let name = quoted(&self.named(key.get_ref()));
            self.of.mistake(&key.span(), format!("{name} is not known here"));
        }
    }
}
