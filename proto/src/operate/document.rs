//! A configuration as somebody wrote it. Comes in: TOML. Goes out: what a program needs, or every mistake at once, each with its line;
//! and of every key which value it has and where that stands. Must never stop at the first mistake: whoever mends one by one
//! starts a service ten times.

use std::{collections::BTreeMap, fmt};

use serde::de::DeserializeOwned;
use toml::{
    Table, Value,
    de::{DeTable, DeValue},
};

use crate::limits::MISTAKES_MAX;

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Which key, like `desk.listen`; empty: the file as a whole.
    pub key: String,
    /// Line and column, from 1; none: it stands nowhere.
    pub at: Option<(usize, usize)>,
    /// What was found, and what is wanted.
    pub what: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((line, column)) = self.at {
            write!(f, "{line}:{column}: ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.what)
    }
}

/// All that was found in one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mistakes(Vec<Mistake>);

impl Mistakes {
    /// One more.
    pub fn push(&mut self, key: &str, what: impl Into<String>) {
        self.0.push(Mistake { key: key.to_owned(), at: None, what: what.into() });
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Mistake> {
        self.0.iter()
    }

    /// With lines, by the text that they were found in, in the order of the text.
    #[must_use]
    pub fn placed(mut self, text: &str) -> Self {
        let places = places(text);
        for mistake in &mut self.0 {
            if mistake.at.is_none() {
                let nearest = ancestors(&mistake.key).find_map(|key| places.get(key));
                mistake.at = nearest.map(|offset| line_and_column(text, *offset));
            }
        }
        self.0.sort_by_key(|mistake| (mistake.at.is_none(), mistake.at));
        self
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&all.join("; "))
    }
}

/// A key and what it stands in, from the inside out.
fn ancestors(key: &str) -> impl Iterator<Item = &str> {
    std::iter::successors((!key.is_empty()).then_some(key), |key| {
        key.rsplit_once('.').map(|(outer, _)| outer)
    })
}

/// Reads a document into what a program knows, or says everything that is wrong with its form.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Mistakes> {
    let mut mistakes = Mistakes::default();
    let mut table: Table = match text.parse() {
        Ok(table) => table,
        Err(error) => return Err(malformed(text, &error)),
    };
    // What was wrong is taken out, what is missing is put in, until the rest can be read: so all of it is seen.
    let mut mended = BTreeMap::<String, usize>::new();
    loop {
        let error = match serde_path_to_error::deserialize::<_, T>(table.clone()) {
            Ok(read) if mistakes.is_empty() => return Ok(read),
            Ok(_) => break,
            Err(error) => error,
        };
        if mistakes.0.len() >= MISTAKES_MAX || mended.values().any(|tries| *tries > KINDS) {
            mistakes.push("", error.inner().message());
            break;
        }
        let outer = error.path().to_string();
        let outer = if outer == "." { String::new() } else { outer };
        let message = error.inner().message().trim_end();
        if message.starts_with("unknown field ") {
            mistakes.push(&outer, message);
            remove(&mut table, &outer);
            continue;
        }
        let missing = quoted_after(message, "missing field ");
        let key = match (missing, outer.as_str()) {
            (Some(name), "") => name.to_owned(),
            (Some(name), outer) => format!("{outer}.{name}"),
            // An element of a list is mended as the list.
            (None, outer) => outer.split('[').next().unwrap_or_default().to_owned(),
        };
        if !mended.contains_key(&key) && !is_within(&mended, &key) {
            mistakes.push(&key, if missing.is_some() { "is missing" } else { message });
        }
        // Of every kind in turn, until one fits; counted also where it cannot be put there, so that this ends.
        let tries = mended.entry(key.clone()).or_default();
        put(&mut table, &key, of_kind(*tries));
        *tries += 1;
    }
    Err(mistakes.placed(text))
}

/// Kinds of values.
const KINDS: usize = 5;

/// The least value of a kind: it takes the place of what is not there, or is wrong and was told, so that the rest can be read.
fn of_kind(kind: usize) -> Value {
    match kind {
        0 => Value::Table(Table::new()),
        1 => Value::String(String::new()),
        2 => Value::Integer(0),
        3 => Value::Boolean(false),
        _ => Value::Array(Vec::new()),
    }
}

/// Does it stand in something that was put in itself? Then it is not the mistake.
fn is_within(mended: &BTreeMap<String, usize>, key: &str) -> bool {
    ancestors(key).skip(1).any(|outer| mended.contains_key(outer))
}

fn quoted_after<'a>(message: &'a str, words: &str) -> Option<&'a str> {
    message.strip_prefix(words)?.strip_prefix('`')?.split('`').next()
}

fn table_of<'a>(table: &'a mut Table, key: &str) -> Option<&'a mut Table> {
    let Some((outer, _)) = key.rsplit_once('.') else { return Some(table) };
    outer.split('.').try_fold(table, |table, part| match table.get_mut(part) {
        Some(Value::Table(inner)) => Some(inner),
        _ => None,
    })
}

fn last(key: &str) -> &str {
    key.rsplit_once('.').map_or(key, |(_, last)| last)
}

fn remove(table: &mut Table, key: &str) {
    table_of(table, key).and_then(|table| table.remove(last(key)));
}

fn put(table: &mut Table, key: &str, value: Value) {
    if let Some(table) = table_of(table, key) {
        table.insert(last(key).to_owned(), value);
    }
}

fn malformed(text: &str, error: &toml::de::Error) -> Mistakes {
    let at = error.span().map(|span| line_and_column(text, span.start));
    Mistakes(vec![Mistake { key: String::new(), at, what: error.message().to_owned() }])
}

fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

/// Where each key begins, by its dotted name.
fn places(text: &str) -> BTreeMap<String, usize> {
    fn walk(table: &DeTable<'_>, outer: &str, places: &mut BTreeMap<String, usize>) {
        for (name, value) in table {
            let key = match outer {
                "" => name.get_ref().to_string(),
                outer => format!("{outer}.{}", name.get_ref()),
            };
            places.insert(key.clone(), name.span().start);
            if let DeValue::Table(inner) = value.get_ref() {
                walk(inner, &key, places);
            }
        }
    }
    let mut places = BTreeMap::new();
    if let Ok(table) = DeTable::parse(text) {
        walk(table.get_ref(), "", &mut places);
    }
    places
}

/// A key, its value, and where that comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Like `desk.listen`.
    pub key: String,
    /// As TOML; empty: none.
    pub value: String,
    /// Its line; none: nobody has set it.
    pub line: Option<usize>,
}

/// Every key that there is. `shipped` is the file that has all of them: what is commented out there shows its default.
pub fn explain(text: &str, shipped: &str) -> Vec<Explained> {
    let (own, places) = (flat(text), places(text));
    let (written, defaults) = (flat(shipped), flat(&uncommented(shipped)));
    let keys = keys_in_order(&uncommented(shipped));
    let explained = keys.into_iter().map(|key| {
        let line = places.get(&key).map(|offset| line_and_column(text, *offset).0);
        let value = match (own.get(&key), written.contains_key(&key)) {
            (Some(value), _) => value.clone(),
            // It stands there as an example, and has no default.
            (None, true) => String::new(),
            (None, false) => defaults.get(&key).cloned().unwrap_or_default(),
        };
        Explained { key, value, line }
    });
    explained.collect()
}

fn uncommented(shipped: &str) -> String {
    let is_key = |text: &str| {
        text.split_once(" = ").is_some_and(|(name, _)| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        })
    };
    let line = |line: &str| match line.strip_prefix("# ") {
        Some(key) if is_key(key) => format!("{key}\n"),
        _ => format!("{line}\n"),
    };
    shipped.lines().map(line).collect()
}

fn leaves(table: &Table, outer: &str, found: &mut Vec<(String, String)>) {
    for (name, value) in table {
        let key = if outer.is_empty() { name.clone() } else { format!("{outer}.{name}") };
        match value.as_table() {
            Some(inner) => leaves(inner, &key, found),
            None => found.push((key, value.to_string())),
        }
    }
}

fn flat(text: &str) -> BTreeMap<String, String> {
    let mut found = Vec::new();
    if let Ok(table) = text.parse::<Table>() {
        leaves(&table, "", &mut found);
    }
    found.into_iter().collect()
}

fn keys_in_order(text: &str) -> Vec<String> {
    let places = places(text);
    let flat = flat(text);
    let mut keys: Vec<_> = flat.into_keys().collect();
    keys.sort_by_key(|key| places.get(key).copied());
    keys
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Whole {
        node: Node,
        desk: Desk,
        #[serde(default)]
        to: Vec<String>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Node {
        data: String,
        #[serde(default)]
        free: u64,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Desk {
        listen: String,
        ca: String,
        open: bool,
    }

    fn found(text: &str) -> Vec<String> {
        read::<Whole>(text).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_mistake_is_told_at_once_with_its_line() {
        let text = "to = [1]\ncolour = \"red\"\n\n[node]\ndata = 5\nfree = \"much\"\n\n[desk]\nca = \"x\"\nlisten_ = \"y\"\n";
        let found = found(text);
        let begins = ["1:1: to: ", "2:1: colour: ", "5:1: node.data: ", "6:1: node.free: "];
        for (found, begins) in found.iter().zip(begins) {
            assert!(found.starts_with(begins), "{found}");
        }
        for wanted in [
            "10:1: desk.listen_: unknown",
            "8:2: desk.listen: is missing",
            "8:2: desk.open: is missing",
        ] {
            assert!(found.iter().any(|found| found.starts_with(wanted)), "{wanted}: {found:#?}");
        }
        assert_eq!(found.len(), 7, "{found:#?}");
    }

    #[test]
    fn what_is_no_toml_is_told_with_its_line_and_a_table_that_is_missing_by_its_name() {
        assert!(
            found("[node]\ndata = \n")[0].starts_with("2:8: "),
            "{:?}",
            found("[node]\ndata = \n")
        );
        assert_eq!(found("[node]\ndata = \"x\"\n"), ["desk: is missing"]);
    }

    #[test]
    fn what_is_missing_where_nothing_can_be_put_is_told_and_ends() {
        #[derive(Debug, Deserialize)]
        #[expect(dead_code, reason = "only read")]
        struct Listed {
            people: Vec<Desk>,
        }
        let mistakes = read::<Listed>("[[people]]\nca = \"x\"\nopen = true\n").unwrap_err();
        assert!(mistakes.to_string().contains("people[0].listen: is missing"), "{mistakes}");
    }

    #[test]
    fn of_every_key_the_value_is_told_and_where_it_comes_from() {
        let shipped =
            "[node]\n# Why it is = so.\ndata = \"data\"\n# free = 64\n\n[desk]\nca = \"ca\"\n";
        let explained = explain("[node]\nfree = 5\n", shipped);
        let told: Vec<_> =
            explained.iter().map(|of| (of.key.as_str(), of.value.as_str(), of.line)).collect();
        assert_eq!(
            told,
            [("node.data", "", None), ("node.free", "5", Some(2)), ("desk.ca", "", None)]
        );
        let explained = explain("[node]\ndata = \"d\"\n", shipped);
        assert_eq!((explained[1].value.as_str(), explained[1].line), ("64", None));
    }
}
