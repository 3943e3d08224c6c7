//! What differs between two versions. Two documents in, changed fields out, ascending by name.
//! Entries of a list are compared by their place.

use std::collections::BTreeMap;

use accord_proto::limits::DIFF_ENTRIES_MAX;

use super::Document;

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Like `key_judgements[0].confidence`.
    pub field: String,
    /// None: was not there.
    pub before: Option<String>,
    /// None: is not there.
    pub after: Option<String>,
}

/// Every field that differs.
pub fn diff(before: &Document, after: &Document) -> Vec<Changed> {
    let (old, new) = (fields(before), fields(after));
    let values = |of: &[(String, String)]| of.iter().cloned().collect::<BTreeMap<_, _>>();
    let (was, is) = (values(&old), values(&new));
    // Fields of the new version, then those that only the old one has.
    let only_old = old.iter().filter(|(field, _)| !is.contains_key(field));
    new.iter()
        .chain(only_old)
        .map(|(field, _)| Changed {
            field: field.clone(),
            before: was.get(field).cloned(),
            after: is.get(field).cloned(),
        })
        .filter(|changed| changed.before != changed.after)
        .take(DIFF_ENTRIES_MAX)
        .collect()
}

/// Every plain value with its path. A list of plain values is one value: their order says nothing.
fn fields(document: &Document) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    // The canonical text was parsed before; a document without it does not exist.
    let table: toml::Table = document.text().parse().unwrap_or_default();
    flatten(String::new(), &toml::Value::Table(table), &mut fields);
    fields
}

fn flatten(path: String, value: &toml::Value, fields: &mut Vec<(String, String)>) {
    match value {
        toml::Value::Table(table) => {
            for (name, inner) in table {
                let dot = if path.is_empty() { "" } else { "." };
                flatten(format!("{path}{dot}{name}"), inner, fields);
            }
        }
        toml::Value::Array(entries) if entries.iter().any(toml::Value::is_table) => {
            for (at, inner) in entries.iter().enumerate() {
                flatten(format!("{path}[{at}]"), inner, fields);
            }
        }
        toml::Value::Array(entries) => {
            let mut texts: Vec<_> = entries.iter().map(plain).collect();
            texts.sort_unstable();
            fields.push((path, texts.join("; ")));
        }
        toml::Value::String(_)
        | toml::Value::Integer(_)
        | toml::Value::Float(_)
        | toml::Value::Boolean(_)
        | toml::Value::Datetime(_) => fields.push((path, plain(value))),
    }
}

fn plain(value: &toml::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
